// SPDX-License-Identifier: GPL-2.0-or-later
/* program.c - see program.h. */
#include "kdump/program.h"

#include "kdump/files.h"
#include "kdump/process.h"
#include "lib/cursor.h"

#include <elf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The program headers, or NULL (and *count 0) if these bytes are no 64-bit little-endian ELF file. */
static const Elf64_Phdr *program_headers(const struct buf *elf, unsigned int *count)
{
	struct cursor c = cursor_init(elf->data, elf->len);
	const Elf64_Ehdr *eh = cursor_bytes(&c, sizeof(*eh));
	const Elf64_Phdr *ph;

	*count = 0;
	if (!eh || memcmp(eh->e_ident, ELFMAG, SELFMAG) || eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_ident[EI_DATA] != ELFDATA2LSB || eh->e_phentsize != sizeof(*ph))
		return NULL;
	cursor_seek(&c, eh->e_phoff);
	ph = cursor_bytes(&c, sizeof(*ph) * eh->e_phnum);
	if (ph)
		*count = eh->e_phnum;
	return ph;
}

int program_interpreter(const struct buf *elf, char *out, size_t size, struct err *err)
{
	unsigned int count;
	const Elf64_Phdr *ph = program_headers(elf, &count);

	*out = 0;
	if (!ph)
		return err_set(err, ERR_CORRUPT, "not a 64-bit ELF program");
	for (unsigned int i = 0; i < count; i++) {
		struct cursor c = cursor_init(elf->data, elf->len);
		const char *path;

		if (ph[i].p_type != PT_INTERP)
			continue;
		cursor_seek(&c, ph[i].p_offset);
		path = cursor_str(&c);
		if (!path || strlen(path) >= size)
			return err_set(err, ERR_CORRUPT, "damaged PT_INTERP");
		strcpy(out, path);
	}
	return 0;
}

void program_cut(struct buf *elf)
{
	unsigned int count;
	const Elf64_Phdr *ph = program_headers(elf, &count);
	Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)elf->data;
	size_t end;

	if (!ph)
		return;
	end = eh->e_phoff + count * sizeof(*ph);
	for (unsigned int i = 0; i < count; i++) {
		if (ph[i].p_filesz > elf->len || ph[i].p_offset > elf->len - ph[i].p_filesz)
			return;
		if (ph[i].p_type != PT_NULL && ph[i].p_offset + ph[i].p_filesz > end)
			end = ph[i].p_offset + ph[i].p_filesz;
	}
	if (end > elf->len)
		return;
	eh->e_shoff = 0;
	eh->e_shnum = 0;
	eh->e_shstrndx = SHN_UNDEF;
	elf->len = end;
}

static int add_elf(struct cpio *c, const char *path, const char *as, struct err *err)
{
	struct buf elf = BUF_INIT;
	int ret = read_under("", path, &elf, err);

	if (!ret) {
		program_cut(&elf);
		cpio_file(c, as, 0755, elf.data, elf.len);
	}
	buf_deinit(&elf);
	return ret;
}

/* One line of the loader's list: "libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x...)", "/lib64/ld... (0x..)". */
static int add_library(struct cpio *c, const char *line, struct err *err)
{
	char soname[256], path[PATH_MAX], as[300];
	const char *slash;

	if (strstr(line, "=> not found"))
		return err_set(err, ERR_ENVIRONMENT, "a library is missing:%s", line);
	if (sscanf(line, " %255s => %4095s (", soname, path) != 2 || path[0] != '/')
		return 0;
	slash = strrchr(soname, '/');
	snprintf(as, sizeof(as), "lib/%s", slash ? slash + 1 : soname);
	return cpio_has(c, as) ? 0 : add_elf(c, path, as, err);
}

static int add_libraries(struct cpio *c, const char *interpreter, const char *path, struct err *err)
{
	const char *const argv[] = { interpreter, "--list", path, NULL };
	struct process p = { .argv = argv, .limit = 60 };
	struct process_result r;
	char why[300], *save = NULL;

	if (process_run(&p, &r, err))
		return -1;
	if (!process_ok(&r)) {
		process_explain(&r, why, sizeof(why));
		return err_set(err, ERR_ENVIRONMENT, "%s --list %s: %s", interpreter, path, why);
	}
	for (char *line = strtok_r(r.output, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (add_library(c, line, err))
			return -1;
	}
	return add_elf(c, interpreter, interpreter, err);
}

int program_add(struct cpio *c, const char *path, const char *name, struct err *err)
{
	char interpreter[PATH_MAX], as[300];
	struct buf elf = BUF_INIT;
	int ret;

	ret = read_under("", path, &elf, err);
	if (!ret && program_interpreter(&elf, interpreter, sizeof(interpreter), err))
		ret = err_wrap(err, "%s", path);
	if (!ret) {
		snprintf(as, sizeof(as), "bin/%s", name);
		program_cut(&elf);
		cpio_file(c, as, 0755, elf.data, elf.len);
		if (*interpreter)
			ret = add_libraries(c, interpreter, path, err);
	}
	buf_deinit(&elf);
	return ret;
}
