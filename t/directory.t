#!/usr/bin/perl
# gatehouse directory: what sources say becomes the directory file and
# Postfix's maps, or nothing does.
use strict;
use warnings;

use FindBin;
use File::Temp qw(tempdir);
use JSON::PP ();
use lib "$FindBin::Bin/lib";
use Test::More;

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Directory;

plan skip_all => 'NO Postfix (postmap) HERE' unless -x '/usr/sbin/postmap';

my $dir = tempdir('gatehouse-directory-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;
my $d = Gatehouse::Directory->new(dir => $dir,
    domains => [ 'a.test', 'b.test', 'open.test' ],
    options => { open_domains => [ 'open.test' ], shrink_percent => 50 });
my ($status, $out, $err);

sub sync { ($status, $out, $err) = $d->sync(@_); return $status }

# It fails with that, and what was there stays.
sub refused {
	my ($what, $want, $code) = @_;
	my $before = $d->file;

	is sync(), $code // 78, "$what: refused";
	like $err, $want, "$what: and says why";
	is $d->file, $before, "$what: nothing changed";
}

is sync(), 78, 'no sources';
like $err, qr/names no sources/, 'is said';

# --- CSV --------------------------------------------------------------------
my $head = "Mail,Also,Group,Server,Name\r\n";
my $rows = $head .
    "Ann\@A.test,\"all\@a.test; ann\@b.test\",sales,smtp:[192.0.2.1]:26," .
    "\"Ann \"\"A\"\" B, C\"\r\n" .
    "bob\@a.test,all\@a.test,,,\r\n" .
    "..odd.\@b.test,,sales,,\"Two\r\nlines\tand tab\"\r\n";

$d->source('hr', fields => [ 'Mail=address', 'Also=aliases', 'Group=profile',
    'Server=transport', 'Name=attr.name' ], text => $rows);
is sync('--dry-run'), 0, 'a dry run';
like $out, qr/^\+ U ann\@a\.test  profile=sales/m, 'says what would come';
is $d->file, undef, 'and writes nothing';
ok !-e $d->folder, 'not even a folder';
is sync(), 0, 'a sync' or diag $err;
like $out, qr/^5 addresses: 5 added, 0 removed, 0 changed$/, 'says what it did';
is $d->file, <<'END', 'the directory file';
gatehouse-directory 1
D a.test
D b.test
D open.test
P sales
U ..odd.@b.test	profile=sales	attr.name=Two\nlines\tand tab
A all@a.test	ann@a.test,bob@a.test
U ann@a.test	profile=sales	transport=smtp:[192.0.2.1]:26	attr.name=Ann "A" B, C
A ann@b.test	ann@a.test
U bob@a.test
++++ 9
END
is_deeply $d->map('recipients'), { map { $_ => 'x' } '@open.test',
    'ann@a.test', 'bob@a.test', '..odd.@b.test', '"..odd."@b.test' },
    'who exists, dots quoted too';
is_deeply $d->map('aliases'), { 'all@a.test' => 'ann@a.test,bob@a.test',
    'ann@b.test' => 'ann@a.test' }, 'aliases';
is_deeply $d->map('transports'), { 'ann@a.test' => 'smtp:[192.0.2.1]:26' },
    'transports';
is_deeply [ map { sprintf '%o', (stat)[2] & 07777 } glob $d->folder .
    '/current/*' ], [ (640) x 4 ], 'nobody else reads them';
like Gatehouse::Directory::get("$dir/log/directory.log"),
    qr/directory: by=\S+, addresses=5, added=5, removed=0, changed=0, /,
    'the log has it';
my ($event) = map { JSON::PP->new->utf8->decode($_) }
    split /\n/, Gatehouse::Directory::get($d->folder . '/journal.json');
is $event->{'gatehouse.directory.added'}, 5, 'so has the journal';
ok +(grep { $_ eq '+ ann@a.test' } @{ $event->{'gatehouse.directory.keys'} }),
    'with who';

my $generation = readlink $d->folder . '/current';
is sync(), 0, 'again';
like $out, qr/ 0 changed \(as it was\)$/, 'nothing to do';
is readlink($d->folder . '/current'), $generation, 'the same generation';
$d->text('hr', $rows =~ s/bob/rob/gr =~ s/sales,,/,,/r);
is sync('--dry-run', '--json'), 0, 'a dry run in JSON';
my $json = eval { JSON::PP->new->utf8->decode($out) } // {};
is_deeply [ map { "$_->{change} $_->{record}" } @{ $json->{changes} } ],
    [ 'remove ' . "U ..odd.\@b.test\tprofile=sales\tattr.name=Two\\nlines" .
    '\tand tab', "add U ..odd.\@b.test\tattr.name=Two\\nlines\\tand tab",
    "remove A all\@a.test\tann\@a.test,bob\@a.test",
    "add A all\@a.test\tann\@a.test,rob\@a.test",
    'remove U bob@a.test', 'add U rob@a.test' ], 'what would change';
is $json->{removed}, 1, 'counted';
is sync(), 0, 'done';
isnt readlink($d->folder . '/current'), $generation, 'another generation';
is sync('--json'), 0, 'as it was, in JSON';
is +(JSON::PP->new->utf8->decode($out))->{written}, JSON::PP::false,
    'not written';

is +($d->run('directory', 'show', 'ANN@a.test'))[0], 0, 'show';
is +($d->run('directory', 'show', 'no@a.test'))[0], 1, 'show nobody';
is +($d->run('directory', 'check'))[0], 0, 'check';
is +($d->run('directory', 'check', Gatehouse::Directory::put("$dir/torn",
    substr $d->file, 0, 60)))[0], 65, 'check of a torn file';

# --- broken CSV ---------------------------------------------------------------
for ([ 'empty', '', qr/hr\.source:1: the file is empty/ ],
    [ 'head alone', $head, qr/no user of ours in it/ ],
    [ 'no such column', "Post,Also,Group,Server,Name\n",
    qr/hr\.source:1: there is no column "Mail"/ ],
    [ 'torn in quotes', $rows =~ s/Two.*/Two/sr,
    qr/:4: this quote never closes/ ],
    [ 'a row too short', "${head}x\@a.test,,\n", qr/:2: 3 cells where the first/ ],
    [ 'no address', "$head,,,,x\n", qr/:2: no address/ ],
    [ 'not an address', "${head}here,,,,\n", qr/:2: "here" is no address/ ],
    [ 'twice, and not the same', "${head}x\@a.test,,p,,\nx\@a.test,,q,,\n",
    qr/:3: x\@a\.test: profile is "q" here, and was "p" before/ ],
    [ 'mailbox and alias', "${head}x\@a.test,y\@a.test,,,\ny\@a.test,,,,\n",
    qr/:3: y\@a\.test is a mailbox here and an alias in line 2/ ],
    [ 'an alien domain', "${head}x\@alien.test,,,,\n",
    qr/:2: x\@alien\.test is of the domain alien\.test, which is none/ ],
    [ 'a transport that is not allowed', "${head}x\@a.test,,,discard:,\n",
    qr/:2: the transport "discard" may not be used/ ],
    [ 'no transport', "${head}x\@a.test,,,smtp,\n", qr/:2: "smtp" is no transport/ ],
    [ 'not UTF-8', "${head}x\@a.test,,,,\xe9\n", qr/:2: bytes that are no UTF-8/ ],
    [ 'NUL', "${head}x\@a.test,,,,\0\n", qr/:2: a NUL byte/ ],
    [ 'a domain without users', "${head}x\@a.test,,,,\n",
    qr/no source has an address in b\.test/ ],
    [ 'what postmap takes for a comment', "$rows#x\@a.test,,,,\r\n",
    qr/#x\@a\.test begins with '#'/ ],
    [ 'a quote bomb', $head . '"' x 300001 . "\n", qr/:2: a cell of over 64 kB/ ],
    [ 'a cell of 10 MB', $head . 'x' x 10_000_000 . ",,,,\n",
    qr/:2: a cell of over 64 kB/ ]) {
	$d->text('hr', $_->[1]);
	refused($_->[0], $_->[2]);
}
like Gatehouse::Directory::get($d->folder . '/failed'), qr/"failure"/,
    'that it failed stands there';
unlink "$dir/hr.source";
refused('no file', qr/hr\.source: No such file/, 75);
symlink '/dev/zero', "$dir/hr.source";
refused('a device', qr/hr\.source: it is no file/, 75);
unlink "$dir/hr.source";
is_deeply [ glob $d->folder . '/g.*' ], [ $d->folder . '/' .
    readlink($d->folder . '/current') ], 'no generation is left behind';

# --- the end mark -------------------------------------------------------------
$d->source('hr', end_mark => '++++', fields => [ 'Mail=address' ],
    text => "Mail\nx\@a.test\ny\@b.test\n");
refused('no end mark', qr/ends without the row of its end_mark/);
$d->text('hr', "Mail\nx\@a.test\n++++\ny\@b.test\n");
refused('more behind it', qr/:4: a row behind the end mark/);

# --- MAP, joined with CSV -----------------------------------------------------
$d->source('hr', fields => [ 'Mail=address', 'Name=attr.name' ],
    text => "Mail,Name\nann\@a.test,Ann\nann2\@b.test,\n");
my $map = "# from elsewhere\nDOMAIN\ta.test\tsmtp:[192.0.2.9]\n" .
    "DOMAIN\tb.test\n\nDIR\tann\@a.test\nDIR\trob\@a.test\n" .
    "MAP\tall\@a.test\tann\@a.test\trob\@a.test\tx\@away.test\n" .
    "PROFILE\trob\@a.test\tsales\nUCFG\trob\@a.test\tTransport\trelay:[x]\n" .
    "UCFG\trob\@a.test\tSpam Level\t5\nP13N\tann\@a.test\tname\tAnna\n" .
    "P13N\trob\@a.test\tphone\t+1 2\nP13N\trob\@a.test\tfax\t\n++++\t11\n";
$d->source('other', kind => 'map', text => $map);
is sync('--force-shrink'), 0, 'two sources' or diag $err;
like $out, qr/^note: \S+other\.source:11: ann\@a\.test: name is "Anna" here, "Ann" in \S+hr\.source, which holds$/m,
    'the contradiction is named';
is $d->file, <<'END', 'joined';
gatehouse-directory 1
D a.test	transport=smtp:[192.0.2.9]
D b.test
D open.test
P sales
A all@a.test	ann@a.test,rob@a.test,x@away.test
U ann2@b.test
U ann@a.test	attr.name=Ann
U rob@a.test	profile=sales	transport=relay:[x]	attr.phone=+1 2	attr.ucfg_spam-level=5
++++ 8
END
is_deeply $d->map('transports'), { 'a.test' => 'smtp:[192.0.2.9]',
    'rob@a.test' => 'relay:[x]' }, 'domains have transports too';

for ([ 'no end mark', $map =~ s/^\+\+\+\+.*\n//mr,
    qr/other\.source:14: the file ends here without its end mark/ ],
    [ 'a wrong number', $map =~ s/\t11$/\t12/mr,
    qr/the end mark says "12" records, there are 11/ ],
    [ 'more behind it', "${map}DIR\tx\@a.test\n", qr/:15: something stands behind/ ],
    [ 'torn', substr($map, 0, 120), qr/the file ends here/ ],
    [ 'an unknown record', "FOO\tx\n$map", qr/:1: "FOO" is no record/ ],
    [ 'a blank for a tab', "DIR x\@a.test\n$map", qr/:1: "DIR x\@a.test" is no rec/ ],
    [ 'too many fields', "DIR\tx\@a.test\ty\n$map", qr/:1: too many fields; a line is DIR and an address/ ],
    [ 'too few', "PROFILE\tx\@a.test\n$map", qr/:1: too few fields/ ],
    [ 'an empty one', "MAP\tx\@a.test\t\ty\@a.test\n$map", qr/:1: an empty field/ ],
    [ 'a loop', "MAP\tl1\@a.test\tl2\@a.test\nMAP\tl2\@a.test\tl1\@a.test\n" .
    $map =~ s/11$/13/r, qr/the alias l[12]\@a\.test leads back to itself/ ],
    [ 'a chain of twelve', join('', map { my $n = $_ + 1;
    "MAP\tl$_\@a.test\t" . ($_ == 12 ? 'rob' : "l$n") . "\@a.test\n" } 1 .. 12) .
    $map =~ s/11$/23/r, qr/over 10 aliases one behind the other/ ],
    [ 'too many in the end', join('', map { my $n = $_;
    "MAP\tm$n\@a.test" . join('', map { "\tx$n-$_\@away.test" } 1 .. 400) . "\n" }
    1 .. 3) . "MAP\tm\@a.test\tm1\@a.test\tm2\@a.test\tm3\@a.test\n" .
    $map =~ s/11$/15/r, qr/m\@a\.test leads to 1200 addresses in the end/ ],
    [ 'a member who does not exist', "MAP\tx\@a.test\tnobody\@a.test\n" .
    $map =~ s/11$/12/r, qr/:1: x\@a\.test leads to nobody\@a\.test, which no source has/ ],
    [ 'not UTF-8', "DIR\t\xff\@a.test\n$map", qr/:1: bytes that are no UTF-8/ ]) {
	$d->text('other', $_->[1]);
	refused($_->[0], $_->[2]);
}
$d->text('other', $map =~ s/\n/\r\n/gr);
is sync(), 0, 'CR LF is taken' or diag $err;
like $out, qr/as it was/, 'and means the same';

# --- aliens, passed over ------------------------------------------------------
$d->source('hr', foreign => 'skip', fields => [ 'Mail=address', 'Name=attr.name' ],
    text => "Mail,Name\nann\@a.test,Ann\nann2\@b.test,\nx\@alien.test,\n");
is sync(), 0, 'an alien is skipped';
like $out, qr/^note: \S+:4: x\@alien\.test: passed over/m, 'and named';

# --- other separators ---------------------------------------------------------
for (';', "\t") {
	$d->source('hr', separator => $_, fields => [ 'Mail=address', 'Name=attr.name' ],
	    text => "Mail${_}Name\nann\@a.test${_}\"An${_}n\"\nann2\@b.test$_\n");
	is sync(), 0, 'another separator' or diag $err;
	my $name = s/\t/\\t/r;
	like $d->file, qr/^U ann\@a\.test\tattr\.name=An\Q$name\En$/m, 'is read';
}
$d->source('hr', separator => '"', fields => [ 'Mail=address' ]);
refused('a quote as separator', qr/separator cannot be that/);
$d->source('hr', fields => [ 'Mail=address', 'Name=attr.name' ]);

# --- what shrinks -------------------------------------------------------------
my $many = "Mail,Name\n" . join '', map { "u$_\@b.test,\n" } 1 .. 100;
$d->text('hr', "${many}ann\@a.test,Ann\n");
is sync(), 0, 'many';
$d->options(shrink_percent => 10);
$d->text('hr', "Mail,Name\nann\@a.test,Ann\n" . join '', map { "u$_\@b.test,\n" } 1 .. 85);
refused('15 of 103 go', qr/15 of 103 addresses would go, over shrink_percent = 10; nothing was changed/);
is sync('--dry-run'), 78, 'a dry run says so too';
like $out, qr/^- U u86\@b\.test$/m, 'and shows them';
$d->options(shrink_count => 14, shrink_percent => 0);
refused('over the count', qr/over shrink_count = 14/);
is sync('--force-shrink'), 0, 'forced';
like Gatehouse::Directory::get("$dir/log/directory.log"),
    qr/removed=15, .*forced=yes/, 'which the log says';
$d->text('hr', "${many}ann\@a.test,Ann\n");
$d->options(shrink_count => 1000, shrink_percent => 90,
    open_domains => [ 'open.test' ]);
is sync(), 0, 'back';
$d->text('hr', "Mail,Name\nann\@a.test,Ann\n");
refused('a domain without users', qr/no source has an address in b\.test/);

# --- what is there is broken --------------------------------------------------
$d->text('hr', "${many}ann\@a.test,Ann\n");
{
	my $path = $d->folder . '/current/directory';
	my $was = $d->file;

	Gatehouse::Directory::put($path, substr $was, 0, 100);
	refused('a torn directory file', qr/the current directory:\d+: .*--force-shrink/);
	is sync('--force-shrink'), 0, 'made anew';
	is $d->file, $was, 'as it was';
}
unlink $d->folder . '/current/aliases.db';
is sync(), 0, 'a map is gone';
ok -e $d->folder . '/current/aliases.db', 'it is made anew';

# --- another sync, no postmap -------------------------------------------------
{
	use Fcntl qw(:flock);
	open my $lock, '>>', $d->folder . '/lock' or die $!;
	flock $lock, LOCK_EX or die $!;
	refused('another is at work', qr/another sync is at work/, 75);
}
$d->text('hr', "${many}ann\@a.test,Anne\n");
$d->options(postfix_directory => "$dir/nowhere");
refused('postmap fails', qr/postmap -c/, 75);
$d->options(postfix_directory => "$dir/postfix", maps => 'false');
is sync(), 0, 'without maps';
is_deeply [ map { s{.*/}{}r } glob $d->folder . '/current/*' ],
    [ 'directory' ], 'the directory alone';

# --- configuration ------------------------------------------------------------
for ([ { fields => [ 'Name=attr.name' ] }, qr/fields names no address/ ],
    [ { fields => [ 'Mail=address', 'x=attr.Big' ] }, qr/fields has "x=attr\.Big"/ ],
    [ { fields => [ 'Mail=address', 'More=address' ] }, qr/address twice/ ],
    [ { path => 'rel' }, qr/hr\.conf:1:|path is "rel"/ ],
    [ { kind => 'ldap', uri => 'http://x' }, qr/uri is "http:/ ],
    [ { kind => 'ldap', uri => 'ldap://x', tls => 'none', bind_dn => 'cn=x',
    password_file => '/x' }, qr/sent in the clear/ ],
    [ { kind => 'ldap', uri => 'ldaps://x', bind_dn => 'cn=x' },
    qr/bind_dn and password_file belong together/ ]) {
	$d->source('hr', %{ $_->[0] });
	is sync(), 78, 'a wrong source';
	like $err, $_->[1], 'is named';
}
done_testing;
