// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/unwind.h"
#include "kdump/orc.h"

#include <stdlib.h>
#include <string.h>

/* Places in struct pt_regs, x86-64. */
enum { R13 = 2, BP = 4, R10 = 7, DX = 12, DI = 14, IP = 16, CS = 17, SP = 19, NREGS = 21 };

const char *const unwind_reg_names_x86_64[] = { "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8",
						"rax", "rcx", "rdx", "rsi", "rdi", "orig_rax", "rip", "cs", "rflags",
						"rsp", "ss", NULL };

enum { ARM64_FP = 29, ARM64_SP = 31, ARM64_PC = 32 };

#define SCAN_WORDS 512
#define SCAN_PART 64
#define STACK_SIZE 16384u
#define RETHOOKS_MAX 256

struct unwinder {
	struct kernel *k;
	struct arena *arena;
	enum unwind_arch arch;
	struct orc *orc;	/* NULL: *no_orc says why */
	struct err no_orc;
	uint64_t rethook;	/* what stands for a return address while a return probe waits, or 0 */
	uint64_t pac_mask;	/* arm64: bits of a signed address */
};

/* Where unwinding stands. */
struct walk {
	struct unwinder *u;
	uint64_t task;
	struct unwind_stack *out;
	uint64_t ip, sp, bp;
	bool has_bp, signal;	/* signal: ip is where execution stopped, not a return address */
	enum unwind_how how;
	struct unwind_regs regs;	/* all of them, when count is not 0 */
};

struct unwinder *unwinder_open(struct kernel *k, struct arena *a)
{
	struct unwinder *u = arena_new(a, struct unwinder);
	char value[40];

	u->k = k;
	u->arena = a;
	if (!kernel_vmcoreinfo(k, "NUMBER(kimage_voffset)", value, sizeof(value), NULL)) {
		u->arch = UNWIND_ARM64;
		if (!kernel_vmcoreinfo(k, "NUMBER(KERNELPACMASK)", value, sizeof(value), NULL))
			u->pac_mask = strtoull(value, NULL, 0);
		return u;
	}
	u->orc = orc_open(k, a, &u->no_orc);
	if (kernel_symbol(k, "arch_rethook_trampoline", &u->rethook, NULL))
		u->rethook = 0;
	return u;
}

enum unwind_arch unwinder_arch(const struct unwinder *u)
{
	return u->arch;
}

uint64_t unwind_ip(const struct unwinder *u, const struct unwind_regs *regs)
{
	return regs->r[u->arch == UNWIND_ARM64 ? ARM64_PC : IP];
}

uint64_t unwind_sp(const struct unwinder *u, const struct unwind_regs *regs)
{
	return regs->r[u->arch == UNWIND_ARM64 ? ARM64_SP : SP];
}

static bool is_code(struct unwinder *u, uint64_t addr)
{
	struct ksym sym;

	return addr >> 63 && !kernel_symbolize(u->k, addr, &sym, NULL);
}

static bool add_frame(struct walk *w)
{
	struct unwind_stack *s = w->out;

	if (s->count == UNWIND_FRAMES_MAX) {
		s->end = "longer than what is shown";
		return false;
	}
	s->frames = arena_grow(w->u->arena, s->frames, s->count, sizeof(*s->frames));
	s->frames[s->count++] = (struct unwind_frame){ .ip = w->ip, .sp = w->sp,
						       .bp = w->has_bp ? w->bp : 0, .how = w->how,
						       .after_call = !w->signal };
	return true;
}

/* kernel/trace/rethook.c: the address that a return probe keeps for the stack slot where it stood. */
static uint64_t original_return(struct walk *w, uint64_t slot)
{
	struct kernel *k = w->u->k;
	struct kmember link;
	uint64_t node, frame, ret;

	if (!w->task || kernel_member(k, "rethook_node", "llist", &link, NULL) ||
	    kernel_field(k, w->task, "task_struct", "rethooks.first", &node, NULL))
		return 0;
	for (int i = 0; i < RETHOOKS_MAX && node; i++) {
		if (kernel_field(k, node - link.offset, "rethook_node", "frame", &frame, NULL) ||
		    kernel_field(k, node - link.offset, "rethook_node", "ret_addr", &ret, NULL))
			return 0;
		if (frame == slot && ret != w->u->rethook)
			return ret;
		if (kernel_u64(k, node, &node, NULL))
			return 0;
	}
	return 0;
}

