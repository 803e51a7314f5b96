#!/usr/bin/perl
# dpkg-buildpackage on what is in the tarball; each package holds something,
# and each milter's package its unit, sysusers, tmpfiles and configuration.
use strict;
use warnings;

use File::Path qw(make_path remove_tree);
use Test::More;

my ($src, $check) = @ENV{qw(GATEHOUSE_SRC GATEHOUSE_CHECK)};
my $dir = "$check/debian";
my $log = "$check/debian.log";

plan skip_all => 'NO debian/control' unless -e "$src/debian/control";
remove_tree($dir);
make_path($dir);
system "make -C $check/normal distdir distdir=$dir/gatehouse >$log 2>&1";
is $?, 0, 'the tree' or diag `tail -20 $log`;
system "cd $dir/gatehouse && DEB_BUILD_OPTIONS='nocheck noopt parallel=2' " .
    "dpkg-buildpackage -b -us -uc >>$log 2>&1";
is $?, 0, 'dpkg-buildpackage' or diag `grep -nE 'rror' $log | head -20;
    tail -20 $log`;

my %holds = map { (my $name = $_) =~ s{.*/|_.*}{}g;
    $name => scalar `dpkg-deb -c '$_'` }
    grep { !/-dbgsym_/ } glob "$dir/*.deb";
cmp_ok scalar(keys %holds), '>=', 1, join ' ', 'packages:', sort keys %holds;
my @names = map { m{([^/]+)/main\.c$} } glob "$src/milters/*/main.c";
for my $milter (@names) {
	my $holds = $holds{"gatehouse-$milter"} // '';
	like $holds, qr{/gatehouse-\Q$milter\E$}m, "$milter: the daemon";
	like $holds, qr{/systemd/system/gatehouse-\Q$milter\E\.service$}m,
	    "$milter: its unit";
	like $holds, qr{/sysusers\.d/}, "$milter: its user";
	like $holds, qr{/tmpfiles\.d/}, "$milter: its folders";
	like $holds, qr{/etc/gatehouse/\Q$milter\E\.conf$}m,
	    "$milter: its configuration";
}

done_testing;
