#!/usr/bin/perl
# Mail that auth-check holds goes into the store with its body, which a message
# without a signature is not asked for otherwise; and for nobody else.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(zone => <<'END');
_dmarc.quar.test	TXT	"v=DMARC1; p=quarantine"
strict.test	TXT	"v=spf1 -all exp=why.strict.test"
why.strict.test	TXT	"away with you"
END
my $store = Gatehouse::Store->new($s);
my @rcpt = map { "$_\@gatehouse.test" } qw(one two);

$s->milter('auth-check')->daemons;

my $mail = "From: a\@quar.test\nTo: us\@gatehouse.test\nSubject: x\n" .
    "Authentication-Results: mx.gatehouse.test; dmarc=pass\n\n" .
    "what stands in it\n" x 5000;
my $r = $s->talk('auth-check', from => 'a@quar.test', rcpt => \@rcpt,
    client => '203.0.113.9', message => $mail);
is $r->{reply}, 'discard', 'p=quarantine: taken';
is_deeply $r->{edits}, [], 'nothing is edited';
my ($o) = $store->objects;
is_deeply $o->{recipients}, \@rcpt, 'held for both';
is "$o->{filter} $o->{rule} $o->{cause}", 'auth-check dmarc-quarantine policy',
    'by whom, and why';
is $store->body($o) =~ s/\r\n/\n/gr, $mail, 'as it came, all of it';
$r = $s->talk('auth-check', from => 'a@none.test', rcpt => \@rcpt,
    client => '203.0.113.9', message => $mail =~ s/quar/none/gr);
is $r->{reply}, 'accept', 'other mail passes';

# Recipients whose scopes differ: who holds it goes, the other gets it. SPF's
# explanation is asked for where one scope alone may need it.
$store->clear;
$s->options('auth-check', scope => [
    { domain => 'gatehouse.test', spf_fail => 'reject' },
    { user => [ 'two@Gatehouse.test' ], dmarc_policy => 'ignore',
	spf_fail => 'tag' } ]);
$s->signal_milter('auth-check', 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/, 10), 'scopes, by reload';
sub to {
	return $s->talk('auth-check', from => shift, rcpt => [ @_ ],
	    client => '203.0.113.9', message => $mail);
}
$r = to('a@quar.test', @rcpt);
is $r->{reply}, 'accept', 'held for one: taken';
is_deeply [ grep { $_->[0] =~ /rcpt/ } @{ $r->{edits} } ],
    [ [ delrcpt => "<$rcpt[0]>" ] ], 'he is removed';
($o) = $store->objects;
is_deeply $o->{recipients}, [ $rcpt[0] ], 'and has it in the store';
like $r->{message}, qr/^Authentication-Results: (?#
    )mx\.gatehouse\.test;.*?dmarc=fail/ms, 'one result for all';
my ($event) = (Gatehouse::Journal->events($s->dir . '/state/auth-check'))[-1];
is join(' ', map { "$_->{verdict}/$_->{rule}" }
    @{ $event->{'gatehouse.recipients'} }),
    'quarantine/dmarc-quarantine accept/dmarc-local-policy',
    'the journal has both';
is $event->{'gatehouse.dmarc.disposition'}, 'quarantine', 'and the stricter';
$r = to('a@strict.test', $rcpt[0]);
like $r->{reply}, qr/^550 5\.7\.23 SPF fail: .*says: away with you/,
    'who refuses is refused, with the reason of the domain';
like to('a@strict.test', $rcpt[1])->{message}, qr/^X-Gatehouse-Tag: spf-fail/m,
    'who tags is tagged';

$s->done;
