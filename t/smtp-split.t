#!/usr/bin/perl
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Split;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(zone => "client.test TXT \"v=spf1 ip4:192.0.2.1 -all\"\n");
my @users = map { "$_\@our.test" } qw(plain tag strip both);
my $split = Gatehouse::Split->new($s, filters => [ qw(auth-check probe) ],
    users => \@users);
open my $log, '>>', $s->log->path or die $!;
$s->milter('auth-check');
$s->milter('probe', scope => [ { user => $users[1], mark => 'tag' },
    { user => $users[2], strip => 'true' }, { user => $users[3], strip => 'true', mark => 'both' } ]);
$split->postfix;
my $got = $s->send(rcpt => [ @users ], body => "a probe\n");
diag $got;
diag join "\n", $s->sink->wait_count(4, 10);
diag $_->{mail}, "@{$_->{rcpt}}\n", $_->{bytes} for $s->sink->rest;
diag $s->log->lines;
diag $s->pf->log->lines;
$s->done;
