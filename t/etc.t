#!/usr/bin/perl
# The files under etc/ are what the programs print, and the manual can be read.
use strict;
use warnings;

use Test::More;

my $src = $ENV{GATEHOUSE_SRC} // '.';
my $build = $ENV{GATEHOUSE_BUILD} // '.';

sub slurp {
	my ($path) = @_;
	open my $f, '<', $path or return undef;
	local $/;
	return scalar <$f>;
}

my %printer = (
	'gatehouse.conf' => "$build/etc/print-house",
	'auth-check.conf' => "$build/milters/auth-check/gatehouse-auth-check",
	'antispam.conf' => "$build/milters/antispam/gatehouse-antispam",
	'antivirus-multiscan.conf' => "$build/milters/antivirus-multiscan/" .
	    'gatehouse-antivirus-multiscan',
	'attachment-dlp.conf' => "$build/milters/attachment-dlp/" .
	    'gatehouse-attachment-dlp',
	'predelivery.conf' => "$build/milters/predelivery/" .
	    'gatehouse-predelivery',
	'chain.conf' => "$build/milters/chain/gatehouse-chain",
	'spamcheck.conf' => "$build/services/spamcheck/gatehouse-spamcheck",
	'splitter.conf' => "$build/services/splitter/gatehouse-splitter",
	'sandbox.conf' => "$build/services/sandbox/gatehouse-sandbox",
	'store.conf' => "$build/services/store/gatehouse-store",
	'track.conf' => "$build/services/track/gatehouse-track",
	'dmarc-report.conf' => "$build/tools/gatehouse dmarc-report",
	'notices.conf' => "$build/tools/gatehouse digest",
	'directory.conf' => "$build/tools/gatehouse directory",
	'tenants.conf' => "$build/tools/gatehouse tenant",
	'postfix.conf' => "$build/tools/gatehouse postfix-config",
);

for my $name (sort keys %printer) {
	my $program = $printer{$name};
	SKIP: {
		skip "$program is not built", 2 unless -x ((split ' ', $program)[0]);
		my $sample = `$program --sample`;
		is $sample, slurp("$src/etc/$name"),
		    "etc/$name is what $program prints; if not: make samples";
		like $sample, qr/^#\w+ = .*;$/m, 'and it has options';
	}
}

# An option of the table is an entry of the page.
my %page = (
	'gatehouse.conf' => 'gatehouse.conf.5',
	'auth-check.conf' => 'gatehouse-auth-check.conf.5',
	'antispam.conf' => 'gatehouse-antispam.conf.5',
	'antivirus-multiscan.conf' => 'gatehouse-antivirus-multiscan.conf.5',
	'sandbox.conf' => 'gatehouse-sandbox.8',
	'attachment-dlp.conf' => 'gatehouse-attachment-dlp.conf.5',
	'predelivery.conf' => 'gatehouse-predelivery.conf.5',
	'spamcheck.conf' => 'gatehouse-spamcheck.8',
	'splitter.conf' => 'gatehouse-splitter.8',
	'store.conf' => 'gatehouse-store.8',
	'track.conf' => 'gatehouse-track.conf.5',
	'dmarc-report.conf' => 'gatehouse-dmarc-report.conf.5',
	'notices.conf' => 'gatehouse-notices.conf.5',
	'directory.conf' => 'gatehouse-directory.conf.5',
	'tenants.conf' => 'gatehouse-tenants.conf.5',
	'postfix.conf' => 'gatehouse-postfix.conf.5',
);
for my $name (sort keys %page) {
	my $sample = slurp("$src/etc/$name");
	my $text = slurp("$build/man/$page{$name}");
	SKIP: {
		skip "$page{$name} is not built", 1
		    unless defined $sample && defined $text;
		my @missing = grep { $text !~ /^\\fB\Q$_\E\\fR = /m }
		    $sample =~ /^#(\w+) = /mg;
		is "@missing", '', "$page{$name} has all options";
	}
}

for my $path (grep { !/\.in$/ }
    glob("$src/man/*.[1-8] $build/man/*.[1-8]")) {
	my ($name) = $path =~ m{([^/]+)$};
	my $text = slurp($path);
	for my $section (qw(NAME SECURITY DIAGNOSTICS BUGS)) {
		like $text, qr/^\.SH $section$/m, "$name has $section";
	}
	unlike $text, qr/@[A-Z]+@/, "$name is filled in";
	SKIP: {
		skip 'man is not installed', 1 unless -x '/usr/bin/man';
		is `LC_ALL=C.UTF-8 MANROFFSEQ= man --warnings -E UTF-8 -l -Tutf8 -Z $path 2>&1 >/dev/null`,
		    '', "$name has no warnings";
	}
	SKIP: {
		skip 'mandoc is not installed', 1 unless `which mandoc`;
		is `mandoc -Tlint -Wwarning $path 2>&1`, '',
		    "$name: mandoc has no warnings either";
	}
}

done_testing;
