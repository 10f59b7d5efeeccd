// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report_kept.c - what events keep beside fields and kernel stack (docs/manifest.md): the user stack as build-ids and
 * offsets, and the CPU's last branches.
 */
#include "kdump/report_build.h"
#include "kdump/usyms.h"

#include <string.h>

#define FRAMES_MAX 128
#define PROCESSES_MAX 64

enum { BUILD_ID_EMPTY, BUILD_ID_VALID, BUILD_ID_IP };	/* uapi/linux/bpf.h */

/* The number at `word`, bounded by what the payload holds of elements of that many words. */
static size_t count_at(const struct set_event *e, int word, size_t words)
{
	uint64_t n, room;

	if (word < 0 || (uint64_t)word >= e->nwords)
		return 0;
	n = e->w[word];
	room = (e->nwords - (uint64_t)word - 1) / words;
	n = n < room ? n : room;
	return n < FRAMES_MAX ? (size_t)n : FRAMES_MAX;
}

static int find_process(struct build *b, uint64_t pid, uint64_t *task, struct err *err)
{
	for (size_t i = 0; i < b->r->cpus.count; i++)
		if (b->r->cpus.cpus[i].pid == pid && pid) {
			*task = b->r->cpus.cpus[i].task;
			return 0;
		}
	return task_of_pid(b->k, pid, task, err);
}

/* What the process had mapped at the crash; nothing if it had ended. */
static const struct mappings *mappings_of(struct build *b, uint64_t pid)
{
	static const struct mappings none;
	struct err err;
	uint64_t task;

	for (size_t i = 0; i < b->nmapped; i++)
		if (b->mapped[i].pid == pid)
			return &b->mapped[i].mappings;
	if (b->nmapped == PROCESSES_MAX)
		return &none;
	if (!b->mapped)
		b->mapped = arena_array(b->arena, PROCESSES_MAX, sizeof(*b->mapped));
	b->mapped[b->nmapped].pid = pid;
	if (find_process(b, pid, &task, &err) ||
	    mappings_read(b->k, b->arena, task, &b->mapped[b->nmapped].mappings, &err)) {
		if (err.code != ERR_ABSENT)
			gaps_add(&b->r->gaps, &err, "mappings of process %llu", (unsigned long long)pid);
	}
	if (b->mapped[b->nmapped].mappings.incomplete) {
		err_set(&err, ERR_ABSENT, "some of them, or the names of their files, cannot be read");
		gaps_add(&b->r->gaps, &err, "mappings of process %llu", (unsigned long long)pid);
	}
	return &b->mapped[b->nmapped++].mappings;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *id_text(struct build *b, const uint8_t *id)
{
	const char *text = "";

	for (size_t i = 0; i < USYMS_ID; i++)
		text = arena_printf(b->arena, "%s%02x", text, id[i]);
	return text;
}

/* "file+0x12" when the file is known, else "build-id+0x12", else the address. */
static struct report_frame user_frame(struct build *b, const struct mappings *maps, const uint64_t w[MF_FRAME_WORDS])
{
	struct report_frame f = { .addr = w[3], .offset = w[3], .module = "" };
	uint32_t status = (uint32_t)w[0];
	const struct mapping *m;
	uint8_t *id;

	if (status == BUILD_ID_VALID) {
		id = arena_alloc(b->arena, USYMS_ID);
		memcpy(id, (const uint8_t *)w + 4, USYMS_ID);
		f.build_id = id;
		m = mapping_of_offset(maps, w[3]);
		f.path = m ? m->path : NULL;
		f.module = f.path ? f.path : "";
		f.symbol = arena_printf(b->arena, "%s+0x%llx", f.path ? base_name(f.path) : id_text(b, id),
					(unsigned long long)w[3]);
		return f;
	}
	m = mapping_at(maps, w[3]);
	if (m) {
		f.path = f.module = m->path;
		f.offset = w[3] - m->start + m->offset;
		f.symbol = arena_printf(b->arena, "%s+0x%llx", base_name(m->path), (unsigned long long)f.offset);
	} else {
		f.symbol = arena_printf(b->arena, "0x%llx", (unsigned long long)w[3]);
	}
	return f;
}

static void user_stack(struct build *b, const struct mf_event *def, const struct set_event *e, struct report_event *ret)
{
	size_t n = count_at(e, def->ustack_word, MF_FRAME_WORDS);
	const struct mappings *maps;

	if (!n)
		return;
	maps = mappings_of(b, e->pid);
	ret->ustack = arena_array(b->arena, n, sizeof(*ret->ustack));
	for (size_t i = 0; i < n; i++) {
		const uint64_t *w = &e->w[(size_t)def->ustack_word + 1 + MF_FRAME_WORDS * i];

		if ((uint32_t)w[0] != BUILD_ID_EMPTY && w[3])
			ret->ustack[ret->nustack++] = user_frame(b, maps, w);
	}
}

static void branches(struct build *b, const struct mf_event *def, const struct set_event *e, struct report_event *ret)
{
	size_t n = count_at(e, def->lbr_word, MF_BRANCH_WORDS);

	ret->branches = arena_array(b->arena, n + 1, sizeof(*ret->branches));
	for (size_t i = 0; i < n; i++) {
		const uint64_t *w = &e->w[(size_t)def->lbr_word + 1 + MF_BRANCH_WORDS * i];

		if (w[0] || w[1])
			ret->branches[ret->nbranches++] = (struct report_branch){
				frames_lookup(&b->frames, w[0], false), frames_lookup(&b->frames, w[1], false) };
	}
}

void report_kept(struct build *b, const struct mf_event *def, const struct set_event *e, struct report_event *ret)
{
	if (!def)
		return;
	user_stack(b, def, e, ret);
	branches(b, def, e, ret);
}

/* A frame of the same file whose path is known. */
static const struct report_frame *same_file(const struct report *r, const uint8_t *id)
{
	for (size_t i = r->ncontext; i-- > 0;)
		for (size_t j = 0; j < r->context[i].nustack; j++) {
			const struct report_frame *f = &r->context[i].ustack[j];

			if (f->path && f->build_id && !memcmp(f->build_id, id, USYMS_ID))
				return f;
		}
	return NULL;
}

void report_share_paths(struct report *r)
{
	const struct report_frame *known;

	for (size_t i = 0; i < r->ncontext; i++) {
		for (size_t j = 0; j < r->context[i].nustack; j++) {
			struct report_frame *f = &r->context[i].ustack[j];

			known = f->build_id && !f->path ? same_file(r, f->build_id) : NULL;
			if (!known)
				continue;
			f->path = f->module = known->path;
			f->symbol = arena_printf(r->arena, "%s+0x%llx", base_name(f->path),
						 (unsigned long long)f->offset);
		}
	}
}

void report_symbolize_user(struct report *r, const char *root)
{
	struct usyms *u = usyms_create(r->arena, root);
	const char *symbol;

	for (size_t i = 0; i < r->ncontext; i++) {
		for (size_t j = 0; j < r->context[i].nustack; j++) {
			struct report_frame *f = &r->context[i].ustack[j];

			symbol = f->build_id ? usyms_at(u, f->build_id, f->path, f->offset, j > 0) : NULL;
			if (symbol)
				f->symbol = symbol;
		}
	}
}
