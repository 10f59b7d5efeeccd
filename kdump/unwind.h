/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unwind.h - the stack of a task in a dump, from saved registers to the outermost frame.
 *
 * x86-64: kernel and module code by ORC (orc.h), generated code (BPF programs, trampolines) by the frame pointer that
 * it keeps; a return address that a return probe replaced is looked up in the task's list of them. Where that leads
 * nowhere, the stack is scanned for the next word that is a return address, and unwinding goes on there; the frame
 * found so is marked, since it may be left over from an older call. arm64: frame records (x29).
 */
#ifndef KDUMP_UNWIND_H
#define KDUMP_UNWIND_H

#include "kdump/kernel.h"
#include "lib/arena.h"

#define UNWIND_FRAMES_MAX 96

enum unwind_arch { UNWIND_X86_64, UNWIND_ARM64 };

/* How a frame was found. */
enum unwind_how {
	UNWIND_START,		/* the registers that were saved */
	UNWIND_ORC,
	UNWIND_FP,		/* by frame pointer */
	UNWIND_REGS,		/* a struct pt_regs on the stack: exception, interrupt, system call */
	UNWIND_SCAN,		/* guessed */
};

struct unwind_frame {
	uint64_t ip, sp;
	uint64_t bp;		/* frame pointer, 0: not known here */
	enum unwind_how how;
	bool after_call;	/* ip is a return address */
};

/* Registers in the order of struct pt_regs (x86-64), or x0 .. x30, sp, pc, pstate (arm64). */
#define UNWIND_REGS_MAX 34

struct unwind_regs {
	uint64_t r[UNWIND_REGS_MAX];
	size_t count;
};

extern const char *const unwind_reg_names_x86_64[];

struct unwind_stack {
	struct unwind_frame *frames;	/* innermost first */
	size_t count;
	bool user;		/* it ends at the entry from user mode ... */
	struct unwind_regs user_regs;	/* ... with these registers */
	const char *end;	/* NULL: the whole stack; else why it ends early */
};

struct unwinder;

/* Never fails: what is missing shows in the stacks. */
struct unwinder *unwinder_open(struct kernel *k, struct arena *a);

enum unwind_arch unwinder_arch(const struct unwinder *u);

/* A stack from registers. task: struct task_struct, for replaced return addresses; may be 0. */
void unwind_regs(struct unwinder *u, uint64_t task, const struct unwind_regs *regs, struct unwind_stack *ret);

/* The stack of a task that does not run. Fails when the place where it was switched out cannot be read. */
int unwind_sleeping(struct unwinder *u, uint64_t task, struct unwind_stack *ret, struct err *err);

/* Instruction and stack pointer among registers. */
uint64_t unwind_ip(const struct unwinder *u, const struct unwind_regs *regs);
uint64_t unwind_sp(const struct unwinder *u, const struct unwind_regs *regs);

#endif
