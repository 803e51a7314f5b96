# Archive - tar and zip by hand: no tool makes what is wrong on purpose
#
#	tar(tar_member(NAME, BYTES, TYPE, LINK), ...)
#				TYPE: of the header, "0" where it is left out
#	zip([ NAME, BYTES, AT ], ...)
#				stored members; AT: where the local header of one
#				is said to be
#	zip_locked(NAME, BYTES, PASSWORD, DECOY, DEFLATE)
#				PKWARE's old encryption; DECOY passes its check
#				of one byte as well, and opens nothing
package Gatehouse::Archive;

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT_OK = qw(tar tar_member zip zip_locked);

sub tar_member {
	my ($file, $bytes, $type, $link) = @_;
	my $head = pack 'a100 a8 a8 a8 a12 a12 a8 a1 a100 a6 a2 x247',
	    $file, '0000644', '0000000', '0000000', sprintf('%011o',
	    length $bytes), '00000000000', ' ' x 8, $type // '0', $link // '',
	    "ustar", '00';

	substr $head, 148, 8, sprintf "%06o\0 ", unpack '%32C*', $head;
	return $head . $bytes . "\0" x (-length($bytes) % 512);
}

sub tar { join '', @_, "\0" x 1024 }

sub crc32 {
	my $crc = 0xffffffff;

	for my $byte (unpack 'C*', $_[0]) {
		$crc ^= $byte;
		$crc = $crc & 1 ? $crc >> 1 ^ 0xedb88320 : $crc >> 1
		    for 1 .. 8;
	}
	return $crc ^ 0xffffffff;
}

sub zip {
	my ($local, $central) = ('', '');

	for (@_) {
		my ($file, $bytes, $at) = @$_;
		my $common = pack 'v5 V3 v2', 20, 0, 0, 0, 0, crc32($bytes),
		    length $bytes, length $bytes, length $file, 0;

		$central .= pack('V v', 0x02014b50, 20) . $common . pack(
		    'v3 V V', 0, 0, 0, 0, $at // length $local) . $file;
		$local .= pack('V', 0x04034b50) . $common . $file . $bytes;
	}
	return $local . $central . pack 'V v4 V2 v', 0x06054b50, 0, 0,
	    scalar @_, scalar @_, length $central, length $local, 0;
}

my @crc_of = map {
	my $c = $_;
	$c = $c & 1 ? $c >> 1 ^ 0xedb88320 : $c >> 1 for 1 .. 8;
	$c;
} 0 .. 255;

# APPNOTE 6.1.5: the three keys take in a byte of plain text.
sub keys_take {
	my ($k, $byte) = @_;

	$k->[0] = $k->[0] >> 8 ^ $crc_of[($k->[0] ^ $byte) & 255];
	$k->[1] = (($k->[1] + ($k->[0] & 255)) * 134775813 + 1) & 0xffffffff;
	$k->[2] = $k->[2] >> 8 ^ $crc_of[($k->[2] ^ $k->[1] >> 24) & 255];
}

sub keys_of {
	my $k = [ 0x12345678, 0x23456789, 0x34567890 ];

	keys_take($k, $_) for unpack 'C*', $_[0];
	return $k;
}

sub keys_byte {
	my $t = ($_[0][2] | 2) & 0xffff;

	return ($t * ($t ^ 1)) >> 8 & 255;
}

sub keys_encrypt {
	my ($k, $bytes) = @_;

	return pack 'C*', map {
		my $c = $_ ^ keys_byte($k);
		keys_take($k, $_);
		$c;
	} unpack 'C*', $bytes;
}

sub keys_decrypt {
	my ($k, $bytes) = @_;

	return pack 'C*', map {
		my $p = $_ ^ keys_byte($k);
		keys_take($k, $p);
		$p;
	} unpack 'C*', $bytes;
}

# The head of twelve bytes, whose last one is the check.
sub locked_head {
	my ($check, $password, $decoy) = @_;

	for (my $n = 0;; $n++) {
		my $plain = pack 'V3', $n, $n * 2654435761 & 0xffffffff, 0;
		substr $plain, 11, 1, chr $check;
		my $head = keys_encrypt(keys_of($password), $plain);
		return ($head, $plain) if $check == ord substr
		    keys_decrypt(keys_of($decoy), $head), 11;
	}
}

sub zip_locked {
	my ($file, $bytes, $password, $decoy, $deflate) = @_;
	my $crc = crc32($bytes);
	my ($head, $plain) = locked_head($crc >> 24, $password, $decoy);
	my ($packed, $keys) = ($bytes, keys_of($password));

	if ($deflate) {
		require Compress::Raw::Zlib;
		my ($d) = Compress::Raw::Zlib::Deflate->new(-WindowBits => -15,
		    -AppendOutput => 1);
		$packed = '';
		$d->deflate($bytes, $packed);
		$d->flush($packed);
	}
	keys_take($keys, $_) for unpack 'C*', $plain;
	$packed = $head . keys_encrypt($keys, $packed);
	my $common = pack 'v5 V3 v2', 20, 1, $deflate ? 8 : 0, 0, 0, $crc,
	    length $packed, length $bytes, length $file, 0;
	my $local = pack('V', 0x04034b50) . $common . $file . $packed;
	my $central = pack('V v', 0x02014b50, 20) . $common . pack('v3 V V',
	    0, 0, 0, 0, 0) . $file;

	return $local . $central . pack 'V v4 V2 v', 0x06054b50, 0, 0, 1, 1,
	    length $central, length $local, 0;
}

1;
