#!/usr/bin/perl
# Rules for recipients who need different forms: each gets what his rules want, a
# recipient who was added is added once, and a route counts in the second pass.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Sink;
use Gatehouse::Split;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my ($one, $two, $hidden) = map { "$_\@our.test" } qw(one two hidden);

plan skip_all => Gatehouse::Postfix->missing if Gatehouse::Postfix->missing;
my $other = Gatehouse::Sink->new(dir => $s->dir . '/other');
my $port = $other->port;
my $rules = $s->dir . '/conf/rules.conf';
open my $f, '>', $rules or die $!;
print $f <<"END";
rules = (
  { name = "copy"; mode = "active"; continue = true;
    when = { header = { name = "X-Do"; contains = "copy"; }; };
    then = { add_recipient = "$hidden"; }; },
  { name = "mark"; set = "marked"; mode = "active"; continue = true;
    then = { tag_subject = "[two]"; }; },
  { name = "way"; set = "marked"; mode = "active";
    when = { header = { name = "X-Do"; contains = "way"; }; };
    then = { route = "smtp:[127.0.0.1]:$port";
             rewrite_recipient = "*\@far.test"; }; }
);
END
close $f;
my $split = Gatehouse::Split->new($s, filters => [ 'predelivery' ],
    users => [ $one, $two, $hidden ], aliases => {});
open my $log, '>>', $s->log->path or die $!;
$s->milter('predelivery', rules => $rules, scope => [ { user => $two,
    rule_sets => [ 'default', 'marked' ] } ]);
$split->postfix;

# What arrived, as "recipients: subject", sorted; both sinks.
sub go {
	my ($do) = @_;
	my $got = $s->send(rcpt => [ $one, $two ], header => "X-Do: $do\n",
	    subject => 'hi');

	like $got, qr/^250 /, $do;
	$s->pf->wait_queue_empty(20);
	return sort map { join(' ', sort map { s/^<|>.*//gr }
	    @{ $_->{rcpt} }) . ': ' . ($s->fields($_->{bytes}, 'Subject'))[0] }
	    $s->sink->rest, $other->rest;
}

is_deeply [ go('nothing') ], [ "$one: hi", "$two: [two] hi" ],
    'each his form';
is_deeply [ go('copy') ], [ "$hidden $one: hi", "$two: [two] hi" ],
    'who is added gets one copy, of his own form';
is_deeply [ go('way') ], [ "$one: hi", 'two@far.test: [two] hi' ],
    'a route, and another recipient, for one of them';
is $other->count, 1, 'by that way';
is_deeply [ $store->objects ], [], 'and nothing is held';
$s->done;
