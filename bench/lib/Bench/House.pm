# House - a private Postfix with the daemons of one chain
#
#	my $house = Bench::House->new(chain => $chain, relay => $port,
#	    var => { build => DIR, src => DIR, dns => ADDRESS:PORT,
#	    dns_ip => ADDRESS }, main => { ... })->start;
#	$house->postfix		a Gatehouse::Postfix
#	$house->daemons		[ { name, process }, ... ]
#	$house->events		what our daemons wrote to their journals so far
#	$house->trouble		lines of its logs that should not be there
#	$house->stop
#
# With `postfix => 0' only the daemons are started. $house->socket(NAME) is
# where one of them listens, $house->pid(NAME) its process.
package Bench::House;

use strict;
use warnings;

use File::Path qw(make_path);
use Time::HiRes qw(sleep time);

use JSON::PP ();

use Bench::Chain;
use Gatehouse::Postfix;
use Gatehouse::Process;

# A daemon that reads /etc/resolv.conf gets one of its own to see.
my $RESOLV = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';

sub new {
	my ($class, %a) = @_;
	my $self = bless { main => {}, started => [], %a }, $class;
	my $chain = $self->{chain};
	my @milters;

	$self->{wants_postfix} = delete $self->{postfix} // 1;

	$self->{postfix} = Gatehouse::Postfix->new(relay => $a{relay} // 0);
	$self->{dir} = $self->{postfix}->dir . '/bench';
	make_path($self->{dir});
	$self->{var} = { %{ $a{var} }, dir => $self->{dir} };
	for my $d (grep { !$_->{helper} } @{ $chain->{daemons} }) {
		my ($path, $name) = $self->{postfix}->socket_for($d->{name});
		$self->{sockets}{ $d->{name} } = $path;
		$self->{var}{"socket{$d->{name}}"} = $path;
		push @milters, $name;
	}
	$self->{postfix}{milters} = \@milters;
	$self->{postfix}{main} = { milter_default_action => 'tempfail',
	    %{ $chain->{main} }, %{ $self->{main} } };
	return $self;
}

sub postfix { $_[0]{postfix} }
sub daemons { $_[0]{started} }
sub socket { $_[0]{sockets}{ $_[1] } }

sub pid {
	my ($self, $name) = @_;
	my ($d) = grep { $_->{name} eq $name } @{ $self->{started} };

	return $d->{process}->pid;
}

sub start {
	my ($self) = @_;

	$self->_write_files;
	$self->_run($_) for @{ $self->{chain}{first} };
	for my $helper (1, 0) {
		my @now = grep { ($_->{helper} // 0) == $helper }
		    @{ $self->{chain}{daemons} };

		$self->_start_daemon($_) for @now;
		$self->_wait_socket($_) for @{ $self->{started} };
	}
	$self->{postfix}->start if $self->{wants_postfix};
	return $self;
}

sub _run {
	my ($self, $command) = @_;
	my @argv = map { Bench::Chain::expand($_, %{ $self->{var} }) }
	    @$command;

	system(@argv) == 0 or die "@argv: exit status $?\n";
}

sub _write_files {
	my ($self) = @_;

	for my $file (@{ $self->{chain}{files} }) {
		_write("$self->{dir}/$file->{name}",
		    Bench::Chain::expand($file->{text}, %{ $self->{var} }));
	}
	_write("$self->{dir}/resolv.conf",
	    "nameserver $self->{var}{dns_ip}\n") if $self->{chain}{resolv};
}

sub _write {
	my ($path, $text) = @_;

	open my $f, '>', $path or die "$path: $!\n";
	print $f $text;
	close $f or die "$path: $!\n";
}

# gatehouse.conf for one daemon of ours; each has a state folder of its own,
# since the same filter may stand in a chain several times.
sub _house_file {
	my ($self, $name) = @_;
	my $path = "$self->{dir}/$name.house";
	my $state = "$self->{dir}/$name.state";
	my $queue = $self->{postfix}->queue_directory;

	make_path($state, map { s/\d+\z//r } "$state/$name");
	_write($path, <<"END");
hostname = "mx.gatehouse.test";
domains = [ "bench.test" ];
syslog = "$self->{dir}/$name.syslog";
queue_directory = "$queue";
state_directory = "$state";
peers = [ "root", "postfix" ];
resolver = "$self->{var}{dns}";
@{[ $self->{chain}{outbound} ? 'networks = [ "0.0.0.0/0", "::/0" ];' : '' ]}
END
	return $path;
}

sub _start_daemon {
	my ($self, $d) = @_;
	my @argv = map { Bench::Chain::expand($_, %{ $self->{var} },
	    house => $self->_house_file($d->{name}),
	    socket => $self->{sockets}{ $d->{name} }) } @{ $d->{command} };

	@argv = ('unshare', '-m', 'sh', '-c', $RESOLV,
	    "$self->{dir}/resolv.conf", @argv) if $self->{chain}{resolv};
	my $log = "$self->{dir}/$d->{name}.log";
	push @{ $self->{started} }, { name => $d->{name}, log => $log,
	    process => Gatehouse::Process->start(name => $d->{name},
	    argv => \@argv, log => $log) };
}

# It is there, and Postfix's group may connect.
sub _wait_socket {
	my ($self, $d) = @_;
	my $path = $self->{sockets}{ $d->{name} } //
	    "$self->{dir}/$d->{name}.sock";
	my $end = time + 60;

	until (-S $path) {
		die "$d->{name} did not start: " . _text($d->{log}) . "\n"
		    if time > $end || !$d->{process}->running;
		sleep 0.02;
	}
	return $d unless $self->{sockets}{ $d->{name} };
	chown -1, (getgrnam 'postfix')[2], $path;
	chmod 0660, $path;
	return $d;
}

sub _text {
	my ($path) = @_;

	open my $f, '<', $path or return '';
	local $/;
	return <$f> // '';
}

# Messages that were answered; as many are there, whatever the order.
sub events {
	my ($self) = @_;

	return map { JSON::PP::decode_json($_) }
	    grep { /"event\.action":"message"/ }
	    map { split /\n/, _text($_) }
	    map { sort glob "$self->{dir}/$_->{name}.state/*/journal*" }
	    @{ $self->{started} };
}

# What a virtual machine's clock does is nobody's fault here.
my $CLOCK = qr/file system clock is|resetting file time stamps/;

sub trouble {
	my ($self) = @_;
	my @lines = $self->{wants_postfix} ? grep { !/$CLOCK/ }
	    $self->{postfix}->log->lines(qr/(warning|error|fatal|panic): /) :
	    ();

	for my $d (@{ $self->{started} }) {
		my $said = _text($d->{log}) .
		    _text("$self->{dir}/$d->{name}.syslog");
		push @lines, grep { /Sanitizer|(error|fatal|panic): / }
		    split /\n/, $said;
		push @lines, "$d->{name} ended" unless $d->{process}->running;
	}
	return @lines;
}

sub stop {
	my ($self) = @_;

	$self->{postfix}->stop if $self->{wants_postfix};
	$_->{process}->stop for @{ $self->{started} };
	return $self;
}

1;
