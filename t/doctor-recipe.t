#!/usr/bin/perl
# gatehouse doctor on main.cf and master.cf: lists of milters, listeners,
# domains, tables, and the recipe line for line. Postfix is asked for its
# configuration only; it does not run here, so what is typed about a reload
# fails and is left out.
use strict;
use warnings;

use File::Path qw(make_path);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Gatehouse::Doctor;
use Gatehouse::Postfix;
use Gatehouse::Suite;

plan skip_all => Gatehouse::Postfix->missing if Gatehouse::Postfix->missing;

my $s = Gatehouse::Suite->new;
my $pf = Gatehouse::Postfix->new(dir => $s->dir);
my $etc = $pf->config;
my $ours = 'unix:gatehouse/auth-check/sock';
my %main = (message_size_limit => 350 * 1024 * 1024,
    relay_domains => 'gatehouse.test',
    relay_recipient_maps => "texthash:$etc/recipients",
    mynetworks => '127.0.0.0/8 [::1]/128 198.51.100.0/24');
my $d = Gatehouse::Doctor->new($s, postfix_dir => $etc, no_reload => 1);

sub put {
	my ($path, $text) = @_;
	open my $f, '>', $path or die "$path: $!";
	print $f $text;
	close $f;
}

# main.cf with these, master.cf with these milters on port 25.
sub configure {
	my (%o) = @_;
	my $milters = delete $o{milters} // [ $ours ];
	my $services = delete $o{services} // [];

	$pf->{main} = { %main, %{ $o{main} // {} } };
	$pf->{milters} = $milters;
	$pf->{services} = [ map { { port => 2500 + $_, %{ $services->[$_] } } }
	    0 .. $#$services ];
	$pf->{master} = $o{master} // '';
	$pf->configure;
}

$s->house(networks => [ '127.0.0.0/8', '::1', '198.51.100.0/24' ]);
put("$etc/recipients", "us\@gatehouse.test OK\n");
configure();
$d->well(qw(milters listeners scope maps));

# --- lists of milters ---
put($s->conf . '/auth-check.conf', "deadline = \"20s\";\n");
for (
	[ 'accepts', [ "{ $ours, default_action=accept }" ],
	    qr/default_action=accept/ ],
	[ 'accepts', [ "{ $ours, { default_action = quarantine } }" ],
	    qr/default_action=quarantine/ ],
	[ 'rejects', [ "{ $ours, default_action=reject }" ], qr/reject/ ],
	[ 'deadline', [ "{ $ours, content_timeout=20s }" ],
	    qr/decides after 20000ms .* no longer than 20000ms/ ],
	[ 'command-timeout', [ "{ $ours, command_timeout=31s }" ], qr/31s/ ],
) {
	my ($kind, $milters, $says) = @$_;
	configure(milters => $milters);
	$d->heals($d->finds("milters.$kind", "@$milters", says => $says));
}
configure(main => { milter_default_action => 'accept' });
$d->heals($d->finds('milters.accepts', 'the default of main.cf'));
configure(main => { milter_protocol => 2 });
$d->heals($d->finds('milters.protocol', 'an old protocol'));
configure(main => { milter_protocol => 'six' });
$d->heals($d->finds('milters.protocol', 'or none'));

configure(main => { smtpd_milter_maps => 'cidr:{{10.0.0.0/8 DISABLE}}' });
$d->heals($d->finds('milters.bypass', 'clients that pass by', says =>
    qr/10\.0\.0\.0/), sub { configure() });

# Foreign milters stay, and what they may take counts.
my @foreign = map { "{ inet:127.0.0.1:889$_, content_timeout=5m }" } 1, 2;
configure(milters => [ $ours, @foreign ]);
my $f = $d->finds('milters.sum', 'too long together', says => qr/630s/);
$d->type($f->{type});
like join('', `postconf -c $etc -P`), qr/=\ \$gatehouse_inbound,
    \{inet:127\.0\.0\.1:8891,content_timeout=5m\},\{inet/x,
    'what is not ours stays, behind what is';

# Two filters in gatehouse.conf, whatever Postfix has.
put($s->conf . '/seal.key', 'ab' x 32);
chmod 0640, $s->conf . '/seal.key';
my @two = (inbound => [ 'auth-check', 'probe' ],
    seal_key => $s->conf . '/seal.key');
my $probe = 'unix:gatehouse/probe/sock';
$s->house(@two);
configure();
$d->finds('milters.missing', 'a filter is not there', says => qr/probe/);
configure(milters => [ $probe, $ours ]);
$d->finds('milters.order', 'the wrong way round',
    says => qr/has probe, auth-check; .* has auth-check, probe/);
configure(milters => [ $ours, $probe, $ours ]);
$d->finds('milters.order', 'one of them twice');
configure(milters => [ $ours, $probe ]);
$d->well('milters');
$s->house(inbound => [ 'auth-check' ]);
$d->heals($d->finds('milters.unlisted', 'one that nobody named',
    says => qr/probe/));
put($s->conf . '/chain.conf', "filters = [ \"auth-check\" ];\n");
configure(milters => [ 'unix:gatehouse/chain/sock' ]);
$d->well('milters');
put($s->conf . '/chain.conf', "deadline = \"30s\";\n");
$d->finds('milters.deadline', 'the chain has a deadline of its own');
unlink $s->conf . '/chain.conf';
$d->provoked('milters');

# --- listeners ---
$pf->{port} = 2525;
configure(milters => []);
$d->well('listeners');
my $smtp = 'smtp inet n - y - - smtpd';
configure(main => { inet_interfaces => 'all' }, master => "$smtp\n");
$d->heals($d->finds('listeners.unfiltered', 'port 25 without milters',
    says => qr{smtp/inet}), undef);
configure(master => "0.0.0.0:2526 inet n - y - - smtpd\n");
$d->heals($d->finds('listeners.unfiltered', 'a way in beside it',
    says => qr/0\.0\.0\.0:2526/));
configure(master => "0.0.0.0:2526 inet n - y - - smtpd\n -o smtpd_milters=" .
    "$ours -o receive_override_options=no_address_mappings,no_milters\n");
$d->heals($d->finds('listeners.unfiltered', 'milters named in vain',
    says => qr/no_milters/), sub { configure() });
configure(master => "[::1]:2526 inet n - y - - smtpd\n");
$d->well('listeners');
configure(master => "smtp inet n - y - 1 postscreen\n");
$d->heals($d->finds('listeners.no-smtpd', 'postscreen stands alone'),
    sub { configure() });
$s->house(outbound => [ 'auth-check' ], outbound_daemons => [ 'OUT' ]);
configure();
$f = $d->finds('listeners.daemon-name', 'no listener of that name',
    says => qr/OUT/);
$d->heals($f, sub { configure(services => [ { name => 'out', milters =>
    [ $ours ], options => { milter_macro_daemon_name => 'OUT' } } ]) });
$d->well('milters');
$s->house(outbound => [], outbound_daemons => [ 'ORIGINATING' ]);
$d->provoked('listeners');

# --- domains, networks, size ---
put("$etc/domains", "table.test OK\n");
for (
	[ 'domain-not-taken', { domains => [ 'gatehouse.test', 'more.test' ] },
	    {}, qr/more\.test/ ],
	[ 'domain-not-ours', {}, { relay_domains => 'gatehouse.test, x.test',
	    mydestination => 'localhost, $myhostname' }, qr/x\.test/ ],
	[ 'network-inbound', {}, { mynetworks =>
	    '127.0.0.0/8, [2001:db8::]/32' }, qr/2001:db8/ ],
	[ 'network-foreign', { networks => [ '127.0.0.0/8', '10.0.0.0/8' ] },
	    { mynetworks => '127.0.0.0/8' }, qr{10\.0\.0\.0/8} ],
	[ 'size-over', { message_size_limit => '400M' }, {}, qr/419430400/ ],
	[ 'size-under', { message_size_limit => '300M' }, {}, qr/314572800/ ],
) {
	my ($kind, $house, $main, $says) = @$_;
	my %was = %{ $s->{house} };
	$s->house(%$house);
	configure(main => $main);
	# Networks are compared both ways; one of them is what is meant.
	$d->heals($d->finds("scope.$kind", 'the two differ', says => $says,
	    with => [ 'scope.network-foreign' ]), sub {
		delete $s->{house}{$_} for keys %$house;
		$s->house(%was);
		configure();
	});
}
$s->house(domains => [ 'gatehouse.test', 'table.test', 'vip.test' ]);
configure(main => { relay_domains => "gatehouse.test, texthash:$etc/domains",
    virtual_alias_domains => '$vip', vip => 'vip.test' });
$d->well('scope');
$s->house(domains => [ 'gatehouse.test' ]);
$d->provoked('scope');

# --- tables ---
configure(main => { transport_maps => "hash:$etc/transport" });
put("$etc/transport", "gatehouse.test smtp:[127.0.0.1]\n");
$d->heals($d->finds('maps.gone', 'a table that was never made',
    says => qr/transport\.db/));
utime time + 5, time + 5, "$etc/transport";
$f = $d->finds('maps.stale', 'and is older than its source');
utime time - 5, time - 5, "$etc/transport";
$d->heals($f);
configure(main => { transport_maps => "proxy:sdbm:$etc/transport" });
$f = $d->finds('maps.type', 'a type that is not there');
like $f->{type}, qr/^apt-get install postfix-sdbm$/, 'it says who has it';
configure();
put("$etc/recipients", "# nobody\n");
$d->heals($d->finds('maps.empty', 'no recipient in the table'),
    sub { put("$etc/recipients", "us\@gatehouse.test OK\n") });
configure(main => { relay_recipient_maps => '' });
$d->heals($d->finds('maps.no-recipients', 'nor a table of them'),
    sub { configure() });
$d->provoked('maps');

# --- the recipe, line for line ---
# Where nobody asked for it, it is advice.
configure();
is_deeply [ map { $_->{what} } grep { $_->{severity} eq 'critical' }
    $d->look('recipe') ], [], 'without a postfix.conf nothing is critical';
is $d->status, 1, 'but there are warnings';
my @role = ('role = "inbound";', 'reinject_listener = "";',
    'inbound_listener = "127.0.0.1:2525";', 'growth = 140;');
put($s->conf . '/postfix.conf', join "\n", @role, '');
configure();
my @found = $d->look('recipe');
my %kinds = map { $_->{id} => 1 } @found;
ok $kinds{"recipe.$_"}, "without the recipe: $_" for qw(must should may);
# Everything that it says is typed, each once; then nothing is left.
for (1 .. 3) {
	my %seen;
	$d->type($_->{type}) for grep { !$seen{ $_->{type} }++ } @found;
	@found = $d->look('recipe');
	last unless @found;
}
is_deeply [ map { "$_->{id}: $_->{what}" } @found ], [],
    'typed line by line, it is the recipe';
$d->well(qw(milters listeners));

# A listener is never there without what guards it: one line makes all of it.
put($s->conf . '/postfix.conf', join "\n", 'role = "both";',
    'submission_listener = ""; submissions_listener = "";',
    'relay_listener = "127.0.0.1:2527";', @role[1 .. $#role], '');
$s->house(outbound => [ 'auth-check' ]);
($f) = grep { $_->{what} =~ /no service 127.0.0.1:2527/ } $d->look('recipe');
like $f->{type}, qr/gatehouse_outbound=.* -M .* -P .*smtpd_milters=\$gate/,
    'the list, the service, its milters';
my $reloads = () = $f->{type} =~ /postfix -c \S+ reload/g;
is $reloads, 1, 'and one reload, behind all of it';
$d->type($f->{type});
like join('', `postconf -c $etc -P`),
    qr{2527/inet/smtpd_relay_restrictions = .*reject}, 'it is guarded';
$s->house(outbound => []);
put($s->conf . '/postfix.conf', join "\n", @role, '');

# And the same by postfix-config, whose marks are then left alone.
configure();
my ($status, $text) = $s->gatehouse('postfix-config', '--apply', '--config',
    $s->conf, '--postfix', $etc);
is $status, 0, 'postfix-config applies it' or diag $text;
$d->well(qw(recipe milters listeners));
put($s->conf . '/postfix.conf', join "\n", @role, 'queue_lifetime = "48h";');
$f = $d->finds('recipe.should', 'another time was configured since', with =>
    [ 'recipe.should' ], says => qr/lifetime is "4d", the recipe has "2d"/);
like $f->{type}, qr/^gatehouse postfix-config --apply /, 'it applies anew';
$d->heals($f);
open my $in, '<', "$etc/main.cf" or die $!;
my $applied = join '', <$in>;
close $in;
put("$etc/main.cf", $applied =~ s/^(maximal_backoff_time) = .*/$1 = 3h/mr);
$d->heals($d->finds('recipe.edited', 'somebody changed what it wrote',
    with => [ 'recipe.should' ]), sub { put("$etc/main.cf", $applied) });
put($s->conf . '/postfix.conf', join "\n", @role, 'soft_errors = 9;');
$d->heals($d->finds('recipe.contradicts', 'options that contradict'),
    sub { put($s->conf . '/postfix.conf', join "\n", @role,
    'queue_lifetime = "48h";') });
put($s->conf . '/postfix.conf', join "\n", 'role = "both";',
    @role[1 .. $#role], '');
ok scalar(grep { $_->{id} eq 'recipe.cannot' && $_->{what} =~ /certificate/ }
    $d->look('recipe')), 'what the recipe cannot do is said: a certificate';
configure(main => { relay_recipient_maps => '' });
put($s->conf . '/postfix.conf', join "\n", @role, '');
ok scalar(grep { $_->{id} eq 'recipe.note' && $_->{what} =~ /recipient/ }
    $d->look('recipe')), 'and what it should not be without: recipients';
$d->provoked('recipe');

done_testing;
