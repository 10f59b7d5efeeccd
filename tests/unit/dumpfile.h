/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dumpfile.h - dump files made from text, so that tests of readers need no VM.
 *
 *	machine x86_64 | x86_64-la57 | arm64
 *	kaslr 0x12000000			what the kernel image is shifted by
 *	vmcoreinfo OSRELEASE 6.12.0-test	more lines of VMCOREINFO
 *	symbol T vfs_read 0xffffffff81000000	of kallsyms, as linked; the table itself is made
 *	at 0xffff888000100000 q:0x10 "text"	memory, as in image.h; addresses in the kernel image are as linked
 *	absent 0xffff888000100000		that page is mapped, and not in the file
 *	corrupt 0xffff888000100000		its data is damaged (compressed formats)
 *	huge 0xffff888000100000			its descriptor says that it is larger than a page
 *
 * Every page lies somewhere in physical memory, with page tables that lead to it: what reads it finds the page tables
 * by VMCOREINFO. Formats: ELF, and makedumpfile's with each compression; either may be flattened.
 */
#ifndef TESTS_UNIT_DUMPFILE_H
#define TESTS_UNIT_DUMPFILE_H

#include "lib/buf.h"
#include "tests/unit/image.h"

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#define DF_PAGE 4096u
#define DF_PAGES 256u
#define DF_ARM64_PHYS 0x40000000ull	/* where physical memory begins */
#define DF_TABLES 0x80000u		/* page tables from here on, data before */
#define DF_X86_IMAGE 0xffffffff80000000ull
#define DF_ARM64_IMAGE 0xffff800080000000ull

enum df_format { DF_ELF, DF_RAW, DF_ZLIB, DF_LZO, DF_SNAPPY, DF_ZSTD };

struct dumpfile {
	bool arm64;
	unsigned int levels;
	uint64_t kaslr, phys;		/* phys: where memory begins */
	uint8_t memory[DF_PAGES * DF_PAGE];
	bool present[DF_PAGES], corrupt[DF_PAGES], huge[DF_PAGES];
	unsigned int data, tables;	/* next free page of either kind */
	struct buf info;		/* VMCOREINFO */
	char *text;
};

/* The physical page, as an index, of table entry `at`; made if it is not there. */
static inline unsigned int df_table(struct dumpfile *d, unsigned int page, unsigned int at)
{
	uint8_t *entry = d->memory + page * DF_PAGE + 8 * at;
	uint64_t v;

	memcpy(&v, entry, 8);
	if (!v) {
		v = (d->phys + (uint64_t)d->tables * DF_PAGE) | (d->arm64 ? 3 : 0x63);
		memcpy(entry, &v, 8);
		d->present[d->tables] = true;
		d->tables++;
	}
	return (unsigned int)(((v & 0xfffffffff000ull) - d->phys) / DF_PAGE);
}

/* The page of memory at a virtual address; mapped when it is first named. */
static inline unsigned int df_map(struct dumpfile *d, uint64_t addr)
{
	unsigned int page = DF_TABLES / DF_PAGE, at;
	uint64_t v;

	for (unsigned int level = d->levels; level > 1; level--)
		page = df_table(d, page, addr >> (12 + 9 * (level - 1)) & 511);
	at = addr >> 12 & 511;
	memcpy(&v, d->memory + page * DF_PAGE + 8 * at, 8);
	if (!v) {
		v = (d->phys + (uint64_t)d->data * DF_PAGE) | (d->arm64 ? 0x403 | 0x300 : 0x63);
		memcpy(d->memory + page * DF_PAGE + 8 * at, &v, 8);
		d->present[d->data] = true;
		d->data += 2;	/* libkdumpfile takes the end of one segment for the beginning of the next */
	}
	return (unsigned int)(((v & 0xfffffffff000ull) - d->phys) / DF_PAGE);
}

/* Addresses in the kernel image move with KASLR. */
static inline uint64_t df_address(const struct dumpfile *d, uint64_t addr)
{
	uint64_t image = d->arm64 ? DF_ARM64_IMAGE : DF_X86_IMAGE;

	return addr >= image && addr < image + 0x40000000 ? addr + d->kaslr : addr;
}

