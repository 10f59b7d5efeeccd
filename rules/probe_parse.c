// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/probe.h"

#include <ctype.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/nearest.h"
#include "rules/lex.h"

#define PROBE_TEXT_MAX 4096

static bool is_pattern(const char *s, const char *extra)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("_.*?", *s) && !strchr(extra, *s))
			return false;
	}
	return true;
}

/* "PATTERN -> TYPE": what stands before the arrow. */
static const char *split_returns(struct arena *a, const char *rest, struct probe *p)
{
	const char *arrow = strstr(rest, "->");
	size_t len;

	if (!arrow)
		return rest;
	p->returns = arrow + 2 + strspn(arrow + 2, " ");
	for (len = (size_t)(arrow - rest); len && rest[len - 1] == ' '; len--)
		;
	return arena_strndup(a, rest, len);
}

/* [MODULE:]PATTERN [-> TYPE], where a pattern is a glob, {a*,b*,!c*} or a|b */
static const char *parse_function(struct arena *a, const char *rest, struct probe *p)
{
	const char *colon;

	rest = split_returns(a, rest, p);
	if (p->returns && !*p->returns)
		return "the type is missing";
	colon = strchr(rest, ':');
	if (colon) {
		p->module = arena_strndup(a, rest, (size_t)(colon - rest));
		if (!is_pattern(p->module, "-") || strpbrk(p->module, "*?"))
			return "the module's name is not one";
		rest = colon + 1;
	}
	p->pattern = rest;
	if (strchr(rest, '+'))
		return "offsets into a function are not supported";
	if (*rest == '{' && rest[strlen(rest) - 1] == '}')
		return is_pattern(rest, "{},! []") ? NULL : "a set of functions is written {first*,second*,!not_*}";
	return is_pattern(rest, "|[]!-") ? NULL : "that is no function name or glob";
}

static const char *parse_tracepoint(struct arena *a, const char *rest, struct probe *p)
{
	const char *colon = strchr(rest, ':');

	if (!colon)
		return "the category is missing";
	p->target = arena_strndup(a, rest, (size_t)(colon - rest));
	p->pattern = colon + 1;
	return is_pattern(p->target, "-") && is_pattern(p->pattern, "|-") ? NULL : "that is no name of a tracepoint";
}

static const char *parse_rawtp(struct arena *a, const char *rest, struct probe *p)
{
	(void)a;
	p->pattern = rest;
	return is_pattern(rest, "|-") ? NULL : "that is no name of a tracepoint";
}

/* PATH:FUNCTION; a path may have colons */
static const char *parse_uprobe(struct arena *a, const char *rest, struct probe *p)
{
	const char *colon = strrchr(rest, ':');

	if (!colon || colon == rest)
		return "the path of the binary is missing";
	p->target = arena_strndup(a, rest, (size_t)(colon - rest));
	p->pattern = colon + 1;
	return *p->pattern ? NULL : "the function's name is missing";
}

/* PATH:PROVIDER:NAME */
static const char *parse_usdt(struct arena *a, const char *rest, struct probe *p)
{
	const char *problem = parse_uprobe(a, rest, p), *colon;

	if (problem)
		return "PROVIDER:NAME is missing";
	colon = strrchr(p->target, ':');
	if (!colon || colon == p->target)
		return "the path of the binary is missing";
	p->provider = colon + 1;
	p->target = arena_strndup(a, p->target, (size_t)(colon - p->target));
	return is_pattern(p->provider, "-") && is_pattern(p->pattern, "-") ? NULL :
	       "that is no name of a probe in a binary";
}

/* Where every warning and every oops comes through. */
static const char *parse_kernel(struct arena *a, const char *rest, struct probe *p)
{
	(void)a;
	if (!strcmp(rest, "warn"))
		p->pattern = "__warn";
	else if (!strcmp(rest, "oops"))
		p->pattern = "oops_enter|oops_begin";
	return p->pattern ? NULL : "there are warn and oops";
}

static const char *parse_interval(struct arena *a, const char *rest, struct probe *p)
{
	enum unit unit;

	(void)a;
	if (lex_number(rest, &p->rate, &unit) || unit != UNIT_TIME || p->rate < 1000000)
		return "a duration of at least 1ms is expected";
	return NULL;
}

