// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rule_print.c - the tree of a document and a checked rule as text.
 */
#include "rules/print.h"

#include <string.h>

#include "lib/arena.h"
#include "rules/probe.h"

static void print_node(struct buf *out, const struct node *n, const struct node *key, unsigned int indent)
{
	uint32_t line, col;

	source_position(n->span.src, key ? key->span.off : n->span.off, &line, &col);
	buf_printf(out, "%u:%u%*s", line, col, (int)indent * 2 + 1, "");
	if (key)
		buf_printf(out, "%s: ", key->text);
	if (n->kind == NODE_SCALAR) {
		buf_puts(out, n->quoted ? "'" : "");
		for (uint32_t i = 0; i < n->len; i++)
			buf_putc(out, n->text[i] == '\n' ? '|' : n->text[i]);
		buf_printf(out, "%s\n", n->quoted ? "'" : "");
		return;
	}
	buf_puts(out, n->kind == NODE_LIST ? "list\n" : "map\n");
	for (uint32_t i = 0; i < n->n; i++)
		print_node(out, n->items[i], n->kind == NODE_MAP ? n->keys[i] : NULL, indent + 1);
}

void tree_print(struct buf *out, const struct node *n)
{
	print_node(out, n, NULL, 0);
}

static void print_expr_line(struct arena *a, struct buf *out, const char *what, const struct expr *e)
{
	if (!e)
		return;
	buf_printf(out, "    %s: ", what);
	expr_print(a, out, e);
	if (e->type && e->type->kind != TYPE_BOOL)
		buf_printf(out, "  [%s]", type_text(a, e->type));
	buf_putc(out, '\n');
}

/* At most so many functions of a glob are listed. */
#define FUNCS_SHOWN 16

static void print_probe(struct buf *out, const struct event *ev, const struct probe *p)
{
	buf_printf(out, "    probe %s: %s%s%s\n", probe_info(p->kind)->name, p->pattern ? p->pattern : p->text,
		   p->returns ? " -> " : "", p->returns ? p->returns : "");
	if (p->target)
		buf_printf(out, "      in %s%s%s\n", p->target, p->provider ? " provider " : "",
			   p->provider ? p->provider : "");
	for (uint32_t i = 0; i < p->nfuncs && i < FUNCS_SHOWN; i++) {
		const struct probe_func *f = &p->funcs[i];

		buf_printf(out, "      %s%s%s body %u:", f->module ? f->module : "", f->module ? ":" : "", f->name,
			   f->body);
		for (uint32_t j = 0; f->argpos && j < ev->nargs; j++)
			buf_printf(out, " %u", f->argpos[j]);
		buf_putc(out, '\n');
	}
	if (p->nfuncs > FUNCS_SHOWN)
		buf_printf(out, "      ... %u functions\n", p->nfuncs);
}

static void print_flags(struct buf *out, const struct event *ev)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} keeps[] = {
		{ KEEP_KSTACK, "kstack" }, { KEEP_USTACK, "ustack" }, { KEEP_LBR, "lbr" }, { KEEP_PIN, "pin" },
	};

	buf_printf(out, "%s%s%s%s%s%s", ev->roles & ROLE_LEADS ? " leads" : "",
		   ev->roles & ROLE_PREVENTS ? " prevents" : "", ev->birth ? " birth" : "", ev->death ? " death" : "",
		   ev->optional ? " optional" : "", ev->unresolved ? " unresolved" : "");
	for (size_t i = 0; i < sizeof(keeps) / sizeof(keeps[0]); i++) {
		if (ev->keep & keeps[i].bit)
			buf_printf(out, " +%s", keeps[i].name);
	}
	buf_putc(out, '\n');
}

static void print_event(struct arena *a, struct buf *out, const struct event *ev)
{
	buf_printf(out, "  event %u %s:", ev->index, ev->name);
	print_flags(out, ev);
	for (uint32_t i = 0; i < ev->nprobes; i++)
		print_probe(out, ev, &ev->probes[i]);
	for (uint32_t i = 0; i < ev->nargs; i++) {
		buf_printf(out, "    arg %u: ", i);
		if (ev->args[i].name)
			buf_puts(out, ev->args[i].name);
		else
			buf_printf(out, "#%u", ev->args[i].number);
		buf_printf(out, "  [%s]\n", type_text(a, ev->args[i].type));
	}
	print_expr_line(a, out, "where", ev->where);
	for (uint32_t i = 0; i < ev->nkey; i++)
		print_expr_line(a, out, "key", ev->key[i]);
	for (uint32_t i = 0; i < ev->nfields; i++)
		print_expr_line(a, out, arena_printf(a, "field %s", ev->fields[i].name), ev->fields[i].expr);
	for (uint32_t i = 0; i < ev->ntables; i++) {
		for (uint32_t j = 0; j < ev->tables[i].nkey; j++)
			print_expr_line(a, out, arena_printf(a, "in %s key", ev->tables[i].name), ev->tables[i].key[j]);
	}
	print_expr_line(a, out, "owner", ev->owner);
	if (ev->delay_ns)
		buf_printf(out, "    delay %llu ns, %u ppm\n", (unsigned long long)ev->delay_ns, ev->delay_ppm);
	for (uint32_t i = 0; i < ev->nbytes; i++)
		print_expr_line(a, out, arena_printf(a, "bytes %u", ev->bytes[i].len), ev->bytes[i].addr);
}

