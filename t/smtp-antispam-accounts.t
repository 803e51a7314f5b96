#!/usr/bin/perl
# An account that somebody else has taken over: ordinary days, then a burst to
# strangers through a real Postfix. It is held from some message on, the
# administrator is told once, nothing is lost, a kill and a reload change
# nothing, and a release lets all of it go.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;

use Gatehouse::Postfix;
use Gatehouse::Store;
use Gatehouse::Suite;

my $src = $ENV{GATEHOUSE_SRC} // "$FindBin::Bin/..";
my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my %port = map { $_ => Gatehouse::Postfix::free_port() } qw(notice release);
my ($anna, $otto, $it) = map { "$_\@gatehouse.test" } qw(anna otto it);
my $burst = $ENV{GATEHOUSE_FULL} ? 1000 : 300;

# Days pass where its clock can be moved: not under a sanitizer, which wants to
# be loaded first.
my ($faketime) = glob '/usr/lib/*/faketime/libfaketime.so.1';
my $clock = $s->dir . '/clock';
my $program = Gatehouse::Suite::build() .
    '/milters/antispam/gatehouse-antispam';
$faketime = undef if `ldd $program` =~ /lib[at]san/;
diag 'NOT TESTED: days (no libfaketime, or a sanitizer)' unless $faketime;
clock(0);
sub clock {
	my ($days) = @_;

	open my $f, '>', "$clock.new" or die "$clock: $!";
	printf $f "%+d\n", $days * 86400;
	close $f or die $!;
	rename "$clock.new", $clock;
}

$s->{house}{inbound} = $s->{house}{outbound} = [ 'antispam' ];
$s->milter('antispam', model => "$src/milters/antispam/antispam.model",
    outbound_burst => 40, outbound_at => 101,
    outbound_newsletters => [ 'news.gatehouse.test' ],
    scope => [ { user => 'defer@gatehouse.test', outbound_burst => 2,
    outbound_burst_action => 'tempfail' }, { user => 'free@gatehouse.test',
    outbound_burst => 2, outbound_burst_action => 'none' } ],
    -env => $faketime ? { LD_PRELOAD => $faketime, NO_FAKE_STAT => 1,
    FAKETIME_TIMESTAMP_FILE => $clock, FAKETIME_NO_CACHE => 1,
    FAKETIME_DONT_FAKE_MONOTONIC => 1 } : {});
$s->service('store', key => $store->{key},
    release_server => "127.0.0.1:$port{release}", users => [ 'nobody' ],
    notices => $s->conf . '/notices.conf');
$s->conf_write('notices.conf', server => "127.0.0.1:$port{notice}",
    packaged_templates => "$src/etc/templates", admins => [ $it ]);
$s->postfix(services => [ { name => 'notice', port => $port{notice} },
    { name => 'release', port => $port{release},
    milters => [ 'unix:gatehouse/antispam/sock' ], options => {
	local_header_rewrite_clients => '',
	receive_override_options => 'no_address_mappings' } } ]);
my @config = ('--config', $s->conf);

sub letter {
	my ($login, $to, $subject, %more) = @_;

	return $s->send(xclient => { LOGIN => $login }, from => $login,
	    rcpt => $to, subject => $subject, %more);
}

