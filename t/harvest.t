#!/usr/bin/perl
# Harvest protection in the daemon, without Postfix: early answers, slowing
# that is bounded and ends with a stop, what is told, the table through
# restarts, kills and damage, gatehouse harvest.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Milter;
use Gatehouse::Process;
use Gatehouse::Suite;

# No DNS here: who is slowed and refused is known before any question.
my %quiet = (spf => 'off', dkim => 'false', dmarc => 'false', arc => 'false',
    iprev => 'false');
my $s = Gatehouse::Suite->new(zone => '', house => {})
    ->milter('auth-check', %quiet, harvest_slow => 3, harvest_refuse => 6,
    harvest_delay => '20ms')->daemons;
my $state = $s->dir . '/state/auth-check';
my $table = "$state/harvest";
my $n = 0;

sub unknown { map { 'nobody' . ++$n . '@gatehouse.test' } 1 .. $_[0] }

# A session that asks for so many unknown recipients, and sends nothing.
sub harvest {
	my ($client, $count, %m) = @_;

	return $s->talk('auth-check', client => $client, rcpt => [],
	    unknown => [ unknown($count) ], %m);
}
sub said { my ($r) = @_; "$r->{stage} $r->{reply}" }
sub mail { said($s->talk('auth-check', client => $_[0], @_[1 .. $#_])) }
sub lines { scalar $s->log->lines(@_) }

# --- what is negotiated ---
my $m = $s->session('auth-check');
ok !($m->{protocol} & Gatehouse::Milter->no_reply($_)), "replies at $_" for
    qw(C M R);
ok $m->{protocol} & Gatehouse::Milter->no_reply($_), "none at $_" for
    qw(H L);
ok $m->{protocol} & Gatehouse::Milter::RCPT_REJ, 'refused recipients';
$m->quit;

# --- a harvester, step by step ---
is said(harvest('192.0.2.1', 2)), 'rcpt continue', 'two are errors';
is lines(qr/rule=harvest/), 0, 'and nothing is told';
is said(harvest('192.0.2.1', 2)), 'rcpt continue', 'four are slowed';
ok $s->log->wait_for(qr/NOQUEUE:\ filter=auth-check,\ event=harvest,
    \ rule=harvest-slow,\ client=client\.test\[192\.0\.2\.1\],
    \ source=192\.0\.2\.1,\ refused=3\.0,\ accepted=0\.0\ \(.*slowed/x, 5),
    'it is told';
is mail('192.0.2.1'), 'end accept', 'mail still passes';
is said(harvest('192.0.2.1', 4)), 'rcpt continue', 'eight are too many';
ok $s->log->wait_for(qr/rule=harvest-refuse,.*until the count has halved/, 5),
    'it is told';
is mail('192.0.2.1'), 'connect 421 4.7.1 too many unknown recipients from ' .
    'your network; try again later', 'refused at CONNECT';
is mail('192.0.2.2'), 'end accept', 'the one beside it is not';
is said(harvest('192.0.2.1', 100)), 'connect 421 4.7.1 too many unknown ' .
    'recipients from your network; try again later', 'no more questions';
is lines(qr/rule=harvest-refuse/), 1, 'told once';
is lines(qr/rule=harvest-slow/), 1, 'and once';

# --- within one session ---
$m = $s->session('auth-check');
my $r = $m->message(client => '198.18.0.1', unknown => [ unknown(8) ],
    rcpt => [ 'us@gatehouse.test', 'you@gatehouse.test' ]);
is said($r), 'rcpt 451 4.7.1 try again later',
    'who is refused does not learn who exists';
is said($m->message(client => '198.18.0.1')), 'mail 421 4.7.1 too many ' .
    'unknown recipients from your network; try again later', 'nor mails';
$m->quit;

# --- whom it never touches ---
is said(harvest('198.51.100.7', 50)), 'rcpt continue', 'our own networks';
is mail('198.51.100.7'), 'end accept', 'send on';
is said(harvest('203.0.113.7', 50, macros => { '{auth_authen}' => 'anna' })),
    'rcpt continue', 'who has logged in';
is mail('203.0.113.7'), 'end accept', 'sends on';
is said(harvest('203.0.113.8', 50, code => $_)), 'rcpt continue',
    "refused with $_" for qw(5.7.1 5.1.8 4.1.1 4.7.1);
is mail('203.0.113.8'), 'end accept', 'is no harvest';
is said(harvest('203.0.113.9', 1, unknown => [ ('same@gatehouse.test') x 50 ])),
    'rcpt continue', 'fifty times the same';
is mail('203.0.113.9'), 'end accept', 'is none either';

# A provider: many good ones, some errors.
$m = $s->session('auth-check');
$m->message(client => '203.0.113.20', rcpt => [ map { "u$_\@gatehouse.test" }
    1 .. 40 ]) for 1 .. 2;
is said($m->message(client => '203.0.113.20', unknown => [ unknown(15) ])),
    'end accept', 'a provider with 15 errors beside 80 good ones';
$m->quit;
is mail('203.0.113.20'), 'end accept', 'is no harvester';

# --- who is refused is no recipient of the message ---
$r = $s->talk('auth-check', client => '203.0.113.21', id => 'MIXED1',
    unknown => [ 'ghost@gatehouse.test' ], rcpt => [ 'us@gatehouse.test' ]);
my ($event) = grep { ($_->{'gatehouse.queue_id'} // '') eq 'MIXED1' }
    Gatehouse::Journal->events($state);
is_deeply $event->{'email.to.address'}, [ 'us@gatehouse.test' ],
    'the journal knows the one who got it';

# --- the journal, explain, list, forget ---
my @told = grep { $_->{'event.action'} eq 'harvest' }
    Gatehouse::Journal->events($state);
is_deeply [ map { "@{$_}{qw(source.ip gatehouse.rule gatehouse.harvest.source)}" }
    @told[0, 1] ], [ '192.0.2.1 harvest-slow 192.0.2.1',
    '192.0.2.1 harvest-refuse 192.0.2.1' ], 'events in the journal';
my ($status, $text) = $s->gatehouse('explain', '--config', $s->conf,
    '192.0.2.1');
is $status, 0, 'gatehouse explain knows the address';
like $text, qr/harvest-refuse.*has asked for \d+ unknown recipients/s, 'and why';
($status, $text) = $s->gatehouse('harvest', 'list', '--config', $s->conf);
is $status, 0, 'gatehouse harvest list';
like $text, qr/^refuse +8\.0 +1\.0 +\d{4}-\S+ +192\.0\.2\.1$/m, 'shows it';
unlike $text, qr/203\.0\.113\.20/, 'but nobody clean';
($status, $text) = $s->gatehouse('harvest', 'list', '--all', '--json',
    '--config', $s->conf);
my %by = map { $_->{source} => $_ } @{ decode_json($text) };
is $by{'192.0.2.1'}{state}, 'refuse', 'as JSON';
is sprintf('%.0f', $by{'203.0.113.20'}{accepted}), 82, 'with everybody';
($status) = $s->gatehouse('harvest', 'forget', '--config', $s->conf,
    '192.0.2.1');
is $status, 0, 'gatehouse harvest forget';
is mail('192.0.2.1'), 'end accept', 'the daemon sees it at once';
($status) = $s->gatehouse('harvest', 'forget', '--config', $s->conf,
    '100.64.0.1');
is $status, 1, 'nobody to forget is said';
($status) = $s->gatehouse('harvest', 'forget', '--config', $s->conf, '300.1');
is $status, 64, 'and so is what is no address';

# --- kills, damage ---
harvest('192.0.2.1', 10);
$s->allow(qr/the last run ended/);
$s->kill_milter('auth-check');
$s->start_milter('auth-check');
like mail('192.0.2.1'), qr/^connect 421 /, 'refused after a kill';
$s->kill_milter('auth-check');
open my $f, '+<', $table or die $!;
print $f 'nonsense';
close $f;
$s->start_milter('auth-check');
ok $s->log->wait_for(qr/harvest: begun anew: it is no table of this version/,
    5), 'a damaged file is begun anew, and that is told';
is mail('192.0.2.1'), 'end accept', 'nobody is guilty';

# --- the guard: an empty recipient map ---
harvest("10.0.$_.1", 1) for 1 .. 60;
$s->allow(qr/warning: harvest: clients of 50 networks.*is a recipient map empty/);
is lines(qr/warning: harvest: clients of 50 networks/), 1,
    'refusals only, from everywhere: our fault, and told';
harvest('10.0.1.1', 50);
is said(harvest('10.0.1.1', 1)), 'rcpt continue', 'nobody is refused for it';
is mail('10.0.2.1'), 'end accept', 'one that is accepted';
is lines(qr/harvest: a recipient was accepted/), 1, 'ends it';

# --- reload: off and on; the table stays ---
harvest('192.0.2.5', 10);
$s->options('auth-check', harvest => 'false');
$s->signal_milter('auth-check', 'USR1');
$s->log->wait_for(qr/configuration reloaded/, 10);
is mail('192.0.2.5'), 'end accept', 'switched off';
$m = $s->session('auth-check');
ok $m->{protocol} & Gatehouse::Milter->no_reply($_), "no reply at $_" for
    qw(C M R);
ok !($m->{protocol} & Gatehouse::Milter::RCPT_REJ), 'nor refused recipients';
$s->log->mark;
$s->options('auth-check', harvest => 'true', harvest_delay => '8s',
    slow_sessions => 3, harvest_refuse => 50);
$s->signal_milter('auth-check', 'USR1');
$s->log->wait_for(qr/configuration reloaded/, 10);
is said($m->message), 'end accept', 'a connection from before is served';
$m->quit;
like mail('192.0.2.5'), qr/^end accept/, 'on again, with another threshold';

# --- no more than slow_sessions wait; a stop lets go of them ---
sub begun {
	my ($client) = @_;
	my $m = $s->session('auth-check');

	$m->_begin(Gatehouse::Milter::_fill($s->_filled(client => $client,
	    rcpt => [], unknown => [ unknown(1) ])));
	# CONNECT, HELO, MAIL and RCPT, without waiting for replies.
	$m->send_raw(join '', map { $_->[1] } @{ $m->{steps} });
	return $m;
}
my @slow = map { begun('192.0.2.5') } 1 .. 3;
# Replies to CONNECT and MAIL; the third does not come.
$_->packet(20) for map { ($_) x 2 } @slow;
my $full = '';
for (1 .. 100) {
	$full = mail('192.0.2.5');
	last if $full =~ /^connect 421/;
	sleep 0.05;
}
is $full, 'connect 421 4.7.1 too busy for a client with unknown recipients; ' .
    'try again later', 'a fourth is refused at once';
is mail('203.0.113.30'), 'end accept', 'others are served';
$s->process('auth-check')->signal('TERM');
is join(' ', map { ($_->packet(20))[0] // 'late' } @slow), 'c c c',
    'a stop ends the waiting';
$_->quit for @slow;
is $s->process('auth-check')->wait(30), 0, 'and the daemon';
$s->_milter('auth-check')->{expected} = 0;

$s->done;
