// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/report_diff.h"
#include "kdump/values.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

static void add(struct report_diff *d, const char *what, const char *a, const char *b)
{
	struct arena *arena = d->a->arena;

	d->items = arena_grow(arena, d->items, d->nitems, sizeof(*d->items));
	d->items[d->nitems++] = (struct diff_item){ .what = what, .a = a, .b = b, .same = !strcmp(a, b) };
}

/* "vfs_read <- ksys_read": functions only; places in them differ between builds. */
static const char *functions(struct arena *a, const struct report_frame *frames, size_t count)
{
	const char *text = "", *name;

	for (size_t i = 0; i < count; i++) {
		name = frames[i].symbol;
		if (!frames[i].tool && !frames[i].guessed)
			text = arena_printf(a, "%s%s%.*s", text, *text ? " <- " : "", (int)strcspn(name, "+"), name);
	}
	return *text ? text : "none";
}

static const struct report_event *fired(const struct report *r)
{
	for (size_t i = r->ncontext; i-- > 0;)
		if (r->context[i].fired)
			return &r->context[i];
	return NULL;
}

/* "alloc, 3 x free, free (b)": kinds of the events, repetitions counted. */
static const char *course(const struct report *r)
{
	const char *text = "";
	size_t n;

	for (size_t i = 0; i < r->ncontext; i += n) {
		const struct report_event *e = &r->context[i];

		for (n = 1; i + n < r->ncontext && !strcmp(e[n].event, e->event) && !e[n].step && !e->step; n++)
			;
		text = arena_printf(r->arena, "%s%s", text, i ? ", " : "");
		if (n > 1)
			text = arena_printf(r->arena, "%s%zu x ", text, n);
		text = arena_printf(r->arena, "%s%s", text, e->event);
		if (e->step && strcmp(e->step, e->event))
			text = arena_printf(r->arena, "%s (%s)", text, e->step);
	}
	return *text ? text : "no events";
}

static const struct report_event *step_event(const struct report *r, const char *step)
{
	for (size_t i = 0; i < r->ncontext; i++)
		if (r->context[i].step && !strcmp(r->context[i].step, step))
			return &r->context[i];
	return NULL;
}

static const char *field_of(const struct report *r, const struct report_event *e, size_t i)
{
	return e && i < e->nfields ? value_format(r->arena, &e->fields[i], 0) : "not there";
}

static const char *comm_of(const struct report_event *e)
{
	return e ? e->task.comm : "not there";
}

/* One step of the match in both: who, from where, with what. */
static void add_step(struct report_diff *d, const struct report_event *x, const struct report_event *y, const char *name)
{
	struct arena *a = d->a->arena;
	const struct report_event *def = x ? x : y;

	add(d, arena_printf(a, "%s: task", name), comm_of(x), comm_of(y));
	add(d, arena_printf(a, "%s: function", name), x && x->func ? x->func : "none", y && y->func ? y->func : "none");
	add(d, arena_printf(a, "%s: stack", name), x ? functions(a, x->kstack, x->nkstack) : "not there",
	    y ? functions(a, y->kstack, y->nkstack) : "not there");
	for (size_t i = 0; i < def->nfields; i++)
		if (def->fields[i].type != VALUE_PTR)
			add(d, arena_printf(a, "%s: %s", name, def->fields[i].name), field_of(d->a, x, i), field_of(d->b, y, i));
}

/* All steps of the match, those that only one has included, and the event that fired. */
static void add_steps(struct report_diff *d)
{
	const struct report_event *x = fired(d->a), *y = fired(d->b);

	for (int side = 0; side < 2; side++) {
		const struct report *r = side ? d->b : d->a, *other = side ? d->a : d->b;

		for (size_t i = 0; i < r->ncontext; i++) {
			const struct report_event *e = &r->context[i], *o;

			o = e->step ? step_event(other, e->step) : NULL;
			if (!e->step || (side && o) || step_event(r, e->step) != e)
				continue;
			add_step(d, side ? o : e, side ? e : o, e->step);
		}
	}
	if ((x && !x->step) || (y && !y->step))
		add_step(d, x, y, "the event that fired");
}

static const char *crash_stack(const struct report *r)
{
	for (size_t i = 0; i < r->nstacks; i++)
		if (!strcmp(r->stacks[i].state, "crashed"))
			return functions(r->arena, r->stacks[i].frames, r->stacks[i].nframes);
	return "not known";
}

