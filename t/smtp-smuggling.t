#!/usr/bin/perl
# T42: a last dot between bare LFs or CRs is no last dot. With the main.cf
# lines that we recommend one message arrives; the control shows that the
# payload would work on a stock Debian 12.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Suite;

my $s = Gatehouse::Suite->new->milter('probe')->postfix(services => [ {
	name => 'stock', milters => [ 'unix:gatehouse/probe/sock' ],
	options => { smtpd_forbid_bare_newline => 'no' } } ]);

sub payload {
	my ($end) = @_;

	return "Subject: the first\r\n\r\nbody$end" .
	    "MAIL FROM:<boss\@gatehouse.test>\r\nRCPT TO:<us\@gatehouse.test>" .
	    "\r\nDATA\r\nSubject: smuggled\r\n\r\npay at once\r\n.\r\n";
}

# How many messages came of it.
sub came {
	my ($end, $service) = @_;
	my $c = $s->connection(service => $service);

	$c->send(from => 'x@client.test', rcpt => 'us@gatehouse.test',
	    raw => 1, message => payload($end));
	$c->command('NOOP');
	$c->quit;
	ok $s->sink->next(10), 'the first arrived';
	select undef, undef, undef, 0.3;
	return 1 + $s->sink->rest;
}

my %ends = ('LF . CRLF' => "\n.\r\n", 'LF . LF' => "\n.\n",
    'CR . CRLF' => "\r.\r\n", 'CRLF . LF' => "\r\n.\n",
    'CR . CR' => "\r.\r", 'NUL' => "\r\n.\0\r\n", 'LF . CR LF LF' =>
    "\n.\r\n\n");
is came($ends{'LF . CRLF'}, 'stock'), 2, 'the control: stock takes two';
for my $name (sort keys %ends) {
	is came($ends{$name}), 1, "$name: one message";
}
$s->allow(qr/improper command pipelining/);

$s->done;
