#!/usr/bin/perl
# Links in attachments, by gatehouse spam check: PDF, office files, archives,
# pages, calendars, drawings, QR codes; and what cannot be opened.
use strict;
use warnings;

use Compress::Zlib ();
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;

use Gatehouse::Picture;

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $src = $ENV{GATEHOUSE_SRC} // "$FindBin::Bin/..";
my $dir = tempdir(CLEANUP => 1);
my $evil = 'http://www.paypal.com.evil.example/login';

plan skip_all => 'NOT BUILT: cells'
    unless -x "$build/cells/code/gatehouse-cell-code" &&
    -x "$build/cells/unpack/gatehouse-cell-unpack";

sub put {
	my ($name, $bytes) = @_;

	open my $f, '>:raw', "$dir/$name" or die "$name: $!";
	print $f $bytes;
	close $f or die "$name: $!";
	return "$dir/$name";
}

sub config {
	put('gatehouse.conf', "state_directory = \"$dir/state\";\n");
	put('antispam.conf', join '', map { "$_;\n" } @_);
}
mkdir "$dir/state" or die $!;
config();

sub mail {
	my ($name, $type, $bytes) = @_;

	return put('mail', "From: a\@sender.example\nTo: b\@c.example\n" .
	    "Subject: a file\nMIME-Version: 1.0\nContent-Type: " .
	    "multipart/mixed; boundary=b\n\n--b\n\nSee the file.\n--b\n" .
	    "Content-Type: $type; name=\"$name\"\nContent-Disposition: " .
	    "attachment; filename=\"$name\"\n" .
	    "Content-Transfer-Encoding: base64\n\n" . encode_base64($bytes) .
	    "--b--\n");
}

# All reasons, as one text.
sub said {
	my ($file) = @_;

	open my $out, '-|', "$build/tools/gatehouse", 'spam', 'check',
	    '--json', '--config', $dir, '--model',
	    "$src/milters/antispam/antispam.model", $file or die $!;
	my $json = join '', <$out>;
	close $out;
	my $told = eval { JSON::PP->new->utf8->decode($json) } // {};
	return join '; ', (map { $_->{words} // $_ } @{ $told->{reasons} // [] }),
	    map { "missed $_" } grep { defined } $told->{missed};
}

my $says = qr/a link says paypal\.com and goes to www\.paypal\.com\.evil\.example/;

sub finds { like said(mail(@_[1 .. 3])), $_[4] // $says, $_[0] }

finds('a URI in a PDF', 'a.pdf', 'application/pdf', "%PDF-1.7\n1 0 obj\n" .
    "<< /Type /Annot /A << /S /URI /URI ($evil) >> >>\nendobj\n");
finds('behind junk', 'a.pdf', 'application/pdf', "junk\n%PDF-1.7\n1 0 obj\n" .
    "<< /URI ($evil) >>\nendobj\n");
finds('with escapes', 'a.pdf', 'application/pdf', "%PDF-1.7\n1 0 obj\n" .
    "<</URI(\\150ttp://www.paypal.com.evil\\\n.example/\\(a\\))>>\nendobj\n");
finds('in hexadecimal', 'a.pdf', 'application/pdf', "%PDF-1.7\n1 0 obj\n" .
    '<</URI <' . unpack('H*', $evil) . ">>>\nendobj\n");
my $inner = "2 0 << /S /URI /URI ($evil) >>";
my $packed = Compress::Zlib::compress($inner);
finds('in an object stream', 'a.pdf', 'application/octet-stream',
    "%PDF-1.7\n1 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode " .
    '/Length ' . length($packed) . " >>\nstream\n$packed\nendstream\nendobj\n");

sub zipped {
	my (%files) = @_;

	open my $f, '|-', 'python3', '-c', 'import sys, zipfile
z = zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED)
for l in sys.stdin.read().split("\x00\x00"):
    n, _, t = l.partition("\x00")
    z.writestr(n, bytes.fromhex(t) if n.endswith(".gif") else t)
z.close()', "$dir/zip" or die $!;
	print $f join "\0\0", map { "$_\0$files{$_}" } sort keys %files;
	close $f or die $!;
	open my $z, '<:raw', "$dir/zip" or die $!;
	return join '', <$z>;
}

my $word = 'application/vnd.openxmlformats-officedocument.wordprocessingml.' .
    'document';
my $types = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats' .
    '.org/package/2006/content-types"></Types>';
finds('a relationship of a document', 'a.docx', $word, zipped(
    '[Content_Types].xml' => $types, 'word/document.xml' => '<w/>',
    'word/_rels/document.xml.rels' => '<Relationships><Relationship Id="r1" ' .
    "Target=\"$evil?a&amp;b\" TargetMode=\"External\"/></Relationships>"));
finds('a page in an archive', 'a.zip', 'application/zip', zipped(
    'a.htm' => "<a href=\"$evil\">x</a>"));
finds('a page', 'a.htm', 'application/octet-stream', "<a href='$evil'>x</a>");
finds('a drawing', 'a.svg', 'image/svg+xml',
    "<svg><a xlink:href='$evil'><text>x</text></a></svg>",
    qr/paypal/);
finds('a calendar', 'a.ics', 'application/ics',
    "BEGIN:VCALENDAR\r\nURL:$evil\r\nEND:VCALENDAR\r\n");
finds('a code in a picture', 'a.png', 'image/png', Gatehouse::Picture::png(
    Gatehouse::Picture::qr($evil, 4)));
finds('and that it is one', 'a.png', 'image/png', Gatehouse::Picture::png(
    Gatehouse::Picture::qr($evil, 4)), qr/a picture holds a code for a link/);
put('pgm', Gatehouse::Picture::pgm(Gatehouse::Picture::qr($evil, 4)));
open my $j, '-|:raw', "$build/t/code-probe --jpeg < $dir/pgm" or die $!;
my $jpeg = join '', <$j>;
close $j;
finds('a code in a PDF', 'a.pdf', 'application/pdf', "%PDF-1.7\n1 0 obj\n<< " .
    "/Type /XObject /Subtype /Image /Filter /DCTDecode /Length " .
    length($jpeg) . " >>\nstream\n$jpeg\nendstream\nendobj\n");
my $gif = Gatehouse::Picture::gif(Gatehouse::Picture::qr($evil, 4), 1);
finds('in a document', 'a.docx', $word, zipped('[Content_Types].xml' =>
    $types, 'word/media/image1.gif' => unpack('H*', $gif)));
finds('an empty picture in a document', 'a.docx', $word, zipped('[Content_Types].xml' =>
    $types, 'word/media/image1.gif' => ''), qr/^(?!.*paypal)/);
unlike said(mail('a.pdf', 'application/pdf', "%PDF-1.7\n/URI (mailto:a\@b)\n")),
    qr/evil|missed/, 'other URIs are no links';

config('phishing_files = "unread"');
unlike said(mail('a.htm', 'application/octet-stream', "<a href='$evil'>x</a>")),
    $says, 'nothing is opened where that is set';
done_testing;
