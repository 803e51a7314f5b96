#!/usr/bin/perl
# SPF over a real resolver and a scripted DNS server: all cases of t/spf once
# more, and what only a network can do.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Gatehouse::DNS;
use Test::More;

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $probe = "$build/t/spf-probe";

plan skip_all => "no $probe" unless -x $probe;

sub probe {
	open my $out, '-|', $probe, @_ or die "$probe: $!\n";
	my @lines = <$out>;
	chomp @lines;
	close $out;
	is $?, 0, "@_[0..1]: no crash" if $?;
	return @lines;
}

# What one line of `ask` says.
sub ask {
	my ($dns, @args) = @_;
	return map {
		my ($result, $waited, $total, $asked, $helo, $exp, $reason) =
		    /^(\w+) (\d+) (\d+) (\d+) (\S+) <(.*?)> (.*)/
		    or die "spf-probe: $_\n";
		{ result => $result, waited => $waited / 1000,
		    total => $total / 1000, asked => $asked, helo => $helo,
		    exp => $exp, reason => $reason };
	} probe('ask', $dns->resolver, @args);
}

# The cases, looking ahead, each scenario with a server of its own.
for my $file (sort glob "$FindBin::Bin/spf/*.cases") {
	for my $scenario (probe('list', $file)) {
		my $zone = join "\n", probe('zone', $file, $scenario), '';
		my $dns = Gatehouse::DNS->start(zone => $zone);
		my @said = probe('run', $file, $scenario, $dns->resolver,
		    'timeout=1500');
		my $good = pop @said;

		is_deeply \@said, [], "$scenario: $good over the network";
	}
}

my $dns = Gatehouse::DNS->start(latency => 60, zone => <<'END');
ok.test		TXT	"v=spf1 ip4:192.0.2.1 -all"
mail.test	TXT	"v=spf1 a -all"
mail.test	A	192.0.2.1
wide.test	TXT	"v=spf1 include:w1.test include:w2.test include:w3.test a:a.test -all"
w1.test		TXT	"v=spf1 include:w4.test a:b.test ?all"
w2.test		TXT	"v=spf1 mx:c.test ?all"
w3.test		TXT	"v=spf1 a:d.test a:e.test ?all"
w4.test		TXT	"v=spf1 a:f.test -all"
a.test		A	203.0.113.1
b.test		A	203.0.113.1
c.test		MX	10 mx1.test
c.test		MX	20 mx2.test
mx1.test	A	203.0.113.1
mx2.test	A	203.0.113.1
d.test		A	203.0.113.1
e.test		A	203.0.113.1
f.test		A	203.0.113.1
first.test	TXT	"v=spf1 ip4:192.0.2.1 include:w1.test include:w2.test -all"
sick.test	TXT	SERVFAIL
silent.test	TXT	SILENT
shy.test	TXT	"v=spf1 -all exp=shy2.test"
shy2.test	TXT	SILENT
big.test	TXT	"v=spf1 include:long.test -all"
long.test	TXT	TRUNCATE
long.test	TXT	"v=spf1 ip4:192.0.2.1 ~all"
huge.test	TXT	GENERATE 60000
loop.test	CNAME	LOOP
noise.test	TXT	GARBAGE
cut.test	TXT	CUT
refused.test	TXT	REFUSED
odd.test	TXT	"v=spf1 exists:%{l}.odd.test -all"
a\032b\092c.odd.test	A	127.0.0.2
END

my ($cold, $warm) = ask($dns, 'from=a@mail.test', 'times=2');
is $cold->{result}, 'pass', 'cold: pass';
cmp_ok $cold->{waited}, '>', 90, 'two questions in a row are waited for';
is $cold->{asked}, 2, 'two questions';
is $warm->{result}, 'pass', 'warm: pass';
is $warm->{waited}, 0, 'warm: nothing is waited for';
is $warm->{asked}, 0, 'warm: nothing is asked';

my ($both) = ask($dns, 'from=a@ok.test', 'helo=mail.test', 'both=1');
is "$both->{result} $both->{helo}", 'pass pass', 'MAIL FROM and HELO';

# The chain is wide.test, w1.test, w4.test, f.test: four questions.
my ($wide) = ask($dns, 'from=a@wide.test');
is $wide->{result}, 'fail', 'a wide record';
my ($narrow) = ask($dns, 'from=a@wide.test', 'ahead=0');
is $narrow->{result}, 'fail', 'the same without looking ahead';
cmp_ok $wide->{total}, '<', $narrow->{total},
    'takes as long as all its questions, the first as its longest chain';
is $wide->{asked}, $narrow->{asked}, 'both ask the same when nothing matches';
my ($first) = ask($dns, 'from=a@first.test');
is $first->{asked}, 1, 'nothing is asked behind a term that matches';

my ($sick) = ask($dns, 'from=a@sick.test');
is $sick->{result}, 'temperror', 'SERVFAIL: temperror';
like $sick->{reason}, qr/TXT of sick\.test: its servers failed/, 'and says so';
($sick) = ask($dns, 'from=a@refused.test');
is $sick->{result}, 'temperror', 'REFUSED: temperror';

my ($silent) = ask($dns, 'from=a@silent.test', 'timeout=300');
is $silent->{result}, 'temperror', 'silence: temperror';
like $silent->{reason}, qr/no answer in time/, 'and says so';
($silent) = ask($dns, 'from=a@silent.test', 'timeout=8000', 'until=300');
is $silent->{result}, 'temperror', 'the deadline ends it';
cmp_ok $silent->{total}, '<', 8000, 'before the time of its question';
($silent) = ask($dns, 'from=a@shy.test', 'timeout=8000', 'until=500');
is $silent->{result}, 'fail', 'no explanation in time: still a fail';
is $silent->{exp}, '', 'without one';

my ($poor) = ask($dns, 'from=a@wide.test', 'questions=2');
is $poor->{result}, 'temperror', 'the budget of the message is spent';
like $poor->{reason}, qr/too many questions/, 'and says so';

my ($big) = ask($dns, 'from=a@big.test');
is $big->{result}, 'pass', 'truncated over UDP: read over TCP';
my ($huge) = ask($dns, 'from=a@huge.test', 'timeout=3000');
is $huge->{result}, 'none', '60000 bytes that are no SPF';
for my $bad (qw(loop noise cut)) {
	my ($r) = ask($dns, "from=a\@$bad.test", 'timeout=1500');
	is $r->{result}, 'temperror', "$bad: temperror";
}
my ($odd) = ask($dns, 'from=a b\\c@odd.test');
is $odd->{result}, 'pass', 'blank and backslash in a name';

my ($other) = ask($dns, 'from=a@wide.test', 'engine=libspf2');
is $other->{result}, 'fail', 'libspf2 over the same resolver';
($other) = ask($dns, 'from=a@sick.test', 'engine=libspf2');
is $other->{result}, 'temperror', 'and its temperror';

is_deeply [probe('ask', $dns->resolver, 'from=a@wide.test', 'free=1',
    'times=20')], [('freed') x 20], 'given back while answers are out';

done_testing;
