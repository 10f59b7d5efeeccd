# shellcheck shell=bash disable=SC2034,SC2154 # the parts of vm share its variables
# SPDX-License-Identifier: GPL-2.0-or-later
# result.sh - after the machine has ended: what happened, the dump off its disk, the reports, result.json.

# status_of WORD: the rest of the guest's last status line that starts with WORD; 1 if there is none.
status_of() {
	sed -n "s/^$1\( \|\$\)//p" "$out/status" 2>/dev/null | tail -n 1
}

has_status() {
	grep -qE "^$1( |\$)" "$out/status" 2>/dev/null
}

# take_from_disk: pulls out the newest dump folder and what init left, without mounting (so without privilege).
take_from_disk() {
	local files=$work/disk name
	[ "$disk" = 1 ] && [ -f "$out/disk.img" ] || return 0
	PATH=$PATH:/usr/sbin:/sbin
	mkdir "$files"
	e2fsck -fy "$out/disk.img" >"$work/e2fsck.log" 2>&1
	debugfs -R "rdump / $files" "$out/disk.img" >"$work/debugfs.log" 2>&1
	for name in status.json dmesg; do
		[ ! -s "$files/.vm/$name" ] || mv "$files/.vm/$name" "$out/$name"
	done
	rmdir "$files/out" 2>/dev/null
	[ ! -d "$files/out" ] || mv "$files/out" "$out/out"
	dump_name=$(find "$files" -mindepth 2 -maxdepth 2 \( -name vmcore -o -name capsule \) -printf '%h\n' |
		sort | tail -n 1)
	[ -n "$dump_name" ] || return 0
	find "$dump_name" -maxdepth 1 -type f ! -name status.json -exec mv -t "$out" {} +
	[ ! -f "$dump_name/status.json" ] || mv "$dump_name/status.json" "$out/capture.json"
	dump_name=${dump_name##*/}
}

# console_of 1|2: the part of the console that is the first kernel's, or the crash kernel's: that begins where the
# clock starts again at zero.
console_of() {
	awk -v want="$1" '
		BEGIN { kernel = 1 }
		match($0, /^\[ *[0-9]+\.[0-9]+\]/) {
			now = substr($0, 2) + 0
			if (now + 1 < last) kernel = 2
			last = now
		}
		kernel == want' "$out/console.log" 2>/dev/null | tr -d '\r'
}

splat_patterns='WARNING: |BUG: |kernel BUG at |Oops: |general protection fault|stack segment: |double fault'
splat_patterns+='|divide error|Call Trace:|INFO: rcu|rcu: INFO|INFO: task .* blocked for more|KASAN: |UBSAN: '
splat_patterns+='|list_(add|del) corruption|refcount_t: |possible (circular|recursive) locking|inconsistent lock state'
splat_patterns+='|unable to handle|Kernel panic'

# find_splats: what the first kernel complained of, as a JSON array of lines. A panic on purpose (deadfall's own or
# sysrq-c) ends the search: its call trace is no complaint.
find_splats() {
	console_of 1 | sed -E '/Kernel panic - not syncing: (bpf_panic|deadfall|sysrq)/,$d' |
		grep -E "^\[ *[0-9]+\.[0-9]+\].*($splat_patterns)" | sed -E 's/^\[ *[0-9.]+\]( *\[ *[TC][0-9]+\])? //' |
		head -n 40 | jq -R . | jq -cs .
}

find_panic() {
	console_of 1 | sed -n 's/.*Kernel panic - not syncing: //p' | head -n 1
}

make_reports() {
	local dump=$out/vmcore format rc
	report_error=
	[ -s "$dump" ] || dump=$out/capsule
	if [ ! -x "$build/deadfall" ]; then
		report_error="there is no $build/deadfall: run make"
		return
	fi
	for format in text json; do
		local file=$out/report.${format/text/txt}
		timeout -k 5 120 "$build/deadfall" report "$dump" --format "$format" >"$file" 2>"$work/report.err"
		rc=$?
		[ $rc -eq 0 ] && [ -s "$file" ] && continue
		report_error="deadfall report --format $format ended with status $rc: $(tail -n 1 "$work/report.err")"
		rm -f "$file"
	done
}

# decide: sets outcome, code and message from what the guest said and what it left.
decide() {
	local failed
	failed=$(status_of fail)
	if [ -n "$failed" ]; then
		outcome=setup code=${failed%% *} message=${failed#* }
		[ "$code" != 24 ] || outcome=not-armed
	elif [ "$qemu_rc" = 124 ] || [ "$qemu_rc" = 137 ]; then
		outcome=timeout code=22 message="still running after $limit s ($(last_stage))"
	elif [ -n "$dump_name" ]; then
		decide_dump
	elif [ -n "$(console_of 2 | head -n 1)" ]; then
		outcome=no-vmcore code=25 message="the crash kernel ran, but left no dump: see console.log"
	elif ! has_status boot; then
		outcome=lost code=21 message="the kernel did not start: see console.log and qemu.log"
	elif ! has_status exit || ! has_status end; then
		outcome=lost code=21 message="the machine ended without a word ($(last_stage))${panic:+: panic: $panic}"
	elif has_status died; then
		outcome=not-armed code=24 message="deadfall run ended by itself with status $(status_of died): see deadfall.log"
	elif [ "$(status_of exit)" = 0 ]; then
		outcome=ok code=0 message="the command succeeded"
	else
		outcome=command-failed code=1 message="the command ended with status $(status_of exit)"
	fi
}

decide_dump() {
	if [ ! -s "$out/vmcore" ] || jq -e '.steps[]? | select(.name == "vmcore" and .state != "done")' \
		"$out/capture.json" >/dev/null 2>&1; then
		outcome=no-vmcore code=25 message="the machine crashed, but no whole vmcore was saved: see capture.json, console.log"
	elif rule_fired; then
		outcome=fired code=10 message="a rule fired; the dump was saved"
	else
		outcome=crashed code=23 message="the kernel crashed, but no rule had fired; the dump was saved"
	fi
}

# rule_fired: the capture or the report names the rule. Where both failed: crash_kexec, which rules call, prints
# nothing, so that a crash of an armed machine without a word is theirs.
rule_fired() {
	jq -es 'any(.[]; .rule)' "$out/capture.json" >/dev/null 2>&1 && return
	jq -es 'any(.[]; .rule)' "$out/report.json" >/dev/null 2>&1 && return
	has_status armed || return
	case $panic in '' | bpf_panic* | deadfall*) [ "$splats" = '[]' ] ;; *) false ;; esac
}

