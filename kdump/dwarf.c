// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/dwarf.h"
#include "kdump/dwarf_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

static void put_u64(struct buf *b, uint64_t v)
{
	dwarf_put_u32(b, (uint32_t)v);
	dwarf_put_u32(b, (uint32_t)(v >> 32));
}

/* Write entries for pointers and arrays of a C type's text; returns where the outermost is, 0: not known. */
static uint32_t put_c_type(struct dwarf_maker *m, const char *text)
{
	size_t len = strcspn(text, "*[");
	const char *rest = text + len;
	uint32_t target, at;

	while (len && text[len - 1] == ' ')
		len--;
	target = dwarf_place_of(m, dwarf_find_type(m, text, len));
	for (; target && *rest == '*'; rest++) {
		at = (uint32_t)m->d->info.len;
		dwarf_put_entry(m, AB_POINTER);
		buf_putc(&m->d->info, 8);
		dwarf_put_u32(&m->d->info, target);
		target = at;
	}
	rest += strspn(rest, " ");
	if (!target || *rest != '[')
		return target;
	at = (uint32_t)m->d->info.len;
	dwarf_put_entry(m, AB_ARRAY);
	dwarf_put_u32(&m->d->info, target);
	dwarf_put_entry(m, AB_SUBRANGE);
	dwarf_put_uleb(&m->d->info, strtoul(rest + 1, NULL, 0));
	dwarf_end_children(m);
	return at;
}

static bool put_var(struct dwarf_maker *m, const struct dwarf_var *v)
{
	uint32_t type = v->type ? put_c_type(m, v->type) : dwarf_place_of(m, v->type_id);

	if (!type)
		return false;
	dwarf_put_entry(m, AB_VARIABLE);
	dwarf_put_text(m, v->name);
	dwarf_put_u32(&m->d->info, type);
	dwarf_put_uleb(&m->d->info, 9);
	buf_putc(&m->d->info, DW_OP_addr);
	put_u64(&m->d->info, v->addr);
	return true;
}

/* union thread_union { struct task_struct task; unsigned long stack[]; }: kernels do not put it into BTF. */
static void put_thread_union(struct dwarf_maker *m)
{
	uint32_t task = dwarf_place_of(m, dwarf_find_type(m, "struct task_struct", 18)), stack;
	char text[40];

	snprintf(text, sizeof(text), "long unsigned int [%u]", m->in->thread_size / 8);
	stack = put_c_type(m, text);
	if (!task || !stack || dwarf_find_type(m, "union thread_union", 18))
		return;
	dwarf_put_entry(m, AB_UNION);
	dwarf_put_text(m, "thread_union");
	dwarf_put_uleb(&m->d->info, m->in->thread_size);
	dwarf_put_entry(m, AB_MEMBER);
	dwarf_put_text(m, "task");
	dwarf_put_u32(&m->d->info, task);
	dwarf_put_uleb(&m->d->info, 0);
	dwarf_put_entry(m, AB_MEMBER);
	dwarf_put_text(m, "stack");
	dwarf_put_u32(&m->d->info, stack);
	dwarf_put_uleb(&m->d->info, 0);
	dwarf_end_children(m);
}

static void patch_u32(struct buf *b, size_t at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		b->data[at + (size_t)i] = (char)(v >> (8 * i));
}

/*
 * Fill in the references. One to a type that has no entry (hostile BTF) points to a void pointer behind the unit's
 * own entry, so that every reference is valid.
 */
static void fix(struct dwarf_maker *m, uint32_t nothing)
{
	uint32_t target;

	for (size_t i = 0; i < m->nfixups; i++) {
		target = dwarf_place_of(m, m->fixups[i].id);
		patch_u32(&m->d->info, m->fixups[i].at, target ? target : nothing);
	}
}

