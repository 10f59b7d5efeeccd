// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * widget.c - a driver with a bug to catch: its widgets can be freed twice.
 *
 * A task drives it by writing one command to /proc/widget and reading the answer from the same open file:
 *
 *	alloc LEN	a new widget	-> "ID ADDRESS"
 *	free ID		free it; nothing stops a second task from freeing the same ID again: the bug
 *	run N		keep a hundred widgets alive, then allocate and free others N times (addresses are reused)
 *	warn		complain loudly: a splat for tests of who notices
 *	truth		where `widget_truth` lies	-> "ADDRESS SIZE"
 *
 * A run with the bug and one without it take the same paths; only who frees what differs.
 *
 * The second free is harmless: freed widgets go to a free list of our own (last in, first out, so that
 * addresses come back soon), and one that lies there already is left alone.
 *
 * `widget_truth` is what a test compares a report with: who freed the object first and second, and when. It is
 * written before widget_free() is called, since a trap on that function may never return.
 */
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#define TRUTH_MAGIC 0x6874757274676477ull /* "wdgtruth" */
#define ALIVE 100
#define AT_ONCE 8
#define IDS 1024

struct widget {
	u32 len;
	u32 id;
	struct task_struct *owner; /* who allocated it; we hold a reference */
	bool freed;
	pid_t alloc_tid, free_tid;
	u64 t_alloc, t_free;
	char free_comm[TASK_COMM_LEN];
	struct list_head link; /* in free_widgets */
	struct list_head all;
	char body[64];
};

struct widget_truth {
	u64 magic;
	void *object;
	u64 t_alloc, t_first, t_second; /* CLOCK_MONOTONIC, ns */
	s32 alloc_tid, first_free_tid, second_free_tid;
	u32 len;
	char first_comm[TASK_COMM_LEN], second_comm[TASK_COMM_LEN];
	atomic64_t allocs, frees;
};

/* What widget_alloc() and widget_free() look like to a probe: no inlining, cloning or dropped arguments. */
struct widget *widget_alloc(u32 len);
void widget_free(struct widget *w);

static struct widget_truth widget_truth = {.magic = TRUTH_MAGIC};
static struct kmem_cache *widget_cache;
static LIST_HEAD(free_widgets);
static LIST_HEAD(all_widgets);
static DEFINE_SPINLOCK(widget_lock);
static DEFINE_MUTEX(command_lock);
static struct widget *alive[ALIVE];
static struct widget *by_id[IDS];
static u32 last_id;

static struct widget *take_free(void)
{
	struct widget *w;

	spin_lock(&widget_lock);
	w = list_first_entry_or_null(&free_widgets, struct widget, link);
	if (w)
		list_del_init(&w->link);
	spin_unlock(&widget_lock);
	return w;
}

static struct widget *make_widget(void)
{
	struct widget *w = kmem_cache_zalloc(widget_cache, GFP_KERNEL);

	if (!w)
		return NULL;
	INIT_LIST_HEAD(&w->link);
	spin_lock(&widget_lock);
	list_add(&w->all, &all_widgets);
	spin_unlock(&widget_lock);
	return w;
}

__attribute__((noipa)) struct widget *widget_alloc(u32 len)
{
	struct widget *w = take_free();

	if (!w)
		w = make_widget();
	if (!w)
		return NULL;
	if (w->owner)
		put_task_struct(w->owner);
	w->owner = get_task_struct(current);
	w->len = len;
	w->freed = false;
	return w;
}

__attribute__((noipa)) void widget_free(struct widget *w)
{
	spin_lock(&widget_lock);
	if (!w->freed) {
		w->freed = true;
		list_add(&w->link, &free_widgets);
	}
	spin_unlock(&widget_lock);
}

static void note_alloc(struct widget *w)
{
	w->t_alloc = ktime_get_mono_fast_ns();
	w->alloc_tid = current->pid;
	atomic64_inc(&widget_truth.allocs);
}

static void note_second_free(const struct widget *w)
{
	struct widget_truth *t = &widget_truth;

	t->second_free_tid = current->pid;
	strscpy(t->first_comm, w->free_comm, sizeof(t->first_comm));
	strscpy(t->second_comm, current->comm, sizeof(t->second_comm));
	t->object = (void *)w;
	t->len = w->len;
	t->alloc_tid = w->alloc_tid;
	t->first_free_tid = w->free_tid;
	t->t_alloc = w->t_alloc;
	t->t_first = w->t_free;
	t->t_second = ktime_get_mono_fast_ns();
}

static void note_free(struct widget *w)
{
	atomic64_inc(&widget_truth.frees);
	if (w->freed) {
		note_second_free(w);
		return;
	}
	w->free_tid = current->pid;
	strscpy(w->free_comm, current->comm, sizeof(w->free_comm));
	w->t_free = ktime_get_mono_fast_ns();
}

