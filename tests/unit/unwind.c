// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kdump/unwind.c, orc.c: stacks by unwind table, frame pointer, saved registers, return probes' lists, scanning.
 *
 * The kernel's code is at 0xffffffff81000000: outer (stack 0x10), middle (keeps a frame pointer at its entry), inner,
 * entry (registers), odd (no table); BPF code at 0xffffffffc0000000. The stack is at 0xffff800000010000.
 */
#include "tests/unit/test.h"

#include "kdump/unwind.h"
#include "tests/unit/image.h"

#define TEXT 0xffffffff81000000ull
#define BPF 0xffffffffc0000000ull
#define STACK 0xffff800000010000ull
#define IPS 0xffffffff82000000ull
#define ENTRIES 0xffffffff82001000ull
#define LOOKUP 0xffffffff82002000ull
#define TASK 0xffff800000000000ull

/* sp_reg, bp_reg, type, signal or end: as struct orc_entry has them since v6.4, or before. */
static const char now[] =
	"member orc_entry - 0 6\nmember orc_entry sp_offset 0 2\nmember orc_entry bp_offset 2 2\n"
	"member orc_entry sp_reg 4 4 0 4\nmember orc_entry bp_reg 4 4 4 4\nmember orc_entry type 4 4 8 3\n";
static const char before[] =
	"member orc_entry - 0 6\nmember orc_entry sp_offset 0 2\nmember orc_entry bp_offset 2 2\n"
	"member orc_entry sp_reg 4 4 0 4\nmember orc_entry bp_reg 4 4 4 4\nmember orc_entry type 4 4 8 2\n"
	"member orc_entry end 4 4 10 1\n";
static const char kernel_text[] =
	"symbol _stext 0xffffffff81000000\nsymbol _etext 0xffffffff81000800\n"
	"symbol __start_orc_unwind_ip 0xffffffff82000000\nsymbol __stop_orc_unwind_ip 0xffffffff82000018\n"
	"symbol __start_orc_unwind 0xffffffff82001000\nsymbol orc_lookup 0xffffffff82002000\n"
	"symbol arch_rethook_trampoline 0xffffffff81000700\n"
	"member inactive_task_frame - 0 56\nmember inactive_task_frame bp 40 8\n"
	"member inactive_task_frame ret_addr 48 8\nmember task_struct thread.sp 16 8\n"
	"member task_struct rethooks.first 24 8\nmember rethook_node llist 0 8\n"
	"member rethook_node ret_addr 8 8\nmember rethook_node frame 16 8\n"
	"code outer 0xffffffff81000000 0x100\ncode middle 0xffffffff81000100 0x100\n"
	"code inner 0xffffffff81000200 0x100\ncode entry 0xffffffff81000300 0x100\n"
	"code odd 0xffffffff81000400 0x100\ncode start 0xffffffff81000500 0x100\n"
	"code arch_rethook_trampoline 0xffffffff81000700 0x100\n"
	"code bpf_prog_1 0xffffffffc0000000 0x100 bpf\n"
	/* calls: before outer+0x20, odd+0x20, and middle+0x20 */
	"at 0xffffffff81000010 z:11 b:0xe8 d:0 z:16\nat 0xffffffff81000410 z:11 b:0xe8 d:0 z:16\n"
	"at 0xffffffff81000110 z:11 b:0xe8 d:0 z:16\nat 0xffffffff81000210 z:32\n"
	"at 0xffffffffc0000000 b:0xf3 b:0x0f b:0x1e b:0xfa b:0x55 b:0x48 b:0x89 b:0xe5 z:64\n";

struct entry {
	int sp_offset, bp_offset;
	unsigned int sp_reg, bp_reg, type;	/* type: as since v6.4 */
};

static void put_table(struct image *im, bool old)
{
	static const struct entry entries[] = {
		{ 0x18, 0, 5, 0, 2 },		/* outer */
		{ 0x20, -0x10, 5, 1, 2 },	/* middle: saved the frame pointer at CFA - 16 */
		{ 0x10, 0, 5, 0, 2 },		/* inner */
		{ 0, 0, 5, 0, 3 },		/* entry: registers on the stack */
		{ 0, 0, 0, 0, 0 },		/* odd: none */
		{ 0, 0, 0, 0, 1 },		/* start: the end */
	};
	unsigned int type, end;

	for (unsigned int i = 0; i < 6; i++) {
		const struct entry *e = &entries[i];

		type = old ? (e->type >= 2 ? e->type - 2 : 0) : e->type;
		end = old && e->type == 1;
		image_put_number(im, IPS + 4 * i, TEXT + 0x100 * i - (IPS + 4 * i), 4);
		image_put_number(im, ENTRIES + 6 * i, (uint16_t)e->sp_offset, 2);
		image_put_number(im, ENTRIES + 6 * i + 2, (uint16_t)e->bp_offset, 2);
		image_put_number(im, ENTRIES + 6 * i + 4,
				 e->sp_reg | e->bp_reg << 4 | type << 8 | end << 10, 2);
	}
	for (unsigned int i = 0; i < 9; i++)
		image_put_number(im, LOOKUP + 4 * i, i < 6 ? i : 5, 4);
}

