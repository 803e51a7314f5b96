#!/usr/bin/perl
# R14 to R17: 96 hours in the queue. The clock is moved by libfaketime, and
# Postfix is started anew at each hour that matters; nothing is flushed but by
# `gatehouse backlog`, so its own times of retry count.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Suite;

my ($faketime) = glob '/usr/lib/*/faketime/libfaketime.so.1';
my $full = $ENV{GATEHOUSE_FULL};
my $many = $full ? 1000 : 100;

plan skip_all => 'NOT TESTED: no libfaketime (package faketime)'
    unless $faketime;

my $s = Gatehouse::Suite->new(house => { message_size_limit => '2M',
    inbound => [], domains => [ 'back.test', 'dead.test' ] });
my $port = Gatehouse::Postfix::free_port();
my $back = Gatehouse::Postfix::free_port();
my $dead = Gatehouse::Postfix::free_port();

open my $transports, '>', $s->dir . '/transports' or die $!;
print $transports "back.test relay:[127.0.0.1]:$back\n" .
    "dead.test relay:[127.0.0.1]:$dead\n";
close $transports;
$s->conf_write('postfix.conf', role => 'inbound', size => '1M',
    inbound_listener => "127.0.0.1:$port", reinject_listener => '',
    client_rate => 0, client_recipients => 0,
    transport_maps => [ 'texthash:' . $s->dir . '/transports' ]);
my %env = (LD_PRELOAD => $faketime, NO_FAKE_STAT => 1, FAKETIME => '+0',
    FAKETIME_DONT_FAKE_MONOTONIC => 1);
$s->postfix(port => $port, env => { %env }, recipe => { config => $s->conf }, main => {
    relay_domains => 'back.test, dead.test',
    myhostname => 'mx.gatehouse.test' });
$s->allow(qr/file system clock is \d+ seconds behind/);

# The same Postfix, that much later than mail came in.
sub at {
	my ($minutes) = @_;

	$s->pf->stop;
	$s->pf->log->mark;
	$s->pf->{env}{FAKETIME} = sprintf '+%d', 60 * $minutes;
	$s->pf->start(again => 1);
}

# For how many recipients that was logged since the last start; waits for so
# many. One may be tried twice, when Postfix looks at the queue as it starts.
sub wait_lines {
	my ($want, $count) = @_;
	my %seen;

	for (1 .. 1200) {
		%seen = map { /(?:to|from)=<([^>]*)>/ ? ($1 => 1) : () }
		    $s->pf->log->since_mark($want);
		last if keys %seen >= $count;
		select undef, undef, undef, 0.05;
	}
	return scalar keys %seen;
}

sub waiting { scalar grep { $_->{queue_name} eq 'deferred' } $s->pf->queue }

# --- both sites are down when mail comes ---
my $c = $s->connection;
for (1 .. $many) {
	my $got = $s->send(on => $c, from => 'them@sender.test',
	    rcpt => "u$_\@back.test", message_id => "$_\@back");
	BAIL_OUT($got) if $got !~ /^250/;
}
like $s->send(on => $c, from => 'them@sender.test', rcpt => 'u@dead.test'),
    qr/^250 /, 'taken';
$c->quit;
is wait_lines(qr/status=deferred/, $many + 1), $many + 1, 'all wait';

# --- R16: the sender hears that it waits ---
at($full ? 4 * 60 + 6 : 95 * 60);
like +($s->sink->next(30) // {})->{bytes}, qr/delayed/i,
    'after 4 hours there is a notice';
is wait_lines(qr/status=deferred/, $many + 1), $many + 1, 'all wait';
$s->sink->wait_count($many + 1, 60);
is scalar(() = $s->sink->rest), $many, 'one for each';

# --- R17: at 95 hours a site is back ---
if ($full) {
	at(95 * 60);
	is wait_lines(qr/status=deferred/, $many + 1), $many + 1,
	    'after 95 hours all wait';
}
my ($status, $said) = $s->gatehouse('backlog', 'list', '--json', '--postfix',
    $s->pf->config);
my %list = map { $_->{domain} => $_ } @{ decode_json($said) };
is $list{'back.test'}{messages}, $many, 'the list says how many';
like $list{'dead.test'}{reason}, qr/refused/, 'and why';
($status, $said) = $s->gatehouse('backlog', 'release', 'back.test',
    '--rate', 60 * 20, '--batch', 20, '--postfix', $s->pf->config);
is $status, 75, 'a release stops while the site is down';
like $said, qr/^20 of $many messages tried; the last batch came back/,
    'after one batch';
$s->pf->log->mark;
my $site = Gatehouse::Sink->new(dir => $s->dir . '/back', port => $back);
($status, $said) = $s->gatehouse('backlog', 'release', 'back.test', '--rate',
    60 * 100, '--batch', $many / 5, '--postfix', $s->pf->config);
is $status, 0, 'now it does not';
is $said, "$many of $many messages tried\n", 'all were tried';
is $site->wait_count($many, 60), $many, 'and all arrived';
my %seen;
$seen{ ($s->fields($_->{bytes}, 'Message-ID'))[0] }++ for $site->rest;
is scalar keys %seen, $many, 'each of them';
is waiting(), 1, 'what is for the other site waits on';
is scalar(() = $s->pf->log->since_mark(qr/dead\.test.*status=/)), 0,
    'untried';

# --- R14: returned at 96 hours, not before, at most 15 minutes later ---
at(95 * 60 + 44);
is wait_lines(qr/u\@dead\.test.*status=deferred/, 1), 1, 'at 95:44 it waits';
# When the next try is: the file's time, in hours since mail came in.
my $next = 0;
for (1 .. 200) {
	my ($file) = glob $s->pf->queue_directory . '/deferred/*/*';

	$next = defined $file ? ((stat $file)[9] - $^T) / 3600 : 0;
	last if $next > 95 + 44 / 60;
	select undef, undef, undef, 0.05;
}
cmp_ok $next, '>', 95.75, 'not at once';
cmp_ok $next, '<', 96.1, 'but within a quarter of an hour';
at(96 * 60 + 1);
is wait_lines(qr/status=expired, returned to sender/, 1), 1,
    'at 96:01 it is';
ok $s->pf->wait_queue_empty, 'nothing waits any more';
my %notices;
$notices{ ($s->fields($_->{bytes}, 'Subject'))[0] }++ for $s->sink->rest;
is $notices{'Undelivered Mail Returned to Sender'}, 1, 'with a notice';
is $notices{'Successful Mail Delivery Report'}, $many,
    'and those who were told of the delay were told that it is over';

# --- the command line ---
for (['backlog'], ['backlog', 'release'], ['backlog', 'gone'],
    ['backlog', 'release', '--all', '--rate', 0]) {
	is +($s->gatehouse(@$_))[0], 64, join ' ', @$_;
}
$site->stop;
$s->done;

# Each process under libfaketime leaves two pieces of shared memory, named by
# its id, when it does not end by exit(3), and Postfix's do not.
END {
	for (glob '/dev/shm/faketime_shm_* /dev/shm/sem.faketime_sem_*') {
		unlink $_ if /_(\d+)$/ && !kill 0, $1;
	}
}
