#!/usr/bin/perl
# gatehouse doctor on a real Postfix: does it run, do its milters answer, as
# it would ask them, and what waits in its queue? Each finding provoked once.
use strict;
use warnings;

use FindBin;
use IO::Socket::UNIX;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Doctor;
use Gatehouse::Process;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(zone => <<'END', house =>
mx.gatehouse.test	A	192.0.2.10
10.2.0.192.in-addr.arpa	PTR	mx.gatehouse.test
gatehouse.test	MX	10 mx.gatehouse.test
gatehouse.test	TXT	"v=spf1 mx -all"
_dmarc.gatehouse.test	TXT	"v=DMARC1; p=none"
END
    { networks => [ '127.0.0.0/8' ] },
    # What is deferred stays so while it is counted.
    main => { map { $_ => '1h' } qw(minimal_backoff_time maximal_backoff_time
    queue_run_delay) })->milter('auth-check')
    ->postfix(master => "tlsmgr unix - - y 1000? 1 tlsmgr\n");
my $pf = $s->pf;
my $queue = $pf->queue_directory;
my $dir = "$queue/gatehouse/auth-check";
my $socket = "$dir/sock";
my $d = Gatehouse::Doctor->new($s, postfix_dir => $pf->config);

# --- a healthy one: the recipe, applied, and nothing else done ---
sub put {
	my ($path, $text) = @_;
	open my $f, '>', $path or die "$path: $!";
	print $f $text;
	close $f;
}

put($s->dir . '/recipients', "us\@gatehouse.test OK\n");
put($s->conf . '/postfix.conf', 'role = "inbound"; reinject_listener = "";' .
    ' inbound_listener = "127.0.0.1:' . $pf->port . '"; recipient_maps = ' .
    '[ "texthash:' . $s->dir . "/recipients\" ];\n");
chmod 0750, $s->dir . '/state/auth-check';
my ($status, $text) = $s->gatehouse('postfix-config', '--apply', '--config',
    $s->conf, '--postfix', $pf->config);
is $status, 0, 'the recipe is applied' or diag $text;
$d->settle;
$pf->command('postfix', 'reload');
push @{ $d->{args} }, '--skip', 'clock';
$d->well;
my $answer = $d->ask;
is scalar(@{ $answer->{checks} }), scalar(my @all = $d->checks) - 1,
    'all checks but one';
is_deeply [ map { $_->{check} } grep { !@{ $_->{saw} } }
    @{ $answer->{checks} } ], [], 'and each of them saw something';
like $s->send(rcpt => 'us@gatehouse.test'), qr/^250 /,
    'and mail comes in by it';
ok $s->sink->next(30), 'and goes on';
$d->{args} = [];
$pf->reload;

$d->well(qw(postfix sockets queue));
like $d->text, qr{unix:gatehouse/auth-check/sock answers user postfix},
    'the milter was asked as postfix';

# --- the sockets ---
chmod 0700, $dir;
my $f = $d->finds('sockets.denied', 'Postfix may not enter the folder',
    says => qr/the folder \Q$dir\E lets user postfix not enter/);
$d->heals($f);
chmod 0600, $socket;
$d->heals($d->finds('sockets.denied', 'nor write to the socket',
    says => qr/the socket/));
$s->signal_milter('auth-check', 'STOP');
$d->{args} = [ '--timeout', 4 ];
$f = $d->finds('sockets.wedged', 'it takes connections and says nothing');
$d->{args} = [];
like $f->{type}, qr/^systemctl restart gatehouse-auth-check$/, 'a restart';
$s->signal_milter('auth-check', 'CONT');
$s->kill_milter;
$d->heals($d->finds('sockets.refused', 'it was killed'));
$s->kill_milter;
unlink $socket;
$d->heals($d->finds('sockets.gone', 'and its socket was removed',
    says => qr/there is no \Q$socket\E/));

# What else may answer there: bytes, or a hang-up.
my $odd = "$queue/gatehouse/odd";
sub listener {
	my ($bytes) = @_;
	unlink $odd;
	my $l = IO::Socket::UNIX->new(Local => $odd, Listen => 5) or die $!;
	chmod 0666, $odd;
	my $p = Gatehouse::Process->start_sub(sub {
		while (my $c = $l->accept) {
			sysread $c, my $got, 1000;
			syswrite $c, $bytes if length $bytes;
			sysread $c, $got, 1000 if length $bytes;
		}
	}, name => 'odd milter');
	close $l;
	return $p;
}

