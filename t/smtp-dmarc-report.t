#!/usr/bin/perl
# Letters through a private Postfix and auth-check, the journal that it writes
# about them, the reports that gatehouse dmarc-report makes of it, and these
# through the same Postfix to whom they are for: they count what was sent.
use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use IO::Uncompress::Gunzip qw(gunzip);
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(decode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Suite;

my $src = $ENV{GATEHOUSE_SRC} // "$FindBin::Bin/..";
my $tool = Gatehouse::Suite::build() . '/t/sign-mail';
plan skip_all => "$tool is not built" unless -x $tool;
my $xmllint = grep { -x "$_/xmllint" } split /:/, $ENV{PATH};
diag 'NO xmllint: no report is held against a schema (libxml2-utils)'
    unless $xmllint;

my $dir = tempdir('gatehouse-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chomp(my $key = `$tool key rsa 2048 $dir/key`);
my $txt = join ' ', map { "\"$_\"" } $key =~ /(.{1,200})/g;
my $zone = <<"END";
s._domainkey.good.test	TXT	$txt
good.test	TXT	"v=spf1 ip4:192.0.2.1 -all"
_dmarc.good.test	TXT	"v=DMARC1; p=reject; adkim=s; rua=mailto:agg\@good.test"
_dmarc.quar.test	TXT	"v=DMARC1; p=quarantine; rua=mailto:q\@reports.test,mailto:q\@stranger.test"
quar.test._report._dmarc.reports.test	TXT	"v=DMARC1"
_dmarc.watch.test	TXT	"v=DMARC1; p=none; rua=mailto:agg\@watch.test"
_dmarc.quiet.test	TXT	"v=DMARC1; p=none"
END
my $s = Gatehouse::Suite->new(zone => $zone)->milter('auth-check');
$s->postfix;
my $began = int time;

sub put {
	my ($path, $text) = @_;

	open my $f, '>:raw', $path or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
	return $path;
}

sub signed {
	my ($mail) = @_;

	$mail =~ s/\n/\r\n/g;
	put("$dir/plain", $mail);
	`$tool dkim $dir/key good.test s < $dir/plain > $dir/signed`;
	die 'sign-mail failed' if $?;
	open my $f, '<:raw', "$dir/signed" or die;
	local $/;
	return <$f>;
}

# Who, from where, how often, signed or not; the answers.
sub letters {
	my ($n, $from, $client, $sign) = @_;
	my @answers;

	for (1 .. $n) {
		my $letter = $s->letter(from => $from,
		    rcpt => 'us@gatehouse.test');
		push @answers, $s->send(from => $from, client => $client,
		    message => $sign ? signed($letter) : $letter) =~ s/ .*//sr;
	}
	return "@answers";
}

is letters(2, 'a@good.test', '192.0.2.1', 1), '250 250', 'signed and allowed';
is letters(1, 'a@good.test', '203.0.113.7', 1), '250', 'signed, forwarded';
is letters(1, 'a@good.test', '192.0.2.1', 0), '250', 'not signed, allowed';
is letters(3, 'a@good.test', '203.0.113.7', 0), '550 550 550', 'forged';
is letters(2, 'a@sub.quar.test', '203.0.113.7', 0), '250 250', 'held';
is letters(2, 'a@watch.test', '203.0.113.7', 0), '250 250', 'watched';
is letters(1, 'a@quiet.test', '203.0.113.7', 0), '250', 'nobody wants to know';
ok $s->sink->next(20), 'arrived' for 1 .. 7;

# --- the reports ---

$s->conf_write('dmarc-report.conf', submitter => 'mx.gatehouse.test',
    email => 'dmarc@gatehouse.test', sendmail => put("$dir/sendmail",
    "#!/bin/sh\nexec /usr/sbin/sendmail -C " . $s->pf->config . ' "$@"' .
    "\n"));
chmod 0755, $dir, "$dir/sendmail";
my $end = int(time) + 1;
sleep 0.05 while time < $end;		# only what is over is reported on
my @args = ('dmarc-report', '--config', $s->conf, '--from', $began, '--to',
    $end);
my ($status, $text) = $s->gatehouse(@args);
is $status, 0, 'looked at' or diag $text;
is_deeply [ sort $text =~ /^\s*(\S+\@\S+): (?:would|refused)/mg ],
    [ qw(agg@good.test agg@watch.test q@reports.test q@stranger.test) ],
    'who is to hear of it' or diag $text;
($status, $text) = $s->gatehouse(@args, '--send');
is $status, 0, 'sent' or diag $text;

my %report;
for (1 .. 3) {
	my $mail = $s->sink->next(20) or last;
	my ($to) = map { /<(.*)>/ } @{ $mail->{rcpt} };
	my ($head, $body) = split /\r\n\r\n/, $mail->{bytes}, 2;

	is $mail->{mail} =~ s/ .*//r, '<>', "$to: null reverse-path";
	gunzip(\decode_base64($body) => \$report{$to});
	SKIP: {
		skip 'no xmllint', 1 unless $xmllint;
		my $file = put("$dir/x.xml", $report{$to});
		my $said = `xmllint --noout --schema \\
		    $src/t/dmarc-report/rfc9990.xsd $file 2>&1`;
		is $?, 0, "$to: valid" or diag $said, $report{$to};
	}
}
is_deeply [ sort keys %report ],
    [ qw(agg@good.test agg@watch.test q@reports.test) ],
    'to those who agreed, and to nobody else';

# Rows: address, count, disposition, dkim, spf, From.
sub rows {
	my ($xml) = @_;

	return [ sort map { my $r = $_; join ' ', map { $r =~ m{<$_>(.*?)</$_>}
	    ? $1 : '-' } qw(source_ip count disposition dkim spf header_from) }
	    ($xml // '') =~ m{<record>(.*?)</record>}gs ];
}
is_deeply rows($report{'agg@good.test'}), [
    '192.0.2.1 1 pass fail pass good.test',
    '192.0.2.1 2 pass pass pass good.test',
    '203.0.113.7 1 pass pass fail good.test',
    '203.0.113.7 3 reject fail fail good.test' ], 'seven of good.test';
is_deeply rows($report{'q@reports.test'}),
    [ '203.0.113.7 2 quarantine fail fail sub.quar.test' ], 'two were held';
is_deeply rows($report{'agg@watch.test'}),
    [ '203.0.113.7 2 none fail fail watch.test' ], 'two were watched';
like $report{'agg@good.test'} // '', qr{<adkim>s</adkim>.*<p>reject</p>}s,
    'the policy as it was published';
like $report{'agg@good.test'} // '', qr{<domain>good\.test</domain>\s*(?#
    )<selector>s</selector>\s*<result>pass</result>}s, 'who signed';
($status, $text) = $s->gatehouse(@args, '--send');
unlike $text, qr/: sent/, 'and never twice';
$s->done;
