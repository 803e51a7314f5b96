#!/usr/bin/perl
# Events for a SIEM: file, syslog and HTTP, with servers that refuse, are black
# holes, hang up, or speak nonsense (T18). What waited is sent afterwards; each
# event has an id, and comes twice only where an answer was lost.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP ();
use POSIX qw(strftime);
use Socket qw(SOCK_DGRAM);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Process;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $dir = $s->dir;
my $build = Gatehouse::Suite::build();
my $maillog = "$dir/mail.log";
my $json = JSON::PP->new->utf8;
my $n = 0;

sub put {
	my ($file, $text) = @_;

	open my $f, '>', "$file.new" or die "$file: $!";
	print $f $text;
	close $f;
	rename "$file.new", $file;
}

sub slurp {
	my ($file) = @_;

	open my $f, '<:raw', $file or return '';
	local $/;
	return scalar(<$f>) // '';
}

# One delivery each; its queue id.
sub deliver {
	my ($to) = @_;
	my $id = sprintf 'AAAA%04d', ++$n;
	my $head = strftime('%Y-%m-%dT%H:%M:%S', gmtime) .
	    '.5+00:00 mx postfix';

	open my $f, '>>:raw', $maillog or die $!;
	syswrite $f, "$head/qmgr[7]: $id: from=<a\@b.test>, size=10, nrcpt=1 " .
	    "(queue active)\n$head/smtp[6]: $id: to=<$to>, " .
	    'relay=m[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, ' .
	    "status=sent (250 ok)\n$head/qmgr[7]: $id: removed\n";
	close $f;
	return $id;
}

sub server {
	my ($name, @args) = @_;

	make_path("$dir/$name");
	my $p = Gatehouse::Process->start(name => $name, say => 1,
	    argv => [ "$build/t/http-sink", "$dir/$name", @args ],
	    log => "$dir/$name/log");
	my ($port) = $p->said =~ /(\d+)/;
	return $port;
}

sub mode { put("$dir/http/mode", $_[0]) }

