// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd_features.c - `deadfall features`: what this kernel has, found by trying, and which path is taken without. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "agent/commands.h"
#include "agent/features.h"

static json_t *present_json(enum feature f)
{
	enum feature_state state = feature_state(f);

	return state == FEATURE_UNKNOWN ? json_null() : json_boolean(state == FEATURE_YES);
}

/* What is done here, in this state. */
static const char *path_here(enum feature f)
{
	const struct feature_info *i = &feature_infos[f];

	switch (feature_state(f)) {
	case FEATURE_YES:
		return i->used_for;
	case FEATURE_NO:
		return i->without ? i->without : "no set can be loaded";
	default:
		return "";
	}
}

static void print_json(void)
{
	json_t *all = json_array();

	for (int n = 0; n < FEATURES; n++) {
		enum feature f = (enum feature)n;
		const struct feature_info *i = &feature_infos[f];

		json_array_append_new(all, json_pack("{s:s, s:o, s:s, s:s, s:s, s:s?, s:b, s:s}", "feature", i->name, "present",
						     present_json(f), "needs", feature_needs(f), "since", i->since, "used_for",
						     i->used_for, "without", i->without, "required", !i->without, "path",
						     path_here(f)));
	}
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

static void print_text(void)
{
	static const char *const words[] = { "no", "yes", "unknown" };

	for (int n = 0; n < FEATURES; n++) {
		enum feature f = (enum feature)n;
		const struct feature_info *i = &feature_infos[f];

		printf("%-19s %-8s %s\n", i->name, words[feature_state(f)], i->used_for);
		if (feature_state(f) == FEATURE_UNKNOWN)
			printf("%28s unknown: needs %s\n", "", feature_needs(f));
		else if (feature_state(f) == FEATURE_NO)
			printf("%28s without: %s\n", "", path_here(f));
		printf("%28s since: %s\n", "", i->since);
	}
}

int cmd_features(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json");

	if (argc > 1 + json)
		return command_usage("features", "unexpected argument '%s'", argv[1 + json]);
	if (json)
		print_json();
	else
		print_text();
	return EXIT_OK;
}
