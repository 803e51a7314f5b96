#!/usr/bin/perl
# T27: memory and disk have an end, and it is met with 451 (or 550 where the
# message itself is to blame), and with recovery. Silent peers are let go.
# 256 sessions of 1 MB stay under 64 MB resident beyond the shared mappings.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Log;
use Gatehouse::Milter;
use Gatehouse::Process;
use Gatehouse::Suite;

my $s;

# Sessions that have sent all of their message but its end.
sub held {
	my ($n, %m) = @_;
	my @sessions = map { $s->session('probe') } 1 .. $n;

	for my $i (0 .. $#sessions) {
		my $m = $sessions[$i];
		$m->_begin(Gatehouse::Milter::_fill(id => "HELD$i", %m));
		my $end = length $m->_macros('E', $m->{m}, i => $m->{m}{id}) .
		    Gatehouse::Milter::frame('E');
		$m->{rest} = substr $m->{out}, -$end, $end, '';
		$m->send_raw($m->{out});
		$m->{out} = '';
	}
	return @sessions;
}

# Their ends, and the answers.
sub ended {
	my (@sessions) = @_;

	$_->{out} = delete $_->{rest} for @sessions;
	return Gatehouse::Milter::_run(120, @sessions);
}

sub count {
	my ($want, @results) = @_;

	return scalar grep { $_->{reply} =~ $want } @results;
}

sub pid { $s->process('probe')->pid }

