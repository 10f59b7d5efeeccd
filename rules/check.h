/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.h - a rule that was read to a rule that is checked: names and types resolved against a kernel's BTF.
 *
 * check.c		rules: events, match, keys, roles, numbers
 * check_template.c	the messages of actions
 * check_expr.c		expressions: operators, conversions, strings
 * check_string.c	expressions: strings, functions in the stack
 * check_name.c		expressions: names, members, arguments, earlier steps
 * check_call.c		expressions: functions, sizeof, exists, container_of
 * check_macro.c	expressions: functions that are macros of the kernel's sources
 * check_cgroup.c	expressions: cgroups by their paths
 * check_order.c	expressions: byte order
 * check_loop.c		expressions: any, count, live: over many things
 * check_match.c		the match: roles, thresholds, guards
 * convert.c		C's conversions and constant folding
 * probe*.c		what a probe resolves to
 */
#ifndef RULES_CHECK_H
#define RULES_CHECK_H

#include "rules/deny.h"
#include "rules/diag.h"
#include "rules/kbtf.h"
#include "rules/rule.h"

#define BOUND_MAX 2

/* What && has made sure of: conditions left of the one that is checked. */
struct assumed {
	const struct expr *cond;
	const struct assumed *up;
};

struct check {
	struct arena *arena;
	struct diags *diags;
	struct kbtf *kbtf;
	struct types *types;
	struct rule_set *set;
	struct rule *rule;
	struct event *event;		/* whose probe an expression is evaluated at */
	bool in_match;			/* in a condition of the match, not of the event itself */
	uint32_t nsteps;		/* steps of the match that have happened before it */
	bool in_old;			/* inside old() */
	struct {
		const char *name;
		const struct type *type;	/* NULL: a live key */
	} bound[BOUND_MAX];		/* names of elements in any(), count() */
	uint32_t nbound;
	const struct assumed *assumed;
	uint32_t macros;		/* functions of check_macro.c that are being expanded */
};

/* Check and number all rules of a set; what is wrong is in diags. */
void check_rules(struct check *c);

/* Check a template's text; node: the scalar it is. */
void check_template(struct check *c, const struct node *node);

/*
 * A checked expression, with conversions inserted and constants folded; NULL after an error that is in diags.
 * check_expr keeps lvalues and arrays; check_value makes a value of it (arrays decay, a struct is an error);
 * check_cond makes a condition of type bool.
 */
struct expr *check_expr(struct check *c, struct expr *e);
struct expr *check_value(struct check *c, struct expr *e);
struct expr *check_cond(struct check *c, struct expr *e);

/* check_expr.c, for the others */
struct expr *make_value(struct check *c, struct expr *e);

/* check_string.c; string_compare: `==`, `!=` and (is_glob) like */
struct expr *make_string(struct check *c, struct expr *e);	/* NULL, quietly: it is none */
bool is_char_array(const struct expr *e);
bool wants_string(const struct expr *a, const struct expr *b);
struct expr *string_compare(struct check *c, struct expr *e, struct expr *a, struct expr *b, bool is_glob);
struct expr *check_str(struct check *c, struct expr *e);
struct expr *check_stack_has(struct check *c, struct expr *e);
struct expr *call_in_code(struct check *c, struct expr *e, enum func func);

/* check_name.c */
struct expr *check_name(struct check *c, struct expr *e, const struct type *wanted);
struct expr *check_member(struct check *c, struct expr *e);

/* Follow "a.b.c" from a struct; the bit offset of the last. With e, what is not there is an error at e. */
bool find_path(struct check *c, const struct expr *e, const struct type *st, const char *path, struct type_member *ret);

/* The path that a macro of the kernel's sources makes of a field's name (sk_state: __sk_common.skc_state), or NULL. */
const char *member_macro(struct check *c, const struct type *st, const char *name);
struct expr *check_param(struct check *c, struct expr *e);
struct expr *check_symbol(struct check *c, struct expr *e, const char *name);
const struct type *check_cast_type(struct check *c, const struct expr *e);

