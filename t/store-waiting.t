#!/usr/bin/perl
# What waits in the quarantine for a second look, with a sink where Postfix
# would be: who may ask for it and say what it is, what becomes of it, in which
# order it goes, and that a hold keeps it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX ();
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Sink;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $keys = Gatehouse::Store->new($s);
my $sink = Gatehouse::Sink->new(dir => $s->dir . '/sink');
my $json = JSON::PP->new->utf8;
my $state = $s->dir . '/state/store';
my $sandbox = (getpwnam 'nobody')[2];
my $user = (getpwnam 'daemon')[2];

$s->service('store', key => $s->dir . '/store.key', reserve => 0,
    release_server => '127.0.0.1:' . $sink->port, release_retry => '300ms',
    sandbox_users => [ 'nobody' ], users => [ 'daemon' ],
    deferred_after => '1d', deferred_deadline => '2d',
    sandbox_deadline => '1d')->daemons;

my $n = 0;

sub hold {
	my ($cause, @to) = @_;
	my $id;

	open my $f, '>', $s->dir . '/message' or die $!;
	print $f 'Subject: ' . ++$n . "\r\n\r\nGood day.\r\n";
	close $f;
	local $ENV{QUEUE_ID} = sprintf '4Zx%03d', $n;
	my $program = Gatehouse::Suite::build() . '/t/store-hold';
	$id = `$program $s->{dir}/store.pub $state/incoming $cause a\@b.test \\
	    @to <$s->{dir}/message`;
	chomp $id;
	for (my $end = time + 20; time < $end; sleep 0.02) {
		last if rows($id);
	}
	return $id;
}

# One question as that user (undef: as we are).
sub ask_as {
	my ($uid, %request) = @_;
	my $pid = open(my $out, '-|') // die "fork: $!";

	if ($pid == 0) {
		POSIX::setuid($uid) if defined $uid;
		my $c = IO::Socket::UNIX->new(Peer => "$state/sock");
		print $c $json->encode({ v => 1, %request }), "\n" if $c;
		my $line = $c ? <$c> // '{}' : '{}';
		my $bytes = $json->decode($line)->{bytes} // 0;
		my $message = '';
		read $c, $message, $bytes if $c;
		print $line, $message;
		close STDOUT;
		POSIX::_exit(0);
	}
	my $line = <$out> // '{}';
	local $/;
	my $answer = $json->decode($line);
	$answer->{message} = <$out> // '';
	return $answer;
}

