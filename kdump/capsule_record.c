// SPDX-License-Identifier: GPL-2.0-or-later
/* capsule_record.c - write down what a report asks. */
#include "kdump/capsule.h"
#include "kdump/capsule_format.h"
#include "lib/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

/* Questions already written down: (hash of kind and question) -> longest answer. */
struct asked {
	uint64_t hash;
	uint32_t len;		/* of memory: bytes; else 1 */
};

struct recorder {
	struct kernel kernel;
	struct kernel *inner;
	int fd;
	struct buf chunk;
	uint32_t records;
	struct asked *asked;	/* open addressing, a power of two */
	size_t nasked, cap;
	struct err failed;	/* the first failure to write */
	bool limited;
	size_t left;		/* if limited: bytes of memory that may still be written down ... */
	time_t until;		/* ... and until when (CLOCK_MONOTONIC, seconds) */
};

/* 64-bit FNV-1a over the question. */
static uint64_t hash_bytes(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

static uint64_t hash_question(uint8_t kind, const void *q, size_t len)
{
	uint64_t h = hash_bytes(0xcbf29ce484222325ull, &kind, 1);

	h = hash_bytes(h, q, len);
	return h ? h : 1;
}

static bool grow_asked(struct recorder *r)
{
	size_t cap = r->cap ? r->cap * 2 : 4096, s;
	struct asked *grown = calloc(cap, sizeof(*grown));

	if (!grown)
		return false;
	for (size_t i = 0; i < r->cap; i++) {
		if (!r->asked[i].hash)
			continue;
		for (s = r->asked[i].hash & (cap - 1); grown[s].hash; s = (s + 1) & (cap - 1))
			;
		grown[s] = r->asked[i];
	}
	free(r->asked);
	r->asked = grown;
	r->cap = cap;
	return true;
}

/* True if this question has no answer of that length in the capsule yet; it has from now on. */
static bool first_time(struct recorder *r, uint64_t hash, uint32_t len)
{
	size_t s;

	if (2 * r->nasked >= r->cap && !grow_asked(r))
		return true;
	for (s = hash & (r->cap - 1); r->asked[s].hash; s = (s + 1) & (r->cap - 1)) {
		if (r->asked[s].hash != hash)
			continue;
		if (r->asked[s].len >= len)
			return false;
		r->asked[s].len = len;
		return true;
	}
	r->asked[s] = (struct asked){ .hash = hash, .len = len };
	r->nasked++;
	return true;
}

static void put_u16(struct buf *b, uint16_t v)
{
	uint8_t bytes[2] = { (uint8_t)v, (uint8_t)(v >> 8) };

	buf_add(b, bytes, sizeof(bytes));
}

static void put_u32(struct buf *b, uint32_t v)
{
	put_u16(b, (uint16_t)v);
	put_u16(b, (uint16_t)(v >> 16));
}

static void put_u64(struct buf *b, uint64_t v)
{
	put_u32(b, (uint32_t)v);
	put_u32(b, (uint32_t)(v >> 32));
}

static void put_str(struct buf *b, const char *s)
{
	size_t len = strlen(s);

	len = len < UINT16_MAX ? len : UINT16_MAX;
	put_u16(b, (uint16_t)len);
	buf_add(b, s, len);
}

static void write_all(struct recorder *r, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len && r->failed.code == ERR_NONE) {
		n = write(r->fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err_sys(&r->failed, n ? errno : ENOSPC, "capsule");
			return;
		}
		p += n;
		len -= (size_t)n;
	}
}

static void write_chunk(struct recorder *r)
{
	uLongf stored = compressBound(r->chunk.len);
	struct buf head = BUF_INIT;
	uint8_t *out = malloc(stored ? stored : 1);

	if (!out || buf_failed(&r->chunk) ||
	    compress2(out, &stored, (const Bytef *)buf_str(&r->chunk), r->chunk.len, 6) != Z_OK) {
		err_nomem(&r->failed);
	} else {
		put_u32(&head, CAPSULE_CHUNK_MAGIC);
		put_u32(&head, r->records);
		put_u32(&head, (uint32_t)r->chunk.len);
		put_u32(&head, (uint32_t)stored);
		put_u32(&head, (uint32_t)crc32(0, out, (uInt)stored));
		buf_add(&head, out, stored);
		if (buf_failed(&head))
			err_nomem(&r->failed);
		write_all(r, buf_str(&head), head.len);
	}
	buf_deinit(&head);
	buf_deinit(&r->chunk);
	r->records = 0;
	free(out);
}

