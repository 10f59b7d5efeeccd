// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/bpfmaps.c: hash maps of a dead kernel, whole and broken, and of one that runs. */
#include "tests/unit/test.h"

#include "kdump/bpfmaps.h"
#include "tests/unit/image.h"

#include <linux/bpf.h>

/* Two buckets: a and b in the first, c in the second; keys of 8 bytes, values of 8. */
static const char three[] =
	"member bpf_htab buckets 48 8\nmember bpf_htab n_buckets 56 4\n"
	"member bucket - 0 16\nmember bucket raw_lock 8 4\n"
	"member htab_elem key 16 0\nmember htab_elem hash_node.next 0 8\n"
	"at 0xffff800000000030 q:0xffff800000001000 d:2\n"
	"at 0xffff800000001000 q:0xffff800000002000 q:0 q:0xffff800000002200 q:0\n"
	"at 0xffff800000002000 q:0xffff800000002100 q:0 q:0xa q:1\n"
	"at 0xffff800000002100 q:1 q:0 q:0xb q:2\n"
	"at 0xffff800000002200 q:3 q:0 q:0xc q:3\n";

struct seen {
	uint8_t keys[64], values[64];
	uint64_t at[64];
	size_t n, enough;
};

static int remember(void *arg, const uint8_t *key, const uint8_t *value, uint64_t value_addr)
{
	struct seen *s = arg;

	assert_true(s->n < 64);
	s->keys[s->n] = *key;
	s->values[s->n] = *value;
	s->at[s->n++] = value_addr;
	return s->n == s->enough ? 7 : 0;
}

static int walk(struct image *im, struct seen *s, struct err *err)
{
	const struct bpfmap map = { .addr = 0xffff800000000000, .type = BPF_MAP_TYPE_HASH, .key_size = 8,
				    .value_size = 8, .max_entries = 2, .name = "map" };

	*s = (struct seen){ .enough = s->enough };
	return bpfmap_hash_each(&im->kernel, &map, 8, remember, s, err);
}

static void every_element_once(void **state)
{
	struct image *im = image_create(three);
	struct seen s = { 0 };

	assert_int_equal(walk(im, &s, NULL), 0);
	assert_int_equal(s.n, 3);
	assert_memory_equal(s.keys, "\x0a\x0b\x0c", 3);
	assert_memory_equal(s.values, "\1\2\3", 3);
	assert_int_equal(s.at[0], 0xffff800000002018);
	s.enough = 2;
	assert_int_equal(walk(im, &s, NULL), 7);
	assert_int_equal(s.n, 2);
	image_destroy(&im->kernel);
}

/* The damage ends its chain, and the elements before it and those of other buckets are seen. */
static void damage(const char *change, enum err_code code, size_t seen)
{
	struct image *im = image_create(three);
	struct seen s = { 0 };
	struct err err;

	image_add(im, change);
	assert_int_equal(walk(im, &s, &err), -1);
	assert_int_equal(err.code, code);
	assert_int_equal(s.n, seen);
	assert_int_equal(s.keys[s.n - 1], 0xc);
	image_destroy(&im->kernel);
}

static void broken_chains(void **state)
{
	damage("at 0xffff800000002100 q:0\n", ERR_CORRUPT, 3);
	damage("at 0xffff800000002100 q:0xffff800000002000\n", ERR_CORRUPT, 3);
	damage("at 0xffff800000002100 q:3\n", ERR_CORRUPT, 3);
	damage("at 0xffff800000002000 q:0xffff800000009000\n", ERR_ABSENT, 2);
}

static void a_chain_that_changed_is_read_again(void **state)
{
	struct image *im = image_create(three);
	struct seen s = { 0 };
	struct err err;

	/* The bucket was read after d was put in front, d before it was written. */
	image_add(im, "at 0xffff800000001000 q:0xffff800000002300\nat 0xffff800000002300 z:32\n");
	im->becomes = "at 0xffff800000002300 q:0xffff800000002000 q:0 q:0xd q:4\n";
	assert_int_equal(walk(im, &s, NULL), 0);
	assert_int_equal(s.n, 4);
	assert_memory_equal(s.keys, "\x0d\x0a\x0b\x0c", 4);
	im->becomes = "at 0xffff800000002300 z:32\n";
	image_add(im, im->becomes);
	assert_int_equal(walk(im, &s, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	image_destroy(&im->kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_element_once),
		cmocka_unit_test(broken_chains),
		cmocka_unit_test(a_chain_that_changed_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
