#!/usr/bin/perl
# T12: each write, sync, rename, open and close of the holding path fails once:
# 451, nothing half-done is left, and the message is held when it comes again.
# T13: the daemon is killed at each of its system calls; the sender comes again:
# held for the one and delivered to the other, each exactly once. T14: file
# synced, named, folder synced, and only then the first edit goes out.
#
# ./check runs a part of each sweep; GATEHOUSE_FULL all of them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Log;
use Gatehouse::Process;
use Gatehouse::Store;
use Gatehouse::Suite;

plan skip_all => 'NO strace here' unless grep { -x "$_/strace" }
    split /:/, $ENV{PATH};

my $full = $ENV{GATEHOUSE_FULL};
my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
$s->milter('probe', deadline => '20s')->daemons;
$s->allow(qr/warning: the last run ended with messages under way/,
    qr/warning: \S+: cannot be held: /,
    qr/warning: \S+: cannot write to the spool/,
    qr/warning: (?:log lines|journal events) lost/);
my ($one, $two) = map { "$_\@gatehouse.test" } qw(one two);
my $n = 0;

# Attached to the daemon, with these options; returns when it is.
sub strace {
	my (@options) = @_;
	my $trace = $s->dir . '/log/trace.' . ++$n;
	my $err = "$trace.err";
	my $p = Gatehouse::Process->start(name => 'strace', log => $err,
	    argv => [ 'strace', '-f', '-y', '-s', '40', '-o', $trace,
	    '-p', $s->process('probe')->pid, @options ]);

	Gatehouse::Log->new($err)->wait_for(qr/attached/, 20)
	    or BAIL_OUT("strace: $err");
	return ($p, $trace);
}

sub traced {
	my ($trace) = @_;

	open my $f, '<', $trace or return;
	return <$f>;
}

# One message, a new one for each name: held for two, goes on to one.
sub message {
	my ($name, $words) = @_;

	return (rcpt => [ $one, $two ], id => "4F$name", message =>
	    "X-Probe: $words append\nSubject: $name\n\nprobe\n" . "x" x 70_000 .
	    "\n");
}

my %words = (mixed => "hold:$two:spam", all => 'hold cause:spam',
    deleted => 'discard cause:spam');

# How it must end; $r is the answer to the last attempt.
sub well_done {
	my ($what, $kind, $r, $more) = @_;
	my @o = $store->objects;

	is $r->{reply}, $kind eq 'mixed' ? 'accept' : 'discard',
	    "$what: done when it comes again";
	is_deeply $r->{rcpt}, [ $one ], "$what: the one gets it"
	    if $kind eq 'mixed';
	is scalar(@o), 1, "$what: one object";
	is_deeply $o[0]{recipients}, $kind eq 'mixed' ? [ $two ] :
	    [ $one, $two ], "$what: for those whom it is held for";
}

# --- T14 ---
my ($p, $trace) = strace('-e', 'trace=openat,write,writev,fsync,fchmod,' .
    'renameat2,linkat');
