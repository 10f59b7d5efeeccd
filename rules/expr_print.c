// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * expr_print.c - an expression as text. Constants other than int carry their type: 5:u64.
 */
#include "rules/print.h"

#include <ctype.h>

#include "lib/arena.h"

static const char *const operators[] = {
	[EXPR_NEG] = "-", [EXPR_COMPL] = "~", [EXPR_NOT] = "!", [EXPR_DEREF] = "*", [EXPR_ADDR] = "&",
	[EXPR_MUL] = "*", [EXPR_DIV] = "/", [EXPR_MOD] = "%", [EXPR_ADD] = "+", [EXPR_SUB] = "-",
	[EXPR_SHL] = "<<", [EXPR_SHR] = ">>", [EXPR_LT] = "<", [EXPR_LE] = "<=", [EXPR_GT] = ">", [EXPR_GE] = ">=",
	[EXPR_EQ] = "==", [EXPR_NE] = "!=", [EXPR_AND] = "&", [EXPR_XOR] = "^", [EXPR_OR] = "|",
	[EXPR_LAND] = "&&", [EXPR_LOR] = "||",
};

/* u32, s64, bool: what the back half makes of it; pointers and structs by name. */
static const char *short_type(struct arena *a, const struct type *t)
{
	if (t->kind == TYPE_INT)
		return arena_printf(a, "%c%u", t->is_signed ? 's' : 'u', t->size * 8);
	if (t->kind == TYPE_STR)
		return arena_printf(a, "str%u", t->size);
	return type_text(a, t);
}

static void print_int(struct arena *a, struct buf *out, const struct expr *e)
{
	const struct type *t = e->type;

	if (!t || t->is_signed || t->kind == TYPE_BOOL)
		buf_printf(out, "%lld", (long long)e->value);
	else if (t->kind == TYPE_PTR)
		buf_printf(out, "0x%llx", (unsigned long long)e->value);
	else
		buf_printf(out, "%llu", (unsigned long long)e->value);
	if (t && !(t->kind == TYPE_INT && t->size == 4 && t->is_signed))
		buf_printf(out, ":%s", short_type(a, t));
}

static void print_str(struct buf *out, const char *s, uint32_t len)
{
	buf_putc(out, '"');
	for (uint32_t i = 0; i < len; i++) {
		if (s[i] == '"' || s[i] == '\\')
			buf_printf(out, "\\%c", s[i]);
		else if (isprint((unsigned char)s[i]))
			buf_putc(out, s[i]);
		else
			buf_printf(out, "\\x%02x", (unsigned char)s[i]);
	}
	buf_putc(out, '"');
}

static void print_list(struct arena *a, struct buf *out, const struct expr *e, char open, char close)
{
	buf_putc(out, open);
	for (uint32_t i = 0; i < e->nlist; i++) {
		if (i)
			buf_puts(out, ", ");
		expr_print(a, out, e->list[i]);
	}
	buf_putc(out, close);
}

static void print_loop(struct arena *a, struct buf *out, const struct expr *e)
{
	buf_printf(out, "%s(", e->text);
	if (e->a)
		expr_print(a, out, e->a);
	else
		buf_printf(out, "table %llu", (unsigned long long)e->value);
	if (e->b) {
		buf_puts(out, ", ");
		expr_print(a, out, e->b);
	}
	buf_printf(out, ", %llu)", (unsigned long long)(e->nlist ? e->list[0]->value : e->value));
}

static void print_call(struct arena *a, struct buf *out, const struct expr *e)
{
	if (e->type && (e->index == FUNC_ANY || e->index == FUNC_COUNT || e->index == FUNC_LEN ||
			e->index == FUNC_ANY_LIVE)) {
		print_loop(a, out, e);
		return;
	}
	if (e->a) {
		buf_printf(out, "%s(", e->text);
		expr_print(a, out, e->a);
		buf_printf(out, ", %s, %s)", e->type ? type_text(a, e->type->target) : e->cast_name, e->member.name);
		return;
	}
	if (e->type && e->index == FUNC_FLAG) {
		buf_puts(out, e->text);
		return;
	}
	if (e->type && e->index == FUNC_LIVE)
		buf_printf(out, "table %llu:", (unsigned long long)e->value);
	if (e->type && e->index == FUNC_KCONFIG) {
		buf_printf(out, "kconfig(%s)", e->text);
		return;
	}
	if (e->type && e->index == FUNC_IN_CODE) {
		buf_puts(out, "in_code(");
		expr_print(a, out, e->list[0]);
		buf_printf(out, ", \"%s\")", e->text);
		return;
	}
	buf_puts(out, e->text);
	print_list(a, out, e, '(', ')');
	if (e->type && e->type->kind == TYPE_STR)
		buf_printf(out, ":%s", short_type(a, e->type));
}

