// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/capsule_*.c: what was asked is answered again, and damage costs only what it hit. */
#include "tests/unit/test.h"

#include "kdump/capsule.h"
#include "tests/unit/image.h"

#include <sys/mman.h>
#include <unistd.h>

static const char dead[] = "symbol map_idr 0xffff800000001000\n"
			   "member bpf_map id 48 4\n"
			   "vmcoreinfo OSRELEASE 6.12.0-test\n"
			   "code vfs_read 0xffffffff81000000 0x100 mod\n"
			   "at 0xffff800000001000 q:0x1122334455667788 d:7 \"text\"\n";

/* A file's bytes. */
struct bytes {
	uint8_t *data;
	size_t len;
};

static struct bytes take(int fd)
{
	struct bytes b = { .len = (size_t)lseek(fd, 0, SEEK_END) };

	b.data = malloc(b.len);
	assert_int_equal(pread(fd, b.data, b.len, 0), b.len);
	close(fd);
	return b;
}

/* Everything a test asks, of any kernel; the answers as text. */
static void ask(struct kernel *k, FILE *out)
{
	struct kmember m = { 0 };
	struct ksym sym = { 0 };
	struct err err = { 0 };
	uint64_t v = 0;
	char text[64] = "";

	fprintf(out, "%d %llx\n", kernel_symbol(k, "map_idr", &v, &err), (unsigned long long)v);
	fprintf(out, "%d %s\n", kernel_symbol(k, "nothing", &v, &err), err.msg);
	fprintf(out, "%d %u %u\n", kernel_member(k, "bpf_map", "id", &m, &err), m.offset, m.size);
	fprintf(out, "%d %d %s\n", kernel_member(k, "bpf_map", "no", &m, &err), err.code, err.msg);
	fprintf(out, "%d %s\n", kernel_vmcoreinfo(k, "OSRELEASE", text, sizeof(text), &err), text);
	fprintf(out, "%d %s %s\n", kernel_symbolize(k, 0xffffffff81000010, &sym, &err), sym.name, sym.module);
	fprintf(out, "%d %d\n", kernel_symbolize(k, 0x10, &sym, &err), err.code);
	fprintf(out, "%d %llx\n", kernel_u64(k, 0xffff800000001000, &v, &err), (unsigned long long)v);
	fprintf(out, "%d %.8s\n", kernel_read(k, 0xffff800000001008, text, 8, &err), text + 4);
	fprintf(out, "%d %s\n", kernel_read(k, 0xffff800000001008, text, 16, &err), err.msg);
	fprintf(out, "%d %s\n", kernel_read(k, 0xffff800000001008, text, 17, &err), err.msg);
	fprintf(out, "%d %s\n", kernel_read(k, 0xffff800000001000, text, 17, &err), err.msg);
}

static char *answers(struct kernel *k)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ask(k, out);
	fclose(out);
	return text;
}

/* Record `rounds` of questions, each round with memory of its own. */
static struct bytes make(int rounds)
{
	struct image *im = image_create(dead);
	int fd = memfd_create("capsule", 0);
	struct kernel *k = capsule_record(&im->kernel, fd, false, NULL);
	uint64_t v;

	assert_non_null(k);
	free(answers(k));
	for (int i = 0; i < rounds; i++) {
		for (int j = 0; j < 0x1000; j += 8)
			image_put_number(im, 0xffff900000000000 + (uint64_t)i * 0x1000 + (unsigned int)j,
					 (uint64_t)rand() << 32 | (unsigned int)rand(), 8);
		for (int j = 0; j < 0x1000; j += 8)
			assert_int_equal(kernel_u64(k, 0xffff900000000000 + (uint64_t)i * 0x1000 + (unsigned int)j, &v,
						    NULL), 0);
	}
	assert_int_equal(capsule_finish(k, NULL), 0);
	kernel_destroy(k);
	image_destroy(&im->kernel);
	return take(fd);
}

