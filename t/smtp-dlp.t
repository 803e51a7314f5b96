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
    "then = { action = \"block\"; }; } );\n";
close $f or die $!;
$s->milter('attachment-dlp', dlp_rules => "$dir/conf/dlp");
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
my ($got) = sent(mail('text/plain', "nothing of it\n"), $far, $us);
like $got, qr/^250 /, 'other mail';
is scalar @{ $s->sink->next(10)->{rcpt} }, 2, 'reaches both';

$s->done;
