// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * automata - random rules on random events: what the engines in the kernel make of them, event by event, against the
 * reference in rules/sim/.
 *
 * usage: automata SEED SETS RULES KEYS
 *
 * Each set has RULES random rules on the functions of inject.ko, and goes the whole way: compiler, verifier, probes,
 * engine; each third that of kernels without lists. For each rule KEYS random sequences of events are injected, on a key each. Time is ours (df_ctl.test_ns):
 * events happen at multiples of TICK_NS, and deadlines last a multiple and 1 ns, so that no two coincide and
 * both sides see the same order. After each
 * event, and each deadline, the verdicts of both sides must be the same: rule, time, key, generation, steps, what was
 * done. Run it on one CPU: a deadline's timer has then ended when its effect is seen.
 */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/load.h"
#include "lib/arena.h"
#include "rules/compile.h"
#include "rules/generate.h"
#include "rules/sim/run.h"

#define KEY_BASE 1000		/* keys of rule n: n * KEY_BASE + 0 ... */
#define BEGIN_NS 1000000
#define TICKS 40
#define TICK_NS 64			/* more than deadlines can follow one another in all ticks */
#define TASKS 3			/* who may inject */

/* Bits of an injected value. */
enum { HOLDS = 1, UNKNOWN = 2, BAD_FIELD = 4, BAD_KEY = 8, GUARD = 16 };
#define FIELD(v) ((v) >> 8 & 7)
#define OWNER(v) ((v) >> 12 & 3)

struct task {
	int to, from;
	uint32_t pid;
};

struct test {
	uint64_t seed;
	struct kbtf *kbtf;
	struct arena *a;
	struct buf text;
	struct rule_set *set;
	struct set_info info;
	struct attach_plan plan;
	struct loaded loaded;
	struct sim_run sim;
	struct buf object;
	uint32_t *losses;		/* mapped */
	uint64_t *seqs;			/* by number of the injected event: the engine's sequence number */
	uint64_t injected;
	const struct task *tasks;
	uint64_t now;
	uint32_t shown;
	bool has_deadline;
	uint32_t sets;
	double loaded_s;
	/* figures */
	uint64_t automata, sequences, events, fires, deadlines, suppressed, differences;
};

static uint64_t random64(struct test *t)
{
	t->seed ^= t->seed << 13;
	t->seed ^= t->seed >> 7;
	t->seed ^= t->seed << 17;
	return t->seed * 0x2545f4914f6cdd1d;
}

static uint32_t upto(struct test *t, uint32_t n)
{
	return (uint32_t)(random64(t) >> 33) % n;
}

static bool chance(struct test *t, uint32_t percent)
{
	return upto(t, 100) < percent;
}

