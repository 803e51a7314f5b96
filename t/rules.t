#!/usr/bin/perl
# Rules by the milter protocol: for whom which sets count, in both directions;
# recipients who differ; in a process of its own and hosted with others the same
# bytes; and gatehouse rules, which says what a daemon does.
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
my @sets = (rule_sets => [ 'default' ], scope => [
    { user => $boss, rule_sets => [ 'boss', 'default' ] },
    { domain => 'second.test', rule_sets => [ 'second' ] } ]);

# Rules, all active, and one in each set that a scope names.
my @others = map { qq{name = "$_"; set = "$_"; when = { subject = "-"; }; } .
    'then = { stop = true; };' } qw(boss second);

sub rules {
	my (@rules) = @_;

	open my $f, '>', "$dir/conf/rules.conf" or die $!;
	print $f "rules = (\n", join(",\n", map { "{ mode = \"active\"; $_ }" }
	    @rules), "\n);\n";
	close $f or die $!;
}

rules('name = "tag"; continue = true; when = { direction = "in"; }; ' .
    'then = { tag_subject = "[in]"; };',
    'name = "inner"; when = { direction = "internal"; }; ' .
    'then = { add_header = "X-Inner: yes"; };',
    'name = "hold"; set = "boss"; when = { subject = { prefix = "wire"; }; }; '
    . 'then = { quarantine = "fraud"; };',
    'name = "mine"; set = "boss"; continue = true; when = { direction = ' .
    '[ "out", "internal" ]; }; then = { add_header = "X-Boss: yes"; };',
    'name = "no"; set = "second"; when = { attachment = { name = { suffix = ' .
    '".exe"; }; }; }; then = { reject = "no programs"; };');
$s->milter('predelivery', rules => "$dir/conf/rules.conf", @sets);
$s->milter('chain', filters => [ 'predelivery' ]);
$s->daemons;

