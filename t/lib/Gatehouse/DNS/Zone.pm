# What the scripted DNS server answers: a zone file, read and looked up.
#
# A line is NAME [TTL] TYPE DATA; `;' or `#' at its start makes a comment, a
# line `TTL n' sets the TTL of the lines below (300 at first). Names are
# absolute, with or without the dot at the end; \. and \DDD stand for a byte
# that a label could not hold otherwise; a first label `*' is a wildcard
# (RFC 4592). DATA of
#   A AAAA MX PTR CNAME NS SOA	as in a master file; CNAME LOOP points at itself
#   TXT		"quoted" "strings" with \" \\ \DDD, or else the rest of
#		the line as one string; above 255 bytes it is cut for you
#   any		\# LENGTH HEX (RFC 3597); that is how TLSA is written
#   A AAAA MX TXT	GENERATE n: so many records; for TXT so many bytes,
#		GENERATE n k: in each of k records
#
# A behaviour stands where data would: NAME TYPE WORD [udp|tcp] [COUNT], TYPE
# `*' for all. With COUNT it holds for so many questions and then no more:
#   SERVFAIL REFUSED FORMERR NOTIMP NXDOMAIN NODATA	says just this
#   SILENT	says nothing
#   DELAY ms	says it later
#   TRUNCATE	TC over UDP, everything over TCP
#   GARBAGE	the right id, then noise; WRONGID another id; WRONGNAME
#		another question; SHORT seven bytes; CUT all but three;
#		POINTERLOOP a compression pointer at itself
# TXT that says such a word must be quoted.
#
# A name that no line mentions is NXDOMAIN, with the SOA of the zone above it
# where there is one; a name that only has names below it is NODATA.
package Gatehouse::DNS::Zone;

use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 inet_pton);

our %TYPE = (A => 1, NS => 2, CNAME => 5, SOA => 6, PTR => 12, MX => 15,
    TXT => 16, AAAA => 28, TLSA => 52, '*' => 255);
our %RCODE = (NOERROR => 0, FORMERR => 1, SERVFAIL => 2, NXDOMAIN => 3,
    NOTIMP => 4, REFUSED => 5);
my %BEHAVES = map { $_ => 1 } qw(SERVFAIL REFUSED FORMERR NOTIMP NXDOMAIN
    NODATA SILENT DELAY TRUNCATE GARBAGE WRONGID WRONGNAME SHORT CUT
    POINTERLOOP);
my $CHAIN_MAX = 12;		# CNAMEs followed

# A name as its labels in wire form, lower case: also the key of the tables.
sub wire_name {
	my ($text) = @_;
	my $wire = '';

	$text =~ s/\.\z// unless $text =~ /\\\.\z/;
	return "\0" if $text eq '';
	die "empty label in $text\n" if $text =~ /^\.|(?<!\\)\.\./;
	while ($text =~ /\G((?:[^\\.]|\\\d{3}|\\\D)+)(?:\.|\z)/gc) {
		my $label = unescape($1);
		die "label too long in $text\n" if length $label > 63;
		$wire .= pack('C/a*', $label);
		last if pos($text) == length $text;
	}
	die "name too long: $text\n" if length $wire > 254;
	return "$wire\0";
}

sub unescape {
	my ($s) = @_;
	$s =~ s/\\(?:(\d{3})|(.))/defined $1 ? chr($1 & 255) : $2/ges;
	return $s;
}

# The text form, for the log: lower case, no dot at the end.
sub text_name {
	my ($wire) = @_;
	my @labels;

	while (length $wire > 1) {
		my $label = substr $wire, 1, ord $wire;
		$wire = substr $wire, 1 + length $label;
		$label =~ s/([.\\])/\\$1/g;
		$label =~ s/([^!-~])/sprintf '\\%03d', ord $1/ge;
		push @labels, $label;
	}
	return @labels ? lc join('.', @labels) : '.';
}

