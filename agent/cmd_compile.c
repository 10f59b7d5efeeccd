// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_compile.c - `deadfall compile FILE... -o set.bpf.o`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/commands.h"
#include "agent/source_set.h"
#include "lib/arena.h"
#include "lib/cleanup.h"
#include "rules/kbtf.h"

#define BTF_FILES 16

static int write_file(const char *path, const struct buf *b, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, b->data, b->len) != (ssize_t)b->len)
		return err_sys(err, errno, "%s", path);
	return 0;
}

static int compile(const struct sources *src, const char *const btf[], int nbtf, const char *out)
{
	struct arena *a = arena_create(NULL, NULL);
	struct buf object = BUF_INIT;
	struct kbtf *kbtf = NULL;
	struct err err;
	int ret;

	ret = kbtf_open_all(btf, nbtf, &kbtf, &err);
	if (!ret)
		ret = source_set_read(a, src, kbtf, &object, NULL, &err);
	if (!ret)
		ret = write_file(out, &object, &err);
	if (ret < 0)
		ret = command_fail("compile", &err);
	buf_deinit(&object);
	kbtf_close(kbtf);
	arena_destroy(a);
	return ret;
}

int cmd_compile(int argc, char **argv)
{
	const char *out = NULL, *btf[BTF_FILES];
	struct sources src = { .files = argv + 1 };
	int nbtf = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-o") && i + 1 < argc)
			out = argv[++i];
		else if (!strcmp(argv[i], "--btf") && i + 1 < argc) {
			if (nbtf == BTF_FILES)
				return command_usage("compile", "more than %d --btf", BTF_FILES);
			btf[nbtf++] = argv[++i];
		} else if (!strcmp(argv[i], "--json"))
			src.json = true;
		else if (!strcmp(argv[i], "--plain"))
			src.plain = true;
		else if (argv[i][0] == '-' && argv[i][1])
			return command_usage("compile", "no option '%s', or its argument is missing", argv[i]);
		else
			argv[1 + src.n++] = argv[i];
	}
	if (!src.n || !out)
		return command_usage("compile", "name the rule files and -o OBJECT");
	return compile(&src, btf, nbtf, out);
}
