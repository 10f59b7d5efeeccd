# shellcheck shell=bash disable=SC2034,SC2154 # the parts of vm share its variables
# SPDX-License-Identifier: GPL-2.0-or-later
# qemu.sh - starts the virtual machine: which accelerator, the dump disk, the time limit.

qemu='qemu-system-x86_64'

# choose_accel IMAGE VERSION: sets `accel`. A /dev/kvm that opens proves nothing (nested, half working ones
# exist): this very kernel has to boot with it in a few seconds. Remembered until the machine reboots.
choose_accel() {
	local image=$1 version=$2 known
	accel=tcg
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return 0
	known=$cache/accel/$version-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -s "$known" ]; then
		mkdir -p "$cache/accel"
		detail "trying whether KVM boots $version"
		if probe_kvm "$image"; then accel=kvm; fi
		echo "$accel" >"$known"
	fi
	accel=$(cat "$known")
}

probe_kvm() {
	local tmp rc
	tmp=$(mktemp -d "$cache/probe.XXXXXX") || return
	mkdir -p "$tmp/root/dev"
	cp "$(PATH=$PATH:/usr/sbin:/sbin type -P busybox)" "$tmp/root/busybox"
	printf '%s\n' '#!/busybox sh' '/busybox mount -t devtmpfs dev /dev' 'echo deadfall-kvm-works >/dev/ttyS1' \
		'/busybox stty -F /dev/ttyS1 raw' '/busybox poweroff -f' >"$tmp/root/init"
	chmod 755 "$tmp/root/init"
	archive "$tmp/root" "$tmp/initrd"
	{ timeout -k 2 8 "$qemu" -accel kvm -cpu max -smp 2 -m 512M -nodefaults -no-user-config -display none \
		-no-reboot -kernel "$1" -initrd "$tmp/initrd" -append "console=ttyS0 quiet panic=-1" \
		-serial null -serial "file:$tmp/out"; } </dev/null >/dev/null 2>&1
	grep -qs deadfall-kvm-works "$tmp/out"
	rc=$?
	rm -rf "$tmp"
	return $rc
}

# make_disk FILE: an empty ext4 image, sparse; dumps are written to it, and read from it without mounting.
make_disk() {
	local file=$1 size=$2
	need mke2fs e2fsprogs
	rm -f "$file"
	truncate -s "$size" "$file"
	mke2fs -q -F -t ext4 -m 0 -N 4096 -J size=8 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0 \
		"$file" 2>"$out/mke2fs.log" || die 20 "mke2fs failed: $(tail -n 1 "$out/mke2fs.log")"
	rm -f "$out/mke2fs.log"
}

qemu_arguments() {
	# With two CPUs and multi-threaded TCG, kernels trip over their own text patching: one thread.
	case $accel in
	tcg) qemu_args=(-accel "tcg,thread=single") ;;
	*) qemu_args=(-accel "$accel") ;;
	esac
	qemu_args+=(-cpu max -smp "$smp" -m "$mem" -nodefaults -no-user-config -display none -no-reboot
		-kernel "$image" -initrd "$work/initrd" -append "$append"
		-chardev "file,id=console,path=console.log" -serial chardev:console
		-chardev "file,id=status,path=status" -serial chardev:status
		-chardev "stdio,id=command,signal=off" -serial chardev:command
		-chardev "file,id=deadfall,path=deadfall.log" -serial chardev:deadfall)
	[ "$disk" = 0 ] ||
		qemu_args+=(-drive "file=disk.img,if=none,id=crash,format=raw,cache=unsafe"
			-device "virtio-blk-pci,drive=crash")
	qemu_args+=("${extra_qemu_args[@]}")
}

# run_qemu: sets qemu_rc (124 or 137: the time was up). The command's output is QEMU's standard output. If this
# script dies in any way, timeout gets a signal, and if timeout dies, QEMU does.
run_qemu() {
	local tee_pid stdin=/dev/null
	[ "$shell" = 0 ] || stdin=/dev/stdin
	exec {tee_fd}> >(exec tee -p "$out/command.log")
	tee_pid=$!
	(cd "$out" && exec setpriv --pdeathsig TERM timeout ${foreground:+--foreground} -k 5 "$limit" \
		setpriv --pdeathsig TERM "$qemu" "${qemu_args[@]}") <"$stdin" >&"$tee_fd" 2>"$out/qemu.log" {tee_fd}>&- &
	qemu_pid=$!
	trap 'kill -TERM $qemu_pid 2>/dev/null; die 20 interrupted' INT TERM HUP
	wait "$qemu_pid"
	qemu_rc=$?
	trap - INT TERM HUP
	exec {tee_fd}>&-
	wait "$tee_pid"
}
