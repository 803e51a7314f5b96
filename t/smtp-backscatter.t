#!/usr/bin/perl
# Backscatter the whole way: mail goes out through auth-check, a real bounce of
# Postfix comes back and is delivered; forged ones are held, auto-replies not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Suite;

my %quiet = (spf => 'off', dkim => 'false', dmarc => 'false', arc => 'false',
    iprev => 'false', harvest => 'false');
my $s = Gatehouse::Suite->new(zone => '', main => {
	transport_maps => 'inline:{ { gone.test = error:5.1.1 nobody is here } }',
    }, house => { outbound_daemons => [ 'ORIGINATING' ] })
    ->milter('auth-check', %quiet, backscatter_learn => '0s');
# The way out knows gone.test as a domain that takes mail and bounces it.
$s->postfix(services => [ { name => 'out',
    milters => [ 'unix:gatehouse/auth-check/sock' ], options => {
	milter_macro_daemon_name => 'ORIGINATING',
	smtpd_reject_unlisted_recipient => 'no' } } ]);
my $state = $s->dir . '/state/auth-check';

sub out { $s->send(service => 'out', client => '10.0.0.5',
    from => 'us@gatehouse.test', @_) }
sub in {
	my (%m) = @_;
	return $s->send(client => '192.0.2.1', from => '',
	    rcpt => 'us@gatehouse.test', %m);
}
sub rule {
	my ($answer) = @_;
	my $line = $s->line('auth-check', $s->queue_id($answer), 10) // '';
	return $line =~ /verdict=(\w+), rule=([\w-]+)/ ? "$1 $2" : $line;
}
sub held {
	my ($answer) = @_;
	my $id = $s->queue_id($answer);
	return scalar grep { $_->{queue_id} eq $id &&
	    $_->{queue_name} eq 'hold' } $s->pf->queue;
}

# A bounce of that id and recipient, in words or as a report.
sub bounce {
	my ($id, $to, %m) = @_;

	return join "\n", 'From: MAILER-DAEMON@mx.far.test',
	    'To: us@gatehouse.test', 'Subject: Undelivered Mail Returned',
	    'Message-ID: <' . int(rand 1e9) . '@mx.far.test>',
	    'MIME-Version: 1.0', 'Content-Type: multipart/report; ' .
	    'report-type=delivery-status; boundary="b"', '', '--b',
	    'Content-Type: text/plain', '', 'Sorry.', '--b',
	    'Content-Type: message/delivery-status', '',
	    'Reporting-MTA: dns; mx.far.test', '', "Final-Recipient: rfc822; $to",
	    'Action: failed', '', '--b', 'Content-Type: text/rfc822-headers', '',
	    ($m{proof} ? "X-Gatehouse-Proof: $m{proof}" : ()),
	    "Message-ID: <$id>", '', '--b--', '';
}

# --- nothing went out yet: no judgement ---
my $got = in(message => bounce('x@gatehouse.test', 'a@far.test'));
is rule($got), 'accept bounce', 'before anything has gone out it is let in';
ok $s->sink->next(20), 'and arrives';

# --- out: the proof, and only ours ---
$got = out(rcpt => 'friend@far.test', message_id => 'out.1@gatehouse.test',
    header => "X-Gatehouse-Proof: 1.2.3\n");
like $got, qr/^250/, 'mail goes out';
my $mail = $s->sink->next(20);
my @proofs = $s->fields($mail->{bytes}, 'X-Gatehouse-Proof');
is scalar(@proofs), 1, 'with one proof';
like $proofs[0], qr/^\d{5}\.[0-9a-f]{16}\.[0-9a-f]{32}$/, 'of ours';
$got = out(rcpt => 'list@far.test', from => '');
$mail = $s->sink->next(20);
is_deeply [ $s->fields($mail->{bytes}, 'X-Gatehouse-Proof') ], [],
    'none with an empty reverse-path';

# --- a real bounce ---
$got = out(rcpt => 'nobody@gone.test', message_id => 'out.2@gatehouse.test');
like $got, qr/^250/, 'mail that will bounce';
$mail = $s->sink->next(30);
like $mail->{bytes}, qr/^Content-Type: multipart\/report.*X-Gatehouse-Proof: /ms,
    'Postfix writes its bounce, which returns the proof';
