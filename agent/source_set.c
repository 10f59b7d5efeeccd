// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/source_set.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "rules/compile.h"
#include "rules/generate.h"
#include "rules/memory_set.h"

bool source_is_object(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char magic[4] = "";

	return fd >= 0 && read(fd, magic, 4) == 4 && !memcmp(magic, "\177ELF", 4);
}

static int read_object(const char *path, struct buf *out, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	return file_read_fd(fd, out, err) ? err_wrap(err, "%s", path) : 0;
}

/* The rules of a set that waits or not, and group by group. */
static void add_part(struct arena *a, const struct rule_set *set, bool waits, uint32_t group, const bool *waiting,
		     struct source_parts *parts)
{
	struct source_part part = { .rules = arena_array(a, set->nrules + 1, sizeof(*part.rules)) };

	for (uint32_t i = 0; i < set->nrules; i++) {
		const struct rule *r = &set->rules[i];

		if (waiting[r->group] == waits && (!waits || r->group == group))
			part.rules[part.nrules++] = arena_strdup(a, r->name);
	}
	if (!part.nrules)
		return;
	parts->items = arena_grow(a, parts->items, parts->n, sizeof(*parts->items));
	parts->items[parts->n++] = part;
}

static bool rule_waits(const struct rule *r)
{
	for (uint32_t i = 0; i < r->nevents; i++) {
		if (r->events[i].waits)
			return true;
	}
	return false;
}

static void find_parts(struct arena *a, const struct rule_set *set, struct source_parts *ret)
{
	bool *waiting = arena_array(a, set->nrules + 1, sizeof(*waiting)), any = false;

	for (uint32_t i = 0; i < set->nrules; i++) {
		waiting[set->rules[i].group] |= rule_waits(&set->rules[i]);
		any = any || waiting[set->rules[i].group];
	}
	if (!any) {
		ret->items = arena_new(a, struct source_part);
		ret->n = 1;
		return;
	}
	add_part(a, set, false, 0, waiting, ret);
	for (uint32_t g = 0; g < set->nrules; g++) {
		if (waiting[g])
			add_part(a, set, true, g, waiting, ret);
	}
}

/* A compiled set has the types of all modules that its rules name. */
static void refuse_waits(struct diags *diags, const struct rule_set *set)
{
	for (uint32_t i = 0; i < set->nevents; i++) {
		if (set->events[i]->waits)
			diag_hint(diags, diag_error(diags, TAG_NO_MODULE, set->events[i]->span,
						    "the module that this event waits for is not here, and its types are needed"),
				  "load it, or add --btf MODULE.ko; 'deadfall run' takes the rule as it is");
	}
}

static void print_diags(const struct diags *diags, bool json)
{
	if (!json)
		diags_print(diags, stderr, isatty(STDERR_FILENO));
	else if (diags->n)
		diags_print_json(diags, NULL, stderr);
}

static int object_read(struct arena *a, const char *path, struct buf *out, struct source_parts *parts, struct err *err)
{
	struct buf *kept;

	if (read_object(path, out, err))
		return -1;
	if (!parts)
		return 0;
	kept = arena_new(a, struct buf);
	*kept = (struct buf){ .data = arena_alloc(a, out->len + 1), .len = out->len };
	memcpy(kept->data, out->data, out->len);
	*parts = (struct source_parts){ .items = arena_new(a, struct source_part), .n = 1, .object = kept };
	return 0;
}

/* More than the budget is an error of the rules, told with its place. */
static void check_memory(struct arena *a, struct rule_set *set, struct kbtf *kbtf, uint64_t budget, struct diags *diags)
{
	struct memory_spec spec = { .cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF) };
	struct memory memory;

	if (set && budget && !diags->errors)
		memory_of_set(a, set, kbtf, budget, diags, &spec, &memory);
}

int source_set_read(struct arena *a, const struct sources *src, struct kbtf *kbtf, struct buf *out,
		    struct source_parts *parts, struct err *err)
{
	struct diags diags = diags_init(a);
	struct rule_set *set = NULL;
	struct generated gen = { .plain = src->plain };
	struct source **texts;
	uint32_t ntexts;

	if (src->n == 1 && source_is_object(src->files[0]))
		return object_read(a, src->files[0], out, parts, err);
	for (int i = 0; i < src->n; i++) {
		if (source_is_object(src->files[i]))
			return err_set(err, ERR_INVALID, "%s is a compiled set: load it alone", src->files[i]);
	}
	texts = compile_read(a, src->files, src->n, &diags, &ntexts);
	if (compile_sources(a, texts, ntexts, NULL, 0, kbtf, &diags, &set))
		return err_set(err, ERR_INVALID, "the rules cannot be read");
	if (set && !parts)
		refuse_waits(&diags, set);
	if (!diags.errors && set && generate_object(a, set, &diags, &gen, out, err))
		return -1;
	check_memory(a, set, kbtf, src->memory, &diags);
	print_diags(&diags, src->json);
	if (parts && !diags.errors && set) {
		*parts = (struct source_parts){ .json = src->json, .texts = texts, .ntexts = ntexts };
		find_parts(a, set, parts);
	}
	return diags.errors ? 1 : 0;
}

int source_set_part(struct arena *a, const struct source_parts *parts, const struct source_part *part, struct kbtf *kbtf,
		    struct buf *out, struct err *err)
{
	struct diags diags = diags_init(a);
	struct rule_set *set = NULL;
	struct generated gen = { 0 };

	if (parts->object) {
		buf_add(out, parts->object->data, parts->object->len);
		return 0;
	}
	if (compile_sources(a, parts->texts, parts->ntexts, part->rules, part->nrules, kbtf, &diags, &set))
		return err_set(err, ERR_INVALID, "the rules cannot be read");
	if (!diags.errors && set && generate_object(a, set, &diags, &gen, out, err))
		return -1;
	if (diags.errors)
		print_diags(&diags, parts->json);
	return diags.errors ? 1 : 0;
}
