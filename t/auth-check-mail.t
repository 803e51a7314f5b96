#!/usr/bin/perl
# DKIM, DMARC, ARC and iprev of whole messages, signed here: through the milter
# protocol, and through gatehouse test (T33, T35, T36).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp qw(tempdir);
use IPC::Open2 qw(open2);
use JSON::PP qw(decode_json);
use Test::More;

use Gatehouse::Suite;

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $tool = "$build/t/sign-mail";
plan skip_all => "$tool is not built" unless -x $tool;
my $dir = tempdir('gatehouse-XXXXXX', TMPDIR => 1, CLEANUP => 1);

sub made {
	my ($in, @command) = @_;
	my $pid = open2(my $out, my $to, $tool, @command);
	my $text;

	binmode $_ for $out, $to;
	if (my $child = fork) {
		close $to;
		local $/;
		$text = <$out>;
		waitpid $child, 0;
	} else {
		print $to $in;
		close $to;
		require POSIX;
		POSIX::_exit(0);
	}
	waitpid $pid, 0;
	die "sign-mail @command: exit status $?\n" if $?;
	return $text;
}

my %txt;
for ([ rsa => 2048, 'rsa' ], [ rsa => 768, 'short' ], [ ed25519 => 0, 'ed' ]) {
	my ($kind, $bits, $name) = @$_;

	chomp($txt{$name} = made('', 'key', $kind, $bits, "$dir/$name"));
}

sub txt { join ' ', map { "\"$_\"" } $_[0] =~ /(.{1,200})/g }

my $zone = <<"END";
1.2.0.192.in-addr.arpa	PTR	mail.good.test
mail.good.test	A	192.0.2.1
9.2.0.192.in-addr.arpa	PTR	mail.good.test
7.2.0.192.in-addr.arpa	PTR	SILENT
good.test	TXT	"v=spf1 ip4:192.0.2.1 -all"
_dmarc.good.test	TXT	"v=DMARC1; p=reject; rua=mailto:agg\@good.test"
quar.test	TXT	"v=spf1 -all"
_dmarc.quar.test	TXT	"v=DMARC1; p=quarantine; sp=reject; np=none"
_dmarc.watch.test	TXT	"v=DMARC1; p=none"
_dmarc.test.test	TXT	"v=DMARC1; p=reject; t=y"
_dmarc.broken.test	TXT	"v=DMARC1; p=nonsense"
_dmarc.sick.test	TXT	SERVFAIL
_dmarc.mute.test	TXT	SILENT
_dmarc.huge.test	TXT	GENERATE 60000
_dmarc.key.test	TXT	"v=DMARC1; p=reject"
_dmarc.bank.test	TXT	"v=DMARC1; p=reject; adkim=s; aspf=s"
a.bank.test	A	192.0.2.77
other.test	TXT	"v=spf1 +all"
list.test	TXT	"v=spf1 +all"
attacker.test	TXT	"v=spf1 include:e1.attacker.test include:e2.attacker.test include:e3.attacker.test include:e4.attacker.test mx -all"
sick._domainkey.key.test	TXT	SERVFAIL
mute._domainkey.key.test	TXT	SILENT
huge._domainkey.key.test	TXT	GENERATE 60000
END
$zone .= "s._domainkey.$_\tTXT\t" . txt($txt{rsa}) . "\n"
    for qw(good.test news.good.test quar.test other.test list.test bank.test sealer.test
    key.test test.test evil.test);
$zone .= "e._domainkey.good.test\tTXT\t" . txt($txt{ed}) . "\n";
$zone .= "k._domainkey.good.test\tTXT\t" . txt($txt{short}) . "\n";
$zone .= "e$_.attacker.test\tTXT\t\"v=spf1 a:x1.e$_.attacker.test a:x2.e$_.attacker.test mx:y$_.attacker.test ?all\"\n" for 1 .. 4;

sub mail {
	my ($from, $body) = @_;
	return join "\r\n", "From: $from", 'To: us@gatehouse.test',
	    'Subject: hello', 'Date: Sun, 22 Nov 2026 10:00:00 +0100',
	    'Message-ID: <1@x.test>', '', $body // "A line.\r\nAnother.", '';
}

