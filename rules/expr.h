/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expr.h - expressions of the rule language, as a tree.
 *
 * parse.c makes the tree from text (types NULL); check.c resolves names against the event and BTF, inserts C's
 * conversions as EXPR_CAST nodes, folds constants, and fills `type`. After checking:
 *
 *  - operands of an arithmetic or comparison operator have one common type (C's usual conversions), and the value
 *    of a node is always that of its type: a u32 is zero-extended, an s32 sign-extended to 64 bits;
 *  - an expression is an lvalue (it names kernel memory: EXPR_MEMBER, EXPR_INDEX, EXPR_DEREF) or a value;
 *    an array or struct lvalue used as a value stands for its address, except where a string is wanted;
 *  - strings are compared by EXPR_STRCMP nodes only; `where` and other conditions are of TYPE_BOOL. Both operands
 *    of EXPR_STRCMP are of TYPE_STR: char arrays and pointers stand in an EXPR_CALL of FUNC_STR or FUNC_USTR;
 *  - division by zero gives unknown; a shift count is taken modulo the width (constants are refused).
 */
#ifndef RULES_EXPR_H
#define RULES_EXPR_H

#include "rules/source.h"
#include "rules/type.h"

enum expr_op {
	EXPR_NAME,	/* only before checking: an identifier (text) */
	EXPR_INT,	/* value; of an enumerator also its name: text, and its enum: member.base */
	EXPR_STR,	/* text, len */
	EXPR_PARAM,	/* $name: index = parameter number in the set */
	EXPR_SET,	/* $name that is a set, only right of `in`: index */
	EXPR_ARG,	/* argument: index = slot in event->args[]; USDT and tracepoints: likewise */
	EXPR_RETVAL,	/* return value */
	EXPR_OLD,	/* a: evaluated at the function's entry */
	EXPR_BUILTIN,	/* index = enum builtin */
	EXPR_STEP,	/* of another step of the match: index = step, value = enum step_attr, field for STEP_FIELD */
	EXPR_VAL,	/* in a guard, made by automaton_guard.c: value number index of the event */
	EXPR_KEPT,	/* likewise: register number index of the key */
	EXPR_BOUND,	/* the element that any, count or any_live looks at: index = how deep it is nested, from 0 */
	EXPR_SYMBOL,	/* &symbol: text; value resolved at load */
	EXPR_MEMBER,	/* a.member, or a->member with arrow */
	EXPR_INDEX,	/* a[b] */
	EXPR_DEREF,	/* *a */
	EXPR_ADDR,	/* &a of an lvalue; checking puts it where an array is used as a value */
	EXPR_CAST,	/* (type)a; implicit ones too. To bool: a != 0 */
	EXPR_NEG, EXPR_COMPL, EXPR_NOT,				/* -a  ~a  !a */
	EXPR_MUL, EXPR_DIV, EXPR_MOD, EXPR_ADD, EXPR_SUB,
	EXPR_SHL, EXPR_SHR,
	EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE, EXPR_EQ, EXPR_NE,
	EXPR_AND, EXPR_XOR, EXPR_OR,				/* & ^ | */
	EXPR_LAND, EXPR_LOR,					/* && || */
	EXPR_COND,	/* a ? b : c */
	EXPR_IN,	/* a in [list] or a in $set: list[nlist], or b = EXPR_SET */
	EXPR_STRCMP,	/* a == "text", glob match with is_glob; index = EXPR_EQ or EXPR_NE; b: the other string */
	EXPR_STACK_HAS,	/* kstack has "function": text, which may be "module:function" or "module:*" */
	EXPR_CALL,	/* function text with list[nlist]; index = enum func after checking */
	EXPR_SIZEOF,	/* only before checking */
	EXPR_EXISTS,	/* exists(): here it is there; asked again at load: index = enum exists, member, text */
};

/* Of EXPR_EXISTS; what is absent from the BTF that was checked against is folded to 0 with all that it guards. */
enum exists { EXISTS_TYPE, EXISTS_FIELD, EXISTS_FUNC };

enum builtin {
	BUILTIN_TASK,		/* the current struct task_struct *: task->any_field works too */
	BUILTIN_COMM,		/* task.comm (TYPE_STR 16) */
	BUILTIN_PID,		/* task.pid: process id (tgid), as users count */
	BUILTIN_TID,		/* task.tid */
	BUILTIN_UID,
	BUILTIN_GID,
	BUILTIN_CPU,
	BUILTIN_NOW,		/* ns since boot, CLOCK_MONOTONIC */
	BUILTIN_FUNC,		/* address of the probed function; compares with &symbol and "name" */
	BUILTIN_CGROUP,		/* cgroup v2 id */
	BUILTIN_KTHREAD, BUILTIN_IRQS_OFF,
	BUILTIN_IN_IRQ, BUILTIN_IN_SOFTIRQ, BUILTIN_IN_SERVING_SOFTIRQ, BUILTIN_IN_TASK,	/* as the kernel's macros */
	BUILTIN_PIDNS, BUILTIN_NETNS,	/* inode numbers */
	BUILTIN_PARENT,		/* task.parent: struct task_struct * */
	BUILTIN_KERNEL_VERSION,	/* KERNEL_VERSION() of the running kernel, known at load */
};

/* What is known of an earlier step of a match. */
enum step_attr { STEP_FIELD, STEP_COMM, STEP_PID, STEP_TID, STEP_CPU, STEP_TIME, STEP_FUNC };

enum func {
	FUNC_IS_ERR,		/* IS_ERR(p), also of an integer: the last 4095 values */
	FUNC_IS_ERR_OR_NULL,
	FUNC_CONTAINER_OF,	/* folded into a cast of (p - offset): a = p; member path for CO-RE */
	FUNC_STR,		/* str(p): string at a kernel address; ustr(p): at a user address */
	FUNC_USTR,
	FUNC_BEFORE, FUNC_AFTER,	/* before(a, b): wrap-safe (s32)(a - b) < 0 */
	FUNC_LIVE,		/* live(table, key...): value = table, list = key: is there such a live key? */
	FUNC_ANY, FUNC_COUNT,	/* any(x, elements, condition, max): a = FUNC_LIST ... or an array, b = condition, value = max */
	FUNC_LEN,		/* len(elements, max): a, value = max */
	FUNC_ANY_LIVE,		/* any_live(table, x, condition, max): value = table, b = condition, list[0] = max */
	FUNC_PER_CPU, FUNC_ABS, FUNC_MIN, FUNC_MAX,
	FUNC_SWAP,	/* bytes of the value of list[0], whose type tells how many */
	FUNC_LIST, FUNC_HLIST,	/* list(head, struct foo, member): a = address of the head, type = struct foo *, member */
	FUNC_ARRAY,		/* array(pointer, n): list[0], list[1]; type = the element */
	FUNC_FLAG,		/* flag(name): value = index of the flag in the set */
	FUNC_IN_CODE,		/* in_code(address, "function"): list[0]; text as that of EXPR_STACK_HAS */
	FUNC_KCONFIG,		/* kconfig(X): 1 where CONFIG_X is y or m; text, resolved at load */
};

/*
 * Where a member is: found in the struct (or union) `base`, through any anonymous members between. bit_off and
 * bit_size are those of the BTF that was checked against; another kernel's are found by name (CO-RE).
 */
struct member_ref {
	const struct type *base;	/* TYPE_STRUCT */
	const char *name;
	uint32_t bit_off;		/* from the beginning of base */
	uint32_t bit_size;		/* 0: not a bit-field */
};

struct field;

/* How a number was written, which gives its type. */
enum unit {
	UNIT_DECIMAL,		/* int, else long */
	UNIT_HEX,		/* also octal: int, unsigned, long, unsigned long, the first that holds it */
	UNIT_UNSIGNED,		/* suffix u */
	UNIT_LONG,		/* suffix l */
	UNIT_ULONG,
	UNIT_TIME,		/* 10s: nanoseconds, 64 bits */
	UNIT_SIZE,		/* 4K: as a decimal number */
	UNIT_VERSION,		/* 6.12: as KERNEL_VERSION() */
	UNIT_CHAR,		/* 'a': int */
};

/* There are many of them: rarely used members share their place. */
struct expr {
	enum expr_op op : 8;
	enum unit unit : 8;		/* EXPR_INT before checking: how it was written */
	bool arrow : 1;			/* EXPR_MEMBER: a is a pointer */
	bool is_glob : 1;		/* EXPR_STRCMP */
	bool parens : 1;		/* written in ( ) */
	bool user_cast : 1;		/* EXPR_CAST before checking: to a pointer to user memory (__user) */
	uint16_t depth;			/* of the tree below, 1 for a leaf */
	uint16_t cast_ptr;		/* stars after cast_name */
	struct span span;
	const struct type *type;	/* NULL before checking */
	struct expr *a, *b, *c;
	struct expr **list;
	uint32_t nlist;
	uint32_t index;
	uint64_t value;
	const char *text;
	struct member_ref member;	/* EXPR_MEMBER; before checking only .name */
	union {
		const char *cast_name;	/* before checking: text of the type of EXPR_CAST, EXPR_SIZEOF, EXPR_CALL */
		const struct field *field;	/* EXPR_STEP */
		uint32_t len;		/* EXPR_STR: of text, which may have any bytes */
	};
};

/* Limits of one expression; trees are walked recursively. */
#define EXPR_DEPTH_MAX 1000
#define EXPR_NODES_MAX 8192
#define EXPR_NEST_MAX 200

/* The name in a->name, which a span of an EXPR_MEMBER ends with. */
static inline struct span expr_member_span(const struct expr *e)
{
	return span_last_word(e->span, e->member.name);
}

static inline bool expr_is_lvalue(const struct expr *e)
{
	return e->op == EXPR_MEMBER || e->op == EXPR_INDEX || e->op == EXPR_DEREF;
}

/* Is what an lvalue names, or what a pointer points to, user memory, as far as types tell? */
bool expr_place_is_user(const struct expr *e);
bool expr_points_to_user(const struct expr *e);

#endif
