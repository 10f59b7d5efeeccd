// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/tracing.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/attach.h"
#include "agent/module_btf.h"
#include "agent/tracers.h"
#include "lib/arena.h"
#include "lib/cleanup.h"

/* Descriptors of the BTF of modules that programs attach to. */
struct module_btf {
	const char *name;
	int fd;
};

struct tracing {
	struct arena *a;
	struct loaded *s;
	const struct attach_plan *plan;
	struct module_btf *modules;
	uint32_t nmodules;
	int handlers[3];
};

static const struct {
	const char *section, *hook;
	enum bpf_attach_type type;
} sections[3] = {
	{ DF_SEC_FENTRY, "fentry", BPF_TRACE_FENTRY },
	{ DF_SEC_FEXIT, "fexit", BPF_TRACE_FEXIT },
	{ DF_SEC_RAWTP, "rawtp", BPF_TRACE_RAW_TP },
};

static int module_btf_fd(struct tracing *t, const char *module)
{
	int fd;

	if (!module)
		return 0;
	for (uint32_t i = 0; i < t->nmodules; i++) {
		if (!strcmp(t->modules[i].name, module))
			return t->modules[i].fd;
	}
	fd = module_btf_open(module);
	if (fd < 0)
		return fd;
	t->modules = arena_grow(t->a, t->modules, t->nmodules, sizeof(*t->modules));
	t->modules[t->nmodules++] = (struct module_btf){ module, fd };
	return fd;
}

static int set_target(struct tracing *t, struct bpf_prog_load_opts *opts, const struct prog_target *target)
{
	int fd = module_btf_fd(t, target->module);

	if (fd < 0)
		return -errno;
	opts->attach_btf_id = target->btf_id;
	opts->attach_btf_obj_fd = (uint32_t)fd;
	return 0;
}

/* Another copy of a program, for another function; a refusal is loaded again with the verifier's log. */
static int load_copy(struct bpf_program *prog, struct bpf_prog_load_opts opts)
{
	_cleanup_free_ char *log = NULL;
	int fd;

	opts.log_buf = NULL;
	opts.log_size = 0;
	opts.log_level = 0;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, bpf_program__name(prog), "GPL", bpf_program__insns(prog),
			   bpf_program__insn_cnt(prog), &opts);
	if (fd >= 0)
		return fd;
	return -errno;
}

/* libbpf is about to load the program of a body: the first function is for it, the others are done here. */
static int load_copies(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	struct tracing *t = (struct tracing *)cookie;
	const struct prog_target *first = NULL;
	int e;

	for (uint32_t i = 0; i < t->plan->nprogs; i++) {
		const struct prog_target *target = &t->plan->progs[i];
		struct bpf_prog_load_opts copy = *opts;
		int fd;

		if (strcmp(t->s->info->bodies[target->body].program, bpf_program__name(prog)) != 0)
			continue;
		if (!first) {
			first = target;
			continue;
		}
		e = set_target(t, &copy, target);
		fd = e ? e : load_copy(prog, copy);
		/* libbpf's own attempt on the same function tells why */
		if (fd < 0)
			return set_target(t, opts, target);
		t->s->progs[i].fd = fd;
		t->s->progs[i].is_copy = true;
	}
	return first ? set_target(t, opts, first) : -ENOENT;
}

int tracing_begin(struct arena *a, struct loaded *s, const struct attach_plan *plan, struct tracing **ret,
		  struct err *err)
{
	struct tracing *t = arena_new(a, struct tracing);
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = (long)t, .prog_prepare_load_fn = load_copies);

	*t = (struct tracing){ .a = a, .s = s, .plan = plan, .handlers = { -1, -1, -1 } };
	*ret = t;
	s->progs = arena_array(a, plan->nprogs + 1, sizeof(*s->progs));
	s->nprogs = plan->nprogs;
	for (uint32_t i = 0; i < plan->nprogs; i++)
		s->progs[i] = (struct tracing_prog){ .fd = -1, .body = plan->progs[i].body };
	for (int i = 0; i < 3 && plan->nprogs; i++) {
		t->handlers[i] = libbpf_register_prog_handler(sections[i].section, BPF_PROG_TYPE_TRACING,
							      sections[i].type, &opts);
		if (t->handlers[i] < 0)
			return err_sys(err, -t->handlers[i], "register programs of kind %s", sections[i].section);
	}
	return 0;
}

