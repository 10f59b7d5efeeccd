// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_simulate.c - `deadfall simulate RULE... EVENTS`: what rules would make of these events, without loading anything.
 */
#include "rules/sim/cmd_simulate.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/command.h"
#include "agent/params.h"
#include "lib/arena.h"
#include "rules/compile.h"
#include "rules/sim/tell.h"

struct options {
	char **files;			/* the last one has the events */
	int nfiles;
	const char *btf[16];
	int nbtf;
	char **sets;
	int nsets;
	bool json;
};

static int parse_options(int argc, char **argv, struct options *o)
{
	o->files = argv + 1;
	o->sets = calloc((size_t)argc, sizeof(*o->sets));
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json")) {
			o->json = true;
		} else if (!strcmp(argv[i], "--btf") && i + 1 < argc && o->nbtf < 16) {
			o->btf[o->nbtf++] = argv[++i];
		} else if (!strcmp(argv[i], "--set") && i + 1 < argc) {
			o->sets[o->nsets++] = argv[++i];
		} else if (argv[i][0] == '-' && argv[i][1]) {
			return command_usage("simulate", "no option '%s', or its argument is missing", argv[i]);
		} else {
			o->files[o->nfiles++] = argv[i];
		}
	}
	return o->nfiles > 1 ? 0 : command_usage("simulate", "name rule files, and the file of events behind them");
}

static int open_btf(const struct options *o, struct kbtf **kbtf, struct err *err)
{
	if (kbtf_open(o->nbtf ? o->btf[0] : NULL, kbtf, err))
		return -1;
	for (int i = 1; i < o->nbtf; i++) {
		if (kbtf_add_module(*kbtf, o->btf[i], err))
			return -1;
	}
	return 0;
}

/* The set's parameters with what --set says; NULL after an error. */
static uint64_t *make_params(struct arena *a, const struct rule_set *set, const struct options *o, struct err *err)
{
	static const char *const kinds[] = { "int", "duration", "size", "str" };
	uint64_t *params = arena_array(a, set->nparams + 1, sizeof(*params));
	struct set_info info = { .nrules = set->nrules, .nparams = set->nparams };

	info.rules = arena_array(a, set->nrules + 1, sizeof(*info.rules));
	info.params = arena_array(a, set->nparams + 1, sizeof(*info.params));
	for (uint32_t i = 0; i < set->nrules; i++)
		info.rules[i].name = set->rules[i].name;
	for (uint32_t i = 0; i < set->nparams; i++) {
		const struct param *p = set->params[i];

		params[i] = p->value;
		info.params[i] = (struct info_param){ .name = p->name, .rule = p->rule, .kind = kinds[p->kind],
						      .value = p->value };
	}
	for (int i = 0; i < o->nsets; i++) {
		uint64_t value;
		uint32_t index;

		if (param_parse(&info, o->sets[i], &index, &value, err))
			return NULL;
		params[index] = value;
	}
	return params;
}

/* What the file of events expects; false if it came otherwise. */
static bool as_expected(const struct sim_run *r, const struct sim_input *in)
{
	bool ok = true;

	for (uint32_t i = 0; i < in->nexpect; i++) {
		const struct sim_expect *x = &in->expect[i];
		uint32_t got = r->sims[x->rule->index].nfires, line, col;

		if (got == x->fires)
			continue;
		source_position(x->span.src, x->span.off, &line, &col);
		fprintf(stderr, "%s:%u:%u: rule '%s' matched %u times, not %llu as expected\n", x->span.src->name, line, col,
			x->rule->name, got, (unsigned long long)x->fires);
		ok = false;
	}
	return ok;
}

/* Not inlined: its variables must not live where setjmp is. */
static __attribute__((noinline)) int simulate(struct arena *a, const struct options *o, struct kbtf *kbtf,
					       struct buf *out, struct err *err)
{
	struct diags diags = diags_init(a);
	struct rule_set *set = NULL;
	struct sim_input in = { 0 };
	struct source *events;
	struct sim_run run;
	uint64_t *params = NULL;
	bool ok = false;

	compile_check(a, o->files, o->nfiles - 1, kbtf, &diags, &set);
	if (set) {
		params = make_params(a, set, o, err);
		if (!params || source_read(a, o->files[o->nfiles - 1], &events, err))
			return -1;
		sim_input_read(a, events, set, &diags, &in);
	}
	if (!diags.errors) {
		sim_run_init(&run, a, set, params);
		sim_run_all(&run, &in);
		if (!o->json)
			sim_tell(&run, out);
		else if (sim_tell_json(&run, out))
			return err_nomem(err);
		ok = as_expected(&run, &in);
	}
	diags_print(&diags, stderr, isatty(STDERR_FILENO));
	return ok ? EXIT_OK : EXIT_RULE;
}

static void out_of_memory(void *arg)
{
	longjmp(*(jmp_buf *)arg, 1);
}

int cmd_simulate(int argc, char **argv)
{
	struct options o = { 0 };
	struct kbtf *kbtf = NULL;
	struct arena *volatile a = NULL;
	struct buf out = BUF_INIT;
	struct err err;
	jmp_buf oom;
	int rc = parse_options(argc, argv, &o);

	if (rc) {
		free(o.sets);
		return rc;
	}
	if (open_btf(&o, &kbtf, &err)) {
		kbtf_close(kbtf);
		free(o.sets);
		command_fail("simulate", &err);
		return EXIT_ENVIRONMENT;
	}
	if (setjmp(oom)) {
		err_nomem(&err);
		rc = -1;
	} else {
		a = arena_create(out_of_memory, &oom);
		if (!a)
			out_of_memory(&oom);
		rc = simulate(a, &o, kbtf, &out, &err);
	}
	fputs(buf_str(&out), stdout);
	if (rc < 0)
		rc = command_fail("simulate", &err);
	buf_deinit(&out);
	arena_destroy(a);
	kbtf_close(kbtf);
	free(o.sets);
	return rc;
}
