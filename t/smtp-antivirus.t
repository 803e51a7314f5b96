#!/usr/bin/perl
# antivirus-multiscan behind a real Postfix: what becomes of a virus in either
# direction, of a message while an engine is down and after it was mended (T24),
# of nine messages while a tenth ends its worker (T04), of bombs and of what is
# too deep or too large (T25); and what `gatehouse antivirus status` says.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Suite;

my $eicar = 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-' .
    'ANTIVIRUS-TEST-FILE!$H+H*';
my $name = 'antivirus-multiscan';
my $s = Gatehouse::Suite->new;
my $dir = $s->dir;
my $sanitized = `nm -D $ENV{GATEHOUSE_BUILD}/milters/$name/gatehouse-$name
    2>/dev/null` =~ /__asan_init/;

plan skip_all => 'NOT BUILT: the cells' unless
    -x "$ENV{GATEHOUSE_BUILD}/cells/clamav/gatehouse-cell-clamav";
mkdir "$dir/db";
put("$dir/db/test.ndb", 'Test.Eicar:0:*:' . unpack('H*', $eicar) . "\n");
# The second engine: down while there is a file "broken".
put("$dir/second", "#!/bin/sh\n[ -e $dir/broken ] && exit 9\n" .
    "grep -q EICAR && { echo Eicar; exit 1; }\nexit 0\n");
chmod 0755, "$dir/second";

sub put {
	my ($path, $bytes) = @_;

	open my $f, '>:raw', $path or die "$path: $!";
	print $f $bytes;
	close $f or die "$path: $!";
}

my $status = "$dir/state/$name/antivirus.json";

# What the daemon writes from now on.
sub fresh_status {
	my ($want) = @_;
	my $end = time + 30;

	while (time < $end) {
		my $is = eval {
			open my $f, '<', $status or die;
			local $/;
			JSON::PP::decode_json(scalar <$f>);
		};
		return $is if $is && $want->($is);
		sleep 0.05;
	}
	return {};
}

sub attached {
	my ($bytes, $file) = @_;

	return "From: a\@client.test\nTo: us\@gatehouse.test\nSubject: x\n" .
	    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" .
	    "--b\nContent-Type: text/plain\n\nSee there.\n--b\nContent-Type: " .
	    "application/octet-stream; name=\"$file\"\n" .
	    "Content-Transfer-Encoding: base64\n\n" . encode_base64($bytes) .
	    "--b--\n";
}

