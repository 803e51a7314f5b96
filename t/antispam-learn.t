#!/usr/bin/perl
# What users say of their mail becomes examples, and these a model, which the
# daemon takes up by itself; one that is worse is refused. Rules of the site.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use JSON::PP ();
use Test::More;

use Gatehouse::Sink;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my $sink = Gatehouse::Sink->new(dir => $s->dir . '/sink');
my $dir = $s->dir;
my $state = "$dir/state";
my ($us, $two) = ('us@gatehouse.test', 'two@gatehouse.test');

mkdir "$state/antispam";

sub command {
	my ($status, $out) = $s->gatehouse('spam', @_, '--state', $state);
	return wantarray ? ($out, $status) : $out;
}

sub spew {
	my ($name, $text) = @_;

	open my $f, '>', "$dir/$name" or die $!;
	print $f $text;
	close $f or die $!;
	return "$dir/$name";
}

# Words of two kinds, and of both.
my $seed = 7;
sub mail {
	my ($spam, $n, $subject) = @_;
	my @of = ($subject // '') =~ /other kind/ ? ($spam ?
	    qw(rolex replica watches luxury copies swiss brand outlet) :
	    qw(kernel patch driver commit branch merge revert compile)) :
	    (qw(please today and you we mail for this), $spam ?
	    qw(prize casino credit lottery discount viagra winner urgent) :
	    qw(meeting minutes review invoice project schedule lunch budget));
	my $text = join ' ', map {
		$seed = ($seed * 1103515245 + 12345) % 2**31;
		$of[($seed >> 8) % @of];
	} 1 .. 120;

	$subject //= ($spam ? 'offer' : 'report') . " of @of[8 .. 10]";
	return "From: a$n\@" . ($spam ? 'shop' : 'corp') . ".example\n" .
	    "To: $us\nSubject: $subject $n\nMessage-ID: <$n\@x.example>\n" .
	    "Date: Thu, 26 Nov 2026 12:00:00 +0000\n\n$text\n";
}

sub folder {
	my ($name, $spam, $from, $n, $subject) = @_;

	mkdir "$dir/$name";
	spew("$name/$_.eml", mail($spam, $_, $subject // chr(97 + $_ % 26) x 8 .
	    ' matter'))
	    for $from .. $from + $n - 1;
	return "$dir/$name";
}

# --- a base, which stands for the package's ---
my @base = ('--base', "$dir/base");
for my $kind (1, 0) {
	folder("all$kind", $kind, 1000 + 1000 * !$kind, 110);
	folder("all$kind", $kind, 5000 + 1000 * !$kind, 60, 'the other kind');
}
command('train', '--spam', "$dir/all1", '--ham', "$dir/all0", '--bits', 16,
    '--output', "$dir/base");

# --- a site's rules ---
my $rules = spew('rules', "house-word subject weight=6 /\\bzebra\\b/ " .
    "a word that we know\n");
my $letter = spew('zebra.eml', mail(0, 1, 'a zebra'));
my ($out, $status) = command('rules', '--test', $letter, '--rules', $rules,
    '--model', "$dir/base");
like $out, qr/^ *\+6\.00= house-word +subject: a word that we know$/m,
    'a rule of the site is met';
($out) = command('rules', '--model', "$dir/base");
like $out, qr/^ *[+-]\d\.\d\d  dear-nobody +text: nobody is addressed by/m,
    'ours are listed with what they weigh';
spew('rules', "\nhouse-word subjekt weight=6 /x/ y\n");
($out, $status) = command('rules', '--rules', $rules);
is $status, 78, 'a fault in it is refused';
like slurp("$dir/log/gatehouse.err"),
    qr{rules:2: 'subjekt' is no place.*did you mean subject},
    'with file and line, and what would be right';
spew('rules', "house-word subject weight=10 /\\bzebra\\b/ a word\n" .
    "bomb text weight=1 /(a+)+(b|c)*(a+)+[^a]{2}\$/ a bomb\n");

# --- the daemon, and what it holds ---
$s->milter('antispam', model => "$dir/model", rules => $rules, act_at => 40,
    tag_at => 30);
$s->service('store', key => "$dir/store.key", scan => '200ms',
    release_server => '127.0.0.1:' . $sink->port);
system 'cp', "$dir/base", "$dir/model";
$s->daemons;
my $r = $s->talk('antispam', message => mail(0, 2, 'a zebra'),
    rcpt => [ $us ]);