/* The record's beginning: kind, the error's code, the question. */
static struct buf *begin(struct recorder *r, uint8_t kind, const struct err *err, const void *q, size_t len)
{
	if (r->chunk.len >= CAPSULE_CHUNK_RAW)
		write_chunk(r);
	r->records++;
	buf_putc(&r->chunk, (char)kind);
	buf_putc(&r->chunk, (char)(err ? err->code : ERR_NONE));
	buf_add(&r->chunk, q, len);
	if (err)
		put_str(&r->chunk, err->msg);
	return &r->chunk;
}

static time_t seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static bool over_limit(const struct recorder *r, size_t len)
{
	return r->limited && (len > r->left || seconds_now() > r->until);
}

static int recorder_read_private(struct kernel *k, uint64_t addr, void *buf, size_t len, const struct kernel_scrub *s,
				 struct err *err)
{
	struct recorder *r = (struct recorder *)k;
	struct buf q = BUF_INIT;
	struct err failure = { 0 };
	uint8_t kind;
	int rc;

	if (over_limit(r, len))
		return err_set(err, ERR_ABSENT, "left out of the capsule, to keep it small");
	rc = kernel_read(r->inner, addr, buf, len, &failure);
	kind = rc ? CAPSULE_NO_MEMORY : CAPSULE_MEMORY;
	if (!rc && s)
		s->run(s->arg, buf, len);
	put_u64(&q, addr);
	if (rc)
		put_u32(&q, (uint32_t)len);
	if (first_time(r, hash_question(kind, buf_str(&q), q.len), rc ? 1 : (uint32_t)len)) {
		if (!rc)
			put_u32(&q, (uint32_t)len);
		begin(r, kind, rc ? &failure : NULL, buf_str(&q), q.len);
		if (!rc)
			buf_add(&r->chunk, buf, len);
		r->left -= r->limited ? len : 0;
	}
	buf_deinit(&q);
	if (rc && err)
		*err = failure;
	return rc;
}

static int recorder_read(struct kernel *k, uint64_t addr, void *buf, size_t len, struct err *err)
{
	return recorder_read_private(k, addr, buf, len, NULL, err);
}

static int recorder_vmcoreinfo(struct kernel *k, const char *key, char *value, size_t size, struct err *err)
{
	struct recorder *r = (struct recorder *)k;
	struct buf q = BUF_INIT;
	struct err failure = { 0 };
	int rc = kernel_vmcoreinfo(r->inner, key, value, size, &failure);

	put_str(&q, key);
	if (first_time(r, hash_question(CAPSULE_VMCOREINFO, buf_str(&q), q.len), 1)) {
		begin(r, CAPSULE_VMCOREINFO, rc ? &failure : NULL, buf_str(&q), q.len);
		if (!rc)
			put_str(&r->chunk, value);
	}
	buf_deinit(&q);
	if (rc && err)
		*err = failure;
	return rc;
}

static int recorder_symbol(struct kernel *k, const char *name, uint64_t *ret, struct err *err)
{
	struct recorder *r = (struct recorder *)k;
	struct buf q = BUF_INIT;
	struct err failure = { 0 };
	int rc = kernel_symbol(r->inner, name, ret, &failure);

	put_str(&q, name);
	if (first_time(r, hash_question(CAPSULE_SYMBOL, buf_str(&q), q.len), 1)) {
		begin(r, CAPSULE_SYMBOL, rc ? &failure : NULL, buf_str(&q), q.len);
		if (!rc)
			put_u64(&r->chunk, *ret);
	}
	buf_deinit(&q);
	if (rc && err)
		*err = failure;
	return rc;
}

