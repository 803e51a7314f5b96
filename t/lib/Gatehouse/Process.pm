# Process - a child of a test: started, watched, ended by its own id
#
#	my $p = Gatehouse::Process->start(argv => [...], log => FILE,
#	    say => 1, env => { NAME => value }, name => 'sink');
#
# Standard output and error go to the log file. With `say` the first line of
# standard output is waited for instead ($p->said). Whatever a test forgets is
# ended when it leaves, also when it leaves by die or by a signal.
package Gatehouse::Process;

use strict;
use warnings;

use Carp qw(croak);
use IO::Select;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

my %running;			# id => process
my $mother = $$;

$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP PIPE);

sub start {
	my ($class, %a) = @_;
	my $self = bless { grace => 10, %a }, $class;
	my ($from, $to);

	$self->{name} //= $a{argv}[0];
	pipe($from, $to) or croak "pipe: $!" if $a{say};
	my $pid = fork() // croak "fork: $!";
	$self->_child($to) if $pid == 0;
	$self->{pid} = $pid;
	$running{$pid} = $self;
	if ($a{say}) {
		close $to;
		$self->{said} = $self->_first_line($from);
		$self->{pipe} = $from;	# stays open: no SIGPIPE for the child
	}
	return $self;
}

# The same for a piece of Perl; it ends when the sub does.
sub start_sub {
	my ($class, $sub, %a) = @_;
	my $self = bless { grace => 10, %a }, $class;
	my $pid = fork() // croak "fork: $!";

	if ($pid == 0) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
		eval { $sub->(); 1 } or print STDERR $@;
		POSIX::_exit(0);
	}
	$self->{pid} = $pid;
	return $running{$pid} = $self;
}

sub _child {
	my ($self, $to) = @_;

	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
	open STDIN, '<', '/dev/null';
	open STDERR, '>>', $self->{log} // '/dev/null';
	if ($to) { open STDOUT, '>&', $to } else { open STDOUT, '>&', \*STDERR }
	$ENV{$_} = $self->{env}{$_} for keys %{ $self->{env} // {} };
	my @argv = @{ $self->{argv} };
	no warnings 'exec';
	exec { $argv[0] } @argv;
	print STDERR "$argv[0]: $!\n";
	POSIX::_exit(127);
}

sub _first_line {
	my ($self, $from) = @_;
	my $end = time + 20;
	my $line = '';

	while ($line !~ /\n/ && time < $end) {
		next unless IO::Select->new($from)->can_read(0.2);
		last unless sysread $from, $line, 4096, length $line;
	}
	croak "$self->{name} said nothing" . $self->_logged
	    unless $line =~ s/\n.*//s;
	return $line;
}

sub _logged {
	my ($self) = @_;

	return '' unless $self->{log} && open my $f, '<', $self->{log};
	local $/;
	return ': ' . (<$f> // '');
}

sub pid { $_[0]{pid} }
sub said { $_[0]{said} }

sub running {
	my ($self) = @_;

	return 0 if defined $self->{status};
	my $got = waitpid $self->{pid}, WNOHANG;
	return 1 if $got == 0;
	$self->_ended($got > 0 ? $? : -1);
	return 0;
}

# The wait status: 0, exit status << 8, or a signal.
sub status { $_[0]{status} }

sub _ended {
	my ($self, $status) = @_;

	$self->{status} = $status;
	delete $running{ $self->{pid} };
}

sub signal {
	my ($self, $signal) = @_;

	kill $signal, $self->{pid} if $self->running;
	return $self;
}

# Waits; the status, or undef when it still runs.
sub wait {
	my ($self, $seconds) = @_;
	my $end = time + ($seconds // $self->{grace});

	while ($self->running) {
		return undef if time > $end;
		sleep 0.01;
	}
	return $self->{status};
}

# Asks it to end; insists after its grace. The wait status.
sub stop {
	my ($self) = @_;

	return $self->{status} unless $self->running;
	kill 'CONT', $self->{pid};
	kill 'TERM', $self->{pid};
	return $self->{status} if defined $self->wait;
	$self->{insisted} = 1;
	kill 'KILL', $self->{pid};
	return $self->wait;
}

sub kill_now {
	my ($self) = @_;

	$self->signal('KILL')->wait;
	return $self;
}

END {
	if ($$ == $mother) {
		local $?;
		# A list of its own: each that ends leaves the hash.
		my @left = values %running;
		$_->stop for @left;
	}
}

1;
