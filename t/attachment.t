#!/usr/bin/perl
# attachment-dlp by the milter protocol: for whom which lists count, in both
# directions; recipients who differ; what cannot be removed; the control mailbox;
# hostile names (T40); in a process of its own and hosted the same bytes; what is
# wrong in its file; and gatehouse attachment identify.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my $dir = $s->dir;
my ($us, $boss, $dev) = map { "$_\@gatehouse.test" } qw(us boss dev);
my %lists = (quarantine => [ 'class:executable' ], remove => [ 'class:script',
    'name:*.bin' ], reject => [ 'ext:scr', 'member+ext:exe',
    'mime:application/x-blender' ],
    discard => [ 'type:lnk' ], reject_outbound => [ 'ext:key' ],
    remove_outbound => [ 'larger:100k' ],
    scope => [ { user => $boss, remove => [ 'ext:txt' ], quarantine => [] },
    { user => $dev, allow => [ 'ext:js', 'ext:exe' ] },
    { user => 'limited@gatehouse.test', control_mailbox => $boss } ]);

plan skip_all => 'NOT BUILT: the cell unpack' unless -x
    Gatehouse::Suite::build() . '/cells/unpack/gatehouse-cell-unpack';
$s->milter('attachment-dlp', %lists);
$s->milter('chain', filters => [ 'attachment-dlp' ]);
$s->daemons;
$s->allow(qr/unpack/);

