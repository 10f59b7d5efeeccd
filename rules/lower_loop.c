// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lower_loop.c - any, count and len: the elements of a list or an array, one after the other, by bpf_loop. The condition
 * becomes a function of its own, the callback, with a context on the caller's stack (enum word). What only the
 * event's own function can tell (arguments, values saved from the entry, the probe's context) is computed before the
 * outermost loop and follows the context's words: a mask of what is unknown, then the values.
 *
 * What changes begins as a number that the verifier does not know to be 0: before v6.8 (commit ab5cfac139ab "bpf: verify
 * callbacks as if they are called unknown number of times") it took a callback to run once, and what it knew of the
 * context then to be so for ever.
 */
#include "rules/lower_parts.h"

#include "lib/arena.h"

enum word {
	W_AT,		/* list: the next element; array: the first */
	W_END,		/* list: the head; array: how many elements */
	W_COUNT,	/* elements for which the condition holds */
	W_UNKNOWN,	/* is not 0 if a condition was unknown */
	W_HOW,		/* enum how */
	W_ELEMENT,	/* what the loop's name means now */
	W_OUTER,	/* the outer loop's context */
	WORDS
};

#define W_BAD WORDS		/* in the outermost loop's context: the mask ... */
#define W_CAPTURED (WORDS + 1)	/* ... and the values */

enum how { STILL, ENDED, FAULT, FOUND };

#define LOOP BPF_REG_9		/* the context, in a callback */
#define INDEX BPF_REG_7		/* number of the element, in a callback */

/* Frames of a BPF call chain are few: a hook, its dispatcher, a body, loops, and what a condition calls. */
#define NESTED_MAX 2

static int16_t word(uint32_t w)
{
	return (int16_t)(8 * w);
}

/* An array or list, and what is known of it when the rule is compiled. */
struct elements {
	const struct expr *over;
	bool is_list, is_hlist;
	const struct type *type;	/* of an array's element */
	bool values;			/* of an array: numbers and pointers, not structs */
	bool is_user;
};

static struct elements elements_of(const struct expr *over)
{
	struct elements el = { .over = over };

	if (over->op == EXPR_CALL && over->index != FUNC_ARRAY) {
		el.is_list = true;
		el.is_hlist = over->index == FUNC_HLIST;
		return el;
	}
	el.type = over->type->target;
	el.values = el.type->kind != TYPE_STRUCT;
	el.is_user = over->op == EXPR_CALL ? expr_points_to_user(over->list[0]) : expr_place_is_user(over);
	return el;
}

static void finish(struct lower *l, enum how how)
{
	ir_storei(l->f, 8, LOOP, word(W_HOW), how);
	ir_movi(l->f, BPF_REG_0, 1);
	ir_exit(l->f);
}

/* The next element of a list into the context. */
static void next_of_list(struct lower *l, const struct elements *el, uint32_t ended, uint32_t fault)
{
	static const struct type pointer = { .kind = TYPE_INT, .size = 8 };
	const struct core_access *access = lower_path(l, &el->over->member);

	ir_load(l->f, 8, IR_REG(0), LOOP, word(W_AT));
	if (el->is_hlist) {
		ir_jcci(l->f, BPF_JEQ, IR_REG(0), 0, ended);
	} else {
		ir_load(l->f, 8, BPF_REG_0, LOOP, word(W_END));
		ir_jcc(l->f, BPF_JEQ, IR_REG(0), BPF_REG_0, ended);
	}
	ir_mov(l->f, IR_REG(1), IR_REG(0));
	ir_alui(l->f, BPF_SUB, IR_REG(1), (int32_t)(el->over->member.bit_off / 8));
	if (access)
		ir_last(l->f)->core = (struct ir_core){ access, BPF_CORE_FIELD_BYTE_OFFSET };
	ir_store(l->f, 8, LOOP, word(W_ELEMENT), IR_REG(1));
	/* list_head.next and hlist_node.next are the first of their structs */
	lower_read(l, &pointer, NULL, false, 0, fault);
	ir_store(l->f, 8, LOOP, word(W_AT), IR_REG(0));
}

static void next_of_array(struct lower *l, const struct elements *el, uint32_t ended, uint32_t fault)
{
	ir_load(l->f, 8, BPF_REG_0, LOOP, word(W_END));
	ir_jcc(l->f, BPF_JGE, INDEX, BPF_REG_0, ended);
	ir_mov(l->f, IR_REG(0), INDEX);
	lower_scale(l, IR_REG(0), el->type);
	ir_load(l->f, 8, IR_REG(1), LOOP, word(W_AT));
	ir_alu(l->f, BPF_ADD, IR_REG(0), IR_REG(1));
	if (el->values)
		lower_read(l, el->type, NULL, el->is_user, 0, fault);
	ir_store(l->f, 8, LOOP, word(W_ELEMENT), IR_REG(0));
}

/* One element: callback(index, context). */
static void lower_callback(struct lower *l, const struct expr *e, const struct elements *el)
{
	uint32_t ended = ir_new_label(l->f), fault = ir_new_label(l->f), yes = ir_new_label(l->f);
	uint32_t unknown = ir_new_label(l->f), on = ir_new_label(l->f);

	ir_mov(l->f, INDEX, BPF_REG_1);
	ir_mov(l->f, LOOP, BPF_REG_2);
	if (el->is_list)
		next_of_list(l, el, ended, fault);
	else
		next_of_array(l, el, ended, fault);
	ir_comment(l->f, "more than may be looked at is unknown");
	ir_jcci(l->f, BPF_JGE, INDEX, (int32_t)e->value, fault);
	if (e->b) {
		ir_line(l->f, e->b->span);
		lower_cond(l, e->b, yes, on, unknown, yes);
	}
	ir_label(l->f, yes);
	ir_load(l->f, 8, BPF_REG_1, LOOP, word(W_COUNT));
	ir_alui(l->f, BPF_ADD, BPF_REG_1, 1);
	ir_store(l->f, 8, LOOP, word(W_COUNT), BPF_REG_1);
	if (e->index == FUNC_ANY)
		finish(l, FOUND);
	ir_label(l->f, on);
	ir_movi(l->f, BPF_REG_0, 0);
	ir_exit(l->f);
	ir_label(l->f, unknown);
	ir_storei(l->f, 8, LOOP, word(W_UNKNOWN), 1);
	ir_jmp(l->f, on);
	ir_label(l->f, ended);
	finish(l, ENDED);
	ir_label(l->f, fault);
	finish(l, FAULT);
}

static const char *make_callback(struct lower *l, const struct expr *e, const struct elements *el)
{
	const char *name = arena_printf(l->arena, "df_loop_%u", l->cs->nloops++);
	struct ir_func *outer = l->f;

	l->f = ir_func_new(l->arena, name, ".text", IR_CALLBACK);
	l->f->caller = outer;
	l->f->doubts = outer->doubts;
	l->loops++;
	lower_callback(l, e, el);
	l->loops--;
	add_func(l->arena, l->cs, l->f);
	l->f = outer;
	return name;
}

/* Where the first element is, and how many there are or where the list ends. */
static void lower_start(struct lower *l, const struct elements *el, int16_t at, uint32_t fail)
{
	static const struct type pointer = { .kind = TYPE_INT, .size = 8 };
	const struct expr *over = el->over;

	if (el->is_list) {
		lower_value(l, over->a, 0, fail);
		ir_store(l->f, 8, BPF_REG_10, (int16_t)(at + word(W_END)), IR_REG(0));
		lower_read(l, &pointer, NULL, false, 0, fail);
	} else if (over->op == EXPR_CALL) {
		lower_value(l, over->list[1], 0, fail);
		ir_store(l->f, 8, BPF_REG_10, (int16_t)(at + word(W_END)), IR_REG(0));
		lower_value(l, over->list[0], 0, fail);
	} else {
		lower_address(l, over, 0, fail);
		ir_movi(l->f, BPF_REG_0, over->type->nelems);
		ir_store(l->f, 8, BPF_REG_10, (int16_t)(at + word(W_END)), BPF_REG_0);
	}
	ir_store(l->f, 8, BPF_REG_10, (int16_t)(at + word(W_AT)), IR_REG(0));
}

/* Does only the event's own function know it? */
static bool is_outside(const struct expr *e)
{
	switch (e->op) {
	case EXPR_ARG:
	case EXPR_RETVAL:
	case EXPR_OLD:
	case EXPR_STACK_HAS:
	case EXPR_VAL:
	case EXPR_KEPT:
		return true;
	case EXPR_BUILTIN:
		return e->index == BUILTIN_FUNC || e->index == BUILTIN_IRQS_OFF;
	case EXPR_BOUND:
		return e->member.name;		/* of any_live's key */
	default:
		return false;
	}
}

static uint32_t find_captured(const struct lower *l, const struct expr *e)
{
	uint32_t i;

	for (i = 0; i < l->ncaptured; i++) {
		const struct expr *c = l->captured[i];

		if (c == e || (c->op == EXPR_ARG && e->op == EXPR_ARG && c->index == e->index))
			break;
	}
	return i;
}

static void collect(struct lower *l, const struct expr *e)
{
	if (!e)
		return;
	if (is_outside(e)) {
		if (find_captured(l, e) < l->ncaptured)
			return;
		if (l->ncaptured == CAPTURED_MAX)
			diag_error(l->diags, TAG_TOO_BIG, e->span, "a loop's condition uses more than %d values from outside",
				   CAPTURED_MAX);
		else
			l->captured[l->ncaptured++] = e;
		return;
	}
	for (uint32_t i = 0; i < e->nlist; i++)
		collect(l, e->list[i]);
	collect(l, e->a);
	collect(l, e->b);
	collect(l, e->c);
}

/* The values that the condition of the outermost loop takes along. */
static void capture(struct lower *l, int16_t at)
{
	int16_t bad = (int16_t)(at + word(W_BAD));

	ir_storei(l->f, 8, BPF_REG_10, bad, 0);
	for (uint32_t i = 0; i < l->ncaptured; i++) {
		uint32_t fail = ir_new_label(l->f), done = ir_new_label(l->f);
		int16_t place = (int16_t)(at + word(W_CAPTURED + i));

		ir_storei(l->f, 8, BPF_REG_10, place, 0);
		lower_value(l, l->captured[i], 0, fail);
		ir_store(l->f, 8, BPF_REG_10, place, IR_REG(0));
		ir_jmp(l->f, done);
		ir_label(l->f, fail);
		ir_load(l->f, 8, BPF_REG_1, BPF_REG_10, bad);
		ir_alui(l->f, BPF_OR, BPF_REG_1, 1 << i);
		ir_store(l->f, 8, BPF_REG_10, bad, BPF_REG_1);
		ir_label(l->f, done);
	}
}

/* The context of the loop `up` levels out. */
static uint8_t context_at(struct lower *l, uint8_t reg, uint32_t up)
{
	uint8_t from = LOOP;

	for (; up; up--) {
		ir_load(l->f, 8, reg, from, word(W_OUTER));
		from = reg;
	}
	return from;
}

bool lower_captured(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	uint8_t reg = (uint8_t)IR_REG(depth), from;
	uint32_t i;

	if (!l->loops || !is_outside(e))
		return false;
	i = find_captured(l, e);
	if (i == l->ncaptured)
		return true;		/* reported */
	if (expr_fails(l, e)) {
		from = context_at(l, reg, l->loops - 1);
		ir_load(l->f, 8, reg, from, word(W_BAD));
		ir_alui(l->f, BPF_AND, reg, 1 << i);
		ir_jcci(l->f, BPF_JNE, reg, 0, fail);
	}
	from = context_at(l, reg, l->loops - 1);
	ir_load(l->f, 8, reg, from, word(W_CAPTURED + i));
	return true;
}

/* 0 in a register, in a way that the verifier does not see. */
static void hidden_zero(struct lower *l, uint8_t reg, uint8_t scratch)
{
	ir_comment(l->f, "0, but the verifier does not know");
	ir_address(l->f, reg, "df_params", 0);
	ir_load(l->f, 8, reg, reg, 0);
	ir_mov(l->f, scratch, reg);
	ir_alu(l->f, BPF_SUB, reg, scratch);
}

static uint32_t context_bytes(const struct lower *l)
{
	return 8 * (WORDS + (l->loops ? 0 : 1 + l->ncaptured));
}

/* Run the loop; its context is at r10 + the result, until the frame is released. */
static int16_t lower_loop(struct lower *l, const struct expr *e, uint32_t fail)
{
	static const enum word zeros[] = { W_COUNT, W_UNKNOWN, W_HOW, W_ELEMENT };
	struct elements el = elements_of(e->a);
	const char *callback;
	int16_t at;

	if (l->loops >= NESTED_MAX)
		diag_error(l->diags, TAG_LIMIT, e->span, "loops nested more than %d deep", NESTED_MAX);
	if (!l->loops) {
		l->ncaptured = 0;
		collect(l, e->b);
	}
	at = ir_frame(l->f, context_bytes(l));
	callback = make_callback(l, e, &el);
	if (!l->loops)
		capture(l, at);
	lower_start(l, &el, at, fail);
	hidden_zero(l, BPF_REG_1, BPF_REG_2);
	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		ir_store(l->f, 8, BPF_REG_10, (int16_t)(at + word(zeros[i])), BPF_REG_1);
	if (l->loops)
		ir_store(l->f, 8, BPF_REG_10, (int16_t)(at + word(W_OUTER)), LOOP);
	else
		ir_storei(l->f, 8, BPF_REG_10, (int16_t)(at + word(W_OUTER)), 0);
	ir_movi(l->f, BPF_REG_1, e->value + 1);
	ir_func_address(l->f, BPF_REG_2, callback);
	ir_mov(l->f, BPF_REG_3, BPF_REG_10);
	ir_alui(l->f, BPF_ADD, BPF_REG_3, at);
	ir_movi(l->f, BPF_REG_4, 0);
	ir_call(l->f, BPF_FUNC_loop);
	return at;
}

/* Unknown: an element's condition was, or not all elements were seen. */
static void lower_outcome(struct lower *l, int16_t at, uint32_t fail)
{
	ir_load(l->f, 8, BPF_REG_0, BPF_REG_10, (int16_t)(at + word(W_UNKNOWN)));
	ir_jcci(l->f, BPF_JNE, BPF_REG_0, 0, fail);
	ir_load(l->f, 8, BPF_REG_0, BPF_REG_10, (int16_t)(at + word(W_HOW)));
	ir_jcci(l->f, BPF_JNE, BPF_REG_0, ENDED, fail);
}

void lower_any(struct lower *l, const struct expr *e, uint32_t yes, uint32_t no, uint32_t unknown)
{
	int16_t at = lower_loop(l, e, unknown);

	ir_load(l->f, 8, BPF_REG_0, BPF_REG_10, (int16_t)(at + word(W_HOW)));
	ir_jcci(l->f, BPF_JEQ, BPF_REG_0, FOUND, yes);
	lower_outcome(l, at, unknown);
	ir_jmp(l->f, no);
	ir_frame_release(l->f, context_bytes(l));
}

void lower_count(struct lower *l, const struct expr *e, uint32_t depth, uint32_t fail)
{
	int16_t at = lower_loop(l, e, fail);

	lower_outcome(l, at, fail);
	ir_load(l->f, 8, (uint8_t)IR_REG(depth), BPF_REG_10, (int16_t)(at + word(W_COUNT)));
	ir_frame_release(l->f, context_bytes(l));
}

/* The element of this loop or of one around it. */
void lower_bound(struct lower *l, const struct expr *e, uint32_t depth)
{
	uint8_t reg = (uint8_t)IR_REG(depth);

	if (e->member.name)
		lower_live_attr(l, e, reg);
	else
		ir_load(l->f, 8, reg, context_at(l, reg, l->loops - 1 - (e->index - l->level)), word(W_ELEMENT));
}
