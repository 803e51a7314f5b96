#!/usr/bin/perl
# T05 behind a real Postfix: one message whose worker dies in the middle of its
# scan, whenever it comes. It is put off three times, then held as poison, which
# is said once; others pass meanwhile.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);

use Gatehouse::Journal;
use Gatehouse::Suite;

my $name = 'antivirus-multiscan';
my $s = Gatehouse::Suite->new;
my $dir = $s->dir;

plan skip_all => 'NOT BUILT: the cells' unless
    -x "$ENV{GATEHOUSE_BUILD}/cells/clamav/gatehouse-cell-clamav";
mkdir "$dir/db";
open my $db, '>', "$dir/db/test.ndb" or die;
print $db 'Test.Virus:0:*:' . unpack('H*', 'a virus, for a test') . "\n";
close $db;

# Without self-tests: one whose worker is killed would take the engine down.
$s->milter($name, clamav_database => "$dir/db", clamav_look => '1h',
    clamav_workers => 2, max_signature_age => '0s', self_test => '0s',
    crash => 'tempfail', cache => 0, deadline => '60s');
$s->postfix;
$s->allow(qr/error: poison: a message has ended its scanner 4 times/,
    qr/postfix.*warning: .*[mM]ilter/);

sub slurp {
	my ($path) = @_;

	open my $f, '<', $path or return '';
	local $/;
	return scalar(<$f>) // '';
}

sub workers {
	my $pid = $s->process($name)->pid;
	my ($zygote) = grep { slurp("/proc/$_/cmdline") =~ /cell-clamav/ }
	    map { split ' ', slurp("$_/children") }
	    glob "/proc/$pid/task/*";

	return split ' ', slurp("/proc/$zygote/task/$zygote/children");
}

# Until the daemon says that so many messages are being scanned for so many
# that were ever: what it wrote before does not count.
sub wait_for_it {
	my ($messages) = @_;

	for (1 .. 400) {
		my $is = eval { JSON::PP::decode_json(
		    slurp("$dir/state/$name/antivirus.json")) } // {};

		return 1 if ($is->{under_way} // 0) == 1 &&
		    $is->{messages} == $messages;
		sleep 0.05;
	}
	return 0;
}

my $letter = $s->letter(rcpt => 'us@gatehouse.test', body => "text\n" x 100);
my $killer = $letter =~ s/^Subject: .*/Subject: the killer/mr;
my $messages = 0;

for my $try (1 .. 4) {
	# Workers that ended are made again when somebody wants one.
	like $s->send(message => $letter), qr/^250 /, 'others pass';
	ok $s->sink->next(30), 'and arrive';
	$messages += 2;
	my ($c, @all) = ($s->connection, workers());

	kill 'STOP', @all;
	$s->log->mark;
	$c->command($_) for 'MAIL FROM:<a@client.test>',
	    'RCPT TO:<us@gatehouse.test>', 'DATA';
	$c->write($killer =~ s/\n/\r\n/gr . ".\r\n");
	ok wait_for_it($messages), 'it is being scanned';
	kill 'KILL', @all;
	like $c->answer, $try <= 3 ? qr/^451 4\.7\.1 / : qr/^250 /,
	    "time $try: " . ($try <= 3 ? 'put off' : 'held');
	ok $s->log->wait_for(qr/rule=not-scanned-crash/, 30),
	    'and it is known why';
	$c->quit;
}
is scalar(() = $s->log->lines(qr/error: poison:/)), 1, 'which is said once';
my @queue = $s->pf->queue;
is_deeply [ map { $_->{queue_name} } @queue ], [ 'hold' ],
    'one is in the hold queue';
my ($event) = Gatehouse::Journal->about("$dir/state/$name",
    $queue[0]{queue_id});
is $event->{'gatehouse.cause'}, 'poison', 'as poison';
$s->done;
