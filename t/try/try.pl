#!/usr/bin/perl
# The work of ./try, which builds first. Letters and what should become of
# them: t/try/cases; their domains: t/try/zone.
use strict;
use warnings;

use File::Path qw(make_path);
use File::Temp qw(tempdir);
use FindBin;
use Getopt::Long;
use MIME::Base64 qw(encode_base64);
use lib "$FindBin::Bin/../lib";

use Gatehouse::Store;
use Gatehouse::Suite;

my ($once, $keep, $port);
GetOptions('once' => \$once, 'keep=s' => \$keep, 'port=i' => \$port) or exit 2;

my $build = $ENV{GATEHOUSE_BUILD};
my $bad = 0;
my $explained = 0;		# letters that were explained in full
my $stop = 0;
$| = 1;

# The order of DESIGN.md, 2; those that this tree has.
my @milters = grep { -x "$build/milters/$_/gatehouse-$_" } qw(auth-check
    antivirus-multiscan antispam attachment-dlp archive-tap predelivery
    url-rewrite encrypt-sign);
die "no milter was built\n" unless @milters;

# Signatures for the show: EICAR alone. Nothing is downloaded.
my $eicar = join '', 'X5O!P%@AP[4\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-',
    'ANTIVIRUS-TEST-FILE!$H+H*';
my $work = tempdir(CLEANUP => 1);

# How each is set for the show, where that is not its default.
my %options = (
	'antivirus-multiscan' => { clamav_database => "$work/db",
	    max_signature_age => '0s', infected => 'reject' },
	'antispam' => { action => 'tag', protected =>
	    [ 'Erika Muster <erika@gatehouse.test>' ],
	    model => "$FindBin::Bin/../../milters/antispam/antispam.model" },
	'attachment-dlp' => { remove => [ 'class:script' ], quarantine => [] },
	'predelivery' => { rules => "$work/rules.conf" },
	'auth-check' => { spf_fail => 'reject', spf_softfail => 'tag',
	    spf_temperror => 'tag', spf_permerror => 'tag' },
);

# A rule for the show.
my $rules = <<'END';
rules = (
  { name = "offers"; mode = "active";
    when = { direction = "in"; language = "de";
             subject = { contains = "Angebot"; }; };
    then = { tag_subject = "[Angebot]"; add_header = "X-Desk: sales";
             add_recipient = "sales@gatehouse.test"; }; }
);
END

sub slurp {
	my ($path) = @_;

	open my $f, '<:raw', $path or die "$path: $!\n";
	local $/;
	return <$f>;
}

sub put {
	my ($path, $bytes) = @_;

	open my $f, '>:raw', $path or die "$path: $!\n";
	print $f $bytes;
	close $f or die "$path: $!\n";
}

# What letters carry is made here, so that no scanner takes this tree away:
# @EICAR@ in the test file's place, @ZIP password@ for a zip of it.
sub filled {
	my ($letter) = @_;

	$letter =~ s/^\@EICAR\@\n/encode_base64($eicar)/me;
	$letter =~ s/^\@ZIP (\w+)\@\n/encode_base64(locked($1))/me;
	return $letter;
}

sub locked {
	my ($password) = @_;

	put("$work/eicar.com", $eicar);
	unlink "$work/made.zip";
	system('zip', '-q', '-j', '-P', $password, "$work/made.zip",
	    "$work/eicar.com") == 0 or die "zip: $?\n";
	return slurp("$work/made.zip");
}

# A list of hashes; a key that comes twice gives a list.
sub cases {
	my @cases;

	for (split /\n/, slurp("$FindBin::Bin/cases")) {
		next if /^#/ || /^\s*$/;
		if (/^\[(.*)\]$/) {
			push @cases, { file => $1, has => [], lacks => [],
			    rcpt => [] };
			next;
		}
		my ($key, $value) = /^(\w+)\s+(.*)$/ or die "cases: $_\n";
		if (ref $cases[-1]{$key}) { push @{ $cases[-1]{$key} }, $value }
		else { $cases[-1]{$key} = $value }
	}
	return @cases;
}

sub row {
	my ($what, @lines) = @_;

	for (map { split /\n/ } @lines) {
		printf "   %-10s %s\n", $what, s/[^ -~]/?/gr;
		$what = '';
	}
}

sub wrong {
	$bad++;
	row('', "NOT AS IT SHOULD: $_[0]");
}

# Header fields, unfolded, in order.
sub fields {
	my ($bytes) = @_;
	my ($head) = $bytes =~ /\A(.*?\r?\n)(?:\r?\n|\z)/s;

	return map { s/\r?\n[ \t]+/ /gr } split /\r?\n(?![ \t])/, $head // '';
}

