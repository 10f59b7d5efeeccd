// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/objbtf.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "lib/arena.h"
#include "rules/runtime.h"

const struct extern_func extern_funcs[] = {
	{ "df_peek", 2, { 8, 4 }, 8 },
	{ "df_hit", 1, { 4 }, 4 },
	{ "df_ask", 2, { 0, 4 }, 4 },
	{ "df_ask_direct", 2, { 0, 4 }, 4 },
	{ "df_take", 0, { 0 }, 8 },
	{ "df_lose", 1, { 4 }, 4 },
	{ "df_stack_hash", 3, { 0, 4, 4 }, 8 },
	{ "df_direct", 1, { 4 }, 4 },
	{ "df_delay", 3, { 4, 4, 4 }, 4 },
	{ "df_delay_user", 3, { 4, 4, 4 }, 4 },
	{ "df_delay_hit", 3, { 4, 4, 4 }, 4 },
	{ "df_usdt_arg", 3, { 0, 4, 0 }, 4 },
	{ "df_text_is", 4, { 8, 4, 0, 4 }, 4 },
	{ "df_text_like", 3, { 8, 4, 0 }, 4 },
	{ "df_text_hash", 3, { 8, 4, 0 }, 4 },
	{ "df_text_same", 4, { 8, 4, 8, 4 }, 4 },
	{ "df_comm", 0, { 0 }, 8 },
	{ "df_stack_has", 2, { 0, 0 }, 4 },
	{ "df_in_code", 2, { 8, 0 }, 4 },
	{ "df_kthread", 0, { 0 }, 4 },
	{ "df_in_context", 1, { 4 }, 4 },
	{ "df_netns", 0, { 0 }, 8 },
	{ "df_pidns", 0, { 0 }, 8 },
	{ "df_in_set", 3, { 8, 4, 4 }, 4 },
	{ "df_per_cpu", 3, { 8, 8, 4 }, 8 },
	{ "df_is_return", 0, { 0 }, 4 },
	{ "df_session", 0, { 0 }, 8 },
	{ "df_save", 4, { 8, 4, 0, 4 }, 4 },
	{ "df_saved", 4, { 8, 4, 0, 4 }, 4 },
};
const uint32_t nextern_funcs = sizeof(extern_funcs) / sizeof(extern_funcs[0]);

const struct extern_map extern_maps[] = {
	{ "df_stats", "df_stats" },
	{ "df_scratch", "df_rec" },
};
const uint32_t nextern_maps = sizeof(extern_maps) / sizeof(extern_maps[0]);

/* Types that functions and variables need, each made once. */
struct basics {
	int s32, u32, u64, void_ptr, pt_regs_ptr;
};

static int basics_emit(struct btf *btf, struct basics *b)
{
	int regs;

	b->s32 = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	b->u32 = btf__add_int(btf, "unsigned int", 4, 0);
	b->u64 = btf__add_int(btf, "unsigned long long", 8, 0);
	b->void_ptr = btf__add_ptr(btf, 0);
	regs = btf__add_fwd(btf, "pt_regs", BTF_FWD_STRUCT);
	b->pt_regs_ptr = btf__add_ptr(btf, regs);
	return b->pt_regs_ptr < 0 ? b->pt_regs_ptr : 0;
}

static int by_size(const struct basics *b, uint8_t size)
{
	return size == 4 ? b->u32 : size == 8 ? b->u64 : b->void_ptr;
}

static int emit_extern_func(struct btf *btf, const struct basics *b, const struct extern_func *f)
{
	int proto = btf__add_func_proto(btf, f->ret_size == 4 ? b->s32 : b->u64), err = 0;
	char name[4] = "a";

	for (uint8_t i = 0; i < f->nargs && !err; i++) {
		name[0] = (char)('a' + i);
		err = btf__add_func_param(btf, name, by_size(b, f->arg_size[i]));
	}
	if (err)
		return err;
	return btf__add_func(btf, f->name, BTF_FUNC_EXTERN, proto);
}

