#!/usr/bin/perl
# A sync that is killed, or fails, at each of its system calls that change
# something, and on a disk that is full: before and after there is a whole
# directory, the old one or the new one with its maps, and the next sync mends
# what was left behind.
use strict;
use warnings;

use FindBin;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use lib "$FindBin::Bin/lib";
use Test::More;

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Directory;

plan skip_all => 'NO Postfix (postmap) HERE' unless -x '/usr/sbin/postmap';
plan skip_all => 'NO strace here' unless grep { -x "$_/strace" }
    split /:/, $ENV{PATH};

my $dir = tempdir('gatehouse-faults-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;
# The leak checker cannot run under strace.
$ENV{ASAN_OPTIONS} = join ':', grep { defined } $ENV{ASAN_OPTIONS},
    'detect_leaks=0';
my $d = Gatehouse::Directory->new(dir => $dir, domains => [ 'a.test' ],
    options => { shrink_percent => 0, shrink_count => 0 });
my $mounted;
END { system 'umount', '-l', $d->state_directory if $mounted }

sub users { "address\n" . join '', map { "$_[0]$_\@a.test\n" } 1 .. $_[1] // 3 }

my @text = map { users($_) } qw(x y);
$d->source('hr', text => $text[0]);
is(($d->sync)[0], 0, 'the first sync');
my @whole = ($d->file);
$d->text('hr', $text[1]);
is(($d->sync)[0], 0, 'the second');
push @whole, $d->file;

# The maps are those of the directory beside them.
sub whole {
	my ($what) = @_;
	my $file = $d->file // '';
	my %exist = map { $_ => 'x' } $file =~ /^U (\S+)/mg;

	ok +(grep { $_ eq $file } @whole), "$what: a whole directory";
	is_deeply $d->map('recipients'), \%exist, "$what: with its map";
	return $file;
}

sub mends {
	my ($what, $n) = @_;
	my ($status, undef, $err) = $d->sync;

	is $status, 0, "$what: the next sync goes well" or diag $err;
	is $d->file, $whole[$n], "$what: and has what it should";
	my @left = grep { !m{/\Q${\readlink $d->folder . "/current"}\E$} }
	    glob $d->folder . "/{g.*,.new*}";
	cmp_ok scalar(@left), "<=", 1, "$what: at most the one before is left";
}

# How often a sync makes each call.
my $now = 0;				# which of the two is the source
my @calls = qw(mkdir mkdirat openat write fsync fchmod unlink unlinkat
    symlinkat renameat close);
my $trace = "$dir/trace";
my $how = { before => [ 'strace', '-qq', '-o', $trace,
    '-e', 'trace=' . join ',', @calls ] };
$d->text('hr', $text[$now]);
is(($d->sync($how))[0], 0, 'a sync under strace');
my %made;
open my $f, '<', $trace or die $!;
for (<$f>) {
	$made{$1}++ if /^(\w+)\(/;
}
close $f;
ok $made{renameat} >= 2 && $made{symlinkat} == 1 && $made{fsync} >= 6,
    'it renames and syncs';

# At each call that makes something hold, all of them; of the others a few.
my $full = $ENV{GATEHOUSE_FULL};
my @points;
for my $call (@calls) {
	my $n = $made{$call} // 0;
	my %at = map { $_ => 1 } $full || $call =~ /^(renameat|symlinkat|mkdirat)$/ ?
	    1 .. $n : ($n > 0 ? ($n, int($n / 2) || 1) : ());
	push @points, map { [ $call, $_ ] } sort { $a <=> $b } keys %at;
}
my ($killed, %seen) = (0);
for my $point (@points) {
	my ($call, $when) = @$point;
	my $what = "killed at $call $when";

	$now = 1 - $now;
	$d->text('hr', $text[$now]);
	my ($status) = $d->sync({ before => [ 'strace', '-qq', '-o', $trace,
	    '-e', "trace=$call", '-e', "inject=$call:signal=KILL:when=$when" ] });
	$killed++ if $status =~ /signal 9|^137$/;
	$seen{whole($what) eq $whole[$now] ? 'new' : 'old'}++;
	mends($what, $now);
}
cmp_ok $killed, '>', @points / 2, "$killed were killed";
ok $seen{old} && $seen{new}, 'before the commit point, and behind it';

# The same calls fail: nothing is changed, or all is; and it is said.
for ([ 'fsync', 'EIO' ], [ 'renameat', 'ENOSPC' ], [ 'symlinkat', 'ENOSPC' ],
    [ 'mkdirat', 'ENOSPC' ], [ 'fchmod', 'EPERM' ]) {
	my ($call, $error) = @$_;

	for my $when ($full ? 1 .. ($made{$call} // 1) : 1) {
		my $what = "$call $when fails";

		$now = 1 - $now;
		$d->text('hr', $text[$now]);
		my ($status, undef, $err) = $d->sync({ before => [ 'strace', '-qq',
		    '-o', $trace, '-e', "trace=$call", '-e',
		    "inject=$call:error=$error:when=$when" ] });
		my $file = whole($what);
		$file eq $whole[1 - $now] ? is($status, 75, "$what: told") :
		    pass "$what: behind the commit point";
		mends($what, $now);
	}
}

# --- as the timer's user, who may give nothing away --------------------------
SKIP: {
	my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
	my $build = $ENV{GATEHOUSE_BUILD} // '.';
	skip 'NOT TESTED: only root can be somebody else', 1 unless $> == 0;
	skip "NOT TESTED: nobody cannot run what is in $build", 1 if system(
	    'setpriv', "--reuid=$uid", "--regid=$gid", '--clear-groups',
	    "$build/tools/gatehouse", '--version') != 0;
	my $as = { before => [ 'setpriv', "--reuid=$uid", "--regid=$gid",
	    '--clear-groups', 'strace', '-f', '-qq', '-o', "$trace.his", '-e',
	    'trace=chown,fchown,fchownat,lchown', '-e',
	    'inject=chown,fchown,fchownat,lchown:error=EPERM' ] };
	my $folder = $d->folder;

	Gatehouse::Directory::put("$trace.his", '');
	system 'chown', '-Rh', "$uid:$gid", $folder, "$trace.his";
	for my $n (0, 1) {
		$d->text('hr', $text[$n]);
		my ($status, undef, $err) = $n == 0 ? $d->sync($as) : $d->sync;
		is $status, 0, $n == 0 ? 'as nobody' : 'root goes on' or diag $err;
		is whole('as nobody'), $whole[$n], 'and it is there';
		is_deeply [ grep { (lstat)[4] != $uid } grep { !/\/current$/ }
		    split /\n/, `find $folder` ], [], 'all is his';
	}
	# What root was killed at, he cannot remove.
	my ($number) = readlink("$folder/current") =~ /(\d+)/;
	make_path("$folder/g." . ($number + 1));
	Gatehouse::Directory::put("$folder/g." . ($number + 1) . '/directory', 'half');
	$d->text('hr', $text[0]);
	my ($status, undef, $err) = $d->sync($as);
	is $status, 0, 'and he goes on after root' or diag $err;
	is readlink("$folder/current"), 'g.' . ($number + 2), 'past what is left';
}

# --- a full disk --------------------------------------------------------------
SKIP: {
	my $state = $d->state_directory;
	skip 'NO tmpfs CAN BE MOUNTED HERE', 1 unless $> == 0 &&
	    system("mount -t tmpfs -o size=600k,nr_inodes=200 tmpfs $state " .
	    '2>/dev/null') == 0;
	$mounted = 1;
	$d->text('hr', $text[0]);
	is(($d->sync)[0], 0, 'a small disk');
	@whole = ($d->file);
	for my $n (14_000, 20_000, 60_000) {
		$d->text('hr', users('many', $n));
		my ($status, undef, $err) = $d->sync;
		isnt $status, 0, "$n users do not fit";
		like $err, qr/No space left|postmap|Bus error/, 'which is said';
		is whole("$n users"), $whole[0], 'what was there stays';
	}
	$d->text('hr', users('few', 4));
	my ($status, undef, $err) = $d->sync;
	is $status, 0, 'what fits comes' or diag $err;
	like $d->file, qr/^U few4\@a\.test$/m, 'and is there';
}
done_testing;
