// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/late.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "agent/members.h"
#include "agent/symbols.h"
#include "lib/arena.h"
#include "rules/late.h"

struct resolver {
	struct arena *a;
	const struct set_info *info;
	struct symbols syms;
	char *config;		/* NULL: not read yet */
	uint64_t *words;
	struct err *err;
};

static bool is_kind(const struct info_late *late, enum late_kind kind)
{
	return !strcmp(late->kind, late_kind_name(kind));
}

static int fail(struct resolver *r, const struct info_late *late, enum err_code code, const char *text)
{
	return err_set(r->err, code, "line %u of rule '%s': %s", late->line, r->info->rules[late->rule].name, text);
}

static int need_symbols(struct resolver *r)
{
	return r->syms.n ? 0 : symbols_read(r->a, &r->syms, r->err);
}

/* A rule that asks exists(name) goes on without it. */
static bool leave_out(const struct resolver *r, const char *name)
{
	for (uint32_t i = 0; i < r->info->nlates; i++) {
		if (is_kind(&r->info->lates[i], LATE_FUNC) && !strcmp(r->info->lates[i].name, name))
			return true;
	}
	return false;
}

static int resolve_symbol(struct resolver *r, const struct info_late *late)
{
	uint64_t addr = 0;
	uint32_t n = 0;

	if (need_symbols(r))
		return -1;
	for (uint32_t i = 0; i < r->syms.n; i++) {
		if (strcmp(r->syms.items[i].name, late->name) || (n && r->syms.items[i].addr == addr))
			continue;
		addr = r->syms.items[i].addr;
		n++;
	}
	if (n > 1)
		return fail(r, late, ERR_ABSENT,
			    arena_printf(r->a, "this kernel has %u symbols '%s': which one is meant cannot be said", n,
					 late->name));
	if (!n && !leave_out(r, late->name))
		return fail(r, late, ERR_ABSENT,
			    arena_printf(r->a, "this kernel has no symbol '%s' (of a module that is not loaded?); "
					       "exists(%s) && ... goes on without it", late->name, late->name));
	r->words[late->word] = addr;
	return 0;
}

static int resolve_func(struct resolver *r, const struct info_late *late)
{
	if (need_symbols(r))
		return -1;
	for (uint32_t i = 0; i < r->syms.n; i++) {
		if (symbol_is_code(&r->syms.items[i]) && !strcmp(r->syms.items[i].name, late->name))
			r->words[late->word] = 1;
	}
	return 0;
}

/* The compiler splits functions: NAME.cold, NAME.part.0, NAME.isra.0.cold, NAME.constprop.0 */
static bool is_part_of(const char *symbol, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(symbol, name, len) && (!symbol[len] || symbol[len] == '.');
}

/* Module names in rules may have '-' where the kernel has '_'. */
static bool is_module(const char *module, const char *name, size_t len)
{
	if (!module || strlen(module) != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (module[i] != (name[i] == '-' ? '_' : name[i]))
			return false;
	}
	return true;
}

/* Is this symbol's code meant by FUNCTION, MODULE:FUNCTION, MODULE:*? */
static bool is_meant(const struct symbol *s, const char *name)
{
	const char *colon = strchr(name, ':');

	if (!symbol_is_code(s) || (colon && !is_module(s->module, name, (size_t)(colon - name))))
		return false;
	return colon && !strcmp(colon, ":*") ? true : is_part_of(s->name, colon ? colon + 1 : name);
}

/* A symbol's code into the ranges, which are in order: of other names, behind the last one, or a new one. */
static bool add_code(uint64_t *code, uint64_t begin, uint64_t end)
{
	uint64_t *last = &code[2 * code[0]];

	if (code[0] && begin <= *last) {
		*last = end > *last ? end : *last;
		return true;
	}
	if (code[0] == LATE_CODE_RANGES)
		return false;
	code[0]++;
	last[1] = begin;
	last[2] = end;
	return true;
}

