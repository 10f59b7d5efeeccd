// SPDX-License-Identifier: GPL-2.0-or-later
/* capsule_replay.c - answer from a capsule. All bytes are untrusted. */
#include "kdump/capsule.h"
#include "kdump/capsule_format.h"
#include "lib/cursor.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

/* One answer: where its question and answer stand in the unpacked chunks. */
struct answer {
	uint64_t hash;			/* of kind and question */
	const uint8_t *question;
	const uint8_t *data;		/* answer, or error text */
	uint32_t question_len, len;
	uint8_t kind, code;
};

struct replay {
	struct kernel kernel;
	uint8_t **chunks;
	size_t nchunks;
	struct answer *answers;		/* open addressing, a power of two */
	size_t nanswers, cap;
	bool whole;
};

static uint64_t hash_question(uint8_t kind, const uint8_t *q, size_t len)
{
	uint64_t h = (0xcbf29ce484222325ull ^ kind) * 0x100000001b3ull;

	while (len--)
		h = (h ^ *q++) * 0x100000001b3ull;
	return h ? h : 1;
}

static bool same_question(const struct answer *a, uint64_t hash, uint8_t kind, const void *q, size_t len)
{
	return a->hash == hash && a->kind == kind && a->question_len == len && !memcmp(a->question, q, len);
}

static int grow(struct replay *r, struct err *err)
{
	size_t cap = r->cap ? r->cap * 2 : 1024, s;
	struct answer *grown = calloc(cap, sizeof(*grown));

	if (!grown)
		return err_nomem(err);
	for (size_t i = 0; i < r->cap; i++) {
		if (!r->answers[i].hash)
			continue;
		for (s = r->answers[i].hash & (cap - 1); grown[s].hash; s = (s + 1) & (cap - 1))
			;
		grown[s] = r->answers[i];
	}
	free(r->answers);
	r->answers = grown;
	r->cap = cap;
	return 0;
}

/* Add an answer; of several to one question the longest stays. */
static int add(struct replay *r, const struct answer *a, struct err *err)
{
	size_t s;

	if (2 * r->nanswers >= r->cap && grow(r, err))
		return -1;
	for (s = a->hash & (r->cap - 1); r->answers[s].hash; s = (s + 1) & (r->cap - 1)) {
		if (!same_question(&r->answers[s], a->hash, a->kind, a->question, a->question_len))
			continue;
		if (a->len > r->answers[s].len)
			r->answers[s] = *a;
		return 0;
	}
	r->answers[s] = *a;
	r->nanswers++;
	return 0;
}

static const struct answer *find(const struct replay *r, uint8_t kind, const void *q, size_t len)
{
	uint64_t hash = hash_question(kind, q, len);

	for (size_t s = hash & (r->cap - 1); r->cap && r->answers[s].hash; s = (s + 1) & (r->cap - 1))
		if (same_question(&r->answers[s], hash, kind, q, len))
			return &r->answers[s];
	return NULL;
}

/* Skip a string; its bytes are checked to be there. */
static void skip_str(struct cursor *c)
{
	cursor_bytes(c, cursor_u16(c));
}

/* The question of a record of this kind: moves behind it. */
static void skip_question(struct cursor *c, uint8_t kind)
{
	switch (kind) {
	case CAPSULE_MEMORY:
	case CAPSULE_ADDRESS:
		cursor_u64(c);
		break;
	case CAPSULE_NO_MEMORY:
		cursor_u64(c);
		cursor_u32(c);
		break;
	case CAPSULE_MEMBER:
		skip_str(c);
		skip_str(c);
		break;
	case CAPSULE_VMCOREINFO:
	case CAPSULE_SYMBOL:
		skip_str(c);
		break;
	default:
		c->failed = true;
	}
}

static void skip_answer(struct cursor *c, uint8_t kind)
{
	switch (kind) {
	case CAPSULE_VMCOREINFO:
		skip_str(c);
		break;
	case CAPSULE_SYMBOL:
		cursor_u64(c);
		break;
	case CAPSULE_ADDRESS:
		cursor_u64(c);
		skip_str(c);
		skip_str(c);
		break;
	case CAPSULE_MEMBER:
		cursor_bytes(c, 10);
		break;
	default:
		c->failed = true;
	}
}

