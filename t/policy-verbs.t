#!/usr/bin/perl
# gatehouse policy: what it makes of files, what it says about them, and what
# doctor and check-config say when it was not asked to.
use strict;
use warnings;

use File::Path qw(make_path rmtree);
use FindBin;
use JSON::PP;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Directory;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(zone => <<'END', house => {
far.test	TXT	"v=spf1 -all"
END
    domains => [ 'a.test', 'b.test' ] });
my ($conf, $state) = ($s->conf, $s->dir . '/state');
my $map = "$state/policy/map";

sub put {
	my ($path, $text) = @_;

	open my $f, '>', "$path.new" or die "$path: $!";
	print $f $text;
	close $f or die $!;
	rename "$path.new", $path or die $!;
}

sub policy {
	my ($status, $text) = $s->gatehouse('policy', @_, '--config', $conf);

	return "$status: $text";
}

# And what it said on standard error.
sub fails {
	my $err = $s->dir . '/log/gatehouse.err';

	truncate $err, 0;
	my $said = policy(@_) =~ s/: .*//sr;
	open my $f, '<', $err or return $said;
	my $line = join '', <$f>;
	truncate $err, 0;
	return "$said: " . $line =~ s/^gatehouse: //r =~ s/\Q$conf\E/CONF/gr;
}

sub doctor {
	my ($status, $text) = $s->gatehouse('doctor', '--only', 'policy',
	    '--config', $conf, '--json', '--postfix', $s->dir . '/postfix');

	return join ' ', map { $_->{id} } map { @{ $_->{findings} } }
	    @{ decode_json($text)->{checks} };
}

$s->house;
make_path($s->dir . '/postfix');
put($s->dir . "/postfix/$_", '') for qw(main.cf master.cf);
$s->conf_write('auth-check.conf', scope => [
    { domain => 'a.test', dmarc_policy => 'ignore', final => [ 'spf_fail' ] },
    { user => 'anna@a.test', dmarc_policy => 'soften' } ]);

# --- without a map ---
is policy('compile', '--if-stale'), '0: ', 'scopes alone ask for no map';
ok !-e $map, 'and there is none';
is policy('get', 'Anna+x@A.test', 'dmarc_policy'), qq(0: "soften"\n),
    'the scopes of the file count';
like policy('explain', 'anna@a.test', 'auth-check.dmarc_policy'),
    qr/no map was compiled: the scopes of auth-check\.conf count/, 'as is said';
is doctor(), '', 'nothing is wrong with that';

# --- compile ---
put("$conf/policy.settings", <<'END');
# by hand
user bert@a.test  auth-check.spf_fail = "reject"
client acme       auth-check.dkim_fail = "tag"
END
put("$conf/policy.lists", <<'END');
block all bad.test            # anna 2026-11-26: =never
allow user anna@a.test x@bad.test
block domain b.test 192.0.2.0/24
END
make_path("$state/directory/current");
put("$state/directory/current/directory", <<'END');
gatehouse-directory 1
D a.test	client=acme
U anna@a.test
A info@a.test	anna@a.test
++++ 3
END
is doctor(), 'policy.missing', 'files that ask for a map, and none';
like policy('compile', '--dry-run'), qr/^0: \Q$map\E: would be compiled: 3/,
    'a try';
