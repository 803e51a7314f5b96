#!/usr/bin/perl
# Both directions in one Postfix, its port behind postscreen, the filters
# hosted by gatehouse-chain: each listener passes what it should.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(zone =>
    qq(client.test 3600 TXT "v=spf1 ip4:127.0.0.1 -all"\n) .
    qq(shut.test 3600 TXT "v=spf1 -all"\n),
    house => { domains => [ 'gatehouse.test' ],
    outbound => [ 'auth-check' ], message_size_limit => '2M' });
my %port = map { $_ => Gatehouse::Postfix::free_port() }
    qw(inbound relay reinject notice);

$s->conf_write('postfix.conf', role => 'both', hosted => 'true',
    postscreen => 'true', size => '1M', submission_listener => '',
    submissions_listener => '', client_connections => 0, client_rate => 0,
    inbound_listener => "127.0.0.1:$port{inbound}",
    relay_listener => "127.0.0.1:$port{relay}",
    reinject_listener => "127.0.0.1:$port{reinject}",
    notice_listener => "127.0.0.1:$port{notice}",
    allow_clients => [ '127.0.0.0/8' ]);
$s->conf_write('notices.conf');
$s->conf_write('auth-check.conf', spf_fail => 'reject');
open my $log, '>>', $s->log->path or die $!;	# none is made under /dev
$s->milter('chain', filters => [ 'auth-check' ]);
$s->postfix(port => $port{inbound}, ports => { %port },
    recipe => { config => $s->conf }, main => {
    relay_domains => 'gatehouse.test', smtpd_authorized_xclient_hosts => '',
    myhostname => 'mx.gatehouse.test' });

sub mail {
	my ($service, %m) = @_;
	my $c = Gatehouse::Smtp->new(port => $port{$service});
	my $got = $c->send(from => 'a@client.test',
	    rcpt => 'us@gatehouse.test', message => "From: a\@client.test\n" .
	    "Subject: by $service\n\n", %m);

	$c->quit;
	return $got;
}

like mail('inbound'), qr/^250 /, 'inbound, behind postscreen';
ok $s->pf->log->wait_for(qr/postscreen\[\d+\]: CONNECT from/),
    'postscreen saw it';
my $mail = $s->sink->next;
like +($s->fields($mail->{bytes}, 'Authentication-Results'))[0],
    qr/spf=pass/, 'and the hosted filter';
like mail('inbound', from => 'a@shut.test'), qr/^550 5\.7\.23 /,
    'it decides';
like mail('inbound', rcpt => 'far@away.test'), qr/^554 5\.7\.1 /,
    'no way out there';
like mail('relay', rcpt => 'far@away.test', from => 'a@shut.test'),
    qr/^250 /, 'but here, and outbound mail is not asked for SPF';
$mail = $s->sink->next;
is scalar($s->fields($mail->{bytes}, 'Authentication-Results')), 0,
    'indeed not';
like mail('reinject'), qr/^250 /, 're-injection';
$mail = $s->sink->next;
like $mail->{bytes}, qr/by reinject/, 'arrives';

like mail('notice', from => '', rcpt => 'far@away.test'), qr/^250 /,
    'a notice goes anywhere';
$mail = $s->sink->next;
is scalar($s->fields($mail->{bytes}, 'Authentication-Results')), 0,
    'and past the filters';

# --- sendmail(1) is outbound mail ---
my $pid = open(my $to, '|-') // die $!;
if ($pid == 0) {
	exec '/usr/sbin/sendmail', '-C', $s->pf->config, '-f',
	    'cron@gatehouse.test', 'far@away.test' or POSIX::_exit(127);
}
print $to "From: cron\@gatehouse.test\nSubject: nightly\n\nx\n";
close $to;
$mail = $s->sink->next;
like $mail && $mail->{bytes}, qr/^Subject: nightly/m, 'sendmail(1)';
$s->kill_milter('chain');
$pid = open($to, '|-') // die $!;
if ($pid == 0) {
	exec '/usr/sbin/sendmail', '-C', $s->pf->config, '-f',
	    'cron@gatehouse.test', 'far@away.test' or POSIX::_exit(127);
}
print $to "From: cron\@gatehouse.test\nSubject: second\n\nx\n";
close $to;
ok $s->pf->log->wait_for(qr/cleanup.*: milter-reject: .*4\.7\.1 /),
    'without the filters it waits';
is $s->sink->rest, 0, 'and does not leave';
like mail('notice'), qr/^250 /, 'only notices still go';
like mail('inbound'), qr/^451 4\.7\.1 /, 'nor comes anything in';
$s->allow(qr/postfix.*warning: .*[mM]ilter/);

$s->done;