sub ask { ask_as(undef, @_) }
sub rows { @{ ask(op => 'show', object => shift)->{rows} // [] } }

# Until it is so: "recipient state tries, ...".
sub states {
	my ($id, $want) = @_;
	my $is;

	for (my $end = time + 20; time < $end; sleep 0.02) {
		$is = join ', ', map { "$_->{recipient} $_->{state}" .
		    ($_->{state} eq 'held' ? " $_->{tries}" : '') } rows($id);
		last if $is eq $want;
	}
	return $is;
}

sub verdict {
	my ($id, $verdict) = @_;

	return ask_as($sandbox, op => 'sandbox-verdict', object => $id,
	    verdict => $verdict, reason => "so\nsays it");
}

sub subject { ($s->fields(($sink->next(20) // {})->{bytes} // '',
    'Subject'))[0] }

sub has {
	$s->log->mark;
	$s->options('store', @_);
	$s->signal_milter('store', 'USR1');
	$s->log->wait_for(qr/configuration reloaded/, 20);
}

# --- who may ask what ---
SKIP: {
	skip 'only root can be somebody else', 12 if $>;
	chmod 0755, $s->dir . '/state', $state;
	my $id = hold('sandbox', 'r@our.test', 's@our.test');
	my $spam = hold('spam', 'r@our.test');

	is_deeply [ map { $_->{object} } @{ ask_as($sandbox,
	    op => 'sandbox-list')->{rows} } ], [ $id, $id ],
	    'the sandbox sees what waits for it, and no more';
	my $raw = ask_as($sandbox, op => 'sandbox-raw', object => $id);
	like $raw->{message}, qr/\ASubject: 1\r\n\r\nGood day\.\r\n\z/,
	    'and gets it';
	is ask_as($sandbox, op => 'sandbox-raw', object => $spam)->{error},
	    'over', 'other mail it does not get';
	is ask_as($sandbox, op => 'sandbox-verdict', object => $spam,
	    verdict => 'clean')->{error}, 'over', 'nor judges it';
	for my $op (qw(list show raw release delete)) {
		is ask_as($sandbox, op => $op, object => $spam,
		    recipient => 'r@our.test')->{error}, 'forbidden',
		    "and may not $op";
	}
	is ask_as($user, op => 'sandbox-list')->{error}, 'forbidden',
	    'a mail user may not ask that';
	is ask_as($user, op => 'release', object => $id,
	    recipient => 'r@our.test')->{error}, 'forbidden',
	    'nor release what waits';
	is ask_as($sandbox, op => 'waiting')->{error}, 'forbidden',
	    'the figures are an administrator\'s';
	ask(op => 'delete', object => $id, recipient => $_) for
	    qw(r@our.test s@our.test);
}

# --- verdicts ---
$s->allow(qr/waited for a second look/);
my $id = hold('sandbox', 'r@our.test', 's@our.test');
is ask(op => 'sandbox-verdict', object => $id, verdict => 'nice')->{error},
    'bad-request', 'no such verdict';
$sandbox = undef if $>;
ok verdict($id, 'clean')->{ok}, 'clean';
is states($id, 'r@our.test released, s@our.test released'),
    'r@our.test released, s@our.test released', 'let go for each';
subject(), subject();
is verdict($id, 'malicious')->{error}, 'over', 'and that is final';
$id = hold('sandbox', 'r@our.test');
ok verdict($id, 'malicious')->{ok}, 'malicious';
is states($id, 'r@our.test held 1'), 'r@our.test held 1', 'kept';
is +(rows($id))[0]{reply}, 'malicious: so\x0asays it',
    'with the reason, in one line';
is verdict($id, 'clean')->{error}, 'over', 'nobody lets it go by mistake';
$id = hold('sandbox', 'r@our.test');
ask(op => 'hold', object => $id, on => JSON::PP::true);
is verdict($id, 'clean')->{error}, 'over', 'a hold keeps it';
ask(op => 'hold', object => $id, on => JSON::PP::false);
has(sandbox_fallback => 'deliver');
ok verdict($id, 'none')->{ok}, 'no answer, and deliver was chosen';
is states($id, 'r@our.test released'), 'r@our.test released', 'let go';
subject();

# --- order ---
my @ids = map { hold('deferred', 'o@our.test') } 1 .. 5;
my $figures = ask(op => 'waiting')->{deferred};
is $figures->{count}, 5, 'five wait';
cmp_ok $figures->{next}, '>', time + 80000, 'until tomorrow';
is +(rows($ids[0]))[0]{waits_until}, $figures->{next}, 'as each says';
has(deferred_after => '0s');
is_deeply [ map { subject() } @ids ], [ $n - 4 .. $n ], 'they go in order';
is states($_, 'o@our.test released'), 'o@our.test released', 'each'
    for @ids;
is_deeply [ $sink->rest ], [], 'once';
is ask(op => 'waiting')->{deferred}{count}, 0, 'none waits';

# --- a rebuild knows what waits ---
has(deferred_after => '1d');
$id = hold('deferred', 'q@our.test');
my $kept = hold('sandbox', 'q@our.test');
verdict($kept, 'malicious');
$s->gatehouse('store', 'rebuild', '--config', $s->conf, '--state-directory',
    $s->dir . '/state');
is states($id, 'q@our.test held 0'), 'q@our.test held 0',
    'the index made anew: it waits';
is states($kept, 'q@our.test held 1'), 'q@our.test held 1',
    'and what was judged is judged';
has(deferred_after => '0s');
is subject(), $n - 1, 'and goes';
$s->done;
