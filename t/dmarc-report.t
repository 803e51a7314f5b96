#!/usr/bin/perl
# gatehouse dmarc-report: journals written by hand become reports; who gets
# them, how large, how fast, and each of them once.
use strict;
use warnings;

use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use FindBin;
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use POSIX qw(strftime);
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);

use Gatehouse::DNS;
use Gatehouse::Postfix;
use Gatehouse::Sink;

my $src = $ENV{GATEHOUSE_SRC} // '.';
my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $gatehouse = "$build/tools/gatehouse";
my $dir = tempdir(CLEANUP => 1);
my $xmllint = grep { -x "$_/xmllint" } split /:/, $ENV{PATH};
diag 'NO xmllint: no report is held against a schema (libxml2-utils)'
    unless $xmllint;
chmod 0755, $dir;

# Reports go out about days that are over and not too old.
my $today = int(time / 86400) * 86400;
my $begin = $today - 2 * 86400;
my $day = strftime '%Y-%m-%d', gmtime $begin;

my $zone = <<'END';
_dmarc.example.com	TXT	"v=DMARC1; p=reject; rua=mailto:d@example.com"
_dmarc.example.org	TXT	"v=DMARC1; p=none"
_dmarc.agg.test	TXT	"v=DMARC1; p=none"
*._report._dmarc.agg.test	TXT	"v=DMARC1"
example.com._report._dmarc.moved.test	TXT	"v=DMARC1; rua=mailto:new@moved.test!5k"
example.com._report._dmarc.evil.test	TXT	"v=DMARC1; rua=mailto:x@victim.test"
example.com._report._dmarc.junk.test	TXT	"v=spf1 -all"
example.com._report._dmarc.beside.test	TXT	"v=spf1 -all"
example.com._report._dmarc.beside.test	TXT	"v=DMARC1; p=none"
example.com._report._dmarc.broken.test	*	SERVFAIL
END
my $dns = Gatehouse::DNS->start(zone => $zone);

sub put {
	my ($path, $bytes) = @_;
	open my $f, '>:raw', $path or die "$path: $!";
	print $f $bytes;
	close $f or die "$path: $!";
	return $path;
}

sub get {
	open my $f, '<:raw', $_[0] or return '';
	local $/;
	return scalar <$f> // '';
}

