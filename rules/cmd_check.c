// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_check.c - deadfall check FILE...: all that is wrong with rules, without loading anything.
 */
#include "rules/cmd_check.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/command.h"
#include "lib/arena.h"
#include "rules/compile.h"
#include "rules/encode.h"
#include "rules/generate.h"
#include "rules/memory_set.h"
#include "rules/print.h"

#define CPUS_MAX 8192

struct options {
	const char *btf[16];
	int nbtf;
	bool json;
	uint64_t memory;		/* budget of the set, bytes */
	uint32_t cpus;			/* of the machine where it is to run */
	const char *emit;		/* one of stages[] or NULL */
};

/* What each stage of the compiler makes of its input. */
static const char *const stages[] = { "tree", "rule", "ir", "insn" };

static bool is_stage(const char *name)
{
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		if (!strcmp(name, stages[i]))
			return true;
	}
	return false;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "btf", required_argument, NULL, 'b' }, { "json", no_argument, NULL, 'j' },
		{ "emit", required_argument, NULL, 'e' }, { "memory", required_argument, NULL, 'm' },
		{ "cpus", required_argument, NULL, 'c' }, { 0 },
	};
	struct err err;
	int opt;

	o->memory = MEMORY_DEFAULT;
	o->cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF);

	opterr = 0;
	optind = 1;
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (opt) {
		case 'b':
			if (o->nbtf == 16)
				return command_usage("check", "more than 16 --btf");
			o->btf[o->nbtf++] = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 'm':
			if (memory_parse(optarg, &o->memory, &err))
				return command_usage("check", "%s", err.msg);
			break;
		case 'c':
			o->cpus = (uint32_t)strtoul(optarg, NULL, 10);
			if (o->cpus < 1 || o->cpus > CPUS_MAX)
				return command_usage("check", "--cpus takes a number from 1 to %d", CPUS_MAX);
			break;
		case 'e':
			o->emit = optarg;
			if (!is_stage(optarg))
				return command_usage("check", "--emit takes tree, rule, ir or insn");
			break;
		default:
			return command_usage("check", "no option '%s', or its argument is missing", argv[optind - 1]);
		}
	}
	if (optind == argc)
		return command_usage("check", "no rule file given");
	return 0;
}

static void out_of_memory(void *arg)
{
	longjmp(*(jmp_buf *)arg, 1);
}

/* The code of a checked set, before or after it is encoded. */
static void emit_code(struct arena *a, struct rule_set *set, struct diags *diags, bool encoded, struct buf *text)
{
	struct buf object = BUF_INIT;
	struct generated gen = { 0 };
	struct err err = { 0 };
	char *printed = NULL;
	size_t len;
	FILE *out;

	if (encoded ? generate_object(a, set, diags, &gen, &object, &err) : generate_code(a, set, diags, &gen)) {
		if (!diags->errors)
			diag_error(diags, TAG_FILE, (struct span){ 0 }, "%s", err.msg);
		buf_deinit(&object);
		return;
	}
	buf_deinit(&object);
	out = open_memstream(&printed, &len);
	if (!out)
		return;
	for (uint32_t i = 0; i < gen.code.nfuncs; i++) {
		if (encoded)
			code_print(&gen.codes[i], out);
		else
			ir_print(gen.code.funcs[i], out);
	}
	fclose(out);
	buf_puts(text, printed);
	free(printed);
}

/* Check, and leave in text what is to be printed on success. */
static int check_files(char **files, int n, struct kbtf *kbtf, const struct options *o, struct arena *a,
		       struct buf *text)
{
	struct memory_spec spec = { .cpus = o->cpus };
	struct diags diags = diags_init(a);
	struct rule_set *set = NULL;
	json_t *memory = NULL;
	struct memory m;

	if (o->emit && !strcmp(o->emit, "tree"))
		compile_trees(a, files, n, &diags, text);
	else
		compile_check(a, files, n, kbtf, &diags, &set);
	if (set && !o->emit)
		generate_check(a, set, &diags);
	for (uint32_t i = 0; set && o->emit && !strcmp(o->emit, "rule") && i < set->nrules; i++)
		rule_print(a, text, &set->rules[i]);
	if (set && o->emit && (!strcmp(o->emit, "ir") || !strcmp(o->emit, "insn")))
		emit_code(a, set, &diags, !strcmp(o->emit, "insn"), text);
	if (set && !o->emit && !diags.errors && !memory_of_set(a, set, kbtf, o->memory, &diags, &spec, &m)) {
		memory = o->json ? memory_json(a, &spec, &m, o->memory) : NULL;
		if (!o->json && !diags.errors)
			buf_printf(text, "%u rule%s checked\n", set->nrules, set->nrules == 1 ? "" : "s");
		if (!o->json)
			memory_tell(text, &spec, &m, o->memory);
	}
	if (o->json)
		diags_print_json(&diags, memory, stdout);
	else
		diags_print(&diags, stderr, isatty(STDERR_FILENO));
	return diags.errors ? EXIT_RULE : EXIT_OK;
}

int cmd_check(int argc, char **argv)
{
	struct options o = { 0 };
	struct kbtf *kbtf = NULL;
	struct arena *volatile a = NULL;
	struct buf text = BUF_INIT;
	struct err err;
	jmp_buf oom;
	int rc = parse_options(argc, argv, &o);

	if (rc)
		return rc;
	if (kbtf_open_all(o.btf, o.nbtf, &kbtf, &err)) {
		kbtf_close(kbtf);
		return err.code == ERR_SYSTEM || err.code == ERR_NOMEM ? command_fail("check", &err) :
		       (command_fail("check", &err), EXIT_ENVIRONMENT);
	}
	if (setjmp(oom)) {
		err_nomem(&err);
		rc = command_fail("check", &err);
	} else {
		a = arena_create(out_of_memory, &oom);
		if (!a)
			out_of_memory(&oom);
		rc = check_files(argv + optind, argc - optind, kbtf, &o, a, &text);
		fputs(buf_str(&text), stdout);
	}
	buf_deinit(&text);
	arena_destroy(a);
	kbtf_close(kbtf);
	return rc;
}
