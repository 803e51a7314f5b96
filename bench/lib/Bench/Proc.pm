# Proc - what a process and its children cost, from /proc
#
#	cpu($pid)	CPU ms of the process and of all below it, those that
#			ended and were waited for too
#	peak($pid)	peak resident kB (VmHWM), summed over them
#	memory($pid)	{ rss, anon, file, shmem, pss } in kB, the same; a page
#			of a file is no memory of the process's own, an
#			anonymous or tmpfs one is
#	machine()	CPU ms that the machine has spent, and could have spent,
#			since it started; time stolen by its host is spent
#	settle($pid)	waits until it has used no CPU for half a second
package Bench::Proc;

use strict;
use warnings;

use POSIX ();
use Time::HiRes qw(sleep);

my $TICK = 1000 / POSIX::sysconf(POSIX::_SC_CLK_TCK());

# pid => [ parent, ms ] of all that run; ms counts reaped children.
sub _all {
	my %all;

	for my $path (glob '/proc/[0-9]*/stat') {
		open my $f, '<', $path or next;
		my $line = <$f> // next;	# it may have ended meanwhile
		my ($pid) = $line =~ /^(\d+)/;
		my @f = split ' ', $line =~ s/^.*\) //sr;
		$all{$pid} = [ $f[1], ($f[11] + $f[12] + $f[13] + $f[14]) *
		    $TICK ];
	}
	return \%all;
}

sub _below {
	my ($root, $all) = @_;
	my (@found, %below);

	push @{ $below{ $all->{$_}[0] } }, $_ for keys %$all;
	my @look = $all->{$root} ? $root : ();
	while (defined(my $pid = shift @look)) {
		push @found, $pid;
		push @look, @{ $below{$pid} // [] };
	}
	return @found;
}

sub cpu {
	my ($root) = @_;
	my $all = _all();
	my $ms = 0;

	$ms += $all->{$_}[1] for _below($root, $all);
	return $ms;
}

sub machine {
	open my $f, '<', '/proc/stat' or return (0, 0);
	my (undef, @f) = split ' ', <$f>;
	my $all = 0;

	$all += $_ for @f[0 .. 7];
	return (($all - $f[3] - $f[4]) * $TICK, $all * $TICK);
}

sub _fields {
	my ($path) = @_;

	open my $f, '<', $path or return {};
	return { map { /^(\w+):\s+(\d+) kB/ ? ($1, $2) : () } <$f> };
}

sub peak {
	my ($root) = @_;
	my $kb = 0;

	$kb += _fields("/proc/$_/status")->{VmHWM} // 0
	    for _below($root, _all());
	return $kb;
}

sub memory {
	my ($root) = @_;
	my %sum = map { $_ => 0 } qw(rss anon file shmem pss);

	for my $pid (_below($root, _all())) {
		my $status = _fields("/proc/$pid/status");
		$sum{rss} += $status->{VmRSS} // 0;
		$sum{anon} += $status->{RssAnon} // 0;
		$sum{file} += $status->{RssFile} // 0;
		$sum{shmem} += $status->{RssShmem} // 0;
		$sum{pss} += _fields("/proc/$pid/smaps_rollup")->{Pss} // 0;
	}
	return \%sum;
}

sub settle {
	my ($root, $seconds) = @_;
	my $quiet = 0;
	my $before = cpu($root);

	for (1 .. ($seconds // 30) * 10) {
		sleep 0.1;
		my $now = cpu($root);
		$quiet = $now == $before ? $quiet + 1 : 0;
		return 1 if $quiet == 5;
		$before = $now;
	}
	return 0;
}

1;
