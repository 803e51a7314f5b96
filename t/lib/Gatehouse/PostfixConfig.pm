# PostfixConfig - `gatehouse postfix-config` on a folder that goes away
#
#	put($main, $master);		a fresh folder with these files
#	($status, $said) = config('--apply');
#	state();			all files that count, as one string
#	dir, conf			where they are, and where ours are
#	house($text), own($text)	gatehouse.conf, postfix.conf
#	slurp, spew			a file
#	shapes()			name => [ main.cf, master.cf ], of t/shapes
package Gatehouse::PostfixConfig;

use strict;
use warnings;

use Exporter qw(import);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use POSIX ();

our @EXPORT = qw(conf config dir house own put shapes slurp spew state tmp);

my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $tmp = tempdir(TMPDIR => 1, CLEANUP => 1);
my ($dir, $conf) = ("$tmp/postfix", "$tmp/conf");

chmod 0755, $tmp;
make_path($conf);

sub tmp { $tmp }
sub dir { $dir }
sub conf { $conf }

# Why there is nothing to test; empty when there is.
sub missing {
	return 'Postfix is not installed' unless -x '/usr/sbin/postconf';
	return 'gatehouse is not built' unless -x "$build/tools/gatehouse";
	return '';
}

sub slurp {
	my ($path) = @_;
	open my $f, '<:raw', $path or return undef;
	local $/;
	return scalar(<$f>) // '';
}

# Old, or Postfix reads it again and again.
sub spew {
	my ($path, $text) = @_;
	open my $f, '>:raw', $path or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
	utime time - 60, time - 60, $path;
}

sub house { spew("$conf/gatehouse.conf", "hostname = \"mx.example.org\";\n" .
    "outbound = [ \"auth-check\" ];\ndomains = [ \"example.org\" ];\n$_[0]") }

# Exit status, what was said.
sub config {
	my (@args) = @_;
	my $pid = open(my $out, '-|') // die "fork: $!";

	if ($pid == 0) {
		$ENV{TMPDIR} = $tmp;	# what is killed leaves its copy there
		open STDERR, '>&', \*STDOUT;
		exec @args if $args[0] =~ m{^/};
		exec "$build/tools/gatehouse", 'postfix-config', '--postfix',
		    $dir, '--config', $conf, @args or exit 127;
	}
	local $/;
	my $text = <$out> // '';
	close $out;
	my $status = $? >> 8 || $? & 127;
	# Postfix reads a young one again and again, with a sleep in between.
	utime time - 60, time - 60, "$dir/main.cf", "$dir/master.cf";
	return ($status, $text);
}

# postfix.conf: both directions, and what else is to be.
sub own { spew("$conf/postfix.conf", "role = \"both\";\n" . ($_[0] // '')) }

# The files that count, as one string.
sub state {
	return join '', map { "== $_\n" . (slurp("$dir/$_") // 'none') }
	    'main.cf', 'master.cf', map { "gatehouse/$_" }
	    qw(strip scrub split clients senders tls-policy);
}

sub put {
	my ($main, $master) = @_;

	remove_tree($dir);
	make_path($dir);
	spew("$dir/main.cf", $main);
	spew("$dir/master.cf", $master);
	chmod 0640, "$dir/main.cf";
}

sub shapes {
	my $src = $ENV{GATEHOUSE_SRC} // '.';
	my %shape;

	for (glob "$src/t/shapes/*.main.cf") {
		my ($name) = m{([^/]+)\.main\.cf$};
		$shape{$name} = [ slurp($_),
		    slurp(s/main\.cf$/master.cf/r) ];
	}
	return %shape;
}

1;
