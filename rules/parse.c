// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * parse.c - recursive descent over C's expressions and the few operators that are ours.
 *
 * Binary operators are one function that climbs by precedence (the table below); everything else is a function with
 * its rule above it. An expression has at most one syntax error: what follows would be guesswork.
 */
#include "rules/parse.h"

#include <string.h>

#include "lib/arena.h"
#include "rules/lex.h"

struct parser {
	struct arena *arena;
	struct diags *diags;
	const struct token *t;		/* the next token */
	const struct token *last;	/* the one before it */
	uint32_t nest, nodes;
	bool failed;
	bool user;			/* the type read last said __user */
};

/* From loosest to tightest, as in C. in, like, has stand with the relational operators. */
static const struct binary {
	int punct;
	const char *word;
	enum expr_op op;
	int level;
} binaries[] = {
	{ PUNCT2('|', '|'), NULL, EXPR_LOR, 1 },
	{ PUNCT2('&', '&'), NULL, EXPR_LAND, 2 },
	{ '|', NULL, EXPR_OR, 3 },
	{ '^', NULL, EXPR_XOR, 4 },
	{ '&', NULL, EXPR_AND, 5 },
	{ PUNCT2('=', '='), NULL, EXPR_EQ, 6 },
	{ PUNCT2('!', '='), NULL, EXPR_NE, 6 },
	{ '<', NULL, EXPR_LT, 7 },
	{ '>', NULL, EXPR_GT, 7 },
	{ PUNCT2('<', '='), NULL, EXPR_LE, 7 },
	{ PUNCT2('>', '='), NULL, EXPR_GE, 7 },
	{ 0, "in", EXPR_IN, 7 },
	{ 0, "like", EXPR_STRCMP, 7 },
	{ 0, "has", EXPR_STACK_HAS, 7 },
	{ PUNCT2('<', '<'), NULL, EXPR_SHL, 8 },
	{ PUNCT2('>', '>'), NULL, EXPR_SHR, 8 },
	{ '+', NULL, EXPR_ADD, 9 },
	{ '-', NULL, EXPR_SUB, 9 },
	{ '*', NULL, EXPR_MUL, 10 },
	{ '/', NULL, EXPR_DIV, 10 },
	{ '%', NULL, EXPR_MOD, 10 },
};

#define LEVEL_LOWEST 1
#define LEVEL_EQUAL 6
#define LEVEL_COMPARE 7

static struct expr *parse_cond(struct parser *p);
static struct expr *parse_unary(struct parser *p);

static struct diag *syntax(struct parser *p, const struct token *at, const char *what)
{
	struct span span = at->span;

	if (p->failed)
		return &p->diags->dropped;
	p->failed = true;
	if (at->kind == TOKEN_END)
		return diag_error(p->diags, TAG_SYNTAX, span, "%s, but the expression ends here", what);
	return diag_error(p->diags, TAG_SYNTAX, span, "%s before '%.*s'", what, (int)span.len,
			  span.src->text + span.off);
}

static bool at_punct(const struct parser *p, int punct)
{
	return p->t->kind == TOKEN_PUNCT && p->t->punct == punct;
}

static bool at_word(const struct token *t, const char *word)
{
	return t->kind == TOKEN_NAME && !strcmp(t->text, word);
}

static void next(struct parser *p)
{
	p->last = p->t;
	if (p->t->kind != TOKEN_END)
		p->t++;
}

static bool accept(struct parser *p, int punct)
{
	if (!at_punct(p, punct))
		return false;
	next(p);
	return true;
}

static void expect(struct parser *p, int punct, const char *what)
{
	if (!p->failed && !accept(p, punct))
		syntax(p, p->t, what);
}

static uint16_t depth_of(const struct expr *e)
{
	return e ? e->depth : 0;
}