# Exit status, output, complaints.
sub run {
	my @args = ('dmarc-report', '--config', "$dir/conf", '--state',
	    "$dir/state", '--resolver', $dns->resolver, @_);
	my $pid = fork // die $!;
	if (!$pid) {
		open STDOUT, '>', "$dir/out";
		open STDERR, '>', "$dir/err";
		exec $gatehouse, @args or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	return ($? & 127 ? "signal $?" : $? >> 8, get("$dir/out"),
	    get("$dir/err"));
}

my %options;
sub conf {
	%options = (submitter => '"mx.our.test"', org_name => '"Our & Co"',
	    email => '"dmarc@our.test"', sendmail => qq{"$dir/sendmail"}, @_);
	put("$dir/conf/dmarc-report.conf", join '',
	    map { "$_ = $options{$_};\n" } sort keys %options);
}

# One line of a journal: a message at so many seconds into the day.
sub event {
	my ($at, %more) = @_;
	my %e = ('@timestamp' => strftime('%Y-%m-%dT%H:%M:%S', gmtime $begin +
	    $at) . '.123Z', 'event.action' => 'message',
	    'event.module' => 'auth-check', 'network.direction' => 'inbound',
	    'source.ip' => '192.0.2.1', 'gatehouse.helo' => 'mail.example.com',
	    'email.sender.address' => 'bounce@mail.Example.com',
	    'email.to.address' => [ 'us@our.test' ],
	    'gatehouse.from.domain' => 'example.com',
	    'gatehouse.spf.result' => 'pass',
	    'gatehouse.spf.domain' => 'mail.example.com',
	    'gatehouse.dmarc.domain' => 'example.com',
	    'gatehouse.dmarc.org' => 'example.com',
	    'gatehouse.dmarc.result' => 'pass',
	    'gatehouse.dmarc.policy' => 'reject',
	    'gatehouse.dmarc.disposition' => 'none',
	    'gatehouse.dmarc.aligned' => 'spf',
	    'gatehouse.dmarc.record.p' => 'reject',
	    'gatehouse.dmarc.record.adkim' => 's',
	    'gatehouse.dmarc.record.discovery' => 'treewalk',
	    'gatehouse.dmarc.record.rua' => 'mailto:d@example.com', %more);
	delete @e{grep { !defined $e{$_} } keys %e};
	return JSON::PP->new->canonical->utf8->encode(\%e) . "\n";
}

# Other journals, and no memory of what was sent.
sub journal {
	remove_tree("$dir/state");
	make_path("$dir/state/auth-check", "$dir/state/chain");
	put("$dir/state/auth-check/journal.json", join '', @_);
}

# The reports in a folder: name => XML.
sub reports {
	my %x;

	for my $path (glob "$dir/o/*") {
		my ($name) = $path =~ m{([^/]+)$};
		gunzip($path => \$x{$name}) or $x{$name} = 'no gzip';
	}
	return \%x;
}

sub written {
	remove_tree("$dir/o");
	mkdir "$dir/o";
	my ($status, $out, $err) = run('--day', $day, '--output', "$dir/o", @_);
	is $status, 0, 'written' or diag $out, $err;
	return reports();
}

# All contents of an element, in order.
sub all {
	my ($xml, $name) = @_;
	return join ',', $xml =~ m{<$name>(.*?)</$name>}gs;
}

sub valid {
	my ($xml, $schema, $name) = @_;
	SKIP: {
		skip 'no xmllint', 1 unless $xmllint;
		put("$dir/x.xml", $xml);
		my $said = `xmllint --noout --schema '$schema' $dir/x.xml 2>&1`;
		is $?, 0, $name or diag $said, substr $xml, 0, 2000;
	}
}
my $schema = "$src/t/dmarc-report/rfc9990.xsd";

# A sendmail that writes down how it was called, and what it was given.
sub sendmail {
	my ($then) = @_;
	put("$dir/sendmail.new", <<"END");
#!/usr/bin/perl
use Time::HiRes 'time';
my \$n = () = glob '$dir/mail/*';
local \$/;
open my \$f, '>', sprintf '$dir/mail/%03d', \$n;
print \$f join('|', \@ARGV), "\\n", join('|', map { "\$_=\$ENV{\$_}" }
    sort keys %ENV), "\\n", time, "\\n", <STDIN>;
close \$f;
$then
END
	chmod 0755, "$dir/sendmail.new";
	rename "$dir/sendmail.new", "$dir/sendmail" or die $!;
	remove_tree("$dir/mail");
	mkdir "$dir/mail";
}

sub mails {
	return map { my ($args, $env, $when, $mail) = split /\n/, get($_), 4;
	    { args => $args, env => $env, when => $when, mail => $mail } }
	    sort glob "$dir/mail/*";
}

make_path("$dir/conf", "$dir/o");
put("$dir/conf/gatehouse.conf", <<'END');
hostname = "mx.our.test";
domains = [ "our.test" ];
resolver_timeout = "500ms";
END
conf();
sendmail('exit 0;');

# --- what a report holds ---

my @signed = ('gatehouse.dkim.count' => '3',
    'gatehouse.dkim.1.result' => 'fail',
    'gatehouse.dkim.1.domain' => 'list.test',
    'gatehouse.dkim.1.selector' => 's1',
    'gatehouse.dkim.2.result' => 'pass',
    'gatehouse.dkim.2.domain' => 'other.test',
    'gatehouse.dkim.2.selector' => 's2',
    'gatehouse.dkim.3.result' => 'pass',
    'gatehouse.dkim.3.domain' => 'example.com',
    'gatehouse.dkim.3.selector' => 's3',
    'gatehouse.dmarc.aligned' => 'spf dkim');
my @failed = ('gatehouse.dmarc.result' => 'fail',
    'gatehouse.dmarc.disposition' => 'reject',
    'gatehouse.dmarc.aligned' => '', 'gatehouse.spf.result' => 'softfail',
    'source.ip' => '2001:db8::7');
journal(event(10), event(86399, 'gatehouse.dmarc.record.sp' => 'none'),
    event(3600, @signed), event(20, @failed),
    event(30, @failed, 'email.sender.address' => '<>',
    'gatehouse.spf.result' => undef),
    event(40, @failed, 'gatehouse.dmarc.disposition' => 'none',
    'gatehouse.dmarc.override' => 'mailing_list: list.example.org <b>'),
    event(50, @failed, 'gatehouse.dmarc.disposition' => 'none',
    'gatehouse.dmarc.override' => 'sampled_out'),
    event(60, @failed, 'gatehouse.dmarc.disposition' => 'none',
    'gatehouse.dmarc.result' => 'temperror'),
    event(-1), event(86400),		# of other days
    event(70, 'network.direction' => 'outbound'),
    event(71, 'gatehouse.dmarc.record.rua' => undef),
    event(71, 'gatehouse.pass' => 2),	# counted when it first came
    event(72, 'gatehouse.dmarc.domain' => 'our.test'),
    event(73, 'gatehouse.dmarc.domain' => 'sub.our.test'),
    event(74, 'email.to.address' => [ 'DMARC@our.test' ]),
    event(75, 'gatehouse.from.domain' => 'news.example.com',
    'email.to.address' => [ 'dmarc@our.test', 'us@our.test' ],
    'gatehouse.dmarc.record.sp' => 'none',
    'gatehouse.dmarc.policy' => undef));
my $x = written();
my ($file) = keys %$x;
is keys %$x, 1, 'one report';
like $file, qr/^mx\.our\.test!example\.com!$begin!@{[$begin + 86399]}!
    [0-9a-f]{32}\.xml\.gz$/x, 'its file has the name of RFC 9990';
my $xml = $x->{$file};
valid($xml, $schema, 'it is what RFC 9990 wants');
like $xml, qr/^<\?xml\ version="1\.0"\ encoding="UTF-8"\?>\n<feedback
    \ xmlns="urn:ietf:params:xml:ns:dmarc-2\.0">/x, 'in its namespace';
is all($xml, 'org_name'), 'Our &amp; Co', 'who reports';
is all($xml, 'email'), 'dmarc@our.test', 'and the address';
is all($xml, 'begin') . ' ' . all($xml, 'end'),
    "$begin " . ($begin + 86399), 'the day';
like $file, qr/@{[all($xml, 'report_id')]}/, 'one identifier everywhere';
my ($published) = $xml =~ m{<policy_published>(.*)</policy_published>}s;
is join(' ', map { all($published, $_) } qw(domain p sp np adkim aspf testing
    discovery_method)), 'example.com reject none none s r n treewalk',
    'the policy as it was last seen';
my @rows = $xml =~ m{<record>\n(.*?)</record>}gs;
is @rows, 8, 'eight different rows';
my ($merged) = grep { /<count>2</ } @rows;
is all($merged, 'envelope_from'), 'mail.example.com',
    'what reads the same is counted together; no letter case in domains';
is all($merged, 'disposition'), 'pass', 'passed, and would have been refused';
my ($signed) = grep { /<dkim>\n/ } @rows;
is all($signed, 'selector'), 's3,s2,s1',
    'signatures: aligned, passed, then the rest';
is join(' ', map { all($signed, $_) } qw(scope)), 'mfrom', 'SPF of MAIL FROM';
my ($news) = grep { /news\.example\.com/ } @rows;
is all($news, 'disposition'), 'none', 'nothing enforced for a subdomain';
my ($null) = grep { m{<envelope_from></envelope_from>} } @rows;
unlike $null, qr/<spf>\n/, 'null reverse-path, and no SPF: none is made up';
my ($list) = grep { /mailing_list/ } @rows;
is all($list, 'comment'), 'list.example.org &lt;b&gt;',
    'reason and comment of an override';
my ($sampled) = grep { /sampled_out/ } @rows;
is all($sampled, 'type'), 'other', 'what RFC 9990 has no word for';
my ($temp) = grep { /temperror/ } @rows;
is all($temp, 'comment'), 'temperror', 'a reason where none was given';
is all($temp, 'source_ip'), '2001:db8::7', 'IPv6';
like get("$dir/err"), qr/1 messages to our report mailboxes/,
    'mail of reports is not reported on, and said';
my $first = get("$dir/o/$file");
written();
is get("$dir/o/$file"), $first, 'the same bytes once more';

# RFC 7489.
conf(schema => '"rfc7489"');
$xml = (values %{written()})[0];
is all($xml, 'disposition') =~ /pass/ ? 1 : 0, 0, 'RFC 7489 knows no pass';
like $xml, qr{<source_ip>2001:db8:0:0:0:0:0:7<}, 'nor short IPv6';
unlike $xml, qr/xmlns/, 'nor our namespace';
SKIP: {
	my $theirs = get(($ENV{GATEHOUSE_DATA} // "$src/../shared/data") .
	    '/rfc-vectors/dmarc/rua-schema.xsd');
	skip 'NO schema of RFC 7489 in the data', 1 if $theirs eq '';
	# It was joined from two standards: its types cannot be found in the
	# namespace that it names, and version and pct of RFC 7489 are missing,
	# so is sampled_out.
	$theirs =~ s/\s+targetNamespace="[^"]*"//;
	$theirs =~ s{(<xs:element name="report_metadata")}
	    {<xs:element name="version" type="xs:decimal"/>$1};
	$theirs =~ s{(<xs:element name="aspf")}
	    {<xs:element name="pct" type="xs:integer"/>$1};
	$theirs =~ s{(<xs:enumeration value=")policy_test_mode}
	    {$1sampled_out};
	valid($xml, put("$dir/7489.xsd", $theirs), 'valid by RFC 7489');
}
conf();

# --- intervals, rotated files, several daemons ---

journal(event(7200), '{"torn');
put("$dir/state/auth-check/journal.json.1", event(0) .
    event(60, 'gatehouse.dmarc.domain' => 'example.org') .
    substr(event(100), 0, -30) . "\n" . '{"\xff' . "\n");
put("$dir/state/chain/journal.json", event(8000) .
    event(9000, 'gatehouse.dmarc.domain' => 'Example.ORG.'));
conf(interval => '"1h"');
$x = written();
is join(' ', map { /^mx\.our\.test!(.*?)!(\d+)!(\d+)!/;
    "$1 " . ($2 - $begin) . '-' . ($3 - $begin) . ':' . all($x->{$_}, 'count') }
    sort keys %$x), 'example.com 0-3599:1 example.com 7200-10799:2 ' .
    'example.org 0-3599:1 example.org 7200-10799:1',
    'a report for each domain and hour, over all files and daemons';
like get("$dir/err"), qr/3 torn lines/, 'torn lines are counted';
$x = written('--domain', 'example.org');
is scalar(grep { /example\.com/ } keys %$x), 0, '--domain';
remove_tree("$dir/o");
mkdir "$dir/o";
is((run('--from', $begin + 7000, '--to', strftime('%Y-%m-%dT%H:%M:%SZ',
    gmtime $begin + 7300), '--output', "$dir/o"))[0], 0, '--from, --to');
is join(' ', map { /!(\d+)!(\d+)!/; $1 - $begin, $2 - $begin }
    keys %{reports()}), '7000 7299', 'no longer than was asked for';
conf(skip_domains => '[ "com" ]');
$x = written();
is scalar(grep { /example\.com/ } keys %$x), 0, 'skip_domains';
conf();

# --- hostile values ---

my $hostile = "\x{1}\x{0}<x a='\"'>&amp;]]>\x{1b}[31m\x{85}\x{fffe}\x{ffff}" .
    "\x{202e}\x{10ffff}\r\n\t\x{2028}";
journal(event(1, 'gatehouse.from.domain' => $hostile,
    'gatehouse.spf.domain' => $hostile, 'gatehouse.spf.result' => $hostile,
    'email.sender.address' => "a\@$hostile", 'gatehouse.helo' => $hostile,
    'gatehouse.dkim.1.result' => 'pass', 'gatehouse.dkim.1.domain' => $hostile,
    'gatehouse.dkim.1.selector' => $hostile x 100,
    'gatehouse.dmarc.result' => $hostile, 'gatehouse.dmarc.policy' => $hostile,
    'gatehouse.dmarc.disposition' => $hostile,
    'gatehouse.dmarc.override' => $hostile,
    map { ("gatehouse.dmarc.record.$_" => $hostile) } qw(p sp np adkim aspf fo
    t psd discovery)),
    event(2, 'gatehouse.dmarc.domain' => '../../etc/passwd'),
    event(3, 'gatehouse.dmarc.domain' => "a\x{0}b.test"),
    event(4, 'gatehouse.dmarc.domain' => { a => 1 }),
    event(5, 'source.ip' => $hostile), event(6, 'source.ip' => undef),
    event(7, '@timestamp' => "${day}T99:00:00Z"),
    event(8, '@timestamp' => "${day}T00:00:08Zx"),
    event(9, 'gatehouse.dmarc.record.rua' => [ 'mailto:a@example.com' ]),
    event(10, 'email.to.address' => 'a@b'),
    '[' x 5000 . "\n", "{\"gatehouse.dmarc.record.rua\":\"\xff\xfe\"}\n",
    '{"@timestamp":"' . $day . 'T00:00:00Z","gatehouse.dmarc.record.rua":"a',
    "\n");
$x = written();
is join(' ', map { /!(.*?)!/ } keys %$x), 'example.com',
    'what has no usable domain, address or time is passed over';
$xml = (values %$x)[0];
valid($xml, $schema, 'and what is odd in the rest is harmless');
unlike $xml, qr/[\x00-\x09\x0b-\x1f\x7f]|\xef\xbf\xbe|\xef\xbf\xbf|\xc2\x85/,
    'no control character, nothing that XML forbids';
unlike $xml, qr/<x /, 'no element from outside';
ok length $xml < 10000, 'no value without end';
like get("$dir/err"), qr/\b7 events without a usable/, 'counted and said';

# --- limits ---

conf(max_rows => 10);
journal(map { event($_, 'source.ip' => "192.0.2.$_") } 1 .. 25);
$xml = (values %{written()})[0];
is scalar(() = $xml =~ /<record>/g), 10, 'max_rows';
like all($xml, 'error'), qr/^15 more messages/, 'the report says so';
like get("$dir/err"), qr/15 messages left out/, 'and so do we';
valid($xml, $schema, 'and it is valid');
conf(max_memory => '"1M"');
journal(map { event(1, 'source.ip' => join('.', 10, 1, $_ >> 8, $_ & 255)) }
    1 .. 5000);
$xml = (values %{written()})[0];
my $n = () = $xml =~ /<record>/g;
ok $n > 500 && $n < 5000, "max_memory: $n rows of 5000";
is((all($xml, 'error') =~ /^(\d+)/)[0], 5000 - $n, 'none is forgotten');
conf();

# --- who gets it ---

sub states {
	my ($status, $out, $err) = run('--day', $day, '--json', @_);
	my $list = eval { decode_json($out) } or diag $out, $err;
	return { status => $status, map { my $d = $_->{domain};
	    map { ("$d $_->{address}" => $_->{state}) }
	    @{$_->{destinations}} } @{$list // []} };
}

my %to = ('d@example.com' => 'would-send', 'd@mail.example.com' => 'would-send',
    'a@agg.test' => 'would-send', 'new@moved.test' => 'would-send',
    'a@beside.test' => 'would-send',
    'a@evil.test' => 'refused', 'a@junk.test' => 'refused',
    'a@nowhere.test' => 'refused', 'a@broken.test' => 'later',
    'https://example.com/x' => 'no-mailto', 'us@our.test' => 'own-domain',
    'small@example.com' => 'too-large', '-oQ@example.com' => 'would-send');
journal(event(1, 'gatehouse.dmarc.record.rua' => join ',',
    (map { "mailto:$_" } 'd@example.com', 'd@example.com',
    'd@mail.example.com', 'a@agg.test!10m', 'old@moved.test', 'a@evil.test',
    'a@beside.test',
    'a@junk.test', 'a@nowhere.test', 'a@broken.test', 'us@our.test',
    'small@example.com!1', '-oQ@example.com', 'a|b c@example.com',
    '"x y"@example.com'), 'https://example.com/x'));
conf(max_destinations => 10);
my $got = states();
is $got->{status}, 0, 'nothing was to be done';
delete $got->{status};
is_deeply $got, { map { ("example.com $_" => $to{$_}) } keys %to },
    'each destination, and what becomes of it';
conf(max_destinations => 2);
is scalar(grep { $_ eq 'too-many' } values %{states()}), 5,
    'max_destinations';
conf(own_domains => 'true');
journal(event(1, 'gatehouse.dmarc.domain' => 'our.test',
    'gatehouse.dmarc.record.rua' => 'mailto:rep@our.test'));
is states()->{'our.test rep@our.test'}, 'would-send', 'own_domains';
is scalar(mails()), 0, 'nothing was sent so far';
ok !-e "$dir/state/dmarc-report", 'nothing remembered';

# --- sending ---

conf(org_name => '""', sender => '"bounces@our.test"');
journal(event(1, 'gatehouse.dmarc.record.rua' =>
    'mailto:d@example.com mailto:-oQ@example.com,mailto:a@broken.test'));
$got = states('--send', '--dry-run');
is $got->{'example.com d@example.com'}, 'would-send', '--dry-run';
ok !-e "$dir/state/dmarc-report", 'leaves nothing behind';
$got = states('--send');
is $got->{'example.com d@example.com'}, 'sent', 'sent';
is $got->{'example.com a@broken.test'}, 'later', 'DNS did not say';
is $got->{status}, 75, 'so another try is worth it';
my ($m, $second, @more) = mails();
is @more, 0, 'two mails';
is $m->{args}, '-i|-f|bounces@our.test|--|d@example.com', 'as Postfix wants it';
is $second->{args}, '-i|-f|bounces@our.test|--|-oQ@example.com',
    'an address is no option';
is $m->{env}, 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'nothing of our environment';
my ($head, $body) = split /\n\n/, $m->{mail}, 2;
unlike $m->{mail}, qr/\r/, 'lines end as sendmail wants them';
my %h = map { /^(.*?): (.*)/s } split /\n(?! )/, $head;
is $h{From}, '<dmarc@our.test>', 'From';
is $h{To}, '<d@example.com>', 'To';
is $h{'Auto-Submitted'}, 'auto-generated', 'Auto-Submitted';
like $h{Date}, qr/^\w{3}, \d+ \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/, 'Date';
like $h{Subject}, qr/^Report\ Domain:\ example\.com\s+Submitter:\ mx\.our\.test
    \s+Report-ID:\ <[0-9a-f]{32}>$/x, 'Subject';
like $h{'Content-Type'}, qr{^application/gzip;\s+name="mx\.our\.test!example
    \.com![0-9!a-f]+\.xml\.gz"$}x, 'Content-Type';
is $h{'Content-Transfer-Encoding'}, 'base64', 'base64';
gunzip(\decode_base64($body) => \$xml);
valid($xml, $schema, 'and the report is in it');
is all($xml, 'org_name'), 'mx.our.test', 'no org_name: the submitter';
isnt $second->{mail} =~ /^Message-ID: (.*)/m ? $1 : '', $h{'Message-ID'},
    'another address, another Message-ID';

$got = states('--send');
is $got->{'example.com d@example.com'}, 'already-sent', 'once and not twice';
is scalar(mails()), 2, 'really';
$dns->zone($zone =~ s/(broken\.test\t)\*\tSERVFAIL/$1TXT\t"v=DMARC1"/r);
$got = states('--send');
is $got->{'example.com a@broken.test'}, 'sent', 'what had to wait goes now';
is $got->{status}, 0, 'all is done';
is scalar(mails()), 3, 'and only that';
$dns->zone($zone);

# Refused by sendmail: not sent, and tried again.
sendmail('exit 75;');
journal(map { event(1, 'gatehouse.dmarc.domain' => "d$_.example.com",
    'gatehouse.dmarc.record.rua' => "mailto:d\@d$_.example.com") } 1 .. 5);
conf(rate => 6000);
$got = states('--send');
is $got->{'d1.example.com d@d1.example.com'}, 'failed', 'sendmail says no';
is $got->{status}, 75, 'another try is worth it';
is scalar(mails()), 3, 'three in a row are enough';
sendmail('exit 0;');
$got = states('--send');
is scalar(grep { $_ eq 'sent' } values %$got), 5, 'all of them go later';

# Killed between the mark and the mail: lost, and never twice.
sendmail('kill 9, getppid; exit 0;');
journal(event(1));
is((run('--day', $day, '--send'))[0], 'signal 9', 'killed while it sends');
sendmail('exit 0;');
is states('--send')->{'example.com d@example.com'}, 'already-sent',
    'it counts as sent';
is scalar(mails()), 0, 'so it is not sent twice';

# A line that a crash cut off is none.
journal(event(1));
make_path("$dir/state/dmarc-report");
my $old = $today - 100 * 86400;
my $key = "example.com $begin " . ($begin + 86400) . ' d@example.com';
put("$dir/state/dmarc-report/sent", "+gone.test 1 $old a\@gone.test\n" .
    "junk\n+$key\n-$key\n+$key");
is states('--send')->{'example.com d@example.com'}, 'sent', 'a torn mark';
is get("$dir/state/dmarc-report/sent"), "+$key\n",
    'what is too old is forgotten';

# Two at once.
use Fcntl qw(:flock);
open my $lock, '>', "$dir/state/dmarc-report/lock" or die $!;
flock $lock, LOCK_EX;
is((run('--day', $day, '--send'))[0], 75, 'another run is at it');
is((run('--day', $day))[0], 0, 'looking is allowed');
close $lock;

# No more than so many a minute.
sendmail('exit 0;');
journal(map { event(1, 'gatehouse.dmarc.domain' => "d$_.example.com",
    'gatehouse.dmarc.record.rua' => "mailto:d\@d$_.example.com") } 1 .. 4);
run('--day', $day, '--send', '--rate', 120);
my @when = map { $_->{when} } mails();
is @when, 4, 'four mails';
cmp_ok $when[3] - $when[0], '>=', 1, 'not all at once';

# What cannot be.
is((run('--day', strftime('%Y-%m-%d', gmtime $today), '--send'))[0], 64,
    'a day that is not over is not sent');
is((run('--day', strftime('%Y-%m-%d', gmtime $today - 99 * 86400),
    '--send'))[0], 64, 'nor one that nobody remembers');
conf(email => '""');
is((run('--day', $day, '--send'))[0], 78, 'no email, nothing is sent');
is((run('--day', $day))[0], 0, 'but told');
conf(email => '"a b@our.test"');
is((run())[0], 78, 'email is no address');
conf(interval => '"5h"');
is((run())[0], 78, 'a day is not five hours and five');
conf(sendmail => '"sendmail"');
is((run())[0], 78, 'sendmail wants a whole path');
conf();
for my $bad ([ '--day', '2026-02-30' ], [ '--day', 'today' ],
    [ '--from', 5, '--to', 5 ], [ '--from', 5 ], [ '--rate', 0 ],
    [ '--send', '--output', $dir ], [ '--domain', 'a b' ], [ 'x' ],
    [ '--day', $day, '--from', 1, '--to', 2 ]) {
	is((run(@$bad))[0], 64, "@$bad");
}
is((run('--state', "$dir/none"))[0], 66, 'no journals');
is((run('--day', $day, '--output', "$dir/none"))[0], 74, 'no such folder');
conf(sendmail => qq{"$dir/none"});
journal(event(1));
my ($status, $out) = run('--day', $day, '--send');
is $status, 75, 'no such sendmail';
like $out, qr/d\@example\.com: failed \(.*none: No such file/, 'and why';
conf();
is states('--send')->{'example.com d@example.com'}, 'sent', 'put right';
journal();
like +(run('--day', $day))[1], qr/^nothing to report$/m, 'nothing to report';
is_deeply decode_json((run('--day', $day, '--json'))[1]), [], 'in JSON';

# --- millions of lines ---

my $other = '{"@timestamp":"' . $day . 'T00:00:00.000Z","event.action":' .
    '"message","gatehouse.reason":"' . 'x' x 600 . '"}' . "\n";
journal($other x 40000, map { event($_, 'source.ip' => '192.0.2.' . $_ % 200) }
    1 .. 20000);
my $began = time;
$xml = (values %{written()})[0];
my $sum = 0;
$sum += $_ for split /,/, all($xml, 'count');
is $sum, 20000, 'a large journal';
diag sprintf '%d lines a second', 60000 / (time - $began);

# --- a real Postfix ---

SKIP: {
	my $missing = Gatehouse::Postfix->missing;
	diag "NO delivery by Postfix: $missing" if $missing;
	skip $missing, 8 if $missing;
	my $sink = Gatehouse::Sink->new;
	my $pf = Gatehouse::Postfix->new(relay => $sink->port)->start;
	put("$dir/sendmail", "#!/bin/sh\nexec /usr/sbin/sendmail -C " .
	    $pf->config . ' "$@"' . "\n");
	conf();
	journal(event(1, @signed));
	is states('--send')->{'example.com d@example.com'}, 'sent',
	    'handed to Postfix';
	my $mail = $sink->next(20);
	ok $mail, 'and delivered';
	is $mail->{mail} =~ s/ .*//r, '<>', 'null reverse-path';
	is "@{[map { s/ .*//r } @{$mail->{rcpt}}]}", '<d@example.com>', 'to it';
	my ($head, $body) = split /\r\n\r\n/, $mail->{bytes}, 2;
	like $head, qr/^From: <dmarc\@our\.test>\r$/m, 'from us';
	gunzip(\decode_base64($body) => \my $arrived);
	valid($arrived, $schema, 'the report arrived whole');
	is all($arrived, 'count'), '1', 'with its row';
	is +($pf->log->lines(qr/(warning|error|fatal|panic):/))[0], undef,
	    'quiet log';
	$pf->stop;
}

done_testing;
