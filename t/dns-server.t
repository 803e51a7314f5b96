#!/usr/bin/perl
# The scripted DNS server itself: others build on what it says.
use strict;
use warnings;
use FindBin;
use IO::Socket::IP;
use Test::More;
use Time::HiRes qw(time);
use lib "$FindBin::Bin/lib";
use Gatehouse::DNS;
use Gatehouse::DNS::Zone;

my %TYPE = %Gatehouse::DNS::Zone::TYPE;
my $PATIENCE = 2;			# seconds for one answer

my $dns = Gatehouse::DNS->start(zone => <<'END');
# the zone of this test
example.org	SOA	ns.example.org host.example.org 1 3600 600 86400 60
example.org	A	192.0.2.1
example.org	A	192.0.2.2
example.org.	77 TXT	"v=spf1 " "a\"b\\c\044 -all"
example.org	MX	10 mx.example.org
example.org	AAAA	2001:db8::1
plain.example.org	TXT	one string ; of words
*.wild.example.org	A	192.0.2.9
deep.under.tree.example.org	A	192.0.2.3
alias.example.org	CNAME	example.org
loop.example.org	CNAME	LOOP
tlsa.example.org	TLSA	\# 4 03 01 01 ff
fail.example.org	*	SERVFAIL
once.example.org	A	SERVFAIL 1
once.example.org	A	192.0.2.4
gone.example.org	A	NXDOMAIN
mute.example.org	A	SILENT
slow.example.org	A	DELAY 150
slow.example.org	A	192.0.2.5
cut.example.org	A	TRUNCATE
cut.example.org	A	192.0.2.6
big.example.org	TXT	GENERATE 64000
many.example.org	A	GENERATE 300
noise.example.org	A	GARBAGE
id.example.org	A	WRONGID
id.example.org	A	192.0.2.7
short.example.org	A	SHORT
pointer.example.org	A	POINTERLOOP
a\.b.example.org	A	192.0.2.8
TTL 5
five.example.org	A	192.0.2.5
END

