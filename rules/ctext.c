// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/ctext.h"

#include <bpf/btf.h>
#include <string.h>

#include "lib/arena.h"
#include "rules/lex.h"

#define MEMBERS_MAX 1024
#define DEPTH_MAX 8

struct member {
	const char *name;	/* "" : anonymous */
	int type;		/* BTF id */
	uint64_t bit_off;
	uint32_t bit_size;
};

/* A type as a member has it. */
struct ctype {
	int id;
	uint64_t size;
	uint32_t align;
};

/* A named type of the text. */
struct named {
	const char *name;
	uint32_t kind;
	struct ctype type;
};

/* The text on its way to BTF: type records as words, as they stand in the file, and their strings. */
struct ctext {
	struct check *check;
	const struct token *t;
	bool failed;
	uint32_t *words, nwords;
	char *strs;
	uint32_t nstrs, first_str, next_id;
	struct named *names;
	uint32_t nnames;
};

/* A struct or union being laid out. */
struct layout {
	struct member members[MEMBERS_MAX];
	uint32_t n;
	uint64_t bits;		/* end so far */
	uint64_t size;		/* union: of the largest */
	uint32_t align;
	bool is_union;
};

static bool parse_struct(struct ctext *x, unsigned int depth, struct ctype *ret);

static bool fail(struct ctext *x, const char *what)
{
	if (!x->failed)
		diag_error(x->check->diags, TAG_SYNTAX, x->t->span, "in C text: %s", what);
	x->failed = true;
	return false;
}

static void add_word(struct ctext *x, uint32_t word)
{
	x->words = arena_grow(x->check->arena, x->words, x->nwords, sizeof(*x->words));
	x->words[x->nwords++] = word;
}

static uint32_t add_str(struct ctext *x, const char *s)
{
	uint32_t off = x->first_str + x->nstrs;

	if (!*s)
		return 0;
	do {
		x->strs = arena_grow(x->check->arena, x->strs, x->nstrs, 1);
		x->strs[x->nstrs++] = *s;
	} while (*s++);
	return off;
}

/* Begin a type; what belongs to its kind follows as words. */
static int add_type(struct ctext *x, const char *name, uint32_t kind, uint32_t vlen, bool kflag, uint32_t size_or_type)
{
	add_word(x, add_str(x, name));
	add_word(x, (uint32_t)kflag << 31 | kind << 24 | vlen);
	add_word(x, size_or_type);
	return (int)x->next_id++;
}

static int add_ptr(struct ctext *x, int to)
{
	return add_type(x, "", BTF_KIND_PTR, 0, false, (uint32_t)to);
}

static const struct named *find_name(const struct ctext *x, const char *name, uint32_t kind)
{
	for (uint32_t i = 0; i < x->nnames; i++) {
		if (x->names[i].kind == kind && !strcmp(x->names[i].name, name))
			return &x->names[i];
	}
	return NULL;
}

static void add_name(struct ctext *x, const char *name, uint32_t kind, struct ctype type)
{
	x->names = arena_grow(x->check->arena, x->names, x->nnames, sizeof(*x->names));
	x->names[x->nnames++] = (struct named){ .name = name, .kind = kind, .type = type };
}

static bool at(const struct ctext *x, int punct)
{
	return x->t->kind == TOKEN_PUNCT && x->t->punct == punct;
}

static bool word(const struct ctext *x, const char *s)
{
	return x->t->kind == TOKEN_NAME && !strcmp(x->t->text, s);
}

static bool accept(struct ctext *x, int punct)
{
	if (!at(x, punct))
		return false;
	x->t++;
	return true;
}

static bool expect(struct ctext *x, int punct, const char *what)
{
	return accept(x, punct) || fail(x, what);
}

