#!/usr/bin/perl
# T15, T16 for gatehouse-store: its file system, a small one of its own, gets
# full, has no inode left, and is read-only, while mail goes on. What cannot be
# held is answered 451, the rest is delivered; the daemon says so, and goes on
# by itself when there is room. In the end each message that got 250 is where
# it has to be: delivered, or held and readable.
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
my $folder = $s->dir . '/state/store';
my $json = JSON::PP->new->utf8;

make_path($folder);
my $mounted = $> == 0 && system("mount -t tmpfs -o size=8m,nr_inodes=400 " .
    "tmpfs $folder 2>/dev/null") == 0;
END { system 'umount', '-l', $folder if $mounted }
plan skip_all => 'NO tmpfs CAN BE MOUNTED HERE' unless $mounted;

my $store = Gatehouse::Store->new($s);
$s->milter('probe', deadline => '20s');
$s->service('store', reserve => '256k', scan => '200ms',
    key => $s->dir . '/store.key')->postfix;
$s->allow(qr/warning: \S+: cannot be held: /,
    qr/warning: the quarantine is nearly full: /,
    qr/error: the quarantine is full: /,
    qr/error: \S+: the disk is full; its reserve/,
    qr/error: new objects wait: /,
    qr/fatal: .*Read-only file system/, qr/warning: journal/);

# --- what was sent, and where it must be ---
my ($one, $two) = map { "$_\@gatehouse.test" } qw(one two);
my %rcpt = (clean => [ $one ], held => [ $two ], mixed => [ $one, $two ]);
my (@taken, %arrived);
my $n = 0;

# Its answer; one that was refused is asked again by `again`.
sub mail {
	my ($kind, %m) = @_;
	my $name = $m{name} // "$kind " . ++$n;
	my $got = $s->send(rcpt => $rcpt{$kind}, subject => $name,
	    header => $kind eq 'clean' ? '' : "X-Probe: hold:$two:spam\n",
	    message_id => $name =~ s/ /./r . '@full.test', body =>
	    "$name\n" . ('x' x 70 . "\n") x 100);

	push @taken, [ $kind, $name ] if $got =~ /^250 /;
	return $got;
}

sub rows {
	my ($status, $text) = $s->gatehouse('quarantine', 'list', '--json',
	    '--limit', 1000, '--state-directory', $s->dir . '/state');

	return map { $json->decode($_) } split /\n/, $text;
}

# Everything that is held has come into the index.
sub caught_up {
	my ($what) = @_;
	my $want = grep { $_->[0] ne 'clean' } @taken;
	my $end = time + 20;
	my @rows;

	sleep 0.1 while (@rows = rows()) < $want && time < $end;
	is scalar(@rows), $want, "$what: each object is in the index";
	is_deeply [ $store->files ], [], "$what: none waits";
}

# CPU seconds that it has used.
sub cpu {
	open my $f, '<', '/proc/' . $s->process('store')->pid . '/stat'
	    or return 0;
	my @f = split / /, <$f> =~ s/.*\) //r;

	return ($f[11] + $f[12]) / 100;
}

# --- the file system ---
sub fill {
	my ($bytes) = @_;

	open my $f, '>>:raw', "$folder/fill" or return;
	while (!defined $bytes || $bytes > 0) {
		syswrite($f, 'x' x 4096) or last;
		$bytes -= 4096 if defined $bytes;
	}
	close $f;
}

sub inodes {
	my ($n) = @_;

	mkdir "$folder/many";
	for my $i (1 .. $n // 1000) {
		open my $f, '>', "$folder/many/$i.$$" . rand or last;
	}
}

sub remount { system('mount', '-o', "remount,$_[0]", $folder) == 0 }

# The daemon looks at the disk at a reload; else once a minute.
sub look {
	my $end = time + 20;
	my $was = $s->log->lines(qr/store\S+ configuration reloaded/);

	$s->signal_milter('store', 'USR1');
	sleep 0.02 while time < $end &&
	    $s->log->lines(qr/store\S+ configuration reloaded/) == $was;
}

like mail('mixed'), qr/^250 /, 'there is room';
caught_up('at first');

# --- the alert comes before ---
ok !$s->log->lines(qr/nearly full/), 'no alert yet';
fill(6_200_000);
look();
ok $s->log->wait_for(qr/warning: the quarantine is nearly full: \d+ of \d+/,
    20), 'four fifths: the alert';
like mail('mixed'), qr/^250 /, 'and mail is held as before';
caught_up('nearly full');
unlink "$folder/fill";
inodes(330);
look();
ok $s->log->wait_for(qr/warning: the quarantine is nearly full: .* inodes/, 20),
    'of inodes too';
