# Log - a log file that grows while a test reads it
#
#	my $log = Gatehouse::Log->new($path);
#	$log->new_lines;		what came since the last call
#	$log->lines(qr/.../);		all so far, or those that match
#	$log->wait_for(qr/.../, 5);	the first that matches, or undef; looks
#					at all that is there, then waits
#	$log->mark; $log->since_mark	what came after a moment
package Gatehouse::Log;

use strict;
use warnings;

use Time::HiRes qw(sleep time);

sub new {
	my ($class, $path) = @_;

	return bless { path => $path, at => 0, mark => 0 }, $class;
}

sub path { $_[0]{path} }

# Whole lines from that offset, and where they end.
sub _read {
	my ($self, $at) = @_;

	open my $f, '<:raw', $self->{path} or return ([], $at);
	seek $f, $at, 0;
	local $/;
	my $text = <$f> // '';
	$text = substr $text, 0, rindex($text, "\n") + 1;
	return ([ split /\n/, $text ], $at + length $text);
}

sub new_lines {
	my ($self) = @_;

	(my $lines, $self->{at}) = $self->_read($self->{at});
	return @$lines;
}

sub lines {
	my ($self, $want) = @_;
	my ($lines) = $self->_read(0);

	return defined $want ? grep { $_ =~ $want } @$lines : @$lines;
}

sub mark {
	my ($self) = @_;

	$self->{mark} = -s $self->{path} // 0;
	return $self;
}

sub since_mark {
	my ($self, $want) = @_;
	my ($lines) = $self->_read($self->{mark});

	return defined $want ? grep { $_ =~ $want } @$lines : @$lines;
}

sub wait_for {
	my ($self, $want, $seconds) = @_;
	my $end = time + ($seconds // 10);

	while (1) {
		my @hits = $self->since_mark($want);
		return $hits[0] if @hits;
		return undef if time > $end;
		sleep 0.02;
	}
}

1;
