# Suite - daemons of ours, a private Postfix before them, a sink behind it
#
#	my $s = Gatehouse::Suite->new(zone => $zone,	# see Gatehouse::DNS
#	    house => { domains => [ 'our.test' ] });
#	$s->milter('auth-check', spf_fail => 'reject')->postfix;
#	like $s->send(client => '192.0.2.1', from => 'a@b.test',
#	    rcpt => 'us@our.test'), qr/^250 /, 'delivered';
#	$s->kill_milter('auth-check');
#	$s->done;
#
# milter	one of milters/, or a filter of t/probe; its options go to
#		NAME.conf; -args => [ ... ] to its command
#		line, -program => PATH runs another program, -socket => 0 leaves
#		it out of main.cf, -env => { ... }
# service	the same for one of services/, which Postfix does not speak to; all
#		that is done to a milter by its name can be done to it
# postfix	starts all with a Postfix (its arguments: Gatehouse::Postfix);
#		skips the whole test, aloud, where there can be none
# daemons	starts all without one: floor 2, no root
# talk		a milter session with that daemon: Gatehouse::Milter->message
# send		one message on an SMTP connection of its own (a milter that
#		failed once stays failed on a connection, PITFALLS.md L4);
#		the answer that decided. Takes client, name, helo, from, rcpt,
#		message (whole) or subject, header, body, attach; service;
#		and what Gatehouse::Smtp->send takes
# allow		warnings that this test expects: a list of qr//
# done		asserts that no log holds an unexpected warning or a sanitizer
#		report, that each daemon still runs and ends well and that no
#		queue file is corrupt; then done_testing
package Gatehouse::Suite;

use strict;
use warnings;

use Carp qw(croak);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Log;
use Gatehouse::Milter;
use Gatehouse::Postfix;
use Gatehouse::Process;
use Gatehouse::Sink;
use Gatehouse::Smtp;

my $TROUBLE = qr/\b(?:warning|error|fatal|panic):|
    \b(?:Address|Leak|Thread|Memory)Sanitizer\b|runtime\ error:/x;
my $letters = 0;

