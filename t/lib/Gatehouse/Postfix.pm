# Postfix - a private one, in a folder that goes away
#
#	my $pf = Gatehouse::Postfix->new(relay => $sink->port,
#	    milters => [ 'unix:gatehouse/auth-check/sock' ],
#	    main => { milter_command_timeout => '3s' },
#	    services => [ { name => 'submission', milters => [], options =>
#		{ milter_macro_daemon_name => 'ORIGINATING' } } ]);
#	$pf->start; $pf->port; $pf->port('submission');
#	$pf->log			a Gatehouse::Log
#	$pf->queue			what postqueue -j says, a list of hashes
#	$pf->postcat($id)		a queue file as text
#	$pf->stop;
#
# recipe => { config => DIR, role => 'both' }: `gatehouse postfix-config
# --apply` is run over the files before the start, with the postfix.conf of
# that folder. What it adds as listeners is named by ports => { NAME => PORT }.
# env => { NAME => VALUE }: for it and its daemons (libfaketime).
#
# Queue, configuration, data and log are its own; it listens on 127.0.0.1
# only, and nothing of the machine's Postfix is read but its programs. It
# relays all to 127.0.0.1:relay. Client addresses come by XCLIENT. smtpd and
# cleanup run in the chroot, as Debian's do. Needs root: Gatehouse::Postfix
# ->missing says what is not there.
package Gatehouse::Postfix;

use strict;
use warnings;

use Carp qw(croak);
use Fcntl qw(:flock);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP ();
use Time::HiRes qw(sleep time);

use Gatehouse::Log;

my @up;				# those that run, for END
my $mother = $$;

# Why there can be none here; empty when there can.
sub missing {
	return 'a private Postfix needs root' if $> != 0;
	return 'Postfix is not installed' unless -x '/usr/sbin/postfix' &&
	    defined getpwnam('postfix') && defined getgrnam('postdrop');
	return '';
}

sub port_free {
	my ($port) = @_;
	my $try = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
	    LocalPort => $port, Listen => 1, ReuseAddr => 1);

	return defined $try;
}

# A port that is free, and that no other test takes until this one ends: who
# has it holds a lock on a file of its name. Outside the range that the kernel
# hands out by itself, so that no connection takes it meanwhile.
my @ports;
sub free_port {
	my $dir = "/tmp/gatehouse-ports-$>";

	mkdir $dir, 0700;
	for (1 .. 200) {
		my $port = 20000 + int rand 10000;

		open my $lock, '>', "$dir/$port" or croak "$dir/$port: $!";
		next unless flock $lock, LOCK_EX | LOCK_NB;
		next unless port_free($port);
		push @ports, $lock;
		return $port;
	}
	croak 'no free port';
}

sub new {
	my ($class, %a) = @_;
	my $self = bless { milters => [], main => {}, services => [],
	    ports => {}, env => {}, %a }, $class;

	$self->{dir} //= tempdir('gatehouse-postfix-XXXXXX', TMPDIR => 1,
	    CLEANUP => 1);
	chmod 0755, $self->{dir};
	$self->{port} //= free_port;
	$_->{port} //= free_port for @{ $self->{services} };
	$self->{log} = Gatehouse::Log->new("$self->{dir}/log/mail.log");
	$self->_folders;
	return $self;
}

sub dir { $_[0]{dir} }
sub log { $_[0]{log} }
sub config { "$_[0]{dir}/etc" }
sub queue_directory { "$_[0]{dir}/queue" }

sub port {
	my ($self, $name) = @_;

	return $self->{port} unless defined $name;
	return $self->{ports}{$name} if $self->{ports}{$name};
	my ($service) = grep { $_->{name} eq $name } @{ $self->{services} };
	return $service->{port};
}

sub _folders {
	my ($self) = @_;
	my ($uid, $gid) = (getpwnam 'postfix')[2, 3];

	make_path(map { "$self->{dir}/$_" } qw(etc queue data log), 'queue/pid',
	    'queue/gatehouse');
	chown $uid // -1, -1, "$self->{dir}/data";
}

# A folder for a milter's socket, as tmpfiles makes it on a real machine. The
# path of the socket, and what main.cf calls it.
sub socket_for {
	my ($self, $name) = @_;
	my $dir = $self->queue_directory . "/gatehouse/$name";

	make_path($dir);
	chown -1, (getgrnam 'postfix')[2], $dir;
	chmod 02710, $dir;
	return ("$dir/sock", "unix:gatehouse/$name/sock");
}

