// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/manifest.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "rules/automaton.h"

static const char *const probe_names[PROBE_KINDS] = {
	"kprobe",     "kretprobe", "session", "fentry",	  "fexit",    "tracepoint",
	"rawtp", "uprobe",    "uretprobe",  "usdt",	"interval",  "profile",
};

static const char *const match_names[] = {
	"event",   "sequence", "missing",    "rate",	"balance", "lifecycle",
	"latency", "change",   "population", "overlap", "origin",  "automaton",
};

static const char *const act_names[] = { "panic", "log", "signal", "stop", "set" };
static const char *const loss_names[] = { "suppress", "log", "fire" };

static json_t *u64_json(uint64_t v)
{
	char text[24];

	if (v <= 1ULL << 53)
		return json_integer((json_int_t)v);
	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	return json_string(text);
}

/* Strings from rule files are checked to be UTF-8 by the YAML reader; anything else becomes "?". */
static json_t *text_json(const char *s)
{
	json_t *v = s ? json_string(s) : json_null();

	return v ? v : json_string("?");
}

static json_t *span_json(struct span span)
{
	json_t *v = span.src ? json_stringn(span.src->text + span.off, span.len) : json_null();

	return v ? v : json_string("?");
}

static const char *type_name(const struct field *f)
{
	const struct type *t = f->expr->type;

	if (field_is_string(f))
		return "str";
	switch (t->kind) {
	case TYPE_BOOL:
		return "bool";
	case TYPE_ENUM:
		return "enum";
	case TYPE_INT:
		return t->is_signed ? "int" : "uint";
	default:
		return "ptr";
	}
}

static bool is_user_probe(const struct event *e)
{
	for (uint32_t i = 0; i < e->nprobes; i++) {
		enum probe_kind kind = e->probes[i].kind;

		if (kind == PROBE_UPROBE || kind == PROBE_URETPROBE || kind == PROBE_USDT)
			return true;
	}
	return false;
}

/* Whether a value comes from user memory: somewhere in it a pointer there is followed. */
static bool reads_user(const struct expr *e)
{
	if (!e)
		return false;
	if (e->op == EXPR_CALL && e->index == FUNC_USTR)
		return true;
	if (expr_is_lvalue(e) && e->a->type && e->a->type->kind == TYPE_PTR && expr_points_to_user(e->a))
		return true;
	for (uint32_t i = 0; i < e->nlist; i++) {
		if (reads_user(e->list[i]))
			return true;
	}
	return reads_user(e->a) || reads_user(e->b) || reads_user(e->c);
}

#define ENUMERATORS_MAX 512

static json_t *enumerators_json(const struct type *t)
{
	json_t *list = json_array();
	const char *name;
	int64_t value;

	for (uint32_t i = 0; i < ENUMERATORS_MAX && type_enumerator(t, i, &name, &value); i++)
		json_array_append_new(list, json_pack("[I, s]", (json_int_t)value, name));
	return list;
}

static json_t *field_json(const struct event *e, const struct field *f)
{
	uint32_t size = f->expr->type->size;
	json_t *j;

	if (field_is_string(f))
		size = f->words * 8 < size || !size ? f->words * 8 : size;
	else if (!size || size > 8)
		size = 8;
	j = json_pack("{s:s, s:s, s:i, s:i}", "name", f->name, "type", type_name(f), "size", (int)size, "word", (int)f->word);
	if (f->expr->type->kind == TYPE_ENUM)
		json_object_set_new(j, "values", enumerators_json(f->expr->type));
	if (f->expr->op == EXPR_RETVAL && f->expr->type->is_signed)
		json_object_set_new(j, "error", json_true());
	if (is_user_probe(e) || reads_user(f->expr))
		json_object_set_new(j, "user", json_true());
	return j;
}

static json_t *probe_json(const struct probe *p)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "kind", probe_names[p->kind], "text",
			 text_json(p->text), "pattern", text_json(p->pattern), "module", text_json(p->module), "returns",
			 text_json(p->returns), "target", text_json(p->target), "provider", text_json(p->provider), "rate",
			 (json_int_t)p->rate, "record", text_json(p->record ? p->record->name : NULL));
}

