#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The golden rules that the real kernels' types know (examples of the language's reference, the catalog, rules of other
# tests, tests/rules/ok.*) before the verifier of both kernels. What it costs is in tests/verify/table: programs,
# instructions, instructions verified, states. Other figures than there, by more than a quarter, fail: look whether that
# was meant, and run `make verifier-table`.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"

table=tests/verify/table
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/all"

# The rules as files of their own.
awk -v dir="$work/all" '
	/^```yaml$/ { file = dir "/doc." ++n; next }
	/^```/ { file = ""; next }
	file && /^rule: / { name[file] = $2 }
	file { text[file] = text[file] $0 "\n" }
	END { for (f in text) if (f in name) printf "%s", text[f] > (dir "/doc." name[f] ".yaml") }
' docs/rule-language.md
cp rules/catalog/*.yaml "$work/all"
for f in tests/rules/ok.*/rule.yaml; do cp "$f" "$work/all/$(basename "$(dirname "$f")").yaml"; done
for f in tests/vm/rules/*.yaml; do cp "$f" "$work/all/vm.$(basename "$f")"; done

# known KERNEL: the files that this kernel's types know, in the folder of that name
known() {
	local vmlinuz f
	vmlinuz=$(contrib/vm/kernel "$1") || return 1
	mkdir "$work/$1"
	for f in "$work"/all/*.yaml; do
		"$build/deadfall" check --btf "$vmlinuz" "$f" >/dev/null 2>&1 && cp "$f" "$work/$1"
	done
}

# near WANT GOT
near() {
	[ "$1" = "$2" ] || awk "BEGIN { d = $2 - $1; exit !(d * d <= ($1 / 4 + 200) ^ 2) }" 2>/dev/null
}

# compare KERNEL FILE FIGURES...
compare() {
	local want old
	want=$(sed -n "s/^$1 $2 //p" "$table")
	[ -n "$want" ] || { echo "$2 is not in $table: run make verifier-table"; return 1; }
	read -ra old <<<"$want"
	shift 2
	# it loads by now
	[ "${old[0]}" != - ] || [ "$1" = - ] || return 0
	if [ "$1" = - ]; then
		same "$want" "$*"
		return
	fi
	for i in 0 1 2 3; do
		near "${old[i]}" "${@:i+1:1}" || { echo "want $want, got $*"; return 1; }
	done
}

one_kernel() {
	local kernel=$1 module=()
	[ "$kernel" = 6.1 ] || module=(--module "$build/vm/widget.ko")
	known "$kernel"
	limit=600 run_vm "$kernel" --kernel "$kernel" --no-kdump --copy "$build/tests/verify/verify" --copy "$work/$kernel:/root/golden" \
		"${module[@]}" -- 'mkdir -p /etc/deadfall; echo 7 >/etc/deadfall/watched; ./verify golden/*.yaml'
	check "$kernel: the verifier has seen all" same "$(ls "$work/$kernel" | wc -l)" "$(grep -c '\.yaml [0-9-]' "$dir/command.log")"
	grep '\.yaml [0-9-]' "$dir/command.log" | tr -d '\r' | sed "s/^/$kernel /" >"$work/found.$kernel"
	[ -z "${REGOLD:-}" ] || return
	local line
	while read -r line; do
		# shellcheck disable=SC2086
		check "$line" compare $line
	done <"$work/found.$kernel"
}

one_kernel 6.12
one_kernel 6.1
if [ -n "${REGOLD:-}" ]; then
	{
		echo '# kernel, rules, then: programs, instructions, instructions verified, states; made by make verifier-table'
		sort "$work"/found.*
	} >"$table"
fi
echo "1..$tests"