static int recorder_symbolize(struct kernel *k, uint64_t addr, struct ksym *ret, struct err *err)
{
	struct recorder *r = (struct recorder *)k;
	struct buf q = BUF_INIT;
	struct err failure = { 0 };
	int rc = kernel_symbolize(r->inner, addr, ret, &failure);

	put_u64(&q, addr);
	if (first_time(r, hash_question(CAPSULE_ADDRESS, buf_str(&q), q.len), 1)) {
		begin(r, CAPSULE_ADDRESS, rc ? &failure : NULL, buf_str(&q), q.len);
		if (!rc) {
			put_u64(&r->chunk, ret->start);
			put_str(&r->chunk, ret->name);
			put_str(&r->chunk, ret->module);
		}
	}
	buf_deinit(&q);
	if (rc && err)
		*err = failure;
	return rc;
}

static int recorder_member(struct kernel *k, const char *type, const char *path, struct kmember *ret, struct err *err)
{
	struct recorder *r = (struct recorder *)k;
	struct buf q = BUF_INIT;
	struct err failure = { 0 };
	int rc = kernel_member(r->inner, type, path, ret, &failure);

	put_str(&q, type);
	put_str(&q, path);
	if (first_time(r, hash_question(CAPSULE_MEMBER, buf_str(&q), q.len), 1)) {
		begin(r, CAPSULE_MEMBER, rc ? &failure : NULL, buf_str(&q), q.len);
		if (!rc) {
			put_u32(&r->chunk, ret->offset);
			put_u32(&r->chunk, ret->size);
			buf_putc(&r->chunk, (char)ret->bit);
			buf_putc(&r->chunk, (char)ret->bits);
		}
	}
	buf_deinit(&q);
	if (rc && err)
		*err = failure;
	return rc;
}

static void recorder_destroy(struct kernel *k)
{
	struct recorder *r = (struct recorder *)k;

	buf_deinit(&r->chunk);
	free(r->asked);
	free(r);
}

static const struct kernel_ops recorder_ops = {
	.read = recorder_read,
	.vmcoreinfo = recorder_vmcoreinfo,
	.symbol = recorder_symbol,
	.symbolize = recorder_symbolize,
	.member = recorder_member,
	.destroy = recorder_destroy,
};

static const struct kernel_ops redacting_ops = {
	.read = recorder_read,
	.read_private = recorder_read_private,
	.vmcoreinfo = recorder_vmcoreinfo,
	.symbol = recorder_symbol,
	.symbolize = recorder_symbolize,
	.member = recorder_member,
	.destroy = recorder_destroy,
};

struct kernel *capsule_record(struct kernel *inner, int fd, bool redact, struct err *err)
{
	struct recorder *r = calloc(1, sizeof(*r));
	struct buf head = BUF_INIT;

	if (!r) {
		err_nomem(err);
		return NULL;
	}
	r->kernel.ops = redact ? &redacting_ops : &recorder_ops;
	r->inner = inner;
	r->fd = fd;
	buf_puts(&head, CAPSULE_MAGIC);
	put_u32(&head, CAPSULE_VERSION);
	put_u32(&head, 0);
	write_all(r, buf_str(&head), head.len);
	buf_deinit(&head);
	if (r->failed.code == ERR_NONE)
		return &r->kernel;
	if (err)
		*err = r->failed;
	recorder_destroy(&r->kernel);
	return NULL;
}

void capsule_limit(struct kernel *recorder, size_t bytes, unsigned int seconds)
{
	struct recorder *r = (struct recorder *)recorder;

	r->limited = true;
	r->left = bytes;
	r->until = seconds_now() + (time_t)seconds;
}

int capsule_finish(struct kernel *recorder, struct err *err)
{
	struct recorder *r = (struct recorder *)recorder;

	if (r->records)
		write_chunk(r);
	write_chunk(r);
	if (r->failed.code == ERR_NONE)
		return 0;
	if (err)
		*err = r->failed;
	return -1;
}
