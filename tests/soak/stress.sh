#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A million keys through a table of 4096, 64 rules on shared functions on two CPUs, a module that is unloaded under a
# rule, and an agent that is killed at a hundred random moments: nothing fires that should not, what is evicted is
# counted, nothing stays behind in the kernel.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/../vm/tap"
limit=${LIMIT:-1500}
kills=${KILLS:-100} keys=${KEYS:-1000000}
rules=$build/tests/$test
mkdir -p "$rules"

# One key waits for its b while a million others come and go; another one must not be taken for it.
cat >"$rules/keys.yaml" <<'EOF'
deadfall: 1
rule: keys
events:
  a: {probe: "kprobe:inject_a", key: arg.key}
  b: {probe: "kprobe:inject_b", key: arg.key}
  d: {probe: "kprobe:inject_d", key: arg.key}
match: {sequence: [a, b]}
context: {last: 4, keys: 4096}
on_match: [log: "b after a"]
EOF
for ((i = 0; i < 64; i++)); do
	[ $i -eq 0 ] || echo ---
	cat <<EOF
deadfall: 1
rule: shared-$i
events:
  d: {probe: "kprobe:inject_d", where: arg.key % 64 == $i, key: arg.key}
  a: {probe: "kprobe:inject_a", where: arg.value == $i, key: arg.key, keep: [kstack]}
match: {sequence: [a, d]}
context: {last: 4, keys: 128}
on_match: [log: "d after a"]
EOF
done >"$rules/shared.yaml"

sed 's/arg\.key/arg0/' "$rules/keys.yaml" | grep -v inject_d >"$rules/plain.yaml"

guest='
out=/var/crash/out
mkdir -p $out
pages() { # KB that each CPU keeps for itself, of what is free: nothing else in the kernel tells of them
	awk "/^ *count:/ {n += \$2} END {print n * 4}" /proc/zoneinfo
}
left() { # programs and trampolines of BPF, entries in its file system, memory: available, in slabs, vmalloc, per CPU
	sleep 5; echo 3 >/proc/sys/vm/drop_caches
	cp /proc/meminfo $out/meminfo-$1; cp /proc/slabinfo $out/slabs-$1
	echo "left $1 $(grep -c "bpf_prog_\|bpf_trampoline" /proc/kallsyms) $(ls /sys/fs/bpf | wc -l) $(awk -v more=$(pages) "
		/MemAvailable/ {print \$2 + more} /SUnreclaim|VmallocUsed|Percpu/ {print \$2}" /proc/meminfo | tr "\n" " ")"
}
agent() { # FILE...: until armed
	rm -f /tmp/agent.out
	deadfall run --dry-run --brake 0 "$@" >/tmp/agent.out 2>&1 &
	pid=$!
	until grep -q "^armed" /tmp/agent.out; do sleep 0.2; kill -0 $pid || { cat /tmp/agent.out; exit 9; }; done
}
end() { kill -INT $pid; wait $pid; }
say() { echo "$*" >/proc/inject; }

shared() {
	loops=
	for n in 1 2; do
		(i=0; while [ $i -lt 64 ]; do say a $((i + 64 * n)) $i; i=$((i + 1)); done
		 say many 1000 60000; say many $((64 * n)) 64) &
		loops="$loops $!"
	done
	wait $loops
}

# the allocator of BPF keeps what it needed once
agent keys.yaml; say many 1000 20000; end
agent shared.yaml; shared; end
left start
agent keys.yaml
say a 42
(while [ -d /proc/$pid ]; do awk "/SUnreclaim/ {print \$2}" /proc/meminfo; usleep 200000; done) >/tmp/slabs & # what is evicted is freed later
say many 1000 HALF & one=$!
say many 100000000 HALF & two=$!
wait $one; wait $two
say b 42; say b 43
sleep 1
deadfall status --json >$out/keys.json
end
echo "slabs at most $(sort -n /tmp/slabs | tail -n 1)"
left keys

