#!/usr/bin/perl
# attachment-dlp behind a real Postfix: what arrives when a part is removed, when
# the original goes to a mailbox first, when mail is held or refused, and when
# the mailbox cannot be reached; a template of the house's own.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Sink;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my $dir = $s->dir;
my ($us, $boss) = ('us@gatehouse.test', 'boss@gatehouse.test');
my $mails = 0;
my $name = 'attachment-dlp';

plan skip_all => Gatehouse::Postfix->missing if Gatehouse::Postfix->missing;
plan skip_all => 'NOT BUILT: the cell unpack' unless -x
    Gatehouse::Suite::build() . '/cells/unpack/gatehouse-cell-unpack';
my $copies = Gatehouse::Sink->new(dir => "$dir/copies");

open my $f, '>', "$dir/note" or die $!;
print $f "F\xc3\xbcr Sie entfernt:\n{{#attachments}}\n- {{name}}\n" .
    "{{/attachments}}\n";
close $f or die $!;
$s->milter($name, remove => [ 'class:script' ], quarantine => [ 'ext:iso' ],
    reject => [ 'class:executable', 'mime:application/x-blender' ],
    discard => [],
    copy_server => '127.0.0.1:' . $copies->port,
    scope => [ { user => $boss, copy_to => 'kept@gatehouse.test',
    note => "$dir/note" }, { user => 'lost@gatehouse.test', discard => [
    'ext:lnk' ] } ], control_mailbox => 'control@gatehouse.test');
$s->postfix;
$s->allow(qr/cell unpack/);

sub mail {
	my ($file, $bytes) = @_;

	return "From: a\@client.test\nTo: $us\nSubject: x\n" .
	    "Date: Thu, 26 Nov 2026 10:00:00 +0000\n" .
	    "Message-ID: <$file." . ++$mails . "\@client.test>\nMIME-Version: " .
	    "1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-" .
	    "Type: text/plain\n\nSee there.\n--b\nContent-Type: application/" .
	    "octet-stream; name=\"$file\"\nContent-Transfer-Encoding: base64" .
	    "\n\n" . encode_base64($bytes) . "--b\nContent-Type: image/gif\n" .
	    "\nGIF89a\n--b--\n";
}

sub sent {
	my ($message, %m) = @_;

	$s->log->mark;
	$s->pf->log->mark;
	my $got = $s->send(message => $message, %m);
	return ($got, $s->queue_id($got));
}

my $clean = mail('a.txt', 'x');
my ($got, $id) = sent($clean);
like $got, qr/^250 /, 'nothing against it';
is $s->without_received($s->sink->next(10)->{bytes}), $clean =~ s/\n/\r\n/gr,
    'it arrives byte for byte';

my $script = mail('run.js', 'x()');
($got, $id) = sent($script);
like $got, qr/^250 /, 'remove: taken';
my $bytes = $s->without_received($s->sink->next(10)->{bytes}) =~ s/\r\n/\n/gr;
my ($before, $after) = $script =~ /\A(.*?--b\n.*?--b\n).*(\n--b\nContent-Type: image.*)\z/s;
is substr($bytes, 0, length $before), $before, 'what stands before is the same';
is substr($bytes, -length $after), $after, 'and what stands behind';
like $bytes, qr/\n    run\.js \(text, 3 bytes\)\n.*number: \Q$id\E\n/s,
    'between them the note';
like $s->line($name, $id), qr/verdict=accept,\ rule=attachment-removed,.*\ attachment=removed,.*
    \(run\.js:\ class:script\ is\ in\ remove\)/x, 'the log line';
my ($event) = Gatehouse::Journal->about("$dir/state/$name", $id);
is $event->{'gatehouse.attachment.name'}, 'run.js', 'the journal';
is $event->{'gatehouse.attachment.removed'}, 1, 'with a count';
is $copies->count, 0, 'no copy where none is wanted';

# --- what only libmagic knows ---
($got) = sent(mail('scene', "BLENDER-v280REND" . "\0\1" x 100));
like $got, qr/^550 5\.7\.1 .*the attachment scene is not allowed/,
    'libmagic knows it: refused';
my ($line) = $s->log->wait_for(qr/gatehouse-\Q$name\E\[\d+\]: .*verdict=/, 10);
like $line, qr/\(scene:\ mime:application\/x-blender\ is\ in\ reject\)/x,
    'and the log line';
my $unknown = mail('scene', "BLENDEX-v280REND" . "\0\1" x 100);
($got) = sent($unknown);
like $got, qr/^250 /, 'nobody knows it';
is $s->without_received($s->sink->next(10)->{bytes}), $unknown =~ s/\n/\r\n/gr,
    'it arrives byte for byte';

