#!/usr/bin/perl
# T11, a sample: allocations fail in libclamav's workers, in the unpacker's, and
# in the milter itself. A virus is found, or the mail is said to be not scanned,
# or there is no answer (Postfix says 451 then); it is never clean.
use strict;
use warnings;

use Compress::Zlib ();
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use MIME::QuotedPrint qw(encode_qp);
use Test::More;

use Gatehouse::Suite;

my $name = 'antivirus-multiscan';
my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $program = "$build/milters/$name/gatehouse-$name";
my $eicar = 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-' .
    'ANTIVIRUS-TEST-FILE!$H+H*';
my $dir = tempdir(CLEANUP => 1);

plan skip_all => 'NOT BUILT: the cells'
    unless -x "$build/cells/clamav/gatehouse-cell-clamav";
plan skip_all => 'SANITIZED: their malloc is their own'
    if `nm -D $program 2>/dev/null` =~ /__[at]san_init/;
my ($cc) = grep { `which $_` } qw(cc gcc clang);
plan skip_all => 'NO TOOL cc: NOT TESTED that failing allocations are safe'
    unless $cc;
system("$cc -O1 -shared -fPIC -fno-builtin -o $dir/failing.so " .
    "$FindBin::Bin/failing-malloc.c") == 0 or die 'failing.so';
# Anywhere in a file; or at its beginning only, where an archive hides it from
# who cannot open it.
for ([ any => '*' ], [ first => '0' ]) {
	mkdir "$dir/$_->[0]";
	open my $db, '>', "$dir/$_->[0]/test.ndb" or die;
	print $db "Test.Eicar:0:$_->[1]:" . unpack('H*', $eicar) . "\n";
	close $db;
}

# One stored block of a Zstandard frame (RFC 8878), which libclamav leaves.
sub zstd {
	return "\x28\xb5\x2f\xfd\x20" . chr(length $_[0]) . substr(pack('V',
	    length($_[0]) << 3 | 1), 0, 3) . $_[0];
}

sub letter {
	my ($type, $encoding, $body) = @_;

	return "From: a\@client.test\nTo: us\@gatehouse.test\nSubject: x\n" .
	    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" .
	    "--b\nContent-Type: text/html\n\n<p>See there.</p>\n--b\n" .
	    "Content-Type: $type\nContent-Transfer-Encoding: $encoding\n\n" .
	    "$body\n--b--\n";
}

my @letters = (letter('a/b', 'base64', encode_base64($eicar)),
    letter('text/html', 'quoted-printable', encode_qp("<p>x</p>\n$eicar")),
    letter('a/b; name=a.gz', 'base64', encode_base64(
    Compress::Zlib::memGzip($eicar))),
    letter('message/rfc822', '7bit', letter('a/b', 'base64',
    encode_base64($eicar))));

my @archives = (letter('a/b; name=a.zst', 'base64',
    encode_base64(zstd($eicar)))) x 4;

sub suite {
	my ($db, %env) = @_;

	return Gatehouse::Suite->new->milter($name,
	    -env => { LD_PRELOAD => "$dir/failing.so", %env },
	    clamav_database => "$dir/$db", clamav_workers => 2,
	    unpack_workers => 2, clamav_look => '1h', self_test => '0s',
	    max_signature_age => '0s', cache => 0, deadline => '10s')->daemons;
}

# By which rule it was decided; "none": it answered nothing, or 4xx.
sub rule {
	my ($s, $message) = @_;

	$s->log->mark;
	my $reply = eval { $s->talk($name, message => $message)->{reply} }
	    // 'closed';
	return 'none' if $reply =~ /^(?:closed|tempfail)$/;
	my $line = $s->log->wait_for(qr/$name\[\d+\]: \S+: verdict=/, 20);
	return ($line // '') =~ /\brule=([\w-]+)/ ? $1 : $reply;
}

sub good { $_[0] =~ /^(?:virus|none|not-scanned-\w+)$/ }

# Where libclamav's or the unpacker's workers have no memory, now and then.
# They get ready first: libseccomp goes round in circles without memory.
for ([ clamav => 60, 3000 ], [ unpack => 100, 500 ]) {
	my ($cell, $range, $after) = @$_;
	my $s = suite($cell eq 'unpack' ? 'first' : 'any',
	    FAIL_IN => "gatehouse-cell-$cell",
	    FAIL_RANGE => $range, FAIL_AFTER => $after);
	my %seen;

	$s->allow(qr/./);
	for my $round (1 .. 3) {
		$seen{ rule($s, $_) }++ for $cell eq 'unpack' ? @archives :
		    @letters;
	}
	my @bad = grep { !good($_) } keys %seen;
	is "@bad", '', "$cell, one of $range fails: " . join ', ',
	    map { "$_ $seen{$_}" } sort keys %seen;
	cmp_ok scalar(grep { $_ ne 'virus' } keys %seen), '>', 0,
	    'and it did fail';
	$s->finish;
}

# Where the milter itself has none: it ends, and is started again.
for my $nth (1, 20, 60, 90) {
	my $armed = "$dir/armed";
	unlink $armed;
	my $s = suite('any', FAIL_IN => "gatehouse-$name", FAIL_NTH => $nth,
	    FAIL_ARMED => $armed);

	$s->allow(qr/./);
	open my $f, '>', $armed or die;
	my $rule = rule($s, $letters[$nth % @letters]);
	ok good($rule), "allocation $nth of the milter fails: $rule";
	unlink $armed;
	eval { $s->process($name)->kill_now };
}

done_testing;
