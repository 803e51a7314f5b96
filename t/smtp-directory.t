#!/usr/bin/perl
# R1, R20: a directory, synced, before a Postfix that runs: who does not exist
# is refused at RCPT, aliases are expanded, users have servers of their own,
# and while syncs come and go nobody who exists is ever refused.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Directory;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(house => { domains => [ 'gatehouse.test',
    'open.test' ], message_size_limit => '2M' });
my $other = Gatehouse::Sink->new(dir => $s->dir . '/other');
my $theirs = Gatehouse::Sink->new(dir => $s->dir . '/theirs');
my ($port, $reinject) = map { Gatehouse::Postfix::free_port() } 1, 2;

# A tenant, with a server of his own.
mkdir $s->dir . '/tenants';
Gatehouse::Directory::put($s->dir . '/tenants/acme.conf',
    'domains = [ "acme.test" ]; relay_hosts = [ "[127.0.0.1]:' .
    $theirs->port . "\" ];\n");
$s->house(tenants => $s->dir . '/tenants');
my $d = Gatehouse::Directory->new(suite => $s,
    options => { open_domains => [ 'open.test' ], shrink_percent => 0 });
my $head = "Mail,Also,Server\n";
my $all = "us\@gatehouse.test,info\@gatehouse.test,\n" .
    "them\@gatehouse.test,\"info\@gatehouse.test;They\@gatehouse.test\"," .
    'smtp:[127.0.0.1]:' . $other->port . "\n..odd.\@gatehouse.test,,\n";
$d->source('hr', fields => [ 'Mail=address', 'Also=aliases',
    'Server=transport' ], text => $head . $all);
$d->source('acme', fields => [ 'Mail=address' ], text => "Mail\nann\@acme.test\n");
open my $log, '>>', $s->log->path or die $!;	# none is made under /dev

# --- before the first sync there is nothing to name -------------------------
my %conf = (role => 'inbound', inbound_listener => "127.0.0.1:$port",
    reinject_listener => "127.0.0.1:$reinject", size => '1M',
    error_sleep => '0s', hard_errors => 1000, soft_errors => 1000,
    client_connections => 0, client_rate => 0, client_recipients => 0);
$s->conf_write('postfix.conf', %conf);
$s->milter('auth-check');
my $pf = eval { $s->postfix(port => $port, ports => { reinject => $reinject },
    recipe => { config => $s->conf }, main => { relay_domains =>
    'gatehouse.test, open.test, acme.test', smtpd_relay_restrictions =>
    'permit_mynetworks, reject_unauth_destination' }) };
like $@, qr/aliases, which cannot be opened; .*gatehouse directory sync/s,
    'postfix-config waits for the first sync';
my ($status, undef, $err) = $d->sync;
is $status, 0, 'the first sync' or diag $err;
$s->pf->start;
$s->allow(qr/postconf: warning: .*unused/,
    qr/warning: directory sync by \w+: nothing was changed: \S+:5: this quote/);

# --- who exists ---------------------------------------------------------------
like $s->send(rcpt => 'us@gatehouse.test'), qr/^250 /, 'somebody';
ok $s->sink->next, 'gets it';
like $s->send(rcpt => 'US@Gatehouse.test'), qr/^250 /, 'in capitals';
ok $s->sink->next, 'too';
like $s->send(rcpt => 'us+list@gatehouse.test'), qr/^550 5\.1\.1 /,
    'an extension, where main.cf knows no delimiter';
like $s->send(rcpt => 'nobody@gatehouse.test'), qr/^550 5\.1\.1 .*User unknown/,
    'nobody: 550';
is $s->replies->{data}, undef, 'at RCPT';
like $s->send(rcpt => '"..odd."@gatehouse.test'), qr/^250 /, 'dots, in quotes';
ok $s->sink->next, 'arrive';
like $s->send(rcpt => '..odd.@gatehouse.test'), qr/^250 /, 'and without';
ok $s->sink->next, 'arrive';
like $s->send(rcpt => 'anybody@open.test'), qr/^250 /, 'an open domain';
ok $s->sink->next, 'takes all';

