#!/usr/bin/perl
# Recipients who need different forms, through a real Postfix set up by the
# recipe: each gets his form once, whom a filter holds is held, and mail whose
# recipients agree goes its straight way.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

# Much is synced to disk here, and none of it has to outlive the test.
BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Journal;
use Gatehouse::Split;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(zone => <<'END');
client.test	TXT	"v=spf1 ip4:192.0.2.1 -all"
soft.test	TXT	"v=spf1 ~all"
END
my $store = Gatehouse::Store->new($s);
my %forms = (plain => {}, tag => { mark => 'tag' },
    strip => { strip => 'true' }, both => { mark => 'both', strip => 'true' });
my @forms = qw(plain tag strip both);
my %verdicts = (pass => {}, reject => { verdict => 'reject' },
    hold => { verdict => 'quarantine' }, drop => { verdict => 'discard' });
my @verdicts = qw(pass reject hold drop);
my (@users, @scope);

for my $form (@forms) {
	for my $verdict (@verdicts) {
		push @users, "$form-$verdict\@our.test";
		push @scope, { user => $users[-1], %{ $forms{$form} },
		    %{ $verdicts{$verdict} } };
	}
}
my ($plain, $tag, $strip, $both) = map { "$_-pass\@our.test" } @forms;
my $split = Gatehouse::Split->new($s, filters => [ qw(auth-check probe) ],
    users => [ @users, 'other@our.test' ],
    aliases => { 'list@our.test' => [ $plain, $tag ],
    'same@our.test' => [ $plain, 'other@our.test' ] });
open my $log, '>>', $s->log->path or die $!;	# none is made under /dev
$s->milter('auth-check', spf_fail => 'reject', spf_softfail => 'tag',
    scope => [ { user => $tag, spf_softfail => 'accept' } ]);
$s->milter('probe', scope => \@scope);
$s->service('track', maillogs => [ $s->dir . '/log/mail.log' ]);
$split->postfix(main => { smtputf8_enable => 'yes' });

# What a recipient of that form is to find.
sub form_of {
	my ($mail) = @_;
	my ($mark) = $s->fields($mail->{bytes}, 'X-Mark');

	return ($mark // '-') . ($mail->{bytes} =~ /\r\n\r\n.*PROBE!/s ?
	    ' stripped' : $mail->{bytes} =~ /\r\n\r\n.*probe/s ? ' whole' :
	    ' neither');
}
my %want = (plain => '- whole', tag => 'tag whole', strip => '- stripped',
    both => 'both stripped');

sub to { map { /<([^>]*)>/ } @{ $_[0]{rcpt} } }

# One message; the answer, and what came of it, when Postfix is done.
sub go {
	my (%m) = @_;
	my $got;

	$s->pf->log->mark;
	$got = $s->send(body => "a probe\n", %m);
	$s->pf->wait_queue_empty(20) unless $m{stays};
	return ($got, $s->sink->rest);
}

# --- a matrix: four forms, four verdicts ---
my @rows = map { my $k = $_; [ map { ($_ + $k) % 4 } 0 .. 3 ] } 0 .. 3;
push @rows, [ (0) x 4 ], [ 0, 0, 2, 1 ], [ (2) x 4 ], [ 3, 3, 3, 0 ];
if ($ENV{GATEHOUSE_FULL}) {
	@rows = map { my $n = $_; [ map { int($n / 4 ** $_) % 4 } 0 .. 3 ] }
	    0 .. 255;
}
for my $row (@rows) {
	my @who = map { "$forms[$_]-$verdicts[$row->[$_]]" } 0 .. 3;
	my %got;

	$store->clear;
	my ($answer, @mail) = go(rcpt => [ map { "$_\@our.test" } @who ]);
	if (!grep { $_ != 1 } @$row) {
		like $answer, qr/^550 5\.7\.1 refused by policy/,
		    "@who: refused";
		next;
	}
	like $answer, qr/^250 /, "@who: taken";
	for my $mail (@mail) {
		push @{ $got{$_} }, form_of($mail) for to($mail);
		push @{ $got{$_} }, 'marked' for map { $s->fields(
		    $mail->{bytes}, $_) } qw(X-Gatehouse-Split
		    X-Gatehouse-Seal);
	}
	push @{ $got{$_->[0]} }, $_->[1] for map { my $o = $_;
	    map { [ $_, $o->{kind} ] } @{ $o->{recipients} } }
	    $store->objects;
	is_deeply \%got, { map { ("$who[$_]\@our.test", [
	    $row->[$_] == 0 ? $want{$forms[$_]} : $row->[$_] == 3 ?
	    'deleted' : 'held' ]) } 0 .. 3 },
	    'each has what is meant for him, once';
}
is scalar($s->pf->log->lines(qr/from=<>/)), 0, 'and nobody got a bounce';
$store->clear;

