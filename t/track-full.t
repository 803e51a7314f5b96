#!/usr/bin/perl
# T15, T16 for gatehouse-track: the file system of track.db, a small one of its
# own, gets full, has no inode left, and is read-only, while a filter and
# Postfix go on. No mail waits for it; it says so once, does not spin, and in
# the end knows each message, also those that came meanwhile, once.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Log;
use Gatehouse::Process;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $folder = $s->dir . '/state/track';
my $json = JSON::PP->new->utf8;

make_path($folder);
my $mounted = $> == 0 && system("mount -t tmpfs -o size=4m,nr_inodes=60 " .
    "tmpfs $folder 2>/dev/null") == 0;
END { system 'umount', '-l', $folder if $mounted }
plan skip_all => 'NO tmpfs CAN BE MOUNTED HERE' unless $mounted;

my $store = Gatehouse::Store->new($s);
$s->milter('probe', deadline => '20s');
$s->service('track', maillogs => [ $s->dir . '/log/mail.log' ])->postfix;
$s->allow(qr/warning: .*; tracking waits, mail does not/,
    qr/warning: old messages cannot be deleted now: /,
    qr/fatal: .*track\.db/);

my @taken;
my $n = 0;

# Held for one, delivered to the other.
sub mail {
	my ($what) = @_;
	my $from = 'm' . ++$n . '@full.test';
	my $got = $s->send(rcpt => [ 'one@gatehouse.test',
	    'two@gatehouse.test' ], from => $from,
	    header => "X-Probe: hold:two\@gatehouse.test:spam\n");

	like $got, qr/^250 /, "$what: mail is taken";
	push @taken, [ $from, $s->queue_id($got) ];
	ok $s->sink->next(20), "$what: and delivered";
}

sub search {
	my ($status, $text) = $s->gatehouse('search', '--state',
	    $s->dir . '/state', '--json', '--limit', 1000, @_);

	return @{ ($text =~ /^\{/ ? $json->decode($text) : {})->{rows} // [] };
}

sub sent { grep { ($_->{fate} // '') eq 'sent' } search() }

sub caught_up {
	my ($what) = @_;
	my $end = time + 20;
	my @rows;

	sleep 0.1 while (@rows = sent()) < @taken && time < $end;
	is_deeply [ sort map { $_->{queue_id} } @rows ],
	    [ sort map { $_->[1] } @taken ],
	    "$what: it knows each delivery, once";
	is scalar(search('--from', $taken[-1][0], '--milter', 'probe')), 2,
	    "$what: and what the filter found, for both";
}

sub cpu {
	open my $f, '<', '/proc/' . $s->process('track')->pid . '/stat'
	    or return 0;
	my @f = split / /, <$f> =~ s/.*\) //r;

	return ($f[11] + $f[12]) / 100;
}

sub fill {
	open my $f, '>>:raw', "$folder/fill" or return;
	1 while syswrite($f, 'x' x 4096);
	close $f;
}

sub inodes {
	for my $i (1 .. 100) {
		open my $f, '>', "$folder/many.$i" or last;
	}
}

sub remount { system('mount', '-o', "remount,$_[0]", $folder) == 0 }

mail('at first');
caught_up('at first');

# --- full: the write-ahead log cannot grow ---
# What it has already may do for a while: it is cut by its close.
$s->stop_milter('track');
$s->start_milter('track');
fill();
$s->log->mark;
my ($before, $end) = (cpu(), time + 20);
mail('full');
mail('full') until $s->log->since_mark(qr/tracking waits/) || time > $end;
ok $s->log->since_mark(qr/tracking waits/), 'full: it says so';
mail('full');
$end = time + 2;
sleep 0.1 while time < $end;
cmp_ok cpu() - $before, '<', 1.5, 'full: it does not spin';
is scalar($s->log->since_mark(qr/warning: .*tracking waits/)), 1,
    'full: said once';
ok $s->process('track')->running, 'full: nor does it die';
unlink "$folder/fill";
ok $s->log->wait_for(qr/can be written again; nothing was lost/, 20),
    'room again: it says so';
caught_up('full, over');

# --- no inode: what it has open does; a start needs some ---
inodes();
mail('no inode');
caught_up('no inode');
ok $s->process('track')->running, 'no inode: it lives';
unlink glob "$folder/many.*";

# --- read-only under it, as by a kernel that has seen a bad disk. A remount is
# refused while files are open to be written, so it is said by strace ---
SKIP: {
	my $strace = grep { -x "$_/strace" } split /:/, $ENV{PATH};
	my $err = $s->dir . '/log/strace.err';

	skip 'NO strace here', 1 unless $strace;
	my $calls = 'pwrite64,write,ftruncate,fsync,fdatasync,unlink,openat';
	my $p = Gatehouse::Process->start(name => 'strace', log => $err,
	    argv => [ 'strace', '-f', '-o', $s->dir . '/trace', '-p',
	    $s->process('track')->pid, (map { ('-P', "$folder/track.db$_") }
	    '', '-wal', '-shm'), '-e', "inject=$calls:error=EROFS" ]);
	Gatehouse::Log->new($err)->wait_for(qr/attached/, 20)
	    or BAIL_OUT("strace: $err");
	$s->log->mark;
	mail('read-only under it');
	ok $s->log->wait_for(qr/tracking waits/, 20),
	    'read-only under it: it says so';
	ok $s->process('track')->running, 'read-only under it: it lives';
	$p->stop;
	ok $s->log->wait_for(qr/can be written again; nothing was lost/, 20),
	    'to be written again: it goes on by itself';
	caught_up('read-only under it, over');
}

# --- read-only: no open file can be had so, so it starts on it ---
$s->kill_milter('track');
ok remount('ro'), 'read-only';
mail('read-only');
eval { $s->start_milter('track') };
like $@, qr/does not start.*track\.db.*read-?only/si,
    'read-only: it says why it does not start';
ok remount('rw'), 'to be written again';
$s->start_milter('track');
mail('read-only, over');
caught_up('read-only, over');
$s->done;
