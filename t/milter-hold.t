#!/usr/bin/perl
# Who gets the message and what is kept of it: two daemons one after the other,
# and one that hosts both filters. The same answers, the same envelope, the
# same objects.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Milter;
use Gatehouse::Store;
use Gatehouse::Suite;

my @filters = qw(probe-head probe);
my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);

@{ $s->{house} }{qw(inbound outbound)} = (\@filters, \@filters);
$s->milter($_, deadline => '20s', mark => $_) for @filters;
$s->milter('chain', filters => \@filters, deadline => '20s',
    -program => Gatehouse::Suite::build() . '/t/gatehouse-probe-chain');
$s->daemons;

my ($one, $two, $three) = map { "$_\@gatehouse.test" } qw(one two three);
my $ids = 0;

sub text {
	my ($words, $more) = @_;

	return "X-Probe: $words\n" . ($more // '') . "Subject: held?\n" .
	    "Message-ID: <1\@client.test>\n\na probe\nof words\n";
}

# Through a list of daemons as Postfix would: each sees all recipients that the
# client gave (PITFALLS L11), and none after an answer that is not accept.
sub through {
	my ($m, $id, @daemons) = @_;
	my (@edits, $r, $held);
	my $message = $m->{message};

	for my $name (@daemons) {
		$r = $s->talk($name, %$m, message => $message, id => $id);
		push @edits, grep { $_->[0] =~ /rcpt|quarantine/ }
		    @{ $r->{edits} };
		$message = $r->{message};
		$held = defined $r->{quarantine};
		last if $r->{reply} ne 'accept' || $held;
	}
	my @rcpt = @{ $m->{rcpt} };
	for (@edits) {
		my ($what, $address) = ($_->[0], $_->[1] =~ s/^<|>$//gr);
		@rcpt = grep { $_ ne $address } @rcpt if $what eq 'delrcpt';
		push @rcpt, $address if $what eq 'addrcpt';
	}
	return { reply => $r->{reply}, $held ? (held => 1) : (),
	    $r->{reply} eq 'accept' ? (rcpt => [ sort @rcpt ],
	    message => $message) : () };
}

# [ what, words, recipients, answer, who gets it, objects as
#   "kind cause filter: recipients" ]
my @cases = (
	[ 'nothing', 'accept', [ $one ], 'accept', [ $one ] ],
	[ 'held for all', 'probe-head/hold cause:spam', [ $one, $two ],
	    'discard', undef, "held spam probe-head: $one $two" ],
	[ 'held without a cause', 'probe-head/hold', [ $one ], 'discard',
	    undef, "held policy probe-head: $one" ],
	[ 'held by the second', 'probe/hold cause:virus', [ $one ], 'discard',
	    undef, "held virus probe: $one" ],
	[ 'held for one', "probe-head/hold:$two:phishing", [ $one, $two,
	    $three ], 'accept', [ $one, $three ],
	    "held phishing probe-head: $two" ],
	[ 'by the second for one', "probe/hold:$two:dlp", [ $one, $two ],
	    'accept', [ $one ], "held dlp probe: $two" ],
	[ 'two causes', "probe/hold:$one:spam probe/hold:$two:virus",
	    [ $one, $two, $three ], 'accept', [ $three ],
	    "held spam probe: $one", "held virus probe: $two" ],
	[ 'two causes, nobody left', "probe/hold:$one:spam " .
	    "probe/hold:$two:virus", [ $one, $two ], 'discard', undef,
	    "held spam probe: $one", "held virus probe: $two" ],
	[ 'one by each', "probe-head/hold:$one:spam probe/hold:$two:virus",
	    [ $one, $two, $three ], 'accept', [ $three ],
	    "held spam probe-head: $one", "held virus probe: $two" ],
	[ 'one by each, nobody left', "probe-head/hold:$one:spam " .
	    "probe/hold:$two:spam", [ $one, $two ], 'discard', undef,
	    "held spam probe-head: $one", "held spam probe: $two" ],
	[ 'deleted for all', 'probe-head/discard cause:graymail', [ $one ],
	    'discard', undef, "deleted graymail probe-head: $one" ],
	[ 'deleted for one', "probe-head/discard:$one:spam", [ $one, $two ],
	    'accept', [ $two ], "deleted spam probe-head: $one" ],
	[ 'held and deleted', "probe-head/discard:$one:spam " .
	    "probe-head/hold:$two:spam", [ $one, $two ], 'discard', undef,
	    "deleted spam probe-head: $one", "held spam probe-head: $two" ],
	[ 'refused for one', "probe-head/reject:$one", [ $one, $two ],
	    'accept', [ $two ], "held policy probe-head: $one" ],
	[ 'refused for one, for a virus', "probe-head/reject:$one:virus",
	    [ $one, $two ], 'accept', [ $two ],
	    "held virus probe-head: $one" ],
	[ 'refused for all', 'probe-head/reject', [ $one, $two ],
	    qr/^550 5\.7\.1 / ],
	[ 'refused by the second', 'probe/reject', [ $one ], qr/^550 / ],
	[ 'refused for all who are left', "probe-head/hold:$one:spam " .
	    'probe/reject', [ $one, $two ], 'discard', undef,
	    "held spam probe-head: $one", "held policy probe: $two" ],
	[ 'refused for one, the other held', "probe/reject:$one " .
	    "probe/hold:$two:spam", [ $one, $two ], 'discard', undef,
	    "held policy probe: $one", "held spam probe: $two" ],
	[ 'deferred for one', "probe-head/tempfail:$one " .
	    "probe-head/hold:$two:spam", [ $one, $two, $three ],
	    qr/^451 4\.7\.1 / ],
	[ 'an address twice', "probe-head/hold:$one:spam", [ $one, $two, $one ],
	    'accept', [ $two ], "held spam probe-head: $one $one" ],
	[ 'rewritten, then held', "probe-head/recipient " .
	    'probe/hold:other@example.net:spam', [ $one, $two ], 'accept',
	    [ $two ], 'held spam probe: other@example.net' ],
	[ 'rewritten and held at once', "probe-head/recipient " .
	    "probe-head/hold:$one:spam", [ $one, $two ], 'accept', [ $two ],
	    "held spam probe-head: $one" ],
	[ 'edited for the rest', "probe/hold:$one:spam body append insert",
	    [ $one, $two ], 'accept', [ $two ], "held spam probe: $one" ],
	[ 'another sender', "probe-head/sender probe/hold:$one:spam",
	    [ $one, $two ], 'accept', [ $two ], "held spam probe: $one" ],
);

sub words_of {
	my ($o) = @_;

	return "$o->{kind} $o->{cause} $o->{filter}: " .
	    join ' ', @{ $o->{recipients} };
}

# All of a case that two forms must have in common.
sub outcome {
	my ($case, $form, @daemons) = @_;
	my ($what, $words, $rcpt) = @$case;
	my $id = sprintf '4Hold%04d', ++$ids;

	$store->clear;
	my $r = through({ client => '192.0.2.1', helo => 'helo.test',
	    rcpt => $rcpt, from => 'a@client.test',
	    message => text($words) }, $id, @daemons);
	my @objects = sort { words_of($a) cmp words_of($b) } $store->objects;
	is_deeply [ $store->strays ], [], "$what, $form: no strays";
	is $_->{queue_id}, $id, "$what, $form: its queue id" for @objects;
	my %logged = map { $_->{id} => $_ } map { @{ $_->{'gatehouse.objects'}
	    // [] } } map { Gatehouse::Journal->about($s->dir . "/state/$_",
	    $id) } @daemons;
	is_deeply [ sort keys %logged ], [ sort map { $_->{id} } @objects ],
	    "$what, $form: the journal names them";
	$r->{objects} = [ map { my $o = $_; my %same = map { $_ => $o->{$_} }
	    qw(id kind content sender recipients ip name helo direction
	    filter rule reason cause subject size);
	    $same{body} = $store->body($o); \%same } @objects ];
	return $r;
}

for my $case (@cases) {
	my ($what, $words, $rcpt, $reply, $left, @objects) = @$case;
	my $hosted = outcome($case, 'hosted', 'chain');
	my $apart = outcome($case, 'apart', @filters);

	if (ref $reply) {
		like $hosted->{reply}, $reply, "$what: the answer";
	} else {
		is $hosted->{reply}, $reply, "$what: the answer";
	}
	is_deeply $hosted->{rcpt}, defined $left ? [ sort @$left ] : undef,
	    "$what: who gets it";
	is_deeply [ map { words_of($_) } @{ $hosted->{objects} } ],
	    [ sort @objects ], "$what: what is kept";
	is_deeply $apart, $hosted, "$what: both forms do the same";
}

# --- the copy is the message as the filter found it ---
my $case = [ 'copy', "probe-head/append probe/insert probe/hold:$one:spam " .
    "probe/body", [ $one, $two ] ];
my $r = outcome($case, 'copy', @filters);
my $copy = $r->{objects}[0];
is $copy->{body} =~ s/\r\n/\n/gr, "X-Mark: probe-head\n" .
    text($case->[1]) =~ s/\n\n/\nX-Appended: by probe\n\n/r,
    'with the edits of earlier filters, without its own, without a seal';
like $r->{message}, qr/^X-Inserted: by probe\r\n.*PROBE!/ms,
    'the others get it with them';
is $copy->{sender}, 'a@client.test', 'the envelope';
is $copy->{ip}, '192.0.2.1', 'and who brought it';
is $copy->{reason}, 'asked for this one', 'and why';

# --- whom Postfix itself refused counts for nothing ---
$store->clear;
my %refused = (rcpt => [ $one, $two ], mailer => { $one => 'error' });
for my $words ('probe-head/hold', "probe-head/hold:$two") {
	$store->clear;
	is $s->talk('chain', %refused, message => text($words))->{reply},
	    'discard', "$words: nobody else is left";
	is_deeply [ map { @{ $_->{recipients} } } $store->objects ], [ $two ],
	    'it is held for the other alone';
}
is $s->talk('chain', %refused, message => text("probe-head/hold:$one"))
    ->{reply}, 'accept', 'nothing is held for him';

# --- a message that comes again is merged ---
$store->clear;
for (1 .. 3) {
	my $again = $s->talk('chain', rcpt => [ $one ], id => "4Again$_",
	    message => text('probe-head/hold cause:spam'));
	is $again->{reply}, 'discard', "time $_: taken";
	is scalar(my @all = $store->objects), 1, 'one object';
}
$store->clear;
my @at_once = Gatehouse::Milter->burst($s->socket_path('chain'), 20, sub {
	return (rcpt => [ $one ], id => "4Burst$_[0]", from => 'a@client.test',
	    message => text('probe-head/hold cause:spam')) });
is scalar(grep { $_->{reply} eq 'discard' } @at_once), 20,
    'twenty times at once: taken';
is scalar(@{[ $store->objects ]}), 1, 'one object';
is_deeply [ $store->strays ], [], 'and nothing else';
my ($event) = Gatehouse::Journal->about($s->dir . '/state/chain', '4Again3');
ok $event->{'gatehouse.objects'}[0]{merged}, 'the journal says merged';
is $event->{'gatehouse.cause'}, 'spam', 'and the cause';
like $s->line('chain', '4Again3'), 
    qr/=quarantine, rule=hold, cause=spam, object=[0-9a-f]{32}, held=1, /,
    'the log line has it too';

# --- the whole message counts, to its last byte ---
my $long = text('probe/hold cause:spam') . 'x' x 200_000;
for my $form ([ 'chain' ], \@filters) {
	$store->clear;
	for my $last (qw(a b a)) {
		is through({ rcpt => [ $one ], from => 'a@client.test',
		    message => "$long$last\n" }, "4Long$last", @$form)->{reply},
		    'discard', "@$form: a long one that ends in $last";
	}
	is scalar(@{[ $store->objects ]}), 2, 'two objects';
}

# --- facts of the envelope ---
$store->clear;
$s->talk('chain', rcpt => [ $one ], mail_args => [ 'SIZE=100',
    'BODY=8BITMIME', 'SMTPUTF8' ], message => text('probe-head/hold'));
my ($o) = $store->objects;
ok $o->{smtputf8} && $o->{'8bit'}, 'SMTPUTF8 and 8BITMIME are kept';

# --- mixed_reject = reject-all ---
$s->house(mixed_reject => 'reject-all');
$s->log->mark;
$s->signal_milter('chain', 'USR1');
ok $s->log->wait_for(qr/chain\[\d+\]: configuration reloaded/), 'reloaded';
$store->clear;
like $s->talk('chain', rcpt => [ $one, $two ],
    message => text("probe/reject:$one"))->{reply}, qr/^550 /,
    'reject-all: one refused, all refused';
like $s->talk('chain', rcpt => [ $one, $two, $three ], message =>
    text("probe-head/hold:$two:spam probe/reject:$one"))->{reply}, qr/^550 /,
    'after an earlier filter held too';
is_deeply [ $store->files ], [], 'and nothing is held';

# --- no room, no folder: 451, nothing edited, and it heals by itself ---
$s->allow(qr/warning: 4\w+: cannot be held: .*No such file or directory/);
rename $store->dir, $store->dir . '.away' or die $!;
for my $words ("probe/hold:$one:spam", 'probe-head/hold', 'probe/discard') {
	my $got = $s->talk('chain', rcpt => [ $one, $two ], id => '4Away',
	    message => text("$words append"));
	like $got->{reply}, qr/^451 4\.7\.1 /, "no folder, $words: 451";
	is_deeply $got->{edits}, [], 'and no edit';
}
my ($away) = Gatehouse::Journal->about($s->dir . '/state/chain', '4Away');
is $away->{'gatehouse.verdict'}, 'tempfail', 'the journal says so';
is $away->{'gatehouse.objects'}, undef, 'and names no object';
rename $store->dir . '.away', $store->dir or die $!;
is $s->talk('chain', rcpt => [ $one ],
    message => text('probe-head/hold'))->{reply}, 'discard',
    'the folder is back: held';

$s->done;
