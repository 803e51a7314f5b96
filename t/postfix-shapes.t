#!/usr/bin/perl
# postfix-config on files of many shapes: applied twice is applied once, and
# reverted is what was there, byte for byte.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::PostfixConfig;

plan skip_all => Gatehouse::PostfixConfig->missing
    if Gatehouse::PostfixConfig->missing;
my $full = $ENV{GATEHOUSE_FULL};
my ($dir, $conf, $tmp) = (dir(), conf(), tmp());
my %shape = shapes();

house('seal_key = "/etc/gatehouse/seal.key"; splitter = true;');
own('tls_senders = [ "bank.example" ];');

# --- shapes ---
cmp_ok scalar keys %shape, '>=', 13, 'there are shapes';
$shape{'CRLF'} = [ map { s/\n/\r\n/gr } @{ $shape{'debian-internet-site'} } ];
$shape{'CRLF, last line open'} = [ map { s/\n/\r\n/gr =~ s/\r\n\z//r }
    @{ $shape{'multi-line'} } ];
$shape{'last line open'} = [ map { s/\n\z//r } @{ $shape{satellite} } ];

# Those that others are like in all that is read here.
my %like = map { $_ => 1 } qw(debian-minimal comments-only satellite panel
    database-maps), 'last line open';
for my $name (grep { $full || !$like{$_} } sort keys %shape) {
	put(@{ $shape{$name} });
	my $before = state();
	my ($status, $said) = config('--apply');
	is $status, 0, "$name: applied" or diag $said;
	my $after = state();
	ok $after ne $before, 'which changes something';
	unlike $said, qr/unused parameter: gatehouse/, 'nothing of ours unused';
	my ($inode) = (stat "$dir/main.cf")[1];
	($status, $said) = config('--apply');
	is $status . ($said =~ s/^(must|should|may): .*\n//mgr),
	    "0nothing to change\n", 'again: nothing to change';
	ok state() eq $after, 'and nothing has';
	is +(stat "$dir/main.cf")[1], $inode, 'not even been written';
	is +(stat _)[2] & 07777, 0640, 'the mode is kept';
	like slurp("$dir/main.cf"), qr/\Q$_\E/, 'a comment is kept'
	    for ($shape{$name}[0] =~ /^(# \w.*?)\r?$/m)[0] // '';
	is scalar(() = slurp("$dir/main.cf") =~ /(?<!\r)\n/g), 0,
	    'all lines end alike' if $name =~ /^CRLF/;
	like slurp("$dir/gatehouse/split"), qr/^\/\^X-Gatehouse-Split:/m,
	    'and what is marked is split';
	if ($full || $name =~ /amavis|duplicates|site/) {	# another role, and back
		is +(config('--apply', '--role', 'inbound'))[0], 0,
		    'another role';
		unlike slurp("$dir/master.cf"), qr/gatehouse_outbound/,
		    'takes the place of the first';
	}
	is +(config('--revert'))[0], 0, 'reverted';
	ok state() eq $before, 'byte for byte';
}

done_testing;
