#!/usr/bin/perl
# gatehouse-splitter spoken to by LMTP, with a sink where the second pass would
# be: what is answered to whom, what arrives, and what comes twice.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Lmtp;
use Gatehouse::Sink;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $sink = Gatehouse::Sink->new(dir => $s->dir . '/sink');
my $sock = $s->dir . '/splitter.sock';
my $key = $s->dir . '/seal.key';
my $server = '127.0.0.1:' . $sink->port;
my $ids = 0;

open my $f, '>', $key or die $!;
print $f '0123456789abcdef' x 4, "\n";
close $f;
chmod 0600, $key;
@{ $s->{house} }{qw(seal_key splitter)} = ($key, 'true');
$s->service('splitter', socket => $sock, reinject_server => $server,
    connections => 5, workers => 4, idle => '2s')->daemons;

sub client { Gatehouse::Lmtp->new(path => $sock, @_) }

# A message as it comes out of the first pass: each has an identity of its own
# only if its recipients differ, so they do.
sub marked {
	my ($queue_id, $pass) = @_;
	my $mark = `$ENV{GATEHOUSE_BUILD}/t/split-map --mark @{[ $s->conf
	    ]}/gatehouse.conf $queue_id @{[ $pass // 1 ]}`;

	return $mark . "Subject: x\r\n\r\n";
}

sub id { sprintf '4Zx1Qk2hJ%03d', ++$ids }

sub deliver {
	my (%m) = @_;
	my $c = $m{on} // client();
	my $id = $m{queue_id} // id();

	return $c->deliver(from => 's@client.test', queue_id => $id,
	    message => $m{message} // marked($id) . "Good day.\r\n",
	    %m);
}

sub codes { join ' ', map { /^(\d+ \d\.\d\.\d)/ ? $1 : $_ } @_ }

# --- one class, three recipients, two messages on one connection ---
my $c = client();
like $c->banner, qr/^220 mx\.gatehouse\.test LMTP/, 'greeting';
like $c->ehlo, qr/PIPELINING.*8BITMIME.*SMTPUTF8.*DSN.*XFORWARD/s,
    'what it knows';
unlike $c->ehlo, qr/SIZE \d/, 'it names no limit, which would be a bounce';
is codes(deliver(on => $c, rcpt => [ map { "$_\@one.test" } 1 .. 3 ],
    mail_args => 'BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=e',
    rcpt_args => 'NOTIFY=SUCCESS ORCPT=rfc822;o@one.test')),
    '250 2.0.0 250 2.0.0 250 2.0.0', 'three answers';
my $mail = $sink->next(10);
is_deeply $mail->{rcpt}, [ map { "<$_\@one.test> NOTIFY=SUCCESS " .
    'ORCPT=rfc822;o@one.test' } 1 .. 3 ], 'one copy, with what DSN says';
is $mail->{mail}, '<s@client.test> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=e',
    'and of the message';
is scalar($s->fields($mail->{bytes}, 'X-Gatehouse-Split')), 1,
    'one mark, of the second pass';
like $mail->{bytes}, qr/\r\nSubject: x\r\n\r\nGood day\.\r\n\z/,
    'and the message as it was';
is codes(deliver(on => $c, from => '', rcpt => 'u@two.test')), '250 2.0.0',
    'another one, from nobody';
is $sink->next(10)->{mail}, '<>', 'arrives';
ok $s->log->wait_for(qr/splitter\S+ 4Zx1Qk2hJ001: classes=1, nrcpt=3, taken=3/,
    10), 'a line of the log';
