// SPDX-License-Identifier: GPL-2.0-or-later
/* The back half of the compiler: a checked rule, made by hand, to an object that libbpf opens. */
#include "tests/unit/test.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/object.h"
#include "agent/setinfo.h"
#include "lib/arena.h"
#include "rules/generate.h"

static const char text[] = "deadfall: 1\nrule: read-twice\nevents:\n  read: kprobe:vfs_read\n";

static const struct type u64_type = { .kind = TYPE_INT, .size = 8 };
static const struct type s32_type = { .kind = TYPE_INT, .size = 4, .is_signed = true };
static const struct type bool_type = { .kind = TYPE_BOOL, .size = 1 };

struct fixture {
	struct arena *a;
	struct btf *btf;
	struct type inode, inode_ptr, file, file_ptr;
	struct source *src;
	struct rule rule;
	struct event event;
	struct event *events[1];
	struct rule_set set;
};

/* struct inode { u64 i_ino; s32 i_flags; }; struct file { struct inode *f_inode; }; as a kernel's BTF has them */
static void make_types(struct fixture *f)
{
	int u64_id, s32_id, inode, ptr;

	f->btf = btf__new_empty();
	u64_id = btf__add_int(f->btf, "unsigned long", 8, 0);
	s32_id = btf__add_int(f->btf, "int", 4, BTF_INT_SIGNED);
	inode = btf__add_struct(f->btf, "inode", 16);
	btf__add_field(f->btf, "i_ino", u64_id, 0, 0);
	btf__add_field(f->btf, "i_flags", s32_id, 64, 0);
	ptr = btf__add_ptr(f->btf, inode);
	f->inode = (struct type){ .kind = TYPE_STRUCT, .size = 16, .btf = f->btf, .btf_id = (uint32_t)inode, .name = "inode" };
	f->inode_ptr = (struct type){ .kind = TYPE_PTR, .size = 8, .target = &f->inode };
	f->file = (struct type){ .kind = TYPE_STRUCT, .size = 8, .btf = f->btf, .name = "file" };
	f->file.btf_id = (uint32_t)btf__add_struct(f->btf, "file", 8);
	btf__add_field(f->btf, "f_inode", ptr, 0, 0);
	f->file_ptr = (struct type){ .kind = TYPE_PTR, .size = 8, .target = &f->file };
}

static struct expr *node(struct fixture *f, enum expr_op op, const struct type *type, struct expr *a, struct expr *b)
{
	struct expr *e = arena_new(f->a, struct expr);

	*e = (struct expr){ .op = op, .type = type, .a = a, .b = b, .span = { f->src, 42, 4 } };
	return e;
}

static struct expr *member(struct fixture *f, struct expr *a, const struct type *base, const char *name,
			   const struct type *type, uint32_t off)
{
	struct expr *e = node(f, EXPR_MEMBER, type, a, NULL);

	e->arrow = true;
	e->member = (struct member_ref){ .base = base, .name = name, .bit_off = off * 8 };
	return e;
}

static struct expr *number(struct fixture *f, const struct type *type, uint64_t v)
{
	struct expr *e = node(f, EXPR_INT, type, NULL, NULL);

	e->value = v;
	return e;
}

static void setup(struct fixture *f)
{
	static uint8_t pos[1] = { 0 };
	struct expr *arg, *inode, *count, *ino;

	memset(f, 0, sizeof(*f));
	f->a = arena_create(NULL, NULL);
	f->src = source_from_text(f->a, "rule.yaml", text, sizeof(text) - 1);
	make_types(f);
	arg = node(f, EXPR_ARG, &f->file_ptr, NULL, NULL);
	inode = member(f, arg, &f->file, "f_inode", &f->inode_ptr, 0);
	count = member(f, inode, &f->inode, "i_flags", &s32_type, 8);
	ino = member(f, inode, &f->inode, "i_ino", &u64_type, 0);
	f->event.name = "read";
	f->event.span = (struct span){ f->src, 42, 20 };
	f->event.probes = arena_array(f->a, 1, sizeof(struct probe));
	f->event.probes[0] = (struct probe){ .kind = PROBE_KPROBE, .text = "kprobe:vfs_read", .pattern = "vfs_read" };
	f->event.probes[0].funcs = arena_array(f->a, 1, sizeof(struct probe_func));
	f->event.probes[0].funcs[0] = (struct probe_func){ .name = "vfs_read", .argpos = pos };
	f->event.probes[0].nfuncs = 1;
	f->event.nprobes = 1;
	f->event.where = node(f, EXPR_LAND, &bool_type,
			      node(f, EXPR_LT, &bool_type, number(f, &s32_type, (uint64_t)-1), count),
			      node(f, EXPR_NE, &bool_type, ino, number(f, &u64_type, 0)));
	f->event.key = arena_array(f->a, 1, sizeof(struct expr *));
	f->event.key[0] = inode;
	f->event.nkey = 1;
	f->event.fields = arena_array(f->a, 1, sizeof(struct field));
	f->event.fields[0] = (struct field){ .name = "ino", .expr = ino };
	f->event.nfields = 1;
	f->event.keep = KEEP_KSTACK;
	f->event.roles = ROLE_LEADS;
	f->event.args = arena_array(f->a, 1, sizeof(struct event_arg));
	f->event.args[0] = (struct event_arg){ .name = "file", .type = &f->file_ptr };
	f->event.nargs = 1;
	f->event.nbodies = 1;
	f->rule.name = "read-twice";
	f->rule.span = (struct span){ f->src, 0, sizeof(text) - 1 };
	f->rule.events = &f->event;
	f->rule.nevents = 1;
	f->rule.nkey = 1;
	f->rule.context_last = 8;
	f->rule.context_keys = 100;
	f->rule.match.times = 1;
	f->rule.match.kind = MATCH_SEQUENCE;
	f->rule.match.steps = arena_array(f->a, 2, sizeof(struct step));
	f->rule.match.steps[0] = (struct step){ .label = "a", .event = &f->event };
	f->rule.match.steps[1] = (struct step){ .label = "b", .event = &f->event };
	f->rule.match.nsteps = 2;
	f->rule.match.within = number(f, &u64_type, 1000000000);
	f->events[0] = &f->event;
	f->set = (struct rule_set){ .name = "read-twice", .rules = &f->rule, .nrules = 1, .events = f->events, .nevents = 1 };
}