/* The return address at `slot`; the caller's stack begins behind it. */
static bool take_return(struct walk *w, uint64_t slot, enum unwind_how how)
{
	uint64_t ip, real;

	if (kernel_u64(w->u->k, slot, &ip, NULL))
		return false;
	if (w->u->rethook && ip == w->u->rethook) {
		real = original_return(w, slot);
		ip = real ? real : ip;
	}
	if (!is_code(w->u, ip - 1) && ip != w->u->rethook)
		return false;
	w->ip = ip;
	w->sp = slot + 8;
	w->how = how;
	w->signal = false;
	w->regs.count = 0;
	return true;
}

/* Registers at `at`: what was interrupted goes on. False: it was user mode, or they cannot be read. */
static bool take_regs(struct walk *w, uint64_t at, bool partial)
{
	struct unwind_regs r = { .count = NREGS };
	uint64_t from = partial ? IP : 0;

	for (uint64_t i = from; i < NREGS; i++)
		if (kernel_u64(w->u->k, at + 8 * (i - from), &r.r[i], NULL)) {
			w->out->end = "the registers saved on the stack cannot be read";
			return false;
		}
	if (r.r[CS] & 3) {
		w->out->user = true;
		w->out->user_regs = r;
		w->out->user_regs.count = partial ? 0 : NREGS;
		return false;
	}
	w->ip = r.r[IP];
	w->sp = r.r[SP];
	if (partial) {
		r.count = 0;	/* the frame pointer is still what it was */
	} else {
		w->bp = r.r[BP];
		w->has_bp = true;
	}
	w->regs = r;
	w->how = UNWIND_REGS;
	w->signal = true;
	return true;
}

/* Does the code before a return address look like a call? */
static bool follows_call(struct unwinder *u, uint64_t ip)
{
	uint8_t c[7];

	if (kernel_read(u->k, ip - sizeof(c), c, sizeof(c), NULL))
		return false;
	if (c[2] == 0xe8)
		return true;	/* call rel32 */
	for (int i = 0; i < 6; i++)	/* call *%reg, *disp(%reg): ff /2 of 2, 3, 6 and 7 bytes */
		if (c[i] == 0xff && (c[i + 1] & 0x38) == 0x10 && (i == 5 || i == 4 || i <= 1))
			return true;
	return false;
}

/*
 * After a jump to `slot`: the frame pointer is what this function saved below it, or still points at an outer frame,
 * where functions keep none of their own.
 */
static void guess_frame_pointer(struct walk *w, uint64_t slot, uint64_t top)
{
	if (w->has_bp && w->bp == slot - 8)
		w->has_bp = !kernel_u64(w->u->k, w->bp, &w->bp, NULL);
	else
		w->has_bp = w->has_bp && w->bp > slot && w->bp < top && w->bp % 8 == 0;
}

/*
 * __crash_kexec() builds the registers that it saves on its own stack: what these held is no return address. The place
 * behind them, if they lie at sp.
 */
static uint64_t behind_saved(const struct walk *w, uint64_t sp)
{
	uint64_t saved[NREGS];

	if (w->regs.count < NREGS || kernel_read(w->u->k, sp, saved, sizeof(saved), NULL))
		return sp;
	return memcmp(saved, w->regs.r, (DI + 1) * sizeof(saved[0])) ? sp : sp + sizeof(saved);
}

/*
 * Go on at the next word on this stack that is a return address. Some functions have no unwind table on purpose,
 * __crash_kexec() is one of them (STACK_FRAME_NON_STANDARD).
 */
