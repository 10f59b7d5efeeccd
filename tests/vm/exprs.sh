#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every construct of expressions, evaluated in the kernel: one dry run of many rules, each with a condition of which
# we know whether it is true, false or unknown for the reads of tests/vm/exprs.c. On both kernels.
set -u
# shellcheck source=tests/vm/tap
. "$(dirname "$0")/tap"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# EXPECT CONDITION: yes, no or unknown, at kprobe:vfs_read(file, buf, count, pos) by the process df-child
conditions() {
	cat <<-'END'
	yes	task.comm == "df-child"
	no	task.comm != "df-child"
	no	task.comm == "df-chil"
	no	task.comm == "df-childs"
	no	task.comm == ""
	yes	task.comm like "df-*"
	yes	task.comm like "df-child*"
	no	task.comm like "df-children*"
	yes	task.comm like "*child"
	yes	task.comm like "d?-c*l?"
	no	task.comm like "d?-c*lx"
	yes	task.comm like "*"
	yes	task.parent.comm == "df-exprs"
	yes	arg.file->f_path.dentry->d_name.name == "deadfall-expressions.txt"
	no	arg.file->f_path.dentry->d_name.name == "deadfall-expressions.tx"
	no	arg.file->f_path.dentry->d_name.name == "deadfall-expressions.txt2"
	no	arg.file->f_path.dentry->d_name.name != "deadfall-expressions.txt"
	yes	arg.file->f_path.dentry->d_name.name like "deadfall*"
	yes	arg.file->f_path.dentry->d_name.name like "deadfall-expressio*"
	yes	arg.file->f_path.dentry->d_name.name like "*fall*press*txt"
	no	arg.file->f_path.dentry->d_name.name like "*fall*press*txtx"
	yes	arg.file->f_path.dentry->d_name.name like "????????-*"
	yes	str(arg.file->f_path.dentry->d_name.name, 9) == "deadfall"
	yes	arg.file->f_path.dentry->d_iname == arg.file->f_path.dentry->d_name.name
	yes	arg.file->f_dentry == arg.file->f_path.dentry && exists(arg.file->f_vfsmnt) && arg.file->f_dentry->d_name.len == 24
	yes	task.comm != task.parent.comm
	no	task.comm == task.parent.comm
	yes	ustr(arg.buf) == "user text of this process, longer than a short literal"
	no	ustr(arg.buf) == "user text of this process, longer than a short litera!"
	yes	ustr(arg.buf) like "user text*"
	yes	ustr(arg.buf, 10) == "user text"
	yes	arg.buf like "user text of*" && str(arg.buf, 10) == "user text"
	no	arg.buf == "user text of this process, longer than a short litera!"
	yes	*(char __user *)arg.buf == 'u' && ((struct qstr __user *)arg.buf)->hash == 0x72657375 && ((char __user *)arg.buf)[3] == 'r'
	yes	any(q, array((struct qstr __user *)arg.buf, 1), q->hash == 0x72657375) && count(b, ((struct ethhdr __user *)arg.buf)->h_dest, b == 'u') > 0
	unknown	*(char *)arg.buf == 'u'
	unknown	str(16l) == "x"
	unknown	str(16l) like "*"
	unknown	str(16l) == "a text that is too long to be compared in line"
	unknown	str(16l) == task.comm
	yes	str(16l) == "x" || arg.count == 77
	no	str(16l) == "x" && arg.count == 78
	unknown	!(str(16l) == "x")
	yes	task.comm in ["a", "b", "df-child"]
	no	task.comm in ["a", "b"]
	yes	task.pid > 1 && task.tid == task.pid
	yes	task.uid == 0 && task.gid == 0
	yes	task->pid == task.tid && task->tgid == task.pid
	yes	task.parent.pid == task->real_parent->tgid
	no	kthread
	no	irqs_off
	no	in_irq
	yes	task.cgroup > 0
	yes	cgroup == "/top.slice/in side" && task.cgroup != "/top.slice/in sid"
	no	cgroup == "/top.slice" || cgroup == "/in side" || cgroup == "/" || cgroup == "/top.slice/in side/more"
	yes	cgroup like "/top.slice/*" && cgroup like "/*"
	no	cgroup like "/top.slice/in side/*" || cgroup like "/in side/*"
	yes	cgroup like "/t*.slice/in s?de" && cgroup not like "/t*.slice/out*" && cgroup like "/???.slice/*"
	yes	cgroup in ["/other", "/top.slice/in side"] && cgroup not in ["/other", "/top.slice"]
	yes	task.parent.uid == 0 && task.parent.gid == 0 && !task.parent.kthread && task.parent.netns == netns
	yes	task.parent.cgroup == task.cgroup && task.parent.parent.kthread == 0
	yes	REQ_FUA == 1u << __REQ_FUA && (REQ_SYNC & REQ_FUA) == 0 && REQ_SYNC != 0
	yes	in_task && !in_softirq && !in_serving_softirq && !in_hardirq
	no	kstack has "widget:*"
	yes	in_code(&vfs_read, "vfs_read") && in_code((u64)&vfs_read + 3, "vfs_read") && in_code(func, "vfs_read")
	no	in_code(&vfs_read, "vfs_write") || in_code(arg.file, "vfs_read") || in_code(0l, "vfs_read") || in_code(func, "widget:*")
	unknown	in_code(*(long *)16, "vfs_read")
	yes	in_code(arg.file->f_op->llseek, "vfs_read") == false
	yes	netns == task->nsproxy->net_ns->ns.inum
	yes	pidns == 4026531836
	yes	now > 1s && cpu < 2
	yes	func == "vfs_read"
	yes	func == &vfs_read
	no	func == &vfs_write
	yes	exists(vfs_read)
	yes	exists(struct file) && exists(struct file.f_path.dentry)
	yes	kernel_version >= 6.1 && kernel_version < 7.0
	yes	kstack has "ksys_read"
	no	kstack has "ksys_write"
	yes	kstack has "do_syscall_64" && !(kstack has "vfs_write")
	yes	arg.count in [1, 2, 3, 77]
	no	arg.count in [1, 2, 3, 78]
	yes	arg.count in [1, 5, 9, 11, 15, 22, 77, 80, 0x123456789, 99, 100]
	no	arg.count in [1, 5, 9, 11, 15, 22, 78, 80, 0x123456789, 99, 100]
	yes	arg.count in [1, arg.count + 1, arg.count]
	unknown	arg.count in [1, *(int *)16]
	yes	arg.count in [*(int *)16, 77]
	yes	*arg.pos == 100
	yes	arg.pos[0] == 100
	yes	before(1, 2) && after(2, 1) && !before(2, 2)
	yes	before((u32)0xfffffff0 + (u32)arg.count, (u32)arg.count)
	yes	min(arg.count, 5) == 5 && max(arg.count, 5) == 77 && abs((int)arg.count - 80) == 3
	yes	IS_ERR((void *)-12) && !IS_ERR(arg.file)
	yes	container_of(&arg.file->f_path, struct file, f_path) == arg.file
	yes	container_of(&arg.file->f_path.dentry, struct file, f_path.dentry) == arg.file
	yes	(arg.file->f_flags & 3) == 2
	yes	arg.file->f_inode->i_mode == 0100640
	yes	(arg.file->f_inode->i_mode & 0170000) == 0x8000
	yes	arg.file->f_inode->i_size == 4096
	unknown	arg.count / (arg.count - 77) == 1
	unknown	arg.count % (arg.count - 77) == 1
	yes	(-(int)arg.count) / 2 == -38 && (-(int)arg.count) % 2 == -1
	yes	arg.count > 70 ? arg.count == 77 : *(int *)16 == 1
	unknown	*(int *)16 == 1
	unknown	*(int *)0xffffffffffe00010 == 1
	unknown	*(int *)0x1234567800000000 == 1
	unknown	*(long *)task->mm->start_code != 0
	yes	*(u8 *)&arg.file->f_inode->i_size == 0 && *((u8 *)&arg.file->f_inode->i_size + 1) == 16
	yes	((struct task_struct *)task)->in_execve == 0
	yes	ntohs((u16)arg.count) == 0x4d00 && be32_to_cpu((u32)arg.count) == 0x4d000000
	yes	be64_to_cpu(arg.count) == 0x4d00000000000000 && (u16)htons(80) == 0x5000 && (u32)ipv4("1.2.3.4") == 0x04030201
	yes	S_ISREG(arg.file->f_inode->i_mode) && !S_ISDIR(arg.file->f_inode->i_mode)
	yes	file_inode(arg.file) == arg.file->f_inode && list_empty(&task->children)
	yes	test_bit(7, &arg.file->f_inode->i_mode) && !test_bit(6, &arg.file->f_inode->i_mode)
	yes	atomic_read(&task->signal->live) == 1 && refcount_read(&task->usage) > 0
	yes	this_cpu_ptr(&runqueues)->curr == task && BIT(2) == 4 && MAJOR(0x800005u) == 8 && MINOR(0x800005u) == 5
	yes	any(x, list(&task->real_parent->children, struct task_struct, sibling), x->pid == task.tid)
	yes	any(x, list(&task->real_parent->children, struct task_struct, sibling), x->comm == "df-child")
	no	any(x, list(&task->real_parent->children, struct task_struct, sibling), x->comm == "df-chilt")
	no	any(x, list(&task->children, struct task_struct, sibling), x->pid > 0)
	yes	count(x, list(&task->real_parent->children, struct task_struct, sibling), x->pid == task.tid && arg.count == 77) == 1
	yes	len(list(&task->real_parent->children, struct task_struct, sibling)) == 1
	yes	len(list(&task->children, struct task_struct, sibling)) == 0
	yes	any(d, hlist(&arg.file->f_inode->i_dentry, struct dentry, d_u.d_alias), d == arg.file->f_path.dentry)
	yes	len(hlist(&arg.file->f_inode->i_dentry, struct dentry, d_u.d_alias), 1) == 1
	yes	count(c, task->comm, c == 'd') == 2
	yes	len(task->comm) == 16 && len(task->comm, 16) == 16
	unknown	len(task->comm, 15) == 16
	unknown	len(task->comm, 15) == 15
	yes	any(c, task->comm, c == 'f', 2)
	unknown	any(c, task->comm, c == 'h', 2)
	unknown	count(c, task->comm, *(int *)16 == 1) == 0
	no	any(c, task->comm, c == 'q' && *(int *)16 == 1)
	yes	any(c, task->comm, c == 'c' || *(int *)16 == 1)
	yes	any(c, array(arg.file->f_path.dentry->d_name.name, 8), c == 'l')
	no	any(c, array(arg.file->f_path.dentry->d_name.name, 8), c == '-')
	yes	count(c, array(arg.file->f_path.dentry->d_name.name, arg.count - 69), c != 'l') == 6
	yes	len(array(arg.file->f_path.dentry->d_name.name, arg.count)) == 77
	unknown	len(array((char *)16, 4)) == 4
	unknown	len(list((struct list_head *)16, struct task_struct, sibling)) == 0
	yes	any(x, list(&task->real_parent->children, struct task_struct, sibling), any(c, x->comm, c == 'h' && x->pid == task.tid && arg.count == 77))
	no	any(x, list(&task->real_parent->children, struct task_struct, sibling), any(c, x->comm, c == 'q' && x->pid == task.tid))
	yes	count(x, list(&task->real_parent->children, struct task_struct, sibling), count(c, x->comm, c == 'd') == 2) == 1
	yes	any(x, array(&arg.file->f_inode, 1), kstack has "ksys_read" && func == &vfs_read) && !irqs_off
	END
}

