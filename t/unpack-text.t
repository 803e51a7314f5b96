#!/usr/bin/perl
# The text of documents of the time before 2007, of Outlook's messages and of
# RTF, as the unpack cell tells it: what a reader sees, what he does not, and
# whether that is all.
use strict;
use warnings;

use Compress::Zlib qw(compress);
use Encode qw(encode);
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Office qw(ole2 word excel slides rtf record);
use Gatehouse::Unpack qw(unpack_cell unpack_probe);

my $dir = tempdir(CLEANUP => 1);

plan skip_all => 'NOT BUILT: gatehouse-cell-unpack' unless unpack_cell();

# Member by member: "DEPTH WHY PATH".
sub members { map { /^(\d+ \S+) \S+ \d+ \w{16} (.*)/ ? "$1 $2" : "end $_" }
    split /\n/, unpack_probe($_[0]) }

# What stands in a file, all of it.
sub says {
	my ($what, $bytes, $text) = @_;

	is unpack_probe($bytes, 'text'), $text, $what or
	    diag join "\n", members($bytes);
}

# Not all of it can be read, and that is said; still, what there is is told.
sub in_part {
	my ($what, $bytes, $text) = @_;
	my @all = members($bytes);

	is scalar(grep { /^1 whole text$/ } @all), 0, "$what: not whole" or
	    diag join "\n", @all;
	like unpack_probe($bytes, 'text, in part'), $text, "$what: what there is";
}

# --- Word ---
says 'pieces of one and of two bytes', word('Money: ', [ utf16 =>
    "\x{20ac} \x{1f600} " ], "caf\xe9\rnext"),
    "Money: \xe2\x82\xac \xf0\x9f\x98\x80 caf\xc3\xa9\nnext\n";
says 'the instruction of a field stands apart', word("55\x13 LINK 1 \x14" .
    "00\x15 12\x13 A \x13 B \x14b\x15 C \x14\x15" . "34"),
    "5500 1234\n LINK 1 \n A \n B b C \n";
says 'cells, hyphens, symbols', word("a\x07b\x07\x07c\x1e1\x1f2\x08", [ utf16 =>
    "\x{f031}\x{f032}" ]), "a\tb\t\nc-1212\n";
my $word = word('x' x 3000);
in_part 'a table that is not there', $word =~ s/1\0T\0a/2\0T\0a/r, qr/\A\z/;
in_part 'a piece behind the end', word('abc') =~
    s/(\x03\0\0\0\0\0)\0\x08\0\x40/$1\0\xf8\0\x40/r, qr/\A/;
is scalar(grep { /^0 encrypted/ } members(word('x') =~
    s/(\xec\xa5.{8}\0)\x02/$1\x03/sr)), 1, 'an encrypted document is said';
# Word 6: one run, by its places.
says 'Word 6, by its language', ole2(WordDocument => pack('a1024',
    pack('v v x2 v x16 V V', 0xa5dc, 0x65, 0x0419, 1024, 1029)) .
    "\xcf\xf0\xe8\r!"), "\xd0\x9f\xd1\x80\xd0\xb8\n!\n";
in_part 'no document of Word', ole2(WordDocument => 'x' x 900), qr/\A\z/;

# --- Excel ---
says 'cells by rows; numbers as people write them', excel([ 'Card',
    5500000000000004, 'x' ], [ 'two', '0.25', -3 ]),
    "Sheet one\nCard\t5500000000000004\tx\ntwo\t0.25\t-3\n";
my @long = map { "string $_ " . 'y' x 400 } 1 .. 30;
says 'a table in several records', excel(map { [ $_ ] } @long),
    join("\n", 'Sheet one', @long) . "\n";
