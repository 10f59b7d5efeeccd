// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kdump/dwarf.c, dwarf_types.c, dwarf_abbrev.c: BTF as DWARF, read back by elfutils' libdw. Every kind of type, what a
 * patch changes and what it must not, variables, and that nothing is guessed.
 */
#include "tests/unit/test.h"
#include "tests/unit/libdw.h"
#include "tests/unit/oom.h"

#include "kdump/dwarf.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

static const struct dwarf_patch no_patches[] = { { 0 } };

/* Types by what they are called here. */
struct types {
	struct btf *btf;
	int i32, u32, u64, chr, boolean, task, node, list;
};

static struct types some_types(void)
{
	struct types t = { .btf = btf__new_empty() };
	int pointer, anonymous, array;

	assert_non_null(t.btf);
	t.i32 = btf__add_int(t.btf, "int", 4, BTF_INT_SIGNED);
	t.u32 = btf__add_int(t.btf, "unsigned int", 4, 0);
	t.u64 = btf__add_int(t.btf, "long unsigned int", 8, 0);
	t.chr = btf__add_int(t.btf, "char", 1, BTF_INT_SIGNED);
	t.boolean = btf__add_int(t.btf, "_Bool", 1, BTF_INT_BOOL);
	btf__add_float(t.btf, "double", 8);
	array = btf__add_array(t.btf, t.u32, t.chr, 16);
	anonymous = btf__add_struct(t.btf, NULL, 16);
	btf__add_field(t.btf, "count", t.u64, 0, 0);
	btf__add_field(t.btf, "limit", t.u64, 64, 0);
	t.node = btf__add_struct(t.btf, "node", 48);
	pointer = t.node + 1;
	btf__add_field(t.btf, "next", pointer, 0, 0);
	btf__add_field(t.btf, "comm", array, 64, 0);
	btf__add_field(t.btf, "low", t.u32, 192, 3);
	btf__add_field(t.btf, "high", t.u32, 195, 5);
	btf__add_field(t.btf, NULL, anonymous, 256, 0);
	assert_int_equal(btf__add_ptr(t.btf, t.node), pointer);
	btf__add_struct(t.btf, "other", 8);
	btf__add_field(t.btf, "count", t.u64, 0, 0);
	t.task = btf__add_struct(t.btf, "task_struct", 64);
	btf__add_field(t.btf, "pid", t.i32, 0, 0);
	return t;
}

