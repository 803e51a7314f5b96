#!/usr/bin/perl
# gatehouse lint on files, with DNS and without; what gatehouse doctor finds
# about outbound mail.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;

use Gatehouse::Doctor;
use Gatehouse::Suite;

my $s = Gatehouse::Suite->new(zone => <<'END', house => {
news.test		MX	10 mx.news.test
news.test		TXT	"v=spf1 mx -all"
s1._domainkey.news.test	TXT	"v=DKIM1; p=abc"
host.test		A	192.0.2.1
null.test		MX	0 .
END
    domains => [ 'our.test' ], outbound => [ 'predelivery' ] });
$s->house;
my %conf = (dkim_selectors => [ 's1' ], abuse_address => 'abuse@news.test',
    scope => [ { user => 'bulk@our.test', lint_date => 'refuse' },
    { user => 'off@our.test', lint => 'off' } ]);
$s->conf_write('predelivery.conf', %conf);

my $file = $s->dir . '/letter';
sub letter {
	my (%with) = @_;
	my %is = (From => 'News <n@news.test>', To => 'a@b.test, c@d.test',
	    Subject => 'x', Date => 'Sun, 22 Nov 2026 10:00:00 +0000',
	    'Message-ID' => '<1@news.test>',
	    'List-Unsubscribe' => '<https://news.test/u>',
	    'List-Unsubscribe-Post' => 'List-Unsubscribe=One-Click', %with);

	open my $f, '>', $file or die "$file: $!";
	print $f map({ defined $is{$_} ? "$_: $is{$_}\n" : () } sort keys %is),
	    "\nunsubscribe: https://news.test/u \e[31mimprint\n";
	close $f;
}

sub lint {
	my ($status, $text) = $s->gatehouse('lint', '--config', $s->conf,
	    '--now', 1795341600, '--json', @_, $file);
	my $is = eval { JSON::PP::decode_json($text) } // {};

	$is->{status} = $status;
	$is->{by} = { map { $_->{id} => $_ } @{ $is->{rules} // [] } };
	$is->{bad} = join ' ', map { $_->{id} } grep { $_->{result} eq 'bad' }
	    @{ $is->{rules} // [] };
	return $is;
}

letter();
my $is = lint();
is $is->{status}, 0, 'a good letter';
is $is->{bad}, 'sender-address', 'all is right but what is off anyway';
is $is->{by}{'sender-address'}{severity}, 'off', 'as is told';
is $is->{by}{spf}{result}, 'good', 'DNS was asked';
is $is->{bulk}, 'it has the field List-Unsubscribe', 'why it is bulk';
is scalar @{ $is->{rules} }, 21, 'every rule has a result';
is lint('--no-dns')->{by}{spf}{result}, 'unknown', 'DNS was not asked';

letter(Date => 'yesterday');
is lint()->{status}, 0, 'a warning';
$is = lint('--login', 'bulk@our.test');
is $is->{status}, 1, 'for somebody else it is a refusal';
is $is->{refused}, JSON::PP::true, 'and is called one';
is $is->{by}{date}{severity}, 'refuse', 'by that rule';
is lint('--login', 'off@our.test')->{by}{date}{severity}, 'off',
    'and for another nothing is asked';
is lint('--mail-from', '<postmaster@host.test>')->{bad}, 'sender-mx ' .
    'role-sender date spf', 'another MAIL FROM';
is lint('--rcpt', 'abuse@x.test')->{bad}, 'sender-address date ' .
    'role-recipients', 'another recipient';
letter('List-Unsubscribe' => undef, To => 'a@b.test');
is lint()->{bulk}, 'it has the field List-Unsubscribe-Post',
    'one field is enough';

my ($status, $text) = $s->gatehouse('lint', '--config', $s->conf, '--no-dns',
    $file);
like $text, qr/^bad      warn    list-unsubscribe: there is no List-Unsub/m,
    'as text';
unlike $text, qr/[^\n -~]/, 'that is fit for a terminal';
for my $wrong ([ 64 ], [ 64, 'a', 'b' ], [ 64, '--now', 'x', $file ],
    [ 66, "$file.none" ], [ 64, '--nonsense', $file ]) {
	my ($want, @args) = @$wrong;
	is +($s->gatehouse('lint', '--config', $s->conf, @args))[0], $want,
	    "lint @args: $want";
}
$s->conf_write('predelivery.conf', bounce_keyed => 'true');
is +($s->gatehouse('lint', '--config', $s->conf, $file))[0], 78,
    'a wrong configuration';

# --- doctor ---
SKIP: {
	skip 'doctor wants root', 1 if $> != 0;
	my $dir = $s->dir . '/postfix';

	mkdir $dir;
	my $main = sub {
		open my $f, '>', "$dir/main.cf" or die "$dir: $!";
		print $f @_, "smtpd_recipient_limit = 10000\n" x !"@_",
		    "message_size_limit = 400000000\n" x !"@_";
		close $f;
		open $f, '>', "$dir/master.cf" or die;
	};
	my $configure = sub {
		$s->conf_write('predelivery.conf', %conf, @_);
	};
	my $d = Gatehouse::Doctor->new($s, postfix_dir => $dir);

	$main->();
	$configure->();
	$d->well('outbound');
	my $f = $d->finds('outbound.no-abuse-address', 'nobody reads complaints',
	    break => $configure->(abuse_address => ''));
	$d->heals($f, sub { $configure->() });
	for my $lost ('abuse@gone.test', 'abuse@null.test') {
		$configure->(abuse_address => $lost);
		$d->heals($d->finds('outbound.abuse-address-lost',
		    "$lost gets no mail"), sub { $configure->() });
	}
	$configure->(abuse_address => 'abuse@host.test');
	$d->well('outbound');
	$main->("message_size_limit = 400000000\nsmtpd_recipient_limit = 600\n");
	$d->heals($d->finds('outbound.recipient-limit',
	    'Postfix stops at 600'));
	$main->("message_size_limit = 10240000\nsmtpd_recipient_limit=9999\n");
	$d->heals($d->finds('outbound.size-limit', 'Postfix stops at 10 MB'));
	$d->provoked('outbound');
}

$s->done;