static inline void df_put(struct dumpfile *d, uint64_t addr, const void *data, size_t len)
{
	addr = df_address(d, addr);
	for (size_t i = 0; i < len; i++)
		d->memory[df_map(d, addr + i) * DF_PAGE + (addr + i) % DF_PAGE] = ((const uint8_t *)data)[i];
}

static inline void df_put_number(struct dumpfile *d, uint64_t addr, uint64_t v, size_t size)
{
	df_put(d, addr, &v, size);
}

/* kallsyms as the kernel has it, with a token for each character; the tables lie behind the image's code. */
#define DF_KALLSYMS 0x600000ull

struct df_symbol {
	uint64_t addr;
	char type, name[64];
};

static inline int df_by_address(const void *x, const void *y)
{
	const struct df_symbol *a = x, *b = y;

	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static inline void df_info_symbol(struct dumpfile *d, const char *name, uint64_t addr)
{
	buf_printf(&d->info, "SYMBOL(%s)=%llx\n", name, (unsigned long long)df_address(d, addr));
}

static inline void df_kallsyms(struct dumpfile *d, struct df_symbol *s, size_t n)
{
	uint64_t image = d->arm64 ? DF_ARM64_IMAGE : DF_X86_IMAGE, base = image + DF_KALLSYMS;
	uint64_t names = base + 0x1000, tokens = base + 0x2000, index = base + 0x3000, offsets = base + 0x4000;
	size_t at = 0;

	qsort(s, n, sizeof(*s), df_by_address);
	df_put_number(d, base, n, 4);
	df_put_number(d, base + 8, image + d->kaslr, 8);
	for (size_t i = 0; i < n; i++) {
		uint8_t len = (uint8_t)(strlen(s[i].name) + 1);

		df_put(d, names + at, &len, 1);
		df_put(d, names + at + 1, &s[i].type, 1);
		df_put(d, names + at + 2, s[i].name, len - 1u);
		at += len + 1u;
		/*
		 * x86-64 counts down from the base, and has per-CPU symbols as they are; arm64 (without
		 * CONFIG_KALLSYMS_ABSOLUTE_PERCPU) counts up.
		 */
		df_put_number(d, offsets + 4 * i, d->arm64 ? s[i].addr - image : s[i].addr < image ? s[i].addr :
						      0 - (s[i].addr - image + 1), 4);
	}
	for (unsigned int i = 0; i < 256; i++) {
		df_put_number(d, tokens + 2 * i, i, 2);
		df_put_number(d, index + 2 * i, 2 * i, 2);
	}
	df_info_symbol(d, "kallsyms_num_syms", base);
	df_info_symbol(d, "kallsyms_relative_base", base + 8);
	df_info_symbol(d, "kallsyms_names", names);
	df_info_symbol(d, "kallsyms_token_table", tokens);
	df_info_symbol(d, "kallsyms_token_index", index);
	df_info_symbol(d, "kallsyms_offsets", offsets);
}

/* Page tables must lie in the image, where VMCOREINFO's symbol says. */
static inline void df_begin(struct dumpfile *d, const char *machine)
{
	d->arm64 = !strcmp(machine, "arm64");
	d->levels = !strcmp(machine, "x86_64-la57") ? 5 : 4;
	d->phys = d->arm64 ? DF_ARM64_PHYS : 0;
	d->data = 1;
	d->tables = DF_TABLES / DF_PAGE + 1;
	d->present[DF_TABLES / DF_PAGE] = true;
}

static inline void df_machine_info(struct dumpfile *d)
{
	buf_printf(&d->info, "PAGESIZE=4096\nKERNELOFFSET=%llx\n", (unsigned long long)d->kaslr);
	if (d->arm64) {
		/* The image's own mapping is linear: its first page is where the tables are, less their place. */
		buf_printf(&d->info, "NUMBER(VA_BITS)=48\nNUMBER(kimage_voffset)=0x%llx\nNUMBER(PHYS_OFFSET)=0x%llx\n"
			   "NUMBER(TCR_EL1_T1SZ)=0x10\n",
			   (unsigned long long)(DF_ARM64_IMAGE + d->kaslr - d->phys), (unsigned long long)d->phys);
		df_info_symbol(d, "swapper_pg_dir", DF_ARM64_IMAGE + DF_TABLES);
	} else {
		buf_printf(&d->info, "NUMBER(phys_base)=%lld\nNUMBER(pgtable_l5_enabled)=%d\n", -(long long)d->kaslr,
			   d->levels == 5);
		df_info_symbol(d, "init_top_pgt", DF_X86_IMAGE + DF_TABLES);
	}
}

static inline void df_line(struct dumpfile *d, const char *line, struct df_symbol *symbols, size_t *nsymbols)
{
	struct image im = { 0 };
	struct image_line l = { 0 };
	uint64_t addr;

	if (sscanf(line, "%11s %127s %127s %63s", l.kind, l.a, l.b, l.c) < 2)
		return;
	addr = strtoull(l.a, NULL, 0);
	if (!strcmp(l.kind, "kaslr"))
		d->kaslr = addr;
	else if (!strcmp(l.kind, "vmcoreinfo"))
		buf_printf(&d->info, "%s=%s\n", l.a, l.b);
	else if (!strcmp(l.kind, "absent"))
		d->present[df_map(d, df_address(d, addr))] = false;
	else if (!strcmp(l.kind, "corrupt"))
		d->corrupt[df_map(d, df_address(d, addr))] = true;
	else if (!strcmp(l.kind, "huge"))
		d->huge[df_map(d, df_address(d, addr))] = true;
	if (!strcmp(l.kind, "symbol")) {
		struct df_symbol *s = &symbols[(*nsymbols)++];

		s->type = *l.a;
		snprintf(s->name, sizeof(s->name), "%.63s", l.b);
		s->addr = strtoull(l.c, NULL, 0);
	}
	if (strcmp(l.kind, "at"))
		return;
	image_bytes(&im, addr, strstr(line, l.a) + strlen(l.a) + 1);
	for (size_t i = 0; i < im.npages; i++)
		for (size_t j = 0; j < IMAGE_PAGE; j++)
			if (im.pages[i].present[j])
				df_put(d, im.pages[i].addr + j, &im.pages[i].bytes[j], 1);
	free(im.pages);
}

static inline struct dumpfile *dumpfile_create(const char *text)
{
	struct dumpfile *d = calloc(1, sizeof(*d));
	struct df_symbol symbols[64];
	char line[1024], machine[32] = "x86_64";
	size_t n = 0;

	sscanf(text, "machine %31s", machine);
	df_begin(d, machine);
	for (; *text; text += *text == '\n') {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		text += len;
		df_line(d, line, symbols, &n);
	}
	df_kallsyms(d, symbols, n);
	df_machine_info(d);
	return d;
}

static inline void dumpfile_destroy(struct dumpfile *d)
{
	buf_deinit(&d->info);
	free(d);
}

/* --- formats --- */

static inline void df_note(struct buf *b, struct dumpfile *d)
{
	Elf64_Nhdr n = { .n_namesz = 11, .n_descsz = (Elf64_Word)d->info.len };

	buf_add(b, &n, sizeof(n));
	buf_add(b, "VMCOREINFO\0", 12);
	buf_add(b, buf_str(&d->info), d->info.len);
	while (b->len % 4)
		buf_putc(b, 0);
}

static inline void df_elf(struct dumpfile *d, struct buf *b)
{
	Elf64_Ehdr eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_CORE,
			  .e_machine = d->arm64 ? EM_AARCH64 : EM_X86_64, .e_version = EV_CURRENT,
			  .e_phoff = sizeof(eh), .e_ehsize = sizeof(eh), .e_phentsize = sizeof(Elf64_Phdr) };
	Elf64_Phdr note = { .p_type = PT_NOTE };
	struct buf notes = BUF_INIT;
	uint64_t at;

	for (unsigned int i = 0; i < DF_PAGES; i++)
		eh.e_phnum = (Elf64_Half)(eh.e_phnum + d->present[i]);
	eh.e_phnum++;
	df_note(&notes, d);
	note.p_offset = sizeof(eh) + eh.e_phnum * sizeof(note);
	note.p_filesz = notes.len;
	buf_add(b, &eh, sizeof(eh));
	buf_add(b, &note, sizeof(note));
	at = (note.p_offset + notes.len + DF_PAGE - 1) & ~(uint64_t)(DF_PAGE - 1);
	for (unsigned int i = 0; i < DF_PAGES; i++) {
		Elf64_Phdr ph = { .p_type = PT_LOAD, .p_offset = at, .p_paddr = d->phys + i * DF_PAGE,
				  .p_vaddr = (d->arm64 ? 0xffff000000000000ull : 0xffff888000000000ull) + i * DF_PAGE,
				  .p_filesz = DF_PAGE, .p_memsz = DF_PAGE };

		if (!d->present[i])
			continue;
		buf_add(b, &ph, sizeof(ph));
		at += DF_PAGE;
	}
	buf_add(b, notes.data, notes.len);
	while (b->len % DF_PAGE)
		buf_putc(b, 0);
	for (unsigned int i = 0; i < DF_PAGES; i++)
		if (d->present[i])
			buf_add(b, d->memory + i * DF_PAGE, DF_PAGE);
	buf_deinit(&notes);
}