static int emit_func(struct btf *btf, const struct basics *b, const struct ir_func *f)
{
	int proto = btf__add_func_proto(btf, b->s32), err;

	/* programs: (ctx); bodies: (ctx, number); df_guard: (number, rec, match) */
	if (f->nparams == 3) {
		err = btf__add_func_param(btf, "guard", b->u32);
		err = err ? err : btf__add_func_param(btf, "rec", b->void_ptr);
		err = err ? err : btf__add_func_param(btf, "match", b->void_ptr);
		return err ? err : btf__add_func(btf, f->name, BTF_FUNC_GLOBAL, proto);
	}
	if (f->nparams == IR_CALLBACK) {
		err = btf__add_func_param(btf, "index", b->u32);
		err = err ? err : btf__add_func_param(btf, "loop", b->void_ptr);
		return err ? err : btf__add_func(btf, f->name, BTF_FUNC_GLOBAL, proto);
	}
	err = btf__add_func_param(btf, "ctx", f->is_program ? b->pt_regs_ptr : b->void_ptr);
	if (!err && f->nparams > 1)
		err = btf__add_func_param(btf, "body", b->u32);
	return err ? err : btf__add_func(btf, f->name, BTF_FUNC_GLOBAL, proto);
}

static uint32_t var_bytes(const struct obj_var *v)
{
	return v->elem_size * (v->nelems ? v->nelems : 1);
}

/* Consecutive variables of one section make one DATASEC. */
static int emit_vars(const struct obj *obj, const struct basics *b)
{
	int *ids = arena_array(obj->arena, obj->nvars + 1, sizeof(*ids)), err = 0;
	uint32_t i, j, off;

	for (i = 0; i < obj->nvars; i++) {
		const struct obj_var *v = &obj->vars[i];
		int type = by_size(b, (uint8_t)v->elem_size);

		if (v->nelems)
			type = btf__add_array(obj->btf, b->u32, type, v->nelems);
		ids[i] = btf__add_var(obj->btf, v->name, BTF_VAR_GLOBAL_ALLOCATED, type);
		if (ids[i] < 0)
			return ids[i];
	}
	for (i = 0; i < obj->nvars && !err; i = j) {
		for (j = i, off = 0; j < obj->nvars && !strcmp(obj->vars[j].section, obj->vars[i].section); j++)
			off += var_bytes(&obj->vars[j]);
		err = btf__add_datasec(obj->btf, obj->vars[i].section, off);
		for (j = i, off = 0; err >= 0 && j < obj->nvars && !strcmp(obj->vars[j].section, obj->vars[i].section);
		     j++) {
			err = btf__add_datasec_var_info(obj->btf, ids[j], off, var_bytes(&obj->vars[j]));
			off += var_bytes(&obj->vars[j]);
		}
		err = err < 0 ? err : 0;
	}
	return err;
}

/* A number as map definitions hold it: a pointer to an array of so many elements. */
static int emit_number(struct btf *btf, const struct basics *b, uint32_t number)
{
	return btf__add_ptr(btf, btf__add_array(btf, b->s32, b->s32, number));
}

/* The map as the runtime defines it, with the runtime's own type of value: the linker compares both member by member. */
static int emit_extern_map(struct btf *btf, const struct basics *b, const struct extern_map *m)
{
	int value = runtime_struct(btf, m->value), type = emit_number(btf, b, BPF_MAP_TYPE_PERCPU_ARRAY);
	int entries = emit_number(btf, b, 1), key = btf__add_ptr(btf, b->u32), def, err;

	value = value < 0 ? value : btf__add_ptr(btf, value);
	def = value < 0 ? value : btf__add_struct(btf, NULL, 32);
	if (def < 0)
		return def;
	err = btf__add_field(btf, "type", type, 0, 0);
	err = err ? err : btf__add_field(btf, "max_entries", entries, 64, 0);
	err = err ? err : btf__add_field(btf, "key", key, 128, 0);
	err = err ? err : btf__add_field(btf, "value", value, 192, 0);
	return err ? err : btf__add_var(btf, m->name, BTF_VAR_GLOBAL_EXTERN, def);
}

static int emit_extern_maps(struct btf *btf, const struct basics *b)
{
	int ids[sizeof(extern_maps) / sizeof(extern_maps[0])], err;

	for (uint32_t i = 0; i < nextern_maps; i++) {
		ids[i] = emit_extern_map(btf, b, &extern_maps[i]);
		if (ids[i] < 0)
			return ids[i];
	}
	/* at the place that it has in the runtime: libbpf's linker (1.1) leaves it where it was first told of */
	err = btf__add_datasec(btf, ".maps", 0);
	for (uint32_t i = 0; i < nextern_maps && err >= 0; i++)
		err = btf__add_datasec_var_info(btf, ids[i], runtime_symbol(extern_maps[i].name), 32);
	return err < 0 ? err : 0;
}

