#!/usr/bin/perl
# gatehouse-store and its verbs, with a sink where Postfix would be. T17: an
# index that is locked, damaged or of a newer version. T28, T51: expiry. T49: a
# release is one delivery. T55: stored fields hold anything.
use strict;
use warnings;

use Fcntl qw(F_SETLK F_UNLCK F_WRLCK);
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Sink;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $keys = Gatehouse::Store->new($s);
my $sink = Gatehouse::Sink->new(dir => $s->dir . '/sink');
my $json = JSON::PP->new->utf8;
my $state = $s->dir . '/state/store';

$s->service('store', key => $s->dir . '/store.key',
    release_server => '127.0.0.1:' . $sink->port, release_retry => '300ms',
    reserve => '64k', scan => '200ms')->daemons;

sub hold {
	my ($cause, $from, $to, %m) = @_;
	my $message = $m{message} // "From: $from\r\nSubject: " .
	    ($m{subject} // 'a letter') . "\r\n\r\n.dot\r\n" .
	    ($m{body} // 'Good day.') . "\r\n";
	my @to = ref $to ? @$to : $to;

	local @ENV{keys %{ $m{env} // {} }} = values %{ $m{env} // {} };
	open my $f, '>:raw', $s->dir . '/message' or die $!;
	print $f $message;
	close $f;
	my $pid = open(my $out, '-|') // die "fork: $!";
	if ($pid == 0) {
		open STDIN, '<', $s->dir . '/message';
		exec Gatehouse::Suite::build() . '/t/store-hold',
		    $s->dir . '/store.pub', "$state/incoming", $cause, $from,
		    @to or POSIX::_exit(127);
	}
	chomp(my $id = <$out> // '');
	close $out;
	return $id;
}

sub ask {
	my (%request) = @_;
	my $c = IO::Socket::UNIX->new(Peer => "$state/sock") or return {};

	print $c $json->encode({ v => 1, %request }), "\n";
	my $line = <$c> // '{}';
	return $json->decode($line);
}

sub rows { @{ ask(op => 'list', @_)->{rows} // [] } }

# Waits until the object's rows are what is wanted: "recipient state, ...".
sub states {
	my ($id, $want) = @_;
	my $end = time + 20;

	while (1) {
		my $is = join ', ', map { "$_->{recipient} $_->{state}" }
		    @{ ask(op => 'show', object => $id)->{rows} // [] };
		return $is if $is eq $want || time > $end;
		sleep 0.05;
	}
}

# All of them; those of one second come in any order.
sub sorted { sort { "$a->{object} $a->{recipient}" cmp
    "$b->{object} $b->{recipient}" } rows(limit => 1000) }

sub q { $s->gatehouse('quarantine', @_, '--state-directory',
    $s->dir . '/state') }
sub store { $s->gatehouse('store', @_, '--config', $s->conf,
    '--state-directory', $s->dir . '/state') }
sub said { Gatehouse::Log->new($s->dir . '/log/gatehouse.err')->lines }

my @known;
my $n = 0;
sub fresh { ++$n; my $id = hold(@_); push @known, $id; $id }

# --- seen ---
my $one = fresh('spam', 'a@sender.test', [ 'r@our.test', 's@our.test' ],
    env => { QUEUE_ID => '4Zx1Qk2hJ9z' });
is states($one, 'r@our.test held, s@our.test held'),
    'r@our.test held, s@our.test held', 'an object comes in';
ok $s->log->wait_for(qr/4Zx1Qk2hJ9z: object=$one, quarantine=held/),
    'the log says so';
my ($status, $text) = &q('list', '--recipient', 'R@our.test');
like $text, qr/^$one [ \d:-]+ held spam \d+ <a\@sender\.test> -> (?x)
    <r\@our\.test>[ ]a[ ]letter$/m, 'and list';
($status, $text) = &q('show', $one);
like $text, qr/^  sender +a\@sender\.test$/m, 'and show';
($status, $text) = &q('show', $one, '--raw');
is $text, "From: a\@sender.test\r\nSubject: a letter\r\n\r\n.dot\r\n" .
    "Good day.\r\n", 'the message is what was held';

# --- T49: one delivery ---
($status, $text) = &q('release', $one);
is $status, 1, 'for whom?';
($status, $text) = &q('release', $one, '--recipient', 'r@our.test');
is $status, 0, 'released';
like $text, qr/^release r\@our\.test: released \(250 /, 'and told';
my $mail = $sink->next(10);
is_deeply [ $mail->{mail}, $mail->{rcpt} ],
    [ '<a@sender.test>', [ '<r@our.test> NOTIFY=NEVER' ] ],
    'with its own envelope';
my $sent = "From: a\@sender.test\r\nSubject: a letter\r\n\r\n" .
    ".dot\r\nGood day.\r\n";
like $mail->{bytes}, qr/\AX-Gatehouse-Release: .*?\r\n\Q$sent\E\z/s,
    'the mark, then the bytes as they were';
($status, $text) = &q('release', $one, '--recipient', 'r@our.test');
is $status, 1, 'a second click does nothing';
my @children;
for (1 .. 20) {
	my $pid = fork() // die;
	if ($pid == 0) {
		my $answer = ask(op => 'release', object => $one,
		    recipient => 's@our.test');
		POSIX::_exit($answer->{ok} ? 0 : 1);
	}
	push @children, $pid;
}
my $won = grep { waitpid($_, 0); $? == 0 } @children;
is $won, 1, 'of twenty at the same time one is told that it is done';
is scalar(() = $sink->rest), 1, 'and one delivery there is';

$sink->rules('data * 452 4.3.1 full');
my $two = fresh('phishing', 'a@sender.test', 't@our.test', subject => 'two');
is states($two, 't@our.test held'), 't@our.test held', 'held';
my $answer = ask(op => 'release', object => $two);
is_deeply [ @$answer{qw(ok release reply)} ], [ JSON::PP::true, 'waits',
    '452 4.3.1 full' ], '452 is shown, and waits';
($answer) = rows(object => $two);
is_deeply [ @$answer{qw(state reply)} ], [ 'releasing', '452 4.3.1 full' ],
    'and stands with the row';
$sink->rules();
is states($two, 't@our.test released'), 't@our.test released',
    'it is tried again, and taken';
is scalar(() = $sink->rest), 1, 'once';
$sink->rules('data * 554 5.7.1 not like this');
my $three = fresh('dlp', 'a@sender.test', 'u@our.test', subject => 'three');
states($three, 'u@our.test held');
$answer = ask(op => 'release', object => $three, actor => "web:\x1b[2Jjoe");
is_deeply [ @$answer{qw(error why)} ], [ 'refused', '554 5.7.1 not like this' ],
    '5xx is shown';
($answer) = rows(object => $three);
is_deeply [ @$answer{qw(state by)} ], [ 'held', 'root:web:\\x1b[2Jjoe' ],
    'and it is held as before; who it was stands there';
$sink->rules();
is ask(op => 'release', object => $three)->{ok}, JSON::PP::true,
    'and may be released again';
$sink->rest;

# --- who may ---
my $virus = fresh('virus', 'a@sender.test', 'v@our.test');
states($virus, 'v@our.test held');
my $as_spam = fresh('spam', 'a@sender.test', 'v@our.test');
states($as_spam, 'v@our.test held');
for ([ object => $virus, 'a virus' ],
    [ object => $as_spam, 'what another filter took for spam' ]) {
	my ($key, $id, $what) = @$_;
	is ask(op => 'release', user => JSON::PP::true, object => $id,
	    recipient => 'v@our.test')->{error}, 'forbidden',
	    "a user releases no virus: $what";
}
is ask(op => 'raw', user => JSON::PP::true, object => $virus,
    recipient => 'v@our.test')->{error}, 'forbidden', 'nor reads it';
is ask(op => 'show', user => JSON::PP::true, object => $virus,
    recipient => 'r@our.test')->{error}, 'not-found',
    'and of what is not his he learns nothing';
is ask(op => 'list', user => JSON::PP::true, recipient => '@our.test')
    ->{error}, 'forbidden', 'nor by domain';
is ask(op => 'stats', user => JSON::PP::true, recipient => 'r@our.test')
    ->{error}, 'forbidden', 'nor about the whole';
is ask(op => 'release', object => $virus)->{error}, 'forbidden',
    'an administrator may not by mistake';
is ask(op => 'release', user => JSON::PP::true, dangerous => JSON::PP::true,
    object => $virus, recipient => 'v@our.test')->{error}, 'forbidden',
    'a user not at all';
is ask(op => 'release', dangerous => JSON::PP::true, object => $virus)->{ok},
    JSON::PP::true, 'an administrator who says so may';
$sink->rest;

# --- nonsense ---
for ('', '[]', '{', '{"v":2,"op":"list"}', '{"op":"list","v":1,"x":1}',
    '{"op":"list","limit":-1}', '{"op":5}', '{"op":"list","states":["no"]}',
    '{"op":"list","op":"list"}', '{"op":"list","object":"' . 'a' x 40 . '"}',
    '{"op":"show","object":"\u0000"}', "\xff\xfe", '[' x 5000) {
	my $c = IO::Socket::UNIX->new(Peer => "$state/sock");
	print $c "$_\n";
	my $line = <$c> // '';
	like $line, qr/^\{"ok":false,"error":"(bad-request|not-found)"/,
	    'refused: ' . substr($_, 0, 30) =~ s/[^ -~]/?/gr;
}
my $c = IO::Socket::UNIX->new(Peer => "$state/sock");
local $SIG{PIPE} = 'IGNORE';
print $c 'x' x 70000;
is scalar(<$c>), undef, 'a line without an end is hung up on';

# --- T55: anything in any field ---
my $evil = "'; DROP TABLE rows; --\"\\%_<script>\e[2J\r\n";
my $odd = fresh('fraud', "a'\"\xff\@x", [ "r'; DROP TABLE objects\@our.test",
    "\xff\xfe\@our.test" ], message => "From: $evil\tx <a\@b>\r\nSubject: " .
    "=?utf-8?B?" . MIME::Base64::encode_base64("\e]0;x\a\x00\xe2\x80\xae$evil",
    '') . "?= \xff" . 'x' x 5000 . "\r\nMessage-ID: <$evil>\r\n\r\nhi\r\n",
    env => { REASON => $evil, USER_NAME => "\x9b1m", HELO => "\xff\n\e" });
is scalar(@{ ask(op => 'show', object => $odd)->{rows} // [] }) ||
    (states($odd, 'x') && @{ ask(op => 'show', object => $odd)->{rows} }), 2,
    'odd fields are held';
for my $args ([ 'list' ], [ 'list', '--json' ], [ 'show', $odd ],
    [ 'show', $odd, '--json' ], [ 'list', '--recipient',
    "r'; DROP TABLE objects\@our.test" ], [ 'list', '--text', $evil ]) {
	($status, $text) = &q(@$args);
	is $status, 0, "@$args[0 .. ($#$args < 1 ? 0 : 1)]: done" =~
	    s/[^ -~]/?/gr;
	unlike $text, qr/[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae/,
	    'and no control byte';
}
is_deeply [ map { $_->{object} } rows(recipient =>
    "r'; DROP TABLE objects\@our.test") ], [ $odd ], 'it is found by them';
($status, $text) = &q('release', $odd, '--all');
is $status, 1, 'an address that SMTP cannot say stays';
is_deeply [ map { $_->{state} } rows(object => $odd) ], [ 'held', 'held' ],
    'held, with the reason';
like $s->log->path && join('', $s->log->lines(qr/DROP TABLE/)),
    qr/^[ -~]*$/, 'the log is clean';
is ask(op => 'check')->{ok}, JSON::PP::true, 'and so is the index';

# --- deleted, kept ---
($status) = &q('hold', $three);
is $status, 0, 'legal hold';
is ask(op => 'delete', object => $three)->{error}, 'on-hold',
    'then nobody deletes it';
&q('unhold', $three);
($status) = &q('delete', $three, '--reason', 'old');
is $status, 0, 'lifted, it goes';
is ask(op => 'raw', object => $three)->{error}, 'gone', 'with its message';
my ($mbox) = map { $_->[1] } [ &q('export', '--mbox', '--sender',
    '@sender.test') ];
is scalar(() = $mbox =~ /^From a\@sender\.test /mg), 4,
    'export: each object that is there once';

# --- T51: expiry ---
my $old = fresh('graymail', 'a@sender.test', 'w@our.test', subject => 'old');
states($old, 'w@our.test held');
is ask(op => 'expire', dry => JSON::PP::true)->{expired}, 0,
    'nothing is due';
like((store('expire', '--dry-run'))[1], qr/^0 rows are due$/m, 'nor said');

# --- T17 ---
# SQLite's lock of a writer in WAL mode: byte 120 of the -shm file (struct
# flock of 64-bit Linux).
open my $shm, '+<', "$state/index.db-shm" or die $!;
sub lock_index {
	my ($type) = @_;
	my $flock = pack 's s x4 q q l x4', $type, 0, 120, 1, 0;

	return fcntl $shm, F_SETLK, $flock;
}
SKIP: {
	sleep 0.05 until lock_index(F_WRLCK) || $!{EINVAL};
	skip 'NO 64-BIT FLOCK here', 4 if $!{EINVAL};
	$s->allow(qr/new objects wait: .*locked/);
	$s->log->mark;
	my $id = fresh('policy', 'a@sender.test', 'y@our.test');
	ok $s->log->wait_for(qr/new objects wait: .*locked/),
	    'the index is locked: what is held waits';
	is ask(op => 'list')->{ok}, JSON::PP::true, 'who looks is answered';
	is ask(op => 'release', object => $old)->{error}, 'trouble',
	    'nothing is released';
	lock_index(F_UNLCK);
	is states($id, 'y@our.test held'), 'y@our.test held',
	    'then it comes in';
}
is ask(op => 'rebuild')->{ok}, JSON::PP::true, 'the index is made anew';
my @before = sorted();
cmp_ok scalar(@before), '>=', 8, 'with all that there was';
$s->stop_milter('store');
open my $f, '+<', "$state/index.db" or die $!;
seek $f, 4096, 0;
print $f "\xff" x 20000;
close $f;
$s->allow(qr/malformed|index\.db: .*store rebuild|store rebuild/);
ok !eval { $s->start_milter('store'); 1 }, 'a damaged index: no start';
like $@, qr/gatehouse store rebuild/, 'and what to do is said';
($status, $text) = store('rebuild');
is $status, 0, 'done' or diag said();
$s->start_milter('store');
is_deeply [ sorted() ], \@before, 'nothing is missing';

my $row;

# --- T28, T51: what is due ---
my @due = map { fresh('graymail', 'due@sender.test', "due$_\@our.test",
    subject => "due $_") } 1 .. 6;
states($due[$_ - 1], "due$_\@our.test held") for 1 .. 6;
&q('hold', $due[0]);
$s->stop_milter('store');
for (1 .. 6) {
	my $id = $due[$_ - 1];
	open my $log, '>>', "$state/objects/" . substr($id, 0, 2) . "/$id.log"
	    or die $!;
	print $log $json->encode({ event => 'expires', time => 1, actor => '',
	    recipient => "due$_\@our.test", expires => 1000 + $_ }), "\n";
}
open my $clock, '+<', "$state/clock" or die $!;
my ($wall, $rest) = <$clock> =~ /^(\d+) (.*)$/s;
seek $clock, 0, 0;
print $clock $wall - 86400, " $rest";
close $clock;
$s->options('store', expire_cap => 3, clock_guard => '2s');
$s->allow(qr/were not in the index/, qr/the clock has jumped by 86\d\d\d s/,
    qr/is the cap/);
$s->start_milter('store');
is ask(op => 'expire')->{error}, 'trouble',
    'the clock has jumped a day: nothing expires';
my $until = time + 20;
sleep 0.1 while !ask(op => 'expire', dry => JSON::PP::true)->{ok} &&
    time < $until;
my $would = ask(op => 'expire', dry => JSON::PP::true);
is_deeply [ map { $_->{object} } @{ $would->{rows} } ], [ @due[1 .. 3] ],
    'dry: the oldest, up to the cap, and none that is on hold';
is_deeply [ map { $_->{state} } rows(sender => 'due@sender.test') ],
    [ ('held') x 6 ], 'and nothing is done';
is_deeply [ map { $_->{object} } @{ ask(op => 'expire')->{rows} } ],
    [ @due[1 .. 3] ], 'the run does what the dry one said';
is ask(op => 'raw', object => $due[1])->{error}, 'gone', 'gone it is';
is ask(op => 'expire')->{expired}, 2, 'the rest comes with the next';
is ask(op => 'expire')->{expired}, 0, 'then it is over';
($row) = rows(object => $due[0]);
is $row->{state}, 'held', 'but what is on hold is there';
my $again = fresh('graymail', 'due@sender.test', 'due2@our.test',
    subject => 'due 2');
is states($again, 'due2@our.test held'), 'due2@our.test held',
    'what had expired and comes again is held again';

# --- check-config ---
my ($right, $what) = $s->gatehouse('check-config', '--config', $s->conf);
like $what, qr/^store: right$/m, 'check-config knows its file';
$s->options('store', release_server => '127.0.0.1:0');
($right, $what) = $s->gatehouse('check-config', '--config', $s->conf);
is $right, 78, 'and what is wrong with it';
like $what, qr/^store: .*release_server/m, 'in words';
$s->options('store', release_server => '127.0.0.1:' . $sink->port);

# --- reload ---
$s->options('store', retention_spam => '40d');
$s->allow(qr/configuration not reloaded/);
$s->log->mark;
$s->signal_milter('store', 'USR1');
ok $s->log->wait_for(qr/not reloaded.*retention_spam/), 'a wrong reload';
$s->options('store', retention_spam => '1h', quota => 1000);
$s->allow(qr/the quarantine is (?:nearly )?full/);
$s->signal_milter('store', 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/), 'and a right one';
is sprintf('%o', (stat "$state/incoming")[2] & 07777), '3550',
    'over the quota filters write nothing more, and nothing is thrown away';
$s->options('store', quota => 0);
$s->signal_milter('store', 'USR1');
ok $s->log->wait_for(qr/has room again/), 'until there is room';
is sprintf('%o', (stat "$state/incoming")[2] & 07777), '3770', 'again';
my $short = fresh('spam', 'b@sender.test', 'x@our.test');
states($short, 'x@our.test held');
($row) = rows(object => $short);
is $row->{expires} - $row->{changed} <= 3601, 1, 'counts from now on';

# --- killed at any moment ---
$sink->rest;
my %want;
for my $round (1 .. ($ENV{GATEHOUSE_FULL} ? 60 : 6)) {
	my @ids = map { hold('spam', "k$round\@sender.test",
	    "k$round.$_\@our.test", body => "$round $_") } 1 .. 3;
	$want{$_} = 1 for @ids;
	my $pid = fork() // die;
	if ($pid == 0) {
		for my $id (@ids, keys %want) {
			ask(op => 'release', object => $id);
		}
		POSIX::_exit(0);
	}
	sleep rand 0.15;
	$s->kill_milter('store');
	kill 'KILL', $pid;
	waitpid $pid, 0;
	$s->start_milter('store');
}
$s->allow(qr/were not in the index|is cut off/);
my $end = time + 30;
my %left = %want;
while (%left && time < $end) {
	for my $id (keys %left) {
		my $answer = ask(op => 'release', object => $id);
		delete $left{$id} if $answer->{ok} ||
		    ($answer->{why} // '') eq 'released';
	}
	sleep 0.05 if %left;
}
is_deeply [ keys %left ], [], 'killed: nothing is lost';
my %got;
$got{"@{ $_->{rcpt} }"}++ for $sink->rest;
is scalar(keys %got), scalar(keys %want), 'each has arrived';
my @twice = grep { $got{$_} > 1 } keys %got;
my @told = $s->log->lines(qr/it may come twice/);
cmp_ok scalar(@twice), '<=', scalar(@told),
    'and what came twice was told in the log';
is ask(op => 'check')->{ok}, JSON::PP::true, 'the index is whole';

$sink->stop;
$s->done;
