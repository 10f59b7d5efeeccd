#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What somebody sees who writes a first rule and errs, with the types of a stock Debian kernel: where, what, what else.
set -u
cd "$(dirname "$0")/../.." || exit 99
deadfall=${BUILD:-build}/deadfall
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0 rc=0

# check WHAT COMMAND...: one TAP line; on failure what was printed follows.
check() {
	local what=$1
	shift
	n=$((n + 1))
	if "$@" >/dev/null; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		sed 's/^/# /' "$tmp/said"
	fi
}

# ask FILE: what `check` says about the rule on standard input, named FILE.
ask() {
	cat >"$tmp/$1"
	rc=0
	(cd "$tmp" && "$OLDPWD/$deadfall" check --btf "$kernel" "$1") >"$tmp/said" 2>&1 || rc=$?
}

says() {
	grep -qE -- "$1" "$tmp/said"
}

# caret TEXT: the marks below the shown line stand under this part of it.
caret() {
	awk -v want="$1" '
		/^ +[0-9]+ \| / { line = $0 }
		/^ +\| *\^/ { if (substr(line, index($0, "^"), length(want)) == want && length(want) == gsub(/\^/, "^")) found = 1 }
		END { exit !found }' "$tmp/said"
}

kernel=$(contrib/vm/kernel 6.12) || { echo "not ok 1 - a kernel to check against"; exit 1; }
deadfall=$(realpath --relative-to=. "$deadfall")

ask good.yaml <<-'END'
	deadfall: 1
	rule: good
	events: {read: {probe: kprobe:vfs_read, key: arg.file, where: arg.count > 4K}}
	match: {event: read}
	on_match: [panic: "a long read"]
END
check "a rule without errors: 0" test $rc = 0

ask yaml.yaml <<-'END'
	deadfall: 1
	rule: broken
	events: {read: {probe: kprobe:vfs_read}
	match: {event: read}
END
check "YAML that is none: 1" test $rc = 1
check "YAML that is none: file, line and column" says '^yaml\.yaml:[34]:[0-9]+: error\[[a-z-]+\]: '
check "YAML that is none: the line" says '^ +[34] \| '
check "YAML that is none: a caret" says '^ +\| *\^'

ask name.yaml <<-'END'
	deadfall: 1
	rule: misspelt
	events:
	  read: {probe: kprobe:vfs_raed}
	match: {event: read}
	on_match: [panic: "never"]
END
check "a function that is not there: 1" test $rc = 1
check "a function that is not there: where and what" \
	says "^name\.yaml:4:17: error\[unknown-function\]: no function 'vfs_raed' in this kernel"
check "a function that is not there: a near name" says "did you mean 'vfs_read'"
check "a function that is not there: the carets" caret kprobe:vfs_raed

ask field.yaml <<-'END'
	deadfall: 1
	rule: misspelt
	events:
	  read: {probe: kprobe:vfs_read, where: arg.file->f_inode->i_sz > 0, key: arg.flie}
	match: {event: read}
	on_match: [panic: "never"]
	guards: {kdump: required}
END
check "several errors at once: a field" says "^field\.yaml:4:.*no field 'i_sz' in struct inode"
check "several errors at once: its near name" says "did you mean 'i_size'"
check "several errors at once: an argument" says "vfs_read\(\) has no argument 'flie'"
check "several errors at once: a key" says "^field\.yaml:7:1: error\[unknown-key\]: .*guards"
check "several errors at once: the carets" caret i_sz

ask denied.yaml <tests/vm/rules/denied.yaml
check "a function that must not be trapped: 1" test $rc = 1
check "a function that must not be trapped: why" says "^denied\.yaml:4:17: error\[denied\]: 'bpf_list_push_back_impl' must not be trapped: it is part of BPF"
ask part.yaml <tests/vm/rules/denied-part.yaml
check "some functions that must not be trapped: 0" test $rc = 0
check "some functions that must not be trapped: names them" says 'note\[left-out\]: [0-9]+ functions that must not be trapped are left out: bpf_list_'

rc=0
"$deadfall" check "$tmp/none.yaml" >"$tmp/said" 2>&1 || rc=$?
check "a file that is not there: 1" test $rc = 1
check "a file that is not there: says so" says 'none.yaml: No such file'
"$deadfall" compile tests/vm/rules/denied.yaml -o "$tmp/set.o" >"$tmp/said" 2>&1 || rc=$?
check "compile says the same as check, and writes nothing" sh -c "[ $rc = 1 ] && grep -q ':4:17: error' '$tmp/said' && [ ! -e '$tmp/set.o' ]"
# A rule that reads no kernel memory at all has no CO-RE relocations.
rc=0
"$deadfall" compile --btf "$kernel" tests/vm/rules/denied-part.yaml -o "$tmp/set.o" >"$tmp/said" 2>&1 || rc=$?
check "a rule that reads nothing compiles" sh -c "[ $rc = 0 ] && [ -s '$tmp/set.o' ]"
rc=0
"$deadfall" compile --btf "$kernel" --btf tests/data/widget.btf tests/rules/ok.widget/rule.yaml -o "$tmp/widget.o" \
	>"$tmp/said" 2>&1 || rc=$?
check "compile takes the types of modules beside the kernel's" sh -c "[ $rc = 0 ] && [ -s '$tmp/widget.o' ]"
rc=0
"$deadfall" report "$tmp" >"$tmp/said" 2>&1 || rc=$?
check "the folder of a dump is no dump: 1" test $rc = 1
check "the folder of a dump: says what to name" says 'is a folder: name the vmcore or the capsule in it'
rc=0
"$deadfall" run --brake >"$tmp/said" 2>&1 || rc=$?
check "an option without its argument: 2, and says so" sh -c "[ $rc = 2 ] && grep -q 'or its argument is missing' '$tmp/said'"
echo "1..$n"
