// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/tp_class.h"

#include <bpf/btf.h>
#include <string.h>

#include "lib/arena.h"
#include "rules/kbtf.h"
#include "rules/tracefs.h"
#include "rules/type.h"

#define BPF_TRACE "__bpf_trace_"
#define RAW "struct trace_event_raw_"

/* Events of several classes with the very same parameters (include/trace/events/, Linux 6.1 to 6.12). */
static const struct {
	const char *event, *class;
} known[] = {
	{ "ext4_truncate_enter", "ext4__truncate" },
	{ "ext4_truncate_exit", "ext4__truncate" },
	{ "napi_gro_frags_entry", "net_dev_rx_verbose_template" },
	{ "napi_gro_receive_entry", "net_dev_rx_verbose_template" },
	{ "netif_receive_skb_entry", "net_dev_rx_verbose_template" },
	{ "netif_receive_skb_list_entry", "net_dev_rx_verbose_template" },
	{ "netif_rx_entry", "net_dev_rx_verbose_template" },
	{ "sb_clear_inode_writeback", "writeback_inode_template" },
	{ "sb_mark_inode_writeback", "writeback_inode_template" },
	{ "sched_wait_task", "sched_process_template" },
	{ "sched_waking", "sched_wakeup_template" },
	{ "tcp_bad_csum", "tcp_event_skb" },
	{ "tcp_hash_ao_required", "tcp_hash_event" },
	{ "tcp_hash_bad_header", "tcp_hash_event" },
	{ "tcp_hash_md5_mismatch", "tcp_hash_event" },
	{ "tcp_hash_md5_required", "tcp_hash_event" },
	{ "tcp_hash_md5_unexpected", "tcp_hash_event" },
	{ "tcp_retransmit_skb", "tcp_event_sk_skb" },
	{ "writeback_dirty_inode_enqueue", "writeback_inode_template" },
	{ "writeback_lazytime", "writeback_inode_template" },
	{ "writeback_lazytime_iput", "writeback_inode_template" },
};

/* Looking for the class of an event. */
struct class_search {
	struct arena *arena;
	struct types *types;
	struct kbtf *kbtf;
	const char *event;
	const struct kbtf_func *iter;
	const struct tracefs_field *fields;
	uint32_t nfields;		/* 0: not known */
	const struct type *best;
	uint32_t score;
	bool tied;			/* another one is as likely as the best */
};

static bool same_proto(const struct kbtf_func *a, const struct kbtf_func *b)
{
	const struct btf_type *x = btf__type_by_id(a->btf, a->proto_id), *y = btf__type_by_id(b->btf, b->proto_id);

	if (a->btf != b->btf || btf_vlen(x) != btf_vlen(y))
		return false;
	for (uint32_t i = 1; i < btf_vlen(x); i++) {
		if (btf_params(x)[i].type != btf_params(y)[i].type)
			return false;
	}
	return true;
}

/* Of two equal prototypes: are the parameters called the same? */
static bool same_names(const struct kbtf_func *a, const struct kbtf_func *b)
{
	const struct btf_type *x = btf__type_by_id(a->btf, a->proto_id), *y = btf__type_by_id(b->btf, b->proto_id);

	for (uint32_t i = 1; i < btf_vlen(x); i++) {
		if (strcmp(btf__name_by_offset(a->btf, btf_params(x)[i].name_off),
			   btf__name_by_offset(b->btf, btf_params(y)[i].name_off)))
			return false;
	}
	return true;
}

/* How much of the event's name the class has, where one begins with the other (a class may end in _template). */
static uint32_t name_score(const char *event, const char *class)
{
	size_t n = 0, len = strlen(class);

	if (len > 9 && !strcmp(class + len - 9, "_template"))
		len -= 9;
	else if (len > 6 && !strcmp(class + len - 6, "_class"))
		len -= 6;
	while (n < len && event[n] == class[n])
		n++;
	return n == len || !event[n] ? (uint32_t)n + 1 : 0;
}

#define SCORE_NAMES 0x1000	/* the parameters have the event's names */
#define SCORE_SHARED 0x2000	/* no event is called like the class: it was made for others */
#define SCORE_KNOWN 0x4000

static bool is_known(const char *event, const char *class)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strcmp(known[i].event, event))
			return !strcmp(known[i].class, class);
	}
	return false;
}

/* Larger is likelier; never 0. */
static uint32_t class_score(const struct class_search *s, const struct kbtf_func *f, const char *class)
{
	uint32_t score = 1 + name_score(s->event, class);
	struct kbtf_func own;

	if (same_names(f, s->iter))
		score += SCORE_NAMES;
	if (!kbtf_find_func(s->kbtf, NULL, arena_printf(s->arena, TRACEITER "%s", class), &own))
		score += SCORE_SHARED;
	if (is_known(s->event, class))
		score += SCORE_KNOWN;
	return score;
}

/* Has the record all of the event's fields, where they are? */
static bool has_fields(const struct class_search *s, const struct type *record)
{
	struct type_member m;

	for (uint32_t i = 0; i < s->nfields; i++) {
		const struct tracefs_field *field = &s->fields[i];

		if (!strncmp(field->name, "common_", 7))
			continue;
		if (!type_find_member(s->types, record, field->name, &m) &&
		    !type_find_member(s->types, record, arena_printf(s->arena, "__data_loc_%s", field->name), &m) &&
		    !type_find_member(s->types, record, arena_printf(s->arena, "__rel_loc_%s", field->name), &m))
			return false;
		if (m.bit_off != field->offset * 8)
			return false;
	}
	return true;
}

static int try_class(const struct kbtf_func *f, void *arg)
{
	struct class_search *s = arg;
	const char *class = f->name + strlen(BPF_TRACE);
	const struct type *record;
	uint32_t score;

	if (!same_proto(f, s->iter))
		return 0;
	record = type_by_name(s->types, arena_printf(s->arena, RAW "%s", class));
	if (!record || !has_fields(s, record))
		return 0;
	score = class_score(s, f, class);
	if (score < s->score)
		return 0;
	s->tied = score == s->score;
	s->score = score;
	s->best = record;
	return 0;
}

const struct type *tp_record(struct arena *a, struct types *types, struct kbtf *kbtf, const char *category,
			     const struct kbtf_func *iter)
{
	struct class_search s = { .arena = a, .types = types, .kbtf = kbtf, .event = iter->name + strlen(TRACEITER),
				  .iter = iter };
	const struct type *own = type_by_name(types, arena_printf(a, RAW "%s", s.event));
	struct tracefs_field *fields = NULL;
	const char *dir;

	if (own)
		return own;
	dir = kbtf_is_running(kbtf) ? tracefs_event(a, category, s.event) : NULL;
	if (dir)
		s.nfields = tracefs_fields(a, dir, &fields);
	s.fields = fields;
	kbtf_each_func(kbtf, iter->module ? iter->module : "vmlinux", BPF_TRACE "*", try_class, &s);
	return s.tied && !s.nfields ? NULL : s.best;
}
