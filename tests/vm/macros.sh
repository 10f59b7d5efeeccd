#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# macros.sh - the values of rules/macros.c are those of both kernels' headers: a C file of assertions, built by kbuild.
#
# A macro that one kernel lacks is skipped there, and must be in the other.
set -u
unset MAKEFLAGS MAKELEVEL MFLAGS CC CFLAGS
cd "$(dirname "$0")/../.." || exit 99
build=$(realpath "${BUILD:-build}")/macros
bad=0 n=0
names=$(grep -o '{ "[A-Z_0-9a-z]*", [0-9a-fx]* }' rules/macros.c | tr -d '{}",')
[ "$(wc -l <<<"$names")" -gt 300 ] || { echo "not ok - macros.c cannot be read"; exit 1; }

for series in 6.1 6.12; do
	dir=$build/$series
	mkdir -p "$dir"
	headers=$(contrib/vm/kernel --headers "$series") || { echo "not ok - no headers of $series"; exit 1; }
	{
		for h in sched errno gfp netfilter blk_types fs signal fcntl stat socket; do
			echo "#include <linux/$h.h>"
		done
		while read -r name value; do
			echo "#ifdef $name"
			echo "_Static_assert((unsigned long long)($name) == $value, \"$name\");"
			echo "int have_$name;"
			echo "#endif"
		done <<<"$names"
		grep -o '{ "GFP_[A-Z]*", 0x[0-9a-f]*, 0x[0-9a-f]* }' rules/macros.c | tr -d '{}",' |
			while read -r name before since; do
				[ $series = 6.1 ] && since=$before
				echo "_Static_assert((unsigned long long)$name == $since, \"$name\");"
			done
	} >"$dir/macros.c"
	echo 'obj-m := macros.o' >"$dir/Makefile"
	n=$((n + 1))
	if make -s -C "$headers" M="$dir" macros.o >"$dir/log" 2>&1; then
		echo "ok $n - the values are those of $series"
	else
		grep -m10 'error' "$dir/log"
		echo "not ok $n - the values are those of $series"
		bad=1
	fi
	nm "$dir/macros.o" 2>/dev/null | sed -n 's/.* have_//p' | sort >"$dir/have"
done
n=$((n + 1))
missing=$(awk '{print $1}' <<<"$names" | sort -u | comm -23 - <(sort -u "$build"/*/have) | head -5 | tr '\n' ' ')
if [ -z "${missing// /}" ]; then
	echo "ok $n - each is in one of them at least"
else
	echo "not ok $n - in neither: $missing"
	bad=1
fi
exit $bad
