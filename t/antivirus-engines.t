#!/usr/bin/perl
# Engines, one at a time: a real clamd and a real c-icap, servers that
# misbehave, and commands that do. What gives no answer is never clean.
use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

use Gatehouse::Process;
use Gatehouse::Scanners;

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $eicar = 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-' .
    'ANTIVIRUS-TEST-FILE!$H+H*';
my $dir = tempdir(CLEANUP => 1);

plan skip_all => 'NOT BUILT: t/antivirus-ask'
    unless -x "$build/t/antivirus-ask";
chmod 0755, $dir;
mkdir "$dir/$_" for qw(db run);
put('db/test.ndb', 'Test.Eicar:0:*:' . unpack('H*', $eicar) . "\n");
put('eicar', $eicar);
put('clean', "nobody minds this\n");
put('empty', '');
put('large', 'x' x 3_000_000);

sub put {
	my ($name, $bytes) = @_;

	open my $f, '>:raw', "$dir/$name" or die "$name: $!";
	print $f $bytes;
	close $f or die "$name: $!";
	return "$dir/$name";
}

# What that engine says of the files: the first word of each line, or all.
sub ask {
	my ($entry, $timeout, @files) = @_;
	my $pid = open(my $out, '-|') // die "fork: $!";

	if ($pid == 0) {
		open STDERR, '>>', "$dir/err";
		exec "$build/t/antivirus-ask", $entry, $timeout,
		    map { $_ eq 'test' ? $_ : "$dir/$_" } @files or
		    POSIX::_exit(127);
	}
	chomp(my @lines = <$out>);
	close $out;
	return @lines;
}

sub ends { map { (split)[0] } ask(@_) }

# --- the real ones ---
my $scanners = Gatehouse::Scanners->new(dir => "$dir/run", db => "$dir/db");
SKIP: {
	skip 'NO PACKAGE clamav-daemon', 1
	    unless $scanners->clamd(StreamMaxLength => '1M');
	for my $entry ('clamd:' . $scanners->socket,
	    'clamd-stream:' . $scanners->socket,
	    'clamd:127.0.0.1:' . $scanners->port) {
		my @said = ask($entry, 20000, qw(eicar clean empty test));

		like shift @said, qr/^up ClamAV [\d.]+/, "$entry: its version";
		is_deeply \@said, [ 'infected Test.Eicar.UNOFFICIAL',
		    'clean ', 'clean ', 'passed' ], 'and its answers';
	}
	is_deeply [ ends('clamd-stream:' . $scanners->socket, 20000,
	    'large') ], [ 'up', 'cut' ], 'its limit for streams is told';
	is_deeply [ ends('clamd:' . $scanners->socket, 20000, 'large') ],
	    [ 'up', 'clean' ], 'a descriptor has no such limit';
	{
		local $ENV{LIMIT} = 2_000_000;
		is_deeply [ ask('clamd:' . $scanners->socket, 20000,
		    'large') ]->[1], 'cut larger than it takes',
		    'but ours counts';
	}
	SKIP: {
		skip 'NO PACKAGE c-icap with virus_scan', 1
		    unless $scanners->icap;
		my $entry = 'icap:' . $scanners->icap_at;
		my @said = ask($entry, 20000, qw(eicar clean large empty test));

		like shift @said, qr/^up C-ICAP/, 'c-icap: its version';
		is_deeply \@said, [ 'infected Test.Eicar.UNOFFICIAL',
		    'clean ', 'clean ', 'clean ', 'passed' ],
		    'and its answers';
		is_deeply [ ends("${entry}_no", 20000, 'clean') ],
		    [ 'down', 'down' ], 'a service that it does not have';
		$scanners->{icap}->stop;
	}
	# T24: stopped, it lets everybody wait; the connection is taken.
	$scanners->{clamd}->signal('STOP');
	is_deeply [ ends('clamd:' . $scanners->socket, 200, 'clean') ],
	    [ 'down', 'down' ], 'a clamd that hangs is down, not clean';
	$scanners->{clamd}->signal('CONT');
	is_deeply [ ends('clamd:' . $scanners->socket, 20000, 'eicar') ],
	    [ 'up', 'infected' ], 'and is back';
	$scanners->{clamd}->kill_now;
	is_deeply [ ends('clamd:' . $scanners->socket, 20000, 'clean') ],
	    [ 'down', 'down' ], 'killed, it is down';
}

