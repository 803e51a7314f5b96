#!/usr/bin/perl
# T29: reloads, right and wrong ones, while mail flows. What is wrong changes
# nothing and is logged with file and line; no message is lost or judged by
# half of two configurations; a thousand reloads leave nothing behind.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::DNS;
use Gatehouse::Milter;
use Gatehouse::Process;
use Gatehouse::Suite;

use constant { CLIENTS => 4, FIRST => 100, ALL => 1000 };

# A reload, and what the log says of it.
sub reload {
	my ($s, $name) = @_;

	$s->log->mark;
	$s->signal_milter($name, 'USR1');
	return $s->log->wait_for(
	    qr/configuration (?:reloaded|not reloaded)/, 20) // 'nothing';
}

sub text {
	my ($s, $file, $text) = @_;

	open my $f, '>', $s->conf . "/$file.new" or die $!;
	print $f $text;
	close $f;
	rename $s->conf . "/$file.new", $s->conf . "/$file";
}

# --- wrong in every way ---
my $s = Gatehouse::Suite->new->milter('probe', mark => 'old')->daemons;
my $conf = quotemeta $s->conf;
$s->allow(qr/error: configuration not reloaded/,
    qr/warning: \w+ was changed; it counts from the next start on/);
my $house = do { local @ARGV = $s->conf . '/gatehouse.conf'; join '', <> };
for (
	[ 'cut in the middle', 'probe.conf', qq(mark = "new";\nidle = "1), 2 ],
	[ 'no syntax', 'probe.conf', qq(mark = "new";\n\n= = =\n), 3 ],
	[ 'an unknown option', 'probe.conf',
	    qq(mark = "new";\nidel = "5s";\n), 2 ],
	[ 'a wrong type', 'probe.conf', qq(# x\n# y\nmark = 7;\n), 3 ],
	[ 'too much', 'probe.conf', qq(mark = "new"; sessions = 100001;), 1 ],
	[ 'twice the same', 'probe.conf',
	    qq(mark = "new";\nmark = "newer";\n), 2 ],
	[ 'an include that is not there', 'probe.conf',
	    qq(mark = "new";\n\@include "nowhere.conf"\n), 2 ],
	[ 'NULs', 'probe.conf', "mark = \"new\";\n\0\0\0\n", undef ],
	[ 'an unknown option for all', 'gatehouse.conf',
	    $house . "nonsense = 1;\n", 1 + ($house =~ tr/\n//) ],
	[ 'a key that is not there', 'gatehouse.conf',
	    qq(seal_key = "/nowhere/key";\n$house), undef ],
	[ 'several filters without a key', 'gatehouse.conf',
	    qq(inbound = [ "a", "probe" ];\n$house), undef ],
) {
	my ($what, $file, $text, $line) = @$_;
	my $where = defined $line ? qr/$conf\/\Q$file\E:$line: / : qr/\w/;

	text($s, $file, $text);
	my $said = reload($s, 'probe');
	like $said, qr/error: configuration not reloaded, the old one stays: /,
	    "$what: refused";
	like $said, $where, 'and told where';
	my $r = $s->talk('probe');
	is_deeply [ $s->fields($r->{message}, 'X-Mark') ], [ 'old' ],
	    'the old one counts';
	$s->house;
	$s->options('probe');
}
unlink $s->conf . '/probe.conf';
like reload($s, 'probe'), qr/not reloaded.*probe\.conf/, 'no file: refused';
$s->options('probe', mark => 'new');
chmod 0666, $s->conf . '/probe.conf';
like reload($s, 'probe'), qr/not reloaded.*probe\.conf.*chmod/,
    'a file that others may write: refused';
chmod 0644, $s->conf . '/probe.conf';
like reload($s, 'probe'), qr/configuration reloaded/, 'a right one';
is_deeply [ $s->fields($s->talk('probe')->{message}, 'X-Mark') ],
    [ 'new' ], 'counts at once';

# --- memory goes down and up again ---
my $big = join('', map { "X-$_: " . 'x' x 50000 . "\n" } 1 .. 20) . "\n" .
    'x' x 60000 . "\n";
$s->options('probe', memory => '1M');
like reload($s, 'probe'), qr/configuration reloaded/, 'less memory';
$s->allow(qr/warning: \w+: memory for messages is used up/,
    qr/warning: a session was turned away/);
like $s->talk('probe', message => $big)->{reply}, qr/^451 /,
    'a header block that does not fit: 451';
$s->options('probe', memory => '128M', sessions => 2);
reload($s, 'probe');
is $s->talk('probe', message => $big)->{reply}, 'accept', 'more memory';
# The last session may still be on its way out.
my @open;
for (1 .. 100) {
	@open = map { eval { $s->session('probe') } // () } 1 .. 3;
	last if @open >= 2;
	$_->quit for @open;
	sleep 0.1;
}
is scalar @open, 2, 'fewer sessions';
$_->quit for @open;
$s->options('probe', sessions => 1000, socket => '/nowhere/sock');
$s->house(journal_keep => 3, journal_age => '90d',
    state_directory => '/nowhere');
reload($s, 'probe');
for my $option (qw(socket journal_keep journal_age state_directory)) {
	ok $s->log->wait_for(qr/warning: $option was changed; it counts/, 1),
	    "$option waits, and the log says so";
}
is $s->talk('probe')->{reply}, 'accept', 'served as before';
$s->finish;

# --- needs that change under an open connection ---
$s = Gatehouse::Suite->new->milter('chain', filters => [ 'probe-head' ],
    -program => Gatehouse::Suite::build() . '/t/gatehouse-probe-chain');
$s->conf_write('probe.conf');
$s->conf_write('probe-head.conf', mark => 'head');
$s->daemons;
my %edit = (header => "X-Probe: body append\n", body => "a probe\n");
my $old = $s->session('chain');
my $r = $old->message($s->_filled(%edit));
unlike $r->{message}, qr/PROBE!/, 'a filter of headers leaves the body';
$s->options('chain', filters => [ 'probe-head', 'probe' ]);
like reload($s, 'chain'), qr/configuration reloaded/, 'one that reads bodies';
$s->allow(qr/warning: \w+: reloaded; this connection is too old/);
like $old->message($s->_filled(%edit))->{reply}, qr/^451 /,
    'a connection that brings no body: 451';
$r = $s->talk('chain', %edit);
like $r->{message}, qr/PROBE!/, 'a new one: edited';
my $new = $s->session('chain');
is $new->message($s->_filled(%edit))->{reply}, 'accept', 'and another';
$s->options('chain', filters => [ 'probe-head' ]);
reload($s, 'chain');
for my $session ($old, $new) {
	$r = $session->message($s->_filled(%edit));
	is $r->{reply}, 'accept', 'fewer needs: old connections are served';
	unlike $r->{message}, qr/PROBE!/, 'and the body is left';
}
$_->quit for $old, $new;
$s->finish;

# --- another resolver ---
my %dns = map { $_ => Gatehouse::DNS->start(zone =>
    qq(client.test\tTXT\t"v=spf1 ip4:192.0.2.1 $_"\n)) } qw(-all ~all);
$s = Gatehouse::Suite->new(house => { resolver => $dns{'-all'}->resolver })
    ->milter('auth-check', spf => 'mail-from', spf_fail => 'reject');
$s->daemons;
my %far = (client => '203.0.113.1', from => 'x@client.test');
like $s->talk('auth-check', %far)->{reply}, qr/^550 /, 'refused';
for (1 .. 5) {
	$s->house(resolver => $dns{'~all'}->resolver);
	like reload($s, 'auth-check'), qr/configuration reloaded/,
	    'another resolver';
	is $s->talk('auth-check', %far)->{reply}, 'accept', 'is asked';
	$s->house(resolver => $dns{'-all'}->resolver);
	reload($s, 'auth-check');
	like $s->talk('auth-check', %far)->{reply}, qr/^550 /, 'and back';
}
my $asked = $dns{'-all'}->asked('client.test', 'TXT');
reload($s, 'auth-check') for 1 .. 5;
like $s->talk('auth-check', %far)->{reply}, qr/^550 /, 'the same resolver';
is $dns{'-all'}->asked('client.test', 'TXT'), $asked, 'keeps its cache';
my $fds = $s->usage('auth-check')->{fds};
cmp_ok $fds, '<', 60, "$fds descriptors after eleven resolvers";
$s->finish;

# --- a thousand reloads under load ---
$s = Gatehouse::Suite->new->milter('probe', mark => 'a0',
    memory => '32M')->daemons;
$s->allow(qr/error: configuration not reloaded/);

# What is odd about an answer; empty: nothing.
sub odd {
	my ($word, $r) = @_;
	my @mark = $s->fields($r->{message}, 'X-Mark');
	my $want = $word eq 'reject' ? qr/^550 / :
	    $word eq 'trouble' ? qr/^451 / : qr/^accept$/;

	return "$word: $r->{reply}\n" if $r->{reply} !~ $want;
	return '' if $word =~ /reject|trouble/;
	return "$word: marks @mark\n" if @mark != 1 || $mark[0] !~ /^[ab]\d+$/;
	return "$word: not edited\n" if $word eq 'body' &&
	    $r->{message} !~ /\r\n\r\n(?:a PROBE!\r\n)+\z/;
	return '';
}

sub client {
	my ($me, $stop) = @_;
	my ($sent, $odd) = (0, '');
	my @words = qw(accept reject body append trouble);

	until (-e $stop) {
		my $m = $s->session('probe');
		for my $word (@words[map { rand @words } 1 .. 5]) {
			my $r = $m->message($s->_filled(body =>
			    "a probe\n" x (rand 2 < 1 ? 1 : 20000),
			    header => "X-Probe: $word\n"));
			$odd .= odd($word, $r);
			$sent++;
		}
		$m->quit;
	}
	open my $f, '>', "$stop.$me" or die $!;
	print $f "$sent\n$odd";
	close $f;
}

my %said;
sub reloads {
	my ($from, $to) = @_;
	my $stop = $s->dir . "/stop.$from";
	my @clients = map { my $me = $_;
	    Gatehouse::Process->start_sub(sub { client($me, $stop) }) }
	    1 .. CLIENTS;

	for my $n ($from .. $to) {
		if ($n % 10 == 3) { text($s, 'probe.conf', "mark = \"c\n") }
		elsif ($n % 10 == 7) { text($s, 'probe.conf', "mrak = 1;\n") }
		else {
			$s->options('probe', mark => ($n % 2 ? 'a' : 'b') .
			    $n, memory => 24 + $n % 16 . 'M');
		}
		$said{ reload($s, 'probe') =~ /not reloaded/ ? 'no' :
		    'yes' }++;
	}
	open my $f, '>', $stop or die $!;
	$_->wait(60) for @clients;
	my ($sent, @odd) = (0);
	for my $me (1 .. CLIENTS) {
		my ($n, @more) = Gatehouse::Log->new("$stop.$me")->lines;
		$sent += $n // 0;
		push @odd, @more, defined $n ? () : "client $me died\n";
	}
	is_deeply \@odd, [], "$sent messages while $from to $to: all answered " .
	    'as they should be';
	sleep 0.5;
	return $s->usage('probe');
}

my $sanitized = do {
	open my $maps, '<', '/proc/' . $s->process('probe')->pid . '/maps';
	grep { /lib[at]san/ } <$maps>;
};
my $after_first = reloads(1, FIRST);
my $after_all = reloads(FIRST + 1, ALL);
is $said{no}, ALL / 5, 'each wrong one was refused';
is $said{yes}, ALL - ALL / 5, 'each right one was taken';
cmp_ok $after_all->{fds}, '<=', $after_first->{fds}, 'no descriptor is lost';
cmp_ok $after_all->{threads}, '<=', $after_first->{threads}, 'nor a thread';
SKIP: {
	skip 'a sanitizer keeps what is freed', 1 if $sanitized;
	diag "resident kB: $after_first->{rss}, $after_all->{rss}";
	# Stacks and malloc's arenas of the sessions under way come and go
	# by 5 MB; a lost set of settings each time would be 10 MB and more.
	cmp_ok $after_all->{rss}, '<', $after_first->{rss} + 8192,
	    'nor memory';
}
$s->done;
