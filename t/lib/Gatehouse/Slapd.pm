# Slapd - a real LDAP server on loopback, with a tree of its own
#
#	plan skip_all => Gatehouse::Slapd->missing if Gatehouse::Slapd->missing;
#	my $ldap = Gatehouse::Slapd->start(dir => $dir, ldif => $ldif,
#	    conf => "sizelimit 10\n");
#	$ldap->uri, $ldap->ldaps	"ldap://127.0.0.1:2389", the one with TLS
#	$ldap->ca			who signed its certificate
#	$ldap->stop
#
# Suffix dc=test; cn=sync,dc=test with the password "secret, with a blank" may
# read all, nobody may else. The certificate is for 127.0.0.1.
package Gatehouse::Slapd;

use strict;
use warnings;

use Carp qw(croak);
use File::Path qw(make_path);
use Time::HiRes qw(sleep time);

use Gatehouse::Postfix;
use Gatehouse::Process;

my $password = 'secret, with a blank';

sub missing {
	return 'NO slapd HERE' unless -x '/usr/sbin/slapd' &&
	    -x '/usr/sbin/slapadd';
	return 'NO openssl HERE' unless -x '/usr/bin/openssl';
	return '';
}

sub _put {
	my ($path, $text) = @_;

	open my $f, '>', $path or croak "$path: $!";
	print $f $text;
	close $f or croak "$path: $!";
}

sub _certificate {
	my ($self) = @_;
	my $dir = $self->{dir};

	system("openssl req -x509 -newkey ec -pkeyopt " .
	    "ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=127.0.0.1 " .
	    "-addext subjectAltName=IP:127.0.0.1 -keyout $dir/key.pem " .
	    "-out $dir/cert.pem -batch 2>/dev/null") == 0
	    or croak 'openssl req';
}

sub start {
	my ($class, %a) = @_;
	my $self = bless { conf => '', %a }, $class;
	my $dir = $self->{dir};

	make_path("$dir/data");
	$self->_certificate;
	_put("$dir/slapd.conf", <<"END");
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb.la
pidfile $dir/pid
TLSCertificateFile $dir/cert.pem
TLSCertificateKeyFile $dir/key.pem
TLSCACertificateFile $dir/cert.pem
$self->{conf}
database mdb
suffix dc=test
directory $dir/data
maxsize 104857600
dbnosync
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=sync,dc=test" read by * none
END
	_put("$dir/tree.ldif", <<"END" . $self->{ldif});
dn: dc=test
objectClass: dcObject
objectClass: organization
dc: test
o: test

dn: cn=sync,dc=test
objectClass: person
cn: sync
sn: sync
userPassword: $password

END
	system("slapadd -q -f $dir/slapd.conf -l $dir/tree.ldif " .
	    ">$dir/slapadd.log 2>&1") == 0
	    or croak 'slapadd: ' . `cat $dir/slapadd.log`;
	_put("$dir/password", "$password\n");
	chmod 0600, "$dir/password";
	$self->{$_} = Gatehouse::Postfix::free_port() for 'port', 'tls_port';
	$self->up;
	return $self;
}

sub up {
	my ($self) = @_;
	my $end = time + 10;

	$self->{process} = Gatehouse::Process->start(name => 'slapd',
	    log => "$self->{dir}/log", argv => [ '/usr/sbin/slapd', '-d', '0',
	    '-f', "$self->{dir}/slapd.conf", '-h',
	    $self->uri . '/ ' . $self->ldaps . '/' ]);
	until (IO::Socket::INET->new(PeerAddr => '127.0.0.1',
	    PeerPort => $self->{tls_port})) {
		croak 'slapd does not start' if time > $end ||
		    !$self->{process}->running;
		sleep 0.02;
	}
}

sub uri { "ldap://127.0.0.1:$_[0]{port}" }
sub ldaps { "ldaps://127.0.0.1:$_[0]{tls_port}" }
sub ca { "$_[0]{dir}/cert.pem" }
sub password_file { "$_[0]{dir}/password" }
sub stop { $_[0]{process}->stop if $_[0]{process} && $_[0]{process}->running }

1;
