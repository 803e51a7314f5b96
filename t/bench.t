#!/usr/bin/perl
# bench/ works and sees loss. No figure is judged here: how fast something is
# depends on the machine.
use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../bench/lib";
use Test::More;

use Bench::Chain;
use Gatehouse::Postfix;
use Gatehouse::Sink;

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $bench = "$FindBin::Bin/../bench";
my $dir = tempdir(CLEANUP => 1);

# The load straight into a sink that is not its own: all is accepted, nothing
# arrives, and that is a failure.
sub load {
	my ($sink, @args) = @_;
	my $port = Gatehouse::Postfix->free_port;

	open my $out, '-|', "$build/bench/load", '--server',
	    '127.0.0.1:' . $sink->port, '--sink', "127.0.0.1:$port",
	    '--messages', 20, '--sessions', 1, '--patience', 1, @args
	    or die "load: $!";
	my %got = map { /^(\w+) (.*)$/ ? ($1, $2) : () } <$out>;
	close $out;
	return ($? >> 8, \%got, [ map { $_->{bytes} } $sink->rest ]);
}

open my $stderr, '>&', \*STDERR;
open STDERR, '>', "$dir/err";
my ($status, $got, $first) = load(Gatehouse::Sink->new, '--seed', 7);
is $status, 1, 'lost mail is a failure';
is_deeply [ @$got{qw(sent accepted arrived)} ], [ 20, 20, 0 ], 'and counted';
my (undef, undef, $again) = load(Gatehouse::Sink->new, '--seed', 7);
my (undef, undef, $other) = load(Gatehouse::Sink->new, '--seed', 8);
my $refusing = Gatehouse::Sink->new;
$refusing->rules('data * 451 4.3.0 later');
my ($refused, $told) = load($refusing);
open STDERR, '>&', $stderr;

ok "@$first" eq "@$again", 'the same seed, the same bytes';
ok "@$first" ne "@$other", 'another seed, others';
is $refused, 1, 'refused mail is a failure';
is_deeply [ @$told{qw(accepted refused refusal)} ],
    [ 0, 20, '451 4.3.0 later' ], 'with its reason';

# The mix, and that it is mail.
my %kind;
my $wrong = '';
for my $text (@$first) {
	my $files = () = $text =~ /^Content-Disposition: attachment/mg;
	my ($boundary) = $text =~ /^\tboundary="(.*)"\r$/m;
	$kind{$files > 1 ? 'several' : $files}++;
	$wrong .= 'bare LF or CR;' if $text =~ /(?<!\r)\n|\r(?!\n)/;
	$wrong .= 'long line;' if $text =~ /^[^\r\n]{100}/m;
	$wrong .= 'no end;' unless $text =~ /^--\Q$boundary\E--\r\n\z/m;
	$wrong .= 'no link;' unless $text =~ m{href=3D"https://};
}
is_deeply \%kind, { 0 => 14, 1 => 4, several => 2 }, '70, 20 and 10 %';
is $wrong, '', 'well-formed';
ok((grep { /^\./m } @$first), 'some lines begin with a dot');

# Chain files.
for my $path (glob "$bench/chains/*.chain") {
	ok eval { Bench::Chain->read($path) }, "$path is read" or diag $@;
}
open my $f, '>', "$dir/bad.chain" or die $!;
print $f "about x\nnonsense y\n";
close $f;
ok !eval { Bench::Chain->read("$dir/bad.chain") }, 'a wrong one is not';
like $@, qr{/bad\.chain:2: unknown keyword nonsense}, 'and says where';

# The harness, as small as it goes.
SKIP: {
	my $missing = Gatehouse::Postfix->missing;
	skip $missing, 7 if $missing;
	my $json = `$bench/run --chain probe --messages 20 --warmup 4 \\
	    --sessions 4 --json 2>$dir/err`;
	is $?, 0, 'a chain runs' or diag `cat $dir/err`;
	my $said = eval { JSON::PP::decode_json($json) } // { chains => [] };
	is_deeply [ map { $_->{name} } @{ $said->{chains} } ],
	    [ 'bare', 'probe' ], 'compared with a bare Postfix';
	cmp_ok $said->{chains}[1]{figures}{cpu_milters} // -1, '>=', 0,
	    'with figures';
	# Fails unless all of it came out with dkim=pass.
	my $table = `$bench/run --signed --chain auth-check --messages 20 \\
	    --warmup 4 --sessions 4 2>$dir/err`;
	is $?, 0, 'signed mail is verified' or diag `cat $dir/err`;
	like $table, qr/^20 signed messages.*^bound: auth-check cpu_milters/ms,
	    'and told as such';
	like `$bench/burst --sessions 20 --messages 1 --delay 50 2>&1`,
	    qr/^bound: .* (?:met|missed)$/m, 'burst';
	is $?, 0, 'all were answered';
}

done_testing;
