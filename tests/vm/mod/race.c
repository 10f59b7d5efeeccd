// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * race - a race that is real and hardly ever happens: between the check that an object lives and its use lie a few
 * instructions, in which a timer may free it.
 *
 * Commands, written to /proc/race:
 *
 *	run N		check and use the object N times, while a timer frees and renews it every few milliseconds
 *	time N		only what lies between check and use, N times, interrupts on
 *	off N		the same, interrupts off
 *	burst N		the same, interrupts on, and no time between
 *
 * Reading tells of the last command: "uses N late N ticks N mean NS max NS". late: uses of an object that was free by then,
 * what a rule is to catch; mean, max: how long it took from check to use.
 *
 * From check to use: jiffies_to_usecs(77), a function of the kernel proper, then race_checked(), one of this module.
 */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#define PROBED noinline __attribute__((noipa, used))
#define TICK_NS (10 * NSEC_PER_MSEC)

static bool waits;
module_param(waits, bool, 0600);
MODULE_PARM_DESC(waits, "the init function calls race_tick() until this is cleared");

struct race_object {
	bool freed;
};

static struct race_object object;
static struct hrtimer timer;
static unsigned long uses, late, ticks;
static u64 total_ns, max_ns;
static volatile unsigned long sink;

PROBED void race_checked(struct race_object *o)
{
	sink += o->freed;
}

PROBED void race_touch(struct race_object *o, bool freed)
{
	sink += freed;
}

PROBED void race_tick(struct race_object *o)
{
	ticks++;
	WRITE_ONCE(o->freed, !o->freed);
}

static enum hrtimer_restart tick(struct hrtimer *t)
{
	race_tick(&object);
	hrtimer_forward_now(t, ns_to_ktime(TICK_NS));
	return HRTIMER_RESTART;
}

static void window(struct race_object *o)
{
	u64 begin = ktime_get_ns(), took;

	sink += jiffies_to_usecs(77);
	race_checked(o);
	took = ktime_get_ns() - begin;
	total_ns += took;
	max_ns = max(max_ns, took);
	uses++;
}

static void use(struct race_object *o)
{
	bool freed;

	if (READ_ONCE(o->freed))
		return;
	window(o);
	freed = READ_ONCE(o->freed);
	late += freed;
	race_touch(o, freed);
}

static void run(unsigned long n)
{
	hrtimer_start(&timer, ns_to_ktime(TICK_NS), HRTIMER_MODE_REL);
	while (n--) {
		use(&object);
		usleep_range(1000, 1100);
	}
	hrtimer_cancel(&timer);
	object.freed = false;
}

static void time_windows(unsigned long n, bool irqs_off, unsigned long between_us)
{
	unsigned long flags;

	while (n--) {
		if (irqs_off)
			local_irq_save(flags);
		window(&object);
		if (irqs_off)
			local_irq_restore(flags);
		if (between_us)
			usleep_range(between_us, between_us + 1000);
	}
}

static ssize_t race_write(struct file *file, const char __user *user, size_t count, loff_t *pos)
{
	char text[32], verb[8];
	size_t len = min(count, sizeof(text) - 1);
	unsigned long n;

	if (copy_from_user(text, user, len))
		return -EFAULT;
	text[len] = '\0';
	if (sscanf(text, "%7s %lu", verb, &n) != 2)
		return -EINVAL;
	uses = late = ticks = total_ns = max_ns = 0;
	if (!strcmp(verb, "run"))
		run(n);
	else
		time_windows(n, !strcmp(verb, "off"), strcmp(verb, "burst") ? 20000 : 0);
	return count;
}

static int race_show(struct seq_file *m, void *v)
{
	seq_printf(m, "uses %lu late %lu ticks %lu mean %llu max %llu\n", uses, late, ticks,
		   uses ? total_ns / uses : 0, max_ns);
	return 0;
}

static int race_open(struct inode *inode, struct file *file)
{
	return single_open(file, race_show, NULL);
}

static const struct proc_ops race_ops = {
	.proc_open = race_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
	.proc_write = race_write,
};

static int __init race_init(void)
{
	while (READ_ONCE(waits)) {
		race_tick(&object);
		msleep(50);
	}
	object.freed = false;
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer.function = tick;
	return proc_create("race", 0600, NULL, &race_ops) ? 0 : -ENOMEM;
}

static void __exit race_exit(void)
{
	remove_proc_entry("race", NULL);
}

module_init(race_init);
module_exit(race_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("a race that hardly ever happens");
