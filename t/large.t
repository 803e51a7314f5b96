#!/usr/bin/perl
# Large mail (R18, R19), by the milter protocol and at the store's socket: it is
# refused while there is no portal; which parts go, and that all else stays; for
# whom, in both directions; what is signed; the same links when it comes again;
# expired, used up, revoked, forged, another's; infected, no scanner; erasure.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(sha256_hex);
use IO::Socket::UNIX;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Fake;
use Gatehouse::Journal;
use Gatehouse::Process;
use Gatehouse::Scanners;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my ($dir, $json) = ($s->dir, JSON::PP->new->utf8);
my ($us, $boss, $short, $strict) =
    map { "$_\@gatehouse.test" } qw(us boss short strict);
my $url = 'https://portal.gatehouse.test/f';
my $portal = "$dir/portal.sock";
my $name = 'attachment-dlp';

plan skip_all => 'NOT BUILT: the cell unpack' unless -x
    Gatehouse::Suite::build() . '/cells/unpack/gatehouse-cell-unpack';
plan skip_all => 'NO PACKAGE clamav-daemon'
    unless Gatehouse::Scanners->has_clamd;

# --- a scanner of our own, whose signatures change ---
mkdir "$dir/$_" for qw(db run);
sub signature {
	my ($word) = @_;

	open my $f, '>', "$dir/db/test.ndb" or die $!;
	print $f "Test.Word:0:*:" . unpack('H*', $word) . "\n";
	close $f;
}
signature('nothing has this word');
my $scanners = Gatehouse::Scanners->new(dir => "$dir/run", db => "$dir/db");
$scanners->clamd;

my %large = (large_at => '40k', large_part => '10k', large_url => $url,
    large_keep => '2h', large_downloads => 2, quarantine => [],
    remove => [ 'ext:js' ], scope => [
    { user => $boss, large_at => '1G' },
    { user => $short, large_downloads => 1 },
    { user => $strict, large_sealed => 'reject' },
    { user => 'from@gatehouse.test', large_at_outbound => '40k' } ]);
$s->milter($name, %large);
open my $rules, '>', "$dir/rules" or die $!;
print $rules 'rules = ( { name = "no"; mode = "active"; when = { header = { ' .
    'name = "Subject"; contains = "refuse"; }; }; then = { reject = "5.7.1 no"; }; } );' . "\n";
close $rules;
$s->milter('chain', filters => [ $name, 'predelivery' ]);
$s->conf_write('predelivery.conf', rules => "$dir/rules");
open my $maillog, '>', "$dir/mail.log" or die $!;
$s->service('track', maillogs => [ "$dir/mail.log" ]);
$s->service('store', key => "$dir/store.key", reserve => '64k',
    scan => '200ms', download_scanners => [ $scanners->socket ]);

# --- without a portal ---
sub check {
	my ($program) = @_;
	my ($path) = grep { -x } map { Gatehouse::Suite::build() .
	    "/$_/$program/gatehouse-$program" } qw(milters services);

	return `$path --config $dir/conf/$program.conf --house $dir/conf/gatehouse.conf --check-config 2>&1`;
}
$s->house;
$s->options($_) for $name, 'store';
my $said = check($name);
isnt $?, 0, 'no portal: refused';
like $said, qr/attachment-dlp\.conf: large_at wants a portal, .* there is none; set portal in gatehouse\.conf/,
    'and why';
$s->options($name, large_at => 0, scope => [ { user => $us,
    large_at => '1M' } ]);
like check($name), qr{attachment-dlp\.conf:\d+: large_at wants a portal},
    'for one mailbox too: file and line';
like scalar `@{[ Gatehouse::Suite::build() ]}/tools/gatehouse check-config --config $dir/conf 2>&1`,
    qr/large_at wants a portal/, 'by check-config';
$s->options($name, %large);
eval { $s->{by}{$name}{path} = "$dir/none"; $s->start_milter($name) };
like $@, qr/does not start.*large_at wants a portal/s, 'nor does it start';
delete $s->{by}{$name}{path};
$s->house(portal => $portal);
like check($name), qr/\Q$portal\E .*is no socket: No such file/,
    'a portal that is not there';
