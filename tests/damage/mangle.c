// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mangle.c - mangle DUMP RUNS SEED: reports from a dump of which some pages are not what they were.
 *
 * A first run learns which pages the report reads. Each further run damages one to four of these (noise, zeros, ones,
 * some bits, another page's bytes, or absent), and makes the report in every format. What must hold: no crash (built
 * with sanitizers), no hang (an alarm), and, where a page was absent, a word about it or the same report.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdump/kernel.h"
#include "kdump/mem.h"
#include "kdump/report.h"
#include "kdump/vmcoreinfo.h"

#define PAGE 4096u
#define DAMAGED_MAX 4
#define SECONDS_MAX 60

enum kind { NOISE, ZEROS, ONES, BITS, OTHER, ABSENT, KINDS };

struct mangler {
	struct mem mem;
	struct mem *inner;
	uint64_t *pages;	/* read so far, a set by open addressing; 0: empty */
	size_t npages, cap;
	struct {
		uint64_t page;
		enum kind kind;
		unsigned int seed;
	} damaged[DAMAGED_MAX];
	size_t ndamaged;
};

static void learn(struct mangler *m, uint64_t page)
{
	size_t s = (size_t)(page / PAGE * 0x9e3779b97f4a7c15ull >> 32) & (m->cap - 1);

	for (; m->pages[s]; s = (s + 1) & (m->cap - 1))
		if (m->pages[s] == page)
			return;
	if (2 * m->npages < m->cap) {
		m->pages[s] = page;
		m->npages++;
	}
}

/* The bytes of a damaged page that a read sees; the same on every read. */
static void spoil(uint8_t *buf, size_t len, uint64_t addr, enum kind kind, unsigned int seed)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t h = ((addr + i) ^ (uint64_t)seed << 40) * 0x9e3779b97f4a7c15ull;

		if (kind == ZEROS || kind == ONES)
			buf[i] = kind == ONES ? 0xff : 0;
		else if (kind == NOISE)
			buf[i] = (uint8_t)(h >> 33);
		else if (kind == BITS && h >> 60 == 0)
			buf[i] ^= (uint8_t)(1u << (h >> 33 & 7));
		else if (kind == OTHER)
			buf[i] = (uint8_t)(buf[i] + (addr + i) / 64);
	}
}

static int mangled_read(struct mem *mem, uint64_t addr, void *buf, size_t len, struct err *err)
{
	struct mangler *m = (struct mangler *)mem;
	uint64_t from, to;

	for (uint64_t page = addr & ~(uint64_t)(PAGE - 1); !m->ndamaged && page < addr + len; page += PAGE)
		learn(m, page);
	if (mem_read(m->inner, addr, buf, len, err))
		return -1;
	for (size_t i = 0; i < m->ndamaged; i++) {
		uint64_t page = m->damaged[i].page;

		from = addr > page ? addr : page;
		to = addr + len < page + PAGE ? addr + len : page + PAGE;
		if (from >= to)
			continue;
		if (m->damaged[i].kind == ABSENT)
			return err_set(err, ERR_ABSENT, "0x%llx: left out", (unsigned long long)from);
		spoil((uint8_t *)buf + (from - addr), (size_t)(to - from), from, m->damaged[i].kind, m->damaged[i].seed);
	}
	return 0;
}

/* Owned by main, not by the kernel that reads through it. */
static void mangled_destroy(struct mem *mem)
{
	(void)mem;
}

/* All formats; the text is returned, the caller frees it. */
static char *report(struct mangler *m, const char *vmcoreinfo, bool full)
{
	struct dump_info info = { .vmcoreinfo = strdup(vmcoreinfo), .format = "mangled" };
	struct set_select all = { .which = SELECT_ALL }, fired = { .which = SELECT_VERDICT };
	struct arena *a = arena_create(NULL, NULL);
	struct kernel *k = kernel_from_dump(&m->mem, &info, NULL);
	struct report *r = report_build_selected(k, a, full ? &all : &fired, "dump", "mangled");
	FILE *null = fopen("/dev/null", "w"), *out;
	char *text;
	size_t len;

	out = open_memstream(&text, &len);
	report_print_text(r, out, false, full);
	fclose(out);
	report_print_json(r, null, NULL);
	report_print_html(r, null, NULL);
	report_print_perfetto(r, null, NULL);
	fclose(null);
	arena_destroy(a);
	kernel_destroy(k);
	return text;
}

static uint64_t random_page(const struct mangler *m)
{
	uint64_t page;

	do
		page = m->pages[(size_t)random() & (m->cap - 1)];
	while (!page);
	return page;
}

/* The words for something that is missing, wherever it is. */
static bool says_so(const char *text)
{
	static const char *const words[] = { "unreadable (", "is not known", "cannot be read", "by scanning the stack" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

/* 0, or 1 when something that was left out is neither said nor without effect. */
static int run(struct mangler *m, const char *vmcoreinfo, const char *clean, bool full)
{
	bool absent_only = true;
	char *text;
	int bad;

	m->ndamaged = 1 + (size_t)random() % DAMAGED_MAX;
	for (size_t i = 0; i < m->ndamaged; i++) {
		m->damaged[i].page = random_page(m);
		m->damaged[i].kind = (enum kind)(random() % KINDS);
		m->damaged[i].seed = (unsigned int)random();
		absent_only = absent_only && m->damaged[i].kind == ABSENT;
	}
	alarm(SECONDS_MAX);
	text = report(m, vmcoreinfo, full);
	alarm(0);
	bad = absent_only && strcmp(text, clean) && !says_so(text);
	if (bad)
		printf("pages were left out, the report differs and does not say so:\n%s\n", text);
	free(text);
	return bad;
}

int main(int argc, char **argv)
{
	static const struct mem_ops ops = { .read = mangled_read, .destroy = mangled_destroy };
	struct mangler m = { .mem.ops = &ops, .cap = 1 << 16 };
	struct dump_info info;
	struct err err;
	char *clean[2];
	int bad = 0, runs;

	if (argc != 4)
		return 2;
	m.inner = mem_kdumpfile_open(argv[1], &info, &err);
	if (!m.inner) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	m.pages = calloc(m.cap, sizeof(*m.pages));
	runs = atoi(argv[2]);
	srandom((unsigned int)atoi(argv[3]));
	clean[0] = report(&m, info.vmcoreinfo, false);
	clean[1] = report(&m, info.vmcoreinfo, true);
	for (int i = 0; i < runs; i++)
		bad += run(&m, info.vmcoreinfo, clean[i % 4 == 0], i % 4 == 0);
	printf("%d runs, %zu pages are read, %d silent losses\n", runs, m.npages, bad);
	free(clean[0]);
	free(clean[1]);
	free(m.pages);
	mem_destroy(m.inner);
	dump_info_deinit(&info);
	return bad != 0;
}
