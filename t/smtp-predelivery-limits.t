#!/usr/bin/perl
# Outbound limits through a real Postfix: recipients and size, refused, put off
# and dropped, at two levels; at RCPT, at MAIL FROM and at the end; with a store
# and without one. Another MAIL FROM, and its bounce back.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Store;
use Gatehouse::Suite;

my $name = 'predelivery';
my $s = Gatehouse::Suite->new(house => { domains => [ 'our.test' ],
    networks => [ '127.0.0.0/8' ], recipient_delimiter => '+' }, main =>
    { always_add_missing_headers => 'yes',
    non_smtpd_milters => "unix:gatehouse/predelivery/sock" });
my $store = Gatehouse::Store->new($s);
my %action = (refuse => [ 'a.test', 'r@c.test' ],
    tempfail => [ 'b.test', 't@c.test' ], drop => [ 'd.test', 'd@c.test' ]);

# The limits of a domain; a user of another domain has lower ones.
$s->milter($name, lint => 'off', client_networks => [ '127.0.0.0/8=host' ],
    scope => [ { client => 'host', recipients_max => 2, size_max => 4000 },
    map { my $act = $_;
    ({ domain => $action{$act}[0], recipients_max => 5, size_max => 20000,
    recipients_action => $act, size_action => $act },
    { user => $action{$act}[1], recipients_max => 3, size_max => 10000,
    recipients_action => $act, size_action => $act }) } sort keys %action ]);
$s->postfix;
my $state = $s->dir . "/state/$name";

sub names { map { "r$_\@x.test" } 1 .. $_[0] }

# Of a client that is none of ours by its address: it has logged in.
sub out {
	my ($login, %m) = @_;

	return $s->send(xclient => { LOGIN => $login }, from => $login, %m);
}
sub delivered { my ($mail) = $s->sink->next(20); scalar @{ $mail->{rcpt} } }

my %at_end = (refuse => qr/^550 5\.5\.3 /, tempfail => qr/^451 4\.5\.3 /,
    drop => qr/^250 /);
my %big_end = (refuse => qr/^550 5\.3\.4 /, tempfail => qr/^451 4\.3\.4 /,
    drop => qr/^250 /);
my %big_mail = (refuse => qr/^552 5\.3\.4 /, tempfail => qr/^452 4\.3\.4 /,
    drop => qr/^250 /);
for my $act (sort keys %action) {
	for my $level ([ "u\@$action{$act}[0]", 5, 20000 ],
	    [ $action{$act}[1], 3, 10000 ]) {
		my ($who, $max, $size) = @$level;
		my @kept = map { $_->{file} } $store->objects;
		my $text = 'x' x 63 . "\n";

		like out($who, rcpt => [ names($max) ]), qr/^250 /,
		    "$act, $who: $max recipients";
		is delivered(), $max, 'get it';
		like out($who, rcpt => [ names($max + 1) ]), $at_end{$act},
		    'one more';
		is scalar(grep { /^250 / } @{ $s->replies->{rcpt} }),
		    $max + 1, 'each was taken at RCPT, and nobody gets it';

		like out($who, body => $text x ($size / 64 - 10)), qr/^250 /,
		    'as large as may be';
		is delivered(), 1, 'arrives';
		like out($who, body => $text x ($size / 64 + 1)),
		    $big_end{$act}, 'a line more';
		my $c = $s->connection(xclient => { LOGIN => $who });
		like $c->command("MAIL FROM:<$who> SIZE=" . ($size + 1)),
		    $big_mail{$act}, 'and by SIZE=';
		$c->quit;
		next unless $act eq 'drop';
		my %old = map { $_ => 1 } @kept;
		my @new = grep { !$old{ $_->{file} } } $store->objects;
		is_deeply [ sort map { "$_->{kind} $_->{rule} " .
		    @{ $_->{recipients} } } @new ], [ 'deleted recipients ' .
		    ($max + 1), 'deleted size 1' ],
		    'what is dropped leaves a record';
	}
}
is_deeply [ $s->sink->rest ], [], 'nothing else arrived';

# --- two transactions of one message, the daemon killed between them ---
my $user = 'u@a.test';
like out($user, rcpt => [ names(3) ], message_id => 'one@a.test'),
    qr/^250 /, 'three recipients';
is delivered(), 3, 'get it';
$s->allow(qr/postfix.*warning: .*[mM]ilter/);
$s->kill_milter($name)->start_milter($name);
like out($user, rcpt => [ map { "s$_\@x.test" } 1 .. 3 ],
    message_id => 'one@a.test'), qr/^550 5\.5\.3 .*Message-ID \(3\)/,
    'three more of the same Message-ID are too many';
like out($user, rcpt => [ map { "s$_\@x.test" } 1 .. 2 ],
    message_id => 'one@a.test'), qr/^250 /, 'two are not';
is delivered(), 2, 'get it';

