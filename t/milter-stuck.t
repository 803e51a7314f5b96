#!/usr/bin/perl
# T08: a filter that comes back after its deadline, or never. The message is
# answered 451 and counted as one that crashed it; the third time it is held
# unread, in the store where there is one, and nothing that was decided too late
# is done.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
@{ $s->{house} }{qw(inbound outbound)} = ([ qw(probe-head probe) ]) x 2;
$s->milter('probe', deadline => '300ms', overrun => '400ms', drain => '10s')
    ->milter('probe-head', deadline => '300ms')->daemons;
my $state = $s->dir . '/state/probe';
$s->allow(qr/warning: the last run ended with messages under way/,
    qr/error: \w+: poison: held without being read/,
    qr/error: \w+: a filter has not come back long after its deadline/,
    qr/warning: stopped with 1 messages under way/);

sub about { (Gatehouse::Journal->about($state, $_[0]))[-1] // {} }
sub message { "Subject: slow\nX-Probe: $_[0]\n\nprobe\n" }

# --- late: it comes back ---
my $late = message('late append hold cause:spam');
for my $try (1 .. 3) {
	my $r = $s->talk('probe', message => $late, id => "LATE$try");
	like $r->{reply}, qr/^451 /, "late, try $try: 451";
	is_deeply $r->{edits}, [], 'nothing is edited';
	is_deeply [ $store->files ], [], 'and nothing is held';
}
my $r = $s->talk('probe', message => $late, id => 'LATE4',
    rcpt => [ 'a@gatehouse.test', 'b@gatehouse.test' ]);
is $r->{reply}, 'discard', 'then it is taken';
my ($o) = $store->objects;
is $o->{cause}, 'poison', 'and held as poison';
is_deeply $o->{recipients}, [ 'a@gatehouse.test', 'b@gatehouse.test' ],
    'for all';
is $store->body($o) =~ s/\r\n/\n/gr, $late, 'as it came';
is about('LATE4')->{'gatehouse.rule'}, 'poison', 'the journal says so';
is about('LATE4')->{'gatehouse.objects'}[0]{id}, $o->{id}, 'with the object';
is $s->process('probe')->running, 1, 'the daemon has lived all the time';

# --- what came back late and then in time is forgiven ---
my $once = message('body');
is $s->talk('probe', message => $once)->{reply}, 'accept', 'in time';

# --- trouble of ours is nobody's fault, however late ---
for (1 .. 4) {
	like $s->talk('probe', message => message('late trouble'))->{reply},
	    qr/^451 /, 'a scanner that is silent: 451, and no strike';
}

# --- it never comes back: the process ends, and the message is to blame ---
sub waits {
	my ($ms) = @_;

	$s->log->mark;
	$s->options('probe', delay => "${ms}ms")->signal_milter('probe', 'USR1');
	ok $s->log->wait_for(qr/probe\[\d+\]: configuration reloaded/),
	    "now it waits $ms ms";
}

$store->clear;
my $hang = message('accept');
waits(400);
like $s->talk('probe', message => $hang)->{reply}, qr/^451 /, 'late'
    for 1 .. 2;
waits(600_000);
my $other = $s->session('probe');
$r = $s->talk('probe', message => $hang, id => 'HANG');
is $r->{reply}, 'closed', 'for ever: Postfix answers 451';
is $s->process('probe')->wait, 70 << 8, 'the process has ended';
ok $s->log->wait_for(qr/error: HANG: a filter has not come back/),
    'and says which message it was';
$s->options('probe', delay => '0ms')->start_milter('probe');
is $s->talk('probe', message => "N: 1\n\nx\n")->{reply}, 'accept',
    'others pass';
$r = $s->talk('probe', message => $hang, id => 'HANG4');
is $r->{reply}, 'discard', 'the third strike: it is taken';
($o) = $store->objects;
is $o->{cause}, 'poison', 'and held as poison';

# --- poison that was released is not read again ---
$r = $s->talk('probe', message => $store->release($o) =~ s/\r\n/\n/gr,
    rcpt => $o->{recipients}, id => 'FREE');
is $r->{reply}, 'accept', 'released: it passes unread';
is about('FREE')->{'gatehouse.rule'}, 'released', 'and the rule says so';
unlike $r->{message}, qr/X-Gatehouse/, 'without our fields';

# --- poison cannot be stored: 451 ---
$s->allow(qr/warning: \w+: cannot be held/);
rename $store->dir, $store->dir . '.away' or die $!;
like $s->talk('probe', message => $hang)->{reply}, qr/^451 /,
    'no folder: 451, not lost';
rename $store->dir . '.away', $store->dir or die $!;

# --- forged fields are not in what is held unread; a seal of ours is heard ---
my ($one, $two) = map { "$_\@gatehouse.test" } qw(one two);
my %m = (id => 'SEALED', rcpt => [ $one, $two ]);
my $sealed = $s->talk('probe-head', %m, message => "X-Gatehouse-Release:\n" .
    message("probe-head/hold:$two:spam probe/late"))->{message};
is scalar($s->fields($sealed, 'X-Gatehouse-Seal')), 1, 'a message with a seal';
$store->clear;
$s->talk('probe', %m, message => "X-Gatehouse-Seal: v=1;\n\tx=y\n$sealed")
    for 1 .. 3;
$r = $s->talk('probe', %m,
    message => "X-Gatehouse-Seal: v=1;\n\tx=y\n$sealed");
is $r->{reply}, 'discard', 'held unread';
($o) = $store->objects;
is_deeply $o->{recipients}, [ $one ], 'for whom it still was';
unlike $store->body($o), qr/X-Gatehouse/, 'without a seal, true or false';

$s->done;
