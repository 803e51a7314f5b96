# Office - small documents of the time before 2007, made byte by byte
#
#	ole2(NAME => BYTES, ...)	a compound file ([MS-CFB]) with these
#					streams; "STORAGE/NAME" stands in one
#	word(PIECE, ...)		Word 97 ([MS-DOC]): each piece is text;
#					bytes of cp1252, or [ utf16 => TEXT ]
#	excel(ROW, ...)			Excel 97 ([MS-XLS]): each row a list of
#					cells, numbers or text
#	slides(TEXT, ...)		PowerPoint 97 ([MS-PPT]): a slide each
#	rtf(LINE, ...)			RTF
#
# The last four give whole files.
package Gatehouse::Office;

use strict;
use warnings;

use Encode qw(encode);
use Exporter qw(import);

our @EXPORT_OK = qw(ole2 word excel slides rtf record);

sub entry {
	my ($name, $type, $child, $right, $first, $len) = @_;
	my $utf16 = encode('UTF-16LE', $name);

	return pack('a64 v C C V3 a16 V a16 V V V', $utf16, length($utf16) + 2,
	    $type, 1, 0xffffffff, $right, $child, '', 0, '', $first, $len, 0);
}

# Each stream in 512-byte sectors of its own; entries of one storage are a list
# to the right.
sub ole2 {
	my (@streams) = @_;
	my ($body, $directory, @fat, %storages, @entries) = ('', '');
	my $nsectors = sub { int(($_[0] + 511) / 512) };

	push @entries, { name => 'Root Entry', type => 5, in => '' };
	while (my ($path, $bytes) = splice @streams, 0, 2) {
		my ($storage, $name) = $path =~ m{\A(?:(.*)/)?(.*)\z}s;
		$storage //= '';
		push @entries, { name => $storage, type => 1, in => '',
		    storage => $storage }
		    if $storage ne '' && !$storages{$storage}++;
		push @entries, { name => $name, type => 2, in => $storage,
		    bytes => $bytes };
	}
	my $dirs = $nsectors->(128 * @entries);
	@fat = (0xfffffffd, (map { $_ == $dirs ? 0xfffffffe : $_ + 1 }
	    1 .. $dirs));
	for my $i (0 .. $#entries) {
		my $e = $entries[$i];
		my $below = $e->{type} == 5 ? '' : $e->{storage};
		my ($right) = grep { $entries[$_]{in} eq $e->{in} }
		    $i + 1 .. $#entries;
		my ($child) = defined $below ? grep { $_ > 0 &&
		    $entries[$_]{in} eq $below } 0 .. $#entries : ();
		my $len = length($e->{bytes} // '');
		my $n = $nsectors->($len);

		$directory .= entry($e->{name}, $e->{type},
		    $child // 0xffffffff, $e->{type} == 5 ? 0xffffffff :
		    $right // 0xffffffff, $n ? scalar @fat : 0xfffffffe, $len);
		next unless $n;
		push @fat, @fat + 1 .. @fat + $n - 1, 0xfffffffe;
		$body .= pack "a" . $n * 512, $e->{bytes};
	}
	my $tables = int((@fat + 127) / 128);
	return large($directory, $body, $dirs, @fat) if $tables > 1;
	return head(1, 0) . pack('a512', pack 'V*', @fat,
	    (0xffffffff) x (128 - @fat)) . pack("a" . $dirs * 512,
	    $directory) . $body;
}

# No mini streams: the smallest stream that has sectors is one byte long.
sub head {
	my ($directory, @tables) = @_;

	return pack('C8 a16 v5 a6 V2 V3 V5', 0xd0, 0xcf, 0x11, 0xe0, 0xa1,
	    0xb1, 0x1a, 0xe1, '', 0x3e, 3, 0xfffe, 9, 6, '', 0, scalar @tables,
	    $directory, 0, 0, 0xfffffffe, 0, 0xfffffffe, 0, 0) =~
	    s/\A(.*)\z/pack 'a512', substr($1, 0, 76) . pack('V109', @tables,
	    (0xffffffff) x (109 - @tables))/ser;
}

# More than one table: they stand in front, and all numbers move by so many.
sub large {
	my ($directory, $body, $dirs, undef, @fat) = @_;
	my $more = 0;

	$more++ while 128 * (1 + $more) < 1 + $more + @fat;
	@fat = ((0xfffffffd) x (1 + $more), map { $_ < 0xfffffffa ?
	    $_ + $more : $_ } @fat);
	push @fat, 0xffffffff while @fat % 128;
	for (my $at = 128; $at <= length $directory; $at += 128) {
		my $first = unpack 'V', substr $directory, $at - 12, 4;
		substr($directory, $at - 12, 4) = pack 'V', $first + $more
		    if $first < 0xfffffffa;
	}
	return head(1 + $more, 0 .. $more) . pack('V*', @fat) .
	    pack("a" . $dirs * 512, $directory) . $body;
}

sub word {
	my (@pieces) = @_;
	my ($text, @at, @places, $count) = ('', 0);

	for (@pieces) {
		my $wide = ref $_;
		my $bytes = $wide ? encode('UTF-16LE', $_->[1]) : $_;

		$text .= "\0" if $wide && length($text) % 2;
		push @places, $wide ? 1024 + length $text :
		    0x40000000 | 2 * (1024 + length $text);
		push @at, $at[-1] + ($wide ? length($bytes) / 2 :
		    length $bytes);
		$text .= $bytes;
	}
	my $pieces = pack('V*', @at) . join '', map { pack 'v V v', 0, $_, 0 }
	    @places;
	# Properties of a piece stand before.
	my $clx = pack('C v/a C V/a', 1, 'prop', 2, $pieces);
	my $fib = pack('v v x6 v x6 x4', 0xa5ec, 0xc1, 0x0200);
	$fib = pack 'a1024', pack('a418', $fib) . pack('V V', 8, length $clx);

	return ole2(WordDocument => $fib . $text, '1Table' => 'xxxxxxxx' . $clx);
}

sub record { my ($type, $bytes) = @_; pack 'v v/a', $type, $bytes }

sub excel {
	my (@rows) = @_;
	my (@strings, %number);
	my $cells = '';

	for my $r (0 .. $#rows) {
		for my $c (0 .. $#{ $rows[$r] }) {
			my $value = $rows[$r][$c];
			my $place = pack 'v3', $r, $c, 15;
			if ($value =~ /\A-?\d+(?:\.\d+)?\z/) {
				$cells .= record(0x203, $place . pack 'd<',
				    $value);
				next;
			}
			$number{$value} //= push(@strings, $value) - 1;
			$cells .= record(0xfd, $place . pack 'V',
			    $number{$value});
		}
	}
	# The table breaks off in the middle of its strings: what goes on says
	# anew how wide a character is.
	my @table = (pack 'V V', scalar @strings, scalar @strings);
	for my $s (@strings) {
		$table[-1] .= pack 'v C', length $s, 0;
		if (length($table[-1]) > 2000 && length $s > 4) {
			$table[-1] .= substr $s, 0, 3;
			push @table, "\x01" . encode('UTF-16LE', substr $s, 3);
		} else {
			$table[-1] .= $s;
		}
	}
	my $bof = sub { record(0x809, pack 'v v x12', 0x600, $_[0]) };
	return ole2(Workbook => $bof->(5) . record(0x42, pack 'v', 1200) .
	    record(0x85, pack 'V v C C a*', 0, 0, 9, 0, 'Sheet one') .
	    record(0xfc, shift @table) . join('', map { record(0x3c, $_) }
	    @table) . record(0x0a, '') . $bof->(0x10) . $cells .
	    record(0x0a, ''));
}

sub atom { my ($type, $bytes) = @_; pack 'v v V/a', 0, $type, $bytes }
sub container { my ($type, @in) = @_; pack 'v v V/a', 15, $type, join '', @in }

sub slides {
	my (@slides) = @_;
	my $n = 0;

	return ole2('Current User' => 'x', 'PowerPoint Document' =>
	    container(0x3e8, map { container(0x3ee, container(0x40c,
	    container(0xf00d, atom(0xf9f, pack 'V', 4), $n++ % 2 ?
	    atom(0xfa8, $_) : atom(0xfa0, encode('UTF-16LE', $_))))) }
	    @slides));
}

sub rtf {
	my (@lines) = @_;

	return "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fswiss " .
	    "Arial;}}{\\*\\generator none;}\\pard " . join("\\par\r\n",
	    map { s/([^\x20-\x7e]|[\\{}])/sprintf "\\'%02x", ord $1/ger }
	    @lines) . "}";
}

1;
