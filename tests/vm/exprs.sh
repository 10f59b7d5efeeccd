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
	yes	((struct task_struct *)task)->in_execve == 0
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
	END
}

write_rules() {
	local probe=$1 name=$2 expect condition n=0
	while IFS=$'\t' read -r expect condition; do
		n=$((n + 1))
		printf -- '---\ndeadfall: 1\nrule: %s-%s-%s\nevents:\n  e:\n    probe: %s\n    where: |-\n      task.comm == "df-child" && (%s)\n' \
			"$name" "$n" "$expect" "$probe" "$condition"
		printf '    fields: {who: task.comm}\nmatch: {event: e}\ncontext: {last: 1, keys: 1}\non_match: [{log: "hit"}]\n'
	done
}

conditions >"$work/conditions"
returns >"$work/returns"
write_rules kprobe:vfs_read entry <"$work/conditions" >"$work/exprs.yaml"
write_rules kretprobe:vfs_read return <"$work/returns" >>"$work/exprs.yaml"

# counts KIND N: what status says of a condition: "hit unknown"
counts() {
	jq -r ".[0].events[] | select(.rule | startswith(\"$1-$2-\")) | \"\(.hit) \(.unknown)\"" "$dir/status.json"
}

is_as_expected() {
	local hit unknown
	read -r hit unknown < <(counts "$1" "$2")
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

# The rules of live.yaml tell in their names what is expected: NAME-HITS-UNKNOWN.
live_rules() {
	sed -n 's/^rule: //p' tests/vm/rules/live.yaml
}

live_is_as_expected() {
	same "$(sed 's/.*-\([0-9]*\)-\([0-9]*\)$/\1 \2/' <<<"$1")" \
		"$(jq -r ".[0].events[] | select(.rule == \"$1\" and .event == \"e\") | \"\(.hit) \(.unknown)\"" "$dir/status.json")"
}

for kernel in 6.12 6.1; do
	run_vm "$kernel" --kernel "$kernel" --no-kdump --run-args --dry-run --rule "$work/exprs.yaml" \
		--rule tests/vm/rules/live.yaml \
		--copy "$build/vm/exprs" -- ./exprs 10
	check "$kernel: the rules load and the program runs" same 0 "$rc"
	check_all entry "$work/conditions" "$kernel"
	check_all return "$work/returns" "$kernel"
	for rule in $(live_rules); do
		check "$kernel: $rule" live_is_as_expected "$rule"
	done
done
echo "1..$tests"
