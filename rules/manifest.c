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

static const char *const act_names[] = { "panic", "log", "signal", "stop" };
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

static json_t *field_json(const struct field *f)
{
	uint32_t size = f->expr->type->size;

	if (field_is_string(f))
		size = f->words * 8 < size || !size ? f->words * 8 : size;
	else if (!size || size > 8)
		size = 8;
	return json_pack("{s:s, s:s, s:i, s:i}", "name", f->name, "type", type_name(f), "size", (int)size, "word",
			 (int)f->word);
}

static json_t *probe_json(const struct probe *p)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "kind", probe_names[p->kind], "text",
			 text_json(p->text), "pattern", text_json(p->pattern), "module", text_json(p->module), "target",
			 text_json(p->target), "provider", text_json(p->provider), "rate", (json_int_t)p->rate);
}

static json_t *event_json(const struct rule *r, const struct event *e)
{
	json_t *fields = json_array(), *probes = json_array(), *flags = json_array(), *args = json_array();
	json_t *j = json_pack("{s:s, s:i, s:i}", "name", e->name, "rule", (int)r->index, "line",
			      (int)span_line(e->span));

	for (uint32_t i = 0; i < e->nfields; i++)
		json_array_append_new(fields, field_json(&e->fields[i]));
	for (uint32_t i = 0; i < e->nprobes; i++)
		json_array_append_new(probes, probe_json(&e->probes[i]));
	for (uint32_t i = 0; i < e->nargs; i++)
		json_array_append_new(args, json_pack("{s:o, s:i}", "name", text_json(e->args[i].name), "number",
						      (int)e->args[i].number));
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
	json_object_set_new(j, "probes", probes);
	json_object_set_new(j, "flags", flags);
	json_object_set_new(j, "args", args);
	json_object_set_new(j, "fields", fields);
	if (event_mask_word(e) != PAYLOAD_NO_MASK)
		json_object_set_new(j, "mask", json_integer(event_mask_word(e)));
	if (e->kstack_depth)
		json_object_set_new(j, "kstack",
				    json_pack("{s:i, s:i}", "word", (int)e->kstack_word, "depth", (int)e->kstack_depth));
	return j;
}

static json_t *match_json(struct arena *a, const struct rule_set *set, const struct rule *r)
{
	const struct match *m = &r->match;
	struct automaton *automaton = automaton_build(a, r);
	json_t *steps = json_array(), *unless = json_array(), *states = json_array();
	json_t *j = json_pack("{s:s}", "kind", match_names[m->kind]);

	for (uint32_t i = 0; i < m->nsteps; i++)
		json_array_append_new(steps, json_pack("{s:s, s:i}", "label", m->steps[i].label, "event",
						       (int)m->steps[i].event->index));
	for (uint32_t i = 0; i < m->nunless; i++)
		json_array_append_new(unless, json_integer(m->unless[i]->index));
	for (uint32_t i = 0; i < automaton->nstates; i++)
		json_array_append_new(states, json_string(automaton->state_names[i]));
	json_object_set_new(j, "states", states);
	json_object_set_new(j, "steps", steps);
	json_object_set_new(j, "unless", unless);
	if (m->within)
		json_object_set_new(j, "window",
				    json_integer(m->within->op == EXPR_PARAM ? m->within->index :
									       set->nparams + r->index));
	return j;
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

static json_t *rule_json(struct arena *a, const struct rule_set *set, const struct rule *r)
{
	json_t *tags = json_array(), *actions = json_array();
	json_t *j = json_pack("{s:s, s:o, s:o, s:o}", "name", r->name, "about", text_json(r->about), "file",
			      text_json(r->span.src ? r->span.src->name : NULL), "source", span_json(r->span));

	for (uint32_t i = 0; i < r->ntags; i++)
		json_array_append_new(tags, text_json(r->tags[i]));
	for (uint32_t i = 0; i < r->nactions; i++)
		json_array_append_new(actions, json_pack("{s:s, s:o}", "act", act_names[r->actions[i].kind], "message",
							 text_json(r->actions[i].message)));
	json_object_set_new(j, "tags", tags);
	json_object_set_new(j, "table", json_integer(r->index + 1));
	json_object_set_new(j, "last", json_integer(r->context_last));
	json_object_set_new(j, "pins", json_integer(rule_pins(r)));
	json_object_set_new(j, "keys", json_integer(r->context_keys));
	json_object_set_new(j, "slots", json_integer(rule_slots(r)));
	json_object_set_new(j, "key", key_json(r));
	json_object_set_new(j, "match", match_json(a, set, r));
	json_object_set_new(j, "actions", actions);
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
		json_t *pos = json_array(), *patches = json_array();

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
		json_array_append_new(bodies, json_pack("{s:i, s:i, s:i, s:o, s:o}", "hook", (int)b->hook, "number",
							(int)b->number, "event", (int)b->event->index, "pos", pos,
							"patches", patches));
	}
	return bodies;
}

static json_t *hooks_json(struct arena *a, const struct code_set *cs)
{
	json_t *hooks = json_array();

	for (int h = 0; h < HOOKS; h++) {
		const char *program = cs->single[h];

		if (!program)
			program = arena_printf(a, "df_hook_%s", hook_kinds[h].name);
		json_array_append_new(hooks, json_pack("{s:s, s:s, s:i}", "name", hook_kinds[h].name, "program",
						       program, "bodies", (int)cs->per_hook[h]));
	}
	return hooks;
}

int manifest_build(struct arena *a, const struct rule_set *set, const struct set_layout *layout,
		   const struct code_set *cs, const struct code *codes, uint32_t ncodes, char **ret, struct err *err)
{
	json_t *rules = json_array(), *events = json_array(), *j;
	char *text;

	for (uint32_t i = 0; i < set->nrules; i++)
		json_array_append_new(rules, rule_json(a, set, &set->rules[i]));
	for (uint32_t i = 0; i < set->nrules; i++) {
		for (uint32_t k = 0; k < set->rules[i].nevents; k++)
			json_array_append_new(events, event_json(&set->rules[i], &set->rules[i].events[k]));
	}
	j = json_pack("{s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:o}", "deadfall", 1, "version", DEADFALL_VERSION, "set",
		      set->name, "key_parts", (int)layout->key_parts, "words", (int)layout->words, "slots",
		      (int)layout->slots, "nodes", (int)layout->nodes, "bytes", u64_json(layout->bytes));
	json_object_set_new(j, "params", params_json(set));
	json_object_set_new(j, "rules", rules);
	json_object_set_new(j, "events", events);
	json_object_set_new(j, "hooks", hooks_json(a, cs));
	json_object_set_new(j, "bodies", bodies_json(cs, codes, ncodes));
	text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	json_decref(j);
	if (!text)
		return err_nomem(err);
	*ret = arena_strdup(a, text);
	free(text);
	return 0;
}