# What the way through Postfix added and took.
sub changes {
	my ($sent, $arrived) = @_;
	my (%had, @lines);

	$had{$_}++ for fields($sent);
	for (fields($arrived)) {
		next if /^Received: .* by mx\.gatehouse\.test \(Postfix\)/;
		push @lines, "+ $_" unless $had{$_} && $had{$_}--;
	}
	push @lines, map { ("- $_") x $had{$_} } sort grep { $had{$_} > 0 }
	    keys %had;
	return @lines;
}

sub body { $_[0] =~ s/\A.*?\r?\n\r?\n//sr =~ s/\r?\n/\r\n/gr }

sub arrived {
	my ($case, $sent, $mail) = @_;

	if (!$mail) {
		row('arrived', $case->{held} ? 'nothing: it is held' :
		    'nothing, as the client was told');
		return wrong('nothing arrived')
		    if $case->{answer} =~ /^2/ && !$case->{held};
		return;
	}
	wrong('it should be held') if $case->{held};
	row('arrived', join ', ', map { s/ .*//r } @{ $mail->{rcpt} });
	row('', changes($sent, $mail->{bytes}));
	row('', body($sent) eq body($mail->{bytes}) ?
	    '  body byte for byte' : '~ the body was changed');
	my @all = fields($mail->{bytes});
	for my $want (@{ $case->{has} }) {
		wrong("no field like /$want/") unless grep { /$want/i } @all;
	}
	for my $want (@{ $case->{lacks} }) {
		wrong("a field like /$want/") if grep { /$want/i } @all;
	}
}

# A line of the log for people: verdict, rule, reason, milliseconds.
sub in_words {
	my ($line) = @_;
	my %is = $line =~ /\b(verdict|rule|ms)=([^,\s]+)/g;
	my ($why) = $line =~ /\((.*)\)$/;

	return "$is{verdict}, rule $is{rule}, after $is{ms} ms\n" .
	    ($why // '');
}

# What each milter decided, from its line in the log; in full for the first.
sub decided {
	my ($s, $answer) = @_;
	my $id;

	for my $milter (@milters) {
		my $line = $s->log->wait_for(qr/gatehouse-\Q$milter\E\[.*
		    verdict=/x, 5) // '';
		row($milter, $line ne '' ? in_words($line) : 'no line in log');
		wrong("$milter logged nothing") if $line eq '';
		$id = $1 if $line =~ /\]: (\w+): verdict/ && $1 ne 'NOQUEUE';
		# Nobody behind it is shown what it did not let through.
		last if $line !~ /verdict=accept/;
	}
	return unless defined $id;
	my ($status, $text) = $s->gatehouse('explain', '--config', $s->conf,
	    $id);
	row('', "(gatehouse explain $id)");
	row('', map { "  $_" } split /\n/, $text) unless $explained++;
	wrong("gatehouse explain $id: exit status $status") if $status;
}

sub one {
	my ($s, $n, $case) = @_;
	my $sent = filled(slurp("$FindBin::Bin/$case->{file}"));
	my @rcpt = @{ $case->{rcpt} };

	printf "\n%d. %s: %s\n", $n, $case->{file}, $case->{shows};
	row('sent', "from $case->{client} as $case->{helo}, " .
	    "<$case->{from}> to " . join ', ', map { "<$_>" } @rcpt);
	$s->log->mark;
	my $answer = $s->send(client => $case->{client}, rcpt => \@rcpt,
	    helo => $case->{helo}, message => $sent, from => $case->{from},
	    name => $case->{name});
	decided($s, $answer);
	row('Postfix', $answer);
	wrong("/$case->{answer}/ was due") unless $answer =~ /$case->{answer}/;
	arrived($case, $sent, scalar $s->sink->next(
	    $answer =~ /^2/ && !$case->{held} ? 30 : 0.3));
}

# gatehouse(1) as an administrator would call it: status and what it said.
sub command {
	my ($s, @words) = @_;
	my ($status, $text) = $s->gatehouse(@words, '--config', $s->conf);

	row('$', "gatehouse @words");
	row('', map { "  $_" } split /\n/, $text);
	return ($status, $text);
}

# What a filter held is in the store, and comes back when it is let go.
sub let_go {
	my ($s) = @_;
	my ($status, $text);

	print "\nWhat was held, and is let go:\n";
	for (1 .. 100) {
		($status, $text) = $s->gatehouse('quarantine', 'list',
		    '--json', '--message-id', '<1.held@forger.test>',
		    '--config', $s->conf);
		last if $text =~ /"object":\s*"/;
		select undef, undef, undef, 0.1;
	}
	my ($object) = $text =~ /"object":\s*"(\w+)"/;
	return wrong('the quarantine is empty') unless $object;
	command($s, 'quarantine', 'list');
	($status) = command($s, 'quarantine', 'release', $object);
	wrong("it was not let go: exit status $status") if $status;
	my $mail = $s->sink->next(30);
	row('arrived', $mail ? 'the letter that was held' : 'nothing');
	wrong('it did not arrive') unless $mail &&
	    $mail->{bytes} =~ /<1\.held\@forger\.test>/;
}

# What became of all of it, from Postfix's log and the milters' journals.
sub tracked {
	my ($s) = @_;
	my @search = ('search', '--message-id', '1.held@forger.test');

	print "\nWhat became of it:\n";
	for (1 .. 100) {
		my (undef, $text) = $s->gatehouse(@search, '--config',
		    $s->conf);
		last if $text =~ /\bsent\b/;
		select undef, undef, undef, 0.1;
	}
	my ($status, $text) = command($s, @search);
	wrong('tracking does not know that it was sent')
	    if $status || $text !~ /\bsent\b/;
}

sub farewell {
	my ($s) = @_;
	my $at = '127.0.0.1:' . $s->pf->port;

	print <<"END";

All of it stays up until Ctrl-C. To send mail of your own:
  swaks --server $at --xclient-addr 192.0.2.10 \\
      --from you\@pass.test --to us\@gatehouse.test
  telnet ${\ ($at =~ s/:/ /r) }	(XCLIENT ADDR=192.0.2.10 makes you that client)
To ask why something was decided:
  $build/tools/gatehouse explain --config ${\ $s->conf } QUEUEID
To find mail, and what is held:
  $build/tools/gatehouse search --config ${\ $s->conf } --since 1h
  $build/tools/gatehouse quarantine list --config ${\ $s->conf }
What arrives is in ${\ $s->sink->dir }
The log of the milters is ${\ $s->log->path }
Postfix's log is ${\ $s->pf->log->path }
END
}

sub set_up {
	if (defined $keep) {
		make_path($keep);
		$keep = Cwd::realpath($keep);
		die "$keep is not empty\n" if glob "$keep/*";
	}
	my $s = Gatehouse::Suite->new(zone => slurp("$FindBin::Bin/zone"),
	    house => { resolver_timeout => '1s' },
	    defined $keep ? (dir => $keep) : ());
	mkdir "$work/db";
	put("$work/rules.conf", $rules);
	put("$work/db/show.ndb", 'Show.Eicar:0:*:' . unpack('H*', $eicar) .
	    "\n");
	for my $milter (@milters) {
		$s->milter($milter, %{ $options{$milter} // {} });
	}
	my $back = Gatehouse::Postfix::free_port();
	Gatehouse::Store->new($s);
	$s->service('track', maillogs => [ $s->dir . '/log/mail.log' ]);
	$s->service('store', key => $s->dir . '/store.key', reserve => 0,
	    release_server => "127.0.0.1:$back");
	$port //= 2525 if Gatehouse::Postfix::port_free(2525);
	return $s->postfix(($port ? (port => $port) : ()), services => [ {
	    name => 'release', port => $back,
	    milters => [ map { "unix:gatehouse/$_/sock" } @milters ],
	    options => { local_header_rewrite_clients => '',
	    receive_override_options => 'no_address_mappings' } } ]);
}

require Cwd;
my $s = set_up();
$SIG{$_} = sub { $stop = 1 } for qw(INT TERM HUP);
printf "Postfix %s on 127.0.0.1:%d, DNS on %s, milters: %s\nAll in %s\n",
    scalar(($s->pf->command('postconf', '-h', 'mail_version'))[1] =~
    s/\n//r), $s->pf->port, $s->dns->resolver, join(', ', @milters), $s->dir;
my $n = 0;
for my $case (cases()) {
	one($s, ++$n, $case) unless $stop;
}
let_go($s) unless $stop;
tracked($s) unless $stop;
my @surprises = $s->unexpected;
print "\n$_\n" for @surprises;
$bad += @surprises;
printf "\n%d letters, %s\n", $n, $bad ? "$bad THINGS NOT AS IT SHOULD" :
    'all as it should be';
farewell($s) unless $once || $stop;
sleep 1 until $once || $stop;
$s->pf->stop;
print "Kept in $keep\n" if defined $keep;
exit($bad ? 1 : 0);
