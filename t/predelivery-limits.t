#!/usr/bin/perl
# What senders may do, in the daemon without Postfix: limits of each level, the
# count over one Message-ID through kills, restarts and reloads, in whose name
# they send, where bounces go, what lint finds by DNS.
use strict;
use warnings;

use File::Path qw(make_path);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Journal;
use Gatehouse::Suite;

my $name = 'predelivery';
my $s = Gatehouse::Suite->new(zone => <<'END', house => {
news.test		MX	10 mx.news.test
news.test		TXT	"v=spf1 mx -all"
s1._domainkey.news.test	TXT	"v=DKIM1; p=abc"
away.test		TXT	"v=spf1 redirect=news.test"
away.test		A	192.0.2.1
END
    domains => [ 'our.test' ], recipient_delimiter => '+' });
my %conf = (recipients_max => 5, visible_max => 4, size_max => 4000,
    client_networks => [ '198.51.100.0/28=acme' ], lint => 'off',
    scope => [ { client => 'acme', recipients_max => 3 },
    { domain => 'our.test', recipients_max => 2, visible_action => 'tempfail' },
    { user => 'many@our.test', recipients_max => 10,
    recipients_action => 'drop', size_action => 'tempfail' } ]);
$s->milter($name, %conf)->daemons;
my $state = $s->dir . "/state/$name";

sub said { my ($r) = @_; "$r->{stage} $r->{reply}" }
sub names { map { "r$_\@x.test" } $_[0] .. $_[1] }

