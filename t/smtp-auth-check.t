#!/usr/bin/perl
# auth-check the whole way: a client, Postfix, the milter, DNS, the sink.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);

use Gatehouse::Suite;

my $zone = <<'END';
pass.test	TXT	"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all exp=why.pass.test"
why.pass.test	TXT	"%{i} is a stranger to %{d}"
soft.test	TXT	"v=spf1 ~all"
neutral.test	TXT	"v=spf1 ?all"
helo.test	TXT	"v=spf1 ip4:192.0.2.1 -all"
broken.test	TXT	"v=spf1 nonsense:x -all"
servfail.test	TXT	SERVFAIL
silent.test	TXT	SILENT
END
my %options = (spf_fail => 'reject', spf_softfail => 'tag',
    spf_permerror => 'tempfail', spf_temperror => 'accept');
my $s = Gatehouse::Suite->new(zone => $zone,
    house => { resolver_timeout => '1s' })->milter('auth-check', %options);
$s->postfix(services => [ { name => 'strangers',
    milters => [ 'unix:gatehouse/auth-check/sock' ],
    options => { smtpd_authorized_xclient_hosts => '' } } ]);

# Sends; the answer, and what arrived if it was taken.
sub go {
	my (%m) = @_;
	my $answer = $s->send(%m);

	return ($answer, $answer =~ /^250/ ? $s->sink->next(30) : undef);
}

sub result { join '|', $s->fields($_[0]{bytes}, 'Authentication-Results') }

# --- each result, by sender and client ---
for (
	[ 'pass', 'a@pass.test', '192.0.2.1', qr/^250 / ],
	[ 'pass', 'a@pass.test', '2001:db8::1', qr/^250 / ],
	[ 'softfail', 'a@soft.test', '192.0.2.1', qr/^250 / ],
	[ 'neutral', 'a@neutral.test', '192.0.2.1', qr/^250 / ],
	[ 'none', 'a@none.test', '192.0.2.1', qr/^250 / ],
	[ 'temperror', 'a@servfail.test', '192.0.2.1', qr/^250 / ],
	[ 'fail', 'a@pass.test', '203.0.113.5', 
	    qr/^550 5\.7\.23 .*pass\.test.*\.5 is a stranger to pass\.test/ ],
	[ 'permerror', 'a@broken.test', '192.0.2.1', qr/^4\d\d 4\.7\.\d+ / ],
) {
	my ($want, $from, $client, $said) = @$_;
	$s->log->mark;
	my ($answer, $mail) = go(from => $from, client => $client);

	like $answer, $said, "$want: $from from $client";
	like result($mail), qr/^mx\.gatehouse\.test;\s+spf=$want\b[^|]*
	    smtp\.mailfrom=\Q$from\E/x, 'the field says so' if $mail;
	my $line = $s->log->wait_for(qr/gatehouse-auth-check\[\d+\]:\ \w+:\ .*
	    \bfrom=<\Q$from\E>.*\bspf=$want\b/x, 5);
	ok $line, 'the log says so';
	like $line, qr/\]: \Q@{[ $s->queue_id($answer) ]}\E: verdict=accept, /,
	    'under its queue id' if $mail;
	is_deeply [ map { s/ .*//r } $s->fields($mail->{bytes},
	    'X-Gatehouse-Tag') ], [ $want eq 'softfail' ? 'spf-softfail' :
	    () ], 'tagged as it should' if $mail;
}
my ($answer, $mail) = go(from => '', helo => 'helo.test',
    client => '192.0.2.1');
like result($mail), qr/spf=pass [^|]*smtp\.helo=helo\.test/, 'null sender';
my $start = time;
($answer, $mail) = go(from => 'a@silent.test');
like result($mail), qr/spf=temperror/, 'silence is a temperror';
cmp_ok time - $start, '<', 5, 'in time';

# --- who says that he is somebody else is believed where Postfix is told so ---
my $x = $s->connection(client => '192.0.2.1', service => 'strangers');
like $x->ehlo, qr/^5\d\d /, "a stranger's XCLIENT is refused";
my $own = Gatehouse::Smtp->new(port => $s->pf->port('strangers'),
    helo => 'client.test');
like $s->send(on => $own, from => 'a@pass.test'),
    qr/^550 .*127\.0\.0\.1 is a stranger/, 'and counts for nothing';
$_->close for $x, $own;

# --- forged results go, others stay, the rest is as it came ---
my @mine = ('Authentication-Results: mx.gatehouse.test; dmarc=pass',
    "AUTHENTICATION-results:\r\n\tMX.Gatehouse.Test;\r\n spf=pass",
    'Authentication-Results: mx.gatehouse.test 1; none');
