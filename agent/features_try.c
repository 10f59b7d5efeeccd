// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/features_try.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <unistd.h>

#include "agent/functions.h"
#include "agent/losses.h"
#include "agent/module_btf.h"
#include "agent/session.h"
#include "lib/cleanup.h"

/* The kernel's own place to try such things (net/bpf/test_run.c, v5.5): nothing calls it. */
#define FUNCTION "bpf_fentry_test1"

#define INSN(c, d, s, o, i) ((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV(dst, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define MOVR(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define ADD(dst, imm) INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define JZERO(reg, off) INSN(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, off, 0)
#define HELPER(nr) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, nr)
#define KFUNC(id, module) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, module, id)
#define CALL(off) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, off)
#define FUNC(dst, off) INSN(BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_FUNC, 0, off), INSN(0, 0, 0, 0, 0)
#define MAP(dst, fd) INSN(BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
#define VALUE(dst, fd) INSN(BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_VALUE, 0, fd), INSN(0, 0, 0, 0, 0)
#define RETURN INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct bpf_insn nothing[] = { MOV(BPF_REG_0, 0), RETURN };

static int result(int fd)
{
	return fd >= 0 ? 0 : -errno;
}

/* Descriptors are only wanted for what it says that there is one. */
static int close_result(int fd)
{
	int ret = result(fd);

	if (fd >= 0)
		close(fd);
	return ret;
}

static int load(enum bpf_prog_type type, const struct bpf_insn *insns, size_t n, struct bpf_prog_load_opts *opts)
{
	return bpf_prog_load(type, "df_try", "GPL", insns, n, opts);
}

/* The kernel's own types; read once. */
static struct btf *kernel_btf(void)
{
	static struct btf *btf;

	if (!btf)
		btf = btf__load_vmlinux_btf();
	return btf;
}

/* Id of a function in the kernel's BTF, or negative. */
static int function_id(const char *name)
{
	return kernel_btf() ? btf__find_by_name_kind(kernel_btf(), name, BTF_KIND_FUNC) : -ENOENT;
}

/* A tracing program, as it would be for FUNCTION. */
static int load_tracing(const struct bpf_insn *insns, size_t n, struct bpf_prog_load_opts opts)
{
	int id = function_id(FUNCTION);

	if (id < 0) {
		errno = ENOENT;
		return -1;
	}
	opts.expected_attach_type = BPF_TRACE_FENTRY;
	opts.attach_btf_id = (uint32_t)id;
	return load(BPF_PROG_TYPE_TRACING, insns, n, &opts);
}

int try_tracing(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	_cleanup_close_ int prog = load_tracing(nothing, COUNT(nothing), opts);

	return prog < 0 ? -errno : close_result(bpf_raw_tracepoint_open(NULL, prog));
}

/* Types of a program's own, as it must have for what the verifier looks up there. */
struct types {
	struct btf *btf;
	int u32, u64;
	int main;			/* int main(void) */
};

static struct types types_begin(void)
{
	struct types t = { .btf = btf__new_empty() };

	t.u32 = btf__add_int(t.btf, "unsigned int", 4, 0);
	t.u64 = btf__add_int(t.btf, "unsigned long", 8, 0);
	t.main = btf__add_func(t.btf, "main", BTF_FUNC_GLOBAL, btf__add_func_proto(t.btf, t.u32));
	return t;
}

/* A struct of one member, an array of words, as BPF's own types are to programs. */
static int add_opaque(const struct types *t, const char *name, uint32_t words)
{
	int array = btf__add_array(t->btf, t->u32, t->u64, words), id = btf__add_struct(t->btf, name, words * 8);

	btf__add_field(t->btf, "opaque", array, 0, 0);
	return id;
}

static int types_load(const struct types *t)
{
	uint32_t size;
	const void *data = btf__raw_data(t->btf, &size);
	int fd = data ? bpf_btf_load(data, size, NULL) : -1, e = errno;

	btf__free(t->btf);
	errno = e;
	return fd;
}

