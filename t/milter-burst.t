#!/usr/bin/perl
# Many sessions at once: none waits for another, those over the cap are turned
# away, and neither refusals nor a shortage of descriptors stop the daemon.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Milter;
use Gatehouse::Suite;

use constant SESSIONS => 500;

# A program of ours with fewer descriptors than it would like.
sub with_descriptors {
	my ($s, $n) = @_;
	my $path = $s->dir . '/few';

	open my $f, '>', $path or die $!;
	print $f "#!/bin/sh\nexec prlimit --nofile=$n -- " .
	    Gatehouse::Suite::build() . '/t/gatehouse-probe "$@"' . "\n";
	close $f;
	chmod 0755, $path;
	return $path;
}

# Connections that got through the negotiation, and how many did not.
sub open_many {
	my ($s, $n) = @_;
	my @open = map { eval { $s->session('probe') } // () } 1 .. $n;

	return (\@open, $n - @open);
}

sub wait_threads {
	my ($s, $most) = @_;
	my $end = time + 20;

	sleep 0.05 while $s->usage('probe')->{threads} > $most &&
	    time < $end;
	return $s->usage('probe')->{threads};
}

# --- each waits in ask until all are there; then 200 ms more ---
my $s = Gatehouse::Suite->new->milter('probe', together => SESSIONS,
    delay => '200ms', deadline => '120s')->daemons;
my @got = Gatehouse::Milter->burst($s->socket_path('probe'), SESSIONS, sub {
	return (message => "Subject: $_[0]\n\nbody\n", id => "BURST$_[0]");
}, timeout => 200);
is scalar(grep { $_->{reply} eq 'accept' } @got), SESSIONS,
    SESSIONS . ' sessions accepted';
my @events = Gatehouse::Journal->events($s->dir . '/state/probe');
is scalar(grep { $_->{'gatehouse.probe.together'} == SESSIONS } @events),
    SESSIONS, 'all were in ask at the same time';
is scalar(grep { $_->{'event.duration_ms'} >= 200 } @events), SESSIONS,
    'and each was blocked for 200 ms';
my %ids = map { $_->{'gatehouse.id'} => 1 } @events;
is scalar keys %ids, SESSIONS, 'each with an identity of its own';
wait_threads($s, 20);
cmp_ok $s->usage('probe')->{fds}, '<', 40, 'all descriptors are back';
$s->finish;

# --- the cap ---
$s = Gatehouse::Suite->new->milter('probe', sessions => 20)->daemons;
$s->allow(qr/warning: a session was turned away: \d+ are open, the limit is 20/);
my ($open, $refused) = open_many($s, 50);
is scalar @$open, 20, 'as many sessions as are allowed';
is $refused, 30, 'the others are turned away';
is $open->[$_]->message->{reply}, 'accept', "session $_ is served"
    for 0, 10, 19;
(undef, $refused) = open_many($s, 300);
is $refused, 300, 'three hundred refusals in a row';
is $open->[5]->message->{reply}, 'accept', 'disturb nobody';
ok scalar($s->log->lines(qr/turned away/)), 'the log says so';
cmp_ok scalar($s->log->lines(qr/turned away/)), '<', 20, 'but not each time';
$_->quit for @$open;
wait_threads($s, 10);
is $s->talk('probe')->{reply}, 'accept', 'and there is room again';
$s->finish;

# --- descriptors for 100 ---
$s = Gatehouse::Suite->new;
$s->milter('probe', sessions => 1000, -program => with_descriptors($s, 100));
$s->allow(qr/warning: a session was turned away/,
    qr/warning: sessions = 1000 .* descriptors/);
$s->daemons;
($open, $refused) = open_many($s, 150);
cmp_ok scalar @$open, '>', 20, scalar(@$open) . ' sessions fit';
cmp_ok $refused, '>', 50, 'the others are turned away';
is $_->message(message => "A: b\n\n" . 'x' x 300_000 . "\n")->{reply},
    'accept', 'each can hold a large message' for $open->[0], $open->[-1];
open_many($s, 100);
is $s->process('probe')->running, 1, 'the daemon lives';
$_->quit for @$open;
wait_threads($s, 10);
is $s->talk('probe')->{reply}, 'accept', 'and serves the next';
$s->done;
