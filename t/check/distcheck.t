#!/usr/bin/perl
# make distcheck: the tarball holds all that it takes to build out of tree
# from a read-only source, to test, to install and to remove again. Its tests
# are those that need neither Postfix nor much time: the rest runs beside.
use strict;
use warnings;

use Test::More;

my $check = $ENV{GATEHOUSE_CHECK};
my $log = "$check/distcheck.log";

delete @ENV{qw(GATEHOUSE_BUILD GATEHOUSE_SRC ASAN_OPTIONS)};
system "make -C $check/normal distcheck >$log 2>&1";
is $?, 0, 'make distcheck' or diag `grep -nE 'not ok|Error|error:' $log |
    head -20; tail -20 $log`;

done_testing;
