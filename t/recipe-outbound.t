#!/usr/bin/perl
# The recipe for an outbound relay, as a Postfix that runs: who may send, what
# is encrypted or does not leave, which address it leaves from, what it shows.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Open2;
use MIME::Base64 qw(encode_base64);
use Test::More;

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(house => { hostname => 'out.gatehouse.test',
    domains => [ 'gatehouse.test' ], outbound => [ 'auth-check' ],
    inbound => [], message_size_limit => '2M' });
my %port = map { $_ => Gatehouse::Postfix::free_port() }
    qw(submission submissions relay);
my $sink = $s->{sink} = Gatehouse::Sink->new(dir => $s->dir . '/sink');
my $strict = Gatehouse::Sink->new(dir => $s->dir . '/strict');
my $cert = $s->dir . '/cert.pem';

plan skip_all => 'NOT TESTED: no openssl(1)'
    if system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 " .
    "-nodes -subj /CN=out.gatehouse.test -days 30 -keyout $cert.key " .
    "-out $cert.crt 2>/dev/null && cat $cert.key $cert.crt > $cert");

$s->conf_write('postfix.conf', role => 'outbound',
    submission_listener => "127.0.0.1:$port{submission}",
    submissions_listener => "127.0.0.1:$port{submissions}",
    relay_listener => "127.0.0.1:$port{relay}",
    allow_clients => [ '198.51.100.0/24' ], size => '1M', tls_cert => $cert,
    smart_host => '[127.0.0.1]:' . $sink->port,
    pools => [ 'bulk 127.0.0.9 helo=news.gatehouse.test' ],
    pool_senders => [ 'news.test bulk', 'banknews.test bulk' ],
    tls_senders => [ 'bank.test', 'banknews.test' ],
    transport_maps => [ 'inline:{strict.test=smtp:[127.0.0.1]:' .
    $strict->port . '}' ],
    tls_policy => [ '[127.0.0.1]:' . $sink->port . ' may',
    '[127.0.0.1]:' . $strict->port . ' encrypt' ]);
open my $log, '>>', $s->log->path or die $!;	# none is made under /dev
$s->milter('auth-check');
$s->postfix(ports => { %port }, recipe => { config => $s->conf },
    main => { myhostname => 'out.gatehouse.test',
    relay_domains => 'gatehouse.test', relayhost => '',
    header_checks => 'regexp:' . $s->dir . '/theirs' });
$s->allow(qr/postconf: warning: .*unused/, qr/TLS is required, but was not/,
    qr/warning: .*SASL PLAIN authentication failed/,
    qr/warning: \w+: queue file size limit exceeded/);
open my $theirs, '>', $s->dir . '/theirs' or die $!;
print $theirs "/^X-Theirs:/ IGNORE\n";
close $theirs;

sub relay { $s->send(client => '198.51.100.7', service => 'relay',
    rcpt => 'far@away.test', @_) }

# --- R120: who may send ---
like relay(), qr/^250 /, 'an inner server may';
my $mail = $sink->next;
ok $mail, 'and it left';
ok $mail->{client} !~ /127\.0\.0\.9/, 'from the usual address';
like relay(client => '192.0.2.1'), qr/^554 5\.7\.1 .*Client host rejected/,
    'others may not';
like relay(client => '127.0.0.1'), qr/^554 5\.7\.1 /, 'not even this machine';

# --- R159: what it shows ---
like relay(header => <<'END'), qr/^250 /, 'mail with a history';
Received: from pc7.inner.gatehouse.test (pc7 [10.1.2.3])
	by exchange.inner.gatehouse.test with ESMTPS id abc
	for <far@away.test>; Thu, 26 Nov 2026 10:00:00 +0100
Received: from somewhere by nobody
X-Originating-IP: [10.1.2.3]
User-Agent: Mutt/1.9
X-Mailer: Outlook
X-Theirs: secret
X-Kept: yes
END
$mail = $sink->next;
my @received = $s->fields($mail->{bytes}, 'Received');
is scalar @received, 3, 'three hops are still three, so that a loop ends';
like $received[0], qr/^by out\.gatehouse\.test with ESMTP id \w+; \w+, /,
    'ours: no client, but the queue id';
like $received[1], qr/^by out\.gatehouse\.test; Thu, 26 Nov 2026 10:00:00/,
    'the inner one keeps its date alone';
is $received[2], 'by out.gatehouse.test', 'and one without a date';
unlike $mail->{bytes}, qr/10\.1\.2\.3|inner\.gate|198\.51|Mutt|Outlook|pc7/,
    'nothing inner is left';
like $mail->{bytes}, qr/^X-Kept: yes\r$/m, 'what is nobody\'s business stays';
unlike $mail->{bytes}, qr/X-Theirs/, 'and so do the site\'s header_checks';

# --- R163: pools ---
like relay(from => 'x@news.test'), qr/^250 /, 'a newsletter';
$mail = $sink->next;
like $mail->{client}, qr/127\.0\.0\.9/, 'leaves from the address of its pool';
is $mail->{helo}, 'news.gatehouse.test', 'under that name';

