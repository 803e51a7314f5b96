#!/usr/bin/perl
# From a held message to the digest in a mailbox and back: the store daemon
# makes it, Postfix carries it, another program's MIME reader reads it, a mail
# with the token of its link releases the message, once (T49, T59); a digest on
# request; mail that nobody may be answered for.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;

use Gatehouse::Postfix;
use Gatehouse::Store;
use Gatehouse::Suite;

my $python = grep { -x "$_/python3" } split /:/, $ENV{PATH};
plan skip_all => 'NO PYTHON: nobody independent reads the digests'
    unless $python;

my $src = $ENV{GATEHOUSE_SRC} // '.';
my $build = Gatehouse::Suite::build();
my $s = Gatehouse::Suite->new;
my $store = Gatehouse::Store->new($s);
my %port = map { $_ => Gatehouse::Postfix::free_port() } qw(notice release);
my $us = 'us@gatehouse.test';

$s->{house}{inbound} = $s->{house}{outbound} = [ 'probe' ];
$s->milter('probe');
$s->service('store', key => $store->{key},
    release_server => "127.0.0.1:$port{release}", users => [ 'nobody' ],
    notices => $s->conf . '/notices.conf');
$s->conf_write('notices.conf', from => 'quarantine@gatehouse.test',
    digest => 'true', from_name => 'Mail "guard" 🛡',
    server => "127.0.0.1:$port{notice}",
    packaged_templates => "$src/etc/templates",
    release_address => 'release@gatehouse.test',
    request_address => 'digest@gatehouse.test', digest_times => [],
    timezone => 'Europe/Berlin',
    notify_recipients => [ 'virus' ], admins => [ 'it@gatehouse.test' ],
    notify_admins => [ 'virus' ]);

# What gatehouse-notices.conf(5) tells to put into main.cf and master.cf.
$s->{main}{transport_maps} = 'inline:{ { release@gatehouse.test = ' .
    'gatehouse-intake: }, { digest@gatehouse.test = gatehouse-intake: } }';
$s->{main}{'gatehouse-intake_destination_recipient_limit'} = 1;
$s->postfix(services => [
    { name => 'notice', port => $port{notice} },
    { name => 'release', port => $port{release},
    milters => [ 'unix:gatehouse/probe/sock' ], options => {
	local_header_rewrite_clients => '',
	receive_override_options => 'no_address_mappings' } } ],
    master => <<"END");
gatehouse-intake unix - n n - 4 pipe
  flags=q user=nobody null_sender= argv=$build/tools/gatehouse digest --intake
  --config ${\$s->conf} --sender \${sender} --recipient \${original_recipient}
  --client \${client_address}
END

# A message as Python's own reader sees it.
sub read_mail {
	my ($bytes) = @_;
	my $path = $s->dir . '/mail.eml';

	open my $f, '>:raw', $path or die $!;
	print $f $bytes;
	close $f;
	open my $p, '-|', 'python3', '-c', <<'END', $path or die $!;
import email, email.policy, json, sys
m = email.message_from_binary_file(open(sys.argv[1], 'rb'),
    policy=email.policy.default)
out = { 'head': [ [ k, str(v) ] for k, v in m.items() ],
    'type': m.get_content_type(), 'parts': [],
    'defects': [ str(d) for p in m.walk() for d in p.defects ] }
for p in m.walk():
    if p.get_content_maintype() == 'text':
        out['parts'].append([ p.get_content_type(), p.get_content() ])
json.dump(out, sys.stdout)
END
	local $/;
	my $mail = JSON::PP->new->utf8->decode(scalar <$p>);
	$mail->{field}{ lc $_->[0] } = $_->[1] for @{ $mail->{head} };
	return $mail;
}

# The next mail to that address; others are left out.
sub next_to {
	my ($to) = @_;

	while (my $mail = $s->sink->next(20)) {
		return $mail if "@{ $mail->{rcpt} }" =~ /^<\Q$to\E>/;
	}
	return undef;
}

sub held {
	my ($cause, %m) = @_;
	my $got = $s->send(header => "X-Probe: probe/hold cause:$cause\n",
	    rcpt => $us, %m);

	like $got, qr/^250 /, "held: $cause";
	return $s->log->wait_for(qr/gatehouse-store\[\d+\]: \Q${\
	    $s->queue_id($got)}\E: object=\w+, quarantine=held/);
}

my @config = ('--config', $s->conf);
like +($s->gatehouse('check-config', @config))[1], qr/^notices: right$/m,
    'the file and its templates are right';

