# Scanners - a clamd and a c-icap of the test's own
#
#	my $s = Gatehouse::Scanners->new(dir => $dir, db => $folder);
#	$s->clamd(StreamMaxLength => '1M');	# starts it; more lines of its
#						# configuration; 0: no package
#	$s->socket, $s->port			# where it listens
#	$s->icap				# a c-icap before that clamd
#	$s->icap(tls => [ $cert, $key ])	# and one port with TLS as well
#	$s->{clamd}->stop			# each is a Gatehouse::Process
#
# Signatures are files of ClamAV in `db`. Nothing of the machine's own scanners
# is read or touched.
package Gatehouse::Scanners;

use strict;
use warnings;

use Carp qw(croak);
use IO::Socket::INET;
use IO::Socket::UNIX;
use Time::HiRes qw(sleep time);

use Gatehouse::Process;

my $CLAMD = '/usr/sbin/clamd';
my $ICAP = '/usr/bin/c-icap';

sub new {
	my ($class, %a) = @_;

	return bless { %a }, $class;
}

# Of the kernel; another may take it before it is used, so starts are tried
# again.
sub free_port {
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
	my ($process, $try) = @_;
	my $end = time + 60;

	while (time < $end && $process->running) {
		return 1 if $try->();
		sleep 0.02;
	}
	return 0;
}

sub has_clamd { -x $CLAMD }
sub has_icap { -x $ICAP && -e _modules() . '/virus_scan.so' }

sub socket { "$_[0]{dir}/clamd.sock" }
sub port { $_[0]{port} }

# Again at the same place when it was stopped.
sub clamd {
	my ($self, %more) = @_;

	return 0 unless has_clamd();
	$self->{more} = { %more } if %more;
	for my $n (1 .. 3) {
		$self->{port} = free_port() if $n > 1 || !$self->{port};
		return $self if $self->_start_clamd;
	}
	croak "clamd does not start; see $self->{dir}/clamd.log";
}

sub _start_clamd {
	my ($self) = @_;
	my $socket = $self->socket;
	my %conf = (LocalSocket => $socket, LocalSocketMode => 666,
	    TCPSocket => $self->{port}, TCPAddr => '127.0.0.1',
	    DatabaseDirectory => $self->{db}, Foreground => 'yes',
	    LogFile => "$self->{dir}/clamd.log", LogFileMaxSize => 0,
	    SelfCheck => 0, MaxThreads => 4, MaxConnectionQueueLength => 15,
	    TemporaryDirectory => $self->{dir}, FixStaleSocket => 'yes',
	    %{ $self->{more} // {} });

	unlink $socket;
	_put("$self->{dir}/clamd.conf", join '', map { "$_ $conf{$_}\n" }
	    sort keys %conf);
	$self->{clamd} = Gatehouse::Process->start(name => 'clamd',
	    argv => [ $CLAMD, '-c', "$self->{dir}/clamd.conf" ],
	    log => "$self->{dir}/clamd.err");
	return _up($self->{clamd}, sub {
	    IO::Socket::UNIX->new(Peer => $socket) &&
	    IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}") });
}

sub _modules {
	my ($path) = glob '/usr/lib/*/c_icap';

	return $path // '/usr/lib/c_icap';
}

# c-icap before clamd. Its service is virus_scan.
sub icap {
	my ($self, %a) = @_;

	return 0 unless has_icap();
	$self->{tls} = $a{tls};
	for (1 .. 3) {
		$self->{tls_port} = free_port();
		$self->{icap_port} = free_port();
		return $self if $self->_start_icap;
	}
	croak "c-icap does not start; see $self->{dir}/icap.log";
}

sub icap_at { "127.0.0.1:$_[0]{icap_port}/virus_scan" }
sub icaps_at { "127.0.0.1:$_[0]{tls_port}/virus_scan" }

sub _start_icap {
	my ($self) = @_;
	my $dir = $self->{dir};
	my $modules = _modules();
	my $tls = $self->{tls} ? "TlsPort 127.0.0.1:$self->{tls_port} " .
	    "cert=$self->{tls}[0] key=$self->{tls}[1]" : '';

	_put("$dir/icap.conf", <<"END");
PidFile $dir/icap.pid
CommandsSocket $dir/icap.ctl
Port 127.0.0.1:$self->{icap_port}
$tls
StartServers 1
MaxServers 2
MinSpareThreads 1
MaxSpareThreads 20
ThreadsPerChild 10
TmpDir $dir
ModulesDir $modules
ServicesDir $modules
TemplateDir /usr/share/c_icap/templates/
LoadMagicFile /etc/c-icap/c-icap.magic
ServerLog $dir/icap.log
AccessLog $dir/icap-access.log
DebugLevel 0
Service antivirus_module virus_scan.so
ServiceAlias virus_scan antivirus_module
virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GIF JPEG MSOFFICE
virus_scan.SendPercentData 0
virus_scan.MaxObjectSize 5M
virus_scan.DefaultEngine clamd
Module common clamd_mod.so
clamd_mod.ClamdSocket @{[ $self->socket ]}
END
	$self->{icap} = Gatehouse::Process->start(name => 'c-icap',
	    argv => [ $ICAP, '-N', '-f', "$dir/icap.conf" ],
	    log => "$dir/icap.err");
	my @ports = ($self->{icap_port}, $self->{tls} ? $self->{tls_port} : ());
	return _up($self->{icap}, sub { @ports == grep {
	    IO::Socket::INET->new(PeerAddr => "127.0.0.1:$_") } @ports });
}

1;
