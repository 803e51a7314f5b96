#!/usr/bin/perl
# The policy map before a real Postfix: what the directory, the settings file
# and the scopes say for two recipients of one message; a compile is taken up
# while mail flows, a scope that was not compiled is no reload.
use strict;
use warnings;

use File::Path qw(make_path);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(zone => <<'END', house => {
_dmarc.bank.test	TXT	"v=DMARC1; p=reject"
END
    domains => [ 'a.test', 'b.test' ] });
my $store = Gatehouse::Store->new($s);
my $map = $s->dir . '/state/policy/map';

sub put {
	my ($path, $text) = @_;

	open my $f, '>', "$path.new" or die "$path: $!";
	print $f $text;
	close $f or die $!;
	rename "$path.new", $path or die $!;
}

sub compile {
	my ($status, $out) = $s->gatehouse('policy', 'compile', '--config',
	    $s->conf, @_);

	return "$status $out";
}

# It is taken up by itself.
sub compiled {
	$s->log->mark;
	my $said = compile(@_);
	ok $s->log->wait_for(qr/new policy map taken up/, 10),
	    'a new map is taken up';
	return $said;
}

make_path($s->dir . '/state/directory/current');
put($s->dir . '/state/directory/current/directory', <<'END');
gatehouse-directory 1
D a.test	client=acme
P sales
U anna@a.test	profile=sales
U bert@a.test
A info@a.test	anna@a.test
++++ 5
END
put($s->conf . '/policy.settings', <<'END');
user carl@b.test  auth-check.dmarc_policy = "ignore"
END

# Of all that a milter needs, the map is made first.
$s->house;
$s->milter('auth-check', scope => [
    { client => 'acme', dmarc_policy => 'ignore' },
    { profile => 'sales', dmarc_policy => 'follow' } ]);
$s->options('auth-check');
like compile('--if-stale'), qr/^0 .*: compiled \(there is none yet\): 4 addr/,
    'compiled';
is compile('--if-stale'), '0 ', 'nothing to do';
$s->postfix;

my ($anna, $bert, $carl, $dora) =
    ('anna@a.test', 'bert@a.test', 'carl@b.test', 'dora@b.test');

sub go {
	my $got = $s->send(from => 'ceo@bank.test', rcpt => [ @_ ],
	    header => "From: ceo\@bank.test\n");

	return ($got, $s->queue_id($got));
}

sub event { return (Gatehouse::Journal->about($s->dir . '/state/auth-check',
    $_[0]))[0] }

sub to { join ' ', map { s/^<|>.*//gr } @{ $_[0]{rcpt} } }

like +(go($anna))[0], qr/^550 5\.7\.1 DMARC reject/, 'her profile refuses';
like +(go('Info+x@A.test'))[0], qr/^550 /, 'so does an alias of hers';
like +(go($dora))[0], qr/^550 /, 'and who has nothing of his own';
my ($got, $id) = go($carl);
like $got, qr/^250 /, 'a line of the settings file lets it in';
is to($s->sink->next(20)), $carl, 'he gets it';
like event($id)->{'gatehouse.scope'},
    qr/^user carl\@b\.test \(.*policy\.settings:1\)$/, 'the event says who';
is event($id)->{'gatehouse.rule'}, 'dmarc-local-policy', 'and why';

($got, $id) = go($anna, $bert, $carl);
like $got, qr/^250 /, 'three who differ in one message: taken';
is to($s->sink->next(20)), "$bert $carl", 'two get it';
is_deeply [ map { "@{ $_->{recipients} } $_->{rule}" } $store->objects ],
    [ "$anna dmarc-reject" ], 'it is held for the third';
is_deeply [ map { "$_->{address} $_->{verdict}: " .
    ($_->{scope} // '') =~ s/ \(.*//r } @{
    event($id)->{'gatehouse.recipients'} } ],
    [ "$anna quarantine: profile sales", "$bert accept: client acme",
    "$carl accept: user $carl" ], 'the event says who said so for each';

like +($s->gatehouse('explain', '--config', $s->conf, $id))[1],
    qr/<?\Q$anna\E>?: quarantine \(dmarc-reject\): .*; set by profile sales/,
    'so does explain';

# --- while it runs ---
put($s->conf . '/policy.settings', <<'END');
user dora@b.test  auth-check.dmarc_policy = "ignore"
END
like compiled(), qr/^0 /, 'other settings';
like +(go($carl))[0], qr/^550 /, 'what was taken out is gone';
like +(go($dora))[0], qr/^250 /, 'what came in counts';
is to($s->sink->next(20)), $dora, 'she gets it';

my ($status, $text) = $s->gatehouse('explain', '--config', $s->conf, $dora,
    'dmarc_policy');
is $text, <<"END", 'explain says the same';
auth-check.dmarc_policy for $dora: "ignore"
  user $dora (@{[ $s->conf ]}/policy.settings:1): "ignore"; decides
  default: "follow"
END

# --- a scope that nobody compiled ---
$s->allow(qr/configuration not reloaded, the old one stays: auth-check: the/,
    qr/policy map not taken up/);
$s->log->mark;
$s->options('auth-check', scope => [ { domain => 'b.test',
    dmarc_policy => 'ignore' } ]);
$s->signal_milter('auth-check', 'USR1');
like $s->log->wait_for(qr/configuration (?:not )?reloaded/, 10),
    qr/not reloaded.*other scopes than the file has now; type: gatehouse /,
    'is no reload, and what to type is said';
like +(go($carl))[0], qr/^550 /, 'the old settings stay';
$s->log->mark;
like compile('--if-stale'), qr/^0 .*auth-check\.conf has changed since/,
    'compiled';
ok $s->log->wait_for(qr/policy map not taken up, the old policy stays/, 10),
    'a map of other scopes is not for the old ones';
$s->log->mark;
$s->signal_milter('auth-check', 'USR1');
like $s->log->wait_for(qr/configuration (?:not )?reloaded/, 10), qr/: confi/,
    'the reload takes both';
like +(go($carl))[0], qr/^250 /, 'the new scope counts';
$s->sink->next(20);

# --- no map any more, a bad one ---
$s->log->mark;
put($map, 'nonsense');
like $s->log->wait_for(qr/not taken up/, 10), qr/was cut off/,
    'what is no map is not taken up';
like +(go($carl))[0], qr/^250 /, 'the old one stays';
$s->sink->next(20);
$s->log->mark;
unlink $map;
like $s->log->wait_for(qr/not taken up/, 10), qr/is gone/,
    'nor is none at all';
like +(go($carl))[0], qr/^250 /, 'the old one stays';
$s->sink->next(20);
is_deeply [ $s->sink->rest ], [], 'nobody got more';

$s->done;
