#!/usr/bin/perl
# Rules behind a real Postfix: what arrives, and where, for each action. A route
# by FILTER leaves nothing in the mail; a recipient who was added is seen by
# nobody, nor is he bounced about; a shadow changes no byte; what comes back is
# not sent on again.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Mmdb;
use Gatehouse::Sink;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my $dir = $s->dir;
my $us = 'us@gatehouse.test';

plan skip_all => Gatehouse::Postfix->missing if Gatehouse::Postfix->missing;
my $other = Gatehouse::Sink->new(dir => "$dir/other");

sub rules {
	my ($text) = @_;

	open my $f, '>', "$dir/conf/rules.conf" or die $!;
	print $f "rules = (\n", join(",\n", map { "{ $_ }" }
	    ref $text ? @$text : $text), "\n);\n";
	close $f or die $!;
}

# Active, for mail whose X-Do says so.
sub rule {
	my ($name, $then, @more) = @_;

	return qq{name = "$name"; mode = "active"; @more } .
	    qq{when = { header = { name = "X-Do"; exact = "$name"; }; }; } .
	    "then = { $then };";
}

Gatehouse::Mmdb->write("$dir/countries.mmdb", '192.0.2.0/24' => 'LU');
# As the recipe has it (t/recipe.c).
open my $map, '>', "$dir/conf/route" or die $!;
print $map '%^X-Gatehouse-Route: ([A-Za-z0-9_-]+:[][A-Za-z0-9.:_/-]+)$% ' .
    "FILTER \$1\n";
close $map;

rules([
	rule('bcc', 'add_recipient = "hidden@gatehouse.test";'),
	rule('sender', 'rewrite_sender = "*@bulk.gatehouse.test";'),
	rule('recipient', 'rewrite_recipient = "other@gatehouse.test";'),
	rule('route', 'route = "smtp:[127.0.0.1]:' . $other->port . '";'),
	rule('hold', 'quarantine = true;'),
	rule('discard', 'discard = true;'),
	rule('refuse', 'reject = "not here";'),
	rule('later', 'tempfail = true;'),
	rule('tag', 'tag_subject = "[ext]"; add_header = "X-New: yes"; ' .
	    'remove_header = "X-Old";'),
	rule('go', 'tag_subject = "[a]";', 'continue = true;'),
	'name = "abroad"; mode = "active"; when = { country = "unknown"; ' .
	    'subject = "abroad"; }; then = { reject = true; };',
	'name = "shadow"; when = { subject = { prefix = "watch"; }; }; ' .
	    'then = { tag_subject = "[x]"; add_recipient = "x@y.test"; ' .
	    'route = "smtp:[192.0.2.1]"; };',
]);
$s->milter('predelivery', rules => "$dir/conf/rules.conf",
    country_db => "$dir/countries.mmdb");
$s->{main}{milter_header_checks} = "regexp:$dir/conf/route";
$s->postfix;

sub sent {
	my ($do, %m) = @_;

	$s->pf->log->mark;
	my $got = $s->send(header => "X-Do: $do\nX-Old: gone\n",
	    message_id => "$do.1\@client.test", %m);
	my $id = $s->queue_id($got);
	return ($got, $id);
}

sub arrived {
	my ($id, $sink) = @_;

	$s->pf->log->wait_for(qr/qmgr\[\d+\]: \Q$id\E: removed/, 20);
	return $sink ? $sink->next(10) : $s->sink->next(10);
}

