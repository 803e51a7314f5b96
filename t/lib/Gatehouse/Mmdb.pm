# Mmdb - a database of countries in MaxMind's format, made by the test itself
#
#	Gatehouse::Mmdb->write("$dir/countries.mmdb",
#	    '192.0.2.0/24' => 'LU', '198.51.100.0/24' => 'DE');
#
# IPv4 only, records of 24 bits, as the format's specification (2.0) has them:
# https://maxmind.github.io/MaxMind-DB/
package Gatehouse::Mmdb;

use strict;
use warnings;

sub _text { chr(2 << 5 | length $_[0]) . $_[0] }
sub _map { my @kv = @_; return chr(7 << 5 | @kv / 2) . join '', @kv }
sub _u16 { chr(5 << 5 | 2) . pack 'n', $_[0] }
sub _u32 { chr(6 << 5 | 4) . pack 'N', $_[0] }
sub _u64 { chr(8) . chr(2) . pack 'NN', 0, $_[0] }
sub _list { chr(@_) . chr(4) . join '', @_ }

sub write {
	my ($class, $path, %country) = @_;
	my ($data, @nodes) = ('', [ undef, undef ]);

	for my $net (sort keys %country) {
		my ($ip, $bits) = split m{/}, $net;
		my @path = split //, substr unpack('B32', pack 'C4',
		    split /\./, $ip), 0, $bits;
		my ($at, $last) = (0, pop @path);

		for my $bit (@path) {
			if (!defined $nodes[$at][$bit]) {
				push @nodes, [ undef, undef ];
				$nodes[$at][$bit] = [ $#nodes ];
			}
			$at = $nodes[$at][$bit][0];
		}
		$nodes[$at][$last] = length $data;
		$data .= _map(_text('country'), _map(_text('iso_code'),
		    _text($country{$net})));
	}
	my $n = @nodes;
	my $tree = join '', map { my $node = $_; map { substr pack('N',
	    !defined $_ ? $n : ref $_ ? $_->[0] : $n + 16 + $_), 1 } @$node }
	    @nodes;
	my %meta = (node_count => _u32($n), record_size => _u16(24),
	    ip_version => _u16(4), database_type => _text('Test-Country'),
	    languages => _list(_text('en')), build_epoch => _u64(1795000000),
	    binary_format_major_version => _u16(2),
	    binary_format_minor_version => _u16(0),
	    description => _map(_text('en'), _text('made by a test')));

	open my $f, '>:raw', "$path.new" or die "$path: $!";
	print $f $tree, "\0" x 16, $data, "\xab\xcd\xefMaxMind.com",
	    _map(map { _text($_), $meta{$_} } sort keys %meta);
	close $f or die "$path: $!";
	rename "$path.new", $path or die "$path: $!";
}

1;
