// SPDX-License-Identifier: GPL-2.0-or-later
/* kbtf, kbtf_image, types: names to types, members through anonymous structs, corrupt and packed files. */
#include "tests/unit/test.h"

#include "lib/arena.h"
#include "rules/kbtf.h"
#include "rules/type.h"

#include <bpf/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	struct arena *arena;
	struct kbtf *kbtf;
	struct types *types;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err;

	f->arena = arena_create(NULL, NULL);
	if (kbtf_open("tests/data/kernel.btf", &f->kbtf, &err) ||
	    kbtf_add_module(f->kbtf, "tests/data/widget.btf", &err)) {
		print_error("%s\n", err.msg);
		return -1;
	}
	f->types = types_create(f->arena, f->kbtf);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kbtf_close(f->kbtf);
	arena_destroy(f->arena);
	free(f);
	return 0;
}

static void functions_are_found_in_kernel_and_module(void **state)
{
	struct fixture *f = *state;
	struct kbtf_func fn;

	assert_true(kbtf_find_func(f->kbtf, NULL, "vfs_read", &fn));
	assert_null(fn.module);
	assert_true(kbtf_find_func(f->kbtf, NULL, "widget_free", &fn));
	assert_string_equal(fn.module, "widget");
	assert_false(kbtf_find_func(f->kbtf, "vmlinux", "widget_free", &fn));
	assert_false(kbtf_find_func(f->kbtf, "nomodule", "widget_free", &fn));
	assert_false(kbtf_find_func(f->kbtf, NULL, "inode", &fn));
	assert_string_equal(kbtf_nearest_func(f->kbtf, "vfs_raed"), "vfs_read");
}

static int count(const struct kbtf_func *f, void *arg)
{
	++*(int *)arg;
	return 0;
}

static void globs_go_over_all_functions(void **state)
{
	struct fixture *f = *state;
	int n = 0;

	kbtf_each_func(f->kbtf, NULL, "vfs_*", count, &n);
	assert_int_equal(n, 3);
	n = 0;
	kbtf_each_func(f->kbtf, NULL, "*_alloc", count, &n);
	assert_int_equal(n, 2);
	n = 0;
	kbtf_each_func(f->kbtf, "widget", "*_alloc", count, &n);
	assert_int_equal(n, 1);
}

static void members_are_found_through_anonymous_ones(void **state)
{
	struct fixture *f = *state;
	const struct type *inode = type_by_name(f->types, "struct inode");
	struct type_member m;

	assert_non_null(inode);
	assert_true(type_find_member(f->types, inode, "i_nlink", &m));
	assert_int_equal(m.bit_off, 40 * 8);
	assert_true(type_find_member(f->types, inode, "deep", &m));
	assert_int_equal(m.type->kind, TYPE_INT);
	assert_true(m.type->is_signed);
	assert_true(type_find_member(f->types, inode, "i_count", &m));
	assert_string_equal(m.type->name, "atomic_t");
	assert_true(type_find_member(f->types, m.type, "counter", &m));
	assert_false(type_find_member(f->types, inode, "i_sz", &m));
	assert_string_equal(type_nearest_member(f->types, inode, "i_sz"), "i_size");
}

static void bit_fields_have_place_and_width(void **state)
{
	struct fixture *f = *state;
	const struct type *task = type_by_name(f->types, "struct task_struct");
	struct type_member m;

	assert_true(type_find_member(f->types, task, "in_iowait", &m));
	assert_int_equal(m.bit_off, 161);
	assert_int_equal(m.bit_size, 1);
	assert_true(type_find_member(f->types, task, "comm", &m));
	assert_int_equal(m.type->kind, TYPE_ARRAY);
	assert_true(m.type->target->is_char);
	assert_int_equal(m.bit_size, 0);
}

static void a_declared_struct_is_defined_elsewhere(void **state)
{
	struct fixture *f = *state;
	const struct type *holder = type_by_name(f->types, "struct holder");
	struct type_member m;

	assert_true(type_find_member(f->types, holder, "defined_in_a_module", &m));
	assert_int_equal(m.type->target->size, 4);
	assert_true(type_find_member(f->types, m.type->target, "found", &m));
}

static void c_names_of_types(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *name;
		uint32_t size;
		bool is_signed;
	} names[] = {
		{ "unsigned long int", 8, false }, { "long unsigned", 8, false }, { "signed char", 1, true },
		{ "u16", 2, false }, { "size_t", 8, false }, { "ssize_t", 8, true }, { "loff_t", 8, true },
		{ "gfp_t", 4, false }, { "enum odd", 4, true }, { "enum big", 8, false },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct type *t = type_by_name(f->types, names[i].name);

		assert_non_null(t);
		assert_int_equal(t->size, names[i].size);
		assert_int_equal(t->is_signed, names[i].is_signed);
	}
	assert_null(type_by_name(f->types, "struct nowhere"));
	assert_string_equal(type_nearest(f->types, "struct indoe"), "struct inode");
	assert_string_equal(type_nearest(f->types, "inode"), "struct inode");
}