static void print_events(struct buf *out, const char *what, const struct event_list *list)
{
	if (!list->n)
		return;
	buf_printf(out, "    %s:", what);
	for (uint32_t i = 0; i < list->n; i++)
		buf_printf(out, " %s", list->items[i]->name);
	buf_putc(out, '\n');
}

static void print_state(struct arena *a, struct buf *out, const struct match *m, const struct state *s)
{
	buf_printf(out, "    state %s\n", s->name);
	for (uint32_t i = 0; i < s->n; i++) {
		const struct transition *t = &s->on[i];

		buf_printf(out, "      %s -> %s\n", t->event ? t->event->name : "late",
			   t->fire ? "fire" : m->states[t->to].name);
		print_expr_line(a, out, "    where", t->guard);
	}
	print_expr_line(a, out, "  deadline", s->deadline);
}

static void print_details(struct arena *a, struct buf *out, const struct match *m)
{
	print_expr_line(a, out, "over", m->over);
	if (m->kind == MATCH_BALANCE)
		buf_printf(out, "    min %lld\n", (long long)m->min);
	if (m->detect)
		buf_printf(out, "    detect %x\n", m->detect);
	if (m->identity || m->value || m->group)
		buf_printf(out, "    field %s\n", m->identity ? m->identity : m->value ? m->value : m->group);
	for (uint32_t i = 0; i < m->nstates; i++)
		print_state(a, out, m, &m->states[i]);
}

static void print_match(struct arena *a, struct buf *out, const struct match *m)
{
	static const char *const kinds[] = {
		"event", "sequence", "missing", "rate", "balance", "lifecycle", "latency", "change", "population",
		"overlap", "origin", "automaton",
	};

	buf_printf(out, "  match %s\n", kinds[m->kind]);
	for (uint32_t i = 0; i < m->nsteps; i++) {
		buf_printf(out, "    step %s: %s\n", m->steps[i].label, m->steps[i].event->name);
		print_expr_line(a, out, "  guard", m->steps[i].guard);
	}
	print_events(out, "up", &m->up);
	print_events(out, "down", &m->down);
	print_events(out, "use", &m->use);
	if (m->end)
		buf_printf(out, "    end: %s\n", m->end->name);
	print_details(a, out, m);
	for (uint32_t i = 0; i < m->nunless; i++)
		buf_printf(out, "    unless %s\n", m->unless[i]->name);
	print_expr_line(a, out, "within", m->within);
	if (m->times > 1 || m->every > 1 || m->cooldown_ns)
		buf_printf(out, "    times %llu every %llu cooldown %llu\n", (unsigned long long)m->times,
			   (unsigned long long)m->every, (unsigned long long)m->cooldown_ns);
}

void rule_print(struct arena *a, struct buf *out, const struct rule *rule)
{
	static const char *const actions[] = { "panic", "log", "signal", "stop", "set" };
	static const char *const losses[] = { "suppress", "log", "fire" };

	buf_printf(out, "rule %u %s\n", rule->index, rule->name);
	for (uint32_t i = 0; i < rule->nparams; i++) {
		const struct param *p = &rule->params[i];

		if (p->kind == PARAM_STR)
			buf_printf(out, "  param %u %s: \"%s\"\n", p->index, p->name, p->text);
		else
			buf_printf(out, "  param %u %s: %lld%s\n", p->index, p->name, (long long)p->value,
				   p->kind == PARAM_DURATION ? " ns" : "");
	}
	for (uint32_t i = 0; i < rule->ntables; i++)
		buf_printf(out, "  table %u %s: last %u, keys %u, key parts %u\n", rule->tables[i].index,
			   rule->tables[i].name, rule->tables[i].last, rule->tables[i].keys, rule->tables[i].nkey);
	for (uint32_t i = 0; i < rule->nsets; i++)
		buf_printf(out, "  set %u %s: %u values%s%s, max %u\n", rule->sets[i].index, rule->sets[i].name,
			   rule->sets[i].nvalues, rule->sets[i].file ? " and file " : "",
			   rule->sets[i].file ? rule->sets[i].file : "", rule->sets[i].max);
	for (uint32_t i = 0; i < rule->nevents; i++)
		print_event(a, out, &rule->events[i]);
	print_match(a, out, &rule->match);
	buf_printf(out, "  context: last %u, keys %u, key parts %u\n", rule->context_last, rule->context_keys,
		   rule->nkey);
	for (uint32_t i = 0; i < rule->nactions; i++) {
		const struct action *act = &rule->actions[i];

		buf_printf(out, "  action %s: %s", actions[act->kind], act->message ? act->message : "");
		if (act->kind == ACTION_SIGNAL)
			buf_printf(out, "%u", act->signal);
		if (act->kind == ACTION_SET_FLAG)
			buf_printf(out, " (%u) = %llu", act->flag, (unsigned long long)act->value);
		buf_putc(out, '\n');
	}
	buf_printf(out, "  guard: kdump %s, %u panics in %llu s, after %llu ns; on loss %s\n",
		   rule->guard.kdump_tested ? "tested" : rule->guard.kdump_required ? "required" : "optional",
		   rule->guard.max_panics, (unsigned long long)rule->guard.per_ns / 1000000000,
		   (unsigned long long)rule->guard.after_ns, losses[rule->on_loss]);
}
