// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/modtypes.c: the types of modules, appended to the kernel's, from a list of modules as it lies in memory. */
#include "tests/unit/test.h"
#include "tests/unit/image.h"

#include "kdump/modtypes.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <string.h>

#define HEAD 0xffff800000000000ull
#define MODULE(i) (0xffff800000001000ull + (i) * 0x100ull)	/* struct btf_module: list, then btf */
#define BTF(i) (0xffff800000002000ull + (i) * 0x100ull)		/* struct btf: data, then its size */
#define DATA(i) (0xffff800000010000ull + (i) * 0x10000ull)

static const char text[] =
	"symbol btf_modules 0xffff800000000000\n"
	"member btf_module list 0 16\n"
	"member btf_module btf 16 8\n"
	"member btf data 0 8\n"
	"member btf data_size 8 4\n";

static struct btf *kernel_types(void)
{
	struct btf *b = btf__new_empty();

	assert_int_equal(btf__add_int(b, "int", 4, BTF_INT_SIGNED), 1);
	assert_int_equal(btf__add_struct(b, "list_head", 16), 2);
	return b;
}

/* struct NAME { int id; struct NAME *next; struct list_head list; } and an enum. */
static struct btf *module_types(struct btf *base, const char *name)
{
	struct btf *b = btf__new_empty_split(base);
	int st = btf__add_struct(b, name, 32);

	btf__add_field(b, "id", 1, 0, 0);
	btf__add_field(b, "next", st + 1, 64, 0);
	btf__add_field(b, "list", 2, 128, 0);
	assert_int_equal(btf__add_ptr(b, st), st + 1);
	btf__add_enum(b, "state", 4);
	btf__add_enum_value(b, "READY", 3);
	return b;
}

static void put_module(struct image *im, int i, uint64_t next, const struct btf *types)
{
	uint32_t size;
	const void *data = btf__raw_data(types, &size);

	image_put_number(im, MODULE(i), next, 8);
	image_put_number(im, MODULE(i) + 16, BTF(i), 8);
	image_put_number(im, BTF(i), DATA(i), 8);
	image_put_number(im, BTF(i) + 8, size, 4);
	image_put(im, DATA(i), data, size);
}

/* Two modules, each with a struct of its own; the list is a ring. */
static struct image *make(struct btf *base)
{
	static const char *const names[] = { "first", "second" };
	struct image *im = image_create(text);

	image_put_number(im, HEAD, MODULE(0), 8);
	for (int i = 0; i < 2; i++) {
		struct btf *split = module_types(base, names[i]);

		put_module(im, i, i ? HEAD : MODULE(1), split);
		btf__free(split);
	}
	return im;
}

/* A pointer to itself, and one to what the kernel has. */
static void check_struct(const struct btf *b, const char *name)
{
	int id = btf__find_by_name_kind(b, name, BTF_KIND_STRUCT);
	const struct btf_type *t = btf__type_by_id(b, (uint32_t)id), *p;

	assert_true(id > 2);
	assert_int_equal(btf_vlen(t), 3);
	assert_string_equal(btf__str_by_offset(b, btf_members(t)[1].name_off), "next");
	p = btf__type_by_id(b, btf_members(t)[1].type);
	assert_true(btf_is_ptr(p));
	assert_int_equal(p->type, id);
	assert_int_equal(btf_members(t)[0].type, 1);
	assert_int_equal(btf_members(t)[2].type, 2);
}

static void modules_are_appended(void **state)
{
	struct btf *base = kernel_types(), *all;
	struct image *im = make(base);
	size_t left_out;
	struct err err;

	all = modtypes_merge(&im->kernel, base, &left_out, &err);
	assert_non_null(all);
	assert_int_equal(left_out, 0);
	assert_int_equal(btf__type_cnt(base), 3);
	assert_int_equal(btf__type_cnt(all), 3 + 2 * 3);
	check_struct(all, "first");
	check_struct(all, "second");
	btf__free(all);
	image_destroy(&im->kernel);
	btf__free(base);
}

/* What is missing, or wrong anywhere, costs that module at most; the other one is whole. */
static void damage_costs_its_own_module(void **state)
{
	struct btf *base = kernel_types();
	struct btf *split = module_types(base, "first"), *all;
	size_t left_out, without = 0;
	uint32_t size;
	struct err err;

	btf__raw_data(split, &size);
	for (uint32_t at = 0; at < size; at++) {
		struct image *im = make(base);
		int id;

		image_put_number(im, DATA(0) + at, 0xff, 1);
		all = modtypes_merge(&im->kernel, base, &left_out, &err);
		assert_non_null(all);
		without += left_out;
		id = btf__find_by_name_kind(all, "second", BTF_KIND_STRUCT);
		assert_true(id > 2);
		check_struct(all, "second");
		btf__free(all);
		image_destroy(&im->kernel);
	}
	assert_true(without > size / 4);
	btf__free(split);
	btf__free(base);
}

static void no_list_is_no_error(void **state)
{
	struct image *im = image_create("symbol btf_modules 0xffff800000000000\nmember btf_module list 0 16\n");
	struct btf *base = kernel_types(), *all;
	size_t left_out;
	struct err err;

	all = modtypes_merge(&im->kernel, base, &left_out, &err);
	assert_int_equal(btf__type_cnt(all), 3);
	assert_int_equal(left_out, 0);
	btf__free(all);
	image_destroy(&im->kernel);
	btf__free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modules_are_appended),
		cmocka_unit_test(damage_costs_its_own_module),
		cmocka_unit_test(no_list_is_no_error),
	};

	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
