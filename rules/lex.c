// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/lex.h"

#include <ctype.h>
#include <string.h>

#include "lib/arena.h"

struct lexer {
	struct arena *arena, *scratch;
	struct diags *diags;
	const struct node *node;
	const char *text;
	uint32_t pos, len;
	struct token *tokens;
	uint32_t n;
};

static const struct {
	const char *suffix;
	uint64_t factor;
	enum unit unit;
} suffixes[] = {
	{ "", 1, UNIT_DECIMAL },
	{ "ns", 1, UNIT_TIME }, { "us", 1000, UNIT_TIME }, { "ms", 1000000, UNIT_TIME },
	{ "s", 1000000000, UNIT_TIME }, { "m", 60000000000, UNIT_TIME }, { "min", 60000000000, UNIT_TIME },
	{ "h", 3600000000000, UNIT_TIME }, { "d", 86400000000000, UNIT_TIME },
	{ "K", 1ull << 10, UNIT_SIZE }, { "KiB", 1ull << 10, UNIT_SIZE },
	{ "M", 1ull << 20, UNIT_SIZE }, { "MiB", 1ull << 20, UNIT_SIZE },
	{ "G", 1ull << 30, UNIT_SIZE }, { "GiB", 1ull << 30, UNIT_SIZE },
	{ "u", 1, UNIT_UNSIGNED }, { "U", 1, UNIT_UNSIGNED },
	{ "l", 1, UNIT_LONG }, { "L", 1, UNIT_LONG }, { "ll", 1, UNIT_LONG }, { "LL", 1, UNIT_LONG },
	{ "ul", 1, UNIT_ULONG }, { "UL", 1, UNIT_ULONG }, { "ull", 1, UNIT_ULONG }, { "ULL", 1, UNIT_ULONG },
	{ "lu", 1, UNIT_ULONG }, { "LU", 1, UNIT_ULONG },
};

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Digits of one base; returns the end, or NULL on overflow. */
static const char *read_digits(const char *p, unsigned int base, uint64_t *value)
{
	*value = 0;
	for (;; p++) {
		unsigned int digit = isdigit((unsigned char)*p) ? (unsigned int)(*p - '0') :
				     isxdigit((unsigned char)*p) ? (unsigned int)(tolower(*p) - 'a') + 10 : 99;

		if (digit >= base)
			return p;
		if (__builtin_mul_overflow(*value, base, value) || __builtin_add_overflow(*value, digit, value))
			return NULL;
	}
}

/* 6.12 or 6.1.55, as the kernel counts its versions. */
static const char *read_version(const char *text, uint64_t *value)
{
	uint64_t part[3] = { 0 };
	const char *p = text;

	for (int i = 0; i < 3; i++) {
		p = read_digits(p, 10, &part[i]);
		if (!p || part[i] > 65535)
			return "a version is written like 6.12 or 6.1.55";
		if (*p != '.' || !isdigit((unsigned char)p[1]))
			break;
		p++;
	}
	if (*p)
		return "a version is written like 6.12 or 6.1.55";
	*value = part[0] << 16 | part[1] << 8 | (part[2] > 255 ? 255 : part[2]);
	return NULL;
}

const char *lex_number(const char *text, uint64_t *value, enum unit *unit)
{
	unsigned int base = 10;
	const char *p = text;

	if (!isdigit((unsigned char)*p))
		return "not a number";
	if (strchr(text, '.')) {
		*unit = UNIT_VERSION;
		return read_version(text, value);
	}
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && isxdigit((unsigned char)p[2])) {
		base = 16;
		p += 2;
	} else if (p[0] == '0' && p[1] == 'b' && (p[2] == '0' || p[2] == '1')) {
		base = 2;
		p += 2;
	} else if (p[0] == '0' && isdigit((unsigned char)p[1])) {
		base = 8;
	}
	p = read_digits(p, base, value);
	if (!p)
		return "larger than 64 bits";
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (strcmp(p, suffixes[i].suffix))
			continue;
		*unit = suffixes[i].unit;
		if (base != 10 && (*unit == UNIT_TIME || *unit == UNIT_SIZE))
			break;
		if (*unit == UNIT_DECIMAL && base != 10)
			*unit = UNIT_HEX;
		return __builtin_mul_overflow(*value, suffixes[i].factor, value) ? "larger than 64 bits" : NULL;
	}
	if (base == 8)
		return "not an octal number, which a leading 0 makes it";
	return "not a number; units are ns us ms s m h d and K M G";
}

static struct token *add_token(struct lexer *l, enum token_kind kind, uint32_t from)
{
	struct token *t;

	l->tokens = arena_grow(l->scratch, l->tokens, l->n, sizeof(*l->tokens));
	t = &l->tokens[l->n++];
	*t = (struct token){ .kind = kind, .span = node_part(l->node, from, l->pos - from) };
	return t;
}

static bool lex_int(struct lexer *l)
{
	uint32_t from = l->pos;
	const char *problem;
	struct token *t;
	char *text;

	while (l->pos < l->len && (is_name(l->text[l->pos]) ||
				   (l->text[l->pos] == '.' && isdigit((unsigned char)l->text[l->pos + 1]))))
		l->pos++;
	text = arena_strndup(l->arena, l->text + from, l->pos - from);
	t = add_token(l, TOKEN_INT, from);
	problem = lex_number(text, &t->value, &t->unit);
	if (problem)
		diag_error(l->diags, TAG_SYNTAX, t->span, "'%s': %s", text, problem);
	return !problem;
}

