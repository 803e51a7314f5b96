#!/usr/bin/perl
# The dns room against a scripted server: each way in which DNS goes wrong
# (T26), and how often the server was really asked.
use strict;
use warnings;
use FindBin;
use Test::More;
use lib "$FindBin::Bin/lib";
use Gatehouse::DNS;

my $probe = ($ENV{GATEHOUSE_BUILD} // '.') . '/t/dns-probe';
plan skip_all => "$probe is not built" if !-x $probe;

my $dns = Gatehouse::DNS->start(zone => <<'END');
example.org	SOA	ns.example.org host.example.org 1 3600 600 86400 60
example.org	MX	10 MX.Example.org
example.org	MX	0 .
example.org	AAAA	2001:db8::1
example.org	TXT	"v=spf1 " "-all"
a.example.org	A	192.0.2.1
a.example.org	A	192.0.2.2
alias.example.org	CNAME	a.example.org
dangling.example.org	CNAME	nobody.example.org
1.2.0.192.in-addr.arpa	PTR	Host.Example.org
2.2.0.192.in-addr.arpa	PTR	bank\.test.evil\000.test
localhost	A	192.0.2.55
odd\032name.example.org	A	192.0.2.3
tlsa.example.org	TLSA	\# 5 03 01 01 ff 00
warm.test	TXT	v=spf1 -all
*.flood.test	TXT	v=spf1 ip4:192.0.2.1 -all
slow.flood.test	TXT	DELAY 15
slow.flood.test	TXT	slow
later.test	A	DELAY 150
later.test	A	192.0.2.4
late.test	A	DELAY 500
late.test	A	192.0.2.4
fail.test	*	SERVFAIL
once.test	A	SERVFAIL 1
once.test	A	192.0.2.5
twice.test	A	SERVFAIL 2
twice.test	A	192.0.2.5
refused.test	A	REFUSED
mute.test	*	SILENT
*.mute.test	*	SILENT
loop.test	CNAME	LOOP
loop1.test	CNAME	loop2.test
loop2.test	CNAME	loop1.test
cut.test	A	TRUNCATE
cut.test	A	192.0.2.6
cutmute.test	A	TRUNCATE
cutmute.test	A	SILENT tcp
cutmute.test	A	192.0.2.6
big.test	TXT	GENERATE 64000
many.test	A	GENERATE 300
noise.test	A	GARBAGE
id.test	A	WRONGID
id.test	A	192.0.2.7
short.test	A	SHORT
half.test	A	CUT
half.test	A	192.0.2.8
pointer.test	A	POINTERLOOP
name.test	A	WRONGNAME
name.test	A	192.0.2.9
badmx.test	MX	\# 3 00 0a 05
badtxt.test	TXT	\# 3 09 41 42
zero.test	0 A	192.0.2.10
brief.test	2 A	192.0.2.11
END

# Runs the probe; its lines. Sanitizers and the exit status are watched too.
sub probe {
	my $out = qx{@{[ join ' ', map { quotemeta } $probe,
	    $dns->resolver, @_ ]} 2>&1};
	is $?, 0, "exit status of: @_" if $?;
	unlike $out, qr/Sanitizer|runtime error/, "clean: @_"
	    if $out =~ /Sanitizer|runtime error/;
	return split /\n/, $out;
}

sub ask { return (probe(map { "ask=$_" } @_))[-1] }

# What is said, and what of it
my @cases = (
	[ 'a.example.org/A', qr/ ok count=2 ttl=300 .* 192\.0\.2\.[12]/ ],
	[ 'A.Example.ORG/A', qr/ ok count=2 / ],
	[ 'example.org/AAAA', qr/ ok count=1 .* 2001:db8::1$/ ],
	[ 'example.org/TXT', qr/ ok count=1 .* <v=spf1 -all>$/ ],
	[ 'example.org/MX', qr/ ok count=2 .*10:<mx\.example\.org>/ ],
	[ 'example.org/MX', qr/ 0:<>/ ],
	[ '1.2.0.192.in-addr.arpa/PTR', qr/ ok .* <host\.example\.org>$/ ],
	[ '2.2.0.192.in-addr.arpa/PTR',
	    qr/ ok .* <bank\\046test\.evil\\000\.test>$/ ],
	[ 'alias.example.org/A', qr/ ok count=2 / ],
	[ 'alias.example.org/CNAME', qr/ ok .* <a\.example\.org>$/ ],
	[ 'tlsa.example.org/TLSA', qr/ ok .* <\\x03\\x01\\x01\\xff\\x00>$/ ],
	[ 'localhost/A', qr/ ok .* 192\.0\.2\.55$/ ],
	[ 'odd name.example.org/A', qr/ ok count=1 / ],
	[ 'nobody.example.org/A', qr/ nxdomain count=0 ttl=60 / ],
	[ 'nobody.test/A', qr/ nxdomain count=0 ttl=0 / ],
	[ 'dangling.example.org/A', qr/ nxdomain / ],
	[ 'example.org/PTR', qr/ nodata count=0 ttl=60 / ],
	[ 'fail.test/A', qr/ servfail / ],
	[ 'refused.test/A', qr/ servfail / ],
	[ 'once.test/A', qr/ ok / ],
	[ 'later.test/A', qr/ ok .* ms=(?:1[5-9]|[2-9]\d)\d / ],
	[ 'mute.test/A', qr/ timeout count=0 ttl=0 ms=[3-9]\d\d$/ ],
	[ 'late.test/A', qr/ timeout count=0 ttl=0 ms=[3-9]\d\d$/ ],
	[ 'loop.test/A', qr/ servfail / ],
	[ 'loop1.test/A', qr/ servfail / ],
	[ 'cut.test/A', qr/ ok .* 192\.0\.2\.6$/ ],
	[ 'cutmute.test/A', qr/ timeout / ],
	[ 'big.test/TXT', qr/ ok count=1 .* \(64000 bytes\)$/ ],
	[ 'many.test/A', qr/ ok count=200 / ],
	[ 'noise.test/A', qr/ servfail / ],
	[ 'half.test/A', qr/ servfail / ],
	[ 'pointer.test/A', qr/ servfail / ],
	[ 'name.test/A', qr/ servfail / ],
	[ 'badmx.test/MX', qr/ servfail / ],
	[ 'badtxt.test/TXT', qr/ servfail / ],
	[ 'id.test/A', qr/ timeout / ],
	[ 'short.test/A', qr/ (?:timeout|servfail) / ],
);
for my $case (@cases) {
	my ($question, $want) = @$case;
	like +(probe('timeout=350', "ask=$question"))[0], $want, $question;
}

# Names that nobody is asked
$dns->forget;
for my $name ('', '.', 'a..test', '.test', 'test.', 'x' x 64 . '.test',
    join('.', ('x' x 49) x 5) . '.long') {
	like ask("$name/A"), qr/ nxdomain /,
	    'not asked: ' . substr $name, 0, 20;
}
is $dns->asked, 0, 'really not';
like ask(join('.', ('x' x 49) x 5) . '.tes/A'), qr/ nxdomain /, '253 bytes';
is $dns->asked, 1, 'may be asked';
$dns->forget;
like ask('a%2e%5c%00%ff%22.test/A'), qr/ nxdomain /, 'any byte may be asked';
like +($dns->log)[0], qr/ a\.\\\\\\000\\255"\.test A /, 'and arrives';

# Merging and the cache
$dns->forget;
my @lines = probe('later.test/A*50', 'LATER.test/A*50', 'wait', 'asked');
is scalar(grep { / ok / } @lines), 100, 'a hundred ask at once';
is $dns->asked('later.test', 'A'), 1, 'one question goes out';
is $lines[-1], 'asked 100', 'each is counted for its budget';

$dns->forget;
@lines = probe(('ask=a.example.org/A') x 3, 'asked');
is $dns->asked('a.example.org', 'A'), 1, 'an answer is kept';
is $lines[-1], 'asked 1', 'and costs the budget nothing';
$dns->forget;
probe('cache=0', ('ask=a.example.org/A', 'ask=warm.test/TXT') x 2);
is $dns->asked('a.example.org', 'A'), 2, 'not without a cache';
$dns->forget;
probe(('ask=nobody.example.org/A') x 3, ('ask=example.org/PTR') x 3);
is $dns->asked('nobody.example.org', 'A'), 1, 'NXDOMAIN is kept';
is $dns->asked('example.org', 'PTR'), 1, 'NODATA is kept';
$dns->forget;
probe(map { ('ask=zero.test/A', 'ask=nobody.test/A', "ask=n$_.flood.test/TXT") }
    1, 2);
is $dns->asked('zero.test', 'A'), 2, 'TTL 0 is not kept';
is $dns->asked('nobody.test', 'A'), 2, 'nor NXDOMAIN without an SOA';
$dns->forget;
probe(('ask=brief.test/A', 'ask=warm.test/TXT', 'sleep=1100') x 3);
is $dns->asked('brief.test', 'A'), 2, 'TTL 2: kept for two seconds';
$dns->forget;
@lines = probe('ttl=1', ('ask=a.example.org/A', 'ask=warm.test/TXT',
    'sleep=1050') x 2);
is $dns->asked('a.example.org', 'A'), 2, 'never longer than ttl_max';
$dns->forget;
probe('cache=2', ('ask=warm.test/TXT', 'ask=a.example.org/A',
    'ask=example.org/MX') x 2);
is $dns->asked('warm.test', 'TXT'), 2, 'a full cache forgets the oldest';

# Failures are soon forgotten
@lines = probe('ask=twice.test/A', 'ask=twice.test/A', 'sleep=1100',
    'ask=warm.test/TXT', 'ask=twice.test/A');
like $lines[0], qr/ servfail /, 'the server fails';
like $lines[1], qr/ servfail /, 'which is believed for a second';
like $lines[-1], qr/ ok /, 'and it recovers';
kill 'STOP', $dns->pid;
@lines = probe('timeout=300', map({ "n$_.flood.test/TXT" } 1 .. 10), 'wait');
is scalar(grep { / timeout / } @lines), 10, 'the server is dead';
kill 'CONT', $dns->pid;
like ask('n11.flood.test/TXT'), qr/ ok /, 'and comes back';
$dns->forget;
@lines = probe('timeout=1000', map({ "x$_.mute.test/A" } 1 .. 200),
    'sleep=20', 'ask=n12.flood.test/TXT');
like $lines[0], qr/^n12\S+ ok .* ms=[1-5]?\d?\d /,
    'two hundred silent names hold nobody up';
is scalar(grep { / cancelled / } @lines), 200,
    'closing ends open questions as cancelled';

# Budgets
@lines = probe('budget=2', 'ask=a.example.org/A', 'ask=example.org/MX',
    'ask=example.org/TXT', 'ask=a.example.org/A', 'asked');
like $lines[1], qr/ ok /, 'the last question of a budget';
like $lines[2], qr/ budget /, 'one more';
like $lines[3], qr/ ok /, 'what is warm costs nothing';
is $lines[4], 'asked 2', 'questions that went out';
@lines = probe('until=100', 'ask=mute.test/A', 'ask=example.org/MX');
like $lines[0], qr/ timeout .* ms=\d{3,}$/, 'the time of a budget ends';
like $lines[1], qr/ budget /, 'nothing is asked after it';
@lines = probe('mute.test/A*5', 'cancel', 'warm.test/TXT', 'wait');
is scalar(grep { / cancelled .* ms=\d{1,3}$/ } @lines), 6, 'cancel ends all';

# Where to ask
for my $bad ('host:53', '127.0.0.1:', '127.0.0.1:0', '127.0.0.1:65536',
    '[::1', '[::1]x', '1.2.3', '127.0.0.1@53') {
	my $out = qx{$probe '$bad'};
	like $out, qr/^not opened: resolver "/, "resolver $bad";
}
SKIP: {
	my $six = eval { Gatehouse::DNS->start(address => '::1',
	    zone => 'a.test A 192.0.2.1') };
	skip 'no IPv6 here', 1 if !$six;
	like qx{$probe '@{[ $six->resolver ]}' ask=a.test/A}, qr/ ok /,
	    'a resolver over IPv6';
}

# Many threads that ask, ask again from inside, cancel and free
my $rounds = $ENV{GATEHOUSE_STRESS} // 300;
like +(probe('timeout=60', "stress=8,$rounds"))[0],
    qr/^stress 8: \d+ calls, some cancelled, 0 lost, 0 late$/, 'stress';
like +(probe('cache=50', 'flood=2000'))[0], qr/^flood 2000: /, 'flood';
like +(probe("warm=4,10000"))[0], qr/ 0 bad$/, 'warm from four threads';

done_testing;