sub talk { $s->talk($_[0], @_[1 .. $#_]) }

my $id = 0;
for my $form ('predelivery', 'chain') {
	my $r = talk($form, rcpt => [ $us ]);
	is $r->{reply}, 'accept', "$form: inbound";
	like $r->{message}, qr/^Subject: \[in\] a letter\r$/m, 'his set';
	$r = talk($form, rcpt => [ $us, $boss ], subject => 'wire 100');
	is $r->{reply}, 'accept', 'one set holds it for one';
	is "@{ $r->{rcpt} }", $us, 'the other gets it';
	like $r->{message}, qr/^Subject: \[in\] wire 100\r$/m,
	    'as his rules want it';
	my @held = $store->objects;
	is "@{ $held[0]{recipients} }", $boss, 'and held for the one';
	is $held[0]{cause}, 'fraud', 'with the cause of the rule';
	$store->clear;
	$r = talk($form, rcpt => [ $two ], attach => 'a.exe');
	like $r->{reply}, qr/^550 5\.7\.1 no programs/, 'a domain of its own';
	is talk($form, rcpt => [ $us ], attach => 'a.exe')->{reply}, 'accept',
	    'which is nobody else\'s rule';

	# Outbound: who sends it, and to whom.
	my %out = (client => '198.51.100.9', from => $us);
	$r = talk($form, %out, rcpt => [ 'x@far.test' ]);
	unlike $r->{message}, qr/^X-/m, 'outbound: nothing';
	$r = talk($form, %out, rcpt => [ $boss ]);
	like $r->{message}, qr/^X-Inner: yes/m, 'internal, for the sender';
	unlike $r->{message}, qr/^X-Boss/m, 'not for the recipient';
	$r = talk($form, %out, from => $boss, rcpt => [ 'x@far.test' ]);
	like $r->{message}, qr/^X-Boss: yes/m, 'another sender';
}

# --- both forms write the same ---
rules('name = "all"; continue = true; then = { tag_subject = "[\303\244]"; ' .
    'add_header = "X-N: y"; remove_header = "X-M"; add_recipient = ' .
    '"c@gatehouse.test"; };',
    'name = "way"; then = { route = "smtp:[192.0.2.9]"; rewrite_sender = ' .
    '"*@second.test"; };', @others);
for my $name ('predelivery', 'chain') {
	$s->log->mark;
	$s->signal_milter($name, 'USR1');
	ok $s->log->wait_for(qr/gatehouse-$name\[\d+\]: .*(?:reload|config)/,
	    20), "$name reloads";
}
my $text = $s->letter(rcpt => $us, header => "X-M: a\n");
my @apart = map { talk($_, message => $text, rcpt => [ $us ]) }
    'predelivery', 'chain';
is_deeply $apart[0]{edits}, $apart[1]{edits}, 'hosted or not: the same edits';
is $apart[0]{from}, 'sender@second.test', 'sender';
is "@{ $apart[0]{rcpt} }", "$us c\@gatehouse.test", 'recipients';
my @route = grep { "@$_" =~ /Gatehouse-Route/ } @{ $apart[0]{edits} };
is scalar(@route), 2, 'a route is a field that comes and goes';
unlike $apart[0]{message}, qr/Gatehouse-Route/, 'and is not there';

# --- what the command says ---
open my $f, '>', "$dir/m.eml" or die $!;
print $f $text;
close $f;
my @ask = ('rules', 'test', '--config', $s->conf, '--from', 'a@far.test',
    '--to', $us);
my ($exit, $said) = $s->gatehouse(@ask, "$dir/m.eml");
is $exit, 0, 'gatehouse rules test';
like $said, qr/rule all \(active, .*rules\.conf:2\): yes, applies\n/,
    'the rule, and where it stands';
like $said, qr/sender becomes <a\@second\.test>\ngoes by smtp:\[192/,
    'what is done';
like $said, qr/one more recipient <c\@gatehouse\.test>/, 'for whom';
my $nested = 'name = "a"; when = { any = ( { direction = "out"; }, { not = { ' .
    'language = "unknown"; }; }, { finding = { filter = "auth-check"; key = ' .
    '"dmarc"; exact = "fail"; }; } ); }; then = { quarantine = true; };';
rules($nested, @others);
($exit, $said) = $s->gatehouse(@ask, '--json', '--all', "$dir/m.eml");
my $json = JSON::PP::decode_json($said);
is $json->{recipients}[0]{verdict}, 'accept', 'as JSON';
is_deeply [ map { "$_->{depth} " . ($_->{text} // $_->{what}) .
    " $_->{result}" } @{ $json->{recipients}[0]{rules}[0]{conditions} } ],
    [ '0 any of no', '1 direction = "out" no', '1 not no',
    '2 language = "unknown" yes', '1 finding = { filter = "auth-check"; ' .
    'key = "dmarc"; exact = "fail" } no' ], 'each condition';
($exit, $said) = $s->gatehouse(@ask, '--json', '--finding',
    'auth-check.dmarc=fail', "$dir/m.eml");
is JSON::PP::decode_json($said)->{recipients}[0]{rule}, 'rule-a',
    'with a finding of another filter';
($exit, $said) = $s->gatehouse('rules', 'check', '--config', $s->conf);
is "$exit $said", "0 3 rules in 3 sets are right: 3 active, 0 shadow, 0 off\n" .
    "  set boss: 1\n  set default: 1\n  set second: 1\n",
    'gatehouse rules check';
rules($nested);
is +($s->gatehouse('rules', 'check', '--config', $s->conf))[0], 78,
    'a set that somebody is to have and that has no rule';
is +($s->gatehouse('rules'))[0], 64, 'a verb of the verb is wanted';
is +($s->gatehouse('rules', 'test', '--ip', 'x', '-'))[0], 64, 'an address';
is +($s->gatehouse(@ask, "$dir/none.eml"))[0], 66, 'a file';
$s->done;
