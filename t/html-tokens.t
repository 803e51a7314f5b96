#!/usr/bin/perl
# The tokenizer against others: html5lib's cases for WHATWG's tokenizer, and
# html5lib itself (Debian's python3-html5lib) on the HTML of shared mail. Both
# skip where they are absent. With GATEHOUSE_FULL all mail is read, else a part.
use strict;
use warnings;

use File::Find;
use File::Temp 'tempdir';
use FindBin;
use JSON::PP ();
use Test::More;

my $src   = $ENV{GATEHOUSE_SRC}   // "$FindBin::Bin/..";
my $build = $ENV{GATEHOUSE_BUILD} // '.';
my $data  = $ENV{GATEHOUSE_DATA}  // "$src/../shared/data";
my $probe = "$build/t/html-tokens";
my $dir   = tempdir(CLEANUP => 1);

plan skip_all => "$probe is not built" unless -x $probe;

# --- WHATWG's cases ---------------------------------------------------------

my %states = ('Data state' => 'data', 'PLAINTEXT state' => 'plaintext',
    'RCDATA state' => 'rcdata', 'RAWTEXT state' => 'rawtext',
    'Script data state' => 'script', 'CDATA section state' => 'cdata');

# As UTF-8; undef for text that UTF-8 cannot hold.
sub utf8 {
	my ($text) = @_;

	return undef if $text =~ /[\x{d800}-\x{dfff}]/;
	utf8::encode($text);
	return $text;
}

sub unescape { return $_[0] =~ s/\\u([0-9A-Fa-f]{4})/chr hex $1/ger }