# --- servers that misbehave ---
# A server whose connections are given to a sub, with what came first.
sub fake {
	my ($behave) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
	    Listen => 20) or die "listen: $!";
	my $port = $listener->sockport;
	my $p = Gatehouse::Process->start_sub(sub {
		$SIG{CHLD} = 'IGNORE';
		while (1) {
			my $c = $listener->accept or next;
			my $pid = fork() // next;

			next if $pid;
			sysread $c, my $first, 65536;
			$behave->($c, $first // '');
			POSIX::_exit(0);
		}
	}, name => 'fake scanner');

	return ($p, $port);
}

sub wait_until_it_hangs_up { 1 while sysread $_[0], my $rest, 65536 }

# A connection that is closed while bytes of it are unread resets: read all.
sub last_words {
	my ($c, $bytes) = @_;

	syswrite $c, $bytes;
	shutdown $c, 1;
	wait_until_it_hangs_up($c);
}

my $options = "ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nService: Fake\r\n" .
    "ISTag: \"1\"\r\nEncapsulated: null-body=0\r\n\r\n";
my %said = (
	garbage => [ "\x00\xff\x7f nonsense\n\0", "nonsense\r\n\r\n" ],
	'half an answer' => [ 'stream: O', "ICAP/1.0 204 No" ],
	nothing => [ '', '' ],
	busy => [ "Server is busy ERROR\0",
	    "ICAP/1.0 503 Service overloaded\r\n\r\n" ],
	'a flood' => [ 'x' x 100_000, "ICAP/1.0 204 x\r\n" .
	    "A: b\r\n" x 20_000 ],
);

for my $what (sort keys %said) {
	my ($clamd, $icap) = @{ $said{$what} };
	my ($p, $port) = fake(sub { last_words($_[0], $clamd) });

	is_deeply [ (ends("clamd:127.0.0.1:$port", 5000, 'clean'))[1] ],
	    [ 'down' ], "clamd says $what: no answer";
	$p->stop;
	# To OPTIONS it answers well, so it is about the item.
	($p, $port) = fake(sub { last_words($_[0], $_[1] =~ /^OPTIONS/ ?
	    $options : $icap) });
	is_deeply [ (ends("icap:127.0.0.1:$port/x", 5000, 'clean'))[1] ],
	    [ 'down' ], "an ICAP server says $what: no answer";
	$p->stop;
}

# It takes its time for an item only: the item's fault. Or for all: its own.
for my $alive (1, 0) {
	my ($p, $port) = fake(sub {
		my ($c, $first) = @_;

		last_words($c, "PONG\0") if $alive && $first =~ /PING/;
		last_words($c, "ClamAV 1\0") if $first =~ /VERSION/;
		wait_until_it_hangs_up($c);
	});

	is_deeply [ ends("clamd:127.0.0.1:$port", 200, 'clean') ],
	    [ 'up', $alive ? 'timeout' : 'down' ], $alive ?
	    'clamd is slow for one item' : 'clamd is a black hole';
	$p->stop;
	($p, $port) = fake(sub {
		my ($c, $first) = @_;

		last_words($c, $options) if $alive && $first =~ /^OPTIONS/;
		wait_until_it_hangs_up($c);
	});
	local $ENV{DEADLINE} = 600;
	is_deeply [ (ends("icap:127.0.0.1:$port/x", 200, 'clean'))[1] ],
	    [ $alive ? 'timeout' : 'down' ], $alive ?
	    'ICAP is slow for one item' : 'ICAP is a black hole';
	$p->stop;
}

# T05: one item ends it each time. It is not asked for ever.
{
	my ($p, $port) = fake(sub {
		my ($c, $first) = @_;

		sysread $c, $first, 65536, length $first
		    while $first !~ /VERSION|\0\0\0\0\z/;
		return last_words($c, "ClamAV 1\0") if $first =~ /VERSION/;
		return last_words($c, "stream: OK\0")
		    if $first !~ /nobody minds/;
		open my $f, '>>', "$dir/ended";
		print $f 'x';
	});

	is_deeply [ ends("clamd:127.0.0.1:$port", 5000, qw(clean clean clean
	    clean eicar)) ], [ qw(up down down crashed crashed clean) ],
	    'the third time the item is to blame, others are not';
	is -s "$dir/ended", 3, 'and it is not given to it again';
	$p->stop;
}