ok !-e $map, 'leaves none';
like policy('compile', '--if-stale'), qr/^0: \Q$map\E: compiled \(there is/,
    'the map is made';
my @before = stat $map;
is policy('compile', '--if-stale'), '0: ', 'not again';
is_deeply [ (stat $map)[1, 9] ], [ @before[1, 9] ], 'it is the same file';
is sprintf('%o', $before[2] & 07777), '640', 'which nobody else reads';
is doctor(), '', 'all is well';
is policy('diff'), '0: ', 'nothing would change';

# --- what it says ---
is policy('explain', 'bert@a.test', 'spf_fail'), <<"END", 'who was overruled';
0: auth-check.spf_fail for bert\@a.test: "tag"
  user bert\@a.test ($conf/policy.settings:2): "reject"; overruled: domain a.test is final
  domain a.test ($conf/auth-check.conf:1): final: nobody more special may say something else
  default: "tag"; decides
END
is policy('explain', 'anna@a.test', 'dmarc_policy'), <<"END", 'and by whom';
0: auth-check.dmarc_policy for anna\@a.test: "soften"
  user anna\@a.test ($conf/auth-check.conf:1): "soften"; decides
  domain a.test ($conf/auth-check.conf:1): "ignore"; overruled by user anna\@a.test, which is more special
  default: "follow"
END
my $json = decode_json(policy('explain', 'info@a.test', 'dkim_fail', '--json')
    =~ s/^0: //r);
is_deeply [ @$json{qw(mailbox value level map)}, $json->{levels}[0]{where} ],
    [ 'anna@a.test', '"tag"', 'client', JSON::PP::true,
    "$conf/policy.settings:3" ], 'the same for programs; an alias is followed';
is policy('get', 'x@b.test', 'dkim_fail'), qq(0: "accept"\n), 'a default';
is policy('get', 'x@b.test', 'dmarc_lists', '--json'), '0: {"address":' .
    '"x@b.test","mailbox":"x@b.test","option":"auth-check.dmarc_lists",' .
    qq("value":"[ ]"}\n), 'a list, as JSON';

# --- lists ---
my @anna = ('lists', 'check', 'x@bad.test', '--for', 'anna@a.test');
is policy(@anna, '--authenticated'), "0: allow: $conf/policy.lists:2\n",
    'allowed, when it is authentic';
is policy(@anna), "1: block: $conf/policy.lists:1 (anna 2026-11-26: =never)\n",
    'else what all are told counts';
is policy('lists', 'check', 'x@y.test', '--for', 'q@b.test', '--ip',
    '192.0.2.7'), "1: block: $conf/policy.lists:3\n", 'by address';
is policy('lists', 'check', 'x@y.test', '--for', 'anna@a.test', '--ip',
    '192.0.2.7', '--json'), '0: {"sender":"x@y.test","recipient":' .
    qq("anna\@a.test","result":"not listed","entry":""}\n), 'not for others';
is policy('lists', 'export'), join("\r\n", '0: ' .
    '"verdict","level","name","sender","comment","line"',
    '"block","all","","bad.test","anna 2026-11-26: =never","1"',
    '"allow","user","anna@a.test","x@bad.test","","2"',
    '"block","domain","b.test","192.0.2.0/24","","3"', ''), 'as CSV';

# --- changes ---
$s->conf_write('auth-check.conf', scope => [
    { domain => 'a.test', dmarc_policy => 'ignore' },
    { user => 'anna@a.test', dmarc_policy => 'follow' } ]);
