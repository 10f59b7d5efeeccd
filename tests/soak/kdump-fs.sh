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

test_fs xfs mkfs.xfs -q
test_fs btrfs mkfs.btrfs -q
test_fs vfat mkfs.vfat -F 32
echo "1..$tests"
