#!/usr/bin/perl
# Large mail for recipients who need different forms: one gets all of it, two get
# links with settings of their own; nothing is stored in the first pass, and each
# link is good for whom it was made.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use MIME::Base64 qw(encode_base64);
use Test::More;

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Split;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my ($all, $many, $once) = map { "$_\@our.test" } qw(all many once);
my $url = 'https://portal.our.test/f/';
my $name = 'attachment-dlp';

plan skip_all => Gatehouse::Postfix->missing if Gatehouse::Postfix->missing;
plan skip_all => 'NOT BUILT: the cell unpack' unless -x
    Gatehouse::Suite::build() . '/cells/unpack/gatehouse-cell-unpack';
my $door = IO::Socket::UNIX->new(Local => $s->dir . '/portal', Listen => 5)
    or die $!;
$s->{house}{portal} = $s->dir . '/portal';
my $split = Gatehouse::Split->new($s, filters => [ $name ],
    users => [ $all, $many, $once ], aliases => {});
open my $log, '>>', $s->log->path or die $!;
$s->milter($name, quarantine => [], large_url => $url, large_part => '1k',
    scope => [ { user => $many, large_at => '10k', large_downloads => 9 },
    { user => $once, large_at => '10k', large_downloads => 1 } ]);
$split->postfix;
$s->allow(qr/cell unpack/);

my $part = encode_base64('large ' x 5_000);
my $message = "From: a\@client.test\nTo: x\nSubject: x\nDate: Thu, 26 Nov 2026 " .
    "10:00:00 +0000\nMessage-ID: <1\@client.test>\nMIME-Version: 1.0\n" .
    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee there.\n--b\n" .
    "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: " .
    "base64\n\n$part--b--\n";
like $s->send(rcpt => [ $all, $many, $once ], message => $message), qr/^250 /,
    'one message for three';
$s->pf->wait_queue_empty(20);
my %got = map { ("@{ $_->{rcpt} }" =~ /<(.*?)>/)[0] => $_->{bytes} }
    $s->sink->rest;
is_deeply [ sort keys %got ], [ sort $all, $many, $once ], 'each gets his own';
isnt index($got{$all}, $part =~ s/\n/\r\n/gr), -1, 'one has all of it';
my %token = map { $_ => ($got{$_} =~ m{\Q$url\E([a-z2-7]{26})\r\n})[0] }
    $many, $once;
ok $token{$many} && $token{$once}, 'the others have links';
isnt $token{$many}, $token{$once}, 'that differ';
my @objects = $store->objects;
is scalar @objects, 2, 'two files, of the second pass';
is_deeply { map { ("@{ $_->{recipients} }" => $_->{file}) } map {
    { recipients => $_->{recipients}, file => $_->{kind} } } @objects },
    { $many => 'file', $once => 'file' }, 'each for whom it is';
$s->done;