# --- who agrees takes the straight way ---
my ($got, @mail) = go(rcpt => [ $plain, 'other@our.test', 'same@our.test' ]);
is scalar @mail, 1, 'recipients who agree: one copy';
is_deeply [ sort map { to($_) } @mail ], [ 'other@our.test', 'other@our.test',
    $plain, $plain ], 'for all of them, and members of an alias';
is scalar($s->pf->log->since_mark(qr/gatehouse-split|split-in/)), 0,
    'which never saw the splitter';
($got, @mail) = go(rcpt => $both);
is form_of($mail[0]), $want{both}, 'one alone has his form at once';
is scalar($s->pf->log->since_mark(qr/gatehouse-split|split-in/)), 0, 'too';

# --- an alias whose members differ is one recipient to a milter ---
($got, @mail) = go(rcpt => 'list@our.test', rcpt_args =>
    'NOTIFY=FAILURE ORCPT=rfc822;list@our.test');
is_deeply { map { my $m = $_; map { $_ => form_of($m) } to($m) } @mail },
    { $plain => $want{plain}, $tag => $want{tag} }, 'members of an alias';
is scalar(grep { /NOTIFY=FAILURE/ && /ORCPT=rfc822;list\@our\.test/ }
    map { "@{ $_->{rcpt} }" } @mail), 2, 'with what DSN says of the alias';

# --- DSN, UTF-8, eight bits ---
($got, @mail) = go(rcpt => [ $plain, $tag ], rcpt_args =>
    'NOTIFY=SUCCESS,DELAY', mail_args => 'RET=HDRS ENVID=x+2By');
is scalar(grep { $_->{mail} =~ / RET=HDRS/ && $_->{mail} =~ / ENVID=x\+2By/ &&
    "@{ $_->{rcpt} }" =~ /NOTIFY=SUCCESS,DELAY/ } @mail), 2,
    'DSN parameters arrive with both copies';
($got, @mail) = go(from => "s\xc3\xa4nder\@client.test",
    mail_args => 'SMTPUTF8 BODY=8BITMIME', rcpt => [ $plain, $strip ],
    body => "\xc3\xa4 probe \xff\n");
is scalar(grep { $_->{mail} =~ /^<s\xc3\xa4nder\@client\.test>.*SMTPUTF8/ &&
    $_->{mail} =~ /BODY=8BITMIME/ && $_->{bytes} =~
    /\r\n\r\n\xc3\xa4 (?i:probe!?) \xff\r\n\z/ } @mail), 2,
    'a sender in UTF-8, and eight bits';

# --- auth-check's own tag is for whom it is set, and for nobody else ---
($got, @mail) = go(rcpt => [ $plain, $tag ], from => 'a@soft.test',
    helo => 'soft.test');
is_deeply { map { my $m = $_; map { $_ => scalar(() = $s->fields($m->{bytes},
    'X-Gatehouse-Tag')) } to($m) } @mail }, { $plain => 1, $tag => 0 },
    'softfail: one has it tagged, the other has not';

# --- who was written to in secret ---
($got, @mail) = go(rcpt => [ $plain, $tag ], header => "To: $plain\n",
    message => "From: a\@client.test\nTo: $plain\nSubject: x\n\na probe\n");
my ($open) = grep { (to($_))[0] eq $plain } @mail;
unlike $open->{bytes}, qr/tag-pass/, 'nobody sees a BCC recipient';

# --- the origin is known in the second pass; what is found is found once ---
($got) = go(rcpt => [ $plain, $tag ]);
my @events = map { Gatehouse::Journal->about($s->dir . '/state/auth-check',
    $_) } $s->queue_id($got), map { /(\w+)\)$/ }
    $s->pf->log->since_mark(qr/split\/lmtp.*queued as/);
is_deeply [ map { $_->{'gatehouse.pass'} . ' ' . $_->{'source.ip'} } @events ],
    [ '1 192.0.2.1', ('2 192.0.2.1') x 2 ], 'the client, in both passes';
is scalar(keys %{ { map { $_->{'gatehouse.id'} => 1 } @events } }), 1,
    'and the identity';
like $s->send(rcpt => [ $plain, $tag ], client => '192.0.2.9',
    helo => 'client.test'), qr/^550 5\.7\./,
    'who is to be refused is refused in the first';

# --- forged marks, and the listener of the second pass ---
for my $rcpt ([ $plain ], [ $plain, $tag ]) {
	($got, @mail) = go(rcpt => $rcpt, header =>
	    "X-Gatehouse-Split: forged\nx-gatehouse-split: too\n");
	is scalar(map { $s->fields($_->{bytes}, 'X-Gatehouse-Split') } @mail),
	    0, scalar @$rcpt . ': a forged mark is gone';
	is scalar @mail, scalar @$rcpt, 'and the mail is there';
}
my $c = Gatehouse::Smtp->new(port => $split->port);
unlike $c->ehlo, qr/XCLIENT/, 'at the second listener nobody is another';
like $c->send(from => 'a@client.test', rcpt => $plain, message =>
    "X-Gatehouse-Split: forged\n\nx\n"), qr/^451 /,
    'and without a mark nothing is taken there';
