// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules.c - libFuzzer target: any bytes as a rule file, against the tests' BTF. Built twice: for whole files (yaml), and
 * with the bytes as the condition of an event (expression). What checks becomes code as well.
 */
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "rules/compile.h"
#include "rules/generate.h"
#include "rules/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct kbtf *kbtf;

static void open_btf(void)
{
	struct err err;

	if (kbtf_open("tests/data/kernel.btf", &kbtf, &err) ||
	    kbtf_add_module(kbtf, "tests/data/widget.btf", &err)) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
}

#ifdef FUZZ_EXPRESSION
/* The bytes as a block scalar: every line indented, so that YAML takes them as they are. */
static void make_rule(struct buf *b, const uint8_t *data, size_t size)
{
	buf_puts(b, "deadfall: 1\nrule: r\nevents:\n  e:\n    probe: kretprobe:inode_alloc\n    key: [retval]\n"
		    "    where: |\n      ");
	for (size_t i = 0; i < size; i++) {
		buf_putc(b, data[i] < ' ' || data[i] > '~' ? ' ' : (char)data[i]);
	}
	buf_puts(b, "\nparams: {n: 3, t: 1s, s: text}\nsets: {set: [1]}\nmatch: {event: e}\non_match: [log: x]\n");
}
#else
static void make_rule(struct buf *b, const uint8_t *data, size_t size)
{
	buf_add(b, data, size);
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(NULL, NULL);
	struct diags diags = diags_init(a);
	struct buf rule = BUF_INIT, text = BUF_INIT;
	struct rule_set *set = NULL;
	FILE *null = fopen("/dev/null", "w");

	if (!kbtf)
		open_btf();
	make_rule(&rule, data, size);
	compile_check_text(a, "fuzz", buf_str(&rule), rule.len, kbtf, &diags, &set);
	for (uint32_t i = 0; set && i < set->nrules; i++)
		rule_print(a, &text, &set->rules[i]);
	if (set)
		generate_check(a, set, &diags);
	diags_print(&diags, null, false);
	diags_print_json(&diags, NULL, null);
	fclose(null);
	buf_deinit(&rule);
	buf_deinit(&text);
	arena_destroy(a);
	return 0;
}
