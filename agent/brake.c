// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/brake.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/running.h"

#define EVERY_TICKS 10
#define LONG_NS 4500000000ULL	/* five ticks, one of which may come early */

int brake_parse(const char *text, uint32_t *limit, struct err *err)
{
	char *end;
	double percent = strtod(text, &end);

	if (end == text || (*end && *end != '%') || !(percent >= 0 && percent <= 100000))
		return err_set(err, ERR_INVALID, "--brake %s: give a percentage of one CPU, 0 for none", text);
	*limit = (uint32_t)(percent * 10 + 0.5);
	if (percent > 0 && !*limit)
		*limit = 1;
	return 0;
}

void brake_begin(struct brake *b, uint32_t limit)
{
	*b = (struct brake){ .limit = limit, .stats_fd = -1 };
}

void brake_end(struct brake *b)
{
	if (b->stats_fd >= 0)
		close(b->stats_fd);
	b->stats_fd = -1;
}

static uint64_t program_ns(int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) ? info.run_time_ns : 0;
}

/* Hooks and tracing programs: an engine runs inside its hook's run. */
static uint64_t run_ns(const struct loaded *s)
{
	struct bpf_program *p;
	uint64_t sum = 0;

	bpf_object__for_each_program(p, s->hooks)
		sum += program_ns(bpf_program__fd(p));
	for (uint32_t i = 0; i < s->nprogs; i++)
		sum += program_ns(s->progs[i].fd);
	return sum;
}

static uint64_t waited_ns(const struct loaded *s)
{
	int fd = set_map_fd(s, "df_stats");
	struct df_stats stats;
	uint64_t sum = 0;

	for (uint32_t e = 0; e < s->info->nevents; e++) {
		if (s->info->events[e].delay_ns && !stats_read(fd, e, &stats))
			sum += stats.delay_ns;
	}
	return sum;
}

/* What the set took of the machine since the measurement began, without what it was asked to wait. */
static uint64_t took_ns(const struct brake *b, const struct loaded *s)
{
	uint64_t run = run_ns(s) - b->begin_run_ns, waited = waited_ns(s) - b->begin_waited_ns;

	return run > waited ? run - waited : 0;
}

uint32_t brake_tick(struct brake *b, const struct loaded *s, uint64_t now)
{
	uint64_t took, ns;

	if (!b->limit)
		return 0;
	if (b->stats_fd < 0) {
		if (b->tick++ % EVERY_TICKS)
			return 0;
		b->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
		b->begin_ns = now;
		b->begin_run_ns = run_ns(s);
		b->begin_waited_ns = waited_ns(s);
		return 0;
	}
	b->tick++;
	ns = now - b->begin_ns;
	took = took_ns(b, s) * 1000 / (ns ? ns : 1);
	if (took > b->limit && ns < LONG_NS)
		return 0;
	brake_end(b);
	return took > b->limit ? (uint32_t)took : 0;
}
