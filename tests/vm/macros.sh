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
names=$(grep -o '{ "[A-Z_0-9a-z]*", [-0-9a-fx]* }' rules/macros.c | tr -d '{}",')
[ "$(wc -l <<<"$names")" -gt 300 ] || { echo "not ok - macros.c cannot be read"; exit 1; }

headers_used=(
	linux/errno linux/sched linux/sched/prio linux/mman linux/mm linux/socket linux/net linux/netdevice
	linux/if_ether linux/if_link linux/skbuff linux/tcp linux/udp linux/in linux/ip linux/in6 linux/capability
	linux/fs linux/fs_struct linux/mount linux/namei linux/stat linux/fcntl linux/poll linux/eventpoll linux/futex
	linux/falloc linux/resource linux/ptrace linux/prctl linux/ipc linux/signal linux/binfmts linux/kernel
	linux/limits linux/limits linux/slab linux/blk_types linux/blkdev linux/bio linux/time linux/time64
	linux/timer linux/hrtimer linux/workqueue linux/interrupt linux/module linux/list linux/poison linux/nsproxy
	linux/user_namespace linux/sched/signal linux/inotify linux/fsnotify_backend linux/xattr linux/uio
	linux/dcache linux/pagemap linux/writeback linux/wait linux/sem linux/shm linux/msg linux/random
	linux/rcupdate linux/reboot linux/netfilter linux/netfilter_ipv4 linux/rtnetlink linux/neighbour linux/if_arp
	linux/usb linux/pci linux/device linux/rwsem linux/sched/user linux/jiffies linux/types linux/quota
	linux/lockd/lockd linux/kexec linux/bits linux/sched/task linux/eventfd linux/timerfd linux/vmalloc linux/gfp
	linux/swap linux/huge_mm linux/highmem linux/un net/sock net/tcp net/tcp_states net/inet_sock net/neighbour
	net/dst net/route net/ip uapi/asm-generic/siginfo uapi/linux/mount uapi/linux/close_range uapi/linux/memfd
	uapi/linux/userfaultfd uapi/linux/io_uring uapi/linux/bpf uapi/linux/fanotify uapi/linux/if_packet
	uapi/linux/openat2 uapi/linux/wait uapi/linux/seccomp uapi/linux/netlink uapi/linux/securebits
	uapi/linux/sched/types uapi/linux/rseq uapi/linux/aio_abi uapi/linux/if uapi/linux/if_tun uapi/linux/magic
	uapi/linux/loop uapi/linux/ioprio uapi/linux/keyctl
)

for series in 6.1 6.12; do
	dir=$build/$series
	mkdir -p "$dir"
	headers=$(contrib/vm/kernel --headers "$series") || { echo "not ok - no headers of $series"; exit 1; }
	{
		for h in "${headers_used[@]}"; do
			printf '#if __has_include(<%s.h>)\n#include <%s.h>\n#endif\n' "$h" "$h"
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
