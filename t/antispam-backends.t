#!/usr/bin/perl
# Other filters by the milter protocol: the real Rspamd and spamd of Debian, and
# servers that are slow, cut their answer, say ten megabytes, or nonsense.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

use Gatehouse::Milter;
use Gatehouse::Process;
use Gatehouse::SpamPeers;
use Gatehouse::Suite;

my $us = 'us@gatehouse.test';
my $s = Gatehouse::Suite->new(house => { domains => [ 'gatehouse.test' ] });
my $dir = $s->dir;
my $fake = "$dir/fake.sock";
my %options = (model => "$FindBin::Bin/../milters/antispam/antispam.model",
    backend_timeout => '400ms', act_at => 101, tag_at => 101,
    outbound_at => 101, backend_required => 'false', backend_size => '512k');

# --- a server that does what the file "mode" says ---
my $listener = IO::Socket::UNIX->new(Local => $fake, Listen => 50) or die $!;
chmod 0666, $fake;
my $server = Gatehouse::Process->start_sub(\&serve, name => 'fake');

sub put {
	my ($path, $text) = @_;

	open my $f, '>', "$path.$$" or die "$path: $!";
	print $f $text;
	close $f or die $!;
	rename "$path.$$", $path or die $!;
}

sub slurp {
	open my $f, '<:raw', $_[0] or return '';
	local $/;
	return scalar <$f> // '';
}

sub serve {
	$SIG{CHLD} = 'IGNORE';
	while (my $c = $listener->accept) {
		next if fork;
		local $SIG{PIPE} = 'IGNORE';
		one($c);
		POSIX::_exit(0);
	}
}

sub one {
	my ($c) = @_;
	my $in = '';

	while (sysread $c, $in, 65536, length $in) {
		my ($head, $body) = $in =~ /^(.*?)\r\n\r\n(.*)/s or next;
		last if length $body >=
		    ($head =~ /^content-length: (\d+)/mi)[0];
	}
	put("$dir/request", $in);
	my $mode = slurp("$dir/mode");
	my $spamd = $in =~ /^REPORT /;
	my ($score) = $mode =~ /^score (\S+)/ ? $1 : 20;
	my $body = $spamd ? "Report\n---- ----\n 3.5 FAKE_RULE x\n" :
	    qq({"score":$score,"symbols":{"FAKE_ONE":{"score":4}}});
	$body = '{"score":' if $mode eq 'nonsense';
	$body = 'x' x 10_000_000 if $mode eq 'huge';
	my $status = $mode eq 'error' ? '500 Oh' : '200 OK';
	my $answer = $spamd ? "SPAMD/1.1 0 EX_OK\r\nContent-length: " .
	    length($body) . "\r\nSpam: True ; $score / 5.0\r\n\r\n$body" :
	    "HTTP/1.1 $status\r\nContent-Length: " . length($body) .
	    "\r\nConnection: close\r\n\r\n$body";
	$answer = "SPAMD/1.1 76 EX_PROTOCOL\r\n\r\n"
	    if $spamd && $mode =~ /^(?:error|nonsense)/;
	sleep 3 if $mode eq 'silent';
	$answer = substr $answer, 0, 40 if $mode eq 'cut';
	if ($mode eq 'drip') {
		for (split //, $answer) {
			syswrite $c, $_ or last;
			sleep 0.2;
		}
	}
	while (length $answer && $mode ne 'hangup') {
		my $n = syswrite($c, $answer) // last;
		substr $answer, 0, $n, '';
	}
}

my $n = 100;			# of three digits: alike to the classifier
my $with;

# A daemon with these back ends.
sub with {
	my (%more) = @_;

	$with = $more{backends};
	$s->log->mark;
	$s->options('antispam', %options, %more);
	$s->stop_milter('antispam') if $s->process('antispam');
	$s->start_milter('antispam');
}

