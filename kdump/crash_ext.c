// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crash_ext.c - deadfall.so, an extension of crash(8): `deadfall` at its prompt.
 *
 * Memory is crash's readmem(), and where that has no answer (crash 8.0 in minimal mode does not translate vmalloc
 * addresses) the dump file itself through libkdumpfile. Everything else is the same decoder as `deadfall report`:
 * symbols and types come from the dump, so that the command works without a namelist that has them.
 *
 * crash leaves a command by longjmp when the user interrupts it. What is allocated then is lost until crash ends: a
 * few megabytes at most. So no state is kept between commands.
 */
#include <crash/defs.h>

#include "kdump/mem.h"
#include "kdump/report.h"
#include "lib/buf.h"

/* crash's readmem() as our memory, with the dump file behind it. */
struct crash_mem {
	struct mem mem;
	struct mem *file;	/* NULL: not tried, or no dump file */
	bool tried;
};

static int crash_read(struct mem *m, uint64_t addr, void *buf, size_t len, struct err *err)
{
	struct crash_mem *c = (struct crash_mem *)m;
	struct dump_info info;

	if (readmem(addr, KVADDR, buf, (long)len, "deadfall", RETURN_ON_ERROR | QUIET))
		return 0;
	if (!c->tried && pc->dumpfile)
		c->file = mem_kdumpfile_open(pc->dumpfile, &info, NULL);
	if (!c->tried && c->file)
		dump_info_deinit(&info);
	c->tried = true;
	if (c->file)
		return mem_read(c->file, addr, buf, len, err);
	return err_set(err, ERR_ABSENT, "0x%llx: crash cannot read it", (unsigned long long)addr);
}

static void crash_destroy(struct mem *m)
{
	struct crash_mem *c = (struct crash_mem *)m;

	mem_destroy(c->file);
	free(c);
}

static const struct mem_ops crash_ops = { .read = crash_read, .destroy = crash_destroy };

/* The lines of VMCOREINFO that our reader asks for, from crash, which gives one at a time. */
static char *vmcoreinfo_text(void)
{
	static const char *const keys[] = {
		"OSRELEASE", "CRASHTIME", "SYMBOL(_stext)", "SYMBOL(kallsyms_num_syms)", "SYMBOL(kallsyms_names)",
		"SYMBOL(kallsyms_token_table)", "SYMBOL(kallsyms_token_index)", "SYMBOL(kallsyms_offsets)",
		"SYMBOL(kallsyms_relative_base)",
	};
	struct buf b = BUF_INIT;
	char *value;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		value = pc->read_vmcoreinfo(keys[i]);
		if (value)
			buf_printf(&b, "%s=%s\n", keys[i], value);
		free(value);
	}
	return buf_steal(&b);
}

static struct kernel *open_kernel(struct err *err)
{
	struct crash_mem *c = calloc(1, sizeof(*c));
	struct dump_info info = { .vmcoreinfo = vmcoreinfo_text() };

	if (!c || !info.vmcoreinfo) {
		free(c);
		dump_info_deinit(&info);
		err_nomem(err);
		return NULL;
	}
	c->mem.ops = &crash_ops;
	return kernel_from_dump(&c->mem, &info, err);
}

static void out_of_memory(void *arg)
{
	(void)arg;
	error(FATAL, "out of memory\n");
}

enum view { VIEW_SUMMARY, VIEW_CONTEXT, VIEW_JSON };

static void show_summary(const struct report *r)
{
	for (size_t i = 0; i < r->nrules; i++)
		fprintf(fp, "RULE: %s  SET: %s  ARMED: %s  LIVE KEYS: %llu\n      %s\n", r->rules[i].name,
			r->rules[i].set, r->rules[i].act, (unsigned long long)r->rules[i].live, r->rules[i].about);
	if (!r->nrules && r->sets_known)
		fprintf(fp, "no rule set was loaded\n");
	if (r->match)
		fprintf(fp, "\nVERDICT: %s: %s\n", r->match->rule, r->match->reason);
	else if (r->nrules || !r->sets_known)
		fprintf(fp, "\nVERDICT: %s\n", r->sets_known ? "no rule fired" : "not known, see what could not be read");
	for (size_t i = 0; i < r->gaps.count; i++)
		fprintf(fp, "unreadable (%s): %s: %s\n", r->gaps.items[i].kind, r->gaps.items[i].what,
			r->gaps.items[i].why);
}

static void show(enum view view, const struct set_select *select)
{
	struct arena *arena = arena_create(out_of_memory, NULL);
	struct err err;
	struct kernel *k = arena ? open_kernel(&err) : NULL;
	struct report *r;

	if (!k) {
		arena_destroy(arena);
		error(FATAL, "deadfall: %s\n", arena ? err.msg : "out of memory");
	}
	r = report_build_selected(k, arena, select, pc->dumpfile ? pc->dumpfile : "live system", "crash");
	if (view == VIEW_JSON)
		report_print_json(r, fp, NULL);
	else if (view == VIEW_CONTEXT)
		report_print_text(r, fp, false, select->which != SELECT_VERDICT);
	else
		show_summary(r);
	arena_destroy(arena);
	kernel_destroy(k);
}

static void cmd_deadfall(void)
{
	struct set_select select = { .which = SELECT_VERDICT };
	enum view view = VIEW_SUMMARY;
	int c;

	while ((c = getopt(argcnt, args, "cej")) != EOF) {
		switch (c) {
		case 'c':
			view = VIEW_CONTEXT;
			break;
		case 'e':
			view = VIEW_CONTEXT;
			select.which = SELECT_ALL;
			break;
		case 'j':
			view = VIEW_JSON;
			break;
		default:
			argerrs++;
		}
	}
	if (args[optind] && (!report_parse_key(args[optind], &select) || args[optind + 1]))
		argerrs++;
	if (argerrs)
		cmd_usage(pc->curcmd, SYNOPSIS);
	else
		show(view == VIEW_SUMMARY && args[optind] ? VIEW_CONTEXT : view, &select);
}

static char *help_deadfall[] = {
	"deadfall",
	"what deadfall's traps saw before the crash",
	"[-c | -e | -j] [key]",
	"  This command shows the rule sets of deadfall(1) that were armed when the kernel died, from",
	"  their BPF maps and lists. It needs neither debuginfo nor a matching namelist.",
	" ",
	"  Without arguments: the rules that were armed, and the verdict.",
	" ",
	"       -c  the whole report: why the rule fired, and the events of its key with their stacks,",
	"           oldest first.",
	"       -e  the events of all live keys.",
	"       -j  the report as JSON.",
	"      key  events of this key instead of the one that fired: a number, or several separated",
	"           by commas when the rule's key has several parts.",
	"\nEXAMPLES",
	"  What fired:\n",
	"    %s> deadfall",
	"    RULE: widget-freed-twice  SET: widget-freed-twice  ARMED: panic  LIVE KEYS: 116",
	"          A widget is freed twice; the dump shows who freed it first and from where.",
	" ",
	"    VERDICT: widget-freed-twice: widget 0xff3dbea17fedb240 freed twice: first by",
	"    widget-a[232/235], now by widget-b[232/236]",
	NULL,
};

static struct command_table_entry command_table[] = {
	{ "deadfall", cmd_deadfall, help_deadfall, MINIMAL },
	{ NULL },
};

static void __attribute__((constructor)) deadfall_init(void)
{
	register_extension(command_table);
}

static void __attribute__((destructor)) deadfall_fini(void)
{
}
