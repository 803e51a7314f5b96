#!/usr/bin/perl
# gatehouse doctor on the house itself: each finding of its files, daemons,
# journals, DNS, disks and clock provoked once, and mended by what it says.
use strict;
use warnings;

use File::Copy qw(copy);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Doctor;
use Gatehouse::Fake;
use Gatehouse::Suite;

plan skip_all => 'doctor wants root' if $> != 0;

my $good = <<'END';
mx.gatehouse.test	A	192.0.2.10
mx.gatehouse.test	AAAA	2001:db8::10
10.2.0.192.in-addr.arpa	PTR	mx.gatehouse.test
0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa	PTR	mx.gatehouse.test
gatehouse.test	MX	10 mx.gatehouse.test
gatehouse.test	TXT	"v=spf1 mx -all"
_dmarc.gatehouse.test	TXT	"v=DMARC1; p=none"
END
my $s = Gatehouse::Suite->new(zone => $good);
my $key = $s->conf . '/seal.key';
my $program = $s->dir . '/gatehouse-auth-check';

sub put {
	my ($path, $text, $mode) = @_;
	open my $f, '>', $path or die "$path: $!";
	print $f $text;
	close $f;
	chmod $mode, $path if defined $mode;
}

# A program of our own, which may be replaced below it.
sub install {
	copy($s->build . '/milters/auth-check/gatehouse-auth-check',
	    "$program.new") or die "copy: $!";
	chmod 0755, "$program.new";
	rename "$program.new", $program or die "rename: $!";
}

install();
put($key, 'ab' x 32, 0640);
$s->{house}{seal_key} = $key;
$s->{house}{resolver_timeout} = '2s';
$s->milter('auth-check', -program => $program)->daemons;
my $state = $s->dir . '/state/auth-check';
my $sockets = $s->dir . '/queue/gatehouse/auth-check';
chmod 0750, $state;
chmod 02710, $sockets;

# A Postfix that is not asked for anything; without one, postconf waits 1 s.
mkdir $s->dir . '/postfix';
put($s->dir . '/postfix/main.cf', "message_size_limit = 1000\n");
put($s->dir . '/postfix/master.cf', '');
my $d = Gatehouse::Doctor->new($s, postfix_dir => $s->dir . '/postfix');
my @house = qw(config rights daemons journal dns disk);
$d->well(@house);

# --- config and rights ---
my $conf = $s->conf . '/gatehouse.conf';
my $own = $s->conf . '/auth-check.conf';
put($own, "spf_fail = \"rejekt\";\n");
my $f = $d->finds('config.wrong', 'an option is misspelt',
    says => qr{auth-check\.conf:1: });
$d->heals($f, sub { put($own, "spf_fail = \"reject\";\n") });

for (
	[ 'config-open', 'anybody may write a file',
	    sub { chmod 0666, $own } ],
	[ 'config-open', 'and the folder', sub { chmod 0777, $s->conf } ],
	[ 'config-owner', 'a file of somebody else',
	    sub { chown 12345, 0, $own } ],
	[ 'key-gone', 'the key is not there', sub { unlink $key } ],
	[ 'key-open', 'anybody may read the key', sub { chmod 0644, $key } ],
	[ 'state-open', 'anybody may read journals',
	    sub { chmod 0755, $state } ],
	[ 'socket-open', 'anybody comes to the socket',
	    sub { chmod 02711, $sockets } ],
) {
	my ($id, $what, $break) = @$_;
	$break->();
	# What cannot be trusted is not read, so part is not looked at.
	$d->heals($d->finds("rights.$id", $what, with => [
	    $id =~ /^config/ ? 'rights.unseen' : () ]));
}
is -s $key, 65, 'a key was made where there was none';

# --- daemons and journals ---
$s->kill_milter;
$d->heals($d->finds('daemons.down', 'the daemon was killed'));
install();
$d->heals($d->finds('daemons.replaced', 'its program was upgraded'));
$s->kill_milter;
my $fake = Gatehouse::Fake->new("$sockets/sock");
$f = $d->finds('daemons.version', 'something else listens there');
like $f->{type}, qr/^apt-get install --only-upgrade gatehouse-auth-check /,
    'it says how to upgrade';
