#!/usr/bin/perl
# Each fuzz target for a few seconds (GATEHOUSE_FUZZ_SECONDS), from its seeds.
# A crash leaves its input in build/check/crashes, to become a seed.
use strict;
use warnings;

use File::Path qw(make_path remove_tree);
use Test::More;

my ($src, $check) = @ENV{qw(GATEHOUSE_SRC GATEHOUSE_CHECK)};
my $seconds = $ENV{GATEHOUSE_FUZZ_SECONDS} // 3;
my $seed = $ENV{GATEHOUSE_SEED} // int rand 2**31;
my $jobs = $ENV{GATEHOUSE_FUZZ_JOBS} // 1;
my @targets = split ' ', $ENV{GATEHOUSE_FUZZ} // `make -s -C $check/fuzz list |
    sed -n 's/^fuzz_targets //p'`;

plan skip_all => 'NO FUZZ TARGETS' unless @targets;
make_path("$check/crashes");

sub fuzz {
	my ($target) = @_;
	my ($name) = $target =~ m{([^/]+)$};
	my $corpus = "$check/corpus/$name";

	remove_tree($corpus) unless $ENV{GATEHOUSE_FULL};
	make_path($corpus);
	exec "exec $check/fuzz/$target -seed=$seed " .
	    "-max_total_time=$seconds -timeout=10 -rss_limit_mb=2048 " .
	    "-max_len=65536 -artifact_prefix=$check/crashes/$name- " .
	    "$corpus $src/fuzz/seeds/$name >$check/fuzz-$name.log 2>&1";
}

my %running;
sub wait_one {
	my $pid = wait;
	my ($name) = delete($running{$pid}) =~ m{([^/]+)$};

	is $?, 0, "$name: $seconds s, seed $seed" or
	    diag `tail -30 $check/fuzz-$name.log`;
}

for my $target (@targets) {
	wait_one while keys %running >= $jobs;
	my $pid = fork // die "fork: $!";
	fuzz($target) if $pid == 0;
	$running{$pid} = $target;
}
wait_one while %running;

done_testing;