static void fail(const char *what, const struct err *err)
{
	printf("automata: %s: %s\n", what, err->msg);
	exit(1);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- random rules ---- */

static const char *some_time(struct test *t)
{
	return arena_printf(t->a, "%uns", TICK_NS * (1 + upto(t, 12)));
}

static const char *some_deadline(struct test *t)
{
	t->has_deadline = true;
	return arena_printf(t->a, "%uns", TICK_NS * (1 + upto(t, 12)) + 1);
}

static void event(struct test *t, uint32_t rule, char name, const char *flags)
{
	buf_printf(&t->text, "  %c:\n    probe: kprobe:inject_%c\n    where: \"arg.key / %u == %u && (arg.value & %u ? "
		   "*(u32 *)8 == 1 : arg.value & %u)\"\n    key: \"arg.value & %u ? *(u64 *)8 : arg.key\"\n"
		   "    fields: {v: \"arg.value & %u ? *(u64 *)8 : arg.value >> 8 & 7\"}\n%s",
		   name, name, KEY_BASE, rule + 1, UNKNOWN, HOLDS, BAD_KEY, BAD_FIELD, flags);
}

static const char *guard(struct test *t, const char *label)
{
	static const char *const forms[] = { "arg.value & 16", "(arg.value >> 8 & 7) > %s.v", "task.tid != %s.tid",
					     "arg.value >> 8 & 7 == %s.v || arg.value & 16", "!(%s.v < 3) && arg.value & 16" };
	uint32_t form = label ? upto(t, 5) : 0;

	if (form == 3)
		return arena_printf(t->a, "(arg.value >> 8 & 7) == %s.v || (arg.value & 16) != 0", label);
	if (form == 4)
		return arena_printf(t->a, "!(%s.v < 3) && (arg.value & 16) != 0", label);
	if (form == 1)
		return arena_printf(t->a, "(arg.value >> 8 & 7) > %s.v", label);
	if (form == 2)
		return arena_printf(t->a, "task.tid != %s.tid", label);
	return forms[0];
}

static void sequence(struct test *t)
{
	uint32_t n = 2 + upto(t, 3), guards = 0;	/* DF_VALS values are to be had */

	buf_printf(&t->text, "match:\n  sequence:\n");
	for (uint32_t i = 0; i < n; i++) {
		buf_printf(&t->text, "    - {s%u: %c", i, 'a' + (int)upto(t, 3));
		if (guards < 2 && chance(t, 40) && ++guards)
			buf_printf(&t->text, ", where: \"%s\"",
				   guard(t, i && chance(t, 80) ? arena_printf(t->a, "s%u", upto(t, i)) : NULL));
		buf_printf(&t->text, "}\n");
	}
	if (chance(t, 50))
		buf_printf(&t->text, "  unless: [%c]\n", 'a' + (int)upto(t, 4));
	if (chance(t, 50))
		buf_printf(&t->text, "  within: %s\n", some_time(t));
}

static void automaton(struct test *t)
{
	uint32_t n = 2 + upto(t, 3), guards = 0;	/* DF_VALS values are to be had */

	buf_printf(&t->text, "match:\n  automaton:\n");
	for (uint32_t s = 0; s < n; s++) {
		buf_printf(&t->text, "    q%u:\n", s);
		for (char e = 'a'; e <= 'd'; e++) {
			const char *to = chance(t, 25) ? "fire" : arena_printf(t->a, "q%u", upto(t, n));

			if (e == 'd' && s == n - 1)
				to = "fire";
			else if (e != 'a' && chance(t, 45))
				continue;
			if (chance(t, 30))	/* a and d are in each automaton */
				buf_printf(&t->text, "      %c: {to: %s, where: \"%s\"}\n", e, to,
					   guard(t, guards < 2 && chance(t, 60) && ++guards ? chance(t, 50) ? "a" : "d" : NULL));
			else
				buf_printf(&t->text, "      %c: %s\n", e, to);
		}
		if (s == n - 1 || chance(t, 30))
			buf_printf(&t->text, "      deadline: %s\n      late: %s\n", some_deadline(t),
				   chance(t, 40) && s != n - 1 ? arena_printf(t->a, "q%u", upto(t, n)) : "fire");
	}
}

static void events_of(struct test *t, uint32_t rule, const char *const flags[4])
{
	for (uint32_t i = 0; i < 4; i++)
		event(t, rule, (char)('a' + i), flags && flags[i] ? flags[i] : "");
}

#define BIRTH "    birth: true\n"
#define DEATH "    death: true\n"
#define OWNED "    owner: \"arg.value >> 12 & 3\"\n"

static void rule(struct test *t, uint32_t number)
{
	const char *flags[4] = { chance(t, 30) ? BIRTH : "", chance(t, 30) ? DEATH : "", "", "" };
	uint32_t kind = upto(t, 14);
	bool owners = chance(t, 50);

	t->has_deadline = false;
	buf_printf(&t->text, "deadfall: 1\nrule: r%u\nevents:\n", number);
	if (kind == 3 && owners) {
		flags[0] = flags[0][0] ? BIRTH OWNED : OWNED;
		flags[1] = flags[1][0] ? DEATH OWNED : OWNED;
	}
	events_of(t, number, flags);
	switch (kind) {
	case 0:
		buf_printf(&t->text, "match:\n  missing: b\n  after: a\n  within: %s\n%s", some_deadline(t),
			   chance(t, 40) ? "  unless: c\n" : "");
		break;
	case 1:
		buf_printf(&t->text, "match:\n  rate: a\n  over: %u\n  within: %s\n", 1 + upto(t, 4), some_time(t));
		break;
	case 2:
		buf_printf(&t->text, "match:\n  latency: {from: a, to: b}\n  over: %s\n%s", some_time(t),
			   chance(t, 40) ? "  unless: [c, d]\n" : "");
		break;
	case 3:
		buf_printf(&t->text, "match:\n  balance: {up: [a], down: [b]%s%s}\n", chance(t, 60) ? ", end: c" : "",
			   chance(t, 20) ? ", min: 1" : "");
		break;
	case 4:
		buf_printf(&t->text, "match:\n  lifecycle: {alloc: a, free: b, use: [c, d]}\n  detect: [double_free%s%s, stale_use]\n"
			   "  identity: v\n", chance(t, 50) ? ", unknown_free" : "", chance(t, 70) ? ", use_after_free" : "");
		break;
	case 5:
		buf_printf(&t->text, "match:\n  change: [a, c]\n  field: v\n  unless: [%s]\n", chance(t, 70) ? "b" : "b, c");
		break;
	case 6:
		buf_printf(&t->text, "match:\n  population: {in: a, out: b}\n  over: %u\n%s", 1 + upto(t, 4),
			   chance(t, 60) ? "  group: v\n" : "");
		break;
	case 7:
		buf_printf(&t->text, "match:\n  overlap: {enter: a, leave: b}\n");
		break;
	case 8:
		buf_printf(&t->text, "match:\n  event: a\n");
		break;
	case 9:
	case 10:
	case 11:
		automaton(t);
		break;
	default:
		sequence(t);
	}
	if (chance(t, 15))
		buf_printf(&t->text, "  times: %u\n", 1 + upto(t, 3));
	/* where deadlines of several keys pass at the same time, which counts first is open */
	if (t->has_deadline)
		buf_printf(&t->text, "  every: 1\n");
	else if (chance(t, 15))
		buf_printf(&t->text, "  every: %u\n", 1 + upto(t, 3));
	else if (chance(t, 15))
		buf_printf(&t->text, "  cooldown: %s\n", some_time(t));
	buf_printf(&t->text, "context: {last: 2, keys: 256}\n");
	if (chance(t, 50)) {
		static const char *const words[] = { "suppress", "log", "fire" };

		buf_printf(&t->text, "on_loss: %s\n", words[upto(t, 3)]);
	}
	buf_printf(&t->text, "on_match: [log: matched]\n");
}

/* ---- the two sides ---- */

static void *map(struct test *t, const char *name)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, set_map_fd(&t->loaded, name), 0);

	if (p == MAP_FAILED)
		fail(name, &(struct err){ .msg = "cannot be mapped" });
	return p;
}

