#!/usr/bin/perl
# T03: a milter killed at each write of its edits: what got a 250 arrives whole
# and edited, what did not does not arrive, and no queue file is corrupt.
# T08: a filter that outlasts its deadline, or Postfix's patience, answers 451
# itself, and nothing of what it decided is done.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Process;
use Gatehouse::Suite;

# The daemon, or the daemon killed at its n-th writev(2) (libmilter's way to
# put out a packet): what the file `when` says.
my $s = Gatehouse::Suite->new;
my $program = Gatehouse::Suite::build() . '/t/gatehouse-probe';
my $wrapper = $s->dir . '/killed';
my $when = $s->dir . '/when';

sub put {
	my ($path, $text) = @_;

	open my $f, '>', $path or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
}

put($wrapper, <<"END");
#!/bin/sh
n=\$(cat $when)
[ "\$n" = 0 ] && exec $program "\$@"
exec strace -D -f -qq -o /dev/null -e trace=writev \\
	-e inject=writev:signal=KILL:when=\$n $program "\$@"
END
chmod 0755, $wrapper;
put($when, 0);
$s->milter('probe', -program => -x $program ? $wrapper : $program,
    deadline => '20s');
$s->postfix;
$s->allow(qr/postfix.*warning: .*[mM]ilter/,
    qr/warning: the last run ended with messages under way/);

my $text = "a probe that is changed\n" x 12_000;
my $changed = ($text =~ s/probe/PROBE!/gr) =~ s/\n/\r\n/gr;

# Sends a message with all kinds of edits; its answer.
sub edited {
	my ($subject, %m) = @_;

	return $s->send(subject => $subject, body => $text, header =>
	    "X-Probe: body append insert change delete sender\n" .
	    "X-Change: a\nX-Delete: b\n", %m);
}

# Is it whole, with each edit in it?
sub whole {
	my ($mail) = @_;
	my ($head, $body) = split /\r\n\r\n/, $mail->{bytes}, 2;

	return $body eq $changed && $head =~ /^X-Inserted: by probe\r/m &&
	    $head =~ /^X-Appended: by probe$/m && $head !~ /X-Delete/ &&
	    $head =~ /^X-Change: changed\r\n\tand folded\r/m &&
	    $mail->{mail} =~ /^<probe\@example\.net>/;
}

# What arrived and what Postfix keeps, after it had its time.
my ($sent, $came) = (0, 0);
sub settled {
	my ($got) = @_;

	$sent++ if $got =~ /^250 /;
	$s->sink->wait_count($sent, 20);
	sleep 0.2;
	my @mail = $s->sink->rest;
	$came += @mail;
	is $came, $sent, 'what got a 250 arrived, and nothing else';
	is scalar(grep { !whole($_) } @mail), 0, 'whole';
	is_deeply [ $s->pf->corrupt ], [], 'no corrupt queue file';
}

like edited('control'), qr/^250 /, 'all is well';
settled('250 ');

# --- T03: at each write ---
SKIP: {
	diag 'NOT TESTED: killed at each write; that needs strace'
	    unless -x '/usr/bin/strace';
	skip 'no strace', 1 unless -x '/usr/bin/strace';
	my ($deferred, $taken, $n) = (0, 0, 0);

	while ($taken < 2 && ++$n < 60) {
		$s->kill_milter('probe');
		put($when, $n);
		$s->start_milter('probe');
		my $got = edited("killed at $n");
		like $got, qr/^(250|451) /, "killed at write $n: " .
		    substr $got, 0, 3;
		settled($got);
		$got =~ /^250/ ? $taken++ : $deferred++;
	}
	cmp_ok $deferred, '>', 10, "killed in the middle of $deferred writes";
	is $taken, 2, 'until there were no more of them';
	put($when, 0);
	$s->kill_milter('probe');
	$s->start_milter('probe');
}

# --- and at any time of a large one ---
$text x= 20;
$changed x= 20;
for my $round (1 .. 8) {
	my $pid = $s->process('probe')->pid;
	my $killer = Gatehouse::Process->start_sub(sub {
		$s->pf->log->mark->wait_for(qr/postfix\/cleanup/, 5);
		sleep rand 0.15;
		kill 'KILL', $pid;
	});
	my $got = edited("round $round");
	$killer->wait;
	like $got, qr/^(250|451) /, 'killed at some time: ' . substr $got, 0, 3;
	settled($got);
	$s->process('probe')->wait;
	$s->start_milter('probe');
}
like edited('after all that'), qr/^250 /, 'all is well again';
settled('250 ');

# --- T08 ---
my $state = $s->dir . '/state/probe';
$s->options('probe', deadline => '1s')->signal_milter('probe', 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/), 'a deadline of 1 s';
for my $word ('late body append sender', 'late hold', 'late recipient') {
	$_->mark for $s->log, $s->pf->log;
	like $s->send(header => "X-Probe: $word\n"), qr/^451 4\.\d\.\d /,
	    "$word: 451";
	ok $s->log->wait_for(
	    qr/verdict=tempfail, rule=trouble.*\(deadline passed\)/, 5),
	    'it is ours';
	is_deeply [ $s->pf->log->since_mark(qr/warning: milter/) ], [],
	    'Postfix did not have to give up';
}
is_deeply [ $s->pf->queue ], [], 'nothing is queued or held';
is $s->sink->count, $came, 'nothing arrived';
is scalar(grep { $_->{'gatehouse.verdict'} ne 'tempfail' }
    (Gatehouse::Journal->events($state))[-3 .. -1]), 0,
    'the journal says what came of it';

# --- slower than Postfix's patience, faster than its own deadline ---
$s->log->mark;
$s->options('probe', deadline => '25s', delay => '4s');
$s->signal_milter('probe', 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/, 20), 'a slow filter';
$s->pf->set(milter_content_timeout => '2s');
$s->pf->reload;
$s->log->mark;
like edited('too slow for Postfix'), qr/^451 /, 'Postfix gives up: 451';
like $s->log->wait_for(qr/verdict=/, 20) // '', qr/verdict=tempfail/,
    'the edits did not reach it, and the log says so';
sleep 1;
is_deeply [ $s->pf->queue ], [], 'nothing is queued';
is $s->sink->count, $came, 'nothing arrived';
$s->log->mark;
$s->options('probe', delay => '0ms')->signal_milter('probe', 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/, 20), 'a quick one';
$s->pf->set(milter_content_timeout => '30s');
$s->pf->reload;
sleep 0.5;
like edited('at last'), qr/^250 /, 'the next one is taken';
settled('250 ');

$s->done;