# --- a copy first ---
($got, $id) = sent($script, rcpt => $boss);
like $got, qr/^250 /, 'with a copy';
my $copy = $copies->next(10);
like $copy->{bytes}, qr/\AX-Gatehouse-Copy: \Q$id\E\r\n/, 'it says of what';
is $copy->{bytes} =~ s/\AX-Gatehouse-Copy: .*\r\n//r =~ s/\A(?:Received:.*\r\n(?:[ \t].*\r\n)*)+//r,
    $script =~ s/\n/\r\n/gr, 'and is the mail as it was';
like "@{ $copy->{rcpt} }", qr/<kept\@gatehouse\.test>/, 'to that mailbox';
like $copy->{mail}, qr/^<>/, 'nobody gets a bounce of it';
$bytes = $s->sink->next(10)->{bytes};
like $bytes, qr/charset=utf-8\r\nContent-Transfer-Encoding:\ base64\r\n.*\r\n\r\n
    \Q${\ encode_base64("F\xc3\xbcr Sie entfernt:\r\n - run.js\r\n", '')}\E\r\n/x,
    'a template of its own';

$copies->rules('rcpt kept@gatehouse.test 452 4.2.2 full');
($got, $id) = sent($script, rcpt => $boss);
like $got, qr/^451 /, 'no copy, no mail: it comes again';
$s->allow(qr/the copy for kept/);
$copies->rules;
is $s->sink->next(0.2), undef, 'nothing arrives';

# --- held, refused ---
($got) = sent(mail('a.iso', 'x'));
like $got, qr/^250 /, 'quarantine: taken';
my ($object) = $store->objects;
is $object->{cause}, 'attachment', 'and held';
is $object->{rule}, 'attachment-held', 'by its rule';
like $store->body($object), qr/name="a\.iso"/, 'as it was';
($got) = sent(mail('a.txt', "\x7fELF" . "\0" x 60));
like $got, qr/^550 5\.7\.1 message refused: the attachment a\.txt is not allowed/,
    'reject';
is $s->sink->next(0.2), undef, 'neither arrives';
$store->clear;

# --- deleted, with a record ---
($got, $id) = sent(mail('a.lnk', 'x'), rcpt => 'lost@gatehouse.test');
like $got, qr/^250 /, 'discard: who sends it is not told';
$s->pf->log->wait_for(qr/\Q$id\E: .*discard/, 10);
is $s->sink->next(0.2), undef, 'it does not arrive';
like $s->line($name, $id), qr/verdict=discard, rule=attachment-discarded,/,
    'the log says so';
($object) = $store->objects;
is "$object->{rule} @{ $object->{recipients} }",
    'attachment-discarded lost@gatehouse.test', 'and the store has a record';
$store->clear;
($got) = sent(mail('a.lnk', 'x'), rcpt => [ 'lost@gatehouse.test', $us ]);
like $got, qr/^250 /, 'one of two';
is "@{ $s->sink->next(10)->{rcpt} }" =~ s/>.*//r, "<$us", 'the other gets it';
$store->clear;

# --- mail to people outside wants the control mailbox (R104) ---
my %out = (from => $us, xclient => { LOGIN => $us });
($got) = sent($clean, %out, rcpt => 'x@far.test');
like $got, qr/^550 5\.7\.1 .*control\@gatehouse\.test/,
    'not without the control mailbox';
is $s->sink->next(0.2), undef, 'it does not arrive';
($got) = sent($clean, %out, rcpt => [ 'x@far.test',
    'control@gatehouse.test' ]);
like $got, qr/^250 /, 'with it';
is scalar @{ $s->sink->next(10)->{rcpt} }, 2, 'it reaches both';
($got) = sent($clean, %out, rcpt => $boss);
like $got, qr/^250 /, 'nobody outside, no need for it';
is $s->without_received($s->sink->next(10)->{bytes}), $clean =~
    s/\n/\r\n/gr, 'and byte for byte';

# --- killed while the copy is under way: it comes again ---
for my $stage (qw(rcpt data)) {
	my $process = $s->process($name);

	$copies->rules("$stage kept\@gatehouse.test delay 1200");
	my $killer = fork // die "fork: $!";
	if ($killer == 0) {
		select undef, undef, undef, 0.6;
		kill 9, $process->pid;
		require POSIX;
		POSIX::_exit(0);
	}
	($got) = sent($script, rcpt => $boss);
	waitpid $killer, 0;
	like $got, qr/^4\d\d /, "kill -9 at $stage: put off";
	$s->kill_milter($name);
	$s->allow(qr/milter .*: (?:can't read|error)/i,
	    qr/the last run ended with messages under way/);
	$copies->rules;
	$s->start_milter($name);
	1 while $copies->next(1);
	is $s->sink->next(0), undef, 'nothing arrived';
	($got) = sent($script, rcpt => $boss);
	like $got, qr/^250 /, 'sent again: taken';
	like $copies->next(10)->{bytes} =~ s/.*?(?=From: )//sr =~ s/\r\n/\n/gr,
	    qr/\A\Q$script\E\z/, 'the copy is whole';
	ok $s->sink->next(10), 'and the mail arrives';
}
$s->done;