# The same at a return, where retval is 77.
returns() {
	cat <<-'END'
	yes	retval == 77
	yes	retval > 0 && !IS_ERR(retval)
	no	retval < 0
	yes	old(task->comm) == "df-child" && old(task->comm) != "df-chil"
	yes	old(task->comm) == task.comm
	no	old(task->comm) != task.comm
	yes	old(task->comm) like "df-*"
	no	old(task->comm) like "*x"
	yes	old(arg.file->f_path.dentry->d_name.name) == "deadfall-expressions.txt"
	yes	old(ustr(arg.buf)) like "user text*" && old(ustr(arg.buf)) != ustr(arg.buf)
	unknown	old(str(16l)) == "x"
	END
}

# Packets that it sends to itself, at kprobe:udp_rcv(skb); now and then it is ksoftirqd that receives one.
packets() {
	cat <<-'END'
	yes	ntohs(udp_hdr(arg.skb)->dest) == 5353 && udp_hdr(arg.skb)->dest == htons(5353)
	yes	ip_hdr(arg.skb)->daddr == ipv4("127.0.0.1") && ip_hdr(arg.skb)->protocol == IPPROTO_UDP
	no	ip_hdr(arg.skb)->daddr == ipv4("127.0.0.2")
	yes	ip_hdr(arg.skb)->version == 4 && ip_hdr(arg.skb)->ihl == 5 && ntohs(ip_hdr(arg.skb)->tot_len) == 31
	yes	skb_shinfo(arg.skb)->nr_frags == 0 && arg.skb->len == 11
	yes	in_serving_softirq && in_softirq && !in_task && !in_irq
	yes	arg.skb->dev->name == "lo" && arg.skb->pkt_type == 0
	END
}

