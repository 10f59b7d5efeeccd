// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/why.h"

#include <bpf/bpf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t failed(const struct df_stats *stats, uint32_t clause)
{
	return (&stats->failed0)[clause];
}

void why_print_event(const struct info_event *e, const struct df_stats *stats)
{
	for (uint32_t i = 0; i < e->nclauses && i < DF_CLAUSES; i++) {
		if (failed(stats, i))
			printf("      %" PRIu64 " times false: %s%s\n", failed(stats, i), e->clauses[i],
			       i == DF_CLAUSES - 1 ? " ..." : "");
	}
}

json_t *why_event_json(const struct info_event *e, const struct df_stats *stats)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < e->nclauses && i < DF_CLAUSES; i++)
		json_array_append_new(all, json_pack("{s:s, s:I}", "condition", e->clauses[i], "false",
						     (json_int_t)failed(stats, i)));
	return all;
}

/* The machine of the rule's own table, whose states its match goes through; NULL: none, or it has but one. */
static const struct info_machine *own_machine(const struct running *r, uint32_t rule)
{
	uint32_t table = r->info.rules[rule].table;

	if (!table || table > r->info.nmachines || r->info.machines[table - 1].nstates < 1)
		return NULL;
	return &r->info.machines[table - 1];
}

static bool read_reach(const struct running *r, const struct info_machine *m, uint32_t state, struct df_reach *reach)
{
	uint32_t at = m->first_state + state;

	return r->reach_fd >= 0 && !bpf_map_lookup_elem(r->reach_fd, &at, reach);
}

static const char *key_text(const struct running *r, uint32_t rule, const struct df_key *key, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < r->info.rules[rule].nkey && i < DF_KEY_PARTS && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s0x%" PRIx64, i ? "," : "", (uint64_t)key->part[i]);
	return out;
}

/* "3.2 s ago" */
static const char *ago(uint64_t ns, char *out, size_t size)
{
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	snprintf(out, size, "%.1f s ago", now > ns ? (double)(now - ns) / 1e9 : 0.0);
	return out;
}

void why_print_rule(const struct running *r, uint32_t rule)
{
	const struct info_machine *m = own_machine(r, rule);
	struct df_reach reach;
	char key[256], when[32];
	uint32_t furthest = 0;

	for (uint32_t s = 0; m && s < m->nstates; s++) {
		if (read_reach(r, m, s, &reach) && reach.entered)
			furthest = s;
	}
	for (uint32_t s = 0; m && s < m->nstates; s++) {
		if (!read_reach(r, m, s, &reach))
			return;
		if (s == furthest && reach.entered)
			printf("    furthest: '%s', state %u of %u, %" PRIu64 " times, last key %s, %s\n", m->states[s], s,
			       m->nstates - 1, (uint64_t)reach.entered,
			       key_text(r, rule, &reach.entered_key, key, sizeof(key)), ago(reach.entered_ns, when, sizeof(when)));
		if (reach.late || reach.refused)
			printf("    near misses in '%s': %" PRIu64 " not in time, %" PRIu64
			       " refused by a step's condition, last key %s, %s\n",
			       m->states[s], (uint64_t)reach.late, (uint64_t)reach.refused,
			       key_text(r, rule, &reach.near_key, key, sizeof(key)), ago(reach.near_ns, when, sizeof(when)));
	}
}

static json_t *key_json(const struct running *r, uint32_t rule, const struct df_key *key)
{
	json_t *list = json_array();
	char text[32];

	for (uint32_t i = 0; i < r->info.rules[rule].nkey && i < DF_KEY_PARTS; i++) {
		snprintf(text, sizeof(text), "0x%" PRIx64, (uint64_t)key->part[i]);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

json_t *why_rule_json(const struct running *r, uint32_t rule)
{
	const struct info_machine *m = own_machine(r, rule);
	json_t *states = json_array(), *j;
	struct df_reach reach;

	for (uint32_t s = 0; m && s < m->nstates; s++) {
		if (!read_reach(r, m, s, &reach))
			break;
		j = json_pack("{s:s, s:I, s:I, s:I}", "state", m->states[s], "entered", (json_int_t)reach.entered, "late",
			      (json_int_t)reach.late, "refused", (json_int_t)reach.refused);
		if (reach.entered) {
			json_object_set_new(j, "entered_ns", json_integer((json_int_t)reach.entered_ns));
			json_object_set_new(j, "entered_key", key_json(r, rule, &reach.entered_key));
		}
		if (reach.late || reach.refused) {
			json_object_set_new(j, "near_ns", json_integer((json_int_t)reach.near_ns));
			json_object_set_new(j, "near_key", key_json(r, rule, &reach.near_key));
		}
		json_array_append_new(states, j);
	}
	return states;
}
