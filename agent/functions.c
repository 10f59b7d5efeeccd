// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/functions.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/features.h"
#include "agent/modwatch.h"
#include "lib/arena.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/nearest.h"

static const char *const tracing_dirs[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

static int compare_names(const void *a, const void *b)
{
	const struct function *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* A line: [ADDRESS ]NAME[ [MODULE]] */
static bool parse_line(char *line, bool with_addrs, struct function *f)
{
	char *end, *bracket;

	*f = (struct function){ 0 };
	if (with_addrs) {
		f->addr = strtoull(line, &end, 16);
		if (end == line || *end != ' ')
			return false;
		line = end + 1;
	}
	bracket = strchr(line, '[');
	if (bracket && bracket > line) {
		f->module = bracket + 1;
		end = strchr(bracket, ']');
		if (end)
			*end = '\0';
	}
	end = line + strcspn(line, " \t");
	*end = '\0';
	f->name = line;
	/* placeholder for code that is gone, e.g. of freed init sections */
	return *line && strncmp(line, "__ftrace_invalid_address", 24) != 0;
}

void functions_parse(struct arena *a, char *text, bool with_addrs, struct functions *ret)
{
	uint32_t lines = 1;
	char *next;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	ret->items = arena_array(a, lines, sizeof(*ret->items));
	ret->n = 0;
	for (char *line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (parse_line(line, with_addrs, &ret->items[ret->n]))
			ret->n++;
	}
	qsort(ret->items, ret->n, sizeof(*ret->items), compare_names);
}

int functions_open(bool with_addrs)
{
	char path[64];
	int fd = -1;

	for (size_t i = 0; i < sizeof(tracing_dirs) / sizeof(tracing_dirs[0]) && fd < 0; i++) {
		snprintf(path, sizeof(path), "%s/available_filter_functions%s", tracing_dirs[i], with_addrs ? "_addrs" : "");
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	return fd;
}

static int read_text(struct arena *a, int fd, char **text, struct err *err)
{
	struct buf b = BUF_INIT;
	int ret = file_read_fd(fd, &b, err);

	if (!ret)
		*text = arena_strndup(a, buf_str(&b), b.len);
	buf_deinit(&b);
	return ret;
}

static int read_symbols(struct arena *a, char **text, struct err *err)
{
	_cleanup_close_ int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "/proc/kallsyms");
	return read_text(a, fd, text, err) ? err_wrap(err, "/proc/kallsyms") : 0;
}

/* Call fn for every text symbol of kallsyms: "ADDRESS TYPE NAME[\t[MODULE]]". The text is changed. */
static void each_symbol(char *text, void (*fn)(uint64_t addr, const char *name, void *arg), void *arg)
{
	char *next, *end;

	for (char *line = text; line && *line; line = next) {
		uint64_t addr = strtoull(line, &end, 16);

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (end == line || strlen(end) < 4 || !strchr("tTwW", end[1]))
			continue;
		end[3 + strcspn(end + 3, "\t ")] = '\0';
		fn(addr, end + 3, arg);
	}
}

static void set_address(uint64_t addr, const char *name, void *arg)
{
	const struct functions *fs = arg;
	struct function key = { .name = name }, *f;

	f = bsearch(&key, fs->items, fs->n, sizeof(*fs->items), compare_names);
	if (f)
		f->addr = addr;
}

struct addresses {
	uint64_t *items;
	size_t n;
};

static void collect_address(uint64_t addr, const char *name, void *arg)
{
	struct addresses *as = arg;

	(void)name;
	as->items[as->n++] = addr;
}

static int compare_addresses(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool is_symbol(const struct addresses *as, uint64_t addr)
{
	return bsearch(&addr, as->items, as->n, sizeof(addr), compare_addresses) != NULL;
}

/* Length of ENDBR64, which stands before the call to ftrace. */
#define ENDBR_SIZE 4

/*
 * The list has the addresses of ftrace's call sites; kprobe_multi takes these too, but looks a function's cookie up
 * by its symbol's address (kernel/trace/bpf_trace.c, get_entry_ip and bpf_kprobe_multi_cookie).
 */
static int use_symbol_addresses(struct arena *a, struct functions *fs, struct err *err)
{
	struct addresses as = { 0 };
	size_t lines = 1;
	char *text;

	if (read_symbols(a, &text, err))
		return -1;
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	as.items = arena_array(a, lines, sizeof(*as.items));
	each_symbol(text, collect_address, &as);
	qsort(as.items, as.n, sizeof(*as.items), compare_addresses);
	for (uint32_t i = 0; i < fs->n; i++) {
		struct function *f = &fs->items[i];

		if (!is_symbol(&as, f->addr) && is_symbol(&as, f->addr - ENDBR_SIZE))
			f->addr -= ENDBR_SIZE;
	}
	return 0;
}

static int add_addresses(struct arena *a, struct functions *fs, struct err *err)
{
	char *text;

	if (read_symbols(a, &text, err))
		return -1;
	each_symbol(text, set_address, fs);
	return 0;
}

#define LOADING_MAX 16

static bool is_init(const struct function *f, const struct loading_module *loading, uint32_t n)
{
	for (uint32_t i = 0; i < n && f->module; i++) {
		if (!strcmp(f->module, loading[i].name) && f->addr >= loading[i].init_begin && f->addr < loading[i].init_end)
			return true;
	}
	return false;
}

/* The init functions of modules that are just being loaded are gone in a moment, and others may get their addresses. */
static void drop_init_functions(struct functions *fs)
{
	struct loading_module loading[LOADING_MAX];
	uint32_t nloading = modules_loading(loading, LOADING_MAX), n = 0;

	for (uint32_t i = 0; i < fs->n && nloading; i++) {
		if (!is_init(&fs->items[i], loading, nloading))
			fs->items[n++] = fs->items[i];
	}
	if (nloading)
		fs->n = n;
}

int functions_read(struct arena *a, struct functions *ret, struct err *err)
{
	bool with_addrs = feature_has(FEATURE_ADDRESSES);
	_cleanup_close_ int fd = functions_open(with_addrs);
	char *text;

	if (fd < 0)
		return err_set(err, ERR_ENVIRONMENT,
			       "cannot list the kernel's functions: mount the tracing file system "
			       "(mount -t tracefs tracefs /sys/kernel/tracing) and run as root");
	if (read_text(a, fd, &text, err))
		return err_wrap(err, "available_filter_functions");
	functions_parse(a, text, with_addrs, ret);
	if (with_addrs ? use_symbol_addresses(a, ret, err) : add_addresses(a, ret, err))
		return -1;
	drop_init_functions(ret);
	return 0;
}

/* Call fn for the matches of one glob; first limits the search where the glob is a plain name. */
static uint32_t match_glob(const struct functions *fs, const char *module, const char *glob,
			   bool (*wanted)(const struct function *f, void *arg), void *warg,
			   void (*fn)(const struct function *f, void *arg), void *arg)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < fs->n; i++) {
		const struct function *f = &fs->items[i];

		if (module && strcmp(f->module ? f->module : "vmlinux", module) != 0)
			continue;
		if (fnmatch(glob, f->name, 0) || (wanted && !wanted(f, warg)))
			continue;
		fn(f, arg);
		n++;
	}
	return n;
}

#define PARTS_MAX 64

struct parts {
	char text[1024];
	const char *take[PARTS_MAX], *leave[PARTS_MAX];
	uint32_t ntake, nleave, at;
};

/* Left out, or found already by an earlier part. */
static bool part_wanted(const struct function *f, void *arg)
{
	const struct parts *p = arg;

	for (uint32_t i = 0; i < p->nleave; i++) {
		if (!fnmatch(p->leave[i], f->name, 0))
			return false;
	}
	for (uint32_t i = 0; i < p->at; i++) {
		if (!fnmatch(p->take[i], f->name, 0))
			return false;
	}
	return true;
}

static uint32_t match_braces(const struct functions *fs, const char *module, const char *pattern,
			     void (*fn)(const struct function *f, void *arg), void *arg)
{
	struct parts p = { 0 };
	char *save, *part;
	uint32_t n = 0;

	strncpy(p.text, pattern + 1, sizeof(p.text) - 1);
	p.text[strcspn(p.text, "}")] = '\0';
	for (part = strtok_r(p.text, ", ", &save); part; part = strtok_r(NULL, ", ", &save)) {
		if (*part == '!' && p.nleave < PARTS_MAX)
			p.leave[p.nleave++] = part + 1;
		else if (p.ntake < PARTS_MAX)
			p.take[p.ntake++] = part;
	}
	for (p.at = 0; p.at < p.ntake; p.at++)
		n += match_glob(fs, module, p.take[p.at], part_wanted, &p, fn, arg);
	return n;
}

uint32_t functions_match(const struct functions *fs, const char *module, const char *pattern,
			 void (*fn)(const struct function *f, void *arg), void *arg)
{
	char text[1024], *save, *alt;
	uint32_t n = 0;

	if (*pattern == '{')
		return match_braces(fs, module, pattern, fn, arg);
	if (!strchr(pattern, '|'))
		return match_glob(fs, module, pattern, NULL, NULL, fn, arg);
	strncpy(text, pattern, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (alt = strtok_r(text, "|", &save); alt && !n; alt = strtok_r(NULL, "|", &save))
		n = match_glob(fs, module, alt, NULL, NULL, fn, arg);
	return n;
}

const char *functions_nearest(const struct functions *fs, const char *name)
{
	struct nearest n = nearest_init(name);

	for (uint32_t i = 0; i < fs->n; i++)
		nearest_offer(&n, fs->items[i].name);
	return nearest_best(&n);
}
