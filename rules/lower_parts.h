/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lower_parts.h - what the files that lower expressions share; the rest of the compiler needs only lower.h.
 *
 *	lower.c		one body: an event from "the probe was hit" to "the engine has it"
 *	lower_set.c	the bodies of a set, in functions and programs
 *	lower_expr.c	values: registers, arithmetic with C's widths
 *	lower_arg.c	arguments and return values, wherever the hook has them
 *	lower_saved.c	values of a function's entry for its return
 *	lower_read.c	lvalues and reads
 *	lower_cond.c	conditions as jumps
 *	lower_in.c	membership: lists and sets
 *	lower_text.c	strings, stacks
 *	lower_call.c	names and functions of the language, what is known at load
 *	lower_loop.c	any, count, len
 *	lower_live.c	live, any_live
 */
#ifndef RULES_LOWER_PARTS_H
#define RULES_LOWER_PARTS_H

#include "rules/lower.h"

/* One body, into l->f; ends by jumping to `end`. Keys have key_parts parts, zeros behind their own. */
void lower_body(struct lower *l, uint32_t key_parts, uint32_t end);

bool lower_is_signed(const struct type *t);

/* Bring the low bits of a register to the width and signedness of a type. */
void lower_narrow(struct ir_func *f, uint8_t reg, const struct type *t);

/* What is not 0 becomes 1. */
void lower_truth(struct ir_func *f, uint8_t reg);

/* A number that is the same on all kernels; enumerators are looked up on the target. */
bool lower_is_fixed(const struct expr *e);

/* One that an instruction can hold. */
bool lower_fits_imm(const struct expr *e);

/* An operand: the value of an expression, or its address. */
struct operand {
	const struct expr *e;
	bool address;
};

void lower_operand(struct lower *l, const struct operand *o, uint32_t depth, uint32_t fail);

/*
 * Both of two operands, in registers *left and *right: two of IR_REG(depth), IR_REG(depth + 1) and r0. The one that
 * needs more is computed first, so that a deep tree needs little stack; neither has effects.
 */
void lower_pair(struct lower *l, const struct operand *a, const struct operand *b, uint32_t depth, uint32_t fail,
		uint8_t *left, uint8_t *right);

/*
 * The helper that reads where a pointer points: the kernel's memory; at probes of user space, whose arguments are mere
 * numbers, the user's or the kernel's, as the address tells.
 */
uint32_t lower_reader(const struct lower *l);

/*
 * Read memory: IR_REG(depth) holds the address, and the value after. access NULL: the type's own size; else sizes
 * and shifts come from the target kernel.
 */
void lower_read(struct lower *l, const struct type *t, const struct core_access *access, bool is_user, uint32_t depth,
		uint32_t fail);
void lower_lvalue(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);

/* A struct that the target kernel may lay out in another way, found there by its name. */
bool lower_has_name(const struct type *t);

void lower_in(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown);

/* The number by which a text is kept from one event, or from the entry, for another (DF_HASH_WORD). */
void lower_text_hash(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);

void lower_strcmp(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown);
void lower_stack_has(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown);

/* A condition as a value: 1 or 0. */
void lower_bool(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);

void lower_builtin(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);
void lower_symbol(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);
void lower_exists(struct lower *l, const struct expr *e, uint32_t depth);
void lower_call(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);
/* Functions that are conditions: IS_ERR, before ...; false if this one is none. */
bool lower_call_cond(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown);

/* Jump on the result of a call to the runtime in r0: negative unknown, 0 no, else yes. */
void lower_answer(struct lower *l, uint32_t yes, uint32_t no, uint32_t unknown);

/* reg *= size of the type, on the target. */
void lower_scale(struct lower *l, uint8_t reg, const struct type *t);

/* The access to "a.b.c" in a struct; NULL if its place cannot move, or the path is not known. */
const struct core_access *lower_path(struct lower *l, const struct member_ref *path);

void lower_any(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown);
void lower_count(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);
void lower_bound(struct lower *l, const struct expr *e, uint32_t depth);
/* In a loop's condition, a value that was computed before the loop; false: it is none, or the code is in no loop. */
bool lower_captured(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail);

void lower_live(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown);
void lower_any_live(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown);
/* In any_live's condition: what x.NAME is of the key that is looked at. */
void lower_live_attr(struct lower *l, const struct expr *e, uint8_t reg);

/* A word of df_late into a register. */
void lower_late(struct lower *l, uint8_t reg, enum late_kind kind, const char *name, struct span span);

#endif