# The line about what Postfix answered last.
sub rule {
	my ($line) = $s->log->wait_for(
	    qr/gatehouse-\Q$name\E\[\d+\]: \S+: verdict=/, 30);

	return ($line // '') =~ /\brule=([\w-]+)/ ? $1 : 'none';
}

sub sent {
	my (%m) = @_;

	$s->log->mark;
	return $s->send(%m);
}

$s->milter($name, engines => [ 'clamav', "second=command:$dir/second" ],
    min_engines => 2, clamav_database => "$dir/db", clamav_look => '1h',
    clamav_workers => 10, max_signature_age => '0s', self_test => '300ms',
    crash => 'tempfail', cache => 0, deadline => '60s', threads => 8,
    member_bytes => '1M');
$s->postfix;

# --- clean, infected ---
my $letter = $s->letter(rcpt => 'us@gatehouse.test', body => "M\xfcller\n" .
    "some text\n" x 2000, attach => 'notes.txt');
like sent(message => $letter), qr/^250 /, 'a clean letter is taken';
is rule(), 'clean', 'as clean';
my $mail = $s->sink->next(30);
is $s->without_received($mail->{bytes} // ''), $letter =~ s/\n/\r\n/gr,
    'and arrives byte for byte';

my $infected = attached($eicar, 'a.com');
my $got = sent(message => $infected);
like $got, qr/^250 /, 'inbound: a virus is held';
is rule(), 'virus', 'as one';
is_deeply [ map { $_->{queue_name} } $s->pf->queue ], [ 'hold' ],
    'in the hold queue';
my $id = $s->queue_id($got);
my $line = $s->line($name, $id);
like $line, qr/verdict=quarantine,\ rule=virus,.*
    \(Test\.Eicar\.UNOFFICIAL\ in\ a\.com,\ says\ clamav\)/x,
    'the log has its name, its place, the engine';
my ($event) = Gatehouse::Journal->about("$dir/state/$name", $id);
is $event->{'gatehouse.antivirus.name'}, 'Test.Eicar.UNOFFICIAL',
    'and so has the journal';
is $event->{'gatehouse.antivirus.item'}, 'a.com', 'with the item';
$got = sent(message => $infected, client => '198.51.100.9');
like $got, qr/^550 5\.7\.1 /, 'outbound: refused';
unlike $got, qr/clamav|Eicar/i, 'without a word of who found what';
$s->options($name, infected => 'discard');
$s->signal_milter($name, 'USR1');
$s->log->wait_for(qr/reloaded|configuration/i, 30);
like sent(message => $infected), qr/^250 /, 'discarded: taken';
is rule(), 'virus', 'as a virus';
is_deeply [ map { $_->{queue_id} } $s->pf->queue ], [ $id ],
    'and gone';

# --- status ---
my $is = fresh_status(sub { 2 == grep { $_->{passed} }
    @{ $_[0]{engines} } });
is_deeply [ map { $_->{name} } @{ $is->{engines} } ],
    [ qw(clamav second) ], 'the status file has both engines';
my ($exit, $text) = $s->gatehouse('antivirus', 'status', '--config',
    $s->conf);
is $exit, 0, 'gatehouse antivirus status: all is well';
like $text, qr/engine\ clamav:\ up,\ clamav\ [\d.]+,\ 1\ signatures,
    \ the\ newest\ \d+\ (s|min)\ old;\ self-test\ passed/x,
    'version, number, age, self-test';
like $text, qr/engine second: up/, 'both engines';
($exit, $text) = $s->gatehouse('antivirus', 'status', '--json', '--state',
    "$dir/state");
is eval { JSON::PP::decode_json($text)->[0]{engines}[0]{name} }, 'clamav',
    'and as JSON';
is +($s->gatehouse('antivirus', 'status', '--state', "$dir/conf"))[0], 66,
    'where no daemon has written';
is +($s->gatehouse('antivirus'))[0], 64, 'a verb of the verb is wanted';

# --- T24: one of two engines that are asked for goes away ---
$s->allow(qr/error: engine second: down/,
    qr/postfix.*warning: .*[mM]ilter/);
$s->log->mark;
put("$dir/broken", '');
like sent(message => $letter), qr/^451 4\.7\.1 /, 'too few engines: 451';
is rule(), 'not-scanned-engine', 'not scanned, not clean';
$s->log->mark;
ok $s->log->lines(qr/error: engine second: down/) ||
    $s->log->wait_for(qr/error: engine second: down/, 30), 'which is said';
like sent(message => $infected), qr/^250 /,
    'what the other finds is held all the same';
fresh_status(sub { grep { !$_->{up} } @{ $_[0]{engines} } });
($exit, $text) = $s->gatehouse('antivirus', 'status', '--config', $s->conf);
is $exit, 1, 'status: something is wrong';
like $text, qr/engine second: DOWN.*FAILED/, 'and what';
like $text, qr/1 ENGINES WORK, 2 are asked for/, 'and what it means';
$s->log->mark;
unlink "$dir/broken";
ok $s->log->wait_for(qr/engine second: it works again/, 30), 'mended';
$got = sent(message => $letter);
like $got, qr/^250 /, 'and mail flows';
ok $s->sink->next(30), 'and arrives';
is scalar(() = $s->log->lines(qr/error: engine second: down/)), 1,
    'said once, whatever the number of tests';

# --- T04: ten messages are being read; the worker of one dies ---
# Those of the one zygote there is, when there are so many.
sub workers {
	my ($least) = @_;

	for (1 .. 400) {
		my @all = zygotes();
		my @workers = @all == 1 ? split ' ',
		    slurp("/proc/$all[0]/task/$all[0]/children") : ();

		return @workers if @workers >= $least;
		sleep 0.05;
	}
	return ();
}

sub zygotes {
	my $pid = $s->process($name)->pid;
	my @zygotes = map { split ' ', slurp("$_/children") }
	    glob "/proc/$pid/task/*";

	return grep { slurp("/proc/$_/cmdline") =~ /cell-clamav/ } @zygotes;
}

sub slurp {
	my ($path) = @_;

	open my $f, '<', $path or return '';
	local $/;
	return scalar(<$f>) // '';
}

my @workers = workers(10);
is scalar(@workers), 10, 'ten workers wait';
kill 'STOP', @workers;
my @sessions = map { $s->connection } 1 .. 10;
$s->log->mark;
for my $c (@sessions) {
	$c->command($_) for 'MAIL FROM:<a@client.test>',
	    'RCPT TO:<us@gatehouse.test>', 'DATA';
	$c->write($letter =~ s/\n/\r\n/gr . ".\r\n");
}
fresh_status(sub { $_[0]{under_way} == 10 });
kill 'KILL', $workers[4];
kill 'CONT', @workers;
my @answers = map { $_->answer } @sessions;
is scalar(grep { /^250 / } @answers), 9, 'nine notice nothing';
is scalar(grep { /^451 4\.7\.1 / } @answers), 1,
    'the one whose worker died is not clean';
is scalar(() = $s->log->since_mark(qr/rule=not-scanned-crash/)), 1,
    'and it is known why';
$_->quit for @sessions;
ok $s->sink->next(30), 'they arrive' for 1 .. 9;
$is = fresh_status(sub { $_[0]{engines}[0]{scans}{crashed} });
is $is->{engines}[0]{scans}{crashed}, 1, 'the crash is counted';

# --- T25: too much ---
sub zipped {
	my ($file, $bytes) = @_;

	chdir $dir;
	unlink 'made.zip';
	put("$dir/$file", $bytes);
	system("zip -q -j made.zip $file") == 0 or die 'zip';
	return slurp("$dir/made.zip");
}

SKIP: {
	skip 'NO TOOL zip', 1 unless `which zip`;
	open my $f, '>', "$dir/zeros" or die;
	truncate $f, 300_000_000;
	system("cd $dir && zip -q -9 -j bomb.zip zeros") == 0 or die 'zip';
	my $deep = zipped('0.txt', 'here');
	$deep = zipped("$_.zip", $deep) for 1 .. 20;
	my %too = (
		'a bomb of 300 MB in ' . int((-s "$dir/bomb.zip") / 1000) .
		    ' kB' => slurp("$dir/bomb.zip"),
		'zips nested 20 deep' => $deep,
		'a member that is too large' => zipped('x', join '',
		    map { chr(rand 256) } 1 .. 1_200_000),
	);

	for my $what (sort keys %too) {
		like sent(message => attached($too{$what}, 'a.zip')),
		    qr/^250 /, $what;
		is rule(), 'not-scanned-limit', 'is declared not scanned';
	}
	my $peak = $s->usage($name)->{peak};
	cmp_ok $peak, '<', 400_000, "memory stays bounded ($peak kB)"
	    unless $sanitized;
}

$s->done;