/* The id of an integer, made when first needed. */
static int int_id(struct ctext *x, const struct type *t)
{
	const char *name = t->kind == TYPE_BOOL ? "bool" : t->is_char ? "char" : type_int(x->check->types, t->size,
											  t->is_signed)->name;
	const struct named *have = find_name(x, name, BTF_KIND_INT);
	struct ctype type = { .size = t->size, .align = t->size };

	if (have)
		return have->type.id;
	type.id = add_type(x, name, BTF_KIND_INT, 0, false, t->size);
	add_word(x, (uint32_t)(t->kind == TYPE_BOOL ? BTF_INT_BOOL : t->is_signed ? BTF_INT_SIGNED : 0) << 24 |
		    t->size * 8);
	add_name(x, name, BTF_KIND_INT, type);
	return type.id;
}

/* A struct that the text or the kernel's own BTF defines; else only declared, good for pointers. */
static void named_struct(struct ctext *x, bool is_union, const char *name, struct ctype *ret)
{
	uint32_t kind = is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT, id;
	const struct named *have = find_name(x, name, kind);
	const struct btf *where = NULL;

	have = have ? have : find_name(x, name, BTF_KIND_FWD);
	if (have) {
		*ret = have->type;
		return;
	}
	id = kbtf_find(x->check->kbtf, name, kind, &where);
	if (id && where == kbtf_vmlinux(x->check->kbtf)) {
		ret->id = (int)id;
		ret->size = btf__type_by_id(where, id)->size;
		ret->align = (uint32_t)btf__align_of(where, id);
		return;
	}
	*ret = (struct ctype){ .id = add_type(x, name, BTF_KIND_FWD, 0, is_union, 0) };
	add_name(x, name, BTF_KIND_FWD, *ret);
}

/* A type that is no struct: C's words, or a typedef of the kernel. */
static bool parse_words(struct ctext *x, struct ctype *ret)
{
	const struct type *t = NULL, *next;
	const char *text = NULL, *longer;

	for (; x->t->kind == TOKEN_NAME; x->t++) {
		if (word(x, "const") || word(x, "volatile") || word(x, "__user"))
			continue;
		longer = text ? arena_printf(x->check->arena, "%s %s", text, x->t->text) : x->t->text;
		next = type_by_name(x->check->types, longer);
		if (!next && text && t)
			break;
		text = longer;
		t = next;
	}
	if (!t && text)
		x->t--;
	if (!t)
		return fail(x, "expected a type that C or the kernel knows");
	ret->size = t->size;
	ret->align = t->size ? t->size : 1;
	if (t->kind == TYPE_VOID) {
		ret->id = 0;
		return true;
	}
	if (t->kind != TYPE_INT && t->kind != TYPE_BOOL)
		return fail(x, "typedefs here stand for integers; write struct NAME");
	ret->id = int_id(x, t);
	return true;
}

static bool parse_base(struct ctext *x, unsigned int depth, struct ctype *ret)
{
	bool is_union, is_enum;

	while (word(x, "const") || word(x, "volatile"))
		x->t++;
	is_union = word(x, "union");
	is_enum = word(x, "enum");
	if (!is_union && !is_enum && !word(x, "struct"))
		return parse_words(x, ret);
	x->t++;
	if (is_enum) {
		if (x->t->kind == TOKEN_NAME)
			x->t++;
		ret->size = ret->align = 4;
		ret->id = int_id(x, type_int(x->check->types, 4, false));
		return true;
	}
	if (at(x, '{') || (x->t->kind == TOKEN_NAME && x->t[1].kind == TOKEN_PUNCT && x->t[1].punct == '{')) {
		x->t--;
		return parse_struct(x, depth + 1, ret);
	}
	if (x->t->kind != TOKEN_NAME)
		return fail(x, "expected the struct's name");
	named_struct(x, is_union, (x->t++)->text, ret);
	return true;
}

static uint64_t align_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) / align * align;
}

