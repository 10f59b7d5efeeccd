#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The VM runner itself: exit statuses, what it puts into the guest, what it finds out afterwards. Rules are played by
# tests/vm/fake-deadfall, so that this test says whether a failure further on is the runner's.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

fake=$(mktemp -d)
trap 'rm -rf "$fake"' EXIT
cp tests/vm/fake-deadfall "$fake/deadfall"
for name in arm refuse disarm die; do echo "$name" >"$fake/$name.yaml"; done
echo copied >"$fake/copied file"

said() {
	grep -qF -- "$1" "$dir/${2:-command.log}" || { cat "$dir/${2:-command.log}"; return 1; }
}

refuses() {
	local want=$1
	shift
	contrib/vm/vm run --out "$fake/refused" "$@" >"$fake/refused.log" 2>&1
	same 20 $? || return
	grep -qF -- "$want" "$fake/refused.log" || { cat "$fake/refused.log"; return 1; }
}

fake_vm() {
	BUILD=$fake run_vm "$@"
}

# Two machines that mostly wait run beside the others.
start_slow() {
	limit=15 start_vm timeout -- sleep 1000
	BUILD=$fake start_vm dump --rule "$fake/arm.yaml" --module "$build/vm/widget.ko" --copy "$build/vm/wl" -- \
		'./wl bug 20 && echo c >/proc/sysrq-trigger'
}

test_refusals() {
	check "an unknown option is refused" refuses "unknown option --nope" --nope x -- true
	check "a missing command is refused" refuses "no COMMAND"
	check "a missing rule file is refused" refuses "no such file" --rule /no/such.yaml -- true
	check "a missing file to copy is refused" refuses "no such file" --copy /no/such -- true
	check "a kernel that is none is refused" refuses "not an x86 bzImage" --kernel tests/run -- true
	check "a series that apt does not have is refused" refuses "apt offers no cloud kernel 9.99" --kernel 9.99 -- true
	check "an unknown module is refused" refuses "no such module" --module nosuchmodule -- true
	check "an unknown program is refused" refuses "no such program" --with nosuchprogram-x -- true
	check "a refusal leaves a result.json" jq -e '.exit == 20 and .outcome == "setup"' "$fake/refused/result.json"
}

test_success() {
	run_vm success --module "$build/vm/widget.ko" --module 'null_blk nr_devices=3' --copy "$build/vm/wl" \
		--copy "$fake/copied file:/etc/a place" --with dmsetup --with mke2fs --with sed -- '
		set -e
		uname -r; pwd; cat "/etc/a place"; ./wl run 20
		truncate -s 16M /tmp/image; mke2fs -q -t ext4 /tmp/image
		mkdir /tmp/on && mount -o loop /tmp/image /tmp/on && df -T /tmp/on && umount /tmp/on
		losetup /dev/loop6 /tmp/image; echo "0 100 linear /dev/loop6 0" | dmsetup create dm; dmsetup table
		ls /dev/nullb2; sed --version
		ls /sys/kernel/btf/widget; echo warn >/proc/widget; echo to stderr >&2'
	check "a command that succeeds ends with 0" same 0 "$rc"
	check "result.json says the same" holds '.outcome == "ok" and .exit == 0 and .command_exit == 0 and .dump == null'
	check "the kernel that was asked for booted" \
		holds '.kernel.booted == .kernel.release and (.kernel.release | startswith("6.12."))'
	check "the command runs in /root" said /root
	check "--copy puts a file where it is asked to" said copied
	check "--module loads a module of ours, with BTF" said /sys/kernel/btf/widget
	check "--module loads one of the kernel's, with parameters" said /dev/nullb2
	check "mke2fs, mount of ext4 and loop devices work" said "ext4"
	check "dmsetup works" said "dm: 0 100 linear"
	check "--with goes before busybox's applet" said "GNU sed"
	check "standard error is kept too" said "to stderr"
	check "the command's output was shown live" cmp "$dir.out" "$dir/command.log"
	check "a WARNING of the kernel is found" \
		holds '.splats | any(contains("WARNING: CPU")) and any(contains("Call Trace"))'
	check "the kernel log is kept" said "widget: warned as asked" dmesg
}

test_failure() {
	run_vm failure --disk 0 -- sh -c 'echo "$0|$1"; exit 7' 'two  words' "quote ' it"
	check "a command that fails ends with 1" same 1 "$rc"
	check "its own status is in result.json" holds '.outcome == "command-failed" and .command_exit == 7'
	check "words are passed on as they are" said "two  words|quote ' it"
	check "an orderly run has no splats" holds '.splats == []'
}

test_lost() {
	run_vm panic -- 'echo before; sleep 0.3; echo c >/proc/sysrq-trigger; sleep 30'
	check "a panic without kdump is a lost machine" same 21 "$rc"
	check "the panic's text is in result.json" \
		holds '.outcome == "lost" and .panic == "sysrq triggered crash" and .command_exit == null'
	check "what was said before is kept" said before
	wait_vm timeout
	check "a machine that runs too long is stopped" same 22 "$rc"
	check "and result.json says when" \
		holds '.outcome == "timeout" and (.message | test("^still running after 15 s \\((while|before|after) .+\\)$"))'
}

test_old_kernel() {
	run_vm old --kernel 6.1 --with mke2fs -- '
		uname -r; mke2fs -q -t ext4 -F /dev/loop0 9M; df -T /var/crash; echo 6.1 fine'
	check "6.1: a command that succeeds ends with 0 (disk on modules)" same 0 "$rc"
	check "6.1: that kernel booted" holds '.kernel.booted | startswith("6.1.")'
	check "6.1: the dump disk is there" said ext4
}

test_rules() {
	fake_vm quiet --no-kdump --rule "$fake/arm.yaml" --run-args '--set "a b"' -- 'echo quiet'
	check "rules that do not fire: 0" same 0 "$rc"
	check "the line that says armed is in result.json" \
		holds '.armed and .armed_line == "armed with 5 arguments: --set a b --brake 0 /root/rules/arm.yaml"'
	check "deadfall is ended by SIGINT, its status is known" holds '.deadfall_exit == 0'
	check "deadfall's output is kept" said stopping deadfall.log
	check "its state is kept" holds '.fake' status.json
	fake_vm refuse --no-kdump --rule "$fake/refuse.yaml" -- true
	check "rules that are refused: 24" same 24 "$rc"
	check "with deadfall's status and last words" \
		holds '.message | contains("status 3") and contains("refused, as asked")'
	fake_vm die --no-kdump --rule "$fake/die.yaml" -- sleep 1
	check "a deadfall that ends by itself: 24" same 24 "$rc"
	fake_vm disarm --no-kdump --rule "$fake/disarm.yaml" -- true
	check "--no-kdump: disarmed is no error" holds '.exit == 0 and .armed == false and (.armed_line | startswith("disarmed"))'
}

test_dump() {
	wait_vm dump
	check "a crash with kdump: 10" same 10 "$rc"
	check "vmcore, capsule and capture.json are there" \
		holds '.dump.vmcore_bytes > 1000000 and .dump.capsule_bytes == 8 and .dump.capture.rule == "fake"'
	check "the reports are there" holds '.rule == "fake"' report.json
	check "an intended crash is no splat" holds '.splats == []'
	check "the dump holds the module's truth" tests/vm/truth "$dir/vmcore" "$dir/command.log"
}

start_slow
test_refusals
test_success
test_failure
test_lost
test_old_kernel
test_rules
test_dump
echo "1..$tests"