static void too_large(struct parser *p, struct span span)
{
	if (!p->failed)
		diag_error(p->diags, TAG_LIMIT, span, "an expression of more than %d parts, or %d deep",
			   EXPR_NODES_MAX, EXPR_DEPTH_MAX);
	p->failed = true;
}

/* A node over its children; where it would be too deep or one too many, an error. */
static struct expr *node(struct parser *p, enum expr_op op, struct span span, struct expr *a, struct expr *b)
{
	struct expr *e = arena_new(p->arena, struct expr);
	uint16_t depth = depth_of(a) > depth_of(b) ? depth_of(a) : depth_of(b);

	e->op = op;
	e->span = span;
	e->a = a;
	e->b = b;
	e->depth = depth + 1;
	if (e->depth > EXPR_DEPTH_MAX || ++p->nodes > EXPR_NODES_MAX)
		too_large(p, span);
	return e;
}

static bool enter(struct parser *p)
{
	if (++p->nest <= EXPR_NEST_MAX)
		return true;
	if (!p->failed)
		diag_error(p->diags, TAG_LIMIT, p->t->span, "parentheses and operators nested more than %d deep",
			   EXPR_NEST_MAX);
	p->failed = true;
	p->nest--;
	return false;
}

static struct expr *nothing(struct parser *p)
{
	return node(p, EXPR_INT, p->t->span, NULL, NULL);
}

static bool is_operator_word(const struct token *t)
{
	return at_word(t, "in") || at_word(t, "like") || at_word(t, "has") || at_word(t, "not");
}

static bool is_type_word(const struct token *t)
{
	static const char *const words[] = {
		"struct", "union", "enum", "const", "volatile", "unsigned", "signed", "int", "long", "short", "char",
		"void", "bool", "_Bool", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64",
		"__u8", "__u16", "__u32", "__u64", "__s8", "__s16", "__s32", "__s64",
	};

	if (t->kind != TOKEN_NAME)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(t->text, words[i]))
			return true;
	}
	return t->len > 2 && !strcmp(t->text + t->len - 2, "_t");
}

/*
 * type = {"const" | "volatile"} ("struct" | "union" | "enum") NAME {"*"}
 *      | {"const" | "volatile" | WORD of C's integer types} {"*"}
 *      | NAME {"*"}
 */
static bool parse_type(struct parser *p, const char **name, uint16_t *stars)
{
	const char *text = NULL;
	bool tagged = false;

	p->user = false;
	for (; p->t->kind == TOKEN_NAME && !is_operator_word(p->t); next(p)) {
		p->user |= at_word(p->t, "__user");
		if (at_word(p->t, "const") || at_word(p->t, "volatile") || at_word(p->t, "__user"))
			continue;
		if (text && !tagged && !is_type_word(p->t))
			break;
		tagged = at_word(p->t, "struct") || at_word(p->t, "union") || at_word(p->t, "enum");
		text = text ? arena_printf(p->arena, "%s %s", text, p->t->text) : p->t->text;
	}
	*name = text;
	for (*stars = 0; at_punct(p, '*') || at_word(p->t, "const") || at_word(p->t, "__user"); next(p)) {
		p->user |= at_word(p->t, "__user");
		*stars += at_punct(p, '*');
	}
	if (!text || tagged)
		syntax(p, p->t, "expected a type");
	if (*stars > 8)
		syntax(p, p->last, "expected fewer stars");
	return !p->failed;
}

/* Is "(" before a type? "(name)" is one if what follows can only be an operand. */
static bool at_cast(const struct parser *p)
{
	const struct token *t = p->t + 1;

	if (!at_punct(p, '(') || t->kind != TOKEN_NAME)
		return false;
	if (is_type_word(t))
		return true;
	for (t++; t->kind == TOKEN_PUNCT && t->punct == '*'; t++)
		;
	if (t->kind != TOKEN_PUNCT || t->punct != ')')
		return false;
	if (t[-1].kind == TOKEN_PUNCT)
		return true;
	t++;
	if (t->kind == TOKEN_PUNCT)
		return t->punct == '(' || t->punct == '~' || t->punct == '!';
	return t->kind != TOKEN_END && !is_operator_word(t);
}

