#!/usr/bin/perl
# T40, T41 for attachment-dlp: names in mail, tar and zip that are commands,
# paths, control codes; archives that would write elsewhere. Under strace:
# nothing is run but the cell, no file is made outside of the daemon's state,
# the log's lines are whole, and the note that a name gets into is plain text.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(decode_base64 encode_base64);
use Test::More;

use Gatehouse::Archive qw(tar tar_member zip);
use Gatehouse::Journal;
use Gatehouse::Suite;

my $name = 'attachment-dlp';
my $build = Gatehouse::Suite::build();

plan skip_all => 'NOT BUILT: the cell unpack' unless
    -x "$build/cells/unpack/gatehouse-cell-unpack";
plan skip_all => 'NO TOOL strace: NOT TESTED that names run nothing'
    unless -x '/usr/bin/strace';

my $s = Gatehouse::Suite->new;
my $dir = $s->dir;
my $program = "$build/milters/$name/gatehouse-$name";
my $calls = 'execve,execveat,open,openat,openat2,creat,mkdir,mkdirat,' .
    'link,linkat,symlink,symlinkat,rename,renameat,renameat2,mknod,mknodat,' .
    'unlink,unlinkat,chmod,fchmodat';

sub put {
	my ($path, $bytes) = @_;

	open my $f, '>:raw', $path or die "$path: $!";
	print $f $bytes;
	close $f or die "$path: $!";
}

put("$dir/wrap", "#!/bin/sh\nexec strace -D -f --seccomp-bpf -qq -y " .
    "-o $dir/trace -e trace=$calls $program \"\$@\"\n");
chmod 0755, "$dir/wrap";

sub letter {
	my ($parameter, $bytes) = @_;

	return "From: a\@client.test\nTo: us\@gatehouse.test\nSubject: x\n" .
	    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" .
	    "--b\nContent-Type: application/octet-stream;\n $parameter\n" .
	    "Content-Transfer-Encoding: base64\n\n" . encode_base64($bytes) .
	    "--b--\n";
}

my $mark = "$dir/made-by-a-name";
my $elf = "\x7fELF\2\1\1" . "\0" x 60;
my @bad = ("`touch $mark`", "\$(touch $mark)", "../../../../$mark",
    "a'b;touch $mark;--", "x\"; touch $mark #", "-rf", "|touch $mark",
    "a\r\nverdict=reject", "\xff\xfe\x80", "\x1b[31mred", 'n' x 60_000,
    "/etc/passwd", "%s%n%s%n", "..\\..\\x", "{{#x}}{{/y}}", "\n--b--\n");
my @letters;

for my $bad (@bad) {
	my $short = substr $bad, 0, 90;
	my $quoted = $bad =~ s/(["\\])/\\$1/gr =~ s/[\r\n]+/ /gr;
	my $percent = $bad =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;

	push @letters, [ 'mail', $bad, letter("name=\"$quoted\"", $elf) ],
	    [ 'mail, RFC 2231', $bad, letter("name*=utf-8''$percent", $elf) ],
	    [ 'tar', $bad, letter('name=a', tar(tar_member($short, $elf))) ],
	    [ 'zip', $bad, letter('name=a', zip([ $bad, $elf ])) ];
}
for ([ 'a symbolic link', '2', '/etc/passwd' ],
    [ 'a hard link', '1', '../../etc/passwd' ], [ 'a device', '3', '' ],
    [ 'a pipe', '6', '' ]) {
	my ($what, $type, $to) = @$_;

	push @letters, [ 'tar', $what, letter('name=a', tar(
	    tar_member('x', '', $type, $to), tar_member('x', $elf))) ];
}
push @letters, [ 'zip', 'overlapping files', letter('name=a', zip(
    [ 'a', $elf ], [ 'b', $elf, 0 ], [ 'c', $elf, 0 ])) ];

# A leak sanitizer wants to be the only one who traces.
$s->milter($name, -program => -x $program ? "$dir/wrap" : $program,
    -env => { ASAN_OPTIONS => join ':', $ENV{ASAN_OPTIONS} // (),
    'detect_leaks=0' }, unpack_workers => 2, quarantine => [
    'class:incomplete' ], remove => [
    'class:executable' ]);
$s->daemons;
$s->allow(qr/cell unpack/);

for (@letters) {
	my ($where, $what, $message) = @$_;
	my $shown = substr($what, 0, 40) =~ s/[^ -~]/?/gr;

	$s->log->mark;
	my $r = $s->talk($name, message => $message);
	my $line = $s->log->wait_for(qr/$name\[\d+\]: \S+: verdict=/, 30) // '';
	like $line, qr/verdict=accept, rule=attachment-removed, /,
	    "$where, $shown: removed";
	unlike $line, qr/[^ -~]/, 'its line is one of plain text';
	is scalar(() = $s->log->since_mark(qr/verdict=/)), 1,
	    'and there is one';
	my (undef, $part, @rest) = split /^--b(?:--)?\r\n/m,
	    $r->{message} // '';
	is scalar @rest, 0, 'the note holds no boundary';
	my ($head, $note) = split /\r\n\r\n/, $part // '', 2;
	$note = decode_base64($note) if ($head // '') =~ /base64/;
	like $note, qr/removed/, 'a note is there';
	unlike $note, qr/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/,
	    'without control codes';
}
my @events = Gatehouse::Journal->events("$dir/state/$name");
is scalar(grep { defined $_->{'gatehouse.attachment.name'} } @events),
    scalar @letters, 'the journal has a whole event for each';
$s->log->mark;
$s->talk($name, message => letter('name=a', zip(map { [ $_, 'x' ] }
    1 .. 6_000)));
like $s->log->wait_for(qr/$name\[\d+\]: \S+: verdict=/, 60) // '',
    qr/rule=attachment-held/, '6,000 entries: not all there, held';
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
	# Of the whole: its state, log and socket; a worker's walls.
	next if m{["<]\Q$dir\E/(?:state|log|queue)/} || m{"/dev/null"} ||
	    m{"[^"]*/gatehouse-cell-\w+["/]} || m{<[^>]*/gatehouse-cell-} ||
	    m{"/proc/(?:self|\d+)/(?:uid_map|gid_map|setgroups)"};
	push @elsewhere, $_;
}
is_deeply [ sort keys %run ], [ sort "gatehouse-$name",
    'gatehouse-cell-unpack' ], 'nothing is run but the daemon and its cell';
is join('', @elsewhere[0 .. ($#elsewhere < 5 ? $#elsewhere : 5)]), '',
    'no file is made, changed or removed elsewhere';
done_testing;
