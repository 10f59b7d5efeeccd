// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/: dumps on a device without a filesystem. A sparse file in memory stands for the device: all is made durable often. */
#include "tests/unit/test.h"

#include "kdump/dumps.h"
#include "kdump/files.h"
#include "kdump/raw.h"
#include "kdump/raw_target.h"

#include <fcntl.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEVICE_BYTES (20 << 20)

static char root[64], device[96];
static struct raw raw;

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int make_device(void **state)
{
	strcpy(root, "/dev/shm/deadfall-raw.XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(device, sizeof(device), "%s/device", root);
	return close(open(device, O_CREAT | O_WRONLY, 0600)) || truncate(device, DEVICE_BYTES);
}

static int remove_device(void **state)
{
	raw_close(&raw);
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A file in memory: len bytes that follow from seed. */
static int bytes(unsigned int seed, size_t len)
{
	int fd = memfd_create("bytes", 0);
	uint64_t *p = malloc(len + sizeof(*p));

	for (size_t i = 0; i <= len / sizeof(*p); i++)
		p[i] = (((uint64_t)seed << 32) + 1 + i) * 0x9e3779b97f4a7c15;
	assert_int_equal(write(fd, p, len), len);
	lseek(fd, 0, SEEK_SET);
	free(p);
	return fd;
}

static int put(const char *dump, const char *name, unsigned int seed, size_t len, bool small)
{
	struct err err = { 0 };
	int fd = bytes(seed, len), ret = raw_put(&raw, dump, name, fd, small, NULL, &err);

	close(fd);
	if (!ret && !small) {
		/* The end of input proves nothing. */
		assert_int_equal(raw_find(&raw, dump, name)->cut, 1);
		assert_int_equal(raw_mark_whole(&raw, dump, name, &err), 0);
	}
	return ret ? (err.errnum ? err.errnum : -1) : 0;
}

static void assert_holds(const char *dump, const char *name, unsigned int seed, size_t len)
{
	const struct raw_file *f = raw_find(&raw, dump, name);
	int want = bytes(seed, len), got = memfd_create("got", 0);
	char a[4096], b[4096];
	struct err err;
	ssize_t n;

	assert_non_null(f);
	assert_int_equal(f->bytes, len);
	assert_int_equal(f->cut, 0);
	assert_int_equal(raw_copy(&raw, f, got, &err), 0);
	lseek(got, 0, SEEK_SET);
	while ((n = read(want, a, sizeof(a))) > 0) {
		assert_int_equal(read(got, b, sizeof(b)), n);
		assert_memory_equal(a, b, n);
	}
	close(want);
	close(got);
}

static void ready(void)
{
	struct err err;

	assert_int_equal(raw_format(device, &err), 0);
	assert_int_equal(raw_open(device, true, &raw, &err), 0);
}

static void reopen(void)
{
	struct err err;

	raw_close(&raw);
	assert_int_equal(raw_open(device, true, &raw, &err), 0);
}

static void files_come_back(void **state)
{
	ready();
	assert_int_equal(put("20261122T135607Z-a", "capsule", 1, 100000, true), 0);
	assert_int_equal(put("20261122T135607Z-a", "status.json", 2, 500, true), 0);
	assert_int_equal(put("20261122T135607Z-a", "vmcore.flat", 3, 9000001, false), 0);
	assert_int_equal(put("20261122T135607Z-a", "status.json", 4, 700, true), 0);
	assert_int_equal(put("20261122T145607Z-b", "vmcore.flat", 5, 5 << 20, false), 0);
	reopen();
	assert_int_equal(raw.table.count, 4);
	assert_holds("20261122T135607Z-a", "capsule", 1, 100000);
	assert_holds("20261122T135607Z-a", "status.json", 4, 700);
	assert_holds("20261122T135607Z-a", "vmcore.flat", 3, 9000001);
	assert_holds("20261122T145607Z-b", "vmcore.flat", 5, 5 << 20);
}

static void a_full_device_keeps_what_fits_and_room_for_small_files(void **state)
{
	const struct raw_file *f;

	ready();
	assert_int_equal(put("20261122T135607Z-a", "vmcore.flat", 3, DEVICE_BYTES, false), ENOSPC);
	f = raw_find(&raw, "20261122T135607Z-a", "vmcore.flat");
	assert_non_null(f);
	assert_int_equal(f->cut, 1);
	assert_true(f->bytes > 14 << 20);
	assert_int_equal(raw_free_bytes(&raw), 0);
	assert_int_equal(put("20261122T135607Z-a", "status.json", 4, 70000, true), 0);
	assert_int_equal(put("20261122T135607Z-a", "capsule", 5, 1 << 20, true), 0);
	assert_holds("20261122T135607Z-a", "capsule", 5, 1 << 20);
}

static void a_table_cut_in_the_middle_leaves_the_other(void **state)
{
	struct err err;
	int fd;

	ready();
	assert_int_equal(put("20261122T135607Z-a", "capsule", 1, 1000, true), 0);
	assert_int_equal(put("20261122T145607Z-b", "capsule", 2, 1000, true), 0);
	/* The newer copy. */
	fd = open(device, O_WRONLY);
	assert_int_equal(pwrite(fd, "xxxx", 4, 4096 + (off_t)(raw.table.sequence % 2) * 32768 + 100), 4);
	reopen();
	assert_non_null(raw_find(&raw, "20261122T135607Z-a", "capsule"));
	assert_holds("20261122T135607Z-a", "capsule", 1, 1000);
	/* And both. */
	assert_int_equal(pwrite(fd, "xxxx", 4, 4096 + 100), 4);
	assert_int_equal(pwrite(fd, "xxxx", 4, 4096 + 32768 + 100), 4);
	close(fd);
	raw_close(&raw);
	assert_int_equal(raw_open(device, true, &raw, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
}

static void damage_is_noticed(void **state)
{
	const struct raw_file *f;
	struct err err;
	int fd;

	ready();
	assert_int_equal(put("20261122T135607Z-a", "capsule", 1, 100000, true), 0);
	f = raw_find(&raw, "20261122T135607Z-a", "capsule");
	fd = open(device, O_WRONLY);
	assert_int_equal(pwrite(fd, "x!", 2, (off_t)f->offset + 5000), 2);
	close(fd);
	assert_int_equal(raw_copy(&raw, f, -1, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
}

static void space_of_deleted_dumps_is_used_again(void **state)
{
	struct err err;

	ready();
	/* 25 times all of the space */
	for (int i = 0; i < 100; i++) {
		char name[64];

		snprintf(name, sizeof(name), "20261122T13%02d07Z-a", i % 60);
		assert_int_equal(put(name, "vmcore.flat", (unsigned int)i, 4 << 20, false), 0);
		assert_int_equal(put(name, "capsule", (unsigned int)i, 200000, true), 0);
		assert_holds(name, "vmcore.flat", (unsigned int)i, 4 << 20);
		assert_int_equal(raw_delete(&raw, name, &err), 0);
	}
	assert_int_equal(raw.table.count, 0);
}

static void dumps_are_listed_and_extracted(void **state)
{
	static const char status[] = "{\"result\": \"complete\", \"rule\": \"a\", \"time_unix\": 1795355767, \"steps\": []}";
	/* A flattened dump: header, one piece for offset 3, the end. */
	char flat[4096 + 16 + 5 + 16] = "makedumpfile", text[64] = "", path[256];
	struct dump_list l;
	struct err err;
	int fd;

	flat[23] = flat[31] = 1;
	flat[4096 + 7] = 3;
	flat[4096 + 15] = 5;
	memcpy(flat + 4112, "hello", 5);
	memset(flat + 4117, 0xff, 16);
	ready();
	fd = memfd_create("status", 0);
	assert_int_equal(write(fd, status, sizeof(status) - 1), sizeof(status) - 1);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(raw_put(&raw, "20261122T135607Z-a", "status.json", fd, true, NULL, &err), 0);
	close(fd);
	fd = memfd_create("flat", 0);
	assert_int_equal(write(fd, flat, sizeof(flat)), sizeof(flat));
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(raw_put(&raw, "20261122T135607Z-a", "vmcore.flat", fd, false, NULL, &err), 0);
	assert_int_equal(raw_mark_whole(&raw, "20261122T135607Z-a", "vmcore.flat", &err), 0);
	close(fd);
	assert_int_equal(put("20261121T135607Z-unknown", "capsule", 1, 1000, true), 0);
	assert_int_equal(dumps_scan(device, &l, &err), 0);
	assert_int_equal(l.count, 2);
	assert_string_equal(l.dumps[0].result, "unknown");
	assert_string_equal(l.dumps[1].rule, "a");
	assert_string_equal(l.dumps[1].result, "complete");
	assert_int_equal(l.dumps[1].vmcore_bytes, sizeof(flat));
	assert_int_equal(dumps_raw_extract(&l.dumps[1], root, &err), 0);
	snprintf(path, sizeof(path), "%s/20261122T135607Z-a/vmcore", root);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 8);
	assert_memory_equal(text, "\0\0\0hello", 8);
	close(fd);
	assert_int_equal(dumps_delete(device, &l.dumps[1], &err), 0);
	dumps_free(&l);
	assert_int_equal(dumps_scan(device, &l, &err), 0);
	assert_int_equal(l.count, 1);
	dumps_free(&l);
}

static void a_damaged_file_costs_only_itself(void **state)
{
	struct dump_list l;
	char path[256];
	struct err err;

	ready();
	/* No flattened dump: it cannot be unpacked. */
	assert_int_equal(put("20261122T135607Z-a", "vmcore.flat", 7, 2 << 20, false), 0);
	assert_int_equal(put("20261122T135607Z-a", "status.json", 1, 100, true), 0);
	assert_int_equal(dumps_scan(device, &l, &err), 0);
	assert_int_equal(dumps_raw_extract(&l.dumps[0], root, &err), -1);
	assert_non_null(strstr(err.msg, "flattened dump"));
	snprintf(path, sizeof(path), "%s/20261122T135607Z-a/status.json", root);
	assert_int_equal(access(path, F_OK), 0);
	dumps_free(&l);
}

static void what_a_device_holds_is_told(void **state)
{
	char what[64];
	struct err err;
	int fd = open(device, O_RDWR);
	static const struct {
		off_t at;
		const char *bytes, *says;
	} cases[] = {
		{ 1024 + 0x38, "\x53\xef", "an ext4 filesystem" }, { 0, "XFSB", "a xfs filesystem" },
		{ 512, "EFI PART", "a partition table (GPT)" }, { 4086, "SWAPSPACE2", "swap space" },
		{ 100000, "x", "data" }, { DEVICE_BYTES - 1000, "x", "data" },
	};

	assert_int_equal(raw_target_content(device, what, sizeof(what), &err), 0);
	assert_string_equal(what, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(pwrite(fd, cases[i].bytes, strlen(cases[i].bytes), cases[i].at), strlen(cases[i].bytes));
		assert_int_equal(raw_target_content(device, what, sizeof(what), &err), 0);
		assert_string_equal(what, cases[i].says);
		assert_int_equal(raw_target_prepare(device, false, &err), -1);
		assert_non_null(strstr(err.msg, cases[i].says));
		assert_non_null(strstr(err.msg, "--overwrite"));
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(ftruncate(fd, DEVICE_BYTES), 0);
	}
	assert_int_equal(raw_target_prepare(device, false, &err), 0);
	assert_true(raw_is(device));
	/* Ready: it stays as it is, with or without the permission. */
	assert_int_equal(raw_open(device, true, &raw, &err), 0);
	assert_int_equal(put("20261122T135607Z-a", "capsule", 1, 1000, true), 0);
	assert_int_equal(raw_target_prepare(device, true, &err), 0);
	reopen();
	assert_int_equal(raw.table.count, 1);
	close(fd);
}

static void a_small_device_is_refused(void **state)
{
	struct err err;

	assert_int_equal(truncate(device, 1 << 20), 0);
	assert_int_equal(raw_format(device, &err), -1);
	assert_false(raw_is(device));
	assert_int_equal(raw_open(device, true, &raw, &err), -1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_device, remove_device)
	static const struct CMUnitTest tests[] = {
		TEST(files_come_back),
		TEST(a_full_device_keeps_what_fits_and_room_for_small_files),
		TEST(a_table_cut_in_the_middle_leaves_the_other),
		TEST(damage_is_noticed),
		TEST(space_of_deleted_dumps_is_used_again),
		TEST(dumps_are_listed_and_extracted),
		TEST(a_damaged_file_costs_only_itself),
		TEST(what_a_device_holds_is_told),
		TEST(a_small_device_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