sub wanted {
	my ($case) = @_;
	my @out;

	for my $t (@{ $case->{output} }) {
		my ($kind, $name, $more, $closes) = @$t;
		$name = unescape($name) if $case->{doubleEscaped} &&
		    defined $name;
		if ($kind eq 'Character') {
			push @out, [ 'T', $name ];
		} elsif ($kind eq 'Comment') {
			push @out, [ 'C', $name ];
		} elsif ($kind eq 'DOCTYPE') {
			push @out, [ 'D', $name // '' ];
		} elsif ($kind eq 'EndTag') {
			push @out, [ 'E', $name ];
		} else {
			push @out, [ 'S', $name, $closes ? '/' : '',
			    map { ($_, $more->{$_}) } sort keys %$more ];
		}
	}
	return @out;
}

# What WHATWG does to names and NULs after what we do.
sub clean {
	my ($text, $lower) = @_;

	$text =~ s/\0/\x{fffd}/g;
	$text =~ tr/A-Z/a-z/ if $lower;
	return $text;
}

sub unhex {
	my $text = pack 'H*', shift;
	utf8::decode($text);
	return $text;
}

sub got {
	my ($line, $state) = @_;
	my @out;

	for (split ' ', $line) {
		my ($kind, $rest) = split /:/, $_, 2;
		if ($kind eq 'S') {
			my ($name, @attrs) = split /,/, $rest;
			my $closes = $name =~ s{/$}{} ? '/' : '';
			my %attrs;
			for (@attrs) {
				my ($n, $v) = map { unhex($_) } split /=/, $_, 2;
				$n = clean($n, 1);
				$attrs{$n} = clean($v // '') unless
				    exists $attrs{$n};
			}
			push @out, [ 'S', clean(unhex($name), 1), $closes,
			    map { ($_, $attrs{$_}) } sort keys %attrs ];
			next;
		}
		my $text = unhex($rest // '');
		next if $kind eq 'T' && $text eq '';
		$text = clean($text, $kind =~ /[DE]/)
		    unless $kind eq 'T' && $state =~ /^(data|cdata)$/;
		if ($kind eq 'T' && @out && $out[-1][0] eq 'T') {
			$out[-1][1] .= $text;
		} else {
			push @out, [ $kind, $text ];
		}
	}
	return @out;
}

sub show {
	return join ' ', map { join '|', map { s/([^ -~])/sprintf '\\x{%x}',
	    ord $1/ger } map { $_ // '' } @$_ } @_;
}

my $json = JSON::PP->new->utf8->allow_nonref;
my @files = sort glob "$data/url-html-spec/html5lib-tests/tokenizer/*.test";

SKIP: {
	skip "NO CASES: $data/url-html-spec is absent", 1 unless @files;
	for my $file (@files) {
		# XML is no concern of a mail's.
		next if $file =~ /xmlViolation/;
		open my $f, '<', $file or die "$file: $!";
		my $all = $json->decode(join '', <$f>);
		my (@cases, @lines);
		for my $case (@{ $all->{tests} }) {
			my $in = $case->{input};
			$in = unescape($in) if $case->{doubleEscaped};
			$in = utf8($in =~ s/\r\n?/\n/gr) // next;
			for (@{ $case->{initialStates} // ['Data state'] }) {
				my $state = $states{$_} // die $_;
				push @cases, [ $case, $state ];
				push @lines, join ' ', $state,
				    $case->{lastStartTag} // 'none', unpack
				    'H*', ($state eq 'cdata' ? '<![CDATA[' : '')
				    . $in;
			}
		}
		open my $to, '>', "$dir/cases" or die $!;
		print $to "$_\n" for @lines;
		close $to;
		open my $out, '-|', "$probe cases < $dir/cases" or die $!;
		my @bad;
		for (@cases) {
			my ($case, $state) = @$_;
			my $line = <$out> // '';
			my $want = show(wanted($case));
			my $got = show(got($line, $state));
			push @bad, "$case->{description} ($state): " .
			    "got $got, want $want" if $got ne $want;
		}
		close $out;
		is scalar @bad, 0, sprintf '%s: %d cases', $file =~ m{([^/]+)$},
		    scalar @cases;
		diag join "\n", @bad[0 .. ($#bad < 9 ? $#bad : 9)] if @bad;
	}
}

# --- html5lib on mail -------------------------------------------------------

my $peer = <<'END';
import collections, sys, html5lib
sys.setrecursionlimit(100000)
from html5lib._tokenizer import HTMLTokenizer
from html5lib.constants import tokenTypes
START, END = tokenTypes["StartTag"], tokenTypes["EndTag"]
REFS = {"title", "textarea"}
RAW = {"style", "xmp", "iframe", "noembed", "noframes"}
h = lambda s: s.encode("utf-8", "replace").hex()
skip = {"title", "script", "style", "template", "iframe", "noembed", "noframes"}
def letters(e, n):
    if isinstance(e.tag, str) and e.tag not in skip:
        n.update(c for c in e.text or "" if c.isascii() and c.isalnum())
        for c in e: letters(c, n)
    n.update(c for c in e.tail or "" if c.isascii() and c.isalnum())
for path in sys.argv[1:]:
    text = open(path + ".html", "rb").read().decode("ascii")
    n = collections.Counter()
    letters(html5lib.parse(text, treebuilder="etree", scripting=False,
        namespaceHTMLElements=False), n)
    with open(path + ".seen", "w") as f:
        f.write("".join("%s%d " % i for i in sorted(n.items())) + "\n")
    t = HTMLTokenizer(text)
    out = []
    for k in t:
        if k["type"] == START:
            name = k["name"]
            out.append("S:" + h(name) + ("/" if k["selfClosing"] else "") +
                "".join(sorted("," + h(n) + "=" + h(v)
                    for n, v in dict(k["data"]).items())))
            if name in REFS: t.state = t.rcdataState
            elif name in RAW: t.state = t.rawtextState
            elif name == "script": t.state = t.scriptDataState
            elif name == "plaintext": t.state = t.plaintextState
        elif k["type"] == END:
            out.append("E:" + h(k["name"]))
    with open(path + ".peer", "w") as f:
        f.write(" ".join(out) + "\n")
END

# Ours in the peer's form.
sub ours {
	my ($line) = @_;

	return join ' ', map {
		my ($kind, $name, @more) = /^(\w):([^,]*)(.*)$/s;
		my %attrs;
		for (grep { length } split /,/, $more[0] // '') {
			my ($n, $v) = split /=/;
			$n = unpack 'H*', utf8(clean(unhex($n), 1));
			next if exists $attrs{$n};
			$v = clean(unhex($v // ''));
			$attrs{$n} = unpack 'H*', utf8($v);
		}
		my $closes = $name =~ s{/$}{} ? '/' : '';
		$name = unpack 'H*', utf8(clean(unhex($name), 1));
		"$kind:$name$closes" . join '', sort map { ",$_=$attrs{$_}" }
		    keys %attrs;
	} split ' ', $line;
}

SKIP: {
	skip 'NO PEER: python3-html5lib is not installed', 1
	    if system('/usr/bin/python3 -c "import html5lib" 2>/dev/null') != 0;
	my @mails;
	my @folders = grep { -d } "$data/mime", "$data/html-mail/mimekit-html";
	my $archive = "$data/spam-ham/mail.tar.xz";
	if (-e $archive && $ENV{GATEHOUSE_FULL}) {
		mkdir "$dir/mail";
		system 'tar', '-xJf', $archive, '-C', "$dir/mail";
		push @folders, "$dir/mail";
	}
	find({ no_chdir => 1, wanted => sub {
		push @mails, $_ if -f && -s _ < 300_000; } }, @folders)
	    if @folders;
	skip "NO MAIL: $data is absent", 1 unless @mails;
	# Templates have no header block: a blank line makes them a mail.
	my @html;
	find({ no_chdir => 1, wanted => sub {
		push @html, $_ if /\.html$/ } }, "$data/html-mail")
	    if -d "$data/html-mail";
	@html = sort @html;
	@html = @html[map { 12 * $_ } 0 .. $#html / 12]
	    unless $ENV{GATEHOUSE_FULL};
	my $n = 0;
	for my $file (@html) {
		open my $f, '<', $file or die "$file: $!";
		open my $to, '>', "$dir/t" . $n++ or die $!;
		print $to "Content-Type: text/html\n\n", <$f>;
		push @mails, "$dir/t" . ($n - 1);
	}
	mkdir "$dir/parts";
	open my $list, '>', "$dir/list" or die $!;
	print $list "$_\n" for sort @mails;
	close $list;
	is system("xargs -d '\\n' -n 100000 -a $dir/list $probe mail " .
	    "$dir/parts"), 0, 'the HTML parts of mail';
	my @parts = map { s/\.html$//r } glob "$dir/parts/*.html";
	open my $py, '>', "$dir/peer.py" or die $!;
	print $py $peer;
	close $py;
	is system('/usr/bin/python3', "$dir/peer.py", @parts), 0, 'read by html5lib';
	my @bad;
	for my $part (@parts) {
		my ($our, $their) = map { open my $f, '<', "$part.$_" or
		    die "$part.$_: $!"; scalar <$f> } qw(tokens peer);
		chomp $their;
		$our = ours($our // '');
		next if $our eq $their;
		my @o = split ' ', $our;
		my @t = split ' ', $their;
		my ($at) = grep { ($o[$_] // '') ne ($t[$_] // '') }
		    0 .. ($#o > $#t ? $#o : $#t);
		push @bad, "$part: " . ($o[$at] // 'nothing') . ' for ' .
		    ($t[$at] // 'nothing');
	}
	my @other = grep {
		my ($our, $their) = map { open my $f, '<', $_ or
		    die "$_: $!"; scalar <$f> } "$_.letters", "$_.seen";
		$our ne $their } @parts;
	is scalar @other, 0, sprintf 'the same text in %d parts', scalar @parts;
	diag $_ for @other[0 .. ($#other < 5 ? $#other : 5)];
	is scalar @bad, 0, sprintf 'the same tags and attributes in %d parts',
	    scalar @parts;
	diag $_ for @bad[0 .. ($#bad < 5 ? $#bad : 5)];
}

done_testing;
