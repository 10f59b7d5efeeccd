#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Where something fails in the crash kernel, what was captured stays, status.json says what happened, and the machine
# comes back. SERIES (6.12) is the kernel's.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
# shellcheck source=tests/vm/kdump-lib
. tests/vm/kdump-lib

series=${SERIES:-6.12}

# fault NAME KIND [OPTION...]: a makedumpfile that fails in that way.
fault_program() {
	mkdir -p "$build/tests/$test"
	${CC:-gcc} -O1 -static -DFAULT="$1" -o "$build/tests/$test/makedumpfile-$1" tests/vm/fault-makedumpfile.c
}

fault_vm() {
	local kind=$1 setup=${2-}
	shift 2
	fault_program "$kind" || return
	keep_vm "fault-$kind" --kernel "$series" --copy "$build/tests/$test/makedumpfile-$kind:/root/bin/makedumpfile" "$@" -- \
		"PATH=/root/bin:\$PATH; deadfall kdump setup $setup && $crash"
}

test_faults() {
	fault_vm FAIL ""
	check "makedumpfile fails: the machine comes back" came_back
	check "makedumpfile fails: status.json has its words" step vmcore '.state == "failed" and .exit == 1 and (.error | contains("Failed"))'
	check "makedumpfile fails: what it wrote stays under another name" test -s "${status%/*}/vmcore.incomplete"

	fault_vm KILLED ""
	check "makedumpfile is killed: status.json names the signal" step vmcore '.error | contains("signal 9")'
	check "makedumpfile is killed: the machine comes back" came_back

	fault_vm HANG "--limit vmcore=4"
	check "makedumpfile hangs: it is stopped in time" step vmcore '.state == "timeout" and .seconds < 8'
	check "makedumpfile hangs: the machine comes back" came_back

	fault_vm GARBAGE ""
	check "a vmcore that is none does not pass the check" step check '.state == "failed"'
	check "a vmcore that is none: the result is not complete" says '.result != "complete"'

	fault_vm CRASH ""
	check "a crash of the crash kernel: the machine comes back" came_back
	check "a crash of the crash kernel: status.json says how far it came" step vmcore '.state == "running"'
}

test_target_faults() {
	keep_vm full --kernel "$series" -- "deadfall kdump setup; dd if=/dev/zero of=/var/crash/fill bs=1M; df /var/crash; $crash"
	check "target full: the machine comes back" came_back
	check "target full: there is a status.json" test -s "$status"
	check "target full: it says so" step vmcore '.state == "failed" and (.error | length > 0)'

	keep_vm small --kernel "$series" --disk 40M -- "deadfall kdump setup; $crash"
	check "target too small: the machine comes back" came_back
	check "target too small: the cut vmcore stays under another name" test -s "${status%/*}/vmcore.incomplete"
	check "target too small: status.json says so" step vmcore '.state == "failed" and (.error | test("space"; "i"))'

	keep_vm gone --kernel "$series" -- "deadfall kdump setup --limit target=6; umount /var/crash; dd if=/dev/zero of=/dev/vda bs=1M count=4; $crash"
	check "target gone: the machine comes back" came_back
	check "target gone: the console says what was looked for" console "no device carries the ext4 filesystem .*vda"

	keep_vm corrupt --kernel "$series" -- "deadfall kdump setup; umount /var/crash; dd if=/dev/zero of=/dev/vda bs=4096 seek=1 count=200; $crash"
	check "corrupt filesystem: the machine comes back" came_back
	check "corrupt filesystem: the console says what failed" console "deadfall: target (failed|timeout).*"
}

test_watchdog() {
	fault_program SLOW
	keep_vm watchdog --kernel "$series" --module i6300esb --qemu-args "-device i6300esb" \
		--copy "$build/tests/$test/makedumpfile-SLOW:/root/bin/makedumpfile" -- "PATH=/root/bin:\$PATH
		deadfall kdump setup --quiet; watchdog -T 15 -t 1 /dev/watchdog0; sleep 1
		deadfall kdump doctor | grep watchdog
		deadfall kdump setup; deadfall kdump doctor | grep watchdog; $crash"
	check "watchdog: the doctor fails where the crash kernel does not know of it" command_said "FAIL watchdog"
	check "watchdog: a set-up with it running is enough" command_said "ok   watchdog"
	check "watchdog: it is fed while a step takes longer than its timeout" step vmcore '.state == "done" and .seconds > 20'
}

test_faults
test_target_faults
test_watchdog
echo "1..$tests"
