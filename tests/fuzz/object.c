// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * object.c - libFuzzer target: any bytes as a compiled set, as far as `deadfall run` reads it itself before libbpf and
 * the kernel do: its manifest, and the instructions and symbols that are changed to suit the kernel. Built twice: for
 * the ELF object, and with the bytes as the manifest alone.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agent/object.h"
#include "agent/params.h"
#include "agent/setinfo.h"
#include "lib/arena.h"
#include "lib/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_manifest(struct arena *a, const char *text, size_t len, struct set_info *info)
{
	static const char *const values[] = { "window=5s", "n=-1", "r.n=0x10", "=", "wanted" };
	struct err err;
	uint64_t value;
	uint32_t index;

	if (set_info_parse(a, text, len, info, &err)) {
		memset(info, 0, sizeof(*info));
		return;
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		param_parse(info, values[i], &index, &value, &err);
}

#ifdef FUZZ_MANIFEST
static void fuzz(struct arena *a, const uint8_t *data, size_t size)
{
	struct set_info info;

	read_manifest(a, (const char *)data, size, &info);
}
#else
/* As agent/resolve_body.c does it for a function whose arguments stand elsewhere. */
static void change(struct buf *object, const struct set_info *info)
{
	struct err err;

	object_swap_functions(object, "df_direct", "df_direct_ring", &err);
	for (uint32_t b = 0; b < info->nbodies; b++) {
		for (uint32_t i = 0; i < info->bodies[b].npatches; i++) {
			const struct info_patch *p = &info->bodies[b].patches[i];

			object_patch_arg(object, p->func, p->insn, p->arg % 8, &err);
		}
	}
}

static void fuzz(struct arena *a, const uint8_t *data, size_t size)
{
	struct buf object = BUF_INIT;
	struct set_info info;
	const char *text;
	struct err err;
	size_t len;

	buf_add(&object, data, size);
	if (!object_manifest(&object, &text, &len, &err)) {
		read_manifest(a, text, len, &info);
		change(&object, &info);
	}
	buf_deinit(&object);
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(NULL, NULL);

	fuzz(a, data, size);
	arena_destroy(a);
	return 0;
}
