#!/usr/bin/perl
# gatehouse directory: an LDAP server as a source, a real one: pages, TLS,
# binding, limits, silence, and answers that are only a part.
use strict;
use warnings;

use FindBin;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use lib "$FindBin::Bin/lib";
use Test::More;

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Directory;
use Gatehouse::Slapd;

plan skip_all => Gatehouse::Slapd->missing if Gatehouse::Slapd->missing;

my $dir = tempdir('gatehouse-ldap-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;

sub person {
	my ($n, %more) = @_;

	return join '', map { "$_\n" } "dn: uid=$n,dc=test",
	    'objectClass: inetOrgPerson', "uid: $n", "cn: Person $n",
	    "sn: $n", (map { my $k = $_; map { "$k: $_" } ref $more{$k} ?
	    @{ $more{$k} } : $more{$k} } sort keys %more), '';
}

my $ldif = join '', (map { person("u$_", mail => "u$_\@a.test") } 1 .. 530),
    person('boss', mail => 'Boss@a.test', employeeType => 'chiefs',
    telephoneNumber => '+1 2', description => "a, b",
    labeledURI => [ 'SMTP:Boss@a.test', 'smtp:chief@a.test', 'X500:/o=x',
    'smtp:old@alien.test' ]),
    person('nomail'), "dn: ou=else,dc=test\nobjectClass: referral\n" .
    "objectClass: extensibleObject\nou: else\n" .
    "ref: ldap://127.0.0.1:1/dc=test\n\n";
my $ldap = Gatehouse::Slapd->start(dir => "$dir/ldap", ldif => $ldif,
    conf => "sizelimit size.prtotal=unlimited\n");
my $d = Gatehouse::Directory->new(dir => $dir, domains => [ 'a.test' ],
    options => { maps => 'false' });
my %conf = (kind => 'ldap', uri => $ldap->uri, ca_file => $ldap->ca,
    base => 'dc=test', bind_dn => 'cn=sync,dc=test', page => 100,
    password_file => $ldap->password_file, foreign => 'skip',
    timeout => '5s', fields => [ 'mail=address', 'labeledURI=proxy',
    'employeeType=profile', 'cn=attr.name', 'telephoneNumber=attr.phone' ]);

sub sync {
	my (%more) = @_;

	$d->source('ldap', %conf, %more);
	return $d->sync;
}

sub refused {
	my ($what, $status, $want, %more) = @_;
	my ($got, undef, $err) = sync(%more);

	is $got, $status, "$what: refused";
	like $err, $want, "$what: and says why";
}

for ([ 'STARTTLS' ], [ 'ldaps', uri => $ldap->ldaps ],
    [ 'ldaps, whatever tls says', uri => $ldap->ldaps, tls => 'none' ],
    [ 'in the clear, on loopback', tls => 'none' ]) {
	my ($how, %more) = @$_;
	my ($status, $out, $err) = sync(%more);

	is $status, 0, $how or diag $err;
	like $out, qr/^532 addresses: /m, "$how: all pages";
	like $out, qr/old\@alien\.test: passed over/, "$how: aliens are named";
}
like $d->file, qr/^U boss\@a\.test\tprofile=chiefs\tattr\.name=Person boss\tattr\.phone=\+1 2$/m,
    'mapped';
like $d->file, qr/^A chief\@a\.test\tboss\@a\.test$/m, 'proxy: an alias';
my $was = $d->file;

refused('another CA', 75, qr/STARTTLS: /, ca_file => '/etc/ssl/openssl.cnf');
refused('not trusted', 75, qr/(?:STARTTLS|bind): /, ca_file => '');
refused('not trusted by ldaps', 75, qr/bind: Can't contact/, ca_file => '',
    uri => $ldap->ldaps);
refused('nor so', 75, qr/bind: Can't contact/, ca_file => '',
    uri => $ldap->ldaps, tls => 'none');
refused('the wrong name', 75, qr/(?:STARTTLS|bind|set up): .*/,
    uri => $ldap->uri =~ s/127\.0\.0\.1/localhost/r);
{
	Gatehouse::Directory::put("$dir/wrong", "wrong\n");
	chmod 0600, "$dir/wrong";
	refused('a wrong password', 75, qr/bind: Invalid credentials/,
	    password_file => "$dir/wrong");
	chmod 0644, "$dir/wrong";
	refused('a password for all to read', 78, qr/others may read/,
	    password_file => "$dir/wrong");
	Gatehouse::Directory::put("$dir/empty", "\n");
	chmod 0600, "$dir/empty";
	refused('an empty password', 78, qr/its first line is empty/,
	    password_file => "$dir/empty");
}
refused('as nobody', 75, qr/search: /, bind_dn => '', password_file => '');
refused('a wrong filter', 75, qr/search: Bad search filter/, filter => '(mail=');
refused('nobody found', 78, qr/no user of ours/, filter => '(mail=x@y.test)');
refused('a wrong base', 75, qr/search: No such object/, base => 'dc=else,dc=test');
refused('too many', 78, qr/over 100 entries; narrow/, max_entries => 100);
refused('an entry without address', 78, qr/no address.*|uid=nomail/,
    filter => '(objectClass=inetOrgPerson)');
refused('nobody there', 75, qr/Can't contact LDAP server/,
    uri => 'ldap://127.0.0.1:' . Gatehouse::Postfix::free_port());
{
	my $mute = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1')
	    or die $!;

	refused('a server that says nothing', 75, qr/STARTTLS: /,
	    uri => 'ldap://127.0.0.1:' . $mute->sockport, timeout => '1s');
}
is $d->file, $was, 'nothing of all this changed anything';

# A server that gives only so many: a part of the users is not the users.
$ldap->stop;
my $few = Gatehouse::Slapd->start(dir => "$dir/few", ldif => $ldif);
refused('a part', 75, qr/search: Size limit exceeded.*limits/, uri => $few->uri,
    ca_file => $few->ca, password_file => $few->password_file);
is $d->file, $was, 'and what was there stays';
$few->stop;
done_testing;