/* As the psABI places it: a bit-field does not cross a boundary of its type. */
static bool place(struct ctext *x, struct layout *l, const char *name, const struct ctype *t, int64_t width)
{
	uint64_t unit = t->size * 8, off = l->is_union ? 0 : l->bits;

	if (l->n == MEMBERS_MAX)
		return fail(x, "more members than are allowed (1024)");
	if (!t->size)
		return fail(x, "the size of this member is not known");
	if (width < 0)
		off = align_up(off, (uint64_t)t->align * 8);
	else if (width == 0 || off / unit != (off + (uint64_t)width - 1) / unit)
		off = align_up(off, unit);
	l->align = t->align > l->align ? t->align : l->align;
	l->bits = off + (width < 0 ? unit : (uint64_t)width);
	if (l->bits >= 1u << 24)
		return fail(x, "the struct is too large");
	l->size = l->bits > l->size ? l->bits : l->size;
	if (width != 0)
		l->members[l->n++] = (struct member){ .name = name, .type = t->id, .bit_off = off,
						      .bit_size = width > 0 ? (uint32_t)width : 0 };
	return true;
}

/* "(*name)(...)": a pointer to a function; the arguments do not matter. */
static bool parse_func_ptr(struct ctext *x, const char **name, struct ctype *t)
{
	int depth = 1;

	x->t++;
	if (!expect(x, '*', "expected '(*name)(...)'"))
		return false;
	if (x->t->kind != TOKEN_NAME)
		return fail(x, "expected a name");
	*name = (x->t++)->text;
	if (!expect(x, ')', "expected ')'") || !expect(x, '(', "expected '('"))
		return false;
	for (; depth && x->t->kind != TOKEN_END; x->t++)
		depth += at(x, '(') ? 1 : at(x, ')') ? -1 : 0;
	t->id = add_ptr(x, 0);
	t->size = t->align = 8;
	return true;
}

static void add_array(struct ctext *x, struct ctype *t, int index, uint32_t n)
{
	uint32_t element = (uint32_t)t->id;

	t->id = add_type(x, "", BTF_KIND_ARRAY, 0, false, 0);
	add_word(x, element);
	add_word(x, (uint32_t)index);
	add_word(x, n);
}

/* [N][M]: from the last to the first */
static bool parse_dims(struct ctext *x, struct ctype *t)
{
	uint64_t dims[8];
	uint32_t n = 0;
	int index;

	for (; accept(x, '['); n++) {
		if (n == 8 || x->t->kind != TOKEN_INT || x->t->value > 1u << 24)
			return fail(x, "expected a number of elements");
		dims[n] = (x->t++)->value;
		if (!expect(x, ']', "expected ']'"))
			return false;
	}
	if (!n)
		return true;
	index = int_id(x, type_int(x->check->types, 4, false));
	while (n-- && !x->failed) {
		add_array(x, t, index, (uint32_t)dims[n]);
		if (t->size && dims[n] > UINT32_MAX / t->size)
			return fail(x, "the array is too large");
		t->size *= dims[n];
	}
	return !x->failed;
}

/* {"*"} NAME {"[" N "]"} [":" WIDTH] */
static bool parse_declarator(struct ctext *x, struct layout *l, struct ctype t)
{
	const char *name = "";
	int64_t width = -1;

	while (at(x, '*') || word(x, "const") || word(x, "__user")) {
		if (at(x, '*')) {
			t.id = add_ptr(x, t.id);
			t.size = t.align = 8;
		}
		x->t++;
	}
	if (at(x, '(')) {
		if (!parse_func_ptr(x, &name, &t))
			return false;
	} else if (x->t->kind == TOKEN_NAME) {
		name = (x->t++)->text;
	} else if (!at(x, ':')) {
		return fail(x, "expected a member's name");
	}
	if (!parse_dims(x, &t))
		return false;
	if (accept(x, ':')) {
		if (x->t->kind != TOKEN_INT || x->t->value > t.size * 8)
			return fail(x, "expected the width of a bit-field");
		width = (int64_t)(x->t++)->value;
	}
	return place(x, l, name, &t, width);
}