static struct image *make(bool old)
{
	struct image *im = image_create(kernel_text);

	image_add(im, old ? before : now);
	put_table(im, old);
	image_put(im, STACK, NULL, 0x400);
	return im;
}

/* The chain inner <- middle <- outer <- entry from user mode; the frame pointer is 0x1234 in middle. */
static void put_chain(struct image *im)
{
	image_put_number(im, STACK + 0x08, TEXT + 0x120, 8);		/* inner's caller: middle */
	image_put_number(im, STACK + 0x20, 0x1234, 8);			/* CFA of middle is STACK + 0x30 */
	image_put_number(im, STACK + 0x28, TEXT + 0x20, 8);		/* outer */
	image_put_number(im, STACK + 0x40, TEXT + 0x310, 8);		/* entry; its registers are at STACK + 0x48 */
	image_put_number(im, STACK + 0x48 + 8 * 16, 0x401000, 8);
	image_put_number(im, STACK + 0x48 + 8 * 17, 0x33, 8);
}

static struct unwind_regs regs(uint64_t ip, uint64_t sp, uint64_t bp)
{
	struct unwind_regs r = { .count = 21 };

	r.r[4] = bp;
	r.r[16] = ip;
	r.r[17] = 0x10;
	r.r[19] = sp;
	return r;
}

/* Unwind and show as "ip:how ..." with ip relative to the code. */
static const char *walk(struct image *im, uint64_t task, struct unwind_regs r, struct unwind_stack *s)
{
	static const char hows[] = "-ofr?";
	static char text[2000];
	struct arena *a = arena_create(NULL, NULL);
	struct unwinder *u = unwinder_open(&im->kernel, a);
	struct err err;

	if (r.count)
		unwind_regs(u, task, &r, s);
	else
		assert_int_equal(unwind_sleeping(u, task, s, &err), 0);
	*text = '\0';
	for (size_t i = 0; i < s->count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%llx:%c", i ? " " : "",
			 (unsigned long long)s->frames[i].ip & 0xfffffff, hows[s->frames[i].how]);
	s->frames = NULL;
	arena_destroy(a);
	return text;
}

static void tables_of_both_kinds(void **state)
{
	for (int old = 0; old < 2; old++) {
		struct image *im = make(old);
		struct unwind_stack s;

		put_chain(im);
		assert_string_equal(walk(im, 0, regs(TEXT + 0x205, STACK, 0), &s),
				    "1000205:- 1000120:o 1000020:o 1000310:o");
		assert_true(s.user);
		assert_null(s.end);
		assert_int_equal(s.user_regs.r[16], 0x401000);
		assert_int_equal(s.user_regs.count, 21);
		image_destroy(&im->kernel);
	}
}

static void registers_of_an_interrupt(void **state)
{
	struct image *im = make(false);
	struct unwind_stack s;

	put_chain(im);
	/* the interrupt hit start, the outermost function: its entry ends the stack */
	image_put_number(im, STACK + 0x48 + 8 * 16, TEXT + 0x510, 8);
	image_put_number(im, STACK + 0x48 + 8 * 17, 0x10, 8);
	assert_string_equal(walk(im, 0, regs(TEXT + 0x205, STACK, 0), &s),
			    "1000205:- 1000120:o 1000020:o 1000310:o 1000510:r");
	assert_false(s.user);
	assert_null(s.end);
	image_destroy(&im->kernel);
}

static void generated_code_keeps_a_frame_pointer(void **state)
{
	struct image *im = make(false);
	struct unwind_stack s;

	image_put_number(im, STACK + 0x10, 0x5678, 8);		/* the frame: caller's frame pointer, return address */
	image_put_number(im, STACK + 0x18, TEXT + 0x510, 8);
	assert_string_equal(walk(im, 0, regs(BPF + 0x20, STACK, STACK + 0x10), &s), "20:- 1000510:f");
	assert_null(s.end);
	/* at its first instruction, before it has a frame: the return address is on top of the stack */
	image_put_number(im, STACK, TEXT + 0x510, 8);
	assert_string_equal(walk(im, 0, regs(BPF + 0x4, STACK, STACK + 0x10), &s), "4:- 1000510:f");
	image_destroy(&im->kernel);
}

