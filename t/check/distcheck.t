#!/usr/bin/perl
# make distcheck: the tarball holds all that it takes to build out of tree
# from a read-only source, to test, to install and to remove again. Its tests
# are those that need neither Postfix nor much time: the rest runs beside. That
# nothing is left out of the tarball is seen from its list of files. Nobody
# runs what it builds for long, so it is not optimised.
use strict;
use warnings;

use FindBin;
use Test::More;

my $check = $ENV{GATEHOUSE_CHECK};
my $log = "$check/distcheck.log";

delete @ENV{qw(GATEHOUSE_BUILD GATEHOUSE_SRC ASAN_OPTIONS)};
system "make -C $check/normal distcheck " .
    "DISTCHECK_CONFIGURE_FLAGS='CFLAGS=-O0' " .
    "CHECK_PERL='t/arrows.t t/etc.t t/gatehouse.t' >$log 2>&1";
is $?, 0, 'make distcheck' or diag `grep -nE 'not ok|Error|error:' $log |
    head -20; tail -20 $log`;

SKIP: {
	my $src = "$FindBin::Bin/../..";
	my @tracked = grep { !m{^\.(git|ci)} && !m{^debian/} }
	    split /\n/, `git -C $src ls-files 2>/dev/null`;

	skip 'no checkout to compare with', 1 if !@tracked;
	my %packed = map { s{^[^/]+/}{}r => 1 }
	    split /\n/, `tar tf $check/normal/gatehouse-*.tar.xz`;
	is_deeply [ grep { !$packed{$_} } @tracked ], [],
	    'the tarball has every file of the tree';
}

done_testing;
