#!/usr/bin/perl
# gatehouse doctor and gatehouse spam lists --check on DNS lists and back ends:
# each finding provoked once, with a DNS server of the test's own.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use JSON::PP ();
use Test::More;

use Gatehouse::Doctor;
use Gatehouse::Process;
use Gatehouse::Suite;

plan skip_all => 'doctor wants root' if $> != 0;

my $zone = <<'END';
2.0.0.127.ip.list	A	127.0.0.2
test.dom.list		A	127.0.0.2
2.0.0.127.url.list	A	127.0.0.14
2.0.0.127.refused.list	A	127.255.255.254
2.0.0.127.sold.list	A	192.0.2.1
2.0.0.127.mute.list	A	SILENT
*.all.list		A	127.0.0.2
2.0.0.127.itself.list	A	127.0.0.2
1.0.0.127.itself.list	A	127.0.0.1
END
my $s = Gatehouse::Suite->new(zone => $zone, house => {
    domains => [ 'gatehouse.test' ], resolver_timeout => '300ms' });
my $conf = $s->conf;
$s->house;
open my $log, '>>', $s->log->path or die $!;	# none is made under /dev
mkdir $s->dir . '/postfix';
for ('main.cf', 'master.cf') {
	open my $f, '>', $s->dir . "/postfix/$_" or die $!;
}
my $doctor = Gatehouse::Doctor->new($s, postfix_dir => $s->dir . '/postfix');

sub conf {
	my (%o) = @_;

	open my $f, '>', "$conf/antispam.conf" or die $!;
	print $f "$_ = [ " . join(', ', map { "\"$_\"" } @{ $o{$_} }) . " ];\n"
	    for sort keys %o;
	close $f or die $!;
}

$doctor->well('spam');
conf(dns_lists => [ 'ip.list ip 2', 'dom.list from 2', 'url.list url 2',
    'url.list helo 1' ]);
$doctor->well('spam');
for ([ refuses => 'refused.list ip 1', qr/refused\.list refuses our/ ],
    [ mute => 'mute.list ip 1', qr/mute\.list gives no answer/ ],
    [ sold => 'sold.list ip 1', qr/outside 127\/8/ ],
    [ broken => 'nothing.list ip 1', qr/nothing\.list does not have/ ],
    [ all => 'all.list from 1', qr/all\.list lists everything/ ],
    [ refuses => 'itself.list ip 1', qr/itself\.list refuses our/ ]) {
	my ($kind, $entry, $says) = @$_;

	conf(dns_lists => [ 'ip.list ip 2', $entry ]);
	$doctor->finds("spam.$kind", $entry, says => $says);
	my ($status, $text) = $s->gatehouse('spam', 'lists', '--check',
	    '--config', $conf);
	is $status, 1, 'spam lists --check says so too';
	like $text, qr/^ip      \+2\.0  ip\.list: works$/m, 'and who is well';
	like $text, qr/^\S+ +\+1\.0  \S+: (?!works)/m, 'and who is not';
}
my ($status, $text) = $s->gatehouse('spam', 'lists', '--json', '--config',
    $conf);
is $status, 0, 'without --check nobody is asked';
is JSON::PP::decode_json($text)->[0]{zone}, 'ip.list', 'the entries as JSON';

# --- back ends ---
my $path = $s->dir . '/fake.sock';
conf(backends => [ "rspamd:$path" ]);
$doctor->finds('spam.backend', 'a back end that is not there',
    says => qr/rspamd does not answer/);
my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die $!;
my $server = Gatehouse::Process->start_sub(sub {
	while (my $c = $listener->accept) {
		sysread $c, my $in, 1000;
		syswrite $c, $in =~ /^GET \/ping / ?
		    "HTTP/1.0 200 OK\r\n\r\npong\r\n" : $in =~ /^PING / ?
		    "SPAMD/1.5 0 PONG\r\n" : "no\r\n";
	}
}, name => 'fake');
$doctor->well('spam');
conf(backends => [ "spamd:$path" ]);
$doctor->well('spam');
$doctor->provoked('spam');
$server->stop;
$s->done;