# --- aliases, servers of their own ------------------------------------------
like $s->send(rcpt => 'info@gatehouse.test'), qr/^250 /, 'an alias of two';
is_deeply [ map { s/ .*//r } @{ $s->sink->next->{rcpt} } ],
    [ '<us@gatehouse.test>' ], 'one of them here';
is_deeply [ map { s/ .*//r } @{ $other->next->{rcpt} } ],
    [ '<them@gatehouse.test>' ], 'the other at his own server';
like $s->send(rcpt => 'they@gatehouse.test'), qr/^250 /, 'an alias of one';
is_deeply [ map { s/ .*//r } @{ $other->next->{rcpt} } ],
    [ '<them@gatehouse.test>' ], 'arrives';
like $s->send(rcpt => 'ann@acme.test'), qr/^250 /, 'a user of a tenant';
is_deeply [ map { s/ .*//r } @{ $theirs->next->{rcpt} } ], [ '<ann@acme.test>' ],
    'at his server';
like $s->send(rcpt => 'bob@acme.test'), qr/^550 5\.1\.1 /, 'and nobody else';
my $c = Gatehouse::Smtp->new(port => $reinject, helo => 'localhost');
like $c->send(from => 'a@client.test', rcpt => 'they@gatehouse.test',
    message => "Subject: released\n\n"), qr/^250 /, 'what was held for it';
$c->quit;
is_deeply [ map { s/ .*//r } @{ $other->next->{rcpt} } ],
    [ '<them@gatehouse.test>' ], 'is expanded when it is released';

# --- a sync under a Postfix that runs ------------------------------------------
sub heard {
	my ($rcpt, $want, $what) = @_;
	my ($end, $got) = time + 20;

	# Who is connected keeps the old map; a new connection has the new one.
	do {
		my $c = $s->connection;
		$c->command('MAIL FROM:<a@client.test>');
		$got = $c->command("RCPT TO:<$rcpt>");
		$c->quit;
	} until $got =~ $want || time > $end;
	like $got, $want, $what;
}
$d->text('hr', $head . $all . "new\@gatehouse.test,,\n");
is(($d->sync)[0], 0, 'somebody comes');
heard('new@gatehouse.test', qr/^250 /, 'and is heard of without a reload');
$d->text('hr', $head . $all);
is(($d->sync)[0], 0, 'and goes');
heard('new@gatehouse.test', qr/^550 /, 'which is heard too');
$d->text('hr', "$head$all\"torn");
is(($d->sync)[0], 78, 'a source that is torn');
heard('us@gatehouse.test', qr/^250 /, 'refuses nobody');

# --- under load -----------------------------------------------------------------
# So many syncs, however long they take here; readers go on until they are over.
my $wanted = $ENV{GATEHOUSE_FULL} ? 150 : 8;
my $stop = $s->dir . '/stop';
my @readers;
for my $n (1 .. 4) {
	open my $from, '-|' // die or do {
		my ($count, @bad) = (0);

		do {
			my $c = Gatehouse::Smtp->new(port => $port);
			$c->command('MAIL FROM:<a@client.test>');
			for my $rcpt (qw(us them info they ..odd.)) {
				my $got = $c->command(
				    "RCPT TO:<$rcpt\@gatehouse.test>");
				$count++;
				push @bad, "$rcpt: $got" if $got !~ /^250 /;
			}
			$c->command('RSET');
			$c->quit;
		} until -e $stop || getppid == 1;
		print "$count\n", @bad ? "@bad[0 .. ($#bad < 3 ? $#bad : 3)]\n" : '';
		close STDOUT;
		POSIX::_exit(0);
	};
	push @readers, $from;
}
my $syncs = 0;
for (1 .. $wanted) {
	$d->text('hr', $head . $all . join '', map { "u$_-$syncs\@gatehouse.test,,\n" }
	    1 .. 200);
	my ($status, undef, $err) = $d->sync;
	$syncs++ if $status == 0;
	diag $err if $status != 0;
}
Gatehouse::Directory::put($stop, '');
my $asked = 0;
for my $from (@readers) {
	my ($count, @bad) = <$from>;
	$asked += $count // 0;
	is join('', @bad), '', 'nobody who exists was refused';
}
is $syncs, $wanted, "$syncs syncs";
cmp_ok $asked, '>=', 20, "$asked recipients asked for";
heard("u1-" . ($syncs - 1) . '@gatehouse.test', qr/^250 /, 'the last one holds');

# --- and back ------------------------------------------------------------------
like $s->pf->apply('--apply'), qr/nothing to change/, 'a second apply';
my ($got, $said) = $s->pf->command('postconf', '-n');
is_deeply [ grep { /warning/ && /directory/ } split /\n/, $said ], [],
    'postconf has nothing to say';
$s->pf->apply('--revert');
($got, $said) = $s->pf->command('postconf', '-n');
unlike $said, qr/directory\/current/, 'reverted';
my @cf = map { $s->pf->config . "/$_.cf" } qw(main master);
my @was = map { Gatehouse::Directory::get($_) } @cf;
$s->pf->apply('--apply');
isnt join('', map { Gatehouse::Directory::get($_) } @cf), join('', @was), 'applied';
$s->pf->apply('--revert');
is_deeply [ map { Gatehouse::Directory::get($_) } @cf ], \@was, 'and reverted, byte for byte';
$s->done;
