// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * inject - functions to probe, called on demand: what is written to /proc/inject, a command a line.
 *
 *	a KEY VALUE	inject_a(key, value); likewise b, c, d
 *	r KEY VALUE	inject_r(key, value), which returns the value
 *	nest KEY VALUE	inject_outer(key, value): calls inject_r(key, value) inside, returns the value
 *	many KEY N	inject_d(KEY, 0), inject_d(KEY + 1, 0), ... N times
 *	each KEY N	inject_a(KEY, 0), inject_a(KEY + 1, 0), ... N times
 *	ms N		sleeps, interruptibly, so long
 *	wait KEY N	inject_a(key, 0), then N ms asleep in inject_wait, then inject_b(key, 0)
 *	swap KEY VALUE	inject_swap(cell, value): puts it into cell->value, which was 5, and returns the 5
 *	rec KEY N	inject_rec(key, N): calls itself N times, each with one less; returns N
 *	eight KEY VALUE	inject_eight(1, 2, 3, 4, 5, 6, key, value)
 *	box KEY VALUE	inject_box({1, 2, 3}, key, value): the struct lies on the stack; returns the value
 *	warn KEY	WARN()
 *	oops KEY	writes to address 8
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>

#define PROBED noinline __attribute__((noipa, used))

static volatile long sink;

PROBED void inject_a(unsigned long key, long value)
{
	sink += key + value;
}

PROBED void inject_b(unsigned long key, long value)
{
	sink -= key + value;
}

PROBED void inject_c(unsigned long key, long value)
{
	sink ^= key + value;
}

PROBED void inject_d(unsigned long key, long value)
{
	sink += key ^ value;
}

PROBED long inject_r(unsigned long key, long value)
{
	sink += key;
	return value;
}

PROBED long inject_outer(unsigned long key, long value)
{
	long ret = inject_r(key, value);

	sink += ret;
	return value;
}

PROBED void inject_wait(unsigned long key, unsigned long ms)
{
	inject_a(key, 0);
	msleep(ms);
	inject_b(key, 0);
}

static void inject_many(unsigned long key, long n)
{
	for (long i = 0; i < n; i++) {
		inject_d(key + i, 0);
		cond_resched();
	}
}

static void inject_each(unsigned long key, long n)
{
	for (long i = 0; i < n; i++) {
		inject_a(key + i, 0);
		cond_resched();
	}
}

struct inject_cell {
	unsigned long key;
	long value;
};

PROBED long inject_swap(struct inject_cell *cell, long value)
{
	long old = cell->value;

	cell->value = value;
	return old;
}

PROBED long inject_rec(unsigned long key, long depth)
{
	if (depth > 0)
		sink += inject_rec(key, depth - 1);
	return depth;
}

PROBED long inject_eight(int a, int b, int c, int d, int e, int f, unsigned long key, long value)
{
	sink += a + b + c + d + e + f;
	return (long)key + value;
}

struct inject_box {
	unsigned long side[3];
};

PROBED long inject_box(struct inject_box box, unsigned long key, long value)
{
	sink += box.side[2] + key;
	return value;
}

PROBED void inject_oops(unsigned long key)
{
	sink += key;
	*(volatile int *)8 = 1;
}

static void more(const char *verb, unsigned long key, long value)
{
	struct inject_cell cell = { key, 5 };

	if (!strcmp(verb, "swap"))
		inject_swap(&cell, value);
	else if (!strcmp(verb, "rec"))
		inject_rec(key, value);
	else if (!strcmp(verb, "eight"))
		inject_eight(1, 2, 3, 4, 5, 6, key, value);
	else if (!strcmp(verb, "box"))
		inject_box((struct inject_box){ { 1, 2, 3 } }, key, value);
	else if (!strcmp(verb, "warn"))
		WARN(1, "inject: key %lu\n", key);
	else if (!strcmp(verb, "oops"))
		inject_oops(key);
}

static void command(const char *verb, unsigned long key, long value)
{
	if (!strcmp(verb, "a"))
		inject_a(key, value);
	else if (!strcmp(verb, "b"))
		inject_b(key, value);
	else if (!strcmp(verb, "c"))
		inject_c(key, value);
	else if (!strcmp(verb, "d"))
		inject_d(key, value);
	else if (!strcmp(verb, "r"))
		inject_r(key, value);
	else if (!strcmp(verb, "nest"))
		inject_outer(key, value);
	else if (!strcmp(verb, "many"))
		inject_many(key, value);
	else if (!strcmp(verb, "each"))
		inject_each(key, value);
	else if (!strcmp(verb, "ms"))
		msleep(key);
	else if (!strcmp(verb, "wait"))
		inject_wait(key, value);
	else
		more(verb, key, value);
}

static ssize_t inject_write(struct file *file, const char __user *user, size_t count, loff_t *pos)
{
	char text[64], verb[8];
	size_t len = min(count, sizeof(text) - 1);
	unsigned long key = 0, used;
	long value = 0;

	if (copy_from_user(text, user, len))
		return -EFAULT;
	text[len] = '\0';
	used = strcspn(text, "\n");
	text[used] = '\0';
	if (sscanf(text, "%7s %lu %ld", verb, &key, &value) >= 1)
		command(verb, key, value);
	return min(used + 1, len);
}

static const struct proc_ops inject_ops = { .proc_write = inject_write };

static int __init inject_init(void)
{
	return proc_create("inject", 0600, NULL, &inject_ops) ? 0 : -ENOMEM;
}

static void __exit inject_exit(void)
{
	remove_proc_entry("inject", NULL);
}

module_init(inject_init);
module_exit(inject_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("functions to probe, called on demand");
