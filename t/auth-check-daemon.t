#!/usr/bin/perl
# auth-check as a daemon, spoken to in the milter protocol: no Postfix.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Suite;

my $zone = <<'END';
pass.test	TXT	"v=spf1 ip4:192.0.2.0/24 -all"
fail.test	TXT	"v=spf1 -all exp=why.fail.test"
why.fail.test	TXT	"%{i} is not ours"
mail.pass.test	TXT	"v=spf1 a -all"
mail.pass.test	A	192.0.2.1
deep.test	TXT	"v=spf1 include:d1.test -all"
d1.test		TXT	"v=spf1 include:d2.test ?all"
d2.test		TXT	"v=spf1 a:host.test ?all"
host.test	A	192.0.2.1
servfail.test	TXT	SERVFAIL
helo.test	TXT	"v=spf1 -all"
END

sub suite {
	my %options = @_;
	my $s = Gatehouse::Suite->new(zone => $zone,
	    house => { networks => [ '203.0.113.0/24' ] },
	    dns_args => { latency => 100 });

	$s->milter('auth-check', %options)->daemons;
	return $s;
}

my $text = "From: a\@b.test\r\nSubject: x\r\n\r\nbody\r\n";
sub mail { return (client => '192.0.2.1', name => 'c.test',
    helo => 'mail.pass.test', rcpt => [ 'us@our.test' ], message => $text, @_) }

my $s = suite(spf_fail => 'reject', spf_temperror => 'tempfail',
    spf_helo_fail => 'tempfail', trusted_networks => [ '198.51.100.0/24' ]);
my $m = $s->session('auth-check');

# Cold: TXT deep, d1, d2 and A host, 100 ms each, counted from MAIL.
my $r = $m->message(mail(from => 'a@deep.test'));
is $r->{reply}, 'accept', 'cold: accepted';
like $r->{message}, qr/^Authentication-Results:[^\n]*\r?\n\tspf=pass\ 
    smtp\.mailfrom=a\@deep\.test/x, 'with a result';
cmp_ok $r->{ms}, '>', 200, 'the chain was waited for';
my $cold = $r->{ms};
$r = $m->message(mail(from => 'a@deep.test'));
is $r->{reply}, 'accept', 'warm: accepted';
cmp_ok $r->{ms}, '<', $cold, 'end of message does not wait for it again';

$r = $m->message(mail(from => 'a@fail.test'));
like $r->{reply}, qr/^550\ 5\.7\.23\ SPF\ fail:\ 192\.0\.2\.1\ is\ not
    \ allowed\ to\ send\ mail\ for\ fail\.test\ \(mechanism\ -all\);
    \ fail\.test\ says:\ 192\.0\.2\.1\ is\ not\ ours/x, 'the reply says why';
is_deeply $r->{edits}, [], 'what is refused is not edited';
$r = $m->message(mail(from => 'a@servfail.test'));
like $r->{reply}, qr/^451 4\.7\.24 SPF temperror: .*servfail\.test/,
    'DNS trouble, as configured';
$r = $s->session('auth-check')->message(mail(from => 'a@pass.test',
    helo => 'helo.test'));
like $r->{reply}, qr/^451 4\.7\.23 SPF HELO fail: /, 'HELO counts too';

# Who is not checked.
for ([ trusted => '198.51.100.7' ], [ outbound => '203.0.113.9' ]) {
	my ($why, $client) = @$_;
	$r = $s->session('auth-check')->message(mail(from => 'a@fail.test',
	    client => $client));
	is $r->{reply}, 'accept', "$why: accepted";
	unlike $r->{message}, qr/^Authentication-Results:/m, 'no result';
}

# T32, by the protocol: highest index first, or the wrong ones go.
my @ours = map { "$_\r\n" } 'Authentication-Results: mx.gatehouse.test; x=1',
    'AUTHENTICATION-RESULTS: MX.GATEHOUSE.TEST; x=2',
    "authentication-results:\r\n\tmx.gatehouse.test;\r\n\tx=3",
    'Authentication-Results: (c) "mx.gatehouse.test" 1; x=4',
    'Authentication-Results: mx.gatehouse.test x=5',
    'Authentication-Results: mx.gatehouse.test.; x=6',
    'Authentication-Results: x=7', 'Authentication-Results:';
my @other = map { "$_\r\n" } 'Authentication-Results: a.test; x=1',
    'authentication-results: mx.gatehouse.test.evil.test; x=2';
my $forged = join '', @ours[0, 1], $other[0], @ours[2 .. 6], $other[1],
    $ours[7], $text;
$r = $s->session('auth-check')->message(mail(from => 'a@pass.test',
    message => $forged));
(my $left = $r->{message}) =~ s/\A(Authentication-Results:.*?\r\n)(?![ \t])//s;
like $1, qr/^Authentication-Results: mx\.gatehouse\.test;\s+spf=pass/,
    'ours on top';
is $left, join('', @other, $text), 'eight forged ones gone, others kept';

# Bytes that mean harm where they are repeated.
$r = $s->session('auth-check')->message(mail(
    from => "a\"; x=\x01\xff\@pass.test", helo => "h;(\x02\xe4\"\\"));
is $r->{reply}, 'accept', 'odd envelope: accepted';
unlike +($r->{message} =~ /\A(.*?\r\n)(?![ \t])/s)[0], qr/[^\r\n\t\x20-\x7e]/,
    'and nothing but printable ASCII in our field';
$s->done;
