#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# commands.sh - every command and every option has its place in docs/commands.md, which `deadfall help` prints.
cd "$(dirname "$0")/../.." || exit 99
build=${BUILD:-build}
tests=0

check() {
	local what=$1 said
	shift
	tests=$((tests + 1))
	if said=$("$@" 2>&1); then
		echo "ok $tests - $what"
	else
		echo "not ok $tests - $what"
		printf '# %s\n' "$said"
	fi
}

commands=$("$build/deadfall" help | sed -n 's/^  \([a-z]*\) .*/\1/p')

each_has_help() {
	local c bad=0
	[ "$(wc -w <<<"$commands")" -gt 10 ] || { echo "too few commands: $commands"; return 1; }
	for c in $commands; do
		"$build/deadfall" help "$c" | grep -q "^    deadfall $c" || { echo "help $c: no synopsis"; bad=1; }
		[ "$("$build/deadfall" "$c" --help)" = "$("$build/deadfall" help "$c")" ] || { echo "$c --help differs"; bad=1; }
	done
	return $bad
}

# Options as the sources read them: getopt tables, and comparisons.
options() {
	grep -ohE '\{ "[a-z-]+", (no|required|optional)_argument|"--[a-z][a-z-]*"' agent/cmd_*.c rules/cmd_*.c \
		rules/sim/cmd_*.c kdump/cmd_*.c | grep -oE '[a-z-]{2,}' | grep -vE '^(no|required|optional)$|_argument|^argument$' |
		sed 's/^-*//' | sort -u
}

# Every --json here; status, list and run are in vm/control.
json_is_documented() {
	local df=$build/deadfall dir rc=0
	dir=$(mktemp -d)
	mkdir "$dir/20260101T000000Z-none"
	echo garbage >"$dir/20260101T000000Z-none/capsule"
	"$df" check --json --btf tests/data/kernel.btf tests/rules/err.keys-differ.parts/rule.yaml | tests/documented check || rc=1
	"$df" simulate --json --btf tests/data/kernel.btf tests/sim/sequence/{rule.yaml,events.json} |
		jq '.[].events |= [.[]]' | tests/documented simulate || rc=1
	"$df" features --json | tests/documented features || rc=1
	"$df" kdump doctor --json | tests/documented kdump || rc=1
	"$df" kdump status --json | tests/documented kdump || rc=1
	"$df" dumps --dir "$dir" --json | tests/documented dumps || rc=1
	rm -rf "$dir"
	return $rc
}

each_option_is_documented() {
	local o bad=0
	[ "$(options | wc -l)" -gt 15 ] || { echo "too few options found"; return 1; }
	for o in $(options); do
		grep -qE -- "--$o([^a-z-]|$)" docs/commands.md || { echo "--$o is not in docs/commands.md"; bad=1; }
	done
	return $bad
}

refuses() {
	"$build/deadfall" help nothing
	[ $? = 2 ]
}

check "each command has a section with its synopsis" each_has_help
check "each option of the sources is documented" each_option_is_documented
check "each key of --json is documented" json_is_documented
check "help on what is no command is an error" refuses
