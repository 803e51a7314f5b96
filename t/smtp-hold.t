#!/usr/bin/perl
# Holding and releasing through a real Postfix. T19: a client that resets after
# the last dot and comes again makes one object. T22: the last recipient is
# never removed. T50: what was released is not held again, and a mark from
# outside is worth nothing. T15, T16: full, without inodes, read-only: 451, and
# it heals without a restart.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Store;
use Gatehouse::Suite;

my @filters = qw(probe-head probe);
my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my %release = (local_header_rewrite_clients => '',
    receive_override_options => 'no_address_mappings');

@{ $s->{house} }{qw(inbound outbound)} = (\@filters, \@filters);
$s->milter($_, deadline => '20s') for @filters;
$s->milter('chain', filters => \@filters, deadline => '20s', -socket => 0,
    -program => Gatehouse::Suite::build() . '/t/gatehouse-probe-chain');
my @apart = map { "unix:gatehouse/$_/sock" } @filters;
my @hosted = ('unix:gatehouse/chain/sock');
$s->{main}{virtual_alias_maps} =
    'inline:{ { list@gatehouse.test = a@gatehouse.test, b@gatehouse.test } }';
$s->postfix(services => [ { name => 'chain', milters => \@hosted },
    { name => 'release', milters => \@apart, options => \%release },
    { name => 'release-chain', milters => \@hosted,
    options => \%release } ]);

my ($one, $two) = map { "$_\@gatehouse.test" } qw(one two);
my $n = 0;

