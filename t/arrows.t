#!/usr/bin/perl
# Rooms point left only (STYLE.md habit 3): reads each #include "room/file.h"
# under common/, milters/, cells/, services/ and tools/ and fails on one that
# points right. Services are to the right of all rooms, as milters and tools are.
use strict;
use warnings;

use File::Find qw(find);
use FindBin;
use Test::More;

my @rooms = qw(base text filetype mime html detect content net dkim conf log verdict policy
    journal store track notice cell unpack milter daemon);
my %place = map { $rooms[$_] => $_ } 0 .. $#rooms;
my $src = $ENV{GATEHOUSE_SRC} // "$FindBin::Bin/..";

sub includes {
	my ($path) = @_;

	open my $f, '<', $path or die "$path: $!";
	return map { /^\s*#\s*include\s*"([^"]+)"/ ? [ $., $1 ] : () } <$f>;
}

# What is wrong with that include in that file; empty when nothing is.
sub wrong {
	my ($file, $include) = @_;
	my ($room) = $file =~ m{^common/([^/]+)/};
	my ($to) = $include =~ m{^([^/]+)/};

	return '' unless defined $to;	# config.h, or a file beside it
	return "$to are to the right of all rooms"
	    if $to =~ /^(milters|services)$/ && $file =~ /^common/;
	return '' if $to =~ /^(milters|cells|services|tools|t)$/ &&
	    $file !~ /^common/ &&
	    !($to =~ /^(tools|services)$/ && $file =~ /^milters/) &&
	    !($to =~ /^(tools|milters)$/ && $file =~ /^services/);
	# The spam check is antispam for a draft: one file of it asks there.
	return '' if $file eq 'services/spamcheck/judge.c' &&
	    $include =~ m{^milters/antispam/};
	return "no room is called $to" unless exists $place{$to};
	return '' unless defined $room;
	return "$room is no room that this test knows"
	    unless exists $place{$room};
	return "$to is to the right of $room" if $place{$to} > $place{$room};
	return '';
}

is wrong('common/text/a.c', 'base/a.h'), '', 'left is right';
is wrong('common/text/a.c', 'text/a.h'), '', 'home is right';
isnt wrong('common/text/a.c', 'mime/a.h'), '', 'right is wrong';
isnt wrong('common/text/a.c', 'milters/x/a.h'), '', 'a milter as well';
isnt wrong('common/text/a.c', 'nowhere/a.h'), '', 'and what nobody knows';
isnt wrong('common/text/a.c', 'services/x/a.h'), '', 'and a service';
isnt wrong('milters/x/a.c', 'services/x/a.h'), '', 'and milters no service';
isnt wrong('services/x/a.c', 'tools/a.h'), '', 'nor do they know tools';
is wrong('services/x/a.c', 'daemon/a.h'), '', 'services may use all rooms';
is wrong('tools/a.c', 'milters/x/a.h'), '', 'tools may look at milters';
isnt wrong('common/store/a.c', 'services/x/a.h'), '', 'a service is no room';
isnt wrong('services/x/a.c', 'milters/x/a.h'), '', 'and knows no milter';
is wrong('services/spamcheck/judge.c', 'milters/antispam/a.h'), '',
    'but for the spam check, which judges as antispam does';
isnt wrong('services/spamcheck/a.c', 'milters/antispam/a.h'), '',
    'in one file';
isnt wrong('services/spamcheck/judge.c', 'milters/x/a.h'), '',
    'and as no other';
is wrong('services/x/a.c', 'services/x/b.h'), '', 'but its own files';
is wrong('tools/a.c', 'services/x/a.h'), '', 'tools may look at services';

my @files;
find({ no_chdir => 1, wanted => sub {
	push @files, $File::Find::name =~ s{^\Q$src\E/}{}r if /\.[ch]\z/ } },
    grep { -d } map { "$src/$_" } qw(common milters cells services
    tools));
cmp_ok scalar @files, '>', 20, 'there are sources to read';
for my $file (sort @files) {
	my @bad = map { my $why = wrong($file, $_->[1]);
	    $why ? "line $_->[0]: \"$_->[1]\": $why" : () }
	    includes("$src/$file");
	is join("\n", @bad), '', $file;
}

# Left of log nobody speaks to a log, and nobody ends the process but base,
# which does so when there is no memory.
my $log = $place{log};
for my $file (sort grep { m{^common/([^/]+)/} && $1 ne 'base' &&
    ($place{$1} // 99) < $log } @files) {
	open my $f, '<', "$src/$file" or die "$file: $!";
	my @bad = grep { /\b(exit|_exit|syslog)\s*\(/ && !/^\s*(\*|\/\*)/ } <$f>;
	is join('', @bad), '', "$file neither logs nor exits";
}

done_testing;
