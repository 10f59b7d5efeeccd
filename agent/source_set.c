// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/source_set.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "rules/compile.h"
#include "rules/generate.h"

bool source_is_object(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char magic[4] = "";

	return fd >= 0 && read(fd, magic, 4) == 4 && !memcmp(magic, "\177ELF", 4);
}

static int read_object(const char *path, struct buf *out, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	return file_read_fd(fd, out, err) ? err_wrap(err, "%s", path) : 0;
}

int source_set_read(struct arena *a, char *const files[], int n, struct kbtf *kbtf, bool json, struct buf *out,
		    struct err *err)
{
	struct diags diags = diags_init(a);
	struct rule_set *set = NULL;
	struct generated gen = { 0 };

	if (n == 1 && source_is_object(files[0]))
		return read_object(files[0], out, err);
	for (int i = 0; i < n; i++) {
		if (source_is_object(files[i]))
			return err_set(err, ERR_INVALID, "%s is a compiled set: load it alone", files[i]);
	}
	if (!compile_check(a, files, n, kbtf, &diags, &set) && generate_object(a, set, &diags, &gen, out, err))
		return -1;
	if (json && diags.n)
		diags_print_json(&diags, stderr);
	else
		diags_print(&diags, stderr, isatty(STDERR_FILENO));
	return diags.errors ? 1 : 0;
}
