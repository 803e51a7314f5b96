#!/usr/bin/perl
# One message that fails DMARC under p=reject, to recipients of two of our own
# domains with policies of their own, through a real Postfix: with a store, and
# without one.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(zone => <<'END', house => {
_dmarc.bank.test	TXT	"v=DMARC1; p=reject"
END
    domains => [ 'strict.test', 'lax.test' ] });
my $store = Gatehouse::Store->new($s);

$s->milter('auth-check', scope => [
    { domain => 'strict.test', dmarc_policy => 'follow' },
    { domain => 'lax.test', dmarc_policy => 'ignore' } ]);
$s->postfix;

my ($strict, $lax) = ('a@strict.test', 'b@lax.test');

sub go {
	my $got = $s->send(from => 'ceo@bank.test', rcpt => [ @_ ],
	    header => "From: ceo\@bank.test\n");

	return ($got, $s->queue_id($got));
}

sub event { return (Gatehouse::Journal->about($s->dir . '/state/auth-check',
    $_[0]))[0] }

sub to { join ' ', map { s/^<|>.*//gr } @{ $_[0]{rcpt} } }

like +(go($strict))[0], qr/^550 5\.7\.1 DMARC reject: bank\.test asks to reject/,
    'the strict domain refuses';
like +(go($lax))[0], qr/^250 /, 'the lax one takes it';
is to($s->sink->next(20)), $lax, 'and gets it';
like +(go($strict, "c\@strict.test"))[0], qr/^550 /, 'two who refuse: refused';
is_deeply [ $store->objects ], [], 'nothing was held';

my ($got, $id) = go($strict, $lax);
like $got, qr/^250 /, 'both: taken';
my $mail = $s->sink->next(20);
is to($mail), $lax, 'the lax one gets it';
like +($s->fields($mail->{bytes}, 'Authentication-Results'))[0],
    qr/dmarc=fail .*header\.from=bank\.test/s, 'and sees that it failed';
my @held = $store->objects;
is_deeply [ map { "@{ $_->{recipients} } $_->{rule} $_->{cause}" } @held ],
    [ "$strict dmarc-reject policy" ], 'it is held for the strict one';
my $event = event($id);
is $event->{'gatehouse.dmarc.disposition'}, 'quarantine',
    'what a report will say of it';
is $event->{'gatehouse.dmarc.override'}, 'local_policy: recipients differ',
    'and why';
is_deeply [ map { "$_->{address} $_->{verdict}" }
    @{ $event->{'gatehouse.recipients'} } ],
    [ "$strict quarantine", "$lax accept" ], 'and what became of each';

# --- without a store ---
$store->clear;
delete $s->{house}{store_key};
$s->house;
$s->log->mark;
$s->signal_milter('auth-check', 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/, 10), 'no store any more';
($got, $id) = go($strict, $lax);
like $got, qr/^250 /, 'both: taken';
my ($queued) = grep { $_->{queue_id} eq $id } $s->pf->queue;
is $queued->{queue_name}, 'hold', 'Postfix holds it';
is_deeply [ sort map { $_->{address} } @{ $queued->{recipients} } ],
    [ $strict, $lax ], 'for both';
is event($id)->{'gatehouse.rule'}, 'mixed', 'since they differ';
is event($id)->{'gatehouse.dmarc.disposition'}, 'quarantine', 'as reported';
like +(go($strict))[0], qr/^550 /, 'the strict one alone: refused as before';
is_deeply [ $s->sink->rest ], [], 'nobody got more';

$s->done;
