#!/usr/bin/perl
# DNS lists by the milter protocol, with a DNS server of the test's own: what is
# asked about whom, what the answers do, and lists that are slow, silent, sold,
# or do not want to be asked.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);

use Gatehouse::Suite;

my $zone = <<'END';
TTL 60
; the client
7.113.0.203.ip.list	A	127.0.0.4
7.113.0.203.ip.list	TXT	"see https://ip.list/?203.0.113.7 (bad)"
8.113.0.203.ip.list	A	127.0.0.10
9.113.0.203.ip.list	A	127.255.255.254
10.113.0.203.two.list	A	198.51.100.1
11.113.0.203.ip.list	A	SILENT
12.113.0.203.ip.list	A	SERVFAIL
7.113.0.203.two.list	A	127.0.0.2
77.2.0.192.hop.list	A	127.0.0.2
20.113.0.203.good.list	A	127.0.5.2
7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip.list A 127.0.0.2
; domains
bad.helo.test.dom.list	A	127.0.0.2
sender.test.dom.list	A	127.0.0.2
from.test.dom.list	A	127.0.0.2
; links: the domain is listed, the host is not; and the other way round
evil.test.url.list	A	127.0.0.8
odd.fine.test.url.list	A	127.0.0.10
4.3.2.1.url.list	A	127.0.0.8
; whom an allow list names
friend.test.good.list	A	127.0.0.2
friend.test	TXT	"v=spf1 ip4:203.0.113.0/24 -all"
_dmarc.friend.test	TXT	"v=DMARC1; p=none"
END
my @lists = ('ip.list=127.0.0.[2..4] ip 4 text', 'two.list ip 2 : second',
    'hop.list ip 5 hops', 'good.list=127.0.[0..255].2 ip -3',
    'dom.list helo 2', 'dom.list sender 2.5', 'dom.list from 3',
    'url.list&8 url 5 phishing', 'good.list from -4');
my $us = 'us@gatehouse.test';
my $s = Gatehouse::Suite->new(zone => $zone, house => {
    domains => [ 'gatehouse.test' ], resolver_timeout => '500ms',
    dns_budget => '1500ms', networks => [ '198.51.100.0/24' ] });
my %options = (
    model => "$FindBin::Bin/../milters/antispam/antispam.model",
    dns_lists => \@lists, dns_list_timeout => '1s',
    dns_list_exempt => [ '203.0.113.99' ], act_at => 101, tag_at => 101,
    phishing_at => 101);
$s->milter('antispam', %options)->milter('auth-check');
$s->milter('chain', filters => [ 'auth-check', 'antispam' ]);
$s->daemons;

my $n = 0;

# What the journal says about the next message.
sub go {
	my (%m) = @_;
	my $form = delete $m{form} // 'antispam';

	$n++;
	$m{message} //= ($m{head} // '') . "From: <a\@" . ($m{author} //
	    'plain.test') . ">\nTo: $us\nSubject: number $n\n\n" .
	    ($m{body} // "Hello, this is a letter.\n");
	delete @m{qw(head author body)};
	$s->dns->forget;
	return $s->talk($form, from => 'x@plain.test', helo => 'mx.plain.test',
	    client => '203.0.113.1', rcpt => [ $us ], %m);
}