static void prototypes(void **state)
{
	struct fixture *f = *state;
	const struct type *type;
	struct kbtf_func fn;
	const char *name;

	assert_true(kbtf_find_func(f->kbtf, NULL, "vfs_read", &fn));
	assert_true(type_proto_param(f->types, fn.btf, fn.proto_id, 1, &name, &type));
	assert_string_equal(name, "buf");
	assert_string_equal(type_text(f->arena, type), "char *");
	assert_false(type_proto_param(f->types, fn.btf, fn.proto_id, 4, &name, &type));
	assert_string_equal(type_text(f->arena, type_proto_ret(f->types, fn.btf, fn.proto_id)), "long");
}

static void enumerators_with_several_values_are_counted(void **state)
{
	struct fixture *f = *state;
	const struct btf *btf;
	int64_t value;
	uint32_t id;

	assert_int_equal(kbtf_find_enumerator(f->kbtf, "ODD_NEGATIVE", &value, &btf, &id), 1);
	assert_int_equal(value, -3);
	assert_int_equal(kbtf_find_enumerator(f->kbtf, "SHARED_NAME", &value, &btf, &id), 2);
	assert_int_equal(kbtf_find_enumerator(f->kbtf, "NO_SUCH", &value, &btf, &id), 0);
}

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fwrite(data, 1, len, f);
	fclose(f);
}

/* Each third byte of the file set to ff, one after the other: refused or read, never a crash. */
static void corrupt_btf_is_refused_or_harmless(void **state)
{
	char path[] = "/tmp/deadfall-kbtf-XXXXXX", data[8192];
	FILE *in = fopen("tests/data/kernel.btf", "r");
	size_t len = fread(data, 1, sizeof(data), in);
	int fd = mkstemp(path), refused = 0, n = 0;

	fclose(in);
	assert_true(fd >= 0 && len > 1000 && len < sizeof(data));
	for (size_t i = 0; i < len; i += 3) {
		char old = data[i];
		struct kbtf *k;
		struct err err;

		data[i] = (char)0xff;
		write_file(path, data, len);
		data[i] = old;
		if (kbtf_open(path, &k, &err)) {
			refused++;
			assert_int_not_equal(err.msg[0], 0);
			continue;
		}
		kbtf_each_func(k, NULL, "*", count, &n);
		kbtf_nearest_func(k, "vfs_raed");
		kbtf_close(k);
	}
	assert_true(refused > 50);
	write_file(path, data, len / 2);
	assert_int_equal(kbtf_open(path, &(struct kbtf *){ NULL }, &(struct err){ 0 }), -1);
	unlink(path);
}

static void packed_files_are_unpacked(void **state)
{
	static const char *const commands[] = {
		"gzip -c", "xz -c", "zstd -qc", "lz4 -lc",
	};
	char path[] = "/tmp/deadfall-kbtf-XXXXXX", cmd[200];
	struct kbtf *k;
	struct err err;

	assert_true(mkstemp(path) >= 0);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		snprintf(cmd, sizeof(cmd), "%s tests/data/kernel.btf > %s 2>/dev/null", commands[i], path);
		if (system(cmd))
			continue;	/* the packer is not installed */
		if (kbtf_open(path, &k, &err))
			fail_msg("%s: %s", commands[i], err.msg);
		kbtf_close(k);
	}
	unlink(path);
}

static void what_is_no_btf_says_so(void **state)
{
	struct kbtf *k;
	struct err err;

	assert_int_equal(kbtf_open("/no/such/file", &k, &err), -1);
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_int_equal(kbtf_open("tests/data/kernel.c", &k, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_int_equal(kbtf_open("/bin/true", &k, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	assert_int_equal(kbtf_open("/proc", &k, &err), -1);
}

/* Its first type and string are numbered after the kernel's. */
static void the_btf_of_a_module_needs_its_kernels(void **state)
{
	char path[] = "/tmp/deadfall-kbtf-XXXXXX";
	struct btf *base = btf__parse_raw("tests/data/kernel.btf"), *split = btf__new_empty_split(base);
	const void *data;
	struct kbtf *k;
	struct err err;
	uint32_t len;
	FILE *f;

	(void)state;
	assert_int_equal(btf__add_typedef(split, "of_the_module_only", 1), (int)btf__type_cnt(base));
	data = btf__raw_data(split, &len);
	f = fdopen(mkstemp(path), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, len, 1, f), 1);
	fclose(f);
	assert_int_equal(kbtf_open(path, &k, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	assert_non_null(strstr(err.msg, "builds on its kernel's: give that first"));
	assert_int_equal(kbtf_open("tests/data/kernel.btf", &k, &err), 0);
	assert_int_equal(kbtf_add_module(k, path, &err), 0);
	kbtf_close(k);
	btf__free(split);
	btf__free(base);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_are_found_in_kernel_and_module),
		cmocka_unit_test(globs_go_over_all_functions),
		cmocka_unit_test(members_are_found_through_anonymous_ones),
		cmocka_unit_test(bit_fields_have_place_and_width),
		cmocka_unit_test(a_declared_struct_is_defined_elsewhere),
		cmocka_unit_test(c_names_of_types),
		cmocka_unit_test(prototypes),
		cmocka_unit_test(enumerators_with_several_values_are_counted),
		cmocka_unit_test(corrupt_btf_is_refused_or_harmless),
		cmocka_unit_test(packed_files_are_unpacked),
		cmocka_unit_test(what_is_no_btf_says_so),
		cmocka_unit_test(the_btf_of_a_module_needs_its_kernels),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
