// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/kallsyms.h"
#include "lib/cursor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct kallsyms {
	struct kallsyms_raw raw;
	uint32_t *at;			/* where in raw.names symbol i begins (its length byte) */
	uint32_t *hash;			/* of the name without the type letter */
	bool absolute_percpu;		/* offsets below 0 are relative, others absolute */
};

void kallsyms_raw_deinit(struct kallsyms_raw *raw)
{
	free(raw->names);
	free(raw->token_table);
	free(raw->offsets);
	memset(raw, 0, sizeof(*raw));
}

void kallsyms_destroy(struct kallsyms *s)
{
	if (!s)
		return;
	kallsyms_raw_deinit(&s->raw);
	free(s->at);
	free(s->hash);
	free(s);
}

/* FNV-1a */
#define HASH_INIT 2166136261u

static uint32_t hash_add(uint32_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return h;
}

static const char *token(const struct kallsyms *s, uint8_t number)
{
	return s->raw.token_table + s->raw.token_index[number];
}

/* Length of the name at the cursor, in tokens. */
static size_t name_len(struct cursor *c)
{
	size_t len = cursor_u8(c);

	if (len & 0x80)
		len = (len & 0x7f) | (size_t)cursor_u8(c) << 7;
	return len;
}

/* Every token must end inside the table. */
static int check_tokens(const struct kallsyms *s, struct err *err)
{
	for (int i = 0; i < KALLSYMS_TOKENS; i++) {
		size_t at = s->raw.token_index[i];

		if (at >= s->raw.token_table_len ||
		    !memchr(s->raw.token_table + at, 0, s->raw.token_table_len - at))
			return err_set(err, ERR_CORRUPT, "kallsyms: token %d lies outside the token table", i);
	}
	return 0;
}

static int index_names(struct kallsyms *s, struct err *err)
{
	struct cursor c = cursor_init(s->raw.names, s->raw.names_len);
	const uint8_t *tokens;
	const char *text;
	size_t len;
	uint32_t h;

	for (uint32_t i = 0; i < s->raw.num; i++) {
		s->at[i] = (uint32_t)cursor_offset(&c);
		len = name_len(&c);
		tokens = cursor_bytes(&c, len);
		if (!tokens || !len)
			return err_set(err, ERR_CORRUPT, "kallsyms: name %u of %u lies outside the table", i,
				       s->raw.num);
		h = HASH_INIT;
		for (size_t j = 0; j < len; j++) {
			text = token(s, tokens[j]);
			h = hash_add(h, j || !*text ? text : text + 1);
		}
		s->hash[i] = h;
	}
	return 0;
}

struct kallsyms *kallsyms_create(struct kallsyms_raw *raw, struct err *err)
{
	struct kallsyms *s = calloc(1, sizeof(*s));

	if (!s) {
		kallsyms_raw_deinit(raw);
		err_nomem(err);
		return NULL;
	}
	s->raw = *raw;
	memset(raw, 0, sizeof(*raw));
	s->at = calloc((size_t)s->raw.num + 1, sizeof(*s->at));
	s->hash = calloc((size_t)s->raw.num + 1, sizeof(*s->hash));
	if (!s->at || !s->hash) {
		err_nomem(err);
		goto fail;
	}
	if (check_tokens(s, err) || index_names(s, err))
		goto fail;
	for (uint32_t i = 0; i < s->raw.num && !s->absolute_percpu; i++)
		s->absolute_percpu = s->raw.offsets[i] < 0;
	return s;
fail:
	kallsyms_destroy(s);
	return NULL;
}

size_t kallsyms_count(const struct kallsyms *s)
{
	return s->raw.num;
}

/*
 * With CONFIG_KALLSYMS_ABSOLUTE_PERCPU (x86-64 SMP until v6.15) offsets from 0 up are absolute: per-CPU symbols;
 * negative ones count down from the base. The option itself is not in the dump, the negative offsets are.
 */
static uint64_t address(const struct kallsyms *s, size_t i)
{
	int32_t offset = s->raw.offsets[i];

	if (!s->absolute_percpu)
		return s->raw.relative_base + (uint32_t)offset;
	return offset >= 0 ? (uint64_t)offset : s->raw.relative_base - 1 - (uint64_t)(int64_t)offset;
}

/* Expand name i. Returns its type letter. */
static char expand(const struct kallsyms *s, size_t i, char *name, size_t size)
{
	struct cursor c = cursor_init(s->raw.names, s->raw.names_len);
	const uint8_t *tokens;
	size_t len, n = 0;
	char type = 0;

	cursor_seek(&c, s->at[i]);
	len = name_len(&c);
	tokens = cursor_bytes(&c, len);
	for (size_t j = 0; tokens && j < len; j++) {
		for (const char *t = token(s, tokens[j]); *t; t++) {
			if (!type)
				type = *t;
			else if (n + 1 < size)
				name[n++] = *t;
		}
	}
	if (size)
		name[n] = '\0';
	return type;
}

uint64_t kallsyms_get(const struct kallsyms *s, size_t i, char *type, char *name, size_t size)
{
	char t = expand(s, i, name, size);

	if (type)
		*type = t;
	return address(s, i);
}

int kallsyms_find(const struct kallsyms *s, const char *name, uint64_t *ret, struct err *err)
{
	uint32_t h = hash_add(HASH_INIT, name);
	char text[KALLSYMS_NAME_MAX];

	for (uint32_t i = 0; i < s->raw.num; i++) {
		if (s->hash[i] != h)
			continue;
		expand(s, i, text, sizeof(text));
		if (!strcmp(text, name)) {
			*ret = address(s, i);
			return 0;
		}
	}
	return err_set(err, ERR_ABSENT, "the kernel has no symbol %s", name);
}

int kallsyms_at(const struct kallsyms *s, uint64_t addr, char *name, size_t size, uint64_t *start, struct err *err)
{
	size_t lo = 0, hi = s->raw.num, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (address(s, mid) <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return err_set(err, ERR_ABSENT, "0x%llx lies below all symbols", (unsigned long long)addr);
	*start = address(s, lo - 1);
	while (lo > 1 && address(s, lo - 2) == *start)
		lo--;
	expand(s, lo - 1, name, size);
	return 0;
}
