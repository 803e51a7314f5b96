#!/usr/bin/perl
# T40, T41: names in mail, tar and zip that are commands, paths, control codes,
# and archives that would write elsewhere. Under strace: nothing is run but the
# cells, no file is made outside of the daemon's state, the log's lines are
# whole; and what is in there is found.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use Test::More;

use Gatehouse::Archive qw(tar tar_member zip);
use Gatehouse::Suite;

my $name = 'antivirus-multiscan';
my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $eicar = 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-' .
    'ANTIVIRUS-TEST-FILE!$H+H*';

plan skip_all => 'NOT BUILT: the cells' unless
    -x "$build/cells/clamav/gatehouse-cell-clamav";
plan skip_all => 'NO TOOL strace: NOT TESTED that names run nothing'
    unless -x '/usr/bin/strace';

my $s = Gatehouse::Suite->new;
my $dir = $s->dir;
my $program = "$build/milters/$name/gatehouse-$name";
my $calls = 'execve,execveat,open,openat,openat2,creat,mkdir,mkdirat,' .
    'link,linkat,symlink,symlinkat,rename,renameat,renameat2,mknod,mknodat,' .
    'unlink,unlinkat,chmod,fchmodat';

mkdir "$dir/db";
put("$dir/db/test.ndb", 'Test.Eicar:0:*:' . unpack('H*', $eicar) . "\n");
put("$dir/wrap", "#!/bin/sh\nexec strace -D -f --seccomp-bpf -qq -y " .
    "-o $dir/trace -e trace=$calls $program \"\$@\"\n");
chmod 0755, "$dir/wrap";

sub put {
	my ($path, $bytes) = @_;

	open my $f, '>:raw', $path or die "$path: $!";
	print $f $bytes;
	close $f or die "$path: $!";
}

sub letter {
	my ($parameter, $bytes) = @_;

	return "From: a\@client.test\nTo: us\@gatehouse.test\nSubject: x\n" .
	    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" .
	    "--b\nContent-Type: application/octet-stream;\n $parameter\n" .
	    "Content-Transfer-Encoding: base64\n\n" . encode_base64($bytes) .
	    "--b--\n";
}

my $mark = "$dir/made-by-a-name";
my @bad = ("`touch $mark`", "\$(touch $mark)", "../../../../$mark",
    "a'b;touch $mark;--", "x\"; touch $mark #", "-rf", "|touch $mark",
    "a\r\nverdict=accept", "\xff\xfe\x80", "\x1b[31mred", 'n' x 60_000,
    "/etc/passwd", "%s%n%s%n", "..\\..\\x");
my @letters;

for my $bad (@bad) {
	my $short = substr $bad, 0, 90;
	my $quoted = $bad =~ s/(["\\])/\\$1/gr =~ s/[\r\n]+/ /gr;

	push @letters, [ 'mail', $bad, letter("name=\"$quoted\"", $eicar) ],
	    [ 'tar', $bad, letter('name=a', tar(tar_member($short,
	    $eicar))) ],
	    [ 'zip', $bad, letter('name=a', zip([ $bad, $eicar ])) ];
}
for ([ 'a symbolic link', '2', '/etc/passwd' ],
    [ 'a hard link', '1', '../../etc/passwd' ], [ 'a device', '3', '' ],
    [ 'a pipe', '6', '' ]) {
	my ($what, $type, $to) = @$_;

	push @letters, [ 'tar', $what, letter('name=a', tar(
	    tar_member('x', '', $type, $to), tar_member('x', $eicar))) ];
}
push @letters, [ 'zip', 'overlapping files', letter('name=a', zip(
    [ 'a', $eicar ], [ 'b', $eicar, 0 ], [ 'c', $eicar, 0 ])) ];

# A leak sanitizer wants to be the only one who traces.
$s->milter($name, -program => -x $program ? "$dir/wrap" : $program,
    -env => { ASAN_OPTIONS => join ':', $ENV{ASAN_OPTIONS} // (),
    'detect_leaks=0' },
    clamav_database => "$dir/db", clamav_workers => 2, unpack_workers => 2,
    max_signature_age => '0s', cache => 0, clamav_look => '1h');
$s->daemons;

for (@letters) {
	my ($where, $what, $message) = @$_;
	my $shown = substr($what, 0, 40) =~ s/[^ -~]/?/gr;

	$s->log->mark;
	$s->talk($name, message => $message);
	my $line = $s->log->wait_for(
	    qr/$name\[\d+\]: \S+: verdict=/, 30) // '';
	like $line, qr/verdict=quarantine, rule=virus, cause=virus, client=/,
	    "$where, $shown: found";
	unlike $line, qr/[^ -~]/, 'its line is one of plain text';
	is scalar(() = $s->log->since_mark(qr/verdict=/)), 1,
	    'and there is one';
}
# More entries than are looked at: declared, not read to the end.
$s->log->mark;
$s->talk($name, message => letter('name=a', zip(map { [ $_, 'x' ] }
    1 .. 6_000)));
like $s->log->wait_for(qr/$name\[\d+\]: \S+: verdict=/, 60) // '',
    qr/rule=not-scanned-limit/, '6,000 entries: declared not scanned';
ok !-e $mark, 'no name was run or written';
$s->finish;

open my $trace, '<', "$dir/trace" or die "$dir/trace: $!";
my (%run, @elsewhere);
while (<$trace>) {
	next if / = -1 /;
	if (/execve(?:at)?\("([^"]*)"/) {
		$run{ $1 =~ s{.*/}{}r }++;
		next;
	}
	next if /\bopen/ && !/O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/;
	next if /<\.\.\. \w+ resumed>|--- SIG|\+\+\+ /;
	# Of the whole: its state, log and socket. A worker stands in a folder
	# of its own, and libclamav works there.
	next if m{["<]\Q$dir\E/(?:state|log|queue)/} || m{"/dev/null"} ||
	    m{"[^"]*/gatehouse-cell-\w+["/]} || m{<[^>]*/gatehouse-cell-} ||
	    (m{"\./\d+_\d+-scantemp\.} && !m{\.\./}) ||
	    m{"/proc/(?:self|\d+)/(?:uid_map|gid_map|setgroups)"};
	push @elsewhere, $_;
}
is_deeply [ sort keys %run ], [ sort "gatehouse-$name",
    'gatehouse-cell-clamav', 'gatehouse-cell-unpack' ],
    'nothing is run but the daemon and its cells';
is $run{'gatehouse-cell-unpack'}, 1, 'each once';
is join('', @elsewhere[0 .. ($#elsewhere < 5 ? $#elsewhere : 5)]), '',
    'no file is made, changed or removed elsewhere';
done_testing;
