// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/btf.h>
#include <string.h>

#include "agent/object.h"
#include "agent/resolver.h"
#include "lib/arena.h"

/* Words that parameter number n takes of the argument registers; structs of up to 16 bytes take two. */
static uint32_t param_words(const struct btf *btf, const struct btf_param *p)
{
	int64_t size = btf__resolve_size(btf, p->type);

	return size > 16 ? 0 : size > 8 ? 2 : 1;
}

/* Where the parameter of that name is, in words after the first `skip` ones; -1: there is none. */
static int find_param(const struct kbtf_func *f, const char *name, uint32_t skip)
{
	const struct btf_type *proto = btf__type_by_id(f->btf, f->proto_id);
	uint32_t place = 0;

	for (uint32_t i = 0; i < btf_vlen(proto); i++) {
		const struct btf_param *p = &btf_params(proto)[i];
		const char *have = btf__name_by_offset(f->btf, p->name_off);

		if (i >= skip && have && !strcmp(have, name))
			return (int)(place - skip);
		place += param_words(f->btf, p);
	}
	return -1;
}

bool find_positions(struct resolver *r, const char *name, const struct kbtf_func *f, uint32_t skip, uint8_t *pos)
{
	if (r->event->nargs > ARGS_MAX) {
		resolve_fail(r, ERR_UNSUPPORTED, "it uses too many arguments");
		return false;
	}
	for (uint32_t i = 0; i < r->event->nargs; i++) {
		const struct info_arg *arg = &r->event->args[i];
		int p;

		if (!arg->name) {
			pos[i] = (uint8_t)arg->number;
			continue;
		}
		if (!f) {
			resolve_fail(r, ERR_UNSUPPORTED,
				     arena_printf(r->a, "the arguments of %s are not known here (no BTF); "
							"name them by number: arg0, arg1, ...", name));
			return false;
		}
		p = find_param(f, arg->name, skip);
		if (p < 0) {
			resolve_fail(r, ERR_ABSENT,
				     arena_printf(r->a, "%s has no argument '%s' on this kernel", name, arg->name));
			return false;
		}
		pos[i] = (uint8_t)p;
	}
	return true;
}

static void assign_body(struct resolver *r, uint32_t b, const uint8_t *pos)
{
	struct info_body *body = &r->info->bodies[b];

	r->assigned[b] = true;
	for (uint32_t i = 0; i < body->npatches && !r->failed; i++) {
		const struct info_patch *p = &body->patches[i];

		if (body->npos && body->pos[p->arg] == pos[p->arg])
			continue;
		if (object_patch_arg(r->object, p->func, p->insn, pos[p->arg], r->err))
			r->failed = true;
	}
	if (body->npos)
		memcpy(body->pos, pos, body->npos);
}

uint32_t choose_body(struct resolver *r, uint32_t hook, bool save, const uint8_t *pos)
{
	uint32_t spare = NO_BODY;

	for (uint32_t b = 0; b < r->info->nbodies; b++) {
		const struct info_body *body = &r->info->bodies[b];

		if (body->event != r->event_index || body->hook != hook || body->save != save)
			continue;
		if (!body->npos || !memcmp(body->pos, pos, body->npos)) {
			r->assigned[b] = true;
			return b;
		}
		if (!r->assigned[b])
			spare = b;
	}
	if (spare != NO_BODY)
		assign_body(r, spare, pos);
	return spare;
}

void add_program(struct resolver *r, uint32_t body, const char *name, const struct kbtf_func *f, uint32_t btf_id)
{
	struct attach_plan *plan = r->plan;

	for (uint32_t i = 0; i < plan->nprogs; i++) {
		const struct prog_target *p = &plan->progs[i];

		if (p->body == body && p->btf_id == btf_id && p->module == f->module)
			return;
	}
	plan->progs = arena_grow(r->a, plan->progs, plan->nprogs, sizeof(*plan->progs));
	plan->progs[plan->nprogs++] = (struct prog_target){ .body = body, .name = name, .module = f->module,
							    .btf_id = btf_id };
	plan->hooks[r->info->bodies[body].hook].used = true;
}
