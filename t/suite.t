#!/usr/bin/perl
# The harness itself: a milter between Postfix and the sink, its log, its
# death, and what done() asserts. The milter is the Fake, run as a program.
use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Suite;

my $dir = tempdir(CLEANUP => 1);
my $program = "$dir/gatehouse-fake";
open my $f, '>', $program or die $!;
print $f "#!$^X -I$FindBin::Bin/lib\n", <<'END';
use Gatehouse::Fake;
my %a = @ARGV[0 .. 5];
sub frame { Gatehouse::Milter::frame(@_) }
sub slurp { local @ARGV = shift; join '', <> }
my ($log) = slurp($a{'--house'}) =~ /^syslog = "(.*)"/m;
my ($word) = slurp($a{'--config'}) =~ /^word = "(.*)"/m;
$SIG{TERM} = sub { unlink $a{'--socket'}; exit 0 };
Gatehouse::Fake->serve($a{'--socket'}, on => {
	M => sub { frame($_[1] =~ /bad/ ? ('y', "550 5.7.1 bad\0") : 'c') },
	T => sub { 'c' && frame('c') },
	E => sub {
		open my $f, '>>', $log;
		print $f "gatehouse-fake[$$]: $_[0]{id}: verdict=accept\n";
		return frame('i', pack 'N Z* Z*', 0, 'X-Fake', $word) .
		    frame('c');
	},
	D => sub { $_[0]{id} = $1 if $_[1] =~ /\0i\0(\w+)\0/ ||
	    $_[1] =~ /^.i\0(\w+)\0/; '' },
});
END
close $f;
chmod 0755, $program;

is Gatehouse::Suite::conf_value($$_[0]), $$_[1], "written: $$_[1]" for
    [ 5, '5' ], [ 'true', 'true' ], [ '30s', '"30s"' ],
    [ 'a"b\\', '"a\\"b\\\\"' ], [ [ 'a', 'b' ], '[ "a", "b" ]' ];

my $s = Gatehouse::Suite->new->milter('fake', word => 'hear hear',
    -program => $program);
my $message = $s->letter(rcpt => 'us@gatehouse.test', from => 'x@y.test',
    attach => 'notes.txt') =~ s/\n/\r\n/gr;

subtest 'without Postfix' => sub {
	my $alone = Gatehouse::Suite->new->milter('fake', word => 'alone',
	    -program => $program)->daemons;
	my $r = $alone->talk('fake', message => $message, id => '4Zx1Qk2hJ9z');
	is $r->{message}, "X-Fake: alone\r\n$message", 'edited';
	ok $alone->line('fake', '4Zx1Qk2hJ9z', 2), 'logged';
	is $alone->talk('fake', from => 'bad@x')->{reply}, '550 5.7.1 bad',
	    'refused';
	$alone->finish;
};

$s->postfix;
my $got = $s->send(message => $message, client => '203.0.113.9');
like $got, qr/^250 /, 'delivered';
my $mail = $s->sink->next;
is_deeply [ $s->fields($mail->{bytes}, 'x-fake') ], [ 'hear hear' ], 'header';
is $s->without_received($mail->{bytes} =~ s/^X-Fake:.*?\r\n//r), $message,
    'the rest byte for byte';
ok $s->line('fake', $s->queue_id($got)), 'a line with the queue id';
like $s->send(from => 'bad@y.test'), qr/^550 5\.7\.1 bad/, 'refused';
cmp_ok $s->usage('fake')->{fds}, '>', 3, 'descriptors counted';
my $c = $s->connection;
like $s->send(on => $c), qr/^250 /, 'a connection of one\'s own';
like $s->send(on => $c), qr/^250 /, 'used twice';

$s->kill_milter('fake');
like $s->send, qr/^451 /, 'deferred when it is dead';
unlink $s->socket_path('fake');
like $s->send, qr/^451 /, 'or has no socket';
my @trouble = $s->unexpected;
ok scalar(@trouble), 'of which the log speaks';
$s->allow(qr/warning: (connect to )?[mM]ilter/, qr/warning: .*milter/i,
    qr/warning: cannot receive milters/);
$s->start_milter('fake');
like $s->send(raw => 1, message => "Subject: raw\r\n\r\nx\r\n.\r\n"),
    qr/^250 /, 'back';
is $s->sink->wait_count(4), 4, 'all arrived';
$s->done;
