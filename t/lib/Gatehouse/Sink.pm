# Sink - where the mail of a test arrives (t/smtp-sink.c)
#
#	my $sink = Gatehouse::Sink->new(dir => DIR);
#	$sink->port; $sink->rules('rcpt full@example.org 452 4.2.2 full');
#	$sink->count;			messages so far
#	my $mail = $sink->next(10);	the next one, or undef after 10 s
#	$mail->{mail} '<a@b> SIZE=5', $mail->{rcpt} [ '<c@d>' ],
#	$mail->{helo}, $mail->{client}, $mail->{bytes}
package Gatehouse::Sink;

use strict;
use warnings;

use Carp qw(croak);
use File::Temp qw(tempdir);
use Time::HiRes qw(sleep time);

use Gatehouse::Process;

sub new {
	my ($class, %a) = @_;
	my $self = bless { seen => 0, %a }, $class;
	my $build = $ENV{GATEHOUSE_BUILD} // '.';

	$self->{dir} //= tempdir(CLEANUP => 1);
	mkdir $self->{dir};
	$self->{process} = Gatehouse::Process->start(name => 'smtp-sink',
	    argv => [ "$build/t/smtp-sink", '--store', $self->{dir},
	    '--rules', "$self->{dir}/rules",
	    $a{port} ? ('--port', $a{port}) : (),
	    $a{discard} ? '--discard' : () ],
	    log => "$self->{dir}/log", say => 1);
	($self->{port}) = $self->{process}->said =~ /^port (\d+)$/
	    or croak 'smtp-sink: ' . $self->{process}->said;
	return $self;
}

sub port { $_[0]{port} }
sub dir { $_[0]{dir} }
sub process { $_[0]{process} }

# Lines of its rules; they hold for connections made from now on.
sub rules {
	my ($self, @lines) = @_;

	open my $f, '>', "$self->{dir}/rules.new" or croak "rules: $!";
	print $f "$_\n" for @lines;
	close $f or croak "rules: $!";
	rename "$self->{dir}/rules.new", "$self->{dir}/rules";
	return $self;
}

sub _path { sprintf '%s/%08d.msg', $_[0]{dir}, $_[1] }

sub count {
	my ($self) = @_;
	my @files = glob "$self->{dir}/*.msg";

	return scalar @files;
}

sub wait_count {
	my ($self, $want, $seconds) = @_;
	my $end = time + ($seconds // 20);

	sleep 0.02 while $self->count < $want && time < $end;
	return $self->count;
}

sub next {
	my ($self, $seconds) = @_;
	my $path = $self->_path($self->{seen} + 1);
	my $end = time + ($seconds // 20);

	until (-e $path) {
		return undef if time > $end;
		sleep 0.01;
	}
	$self->{seen}++;
	return $self->read($path);
}

# All that came and next() did not give yet, without waiting.
sub rest {
	my ($self) = @_;
	my @rest;

	push @rest, $self->next(0) while -e $self->_path($self->{seen} + 1);
	return @rest;
}

sub read {
	my ($self, $path) = @_;

	open my $f, '<:raw', $path or croak "$path: $!";
	local $/;
	my ($head, $bytes) = split /\n\n/, <$f>, 2;
	my %mail = (rcpt => [], bytes => $bytes);
	for (split /\n/, $head) {
		my ($what, $value) = split / /, $_, 2;
		if ($what eq 'rcpt') { push @{ $mail{rcpt} }, $value }
		else { $mail{$what} = $value }
	}
	return \%mail;
}

sub stop { $_[0]{process}->stop }

1;