last_stage() {
	case $(tail -n 1 "$out/status" 2>/dev/null) in
	boot*) echo "while it set up" ;;
	kdump*) echo "while the rules were being armed" ;;
	armed* | disarmed*) echo "after the rules were armed" ;;
	start*) echo "while the command ran" ;;
	exit* | stopped* | died* | stuck*) echo "after the command, with status $(status_of exit)" ;;
	*) echo "before its init started" ;;
	esac
}

size_of() {
	stat -c %s "$1" 2>/dev/null || echo null
}

json_file() {
	jq -c . "$1" 2>/dev/null || echo null
}

# write_result: the whole story as one JSON object.
write_result() {
	local armed_line
	armed_line=$(grep -m 1 -E '^(dis)?armed' "$out/status" 2>/dev/null)
	jq -n --arg outcome "$outcome" --argjson exit "$code" --arg message "$message" \
		--arg release "$version" --arg image "$image" --arg accel "$accel" --arg append "$append" \
		--arg command_exit "$(status_of exit)" --arg deadfall_exit "$(status_of stopped)$(status_of died)" \
		--arg armed "$armed_line" --arg dump "$dump_name" --argjson vmcore "$(size_of "$out/vmcore")" \
		--argjson capsule "$(size_of "$out/capsule")" --argjson capture "$(json_file "$out/capture.json")" \
		--arg report_error "${report_error-}" --argjson reported "$([ -s "$out/report.json" ] && echo true || echo false)" \
		--arg panic "$panic" --argjson splats "${splats:-[]}" --arg boot "$(status_of boot)" \
		--argjson prepare_ms "$((prepared - started))" --argjson vm_ms "$((ended - prepared))" \
		--argjson total_ms "$(($(now_ms) - started))" '
		def opt: if . == "" then null else . end;
		def num: if . == "" then null else tonumber end;
		{outcome: $outcome, exit: $exit, message: $message,
		 kernel: {release: $release, image: $image, booted: ($boot | split(" ")[0]), append: $append}, accel: $accel,
		 command: $ARGS.positional, command_exit: ($command_exit | num),
		 armed: ($armed | startswith("armed")), armed_line: ($armed | opt), deadfall_exit: ($deadfall_exit | num),
		 dump: (if $dump == "" then null else
			{name: $dump, vmcore_bytes: $vmcore, capsule_bytes: $capsule, capture: $capture} end),
		 report: {made: $reported, error: ($report_error | opt)},
		 panic: ($panic | opt), splats: $splats,
		 ms: {prepare: $prepare_ms, vm: $vm_ms, total: $total_ms}}' --args -- "${command[@]}" >"$out/result.json"
}
