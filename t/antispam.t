#!/usr/bin/perl
# antispam by the milter protocol: thresholds and actions by recipient, inbound
# and outbound, hosted or not; and what a site teaches it, by the command.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(house => {
    domains => [ 'gatehouse.test', 'second.test' ] });
my $store = Gatehouse::Store->new($s);
my $dir = $s->dir;
my ($us, $boss, $two) = ('us@gatehouse.test', 'boss@gatehouse.test',
    'us@second.test');

# --- examples, and a model of them ---
my @spammy = forms(qw(winner prize casino credit viagra lottery urgent discount));
my @plain = forms(qw(meeting minutes review invoice project schedule lunch budget));
sub forms { map { ($_, "${_}s", "re$_", "${_}like", "un$_") } @_ }

my $seed = 1;
sub some {
	my ($n, @of) = @_;

	return join ' ', map {
		$seed = ($seed * 1103515245 + 12345) % 2**31;
		$of[($seed >> 8) % @of];
	} 1 .. $n;
}

sub mail {
	my ($spam, $n) = @_;

	return "From: a$n\@" . ($spam ? 'shop' : 'corp') . ".example\n" .
	    "To: $us\nSubject: number $n of " . some(3, $spam ? @spammy :
	    @plain) . "\nMessage-ID: <$n\@x.example>\n" .
	    "Date: Thu, 26 Nov 2026 12:00:00 +0000\n\n" .
	    some(150, $spam ? (@spammy, 'the', 'you') : (@plain, 'the', 'you')) .
	    "\n";
}

for my $kind ('spam', 'ham') {
	mkdir "$dir/$kind" or die $!;
	for my $n (1 .. 120) {
		open my $f, '>', "$dir/$kind/$n.eml" or die $!;
		print $f mail($kind eq 'spam', $n . ($kind eq 'ham'));
		close $f or die $!;
	}
}
mkdir "$dir/learn" or die $!;
mkdir "$dir/learn/antispam" or die $!;
my @where = ('--state', "$dir/learn", '--bits', 16);

sub command {
	my ($status, $out) = $s->gatehouse('spam', @_);
	return ($out, $status);
}

my ($out, $status) = command('train', @where);
is $status, 65, 'nothing was learned: nothing to train';
($out) = command('learn', '--spam', "$dir/spam", '--ham', "$dir/ham", @where);
like $out, qr/^240 messages learned$/m, 'examples';
($out, $status) = command('train', @where, '--evaluate');
like $out, qr/^120 spam, 120 ham;.*^ROC area 1\.00000$/ms,
    'they are told apart';
command('train', '--spam', "$dir/spam", '--ham', "$dir/ham", '--bits', 16,
    '--output', "$dir/model");
command('train', '--spam', "$dir/spam", '--ham', "$dir/ham", '--bits', 16,
    '--output', "$dir/again");
is slurp("$dir/model"), slurp("$dir/again"), 'the same model each time';

sub slurp {
	open my $f, '<:raw', $_[0] or return '';
	local $/;
	return <$f>;
}

sub percent {
	my ($text, @more) = @_;

	open my $f, '>', "$dir/m.eml" or die $!;
	print $f $text;
	close $f or die $!;
	my ($json) = command('check', '--json', '--model', "$dir/model", @more,
	    "$dir/m.eml");
	return JSON::PP::decode_json($json);
}

my $bad = percent(mail(1, 'new'));
cmp_ok $bad->{percent}, '>=', 90, 'new spam is spam';
is scalar(@{ $bad->{reasons} }), 5, 'with reasons';
cmp_ok percent(mail(0, 'new'))->{percent}, '<=', 10, 'and new ham is not';

# --- mail that is made to be hard ---
sub html {
	return "From: a\@b.example\nSubject: s\nMIME-Version: 1.0\n" .
	    "Content-Type: text/html; charset=$_[0]\n\n$_[1]\n";
}
for (
	[ 'tags and nothing else', html('utf-8', '<b>' x 1_000_000) ],
	[ '100,000 links', html('koi8-r', join '', map {
	    "<a href=\"http://h$_.example$_.com/?q=$_\">http://shop$_.com/ " .
	    "\xc1\xc2</a>\n" } 1 .. 100_000) ],
	[ 'one long word', "From: a\@b.example\n\n" . 'a' x 8_000_000 . "\n" ],
	[ 'links without end', "From: a\@b.example\n\n" .
	    'http://a.b/ ' x 300_000 . "\n" ],
	[ 'charsets in turns', html('utf-16', "\xff\xfe<\0b\0" x 200_000) ],
) {
	my ($what, $text) = @$_;
	like percent($text)->{percent}, qr/^\d+$/, "$what: judged";
}

