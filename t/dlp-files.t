#!/usr/bin/perl
# gatehouse dlp: an IBAN of each country and a card of each large issuer in all
# that mail carries text in (T48): plain, HTML, quoted-printable, base64, docx,
# xlsx, odt, pdf, archives and mail in them; however it is broken up. No number
# is shown whole. Documents that are learned are known again. And ordinary mail
# has no such numbers.
use strict;
use warnings;

use Compress::Zlib qw(compress);
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Compress::Zip qw(zip $ZipError);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use MIME::QuotedPrint qw(encode_qp);
use Test::More;

use Gatehouse::Office qw(word excel slides rtf);
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $dir = $s->dir;
my $build = Gatehouse::Suite::build();

plan skip_all => 'NOT BUILT: the cell unpack' unless -x
    "$build/cells/unpack/gatehouse-cell-unpack";
my @numbers = map { /^(\S+) (\S+)$/ ? [ $1, $2 ] : () }
    `$build/t/dlp-numbers 2>$dir/made`;
is -s "$dir/made", 0, 'all numbers could be made';
cmp_ok scalar @numbers, '>', 110, 'of all countries and issuers';

sub put {
	my ($name, @bytes) = @_;

	open my $f, '>:raw', "$dir/$name" or die "$name: $!";
	print $f @bytes;
	close $f or die "$name: $!";
	return "$dir/$name";
}

sub rules { put('rules', "rules = (\n", join(",\n", map { "{ $_ }" } @_),
    "\n);\n") }

# What is found in a file, by kind; and no number stands in what is told.
sub found {
	my ($file, @args) = @_;
	my ($status, $text) = $s->gatehouse('dlp', 'test', '--rules',
	    "$dir/rules", '--json', @args, $file);
	my $told = eval { JSON::PP::decode_json($text) };

	return { status => $status } unless $told;
	my @shown = grep { index($text, $_->[1]) >= 0 ||
	    index($text, $_->[1] =~ s/(....)(?=.)/$1 /gr) >= 0 } @numbers;
	return { %$told, status => $status, shown => scalar @shown,
	    rules => { map { $_->{name} => $_ } @{ $told->{rules} } } };
}

# As people write them: in fours.
my @written = map { $_->[1] =~ s/(.{4})(?=.)/$1 /gr } @numbers;
my @lines = map { "Number $_: $written[$_]" } 0 .. $#written;
my $cards = grep { $_->[0] ne 'iban' } @numbers;
my $ibans = @numbers - $cards;

sub zipped {
	my ($name, @members) = @_;
	my $z;

	while (my ($member, $bytes) = splice @members, 0, 2) {
		$z ? $z->newStream(Name => $member) : ($z =
		    IO::Compress::Zip->new("$dir/$name", Name => $member) or
		    die $ZipError);
		$z->print($bytes);
	}
	$z->close;
	return "$dir/$name";
}

my $xml = qq{<?xml version="1.0" encoding="UTF-8"?>\n};

# A number in three runs, as Word has them after a correction.
sub runs {
	my ($text) = @_;
	my $n = int(length($text) / 3);

	return join '', map { '<w:r><w:rPr><w:b/></w:rPr><w:t xml:space=' .
	    "\"preserve\">$_</w:t></w:r><w:proofErr w:type=\"x\"/>" }
	    substr($text, 0, $n), substr($text, $n, $n), substr($text, 2 * $n);
}

