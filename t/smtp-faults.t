#!/usr/bin/perl
# A milter that is stopped, wedged, out of reach or killed costs time, never
# mail, and nothing passes unfiltered. T01, T02, T06, T07 of the test plan.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(main => { milter_command_timeout => '2s',
    milter_connect_timeout => '2s' })->milter('probe', mark => 'seen');
$s->postfix;
$s->allow(qr/postfix.*warning: .*[mM]ilter/,
    qr/warning: the last run ended with messages under way/);

# The word is for the probe; the answer.
sub send_word {
	my ($word, %m) = @_;

	return $s->send(header => "X-Probe: $word\n", %m);
}

sub marked { scalar $s->fields($_[0]{bytes}, 'X-Mark') }

# Everything that arrived since, which must have passed the milter.
sub arrived {
	my ($want, $what) = @_;

	$s->sink->wait_count($s->{arrived} += $want, 20);
	my @mail = $s->sink->rest;
	is scalar @mail, $want, $what;
	is scalar(grep { marked($_) == 1 } @mail), $want, 'and was filtered';
	return @mail;
}

like send_word('accept'), qr/^250 /, 'all is well';
arrived(1, 'arrived');

# --- T01 ---
my $path = $s->socket_path('probe');
my ($quick, $slow) = (4, 9);
for (
	[ 'stopped', $quick, sub { $s->stop_milter('probe') },
	    sub { $s->start_milter('probe') } ],
	[ 'socket removed', $quick, sub { rename $path, "$path.away" },
	    sub { rename "$path.away", $path } ],
	[ 'mode 000', $quick, sub { chmod 0, $path },
	    sub { chmod 0660, $path } ],
	[ 'SIGSTOP', $slow, sub { $s->signal_milter('probe', 'STOP') },
	    sub { $s->signal_milter('probe', 'CONT') } ],
) {
	my ($what, $patience, $break, $mend) = @$_;

	$break->();
	my $start = time;
	like send_word('accept'), qr/^451 4\.7\.1 /, "$what: 451";
	cmp_ok time - $start, '<', $patience + 1, 'soon enough';
	$mend->();
	like send_word('accept'), qr/^250 /, 'mended';
	arrived(1, 'the second only');
}

# --- T06: a crash, then more mail on the same connection ---
my $c = $s->connection;
like send_word('crash', on => $c), qr/^451 /, 'crash: 451';
$s->process('probe')->wait;
$s->start_milter('probe');
like send_word('accept', on => $c), qr/^(250|451) /, 'the second' for 1 .. 2;
my $late = ($s->replies->{end} // [ '' ])->[0];
$c->close;
like send_word('accept'), qr/^250 /, 'a new connection';
$s->sink->wait_count($s->{arrived} + 1);
sleep 0.3;
my @mail = $s->sink->rest;
$s->{arrived} += @mail;
is scalar(grep { marked($_) == 1 } @mail), scalar @mail,
    'T06: nothing passed unfiltered';

# --- T07: no state crosses a RSET, an aborted DATA or the last dot ---
$c = $s->connection;
like send_word('reject', on => $c), qr/^550 /, 'first rejected';
like send_word('accept', on => $c), qr/^250 /, 'second accepted';
$c->command('MAIL FROM:<left@client.test>');
$c->command('RCPT TO:<left@gatehouse.test>');
like $c->reset, qr/^250 /, 'RSET';
like send_word('accept', on => $c, rcpt => 'right@gatehouse.test'),
    qr/^250 /, 'third accepted';
like send_word('reject', on => $c), qr/^550 /, 'fourth rejected';
like send_word('accept append', on => $c), qr/^250 /, 'fifth accepted';
like send_word('accept', on => $c), qr/^250 /, 'sixth accepted';
$c->quit;
@mail = arrived(4, 'T07: four arrived');
is_deeply [ sort map { join ',', map { s/ .*//r } @{ $_->{rcpt} } } @mail ],
    [ '<right@gatehouse.test>', ('<us@gatehouse.test>') x 3 ],
    'no recipient left over';
is_deeply [ sort map { join ', ', $s->fields($_->{bytes}, 'X-Probe'),
    $s->fields($_->{bytes}, 'X-Appended') } @mail ],
    [ ('accept') x 3, 'accept append, by probe' ], 'no edit left over';
$c = $s->connection;
$c->command($_) for 'MAIL FROM:<a@client.test>',
    'RCPT TO:<gone@gatehouse.test>', 'DATA';
$c->write("Subject: half a\r\nX-Probe: rej");
$c->close('reset');
like send_word('accept'), qr/^250 /, 'after an aborted DATA';
arrived(1, 'the whole one only');

# --- T02: kill -9 under load ---
my ($senders, $kills) = (5, $ENV{GATEHOUSE_FULL} ? 60 : 6);
my $enough = $s->dir . '/enough';

# Sends letters, each until it is taken, until there is enough. Writes their
# number, and what odd things were said.
sub sender {
	my ($me) = @_;
	my ($odd, $n) = ('', 0);

	until (-e $enough) {
		my $tries = 0;
		my $got = '';
		$n++;
		while ($got !~ /^250/ && $tries++ < 400) {
			$got = eval { $s->send(message_id => "$me.$n\@load",
			    rcpt => "load$me\@gatehouse.test") } // "$@";
			$odd .= "$got\n" unless $got =~ /^(250|4\d\d|closed)/;
			sleep 0.05 if $got !~ /^250/;
		}
		$odd .= "$me.$n never taken\n" if $got !~ /^250/;
	}
	open my $f, '>', $s->dir . "/sender.$me" or die $!;
	print $f "$n\n$odd";
	close $f;
}

my @senders = map { my $me = $_;
    Gatehouse::Process->start_sub(sub { sender($me) }) } 1 .. $senders;
for (1 .. $kills) {
	sleep 0.05 + rand 0.4;
	$s->kill_milter('probe');
	sleep rand 0.2;
	$s->start_milter('probe');
}
open my $f, '>', $enough or die $!;
$_->wait(60) for @senders;
my ($sent, @odd) = (0);
for (1 .. $senders) {
	my ($n, @more) = Gatehouse::Log->new($s->dir . "/sender.$_")->lines;
	$sent += $n;
	push @odd, @more;
}
diag "T02: $sent messages, $kills times killed";
is join("\n", @odd), '', 'T02: only 250 and 4xx were said';
my %count;
$count{ ($s->fields($_->{bytes}, 'Message-ID'))[0] }++
    for arrived($sent, 'each message arrived');
is scalar keys %count, $sent, 'and each once';

$s->done;
