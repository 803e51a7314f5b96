#!/usr/bin/perl
# A disclaimer into all shared mail: undone, it is byte for byte the same; no
# part comes or goes, none but the texts changes, and in these it is seen. Where
# python3-html5lib is at hand, it sees it too, in the body. With GATEHOUSE_FULL
# all of it, else a part.
use strict;
use warnings;

use File::Find;
use File::Temp 'tempdir';
use FindBin;
use Test::More;

my $src   = $ENV{GATEHOUSE_SRC}   // "$FindBin::Bin/..";
my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $data  = $ENV{GATEHOUSE_DATA}  // "$src/../shared/data";
my $probe = "$build/t/disclaim-mail";
my $dir   = tempdir(CLEANUP => 1);

plan skip_all => "NO MAIL: $data is absent" unless -d $data;
plan skip_all => "$probe is not built" unless -x $probe;

mkdir "$dir/disclaimers";
open my $f, '>', "$dir/disclaimers/test.txt" or die $!;
print $f "This is the disclaimer of the test.\n\x{c3}\x{84}nderungen " .
    "vorbehalten.\n";
close $f;

my @folders = ("$data/mime", "$data/rfc-vectors");
my $archive = "$data/spam-ham/mail.tar.xz";
if (-e $archive) {
	mkdir "$dir/spam-ham";
	is system('tar', '-xJf', $archive, '-C', "$dir/spam-ham"), 0,
	    'archive unpacked';
	push @folders, "$dir/spam-ham";
}
# Templates have no header block: a blank line makes them a mail.
if (-d "$data/html-mail") {
	my $n = 0;
	mkdir "$dir/html-mail";
	find({ no_chdir => 1, wanted => sub {
		return unless /\.html$/ && -s;
		open my $in, '<', $_ or die "$_: $!";
		open my $to, '>', "$dir/html-mail/" . $n++ or die $!;
		print $to "Content-Type: text/html; charset=utf-8\n" .
		    "Content-Transfer-Encoding: 8bit\n\n", <$in>;
	} }, "$data/html-mail");
	push @folders, "$dir/html-mail";
}

for my $folder (grep { -d } @folders) {
	my (@mails, %sum);
	find({ no_chdir => 1, wanted => sub {
		push @mails, $_ if -f && -s _ && -s _ < 3_000_000;
	} }, $folder);
	@mails = sort @mails;
	@mails = @mails[map { 6 * $_ } 0 .. $#mails / 6]
	    if @mails > 1000 && !$ENV{GATEHOUSE_FULL};
	my $all = @mails;
	my $bad = 0;
	while (my @some = splice @mails, 0, 500) {
		open my $out, '-|', $probe, "$dir/disclaimers", @some or
		    die "$probe: $!";
		while (<$out>) {
			if (/^([a-z-]+): (\d+)$/) {
				$sum{$1} += $2;
			} elsif (!/^\d+ mails/) {
				diag $_;
			}
		}
		$bad++ unless close $out;
	}
	is $bad, 0, sprintf '%s: %d mails, %s', $folder =~ m{([^/]+)$}, $all,
	    join ', ', map { "$_ $sum{$_}" } sort grep { $sum{$_} } keys %sum;
	cmp_ok $sum{added} // 0, '>', 0, 'some of them have it now';
}

# HTML of mail clients and of templates, a few of each.
my $peer = <<'END';
import sys, html5lib
bad = ("script", "style", "title", "template", "head", "textarea", "select")
def seen(e, way):
    style = e.get("style", "").replace(" ", "").lower() \
        if isinstance(e.tag, str) else ""
    if not isinstance(e.tag, str) or e.tag in bad or "hidden" in e.attrib \
        or "display:none" in style: return False
    way = way + [e]
    texts = [e.text] + [c.tail for c in e]
    if any("disclaimer of the test" in (t or "") for t in texts): return True
    return any(seen(c, way) for c in e)
for path in sys.argv[1:]:
    tree = html5lib.parse(open(path, "rb").read(), treebuilder="etree",
        namespaceHTMLElements=False, transport_encoding="windows-1252")
    if not seen(tree.find("body"), []): print(path)
END
SKIP: {
	skip 'NO PEER: python3-html5lib is not installed', 1
	    if system('/usr/bin/python3 -c "import html5lib" 2>/dev/null') != 0;
	my @some;
	for my $folder (grep { -d } @folders) {
		my @mails;
		find({ no_chdir => 1, wanted => sub {
			push @mails, $_ if -f && -s _ < 60_000 } }, $folder);
		@mails = sort @mails;
		my $each = $ENV{GATEHOUSE_FULL} ? 3 : 25;
		push @some, @mails[map { $each * $_ } 0 .. $#mails / $each];
	}
	mkdir "$dir/html";
	$ENV{HTML} = "$dir/html";
	system "$probe $dir/disclaimers @{[ map { quotemeta } @some ]} " .
	    ">$dir/said";
	my @html = glob "$dir/html/*.html";
	open my $py, '>', "$dir/peer.py" or die $!;
	print $py $peer;
	close $py;
	my $said = `/usr/bin/python3 $dir/peer.py @html 2>&1`;
	is $said, '', sprintf 'html5lib sees it in the body of %d texts',
	    scalar @html;
	cmp_ok scalar @html, '>', 10, 'there were some';
}
done_testing;
