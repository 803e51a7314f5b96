# Chain - a small file that says which daemons stand in a Postfix
#
# A line is a keyword and what belongs to it; # begins a comment; a line that
# begins with a tab belongs to the `file' above it.
#
#	about TEXT		for the table
#	needs PROGRAM		a path, or a name in $PATH; without it the chain
#				is left out, and that is said
#	first COMMAND		is run, and waited for, before all daemons
#	helper NAME COMMAND	a daemon that is no milter; started first, and
#				waited for until there is $dir/NAME.sock
#	daemon NAME COMMAND	a milter; in the order of smtpd_milters
#	file NAME		written to $dir/NAME, what follows is its text
#	main NAME = VALUE	a line of main.cf
#	resolv			/etc/resolv.conf of the daemons names the test's
#				DNS server (for those that cannot be told)
#	outbound		all clients are of our own networks
#	edits body		bodies may arrive changed; otherwise that fails
#	against CHAIN		its milters' CPU is given as part of that of
#				CHAIN's, when both are run (figure `against')
#	verifies DKIM		signed mail must come out with dkim=pass
#	bound FIGURE least|most VALUE	printed with the table, met or missed
#
# In COMMAND and text stand $build, $src, $dir (the chain's folder), $dns
# (ADDRESS:PORT), $dns_ip and $socket{NAME}; in COMMAND also $socket and $house,
# a gatehouse.conf made for a daemon of ours.
package Bench::Chain;

use strict;
use warnings;

use File::Basename qw(basename);

my %TAKES = (
	about => sub { $_[0]{about} = $_[1] },
	needs => sub { push @{ $_[0]{needs} }, $_[1] },
	first => sub { push @{ $_[0]{first} }, [ split ' ', $_[1] ] },
	helper => sub { _daemon(@_, helper => 1) },
	daemon => \&_daemon,
	file => sub { push @{ $_[0]{files} }, { name => $_[1], text => '' } },
	main => \&_main,
	resolv => sub { $_[0]{resolv} = 1 },
	outbound => sub { $_[0]{outbound} = 1 },
	against => sub { $_[0]{against} = $_[1] },
	verifies => sub { $_[0]{verifies} = $_[1] },
	edits => sub { $_[0]{edits} = $_[1] },
	bound => \&_bound,
);

sub read {
	my ($class, $path) = @_;
	my $self = bless { name => basename($path, '.chain'), about => '',
	    needs => [], first => [], daemons => [], files => [], main => {},
	    bounds => [] }, $class;

	open my $f, '<', $path or die "$path: $!\n";
	while (defined(my $line = <$f>)) {
		chomp $line;
		eval { $self->_line($line); 1 } or die "$path:$.: $@";
	}
	return $self;
}

sub _line {
	my ($self, $line) = @_;

	if ($line =~ s/^\t// && @{ $self->{files} }) {
		$self->{files}[-1]{text} .= "$line\n";
		return;
	}
	return if $line =~ /^\s*(#|$)/;
	my ($word, $rest) = $line =~ /^(\w+)\s*(.*?)\s*$/
	    or die "not understood: $line\n";
	my $take = $TAKES{$word} or die "unknown keyword $word\n";
	$take->($self, $rest);
}

sub _daemon {
	my ($self, $rest, %more) = @_;
	my ($name, @command) = split ' ', $rest;

	die "daemon wants a name and a command\n" unless @command;
	push @{ $self->{daemons} }, { name => $name, command => \@command,
	    %more };
}

sub _main {
	my ($self, $rest) = @_;

	$rest =~ /^(\w+)\s*=\s*(.*)$/ or die "main wants NAME = VALUE\n";
	$self->{main}{$1} = $2;
}

sub _bound {
	my ($self, $rest) = @_;

	$rest =~ /^(\w+)\s+(least|most)\s+([\d.]+)$/
	    or die "bound wants FIGURE least|most VALUE\n";
	push @{ $self->{bounds} }, { figure => $1, side => $2, value => $3 };
}

# The first program that is not there; empty when all are.
sub missing {
	my ($self, %var) = @_;

	for my $need (map { expand($_, %var) } @{ $self->{needs} }) {
		my @places = $need =~ m{/} ? $need : map { "$_/$need" }
		    split(/:/, $ENV{PATH}), qw(/usr/sbin /sbin);
		return $need unless grep { -e } @places;
	}
	return '';
}

sub expand {
	my ($text, %var) = @_;

	$text =~ s/\$(\w+(?:\{[\w-]+\})?)/$var{$1} \/\/ "\$$1"/ge;
	return $text;
}

1;
