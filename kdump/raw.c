// SPDX-License-Identifier: GPL-2.0-or-later
/* raw.c - see raw.h. */
#include "kdump/raw.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <zlib.h>

#define PAGE 4096ULL
#define TABLE_AT(copy) (PAGE + (copy) * (32ULL << 10))
#define DATA_AT TABLE_AT(2)
#define SMALL_BYTES (4ULL << 20)
#define CHUNK (256u << 10)
/* While a stream is written its length so far is noted this often, for a machine that dies in the middle. */
#define NOTE_EVERY (64ULL << 20)

static const char table_magic[8] = "DFRAWTAB";

_Static_assert(sizeof(struct raw_table) <= (32 << 10), "a table's place on the device");
_Static_assert(sizeof(struct raw_header) <= PAGE, "the header's place on the device");

static uint32_t crc_of(const void *data, size_t len)
{
	return (uint32_t)crc32(crc32(0, NULL, 0), data, (uInt)len);
}

static uint32_t header_crc(const struct raw_header *h)
{
	return crc_of(h->id, sizeof(*h) - offsetof(struct raw_header, id));
}

static uint32_t table_crc(const struct raw_table *t)
{
	return crc_of(&t->count, sizeof(*t) - offsetof(struct raw_table, count));
}

static int size_of(int fd, const char *path, uint64_t *bytes, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "%s", path);
	*bytes = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, bytes) < 0)
		return err_sys(err, errno, "%s: its size", path);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "%s is neither a block device nor a file", path);
	return 0;
}

static bool read_header(int fd, struct raw_header *h)
{
	return pread(fd, h, sizeof(*h), 0) == sizeof(*h) && !memcmp(h->magic, RAW_MAGIC, 8) && h->version == 1 &&
	       h->crc == header_crc(h);
}

bool raw_is(const char *path)
{
	struct raw_header h;
	struct stat st;

	if (stat(path, &st) < 0 || !(S_ISBLK(st.st_mode) || S_ISREG(st.st_mode)))
		return false;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read_header(fd, &h);
}

static int write_table(struct raw *r, struct err *err)
{
	struct raw_table *t = &r->table;

	memcpy(t->magic, table_magic, sizeof(t->magic));
	t->sequence++;
	t->crc = table_crc(t);
	if (pwrite(r->fd, t, sizeof(*t), (off_t)TABLE_AT(t->sequence % 2)) != sizeof(*t) || fsync(r->fd) < 0)
		return err_sys(err, errno, "%s: table of files", r->path);
	return 0;
}

int raw_format(const char *path, struct err *err)
{
	struct raw r = { .fd = open(path, O_RDWR | O_CLOEXEC | O_EXCL) };
	struct raw_header h = { .magic = RAW_MAGIC, .version = 1 };
	static const char zeros[PAGE];
	int ret;

	snprintf(r.path, sizeof(r.path), "%s", path);
	if (r.fd < 0)
		return err_sys(err, errno, "%s", path);
	ret = size_of(r.fd, path, &h.bytes, err);
	if (!ret && h.bytes < (uint64_t)RAW_BYTES_MIN)
		ret = err_set(err, ERR_ENVIRONMENT, "%s has only %llu MB; a dump needs more", path,
			      (unsigned long long)h.bytes >> 20);
	if (!ret && getrandom(h.id, sizeof(h.id), 0) != sizeof(h.id))
		ret = err_sys(err, errno, "getrandom");
	h.crc = header_crc(&h);
	/* Old signatures go (up to 68 K; btrfs's lies at 64 K); the header comes last: without it the device is not ours. */
	for (uint64_t at = 0; !ret && at < DATA_AT + PAGE; at += PAGE) {
		if (pwrite(r.fd, zeros, sizeof(zeros), (off_t)at) != sizeof(zeros))
			ret = err_sys(err, errno, "%s", path);
	}
	if (!ret)
		ret = write_table(&r, err);
	if (!ret && (pwrite(r.fd, &h, sizeof(h), 0) != sizeof(h) || fsync(r.fd) < 0))
		ret = err_sys(err, errno, "%s", path);
	close(r.fd);
	return ret;
}