static const char *parse_profile(struct arena *a, const char *rest, struct probe *p)
{
	size_t len = strlen(rest);
	enum unit unit;

	if (len > 2 && (!strcmp(rest + len - 2, "hz") || !strcmp(rest + len - 2, "Hz")))
		rest = arena_strndup(a, rest, len - 2);
	if (lex_number(rest, &p->rate, &unit) || unit != UNIT_DECIMAL || !p->rate || p->rate > 10000)
		return "a rate from 1hz to 10000hz is expected";
	return NULL;
}

const struct probe_kind_info probe_kinds[] = {
	{ "kprobe", PROBE_KPROBE, PROBE_FUNCTION, "kprobe:FUNCTION", parse_function },
	{ "kretprobe", PROBE_KRETPROBE, PROBE_FUNCTION | PROBE_AT_RETURN, "kretprobe:FUNCTION", parse_function },
	{ "session", PROBE_SESSION, PROBE_FUNCTION | PROBE_AT_RETURN, "session:FUNCTION", parse_function },
	{ "fentry", PROBE_FENTRY, PROBE_FUNCTION | PROBE_TRACING, "fentry:FUNCTION", parse_function },
	{ "fexit", PROBE_FEXIT, PROBE_FUNCTION | PROBE_TRACING | PROBE_AT_RETURN, "fexit:FUNCTION", parse_function },
	{ "tracepoint", PROBE_TRACEPOINT, PROBE_RECORD | PROBE_TRACE, "tracepoint:CATEGORY:NAME", parse_tracepoint },
	{ "rawtp", PROBE_RAWTP, PROBE_TRACING | PROBE_TRACE, "rawtp:NAME", parse_rawtp },
	{ "uprobe", PROBE_UPROBE, PROBE_NUMBERED, "uprobe:PATH:FUNCTION", parse_uprobe },
	{ "uretprobe", PROBE_URETPROBE, PROBE_NUMBERED | PROBE_AT_RETURN, "uretprobe:PATH:FUNCTION", parse_uprobe },
	{ "usdt", PROBE_USDT, PROBE_NUMBERED, "usdt:PATH:PROVIDER:NAME", parse_usdt },
	{ "kernel", PROBE_KPROBE, PROBE_FUNCTION, "kernel:warn or kernel:oops", parse_kernel },
	{ "interval", PROBE_INTERVAL, PROBE_NO_CODE, "interval:1s", parse_interval },
	{ "profile", PROBE_PROFILE, PROBE_NO_CODE, "profile:99hz", parse_profile },
	{ 0 }
};

const struct probe_kind_info *probe_info(enum probe_kind kind)
{
	const struct probe_kind_info *i = probe_kinds;

	while (i->name && i->kind != kind)
		i++;
	return i;
}

static void unknown_kind(struct reader *r, const struct node *n, const char *kind)
{
	struct nearest near = nearest_init(kind);
	const char *forms = "";
	struct diag *d;

	for (const struct probe_kind_info *i = probe_kinds; i->name; i++) {
		nearest_offer(&near, i->name);
		forms = arena_printf(r->arena, "%s%s%s", forms, *forms ? ", " : "", i->name);
	}
	d = diag_error(r->diags, TAG_PROBE, node_part(n, 0, (uint32_t)strlen(kind)), "no kind of probe '%s'", kind);
	if (!strchr(n->text, ':'))
		diag_hint(r->diags, d, "a probe is written KIND:PLACE, such as kprobe:%s", kind);
	else if (nearest_best(&near))
		diag_hint(r->diags, d, "did you mean '%s'?", nearest_best(&near));
	else
		diag_hint(r->diags, d, "kinds are: %s", forms);
}

bool probe_parse(struct reader *r, const struct node *n, struct probe *ret)
{
	const struct probe_kind_info *i = probe_kinds;
	const char *text, *colon, *kind, *problem;

	*ret = (struct probe){ .span = n->span };
	if (!read_text(r, n, "'probe'", PROBE_TEXT_MAX, &text))
		return false;
	colon = strchr(text, ':');
	kind = colon ? arena_strndup(r->arena, text, (size_t)(colon - text)) : text;
	while (i->name && strcmp(i->name, kind))
		i++;
	if (!i->name || !colon) {
		unknown_kind(r, n, kind);
		return false;
	}
	ret->kind = i->kind;
	ret->text = text;
	problem = i->parse(r->arena, colon + 1, ret);
	if (problem)
		diag_hint(r->diags, diag_error(r->diags, TAG_PROBE, n->span, "'%s': %s", text, problem),
			  "it is written %s", i->form);
	return !problem;
}
