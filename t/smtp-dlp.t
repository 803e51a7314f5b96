#!/usr/bin/perl
# Rules for data loss behind a real Postfix: a card does not reach who is
# outside, and reaches who is inside byte for byte; who sends it is told at once
# where nobody else gets it; an archive hides nothing.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Compress::Zip;
use MIME::Base64 qw(encode_base64);
use Test::More;

use Gatehouse::Sink;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(house => { domains => [ 'our.test' ],
    networks => [ '127.0.0.0/8' ] });
my $store = Gatehouse::Store->new($s);
my $dir = $s->dir;
my ($us, $far) = ('us@our.test', 'x@far.test');

plan skip_all => Gatehouse::Postfix->missing if Gatehouse::Postfix->missing;
plan skip_all => 'NOT BUILT: the cell unpack' unless -x
    Gatehouse::Suite::build() . '/cells/unpack/gatehouse-cell-unpack';
open my $f, '>', "$dir/conf/dlp" or die $!;
print $f 'rules = ( { name = "cards"; mode = "enforce"; card = true; ' .
    "then = { action = \"block\"; }; },\n" . '{ name = "told"; mode = ' .
    '"enforce"; iban = true; then = { action = "block"; notify_to = [ ' .
    '"officer@our.test", "far@officer.test" ]; notify_sender = true; }; },' .
    '{ name = "watched"; mode = "enforce"; words = "merger"; then = { ' .
    'notify_to = "officer@our.test"; tag = true; }; },' .
    '{ name = "tried"; words = "lottery"; then = { action = "block"; ' .
    "notify_to = \"officer\@our.test\"; }; } );\n";
close $f or die $!;
my $told = Gatehouse::Sink->new(dir => "$dir/told");
$s->milter('attachment-dlp', dlp_rules => "$dir/conf/dlp",
    copy_server => '127.0.0.1:' . $told->port);
$s->postfix;
$s->allow(qr/cell unpack/);

my $n = 0;
sub mail {
	my ($type, $body) = @_;

	return "From: $us\nTo: $us\nSubject: x\nDate: Thu, 26 Nov 2026 10:00:00 " .
	    "+0000\nMessage-ID: <" . ++$n . "\@our.test>\nMIME-Version: 1.0\n" .
	    "Content-Type: $type\nContent-Transfer-Encoding: base64\n\n" .
	    encode_base64($body);
}

sub sent {
	my ($message, @rcpt) = @_;

	$s->pf->log->mark;
	$s->log->mark;
	my $got = $s->send(xclient => { LOGIN => $us }, from => $us,
	    message => $message, rcpt => [ @rcpt ]);
	return ($got, $s->queue_id($got));
}

my $zip = '';
my $z = IO::Compress::Zip->new(\$zip, Name => 'numbers.csv') or die;
$z->print("name;number\nanna;5500 0000 0000 0004\n");
$z->close;
for my $case ([ 'text', mail('text/plain', "5500 0000 0000 0004\n") ],
    [ 'archive', mail('application/zip; name="a.zip"', $zip) ]) {
	my ($what, $message) = @$case;
	my ($got, $id) = sent($message, $far, $us);
	like $got, qr/^250 /, "$what: taken";
	my $mail = $s->sink->next(10);
	like "@{ $mail->{rcpt} }", qr{^<\Q$us\E>[^<]*$}, 'who is inside gets it';
	is $s->without_received($mail->{bytes}), $message =~ s/\n/\r\n/gr,
	    'byte for byte';
	$s->pf->log->wait_for(qr/qmgr\[\d+\]: \Q$id\E: removed/, 20);
	is $s->sink->next(0), undef, 'nobody else';
	like $s->line('attachment-dlp', $id),
	    qr/rule=dlp-cards.*mastercard \*{12}0004/,
	    'the log says which rule, and no number';
	is_deeply [ map { "$_->{cause} @{ $_->{recipients} }" }
	    $store->objects ], [ "dlp $far" ], 'a record for the other';
	$store->clear;
	($got) = sent($message, $far);
	like $got, qr/^550 5\.7\.1 .*must not leave \(rule cards\)/,
	    'only outside: who sends it is told';
}
is $told->count, 0, 'who wants no notice gets none';

# --- notices -------------------------------------------------------------

my $iban = 'GB29 NWBK 6016 1331 9268 19';
my $secret = mail('text/plain', "Pay to $iban, please.\n") =~
    s/^Subject: x/Subject: $iban/mr;
my ($no) = sent($secret, $far);
like $no, qr/^550 5\.7\.1 /, 'what is refused ...';
my ($officer, $sender) = map { $told->next(10) } 1 .. 2;
is_deeply [ sort map { /^<([^>]*)>/ } @{ $officer->{rcpt} } ],
    [ 'far@officer.test', 'officer@our.test' ], '... is told to the officers';
like $officer->{mail}, qr/^<>/, 'under a null sender';
my ($head, $rest) = split /Content-Type: message\/rfc822/, $officer->{bytes};
like $head, qr/^Subject: Data loss rule told: blocked\r$/m, 'which rule';
like $head, qr/^Auto-Submitted: auto-generated\r$/m, 'by a machine';
like $head =~ s/=\r\n//gr, qr/iban \*{18}6819\b/,
    'what was found, masked';
like $head =~ s/=\r\n//gr, qr/From: \Q$us\E\r\nTo: \Q$far\E\r\n/,
    'from whom to whom';
unlike $head, qr/NWBK/, 'no number in the notice';
(my $sent = $secret) =~ s/\n/\r\n/g;
like $rest =~ s/^Received: .*\r\n(?:[ \t].*\r\n)*//mgr, qr/\r\n\r\n\Q$sent\E/,
    'the message is attached, byte for byte';
is_deeply [ map { /^<([^>]*)>/ } @{ $sender->{rcpt} } ], [ $us ],
    'the sender is told as well';
unlike $sender->{bytes}, qr/NWBK|rfc822/, 'without the message';
is $s->sink->next(0.1), undef, 'nobody has it';

($no) = sent(mail('text/plain', "The merger\n"), $far);
like $no, qr/^250 /, 'a rule without an action';
is_deeply [ map { /^<([^>]*)>/ } @{ $told->next(10)->{rcpt} } ],
    [ 'officer@our.test' ], 'tells all the same';
like $s->sink->next(10)->{bytes}, qr/^X-Gatehouse-DLP: watched\r$/m,
    'and the mail goes its way';
($no) = sent(mail('text/plain', "The lottery\n"), $far);
is $told->next(0.2), undef, 'a rule in audit tells nobody';
ok $s->sink->next(10), 'and its mail goes too';
$told->rules('rcpt officer@our.test 452 4.2.2 full');
($no) = sent(mail('text/plain', "The merger\n"), $far);
like $no, qr/^451 /, 'no notice, no answer: it comes again';
$s->allow(qr/the copy for officer/);
$told->rules;
is $s->sink->next(0.2), undef, 'and nothing was lost or sent';

my ($got) = sent(mail('text/plain', "nothing of it\n"), $far, $us);
like $got, qr/^250 /, 'other mail';
is scalar @{ $s->sink->next(10)->{rcpt} }, 2, 'reaches both';

$s->done;
