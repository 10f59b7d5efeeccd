// SPDX-License-Identifier: GPL-2.0-or-later
/* notes.c - what a set tells its agent, in words. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "agent/armed.h"
#include "agent/said.h"
#include "agent/tell.h"
#include "kdump/detected.h"
#include "kdump/ready.h"
#include "lib/arena.h"
#include "lib/cleanup.h"

static const char *fire_word(const struct armed *r, uint32_t act)
{
	if (act == DF_ACT_NONE)
		return "suppressed, since events were lost";
	return r->opts->dry_run ? "would have fired" : r->opts->src.json ? "logged" : "matched";
}

static const struct mf_fault *fault_of(const struct manifest *mf, const struct df_said *s)
{
	const uint64_t step[2] = { s->rec.step[0], s->rec.step[1] };

	return mf && s->rule < mf->nrules ? detected(&mf->rules[s->rule], s->rec.event, s->rec.seq, step) : NULL;
}

/* Why a match of a rule that is armed to crash the machine was only logged (bpf/verdict.h); NULL: it was not meant to. */
static const char *why_no_crash(const struct armed *r, const struct df_said *s)
{
	struct df_rule rule;

	if (s->act != DF_ACT_LOG || r->loaded.ctl->armed != DF_ACT_PANIC ||
	    bpf_map_lookup_elem(set_map_fd(&r->loaded, "df_rules"), &s->rule, &rule) || rule.act != DF_ACT_PANIC)
		return NULL;
	if (s->rec.losses && rule.on_loss == DF_LOSS_LOG)
		return "events were lost";
	if (s->rec.ns < rule.not_before)
		return "it came too soon after the set was armed";
	return rule.needs_dump ? "no crash kernel was loaded" : NULL;
}

static void print_fire(struct armed *r, const struct df_said *s)
{
	struct arena *a = arena_scratch(r->a);
	const struct mf_fault *fault = fault_of(r->mf, s);
	const struct df_rec *e = &s->rec;
	const char *message;

	if (said_needs_symbols(r->mf, s->rule) && !r->syms.n)
		symbols_read(r->a, &r->syms, NULL);
	message = said_message(a, r->mf, &r->syms, s->rule, e, fault, &r->told);
	if (s->rule >= r->info.nrules || e->event >= r->info.nevents)
		goto out;
	tell_match(r->opts->src.json, &r->info, s, fire_word(r, s->act), fault, why_no_crash(r, s), message);
out:
	arena_reset(a);
}

/* There was no room for more than the verdict's number. */
static void count_untold(const struct armed *r, uint32_t fire)
{
	uint32_t rule = r->info.nrules;
	struct df_fire f;

	if (!bpf_map_lookup_elem(set_map_fd(&r->loaded, "df_fires"), &fire, &f) && f.rule < rule)
		rule = f.rule;
	r->untold[rule]++;
}

/* The crash kernel may be gone, and the rule be one that needs its dump. */
static bool dump_is_lost(const struct armed *r, uint32_t fire)
{
	struct df_rule rule;
	struct df_fire f;
	struct err err;

	if (bpf_map_lookup_elem(set_map_fd(&r->loaded, "df_fires"), &fire, &f) ||
	    bpf_map_lookup_elem(set_map_fd(&r->loaded, "df_rules"), &f.rule, &rule) || !rule.needs_dump || !kdump_ready(&err))
		return false;
	tell(r->opts->src.json, "crash", "crash_kexec returned, and a crash would leave no dump: not crashed. %s", err.msg);
	return true;
}

/* crash_kexec came back: the crash kernel is gone or busy. Second best, and later than the bug. */
static void crash_by_sysrq(const struct armed *r, uint32_t fire)
{
	_cleanup_close_ int fd = -1;

	if (dump_is_lost(r, fire))
		return;
	fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
	tell(r->opts->src.json, "crash", "crash_kexec returned: crashing by sysrq-c, later than the bug");
	if (fd < 0 || write(fd, "c", 1) != 1)
		tell(r->opts->src.json, "crash", "sysrq-c failed as well: %s", strerror(errno));
}

static void print_mark(const struct armed *r, uint32_t index)
{
	struct df_mark m;

	if (!bpf_map_lookup_elem(set_map_fd(&r->loaded, "df_marks"), &index, &m))
		tell(r->opts->src.json, "mark", "mark after event %" PRIu64 ": %.*s", (uint64_t)m.seq, (int)sizeof(m.text), m.text);
}

static void print_armed(struct armed *r, uint32_t act)
{
	r->in_ledger = r->in_ledger || act == DF_ACT_PANIC;	/* who armed it has entered it */
	tell(r->opts->src.json, act ? "armed" : "disarmed", "now %s: %s", armed_word(act), r->info.name);
}

/* Who waits for the module says so himself. */
static void print_gone(const struct armed *r, uint32_t module)
{
	if (module < r->loaded.nmodules && !armed_may_wait(r))
		tell(r->opts->src.json, "asleep", "module %s was unloaded, and its probes with it: %s sleeps until it is run again",
		     r->loaded.modules[module].name, r->info.name);
}

/* What must be done or said even if the note of it found no room: df_ctl has it as well. */
static void look_at_urgent(struct armed *r)
{
	uint32_t returned = __atomic_load_n(&r->loaded.ctl->crash_returned, __ATOMIC_ACQUIRE);
	uint32_t gone = __atomic_load_n(&r->loaded.ctl->gone, __ATOMIC_ACQUIRE);

	if (returned != r->crash_returned) {
		r->crash_returned = returned;
		crash_by_sysrq(r, __atomic_load_n(&r->loaded.ctl->fired, __ATOMIC_ACQUIRE) - 1);
	}
	if (gone != r->gone) {
		r->gone = gone;
		print_gone(r, gone - 1);
	}
}

void armed_untold(struct armed *r)
{
	uint64_t lost = __atomic_load_n(&r->loaded.ctl->notes_lost, __ATOMIC_RELAXED);

	for (uint32_t i = 0; i <= r->info.nrules; i++) {
		if (r->untold[i])
			tell(r->opts->src.json, "matches", "too many at once to say more: rule %s matched %u times",
			     i < r->info.nrules ? r->info.rules[i].name : "?", r->untold[i]);
		r->untold[i] = 0;
	}
	if (lost == r->notes_lost)
		return;
	look_at_urgent(r);
	tell(r->opts->src.json, "lost", "no room to say even that: %" PRIu64 " more matches, or other news, of %s; 'deadfall status' "
	     "counts the matches", lost - r->notes_lost, r->info.name);
	r->notes_lost = lost;
}

int armed_note(void *ctx, void *data, size_t size)
{
	struct armed *r = ctx;
	struct df_note note;

	if (size < sizeof(note))
		return 0;
	memcpy(&note, data, sizeof(note));
	if (note.kind == DF_NOTE_FIRE && size >= sizeof(struct df_said))
		print_fire(r, data);
	else if (note.kind == DF_NOTE_FIRE)
		count_untold(r, note.index);
	else if (note.kind == DF_NOTE_STEP)
		told_add(&r->told, data, size);
	else if (note.kind == DF_NOTE_CRASH_RETURNED || note.kind == DF_NOTE_GONE)
		look_at_urgent(r);
	else if (note.kind == DF_NOTE_MARK)
		print_mark(r, note.index);
	else if (note.kind == DF_NOTE_ARMED)
		print_armed(r, note.index);
	else if (note.kind == DF_NOTE_PARAM && note.index < r->info.nparams)
		tell(r->opts->src.json, "parameter", "parameter %s changed", r->info.params[note.index].name);
	return 0;
}
