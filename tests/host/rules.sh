#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rules.sh - golden rules: tests/rules/ok.NAME must check, and print the stages that stand beside it; err.TAG.NAME must
# say exactly what its `expect` says. Every tag of rules/diag_tags.h has such a rule.
#
# REGOLD=1 writes what is printed now and shows what that changed (make regold).
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
deadfall=$(cd "$top" && realpath "${BUILD:-build}")/deadfall
btf=(--btf "$top/tests/data/kernel.btf" --btf "$top/tests/data/widget.btf")
new=$(mktemp)
trap 'rm -f "$new"' EXIT
n=0 bad=0

# result NAME FILE: compare $new with the file that says what it should be
result() {
	n=$((n + 1))
	if [ -n "${REGOLD:-}" ] && ! cmp -s "$2" "$new"; then
		diff -u "$2" "$new" 2>/dev/null
		cp "$new" "$2"
	fi
	if diff -u "$2" "$new" >&2; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		bad=1
	fi
}

for dir in "$top"/tests/rules/ok.*/; do
	cd "$dir" || exit 99
	name=$(basename "$dir")
	for stage in tree rule ir insn; do
		case $stage in ir | insn) [ -e $stage ] || continue ;; esac
		"$deadfall" check rule.yaml "${btf[@]}" --emit $stage >"$new" 2>&1 || echo "exit status $?" >>"$new"
		result "$name: $stage" $stage
	done
done

for dir in "$top"/tests/rules/err.*/; do
	cd "$dir" || exit 99
	name=$(basename "$dir") tag=$(basename "$dir" | cut -d. -f2)
	command=(check rule.yaml "${btf[@]}")
	# What only compile refuses, where a file of that name says so.
	[ ! -e compile ] || command=(compile rule.yaml --btf "$top/tests/data/kernel.btf" -o /dev/null)
	"$deadfall" "${command[@]}" 2>"$new" >/dev/null
	status=$?
	expected=0
	grep -q '^rule.yaml:[0-9:]* error\[\|^error\[' "$new" && expected=1
	[ $status -eq $expected ] || echo "wrong exit status $status" >>"$new"
	grep -q "\[$tag\]:" "$new" || echo "the tag $tag is not among the diagnostics" >>"$new"
	result "$name" expect
done

cd "$top" || exit 99
for tag in $(sed -n 's/^DIAG_TAG([A-Z_]*, "\([a-z-]*\)".*/\1/p' rules/diag_tags.h); do
	n=$((n + 1))
	if compgen -G "tests/rules/err.$tag.*" >/dev/null; then
		echo "ok $n - tag $tag has a test"
	else
		echo "not ok $n - tag $tag has no test in tests/rules/"
		bad=1
	fi
done
exit $bad
