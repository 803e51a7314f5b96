#!/usr/bin/perl
# What the unpack cell finds: archives made by the tools that people use,
# broken ones, bombs, and the formats that we read ourselves, byte by byte.
use strict;
use warnings;

use Compress::Zlib ();
use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use Test::More;

use Gatehouse::Archive qw(zip_locked);
use Gatehouse::Office qw(ole2);

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $dir = tempdir(CLEANUP => 1);
my $load = "the load " x 100 . "\n";
my $mark = substr sha256_hex($load), 0, 16;

plan skip_all => 'NOT BUILT: gatehouse-cell-unpack'
    unless -x "$build/cells/unpack/gatehouse-cell-unpack";

sub put {
	my ($name, $bytes) = @_;

	open my $f, '>:raw', "$dir/$name" or die "$name: $!";
	print $f $bytes;
	close $f or die "$name: $!";
	return "$dir/$name";
}

# [ end, { depth, why, format, len, hash, path } ... ]
sub entries {
	my ($file, @passwords) = @_;

	open my $out, '-|', "$build/t/unpack-probe",
	    "$build/cells/unpack/gatehouse-cell-unpack", $file, @passwords
	    or die "unpack-probe: $!";
	my ($end, @lines) = <$out>;
	close $out;
	chomp($end, @lines);
	return $end =~ s/ $//r, map { my %e; @e{qw(depth why format len hash
	    path)} = split / /, $_, 6; \%e } @lines;
}

sub said { join ', ', map { "$_->{depth} $_->{why} $_->{format}" } @_ }

# The load is there, whole, at that depth.
sub found {
	my ($what, $file, $depth, @passwords) = @_;
	my ($end, @e) = entries($file, @passwords);

	ok scalar(grep { $_->{hash} eq $mark && $_->{depth} == $depth &&
	    $_->{why} eq 'whole' } @e), "$what: found" or
	    diag "$end: ", said(@e);
	return @e;
}

# The file, or something in it, is not whole, and this is why.
sub missing {
	my ($what, $file, $why, @passwords) = @_;
	my ($end, @e) = entries($file, @passwords);

	is $end, 'answered', "$what: an answer";
	ok scalar(grep { $_->{why} eq $why } @e), "$what: $why" or
	    diag said(@e);
	return @e;
}

sub run {
	system("cd $dir && $_[0] >$dir/log 2>&1") == 0
	    or die "$_[0]: $?\n" . `cat $dir/log`;
}

put('load.bin', $load);
make_path("$dir/sub");
put('sub/load.bin', $load);

