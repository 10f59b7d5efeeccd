// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sets.c - what a lookup of an absent number costs in sets of several sizes, with and without the Bloom filter.
 *
 * usage: sets OBJECT [MEMBERS]...
 *
 * Prints "MEMBERS PLAIN FILTERED": nanoseconds a lookup, the least of several runs. Exit status 3: this kernel does not let
 * us load programs, or has no Bloom filter.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/layout.h"

#define LOOKUPS 64	/* of one run of a program (sets.bpf.c) */
#define REPEAT 500
#define RUNS 7

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN && getenv("VERBOSE") ? vfprintf(stderr, fmt, ap) : 0;
}

/* Least nanoseconds of one lookup; negative on error. */
static double lookup_ns(struct bpf_object *o, const char *name)
{
	int fd = bpf_program__fd(bpf_object__find_program_by_name(o, name));
	char packet[64] = { 0 };
	double least = -1;

	for (int run = 0; run < RUNS; run++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet), .repeat = REPEAT);

		if (bpf_prog_test_run_opts(fd, &opts) || opts.retval)
			return -1;
		if (least < 0 || (double)opts.duration / LOOKUPS < least)
			least = (double)opts.duration / LOOKUPS;
	}
	return least;
}

/* Numbers spread over 32 bits: an odd factor makes no two alike. */
static int fill(struct bpf_object *o, uint32_t n)
{
	int sets = bpf_object__find_map_fd_by_name(o, "df_sets"), bloom = bpf_object__find_map_fd_by_name(o, "df_bloom");
	const uint8_t one = 1;

	for (uint32_t i = 0; i < n; i++) {
		struct df_member m = { .value = i * 2654435761u, .set = 1 };

		if (bpf_map_update_elem(sets, &m, &one, 0) || bpf_map_update_elem(bloom, NULL, &m, 0))
			return -1;
	}
	return 0;
}

static struct bpf_object *load(const char *path, uint32_t n)
{
	struct bpf_object *o = bpf_object__open_file(path, NULL);
	struct bpf_map *m;

	if (!o)
		return NULL;
	bpf_object__for_each_map(m, o) {
		const char *name = bpf_map__name(m);

		if (!strcmp(name, "df_sets") || !strcmp(name, "df_bloom"))
			bpf_map__set_max_entries(m, n);
		else
			bpf_map__set_autocreate(m, false);
	}
	if (bpf_object__load(o)) {
		bpf_object__close(o);
		return NULL;
	}
	return o;
}

int main(int argc, char **argv)
{
	libbpf_set_print(quiet);
	for (int i = 2; i < argc; i++) {
		uint32_t n = (uint32_t)atoi(argv[i]);
		struct bpf_object *o = load(argv[1], n);
		double nothing, plain, filtered;

		if (!o)
			return 3;
		if (fill(o, n))
			return 1;
		nothing = lookup_ns(o, "nothing");
		plain = lookup_ns(o, "plain");
		filtered = lookup_ns(o, "filtered");
		if (nothing < 0 || plain < 0 || filtered < 0)
			return 1;
		printf("%u %.1f %.1f\n", n, plain - nothing, filtered - nothing);
		fflush(stdout);
		bpf_object__close(o);
	}
	return 0;
}
