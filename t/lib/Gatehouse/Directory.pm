# Directory - a directory of users, its sources and its syncs
#
#	my $d = Gatehouse::Directory->new(dir => $dir,
#	    domains => [ 'gatehouse.test' ], options => { open_domains => [] });
#	$d->source('hr', kind => 'csv', fields => [ 'Mail=address' ],
#	    text => "Mail\nus\@gatehouse.test\n");
#	my ($status, $out, $err) = $d->sync('--dry-run');
#	$d->file		the current directory file, or undef
#	$d->map('recipients')	the current map, as postmap -s lists it
#
# With suite => $s it stands in that suite's folder, and its house is the
# suite's. Without one it has a small Postfix configuration of its own, for
# postmap. A source of a given name is written again by the next call; text
# goes to its path.
package Gatehouse::Directory;

use strict;
use warnings;

use Carp qw(croak);
use File::Path qw(make_path);

use Gatehouse::Suite;

sub new {
	my ($class, %a) = @_;
	my $self = bless { options => {}, sources => [], %a }, $class;

	$self->{dir} //= $self->{suite}->dir;
	make_path("$self->{dir}/conf/directory.d", "$self->{dir}/state",
	    "$self->{dir}/log");
	if (!$self->{suite}) {
		make_path("$self->{dir}/postfix");
		put("$self->{dir}/postfix/$_", $_ eq 'main.cf' ?
		    "compatibility_level = 3.6\n" : '')
		    for 'main.cf', 'master.cf';
		# Postfix waits for what might still be written.
		utime time - 60, time - 60, glob "$self->{dir}/postfix/*";
		# No file is made under /dev.
		open my $log, '>>', "$self->{dir}/log/directory.log" or
		    croak $!;
		$self->house;
	}
	$self->{options}{postfix_directory} //= $self->{suite} ?
	    "$self->{dir}/etc" : "$self->{dir}/postfix";
	$self->options;
	return $self;
}

sub put {
	my ($path, $text) = @_;

	open my $f, '>:raw', "$path.new" or croak "$path: $!";
	print $f $text;
	close $f or croak "$path: $!";
	rename "$path.new", $path or croak "$path: $!";
	return $path;
}

sub get {
	my ($path) = @_;

	open my $f, '<:raw', $path or return undef;
	local $/;
	return scalar <$f>;
}

sub _conf {
	my ($self, $file, %o) = @_;

	return put("$self->{dir}/conf/$file", join '',
	    map { "$_ = " . Gatehouse::Suite::conf_value($o{$_}) . ";\n" }
	    sort keys %o);
}

sub house {
	my ($self, %more) = @_;

	$self->_conf('gatehouse.conf', hostname => 'mx.gatehouse.test',
	    domains => $self->{domains} // [ 'gatehouse.test' ],
	    state_directory => $self->state_directory,
	    syslog => "$self->{dir}/log/directory.log", %more);
}

sub state_directory { "$_[0]{dir}/state" }
sub folder { $_[0]->state_directory . '/directory' }

sub options {
	my ($self, %more) = @_;

	@{ $self->{options} }{ keys %more } = values %more;
	$self->_conf('directory.conf', sources => $self->{sources},
	    %{ $self->{options} });
}

sub source {
	my ($self, $name, %o) = @_;
	my $text = delete $o{text};

	$o{path} //= "$self->{dir}/$name.source"
	    if ($o{kind} // 'csv') ne 'ldap';
	put($o{path}, $text) if defined $text;
	$self->_conf("directory.d/$name.conf", %o);
	push @{ $self->{sources} }, $name
	    unless grep { $_ eq $name } @{ $self->{sources} };
	$self->options;
	return $self;
}

# A source's file alone.
sub text {
	my ($self, $name, $text) = @_;

	put("$self->{dir}/$name.source", $text);
	return $self;
}

# First may come { before => [ ... ] }: a command that runs it.
sub run {
	my ($self, @args) = @_;
	my $how = ref $args[0] ? shift @args : {};
	my ($out, $err) = map { "$self->{dir}/log/run.$_" } qw(out err);
	my $build = $ENV{GATEHOUSE_BUILD} // '.';
	my $pid = fork // croak "fork: $!";

	if ($pid == 0) {
		open STDOUT, '>', $out or POSIX::_exit(126);
		open STDERR, '>', $err or POSIX::_exit(126);
		open STDIN, '<', '/dev/null';
		exec @{ $how->{before} // [] }, "$build/tools/gatehouse",
		    @args, '--config', "$self->{dir}/conf" or
		    POSIX::_exit(127);
	}
	waitpid $pid, 0;
	my $status = $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
	my @said = (get($out), get($err));
	unlink $out, $err;
	return ($status, @said);
}

sub sync { my ($self, @args) = @_;
	my @how = ref $args[0] ? shift @args : ();
	return $self->run(@how, 'directory', 'sync', @args);
}

sub file { get($_[0]->folder . '/current/directory') }

sub map {
	my ($self, $name) = @_;
	my $map = 'hash:' . $self->folder . "/current/$name";
	my $text = `postmap -c $self->{options}{postfix_directory} -s $map 2>&1`;

	return { map { split /\t/, $_, 2 } split /\n/, $text };
}

1;
