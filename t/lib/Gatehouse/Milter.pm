# Milter - speaks the milter protocol to a daemon, as Postfix would
#
#	my $m = Gatehouse::Milter->new($socket_path);
#	my $r = $m->message(client => '192.0.2.1', name => 'a.test',
#	    helo => 'a.test', from => 'x@a.test', rcpt => [ 'y@b.test' ],
#	    message => $text);
#	$r->{reply}	accept, reject, tempfail, discard, or "550 5.7.1 text"
#	$r->{stage}	where it fell: connect, helo, mail, rcpt, data, header,
#			eoh, body, end
#	$r->{edits}	[ name, arguments ... ] in the order they came
#	$r->{message}	the bytes as Postfix would have them after the edits
#	$r->{rcpt}	recipients left, $r->{refused} { address => reply }
#	$r->{from}, $r->{quarantine}, $r->{ms} (of the end of message)
#	$r->{left}	pieces of the body that it did not want (skip)
#
# unknown => [ ... ] are recipients that Postfix refuses itself: shown, before
# the others, only to a daemon that asks for them (SMFIP_RCPT_REJ); with no
# other recipient the result is "continue" at rcpt.
#
# message() again on the same object is the next message of the session: no
# connect and helo, an abort before it, as Postfix sends after each message.
#
#	Gatehouse::Milter->burst($path, 500, sub { my $i = shift; %message })
#		that many sessions at once, one thread; a list of results
#
# For malformed packets: new($path, raw => 1), then send_raw, packet.
package Gatehouse::Milter;

use strict;
use warnings;

use Carp qw(croak);
use IO::Select;
use IO::Socket::UNIX;
use Time::HiRes qw(time);

# What a milter may turn off, by the command it concerns.
my %NO = (C => 0x1, H => 0x2, M => 0x4, R => 0x8, B => 0x10, L => 0x20,
    N => 0x40, U => 0x100, T => 0x200);
my %NO_REPLY = (C => 0x1000, H => 0x2000, M => 0x4000, R => 0x8000,
    T => 0x10000, U => 0x20000, N => 0x40000, B => 0x80000, L => 0x80);
use constant HDR_LEADSPC => 0x100000;
use constant RCPT_REJ => 0x800;

my %STAGE = (O => 'negotiate', C => 'connect', H => 'helo', M => 'mail',
    R => 'rcpt', T => 'data', L => 'header', N => 'eoh', B => 'body',
    E => 'end', A => 'abort', Q => 'quit');
my %REPLY = (c => 'continue', a => 'accept', r => 'reject', t => 'tempfail',
    d => 'discard', s => 'skip');
my %EDIT = ('h' => 'addheader', 'i' => 'insheader', 'm' => 'chgheader',
    'b' => 'replacebody', 'q' => 'quarantine', '+' => 'addrcpt',
    '2' => 'addrcpt', '-' => 'delrcpt', 'e' => 'chgfrom');

# Macros of Postfix 3.7 by stage, for a milter that asks for none.
my @DEFAULT_MACROS = ('j {daemon_name} {daemon_addr} v _',
    '{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}',
    'i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host}' .
    ' {mail_mailer}', 'i {rcpt_addr} {rcpt_host} {rcpt_mailer}', 'i', 'i', 'i');
my %MACRO_STAGE = (C => 0, H => 1, M => 2, R => 3, T => 4, E => 5, N => 6);

