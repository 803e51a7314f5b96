#!/usr/bin/perl
# The text of PDF behind each filter, predicted or not, and of documents that are
# encrypted but open without a password. Those were made by qpdf 11 from a page
# of ours (fuzz/seeds/pdf); LZW is encoded here, by the letter of ISO 32000-1,
# 7.4.4.
use strict;
use warnings;

use Compress::Zlib qw(compress);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Unpack qw(unpack_cell unpack_probe);

my $seeds = "$FindBin::Bin/../fuzz/seeds/pdf";

plan skip_all => 'NOT BUILT: gatehouse-cell-unpack' unless unpack_cell();

sub slurp { local $/; open my $f, '<:raw', $_[0] or die "$_[0]: $!"; <$f> }

# Codes of 9 to 12 bits; $early: one code sooner than need be.
sub lzw {
	my ($text, $early) = @_;
	my %codes = map { chr($_) => $_ } 0 .. 255;
	my ($next, $width, $bits, $run) = (258, 9, '', '');
	my $put = sub { $bits .= sprintf "%0${width}b", $_[0] };

	$put->(256);
	for my $c (split //, $text) {
		if (exists $codes{"$run$c"}) {
			$run .= $c;
			next;
		}
		$put->($codes{$run});
		$codes{"$run$c"} = $next++;
		if ($next == 4095) {
			$put->(256);
			%codes = map { chr($_) => $_ } 0 .. 255;
			($next, $width) = (258, 9);
		}
		$width++ if $next + $early > 1 << $width && $width < 12;
		$run = $c;
	}
	$put->($codes{$run});
	$next++;
	$width++ if $next + $early > 1 << $width && $width < 12;
	$put->(257);
	return pack 'B*', $bits;
}

sub run_length { join('', map { length > 3 && /\A(.)\1*\z/s ?
    pack('C', 257 - length) . $1 : pack('C', length($_) - 1) . $_ }
    $_[0] =~ /((?:(.)\2{3,120})|.)/gs ? split_runs($_[0]) : ()) . "\x80" }
sub split_runs { my @all; my $s = $_[0];
    push @all, $1 while $s =~ /\G((.)\2{3,120}|.{1,20}?(?=(.)\3{3}|\z)|.{1,20})/gs;
    @all }

sub ascii85 { join('', map { my $n = length; my $v = unpack 'N', pack 'a4', $_;
    $n == 4 && $v == 0 ? 'z' : substr join('', map { chr 33 + int($v / 85**$_) %
    85 } reverse 0 .. 4), 0, $n + 1 } unpack '(a4)*', $_[0]) . '~>' }

# Rows as PNG writes them, each kind in its turn.
sub png {
	my ($bytes, $columns, $pixel) = @_;
	my ($kind, @up, $out) = (0, (0) x $columns, '');

	for my $row (unpack "(a$columns)*", $bytes) {
		my @row = unpack 'C*', $row;
		$out .= chr $kind;
		for my $i (0 .. $#row) {
			my $left = $i >= $pixel ? $row[$i - $pixel] : 0;
			my $corner = $i >= $pixel ? $up[$i - $pixel] : 0;
			my $p = $left + $up[$i] - $corner;
			my ($a, $b, $c) = map { abs($p - $_) } $left, $up[$i],
			    $corner;
			my $guess = (0, $left, $up[$i], ($left + $up[$i]) >> 1,
			    $a <= $b && $a <= $c ? $left : $b <= $c ? $up[$i] :
			    $corner)[$kind];
			$out .= chr(($row[$i] - $guess) & 255);
		}
		@up = @row;
		$kind = ($kind + 1) % 5;
	}
	return $out;
}

