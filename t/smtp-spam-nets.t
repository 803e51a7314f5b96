#!/usr/bin/perl
# DNS lists and a back end the whole way: a client, Postfix, antispam, a DNS
# server, Rspamd, the sink.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::SpamPeers;
use Gatehouse::Suite;

my $zone = <<'END';
7.113.0.203.ip.list	A	127.0.0.2
9.113.0.203.ip.list	A	SILENT
evil.test.url.list	A	127.0.0.2
END
my $peers = Gatehouse::SpamPeers->new;
my $s = Gatehouse::Suite->new(zone => $zone, house => {
    domains => [ 'our.test' ], resolver_timeout => '400ms',
    dns_budget => '600ms' });
my %options = (model => "$FindBin::Bin/../milters/antispam/antispam.model",
    dns_lists => [ 'ip.list ip 5 : open relays', 'url.list url 5' ],
    dns_list_timeout => '1s', backend_timeout => '20s', action => 'reject',
    act_at => 90);
my $rspamd = $peers->rspamd;

$options{backends} = [ 'rspamd:' . $peers->rspamd_socket ] if $rspamd;
diag 'NOT INSTALLED: rspamd' unless $rspamd;
$s->milter('antispam', %options)->postfix;

my @to = (from => 'x@far.test', rcpt => 'us@our.test');

sub line { $s->log->wait_for(qr/gatehouse-antispam\[\d+\]: \w+: verdict=/, 30) }

my %letter = (subject => 'Minutes', body => "Hello all,\n\nthe minutes of " .
    "today's meeting are below.\nRegards\n");
like $s->send(@to, %letter, client => '203.0.113.6'), qr/^250 /,
    'whom nobody lists is delivered';
my $mail = $s->sink->next(30);
like $mail->{bytes}, qr/^Hello all,\r$/m, 'as it was';
unlike line(), qr/no answer/, 'all have answered';

$s->log->mark;
my $asked = $s->dns->asked('7.113.0.203.ip.list', 'A');
like $s->send(@to, %letter, client => '203.0.113.7'), qr/^550 5\.7\.1 /,
    'a listed client';
like line(), qr/verdict=reject, rule=spam.* (?:\(|.*: )203\.0\.113\.7 is on ip\.list/,
    'the log says why';
is $s->dns->asked('7.113.0.203.ip.list', 'A'), $asked + 1, 'one question';

$s->log->mark;
like $s->send(@to, subject => 'Minutes', client => '203.0.113.6',
    body => "See http://www.evil.test/a\n"), qr/^550 5\.7\.1 /,
    'a link to a listed domain';

# The body comes when the time of the message's other questions is up.
my $slow = $s->connection(client => '203.0.113.6');
like $slow->command('MAIL FROM:<x@far.test>'), qr/^250 /, 'a slow client';
like $slow->command('RCPT TO:<us@our.test>'), qr/^250 /, 'says to whom';
sleep 1;
like $slow->command('DATA'), qr/^354 /, 'waits';
$slow->write("Subject: Minutes\r\n\r\nSee http://www.evil.test/b\r\n.\r\n");
like $slow->answer, qr/^550 5\.7\.1 /, 'and its links are asked about';
$slow->quit;

$s->log->mark;
like $s->send(@to, %letter, client => '203.0.113.9'), qr/^250 /,
    'a list that says nothing';
$s->sink->next(30);
like line(), qr/no answer: list ip\.list\)/, 'is named';

SKIP: {
	skip 'NOT INSTALLED: rspamd', 3 unless $rspamd;
	$peers->stop;
	$s->log->mark;
	like $s->send(@to, %letter, client => '203.0.113.6'), qr/^250 /,
	    'Rspamd is gone';
	$s->sink->next(30);
	like line(), qr/no answer: rspamd\)/, 'mail goes on, and the log says so';
	$s->options('antispam', %options, backend_required => 'true');
	$s->log->mark;
	$s->signal_milter('antispam', 'USR1');
	$s->log->wait_for(qr/antispam\S+ configuration reloaded/, 20);
	like $s->send(@to, %letter, client => '203.0.113.6'), qr/^451 4\./,
	    'or waits for it';
}
$s->allow(qr/warning: backend rspamd: no answer/);
$peers->stop;
$s->done;
