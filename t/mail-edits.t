#!/usr/bin/perl
# Random edits of all shared mail, then undo: byte for byte the same.
use strict;
use warnings;
use File::Find;
use File::Temp 'tempdir';
use Test::More;

my $src   = $ENV{GATEHOUSE_SRC}   // '.';
my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $data  = $ENV{GATEHOUSE_DATA}  // "$src/../shared/data";
my $edit  = "$build/t/edit-mail";

plan skip_all => "no mail: $data is absent" unless -d $data;
plan skip_all => "$edit is not built"       unless -x $edit;

my $dir = tempdir(CLEANUP => 1);
my @folders = ("$data/mime", "$data/rfc-vectors");
my $archive = "$data/spam-ham/mail.tar.xz";
if (-e $archive) {
	is system('tar', '-xJf', $archive, '-C', $dir), 0, 'archive unpacked';
	push @folders, $dir;
}
push @folders, "$data/html-mail" if -d "$data/html-mail";

for my $folder (grep { -d } @folders) {
	my @mails;
	find({ no_chdir => 1, wanted => sub {
		return unless -f && -s _ && -s _ < 3_000_000;
		# Templates are no mail, but bytes that must survive as well.
		push @mails, $_;
	} }, $folder);
	@mails = sort @mails;
	my ($bad, @sum) = (0, 0, 0, 0);
	while (my @some = splice @mails, 0, 500) {
		open my $out, '-|', $edit, @some or die "$edit: $!";
		while (<$out>) {
			if (my @n = /^(\d+) mails, (\d+) parts, (\d+) edits/) {
				$sum[$_] += $n[$_] for 0 .. 2;
			} else {
				diag $_;
			}
		}
		$bad++ unless close $out;
	}
	my ($name) = $folder =~ m{([^/]+)$};
	$name = 'spam-ham' if $folder eq $dir;
	is $bad, 0, sprintf '%s: %d mails, %d parts, %d edits', $name, @sum;
}
done_testing;