static int resolve_code(struct resolver *r, const struct info_late *late)
{
	uint64_t *code = &r->words[late->word];

	if (need_symbols(r))
		return -1;
	for (uint32_t i = 0; i < r->syms.n; i++) {
		const struct symbol *s = &r->syms.items[i];

		if (is_meant(s, late->name) && !add_code(code, s->addr, symbol_end(&r->syms, s)))
			return fail(r, late, ERR_UNSUPPORTED,
				    arena_printf(r->a, "this kernel has more than %u functions '%s'", LATE_CODE_RANGES,
						 late->name));
	}
	if (!code[0] && !leave_out(r, late->name))
		return fail(r, late, ERR_ABSENT,
			    arena_printf(r->a, "this kernel has no code called '%s' (of a module that is not loaded?)",
					 late->name));
	return 0;
}

static char *read_gzip(struct arena *a, const char *path)
{
	gzFile f = gzopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	int n = 1;

	while (f && n > 0 && size < 1 << 22) {
		char *more = arena_alloc(a, size + (1 << 16) + 1);

		if (size)
			memcpy(more, text, size);
		n = gzread(f, more + size, 1 << 16);
		text = more;
		size += n > 0 ? (size_t)n : 0;
	}
	if (f)
		gzclose(f);
	return size ? text : NULL;
}

static int need_config(struct resolver *r, const struct info_late *late)
{
	static const char *const places[] = { "/boot/config-%s", "/lib/modules/%s/config", "/lib/modules/%s/build/.config" };
	struct utsname uts;

	if (r->config)
		return 0;
	uname(&uts);
	r->config = read_gzip(r->a, "/proc/config.gz");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !r->config; i++) {
		char path[256];

		snprintf(path, sizeof(path), places[i], uts.release);
		r->config = read_gzip(r->a, path);
	}
	if (r->config)
		return 0;
	return fail(r, late, ERR_ENVIRONMENT,
		    arena_printf(r->a, "%s: the kernel's configuration is in neither /proc/config.gz nor /boot/config-%s",
				 late->name, uts.release));
}

static int resolve_kconfig(struct resolver *r, const struct info_late *late)
{
	size_t len = strlen(late->name);

	if (need_config(r, late))
		return -1;
	for (const char *line = r->config; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, late->name, len) && line[len] == '=')
			r->words[late->word] = line[len + 1] != 'n' && line[len + 1] != '0';
	}
	return 0;
}

/*
 * KERNEL_VERSION(): of Debian's kernels the release is that of the ABI ("6.1.0-56-amd64"), the version is in the
 * banner.
 */
static uint64_t kernel_version(void)
{
	unsigned int major = 0, minor = 0, patch = 0;
	const char *debian;
	struct utsname uts;

	uname(&uts);
	debian = strstr(uts.version, "Debian ");
	if (!debian || sscanf(debian, "Debian %u.%u.%u", &major, &minor, &patch) < 2)
		sscanf(uts.release, "%u.%u.%u", &major, &minor, &patch);
	return ((uint64_t)major << 16) + (minor << 8) + (patch > 255 ? 255 : patch);
}

int late_resolve(struct arena *a, const struct set_info *info, uint64_t **ret, struct err *err)
{
	struct resolver r = { .a = a, .info = info, .err = err };
	int failed = 0;

	r.words = arena_array(a, info->late_words + 1, sizeof(*r.words));
	for (uint32_t i = 0; i < info->nlates && !failed; i++) {
		const struct info_late *late = &info->lates[i];

		if (is_kind(late, LATE_SYMBOL))
			failed = resolve_symbol(&r, late);
		else if (is_kind(late, LATE_FUNC))
			failed = resolve_func(&r, late);
		else if (is_kind(late, LATE_CODE))
			failed = resolve_code(&r, late);
		else if (is_kind(late, LATE_KCONFIG))
			failed = resolve_kconfig(&r, late);
		else if (is_kind(late, LATE_VERSION))
			r.words[late->word] = kernel_version();
		else if (is_kind(late, LATE_FILTERED))
			r.words[late->word] = members_filtered(info, (uint32_t)strtoul(late->name, NULL, 10));
		else
			failed = err_set(err, ERR_UNSUPPORTED, "the set was compiled by a later version of deadfall");
	}
	*ret = r.words;
	return failed;
}
