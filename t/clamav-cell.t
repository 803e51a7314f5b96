#!/usr/bin/perl
# libclamav in its cell: it finds what ClamAV's own test files hold, says where
# it did not look, and its signatures may be wrong.
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);
use Test::More;

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $cell = "$build/cells/clamav/gatehouse-cell-clamav";
my $samples = '/usr/share/clamav-testfiles';
my $dir = tempdir(CLEANUP => 1);
my $eicar = 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-' .
    'ANTIVIRUS-TEST-FILE!$H+H*';

plan skip_all => 'NOT BUILT: gatehouse-cell-clamav' unless -x $cell;

sub put {
	my ($name, $bytes) = @_;

	open my $f, '>:raw', "$dir/$name" or die "$name: $!";
	print $f $bytes;
	close $f or die "$name: $!";
	return "$dir/$name";
}

sub bytes_of { local $/; open my $f, '<:raw', $_[0] or die "$_[0]: $!"; <$f> }

# [ end and why, what it tells, lines ... ]
sub ask {
	my ($file, @args) = @_;

	open my $out, '-|', "$build/t/cell-ask", 'file', $file, $cell, @args
	    or die "cell-ask: $!";
	my @lines = <$out>;
	close $out;
	chomp @lines;
	return @lines;
}

mkdir "$dir/db";
put('db/test.ndb', 'Test.Eicar:0:0:' . unpack('H*', $eicar) . "\n" .
    "Test.Mail:4:*:" . unpack('H*', 'only in letters') . "\n");
put('rules.yar', 'rule Invoice { strings: $a = "pay this invoice now" ' .
    "condition: \$a }\n");
my @args = ('--database', "$dir/db", '--yara', "$dir/rules.yar");

my ($end, $told, @found) = ask(put('eicar', $eicar), @args);
is $end, 'answered ', 'EICAR: an answer';
is_deeply \@found, [ 'virus Test.Eicar.UNOFFICIAL' ], 'which is its name';
like $told, qr/^clamav [\d.]+, signatures 3, newest \d{10}$/,
    'the cell tells what it works with';
($end, undef, @found) = ask(put('clean', "nothing here\n"), @args);
is_deeply [ $end, @found ], [ 'answered ' ], 'clean: no more than that';
($end, undef, @found) = ask(put('none', ''), @args);
is_deeply [ $end, @found ], [ 'answered ' ], 'nothing is clean';
(undef, undef, @found) = ask(put('yara', "please pay this invoice now\n"),
    @args);
# A text is looked at as it is and normalised.
is $found[0], 'virus YARA.Invoice.UNOFFICIAL', 'a YARA rule';
my $letter = "Received: from a by b; Mon, 1 Jan 2026 00:00:00 +0000\r\n" .
    "From: a\@b.test\r\nTo: c\@d.test\r\nSubject: x\r\n\r\nonly in letters\r\n";
(undef, undef, @found) = ask(put('letter', $letter), @args);
is_deeply \@found, [ 'virus Test.Mail.UNOFFICIAL' ],
    'a signature for mail sees mail';
(undef, undef, @found) = ask(put('text', "only in letters\r\n"), @args);
is_deeply \@found, [], 'and only mail';

# --- signatures that are none ---
mkdir "$dir/empty";
($end) = ask("$dir/clean", '--database', "$dir/empty");
like $end, qr/^not ready/, 'no signatures: it does not work at all';
mkdir "$dir/broken";
put('broken/test.ndb', "this is no signature\n");
($end) = ask("$dir/clean", '--database', "$dir/broken");
like $end, qr/^not ready/, 'nor with broken ones';

# --- ClamAV's own files ---
SKIP: {
	skip 'NOT INSTALLED: clamav-testfiles', 1 unless -d $samples;
	put('db/clam.hsb', sha256_hex(bytes_of("$samples/clam.exe")) .
	    ":544:Test.Clam\n");
	for my $file (sort glob "$samples/*.{exe,zip,cab,doc,pdf,7z,tnef,chm}") {
		($end, undef, @found) = ask($file, @args);
		ok scalar(grep { $_ eq 'virus Test.Clam.UNOFFICIAL' } @found),
		    $file =~ s{.*/}{}r or diag "$end: @found";
	}
}
SKIP: {
	skip 'NOT INSTALLED: 7zz (package 7zip)', 1 unless `which 7zz`;
	system "cd $dir && 7zz a -pgeheim aes.zip eicar >/dev/null";
	(undef, undef, @found) = ask("$dir/aes.zip", @args);
	like join("\n", @found), qr/^locked Heuristics\.Encrypted\.Zip$/m,
	    'an encrypted zip is not clean';
}

done_testing;
