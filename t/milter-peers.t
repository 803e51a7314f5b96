#!/usr/bin/perl
# T63: who may speak to a socket, and whose files are believed.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;

use Gatehouse::Log;
use Gatehouse::Milter;
use Gatehouse::Process;
use Gatehouse::Suite;

plan skip_all => 'NOT TESTED: other users; that needs root' if $> != 0;
my $nobody = getpwnam 'nobody' or plan skip_all => 'no user nobody';

my $s = Gatehouse::Suite->new(house => { peers => [ 'root', 'postfix' ] })
    ->milter('probe')->daemons;
my $path = $s->socket_path('probe');

# What another user gets: an answer, a hang-up, or no connection at all.
sub as_user {
	my ($uid) = @_;
	my $out = $s->dir . '/other';

	unlink $out;
	my $child = Gatehouse::Process->start_sub(sub {
		open my $f, '>', $out or die $!;
		POSIX::setgid($uid == $nobody ? 65534 : $uid);
		POSIX::setuid($uid);
		my $m = eval { Gatehouse::Milter->new($path, timeout => 5) };
		my $said = $m ? $m->message->{reply} : $@ =~ /connect/ ?
		    'no connection' : 'hung up';
		syswrite $f, "$said\n";
	});
	$child->wait(20);
	return (Gatehouse::Log->new($out)->lines)[0];
}

sub mode { sprintf '%04o', (stat $_[0])[2] & 07777 }

is mode($path), '0660', 'the socket is for its owner and group';
is as_user($nobody), 'no connection', 'another user cannot connect';
chmod 0666, $path;
is as_user($nobody), 'hung up', 'nor speak where the mode is wrong';
my $uid = $nobody;
ok scalar($s->log->lines(qr/warning:\ connection\ of\ uid\ $uid\ refused:
    \ it\ is\ not\ one\ of\ peers/x)), 'the log names him';
$s->allow(qr/warning: connection of uid \d+ refused/);
my $fds = $s->usage('probe')->{fds};
my $threads = $s->usage('probe')->{threads};
is as_user($nobody), 'hung up', 'however often' for 1 .. 20;
is $s->usage('probe')->{threads}, $threads, 'he gets no thread';
is $s->usage('probe')->{fds}, $fds, 'and no descriptor';
is as_user(scalar getpwnam 'postfix'), 'accept', 'Postfix is served';
is $s->talk('probe')->{reply}, 'accept', 'and so is root';
is mode($s->dir . '/state/probe/inflight'), '0600', 'the table is ours';
is mode($s->dir . '/state/probe/spool') =~ /[0-7]{2}.0\z/ ? 'closed' :
    'open', 'closed', 'others do not see the spool';

# --- files that others could write, or should not read ---
my $dir = $s->dir;
my $key = "$dir/conf/key";

sub write_key {
	my ($text) = @_;

	open my $f, '>', $key or die $!;
	print $f $text;
	close $f;
	chmod 0640, $key;
	chown 0, 0, $key;
}

# The daemon's exit status and what it says.
sub starts {
	my $err = "$dir/start";

	unlink $err;
	my $p = Gatehouse::Process->start(name => 'start', log => $err,
	    argv => [ $s->_milter('probe')->{program}, '--check-config',
	    '--config', "$dir/conf/probe.conf", '--house',
	    "$dir/conf/gatehouse.conf" ]);
	my $status = $p->wait(20);
	return $status >> 8, join "\n", Gatehouse::Log->new($err)->lines;
}

$s->options('probe');
write_key('k' x 64);
$s->house(seal_key => $key, inbound => [ 'probe-head', 'probe' ]);
is +(starts())[0], 0, 'all is well';
for (
	[ 'a key that others read', $key, sub { chmod 0644, $key } ],
	[ 'a key that others write', $key, sub { chmod 0642, $key } ],
	[ 'a key of another user', $key, sub { chown $nobody, 0, $key } ],
	[ 'a key that its group may write', $key,
	    sub { chown 0, 65534, $key; chmod 0660, $key } ],
	[ 'a short key', $key, sub { write_key('short') } ],
	[ 'no key', $key, sub { unlink $key } ],
	[ 'a key that is a folder', $key, sub { unlink $key; mkdir $key } ],
	[ 'a config file that others write', "$dir/conf/probe.conf",
	    sub { chmod 0666, "$dir/conf/probe.conf" } ],
	[ 'a config file of another user', "$dir/conf/probe.conf",
	    sub { chown $nobody, 0, "$dir/conf/probe.conf" } ],
	[ 'the same of gatehouse.conf', "$dir/conf/gatehouse.conf",
	    sub { chown $nobody, 0, "$dir/conf/gatehouse.conf" } ],
	[ 'a folder that others write', "$dir/conf/",
	    sub { chmod 0777, "$dir/conf" } ],
) {
	my ($what, $file, $break) = @$_;

	$break->();
	my ($status, $said) = starts();
	is $status, 78, "$what: refused";
	like $said, qr/\Q$file\E/, 'and named';
	chmod 0755, "$dir/conf";
	rmdir $key;
	write_key('k' x 64);
	chmod 0644, glob "$dir/conf/*.conf";
	chown 0, 0, glob "$dir/conf/*.conf";
}
is +(starts())[0], 0, 'all is well again';

$s->done;