/* One level between the command and the functions that rules trap, so that stacks have something to show. */
static noinline struct widget *widget_open(u32 len)
{
	struct widget *w = widget_alloc(len);

	if (w)
		note_alloc(w);
	return w;
}

static noinline void widget_release(struct widget *w)
{
	note_free(w);
	widget_free(w);
}

static int keep_alive(void)
{
	int i;

	for (i = 0; i < ALIVE; i++) {
		if (!alive[i])
			alive[i] = widget_open(16 + i);
		if (!alive[i])
			return -ENOMEM;
	}
	return 0;
}

static int run_cycle(u32 n)
{
	struct widget *w[AT_ONCE];
	int i, err = 0;

	for (i = 0; i < AT_ONCE; i++) {
		w[i] = widget_open(32 + i);
		if (!w[i])
			err = -ENOMEM;
	}
	for (i = 0; i < AT_ONCE; i++) {
		struct widget *one = w[(i + n) % AT_ONCE];

		if (one)
			widget_release(one);
	}
	return err;
}

static int do_run(u32 n)
{
	int err;
	u32 i;

	mutex_lock(&command_lock);
	err = keep_alive();
	mutex_unlock(&command_lock);
	for (i = 0; i < n && !err; i++)
		err = run_cycle(i);
	return err;
}

static int do_alloc(u32 len, char *answer, size_t size)
{
	struct widget *w = widget_open(len);

	if (!w)
		return -ENOMEM;
	mutex_lock(&command_lock);
	w->id = ++last_id;
	by_id[w->id % IDS] = w;
	mutex_unlock(&command_lock);
	snprintf(answer, size, "%u 0x%px\n", w->id, w);
	return 0;
}

static int do_free(u32 id)
{
	struct widget *w;

	mutex_lock(&command_lock);
	w = by_id[id % IDS];
	if (w && w->id == id)
		widget_release(w);
	mutex_unlock(&command_lock);
	return w && w->id == id ? 0 : -ENOENT;
}

static int run_command(const char *text, char *answer, size_t size)
{
	u32 n;

	if (sscanf(text, "alloc %u", &n) == 1)
		return do_alloc(n, answer, size);
	if (sscanf(text, "free %u", &n) == 1)
		return do_free(n);
	if (sscanf(text, "run %u", &n) == 1)
		return do_run(n);
	if (!strncmp(text, "warn", 4))
		return WARN(1, "widget: warned as asked\n") ? 0 : -EINVAL;
	if (!strncmp(text, "truth", 5)) {
		snprintf(answer, size, "0x%px %zu\n", &widget_truth, sizeof(widget_truth));
		return 0;
	}
	return -EINVAL;
}

struct session {
	char answer[64];
};

static int widget_proc_open(struct inode *inode, struct file *file)
{
	file->private_data = kzalloc(sizeof(struct session), GFP_KERNEL);
	return file->private_data ? 0 : -ENOMEM;
}

static int widget_proc_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static ssize_t widget_proc_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	struct session *s = file->private_data;
	char text[64] = "";	/* crash takes what older calls left on the stack for frames */
	int err;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, len))
		return -EFAULT;
	text[len] = '\0';
	s->answer[0] = '\0';
	err = run_command(text, s->answer, sizeof(s->answer));
	return err ? err : len;
}

static ssize_t widget_proc_read(struct file *file, char __user *to, size_t len, loff_t *pos)
{
	struct session *s = file->private_data;
	loff_t start = 0;

	return simple_read_from_buffer(to, len, &start, s->answer, strlen(s->answer));
}

static const struct proc_ops widget_proc_ops = {
	.proc_open = widget_proc_open,
	.proc_release = widget_proc_release,
	.proc_write = widget_proc_write,
	.proc_read = widget_proc_read,
};

static int __init widget_init(void)
{
	widget_cache = kmem_cache_create("widget", sizeof(struct widget), 0, SLAB_HWCACHE_ALIGN, NULL);
	if (!widget_cache)
		return -ENOMEM;
	if (!proc_create("widget", 0600, NULL, &widget_proc_ops)) {
		kmem_cache_destroy(widget_cache);
		return -ENOMEM;
	}
	return 0;
}

static void __exit widget_exit(void)
{
	struct widget *w, *next;

	remove_proc_entry("widget", NULL);
	list_for_each_entry_safe(w, next, &all_widgets, all) {
		if (w->owner)
			put_task_struct(w->owner);
		kmem_cache_free(widget_cache, w);
	}
	kmem_cache_destroy(widget_cache);
}

module_init(widget_init);
module_exit(widget_exit);
MODULE_DESCRIPTION("deadfall test: widgets that can be freed twice");
MODULE_LICENSE("GPL");