# One message of somebody; outbound, since he has logged in or is of a network.
my $id = 0;
sub talk {
	my (%m) = @_;
	my $user = delete $m{user};

	$m{macros} = { '{auth_authen}' => $user, %{ $m{macros} // {} } }
	    if defined $user;
	$m{from} //= 'us@our.test';
	$m{message} //= "From: $m{from}\nMessage-ID: <" .
	    ($m{mid} // ++$id) . "\@our.test>\n" . ($m{header} // '') .
	    "\n" . ($m{body} // "hi\n");
	return $s->talk($name, client => '192.0.2.1', %m);
}

# --- negotiation ---
my $m = $s->session($name);
ok !($m->{protocol} & Gatehouse::Milter->no_reply('M')), 'a reply at MAIL';
ok $m->{protocol} & Gatehouse::Milter->no_reply($_), "none at $_" for
    qw(C R);
$m->quit;

# --- recipients, by level ---
for my $case ([ 'a login elsewhere', 5, user => 'x@else.test' ],
    [ 'a login without a domain', 5, user => 'x' ],
    [ 'a network of ours', 5, client => '198.51.100.99' ],
    [ 'a network of a client', 3, client => '198.51.100.1' ],
    [ 'a domain', 2, user => 'x@our.test' ]) {
	my ($who, $max, %m) = @$case;

	is said(talk(%m, rcpt => [ names(1, $max) ])), 'end accept',
	    "$who: $max recipients";
	like said(talk(%m, rcpt => [ names(1, $max + 1) ])),
	    qr/^end 550 5\.5\.3 too many recipients: @{[ $max + 1
	    ]} recipients, $max are allowed; nobody/, 'one more';
}
is said(talk(user => 'many@our.test', rcpt => [ names(1, 10) ])),
    'end accept', 'a user: 10 recipients';
is said(talk(user => 'many@our.test', rcpt => [ names(1, 11) ])),
    'end discard', 'one more: dropped';
is said(talk(client => '192.0.2.1', rcpt => [ names(1, 50) ])), 'end accept',
    'mail that comes in has no such limit';

# --- what all recipients see, and sizes ---
my $to = 'To: ' . join(', ', names(1, 3)) . "\nCc: " . join(', ',
    names(4, 5)) . "\n";
like said(talk(user => 'x', header => $to)), qr/^end\ 550\ 5\.7\.1\ all
    \ recipients\ would\ see\ 5\ addresses/x, 'too many to be seen';
like said(talk(user => 'x@our.test', header => $to)), qr/^end\ 451\ 4\.7\.1\ all
    \ recipients/x, 'put off, at another level';
my @big = (body => 'x' x 70 . "\n");
$big[1] x= 60;
like said(talk(user => 'x', @big)), qr/^end\ 550\ 5\.3\.4\ message\ too
    \ large:\ 5\ kB,\ 4\ kB\ are\ allowed/x, 'too large';
like said(talk(user => 'x', mail_args => [ 'SIZE=4001', 'BODY=8BITMIME' ])),
    qr/^mail 552 5\.3\.4 message too large: 4 kB are announced/,
    'SIZE= is answered at MAIL FROM';
is said(talk(user => 'x', mail_args => [ 'SIZE=4000' ])), 'end accept',
    'as much as may be';
like said(talk(user => 'x', mail_args => [ 'SIZE=10' ], @big)),
    qr/^end 550 5\.3\.4 /, 'who lies is found out';
is said(talk(user => 'x', mail_args => [ "SIZE=$_" ])), 'end accept',
    "SIZE=$_ says nothing" for '', '-1', '4001x', '9' x 30;
like said(talk(user => 'many@our.test', mail_args => [ 'SIZE=4001' ])),
    qr/^mail 452 4\.3\.4 /, 'put off at that level';
ok $s->log->wait_for(qr/NOQUEUE:\ filter=predelivery,\ event=size,
    \ rule=size,.*sender=x,\ declared=4001\ \(/x, 5), 'and it is told';

# --- one Message-ID, several transactions ---
sub part { talk(user => 'x', mid => 'one', rcpt => [ names(@_) ]) }
is said(part(1, 3)), 'end accept', 'three of five';
is said(part(1, 3)), 'end accept', 'the same again';
like said(part(4, 6)), qr/^end\ 550\ 5\.5\.3\ too\ many\ recipients:
    \ 6\ recipients\ with\ those\ of\ earlier\ transactions\ of\ the\ same\ Message-ID\ \(3\)/x,
    'three more are too many';
$s->kill_milter($name)->start_milter($name);
is said(part(2, 4)), 'end accept', 'killed: two of these are known';
$s->stop_milter($name)->start_milter($name);
like said(part(5, 6)), qr/^end 550 /, 'stopped and started: two are too many';
is said(part(5, 5)), 'end accept', 'one is not';
$s->options($name, visible_max => 3);
$s->log->mark;
$s->signal_milter($name, 'USR1');
ok $s->log->wait_for(qr/configuration reloaded/, 10), 'reloaded';
like said(part(7, 7)), qr/^end 550 /, 'a reload keeps the count';
is said(talk(user => 'y', mid => 'one', rcpt => [ names(6, 8) ])),
    'end accept', 'another sender with that Message-ID is another matter';
my $bare = "From: us\@our.test\nSubject: no id\n\nhi\n";
is said(talk(user => 'x', message => $bare, rcpt => [ names(1, 4) ])),
    'end accept', 'without a Message-ID';
like said(talk(user => 'x', message => $bare, rcpt => [ names(5, 8) ])),
    qr/^end 550 /, 'the header tells it';

# Thirty at once, and then each again: five of them are taken, no more.
for my $round (1, 2) {
	my %end;
	$end{ said($_) =~ s/(550).*/$1/r }++ for Gatehouse::Milter->burst(
	    $s->socket_path($name), 30, sub {
		return (client => '198.51.100.77', from => 'us@our.test',
		    rcpt => [ "b$_[0]\@x.test" ], message =>
		    "From: us\@our.test\nMessage-ID: <burst\@x>\n\nhi\n");
	});
	is_deeply \%end, { 'end accept' => 5, 'end 550' => 25 },
	    "thirty sessions at once, round $round: five are taken";
}
$s->allow(qr/warning: recipients_cells was changed/);
$s->options($name, recipients_cells => 2048);
$s->log->mark;
$s->signal_milter($name, 'USR1');
ok $s->log->wait_for(qr/recipients_cells was changed/, 10),
    'a size is for the next start';
$s->stop_milter($name)->start_milter($name);
ok $s->log->wait_for(qr/begun anew: it is new or of another size/, 10),
    'when it begins anew';
is said(part(6, 8)), 'end accept', 'with nobody';

# --- in whose name ---
sub configured {
	my (%more) = @_;

	$s->options($name, %more);
	$s->log->mark;
	$s->signal_milter($name, 'USR1');
	return $s->log->wait_for(qr/configuration reloaded/, 10);
}
configured(visible_max => 0, senders => 'refuse',
    sender_addresses => [ 'news.test' ]);
is said(talk(user => 'bob@our.test', from => 'bob@our.test')), 'end accept',
    'his own name';
is said(talk(user => 'bob@our.test', from => 'x@news.test')), 'end accept',
    'a registered one';
is said(talk(user => 'bob@our.test', from => 'eve@our.test')),
    'end 550 5.7.1 MAIL FROM eve@our.test is not registered for ' .
    'bob@our.test; what is: bob@our.test, @news.test', 'no other';
is said(talk(user => 'bob@our.test', from => 'bob@our.test', message =>
    "From: Eve <eve\@our.test>\n\nhi\n")), 'end 550 5.7.1 From eve@our.test ' .
    'is not registered for bob@our.test; what is: bob@our.test, @news.test',
    'in From neither';
configured(senders => 'warn');
is said(talk(user => 'bob@our.test', from => 'eve@our.test', id => 'WARNED')),
    'end accept', 'warned of, it passes';
is +(Gatehouse::Journal->about($state, 'WARNED'))[0]
    {'gatehouse.senders.rule'}, 'sender-not-registered', 'and is told';

# --- where bounces go ---
configured(senders => 'off', bounce_address => 'b@our.test',
    bounce_keyed => 'true', bounce_return => 'true');
my $r = talk(user => 'bob@our.test', from => 'bob@our.test');
like $r->{from}, qr/^b\+K=[a-z2-7]{10}=[a-z2-7]{2}=our\.test=bob\@our\.test$/,
    'MAIL FROM says whose mail it was';
is talk(user => 'bob@our.test', from => '', message =>
    "From: bob\@our.test\n\nhi\n")->{from} // '', '', 'that of a bounce stays';
my $keyed = $r->{from};
$r = $s->talk($name, client => '192.0.2.1', from => '', rcpt => [ $keyed ]);
is_deeply $r->{rcpt}, [ 'bob@our.test' ], 'and a bounce goes back there';
$r = $s->talk($name, client => '192.0.2.1', from => '', id => 'FORGED',
    rcpt => [ $keyed =~ s/bob/eve/r ]);
is_deeply $r->{rcpt}, [ $keyed =~ s/bob/eve/r ], 'a forged one stays';
is +(Gatehouse::Journal->about($state, 'FORGED'))[0]
    {'gatehouse.bounce.key'}, 'forged', 'and is told';
$r = $s->talk($name, client => '192.0.2.1', from => 'x@y.test',
    rcpt => [ $keyed ]);
is_deeply $r->{rcpt}, [ $keyed ], 'what is no bounce too';
my $foreign = talk(user => 'bob@our.test', from => 'x@y.test')->{from};
$r = $s->talk($name, client => '192.0.2.1', from => '', rcpt => [ $foreign ]);
is_deeply $r->{rcpt}, [ $foreign ], 'nothing is sent on to strangers';
$s->kill_milter($name)->start_milter($name);
$r = $s->talk($name, client => '192.0.2.1', from => '', rcpt => [ $keyed ]);
is_deeply $r->{rcpt}, [ 'bob@our.test' ], 'the key outlives the daemon';

# --- what the policy map says: aliases, logins, one line for each ---
sub put {
	my ($path, @lines) = @_;

	open my $f, '>', $path or die "$path: $!";
	print $f map { "$_\n" } @lines;
	close $f;
}
make_path($s->dir . '/state/directory/current');
put($s->dir . '/state/directory/current/directory', 'gatehouse-directory 1',
    "D our.test", "A all\@our.test\tbob\@our.test,eve\@our.test",
    "U bob\@our.test\tattr.login=bob", "U eve\@our.test",
    "A robert\@our.test\tbob\@our.test", '++++ 5');
put($s->conf . '/policy.settings',
    'user bob@our.test predelivery.recipients_max = 7');
configured(bounce_address => '', bounce_keyed => 'false',
    senders => 'refuse', sender_addresses => []);
is +($s->gatehouse('policy', 'compile', '--config', $s->conf))[0], 0,
    'compiled';
my %bob = (user => 'bob', from => 'robert@our.test');
my $end = time + 20;
sleep 0.1 until said($r = talk(%bob, rcpt => [ names(1, 7) ])) eq
    'end accept' || time > $end;
is said($r), 'end accept', 'an alias is his, so is its number';
like said(talk(%bob, rcpt => [ names(1, 8) ])), qr/^end\ 550\ 5\.5\.3\ .*:\ 8
    \ recipients,\ 7\ are/x, 'by his login';
like said(talk(%bob, from => 'all@our.test')), qr/^end\ 550\ 5\.7\.1\ MAIL
    \ FROM\ all/x, 'the alias of several is the name of none';
like said(talk(user => 'eve@our.test', from => 'robert@our.test')),
    qr/^end 550 5\.7\.1 /, 'nor is it hers';

# --- lint ---
configured(senders => 'off', size_max => '1M',
    lint => 'bulk', lint_header => 'X-Lint', dkim_selectors => [ 's1' ],
    lint_abuse_address => 'off', lint_list_unsubscribe => 'refuse');
my %news = (user => 'x', from => 'n@news.test');
sub news {
	my ($from, $more) = @_;

	return "From: News <$from>\nSubject: x\nDate: " .
	    (gmtime =~ s/(\w+) (\w+) +(\d+) (\S+) (\d+)/$1, $3 $2 $5 $4/r) .
	    " +0000\nMessage-ID: <" . ++$id . "\@news.test>\nX-Lint: good\n" .
	    "$more\nunsubscribe https://news.test/u\n";
}
my $list = "List-Unsubscribe: <https://news.test/u>\n" .
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n";
sub lint { my ($r) = @_; [ $s->fields($r->{message}, 'X-Lint') ] }

is_deeply lint(talk(%news, message => news('n@news.test', ''))), [],
    'mail to one is not looked at';
$r = talk(%news, message => news('n@news.test', $list), id => 'NEWS1');
is said($r), 'end accept', 'a good mail of a list';
is_deeply lint($r), [], 'nothing is wrong with it';
my ($event) = Gatehouse::Journal->about($state, 'NEWS1');
is $event->{'gatehouse.lint.bulk'}, 'it has the field List-Unsubscribe',
    'why it was looked at';
ok !exists $event->{'gatehouse.lint.unknown'}, 'DNS told all';
$r = talk(%news, from => 'n@away.test', id => 'NEWS2', message =>
    news('n@gone.test', $list));
is_deeply lint($r), [ 'sender-domain, sender-mx, dkim-key' ],
    'a redirected SPF record is right, other things are not';
($event) = Gatehouse::Journal->about($state, 'NEWS2');
is $event->{'gatehouse.lint.broken'}, 'sender-domain, sender-mx, dkim-key',
    'the journal has them';
is said(talk(%news, message => news('n@news.test', "Precedence: bulk\n"))),
    'end accept', 'to one, by no list';
is said(talk(%news, rcpt => [ names(1, 2) ], message => news('n@news.test',
    "Precedence: bulk\n"))), 'end 550 5.7.1 refused: there is no ' .
    'List-Unsubscribe (list-unsubscribe)', 'to two: refused by a rule';
$s->dns->stop;
$r = talk(%news, from => 'n@late.test', id => 'NEWS3', message =>
    news('n@news.test', $list));
is said($r), 'end accept', 'without DNS nothing is refused';
($event) = Gatehouse::Journal->about($state, 'NEWS3');
is $event->{'gatehouse.lint.unknown'}, 'sender-domain, sender-mx, spf',
    'what is unknown is told';

$s->done;
