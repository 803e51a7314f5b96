# SpamPeers - an Rspamd and a spamd of the test's own
#
#	my $p = Gatehouse::SpamPeers->new;
#	$p->rspamd	# starts it on a Unix socket and a port; 0: no package
#	$p->spamd	# the same
#	$p->rspamd_socket, $p->rspamd_port, $p->spamd_socket, $p->spamd_port
#	$p->{rspamd}->stop			# each is a Gatehouse::Process
#	$p->rspamd(workers => 2, hyperscan => 1)
#	$p->stop				# both; what they wrote is gone
#
# Rspamd compiles its expressions and ten thousand top-level domains for
# Hyperscan while it starts, ten seconds of processor time: so it does not, and
# knows a handful of these domains, unless it is asked to (hyperscan).
#
# Their rules are Debian's, but what asks the network is off, as are maps from
# the Internet, redis and learning. Nothing of the machine's own is read but
# the rules under /etc/rspamd and /usr/share/spamassassin, and nothing touched.
package Gatehouse::SpamPeers;

use strict;
use warnings;

use Carp qw(croak);
use File::Path qw(make_path);
use File::Temp ();
use IO::Socket::INET;
use IO::Socket::UNIX;
use Time::HiRes qw(sleep time);

use Gatehouse::Process;

my $RSPAMD = '/usr/bin/rspamd';
my $SPAMD = '/usr/sbin/spamd';

# What asks the network, keeps state, or wants both.
my @RSPAMD_OFF = qw(antivirus arc asn aws_s3 bimi clickhouse dcc dkim
    dkim_signing dmarc elastic external_services fuzzy_check greylist
    history_redis metadata_exporter metric_exporter multimap mx_check neural
    p0f ratelimit rbl replies reputation rspamd_update spamtrap spf surbl
    url_redirector whitelist);

sub new {
	my ($class, %a) = @_;
	my $home = File::Temp->newdir('gatehouse-peers-XXXXXX', TMPDIR => 1);

	chmod 0755, $home;		# spamd is not root
	return bless { %a, home => $home, dir => "$home" }, $class;
}

sub has_rspamd { -x $RSPAMD }
sub has_spamd { -x $SPAMD }

sub stop {
	my ($self) = @_;

	$_->stop for grep { defined } delete @$self{qw(rspamd spamd)};
}

sub rspamd_socket { "$_[0]{dir}/rspamd/sock" }
sub rspamd_port { $_[0]{rspamd_port} }
sub spamd_socket { "$_[0]{dir}/spamd/sock" }
sub spamd_port { $_[0]{spamd_port} }

sub _free_port {
	my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
	    or croak "no port: $!";

	return $s->sockport;
}

sub _put {
	my ($path, $text) = @_;

	open my $f, '>', $path or croak "$path: $!";
	print $f $text;
	close $f or croak "$path: $!";
}

# Waits until it listens; an end means that its port was taken.
sub _up {
	my ($process, $socket, $port) = @_;
	my $end = time + 60;

	while (time < $end && $process->running) {
		return 1 if IO::Socket::UNIX->new(Peer => $socket) &&
		    IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
		sleep 0.02;
	}
	return 0;
}

# Both may be stopped and started again at the same place.
sub rspamd {
	my ($self, %a) = @_;

	return 0 unless has_rspamd();
	for my $n (1 .. 3) {
		$self->{rspamd_port} = _free_port()
		    if $n > 1 || !$self->{rspamd_port};
		return $self if $self->_start_rspamd(%a);
	}
	croak "rspamd does not start; see $self->{dir}/rspamd/log";
}