static void return_probes_are_seen_through(void **state)
{
	struct image *im = make(false);
	struct unwind_stack s;

	image_put_number(im, STACK + 0x08, TEXT + 0x700, 8);	/* the trampoline in place of start+0x10 */
	image_put_number(im, TASK + 24, STACK + 0x300, 8);
	image_put_number(im, STACK + 0x300, STACK + 0x340, 8);	/* a node of another frame, then ours */
	image_put_number(im, STACK + 0x310, STACK + 0x200, 8);
	image_put_number(im, STACK + 0x348, TEXT + 0x510, 8);
	image_put_number(im, STACK + 0x350, STACK + 0x08, 8);
	assert_string_equal(walk(im, TASK, regs(TEXT + 0x205, STACK, 0), &s), "1000205:- 1000510:o");
	image_destroy(&im->kernel);
}

static void scanning_finds_calls_only(void **state)
{
	struct image *im = make(false);
	struct unwind_stack s;

	image_put_number(im, STACK + 0x10, TEXT + 0x220, 8);	/* text, but no call in front of it */
	image_put_number(im, STACK + 0x20, TEXT + 0x20, 8);	/* outer, after a call; its frame is 0x18 */
	image_put_number(im, STACK + 0x38, TEXT + 0x510, 8);
	assert_string_equal(walk(im, 0, regs(TEXT + 0x405, STACK, 0), &s), "1000405:- 1000020:? 1000510:o");
	assert_null(s.end);
	image_put_number(im, STACK + 0x20, 0, 8);
	assert_string_equal(walk(im, 0, regs(TEXT + 0x405, STACK, 0), &s), "1000405:-");
	assert_non_null(s.end);
	image_destroy(&im->kernel);
}

static void scanning_leaves_out_the_registers_that_were_saved(void **state)
{
	struct unwind_regs saved = regs(TEXT + 0x405, STACK, 0);
	struct image *im = make(false);
	struct unwind_stack s;

	saved.r[6] = TEXT + 0x120;		/* r11 held an old return address */
	for (size_t i = 0; i < saved.count; i++)
		image_put_number(im, STACK + 8 * i, saved.r[i], 8);
	image_put_number(im, STACK + 0xb0, TEXT + 0x20, 8);
	image_put_number(im, STACK + 0xc8, TEXT + 0x510, 8);
	assert_string_equal(walk(im, 0, saved, &s), "1000405:- 1000020:? 1000510:o");
	image_destroy(&im->kernel);
}

static void sleeping_tasks(void **state)
{
	struct unwind_regs none = { 0 };
	struct image *im = make(false);
	struct unwind_stack s;

	image_put_number(im, TASK + 16, STACK, 8);
	image_put_number(im, STACK + 48, TEXT + 0x510, 8);
	assert_string_equal(walk(im, TASK, none, &s), "1000510:-");
	assert_null(s.end);
	image_destroy(&im->kernel);
}

static void no_table_is_said(void **state)
{
	struct image *im = image_create(kernel_text);
	struct unwind_stack s;

	image_put(im, STACK, NULL, 0x100);
	assert_string_equal(walk(im, 0, regs(TEXT + 0x205, STACK, 0), &s), "1000205:-");
	assert_non_null(s.end);
	image_destroy(&im->kernel);
}

static void arm64_frame_records(void **state)
{
	struct image *im = image_create("vmcoreinfo NUMBER(kimage_voffset) 0xffff800010000000\n"
					"vmcoreinfo NUMBER(KERNELPACMASK) 0xff80000000000000\n");
	struct unwind_regs r = { .count = 34 };
	struct unwind_stack s;

	image_put(im, STACK, NULL, 0x100);
	image_put_number(im, STACK + 0x10, STACK + 0x40, 8);
	image_put_number(im, STACK + 0x18, 0x007fffff81000120ull, 8);	/* signed: the upper bits are not the address's */
	image_put_number(im, STACK + 0x48, TEXT + 0x20, 8);
	r.r[29] = STACK + 0x10;
	r.r[31] = STACK;
	r.r[32] = TEXT + 0x204;
	assert_string_equal(walk(im, 0, r, &s), "1000204:- 1000120:f 1000020:f");
	assert_null(s.end);
	image_put_number(im, STACK + 0x40, STACK + 0x10, 8);		/* a loop */
	assert_string_equal(walk(im, 0, r, &s), "1000204:- 1000120:f");
	assert_non_null(s.end);
	image_destroy(&im->kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_of_both_kinds),
		cmocka_unit_test(registers_of_an_interrupt),
		cmocka_unit_test(generated_code_keeps_a_frame_pointer),
		cmocka_unit_test(return_probes_are_seen_through),
		cmocka_unit_test(scanning_finds_calls_only),
		cmocka_unit_test(scanning_leaves_out_the_registers_that_were_saved),
		cmocka_unit_test(sleeping_tasks),
		cmocka_unit_test(no_table_is_said),
		cmocka_unit_test(arm64_frame_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