sub go {
	my (%m) = @_;

	$n++;
	$s->log->mark;
	my $r = $s->talk('antispam', from => 'x@plain.test', rcpt => [ $us ],
	    helo => 'mx.plain.test', client => '203.0.113.7', message =>
	    "From: <a\@plain.test>\nTo: $us\nSubject: number $n\n\n" .
	    "Hello, this is a letter.\n", %m);
	my ($field) = ($r->{message} // '') =~
	    /^X-Gatehouse-Spam:((?:.*\n(?:[ \t].*\n)*))/m;
	$r->{why} = join ' ', split ' ', ($field // '') =~ s/\r?\n//gr;
	($r->{percent}) = $r->{why} =~ /^(\d+) %/;
	$r->{line} = $s->log->wait_for(
	    qr/gatehouse-antispam\[\d+\]: \w+: verdict=/, 20) // '';
	return $r;
}

put("$dir/mode", 'ok');
$s->milter('antispam', %options)->daemons;
my $alone = go()->{percent};

# --- what a good answer does, and what was asked ---
for my $kind ('rspamd', 'spamd') {
	my $symbol = $kind eq 'rspamd' ? 'FAKE_ONE' : 'FAKE_RULE';

	put("$dir/mode", 'ok');
	with(backends => [ "$kind:$fake" ]);
	my $r = go();
	like $r->{why}, qr/$kind:_$symbol \+3\.0/, "$kind: its symbols";
	cmp_ok $r->{percent}, '>', $alone + 30, 'its score counts';
	my $asked = slurp("$dir/request");
	like $asked, qr/\r\n\r\n.*Subject: number $n\r\n\r\nHello, this is/s,
	    'it was given the message';
	like $asked, $kind eq 'rspamd' ? qr/^IP: 203\.0\.113\.7\r\n/m :
	    qr/^Received: from mx\.plain\.test \(client\.test \[203\.0\.113\.7\]\)/m,
	    'and the client';
	like $asked, $kind eq 'rspamd' ? qr/^Host: localhost\r\n/m :
	    qr/^Return-Path: <x\@plain\.test>\r\n/m, 'in its own way';
	go(macros => { '{auth_authen}' => 'me' });
	like slurp("$dir/request"), $kind eq 'rspamd' ? qr/^User: me\r\n/m :
	    qr/ with ESMTPA id /, 'or who has authenticated: mail goes out';

	put("$dir/mode", 'score -20');
	cmp_ok go()->{percent}, '<', $alone, 'ham for it is less likely spam';

	# --- and bad ones ---
	for my $mode (qw(cut huge nonsense error hangup), 'score NaN',
	    'score 1e99') {
		put("$dir/mode", $mode);
		$r = go();
		is $r->{reply}, 'accept', "$kind: $mode: mail goes on";
		is $r->{percent}, $alone, 'judged without it';
		like $r->{line}, qr/no answer: $kind\)/, 'the log says so';
	}
	for my $mode (qw(silent drip)) {
		put("$dir/mode", $mode);
		like go()->{line}, qr/no answer: $kind\)/, "$kind: $mode";
	}
	# Who asks may be back before the third silence is counted.
	put("$dir/mode", 'silent');
	go() for 1 .. 2;
	unlink "$dir/request";
	$r = go();
	is slurp("$dir/request"), '', 'who is silent is not asked for a while';
	is $r->{percent}, $alone, 'nor believed';
	with(backends => [ "$kind:$fake" ], backend_required => 'true');
	is go()->{reply} =~ /^451 4\./, 1, "$kind: required, and silent: 451";
	put("$dir/mode", 'ok');
	is go()->{reply}, 'accept', 'and there again';
}

# --- several, limits ---
with(backends => [ "rspamd:$fake", "second=rspamd:$fake",
    "third=spamd:$dir/nobody" ]);
my $r = go();
like $r->{why}, qr/rspamd:_FAKE_ONE \+1\.5.*second:_FAKE_ONE \+1\.5/,
    'two share their weight';
like $r->{line}, qr/no answer: third\)/, 'one that is away is named';
with(backends => [ "rspamd:$fake" ], backend_size => '1000');
unlink "$dir/request";
go(message => "From: <a\@plain.test>\nSubject: x\n\n" . "line\n" x 500);
is slurp("$dir/request"), '', 'what is too long is not sent';
# Many messages at once, each with its answer, by few connections.
with(backends => [ "rspamd:$fake", "spamd:$fake" ], backend_connections => 3,
    backend_timeout => '60s');
my @all = Gatehouse::Milter->burst($s->socket_path('antispam'), 60, sub {
	return (from => 'x@plain.test', rcpt => [ $us ], client =>
	    '203.0.113.7', message => "Subject: many $_[0]\n\nA letter.\n");
});
is scalar(grep { ($_->{message} // '') =~ /rspamd:_FAKE_ONE/ &&
    $_->{message} =~ /spamd:_FAKE_RULE/ } @all), 60,
    'sixty at once, six connections';
$s->allow(qr/warning: backend (?:rspamd|spamd|third): no answer/);
$server->stop;

# --- the real ones ---
my $peers = Gatehouse::SpamPeers->new;
my $gtube = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-' .
    'EMAIL*C.34X';
SKIP: {
	skip 'NOT INSTALLED: rspamd and spamd', 1 unless
	    $peers->has_rspamd && $peers->has_spamd;
	$peers->rspamd;
	$peers->spamd;
	$options{backend_timeout} = '60s';
	for my $place ('socket', 'port') {
		my %at = map { my $get = "${_}_$place"; ($_ => $place eq 'port' ?
		    '127.0.0.1:' . $peers->$get : $peers->$get) }
		    qw(rspamd spamd);

		with(backends => [ map { "$_:$at{$_}" } sort keys %at ]);
		my $ham = go();
		unlike $ham->{line}, qr/no answer/, "$place: both answer";
		my $spam = go(message => "From: <a\@plain.test>\nTo: $us\n" .
		    "Subject: number $n\n\n$gtube\n");
		unlike $spam->{line}, qr/no answer/, "$place: both answer";
		like $spam->{why}, qr/rspamd:_(?:GTUBE|15\.0_points) \+\d/,
		    'Rspamd knows spam';
		like $spam->{why}, qr/spamd:_GTUBE\S* \+\d/, 'and SpamAssassin';
		cmp_ok $spam->{percent}, '>', $ham->{percent} + 40,
		    'so the number is another one';
	}
	my $away = $peers->{rspamd};
	$away->stop;
	my $gone = go();
	like $gone->{line}, qr/no answer: rspamd\)/, 'Rspamd goes';
	$peers->rspamd;
	unlike go()->{line}, qr/no answer/, 'and comes back';
	$peers->stop;
}
$s->done;
