#!/usr/bin/perl
# Large mail behind a real Postfix: 60 MB become a letter with links, and each
# file is had again byte for byte, with bounded memory; the rest of the letter
# is the same; the daemon is killed between the file and the answer; the store
# is full.
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use IO::Socket::UNIX;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Log;
use Gatehouse::Process;
use Gatehouse::Scanners;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my ($dir, $json) = ($s->dir, JSON::PP->new->utf8);
my $us = 'us@gatehouse.test';
my $url = 'https://portal.gatehouse.test/f/';
my $name = 'attachment-dlp';
my $mounted;
END { system 'umount', '-l', $store->dir if $mounted }

plan skip_all => Gatehouse::Postfix->missing if Gatehouse::Postfix->missing;
plan skip_all => 'NOT BUILT: the cell unpack' unless -x
    Gatehouse::Suite::build() . '/cells/unpack/gatehouse-cell-unpack';
plan skip_all => 'NO PACKAGE clamav-daemon'
    unless Gatehouse::Scanners->has_clamd;

make_path(map { "$dir/$_" } qw(db run));
open my $f, '>', "$dir/db/test.ndb" or die $!;
print $f 'Test.Word:0:*:' . unpack('H*', 'no file has this word') . "\n";
close $f;
my $scanners = Gatehouse::Scanners->new(dir => "$dir/run", db => "$dir/db");
$scanners->clamd(MaxFileSize => '100M', MaxScanSize => '100M',
    StreamMaxLength => '100M');
my $door = IO::Socket::UNIX->new(Local => "$dir/portal", Listen => 5) or die $!;
$s->{house}{portal} = "$dir/portal";
$s->milter($name, large_at => '1M', large_part => '100k', large_url => $url,
    quarantine => [], member_bytes => '10M');
$s->service('store', key => "$dir/store.key", reserve => '64k',
    scan => '200ms', download_scanners => [ $scanners->socket ]);
$s->postfix;
$s->allow(qr/cell unpack/);

sub bytes {
	my ($n, $seed) = @_;
	my $block = join '', map { pack 'H*', sha256_hex("$seed.$_") } 1 .. 2048;

	return substr $block x (1 + $n / length $block), 0, $n;
}

my $mails = 0;
sub mail {
	my (@files) = @_;
	my $id = ++$mails;

	return "From: a\@client.test\nTo: $us\nSubject: x\nDate: Thu, 26 Nov " .
	    "2026 10:00:00 +0000\nMessage-ID: <$id\@client.test>\nMIME-Version:" .
	    " 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-" .
	    "Type: text/plain\n\nSee there.\n" . join('', map { "--b\nContent-" .
	    "Type: application/octet-stream; name=\"$_->[0]\"\nContent-Transfer-" .
	    "Encoding: base64\n\n" . encode_base64($_->[1]) } @files) . "--b--\n";
}