$c->quit;
$s->allow(qr/only the splitter may hand in mail here/);

# --- gatehouse-track follows it, and counts each copy once ---
go(rcpt => [ $plain, $tag ], message_id => 'tracked@client.test');
my @told;
for (my $end = time + 20; @told != 2 && time < $end; sleep 0.2) {
	@told = map { [ /"((?:[^"]|"")*)"/g ] } grep { /tracked\@client/ }
	    split /\r\n/, ($s->gatehouse('report', '--state', $s->dir .
	    '/state', '--from', '1h', '--to', 'now'))[1];
}
is_deeply [ sort map { my $r = $_; join ' ', grep { /\@our|^sent$|^\S+\[/ }
    @$r } @told ], [ map { "$_ sent 127.0.0.1[127.0.0.1]:" . $s->sink->port }
    sort $plain, $tag ], 'each recipient is reported once';
my $tracked = ($s->gatehouse('explain', '--state', $s->dir . '/state',
    $told[0][3] // 'none'))[1];
like $tracked, qr/came through of/, 'and explained, both passes';

# --- the second pass refuses nothing ---
$store->clear;
($got, @mail) = go(rcpt => [ $plain, $tag ],
    header => "X-Probe: second/reject:$tag\n");
like $got, qr/^250 /, 'refused in the second pass: it was taken';
is_deeply [ map { to($_) } @mail ], [ $plain ], 'the other one gets his copy';
is_deeply [ map { @{ $_->{recipients} } } $store->objects ], [ $tag ],
    'and his is held';
is scalar($s->pf->log->since_mark(qr/status=bounced|from=<>/)), 0,
    'nobody hears of it';

# --- it tries again what failed, and no more ---
($got, @mail) = go(rcpt => [ $plain, $tag, $strip ], stays => 1,
    header => "X-Probe: second/tempfail:$tag\n");
my $id = $s->queue_id($got);
ok $s->pf->log->wait_for(qr/\Q$id\E: to=<\Q$tag\E>.*status=deferred/, 20),
    'one is deferred';
is $s->sink->wait_count($s->sink->{seen} + 2 - @mail, 10) > 0, 1,
    'the others come';
my ($queued) = grep { $_->{queue_id} eq $id } $s->pf->queue;
is_deeply [ map { $_->{address} } @{ $queued->{recipients} } ], [ $tag ],
    'and Postfix keeps it for him alone';
$s->pf->command('postsuper', '-d', $id);
$s->sink->rest;

# --- while the splitter is down mail waits ---
$s->stop_milter('splitter');
($got) = go(rcpt => [ $plain, $tag ], stays => 1);
$id = $s->queue_id($got);
ok $s->pf->log->wait_for(qr/\Q$id\E: to=<\Q$plain\E>.*status=deferred/, 20),
    'no splitter: it waits';
$s->start_milter('splitter');
$s->pf->flush;
ok $s->pf->wait_queue_empty(30), 'and goes when it is back';
is scalar($s->sink->rest), 2, 'to both';

# --- what is released goes to each in his form, and is not held again ---
$store->clear;
my @held = map { "$_-hold\@our.test" } qw(plain tag);
($got, @mail) = go(rcpt => \@held, client => '192.0.2.1');
my ($object) = $store->objects;
is_deeply [ sort @{ $object->{recipients} } ], \@held, 'held for two';
($got, @mail) = go(rcpt => \@held, client => '127.0.0.1',
    from => 'sender@client.test', message => $store->release($object));
is_deeply { map { my $m = $_; map { $_ => form_of($m) } to($m) } @mail },
    { $held[0] => $want{plain}, $held[1] => $want{tag} },
    'released: each has his form';
is scalar(@{ [ $store->objects ] }), 1, 'and nothing was held again';

# --- without a store: on hold in Postfix, and then split all the same ---
delete $s->{house}{store_key};
$s->house;
for (qw(auth-check probe)) {
	$s->log->mark;
	$s->signal_milter($_, 'USR1');
	$s->log->wait_for(qr/\Q$_\E\S+ configuration reloaded/, 10);
}
($got) = go(rcpt => [ $plain, $tag ], stays => 1, header =>
    "X-Probe: hold\n");
$id = $s->queue_id($got);
my ($on_hold) = grep { $_->{queue_id} eq $id } $s->pf->queue;
is $on_hold->{queue_name}, 'hold', 'without a store: on hold in Postfix';
$s->pf->command('postsuper', '-H', $id);
$s->pf->command('postqueue', '-i', $id);
ok $s->pf->wait_queue_empty(30), 'let go';
is_deeply { map { my $m = $_; map { $_ => form_of($m) } to($m) }
    $s->sink->rest }, { $plain => $want{plain}, $tag => $want{tag} },
    'and each has his form';

$s->allow(qr/cannot be split now/);
$s->done;
