#!/usr/bin/perl
# Held by a filter, kept by gatehouse-store, given back to the same Postfix.
# T49, T50: a release is one delivery and is not held again for its cause. The
# mail path never waits for the store's daemon (T17).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Postfix;
use Gatehouse::Store;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my $json = JSON::PP->new->utf8;
my $port = Gatehouse::Postfix::free_port();

my @filters = qw(probe probe-head);

@{ $s->{house} }{qw(inbound outbound)} = (\@filters, \@filters);
$s->milter($_, deadline => '20s') for @filters;
$s->service('track', maillogs => [ $s->dir . '/log/mail.log' ]);
$s->service('store', reserve => 0,
    key => $s->dir . '/store.key', release_server => "127.0.0.1:$port",
    release_retry => '300ms')->postfix(services => [ { name => 'release',
    port => $port, milters => [ map { "unix:gatehouse/$_/sock" } @filters ],
    options => {
    local_header_rewrite_clients => '',
    receive_override_options => 'no_address_mappings' } } ]);

sub run { $s->gatehouse(@_, '--state-directory', $s->dir . '/state') }

sub rows {
	my ($status, $text) = run('quarantine', 'list', '--json', @_);
	return map { $json->decode($_) } split /\n/, $text;
}

# Rows for that filter, when there are so many.
sub wait_rows {
	my ($n, @filter) = @_;
	my $end = time + 20;
	my @rows;

	while ((@rows = rows(@filter)) != $n) {
		return @rows if time > $end;
		sleep 0.05;
	}
	return @rows;
}

my ($one, $two) = map { "$_\@gatehouse.test" } qw(one two);

# --- one of two ---
my %m = (rcpt => [ $one, $two ], header => "X-Probe: hold:$two:spam\n",
    client => '192.0.2.9', body => ".\nGood day.\n.. \n", subject => 'held');
my $got = $s->send(%m, message_id => 'first@client.test');
like $got, qr/^250 /, 'taken';
my $mail = $s->sink->next(20);
is_deeply $mail->{rcpt}, [ "<$one> ORCPT=rfc822;$one" ], 'the one gets it'
    or diag explain $mail->{rcpt};
my ($row) = wait_rows(1, '--recipient', $two);
is "$row->{state} $row->{cause} $row->{client_ip}", 'held spam 192.0.2.9',
    'the other one\'s is kept, with its origin';
is $row->{queue_id}, $s->queue_id($got), 'under Postfix\'s queue id';
$s->send(%m, message_id => 'first@client.test');
is_deeply $s->sink->next(20)->{rcpt}, $mail->{rcpt}, 'sent again';
$s->log->wait_for(qr/object=$row->{object}, quarantine=merged/, 20);
is scalar(rows('--recipient', $two)), 1, 'that is the same object';

my ($status, $text) = run('quarantine', 'release', $row->{object});
is $status, 0, 'released';
like $text, qr/released \(250 2\.0\.0 Ok: queued as (\w+)\)/,
    'Postfix said so';
my ($id) = $text =~ /queued as (\w+)/;
my $back = $s->sink->next(20);
like "@{ $back->{rcpt} }", qr/^<\Q$two\E>/, 'it arrives';
like $back->{mail}, qr/^<sender\@client\.test>/, 'from its sender';
unlike $back->{bytes}, qr/X-Gatehouse-Release/, 'without the mark';
my ($want) = map { Gatehouse::Suite->without_received($_) } $mail->{bytes};
my $is = Gatehouse::Suite->without_received($back->{bytes});
s/\AReceived:.*?\r\n(?![ \t])//s for $want, $is;
is $is, $want, 'with the same bytes';
like $s->line('probe', $id), qr/rule=released/, 'and was not held again';
($status) = run('quarantine', 'release', $row->{object});
is $status, 1, 'once';
is_deeply [ $s->sink->rest ], [], 'one delivery';

# --- without the daemon ---
$s->kill_milter('store');
like $s->send(rcpt => $one, header => "X-Probe: hold cause:phishing\n"),
    qr/^250 /, 'no daemon: mail is held all the same';
($status) = run('quarantine', 'list');
is $status, 75, 'and who asks is told that nobody answers';
$s->start_milter('store');
($row) = wait_rows(1, '--cause', 'phishing');
is $row->{state}, 'held', 'it comes in when the daemon is back';

# --- T20: a later filter did not take it ---
%m = (rcpt => [ $one, $two ], message_id => 'late@client.test',
    header => "X-Probe: probe/hold:$two:fraud\n");
like $s->send(%m, header => "$m{header}X-Probe: probe-head/tempfail\n"),
    qr/^451 /, 'held by the first filter, deferred by the second';
($row) = wait_rows(1, '--cause', 'fraud');
my $end = time + 20;
run('store', 'expire'), sleep 0.1 while rows('--cause', 'fraud') &&
    time < $end;
is_deeply [ rows('--cause', 'fraud') ], [],
    'Postfix\'s log says that nobody has it: it is hidden';
is_deeply [ map { $_->{state} } rows('--cause', 'fraud', '--state',
    'not-accepted') ], [ 'not-accepted' ], 'but not forgotten';

# --- killed behind the dot: Postfix has it, and we have not heard so ---
$s->send(rcpt => $one, header => "X-Probe: hold cause:dlp\n");
($row) = wait_rows(1, '--cause', 'dlp');
$s->kill_milter('store');
my $at = time;
my $file = $s->dir . '/state/store/objects/' . substr($row->{object}, 0, 2) .
    "/$row->{object}";
open my $log, '>>', "$file.log" or die $!;
print $log $json->encode({ event => 'moved', time => int $at, actor => 'root',
    recipient => $one, from => 'held', to => 'releasing', reply => '',
    tries => 1, try_at => int $at + 300, expires => 0 }), "\n";
close $log;
like $s->send(message => $store->release({ file => $file }, to => [ $one ]),
    from => 'sender@client.test', rcpt => $one, client => '127.0.0.1',
    service => 'release'), qr/^250 /, 'given to Postfix';
ok $s->sink->next(20), 'it arrives';
$s->allow(qr/were not in the index/);
$s->start_milter('store');
$end = time + 20;
sleep 0.1 while ($row) = rows('--cause', 'dlp') and
    $row->{state} eq 'releasing' && time < $end;
is $row->{state}, 'released', 'and the daemon finds out';
like $row->{reply}, qr/^taken before, as \w+/, 'from Postfix\'s log';
is_deeply [ $s->sink->rest ], [], 'without giving it again';

# --- all of a list of letters ---
my @to = map { "u$_\@gatehouse.test" } 1 .. 5;
$s->send(rcpt => \@to, header => "X-Probe: hold\n");
($row) = wait_rows(5, '--recipient', '@gatehouse.test', '--cause', 'policy');
($status, $text) = run('quarantine', 'release', $row->{object}, '--all');
is $status, 0, 'released for all' or diag $text;
my %seen;
$seen{"@{ $_->{rcpt} }"}++ for map { $s->sink->next(20) } @to;
is_deeply [ map { s/[<>]| .*//gr } sort keys %seen ], \@to,
    'each gets his';
$s->done;