sub type_number {
	my ($type) = @_;
	return $TYPE{$type} if exists $TYPE{$type};
	return $1 if $type =~ /^TYPE(\d+)$/;
	die "unknown type $type\n";
}

# Character strings of at most 255 bytes (RFC 1035, 3.3).
sub txt_strings {
	return join '', map { pack 'C/a*', $_ }
	    map { length $_ ? unpack('(a255)*', $_) : '' } @_;
}

sub txt_data {
	my ($data) = @_;
	my @strings;

	return txt_strings(unescape($data)) if $data !~ /^"/;
	push @strings, unescape($1)
	    while $data =~ /\G\s*"((?:[^"\\]|\\.)*)"/gcs;
	die "bad quotes in $data\n" if substr($data, pos $data) =~ /\S/;
	return txt_strings(@strings);
}

sub address {
	my ($family, $text) = @_;
	return inet_pton($family, $text) // die "bad address $text\n";
}

my %RDATA = (
	A => sub { address(AF_INET, $_[0]) },
	AAAA => sub { address(AF_INET6, $_[0]) },
	TXT => \&txt_data,
	(map { $_ => sub { wire_name($_[0]) } } qw(NS PTR CNAME)),
	MX => sub {
		my ($preference, $name) = split ' ', $_[0];
		return pack('n', $preference) . wire_name($name);
	},
	SOA => sub {
		my ($mname, $rname, @n) = split ' ', $_[0];
		die "SOA wants two names and five numbers\n" if @n != 5;
		return wire_name($mname) . wire_name($rname) . pack('N5', @n);
	},
);

