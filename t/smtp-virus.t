#!/usr/bin/perl
# A virus from end to end (R10, R11, R125): held in the quarantine, told to its
# recipient and to the administrators, listed in the digest, released by no
# user and by no mistake; deleted with a record that stays; refused outbound;
# and nobody outside learns which engine found it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Postfix;
use Gatehouse::Store;
use Gatehouse::Suite;

my $eicar = 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-' .
    'ANTIVIRUS-TEST-FILE!$H+H*';
my $name = 'antivirus-multiscan';
my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my $dir = $s->dir;
my $json = JSON::PP->new->utf8;
my ($port, $notices) = map { Gatehouse::Postfix::free_port() } 1, 2;
my @us = map { "$_\@gatehouse.test" } qw(one two);

open my $f, '>', "$dir/engine" or die $!;
print $f "#!/bin/sh\ngrep -q EICAR && { echo Eicar-Signature; exit 1; }\n" .
    "exit 0\n";
close $f;
chmod 0755, "$dir/engine";
$s->house;
$s->conf_write('notices.conf', server => "127.0.0.1:$notices",
    packaged_templates => ($ENV{GATEHOUSE_SRC} // '.') . '/etc/templates',
    digest => 'true', admins => [ 'admin@gatehouse.test' ],
    notify_admins => [ 'virus' ], notify_recipients => [ 'virus' ],
    notify_senders => [ 'virus' ], release_address => 'r@gatehouse.test');
$s->{house}{$_} = [ $name ] for qw(inbound outbound);
$s->milter($name, engines => [ "MyEngine=command:$dir/engine" ],
    max_signature_age => '0s', self_test => '0s', deadline => '20s');
$s->service('track', maillogs => [ "$dir/log/mail.log" ]);
$s->service('store', reserve => 0, key => "$dir/store.key",
    notices => $s->conf . '/notices.conf',
    release_server => "127.0.0.1:$port");
$s->postfix(services => [ { name => 'release', port => $port,
    milters => [ "unix:gatehouse/$name/sock" ], options => {
    local_header_rewrite_clients => '',
    receive_override_options => 'no_address_mappings' } },
    { name => 'notices', port => $notices, milters => [], options => {
    local_header_rewrite_clients => '' } } ]);

sub infected {
	my ($subject) = @_;

	return "From: a\@client.test\nTo: us\@gatehouse.test\n" .
	    "Subject: $subject\nMessage-ID: <$subject\@client.test>\n" .
	    "MIME-Version: 1.0\n" .
	    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee there.\n" .
	    "--b\nContent-Type: application/octet-stream; name=\"a.com\"\n" .
	    "Content-Transfer-Encoding: base64\n\n" . encode_base64($eicar) .
	    "--b--\n";
}

sub run { $s->gatehouse(@_, '--state-directory', "$dir/state") }

sub rows {
	my ($n, @filter) = @_;
	my $end = time + 20;
	my @rows;

	do {
		my (undef, $text) = run('quarantine', 'list', '--json',
		    @filter);
		@rows = map { $json->decode($_) } split /\n/, $text;
		return @rows if @rows == $n;
		sleep 0.05;
	} while (time < $end);
	return @rows;
}

sub as_user {
	my ($op, $row, @more) = @_;
	my $sock = IO::Socket::UNIX->new(Peer => "$dir/state/store/sock")
	    or return "socket: $!";

	print $sock $json->encode({ v => 1, op => $op, user => JSON::PP::true,
	    object => $row->{object}, recipient => $row->{recipient},
	    @more }), "\n";
	my $answer = $json->decode(scalar <$sock>);
	return $answer->{ok} ? 'ok' : $answer->{error};
}

# --- held ---
my $got = $s->send(message => infected('held'), rcpt => \@us,
    client => '203.0.113.7');
like $got, qr/^250 /, 'inbound: taken';
unlike $got, qr/Eicar|Engine|virus/i, 'without a word of what was found';
my @rows = rows(2, '--cause', 'virus');
is_deeply [ map { "$_->{state} $_->{recipient}" }
    sort { $a->{recipient} cmp $b->{recipient} } @rows ],
    [ map { "held $_" } @us ], 'held for each';
is $rows[0]{reason}, 'Eicar-Signature in a.com, says MyEngine',
    'inside it is known who found what';
my %told = map { ("@{ $_->{rcpt} }" =~ /<([^>]+)>/)[0] => $_ }
    grep { $_ } map { $s->sink->next(20) } 1 .. 3;
is_deeply [ sort keys %told ], [ 'admin@gatehouse.test', @us ],
    'its recipients and the administrators are told';
is_deeply [ $s->sink->rest ], [], 'and nobody else: not who sent it';
unlike $told{ $us[0] }{bytes}, qr/\Q$eicar\E/, 'and get none of it';

# --- not to be released ---
is as_user('release', $rows[0]), 'forbidden', 'a user cannot release it';
is as_user('release', $rows[0], dangerous => JSON::PP::true), 'forbidden',
    'whatever he says';
is as_user('raw', $rows[0]), 'forbidden', 'nor read it';
my ($status, $text) = run('quarantine', 'release', $rows[0]{object},
    '--recipient', $us[0]);
is $status, 1, 'an administrator does not by mistake';
($status, $text) = $s->gatehouse('digest', '--preview', $us[0], '--config',
    $s->conf, '--state', "$dir/state");
is $status, 0, 'a digest';
like $text, qr/Virus/, 'has it under its cause';
like $text, qr/Subject: held|held/, 'with its subject';
unlike $text, qr/mailto:|r\@gatehouse\.test/, 'without a link to release it';
($status, $text) = run('quarantine', 'release', $rows[0]{object},
    '--recipient', $us[0], '--dangerous');
is $status, 0, 'an administrator who means it' or diag $text;
my $mail = $s->sink->next(20);
is "@{ $mail->{rcpt} }" =~ s/ .*//r, "<$us[0]>", 'releases it';

# --- deleted ---
$s->log->mark;
$s->options($name, infected => 'discard');
$s->signal_milter($name, 'USR1');
$s->log->wait_for(qr/\Q$name\E\[\d+\]: configuration reloaded/, 20);
$got = $s->send(message => infected('gone'), rcpt => $us[1],
    client => '203.0.113.7');
like $got, qr/^250 /, 'to be deleted: taken';
my ($row) = rows(1, '--state', 'deleted');
is "$row->{state} $row->{cause} $row->{recipient}", "deleted virus $us[1]",
    'a record of it is in the quarantine';
ok !$row->{body}, 'without the message';
my @mails = grep { $_ } map { $s->sink->next(20) } 1 .. 2;
is scalar(@mails), 2, 'recipient and administrators are told';
my @files = glob "$dir/state/store/objects/*/$row->{object}";
is scalar(grep { -s $_ > 1 } @files), 1, 'an object on the disk';
$s->kill_milter('store');
$s->allow(qr/were not in the index/);
unlink glob "$dir/state/store/index.db*";
$s->start_milter('store');
$s->gatehouse('store', 'rebuild', '--state-directory', "$dir/state");
($row) = rows(1, '--state', 'deleted');
is $row->{reason} // '', 'Eicar-Signature in a.com, says MyEngine',
    'which outlives a kill and a lost index';
for (my $end = time + 20; time < $end; sleep 0.1) {
	($status, $text) = $s->gatehouse('search', '--message-id',
	    'gone@client.test', '--config', $s->conf, '--state',
	    "$dir/state");
	last if $text =~ /discard/;
}
like $text, qr/discard/, 'gatehouse search knows what became of it';
($status, $text) = $s->gatehouse('explain', $row->{queue_id}, '--state',
    "$dir/state");
like $text, qr/Eicar-Signature in a\.com/, 'explain has name and place';

# --- outbound ---
$got = $s->send(message => infected('out'), from => 'me@gatehouse.test',
    rcpt => 'them@elsewhere.test', client => '198.51.100.9');
like $got, qr/^550 5\.7\.1 /, 'outbound: refused';
unlike $got, qr/Eicar|Engine/i, 'without who found what';
$s->log->mark;
$s->options($name, infected_outbound => 'quarantine');
$s->signal_milter($name, 'USR1');
$s->log->wait_for(qr/\Q$name\E\[\d+\]: configuration reloaded/, 20);
$got = $s->send(message => infected('out-held'), from => 'me@gatehouse.test',
    rcpt => 'them@elsewhere.test', client => '198.51.100.9');
like $got, qr/^250 /, 'or held, where that was chosen';
%told = map { ("@{ $_->{rcpt} }" =~ /<([^>]+)>/)[0] => $_ }
    grep { $_ } map { $s->sink->next(20) } 1 .. 2;
is_deeply [ sort keys %told ], [ 'admin@gatehouse.test',
    'me@gatehouse.test' ], 'its sender is one of ours and is told';
unlike $told{'me@gatehouse.test'}{bytes}, qr/Engine|Eicar/,
    'but not which engine found what';
is_deeply [ $s->sink->rest ], [], 'nobody elsewhere hears of it';
$s->done;
