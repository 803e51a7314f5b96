#!/usr/bin/perl
# T30: a stop waits for the messages under way, lets go of idle sessions, cuts
# off who takes too long, and leaves nothing that hinders the next start.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Milter;
use Gatehouse::Process;
use Gatehouse::Suite;

use constant { BUSY => 50, IDLE => 20 };

my $s = Gatehouse::Suite->new->milter('probe', together => BUSY + 1,
    deadline => '9s', drain => '30s')->daemons;
my $state = $s->dir . '/state/probe';
my $path = $s->socket_path('probe');

# A session whose message waits in ask; its answer is read later.
sub begun {
	my (%m) = @_;
	my $session = $s->session('probe');

	$session->_begin(Gatehouse::Milter::_fill($s->_filled(%m)));
	$session->send_raw($session->{out});
	$session->{out} = '';
	return $session;
}

sub wait_for {
	my ($seconds, $what) = @_;
	my $end = time + $seconds;

	sleep 0.02 until $what->() || time > $end;
	return $what->();
}

sub in_ask { scalar grep { 1 } glob "/proc/$_[0]/task/*" }

# All of them are in ask (each has its thread), and then the signal comes.
my @idle = map { $s->session('probe') } 1 .. IDLE;
is $idle[0]->message(timeout => 20)->{reply}, 'accept', 'an idle session that had a message before';
my @busy = map { begun(id => "BUSY$_", subject => $_,
    header => "X-Probe: body append\n", body => "a probe\n") } 1 .. BUSY;
sleep 0.5;
my $half = $s->session('probe');
$half->send_raw(Gatehouse::Milter::frame('M', "<a\@b>\0"));
my $process = $s->process('probe');
$process->signal('TERM');

ok wait_for(12, sub { !-e $path }), 'the socket is gone';
is eval { $s->session('probe'); 1 }, undef, 'nobody new is served';
$_->{timeout} = 1 for @idle;
is scalar(grep { !defined $_->packet(8) && !$_->{silent} } @idle), IDLE,
    'idle sessions are let go';
is $process->running, 1, 'while it waits for the others';
my @got = Gatehouse::Milter::_run(30, @busy);
is scalar(grep { $_->{reply} eq 'accept' } @got), BUSY,
    'all end-of-messages are answered';
is scalar(grep { $_->{message} =~ /\r\n\r\na PROBE!\r\n\z/ &&
    $s->fields($_->{message}, 'X-Appended') == 1 } @got), BUSY,
    'with all their edits';
ok !$half->message(timeout => 10, header => "X-Probe: append\n")->{edits}[1],
    'a transaction that was open may go on';
$half->quit;
is $process->wait(30), 0, 'then it ends';
is scalar($s->log->lines(qr/warning:/)), 0, 'without a complaint';
is scalar(grep { $_->{'gatehouse.queue_id'} =~ /^BUSY/ }
    Gatehouse::Journal->events($state)), BUSY, 'each is in the journal';

# --- at once again ---
$s->options('probe', together => 0);
$s->start_milter('probe');
is $s->talk('probe')->{reply}, 'accept', 'starts again at once';

# --- one who takes too long ---
$s->options('probe', together => 1000, drain => '1s', deadline => '60s');
$s->signal_milter('probe', 'USR1');
$s->log->wait_for(qr/configuration reloaded/);
@busy = map { begun() } 1 .. 3;
sleep 0.3;
$s->allow(qr/warning: stopped with 3 messages under way; their clients/);
is $s->process('probe')->stop, 0, 'stopped while three are stuck';
ok scalar($s->log->lines(qr/warning: stopped with 3 messages under way/)),
    'and says so';
is $_->{reply}, 'closed', 'cut off: Postfix says 451'
    for Gatehouse::Milter::_run(5, @busy);
ok !-e $path, 'no socket';

# --- half a command does not hold it up ---
$s->options('probe', together => 0, drain => '20s');
$s->start_milter('probe');
my $torn = $s->session('probe');
$torn->send_raw("\0\0");
sleep 0.3;
my $start = time;
is $s->process('probe')->stop, 0, 'stopped';
cmp_ok time - $start, '<', 15, 'half a command is nothing to wait for';

# --- two of them on one state ---
$s->start_milter('probe');
my $err = $s->dir . '/second';
my $second = Gatehouse::Process->start(name => 'second', log => $err,
    argv => [ $s->_milter('probe')->{program}, '--config',
    $s->conf . '/probe.conf', '--house', $s->conf . '/gatehouse.conf',
    '--socket', $path ]);
is $second->wait(20) >> 8, 78, 'a second daemon ends with EX_CONFIG';
my ($said) = Gatehouse::Log->new($err)->lines;
is $said, "gatehouse-probe: $state/inflight: another process of this " .
    'milter runs; stop it first', 'and says why';
$s->allow(qr/fatal: \S*inflight: another process of this milter runs/);
is $s->talk('probe')->{reply}, 'accept', 'the first is undisturbed';
$s->kill_milter('probe');
$s->start_milter('probe');
is $s->talk('probe')->{reply}, 'accept', 'a killed one leaves no lock';

# --- a stop under load: answered or cut off, never half ---
sub load {
	my ($me) = @_;
	my $odd = '';

	until (-e $s->dir . '/enough') {
		my $m = eval { $s->session('probe') } or next;
		my $r = eval { $m->message($s->_filled(body => "a probe\n",
		    header => "X-Probe: body append\n")) } // next;
		$odd .= "$r->{reply}\n" unless $r->{reply} =~
		    /^(accept|closed|451 .*)$/;
		$odd .= "half\n" if $r->{reply} eq 'accept' &&
		    $r->{message} !~ /X-Appended.*PROBE!/s;
	}
	open my $f, '>', $s->dir . "/load.$me";
	print $f "$odd.\n";
	close $f;
}

my @load = map { my $me = $_;
    Gatehouse::Process->start_sub(sub { load($me) }) } 1 .. 4;
my @status;
for (1 .. 5) {
	sleep 0.5;
	push @status, $s->process('probe')->stop;
	$s->start_milter('probe');
}
open my $f, '>', $s->dir . '/enough';
close $f;
$_->wait(60) for @load;
is "@status", '0 0 0 0 0', 'stopped five times under load';
is join('', map { Gatehouse::Log->new($s->dir . "/load.$_")->lines }
    1 .. 4), '....', 'each message answered whole, or its connection closed';

$s->done;
