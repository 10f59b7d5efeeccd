// SPDX-License-Identifier: GPL-2.0-or-later
/* widget.c - a module in miniature, for the tests of the compiler: its BTF is widget.btf. */
typedef unsigned int u32;
typedef unsigned long long u64;

struct task_struct {
	int pid;
	char comm[16];
};

struct widget {
	u32 id;
	u32 len;
	struct task_struct *owner;
	const char *label;
	u64 stamps[4];
};

struct elsewhere {
	int found;
};

enum two { SHARED_NAME = 2, WIDGET_IDLE = 7 };

struct widget *widget_alloc(u32 len)
{
	return (struct widget *)(u64)len;
}

void widget_free(struct widget *w)
{
	w->len = 0;
}

int widget_use(struct widget *w, u32 how, enum two two)
{
	return (int)how + two;
}

int widget_scan(struct elsewhere *e)
{
	return e->found;
}