/*
 * lzo and snappy without their libraries: blocks of 64 bytes, either literal or a copy of the zero in front of them.
 * The length of a literal or copied run in blocks, from block i on; *zero tells which.
 */
#define DF_BLOCK 64u

static inline unsigned int df_run(const uint8_t *page, unsigned int i, bool *zero)
{
	static const uint8_t zeros[DF_BLOCK + 1];
	unsigned int n = 0;
	bool z;

	for (; i + n < DF_PAGE / DF_BLOCK; n++) {
		z = i + n && !memcmp(page + (i + n) * DF_BLOCK - 1, zeros, DF_BLOCK + 1);
		if (n && z != *zero)
			break;
		*zero = z;
	}
	return n;
}

/* Lengths in lzo: what the first byte cannot hold, in 255s as zero bytes, then the rest. */
static inline void df_lzo_length(struct buf *out, unsigned int left)
{
	for (; left > 255; left -= 255)
		buf_putc(out, 0);
	buf_putc(out, (char)left);
}

static inline void df_lzo(const uint8_t *page, struct buf *out)
{
	bool zero = false;

	for (unsigned int i = 0, n; i < DF_PAGE / DF_BLOCK; i += n) {
		n = df_run(page, i, &zero);
		buf_putc(out, zero ? 0x20 : 0);
		df_lzo_length(out, n * DF_BLOCK - (zero ? 33 : 18));
		if (zero)
			buf_add(out, "\0\0", 2);	/* distance 1, no literals behind */
		else
			buf_add(out, page + i * DF_BLOCK, n * DF_BLOCK);
	}
	buf_add(out, "\x11\0", 3);
}