static void load(struct test *t, uint32_t rules)
{
	struct diags diags = diags_init(t->a);
	struct generated gen = { 0 };
	uint64_t *params;
	struct err err;

	for (uint32_t i = 0; i < rules; i++)
		buf_printf(&t->text, "%s", i ? "---\n" : ""), rule(t, i);
	compile_check_text(t->a, "random", buf_str(&t->text), t->text.len, t->kbtf, &diags, &t->set);
	if (t->set && generate_object(t->a, t->set, &diags, &gen, &t->object, &err))
		fail("compile", &err);
	if (diags.errors) {
		diags_print(&diags, stdout, false);
		exit(1);
	}
	if (set_info_parse(t->a, gen.manifest, strlen(gen.manifest), &t->info, &err))
		fail("manifest", &err);
	t->info.test_clock = true;
	t->info.test_arrays = t->sets++ % 3 == 2;
	if (resolve(t->a, &t->info, t->kbtf, &t->object, &t->plan, &err))
		fail("resolve", &err);
	if (set_load(t->a, &t->info, &t->object, &t->plan, &t->loaded, &err) ||
	    set_attach(t->a, &t->loaded, &t->plan, &err))
		fail("load", &err);
	params = arena_array(t->a, t->set->nparams + 1, sizeof(*params));
	sim_run_init(&t->sim, t->a, t->set, params);
	t->losses = map(t, ".data.df_losses");
	t->loaded.ctl->tgid = 0;
	t->now = BEGIN_NS;
	t->loaded.ctl->test_ns = t->now;
	set_arm(&t->loaded, DF_ACT_LOG);
}