static void teardown(struct fixture *f)
{
	btf__free(f->btf);
	arena_destroy(f->a);
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, ap) : 0;
}

static void generate(struct fixture *f, struct buf *object, struct generated *gen)
{
	struct diags diags = diags_init(f->a);
	struct err err = { 0 };

	libbpf_set_print(quiet);
	if (generate_object(f->a, &f->set, &diags, gen, object, &err))
		print_error("%s\n", err.msg);
	assert_int_equal(diags.errors, 0);
	assert_int_equal(err.code, ERR_NONE);
	assert_true(object->len > 1000);
}

static void object_opens_with_plain_libbpf(void **state)
{
	struct buf object = BUF_INIT;
	struct generated gen = { 0 };
	struct bpf_object *o;
	struct fixture f;

	setup(&f);
	generate(&f, &object, &gen);
	if (getenv("DEADFALL_KEEP_OBJECT")) {
		FILE *out = fopen(getenv("DEADFALL_KEEP_OBJECT"), "w");

		fwrite(object.data, 1, object.len, out);
		fclose(out);
	}
	o = bpf_object__open_mem(object.data, object.len, NULL);
	assert_non_null(o);
	assert_non_null(bpf_object__find_program_by_name(o, "df_only_kprobe"));
	assert_non_null(bpf_object__find_program_by_name(o, "df_list0"));
	assert_non_null(bpf_object__find_map_by_name(o, "df_keys"));
	/* the runtime was cut to the set's size: 1 key part, 2 field words + 28 frames */
	assert_int_equal(bpf_map__key_size(bpf_object__find_map_by_name(o, "df_keys")), 16);
	assert_int_equal(gen.layout.words, 32);
	bpf_object__close(o);
	buf_deinit(&object);
	teardown(&f);
}

static void manifest_reads_back(void **state)
{
	struct buf object = BUF_INIT;
	struct generated gen = { 0 };
	struct set_info info;
	struct err err = { 0 };
	struct fixture f;
	const char *manifest;
	size_t len;

	setup(&f);
	generate(&f, &object, &gen);
	assert_int_equal(object_manifest(&object, &manifest, &len, &err), 0);
	assert_int_equal(set_info_parse(f.a, manifest, len, &info, &err), 0);
	assert_string_equal(info.name, "read-twice");
	assert_int_equal(info.nevents, 1);
	assert_string_equal(info.events[0].args[0].name, "file");
	assert_string_equal(info.hooks[0].program, "df_only_kprobe");
	assert_int_equal(info.nbodies, 1);
	assert_true(info.bodies[0].npatches > 0);
	assert_int_equal(object_patch_arg(&object, info.bodies[0].patches[0].func, info.bodies[0].patches[0].insn, 2, &err), 0);
	assert_int_equal(object_patch_arg(&object, "df_only_kprobe", 0, 2, &err), -1);
	assert_int_equal(object_patch_arg(&object, "no_such_function", 0, 2, &err), -1);
	buf_deinit(&object);
	teardown(&f);
}

static void ir_text_is_complete(void **state)
{
	struct buf object = BUF_INIT;
	struct generated gen = { 0 };
	struct fixture f;
	char *out = NULL;
	size_t size = 0;
	FILE *mem = open_memstream(&out, &size);

	setup(&f);
	generate(&f, &object, &gen);
	for (uint32_t i = 0; i < gen.code.nfuncs; i++)
		ir_print(gen.code.funcs[i], mem);
	fclose(mem);
	assert_non_null(strstr(out, "; CO-RE offset of inode.i_flags"));
	assert_non_null(strstr(out, "df_stats"));
	assert_non_null(strstr(out, "the condition is unknown"));
	free(out);
	buf_deinit(&object);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(object_opens_with_plain_libbpf),
		cmocka_unit_test(manifest_reads_back),
		cmocka_unit_test(ir_text_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