/* Kept bytes are a field by the name of what they are of. */
static json_t *bytes_json(const struct keep_bytes *b)
{
	return json_pack("{s:o, s:s, s:i, s:i}", "name", span_json(b->addr->span), "type", "bytes", "size", (int)b->len,
			 "word", (int)b->word);
}

/* The parts of the condition that are counted each when they are false (df_stats.failed0 ...). */
static void add_clauses(json_t *clauses, const struct expr *e)
{
	if (e->op == EXPR_LAND) {
		add_clauses(clauses, e->a);
		add_clauses(clauses, e->b);
	} else if (json_array_size(clauses) < DF_CLAUSES) {
		json_array_append_new(clauses, span_json(e->span));
	}
}

static bool same_text(struct span a, struct span b)
{
	return a.src && b.src && a.len == b.len && !memcmp(a.src->text + a.off, b.src->text + b.off, a.len);
}

/* Of a down: the field that is the owner as well, so that the event itself tells whose it was. */
static void add_owner(json_t *event, const struct event *e)
{
	for (uint32_t i = 0; e->owner && (e->roles & ROLE_PREVENTS) && i < e->nfields; i++) {
		if (same_text(e->fields[i].expr->span, e->owner->span)) {
			json_object_set_new(event, "owner", json_integer(i));
			return;
		}
	}
}

static json_t *event_json(const struct rule *r, const struct event *e)
{
	json_t *fields = json_array(), *probes = json_array(), *flags = json_array(), *args = json_array();
	json_t *j = json_pack("{s:s, s:i, s:i}", "name", e->name, "rule", (int)r->index, "line",
			      (int)span_line(e->span));

	for (uint32_t i = 0; i < e->nfields; i++)
		json_array_append_new(fields, field_json(e, &e->fields[i]));
	for (uint32_t i = 0; i < e->nbytes; i++)
		json_array_append_new(fields, bytes_json(&e->bytes[i]));
	for (uint32_t i = 0; i < e->nprobes; i++)
		json_array_append_new(probes, probe_json(&e->probes[i]));
	for (uint32_t i = 0; i < e->nargs; i++)
		json_array_append_new(args, json_pack("{s:o, s:i, s:o}", "name", text_json(e->args[i].name), "number",
						      (int)e->args[i].number, "record",
						      text_json(e->args[i].member.name)));
	if (e->birth)
		json_array_append_new(flags, json_string("birth"));
	if (e->death)
		json_array_append_new(flags, json_string("death"));
	if (e->keep & KEEP_PIN)
		json_array_append_new(flags, json_string("pin"));
	if (e->optional)
		json_array_append_new(flags, json_string("optional"));
	if (e->wait_module)
		json_array_append_new(flags, json_string("wait-module"));
	if (e->where) {
		json_t *clauses = json_array();

		add_clauses(clauses, e->where);
		json_object_set_new(j, "clauses", clauses);
	}
	if (e->delay_ns)
		json_object_set_new(j, "delay_ns", u64_json(e->delay_ns));
	add_owner(j, e);
	json_object_set_new(j, "probes", probes);
	json_object_set_new(j, "flags", flags);
	json_object_set_new(j, "args", args);
	json_object_set_new(j, "fields", fields);
	if (event_mask_word(e) != PAYLOAD_NO_MASK)
		json_object_set_new(j, "mask", json_integer(event_mask_word(e)));
	if (e->keep & KEEP_USTACK)
		json_object_set_new(j, "ustack",
				    json_pack("{s:i, s:i}", "word", (int)e->ustack_word, "depth", USTACK_DEPTH));
	if (e->keep & KEEP_LBR)
		json_object_set_new(j, "lbr", json_pack("{s:i, s:i}", "word", (int)e->lbr_word, "depth", LBR_DEPTH));
	if (e->kstack_depth)
		json_object_set_new(j, "kstack",
				    json_pack("{s:i, s:i}", "word", (int)e->kstack_word, "depth", (int)e->kstack_depth));
	return j;
}

