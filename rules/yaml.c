// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * yaml.c - libyaml's events to a tree. The only file that knows libyaml.
 *
 * libyaml counts characters, we count bytes: a table of every 64th character's offset translates. Its parser is
 * allocated by malloc; the arena is asked to delete it, since running out of memory leaves this file by longjmp.
 */
#include "rules/yaml.h"

#include <ctype.h>
#include <string.h>
#include <yaml.h>

#include "lib/arena.h"

#define CHARS_PER_ENTRY 64
#define SEEK_MAX 512		/* bytes of escapes and indentation looked over for the next byte of a scalar */

struct reader {
	struct arena *arena, *tree;	/* texts; nodes */
	const struct source *src;
	struct diags *diags;
	yaml_parser_t parser;
	yaml_event_t event;
	bool have_parser, have_event, failed;
	uint32_t *byte_of;		/* [i]: offset of character i * CHARS_PER_ENTRY */
	uint32_t nentries;
	uint32_t nnodes;
};

static void reader_free(void *arg)
{
	struct reader *r = arg;

	if (r->have_event)
		yaml_event_delete(&r->event);
	if (r->have_parser)
		yaml_parser_delete(&r->parser);
	r->have_event = r->have_parser = false;
}

static bool starts_char(const struct source *src, size_t i)
{
	return (src->text[i] & 0xc0) != 0x80;
}

/* Length of a byte order mark. */
static size_t mark_len(const struct source *src)
{
	return src->len >= 3 && !memcmp(src->text, "\xef\xbb\xbf", 3) ? 3 : 0;
}

static void index_chars(struct reader *r)
{
	const struct source *src = r->src;
	size_t i = mark_len(src);
	uint32_t nchars = 0;

	r->byte_of = arena_array(r->tree, src->len / CHARS_PER_ENTRY + 2, sizeof(*r->byte_of));
	for (; i < src->len; i++) {
		if (!starts_char(src, i))
			continue;
		if (nchars++ % CHARS_PER_ENTRY == 0)
			r->byte_of[r->nentries++] = (uint32_t)i;
	}
}

static uint32_t byte_offset(const struct reader *r, size_t nchar)
{
	size_t entry = nchar / CHARS_PER_ENTRY, left = nchar % CHARS_PER_ENTRY, i;

	if (entry >= r->nentries)
		return (uint32_t)r->src->len;
	for (i = r->byte_of[entry]; left && i < r->src->len; left--) {
		i++;
		while (i < r->src->len && !starts_char(r->src, i))
			i++;
	}
	return (uint32_t)i;
}

static struct span span_between(const struct reader *r, yaml_mark_t from, yaml_mark_t to)
{
	uint32_t off = byte_offset(r, from.index), end = byte_offset(r, to.index);

	return (struct span){ .src = r->src, .off = off, .len = end > off ? end - off : 0 };
}

/* The value on the line of a place if it begins with a character that YAML takes for itself, else NULL. */
static const char *value_to_quote(const struct reader *r, struct span at, size_t *len)
{
	uint32_t line = span_line(at);
	char *text = source_line(r->arena, r->src, line), *v = strstr(text, ": ");

	if (!v && !strncmp(text + strspn(text, " "), "- ", 2))
		v = text + strspn(text, " ");
	if (!v)
		return NULL;
	v += 2;
	v += strspn(v, " ");
	*len = strcspn(v, "#");
	while (*len && v[*len - 1] == ' ')
		(*len)--;
	return *v && *len ? v : NULL;
}