# What is in the sink now, once Postfix is done with these queue ids: "address
# address", sorted.
sub arrived {
	my (@ids) = @_;

	$s->pf->log->wait_for(qr/qmgr\[\d+\]: \Q$_\E: removed/, 20) for @ids;
	return sort map { join ' ', map { s/^<|>.*//gr } @{ $_->{rcpt} } }
	    $s->sink->rest;
}

sub sent {
	my ($words, %m) = @_;

	$s->pf->log->mark;
	my $got = $s->send(header => "X-Probe: $words\n", %m);
	return ($got, $s->queue_id($got));
}

# --- for one recipient, for all ---
for my $form (undef, 'chain') {
	my $name = $form // 'apart';

	$store->clear;
	my ($got, $id) = sent("probe-head/hold:$two:spam",
	    rcpt => [ $one, $two ], service => $form);
	like $got, qr/^250 /, "$name: taken";
	is_deeply [ arrived($id) ], [ $one ], 'the one gets it';
	is_deeply [ map { "@{ $_->{recipients} }" } $store->objects ], [ $two ],
	    'it is held for the other';
	($got, $id) = sent('probe/hold:list@gatehouse.test:spam',
	    rcpt => [ $one, 'list@gatehouse.test' ], service => $form);
	is_deeply [ arrived($id) ], [ $one ],
	    'an alias is removed with all whom it stands for';

	$store->clear;
	($got, $id) = sent('probe/hold cause:virus', rcpt => [ $one, $two ],
	    service => $form);
	like $got, qr/^250 /, 'held for all: taken';
	my ($o) = $store->objects;
	is_deeply $o->{recipients}, [ $one, $two ], 'for both';
	is_deeply [ $s->pf->queue ], [], 'Postfix has nothing of it';
	is $o->{queue_id}, $id, 'and knows it by that id';
	($got) = sent("probe/hold:$one:virus", rcpt => [ $one ],
	    service => $form);
	like $got, qr/^250 /, 'the last recipient: taken';
	is_deeply [ arrived() ], [], 'nothing arrives';
	is scalar(my @all = $store->objects), 2, 'there is an object';
	my ($last) = grep { @{ $_->{recipients} } == 1 } $store->objects;
	is $last->{recipients}[0], $one, 'for him';
}

# --- T19: the client goes away after the last dot, and comes again ---
$store->clear;
my $letter = $s->letter(rcpt => $one, from => 'a@client.test',
    header => "X-Probe: probe/hold cause:spam\n");
for my $try (1 .. 3) {
	my $c = $s->connection;
	$s->log->mark;
	$c->command($_) for 'MAIL FROM:<a@client.test>', "RCPT TO:<$one>",
	    'DATA';
	$c->write($letter =~ s/\n/\r\n/gr . ".\r\n");
	setsockopt $c->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
	    or die $!;
	close $c->{socket};
	ok $s->log->wait_for(qr/gatehouse-probe\[\d+\]: \w+: verdict=quar/),
	    "reset after the dot, try $try";
	is scalar(my @all = $store->objects), 1, 'one object';
}
like $s->send(message => $letter, rcpt => $one, from => 'a@client.test'),
    qr/^250 /, 'with a client that waits';
is scalar(my @all = $store->objects), 1, 'still one';

# --- T50: released ---
my %odd = (
	plain => "a probe\n",
	dots => ".\n..\n.x\n",
	'8 bit' => "M\xfcller \xe2\x82\xac\n",
	'long line' => 'x' x 5000 . "\n",
	'blank lines' => "\n\n\n",
	'300 kB' => "some more of it\n" x 20_000,
);
my $head = "From: a\@client.test\nSubject:no space\nX-Folded: one\n\ttwo\n" .
    "   three\nX-Blanks: x  \t\nX-Eight: M\xfcller\nReceived: from x\n\tby " .
    "y; yesterday\nTo: Undisclosed\n";

sub held_one {
	my ($name, $form) = @_;

	$store->clear;
	$s->sink->rest;
	# The first of two filters edits, so the copy is not what came.
	my $got = $s->send(message => "X-Probe: probe-head/append " .
	    "probe/hold cause:spam\n$head\n$odd{$name}",
	    from => 'a@client.test', rcpt => [ $one, $two ], service => $form,
	    client => '203.0.113.7', helo => 'far.test');
	like $got, qr/^250 /, "$name: held";
	my ($o) = $store->objects;
	return $o;
}

sub given_back {
	my ($text, $to, $form) = @_;

	$s->pf->log->mark;
	my $got = $s->send(message => $text, from => 'a@client.test',
	    rcpt => $to, client => '127.0.0.1', helo => 'mx.gatehouse.test',
	    service => $form ? "release-$form" : 'release');
	return ($got, $s->queue_id($got));
}

for my $form (undef, 'chain') {
	for my $name ($form ? ('plain') : sort keys %odd) {
		my $o = held_one($name, $form);
		my ($got, $id) = given_back($store->release($o,
		    to => [ $one ]), $one, $form);

		is scalar(my @o = $store->objects), 1,
		    "$name: not held again";
		$s->pf->log->wait_for(qr/qmgr\[\d+\]: \Q$id\E: removed/, 20);
		my ($mail) = $s->sink->rest;
		is_deeply [ map { s/ .*//r } @{ $mail->{rcpt} } ],
		    [ "<$one>" ], 'it arrives';
		is scalar($s->fields($mail->{bytes}, $_)), 0, "without $_"
		    for 'X-Gatehouse-Release', 'X-Gatehouse-Seal';
		# What the filters add they add once more.
		is $s->without_received($mail->{bytes}) =~
		    s/^X-Appended: by probe\r\n//mr, $store->body($o),
		    'as it was held';
		for my $event (map { Gatehouse::Journal->about($s->dir .
		    "/state/$_", $id) } $form // @filters) {
			my $f = $event->{'event.module'};
			is $event->{'source.ip'}, '203.0.113.7',
			    "$f knows who brought it first";
			is $event->{'gatehouse.helo'}, 'far.test', 'his HELO';
			is $event->{'network.direction'}, 'inbound',
			    'and its direction';
			is $event->{'gatehouse.release'}, $o->{id},
			    'and the object';
			is $event->{'gatehouse.rule'}, $f eq 'probe' ?
			    'released' : 'accept', 'the rule';
		}
	}
}

# --- T50: what is no release ---
my $o = held_one('plain');
my $good = $store->release($o, to => [ $one ]);
my ($mark) = $good =~ /\A(X-Gatehouse-Release:.*?\r\n)(?![ \t])/s;
my $bytes = $store->body($o);
my %false = (
	'no mark' => [ $bytes, $one ],
	'another recipient' => [ $good, $two ],
	'expired' => [ $store->release($o, to => [ $one ], seconds => -1),
	    $one ],
	'good for too long' => [ $store->release($o, to => [ $one ],
	    seconds => 1e6), $one ],
	'other bytes' => [ "$good.", $one ],
	'another field' => [ $mark . "X-More: 1\r\n$bytes", $one ],
	'a digit of the MAC' => [ $good =~ s/(m=[0-9a-f]*)([0-9a-f])/
	    $1 . ($2 eq '0' ? 1 : 0)/er, $one ],
	'rubbish' => [ "X-Gatehouse-Release: v=1; c=spam;\r\n" .
	    "x-gatehouse-release:\r\n$bytes", $one ],
);
for my $name (sort keys %false) {
	my ($text, $to) = @{ $false{$name} };

	$store->clear;
	my ($got) = given_back($text, $to);
	like $got, qr/^250 /, "$name: taken";
	my @held = $store->objects;
	is scalar(@held), 1, 'and held again';
	unlike $store->body($held[0]), qr/X-Gatehouse-Release/i,
	    'without the field';
	is $held[0]{ip}, '127.0.0.1', 'as from whom it came';
}

# The mark is right, but now it is something else that is found.
$store->clear;
$s->options('probe', cause => 'virus');
$s->log->mark;
$s->signal_milter('probe', 'USR1');
ok $s->log->wait_for(qr/probe\[\d+\]: configuration reloaded/), 'reloaded';
my ($got) = given_back($good, $one);
like $got, qr/^250 /, 'another cause: taken';
my ($virus) = $store->objects;
is $virus->{cause}, 'virus', 'and held for that';
is $virus->{ip}, '203.0.113.7', 'as from who sent it first';
$s->options('probe', cause => '');
$s->signal_milter('probe', 'USR1');
ok $s->log->wait_for(qr/probe\[\d+\]: configuration reloaded/), 'reloaded';

# --- T15, T16: no room ---
sub mounted {
	my ($options) = @_;

	return system('mount', '-t', 'tmpfs', '-o', $options, 'tmpfs',
	    $store->dir) == 0;
}

sub remount { system('mount', '-o', "remount,$_[0]", $store->dir) == 0 }

SKIP: {
	skip 'NO tmpfs can be mounted here', 1 unless mounted('size=1m');
	my $big = 'x' x 70 . "\n";
	$s->allow(qr/warning: \w+: cannot be held: /);
	$s->pf->log->mark;
	for my $case ([ 'full', 'size=64k', 'size=1m' ],
	    [ 'no inodes', 'nr_inodes=1', 'nr_inodes=0' ],
	    [ 'read-only', 'ro', 'rw' ]) {
		my ($name, $bad, $well) = @$case;
		my @m = (body => $big x 3000, rcpt => [ $one, $two ]);

		$store->clear;
		ok remount($bad), "$name: remounted";
		my ($got) = sent("probe/hold:$two:spam append", @m);
		like $got, qr/^451 4\.7\.1 /, "$name: 451";
		is_deeply [ $store->files ], [], 'no half file is left';
		ok remount($well), 'there is room again';
		($got, my $id) = sent("probe/hold:$two:spam append", @m);
		like $got, qr/^250 /, 'taken without a restart';
		is_deeply [ arrived($id) ], [ $one ], 'the one gets it';
		is scalar(my @o = $store->objects), 1, 'and one object';
	}
	system('umount', $store->dir);
}

$s->done;
