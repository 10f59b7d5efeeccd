// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel.c - a kernel in miniature: its BTF (kernel.btf) is what the tests of the compiler check rules against, so that
 * they need no privilege and give the same everywhere. `make tests/data/kernel.btf` makes it anew.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;
typedef _Bool bool;
typedef long ssize_t;
typedef unsigned long size_t;
typedef long long loff_t;
typedef u8 blk_status_t;
typedef u32 gfp_t;

struct list_head {
	struct list_head *next, *prev;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
};

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID };
enum odd { ODD_NEGATIVE = -3, ODD_ZERO };
enum big : u64 { BIG_VALUE = 0x12345678 };
enum req_flag_bits { __REQ_SYNC = 11, __REQ_FUA = 17 };
enum one { SHARED_NAME = 1, ONE_OTHER };

struct kernfs_node {
	const char *name;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct task_struct {
	unsigned int __state;
	unsigned int flags;
	int prio;
	int pid;
	int tgid;
	unsigned int in_execve:1;
	unsigned int in_iowait:1;
	int signed_bits:3;
	u64 wide_bits:40;
	struct task_struct *real_parent;
	struct list_head children;
	const struct cred *cred;
	struct css_set *cgroups;
	char comm[16];
};

struct super_block {
	unsigned long s_flags;
	char s_id[32];
	struct list_head s_inodes;
};

struct inode {
	u16 i_mode;
	u32 i_flags;
	unsigned long i_ino;
	loff_t i_size;
	atomic_t i_count;
	struct super_block *i_sb;
	union {
		u32 i_nlink;
		const u32 __i_nlink;
	};
	struct {
		u64 nested;
		struct {
			int deep;
		};
	};
	enum pid_type i_kind;
	bool i_dirty;
	void *i_private;
	struct list_head i_list;
	u8 i_bytes[8];
	unsigned short i_table[4][3];
};

struct qstr {
	u32 len;
	const u8 *name;
};

struct dentry {
	struct qstr d_name;
	struct inode *d_inode;
	char d_iname[40];
};

struct file;
struct file_operations {
	ssize_t (*read)(struct file *, char *, size_t, loff_t *);
};

struct file {
	unsigned int f_flags;
	struct dentry *f_dentry;
	struct inode *f_inode;
	const struct file_operations *f_op;
	loff_t f_pos;
};

struct net {
	u64 cookie;
};

struct elsewhere;
struct holder {
	struct elsewhere *defined_in_a_module;
	__int128 huge;
	double real;
};

struct net init_net;
enum req_flag_bits flag_bits;
struct css_set init_css_set;
struct cgroup root_cgroup;
struct kernfs_node root_folder;

ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos)
{
	return (ssize_t)count + file->f_pos;
}

ssize_t vfs_write(struct file *file, const char *buf, size_t count, loff_t *pos)
{
	return (ssize_t)count;
}

int vfs_fsync(struct file *file, int datasync)
{
	return datasync;
}

int inode_permission(void *idmap, struct inode *inode, int mask)
{
	return mask;
}

int inode_sync(struct inode *inode, bool wait)
{
	return wait;
}

void inode_put(struct inode *inode)
{
	inode->i_size = 0;
}

struct inode *inode_alloc(struct super_block *sb, gfp_t gfp)
{
	return (void *)sb;
}

struct dentry *inode_odd(u64 inode)
{
	return (void *)inode;
}

enum pid_type kind_of(struct task_struct *p, enum pid_type type, enum odd odd, enum big big, enum one one)
{
	return type + odd + (int)big + (int)one;
}

blk_status_t submit(u32 len, u16 small, s64 big, bool flag)
{
	return (blk_status_t)len;
}

bool is_dead(struct task_struct *tsk, struct holder *h, struct net *net)
{
	return tsk->flags;
}

size_t name_len(const char *name, struct dentry *dentry)
{
	return (size_t)name;
}

int htab_map_update(void *map)
{
	return 0;
}

void _raw_spin_lock(void *lock)
{
}

int alpha_only(int a)
{
	return a;
}

/* Structs that are only pointed to from structs stand in BTF as declarations: here as arguments they are defined. */
int define(struct cred *cred, const struct file_operations *f_op, struct super_block *sb)
{
	return 0;
}

/* Tracepoints as they stand in BTF: one with a record of its own, two of a class. */
struct trace_entry {
	u16 type;
	int pid;
};

struct trace_event_raw_sched_switch {
	struct trace_entry ent;
	char prev_comm[16];
	int prev_pid;
	long prev_state;
	u32 __data_loc_reason;
	char __data[0];
};

struct trace_event_raw_inode_template {
	struct trace_entry ent;
	unsigned long ino;
};

void __traceiter_sched_switch(void *__data, bool preempt, struct task_struct *prev, struct task_struct *next)
{
}

void __bpf_trace_inode_template(void *__data, struct inode *inode)
{
}

void __traceiter_inode_dirty(void *__data, struct inode *inode)
{
}

typedef struct {
	unsigned long val;
} seal_t;

/* Structs that come in registers. */
int seal_entry(kuid_t owner, seal_t seal, struct list_head links)
{
	return 0;
}

/* An event of its own, with the same parameters. */
struct trace_event_raw_inode_dirty_late {
	struct trace_entry ent;
	unsigned long when;
};

void __bpf_trace_inode_dirty_late(void *__data, struct inode *inode)
{
}

void __traceiter_inode_dirty_late(void *__data, struct inode *inode)
{
}

/* Two classes, and nothing that tells which events are whose. */
struct trace_event_raw_sched_process_template {
	struct trace_entry ent;
	int pid, prio;
};

struct trace_event_raw_sched_wakeup_template {
	struct trace_entry ent;
	int pid, prio, target_cpu;
};

void __bpf_trace_sched_process_template(void *__data, struct task_struct *p)
{
}

void __bpf_trace_sched_wakeup_template(void *__data, struct task_struct *p)
{
}

void __traceiter_sched_waking(void *__data, struct task_struct *p)
{
}

void __traceiter_sched_wondering(void *__data, struct task_struct *p)
{
}

void use_classes(struct trace_event_raw_inode_dirty_late *a, struct trace_event_raw_sched_process_template *b,
		 struct trace_event_raw_sched_wakeup_template *c)
{
}

void __traceiter_inode_gone(void *__data, int reason)
{
}

void use_records(struct trace_event_raw_sched_switch *a, struct trace_event_raw_inode_template *b)
{
}

void __warn(const char *file, int line, void *caller)
{
}

void oops_enter(void)
{
}

/* In the network's byte order. */
typedef u16 __be16;
typedef u32 __be32;

struct packet {
	__be16 port;
	__be32 addr;
};

int packet_in(struct packet *packet)
{
	return packet->port;
}

struct trace_event_raw_sys_enter {
	struct trace_entry ent;
	long id;
	unsigned long args[6];
};

void __traceiter_sys_enter(void *__data, void *regs, long id)
{
}

void use_more_records(struct trace_event_raw_sys_enter *a)
{
}
