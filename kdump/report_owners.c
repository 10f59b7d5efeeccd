// SPDX-License-Identifier: GPL-2.0-or-later
/* report_owners.c - of a balance that is out: the owner whose ups and downs do not match. */
#include "kdump/report_build.h"
#include "kdump/values.h"

#include <string.h>

static bool is_owners(const struct mf_machine *m)
{
	return m && m->name && !strcmp(m->name, "owners");
}

/* The owner of the event that fired, if it told its owner in a field. */
static const struct report_value *owner_of_event(struct build *b, const struct set_fire *v)
{
	const struct df_set *s = b->set;
	const struct mf_event *def = v->event < s->mf->nevents ? &s->mf->events[v->event] : NULL;

	for (size_t i = 0; def && def->owner >= 0 && (size_t)def->owner < def->nfields && i < s->nhistory; i++) {
		struct report_value *value;

		if (s->history[i].seq != v->seq || s->history[i].event != v->event)
			continue;
		value = arena_new(b->arena, struct report_value);
		*value = value_of_field(b->arena, def, (size_t)def->owner, &s->history[i]);
		return value->unknown ? NULL : value;
	}
	return NULL;
}

static void add_owner(struct build *b, uint64_t owner, int64_t count, uint64_t last_ns)
{
	struct report *r = b->r;

	r->owners = arena_grow(b->arena, r->owners, r->nowners, sizeof(*r->owners));
	r->owners[r->nowners++] = (struct report_owner){
		.owner = { .name = "", .type = VALUE_PTR, .num = owner }, .count = count, .last_ns = last_ns };
}

/* Is it an owner of that object, whose key has n parts, in the generation that the verdict is about? */
static bool owns(const struct df_set *s, const struct set_live *l, const struct set_fire *v, size_t n)
{
	const struct mf_machine *m = set_machine(s, &l->key);

	return is_owners(m) && m->rule == v->rule && !l->dead && l->gen == v->gen &&
	       !memcmp(l->key.part, v->key.part, n * sizeof(*v->key.part));
}

/*
 * An owner's key is the object's, and the owner. A down that takes the object's count too low is counted for its owner only
 * after that: who still holds the object put what was his.
 */
void report_unmatched(struct build *b)
{
	const struct set_fire *v = b->set ? b->set->verdict : NULL;
	const struct mf_rule *rule = v ? set_rule_of_key(b->set, &v->key) : NULL;
	const struct report_value *own;
	bool holds = false;

	if (!rule || strcmp(rule->match, "balance") || rule->nkey >= 8)
		return;
	own = owner_of_event(b, v);
	for (size_t i = 0; i < b->set->nlive; i++) {
		const struct set_live *l = &b->set->live[i];

		if ((int64_t)l->count <= 0 || !owns(b->set, l, v, rule->nkey))
			continue;
		holds = holds || (own && own->num == l->key.part[rule->nkey]);
		add_owner(b, l->key.part[rule->nkey], (int64_t)l->count, l->last_ns);
	}
	if (is_owners(set_machine(b->set, &v->key)))
		add_owner(b, v->key.part[rule->nkey], -1, 0);
	else if (own && !holds)
		add_owner(b, own->num, -1, 0);
}
