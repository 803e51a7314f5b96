#!/usr/bin/perl
# Another implementation of DKIM and ARC (dkimpy, python3-dkim) verifies what
# we sign and seal, we verify what it does, and both agree on what was changed
# on the way: over the shared mail.
use strict;
use warnings;
use File::Basename 'basename';
use File::Temp 'tempdir';
use Test::More;

my $src   = $ENV{GATEHOUSE_SRC}   // '.';
my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $data  = $ENV{GATEHOUSE_DATA}  // "$src/../shared/data";
my $probe = "$build/t/dkim-probe";
my $peer  = "$src/t/lib/dkim-peer";
my $some  = $ENV{GATEHOUSE_PEERS} // 200;	# mails of each kind of signature

my $archive = "$data/spam-ham/mail.tar.xz";
plan skip_all => "no mail: $archive is absent" unless -e $archive;
plan skip_all => "$probe is not built"         unless -x $probe;
plan skip_all => 'python3-dkim is not installed: no peer to compare with'
    if system('/usr/bin/python3 -c "import dkim, nacl, authres" 2>/dev/null') != 0;

my $dir = tempdir(CLEANUP => 1);
system('tar', '-xJf', $archive, '-C', $dir) == 0 or die "tar: $?";

sub spread {
	my ($n, @all) = @_;
	my $step = @all > $n ? @all / $n : 1;
	return map { $all[int($_ * $step)] } 0 .. ($n < @all ? $n : @all) - 1;
}

# Names are unique in all folders, so that results can be told apart.
my @mails;
for my $kind (qw(ham spam)) {
	for my $path (spread($some / 2, sort glob "$dir/mail/$kind/*.eml")) {
		my $to = "$dir/$kind-" . basename $path;
		rename $path, $to or die "$to: $!";
		push @mails, $to;
	}
}
cmp_ok scalar @mails, '>', 50, 'there is mail' or BAIL_OUT 'no mail';

sub run {
	my (@command) = @_;
	my %said;

	open my $out, '-|', @command or die "$command[0]: $!";
	while (<$out>) {
		$said{basename $2} = $1 if /^(\S+) .*?([^\/\s]+)$/;
	}
	close $out;
	return \%said;
}

sub folder {
	my ($name) = @_;
	mkdir "$dir/$name" or die "$dir/$name: $!";
	return "$dir/$name";
}

# A few bytes changed here and there; the same in each run.
srand 7;
sub tamper {
	my ($from, $to) = @_;

	open my $in, '<:raw', $from or die "$from: $!";
	my $mail = do { local $/; <$in> };
	my $kind = int rand 6;
	my ($body) = $mail =~ /\r\n\r\n(?=(.))/s ? $+[0] : length $mail;

	if ($kind == 0) { $mail .= "\r\n\r\n" }
	elsif ($kind == 1) { $mail .= "more\r\n" }
	elsif ($kind == 2) { substr $mail, $body, 0, " \t" }
	elsif ($kind == 3) { $mail =~ s/(\r\nSubject:)/$1  \t/i }
	elsif ($kind == 4) { $mail =~ s/(\r\nTo:)/\r\nX-New: 1$1/i }
	else { $mail =~ s/(\r\nsubject: *\S)(\s)/$1 x$2/i }
	open my $out, '>:raw', $to or die "$to: $!";
	print $out $mail;
	close $out;
}

sub compare {
	my ($name, $verb, $record, @files) = @_;
	my $ours = run($probe, $verb, $record, @files);
	my $theirs = run($peer, $verb, $record, @files);
	my (%sum, @apart);

	for my $file (sort keys %$ours) {
		my ($we, $they) = ($ours->{$file}, $theirs->{$file} // 'none');
		$sum{"$we/$they"}++;
		# What it cannot read at all is no opinion.
		next if $they eq 'error';
		push @apart, "$file: we $we, they $they"
		    if ($we eq 'pass') != ($they eq 'pass');
	}
	is scalar keys %$ours, scalar @files, "$name: all were read";
	is "@apart[0 .. ($#apart < 5 ? $#apart : 5)]", '', "$name: agreed";
	diag "$name: ", join ', ', map { "$_ $sum{$_}" } sort keys %sum;
	return \%sum;
}

sub signed {
	my ($name, $record, @files) = @_;
	my $sum = compare($name, 'verify', $record, @files);
	my $good = $sum->{'pass/pass'} // 0;

	cmp_ok $good, '>', @files * 0.9, "$name: nearly all pass with both";
	my $changed = folder("$name-changed" =~ tr{/ }{--}r);
	tamper($_, "$changed/" . basename $_) for @files;
	compare("$name, changed", 'verify', $record, glob "$changed/*");
}

sub key {
	my ($name, @how) = @_;
	my $pem = "$dir/$name.pem";

	system('openssl', 'genpkey', '-quiet', @how, '-out', $pem) == 0 ||
	    system("openssl genpkey @how -out $pem 2>/dev/null") == 0
	    or die 'openssl';
	my $der = `openssl pkey -in $pem -pubout -outform DER | base64 -w0`;
	my $p = $name eq 'ed25519' ?
	    `openssl pkey -in $pem -pubout -outform DER | tail -c32 | base64 -w0`
	    : $der;
	open my $out, '>', "$dir/$name.txt" or die $!;
	print $out "v=DKIM1; k=$name; p=$p\n";
	close $out;
	# What python3-dkim reads is the older form of the same key.
	system("openssl rsa -in $pem -traditional -out $pem.rsa 2>/dev/null");
	return ($pem, "$dir/$name.txt");
}

my ($pem, $record) = key('rsa', -algorithm => 'RSA', -pkeyopt =>
    'rsa_keygen_bits:2048');
for my $canon (qw(relaxed/relaxed simple/simple relaxed/simple
    simple/relaxed)) {
	my @part = spread(@mails / 2, @mails);
	my $ours = folder('ours-' . $canon =~ tr{/}{-}r);
	run($probe, 'sign', $pem, $canon, $ours, @part);
	signed("we sign $canon", $record, glob "$ours/*");
	my $theirs = folder('theirs-' . $canon =~ tr{/}{-}r);
	run($peer, 'sign', "$pem.rsa", $canon, $theirs, @part);
	signed("they sign $canon", $record, glob "$theirs/*");
}

my ($ed, $ed_record) = key('ed25519', -algorithm => 'ed25519');
my @few = spread(60, @mails);
my $ours = folder('ours-ed25519');
run($probe, 'sign', $ed, 'relaxed/relaxed', $ours, @few);
signed('we sign ed25519', $ed_record, glob "$ours/*");
my $theirs = folder('theirs-ed25519');
run($peer, 'sign', $ed, 'relaxed/relaxed', $theirs, @few);
signed('they sign ed25519', $ed_record, glob "$theirs/*");

# Chains of three sets, by turns.
my @chain = @few;
for my $turn (1 .. 3) {
	my $to = folder("chain-$turn");
	my @who = $turn == 2 ? ($peer, 'seal', "$pem.rsa", $record) :
	    ($probe, 'seal', $pem);
	run(@who, $to, @chain);
	@chain = glob "$to/*";
	my $sum = compare("$turn sets", 'arc', $record, @chain);
	cmp_ok $sum->{'pass/pass'} // 0, '>', @few * 0.8,
	    "$turn sets: nearly all pass with both";
	my $changed = folder("chain-$turn-changed");
	tamper($_, "$changed/" . basename $_) for @chain;
	compare("$turn sets, changed", 'arc', $record, glob "$changed/*");
}

done_testing;