sub reasons {
	my ($r) = @_;
	my ($field) = ($r->{message} // '') =~
	    /^X-Gatehouse-Spam:((?:.*\n(?:[ \t].*\n)*))/m;

	return join ' ', split ' ', ($field // '') =~ s/[\r\n]+//gr;
}

my $plain = reasons(go());
my ($before) = $plain =~ /^(\d+) %/;
unlike $plain, qr/_is_on_/, 'nobody lists it';
is $s->dns->asked('1.113.0.203.ip.list', 'A'), 1, 'but all were asked';
is $s->dns->asked('1.113.0.203.ip.list', 'TXT'), 0,
    'and no words without a hit';
is $s->dns->asked('mx.plain.test.dom.list', 'A'), 1, 'HELO';
is $s->dns->asked('plain.test.dom.list', 'A'), 1,
    'one question for MAIL FROM and From';

my $said = reasons(go(client => '203.0.113.7'));
my ($after) = $said =~ /^(\d+) %/;
like $said, qr/203\.0\.113\.7_is_on_ip\.list_\(see_https:\S* \+4\.0/,
    'a hit, with the words of the list';
like $said, qr/203\.0\.113\.7_is_on_two\.list_\(second\) \+1\.0/,
    'a second list counts half';
cmp_ok $after, '>', $before + 20, 'it is likelier spam';
unlike reasons(go(client => '203.0.113.8')), qr/_is_on_/,
    'an answer that does not count';
like reasons(go(client => '2001:db8::7')), qr/2001:db8::7_is_on_ip\.list/,
    'IPv6, by nibbles';
like reasons(go(client => '203.0.113.7', helo => 'bad.helo.test')),
    qr/HELO_bad\.helo\.test_is_on_dom\.list \+2\.0/, 'HELO';
like reasons(go(client => '203.0.113.7', from => 'x@sender.test')),
    qr/sender_sender\.test_is_on_dom\.list \+2\.5/, 'MAIL FROM';
like reasons(go(client => '203.0.113.7', author => 'www.from.test')),
    qr/From_from\.test_is_on_dom\.list \+3\.0/, 'From, by its domain';
like reasons(go(client => '203.0.113.7', head =>
    "Received: from x (x [192.0.2.77]) by y\nReceived: from [10.0.0.1] by z\n")),
    qr/192\.0\.2\.77_is_on_hop\.list \+5\.0/, 'a hop';
is $s->dns->asked('77.2.0.192.ip.list', 'A'), 0,
    'for entries that want hops alone';
is $s->dns->asked('1.0.0.10.hop.list', 'A'), 0, 'none of a private network';
$said = reasons(go(client => '203.0.113.20'));
like $said, qr/^\d+ %/, 'an allow list';
cmp_ok +($said =~ /^(\d+) %/)[0], '<=', $before, 'makes it less likely';

# --- links ---
$said = reasons(go(body => "See http://www.evil.test/x and " .
    "http://www.google.com/ and http://gatehouse.test/\n" .
    "and http://more.evil.test/\n"));
like $said, qr/phishing [1-9]\d %/, 'a link, of the class that it says';
like $said, qr/link_to_evil\.test_is_on_url\.list \+5\.0/,
    'by its registered domain';
is $s->dns->asked('www.evil.test.url.list', 'A'), 1, 'the host is asked';
is $s->dns->asked('more.evil.test.url.list', 'A'), 0, 'of each domain one';
is +(grep { /google|gatehouse/ } $s->dns->log), 0,
    'nobody asks about what everybody names, nor about us';
like reasons(go(body => "http://odd.fine.test/\n")),
    qr/link_to_odd\.fine\.test_is_on_url\.list/, 'a host, by a bit';
like reasons(go(body => "http://0x01020304/\n")),
    qr/link_to_1\.2\.3\.4_is_on_url\.list/, 'an address, reversed';
go(body => join('', map { "http://h$_.many$_.test/\n" } 1 .. 300));
cmp_ok scalar(my @q = $s->dns->log), '<=', 60, '300 domains: few questions';

# --- whom an allow list names has to be it ---
$said = reasons(go(form => 'chain', author => 'friend.test',
    from => 'x@friend.test', client => '203.0.113.7'));
my $good = reasons(go(form => 'chain', author => 'friend.test',
    from => 'x@plain.test', client => '203.0.113.7'));
like $said, qr/From_friend\.test_is_on_good\.list -4\.0/, 'with DMARC';
unlike $good, qr/friend\.test_is_on/, 'and not without';

# --- who is not asked about ---
for ([ 'our network', client => '198.51.100.7' ],
    [ 'an exempt client', client => '203.0.113.99' ],
    [ 'a private network', client => '192.168.3.4' ],
    [ 'loopback', client => '127.0.0.1' ],
    [ 'who has authenticated', client => '203.0.113.7',
	macros => { '{auth_authen}' => 'me' } ]) {
	my ($what, @m) = @$_;

	go(@m);
	is +(grep { /\.list/ } $s->dns->log), 0, "no question: $what";
}

# --- lists that do not answer as they should ---
my $log = sub { $s->log->wait_for($_[0], 20) };
for ([ '203.0.113.9', 'refuses', qr/warning: DNS list ip\.list refuses our/, 1 ],
    [ '203.0.113.10', 'was sold',
	qr/warning: DNS list two\.list answers with addresses outside/, 0 ],
    [ '203.0.113.11', 'is silent', undef, 1 ],
    [ '203.0.113.12', 'is broken', undef, 1 ]) {
	my ($client, $what, $warning, $missed) = @$_;

	$s->log->mark;
	my $r = go(client => $client);
	is $r->{reply}, 'accept', "a list that $what: mail goes on";
	unlike reasons($r), qr/_is_on_/, 'and it is no hit';
	my $line = $log->(qr/gatehouse-antispam\[\d+\]: \w+: verdict=/) // '';
	is $line =~ /no answer: list ip\.list\)/ ? 1 : 0, $missed,
	    'who was missed is named' or diag $line;
	ok $log->($warning), 'and why' if $warning;
}
$s->allow(qr/warning: DNS list \w+\.list (?:refuses|answers with)/);

# --- a configuration that is wrong ---
$s->log->mark;
$s->options('antispam', %options, dns_lists => [ 'ip.list ip 99' ]);
$s->signal_milter('antispam', 'USR1');
ok $log->(qr/error: .*not reloaded.*dns_lists: .*ip\.list ip 99.*a weight is/),
    'a bad entry is named';
$s->allow(qr/error: .*not reloaded.*dns_lists:/);
$s->options('antispam', %options, dns_lists => []);
$s->log->mark;
$s->signal_milter('antispam', 'USR1');
ok $log->(qr/antispam\S+ configuration reloaded/),
    'none at all';
# The resolver may still ask the silent ones again, about the others.
go(client => '203.0.113.78');
is +(grep { /78\.113\.0\.203\..*\.list/ } $s->dns->log), 0,
    'nobody is asked any more';
$s->done;
