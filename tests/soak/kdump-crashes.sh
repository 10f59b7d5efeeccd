#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# CRASHES (50) crashes in a row (from number FIRST, 0), rules, targets and faults alternating, on LANES (1) machines that
# keep their disks: each leaves a capsule that the report opens, and a vmcore or a status that says why not. SERIES (6.12)
# is the kernel's.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
# shellcheck source=tests/vm/kdump-lib
. tests/vm/kdump-lib

crashes=${CRASHES:-50} lanes=${LANES:-1} series=${SERIES:-6.12}
work=$build/tests/$test
# One of each in turn; their numbers have no common factor, so that all combinations come up.
rules=(event sequence missing rate return)
faults=(none none KILLED none FAIL none CRASH none HANG none GARBAGE)
targets=(ext4 raw fallback ext4 raw xfs fallback)

trigger_event='mv /tmp/a /tmp/b'
trigger_sequence='mv /tmp/a /tmp/b; mv /tmp/b /tmp/c'
trigger_missing='mv /tmp/a /tmp/b'
trigger_rate='for i in 1 2 3 4 5 6; do mv /tmp/a /tmp/b; mv /tmp/b /tmp/a; done'
trigger_return='mkdir -p /tmp/d/x /tmp/e/x; mv -T /tmp/d /tmp/e'

write_rules() {
	local name match
	mkdir -p "$work/rules"
	for name in "${rules[@]}"; do
		case $name in
		event) match='{event: rename}' ;;
		sequence) match='{sequence: [first: rename, second: rename], within: 60s}' ;;
		missing) match='{missing: sync, after: rename, within: 500ms}' ;;
		rate) match='{rate: rename, over: 5, within: 60s}' ;;
		return) match='{event: back}' ;;
		esac
		{
			echo "deadfall: 1"
			echo "rule: soak-$name"
			echo "events:"
			[ "$name" = return ] ||
				echo "  rename: {probe: kprobe:vfs_rename, key: arg.rd->old_dentry->d_inode, keep: [kstack]}"
			[ "$name" != missing ] || echo "  sync: {probe: kprobe:vfs_fsync_range, key: arg.file->f_inode}"
			[ "$name" != return ] ||
				echo '  back: {probe: "kretprobe:vfs_rename", where: retval != 0, key: retval, keep: [kstack]}'
			echo "match: $match"
			echo "on_match: [panic: \"soak $name\"]"
			echo "guard: {kdump: required, max_panics: 1000 per 24h}"
		} >"$work/rules/soak-$name.yaml"
	done
}

write_faults() {
	local fault
	for fault in KILLED FAIL CRASH HANG GARBAGE; do
		${CC:-gcc} -O1 -static -DFAULT="$fault" -o "$work/makedumpfile-$fault" tests/vm/fault-makedumpfile.c || return
	done
}

make_disks() {
	local lane=$1 file
	mkdir -p "$lane"
	for file in ext4:700M raw:500M victim:16M xfs:700M; do
		rm -f "$lane/${file%:*}.img"
		truncate -s "${file#*:}" "$lane/${file%:*}.img"
	done
	mke2fs -q -t ext4 "$lane/ext4.img"
	mkfs.xfs -q "$lane/xfs.img"
}

# guest TARGET FAULT RULE: the command that crashes the machine.
guest() {
	local setup
	cat <<-'END'
		export PATH=/root/bin:$PATH
		modprobe virtio_pci 2>/dev/null; modprobe virtio_blk; until [ -b /dev/vdd ]; do sleep 0.1; done
		mkdir -p /disk /var/lib/deadfall; mount -t ext4 /dev/vda /disk; mkdir -p /disk/lib /disk/crash
		mount --bind /disk/lib /var/lib/deadfall
	END
	case $1 in
	ext4) setup='--target /disk/crash' ;;
	raw) setup='--target /dev/vdb' ;;
	fallback)
		echo 'mke2fs /dev/vdc >/dev/null; mkdir /victim; mount -t ext4 /dev/vdc /victim'
		setup='--target /victim --target /disk/crash --limit target=5'
		;;
	xfs) echo 'mkdir /x; mount -t xfs /dev/vdd /x' && setup='--target /x' ;;
	esac
	[ "$2" = none ] || echo "mv /root/makedumpfile-$2 /root/bin/makedumpfile"
	echo "deadfall kdump setup $setup --max-dumps 3 --limit vmcore=$([ "$2" = HANG ] && echo 4 || echo 200) || exit"
	[ "$1" != fallback ] || echo 'umount /victim; dd if=/dev/zero of=/dev/vdc bs=1M count=4 2>/dev/null'
	cat <<-END
		echo x >/tmp/a; deadfall run /root/soak-$3.yaml >/tmp/run 2>&1 &
		until grep -qE '^(dis)?armed' /tmp/run; do sleep 0.2; done; cat /tmp/run
		$(eval echo "\"\$trigger_$3\""); sleep 30; echo 'it did not crash'; cat /tmp/run
	END
}

