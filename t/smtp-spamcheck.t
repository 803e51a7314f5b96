#!/usr/bin/perl
# A draft goes through a Postfix that the recipe has set up, past the filters to
# gatehouse-spamcheck, and its report comes back: the same as the command's. Of
# kill -9 in the middle nobody hears; nothing of the draft is left anywhere.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Find qw(find);
use File::Path qw(make_path);
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Doctor;
use Gatehouse::Postfix;
use Gatehouse::Process;
use Gatehouse::Suite;

my $src = $ENV{GATEHOUSE_SRC} // "$FindBin::Bin/..";
my ($to, $me) = ('spamcheck@gatehouse.test', 'desk@gatehouse.test');
my $s = Gatehouse::Suite->new(house => { spamcheck_addresses => [ $to ],
    inbound => [ 'antispam' ], outbound => [ 'antispam' ] });
my $dir = $s->dir;
my $json = JSON::PP->new->utf8;
my $marker = 'Xylograph' . $$ . 'Quux';
my %port = map { $_ => Gatehouse::Postfix::free_port() }
    qw(in out notice reinject);

sub put {
	my ($path, $bytes) = @_;

	open my $f, '>:raw', $path or die "$path: $!";
	print $f $bytes;
	close $f or die "$path: $!";
}

sub slurp {
	open my $f, '<:raw', $_[0] or return '';
	local $/;
	return <$f>;
}

plan skip_all => Gatehouse::Postfix->missing if Gatehouse::Postfix->missing;
mkdir "$dir/hook" or die $!;
my $hook = Gatehouse::Process->start(name => 'hook', say => 1,
    argv => [ Gatehouse::Suite::build() . '/t/http-sink', "$dir/hook" ],
    log => "$dir/hook.log");
my ($hook_port) = $hook->said =~ /^port (\d+)/ or die $hook->said;
sub mode { put("$dir/hook/mode", $_[0]) }

make_path("$dir/queue/gatehouse/spamcheck");
chown -1, (getgrnam 'postfix')[2], "$dir/queue/gatehouse/spamcheck";
chmod 02710, "$dir/queue/gatehouse/spamcheck";
my @antispam = (model => "$src/milters/antispam/antispam.model");
$s->milter('antispam', @antispam);
$s->service('spamcheck', antispam => $s->conf . '/antispam.conf',
    notices => $s->conf . '/notices.conf', result => 'both',
    webhook => "http://127.0.0.1:$hook_port/spam");
$s->house;
$s->options($_) for qw(antispam spamcheck);
$s->conf_write('notices.conf', server => "127.0.0.1:$port{notice}",
    packaged_templates => "$src/etc/templates");
$s->conf_write('postfix.conf', role => 'both', submission_listener => '',
    submissions_listener => '', inbound_listener => "127.0.0.1:$port{in}",
    relay_listener => "127.0.0.1:$port{out}",
    reinject_listener => "127.0.0.1:$port{reinject}",
    notice_listener => "127.0.0.1:$port{notice}", error_sleep => '0s',
    size => '10M', minimal_backoff => '10s', maximal_backoff => '10s',
    queue_run => '10s', client_rate => 0, client_recipients => 0,
    client_connections => 0, notify => []);
$s->postfix(port => $port{in}, ports => { out => $port{out} },
    recipe => { config => $s->conf });
my $pf = $s->pf;

sub draft {
	my (%m) = @_;

	return join("\n", "From: Desk <$me>", 'To: Readers <readers@far.test>',
	    'Subject: You won: claim your prize now',
	    'Date: Thu, 26 Nov 2026 12:00:00 +0000',
	    "Message-ID: <$m{id}\@gatehouse.test>", '', 'Dear winner, claim ' .
	    'your free lottery prize of $1,000,000 now! Click ' .
	    'http://prize.example/claim and send your bank account. Viagra ' .
	    'at low price, no prescription. 100% free!', "$marker.", '');
}

sub command {
	my ($message) = @_;

	put("$dir/draft.eml", $message);
	my ($status, $out) = $s->gatehouse('spam', 'check', '--json',
	    '--config', $s->conf, "$dir/draft.eml");
	unlink "$dir/draft.eml";
	return $json->decode($out);
}

sub ask {
	my ($draft, %m) = @_;

	return $s->send(client => '198.51.100.7', from => $me, rcpt => $to,
	    service => 'out', message => $draft, %m);
}

sub result {
	my ($mail) = @_;
	my ($base) = $mail->{bytes} =~
	    m{^Content-Type: application/json\r\n.*?\r\n\r\n(.*?)\r\n--}ms;

	return $json->decode(decode_base64($base));
}