sub query {
	my ($name, $type, $id) = @_;
	return pack('n6', $id // 4711, 0x0100, 1, 0, 0, 0) .
	    Gatehouse::DNS::Zone::wire_name($name) .
	    pack('nn', $TYPE{$type}, 1);
}

sub raw {
	my ($query, $over, $patience) = @_;
	my $sock = IO::Socket::IP->new(PeerHost => '127.0.0.1',
	    PeerPort => $dns->port, Proto => $over, Type =>
	    $over eq 'udp' ? SOCK_DGRAM : SOCK_STREAM) or die "socket: $@";
	my $bits = '';

	vec($bits, fileno $sock, 1) = 1;
	syswrite $sock, $over eq 'udp' ? $query : pack 'n/a*', $query;
	return undef if !select my $in = $bits, undef, undef,
	    $patience // $PATIENCE;
	if ($over eq 'udp') {
		recv $sock, my $answer, 65535, 0;
		return $answer;
	}
	read $sock, my $head, 2;
	read $sock, my $answer, unpack 'n', $head;
	return $answer;
}

# Skips a name; ours compress only as one pointer.
sub skip_name {
	my ($packet, $at) = @_;
	while (my $len = ord substr $packet, $at, 1) {
		return $at + 2 if $len >= 0xc0;
		$at += 1 + $len;
	}
	return $at + 1;
}

sub ask {
	my ($name, $type, $over, $patience) = @_;
	my $packet = raw(query($name, $type), $over // 'udp', $patience)
	    // return 'SILENT';
	my ($id, $flags, $qd, $an, $ns) = unpack 'n6', $packet;
	my $at = skip_name($packet, 12) + 4;
	my @found;

	for (1 .. $an + $ns) {
		$at = skip_name($packet, $at);
		my ($t, undef, $ttl, $data) = unpack 'nnN n/a*',
		    substr $packet, $at;
		$at += 10 + length $data;
		push @found, { type => $t, ttl => $ttl, data => $data };
	}
	return { id => $id, rcode => $flags & 15, tc => $flags >> 9 & 1,
	    an => $an, ns => $ns, found => \@found };
}

sub txt { return join '', unpack '(C/a*)*', $_[0]{found}[0]{data} }

my $a = ask('example.org', 'A');
is $a->{rcode}, 0, 'A: found';
is $a->{an}, 2, 'A: both records';
is $a->{found}[1]{data}, "\xc0\x00\x02\x02", 'A: the second address';
is $a->{found}[1]{ttl}, 300, 'TTL of nobody: 300';
is ask('EXAMPLE.ORG', 'A')->{an}, 2, 'upper case finds the same';
like raw(query('eXample.org', 'A'), 'udp'), qr/eXample/, 'case is kept';
is txt(ask('example.org', 'TXT')), 'v=spf1 a"b\\c, -all',
    'TXT: strings and escapes';
is ask('example.org', 'TXT')->{found}[0]{ttl}, 77, 'TTL of its own';
is ask('five.example.org', 'A')->{found}[0]{ttl}, 5, 'TTL of a line above';
is txt(ask('plain.example.org', 'TXT')), 'one string ; of words',
    'TXT without quotes';
is ask('example.org', 'MX')->{found}[0]{data},
    "\0\x0a\2mx\7example\3org\0", 'MX';
is length ask('example.org', 'AAAA')->{found}[0]{data}, 16, 'AAAA';
is ask('tlsa.example.org', 'TLSA')->{found}[0]{data}, "\3\1\1\xff",
    'data in hex';
is ask('x.y.wild.example.org', 'A')->{an}, 1, 'wildcard';
is ask('x.y.wild.example.org', 'TXT')->{an}, 0, 'wildcard without the type';
is ask('a\.b.example.org', 'A')->{an}, 1, 'a dot inside a label';

my $none = ask('nobody.example.org', 'A');
is $none->{rcode}, 3, 'NXDOMAIN';
is $none->{ns}, 1, 'with the SOA';
is $none->{found}[0]{ttl}, 60, 'and its minimum as TTL';
is ask('nobody.test', 'A')->{ns}, 0, 'no zone, no SOA';
is ask('example.org', 'PTR')->{rcode}, 0, 'NODATA';
is ask('under.tree.example.org', 'A')->{rcode}, 0, 'empty non-terminal';
is ask('gone.example.org', 'A')->{rcode}, 3, 'told to say NXDOMAIN';

my $alias = ask('alias.example.org', 'A');
is $alias->{an}, 3, 'CNAME and where it leads';
is $alias->{found}[0]{type}, 5, 'CNAME first';
is ask('loop.example.org', 'A')->{an}, 1, 'a CNAME loop ends';

is ask('fail.example.org', $_)->{rcode}, 2, "SERVFAIL for $_" for 'A', 'TXT';
is ask('once.example.org', 'A')->{rcode}, 2, 'SERVFAIL once';
is ask('once.example.org', 'A')->{an}, 1, 'and then no more';
is ask('mute.example.org', 'A', 'udp', 0.3), 'SILENT', 'SILENT';
my $start = time;
is ask('slow.example.org', 'A')->{an}, 1, 'DELAY answers';
cmp_ok time - $start, '>=', 0.149, 'later';
is ask('cut.example.org', 'A')->{tc}, 1, 'TRUNCATE over UDP';
is ask('cut.example.org', 'A', 'tcp')->{an}, 1, 'not over TCP';
is ask('big.example.org', 'TXT')->{tc}, 1, '64 kB does not fit UDP';
is length txt(ask('big.example.org', 'TXT', 'tcp')), 64000, 'but TCP';
is ask('many.example.org', 'A', 'tcp')->{an}, 300, 'many records';
is unpack('n', raw(query('noise.example.org', 'A'), 'udp')), 4711,
    'GARBAGE under the right id';
isnt ask('id.example.org', 'A')->{id}, 4711, 'WRONGID';
is length raw(query('short.example.org', 'A'), 'udp'), 7, 'SHORT';
is length raw(query('pointer.example.org', 'A'), 'udp'),
    length(query('pointer.example.org', 'A')) + 16, 'POINTERLOOP';

is $dns->asked('many.example.org', 'A'), 1, 'one question counted';
is $dns->asked('Example.Org', 'TXT'), 2, 'of a type, any case';
is $dns->asked('example.org'), 8, 'of all types';
like +($dns->log)[0], qr/^\d+\.\d+ udp example\.org A -> OK 2$/, 'a log line';
$dns->forget;
is $dns->asked, 0, 'forgotten';

$dns->zone("example.org A 192.0.2.77\n");
is ask('example.org', 'A')->{found}[0]{data}, "\xc0\x00\x02\x4d", 'new zone';
ok !eval { $dns->zone("example.org A nonsense\n"); 1 }, 'a mistake is said';
is ask('example.org', 'A')->{an}, 1, 'and the old zone stays';

raw(substr(query('example.org', 'A'), 0, $_), 'udp', 0.1) for 0, 11, 20;
is ask('example.org', 'A')->{an}, 1, 'lives on after broken questions';

my $pid = $dns->pid;
$dns->stop;
ok !kill(0, $pid), 'stopped';

# A test that dies must not leave a server behind.
my $orphan = qx{$^X -I$FindBin::Bin/lib -MGatehouse::DNS -e '
	my \$d = Gatehouse::DNS->start(zone => "");
	print \$d->pid; \$| = 1; print ""; kill "KILL", \$\$'};
ok $orphan > 0, 'a server whose test was killed';

# In a container nobody may wait for it: then what is left of it is a zombie.
sub runs {
	my ($pid) = @_;
	open my $stat, '<', "/proc/$pid/stat" or return 0;
	return (<$stat> // '') !~ /\) Z /;
}

for (1 .. 40) {
	select undef, undef, undef, 0.1 if runs($orphan);
}
ok !runs($orphan), 'ended by itself';

done_testing;