static inline void df_snappy(const uint8_t *page, struct buf *out)
{
	bool zero = false;

	buf_add(out, "\x80\x20", 2);	/* the length */
	for (unsigned int i = 0, n; i < DF_PAGE / DF_BLOCK; i += n) {
		n = df_run(page, i, &zero);
		for (unsigned int j = i; j < i + n; j++) {
			buf_add(out, zero ? "\xfe\1" : "\xf0\x3f", zero ? 3 : 2);
			if (!zero)
				buf_add(out, page + j * DF_BLOCK, DF_BLOCK);
		}
	}
}

/* One page, compressed. Returns the flag of the compression. */
static inline uint32_t df_compress(enum df_format format, const uint8_t *page, struct buf *out)
{
	uint8_t room[2 * DF_PAGE];
	uLongf len = sizeof(room);

	switch (format) {
	case DF_ZLIB:
		compress2(room, &len, page, DF_PAGE, 6);
		buf_add(out, room, len);
		return 1;
	case DF_LZO:
		df_lzo(page, out);
		return 2;
	case DF_SNAPPY:
		df_snappy(page, out);
		return 4;
	case DF_ZSTD:
		len = ZSTD_compress(room, sizeof(room), page, DF_PAGE, 3);
		buf_add(out, room, len);
		return 0x20;
	default:
		buf_add(out, page, DF_PAGE);
		return 0;
	}
}

static inline void df_at(struct buf *b, size_t offset, uint64_t v, size_t size)
{
	memcpy(b->data + offset, &v, size);
}