static Dwarf *make(const struct dwarf_input *in, struct dwarf *d, size_t want_left_out)
{
	size_t left_out;
	struct err err;

	if (dwarf_make(in, d, &left_out, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(left_out, want_left_out);
	return libdw_of(d);
}

static void every_kind_of_type(void **state)
{
	struct types t = some_types();
	struct dwarf_input in = { .btf = t.btf, .patches = no_patches, .thread_size = 16384 };
	int id, tagged;
	Dwarf_Die die, member;
	struct dwarf d;
	Dwarf *dw;

	btf__add_enum(t.btf, "color", 4);
	btf__add_enum_value(t.btf, "RED", 1);
	btf__add_enum_value(t.btf, "NONE", -1);
	btf__add_enum64(t.btf, "wide", 8, false);
	btf__add_enum64_value(t.btf, "TOP", 1ull << 63);
	btf__add_fwd(t.btf, "elsewhere", BTF_FWD_STRUCT);
	btf__add_union(t.btf, "either", 8);
	btf__add_field(t.btf, "number", t.u64, 0, 0);
	btf__add_typedef(t.btf, "pid_t", t.i32);
	id = btf__add_const(t.btf, t.chr);
	tagged = btf__add_type_tag(t.btf, "user", id);
	btf__add_typedef(t.btf, "text_t", btf__add_ptr(t.btf, tagged));
	id = btf__add_func_proto(t.btf, t.i32);
	btf__add_func_param(t.btf, "fmt", t.u64);
	btf__add_func_param(t.btf, "", 0);
	btf__add_typedef(t.btf, "print_t", id);
	btf__add_typedef(t.btf, "void_t", btf__add_volatile(t.btf, 0));
	dw = make(&in, &d, 0);

	assert_true(libdw_find(dw, DW_TAG_base_type, "_Bool", &die));
	assert_int_equal(libdw_number(&die, DW_AT_encoding), DW_ATE_boolean);
	assert_true(libdw_find(dw, DW_TAG_base_type, "double", &die));
	assert_int_equal(libdw_number(&die, DW_AT_encoding), DW_ATE_float);
	assert_true(libdw_find(dw, DW_TAG_base_type, "char", &die));
	assert_int_equal(libdw_number(&die, DW_AT_encoding), DW_ATE_signed_char);
	assert_true(libdw_find(dw, DW_TAG_structure_type, "node", &die));
	assert_int_equal(libdw_number(&die, DW_AT_byte_size), 48);
	assert_true(libdw_child(&die, "comm", &member));
	assert_int_equal(libdw_number(&member, DW_AT_data_member_location), 8);
	assert_string_equal(libdw_type(&member), "char[16]");
	assert_true(libdw_child(&die, "next", &member));
	assert_string_equal(libdw_type(&member), "struct node *");
	assert_true(libdw_child(&die, "high", &member));
	assert_int_equal(libdw_number(&member, DW_AT_bit_size), 5);
	assert_int_equal(libdw_number(&member, DW_AT_data_bit_offset), 195);
	assert_true(libdw_child(&die, NULL, &member));
	assert_int_equal(libdw_number(&member, DW_AT_data_member_location), 32);
	assert_true(libdw_find(dw, DW_TAG_enumeration_type, "color", &die));
	assert_true(libdw_child(&die, "NONE", &member));
	assert_int_equal(libdw_signed(&member, DW_AT_const_value), -1);
	assert_true(libdw_find(dw, DW_TAG_enumeration_type, "wide", &die));
	assert_true(libdw_child(&die, "TOP", &member));
	assert_int_equal(libdw_signed(&member, DW_AT_const_value), INT64_MIN);
	assert_true(libdw_find(dw, DW_TAG_structure_type, "elsewhere", &die));
	assert_int_equal(libdw_number(&die, DW_AT_declaration), 1);
	assert_true(libdw_find(dw, DW_TAG_union_type, "either", &die));
	assert_true(libdw_find(dw, DW_TAG_typedef, "pid_t", &die));
	assert_string_equal(libdw_type(&die), "int");
	assert_true(libdw_find(dw, DW_TAG_typedef, "text_t", &die));	/* the tag is not shown */
	assert_string_equal(libdw_type(&die), "const char *");
	assert_true(libdw_find(dw, DW_TAG_typedef, "print_t", &die));
	assert_string_equal(libdw_type(&die), "int (long unsigned int, ...)");
	assert_true(libdw_find(dw, DW_TAG_typedef, "void_t", &die));
	assert_string_equal(libdw_type(&die), "volatile void");
	assert_true(libdw_find(dw, DW_TAG_union_type, "thread_union", &die));
	assert_int_equal(libdw_number(&die, DW_AT_byte_size), 16384);
	assert_true(libdw_child(&die, "stack", &member));
	assert_string_equal(libdw_type(&member), "long unsigned int[2048]");
	libdw_end(dw, &d);
	btf__free(t.btf);
}

static void variables_and_what_is_not_known(void **state)
{
	struct types t = some_types();
	const struct dwarf_var vars[] = {
		{ .name = "init_task", .type = "struct task_struct", .addr = 0xffffffff82000000 },
		{ .name = "heads", .type = "struct node * [64]", .addr = 0xffffffff82001000 },
		{ .name = "mystery", .type = "struct unheard_of", .addr = 0xffffffff82002000 },
		{ .name = "nothing", .type_id = 9999, .addr = 0xffffffff82003000 },
		{ .name = "this_cpu", .type_id = (uint32_t)t.u32, .addr = 0x1234 },
	};
	struct dwarf_input in = { .btf = t.btf, .vars = vars, .nvars = 5, .patches = no_patches, .thread_size = 8192 };
	Dwarf_Die die;
	struct dwarf d;
	Dwarf *dw = make(&in, &d, 2);

	assert_true(libdw_find(dw, DW_TAG_variable, "init_task", &die));
	assert_string_equal(libdw_type(&die), "struct task_struct");
	assert_int_equal(libdw_address(&die), 0xffffffff82000000);
	assert_true(libdw_find(dw, DW_TAG_variable, "heads", &die));
	assert_string_equal(libdw_type(&die), "struct node *[64]");
	assert_true(libdw_find(dw, DW_TAG_variable, "this_cpu", &die));
	assert_int_equal(libdw_address(&die), 0x1234);
	assert_false(libdw_find(dw, DW_TAG_variable, "mystery", &die));
	assert_false(libdw_find(dw, DW_TAG_variable, "nothing", &die));
	libdw_end(dw, &d);
	btf__free(t.btf);
}

static void a_patch_changes_what_it_names(void **state)
{
	static const struct dwarf_patch patches[] = {
		{ DWARF_RENAME, "node", "count", "counters", 0 },	/* in the anonymous struct in it */
		{ DWARF_RESIZE, "node", NULL, NULL, 56 },
		{ DWARF_ADD, "node", "old", "unsigned int", 44 },
		{ DWARF_ADD, "node", "unknown", "struct unheard_of", 0 },
		{ 0 },
	};
	struct types t = some_types();
	struct dwarf_input in = { .btf = t.btf, .patches = patches, .thread_size = 16384 };
	Dwarf_Die node, other, member, inner;
	struct dwarf d;
	Dwarf *dw;

	/* another anonymous struct with a member of that name, in another type */
	btf__add_struct(t.btf, NULL, 8);
	btf__add_field(t.btf, "count", t.u64, 0, 0);
	btf__add_struct(t.btf, "bystander", 8);
	btf__add_field(t.btf, NULL, (int)btf__type_cnt(t.btf) - 2, 0, 0);
	dw = make(&in, &d, 0);

	assert_true(libdw_find(dw, DW_TAG_structure_type, "node", &node));
	assert_int_equal(libdw_number(&node, DW_AT_byte_size), 56);
	assert_true(libdw_child(&node, "old", &member));
	assert_int_equal(libdw_number(&member, DW_AT_data_member_location), 44);
	assert_false(libdw_child(&node, "unknown", &member));
	assert_true(libdw_child(&node, NULL, &member) && libdw_target(&member, &inner));
	assert_true(libdw_child(&inner, "counters", &member) && libdw_child(&inner, "limit", &member));
	assert_false(libdw_child(&inner, "count", &member));
	assert_true(libdw_find(dw, DW_TAG_structure_type, "other", &other));
	assert_true(libdw_child(&other, "count", &member));
	assert_true(libdw_find(dw, DW_TAG_structure_type, "bystander", &other));
	assert_true(libdw_child(&other, NULL, &member) && libdw_target(&member, &inner));
	assert_true(libdw_child(&inner, "count", &member));
	libdw_end(dw, &d);
	btf__free(t.btf);
}

static void a_constant_has_its_scope(void **state)
{
	struct types t = some_types();
	struct dwarf_input in = { .btf = t.btf, .patches = no_patches, .thread_size = 16384,
				  .scoped = { "write_expire", 1250, 0xffffffff83000000 } };
	Dwarf_Die unit, die;
	Dwarf_Addr low, high;
	struct dwarf d;
	Dwarf *dw = make(&in, &d, 0);

	assert_true(libdw_find(dw, DW_TAG_variable, "write_expire", &die));
	assert_int_equal(libdw_signed(&die, DW_AT_const_value), 1250);
	assert_string_equal(libdw_type(&die), "int");
	assert_non_null(dwarf_diecu(&die, &unit, NULL, NULL));
	assert_int_equal(dwarf_lowpc(&unit, &low), 0);
	assert_int_equal(dwarf_highpc(&unit, &high), 0);
	assert_true(low == 0xffffffff83000000 && high == low + 1);
	assert_true(libdw_find(dw, DW_TAG_structure_type, "node", &die));	/* of the other unit, still found */
	libdw_end(dw, &d);
	btf__free(t.btf);
}

/* References that lead nowhere, loops: whatever BTF says, every reference of the DWARF has a target. */
static void hostile_btf(void **state)
{
	struct types t = some_types();
	struct dwarf_input in = { .btf = t.btf, .patches = no_patches, .thread_size = 16384 };
	struct dwarf d;
	int id = btf__add_type_tag(t.btf, "a", (int)btf__type_cnt(t.btf) + 1);

	btf__add_type_tag(t.btf, "b", id);	/* each tag is of the other */
	btf__add_typedef(t.btf, "loop", id);
	btf__add_typedef(t.btf, "of_a_function", btf__add_func(t.btf, "f", BTF_FUNC_STATIC, t.i32));
	btf__add_typedef(t.btf, "beyond", 7777);
	libdw_end(make(&in, &d, 0), &d);
	btf__free(t.btf);
}

/* Each allocation fails once: all of it, or an error, and nothing leaked. */
static void every_allocation(void **state)
{
	struct types t = some_types();
	const struct dwarf_var vars[] = { { .name = "init_task", .type = "struct task_struct", .addr = 1 } };
	static const struct dwarf_patch patches[] = { { DWARF_RENAME, "node", "count", "counters", 0 }, { 0 } };
	struct dwarf_input in = { .btf = t.btf, .vars = vars, .nvars = 1, .patches = patches, .thread_size = 16384,
				  .scoped = { "write_expire", 1250, 0xffffffff83000000 } };
	struct dwarf d = { 0 };
	struct err err = { 0 };
	size_t left_out, want;
	long before;
	int rc = dwarf_make(&in, &d, &left_out, &err);

	assert_int_equal(rc, 0);
	want = d.info.len;
	dwarf_deinit(&d);
	rc = -1;
	for (fail_at = 1; rc || allocations >= fail_at; fail_at++) {
		allocations = 0;
		before = live;
		rc = dwarf_make(&in, &d, &left_out, &err);
		if (rc)
			assert_int_equal(err.code, ERR_NOMEM);
		else
			assert_int_equal(d.info.len, want);
		dwarf_deinit(&d);
		assert_int_equal(live, before);
	}
	assert_true(fail_at > 5 || !live);
	fail_at = 0;
	btf__free(t.btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_type),
		cmocka_unit_test(variables_and_what_is_not_known),
		cmocka_unit_test(a_patch_changes_what_it_names),
		cmocka_unit_test(a_constant_has_its_scope),
		cmocka_unit_test(hostile_btf),
		cmocka_unit_test(every_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