static void hint_quote(struct reader *r, struct diag *d, struct span at)
{
	size_t len;
	const char *v = value_to_quote(r, at, &len);

	if (v && (*v == '{' || *v == '[') && at.off > r->src->line_off[span_line(at) - 1] + 1)
		diag_hint(r->diags, d, "inside {...} and [...] quote each value that has any of: { } [ ] , : #");
	else if (!v || *v == '"' || *v == '\'')
		diag_hint(r->diags, d, "quote a value that begins with one of ! & * %% @ ` { [ or contains ': ' or ' #'");
	else if (memchr(v, '\'', len))
		diag_hint(r->diags, d, "quote it: \"%.*s\"", (int)len, v);
	else
		diag_hint(r->diags, d, "quote it: '%.*s'", (int)len, v);
}

static void parser_failed(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	struct span at = { .src = r->src };
	struct diag *d;

	r->failed = true;
	if (p->error == YAML_MEMORY_ERROR) {
		arena_alloc(r->arena, SIZE_MAX);	/* out of memory as everywhere else */
		return;
	}
	if (p->error == YAML_READER_ERROR) {
		at.off = p->problem_offset < r->src->len ? (uint32_t)(p->problem_offset + mark_len(r->src)) : (uint32_t)r->src->len;
		diag_error(r->diags, TAG_YAML, at, "not UTF-8 text: %s", p->problem);
		return;
	}
	at.off = byte_offset(r, p->problem_mark.index);
	d = diag_error(r->diags, TAG_YAML, at, "%s%s%s", p->problem ? p->problem : "not YAML",
		       p->context ? " " : "", p->context ? p->context : "");
	if (at.off < r->src->len && r->src->text[at.off] == '\t')
		diag_hint(r->diags, d, "YAML indents with spaces, not with tabs");
	else
		hint_quote(r, d, at);
}

static bool next_event(struct reader *r)
{
	if (r->have_event)
		yaml_event_delete(&r->event);
	r->have_event = false;
	if (r->failed)
		return false;
	if (!yaml_parser_parse(&r->parser, &r->event)) {
		parser_failed(r);
		return false;
	}
	r->have_event = true;
	return true;
}

/* A tag, anchor or alias: never meant; what was meant is an expression that begins with ! & or *. */
static void refuse(struct reader *r, const char *what, const char *sigil, const yaml_char_t *name)
{
	struct span at = span_between(r, r->event.start_mark, r->event.end_mark);
	struct diag *d;

	if (!at.len)
		at.len = 1;
	d = diag_error(r->diags, TAG_QUOTE, at, "YAML takes '%s%s' for %s", sigil, (const char *)name, what);
	hint_quote(r, d, at);
}

static void refuse_properties(struct reader *r, struct node *n, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		refuse(r, "an anchor", "&", anchor);
	if (tag)
		refuse(r, "a tag, not as part of the value", "", tag);
	n->bad = anchor || tag;
}

/* Where each byte of an escaped, folded or block scalar stands: the same bytes in the same order, others between. */
static void map_text(struct reader *r, struct node *n)
{
	const char *s = r->src->text;
	uint32_t at = n->span.off, end = n->span.off + n->span.len;

	n->map = arena_array(r->tree, (size_t)n->len + 1, sizeof(*n->map));
	for (uint32_t i = 0; i < n->len; i++) {
		uint32_t seek = at, limit = end - at > SEEK_MAX ? at + SEEK_MAX : end;
		char c = n->text[i];

		while (seek < limit && s[seek] != c && !(isspace((unsigned char)c) && isspace((unsigned char)s[seek])))
			seek++;
		n->map[i] = seek < limit ? seek : at;
		if (seek < limit)
			at = seek + 1;
	}
	n->map[n->len] = at;
}

static struct node *new_node(struct reader *r, enum node_kind kind)
{
	struct node *n = arena_new(r->tree, struct node);

	n->kind = kind;
	n->span = span_between(r, r->event.start_mark, r->event.end_mark);
	if (++r->nnodes > YAML_NODES_MAX && !r->failed) {
		diag_error(r->diags, TAG_LIMIT, n->span, "more than %u values in one file", YAML_NODES_MAX);
		r->failed = true;
	}
	return n;
}