$c->quit;
my ($event) = grep { ($_->{'event.action'} // '') eq 'split' }
    Gatehouse::Journal->about($s->dir . '/state/splitter', '4Zx1Qk2hJ001');
is scalar @{ $event->{'gatehouse.copies'}[0]{recipients} }, 3,
    'an event of the journal';

# --- bytes ---
my $text = "\xc3\xa4 8-bit \x80\r\n..\r\n. \r\n" . 'x' x 3000 . "\r\n";
my $id = id();
is codes(deliver(queue_id => $id, rcpt => 'b@bytes.test', message =>
    marked($id) . $text)), '250 2.0.0', 'dots, eight bits, a long line';
like $sink->next(10)->{bytes}, qr/\r\n\r\n\Q$text\E\z/, 'arrive as they are';
my $big = ('y' x 70 . "\r\n") x 40000;
$id = id();
is codes(deliver(queue_id => $id, rcpt => 'b@big.test', message =>
    marked($id) . $big)), '250 2.0.0', 'three megabytes';
is length($sink->next(20)->{bytes} =~ s/.*?\r\n\r\n//sr), length $big,
    'arrive too';

# --- answers of the other side, and what Postfix hears of them ---
for ([ 'rcpt a@ans.test 452 4.2.2 full', 'a@ans.test b@ans.test',
    '452 4.2.2 250 2.0.0' ],
    [ 'rcpt a@bad.test 550 5.1.1 no such', 'a@bad.test b@bad.test',
    '451 4.3.0 250 2.0.0' ],
    [ 'connect * 421 4.3.2 not now', 'c@busy.test', '451 4.4.1' ],
    [ 'data d@data.test 554 5.7.1 no', 'd@data.test', '451 4.3.0' ],
    [ 'data * close', 'e@gone.test', '451 4.4.2' ]) {
	my ($rule, $to, $want) = @$_;

	$sink->rules($rule);
	is codes(deliver(rcpt => [ split ' ', $to ])), $want, $rule;
}
$sink->rules;
$s->allow(qr/the second pass refused mail that was accepted/);
$sink->rest;

# --- what is none of ours ---
for ([ 'no mark', id(), sub { "Subject: x\r\n\r\n" } ],
    [ 'a mark of another message', id(), sub { marked('4Zx1Qk2hJ9zz') } ],
    [ 'one of the second pass', id(), sub { marked($_[0], 2) } ],
    [ 'no queue id', '', sub { marked('4Zx1Qk2hJ9zz') } ]) {
	my ($what, $qid, $message) = @$_;

	is codes(deliver(queue_id => $qid, rcpt => 'n@none.test',
	    message => $message->($qid))), '451 4.3.0', "$what: later";
}
$s->allow(qr/cannot be split now/);
is $sink->count, 0 + $sink->{seen}, 'and nothing went on';

# --- an answer that was lost: no second copy ---
$id = id();
deliver(queue_id => $id, rcpt => [ 'l@lost.test', 'm@lost.test' ],
    answers => 0);
ok $sink->next(10), 'taken, and the answer was not waited for';
ok $s->log->wait_for(qr/\Q$id\E: classes=1, nrcpt=2, taken=2/, 10), 'known';
my @again = deliver(queue_id => $id, rcpt => [ 'l@lost.test', 'm@lost.test' ]);
like "@again", qr/^250 2\.0\.0 Ok: given back before.*before/, 'again: 250';
$s->kill_milter('splitter')->start_milter('splitter');
@again = deliver(queue_id => $id, rcpt => [ 'm@lost.test', 'n@lost.test' ]);
is codes(@again), '250 2.0.0 250 2.0.0', 'also after a kill';
is_deeply $sink->next(10)->{rcpt}, [ '<n@lost.test>' ],
    'and only who is new gets it';
ok !$sink->rest, 'nothing came twice';

# --- killed before the other side has answered: Postfix comes again ---
$sink->rules('rcpt k@kill.test delay 1500');
$id = id();
$c = client();
deliver(on => $c, queue_id => $id, rcpt => 'k@kill.test', answers => 0);
sleep 0.2;
$s->kill_milter('splitter');
like $c->answer(5), qr/^closed/, 'killed: no answer';
$sink->rules;
$s->start_milter('splitter');
is codes(deliver(queue_id => $id, rcpt => 'k@kill.test')), '250 2.0.0',
    'again: taken';
ok $sink->next(10), 'and it is there';

# --- a stop waits for what is under way ---
$sink->rules('rcpt w@wait.test delay 600');
$c = client();
deliver(on => $c, rcpt => 'w@wait.test', answers => 0);
sleep 0.2;
$s->signal_milter('splitter', 'TERM');
like $c->answer(10), qr/^250 /, 'a stop waits for the answer';
is $s->process('splitter')->wait(10), 0, 'and then it stops';
$sink->rules;
$s->start_milter('splitter');

# --- nobody there: 451, at once ---
$sink->stop;
is codes(deliver(rcpt => 'x@down.test')), '451 4.4.1', 'the listener is down';

# --- clients of all kinds ---
$c = client(silent => 1);
$c->write("\xff\x00" x 5000 . "\r\nNOOP\r\n" . 'z' x 100000 . "\r\n" .
    "EHLO x\r\nQUIT\r\n");
my @said = map { $c->answer } 1 .. 6;
is codes(@said), '220 mx.gatehouse.test LMTP Gatehouse 500 5.5.2 ' .
    '250 2.0.0 500 5.5.2 500 5.5.1 221 2.0.0', 'noise';
my @many = map { client(silent => 1) } 1 .. 6;
my @first = map { $_->answer } @many;
is scalar(grep { /^220/ } @first), 5, 'so many connections';
like $first[5], qr/^421 4\.3\.2/, 'and no more';
$s->allow(qr/warning: too many connections/);
like $many[0]->answer(10), qr/^closed/, 'who says nothing is hung up on';
$_->close for @many;
SKIP: {
	skip 'NOT TESTED: another user needs root', 1 if $> != 0;
	chmod 0666, $sock;
	chmod 0755, $s->dir;
	my $pid = fork;
	if ($pid == 0) {
		POSIX::setuid((getpwnam 'nobody')[2]);
		my $got = client(silent => 1)->answer(5);
		POSIX::_exit($got =~ /^closed/ ? 0 : 1);
	}
	waitpid $pid, 0;
	is $?, 0, 'who is no peer is hung up on';
	$s->allow(qr/connection of uid \d+ refused/);
}

# --- reload ---
$s->options('splitter', reinject_server => 'nonsense');
$s->signal_milter('splitter', 'USR1');
ok $s->log->wait_for(qr/configuration not reloaded.*reinject_server/, 10),
    'a wrong configuration is not taken';
$s->allow(qr/configuration not reloaded/);
$s->options('splitter', reinject_server => $server);
$s->signal_milter('splitter', 'USR1');
ok $s->log->wait_for(qr/splitter\S+ configuration reloaded/, 10),
    'a right one is';

$s->done;