sub tiff {
	my ($bytes, $columns, $pixel) = @_;

	return join '', map { my @row = unpack 'C*', $_; pack 'C*', map {
	    ($row[$_] - ($_ >= $pixel ? $row[$_ - $pixel] : 0)) & 255 }
	    0 .. $#row } unpack "(a$columns)*", $bytes;
}

sub pdf {
	my ($filter, $bytes) = @_;

	return "%PDF-1.4\n1 0 obj\n<</Type/Page/Contents 2 0 R/Resources<</Font" .
	    "<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>\n" .
	    "endobj\n2 0 obj\n<<$filter/Length " . length($bytes) .
	    ">>\nstream\n$bytes\nendstream\nendobj\ntrailer\n<</Root 1 0 R>>\n";
}

# So many lines that all widths of LZW are met, and its table is full.
my @lines = map { "Line $_: " . join ' ', map { $_ * $_ % 9973 } $_ .. $_ + 9 }
    1 .. 400;
my $text = join("\n", @lines) . "\n";
my $draw = 'BT /F1 9 Tf ' . join(' T* ', map { "($_)Tj" } @lines) . ' ET';
my @png = map { my $b = pack 'a' . 60 * int((length($draw) + 59) / 60), $draw;
    $b =~ tr/\0/ /; $b } 1;

for ([ 'LZW', '/Filter/LZWDecode', lzw($draw, 1) ],
    [ 'LZW, in no hurry', '/Filter[/LZWDecode]/DecodeParms[<</EarlyChange 0>>]',
    lzw($draw, 0) ],
    [ 'LZW with a predictor', '/Filter/LZWDecode/DecodeParms<</Predictor 15' .
    '/Columns 20/Colors 3>>', lzw(png($png[0], 60, 3), 1) ],
    [ 'LZW with that of TIFF', '/Filter/LZWDecode/DecodeParms<</Predictor 2' .
    '/Columns 60>>', lzw(tiff($png[0], 60, 1), 1) ],
    [ 'Flate with a predictor', '/Filter/FlateDecode/DecodeParms<</Predictor ' .
    '12/Columns 60>>', compress(png($png[0], 60, 1)) ],
    [ 'run lengths', '/Filter/RunLengthDecode', run_length("$draw     zz") ],
    [ 'three in a row', '/Filter[/ASCII85Decode/LZWDecode/AHx]',
    ascii85(lzw(unpack('H*', $draw) . '>', 1)) ],
    [ 'three, with one null', '/Filter[/A85/LZW/Fl]/DecodeParms[null<<' .
    '/EarlyChange 0>>null]', ascii85(lzw(compress($draw), 0)) ],
    [ 'a name in disguise', '/F#69lter/#4cZW', lzw($draw, 1) ]) {
	my ($what, $filter, $bytes) = @$_;
	my $file = pdf($filter, $bytes);

	is unpack_probe($file, 'text'), $text, $what or diag unpack_probe($file);
}
for ([ 'LZW cut short', '/Filter/LZWDecode', substr lzw($draw, 1), 0, 900 ],
    [ 'a code that is not there', '/Filter/LZWDecode', "\x80\x0f\xff\xff\xff" ],
    [ 'a filter that nobody here knows', '/Filter/JPXDecode', 'x' ],
    [ 'a predictor of two bits', '/Filter/LZWDecode/DecodeParms<</Predictor 2' .
    '/BitsPerComponent 2>>', lzw($draw, 1) ]) {
	my ($what, $filter, $bytes) = @$_;
	my $file = pdf($filter, $bytes);

	like unpack_probe($file), qr/ text, in part$/m, "$what is not read, and told";
}

# --- encrypted, and open ---
for (qw(rc4-40 rc4 aes128 aes256-r5 aes256)) {
	my $bytes = slurp("$seeds/$_");
	my $all = unpack_probe($bytes);

	is unpack_probe($bytes, 'text'), "Card 5500 0000 0000 0004\na note\n",
	    "$_: text and a note" or diag $all;
	unlike $all, qr/encrypted/, 'is not said to be encrypted';
	my ($number) = $all =~ /15 \w{16} (stream \d)$/m;
	is unpack_probe($bytes, $number // 'none'), 'the file within',
	    'and the file in it is there';
}
my $locked = slurp("$seeds/locked");
like unpack_probe($locked), qr/^0 encrypted/m,
    'with a password it is encrypted';
unlike unpack_probe($locked), qr/ text$/m, 'and not read';
# What one reader decrypts and the next does not.
my $two = slurp("$seeds/rc4") . "\ntrailer\n<</Root 1 0 R>>\n";
like unpack_probe($two), qr/^0 encrypted/m,
    'two trailers that differ: not read';
unlike unpack_probe($two), qr/ text$/m, 'for nobody knows which one counts';
my $wrong = slurp("$seeds/rc4") =~ s/\/Standard/\/Another1/r;
like unpack_probe($wrong), qr/^0 encrypted/m, 'another handler: not read';

done_testing;
