// SPDX-License-Identifier: GPL-2.0-or-later
/* state.c - see state.h. */
#include "kdump/state.h"

#include "kdump/beside.h"
#include "kdump/files.h"
#include "kdump/service.h"
#include "kdump/target.h"
#include "lib/cleanup.h"

#include <jansson.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One table for both directions. */
static const struct {
	const char *key;
	size_t offset, size;	/* size 0: a long long */
} fields[] = {
#define STRING(f) { #f, offsetof(struct kdump_state, f), sizeof(((struct kdump_state *)0)->f) }
#define NUMBER(f) { #f, offsetof(struct kdump_state, f), 0 }
	STRING(boot_id), STRING(kernel), STRING(image), STRING(method), STRING(ssh_key), STRING(service),
	STRING(compress), STRING(final), STRING(modules),
	NUMBER(initramfs.phys), NUMBER(initramfs.symbol), NUMBER(initramfs.bytes), NUMBER(unpacked_bytes), NUMBER(time), NUMBER(mem_total_kb),
	NUMBER(max_dumps), NUMBER(max_bytes),
#undef STRING
#undef NUMBER
};

#define FIELDS (sizeof(fields) / sizeof(*fields))

void state_begin(struct kdump_state *s)
{
	char line[128];

	*s = (struct kdump_state){ .time = time(NULL) };
	file_line("", "/proc/sys/kernel/random/boot_id", s->boot_id, sizeof(s->boot_id));
	file_line("", "/proc/sys/kernel/osrelease", s->kernel, sizeof(s->kernel));
	/* The first line of meminfo is "MemTotal:  1000000 kB". */
	if (file_line("", "/proc/meminfo", line, sizeof(line)))
		s->mem_total_kb = strtoll(line + strcspn(line, "0123456789"), NULL, 10);
}

static json_t *targets_json(const struct kdump_state *s)
{
	json_t *all = json_array();

	for (unsigned int i = 0; i < s->target_count; i++)
		json_array_append_new(all, json_pack("{ss ss ss ss}", "target", s->targets[i].target, "device", s->targets[i].device,
						     "fstype", s->targets[i].fstype, "fsid", s->targets[i].fsid));
	return all;
}

static void copy_string(const json_t *j, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(j, key));

	snprintf(out, size, "%s", text ? text : "");
}

static void parse_targets(const json_t *all, struct kdump_state *s)
{
	json_t *j;
	size_t i;

	json_array_foreach(all, i, j) {
		struct state_target *t = &s->targets[i];

		if (i == PLAN_TARGETS_MAX)
			break;
		copy_string(j, "target", t->target, sizeof(t->target));
		copy_string(j, "device", t->device, sizeof(t->device));
		copy_string(j, "fstype", t->fstype, sizeof(t->fstype));
		copy_string(j, "fsid", t->fsid, sizeof(t->fsid));
		s->target_count = (unsigned int)i + 1;
	}
}

void state_places(const struct kdump_state *s, char *out, size_t size)
{
	size_t n = 0;

	*out = 0;
	for (unsigned int i = 0; i < s->target_count && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? "\n" : "", s->targets[i].target);
}

void state_places_now(char *out, size_t size)
{
	static struct kdump_state s;
	struct kdump_service service;
	char beside[PATH_MAX];

	if (!state_read("", &s, NULL)) {
		state_places(&s, out, size);
		return;
	}
	service_find("", &service);
	beside_directory(&service, beside, sizeof(beside));
	snprintf(out, size, "%s%s%s", TARGET_DEFAULT, access(beside, F_OK) ? "" : "\n", access(beside, F_OK) ? "" : beside);
}

int state_write(const struct kdump_state *s, struct err *err)
{
	json_t *j = json_pack("{si si sb sb sb so sI}", "format", 2, "level", s->level, "capsule_only", s->capsule_only,
			      "redact", s->redact, "watchdog", s->watchdog, "targets", targets_json(s),
			      "initramfs.crc", (json_int_t)s->initramfs.crc);
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; j && i < FIELDS; i++) {
		const char *at = (const char *)s + fields[i].offset;

		json_object_set_new(j, fields[i].key, fields[i].size ? json_string(at)
							   : json_integer(*(const long long *)(const void *)at));
	}
	text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;
	json_decref(j);
	if (!text)
		return err_nomem(err);
	if (make_dirs(STATE_DIR, 0755, err))
		return -1;
	return file_replace(STATE_PATH, text, strlen(text), 0644, err);
}

static int parse(const char *text, struct kdump_state *s, struct err *err)
{
	json_error_t je;
	json_t *j = json_loads(text, 0, &je);

	*s = (struct kdump_state){ 0 };
	if (!j || json_integer_value(json_object_get(j, "format")) != 2) {
		json_decref(j);
		return err_set(err, ERR_CORRUPT, STATE_PATH " is damaged; run 'deadfall kdump setup' again");
	}
	for (size_t i = 0; i < FIELDS; i++) {
		char *at = (char *)s + fields[i].offset;
		json_t *v = json_object_get(j, fields[i].key);

		if (fields[i].size)
			snprintf(at, fields[i].size, "%s", json_is_string(v) ? json_string_value(v) : "");
		else
			*(long long *)(void *)at = json_integer_value(v);
	}
	s->level = (int)json_integer_value(json_object_get(j, "level"));
	s->capsule_only = json_is_true(json_object_get(j, "capsule_only"));
	s->redact = json_is_true(json_object_get(j, "redact"));
	parse_targets(json_object_get(j, "targets"), s);
	s->watchdog = json_is_true(json_object_get(j, "watchdog"));
	s->initramfs.crc = (uint32_t)json_integer_value(json_object_get(j, "initramfs.crc"));
	json_decref(j);
	return 0;
}

int state_read(const char *root, struct kdump_state *ret, struct err *err)
{
	struct buf text = BUF_INIT;
	char boot_id[64];
	int ret_code;

	if (read_under(root, STATE_PATH, &text, err)) {
		if (err && err->code == ERR_ABSENT)
			err_set(err, ERR_ABSENT, "kdump was not set up in this boot");
		return -1;
	}
	ret_code = parse(buf_str(&text), ret, err);
	buf_deinit(&text);
	if (ret_code)
		return ret_code;
	file_line(root, "/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id));
	if (strcmp(boot_id, ret->boot_id))
		return err_set(err, ERR_ABSENT, "kdump was not set up in this boot");
	return 0;
}
