#!/usr/bin/perl
# Mail that is deferred (R44): held by antivirus-multiscan, given back by
# gatehouse-store, scanned again with newer signatures. What is found then,
# what is not, in which order it goes, and what becomes of it when nobody can
# scan it in time; kill -9 of each who has part in it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX ();
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Postfix;
use Gatehouse::Store;
use Gatehouse::Suite;

my $name = 'antivirus-multiscan';
my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my $dir = $s->dir;
my $json = JSON::PP->new->utf8;
my $port = Gatehouse::Postfix::free_port();

sub put {
	my ($path, $bytes) = @_;

	open my $f, '>', "$path.new" or die "$path: $!";
	print $f $bytes;
	close $f or die "$path: $!";
	rename "$path.new", $path;
}

# An engine: its signatures are the lines of a file; down while there is a
# file "broken".
put("$dir/sigs", "no such text\n");
put("$dir/engine", "#!/bin/sh\n[ -e $dir/broken ] && exit 9\n" .
    "grep -q -a -F -f $dir/sigs && { echo Found; exit 1; }\nexit 0\n");
chmod 0755, "$dir/engine";

$s->{house}{$_} = [ $name ] for qw(inbound outbound);
$s->{main}{service_throttle_time} = '1s';
$s->milter($name, engines => [ "one=command:$dir/engine" ],
    max_signature_age => '0s', self_test => '0s', cache => 0,
    defer => [ 'ext:bin', 'type:zip' ], deadline => '20s',
    infected => 'reject', scope => [ { domain => 'other.test',
    defer => [ 'ext:none' ] } ]);
# It makes the store wait a few seconds after a kill.
$s->service('track', maillogs => [ "$dir/log/mail.log" ])
    if $ENV{GATEHOUSE_FULL};
$s->service('store', reserve => 0, key => "$dir/store.key",
    release_server => "127.0.0.1:$port", release_retry => '200ms',
    deferred_after => '1d', deferred_deadline => '2d');
$s->postfix(services => [ { name => 'release', port => $port,
    milters => [ "unix:gatehouse/$name/sock" ], options => {
    local_header_rewrite_clients => '',
    receive_override_options => 'no_address_mappings' } } ]);

sub run { $s->gatehouse(@_, '--state-directory', "$dir/state") }

sub rows {
	my ($status, $text) = run('quarantine', 'list', '--json', @_);
	return map { $json->decode($_) } split /\n/, $text;
}

# What a mail user is answered: 'forbidden', ...
sub as_user {
	my ($op, $row) = @_;
	my $sock = IO::Socket::UNIX->new(Peer => "$dir/state/store/sock")
	    or return "socket: $!";

	print $sock $json->encode({ v => 1, op => $op, user => JSON::PP::true,
	    object => $row->{object}, recipient => $row->{recipient} }), "\n";
	my $answer = $json->decode(scalar <$sock>);
	return $answer->{ok} ? 'ok' : $answer->{error};
}

# Until there are such rows.
sub wait_rows {
	my ($n, @filter) = @_;
	my $end = time + 20;
	my @rows;

	while ((@rows = rows(@filter)) != $n && time < $end) {
		sleep 0.05;
	}
	return @rows;
}

sub store_has {
	my (%options) = @_;

	$s->log->mark;
	$s->options('store', %options);
	$s->signal_milter('store', 'USR1');
	$s->log->wait_for(qr/-store\[\d+\]: configuration reloaded/, 20);
}

sub send_bin {
	my ($subject, %m) = @_;

	return $s->send(attach => 'a.bin', subject => $subject,
	    client => '203.0.113.7', %m);
}

# --- what waits, and what does not ---
my $letter = $s->letter(rcpt => 'us@gatehouse.test', attach => 'a.bin',
    subject => 'one', message_id => 'one@client.test');
my $got = $s->send(message => $letter, client => '203.0.113.7');
like $got, qr/^250 /, 'an attachment of the class: taken';
like $s->line($name, $s->queue_id($got)), qr/rule=deferred,.*cause=deferred
    |cause=deferred.*rule=deferred/x, 'and deferred, says the log';
my ($row) = wait_rows(1);
is "$row->{state} $row->{cause} $row->{rule}", 'held deferred deferred',
    'it is held';