sub part {
	my ($name, $bytes, $type) = @_;

	return "--b\nContent-Type: " . ($type // 'application/octet-stream') .
	    "\nContent-Transfer-Encoding: base64\nContent-Disposition: " .
	    "attachment; filename=\"$name\"\n\n" . encode_base64($bytes);
}

sub mail {
	my (@parts) = @_;

	return "From: a\@client.test\nTo: $us\nSubject: x\nMIME-Version: 1.0\n" .
	    "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: " .
	    "text/plain\n\nSee there.\n" . join('', @parts) . "--b--\n";
}

# A zip with one stored member; sums are not looked at where nothing is read.
sub zip {
	my ($name, $bytes) = @_;
	my $crc = 0xffffffff;

	for my $byte (unpack 'C*', $bytes) {
		$crc ^= $byte;
		$crc = $crc & 1 ? $crc >> 1 ^ 0xedb88320 : $crc >> 1 for 1 .. 8;
	}
	my $common = pack('v5 V3 v2', 20, 0, 0, 0, 0, $crc ^ 0xffffffff,
	    length $bytes, length $bytes, length $name, 0);
	my $local = "PK\3\4$common$name$bytes";
	my $central = "PK\1\2" . pack('v', 20) . $common .
	    pack('v3 V2', 0, 0, 0, 0, 0) . $name;

	return $local . $central . "PK\5\6" . pack('v4 V2 v', 0, 0, 1, 1,
	    length $central, length $local, 0);
}

my $pe = 'MZ' . "\0" x 58 . pack('V', 64) . "PE\0\0" . "\0" x 20;
my $lnk = "L\0\0\0\1\24\2\0" . "\0" x 100;
my $blend = "BLENDER-v280REND" . "\0\1" x 100;
my $last = 0;

sub talk {
	my ($form, $message, %m) = @_;

	$s->log->mark;
	return $s->talk($form, message => $message, rcpt => [ $us ], %m);
}

sub rule {
	my ($form) = @_;
	my ($line) = $s->log->wait_for(qr/gatehouse-\Q$form\E\[\d+\]: .*verdict=/,
	    10);

	return ($line // '') =~ /rule=([\w-]+)/ ? $1 : 'none';
}

for my $form ('attachment-dlp', 'chain') {
	my $letter = mail(part('a.txt', 'x'));
	my $r = talk($form, $letter);
	is $r->{reply}, 'accept', "$form: nothing against it";
	is_deeply $r->{edits}, [], 'and not a byte changed';

	# One of three goes.
	$r = talk($form, mail(part('a.txt', 'x'), part('run.js', 'x()'),
	    part('b.txt', 'y')));
	is $r->{reply}, 'accept', 'removed, and delivered';
	is rule($form), 'attachment-removed', 'the log says so';
	my $text = $r->{message} =~ s/\r\n/\n/gr;
	my ($first, $second) = (part('a.txt', 'x'), part('b.txt', 'y'));
	like $text, qr/See there.\n\Q$first\E--b\nContent-Type: text\/plain.*\n    run\.js \(text, 3 bytes\)\n.*\n\Q$second\E--b--\n\z/s,
	    'a note stands in its place, the others as they were';
	unlike $text, qr/filename="run\.js"/, 'and it is gone';

	# By what it is.
	$r = talk($form, mail(part('a.pdf', $pe)));
	is $r->{reply}, 'discard', 'a program called .pdf: kept back';
	is +($store->objects)[0]{cause}, 'attachment', 'held as attachment';
	is +($store->objects)[0]{rule}, 'attachment-held', 'with its rule';
	$store->clear;
	$r = talk($form, mail(part('a.zip', zip('d/x.exe', 'x'))));
	like $r->{reply}, qr/^550 5\.7\.1 .*a\.zip\/d\/x\.exe is not allowed/,
	    'one in an archive: refused, by its name';
	$r = talk($form, mail(part("cod\xe2\x80\xaercs.scr", 'x')));
	like $r->{reply}, qr/^550 5\.7\.1/, 'one whose name is turned round';
	$r = talk($form, mail(part('a.txt', $lnk)));
	is $r->{reply}, 'discard', 'discarded';
	is +($store->objects)[0]{kind}, 'deleted', 'with a record';
	$store->clear;

	# What only libmagic knows.
	$r = talk($form, mail(part('scene', $blend)));
	like $r->{reply}, qr/^550 5\.7\.1 .*scene is not allowed/,
	    'libmagic knows it';
	$r = talk($form, mail(part('a.zip', zip('scene', $blend))));
	like $r->{reply}, qr/^550 5\.7\.1 .*a\.zip\/scene is not allowed/,
	    'and in an archive';
	$r = talk($form, mail(part('scene', "-$blend")));
	is $r->{reply}, 'accept', 'nobody knows it';

	# Whose lists.
	$r = talk($form, mail(part('x.js', '1'), part('y.exe', '1')),
	    rcpt => [ $dev ]);
	is_deeply [ $r->{reply}, $r->{edits} ], [ 'accept', [] ],
	    'somebody may get it';
	$r = talk($form, mail(part('x.js', '1'), part('y.txt', '1')),
	    rcpt => [ $boss ]);
	like $r->{message}, qr/y\.txt \(text, 1 bytes\)/, 'another list';
	like $r->{message}, qr/filename="x\.js"/, 'instead of ours';
	$r = talk($form, mail(part('y.exe', '1')), rcpt => [ $us, $dev ]);
	is "$r->{reply} @{ $r->{rcpt} }", "accept $dev", 'held for one of two';
	is "@{ +($store->objects)[0]{recipients} }", $us, 'who is named';
	$store->clear;

	$r = talk($form, mail(part('z.js', '1')), rcpt => [ $us, $dev ]);
	is "$r->{reply} @{ $r->{rcpt} }", "accept $us $dev", 'two of one message';
	like $r->{message}, qr/z\.js \(text/, 'have one form, and it goes for both';

	# Out, and from one of us to another.
	my %out = (client => '198.51.100.9', from => $us);
	$r = talk($form, mail(part('a.key', 'x')), %out,
	    rcpt => [ 'x@far.test' ]);
	like $r->{reply}, qr/^550 5\.7\.1 .*a\.key/, 'outbound: its own lists';
	$r = talk($form, mail(part('a.key', 'x')), %out, rcpt => [ $dev ]);
	is $r->{reply}, 'accept', 'which internal mail is not asked about';
	$r = talk($form, mail(part('a.dat', 'x' x 102401)), %out,
	    rcpt => [ 'x@far.test' ]);
	like $r->{message}, qr/a\.dat \(text, 102401 bytes\)/, 'by size';

	# What would break something else.
	my $signed = mail(part('a.bin', 'x')) =~
	    s{multipart/mixed}{multipart/signed}r;
	$r = talk($form, $signed);
	is rule($form), 'attachment-unremovable', 'signed mail is not broken';
	is +($store->objects)[0]{cause}, 'attachment', 'it is held';
	$store->clear;

	# The control mailbox.
	my %limited = (%out, from => 'limited@gatehouse.test');
	$r = talk($form, $letter, %limited, rcpt => [ 'x@far.test', $us ]);
	like $r->{reply}, qr/^550 5\.7\.1 mail to people outside needs \Q$boss\E/,
	    'no mail to people outside without the control mailbox';
	$r = talk($form, $letter, %limited, rcpt => [ 'x@far.test', uc $boss ]);
	is $r->{reply}, 'accept', 'with it, there is';
	$r = talk($form, $letter, %limited, rcpt => [ $us ]);
	is $r->{reply}, 'accept', 'nor is it needed inside';
}

# --- names that are commands, paths and control codes ---
my @names = ('`touch /tmp/gh-a`', '$(id)', '../../etc/x', "a'b;--", 'c' x 65000,
    "\xff\xfe", '=?utf-8?b?DQpYOiB5?=');
my $all = mail(map { part("$_.js", 'x') } @names);
my $r = talk('attachment-dlp', $all);
is $r->{reply}, 'accept', 'hostile names';
unlike $r->{message}, qr/^X: y/m, 'no field comes out of one';
is scalar(() = $r->{message} =~ /Content-Disposition: inline/g),
    scalar @names, 'all of them are removed';
$r = talk('attachment-dlp', mail(part("a\x1b[2J\\\"\nX-Y: z\n.scr", 'x')));
my @lines = grep { /attachment-dlp.*(?:verdict=|X-Y)/ } $s->log->since_mark(qr/./);
is scalar(grep { !/^.*gatehouse-attachment-dlp\[\d+\]: /  } @lines), 0,
    'log lines are whole';
ok !-e '/tmp/gh-a', 'nothing was run';
# T41: members that would be written elsewhere are names, and no more.
$r = talk('attachment-dlp', mail(map { part("$_->[0].zip", zip($_->[1], 'x')) }
    [ 'up', "../../..$dir/planted.txt" ], [ 'abs', "$dir/planted.txt" ],
    [ 'dot', "..\\..\\planted.exe.txt" ]));
is $r->{reply}, 'accept', 'archives that climb out';
ok !-e "$dir/planted.txt", 'nothing is written';
$r = talk('attachment-dlp', mail(part('a.zip', zip('../../run.js', 'x'))));
like $r->{message}, qr/a\.zip\/\.\.\/\.\.\/run\.js \(text, 1 bytes\)/,
    'and they are seen as what they are';

# --- its file ---
sub wrong {
	my (%options) = @_;

	$s->options('attachment-dlp', %lists, note => '', control_mailbox => '',
	    copy_server => '127.0.0.1:10026', %options);
	my ($exit, $text) = $s->gatehouse('check-config', '--config', $s->conf);
	return "$exit $text";
}

like wrong(remove => [ 'exe' ]), qr/^78 .*remove: "exe" is no condition; there/s,
    'an entry that is none';
like wrong(remove => [], scope => [ { user => $boss, reject => [ 'class:x' ] } ]),
    qr/^78 .*attachment-dlp\.conf:\d+: reject: "x" is no class/s,
    'in a scope, with its line';
like wrong(control_mailbox => 'boss'),
    qr/control_mailbox is "boss"; it wants an address/, 'no address';
like wrong(copy_server => 'mail'), qr/copy_server is "mail"; it wants/,
    'no server';
open my $f, '>', "$dir/note" or die $!;
print $f "{{hostnam}}\n";
close $f;
like wrong(note => "$dir/note"), qr/note:1: .*hostname/s, 'a wrong template';
like wrong(), qr/^0 /, 'and all of it right';

# --- what the command says ---
open $f, '>:raw', "$dir/in.zip" or die $!;
print $f zip('b.exe', $pe);
close $f;
my ($exit, $said) = $s->gatehouse('attachment', 'identify', '--name',
    'letter.doc', "$dir/in.zip");
is $exit, 0, 'gatehouse attachment identify';
like $said, qr/^letter\.doc:\ zip,\ \d+\ bytes,\ class\ archive,disagreement\n
    \ +disagreement:\ the\ name\ says\ doc,\ and\ its\ bytes\ are\ zip\n
    \ +libmagic\ says\ application\/zip\n
    letter\.doc\/b\.exe:\ pe,\ 88\ bytes,\ class\ executable\n
    \ +libmagic\ says\ application\/[\w.-]+\n\z/x,
    'a file, and what is in it';
($exit, $said) = $s->gatehouse('attachment', 'identify', '--json',
    "$dir/in.zip");
my $json = JSON::PP::decode_json($said);
is $json->{items}[1]{path}, 'in.zip/b.exe', 'as JSON';
is_deeply $json->{items}[1]{classes}, [ 'executable' ], 'with classes';
open $f, '>:raw', "$dir/scene" or die $!;
print $f $blend;
close $f;
($exit, $said) = $s->gatehouse('attachment', 'identify', "$dir/scene");
is $said, "scene: data, 216 bytes, class unknown\n    libmagic says " .
    "application/x-blender, which counts\n", 'what only libmagic knows';
($exit, $said) = $s->gatehouse('attachment', 'identify', '--json',
    "$dir/scene");
$json = JSON::PP::decode_json($said)->{items}[0];
ok $json->{libmagic} eq 'application/x-blender' && $json->{libmagic_counts},
    'as JSON';
($exit) = $s->gatehouse('attachment', 'identify', "$dir/none");
is $exit, 66, 'a file that is not there';
$s->done;
