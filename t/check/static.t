#!/usr/bin/perl
# cppcheck and clang-tidy have nothing to say, each C file is read by both; the
# shell scripts parse, the Perl compiles and can be run. clang's analyzer, which
# follows paths and takes ten times as long as all else, has its turn in
# ./check --full (GATEHOUSE_FULL).
use strict;
use warnings;

use Test::More;

my $src = $ENV{GATEHOUSE_SRC};
my $check = $ENV{GATEHOUSE_CHECK};

chdir $src or die "$src: $!";
my @c = grep { !/[ ']/ } split /\n/, `find common milters services cells tools t bench fuzz \\
    splitter portal -name '*.c' 2>/dev/null`;
cmp_ok scalar @c, '>', 20, 'there are sources to read';

# What the compiler is told, so that both see what it sees.
my ($flags) = `make -s -C $check/normal list` =~ /^flags (.*)$/m;
$flags =~ s/(["()])/\\$1/g;
my @json = ('-Djson_array_foreach(a,i,v)=for(i=0;(v=json_array_get(a,i))' .
    '!=NULL;i++)', '-Djson_object_foreach(o,k,v)=for(;(v=json_object_get(o,' .
    'k))!=NULL;)');
my $said = run('cppcheck', '-q', '-j2', '--error-exitcode=1',
    '--inline-suppr', '--std=c11', '--enable=warning,performance,portability',
    '--suppressions-list=t/check/cppcheck.supp', '-I', 'common', '-I', '.',
    @json, @c);
is $said, '', 'cppcheck is quiet';

sub run {
	my $pid = open(my $out, '-|') // die "fork: $!";

	if ($pid == 0) {
		open STDERR, '>&', \*STDOUT;
		exec @_ or exit 127;
	}
	local $/;
	return <$out>;
}

my $quick = $ENV{GATEHOUSE_FULL} ? '' : '"--checks=-clang-analyzer-*"';
open my $files, '|-', "xargs -P 2 -n 3 sh -c 'clang-tidy --quiet $quick " .
    "\"\$\@\" " .
    "-- -std=gnu11 -D_FORTIFY_SOURCE=0 -I$check/normal $flags' tidy " .
    ">$check/tidy.log 2>$check/tidy.err" or die "xargs: $!";
print $files "$_\n" for @c;
close $files;

# [ file, check ] of the list of those that are known to be wrong.
open my $supp, '<', 't/check/tidy.supp' or die "tidy.supp: $!";
my @known = grep { !$quick || $_->[1] !~ /^clang-analyzer/ }
    map { [ split ' ', $_, 3 ] } grep { !/^#/ } <$supp>;
my (%seen, @new);
for my $line (split /\n/, `grep -hE '(warning|error): ' $check/tidy.log |
    sed 's,^$src/,,' | sort -u`) {
	my ($known) = grep { $line =~ /^\Q$_->[0]\E:.*\[\Q$_->[1]\E[],]/ }
	    @known;
	if ($known) { $seen{$known}++ } else { push @new, $line }
}
is join("\n", @new), '', 'clang-tidy is quiet';
is join(', ', map { "$_->[0] $_->[1]" } grep { !$seen{$_} } @known), '',
    'and tidy.supp holds nothing that is over';

is `bash -n $_ 2>&1`, '', "$_ parses" for grep { -e } qw(try check .ci/run
    t/house.sh t/check/one t/check/sanitizers.sh);
for my $perl (grep { -e } glob 't/*.t t/check/*.t t/check/full t/lib/*/*.pm t/lib/*/*/*.pm ' .
    't/try/*.pl') {
	like `perl -It/lib -wc $perl 2>&1`, qr/syntax OK/, "$perl compiles";
	ok -x $perl, "$perl can be run" if $perl =~ /\.t$/;
}

done_testing;