/* check_call.c */
struct expr *check_call(struct check *c, struct expr *e);
struct expr *check_sizeof(struct check *c, struct expr *e);
struct expr *check_exists(struct check *c, struct expr *e);
struct expr *check_old(struct check *c, struct expr *e);

/* check_macro.c */
bool is_macro_call(const struct expr *e);
struct expr *check_macro_call(struct check *c, struct expr *e);

/*
 * A text of the language that stands for the expression e, with args[0] in the place of a, args[1] in that of b: checked, and
 * all of it where e is.
 */
struct expr *check_text(struct check *c, const char *text, struct expr **args, const struct expr *e);
struct nearest;
void macro_offer_calls(struct nearest *n);

/* check_cgroup.c; e: the comparison, `==`, `!=` or like, of the running task's cgroup with a path */
bool is_cgroup(const struct expr *e);
struct expr *cgroup_compare(struct check *c, const struct expr *e, const struct expr *path, bool is_glob);

/* check_order.c; a and b: the operands of a comparison before their conversion */
struct expr *call_swap(struct check *c, struct expr *e, enum func func);
struct expr *call_ipv4(struct check *c, struct expr *e, enum func func);
void warn_byte_order(struct check *c, const struct expr *cmp, const struct expr *a, const struct expr *b);
uint64_t swap_bytes(uint64_t value, uint32_t size);

struct expr *check_list(struct check *c, struct expr *e);

/* check_loop.c; check_bound: a name that is an element, or x.member of a live key */
struct expr *check_bound(struct check *c, struct expr *e, const char *member);
bool is_bound(const struct check *c, const char *name, bool live);
struct expr *call_loop(struct check *c, struct expr *e, enum func func);
struct expr *call_len(struct check *c, struct expr *e, enum func func);
struct expr *call_live(struct check *c, struct expr *e, enum func func);
struct expr *call_any_live(struct check *c, struct expr *e, enum func func);
struct expr *call_flag(struct check *c, struct expr *e, enum func func);
struct expr *call_per_cpu(struct check *c, struct expr *e, enum func func);
uint32_t flag_index(struct check *c, const char *name);

/* One of two rules depends on what the other does: they are loaded together. */
void rule_link(struct rule_set *set, uint32_t a, uint32_t b);

/* check.c: parts of the key of a rule's own table */
uint32_t rule_key_parts(const struct rule *rule);

/* convert.c */
struct expr *new_expr(struct check *c, enum expr_op op, struct span span, const struct type *type, struct expr *a,
		      struct expr *b);
struct expr *new_int(struct check *c, struct span span, const struct type *type, uint64_t value);
bool is_const(const struct expr *e);
bool is_enumerator(const struct expr *e);	/* a constant whose value the target may have changed */
struct expr *convert_const(struct check *c, struct expr *e, const struct type *to);
uint64_t fit_value(const struct type *t, uint64_t value);	/* cut to the type's width and extended again */
struct expr *convert(struct check *c, struct expr *e, const struct type *to);
const struct type *promoted(struct check *c, const struct expr *e);
const struct type *common_type(struct check *c, const struct expr *a, const struct expr *b);
struct expr *fold(struct check *c, struct expr *e);
void warn_if_constant(struct check *c, const struct expr *cmp, const struct expr *a, const struct expr *b);
void warn_sign(struct check *c, const struct expr *cmp, const struct expr *a, const struct expr *b);

/* A return value that is compared with EIO, where the kernel returns -EIO; `place` is what the warning points at. */
void warn_errno(struct check *c, const struct expr *place, const struct expr *a, const struct expr *b);

/* macros.c: the value of a kernel macro that is not in BTF; k NULL: any kernel's. */
bool macro_value(struct kbtf *k, const char *name, int64_t *value);
void macro_offer_names(struct nearest *n);


#endif
