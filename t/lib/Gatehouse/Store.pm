# Store - where a suite's daemons hold mail: keys, objects, releases
#
#	my $store = Gatehouse::Store->new($suite);	# before ->daemons
#	$store->objects		what was held, each a hash: meta block, and
#				{file}; oldest first
#	$store->body($object)	the message
#	$store->release($object, seconds => 3600, to => [ ... ])
#				the message as the store's daemon gives it back
#	$store->clear, $store->strays (files that are no objects), $store->dir
#
# Sets store_key and seal_key of the suite's house; mixed_reject and the rest
# are the test's.
package Gatehouse::Store;

use strict;
use warnings;

use Carp qw(croak);
use File::Path qw(make_path);
use JSON::PP ();

sub new {
	my ($class, $suite) = @_;
	my $dir = $suite->dir;
	my $self = bless { dir => "$dir/state/store/incoming",
	    key => "$dir/store.key", seal => "$dir/seal.key",
	    probe => Gatehouse::Suite::build() . '/t/store-probe' }, $class;

	make_path($self->{dir});
	open my $f, '>', $self->{seal} or croak "$self->{seal}: $!";
	print $f '0123456789abcdef' x 4, "\n";
	close $f;
	chmod 0600, $self->{seal};
	$self->run('keygen', $self->{key}, "$dir/store.pub");
	$suite->{house}{store_key} = "$dir/store.pub";
	$suite->{house}{seal_key} = $self->{seal};
	return $self;
}

sub dir { $_[0]{dir} }

sub run {
	my ($self, @args) = @_;

	open my $out, '-|', $self->{probe}, @args or croak "$self->{probe}: $!";
	binmode $out;
	local $/;
	my $text = <$out> // '';
	close $out or croak "store-probe @args: $?";
	return $text;
}

sub files {
	my ($self) = @_;

	opendir my $d, $self->{dir} or croak "$self->{dir}: $!";
	return grep { !/^\.\.?$/ } readdir $d;
}

sub strays { grep { !/^[0-9a-f]{32}$/ } $_[0]->files }

sub objects {
	my ($self) = @_;
	my @files = map { "$self->{dir}/$_" }
	    grep { /^[0-9a-f]{32}$/ } $self->files;

	return unless @files;
	my @lines = split /\n/, $self->run('meta', $self->{key}, @files);
	my @all = map { my $m = JSON::PP->new->utf8->decode($lines[$_]);
	    $m->{file} = $files[$_]; $m } 0 .. $#files;
	return sort { (stat $a->{file})[9] <=> (stat $b->{file})[9] ||
	    "@{ $a->{recipients} }" cmp "@{ $b->{recipients} }" } @all;
}

sub body {
	my ($self, $object) = @_;

	return $self->run('body', $self->{key}, $object->{file});
}

sub release {
	my ($self, $object, %a) = @_;

	return $self->run('release', $self->{key}, $object->{file},
	    $self->{seal}, $a{seconds} // 3600,
	    @{ $a{to} // $object->{recipients} });
}

sub clear {
	my ($self) = @_;

	unlink map { "$self->{dir}/$_" } $self->files;
}

1;
