#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Dumps to the filesystems other than ext4. The capture's own check reads the vmcore back in the crash kernel. Needs
# xfsprogs, btrfs-progs, dosfstools.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
# shellcheck source=tests/vm/kdump-lib
. tests/vm/kdump-lib

test_fs() {
	local fs=$1 image
	shift
	mkdir -p "$build/tests/$test"
	image=$(realpath "$build/tests/$test/$fs.img")
	command -v "$1" >/dev/null || { echo "Bail out! $1 is not installed: contrib/deps soak"; exit 1; }
	rm -f "$image"
	truncate -s 700M "$image"
	"$@" "$image" >/dev/null 2>&1
	dump_vm "$fs" --module "$fs" $([ "$fs" != vfat ] || echo --module nls_cp437 --module nls_ascii) \
		--qemu-args "-drive file=$image,format=raw,if=virtio,cache=unsafe" -- "mkdir -p /x
		mount -t $fs /dev/vdb /x && mkdir /x/dumps && deadfall kdump setup --target /x/dumps && deadfall kdump doctor && echo doctor-says-ready
		$crash"
	check "$fs: the doctor says ready" command_said doctor-says-ready
	check "$fs: the capture is complete, the vmcore reads" console "deadfall: complete: .*-none"
	rm -f "$image"
}

# What the crash kernel could not mount is refused by the set-up, not found out at a crash.
test_two_devices() {
	local images=() i
	mkdir -p "$build/tests/$test"
	for i in 1 2; do
		images+=("$(realpath -m "$build/tests/$test/btrfs$i.img")")
		rm -f "${images[-1]}"
		truncate -s 300M "${images[-1]}"
	done
	mkfs.btrfs -q -d raid1 -m raid1 "${images[@]}"
	run_vm two-devices --module btrfs --with btrfs-progs:btrfs --qemu-args "-drive file=${images[0]},format=raw,if=virtio,cache=unsafe \
		-drive file=${images[1]},format=raw,if=virtio,cache=unsafe" -- 'mkdir -p /x; btrfs device scan /dev/vdb /dev/vdc
		mount -t btrfs /dev/vdb /x && mkdir /x/dumps && deadfall kdump setup --target /x/dumps; echo "setup: $?"'
	check "btrfs on two devices: refused" command_said "^setup: 3"
	check "btrfs on two devices: with the reason" command_said "this btrfs lies on 2 devices"
	rm -f "${images[@]}"
}

test_two_devices
test_fs xfs mkfs.xfs -q
test_fs btrfs mkfs.btrfs -q
test_fs vfat mkfs.vfat -F 32
echo "1..$tests"