$fake->stop;
$s->start_milter;

# A filter that was installed, and that nobody told the house of.
mkdir "$sockets/../antispam" or die $!;
$fake = Gatehouse::Fake->new("$sockets/../antispam/sock");
$f = $d->finds('daemons.idle', 'one that stands in no list');
like $f->{type}, qr/add "antispam" to inbound/, 'it says where to name it';
$fake->stop;
unlink "$sockets/../antispam/sock";
rmdir "$sockets/../antispam" or die $!;

# Filters pass through the store's folder.
mkdir "$state/../store" or die $!;
chmod 0751, "$state/../store";
$d->well('rights');
chmod 0755, "$state/../store";
$d->finds('rights.state-open', 'but it shows nothing');
rmdir "$state/../store" or die $!;

rename "$state/journal.json", "$state/journal.saved";
put("$state/journal.json", qq({"event.action":"message","x":"\\"event.action) .
    qq(\\":\\"journal-lost\\","}\n), 0640);
$d->well('journal');
put("$state/journal.json", qq({"\@timestamp":"2026-11-26T00:00:00.000Z",) .
    qq("event.action":"journal-lost","gatehouse.lost":3}\n), 0640);
$d->heals($d->finds('journal.lost', 'events were lost'), sub {
    rename "$state/journal.saved", "$state/journal.json" });
rename $state, "$state.away";
$d->heals($d->finds('journal.no-folder', 'its folder is not there'));
chmod 0750, $state;

# --- DNS: the zone with one line made otherwise ---
sub zone {
	my ($name, $is) = @_;
	$s->dns->zone(join '', $is, grep { !/^\Q$name\E\t/ }
	    split /(?<=\n)/, $good);
}

for (
	[ 'no-address', 'mx.gatehouse.test', "x.gatehouse.test\tA\t192.0.2.1\n",
	    qr/mx\.gatehouse\.test/ ],
	[ 'no-ptr', '10.2.0.192.in-addr.arpa',
	    "10.2.0.192.in-addr.arpa\tPTR\tother.test\n", qr/192\.0\.2\.10/ ],
	[ 'no-mx', 'gatehouse.test', "gatehouse.test\tTXT\t\"v=spf1 -all\"\n",
	    qr/neither MX nor address/ ],
	[ 'null-mx', 'gatehouse.test', "gatehouse.test\tMX\t0 .\n" .
	    "gatehouse.test\tTXT\t\"v=spf1 -all\"\n", qr/null/ ],
	[ 'no-spf', 'gatehouse.test', "gatehouse.test\tMX\t10 a.test\n" .
	    "gatehouse.test\tTXT\t\"v=spf10 -all\"\n", qr/no SPF/ ],
	[ 'no-dmarc', '_dmarc.gatehouse.test', "x.test\tTXT\t\"x\"\n",
	    qr/gatehouse\.test/ ],
	[ 'broken', '_dmarc.gatehouse.test',
	    "_dmarc.gatehouse.test\tTXT\tSERVFAIL\n", qr/_dmarc/ ],
	[ 'slow', '_dmarc.gatehouse.test', $good =~ /(_dmarc.*\n)/ ?
	    "_dmarc.gatehouse.test\tTXT\tDELAY 1100\n$1" : '',
	    qr/answered after/ ],
	[ 'silent', 'mx.gatehouse.test', "mx.gatehouse.test\t*\tSILENT\n",
	    qr/no answer/ ],
) {
	my ($id, $name, $is, $says) = @$_;
	zone($name, $is);
	$d->finds("dns.$id", "$name is otherwise", says => $says);
}
$s->dns->zone($good . "gatehouse.test\tTXT\t\"v=spf1 ?all\"\n");
$d->heals($d->finds('dns.two-spf', 'a second SPF record'),
    sub { $s->dns->zone($good) });

