#!/usr/bin/perl
# gatehouse(1) as scripts use it: what it prints, what it writes, how it ends.
use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use JSON::PP;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::DNS;

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $gatehouse = "$build/tools/gatehouse";
my $dir = tempdir(CLEANUP => 1);
my $dns = Gatehouse::DNS->start(zone => <<'END');
example.org	TXT	"v=spf1 ip4:192.0.2.1 include:_spf.example.org exp=why.example.org -all"
_spf.example.org	TXT	"v=spf1 a:nothing.example.org a:host.example.org ?all"
host.example.org	A	192.0.2.9
why.example.org	TXT	"%{i} is none of %{d}"
clock.example.org	TXT	"v=spf1 exp=clock2.example.org -all"
clock2.example.org	TXT	"it is %{t}"
silent.example.org	*	SILENT
END
my @resolver = ('--resolver', $dns->resolver);

sub put {
	my ($name, $bytes) = @_;
	open my $f, '>:raw', "$dir/$name" or die $!;
	print $f $bytes;
	close $f;
	return "$dir/$name";
}

sub get {
	open my $f, '<:raw', $_[0] or die "$_[0]: $!";
	local $/;
	return scalar <$f>;
}

# Exit status, output, complaints.
sub run {
	my @args = @_;
	my $pid = fork // die $!;
	if (!$pid) {
		open STDOUT, '>', "$dir/out";
		open STDERR, '>', "$dir/err";
		open STDIN, '<', "$dir/in" if -e "$dir/in";
		exec $gatehouse, @args or exit 127;
	}
	waitpid $pid, 0;
	return ($? & 127 ? "signal $?" : $? >> 8, get("$dir/out"),
	    get("$dir/err"));
}

sub json {
	my ($status, $out, $err) = run(@_);
	my $object = eval { JSON::PP->new->utf8->decode($out) };
	ok $object && $status == 0, "$_[0] prints JSON" or diag "$out$err$@";
	return $object // {};
}

# --- the command line ---

is((run())[0], 64, 'no verb: wrong command line');
is((run('--help'))[0], 0, '--help');
is((run('fly'))[0], 64, 'a verb that is none');
for my $verb (qw(check-config explain spf test)) {
	my ($status, $out) = run($verb, '--help');
	is $status, 0, "$verb --help";
	like $out, qr/^usage: gatehouse $verb/, 'says how it is used';
	is((run($verb, '--no-such-option'))[0], 64, "$verb: an option unknown");
}

# --- spf ---

my $r = json('spf', '--ip', '192.0.2.1', '--helo', 'h.example.org',
    '--mail-from', 'a@example.org', @resolver, '--json');
is $$r{result}, 'pass', 'pass';
is $$r{mechanism}, 'ip4:192.0.2.1', 'by this mechanism';
is $$r{lookups}, 0, 'no lookups';
$r = json('spf', '--ip', '192.0.2.9', '--helo', 'h', '--mail-from',
    '<a@example.org>', @resolver, '--json');
is $$r{result}, 'pass', 'pass by include';
is $$r{lookups}, 3, 'three lookups';
is $$r{void_lookups}, 1, 'one of them void';
$r = json('spf', '--ip', '198.51.100.7', '--helo', 'h', '--mail-from',
    'a@example.org', @resolver, '--json');
is $$r{result}, 'fail', 'fail';
is $$r{explanation}, '198.51.100.7 is none of example.org', 'explanation';
for my $engine (qw(own libspf2)) {
	$r = json('spf', '--ip', '192.0.2.1', '--helo', 'h', '--mail-from',
	    'a@example.org', @resolver, '--json', '--engine', $engine);
	is $$r{result}, 'pass', "engine $engine";
}
my $began = time;
$r = json('spf', '--ip', '192.0.2.1', '--helo', 'h', '--mail-from',
    'a@silent.example.org', @resolver, '--timeout', 200, '--json');
is $$r{result}, 'temperror', 'silence is temperror';
cmp_ok time - $began, '<', 15, 'and not waited for';
is((run('spf', '--ip', '192.0.2.1', '--mail-from', 'a@example.org', @resolver,
    '--expect', 'pass'))[0], 0, 'as expected');
is((run('spf', '--ip', '192.0.2.3', '--mail-from', 'a@example.org', @resolver,
    '--expect', 'pass'))[0], 1, 'not as expected');
is((run('spf', '--ip', '192.0.2'))[0], 64, 'no address');
is((run('spf'))[0], 64, 'nothing to evaluate');

# --- test ---

