// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/file.h"
#include "rules/runtime.h"

/* What libbpf said last, for the error message. libbpf's print callback has no argument of ours. */
static char last_words[512];

static int remember(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level <= LIBBPF_WARN)
		vsnprintf(last_words, sizeof(last_words), fmt, ap);
	return 0;
}

static int add_object(struct bpf_linker *linker, const struct buf *object, struct err *err)
{
	_cleanup_close_ int fd = file_memory("object", object->data, object->len, err);
	char path[32];

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (bpf_linker__add_file(linker, path, NULL))
		return err_set(err, ERR_CORRUPT, "link: %s", last_words);
	return 0;
}

int link_objects(const struct buf *const objects[], int n, struct buf *out, struct err *err)
{
	_cleanup_close_ int fd = file_memory("linked", NULL, 0, err);
	libbpf_print_fn_t old = libbpf_set_print(remember);
	struct bpf_linker *linker = NULL;
	char path[32];
	int ret = -1;

	if (fd < 0)
		goto out;
	last_words[0] = '\0';
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	linker = bpf_linker__new(path, NULL);
	if (!linker) {
		err_sys(err, errno, "start BPF linker");
		goto out;
	}
	for (int i = 0; i < n; i++) {
		if (add_object(linker, objects[i], err))
			goto out;
	}
	if (bpf_linker__finalize(linker)) {
		err_set(err, ERR_CORRUPT, "link: %s", last_words);
		goto out;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		err_sys(err, errno, "seek");
	else
		ret = file_read_fd(fd, out, err);
out:
	bpf_linker__free(linker);
	libbpf_set_print(old);
	return ret;
}