/* args = [cond {"," cond}] ")" */
static void parse_args(struct parser *p, struct expr *call)
{
	struct expr *arg;

	if (accept(p, ')'))
		return;
	do {
		arg = parse_cond(p);
		call->list = arena_grow(p->arena, call->list, call->nlist, sizeof(struct expr *));
		call->list[call->nlist++] = arg;
		if (depth_of(arg) >= call->depth)
			call->depth = depth_of(arg) + 1;
	} while (!p->failed && accept(p, ','));
	expect(p, ')', "expected ',' or ')'");
}

/* path = NAME {"." NAME} */
static const char *parse_path(struct parser *p)
{
	const char *path = "";

	do {
		if (p->t->kind != TOKEN_NAME) {
			syntax(p, p->t, "expected the name of a member");
			return path;
		}
		path = arena_printf(p->arena, "%s%s%s", path, *path ? "." : "", p->t->text);
		next(p);
	} while (accept(p, '.'));
	return path;
}

/* sizeof = "sizeof" ("(" type ")" | unary) */
static struct expr *parse_sizeof(struct parser *p, struct span start)
{
	struct expr *e = node(p, EXPR_SIZEOF, start, NULL, NULL);

	if (at_cast(p) || (at_punct(p, '(') && p->t[1].kind == TOKEN_NAME && p->t[2].kind == TOKEN_PUNCT &&
			   p->t[2].punct == ')' && is_type_word(p->t + 1))) {
		next(p);
		parse_type(p, &e->cast_name, &e->cast_ptr);
		expect(p, ')', "expected ')'");
	} else {
		e->a = parse_unary(p);
		e->depth = depth_of(e->a) + 1;
	}
	e->span = span_join(start, p->last->span);
	return e;
}

/* container_of = ("container_of" | "list" | "hlist") "(" cond "," type "," path ")" */
static struct expr *parse_container_of(struct parser *p, const struct token *name)
{
	struct span start = name->span;
	struct expr *e;

	expect(p, '(', "expected '('");
	e = node(p, EXPR_CALL, start, parse_cond(p), NULL);
	e->text = name->text;
	expect(p, ',', "expected ',' and the type of the container");
	if (!p->failed)
		parse_type(p, &e->cast_name, &e->cast_ptr);
	expect(p, ',', "expected ',' and the member");
	if (!p->failed)
		e->member.name = parse_path(p);
	expect(p, ')', "expected ')'");
	e->span = span_join(start, p->last->span);
	return e;
}

/* exists = "exists" "(" (("struct" | "union" | "enum") NAME ["." path] | cond) ")" */
static struct expr *parse_exists(struct parser *p, struct span start)
{
	struct expr *e = node(p, EXPR_EXISTS, start, NULL, NULL);

	expect(p, '(', "expected '('");
	if (p->failed)
		return e;
	if (at_word(p->t, "struct") || at_word(p->t, "union") || at_word(p->t, "enum")) {
		parse_type(p, &e->cast_name, &e->cast_ptr);
		if (accept(p, '.') || accept(p, ','))
			e->member.name = parse_path(p);
	} else {
		e->a = parse_cond(p);
		e->depth = depth_of(e->a) + 1;
	}
	expect(p, ')', "expected ')'");
	e->span = span_join(start, p->last->span);
	return e;
}

/* call = NAME "(" args | "old" "(" cond ")" | sizeof | container_of | exists */
static struct expr *parse_name(struct parser *p)
{
	const struct token *name = p->t;
	struct expr *e;

