// SPDX-License-Identifier: GPL-2.0-or-later
/* makedumpfile.c - see makedumpfile.h. */
#include "kdump/makedumpfile.h"

#include "kdump/files.h"
#include "kdump/process.h"
#include "lib/cleanup.h"
#include "lib/cursor.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* "zstd\tenabled" */
static bool enabled(const char *output, const char *what)
{
	const char *p = strstr(output, what);

	if (!p)
		return false;
	p += strlen(what);
	return !strncmp(p + strspn(p, " \t"), "enabled", 7);
}

int makedumpfile_parse(const char *output, struct makedumpfile *m, struct err *err)
{
	const char *p = strstr(output, "version ");

	if (!p || sscanf(p, "version %u.%u.%u", &m->version[0], &m->version[1], &m->version[2]) < 2)
		return err_set(err, ERR_UNSUPPORTED, "makedumpfile -v does not tell its version: %.80s", output);
	m->lzo = enabled(output, "lzo");
	m->snappy = enabled(output, "snappy");
	m->zstd = enabled(output, "zstd");
	m->compress = m->zstd ? "-z" : m->lzo ? "-l" : "-c";
	return 0;
}

int makedumpfile_probe(struct makedumpfile *m, struct err *err)
{
	const char *argv[] = { m->path, "-v", NULL };
	struct process p = { .argv = argv, .limit = 30 };
	struct process_result r;

	*m = (struct makedumpfile){ 0 };
	if (!find_program("makedumpfile", m->path, sizeof(m->path)))
		return err_set(err, ERR_ENVIRONMENT, "makedumpfile is not installed: apt-get install makedumpfile");
	if (process_run(&p, &r, err))
		return -1;
	return makedumpfile_parse(r.output, m, err);
}

static int find_note(const void *notes, size_t len, struct buf *out, struct err *err)
{
	struct cursor c = cursor_init(notes, len);

	while (cursor_left(&c) >= sizeof(Elf64_Nhdr)) {
		uint32_t namesz = cursor_u32(&c), descsz = cursor_u32(&c);
		const char *name, *desc;

		cursor_u32(&c);
		name = cursor_bytes(&c, (namesz + 3U) & ~3U);
		desc = cursor_bytes(&c, (descsz + 3U) & ~3U);
		if (!name || !desc)
			break;
		if (namesz < 10 || memcmp(name, "VMCOREINFO", 10))
			continue;
		buf_add(out, desc, descsz);
		return buf_failed(out) ? err_nomem(err) : 0;
	}
	return err_set(err, ERR_ABSENT, "kcore has no VMCOREINFO note");
}

int vmcoreinfo_read(const char *root, struct buf *out, struct err *err)
{
	char path[PATH_MAX];
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	snprintf(path, sizeof(path), "%s/proc/kcore", root);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, &eh, sizeof(eh), 0) != sizeof(eh))
		return err_sys(err, errno, "%s", path);
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		off_t at = (off_t)(eh.e_phoff + i * sizeof(ph));

		if (pread(fd, &ph, sizeof(ph), at) != sizeof(ph))
			break;
		if (ph.p_type != PT_NOTE || ph.p_filesz > 1 << 20)
			continue;
		_cleanup_free_ void *notes = malloc(ph.p_filesz);

		if (!notes)
			return err_nomem(err);
		if (pread(fd, notes, ph.p_filesz, (off_t)ph.p_offset) != (ssize_t)ph.p_filesz)
			return err_sys(err, errno, "%s: notes", path);
		return find_note(notes, ph.p_filesz, out, err);
	}
	return err_set(err, ERR_ABSENT, "%s has no notes", path);
}

struct level_choice makedumpfile_level(const struct makedumpfile *m)
{
	struct level_facts facts = { 0 };
	struct buf info = BUF_INIT;
	struct level_choice choice;

	if (!vmcoreinfo_read("", &info, NULL))
		facts.vmcoreinfo = buf_str(&info);
	memcpy(facts.makedumpfile, m->version, sizeof(facts.makedumpfile));
	choice = level_choose(&facts);
	buf_deinit(&info);
	return choice;
}
