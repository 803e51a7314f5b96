#!/usr/bin/perl
# C tests of the plain build under valgrind: no error, nothing lost. Which
# ones: TESTS_VALGRIND, or with --full all of them.
use strict;
use warnings;

use Test::More;

my $build = "$ENV{GATEHOUSE_CHECK}/normal";
my $list = $ENV{GATEHOUSE_FULL} ? 'TESTS_C' : 'TESTS_VALGRIND';
my @tests = split ' ', `make -s -C $build list | sed -n 's/^$list //p'`;

chdir $build or die "$build: $!";
for my $test (@tests) {
	my $log = "$test.valgrind";
	my $said = `valgrind -q --error-exitcode=97 --leak-check=full \\
	    --num-callers=40 --errors-for-leak-kinds=definite,possible --track-fds=no \\
	    --suppressions=$ENV{GATEHOUSE_SRC}/t/check/valgrind.supp \\
	    --log-file=$log ./$test 2>&1`;
	is $?, 0, $test or diag join "\n", grep({ /^not ok/ }
	    split /\n/, $said), `head -40 $log`;
}

done_testing;