/* What a deadline records: no event, but the stack of the task it waited for. */
static json_t *deadline_json(const struct rule *r)
{
	return json_pack("{s:s, s:i, s:i, s:[], s:[s], s:[], s:[], s:{s:i, s:i}}", "name", "deadline", "rule", (int)r->index,
			 "line", (int)span_line(r->match.span), "probes", "flags", "deadline", "args", "fields", "kstack",
			 "word", 0, "depth", DF_STACK_DEPTH);
}

/* By step number: what the rule calls it. */
static json_t *steps_json(const struct match *m)
{
	json_t *steps = json_array();
	const struct event *e;
	const char *label;

	for (uint32_t i = 0; (e = match_step(m, i, &label)); i++)
		json_array_append_new(steps, json_pack("{s:s, s:i}", "label", label, "event", (int)e->index));
	return steps;
}

static json_t *names_json(const char *const *names, uint32_t n)
{
	json_t *j = json_array();

	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(j, text_json(names[i]));
	return j;
}

/* What a lifecycle detects, and how to see which it was. */
static json_t *detect_json(const struct match *m)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < LIFECYCLE_FAULTS; i++) {
		const struct fault *f = &lifecycle_faults[i];
		const struct event_list *at = f->at_free ? &m->down : &m->use;
		json_t *events = json_array();

		for (uint32_t e = 0; e < at->n; e++)
			json_array_append_new(events, json_integer(at->items[e]->index));
		if (m->detect & f->bit)
			json_array_append_new(list, json_pack("{s:s, s:s, s:O, s:s}", "fault", f->name, "words", f->words,
							      "events", events, "freed", f->freed));
		json_decref(events);
	}
	return list;
}

static json_t *match_json(const struct automata *am, const struct rule *r)
{
	const struct match *m = &r->match;
	uint32_t own = am->rule_machine[r->index];
	json_t *unless = json_array(), *j = json_pack("{s:s}", "kind", match_names[m->kind]);

	for (uint32_t i = 0; i < m->nunless; i++)
		json_array_append_new(unless, json_integer(m->unless[i]->index));
	json_object_set_new(j, "states", names_json(am->state_names[own], am->machines[own].nstates));
	json_object_set_new(j, "steps", steps_json(m));
	json_object_set_new(j, "unless", unless);
	if (m->kind == MATCH_LIFECYCLE)
		json_object_set_new(j, "detect", detect_json(m));
	return j;
}

static json_t *machines_json(const struct automata *am)
{
	json_t *machines = json_array();

	for (uint32_t i = 0; i < am->nmachines; i++) {
		const struct df_machine *m = &am->machines[i];

		json_array_append_new(machines,
				      json_pack("{s:s*, s:s*, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "tier", am->tiers[i],
						"name", am->names[i], "table",
						(int)i + 1, "rule", (int)m->rule, "first_state", (int)m->first_state,
						"slots", (int)m->slots, "last", (int)m->last, "pins",
						(int)m->pins, "states",
						names_json(am->state_names[i], m->nstates)));
	}
	return machines;
}

static json_t *key_json(const struct rule *r)
{
	json_t *key = json_array();

	for (uint32_t e = 0; e < r->nevents; e++) {
		if (!r->events[e].nkey)
			continue;
		for (uint32_t i = 0; i < r->events[e].nkey; i++) {
			const struct expr *part = r->events[e].key[i];
			bool is_ptr = part->type->kind == TYPE_PTR;

			json_array_append_new(key, json_pack("{s:s, s:o}", "type",
							     is_ptr			? "ptr" :
							     part->type->is_signed ? "int" :
										     "uint",
							     "text", span_json(part->span)));
		}
		break;
	}
	return key;
}

