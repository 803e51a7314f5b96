#!/usr/bin/perl
# antivirus-multiscan spoken to as Postfix does: what it defers goes into the
# store, for whom it is deferred; and what comes back with a mark does not wait
# again. Forged, foreign and stale marks count for nothing (T50).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Compress::Zip qw(zip);
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Store;
use Gatehouse::Suite;

my $name = 'antivirus-multiscan';
my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my $dir = $s->dir;
my ($one, $two, $three) = map { "$_\@gatehouse.test" } qw(one two three);

open my $f, '>', "$dir/engine" or die $!;
print $f "#!/bin/sh\ngrep -q EICAR && { echo Eicar; exit 1; }\nexit 0\n";
close $f;
chmod 0755, "$dir/engine";
$s->milter($name, engines => [ "one=command:$dir/engine" ],
    max_signature_age => '0s', self_test => '0s', deadline => '20s',
    defer => [ 'ext:bin' ], infected => 'reject', scope => [
    { user => [ $two ], defer => [ 'ext:other' ] },
    { user => [ 'box@gatehouse.test' ], sandbox => [ 'mime:application/*' ]
    }, { user => [ 'exe@gatehouse.test' ], defer => [ 'type:pe' ] }
    ])->daemons;

sub letter {
	my ($text) = @_;

	return "From: a\@b.test\nTo: us\@gatehouse.test\nSubject: x\n" .
	    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n" .
	    "\n--b\n\nSee there.\n--b\nContent-Type: application/x; " .
	    "name=a.bin\nContent-Transfer-Encoding: base64\n\n" .
	    encode_base64($text) . "--b--\n";
}

sub talk {
	my ($message, @rcpt) = @_;

	return $s->talk($name, from => 'a@b.test', rcpt => \@rcpt,
	    client => '203.0.113.9', message => $message);
}

my $r = talk(letter('hello'), $one);
is $r->{reply}, 'discard', 'deferred: taken';
my ($o) = $store->objects;
is "$o->{filter} $o->{rule} $o->{cause}", "$name deferred deferred",
    'by whom, and why';
is $store->body($o) =~ s/\r\n/\n/gr, letter('hello'), 'as it came';
my $marked = $store->release($o) =~ s/\r\n/\n/gr;
$store->clear;
$r = talk($marked, $one);
is $r->{reply}, 'accept', 'with the mark it waits no more';
is_deeply [ $store->objects ], [], 'nothing is held';
is talk($marked, 'else@gatehouse.test')->{reply}, 'discard',
    'for somebody else it does';
is talk($marked =~ s/Subject: x/Subject: y/r, $one)->{reply}, 'discard',
    'and with other bytes';
is talk($marked =~ s/(X-Gatehouse-Release:.*?)(\w)(\n)/$1 . ($2 eq 'a' ? 'b' :
    'a') . $3/ers, $one)->{reply}, 'discard', 'or with a mark that was changed';
my ($copy) = grep { $_->{subject} eq 'x' } $store->objects;
is talk($store->release($copy, seconds => 0) =~ s/\r\n/\n/gr, $one)->{reply},
    'discard', 'or that is over';
$store->clear;

# --- each his own ---
$r = talk(letter('hello'), $one, $two);
is $r->{reply}, 'accept', 'where recipients differ: taken';
is_deeply [ grep { $_->[0] =~ /rcpt/ } @{ $r->{edits} } ],
    [ [ delrcpt => "<$one>" ] ], 'for whom it waits, is removed';
($o) = $store->objects;
is_deeply $o->{recipients}, [ $one ], 'and has it in the store';
$store->clear;
talk(letter('hello'), 'box@gatehouse.test');
($o) = $store->objects;
is $o->{cause}, 'sandbox', 'a sandbox goes before';
my ($event) = (Gatehouse::Journal->events("$dir/state/$name"))[-1];
is $event->{'gatehouse.antivirus.sandbox'}, '2cf24dba5fb0a30e26e83b2ac5b9e29e' .
    '1b161e5c1fa7425e73043362938b9824', 'and what is to be shown is said';
$store->clear;

# A member is known for what it is, also when its archive is not opened again.
zip \"MZ\x90 a program" => \my $zip, Name => 'a.jpg';
for my $time ('at first', 'from memory') {
	talk(letter($zip), 'exe@gatehouse.test');
	($o) = $store->objects;
	is $o->{reason} // '', 'type:pe in a.bin/a.jpg',
	    "a program in an archive, $time";
	$store->clear;
}

# The same from a compiled policy, once file and map agree.
$s->allow(qr/policy map not taken up/);
$s->options($name, scope => [ { user => [ $one ], defer => [ 'ext:other' ] },
    { user => [ $two ], defer => [ 'ext:bin' ] } ]);
my ($status, $text) = $s->gatehouse('policy', 'compile', '--config',
    $s->conf);
is $status, 0, 'gatehouse policy compile' or diag $text;
$s->signal_milter($name, 'USR1');
my $removed = '';
for (my $end = time + 20; $removed ne "<$two>" && time < $end; sleep 0.1) {
	$r = talk(letter('hello'), $one, $two);
	$removed = join ' ', map { $_->[1] } grep { $_->[0] =~ /rcpt/ }
	    @{ $r->{edits} };
}
is $removed, "<$two>", 'then its settings count';
$store->clear;

# --- what comes back is never refused ---
like talk(letter('EICAR'), $three)->{reply}, qr{^550 5\.7\.1 },
    'a virus is refused';
talk(letter('hello'), $three);
($o) = $store->objects;
$marked = $store->release($o) =~ s/\r\n/\n/gr;
$store->clear;
put_engine("echo Late; exit 1");
$r = talk($marked, $three);
is $r->{reply}, 'discard', 'what is found when it comes back: taken';
($o) = $store->objects;
is $o->{cause}, 'virus', 'and held for it, though viruses are refused';

sub put_engine {
	my ($script) = @_;

	open my $f, '>', "$dir/engine.new" or die $!;
	print $f "#!/bin/sh\n$script\n";
	close $f;
	chmod 0755, "$dir/engine.new";
	rename "$dir/engine.new", "$dir/engine";
	$s->log->mark;
	$s->options($name, engine_cache => '0s', cache => 0);
	$s->signal_milter($name, 'USR1');
	$s->log->wait_for(qr/configuration reloaded/, 20);
}

# --- without a quarantine there is nowhere to wait ---
delete $s->{house}{store_key};
$s->house;
my $program = Gatehouse::Suite::build() . "/milters/$name/gatehouse-$name";
my $said = `$program --check-config --config \\
    $dir/conf/$name.conf --house $dir/conf/gatehouse.conf 2>&1`;
is $? >> 8, 78, 'no store_key: refused';
like $said, qr/defer and sandbox want a quarantine/, 'and why';
$s->done;