/* One record. */
static int read_record(struct replay *r, struct cursor *c, struct err *err)
{
	struct answer a = { .kind = cursor_u8(c), .code = cursor_u8(c) };
	uint32_t memory = 0;

	a.question = c->pos;
	skip_question(c, a.kind);
	a.question_len = (uint32_t)(c->pos - a.question);
	if (a.kind == CAPSULE_MEMORY)
		memory = cursor_u32(c);
	a.data = c->pos;
	if (a.code)
		skip_str(c);
	else if (a.kind == CAPSULE_MEMORY)
		cursor_bytes(c, memory);
	else
		skip_answer(c, a.kind);
	a.len = (uint32_t)(c->pos - a.data);
	if (c->failed)
		return err_set(err, ERR_CORRUPT, "a record of kind %u does not fit its chunk", a.kind);
	a.hash = hash_question(a.kind, a.question, a.question_len);
	return add(r, &a, err);
}

/* Unpack a chunk and take in its records. */
static int read_chunk(struct replay *r, const uint8_t *stored, uint32_t stored_len, uint32_t raw_len, uint32_t records,
		      struct err *err)
{
	uLongf len = raw_len;
	uint8_t *raw, **grown;
	struct cursor c;

	grown = realloc(r->chunks, (r->nchunks + 1) * sizeof(*grown));
	if (!grown)
		return err_nomem(err);
	r->chunks = grown;
	raw = malloc(raw_len ? raw_len : 1);
	if (!raw)
		return err_nomem(err);
	r->chunks[r->nchunks++] = raw;
	if (uncompress(raw, &len, stored, stored_len) != Z_OK || len != raw_len)
		return err_set(err, ERR_CORRUPT, "a chunk cannot be unpacked");
	c = cursor_init(raw, raw_len);
	for (uint32_t i = 0; i < records; i++)
		if (read_record(r, &c, err))
			return -1;
	return 0;
}

/* All chunks up to the end mark; a damaged one is passed over when the next one's place is known. */
static int read_chunks(struct replay *r, struct cursor *c, struct err *damage, struct err *err)
{
	uint32_t magic, records, raw, stored, crc;
	const uint8_t *bytes;
	struct err one = { 0 };

	while (cursor_left(c)) {
		magic = cursor_u32(c);
		records = cursor_u32(c);
		raw = cursor_u32(c);
		stored = cursor_u32(c);
		crc = cursor_u32(c);
		bytes = cursor_bytes(c, stored);
		if (c->failed || magic != CAPSULE_CHUNK_MAGIC || raw > CAPSULE_CHUNK_MAX) {
			err_set(damage, ERR_CORRUPT, "the capsule is cut short or damaged after %zu chunks",
				r->nchunks);
			return 0;
		}
		if (!records) {
			r->whole = damage->code == ERR_NONE;
			return 0;
		}
		if (crc32(0, bytes, stored) != crc)
			err_set(damage, ERR_CORRUPT, "chunk %zu of the capsule is damaged", r->nchunks + 1);
		else if (read_chunk(r, bytes, stored, raw, records, &one))
			*damage = one;
		if (one.code == ERR_NOMEM) {
			*err = one;
			return -1;
		}
	}
	err_set(damage, ERR_CORRUPT, "the capsule is cut short after %zu chunks", r->nchunks);
	return 0;
}

/* The recorded error of an answer. */
static int fail(const struct answer *a, struct err *err)
{
	struct cursor c = cursor_init(a->data, a->len);
	uint16_t len = cursor_u16(&c);
	const char *text = cursor_bytes(&c, len);
	enum err_code code = a->code <= ERR_ENVIRONMENT ? (enum err_code)a->code : ERR_CORRUPT;

	return err_set(err, code, "%.*s", text ? (int)len : 0, text ? text : "");
}

static int missing(const struct replay *r, struct err *err)
{
	return err_set(err, ERR_ABSENT, r->whole ? "the capsule has no answer to this" :
						    "lost with the damaged part of the capsule");
}

/* Look for an answer; NULL with *err when it is an error or missing. */
static const struct answer *answer(const struct replay *r, uint8_t kind, const void *q, size_t len, struct err *err)
{
	const struct answer *a = find(r, kind, q, len);

	if (a && !a->code)
		return a;
	if (a)
		fail(a, err);
	else
		missing(r, err);
	return NULL;
}

static void put_number(uint8_t *q, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		q[i] = (uint8_t)(v >> (8 * i));
}

static int replay_read(struct kernel *k, uint64_t addr, void *buf, size_t len, struct err *err)
{
	struct replay *r = (struct replay *)k;
	const struct answer *a;
	uint8_t q[12];

	put_number(q, addr, 8);
	put_number(q + 8, len, 4);
	a = find(r, CAPSULE_MEMORY, q, 8);
	if (a && a->len >= len) {
		memcpy(buf, a->data, len);
		return 0;
	}
	a = find(r, CAPSULE_NO_MEMORY, q, 12);
	return a ? fail(a, err) : missing(r, err);
}

