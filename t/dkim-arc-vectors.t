#!/usr/bin/perl
# The scenarios that the public arc_test_suite prints as examples: a message
# without a chain, and one with the set that a sealer is to give it.
use strict;
use warnings;
use File::Temp 'tempdir';
use Test::More;

my $src   = $ENV{GATEHOUSE_SRC}   // '.';
my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $data  = $ENV{GATEHOUSE_DATA}  // "$src/../shared/data";
my $probe = "$build/t/dkim-probe";

plan skip_all => "no scenarios: $data/rfc-vectors/arc is absent"
    unless -d "$data/rfc-vectors/arc";
plan skip_all => "$probe is not built" unless -x $probe;

my $dir = tempdir(CLEANUP => 1);

# The lines of a literal block of the YAML, without their indent.
sub block {
	my ($yaml, $key) = @_;
	my ($indent, $lines) =
	    $yaml =~ /^( *)\Q$key\E: +(?:\||>-)\n((?:\1 +\S.*\n|\n)+)/m
	    or die "no $key";
	my ($pad) = $lines =~ /^( +)/;
	$lines =~ s/^$pad//mg;
	return $lines =~ s/\n+\z/\n/r;
}

sub put {
	my ($name, $text) = @_;

	open my $out, '>', "$dir/$name" or die "$name: $!";
	print $out $text;
	close $out;
	return "$dir/$name";
}

sub validate {
	my ($yaml, @fields) = @_;
	my $key = block($yaml, 'dummy._domainkey.example.org') =~ s/\n\s*//gr;
	my $record = put('record', $key);
	my $mail = put('mail', join '', @fields, block($yaml, 'message'));
	my ($said) = `$probe arc $record $mail` =~ /^(\S+ \S+)/;
	return $said;
}

# b= was signed before it was broken into lines for print.
sub field {
	my ($yaml, $name, $tag) = @_;
	my $text = block($yaml, $tag);

	$text =~ s{\bb=([^;]*)}{ 'b=' . $1 =~ s/\s+//gr }e;
	return "$name: " . $text =~ s/\n(?=.)/\n  /gr;
}

sub slurp {
	open my $in, '<', $_[0] or die "$_[0]: $!";
	local $/;
	return scalar <$in>;
}

my $none = slurp("$data/rfc-vectors/arc/example-1.yml");
is validate($none), 'none none', 'no chain';

my $sealed = slurp("$data/rfc-vectors/arc/example-2.yml");
my @set = (field($sealed, 'ARC-Seal', 'AS'),
    field($sealed, 'ARC-Message-Signature', 'AMS'),
    field($sealed, 'ARC-Authentication-Results', 'AAR'));
is validate($sealed, @set), 'pass pass', 'the set of the suite passes';
s/spf=pass/spf=fail/ for $set[2];
is validate($sealed, @set), 'fail message', 'changed, it does not';

done_testing;