sub book { my $bof = record(0x809, pack 'v v x12', $_[0], 5);
    ole2(Workbook => $bof . join '', @_[1 .. $#_]) }
my $at = sub { pack 'v3', $_[0], $_[1], 15 };
says 'numbers of 30 bits, in a row too', book(0x600,
    record(0x27e, $at->(0, 0) . pack 'V', 12345 << 2 | 2),
    record(0x27e, $at->(0, 1) . pack 'V', 12345 << 2 | 3),
    record(0xbd, pack 'v2 (v V)2 v', 1, 0, 0, 7 << 2 | 2, 0,
    (unpack 'V', substr pack('d<', 0.5), 4) & ~3, 1)),
    "12345\t123.45\n7\t0.5\n";
says 'formulas: a figure, and a string behind', book(0x600,
    record(0x06, $at->(0, 0) . pack('d<', 42) . 'x' x 8),
    record(0x06, $at->(0, 1) . pack('C6 v', 0, 0, 0, 0, 0, 0, 0xffff) .
    'x' x 8), record(0x207, pack 'v C a*', 4, 0, "done")), "42\tdone\n";
says 'comments, heads and feet', book(0x600, record(0x14, pack 'v C a*', 4, 0,
    'head'), record(0x1b6, pack 'x10 v x6', 7), record(0x3c, "\0comment"),
    record(0x3c, 'runs')), "head\ncomment\n";
says 'what no cell shows', book(0x600, record(0xfc, pack 'V2 v C a* v C a*', 2,
    2, 3, 0, 'old', 3, 0, 'new'), record(0xfd, $at->(0, 0) . pack 'V', 1)),
    "new\nold\n";
says 'rich and Asian strings', book(0x600, record(0xfc, pack 'V2 v C v V a* ' .
    'a8 a5 v C a*', 2, 2, 3, 0x0c, 2, 5, 'abc', 'runsruns', 'asian', 3, 0,
    'def'), record(0xfd, $at->(0, 0) . pack 'V', 0), record(0xfd, $at->(0, 1) .
    pack 'V', 1)), "abc\tdef\n";
says 'Excel 95, by its code page', book(0x500, record(0x42, pack 'v', 1251),
    record(0x204, $at->(0, 0) . pack 'v a*', 3, "\xcf\xf0\xe8")),
    "\xd0\x9f\xd1\x80\xd0\xb8\n";
in_part 'a table cut short', book(0x600, record(0xfc, pack 'V2 v C a*', 9, 9,
    300, 0, 'begins')), qr/begins/;
is scalar(grep { /^0 encrypted/ } members(book(0x600, record(0x2f, 'x' x 6)))),
    1, 'an encrypted book is said';

# --- PowerPoint ---
says 'slides', slides('one 1', "two\rlines \xe9"),
    "one 1\ntwo\nlines \xc3\xa9\n";
my $inner = word('within');
my @deck = members(ole2('PowerPoint Document' => (pack 'v v V/a', 0x10, 0x1011,
    pack('V', length $inner) . compress($inner)) . pack 'v v V/a', 0, 0x1011,
    excel([ 'cell' ])));
is_deeply [ grep { /object|text/ } @deck ], [ '1 whole text',
    '1 whole object 1', '2 whole text', '1 whole object 2', '2 whole text' ],
    'and files that are embedded, deflated or not' or diag join "\n", @deck;
in_part 'a record behind the end', ole2('PowerPoint Document' => pack('v v V',
    0, 0xfa8, 9999) . 'text'), qr/^text/;
is scalar(grep { /^0 encrypted/ } members(ole2('PowerPoint Document' =>
    pack 'v v V/a', 15, 0x2f14, ''))), 1, 'encrypted slides are said';

# --- compound files ---
my @two = members(ole2(WordDocument => 'x', 'ObjectPool/Workbook' =>
    record(0x809, pack 'v v x12', 0x600, 5)));
is scalar(grep { /text, in part/ } @two), 1, 'one of two documents not read';
says 'a document within one', ole2('A/Workbook' => record(0x809, pack 'v v x12',
    0x600, 5) . record(0x85, pack 'V v C C a*', 0, 0, 1, 0, 'A'),
    'B/Workbook' => record(0x809, pack 'v v x12', 0x600, 5) . record(0x85,
    pack 'V v C C a*', 0, 0, 1, 0, 'B')), "A\nB\n";
my $set = sub { my ($page, @values) = @_;
	my ($list, $body, $n) = ('', '', 1 + @values);
	my $place = 8 + 8 * $n;
	for ([ 1, pack 'V v x2', 2, $page ], @values) {
		$list .= pack 'V V', $_->[0], $place + length $body;
		$body .= $_->[1];
	}
	return pack('v v V a16 V a16 V', 0xfffe, 0, 2, '', 1, '', 48) .
	    pack('V V', 8 + length($list . $body), $n) . $list . $body };
is unpack_probe(ole2("\x05SummaryInformation" => $set->(1252, [ 2,
    pack 'V V/a', 0x1e, "Titl\xe9\0\0\0" ], [ 4, pack 'V V a*', 0x1f, 3,
    encode('UTF-16LE', 'Bob') . "\0\0" ], [ 0, pack 'V V V/a', 1, 9,
    "MSIP_Label\0" ])), 'properties'), "Titl\xc3\xa9\nBob\nMSIP_Label\n",
    'what a document says about itself';
in_part 'a kind that nobody here knows', ole2(Whatever => 'x' x 100), qr/\A\z/;
# All streams of a file are one and the same.
my $same = ole2(map { ("s$_" => 'x') } 1 .. 3000);
my $big = ole2(All => 'y' x 3_000_000);
for (my $i = index $big, encode 'UTF-16LE', 'All'; $i > 0; $i = -1) {
	my $one = substr $big, $i, 128;
	my $streams = join '', map { pack('a6', encode 'UTF-16LE',
	    sprintf '%03x', $_) . substr $one, 6 } 1 .. 300;
	# The directory's chain goes on in the stream's sectors.
	substr($big, $i + 3 * 512, length $streams) = $streams;
	my ($dir) = unpack 'x48 V', $big;
	substr($big, 512 + 4 * $dir, 4) = pack 'V', $dir + 3;
}
my @again = members($big);
is scalar(grep { /^0 damaged/ } @again), 1, 'sectors that all streams share' or
    diag "@again[0 .. 3]";

# --- Outlook ---
sub lzfu { my ($rtf) = @_;
	my $body = join '', map { "\0$_" } $rtf =~ /(.{1,8})/gs;
	return pack('V V V V', 12 + length $body, length $rtf, 0x75465a4c, 0) .
	    $body }
my $rtf = rtf('the body 1');
my $msg = ole2('__substg1.0_0037001F' => encode('UTF-16LE', 'Subject'),
    '__substg1.0_1000001E' => "caf\xe9", '__substg1.0_10090102' => lzfu($rtf),
    '__substg1.0_10130102' => '<p>html</p>',
    '__attach_version1.0_#00000000/__substg1.0_3704001F' => encode('UTF-16LE',
    'SHORT~1.EXE'), '__attach_version1.0_#00000000/__substg1.0_3707001F' =>
    encode('UTF-16LE', 'a long name.exe'),
    '__attach_version1.0_#00000000/__substg1.0_37010102' => 'MZ and so on');
is_deeply [ (members($msg))[2 .. 6] ], [ '1 whole text', '1 whole body.rtf',
    '2 whole text', '1 whole body.html', '1 whole a long name.exe' ],
    'a message of Outlook: its text, and attachments by their names'
    or diag join "\n", members($msg);
says 'and what it says', $msg, "Subject\ncaf\xc3\xa9\nSHORT~1.EXE\na long " .
    "name.exe\nthe body 1\nnone;";
# [MS-OXRTFCP] 3.1 and 3.2, the example of Microsoft.
my $example = pack 'H*', '2d0000002b0000004c5a4675f1c5c7a703000a00726370673132' .
    '3542320af32068656c09002062770 5b06c647d0a800fa0' =~ s/ //gr;
is unpack_probe(ole2('__substg1.0_10090102' => $example), 'body.rtf'),
    "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n",
    'compressed RTF, by the book';
sub tnef { pack('V v', 0x223e9f78, 1) . join '', map { pack('C V V/a v', @$_,
    0) } @_ }
sub property { pack 'V V V/a', $_[0], 1, $_[1] }
is_deeply [ (members(tnef([ 1, 0x18004, "Subject\0" ], [ 1, 0x2800c,
    "the body\0" ], [ 1, 0x69003, property(0x10090102, lzfu($rtf)) ],
    [ 2, 0x69002, 'x' ], [ 2, 0x18010, "A~1.TXT\0" ], [ 2, 0x6800f, 'MZ' ],
    [ 2, 0x69005, property(0x3707001f, encode 'UTF-16LE', "a.exe\0") ]
    )))[2 .. 6] ], [ '1 whole subject.txt', '1 whole body.txt',
    '1 whole body.rtf', '2 whole text', '1 whole a.exe' ],
    'TNEF: its text, and attachments by their long names';

# --- RTF ---
says 'lines, escapes and signs', rtf('one {2}', "caf\xe9"),
    "one {2}\ncaf\xc3\xa9\nnone;";
says $_->[0], "{\\rtf1 $_->[1]}", $_->[2] for
    [ 'code pages of fonts', '\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 A;}' .
    '{\f1\fcharset204 B;}{\f2\fnil\fcharset128 C;}}\f1 \\\'cf\\\'f0{\f2 ' .
    '\\\'8a\\\'bf}\\\'e8\plain\f0 \\\'e9', "\xd0\x9f\xd1\x80\xe6\xbc\xa2" .
    "\xd0\xb8\xc3\xa9" ],
    [ 'Unicode, and what stands for it', '\uc1 55\u48?00\uc2\u48\\\'30xy' .
    '{\uc0\u8364\u-10179\u-8704}z', "550000y\xe2\x82\xac\xf0\x9f\x98\x80z" ],
    [ 'groups that are no text', 'a{\pict\wmetafile8 0123}{\colortbl;\red1;}' .
    '{\*\themedata 5500000000000004}b', 'ab' ],
    [ 'bytes in between', 'a{\pict\bin5 }}}}}b}c\bin3 {{{d', 'acd' ],
    [ 'fields: what is shown, and what is not', '55{\field{\*\fldinst ' .
    'HYPERLINK "x"}{\fldrslt 00}}11', "550011\nHYPERLINK \"x\"" ],
    [ 'hidden text', "55{\\v hidden 1}00\\v gone\\v0 11", "550011\nhidden 1" .
    "\ngone" ],
    [ 'words that end a line or a cell', 'a\cell b\row c\line d\emdash e\~f' .
    '\-g\_h', "a\tb\nc\nd\xe2\x80\x94e\xc2\xa0fg-h" ],
    [ 'line ends are none', "55\r\n00 \\b 1\\b0 2", "5500 12" ],
    [ 'too many braces', 'a}}}}b{{{c', "abc" ];
in_part 'groups within groups', '{\rtf1 ' . '{' x 600 . 'deep' . '}' x 600 .
    '}', qr/^deep$/;

done_testing;