agent shared.yaml
shared
sleep 1
deadfall status --json >$out/shared.json
rmmod inject; echo "rmmod while held: $?"
deadfall status | head -n 4
end
rmmod inject && insmod /usr/lib/modules/*/updates/inject.ko && echo "rmmod after: 0"
left shared

i=0
while [ $i -lt KILLS ]; do
	deadfall run --dry-run --brake 0 shared.yaml >/tmp/agent.out 2>&1 &
	pid=$!
	usleep $(($(od -An -N2 -tu2 /dev/urandom) * SPREAD))
	say many 5000 100 &
	kill -KILL $pid
	wait
	i=$((i + 1))
done 2>/dev/null
sleep 5
left killed
agent keys.yaml && say a 42 && say b 42 && sleep 1 && deadfall status --json >$out/after.json
end
left end
'
guest=${guest//HALF/$((keys / 2))}
guest=${guest//KILLS/$kills}
guest=${guest//SPREAD/${SPREAD:-60}}
printf '%s' "$guest" >"$rules/guest"

left() { # WORD FIELD
	sed -n "s/^left $1 //p" "$dir/command.log" | cut -d' ' -f"$2"
}

same_left() {
	same "$(left start 1) $(left start 2)" "$(left "$1" 1) $(left "$1" 2)"
}

slabs_within() {
	local most=$(($(sed -n 's/^slabs at most //p' "$dir/command.log") - $(left start 4)))
	echo "$most KB at most"
	[ "$most" -gt 0 ] && [ "$most" -lt "$1" ]
}

# back FIELD LIMIT: of the memory, from the start to the end; KB. MemAvailable falls, the others rise. All was done once before the
# start; what grew with each set would grow with a hundred of them.
back() {
	local more=$(($(left end "$1") - $(left start "$1")))
	[ "$1" -ne 3 ] || more=$((-more))
	echo "$more KB more"
	[ "$more" -lt "$2" ]
}

run_vm stress --timeout "$limit" --mem 2G --module "$build/vm/inject.ko" --no-kdump --copy "$rules/guest:/root/guest" \
	--copy "$rules/keys.yaml:/root/keys.yaml" --copy "$rules/shared.yaml:/root/shared.yaml" -- 'sh ./guest'
check "all of it ran" same 0 "$rc"
check "$keys keys: all were seen" holds "[.[0].events[] | select(.event == \"d\") | .hit] | add == $keys" out/keys.json
check "$keys keys: what did not fit was evicted, and counted" holds \
	"[.[0].events[] | .evicted + .full] | add >= $keys - 4096" out/keys.json
check "$keys keys: the one that waits was kept: one match, and no false one" holds '.[0].rules[0].fires == 1' out/keys.json
check "$keys keys: what lists have, and what was evicted and not yet freed, stay within 64 MB" slabs_within 65536
check "64 rules: each matched on both CPUs' keys, and nothing else did" holds \
	'.[0].rules | length == 64 and all(.fires == 2)' out/shared.json
check "64 rules: every call was seen by every rule" holds \
	'[.[0].events[] | select(.event == "d") | .seen] | unique | length == 1' out/shared.json
check "a module that a rule holds cannot be unloaded" grep -q '^rmmod while held: [^0]' "$dir/command.log"
check "... status says who holds it" grep -q 'holds module inject, which cannot be unloaded' "$dir/command.log"
check "and can be afterwards" grep -q '^rmmod after: 0' "$dir/command.log"
check "no program and no pin is left after each part" same_left keys
check "... 64 rules" same_left shared
check "... $kills kills" same_left killed
check "a new agent works, and finds its match" holds '.[0].rules[0].fires == 1' out/after.json
# where: what differs by more than 500 KB between the start and the end
paste "$dir/out/meminfo-start" "$dir/out/meminfo-end" | awk '{d = $5 - $2; if (d > 500 || d < -500) print "# " $1, d, "KB"}'
check "the memory is back: $(back 3 1 | head -n 1) than at the start" back 3 8000
check "... of lists: $(back 4 1 | head -n 1)" back 4 4000
check "... of maps: $(back 5 1 | head -n 1)" back 5 200
check "... for each CPU: $(back 6 1 | head -n 1)" back 6 200
check "the kernel complained of nothing" holds '.splats == []'

# Plain kprobes do not hold a module: it goes, and they with it.
# shellcheck disable=SC2016
run_vm unload --kernel 6.1 --timeout "$limit" --module "$build/vm-6.1/inject.ko" --no-kdump --copy "$rules/plain.yaml:/root/plain.yaml" -- '
	deadfall run --dry-run --brake 0 plain.yaml >/tmp/agent.out 2>&1 & pid=$!
	until grep -qs "^armed" /tmp/agent.out; do sleep 0.2; kill -0 $pid || { cat /tmp/agent.out; exit 9; }; done
	say() { echo "$*" >/proc/inject; }
	say a 1; say b 1
	deadfall status | grep module; rmmod inject; echo "rmmod under a rule: $?"
	insmod /usr/lib/modules/*/updates/inject.ko; say a 2; say b 2; sleep 1
	deadfall status --json >/var/crash/status.json
	kill -INT $pid; wait $pid; echo "agent: $?"'
check "6.1: all of it ran" same 0 "$rc"
check "6.1: status says that the module is not held" grep -q 'probes module inject; unloaded' "$dir/command.log"
check "6.1: a module can be unloaded under a rule" grep -q '^rmmod under a rule: 0' "$dir/command.log"
check "6.1: the rule has what it saw before, and the agent ends in order" grep -q '^agent: 0' "$dir/command.log"
check "6.1: the kernel complained of nothing" holds '.splats == []'
echo "1..$tests"