static bool scan(struct walk *w)
{
	uint64_t top = (w->sp | (STACK_SIZE - 1)) + 1, words[SCAN_PART], at = behind_saved(w, w->sp & ~7ull);

	for (int n = 0; n < SCAN_WORDS && at < top; n += SCAN_PART) {
		uint64_t count = (top - at) / 8 < SCAN_PART ? (top - at) / 8 : SCAN_PART;

		if (kernel_read(w->u->k, at, words, count * 8, NULL))
			return false;
		for (uint64_t i = 0; i < count; i++) {
			if (!is_code(w->u, words[i] - 1) || !follows_call(w->u, words[i]))
				continue;
			guess_frame_pointer(w, at + 8 * i, top);
			return take_return(w, at + 8 * i, UNWIND_SCAN);
		}
		at += count * 8;
	}
	return false;
}

/* Has generated code at ip set up its frame? It begins with "push %rbp; mov %rsp,%rbp", after at most 16 bytes. */
static bool has_frame(struct unwinder *u, uint64_t ip)
{
	static const uint8_t setup[] = { 0x55, 0x48, 0x89, 0xe5 };
	struct ksym sym;
	uint8_t c[32];
	size_t n;

	if (kernel_symbolize(u->k, ip, &sym, NULL))
		return true;
	n = ip - sym.start < sizeof(c) ? (size_t)(ip - sym.start) : sizeof(c);
	if (n >= sizeof(c) || kernel_read(u->k, sym.start, c, n, NULL))
		return true;
	return memmem(c, n, setup, sizeof(setup)) != NULL;
}

/* Code without unwind table: BPF programs and trampolines keep a frame pointer. */
static bool step_generated(struct walk *w)
{
	uint64_t slot = w->bp + 8, next;

	if (!has_frame(w->u, w->ip - 1))
		return take_return(w, w->sp, UNWIND_FP);
	if (!w->has_bp || w->bp < w->sp || w->bp - w->sp > STACK_SIZE || w->bp % 8)
		return false;
	if (kernel_u64(w->u->k, w->bp, &next, NULL) || !take_return(w, slot, UNWIND_FP))
		return false;
	w->bp = next;
	return true;
}

/* The caller's stack pointer by the entry. */
static bool stack_before(struct walk *w, const struct orc_entry *e, uint64_t *ret)
{
	uint64_t add = (uint64_t)(int64_t)e->sp_offset;
	const struct unwind_regs *r = &w->regs;

	switch (e->sp_reg) {
	case ORC_SP:
		*ret = w->sp + add;
		return true;
	case ORC_BP:
		*ret = w->bp + add;
		return w->has_bp;
	case ORC_SP_INDIRECT:
		if (kernel_u64(w->u->k, w->sp, ret, NULL))
			return false;
		*ret += add;
		return true;
	case ORC_BP_INDIRECT:
		return w->has_bp && !kernel_u64(w->u->k, w->bp + add, ret, NULL);
	case ORC_R10:
		*ret = r->r[R10];
		return r->count;
	case ORC_R13:
		*ret = r->r[R13];
		return r->count;
	case ORC_DI:
		*ret = r->r[DI];
		return r->count;
	case ORC_DX:
		*ret = r->r[DX];
		return r->count;
	default:
		return false;
	}
}

static void frame_pointer_before(struct walk *w, const struct orc_entry *e, uint64_t old_bp, uint64_t sp)
{
	uint64_t at;

	switch (e->bp_reg) {
	case ORC_UNDEFINED:
		return;		/* as it is */
	case ORC_PREV_SP:
		at = sp + (uint64_t)(int64_t)e->bp_offset;
		break;
	case ORC_BP:
		at = old_bp + (uint64_t)(int64_t)e->bp_offset;
		break;
	default:
		w->has_bp = false;
		return;
	}
	w->has_bp = !kernel_u64(w->u->k, at, &w->bp, NULL);
}

enum step { STEP_OK, STEP_END, STEP_LOST };

static enum step step_orc(struct walk *w, const struct orc_entry *e)
{
	uint64_t sp, bp = w->bp;

	if (e->type == ORC_END)
		return STEP_END;
	if (e->type == ORC_NONE || !stack_before(w, e, &sp))
		return STEP_LOST;
	if (e->type != ORC_CALL)
		return take_regs(w, sp, e->type == ORC_REGS_PARTIAL) ? STEP_OK : STEP_END;
	if (!take_return(w, sp - 8, UNWIND_ORC))
		return STEP_LOST;
	frame_pointer_before(w, e, bp, sp);
	return STEP_OK;
}

