package Gatehouse::Picture;

# Pictures for tests: a text as a QR code (ISO/IEC 18004, version 4, level L,
# mask 0: at most 78 bytes), as rows of grey pixels; and PNG, GIF, PGM of them.
#
#	my $rows = Gatehouse::Picture::qr('http://a.example/', 4);
#	my $png = Gatehouse::Picture::png($rows);
use strict;
use warnings;

use Compress::Zlib qw(compress crc32);

use constant { SIDE => 33, DATA => 80, WORDS => 20, QUIET => 4 };

my (@exp, @log);
{
	my $x = 1;
	for my $i (0 .. 254) {
		$exp[$i] = $exp[$i + 255] = $x;
		$log[$x] = $i;
		$x = $x << 1 ^ ($x & 0x80 ? 0x11d : 0);
	}
}

sub check_words {
	my (@data) = @_;
	my @gen = (1);

	for my $i (0 .. WORDS - 1) {
		my @next = (@gen, 0);
		$next[$_ + 1] ^= $gen[$_] ? $exp[$log[$gen[$_]] + $i] : 0
		    for 0 .. $#gen;
		@gen = @next;
	}
	my @rest = (@data, (0) x WORDS);
	for my $i (0 .. $#data) {
		my $f = $rest[$i] or next;
		$rest[$i + $_] ^= $exp[$log[$f] + $log[$gen[$_]]]
		    for grep { $gen[$_] } 0 .. $#gen;
	}
	return @rest[-WORDS() .. -1];
}

sub bits_of {
	my ($text) = @_;
	my $bits = '0100' . sprintf('%08b', length $text) . unpack('B*', $text)
	    . '0000';

	die 'too long' if length $text > DATA - 2;
	my @data = map { ord } split //, pack 'B*', $bits;
	for (my $n = 0; @data < DATA; $n++) { push @data, $n % 2 ? 0x11 : 0xec }
	return join '', map { sprintf '%08b', $_ } @data, check_words(@data);
}

# Finders, timing, alignment: [ row ][ column ], undef where data goes.
sub frame {
	my @m = map { [ (undef) x SIDE ] } 1 .. SIDE;

	for my $at ([ 0, 0 ], [ 0, SIDE - 7 ], [ SIDE - 7, 0 ]) {
		for my $r (-1 .. 7) {
			for my $c (-1 .. 7) {
				my ($y, $x) = ($at->[0] + $r, $at->[1] + $c);
				next if $y < 0 || $x < 0 || $y >= SIDE || $x >= SIDE;
				my $ring = $r == 0 || $r == 6 || $c == 0 || $c == 6;
				$m[$y][$x] = ($r >= 0 && $r <= 6 && $c >= 0 &&
				    $c <= 6 && ($ring || ($r >= 2 && $r <= 4 &&
				    $c >= 2 && $c <= 4))) ? 1 : 0;
			}
		}
	}
	for my $i (8 .. SIDE - 9) {
		$m[6][$i] //= 1 - $i % 2;
		$m[$i][6] //= 1 - $i % 2;
	}
	for my $r (-2 .. 2) {
		for my $c (-2 .. 2) {
			$m[26 + $r][26 + $c] = (abs $r == 2 || abs $c == 2 ||
			    !($r || $c)) ? 1 : 0;
		}
	}
	my @f = split //, '111011111000100';	# level L, mask 0
	my @one = ((map { [ 8, $_ ] } 0 .. 5, 7, 8), [ 7, 8 ],
	    map { [ $_, 8 ] } reverse 0 .. 5);
	my @two = ((map { [ SIDE - 1 - $_, 8 ] } 0 .. 6),
	    map { [ 8, SIDE - 8 + $_ ] } 0 .. 7);
	for my $i (0 .. 14) {
		$m[$_->[0]][$_->[1]] = $f[$i] for $one[$i], $two[$i];
	}
	$m[SIDE - 8][8] = 1;
	return \@m;
}

