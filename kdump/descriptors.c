// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/descriptors.h"
#include "kdump/flattened.h"
#include "lib/cursor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESC_SIZE 24		/* offset, size, flags, page flags */
#define PART 2730u		/* descriptors read at once: 64 KB */
#define BITMAP_MAX (1ll << 32)
#define COMPRESSED 0x27u	/* zlib, lzo, snappy, zstd */

/* Where the descriptors are: struct disk_dump_header of 64-bit kernels. */
struct table {
	uint64_t offset, count;
	uint64_t file_size;
	uint32_t page_size;
};

/* The pages in the file: bits of the second bitmap. */
static bool count_pages(int fd, uint64_t from, uint64_t size, uint64_t *ret)
{
	uint8_t part[65536];
	ssize_t n;

	*ret = 0;
	for (uint64_t at = 0; at < size; at += (uint64_t)n) {
		n = pread(fd, part, size - at < sizeof(part) ? size - at : sizeof(part), (off_t)(from + at));
		if (n <= 0)
			return false;
		for (ssize_t i = 0; i < n; i++)
			*ret += (uint64_t)__builtin_popcount(part[i]);
	}
	return true;
}

static bool find_table(int fd, struct table *t)
{
	uint8_t head[464];
	struct cursor c = cursor_init(head, sizeof(head));
	uint32_t sub_blocks, bitmap_blocks;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || pread(fd, head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head, "KDUMP   ", 8))
		return false;
	cursor_seek(&c, 428);
	t->page_size = cursor_u32(&c);
	sub_blocks = cursor_u32(&c);
	bitmap_blocks = cursor_u32(&c);
	t->file_size = (uint64_t)st.st_size;
	if (t->page_size < 4096 || t->page_size > 65536 || sub_blocks > 65536 ||
	    (int64_t)bitmap_blocks * t->page_size > BITMAP_MAX)
		return false;
	t->offset = (1ull + sub_blocks + bitmap_blocks) * t->page_size;
	return count_pages(fd, (1ull + sub_blocks + bitmap_blocks / 2) * t->page_size,
			   (uint64_t)bitmap_blocks / 2 * t->page_size, &t->count);
}

/* Is the descriptor unsound? Then it is replaced by one that fails in the way it should. */
static bool mend(const struct table *t, uint8_t desc[DESC_SIZE])
{
	struct cursor c = cursor_init(desc, DESC_SIZE);
	uint64_t offset = cursor_u64(&c), size = cursor_u32(&c), flags = cursor_u32(&c);
	uint32_t mended[4] = { 0 };

	if (size <= t->page_size && (!(flags & COMPRESSED) || (offset < t->file_size && size <= t->file_size - offset)))
		return false;
	if (size <= t->page_size) {		/* cut off: a page behind the end of the file */
		mended[1] = 1u << 30;
		mended[2] = t->page_size;
	}					/* else a page of no size */
	memcpy(desc, mended, sizeof(mended));
	return true;
}

/* Mend all descriptors in `to`, or only look (to < 0). Returns whether some are unsound; *err when it fails. */
static bool walk(int fd, int to, const struct table *t, struct err *err)
{
	uint8_t *descs = malloc(PART * DESC_SIZE);
	bool bad = false, touched;
	ssize_t n;

	if (!descs) {
		err_nomem(err);
		return false;
	}
	for (uint64_t i = 0; i < t->count && !(bad && to < 0); i += PART) {
		size_t count = t->count - i < PART ? (size_t)(t->count - i) : PART;

		n = pread(fd, descs, count * DESC_SIZE, (off_t)(t->offset + i * DESC_SIZE));
		if (n <= 0)
			break;
		touched = false;
		for (ssize_t j = 0; j + DESC_SIZE <= n; j += DESC_SIZE)
			touched |= mend(t, descs + j);
		bad |= touched;
		if (to >= 0 && touched && pwrite(to, descs, (size_t)n, (off_t)(t->offset + i * DESC_SIZE)) != n) {
			err_sys(err, errno ? errno : ENOSPC, "temporary copy of the damaged dump");
			break;
		}
	}
	free(descs);
	return bad;
}

int descriptors_mend(int fd, struct err *err)
{
	struct err failed = { 0 };
	struct table t;
	int copy;

	if (!find_table(fd, &t) || !walk(fd, -1, &t, &failed))
		return failed.code == ERR_NONE ? fd : (*err = failed, -1);
	copy = flattened_temporary(&failed);
	if (copy >= 0 && flattened_copy(fd, 0, copy, 0, (int64_t)t.file_size, &failed))
		walk(fd, copy, &t, &failed);
	if (failed.code != ERR_NONE || copy < 0) {
		if (copy >= 0)
			close(copy);
		*err = failed;
		return -1;
	}
	close(fd);
	return copy;
}
