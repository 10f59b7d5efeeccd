// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check_loop.c - expressions over many things: any, count and len over the kernel's lists and arrays; live and any_live
 * over a rule's own keys.
 *
 *	any(x, list(&arg.sb->s_inodes, struct inode, i_sb_list), x->i_ino == 7)
 *
 * x is a name for the element: a pointer to a struct of a list or array, the value itself of an array of numbers.
 */
#include "rules/check.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/schema.h"

#define LOOP_DEFAULT 4096
#define LOOP_MAX (1u << 20)

/* What x.NAME is of an element of any_live; in the order of enum df_live_attr (bpf/layout.h). */
static const struct {
	const char *name;
	uint8_t size;
	bool is_signed;
} of_live[] = {
	{ "age", 8, false }, { "idle", 8, false }, { "generation", 4, false }, { "tid", 4, true },
	{ "pid", 4, true }, { "cpu", 4, false }, { "key", 8, false }, { "events", 4, false },
};

static int find_bound(const struct check *c, const char *name)
{
	for (uint32_t i = c->nbound; i > 0; i--) {
		if (!strcmp(c->bound[i - 1].name, name))
			return (int)i - 1;
	}
	return -1;
}

struct expr *check_bound(struct check *c, struct expr *e, const char *member)
{
	int n = find_bound(c, e->op == EXPR_NAME ? e->text : e->a->text);
	struct nearest near;
	struct diag *d;
	struct expr *r;

	if (n < 0 || (!member && !c->bound[n].type) || (member && c->bound[n].type))
		return NULL;
	r = new_expr(c, EXPR_BOUND, e->span, c->bound[n].type, NULL, NULL);
	r->index = (uint32_t)n;
	r->text = c->bound[n].name;
	if (!member)
		return r;
	near = nearest_init(member);
	for (size_t i = 0; i < sizeof(of_live) / sizeof(of_live[0]); i++) {
		nearest_offer(&near, of_live[i].name);
		if (strcmp(of_live[i].name, member))
			continue;
		r->member.name = of_live[i].name;
		r->value = i;
		r->type = type_int(c->types, of_live[i].size, of_live[i].is_signed);
		return r;
	}
	d = diag_error(c->diags, TAG_UNKNOWN_FIELD, expr_member_span(e), "a live key has no '%s'", member);
	if (nearest_best(&near))
		diag_hint(c->diags, d, "did you mean '%s'?", nearest_best(&near));
	else
		diag_hint(c->diags, d, "it has age, idle, generation, tid, pid, cpu, key, events");
	return NULL;
}

bool is_bound(const struct check *c, const char *name, bool live)
{
	int n = find_bound(c, name);

	return n >= 0 && !c->bound[n].type == live;
}

/* The condition, with the name of the element known in it. */
static struct expr *check_body(struct check *c, const struct expr *name, const struct type *type, struct expr *cond)
{
	struct expr *r;

	if (name->op != EXPR_NAME || !is_identifier(name->text)) {
		diag_error(c->diags, TAG_SYNTAX, name->span, "the first is a name for the element, such as x");
		return NULL;
	}
	if (c->nbound == BOUND_MAX) {
		diag_error(c->diags, TAG_LIMIT, name->span, "loops nested more than %d deep", BOUND_MAX);
		return NULL;
	}
	c->bound[c->nbound].name = name->text;
	c->bound[c->nbound++].type = type;
	r = check_cond(c, cond);
	c->nbound--;
	return r;
}

/* The optional last argument: how many elements are looked at. */
static bool check_max(struct check *c, const struct expr *call, uint32_t n, uint64_t *max)
{
	struct expr *e = call->nlist > n ? check_value(c, call->list[n]) : NULL;

	*max = LOOP_DEFAULT;
	if (call->nlist <= n)
		return true;
	if (!e || !is_const(e) || !e->value || e->value > LOOP_MAX) {
		diag_error(c->diags, TAG_BAD_VALUE, call->list[n]->span, "the last is the most elements looked at: 1 to %u",
			   LOOP_MAX);
		return false;
	}
	*max = e->value;
	return true;
}

/* array(pointer, n) */
static struct expr *check_array(struct check *c, struct expr *e)
{
	struct expr **args = arena_array(c->arena, 2, sizeof(*args)), *r;

