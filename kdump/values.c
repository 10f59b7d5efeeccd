// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdump/values.h"
#include "lib/buf.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* The bytes of words[word ...], at most size, at most what the payload has. */
static const uint8_t *payload_bytes(struct arena *a, const struct set_event *e, uint32_t word, uint32_t size,
				    size_t *len)
{
	uint8_t *bytes;
	size_t room;

	if (word >= e->nwords) {
		*len = 0;
		return (const uint8_t *)"";
	}
	room = (e->nwords - word) * 8;
	*len = size < room ? size : room;
	bytes = arena_alloc(a, *len + 1);
	for (size_t i = 0; i < *len; i++)
		bytes[i] = (uint8_t)(e->w[word + i / 8] >> (i % 8 * 8));
	return bytes;
}

/* Text that may hold anything, as printable ASCII and valid UTF-8 nowhere else. */
static const char *printable(struct arena *a, const uint8_t *bytes, size_t len)
{
	struct buf b = BUF_INIT;
	const char *text;

	for (size_t i = 0; i < len && bytes[i]; i++) {
		if (isprint(bytes[i]))
			buf_putc(&b, (char)bytes[i]);
		else
			buf_printf(&b, "\\x%02x", bytes[i]);
	}
	text = arena_strdup(a, buf_str(&b));
	buf_deinit(&b);
	return text;
}

static const char *enum_name(const struct mf_field *f, uint64_t num)
{
	for (size_t i = 0; i < f->nvalues; i++)
		if ((uint64_t)f->values[i].value == num)
			return f->values[i].name;
	return NULL;
}

struct report_value value_of_field(struct arena *a, const struct mf_event *def, size_t field,
				   const struct set_event *e)
{
	const struct mf_field *f = &def->fields[field];
	struct report_value v = { .name = f->name, .type = f->type, .is_error = f->is_error };

	if (def->mask_word >= 0 && (uint64_t)def->mask_word < e->nwords && field < 64)
		v.unknown = e->w[def->mask_word] >> field & 1;
	if (f->word >= e->nwords)
		v.unknown = true;
	if (v.unknown)
		return v;
	v.num = e->w[f->word];
	if (f->type == VALUE_STR || f->type == VALUE_BYTES)
		v.bytes = payload_bytes(a, e, f->word, f->size, &v.len);
	if (f->type == VALUE_STR)
		v.text = printable(a, v.bytes, v.len);
	if (f->type == VALUE_ENUM)
		v.text = enum_name(f, v.num);
	return v;
}

struct report_value *values_of_key(struct arena *a, const struct manifest *mf, const struct mf_rule *rule,
				   const struct set_key *key, size_t *count)
{
	size_t n = rule ? rule->nkey : mf ? mf->key_parts : 1;
	struct report_value *v;

	n = n < 8 ? n : 8;
	v = arena_array(a, n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		v[i].type = rule ? rule->key[i].type : VALUE_PTR;
		v[i].name = rule ? rule->key[i].text : "";
		v[i].num = key->part[i];
		if (v[i].type == VALUE_STR || v[i].type == VALUE_BYTES)
			v[i].type = VALUE_UINT;
	}
	*count = n;
	return v;
}

static const char *hex(struct arena *a, const uint8_t *bytes, size_t len)
{
	char *text = arena_alloc(a, 2 * len + 1);

	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return text;
}

/* The name of an error number as functions of the kernel return it, or NULL. */
static const char *error_name(uint64_t num)
{
	int64_t n = (int64_t)num;

	return n < 0 && n >= -4095 ? strerrorname_np((int)-n) : NULL;
}

const char *value_format(struct arena *a, const struct report_value *v, char format)
{
	unsigned long long num = v->num;

	if (v->unknown)
		return "?";
	if (v->type == VALUE_STR)
		return v->text;
	if (v->type == VALUE_BYTES)
		return hex(a, v->bytes, v->len);
	switch (format) {
	case 'p':
	case 'x':
		return arena_printf(a, "0x%llx", num);
	case 'd':
		return arena_printf(a, "%lld", (long long)num);
	case 'e':
		return error_name(num) ? arena_printf(a, "-%s", error_name(num)) : arena_printf(a, "%lld", (long long)num);
	case 'i':
		return arena_printf(a, "%llu.%llu.%llu.%llu", num & 255, num >> 8 & 255, num >> 16 & 255, num >> 24 & 255);
	}
	switch (v->type) {
	case VALUE_INT:
		if (v->is_error && error_name(num))
			return arena_printf(a, "%lld (-%s)", (long long)num, error_name(num));
		return arena_printf(a, "%lld", (long long)num);
	case VALUE_BOOL:
		return num ? "true" : "false";
	case VALUE_PTR:
		return arena_printf(a, "0x%llx", num);
	case VALUE_ENUM:
		return v->text ? v->text : arena_printf(a, "%lld", (long long)num);
	default:
		return arena_printf(a, num >> 63 ? "0x%llx" : "%llu", num);	/* an address of the kernel, or flags */
	}
}

const char *values_text(struct arena *a, const struct report_value *v, size_t count, char format)
{
	const char *text = "";

	for (size_t i = 0; i < count; i++)
		text = arena_printf(a, "%s%s%s", text, i ? ", " : "", value_format(a, &v[i], format));
	return text;
}

const char *values_key_name(struct arena *a, const struct report_value *v, size_t count, const char *step, const char *name,
			    char format)
{
	size_t i = (size_t)(name[0] - '0');

	if (!step)
		return strcmp(name, "key") ? NULL : values_text(a, v, count, format);
	if (strcmp(step, "key") || name[0] < '0' || name[0] > '9' || name[1] || i >= count)
		return NULL;
	return value_format(a, &v[i], format);
}

static const char *number_text(struct arena *a, uint64_t number, char format)
{
	struct report_value v = { .type = VALUE_UINT, .num = number };

	return value_format(a, &v, format);
}

static const char *time_text(struct arena *a, uint64_t ns, char format)
{
	if (format)
		return number_text(a, ns, format);
	return arena_printf(a, "%" PRIu64 ".%06" PRIu64 " s", ns / 1000000000, ns / 1000 % 1000000);
}

static const char *task_text(struct arena *a, const struct set_event *e, const char *comm)
{
	if (e->pid == e->tid)
		return arena_printf(a, "%s[%" PRIu64 "]", comm, e->pid);
	return arena_printf(a, "%s[%" PRIu64 "/%" PRIu64 "]", comm, e->pid, e->tid);
}

const char *value_of_name(struct arena *a, const struct mf_event *def, const struct set_event *e, const char *comm,
			  const char *name, char format)
{
	struct report_value v;

	for (size_t i = 0; def && i < def->nfields; i++) {
		if (!strcmp(def->fields[i].name, name)) {
			v = value_of_field(a, def, i, e);
			return value_format(a, &v, format);
		}
	}
	if (!strcmp(name, "task"))
		return task_text(a, e, comm);
	if (!strcmp(name, "comm"))
		return comm;
	if (!strcmp(name, "pid"))
		return number_text(a, e->pid, format);
	if (!strcmp(name, "tid"))
		return number_text(a, e->tid, format);
	if (!strcmp(name, "cpu"))
		return number_text(a, e->cpu, format);
	if (!strcmp(name, "now") || !strcmp(name, "time"))
		return time_text(a, e->ns, format);
	return NULL;
}