/* A program with a function, and a program for that function. */
int try_engines(void)
{
	const struct bpf_insn insns[] = { MOV(BPF_REG_1, 0), CALL(1), RETURN, MOV(BPF_REG_0, 0), RETURN };
	struct types t = types_begin();
	int proto = btf__add_func_proto(t.btf, t.u32), hit;
	LIBBPF_OPTS(bpf_prog_load_opts, hook);
	LIBBPF_OPTS(bpf_prog_load_opts, engine, .expected_attach_type = BPF_TRACE_FENTRY);
	_cleanup_close_ int btf = -1, hook_fd = -1, engine_fd = -1;

	btf__add_func_param(t.btf, "a", t.u32);
	hit = btf__add_func(t.btf, "hit", BTF_FUNC_GLOBAL, proto);
	btf = types_load(&t);
	if (btf < 0)
		return -errno;
	const struct bpf_func_info funcs[] = { { 0, (uint32_t)t.main }, { 3, (uint32_t)hit } };

	hook.prog_btf_fd = (uint32_t)btf;
	hook.func_info = funcs;
	hook.func_info_cnt = COUNT(funcs);
	hook.func_info_rec_size = sizeof(funcs[0]);
	hook_fd = load(BPF_PROG_TYPE_KPROBE, insns, COUNT(insns), &hook);
	if (hook_fd < 0)
		return -errno;
	engine.attach_prog_fd = (uint32_t)hook_fd;
	engine.attach_btf_id = (uint32_t)hit;
	engine_fd = load(BPF_PROG_TYPE_TRACING, nothing, COUNT(nothing), &engine);
	return engine_fd < 0 ? -errno : close_result(bpf_raw_tracepoint_open(NULL, engine_fd));
}

int try_cookies(void)
{
	const struct bpf_insn insns[] = { HELPER(BPF_FUNC_get_attach_cookie), MOV(BPF_REG_0, 0), RETURN };

	return close_result(load(BPF_PROG_TYPE_KPROBE, insns, COUNT(insns), NULL));
}

int try_loops(void)
{
	const struct bpf_insn insns[] = {
		MOV(BPF_REG_1, 1), FUNC(BPF_REG_2, 6), MOV(BPF_REG_3, 0), MOV(BPF_REG_4, 0), HELPER(BPF_FUNC_loop),
		MOV(BPF_REG_0, 0), RETURN,
		MOV(BPF_REG_0, 0), RETURN,
	};
	struct types t = types_begin();
	int proto = btf__add_func_proto(t.btf, t.u32), body;
	_cleanup_close_ int btf = -1;
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	btf__add_func_param(t.btf, "i", t.u32);
	btf__add_func_param(t.btf, "ctx", btf__add_ptr(t.btf, 0));
	body = btf__add_func(t.btf, "body", BTF_FUNC_STATIC, proto);
	btf = types_load(&t);
	if (btf < 0)
		return -errno;
	const struct bpf_func_info funcs[] = { { 0, (uint32_t)t.main }, { 8, (uint32_t)body } };

	opts.prog_btf_fd = (uint32_t)btf;
	opts.func_info = funcs;
	opts.func_info_cnt = COUNT(funcs);
	opts.func_info_rec_size = sizeof(funcs[0]);
	return close_result(load(BPF_PROG_TYPE_KPROBE, insns, COUNT(insns), &opts));
}

/* An array of one such value. */
static int value_map(int btf, int u32, int value, uint32_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .btf_fd = (uint32_t)btf, .btf_key_type_id = (uint32_t)u32,
		    .btf_value_type_id = (uint32_t)value);

	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "df_try", 4, size, 1, &opts);
}

int try_timers(void)
{
	struct types t = types_begin();
	int timer = add_opaque(&t, "bpf_timer", 2), value = btf__add_struct(t.btf, "value", 16);
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	_cleanup_close_ int btf = -1, map = -1;

	btf__add_field(t.btf, "timer", timer, 0, 0);
	btf = types_load(&t);
	map = btf < 0 ? -1 : value_map(btf, t.u32, value, 16);
	if (map < 0)
		return -errno;
	const struct bpf_insn insns[] = { VALUE(BPF_REG_1, map), MAP(BPF_REG_2, map), MOV(BPF_REG_3, 1),
					  HELPER(BPF_FUNC_timer_init), MOV(BPF_REG_0, 0), RETURN };

	return close_result(load_tracing(insns, COUNT(insns), opts));
}

