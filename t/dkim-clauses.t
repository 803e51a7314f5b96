#!/usr/bin/perl
# The tables of clauses in doc/ name tests that exist, and all cases.
use strict;
use warnings;
use Test::More;

my $src = $ENV{GATEHOUSE_SRC} // '.';

sub text {
	my ($path) = @_;

	open my $in, '<', "$src/$path" or die "$path: $!";
	local $/;
	return scalar <$in>;
}

# A name may be broken over lines of the source.
sub source {
	my ($name) = @_;
	my %perl = (peers => 't/dkim-peers.t', suite => 't/dkim-arc-vectors.t');
	my $path = $perl{$name} // "t/dkim-$name.c";

	return text($path) =~ s/"\s*\n\s*"//gr;
}

my %source;
my %named;
for my $doc (qw(dkim arc)) {
	my @absent;
	for (split /\n/, text("doc/$doc-clauses")) {
		my ($where, $name) = /^\t(\w+): (.+)$/ or next;
		$source{$where} //= source($where);
		$named{"$where: $name"} = 1;
		push @absent, "$where: $name"
		    if index($source{$where}, $name) < 0;
	}
	is "@absent", '', "doc/$doc-clauses names what there is";
}
for my $table (qw(verify arc)) {
	my ($cases) = source($table) =~ /cases\[\] = \{(.*?)\n\};/s;
	my @missing = grep { !$named{"$table: $_"} }
	    $cases =~ /^\t\{ "((?:[^"\\]|\\.)*)",/mg;
	is "@missing", '', "all cases of t/dkim-$table.c have a clause";
}
done_testing;
