#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The golden rules that the real kernels' types know (examples of the language's reference, the catalog, rules of other
# tests, tests/rules/ok.*) before the verifier of both kernels. What each costs is in tests/verify/table: programs,
# instructions, instructions verified, those of the largest program, states. The kernel's limit is a million verified
# instructions of a program: none may need more than half of that. A rule whose figures have grown by more than a tenth
# fails: look whether that was meant, and run `make verifier-table`. It may shrink.
# Takes long.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

most=500000
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
# Its test fills in a process; there to be refused by 6.1.
rm "$work/all/vm.one-process.yaml" "$work/all/vm.needs-session.yaml"

# known KERNEL BTF...: the files that this kernel's types know, in the folder of that name
known() {
	local kernel=$1 f
	shift
	mkdir "$work/$kernel"
	for f in "$work"/all/*.yaml; do
		"$build/deadfall" check "$@" "$f" >/dev/null 2>&1 && cp "$f" "$work/$kernel"
	done
}

# within OLD NEW: a tenth more, and some for what is small
within() {
	[ "$2" -le $(($1 + $1 / 10 + 100)) ]
}

# compare KERNEL FILE FIGURES...
compare() {
	local kernel=$1 file=$2 want i
	shift 2
	read -ra want < <(sed -n "s/^$kernel $file //p" "$table")
	[ "${#want[@]}" -gt 0 ] || { echo "$file is not in $table: run make verifier-table"; return 1; }
	[[ $1 =~ ^[0-9]+$ ]] || { echo "does not load: $*"; return 1; }
	[ "$4" -le $most ] || { echo "a program needs $4 verified instructions, more than $most"; return 1; }
	for i in 0 1 2 3 4; do
		within "${want[i]}" "${@:i+1:1}" || { echo "want ${want[*]}, got $*"; return 1; }
	done
}

# boot KERNEL MODULES BTF...: MODULES is a folder; modules of 6.1 have no types
boot() {
	local kernel=$1 modules=$2
	shift 2
	known "$kernel" --btf "$(contrib/vm/kernel "$kernel")" "$@"
	# while its module is absent, nobody knows that it has no types
	[ $# -gt 0 ] || rm "$work/$kernel/vm.modload.yaml"
	limit=900 start_vm "$kernel" --kernel "$kernel" --no-kdump --copy "$build/tests/verify/verify" \
		--copy "$work/$kernel:/root/golden" --copy "$build/vm/kv:/usr/bin/kv" --copy "$build/vm/calls:/usr/bin/calls" \
		--module "$modules/widget.ko" --module "$modules/scen.ko" -- '
		ln -s /usr/bin/calls /root/calls; mkdir -p /etc/deadfall; echo 7 | tee /etc/deadfall/watched /etc/bad >/root/numbers
		./verify golden/*.yaml'
}

judge() {
	local kernel=$1 line
	wait_vm "$kernel"
	grep '\.yaml [0-9-]' "$dir/command.log" | tr -d '\r' | sed "s/^/$kernel /" >"$work/found.$kernel"
	check "$kernel: the verifier has seen all" same "$(ls "$work/$kernel")" "$(awk '{ print $2 }' "$work/found.$kernel")"
	[ -z "${REGOLD:-}" ] || return
	while read -r line; do
		# shellcheck disable=SC2086
		check "$line" compare $line
	done <"$work/found.$kernel"
}

boot 6.12 "$build/vm" --btf "$build/vm/widget.ko" --btf "$build/vm/scen.ko"
boot 6.1 "$build/vm-6.1"
judge 6.12
judge 6.1
if [ -n "${REGOLD:-}" ]; then
	{
		echo '# kernel, rules, then: programs, instructions, instructions verified, of the largest program, states; made by make verifier-table'
		sort "$work"/found.*
	} >"$table"
fi
echo "1..$tests"
