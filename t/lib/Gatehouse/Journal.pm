# Journal - what a daemon of ours wrote down about each message
#
#	my @all = Gatehouse::Journal->events("$dir/state/probe");
#	my ($one) = Gatehouse::Journal->about("$dir/state/probe", $queue_id);
#	$one->{'gatehouse.verdict'}
#
# Rotated files are not read; a torn last line is passed over.
package Gatehouse::Journal;

use strict;
use warnings;

use JSON::PP ();

sub events {
	my ($class, $dir) = @_;

	open my $f, '<:raw', "$dir/journal.json" or return;
	return map { eval { JSON::PP::decode_json($_) } // () } <$f>;
}

sub about {
	my ($class, $dir, $id) = @_;

	return grep { ($_->{'gatehouse.queue_id'} // '') eq $id }
	    $class->events($dir);
}

1;
