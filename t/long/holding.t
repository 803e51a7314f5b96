#!/usr/bin/perl
# Each call of the holding path fails once, and the daemon is killed at each:
# all of t/store-faults.t's sweeps. For ./check --full.
use strict;
use warnings;

use FindBin;

$ENV{GATEHOUSE_FULL} = 1;
exec $^X, "$FindBin::Bin/../store-faults.t" or die "exec: $!";