my %GENERATE = (
	A => sub { map { pack 'CCn', 10, 0, $_ & 65535 } 1 .. $_[0] },
	AAAA => sub { map { pack 'nx10N', 0x2001, $_ } 1 .. $_[0] },
	MX => sub { map { pack('n', $_ & 65535) .
	    wire_name("mx$_.generated.test") } 1 .. $_[0] },
	TXT => sub { map { my $n = $_; txt_strings(
	    substr "$n " . 'x' x $_[0], 0, $_[0]) } 1 .. ($_[1] // 1) },
);

sub rdata {
	my ($name, $type, $data) = @_;

	return pack 'H*', $2 =~ s/\s+//gr
	    if $data =~ /^\\#\s+(\d+)((?:\s+[0-9a-fA-F]+)*)$/;
	return $GENERATE{$type}->(split ' ', $1)
	    if exists $GENERATE{$type} && $data =~ /^GENERATE\s+(.*)/;
	return wire_name($name) if $type eq 'CNAME' && $data eq 'LOOP';
	die "no data of type $type is known\n" if !exists $RDATA{$type};
	return $RDATA{$type}->($data);
}

sub new {
	my ($class, $text) = @_;
	my $self = bless { records => {}, behaves => {}, names => {},
	    soa => {}, ttl => 300, compiled => {} }, $class;
	my $number = 0;

	for my $line (split /\n/, $text) {
		$number++;
		next if $line =~ /^\s*(?:[;#]|$)/;
		eval { $self->_line($line); 1 }
		    or die "line $number: $line: $@";
	}
	return $self;
}

sub _line {
	my ($self, $line) = @_;

	if ($line =~ /^\s*TTL\s+(\d+)\s*$/) {
		$self->{ttl} = $1;
		return;
	}
	$line =~ /^\s*(\S+)\s+(?:(\d+)\s+)?(\S+)\s+(.*?)\s*$/
	    or die "want NAME [TTL] TYPE DATA\n";
	my ($name, $ttl, $type, $data) = ($1, $2 // $self->{ttl}, $3, $4);
	my $owner = lc wire_name($name);
	my ($word, @rest) = split ' ', $data;

	$self->_exists($owner);
	if ($BEHAVES{$word // ''}) {
		$self->_behaviour($owner, type_number($type), $word, @rest);
		return;
	}
	my @rdata = rdata($name, $type, $data);
	push @{ $self->{records}{$owner}{ type_number($type) } },
	    map { [ $ttl, $_ ] } @rdata;
	$self->{soa}{$owner} = [ $ttl, $rdata[0] ] if $type eq 'SOA';
}

sub _behaviour {
	my ($self, $owner, $type, $word, @rest) = @_;
	my %b = (word => $word);

	$b{over} = 'udp' if $word eq 'TRUNCATE';
	$b{ms} = shift @rest if $word eq 'DELAY';
	$b{over} = shift @rest if @rest && $rest[0] =~ /^(?:udp|tcp)$/;
	$b{left} = shift @rest if @rest && $rest[0] =~ /^\d+$/;
	die "$word does not take @rest\n" if @rest;
	push @{ $self->{behaves}{$owner}{$type} }, \%b;
}

# The name and all names above it exist (RFC 4592, 2.2.2).
sub _exists {
	my ($self, $owner) = @_;

	while ($owner ne "\0" && !$self->{names}{$owner}++) {
		$owner = above($owner);
	}
}

sub above {
	my ($wire) = @_;
	return substr $wire, 1 + ord $wire;
}

# The owner whose records answer for this name: itself, or the wildcard at
# the closest encloser; undef when the name does not exist.
sub _source {
	my ($self, $name) = @_;
	return $name if $name eq "\0" || $self->{names}{$name};
	my $up = above($name);
	$up = above($up) until $up eq "\0" || $self->{names}{$up};
	my $star = "\1*$up";
	return $self->{names}{$star} ? $star : undef;
}

sub record {
	my ($owner, $type, $ttl, $rdata) = @_;
	return $owner . pack('nnN n/a*', $type, 1, $ttl, $rdata);
}

sub _negative {
	my ($self, $name, $answer) = @_;
	my $zone = $name;

	until ($zone eq "\0" || $self->{soa}{$zone}) {
		$zone = above($zone);
	}
	my $soa = $self->{soa}{$zone} or return;
	my ($ttl, $rdata) = @$soa;
	my $minimum = unpack 'N', substr $rdata, -4;
	$answer->{ns} = record($zone, 6, $ttl < $minimum ? $ttl : $minimum,
	    $rdata);
	$answer->{ns_count} = 1;
}

# What is to be said about a name and type: { rcode, an, an_count, ns,
# ns_count, behaves, says }, computed once and kept.
sub answer {
	my ($self, $name, $type) = @_;
	my $key = $name . pack 'n', $type;
	my $cache = $self->{compiled};

	%$cache = () if keys %$cache > 50_000;
	return $cache->{$key} //= $self->_compile($name, $type);
}

sub _compile {
	my ($self, $name, $type) = @_;
	my $answer = { rcode => 0, an => '', an_count => 0, ns => '',
	    ns_count => 0, behaves => [], says => 'NODATA' };
	my $owner = "\xc0\x0c";		# the question's name, as it was asked
	my %seen;

	until ($seen{$name}++ || keys %seen > $CHAIN_MAX) {
		my $source = $self->_source($name);
		if (!defined $source) {
			@$answer{qw(rcode says)} = (3, 'NXDOMAIN');
			last;
		}
		my $behaves = $self->{behaves}{$source};
		push @{ $answer->{behaves} }, @{ $behaves->{$_} // [] }
		    for $type, 255;
		my $sets = $self->{records}{$source};
		my $found = $sets->{$type} // $sets->{5} // last;
		$answer->{an} .= record($owner, $sets->{$type} ? $type : 5, @$_)
		    for @$found;
		$answer->{an_count} += @$found;
		$answer->{says} = $sets->{$type} ? "OK $answer->{an_count}"
		    : 'CNAME';
		last if $sets->{$type};
		$owner = $name = lc $found->[0][1];
	}
	$self->_negative($name, $answer)
	    if $answer->{says} eq 'NODATA' || $answer->{says} eq 'NXDOMAIN';
	return $answer;
}

1;