# --- a notice at once ---
held('virus', subject => 'bad news');
my %seen;
for my $to ('it@gatehouse.test', $us) {
	my $mail = $s->sink->next(20) or last;
	$seen{"@{ $mail->{rcpt} }" =~ s/^<|>.*//gr} = read_mail($mail->{bytes});
}
is_deeply [ sort keys %seen ], [ 'it@gatehouse.test', $us ],
    'recipient and admin are told of a virus';
like $seen{$us}{parts}[0][1], qr/was not delivered/, 'in words';

# --- a digest ---
my $evil = '=?utf-8?q?=3C/td=3E=3Cscript=3Ealert=281=29=3C/script=3E' .
    '=E2=80=AE?=';
held('spam', subject => $evil, header_from => '"<b>Bob" <bob@client.test>');
held('graymail', subject => 'weekly news');
my ($status, $out) = $s->gatehouse('digest', '--preview', $us, @config);
is $status, 0, 'a preview';
my $preview = read_mail($out);
like $preview->{parts}[0][1], qr/release%20preview/, 'with links for nothing';
($status, $out) = $s->gatehouse('digest', '--due', @config);
is "$status $out", "0 digests: 0\n", 'none is due without a time';
($status, $out) = $s->gatehouse('digest', '--now', $us, @config);
is "$status $out", "0 digests: 1\n", 'one now';
my $mail = next_to($us);
is $mail->{mail} =~ s/ .*//r, '<>', 'from the null sender';
my $digest = read_mail($mail->{bytes});
is_deeply $digest->{defects}, [], 'Python finds no defect';
is $digest->{type}, 'multipart/alternative', 'two forms';
is $digest->{field}{'auto-submitted'}, 'auto-generated', 'says what it is';
is $digest->{field}{subject}, 'Quarantine report (3)', 'its subject';
is $digest->{field}{from}, "\"Mail \\\"guard\\\" \x{1f6e1}\"" .
    ' <quarantine@gatehouse.test>', 'its sender'
    or diag $digest->{field}{from};
like $digest->{field}{date}, qr/ \+0[12]00$/, 'on the clock of its reader';
my ($text, $html) = map { $_->[1] } @{ $digest->{parts} };
like $text, qr{Subject: </td><script>alert\(1\)</script>$}m,
    'text has the subject as it is, without the mark that turns it round';
unlike $html, qr/<script|\x{202e}/, 'HTML has no element of it';
like $html, qr/&lt;script&gt;/, 'but its letters';
my @tokens = $text =~ /release%20([a-z2-7]{26})/g;
is scalar @tokens, 2, 'a link for spam and newsletter, none for the virus';
my ($token) = $text =~ /weekly news.*?release%20([a-z2-7]{26})/s;

# --- the link, in three mails at the same time ---
my $before = $s->sink->count;
my @letters = map { $s->letter(from => 'x@client.test',
    rcpt => 'release@gatehouse.test', subject => "Re: release $token") } 1 .. 3;
for my $letter (@letters) {
	like $s->send(from => 'x@client.test', rcpt => 'release@gatehouse.test',
	    message => $letter), qr/^250 /, 'a release mail';
}
$s->log->wait_for(qr/gatehouse-store.*was=held, by=nobody|by=token:/);
$mail = next_to($us);
like $mail->{bytes}, qr/^Subject: weekly news\r$/m, 'the message comes';
$s->pf->wait_queue_empty;
$s->log->wait_for(qr/release=refused, by=token:\w{6}\.\.\., peer=/);
is $s->sink->count, $before + 1, 'once, and nobody is answered';
is scalar(() = $s->log->lines(qr/release=refused/)), 2,
    'the two others were too late';
is scalar(() = $s->log->lines(qr/\Q$token\E/)), 0, 'no log has the token';

# --- wrong ones ---
for my $wrong ('a' x 26, 'release ' . 'b' x 26, "release $token") {
	$s->send(from => 'x@client.test', rcpt => 'release@gatehouse.test',
	    subject => $wrong);
}
$s->pf->wait_queue_empty;
is $s->sink->count, $before + 1, 'wrong and spent ones do nothing';

# --- on request ---
sub asks {
	my (%m) = @_;

	$s->send(rcpt => 'digest@gatehouse.test', subject => 'please', %m);
	$s->pf->wait_queue_empty;
}
asks(from => $us);
$mail = next_to($us);
like read_mail($mail->{bytes})->{field}{subject}, qr/^Quarantine report \(2\)/,
    'a digest on request, of what is held still';
$before = $s->sink->count;
asks(from => $us);
asks(from => 'evil@client.test');
asks(from => 'evil@client.test', header_from => 'it@gatehouse.test');
asks(from => '');
asks(from => 'it@gatehouse.test', header => "Auto-Submitted: auto-replied\n");
is $s->sink->count, $before, 'not again at once, not to others, not for ' .
    'machines';
is scalar(() = $s->log->lines(qr/digest=refused, to=<evil\@client/)), 2,
    'those who ask from elsewhere are refused without a word';
like join("\n", $s->pf->log->lines(qr/gatehouse-intake/)),
    qr/ignored: auto-submitted/, 'and Postfix logs why';

# --- after a kill nobody is told twice, and what is told of from now on is not
# told of what was held before ---
$s->kill_milter('store');
my $notices = $s->conf . '/notices.conf';
open my $f, '<', $notices or die $!;
my $options = join '', <$f>;
close $f;
$options =~ s/(notify_recipients = \[ )/$1"spam", /;
open $f, '>', $notices or die $!;
print $f $options;
close $f;
$s->start_milter('store');
held('virus', subject => 'more bad news');
%seen = ();
for (1, 2) {
	my $one = $s->sink->next(20) or last;
	$seen{ read_mail($one->{bytes})->{field}{subject} }++;
}
is_deeply [ sort keys %seen ], [ 'A message to you was held back: more bad ' .
    'news', 'Held back: more bad news' ], 'only the new one';
$s->allow(qr/mended/);
$s->done;