static json_t *action_json(const struct action *act)
{
	json_t *j = json_pack("{s:s}", "act", act_names[act->kind]);

	switch (act->kind) {
	case ACTION_SIGNAL:
		json_object_set_new(j, "signal", json_integer(act->signal));
		break;
	case ACTION_SET_FLAG:
		json_object_set_new(j, "flag", json_integer(act->flag));
		json_object_set_new(j, "name", json_string(act->message));
		json_object_set_new(j, "value", u64_json(act->value));
		break;
	case ACTION_STOP:
		break;
	default:
		json_object_set_new(j, "message", text_json(act->message));
	}
	return j;
}

static json_t *rule_json(const struct automata *am, const struct rule *r)
{
	json_t *tags = json_array(), *actions = json_array();
	json_t *j = json_pack("{s:s, s:o, s:o, s:o}", "name", r->name, "about", text_json(r->about), "file",
			      text_json(r->span.src ? r->span.src->name : NULL), "source", span_json(r->span));

	for (uint32_t i = 0; i < r->ntags; i++)
		json_array_append_new(tags, text_json(r->tags[i]));
	for (uint32_t i = 0; i < r->nactions; i++)
		json_array_append_new(actions, action_json(&r->actions[i]));
	json_object_set_new(j, "tags", tags);
	json_object_set_new(j, "table", json_integer(am->rule_machine[r->index] + 1));
	json_object_set_new(j, "last", json_integer(r->context_last));
	json_object_set_new(j, "pins", json_integer(rule_pins(r)));
	json_object_set_new(j, "keys", json_integer(r->context_keys));
	json_object_set_new(j, "every", json_integer((json_int_t)r->match.every));
	json_object_set_new(j, "cooldown_ns", u64_json(r->match.cooldown_ns));
	json_object_set_new(j, "key", key_json(r));
	json_object_set_new(j, "match", match_json(am, r));
	json_object_set_new(j, "actions", actions);
	json_object_set_new(j, "first_flag", json_integer(r->first_flag));
	json_object_set_new(j, "nflags", json_integer(r->nflags));
	json_object_set_new(j, "guard",
			    json_pack("{s:s, s:I, s:o, s:o}", "kdump",
				      r->guard.kdump_tested   ? "tested" :
				      r->guard.kdump_required ? "required" :
								"optional",
				      "max_panics", (json_int_t)r->guard.max_panics, "per_ns",
				      u64_json(r->guard.per_ns), "after_ns", u64_json(r->guard.after_ns)));
	json_object_set_new(j, "on_loss", json_string(loss_names[r->on_loss]));
	return j;
}

static json_t *params_json(const struct rule_set *set)
{
	static const char *const kinds[] = { "int", "duration", "size", "str" };
	json_t *params = json_array();

	for (uint32_t i = 0; i < set->nparams; i++) {
		const struct param *p = set->params[i];

		json_array_append_new(params, json_pack("{s:s, s:i, s:s, s:o}", "name", p->name, "rule", (int)p->rule,
							"kind", kinds[p->kind], "value", u64_json(p->value)));
	}
	return params;
}

/* Bodies, the argument positions they were compiled for, and the instructions that change with them. */
static json_t *bodies_json(const struct code_set *cs, const struct code *codes, uint32_t ncodes)
{
	json_t *bodies = json_array();

	for (uint32_t i = 0; i < cs->nbodies; i++) {
		const struct body *b = &cs->bodies[i];
		json_t *pos = json_array(), *patches = json_array(), *j;

		for (uint32_t k = 0; k < b->event->nargs && b->argpos; k++)
			json_array_append_new(pos, json_integer(b->argpos[k]));
		for (uint32_t c = 0; c < ncodes; c++) {
			for (uint32_t m = 0; m < codes[c].nmarks; m++) {
				const struct mark *mark = &codes[c].marks[m];

				if (mark->kind == MARK_ARG && mark->body == i)
					json_array_append_new(patches, json_pack("{s:s, s:i, s:i}", "func",
										 codes[c].func->name, "insn",
										 (int)mark->insn, "arg",
										 (int)mark->arg_slot));
			}
		}
		j = json_pack("{s:i, s:i, s:i, s:o, s:o}", "hook", (int)b->hook, "number", (int)b->number, "event",
			      (int)b->event->index, "pos", pos, "patches", patches);
		if (hook_kinds[b->hook].direct)
			json_object_set_new(j, "program", json_string(b->func));
		if (b->job == JOB_SAVE)
			json_object_set_new(j, "job", json_string("save"));
		json_array_append_new(bodies, j);
	}
	return bodies;
}