sub new {
	my ($class, %a) = @_;
	my $self = bless { house => {}, milters => [], by => {}, allow => [],
	    main => {}, %a }, $class;

	$self->{dir} //= tempdir('gatehouse-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	chmod 0755, $self->{dir};
	make_path(map { "$self->{dir}/$_" } qw(conf log state queue/gatehouse));
	$self->{log} = Gatehouse::Log->new("$self->{dir}/log/gatehouse.log");
	if (exists $a{zone}) {
		require Gatehouse::DNS;
		$self->{dns} = Gatehouse::DNS->start(zone => $a{zone},
		    %{ $a{dns_args} // {} });
	}
	return $self;
}

sub dir { $_[0]{dir} }
sub conf { "$_[0]{dir}/conf" }
sub dns { $_[0]{dns} }
sub log { $_[0]{log} }
sub sink { $_[0]{sink} }
sub pf { $_[0]{postfix} }
sub build { $ENV{GATEHOUSE_BUILD} // '.' }

# --- configuration files (libconfig) -------------------------------------

# 5, true and false stand as they are; a list becomes [ "a", "b" ], a hash a
# group { a = "b"; } and a list of these ( { ... }, { ... } ).
sub conf_value {
	my ($value) = @_;

	return '{ ' . join(' ', map { "$_ = " . conf_value($value->{$_}) . ';' }
	    sort keys %$value) . ' }' if ref $value eq 'HASH';
	return '( ' . join(', ', map { conf_value($_) } @$value) . ' )'
	    if ref $value eq 'ARRAY' && ref $value->[0] eq 'HASH';
	return '[ ' . join(', ', map { conf_value("$_") } @$value) . ' ]'
	    if ref $value eq 'ARRAY';
	return $value if $value =~ /\A(-?\d+|true|false)\z/;
	return '"' . ($value =~ s/(["\\])/\\$1/gr =~ s/\n/\\n/gr) . '"';
}

sub conf_write {
	my ($self, $file, %options) = @_;
	my $path = $self->conf . "/$file";

	open my $f, '>', "$path.new" or croak "$path: $!";
	print $f map { "$_ = " . conf_value($options{$_}) . ";\n" }
	    sort keys %options;
	close $f or croak "$path: $!";
	rename "$path.new", $path;
	return $path;
}

sub house {
	my ($self, %more) = @_;
	my $dir = $self->{dir};
	my %house = (hostname => 'mx.gatehouse.test',
	    domains => [ 'gatehouse.test' ], networks => [ '198.51.100.0/24' ],
	    syslog => "$dir/log/gatehouse.log",
	    queue_directory => "$dir/queue", state_directory => "$dir/state",
	    peers => [ 'root', 'postfix', (getpwuid $>)[0] // () ],
	    %{ $self->{house} }, %more);

	$house{resolver} //= $self->{dns}->resolver if $self->{dns};
	$self->{house} = \%house;
	return $self->conf_write('gatehouse.conf', %house);
}

# --- daemons -------------------------------------------------------------

sub milter {
	my ($self, $name, %options) = @_;
	my %own = map { s/^-//r => delete $options{$_} }
	    grep { /^-/ } keys %options;
	my ($program) = grep { -x } map { build() . "/$_/gatehouse-$name" }
	    "milters/$name", "services/$name", 't';
	my $m = { name => $name, options => \%options, args => [], env => {},
	    socket => 1, program => $program // "gatehouse-$name", %own };

	make_path("$self->{dir}/state/$name");
	push @{ $self->{milters} }, $m;
	$self->{by}{$name} = $m;
	return $self;
}

sub service {
	my ($self, $name, %options) = @_;

	return $self->milter($name, %options, -service => 1, -socket => 0);
}

sub _milter {
	my ($self, $name) = @_;

	$name //= $self->{milters}[0]{name};
	return $self->{by}{$name} // croak "no milter $name";
}

# Other options from now on; takes effect at start or reload.
sub options {
	my ($self, $name, %options) = @_;
	my $m = $self->_milter($name);

	@{ $m->{options} }{ keys %options } = values %options;
	$self->conf_write("$m->{name}.conf", %{ $m->{options} });
	return $self;
}

sub socket_path {
	my ($self, $name) = @_;

	return $self->_milter($name)->{path};
}

# It listens: asked of the kernel, since a connection would be a session.
sub listens {
	my ($path) = @_;

	open my $f, '<', '/proc/net/unix' or return -S $path;
	return scalar grep { m{ 00010000 0001 .* \Q$path\E$} } <$f>;
}

sub start_milter {
	my ($self, $name) = @_;
	my $m = $self->_milter($name);
	my $end = time + 30;

	$self->options($m->{name});
	$m->{err} = "$self->{dir}/log/$m->{name}.err";
	$m->{process} = Gatehouse::Process->start(name => $m->{name},
	    grace => 40, env => $m->{env}, log => $m->{err},
	    argv => [ $m->{program}, '--config',
	    $self->conf . "/$m->{name}.conf", '--house',
	    $self->conf . '/gatehouse.conf',
	    $m->{service} ? () : ('--socket', $m->{path}),
	    @{ $m->{args} } ]);
	until ($self->_up($m)) {
		croak "$m->{name} does not start" . $self->_said($m)
		    if time > $end || !$m->{process}->running;
		sleep 0.02;
	}
	$m->{expected} = 1;
	return $self;
}

# A milter listens; a service says that it has started.
sub _up {
	my ($self, $m) = @_;

	return listens($m->{path}) unless $m->{service};
	my $pid = $m->{process}->pid;
	return scalar $self->{log}->lines(
	    qr/gatehouse-\Q$m->{name}\E\[$pid\]: started/);
}

sub _said {
	my ($self, $m) = @_;

	return join "\n", ':', Gatehouse::Log->new($m->{err})->lines,
	    $self->{log}->lines;
}

sub process { $_[0]->_milter($_[1])->{process} }

sub kill_milter {
	my ($self, $name) = @_;
	my $m = $self->_milter($name);

	$m->{expected} = 0;
	$m->{process}->kill_now;
	return $self;
}

sub stop_milter {
	my ($self, $name) = @_;
	my $m = $self->_milter($name);

	$m->{expected} = 0;
	$m->{process}->stop;
	return $self;
}

sub signal_milter {
	my ($self, $name, $signal) = @_;

	$self->_milter($name)->{process}->signal($signal);
	return $self;
}

# What it uses: resident kB, its peak, open descriptors, threads.
sub usage {
	my ($self, $name) = @_;
	my $pid = $self->process($name)->pid;
	my %of = (fds => scalar(() = glob "/proc/$pid/fd/*"));

	open my $f, '<', "/proc/$pid/status" or return \%of;
	for (<$f>) {
		$of{rss} = $1 if /^VmRSS:\s+(\d+)/;
		$of{peak} = $1 if /^VmHWM:\s+(\d+)/;
		$of{threads} = $1 if /^Threads:\s+(\d+)/;
	}
	return \%of;
}

sub _missing {
	my ($self) = @_;

	return grep { !-x $_ } map { $_->{program} } @{ $self->{milters} };
}

sub daemons {
	my ($self) = @_;

	plan skip_all => join ' ', 'NOT BUILT:', $self->_missing
	    if $self->_missing;
	$self->house;
	for my $m (@{ $self->{milters} }) {
		if ($m->{service}) {
			$self->start_milter($m->{name});
			next;
		}
		make_path("$self->{dir}/queue/gatehouse/$m->{name}");
		$m->{path} //= "$self->{dir}/queue/gatehouse/$m->{name}/sock";
		$self->start_milter($m->{name});
	}
	return $self;
}

sub postfix {
	my ($self, %a) = @_;

	plan skip_all => Gatehouse::Postfix->missing
	    if Gatehouse::Postfix->missing;
	plan skip_all => join ' ', 'NOT BUILT:', $self->_missing
	    if $self->_missing;
	$self->{sink} //= Gatehouse::Sink->new(dir => "$self->{dir}/sink");
	$self->{postfix} = Gatehouse::Postfix->new(dir => $self->{dir},
	    relay => $self->{sink}->port, main => $self->{main}, %a);
	for my $m (grep { !$_->{service} } @{ $self->{milters} }) {
		($m->{path}, my $named) =
		    $self->{postfix}->socket_for($m->{name});
		push @{ $self->{postfix}{milters} }, $named if $m->{socket};
	}
	$self->daemons;
	$self->{postfix}->start;
	return $self;
}

# --- mail ----------------------------------------------------------------

sub _attachment {
	my ($name) = @_;
	my $type = $name =~ /\.txt$/ ? 'text/plain' : 'application/octet-stream';

	return "--=_b\nContent-Type: $type; name=\"$name\"\n" .
	    "Content-Transfer-Encoding: base64\n" .
	    "Content-Disposition: attachment; filename=\"$name\"\n\n" .
	    encode_base64("what stands in $name\n");
}

# A small whole message with LF ends, from what send was told.
sub letter {
	my ($self, %m) = @_;
	my $to = ref $m{rcpt} ? join ', ', @{ $m{rcpt} } : $m{rcpt};
	my $head = ($m{header} // '') . "From: " . ($m{header_from} //
	    ($m{from} || 'nobody@gatehouse.test')) . "\nTo: $to\nSubject: " .
	    ($m{subject} // 'a letter') . "\nDate: Sun, 22 Nov 2026 10:00:00" .
	    " +0000\nMessage-ID: <" . ($m{message_id} //
	    ++$letters . ".$$\@gatehouse.test") . ">\n";
	my $body = $m{body} // "Good day.\n";

	return "$head\n$body" unless $m{attach};
	return $head . "MIME-Version: 1.0\n" .
	    "Content-Type: multipart/mixed; boundary=\"=_b\"\n\n" .
	    "--=_b\nContent-Type: text/plain\n\n$body" .
	    join('', map { _attachment($_) } ref $m{attach} ?
	    @{ $m{attach} } : $m{attach}) . "--=_b--\n";
}

# An SMTP connection from a test address.
sub connection {
	my ($self, %m) = @_;
	my %x = (ADDR => $m{client} // '192.0.2.1',
	    NAME => $m{name} // '[UNAVAILABLE]',
	    HELO => $m{helo} // 'client.test', %{ $m{xclient} // {} });

	return Gatehouse::Smtp->new(xclient => \%x, helo => $x{HELO},
	    port => $self->{postfix}->port($m{service}),
	    timeout => $m{timeout} // 60);
}

sub _filled {
	my ($self, %m) = @_;

	$m{rcpt} //= 'us@gatehouse.test';
	$m{from} //= 'sender@client.test';
	$m{message} //= $self->letter(%m);
	return %m;
}

sub send {
	my ($self, %m) = @_;

	%m = $self->_filled(%m);
	my $c = $m{on} // $self->connection(%m);
	return $c->ehlo unless $c->ehlo =~ /^250/;
	my $got = $c->send(%m);
	$self->{replies} = $c->replies;
	$c->quit unless $m{on} || $got =~ /^(closed|silence|421)/;
	return $got;
}

sub replies { $_[0]{replies} }

# The queue id that Postfix gave in its 250.
sub queue_id {
	my ($self, $reply) = @_;

	return $reply =~ /queued as (\w+)/ ? $1 : undef;
}

# The line that the daemon logged about that message.
sub line {
	my ($self, $name, $id, $seconds) = @_;

	return $self->{log}->wait_for(
	    qr/gatehouse-\Q$name\E\[\d+\]: \Q$id\E: /, $seconds);
}

# The bytes that arrived without what this Postfix put before them, so that
# they can be compared with what was sent.
sub without_received {
	my ($class, $bytes) = @_;

	return $bytes =~ s/\AReceived:.*?\r\n(?![ \t])//sr;
}

# The fields of that name in a message, unfolded, in order.
sub fields {
	my ($class, $bytes, $name) = @_;
	my ($head) = $bytes =~ /\A(.*?\r\n)(?:\r\n|\z)/s;

	return map { /\A\Q$name\E[ \t]*:[ \t]*(.*)\z/is ?
	    $1 =~ s/\r\n([ \t])/$1/gr : () }
	    split /\r\n(?![ \t])/, $head // '';
}

sub talk {
	my ($self, $name, %m) = @_;
	my $session = $self->session($name);
	my $result = $session->message($self->_filled(%m));

	$session->quit;
	return $result;
}

sub session {
	my ($self, $name, %a) = @_;

	return Gatehouse::Milter->new($self->socket_path($name), %a);
}

# gatehouse(1) of the build tree: its exit status and standard output. First
# may come { before => [ ... ] }: a command that runs it.
sub gatehouse {
	my ($self, @args) = @_;
	my $how = ref $args[0] ? shift @args : {};
	my $pid = open(my $out, '-|') // croak "fork: $!";

	if ($pid == 0) {
		open STDERR, '>>', "$self->{dir}/log/gatehouse.err";
		exec @{ $how->{before} // [] }, build() . '/tools/gatehouse',
		    @args or POSIX::_exit(127);
	}
	local $/;
	my $text = <$out> // '';
	close $out;
	return ($? >> 8, $text);
}

# --- the end -------------------------------------------------------------

sub allow {
	my ($self, @more) = @_;

	push @{ $self->{allow} }, @more;
	return $self;
}

# What Postfix says of the machine that it runs on: the clock of files is a tick
# behind the other one, or before it (virtual machines).
my @MACHINE = (qr/file system clock is \d+ seconds ahead of local clock/,
    qr/resetting file time stamps - this hurts performance/);

# Lines of any log that nobody expected.
sub unexpected {
	my ($self) = @_;
	my @lines;

	for my $path (glob "$self->{dir}/log/*") {
		for my $line (Gatehouse::Log->new($path)->lines($TROUBLE)) {
			push @lines, "$path: $line"
			    unless grep { $line =~ $_ } @MACHINE,
			    @{ $self->{allow} };
		}
	}
	return @lines;
}

sub finish {
	my ($self) = @_;

	if ($self->{postfix}) {
		$self->{postfix}->stop;
		is_deeply [ $self->{postfix}->corrupt ], [],
		    'no corrupt queue file';
	}
	for my $m (grep { $_->{expected} } @{ $self->{milters} }) {
		ok $m->{process}->running, "$m->{name} still runs";
		is $m->{process}->stop, 0, "$m->{name} ended well";
		ok !$m->{process}{insisted}, "$m->{name} ended when asked to";
	}
	$self->{sink}->stop if $self->{sink};
	is join("\n", $self->unexpected), '', 'nothing unexpected in the logs';
}

sub done {
	my ($self) = @_;

	$self->finish;
	done_testing;
}

1;
