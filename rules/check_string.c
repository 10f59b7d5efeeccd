// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check_string.c - text: what reads as a string, comparing it; names of functions in the stack.
 */
#include "rules/check.h"

#include <string.h>

#include "lib/arena.h"
#include "rules/eval.h"
#include "rules/layout.h"
#include "rules/schema.h"

#define STR_MAX 256		/* bytes of a string that is read from memory */

bool is_char_array(const struct expr *e)
{
	return e->type->kind == TYPE_ARRAY && e->type->target->size == 1 && e->type->target->kind == TYPE_INT;
}

static bool is_char_ptr(const struct expr *e)
{
	return e->type->kind == TYPE_PTR && e->type->target->size == 1 && e->type->target->kind == TYPE_INT;
}

/* A char array or pointer as a string; NULL if it is neither that nor a string already. */
struct expr *make_string(struct check *c, struct expr *e)
{
	uint32_t size = STR_DEFAULT;
	struct expr *call;

	if (e->type->kind == TYPE_STR)
		return e;
	if (e->op == EXPR_OLD && is_char_ptr(e)) {
		call = make_string(c, e->a);	/* the text, too, as it was then */
		return new_expr(c, EXPR_OLD, e->span, call->type, call, NULL);
	}
	if (is_char_array(e)) {
		if (e->type->nelems)
			size = e->type->nelems < STR_MAX ? e->type->nelems : STR_MAX;
		e = new_expr(c, EXPR_ADDR, e->span, type_ptr(c->types, e->type->target), e, NULL);
	} else if (!is_char_ptr(e)) {
		return NULL;
	}
	call = new_expr(c, EXPR_CALL, e->span, type_str(c->types, size), NULL, NULL);
	call->index = e->type->is_user ? FUNC_USTR : FUNC_STR;
	call->text = e->type->is_user ? "ustr" : "str";
	call->list = arena_new(c->arena, struct expr *);
	call->list[0] = e;
	call->nlist = 1;
	return call;
}

static bool has_pattern(const char *s)
{
	return strpbrk(s, "*?") != NULL;
}

static struct expr *new_strcmp(struct check *c, const struct expr *e, struct expr *x, struct expr *y, bool is_glob)
{
	struct expr *cmp = new_expr(c, EXPR_STRCMP, e->span, type_bool(c->types), x, y);

	cmp->index = e->op == EXPR_NE ? EXPR_NE : EXPR_EQ;
	cmp->is_glob = is_glob;
	return cmp;
}

struct expr *string_compare(struct check *c, struct expr *e, struct expr *a, struct expr *b, bool is_glob)
{
	struct expr *x = make_string(c, a), *y = make_string(c, b), *cmp;
	struct diag *d;

	if (!x || !y) {
		const struct expr *text = x ? a : b, *other = x ? b : a;

		d = diag_error(c->diags, TAG_TYPE, e->span, "'%s' is not a string", type_text(c->arena, other->type));
		if (is_cgroup(other))
			diag_hint(c->diags, d, "a cgroup's path stands in the rule: cgroup == \"/system.slice/ssh.service\"");
		else if (type_is_integer(other->type))
			diag_hint(c->diags, d, "str(address) reads a string, ustr(address) one of user space");
		else if (text->op == EXPR_STR && is_identifier(text->text))
			diag_hint(c->diags, d, "the address of a function or variable is written &%s", text->text);
		return NULL;
	}
	if (x->op == EXPR_STR && !is_glob) {
		cmp = x;
		x = y;
		y = cmp;
	}
	if (x->op == EXPR_STR && y->op == EXPR_STR)
		return new_int(c, e->span, type_bool(c->types), (is_glob ? eval_like(y->text, x->text) :
			       x->len == y->len && !memcmp(x->text, y->text, x->len)) == (e->op != EXPR_NE));
	if (y->op == EXPR_STR && y->len >= x->type->size)
		diag_warn(c->diags, TAG_ALWAYS, e->span, "the text is longer than the string can be (%u bytes)",
			  x->type->size - 1);
	if (!is_glob && y->op == EXPR_STR && has_pattern(y->text))
		diag_hint(c->diags, diag_warn(c->diags, TAG_LIKE, e->span, "'==' compares '*' and '?' as they are"),
			  "'like \"%s\"' matches the pattern", y->text);
	if (is_glob && y->op != EXPR_STR && y->op != EXPR_PARAM) {
		diag_error(c->diags, TAG_TYPE, y->span, "a pattern is a text in the rule, or a parameter");
		return NULL;
	}
	if (is_glob && x->op == EXPR_OLD)	/* decided there: only the text's number comes from the entry */
		return new_expr(c, EXPR_OLD, e->span, type_bool(c->types), new_strcmp(c, e, x->a, y, true), NULL);
	return new_strcmp(c, e, x, y, is_glob);
}

bool wants_string(const struct expr *a, const struct expr *b)
{
	if (a->type->kind == TYPE_STR || b->type->kind == TYPE_STR)
		return true;
	return is_char_array(a) && is_char_array(b);
}

struct expr *check_str(struct check *c, struct expr *e)
{
	if (e->len >= STR_MAX) {
		diag_error(c->diags, TAG_LIMIT, e->span, "a text of more than %d bytes", STR_MAX - 1);
		return NULL;
	}
	e->type = type_str(c->types, e->len + 1);
	return e;
}

/* FUNCTION, MODULE:FUNCTION, MODULE:* */
static bool check_code_name(struct check *c, struct span span, const char *text)
{
	const char *colon = strchr(text, ':'), *func = colon ? colon + 1 : text;
	char *module = colon ? arena_strndup(c->arena, text, (size_t)(colon - text)) : NULL;
	bool any = colon && !strcmp(func, "*");
	struct kbtf_func f;

	if (!*func || (module && (!*module || has_pattern(module))) || (!any && has_pattern(func))) {
		diag_error(c->diags, TAG_BAD_VALUE, span,
			   "code is named by the exact name of a function, MODULE:FUNCTION, or MODULE:* for any of a module");
		return false;
	}
	if (any && !kbtf_has_module(c->kbtf, module))
		diag_warn(c->diags, TAG_UNCHECKED, span, "no module '%s' is loaded here", module);
	if (!any && !kbtf_find_func(c->kbtf, module, func, &f))
		diag_warn(c->diags, TAG_UNCHECKED, span, "no function '%s' in this kernel's BTF", text);
	return true;
}

struct expr *check_stack_has(struct check *c, struct expr *e)
{
	e->type = type_bool(c->types);
	return check_code_name(c, e->span, e->text) ? e : NULL;
}

/* in_code(address, "function") */
struct expr *call_in_code(struct check *c, struct expr *e, enum func func)
{
	struct expr *a = check_value(c, e->list[0]), *r;
	const struct expr *name = e->list[1];

	if (!a)
		return NULL;
	if (name->op != EXPR_STR || !type_is_scalar(a->type) || a->type->size != 8) {
		diag_error(c->diags, TAG_TYPE, e->span, "in_code() takes an address and a name: in_code(arg.timer->function, \"MODULE:*\")");
		return NULL;
	}
	if (!check_code_name(c, name->span, name->text))
		return NULL;
	r = new_expr(c, EXPR_CALL, e->span, type_bool(c->types), NULL, NULL);
	r->index = func;
	r->text = name->text;
	r->list = arena_new(c->arena, struct expr *);
	r->list[0] = a;
	r->nlist = 1;
	return r;
}