$got = in(message => $s->without_received($mail->{bytes}));
is rule($got), 'accept bounce', 'it comes in';
ok $s->sink->next(20), 'and is delivered';
my ($event) = grep { ($_->{'gatehouse.queue_id'} // '') eq $s->queue_id($got) }
    Gatehouse::Journal->events($state);
is "@{$event}{map { qq(gatehouse.bounce.$_) } qw(kind proof sign message_id)}",
    'dsn header delivery-status <out.2@gatehouse.test>', 'the journal says why';

# --- others ---
for (
	[ 'id and recipient', bounce('out.1@gatehouse.test', 'friend@far.test'),
	    'accept bounce' ],
	[ 'another recipient', bounce('out.1@gatehouse.test', 'b@far.test'),
	    'quarantine spam-ndr' ],
	[ 'another id', bounce('out.9@gatehouse.test', 'friend@far.test'),
	    'quarantine spam-ndr' ],
	[ 'a proof', bounce('out.1@gatehouse.test', 'forwarded@far.test',
	    proof => $proofs[0]), 'accept bounce' ],
	[ 'a proof of another message', bounce('out.9@gatehouse.test',
	    'friend@far.test', proof => $proofs[0]), 'quarantine spam-ndr' ],
	[ 'a forged proof', bounce('out.9@gatehouse.test', 'friend@far.test',
	    proof => $proofs[0] =~ tr/0-9/1-90/r), 'quarantine spam-ndr' ],
	[ 'in words', "From: MAILER-DAEMON\@mx.far.test\nSubject: failure " .
	    "notice\n\nHi. This is the qmail-send program at mx.far.test.\n\n" .
	    "<a\@far.test>:\nno such user\n", 'quarantine spam-ndr' ],
	[ 'a vacation note', "From: friend\@far.test\nSubject: Out of office\n" .
	    "Auto-Submitted: auto-replied\n\nI am away.\n", 'accept off' ],
) {
	my ($what, $message, $want) = @$_;

	$got = in(message => $message);
	$want = 'accept none' if $want eq 'accept off';
	is rule($got), $want, $what;
	is held($got), $want =~ /quarantine/ ? 1 : 0, 'held, or not';
	ok $s->sink->next(20), 'it arrives' unless $want =~ /quarantine/;
}
is rule(in(from => 'boss@far.test', message => bounce('out.9@gatehouse.test',
    'friend@far.test'))), 'accept none', 'a person may forward a bounce';
$s->sink->next(20);

# --- other actions; a restart keeps what was sent ---
$s->allow(qr/the last run ended/, qr/postfix.*warning: .*[mM]ilter/);
$s->kill_milter('auth-check');
$s->options('auth-check', backscatter => 'reject');
$s->start_milter('auth-check');
like in(message => bounce('out.9@gatehouse.test', 'friend@far.test')),
    qr/^550 5\.7\.1 bounce of a message that was not sent from here/, 'reject';
is rule(in(message => bounce('out.1@gatehouse.test', 'friend@far.test'))),
    'accept bounce', 'a good one passes, after a kill';
$s->sink->next(20);
$s->options('auth-check', backscatter => 'tag');
$s->signal_milter('auth-check', 'USR1');
$s->log->wait_for(qr/configuration reloaded/, 10);
$got = in(message => bounce('out.9@gatehouse.test', 'friend@far.test'));
$mail = $s->sink->next(20);
like +($s->fields($mail->{bytes}, 'X-Gatehouse-Tag'))[0], qr/^spam-ndr /, 'tag';
$s->log->mark;
$s->options('auth-check', backscatter => 'off');
$s->signal_milter('auth-check', 'USR1');
$s->log->wait_for(qr/configuration reloaded/, 10);
$got = in(message => bounce('out.9@gatehouse.test', 'friend@far.test'));
is rule($got), 'accept off', 'off';
$s->sink->next(20);
out(rcpt => 'friend@far.test');
$mail = $s->sink->next(20);
is_deeply [ $s->fields($mail->{bytes}, 'X-Gatehouse-Proof') ], [],
    'and no proof goes out';

$s->done;
