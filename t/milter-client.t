#!/usr/bin/perl
# The harness itself: its milter client against a milter that does as told.
use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Fake;
use Gatehouse::Milter;

my $dir = tempdir(CLEANUP => 1);
my $text = "Received: x\nSubject: a\n\tfolded\nX-Dup: 1\nX-Dup: 2\n" .
    "X-Dup: 3\n\nbody\n";

sub frame { Gatehouse::Milter::frame(@_) }
sub fake { Gatehouse::Fake->new("$dir/sock", @_) }
sub client { Gatehouse::Milter->new("$dir/sock", @_) }

# What it was shown, by way of a header it adds.
my $seen = '';
my $fake = fake(on => {
	(map { my $c = $_; $c => sub {
		my ($conn, $data) = @_;
		$conn->{seen} .= $c . $data =~ s/\0/|/gr =~ s/\n/~/gr;
		return frame('c');
	} } qw(H M R L B)),
	E => sub { frame('h', "X-Seen\0$_[0]{seen}\0") . frame('c') },
});
my $m = client;
my $r = $m->message(message => $text, rcpt => [ 'a@b', 'c@d' ],
    from => '', helo => 'h');
is $r->{reply}, 'accept', 'accepted';
is $r->{stage}, 'end', 'at the end';
is_deeply $r->{edits}, [ [ 'addheader', 'X-Seen', 'Hh|M<>|R<a@b>|R<c@d>|' .
    "LReceived|x|LSubject|a~\tfolded|LX-Dup|1|LX-Dup|2|LX-Dup|3|Bbody\r~" ] ],
    'it saw all, and we saw its edit';
$r = $m->message(message => "A: b\n\n");
unlike $r->{edits}[0][2], qr/Hclient/, 'no second HELO in a session';
$m->quit;
$fake->stop;

$fake = fake(on => { E => sub {
	join '', frame('m', pack 'N Z* Z*', 3, 'X-Dup', ''),
	    frame('m', pack 'N Z* Z*', 1, 'X-Dup', ''),
	    frame('m', pack 'N Z* Z*', 1, 'subject', "b\n\tc"),
	    frame('i', pack 'N Z* Z*', 1, 'X-Top', 't'),
	    frame('b', "new\r\n"), frame('p'), frame('b', "body\r\n"),
	    frame('+', "<x\@y>\0"), frame('-', "<rcpt\@gatehouse.test>\0"),
	    frame('e', "<n\@e>\0"), frame('q', "why\0"), frame('c');
} });
$r = client->message(message => $text);
is $r->{message}, "X-Top: t\r\nReceived: x\r\nsubject: b\r\n\tc\r\n" .
    "X-Dup: 2\r\n\r\nnew\r\nbody\r\n", 'edits applied as Postfix does';
is_deeply $r->{rcpt}, [ 'x@y' ], 'recipients';
is $r->{from}, 'n@e', 'sender';
is $r->{quarantine}, 'why', 'quarantine';
$fake->stop;

# No steps and no replies but those at MAIL, RCPT and the end; leading space.
$fake = fake(protocol => 0x1 | 0x2 | 0x10 | 0x80 | 0x40000 | 0x10000 |
    0x100000, on => {
	C => sub { POSIX::_exit(1) }, H => sub { POSIX::_exit(1) },
	B => sub { POSIX::_exit(1) },
	L => sub { $_[0]{seen} .= $_[1]; '' },
	R => sub { $_[1] =~ /no/ ? frame('y', "550 5.1.1 no\0") : frame('c') },
	E => sub { frame('h', "X\0" . ($_[0]{seen} =~ s/\0/|/gr) . "\0") .
	    frame('c') },
    });
$r = client->message(message => "A:b\nC: d\n\nbody\n",
    rcpt => [ 'yes@x', 'no@x' ]);
is $r->{edits}[0][2], 'A|b|C| d|', 'space kept, steps left out';
is_deeply $r->{refused}, { 'no@x' => '550 5.1.1 no' }, 'one refused';
is_deeply $r->{rcpt}, [ 'yes@x' ], 'one left';
$r = client->message(rcpt => 'no@x');
is "$r->{stage} $r->{reply}", 'rcpt 550 5.1.1 no', 'none left';
$fake->stop;

# A burst: none waits for another.
$fake = fake(on => { E => sub { sleep 0.3; frame('t') } });
my $start = time;
my @all = Gatehouse::Milter->burst("$dir/sock", 40, sub {
	return (message => "N: $_[0]\n\n" . 'x' x 200000 . "\n") });
cmp_ok time - $start, '<', 6, '40 sessions of 0.3 s side by side';
is scalar(grep { $_->{reply} eq 'tempfail' } @all), 40, 'all answered';
cmp_ok $all[0]{ms}, '>=', 290, 'and timed';
$fake->stop;

# Trouble.
$fake = fake(on => { R => sub { close $_[0]{socket}; POSIX::_exit(0) },
    M => sub { frame($_[1] =~ /quiet/ ? () : 'c') } });
$r = client->message;
is "$r->{reply} $r->{stage}", 'closed rcpt', 'a hang-up is told';
$fake->stop;
$fake = fake(on => { M => sub { '' } });
$r = client->message(timeout => 0.5);
is "$r->{reply} $r->{stage}", 'silence mail', 'and so is silence';
my $raw = client(raw => 1);
$raw->send_raw(pack('N', 5) . 'Zxxxx');
is(($raw->packet(1))[0], 'c', 'raw packets');
$fake->stop;

done_testing;
