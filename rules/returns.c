// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/returns.h"

#include <string.h>

#include "lib/arena.h"
#include "rules/kbtf.h"
#include "rules/type.h"

const struct type *returns_type(struct arena *a, struct types *t, const char *text)
{
	size_t len = strlen(text);
	const struct type *type;
	uint32_t stars = 0;
	char *name;

	for (; len && (text[len - 1] == '*' || text[len - 1] == ' '); len--)
		stars += text[len - 1] == '*';
	name = arena_strndup(a, text, len);
	type = strcmp(name, "void") ? type_by_name(t, name) : type_void(t);
	for (; type && stars; stars--)
		type = type_ptr(t, type);
	return type;
}

bool returns_it(struct types *t, const struct kbtf_func *f, const struct type *wanted)
{
	return f->btf && type_same(type_proto_ret(t, f->btf, f->proto_id), wanted);
}