int tracing_loaded(struct tracing *t)
{
	for (uint32_t i = 0; i < t->s->nprogs; i++) {
		struct tracing_prog *prog = &t->s->progs[i];
		struct bpf_program *p =
			bpf_object__find_program_by_name(t->s->engines, t->s->info->bodies[prog->body].program);

		if (!prog->is_copy && p)
			prog->fd = bpf_program__fd(p);
	}
	return 0;
}

void tracing_end(struct tracing *t)
{
	for (int i = 0; i < 3; i++) {
		if (t->handlers[i] >= 0)
			libbpf_unregister_prog_handler(t->handlers[i]);
	}
	for (uint32_t i = 0; i < t->nmodules; i++)
		close(t->modules[i].fd);
}

#define ARGUMENT_REGISTERS 6

/* Is it what one register holds? Not so are structs and unions by value, and variable arguments (type 0). */
static bool is_plain(const struct btf *btf, uint32_t type)
{
	int id = type ? btf__resolve_type(btf, type) : -1;
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	return t && (btf_is_ptr(t) || btf_is_int(t) || btf_is_any_enum(t));
}

/* May the kernel refuse it? Which of these it takes differs with its version. */
static bool is_doubtful(const struct kbtf_func *f)
{
	const struct btf_type *proto = btf__type_by_id(f->btf, f->proto_id);

	if (btf_vlen(proto) > ARGUMENT_REGISTERS || (proto->type && !is_plain(f->btf, proto->type)))
		return true;
	for (uint32_t i = 0; i < btf_vlen(proto); i++) {
		if (!is_plain(f->btf, btf_params(proto)[i].type))
			return true;
	}
	return false;
}

bool tracing_takes(const struct kbtf_func *f)
{
	const struct bpf_insn nothing[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
					    { .code = BPF_JMP | BPF_EXIT } };
	_cleanup_close_ int module = f->module ? module_btf_open(f->module) : -1;
	_cleanup_close_ int prog = -1, link = -1;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY, .attach_btf_id = f->id,
		    .attach_btf_obj_fd = module >= 0 ? (uint32_t)module : 0);

	if (!is_doubtful(f))
		return true;
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "df_try", "GPL", nothing, 2, &opts);
	link = prog >= 0 ? bpf_raw_tracepoint_open(NULL, prog) : -1;
	return link >= 0;
}

static int attach_one(struct arena *a, struct loaded *s, const struct prog_target *target, int prog, struct err *err)
{
	int fd = bpf_raw_tracepoint_open(NULL, prog);

	if (fd < 0 && errno == E2BIG)
		return err_set(err, ERR_UNSUPPORTED, "attach to %s: there is no room for another tracing program, the kernel allows %d "
			       "at one function (bpftool link); use kprobe: or kretprobe:", target->name, TRACERS_MAX);
	if (fd < 0)
		return err_sys(err, errno, "attach to %s", target->name);
	keep_link_fd(a, s, fd);
	return 0;
}

/*
 * The events of one function happen in the order of the rules. Of programs at a function the kernel runs the one that was
 * attached last first (kernel/bpf/trampoline.c), of those at a tracepoint the first.
 */
int attach_tracing(struct arena *a, struct loaded *s, uint32_t h, const struct attach_plan *plan, struct err *err)
{
	bool last_first = strcmp(s->info->hooks[h].name, "rawtp") != 0;

	for (uint32_t n = 0; n < plan->nprogs; n++) {
		uint32_t i = last_first ? plan->nprogs - 1 - n : n;
		const struct info_body *body = &s->info->bodies[plan->progs[i].body];

		if (body->hook != h)
			continue;
		if (attach_one(a, s, &plan->progs[i], s->progs[i].fd, err))
			return -1;
		if (!body->save)
			s->functions++;
	}
	return 0;
}