static enum step step(struct walk *w)
{
	struct orc_entry e;
	struct err err;

	if (w->u->orc && !orc_find(w->u->orc, w->signal ? w->ip : w->ip - 1, &e, &err))
		return step_orc(w, &e);
	if (w->u->orc && err.code != ERR_ABSENT)
		return STEP_LOST;
	return is_code(w->u, w->ip - !w->signal) && step_generated(w) ? STEP_OK : STEP_LOST;
}

static void walk_x86(struct walk *w)
{
	enum step how;
	uint64_t sp;

	while (add_frame(w)) {
		sp = w->sp;
		how = step(w);
		if (how == STEP_LOST) {
			w->sp = sp;
			how = scan(w) ? STEP_OK : STEP_LOST;
		}
		if (how == STEP_END)
			return;
		if (how == STEP_LOST) {
			w->out->end = w->u->orc ? "the caller of this frame is not known" : w->u->no_orc.msg;
			return;
		}
	}
}

/* Frame records: the caller's x29, then the return address. */
static void walk_arm64(struct walk *w)
{
	uint64_t next, lr;

	while (add_frame(w)) {
		if (!w->bp)
			return;
		if (w->bp % 8 || kernel_u64(w->u->k, w->bp, &next, NULL) || kernel_u64(w->u->k, w->bp + 8, &lr, NULL)) {
			w->out->end = "the caller of this frame is not known";
			return;
		}
		if (!lr)
			return;
		if (next && next <= w->bp && next + STACK_SIZE > w->bp) {
			w->out->end = "the frame records turn back";
			return;
		}
		w->sp = w->bp + 16;
		w->bp = next;
		w->ip = lr | w->u->pac_mask;
		w->how = UNWIND_FP;
		w->signal = false;
	}
}

static void run(struct walk *w)
{
	if (w->u->arch == UNWIND_ARM64)
		walk_arm64(w);
	else
		walk_x86(w);
}

void unwind_regs(struct unwinder *u, uint64_t task, const struct unwind_regs *regs, struct unwind_stack *ret)
{
	struct walk w = { .u = u, .task = task, .out = ret, .regs = *regs, .ip = unwind_ip(u, regs),
			  .sp = unwind_sp(u, regs), .has_bp = true, .signal = true };

	*ret = (struct unwind_stack){ 0 };
	w.bp = regs->r[u->arch == UNWIND_ARM64 ? ARM64_FP : BP];
	if (u->arch == UNWIND_X86_64 && regs->r[CS] & 3) {
		ret->user = true;
		ret->user_regs = *regs;
		return;
	}
	run(&w);
}

/* x86-64: __switch_to_asm() left a struct inactive_task_frame; arm64: the registers are in the task. */
static int switched_out(struct unwinder *u, uint64_t task, struct walk *w, struct err *err)
{
	struct kmember whole;
	uint64_t frame;

	if (u->arch == UNWIND_ARM64)
		return kernel_field(u->k, task, "task_struct", "thread.cpu_context.fp", &w->bp, err) ||
		       kernel_field(u->k, task, "task_struct", "thread.cpu_context.sp", &w->sp, err) ||
		       kernel_field(u->k, task, "task_struct", "thread.cpu_context.pc", &w->ip, err);
	if (kernel_field(u->k, task, "task_struct", "thread.sp", &frame, err) ||
	    kernel_field(u->k, frame, "inactive_task_frame", "bp", &w->bp, err) ||
	    kernel_field(u->k, frame, "inactive_task_frame", "ret_addr", &w->ip, err) ||
	    kernel_member(u->k, "inactive_task_frame", "", &whole, err))
		return -1;
	w->sp = frame + whole.size;
	return 0;
}

int unwind_sleeping(struct unwinder *u, uint64_t task, struct unwind_stack *ret, struct err *err)
{
	struct walk w = { .u = u, .task = task, .out = ret, .has_bp = true };

	*ret = (struct unwind_stack){ 0 };
	if (switched_out(u, task, &w, err))
		return -1;
	run(&w);
	return 0;
}
