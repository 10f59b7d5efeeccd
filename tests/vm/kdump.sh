#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Capture: what `deadfall kdump setup` loads saves a dump on both kernels, and where something fails in the crash
# kernel, what was captured stays, status.json says what happened, and the machine comes back.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"
PATH=$PATH:/usr/sbin:/sbin

crash='sync; echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger; sleep 60'

# dump_vm NAME OPTION... -- COMMAND: as run_vm, and takes all that is on the dump disk into $dir/disk.
dump_vm() {
	rm -rf "${build:?}/tests/$test/$1"
	run_vm "$@"
}

keep_vm() {
	local name=$1
	shift
	dump_vm "$name" --keep-disk "$@"
	mkdir -p "$dir/disk"
	e2fsck -fy "$dir/disk.img" >"$dir/e2fsck.log" 2>&1
	debugfs -R "rdump / $dir/disk" "$dir/disk.img" >/dev/null 2>&1
	rm -f "$dir/disk.img"
	status=$(find "$dir/disk" -name status.json -not -path '*/.vm/*' | sort | tail -n 1)
}

says() {
	jq -e "$1" "${status:-$dir/capture.json}"
}

step() {
	says ".steps[] | select(.name == \"$1\") | $2"
}

console() {
	tr -d '\r' <"$dir/console.log" | grep -E -- "$1" || { tail -n 5 "$dir/console.log"; return 1; }
}

command_said() {
	grep -E -- "$1" "$dir/command.log" || { cat "$dir/command.log"; return 1; }
}

# The machine ended by itself, not because time was up.
came_back() {
	[ "$rc" != 22 ] && holds '.outcome != "timeout"'
}

dump_opens() {
	rm -f "$dir/from-dump.txt"
	makedumpfile --dump-dmesg "$dir/vmcore" "$dir/from-dump.txt" >/dev/null && grep -q "sysrq: Trigger a crash" "$dir/from-dump.txt"
}

without() {
	if "$@"; then return 1; fi
}

mb() {
	echo $(($(stat -c %s "$1") / 1000000)) MB
}

test_plain() {
	local series=$1 level=$2
	shift 2
	status=
	dump_vm "plain-$series" --kernel "$series" "$@" -- "deadfall kdump doctor >/dev/null && echo too early
		deadfall kdump setup --poweroff && deadfall kdump status && deadfall kdump doctor && echo doctor-says-ready
		$crash"
	check "$series: the doctor is not content before the set-up" without command_said "too early"
	check "$series: it is afterwards" command_said doctor-says-ready
	check "$series: the dump level suits the kernel" command_said "makedumpfile -d $level "
	check "$series: the vmcore holds the dead kernel's log" dump_opens
	check "$series: the kernel log is saved as text" grep -q "sysrq: Trigger a crash" "$dir/dmesg.txt"
	check "$series: status.json has no failed step but the capsule" says \
		'[.steps[] | select(.state != "done") | .name] - ["capsule"] == []'
	check "$series: no rule is named where none fired" says '.rule == null'
	check "$series: the machine powers off" console "reboot: Power down"
	echo "# $series: vmcore $(mb "$dir/vmcore") in $(jq '.steps[] | select(.name == "vmcore").seconds' "$dir/capture.json") s," \
		"crash kernel memory $(jq -c .memory "$dir/capture.json"), up to reboot $(jq '[.steps[] | .started + .seconds] | max' \
		"$dir/capture.json") s"
}

test_small_reserve() {
	status=
	dump_vm reserve-128M --append crashkernel=128M -- "deadfall kdump setup && $crash"
	check "128 MB are enough for a machine of 1 GB" says '.steps[] | select(.name == "check") | .state == "done"'
	echo "# 128M: $(jq -c .memory "$dir/capture.json")"
}

test_not_reserved() {
	run_vm not-reserved --append crashkernel=0M -- 'deadfall kdump setup; echo status $?; deadfall kdump doctor; echo status $?'
	check "without reserved memory setup ends with 3" command_said "^status 3"
	check "and says what to do" command_said "crashkernel=256M"
	check "and so does the doctor" command_said "FAIL reserved"
}