	next(p);
	if (at_word(name, "sizeof"))
		return parse_sizeof(p, name->span);
	if ((at_word(name, "container_of") || at_word(name, "list") || at_word(name, "hlist")) && at_punct(p, '('))
		return parse_container_of(p, name);
	if (at_word(name, "exists") && at_punct(p, '('))
		return parse_exists(p, name->span);
	if (!accept(p, '(')) {
		e = node(p, EXPR_NAME, name->span, NULL, NULL);
		e->text = name->text;
		return e;
	}
	e = node(p, EXPR_CALL, name->span, NULL, NULL);
	e->text = name->text;
	parse_args(p, e);
	e->span = span_join(name->span, p->last->span);
	if (!strcmp(e->text, "old") && e->nlist == 1) {
		e->op = EXPR_OLD;
		e->a = e->list[0];
		e->nlist = 0;
	}
	return e;
}

/* primary = INT | STR | PARAM | call | NAME | "(" cond ")" */
static struct expr *parse_primary(struct parser *p)
{
	const struct token *t = p->t;
	struct expr *e;
	struct diag *d;

	switch (t->kind) {
	case TOKEN_INT:
		next(p);
		e = node(p, EXPR_INT, t->span, NULL, NULL);
		e->value = t->value;
		e->unit = t->unit;
		return e;
	case TOKEN_STR:
	case TOKEN_PARAM:
		next(p);
		e = node(p, t->kind == TOKEN_STR ? EXPR_STR : EXPR_PARAM, t->span, NULL, NULL);
		e->text = t->text;
		e->len = t->len;
		return e;
	case TOKEN_NAME:
		if (!is_operator_word(t))
			return parse_name(p);
		break;
	default:
		break;
	}
	if (accept(p, '(')) {
		e = parse_cond(p);
		expect(p, ')', "expected ')'");
		e->parens = true;
		e->span = span_join(t->span, p->last->span);
		return e;
	}
	d = syntax(p, t, "expected a value");
	if (at_word(t, "not"))
		diag_hint(p->diags, d, "'!' negates: !(...)");
	return nothing(p);
}

/* postfix = primary {"." NAME | "->" NAME | "[" cond "]"} */
static struct expr *parse_postfix(struct parser *p)
{
	struct expr *e = parse_primary(p), *inner;
	bool arrow;

	while (!p->failed) {
		if (accept(p, '[')) {
			inner = parse_cond(p);
			expect(p, ']', "expected ']'");
			e = node(p, EXPR_INDEX, span_join(e->span, p->last->span), e, inner);
			continue;
		}
		arrow = at_punct(p, PUNCT2('-', '>'));
		if (!arrow && !at_punct(p, '.'))
			break;
		next(p);
		if (p->t->kind != TOKEN_NAME) {
			syntax(p, p->t, "expected the name of a member");
			break;
		}
		e = node(p, EXPR_MEMBER, span_join(e->span, p->t->span), e, NULL);
		e->arrow = arrow;
		e->member.name = p->t->text;
		next(p);
	}
	return e;
}

static struct expr *parse_cast(struct parser *p)
{
	struct expr *e = node(p, EXPR_CAST, p->t->span, NULL, NULL);

	next(p);
	if (!parse_type(p, &e->cast_name, &e->cast_ptr))
		return e;
	e->user_cast = p->user;
	expect(p, ')', "expected ')'");
	e->a = parse_unary(p);
	e->depth = depth_of(e->a) + 1;
	e->span = span_join(e->span, e->a->span);
	return e;
}

/* unary = ("-" | "~" | "!" | "*" | "&" | "+") unary | "(" type ")" unary | postfix */
static struct expr *parse_unary(struct parser *p)
{
	static const struct {
		int punct;
		enum expr_op op;
	} ops[] = {
		{ '-', EXPR_NEG }, { '~', EXPR_COMPL }, { '!', EXPR_NOT }, { '*', EXPR_DEREF }, { '&', EXPR_ADDR },
	};
	struct span start = p->t->span;
	struct expr *e = NULL;