# What the sink has got, by subject; waits for so many.
sub arrived {
	my ($want, $patience) = @_;
	my %got;

	for (1 .. $want) {
		my $mail = $s->sink->next($patience // 20) or last;
		my ($subject) = $mail->{bytes} =~ /^Subject: (.*?)\r?$/m;
		$got{$subject}++;
	}
	return \%got;
}

sub accounts {
	my (@args) = @_;
	my ($status, $out) = $s->gatehouse('spam', 'accounts', @args, @config);

	return ($status, $out);
}

# --- twenty ordinary days ---
my $normal = 20;
for my $day (1 .. $normal) {
	clock($day - 1 - $normal);
	like letter($anna, "partner" . $day % 5 . '@far.test', "day $day",
	    body => "On day $day all is well. " . 'x' x $day), qr/^250 /,
	    "day $day" if $faketime || $day < 3;
}
clock(0);
my $days = $faketime ? $normal : 2;
is scalar(keys %{ arrived($days) }), $days, 'ordinary mail is delivered';
like +(accounts('list'))[1], qr/\A\z/, 'nobody is held';
like +(accounts('list', '--all'))[1], qr/^free .* \Q$anna\E: /m,
    'but known';

# --- the burst ---
my $text = "Dear customer, your payment was released by the bank. Please " .
    "contact our agent and give him your name and address before the money " .
    "goes back to the treasury of the republic.\n";
my (@replies, @pids);
{
	my $c = $s->connection(xclient => { LOGIN => $anna });
	for my $n (1 .. $burst) {
		push @replies, $s->send(on => $c, from => $anna,
		    rcpt => "v$n\@d$n.test", subject => "burst $n",
		    body => "$text $n\n");
		next if $n != int $burst / 2;
		$c->quit;
		$s->log->mark;
		$s->signal_milter('antispam', 'USR1');
		ok $s->log->wait_for(qr/antispam\[\d+\]: configuration rel/,
		    20), 'a reload in between';
		push @pids, $s->process('antispam')->pid;
		$s->kill_milter('antispam');
		$s->start_milter('antispam');
		$c = $s->connection(xclient => { LOGIN => $anna });
	}
	$c->quit;
}
is scalar(grep { /^250 / } @replies), $burst, 'the client is not told';
my @lines = $s->log->lines(qr/antispam\[\d+\]: .*verdict=quarantine/);
my $held = @lines;
cmp_ok $held, '>=', $burst - 90, "most of it is held ($held of $burst)";
cmp_ok $held, '<=', $burst - 39, 'but not the first';
is scalar(grep { /rule=account-held/ } @lines), $held, 'for the account';
like $lines[0], qr/\(account \Q$anna\E: \d+ recipients lately, usually /,
    'which says why';
is scalar(() = $s->log->lines(qr/antispam\[\d+\]: warning: account \Q$anna\E/)),
    1, 'the log warns once';
$s->allow(qr/warning: account \S+: /);
my $got = arrived($burst - $held + 1);
is scalar(grep { /^burst / } keys %$got), $burst - $held,
    'what was not held is delivered';
my @alerts = grep { !/^burst / } keys %$got;
is scalar(@alerts), 1, 'the administrator is told' or diag "@alerts";
is arrived(1, 1)->{ $alerts[0] // '' }, undef, 'once';

# --- who, and what else ---
my ($status, $out) = accounts('list');
like $out, qr/^held  .* $held  \Q$anna\E: .*recipients lately/m,
    'the command says who is held';
my $json = JSON::PP::decode_json((accounts('show', uc $anna, '--json'))[1]);
is $json->[0]{messages_held}, $held, 'and how much of it';
like letter($otto, 'p@far.test', 'otto'), qr/^250 /, 'others go on';
is arrived(1)->{otto}, 1, 'and arrive';
like letter($anna, 'otto@gatehouse.test', 'inside'), qr/^250 /,
    'mail inside is counted for nobody';
is arrived(1)->{inside}, 1, 'and arrives';

# --- settings: an answer instead, none at all, a newsletter ---
for my $who ('defer', 'free', 'news') {
	my @to = map { "n$_\@e$_.test" } 1 .. 40;
	my $head = $who eq 'news' ? "List-Id: <news.gatehouse.test>\n" : '';
	my $r = letter("$who\@gatehouse.test", \@to, $who, body => $text x 2,
	    header => $head);

	like $r, $who eq 'defer' ? qr/^451 4\.7\.1 account sends unusually/ :
	    qr/^250 /, "$who: as it is set";
	is arrived(1)->{$who}, 1, 'it goes out' unless $who eq 'defer';
}

# --- release ---
is +(accounts('release', $otto))[0], 1, 'who is not held';
is +(accounts('release', $anna))[0], 0, 'who is';
like letter($anna, 'p@far.test', 'again'), qr/^250 /, 'sends again';
is arrived(1)->{again}, 1, 'at once';
($status, $out) = $s->gatehouse('quarantine', 'list', '--cause', 'account',
    '--limit', 1000, '--json', @config);
my @rows = map { JSON::PP::decode_json($_) } grep { /^\{/ } split /\n/, $out;
is scalar(@rows), $held, 'all that was held is there';
# All of them with GATEHOUSE_FULL, else some.
splice @rows, 40 unless $ENV{GATEHOUSE_FULL};
for my $row (@rows) {
	my ($rc, $said) = $s->gatehouse('quarantine', 'release',
	    $row->{object}, '--all', @config);
	diag $said if $rc != 0;
}
my $back = arrived(scalar @rows);
is scalar(grep { /^burst / } keys %$back), @rows, 'and goes out, all of it';
is scalar(grep { $got->{$_} } grep { /^burst / } keys %$back), 0,
    'nothing twice';
is +(accounts('forget', $anna))[0], 0, 'an account is forgotten';
is +(accounts('show', $anna))[0], 1, 'then there is none';

push @pids, $s->process('antispam')->pid;
$s->done;

# A process under libfaketime leaves two pieces of shared memory.
END { unlink map { ("/dev/shm/faketime_shm_$_",
    "/dev/shm/sem.faketime_sem_$_") } @pids }
