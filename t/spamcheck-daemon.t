#!/usr/bin/perl
# gatehouse-spamcheck spoken to by LMTP: who is answered and who is not, what a
# report says, by mail and by webhook, and what happens when one of these does
# not take it. All of it in memory.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use Test::More;
use Time::HiRes qw(sleep);

use Gatehouse::Lmtp;
use Gatehouse::Process;
use Gatehouse::Sink;
use Gatehouse::Suite;

my $src = $ENV{GATEHOUSE_SRC} // "$FindBin::Bin/..";
my $to = 'spamcheck@gatehouse.test';
my $me = 'desk@gatehouse.test';
my $s = Gatehouse::Suite->new(house => { spamcheck_addresses => [ $to ] });
my $dir = $s->dir;
my $json = JSON::PP->new->utf8;
my $sink = Gatehouse::Sink->new(dir => "$dir/sink");
my $ids = 0;

mkdir "$dir/hook" or die $!;
my $hook = Gatehouse::Process->start(name => 'hook', say => 1,
    argv => [ Gatehouse::Suite::build() . '/t/http-sink', "$dir/hook" ],
    log => "$dir/hook.log");
my ($port) = $hook->said =~ /^port (\d+)/ or die $hook->said;

sub put {
	my ($path, $bytes) = @_;

	open my $f, '>:raw', $path or die "$path: $!";
	print $f $bytes;
	close $f or die "$path: $!";
}

sub slurp {
	open my $f, '<:raw', $_[0] or return '';
	local $/;
	return <$f>;
}

put("$dir/token", "se-cret\n");
$s->conf_write('notices.conf', server => '127.0.0.1:' . $sink->port,
    packaged_templates => "$src/etc/templates", from => 'check@gatehouse.test',
    scope => [ { user => 'fritz@gatehouse.test', language => 'de' },
    { user => 'jean@gatehouse.test', language => 'fr' } ]);
my %options = (socket => "$dir/check.sock",
    antispam => $s->conf . '/antispam.conf', size => '100k',
    memory => '250k', notices => $s->conf . '/notices.conf', workers => 4,
    connections => 8, idle => '2s', rate => 0, deadline => '60s',
    webhook => "http://127.0.0.1:$port/spam?to=desk",
    webhook_token => "$dir/token");
$s->milter('antispam', model => "$src/milters/antispam/antispam.model",
    act_at => 60);
$s->service('spamcheck', %options)->daemons;

sub client { Gatehouse::Lmtp->new(path => "$dir/check.sock", @_) }
sub id { sprintf '4Zx1Qk2hJ%03d', ++$ids }

sub draft {
	my (%m) = @_;

	return join("\n", 'From: Desk <desk@gatehouse.test>',
	    'To: Readers <readers@far.test>', 'Subject: ' .
	    ($m{subject} // 'You won: claim your prize now'),
	    'Date: Thu, 26 Nov 2026 12:00:00 +0000',
	    'Message-ID: <d' . ++$ids . '@gatehouse.test>', @{ $m{head} // [] },
	    '', $m{body} // 'Dear winner, claim your free lottery prize of ' .
	    '$1,000,000 now! Click http://prize.example/claim and send your ' .
	    'bank account. Viagra at low price, no prescription. 100% free!',
	    '') =~ s/\n/\r\n/gr;
}

sub lines { my ($c, $n) = @_; return "$c$c$c$c$c$c$c$c$c$c\n" x (7 * $n) }

# What Postfix puts before it.
sub received {
	my ($id, $with) = @_;

	return "Received: from pc.gatehouse.test (pc.gatehouse.test " .
	    "[192.0.2.9])\r\n\t(using TLSv1.3 with cipher X (256/256 bits))" .
	    "\r\n\tby mx.gatehouse.test (Postfix) with $with id $id\r\n\t" .
	    "for <$to>; Thu, 26 Nov 2026 12:00:01 +0000 (UTC)\r\n";
}

sub ask {
	my (%m) = @_;
	my $c = $m{on} // client();
	my $id = $m{queue_id} // id();

	return $c->deliver(from => $me, rcpt => $to, queue_id => $id,
	    xforward => 'NAME=pc ADDR=198.51.100.7 SOURCE=REMOTE',
	    message => draft(), %m);
}

sub codes { join ' ', map { /^(\d+ \d\.\d\.\d)/ ? $1 : $_ } @_ }

# The percent that the command gives, and all it says.
sub command {
	my ($message) = @_;

	put("$dir/draft.eml", $message);
	my ($status, $out) = $s->gatehouse('spam', 'check', '--json',
	    '--config', $s->conf, "$dir/draft.eml");
	return $json->decode($out);
}

# A report: its fields, its text, its JSON.
sub report {
	my $mail = $sink->next(10) or return {};
	my ($head, $body) = split /\r\n\r\n/, $mail->{bytes}, 2;
	my ($b) = $head =~ /boundary="([^"]+)"/;
	my (undef, $text, $data) = split /\r\n--\Q$b\E(?:--)?\r\n/,
	    "\r\n$body";
	my ($part, $base) = split /\r\n\r\n/, $data, 2;

	return { mail => $mail, head => $head =~ s/\r\n[ \t]/ /gr,
	    part => $part, text => $text =~ s/=\r\n//gr =~
	    s/=([0-9A-F]{2})/chr hex $1/ger,
	    json => $json->decode(decode_base64($base)) };
}

