// SPDX-License-Identifier: GPL-2.0-or-later
/* state.c - see state.h. */
#include "kdump/state.h"

#include "kdump/files.h"
#include "lib/cleanup.h"

#include <jansson.h>
#include <stddef.h>
#include <string.h>

/* One table for both directions. */
static const struct {
	const char *key;
	size_t offset, size;	/* size 0: a long long */
} fields[] = {
#define STRING(f) { #f, offsetof(struct kdump_state, f), sizeof(((struct kdump_state *)0)->f) }
#define NUMBER(f) { #f, offsetof(struct kdump_state, f), 0 }
	STRING(boot_id), STRING(kernel), STRING(image), STRING(method), STRING(target), STRING(device),
	STRING(fstype), STRING(fsid), STRING(compress), STRING(final), STRING(modules),
	NUMBER(initramfs.phys), NUMBER(initramfs.symbol), NUMBER(initramfs.bytes), NUMBER(unpacked_bytes), NUMBER(time), NUMBER(mem_total_kb),
#undef STRING
#undef NUMBER
};

#define FIELDS (sizeof(fields) / sizeof(*fields))

int state_write(const struct kdump_state *s, struct err *err)
{
	json_t *j = json_pack("{si si sb sb sI}", "format", 1, "level", s->level, "capsule_only", s->capsule_only,
			      "watchdog", s->watchdog,
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
	if (!j || json_integer_value(json_object_get(j, "format")) != 1) {
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