# --- corrections ---
($out) = command('learn', '--ham', "$dir/spam/1.eml", @where);
($out) = command('train', @where, '--evaluate');
like $out, qr/^119 spam, 121 ham;/m, 'the other label is a correction';
command('learn', '--forget', '--ham', "$dir/spam/1.eml", @where);
($out) = command('train', @where, '--evaluate');
like $out, qr/^119 spam, 120 ham;/m, 'and it can be forgotten';
($out, $status) = command('train', @where);
is $status, 0, 'a model for the site';
ok -s "$dir/learn/antispam/model", 'in its state folder';
($out, $status) = command('check', '--model', "$dir/spam/1.eml",
    "$dir/m.eml");
is $status, 78, 'what is no model is refused';

# --- the milter ---
$s->milter('antispam', model => "$dir/model", scope => [
    { user => $boss, act_at => 101, tag_at => 101 },
    { user => 'grey@second.test', graymail_at => 50, graymail_action =>
      'quarantine' },
    { domain => 'second.test', action => 'reject', outbound_action =>
      'tempfail' } ]);
$s->milter('chain', filters => [ 'antispam' ]);
$s->daemons;

sub letter { my ($spam) = @_; return mail($spam, 'x') }

for my $form ('antispam', 'chain') {
	my $spam = letter(1);
	my $r = $s->talk($form, message => letter(0), rcpt => [ $us ]);
	is $r->{reply}, 'accept', "$form: ham";
	like $r->{message}, qr/^X-Gatehouse-Spam: \d %/m, 'with a field';
	$r = $s->talk($form, message => "X-Gatehouse-Spam: 0 %\n$spam",
	    rcpt => [ $boss ]);
	is $r->{reply}, 'accept', 'spam for whom wants all';
	like $r->{message}, qr/^X-Gatehouse-Spam: \d\d+ %;\r\n\t/m,
	    'the field says why';
	is scalar(() = $r->{message} =~ /^X-Gatehouse-Spam:/mg), 1,
	    'what it brought is gone';
	unlike $r->{message}, qr/^Subject: \[SPAM\]/m, 'no mark';
	$r = $s->talk($form, message => $spam, rcpt => [ $us, $boss ]);
	is "@{ $r->{rcpt} }", $boss, 'held for one of two';
	my ($held) = $store->objects;
	is $held->{cause}, 'spam', 'as spam';
	$store->clear;
	$r = $s->talk($form, message => $spam, rcpt => [ $two ]);
	like $r->{reply}, qr/^550 5\.7\.1 message is taken for spam/,
	    'a domain that refuses';
	$r = $s->talk($form, message => $spam, from => $two, rcpt =>
	    [ 'x@far.test' ], client => '198.51.100.9');
	like $r->{reply}, qr/^451 4\.7\.1 /, 'outbound: the sender counts';
	$r = $s->talk($form, message => letter(0), from => $two, rcpt =>
	    [ 'x@far.test' ], client => '198.51.100.9');
	unlike $r->{message}, qr/^X-Gatehouse-Spam/m, 'and no field goes out';
}

# --- graymail, and codes ---
my $grey = 'grey@second.test';
{
	my $news = "From: Shop <news\@shop.example>\nTo: $grey\n" .
	    "Subject: minutes of the week\nList-Id: <w.corp.example>\n" .
	    "List-Unsubscribe: <https://corp.example/u>\n\nmeeting review\n";
	my $login = $news =~ s/^List-Id.*\n//mr =~
	    s/meeting review/Your verification code is 481516./r;

	for my $form ('antispam', 'chain') {
		my $r = $s->talk($form, message => $news, rcpt => [ $grey,
		    'else@second.test' ]);
		is "@{ $r->{rcpt} }", 'else@second.test',
		    "$form: graymail is held for whom wants it so";
		my ($held) = $store->objects;
		is "$held->{cause} $held->{rule}", 'graymail graymail',
		    'in a class of its own';
		like $held->{reason}, qr/newsletter: List-Id, List-Unsub/,
		    'which says why';
		$store->clear;
		$r = $s->talk($form, message => $login, rcpt => [ $grey ]);
		is $r->{reply}, 'accept', 'a code is not';
	}
	ok $s->log->wait_for(qr/verdict=accept/, 20), 'told';
}

