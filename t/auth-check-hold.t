#!/usr/bin/perl
# Mail that auth-check holds goes into the store with its body, which a message
# without a signature is not asked for otherwise; and for nobody else.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(zone => <<'END');
_dmarc.quar.test	TXT	"v=DMARC1; p=quarantine"
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

$s->done;