sub docx { zipped($_[0], '[Content_Types].xml' => "$xml<Types/>",
    'word/document.xml' => "$xml<w:document><w:body>" . join('', map {
    '<w:p>' . runs($_) . '</w:p>' } @_[1 .. $#_]) . '</w:body></w:document>') }
sub xlsx { zipped($_[0], '[Content_Types].xml' => "$xml<Types/>",
    'xl/sharedStrings.xml' => "$xml<sst>" . join('', map {
    "<si><t>$_</t></si>" } @_[1 .. $#_]) . '</sst>',
    'xl/worksheets/sheet1.xml' => "$xml<worksheet><sheetData>" .
    join('', map { "<row><c t=\"s\"><v>$_</v></c></row>" } 0 .. $#_ - 1) .
    '</sheetData></worksheet>') }
sub odt { zipped($_[0], mimetype => 'application/vnd.oasis.opendocument.text',
    'content.xml' => "$xml<office:document-content><office:text>" .
    join('', map { '<text:p>' . (s{ }{<text:s/>}gr =~
    s{(\d\d)}{<text:span>$1</text:span>}r) . '</text:p>' } @_[1 .. $#_]) .
    '</office:text></office:document-content>') }

# Glyphs by number, and a map of what they mean; in an object stream.
sub pdf {
	my ($name, @text) = @_;
	my $y = 800;
	my $draw = compress('BT /F1 9 Tf ' . join(' ', map {
	    "1 0 0 1 40 " . $y-- . " Tm [<" . join('', map { sprintf '%04x',
	    ord($_) - 29 } split //, $_) . '>] TJ' } @text) . ' ET');
	my $map = compress('1 begincodespacerange <0000> <ffff> ' .
	    'endcodespacerange 1 beginbfrange <0003> <0061> <0020> endbfrange');
	my @inner = ('<</Type/Catalog/Pages 2 0 R>>', '<</Type/Pages/Kids[3 0 ' .
	    'R]/Count 1/Resources<</Font<</F1 4 0 R>>>>>>',
	    '<</Type/Page/Parent 2 0 R/Contents [5 0 R]>>', '<</Type/Font/' .
	    'Subtype/Type0/BaseFont/X/Encoding/Identity-H/ToUnicode 6 0 R>>');
	my ($head, $body) = ('', '');
	for my $i (1 .. @inner) {
		$head .= "$i " . length($body) . ' ';
		$body .= "$inner[$i - 1]\n";
	}
	my $objects = compress($head . $body);
	my $stream = sub { my ($n, $more, $bytes) = @_;
		"$n 0 obj\n<<$more/Length " . length($bytes) .
		"/Filter/FlateDecode>>\nstream\n$bytes\nendstream\nendobj\n" };

	return put($name, "%PDF-1.5\n", $stream->(5, '', $draw),
	    $stream->(6, '', $map), $stream->(7, '/Type/ObjStm/N 4/First ' .
	    length $head, $objects), "trailer<</Root 1 0 R>>\n%%EOF\n");
}

sub mail {
	my ($name, $type, $encoding, $body) = @_;

	return put($name, "From: a\@b.test\nSubject: s\nMIME-Version: 1.0\n" .
	    "Content-Type: $type; charset=utf-8\nContent-Transfer-Encoding: " .
	    "$encoding\n\n$body");
}

sub slurp { open my $f, '<:raw', $_[0] or die "$_[0]: $!"; local $/; <$f> }

# --- everywhere ----------------------------------------------------------

rules('name = "cards"; mode = "enforce"; card = true; then = { action = ' .
    "\"block\"; };", 'name = "ibans"; iban = true;');
my $plain = join("\n", @lines) . "\n";
my $html = '<p>' . join('</p><p>', map { s/(\d)(\d)/$1<b><\/b>$2/r =~
    s/(\d)(\d)$/$1 . '&#' . ord($2) . ';'/er =~ s/ /&nbsp;/gr } @lines) .
    '</p>';
my $docx = docx('a.docx', @lines);
my %files = (
	'plain' => mail('m1', 'text/plain', '7bit', $plain),
	'HTML' => mail('m2', 'text/html', '7bit', $html),
	'quoted-printable' => mail('m3', 'text/plain', 'quoted-printable',
	    encode_qp($plain) =~ s/(\d)(\d)/$1=\n$2/gr),
	'base64' => mail('m4', 'text/plain', 'base64', encode_base64($plain)),
	'a file of text' => put('a.csv', $plain),
	'docx' => $docx, 'xlsx' => xlsx('a.xlsx', @lines),
	'odt' => odt('a.odt', @lines), 'pdf' => pdf('a.pdf', @lines),
	'doc' => put('a.doc', word(map { my $n = int(length() / 2);
	    (substr($_, 0, $n), [ utf16 => substr $_, $n ], "\r") } @lines)),
	'xls' => put('a.xls', excel(map { [ split /: / ] } @lines)),
	'ppt' => put('a.ppt', slides(@lines)), 'rtf' => put('a.rtf',
	    rtf(@lines) =~ s/(\d\d)(\d\d)(?= )/$1\{\\b $2}/gr),
	'docx in mail' => mail('m5', 'application/octet-stream; name="a.docx"',
	    'base64', encode_base64(slurp($docx))),
	'mail in zip in zip' => zipped('b.zip', 'a.zip' => slurp(zipped('a.zip',
	    'letter.eml' => slurp("$dir/m4")))),
);
for my $what (sort keys %files) {
	my $got = found($files{$what});
	is_deeply [ map { $got->{rules}{$_}{values} } qw(cards ibans) ],
	    [ $cards, $ibans ], "$what: all cards, all IBANs";
	is "$got->{status} $got->{action}", '1 block', 'would be blocked';
	is $got->{shown}, 0, 'and no number is shown';
}

# --- broken up -----------------------------------------------------------

my ($card, $iban) = ('5500000000000004', 'GB29NWBK60161331926819');
my $zero = "\xe2\x80\x8b";
my %broken = (
	'over a line end' => "pay 55000000\n00000004 and\n" .
	    "GB29 NWBK 6016\n1331 9268 19\n",
	'zero width' => join($zero, split //, $card) . ' ' .
	    join($zero, split //, $iban),
	'soft hyphens' => join("\xc2\xad", split //, "$card $iban"),
	'no-break blanks' => "5500\xc2\xa00000\xc2\xa00000\xc2\xa00004 and " .
	    'GB29 NWBK 6016 1331 9268 19' =~ s/ /\xe2\x80\xaf/gr,
	'in a quotation' => "> 5500 0000\n> 0000 0004\n> GB29 NWBK 6016\n" .
	    "> 1331 9268 19\n",
	'dashes and dots' => '5500-0000-0000-0004; GB29.NWBK.6016.1331.9268.19',
	'digits of full width' => join('', map { /\d/ ? "\xef\xbc" .
	    chr(0x90 + $_) : $_ } split //, "$card $iban"),
);
for my $what (sort keys %broken) {
	my $got = found(mail('m', 'text/plain', 'base64',
	    encode_base64($broken{$what})));
	is_deeply [ map { $got->{rules}{$_}{values} } qw(cards ibans) ],
	    [ 1, 1 ], "$what: found";
}
my $hidden = found(mail('m', 'text/html', '7bit', '<p>' . join('<i></i>',
    map { '&#x' . sprintf('%x', ord) . ';' } split //, "$card ") .
    "</p><p style='display:none'>$iban</p>"));
is_deeply [ map { $hidden->{rules}{$_}{values} } qw(cards ibans) ], [ 1, 1 ],
    'references one by one, and what nobody sees';
my $parted = 'Content-Type: multipart/mixed; boundary=b';
my %around = (
	'before the first part' => "$parted\n\n$card $iban\n--b\n\nx\n--b--\n",
	'behind the last' => "$parted\n\n--b\n\nx\n--b--\n$card $iban\n",
	'a subject within' => "$parted\n\n--b\nContent-Type: message/rfc822\n" .
	    "\nSubject: $card $iban\n\nx\n--b--\n",
	'a topic' => "Thread-Topic: =?utf-8?b?" . encode_base64("$card $iban",
	    '') . "?=\n\nx\n",
	'a name of a file' => "Content-Type: image/png; name=\"$card $iban.png\"" .
	    "\n\nx\n",
);
for my $what (sort keys %around) {
	my $got = found(put('m', "From: a\@b.test\nSubject: s\nMIME-Version: " .
	    "1.0\n$around{$what}"));
	is_deeply [ map { $got->{rules}{$_}{values} } qw(cards ibans) ],
	    [ 1, 1 ], "$what: found";
}
my $none = found(put('n', "4111111111111112 and DE89370400440532013001\n"));
is_deeply [ map { $none->{rules}{$_}{values} } qw(cards ibans) ], [ 0, 0 ],
    'wrong check digits are none';
is $none->{status}, 0, 'and nothing is done';

# --- what cannot be read is said -----------------------------------------

my $old = found(put('old.doc', "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" . 'x' x 600));
ok scalar @{ $old->{not_read} }, 'a broken office file is not read, and told';
is_deeply [ map { @{ found("$dir/a.$_")->{not_read} } } qw(doc xls ppt rtf) ],
    [], 'whole ones are read';
my $mute = found(put('mute.pdf', slurp("$dir/a.pdf") =~
    s/^6 0 obj.*?endobj\n//msr));
is $mute->{rules}{cards}{values}, 0, 'a PDF whose font says nothing';
is_deeply $mute->{not_read}, [ { path => 'mute.pdf', why => 'pdf' } ],
    'is not read: that is not clean';

# --- documents -----------------------------------------------------------

my @words = map { "alpha$_ of beta" . $_ * 7 } 1 .. 300;
my $paper = docx('paper.docx', join ' ', @words);
my ($status, $text) = $s->gatehouse('dlp', 'learn', '--set', "$dir/set",
    $paper, put('other.txt', join ' ', map { "gamma$_" } 1 .. 100));
is $status, 0, 'two documents are learned' or diag $text;
rules("name = \"papers\"; mode = \"enforce\"; document = \"$dir/set\"; share " .
    '= 40; then = { action = "hold"; };');
my $half = found(mail('m', 'text/html', '7bit', '<p>' . uc(join '</p><p>',
    @words[0 .. 199]) . '</p>'));
is $half->{action}, 'hold', 'most of one, in capitals, in HTML';
like $half->{rules}{papers}{hits}[0]{value}, qr/^paper\.docx \(6\d %\)$/,
    'which, and how much';
is found(put('n', join ' ', @words[0 .. 59]))->{action}, 'none',
    'a fifth of it is too little';
is_deeply [ ($s->gatehouse('dlp', 'learn', '--set', "$dir/set",
    "$dir/mute.pdf"))[0] ], [ 65 ], 'what cannot be read cannot be learned';

# --- ordinary mail -------------------------------------------------------

SKIP: {
	my $data = $ENV{GATEHOUSE_DATA} // "$FindBin::Bin/../../shared/data";
	my $archive = "$data/spam-ham/mail.tar.xz";

	skip "NO MAIL: $archive is absent", 2 unless -e $archive;
	mkdir "$dir/mail";
	system 'tar', '-xJf', $archive, '-C', "$dir/mail";
	my @mails = map { chomp; $_ } `find $dir/mail $data/html-mail \\
	    $data/mime -type f ! -name '*.html' ! -name SOURCE.txt`;
	# Templates of newsletters are no messages yet.
	for my $html (map { chomp; $_ } `find $data/html-mail -name '*.html'`) {
		push @mails, put('html' . @mails, "Content-Type: text/html; " .
		    "charset=utf-8\n\n", slurp($html));
	}
	rules(map { "name = \"$_\"; $_ = true;" } qw(card iban bic national));
	put('list', map { "$_\n" } @mails);
	my @hits = `$build/t/dlp-mails $build/cells/unpack/gatehouse-cell-unpack \\
	    $dir/rules <$dir/list`;
	my $counts = pop @hits // '';
	diag $counts;
	is scalar @hits, 0, scalar(@mails) . ' messages have no such numbers' or
	    diag @hits;
	like $counts, qr/^@{[ scalar @mails ]} messages, \d{7,} bytes of text, /,
	    'and all of them were looked at';
}

$s->done;
