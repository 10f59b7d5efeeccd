// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/diag.h"

#include <stdarg.h>
#include <string.h>

#include "lib/arena.h"

static const char *const tag_names[] = {
#define DIAG_TAG(id, name, about) [TAG_##id] = name,
#include "rules/diag_tags.h"
#undef DIAG_TAG
};

const char *diag_tag_name(enum diag_tag tag)
{
	return tag_names[tag];
}

struct diags diags_init(struct arena *a)
{
	return (struct diags){ .arena = a };
}

static struct diag *diag_find_same(struct diags *d, enum diag_tag tag, struct span span, const char *message)
{
	for (uint32_t i = 0; i < d->n; i++) {
		struct diag *o = d->items[i];

		if (o->tag == tag && o->span.src == span.src && o->span.off == span.off &&
		    !strcmp(o->message, message))
			return o;
	}
	return NULL;
}

/* The same thing is said once: an expression may be checked for each of many functions. */
static struct diag *diag_add(struct diags *d, enum diag_severity severity, enum diag_tag tag, struct span span,
			     const char *fmt, va_list ap)
{
	struct diag *diag;
	char *message;

	if (d->quiet)
		return &d->dropped;
	if (d->n >= DIAGS_MAX) {
		d->errors += severity == DIAG_ERROR;
		return &d->dropped;
	}
	message = arena_vprintf(d->arena, fmt, ap);
	diag = diag_find_same(d, tag, span, message);
	if (diag)
		return &d->dropped;
	diag = arena_new(d->arena, struct diag);
	diag->severity = severity;
	diag->tag = tag;
	diag->span = span;
	diag->message = message;
	d->items = arena_grow(d->arena, d->items, d->n, sizeof(struct diag *));
	d->items[d->n++] = diag;
	d->errors += severity == DIAG_ERROR;
	return diag;
}

struct diag *diag_error(struct diags *d, enum diag_tag tag, struct span span, const char *fmt, ...)
{
	struct diag *diag;
	va_list ap;

	va_start(ap, fmt);
	diag = diag_add(d, DIAG_ERROR, tag, span, fmt, ap);
	va_end(ap);
	return diag;
}

struct diag *diag_warn(struct diags *d, enum diag_tag tag, struct span span, const char *fmt, ...)
{
	struct diag *diag;
	va_list ap;

	va_start(ap, fmt);
	diag = diag_add(d, DIAG_WARNING, tag, span, fmt, ap);
	va_end(ap);
	return diag;
}

struct diag *diag_note(struct diags *d, enum diag_tag tag, struct span span, const char *fmt, ...)
{
	struct diag *diag;
	va_list ap;

	va_start(ap, fmt);
	diag = diag_add(d, DIAG_NOTE, tag, span, fmt, ap);
	va_end(ap);
	return diag;
}

void diag_hint(struct diags *d, struct diag *diag, const char *fmt, ...)
{
	va_list ap;

	if (diag == &d->dropped)
		return;
	va_start(ap, fmt);
	diag->hint = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
}

void diag_also(struct diags *d, struct diag *diag, struct span span, const char *fmt, ...)
{
	va_list ap;

	if (diag == &d->dropped)
		return;
	va_start(ap, fmt);
	diag->also = span;
	diag->also_text = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
}
