#!/usr/bin/perl
# Three daemons one after the other, and one that hosts the same filters: the
# same bytes, the same envelope, the same verdicts, and one hand-over.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Corpus;
use Gatehouse::Journal;
use Gatehouse::Milter;
use Gatehouse::Suite;

my @filters = qw(auth-check probe-head probe);
my $s = Gatehouse::Suite->new(zone => $Gatehouse::Corpus::ZONE);
my $key = $s->dir . '/seal.key';
open my $f, '>', $key or die $!;
print $f '0123456789abcdef' x 4, "\n";
close $f;
chmod 0600, $key;

$s->{house} = { seal_key => $key, inbound => \@filters,
    outbound => \@filters };
$s->milter($_, deadline => '5s') for @filters;
$s->milter('chain', filters => \@filters, deadline => '5s',
    -program => Gatehouse::Suite::build() . '/t/gatehouse-probe-chain');
$s->options($_, $_ eq 'auth-check' ? (spf_fail => 'tag',
    harvest_delay => '0s', backscatter_key => $key) : (mark => $_))
    for @filters;
$s->daemons;

# The envelope after edits that came from a list of milters.
sub envelope {
	my ($case, @edits) = @_;
	my %r = (from => $case->{from}, rcpt => [ @{ $case->{rcpt} } ]);

	for (@edits) {
		my ($what, $address) = @$_;
		$r{from} = $address =~ s/^<|>$//gr if $what eq 'chgfrom';
		Gatehouse::Milter::_edit_rcpt(\%r, $what, $address)
		    if $what =~ /rcpt$/;
	}
	return "$r{from} -> " . join ', ', sort @{ $r{rcpt} };
}

# What comes out at the end, and what was between.
sub through {
	my ($case, $id, @daemons) = @_;
	my (@between, @edits, $r, $held);
	my $message = $case->{message};

	for my $name (@daemons) {
		$r = $s->talk($name, %$case, message => $message, id => $id);
		push @edits, @{ $r->{edits} };
		$held ||= defined $r->{quarantine};
		$message = $r->{message};
		push @between, $message;
		# Postfix shows a held message to no further milter.
		last if $r->{reply} ne 'accept' || $held;
	}
	pop @between;
	my %out = (reply => $r->{reply}, held => $held ? 1 : 0);
	@out{qw(message envelope)} = ($message, envelope($case, @edits))
	    if $r->{reply} eq 'accept';
	return (\%out, @between);
}

sub seals { scalar $s->fields($_[0], 'X-Gatehouse-Seal') }

# What each filter wrote down about a message.
sub written {
	my ($id, @daemons) = @_;
	my %by = map { my $dir = $s->dir . "/state/$_";
	    map { $_->{'event.module'} => $_ }
	    Gatehouse::Journal->about($dir, $id) } @daemons;

	return \%by;
}

my @same = qw(gatehouse.verdict gatehouse.rule gatehouse.reason
    gatehouse.probe.found email.sender.address email.to.address source.ip
    gatehouse.helo network.direction);

sub same_words {
	my ($what, $apart, $hosted) = @_;

	for my $filter (@filters) {
		my ($a, $b) = map { $_->{$filter} // {} } $apart, $hosted;
		is_deeply { map { $_ => $a->{$_} } @same },
		    { map { $_ => $b->{$_} } @same },
		    "$what: $filter wrote the same";
	}
	is $apart->{$_}{'gatehouse.id'} // '-',
	    $apart->{'auth-check'}{'gatehouse.id'},
	    "$what: one identity, $_" for grep { $apart->{$_} } @filters;
}

# A seal that was right for the message that it was made for.
(undef, my @between) = through((Gatehouse::Corpus->cases)[0], 'REPLAY',
    @filters);
is seals($between[0]), 1, 'a filter that is not the last one seals';
my ($seal) = $between[0] =~ /^X-Gatehouse-Seal:(.*?)\r\n(?![ \t])/msi;
$seal =~ s/\r\n/\n/g;

my $n = 0;
for my $case (Gatehouse::Corpus->cases(seal => $seal)) {
	my $id = sprintf '4Chain%04d', ++$n;
	my ($apart, @between) = through($case, "${id}A", @filters);
	my ($hosted) = through($case, "${id}H", 'chain');

	$s->allow(qr/warning: \Q$id/) if $case->{what} =~ /trouble/;
	is_deeply $hosted, $apart, "$case->{what}: the same";
	is seals($apart->{message}), 0, 'no seal goes out'
	    if defined $apart->{message};
	is_deeply [ map { seals($_) } @between ], [ (1) x @between ],
	    'one seal between two';
	next if $apart->{reply} =~ /^451/;
	same_words($case->{what}, written("${id}A", @filters),
	    written("${id}H", 'chain'));
}
cmp_ok $n, '>', 60, "$n messages";

# --- what is handed over ---
my ($case) = grep { $_->{what} =~ /^edit: body append.*finding/ }
    Gatehouse::Corpus->cases;
for ([ 'apart', @filters ], [ 'hosted', 'chain' ]) {
	my ($what, @daemons) = @$_;

	through($case, "HAND$what", @daemons);
	my $probe = written("HAND$what", @daemons)->{probe};
	is $probe->{'gatehouse.probe.found'}, "a;b=c%\r\n\x{e9}",
	    "$what: a finding arrives";
	is $probe->{'email.sender.address'}, 'probe@example.net',
	    'a changed sender is known';
	is_deeply $probe->{'email.to.address'}, [ 'other@example.net',
	    'two@gatehouse.test' ], 'and a changed recipient';
}

# --- an editing filter is late: nothing is applied, whoever hosts it ---
for my $daemons (\@filters, [ 'chain' ]) {
	my ($r) = through({ %$case, message => "X-Probe: late append body\n" .
	    "\na probe\n" }, 'LATE' . @$daemons, @$daemons);
	like $r->{reply}, qr/^451 /, "late in @$daemons: 451";
}

# --- answers before there is a message, whoever hosts auth-check ---
for my $daemon ('auth-check', 'chain') {
	my %harvester = (client => '203.0.113.99', rcpt => [], unknown =>
	    [ map { "guess$_\@gatehouse.test" } 1 .. 31 ]);
	my @said = map { my $r = $s->talk($daemon, %harvester);
	    "$r->{stage} $r->{reply}" } 1, 2;
	like "@said", qr/^rcpt continue connect 421 4\.7\.1 /,
	    "$daemon refuses a harvester";
	ok -s $s->dir . "/state/$daemon/harvest", 'by a table of its own';
}

$s->done;