my @others = ('Authentication-Results: other.test; spf=fail',
    'Authentication-Results: mx.gatehouse.test.other.test; dkim=pass');
my $message = join "\r\n", 'Received: from x by y; Sun, 22 Nov 2026 10:00:00' .
    ' +0000', @mine[0, 1], $others[0], "Subject:no space", 'X-Tab:	tab',
    "X-Fold: a\r\n  b\r\n\tc", $mine[2], $others[1],
    'From: "a b" <a@pass.test>', 'To: us@gatehouse.test',
    'Date: Sun, 22 Nov 2026 10:00:00 +0000', 'Message-ID: <forged@pass.test>',
    '', 'body with trailing space ', '.', '..', "8 bit: \xe4\xf6\xfc",
    'x' x 2000, '', '', '';
($answer, $mail) = go(from => 'a@pass.test', message => $message);
my @results = $s->fields($mail->{bytes}, 'Authentication-Results');
is scalar @results, 3, 'three results are left';
like $results[0], qr/^mx\.gatehouse\.test;\s+spf=pass/, 'ours on top';
my $want = $message;
$want =~ s/\Q$_\E\r\n// for @mine;
my $got = $mail->{bytes};
$got =~ s/\AAuthentication-Results:.*?\r\n(?![ \t])//s;
$got = $s->without_received($got);
ok $got eq $want, 'and all else is byte for byte as it came' or
    diag explain [ $got, $want ];

# --- no signature: the body is not asked for, and arrives all the same ---
my $long = join '', map { "line $_ of a long body\r\n" } 1 .. 12000;
for my $signed (0, 1) {
	$s->log->mark;
	($answer, $mail) = go(from => 'a@pass.test', client => '192.0.2.1',
	    message => ($signed ? "DKIM-Signature: v=1; a=b\r\n" : '') .
	    "From: a\@pass.test\r\nSubject: long\r\n\r\n$long");
	like $answer, qr/^250 /, 'a long message';
	ok $mail->{bytes} =~ /\r\n\r\n\Q$long\E\z/, 'arrives whole';
	my $line = $s->log->wait_for(qr/from=<a\@pass\.test>/, 5);
	$signed ? like($line, qr/, size=\d{6},/, 'signed: read') :
	    unlike($line, qr/, size=/, 'unsigned: not read');
}

# --- several messages on a connection, opposite verdicts (T07) ---
my $c = $s->connection(client => '203.0.113.5');
my @answers = map { $s->send(on => $c, from => $_) =~ s/ .*//sr }
    'a@pass.test', 'a@soft.test', 'a@pass.test', 'a@none.test';
is "@answers", '550 250 550 250', 'each by its own sender';
$c->quit;
my @mail = map { $s->sink->next(20) } 1 .. 2;
is_deeply { map { $_->{mail} =~ /^<(.*)>/, result($_) =~ /spf=(\w+)/ } @mail },
    { 'a@soft.test' => 'softfail', 'a@none.test' => 'none' },
    'and its own result';

# --- dead: deferred, and explained afterwards ---
$s->kill_milter('auth-check');
like $s->send(from => 'a@pass.test', client => '192.0.2.1'), qr/^451 /,
    'deferred when it is dead';
$s->allow(qr/postfix.*warning: .*[mM]ilter/, qr/the last run ended/);
$s->start_milter('auth-check');
$answer = $s->send(from => 'a@pass.test', client => '192.0.2.1');
like $answer, qr/^250 /, 'taken when it is back';
my ($status, $text) = $s->gatehouse('explain', '--config', $s->conf,
    $s->queue_id($answer));
is $status, 0, 'gatehouse explain knows it';
like $text, qr/spf-pass/, 'and says why';

# --- another policy, by reload ---
$s->options('auth-check', spf_fail => 'tag', spf_softfail => 'reject');
$s->signal_milter('auth-check', 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/, 5), 'reloaded';
($answer, $mail) = go(from => 'a@pass.test', client => '203.0.113.5');
$mail = $s->sink->next(20) if $mail && result($mail) =~ /spf=pass/;
like result($mail), qr/spf=fail/, 'fail is tagged now';
like +($s->fields($mail->{bytes}, 'X-Gatehouse-Tag'))[0], qr/^spf-fail/, 'tag';
like $s->send(from => 'a@soft.test'), qr/^550 /, 'softfail refused now';
$s->options('auth-check', spf_fail => 'maybe');
$s->signal_milter('auth-check', 'USR1');
ok $s->log->wait_for(
    qr/error: configuration not reloaded.*auth-check\.conf:\d+:/, 5), 'a broken file is refused with its line';
like $s->send(from => 'a@soft.test'), qr/^550 /, 'and the old one stays';
$s->allow(qr/error: configuration not reloaded/);

$s->done;