sub rcpt { join ' ', sort map { s/^<|>.*//gr } @{ $_[0]{rcpt} // [] } }

# --- the envelope ---
my ($got, $id) = sent('bcc');
like $got, qr/^250 /, 'one more recipient';
my $mail = arrived($id);
is rcpt($mail), "hidden\@gatehouse.test $us", 'both get it';
unlike $mail->{bytes}, qr/hidden/, 'and nobody sees him';
like $s->line('predelivery', $id), qr/verdict=accept,.* rules=bcc/,
    'the log names the rule';
my ($event) = Gatehouse::Journal->about("$dir/state/predelivery", $id);
is $event->{'gatehouse.rules.matched'}, 'bcc', 'and so does the journal';
my $marked = $s->without_received($mail->{bytes});
like $marked, qr/^X-Gatehouse-Passed: [0-9a-f]{16}\r\n/m, 'with its mark';
($got, $id) = sent('bcc', message => $marked =~ s/\r\n/\n/gr);
$mail = arrived($id);
is rcpt($mail), $us, 'what comes back is not sent on';
is $s->without_received($mail->{bytes}), $marked, 'nor changed';

$s->sink->rules('rcpt hidden@gatehouse.test 550 5.1.1 nobody');
($got, $id) = sent('bcc', message_id => '2.bcc@client.test');
$mail = arrived($id);
is rcpt($mail), $us, 'one whom his own server does not know';
ok $s->pf->log->since_mark(qr/\Q$id\E: to=<hidden.*status=bounced/),
    'does not get it';
ok $s->pf->wait_queue_empty, 'all is done';
is scalar(() = $s->pf->log->since_mark(qr/bounce\[.*notification/)), 0,
    'and the sender is not told';
$s->sink->rules;

($got, $id) = sent('sender');
$mail = arrived($id);
like $mail->{mail}, qr/^<sender\@bulk\.gatehouse\.test>/, 'another sender';
($got, $id) = sent('recipient');
$mail = arrived($id);
is rcpt($mail), 'other@gatehouse.test', 'another recipient';

# --- another way ---
($got, $id) = sent('route');
like $got, qr/^250 /, 'a route';
$mail = arrived($id, $other);
ok $mail, 'it arrives there';
is rcpt($mail), $us, 'for him whom it was for';
unlike $mail->{bytes}, qr/Gatehouse-Route/i, 'the field has gone again';
is $s->sink->count, 5, 'and at the usual place it does not arrive';
ok $s->pf->log->since_mark(qr/milter-header-filter: header X-Gatehouse-Route/),
    'Postfix logs it';
($got, $id) = sent('none', header =>
    'X-Gatehouse-Route: smtp:[127.0.0.1]:' . $other->port . "\n");
$mail = arrived($id);
ok $mail, 'what a client writes there routes nothing';
unlike $mail->{bytes}, qr/Gatehouse-Route/i, 'and is taken out';

# --- verdicts ---
($got, $id) = sent('hold');
like $got, qr/^250 /, 'quarantine: taken';
is scalar(my ($object) = $store->objects), 1, 'and held';
is $object->{cause}, 'policy', 'as policy';
is $object->{rule}, 'rule-hold', 'by name';
$store->clear;
($got, $id) = sent('discard');
like $got, qr/^250 /, 'discard: taken';
is +(($store->objects)[0] // {})->{kind}, 'deleted',
    'with a record of it';
$store->clear;
($got) = sent('refuse');
like $got, qr/^550 5\.7\.1 not here/, 'reject';
($got) = sent('later');
like $got, qr/^451 4\.7\.1 /, 'tempfail';
is $s->sink->next(0.2), undef, 'none of them arrives';

# --- header ---
($got, $id) = sent('tag', subject => '=?UTF-8?Q?M=C3=A4rz?=');
$mail = arrived($id);
like $mail->{bytes}, qr/^Subject: \[ext\] =\?UTF-8\?Q\?M=C3=A4rz\?=\r\n/m,
    'a mark before the subject, whose bytes stay';
like $mail->{bytes}, qr/^X-New: yes\r\n/m, 'a field more';
unlike $mail->{bytes}, qr/^X-Old/m, 'a field less';
my $once = $s->without_received($mail->{bytes});
($got, $id) = sent('tag', message => $once =~ s/\r\n/\n/gr);
is $s->without_received(arrived($id)->{bytes}), $once, 'twice is once';

# --- where from ---
($got, $id) = sent('none', subject => 'abroad');
like $got, qr/^250 /, 'an address that is in a country';
arrived($id);
($got) = sent('none', subject => 'abroad', client => '203.0.113.5');
like $got, qr/^550 /, 'one that is in none';

# --- a shadow ---
my $letter = $s->letter(rcpt => $us, subject => 'watch me',
    body => "M\xfcller\n" x 20, attach => 'notes.txt');
($got, $id) = sent('none', message => $letter);
$mail = arrived($id);
is $s->without_received($mail->{bytes}), $letter =~ s/\n/\r\n/gr,
    'a shadow changes no byte';
is rcpt($mail), $us, 'and no recipient';
like $s->line('predelivery', $id), qr/shadow=shadow,.*\(.*shadow\ rule\ shadow:
    \ would\ add\ recipient\ x\@y\.test/x, 'what it would have done is told';

# --- other rules, and wrong ones ---
$s->log->mark;
rules('name = "all"; mode = "active"; then = { reject = "closed"; };');
$s->signal_milter('predelivery', 'USR1');
ok $s->log->wait_for(qr/reloaded|configuration/i, 20), 'reloaded';
like +(sent('none'))[0], qr/^550 5\.7\.1 closed/, 'the new rules count';
$s->allow(qr/error: .*rules\.conf:2: /);
$s->log->mark;
rules('name = "all"; mode = "active"; then = { rejct = "x"; };');
$s->signal_milter('predelivery', 'USR1');
ok $s->log->wait_for(qr/error: .*rules\.conf:2: unknown setting rejct/, 20),
    'wrong ones are told';
like +(sent('none'))[0], qr/^550 5\.7\.1 closed/, 'and the old ones stay';
my ($exit, $text) = $s->gatehouse('check-config', '--config', $s->conf);
is $exit, 78, 'check-config says so too';
like $text, qr/rules\.conf:2: unknown setting rejct/, 'with the line';
rules('name = "c"; when = { country = "LU"; }; then = { stop = true; };');
$s->options('predelivery', country_db => '');
($exit, $text) = $s->gatehouse('check-config', '--config', $s->conf);
like $text, qr/a rule asks for a country, and country_db names no/,
    'a country without a database';
$s->house(store_key => '');
rules('name = "d"; mode = "active"; when = { subject = "x"; }; ' .
    'then = { discard = true; };');
($exit, $text) = $s->gatehouse('check-config', '--config', $s->conf);
like $text, qr/a rule discards mail, and there is no store/,
    'what is deleted leaves a record, or is not';
$s->done;