static void print_exists(struct arena *a, struct buf *out, const struct expr *e)
{
	buf_puts(out, "exists(");
	if (e->a)
		expr_print(a, out, e->a);
	else if (e->member.base)
		buf_puts(out, type_text(a, e->member.base));
	else
		buf_puts(out, e->cast_name ? e->cast_name : e->text);
	buf_printf(out, "%s%s)", e->member.name ? "." : "", e->member.name ? e->member.name : "");
}

static void print_step(struct buf *out, const struct expr *e)
{
	buf_printf(out, "%s.%s", e->text, e->member.name);
}

static void print_named(struct arena *a, struct buf *out, const struct expr *e)
{
	switch (e->op) {
	case EXPR_NAME:
		buf_puts(out, e->text);
		break;
	case EXPR_PARAM:
	case EXPR_SET:
		buf_printf(out, "$%s", e->text);
		break;
	case EXPR_ARG:
		buf_printf(out, "arg%s%s", isdigit((unsigned char)*e->text) ? "" : ".", e->text);
		break;
	case EXPR_RETVAL:
		buf_puts(out, "retval");
		break;
	case EXPR_BUILTIN:
		buf_puts(out, e->text);
		break;
	case EXPR_STEP:
		print_step(out, e);
		break;
	case EXPR_BOUND:
		buf_printf(out, "%s%s%s", e->text, e->member.name ? "." : "", e->member.name ? e->member.name : "");
		break;
	case EXPR_SYMBOL:
		buf_printf(out, "&%s", e->text);
		break;
	case EXPR_STACK_HAS:
		buf_printf(out, "(kstack has \"%s\")", e->text);
		break;
	case EXPR_SIZEOF:
		buf_puts(out, "sizeof(");
		if (e->a)
			expr_print(a, out, e->a);
		else
			buf_printf(out, "%s%.*s", e->cast_name, (int)e->cast_ptr, "********");
		buf_putc(out, ')');
		break;
	default:
		buf_puts(out, "?");
	}
}

static void print_operator(struct arena *a, struct buf *out, const struct expr *e)
{
	buf_putc(out, '(');
	if (!e->b) {
		buf_puts(out, operators[e->op]);
		expr_print(a, out, e->a);
	} else {
		expr_print(a, out, e->a);
		buf_printf(out, " %s ", operators[e->op]);
		expr_print(a, out, e->b);
	}
	buf_putc(out, ')');
}

static void print_strcmp(struct arena *a, struct buf *out, const struct expr *e)
{
	buf_putc(out, '(');
	expr_print(a, out, e->a);
	buf_printf(out, " %s%s ", e->index == EXPR_NE ? (e->is_glob ? "not " : "!=") : e->is_glob ? "" : "==",
		   e->is_glob ? "like" : "");
	expr_print(a, out, e->b);
	buf_putc(out, ')');
}

/* What "->" or "[]" follows. */
static void print_postfixed(struct arena *a, struct buf *out, const struct expr *e)
{
	bool cast = e->op == EXPR_CAST;

	if (cast)
		buf_putc(out, '(');
	expr_print(a, out, e);
	if (cast)
		buf_putc(out, ')');
}

void expr_print(struct arena *a, struct buf *out, const struct expr *e)
{
	switch (e->op) {
	case EXPR_INT:
		print_int(a, out, e);
		break;
	case EXPR_STR:
		print_str(out, e->text, e->len);
		break;
	case EXPR_OLD:
		buf_puts(out, "old(");
		expr_print(a, out, e->a);
		buf_putc(out, ')');
		break;
	case EXPR_MEMBER:
		print_postfixed(a, out, e->a);
		buf_printf(out, "%s%s", e->arrow ? "->" : ".", e->member.name);
		break;
	case EXPR_INDEX:
		print_postfixed(a, out, e->a);
		buf_putc(out, '[');
		expr_print(a, out, e->b);
		buf_putc(out, ']');
		break;
	case EXPR_CAST:
		buf_printf(out, "(%s%s%.*s)", e->type ? short_type(a, e->type) : e->cast_name,
			   !e->type && e->cast_ptr ? " " : "", e->type ? 0 : (int)e->cast_ptr, "********");
		expr_print(a, out, e->a);
		break;
	case EXPR_COND:
		buf_putc(out, '(');
		expr_print(a, out, e->a);
		buf_puts(out, " ? ");
		expr_print(a, out, e->b);
		buf_puts(out, " : ");
		expr_print(a, out, e->c);
		buf_putc(out, ')');
		break;
	case EXPR_IN:
		buf_putc(out, '(');
		expr_print(a, out, e->a);
		buf_puts(out, " in ");
		if (e->b)
			expr_print(a, out, e->b);
		else
			print_list(a, out, e, '[', ']');
		buf_putc(out, ')');
		break;
	case EXPR_STRCMP:
		print_strcmp(a, out, e);
		break;
	case EXPR_CALL:
		print_call(a, out, e);
		break;
	case EXPR_EXISTS:
		print_exists(a, out, e);
		break;
	default:
		if (e->op < sizeof(operators) / sizeof(operators[0]) && operators[e->op])
			print_operator(a, out, e);
		else
			print_named(a, out, e);
	}
}