is $row->{reason}, 'ext:bin in a.bin', 'with the reason';
like $s->send(body => "Your code is 123456\n"), qr/^250 /, 'a code';
ok my $code = $s->sink->next(20), 'does not wait';
unlike $code->{bytes}, qr/Subject: one/, 'for what came before';
like $s->send(attach => 'notes.txt'), qr/^250 /, 'another attachment';
ok $s->sink->next(20), 'neither';

# --- it comes by itself ---
store_has(deferred_after => '0s');
my $mail = $s->sink->next(20);
is $s->without_received($s->without_received($mail->{bytes})),
    $letter =~ s/\n/\r\n/gr, 'it arrives, byte for byte, without a mark';
unlike "@{ $mail->{rcpt} }", qr/NEVER/, 'with what its sender is told of it';
($row) = wait_rows(1, '--state', 'released');
like "$row->{state} $row->{by}", qr/^released deferred scan/,
    'the quarantine knows why';
my ($id) = $row->{reply} =~ /queued as (\w+)/;
like $s->line($name, $id), qr/verdict=accept, rule=clean,.*203\.0\.113\.7/,
    'it was scanned again, as what came from its client';
my ($event) = Gatehouse::Journal->about("$dir/state/$name", $id);
is $event->{'gatehouse.antivirus.again'}, 'deferred', 'the journal says so';
is scalar(rows('--cause', 'deferred', '--state', 'held')), 0,
    'nothing waits twice';

# --- newer signatures find it ---
store_has(deferred_after => '1d');
my @to = map { "$_\@gatehouse.test" } qw(u1 u2);
send_bin('virus', rcpt => \@to, body => "with NEWBAD in it\n");
is scalar(wait_rows(2, '--state', 'held')), 2, 'two wait';
put("$dir/sigs", "NEWBAD\n");
store_has(deferred_after => '0s');
my @found = wait_rows(2, '--cause', 'virus');
is_deeply [ map { "$_->{state} $_->{recipient}" }
    sort { $a->{recipient} cmp $b->{recipient} } @found ],
    [ map { "held $_" } @to ],
    'a virus now: held for it, not refused, which would be a bounce';
is_deeply [ $s->sink->rest ], [], 'nobody got it';
is as_user('release', $found[0]), 'forbidden', 'and he cannot have it';

# --- in order, though the first has trouble ---
put("$dir/sigs", "no such text\n");
store_has(deferred_after => '1d');
send_bin("order $_", rcpt => 'o@gatehouse.test') for 1 .. 3;
send_bin('elsewhere', rcpt => 'p@gatehouse.test');
is scalar(wait_rows(4, '--state', 'held', '--cause', 'deferred')), 4,
    'four wait';
my ($one) = grep { $_->{subject} =~ /order 1/ }
    rows('--cause', 'deferred', '--state', 'held');
is as_user('release', $one), 'forbidden', 'nobody releases his own meanwhile';
$s->allow(qr/error: engine one: down/, qr/postfix.*warning: .*[mM]ilter/);
put("$dir/broken", '');
store_has(deferred_after => '0s');
$s->log->wait_for(qr/rule=not-scanned-engine/, 20);
my @waiting = wait_rows(2, '--cause', 'deferred', '--state', 'releasing');
is_deeply [ sort map { $_->{subject} } @waiting ], [ 'elsewhere', 'order 1' ],
    'the first of each line is tried, 451; the others stay behind it';
