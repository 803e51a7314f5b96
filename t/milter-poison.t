#!/usr/bin/perl
# T05: a message that kills the daemon is held unread after three crashes. Who
# was only near is cleared by getting through.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new->milter('probe', together => 1)->daemons;
my $state = $s->dir . '/state/probe';
$s->allow(qr/warning: the last run ended with messages under way; \d+ are/,
    qr/error: POISON\d: poison: held without being read/);

my $poison = "Subject: killer\nX-Probe: crash\n\nprobe\n";

sub restart {
	$s->process('probe')->wait;
	$s->start_milter('probe');
}

# How many messages the daemon said at its last start that it watches.
sub watched {
	my @said = $s->log->lines(qr/started:|are watched/);

	return $said[-1] =~ /(\d+) are watched/ ? $1 : 0;
}

sub about { (Gatehouse::Journal->about($state, $_[0]))[-1] // {} }

# Sessions that wait in ask for one that never comes, until they are killed.
sub in_flight {
	my ($n, $message) = @_;
	my @sessions = map { $s->session('probe') } 1 .. $n;

	for my $i (0 .. $#sessions) {
		my $m = $sessions[$i];
		$m->_begin(Gatehouse::Milter::_fill(id => "NEAR$i",
		    message => $message // "Subject: near $i\n\nbody\n"));
		$m->send_raw($m->{out});
		$m->{out} = '';
	}
	return @sessions;
}

# Until so many are in the table: its file tells (common/milter/inflight.c).
sub wait_table {
	my ($want) = @_;
	my ($slots, $slot) = (4096, 40);
	my $end = time + 20;
	my $used;

	do {
		sleep 0.02;
		open my $f, '<:raw', "$state/inflight" or die $!;
		local $/;
		my $table = substr <$f>, -$slots * $slot;
		$used = grep { unpack 'x32 V', substr $table, $_ * $slot,
		    $slot } 0 .. $slots - 1;
	} until $used == $want || time > $end;
	return $used;
}

is $s->talk('probe', message => "Subject: x\n\nx\n")->{reply}, 'accept',
    'all is well';

# --- one message, three crashes, then it is held ---
for my $try (1 .. 3) {
	my $r = $s->talk('probe', message => $poison, id => "POISON$try");
	is $r->{reply}, 'closed', "try $try kills the daemon";
	restart();
	is watched(), 1, 'which finds whom to blame';
	is $s->talk('probe', message => "N: $try\n\nx\n")->{reply}, 'accept',
	    'others pass';
}
for my $try (4 .. 5) {
	my $r = $s->talk('probe', message => $poison, id => "POISON$try");
	is $r->{reply}, 'accept', "try $try is taken";
	ok $r->{quarantine}, 'and held';
	is_deeply [ grep { $_->[0] ne 'quarantine' } @{ $r->{edits} } ], [],
	    'as it came';
	is about("POISON$try")->{'gatehouse.rule'}, 'poison', 'the rule';
	is about("POISON$try")->{'gatehouse.verdict'}, 'quarantine',
	    'the verdict';
	is scalar($s->log->lines(qr/error: POISON$try: poison/)), 1,
	    'one alert';
}
is $s->process('probe')->running, 1, 'the daemon lives';
is $s->talk('probe', message => "$poison.\n")->{reply}, 'closed',
    'another body is another message';
restart();

# --- who was near is watched, and cleared by getting through ---
$s->options('probe', together => 1000)->signal_milter('probe', 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/), 'all wait in ask now';
my @near = in_flight(9);
is wait_table(9), 9, 'nine messages under way';
$s->kill_milter('probe');
$s->options('probe', together => 1);
$s->start_milter('probe');
is watched(), 11, 'all nine are watched, and the two of before';
is $s->talk('probe', message => "Subject: near $_\n\nbody\n")->{reply},
    'accept', "message $_ gets through" for 0 .. 8;
$s->stop_milter('probe');
$s->start_milter('probe');
is watched(), 2, 'and is cleared';

# --- the same bytes in many sessions are one message: one crash, one blame ---
$s->options('probe', together => 1000)->signal_milter('probe', 'USR1');
$s->log->mark;
sleep 0.3;
@near = in_flight(5, "Subject: copies\n\nbody\n");
is wait_table(5), 5, 'five copies under way';
$s->kill_milter('probe');
$s->options('probe', together => 1);
$s->start_milter('probe');
my $r = $s->talk('probe', message => "Subject: copies\n\nbody\n");
is $r->{quarantine}, undef, 'one crash makes no poison of copies';
is $r->{reply}, 'accept', 'they get through';

# --- a stop is no crash: whoever is cut off is not blamed ---
$s->options('probe', together => 1000, drain => '500ms');
$s->signal_milter('probe', 'USR1');
sleep 0.3;
$s->allow(qr/warning: stopped with \d+ messages under way/);
for (1 .. 3) {
	@near = in_flight(2);
	is wait_table(2), 2, 'two under way';
	is $s->process('probe')->stop, 0, 'stopped as asked';
	$s->start_milter('probe');
	is watched(), 2, 'nobody new is blamed';
}

$s->done;
