#!/usr/bin/perl
# The harness itself: a private Postfix, the sink and the SMTP client.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Postfix;
use Gatehouse::Sink;
use Gatehouse::Smtp;

plan skip_all => Gatehouse::Postfix->missing if Gatehouse::Postfix->missing;

my $sink = Gatehouse::Sink->new;
my $pf = Gatehouse::Postfix->new(relay => $sink->port)->start;
my $c = Gatehouse::Smtp->new(port => $pf->port);

like $c->ehlo, qr/^250-XCLIENT/m, 'the client may say who it is';
like $c->send(from => 'a@example.org', rcpt => 'b@example.net',
    message => "Subject: hello\n\n.dots\n..\nend\n"), qr/^250 /, 'taken';
my $mail = $sink->next;
ok $mail, 'and delivered';
is $mail->{mail} =~ s/ .*//r, '<a@example.org>', 'sender';
is_deeply [ map { s/ .*//r } @{ $mail->{rcpt} } ], [ '<b@example.net>' ],
    'recipient';
like $mail->{bytes}, qr/\r\n\r\n\.dots\r\n\.\.\r\nend\r\n\z/, 'body';
like $mail->{bytes}, qr{\sby mx\.gatehouse\.test }, 'Received';

for my $ip ('192.0.2.77', '2001:db8::77') {
	my $x = Gatehouse::Smtp->new(port => $pf->port, xclient => {
	    ADDR => $ip, NAME => 'far.test', HELO => 'helo.test' });
	like $x->send(from => '', rcpt => [ 'b@example.net',
	    'c@example.net' ], message => "Subject: x\n\nx\n",
	    pipelining => 1), qr/^250 /, "taken from $ip";
	$mail = $sink->next;
	like $mail->{bytes}, qr/far\.test \[(IPv6:)?\Q$ip\E\]/, 'as that client';
	is @{ $mail->{rcpt} }, 2, 'two recipients';
	is $mail->{mail} =~ s/ .*//r, '<>', 'null sender';
	$x->quit;
}

# What the sink refuses stays in the queue.
$sink->rules('rcpt full@example.net 452 4.2.2 mailbox full',
    'data late@example.net 451 4.3.0 later', 'rcpt no@example.net 550 no');
like $c->send(from => 'a@example.org', rcpt => 'full@example.net',
    message => "Subject: full\n\n"), qr/^250 /, 'taken';
ok $pf->log->wait_for(qr/full\@example\.net.*status=deferred.*452 4\.2\.2/),
    'deferred by the sink';
is scalar($pf->queue), 1, 'one in the queue';
like $pf->postcat(($pf->queue)[0]{queue_id}), qr/^Subject: full/m, 'postcat';
$sink->rules;
ok $pf->wait_queue_empty(30), 'retried by itself';
is_deeply [ $pf->corrupt ], [], 'nothing corrupt';
is +($pf->log->lines(qr/(warning|error|fatal|panic):/))[0], undef, 'quiet log';

my $second = Gatehouse::Postfix->new(relay => $sink->port)->start;
isnt $second->port, $pf->port, 'two at once';
ok $second->running && $pf->running, 'both run';
$second->stop;
ok !$second->running && $pf->running, 'one stopped';
$pf->stop;
ok !$pf->running, 'both stopped';
is $sink->stop, 0, 'the sink ended well';

done_testing;