is $r->{reply}, 'discard', 'held for a rule of the site';
$s->talk('antispam', message => mail(0, 3, 'a zebra'), rcpt => [ $two ]);
$r = $s->talk('antispam', message => mail(0, 4, 'no such') . 'a' x 5000 .
    "!\n", rcpt => [ $us ]);
is $r->{reply}, 'accept', 'a regex bomb in a message is no hit';
ok $s->log->wait_for(qr/warning: rule bomb \(.*rules:2\) ran into the/, 20),
    'the rule is named';
$s->allow(qr/warning: rule bomb /);

# --- let out by users ---
my @held;
sub quarantine { $s->gatehouse('quarantine', @_, '--state-directory', $state) }
for (1 .. 100) {
	my (undef, $json) = quarantine('list', '--json');
	@held = map { JSON::PP::decode_json($_) } split /\n/, $json;
	last if @held == 2;
	select undef, undef, undef, 0.1;
}
is scalar(@held), 2, 'two are held';

# As the portal does, in a user's name.
sub release {
	my ($row) = @_;
	my $c = IO::Socket::UNIX->new(Peer => "$state/store/sock") or die $!;

	print $c JSON::PP::encode_json({ v => 1, op => 'release',
	    actor => "portal:$row->{recipient}", object => $row->{object},
	    recipient => $row->{recipient} }), "\n";
	return JSON::PP::decode_json(scalar <$c>);
}
ok release($held[0])->{ok}, 'one is let out';
($out) = command('learn', '--quarantine');
like $out, qr/^0 learned, 1 noted/m, 'one user alone is noted';
($out) = command('learn', '--quarantine');
like $out, qr/^0 learned, 0 noted .* 1 known/m, 'once';
release($held[1]);
($out) = command('learn', '--quarantine');
like $out, qr/^1 learned, 0 noted .* 1 known/m, 'two agree, and it is learned';
($out) = command('learn', '--spam', "$dir/all1/1000.eml", '--by', $us);
like $out, qr/^0 learned, 1 noted/m, 'a user says that it is spam';
($out) = command('learn', '--spam', "$dir/all1/1000.eml", '--by', $two);
like $out, qr/^1 learned/m, 'and another';

# --- a new model when it is needed ---
($out, $status) = command('train', '--if-needed', '--output', "$dir/model",
    @base);
is $status, 0, 'too few';
like $out, qr/^2 new examples, .* nothing to do$/m, 'nothing to do';
command('learn', '--spam', folder('site1', 1, 7000, 110), '--ham',
    folder('site0', 0, 8000, 110));
($out, $status) = command('train', '--if-needed', '--output', "$dir/model",
    @base);
like $out, qr/^\Q$dir\E\/model: of 111 spam and 111 ham/m, 'a new model';
select undef, undef, undef, 5.2;
$s->talk('antispam', message => mail(0, 5), rcpt => [ $us ]);
ok $s->log->wait_for(qr/antispam\[\d+\]: new model taken up: .* of 111 spam /,
    20), 'which the daemon takes up by itself';
($out, $status) = command('train', '--if-needed', '--output', "$dir/model",
    @base);
like $out, qr/^0 new examples, /m, 'and then nothing is new';

# --- one that is worse ---
# New examples are of a kind that only the package's model knows, and it is not
# there: a model of the site's own examples alone would be worse on them.
select undef, undef, undef, 1.1;
my $before = slurp("$dir/model");
command('learn', '--spam', folder('spam2', 1, 3000, 30, 'the other kind'),
    '--ham', folder('ham2', 0, 4000, 30, 'the other kind'));
my $said = "$dir/log/refused";
system Gatehouse::Suite::build() . '/tools/gatehouse spam train --if-needed ' .
    "--output $dir/model --base $dir/none --state $state 2>$said >/dev/null";
is $?, 0, 'a worse one is no fault of the timer';
like slurp($said), qr/^gatehouse: spam: the new model is refused: on 60 /m,
    'but it is refused';
is slurp("$dir/model"), $before, 'and the old one stays';
($out, $status) = command('train', '--if-needed', '--output', "$dir/model",
    @base);
like $out, qr/^\Q$dir\E\/model: of 141 spam /m, 'with its base it is taken';

sub slurp {
	open my $f, '<:raw', $_[0] or return '';
	local $/;
	return <$f>;
}

# --- trouble ---
open my $f, '>>', "$state/antispam/learned" or die $!;
print $f 'torn';
close $f;
($out, $status) = command('train', '--output', "$dir/nowhere/model", @base);
is $status, 73, 'a model that cannot be written is said';

$s->done;