/* makedumpfile's format: header, sub-header with VMCOREINFO, two bitmaps, descriptors, pages. */
static inline void df_kdump(struct dumpfile *d, enum df_format format, struct buf *b)
{
	static const char *const uts[] = { "Linux", "test", "6.12.0-test", "#1", "x86_64", "(none)" };
	uint64_t first = d->phys / DF_PAGE, max = first + DF_PAGES;
	unsigned int map = (unsigned int)((max / 8 + DF_PAGE - 1) / DF_PAGE), n = 0;
	struct buf pages = BUF_INIT, descs = BUF_INIT, note = BUF_INIT;
	uint64_t data;

	for (unsigned int i = 0; i < (3 + 2 * map) * DF_PAGE; i++)
		buf_putc(b, 0);
	memcpy(b->data, "KDUMP   ", 8);
	df_at(b, 8, 6, 4);
	for (size_t i = 0; i < 6; i++)	/* struct new_utsname */
		strcpy((char *)b->data + 12 + 65 * i, i == 4 && d->arm64 ? "aarch64" : uts[i]);
	df_at(b, 428, DF_PAGE, 4);
	df_at(b, 432, 2, 4);		/* sub-header: it, and VMCOREINFO behind it */
	df_at(b, 436, 2 * map, 4);
	df_at(b, 440, max, 4);
	df_at(b, 460, 1, 4);
	df_note(&note, d);
	df_at(b, DF_PAGE + 48, 2 * DF_PAGE, 8);
	df_at(b, DF_PAGE + 56, note.len, 8);
	df_at(b, DF_PAGE + 96, max, 8);
	memcpy(b->data + 2 * DF_PAGE, note.data, note.len);
	for (unsigned int i = 0; i < DF_PAGES; i++)
		n += d->present[i];
	data = b->len + 24 * (uint64_t)n;
	for (unsigned int i = 0; i < DF_PAGES; i++) {
		uint64_t pfn = first + i, desc[3] = { data + pages.len };

		b->data[3 * DF_PAGE + pfn / 8] |= (uint8_t)(1u << pfn % 8);
		if (!d->present[i])
			continue;
		b->data[(3 + map) * DF_PAGE + pfn / 8] |= (uint8_t)(1u << pfn % 8);
		desc[1] = (uint64_t)df_compress(format, d->memory + i * DF_PAGE, &pages) << 32;
		desc[1] |= data + pages.len - desc[0];
		if (d->corrupt[i])
			memset(pages.data + (desc[0] - data), 0xee, (uint32_t)desc[1]);
		if (d->huge[i])
			desc[1] = (desc[1] & ~0xffffffffull) | 0x7fffff00;
		buf_add(&descs, desc, sizeof(desc));
	}
	buf_add(b, descs.data, descs.len);
	buf_add(b, pages.data, pages.len);
	buf_deinit(&pages);
	buf_deinit(&descs);
	buf_deinit(&note);
}

static inline void df_be64(struct buf *b, uint64_t v)
{
	for (int i = 56; i >= 0; i -= 8)
		buf_putc(b, (char)(v >> i));
}

/* As makedumpfile -F writes to a pipe: pieces with their offsets, here in two, the second half first. */
static inline void df_flatten(const struct buf *in, struct buf *out)
{
	size_t half = in->len / 2, from[] = { half, 0 }, len[] = { in->len - half, half };

	buf_add(out, "makedumpfile\0\0\0", 16);
	df_be64(out, 1);
	df_be64(out, 1);
	while (out->len < DF_PAGE)
		buf_putc(out, 0);
	for (int i = 0; i < 2; i++) {
		df_be64(out, from[i]);
		df_be64(out, len[i]);
		buf_add(out, in->data + from[i], len[i]);
	}
	df_be64(out, UINT64_MAX);
	df_be64(out, UINT64_MAX);
}

/* A file with the dump, and the path that opens it; the caller closes the descriptor. keep: bytes kept, 0: all. */
static inline int dumpfile_write(struct dumpfile *d, enum df_format format, bool flatten, size_t keep, char path[64])
{
	struct buf b = BUF_INIT, flat = BUF_INIT, *out = &b;
	int fd = memfd_create("dump", 0);

	if (format == DF_ELF)
		df_elf(d, &b);
	else
		df_kdump(d, format, &b);
	if (flatten) {
		df_flatten(&b, &flat);
		out = &flat;
	}
	if (write(fd, out->data, keep && keep < out->len ? keep : out->len) < 0)
		abort();
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	buf_deinit(&b);
	buf_deinit(&flat);
	return fd;
}

#endif