static struct node *read_scalar(struct reader *r)
{
	struct node *n = new_node(r, NODE_SCALAR);
	size_t len = r->event.data.scalar.length;
	yaml_scalar_style_t style = r->event.data.scalar.style;
	uint32_t inner;

	refuse_properties(r, n, r->event.data.scalar.anchor, r->event.data.scalar.tag);
	if (len > YAML_SCALAR_MAX) {
		diag_error(r->diags, TAG_LIMIT, n->span, "a value of more than %u bytes", YAML_SCALAR_MAX);
		len = 0;
	}
	n->text = arena_strndup(r->arena, (const char *)r->event.data.scalar.value, len);
	n->len = (uint32_t)strlen(n->text);
	if (n->len != len)
		diag_error(r->diags, TAG_BAD_VALUE, n->span, "a NUL character in a value");
	n->quoted = style != YAML_PLAIN_SCALAR_STYLE;
	inner = n->span.off + (style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE);
	if (inner + n->len <= r->src->len && !memcmp(r->src->text + inner, n->text, n->len))
		n->text_off = inner;
	else
		map_text(r, n);
	return n;
}

static struct node *empty_scalar(struct reader *r)
{
	struct node *n = new_node(r, NODE_SCALAR);

	n->text = "";
	n->text_off = n->span.off;
	n->bad = true;
	return n;
}

static struct node *read_value(struct reader *r, unsigned int depth);

static void add_item(struct reader *r, struct node *n, struct node *key, struct node *value)
{
	if (key) {
		n->keys = arena_grow(r->tree, n->keys, n->n, sizeof(*n->keys));
		n->keys[n->n] = key;
	}
	n->items = arena_grow(r->tree, n->items, n->n, sizeof(*n->items));
	n->items[n->n++] = value;
}

static struct node *read_list(struct reader *r, unsigned int depth)
{
	struct node *n = new_node(r, NODE_LIST), *item;

	refuse_properties(r, n, r->event.data.sequence_start.anchor, r->event.data.sequence_start.tag);
	n->flow = r->event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
	while (next_event(r) && r->event.type != YAML_SEQUENCE_END_EVENT) {
		item = read_value(r, depth);
		if (!item)
			break;
		add_item(r, n, NULL, item);
	}
	if (r->have_event)
		n->span = span_join(n->span, span_between(r, r->event.start_mark, r->event.end_mark));
	return n;
}

static void check_key(struct reader *r, const struct node *map, const struct node *key)
{
	struct diag *d;

	if (map->n == YAML_KEYS_MAX)
		diag_error(r->diags, TAG_LIMIT, key->span, "more than %u keys in one mapping", YAML_KEYS_MAX);
	if (map->n >= YAML_KEYS_MAX)
		r->failed = true;
	if (key->kind != NODE_SCALAR) {
		d = diag_error(r->diags, TAG_VALUE_KIND, key->span, "a key must be a name, not %s", node_kind_text(key));
		hint_quote(r, d, key->span);
		return;
	}
	for (uint32_t i = 0; i < map->n; i++) {
		if (map->keys[i]->kind != NODE_SCALAR || strcmp(map->keys[i]->text, key->text))
			continue;
		d = diag_error(r->diags, TAG_DUPLICATE, key->span, "'%s' is given twice", key->text);
		diag_also(r->diags, d, map->keys[i]->span, "first here");
		return;
	}
}

static struct node *read_map(struct reader *r, unsigned int depth)
{
	struct node *n = new_node(r, NODE_MAP), *key, *value;

	refuse_properties(r, n, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag);
	n->flow = r->event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	while (next_event(r) && r->event.type != YAML_MAPPING_END_EVENT) {
		key = read_value(r, depth);
		if (!key || !next_event(r))
			break;
		value = read_value(r, depth);
		if (!value)
			break;
		check_key(r, n, key);
		if (key->kind == NODE_SCALAR)
			add_item(r, n, key, value);
	}
	if (r->have_event)
		n->span = span_join(n->span, span_between(r, r->event.start_mark, r->event.end_mark));
	return n;
}

