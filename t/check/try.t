#!/usr/bin/perl
# ./try --once: the newcomer's first command does what README says.
use strict;
use warnings;

use Test::More;

my ($src, $check) = @ENV{qw(GATEHOUSE_SRC GATEHOUSE_CHECK)};
my $said = `'$src/try' --once --build '$check/normal' 2>&1`;

is $?, 0, './try --once' or diag $said;
like $said, qr/^\s*arrived\b/m, 'mail went through';
unlike $said, qr/NOT AS IT SHOULD/, 'all as it should';

done_testing;