/* A question of strings, as the recorder writes it. Returns its length, 0 when it is too long. */
static size_t string_question(uint8_t *q, size_t size, const char *x, const char *y)
{
	size_t lx = strlen(x), ly = y ? strlen(y) : 0;

	if (lx + ly + 4 > size)
		return 0;
	put_number(q, lx, 2);
	memcpy(q + 2, x, lx);
	if (!y)
		return lx + 2;
	put_number(q + 2 + lx, ly, 2);
	memcpy(q + 4 + lx, y, ly);
	return lx + ly + 4;
}

/* Copy the string at the cursor, cut to size. */
static void copy_str(struct cursor *c, char *text, size_t size)
{
	uint16_t len = cursor_u16(c);
	const char *s = cursor_bytes(c, len);
	size_t n = s ? len : 0;

	n = n < size ? n : size - 1;
	if (s)
		memcpy(text, s, n);
	text[n] = '\0';
}

static int replay_vmcoreinfo(struct kernel *k, const char *key, char *value, size_t size, struct err *err)
{
	const struct answer *a;
	struct cursor c;
	uint8_t q[256];

	a = answer((struct replay *)k, CAPSULE_VMCOREINFO, q, string_question(q, sizeof(q), key, NULL), err);
	if (!a)
		return -1;
	c = cursor_init(a->data, a->len);
	copy_str(&c, value, size);
	return 0;
}

static int replay_symbol(struct kernel *k, const char *name, uint64_t *ret, struct err *err)
{
	const struct answer *a;
	struct cursor c;
	uint8_t q[256];

	a = answer((struct replay *)k, CAPSULE_SYMBOL, q, string_question(q, sizeof(q), name, NULL), err);
	if (!a)
		return -1;
	c = cursor_init(a->data, a->len);
	*ret = cursor_u64(&c);
	return 0;
}

static int replay_symbolize(struct kernel *k, uint64_t addr, struct ksym *ret, struct err *err)
{
	const struct answer *a;
	struct cursor c;
	uint8_t q[8];

	put_number(q, addr, 8);
	a = answer((struct replay *)k, CAPSULE_ADDRESS, q, sizeof(q), err);
	if (!a)
		return -1;
	c = cursor_init(a->data, a->len);
	memset(ret, 0, sizeof(*ret));
	ret->start = cursor_u64(&c);
	copy_str(&c, ret->name, sizeof(ret->name));
	copy_str(&c, ret->module, sizeof(ret->module));
	return 0;
}

static int replay_member(struct kernel *k, const char *type, const char *path, struct kmember *ret, struct err *err)
{
	const struct answer *a;
	struct cursor c;
	uint8_t q[512];

	a = answer((struct replay *)k, CAPSULE_MEMBER, q, string_question(q, sizeof(q), type, path), err);
	if (!a)
		return -1;
	c = cursor_init(a->data, a->len);
	ret->offset = cursor_u32(&c);
	ret->size = cursor_u32(&c);
	ret->bit = cursor_u8(&c);
	ret->bits = cursor_u8(&c);
	return 0;
}

static void replay_destroy(struct kernel *k)
{
	struct replay *r = (struct replay *)k;

	for (size_t i = 0; i < r->nchunks; i++)
		free(r->chunks[i]);
	free(r->chunks);
	free(r->answers);
	free(r);
}

static const struct kernel_ops replay_ops = {
	.read = replay_read,
	.vmcoreinfo = replay_vmcoreinfo,
	.symbol = replay_symbol,
	.symbolize = replay_symbolize,
	.member = replay_member,
	.destroy = replay_destroy,
};

struct kernel *capsule_replay(const void *bytes, size_t len, struct err *damage, struct err *err)
{
	struct cursor c = cursor_init(bytes, len);
	const void *magic = cursor_bytes(&c, sizeof(CAPSULE_MAGIC) - 1);
	uint32_t version = cursor_u32(&c);
	struct replay *r;

	*damage = (struct err){ 0 };
	cursor_u32(&c);
	if (!magic || memcmp(magic, CAPSULE_MAGIC, sizeof(CAPSULE_MAGIC) - 1) || c.failed) {
		err_set(err, ERR_CORRUPT, "not a capsule");
		return NULL;
	}
	if (version != CAPSULE_VERSION) {
		err_set(err, ERR_UNSUPPORTED, "capsule of version %u; this program reads version %u", version,
			CAPSULE_VERSION);
		return NULL;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		err_nomem(err);
		return NULL;
	}
	r->kernel.ops = &replay_ops;
	if (!read_chunks(r, &c, damage, err))
		return &r->kernel;
	replay_destroy(&r->kernel);
	return NULL;
}