static const char *losses(const struct report *r)
{
	const char *text = "";

	for (size_t i = 0; i < r->nlosses; i++)
		if (r->losses[i].is_loss)
			text = arena_printf(r->arena, "%s%s%s: %" PRIu64 " %s", text, *text ? ", " : "", r->losses[i].event,
					    r->losses[i].count, r->losses[i].counter);
	return *text ? text : "none";
}

static const char *value_or(const char *text)
{
	return text && *text ? text : "none";
}

/* The same rule, the same event, the same way into it. */
static bool same_signature(const struct report *a, const struct report *b)
{
	const struct report_event *x = fired(a), *y = fired(b);

	if (!a->match || !b->match || strcmp(a->match->rule, b->match->rule) || strcmp(a->match->event, b->match->event))
		return false;
	return !x || !y || !strcmp(functions(a->arena, x->kstack, x->nkstack), functions(a->arena, y->kstack, y->nkstack));
}

struct report_diff *report_diff(const struct report *a, const struct report *b)
{
	struct report_diff *d = arena_new(a->arena, struct report_diff);

	d->a = a;
	d->b = b;
	d->same_signature = same_signature(a, b);
	add(d, "kernel", value_or(a->release), value_or(b->release));
	add(d, "rule", a->match ? a->match->rule : "none fired", b->match ? b->match->rule : "none fired");
	add(d, "event", a->match ? a->match->event : "none", b->match ? b->match->event : "none");
	add(d, "the rule's text", value_or(a->source), value_or(b->source));
	add(d, "course of events", course(a), course(b));
	add_steps(d);
	add(d, "stack of the crashed task", crash_stack(a), crash_stack(b));
	add(d, "losses", losses(a), losses(b));
	return d;
}

static void put_text(FILE *out, const char *prefix, const char *text)
{
	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		fprintf(out, "    %s %.*s\n", prefix, (int)n, text);
	}
}

void report_diff_print_text(const struct report_diff *d, FILE *out, bool color)
{
	const char *bold = color ? "\033[1m" : "", *red = color ? "\033[31m" : "", *green = color ? "\033[32m" : "";
	const char *off = color ? "\033[0m" : "";
	size_t same = 0;

	fprintf(out, "%s%s%s\n\n  A  %s\n     %s\n  B  %s\n     %s\n", bold,
		d->same_signature ? "The same signature: the same rule fired at the same place" :
				    "Not the same signature", off, d->a->file,
		d->a->match ? d->a->match->reason : "no rule fired", d->b->file,
		d->b->match ? d->b->match->reason : "no rule fired");
	fprintf(out, "\n%sDifferent%s\n", bold, off);
	for (size_t i = 0; i < d->nitems; i++) {
		if (d->items[i].same) {
			same++;
			continue;
		}
		fprintf(out, "  %s\n%s", d->items[i].what, red);
		put_text(out, "A", d->items[i].a);
		fprintf(out, "%s%s", off, green);
		put_text(out, "B", d->items[i].b);
		fputs(off, out);
	}
	if (same == d->nitems)
		fputs("  nothing that was compared\n", out);
	fprintf(out, "\n%sThe same%s\n", bold, off);
	for (size_t i = 0; i < d->nitems; i++)
		if (d->items[i].same)
			fprintf(out, "  %s: %s\n", d->items[i].what, strchr(d->items[i].a, '\n') ? "(the same)" : d->items[i].a);
}

static json_t *string(const char *s)
{
	json_t *j = json_string(s);

	return j ? j : json_string("(not UTF-8)");
}

int report_diff_print_json(const struct report_diff *d, FILE *out, struct err *err)
{
	json_t *same = json_array(), *different = json_array(), *root;
	int rc;

	for (size_t i = 0; i < d->nitems; i++) {
		const struct diff_item *t = &d->items[i];

		if (t->same)
			json_array_append_new(same, json_pack("{s:o, s:o}", "what", string(t->what), "value", string(t->a)));
		else
			json_array_append_new(different, json_pack("{s:o, s:o, s:o}", "what", string(t->what), "a",
								   string(t->a), "b", string(t->b)));
	}
	root = json_pack("{s:o, s:o, s:b, s:o, s:o}", "a", string(d->a->file), "b", string(d->b->file), "same_signature",
			 d->same_signature, "different", different, "same", same);
	rc = root ? json_dumpf(root, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER) : -1;
	json_decref(root);
	if (rc)
		return err_set(err, ERR_NOMEM, "JSON cannot be written");
	fputc('\n', out);
	return 0;
}