sub signed {
	my ($mail, $domain, $selector, @more) = @_;

	return made($mail, 'dkim', $dir . ($selector eq 'e' ? '/ed' : '/rsa'),
	    $domain, $selector, @more);
}

sub sealed {
	my ($mail, $domain, @more) = @_;
	return made($mail, 'arc', "$dir/rsa", $domain, 's', @more);
}

my $suite = Gatehouse::Suite->new(zone => $zone,
    house => { networks => [ '203.0.113.0/24' ], resolver_timeout => '1s' });
my %options = (arc_trusted => [ 'sealer.test' ],
    dmarc_lists => [ 'list.test' ], dmarc_forwarders => [ '192.0.2.200' ],
    dmarc_overrides => [ 'bank.test=quarantine', '.watch.test=reject' ],
    trusted_networks => [ '198.51.100.0/24' ]);
$suite->milter('auth-check', %options)->daemons;

# One message through the daemon.
sub through {
	my ($message, %a) = @_;
	return $suite->session('auth-check')->message(client => '192.0.2.9',
	    name => 'c.test', helo => 'c.test', from => 'x@nowhere.test',
	    rcpt => [ 'us@gatehouse.test' ], message => $message, %a);
}

# The same offline: what the milter says of it.
sub offline {
	my ($message, %a) = @_;

	open my $f, '>:raw', "$dir/in.eml" or die;
	print $f $message;
	close $f;
	my ($status, $text) = $suite->gatehouse('test', '--milter',
	    'auth-check', '--config', $suite->conf, '--json', '--client-ip',
	    $a{client} // '192.0.2.9', '--helo', 'c.test', '--mail-from',
	    $a{from} // 'x@nowhere.test', '--rcpt', 'us@gatehouse.test',
	    "$dir/in.eml");
	my $r = eval { decode_json($text) } // die "gatehouse test: $text\n";
	my $m = $r->{milters}[0];
	return { verdict => $r->{verdict}, rule => $m->{rule}, ms => $m->{ms},
	    reason => $m->{reason}, %{ $m->{facts} // {} } };
}

sub results {
	my ($r) = @_;
	my ($field) = ($r->{message} // '') =~
	    /\A(Authentication-Results:.*?\r\n)(?![ \t])/s;
	return ($field // '') =~ s/\r\n[ \t]+/ /gr;
}

# --- results in the header field -----------------------------------------

my $good = signed(mail('Bob <bob@good.test>'), 'good.test', 's');
my $r = through($good, client => '192.0.2.1', from => 'bob@good.test');
is $r->{reply}, 'accept', 'signed and allowed: accepted';
my $ar = results($r);
like $ar, qr/^Authentication-Results: mx\.gatehouse\.test; spf=pass /,
    'one field: SPF';
like $ar, qr{; dkim=pass header\.d=good\.test header\.s=s (?#
    )header\.a=rsa-sha256 header\.b="?[A-Za-z0-9+/]{8}"?;},
    'DKIM, with the signature named';
like $ar, qr/; dmarc=pass header\.from=good\.test policy\.dmarc=reject;/,
    'DMARC';
like $ar, qr/; iprev=pass policy\.iprev=192\.0\.2\.1/, 'iprev';
unlike $ar, qr/; arc=/, 'no chain, no word about it';
is $r->{message} =~ s/\AAuthentication-Results:.*?\r\n(?![ \t])//sr, $good,
    'nothing else changed';
like results(through($good)), qr/dkim=pass.*dmarc=pass.*iprev=fail/,
    'forwarded: DKIM carries it, the address has another name';
$r = through(signed(mail('b@good.test'), 'good.test', 'e'));
like results($r), qr/dkim=pass .*header\.a=ed25519-sha256.*dmarc=pass/,
    'Ed25519';
like results(through($good, client => '192.0.2.7')), qr/iprev=temperror/,
    'a silent reverse zone';

# --- no signature, no chain: no body ----------------------------------------

my $large = "A line of sixty-two characters, of which there are very many.\r\n"
    x 4000;
for ([ 'unsigned', mail('a@unknown.test', $large), 3 ],
    [ 'signed', signed(mail('b@good.test', $large), 'good.test', 's'), 0 ],
    [ 'sealed', sealed(mail('a@unknown.test', $large), 'sealer.test',
	'results=none'), 0 ],
    [ 'signed by nobody', "DKIM-Signature: v=1\r\n" .
	mail('a@unknown.test', $large), 0 ],
    [ 'unsigned and trusted', mail('a@unknown.test', $large), 3,
	client => '198.51.100.7' ],
    [ 'signed and trusted', signed(mail('b@good.test', $large), 'good.test',
	's'), 3, client => '198.51.100.7' ]) {
	my ($name, $message, $left, %more) = @$_;

	$r = through($message, %more);
	is $r->{reply}, 'accept', "$name: accepted";
	is $r->{left}, $left, "$name: $left pieces of the body stay behind";
	ok $r->{message} =~ /\r\n\r\n(.*)\z/s && $1 eq "$large\r\n",
	    'and none is lost';
	like results($r), qr/; dkim=pass/, 'it was hashed' if $name eq 'signed';
	like results($r), qr/; arc=pass/, 'the same' if $name eq 'sealed';
}

# --- policies --------------------------------------------------------------

my $forged = mail('Bob <bob@good.test>');
$r = through($forged);
like $r->{reply}, qr/^550 5\.7\.1 DMARC reject: good\.test asks to reject /,
    'p=reject';
like $r->{reply}, qr/p=reject/, 'says which policy';
$r = through($good =~ s/Another/Changed/r);
like $r->{reply}, qr/^550 5\.7\.1 DMARC reject/, 'a changed body';
$r = through(mail('a@quar.test'));
is $r->{reply}, 'accept', 'p=quarantine';
ok defined $r->{quarantine}, 'is held';
like results($r), qr/dmarc=fail reason=.* header\.from=quar\.test (?#
    )policy\.dmarc=quarantine/, 'and says so';
$r = through(mail('a@nobody.quar.test'));
is $r->{reply}, 'accept', 'np=none: no such domain';
ok !defined $r->{quarantine}, 'is not held';
$r = through(mail('a@test.test'));
ok defined $r->{quarantine}, 't=y: reject becomes quarantine';
$r = through(mail('a@unknown.test'));
is $r->{reply}, 'accept', 'no record';
like results($r), qr/dkim=none; dmarc=none header\.from=unknown\.test/,
    'none, none';
$r = through(mail('a@broken.test'));
is $r->{reply}, 'accept', 'a broken record';
$r = through(mail('a@x.watch.test'));
like $r->{reply}, qr/^550 5\.7\.1 DMARC reject: mail of x\.watch\.test /,
    'a policy of our own';
$r = offline(mail('a@bank.test'));
is "$r->{verdict} $r->{rule}", 'quarantine dmarc-quarantine',
    'a softer one of our own';
is $r->{'gatehouse.dmarc.override'}, 'local_policy: one of dmarc_overrides',
    'and its reason';
is $r->{'gatehouse.dmarc.disposition'}, 'quarantine', 'disposition';

# --- DNS trouble -------------------------------------------------------------

is through(mail('a@sick.test'))->{reply}, 'accept',
    'no word about a policy: accepted';
like results(through(mail('a@mute.test'))), qr/dmarc=temperror/, 'temperror';
for my $selector (qw(sick mute)) {
	$r = through(signed(mail('a@key.test'), 'key.test', $selector));
	like $r->{reply}, qr/^451 4\.7\.1 DMARC temperror: /,
	    "$selector key: who knows, try again";
}
$r = through(signed(mail('a@key.test'), 'key.test', 'huge'));
like $r->{reply}, qr/^550 /, 'a key record of 60 kB is none';
is through(mail('a@huge.test'))->{reply}, 'accept', 'nor is a policy';

# An attacker's SPF record eats its own budget, not that of our policies, and
# so does a pause between MAIL and the message.
like through($forged, from => 'x@attacker.test')->{reply}, qr/^550 5\.7\.1/,
    'a long SPF record does not keep a policy away';

# --- who is let through ----------------------------------------------------

$r = offline($forged, client => '192.0.2.200');
is "$r->{verdict} $r->{rule}", 'accept dmarc-trusted-forwarder', 'a forwarder';
like $r->{'gatehouse.dmarc.override'}, qr/^trusted_forwarder: /, 'its reason';
$r = offline(signed($forged, 'list.test', 's'));
is "$r->{verdict} $r->{rule}", 'accept dmarc-mailing-list', 'a mailing list';
for ([ trusted => '198.51.100.7' ], [ outbound => '203.0.113.9' ]) {
	my ($why, $client) = @$_;

	$r = through($forged, client => $client);
	is $r->{reply}, 'accept', "$why: accepted";
	unlike $r->{message}, qr/^Authentication-Results:/m, 'no result';
}

# --- facts for reports -------------------------------------------------------

$r = offline($good, client => '192.0.2.1', from => 'bob@good.test');
my %want = (result => 'pass', domain => 'good.test', policy => 'reject',
    policy_from => 'p', 'record.discovery' => 'treewalk',
    'record.p' => 'reject', 'record.sp' => undef, 'record.adkim' => 'r',
    'record.aspf' => 'r', 'record.t' => 'n', 'record.psd' => 'u',
    'record.rua' => 'mailto:agg@good.test', disposition => 'none',
    aligned => 'spf dkim', override => undef);
is $r->{"gatehouse.dmarc.$_"}, $want{$_}, "fact $_" for sort keys %want;
%want = (count => 1, result => 'pass', '1.result' => 'pass',
    '1.domain' => 'good.test', '1.selector' => 's', '1.bits' => 2048,
    '1.algorithm' => 'rsa-sha256');
is $r->{"gatehouse.dkim.$_"}, $want{$_}, "fact $_" for sort keys %want;
is $r->{'gatehouse.from.domain'}, 'good.test', 'author domain';
is $r->{'gatehouse.spf.result'}, 'pass', 'SPF';
is $r->{'gatehouse.spf.scope'}, 'mfrom', 'its scope';
is $r->{'gatehouse.iprev.result'}, 'pass', 'iprev';
is $r->{rule}, 'dmarc-pass', 'the rule';

# --- T33: who is the sender? ---------------------------------------------------

my @composed = (
	[ 'two From fields', "From: a\@good.test\r\n" . signed(mail(
	    'b@other.test'), 'other.test', 's') ],
	[ 'the other way round', signed(mail('b@other.test'), 'other.test',
	    's') =~ s/^(From: .*\r\n)/$1From: a\@good.test\r\n/mr ],
	[ 'two authors', signed(mail('b@other.test, a@good.test'),
	    'other.test', 's') ],
	[ 'a group', signed(mail('x: b@other.test, a@good.test;'),
	    'other.test', 's') ],
	[ 'a comment', signed(mail('(a@good.test) b@other.test (x'),
	    'other.test', 's') ],
	[ 'in front of the path', signed(mail('a@good.test <b@other.test>'),
	    'other.test', 's') ],
	[ 'two ats', signed(mail('a@good.test@other.test'), 'other.test',
	    's') ],
	[ 'no path closed', signed(mail('<a@good.test <b@other.test>'),
	    'other.test', 's') ],
	[ 'encoded', signed(mail('=?utf-8?q?a=40good.test=3E?= <b@other.test'),
	    'other.test', 's') ],
);
for (@composed) {
	my ($name, $message) = @$_;
	my $off = offline($message, from => 'x@other.test');
	my $on = through($message, from => 'x@other.test');

	isnt $off->{'gatehouse.dmarc.result'}, 'pass', "T33 $name: no pass";
	unlike results($on), qr/dmarc=pass/, 'nor by the protocol';
}
$r = offline($composed[0][1], from => 'x@other.test');
is $r->{verdict}, 'reject', 'two From fields: the policy of each counts';
$r = offline(mail('a@other.test') =~ s/^From: .*\r\n//r);
is $r->{rule}, 'dmarc-from', 'no From at all';
# A HELO name proves nothing about the author when there is a MAIL FROM.
$r = through($forged, helo => 'mail.good.test', from => 'x@other.test');
like $r->{reply}, qr/^550 5\.7\.1/, 'HELO is no author';

# --- T35: signatures ---------------------------------------------------------

my %t35 = (
	'l= with more behind it' => [ signed(mail('b@good.test'), 'good.test',
	    's', 'length=8') . "Buy now.\r\n", qr/^(fail|policy)$/ ],
	'a key of 768 bits' => [ signed(mail('b@good.test'), 'good.test',
	    'k'), qr/^(policy|permerror)$/ ],
	'expired' => [ signed(mail('b@good.test'), 'good.test', 's',
	    'now=1600000000', 'expires=1600000600'), qr/^(fail|policy|neutral|
	    permerror)$/x ],
	'a second Subject' => [ "Subject: new\r\n" . $good, qr/^fail$/ ],
	'no such key' => [ signed(mail('b@good.test'), 'good.test', 'none'),
	    qr/^permerror$/ ],
);
for my $name (sort keys %t35) {
	my ($message, $want) = @{ $t35{$name} };

	$r = offline($message);
	like $r->{'gatehouse.dkim.result'}, $want, "T35 $name";
	is $r->{verdict}, 'reject', 'and DMARC does not pass';
}
for my $n (100, 500) {
	my $many = signed(mail('b@good.test'), 'good.test', 's', "times=$n");

	$r = through($many, client => '192.0.2.77');
	cmp_ok $r->{ms}, '<', 1000, "$n signatures: $r->{ms} ms";
	like results($r), qr/dkim=pass/, 'the first ones are verified';
	$r = offline($many);
	is scalar(grep { /dkim\.\d+\.result/ && $r->{$_} eq 'pass' } keys %$r),
	    10, 'ten, and no more';
}

# --- T36: chains ----------------------------------------------------------------

my $aar = 'spf=pass smtp.mailfrom=good.test; dmarc=pass (p=reject) ' .
    'header.from=good.test';
my $chain = sealed($forged, 'sealer.test', "results=$aar");
$r = offline($chain);
is $r->{'gatehouse.arc.result'}, 'pass', 'a chain passes';
is "$r->{verdict} $r->{rule}", 'accept dmarc-local-policy',
    'a trusted sealer vouches';
like $r->{'gatehouse.dmarc.override'}, qr/^local_policy: arc=pass (?#
    )as\[1\]\.d=sealer\.test as\[1\]\.s=s/, 'the reason names it';
like results(through($chain)), qr/; arc=pass smtp\.remote-ip=192\.0\.2\.9 (?#
    )header\.oldest-pass=0/, 'and the field';
$r = offline(sealed($forged, 'evil.test', "results=$aar"));
is "$r->{'gatehouse.arc.result'} $r->{verdict}", 'pass reject',
    'an unknown sealer does not';
$r = offline(sealed(sealed($forged, 'evil.test', "results=$aar"),
    'sealer.test', 'results=dmarc=fail header.from=good.test'));
is "$r->{'gatehouse.arc.result'} $r->{verdict}", 'pass reject',
    'nor what one wrote below a trusted one';
$r = offline(sealed(sealed($forged, 'sealer.test', "results=$aar"),
    'evil.test', "results=$aar"));
is $r->{verdict}, 'reject', 'nor a trusted one below an unknown one';
$r = offline(sealed($forged, 'sealer.test',
    'results=dmarc=pass header.from=other.test'));
is $r->{verdict}, 'reject', 'nor for another domain';
$r = offline($chain =~ s/Another/Changed/r);
is "$r->{'gatehouse.arc.result'} $r->{verdict}", 'fail reject',
    'a broken chain';
my $long = sealed($forged, 'sealer.test', "results=$aar", 'times=50');
$r = offline($long);
is $r->{'gatehouse.arc.result'}, 'pass', '50 sets pass';
cmp_ok $r->{ms}, '<', 1000, "in $r->{ms} ms";
my ($i1) = $chain =~ /\A(.*?)(?=From: )/s;
$r = offline($i1 =~ s/\bi=1\b/i=51/gr . $long);
is "$r->{'gatehouse.arc.result'} $r->{verdict}", 'fail reject', '51 do not';

# --- the other engine -----------------------------------------------------------

my %letters = (good => $good, changed => $good =~ s/Another/Changed/r,
    several => signed(signed(mail('b@good.test'), 'good.test', 'e'),
	'other.test', 's'), unsigned => $forged, composed => $composed[0][1],
    map { $_ => $t35{$_}[0] } keys %t35);
my %own = map { $_ => offline($letters{$_}) } keys %letters;
$suite->options('auth-check', dkim_engine => 'opendkim');
for my $name (sort keys %letters) {
	my $other = offline($letters{$name});

	for ($other, $own{$name}) {
		delete $_->{ms};
		delete @$_{grep { /reason|rule|waited|bits/ } keys %$_};
	}
	is_deeply $other, $own{$name}, "libopendkim agrees: $name";
}
$suite->options('auth-check', dkim_engine => 'own');

# --- the other DMARC -------------------------------------------------------------

my $below = signed(mail('a@x.y.good.test'), 'news.good.test', 's');
$r = offline($below);
is "$r->{'gatehouse.dmarc.result'} $r->{'gatehouse.dmarc.org'} " .
    $r->{'gatehouse.dmarc.record.discovery'}, 'pass good.test treewalk',
    'RFC 9989: by the tree';
$suite->options('auth-check', dmarc_mode => 'rfc7489');
$r = offline($below);
is "$r->{'gatehouse.dmarc.result'} $r->{'gatehouse.dmarc.org'} " .
    $r->{'gatehouse.dmarc.record.discovery'}, 'pass good.test psl',
    'RFC 7489: by the list';
is $r->{'gatehouse.dmarc.record.pct'}, 100, 'with its pct';
$suite->options('auth-check', dmarc_mode => 'rfc9989');

# Fields of a chain among others, thousands of them: read three times at most.
my $scattered = join '', map { "ARC-Seal: i=$_; " . 'x' x 100 .
    "\r\nX-Between: $_\r\n" } 1 .. 900;
$r = through($scattered . $good);
like results($r), qr/dkim=pass.*dmarc=pass.*; arc=fail/, 'a scattered chain';
cmp_ok $r->{ms}, '<', 1000, "in $r->{ms} ms";

# --- silence ----------------------------------------------------------------

# Ten keys, a chain, a policy, SPF and a reverse zone that nobody answers for:
# all of it is waited for at the same time.
$r = signed(mail('a@mute.test'), 'mute.test', 's', 'times=10');
my $n = 0;
$r =~ s/\bs=s;/'s=s' . $n++ . ';'/ge;
$r = through(sealed($r, 'mute.test', 'times=20') =~ s/\bs=s;/'s=t' .
    $n++ . ';'/ger, client => '192.0.2.7', from => 'x@mute.test');
is $r->{reply}, 'accept', 'silence everywhere: answered';
cmp_ok $r->{ms}, '<', 2500, "in $r->{ms} ms";
$suite->finish;

# --- time -------------------------------------------------------------------

# All is cold, each answer takes 150 ms. SPF and the reverse zone were asked
# for at MAIL; keys, chain and policies, which the header block names, are one
# round: two would be 300 ms.
my $slow = Gatehouse::Suite->new(zone => $zone =~ s/^(\S*mute|7\.2).*\n//gmr,
    dns_args => { latency => 150 });
$slow->milter('auth-check', %options)->daemons;
for ([ 'signed by the author', $good, 'bob@good.test' ],
    [ 'signed by the organization', signed(mail('b@news.quar.test'),
	'quar.test', 's'), 'bounce@other.test' ],
    [ 'sealed', sealed(mail('b@test.test'), 'sealer.test',
	"results=$aar"), 'b@list.test' ]) {
	my ($name, $message, $from) = @$_;
	my $m = $slow->session('auth-check')->message(client => '192.0.2.1',
	    name => 'mail.good.test', helo => 'c.test', from => $from,
	    rcpt => [ 'us@gatehouse.test' ], message => $message);

	is $m->{reply}, 'accept', "$name: accepted";
	cmp_ok $m->{ms}, '<', 290, "one round at end of message: $m->{ms} ms";
}
$slow->done;