# --- a draft and its report ---
my $id = id();
my $spam = draft();
my $want = command($spam);
cmp_ok $want->{percent}, '>=', 50, 'the draft is spam';
my ($got) = ask(queue_id => $id, message => received($id, 'ESMTP') . $spam);
like $got, qr/^250 2\.0\.0 Ok: $want->{class}, spam with $want->{percent} %: /,
    'it was checked' or diag $got;
my $r = report();
is_deeply $r->{mail}{rcpt}, [ "<$me> NOTIFY=NEVER" ], 'to the sender';
is $r->{mail}{mail}, '<>', 'from nobody';
like $r->{head}, qr/^From: "Mail security" +<check\@gatehouse\.test>\r$/m, 'in our name';
like $r->{head}, qr/^Auto-Submitted: auto-replied\r$/m, 'by a machine';
my ($draft_id) = $spam =~ /^Message-ID: (<.*>)/m;
like $r->{head}, qr/^In-Reply-To: +\Q$draft_id\E\r$/m, 'about that draft';
like $r->{head}, qr/^Subject: Spam check: $want->{percent} % - You won: claim/m,
    'the subject';
is_deeply $r->{json}{result}, $want, 'the command and the report agree';
is $r->{json}{sender}, $me, 'who asked';
like $r->{part}, qr{application/json}, 'a file for programs';
like $r->{text}, qr/^Probability of spam: $want->{percent} %\r$/m, 'in words';
is scalar(() = $r->{text} =~ /^  +[+-]\d/mg), scalar @{ $want->{reasons} },
    'with all reasons';
ok $s->log->wait_for(qr/spamcheck\S+ \Q$id\E: checked=yes, class=\S+ percent=$want->{percent}, /,
    5), 'a line of the log';

my $plain = draft(subject => 'Minutes of the meeting', body => 'Hello, here ' .
    "are the minutes of Monday's meeting about the roof.\nRegards, Eva",
    head => [ 'List-Unsubscribe: <https://gatehouse.test/u>',
    'Precedence: bulk', 'List-Id: <news.gatehouse.test>' ]);
like +(ask(message => $plain))[0], qr/^250 /, 'a newsletter is checked';
is_deeply report()->{json}{result}, command($plain), 'and judged the same';

# --- on its way: antispam lets pass what is for the check alone ---
for ([ 'in', '203.0.113.5' ], [ 'out', '198.51.100.7' ]) {
	my ($way, $from) = @$_;

	$s->log->mark;
	$s->talk('antispam', client => $from, from => $me, rcpt => [ uc $to ],
	    message => $spam);
	ok $s->log->wait_for(qr/antispam\S+ .*verdict=accept, rule=spamcheck/,
	    10), "$way: a draft passes";
	$s->log->mark;
	$s->talk('antispam', client => $from, from => $me, rcpt => [ $to,
	    'us@gatehouse.test' ], message => $spam);
	ok $s->log->wait_for(qr/antispam\S+ .*verdict=quarantine, rule=spam\b/,
	    10), "$way: not one that others get";
}

# --- languages, and words that are not ours ---
ask(from => 'fritz@gatehouse.test', message => draft(subject =>
    '=?UTF-8?B?PHNjcmlwdD4NCkJjYzogeEB5LnRlc3Q=?=', head => [
    'X-Other: 1' ]) =~ s/^Message-ID:.*\r\n/Message-ID: <a\@b>\r\n\t<c\@d>\r\n/mr);
$r = report();
like $r->{text}, qr/^Wahrscheinlichkeit von Spam: \d+ %/m, 'German';
unlike $r->{head}, qr/^(?:Bcc|In-Reply-To):/m, 'no field of the draft\'s';
like $r->{head}, qr/^Auto-Submitted: auto-replied/m, 'still an answer';
ask(from => 'jean@gatehouse.test');
like report()->{text}, qr/^Probabilit\xc3\xa9 de spam : \d+ %/m, 'French';