/* The node that begins with the current event; NULL after a failure. */
static struct node *read_value(struct reader *r, unsigned int depth)
{
	struct span at = span_between(r, r->event.start_mark, r->event.end_mark);

	if (depth >= YAML_DEPTH_MAX) {
		diag_error(r->diags, TAG_LIMIT, at, "nested more than %d levels deep", YAML_DEPTH_MAX);
		r->failed = true;
	}
	if (r->failed)
		return NULL;
	switch (r->event.type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(r);
	case YAML_SEQUENCE_START_EVENT:
		return read_list(r, depth + 1);
	case YAML_MAPPING_START_EVENT:
		return read_map(r, depth + 1);
	case YAML_ALIAS_EVENT:
		refuse(r, "an alias", "*", r->event.data.alias.anchor);
		return empty_scalar(r);
	default:
		r->failed = true;
		return NULL;
	}
}

struct yaml_file *yaml_parse(struct arena *a, struct arena *tree, const struct source *src, struct diags *diags)
{
	struct reader *r = arena_new(a, struct reader);
	struct yaml_file *f = arena_new(tree, struct yaml_file);
	struct node *root;

	r->arena = a;
	r->tree = tree;
	r->src = src;
	r->diags = diags;
	index_chars(r);
	arena_defer(a, reader_free, r);
	r->have_parser = yaml_parser_initialize(&r->parser);
	if (!r->have_parser)
		arena_alloc(a, SIZE_MAX);
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)src->text + mark_len(src),
				     src->len - mark_len(src));
	while (next_event(r) && r->event.type != YAML_STREAM_END_EVENT) {
		if (r->event.type != YAML_DOCUMENT_START_EVENT)
			continue;
		if (!next_event(r))
			break;
		root = read_value(r, 0);
		if (!root || r->failed || node_is_null(root))
			continue;
		f->docs = arena_grow(tree, f->docs, f->ndocs, sizeof(struct node *));
		f->docs[f->ndocs++] = root;
	}
	f->failed = r->failed;
	reader_free(r);
	return f;
}

const struct node *node_keep(struct arena *a, const struct node *n)
{
	struct node *kept = arena_new(a, struct node);
	size_t places = (size_t)n->len + 1;

	*kept = *n;
	if (n->kind != NODE_SCALAR) {
		kept->items = kept->keys = NULL;
		kept->n = 0;
	} else if (n->map) {
		kept->map = arena_array(a, places, sizeof(*n->map));
		memcpy(kept->map, n->map, places * sizeof(*n->map));
	}
	return kept;
}

struct span node_part(const struct node *n, uint32_t off, uint32_t len)
{
	struct span s = n->span;
	uint32_t end = off + len;

	if (n->kind != NODE_SCALAR)
		return s;
	off = off > n->len ? n->len : off;
	end = end > n->len ? n->len : end;
	if (!n->map) {
		s.off = n->text_off + off;
		s.len = end - off;
		return s;
	}
	s.off = n->map[off];
	s.len = end > off ? n->map[end - 1] + 1 - s.off : 0;
	return s;
}

bool node_is_null(const struct node *n)
{
	return n->kind == NODE_SCALAR && !n->quoted &&
	       (!n->len || !strcmp(n->text, "~") || !strcmp(n->text, "null"));
}

struct node *node_get(const struct node *map, const char *key)
{
	for (uint32_t i = 0; map->kind == NODE_MAP && i < map->n; i++) {
		if (!strcmp(map->keys[i]->text, key))
			return map->items[i];
	}
	return NULL;
}

const char *node_kind_text(const struct node *n)
{
	switch (n->kind) {
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a mapping";
	default:
		return node_is_null(n) ? "nothing" : "a value";
	}
}
