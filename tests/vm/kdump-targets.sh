#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Targets beyond a directory: a device without a filesystem, a second one when the first fails; old dumps make room; bytes
# of user space stay out of a redacted capsule. (Other filesystems and servers: make soak.)
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"
# shellcheck source=tests/vm/kdump-lib
. tests/vm/kdump-lib

mkdir -p "$build/tests/$test"
image=$(realpath "$build/tests/$test/second.img")
second=(--qemu-args "-drive file=$image,format=raw,if=virtio,cache=unsafe")

new_image() {
	rm -f "$image"
	truncate -s 400M "$image"
}

test_raw() {
	new_image
	dump_vm raw "${second[@]}" -- "try() { name=\$1; shift; echo \"== \$name\"; \"\$@\"; echo \"status \$name \$?\"; }
		mke2fs /dev/vdb >/dev/null 2>&1
		try in-use deadfall kdump setup --target /dev/vda
		try filesystem deadfall kdump setup --target /dev/vdb
		try untouched sh -c 'mkdir -p /x; mount -t ext4 /dev/vdb /x && umount /x'
		try overwrite deadfall kdump setup --target /dev/vdb --overwrite --max-dumps 2
		try again deadfall kdump setup --target /dev/vdb
		try doctor deadfall kdump doctor; try list deadfall dumps; $crash"
	check "raw: a device in use is refused" command_said "target /dev/vda is in use"
	check "raw: one with a filesystem is refused, by name" command_said "/dev/vdb holds an ext4 filesystem.*--overwrite"
	check "raw: and not touched" command_said "^status untouched 0"
	check "raw: overwritten when that is said" command_said "^status overwrite 0"
	check "raw: from then on it needs no permission" command_said "^status again 0"
	check "raw: the doctor says ready, and the space" command_said "^ok +space +39[0-9] MB free"
	check "raw: no dumps yet" command_said "^no dumps in /dev/vdb"
	check "raw: the capture is complete" console "deadfall: complete: .*-none"
	check "raw: dumps lists it from the device" sh -c "'$build/deadfall' dumps --dir '$image' | grep -E -- '-none +complete vmcore [0-9]+ MB'"
	check "raw: it can be copied out" "$build/deadfall" dumps extract 20 --dir "$image" --to "$dir/out"
	mv "$dir"/out/*-none/* "$dir/"
	check "raw: as a dump like any other" dump_opens
	check "raw: with the report's capsule" "$build/deadfall" report "$dir/capsule" -o /dev/null
	status=$dir/status.json
	check "raw: all steps are done" says '.result == "complete" and all(.steps[]; .state == "done")'
	check "raw: deleted, it is gone" sh -c "'$build/deadfall' dumps delete 20 --dir '$image' && '$build/deadfall' dumps --dir '$image' | grep '^no dumps'"
	rm -f "$dir/vmcore" "$image"
}

# secrets FILE: how often the word that only user space wrote stands in a capsule's unpacked chunks.
secrets() {
	python3 - "$1" <<-'END'
		import struct, sys, zlib
		data, at, found = open(sys.argv[1], "rb").read(), 16, 0
		while at + 20 <= len(data):
		    magic, records, raw, stored, crc = struct.unpack_from("<5I", data, at)
		    found += zlib.decompress(data[at + 20:at + 20 + stored]).count(b"hush-hush")
		    at += 20 + stored
		print(found)
	END
}

write_rule() {
	cat >"$build/tests/$test/secret.yaml" <<-'END'
		deadfall: 1
		rule: secret
		events:
		  open:
		    probe: kprobe:do_sys_openat2
		    where: task.comm == "cat"
		    key: task.tid
		    fields: {path: ustr(arg.filename), dfd: arg.dfd}
		  rename:
		    probe: kprobe:vfs_rename
		    key: task.tid
		    fields: {name: str(arg.rd->old_dentry->d_name.name), ino: arg.rd->old_dentry->d_inode->i_ino}
		    keep: [kstack, {bytes: arg.rd->old_dentry->d_name.name, len: 32}]
		match: {event: rename}
		context: {last: 8}
		on_match: [panic: "renamed {name}, inode {ino}"]
	END
}

# The same crash with and without --redact; the second on a machine whose first target is wiped after the set-up.
secret_vm() {
	local name=$1 setup=$2 before=$3
	shift 3
	keep_vm "$name" "$@" --copy "$build/tests/$test/secret.yaml" -- "$before
		deadfall kdump setup --redact; echo \"redact: \$?\"
		deadfall kdump setup $setup && deadfall kdump doctor >/tmp/d; echo \"doctor: \$?\"; deadfall kdump status; grep target /tmp/d
		[ ! -b /dev/vdb ] || dd if=/dev/zero of=/dev/vdb bs=1M count=4 2>/dev/null
		deadfall run secret.yaml >/tmp/run 2>&1 & until grep armed /tmp/run; do sleep 0.2; done
		echo hush-hush in the log >/dev/kmsg; echo x >/tmp/hush-hush
		mv /tmp/hush-hush /tmp/other; sleep 30; cat /tmp/run"
}

test_fallback() {
	write_rule
	new_image
	secret_vm fallback "--target /dev/vdb --target /var/crash --capsule-only --redact --max-dumps 2 --max-size 1G" \
		'for i in 1 2 3; do mkdir /var/crash/2026010${i}T000000Z-old; echo x >/var/crash/2026010${i}T000000Z-old/capsule; done' "${second[@]}"
	check "redact: a vmcore would hold user-space memory on 6.12: refused" command_said "^redact: 3"
	check "redact: with the reason" command_said "level 23 holds user-space memory.*--capsule-only"
	check "fallback: the doctor names both targets" command_said "target +/dev/vdb .raw on vdb., else /var/crash .ext4 on vda."
	check "fallback: status does, too" command_said "^if that fails /var/crash"
	check "fallback: the second target takes the dump" console "deadfall: complete: .*-secret"
	check "fallback: status.json says what was wrong with the first" says '.earlier_targets | test("raw on vdb: .*no device carries")'
	check "retention: the set-up leaves two dumps, the crash the newest old one" \
		same "20260103T000000Z-old" "$(cd "$dir/disk" && echo *-old)"
	check "retention: status.json counts what had to go" says '.deleted_dumps == 1'
	check "redact: status.json says so" says '.redacted and .result == "complete"'
	check "redact: the capsule holds none of the words" same 0 "$(secrets "${status%/*}/capsule")"
	"$build/deadfall" report "${status%/*}/capsule" --format json -o "$dir/capsule.json"
	check "redact: the report still tells what happened" holds '.match.rule == "secret" and (.context[-1].fields.ino | . > 0) and
		(.context[-1].kstack | length > 0)' capsule.json
	check "redact: and that the rest is unknown" holds '.context[-1].fields.name == null and (.match.reason | test("hush") | not)' capsule.json
	rm -f "$image"
}

test_not_redacted() {
	secret_vm plain "--capsule-only --max-size 2M" 'for i in 1 2 3; do mkdir /var/crash/2026010${i}T000000Z-old
		dd if=/dev/zero of=/var/crash/2026010${i}T000000Z-old/vmcore bs=1M count=1 2>/dev/null; done'
	check "retention by size: the set-up leaves what fits, the crash makes room for itself" \
		same "20260103T000000Z-old" "$(cd "$dir/disk" && echo *-old)"
	check "a dump's directory is its owner's alone" same 700 "$(stat -c %a "${status%/*}")"
	check "retention by size: status.json counts what had to go" says '.deleted_dumps == 1'
	check "without --redact the words are there" test "$(secrets "${status%/*}/capsule")" -gt 2
}

test_raw
test_fallback
test_not_redacted
echo "1..$tests"