my $r = $s->talk('probe', message('order', $words{mixed}));
is $r->{reply}, 'accept', 'a message for the order of calls';
$p->stop;
my $in = quotemeta $store->dir;
my @events;
for (traced($trace)) {
	push @events, "write" if /write\(\d+<$in\/\.[0-9a-f.]+>/;
	push @events, 'fsync file' if /fsync\(\d+<$in\/\.[0-9a-f.]+>\) += 0/;
	push @events, 'rename' if /renameat2\(.*RENAME_NOREPLACE\) += 0/;
	push @events, 'fsync folder' if /fsync\(\d+<$in>\) += 0/;
	# The packet "-": a recipient goes; what else goes to the socket.
	push @events, 'edit' if /writev\(\d+<(?:socket|UNIX)/;
}
shift @events;				# the answer to the negotiation
my @order = map { $_ && $events[$_] eq $events[$_ - 1] ? () : $events[$_] }
    0 .. $#events;
is join(', ', @order), 'write, fsync file, rename, fsync folder, edit',
    'written, synced, named, folder synced, and only then an edit';
$store->clear;

# --- T12 ---
sub fault {
	my ($call, $error, $when, $kind) = @_;
	my $what = "$call $when: $error, $kind";

	my ($p, $trace) = strace('-e', "trace=$call", '-e',
	    "inject=$call:error=$error:when=$when");
	my @m = message("$kind-$call-$error-$when", $words{$kind});
	my $r = $s->talk('probe', @m);
	$p->stop;
	my $hit = grep { /INJECTED/ } traced($trace);
	if ($r->{reply} =~ /^451 /) {
		is_deeply $r->{edits}, [], "$what: 451, nothing edited";
	} else {
		ok $r->{reply} eq ($kind eq 'mixed' ? 'accept' : 'discard'),
		    "$what: or done all the same ($r->{reply})";
		is scalar(my @o = $store->objects), 1, "$what: with an object"
	}
	is_deeply [ $store->strays ], [], "$what: nothing half-done is left"
	    unless $call eq 'unlinkat';
	well_done($what, $kind, $s->talk('probe', @m));
	$store->clear;
	return $hit;
}

my @faults = $full ? ((map { [ $_, 'EIO' ], [ $_, 'ENOSPC' ],
    [ $_, 'EDQUOT' ] } qw(write fsync renameat2 openat close fchmod)),
    [ 'openat', 'EROFS' ], [ 'openat', 'EMFILE' ], [ 'renameat2', 'EINVAL' ],
    [ 'getrandom', 'EAGAIN' ]) :
    ([ 'fsync', 'EIO' ], [ 'write', 'ENOSPC' ], [ 'renameat2', 'EDQUOT' ]);
for my $fault (@faults) {
	for my $kind ($full ? sort keys %words : 'mixed') {
		my $when = 0;

		1 while fault(@$fault, ++$when, $kind) && $when < 40;
		cmp_ok $when, '>', 1, "@$fault, $kind: was reached";
	}
}
# A file system that has no rename without replacing: link and unlink.
unless ($full) {
	my $hit = fault('renameat2', 'EINVAL', 1, 'all');
	ok $hit, 'link(2) instead of rename';
}

# An edit that does not reach Postfix, after the object is durable: whoever
# looks for it finds why, and it is merged when the message comes again.
{
	# The first packet is the answer to the negotiation.
	my ($p) = strace('-e', 'trace=writev', '-e',
	    'inject=writev:error=EPIPE:when=2');
	my @m = message('edit-lost', $words{mixed});
	my $r = $s->talk('probe', @m);
	$p->stop;
	like $r->{reply}, qr/^(?:closed|451 )/, 'a lost edit: not taken';
	my ($event) = Gatehouse::Journal->about($s->dir . '/state/probe',
	    '4Fedit-lost');
	is $event->{'gatehouse.verdict'}, 'tempfail', 'the journal says so';
	is $event->{'gatehouse.reason'}, 'an edit did not reach Postfix',
	    'and why';
	my ($o) = $store->objects;
	is $event->{'gatehouse.objects'}[0]{id}, $o->{id}, 'and what is left';
	well_done('a lost edit', 'mixed', $s->talk('probe', @m));
	($event) = grep { $_->{'gatehouse.verdict'} ne 'tempfail' }
	    Gatehouse::Journal->about($s->dir . '/state/probe', '4Fedit-lost');
	ok $event->{'gatehouse.objects'}[0]{merged}, 'it was there';
	$store->clear;
}

# --- T13 ---
my $calls = 'openat,write,writev,fsync,fchmod,renameat2,close,unlinkat,' .
    'sendto,flock,fstat,newfstatat,read,getrandom';

# Killed at the n-th call; false when it did not come so far.
sub killed {
	my ($when, $kind) = @_;
	my $what = "killed at call $when, $kind";

	my ($p, $trace) = strace('-e', "trace=$calls", '-e',
	    "inject=$calls:signal=KILL:when=$when");
	my @m = message("$kind-kill-$when", $words{$kind});
	# It may be killed before the session has begun.
	my $r = eval { $s->talk('probe', @m) } // { reply => 'closed' };
	if ($r->{reply} ne 'closed') {
		$p->stop;
		# Its clock goes on: that may be the call that was meant.
		unless ($s->process('probe')->running) {
			$s->process('probe')->wait;
			$s->start_milter('probe');
		}
		well_done($what, $kind, $r);
		$store->clear;
		return 0;
	}
	$p->wait;
	$s->process('probe')->wait;
	$s->start_milter('probe');
	is_deeply [ grep { !/^\.[0-9a-f]{32}\.[0-9a-f]{16}$/ }
	    $store->strays ], [], "$what: what is left can be swept";
	well_done($what, $kind, $s->talk('probe', @m));
	$store->clear;
	return 1;
}

# Most of the first calls read the message; the end is what matters.
my $step = $full ? 1 : 3;
for my $kind ($full ? sort keys %words : 'mixed') {
	my $when = 1;

	$when += $step while killed($when, $kind) && $when < 100;
	cmp_ok $when, '>', 8, "$kind: $when calls";
}

$s->done;
