#!/usr/bin/perl
# Each fuzz target of this build reads its seeds: what once crashed stays
# mended, and a target that no longer builds or reads is seen.
use strict;
use warnings;

use Test::More;

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $src = $ENV{GATEHOUSE_SRC} // '.';
my @targets = grep { -x && -f && !/\./ } glob "$build/fuzz/*";

plan skip_all => 'NO FUZZ TARGETS in this build' unless @targets;
for my $target (@targets) {
	my ($name) = $target =~ m{([^/]+)$};
	my $seeds = "$src/fuzz/seeds/$name";

	ok -d $seeds, "$name has seeds" or next;
	my $said = `'$target' '$seeds' 2>&1`;
	is $?, 0, "$name reads them";
	diag $said if $?;
}

done_testing;
