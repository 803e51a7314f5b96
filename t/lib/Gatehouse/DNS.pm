# A scripted DNS server for one test.
#
#   my $dns = Gatehouse::DNS->start(zone => <<'END', latency => 20);
#   example.org	TXT	"v=spf1 -all"
#   broken.test	*	SERVFAIL
#   END
#   $dns->port, $dns->resolver		1053, "127.0.0.1:1053"
#   $dns->asked('example.org', 'TXT')	how often that was asked; without a
#					type or a name: of all types, of all
#   $dns->zone($text)			another zone; returns when it is in use
#   $dns->forget			counts from here on
#   $dns->log				lines of the log, since forget
#   $dns->stop
#
# The zone's lines are described in Gatehouse/DNS/Zone.pm. Other arguments of
# start: address, port, latency (ms of each answer), ad (answers claim to be
# validated). The server is ended by
# its process id when the object goes, and ends by itself when the test died.
package Gatehouse::DNS;

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp;
use Time::HiRes qw(sleep time);

my $SERVER = dirname(__FILE__) . '/../dns-server';

sub start {
	my ($class, %arg) = @_;
	my $dir = File::Temp->newdir('gatehouse-dns-XXXXXX', TMPDIR => 1);
	my $self = bless { dir => $dir, owner => $$, seen => 0,
	    address => $arg{address} // '127.0.0.1' }, $class;
	my @command = ($^X, $SERVER, '--address', $self->{address},
	    '--port', $arg{port} // 0, '--latency', $arg{latency} // 0,
	    $arg{ad} ? '--ad' : (), '--log', "$dir/log", '--parent', $$, "$dir/zone");

	$self->_write($arg{zone} // '');
	defined($self->{pid} = open my $out, '-|', @command)
	    or die "dns-server: $!\n";
	$self->{out} = $out;
	$self->{port} = <$out> // die "dns-server did not start\n";
	chomp $self->{port};
	return $self;
}

sub port { return $_[0]{port} }
sub pid { return $_[0]{pid} }

sub resolver {
	my ($self) = @_;
	my $address = $self->{address};
	return ($address =~ /:/ ? "[$address]" : $address) . ":$self->{port}";
}

sub _write {
	my ($self, $text) = @_;
	open my $zone, '>:raw', "$self->{dir}/zone.new" or die "zone: $!\n";
	print $zone $text;
	close $zone or die "zone: $!\n";
	rename "$self->{dir}/zone.new", "$self->{dir}/zone"
	    or die "zone: $!\n";
}

sub zone {
	my ($self, $text) = @_;
	my $before = grep { / reload / } $self->_lines;

	$self->_write($text);
	kill 'HUP', $self->{pid};
	for (1 .. 500) {
		my @reloads = grep { / reload / } $self->_lines;
		if (@reloads > $before) {
			die "zone not taken\n" if $reloads[-1] =~ /failed/;
			return;
		}
		sleep 0.01;
	}
	die "dns-server did not read its zone again\n";
}

sub _lines {
	my ($self) = @_;
	open my $log, '<', "$self->{dir}/log" or die "log: $!\n";
	my @lines = <$log>;
	chomp @lines;
	return @lines;
}

sub log {
	my ($self) = @_;
	my @lines = $self->_lines;
	return @lines[$self->{seen} .. $#lines];
}

sub forget {
	my ($self) = @_;
	$self->{seen} = () = $self->_lines;
	return;
}

sub asked {
	my ($self, $name, $type) = @_;
	my $n = 0;

	for ($self->log) {
		my (undef, $over, $asked, $of, $arrow) = split ' ';
		next if ($arrow // '') ne '->';
		next if defined $name && $asked ne lc $name;
		next if defined $type && $of ne $type;
		$n++;
	}
	return $n;
}

sub stop {
	my ($self) = @_;
	my $pid = delete $self->{pid} // return;

	return if $self->{owner} != $$;
	local ($?, $!);
	kill 'TERM', $pid;
	close delete $self->{out};	# waits for it
}

sub DESTROY { $_[0]->stop }

1;
