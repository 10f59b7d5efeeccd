// SPDX-License-Identifier: GPL-2.0-or-later
/* resolve_trace.c - tracepoints: typed ones by the kernel's BTF, records by their category and name. */
#include <bpf/btf.h>
#include <string.h>

#include "agent/resolver.h"
#include "lib/arena.h"
#include "rules/tracefs.h"
#include "rules/type.h"

static void absent(struct resolver *r)
{
	if (!leave_out(r))
		resolve_fail(r, ERR_ABSENT, arena_printf(r->a, "no tracepoint '%s' on this kernel%s", r->probe->text,
							 r->probe->kind[0] == 't' ? " (is its module loaded?)" : ""));
}

/* The type btf_trace_NAME that stands for a tracepoint, in the BTF that has its function. */
static uint32_t trace_type(const struct btf *btf, const char *name, struct resolver *r)
{
	int id = btf__find_by_name_kind(btf, arena_printf(r->a, "btf_trace_%s", name), BTF_KIND_TYPEDEF);

	return id > 0 ? (uint32_t)id : 0;
}

static bool try_rawtp(struct resolver *r, const char *name)
{
	uint32_t hook = find_hook(r, "rawtp"), id, body;
	uint8_t pos[ARGS_MAX] = { 0 };
	struct kbtf_func f;

	if (!r->kbtf || !kbtf_find_func(r->kbtf, NULL, arena_printf(r->a, "__traceiter_%s", name), &f))
		return false;
	id = trace_type(f.btf, name, r);
	if (!id)
		return false;
	if (!find_positions(r, name, &f, 1, pos))
		return true;
	body = choose_body(r, hook, false, pos);
	if (body == NO_BODY)
		resolve_fail(r, ERR_UNSUPPORTED, "its arguments stand elsewhere here; compile the rule on this kernel");
	else
		add_program(r, body, arena_strdup(r->a, name), &f, id);
	return true;
}

/* rawtp:a|b - the first that there is */
void resolve_rawtp(struct resolver *r)
{
	char *copy = arena_strdup(r->a, r->probe->pattern), *save = NULL;

	for (char *name = strtok_r(copy, "|", &save); name; name = strtok_r(NULL, "|", &save)) {
		if (try_rawtp(r, name))
			return;
	}
	absent(r);
}

static struct record_target *find_record(struct resolver *r, const char *name)
{
	struct attach_plan *plan = r->plan;
	struct record_target *t;

	for (uint32_t i = 0; i < plan->nrecords; i++) {
		t = &plan->records[i];
		if (!strcmp(t->name, name) && !strcmp(t->category, r->probe->target))
			return t;
	}
	plan->records = arena_grow(r->a, plan->records, plan->nrecords, sizeof(*plan->records));
	t = &plan->records[plan->nrecords++];
	*t = (struct record_target){ .category = r->probe->target, .name = name, .hook = find_hook(r, "tracepoint") };
	plan->hooks[t->hook].used = true;
	return t;
}

/* Where tracefs has the event's argument; NULL: nowhere. */
static const struct tracefs_field *find_field(const struct tracefs_field *fields, uint32_t n, const char *member)
{
	const char *name = member;

	if (!strncmp(name, "__data_loc_", 11))
		name += 11;
	else if (!strncmp(name, "__rel_loc_", 10))
		name += 10;
	for (uint32_t i = 0; i < n; i++) {
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	}
	return NULL;
}

/*
 * The record that the code reads is struct info_probe's `record`: is it this tracepoint's? Compilers choose it by
 * likelihood where BTF does not tell (rules/tp_class.h), maybe on another kernel.
 */
static bool has_fields(struct resolver *r, const char *dir)
{
	const char *record = r->probe->record, *member;
	struct types *types = types_create(r->a, r->kbtf);
	const struct type *type = types && record ? type_by_name(types, arena_printf(r->a, "struct %s", record)) : NULL;
	const struct tracefs_field *field;
	struct tracefs_field *fields;
	struct type_member m;
	uint32_t n = tracefs_fields(r->a, dir, &fields);

	for (uint32_t i = 0; type && n && i < r->event->nargs; i++) {
		member = r->event->args[i].record;
		if (!member || !type_find_member(types, type, member, &m))
			continue;
		field = find_field(fields, n, member);
		if (field && field->offset == m.bit_off / 8)
			continue;
		resolve_fail(r, ERR_UNSUPPORTED,
			     arena_printf(r->a, "'%s' has no field '%s' like that of struct %s, which the rule was compiled for: compile "
						"it here as root, or take rawtp:%s", r->probe->text,
					  field ? field->name : r->event->args[i].name, record, strrchr(dir, '/') + 1));
		return false;
	}
	return true;
}

/* tracepoint:category:a|b */
void resolve_record(struct resolver *r)
{
	char *copy = arena_strdup(r->a, r->probe->pattern), *save = NULL;
	struct record_target *t;
	const char *dir;
	uint32_t body;

	for (char *name = strtok_r(copy, "|", &save); name; name = strtok_r(NULL, "|", &save)) {
		dir = tracefs_event(r->a, r->probe->target, name);
		if (!dir)
			continue;
		if (!has_fields(r, dir))
			return;
		body = only_body(r, find_hook(r, "tracepoint"));
		if (body == NO_BODY) {
			resolve_fail(r, ERR_CORRUPT, "the object has no code for it");
			return;
		}
		note_wait(r);
		t = find_record(r, name);
		t->bodies = arena_grow(r->a, t->bodies, t->nbodies, sizeof(*t->bodies));
		t->bodies[t->nbodies++] = r->info->bodies[body].number;
		return;
	}
	absent(r);
}
