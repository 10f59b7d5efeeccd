// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/dmesg.h"
#include "kdump/layout.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024

/* kernel/printk/printk_ringbuffer.h: the state is in the two upper bits of a descriptor's state_var, its id below. */
#define STATE_SHIFT 62
#define STATE_COMMITTED 1
#define STATE_FINALIZED 2
#define ID_MASK (~(3ull << STATE_SHIFT))

/* The ring buffer's parts and layouts. */
struct ring {
	struct kernel *k;
	uint64_t count_bits, descs, infos, head_id, tail_id, size_bits, data;
	struct kmember desc, state_var, begin, next, info, ts, len, level, facility;
};

static int open_ring(struct ring *r, struct err *err)
{
	static const struct {
		const char *path;
		size_t at;
	} fields[] = {
		{ "desc_ring.count_bits", offsetof(struct ring, count_bits) },
		{ "desc_ring.descs", offsetof(struct ring, descs) },
		{ "desc_ring.infos", offsetof(struct ring, infos) },
		{ "desc_ring.head_id.counter", offsetof(struct ring, head_id) },
		{ "desc_ring.tail_id.counter", offsetof(struct ring, tail_id) },
		{ "text_data_ring.size_bits", offsetof(struct ring, size_bits) },
		{ "text_data_ring.data", offsetof(struct ring, data) },
	};
	uint64_t at, prb;

	if (kernel_symbol(r->k, "prb", &at, err) || kernel_u64(r->k, at, &prb, err))
		return -1;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (kernel_field(r->k, prb, "printk_ringbuffer", fields[i].path,
				 (uint64_t *)((char *)r + fields[i].at), err))
			return -1;
	if (kernel_member(r->k, "prb_desc", "", &r->desc, err) ||
	    kernel_member(r->k, "prb_desc", "state_var.counter", &r->state_var, err) ||
	    kernel_member(r->k, "prb_desc", "text_blk_lpos.begin", &r->begin, err) ||
	    kernel_member(r->k, "prb_desc", "text_blk_lpos.next", &r->next, err) ||
	    kernel_member(r->k, "printk_info", "", &r->info, err) ||
	    kernel_member(r->k, "printk_info", "ts_nsec", &r->ts, err) ||
	    kernel_member(r->k, "printk_info", "text_len", &r->len, err) ||
	    kernel_member(r->k, "printk_info", "facility", &r->facility, err) ||
	    kernel_member(r->k, "printk_info", "level", &r->level, err))
		return -1;
	if (r->count_bits > 32 || r->size_bits > 32 || r->desc.size > 256 || r->info.size > 4096)
		return err_set(err, ERR_CORRUPT, "the printk ring buffer has 2^%llu messages",
			       (unsigned long long)r->count_bits);
	return 0;
}

static const char *printable(struct arena *a, const char *bytes, size_t len)
{
	char *text = arena_strndup(a, bytes, len);

	for (size_t i = 0; i < len; i++)
		if ((text[i] < ' ' && text[i] != '\n') || text[i] > '~')
			text[i] = text[i] == '\t' ? ' ' : '?';
	return text;
}

/* Text that user space wrote to /dev/kmsg. */
static void scrub_text(void *arg, uint8_t *bytes, size_t len)
{
	static const char instead[] = "(written by user space, left out)";

	(void)arg;
	memset(bytes, ' ', len);
	memcpy(bytes, instead, len < sizeof(instead) - 1 ? len : sizeof(instead) - 1);
}

/* The text of a data block: a block that would cross the end stands at the beginning instead. */
static const char *read_text(struct ring *r, struct arena *a, uint64_t begin, uint64_t next, size_t len, bool user,
			     struct err *err)
{
	uint64_t size = 1ull << r->size_bits, at = begin & (size - 1);
	static const struct kernel_scrub scrub = { scrub_text, NULL };
	char bytes[TEXT_MAX];
	int rc;

	if (begin & 1)
		return "";	/* no data: DATALESS or LOST, NO_LPOS */
	if (begin >> r->size_bits != next >> r->size_bits && next & (size - 1))
		at = 0;
	len = len < sizeof(bytes) ? len : sizeof(bytes);
	if (at + 8 + len > size) {
		err_set(err, ERR_CORRUPT, "a message reaches beyond its ring buffer");
		return NULL;
	}
	if (user)
		rc = kernel_read_private(r->k, r->data + at + 8, bytes, len, &scrub, err);
	else
		rc = kernel_read(r->k, r->data + at + 8, bytes, len, err);
	return rc ? NULL : printable(a, bytes, len);
}

/* 1: *line is a message; 0: there is none, or not yet; -1: it cannot be read. */
static int read_line(struct ring *r, struct arena *a, uint64_t id, struct dmesg_line *line, struct err *err)
{
	uint64_t slot = id & ((1ull << r->count_bits) - 1), state, len;
	uint8_t desc[256], info[4096];

	if (kernel_read(r->k, r->descs + slot * r->desc.size, desc, r->desc.size, err))
		return -1;
	state = bytes_number(desc, r->desc.size, r->state_var.offset, 8);
	if ((state & ID_MASK) != id ||
	    (state >> STATE_SHIFT != STATE_COMMITTED && state >> STATE_SHIFT != STATE_FINALIZED))
		return 0;
	if (kernel_read(r->k, r->infos + slot * r->info.size, info, r->info.size, err))
		return -1;
	len = bytes_number(info, r->info.size, r->len.offset, r->len.size);
	line->ns = bytes_number(info, r->info.size, r->ts.offset, 8);
	line->level = (unsigned int)bytes_number(info, r->info.size, r->level.offset, 1);
	line->level = r->level.bits ? line->level >> r->level.bit & ((1u << r->level.bits) - 1) : line->level;
	line->text = read_text(r, a, bytes_number(desc, r->desc.size, r->begin.offset, 8),
			       bytes_number(desc, r->desc.size, r->next.offset, 8), len,
			       bytes_number(info, r->info.size, r->facility.offset, r->facility.size) != 0, err);
	return line->text ? 1 : -1;
}

int dmesg_tail(struct kernel *k, struct arena *a, size_t max, struct dmesg *ret, struct err *err)
{
	struct ring r = { .k = k };
	struct err why;
	uint64_t n;
	int rc;

	*ret = (struct dmesg){ .lines = arena_array(a, max + 1, sizeof(*ret->lines)) };
	if (open_ring(&r, err))
		return err_wrap(err, "kernel messages");
	n = (r.head_id - r.tail_id) & ID_MASK;
	n = n < max ? n : max - 1;
	for (uint64_t i = n + 1; i-- > 0;) {
		rc = read_line(&r, a, (r.head_id - i) & ID_MASK, &ret->lines[ret->count], &why);
		ret->count += rc > 0;
		if (rc < 0 && !ret->unreadable++)
			ret->why = why;
	}
	return 0;
}