	if (e->nlist != 2) {
		diag_error(c->diags, TAG_TYPE, e->span, "it is written array(pointer, n)");
		return NULL;
	}
	args[0] = check_value(c, e->list[0]);
	args[1] = check_value(c, e->list[1]);
	if (!args[0] || !args[1])
		return NULL;
	if (args[0]->type->kind != TYPE_PTR || !args[0]->type->target->size || !type_is_integer(args[1]->type)) {
		diag_error(c->diags, TAG_TYPE, e->span, "array() takes a pointer to something of known size, and a number");
		return NULL;
	}
	args[1] = convert(c, args[1], type_int(c->types, 4, false));
	r = new_expr(c, EXPR_CALL, e->span, args[0]->type, NULL, NULL);
	r->index = FUNC_ARRAY;
	r->text = e->text;
	r->list = args;
	r->nlist = 2;
	return r;
}

/* What x is of an array: its value, or of structs a pointer; into user memory where the array lies there. */
static const struct type *element_of(struct check *c, const struct expr *over)
{
	const struct type *t = over->type->target;
	bool user = over->op == EXPR_CALL ? expr_points_to_user(over->list[0]) : expr_place_is_user(over);

	if (t->kind == TYPE_STRUCT)
		return user ? type_user_ptr(c->types, t) : type_ptr(c->types, t);
	return user && t->kind == TYPE_PTR ? type_user_ptr(c->types, t->target) : t;
}

/* list(head, struct foo, member), hlist(...), array(p, n), or an array of the kernel; *element: what x is. */
static struct expr *check_elements(struct check *c, struct expr *e, const struct type **element)
{
	struct expr *r;

	if (e->op == EXPR_CALL && e->cast_name && (!strcmp(e->text, "list") || !strcmp(e->text, "hlist"))) {
		r = check_list(c, e);
		*element = r ? r->type : NULL;
		return r;
	}
	r = e->op == EXPR_CALL && !strcmp(e->text, "array") ? check_array(c, e) : check_expr(c, e);
	if (!r)
		return NULL;
	if (r->op != EXPR_CALL && (r->op == EXPR_ARG || r->type->kind != TYPE_ARRAY || !r->type->nelems)) {
		diag_error(c->diags, TAG_TYPE, e->span,
			   "elements are list(head, struct NAME, member), hlist(...), array(pointer, n), or an array");
		return NULL;
	}
	*element = element_of(c, r);
	return r;
}

struct expr *call_loop(struct check *c, struct expr *e, enum func func)
{
	const struct type *element = NULL;
	struct expr *over = check_elements(c, e->list[1], &element), *body, *r;
	uint64_t max;
	bool max_ok = check_max(c, e, 3, &max);

	if (!over || !max_ok)
		return NULL;
	body = check_body(c, e->list[0], element, e->list[2]);
	if (!body)
		return NULL;
	r = new_expr(c, EXPR_CALL, e->span, func == FUNC_ANY ? type_bool(c->types) : type_int(c->types, 4, false), over,
		     body);
	r->index = func;
	r->text = e->text;
	r->value = max;
	return r;
}

struct expr *call_len(struct check *c, struct expr *e, enum func func)
{
	const struct type *element = NULL;
	struct expr *over = check_elements(c, e->list[0], &element), *r;
	uint64_t max;

	if (!check_max(c, e, 1, &max) || !over)
		return NULL;
	r = new_expr(c, EXPR_CALL, e->span, type_int(c->types, 4, false), over, NULL);
	r->index = func;
	r->text = e->text;
	r->value = max;
	return r;
}

/* A table of this rule by its name, "own" for the rule's own; or the own table of another rule: "rule-name". */
static bool find_table(struct check *c, const struct expr *e, uint64_t *table, uint32_t *nkey)
{
	struct nearest near;
	struct diag *d;

	if (e->op == EXPR_STR) {
		for (uint32_t i = 0; i < c->set->nrules; i++) {
			if (strcmp(c->set->rules[i].name, e->text))
				continue;
			rule_link(c->set, c->rule->index, i);
			*table = (uint64_t)i << 16;
			*nkey = rule_key_parts(&c->set->rules[i]);
			return true;
		}
		diag_error(c->diags, TAG_UNKNOWN_NAME, e->span, "no rule '%s' in what is checked together", e->text);
		return false;
	}
	*table = (uint64_t)c->rule->index << 16;
	*nkey = rule_key_parts(c->rule);
	if (e->op != EXPR_NAME) {
		diag_error(c->diags, TAG_SYNTAX, e->span, "a table is named: own, one of tables:, or \"other-rule\"");
		return false;
	}
	if (!strcmp(e->text, "own"))
		return true;
	near = nearest_init(e->text);
	nearest_offer(&near, "own");
	for (uint32_t i = 0; i < c->rule->ntables; i++) {
		nearest_offer(&near, c->rule->tables[i].name);
		if (strcmp(c->rule->tables[i].name, e->text))
			continue;
		*table |= c->rule->tables[i].index;
		*nkey = c->rule->tables[i].nkey;
		return true;
	}
	d = diag_error(c->diags, TAG_UNKNOWN_NAME, e->span, "the rule has no table '%s'", e->text);
	if (nearest_best(&near))
		diag_hint(c->diags, d, "did you mean '%s'?", nearest_best(&near));
	return false;
}