static bool table_fits(const struct raw *r, const struct raw_table *t)
{
	if (memcmp(t->magic, table_magic, sizeof(t->magic)) || t->crc != table_crc(t) || t->count > RAW_FILES_MAX)
		return false;
	for (uint32_t i = 0; i < t->count; i++) {
		const struct raw_file *f = &t->files[i];

		if (f->offset < DATA_AT || f->offset > r->bytes || f->bytes > r->bytes - f->offset ||
		    !memchr(f->dump, 0, sizeof(f->dump)) || !memchr(f->name, 0, sizeof(f->name)))
			return false;
	}
	return true;
}

int raw_open(const char *path, bool write, struct raw *r, struct err *err)
{
	static struct raw_table t;
	struct raw_header h;
	bool found = false;

	*r = (struct raw){ .fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC) };
	snprintf(r->path, sizeof(r->path), "%s", path);
	if (r->fd < 0)
		return err_sys(err, errno, "%s", path);
	if (!read_header(r->fd, &h)) {
		err_set(err, ERR_CORRUPT, "%s is not set up for dumps", path);
		goto fail;
	}
	if (size_of(r->fd, path, &r->bytes, err))
		goto fail;
	for (unsigned int copy = 0; copy < 2; copy++) {
		if (pread(r->fd, &t, sizeof(t), (off_t)TABLE_AT(copy)) != sizeof(t) || !table_fits(r, &t) ||
		    (found && t.sequence < r->table.sequence))
			continue;
		r->table = t;
		found = true;
	}
	if (found)
		return 0;
	err_set(err, ERR_CORRUPT, "%s: both tables of files are damaged", path);
fail:
	raw_close(r);
	return -1;
}

