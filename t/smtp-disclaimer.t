#!/usr/bin/perl
# Disclaimers and the mark of outside mail behind a real Postfix: what arrives,
# byte for byte, with values from a compiled directory; an HTML mail's disclaimer
# is in its body for another parser; a reload takes up another text, and keeps
# the old ones when one is wrong.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use MIME::Base64 qw(decode_base64);
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $dir = $s->dir;
my $us = 'us@gatehouse.test';
my $anna = 'anna@gatehouse.test';
my $office = '198.51.100.7';		# its mail is outbound
my $folder = "$dir/conf/disclaimers";

plan skip_all => Gatehouse::Postfix->missing if Gatehouse::Postfix->missing;

sub put {
	my ($path, $text) = @_;

	open my $f, '>', "$path.new" or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
	rename "$path.new", $path or die "$path: $!";
}

make_path($folder, "$dir/state/directory/current");
put("$folder/sign.txt", "-- \n{{name}}, Gatehouse Test Company\n" .
    "{{#phone}}Tel. {{phone}}\n{{/phone}}");
put("$folder/sign.html", "<p>{{name}}, <b>Gatehouse</b> Test Company" .
    "{{#phone}}<br>Tel. {{phone}}{{/phone}}</p>\n");
put("$folder/legal.txt", "By order of the board of directors.\n");
put("$folder/outside.txt", "This message came from outside.\n");
put("$dir/conf/rules.conf", 'rules = ( { name = "legal"; ' .
    'mode = "active"; when = { subject = { contains = "contract"; }; }; ' .
    'then = { disclaimer = "legal"; }; } );' . "\n");
put("$dir/state/directory/current/directory", join "\n",
    'gatehouse-directory 1', 'D gatehouse.test',
    "U $anna\tattr.name=Anna \xc3\x84hre\tattr.phone=+352 <1>",
    "U bert\@gatehouse.test\tattr.name=Bert", '++++ 3', '');

$s->milter('predelivery', rules => "$dir/conf/rules.conf",
    disclaimer_folder => $folder, disclaimers => [ 'sign' ],
    external_mark => "\xe2\x9a\xa0", external_banner => 'outside',
    external_subject => '[external]', scope => [
	{ user => 'bert@gatehouse.test', disclaimers => [ 'sign', 'legal' ],
	    disclaimer_place => 'end', disclaimer_internal => 'true' },
	{ user => 'quiet@gatehouse.test', external_mark => '',
	    external_banner => '', external_subject => '' } ]);
$s->postfix;
$s->log->mark;
my ($status, $said) = $s->gatehouse('policy', 'compile', '--config', $s->conf);
is $status, 0, 'the directory is compiled' or diag $said;
ok $s->log->wait_for(qr/new policy map taken up/, 10), 'and taken up';

