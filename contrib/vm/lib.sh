# shellcheck shell=bash disable=SC2034,SC2154 # the parts of vm share its variables
# SPDX-License-Identifier: GPL-2.0-or-later
# lib.sh - what the other parts of the VM runner share: messages, the cache, quoting, host packages.

cache=${DEADFALL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/deadfall}
verbose=${verbose:-0}
quiet=${quiet:-0}

say() {
	[ "$quiet" = 1 ] || printf 'vm: %s\n' "$*" >&2
}

detail() {
	[ "$verbose" = 0 ] || say "$@"
}

# die CODE MESSAGE: a harness error. `on_die`, if the caller defines it, gets both first.
die() {
	local code=$1
	shift
	printf 'vm: error: %s\n' "$*" >&2
	if declare -F on_die >/dev/null; then on_die "$code" "$*"; fi
	exit "$code"
}

# need TOOL PACKAGE: PACKAGE is named in the message.
need() {
	command -v "$1" >/dev/null 2>&1 || die 20 "$1 is not installed: run \`make deps\`, or apt-get install $2"
}

# shell_quote WORD...: as one line that any POSIX shell reads back as the same words.
shell_quote() {
	local word
	for word; do
		printf "'%s' " "${word//\'/\'\\\'\'}"
	done
	printf '\n'
}

# with_lock NAME COMMAND...: runs COMMAND while no other run holds the lock NAME of the cache.
with_lock() {
	local name=$1 rc=0
	shift
	mkdir -p "$cache/locks" || die 20 "cannot create $cache/locks: set DEADFALL_CACHE to a folder that can be written"
	exec {lock_fd}>"$cache/locks/$name"
	flock "$lock_fd"
	"$@" || rc=$?
	exec {lock_fd}>&-
	return "$rc"
}

# apt_quiet OPTIONS...: apt-get that needs no privilege to download into a folder of ours.
apt_quiet() {
	apt-get -qq -o APT::Sandbox::User=root -o Debug::NoLocking=1 "$@"
}

# apt_knows PACKAGE: a fresh image has empty lists, which are fetched first.
apt_knows() {
	[ -n "$(apt-cache pkgnames linux-image- 2>/dev/null | head -n 1)" ] || apt_update
	apt-cache show "$1" >/dev/null 2>&1
}

apt_update() {
	[ "$(id -u)" = 0 ] || die 20 "apt's package lists are missing or old: run \`apt-get update\` as root"
	say "apt-get update (the package lists are missing or old)"
	apt-get -qq update >&2 || die 20 "apt-get update failed: is a Debian mirror reachable?"
}

# apt_fetch OPTIONS...: with a second try after an update, since old lists name files that are gone.
apt_fetch() {
	apt_quiet "$@" >&2 && return
	apt_update
	apt_quiet "$@" >&2
}

# fetch_package PACKAGE DIR: downloads PACKAGE and unpacks it into DIR, installing nothing.
fetch_package() {
	local package=$1 dir=$2 tmp deb
	tmp=$(mktemp -d "$cache/fetch.XXXXXX") || die 20 "cannot write to $cache"
	say "fetching $package"
	(cd "$tmp" && apt_fetch download "$package") || {
		rm -rf "$tmp"
		die 20 "apt-get download $package failed: is a Debian mirror reachable?"
	}
	for deb in "$tmp"/*.deb; do
		dpkg-deb -x "$deb" "$dir" || die 20 "cannot unpack $deb (is the disk full?)"
	done
	rm -rf "$tmp"
}
