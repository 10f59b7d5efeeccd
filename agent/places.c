// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/places.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/arena.h"

/* Seeds tried: taken is the one with which the fewest functions are left out, and with which they are found the soonest. */
#define SEEDS 16
/*
 * Elements for each function. Small tables begin with the most: each step of a search costs all events of a function. Large
 * ones grow to that only when functions are left out.
 */
#define SPARSE 8
#define DENSE 2
#define SMALL (1 << 12)
#define LARGEST (1 << 17)

static enum df_place_hook hook_number(const char *name)
{
	static const char *const names[] = {
		[DF_PLACE_KPROBE] = "kprobe", [DF_PLACE_KRETPROBE] = "kretprobe", [DF_PLACE_SESSION] = "session",
	};

	for (enum df_place_hook h = DF_PLACE_KPROBE; h <= DF_PLACE_SESSION; h++) {
		if (!strcmp(names[h], name))
			return h;
	}
	return 0;
}

/* The steps that it takes to find the key, or DF_PLACE_TRIES: it is left out. */
static uint32_t insert(struct places *p, uint64_t key, uint64_t bodies)
{
	uint32_t at = (uint32_t)(key * p->at.seed >> p->at.shift);

	for (uint32_t i = 0; i < DF_PLACE_TRIES; i++) {
		struct df_place *e = &p->elements[(at + i) & p->at.mask];

		if (e->key)
			continue;
		*e = (struct df_place){ key, bodies };
		return i;
	}
	return DF_PLACE_TRIES;
}

/* Returns how bad the table is: steps of all searches, and by far the worst are functions that are left out. */
static uint64_t fill(struct places *p, const struct set_info *info, const struct attach_plan *plan)
{
	uint64_t steps = 0;

	memset(p->elements, 0, p->n * sizeof(*p->elements));
	p->at.left_out = 0;
	for (uint32_t h = 0; h < info->nhooks; h++) {
		enum df_place_hook hook = hook_number(info->hooks[h].name);

		for (uint32_t i = 0; hook && i < plan->hooks[h].n; i++) {
			const struct target *t = &plan->hooks[h].targets[i];
			uint32_t took = insert(p, DF_PLACE_KEY(hook, t->func->addr), t->cookie);

			steps += took;
			p->at.left_out += took == DF_PLACE_TRIES;
		}
	}
	return (uint64_t)p->at.left_out << 32 | steps;
}

/* Fill the table with the best seed. */
static void fill_best(struct places *p, const struct set_info *info, const struct attach_plan *plan)
{
	uint64_t seed = 0, best_seed = 0, best = UINT64_MAX, bad;

	for (int i = 0; i < SEEDS && best; i++) {
		seed += 0x9e3779b97f4a7c15;	/* odd multiples of the golden ratio */
		p->at.seed = seed | 1;
		bad = fill(p, info, plan);
		if (bad < best) {
			best = bad;
			best_seed = p->at.seed;
		}
	}
	p->at.seed = best_seed;
	fill(p, info, plan);
}

struct places places_make(struct arena *a, const struct set_info *info, const struct attach_plan *plan)
{
	struct places p = { 0 };
	uint32_t functions = 0, bits = 1;

	for (uint32_t h = 0; h < info->nhooks; h++)
		functions += hook_number(info->hooks[h].name) ? plan->hooks[h].n : 0;
	if (!functions)
		return p;
	while ((uint32_t)1 << bits < (functions < SMALL / SPARSE ? SPARSE : DENSE) * functions)
		bits++;
	do {
		p.n = (uint32_t)1 << bits;
		p.at = (struct df_places_at){ .shift = 64 - bits++, .mask = p.n - 1 };
		p.elements = arena_array(a, p.n, sizeof(*p.elements));
		fill_best(&p, info, plan);
	} while (p.at.left_out && p.n < SPARSE * functions && p.n < LARGEST);
	return p;
}

int places_write(const struct places *p, int map, struct err *err)
{
	size_t size = p->n * sizeof(*p->elements);
	void *m;

	if (!p->n)
		return 0;
	m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (m == MAP_FAILED)
		return err_sys(err, errno, "map the table of functions");
	memcpy(m, p->elements, size);
	munmap(m, size);
	return 0;
}