my $conf = "$dir/conf";
mkdir $conf;
put('conf/gatehouse.conf', qq{authserv_id = "mx.example.net";\n});
put('conf/auth-check.conf', qq{spf_fail = "reject";\n});
my @test = ('test', '--config', $conf, @resolver, '--helo', 'h',
    '--mail-from', 'a@example.org', '--rcpt', 'b@example.net', '--json');
my $body = "line\nAuthentication-Results: in the body\n\xe9\n";
my $lf = "Received: x\nAuthentication-Results: MX.Example.NET;\n\tspf=pass\n" .
    "From: a\@example.org\nSubject: a\n\tb\nX:y\n\n$body";
my $crlf = $lf =~ s/\n/\r\n/gr;
my $message = put('lf.eml', $lf);

$r = json(@test, '--client-ip', '192.0.2.1', '--output', "$dir/o", $message);
is $$r{verdict}, 'accept', 'accepted';
is $$r{direction}, 'in', 'inbound';
my $m = $$r{milters}[0];
is $$m{milter}, 'auth-check', 'by this milter';
is $$m{rule}, 'spf-pass', 'and this rule';
like $$m{reason}, qr/192\.0\.2\.1 is allowed/, 'reason';
ok defined $$m{ms} && $$m{coverage}, 'milliseconds and coverage';
is join(' ', sort map { $$_{change} } @{$$m{headers}}), 'delete insert',
    'one field comes, a forged one goes';
my $o = get("$dir/o");
like $o, qr/^Authentication-Results: mx\.example\.net;\r\n\tspf=pass /,
    'ours on top';
is $o =~ s/^Authentication-Results: .*?\r\n(?![ \t])//sr,
    $crlf =~ s/^Authentication-Results: .*?\r\n(?![ \t])//msr,
    'all the rest byte for byte, with CRLF';

put('in', $crlf);
json(@test, '--client-ip', '192.0.2.1', '--output', "$dir/o2", '-');
is get("$dir/o2"), $o, 'standard input, CRLF: the same';
unlink "$dir/in";

$r = json(@test, '--client-ip', '192.0.2.77', '--output', "$dir/o3", $message);
is $$r{verdict}, 'reject', 'rejected';
is $$r{reply}{code}, '550', 'code';
is $$r{reply}{enhanced}, '5.7.23', 'enhanced code';
like $$r{reply}{text}, qr/example\.org.*192\.0\.2\.77 is none of example\.org/,
    'a text with domain and reason';
is get("$dir/o3"), $crlf, 'a message that is refused is not edited';
$r = json(@test, '--client-ip', '192.0.2.77', '--direction', 'out', $message);
is $$r{verdict}, 'accept', 'outbound mail is not checked';
is $$r{direction}, 'out', 'and called so';
$r = json(@test, '--client-ip', '127.0.0.1', $message);
is $$r{direction}, 'out', 'our own networks are outbound';
is((run(@test, '--client-ip', '192.0.2.77', '--expect', 'reject',
    $message))[0], 0, 'as expected');
is((run(@test, '--client-ip', '192.0.2.1', '--expect', 'reject',
    $message))[0], 1, 'not as expected');

for my $now ('1795317600', '2026-11-22T03:20:00Z') {
	$r = json('test', '--config', $conf, @resolver, '--client-ip',
	    '192.0.2.77', '--mail-from', 'a@clock.example.org', '--json',
	    '--now', $now, $message);
	like $$r{reply}{text}, qr/it is 1795317600/, "the clock stands at $now";
}
my ($status, $out) = run(grep({ $_ ne '--json' } @test), '--client-ip',
    '192.0.2.77', $message);
like $out, qr/^auth-check: reject \(spf-fail\)/, 'in words too';
is((run(@test, "$dir/none.eml"))[0], 66, 'a message that is not there');
is((run(@test, '--milter', 'none', $message))[0], 64, 'no such milter');
is((run(@test, '--now', 'soon', $message))[0], 64, 'no such time');
is((run('test', "$dir/a", "$dir/b"))[0], 64, 'two messages');
$r = json('test', '--milter', 'auth-check', '--config', $conf, @resolver,
    '--json', put('empty.eml', ''));
is $$r{verdict}, 'accept', 'an empty message';
# Recipients whose scopes differ.
put('conf/auth-check.conf', qq{spf_fail = "reject";\n} .
    qq{scope = ( { domain = "soft.test"; spf_fail = "tag"; } );\n});
my @both = (@test, '--rcpt', 'c@soft.test', '--client-ip', '192.0.2.77');
$r = json(@both, $message);
is $$r{verdict}, 'quarantine', 'refused for one alone: all of it is held';
is join(' ', map { "$$_{address} $$_{verdict} $$_{rule}" }
    @{ $$r{milters}[0]{recipients} }), 'b@example.net reject spf-fail ' .
    'c@soft.test accept spf-fail', 'and the verdict of each is told';