	if (!enter(p))
		return nothing(p);
	if (at_cast(p))
		e = parse_cast(p);
	for (size_t i = 0; !e && i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!accept(p, ops[i].punct))
			continue;
		e = parse_unary(p);
		e = node(p, ops[i].op, span_join(start, e->span), e, NULL);
	}
	if (!e && accept(p, '+'))
		e = parse_unary(p);
	if (!e)
		e = parse_postfix(p);
	p->nest--;
	return e;
}

/* in-list = "[" cond {"," cond} "]" | PARAM */
static struct expr *parse_in(struct parser *p, struct expr *a)
{
	struct expr *e = node(p, EXPR_IN, a->span, a, NULL), *item;

	if (p->t->kind == TOKEN_PARAM) {
		e->b = parse_primary(p);
	} else {
		expect(p, '[', "expected '[' or $set");
		do {
			if (p->failed)
				break;
			item = parse_cond(p);
			e->list = arena_grow(p->arena, e->list, e->nlist, sizeof(struct expr *));
			e->list[e->nlist++] = item;
			if (depth_of(item) >= e->depth)
				e->depth = depth_of(item) + 1;
		} while (accept(p, ','));
		expect(p, ']', "expected ',' or ']'");
	}
	e->span = span_join(a->span, p->last->span);
	return e;
}

/* like = a "like" (STR | PARAM); has = "kstack" "has" STR */
static struct expr *parse_pattern(struct parser *p, enum expr_op op, struct expr *a)
{
	struct expr *e = node(p, op, span_join(a->span, p->t->span), a, NULL);

	if (p->t->kind != TOKEN_STR && !(p->t->kind == TOKEN_PARAM && op == EXPR_STRCMP)) {
		syntax(p, p->t, op == EXPR_STRCMP ? "expected a pattern in double quotes" :
			       "expected a function's name in double quotes");
		return e;
	}
	if (op == EXPR_STRCMP) {
		e->b = parse_primary(p);
		e->is_glob = true;
		e->index = EXPR_EQ;
		return e;
	}
	e->text = p->t->text;
	next(p);
	if (a->op != EXPR_NAME || strcmp(a->text, "kstack")) {
		diag_hint(p->diags, diag_error(p->diags, TAG_SYNTAX, a->span, "only a stack can be asked: kstack has \"function\""),
			  "functions of a user stack have no names in the kernel: uprobe:FILE:FUNCTION is an event of its own");
		p->failed = true;
	}
	e->a = NULL;
	return e;
}

static const struct binary *binary_here(const struct parser *p)
{
	for (size_t i = 0; i < sizeof(binaries) / sizeof(binaries[0]); i++) {
		const struct binary *b = &binaries[i];

		if (b->word ? at_word(p->t, b->word) : at_punct(p, b->punct))
			return b;
	}
	return NULL;
}

static const struct binary *binary_of(const struct expr *e)
{
	for (size_t i = 0; !e->parens && i < sizeof(binaries) / sizeof(binaries[0]); i++) {
		if (binaries[i].op == e->op)
			return &binaries[i];
	}
	return NULL;
}

/* Where C reads something else than most people do: a & b == c; a < b < c. */
static void warn_precedence(struct parser *p, const struct binary *op, const struct expr *e)
{
	const struct binary *a = binary_of(e->a), *b = binary_of(e->b);
	const struct binary *side = b && b->level >= LEVEL_EQUAL && b->level <= LEVEL_COMPARE ? b :
				    a && a->level >= LEVEL_EQUAL && a->level <= LEVEL_COMPARE ? a : NULL;
	const struct expr *inner = side == b ? e->b : e->a;

	if (!side)
		return;
	if (op->level >= 3 && op->level <= 5)
		diag_hint(p->diags, diag_warn(p->diags, TAG_PARENS, e->span,
					      "C compares first, then applies '%c'", op->punct),
			  "write the parentheses that you mean, here probably around the '%c'", op->punct);
	else if (op->level == LEVEL_COMPARE && side->level == LEVEL_COMPARE)
		diag_hint(p->diags, diag_warn(p->diags, TAG_PARENS, e->span,
					      "C compares the result of '%.*s', 0 or 1", (int)inner->span.len,
					      inner->span.src->text + inner->span.off),
			  "a range is written a < b && b < c");
}

