#!/usr/bin/perl
# Phishing behind a real Postfix: a feed from an HTTP server is fetched, refused
# where it is cut, poisoned or no feed, and taken by a daemon that runs; mail
# with a link on it is held and all other mail arrives byte for byte; a code in
# a picture leads to the same end.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Picture;
use Gatehouse::Postfix;
use Gatehouse::Process;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(house => { domains => [ 'our.test' ],
    networks => [ '127.0.0.0/8' ] });
my $store = Gatehouse::Store->new($s);
my $dir = $s->dir;
my $us = 'us@our.test';
my $src = $ENV{GATEHOUSE_SRC} // "$FindBin::Bin/..";

plan skip_all => Gatehouse::Postfix->missing if Gatehouse::Postfix->missing;
plan skip_all => 'NOT BUILT: the cell code' unless -x
    Gatehouse::Suite::build() . '/cells/code/gatehouse-cell-code';

# --- a server that gives the file "answer", headers and all ---
my $port = Gatehouse::Postfix::free_port();
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5,
    LocalPort => $port, ReuseAddr => 1) or die "port $port: $!";
my $server = Gatehouse::Process->start_sub(sub {
	while (my $c = $listen->accept) {
		while (defined(my $line = <$c>)) { last if $line =~ /^\r?\n/ }
		open my $f, '<:raw', "$dir/answer" or die $!;
		print $c join '', <$f>;
		close $c;
	}
}, name => 'feed server');
close $listen;

sub serves {
	my ($body, %a) = @_;

	open my $f, '>:raw', "$dir/answer" or die $!;
	print $f 'HTTP/1.1 ' . ($a{status} // '200 OK') . "\r\nContent-Length: " .
	    ($a{length} // length $body) . "\r\nConnection: close\r\n\r\n$body";
	close $f or die $!;
}

my $feed = "http://127.0.0.1:$port/list.txt";
$s->milter('antispam', model => "$src/milters/antispam/antispam.model",
    phishing_feed => [ $feed ], tag_at => 101, act_at => 101,
    header => 'false');
$s->postfix;
$s->allow(qr/cell (?:unpack|code)/);

my $n = 0;
sub mail {
	my ($type, $body) = @_;

	return "From: Anna <anna\@sender.test>\nTo: $us\nSubject: Minutes\n" .
	    "Date: Thu, 26 Nov 2026 10:00:00 +0000\nMessage-ID: <" . ++$n .
	    "\@sender.test>\nMIME-Version: 1.0\nContent-Type: $type\n" .
	    "Content-Transfer-Encoding: base64\n\n" . encode_base64($body);
}

sub page { mail('text/html; charset=utf-8', "<p>Hello,</p><p>see <a href=\"" .
    "$_[0]\">here</a>.</p>") }

# What became of it: "delivered", or the cause for which it is held; and its
# line.
sub fate {
	my ($message) = @_;

	$s->log->mark;
	$s->pf->log->mark;
	my $got = $s->send(client => '192.0.2.9', from => 'anna@sender.test',
	    message => $message, rcpt => [ $us ]);
	like $got, qr/^250 /, 'taken';
	my $id = $s->queue_id($got);
	my $line = $s->line('antispam', $id);
	my ($held) = $store->objects;
	$store->clear;
	return ("$held->{cause}", $line) if $held;
	my $mail = $s->sink->next(10);
	is $s->without_received($mail->{bytes}), $message =~ s/\n/\r\n/gr,
	    'byte for byte';
	return ('delivered', $line);
}

sub feeds { $s->gatehouse('spam', 'feeds', '--config', $s->conf, @_) }

# --- no feed yet ---
my $evil = page('http://login.evil-host.example/a');
my ($what, $line) = fate($evil);
is $what, 'delivered', 'before the feed is there';
like $line, qr/no answer: a phishing feed/, 'which the log says';

# --- what is no feed, and then a good one ---
serves('<html>', status => '404 Not Found');
my ($status, $out) = feeds();
is $status, 75, 'a server without it';
like $out, qr/^\Q$feed\E: not taken: the server says 404$/m, 'is told';
serves("evil-host.example\n", length => 1000);
is +(feeds())[0], 75, 'an answer that is cut';
serves("<html>\n<body>\n<p>Please log in</p>\n</body>\n");
($status, $out) = feeds();
is $status, 65, 'a page is no feed';
serves(join '', (map { "bad$_.example\n" } 1 .. 300), "evil-host.example\n",
    "http://shop.example/hacked/index.php?x=1\n", "google.com\n");
($status, $out) = feeds();
is $status, 0, 'a feed';
is $out, "$feed: 302 entries (1 links, 302 hosts, 1 popular ones left out, " .
    "0 lines unread)\n", 'and what is in it';

# --- the daemon takes it while it runs ---
sleep 2.2;
($what, $line) = fate($evil);
is $what, 'phishing', 'held as phishing';
like $line, qr/rule=phishing.*evil-host\.example is on the list \Q$feed\E[,)]/,
    'the line names host and list';
($what, $line) = fate(page('https://shop.example/hacked/./index.php?x=1#a'));
is $what, 'phishing', 'a page of a site that is not listed';
($what, $line) = fate(page('https://shop.example/'));
is $what, 'delivered', 'the site itself';
($what, $line) = fate(page('https://www.google.com/'));
is $what, 'delivered', 'and who is on each feed by mistake';
my $qr = Gatehouse::Picture::png(Gatehouse::Picture::qr(
    'http://evil-host.example/qr', 4));
($what, $line) = fate(mail('image/png; name="a.png"', $qr));
is $what, 'phishing', 'a code in a picture';
$qr = Gatehouse::Picture::png(Gatehouse::Picture::qr('just a text', 4));
is +(fate(mail('image/png; name="a.png"', $qr)))[0], 'delivered', 'another one';

# --- a feed that went bad ---
open my $p, '<', "$src/milters/antispam/phish_popular.c" or die $!;
my @popular = map { /^\t"(.*)"/ ? split(/ /, $1) : () } <$p>;
serves(join '', map { "$_\n" } @popular, 'evil-host.example');
($status, $out) = feeds();
is $status, 65, 'a poisoned feed is refused';
like $out, qr/poisoned.*the one before stays/, 'with the reason';
serves("evil2.example\n");
($status, $out) = feeds();
is $status, 65, 'and one that has shrunk';
sleep 2.2;
is +(fate($evil))[0], 'phishing', 'the old one counts';
($status, $out) = feeds('--force');
is $status, 0, 'unless somebody insists';
sleep 2.2;
is +(fate($evil))[0], 'delivered', 'then it counts no more';
is +(fate(page('http://a.evil2.example/')))[0], 'phishing', 'but the new one';

# --- the same by the command ---
open my $f, '>', "$dir/m.eml" or die $!;
print $f page('http://evil2.example/');
close $f or die $!;
($status, $out) = $s->gatehouse('spam', 'check', '--config', $s->conf,
    "$dir/m.eml");
like $out, qr/evil2\.example is on the list/, 'gatehouse spam check says it';

$server->stop;
$s->done;