# Files without a name that it has in its spool.
sub spooled {
	return scalar grep { (readlink($_) // '') =~ m{/spool/.*\(deleted\)} }
	    glob '/proc/' . pid() . '/fd/*';
}

# Resident memory, in kB, that is no file and no shared mapping.
sub anonymous {
	my ($pid) = @_;

	open my $f, '<', "/proc/$pid/smaps_rollup" or return 0;
	return (map { /^Anonymous:\s+(\d+)/ } <$f>)[0];
}

sub sanitized {
	open my $maps, '<', '/proc/' . pid() . '/maps';
	return scalar grep { /lib[at]san/ } <$maps>;
}

sub wait_for {
	my ($seconds, $what) = @_;
	my $end = time + $seconds;

	sleep 0.05 until $what->() || time > $end;
	return $what->();
}

sub body { "line of a body\r\n" x ($_[0] / 16) }

# --- the budgets ---
$s = Gatehouse::Suite->new->milter('probe', memory => '2M', spool => '4M',
    deadline => '20s')->daemons;
$s->allow(qr/warning: \w+: memory for messages is used up/,
    qr/warning: \w+: spool for messages is used up/);
my @many = held(60, message => "A: b\n\n" . body(60_000));
is spooled(), 0, 'up to 64 kB a body stays in memory';
my @got = ended(@many);
cmp_ok count(qr/^accept/, @got), '>=', 20, 'some fit into memory';
cmp_ok count(qr/^451 /, @got), '>=', 20, 'the others are told to try again';
is count(qr/^(accept|451 )/, @got), 60, 'and none is lost';
is $_->message(message => "A: b\n\n" . body(60_000))->{reply}, 'accept',
    'room again' for @many[0, 30, 59];
$_->quit for @many;

@many = held(6, message => "A: b\n\n" . body(1_000_000));
ok wait_for(5, sub { spooled() >= 4 }), 'above it lies in the spool';
@got = ended(@many);
cmp_ok count(qr/^accept/, @got), '>=', 3, 'some fit';
cmp_ok count(qr/^451 /, @got), '>=', 1, 'the others try again';
is count(qr/^(accept|451 )/, @got), 6, 'and none is lost';
is $many[5]->message(message => "A: b\n\n" . body(3_900_000))->{reply},
    'accept', 'room again';
my $edited = "A: b\nX-Probe: grow\n\n" . body(2_000_000);
like $many[5]->message(message => $edited)->{reply}, qr/^451 /,
    'an edited body counts too';
$s->allow(qr/warning: \w+: spool/);
is $many[5]->message(message => "A: b\nX-Probe: grow\n\n" .
    body(1_000_000))->{reply}, 'accept', 'one that fits does not';
is spooled(), 0, 'nothing stays in the spool';
$_->quit for @many;

# --- header blocks that no one needs ---
for (
	[ 'over 4 MB', join '', map { "X-$_: " . 'x' x 50_000 . "\n" }
	    1 .. 100 ],
	[ 'over 1 MB', join '', map { "X-$_: " . 'x' x 50_000 . "\n" }
	    1 .. 25 ],
	[ '2001 fields', "X: y\n" x 2001 ],
	[ '100,000 forged seals', "X-Gatehouse-Seal: v=1\n" x 100_000 ],
) {
	my ($what, $head) = @$_;

	$s->options('probe', memory => '16M')->signal_milter('probe', 'USR1')
	    unless $what ne 'over 4 MB';
	sleep 0.3 if $what eq 'over 4 MB';
	my $r = $s->talk('probe', message => "$head\nx\n", id => 'HEAD');
	like $r->{reply}, qr/^550 5\.6\.0 .*header/, "$what: refused";
	is_deeply $r->{edits}, [], 'and not touched';
}
is $s->talk('probe', message => "X: y\n" x 1999 . "\nx\n")->{reply},
    'accept', '1999 fields pass';
$s->finish;

# --- 100 MB ---
$s = Gatehouse::Suite->new(house => { message_size_limit => '300M' })
    ->milter('probe', deadline => '60s')->daemons;
my $before = anonymous(pid());
my $huge = "X-Probe: body\n\na probe\r\n" . body(100_000_000);
my $r = $s->talk('probe', message => $huge, timeout => 120);
is $r->{reply}, 'accept', '100 MB accepted';
is length $r->{message}, length($huge) + 3, 'and edited: all of it is there';
undef $_ for $r->{message}, $r->{edits}, $huge;
SKIP: {
	skip 'a sanitizer has memory of its own', 1 if sanitized();
	cmp_ok anonymous(pid()), '<', $before + 16_384,
	    'without a trace in memory';
}
$s->finish;

# --- the spool's disk is full ---
SKIP: {
	$s = Gatehouse::Suite->new->milter('probe');
	my $spool = $s->dir . '/state/probe/spool';
	mkdir $spool;
	my $mounted = $> == 0 && system('mount', '-t', 'tmpfs', '-o',
	    'size=2m', 'none', $spool) == 0;
	END { system 'umount', '-l', $spool if $mounted }
	diag 'NOT TESTED: a full spool; that needs root and mount(2)'
	    unless $mounted;
	skip 'no tmpfs', 8 unless $mounted;
	$s->daemons;
	$s->allow(qr/warning: \w+: cannot write to the spool/);
	my $fits = "A: b\n\n" . body(1_200_000);
	my $too_big = "A: b\n\n" . body(3_000_000);
	my $session = $s->session('probe');
	like $session->message(message => $too_big)->{reply}, qr/^451 /,
	    'a full disk: 451';
	is $session->message(message => $fits)->{reply}, 'accept',
	    'the next one fits';
	@many = held(4, message => $fits);
	@got = ended(@many);
	cmp_ok count(qr/^451 /, @got), '>=', 3, 'four do not';
	is count(qr/^(accept|451 )/, @got), 4, 'nothing else is said';
	like $session->message(message => "X-Probe: grow\n$fits")->{reply},
	    qr/^451 /, 'no room for the edited body: 451';
	is $session->message(message => $fits)->{reply}, 'accept',
	    'as it is it fits';
	is spooled(), 0, 'nothing stays';
	$_->quit for @many, $session;
	$s->finish;
}

# --- silent peers ---
$s = Gatehouse::Suite->new->milter('probe', idle => '2s')->daemons;
my %silent = (
	'after the negotiation' => sub { $s->session('probe') },
	'before it' => sub { $s->session('probe', raw => 1) },
	'in the middle of a length' => sub {
		my $m = $s->session('probe');
		$m->send_raw("\0");
		return $m;
	},
	'in the middle of a command' => sub {
		my $m = $s->session('probe');
		$m->send_raw(pack('N', 60000) . 'Bxxxx');
		return $m;
	},
	'in the middle of a body' => sub { (held(1, message => "A: b\n\n" .
	    body(1_000_000)))[0] },
);
for my $what (sort keys %silent) {
	my $m = $silent{$what}->();
	is $m->packet(20), undef, "silent $what";
	ok !$m->{silent}, 'is hung up on';
}
is spooled(), 0, 'nothing of them stays';
my $steady = $s->session('probe');
for (1 .. 4) {
	sleep 0.8;
	is $steady->message->{reply}, 'accept', 'one who speaks may stay';
}
$steady->quit;
$s->finish;

# --- 256 sessions of 1 MB ---
$s = Gatehouse::Suite->new->milter('probe', deadline => '120s')->daemons;
my $most = $s->dir . '/most';
my $watched = pid();
my $sampler = Gatehouse::Process->start_sub(sub {
	my $max = 0;
	my $quit = 0;
	$SIG{TERM} = sub { $quit = 1 };
	until ($quit) {
		my $now = anonymous($watched);
		$max = $now if $now > $max;
		sleep 0.02;
	}
	open my $f, '>', $most;
	print $f "$max\n";
	close $f;
});
@many = held(256, message => "X-Probe: body append\n\na probe\r\n" .
    body(1_000_000));
ok wait_for(20, sub { spooled() == 256 }), '256 messages held';
@got = ended(@many);
is count(qr/^accept/, @got), 256, 'all accepted';
is scalar(grep { $_->{message} =~ /\r\n\r\na PROBE!\r\n/ } @got), 256,
    'and edited';
$sampler->stop;
my ($kb) = Gatehouse::Log->new($most)->lines;
SKIP: {
	skip 'a sanitizer has memory of its own', 1 if sanitized();
	diag "at most $kb kB resident beyond the shared mappings";
	cmp_ok $kb, '<', 64 * 1024, 'under 64 MB beyond the shared mappings';
}
$_->quit for @many;

$s->done;
