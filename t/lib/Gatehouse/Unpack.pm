# Unpack - what the unpack cell tells of a file
#
#	unpack_cell()		its path; nothing where it was not built
#	unpack_probe(BYTES, SHOW)
#				t/unpack-probe's lines; with SHOW, the bytes of
#				what is told by that name (UNPACK_SHOW)
package Gatehouse::Unpack;

use strict;
use warnings;

use Exporter qw(import);
use File::Temp ();

our @EXPORT_OK = qw(unpack_cell unpack_probe);

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $cell = "$build/cells/unpack/gatehouse-cell-unpack";
my $dir = File::Temp->newdir;

sub unpack_cell { -x $cell ? $cell : () }

sub unpack_probe {
	my ($bytes, $show) = @_;

	open my $f, '>:raw', "$dir/file" or die "file: $!";
	print $f $bytes;
	close $f or die "file: $!";
	local $ENV{UNPACK_SHOW} = $show;
	delete $ENV{UNPACK_SHOW} unless defined $show;
	open my $out, '-|:raw', "$build/t/unpack-probe", $cell, "$dir/file"
	    or die "unpack-probe: $!";
	local $/;
	my $all = <$out>;
	close $out;
	return $all;
}

1;
