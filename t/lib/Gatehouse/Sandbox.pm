# Sandbox - a sandbox on loopback: CAPEv2's interface and the generic one
#
#	my $box = Gatehouse::Sandbox->start(dir => $dir, token => 'secret');
#	$box->url('cape')	for sandbox.conf; or 'generic'
#	$box->mode('ok')	and from now on:
#		ok	reports; a file is judged by the words in it: EVIL
#			malicious, ODD suspicious, NEVER never done, BROKEN its
#			analysis fails, else clean
#		down	hangs up		500	says so
#		garbage	JSON that is none	endless	an answer without an end
#		slow	no answer for a while	wrong-id, wrong-file
#		401	knows nobody		lost	404: no such task
#		pending	nothing is ever done	empty	{} to everything
#		413	takes no file	members	one file becomes two tasks, the
#				last one of which is EVIL
#		A file that holds "MODE=..." has a mode of its own.
#	$box->requests		lines "METHOD PATH SHA256", in order
#	$box->files		how many it was given
#
# A process of its own; what it knows is in files, so that a restart forgets
# nothing.
package Gatehouse::Sandbox;

use strict;
use warnings;

use Carp qw(croak);
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep);

use Gatehouse::Postfix;
use Gatehouse::Process;

my $json = JSON::PP->new->utf8->canonical;

sub start {
	my ($class, %a) = @_;
	my $self = bless { token => '', port => Gatehouse::Postfix::free_port(),
	    %a }, $class;

	mkdir "$self->{dir}";
	$self->mode('ok');
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
	    LocalPort => $self->{port}, Listen => 64, ReuseAddr => 1)
	    or croak "127.0.0.1:$self->{port}: $!";
	$self->{process} = Gatehouse::Process->start_sub(
	    sub { $self->_serve($listener) }, name => 'sandbox');
	close $listener;
	return $self;
}

sub url {
	my ($self, $api) = @_;

	return "http://127.0.0.1:$self->{port}/" .
	    ($api eq 'cape' ? 'apiv2' : 'box');
}

sub mode {
	my ($self, $mode) = @_;

	_put("$self->{dir}/mode", $mode);
}

sub requests {
	my ($self) = @_;

	open my $f, '<', "$self->{dir}/requests" or return;
	return map { chomp; $_ } <$f>;
}

sub files { scalar grep { /^POST/ } $_[0]->requests }
sub stop { $_[0]{process}->stop }

# --- the server ----------------------------------------------------------

sub _put {
	my ($path, $bytes) = @_;

	open my $f, '>:raw', "$path.$$" or die "$path: $!";
	print $f $bytes;
	close $f or die "$path: $!";
	rename "$path.$$", $path;
}

sub _get {
	my ($path) = @_;

	open my $f, '<:raw', $path or return;
	local $/;
	return scalar <$f>;
}

sub _serve {
	my ($self, $listener) = @_;

	$SIG{CHLD} = 'IGNORE';
	$SIG{PIPE} = 'IGNORE';
	while (1) {
		my $c = $listener->accept or next;
		my $pid = fork() // next;
		if ($pid == 0) {
			close $listener;
			1 while $self->_request($c);
			POSIX::_exit(0);
		}
		close $c;
	}
}

sub _request {
	my ($self, $c) = @_;
	my ($head, $body) = ('', '');

	while ($head !~ /\r\n\r\n/) {
		sysread $c, $head, 4096, length $head or return 0;
	}
	($head, $body) = split /\r\n\r\n/, $head, 2;
	my ($length) = $head =~ /^Content-Length: (\d+)/mi;
	while (length $body < $length) {
		sysread $c, $body, 65536, length $body or return 0;
	}
	my ($method, $path) = $head =~ /^(\S+) (\S+)/;
	return $self->_answer($c, $method, $path, $head, $body);
}

sub _say {
	my ($c, $status, $body) = @_;

	print $c "HTTP/1.1 $status X\r\nContent-Type: application/json\r\n" .
	    'Content-Length: ' . length($body) . "\r\n\r\n$body";
	$c->flush;
	return 1;
}

# What comes in any mode but ok, before a look at what was asked.
sub _trouble {
	my ($self, $c, $mode) = @_;

	return -1 if $mode eq 'down';
	return _say($c, 500, '{"error": true}') if $mode eq '500';
	return _say($c, 401, '{}') if $mode eq '401';
	return _say($c, 200, '{}') if $mode eq 'empty';
	return _say($c, 200, '{"error": false, "data": {"task_ids": [1,')
	    if $mode eq 'garbage';
	if ($mode eq 'slow') {
		sleep 5;
		return -1;
	}
	if ($mode eq 'endless') {
		print $c "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n";
		1 while print $c "10000\r\n" . ('a' x 65536) . "\r\n";
		return -1;
	}
	return 0;
}

