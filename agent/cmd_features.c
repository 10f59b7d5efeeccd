// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_features.c - `deadfall features`: what this kernel has, found by trying, and which path is taken without. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/commands.h"
#include "agent/features.h"

static void print_json(void)
{
	json_t *all = json_array();

	for (int i = 0; i < FEATURES; i++) {
		const struct feature_info *f = &feature_infos[i];

		json_array_append_new(all, json_pack("{s:s, s:b, s:s, s:s, s:s}", "feature", f->name, "present",
						     feature_has((enum feature)i), "since", f->since, "used_for", f->used_for,
						     "without", f->without));
	}
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

static void print_text(void)
{
	for (int i = 0; i < FEATURES; i++) {
		const struct feature_info *f = &feature_infos[i];
		bool has = feature_has((enum feature)i);

		printf("%-14s %-3s  %s\n", f->name, has ? "yes" : "no", f->used_for);
		if (!has)
			printf("%-14s      without: %s\n%-14s      needs: %s\n", "", f->without, "", f->since);
	}
}

int cmd_features(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json");
	struct err err;

	if (argc > 1 + json)
		return command_usage("features", "unexpected argument '%s'", argv[1 + json]);
	if (geteuid() != 0) {
		err_set(&err, ERR_ENVIRONMENT, "trying what the kernel has takes root");
		return command_fail("features", &err);
	}
	if (json)
		print_json();
	else
		print_text();
	return EXIT_OK;
}
