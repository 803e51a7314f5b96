# Smtp - an SMTP client that does what a test says, right or wrong
#
#	my $c = Gatehouse::Smtp->new(port => 2525, helo => 'client.test',
#	    xclient => { ADDR => '192.0.2.1', NAME => 'a.test' });
#	$c->send(from => 'a@b.test', rcpt => [ 'c@d.test' ], message => $text)
#		the answer that decided: the first refusal that ends the
#		transaction, or that of the last dot
#	$c->command('NOOP')		one line, its answer
#	$c->write($bytes); $c->answer	as raw as it gets
#
# Answers are joined to one string, lines by "\n"; a connection that ends
# gives "closed", silence longer than `timeout` gives "silence". Every
# transaction leaves { stage => answer } in $c->replies.
#
# send takes: pipelining => 1 (envelope in one write), raw => 1 (the bytes
# after DATA exactly so, last dot and all), mail_args, rcpt_args.
package Gatehouse::Smtp;

use strict;
use warnings;

use Carp qw(croak);
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

sub new {
	my ($class, %a) = @_;
	my $self = bless { host => '127.0.0.1', helo => 'client.test',
	    timeout => 30, in => '', replies => {}, %a }, $class;

	$self->{socket} = IO::Socket::INET->new(PeerAddr => $self->{host},
	    PeerPort => $self->{port}, Timeout => 5)
	    or croak "connect to $self->{host}:$self->{port}: $@";
	binmode $self->{socket};
	$self->{banner} = $self->answer;
	$self->hello unless $a{silent};
	return $self;
}

# EHLO, and XCLIENT with another EHLO when there is one to be.
sub hello {
	my ($self) = @_;
	my $x = $self->{xclient};

	$self->{ehlo} = $self->command("EHLO $self->{helo}");
	return $self->{ehlo} unless $x && %$x;
	my %as = %$x;
	$as{ADDR} = "IPV6:$as{ADDR}" if ($as{ADDR} // '') =~ /:/ &&
	    $as{ADDR} !~ /^IPV6:/i;
	my $got = $self->command(join ' ', 'XCLIENT',
	    map { "$_=$as{$_}" } sort keys %as);
	return $self->{ehlo} = $got unless $got =~ /^220/;
	return $self->{ehlo} = $self->command("EHLO $self->{helo}");
}

sub banner { $_[0]{banner} }
sub ehlo { $_[0]{ehlo} }
sub replies { $_[0]{replies} }

sub write {
	my ($self, $bytes) = @_;
	my $done = 0;

	local $SIG{PIPE} = 'IGNORE';
	while ($done < length $bytes) {
		my $put = syswrite $self->{socket}, $bytes, length($bytes) -
		    $done, $done;
		return 0 unless defined $put;
		$done += $put;
	}
	return 1;
}

sub _line {
	my ($self, $end) = @_;

	until ($self->{in} =~ /\n/) {
		my $left = $end - time;
		return 'silence' if $left <= 0 ||
		    !IO::Select->new($self->{socket})->can_read($left);
		return 'closed' unless sysread $self->{socket}, $self->{in},
		    65536, length $self->{in};
	}
	$self->{in} =~ s/^(.*?)\r?\n//s;
	return $1;
}

sub answer {
	my ($self, $seconds) = @_;
	my $end = time + ($seconds // $self->{timeout});
	my @lines;

	do {
		push @lines, $self->_line($end);
	} while $lines[-1] =~ /^\d{3}-/;
	return join "\n", @lines;
}

sub command {
	my ($self, $line) = @_;

	$self->write("$line\r\n");
	return $self->answer;
}

# LF to CRLF, dots stuffed, the last dot put behind.
sub wire {
	my ($class, $message) = @_;

	$message =~ s/\r?\n/\r\n/g;
	$message .= "\r\n" unless $message =~ /\r\n\z/ || $message eq '';
	$message =~ s/^\./../mg;
	return "$message.\r\n";
}

sub send {
	my ($self, %m) = @_;
	my @rcpt = ref $m{rcpt} ? @{ $m{rcpt} } : ($m{rcpt} // ());
	my @args = map { length $_ ? " $_" : '' } $m{mail_args} // '',
	    $m{rcpt_args} // '';
	my @lines = ("MAIL FROM:<$m{from}>$args[0]",
	    (map { "RCPT TO:<$_>$args[1]" } @rcpt), 'DATA');

	return $self->_envelope($m{pipelining}, \@lines) //
	    $self->_data($m{raw} ? $m{message} : $self->wire($m{message}));
}

# Undef when DATA got its 354; else the answer that ended it.
sub _envelope {
	my ($self, $pipelining, $lines) = @_;
	my (@refused, $taken, $got);

	$self->{replies} = {};
	$self->write(join '', map { "$_\r\n" } @$lines) if $pipelining;
	for my $line (@$lines) {
		my ($stage) = $line =~ /^(\w+)/;
		next if $stage eq 'DATA' && !$taken && !$pipelining;
		$got = $pipelining ? $self->answer : $self->command($line);
		push @{ $self->{replies}{lc $stage} }, $got;
		return $got if $got =~ /^(closed|silence|421)/;
		return $got if $stage eq 'MAIL' && $got !~ /^250/ &&
		    !$pipelining;
		push @refused, $got if $got !~ /^[23]5/;
		$taken = 1 if $stage eq 'RCPT' && $got =~ /^250/;
	}
	return undef if $got =~ /^354/;
	return $refused[0] // $got;
}

sub _data {
	my ($self, $wire) = @_;

	$self->write($wire);
	my $got = $self->answer($self->{timeout} + 300);
	push @{ $self->{replies}{end} }, $got;
	return $got;
}

sub reset { $_[0]->command('RSET') }

sub quit {
	my ($self) = @_;
	my $got = $self->command('QUIT');

	$self->close;
	return $got;
}

# Without a word; with `reset` as a TCP reset.
sub close {
	my ($self, $how) = @_;

	setsockopt $self->{socket}, Socket::SOL_SOCKET(), Socket::SO_LINGER(),
	    pack 'ii', 1, 0 if ($how // '') eq 'reset';
	close $self->{socket};
	return $self;
}

1;
