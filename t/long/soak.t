#!/usr/bin/perl
# T62: mail of all kinds while the milter is killed, stopped, wedged, reloaded
# with good and with broken files, cut off; in an order that its seed gives.
# GATEHOUSE_SOAK_SECONDS long (1500), then the oracle: what got a 250 arrived
# once, or was to be discarded; nothing else arrived; nothing unfiltered.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Suite;

my $seconds = $ENV{GATEHOUSE_SOAK_SECONDS} // 1500;
my $seed = $ENV{GATEHOUSE_SEED} // int rand 2**31;
my $senders = 4;
my $s = Gatehouse::Suite->new(main => { milter_command_timeout => '3s',
    milter_connect_timeout => '3s' })->milter('probe', mark => 'seen');
$s->postfix;
$s->allow(qr/postfix.*warning: .*[mM]ilter/, qr/configuration not reloaded/,
    qr/warning: the last run ended with messages under way/,
    qr/warning: stopped with \d+ messages under way/);
diag "seed $seed, $seconds s";

my $until = time + $seconds;
my @words = (('accept') x 6, 'append body', 'grow', 'insert delete', 'empty',
    'reject', 'tempfail', 'discard', 'trouble');

# Sends until time is up; a line "ID WORD CODE" for each answer.
sub sender {
	my ($me) = @_;
	my $n = 0;

	srand $seed + $me;
	open my $f, '>', $s->dir . "/sender.$me" or die $!;
	while (time < $until) {
		my $word = $words[rand @words];
		my $id = "<$me." . ++$n . '@soak>';
		my $size = rand() < 0.05 ? 3_000_000 : rand 60_000;
		my $body = ("a probe in a line of a letter\n" x
		    (1 + $size / 30));
		my $got = eval { $s->send(header => "X-Probe: $word\n",
		    message_id => $id =~ s/[<>]//gr, body => $body) } // "$@";
		printf $f "%s %s %s\n", $id, $word =~ s/ .*//r,
		    $got =~ s/\s.*//sr;
		sleep rand 0.1 if $got =~ /^4/;
	}
	close $f;
}

my @faults = (
	sub { $s->kill_milter('probe'); sleep rand 1;
	    $s->start_milter('probe') },
	sub { $s->stop_milter('probe'); $s->start_milter('probe') },
	sub { $s->signal_milter('probe', 'STOP'); sleep rand 4;
	    $s->signal_milter('probe', 'CONT') },
	sub { $s->signal_milter('probe', 'USR1') },
	sub { $s->options('probe', nonsense => 5);
	    $s->signal_milter('probe', 'USR1'); sleep 0.3;
	    delete $s->{by}{probe}{options}{nonsense};
	    $s->options('probe'); $s->signal_milter('probe', 'USR1') },
	sub { my $p = $s->socket_path('probe'); chmod 0, $p; sleep rand 1;
	    chmod 0660, $p },
	sub { sleep rand 5 },
);

my @processes = map { my $me = $_;
    Gatehouse::Process->start_sub(sub { sender($me) }) } 1 .. $senders;
srand $seed;
my $count = 0;
while (time < $until) {
	sleep 0.5 + rand 3;
	$faults[rand @faults]->();
	$count++;
}
$_->wait(180) for @processes;
diag "$count faults";

# Rest a while, then look at what it holds on to.
$s->stop_milter('probe');
$s->start_milter('probe');
my (%said, %told);
for my $line (map { Gatehouse::Log->new($s->dir . "/sender.$_")->lines }
    1 .. $senders) {
	my ($id, $word, $code) = split / /, $line;
	$said{$id} = [ $word, $code ];
	$told{$code}++;
}
diag join ', ', map { "$_: $told{$_}" } sort keys %told;
is join(' ', grep { !/^(250|4\d\d|550|closed)/ } keys %told), '',
    'nothing odd was said';
my @due = grep { $said{$_}[1] eq '250' && $said{$_}[0] ne 'discard' }
    keys %said;
$s->sink->wait_count(scalar @due, 120);
my (%came, $unfiltered);
while (my $mail = $s->sink->next(0)) {
	$came{ ($s->fields($mail->{bytes}, 'Message-ID'))[0] }++;
	$unfiltered++ unless $s->fields($mail->{bytes}, 'X-Mark') == 1;
}
is join(' ', grep { !$came{$_} } @due), '', 'what got its 250 arrived';
is join(' ', grep { $came{$_} > 1 } keys %came), '', 'once';
is join(' ', grep { my $m = $said{$_}; !$m || $m->[0] eq 'discard' ||
    $m->[1] !~ /^(250|closed)/ } keys %came), '', 'and nothing else did';
is $unfiltered // 0, 0, 'nothing unfiltered';

# Memory: the same mail twice over on one process, flat the second time.
sub load {
	$s->send(body => "a probe\n" x 20000, header => "X-Probe: body\n")
	    for 1 .. 100;
	return $s->usage('probe');
}
load();
my $first = load();
my $second = load();
cmp_ok $second->{rss}, '<', $first->{rss} + 4096, 'memory is flat';
is $second->{fds}, $first->{fds}, 'and so are descriptors';

$s->done;
