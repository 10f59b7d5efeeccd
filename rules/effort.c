// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/effort.h"

#include <string.h>

#define FUNCS_MAX 200u		/* of a program: BPF_MAX_SUBPROGS is 256, the runtime has its own */
#define INSNS_MAX 1000000u	/* BPF_COMPLEXITY_LIMIT_INSNS: looked at, so a program cannot have more */
#define MAYBE 800000u		/* an estimate from which on it may be too much ... */
#define SURELY 2000000u		/* ... and from which on it is */

#define LOOPED 10		/* how often a loop's body is looked at */
#define PASSES 2		/* how often a body is, where a function may have one event or several */

/* Instructions looked at in what generated code calls, where that is more than a few (bpf/text.h, bpf/hook.h). */
static uint32_t call_cost(const char *symbol)
{
	static const struct {
		const char *name;
		uint32_t insns;
	} costs[] = {
		{ "df_text_is", 300 }, { "df_text_same", 400 }, { "df_text_hash", 300 }, { "df_text_like", 220 },
		{ "df_stack_has", 170 }, { "df_ask", 200 }, { "df_ask_direct", 200 }, { "df_delay_hit", 200 },
		{ "df_usdt_arg", 100 }, { "df_save", 100 }, { "df_saved", 100 }, { "df_in_set", 40 }, { "df_take", 40 },
		{ "df_peek", 12 },
	};

	for (size_t i = 0; symbol && i < sizeof(costs) / sizeof(costs[0]); i++) {
		if (!strcmp(costs[i].name, symbol))
			return costs[i].insns;
	}
	return 0;
}

/* With so many flags that may be 0 or 1: each is a state of its own, and they add up. */
static uint64_t times_looked_at(uint64_t doubts)
{
	return 1 + 2 * doubts + doubts * doubts / 6;
}

static uint64_t looked_at(const struct ir_func *f)
{
	uint64_t sum = 0, times = 1;

	for (uint32_t i = 0; i < f->n; i++) {
		const struct ir_item *item = &f->items[i];

		if (item->kind == IR_INSN || item->kind == IR_LDIMM64)
			sum += (1 + call_cost(item->symbol)) * times_looked_at(item->doubts);
	}
	for (; f->caller; f = f->caller)
		times *= LOOPED;
	return sum * times;
}

/* Functions [first, end) of a hook; loops come before the function that they are in. */
static void add_hook(struct effort *e, const struct code_set *cs, enum hook hook, uint32_t first, uint32_t end)
{
	uint64_t sum = 0, here = 0;

	for (uint32_t i = first; i < end; i++) {
		const struct ir_func *f = cs->funcs[i];

		here += looked_at(f);
		e->hooks[hook].items += f->n;
		e->hooks[hook].loops += f->caller != NULL;
		if (!hook_kinds[hook].direct || !f->is_program)
			continue;
		sum = here > sum ? here : sum;
		here = 0;
	}
	e->hooks[hook].bodies += cs->per_hook[hook];
	if (!hook_kinds[hook].direct)
		e->hooks[hook].looked_at += here;
	else if (sum > e->hooks[hook].looked_at)
		e->hooks[hook].looked_at = sum;
}

void effort_add(struct effort *e, const struct code_set *cs)
{
	for (enum hook hook = 0; hook < HOOKS; hook++)
		add_hook(e, cs, hook, cs->first_func[hook], cs->first_func[hook + 1]);
}

static uint64_t estimate(const struct effort *e, enum hook hook)
{
	return e->hooks[hook].looked_at * (hook_kinds[hook].direct || e->hooks[hook].bodies < 2 ? 1 : PASSES);
}

static void check_functions(const struct effort *e, enum hook hook, const struct rule_set *set, struct diags *diags)
{
	uint64_t n = lower_functions(e->hooks[hook].bodies, e->hooks[hook].items) + e->hooks[hook].loops;

	if (!hook_kinds[hook].direct && n > FUNCS_MAX)
		diag_hint(diags, diag_error(diags, TAG_TOO_BIG, set->rules[0].span,
					    "the set's code at %s probes has %llu functions, BPF allows %u", hook_kinds[hook].name,
					    (unsigned long long)n, FUNCS_MAX),
			  "each any() or count() is one: load the rules in several sets");
}

static void check_verifier(const struct effort *e, enum hook hook, const struct rule_set *set, struct diags *diags)
{
	uint64_t n = estimate(e, hook);
	struct diag *d;

	if (n <= MAYBE)
		return;
	d = n > SURELY ?
		diag_error(diags, TAG_TOO_BIG, set->rules[0].span,
			   "the set's code at %s probes is too much for the kernel's verifier: some %llu instructions to look at, %u are allowed",
			   hook_kinds[hook].name, (unsigned long long)n, INSNS_MAX) :
		diag_warn(diags, TAG_TOO_BIG, set->rules[0].span,
			  "the set's code at %s probes may be too much for the kernel's verifier: some %llu instructions to look at, %u are allowed",
			  hook_kinds[hook].name, (unsigned long long)n, INSNS_MAX);
	diag_hint(diags, d, "load the rules in several sets; loops, long texts, and && and || in each other cost most");
}

void effort_check(const struct effort *e, const struct rule_set *set, struct diags *diags)
{
	for (enum hook hook = 0; hook < HOOKS; hook++) {
		check_functions(e, hook, set, diags);
		check_verifier(e, hook, set, diags);
	}
	if (e->insns > INSNS_MAX)
		diag_error(diags, TAG_TOO_BIG, set->rules[0].span,
			   "the set needs %llu instructions, BPF allows %u; load the rules in several sets",
			   (unsigned long long)e->insns, INSNS_MAX);
}
