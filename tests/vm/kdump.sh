#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Capture: what `deadfall kdump setup` loads saves a dump on both kernels; a test of it is judged after the reboot.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"
# shellcheck source=tests/vm/kdump-lib
. tests/vm/kdump-lib

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
	check "$series: status.json says complete, every step done" says \
		'.result == "complete" and all(.steps[]; .state == "done")'
	check "$series: no rule is named where none fired" says '.rule == null'
	check "$series: the machine powers off" console "reboot: Power down"
	echo "# $series: vmcore $(mb "$dir/vmcore") in $(jq '.steps[] | select(.name == "vmcore").seconds' "$dir/capture.json") s," \
		"crash kernel memory $(jq -c .memory "$dir/capture.json"), up to reboot $(jq '[.steps[] | .started + .seconds] | max * 10 | round / 10' \
		"$dir/capture.json") s"
}

test_small_reserve() {
	status=
	dump_vm reserve-128M --append crashkernel=128M -- "deadfall kdump setup && $crash"
	check "128 MB are enough for a machine of 1 GB" says '.steps[] | select(.name == "check") | .state == "done"'
	echo "# 128M: $(jq -c .memory "$dir/capture.json")"
}

test_capsule_only() {
	status=
	# ... and loaded by the older system call, as on kernels and images where the other refuses
	dump_vm capsule-only -- 'mkdir -p /root/bin; PATH=/root/bin:$PATH
		printf "%s\n" "#!/bin/sh" "case \"\$*\" in *\" -s \"*) echo refused by the test >&2; exit 1;; esac" "exec /usr/sbin/kexec \"\$@\"" >/root/bin/kexec
		chmod 755 /root/bin/kexec; deadfall kdump setup --capsule-only && deadfall kdump doctor && echo doctor-says-ready; '"$crash"
	check "loaded by kexec_load where kexec_file_load fails" command_said "^loaded by kexec_load "
	check "kexec_load: the doctor sees it and says ready" command_said doctor-says-ready
	check "capsule only: the capture is complete" console "deadfall: complete: "
	check "capsule only: there is a capsule and no vmcore" test -s "$dir/capsule" -a ! -e "$dir/vmcore"
	check "capsule only: status.json says that this was meant" says '.capsule_only and .result == "complete"'
}

test_not_reserved() {
	run_vm not-reserved --append crashkernel=0M -- 'deadfall kdump setup; echo status $?; deadfall kdump doctor; echo status $?
		mount -t securityfs none /sys/kernel/security; echo integrity >/sys/kernel/security/lockdown; deadfall kdump doctor'
	check "without reserved memory setup ends with 3" command_said "^status 3"
	check "and says what to do" command_said "crashkernel=256M"
	check "and so does the doctor" command_said "FAIL reserved +no memory is reserved.* MB needed: kernel [0-9]+, initramfs [0-9]+, makedumpfile [0-9]+"
	check "under lockdown the doctor says what can be loaded" command_said "^warn lockdown +lockdown=integrity: only a kernel image with a trusted"
}

tested_rule() {
	cat >"$1" <<-'END'
		deadfall: 1
		rule: tested
		events: {rename: {probe: kprobe:vfs_rename, key: arg.rd->old_dentry->d_inode}}
		match: {event: rename}
		on_match: [panic: "renamed"]
		guard: {kdump: tested}
	END
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
	tested_rule "$build/tests/$test/tested.yaml"
	dump_vm selftest-verdict "${on[@]}" --copy "$build/tests/$test/tested.yaml" -- "$mount
		try() { deadfall run tested.yaml >/tmp/run 2>&1 & pid=\$!; for i in \$(seq 200); do grep -qE '^armed|not armed' /tmp/run && break; sleep 0.2; done
			kill -INT \$pid; wait \$pid; sed \"s/^/\$1: /\" /tmp/run; }
		deadfall kdump test --result; echo \"result: \$?\"; deadfall dumps --dir /disk/crash; deadfall dumps --dir /disk/crash --json
		deadfall kdump setup --target /disk/crash; deadfall kdump status; try tested
		deadfall kdump setup --target /disk/crash --capsule-only
		deadfall kdump status; try changed; deadfall dumps prune --dir /disk/crash --max-dumps 1; deadfall dumps delete 20; ls /disk/crash"
	check "kdump test --result: passed" command_said "^passed on .*-kdump-test"
	check "and ends with 0" command_said "^result: 0"
	check "dumps lists it, with a signature" command_said "-kdump-test +complete vmcore [0-9]+ MB +capsule [0-9]+ .B +[0-9a-f]{16}"
	check "kdump status shows the verdict" command_said "^tested +passed on .*-kdump-test.$"
	check "and that it does not hold for another set-up" command_said "^tested +passed on .*changed since"
	check "guard kdump: tested lets a rule arm, and run tells of the test" command_said "^tested: deadfall run: kdump test: passed on .*-kdump-test"
	check "armed" command_said "^tested: armed tested"
	check "not with another set-up" command_said "^changed: .*not armed, its guard wants a tested kdump.*changed since"
	check "dumps delete deletes it" command_said "^deleted .*-kdump-test"
	rm -f "$disk"
}

test_plain 6.12 23
test_plain 6.1 31
test_small_reserve
test_not_reserved
test_capsule_only
test_selftest
echo "1..$tests"
