#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# No crash loop: a machine that keeps its disk is crashed by the same rule until it may not any more. And what two dumps
# of one bug have in common, on machines of another size: the signature. And figures: how long a capture takes, how large
# its parts are, with 4096 recorded events.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"
# shellcheck source=tests/vm/kdump-lib
. tests/vm/kdump-lib

mkdir -p "$build/tests/$test"
image=$(realpath "$build/tests/$test/loop.img")
cat >"$build/tests/$test/loop.yaml" <<'END'
deadfall: 1
rule: loop
events:
  rename: {probe: kprobe:vfs_rename, key: arg.rd->old_dentry->d_inode, keep: [kstack]}
  write: {probe: kprobe:vfs_write, where: task.comm == "dd", key: arg.file->f_inode, fields: {pos: arg.file->f_pos}, keep: [kstack]}
match: {event: rename}
context: {last: 32, keys: 256}
on_match: [panic: "renamed"]
guard: {kdump: required, max_panics: 2 per 24h}
END

# loop_vm NAME OPTION... -- COMMAND: with functions that run the rule and meet it.
loop_vm() {
	local name=$1 command=${!#}
	shift
	dump_vm "$name" --disk 0 --copy "$build/tests/$test/loop.yaml" --qemu-args "-drive file=$image,format=raw,if=virtio,cache=unsafe" \
		"${@:1:$#-1}" 'mkdir -p /disk /var/lib/deadfall; modprobe virtio_pci 2>/dev/null; modprobe virtio_blk
		until [ -b /dev/vda ]; do sleep 0.1; done; mount -t ext4 /dev/vda /disk; mkdir -p /disk/lib /disk/crash
		mount --bind /disk/lib /var/lib/deadfall; deadfall kdump setup --target /disk/crash >/dev/null || exit
		arm() { rm -f /tmp/run; deadfall run "$@" loop.yaml >/tmp/run 2>&1 & pid=$!; until grep -qsE "^(dis)?armed" /tmp/run; do sleep 0.2; done; }
		meet() { dd if=/dev/zero of=/tmp/a bs=1 count=$2 2>/dev/null; echo "fire $(($(date +%s) + 1))"; sleep 1; mv /tmp/a /tmp/b; sleep 2; sed "s/^/$1: /" /tmp/run; }
		end() { kill -INT $pid; wait $pid; }
		'"$command"
}

# Seconds of the last capture, with those of the boot of the crash kernel as the clock of the machine saw it.
figures() {
	local json
	json=$(debugfs -R "cat /crash/$1/status.json" "$image" 2>/dev/null)
	jq -r --argjson fired "$(sed -n 's/^fire //p' "$dir/command.log" | tail -n 1)" '
		def at(n): .steps[] | select(.name == n) | .started + .seconds;
		(.time_unix - $fired) as $boot | (.steps[] | select(.name == "modules").started) as $zero |
		"fires, \($boot) s: crash kernel up, \($boot + at("capsule") - $zero | round) s: capsule on disk (" +
		"\(.steps[] | select(.name == "capsule").bytes) bytes), \($boot + at("vmcore") - $zero | round) s: vmcore on disk (" +
		"\(.steps[] | select(.name == "vmcore").bytes) bytes), \($boot + at("check") - $zero | round) s: checked, reboots; " +
		"crash kernel memory: \((.memory.total_kb - .memory.min_available_kb) / 1024 | floor) MB at most of " +
		"\(.memory.total_kb / 1024 | floor) MB"' <<<"$json"
}

# Of our vmcore all pages that it holds, at its level and compression, by makedumpfile here.
as_large_as_its_own() {
	local level compress
	level=$(sed -n 's/.*makedumpfile -d \([0-9]*\) .*/\1/p' "$dir/command.log" | head -n 1)
	compress=$(sed -n 's/.*makedumpfile -d [0-9]* \(-[a-z]\).*/\1/p' "$dir/command.log" | head -n 1)
	rm -f "$dir/own"
	makedumpfile -d "$level" "$compress" "$dir/vmcore" "$dir/own" >"$dir/own.log" 2>&1 || { tail -n 3 "$dir/own.log"; return 1; }
	[ "$(stat -c %s "$dir/vmcore")" -le $(($(stat -c %s "$dir/own") * 102 / 100)) ] || stat -c '%n %s' "$dir/vmcore" "$dir/own"
}

newest() {
	debugfs -R 'ls -p /crash' "$image" 2>/dev/null | cut -d/ -f6 | grep -- '-loop$' | sort | tail -n 1
}

# The file was written to once before the first crash, three times before the second.
differs_in_its_course() {
	"$build/deadfall" report --diff --format json "$build/tests/$test/first/capsule" "$dir/capsule" >"$dir/diff.json"
	jq -c '{same_signature, different}' "$dir/diff.json"
	jq -e '.same_signature and any(.different[].what; . == "course of events")' "$dir/diff.json"
}

truncate -s 600M "$image"
mke2fs -q -t ext4 "$image"
loop_vm first --append crashkernel=128M 'arm --at-boot
	deadfall kdump status | grep makedumpfile; for i in $(seq 128); do dd if=/dev/zero of=/tmp/f$i bs=1 count=32 2>/dev/null; done; meet first 1'
check "the rule crashes the machine at its first boot, with 128 MB for the crash kernel" console "deadfall: complete: .*-loop"
first=$(newest)
echo "# 1 GB, crashkernel=128M: $(figures "$first")"
debugfs -R "dump /crash/$first/capsule $dir/capsule" "$image" 2>/dev/null
debugfs -R "dump /crash/$first/vmcore $dir/vmcore" "$image" 2>/dev/null
"$build/deadfall" report "$dir/capsule" --all --format json -o "$dir/all.json"
check "the capsule holds the last 4096 events" holds '[.context[] | select(.event == "write")] | length >= 4096' all.json
check "in at most 256 KB" test "$(stat -c %s "$dir/capsule")" -le 262144
check "the vmcore is no larger than makedumpfile itself makes it of the same memory" as_large_as_its_own
echo "# 4096 events: capsule $(stat -c %s "$dir/capsule") bytes; vmcore $(stat -c %s "$dir/vmcore") bytes, makedumpfile's own at" \
	"the same level $(stat -c %s "$dir/own") bytes"
rm -f "$dir/vmcore" "$dir/own"

loop_vm second --mem 768M --smp 1 'arm --at-boot; meet at-boot 1; end; arm; meet by-hand 3'
check "a service does not arm it again: the crash came soon after boot" \
	command_said "^at-boot: .*rule 'loop' only logs: its last panic.* came [0-9]+ s after boot"
check "it logs" command_said "^at-boot: matched: rule loop at event rename"
check "by hand it arms, and crashes the machine" console "deadfall: complete: .*-loop"
debugfs -R "dump /crash/$(newest)/capsule $dir/capsule" "$image" 2>/dev/null
check "report --diff knows the two for one bug, and shows in what its courses differ" differs_in_its_course

loop_vm third 'arm; meet third 1; end; deadfall kdump forget loop; arm --disarmed; sed "s/^/forgot: /" /tmp/run; end
	deadfall dumps --dir /disk/crash --json'
check "past max_panics it only logs, and says so and what to do" \
	command_said "^third: .*rule 'loop' only logs: 2 panics in 24 h.*max_panics allows 2.*kdump forget loop"
check "it logs, the machine stays up" command_said "^third: matched: rule loop at event rename"
check "forgotten, it may panic again" without command_said "^forgot: .*only logs"
check "the two dumps of one bug have one signature, whatever the machine's size" \
	same 2,1 "$(sed -n '/^\[$/,$p' "$dir/command.log" | jq -r '[.[].signature] | "\(length),\(unique | length)"')"
echo "# signature: $(sed -n '/^\[$/,$p' "$dir/command.log" | jq -r '.[0].signature')"
rm -f "$image"
echo "1..$tests"
