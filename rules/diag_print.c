// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * diag_print.c - diagnostics for people (text with the line and a caret) and for editors (JSON).
 */
#include "rules/diag.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"

static const char *const severity_names[] = {
	[DIAG_ERROR] = "error", [DIAG_WARNING] = "warning", [DIAG_NOTE] = "note",
};

/* Files in the order in which they were first spoken of, places in their order; without a place: first. */
static int source_rank(const struct diags *d, const struct source *src)
{
	for (uint32_t i = 0; src && i < d->n; i++) {
		if (d->items[i]->span.src == src)
			return (int)i;
	}
	return -1;
}

static bool diag_before(const struct diags *d, const struct diag *a, const struct diag *b)
{
	if (a->span.src != b->span.src)
		return source_rank(d, a->span.src) < source_rank(d, b->span.src);
	return a->span.src && a->span.off < b->span.off;
}

/* Insertion sort: stable, and there are at most DIAGS_MAX. */
static struct diag **diags_sorted(const struct diags *d)
{
	struct diag **v = arena_array(d->arena, d->n + 1, sizeof(*v));

	for (uint32_t i = 0; i < d->n; i++) {
		uint32_t j = i;

		for (; j > 0 && diag_before(d, d->items[i], v[j - 1]); j--)
			v[j] = v[j - 1];
		v[j] = d->items[i];
	}
	return v;
}

/* Longer lines are cut around the place. */
#define LINE_SHOWN 160

/* The line, and a caret below it under the first byte of the span; tabs stay tabs so that both line up. */
static void print_excerpt(const struct diags *d, struct span span, FILE *out, const char *color, const char *reset)
{
	uint32_t line, col, from = 0, end, width;
	char *text;

	source_position(span.src, span.off, &line, &col);
	text = source_line(d->arena, span.src, line);
	end = (uint32_t)strlen(text);
	col = col - 1 > end ? end : col - 1;
	if (end > LINE_SHOWN) {
		from = col > LINE_SHOWN / 2 ? col - LINE_SHOWN / 2 : 0;
		while (from > 0 && (text[from] & 0xc0) == 0x80)
			from--;
		if (end - from > LINE_SHOWN)
			end = from + LINE_SHOWN;
		while (end < strlen(text) && (text[end] & 0xc0) == 0x80)
			end++;
	}
	fprintf(out, "%5u | %.*s\n      | ", line, (int)(end - from), text + from);
	for (uint32_t i = from; i < col; i++) {
		if ((text[i] & 0xc0) != 0x80)
			fputc(text[i] == '\t' ? '\t' : ' ', out);
	}
	width = 1;
	for (uint32_t i = col + 1; i < col + span.len && i < end; i++)
		width += (text[i] & 0xc0) != 0x80;
	fputs(color, out);
	for (uint32_t i = 0; i < width; i++)
		fputc('^', out);
	fprintf(out, "%s\n", reset);
}

static void print_place(struct span span, FILE *out)
{
	uint32_t line, col;

	if (!span.src)
		return;
	source_position(span.src, span.off, &line, &col);
	fprintf(out, "%s:%u:%u: ", span.src->name, line, col);
}

static void print_one(const struct diags *d, const struct diag *diag, FILE *out, bool color)
{
	static const char *const colors[] = { "\033[1;31m", "\033[1;35m", "\033[1;36m" };
	const char *on = color ? colors[diag->severity] : "", *off = color ? "\033[0m" : "";

	print_place(diag->span, out);
	fprintf(out, "%s%s[%s]:%s %s\n", on, severity_names[diag->severity], diag_tag_name(diag->tag), off, diag->message);
	if (diag->span.src)
		print_excerpt(d, diag->span, out, on, off);
	if (diag->also_text) {
		fprintf(out, "      = ");
		print_place(diag->also, out);
		fprintf(out, "%s\n", diag->also_text);
	}
	if (diag->hint)
		fprintf(out, "      = hint: %s\n", diag->hint);
}

void diags_print(const struct diags *d, FILE *out, bool color)
{
	struct diag **v = diags_sorted(d);

	for (uint32_t i = 0; i < d->n; i++)
		print_one(d, v[i], out, color);
	if (d->n >= DIAGS_MAX)
		fprintf(out, "more than %d diagnostics: the rest is not shown\n", DIAGS_MAX);
}

/* Messages quote the rule; JSON wants valid UTF-8. */
static json_t *json_text(const char *s)
{
	json_t *v = json_string(s);
	char *copy;

	if (v)
		return v;
	copy = strdup(s);
	for (char *p = copy; p && *p; p++)
		*p = *p & 0x80 ? '?' : *p;
	v = copy ? json_string(copy) : NULL;
	free(copy);
	return v;
}

static json_t *json_span(struct span span)
{
	uint32_t line, col, end_line, end_col;

	if (!span.src)
		return json_object();
	source_position(span.src, span.off, &line, &col);
	source_position(span.src, span.off + span.len, &end_line, &end_col);
	return json_pack("{s:o, s:i, s:i, s:i, s:i}", "file", json_text(span.src->name), "line", (int)line,
			 "column", (int)col, "end_line", (int)end_line, "end_column", (int)end_col);
}

static json_t *json_diag(const struct diag *diag)
{
	json_t *o = json_span(diag->span), *also;

	json_object_set_new(o, "severity", json_string(severity_names[diag->severity]));
	json_object_set_new(o, "tag", json_string(diag_tag_name(diag->tag)));
	json_object_set_new(o, "message", json_text(diag->message));
	if (diag->hint)
		json_object_set_new(o, "hint", json_text(diag->hint));
	if (diag->also_text) {
		also = json_span(diag->also);
		json_object_set_new(also, "message", json_text(diag->also_text));
		json_object_set_new(o, "also", also);
	}
	return o;
}

void diags_print_json(const struct diags *d, json_t *more, FILE *out)
{
	struct diag **v = diags_sorted(d);
	json_t *list = json_array();

	for (uint32_t i = 0; i < d->n; i++)
		json_array_append_new(list, json_diag(v[i]));
	if (more)
		json_array_append_new(list, more);
	json_dumpf(list, out, JSON_INDENT(1));
	fputc('\n', out);
	json_decref(list);
}
