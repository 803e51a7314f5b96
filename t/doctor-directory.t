#!/usr/bin/perl
# gatehouse doctor on the directory of users: each finding provoked once, and
# mended by what it says.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

BEGIN { $ENV{TMPDIR} //= '/dev/shm' if -d '/dev/shm' && -w _ }
use Gatehouse::Directory;
use Gatehouse::Doctor;
use Gatehouse::Suite;

plan skip_all => 'doctor wants root' if $> != 0;

my $s = Gatehouse::Suite->new;
$s->house;
open my $log, '>>', $s->log->path or die $!;	# none is made under /dev
mkdir $s->dir . '/postfix';
Gatehouse::Directory::put($s->dir . "/postfix/$_", '') for qw(main.cf master.cf);
my $doctor = Gatehouse::Doctor->new($s, postfix_dir => $s->dir . '/postfix');
$doctor->well('directory');

my $d = Gatehouse::Directory->new(suite => $s, options => { maps => 'false' });
my $good = "address\nus\@gatehouse.test\n";
$d->source('hr', text => $good);
$doctor->heals($doctor->finds('directory.never', 'no sync yet'));
$doctor->well('directory');

my $last = $d->folder . '/last';
utime time - 3 * 86400, time - 3 * 86400, $last;
$doctor->heals($doctor->finds('directory.old', 'no sync for three days',
    says => qr/was 72 hours ago .*: 48\)/));
$d->options(max_age => '1h');
utime time - 7200, time - 7200, $last;
$doctor->heals($doctor->finds('directory.old', 'max_age is what counts'));

$d->text('hr', "address\nus\@gatehouse.test\n\"torn");
$s->allow(qr/warning: directory sync by \w+: nothing was changed/);
is(($d->sync)[0], 78, 'a torn source');
my $f = $doctor->finds('directory.failed', 'the last sync failed',
    says => qr/hr\.source:3: this quote never closes/);
$d->text('hr', $good);
$doctor->heals($f);

my $whole = $d->file;
Gatehouse::Directory::put($d->folder . '/current/directory',
    $whole =~ s/\+\+\+\+.*//sr);
$doctor->heals($doctor->finds('directory.broken', 'the file was cut off',
    says => qr/directory:4: the file ends here/));
is $d->file, $whole, 'it is whole again';
$doctor->well('directory');
$doctor->provoked('directory');
$s->done;