sub qr {
	my ($text, $scale) = @_;
	my @bits = split //, bits_of($text);
	my $m = frame();
	my $up = 1;

	for (my $x = SIDE - 1; $x > 0; $x -= 2) {
		$x-- if $x == 6;
		for my $y ($up ? reverse 0 .. SIDE - 1 : 0 .. SIDE - 1) {
			for my $c ($x, $x - 1) {
				next if defined $m->[$y][$c];
				my $bit = shift @bits // 0;
				$m->[$y][$c] = $bit ^ (($y + $c) % 2 == 0 ? 1 : 0);
			}
		}
		$up = !$up;
	}
	my $n = SIDE + 2 * QUIET;
	my @rows;
	for my $y (0 .. $n - 1) {
		my $row = join '', map {
			my ($r, $c) = ($y - QUIET, $_ - QUIET);
			my $dark = $r >= 0 && $c >= 0 && $r < SIDE && $c < SIDE
			    && $m->[$r][$c];
			chr($dark ? 0 : 255) x $scale } 0 .. $n - 1;
		push @rows, ($row) x $scale;
	}
	return \@rows;
}

sub chunk {
	my ($type, $data) = @_;

	return pack('N', length $data) . $type . $data .
	    pack 'N', crc32($type . $data);
}

sub png {
	my ($rows) = @_;

	return "\x89PNG\r\n\x1a\n" . chunk('IHDR', pack 'NNCCCCC',
	    length $rows->[0], scalar @$rows, 8, 0, 0, 0, 0) . chunk('IDAT',
	    compress(join '', map { "\0$_" } @$rows)) . chunk('IEND', '');
}

sub pgm {
	my ($rows) = @_;

	return sprintf("P5 %d %d 255\n", length $rows->[0], scalar @$rows) .
	    join '', @$rows;
}

# Black and white, codes of three bits; LZW with a clear code before the table
# would grow, or with its table ($packed).
sub gif {
	my ($rows, $packed) = @_;
	my ($w, $h) = (length $rows->[0], scalar @$rows);
	my @pixels = map { ord ? 1 : 0 } split //, join '', @$rows;
	my ($bits, $width, %table, $next) = ('', 3);
	my $put = sub { $bits = sprintf('%0*b', $width, $_[0]) . $bits };
	my @pieces;

	my $flush = sub {	# keeps what is no whole byte
		while (length $bits >= 8) {
			push @pieces, chr oct 'b' . substr $bits, -8, 8, '';
		}
	};
	my $clear = sub { $put->(4); $width = 3; %table = (); $next = 6 };
	$clear->();
	if ($packed) {
		my $run = '';
		my $code = sub { length $_[0] == 1 ? $_[0] : $table{$_[0]} };
		for my $p (@pixels) {
			if (defined $code->("$run$p")) { $run .= $p; next }
			$put->($code->($run));
			$table{"$run$p"} = $next;
			$width++ if $next == 1 << $width;
			$next++;
			$clear->() if $next > 4000;
			$run = $p;
			$flush->();
		}
		$put->($code->($run));
	} else {
		my $n = 0;
		for my $p (@pixels) {
			$put->($p);
			if (++$n % 2 == 0) { $put->(4) }
			$flush->();
		}
	}
	$put->(5);
	$bits = '0' x (8 - length($bits) % 8) . $bits;
	$flush->();
	my $data = join '', @pieces;
	my $blocks = '';
	$blocks .= chr(length) . $_ for $data =~ /(.{1,255})/gs;
	return 'GIF89a' . pack('vvCCC', $w, $h, 0x80, 0, 0) .
	    "\0\0\0\xff\xff\xff" . "!\xf9\x04\0\0\0\0\0" . ',' .
	    pack('vvvvC', 0, 0, $w, $h, 0) . "\x02$blocks\0;";
}

1;
