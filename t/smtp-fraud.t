#!/usr/bin/perl
# Fraud and the history of senders the whole way: auth-check finds who is
# proven, its findings come sealed to antispam, which knows the partner and his
# account; who takes a name, forges our domain or names another account is held.
# The history through kill -9, restart, reload and erasure.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use JSON::PP qw(decode_json);
use Test::More;

use Gatehouse::Journal;
use Gatehouse::Postfix;
use Gatehouse::Store;
use Gatehouse::Suite;

my $zone = <<'END';
partner.test	TXT	"v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.partner.test	TXT	"v=DMARC1; p=none"
bigmail.test	TXT	"v=spf1 ip4:192.0.2.0/24 -all"
partmer.test	TXT	"v=spf1 ip4:192.0.2.0/24 -all"
END
my ($iban, $other) = ('DE89 3704 0044 0532 0130 00',
    'LT12 1000 0111 0100 1000');
my ($boss, $us) = ('erika@gatehouse.test', 'us@gatehouse.test');

my $s = Gatehouse::Suite->new(zone => $zone);
my $dir = $s->dir;
sub put {
	my ($path, $text) = @_;

	open my $f, '>', $path or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
	chmod 0600, $path;
}
put("$dir/seal.key", '0123456789abcdef' x 4 . "\n");
%{ $s->{house} } = (%{ $s->{house} // {} }, seal_key => "$dir/seal.key",
    inbound => [ 'auth-check', 'antispam' ],
    outbound => [ 'auth-check', 'antispam' ],
    outbound_daemons => [ 'ORIGINATING' ]);
Gatehouse::Store->new($s);

make_path("$dir/state/directory/current");
put("$dir/state/directory/current/directory", <<"END");
gatehouse-directory 1
D gatehouse.test
A chiefs\@gatehouse.test	otto\@gatehouse.test
U otto\@gatehouse.test	attr.name=Otto Gro\xc3\x9f	attr.private=otto\@bigmail.test
++++ 3
END

$s->milter('auth-check', iprev => 'false', harvest => 'false',
    spf_fail => 'accept');
$s->milter('antispam', model =>
    "$ENV{GATEHOUSE_SRC}/milters/antispam/antispam.model", act_at => 101,
    tag_at => 101, history => 4096, history_after => '0s',
    protected => [ "Erika M\xc3\xbcller <$boss>", 'chiefs@gatehouse.test' ],
    scope => [ { user => 'two@gatehouse.test', fraud_allow =>
    [ 'partner.test' ] } ]);
# Of all that a milter needs, the map is made first.
$s->house;
$s->options($_) for qw(auth-check antispam);
my ($rc, $said) = $s->gatehouse('policy', 'compile', '--config', $s->conf);
is $rc, 0, 'a policy with the directory' or diag $said;
$s->service('track', maillogs => [ "$dir/log/mail.log" ]);
my $port = Gatehouse::Postfix::free_port();
$s->service('store', reserve => 0, key => "$dir/store.key",
    release_server => "127.0.0.1:$port", release_retry => '300ms');
my @milters = map { "unix:gatehouse/$_/sock" } qw(auth-check antispam);
$s->postfix(services => [
    { name => 'chain', milters => [ @milters ] },
    { name => 'out', milters => [ @milters ], options => {
	milter_macro_daemon_name => 'ORIGINATING' } },
    { name => 'release', port => $port, milters => [ @milters ], options => {
	local_header_rewrite_clients => '',
	receive_override_options => 'no_address_mappings' } } ]);

my $ids = 0;
sub in {
	my ($from, $text, %m) = @_;
	my ($address) = $from =~ /<(.*)>/;
	my $id = $m{message_id} // 'in' . ++$ids . '@x.test';

	return $s->send(service => 'chain', from => $m{sender} // $address,
	    client => '192.0.2.1', message => "From: $from\nTo: $us\nSubject: " .
	    ($m{subject} // 'Invoice') . "\nMessage-ID: <$id>\nDate: Thu, 26 " .
	    "Nov 2026 10:00:00 +0000\nMIME-Version: 1.0\nContent-Type: " .
	    "text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" .
	    $text, %m);
}
# What antispam did, and its reason.
sub rule {
	my ($answer) = @_;
	my $line = $s->line('antispam', $s->queue_id($answer), 20) // '';

	return $line =~ /verdict=(\w+), rule=([\w-]+).*?(\(.*)?$/ ?
	    "$1 $2" : $line;
}
# What the quarantine has of it.
sub row {
	my $id = $s->queue_id($_[0]);
	my $end = time + 20;

	while (time < $end) {
		my ($rc, $rows) = $s->gatehouse('quarantine', 'list', '--json',
		    '--state-directory', "$dir/state");
		for my $row (map { decode_json($_) } split /\n/, $rows) {
			return $row if $row->{queue_id} eq $id;
		}
		select undef, undef, undef, 0.1;
	}
	return { cause => 'nothing is held', object => '-' };
}
sub history {
	my ($rc, $text) = $s->gatehouse('spam', 'history', '--config',
	    $s->conf, '--json', @_);
	return map { $_->{name} => $_ } @{ decode_json($text) };
}

# --- a partner becomes known ---
my $got = in('Billing <billing@partner.test>', "Please pay to $iban.\n",
    message_id => 'first@partner.test');
is rule($got), 'accept none', 'a first invoice';
my $mail = $s->sink->next(20);
like $mail->{bytes}, qr/^X-Gatehouse-Spam: \d+ %/m, 'arrives, judged';
like $s->without_received($mail->{bytes}),
    qr/\r\n\r\nPlease pay to \Q$iban\E\.\r\n$/, 'byte for byte';
in('Billing <billing@partner.test>', "Please pay to $iban.\n",
    message_id => 'first@partner.test');
$s->sink->next(20);
my %h = history('billing@partner.test');
is "@{ $h{'billing@partner.test'} }{qw(messages spam recipients written)}",
    '1 0 1 0', 'counted once, retry or not';
is "@{ $h{'partner.test'} }{qw(messages accounts)}", '1 1',
    'the domain too, and its account';
in('Billing <billing@partner.test>', "x\n", client => '198.18.0.1');
$s->sink->next(20);
%h = history('billing@partner.test');
is $h{'billing@partner.test'}{messages}, 1, 'what is not proven is not counted';

# --- deceit ---
for (
	[ 'another account of his', 'Billing <billing@partner.test>',
	    "We changed our bank. The new bank details: $other\n",
	    qr/never named the account \**1000/ ],
	[ 'a name of ours', "Erika Mueller <erika.m\@bigmail.test>",
	    "Are you at your desk? I need you to handle something.\n",
	    qr/name of Erika .* with the foreign address/ ],
	[ 'a name of the directory', '"Gross, Otto" <chef@bigmail.test>',
	    "Sind Sie im B\xc3\xbcro? Bitte nur per E-Mail.\n",
	    qr/name of Otto .* with the foreign address/ ],
	[ 'our domain', "Erika <$boss>", "Please make a payment today.\n",
	    qr/gatehouse\.test is ours, and nothing proves/ ],
	[ 'like the partner', 'Billing <billing@partmer.test>',
	    "New bank details: $other\nPlease process the payment urgently.\n",
	    qr/partmer\.test looks like one that we know/ ],
) {
	my ($what, $from, $text, $why) = @$_;

	# Only whom we know can be imitated.
	if ($what eq 'like the partner') {
		is $s->send(service => 'out', client => '10.0.0.5', from => $us,
		    rcpt => 'billing@partner.test', body => "Thanks\n") =~
		    /^250/ ? 1 : 0, 1, 'we write to the partner';
		$s->sink->next(20);
		%h = history('billing@partner.test');
		is $h{'billing@partner.test'}{written}, 1, 'which is noted';
	}
	$got = in($from, $text);
	is rule($got), 'quarantine fraud', $what;
	is row($got)->{cause}, 'fraud', 'held as fraud';
	my ($event) = grep { ($_->{'gatehouse.queue_id'} // '') eq
	    $s->queue_id($got) } Gatehouse::Journal->events(
	    "$dir/state/antispam");
	like $event->{'gatehouse.spam.reasons'}, $why, 'for that reason';
}
my ($event) = grep { ($_->{'gatehouse.spam.reasons'} // '') =~ /account/ }
    Gatehouse::Journal->events("$dir/state/antispam");
unlike $event->{'gatehouse.spam.reasons'}, qr/10000111/,
    'the account is masked';
$got = in('Billing <billing@partner.test>', "We changed our bank. The new " .
    "bank details: $other\n");
is rule($got), 'quarantine fraud', 'again: what was fraud taught nothing';

$got = in('Billing <billing@partner.test>', "We changed our bank. The new " .
    "bank details: $other\n", rcpt => 'two@gatehouse.test');
is rule($got), 'accept none', 'but one of us takes all of theirs';
$s->sink->next(20);
$got = in('Billing <billing@partner.test>', "x\n\nErika M\xc3\xbcller\n",
    rcpt => 'two@gatehouse.test', client => '198.18.0.1', subject =>
    'Please make a payment, keep this between us');
is rule($got), 'quarantine fraud', 'where nothing proves it, he does not';

# --- a release is a correction ---
$got = in('John Namesake <erika.mueller@bigmail.test>', "Please make a " .
    "payment, I'm in a meeting. Are you available?\n");
is rule($got), 'quarantine fraud', 'a namesake';
%h = history('erika.mueller@bigmail.test');
is "@{ $h{'erika.mueller@bigmail.test'} }{qw(messages spam)}", '1 1',
    'noted as bad';
is +($s->gatehouse('quarantine', 'release', '--state-directory',
    "$dir/state", row($got)->{object}))[0], 0, 'released';
ok $s->sink->next(20), 'it arrives';
%h = history('erika.mueller@bigmail.test');
is "@{ $h{'erika.mueller@bigmail.test'} }{qw(messages spam)}", '1 0',
    'it was good after all';

# --- honest ---
$got = in('Otto Gross <otto@bigmail.test>', "Are you at your desk? Please " .
    "make a payment.\n");
is rule($got), 'accept none', 'his private address, from the directory';
$s->sink->next(20);

# --- kill -9, restart, reload ---
$s->allow(qr/the last run ended/);
$s->kill_milter('antispam');
$s->start_milter('antispam');
%h = history('billing@partner.test');
is $h{'billing@partner.test'}{written}, 1, 'known after kill -9';
$got = in('Billing <billing@partner.test>', "Please pay to $iban.\n");
is rule($got), 'accept none', 'his own account still is';
$s->sink->next(20);
$got = in('Billing <billing@partner.test>', "New bank details: $other\n");
is rule($got), 'quarantine fraud', 'and another one is not';
$s->log->mark;
$s->options('antispam', history => 0);
$s->signal_milter('antispam', 'USR1');
ok $s->log->wait_for(qr/antispam\[\d+\]: .*configuration reloaded/, 10),
    'switched off';
$got = in('Billing <billing@partner.test>', "New bank details: $other\n");
is rule($got), 'accept none', 'nobody knows';
$s->sink->next(20);
$s->log->mark;
$s->options('antispam', history => 4096);
$s->signal_milter('antispam', 'USR1');
$s->log->wait_for(qr/antispam\[\d+\]: .*configuration reloaded/, 10);
$got = in('Billing <billing@partner.test>', "New bank details: $other\n");
is rule($got), 'quarantine fraud', 'and on again';

# --- the command ---
($rc, my $text) = $s->gatehouse('spam', 'history', '--config', $s->conf,
    'nobody@nowhere.test');
is $rc, 1, 'nothing is known of a stranger';
($rc, $text) = $s->gatehouse('spam', 'history', '--config', $s->conf,
    'Billing@Partner.test');
like $text, qr/^billing\@partner\.test \(antispam\): since \d{4}-.* 1 times/m,
    'in words';
is +($s->gatehouse('spam', 'history', '--config', $s->conf, 'a b'))[0], 64,
    'no address';
($rc, $text) = $s->gatehouse('forget', '--state', "$dir/state", '--json',
    'billing@partner.test');
is decode_json($text)->{histories}, 1, 'gatehouse forget erases it';
%h = history('billing@partner.test');
is join(' ', keys %h), 'partner.test', 'the firm stays';
open my $f, '<:raw', "$dir/state/antispam/history" or die $!;
{ local $/; unlike scalar <$f>, qr/partner|billing|DE89/, 'no name in the file' }

$s->done;
