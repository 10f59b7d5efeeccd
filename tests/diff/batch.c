// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/diff/batch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "rules/compile.h"
#include "rules/generate.h"
#include "rules/objfile.h"

/* Expressions in one function: jumps must reach over them. */
#define PER_FUNC 40

static const char base_rule[] = "deadfall: 1\nrule: base\nevents:\n  e: {probe: \"kprobe:subject\"}\nmatch: {event: e}\n"
				"on_match: [{log: x}]\n";

static const uint64_t zeros[sizeof(struct shared) / 8];

/* A scalar result into the map, or that there is none. */
static void lower_one(struct lower *l, const struct subject *s, uint32_t number)
{
	uint32_t fail = ir_new_label(l->f), done = ir_new_label(l->f);
	int16_t at = (int16_t)(offsetof(struct shared, results) + 16 * number);
	const struct event *e = &s->here->rules[0].events[0];
	struct body *body = arena_new(l->arena, struct body);

	*body = (struct body){ .event = (struct event *)e, .hook = HOOK_KPROBE, .argpos = e->probes[0].funcs[0].argpos };
	l->event = e;
	l->body = body;
	ir_comment(l->f, "%u: %s", number, s->text);
	lower_value(l, e->fields[0].expr, 0, fail);
	ir_store(l->f, 8, BPF_REG_8, at, IR_REG(0));
	ir_storei(l->f, 8, BPF_REG_8, (int16_t)(at + 8), 0);
	ir_jmp(l->f, done);
	ir_label(l->f, fail);
	ir_storei(l->f, 8, BPF_REG_8, (int16_t)(at + 8), UNKNOWN);
	ir_label(l->f, done);
}

static void lower_subjects(struct lower *l, const struct subject *subjects, uint32_t n)
{
	struct ir_func *main = ir_func_new(l->arena, "df_diff", "raw_tp", 1);

	ir_address(main, BPF_REG_1, "df_shared", 0);
	ir_address(main, BPF_REG_2, "df_shared", offsetof(struct shared, memory));
	ir_store(main, 8, BPF_REG_1, 0, BPF_REG_2);
	for (uint32_t first = 0; first < n; first += PER_FUNC) {
		const char *name = arena_printf(l->arena, "df_diff_%u", first);

		l->f = ir_func_new(l->arena, name, ".text", 1);
		ir_address(l->f, IR_CTX, "df_shared", offsetof(struct shared, regs));
		ir_address(l->f, BPF_REG_8, "df_shared", 0);
		for (uint32_t i = first; i < n && i < first + PER_FUNC; i++)
			lower_one(l, &subjects[i], i);
		ir_movi(l->f, BPF_REG_0, 0);
		ir_exit(l->f);
		add_func(l->arena, l->cs, l->f);
		ir_movi(main, BPF_REG_1, 0);
		ir_call_symbol(main, name);
	}
	ir_movi(main, BPF_REG_0, 0);
	ir_exit(main);
	add_func(l->arena, l->cs, main);
}

static int complain(const struct diags *diags, const struct err *err)
{
	diags_print(diags, stderr, false);
	fprintf(stderr, "%s\n", err->msg);
	return -1;
}

static int build(struct arena *a, struct kbtf *here, const struct subject *subjects, uint32_t n, struct buf *object)
{
	static const struct obj_var extra = { ".data.df_shared", "df_shared", 8, sizeof(struct shared) / 8, zeros };
	struct generated gen = { .extra = &extra, .nextra = 1 };
	struct diags diags = diags_init(a);
	struct rule_set *set = NULL;
	struct err err = { 0 };
	struct lower l;

	compile_check_text(a, "base", base_rule, sizeof(base_rule) - 1, here, &diags, &set);
	if (!set || generate_code(a, set, &diags, &gen))
		return complain(&diags, &err);
	l = (struct lower){ .arena = a, .diags = &diags, .core = gen.core, .set = set, .cs = &gen.code, .am = &gen.automata,
			    .rule = &set->rules[0] };
	lower_subjects(&l, subjects, n);
	if (diags.errors || generate_finish(a, set, &diags, &gen, object, &err) || diags.errors)
		return complain(&diags, &err);
	return 0;
}

/* Only what the program uses. */
static void choose_maps(struct bpf_object *o)
{
	struct bpf_map *m;

	bpf_object__for_each_map(m, o) {
		const char *name = bpf_map__name(m);

		bpf_map__set_autocreate(m, !strncmp(name, ".rodata.df_", 11) || !strncmp(name, ".data.df_", 9) ||
						   !strcmp(name, "df_text") || !strcmp(name, "df_loops"));
	}
}

static char log_text[1 << 22];
static size_t log_len;

static int keep_log(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if ((level == LIBBPF_WARN || getenv("DIFF_DEBUG")) && log_len < sizeof(log_text))
		log_len += (size_t)vsnprintf(log_text + log_len, sizeof(log_text) - log_len, fmt, ap);
	return 0;
}

static int load(const struct buf *object, const char *btf, struct batch *ret)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "df_diff", .btf_custom_path = btf);
	struct bpf_program *p;
	struct bpf_map *m;
	int e;

	libbpf_set_print(keep_log);
	log_len = 0;
	ret->object = bpf_object__open_mem(object->data, object->len, &opts);
	if (!ret->object)
		return -errno;
	bpf_object__for_each_program(p, ret->object)
		bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), "df_diff"));
	choose_maps(ret->object);
	e = bpf_object__load(ret->object);
	if (e)
		return e;
	p = bpf_object__find_program_by_name(ret->object, "df_diff");
	m = bpf_object__find_map_by_name(ret->object, ".data.df_shared");
	if (!p || !m)
		return -ENOENT;
	ret->prog = bpf_program__fd(p);
	ret->shared = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(m), 0);
	return ret->shared == MAP_FAILED ? -errno : 0;
}

int batch_load(struct arena *a, struct kbtf *here, const char *btf, const struct subject *subjects, uint32_t n,
	       struct batch *ret)
{
	struct buf object = BUF_INIT;
	int e;

	memset(ret, 0, sizeof(*ret));
	if (build(a, here, subjects, n, &object)) {
		buf_deinit(&object);
		return -1;
	}
	e = load(&object, btf, ret);
	buf_deinit(&object);
	if (e) {
		fprintf(stderr, "load: %s\n%s\n", strerror(-e), log_text);
		return -1;
	}
	return 0;
}

int batch_run(struct batch *b)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(b->prog, &opts)) {
		perror("run");
		return -1;
	}
	return 0;
}

void batch_unload(struct batch *b)
{
	if (b->shared && b->shared != MAP_FAILED)
		munmap(b->shared, sizeof(struct shared));
	bpf_object__close(b->object);
	memset(b, 0, sizeof(*b));
}
