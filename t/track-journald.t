#!/usr/bin/perl
# gatehouse-track reads the journal of systemd, by journalctl(1); here that is
# a program of ours, which can die, lose its place and speak nonsense.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $dir = $s->dir;
my $state = "$dir/state";
my $json = JSON::PP->new->utf8;
my ($n, $cursor) = (0, 0);

open my $f, '>', "$dir/journalctl" or die $!;
print $f "#!$^X\nmy \$dir = '$dir';\n", <<'END';
use strict;
use Time::HiRes qw(sleep);
my ($after) = map { /^--after-cursor=(\d+)$/ ? $1 : () } @ARGV;

$| = 1;
open my $log, '>>', "$dir/calls";
print $log "@ARGV\n";
close $log;
exit 1 if -e "$dir/vacuumed" && defined $after;
open my $in, '<:raw', "$dir/entries" or exit 1;
$/ = "\n\n";
while (getppid > 1) {
	while (defined(my $entry = <$in>)) {
		my ($c) = $entry =~ /^__CURSOR=(\d+)$/m;
		print $entry if !defined $after || $c > $after;
	}
	exit 0 if -e "$dir/die" && unlink "$dir/die";
	sleep 0.02;
	seek $in, 0, 1;
}
END
close $f;
chmod 0755, "$dir/journalctl";

sub entry {
	my ($tag, $text) = @_;
	my $us = int(time * 1e6);
	my $body = $text =~ /\n/ ? "MESSAGE\n" . pack('Q<', length $text) .
	    "$text\n" : "MESSAGE=$text\n";

	$cursor++;
	return "__CURSOR=$cursor\n__REALTIME_TIMESTAMP=$us\n_PID=5\n" .
	    "SYSLOG_IDENTIFIER=$tag\n$body\n";
}

sub put {
	open my $out, '>>:raw', "$dir/entries" or die $!;
	syswrite $out, join '', @_;
	close $out;
}

sub deliver {
	my $id = sprintf 'AAAA%04d', ++$n;

	put(entry('postfix/qmgr', "$id: from=<a\@b.test>, size=10, nrcpt=1 " .
	    '(queue active)'), entry('sshd', "not\nours"),
	    entry('postfix/smtp', "$id: to=<c\@d.test>, relay=m[192.0.2.9]:25" .
	    ', delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (ok)'),
	    entry('postfix/qmgr', "$id: removed"));
	return $id;
}

# Its fate and the tries, when it is finished.
sub fate {
	my ($id) = @_;
	my $end = time + 20;
	my @rows;

	do {
		my ($status, $text) = $s->gatehouse('search', '--state', $state,
		    '--json', '--queue-id', $id);
		@rows = @{ $json->decode($text || '{}')->{rows} // [] };
		return "$rows[0]{fate} $rows[0]{tries}"
		    if @rows && $rows[0]{state} eq 'done';
		sleep 0.05;
	} while (time < $end);
	return 'nothing';
}

put('');
$s->service('track', maillogs => [], journald => 'true',
    journalctl => "$dir/journalctl")->daemons;
is fate(deliver()), 'sent 1', 'read from the journal';
$s->kill_milter('track')->start_milter('track');
is fate(deliver()), 'sent 1', 'after a kill it goes on';
is fate('AAAA0001'), 'sent 1', 'and reads nothing twice';
open $f, '<', "$dir/calls" or die $!;
my @calls = <$f>;
like $calls[0], qr/--since=@\d+$/, 'it begins with what is kept';
like $calls[-1], qr/SYSLOG_FACILITY=2 --after-cursor=\d+$/,
    'then with its place';
$s->allow(qr/journalctl ended; it is started again/,
    qr/journalctl does not know where we were/,
    qr/journalctl gave nonsense/);
open $f, '>', "$dir/die" and close $f;
ok $s->log->wait_for(qr/journalctl ended/), 'it ended: told';
is fate(deliver()), 'sent 1', 'and started again';
open $f, '>', "$dir/vacuumed" and close $f;
$s->log->mark;
$s->kill_milter('track')->start_milter('track');
ok $s->log->wait_for(qr/does not know where we were/),
    'the journal was vacuumed: told';
is fate(deliver()), 'sent 1', 'and it reads what there is';
$s->done;
