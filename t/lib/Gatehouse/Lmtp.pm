# Lmtp - what Postfix's lmtp(8) does, right or wrong
#
#	my $c = Gatehouse::Lmtp->new(path => SOCKET);
#	my @answers = $c->deliver(from => 'a@b', rcpt => [ ... ],
#	    queue_id => '4Zx...', message => $text);
#
# deliver gives one answer for each recipient; those that do not come are
# "closed" or "silence". It takes mail_args, rcpt_args, xforward, and
# answers => 0: it leaves after the dot without waiting. Everything else is
# Gatehouse::Smtp's.
package Gatehouse::Lmtp;

use strict;
use warnings;

use Carp qw(croak);
use IO::Socket::UNIX;

use parent 'Gatehouse::Smtp';

sub new {
	my ($class, %a) = @_;
	my $self = bless { timeout => 30, in => '', replies => {}, %a }, $class;

	$self->{socket} = IO::Socket::UNIX->new(Peer => $self->{path})
	    or croak "connect to $self->{path}: $!";
	binmode $self->{socket};
	return $self if $a{silent};
	$self->{banner} = $self->answer;
	$self->{ehlo} = $self->command('LHLO mx.gatehouse.test');
	return $self;
}

sub deliver {
	my ($self, %m) = @_;
	my @rcpt = ref $m{rcpt} ? @{ $m{rcpt} } : $m{rcpt};
	my @args = map { length $_ ? " $_" : '' } $m{mail_args} // '',
	    $m{rcpt_args} // '';
	my @lines = ($m{queue_id} ? "XFORWARD IDENT=$m{queue_id}" : (),
	    $m{xforward} ? "XFORWARD $m{xforward}" : (),
	    "MAIL FROM:<$m{from}>$args[0]",
	    (map { "RCPT TO:<$_>$args[1]" } @rcpt), 'DATA');
	my $got;

	$self->write(join '', map { "$_\r\n" } @lines);
	$got = $self->answer for @lines;
	return $got unless $got =~ /^354/;
	$self->write($self->wire($m{message}));
	return if exists $m{answers} && !$m{answers};
	return map { $self->answer } @rcpt;
}

1;