# In the module widget, at kprobe:widget:widget_alloc.
modules() {
	cat <<-'END'
	yes	kstack has "widget:*"
	yes	kstack has "widget:widget_proc_write" && kstack has "widget_proc_write"
	no	kstack has "widget:widget_free"
	yes	in_code(func, "widget:*") && in_code(func, "widget:widget_alloc") && !in_code(func, "widget:widget_free")
	yes	kstack has "vfs_write" && !(kstack has "vfs_read")
	END
}

# The same read as a system call, at tracepoint:raw_syscalls:sys_enter: an array of the record.
calls() {
	cat <<-'END'
	yes	arg.id == 0 && arg.args[2] == 77 && ustr(arg.args[1]) like "user text of*"
	no	arg.id == 0 && arg.args[2] == 78
	END
}

# The same of a read's end, over what was recorded at its beginning, `a`; unknown is no.
steps() {
	cat <<-'END'
	yes	a.comm == task.comm
	no	a.comm != task.comm
	yes	a.comm == "df-child" && a.comm != "df-chil" && a.comm != "df-child2"
	no	a.comm == "df-childs, a longer one than can be"
	yes	a.comm like "df-*" && a.comm not like "*x"
	no	a.comm like "*x"
	yes	a.comm in ["x", "df-child"]
	yes	a.comm == $name && a.comm like $pattern
	yes	a.iname == "deadfall-expressions.txt" && a.iname != a.comm
	yes	a.name == "deadfall-expressions.txt" && a.name like "*.txt"
	yes	a.name == a.iname && str(a.name, 9) == "deadfall"
	no	a.name != a.iname
	yes	a.parent != task.comm && a.parent == task.parent.comm
	yes	a.user == "user text of this process, longer than a short literal"
	no	a.user == "user text of this process, longer than a short litera!"
	no	a.bad == "x" || a.bad != "x" || a.bad like "*"
	yes	a.bad == "x" || a.tid == task.tid
	END
}

