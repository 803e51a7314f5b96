#!/usr/bin/perl
# What the code cell reads: QR codes in pictures of each kind, small and large,
# white on black; and pictures that are none.
use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Picture;

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $dir = tempdir(CLEANUP => 1);
my $cell = "$build/cells/code/gatehouse-cell-code";
my $url = 'https://evil.example/qr?id=1&x=a';

plan skip_all => 'NOT BUILT: gatehouse-cell-code' unless -x $cell;

my @files;
sub picture {
	my ($what, $bytes, $want) = @_;
	my $path = sprintf '%s/%03d', $dir, scalar @files;

	open my $f, '>:raw', $path or die "$path: $!";
	print $f $bytes;
	close $f or die "$path: $!";
	push @files, [ $path, $what, $want ];
}

sub jpeg {
	my ($rows) = @_;

	open my $f, '>:raw', "$dir/pgm" or die $!;
	print $f Gatehouse::Picture::pgm($rows);
	close $f or die $!;
	open my $j, '-|:raw', "$build/t/code-probe --jpeg < $dir/pgm"
	    or die $!;
	return join '', <$j>;
}

my $rows = Gatehouse::Picture::qr($url, 4);
my $read = qr/^answered \[\Q$url\E\]$/;
picture('PNG', Gatehouse::Picture::png($rows), $read);
picture('JPEG', jpeg($rows), $read);
picture('GIF', Gatehouse::Picture::gif($rows, 1), $read);
picture('a GIF that packs nothing', Gatehouse::Picture::gif($rows, 0),
    $read);
picture('one pixel for each square', Gatehouse::Picture::png(
    Gatehouse::Picture::qr($url, 1)), $read);
picture('nine million pixels', Gatehouse::Picture::png(
    Gatehouse::Picture::qr($url, 75)), $read);
picture('white on black', Gatehouse::Picture::png([ map {
    $_ ^ "\xff" x length } @$rows ]), $read);
picture('no code', Gatehouse::Picture::png([ ("\xff" x 50) x 50 ]),
    qr/^answered$/);
picture('bytes are given as they are', Gatehouse::Picture::png(
    Gatehouse::Picture::qr("caf\xc3\xa9 \x00\xff", 4)),
    qr/^answered \[caf\xc3\xa9 /);
picture('no picture', 'hello', qr/^refused: no PNG, JPEG or GIF$/);
picture('empty', '', qr/^refused/);
my $png = Gatehouse::Picture::png($rows);
picture('a PNG that is cut', substr($png, 0, 40), qr/^(answered|refused)/);
picture('a PNG of a billion pixels', "\x89PNG\r\n\x1a\n" .
    Gatehouse::Picture::chunk('IHDR', pack 'NNCCCCC', 40000, 40000, 8, 0, 0,
    0, 0) . Gatehouse::Picture::chunk('IDAT', '') .
    Gatehouse::Picture::chunk('IEND', ''), qr/^refused: 40000 by 40000/);
picture('a JPEG that is cut', substr(jpeg($rows), 0, 900),
    qr/^(answered|refused)/);
picture('a GIF that is cut', substr(Gatehouse::Picture::gif($rows, 1), 0, 60),
    qr/^(answered|refused)/);
picture('a GIF of 65535 by 65535', 'GIF89a' . pack('vvCCC', 65535, 65535, 0,
    0, 0) . ',' . pack('vvvvC', 0, 0, 65535, 65535, 0) . "\x02\0;",
    qr/^refused: 65535 by 65535/);

open my $out, '-|:raw', "$build/t/code-probe", $cell, map { $_->[0] } @files
    or die "code-probe: $!";
for my $f (@files) {
	my $line = readline($out) // '';
	chomp $line;
	like $line, $f->[2], $f->[1];
}
close $out;
is $?, 0, 'and the cell lives';
done_testing;
