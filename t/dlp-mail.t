#!/usr/bin/perl
# Rules for data loss by the milter protocol: who gets what of a message to
# people inside and outside, in audit and in force, held, tagged, marked for
# encryption; sets by sender; what cannot be read; in a process of its own and
# hosted the same; and what is wrong in the file.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my $dir = $s->dir;
my ($us, $boss, $far) = ('us@gatehouse.test', 'boss@gatehouse.test',
    'x@far.test');

plan skip_all => 'NOT BUILT: the cell unpack' unless -x
    Gatehouse::Suite::build() . '/cells/unpack/gatehouse-cell-unpack';

sub rules {
	my (@rules) = @_;

	open my $f, '>', "$dir/conf/dlp" or die $!;
	print $f "rules = (\n", join(",\n", map { "{ $_ }" } @rules), "\n);\n";
	close $f or die $!;
}

rules('name = "cards"; mode = "enforce"; card = true; except = ' .
    '"4242 4242 4242 4242"; then = { action = "block"; };',
    'name = "watch"; iban = true; then = { action = "block"; };',
    'name = "hold"; mode = "enforce"; words = "merger"; then = { action = ' .
    '"hold"; };',
    'name = "officer"; mode = "enforce"; words = "salaries"; then = { action ' .
    '= "block"; notify = true; };',
    'name = "crypt"; mode = "enforce"; words = "patient"; then = { tag = ' .
    'true; encrypt = true; };',
    'name = "strict"; set = "boss"; mode = "enforce"; words = "budget"; then ' .
    '= { action = "block"; };',
    'name = "inward"; mode = "enforce"; direction = "in"; words = "lottery"; ' .
    'then = { action = "hold"; };');
my %options = (dlp_rules => "$dir/conf/dlp", quarantine => [], remove => [],
    scope => [ { user => $boss, dlp_sets => [ 'boss' ] },
    { user => 'strict@gatehouse.test', dlp_unread => 'block' } ]);
$s->milter('attachment-dlp', %options);
$s->milter('chain', filters => [ 'attachment-dlp' ]);
$s->daemons;
$s->allow(qr/cell unpack/);
my %out = (client => '198.51.100.9', from => $us);
my $number = '5500 0000 0000 0004';

sub talk { $s->talk($_[0], @_[1 .. $#_]) }

for my $form ('attachment-dlp', 'chain') {
	my $r = talk($form, %out, rcpt => [ $far ], body => "pay $number\n");
	like $r->{reply}, qr/^550 5\.7\.1 .*must not leave \(rule cards\)/,
	    "$form: a card is blocked for those outside";
	$r = talk($form, %out, rcpt => [ $us ], body => "pay $number\n");
	is $r->{reply}, 'accept', 'those inside get it';
	$r = talk($form, %out, rcpt => [ $far, $us ],
	    body => "pay $number\n");
	is $r->{reply}, 'accept', 'both:';
	is "@{ $r->{rcpt} }", $us, 'one gets it';
	my ($held) = $store->objects;
	is "$held->{cause} @{ $held->{recipients} }", "dlp $far",
	    'of the other there is a record';
	$store->clear;
	is talk($form, from => $far, rcpt => [ $us ], body =>
	    "pay $number\n")->{reply}, 'accept', 'what comes in is none of it';
	is talk($form, %out, rcpt => [ $far ], body =>
	    "test 4242 4242 4242 4242\n")->{reply}, 'accept',
	    'a number for tests';
	$r = talk($form, %out, rcpt => [ $far ],
	    body => "GB29 NWBK 6016 1331 9268 19\n");
	is $r->{reply}, 'accept', 'audit lets it go';
	$r = talk($form, %out, rcpt => [ $far, $us ],
	    subject => "The Merger");
	is "@{ $r->{rcpt} }", $us, 'held for one';
	is_deeply [ map { "$_->{kind} $_->{cause} $_->{rule}" }
	    $store->objects ], [ 'held dlp dlp-hold' ], 'with its cause';
	$store->clear;
	talk($form, %out, rcpt => [ $far ], body => "salaries\n");
	is_deeply [ map { "$_->{kind} $_->{rule}" } $store->objects ],
	    [ 'held dlp-officer' ], 'where officers are told it is held';
	$store->clear;
	$r = talk($form, %out, rcpt => [ $far ], body => "patient\n");
	like $r->{message}, qr/^X-Gatehouse-DLP: crypt\r$/m, 'tagged';
	is talk($form, %out, from => $boss, rcpt => [ $far ],
	    body => "pay $number\n")->{reply}, 'accept', 'another set';
	like talk($form, %out, from => $boss, rcpt => [ $far ],
	    body => "budget\n")->{reply}, qr/rule strict/, 'has other rules';
	is talk($form, from => $far, rcpt => [ $us ], body => "lottery\n")
	    ->{reply}, 'discard', 'inbound, where a rule says so: held';
	$store->clear;
}

# --- what cannot be read ---
my $old = "Content-Type: application/msword; name=\"a.doc\"\n" .
    "Content-Transfer-Encoding: 8bit\n";
my %closed = (header => $old, body => "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 x\n");
is talk('attachment-dlp', %out, rcpt => [ $far ], %closed)->{reply}, 'accept',
    'not read, and let go by default';
like talk('attachment-dlp', %out, from => 'strict@gatehouse.test',
    rcpt => [ $far ], %closed)->{reply}, qr/^550 5\.7\.1 .*cannot be checked/,
    'or not';

# --- nobody is told a number ---
my $log = join "\n", $s->log->lines;
my @events = Gatehouse::Journal->events("$dir/state/attachment-dlp");
like $log, qr/rule=dlp-watch.*\(rule watch \(audit\): 1 value/,
    'the log says what would have been';
like $log, qr/mastercard \*{12}0004/, 'masked';
ok scalar(grep { ($_->{'gatehouse.dlp.found'} // '') =~
    /^watch audit: 1 value \(iban \*+6819\)$/ } @events),
    'and so does the journal';
unlike $log . JSON::PP::encode_json(\@events), qr/5500 ?0000 ?0000|GB29 ?NWBK/, 'no number stands anywhere';

# --- the file ---
for my $case ([ 'crad = true;', qr/conf\/dlp:\d+: unknown setting crad; did you/ ],
    [ 'words = "a"; regex = "(";', qr/conf\/dlp:\d+: regex is wrong at byte/ ]) {
	rules("name = \"a\"; $case->[0]");
	my ($status, $text) = $s->gatehouse('dlp', 'check', '--config',
	    $s->conf);
	is $status, 78, 'a wrong file is refused';
	my $err = do { open my $f, '<', "$dir/log/gatehouse.err" or die $!;
	    local $/; <$f> };
	like $err, $case->[1], 'and where';
	is(($s->gatehouse('check-config', '--config', $s->conf))[0], 78,
	    'by check-config too');
}

$s->done;
