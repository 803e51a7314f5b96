# Doctor - gatehouse doctor under test: each finding provoked, each mended
#
#	my $d = Gatehouse::Doctor->new($suite, postfix_dir => $pf->config);
#	my @found = $d->look('sockets');	# findings, hashes; $d->status
#	my $f = $d->finds('sockets.gone', 'its milter is dead');
#	$d->heals($f);		types what it says, and looks again
#	$d->well('sockets');	nothing is found
#	$d->provoked('sockets');	was each kind of that check found once?
#
# What is typed is run by a shell, but for "systemctl restart gatehouse-X",
# which is done to that milter of the suite; a line that begins with # is for a
# person. heals runs the sub given to it after that, for what cannot be typed.
package Gatehouse::Doctor;

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8;

sub new {
	my ($class, $suite, %a) = @_;
	my $self = bless { suite => $suite, found => {}, args => [],
	    conf => $suite->conf, %a }, $class;
	my ($status, $text) = $suite->gatehouse(qw(doctor --list --json));

	$self->{list} = { map { $_->{check} => $_->{findings} }
	    @{ $json->decode($text) } };
	return $self;
}

sub status { $_[0]{status} }
sub text { $_[0]{text} }
sub checks { sort keys %{ $_[0]{list} } }

sub command {
	my ($self, @more) = @_;

	return ('doctor', '--config', $self->{conf}, $self->{postfix_dir} ?
	    ('--postfix', $self->{postfix_dir}) : (), @{ $self->{args} },
	    @more);
}

# Postfix's programs wait a second or two while main.cf is younger than that.
sub settle {
	my ($self) = @_;

	return if $self->{fresh} || !$self->{postfix_dir};
	utime time - 10, time - 10, "$self->{postfix_dir}/$_"
	    for qw(main.cf master.cf);
}

# The whole answer; of these checks, or of all.
sub ask {
	my ($self, @checks) = @_;

	$self->settle;
	my ($status, $text) = $self->{suite}->gatehouse(
	    $self->{before} ? { before => $self->{before} } : (),
	    $self->command('--json', map { ('--only', $_) } @checks));
	my $answer = eval { $json->decode($text) };

	@$self{qw(status text)} = ($status, $text);
	ok $answer, 'doctor prints JSON' or diag $text, $@;
	return $answer // { checks => [] };
}

sub look {
	my ($self, @checks) = @_;
	my @found = map { @{ $_->{findings} } }
	    @{ $self->ask(@checks)->{checks} };

	$self->{found}{ $_->{id} }++ for @found;
	return @found;
}

my %STATUS = (info => 0, warning => 1, critical => 2, unknown => 3);

# Exactly that one of its check, but for those that are told to come with it.
sub finds {
	my ($self, $id, $what, %o) = @_;
	my ($check, $kind) = split /\./, $id;
	my %with = map { $_ => 1 } @{ $o{with} // [] };
	my @found = $self->look($check);
	my ($f) = grep { $_->{id} eq $id } @found;
	my @other = grep { $_->{id} ne $id && !$with{ $_->{id} } } @found;

	ok $f, "$id: $what" or diag explain \@found;
	is_deeply [ map { "$_->{id}: $_->{what}" } @other ], [],
	    'and nothing else';
	return undef unless $f;
	is $self->status, $STATUS{ $f->{severity} }, 'its exit status'
	    unless @found > 1;
	like $f->{why}, qr/\S/, 'it says why that matters';
	like $f->{what}, $o{says}, 'it says what is wrong' if $o{says};
	$f->{with} = \%with;
	return $f;
}

sub _type {
	my ($self, $line) = @_;
	my $s = $self->{suite};

	return 1 if $line =~ /^#/;
	if ($line =~ /^systemctl (?:re)?start gatehouse-(\S+)$/) {
		$s->kill_milter($1);
		$s->start_milter($1);
		return 1;
	}
	return 0 if $line =~ /\b(?:systemctl|apt-get|timedatectl)\b/;
	# What does not run cannot be reloaded.
	$line =~ s/ && postfix (?:-c \S+ )?reload$// if $self->{no_reload};
	local $ENV{PATH} = $s->build . "/tools:$ENV{PATH}:/usr/sbin";
	my $out = `($line) 2>&1`;
	return 1 if $? == 0;
	diag "$line\n$out";
	return 0;
}

# All lines of it.
sub type {
	my ($self, $lines) = @_;

	ok $self->_type($_), 'typed: ' . substr $_, 0, 100
	    for split /\n/, $lines;
	$self->settle;
}

# Types it, and what was found is found no more.
sub heals {
	my ($self, $f, $sub) = @_;
	return fail('nothing to heal') unless ref $f;
	my ($check) = split /\./, $f->{id};
	my $typed = 0;
	my $end = time + 10;
	my @left;

	for my $line (split /\n/, $f->{type}) {
		$typed++ unless $line =~ /^#/;
		ok $self->_type($line), "typed: " . substr $line, 0, 100;
	}
	ok $typed || $sub, "$f->{id} says what to type";
	$sub->() if $sub;
	# What was restarted may take a moment.
	do {
		sleep 0.1 if @left;
		@left = grep { !$f->{with}{ $_->{id} } } map {
		    @{ $_->{findings} } } @{ $self->ask($check)->{checks} };
	} while (@left && time < $end);
	is_deeply [ map { "$_->{id}: $_->{what}" } @left ], [],
	    "$f->{id} is mended";
}

sub well {
	my ($self, @checks) = @_;
	my @found = $self->look(@checks);

	is_deeply [ map { "$_->{id}: $_->{what}" } @found ], [],
	    "all is well: @checks";
	is $self->status, 0, 'exit status 0';
}

# What this machine cannot provoke; the test says so aloud.
sub excuse { $_[0]{found}{ $_[1] }++ }

sub provoked {
	my ($self, @checks) = @_;

	for my $check (@checks) {
		my @missed = grep { !$self->{found}{$_} }
		    map { "$check.$_->{id}" } @{ $self->{list}{$check} };
		is_deeply \@missed, [], "each finding of $check was provoked";
	}
}

1;
