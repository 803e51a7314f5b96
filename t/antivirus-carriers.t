#!/usr/bin/perl
# EICAR in every carrier that comes to mind: each is found, or said to be not
# scanned; none is clean. And the same carriers without it are clean.
use strict;
use warnings;

use Compress::Zlib ();
use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use MIME::QuotedPrint qw(encode_qp);
use Test::More;

use Gatehouse::Suite;

my $eicar = 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-' .
    'ANTIVIRUS-TEST-FILE!$H+H*';
my $harmless = 'This text has the length of the other one, and nobody ' .
    'minds it a.';
my $dir = tempdir(CLEANUP => 1);
my $cells = ($ENV{GATEHOUSE_BUILD} // '.') . '/cells';

plan skip_all => 'NOT BUILT: the cells'
    unless -x "$cells/clamav/gatehouse-cell-clamav";
mkdir "$dir/db";
# For any file, for mail, for HTML as libclamav normalises it.
put("$dir/db/test.ndb", 'Test.Eicar:0:*:' . unpack('H*', $eicar) . "\n" .
    'Test.Worm:4:*:' . unpack('H*', 'X-Worm: 7') . "\n" .
    'Test.Phish:3:*:' . unpack('H*', '<a href="http://phish.test/login">') .
    "\n");

sub put {
	my ($path, $bytes) = @_;

	open my $f, '>:raw', $path or die "$path: $!";
	print $f $bytes;
	close $f or die "$path: $!";
}

sub made_by {
	my ($tool, $command, $load) = @_;

	return undef unless `which $tool`;
	put("$dir/eicar.com", $load);
	system("cd $dir && rm -f made.* && $command >/dev/null 2>&1") == 0
	    or die "$command: $?";
	my ($made) = glob "$dir/made.*";
	open my $f, '<:raw', $made or die "$command made nothing";
	local $/;
	return scalar <$f>;
}

# --- letters ---
sub part {
	my ($type, $encoding, $body, $more) = @_;

	return "Content-Type: $type\n" . ($encoding ?
	    "Content-Transfer-Encoding: $encoding\n" : '') . ($more // '') .
	    "\n$body\n";
}

sub multipart {
	my ($boundary, @parts) = @_;

	return join('', map { "--$boundary\n$_" } @parts) . "--$boundary--\n";
}

sub letter {
	my ($head, $body) = @_;

	return "From: a\@client.test\nTo: us\@gatehouse.test\nSubject: x\n" .
	    "MIME-Version: 1.0\n$head\n$body";
}

my $text = part('text/plain', '', 'Here it is. The password is geheim.');

sub mixed {
	my (@parts) = @_;

	return letter("Content-Type: multipart/mixed; boundary=b\n",
	    multipart('b', $text, @parts));
}

sub base64 { part('application/octet-stream; name="a.bin"', 'base64',
    encode_base64($_[0])) }

sub uuencode {
	return "begin 644 a.com\n" . pack('u', $_[0]) . "`\nend\n";
}

sub le32 { pack 'V', $_[0] }

sub tnef {
	my $attribute = sub { pack('C V V', 2, $_[0], length $_[1]) . $_[1] .
	    pack 'v', unpack '%16C*', $_[1] };

	return le32(0x223e9f78) . pack('v', 1) . $attribute->(0x69002, 'x' x
	    14) . $attribute->(0x18010, "a.com\0") .
	    $attribute->(0x6800f, $_[0]);
}

sub rtf {
	return '{\rtf1{\object{\*\objdata ' . unpack('H*', pack(
	    'V V V/a V/a V/a V/a', 0x501, 2, "Any\0", '', '', $_[0])) . '}}}';
}

sub pdf {
	my $z = Compress::Zlib::compress($_[0]);

	return "%PDF-1.7\n1 0 obj\n<< /Type /EmbeddedFile /Filter " .
	    "/FlateDecode /Length " . length($z) . " >>\nstream\n${z}" .
	    "endstream\nendobj\n";
}

my $python = 'import zipfile, tarfile, gzip, bz2, lzma, io; ' .
    'd = open("eicar.com", "rb").read(); ';

sub python { made_by('python3', "python3 -c '$python$_[0]'", $_[1]) }

sub zip_of { python('zipfile.ZipFile("made.zip", "w", ' .
    'zipfile.ZIP_DEFLATED).writestr("a.com", d)', $_[0]) }

# name => code that makes the letter around a load; undef: no tool for it.
my @carriers = (
	'the body' => sub { letter("Content-Type: text/plain\n", $_[0]) },
	'a body without any header of MIME' => sub {
	    "From: a\@b.test\n\n$_[0]" },
	'base64' => sub { mixed(base64($_[0])) },
	'base64, one long line' => sub { mixed(part('a/b', 'base64',
	    encode_base64($_[0], ''))) },
	'base64 with junk between' => sub { mixed(part('a/b', 'base64',
	    join '!*', split //, encode_base64($_[0], ''))) },
	'base64 without padding' => sub { mixed(part('a/b', 'base64',
	    encode_base64($_[0], '') =~ s/=+\z//r)) },
	'base64 behind padding' => sub { mixed(part('a/b', 'base64',
	    "QQ==\n" . encode_base64($_[0]))) },
	'BASE64 in capitals' => sub { mixed(part('a/b', 'BASE64',
	    encode_base64($_[0]))) },
	'base64 with a comment' => sub { mixed(part('a/b',
	    'base64 (as usual)', encode_base64($_[0]))) },
	'quoted-printable' => sub { mixed(part('a/b', 'quoted-printable',
	    encode_qp($_[0]))) },
	'quoted-printable, all escaped' => sub { mixed(part('a/b',
	    'quoted-printable', $_[0] =~ s/(.)/sprintf '=%02X', ord $1/ger =~
	    s/(.{72})/$1=\n/gr)) },
	'8bit' => sub { mixed(part('a/b', '8bit', $_[0])) },
	'binary' => sub { mixed(part('a/b', 'binary', $_[0])) },
	'an encoding that does not exist' => sub { mixed(part('a/b',
	    'x-none', $_[0])) },
	'uuencode' => sub { mixed(part('a/b', 'x-uuencode',
	    uuencode($_[0]))) },
	'uuencode in a text' => sub { letter('', "see below\n\n" .
	    uuencode($_[0])) },
	'two encodings, the second right' => sub { mixed(part('a/b',
	    "7bit\nContent-Transfer-Encoding: base64",
	    encode_base64($_[0]))) },
	'two encodings, the first right' => sub { mixed(part('a/b',
	    "base64\nContent-Transfer-Encoding: 7bit",
	    encode_base64($_[0]))) },
	'two types, the second multipart' => sub { letter("Content-Type: " .
	    "text/plain\nContent-Type: multipart/mixed; boundary=b\n",
	    multipart('b', base64($_[0]))) },
	'two types, the first multipart' => sub { letter("Content-Type: " .
	    "multipart/mixed; boundary=b\nContent-Type: text/plain\n",
	    multipart('b', base64($_[0]))) },
	'two boundaries, the first' => sub { letter("Content-Type: " .
	    "multipart/mixed; boundary=b; boundary=c\n", multipart('b',
	    base64($_[0]))) },
	'two boundaries, the second' => sub { letter("Content-Type: " .
	    "multipart/mixed; boundary=c; boundary=b\n", multipart('b',
	    base64($_[0]))) },
	'a boundary in pieces (RFC 2231)' => sub { letter("Content-Type: " .
	    "multipart/mixed; boundary*0=\"b\"; boundary*1=\"c\"\n",
	    multipart('bc', base64($_[0]))) },
	'a boundary with blanks behind it' => sub { letter("Content-Type: " .
	    "multipart/mixed; boundary=\"b\"\n", "--b  \t\n" . base64($_[0]) .
	    "--b--  \n") },
	'no closing boundary' => sub { mixed(base64($_[0])) =~ s/--b--\n//r },
	'behind the closing boundary' => sub { mixed() . "--b\n" .
	    base64($_[0]) . "--b--\n" },
	'in the preamble, as a part would be' => sub { letter(
	    "Content-Type: multipart/mixed; boundary=b\n",
	    uuencode($_[0]) . multipart('b', $text)) },
	'no boundary named' => sub { letter("Content-Type: multipart/mixed\n",
	    multipart('b', base64($_[0]))) },
	'a base64 multipart' => sub { letter("Content-Type: multipart/mixed;" .
	    " boundary=b\nContent-Transfer-Encoding: base64\n",
	    encode_base64(multipart('b', base64($_[0])))) },
	'a message in a message' => sub { mixed(part('message/rfc822', '',
	    mixed(base64($_[0])))) },
	'a message in base64' => sub { mixed(part('message/rfc822', 'base64',
	    encode_base64(mixed(base64($_[0]))))) },
	'five messages deep' => sub { my $m = mixed(base64($_[0]));
	    $m = mixed(part('message/rfc822', '', $m)) for 1 .. 5; $m },
	'twenty multiparts deep' => sub { my $p = base64($_[0]);
	    $p = part("multipart/mixed; boundary=b$_", '',
	    multipart("b$_", $p)) for 1 .. 20; mixed($p) },
	'a report' => sub { letter("Content-Type: multipart/report; " .
	    "boundary=b\n", multipart('b', $text, part('message/rfc822', '',
	    mixed(base64($_[0]))))) },
	'a name that says jpg' => sub { mixed(part('image/jpeg; ' .
	    'name="a.jpg"', 'base64', encode_base64($_[0]))) },
	'a name of 60 kB' => sub { mixed(part('a/b; name="' . 'n' x 60000 .
	    '"', 'base64', encode_base64($_[0]))) },
	'names that are commands' => sub { mixed(part('a/b; name="`id`$(id);' .
	    '../../x"', 'base64', encode_base64($_[0]))) },
	'HTML with it as data' => sub { mixed(part('text/html', '',
	    "<p>hi</p>\n$_[0]\n")) },
	'a calendar' => sub { mixed(part('text/calendar', 'base64',
	    encode_base64($_[0]))) },
	'TNEF' => sub { mixed(base64(tnef($_[0]))) },
	'TNEF with a zip' => sub { mixed(base64(tnef(zip_of($_[0])))) },
	'an object in RTF' => sub { mixed(base64(rtf($_[0]))) },
	'a file in PDF' => sub { mixed(base64(pdf($_[0]))) },
	'zip' => sub { mixed(base64(zip_of($_[0]))) },
	'zip behind a program' => sub { mixed(base64('MZ' . "\0" x 3000 .
	    zip_of($_[0]))) },
	'zip in a zip' => sub { mixed(base64(zip_of(zip_of($_[0])))) },
	'tar' => sub { mixed(base64(python(
	    't = tarfile.open("made.tar", "w"); ' .
	    't.add("eicar.com"); t.close()', $_[0]))) },
	'tar.gz' => sub { mixed(base64(python(
	    't = tarfile.open("made.tgz", "w:gz"); ' .
	    't.add("eicar.com"); t.close()', $_[0]))) },
	'tar.bz2' => sub { mixed(base64(python(
	    't = tarfile.open("made.tbz", "w:bz2"); ' .
	    't.add("eicar.com"); t.close()', $_[0]))) },
	'tar.xz' => sub { mixed(base64(python(
	    't = tarfile.open("made.txz", "w:xz"); ' .
	    't.add("eicar.com"); t.close()', $_[0]))) },
	'gz' => sub { mixed(base64(Compress::Zlib::memGzip($_[0]))) },
	'bz2' => sub { mixed(base64(python('open("made.bz2", "wb").write(' .
	    'bz2.compress(d))', $_[0]))) },
	'xz' => sub { mixed(base64(python('open("made.xz", "wb").write(' .
	    'lzma.compress(d))', $_[0]))) },
	'lzma' => sub { mixed(base64(python('open("made.lzma", "wb").write(' .
	    'lzma.compress(d, lzma.FORMAT_ALONE))', $_[0]))) },
	'a saved message in a zip' => sub { mixed(base64(zip_of(mixed(
	    base64($_[0]))))) },
	map({ my ($name, $tool, $command) = @$_;
	    $name => sub { my $made = made_by($tool, $command, $_[0]);
	    defined $made ? mixed(base64($made)) : undef } }
	    [ '7z', '7zz', '7zz a made.7z eicar.com' ],
	    [ 'zip with AES, password in the letter', '7zz',
	      '7zz a -pgeheim -mem=AES256 made.zip eicar.com' ],
	    [ 'zip with ZipCrypto, password in the letter', '7zz',
	      '7zz a -pgeheim -mem=ZipCrypto made.zip eicar.com' ],
	    [ 'zip with another password', '7zz',
	      '7zz a -pnobodyknows -mem=AES256 made.zip eicar.com' ],
	    [ '7z with a password', '7zz',
	      '7zz a -pnobodyknows -mhe=on made.7z eicar.com' ],
	    [ 'iso', 'bsdtar', 'bsdtar -cf made.iso --format iso9660 ' .
	      'eicar.com' ],
	    [ 'cpio', 'bsdtar', 'bsdtar -cf made.cpio --format newc ' .
	      'eicar.com' ],
	    [ 'ar', 'bsdtar', 'bsdtar -cf made.a --format ar eicar.com' ],
	    [ 'xar', 'bsdtar', 'bsdtar -cf made.xar --format xar eicar.com' ],
	    [ 'tar.zst', 'bsdtar', 'bsdtar -cf made.tar --zstd eicar.com' ],
	    [ 'tar.lz4', 'bsdtar', 'bsdtar -cf made.tar --lz4 eicar.com' ],
	    [ 'tar.Z', 'bsdtar', 'bsdtar -cf made.tar -Z eicar.com' ]),
	'a zip cut in half' => sub { my $zip = zip_of($_[0] x 50);
	    mixed(base64(substr $zip, 0, length($zip) / 2)) },
	'an arj' => sub { mixed(base64("\x60\xea" . $_[0] x 3)) },
);

# What must be found, not only said to be not scanned: all but these.
my %locked = map { $_ => 1 } 'zip with another password',
    '7z with a password', 'a zip cut in half', 'an arj';

my $s = Gatehouse::Suite->new->milter('antivirus-multiscan',
    clamav_database => "$dir/db", clamav_look => '100ms',
    max_signature_age => '0s', cache => 1000)->daemons;

# The rule by which it was decided.
sub rule {
	my ($message) = @_;

	$s->log->mark;
	my $r = $s->talk('antivirus-multiscan', message => $message);
	my $line = $s->log->wait_for(
	    qr/antivirus-multiscan\[\d+\]: \S+: verdict=/, 20) // '';

	return ($line =~ /\brule=([\w-]+)/)[0] // $r->{reply};
}

my $count = 0;
while (my ($name, $make) = splice @carriers, 0, 2) {
	my $letter = $make->($eicar);

	SKIP: {
		skip "NO TOOL for $name", 1 unless defined $letter;
		my $rule = rule($letter);

		$count++;
		if ($locked{$name}) {
			like $rule, qr/^(virus|not-scanned-\w+)$/,
			    "$name: $rule";
		} else {
			is $rule, 'virus', $name;
		}
		# The same with nothing in it is no virus.
		isnt rule($make->($harmless)), 'virus', "$name, harmless";
	}
}
cmp_ok $count, '>=', 55, "$count carriers";
is rule(mixed(base64($harmless))), 'clean', 'a plain attachment is clean';

# --- mail as mail, whatever is known of what stands in it ---
my $html = letter("Content-Type: text/html\n", "<p>hi</p>\n");
is rule($html), 'clean', 'a letter';
is rule("X-Other: 1\n$html"), 'clean', 'another one with the same inside';
is rule("X-Other: 2\nX-Worm: 7\n$html"), 'virus',
    'a signature for mail fires in a header, though the inside is known';
is rule("X-Other: 3\n$html"), 'clean', 'and is not said of the next letter';
is rule(letter("Content-Type: text/html\n",
    "<P>Log in: <A  HREF='http://PHISH.test/login' >here</A>\n")), 'virus',
    'one for phishing in the HTML of a letter';

# --- an archive that is known ---
my $archive = mixed(base64(zip_of("the new virus\n")));
is rule($archive), 'clean', 'an archive';
is rule("X-Other: 4\n$archive"), 'clean', 'and again, from memory';

# --- new signatures, without a second in which nothing scans ---
is rule(letter('', "the new virus\n")), 'clean', 'nobody knows it yet';
put("$dir/db/new.ndb", "Test.New:0:*:" . unpack('H*', 'the new virus') .
    "\n");
ok $s->log->wait_for(qr/clamav: new signatures: 4 of them/, 20),
    'new signatures are loaded';
is rule(letter('', "the new virus\n")), 'virus',
    'and count, whatever the cache knows';
is rule("X-Other: 5\n$archive"), 'virus', 'or is known of an archive';
is rule("X-Other: 6\n$archive"), 'virus', 'and again';
put("$dir/db/broken.ndb", "no signature at all\n");
$s->allow(qr/new files in .* do not load/, qr/its zygote ended before/,
    qr/LibClamAV Error/);
ok $s->log->wait_for(qr/error: clamav: the new files in .* do not load/, 20),
    'broken ones are said to be broken';
is rule(letter('', "the new virus\n")), 'virus', 'the old ones stay';

$s->done;