/* The character that an escape stands for, or -1; moves past it. Backslash before * and ? stays, for patterns. */
static int read_escape(struct lexer *l)
{
	static const char from[] = "ntr0abfv\\\"'", to[] = "\n\t\r\0\a\b\f\v\\\"'";
	char c = l->text[l->pos];
	const char *p = c ? strchr(from, c) : NULL;
	uint64_t value;
	char hex[3];

	if (p) {
		l->pos++;
		return (unsigned char)to[p - from];
	}
	if (c == '*' || c == '?')
		return '\\';
	if (c == 'x' && isxdigit((unsigned char)l->text[l->pos + 1])) {
		memcpy(hex, l->text + l->pos + 1, 2);
		hex[isxdigit((unsigned char)hex[1]) ? 2 : 1] = '\0';
		l->pos += 1 + (uint32_t)strlen(hex);
		read_digits(hex, 16, &value);
		return (int)value;
	}
	return -1;
}

/* "string" or 'c'. */
static bool lex_quoted(struct lexer *l)
{
	uint32_t from = l->pos, n = 0;
	char quote = l->text[l->pos++], *s = arena_alloc(l->arena, l->len - from + 1);
	struct token *t;
	int c;

	while (l->pos < l->len && l->text[l->pos] != quote) {
		c = (unsigned char)l->text[l->pos++];
		if (c == '\\')
			c = read_escape(l);
		if (c < 0) {
			diag_error(l->diags, TAG_SYNTAX, node_part(l->node, l->pos - 1, 2), "unknown escape '\\%c'",
				   l->text[l->pos]);
			return false;
		}
		s[n++] = (char)c;
	}
	if (l->pos++ >= l->len) {
		l->pos = l->len;
		diag_error(l->diags, TAG_SYNTAX, node_part(l->node, from, 1), "the closing %c is missing", quote);
		return false;
	}
	t = add_token(l, quote == '"' ? TOKEN_STR : TOKEN_INT, from);
	t->text = s;
	t->len = n;
	t->unit = UNIT_CHAR;
	if (quote == '"')
		return true;
	t->value = (uint64_t)(signed char)s[0];
	if (n == 1)
		return true;
	diag_hint(l->diags, diag_error(l->diags, TAG_SYNTAX, t->span, "'...' is one character"),
		  "strings stand in double quotes: \"%.*s\"", (int)n, s);
	return false;
}

static bool lex_punct(struct lexer *l)
{
	static const char two[][3] = { "->", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||" };
	static const char one[] = "+-*/%&|^~!<>=?:.,()[]{};";
	const char *p = l->text + l->pos;
	uint32_t from = l->pos;

	for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
		if (strncmp(p, two[i], 2))
			continue;
		l->pos += 2;
		add_token(l, TOKEN_PUNCT, from)->punct = PUNCT2(two[i][0], two[i][1]);
		return true;
	}
	l->pos++;
	if (*p && strchr(one, *p)) {
		add_token(l, TOKEN_PUNCT, from)->punct = *p;
		return true;
	}
	while (l->pos < l->len && (l->text[l->pos] & 0xc0) == 0x80)
		l->pos++;
	diag_error(l->diags, TAG_SYNTAX, node_part(l->node, from, l->pos - from), "'%.*s' means nothing here",
		   (int)(l->pos - from), p);
	return false;
}

static bool lex_one(struct lexer *l)
{
	uint32_t from = l->pos;
	char c = l->text[l->pos];
	struct token *t;

	if (isdigit((unsigned char)c))
		return lex_int(l);
	if (c == '"' || c == '\'')
		return lex_quoted(l);
	if (!is_name(c) && !(c == '$' && is_name(l->text[l->pos + 1])))
		return lex_punct(l);
	do {
		l->pos++;
	} while (l->pos < l->len && is_name(l->text[l->pos]));
	t = add_token(l, c == '$' ? TOKEN_PARAM : TOKEN_NAME, from);
	from += c == '$';
	t->text = arena_strndup(l->arena, l->text + from, l->pos - from);
	t->len = l->pos - from;
	return true;
}

/* White space and C's comments. */
static void skip_space(struct lexer *l)
{
	const char *end;

	for (;;) {
		while (l->pos < l->len && isspace((unsigned char)l->text[l->pos]))
			l->pos++;
		if (!strncmp(l->text + l->pos, "//", 2))
			end = strchr(l->text + l->pos, '\n');
		else if (!strncmp(l->text + l->pos, "/*", 2))
			end = strstr(l->text + l->pos + 2, "*/");
		else
			return;
		l->pos = end ? (uint32_t)(end - l->text) + (*end == '*' ? 2 : 1) : l->len;
	}
}

/* The end is right behind the last token, not where a block or a line ends. */
static void add_end(struct lexer *l)
{
	struct span span = node_part(l->node, 0, 0);

	if (l->n)
		span = l->tokens[l->n - 1].span;
	span.off += span.len;
	span.len = 0;
	l->pos = l->len;
	add_token(l, TOKEN_END, l->len)->span = span;
}

struct token *lex(struct arena *a, struct arena *tokens, struct diags *diags, const struct node *scalar)
{
	struct lexer l = { .arena = a, .scratch = tokens, .diags = diags, .node = scalar, .text = scalar->text, .len = scalar->len };

	for (;;) {
		skip_space(&l);
		if (l.pos >= l.len)
			break;
		if (!lex_one(&l))
			return NULL;
	}
	add_end(&l);
	return l.tokens;
}
