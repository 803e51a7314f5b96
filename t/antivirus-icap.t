#!/usr/bin/perl
# ICAP with a real c-icap before a real clamd: both methods, and TLS, where who
# cannot show a certificate is not believed.
use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::More;

use Gatehouse::Process;
use Gatehouse::Scanners;

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $eicar = 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-' .
    'ANTIVIRUS-TEST-FILE!$H+H*';
my $dir = tempdir(CLEANUP => 1);

plan skip_all => 'NOT BUILT: t/antivirus-ask'
    unless -x "$build/t/antivirus-ask";
plan skip_all => 'NO PACKAGE clamav-daemon, or c-icap with virus_scan'
    unless Gatehouse::Scanners->has_clamd && Gatehouse::Scanners->has_icap;
chmod 0755, $dir;
mkdir "$dir/$_" for qw(db run);
put('db/test.ndb', 'Test.Eicar:0:*:' . unpack('H*', $eicar) . "\n");
put('eicar', $eicar);
put('clean', "nobody minds this\n");
put('large', 'x' x 3_000_000);

sub put {
	my ($name, $bytes) = @_;

	open my $f, '>:raw', "$dir/$name" or die "$name: $!";
	print $f $bytes;
	close $f or die "$name: $!";
	return "$dir/$name";
}

# Status, then how each file ended.
sub ask {
	my ($entry, @files) = @_;
	my $pid = open(my $out, '-|') // die "fork: $!";

	if ($pid == 0) {
		open STDERR, '>>', "$dir/err";
		exec "$build/t/antivirus-ask", $entry, 20000,
		    map { "$dir/$_" } @files or POSIX::_exit(127);
	}
	chomp(my @lines = <$out>);
	close $out;
	return @lines;
}

# A certificate of its own for that name; [ file, key ].
sub certificate {
	my ($name, $for) = @_;
	my @files = ("$dir/$name.pem", "$dir/$name.key");

	system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 " .
	    "-subj /CN=test -addext subjectAltName=$for -keyout $files[1] " .
	    "-out $files[0] 2>$dir/openssl") == 0 or die 'openssl';
	return \@files;
}

my $own = certificate('own', 'IP:127.0.0.1');
my $other = certificate('other', 'IP:127.0.0.2');
my $scanners = Gatehouse::Scanners->new(dir => "$dir/run", db => "$dir/db");
my @want = ('infected Test.Eicar.UNOFFICIAL', 'clean ', 'clean ');
my @files = qw(eicar clean large);

$scanners->clamd;
$scanners->icap(tls => $own);

# --- methods ---
# A server whose connections are given to a sub.
sub server {
	my ($behave) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
	    Listen => 20) or die "listen: $!";
	my $port = $listener->sockport;

	return (Gatehouse::Process->start_sub(sub {
		$SIG{CHLD} = 'IGNORE';
		while (1) {
			my $client = $listener->accept or next;
			my $pid = fork() // next;

			next if $pid;
			$behave->($client);
			POSIX::_exit(0);
		}
	}, name => 'a server'), $port);
}

# Stands between and lets the answer to OPTIONS offer what is wanted only; what
# was asked with is written down.
sub pass_on {
	my ($client, $methods) = @_;
	my $server = IO::Socket::INET->new(PeerAddr =>
	    "127.0.0.1:$scanners->{icap_port}") or return;
	my $select = IO::Select->new($client, $server);
	my $first = 1;

	while (my @ready = $select->can_read(20)) {
		for my $from (@ready) {
			sysread $from, my $bytes, 65536 or return;
			note_method($bytes) if $first;
			$first = 0;
			$bytes =~ s/^Methods:.*/Methods: $methods\r/m
			    if $from == $server;
			syswrite $from == $client ? $server : $client, $bytes;
		}
	}
}

sub note_method {
	open my $f, '>>', "$dir/methods" or return;
	print $f "$1\n" if $_[0] =~ /^(\w+)/;
}

for my $method (qw(RESPMOD REQMOD)) {
	my ($p, $port) = server(sub { pass_on($_[0], $method) });

	unlink "$dir/methods";
	my @said = ask("icap:127.0.0.1:$port/virus_scan", @files);
	like shift @said, qr/^up C-ICAP/, "$method: the server";
	is_deeply \@said, \@want, 'its answers';
	open my $f, '<', "$dir/methods" or die;
	my %asked = map { chomp; $_ => 1 } <$f>;
	is_deeply [ sort keys %asked ], [ sort 'OPTIONS', $method ],
	    'asked by that method only';
	$p->stop;
}

# --- TLS ---
my $entry = 'icaps:' . $scanners->icaps_at;
{
	local $ENV{CA} = $own->[0];
	my @said = ask($entry, @files);
	like shift @said, qr/^up C-ICAP/, 'TLS: the server';
	is_deeply \@said, \@want, 'its answers';
}
{
	local $ENV{CA} = $other->[0];
	like join('|', ask($entry, 'clean')), qr/^down .*\|down .*certificate/,
	    'one that nobody trusts is not asked';
}
like join('|', ask($entry, 'clean')), qr/^down .*\|down .*certificate/,
    'nor is one that the system does not know';
my ($plain, $port) = server(sub { syswrite $_[0],
    "ICAP/1.0 400 Bad request\r\n\r\n" });
like join('|', ask("icaps:127.0.0.1:$port/x", 'clean')),
    qr/^down .*\|down /, 'nor one without TLS';
$plain->stop;
$scanners->{icap}->stop;
$scanners->icap(tls => $other);
{
	local $ENV{CA} = $other->[0];
	like join('|', ask('icaps:' . $scanners->icaps_at, 'clean')),
	    qr/^down .*\|down .*certificate/,
	    'nor one whose certificate is for somebody else';
}

done_testing;