sub ask {
	my (%request) = @_;
	my $c = IO::Socket::UNIX->new(Peer => "$dir/state/store/sock")
	    or return { error => 'away' };

	print $c $json->encode({ v => 1, %request }), "\n";
	my $answer = $json->decode(<$c> // '{}');
	if ($answer->{bytes}) {
		local $/ = \$answer->{bytes};
		$answer->{got} = <$c>;
	}
	return $answer;
}

sub tokens { return $_[0] =~ m{\Q$url\E([a-z2-7]{26})\r\n}g }

sub adopted {
	my $end = time + 30;

	sleep 0.02 while $store->files && time < $end;
	is_deeply [ $store->files ], [], 'what was stored came in';
}

# --- 60 MB ---
my $kept = [ 'small.bin', bytes(5_000, 'small') ];
my @big = map { [ "big$_.bin", bytes(22_000_000, "big$_") ] } 1, 2;
my $message = mail($big[0], $kept, $big[1]);
cmp_ok length $message, '>', 59_000_000, 'a message of 60 MB';
my $got = $s->send(message => $message, timeout => 300);
like $got, qr/^250 /, 'is taken';
my $id = $s->queue_id($got);
my $mail = $s->sink->next(60);
cmp_ok length $mail->{bytes}, '<', 20_000, 'and delivered as a letter';
my @tokens = tokens($mail->{bytes});
is scalar @tokens, 2, 'with two links';
my $part = $message =~ s/\n/\r\n/gr;
($part) = $part =~ /(--b\r\nContent-Type: application\/octet-stream; name="small\.bin".*?\r\n)--b/s;
isnt index($mail->{bytes}, $part), -1, 'the small part as it was';
like $s->line($name, $id), qr/verdict=accept, rule=large-mail,.* large=2,.*\(2 attachments of 44000000 bytes are in the store/,
    'the log line';
my ($event) = Gatehouse::Journal->about("$dir/state/$name", $id);
is $event->{'gatehouse.large.bytes'}, 44_000_000, 'the journal';
is $event->{'gatehouse.files'}[1]{sha256}, sha256_hex($big[1][1]), 'and what they are';
adopted();
for (0, 1) {
	my $file = ask(op => 'file-fetch', token => $tokens[$_]);
	is $file->{name}, $big[$_][0], 'the file by its name';
	is sha256_hex($file->{got} // ''), sha256_hex($big[$_][1]), 'byte for byte';
}
my %peak = map { $_ => $s->usage($_)->{peak} } $name, 'store';
diag "peak kB: $name $peak{$name}, store $peak{store}, for 60 MB";
SKIP: {
	skip 'a sanitizer needs more', 2
	    if `nm -D ${\ $s->{by}{$name}{program}} 2>&1` =~ /__asan|__tsan/;
	cmp_ok $peak{$name}, '<', 300_000, 'the milter\'s memory is bounded';
	cmp_ok $peak{store}, '<', 64_000, 'and the store\'s does not grow with files';
}

# --- killed behind the file, before the answer ---
SKIP: {
	skip 'NO strace here', 1 unless grep { -x "$_/strace" } split /:/, $ENV{PATH};
	my $err = "$dir/log/strace.err";
	$s->signal_milter('store', 'STOP');
	my $p = Gatehouse::Process->start(name => 'strace', log => $err,
	    argv => [ 'strace', '-f', '-o', "$dir/trace", '-p',
	    $s->process($name)->pid, '-P', $store->dir, '-e', 'trace=fsync',
	    '-e', 'inject=fsync:signal=SIGKILL:when=1' ]);
	Gatehouse::Log->new($err)->wait_for(qr/attached/, 20)
	    or BAIL_OUT("strace: $err");
	$s->{by}{$name}{expected} = 0;
	my $killed = mail([ 'a.bin', bytes(2_000_000, 'killed') ]);
	like $s->send(message => $killed), qr/^451 /, 'killed between: 451';
	$p->stop;
	is scalar($store->files), 1, 'the file is there';
	$s->pf->log->mark;
	$s->start_milter($name);
	$s->allow(qr/the last run ended with messages under way/,
	    qr/milter unix:.*(?:unreasonable|can't read)/);
	like $s->send(message => $killed), qr/^250 /, 'it comes again';
	is scalar($store->files), 1, 'and is there once';
	$s->signal_milter('store', 'CONT');
	adopted();
	my @token = tokens($s->sink->next(20)->{bytes});
	is sha256_hex(ask(op => 'file-fetch', token => $token[0])->{got} // ''),
	    sha256_hex(bytes(2_000_000, 'killed')), 'its link is good';
	is $s->sink->next(0.2), undef, 'delivered once';
	my ($line) = grep { $_->{name} eq 'a.bin' } @{ ask(op => 'file-list')->{rows} };
	is $line->{given}, 1, 'one file, one count';
}

# --- full ---
SKIP: {
	skip 'NO tmpfs CAN BE MOUNTED HERE', 1 if $> != 0 || system(
	    "mount -t tmpfs -o size=512k,mode=3770 tmpfs ${\ $store->dir} 2>/dev/null") != 0;
	$mounted = 1;
	my $full = mail([ 'full.bin', bytes(2_000_000, 'full') ]);
	like $s->send(message => $full), qr/^451 /, 'no room: 451';
	$s->allow(qr/warning: \w+: an attachment cannot be stored: .*No space left/);
	like $s->send(message => mail($kept)), qr/^250 /, 'what is small goes on';
	$s->sink->next(20);
	is_deeply [ $store->files ], [], 'nothing half-written stays';
	system 'umount', '-l', $store->dir;
	$mounted = 0;
	like $s->send(message => $full), qr/^250 /, 'and when there is room';
	is scalar(tokens($s->sink->next(20)->{bytes})), 1, 'delivered';
	adopted();
}
$s->done;