# Events that a file holds, one a line, when that queue id is among them.
sub wait_for {
	my ($file, $id, $seconds) = @_;
	my $end = time + ($seconds // 20);

	sleep 0.02 until index(slurp($file), $id) >= 0 || time > $end;
	return map { $json->decode($_) } grep { /\S/ } split /\n/,
	    slurp($file);
}

sub ids { map { $_->{'gatehouse.queue_id'} } @_ }

my $http = server('http');
make_path("$dir/state/probe");
put($maillog, '');
put("$dir/token", "secret-token\n");
chmod 0600, "$dir/token";
my $unix = IO::Socket::UNIX->new(Local => "$dir/log.sock",
    Type => SOCK_DGRAM) or die $!;
$s->service('track', maillogs => [ $maillog ], siem_timeout => '300ms',
    siem_file => "$dir/events.json", siem_syslog => "unix:$dir/log.sock",
    siem_http => "http://127.0.0.1:$http/events?x=y",
    siem_token => "$dir/token", siem_spool => '64k',
    siem_events => [ qw(av-in quarantine policy fate) ])->daemons;

# --- each sink ------------------------------------------------------------

my $id = deliver('one@out.test');
my ($event) = wait_for("$dir/events.json", $id);
is $event->{'gatehouse.fate'}, 'sent', 'file: the fate';
is_deeply $event->{'email.to.address'}, [ 'one@out.test' ], 'of whom';
is_deeply $event->{'gatehouse.classes'}, [ 'fate' ], 'its class';
like $event->{'event.id'}, qr/^[0-9a-f]{32}$/, 'its id';
my ($posted) = wait_for("$dir/http/body", $id);
is $posted->{'event.id'}, $event->{'event.id'}, 'HTTP: the same event';
my $head = slurp("$dir/http/head");
like $head, qr{^POST /events\?x=y HTTP/1\.1\r\nHost: 127\.0\.0\.1:$http\r\n},
    'posted where it should be';
like $head, qr/^Authorization: Bearer secret-token\r$/m, 'with the token';
$unix->recv(my $line, 65536);
like $line, qr/^<22>1 [\d\-]+T[\d:.]+Z \S+ gatehouse-track \d+ event - \{/,
    'syslog: RFC 5424';
like $line, qr/"event\.id":"$event->{'event.id'}"/, 'the same event';

# A sink that goes holds nobody up.
$s->options('track', siem_syslog => '');
$s->signal_milter('track', 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/), 'reloaded without syslog';
close $unix;

# --- what the switch lets through -----------------------------------------

sub found {
	my ($id, %more) = @_;

	open my $f, '>>:raw', "$dir/state/probe/journal.json" or die $!;
	syswrite $f, $json->encode({ '@timestamp' =>
	    strftime('%Y-%m-%dT%H:%M:%SZ', gmtime),
	    'event.action' => 'message', 'event.module' => 'probe',
	    'gatehouse.queue_id' => $id, 'gatehouse.verdict' => 'accept',
	    'network.direction' => 'inbound', %more }) . "\n";
}

found('BBBB0001');
found('BBBB0002', 'gatehouse.verdict' => 'reject');
found('BBBB0003', 'gatehouse.virus' => 'Eicar', 'gatehouse.verdict' =>
    'quarantine');
found('BBBB0004', 'gatehouse.virus' => 'Eicar', 'network.direction' =>
    'outbound');
my %class = map { $_->{'gatehouse.queue_id'} =>
    join ' ', @{ $_->{'gatehouse.classes'} } } wait_for("$dir/events.json",
    'BBBB0003');
delete $class{$id};
is_deeply \%class, { BBBB0002 => 'policy inbound',
    BBBB0003 => 'av-in quarantine inbound' },
    'only the classes that are wanted';

# --- servers in trouble ---------------------------------------------------

$s->allow(qr/siem_http: .*events wait/, qr/an event is refused for good/);
for my $mode ('status 503', 'garbage', 'silent', 'endless', 'status 401') {
	mode($mode);
	$s->log->mark;
	my $late = deliver("late\@out.test");
	ok $s->log->wait_for(qr/siem_http: .*events wait/), "$mode: told";
	my ($there) = grep { $_->{'gatehouse.queue_id'} eq $late }
	    wait_for("$dir/events.json", $late);
	ok $there, 'other sinks do not wait';
	mode('ok');
	my @all = wait_for("$dir/http/body", $late);
	is scalar(grep { $_ eq $late } ids(@all)), 1, 'sent afterwards, once';
	ok $s->log->wait_for(qr/siem_http: events are taken again/),
	    'told too';
}
mode('lost');
$id = deliver('twice@out.test');
wait_for("$dir/http/body", $id);
mode('close');
my $end = time + 20;
my @twice;
do { @twice = grep { $_->{'gatehouse.queue_id'} eq $id }
    wait_for("$dir/http/body", $id); sleep 0.05 }
    while (time < $end && @twice < 2);
cmp_ok scalar(@twice), '>=', 2, 'the answer was lost: sent again';
is scalar(keys %{ { map { $_->{'event.id'} => 1 } @twice } }), 1,
    'under the same id';
mode('chunked');
$id = deliver('chunked@out.test');
is scalar(grep { $_ eq $id } ids(wait_for("$dir/http/body", $id))), 1,
    'an answer in chunks';

# One event that the server does not want does not stop the others.
mode('refuse poison');
$s->log->mark;
deliver('before@out.test');
deliver('poison@out.test');
$id = deliver('after@out.test');
my @all = wait_for("$dir/http/body", $id);
ok $s->log->wait_for(qr/an event is refused for good/), 'refused: told';
my @to = map { $_->{'email.to.address'}[0] // '' } @all;
is scalar(grep { /before|after/ } @to), 2, 'the others arrive';
is scalar(grep { /poison/ } @to), 0,
    'and it does not';

# --- kills, and a spool that is full --------------------------------------

mode('status 503');
my @wait = map { deliver("kill\@out.test") } 1 .. 10;
wait_for("$dir/events.json", $wait[-1]);
$s->kill_milter('track');
mode('ok');
$s->start_milter('track');
my %times;
$times{$_}++ for ids(wait_for("$dir/http/body", $wait[-1]));
is_deeply [ map { $times{$_} // 0 } @wait ], [ (1) x 10 ],
    'killed while they waited: all are sent, once';
my %in_file;
$in_file{ $_->{'event.id'} }++ for wait_for("$dir/events.json", $wait[-1]);
is scalar(grep { $_ > 2 } values %in_file), 0,
    'in the file twice at most, under the same id';

$s->allow(qr/the spool is over siem_spool/);
mode('status 503');
$s->log->mark;
deliver("full$_\@out.test") for 1 .. 250;
ok $s->log->wait_for(qr/siem_http:[ ]the[ ]spool[ ]is[ ]over[ ]siem_spool;
    [ ]the[ ]\d+[ ]oldest[ ]events[ ]are[ ]dropped/x),
    'a full spool: the oldest go, and that is told';
mode('ok');
my @kept = wait_for("$dir/http/body", 'full250@out.test');
ok !grep({ ($_->{'email.to.address'}[0] // '') eq 'full1@out.test' } @kept),
    'the oldest are gone';
is scalar(grep { ($_->{'email.to.address'}[0] // '') =~ /^full250@/ } @kept),
    1, 'the newest is there';

# --- TLS ------------------------------------------------------------------

my $openssl = system("openssl req -x509 -newkey ec -pkeyopt " .
    "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost " .
    "-addext subjectAltName=DNS:localhost -keyout $dir/key.pem " .
    "-out $dir/cert.pem 2>/dev/null");
SKIP: {
	skip 'openssl(1) cannot make a certificate', 4 if $openssl != 0;
	my $port = server('tls', "$dir/cert.pem", "$dir/key.pem");
	my $try = sub {
		my (%options) = @_;

		$s->stop_milter('track');
		$s->options('track', siem_syslog => '', siem_file => '',
		    siem_format => 'cef', %options);
		$s->log->mark;
		$s->start_milter('track');
		return deliver('tls@out.test');
	};

	$try->(siem_http => "https://127.0.0.1:$port/", siem_ca =>
	    "$dir/cert.pem");
	ok $s->log->wait_for(qr/siem_http: .*certificate: (?:IP|host)/i),
	    'a certificate for another name: refused';
	$try->(siem_http => "https://localhost:$port/", siem_ca => '');
	ok $s->log->wait_for(qr/siem_http: .*certificate: self.signed/i),
	    'one that nobody trusts: refused';
	is slurp("$dir/tls/body"), '', 'nothing was sent to either';
	my $last = $try->(siem_http => "https://localhost:$port/",
	    siem_ca => "$dir/cert.pem");
	my $until = time + 20;
	sleep 0.02 until slurp("$dir/tls/body") =~ /$last/ || time > $until;
	like slurp("$dir/tls/body"), qr/^CEF:0\|Gatehouse\|gatehouse\|[^|]+\|
	    fate\|message[ ]sent\|1\|rt=\d+[ ]externalId=[0-9a-f]{32}[ ]
	    act=sent[ ].*suser=a\@b\.test[ ]duser=tls\@out\.test[ ]
	    .*cs1=$last/mx,
	    'the right one: CEF over TLS';
}

# --- syslog over TCP, and a reload ----------------------------------------

my $raw = server('raw');
put("$dir/raw/mode", 'raw');
$s->options('track', siem_http => '', siem_format => 'ecs',
    siem_syslog => "tcp:127.0.0.1:$raw");
$s->log->mark;
$s->signal_milter('track', 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/), 'reloaded';
$id = deliver('tcp@out.test');
$end = time + 20;
sleep 0.02 until slurp("$dir/raw/body") =~ /$id/ || time > $end;
my ($rest, @lines) = slurp("$dir/raw/body");
push @lines, substr $rest, 0, $1, '' while $rest =~ s/^(\d+) //;
is $rest, '', 'TCP: octets are counted';
like $lines[-1], qr/^<22>1 .*$id.*\}$/, 'and make a line';

$s->options('track', siem_http => 'ftp://x/');
$s->allow(qr/configuration not reloaded/);
$s->log->mark;
$s->signal_milter('track', 'USR1');
ok $s->log->wait_for(qr/not reloaded.*siem_http is .*ftp:\/\/x\/.*; it wants/),
    'a wrong address is told, and the old set stays';

$s->done;
