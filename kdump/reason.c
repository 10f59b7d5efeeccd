// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/reason.h"
#include "lib/buf.h"

#include <string.h>

#define PLACEHOLDER_MAX 128

/* Split "step.name:f" and ask. */
static const char *resolve(const char *text, size_t len, reason_lookup_fn *lookup, void *arg)
{
	char copy[PLACEHOLDER_MAX], *dot, *colon;
	const char *value;
	char format = 0;

	if (len >= sizeof(copy))
		return "?";
	memcpy(copy, text, len);
	copy[len] = '\0';
	colon = strrchr(copy, ':');
	if (colon) {
		*colon = '\0';
		format = colon[1];
	}
	dot = strchr(copy, '.');
	if (dot)
		*dot = '\0';
	value = lookup(arg, dot ? copy : NULL, dot ? dot + 1 : copy, format);
	return value ? value : "?";
}

uint64_t reason_step(const struct mf_rule *rule, const uint64_t *steps, size_t nsteps, const char *step, const char *fired,
		     uint64_t seq)
{
	for (size_t i = 0; i < nsteps && i < rule->nsteps; i++) {
		if (!strcmp(rule->steps[i].label, step) && steps[i])
			return steps[i];
	}
	return !strcmp(rule->match, "automaton") && !strcmp(fired, step) ? seq : 0;
}

const char *reason_format(struct arena *a, const char *message, reason_lookup_fn *lookup, void *arg)
{
	struct buf b = BUF_INIT;
	const char *end, *copy;

	for (const char *s = message; *s; s++) {
		if ((*s == '{' || *s == '}') && s[1] == *s) {
			buf_putc(&b, *s++);
			continue;
		}
		end = *s == '{' ? strchr(s, '}') : NULL;
		if (!end) {
			buf_putc(&b, *s);
			continue;
		}
		buf_puts(&b, resolve(s + 1, (size_t)(end - s - 1), lookup, arg));
		s = end;
	}
	copy = arena_strdup(a, buf_failed(&b) ? message : buf_str(&b));
	buf_deinit(&b);
	return copy;
}