void raw_close(struct raw *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

const struct raw_file *raw_find(const struct raw *r, const char *dump, const char *name)
{
	for (uint32_t i = 0; i < r->table.count; i++) {
		if (!strcmp(r->table.files[i].dump, dump) && !strcmp(r->table.files[i].name, name))
			return &r->table.files[i];
	}
	return NULL;
}

static uint64_t end_of(const struct raw_file *f)
{
	return (f->offset + f->bytes + PAGE - 1) / PAGE * PAGE;
}

/* The first free place at or after `at`, and how far it reaches; false if there is none. */
static bool gap_from(const struct raw *r, uint64_t *at, uint64_t *end)
{
	bool moved;

	do {
		moved = false;
		for (uint32_t i = 0; i < r->table.count; i++) {
			const struct raw_file *f = &r->table.files[i];

			if (f->offset <= *at && *at < end_of(f)) {
				*at = end_of(f);
				moved = true;
			}
		}
	} while (moved);
	*end = r->bytes / PAGE * PAGE;
	for (uint32_t i = 0; i < r->table.count; i++) {
		if (r->table.files[i].offset >= *at && r->table.files[i].offset < *end)
			*end = r->table.files[i].offset;
	}
	return *at < *end;
}

/* Small: the first gap of that size. Else the largest one outside the place of small files. */
static bool find_space(const struct raw *r, bool small, uint64_t bytes, uint64_t *start, uint64_t *end)
{
	uint64_t at = small ? DATA_AT : DATA_AT + SMALL_BYTES, until;
	bool found = false;

	for (; gap_from(r, &at, &until); at = until) {
		if (small && until - at < bytes)
			continue;
		if (!found || until - at > *end - *start) {
			*start = at;
			*end = until;
			found = true;
		}
		if (small)
			break;
	}
	return found;
}

uint64_t raw_free_bytes(const struct raw *r)
{
	uint64_t start = 0, end = 0;

	return find_space(r, false, 0, &start, &end) ? end - start : 0;
}

/* Write what comes from `from` between f->offset and end; ENOSPC when there is more. */
static int fill(struct raw *r, struct raw_file *f, uint64_t end, int from, struct err *err)
{
	static char chunk[CHUNK];
	uint64_t noted = 0;

	f->crc = (uint32_t)crc32(0, NULL, 0);
	for (;;) {
		size_t n = 0;
		ssize_t got = 1;

		while (n < sizeof(chunk) && (got = read(from, chunk + n, sizeof(chunk) - n)) != 0) {
			if (got < 0 && errno == EINTR)
				continue;
			if (got < 0)
				return err_sys(err, errno, "%s/%s", f->dump, f->name);
			n += (size_t)got;
		}
		if (n > end - f->offset - f->bytes) {
			n = (size_t)(end - f->offset - f->bytes);
			err_sys(err, ENOSPC, "%s: %s/%s does not fit", r->path, f->dump, f->name);
			got = -1;
		}
		if (n && pwrite(r->fd, chunk, n, (off_t)(f->offset + f->bytes)) != (ssize_t)n)
			return err_sys(err, errno, "%s: %s/%s", r->path, f->dump, f->name);
		f->crc = (uint32_t)crc32(f->crc, (const Bytef *)chunk, (uInt)n);
		f->bytes += n;
		if (got <= 0)
			return (int)got;
		if (f->bytes - noted >= NOTE_EVERY) {
			noted = f->bytes;
			if (fdatasync(r->fd) < 0 || write_table(r, err))
				return err_sys(err, errno, "%s", r->path);
		}
	}
}

static void drop(struct raw *r, const struct raw_file *f)
{
	size_t i = (size_t)(f - r->table.files);

	r->table.count--;
	memmove(&r->table.files[i], &r->table.files[i + 1], (r->table.count - i) * sizeof(*f));
	memset(&r->table.files[r->table.count], 0, sizeof(*f));
}

int raw_put(struct raw *r, const char *dump, const char *name, int from, bool small, uint64_t *bytes, struct err *err)
{
	const struct raw_file *old = raw_find(r, dump, name);
	struct raw_file *f = &r->table.files[r->table.count];
	struct stat st;
	uint64_t end = 0;
	int ret;

	if (fstat(from, &st) < 0)
		return err_sys(err, errno, "%s/%s", dump, name);
	if (strlen(dump) >= sizeof(f->dump) || strlen(name) >= sizeof(f->name))
		return err_set(err, ERR_INVALID, "%s/%s: name too long", dump, name);
	*f = (struct raw_file){ .cut = 1 };
	if (r->table.count == RAW_FILES_MAX || !find_space(r, small, (uint64_t)st.st_size, &f->offset, &end))
		return err_sys(err, ENOSPC, "%s: %s/%s", r->path, dump, name);
	strcpy(f->dump, dump);
	strcpy(f->name, name);
	r->table.count++;
	ret = fill(r, f, end, from, err);
	f->cut = ret != 0 || !small;
	if (bytes)
		*bytes = f->bytes;
	if (fdatasync(r->fd) < 0 && !ret)
		ret = err_sys(err, errno, "%s", r->path);
	/* A cut one does not take the place of a whole one. */
	if (!f->bytes && ret)
		drop(r, f);
	else if (old)
		drop(r, ret ? f : old);
	if (write_table(r, ret ? NULL : err))
		ret = -1;
	return ret;
}

int raw_mark_whole(struct raw *r, const char *dump, const char *name, struct err *err)
{
	const struct raw_file *f = raw_find(r, dump, name);

	if (!f)
		return err_set(err, ERR_ABSENT, "%s: %s/%s is not there", r->path, dump, name);
	r->table.files[f - r->table.files].cut = 0;
	return write_table(r, err);
}

int raw_delete(struct raw *r, const char *dump, struct err *err)
{
	for (uint32_t i = 0; i < r->table.count;) {
		if (!strcmp(r->table.files[i].dump, dump))
			drop(r, &r->table.files[i]);
		else
			i++;
	}
	return write_table(r, err);
}

int raw_copy(const struct raw *r, const struct raw_file *f, int to, struct err *err)
{
	static char chunk[CHUNK];
	uint32_t crc = (uint32_t)crc32(0, NULL, 0);

	for (uint64_t at = 0; at < f->bytes;) {
		size_t n = f->bytes - at < sizeof(chunk) ? (size_t)(f->bytes - at) : sizeof(chunk);
		ssize_t got = pread(r->fd, chunk, n, (off_t)(f->offset + at));

		if (got <= 0)
			return err_sys(err, got ? errno : EIO, "%s: %s/%s", r->path, f->dump, f->name);
		crc = (uint32_t)crc32(crc, (const Bytef *)chunk, (uInt)got);
		for (ssize_t done = 0; to >= 0 && done < got;) {
			ssize_t put = write(to, chunk + done, (size_t)(got - done));

			if (put < 0 && errno != EINTR)
				return err_sys(err, errno, "%s/%s", f->dump, f->name);
			done += put > 0 ? put : 0;
		}
		at += (uint64_t)got;
	}
	if (crc != f->crc)
		return err_set(err, ERR_CORRUPT, "%s: %s/%s is not as it was written", r->path, f->dump, f->name);
	return 0;
}