static void unload(struct test *t)
{
	munmap(t->losses, 4096);
	loaded_destroy(&t->loaded);
	buf_deinit(&t->object);
	buf_deinit(&t->text);
	arena_destroy(t->a);
}

/* One line that says all of a verdict; both sides must say the same. */
static void print_fire(char *out, size_t size, const char *rule, uint32_t act, uint64_t ns, const uint64_t *key, uint32_t nkey,
		       uint32_t gen, bool lossy, const uint64_t *steps)
{
	int n = snprintf(out, size, "%s act %u at %llu gen %u%s key", rule, act, (unsigned long long)(ns - BEGIN_NS), gen,
			 lossy ? " lossy" : "");

	for (uint32_t i = 0; i < nkey; i++)
		n += snprintf(out + n, size - (size_t)n, " %llu", (unsigned long long)key[i]);
	n += snprintf(out + n, size - (size_t)n, " steps");
	for (uint32_t i = 0; i < DF_STEPS; i++)
		n += snprintf(out + n, size - (size_t)n, " %llu", (unsigned long long)steps[i]);
}

#define LINE 256
#define LINES 512

struct said {
	char line[LINES][LINE];
	uint32_t n, all;		/* of many at once the kernel keeps DF_FIRES */
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* What the kernel has written down since the last time. */
static void kernel_says(struct test *t, struct said *said)
{
	struct df_ctl *ctl = t->loaded.ctl;
	uint32_t n = ctl->fires;

	said->n = 0;
	for (uint32_t i = 0; i < n && i < DF_FIRES; i++) {
		struct df_fire f;
		uint64_t key[DF_KEY_PARTS];

		if (bpf_map_lookup_elem(set_map_fd(&t->loaded, "df_fires"), &i, &f))
			continue;
		memcpy(key, f.key.part, sizeof(key));
		print_fire(said->line[said->n++], LINE, t->set->rules[f.rule].name, f.act != DF_ACT_NONE, f.ns, key, 2, f.gen,
			   f.losses, (const uint64_t *)f.step);
	}
	said->all = n;
	ctl->fires = 0;
	qsort(said->line, said->n, LINE, by_text);
}

static void reference_says(struct test *t, uint32_t *told, struct said *said)
{
	said->n = 0;
	for (uint32_t r = 0; r < t->set->nrules; r++) {
		struct sim *s = &t->sim.sims[r];

		for (; told[r] < s->nfires; told[r]++) {
			const struct sim_fire *f = &s->fires[told[r]];
			uint64_t steps[DF_STEPS] = { 0 };

			for (uint32_t i = 0; i < DF_STEPS; i++)
				steps[i] = f->step[i] ? t->seqs[f->step[i]->number] : 0;
			t->fires++;
			t->suppressed += f->act == SIM_SUPPRESSED;
			if (said->n < LINES)
				print_fire(said->line[said->n++], LINE, s->rule->name, f->act != SIM_SUPPRESSED, f->ns, f->key, 2,
					   f->gen, f->losses, steps);
		}
	}
	qsort(said->line, said->n, LINE, by_text);
}

/* The text of the rule that a line begins with, once. */
static void suspect(struct test *t, const char *line)
{
	uint32_t r = (uint32_t)atol(line + 1);
	struct span span = t->set->rules[r].span;
	const char *text = span.src->text + span.off;

	if (t->shown == r + 1)
		return;
	t->shown = r + 1;
	printf("---- rule\n%.*s----\n", (int)span.len, text);
}

static void compare(struct test *t, uint32_t *told, const char *when)
{
	static struct said kernel, reference;
	bool same;

	kernel_says(t, &kernel);
	reference_says(t, told, &reference);
	same = kernel.all == reference.n;
	for (uint32_t i = 0; same && i < kernel.n; i++)
		same = bsearch(kernel.line[i], reference.line, reference.n, LINE, by_text);
	if (same || t->differences++ > 20)
		return;
	printf("difference after %s\n", when);
	for (uint32_t i = 0; i < kernel.n; i++)
		suspect(t, kernel.line[i]);
	for (uint32_t i = 0; i < reference.n; i++)
		suspect(t, reference.line[i]);
	for (uint32_t i = 0; i < kernel.n; i++)
		printf("  kernel:    %s\n", kernel.line[i]);
	for (uint32_t i = 0; i < reference.n; i++)
		printf("  reference: %s\n", reference.line[i]);
}

/* ---- events ---- */

static void inject(const struct task *task, const char *text)
{
	char done;

	if (write(task->to, text, strlen(text)) < 0 || read(task->from, &done, 1) != 1) {
		printf("automata: a task that injects has ended\n");
		exit(1);
	}
}

static void task_main(int from, int to)
{
	int fd = open("/proc/inject", O_WRONLY);
	char text[64];
	ssize_t n;

	while (fd >= 0 && (n = read(from, text, sizeof(text))) > 0) {
		if (write(fd, text, (size_t)n) < 0 || write(to, "", 1) < 0)
			break;
	}
	_exit(1);
}

static void start_task(struct task *task)
{
	int to[2], from[2];

	if (pipe(to) || pipe(from))
		exit(1);
	task->pid = (uint32_t)fork();
	if (!task->pid) {
		close(to[1]);
		close(from[0]);
		task_main(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	task->to = to[1];
	task->from = from[0];
}

/* What is known of an injected event; the expressions of the rule are evaluated on it. */
static struct sim_occurrence *occurrence(struct test *t, char verb, uint64_t key, uint64_t value, const struct task *task)
{
	struct sim_occurrence *o = arena_new(t->a, struct sim_occurrence);

	o->number = ++t->injected;
	o->probe = arena_printf(t->a, "inject_%c", verb);
	o->at = (struct sim_at){ .arena = t->a, .set = t->set, .ns = t->now, .pid = task->pid, .tid = task->pid,
				 .has_task = true, .nargs = 2, .retval = { .unknown = true } };
	o->at.args = arena_array(t->a, 2, sizeof(*o->at.args));
	o->at.args[0] = (struct sim_given){ .name = "key", .value = { .num = key } };
	o->at.args[1] = (struct sim_given){ .name = "value", .value = { .num = value } };
	return o;
}

static void one_event(struct test *t, uint32_t rule, uint32_t key, uint32_t *told)
{
	uint64_t value = (chance(t, 88) ? HOLDS : 0) | (chance(t, 8) ? UNKNOWN : 0) | (chance(t, 8) ? BAD_FIELD : 0) |
			 (chance(t, 1) ? BAD_KEY : 0) | (chance(t, 50) ? GUARD : 0) | upto(t, 3) << 8 | upto(t, 3) << 12;
	uint64_t number = (uint64_t)(rule + 1) * KEY_BASE + key;
	const struct task *task = &t->tasks[chance(t, 60) ? 0 : upto(t, TASKS)];
	char verb = (char)('a' + upto(t, 4)), text[64];
	struct sim_occurrence *o;

	if (chance(t, 1)) {
		sim_lose(&t->sim.sims[rule], 1);
		t->losses[rule]++;
		return;
	}
	o = occurrence(t, verb, number, value, task);
	o->rule = t->set->rules[rule].name;
	snprintf(text, sizeof(text), "%c %llu %llu\n", verb, (unsigned long long)number, (unsigned long long)value);
	inject(task, text);
	t->seqs = realloc(t->seqs, (t->injected + 1) * sizeof(*t->seqs));
	t->seqs[t->injected] = t->loaded.ctl->seq;
	sim_run_feed(&t->sim, o);
	t->events++;
	snprintf(text, sizeof(text), "%c key %llu value 0x%llx at %llu", verb, (unsigned long long)number,
		 (unsigned long long)value, (unsigned long long)(t->now - BEGIN_NS));
	compare(t, told, text);
}

/* How many deadlines are at the earliest time before `end`, which *when receives. */
static uint32_t due(const struct test *t, uint64_t end, uint64_t *when)
{
	uint32_t n = 0;

	*when = end;
	for (uint32_t r = 0; r < t->set->nrules; r++) {
		const struct sim *s = &t->sim.sims[r];

		for (uint32_t k = 0; k < s->keys.nkeys; k++) {
			uint64_t deadline = s->keys.keys[k]->deadline_ns;

			if (!deadline || deadline > *when || deadline >= end)
				continue;
			n = deadline < *when ? 1 : n + 1;
			*when = deadline;
		}
	}
	return n;
}

/* Time goes on to `end`, from deadline to deadline: each takes a sequence number when its timer runs. */
static void deadlines(struct test *t, uint64_t end, uint32_t *told)
{
	const struct timespec poll = { .tv_nsec = 500000 };
	struct df_ctl *ctl = t->loaded.ctl;
	uint32_t n;

	while ((n = due(t, end, &t->now))) {
		uint64_t want = ctl->seq + n;

		t->deadlines += n;
		ctl->test_ns = t->now;
		for (uint32_t waited = 0; ctl->seq < want && waited < 4000; waited++)
			nanosleep(&poll, NULL);
		if (ctl->seq != want) {
			printf("%u deadlines are due at %llu, %lld were taken\n", n, (unsigned long long)(t->now - BEGIN_NS),
			       (long long)(n - (want - ctl->seq)));
			t->differences++;
		}
		for (uint32_t r = 0; r < t->set->nrules; r++)
			sim_advance(&t->sim.sims[r], t->now, true);
		compare(t, told, "deadlines");
	}
	ctl->test_ns = t->now = end;
}

static void run_set(struct test *t, uint32_t rules, uint32_t keys)
{
	uint32_t *told;

	t->a = arena_create(NULL, NULL);
	t->text = (struct buf)BUF_INIT;
	t->object = (struct buf)BUF_INIT;
	t->set = NULL;
	t->loaded_s = -seconds();
	load(t, rules);
	t->loaded_s += seconds();
	told = arena_array(t->a, rules, sizeof(*told));
	for (uint32_t tick = 0; tick < TICKS; tick++) {
		deadlines(t, t->now + TICK_NS, told);
		for (uint32_t r = 0; r < rules; r++) {
			for (uint32_t k = 0; k < keys; k++) {
				if (chance(t, 35))
					one_event(t, r, k, told);
			}
		}
	}
	usleep(20000);
	compare(t, told, "the end");
	t->automata += rules;
	t->sequences += (uint64_t)rules * keys;
	t->shown = 0;
	unload(t);
}

int main(int argc, char **argv)
{
	struct task tasks[TASKS];
	struct test t = { .tasks = tasks };
	double begin = seconds();
	struct err err;

	if (argc != 5)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	t.seed = strtoull(argv[1], NULL, 0) * 0x9e3779b97f4a7c15 | 1;
	for (uint32_t i = 0; i < TASKS; i++)
		start_task(&tasks[i]);
	if (kbtf_open(NULL, &t.kbtf, &err))
		fail("types", &err);
	for (long i = 0; i < atol(argv[2]) && t.differences < 20; i++) {
		run_set(&t, (uint32_t)atol(argv[3]), (uint32_t)atol(argv[4]));
		printf("# set %ld: %.1f s, %.1f s to load\n", i + 1, seconds() - begin, t.loaded_s);
	}
	printf("automata %llu sequences %llu events %llu deadlines %llu verdicts %llu suppressed %llu differences %llu\n",
	       (unsigned long long)t.automata, (unsigned long long)t.sequences, (unsigned long long)t.events,
	       (unsigned long long)t.deadlines, (unsigned long long)t.fires, (unsigned long long)t.suppressed,
	       (unsigned long long)t.differences);
	return t.differences != 0;
}
