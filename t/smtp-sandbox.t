#!/usr/bin/perl
# Mail that waits for a sandbox (R49, R50): held by antivirus-multiscan, shown
# to a sandbox of our own by gatehouse-sandbox, let go or kept by
# gatehouse-store. What it says, what it does not say, nonsense, silence, and
# kill -9 of each who has part in it.
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
use Gatehouse::Sandbox;
use Gatehouse::Store;
use Gatehouse::Suite;

my $name = 'antivirus-multiscan';
my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my $dir = $s->dir;
my $json = JSON::PP->new->utf8;
my ($port, $notices) = map { Gatehouse::Postfix::free_port() } 1, 2;
my $box = Gatehouse::Sandbox->start(dir => "$dir/box", token => 'se-cret');

sub put {
	my ($path, $bytes) = @_;

	open my $f, '>', $path or die "$path: $!";
	print $f $bytes;
	close $f or die "$path: $!";
}

put("$dir/token", "se-cret\n");
put("$dir/engine", "#!/bin/sh\nexit 0\n");
chmod 0755, "$dir/engine";
$s->house;
$s->conf_write('notices.conf', server => "127.0.0.1:$notices",
    packaged_templates => ($ENV{GATEHOUSE_SRC} // '.') . '/etc/templates',
    admins => [ 'admin@gatehouse.test' ], notify_admins => [ 'sandbox' ]);
$s->{house}{$_} = [ $name ] for qw(inbound outbound);
$s->milter($name, engines => [ "one=command:$dir/engine" ],
    max_signature_age => '0s', self_test => '0s', deadline => '20s',
    sandbox => [ 'ext:bin' ], defer => [ 'ext:bin' ]);
$s->service('track', maillogs => [ "$dir/log/mail.log" ]);
$s->service('store', reserve => 0, key => "$dir/store.key",
    notices => $s->conf . '/notices.conf',
    release_server => "127.0.0.1:$port", release_retry => '200ms',
    sandbox_deadline => '1d');
$s->service('sandbox', url => $box->url('cape'), token => "$dir/token",
    poll => '100ms', retry => '100ms', timeout => '300ms', tries => 2,
    report_limit => '64k');
$s->postfix(services => [ { name => 'release', port => $port,
    milters => [ "unix:gatehouse/$name/sock" ], options => {
    local_header_rewrite_clients => '',
    receive_override_options => 'no_address_mappings' } },
    { name => 'notices', port => $notices, milters => [], options => {
    local_header_rewrite_clients => '' } } ]);

# Texts in the files that are attached, by their names.
sub letter {
	my ($subject, %files) = @_;

	return "From: a\@client.test\nTo: us\@gatehouse.test\n" .
	    "Subject: $subject\nMIME-Version: 1.0\n" .
	    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee there.\n" .
	    join('', map { "--b\nContent-Type: application/octet-stream; " .
	    "name=\"$_\"\nContent-Transfer-Encoding: base64\n\n" .
	    encode_base64($files{$_}) } sort keys %files) . "--b--\n";
}

sub sent {
	my ($subject, %files) = @_;

	return $s->send(message => letter($subject, %files),
	    rcpt => $subject =~ s/\W+/-/gr . '@gatehouse.test',
	    client => '203.0.113.7');
}

sub run { $s->gatehouse(@_, '--state-directory', "$dir/state") }

# The one for that subject, when it is as wanted.
sub row {
	my ($subject, $want) = @_;
	my $to = $subject =~ s/\W+/-/gr . '@gatehouse.test';
	my $end = time + 20;
	my $row;

	do {
		my (undef, $text) = run('quarantine', 'list', '--json',
		    '--recipient', $to);
		($row) = map { $json->decode($_) } split /\n/, $text;
		return $row if $row && $want->($row);
		sleep 0.05;
	} while (time < $end);
	diag explain $row;
	return $row // {};
}

my %is = (waits => sub { $_[0]{state} eq 'held' && !$_[0]{tries} },
    kept => sub { $_[0]{state} eq 'held' && $_[0]{tries} },
    gone => sub { $_[0]{state} eq 'released' },
    deleted => sub { $_[0]{state} eq 'deleted' && !$_[0]{body} });

sub as_user {
	my ($op, $row) = @_;
	my $sock = IO::Socket::UNIX->new(Peer => "$dir/state/store/sock")
	    or return "socket: $!";

	print $sock $json->encode({ v => 1, op => $op, user => JSON::PP::true,
	    object => $row->{object}, recipient => $row->{recipient} }), "\n";
	my $answer = $json->decode(scalar <$sock>);
	return $answer->{ok} ? 'ok' : $answer->{error};
}

sub subject {
	return ($s->fields(($s->sink->next(20) // {})->{bytes} // '',
	    'Subject'))[0];
}

sub has {
	my ($name, %options) = @_;

	$s->log->mark;
	$s->options($name, %options);
	$s->signal_milter($name, 'USR1');
	$s->log->wait_for(qr/gatehouse-$name\[\d+\]: configuration reloaded/,
	    20);
}

sub status {
	my ($want) = @_;
	my $end = time + 20;

	while (time < $end) {
		my $is = eval {
			open my $f, '<', "$dir/state/sandbox/status.json"
			    or die;
			$json->decode(scalar <$f>);
		};
		return $is if $is && $want->($is);
		sleep 0.02;
	}
	return {};
}

# --- clean ---
like sent('clean', 'a.bin' => 'fine', 'notes.txt' => 'not chosen'),
    qr/^250 /, 'taken';
is subject(), 'clean', 'a clean file: the mail arrives';
my $row = row('clean', $is{gone});
is "$row->{cause} $row->{by}", 'sandbox sandbox', 'from where it waited';
is $box->files, 1, 'the chosen file was shown, the other not';
like +(grep { /^POST/ } $box->requests)[0], qr/ [0-9a-f]{16}\.bin$/,
    'without its name, with its extension';
my ($id) = $row->{reply} =~ /queued as (\w+)/;
like $s->line($name, $id), qr/rule=clean/,
    'it was scanned again and waited for nothing more';
like sent('again', 'other.bin' => 'fine'), qr/^250 /, 'the same file';
is subject(), 'again', 'arrives';
is $box->files, 1, 'and is not shown again';

# --- caught ---
like sent('evil', 'a.bin' => 'fine', 'b.bin' => 'EVIL', 'c.txt' => 'x'),
    qr/^250 /, 'two chosen files, one malicious';
$row = row('evil', $is{kept});
like $row->{reply}, qr/^malicious: score 91 of 100, Test1mEvil, SHA-256 /,
    'it is kept; the reason has score and family, and no escapes';
is as_user('release', $row), 'forbidden', 'he cannot have it';
like subject(), qr/./, 'the admin is told';
is $box->files, 2, 'of two files one was known';
my ($exit, $text) = (0, '');
for (my $end = time + 20; $text !~ /malicious/ && time < $end; sleep 0.1) {
	($exit, $text) = $s->gatehouse('explain', $row->{queue_id}, '--state',
	    "$dir/state");
}
like $text, qr/malicious: score 91/, 'explain has the verdict' or diag $text;
like sent('members', 'a.bin' => 'MODE=members'), qr/^250 /,
    'an archive that becomes two tasks';
like row('members', $is{kept})->{reply}, qr/^malicious: score 91/,
    'the worst of them counts';
like subject(), qr/./, 'the admin is told';
has('store', sandbox_malicious => 'delete', sandbox_suspicious => 'deliver');
like sent('evil 2', 'b.bin' => 'EVIL'), qr/^250 /, 'the same again';
$row = row('evil 2', $is{deleted});
like $row->{reply}, qr/^malicious/, 'deleted, where that was chosen';
ok !$row->{body}, 'a record is left';
like subject(), qr/./, 'the admin is told';
like sent('odd', 'b.bin' => 'ODD'), qr/^250 /, 'a suspicious one';
is subject(), 'odd', 'delivered, where that was chosen';
has('store', sandbox_suspicious => 'hold');
like sent('odd 2', 'b.bin' => 'ODD'), qr/^250 /, 'another';
like row('odd 2', $is{kept})->{reply}, qr/^suspicious: score 50/, 'held';
like subject(), qr/./, 'the admin is told';

# --- answers that are none ---
$s->allow(qr/the answer is about another|the report is about another/,
    qr/is no JSON object|no task_ids|it answered 404|work on the file failed/);
my @nonsense = qw(garbage empty wrong-id wrong-file lost 413);
sent($_, 'a.bin' => "MODE=$_") for @nonsense;
sent('broken', 'a.bin' => 'BROKEN');
for my $mode (@nonsense, 'broken') {
	$row = row($mode, $is{kept});
	like "$row->{by} $row->{reply}", qr/^sandbox \(no answer\) none: /,
	    "$mode: no answer, held";
}
subject() for @nonsense, 'broken';

# --- nobody there ---
$s->allow(qr/the sandbox is down/);
$box->mode('down');
like sent('patient', 'a.bin' => 'patience'), qr/^250 /,
    'the sandbox is down: no trouble of mail';
like status(sub { !$_[0]{up} })->{why}, qr/hung up|closed|reset/i,
    'which the status says';
my (undef, $text2) = run('quarantine', 'list', '--cause', 'sandbox');
like $text2, qr/held\(until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\) sandbox .*patient/,
    'the list shows until when it waits';
($exit, $text) = $s->gatehouse('antivirus', 'status', '--config', $s->conf);
is $exit, 1, 'gatehouse antivirus status: something is wrong';
like $text, qr/^sandbox: 1 messages wait for a sandbox, the oldest for \d+ s;/m,
    'how much waits, and how long';
like $text, qr/; the next deadline is in 2\d h$/m, 'and until when';
like $text, qr{/apiv2: DOWN for \d+ s \(}, 'and that nobody answers';
my %why = (500 => qr/500/, 401 => qr/401/, endless => qr/too long/,
    slow => qr/./);
for my $mode (sort keys %why) {
	$box->mode($mode);
	like status(sub { $_[0]{why} =~ $why{$mode} })->{why}, $why{$mode},
	    "$mode: down";
}
like $s->send(body => "Your code is 123456\n"), qr/^250 /, 'other mail';
is subject(), 'a letter', 'flows';
$box->mode('pending');
status(sub { $_[0]{up} && $_[0]{tasks} });
my $given = $box->files;
$s->kill_milter('sandbox');
$s->kill_milter('store');
$s->kill_milter($name);
$s->allow(qr/were not in the index/, qr/gatehouse-store does not answer/);
$s->start_milter($_) for $name, 'sandbox', 'store';
$box->mode('ok');
is subject(), 'patient', 'after kill -9 of all three it arrives';
is $box->files, $given, 'and the file was not given again';
is_deeply [ $s->sink->rest ], [], 'once';

# --- never done ---
$s->allow(qr/waited for a second look/);
has('store', sandbox_deadline => '1s');
sent('never', 'a.bin' => 'NEVER');
$row = row('never', $is{kept});
is "$row->{by}: $row->{reply}", 'sandbox (no answer): no answer in time',
    'over the deadline: held for an administrator';
subject();
has('store', sandbox_fallback => 'deliver');
sent('never 2', 'a.bin' => 'NEVER');
is subject(), 'never 2', 'or delivered, as was chosen';
$s->kill_milter('sandbox');
sent('alone', 'a.bin' => 'alone');
is subject(), 'alone', 'also without gatehouse-sandbox';
has('store', sandbox_deadline => '1d');

# --- the generic interface ---
$s->options('sandbox', api => 'generic', url => $box->url('generic'));
$s->start_milter('sandbox');
sent('generic', 'a.bin' => 'good');
is subject(), 'generic', 'the generic interface: clean';
sent('generic 2', 'a.bin' => 'EVIL too');
like row('generic 2', $is{deleted})->{reply}, qr/^malicious/, 'malicious';
like subject(), qr/./, 'the admin is told';
$box->stop;
$s->done;