# write_rules PROBE NAME [OF]: a rule for each line of conditions, with OF as the condition of what is looked at at all
write_rules() {
	local probe=$1 name=$2 of=${3:-'task.comm == "df-child"'} expect condition n=0
	while IFS=$'\t' read -r expect condition; do
		n=$((n + 1))
		printf -- '---\ndeadfall: 1\nrule: %s-%s-%s\nevents:\n  e:\n    probe: %s\n    where: |-\n      %s && (%s)\n' \
			"$name" "$n" "$expect" "$probe" "$of" "$condition"
		printf '    fields: {who: task.comm}\nmatch: {event: e}\ncontext: {last: 1, keys: 1}\non_match: [{log: "hit"}]\n'
	done
}

conditions >"$work/conditions"
returns >"$work/returns"
packets >"$work/packets"
modules >"$work/modules"
calls >"$work/calls"
write_steps() {
	local expect condition n=0
	while IFS=$'\t' read -r expect condition; do
		n=$((n + 1))
		cat <<-END
		---
		deadfall: 1
		rule: steps-$n-$expect
		params: {name: "df-child", pattern: "df-*"}
		events:
		  a:
		    probe: kprobe:vfs_read
		    where: task.comm == "df-child" && arg.count == 77
		    key: task.tid
		    fields:
		      iname: arg.file->f_path.dentry->d_iname
		      name: arg.file->f_path.dentry->d_name.name
		      parent: task.parent.comm
		      user: ustr(arg.buf)
		      bad: str(16l)
		  b: {probe: "kretprobe:vfs_read", where: task.comm == "df-child" && retval == 77, key: task.tid}
		match:
		  sequence:
		    - a
		    - b: b
		      where: |-
		        $condition
		context: {last: 1, keys: 1}
		on_match: [log: "hit"]
		END
	done
}