$s->kill_milter('store');
$s->kill_milter($name);
$s->allow(qr/were not in the index/);
unlink "$dir/broken";
$s->start_milter($name);
$s->start_milter('store');
my @order;
for (1 .. 4) {
	my ($subject) = $s->fields(($s->sink->next(30) // {})->{bytes} // '',
	    'Subject');
	push @order, $subject;
}
is_deeply [ grep { /order/ } @order ], [ map { "order $_" } 1 .. 3 ],
    'after kill -9 of store and milter: each once, in order';
is scalar(grep { /elsewhere/ } @order), 1, 'and the other line';
is_deeply [ $s->sink->rest ], [], 'none twice';

# --- nobody can scan it in time ---
$s->allow(qr/waited for a second look and was not let go/);
put("$dir/broken", '');
send_bin('late', rcpt => 'l@gatehouse.test');
is scalar(rows('--recipient', 'l@gatehouse.test')), 0,
    'what the first scan could not look at is not taken';
unlink "$dir/broken";
store_has(deferred_after => '1d');
send_bin('late', rcpt => 'l@gatehouse.test');
is scalar(wait_rows(1, '--recipient', 'l@gatehouse.test')), 1, 'it waits';
put("$dir/broken", '');
store_has(deferred_after => '0s', deferred_deadline => '1s');
($row) = wait_rows(1, '--recipient', 'l@gatehouse.test', '--state', 'held');
my $end = time + 20;
sleep 0.1 while ($row) = rows('--recipient', 'l@gatehouse.test') and
    !($row->{state} eq 'held' && $row->{tries}) && time < $end;
like "$row->{state} $row->{reply}", qr/^held 4\d\d/,
    'over its deadline: held for an administrator, with the last answer';
store_has(deferred_after => '1d', deferred_deadline => '2d');
unlink "$dir/broken";
send_bin('later', rcpt => 'd@gatehouse.test');
is scalar(wait_rows(1, '--recipient', 'd@gatehouse.test')), 1,
    'another waits';
put("$dir/broken", '');
store_has(deferred_after => '0s', deferred_deadline => '1s',
    deferred_fallback => 'deliver');
$mail = $s->sink->next(20);
like $mail->{bytes}, qr/^Subject: later/m, 'it is delivered';
like $mail->{bytes}, qr/^X-Gatehouse-Antivirus: not scanned; reason=engine/m,
    'and says that nobody has scanned it again';
unlink "$dir/broken";

# --- kill -9 at any instant: each once, in the order of its line ---
# Those that have part in taking a message.
sub postfix_children {
	my $master = $s->pf->master_pid;

	my @children;

	for (glob '/proc/[0-9]*/stat') {
		open my $f, '<', $_ or next;
		push @children, $1 if (<$f> // '') =~
		    /^(\d+) \((?:smtpd|cleanup)\) \S $master /;
	}
	return @children;
}

SKIP: {
	skip 'GATEHOUSE_FULL is not set', 4 unless $ENV{GATEHOUSE_FULL};
	my $seed = $ENV{GATEHOUSE_SEED} // time;
	my (%seen, %queued, @disorder);

	$s->allow(qr/postfix\/\w+\[/, qr/cannot be written down/,
	    qr/ended with messages under way/);
	srand $seed;
	diag "GATEHOUSE_SEED=$seed";
	store_has(deferred_after => '1d', deferred_deadline => '2d');
	for my $n (1 .. 5) {
		send_bin("kill $n", rcpt => "k$_\@gatehouse.test") for 1 .. 6;
	}
	is scalar(wait_rows(30, '--state', 'held', '--cause', 'deferred',
	    '--text', 'kill')), 30, 'thirty wait';
	store_has(deferred_after => '0s');
	# The milter twice: a message that was under way three times is poison.
	for my $who (($name) x 2, ('store') x 6) {

		sleep rand 0.4;
		$s->kill_milter($who);
		kill 'KILL', postfix_children() if rand() < 0.5;
		$s->start_milter($who);
	}
	while (my $mail = $s->sink->next(keys %seen < 30 ? 60 : 2)) {
		my ($n) = ($s->fields($mail->{bytes}, 'Subject'))[0] =~
		    /kill (\d)/ or next;
		my ($to) = "@{ $mail->{rcpt} }" =~ /<(k\d)/;

		$seen{"$to $n"}++;
	}
	is scalar(keys %seen), 30, 'thirty arrive';
	is_deeply [ grep { $seen{$_} > 1 } sort keys %seen ], [],
	    'each once';
	# Long queue ids grow with time.
	for my $row (rows('--text', 'kill', '--state', 'released')) {
		my ($n) = $row->{subject} =~ /(\d)/;

		($queued{ $row->{recipient} }[$n]) = $row->{reply} =~
		    /(?:queued as|before, as) (\w+)/;
	}
	for my $ids (values %queued) {
		push @disorder, grep { ($ids->[$_] // '') le
		    ($ids->[$_ - 1] // '') } 2 .. 5;
	}
	is_deeply [ scalar(keys %queued), @disorder ], [ 6 ],
	    'Postfix was given those of one recipient in order';
}
$s->done;
