# Probe - the test filter of t/probe, started alone or in a Postfix
#
#	my $house = Bench::Probe::house(options => 'delay = "200ms";', ...)
#	my $got = Bench::Probe::sessions($house, '--sessions', 500);
#
# house() takes what Bench::House takes; sessions() runs bench/sessions
# against it and returns what it printed, as a hash with its exit `status'.
# With `holding => sub' that is called while it holds.
package Bench::Probe;

use strict;
use warnings;

use Cwd qw(abs_path);
use IPC::Open2;

use Bench::Chain;
use Bench::House;

sub build { return abs_path($ENV{GATEHOUSE_BUILD} // '.') }

sub house {
	my (%a) = @_;
	my $build = build();
	my $options = delete $a{options} // '';
	my $chain = bless { name => 'probe', main => {}, bounds => [],
	    files => [ { name => 'probe.conf', text => "$options\n" } ],
	    daemons => [ { name => 'probe', command => [
	    '$build/t/gatehouse-probe', '--config', '$dir/probe.conf',
	    '--house', '$house', '--socket', '$socket' ] } ] }, 'Bench::Chain';

	for my $program ('bench/load', 'bench/sessions', 't/gatehouse-probe') {
		die "bench: $build/$program is not built (make " .
		    "check-programs)\n" unless -x "$build/$program";
	}
	return Bench::House->new(chain => $chain, var => { build => $build,
	    dns => '127.0.0.1:9', dns_ip => '127.0.0.1' }, %a);
}

sub sessions {
	my ($house, $holding, @args) = @_;
	my $pid = open2(my $out, my $in, build() . '/bench/sessions',
	    '--socket', 'unix:' . $house->socket('probe'), @args);
	my %got;

	while (my $line = <$out>) {
		if ($line eq "holding\n") {
			$holding->();
			print $in "go\n";
			$in->flush;
		}
		$got{$1} = $2 if $line =~ /^(\w+) (.*)$/;
	}
	waitpid $pid, 0;
	$got{status} = $? >> 8;
	return \%got;
}

sub say_bound {
	my ($what, $bound, $figure) = @_;

	printf "bound: %s under %s, figure %s, %s\n", $what, $bound, $figure,
	    $figure =~ s/ .*//r < $bound =~ s/ .*//r ? 'met' : 'missed';
}

1;