# --- who is one of us ---
my $far = 'NAME=x ADDR=203.0.113.5 SOURCE=REMOTE';
for ([ 'a network of ours', '250 2.0.0' ],
    [ 'from far', '550 5.7.1', xforward => $far ],
    [ 'an IPv6 address', '550 5.7.1',
      xforward => 'ADDR=IPV6:2001:db8::1 SOURCE=REMOTE' ],
    [ 'no client that is known', '550 5.7.1',
      xforward => 'ADDR=[UNAVAILABLE] SOURCE=LOCAL' ],
    [ 'this machine', '250 2.0.0', xforward => 'SOURCE=LOCAL' ],
    [ 'nothing is said', '550 5.7.1', xforward => 'NAME=x' ],
    [ 'a login', '250 2.0.0', xforward => $far, with => 'ESMTPSA' ],
    [ 'TLS alone', '550 5.7.1', xforward => $far, with => 'ESMTPS' ],
    [ 'a login elsewhere', '550 5.7.1', xforward => $far,
      with => 'ESMTPSA', other => 1 ],
    [ 'a domain of others', '550 5.7.1', from => 'a@far.test' ],
    [ 'nobody', '550 5.7.1', from => '' ],
    [ 'a machine', '550 5.7.1', head => 'Auto-Submitted: auto-replied' ],
    [ 'no machine', '250 2.0.0', head => 'Auto-Submitted: NO; x=1' ],
    [ 'a list', '550 5.7.1', head => 'List-Post: <mailto:l@gatehouse.test>' ],
    [ 'a list that says so', '550 5.7.1', head => 'Precedence: List' ],
    [ 'an address that is not ours', '451 4.3.5',
      rcpt => 'us@gatehouse.test' ],
    [ 'one of two', '451 4.3.5 250 2.0.0',
      rcpt => [ 'us@gatehouse.test', uc $to ] ]) {
	my ($what, $code, %m) = @$_;
	my $qid = id();
	my $text = draft(head => [ $m{head} // 'X-None: 1' ]);

	$text = received($m{other} ? '4Zx1Qk2hJ999' : $qid, $m{with}) . $text
	    if $m{with};
	delete @m{qw(head with other)};
	is codes(ask(queue_id => $qid, message => $text, %m)), $code, $what;
	ok report()->{json}, 'with a report' if $code =~ /250/;
}
$s->allow(qr/is none of spamcheck_addresses/);
is $sink->count, $sink->{seen}, 'and no report for anybody else';
ask(message => received($id, 'ESMTPSA') . $spam, queue_id => $id,
    xforward => $far);
$r = report();
ask(message => received($id, 'ESMTPSA') . $spam, queue_id => $id,
    xforward => $far);
my $again = report();
is $again->{json}{id}, $r->{json}{id}, 'what comes again has the same id';
my $field = qr/^Message-ID: +(\S+)/m;
is +($again->{head} =~ $field)[0], ($r->{head} =~ $field)[0],
    'and its report the same Message-ID';

# --- bounds ---
is codes(ask(message => draft(body => lines('x', 1400)))),
    '552 5.3.4', 'too large';
my @open = map { client() } 1 .. 3;
for my $c (@open) {
	$c->command("MAIL FROM:<$me>");
	$c->command("RCPT TO:<$to>");
	$c->command('DATA');
	$c->write(draft(body => lines('y', 1150)));
}
sleep 0.3;
$_->write(".\r\n") for @open;
my @codes = map { codes($_->answer) } @open;
is scalar(grep { /^452 4\.3\.1/ } @codes), 1, 'memory is bounded for all';
is codes(ask(xforward => 'ADDR=198.51.100.7')), '250 2.0.0',
    'and is free again';
report();
my $c = client(silent => 1);
$c->write("\xff\x00" x 5000 . "\r\nNOOP\r\nEHLO x\r\nQUIT\r\n");
is codes(map { $c->answer } 1 .. 5), '220 mx.gatehouse.test LMTP Gatehouse ' .
    '500 5.5.2 250 2.0.0 500 5.5.1 221 2.0.0', 'noise';
for my $odd ('', "\r\n", "\0\r\n\xff", ': ' x 5000 . "\r\n",
    "Received: \r\n (((((\r\n", "Subject: =?x?b?" . 'A' x 3000 . "\r\n\r\n",
    "Content-Type: multipart/mixed; boundary=x\r\n\r\n" . "--x\r\n" x 9000) {
	like codes(ask(message => $odd)), qr/^250 2\.0\.0/, 'odd bytes';
	ok report()->{json}{result}, 'have a result';
}

# --- a server that does not take the report ---
for ([ 'rcpt * 452 4.2.2 full', '451 4.4.1' ],
    [ 'rcpt * 550 5.1.1 no such', '451 4.4.1' ],
    [ 'data * 554 5.7.1 no', '451 4.4.1' ],
    [ 'data * close', '451 4.4.1' ],
    [ 'connect * 421 4.3.2 busy', '451 4.4.1' ]) {
	my ($rule, $code) = @$_;

	$sink->rules($rule);
	is codes(ask()), $code, $rule;
}
$sink->rules;
$sink->rest;

# --- webhook ---
sub mode { put("$dir/hook/mode", $_[0]) }
sub reload {
	$s->options('spamcheck', @_);
	$s->log->mark;
	$s->signal_milter('spamcheck', 'USR1');
	ok $s->log->wait_for(qr/spamcheck\S+ configuration reloaded/, 10),
	    "reloaded: @_";
}

reload(result => 'webhook');
is codes(ask(message => $spam)), '250 2.0.0', 'told to a program';
my $told = $json->decode(slurp("$dir/hook/body"));
is_deeply $told->{result}, $want, 'the same result';
is $told->{message_id}, $draft_id, 'about that draft';
my $head = slurp("$dir/hook/head");
like $head, qr{^POST /spam\?to=desk HTTP/1\.1\r$}m, 'where it wants it';
like $head, qr/^Authorization: Bearer se-cret\r$/m, 'with its token';
like $head, qr/^Idempotency-Key: "\Q$told->{id}\E"\r$/m, 'and its id';
for ([ 'status 500', '451 4.3.0' ], [ 'status 404', '451 4.3.0' ],
    [ 'status 302', '451 4.3.0' ], [ 'status 204', '250 2.0.0' ],
    [ 'garbage', '451 4.4.1' ], [ 'lost', '451 4.4.1' ],
    [ 'endless', '451 4.4.1' ]) {
	my ($mode, $code) = @$_;

	mode($mode);
	is codes(ask(message => $plain)), $code, "webhook: $mode";
}
is $sink->count, $sink->{seen}, 'and no mail';
mode('silent');
reload(deadline => '300ms');
is codes(ask()), '451 4.4.1', 'silence ends with the deadline';
mode('status 503');
reload(result => 'both', deadline => '60s');
is codes(ask()), '451 4.3.0', 'both: not the program, so not the mail';
is $sink->count, $sink->{seen}, 'which would come twice';
mode('ok');
is codes(ask()), '250 2.0.0', 'both took it';
ok report()->{json}, 'the mail too';
unlink "$dir/token";
is codes(ask()), '451 4.3.5', 'no token: later';
put("$dir/token", "se-cret\n");

# --- how often ---
reload(result => 'mail', rate => 3);
is codes(ask(from => 'r@gatehouse.test')), '250 2.0.0', 'one'
    for 1 .. 2;
is codes(ask(from => 'r@gatehouse.test', message =>
    "Precedence: list\r\n" . draft())), '550 5.7.1', 'a refused one is none';
is codes(ask(from => 'R@gatehouse.test')), '250 2.0.0', 'the third';
is codes(ask(from => 'r@gatehouse.test')), '450 4.7.1', 'the fourth waits';
is codes(ask(from => 's@gatehouse.test')), '250 2.0.0', 'not somebody else\'s';
$sink->rest;

# --- wrong configurations ---
for ([ { webhook => 'nowhere', result => 'webhook' }, 'webhook' ],
    [ { webhook_token => "$dir/none", result => 'both' }, 'webhook_token' ],
    [ { size => '300k' }, 'size' ],
    [ { antispam => $s->conf . '/notices.conf' }, 'notices.conf' ]) {
	my ($wrong, $says) = @$_;

	$s->options('spamcheck', %options, %$wrong);
	$s->log->mark;
	$s->signal_milter('spamcheck', 'USR1');
	ok $s->log->wait_for(qr/configuration not reloaded.*\Q$says\E/, 10),
	    "wrong: $says";
}
$s->options('spamcheck', %options);
$s->house(spamcheck_addresses => [ 'spam check' ]);
$s->log->mark;
$s->signal_milter('spamcheck', 'USR1');
ok $s->log->wait_for(qr/configuration not reloaded.*spamcheck_addresses/, 10),
    'wrong: an address';
$s->allow(qr/configuration not reloaded/);
$s->house(spamcheck_addresses => [ $to ]);

# --- a stop waits; nothing was written ---
$sink->rules('rcpt * delay 700');
$c = client();
ask(on => $c, answers => 0);
sleep 0.2;
$s->signal_milter('spamcheck', 'TERM');
like $c->answer(10), qr/^250 /, 'a stop waits for the answer';
is $s->process('spamcheck')->wait(10), 0, 'and then it stops';
is_deeply [ grep { -f } glob "$dir/state/spamcheck/*" ], [],
    'it has no file of its own';
unlike join("\n", $s->log->lines(qr/gatehouse-spamcheck/)),
    qr/prize|winner|bank|Minutes/, 'and says nothing of a message';
$s->start_milter('spamcheck');
$hook->stop;
$s->done;