# take_dump LANE TARGET: the newest dump into $dir/dump; sets dump and status.
take_dump() {
	local lane=$1 name list
	rm -rf "$dir/dump"
	mkdir -p "$dir/dump"
	case $2 in
	raw)
		name=$("$build/deadfall" dumps --dir "$lane/raw.img" --json | jq -r 'last.name // empty')
		[ -z "$name" ] || "$build/deadfall" dumps extract "$name" --dir "$lane/raw.img" --to "$dir/dump" >/dev/null
		;;
	xfs)
		# Their own machine, without a crash, copies it out.
		copy_from_guest "$lane" "$2"
		;;
	*)
		e2fsck -fy "$lane/ext4.img" >/dev/null 2>&1
		list=$(debugfs -R 'ls -p /crash' "$lane/ext4.img" 2>/dev/null | cut -d/ -f6 | grep -E '^[0-9]{8}T' | sort | tail -n 1)
		[ -z "$list" ] || debugfs -R "rdump /crash/$list $dir/dump" "$lane/ext4.img" >/dev/null 2>&1
		;;
	esac
	dump=$(find "$dir/dump" -mindepth 1 -maxdepth 1 -type d | sort | tail -n 1)
	status=$dump/status.json
}

# newer_than NUMBER: 20261122135607
newer_than() {
	[ -n "$dump" ] && [ "$(basename "$dump" | tr -d T | cut -c1-14)" -ge "$1" ]
}

copy_from_guest() {
	local image=$1/$2.img
	in_slot contrib/vm/vm run --quiet --timeout 120 --no-kdump --keep-disk --out "$dir/copy" --module "$2" \
		--qemu-args "-drive file=$(realpath "$image"),format=raw,if=virtio" -- "mkdir /x; mount -t $2 /dev/vdb /x && cp -a /x/2* /var/crash/" \
		>"$dir/copy.out" 2>&1
	debugfs -R "rdump / $dir/dump" "$dir/copy/disk.img" >/dev/null 2>&1
	rm -rf "$dir/copy/disk.img" "$dir/dump/lost+found" "$dir/dump/.vm" "$dir/dump/out"
}

# A whole vmcore, or words that tell why there is none.
vmcore_or_reason() {
	local core=$dump/vmcore
	if jq -e '.result == "complete"' "$status" >/dev/null; then
		rm -f "$dir/log.txt"
		makedumpfile --dump-dmesg "$core" "$dir/log.txt" >/dev/null && [ -s "$dir/log.txt" ]
	else
		jq -e '.steps[] | select(.name == "vmcore" or .name == "check") | select(.state != "done" and .state != "pending" and
			((.error // "" | length > 0) or .state == "running"))' "$status"
	fi
}

capsule_opens() {
	"$build/deadfall" report "$dump/capsule" --format json -o "$dir/capsule.json" && jq -e ".match.rule == \"soak-$1\"" "$dir/capsule.json"
}

fell_back() {
	jq -e '.earlier_targets | test("vdc")' "$status"
}

one_crash() {
	local i=$1 lane=$2 rule fault target before start=$SECONDS images= file
	dump= status=
	rule=${rules[i % ${#rules[@]}]} fault=${faults[i % ${#faults[@]}]} target=${targets[i % ${#targets[@]}]}
	for file in ext4 raw victim xfs; do
		images+=" -drive file=$(realpath "$lane/$file.img"),format=raw,if=virtio,cache=unsafe"
	done
	before=$(date -u +%Y%m%d%H%M%S)
	limit=400 run_vm "crash-$i" --disk 0 --kernel "$series" --qemu-args "$images" --mem 768M --module xfs \
		--copy "$work/rules/soak-$rule.yaml" $([ "$fault" = none ] || echo "--copy $work/makedumpfile-$fault --copy $work/empty:/root/bin/empty") \
		-- "$(guest "$target" "$fault" "$rule")"
	check "$i: soak-$rule, $target, makedumpfile $fault: the machine came back" same no-vmcore "$(jq -r .outcome "$dir/result.json")"
	take_dump "$lane" "$target"
	check "$i: there is a new dump" newer_than "$before"
	check "$i: the report opens its capsule" capsule_opens "$rule"
	check "$i: a vmcore, or a status that says why not" vmcore_or_reason
	[ "$target" != fallback ] || check "$i: the second target took it" fell_back
	echo "# $i soak-$rule $target $fault: $(jq -r '.result' "$status"), capsule $(stat -c %s "$dump/capsule"), vmcore" \
		"$(stat -c %s "$dump/vmcore" 2>/dev/null || echo -), $((SECONDS - start)) s"
	rm -rf "$dir/dump" "$dir/copy"
}

one_lane() {
	make_disks "$work/lane$1"
	for ((i = ${FIRST:-0} + $1; i < ${FIRST:-0} + crashes; i += lanes)); do one_crash "$i" "$work/lane$1"; done
	rm -f "$work/lane$1"/*.img
}

mkdir -p "$work"
echo >"$work/empty"
command -v mkfs.xfs >/dev/null || { echo 'Bail out! mkfs.xfs is not installed: contrib/deps soak'; exit 1; }
write_rules
write_faults || exit 1
for ((lane = 0; lane < lanes; lane++)); do
	one_lane "$lane" >"$work/lane$lane.tap" &
done
wait
cat "$work"/lane*.tap
cat "$work"/lane*.tap | sed -n 's/.*: \(complete\|partial\|failed\|running\), capsule.*/\1/p' | sort | uniq -c | sed 's/^/# /'
tests=$(grep -cE '^(not )?ok' <(cat "$work"/lane*.tap))
echo "1..$tests"