# --- archives that others made ---
run('python3 -c "import zipfile
z = zipfile.ZipFile(\'a.zip\', \'w\', zipfile.ZIP_DEFLATED)
z.write(\'load.bin\', \'../../evil/\\x60id\\x60.exe\')
z.close()
import tarfile
for m in (\'\', \'gz\', \'bz2\', \'xz\'):
    t = tarfile.open(\'a.tar\' + m, \'w:\' + m)
    t.add(\'sub\')
    t.close()
import gzip, bz2, lzma
d = open(\'load.bin\', \'rb\').read()
open(\'a.gz\', \'wb\').write(gzip.compress(d))
open(\'a.bz2\', \'wb\').write(bz2.compress(d))
open(\'a.xz\', \'wb\').write(lzma.compress(d))
open(\'a.lzma\', \'wb\').write(lzma.compress(d, lzma.FORMAT_ALONE))
x = open(\'a.zip\', \'rb\').read()
open(\'sfx.exe\', \'wb\').write(b\'MZ\' + bytes(5000) + x)
for i in range(12):
    import io
    b = io.BytesIO()
    with zipfile.ZipFile(b, \'w\') as z:
        z.writestr(\'inner.zip\', x)
    x = b.getvalue()
    if i == 3:
        open(\'five.zip\', \'wb\').write(x)
open(\'deep.zip\', \'wb\').write(x)
with zipfile.ZipFile(\'many.zip\', \'w\') as z:
    for i in range(6000):
        z.writestr(str(i), \'x\')
with zipfile.ZipFile(\'bomb.zip\', \'w\', zipfile.ZIP_DEFLATED) as z:
    z.writestr(\'zeros\', bytes(100 << 20))
"');
found("$_ of python", "$dir/a.$_", 1)
    for qw(zip tar targz tarbz2 tarxz gz bz2 xz lzma);
found('zip behind a program', "$dir/sfx.exe", 1);
my @deep = found('five zips deep', "$dir/five.zip", 5);
is $deep[-1]{path}, '../../evil/`id`.exe', 'a name is only a name';
missing('thirteen zips deep', "$dir/deep.zip", 'too-deep');
my @many = missing('6000 members', "$dir/many.zip", 'too-many');
is scalar @many, 5001, 'and 5000 of them are there';
my @bomb = missing('a bomb', "$dir/bomb.zip", 'ratio');
cmp_ok $bomb[1]{len}, '<', 30 << 20, 'which was stopped';

SKIP: {
	skip 'NOT INSTALLED: bsdtar (libarchive-tools)', 1
	    unless `which bsdtar`;
	for my $kind ([ 'iso', '--format iso9660' ], [ '7z', '--format 7zip' ],
	    [ 'xar', '--format xar' ], [ 'cpio', '--format newc' ],
	    [ 'tar.zst', '--zstd' ], [ 'tar.lz4', '--lz4' ],
	    [ 'tar.lz', '--lzip' ], [ 'tar.Z', '-Z' ]) {
		run("bsdtar -cf b.$kind->[0] $kind->[1] load.bin");
		found("$kind->[0] of bsdtar", "$dir/b.$kind->[0]", 1);
	}
}
# A password that passes for the right one, and is none.
for my $deflate (0, 1) {
	my $what = $deflate ? 'deflated' : 'stored';
	my $file = put("$what.zip", zip_locked('load.bin', $load, 'geheim',
	    'decoy', $deflate));

	found("$what, locked by hand", $file, 1, 'geheim');
	found("$what: behind one that passes too", $file, 1, 'decoy',
	    'geheim');
	my @e = missing("$what: that one alone", $file, 'encrypted', 'decoy');
	is scalar(grep { $_->{why} eq 'whole' && $_->{depth} == 1 } @e), 0,
	    "$what: and nothing of it counts as whole";
}
SKIP: {
	skip 'NOT INSTALLED: 7zz (package 7zip)', 1 unless `which 7zz`;
	run('7zz a -pgeheim -mem=AES256 aes.zip load.bin');
	run('7zz a -pgeheim -mem=ZipCrypto old.zip load.bin');
	run('7zz a -pgeheim locked.7z load.bin');
	run('7zz a -pgeheim -mhe=on hidden.7z load.bin');
	for (qw(aes.zip old.zip locked.7z hidden.7z)) {
		my @e = missing($_, "$dir/$_", 'encrypted');
		is $e[0]{why}, 'encrypted', 'and the archive says so itself';
	}
	found("$_ with one password of three", "$dir/$_", 1, 'no', 'geheim',
	    'nor this') for qw(aes.zip old.zip);
	missing('wrong passwords', "$dir/aes.zip", 'encrypted', 'a', 'b');
	run('7zz a whole.7z load.bin sub');
	found('7z of 7zz', "$dir/whole.7z", 1);
}

# --- broken ones ---
sub bytes_of { local $/; open my $f, '<:raw', $_[0] or die "$_[0]: $!"; <$f> }
my $zip = bytes_of("$dir/a.zip");
for my $cut (10, 40, 70) {
	my (undef, @e) = entries(put('cut.zip', substr $zip, 0, $cut));
	ok scalar(grep { $_->{why} ne 'whole' } @e), "a zip cut at $cut is " .
	    'not whole' or diag said(@e);
}
my $gz = bytes_of("$dir/a.gz");
missing('a gz cut short', put('cut.gz', substr $gz, 0, length($gz) - 12),
    'damaged');
missing('an arj', put('a.arj', "\x60\xea" . 'x' x 100), 'unknown');
my ($end, @none) = entries(put('text', "just a text\n"));
is said(@none), '0 whole -', 'a text holds nothing';
($end, @none) = entries(put('empty', ''));
is "$end, " . said(@none), 'answered, 0 whole -', 'nor does nothing';

# --- the formats that we read ourselves ---
sub le32 { pack 'V', $_[0] }

# A package as Windows' Packager writes it.
sub package_of {
	return pack('v', 2) . "l\xf6ad.exe\0C:\\x\\load.exe\0" .
	    pack('vv', 0, 3) . le32(8) . "C:\\load\0" . le32(length $_[0]) .
	    $_[0];
}

my $ole2 = ole2("\x01Ole10Native", le32(0) . package_of($load));
my @ole2 = found('an OLE package', put('a.doc', $ole2), 1);
is $ole2[0]{format}, 'ole2', 'in a compound file';
is $ole2[2]{path}, 'l\xf6ad.exe', 'with its name';
found('an Outlook attachment', put('a.msg', ole2('__substg1.0_37010102',
    $load)), 1);
missing('an encrypted document', put('b.doc', ole2('EncryptedPackage',
    'x' x 600)), 'encrypted');
# [MS-OVBA] 3.2.3 has a whole example; "Attribut" is made of literals.
my $macro = "\x01" . pack('v', 0xb000 | 13) . "\0Attribut" . "\x04e " .
    pack('v', 9 << 12 | 1);
my @vba = entries(put('vba', ole2('Module1', "compiled" . $macro) =~
    s/\A(.{56}).{4}/$1\0\0\0\0/sr));
is $vba[3]{path}, 'Module1.bas', 'the text of a macro is there';
is $vba[3]{hash}, substr(sha256_hex('Attribute Attr'), 0, 16),
    'and readable';
# A chain that comes back to itself.
my $loop = $ole2;
substr($loop, 512 + 4 * 2, 4) = le32(2);
($end) = entries(put('loop.doc', $loop));
is $end, 'answered', 'a chain that bites its tail ends';

sub tnef_attribute {
	my ($level, $tag, $bytes) = @_;

	return pack('C V V', $level, $tag, length $bytes) . $bytes .
	    pack 'v', unpack '%16C*', $bytes;
}
my $tnef = le32(0x223e9f78) . pack('v', 1) .
    tnef_attribute(1, 0x00068007, 'x') .
    tnef_attribute(2, 0x00069002, 'x' x 14) .
    tnef_attribute(2, 0x00018010, "load.exe\0") .
    tnef_attribute(2, 0x0006800f, $load);
my @tnef = found('TNEF', put('winmail.dat', $tnef), 1);
is $tnef[1]{path}, 'load.exe', 'with its name';
missing('TNEF cut short', put('cut.dat', substr $tnef, 0, -100), 'damaged');

sub ole1 {
	my ($class, $bytes) = @_;

	return pack('V V V/a V/a V/a V/a', 0x501, 2, "$class\0", '', '',
	    $bytes);
}
my $hex = unpack 'H*', ole1('Package', package_of($load));
found('an object in RTF', put('a.rtf', "{\\rtf1{\\object{\\*\\objdata " .
    join("\r\n", $hex =~ /(.{1,60})/g) . '}}}'), 1);
found('with control words between its digits', put('b.rtf',
    "{\\rt{\\object\\objdata" . join('\\par{\\x}' . "\t", $hex =~
    /(.{1,61})/g) . '}}'), 1);
my @rtf = entries(put('c.rtf', "{\\rtf1{\\*\\objdata 0105zz0000}}"));
is $rtf[3]{len}, 4, 'half an object is a member too';

my $deflated = Compress::Zlib::compress($load);
for ([ 'plain', '', $load ], [ 'deflated', '/Filter /FlateDecode',
    $deflated ]) {
	my ($what, $filter, $bytes) = @$_;

	found("a file in PDF, $what", put('a.pdf', "junk\n%PDF-1.7\n1 0 obj\n" .
	    "<< /Type /EmbeddedFile $filter /Length " . length($bytes) .
	    " >>\nstream\r\n${bytes}endstream\nendobj\n"), 1);
}
missing('an encrypted PDF', put('b.pdf', "%PDF-1.4\ntrailer << /Encrypt " .
    "5 0 R >>\n"), 'encrypted');

my $mail = "From: a\@b.test\nMIME-Version: 1.0\nContent-Type: " .
    "multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nhi\n" .
    "--x\nContent-Type: application/zip; name=\"a.zip\"\n" .
    "Content-Transfer-Encoding: base64\n\n" . encode_base64($zip) . "--x--\n";
found('a message with a zip', put('a.eml', $mail), 2);
put('a.eml', $mail);
run('python3 -c "import zipfile
z = zipfile.ZipFile(\'mail.zip\', \'w\')
z.write(\'a.eml\')
z.close()"');
found('and that zipped', "$dir/mail.zip", 3);

# --- files that ClamAV made for the purpose ---
SKIP: {
	my $folder = '/usr/share/clamav-testfiles';

	skip 'NOT INSTALLED: clamav-testfiles', 1 unless -d $folder;
	my $clam = substr sha256_hex(bytes_of("$folder/clam.exe")), 0, 16;
	for (qw(7z bin-be.cpio bin-le.cpio bz2.zip cab exe.bz2
	    exe.mbox.base64 exe.rtf mail newc.cpio odc.cpio ole.doc tar.gz tnef
	    zip)) {
		my (undef, @e) = entries("$folder/clam.$_");
		ok scalar(grep { $_->{hash} eq $clam } @e), "clam.$_" or
		    diag said(@e);
	}
	for (qw(arj chm d64.zip impl.zip exe.szdd exe.binhex)) {
		missing("clam.$_", "$folder/clam.$_", 'unknown');
	}
}

done_testing;
