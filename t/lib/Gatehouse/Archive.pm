# Archive - tar and zip by hand: no tool makes what is wrong on purpose
#
#	tar(tar_member(NAME, BYTES, TYPE, LINK), ...)
#				TYPE: of the header, "0" where it is left out
#	zip([ NAME, BYTES, AT ], ...)
#				stored members; AT: where the local header of one
#				is said to be
package Gatehouse::Archive;

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT_OK = qw(tar tar_member zip);

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

1;
