#!/usr/bin/perl
# gatehouse doctor on gatehouse-splitter: each finding provoked once, and mended
# by what it says.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Doctor;
use Gatehouse::Split;
use Gatehouse::Suite;

plan skip_all => 'doctor wants root' if $> != 0;
plan skip_all => Gatehouse::Postfix->missing if Gatehouse::Postfix->missing;

my $s = Gatehouse::Suite->new;
my @users = map { "$_\@our.test" } qw(a b);
my @scope = ({ user => $users[1], mark => 'b' });
my $split = Gatehouse::Split->new($s, filters => [ 'probe' ],
    users => \@users);

$s->{by}{probe} = { name => 'probe', options => { scope => \@scope } };
$split->compile;
$s->daemons;
mkdir $s->dir . '/postfix';
for (qw(main.cf master.cf)) {
	open my $f, '>', $s->dir . "/postfix/$_" or die $!;
}
my $d = Gatehouse::Doctor->new($s, postfix_dir => $s->dir . '/postfix');

$d->well('splitter');
$s->kill_milter('splitter');
$d->heals($d->finds('splitter.down', 'it was killed',
    says => qr/cannot be reached/));
$s->signal_milter('splitter', 'STOP');
push @{ $d->{args} }, '--timeout', 2;
$d->heals($d->finds('splitter.silent', 'it stands still'));
splice @{ $d->{args} }, -2;
$s->house(splitter => 'false');
$d->heals($d->finds('splitter.off', 'settings differ and nobody splits'),
    sub { $s->house(splitter => 'true') });

# --- who has no such settings needs none ---
$s->house(splitter => 'false');
@scope = ({ user => $users[1], verdict => 'quarantine' });
$split->compile;
$s->kill_milter('splitter');
$d->well('splitter');

$d->provoked('splitter');
$s->done;