/* The head of a unit and the first attributes of its entry; returns where its length will stand. */
static size_t begin_unit(struct dwarf_maker *m, enum abbrev ab, const char *name)
{
	size_t at = m->d->info.len;

	dwarf_put_u32(&m->d->info, 0);
	buf_putc(&m->d->info, 4);
	buf_putc(&m->d->info, 0);	/* version 4 */
	dwarf_put_u32(&m->d->info, 0);	/* abbreviations */
	buf_putc(&m->d->info, 8);	/* bytes of an address */
	dwarf_put_entry(m, ab);
	dwarf_put_text(m, "deadfall " DEADFALL_VERSION ", from BTF");
	buf_putc(&m->d->info, DW_LANG_C99);
	dwarf_put_text(m, name);
	return at;
}

static void end_unit(struct dwarf_maker *m, size_t at)
{
	dwarf_end_children(m);
	if (!buf_failed(&m->d->info))
		patch_u32(&m->d->info, at, (uint32_t)(m->d->info.len - at - 4));
}

/* All types and globals: the first unit, so that a reference within it is an offset in the section. */
static void put_everything(struct dwarf_maker *m, size_t *left_out)
{
	size_t unit = begin_unit(m, AB_UNIT, "vmlinux");
	uint32_t nothing = (uint32_t)m->d->info.len;

	dwarf_put_entry(m, AB_POINTER_VOID);
	buf_putc(&m->d->info, 8);
	for (uint32_t id = 1; id < m->types; id++)
		dwarf_put_type(m, id);
	put_thread_union(m);
	for (size_t i = 0; i < m->in->nvars; i++)
		*left_out += !put_var(m, &m->in->vars[i]);
	end_unit(m, unit);
	if (!m->failed && !buf_failed(&m->d->info))
		fix(m, nothing);
}

/* A unit for the byte of code at the address: gdb then finds a scope there, and the constant in it. */
static void put_scoped(struct dwarf_maker *m, const struct dwarf_scoped *s)
{
	size_t unit = begin_unit(m, AB_UNIT_CODE, s->name), type;

	put_u64(&m->d->info, s->addr);
	dwarf_put_u32(&m->d->info, 1);
	type = m->d->info.len;
	dwarf_put_entry(m, AB_BASE);
	dwarf_put_text(m, "int");
	buf_putc(&m->d->info, 4);
	buf_putc(&m->d->info, DW_ATE_signed);
	dwarf_put_entry(m, AB_CONSTANT);
	dwarf_put_text(m, s->name);
	dwarf_put_u32(&m->d->info, (uint32_t)(type - unit));
	dwarf_put_sleb(&m->d->info, s->value);
	end_unit(m, unit);
}

static int make_all(struct dwarf_maker *m, size_t *left_out, struct err *err)
{
	dwarf_put_abbrevs(&m->d->abbrev);
	buf_putc(&m->d->str, 0);
	dwarf_mark_renamed(m);
	put_everything(m, left_out);
	if (m->in->scoped.name)
		put_scoped(m, &m->in->scoped);
	if (m->failed || buf_failed(&m->d->info) || buf_failed(&m->d->str) || buf_failed(&m->d->abbrev))
		return err_nomem(err);
	if (m->d->info.len > UINT32_MAX / 2)
		return err_set(err, ERR_UNSUPPORTED, "more than 2 GB of type information");
	return 0;
}

int dwarf_make(const struct dwarf_input *in, struct dwarf *ret, size_t *left_out, struct err *err)
{
	struct dwarf_maker m = { .in = in, .btf = in->btf, .d = ret, .types = btf__type_cnt(in->btf) };
	const struct btf_header *h;
	uint32_t size;
	int rc;

	*ret = (struct dwarf){ 0 };
	*left_out = 0;
	h = btf__raw_data(in->btf, &size);
	m.strings = h ? h->str_len : 0;
	m.place = calloc(m.types + 1, sizeof(*m.place));
	m.patched = calloc(m.types + 1, sizeof(*m.patched));
	m.str = calloc((size_t)m.strings + 1, sizeof(*m.str));
	rc = m.place && m.patched && m.str ? make_all(&m, left_out, err) : err_nomem(err);
	free(m.place);
	free(m.patched);
	free(m.str);
	free(m.fixups);
	return rc;
}

void dwarf_deinit(struct dwarf *d)
{
	buf_deinit(&d->info);
	buf_deinit(&d->abbrev);
	buf_deinit(&d->str);
}