system 'rm', '-r', "$folder/many";

# --- full, with objects that wait; without; no inodes ---
for (
	[ 'full', \&fill, sub { unlink "$folder/fill" } ],
	[ 'no inode', \&inodes, sub { system 'rm', '-r', "$folder/many" } ],
) {
	my ($what, $break, $mend) = @$_;

	$s->log->mark;
	# It comes in while the daemon cannot write it down.
	$s->signal_milter('store', 'STOP');
	like mail('held'), qr/^250 /, "$what: held in time";
	$break->();
	my $before = cpu();
	$s->signal_milter('store', 'CONT');
	# The reserve makes room; then that is used up too.
	ok $s->log->wait_for(qr/its reserve of \d+ bytes was given up/, 20),
	    "$what: it says so";
	caught_up("$what: on the reserve");
	$break->();
	like mail('held'), qr/^451 /, "$what: not held, 451";
	like mail('mixed', name => "mixed $what"), qr/^451 /,
	    "$what: 451 for all of a message";
	like mail('clean'), qr/^250 /, "$what: what need not be held goes on";
	my $end = time + 1;
	sleep 0.1 while time < $end;
	cmp_ok cpu() - $before, '<', 0.9, "$what: it does not spin";
	ok $s->process('store')->running, "$what: nor does it die";
	cmp_ok scalar($s->log->since_mark(qr/new objects wait/)), '<=', 1,
	    "$what: said once";
	$mend->();
	look();
	like mail('mixed', name => "mixed $what"), qr/^250 /,
	    "$what: held when it comes again, and nobody restarted";
	caught_up("$what, over");
	ok -e "$folder/reserve", "$what: the reserve is back";
}

# --- read-only under it, as by a kernel that has seen a bad disk. A remount is
# refused while files are open to be written, so it is said by strace ---
SKIP: {
	my $strace = grep { -x "$_/strace" } split /:/, $ENV{PATH};
	my $err = $s->dir . '/log/strace.err';

	skip 'NO strace here', 1 unless $strace;
	my $calls = 'pwrite64,write,ftruncate,fsync,fdatasync,unlink,' .
	    'unlinkat,renameat,renameat2';
	my $p = Gatehouse::Process->start(name => 'strace', log => $err,
	    argv => [ 'strace', '-f', '-o', $s->dir . '/trace', '-p',
	    $s->process('store')->pid, (map { ('-P', "$folder/$_") }
	    qw(index.db index.db-wal incoming)),
	    '-e', "inject=$calls:error=EROFS" ]);
	Gatehouse::Log->new($err)->wait_for(qr/attached/, 20)
	    or BAIL_OUT("strace: $err");
	$s->log->mark;
	like mail('mixed'), qr/^250 /, 'read-only under it: in time';
	ok $s->log->wait_for(qr/new objects wait/, 70),
	    'read-only under it: it says so';
	ok $s->process('store')->running, 'read-only under it: it lives';
	$p->stop;
	caught_up('read-only under it, over');
}

# --- read-only: whoever writes has been ended, or the kernel refuses ---
$s->kill_milter('store');
ok remount('ro'), 'read-only';
like mail('held'), qr/^451 /, 'read-only: 451';
like mail('clean'), qr/^250 /, 'read-only: the rest goes on';
eval { $s->start_milter('store') };
like $@, qr/does not start.*(?:Read-only|readonly)/si,
    'it says why it does not start';
ok remount('rw'), 'to be written again';
$s->start_milter('store');
like mail('mixed'), qr/^250 /, 'held';
caught_up('read-only, over');

# --- the oracle ---
my $want = grep { $_->[0] ne 'held' } @taken;
for (1 .. $want) {
	my $mail = $s->sink->next(20) or last;
	$arrived{$1}++ if $mail->{bytes} =~ /^Subject: (.*?)\r$/m;
}
my %held = map { $_->{subject} => $_ } rows();
for (@taken) {
	my ($kind, $name) = @$_;

	is $arrived{$name}, 1, "$name: delivered once" if $kind ne 'held';
	next if $kind eq 'clean';
	my ($status, $text) = $s->gatehouse('quarantine', 'show', '--raw',
	    $held{$name}{object} // 'none', '--state-directory',
	    $s->dir . '/state');
	like $text, qr/^\Q$name\E\r?\n/m, "$name: held, and can be read";
}
is scalar(keys %arrived), $want, 'and nothing else';
$s->done;
