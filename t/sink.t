#!/usr/bin/perl
# The harness itself: the sink keeps bytes as they come and obeys its rules.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);

use Gatehouse::Sink;
use Gatehouse::Smtp;

my $sink = Gatehouse::Sink->new;
sub client { Gatehouse::Smtp->new(port => $sink->port, @_) }
sub raw {
	my ($c, $bytes) = @_;

	return $c->send(from => 'a@b.test', rcpt => 'c@d.test', raw => 1,
	    message => $bytes);
}

my $c = client;
like $c->ehlo, qr/^250-8BITMIME$/m, 'offers';
my @bytes = (
	[ "a\r\n.\r\n", "a\r\n", 'plain' ],
	[ ".\r\n", '', 'empty' ],
	[ "..\r\n...\r\n.\r\n", ".\r\n..\r\n", 'dots unstuffed' ],
	[ "a\n.\nb\n.\r\nc\r.\r\n\r\n.\r\n",
	    "a\n.\nb\n.\r\nc\r.\r\n\r\n", 'only CRLF.CRLF ends' ],
	[ "\0\xff\r\r\n.\r\r\n.x\r\n.\r\n", "\0\xff\r\r\n\r\r\nx\r\n",
	    'NUL, 8 bit, bare CR' ],
	[ ('x' x 300000) . "\r\n.\r\n", ('x' x 300000) . "\r\n", 'long line' ],
);
for (@bytes) {
	my ($wire, $want, $what) = @$_;
	like raw($c, $wire), qr/^250 /, $what;
	ok $sink->next(5)->{bytes} eq $want, 'as it came';
}

# The last dot in pieces.
$c->command($_) for 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'DATA';
for (split //, "q\r\n.\r\n") {
	$c->write($_);
	select undef, undef, undef, 0.01;
}
like $c->answer, qr/^250 /, 'byte by byte';
is $sink->next(5)->{bytes}, "q\r\n", 'the same';

$sink->rules('rcpt full@x 452 4.2.2 full', 'rcpt slow@x delay 400',
    'data late@x 451 4.3.0 later', 'data gone@x close', 'mail bad@x 550 no');
my %m = (message => "S: s\n\n");
$c = client;
like $c->send(from => 'a@b', rcpt => [ 'full@x', 'ok@x' ], %m,
    pipelining => 1), qr/^250 /, 'one of two taken';
is_deeply $c->replies->{rcpt}, [ '452 4.2.2 full', '250 2.1.5 ok' ], 'rcpt';
is_deeply $sink->next(5)->{rcpt}, [ '<ok@x>' ], 'and kept';
like $c->send(from => 'a@b', rcpt => 'full@x', %m), qr/^452 /, 'none';
like $c->reset, qr/^250 /, 'reset';
like $c->send(from => 'bad@x', rcpt => 'a@x', %m), qr/^550 no/, 'sender';
like $c->send(from => 'a@x', rcpt => 'late@x', %m), qr/^451 4.3.0/, 'data';
my $start = time;
like $c->send(from => 'a@x', rcpt => 'slow@x', %m), qr/^250 /, 'slow';
cmp_ok time - $start, '>=', 0.39, 'indeed';
ok $sink->next(5), 'kept';
is $c->send(from => 'a@x', rcpt => 'gone@x', %m), 'closed', 'hung up';
is $sink->next(0.2), undef, 'nothing kept of what was refused';

$sink->rules;
my @many = map { client(helo => "h$_") } 1 .. 100;
$_->command('MAIL FROM:<a@b>') for @many;
$_->command('RCPT TO:<c@d>') for @many;
$_->command('DATA') for @many;
$_->write("body\r\n.\r\n") for reverse @many;
is scalar(grep { $_->answer =~ /^250/ } @many), 100, 'a hundred at once';
is $sink->next(5)->{helo}, 'h100', 'in the order of their last dots';
is scalar($sink->rest), 99, 'all kept';
is $sink->stop, 0, 'ended well';

done_testing;
