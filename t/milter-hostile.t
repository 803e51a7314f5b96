#!/usr/bin/perl
# T10: packets that no Postfix would send. The connection goes, the daemon
# stays, its memory is bounded, and mail is judged as before.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Milter;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new->milter('probe', idle => '5s',
    memory => '64M')->daemons;
$s->allow(qr/warning:/, qr/error: Postfix offers/);	# of us, it may say what it will

sub frame { Gatehouse::Milter::frame(@_) }
my $hello = frame('O', pack 'NNN', 6, 0x1ff, 0x1fffff);
my $mail = frame('M', "<a\@b>\0");
my $rcpt = frame('R', "<a\@b>\0");
my $field = frame('L', "Subject\0x\0");

my %cases = (
	'nothing' => '',
	'half a length' => "\0\0",
	'length 0' => pack('N', 0),
	'4 GB' => "\xff\xff\xff\xffO",
	'2 GB after hello' => $hello . "\x7f\xff\xff\xffB",
	'longer than it is' => pack('N', 100) . 'Oxxx',
	'no negotiation' => $mail . $rcpt . frame('E'),
	'short negotiation' => frame('O', "\0\0\0\6"),
	'version 0' => frame('O', pack 'NNN', 0, 0, 0),
	'negotiated twice' => $hello . $hello . $mail,
	'end of message first' => $hello . frame('E'),
	'body first' => $hello . frame('B', 'x' x 60000),
	'header first' => $hello . $field,
	'rcpt first' => $hello . $rcpt,
	'mail twice' => $hello . $mail . $mail . $rcpt,
	'unknown command' => $hello . frame("\xfe", 'xxxx'),
	'macros without an end' => $hello . frame('D', 'Cj'),
	'macro for nothing' => $hello . frame('D', ''),
	'connect without a NUL' => $hello . frame('C', 'name'),
	'connect of no family' => $hello . frame('C', "n\0Zxxxx"),
	'connect cut' => $hello . frame('C', "n\0004"),
	'address of 60 kB' => $hello . frame('C', "n\0004\0\1" .
	    '1' x 60000 . "\0"),
	'helo empty' => $hello . frame('H', ''),
	'mail empty' => $hello . frame('M', ''),
	'mail without a NUL' => $hello . frame('M', '<a@b>'),
	'header without a value' => $hello . $mail . $rcpt .
	    frame('L', "Subject\0"),
	'header without a NUL' => $hello . $mail . $rcpt . frame('L', 'Sub'),
	'header empty' => $hello . $mail . $rcpt . frame('L', "\0\0") .
	    frame('N') . frame('E'),
	'end twice' => $hello . $mail . $rcpt . $field . frame('N') .
	    frame('E') . frame('E'),
	'abort everywhere' => $hello . join(frame('A'), $mail, $rcpt, $field,
	    frame('N'), frame('B', 'x'), frame('E')),
	'quit and go on' => $hello . frame('Q') . $mail,
);

sub lives {
	my ($what) = @_;
	my $r = $s->talk('probe', header => "X-Probe: append\n");

	is $r->{reply}, 'accept', "$what: lives";
	is scalar @{ $r->{edits} }, 1, 'and works';
}

sub give {
	my ($bytes) = @_;
	my $m = $s->session('probe', raw => 1);

	$m->send_raw($bytes);
	1 while $m->packet(0.05);
	$m->close;
}

lives('at first');
for my $what (sort keys %cases) {
	give($cases{$what});
	lives($what);
}

# Cut a whole session at each byte of its first part and here and there later.
my $whole = $hello . frame('C', "n\0004\0\x19192.0.2.1\0") .
    frame('H', "h\0") . $mail . $rcpt . frame('T') . $field . frame('N') .
    frame('B', "body\r\n") . frame('E');
for my $cut (1 .. length($whole) - 1) {
	my $m = $s->session('probe', raw => 1);
	$m->send_raw(substr $whole, 0, $cut);
	$m->close;
}
lives('cut everywhere');

# Random bytes, random packets, and a good session with some bytes changed.
my $seed = $ENV{GATEHOUSE_SEED} // int rand 2**31;
my $rounds = $ENV{GATEHOUSE_FULL} ? 20000 : 300;
srand $seed;
diag "seed $seed";
for (1 .. $rounds) {
	my $bytes = $whole;
	if ($_ % 3 == 0) {
		$bytes = join '', map { chr int rand 256 } 1 .. 1 + rand 200;
	} elsif ($_ % 3 == 1) {
		$bytes = $hello . join '', map { frame(
		    substr('DCHMRTLNBEAQUK', rand 14, 1),
		    join '', map { chr int rand 256 } 1 .. rand 40) } 1 .. 20;
	} else {
		substr($bytes, rand length $bytes, 1) = chr int rand 256
		    for 1 .. 1 + rand 4;
	}
	my $m = $s->session('probe', raw => 1);
	$m->send_raw($bytes);
	$m->packet(0.002);
	$m->close;
}
lives("$rounds random sessions, seed $seed");

# Silent ones: they are let go after `idle`, and cost little.
my $before = $s->usage('probe');
my @silent = map { $s->session('probe', raw => 1) } 1 .. 100;
$_->send_raw($hello) for @silent;
lives('among a hundred silent ones');
my $end = time + 20;
sleep 0.2 while $s->usage('probe')->{threads} > $before->{threads} + 5 &&
    time < $end;
cmp_ok $s->usage('probe')->{threads}, '<=', $before->{threads} + 5,
    'which are let go';
cmp_ok $s->usage('probe')->{fds}, '<=', $before->{fds} + 5,
    'with their descriptors';
cmp_ok $s->usage('probe')->{rss}, '<', $before->{rss} + 65536,
    'memory is bounded';

$s->done;
