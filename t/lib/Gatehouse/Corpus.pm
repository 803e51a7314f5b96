# Corpus - messages that ask the probes for every edit, in many shapes
#
#	for my $case (Gatehouse::Corpus->cases(forged => $old_seal)) { ... }
#	$case->{what}, and what Gatehouse::Milter->message and Suite->send take:
#	client, helo, from, rcpt, message
#
# Each is to come out of separate daemons and of one that hosts them all with
# the same bytes.
package Gatehouse::Corpus;

use strict;
use warnings;

# Needs this zone: the SPF of our senders.
our $ZONE = <<'END';
client.test	TXT	"v=spf1 ip4:192.0.2.1 -all"
soft.test	TXT	"v=spf1 ~all"
broken.test	TXT	"v=spf1 nonsense"
helo.test	TXT	"v=spf1 ip4:192.0.2.0/24 -all"
END

my $n = 0;

sub _case {
	my ($name, %m) = @_;
	my $head = $m{head} // '';

	$head = "X-Probe: $m{words}\n$head" if defined $m{words};
	$head .= "From: a\@client.test\nSubject: $name\nDate: Sun, 22 Nov " .
	    "2026 10:00:00 +0000\nMessage-ID: <" . ++$n .
	    "\@client.test>\n" unless $m{bare};
	return { client => '192.0.2.1', helo => 'helo.test',
	    from => 'sender@client.test', rcpt => [ 'one@gatehouse.test' ],
	    %m, what => $name, message => $head . "\n" .
	    ($m{body} // "a probe\nof words\n") };
}

my $many = "X-Change: one\nX-Delete: a\nX-change: two\nx-delete: b\n" .
    "X-CHANGE:\tthree\n\tfolded\nX-Delete: c\n";

sub _edits {
	return map { _case("edit: $_", words => $_, head => $many,
	    rcpt => [ 'one@gatehouse.test', 'two@gatehouse.test' ]) }
	    'append', 'insert', 'change', 'delete', 'body', 'empty', 'grow',
	    'sender', 'recipient', 'finding', 'change delete append insert',
	    'body append insert delete change sender recipient finding',
	    'empty insert', 'grow body', 'recipient finding', 'hold',
	    'hold body append', 'accept';
}

sub _verdicts {
	return map { _case("verdict: $_", words => $_,
	    rcpt => [ 'one@gatehouse.test', 'two@gatehouse.test' ]) }
	    'reject', 'tempfail', 'discard', 'mixed', 'trouble',
	    'reject append body', 'forbidden', 'tempfail sender';
}

sub _results {
	return (_case('SPF fail', client => '203.0.113.9'),
	    _case('SPF softfail', from => 'x@soft.test', words => 'append'),
	    _case('SPF permerror', from => 'x@broken.test'),
	    _case('SPF none', from => 'x@none.test'),
	    _case('no sender', from => '', words => 'insert'),
	    _case('IPv6', client => '2001:db8::1', words => 'body'),
	    _case('outbound', client => '198.51.100.7',
	    words => 'body append finding'));
}

my @heads = (
	[ 'folded' => "X-Long: one\n\ttwo\n   three\nX-Delete: a\n\tb\n" ],
	[ '8 bit' => "X-Eight: M\xfcller \xe2\x82\xac\n" ],
	[ 'encoded words' => "X-Word: =?utf-8?q?M=C3=BCller?=\n" ],
	[ 'no space' => "X-None:none\nX-Tab:\ttab\nX-Two:  two\n" ],
	[ 'nothing' => "X-Empty:\nX-Blank: \n" ],
	[ 'blanks behind' => "X-Behind: x  \t\n" ],
	[ 'long' => 'X-Long: ' . 'x' x 50_000 . "\n" ],
	[ 'long and folded' => 'X-Long: ' . join("\n\t", ('x' x 70) x 500) .
	    "\n" ],
	[ 'many' => join '', map { "X-Many: $_\nX-Delete: $_\n" } 1 .. 300 ],
	[ 'twice' => "Subject: one\nFrom: b\@client.test\nDate: yesterday\n" ],
	[ 'Received' => join '', map {
	    "Received: from x$_\n\tby y$_; yesterday\n" } 1 .. 5 ],
	[ 'odd names' => "x_y!#: 1\nA: 2\nX-DELETE: 3\n" ],
);

my @bodies = (
	[ 'none' => '' ],
	[ 'one line' => "probe\n" ],
	[ 'blank lines' => "\n\n\nprobe\n\n" ],
	[ 'dots' => ".\n..\n.probe\n" ],
	[ '8 bit' => "M\xfcller probe \xe2\x82\xac\n" ],
	[ 'long line' => 'probe ' . 'x' x 900 . "\n" ],
	[ '300 kB' => "some more of a probe\n" x 15_000 ],
	[ 'multipart' => "--b\nContent-Type: text/plain\n\nprobe\n--b--\n" ],
);

sub _shapes {
	return (map { _case("head: $_->[0]", head => $_->[1],
	    words => 'append insert change delete') } @heads),
	    (map { _case("body: $_->[0]", body => $_->[1],
	    words => 'body append') } @bodies),
	    _case('untouched', words => undef),
	    _case('hardly a header', bare => 1, head => "A: b\n");
}

my @results = ("mx.gatehouse.test; spf=pass",
    "MX.Gatehouse.Test; dkim=pass", "mx.gatehouse.test\n\t; spf=pass",
    "other.test; spf=pass", "\n\tmx.gatehouse.test; dmarc=pass",
    "\"mx.gatehouse.test\"; spf=pass", "(c) mx.gatehouse.test 1; spf=pass");

# seal: one that was right for another message.
sub _forged {
	my ($seal) = @_;
	my @seals = (' v=1; id=x; m=' . '0' x 64, '', " v=1;\n\tid=a;",
	    $seal // ' none');

	return (map { _case('forged result', words => 'insert',
	    head => "Authentication-Results: $_\n") } @results),
	    _case('forged results', head => join '', map {
	    "authentication-results: $_\nX-Between: x\n" } @results),
	    (map { _case('forged seal', words => 'finding body',
	    head => "X-Gatehouse-Seal:$_\n") } @seals),
	    _case('forged seals', words => 'append', head => join('', map {
	    "x-gatehouse-seal:$_\nX-Between: x\n" } @seals) x 5);
}

sub cases {
	my ($class, %a) = @_;

	return _edits(), _verdicts(), _results(), _shapes(),
	    _forged($a{seal});
}

1;