int try_task_storage(void)
{
	struct types t = types_begin();
	_cleanup_close_ int btf = types_load(&t), map = -1;
	LIBBPF_OPTS(bpf_map_create_opts, map_opts, .map_flags = BPF_F_NO_PREALLOC, .btf_fd = (uint32_t)btf,
		    .btf_key_type_id = (uint32_t)t.u32, .btf_value_type_id = (uint32_t)t.u64);
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	map = btf < 0 ? -1 : bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, "df_try", 4, 8, 0, &map_opts);
	if (map < 0)
		return -errno;
	const struct bpf_insn insns[] = { HELPER(BPF_FUNC_get_current_task_btf), MOVR(BPF_REG_2, BPF_REG_0),
					  MAP(BPF_REG_1, map), MOV(BPF_REG_3, 0), MOV(BPF_REG_4, 0),
					  HELPER(BPF_FUNC_task_storage_get), MOV(BPF_REG_0, 0), RETURN };

	return close_result(load_tracing(insns, COUNT(insns), opts));
}

int try_ringbuf(void)
{
	return close_result(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "df_try", 0, 0, (uint32_t)sysconf(_SC_PAGESIZE), NULL));
}

int try_user_ringbuf(void)
{
	return close_result(bpf_map_create(BPF_MAP_TYPE_USER_RINGBUF, "df_try", 0, 0, (uint32_t)sysconf(_SC_PAGESIZE),
					   NULL));
}

int try_bloom(void)
{
	return close_result(bpf_map_create(BPF_MAP_TYPE_BLOOM_FILTER, "df_try", 0, 8, 1, NULL));
}

int try_stats(void)
{
	return close_result(bpf_enable_stats(BPF_STATS_RUN_TIME));
}

/* A link of kprobe_multi to FUNCTION. */
static int link_multi(void)
{
	const char *syms[] = { FUNCTION };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_KPROBE_MULTI);
	LIBBPF_OPTS(bpf_link_create_opts, link, .kprobe_multi.syms = syms, .kprobe_multi.cnt = 1);
	_cleanup_close_ int prog = load(BPF_PROG_TYPE_KPROBE, nothing, COUNT(nothing), &opts);

	return prog < 0 ? -1 : bpf_link_create(prog, 0, BPF_TRACE_KPROBE_MULTI, &link);
}

int try_kprobe_multi(void)
{
	return close_result(link_multi());
}

int try_missed(void)
{
	_cleanup_close_ int link = link_multi();

	if (link < 0)
		return -errno;
	return link_missed(link) >= 0 ? 0 : -EOPNOTSUPP;
}

int try_session(void)
{
	const char *syms[] = { FUNCTION };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = (enum bpf_attach_type)TRACE_KPROBE_SESSION);
	int is_return = function_id("bpf_session_is_return"), cookie = function_id("bpf_session_cookie");
	const struct bpf_insn insns[] = { KFUNC(is_return, 0), KFUNC(cookie, 0), MOV(BPF_REG_0, 0), RETURN };
	_cleanup_close_ int prog = -1;

	if (is_return < 0 || cookie < 0)
		return -ENOENT;
	prog = load(BPF_PROG_TYPE_KPROBE, insns, COUNT(insns), &opts);
	return prog < 0 ? -errno : close_result(session_attach(prog, syms, NULL, NULL, 1));
}

int try_addresses(void)
{
	_cleanup_close_ int with = functions_open(true), without = -1;

	if (with >= 0)
		return 0;
	without = functions_open(false);
	if (without < 0)
		return errno == ENOENT ? TRY_NO_TRACEFS : -errno;
	return -ENOENT;
}

#define HEAD_AT 8	/* in the value of a map: the lock, then the list */

/* A new node into a list, under its lock. */
static int load_push(const struct types *t, int btf, int map, int node)
{
	int new = function_id("bpf_obj_new_impl"), push = function_id("bpf_list_push_back_impl");
	const struct bpf_insn insns[] = {
		VALUE(BPF_REG_6, map),
		MOV(BPF_REG_1, node), MOV(BPF_REG_2, 0), KFUNC(new, 0), JZERO(BPF_REG_0, 12), MOVR(BPF_REG_7, BPF_REG_0),
		MOVR(BPF_REG_1, BPF_REG_6), HELPER(BPF_FUNC_spin_lock),
		MOVR(BPF_REG_1, BPF_REG_6), ADD(BPF_REG_1, HEAD_AT), MOVR(BPF_REG_2, BPF_REG_7), MOV(BPF_REG_3, 0),
		MOV(BPF_REG_4, 0), KFUNC(push, 0),
		MOVR(BPF_REG_1, BPF_REG_6), HELPER(BPF_FUNC_spin_unlock), MOV(BPF_REG_0, 0), RETURN,
	};
	const struct bpf_func_info func = { 0, (uint32_t)t->main };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_btf_fd = (uint32_t)btf, .func_info = &func, .func_info_cnt = 1,
		    .func_info_rec_size = sizeof(func));

	if (new < 0 || push < 0) {
		errno = ENOENT;
		return -1;
	}
	return load_tracing(insns, COUNT(insns), opts);
}