# --- R134: encrypted, or not at all ---
for my $from ('x@bank.test', 'y@banknews.test') {
	like relay(from => $from), qr/^250 /, "taken from $from";
	my $line = $s->pf->log->wait_for(
	    qr/qmgr\[\d+\]: \w+: from=<\Q$from\E>, size=/);
	my ($id) = ($line // '') =~ /: (\w+): from=/;
	ok $id, 'in the queue';
	ok $s->pf->log->wait_for(qr/$id: to=<far.*status=deferred \(TLS is/),
	    'deferred: the other side has no STARTTLS';
	is $sink->rest, 0, 'and nothing was said in the clear';
	$s->pf->command('postsuper', '-e', $id);
	$s->pf->flush;
	ok $s->pf->log->wait_for(qr/$id: from=.*status=force-expired/),
	    'its time is over';
	$mail = $sink->next;
	is $mail && $mail->{mail} =~ s/ .*//r, '<>', 'it is returned';
	like $mail->{bytes}, qr/TLS is required, but was not offered/,
	    'with the reason';
}
like relay(rcpt => 'far@strict.test'), qr/^250 /, 'a destination with a policy';
ok $s->pf->log->wait_for(qr/far\@strict.*status=deferred \(TLS is required/),
    'it waits';
is $strict->count, 0, 'and nothing was said in the clear';
like relay(from => 'x@other.test'), qr/^250 /, 'others still leave so';
ok $sink->next, 'indeed';

# --- users: a login, and never in the clear ---
my $auth = Gatehouse::Process->start_sub(sub { dovecot($s->pf) });
my $socket = $s->pf->queue_directory . '/private/auth';
for (1 .. 200) { last if -S $socket; select undef, undef, undef, 0.05 }

# What Dovecot says, as far as Postfix asks.
sub dovecot {
	my ($pf) = @_;
	my $path = $pf->queue_directory . '/private/auth';
	my $listen = IO::Socket::UNIX->new(Local => $path, Listen => 5)
	    or die "$path: $!";

	chmod 0666, $path;
	while (my $c = $listen->accept) {
		print $c "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\n" .
		    "CUID\t1\nCOOKIE\t00\nDONE\n";
		$c->flush;
		while (<$c>) {
			next unless /^AUTH\t(\d+)\t.*resp=(\S+)/;
			my $good = $2 eq encode_base64("\0joe\0right", '');
			print $c $good ? "OK\t$1\tuser=joe\n" :
			    "FAIL\t$1\tuser=joe\n";
			$c->flush;
		}
	}
}

my $c = Gatehouse::Smtp->new(port => $port{submission});
unlike $c->ehlo, qr/AUTH/, 'submission: no AUTH before TLS';
like $c->ehlo, qr/STARTTLS/, 'but STARTTLS';
like $c->command('MAIL FROM:<joe@gatehouse.test>'), qr/^530 5\.7\.0 /,
    'and nothing without';
$c->quit;

my $pid = open2(my $from, my $to, 'sh', '-c', 'exec openssl s_client ' .
    "-quiet -connect 127.0.0.1:$port{submissions} 2>/dev/null");
sub tls {
	my ($line) = @_;
	my @said;

	print $to "$line\r\n" if defined $line;
	while (defined(my $said = <$from>)) {
		push @said, $said;
		last if $said =~ /^\d{3} /;
	}
	return join '', @said;
}
like tls(), qr/^220 /m, 'submissions: TLS at once';
like tls('EHLO joe.test'), qr/AUTH PLAIN/, 'and AUTH';
tls('MAIL FROM:<joe@gatehouse.test>');
like tls('RCPT TO:<far@away.test>'), qr/^554 5\.7\.1 /,
    'who did not log in sends nothing';
tls('RSET');
like tls('AUTH PLAIN ' . encode_base64("\0joe\0wrong", '')), qr/^535 /,
    'a wrong password';
like tls('AUTH PLAIN ' . encode_base64("\0joe\0right", '')), qr/^235 /,
    'the right one';
tls($_) for 'MAIL FROM:<joe@gatehouse.test>', 'RCPT TO:<far@away.test>',
    'DATA';
like tls("Subject: from joe\r\n\r\nx\r\n."), qr/^250 /, 'taken';
tls('QUIT');
waitpid $pid, 0;
$mail = $sink->next;
like $mail->{bytes}, qr/^Subject: from joe\r$/m, 'and it left';
like +($s->fields($mail->{bytes}, 'Received'))[0],
    qr/^by out\.gatehouse\.test with ESMTPSA id \w+;/, 'without his address';
ok $s->log->wait_for(qr/gatehouse-auth-check/), 'the filters were asked';
$auth->stop;

# --- sizes (R42) ---
like relay(body => 'x' x 70 . "\n", message => "Subject: large\n\n" .
    ("x" x 70 . "\n") x 16000), qr/^(552 5\.3\.4|5\d\d )/, 'over 1 MB: refused';

$s->done;