like +(run(grep({ $_ ne '--json' } @both), $message))[1],
    qr/<c\@soft\.test> accept \(spf-fail\)/, 'in words too';
$r = json(@test, '--rcpt', 'c@EXAMPLE.net', '--client-ip', '192.0.2.77',
    $message);
is $$r{verdict}, 'reject', 'for all alike: refused';
is_deeply $$r{milters}[0]{recipients}, [], 'with one verdict';
put('conf/auth-check.conf', qq{\nspf_fial = "reject";\n});
($status, $out, my $err) = run(@test, $message);
is $status, 78, 'wrong configuration';
like $err, qr/auth-check\.conf:2: .*spf_fial.*spf_fail/,
    'file, line, and what was meant';

# --- check-config ---

($status, $out) = run('check-config', '--config', $conf);
is $status, 78, 'check-config finds it too';
like $out, qr/auth-check\.conf:2: .*spf_fial/, 'and says where';
$r = JSON::PP->new->decode((run('check-config', '--config', $conf,
    '--json'))[1]);
ok !$$r[0]{ok} && $$r[0]{error}, 'in JSON';
# Scopes are checked as the rest is: what stands in them, and what goes together.
for (
	[ "scope = (\n  { domain = \"a.test\";\n    dmarc_polcy = \"soften\"; }" .
	    "\n);\n", qr/auth-check\.conf:3: .*dmarc_polcy.*dmarc_policy/ ],
	[ "scope = (\n  { domain = \"a.test\"; },\n  { domain = \"b.test\";\n" .
	    "    dmarc_overrides = [ \"c.test\" ]; }\n);\n",
	    qr/auth-check\.conf:3: dmarc_overrides: "c\.test"; it wants / ],
	[ "scope = ( { domain = \"a.test\"; spf = \"off\"; } );\n",
	    qr/auth-check\.conf:1: spf is the same for all/ ],
	[ "scope = ( { user = \"a.test\"; } );\n",
	    qr/auth-check\.conf:1: .*no address/ ],
) {
	my ($text, $said) = @$_;

	put('conf/auth-check.conf', $text);
	($status, $out) = run('check-config', '--config', $conf);
	is $status, 78, 'a wrong scope';
	like $out, $said, 'is found, with its line';
}
put('conf/auth-check.conf', "scope = ( { domain = \"a.test\"; " .
    "dmarc_policy = \"ignore\"; } );\n");
is((run('check-config', '--config', $conf))[0], 0, 'a right one');
put('conf/auth-check.conf', '');
is((run('check-config', '--config', $conf))[0], 0, 'mended');
chmod 0666, "$conf/auth-check.conf";
is((run('check-config', '--config', $conf))[0], 78,
    'not when anybody may write it');
is((run('check-config', '--config', "$dir/none"))[0], 66, 'no such folder');

# --- explain ---

mkdir "$dir/state";
mkdir "$dir/state/$_" for qw(auth-check probe);
sub event {
	my ($milter, $time, %more) = @_;
	return encode_json({ '@timestamp' => $time, 'event.module' => $milter,
	    'gatehouse.verdict' => 'accept', 'gatehouse.rule' => 'r',
	    'gatehouse.queue_id' => '4Zx1Qk2hJ9z', %more }) . "\n";
}
put('state/probe/journal.json',
    event('probe', '2026-11-22T03:00:02.000Z') . '{"torn');
put('state/auth-check/journal.json.1', event('auth-check',
    '2026-11-22T03:00:01.000Z', 'email.message_id' => '<a"b@c>',
    'gatehouse.reason' => "odd \e[31m\x{1}text"));
put('state/auth-check/journal.json',
    event('auth-check', '2026-11-22T03:00:01.500Z',
    'gatehouse.queue_id' => 'other'));
my @explain = ('explain', '--state', "$dir/state");
$r = json(@explain, '--json', '4Zx1Qk2hJ9z');
is join(' ', map { $$_{'event.module'} } @$r), 'auth-check probe',
    'what both said, in order of time, rotated files too';
($status, $out) = run(@explain, '4Zx1Qk2hJ9z');
like $out, qr/auth-check: accept \(r\)\n.*reason +odd/, 'in words';
unlike $out, qr/[\x00-\x09\x0b-\x1f]/, 'without control characters';
is((run(@explain, 'nobody'))[0], 1, 'nobody knows it');

done_testing;
