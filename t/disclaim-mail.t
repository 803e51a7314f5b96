#!/usr/bin/perl
# A disclaimer into all shared mail: undone, it is byte for byte the same; no
# part comes or goes, none but the texts changes, and in these it is seen. Where
# python3-html5lib is at hand, it sees it too, in the body.
use strict;
use warnings;

use File::Find;
use File::Temp 'tempdir';
use FindBin;
use Test::More;

my $src   = $ENV{GATEHOUSE_SRC}   // "$FindBin::Bin/..";
my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $data  = $ENV{GATEHOUSE_DATA}  // "$src/../shared/data";
my $probe = "$build/t/disclaim-mail";
my $dir   = tempdir(CLEANUP => 1);

plan skip_all => "NO MAIL: $data is absent" unless -d $data;
plan skip_all => "$probe is not built" unless -x $probe;

mkdir "$dir/disclaimers";
open my $f, '>', "$dir/disclaimers/test.txt" or die $!;
print $f "This is the disclaimer of the test.\n\x{c3}\x{84}nderungen " .
    "vorbehalten.\n";
close $f;

my @folders = ("$data/mime", "$data/rfc-vectors");
my $archive = "$data/spam-ham/mail.tar.xz";
if (-e $archive) {
	mkdir "$dir/spam-ham";
	is system('tar', '-xJf', $archive, '-C', "$dir/spam-ham"), 0,
	    'archive unpacked';
	push @folders, "$dir/spam-ham";
}
# Templates have no header block: a blank line makes them a mail.
if (-d "$data/html-mail") {
	my $n = 0;
	mkdir "$dir/html-mail";
	find({ no_chdir => 1, wanted => sub {
		return unless /\.html$/ && -s;
		open my $in, '<', $_ or die "$_: $!";
		open my $to, '>', "$dir/html-mail/" . $n++ or die $!;
		print $to "Content-Type: text/html; charset=utf-8\n" .
		    "Content-Transfer-Encoding: 8bit\n\n", <$in>;
	} }, "$data/html-mail");
	push @folders, "$dir/html-mail";
}

for my $folder (grep { -d } @folders) {
	my (@mails, %sum);
	find({ no_chdir => 1, wanted => sub {
		push @mails, $_ if -f && -s _ && -s _ < 3_000_000;
	} }, $folder);
	@mails = sort @mails;
	my $all = @mails;
	my $bad = 0;
	while (my @some = splice @mails, 0, 500) {
		open my $out, '-|', $probe, "$dir/disclaimers", @some or
		    die "$probe: $!";
		while (<$out>) {
			if (/^([a-z ]+): (\d+)$/) {
				$sum{$1} += $2;
			} elsif (!/^\d+ mails/) {
				diag $_;
			}
		}
		$bad++ unless close $out;
	}
	is $bad, 0, sprintf '%s: %d mails, %s', $folder =~ m{([^/]+)$}, $all,
	    join ', ', map { "$_ $sum{$_}" } sort grep { $sum{$_} } keys %sum;
	cmp_ok $sum{added} // 0, '>', 0, 'some of them have it now';
}
done_testing;