sub _defaults {
	my ($self) = @_;
	my $dir = $self->{dir};

	return (
		compatibility_level => '3.6',
		queue_directory => "$dir/queue",
		data_directory => "$dir/data",
		command_directory => '/usr/sbin',
		daemon_directory => '/usr/lib/postfix/sbin',
		mail_owner => 'postfix',
		setgid_group => 'postdrop',
		maillog_file => "$dir/log/mail.log",
		maillog_file_prefixes => $dir,
		maillog_file_rotate_suffix => '%s',
		multi_instance_enable => 'no',
		myhostname => 'mx.gatehouse.test',
		mydestination => '',
		alias_maps => '',
		alias_database => '',
		inet_interfaces => '127.0.0.1',
		inet_protocols => 'all',
		mynetworks => '127.0.0.0/8',
		relayhost => $self->{relay} ? "[127.0.0.1]:$self->{relay}" : '',
		relay_domains => 'static:all',
		smtpd_relay_restrictions => 'reject_unauth_destination',
		smtpd_authorized_xclient_hosts => '127.0.0.0/8',
		smtpd_peername_lookup => 'no',
		smtp_host_lookup => 'native',
		disable_dns_lookups => 'yes',
		smtp_line_length_limit => 0,
		enable_long_queue_ids => 'yes',
		in_flow_delay => 0,
		queue_run_delay => '3s',
		minimal_backoff_time => '3s',
		maximal_backoff_time => '6s',
		transport_retry_time => '3s',
		message_size_limit => 104857600,
		mailbox_size_limit => 0,
		queue_minfree => 0,
		smtpd_client_connection_count_limit => 0,
		smtpd_error_sleep_time => 0,
		smtpd_hard_error_limit => 1000,
		smtpd_tls_security_level => 'none',
		smtp_tls_security_level => 'none',
		# As doc/ and etc/ recommend them.
		smtpd_forbid_bare_newline => 'normalize',
		milter_default_action => 'tempfail',
		milter_connect_timeout => '5s',
		milter_command_timeout => '10s',
		milter_content_timeout => '30s',
		internal_mail_filter_classes => '',
	);
}