# What arrived, without what Postfix put before it; and the event.
sub through {
	my (%m) = @_;

	my $got = $s->send(client => $office, from => $anna,
	    rcpt => 'x@client.test', %m);
	like $got, qr/^250 /, ($m{name_of} // 'a message') . ': taken' or
	    return ('', {});
	my $id = $s->queue_id($got);
	my $mail = $s->sink->next(10);
	my ($event) = Gatehouse::Journal->about("$dir/state/predelivery", $id);
	return ($s->without_received($mail->{bytes}), $event);
}

sub crlf { return $_[0] =~ s/\n/\r\n/gr }

my $n = 0;
sub mail {
	my ($fields, $body, $from) = @_;

	return "From: " . ($from // $anna) . "\nTo: x\@client.test\n" .
	    "Subject: a letter\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n" .
	    "Message-ID: <" . ++$n . "\@gatehouse.test>\n$fields\n$body";
}

# --- outbound ---
my $head = mail('', '');
my ($bytes, $event) = through(message => "${head}Good day.\n");
is $bytes, crlf("${head}Good day.\n\n-- \nAnna Aehre, Gatehouse Test Company\n" .
    "Tel. +352 <1>\n"), 'a text without a charset: ASCII that reads alike';
is $event->{'gatehouse.disclaimer'}, 'sign=added', 'the journal says so';

$head = mail("Content-Type: text/plain; charset=utf-8\n" .
    "Content-Transfer-Encoding: 8bit\n", '', 'bert@gatehouse.test');
($bytes) = through(from => 'bert@gatehouse.test',
    message => "${head}B\xc3\xb6\n\n> quoted\n");
is $bytes, crlf("${head}B\xc3\xb6\n\n> quoted\n\n-- \n" .
    "Bert, Gatehouse Test Company\n\nBy order of the board of directors.\n"),
    'in a scope: two, at the end; who has no phone';
($bytes) = through(from => 'bert@gatehouse.test', rcpt => $us,
    message => "${head}Hello\n");
like $bytes, qr/board of directors/, 'and among ourselves';
$head = mail('', '');
($bytes) = through(message => "${head}Yes\n\n> quoted\n");
is $bytes, crlf("${head}Yes\n\n-- \nAnna Aehre, Gatehouse Test Company\n" .
    "Tel. +352 <1>\n\n> quoted\n"), 'before what is quoted';

my $alternative = mail("MIME-Version: 1.0\n" .
    "Content-Type: multipart/alternative; boundary=a\n", <<'END');
--a
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Sch=F6n.
--a
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: base64

PGh0bWw+PGJvZHk+PHA+U2No9m4uPC9wPg0KPC9ib2R5PjwvaHRtbD4NCg==
--a--
END
($bytes) = through(message => $alternative);
like $bytes, qr/\r\nSch=F6n\.\r\n\r\n=2D-=20\r\nAnna =C4hre, Gatehouse Test Company\r\nTel\. \+352 <1>\r\n--a\r\n/,
    'quoted-printable' or diag $bytes;
my ($html) = $bytes =~ /base64\r\n\r\n(.*?)\r\n--a--/s;
$html = decode_base64($html // '');
is $html, crlf("<html><body><p>Sch\xf6n.</p>\n\n<p>Anna \xc4hre, " .
    "<b>Gatehouse</b> Test Company<br>Tel. +352 &lt;1&gt;</p>\n" .
    "</body></html>\n"), 'base64';
SKIP: {
	skip 'NO PEER: python3-html5lib is not installed', 1
	    if system('/usr/bin/python3 -c "import html5lib" 2>/dev/null') != 0;
	put("$dir/part.html", $html);
	my $body = `/usr/bin/python3 -c '
import html5lib, sys
t = html5lib.parse(open(sys.argv[1], "rb").read(), treebuilder="etree",
    namespaceHTMLElements=False, transport_encoding="iso-8859-1")
print(" ".join("".join(t.find("body").itertext()).split()))' $dir/part.html`;
	like $body, qr/Gatehouse Test CompanyTel\. \+352 <1>/,
	    'another parser sees it in the body';
}

my $reply = mail('', "Yes.\n\n> Bert, Gatehouse Test\n> Company\n");
($bytes, $event) = through(message => $reply);
is $bytes, crlf($reply), 'not twice in a thread';
is $event->{'gatehouse.disclaimer'}, 'sign=there', 'and why';
my $signed = mail("MIME-Version: 1.0\nContent-Type: multipart/signed; " .
    "boundary=a; protocol=\"application/pgp-signature\"\n", "--a\n\nHello\n" .
    "--a\nContent-Type: application/pgp-signature\n\nx\n--a--\n");
($bytes, $event) = through(message => $signed);
is $bytes, crlf($signed), 'not in what is signed';
is $event->{'gatehouse.disclaimer'}, 'sign=signed', 'and why';
my $plain = mail('', "Good day.\n");
($bytes) = through(message => $plain, rcpt => $us);
is $bytes, crlf($plain), 'not among ourselves';
my $contract = mail('', "Good day.\n") =~ s/a letter/the contract/r;
($bytes, $event) = through(message => $contract);
like $bytes, qr/Tel\. \+352 <1>\r\n\r\nBy order of the board of directors\.\r\n\z/,
    'and what a rule asked for';
is $event->{'gatehouse.disclaimer'}, 'sign=added legal=added', 'it says so';

# --- inbound ---
sub outside { return (client => '192.0.2.9', from => 'a@far.test',
    rcpt => $us, @_) }

my $boss = mail('', "Pay this.\n", "\"The Boss\" <$anna>");
($bytes, $event) = through(outside(message => $boss));
my $want = crlf($boss =~ s/From: /From: =?utf-8?Q?=E2=9A=A0?= /r
    =~ s/Subject: /Subject: [external] /r
    =~ s/\n\n/\n\nThis message came from outside.\n\n/r);
is $bytes, $want, 'our name from outside: mark, banner and tag';
is $event->{'gatehouse.external'},
    'From=marked outside=added Subject=tagged', 'the journal says so';
($bytes) = through(outside(message => $want =~ s/\r\n/\n/gr));
is $bytes, $want, 'twice is once';
my $other = mail('', "Hello.\n", 'Other <a@far.test>');
($bytes) = through(outside(message => $other));
is $bytes, crlf($other), 'another name from outside: as it was';
($bytes) = through(outside(message => $boss, client => '127.0.0.1'));
is $bytes, crlf($boss), 'from this machine: nor is that outside';
($bytes) = through(outside(message => $boss, rcpt => 'quiet@gatehouse.test'));
is $bytes, crlf($boss), 'and who wants none of it has none';
my $two = $boss =~ s/^To: /From: $anna (A), x\@far.test\nTo: /mr;
($bytes) = through(outside(message => $two));
is_deeply [ $s->fields($bytes, 'From') ], [
    "=?utf-8?Q?=E2=9A=A0?= \"The Boss\" <$anna>",
    "$anna (=?utf-8?Q?=E2=9A=A0?= A), =?utf-8?Q?=E2=9A=A0?= <x\@far.test>" ],
    'two fields From, two addresses';
my $trick = mail('', "Hello.\n", "\"$anna\" <a\@far.test>");
($bytes) = through(outside(message => $trick));
like $bytes, qr/^From: =\?utf-8\?Q\?=E2=9A=A0\?= "\Q$anna\E"/m,
    'our name within a name';

# --- a reload ---
put("$folder/sign.txt", "-- \n{{name}}, another text\n");
$s->signal_milter('predelivery', 'USR1');
$s->log->wait_for(qr/gatehouse-predelivery.*configuration/, 10);
($bytes) = through(message => $plain);
like $bytes, qr/Anna Aehre, another text\r\n\z/, 'another text, at a reload';
$s->allow(qr/error:.*bad\.txt/);
put("$folder/bad.txt", "{{#name}}\n");
$s->signal_milter('predelivery', 'USR1');
ok $s->log->wait_for(qr/bad\.txt:1: .*never closed/, 10),
    'a wrong one is named';
($bytes) = through(message => $plain);
like $bytes, qr/Anna Aehre, another text\r\n\z/, 'and the old ones stay';
unlink "$folder/bad.txt";

$s->done;
