// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/budget.h"

#include <bpf/libbpf.h>
#include <inttypes.h>
#include <stdio.h>

#include "agent/features.h"
#include "agent/members.h"
#include "lib/arena.h"
#include "lib/cleanup.h"
#include "rules/memory.h"

static void count_probes(const struct set_info *info, const struct attach_plan *plan, struct memory_spec *s)
{
	for (uint32_t h = 0; h < info->nhooks; h++) {
		s->hooks += plan->hooks[h].used && info->hooks[h].program;
		if (feature_has(FEATURE_KPROBE_MULTI))
			s->functions += plan->hooks[h].n;
		else
			s->singles += plan->hooks[h].n;
	}
	s->programs = plan->nprogs;
}

static void describe(struct arena *a, const struct set_info *info, const struct attach_plan *plan, struct memory_spec *s)
{
	*s = (struct memory_spec){ .lists = feature_has(FEATURE_LISTS) && !info->test_arrays,
				   .cpus = (uint32_t)libbpf_num_possible_cpus(),
				   .key_parts = info->key_parts,
				   .words = info->words,
				   .nevents = info->nevents,
				   .nstates = info->nstates,
				   .nrules = info->nrules,
				   .members = members_max(info),
				   .text = info->manifest_len,
				   .ntables = info->nmachines };
	count_probes(info, plan, s);
	s->tables = arena_array(a, info->nmachines, sizeof(*s->tables));
	for (uint32_t i = 0; i < info->nmachines; i++) {
		const struct info_machine *m = &info->machines[i];

		s->tables[i] = (struct memory_table){ .rule = info->rules[m->rule].name, .name = m->name, .slots = m->slots,
						      .last = m->last, .pins = m->pins };
	}
}

/* What the kernel could hand out without killing anybody; 0: it does not say. */
static uint64_t memory_available(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/meminfo", "re");
	uint64_t kb = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemAvailable: %" SCNu64, &kb) == 1)
			break;
	}
	return kb * 1024;
}

/* The memory that the set may come to take must be there, and a quarter of what is there be left to others. */
static int is_there(const struct memory *m, uint64_t budget, struct err *err)
{
	uint64_t most = (m->full < budget ? m->full : budget) + m->sets, there = memory_available();
	char text[3][32];

	if (!there || most <= there / 4 * 3)
		return 0;
	return err_set(err, ERR_ENVIRONMENT, "the set may take %s of kernel memory, %s of it at once, and this machine has %s left: "
		       "lower --memory, or keys: and last: of its rules", memory_size(text[0], sizeof(text[0]), most),
		       memory_size(text[1], sizeof(text[1]), m->start), memory_size(text[2], sizeof(text[2]), there));
}

int budget_check(struct arena *a, struct set_info *info, const struct attach_plan *plan, uint64_t budget, struct err *err)
{
	struct memory_spec spec;
	struct memory m;

	describe(a, info, plan, &spec);
	memory_compute(&spec, &m);
	if (!memory_fits(&m, budget)) {
		struct buf text = BUF_INIT;

		memory_tell(&text, &spec, &m, budget);
		fputs(buf_str(&text), stderr);
		buf_deinit(&text);
		return err_set(err, ERR_INVALID, "%s: %s", memory_excess(a, &spec, &m, budget),
			       memory_advice(a, &spec, &m, budget));
	}
	info->nodes_left = memory_nodes(&m, budget);
	info->memory = m.full < budget ? m.full : budget;
	return is_there(&m, budget, err);
}
