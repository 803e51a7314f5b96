#!/usr/bin/perl
# gatehouse-track and its verbs, without a Postfix: its log is written here.
# T17: a database that is locked, damaged, or of a newer version. T18: a full
# disk. T55: stored fields hold anything. Rotation, kills at any moment,
# erasure.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use JSON::PP ();
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Process;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $dir = $s->dir;
my $maillog = "$dir/mail.log";
my $state = "$dir/state";
my $db = "$state/track/track.db";
my $probe = Gatehouse::Suite::build() . '/t/track-probe';
my $json = JSON::PP->new->utf8;

make_path("$state/auth-check");
append($maillog, '');
append("$state/auth-check/journal.json", '');
$s->service('track', maillogs => [ $maillog ], subjects => 'true')->daemons;

sub append {
	my ($file, $text) = @_;

	open my $f, '>>:raw', $file or die "$file: $!";
	syswrite $f, $text;
	close $f;
}

sub stamp { strftime('%Y-%m-%dT%H:%M:%S', gmtime) . '.123' }

sub line { map { stamp() . "456+00:00 mx postfix/$_\n" } @_ }

# What Postfix says of one that was delivered.
sub delivered {
	my ($id, $from, $to, %m) = @_;

	return join '', line("smtpd[9]: $id: client=a.example[192.0.2.1]",
	    "cleanup[8]: $id: message-id=<" . ($m{message_id} // "$id\@a") .
	    '>', "qmgr[7]: $id: from=<$from>, size=10, nrcpt=1 (queue active)",
	    "smtp[6]: $id: to=<$to>, relay=m[192.0.2.9]:25, delay=1, " .
	    'delays=0/0/0/1, dsn=2.0.0, status=sent (' .
	    ($m{reply} // "250 ok: queued as N$id") . ')',
	    "qmgr[7]: $id: removed");
}

sub event {
	my ($id, %more) = @_;

	return $json->encode({ '@timestamp' => stamp() . 'Z',
	    'event.action' => 'message', 'event.module' => 'auth-check',
	    'gatehouse.id' => "g$id", 'gatehouse.queue_id' => $id,
	    'network.direction' => 'inbound', 'gatehouse.verdict' => 'accept',
	    'gatehouse.rule' => 'none', %more }) . "\n";
}

sub sql {
	open my $out, '-|', $probe, 'sql', $db, @_ or die "$probe: $!";
	local $/;
	return scalar(<$out>) // '';
}

sub search {
	my ($status, $text) = $s->gatehouse('search', '--state', $state,
	    '--json', @_);

	return @{ ($text =~ /^\{/ ? $json->decode($text) : {})->{rows} // [] };
}

# Rows of a search, when there are so many, or what there is in the end.
sub wait_rows {
	my ($n, @args) = @_;
	my $end = time + 20;
	my @rows;

	do {
		@rows = search(@args);
		return @rows if @rows >= $n;
		sleep 0.05;
	} while (time < $end);
	return @rows;
}

sub story { ($s->gatehouse('explain', '--state', $state, @_))[1] }

# --- found by each of its names -------------------------------------------

append($maillog, delivered('AAAA01', 'ann@client.test', 'bob@our.test'));
append("$state/auth-check/journal.json", event('AAAA01',
    'gatehouse.virus' => 'Eicar', 'gatehouse.rule' => 'spf-fail',
    'email.subject' => 'Lunch?', 'email.to.address' => [ 'bob@our.test' ],
    'gatehouse.objects' => [ { id => 'ab' x 16, cause => 'virus' } ]));
my ($row) = wait_rows(1, '--virus', 'Eicar');
is $row->{fate}, 'sent', 'delivered';
is $row->{reply}, '250 ok: queued as NAAAA01', 'with what the next hop said';
for ([ '--from', 'ANN@client.test' ], [ '--from', '@client.test' ],
    [ '--to', 'bob@our.test' ], [ '--to', '@our.test' ],
    [ '--queue-id', 'AAAA01' ], [ '--queue-id', 'NAAAA01' ],
    [ '--message-id', '<AAAA01@a>' ], [ '--id', 'gAAAA01' ],
    [ '--ip', '192.0.2.1' ], [ '--rule', 'spf-fail' ],
    [ '--cause', 'virus' ], [ '--verdict', 'quarantine' ],
    [ '--milter', 'auth-check' ], [ '--fate', 'sent' ],
    [ '--subject', 'lunch' ], [ '--text', 'QUEUED AS' ],
    [ '--direction', 'inbound' ], [ '--since', '1h' ], [],
    [ '--from', 'ann@client.test', '--to', 'bob@our.test', '--rule',
    'spf-fail', '--fate', 'sent' ]) {
	is scalar(search(@$_)), 1, "found by @$_";
}
for ([ '--from', 'ann@client.tes' ], [ '--from', '@lient.test' ],
    [ '--to', '@our' ], [ '--queue-id', 'AAAA0' ], [ '--until', '1h' ],
    [ '--rule', 'spf-fai' ], [ '--virus', 'eicar' ], [ '--fate', 'bounced' ],
    [ '--from', 'ann@client.test', '--rule', 'other' ],
    [ '--direction', 'outbound' ], [ '--from', '<>' ]) {
	is scalar(search(@$_)), 0, "not found by @$_";
}
like story($_), qr/our\.test>[ ]sent[ ]by[ ]m\[192\.0\.2\.9\]:25.*
      milter[ ]+auth-check:[ ]quarantine[ ]\(spf-fail\),[ ]cause[ ]virus/sx,
    "explained by $_" for 'AAAA01', '<AAAA01@a>', 'gAAAA01', 'ab' x 16;
is(($s->gatehouse('search', '--state', $state, '--fate', 'x'))[0], 64,
    'no such fate');

# An id is there to be copied: a table never cuts it.
my @ids = ('4jZwvS0BjDz1brN', '4jZwvS0BjDz1brNk7', '4jZwvS0BjDz' . 'b' x 11);
append($maillog, delivered($_, 'long@client.test', 'bob@our.test')) for @ids;
wait_rows(3, '--from', 'long@client.test');
my $table = ($s->gatehouse('search', '--state', $state, '--from',
    'long@client.test'))[1];
like $table, qr/ \Q$_\E +sent /, "whole: $_" for @ids;

# --- pages ----------------------------------------------------------------

append($maillog, join '', map { delivered(sprintf('BBBB%02d', $_),
    'page@client.test', "p$_\@our.test") } 1 .. 25);
wait_rows(25, '--from', 'page@client.test');
my ($page, @seen);
do {
	my ($status, $text) = $s->gatehouse('search', '--state', $state,
	    '--json', '--from', 'page@client.test', '--limit', 10,
	    $page ? ('--page', $page) : ());
	my $got = $json->decode($text);

	push @seen, map { $_->{queue_id} } @{ $got->{rows} };
	$page = $got->{next};
} while ($page && @seen < 100);
is_deeply \@seen, [ map { sprintf 'BBBB%02d', $_ } reverse 1 .. 25 ],
    'pages: each once, newest first';

# --- rotation -------------------------------------------------------------

rename $maillog, "$maillog.1";
append("$maillog.1", delivered('CCCC01', 'a@rot.test', 'b@our.test'));
append($maillog, delivered('CCCC02', 'a@rot.test', 'b@our.test'));
is scalar(wait_rows(2, '--from', 'a@rot.test')), 2, 'rotated: both are read';
system 'cp', $maillog, "$maillog.2";
truncate $maillog, 0;
append($maillog, delivered('CCCC03', 'a@rot.test', 'b@our.test'));
is scalar(wait_rows(3, '--from', 'a@rot.test')), 3, 'copied and truncated';

# --- kills at any moment --------------------------------------------------

srand 7;
my $messages = 300;
my $writer = Gatehouse::Process->start_sub(sub {
	for my $n (1 .. $messages) {
		my $id = sprintf 'DDDD%04d', $n;
		append("$state/auth-check/journal.json", event($id,
		    'email.to.address' => [ "k$n\@our.test" ]));
		append($maillog, $_ . "\n") for split /\n/,
		    delivered($id, 'kill@client.test', "k$n\@our.test");
		sleep 0.004;
		rename $maillog, "$maillog.1" if $n == 150;
	}
}, name => 'writer');
my $kills = 0;
while ($writer->running) {
	sleep 0.05 + rand 0.2;
	$s->kill_milter('track')->start_milter('track');
	$kills++;
}
my @rows = wait_rows($messages, '--from', 'kill@client.test', '--limit',
    1000);
is scalar(@rows), $messages, "$kills kills: each message once";
my $end = time + 20;
sleep 0.05 while time < $end && sql('SELECT count(*) FROM pending') != 0;
is sql("SELECT count(*), count(DISTINCT qid), min(state), max(state) FROM " .
    "message WHERE qid LIKE 'DDDD%'"), "$messages|$messages|3|3\n",
    'each is whole';
is sql("SELECT count(*), count(DISTINCT f.mid) FROM finding f JOIN message m " .
    "ON m.mid = f.mid WHERE m.qid LIKE 'DDDD%'"), "$messages|$messages\n",
    'each event once, with its message';
is sql("SELECT sum(tries), sum(fate) FROM recipient r JOIN message m ON " .
    "m.mid = r.mid WHERE m.qid LIKE 'DDDD%'"), "$messages|" . 2 * $messages .
    "\n", 'each delivery once';

# --- a database that cannot be written (T17, T18) -------------------------

$s->allow(qr/tracking waits, mail does not/);
$s->log->mark;
open my $lock, '|-', "$probe lock $db >$dir/locked" or die $!;
$end = time + 20;
sleep 0.02 until -s "$dir/locked" || time > $end;
append($maillog, delivered('EEEE01', 'a@lock.test', 'b@our.test'));
ok $s->log->wait_for(qr/track\.db: .*locked.*tracking waits/), 'locked: told';
is scalar(search('--from', 'a@lock.test')), 0, 'and not there yet';
close $lock;
is scalar(wait_rows(1, '--from', 'a@lock.test')), 1, 'caught up';
ok $s->log->wait_for(qr/can be written again/), 'told too';

SKIP: {
	skip 'prlimit is not installed', 3 unless -x '/usr/bin/prlimit';
	my $pid = $s->process('track')->pid;
	my $size = -s $db;

	# The write-ahead log is what grows.
	sql('PRAGMA wal_checkpoint(TRUNCATE)');
	$s->log->mark;
	system 'prlimit', "--pid=$pid", '--fsize=8192:';
	append($maillog, join '', map { delivered("EEEE1$_", 'a@full.test',
	    'b@our.test') } 0 .. 9);
	ok $s->log->wait_for(qr/track\.db: .*tracking waits/),
	    'disk full: told';
	is scalar(search('--from', 'a@full.test')), 0, 'nothing by half';
	system 'prlimit', "--pid=$pid", '--fsize=unlimited:';
	is scalar(wait_rows(10, '--from', 'a@full.test')), 10, 'caught up';
}

# --- anything in any field (T55) ------------------------------------------

my $nasty = "'); DROP TABLE message;--\e[2J\xff\"<b>,\r=cmd|' /C calc'!A0";
append($maillog, delivered('FFFF01', "\"$nasty\"\@evil.test",
    "=$nasty\@our.test", message_id => $nasty, reply => "=1+1 $nasty"));
append("$state/auth-check/journal.json", event('FFFF01',
    'gatehouse.helo' => $nasty, 'gatehouse.reason' => $nasty,
    'email.subject' => $nasty, 'gatehouse.rule' => $nasty,
    'email.to.address' => [ "=$nasty\@our.test" ]));
append($maillog, "\0\xff\n" . ('x' x 100_000) . "\n\n");
append("$state/auth-check/journal.json", "{\"torn\n[]\n\"x\"\n{}\n");
wait_rows(1, '--queue-id', 'FFFF01');
for my $verb ([ 'search', '--queue-id', 'FFFF01', '--wide' ],
    [ 'explain', 'FFFF01' ], [ 'search', '--text', $nasty ]) {
	my ($name, @args) = @$verb;
	my ($status, $text) = $s->gatehouse($name, '--state', $state, @args);
	unlike $text, qr/[^\x20-\x7e\n]/, "$name: nothing for a terminal";
	like $text, qr/DROP TABLE/, 'and all of it is there';
}
is scalar(search('--from', "\"$nasty\"\@evil.test", '--fate', 'sent')), 1,
    'found as it is';
my $csv = ($s->gatehouse('report', '--state', $state, '--from', '1h', '--to',
    'now'))[1];
unlike $csv, qr/(?:^|,)"\s*[=+\-@]/m, 'CSV: no formula';
unlike $csv, qr/[\x00-\x09\x0b\x0c\x0e-\x1f]/, 'nor a control';
like $csv, qr/'=1\+1/, 'but its text';
my @records = $csv =~ /^(?:"(?:[^"]|"")*",){18}"(?:[^"]|"")*"\r\n/mg;
is scalar(@records), scalar(() = $csv =~ /\r\n/g), 'each line has 19 cells';

# --- counts, days ---------------------------------------------------------

like +($s->gatehouse('report', '--state', $state, '--from', '1h', '--to',
    'now', '--counts'))[1], qr/^"[\d-]+","inbound","sent","","\d+"\r$/m,
    'counts by day, direction and fate';
mkdir "$dir/reports";
append("$dir/reports/gatehouse-2020-01-01.csv", 'old');
append("$dir/reports/other.csv", 'not ours');
is(($s->gatehouse('report', '--state', $state, '--daily', "$dir/reports"))[0],
    0, 'a file a day');
my @files = map { s{.*/}{}r } glob "$dir/reports/*";
is scalar(grep { /^gatehouse-20\d\d-\d\d-\d\d\.csv$/ } @files), 7,
    'the last seven';
ok !-e "$dir/reports/gatehouse-2020-01-01.csv" && -e "$dir/reports/other.csv",
    'what is too old goes, and nothing else';

# --- erasure --------------------------------------------------------------

append($maillog, delivered('GGGG01', 'forget.me@client.test',
    'bob@our.test') . delivered('GGGG02', 'ann@client.test',
    'Forget.Me@client.test', reply => 'no <forget.me@client.test> here') .
    delivered('GGGG03', 'not.forget.me@client.test', 'bob@our.test'));
append("$state/auth-check/journal.json", event('GGGG01',
    'email.sender.address' => 'forget.me@client.test') . event('GGGG03',
    'email.sender.address' => 'not.forget.me@client.test'));
wait_rows(1, '--queue-id', $_) for qw(GGGG01 GGGG02 GGGG03);
append("$state/track/legal-hold", "# a case\n\@client.test\n");
my ($status) = $s->gatehouse('forget', '--state', $state,
    'forget.me@client.test');
is $status, 1, 'a legal hold: refused';
is scalar(search('--from', 'forget.me@client.test')), 1, 'and still there';
unlink "$state/track/legal-hold";
($status, my $said) = $s->gatehouse('forget', '--state', $state, '--json',
    'forget.me@client.test');
is $status, 0, 'erased';
is_deeply [ map { $json->decode($said)->{$_} }
    qw(messages recipients events journal_places) ], [ 1, 2, 1, 1 ],
    'as much as there was';
is scalar(search('--from', 'forget.me@client.test')), 0, 'not found';
is scalar(search('--from', 'not.forget.me@client.test')), 1,
    'another one stays';
unlike join('', map { story($_) } qw(GGGG01 GGGG02)),
    qr/(?<!not\.)forget\.me\@/i, 'nor told';
like story('GGGG02'), qr/sent by m\[/, 'what became of it stays';
open my $f, '<', "$state/auth-check/journal.json" or die $!;
my @journal = <$f>;
unlike join('', @journal), qr/"forget\.me/, 'not in the journal either';
is scalar(grep { !eval { ref $json->decode($_) } } @journal), 2,
    'which is as whole as before';
open $f, '<', "$state/track/erasures.json" or die $!;
my $proof = $json->decode(scalar <$f>);
is $proof->{'gatehouse.erased.messages'}, 1, 'a proof';
unlike $json->encode($proof), qr/forget/, 'without the address';
is(($s->gatehouse('forget', '--state', $state, '*'))[0], 64, 'no address');

# --- configuration --------------------------------------------------------

like +($s->gatehouse('check-config', '--config', $s->conf))[1],
    qr/^track: right$/m, 'check-config reads it';
$s->options('track', siem_events => [ 'all' ]);
($status, $said) = $s->gatehouse('check-config', '--config', $s->conf);
is $status, 78, 'and finds what is wrong';
like $said, qr/^track: siem_events: there is no "all"; av-in, /m,
    'and says what is right';
$s->options('track', siem_events => [ 'fate' ], keep => '184d');
like +($s->gatehouse('check-config', '--config', $s->conf))[1],
    qr/^track: .*keep is "184d"; .* to 183d$/m,
    'nothing personal is kept for over half a year';
$s->options('track', keep => '45d');
$s->house(journal_age => '184d');
like +($s->gatehouse('check-config', '--config', $s->conf))[1],
    qr/^track: .*journal_age is "184d"; .* 8d to 183d$/m,
    'nor in journals';
delete $s->{house}{journal_age};
$s->house;

# --- damaged, newer, gone -------------------------------------------------

sub refused {
	my ($what, $why) = @_;
	my $m = $s->{by}{track};
	my $p = Gatehouse::Process->start(name => $what, log =>
	    "$dir/refused", argv => [ $m->{program}, '--config', $s->conf .
	    '/track.conf', '--house', $s->conf . '/gatehouse.conf' ]);

	is $p->wait(20) >> 8, 78, "$what: it does not start";
	open my $f, '<', "$dir/refused" or die $!;
	local $/;
	like scalar(<$f>), $why, 'and says why';
	unlink "$dir/refused";
}

$s->allow(qr/fatal: .*track\.db/);
$s->stop_milter('track');
my @counts = sql('SELECT count(*) FROM message');
sql('PRAGMA user_version = 99', 'UPDATE house_schema SET oldest = 99');
refused('a newer version', qr/version 99/);
unlink glob "$db*";
append($db, 'this is no database at all' x 100);
refused('damaged', qr/move track\.db.*away/s);
unlink glob "$db*";
$s->start_milter('track');
is scalar(wait_rows(1, '--queue-id', 'GGGG03')), 1,
    'deleted: built anew from the logs that there are';
is scalar(wait_rows($messages, '--from', 'kill@client.test', '--limit',
    1000)), $messages, 'as before';

$s->done;
