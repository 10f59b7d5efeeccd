// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dump.c - libFuzzer targets of the readers of a dump; FUZZ_TARGET says which: the text of VMCOREINFO, a kallsyms table,
 * type information (BTF), and a whole dead kernel with a rule set, in which the bytes change what they like.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kdump/kallsyms.h"
#include "kdump/ktypes.h"
#include "kdump/report.h"
#include "kdump/vmcoreinfo.h"
#include "lib/cursor.h"
#define SET_IMAGE_RUNTIME "/../runtime.bpf.o"
#include "tests/unit/set_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#if FUZZ_TARGET == 1	/* vmcoreinfo */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = { "OSRELEASE", "PAGESIZE", "KERNELOFFSET", "CRASHTIME", "", "=", "SYMBOL(_stext)" };
	char *text = malloc(size + 1), value[16];
	uint64_t addr;

	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!vmcoreinfo_get(text, keys[i], value, sizeof(value), NULL) && strlen(value) >= sizeof(value))
			abort();
	vmcoreinfo_symbol(text, "_stext", &addr, NULL);
	vmcoreinfo_symbol(text, "kallsyms_names", &addr, NULL);
	free(text);
	return 0;
}
#elif FUZZ_TARGET == 2	/* kallsyms */
static void *copy(struct cursor *c, size_t len)
{
	const void *from = cursor_bytes(c, len);
	void *to = malloc(len + 1);

	if (from)
		memcpy(to, from, len);
	else
		memset(to, 0, len);
	((char *)to)[len] = '\0';
	return to;
}

/* num, base, lengths of names and tokens, the token index, then the parts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_init(data, size);
	struct kallsyms_raw raw = { .num = cursor_u16(&c), .relative_base = cursor_u64(&c) };
	struct kallsyms *s;
	char name[64], type;
	uint64_t addr;

	raw.names_len = cursor_u16(&c);
	raw.token_table_len = cursor_u16(&c);
	for (size_t i = 0; i < KALLSYMS_TOKENS; i++)
		raw.token_index[i] = cursor_u8(&c) * 4u;
	raw.names = copy(&c, raw.names_len);
	raw.token_table = copy(&c, raw.token_table_len);
	raw.offsets = copy(&c, 4 * (size_t)raw.num);
	s = kallsyms_create(&raw, NULL);
	if (!s)
		return 0;
	for (size_t i = 0; i < kallsyms_count(s); i++) {
		addr = kallsyms_get(s, i, &type, name, sizeof(name));
		kallsyms_at(s, addr, name, sizeof(name), &addr, NULL);
		kallsyms_find(s, name, &addr, NULL);
	}
	kallsyms_destroy(s);
	return 0;
}
#elif FUZZ_TARGET == 3	/* btf */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const asks[][2] = { { "df_match", "state" }, { "df_event", "" }, { "df_state", "m.count" },
					       { "a", "b.c" }, { "", "" }, { "df_node", "e.seq" } };
	struct ktypes *t = ktypes_create(data, size, NULL);
	struct kmember m;

	for (size_t i = 0; t && i < sizeof(asks) / sizeof(*asks); i++)
		ktypes_member(t, asks[i][0], asks[i][1], &m, NULL);
	for (uint32_t id = 0; t && id < 64; id++)
		ktypes_member_of(t, id, "df_ctl", &m, NULL);
	ktypes_destroy(t);
	return 0;
}
#else			/* maps */
/* Pages of the image that readers of maps look at: all but the runtime's BTF, which the target above is for. */
static void damage(struct image *im, struct cursor *c)
{
	struct image_page *p;
	uint8_t what, at;

	while (cursor_left(c) >= 5) {
		p = &im->pages[cursor_u16(c) % im->npages];
		what = cursor_u8(c);
		at = cursor_u8(c);
		if (p->addr >= BTF_DATA && p->addr < BTF_DATA + 0x1000000) {
			cursor_u8(c);
			continue;
		}
		if (what & 0x80)
			memset(p->present, 0, sizeof(p->present));
		for (unsigned int i = 0; i <= (what & 7u) && at + i < IMAGE_PAGE && cursor_left(c); i++)
			p->bytes[at + i] = cursor_u8(c);
	}
}

static struct image *fresh(bool lists)
{
	static struct image *base[2];
	struct image *im = calloc(1, sizeof(*im));

	if (!base[lists])
		base[lists] = set_image(lists);
	*im = *base[lists];
	im->pages = malloc(im->npages * sizeof(*im->pages));
	memcpy(im->pages, base[lists]->pages, im->npages * sizeof(*im->pages));
	im->lines = malloc(im->nlines * sizeof(*im->lines));
	memcpy(im->lines, base[lists]->lines, im->nlines * sizeof(*im->lines));
	return im;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct set_select all = { .which = SELECT_ALL };
	struct cursor c = cursor_init(data, size);
	uint8_t flags = cursor_u8(&c);
	struct image *im = fresh(flags & 1);
	struct arena *a = arena_create(NULL, NULL);
	FILE *null = fopen("/dev/null", "w");
	struct report *r;

	damage(im, &c);
	r = flags & 2 ? report_build_selected(&im->kernel, a, &all, "f", "f") : report_build(&im->kernel, a, "f", "f");
	report_print_text(r, null, false, flags & 4);
	report_print_json(r, null, NULL);
	report_print_perfetto(r, null, NULL);
	fclose(null);
	arena_destroy(a);
	image_destroy(&im->kernel);
	return 0;
}
#endif