/* live(table, key...) */
struct expr *call_live(struct check *c, struct expr *e, enum func func)
{
	struct expr **key = arena_array(c->arena, e->nlist, sizeof(*key)), *r;
	bool failed = false;
	uint64_t table;
	uint32_t nkey;

	for (uint32_t i = 1; i < e->nlist; i++) {
		key[i - 1] = check_value(c, e->list[i]);
		failed |= !key[i - 1];
	}
	if (!find_table(c, e->list[0], &table, &nkey) || failed)
		return NULL;
	if (nkey && nkey != e->nlist - 1) {
		diag_error(c->diags, TAG_KEYS_DIFFER, e->span, "the table's key has %u parts, not %u", nkey,
			   e->nlist - 1);
		return NULL;
	}
	r = new_expr(c, EXPR_CALL, e->span, type_bool(c->types), NULL, NULL);
	r->index = func;
	r->text = e->text;
	r->list = key;
	r->nlist = e->nlist - 1;
	r->value = table;
	return r;
}

/* any_live(table, x, condition, max) */
struct expr *call_any_live(struct check *c, struct expr *e, enum func func)
{
	uint64_t table, max;
	uint32_t nkey;
	struct expr *body, *r;

	if (!find_table(c, e->list[0], &table, &nkey) || !check_max(c, e, 3, &max))
		return NULL;
	body = check_body(c, e->list[1], NULL, e->list[2]);
	if (!body)
		return NULL;
	r = new_expr(c, EXPR_CALL, e->span, type_bool(c->types), NULL, body);
	r->index = func;
	r->text = e->text;
	r->value = table;
	r->list = arena_new(c->arena, struct expr *);
	r->list[0] = new_int(c, e->span, type_int(c->types, 4, false), max);
	r->nlist = 1;
	return r;
}

uint32_t flag_index(struct check *c, const char *name)
{
	struct rule_set *set = c->set;

	for (uint32_t i = 0; i < set->nflags; i++) {
		if (strcmp(set->flags[i], name))
			continue;
		rule_link(set, c->rule->index, set->flag_rules[i]);
		return i;
	}
	set->flags = arena_grow(c->arena, set->flags, set->nflags, sizeof(*set->flags));
	set->flag_rules = arena_grow(c->arena, set->flag_rules, set->nflags, sizeof(*set->flag_rules));
	set->flag_rules[set->nflags] = c->rule->index;
	set->flags[set->nflags] = name;
	return set->nflags++;
}

/* flag(name): what some rule set it to, 0 before */
struct expr *call_flag(struct check *c, struct expr *e, enum func func)
{
	struct expr *r;

	if (e->list[0]->op != EXPR_NAME) {
		diag_error(c->diags, TAG_SYNTAX, e->list[0]->span, "it is written flag(name)");
		return NULL;
	}
	r = new_expr(c, EXPR_CALL, e->span, type_int(c->types, 8, false), NULL, NULL);
	r->index = func;
	r->text = arena_printf(c->arena, "flag:%s", e->list[0]->text);
	r->value = flag_index(c, e->list[0]->text);
	return r;
}

/* per_cpu(pointer, cpu): the pointer to that CPU's */
struct expr *call_per_cpu(struct check *c, struct expr *e, enum func func)
{
	struct expr **args = arena_array(c->arena, 2, sizeof(*args)), *r;

	args[0] = check_value(c, e->list[0]);
	args[1] = check_value(c, e->list[1]);
	if (!args[0] || !args[1])
		return NULL;
	if (args[0]->type->kind != TYPE_PTR || !type_is_integer(args[1]->type)) {
		diag_error(c->diags, TAG_TYPE, e->span, "per_cpu() takes a pointer and the number of a CPU");
		return NULL;
	}
	args[1] = convert(c, args[1], type_int(c->types, 4, false));
	r = new_expr(c, EXPR_CALL, e->span, args[0]->type, NULL, NULL);
	r->index = func;
	r->text = e->text;
	r->list = args;
	r->nlist = 2;
	return r;
}