/* "x not in [..]", "x not like ..." */
static bool accept_not(struct parser *p)
{
	if (!at_word(p->t, "not") || !is_operator_word(p->t + 1) || at_word(p->t + 1, "not"))
		return false;
	next(p);
	return true;
}

/* binary(level) = unary {OP binary(level + 1)} for operators of this level and tighter */
static struct expr *parse_binary(struct parser *p, int level)
{
	struct expr *e = parse_unary(p), *right;
	const struct binary *op;
	bool negate;

	while (!p->failed) {
		negate = level <= LEVEL_COMPARE && accept_not(p);
		op = binary_here(p);
		if (!op || op->level < level)
			break;
		next(p);
		if (op->op == EXPR_IN) {
			e = parse_in(p, e);
		} else if (op->word) {
			e = parse_pattern(p, op->op, e);
		} else {
			right = parse_binary(p, op->level + 1);
			e = node(p, op->op, span_join(e->span, right->span), e, right);
			if (!p->failed)
				warn_precedence(p, op, e);
		}
		if (negate)
			e = node(p, EXPR_NOT, e->span, e, NULL);
	}
	return e;
}

/* cond = binary ["?" cond ":" cond] */
static struct expr *parse_cond(struct parser *p)
{
	struct expr *e, *b, *c;

	if (!enter(p))
		return nothing(p);
	e = parse_binary(p, LEVEL_LOWEST);
	if (!p->failed && accept(p, '?')) {
		b = parse_cond(p);
		expect(p, ':', "expected ':'");
		c = p->failed ? nothing(p) : parse_cond(p);
		e = node(p, EXPR_COND, span_join(e->span, c->span), e, b);
		e->c = c;
		if (c->depth >= e->depth)
			e->depth = c->depth + 1;
	}
	p->nest--;
	return e;
}

/* What people write who know other languages. */
static bool is_unit(const struct token *t)
{
	static const char *const units[] = { "ns", "us", "ms", "s", "m", "h", "d", "K", "M", "G", "KB", "MB", "GB" };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (at_word(t, units[i]))
			return true;
	}
	return false;
}

static void hint_leftover(struct parser *p, struct diag *d)
{
	if (at_punct(p, '='))
		diag_hint(p->diags, d, "'==' compares; nothing can be assigned here");
	else if (at_word(p->t, "and") || at_word(p->t, "or"))
		diag_hint(p->diags, d, "write '%s'", at_word(p->t, "and") ? "&&" : "||");
	else if (at_word(p->t, "contains") || at_word(p->t, "matches"))
		diag_hint(p->diags, d, "patterns are matched by: like \"*text*\"");
	else if (is_unit(p->t))
		diag_hint(p->diags, d, "a unit stands at its number: 5s, 4K");
}

struct expr *parse_expr(struct arena *a, struct diags *diags, const struct node *scalar)
{
	struct parser p = { .arena = a, .diags = diags };
	struct expr *e;

	p.t = p.last = lex(a, arena_scratch(a), diags, scalar);
	if (!p.t) {
		arena_reset(arena_scratch(a));
		return NULL;
	}
	e = parse_cond(&p);
	if (!p.failed && p.t->kind != TOKEN_END)
		hint_leftover(&p, syntax(&p, p.t, "expected an operator"));
	if (e->depth > EXPR_DEPTH_MAX)
		too_large(&p, e->span);
	arena_reset(arena_scratch(a));
	return p.failed ? NULL : e;
}
