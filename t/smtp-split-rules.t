#!/usr/bin/perl
# Rules of predelivery that differ by recipient, in one message: each has his
# subject, and goes his way.
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

my $s = Gatehouse::Suite->new(zone => <<'END');
client.test	TXT	"v=spf1 ip4:192.0.2.1 -all"
END
my $store = Gatehouse::Store->new($s);
my $dir = $s->dir;
my $other = Gatehouse::Sink->new(dir => "$dir/other");
my @users = map { "$_\@our.test" } qw(plain tagged routed);

sub rule {
	my ($set, $then) = @_;

	return qq({ name = "$set"; set = "$set"; mode = "active"; ) .
	    'when = { header = { name = "X-Do"; exact = "go"; }; }; ' .
	    "then = { $then }; }";
}

open my $f, '>', "$dir/conf/rules.conf" or die $!;
print $f 'rules = ( ', rule('tag', 'tag_subject = "[ext]";'), ', ',
    rule('way', 'route = "smtp:[127.0.0.1]:' . $other->port .
    '"; add_header = "X-New: yes";'), " );\n";
close $f;
my $split = Gatehouse::Split->new($s, users => \@users,
    filters => [ qw(auth-check predelivery) ]);
open my $log, '>>', $s->log->path or die $!;	# none is made under /dev
$s->milter('auth-check');
$s->milter('predelivery', rules => "$dir/conf/rules.conf", scope => [
    { user => $users[1], rule_sets => [ 'tag' ] },
    { user => $users[2], rule_sets => [ 'way' ] } ]);
$split->postfix;

sub told {
	my ($mail) = @_;

	return join ' ', map({ /<([^>]*)>/ } @{ $mail->{rcpt} }),
	    $s->fields($mail->{bytes}, 'Subject'),
	    map { $s->fields($mail->{bytes}, $_) } qw(X-New
	    X-Gatehouse-Split X-Gatehouse-Seal X-Gatehouse-Route);
}

like $s->send(rcpt => [ @users ], subject => 'x', header => "X-Do: go\n"),
    qr/^250 /, 'one message to three';
$s->sink->wait_count(2, 20);
$other->wait_count(1, 20);
ok $s->pf->wait_queue_empty(20), 'all of it went';
is_deeply [ sort map { told($_) } $s->sink->rest ],
    [ 'plain@our.test x', 'tagged@our.test [ext] x' ],
    'one plain, one with the tag';
is_deeply [ map { told($_) } $other->rest ], [ 'routed@our.test x yes' ],
    'and one by another way';
is scalar(@{ [ $store->objects ] }), 0, 'nothing was held';

# --- who agrees goes his way at once ---
like $s->send(rcpt => $users[2], subject => 'y', header => "X-Do: go\n"),
    qr/^250 /, 'to one alone';
$other->wait_count(2, 20);
is_deeply [ map { told($_) } $other->rest ], [ 'routed@our.test y yes' ],
    'routed in the first pass';

$s->done;