test_doctor() {
	run_vm doctor -- '
		judge() { deadfall kdump doctor >/run/d; echo "$1: $? $(grep -c ^FAIL /run/d) $(grep ^FAIL /run/d | tr -s " " | tr "\n" ";")"; }
		judge nothing
		deadfall kdump setup >/dev/null
		judge healthy
		kexec -p -s /boot/vmlinuz-$(uname -r) --append=nothing && judge replaced-file
		deadfall kdump setup >/dev/null
		kexec -p -c /boot/vmlinuz-$(uname -r) --append=nothing && judge replaced-segments
		kexec -p -u && judge unloaded
		deadfall kdump setup >/dev/null
		mount -o remount,ro /var/crash && judge read-only
		mount -o remount,rw /var/crash
		fallocate -l 1990M /var/crash/big; judge full; rm /var/crash/big
		umount /var/crash; judge unmounted
		mount /dev/vda /var/crash; judge mounted
		mv /usr/bin/makedumpfile /run/; judge no-makedumpfile; mv /run/makedumpfile /usr/bin/
		sed -i s/virtio_blk.ko// /run/deadfall/kdump.json; judge driver-missing
		sed -i s/6.12/6.11/ /run/deadfall/kdump.json; judge other-kernel
		rm /run/deadfall/kdump.json; judge foreign; deadfall kdump status; echo "status $?"
		deadfall kdump setup >/dev/null; echo 1 >/proc/sys/kernel/kexec_load_disabled; kexec -p -u
		judge load-disabled; deadfall kdump setup; echo "setup $?"'
	check "doctor: nothing loaded" command_said "^nothing: 3 .*FAIL loaded"
	check "doctor: a machine that is set up is ready" command_said "^healthy: 0 0"
	check "doctor: another crash kernel loaded over ours, by file" command_said "^replaced-file: 3 1 FAIL owner"
	check "doctor: another crash kernel loaded over ours, by segments" command_said "^replaced-segments: 3 1 FAIL owner"
	check "doctor: unloaded" command_said "^unloaded: 3 .*FAIL loaded"
	check "doctor: target read-only" command_said "^read-only: 3 .*FAIL target"
	check "doctor: target full" command_said "^full: 3 1 FAIL space"
	check "doctor: target not mounted" command_said "^unmounted: 3 .*FAIL target"
	check "doctor: mounted again it is ready" command_said "^mounted: 0 0"
	check "doctor: no makedumpfile" command_said "^no-makedumpfile: 3 1 FAIL makedumpfile"
	check "doctor: a driver is missing in the initramfs" command_said "^driver-missing: 3 1 FAIL drivers"
	check "doctor: set up for another kernel" command_said "^other-kernel: 3 .*FAIL kernel"
	check "doctor: a crash kernel of somebody else" command_said "^foreign: 3 .*FAIL owner"
	check "doctor: loading is disabled, and ours is loaded: it stays" command_said "^load-disabled: 0 0"
	check "setup says that loading is disabled" command_said "kexec_load_disabled is 1.; reboot"
}

# fault NAME KIND [OPTION...]: a makedumpfile that fails in that way.
fault_program() {
	mkdir -p "$build/tests/$test"
	${CC:-gcc} -O1 -static -DFAULT="$1" -o "$build/tests/$test/makedumpfile-$1" tests/vm/fault-makedumpfile.c
}

fault_vm() {
	local kind=$1 setup=${2-}
	shift 2
	fault_program "$kind" || return
	keep_vm "fault-$kind" --copy "$build/tests/$test/makedumpfile-$kind:/root/bin/makedumpfile" "$@" -- \
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
	keep_vm full -- "deadfall kdump setup; dd if=/dev/zero of=/var/crash/fill bs=1M; df /var/crash; $crash"
	check "target full: the machine comes back" came_back
	check "target full: there is a status.json" test -s "$status"
	check "target full: it says so" step vmcore '.state == "failed" and (.error | length > 0)'

	keep_vm small --disk 40M -- "deadfall kdump setup; $crash"
	check "target too small: the machine comes back" came_back
	check "target too small: the cut vmcore stays under another name" test -s "${status%/*}/vmcore.incomplete"
	check "target too small: status.json says so" step vmcore '.state == "failed" and (.error | test("space"; "i"))'

	keep_vm gone -- "deadfall kdump setup --limit target=6; umount /var/crash; dd if=/dev/zero of=/dev/vda bs=1M count=4; $crash"
	check "target gone: the machine comes back" came_back
	check "target gone: the console says what was looked for" console "no device carries the ext4 filesystem .*vda"

	keep_vm corrupt -- "deadfall kdump setup; umount /var/crash; dd if=/dev/zero of=/dev/vda bs=4096 seek=1 count=200; $crash"
	check "corrupt filesystem: the machine comes back" came_back
	check "corrupt filesystem: the console says what failed" console "deadfall: target (failed|timeout).*"
}

