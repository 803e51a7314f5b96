#!/usr/bin/perl
# R165, R166: gatehouse tenant, with a real DNS server: what he is to publish,
# whether he did, notice, and that add and remove leave no trace.
use strict;
use warnings;

use FindBin;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP ();
use lib "$FindBin::Bin/lib";
use Test::More;

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Directory;
use Gatehouse::DNS;

my $dir = tempdir('gatehouse-tenant-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;
make_path("$dir/conf/tenants.d");
my $d = Gatehouse::Directory->new(dir => $dir, options => { maps => 'false',
    shrink_percent => 0 });
my $dns = Gatehouse::DNS->start(zone => '');
my %house = (tenants => "$dir/conf/tenants.d", resolver => $dns->resolver,
    networks => [ '127.0.0.0/8' ], resolver_timeout => '500ms');
my ($status, $out, $err);

sub tenant { ($status, $out, $err) = $d->run('tenant', @_); return $status }
sub slurp { Gatehouse::Directory::get($_[0]) }

# All files below the configuration, and what is in them.
sub files {
	my %is;

	for (grep { !m{/directory\.} } split /\n/, `find $dir/conf -type f`) {
		$is{$_} = slurp($_);
	}
	return \%is;
}

is tenant('list'), 78, 'no folder';
like $err, qr/add this line to it: tenants = /, 'says what to write';
$d->house(%house);
is tenant('list'), 0, 'an empty folder';
is $out, '', 'has nobody';
$d->_conf('tenants.conf', mx => [ 'mx1.gatehouse.test', 'mx2.gatehouse.test' ],
    spf_include => 'spf.gatehouse.test', outbound => [ '192.0.2.25',
    '2001:db8::25' ], dkim_directory => "$dir/conf/dkim");

# --- add -----------------------------------------------------------------------
my $before = files();
my @acme = ('add', 'acme', '--domain', 'acme.test', '--domain', "b\xc3\xbccher.test",
    '--relay-host', '[mail.acme.test]:25', '--relay-host', '192.0.2.80',
    '--network', '198.51.100.0/24', '--contact', 'Ann "A" <ann@acme.test>',
    '--selector', 'gh1');
is tenant(@acme), 0, 'add' or diag $err;
my $key = "$dir/conf/dkim/acme.gh1.pem";
is sprintf('%o', (stat $key)[2] & 07777), '600', 'a key for nobody else';
like `openssl pkey -in $key -noout -text 2>/dev/null`, qr/2048 bit/,
    'RSA of 2048 bits';
is slurp("$dir/conf/tenants.d/acme.conf"), <<"END", 'the file';
# Tenant acme; gatehouse tenant remove takes it away.
domains = [ "acme.test", "b\xc3\xbccher.test" ];
relay_hosts = [ "[mail.acme.test]:25", "192.0.2.80" ];
networks = [ "198.51.100.0/24" ];
contact = "Ann \\"A\\" <ann\@acme.test>";
dkim_selector = "gh1";
dkim_key = "$key";
END
like $out, qr/^    acme\.test\. IN MX 10 mx1\.gatehouse\.test\.\n    acme\.test\. IN MX 10 mx2\.gatehouse\.test\.$/m, 'MX to publish';
like $out, qr/^    acme\.test\. IN TXT "v=spf1 include:spf\.gatehouse\.test -all"$/m,
    'SPF to publish';
my ($record) = $out =~ /^    gh1\._domainkey\.acme\.test\. IN TXT (\( .* \))$/m;
like $record, qr/^\( "v=DKIM1; k=rsa; p=MII[^"]+" "[^"]+" \)$/,
    'DKIM to publish, in strings of 255 bytes';
like $out, qr/^    gh1\._domainkey\.xn--bcher-kva\.test\. /m, 'for each domain';
like $out, qr/^    _dmarc\.acme\.test\. IN TXT "v=DMARC1; p=none;/m, 'DMARC';

my $with = files();
for ([ 'the same name', qr/acme\.conf is there already/, @acme ],
    [ 'the same domain', qr/acme\.test is a domain of \S+acme\.conf already/,
    'add', 'other', '--domain', 'acme.test' ],
    [ 'a domain of ours', qr/is a domain of gatehouse\.conf already/, 'add',
    'other', '--domain', 'gatehouse.test' ],
    [ 'no domain', qr/--domain is wanted/, 'add', 'other' ],
    [ 'a wrong domain', qr/tenant add:2: .*domains/, 'add', 'other', '--domain', 'a b' ],
    [ 'a wrong host', qr/relay_hosts has "\[x"/, 'add', 'other', '--domain',
    'o.test', '--relay-host', '[x' ],
    [ 'a wrong network', qr/tenant add:3: .*networks/, 'add', 'other', '--domain',
    'o.test', '--network', '192.0.2.1/33' ],
    [ 'a quote', qr/a quote or a backslash/, 'add', 'other', '--domain', 'o"; x = "y' ],
    [ 'a wrong name', qr/a name is 1 to 60/, 'add', '../x', '--domain', 'o.test' ],
    [ 'a wrong selector', qr/a selector is letters/, 'add', 'other',
    '--domain', 'o.test', '--selector', 'a/b' ],
    [ 'nobody', qr/there is no tenant other/, 'remove', 'other' ]) {
	my ($what, $want, @args) = @$_;

	is tenant(@args), 64, "$what: refused";
	like $err, $want, "$what: and says why";
	is_deeply files(), $with, "$what: nothing is changed";
}

# --- what the house makes of it ---------------------------------------------------
my $text = "address,aliases,profile,transport\nann\@acme.test,,vip,\n" .
    "b\@b\xc3\xbccher.test,,,\nus\@gatehouse.test,,,\n";
$d->source('hr', text => $text);
is(($d->sync)[0], 0, 'a sync knows his domains');
is $d->file, <<'END', 'whose they are, and where they go';
gatehouse-directory 1
D acme.test	client=acme	transport=relay:[mail.acme.test]:25,192.0.2.80
D gatehouse.test
D xn--bcher-kva.test	client=acme	transport=relay:[mail.acme.test]:25,192.0.2.80
P vip	client=acme
U ann@acme.test	profile=vip
U b@xn--bcher-kva.test
U us@gatehouse.test
++++ 7
END
my ($conf) = ($d->run('postfix-config', '--print', '--postfix-version', '3.7.11'))[1];
like $conf, qr/^relay_domains = .*acme\.test.*xn--bcher-kva\.test/m,
    'postfix-config knows them';
like $conf, qr/^acme\.test relay:\[mail\.acme\.test\]:25,192\.0\.2\.80\n/m,
    'and where their mail goes';
like $conf, qr{^transport_maps = texthash:\S+/gatehouse/tenants$}m, 'by a map';
is tenant('list'), 0, 'list';
is $out, "acme: acme.test xn--bcher-kva.test\n", 'has him';
is tenant('list', '--json'), 0, 'in JSON';
is_deeply +(JSON::PP->new->utf8->decode($out))->[0]{networks}, [ '198.51.100.0/24' ],
    'with all that is known';

# --- check -----------------------------------------------------------------------
sub check {
	is tenant('check', 'acme', '--json'), $_[0], $_[1] or diag $err;
	return { map { ("$_->{about} $_->{domain}" => $_) }
	    @{ JSON::PP->new->utf8->decode($out) } };
}

my $r = check(1, 'nothing is published');
is scalar(keys %$r), 8, 'four things for each domain';
is_deeply [ map { $_->{state} } values %$r ], [ ('wrong') x 8 ], 'all missing';
is tenant('check'), 1, 'for people';
like $out, qr/^acme\.test: mx: wrong: there is no MX record\n    acme\.test\. IN MX/m,
    'with what to publish';

sub zone {
	my ($domain, %o) = @_;
	my %is = (mx => "10 mx1.gatehouse.test", spf => '"v=spf1 mx ' .
	    '+include:spf.gatehouse.test -all"', dkim => $record =~ s/^\( | \)$//gr,
	    dmarc => '"v=DMARC1; p=reject"', %o);

	return join '', "$domain\tMX\t$is{mx}\n", "$domain\tTXT\t$is{spf}\n",
	    "gh1._domainkey.$domain\tTXT\t$is{dkim}\n",
	    "_dmarc.$domain\tTXT\t$is{dmarc}\n";
}
my $house = "spf.gatehouse.test\tTXT\t\"v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all\"\n" .
    "mx1.gatehouse.test\tA\t192.0.2.1\n";
my $b = zone('xn--bcher-kva.test');

$dns->zone($house . $b . zone('acme.test'));
$r = check(0, 'all is published');
is_deeply [ map { $_->{state} } values %$r ], [ ('right') x 8 ], 'all right';
(my $other = $record) =~ s/MII(.{20})./MII$1x/;
for ([ 'mx', 'a foreign MX', qr/mail\.acme\.test \(not ours: mail to it passes no filter\)/,
    mx => "10 mx2.gatehouse.test\nacme.test\tMX\t20 mail.acme.test" ],
    [ 'spf', 'no include', qr/does not include spf\.gatehouse\.test/,
    spf => '"v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all"' ],
    [ 'spf', 'an include that comes too late', qr/fail for 192\.0\.2\.25/,
    spf => '"v=spf1 -ip4:192.0.2.0/24 include:spf.gatehouse.test -all"' ],
    [ 'spf', 'a broken record', qr/permerror for/,
    spf => '"v=spf1 include:spf.gatehouse.test:x include:spf.gatehouse.test -all"' ],
    [ 'spf', 'two records', qr/there are 2 SPF records/,
    spf => '"v=spf1 include:spf.gatehouse.test -all"' . "\nacme.test\tTXT\t\"v=spf1 -all\"" ],
    [ 'dkim', 'another key', qr/gh1\._domainkey\.acme\.test: /,
    dkim => $other =~ s/^\( | \)$//gr ],
    [ 'dkim', 'a revoked key', qr/gh1\._domainkey\.acme\.test: /,
    dkim => '"v=DKIM1; p="' ],
    [ 'dkim', 'half a key', qr/gh1\._domainkey\.acme\.test: /,
    dkim => ($record =~ /("[^"]+")/)[0] ],
    [ 'dmarc', 'no policy', qr/has no policy that counts/, dmarc => '"v=DMARC1; x=y"' ],
    [ 'dmarc', 'no DMARC', qr/there is no DMARC record/, dmarc => '"p=reject"' ]) {
	my ($about, $what, $want, %zone) = @$_;

	$dns->zone($house . $b . zone('acme.test', %zone));
	$r = check(1, $what);
	is_deeply [ sort grep { $r->{$_}{state} ne 'right' } keys %$r ],
	    [ "$about acme.test" ], "$what: that alone";
	like $r->{"$about acme.test"}{found}, $want, "$what: found";
	ok $r->{"$about acme.test"}{publish}, "$what: and what to publish";
}
$dns->zone("*\t*\tSERVFAIL\nacme.test\t*\tSILENT\n" .
    join '', map { "$_\t*\tSERVFAIL\n" } 'xn--bcher-kva.test',
    map { ("_dmarc.$_", "gh1._domainkey.$_") } 'acme.test', 'xn--bcher-kva.test');
$r = check(75, 'DNS is down');
is_deeply [ map { $_->{state} } values %$r ], [ ('unknown') x 8 ],
    'which is neither right nor wrong';

# --- Ed25519 ----------------------------------------------------------------------
is tenant('add', 'small', '--domain', 'small.test', '--selector', 'e1', '--key',
    'ed25519'), 0, 'another tenant, with Ed25519' or diag $err;
my ($ed) = $out =~ /^    e1\._domainkey\.small\.test\. IN TXT \( ("v=DKIM1; k=ed25519; p=[^"]{44}") \)$/m;
ok $ed, 'its record is short';
$dns->zone($house . "e1._domainkey.small.test\tTXT\t$ed\n");
is tenant('check', 'small', '--json'), 1, 'check';
is_deeply [ map { "$_->{about} $_->{state}" } @{ JSON::PP->new->utf8->decode($out) } ],
    [ 'mx wrong', 'spf wrong', 'dkim right', 'dmarc wrong' ], 'the key is right';
is sprintf('%o', (stat "$dir/conf/dkim")[2] & 07777), '700', 'the folder is made';
rename "$dir/conf/dkim/small.e1.pem", "$dir/conf/dkim/away";
is tenant('check', 'small'), 1, 'without the key';
like $out, qr/dkim: unknown: \S+: No such file/, 'nobody knows';
rename "$dir/conf/dkim/away", "$dir/conf/dkim/small.e1.pem";
chmod 0644, "$dir/conf/dkim/small.e1.pem";
tenant('check', 'small');
like $out, qr/dkim: wrong: \S+: others may read it; chmod 0600/, 'a key for all to read';
is tenant('remove', 'small', '--now'), 0, 'and goes';
is_deeply files(), $with, 'without a trace';
is tenant('add', 'plain', '--domain', 'plain.test', '--no-key'), 0, 'one without key';
unlike $out, qr/_domainkey/, 'has none to publish';
is tenant('remove', 'plain', '--now'), 0, 'and goes';

# --- remove -----------------------------------------------------------------------
my $there = files();
is tenant('remove', 'acme'), 0, 'notice';
like $out, qr/^acme leaves on \d{4}-\d\d-\d\d; tell Ann/, 'is given';
like slurp("$dir/conf/tenants.d/acme.conf"), qr/^leaving = "\d{4}-\d\d-\d\d";$/m, 'and noted';
is tenant('remove', 'acme'), 1, 'before that day';
like $err, qr/until then only --now removes it/, 'nothing happens';
is tenant('list'), 0, 'list';
like $out, qr/^acme: .*\(leaves on /, 'shows it';
is tenant('remove', 'acme', '--cancel'), 0, 'cancelled';
is_deeply files(), $there, 'byte for byte as before';
is tenant('remove', 'acme', '--now'), 1, 'at once, with users';
like $err, qr/the directory has 2 addresses of acme; .*--with-users/, 'refused';
is_deeply files(), $there, 'nothing is changed';

# The day has come.
tenant('remove', 'acme');
my $file = "$dir/conf/tenants.d/acme.conf";
Gatehouse::Directory::put($file, slurp($file) =~ s/^leaving = .*/leaving = "2020-02-29";/mr);
is tenant('remove', 'acme'), 1, 'its day has come, with users';
$d->text('hr', "address\nus\@gatehouse.test\n");
is(($d->sync)[0], 78, 'all his users at once');
is(($d->sync('--force-shrink'))[0], 0, 'go first');
like $d->file, qr/^D acme\.test\t/m, 'his domain is still ours';
is tenant('remove', 'acme'), 0, 'then he' or diag $err;
is_deeply files(), $before, 'add, then remove: all files as before';

# --- what an administrator writes --------------------------------------------------
for ([ 'a day that is none', qr/a\.conf: leaving is "2027-02-30"/,
    'a', 'domains = ["a.test"]; leaving = "2027-02-30";' ],
    [ 'no domains', qr/a\.conf: it has no domains/, 'a', 'contact = "x";' ],
    [ 'an unknown option', qr/a\.conf:1: .*domain.*domains/, 'a', 'domain = ["a.test"];' ],
    [ 'a name that is none', qr/A b\.conf: a tenant's name/, 'A b', 'domains = ["a.test"];' ],
    [ 'a domain twice', qr/b\.conf: x\.test is a domain of \S+a\.conf already/,
    'a', 'domains = ["x.test"];', 'b', 'domains = ["x.test"];' ],
    [ 'a domain of the house', qr/a\.conf: gatehouse\.test stands in domains of gatehouse\.conf too/,
    'a', 'domains = ["gatehouse.test"];' ]) {
	my ($what, $want, %file) = @$_;

	Gatehouse::Directory::put("$dir/conf/tenants.d/$_.conf", "$file{$_}\n") for keys %file;
	is tenant('list'), 78, "$what: refused";
	like $err, $want, "$what: and says where";
	unlink map { "$dir/conf/tenants.d/$_.conf" } keys %file;
}
$d->house(%house, tenants => "$dir/nowhere");
is tenant('list'), 78, 'no such folder';
done_testing;
