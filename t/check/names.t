#!/usr/bin/perl
# No two files of the house give one name to two things: what is linked from
# archives takes the first that it meets, and says nothing.
use strict;
use warnings;

use File::Find qw(find);
use Test::More;

my $src = $ENV{GATEHOUSE_SRC};
my $build = "$ENV{GATEHOUSE_CHECK}/normal";
my (@objects, %places);

# An object of a file that is gone is an older build's. Programs' own objects
# have the program's name before the file's.
sub source {
	my ($path) = $_[0] =~ m{^\Q$build\E/(.*)\.o$} or return 0;

	return -e "$src/$path.c" ||
	    $path =~ s{/\w+-([^/]+)$}{/$1} && -e "$src/$path.c";
}

find({ no_chdir => 1, wanted => sub {
	push @objects, $_ if source($_);
} }, map { "$build/$_" } qw(common milters cells services tools));
cmp_ok scalar @objects, '>', 300, scalar(@objects) . ' object files';

open my $nm, '-|', 'nm', '-A', '-g', '--defined-only', @objects or die "nm: $!";
while (<$nm>) {
	my ($file, $name) = /^\Q$build\E\/(\S+):\S+ [TDBRVW] (\S+)$/ or next;
	push @{ $places{$name} }, $file unless $name eq 'main';
}
close $nm;
cmp_ok scalar keys %places, '>', 1000, scalar(keys %places) . ' names';
is "$_: @{ $places{$_} }", '', 'one thing of that name'
    for sort grep { @{ $places{$_} } > 1 } keys %places;

done_testing;