sub _start_rspamd {
	my ($self, %a) = @_;
	my $dir = "$self->{dir}/rspamd";
	my $socket = $self->rspamd_socket;
	my $workers = $a{workers} // 1;
	my $plain = $a{hyperscan} ? 'url_tld = ' .
	    '"/usr/share/rspamd/effective_tld_names.dat";' :
	    "disable_hyperscan = true; url_tld = \"$dir/tld\";";

	make_path("$dir/db");
	unlink $socket;
	_put("$dir/tld", "com\nnet\norg\nexample\ntest\n");
	_put("$dir/off", join '', map { "$_ { enabled = false; }\n" }
	    @RSPAMD_OFF);
	_put("$dir/conf", <<"END");
.include "/etc/rspamd/common.conf"
options {
	filters = "chartable,dkim,regexp,fuzzy_check";
	cache_file = "$dir/db/symbols.cache";
	hs_cache_dir = "$dir/db/";
	explicit_modules = ["settings"];
	words_decay = 600;
	task_timeout = 60s;
	pidfile = "$dir/pid";
	control_socket = "$dir/db/control mode=0600";
	dns { nameserver = ["127.0.0.1:9"]; timeout = 0.05s; retransmits = 1; }
	local_addrs = [];
	$plain
}
logging { type = "file"; filename = "$dir/log"; level = "warning"; }
worker "normal" {
	bind_socket = "127.0.0.1:$self->{rspamd_port}";
	bind_socket = "$socket mode=0666";
	count = $workers;
	.include "/etc/rspamd/worker-normal.inc"
}
lua = "\$RULESDIR/rspamd.lua";
.include "/etc/rspamd/metrics.conf"
.include "/etc/rspamd/actions.conf"
.include "/etc/rspamd/groups.conf"
.include "/etc/rspamd/composites.conf"
.include "/etc/rspamd/modules.conf"
.include "/etc/rspamd/settings.conf"
.include(priority=20) "$dir/off"
END
	$self->{rspamd} = Gatehouse::Process->start(name => 'rspamd',
	    argv => [ $RSPAMD, '-f', '-i', '-c', "$dir/conf",
		map { "--var=$_" } "DBDIR=$dir/db", "RUNDIR=$dir",
		"LOGDIR=$dir", "LOCAL_CONFDIR=$dir/none" ],
	    log => "$dir/err");
	return _up($self->{rspamd}, $socket, $self->{rspamd_port});
}

sub spamd {
	my ($self, %a) = @_;

	return 0 unless has_spamd();
	for my $n (1 .. 3) {
		$self->{spamd_port} = _free_port()
		    if $n > 1 || !$self->{spamd_port};
		return $self if $self->_start_spamd(%a);
	}
	croak "spamd does not start; see $self->{dir}/spamd/err";
}

sub _start_spamd {
	my ($self, %a) = @_;
	my $dir = "$self->{dir}/spamd";
	my $user = $> == 0 ? 'nobody' : getpwuid $>;
	my $socket = $self->spamd_socket;
	my $workers = $a{workers} // 1;

	make_path("$dir/site", "$dir/home");
	chmod 0755, $dir;
	unlink $socket;
	_put("$dir/site/init.pre", join '', map
	    { "loadplugin Mail::SpamAssassin::Plugin::$_\n" }
	    qw(Check HTTPSMismatch URIDetail Bayes BodyEval DNSEval HTMLEval
	    HeaderEval MIMEEval RelayEval URIEval WLBLEval VBounce FreeMail
	    MIMEHeader ReplaceTags ImageInfo WelcomeListSubject));
	_put("$dir/site/local.cf", "use_bayes 0\n" .
	    "skip_rbl_checks 1\ndns_available no\nuse_learner 0\n" .
	    "bayes_auto_learn 0\n");
	$self->{spamd} = Gatehouse::Process->start(name => 'spamd',
	    argv => [ $SPAMD, '-L', '-x', '-4', '-m', $workers,
		"--min-children=$workers", '--syslog=stderr',
		'-u', $user,
		"--siteconfigpath=$dir/site",
		'--configpath=/usr/share/spamassassin',
		"--listen=127.0.0.1:$self->{spamd_port}",
		"--listen=$socket", '--socketmode=0666',
		"--pidfile=$dir/pid" ],
	    env => { HOME => "$dir/home" }, log => "$dir/err");
	return _up($self->{spamd}, $socket, $self->{spamd_port});
}

1;
