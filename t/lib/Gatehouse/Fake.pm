# Fake - a milter that misbehaves on demand, to test the harness itself
#
#	my $fake = Gatehouse::Fake->new($socket_path, protocol => $flags,
#	    on => { M => sub { my ($conn, $data) = @_; ... } });
#	$fake->stop;
#
# Commands without a sub get a continue (M R T H C N L U E; B too), or nothing
# where `protocol` says so. A sub returns the packets to answer with, made by
# Gatehouse::Milter::frame; the empty string for silence. $conn is a hash of
# its own for each connection; $conn->{socket} may be closed.
package Gatehouse::Fake;

use strict;
use warnings;

use Carp qw(croak);
use IO::Socket::UNIX;
use POSIX ();

use Gatehouse::Milter;
use Gatehouse::Process;

*frame = \&Gatehouse::Milter::frame;

sub new {
	my ($class, $path, %a) = @_;
	my ($self, $listener) = $class->_listen($path, %a);

	$self->{process} = Gatehouse::Process->start_sub(
	    sub { $self->_serve($listener) }, name => 'fake milter');
	return $self;
}

# The same in this process; does not return.
sub serve {
	my ($class, $path, %a) = @_;
	my ($self, $listener) = $class->_listen($path, %a);

	$self->_serve($listener);
}

sub _listen {
	my ($class, $path, %a) = @_;
	my $self = bless { on => {}, actions => 0x1ff, protocol => 0, %a },
	    $class;

	unlink $path;
	my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 128)
	    or croak "$path: $!";
	chmod 0666, $path;
	return ($self, $listener);
}

sub process { $_[0]{process} }
sub stop { $_[0]{process}->stop }

sub _serve {
	my ($self, $listener) = @_;

	$SIG{CHLD} = 'IGNORE';
	while (1) {
		my $socket = $listener->accept or next;
		my $pid = fork() // next;
		if ($pid == 0) {
			close $listener;
			$self->_session($socket);
			POSIX::_exit(0);
		}
		close $socket;
	}
}

sub _session {
	my ($self, $socket) = @_;
	my $conn = { socket => $socket };

	while (1) {
		my ($head, $packet) = ('', '');
		_read($socket, 4, \$head) or return;
		_read($socket, unpack('N', $head), \$packet) or return;
		my ($command, $data) = unpack 'a1 a*', $packet;
		return if $command eq 'Q';
		my $answer = $self->_answer($conn, $command, $data);
		syswrite $socket, $answer if length $answer;
	}
}

sub _read {
	my ($socket, $len, $into) = @_;

	while (length $$into < $len) {
		return 0 unless sysread $socket, $$into,
		    $len - length $$into, length $$into;
	}
	return 1;
}

sub _answer {
	my ($self, $conn, $command, $data) = @_;

	return frame('O', pack 'NNN', 6, @$self{qw(actions protocol)})
	    if $command eq 'O';
	return $self->{on}{$command}->($conn, $data) if $self->{on}{$command};
	return '' if $command =~ /[DA]/;
	return '' if $self->{protocol} &
	    (Gatehouse::Milter->no_reply($command) // 0);
	return frame('c');
}

1;