# --- the way there and back ---
my $draft = draft(id => 'one');
my $want = command($draft);
cmp_ok $want->{percent}, '>=', 60, 'a draft that antispam would hold';
my $said = ask($draft, rcpt => 'readers@far.test');
like $said, qr/^250 /, 'to its readers';
ok $s->log->wait_for(qr/antispam\S+ ${\$s->queue_id($said)}: verdict=quarantine/,
    10), 'it is held';
my $held = $s->queue_id($said);
is $pf->command('postsuper', '-d', $held), 0, 'and given up';
$said = ask($draft, rcpt => [ $to, 'readers@far.test' ]);
ok $s->log->wait_for(qr/antispam\S+ ${\$s->queue_id($said)}: verdict=quarantine/,
    10), 'to both: held for both';
$pf->command('postsuper', '-d', $s->queue_id($said));
$said = ask($draft);
my $id = $s->queue_id($said);
ok $s->log->wait_for(qr/antispam\S+ $id: verdict=accept, rule=spamcheck, /,
    10), 'to the check alone it passes';
my $mail = $s->sink->next(20);
is_deeply $mail->{rcpt}, [ "<$me> ORCPT=rfc822;$me NOTIFY=NEVER" ],
    'a report comes back';
is_deeply result($mail)->{result}, $want, 'as the command says';
is_deeply $json->decode(slurp("$dir/hook/body"))->{result}, $want,
    'and to the program';
ok $pf->log->wait_for(qr/postfix\/spamcheck\/lmtp\[\d+\]: $id: to=<\Q$to\E>, .*status=sent \(250 2\.0\.0 Ok: $want->{class}, spam with $want->{percent} %: .*queued as/,
    10), 'Postfix knows';

# --- strangers ---
like $s->send(client => '203.0.113.9', from => $me, rcpt => $to),
    qr/^554 5\.7\.1 .*Access denied/, 'a stranger is refused at RCPT';
like $s->send(client => '203.0.113.9', from => $me, rcpt => $to,
    service => 'out'), qr/^55/, 'everywhere';

# --- it is killed in the middle ---
unlink "$dir/hook/body";
mode('silent');
$draft = draft(id => 'two');
my $fd = "/proc/" . $s->process('spamcheck')->pid . '/fd';
sub sockets { scalar grep { (readlink // '') =~ /^socket:/ } glob "$fd/*" }
my $idle = sockets();
$id = $s->queue_id(ask($draft));
ok $s->log->wait_for(qr/antispam\S+ $id: verdict=accept/, 10), 'under way';
# Postfix's connection, and the one to the program.
my $until = time + 20;
sleep 0.05 until time > $until || sockets() >= $idle + 2;
is_deeply [ grep { m{^/(?!dev/)} && !/\.(?:log|err)$/ } map { readlink // () }
    glob "$fd/*" ], [], 'it has no file open';
$s->kill_milter('spamcheck');
ok $pf->log->wait_for(qr/$id: .*status=deferred \(lost connection/, 20),
    'killed: Postfix keeps it' or diag grep { /$id/ } $pf->log->lines;
is scalar(grep { $_->{queue_id} eq $id } $pf->queue), 1, 'in its queue';
my $d = Gatehouse::Doctor->new($s, postfix_dir => $pf->config);
mode('ok');
$d->heals($d->finds('spamcheck.down', 'it was killed'));
$pf->command('postqueue', '-f');
$mail = $s->sink->next(20);
is_deeply result($mail)->{result}, command($draft), 'then the report comes';
ok $pf->log->wait_for(qr/$id: removed/, 10), 'and that is all';
is scalar(() = slurp("$dir/hook/body") =~ /^\{/mg), 1, 'told once';
is scalar($s->sink->rest), 0, 'and mailed once';

# --- and does not answer ---
$s->signal_milter('spamcheck', 'STOP');
push @{ $d->{args} }, '--timeout', 2;
$d->heals($d->finds('spamcheck.silent', 'it stands still'));
splice @{ $d->{args} }, -2;
$d->well('spamcheck');
$d->provoked('spamcheck');

# --- nothing is left ---
my @left;
$s->process('spamcheck')->running or fail 'it runs';
is_deeply [ $pf->queue ], [], 'the queue is empty';
find({ no_chdir => 1, wanted => sub {
	push @left, $_ if -f && index(slurp($_), $marker) >= 0;
} }, $dir);
is_deeply \@left, [], 'no file has anything of the draft';
is_deeply [ glob "$dir/state/spamcheck/*" ], [], 'nor has it a file';

$hook->stop;
$s->done;