steps >"$work/steps"
write_steps <"$work/steps" >"$work/steps.yaml"
cat >"$work/said.yaml" <<'END'
deadfall: 1
rule: said
events:
  e:
    probe: kprobe:udp_rcv
    where: arg.skb->len == 11
    fields: {to: ip_hdr(arg.skb)->daddr, kind: (enum pid_type)PIDTYPE_TGID, error: (long)-EIO}
match: {event: e}
on_match: [log: "sent to {to:i} by a {kind}: {error:e}, {error}"]
END
write_rules kprobe:vfs_read entry <"$work/conditions" >"$work/exprs.yaml"
write_rules kretprobe:vfs_read return <"$work/returns" >>"$work/exprs.yaml"
write_rules kprobe:udp_rcv packet 'arg.skb->len == 11' <"$work/packets" >>"$work/exprs.yaml"
write_rules kprobe:widget:widget_alloc module <"$work/modules" >>"$work/exprs.yaml"
write_rules tracepoint:raw_syscalls:sys_enter call <"$work/calls" >>"$work/exprs.yaml"

# counts KIND N: what status says of a condition: "seen hit unknown"
counts() {
	jq -r ".[0].events[] | select(.rule | startswith(\"$1-$2-\")) | \"\(.seen) \(.hit) \(.unknown)\"" "$dir/status.json"
}

is_as_expected() {
	local seen hit unknown
	read -r seen hit unknown < <(counts "$1" "$2")
	[ "$seen" -ge 10 ] || { echo "only $seen events were seen"; return 1; }
	case $3 in
	yes) same "10 0" "$hit $unknown" ;;
	no) same "0 0" "$hit $unknown" ;;
	unknown) same "0 10" "$hit $unknown" ;;
	esac
}

check_all() {
	local kind=$1 file=$2 kernel=$3 expect condition n=0
	while IFS=$'\t' read -r expect condition; do
		n=$((n + 1))
		check "$kernel: $condition is $expect" is_as_expected "$kind" "$n" "$expect"
	done <"$file"
}

step_is_as_expected() {
	same "$([ "$2" = yes ] && echo 10 || echo 0)" \
		"$(jq -r ".[0].rules[] | select(.rule == \"steps-$1-$2\") | .fires" "$dir/status.json")"
}

check_steps() {
	local expect condition n=0
	while IFS=$'\t' read -r expect condition; do
		n=$((n + 1))
		check "$1: over a step, $condition is $expect" step_is_as_expected "$n" "$expect"
	done <"$work/steps"
}

# The rules of live.yaml tell in their names what is expected: NAME-HITS-UNKNOWN.
live_rules() {
	sed -n 's/^rule: //p' tests/vm/rules/live.yaml
}

live_is_as_expected() {
	same "$(sed 's/.*-\([0-9]*\)-\([0-9]*\)$/\1 \2/' <<<"$1")" \
		"$(jq -r ".[0].events[] | select(.rule == \"$1\" and .event == \"e\") | \"\(.hit) \(.unknown)\"" "$dir/status.json")"
}

for kernel in 6.12 6.1; do
	modules=$build/vm$([ $kernel = 6.12 ] || echo -6.1)
	limit=500 run_vm "$kernel" --kernel "$kernel" --no-kdump --run-args --dry-run --rule "$work/exprs.yaml" \
		--rule "$work/steps.yaml" --rule "$work/said.yaml" --rule tests/vm/rules/live.yaml \
		--module "$modules/widget.ko" --copy "$build/vm/exprs" -- '
		mkdir -p "/sys/fs/cgroup/top.slice/in side"
		echo $$ >"/sys/fs/cgroup/top.slice/in side/cgroup.procs"
		./exprs 10'
	check "$kernel: the rules load and the program runs" same 0 "$rc"
	check_all entry "$work/conditions" "$kernel"
	check_all return "$work/returns" "$kernel"
	check_all packet "$work/packets" "$kernel"
	check_all module "$work/modules" "$kernel"
	check_all call "$work/calls" "$kernel"
	check_steps "$kernel"
	check "$kernel: addresses, enumerators and errors are said by name" \
		grep 'rule said .*: sent to 127.0.0.1 by a PIDTYPE_TGID: -EIO, -5' "$dir/deadfall.log"
	for rule in $(live_rules); do
		check "$kernel: $rule" live_is_as_expected "$rule"
	done
done
echo "1..$tests"