my $door = IO::Socket::UNIX->new(Local => $portal, Listen => 5) or die $!;
is check($name), '', 'with a portal';
is $?, 0, 'it is right';
$s->options($name, large_url => 'http://portal.test/');
like check($name), qr/large_url is "http:.*as "https:/, 'https is wanted';
$s->options($name, large_url => $url);
$s->options('store', download_scanners => []);
like check('store'), qr/download_scanners is empty, and gatehouse\.conf has a portal/,
    'a portal wants a scanner';
$s->options('store', download_scanners => [ 'clamd' ]);
like check('store'), qr/"clamd" is none; it wants the path/, 'a right one';
$s->options('store', download_scanners => [ $scanners->socket ]);
$s->allow(qr/fatal: .*large_at wants a portal/, qr/cell unpack/);
$s->daemons;

# --- letters ---
sub part {
	my ($file, $bytes, %m) = @_;

	return "--b\nContent-Type: " . ($m{type} // 'application/pdf') .
	    ($m{id} ? "\nContent-ID: <$m{id}>" : '') .
	    "\nContent-Transfer-Encoding: base64\nContent-Disposition: " .
	    ($m{way} // 'attachment') . "; filename=\"$file\"\n\n" .
	    encode_base64($bytes);
}

my $mails = 0;
sub mail {
	my ($parts, %m) = @_;

	return "From: a\@client.test\nTo: $us\nSubject: x\nDate: Thu, 26 Nov " .
	    "2026 10:00:00 +0000\nMessage-ID: <" . ($m{id} // ++$mails) .
	    "\@client.test>\nMIME-Version: 1.0\nContent-Type: multipart/" .
	    ($m{kind} // 'mixed') . "; boundary=b\n\n--b\nContent-Type: " .
	    "text/plain\n\nSee there.\n" . join('', @$parts) . "--b--\n";
}

sub bytes { my ($n, $seed) = @_; return join '', map { sha256_hex("$seed.$_") } 1 .. $n / 64 }

sub talk {
	my ($form, $message, %m) = @_;

	$s->log->mark;
	my $r = $s->talk($form, message => $message, rcpt => [ $us ], %m);
	$r->{lf} = ($r->{message} // '') =~ s/\r\n/\n/gr;
	$r->{tokens} = [ $r->{lf} =~ m{\Q$url\E/([a-z2-7]{26})\n}g ];
	return $r;
}

sub ask {
	my (%request) = @_;
	my $c = IO::Socket::UNIX->new(Peer => "$dir/state/store/sock")
	    or return { error => 'away' };

	print $c $json->encode({ v => 1, %request }), "\n";
	my $answer = $json->decode(<$c> // '{}');
	if ($answer->{bytes}) {
		local $/ = \$answer->{bytes};
		$answer->{got} = sha256_hex(<$c> // '');
	}
	return $answer;
}

# Adoption is a moment later.
sub adopted {
	my $end = time + 20;

	sleep 0.02 while $store->files && time < $end;
	is_deeply [ $store->files ], [], 'what was stored came in';
}

sub sql {
	my ($sql) = @_;

	return system('sqlite3', "$dir/state/store/files.db", '.timeout 5000',
	    $sql) == 0;
}

sub fetch {
	my ($token, %m) = @_;

	return ask(op => 'file-fetch', token => $token, %m);
}

my ($big, $also) = (bytes(48_000, 'big'), bytes(20_000, 'also'));
my $small = part('small.txt', 'y', type => 'text/plain');

for my $form ($name, 'chain') {
	my $r = talk($form, mail([ part('a.pdf', 'x' x 9_000), $small ]));
	is $r->{reply}, 'accept', "$form: not large";
	is_deeply $r->{edits}, [], 'not a byte changed';

	# One goes, one is too small, one is removed by a list.
	my $letter = mail([ part('big.pdf', $big), $small,
	    part('run.js', $also) ]);
	$r = talk($form, $letter);
	is $r->{reply}, 'accept', 'large: delivered';
	is scalar @{ $r->{tokens} }, 1, 'with one link';
	like $r->{lf}, qr/See there\.\n--b\nContent-Type: text\/plain; charset=utf-8\n.*\n    big\.pdf \(48000 bytes\)\n\nYou can have it until \d{4}-\d\d-\d\d, 2 times, at\n.*\n\Q$small\E--b\n.*has removed from this message.*--b--\n\z/s,
	    'in its place; the others as they were, or as the lists say';
	my ($line) = $s->log->wait_for(qr/gatehouse-\Q$form\E\[\d+\]: .*verdict=/, 10);
	like $line, qr/rule=attachment-removed.*, large=1,/, 'the log line';
	adopted();
	my $got = fetch($r->{tokens}[0]);
	is $got->{got}, sha256_hex($big), 'it can be had';
	is $got->{name}, 'big.pdf', 'by its name';
	is $got->{type}, 'application/pdf', 'and its type';
	is $got->{sha256}, sha256_hex($big), 'and digest';
	is $got->{recipient}, $us, 'it is his';

	# The same message again: the same link, one file, one count.
	my $again = talk($form, $letter);
	is_deeply $again->{tokens}, $r->{tokens}, 'it comes again: the same link';
	adopted();
	is fetch($r->{tokens}[0])->{left}, 0, 'counted on';
	is fetch($r->{tokens}[0])->{error}, 'used-up', 'and used up';
	my $other = talk($form, mail([ part('big.pdf', $big) ]));
	isnt "@{ $other->{tokens} }", "@{ $r->{tokens} }", 'another message: another link';
	adopted();
}

# --- what stays ---
my $r = talk($name, mail([ part('i.png', $big, type => 'image/png',
    way => 'inline', id => 'i'), part('a.pdf', $also) ], kind => 'related'));
is scalar @{ $r->{tokens} }, 1, 'a picture of the letter stays';
like $r->{lf}, qr/filename="i\.png"\n\n\Q${\ encode_base64($big)}/, 'as it was';
$r = talk($name, mail([ "--b\nContent-Type: text/plain\n\n" . "words, and more\n" x 5_000 ]));
is_deeply $r->{edits}, [], 'so does a long text of the letter';
$r = talk($name, mail([ "--b\nContent-Type: text/plain; name=x.txt\nContent-" .
    "Disposition: attachment; filename=x.txt\n\n" . "words, and more\n" x 5_000 ]));
is scalar @{ $r->{tokens} }, 1, 'a text that is attached goes';
adopted();
is fetch($r->{tokens}[0])->{got},
    sha256_hex(("words, and more\r\n" x 5_000) =~ s/\r\n\z//r),
    'and is had byte for byte';
$r = talk($name, "From: a\@client.test\nDate: x\nMIME-Version: 1.0\nContent-Type: " .
    "application/zip; name=z.zip\nContent-Transfer-Encoding: base64\n\n" .
    encode_base64($big));
is scalar @{ $r->{tokens} }, 1, 'a message that is one attachment';
like $r->{lf}, qr/\nContent-Type: text\/plain; charset=utf-8\n/, 'becomes a text';

# --- signed ---
my $signed = "From: a\@client.test\nMIME-Version: 1.0\nContent-Type: multipart/" .
    "signed; micalg=pgp-sha256; protocol=\"application/pgp-signature\"; " .
    "boundary=s\n\n--s\n" . (mail([ part('a.pdf', $big) ]) =~ s/\A.*?(?=Content-Type: multi)//sr) .
    "--s\nContent-Type: application/pgp-signature\n\nx\n--s--\n";
$r = talk($name, $signed);
is $r->{reply}, 'accept', 'signed: delivered';
is_deeply $r->{edits}, [], 'as it is';
$r = talk($name, $signed, rcpt => [ $strict ]);
like $r->{reply}, qr/^550 5\.3\.4 .*signed or encrypted/, 'or refused';

# --- for whom ---
$r = talk($name, mail([ part('a.pdf', $big) ]), rcpt => [ $boss ]);
is_deeply $r->{edits}, [], 'not for who does not want it';
$r = talk($name, mail([ part('a.pdf', $big) ]), from => 'from@gatehouse.test',
    client => '198.51.100.7', rcpt => [ 'a@far.test' ]);
is scalar @{ $r->{tokens} }, 1, 'outbound, by the sender';
adopted();
is fetch($r->{tokens}[0])->{recipient}, 'a@far.test', 'for who gets it';
$r = talk($name, mail([ part('a.pdf', $big) ]), from => 'else@gatehouse.test',
    client => '198.51.100.7', rcpt => [ 'a@far.test' ]);
is_deeply $r->{edits}, [], 'not for another sender';

# --- a filter behind it, in the same process, refuses ---
$r = talk('chain', mail([ part('a.pdf', $big) ]) =~ s/^Subject: .*/Subject: refuse/mr);
like $r->{reply}, qr/^550 5\.7\.1 no/, 'refused by the next filter';
is_deeply [ $store->files ], [], 'and nothing is stored';

# --- it comes again when some time has passed ---
SKIP: {
	skip 'NO sqlite3 here', 1 unless grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};
	my $late = mail([ part('a.pdf', $big) ], id => 'late');
	$r = talk($name, $late, rcpt => [ 'late@gatehouse.test' ]);
	adopted();
	sql("UPDATE share SET expires = expires - 3600, uses = 1 WHERE recipient = 'late\@gatehouse.test'");
	talk($name, $late, rcpt => [ 'late@gatehouse.test' ]);
	adopted();
	my ($row) = @{ ask(op => 'file-list', recipient => 'late@gatehouse.test')->{rows} };
	cmp_ok $row->{expires}, '>', time + 7000, 'as long as its last note says';
	is $row->{left}, 1, 'and as often as before';
}

# --- several recipients: one link, a count for each ---
$r = talk($name, mail([ part('a.pdf', $big), part('b.pdf', $also) ]),
    rcpt => [ $us, $short, 'Third@Gatehouse.TEST' ]);
is scalar @{ $r->{tokens} }, 2, 'two files, two links';
my $token = $r->{tokens}[0];
adopted();
is fetch($token)->{error}, 'whose', 'who asks has to say for whom';
is fetch($token, recipient => 'other@gatehouse.test')->{error}, 'no-token',
    'and not for another one';
is fetch($token, recipient => $us)->{got}, sha256_hex($big), 'for one';
is fetch($token, recipient => $us)->{got}, sha256_hex($big), 'twice';
is fetch($token, recipient => $us)->{error}, 'used-up', 'not a third time';
is fetch($token, recipient => 'third@gatehouse.test')->{left}, 1,
    'another has his own count';
is fetch($r->{tokens}[1], recipient => $us)->{got}, sha256_hex($also), 'the other file';
is fetch('a' x 26)->{error}, 'no-token', 'one that was never made';
is fetch('x')->{error}, 'no-token', 'and what is none';
my $forged = $token =~ tr/a-y/b-z/r;
is fetch($forged, recipient => $us)->{error}, 'no-token', 'a forged one';

# --- verbs ---
sub store_verb { return $s->gatehouse('store', @_, '--state-directory', "$dir/state") }
my ($status, $text) = store_verb('files', '--recipient', $short);
like $text, qr/^([0-9a-f]{32}) open <\Q$short\E> until .*, 0 of 2 given, 48000 bytes: a\.pdf$/m,
    'gatehouse store files';
my ($object) = $text =~ /^(\w{32}) .*a\.pdf$/m;
($status, $text) = store_verb('file', $object);
is scalar(() = $text =~ /^fetched .*<\Q$us\E> by root/mg), 2, 'who had it';
($status, $text) = store_verb('fetch', $token, '--recipient', $short,
    '--output', "$dir/out");
is $status, 0, 'gatehouse store fetch';
is -s "$dir/out", 48_000, 'the file';
($status) = store_verb('fetch', $token, '--recipient', $short, '--output', "$dir/out");
isnt $status, 0, 'writes over nothing';
is fetch($token, recipient => $short)->{left}, 0, 'and counted nothing';
($status, $text) = store_verb('revoke', $object, '--recipient', 'third@gatehouse.test');
like $text, qr/^1 revoked/, 'gatehouse store revoke';
is fetch($token, recipient => 'third@gatehouse.test')->{error}, 'revoked',
    'for one';
ok !-e "$dir/state/store/files/$object", 'nobody can have it: the file is gone';
my ($event) = grep { ($_->{'gatehouse.state'} // '') eq 'given' &&
    $_->{'gatehouse.object'} eq $object } Gatehouse::Journal->events("$dir/state/store");
is $event->{'email.to.address'}, $us, 'the journal says who had it';

# --- virus, scanner ---
$r = talk($name, mail([ part('a.pdf', $big) ]));
$token = $r->{tokens}[0];
adopted();
$scanners->{clamd}->stop;
$s->allow(qr/warning: \w+: (?:cannot be looked at|infected)/);
my $got = fetch($token);
is $got->{error}, 'not-now', 'no scanner: not now';
is $got->{got}, undef, 'and not a byte';
signature(substr $big, 100, 40);
$scanners->clamd;
$got = fetch($token);
is $got->{error}, 'infected', 'a virus that is known now';
like $got->{why}, qr/^Test\.Word/, 'its name is told';
is $got->{got}, undef, 'not a byte';
($status, $text) = store_verb('files', '--recipient', $us);
like $text, qr/ 0 of 2 given, .*a\.pdf INFECTED Test\.Word/, 'and none was counted';
$scanners->{clamd}->stop;
signature('nothing has this word');
$scanners->clamd;
is fetch($token)->{got}, sha256_hex($big), 'it was a mistake: there it is';
$s->options('store', download_scan_limit => '20k');
$s->signal_milter('store', 'USR1');
ok $s->log->wait_for(qr/store\S+ configuration reloaded/, 20), 'reloaded';
is fetch($token)->{error}, 'unscannable', 'too large for the scanner: never';
$s->options('store', download_scan_limit => '100M');
$s->signal_milter('store', 'USR1');

my $end = time + 20;
sleep 0.05 while (fetch($token)->{error} // '') eq 'unscannable' &&
    time < $end;

# --- expiry: as if its time were over ---
SKIP: {
	skip 'NO sqlite3 here', 1 unless grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};
	$r = talk($name, mail([ part('a.pdf', $big) ], id => 'old'));
	$token = $r->{tokens}[0];
	adopted();
	ok sql('UPDATE share SET expires = 1'), 'time goes by';
	is fetch($token)->{error}, 'expired', 'expired';
}

# --- the links live through a kill, and files are where they belong ---
$r = talk($name, mail([ part('a.pdf', $big) ]));
$token = $r->{tokens}[0];
adopted();
$s->kill_milter('store');
$r = talk($name, mail([ part('b.pdf', $also), part('c.pdf', $big) ]));
is $r->{reply}, 'accept', 'without the daemon mail goes on';
is scalar @{ $r->{tokens} }, 2, 'with links';
$s->start_milter('store');
adopted();
is fetch($token)->{left}, 1, 'a link from before';
is fetch($r->{tokens}[1])->{got}, sha256_hex($big), 'and one from between';

# --- many at once: as many as there are uses ---
$r = talk($name, mail([ part('a.pdf', $big) ]));
adopted();
my @many = map { IO::Socket::UNIX->new(Peer => "$dir/state/store/sock") } 1 .. 20;
print $_ $json->encode({ v => 1, op => 'file-fetch', token => $r->{tokens}[0] }) .
    "\n" for @many;
my @answers = map { my $c = $_; $json->decode(<$c> // '{}') } @many;
is scalar(grep { $_->{ok} } @answers), 2, 'twenty at once: two have it';
is scalar(grep { ($_->{error} // '') eq 'used-up' } @answers), 18,
    'the others are told';
close $_ for @many;

# --- a use is on the disk before the first byte is out ---
$r = talk($name, mail([ part('a.pdf', $big) ]), rcpt => [ $short ]);
adopted();
my $c = IO::Socket::UNIX->new(Peer => "$dir/state/store/sock") or die $!;
print $c $json->encode({ v => 1, op => 'file-fetch', token => $r->{tokens}[0] }) . "\n";
ok $json->decode(scalar <$c>)->{ok}, 'an answer';
$s->kill_milter('store');
$s->start_milter('store');
is fetch($r->{tokens}[0])->{error}, 'used-up', 'and a kill: it is counted';

# --- what cannot be counted is not given ---
SKIP: {
	skip 'NO sqlite3 here', 1 unless grep { -x "$_/sqlite3" } split /:/, $ENV{PATH};
	$r = talk($name, mail([ part('a.pdf', $big) ]));
	adopted();
	open my $lock, '|-', "sqlite3 -cmd '.timeout 5000' $dir/state/store/files.db >$dir/locked"
	    or die $!;
	$lock->autoflush;
	print $lock "BEGIN EXCLUSIVE;\nSELECT 'locked';\n";
	my $end = time + 20;
	sleep 0.02 while !-s "$dir/locked" && time < $end;
	$got = fetch($r->{tokens}[0]);
	is $got->{error}, 'trouble', 'the list cannot be written: not given';
	is $got->{got}, undef, 'not a byte';
	print $lock "ROLLBACK;\n";
	close $lock;
	is fetch($r->{tokens}[0])->{left}, 1, 'later it is, and is counted once';
}

# --- a file that was changed on the disk is not given out ---
$r = talk($name, mail([ part('a.pdf', $big) ]), rcpt => [ 'changed@gatehouse.test' ]);
adopted();
$object = ask(op => 'file-list', recipient => 'changed@gatehouse.test')->{rows}[0]{object};
for my $path ("$dir/state/store/files/$object") {
	chmod 0600, $path;
	open my $f, '+<:raw', $path or die $!;
	seek $f, 30_000, 0;
	print $f 'changed';
	close $f;
}
$got = fetch($r->{tokens}[0]);
is $got->{error}, 'not-now', 'changed on the disk: not given out';
like $got->{why}, qr/was changed|cannot be read/, 'and why';
is fetch($r->{tokens}[0])->{got}, undef, 'not a byte';

# --- the data base was lost: nothing is given, nothing is thrown away ---
$s->kill_milter('store');
my @db = map { "$dir/state/store/files.db$_" } '', '-wal', '-shm';
rename $_, "$_.kept" for @db;
$s->start_milter('store');
$s->allow(qr/error: \S+: \d+ files are not in files\.db/);
is fetch($r->{tokens}[0])->{error}, 'no-token', 'without the list no link leads anywhere';
ok -e "$dir/state/store/files/$object", 'and the files stay';
$s->kill_milter('store');
unlink @db;
rename "$_.kept", $_ for @db;
$s->start_milter('store');

# --- erasure ---
$r = talk($name, mail([ part('a.pdf', $big) ]), rcpt => [ 'gone@gatehouse.test' ],
    from => 'sender@client.test');
adopted();
my $rows = ask(op => 'file-list', recipient => 'Gone@gatehouse.test')->{rows};
is scalar @$rows, 1, 'he has a file';
($status, $text) = $s->gatehouse('forget', '--config', $s->conf, '--json',
    'gone@gatehouse.test');
is $status, 0, 'gatehouse forget' or diag $text;
is eval { $json->decode($text)->{file_shares} }, 1, 'he is forgotten';
ok !-e "$dir/state/store/files/$rows->[0]{object}", 'and it goes from the disk';
is fetch($r->{tokens}[0])->{error}, 'no-token', 'his link is none';
$got = ask(op => 'file-forget', recipient => 'sender@client.test');
cmp_ok $got->{sent}, '>', 0, 'who sent it';
is scalar(grep { $_->{sender} eq 'sender@client.test' }
    @{ ask(op => 'file-list')->{rows} }), 0, 'is not named any more';

# --- wrong tokens: locked out ---
fetch('b' x 26, peer => 'p') for 1 .. 10;
$s->allow(qr/warning: p: too many wrong tokens/);
is fetch($token, peer => 'p')->{error}, 'no-token', 'ten wrong ones: not even a right one';
is fetch($token, peer => 'q')->{got}, sha256_hex($big), 'another peer is not meant';

# --- tried out: nothing is written ---
open my $f, '>', "$dir/mail" or die $!;
print $f mail([ part('a.pdf', $big) ]);
close $f;
($status, $text) = $s->gatehouse('test', '--config', $s->conf, '--milter',
    $name, '--rcpt', $us, '--output', "$dir/after", "$dir/mail");
like $text, qr/large-mail/, 'gatehouse test says it' or diag $text;
diag `cat $dir/log/gatehouse.err` if $status;
is_deeply [ $store->files ], [], 'and stores nothing';
$s->done;
