# Split - a suite whose Postfix splits mail, by the recipe
#
#	my $split = Gatehouse::Split->new($suite,
#	    filters => [ qw(auth-check probe-head probe) ],
#	    users => [ 'a@our.test', ... ], aliases => { 'l@our.test' => [ ... ] });
#	$suite->milter(...) for each filter; then
#	$split->postfix(main => { ... });
#	$split->compile		the policy anew: directory and scopes as they are
#
# Postfix is set up by `gatehouse postfix-config --apply`; only its list of
# filters is replaced where the recipe does not know them. Aliases are
# Postfix's too. Sets seal_key, splitter, inbound, domains of the house.
package Gatehouse::Split;

use strict;
use warnings;

use Carp qw(croak);
use File::Path qw(make_path);

use Gatehouse::Postfix;
use Gatehouse::Suite;

sub new {
	my ($class, $suite, %a) = @_;
	my $dir = $suite->dir;
	my $self = bless { suite => $suite, aliases => {}, users => [],
	    splitter => {}, %a, port => Gatehouse::Postfix::free_port(),
	    inbound => Gatehouse::Postfix::free_port() }, $class;
	my $house = $suite->{house};

	make_path("$dir/queue/gatehouse/splitter", "$dir/recipe");
	chown -1, (getgrnam 'postfix')[2] // -1,
	    "$dir/queue/gatehouse/splitter";
	chmod 02710, "$dir/queue/gatehouse/splitter";
	_write("$dir/seal.key", '0123456789abcdef' x 4 . "\n");
	chmod 0600, "$dir/seal.key";
	$house->{seal_key} //= "$dir/seal.key";
	$house->{splitter} = 'true';
	$house->{inbound} = $self->{filters};
	$house->{domains} //= [ 'our.test' ];
	$suite->service('splitter',
	    reinject_server => "127.0.0.1:$self->{port}",
	    %{ $self->{splitter} });
	return $self;
}

sub port { $_[0]{port} }

sub _write {
	my ($path, $text) = @_;

	open my $f, '>', $path or croak "$path: $!";
	print $f $text;
	close $f or croak "$path: $!";
}

# As gatehouse directory sync writes it.
sub _directory {
	my ($self) = @_;
	my %aliases = %{ $self->{aliases} };
	my @lines = sort map({ "U $_" } @{ $self->{users} }),
	    map { "A $_\t" . join ',', sort @{ $aliases{$_} } }
	    keys %aliases;
	my @domains = sort map { "D $_" } @{
	    $self->{suite}{house}{domains} };

	@lines = (@domains, (sort { substr($a, 2) cmp substr($b, 2) } @lines));
	return join "\n", 'gatehouse-directory 1', @lines,
	    "++++ " . @lines, '';
}

sub compile {
	my ($self) = @_;
	my $s = $self->{suite};
	my $path = $s->dir . '/directory';

	_write($path, $self->_directory);
	$s->house;
	$s->options($_) for @{ $self->{filters} };
	system(Gatehouse::Suite::build() . '/t/split-map', $s->conf .
	    '/gatehouse.conf', $path, map { "$_=" . $s->conf . "/$_.conf" }
	    @{ $self->{filters} }) == 0 or croak 'split-map: ' . ($? >> 8);
	return $self;
}

sub _recipe {
	my ($self) = @_;
	my $s = $self->{suite};
	my @known = grep { !/^probe/ } @{ $self->{filters} };
	my @files = (
	    [ 'gatehouse.conf', %{ $s->{house} },
	    inbound => [ @known ? @known : 'auth-check' ] ],
	    [ 'postfix.conf', role => 'inbound', reinject_listener => '',
	    inbound_listener => "127.0.0.1:$self->{inbound}",
	    split_listener => "127.0.0.1:$self->{port}",
	    error_sleep => '0s', size => '10M', minimal_backoff => '10s',
	    maximal_backoff => '10s', queue_run => '10s', client_rate => 0,
	    client_recipients => 0, client_connections => 0, notify => [] ],
	    [ 'splitter.conf',
	    reinject_server => "127.0.0.1:$self->{port}" ]);

	for (@files) {
		my ($name, %options) = @$_;
		rename $s->conf_write("../recipe/$name", %options),
		    $s->dir . "/recipe/$name";
	}
}

sub _aliases {
	my ($self) = @_;
	my $path = $self->{suite}->dir . '/aliases';

	_write($path, join '', map { "$_ " . join(', ',
	    @{ $self->{aliases}{$_} }) . "\n" } keys %{ $self->{aliases} });
	return "texthash:$path";
}

sub postfix {
	my ($self, %a) = @_;
	my $s = $self->{suite};
	my $pf;

	$self->compile;
	$self->_recipe;
	$s->postfix(%a, port => $self->{inbound},
	    ports => { split => $self->{port} },
	    recipe => { config => $s->dir . '/recipe' }, main => {
	    virtual_alias_maps => $self->_aliases, relay_domains => join(' ',
	    @{ $s->{house}{domains} }), %{ $a{main} // {} } });
	$pf = $s->pf;
	$pf->command('postconf', '-e', 'gatehouse_inbound=' . join ', ', map {
	    "{ unix:gatehouse/$_/sock, connect_timeout=5s, " .
	    'command_timeout=10s, content_timeout=30s, ' .
	    'default_action=tempfail }' } @{ $self->{filters} });
	utime time - 60, time - 60, $pf->config . '/main.cf';
	$pf->command('postfix', 'reload');
	return $self;
}

1;