int try_lists(void)
{
	struct types t = types_begin();
	int lock = btf__add_struct(t.btf, "bpf_spin_lock", 4), head, list_node, node, value;
	_cleanup_close_ int btf = -1, map = -1;

	btf__add_field(t.btf, "val", t.u32, 0, 0);
	head = add_opaque(&t, "bpf_list_head", 2);
	list_node = add_opaque(&t, "bpf_list_node", 3);
	node = btf__add_struct(t.btf, "node", 32);
	btf__add_field(t.btf, "in", list_node, 0, 0);
	btf__add_field(t.btf, "word", t.u64, 24 * 8, 0);
	value = btf__add_struct(t.btf, "value", 24);
	btf__add_field(t.btf, "lock", lock, 0, 0);
	btf__add_field(t.btf, "head", head, HEAD_AT * 8, 0);
	btf__add_decl_tag(t.btf, "contains:node:in", value, 1);
	btf = types_load(&t);
	map = btf < 0 ? -1 : value_map(btf, t.u32, value, 24);
	return map < 0 ? -errno : close_result(load_push(&t, btf, map, node));
}

int try_crash_kexec(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int id = function_id("crash_kexec");
	const struct bpf_insn insns[] = { MOV(BPF_REG_1, 0), KFUNC(id, 0), MOV(BPF_REG_0, 0), RETURN };

	return id < 0 ? -ENOENT : close_result(load_tracing(insns, COUNT(insns), opts));
}

/* Hooks do it: a number becomes a pointer that may be loaded from, and a load that faults gives 0. */
int try_casts(void)
{
	int id = function_id("bpf_rdonly_cast"), type = kernel_btf() ?
		btf__find_by_name_kind(kernel_btf(), "timespec64", BTF_KIND_STRUCT) : -ENOENT;
	const struct bpf_insn insns[] = { MOV(BPF_REG_1, 0), MOV(BPF_REG_2, type), KFUNC(id, 0),
					  INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_0, 0, 0), MOV(BPF_REG_0, 0),
					  RETURN };

	return id < 0 || type < 0 ? -ENOENT : close_result(load(BPF_PROG_TYPE_KPROBE, insns, COUNT(insns), NULL));
}

/* The kfunc is in the BTF of its module: a program that would call it with a text of its map. */
int try_bpf_panic(void)
{
	struct btf *module = kernel_btf() ? btf__load_module_btf("bpf_panic", kernel_btf()) : NULL;
	int id = module ? btf__find_by_name_kind(module, "bpf_panic", BTF_KIND_FUNC) : -ENOENT;
	_cleanup_close_ int text = -1, btf = -1;
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	btf__free(module);
	if (id < 0)
		return -ENOENT;
	btf = module_btf_open("bpf_panic");
	text = btf < 0 ? -1 : bpf_map_create(BPF_MAP_TYPE_ARRAY, "df_try", 4, 64, 1, NULL);
	if (text < 0)
		return -errno;
	const int fds[] = { -1, btf };
	const struct bpf_insn insns[] = { VALUE(BPF_REG_1, text), MOV(BPF_REG_2, 0), KFUNC(id, 1), MOV(BPF_REG_0, 0), RETURN };

	opts.fd_array = fds;
	return close_result(load_tracing(insns, COUNT(insns), opts));
}

/* The helper is called: only the CPU knows. */
int try_branches(void)
{
	const struct bpf_insn insns[] = {
		MOVR(BPF_REG_1, BPF_REG_10), ADD(BPF_REG_1, -24), MOV(BPF_REG_2, 24), MOV(BPF_REG_3, 0),
		HELPER(BPF_FUNC_get_branch_snapshot), RETURN,
	};
	_cleanup_close_ int prog = load(BPF_PROG_TYPE_RAW_TRACEPOINT, insns, COUNT(insns), NULL);
	LIBBPF_OPTS(bpf_test_run_opts, run);

	if (prog < 0 || bpf_prog_test_run_opts(prog, &run))
		return -errno;
	return (int32_t)run.retval < 0 ? (int32_t)run.retval : 0;
}