static void answers_are_the_same(void **state)
{
	struct image *im = image_create(dead);
	struct bytes b = make(0);
	struct err damage, err;
	struct kernel *k = capsule_replay(b.data, b.len, &damage, &err);
	char *want = answers(&im->kernel), *have;

	assert_non_null(k);
	assert_int_equal(damage.code, ERR_NONE);
	have = answers(k);
	assert_string_equal(have, want);
	assert_int_equal(kernel_symbol(k, "never_asked", &(uint64_t){ 0 }, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	free(have);
	free(want);
	free(b.data);
	kernel_destroy(k);
	image_destroy(&im->kernel);
}

static void repeated_questions_take_no_room(void **state)
{
	struct image *im = image_create(dead);
	int fd = memfd_create("capsule", 0);
	struct kernel *k = capsule_record(&im->kernel, fd, false, NULL);
	struct bytes once = make(0), often;

	for (int i = 0; i < 1000; i++)
		free(answers(k));
	assert_int_equal(capsule_finish(k, NULL), 0);
	kernel_destroy(k);
	often = take(fd);
	assert_int_equal(often.len, once.len);
	free(often.data);
	free(once.data);
	image_destroy(&im->kernel);
}

/* Beyond the limit nothing is read any more; what was written before, and other questions, stay. */
static void a_limit_keeps_it_small(void **state)
{
	struct image *im = image_create(dead);
	int fd = memfd_create("capsule", 0);
	struct kernel *k = capsule_record(&im->kernel, fd, false, NULL);
	struct err err, damage;
	struct bytes b;
	char *before, *after;
	uint64_t v;

	for (uint64_t i = 0; i < 200; i++)
		image_put_number(im, 0xffff900000000000 + i * 8, i, 8);
	before = answers(k);
	capsule_limit(k, 1000, 600);
	for (uint64_t i = 0; i < 200; i++) {
		int rc = kernel_u64(k, 0xffff900000000000 + i * 8, &v, &err);

		assert_int_equal(rc, i < 125 ? 0 : -1);
		if (rc)
			assert_int_equal(err.code, ERR_ABSENT);
	}
	assert_int_equal(capsule_finish(k, NULL), 0);
	kernel_destroy(k);
	b = take(fd);
	k = capsule_replay(b.data, b.len, &damage, &err);
	assert_non_null(k);
	after = answers(k);
	assert_string_equal(after, before);
	assert_int_equal(kernel_u64(k, 0xffff900000000000 + 124 * 8, &v, &err), 0);
	assert_int_equal(v, 124);
	assert_int_equal(kernel_u64(k, 0xffff900000000000 + 125 * 8, &v, &err), -1);
	kernel_destroy(k);
	free(before);
	free(after);
	free(b.data);
	image_destroy(&im->kernel);
}

static void cut_anywhere_keeps_whole_chunks(void **state)
{
	struct bytes b = make(40);
	size_t used = 0, best = 0;
	uint64_t v;

	for (size_t len = 0; len < b.len; len += 1 + b.len / 300) {
		struct err damage, err;
		uint8_t *copy = malloc(len ? len : 1);	/* so that a read behind the end is seen */
		struct kernel *k;

		memcpy(copy, b.data, len);
		k = capsule_replay(copy, len, &damage, &err);
		free(copy);
		if (!k)
			continue;
		assert_int_not_equal(damage.code, ERR_NONE);
		used = 0;
		for (int i = 0; i < 40; i++)
			used += !kernel_u64(k, 0xffff900000000000 + (uint64_t)i * 0x1000, &v, &err);
		assert_true(used >= best);
		best = used;
		kernel_destroy(k);
	}
	assert_true(best >= 35);
	free(b.data);
}

static void damaged_chunk_costs_only_itself(void **state)
{
	struct bytes b = make(40);
	struct err damage, err;
	struct kernel *k;
	size_t used = 0;
	uint64_t v;

	b.data[b.len / 2] ^= 1;
	k = capsule_replay(b.data, b.len, &damage, &err);
	assert_non_null(k);
	assert_int_equal(damage.code, ERR_CORRUPT);
	for (int i = 0; i < 40; i++)
		used += !kernel_u64(k, 0xffff900000000000 + (uint64_t)i * 0x1000, &v, &err);
	assert_in_range(used, 30, 39);
	kernel_destroy(k);
	free(b.data);
}

static void survives_any_bytes(void **state)
{
	struct bytes b = make(4);
	struct err damage;
	uint8_t *copy = malloc(b.len);

	for (int i = 0; i < 2000; i++) {
		struct kernel *k;

		memcpy(copy, b.data, b.len);
		for (int j = rand() % 8; j >= 0; j--)
			copy[(size_t)rand() % b.len] = (uint8_t)rand();
		k = capsule_replay(copy, b.len, &damage, NULL);
		if (k)
			free(answers(k));
		kernel_destroy(k);
	}
	free(copy);
	free(b.data);
}

static void other_files_are_refused(void **state)
{
	struct err damage, err;

	assert_null(capsule_replay("DFCAPSUX\1\0\0\0\0\0\0\0", 16, &damage, &err));
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_null(capsule_replay("DFCAPSUL\2\0\0\0\0\0\0\0", 16, &damage, &err));
	assert_int_equal(err.code, ERR_UNSUPPORTED);
	assert_null(capsule_replay("DFCAPSUL\1", 9, &damage, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_the_same),
		cmocka_unit_test(repeated_questions_take_no_room),
		cmocka_unit_test(a_limit_keeps_it_small),
		cmocka_unit_test(cut_anywhere_keeps_whole_chunks),
		cmocka_unit_test(damaged_chunk_costs_only_itself),
		cmocka_unit_test(survives_any_bytes),
		cmocka_unit_test(other_files_are_refused),
	};

	srand(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
