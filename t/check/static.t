#!/usr/bin/perl
# cppcheck and clang-tidy have nothing to say, each C file is read by both;
# the shell scripts parse, the Perl compiles.
use strict;
use warnings;

use Test::More;

my $src = $ENV{GATEHOUSE_SRC};
my $check = $ENV{GATEHOUSE_CHECK};

chdir $src or die "$src: $!";
my @c = grep { !/[ ']/ } split /\n/, `find common milters tools t bench fuzz \\
    splitter portal -name '*.c' 2>/dev/null`;
cmp_ok scalar @c, '>', 20, 'there are sources to read';

# What the compiler is told, so that both see what it sees.
my ($flags) = `make -s -C $check/normal list` =~ /^flags (.*)$/m;
$flags =~ s/(["()])/\\$1/g;
my $said = `cppcheck -q -j 2 --error-exitcode=1 --inline-suppr --std=c11 \\
    --enable=warning,performance,portability \\
    --suppressions-list=t/check/cppcheck.supp \\
    -I common -I . @c 2>&1`;
is $said, '', 'cppcheck is quiet';

open my $files, '|-', "xargs -P 2 -n 3 sh -c 'clang-tidy --quiet \"\$\@\" " .
    "-- -std=gnu11 -D_FORTIFY_SOURCE=0 -I$check/normal $flags' tidy " .
    ">$check/tidy.log 2>$check/tidy.err" or die "xargs: $!";
print $files "$_\n" for @c;
close $files;
my $status = $?;
$said = `grep -hE 'warning:|error:' $check/tidy.log $check/tidy.err |
    sed 's,^$src/,,' | sort -u | head -40`;
is $said, '', 'clang-tidy is quiet';
is $status, 0, 'and read them all' or diag `tail -5 $check/tidy.err`;

is `bash -n $_ 2>&1`, '', "$_ parses" for grep { -e } qw(try check .ci/run
    t/house.sh t/check/one t/check/sanitizers.sh);
for my $perl (grep { -e } glob 't/*.t t/check/*.t t/check/full t/lib/*/*.pm t/lib/*/*/*.pm ' .
    't/try/*.pl') {
	like `perl -It/lib -wc $perl 2>&1`, qr/syntax OK/, "$perl compiles";
}

done_testing;