test_watchdog() {
	fault_program SLOW
	keep_vm watchdog --module i6300esb --qemu-args "-device i6300esb" \
		--copy "$build/tests/$test/makedumpfile-SLOW:/root/bin/makedumpfile" -- "PATH=/root/bin:\$PATH
		deadfall kdump setup --quiet; watchdog -T 15 -t 1 /dev/watchdog0; sleep 1
		deadfall kdump doctor | grep watchdog
		deadfall kdump setup; deadfall kdump doctor | grep watchdog; $crash"
	check "watchdog: the doctor fails where the crash kernel does not know of it" command_said "FAIL watchdog"
	check "watchdog: a set-up with it running is enough" command_said "ok   watchdog"
	check "watchdog: it is fed while a step takes longer than its timeout" step vmcore '.state == "done" and .seconds > 20'
}

# A machine that keeps its disk over boots: two VMs, one after the other, on an image of ours.
test_selftest() {
	local disk=$build/tests/$test/persistent.img mount='mkdir -p /disk /var/lib/deadfall
		modprobe virtio_pci 2>/dev/null; modprobe virtio_blk; sleep 1; mount -t ext4 /dev/vda /disk
		mkdir -p /disk/crash /disk/lib; mount --bind /disk/lib /var/lib/deadfall'
	local on=(--disk 0 --qemu-args "-drive file=$(realpath -m "$disk"),format=raw,if=virtio")

	mkdir -p "$build/tests/$test"
	rm -f "$disk"
	truncate -s 600M "$disk"
	mke2fs -q -t ext4 "$disk"
	dump_vm selftest-crash "${on[@]}" -- "$mount
		deadfall kdump test --yes; echo \"unready: \$?\"
		deadfall kdump setup --target /disk/crash; deadfall kdump status; deadfall kdump test --yes"
	check "kdump test refuses where the doctor fails" command_said "^unready: 3"
	check "kdump status says that it was never tested" command_said "^tested .*never"
	check "kdump test crashes the machine through its rule" console "deadfall: complete: .*-kdump-test"
	dump_vm selftest-verdict "${on[@]}" -- "$mount
		deadfall kdump test --result; echo \"result: \$?\"; deadfall dumps --dir /disk/crash; deadfall dumps --dir /disk/crash --json
		deadfall kdump setup --target /disk/crash; deadfall kdump status; deadfall kdump setup --target /disk/crash --capsule-only
		deadfall kdump status; deadfall dumps prune --dir /disk/crash --max-dumps 1; deadfall dumps delete 20; ls /disk/crash"
	check "kdump test --result: passed" command_said "^passed on .*-kdump-test"
	check "and ends with 0" command_said "^result: 0"
	check "dumps lists it, with a signature" command_said "-kdump-test +complete vmcore [0-9]+ MB +capsule [0-9]+ .B +[0-9a-f]{16}"
	check "kdump status shows the verdict" command_said "^tested +passed on .*-kdump-test.$"
	check "and that it does not hold for another set-up" command_said "^tested +passed on .*changed since"
	check "dumps delete deletes it" command_said "^deleted .*-kdump-test"
	rm -f "$disk"
}

for test_part in plain_612 plain_61 small_reserve not_reserved doctor faults target_faults watchdog selftest; do
	case ${KDUMP_PARTS:-$test_part} in *"$test_part"*) ;; *) continue ;; esac
	case $test_part in
	plain_612) test_plain 6.12 23 ;;
	plain_61) test_plain 6.1 31 ;;
	*) "test_$test_part" ;;
	esac
done
[ -n "${KDUMP_PARTS-}" ] || echo "1..$tests"
