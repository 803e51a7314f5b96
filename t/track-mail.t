#!/usr/bin/perl
# The whole path: a real Postfix writes the log, a milter its journal, and
# gatehouse-track tells what became of each message.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(house => { journal_subjects => 'true' },
    main => { bounce_queue_lifetime => '1d',
    header_checks => 'regexp:{{/^Subject:/ INFO}}',
    smtpd_recipient_restrictions =>
	'check_recipient_access inline:{{nobody@gatehouse.test=reject}}' });
my $dir = $s->dir;
my $state = "$dir/state";
my $json = JSON::PP->new->utf8;

$s->milter('probe')->service('track', maillogs => [ "$dir/log/mail.log" ],
    subjects => 'true')->postfix;
$s->sink->rules('rcpt no@out.test 550 5.1.1 no such user',
    'rcpt later@out.test 451 4.3.0 not now');

sub search {
	my ($status, $text) = $s->gatehouse('search', '--state', $state,
	    '--json', @_);

	return @{ ($text =~ /^\{/ ? $json->decode($text) : {})->{rows} // [] };
}

# The row of that message and recipient, once it has that fate.
sub row {
	my ($id, $to, $fate) = @_;
	my $end = time + 20;
	my ($row, $last);

	do {
		($row) = $last = (search('--queue-id', $id, '--to', $to))[0];
		return $row if $row && $row->{fate} eq $fate;
		sleep 0.1;
	} while (time < $end);
	return $last // {};
}

sub story { ($s->gatehouse('explain', '--state', $state, @_))[1] }

sub told {
	my ($id) = @_;
	my ($status, $text) = $s->gatehouse('explain', '--state', $state,
	    '--json', $id);

	return $text =~ /^\[/ ? @{ $json->decode($text) } : ();
}

# --- delivered ------------------------------------------------------------

my $id = $s->queue_id($s->send(rcpt => 'good@out.test',
    subject => 'How are you?', message_id => 'one@client.test'));
my $row = row($id, 'good@out.test', 'sent');
is $row->{fate}, 'sent', 'delivered';
like $row->{reply}, qr/^250 /, 'with the reply of the next hop';
is $row->{from}, 'sender@client.test', 'from';
is $row->{message_id}, 'one@client.test', 'Message-ID';
is $row->{ip}, '192.0.2.1', 'client';
is $row->{subject}, 'How are you?', 'subject, as header_checks told it';
is $row->{milter}, 'probe', 'what the milter said';
cmp_ok $row->{size}, '>', 100, 'size';
is scalar(told($id)), 1, 'one message';
$id = $s->queue_id($s->send(rcpt => 'good@out.test',
    subject => '=?utf-8?q?Gr=C3=BC=C3=9Fe?='));
is((Gatehouse::Journal->about("$state/probe", $id))[0]{'email.subject'},
    "Gr\xfc\xdfe", 'a subject in the journal, decoded');
like story('<one@client.test>'), qr/good\@out\.test>[ ]sent[ ].*
    milter[ ]+probe:[ ]accept[ ]\(accept\)/sx, 'explained';

# --- bounced, and the bounce ----------------------------------------------

$id = $s->queue_id($s->send(from => 'me@back.test', rcpt => 'no@out.test'));
is row($id, 'no@out.test', 'bounced')->{dsn}, '5.1.1', 'bounced';
my $end = time + 20;
my @told;
do { @told = told($id); sleep 0.1 }
    while (time < $end && (@told < 2 || $told[1]{state} ne 'done'));
is $told[1]{parent}, $id, 'the bounce is named';
is $told[1]{relation}, 'sender non-delivery', 'as what it is';
is $told[1]{recipients}[0]{to}, 'me@back.test', 'to whom';
is $told[1]{recipients}[0]{fate}, 'sent', 'and that it went out';

# --- two recipients, two fates; deferred, then delivered -------------------

$id = $s->queue_id($s->send(rcpt => [ 'good@out.test', 'later@out.test' ]));
is row($id, 'later@out.test', 'deferred')->{fate}, 'deferred', 'deferred';
is row($id, 'good@out.test', 'sent')->{fate}, 'sent', 'the other is sent';
is_deeply [ map { $_->{to} } search('--fate', 'deferred') ],
    [ 'later@out.test' ], 'found by its fate';
$s->sink->rules('rcpt no@out.test 550 5.1.1 no such user');
$s->pf->flush;
$row = row($id, 'later@out.test', 'sent');
is $row->{fate}, 'sent', 'later delivered';
cmp_ok $row->{tries}, '>=', 2, 'after some tries';
like story($id), qr/deferred <later\@out\.test>: .*451 4\.3\.0 not now/,
    'the first try is told';

# --- refused --------------------------------------------------------------

like $s->send(rcpt => 'us@gatehouse.test', header => "X-Probe: reject\n",
    from => 'bad@client.test'), qr/^550 5\.7\.1 /, 'refused by the milter';
$end = time + 20;
my @rows;
do { @rows = search('--from', 'bad@client.test'); sleep 0.1 }
    while (time < $end && (!@rows || $rows[0]{fate} ne 'rejected'));
is $rows[0]{fate}, 'rejected', 'so it is told';
like $rows[0]{reply}, qr/refused by probe/, 'with what was answered';
is "$rows[0]{verdict} $rows[0]{rule}", 'reject reject',
    'and what the milter decided';
is $rows[0]{state}, 'refused', 'nothing was queued';
like $s->send(rcpt => 'us@gatehouse.test', header => "X-Probe: tempfail\n",
    from => 'later@client.test'), qr/^451 4\.7\.1 /, 'deferred by it';
do { @rows = search('--from', 'later@client.test'); sleep 0.1 }
    while (time < $end && (!@rows || $rows[0]{fate} ne 'tempfailed'));
is $rows[0]{fate}, 'tempfailed', 'so it is told';
like $s->send(rcpt => 'nobody@gatehouse.test', from => 'rcpt@client.test'),
    qr/^554 5\.7\.1 /, 'refused at RCPT';
do { @rows = search('--from', 'rcpt@client.test'); sleep 0.1 }
    while (time < $end && !@rows);
is "$rows[0]{to} $rows[0]{fate}", 'nobody@gatehouse.test rejected',
    'so it is told';
ok !exists $rows[0]{queue_id}, 'it had no queue id';

# --- held, released; discarded --------------------------------------------

$id = $s->queue_id($s->send(rcpt => 'good@out.test',
    header => "X-Probe: hold\n"));
is row($id, 'good@out.test', 'held')->{state}, 'held', 'on hold';
$s->pf->command('postsuper', '-H', $id);
is row($id, 'good@out.test', 'sent')->{fate}, 'sent', 'released and sent';
like story($id), qr/released from hold/, 'as the story says';
$id = $s->queue_id($s->send(rcpt => 'good@out.test',
    header => "X-Probe: discard\n"));
is row($id, 'good@out.test', 'discarded')->{verdict}, 'discard',
    'discarded by the milter';

# --- what a local program sends -------------------------------------------

open my $mail, '|-', '/usr/sbin/sendmail', '-C', $s->pf->config, '-f',
    'cron@gatehouse.test', 'pick@out.test' or die $!;
print $mail "Subject: from a program\n\nGood day.\n";
close $mail;
do { @rows = search('--from', 'cron@gatehouse.test'); sleep 0.1 }
    while (time < $end && (!@rows || $rows[0]{fate} ne 'sent'));
is $rows[0]{fate}, 'sent', 'picked up and sent';
is $rows[0]{user}, "uid $>", 'whose it was';

# --- all of it as CSV -----------------------------------------------------

my $csv = ($s->gatehouse('report', '--state', $state, '--from', '1h', '--to',
    'now'))[1];
my %fates;
$fates{$1}++ while $csv =~ /^(?:"[^"]*",){11}"([^"]*)"/mg;
delete $fates{fate};
is_deeply \%fates, { sent => 7, bounced => 1, rejected => 2, tempfailed => 1,
    discarded => 1 }, 'final states, one line a recipient';

# Short of a crash nothing stays open.
$end = time + 10;
sleep 0.1 while time < $end && grep { $_->{state} =~ /receiving|queued/ }
    search('--limit', 1000);
is_deeply [ grep { $_->{state} =~ /receiving|queued/ } search('--limit',
    1000) ], [], 'every message has come to an end';

$s->allow(qr/postfix\/(?:postsuper|postqueue)/);
$s->done;