sub _file_of {
	my ($path, $head, $body) = @_;
	my ($boundary) = $head =~ /boundary=(\S+)/;

	return $body unless $path =~ /apiv2/;
	my ($file) = $body =~
	    /\A--$boundary\r\n.*?\r\n\r\n(.*)\r\n--$boundary--\r\n\z/s;
	return $file;
}

sub _answer {
	my ($self, $c, $method, $path, $head, $body) = @_;
	my ($id) = $path =~ m{(\d+)/?$};
	my $file = $method eq 'POST' ? _file_of($path, $head, $body) :
	    _get("$self->{dir}/task." . ($id // 0));
	my ($mode) = ($file // '') =~ /MODE=([\w-]+)/;
	my $sha = $method eq 'POST' ? sha256_hex($file // '') : '-';
	my ($name) = "$head\r\n\r\n$body" =~
	    /(?:filename="|X-Gatehouse-Name: )([\w.]+)/;

	$mode //= _get("$self->{dir}/mode");
	open my $f, '>>', "$self->{dir}/requests" or die $!;
	syswrite $f, "$method $path $sha " . ($name // '-') . "\n";
	close $f;
	my $scheme = $path =~ /apiv2/ ? 'Token' : 'Bearer';
	return _say($c, 401, '{}') if $self->{token} ne '' &&
	    $head !~ /^Authorization: $scheme \Q$self->{token}\E\r?$/m;
	my $done = $self->_trouble($c, $mode);
	return $done > 0 if $done;
	return _say($c, 413, '{}') if $mode eq '413' && $method eq 'POST';
	return $self->_take($c, $path, $mode eq 'members' ?
	    ('a member', 'EVIL') : $file) if $method eq 'POST';
	return _say($c, 404, '{}') if $mode eq 'lost' || !defined $file;
	$id++ if $mode eq 'wrong-id';
	$file .= 'x' if $mode eq 'wrong-file';
	return $path =~ /apiv2/ ? $self->_cape($c, $path, $id, $file, $mode) :
	    $self->_generic($c, $id, $file, $mode);
}

sub _take {
	my ($self, $c, $path, @files) = @_;
	my $id = (sort { $b <=> $a } map { /task\.(\d+)$/ ? $1 : () }
	    glob "$self->{dir}/task.*")[0] // 0;
	my @ids = map { $id + $_ } 1 .. @files;

	_put("$self->{dir}/task.$ids[$_]", $files[$_]) for 0 .. $#files;
	return _say($c, 200, $json->encode($path =~ /apiv2/ ?
	    { error => JSON::PP::false, data => { task_ids => \@ids,
	    message => "Task IDs @ids have been submitted" }, url => [] } :
	    { id => "$ids[0]" }));
}

sub _state {
	my ($file, $mode) = @_;

	return $mode eq 'pending' || $file =~ /NEVER/ ? 'running' :
	    $file =~ /BROKEN/ ? 'failed_analysis' : 'reported';
}

sub _score { $_[0] =~ /EVIL/ ? 9.14 : $_[0] =~ /ODD/ ? 5 : 0.4 }

sub _cape {
	my ($self, $c, $path, $id, $file, $mode) = @_;

	return _say($c, 200, $json->encode({ error => JSON::PP::false,
	    data => { id => 0 + $id, category => 'file',
	    status => _state($file, $mode) } })) if $path =~ m{/view/};
	return _say($c, 200, $json->encode({ info => { id => 0 + $id,
	    version => '2.4-CAPE' }, malscore => _score($file),
	    target => { category => 'file', file => {
	    sha256 => sha256_hex($file) } }, signatures => [],
	    $file =~ /EVIL/ ? (detections => [ { family => "Test\e[1mEvil" } ])
	    : () }));
}

sub _generic {
	my ($self, $c, $id, $file, $mode) = @_;
	my $state = _state($file, $mode);

	return _say($c, 200, $json->encode({ id => "$id",
	    state => $state eq 'running' ? 'pending' : $state eq 'reported' ?
	    'done' : 'failed', sha256 => sha256_hex($file),
	    verdict => $file =~ /EVIL/ ? 'malicious' : $file =~ /ODD/ ?
	    'suspicious' : 'clean' }));
}

1;