# Postfix asks the resolver of /etc/resolv.conf: here one of ours.
SKIP: {
	my $main = $s->dir . '/postfix/main.cf';
	my $resolv = $s->dir . '/resolv.conf';
	# Another test may do the same at this moment.
	my $address = sprintf '127.53.%d.%d', $$ / 250 % 250, $$ % 250 + 1;
	put($resolv, "nameserver $address\n");
	$d->excuse('dns.not-validated'), skip 'NO MOUNT NAMESPACES', 1
	    if system("unshare -m mount --bind $resolv /etc/resolv.conf " .
	    '2>/dev/null') != 0;
	put($main, "message_size_limit = 1000\n" .
	    "smtp_tls_security_level = dane\n");
	$s->house(resolver => $s->dns->resolver);
	local $d->{before} = [ 'unshare', '-m', 'sh', '-c',
	    'mount --bind "$0" /etc/resolv.conf && exec "$@"', $resolv ];
	for my $ad (0, 1) {
		my $dns = eval { Gatehouse::DNS->start(port => 53, ad => $ad,
		    address => $address, zone => ".\tNS\ta.test\n") };
		$d->excuse('dns.not-validated'),
		    skip "NO PORT 53 ON $address", 1 unless $dns;
		$ad ? $d->well('dns') : $d->finds('dns.not-validated',
		    'DANE without DNSSEC');
		$dns->stop;
	}
	put($main, "message_size_limit = 1000\n");
}

# --- disk: what is too much for this one, and file systems of our own ---
$s->house(message_size_limit => '9000000G');
$d->heals($d->finds('disk.full', 'the largest message does not fit'),
    sub { $s->house(message_size_limit => 10240000) });
SKIP: {
	my $small = $s->dir . '/small';
	mkdir $small;
	skip 'no file system of our own here', 8 if system(
	    "mount -t tmpfs -o size=40m,nr_inodes=400 none $small") != 0;
	$s->house(state_directory => $small, message_size_limit => 1000);
	put("$small/fill", 'x' x (38 << 20));
	$d->heals($d->finds('disk.low', 'its file system is nearly full'),
	    sub { unlink "$small/fill" });
	put("$small/$_", '') for 1 .. 390;
	$d->heals($d->finds('disk.inodes', 'it has hardly any inode'),
	    sub { unlink "$small/$_" for 1 .. 390 });
	$s->house(state_directory => $s->dir . '/state',
	    message_size_limit => 10240000);
	system 'umount', $small;
	$d->provoked('disk');
}

# --- clock: its kernel state is not ours to change; t/doctor-judge.c ---
push @{ $d->{args} }, '--now', 946684800;
my @found = $d->look('clock');
is $found[0]{id}, 'clock.year', 'the clock says 2000';
is $d->status, 2, 'which is critical';
splice @{ $d->{args} }, -2;

# --- how it ends, and what it prints ---
is +($s->gatehouse($d->command('--only', 'nonsense')))[0], 64,
    'no such check';
is +($s->gatehouse($d->command('--timeout', '0')))[0], 64, 'no such time';
is +($s->gatehouse('doctor', '--config', '/nonexistent'))[0], 66,
    'no such folder';
my ($status, $text) = $s->gatehouse($d->command('--only', 'config'));
is $text, "gatehouse doctor OK: 1 checks, nothing to mend\n",
    'one line when all is well';
($status, $text) = $s->gatehouse($d->command('--only', 'config',
    '--verbose'));
like $text, qr/^ok config: .*\n    saw   auth-check is right$/m,
    'and what was seen, when asked for';
chmod 0666, $own;
($status, $text) = $s->gatehouse($d->command('--only', 'rights'));
is $status, 2, 'critical is 2';
like $text, qr/\Agatehouse doctor CRITICAL: 1 checks, 1 critical
critical rights\.config-open: .*
    why   .*
    type  chmod go-w /, 'state first, then what, why and what to type';
chmod 0644, $own;
($status, $text) = $s->gatehouse(qw(doctor --list));
like $text, qr/^    critical  rights\.key-open: \S/m, 'the list of findings';

$d->provoked(qw(config rights daemons journal dns));
# How it ends is told by other tests, and takes seconds.
$s->kill_milter;
$s->done;
