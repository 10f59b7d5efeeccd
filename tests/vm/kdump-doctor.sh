#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `deadfall kdump doctor`: each condition of a capture, broken; never ready when it is not.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"
# shellcheck source=tests/vm/kdump-lib
. tests/vm/kdump-lib

test_doctor() {
	limit=600 run_vm doctor --module i6300esb --qemu-args "-device i6300esb" --module ramoops \
		--append "reserve_mem=1M:4096:oops ramoops.mem_name=oops" -- '
		judge() { deadfall kdump doctor >/run/d; echo "$1: $? $(grep -c ^FAIL /run/d) $(grep ^FAIL /run/d | tr -s " " | tr "\n" ";") $(grep ^warn /run/d | tr -s " " | tr "\n" ";")"; }
		state() { sed -i -E "$1" /run/deadfall/kdump.json; }
		judge nothing
		deadfall kdump setup >/dev/null
		judge healthy
		kexec -p -s /boot/vmlinuz-$(uname -r) --append=nothing && judge replaced-file
		deadfall kdump setup; echo "over-another: $?"
		deadfall kdump setup --replace >/dev/null
		kexec -p -c /boot/vmlinuz-$(uname -r) --append=nothing && judge replaced-segments
		kexec -p -u && judge unloaded
		deadfall kdump setup >/dev/null
		mount -o remount,ro /var/crash && judge read-only
		mount -o remount,rw /var/crash
		fallocate -l 1990M /var/crash/big; judge full; rm /var/crash/big
		umount /var/crash; judge unmounted
		mount /dev/vda /var/crash; judge mounted
		mv /usr/bin/makedumpfile /run/; judge no-makedumpfile; mv /run/makedumpfile /usr/bin/
		mkdir -p /root/bin; printf "%s\n" "#!/bin/sh" "[ \$1 != --mem-usage ] || { echo The kernel is not supported by the test; exit 1; }" \
			"exec /usr/bin/makedumpfile \"\$@\"" >/root/bin/makedumpfile; chmod 755 /root/bin/makedumpfile
		PATH=/root/bin:$PATH judge makedumpfile-of-old; rm /root/bin/makedumpfile
		state "s/virtio_blk\.ko//"; judge driver-missing
		state "s/6\.12\./6.11./"; judge other-kernel
		deadfall kdump setup >/dev/null
		mount -t tmpfs none /sys/kernel && judge no-support; umount /sys/kernel
		state "s/(\"unpacked_bytes\": )/\\1999/"; judge small-reserve
		state "s/(\"unpacked_bytes\": )999/\\1/"; state "s/(\"mem_total_kb\": )[0-9]+/\\1100000/"; judge more-memory
		deadfall kdump setup >/dev/null
		notifiers=/sys/module/kernel/parameters/crash_kexec_post_notifiers
		echo 1 >$notifiers; judge notifiers; echo 0 >$notifiers
		watchdog -F -T 60 -t 1 /dev/watchdog0 & sleep 1; judge watchdog; kill $!; sleep 1
		sysctl -qw kernel.panic_on_oops=1; deadfall kdump doctor | grep "^ok *panic"; sysctl -qw kernel.panic_on_oops=0
		deadfall kdump doctor | grep pstore; modprobe -r ramoops; deadfall kdump doctor | grep pstore
		mount -t securityfs none /sys/kernel/security; cat /sys/kernel/security/lockdown
		rm /run/deadfall/kdump.json; judge foreign; deadfall kdump status; echo "status $?"
		deadfall kdump setup --replace >/dev/null; echo 1 >/proc/sys/kernel/kexec_load_disabled; kexec -p -u
		judge load-disabled; deadfall kdump setup; echo "setup $?"
		echo integrity >/sys/kernel/security/lockdown && { judge lockdown; deadfall kdump doctor | grep lockdown; }'
	check "doctor: nothing loaded" command_said "^nothing: 3 .*FAIL loaded"
	check "doctor: a machine that is set up is ready" command_said "^healthy: 0 0"
	check "doctor: another crash kernel loaded over ours, by file" command_said "^replaced-file: 3 1 FAIL owner"
	check "setup does not load ours over another one unasked" command_said "^over-another: 3"
	check "doctor: another crash kernel loaded over ours, by segments" command_said "^replaced-segments: 3 1 FAIL owner"
	check "doctor: unloaded" command_said "^unloaded: 3 .*FAIL loaded"
	check "doctor: target read-only" command_said "^read-only: 3 .*FAIL target"
	check "doctor: target full" command_said "^full: 3 1 FAIL space"
	check "doctor: target not mounted" command_said "^unmounted: 3 .*FAIL target"
	check "doctor: mounted again it is ready" command_said "^mounted: 0 0"
	check "doctor: no makedumpfile" command_said "^no-makedumpfile: 3 1 FAIL makedumpfile"
	check "doctor: a makedumpfile that cannot read this kernel" \
		command_said "^makedumpfile-of-old: 3 1 FAIL makedumpfile .*not supported by the test"
	check "doctor: a driver is missing in the initramfs" command_said "^driver-missing: 3 1 FAIL drivers"
	check "doctor: set up for another kernel" command_said "^other-kernel: 3 .*FAIL kernel"
	check "doctor: a kernel without kdump" command_said "^no-support: 3 .*FAIL support"
	check "doctor: less memory reserved than is needed" command_said "^small-reserve: 3 1 FAIL reserved"
	check "doctor: memory was added since" command_said "^more-memory: 3 1 FAIL kernel .*memory was added"
	check "doctor: panic notifiers that run first are worth a warning" command_said "^notifiers: 0 0 .*warn panic .*notifiers"
	check "doctor: a watchdog that the crash kernel would not feed" command_said "^watchdog: 3 1 FAIL watchdog"
	check "doctor: panic_on_oops is told" command_said "^ok +panic +every panic and oops is dumped"
	check "doctor: pstore, where it is" command_said "^ok +pstore .*also goes to pstore .ramoops"
	check "doctor: and where it is not" command_said "^ok +pstore +none"
	check "doctor: a crash kernel of somebody else" command_said "^foreign: 3 .*FAIL owner it is of another program"
	check "doctor: loading is disabled, and ours is loaded: it stays" command_said "^load-disabled: 0 0"
	check "doctor: under lockdown a crash kernel that is loaded stays good" command_said "^lockdown: 0 0"
	check "doctor: and lockdown is told" command_said "^ok +lockdown +lockdown=integrity"
	check "setup says that loading is disabled" command_said "kexec_load_disabled is 1.; reboot"
}

test_doctor
echo "1..$tests"