# --- the same text again and again ---
# Of words that the model does not know, with names that change.
sub copy {
	my ($n, @head) = @_;

	return join("\n", "From: p$n\@d$n.shop.example", "To: $boss",
	    "Subject: number $n of prize casino winners",
	    "Message-ID: <$n\@d$n.example>", @head, '',
	    join(' ', "Dear person$n, casino credit viagra lottery urgent",
	    'discount prize the you casinos', (map { "qax$_ vop$_ zir$_" =~
	    tr/0-9/a-j/r } 1 .. 7), "$n times")) . "\n";
}

for my $form ('antispam', 'chain') {
	my $last;

	for my $n (1 .. 34) {
		$last = $s->talk($form, message => copy($n), rcpt => [ $boss ],
		    from => "p$n\@d$n.example", client => "198.18.$n.7");
	}
	like $last->{message}, qr/the_same_text_3\d_times/,
	    "$form: one text from many sides";
	$last = $s->talk($form, message => copy(35, 'List-Id: <l.example>'),
	    rcpt => [ $boss ], client => '198.18.35.7');
	unlike $last->{message}, qr/the_same_text/, 'a list may do that';
}
$s->signal_milter('antispam', 'USR1');
ok $s->log->wait_for(qr/gatehouse-antispam\[\d+\]: configuration reloaded/,
    20), 'a reload';
like $s->talk('antispam', message => copy(36), rcpt => [ $boss ],
    from => "p36\@d36.example", client => '198.18.36.7')->{message},
    qr/the_same_text_3\d_times/, 'keeps what was counted';
$s->kill_milter('antispam');
$s->start_milter('antispam');
like $s->talk('antispam', message => copy(37), rcpt => [ $boss ],
    from => "p37\@d37.example", client => '198.18.37.7')->{message},
    qr/the_same_text_3\d_times/, 'and so does a kill';

# --- a user says what a text is ---
open my $f, '>', "$dir/copy.eml" or die $!;
print $f copy(100) =~ s/qax/wub/gr;
close $f or die $!;
my @house = ('--config', $s->conf);
command('learn', '--spam', "$dir/copy.eml", @house);
sleep 3;				# it looks every two seconds
my $marked = copy(101) =~ s/qax/wub/gr;
like $s->talk('antispam', message => $marked, rcpt => [ $boss ])->{message},
    qr/a_user_has_called_this_text_spam \+4\.0/, 'its variants are spam too';
command('learn', '--ham', "$dir/copy.eml", @house);
($out) = command('check', "$dir/copy.eml", '--model', "$dir/model", @house);
unlike $out, qr/called this text spam/, 'a correction';

# --- lists ---
my $conf = $s->conf;
open my $l, '>', "$conf/policy.lists" or die $!;
print $l "block all corp.example\nallow user $boss shop.example\n" .
    "allow domain gatehouse.test 203.0.113.77\nblock user $two x\@far.test\n";
close $l or die $!;
$s->log->mark;
my ($rc, $said) = $s->gatehouse('policy', 'compile', '--config', $conf);
is $rc, 0, 'lists are compiled' or diag $said;
ok $s->log->wait_for(qr/gatehouse-antispam\[\d+\]: .*new policy map/, 20),
    'and taken up';
my $r = $s->talk('antispam', message => letter(0), rcpt => [ $us ]);
is $r->{reply}, 'discard', 'held for all';
is +(($store->objects)[0] // {})->{rule}, 'blocked', 'who is blocked is held';
$store->clear;
$r = $s->talk('antispam', message => letter(1), rcpt => [ $boss, $us ]);
is "@{ $r->{rcpt} }", $boss, 'an allow entry is not believed without DMARC';
$store->clear;
$r = $s->talk('antispam', message => letter(1), rcpt => [ $us ],
    client => '203.0.113.77');
is $r->{reply}, 'accept', 'a client that is allowed';
$r = $s->talk('antispam', message => letter(0) =~ s/corp/other/r,
    from => 'x@far.test', rcpt => [ $two ]);
is +(($store->objects)[0] // {})->{rule}, 'blocked',
    'and the reverse-path that is not';
$store->clear;

# --- the model goes, and is bad ---
$s->log->mark;
unlink "$dir/model";
$s->signal_milter('antispam', 'USR1');
ok $s->log->wait_for(qr/gatehouse-antispam\[\d+\]: error: .*model: /, 20),
    'a reload without a model keeps the old one, and says so';
$s->allow(qr/error: .*model: /);
is $s->talk('antispam', message => letter(0) =~ s/corp/other/r,
    rcpt => [ $us ])->{reply}, 'accept', 'and mail flows';

$s->done;