put("$conf/policy.lists", <<'END');
allow all bad.test
block domain b.test 192.0.2.0/25
END
put("$state/directory/current/directory", <<'END');
gatehouse-directory 1
D a.test
U anna@a.test
U carl@a.test
++++ 3
END
is policy('diff'), <<'END', 'what a compile would change, by address';
1: domain a.test: client "acme" -> ""
domain a.test: auth-check.dkim_fail = "tag" is gone
address anna@a.test: client "acme" -> ""
address anna@a.test: auth-check.dkim_fail = "tag" is gone
address anna@a.test: auth-check.dmarc_policy = "soften" -> "follow"
address bert@a.test: client "acme" -> ""
address bert@a.test: auth-check.dkim_fail = "tag" is gone
address bert@a.test: new: auth-check.spf_fail = "reject"
address carl@a.test: new: known
address carl@a.test: new: auth-check.dmarc_policy = "ignore"
address info@a.test: is gone
list all bad.test: block -> allow
list user anna@a.test x@bad.test: allow is gone
list domain b.test 192.0.2.0/24: block is gone
list domain b.test 192.0.2.0/25: new: block
END
is scalar @{ decode_json(policy('diff', '--json') =~ s/^1: //r) }, 15,
    'the same for programs';
is doctor(), 'policy.stale', 'doctor sees it';
my ($status, $text) = $s->gatehouse('check-config', '--config', $conf);
like $text, qr/auth-check: the policy map was compiled with other scopes than /,
    'so does check-config';
like policy('compile', '--if-stale', '--json'), qr/"result":"compiled"/,
    'compiled';
is doctor(), '', 'all is well again';
is policy('diff'), '0: ', 'nothing would change';

# --- what is wrong ---
for (
	[ 'policy.settings', "\nuser a\@b.test auth-check.spf_fial = 1\n",
	    "78: CONF/policy.settings:2: unknown option spf_fial\n" ],
	[ 'policy.settings', "user a\@b.test auth-chek.spf_fail = 1\n",
	    "78: CONF/policy.settings:1: there is no file auth-chek.conf; did " .
	    "you mean auth-check?\n" ],
	[ 'policy.settings', qq(user a\@b.test auth-check.spf_fail = "no"\n),
	    qq(78: CONF/policy.settings:1: spf_fail is "no"; it wants one of ) .
	    qq("accept", "tag", "quarantine", "tempfail", "reject"\n) ],
	[ 'policy.settings', qq(domain b.test auth-check.dmarc_overrides = ) .
	    qq([ "x" ]\n), qr/^78: CONF\/policy\.settings:1: dmarc_overrides: /
	    ],
	[ 'policy.lists', "block all a b\n", "78: CONF/policy.lists:1: " .
	    "something stands behind the sender; a comment begins with #\n" ],
) {
	my ($file, $bad, $want) = @$_;
	my $good = do { local (@ARGV, $/) = "$conf/$file"; <> };

	put("$conf/$file", $bad);
	my $said = fails('compile');
	ref $want ? like $said, $want, $bad : is $said, $want, $bad;
	put("$conf/$file", $good);
}
is policy('compile', '--if-stale'), '0: ', 'the old map was left alone';
is fails('get', 'a@b.test', 'nonsense') =~ s/;.*//sr,
    '64: there is no option nonsense', 'an option nobody has';
is fails('get', 'a@b.test') =~ s/\n//r, '64: policy get wants ADDRESS and ' .
    'OPTION', 'one word too few';
chmod 0666, "$conf/policy.lists";
like fails('compile'), qr/^78: CONF\/policy\.lists/,
    'what anybody may write to is not read';
chmod 0644, "$conf/policy.lists";
put($map, 'nonsense');
is doctor(), 'policy.broken', 'no map at all';
like fails('get', 'a@b.test', 'spf_fail'), qr/^75: .*was cut off.*type: /,
    'and no answer';
like policy('compile', '--if-stale'), qr/^0: .*was cut off/, 'it is mended';

# --- gatehouse test asks the same map ---
put("$conf/policy.settings", qq(user carl\@a.test auth-check.spf_fail = ) .
    qq("reject"\n));
policy('compile');
put($s->dir . '/mail', "From: x\@far.test\nSubject: hello\n\nHello.\n");
for ([ 'carl@a.test', 'reject' ], [ 'anna@a.test', 'accept' ]) {
	my ($status, $text) = $s->gatehouse('test', '--config', $conf,
	    '--milter', 'auth-check', '--client-ip', '203.0.113.9',
	    '--mail-from', 'x@far.test', '--rcpt', $_->[0], '--expect', $_->[1],
	    $s->dir . '/mail');
	is $status, 0, "gatehouse test: $_->[1] for $_->[0]";
	is $text =~ /^ +set by +user carl/m ? 1 : 0,
	    $_->[1] eq 'reject' ? 1 : 0, 'and who set that';
}

# And what was not compiled yet is tried as it would be.
put("$conf/policy.settings", qq(user anna\@a.test auth-check.spf_fail = ) .
    qq("reject"\n));
$s->conf_write('auth-check.conf', scope => [
    { user => 'carl@a.test', spf_fail => 'accept' } ]);
for ([ 'carl@a.test', 'accept' ], [ 'anna@a.test', 'reject' ]) {
	my ($status, $text) = $s->gatehouse('test', '--config', $conf,
	    '--milter', 'auth-check', '--client-ip', '203.0.113.9',
	    '--mail-from', 'x@far.test', '--rcpt', $_->[0], '--expect', $_->[1],
	    $s->dir . '/mail');
	is $status, 0, "gatehouse test of new files: $_->[1] for $_->[0]";
}
is doctor(), 'policy.stale', 'the map is still the old one';

# --- what a sync writes, which belongs to who syncs ---
put("$conf/policy.settings",
    qq(profile sales auth-check.spf_fail = "quarantine"\n));
rmtree("$state/directory");
my $d = Gatehouse::Directory->new(suite => $s,
    options => { maps => 'false' });
$d->source('hr', fields => [ 'Mail=address', 'Group=profile',
    'Login=attr.login' ], text => "Mail,Group,Login\n" .
    "Anna\@A.test,sales,anna\ncarl\@b.test,,\n");
is_deeply [ $d->sync ]->[0], 0, 'a sync';
SKIP: {
	skip 'nobody but root gives files away', 1 if $> != 0;
	is chown(65534, -1, "$state/directory/current/directory"), 1,
	    'it is of another user';
}
like policy('compile', '--if-stale'), qr/^0: .*: compiled .* 3 addresses/,
    'is compiled';
is policy('get', 'anna+x@a.test', 'spf_fail'), qq(0: "quarantine"\n),
    'and tells the profile';
chmod 0664, "$state/directory/current/directory";
like fails('compile'), qr/^78: .*others may write to it; type: chmod go-w/,
    'but it is of nobody else';

is_deeply [ $s->unexpected ], [], 'no log says more';
done_testing;