int objbtf_emit(const struct obj *obj, struct func_place *places)
{
	struct basics b;
	int err = basics_emit(obj->btf, &b);

	err = err < 0 ? err : emit_extern_maps(obj->btf, &b);

	for (uint32_t i = 0; i < nextern_funcs && err >= 0; i++)
		err = emit_extern_func(obj->btf, &b, &extern_funcs[i]);
	for (uint32_t i = 0; i < obj->ncodes && err >= 0; i++)
		err = places[i].btf_id = emit_func(obj->btf, &b, obj->codes[i].func);
	if (err < 0)
		return err;
	return emit_vars(obj, &b);
}

static void put_u32(struct buf *b, uint32_t v)
{
	buf_add(b, &v, sizeof(v));
}

static void set_u32(struct buf *b, size_t at, uint32_t v)
{
	if (!buf_failed(b))
		memcpy(b->data + at, &v, sizeof(v));
}

/* A verifier's column has 10 bits. */
#define COLUMN_MAX 1023

static void put_line(const struct obj *obj, struct buf *out, uint32_t insn_off, struct span span)
{
	uint32_t line = 0, col = 0;
	const char *text = "(dispatch)", *file = "deadfall";

	if (span.src) {
		source_position(span.src, span.off, &line, &col);
		text = source_line(obj->arena, span.src, line);
		while (*text == ' ' || *text == '\t')
			text++;
		/* kernels before v6.4 print the text only: the number must be in it */
		text = arena_printf(obj->arena, "%u: %s", line, text);
		file = span.src->name;
	}
	put_u32(out, insn_off);
	put_u32(out, (uint32_t)btf__add_str(obj->btf, file));
	put_u32(out, (uint32_t)btf__add_str(obj->btf, text));
	put_u32(out, line << 10 | (col < COLUMN_MAX ? col : COLUMN_MAX));
}

/* The records of one code section; kind 0: functions, 1: lines, 2: CO-RE. Returns their number. */
static uint32_t put_records(const struct obj *obj, const struct func_place *places, uint32_t section, int kind,
			    struct buf *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < obj->ncodes; i++) {
		const struct code *code = &obj->codes[i];
		uint32_t at = places[i].offset;

		if (places[i].section != section)
			continue;
		if (kind == 0) {
			put_u32(out, at);
			put_u32(out, (uint32_t)places[i].btf_id);
			n++;
			continue;
		}
		/* the kernel wants a line for the first instruction of every function */
		if (kind == 1 && (!code->nmarks || code->marks[0].kind != MARK_LINE || code->marks[0].insn)) {
			put_line(obj, out, at, (struct span){ 0 });
			n++;
		}
		for (const struct mark *m = code->marks; m < code->marks + code->nmarks; m++) {
			if (kind == 1 && m->kind == MARK_LINE) {
				put_line(obj, out, at + m->insn * 8, m->span);
				n++;
			} else if (kind == 2 && m->kind == MARK_CORE) {
				put_u32(out, at + m->insn * 8);
				put_u32(out, core_root_id(m->core.access));
				put_u32(out, (uint32_t)btf__add_str(obj->btf, core_spec(obj->core, m->core.access)));
				put_u32(out, m->core.kind);
				n++;
			}
		}
	}
	return n;
}

int objbtf_ext(const struct obj *obj, const struct func_place *places, char *const sections[], uint32_t nsections,
	       struct buf *out)
{
	static const uint32_t record_size[3] = { 8, 16, 16 };
	size_t start = out->len, head[3], begin;

	/* struct btf_ext_header, 32 bytes: magic, version, flags, size, then offset and length of each part */
	put_u32(out, 0x0001eb9f);
	put_u32(out, 32);
	for (int i = 0; i < 3; i++) {
		head[i] = out->len;
		put_u32(out, 0);
		put_u32(out, 0);
	}
	for (int kind = 0; kind < 3; kind++) {
		begin = out->len;
		put_u32(out, record_size[kind]);
		for (uint32_t s = 0; s < nsections; s++) {
			size_t at = out->len;
			uint32_t n;

			put_u32(out, (uint32_t)btf__add_str(obj->btf, sections[s]));
			put_u32(out, 0);
			n = put_records(obj, places, s, kind, out);
			if (n)
				set_u32(out, at + 4, n);
			else
				out->len = at;	/* a part lists only sections that have records */
		}
		if (out->len == begin + 4)
			out->len = begin;	/* libbpf takes no part without any, such as CO-RE's of a rule that reads nothing */
		set_u32(out, head[kind], (uint32_t)(begin - start - 32));
		set_u32(out, head[kind] + 4, (uint32_t)(out->len - begin));
	}
	return buf_failed(out) ? -ENOMEM : 0;
}