sub milters {
	$pf->{milters} = [ @_ ];
	$pf->configure;
}

milters('unix:gatehouse/odd');
for (
	[ 'nonsense', "HTTP/1.0 400 Bad Request\r\n\r\n" ],
	[ 'hung-up', '' ],
	[ 'version', pack 'N a NNN', 13, 'O', 2, 0x3f, 0x7f ],
) {
	my ($kind, $bytes) = @$_;
	my $p = listener($bytes);
	$d->finds("sockets.$kind", "something else listens: $kind");
	$p->stop;
}
unlink $odd;
milters('inet:nowhere.invalid:8891');
$d->finds('sockets.name', 'a name that does not exist');
milters('local:gatehouse/odd');
$d->finds('sockets.failed', 'no such kind of socket');
$pf->{milters} = [ "unix:$socket" ];
$pf->configure;
$f = $d->finds('sockets.outside-chroot', 'an absolute path in a chroot');
is $f->{type}, '# in smtpd_milters, say unix:gatehouse/auth-check/sock',
    'it says how it is named';
symlink $socket, $s->dir . '/link';
milters('unix:' . $s->dir . '/link');
$d->heals($d->finds('sockets.outside-chroot', 'or outside of the queue'));
milters('unix:gatehouse/auth-check/sock');

# The peer check is asked by whom Postfix is.
$s->house(peers => [ 'root' ]);
$s->kill_milter->start_milter;
$f = $d->finds('sockets.hung-up', 'a milter that does not know postfix');
like $f->{type}, qr/peers must name "postfix"/, 'it says where to name it';
$d->heals($f, sub { $s->house(peers => [ 'root', 'postfix' ]);
    $s->kill_milter->start_milter });

# --- Postfix itself ---
$d->{fresh} = 1;
utime undef, undef, $pf->config . '/main.cf';
$f = $d->finds('postfix.not-reloaded', 'main.cf was written again',
    says => qr{/main\.cf was changed});
$d->heals($f);
$d->{fresh} = 0;
open my $main, '>>', $pf->config . '/main.cf';
print $main "relay_domians = example.org\n";
close $main;
$d->heals($d->finds('postfix.complaint', 'a name is misspelt',
    says => qr/relay_domians/), sub { $pf->configure });
$pf->stop;
$d->heals($d->finds('postfix.down', 'it was stopped'));

# --- the queue ---
open my $file, '>', "$queue/corrupt/4Zx1Qk2hJ9z" or die $!;
close $file;
$d->heals($d->finds('queue.corrupt', 'a corrupt queue file'),
    sub { unlink "$queue/corrupt/4Zx1Qk2hJ9z" });
$s->sink->stop;
my $c = $s->connection;
my $reply;
$reply = $c->send($s->_filled) for 1 .. 10;
$c->quit;
like $reply, qr/^250 /, 'ten messages wait';
my $end = time + 20;
sleep 0.05 until time > $end || 10 == grep { $_->{queue_name} eq 'deferred' }
    $pf->queue;
$d->well('queue');
push @{ $d->{args} }, '--now', time + 3600 | 0;
$f = $d->finds('queue.late', 'and still do in an hour',
    says => qr/10 of 10 deferred messages/);
like $f->{type}, qr/qshape/, 'it says where to look';
$d->heals($f, sub { $pf->command('postsuper', '-h', 'ALL') });
splice @{ $d->{args} }, -2;
$d->well('queue');
push @{ $d->{args} }, '--now', time + 2 * 86400 | 0;
$f = $d->finds('queue.hold', 'nor were they looked at on hold');
$d->heals($f, sub { $pf->command('postsuper', '-d', 'ALL') });

$d->provoked(qw(postfix sockets queue));

# --- without root: what cannot be looked at is said ---
my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
chmod 0755, $s->build;
my $pid = open(my $out, '-|') // die "fork: $!";
if ($pid == 0) {
	($), $() = ("$gid $gid", $gid);
	($<, $>) = ($uid, $uid);
	exec $s->build . '/tools/gatehouse', 'doctor', '--config', $s->conf,
	    '--postfix', $pf->config, '--json', '--only', 'sockets', '--only',
	    'daemons' or exit 127;
}
$text = join '', <$out>;
close $out;
is $? >> 8, 3, 'not root: exit status 3';
like $text, qr/sockets\.unseen.*only root can look/s, 'and it says why';

$s->allow(qr/connection of uid \d+ refused: it is not one of peers/);
# How it ends is told by other tests, and takes seconds.
$s->kill_milter;
$s->done;