sub new {
	my ($class, $path, %a) = @_;
	my $self = bless { path => $path, timeout => 30, in => '', out => '',
	    actions => 0x1ff, protocol => 0x1fffff, sent => 0, %a }, $class;

	$self->{socket} = IO::Socket::UNIX->new(Peer => $path)
	    or croak "connect to $path: $!";
	binmode $self->{socket};
	return $self if $a{raw};
	$self->send_packet('O', pack 'NNN', 6, @$self{qw(actions protocol)});
	my ($type, $data) = $self->packet;
	croak 'negotiation: ' . ($type // 'closed') unless
	    defined $type && $type eq 'O';
	$self->_negotiated($data);
	return $self;
}

sub _negotiated {
	my ($self, $data) = @_;

	(@$self{qw(version actions protocol)}, my $lists) = unpack 'NNNa*',
	    $data;
	my @lists = @DEFAULT_MACROS;
	while (length $lists) {
		(my $stage, my $names, $lists) = unpack 'NZ*a*', $lists;
		$lists[$stage] = $names;
	}
	$self->{macros} = [ map { [ split ' ' ] } @lists ];
}

sub send_raw {
	my ($self, $bytes) = @_;
	my $done = 0;

	local $SIG{PIPE} = 'IGNORE';
	while ($done < length $bytes) {
		my $put = syswrite $self->{socket}, $bytes,
		    length($bytes) - $done, $done;
		return 0 unless defined $put;
		$done += $put;
	}
	return 1;
}

# The flag that says: no answer to this command.
sub no_reply { $NO_REPLY{ $_[1] } }

sub frame { pack 'N/a*', $_[0] . ($_[1] // '') }
sub send_packet { $_[0]->send_raw(frame(@_[1, 2])) }

# One packet (type, data); nothing when the daemon hung up or is silent too
# long ($m->{silent} tells which).
sub packet {
	my ($self, $seconds) = @_;
	my $end = time + ($seconds // $self->{timeout});

	while (1) {
		my @got = $self->_cut;
		return @got if @got;
		my $left = $end - time;
		$self->{silent} = 1, return if $left <= 0 ||
		    !IO::Select->new($self->{socket})->can_read($left);
		return unless sysread $self->{socket}, $self->{in}, 65536,
		    length $self->{in};
	}
}

sub _cut {
	my ($self) = @_;

	return unless length $self->{in} >= 4;
	my $len = unpack 'N', $self->{in};
	return unless length $self->{in} >= 4 + $len;
	my ($type, $data) = unpack 'x4 a1 a*', substr $self->{in}, 0, 4 + $len;
	substr($self->{in}, 0, 4 + $len) = '';
	return ($type, $data);
}

# --- one message as a list of packets ------------------------------------

# Header fields [ name, value ] (value as after the colon, folds as LF) and
# the body in CRLF.
sub split_message {
	my ($class, $text) = @_;

	$text =~ s/\r?\n/\r\n/g;
	my ($head, $body) = split /(?<=\r\n)\r\n|\A\r\n/, $text, 2;
	my @fields;
	for (split /\r\n(?![ \t])/, $head // '') {
		my ($name, $value) = /\A([^:]*):(.*)\z/s or next;
		push @fields, [ $name, $value =~ s/\r\n/\n/gr ];
	}
	return (\@fields, $body // '');
}

sub _macros {
	my ($self, $command, $m, %more) = @_;
	my $stage = $MACRO_STAGE{$command} // return '';
	my %is = (j => 'mx.gatehouse.test', '{daemon_name}' => 'smtpd',
	    '{daemon_addr}' => '127.0.0.1', v => 'Postfix 3.7.11',
	    '_' => "$m->{name} [$m->{client}]",
	    '{client_addr}' => $m->{client}, '{client_name}' => $m->{name},
	    '{client_port}' => 40000, '{client_ptr}' => $m->{name},
	    %more, %{ $m->{macros} // {} });
	my @known = map { $_, $is{$_} } grep { defined $is{$_} }
	    @{ $self->{macros}[$stage] };

	return frame('D', $command . join '', map { "$_\0" } @known);
}

sub _connect_data {
	my ($m) = @_;

	return "$m->{name}\0U" unless length $m->{client};
	return "$m->{name}\0" . ($m->{client} =~ /:/ ? '6' : '4') .
	    pack('n', 40000) . ($m->{client} =~ /:/ ? 'IPv6:' : '') .
	    "$m->{client}\0";
}

sub _field_data {
	my ($self, $field) = @_;
	my ($name, $value) = @$field;

	$value =~ s/\A // unless $self->{protocol} & HDR_LEADSPC;
	return "$name\0$value\0";
}

# Steps [ command, packets, about ]; about is the recipient of a RCPT. The
# queue id is not there before the second RCPT (MILTER_README, "i").
sub _steps {
	my ($self, $m) = @_;
	my @steps;
	my %id = (i => $m->{id});
	my $add = sub {
		my ($command, $data, $about, %macros) = @_;
		return if $self->{protocol} & ($NO{$command} // 0);
		push @steps, [ $command, $self->_macros($command, $m, %macros) .
		    frame($command, $data), $about ];
	};

	unless ($self->{sent}) {
		$add->('C', _connect_data($m));
		$add->('H', "$m->{helo}\0") if defined $m->{helo};
	}
	$add->('M', join('', map { "$_\0" } "<$m->{from}>",
	    @{ $m->{mail_args} // [] }), undef, '{mail_addr}' => $m->{from},
	    '{mail_mailer}' => 'smtp', '{mail_host}' => '');
	my $n = 0;
	for my $rcpt ($self->{protocol} & RCPT_REJ ?
	    @{ $m->{unknown} // [] } : ()) {
		$add->('R', "<$rcpt>\0", undef, '{rcpt_mailer}' => 'error',
		    '{rcpt_host}' => $m->{code} // '5.1.1',
		    '{rcpt_addr}' => 'User unknown in relay recipient table');
	}
	for my $rcpt (@{ $m->{rcpt} }) {
		$add->('R', "<$rcpt>\0", $rcpt, '{rcpt_addr}' => $rcpt,
		    '{rcpt_mailer}' => $m->{mailer}{$rcpt} // 'smtp', $n++ ? %id : ());
	}
	return \@steps if $m->{unknown} && !@{ $m->{rcpt} };
	$add->('T', '', undef, %id);
	$add->('L', $self->_field_data($_)) for @{ $m->{fields} };
	$add->('N', '', undef, %id);
	$add->('B', $_) for unpack '(a65535)*', $m->{body};
	$add->('E', '', undef, %id);
	return \@steps;
}

sub _fill {
	my (%m) = @_;

	%m = (client => '127.0.0.1', name => 'client.test',
	    helo => 'client.test', from => 'sender@client.test',
	    rcpt => [ 'rcpt@gatehouse.test' ], message => "\r\n",
	    id => sprintf('4%011X', int rand 2**40), %m);
	$m{rcpt} = [ $m{rcpt} ] unless ref $m{rcpt};
	@m{qw(fields body)} = __PACKAGE__->split_message($m{message});
	return \%m;
}

# --- the engine: any number of sessions ----------------------------------

sub _begin {
	my ($self, $m) = @_;

	$self->{m} = $m;
	$self->{steps} = $self->_steps($m);
	$self->{sent} = 1;
	$self->{at} = 0;
	$self->{result} = { edits => [], refused => {}, left => 0,
	    rcpt => [ @{ $m->{rcpt} } ], from => $m->{from} };
	$self->_feed;
}

# Puts out what may go out: up to the next step that gets an answer.
sub _feed {
	my ($self) = @_;

	while (my $step = $self->{steps}[$self->{at}]) {
		my ($command, $packets) = @$step;
		$self->{out} .= $packets;
		if ($command eq 'E') {
			$self->{out_end} = 1;
			return;
		}
		return unless $self->{protocol} & ($NO_REPLY{$command} // 0);
		$self->{at}++;
	}
	$self->_finish('continue', 'rcpt') if $self->{m}{unknown} &&
	    !@{ $self->{m}{rcpt} };
}

sub _finish {
	my ($self, $reply, $stage) = @_;
	my $r = $self->{result};

	@$r{qw(reply stage)} = ($reply, $stage);
	$r->{ms} = (time - $self->{end_sent}) * 1000 if $self->{end_sent};
	delete @$self{qw(out_end end_sent)};
	$self->{done} = 1;
}

# What one packet from the daemon means.
sub _take {
	my ($self, $type, $data) = @_;
	my $step = $self->{steps}[$self->{at}];
	my ($command, undef, $about) = @$step;
	my $stage = $STAGE{$command};

	if ($EDIT{$type}) {
		push @{ $self->{result}{edits} },
		    [ $EDIT{$type}, _arguments($type, $data) ];
		return;
	}
	return if $type eq 'p';
	my $reply = $type eq 'y' ? $data =~ s/\0\z//r : $REPLY{$type} //
	    "unknown reply $type";
	if ($reply eq 'continue' && $command eq 'E') {
		$self->_finish('accept', $stage);
	} elsif ($reply eq 'skip' && $command eq 'B') {
		$self->{at}++;
		while ($self->{steps}[$self->{at}][0] eq 'B') {
			$self->{at}++;
			$self->{result}{left}++;
		}
		$self->_feed;
	} elsif ($reply eq 'continue') {
		$self->{at}++;
		$self->_feed;
	} elsif ($command eq 'R' && !defined $about) {
		# Postfix has refused it, and that stands (PITFALLS.md, L19).
		$self->{at}++;
		$self->_feed;
	} elsif ($command eq 'R' && $reply !~ /^(accept|discard|unknown)/) {
		$self->_refused($about, $reply);
	} else {
		$self->_finish($reply, $stage);
	}
}

# A refused recipient; the transaction goes on with the others, if any.
sub _refused {
	my ($self, $rcpt, $reply) = @_;
	my $r = $self->{result};

	$r->{refused}{$rcpt} = $reply;
	$r->{rcpt} = [ grep { $_ ne $rcpt } @{ $r->{rcpt} } ];
	my $next = $self->{steps}[++$self->{at}];
	return $self->_finish($reply, 'rcpt') if !@{ $r->{rcpt} } &&
	    (!$next || $next->[0] ne 'R');
	$self->_feed;
}

sub _arguments {
	my ($type, $data) = @_;

	return $data if $type eq 'b';
	return unpack 'N Z* Z*', $data if $type =~ /[im]/;
	return map { s/\0\z//r } split /(?<=\0)/, $data;
}

# One turn of reading or writing; false when the connection is gone.
sub _turn {
	my ($self, $readable, $writable) = @_;

	if ($writable && length $self->{out}) {
		my $put = syswrite $self->{socket}, $self->{out};
		return 0 unless defined $put || $!{EAGAIN};
		substr($self->{out}, 0, $put // 0) = '';
		$self->{end_sent} = time if $self->{out_end} &&
		    !length $self->{out} && !$self->{end_sent};
	}
	return 1 unless $readable;
	my $got = sysread $self->{socket}, $self->{in}, 65536,
	    length $self->{in};
	return $!{EAGAIN} ? 1 : 0 unless $got;
	while (!$self->{done} and my @packet = $self->_cut) {
		$self->_take(@packet);
	}
	return 1;
}

sub _run {
	my ($timeout, @sessions) = @_;
	my $end = time + $timeout;
	my %by = map { fileno($_->{socket}) => $_ } @sessions;

	local $SIG{PIPE} = 'IGNORE';
	$_->{socket}->blocking(0) for @sessions;
	while (%by && time < $end) {
		my $reads = IO::Select->new(map { $_->{socket} } values %by);
		my $writes = IO::Select->new(map { $_->{socket} }
		    grep { length $_->{out} } values %by);
		my ($r, $w) = IO::Select->select($reads, $writes, undef, 1);
		my %r = map { fileno($_) => 1 } @{ $r // [] };
		my %w = map { fileno($_) => 1 } @{ $w // [] };
		for my $fd (keys %by) {
			my $self = $by{$fd};
			next unless $r{$fd} || $w{$fd};
			$self->_finish('closed', $STAGE{
			    $self->{steps}[$self->{at}][0]})
			    unless $self->_turn($r{$fd}, $w{$fd});
			delete $by{$fd} if $self->{done};
		}
	}
	$_->_finish('silence', $STAGE{ $_->{steps}[$_->{at}][0] })
	    for values %by;
	$_->{socket}->blocking(1) for @sessions;
	return map { $_->_result } @sessions;
}

sub message {
	my ($self, %m) = @_;

	delete $self->{done};
	$self->send_packet('A') if $self->{sent};
	$self->_begin(_fill(%m));
	my ($result) = _run($m{timeout} // $self->{timeout}, $self);
	return $result;
}

sub burst {
	my ($class, $path, $n, $each, %a) = @_;
	my @sessions = map { $class->new($path) } 1 .. $n;

	$sessions[$_]->_begin(_fill($each->($_))) for 0 .. $n - 1;
	return _run($a{timeout} // 60, @sessions);
}

# Ends the session as Postfix does.
sub quit {
	my ($self) = @_;

	$self->send_packet('Q');
	close $self->{socket};
}

# Leaves without a word.
sub close { close $_[0]{socket} }

# --- what the message becomes --------------------------------------------

# Postfix's own Received is there, first, and counts for insertions, but a
# milter does not see it and cannot change it (LIBRARIES.md, 1).
sub _result {
	my ($self) = @_;
	my ($m, $r) = @$self{qw(m result)};
	my @fields = ([ undef, '' ], map { [ @$_ ] } @{ $m->{fields} });
	my $body;

	for my $edit (@{ $r->{edits} }) {
		my ($what, @args) = @$edit;
		$body = ($body // '') . $args[0] if $what eq 'replacebody';
		$self->_edit_field(\@fields, $what, @args)
		    if $what =~ /header$/;
		$r->{quarantine} = $args[0] if $what eq 'quarantine';
		$r->{from} = $args[0] =~ s/^<|>$//gr if $what eq 'chgfrom';
		_edit_rcpt($r, $what, $args[0]) if $what =~ /rcpt$/;
	}
	shift @fields while @fields && !defined $fields[0][0];
	@fields = grep { defined $_->[0] } @fields;
	$r->{message} = join '', (map { "$_->[0]:" . ($_->[1] =~
	    s/\n/\r\n/gr) . "\r\n" } @fields), "\r\n", $body // $m->{body};
	return $r;
}

sub _edit_rcpt {
	my ($r, $what, $address) = @_;

	$address =~ s/^<|>$//g;
	$r->{rcpt} = [ grep { $_ ne $address } @{ $r->{rcpt} } ];
	push @{ $r->{rcpt} }, $address if $what eq 'addrcpt';
}

sub _edit_field {
	my ($self, $fields, $what, @args) = @_;
	my $index = $what eq 'addheader' ? 0 : shift @args;
	my ($name, $value) = @args;

	$value = " $value" unless $self->{protocol} & HDR_LEADSPC;
	if ($what eq 'addheader') {
		push @$fields, [ $name, $value ];
	} elsif ($what eq 'insheader') {
		$index = @$fields if $index > @$fields;
		splice @$fields, $index, 0, [ $name, $value ];
	} else {
		my @same = grep { defined $fields->[$_][0] &&
		    lc $fields->[$_][0] eq lc $name } 0 .. $#$fields;
		my $at = $same[($index || 1) - 1];
		if (!defined $at) {
			push @$fields, [ $name, $value ] if length $args[1];
		} elsif (length $args[1]) {
			$fields->[$at] = [ $name, $value ];
		} else {
			splice @$fields, $at, 1;
		}
	}
}

1;
