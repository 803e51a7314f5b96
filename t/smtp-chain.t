#!/usr/bin/perl
# Three milters of a real Postfix, and one that hosts the same filters: what
# arrives is the same but for Postfix's own fields. seal_key and inbound stand
# in gatehouse.conf as an administrator would write them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Corpus;
use Gatehouse::Journal;
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
$s->milter($_, $_ eq 'auth-check' ?
    (backscatter_key => $key) : (mark => $_)) for @filters;
$s->milter('chain', filters => \@filters, -socket => 0,
    -program => Gatehouse::Suite::build() . '/t/gatehouse-probe-chain');
$s->postfix(services => [ { name => 'chain',
    milters => [ 'unix:gatehouse/chain/sock' ] } ]);

# What Postfix says, without its queue id.
sub reply {
	my ($case, $service) = @_;
	my $got = $s->send(%$case, service => $service);

	return ($got =~ s/queued as \w+/queued/r, $s->queue_id($got));
}

# Held mail is let go, so that it can be compared too.
sub released {
	my ($id) = @_;
	my ($held) = grep { $_->{queue_id} eq $id &&
	    $_->{queue_name} eq 'hold' } $s->pf->queue;

	return 0 unless $held;
	$s->pf->command('postsuper', '-H', $id);
	$s->pf->command('postqueue', '-i', $id);
	return 1;
}

# Without what this Postfix writes: its Received, and the two fields that it
# adds where there are none.
sub without_own {
	my ($bytes) = @_;
	my ($head, $body) = split /(?<=\r\n)\r\n/, $bytes, 2;

	$head =~ s/^Received:[^\n]*\n\tby\ mx\.gatehouse\.test\ \(Postfix\)
	    .*?\n(?![ \t])//msx;
	$head =~ s/^Message-I[dD]: <\w+\@mx\.gatehouse\.test>\r\n//m
	    and $head =~ s/^Date:.*?\n//m;
	return "$head\r\n$body";
}

sub envelope {
	my ($mail) = @_;

	return join ' ', map { s/ .*//r } $mail->{mail}, @{ $mail->{rcpt} };
}

# What the sink has of a message when Postfix is done with it; recipients of
# two domains may come in two transactions.
sub arrived {
	my ($id) = @_;

	$s->pf->log->wait_for(qr/qmgr\[\d+\]: \Q$id\E: removed/, 20);
	return sort { $a->{to} cmp $b->{to} } map { { to => envelope($_),
	    message => without_own($_->{bytes}) } } $s->sink->rest;
}

# All of one service: the answer, whether it was held, and what came.
sub outcome {
	my ($case, $service) = @_;

	$s->pf->log->mark;
	my ($reply, $id) = reply($case, $service);
	return { reply => $reply } unless defined $id;
	my $held = $case->{what} =~ /hold|mixed/ ? released($id) : 0;
	return { reply => $reply, held => $held, mail => [ arrived($id) ] };
}

sub seals { scalar $s->fields($_[0], 'X-Gatehouse-Seal') }

my $n = 0;
for my $case (Gatehouse::Corpus->cases) {
	my $apart = outcome($case);
	my $hosted = outcome($case, 'chain');

	$n++;
	is_deeply $hosted, $apart, "$case->{what}: the same";
	next unless $case->{what} =~ /^(edit|head|body|forged|untouched|SPF)/;
	like $apart->{reply}, qr/^250 /, 'taken';
	my $bytes = $apart->{mail}[0]{message} // '';
	ok length $bytes, 'delivered';
	is seals($bytes), 0, 'without a seal';
	is scalar(grep { /^mx\.gatehouse\.test;\s*spf=/ }
	    $s->fields($bytes, 'Authentication-Results')), 1,
	    'and with one result of ours';
}
cmp_ok $n, '>', 60, "$n messages";
is scalar($s->sink->rest), 0, 'nothing else arrived';

# --- what an earlier filter found and changed is known to a later one ---
my ($case) = grep { $_->{what} =~ /^edit: body append.*finding/ }
    Gatehouse::Corpus->cases;
for (undef, 'chain') {
	$s->pf->log->mark;
	my $id = (reply($case, $_))[1];
	my ($probe) = grep { $_->{'event.module'} eq 'probe' }
	    Gatehouse::Journal->about($s->dir . '/state/' . ($_ // 'probe'),
	    $id);
	is $probe->{'gatehouse.probe.found'}, "a;b=c%\r\n\x{e9}",
	    'a finding arrives';
	is $probe->{'email.sender.address'}, 'probe@example.net',
	    'a changed sender is known';
	is $probe->{'email.to.address'}[0], 'other@example.net',
	    'a changed recipient too';
	is join('; ', map { $_->{to} } arrived($id)), '<probe@example.net> ' .
	    '<other@example.net> <two@gatehouse.test>',
	    'and that is how it leaves, for all of them';
}

$s->done;
