// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/verlog.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define LOG_MAX (8u << 20)
#define LOG_FILE "/run/deadfall-verifier.log"

static struct verlog *current;

verlog_accepted_fn *verlog_accepted;

/* prog 'NAME': -- BEGIN PROG LOAD LOG -- ... processed N insns (limit M) max_states_per_insn K total_states N ... */
static void accepted(const char *fmt, va_list ap)
{
	const char *text, *stats, *states, *name;
	struct buf line = BUF_INIT;

	buf_vprintf(&line, fmt, ap);
	text = buf_str(&line);
	name = strchr(text, '\'');
	stats = strstr(text, "\nprocessed ");
	states = stats ? strstr(stats, "total_states ") : NULL;
	if (name && states && strstr(text, "PROG LOAD LOG") && strchr(name + 1, '\'')) {
		char *program = strndup(name + 1, strcspn(name + 1, "'"));

		verlog_accepted(program ? program : "", (uint32_t)strtoul(stats + strlen("\nprocessed "), NULL, 10),
				(uint32_t)strtoul(states + strlen("total_states "), NULL, 10));
		free(program);
	}
	buf_deinit(&line);
}

static int collect(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_DEBUG && verlog_accepted)
		accepted(fmt, ap);
	if (current && level <= LIBBPF_INFO && current->text.len < LOG_MAX)
		buf_vprintf(&current->text, fmt, ap);
	return 0;
}

void verlog_begin(struct verlog *log)
{
	*log = (struct verlog){ .text = BUF_INIT };
	current = log;
	log->old_print = (void *)libbpf_set_print(collect);
}

void verlog_end(struct verlog *log)
{
	libbpf_set_print((libbpf_print_fn_t)log->old_print);
	current = NULL;
}

bool verlog_line(const char *text, char *out, size_t size)
{
	const char *found = NULL, *end;

	/* source lines begin with "; "; ours then have the line's number and a colon */
	for (const char *p = text; (p = strstr(p, "\n; ")); p++) {
		const char *s = p + 3;
		size_t digits = strspn(s, "0123456789");

		if (digits && s[digits] == ':')
			found = s;
	}
	if (!found)
		return false;
	end = found + strcspn(found, "\n");
	snprintf(out, size, "%.*s", (int)(end - found), found);
	return true;
}

/* The verifier's complaint: the line before "processed N insns", or libbpf's first one. */
static void complaint(const char *text, char *out, size_t size)
{
	const char *end = strstr(text, "\nprocessed "), *start;

	if (!end) {
		snprintf(out, size, "%.*s", (int)strcspn(text, "\n"), text);
		return;
	}
	for (start = end; start > text && start[-1] != '\n'; start--)
		;
	snprintf(out, size, "%.*s", (int)(end - start), start);
}

static bool save_log(const struct buf *text)
{
	_cleanup_close_ int fd = open(LOG_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len;
}

int verlog_error(struct verlog *log, int errnum, struct err *err)
{
	char line[300], what[300];
	const char *text = buf_str(&log->text);
	bool has_line = verlog_line(text, line, sizeof(line));

	complaint(text, what, sizeof(what));
	if (errnum == EPERM && !strstr(text, "processed "))
		err_set(err, ERR_ENVIRONMENT, "the kernel allows no BPF here: run as root (%s)", what);
	else if (strstr(text, "BPF program is too large") || strstr(text, "jumps is too complex"))
		err_set(err, ERR_UNSUPPORTED, "the code of this set is more than the kernel's verifier looks at (%s): load its rules "
			"in several sets, or make their conditions simpler", what);
	else if (has_line)
		err_set(err, ERR_UNSUPPORTED, "the kernel's verifier refuses the code of the rule's line %s: %s%s", line,
			what, save_log(&log->text) ? "; its log is in " LOG_FILE : "");
	else
		err_set(err, ERR_UNSUPPORTED, "%s: %s%s", strerror(errnum), what,
			log->text.len && save_log(&log->text) ? "; all messages are in " LOG_FILE : "");
	buf_deinit(&log->text);
	return -1;
}