/* type declarator {"," declarator} ";" | struct ";" */
static bool parse_member(struct ctext *x, struct layout *l, unsigned int depth)
{
	struct ctype t;

	if (!parse_base(x, depth, &t))
		return false;
	if (accept(x, ';'))
		return place(x, l, "", &t, -1);
	do {
		if (!parse_declarator(x, l, t))
			return false;
	} while (accept(x, ','));
	return expect(x, ';', "expected ';'");
}

static void emit(struct ctext *x, const struct layout *l, const char *name, struct ctype *ret)
{
	uint32_t kind = l->is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT;

	ret->align = l->align;
	ret->size = align_up(align_up(l->size, 8) / 8, l->align);
	ret->id = add_type(x, name, kind, l->n, true, (uint32_t)ret->size);
	for (uint32_t i = 0; i < l->n; i++) {
		add_word(x, add_str(x, l->members[i].name));
		add_word(x, (uint32_t)l->members[i].type);
		add_word(x, l->members[i].bit_size << 24 | (uint32_t)l->members[i].bit_off);
	}
	if (*name)
		add_name(x, name, kind, *ret);
}

/* ("struct" | "union") [NAME] "{" {member} "}" ["__packed"] */
static bool parse_struct(struct ctext *x, unsigned int depth, struct ctype *ret)
{
	struct layout *l = arena_new(x->check->arena, struct layout);
	const char *name = "";

	if (depth > DEPTH_MAX)
		return fail(x, "structs nested too deep");
	l->align = 1;
	l->is_union = word(x, "union");
	x->t++;
	if (x->t->kind == TOKEN_NAME)
		name = (x->t++)->text;
	if (!expect(x, '{', "expected '{'"))
		return false;
	while (!at(x, '}')) {
		if (!parse_member(x, l, depth))
			return false;
	}
	x->t++;
	if (word(x, "__packed") || word(x, "__attribute__"))
		return fail(x, "attributes are not supported: write padding and order as they are in memory");
	if (*name && find_name(x, name, l->is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT))
		return fail(x, "defined twice");
	emit(x, l, name, ret);
	return true;
}

static void free_btf(void *btf)
{
	btf__free(btf);
}

static const struct btf *load(struct ctext *x)
{
	struct arena *a = x->check->arena;
	struct btf_header hdr = {
		.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(hdr), .type_len = x->nwords * 4,
		.str_off = x->nwords * 4, .str_len = x->nstrs,
	};
	char *data = arena_alloc(a, sizeof(hdr) + hdr.type_len + hdr.str_len);
	struct btf *btf;

	memcpy(data, &hdr, sizeof(hdr));
	if (x->nwords)
		memcpy(data + sizeof(hdr), x->words, hdr.type_len);
	if (x->nstrs)
		memcpy(data + sizeof(hdr) + hdr.type_len, x->strs, hdr.str_len);
	btf = kbtf_new_split(x->check->kbtf, data, sizeof(hdr) + hdr.type_len + hdr.str_len);
	if (!btf)
		arena_alloc(a, SIZE_MAX);
	arena_defer(a, free_btf, btf);
	return btf;
}

const struct btf *ctext_read(struct check *c, const struct node *text)
{
	struct ctext x = { .check = c, .first_str = kbtf_str_len(c->kbtf),
			   .next_id = btf__type_cnt(kbtf_vmlinux(c->kbtf)) };
	struct ctype t;

	x.t = lex(c->arena, c->arena, c->diags, text);
	if (!x.t)
		return NULL;
	while (!x.failed && x.t->kind != TOKEN_END) {
		if (!word(&x, "struct") && !word(&x, "union"))
			fail(&x, "expected struct NAME {...};");
		else if (parse_struct(&x, 0, &t))
			expect(&x, ';', "expected ';'");
	}
	return x.failed || !x.nwords ? NULL : load(&x);
}