# It answers 200 with what it got, as one that knows no 204 does.
{
	my ($p, $port) = fake(sub {
		my ($c, $first) = @_;

		return last_words($c, $options) if $first =~ /^OPTIONS/;
		sysread $c, $first, 65536, length $first
		    while $first !~ /\r\n0\r\n\r\n\z/;
		my ($item) = $first =~ /\r\n\r\n([0-9a-f]+\r\n.*)\z/s;
		my $head = "HTTP/1.1 200 OK\r\n\r\n";

		$item =~ s/mi/mI/ if $first =~ /this/ && -e "$dir/change";
		last_words($c, "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, " .
		    'res-body=' . length($head) . "\r\n\r\n$head$item");
	});

	is_deeply [ ends("icap:127.0.0.1:$port/x", 5000, 'clean') ],
	    [ 'up', 'clean' ], 'the same bytes: clean';
	put('change', '');
	is_deeply [ ask("icap:127.0.0.1:$port/x", 5000, 'clean') ]->[1],
	    'infected unnamed, changed', 'others: not';
	$p->stop;
}

is_deeply [ ends('clamd:127.0.0.1:1', 5000, 'clean') ], [ 'down', 'down' ],
    'refused';
is_deeply [ ends('icap:127.0.0.1:1/x', 5000, 'clean') ],
    [ 'down', 'down' ], 'refused by no ICAP server either';

# --- commands ---
sub command {
	my ($name, $text) = @_;
	my $path = put($name, "#!/bin/sh\n$text\n");

	chmod 0755, $path;
	return "command:$path";
}

my $grep = command('grep', 'grep -q EICAR && { echo "Eicar, says grep"; ' .
    'echo more; exit 1; }; exit 0');
is_deeply [ ask($grep, 5000, qw(eicar clean large test)) ],
    [ "up $dir/grep newest=0", 'infected Eicar, says grep', 'clean ',
    'clean ', 'passed' ], 'a command that greps';
my @commands = (
	'exit 2' => 'refused it cannot read that',
	'exit 3' => 'down it ended with status 3',
	'kill -9 $$' => 'down it died of signal 9',
	'exit 1' => 'infected unnamed',
	'printf "a\033[1m\nb"; exit 1' => 'infected a\x1b[1m',
	'head -c 9999999 /dev/zero | tr "\0" n; exit 1' =>
	    'infected ' . 'n' x 200,
	'sleep 30' => 'timeout it took too long',
	'sleep 30 & exit 0' => 'clean ',
	# All that it is given.
	'[ "$1" = file ] && [ "$(env | grep -v "^PWD=\|^_=\|^SHLVL=")" = ' .
	    'PATH=/usr/local/bin:/usr/bin:/bin ] && [ "$(pwd)" = / ] && ' .
	    '[ "$(ls -l /proc/$$/fd | grep -c pipe)" = 2 ] && exit 0; exit 5' =>
	    'clean ',
);
my $n = 0;
while (my ($text, $want) = splice @commands, 0, 2) {
	my @said = ask(command('c' . ++$n, $text), $text =~ /^sleep 30$/ ?
	    300 : 10000, 'clean');

	is $said[1], $want, $text;
}
# What a late one started ends with it.
my $family = command('family', "echo \$\$ > $dir/pid; sleep 40 & " .
    "echo \$! >> $dir/pid; wait");
is_deeply [ ends($family, 500, 'clean') ], [ 'up', 'timeout' ],
    'one with a child is late';
open my $f, '<', "$dir/pid" or die;
for my $pid (map { 0 + $_ } <$f>) {
	for (1 .. 500) { sleep 0.02 if kill 0, $pid }
	ok !kill(0, $pid), 'it is gone';
}
like join("\n", ask('command:/nonexistent', 1000, 'clean')),
    qr/^not opened: engine command: .*No such file/, 'there is none';

done_testing;
