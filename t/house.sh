# shellcheck shell=bash disable=SC2034,SC2154
# house.sh - what ./try and ./check share: packages, configure, make.
# Read by bash; wants $src. Everything it changes on the machine is said.

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

packages_build="build-essential autoconf automake pkg-config perl
	libarchive-dev libclamav-dev libconfig-dev libidn2-dev libjansson-dev
	libjpeg-dev libldap-dev liblmdb-dev libmagic-dev libmaxminddb-dev libmilter-dev
	libopendkim-dev libpcre2-dev libpng-dev libpsl-dev libseccomp-dev
	libspf2-dev libsqlite3-dev libssl-dev libunbound-dev libzbar-dev
	zlib1g-dev"
packages_test="7zip c-icap clamav-daemon clamav-testfiles ldap-utils
	libarchive-tools libc-icap-mod-virus-scan openssl postfix rspamd slapd spamassassin
	spamd strace zip"
packages_check="clang clang-tidy cppcheck debhelper dpkg-dev fakeroot faketime
	libclang-rt-14-dev libxml2-utils llvm-14 openssl python3-authres
	python3-dkim python3-html5lib python3-nacl valgrind xz-utils"

# missing PACKAGE...: those that are not installed.
missing() {
	local p
	for p; do
		dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null |
		    grep -q '^ii' || printf '%s ' "$p"
	done
}

# need PACKAGE...: installs what is missing. A Postfix that comes in by this
# gets no configuration, so it runs nothing of its own; no other service is
# started (clamd, freshclam, c-icap, rspamd, slapd, spamd: tests start their own); and no package
# that is there goes away (another mail server would).
need() {
	local list
	list=$(missing "$@")
	[ -n "$list" ] || return 0
	[ "$(id -u)" = 0 ] || die "not installed: $list(as root I would)"
	say "Installing with apt-get: $list"
	export DEBIAN_FRONTEND=noninteractive
	case " $list" in
	*" postfix "*)
		echo "postfix postfix/main_mailer_type select No configuration" |
		    debconf-set-selections ;;
	esac
	mkdir -p "$src/build"
	apt-get -q -q update </dev/null ||
	    say "apt-get update failed; going on with the lists that are there"
	hold_services
	# shellcheck disable=SC2086
	apt-get -q -y --no-install-recommends --no-remove \
	    -o Dpkg::Use-Pty=0 install $list \
	    </dev/null >"$src/build/apt.log" 2>&1 || {
		free_services
		tail -n 20 "$src/build/apt.log"
		die "apt-get could not install: $list"
	}
	free_services
}

# What Debian asks before it starts a service says no meanwhile, unless the
# machine's owner has an answer of his own.
policy=/usr/sbin/policy-rc.d
hold_services() {
	held=
	[ -e "$policy" ] && return
	printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" &&
	    held=1
	trap free_services EXIT
}

free_services() {
	[ -z "${held:-}" ] || rm -f "$policy"
	held=
}

# prepare: ./configure, when it is absent or older than what it is made from.
prepare() {
	if [ ! -x "$src/configure" ] || [ ! -f "$src/Makefile.in" ] ||
	    [ -n "$(find "$src" -name build -prune -o \
	    \( -name configure.ac -o -name '*.am' \) \
	    -newer "$src/configure" -print -quit)" ]; then
		(cd "$src" && autoreconf -fi) >"$1" 2>&1 || {
			tail -n 30 "$1"
			die "autoreconf failed: $1"
		}
	fi
}

# built DIR OPTIONS... -- TARGETS...: configures DIR once and makes there.
built() {
	local dir=$1 options=() log=$1/build.log
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	mkdir -p "$dir"
	prepare "$log"
	if ! (
		cd "$dir" && { [ -f config.status ] &&
		    [ config.status -nt "$src/configure" ] ||
		    "$src/configure" -q "${options[@]}"; } &&
		make -j "$(nproc)" "$@"
	) >>"$log" 2>&1; then
		grep -n -B2 -A8 -m5 -E 'error:|warning:|Error ' "$log" ||
		    tail -n 30 "$log"
		die "build failed: $log"
	fi
}