# --- no Message-ID: Postfix adds one, another for each transaction ---
my $bare = "From: $user\nTo: all\@x.test\nSubject: %s\n\nhi\n";
for my $case ([ 'a', 250, 3 ], [ 'a', 550, 4 ], [ 'b', 250, 4 ]) {
	my ($subject, $want, $n) = @$case;

	like out($user, rcpt => [ map { "$n$_\@x.test" } 1 .. $n ],
	    message => sprintf $bare, $subject), qr/^$want /,
	    "$n recipients of \"$subject\": $want";
	next if $want == 550;
	my $mail = $s->sink->next(20);
	like +($s->fields($mail->{bytes}, 'Message-ID'))[0],
	    qr/^<\w+\@mx\.gatehouse\.test>$/, 'as Postfix names it';
}

# --- sendmail(1): nobody to answer, so what is refused comes back ---
sub sendmail {
	my ($text, @to) = @_;

	open my $pipe, '|-', '/usr/sbin/sendmail', '-C', $s->pf->config,
	    '-f', 'root@our.test', @to or die "sendmail: $!";
	print $pipe "From: root\@our.test\nSubject: cron\n\n$text\n";
	close $pipe;
	return $?;
}

$s->allow(qr/not owned by group|not set-gid/);
is sendmail('hi', names(2)), 0, 'by sendmail: two recipients';
is delivered(), 2, 'get it';
is sendmail('ho', names(3)), 0, 'three';
my $back = $s->sink->next(20);
is +($back->{rcpt}[0] =~ s/^<|>.*//gr), 'root@our.test', 'come back';
like $back->{bytes} =~ s/\s+/ /gr, qr/Status: 5\.5\.3 .*too many recipients: 3 /,
    'and why';
is sendmail("some text\n" x 500, names(1)), 0, 'what is too large';
$back = $s->sink->next(20);
like $back->{bytes} =~ s/\s+/ /gr, qr/message too large: 6 kB, 4 kB are/,
    'comes back too';

# --- without a store ---
delete @{ $s->{house} }{qw(store_key)};
$s->house;
$s->options($name, bounce_address => 'b@our.test', bounce_keyed => 'true',
    bounce_return => 'true');
$s->log->mark;
$s->signal_milter($name, 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/, 10), 'no store any more';
my $got = out('d@c.test', rcpt => [ names(4) ]);
like $got, qr/^250 /, 'dropped: taken';
like +($s->log->wait_for(qr/verdict=discard, rule=recipients,/, 10))[0] // '',
    qr/nrcpt=4/, 'the log has it';
is_deeply [ $s->sink->rest ], [], 'and nobody gets it';

# --- another MAIL FROM ---
like out('bob@our.test', rcpt => 'x@x.test'), qr/^250 /, 'a letter';
my $mail = $s->sink->next(20);
my ($path) = $mail->{mail} =~ /^<([^>]*)>/;
like $path, qr/^b\+K=\w{10}=\w\w=our\.test=bob\@our\.test$/,
    'goes out with another MAIL FROM';
is +($s->fields($mail->{bytes}, 'From'))[0], 'bob@our.test',
    'and the same From';
like $s->send(from => '', rcpt => $path, header_from =>
    'mailer-daemon@x.test'), qr/^250 /, 'its bounce comes in';
$mail = $s->sink->next(20);
is +($mail->{rcpt}[0] =~ s/^<|>.*//gr), 'bob@our.test', 'and goes to Bob';

# --- registered senders and lint, as a client and the next hop see them ---
$s->options($name, bounce_address => '', bounce_keyed => 'false',
    senders => 'refuse', lint => 'all', lint_header => 'X-Lint',
    lint_date => 'refuse', map { ("lint_$_" => 'off') } qw(sender_domain
    sender_mx sender_address spf dkim_key));
$s->log->mark;
$s->signal_milter($name, 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/, 10), 'other settings';
is out('bob@our.test', header_from => 'eve@our.test'), '550 5.7.1 From ' .
    'eve@our.test is not registered for bob@our.test; what is: bob@our.test',
    'another name in From: refused, and what would be right';
is out('bob@our.test', message => "From: bob\@our.test\nSubject: x\n" .
    "Message-ID: <lint\@our.test>\nDate: now\n\nhi\n"), '550 5.7.1 refused: ' .
    'Date is none that RFC 5322 allows (date)', 'a rule that refuses';
my $letter = "From: bob\@our.test\nX-Lint: all is well\nTo: x\@x.test\n" .
    "Subject: \nMessage-ID: <warn\@our.test>\nDate: " . (gmtime =~
    s/(\w+) (\w+) +(\d+) (\S+) (\d+)/$1, $3 $2 $5 $4/r) . " +0000\n\nhi\n";
my $id = $s->queue_id($got = out('bob@our.test', message => $letter));
like $got, qr/^250 /, 'one that warns';
$mail = $s->sink->next(20);
is_deeply [ $s->fields($mail->{bytes}, 'X-Lint') ], [ 'subject' ],
    'says so in a header, and nobody else there';
my $kept = $letter =~ s/^X-Lint:.*\n//mr =~ s/\n/\r\n/gr;
is $s->without_received($mail->{bytes} =~ s/^X-Lint: subject\r\n//mr),
    $kept, 'all other bytes are the same';
is +(Gatehouse::Journal->about($state, $id))[0]{'gatehouse.lint.broken'},
    'subject', 'and in the journal';

$s->done;
