#!/usr/bin/perl
# What auth-check held is let go: it comes back from 127.0.0.1 and is judged
# by where it came from, whatever `networks' say of that address.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use Gatehouse::Postfix;
use Gatehouse::Store;
use Gatehouse::Suite;

my $zone = <<'END';
fail.test	TXT	"v=spf1 ip4:192.0.2.7 -all"
END
my $json = JSON::PP->new->utf8;

for my $networks ([ '198.51.100.0/24' ], [ '127.0.0.0/8' ]) {
	my $s = Gatehouse::Suite->new(zone => $zone,
	    house => { networks => $networks, inbound => [ 'auth-check' ] });
	my $store = Gatehouse::Store->new($s);
	my $port = Gatehouse::Postfix::free_port();

	$s->milter('auth-check', spf_fail => 'quarantine');
	$s->service('store', reserve => 0, key => $s->dir . '/store.key',
	    release_server => "127.0.0.1:$port")->postfix(services => [ {
	    name => 'release', port => $port,
	    milters => [ 'unix:gatehouse/auth-check/sock' ], options => {
	    local_header_rewrite_clients => '',
	    receive_override_options => 'no_address_mappings' } } ]);

	my $row;
	my @list = ('quarantine', 'list', '--json', '--state-directory',
	    $s->dir . '/state');
	like $s->send(from => 'a@fail.test', client => '203.0.113.9'),
	    qr/^250 /, "@$networks: taken";
	for (my $end = time + 20; !$row && time < $end; sleep 0.05) {
		my (undef, $text) = $s->gatehouse(@list);
		($row) = map { $json->decode($_) } split /\n/, $text;
	}
	is "$row->{state} $row->{rule} $row->{client_ip}",
	    'held spf-fail 203.0.113.9', 'and held for its SPF';
	my ($status, $text) = $s->gatehouse('quarantine', 'release',
	    $row->{object}, '--state-directory', $s->dir . '/state');
	is $status, 0, 'let go' or diag $text;
	my $mail = $s->sink->next(20);
	my ($result) = $s->fields($mail->{bytes}, 'Authentication-Results');
	like $result, qr/\bspf=fail\b.*203\.0\.113\.9/s,
	    'judged by the client that brought it';
	my ($id) = $text =~ /queued as (\w+)/;
	like $s->line('auth-check', $id), qr/rule=released\b.*203\.0\.113\.9/,
	    'the log says so' or diag $s->line('auth-check', $id);
	$s->finish;
}

done_testing;