# master(8) logs by way of postlogd, which it starts itself: when that has ended
# after so many lines, and many processes were killed at once, it waits for ever.
# So it does not end by itself.
sub _master {
	my ($self) = @_;
	my $text = '';

	for my $service ({ port => $self->{port},
	    milters => $self->{milters}, options => {} },
	    @{ $self->{services} }) {
		my %o = (smtpd_milters => join(', ',
		    @{ $service->{milters} // [] }),
		    %{ $service->{options} // {} });
		$text .= "127.0.0.1:$service->{port} inet n - y - - smtpd\n";
		$text .= "  -o { $_ = $o{$_} }\n" for sort keys %o;
	}
	return $text . <<'END' . ($self->{master} // '');
pickup unix n - y 60 1 pickup
cleanup unix n - y - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - y - - trivial-rewrite
bounce unix - - y - 0 bounce
defer unix - - y - 0 bounce
trace unix - - y - 0 bounce
verify unix - - y - 1 verify
flush unix n - y 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - y - - smtp
relay unix - - y - - smtp
showq unix n - y - - showq
error unix - - y - - error
retry unix - - y - - error
discard unix - - y - - discard
anvil unix - - y - 1 anvil
scache unix - - y - 1 scache
postlog unix-dgram n - n - 1 postlogd
  -o max_use=100000000 -o max_idle=10d -o postlogd_watchdog_timeout=10m
END
}

sub _write {
	my ($path, $text) = @_;

	open my $f, '>', $path or croak "$path: $!";
	print $f $text;
	close $f or croak "$path: $!";
	_cool($path);
}

# Postfix reads a file that is younger than a second again and again, with a
# sleep in between, since it might still be written: each of its processes.
sub _cool { utime time - 60, time - 60, @_ }

# Writes main.cf and master.cf; again after a change of main or milters.
sub configure {
	my ($self) = @_;
	my %main = ($self->_defaults, %{ $self->{main} });

	$main{import_environment} = join ' ', qw(MAIL_CONFIG MAIL_DEBUG
	    MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME),
	    sort keys %{ $self->{env} } if %{ $self->{env} };
	_write($self->config . '/main.cf',
	    join '', map { "$_ = $main{$_}\n" } sort keys %main);
	_write($self->config . '/master.cf', $self->_master);
	$self->apply if $self->{recipe};
	return $self;
}

# The recipe, put over what is there. What was said.
sub apply {
	my ($self, @more) = @_;
	my %r = %{ $self->{recipe} };
	my @args = ('--postfix', $self->config, '--config', $r{config},
	    $r{role} ? ('--role', $r{role}) : (), @more ? @more : '--apply');
	my $build = $ENV{GATEHOUSE_BUILD} // '.';
	my $pid = open(my $out, '-|') // croak "fork: $!";

	if ($pid == 0) {
		open STDERR, '>&', \*STDOUT;
		exec "$build/tools/gatehouse", 'postfix-config', @args or
		    POSIX::_exit(127);
	}
	local $/;
	my $text = <$out> // '';
	close $out;
	croak "postfix-config @args: $text" if $? && !@more;
	_cool(map { $self->config . "/$_" } 'main.cf', 'master.cf');
	return $self->{said} = $text;
}

sub set {
	my ($self, %main) = @_;

	@{ $self->{main} }{ keys %main } = values %main;
	return $self->configure;
}

# A Postfix command on this instance: its exit status, and what it said.
sub command {
	my ($self, $program, @args) = @_;
	my $pid = open(my $out, '-|') // croak "fork: $!";

	if ($pid == 0) {
		open STDERR, '>&', \*STDOUT;
		open STDIN, '<', '/dev/null';
		delete @ENV{ grep { /^(MAIL_|POSTLOG)/ } keys %ENV };
		$ENV{$_} = $self->{env}{$_} for keys %{ $self->{env} };
		no warnings 'exec';
		exec { "/usr/sbin/$program" } $program, '-c', $self->config,
		    @args;
		POSIX::_exit(127);
	}
	local $/;
	my $text = <$out> // '';
	close $out;
	return wantarray ? ($? >> 8, $text) : $? >> 8;
}

# again => 1: with the files as they are.
sub start {
	my ($self, %a) = @_;

	croak missing() if missing();
	$self->configure unless $a{again};
	my ($status, $text) = $self->command('postfix', 'start');
	# A process of the last run may hold its lock for a moment.
	for (1 .. 100) {
		last if $status == 0 || !$a{again};
		sleep 0.1;
		($status, $text) = $self->command('postfix', 'start');
	}
	croak "postfix start: $text" . join "\n", $self->log->lines
	    if $status != 0;
	push @up, $self;
	my $end = time + 20;
	for my $port ($self->{port}, values %{ $self->{ports} },
	    map { $_->{port} } @{ $self->{services} }) {
		until ($self->_listens($port)) {
			croak 'Postfix does not listen: ' .
			    join "\n", $self->log->lines if time > $end;
			sleep 0.02;
		}
	}
	return $self;
}

# Asks the kernel instead of connecting, which smtpd would log.
sub _listens {
	my ($self, $port) = @_;
	my $want = sprintf '0100007F:%04X 00000000:0000 0A', $port;

	open my $f, '<', '/proc/net/tcp' or return 0;
	return scalar grep { index($_, $want) >= 0 } <$f>;
}

sub master_pid {
	my ($self) = @_;

	open my $f, '<', $self->queue_directory . '/pid/master.pid'
	    or return undef;
	my ($pid) = <$f> =~ /(\d+)/;
	return $pid;
}

sub running {
	my ($self) = @_;
	my $pid = $self->master_pid;

	# A stale file may name anybody: only our own master counts.
	return 0 unless defined $pid && open my $f, '<', "/proc/$pid/environ";
	local $/;
	return index(<$f> // '', 'MAIL_CONFIG=' . $self->config) >= 0;
}

sub stop {
	my ($self) = @_;
	my $end = time + 20;

	@up = grep { $_ != $self } @up;
	return unless $self->running;
	my $pid = $self->master_pid;
	kill 'TERM', $pid;		# as postfix-script does, then sleeping
	sleep 0.02 while $self->running && time < $end;
	kill 'KILL', $pid if $self->running;
}

# The processes that master has started.
sub _children {
	my ($self) = @_;
	my $pid = $self->master_pid // return ();

	open my $f, '<', "/proc/$pid/task/$pid/children" or return ();
	return split ' ', <$f> // '';
}

# Those with the old settings are gone when it returns: an idle smtpd may
# still take the next connection for a moment after "postfix reload" has ended.
# Queue managers keep their pid.
sub reload {
	my ($self) = @_;
	my @before = $self->_children;
	my @result = $self->configure->command('postfix', 'reload');
	my $end = time + 10;

	for my $pid (@before) {
		my $exe = readlink("/proc/$pid/exe") // '';
		next unless $exe =~ m{/smtpd$};
		sleep 0.02 while -d "/proc/$pid" && time < $end;
	}
	return @result;
}

sub flush { $_[0]->command('postqueue', '-f') }

sub queue {
	my ($self) = @_;
	my ($status, $text) = $self->command('postqueue', '-j');

	return map { JSON::PP::decode_json($_) } grep { /^\{/ }
	    split /\n/, $text;
}

sub wait_queue_empty {
	my ($self, $seconds) = @_;
	my $end = time + ($seconds // 20);

	sleep 0.1 while $self->queue && time < $end;
	return !$self->queue;
}

sub postcat {
	my ($self, $id) = @_;

	return scalar(($self->command('postcat', '-q', $id))[1]);
}

# Queue files that Postfix found corrupt: there must never be one (L5).
sub corrupt {
	my ($self) = @_;

	return glob $self->queue_directory . '/corrupt/*';
}

END {
	if ($$ == $mother) {
		local $?;
		$_->stop for @up;
	}
}

1;
