#!/usr/bin/perl
# T64: address harvesting through a real Postfix. Unknown recipients over many
# short sessions: slowed, then refused, for each source; good senders beside
# are not touched. 10,000 over 500 sessions with GATEHOUSE_FULL, else 500.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);

use Gatehouse::Suite;

use constant { IN_ONE => 20, DELAY => 0.1 };

my $sessions = $ENV{GATEHOUSE_FULL} ? 500 : 25;
my @sources = map { "203.0.$_.1" } 1 .. ($ENV{GATEHOUSE_FULL} ? 10 : 2);
my %quiet = (spf => 'off', dkim => 'false', dmarc => 'false', arc => 'false',
    iprev => 'false');
my $s = Gatehouse::Suite->new(zone => '', main => {
	relay_domains => 'gatehouse.test',
	relay_recipient_maps => 'inline:{ ' . join(', ', map { "$_\@gatehouse" .
	    '.test=x' } 'us', map { "user$_" } 1 .. 60) . ' }',
    })->milter('auth-check', %quiet, harvest_slow => 10, harvest_refuse => 30,
    harvest_delay => DELAY * 1000 . 'ms');
my $maps = $s->dir . '/maps';
mkdir $maps;
open my $f, '>', "$maps/empty" or die $!;
close $f;
my @milters = ('unix:gatehouse/auth-check/sock');
$s->postfix(services => [
	{ name => 'empty', milters => \@milters, options =>
	    { relay_recipient_maps => "texthash:$maps/empty" } },
	{ name => 'missing', milters => \@milters, options =>
	    { relay_recipient_maps => "hash:$maps/missing" } },
]);

my $n = 0;
my $delivered = 0;

sub good {
	my ($client, %m) = @_;
	my $answer = $s->send(client => $client, %m);

	$delivered++ if $answer =~ /^250/;
	return $answer;
}

# Postfix keeps the code of a refusal at CONNECT, not its text. One session: how each recipient was answered, or how it ended.
sub session {
	my ($client, $count, %m) = @_;
	my $c = $s->connection(client => $client, %m);
	my (%got, $slowest);

	return { ended => $c->ehlo, slowest => 0 } if $c->ehlo =~ /^421/;
	my $mail = $c->command('MAIL FROM:<spy@client.test>');
	return { ended => $mail, slowest => 0 } if $mail =~ /^421/;
	for (1 .. $count) {
		my $start = time;
		my $said = $c->command('RCPT TO:<guess' . ++$n .
		    '@gatehouse.test>');
		my $took = time - $start;
		$got{ substr $said, 0, 9 }++;
		$slowest = $took if $took > ($slowest // 0);
	}
	$c->quit;
	return { got => \%got, slowest => $slowest };
}

# --- the attack, and good mail in between ---
my (%asked, %turned_away, %slowest);
my $missed = 0;
for my $i (1 .. $sessions) {
	my $client = $sources[$i % @sources];
	my $r = session($client, IN_ONE);

	if ($r->{ended}) {
		$turned_away{$client}++;
	} else {
		$asked{$client} += $_ for values %{ $r->{got} };
		is_deeply [ keys %{ $r->{got} } ], [ '550 5.1.1' ],
		    "session $i: unknown recipients only";
		$slowest{$client} = $r->{slowest}
		    if $r->{slowest} > ($slowest{$client} // 0);
	}
	$missed++ if $i % 10 == 0 && good('192.0.2.1') !~ /^250/;
}
for my $source (@sources) {
	cmp_ok $asked{$source}, '<=', 30 + IN_ONE,
	    "$source got no more than $asked{$source} answers";
	cmp_ok $turned_away{$source}, '>', 0, 'before it was refused';
	cmp_ok $slowest{$source}, '>=', DELAY * 0.2, 'having been slowed';
	is scalar($s->log->lines(qr/rule=harvest-$_, client=\S*\[\Q$source\E\]/)),
	    1, "$_ was told once" for qw(slow refuse);
}
is $missed, 0, 'the good sender beside was never refused';

# --- a provider: dozens of good recipients, some errors ---
for (1 .. 2) {
	is substr(good('192.0.2.50', rcpt => [ map { "user$_\@gatehouse.test" }
	    1 .. 60 ]), 0, 4), '250 ', 'a provider sends';
}
is session('192.0.2.50', 40)->{got}{'550 5.1.1'}, 40, 'with 40 errors';
like good('192.0.2.50'), qr/^250/, 'and is not touched';
is scalar($s->log->lines(qr/rule=harvest-\w+, client=\S*\[192\.0\.2\./)), 0,
    'nothing is told of it';

# --- refused ones and good ones in a message ---
my $c = $s->connection(client => '192.0.2.60');
my $said = $s->send(on => $c, client => '192.0.2.60', from => 'a@client.test',
    rcpt => [ 'nobody@gatehouse.test', 'us@gatehouse.test' ]);
$c->quit;
like $said, qr/^(550|250)/, 'one of two is unknown';

# --- it stays, whatever becomes of the daemon ---
like session($sources[0], 1)->{ended}, qr/^421 /,
    'refused';
$s->stop_milter('auth-check');
$s->start_milter('auth-check');
like session($sources[0], 1)->{ended}, qr/^421 /,
    'refused after a restart';
$s->allow(qr/the last run ended/, qr/postfix.*warning: .*[mM]ilter/);
$s->kill_milter('auth-check');
$s->start_milter('auth-check');
like session($sources[0], 1)->{ended}, qr/^421 /, 'and after a kill';
like good('192.0.2.1'), qr/^250/, 'the good one goes on';
my ($status) = $s->gatehouse('harvest', 'forget', '--config', $s->conf,
    $sources[0]);
is $status, 0, 'forgotten';
like good($sources[0]), qr/^250/, 'and let in';

# --- an empty map is 550, a missing one 451; neither is the clients' fault ---
is_deeply session('10.9.9.1', 40, service => 'missing')->{got},
    { '451 4.3.0' => 40 }, 'a missing map defers';
like good('10.9.9.1'), qr/^250/, 'and is not counted';
$s->allow(qr{warning: .*$maps/missing}, qr/warning: harvest: clients of 50/,
    qr/smtpd.*(error|warning): .*missing/, qr/problem talking to/);
session("10.$_.0.1", 1, service => 'empty') for 1 .. 52;
ok $s->log->wait_for(qr/warning: harvest: clients of 50 networks had unknown/,
    10), 'an empty map is noticed';
is session('10.1.0.1', 40, service => 'empty')->{got}{'550 5.1.1'}, 40,
    'nobody is refused for it';
like good('10.1.0.1'), qr/^250/, 'not even later';

# --- what was accepted arrived ---
my $came = 0;
$came++ while $came < $delivered && $s->sink->next(20);
is $came, $delivered, "all $delivered good messages arrived";

$s->done;
