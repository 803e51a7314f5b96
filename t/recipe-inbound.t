#!/usr/bin/perl
# The recipe for an inbound gateway, as a Postfix that runs: who exists, who
# may relay, what is smuggled, what milters that fail do, where users go.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Test::More;

# Much is synced to disk here, and none of it has to outlive the test.
BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(
    zone => qq(client.test 3600 TXT "v=spf1 ip4:192.0.2.1 -all"\n),
    house => { domains => [ 'gatehouse.test', 'second.test' ],
    message_size_limit => '2M' });
my $other = Gatehouse::Sink->new(dir => $s->dir . '/other');
my $port = Gatehouse::Postfix::free_port();
my $reinject = Gatehouse::Postfix::free_port();

sub map_file {
	my ($name, $text) = @_;
	my $path = $s->dir . "/$name";

	open my $f, '>', $path or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
	return "texthash:$path";
}

my %conf = (role => 'inbound', inbound_listener => "127.0.0.1:$port",
    reinject_listener => "127.0.0.1:$reinject", command_timeout => '1s',
    connect_timeout => '1s', size => '1M', error_sleep => '0s', hard_errors => 100,
    recipient_maps => [ map_file('recipients', "us\@gatehouse.test x\n" .
    "them\@gatehouse.test x\n") ],
    transport_maps => [ map_file('transports',
    "them\@gatehouse.test smtp:[127.0.0.1]:" . $other->port . "\n") ]);
$s->conf_write('postfix.conf', %conf);
open my $log, '>>', $s->log->path or die $!;	# none is made under /dev
$s->milter('auth-check', spf_fail => 'reject');
$s->postfix(port => $port, ports => { reinject => $reinject },
    recipe => { config => $s->conf }, main => { relay_domains =>
    'gatehouse.test', smtpd_relay_restrictions => 'permit_mynetworks, ' .
    'reject_unauth_destination', smtpd_forbid_bare_newline => 'no' });
$s->allow(qr/postfix.*warning: .*[mM]ilter/,
    qr/improper command pipelining/, qr/postconf: warning: .*unused/,
    qr/warning: the last run ended with messages under way/);

# --- R1: who does not exist is refused at RCPT ---
like $s->send, qr/^250 /, 'somebody who exists';
like $s->send(rcpt => 'nobody@gatehouse.test'), qr/^550 5\.1\.1 /,
    'nobody: 550';
is $s->replies->{data}, undef, 'at RCPT';
like $s->send(rcpt => 'a@elsewhere.test'), qr/^554 5\.7\.1 .*Relay/,
    'no relay';
like $s->send(client => '127.0.0.1', rcpt => 'a@elsewhere.test'),
    qr/^554 5\.7\.1 .*Relay/, 'not even from here';
like $s->send(client => '192.0.2.9', helo => 'client.test'),
    qr/^550 5\.7\./, 'the milters are asked';
my $mail = $s->sink->next;
ok $mail, 'the first arrived';
is scalar($s->fields($mail->{bytes}, 'X-Gatehouse-Seal')), 0, 'no seal';

# --- R20: each to his own server ---
like $s->send(rcpt => [ 'us@gatehouse.test', 'them@gatehouse.test' ]),
    qr/^250 /, 'one mail to both';
is_deeply [ map { s/ .*//r } @{ $s->sink->next->{rcpt} } ],
    [ '<us@gatehouse.test>' ], 'one went here';
is_deeply [ map { s/ .*//r } @{ $other->next->{rcpt} } ],
    [ '<them@gatehouse.test>' ], 'the other there';

# --- smuggling ---
my $c = $s->connection;
$c->send(from => 'x@client.test', rcpt => 'us@gatehouse.test', raw => 1,
    message => "Subject: the first\r\n\r\nbody\n.\r\nMAIL " .
    "FROM:<boss\@gatehouse.test>\r\nRCPT TO:<us\@gatehouse.test>\r\nDATA\r\n" .
    "Subject: smuggled\r\n\r\npay at once\r\n.\r\n");
$c->command('NOOP');
$c->quit;
ok $s->sink->next, 'the first arrived';
ok $s->pf->wait_queue_empty, 'nothing waits';
is scalar($s->sink->rest), 0, 'and nothing was smuggled';

# --- what the milters say to each other does not leave ---
is(($s->pf->command('postmap', '-q', 'X-Gatehouse-Release: 1',
    'regexp:' . $s->pf->config . '/gatehouse/strip'))[1], "IGNORE\n",
    'a release mark is stripped');

# --- re-injection ---
sub raw_client {
	my (%a) = @_;

	return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
	    PeerPort => $reinject, Timeout => 5, %a);
}

$c = Gatehouse::Smtp->new(port => $reinject, helo => 'localhost');
unlike $c->ehlo, qr/XCLIENT/, 're-injection: nobody is somebody else';
like $c->send(from => 'a@nospf.test', rcpt => 'us@gatehouse.test',
    message => "Subject: released\n\n"), qr/^250 /, 'it takes mail';
like $c->send(from => 'a@nospf.test', rcpt => 'nobody@gatehouse.test',
    message => "Subject: x\n\n"), qr/^550 5\.1\.1 /,
    'but not for those who are gone';
$c->quit;
$mail = $s->sink->next;
like $mail->{bytes}, qr/^Subject: released/m, 'and it arrives';
ok $s->line('auth-check', ($mail->{bytes} =~ /with ESMTP id (\w+)/)[0]),
    'having passed the milters';
my ($own) = grep { !/^127\./ } map { /inet ([\d.]+)/ } `ip -4 addr 2>/dev/null`;
SKIP: {
	skip 'NOT TESTED: this machine has no address but loopback', 1
	    unless $own && (my $far = raw_client(LocalAddr => $own));
	$c = bless { socket => $far, timeout => 10, in => '',
	    helo => 'far.test' }, 'Gatehouse::Smtp';
	$c->answer;
	$c->command('EHLO far.test');
	$c->command('MAIL FROM:<a@nospf.test>');
	like $c->command('RCPT TO:<us@gatehouse.test>'), qr/^554 5\.7\.1 /,
	    'who is not on loopback is refused';
}

# --- milters that fail: 451, soon, and never unfiltered ---
my $path = $s->socket_path('auth-check');
for ([ 'killed', sub { $s->kill_milter('auth-check') },
    sub { $s->start_milter('auth-check') } ],
    [ 'wedged', sub { $s->signal_milter('auth-check', 'STOP') },
    sub { $s->signal_milter('auth-check', 'CONT') } ]) {
	my ($what, $break, $mend) = @$_;

	$break->();
	like $s->send, qr/^451 4\.7\.1 /, "$what: 451";
	$mend->();
	like $s->send, qr/^250 /, 'mended';
	ok $s->sink->next, 'and arrived';
}
is scalar($s->sink->rest), 0, 'nothing else did';

# --- what postconf thinks of it ---
my ($status, $said) = $s->pf->command('postconf', '-n');
is $status, 0, 'postconf reads it';
is_deeply [ grep { /warning/ && /gatehouse/ } split /\n/, $said ], [],
    'and nothing of ours is unused';

# --- and back ---
like $s->pf->apply('--apply'), qr/nothing to change/, 'a second apply';
is $s->pf->apply('--diff'), '', 'no difference';
$s->pf->apply('--revert');
($status, $said) = $s->pf->command('postconf', '-n');
unlike $said, qr/gatehouse_inbound/, 'reverted';

$s->done;