static json_t *hooks_json(struct arena *a, const struct code_set *cs)
{
	json_t *hooks = json_array();

	for (int h = 0; h < HOOKS; h++) {
		const char *program = cs->single[h];

		if (!program && !hook_kinds[h].direct)
			program = arena_printf(a, "df_hook_%s", hook_kinds[h].name);
		json_array_append_new(hooks, json_pack("{s:s, s:o, s:i}", "name", hook_kinds[h].name, "program",
						       text_json(program), "bodies", (int)cs->per_hook[h]));
	}
	return hooks;
}

/* Constants that the target decides (rules/late.h). */
static json_t *lates_json(const struct lates *lates)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < lates->n; i++) {
		const struct late *late = &lates->items[i];

		json_array_append_new(array, json_pack("{s:s, s:o, s:i, s:i, s:i}", "kind", late_kind_name(late->kind),
						       "name", text_json(late->name), "rule", (int)late->rule, "line",
						       (int)span_line(late->span), "word", (int)late->word));
	}
	return array;
}

static json_t *sets_json(const struct rule_set *set)
{
	json_t *sets = json_array();

	for (uint32_t i = 0; i < set->nsets; i++) {
		const struct set *s = set->sets[i];
		json_t *values = json_array();

		for (uint32_t v = 0; v < s->nvalues; v++)
			json_array_append_new(values, u64_json(s->values[v]->value));
		json_array_append_new(sets, json_pack("{s:s, s:o, s:I, s:o}", "name", s->name, "file", text_json(s->file),
						      "max", (json_int_t)s->max, "values", values));
	}
	return sets;
}

int manifest_build(struct arena *a, const struct rule_set *set, const struct set_layout *layout,
		   const struct automata *am, const struct code_set *cs, const struct code *codes, uint32_t ncodes,
		   char **ret, struct err *err)
{
	json_t *rules = json_array(), *events = json_array(), *j;
	char *text;

	for (uint32_t i = 0; i < set->nrules; i++)
		json_array_append_new(rules, rule_json(am, &set->rules[i]));
	for (uint32_t i = 0; i < set->nrules; i++) {
		for (uint32_t k = 0; k < set->rules[i].nevents; k++)
			json_array_append_new(events, event_json(&set->rules[i], &set->rules[i].events[k]));
	}
	for (uint32_t i = 0; i < am->ndeadlines; i++)
		json_array_append_new(events, deadline_json(&set->rules[am->deadline_rule[i]]));
	j = json_pack("{s:i, s:s, s:s, s:i, s:i, s:i, s:i}", "deadfall", 1, "version", DEADFALL_VERSION, "set",
		      set->name, "key_parts", (int)layout->key_parts, "words", (int)layout->words, "slots",
		      (int)am->slots, "nodes", (int)am->nodes);
	json_object_set_new(j, "params", params_json(set));
	json_object_set_new(j, "rules", rules);
	json_object_set_new(j, "events", events);
	json_object_set_new(j, "machines", machines_json(am));
	json_object_set_new(j, "hooks", hooks_json(a, cs));
	json_object_set_new(j, "late", lates_json(&cs->lates));
	json_object_set_new(j, "late_words", json_integer(cs->lates.words));
	json_object_set_new(j, "sets", sets_json(set));
	json_object_set_new(j, "bodies", bodies_json(cs, codes, ncodes));
	text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	json_decref(j);
	if (!text)
		return err_nomem(err);
	*ret = arena_strdup(a, text);
	free(text);
	return 0;
}
