#!/usr/bin/perl
# gatehouse doctor on gatehouse-store, -track and -sandbox: each finding
# provoked once, and mended by what it says.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Doctor;
use Gatehouse::Sandbox;
use Gatehouse::Store;
use Gatehouse::Suite;

plan skip_all => 'doctor wants root' if $> != 0;

my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my $maillog = $s->dir . '/mail.log';

sub append {
	my ($age, $text) = @_;

	open my $f, '>>', $maillog or die "$maillog: $!";
	print $f strftime('%Y-%m-%dT%H:%M:%S.000000+00:00',
	    gmtime(time - $age)), " mx postfix/$text\n";
	close $f;
}

append(4000, 'qmgr[7]: AAAA01: removed');
my $door = IO::Socket::UNIX->new(Local => $s->dir . '/portal', Listen => 5)
    or die $!;
$s->{house}{portal} = $s->dir . '/portal';
$s->service('store', reserve => 0, scan => '200ms',
    key => $s->dir . '/store.key', download_scanners => [ $s->dir . '/none' ]);
my $box = Gatehouse::Sandbox->start(dir => $s->dir . '/box');
$s->service('sandbox', url => $box->url('generic'), api => 'generic',
    poll => '100ms', retry => '100ms', timeout => '1s');
$s->service('track', maillogs => [ $maillog ])->daemons;
mkdir $s->dir . '/postfix';
for (qw(main.cf master.cf)) {
	open my $f, '>', $s->dir . "/postfix/$_" or die $!;
}

my $d = Gatehouse::Doctor->new($s, postfix_dir => $s->dir . '/postfix');

# An object of that age, as a filter leaves it.
sub hold {
	my ($age) = @_;

	open my $f, '>', $s->dir . '/message' or die $!;
	print $f "Subject: x\r\n\r\n", 'x' x 2000, "\r\n";
	close $f;
	my $id = `$ENV{GATEHOUSE_BUILD}/t/store-hold @{[ $s->dir ]}/store.pub \\
	    @{[ $store->dir ]} spam a\@b.test c\@our.test \\
	    <@{[ $s->dir ]}/message`;
	chomp $id;
	utime time - $age, time - $age, $store->dir . "/$id";
	return $id;
}

sub reload {
	my $end = time + 20;
	my $was = $s->log->lines(qr/store\S+ configuration reloaded/);

	$s->options('store', @_);
	$s->signal_milter('store', 'USR1');
	sleep 0.02 while time < $end &&
	    $s->log->lines(qr/store\S+ configuration reloaded/) == $was;
}

# What was there before is read.
my $end = time + 20;
sleep 0.1 while $d->look('track') && time < $end;
$d->well(qw(store track));

# --- store ---
$s->kill_milter('store');
$d->heals($d->finds('store.down', 'it was killed', says => qr{/store/sock}));
$s->signal_milter('store', 'STOP');
push @{ $d->{args} }, '--timeout', 2;
$d->heals($d->finds('store.silent', 'it stands still'));
splice @{ $d->{args} }, -2;
$s->kill_milter('store');
hold(1000);
$d->heals($d->finds('store.behind', 'an object waits for long',
    with => [ 'store.down' ], says => qr/1 objects wait .* 16 minutes/));
is_deeply [ $store->files ], [], 'it came in';
$s->allow(qr/the quarantine is (?:nearly )?full/);
my ($status, $text) = $s->gatehouse('store', 'stats', '--json',
    '--state-directory', $s->dir . '/state');
my ($bytes) = $text =~ /"stored": *(\d+)/;
reload(quota => int $bytes * 1.1);
$d->heals($d->finds('store.nearly-full', 'its quota is nearly used up'),
    sub { reload(quota => 0) });
reload(quota => $bytes);
$d->heals($d->finds('store.closed', 'its quota is used up'),
    sub { reload(quota => 0) });

unlink $s->dir . '/portal';
$d->heals($d->finds('store.no-portal', 'nobody listens where links lead to',
    says => qr{/portal: No such file}), sub {
	$door = IO::Socket::UNIX->new(Local => $s->dir . '/portal',
	    Listen => 5) or die $!;
});

# --- track ---
$s->kill_milter('track');
$d->heals($d->finds('track.down', 'it was killed'));
$s->signal_milter('track', 'STOP');
push @{ $d->{args} }, '--timeout', 2;
$d->heals($d->finds('track.silent', 'it stands still'));
splice @{ $d->{args} }, -2;
$s->kill_milter('track');
append(1200, 'qmgr[7]: AAAA02: removed');
$d->heals($d->finds('track.behind', 'the log has lines that nobody read',
    with => [ 'track.down' ], says => qr/20 minutes ago/));
$s->kill_milter('track');
append(20, 'qmgr[7]: AAAA03: removed');
$d->heals($d->finds('track.down', 'lines of this minute are no lag'));
rename $maillog, "$maillog.away";
$d->heals($d->finds('track.no-log', 'the log is not there'),
    sub { rename "$maillog.away", $maillog });

# --- sandbox ---
my $status_file = $s->dir . '/state/sandbox/status.json';

# Until it is in the status that it waits for.
sub sandbox_says {
	my ($want) = @_;
	my $end = time + 20;

	while (time < $end) {
		open my $f, '<', $status_file or next;
		return if <$f> =~ $want;
		sleep 0.05;
	}
}

$d->well('sandbox');
$s->allow(qr/the sandbox is down/, qr/gatehouse-store does not answer/);
$box->mode('500');
$s->kill_milter('sandbox');
$s->start_milter('sandbox');
sandbox_says(qr/"up":false/);
$d->heals($d->finds('sandbox.no-answer', 'it answers nonsense',
    says => qr/it answered 500/), sub {
	$box->mode('ok');
	sandbox_says(qr/"up":true/);
});
$s->kill_milter('store');
sandbox_says(qr/"store":false/);
$d->heals($d->finds('sandbox.no-store', 'the quarantine is not there',
    with => [ 'store.down' ]), sub {
	$s->start_milter('store');
	sandbox_says(qr/"store":true/);
});
$s->kill_milter('sandbox');
unlink $status_file;
$d->heals($d->finds('sandbox.down', 'it has never run'),
    sub { sandbox_says(qr/./) });
$s->kill_milter('sandbox');
open my $f, '>', $status_file or die $!;
print $f '{"up":true,"store":true,"time":' . int(time - 600) . "}\n";
close $f;
$d->heals($d->finds('sandbox.down', 'it stands still',
    says => qr/for 10 minutes/), sub {
	sandbox_says(qr/"url"/);
});
$s->kill_milter('sandbox');
open $f, '>', $status_file or die $!;
print $f "what?\n";
close $f;
$d->heals($d->finds('sandbox.silent', 'what it wrote is no status'), sub {
	sandbox_says(qr/"url"/);
});

# --- who has none needs none ---
$s->kill_milter($_), unlink $s->conf . "/$_.conf" for qw(store track sandbox);
delete $s->{house}{store_key};
$s->house;
$d->well(qw(store track sandbox));

$d->provoked(qw(store track sandbox));
$s->done;
