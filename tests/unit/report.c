// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kdump/set*.c, kdump/report*.c: from a set as it lies in memory (set_image.h) to the report.
 */
#include "tests/unit/test.h"

#include "kdump/capsule.h"
#include "kdump/frames.h"
#include "kdump/report_diff.h"
#include "tests/unit/set_image.h"

#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

/* The report as JSON text; the caller frees it. */
static char *report_json(struct kernel *k, char **text)
{
	struct arena *a = arena_create(NULL, NULL);
	struct report *r = report_build(k, a, "file", "format");
	char *json;
	size_t len;
	FILE *out = open_memstream(&json, &len);

	assert_int_equal(report_print_json(r, out, NULL), 0);
	fclose(out);
	if (text) {
		out = open_memstream(text, &len);
		report_print_text(r, out, true, rand() & 1);
		fclose(out);
	}
	arena_destroy(a);
	return json;
}

static json_t *load(const char *text)
{
	json_t *j = json_loads(text, 0, NULL);

	assert_non_null(j);
	return j;
}

static const char *get_string(const json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

/* User stack: a frame by build-id in the one file that can hold the offset, one by address; then the branches. */
static void check_kept(const json_t *e)
{
	const json_t *files = json_object_get(e, "ufiles"), *stack = json_object_get(e, "ustack");

	assert_int_equal(json_array_size(stack), 2);
	assert_string_equal(json_string_value(json_array_get(stack, 0)), "app+0x1234");
	assert_string_equal(json_string_value(json_array_get(stack, 1)), "app+0x2010");
	assert_string_equal(get_string(json_array_get(files, 0), "path"), "/bin/app");
	assert_string_equal(get_string(json_array_get(files, 0), "build_id"), "000102030405060708090a0b0c0d0e0f10111213");
	assert_string_equal(json_string_value(json_array_get(json_array_get(json_object_get(e, "branches"), 0), 1)),
			    "do_syscall_64+0x20");
}

/* What lives, in which state, and what the user remarked. */
static void check_live(const json_t *j)
{
	const json_t *l = json_array_get(json_object_get(j, "live_keys"), 0), *set, *states;

	assert_string_equal(get_string(l, "state"), "a seen");
	assert_true(json_is_true(json_object_get(l, "under_way")));
	assert_int_equal(json_integer_value(json_object_get(l, "since_ns")), 8000);
	assert_int_equal(json_integer_value(json_object_get(l, "deadline_in_ns")), -500);
	assert_string_equal(get_string(json_object_get(l, "began"), "comm"), "first");
	assert_int_equal(json_integer_value(json_object_get(l, "count")), -2);
	states = json_object_get(json_array_get(json_object_get(j, "automata"), 0), "states");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(states, 0), "keys")), 0);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(states, 1), "keys")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(states, 1), "entered")), 3);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(states, 1), "late")), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(states, 1), "refused")), 1);
	set = json_array_get(json_object_get(j, "sets"), 0);
	assert_int_equal(json_integer_value(json_object_get(set, "braked_permille")), 250);
	assert_int_equal(json_integer_value(json_object_get(set, "missed")), 7);
	assert_int_equal(json_integer_value(json_object_get(set, "notes_lost")), 5);
	assert_int_equal(json_array_size(json_object_get(j, "marks")), 1);
	assert_string_equal(get_string(json_array_get(json_object_get(j, "marks"), 0), "text"), "half way");
}

/* The crashed task first, the other CPU, the blocked task. */
static void check_stacks(const json_t *stacks)
{
	static const char *const states[] = { "crashed", "running", "blocked" }, *const comms[] = { "second", "swapper/0",
		"stuck" };
	const json_t *s;

	assert_int_equal(json_array_size(stacks), 3);
	for (size_t i = 0; i < 3; i++) {
		s = json_array_get(stacks, i);
		assert_string_equal(get_string(s, "state"), states[i]);
		assert_string_equal(get_string(json_object_get(s, "task"), "comm"), comms[i]);
		assert_int_equal(json_is_true(json_object_get(s, "user")), i == 1);
	}
	s = json_array_get(stacks, 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(s, "kstack"), 0)), "do_syscall_64+0x10");
	assert_string_equal(get_string(json_object_get(s, "registers"), "rip"), "0xffffffff81000010");
	s = json_array_get(stacks, 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(s, "kstack"), 0)), "do_syscall_64+0x20");
	assert_string_equal(get_string(s, "end"), "struct orc_entry has no member ");
}

/* The same sentences in JSON and on the page. */
static void check_missing(const json_t *missing, const char *text)
{
	static const char *const want[] = {
		"widget: the brake let go of the probes, which took 25.0 % of a CPU: nothing was seen after that",
		"widget: the probes missed 7 calls",
		"widget: 5 matches, or other news, found no room on their way to `run`, and are not in its output",
		"free: 2 older keys, with their history, made room for this event's key",
	};

	assert_int_equal(json_array_size(missing), 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(json_string_value(json_array_get(missing, i)), want[i]);
		assert_non_null(strstr(text, want[i]));
	}
}

static void check_report(bool lists)
{
	struct image *im = set_image(lists);
	char *text, *json = report_json(&im->kernel, &text);
	json_t *j = load(json), *context = json_object_get(j, "context"), *e, *fields;
	static const json_int_t times[] = { 1000, 2000, 4000, 9000 };

	assert_int_equal(json_array_size(json_object_get(j, "unreadable")), 0);
	assert_string_equal(get_string(j, "rule"), "twice");
	assert_string_equal(get_string(j, "source"), "rule: twice");
	assert_string_equal(get_string(json_object_get(j, "match"), "reason"),
			    "twice 0xffff888012345678: first first[102], now second[109] len -5");
	assert_string_equal(get_string(json_object_get(j, "match"), "key"), "0xffff888012345678");
	assert_int_equal(json_array_size(context), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(json_integer_value(json_object_get(json_array_get(context, i), "time_ns")), times[i]);
	e = json_array_get(context, 3);
	fields = json_object_get(e, "fields");
	assert_string_equal(get_string(e, "func"), "widget_free");
	assert_string_equal(get_string(e, "key"), "0xffff888012345678");
	assert_true(json_is_true(json_object_get(e, "pinned")));
	assert_int_equal(json_integer_value(json_object_get(fields, "len")), -5);
	assert_string_equal(get_string(fields, "owner"), "slab-\\x01\\xffowner");
	assert_true(json_is_null(json_object_get(fields, "lost")));
	assert_string_equal(get_string(fields, "kind"), "TWO");
	assert_string_equal(json_string_value(json_array_get(json_object_get(e, "kstack"), 0)),
			    "bpf_trampoline_1+0x10");
	assert_string_equal(json_string_value(json_array_get(json_object_get(e, "kstack"), 1)),
			    "do_syscall_64+0x20");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json_object_get(j, "losses"), "free"),
							    "evicted")), 2);
	assert_int_equal(json_object_size(json_object_get(j, "losses")), 1);
	check_missing(json_object_get(j, "missing"), text);
	assert_int_equal(json_array_size(json_object_get(j, "live_keys")), 1);
	assert_int_equal(json_array_size(json_object_get(j, "dmesg")), 2);
	assert_string_equal(get_string(json_array_get(json_object_get(j, "dmesg"), 0), "text"), "hello?");
	assert_string_equal(get_string(json_array_get(json_object_get(j, "dmesg"), 1), "text"), "abc");
	assert_int_equal(json_array_size(json_object_get(j, "cpus")), 2);
	assert_true(json_is_true(json_object_get(json_array_get(json_object_get(j, "cpus"), 1), "crashed")));
	check_stacks(json_object_get(j, "stacks"));
	check_kept(e);
	check_live(j);
	assert_non_null(strstr(text, "first first[102], now second[109]"));
	assert_non_null(strstr(text, "caller = 0xffffffff81000020 (do_syscall_64+0x20)"));
	assert_non_null(strstr(text, "of the match's own events only the last 2 are kept: any before this are not shown"));
	assert_non_null(strstr(text, "cannot be interrupted (D)\033[0m\n  stuck[7]"));
	json_decref(j);
	free(json);
	free(text);
	image_destroy(&im->kernel);
}

/* The last verdict of each rule comes after the first of all; in the report they stand by time. */
static void the_last_verdict_of_a_rule_is_found(void **state)
{
	static const struct set_select twice = { .which = SELECT_VERDICT, .rule = "twice" }, other = { .rule = "other" };
	struct image *im = set_image(true);
	struct arena *a = arena_create(NULL, NULL);
	struct report *r = report_build_selected(&im->kernel, a, &twice, "file", "format");
	char *text;
	size_t len;
	FILE *out;

	(void)state;
	assert_int_equal(r->nverdicts, 2);
	assert_string_equal(r->verdicts[0].task.comm, "late");
	assert_string_equal(r->match->task.comm, "second");
	assert_string_equal(r->rules[0].act, "log");
	r = report_build_selected(&im->kernel, a, &other, "file", "format");
	assert_null(r->match);
	out = open_memstream(&text, &len);
	report_print_text(r, out, true, false);
	fclose(out);
	assert_non_null(strstr(text, "Rule other did not fire"));
	assert_non_null(strstr(text, "  and 18 more, of which only the last of each rule is kept"));
	free(text);
	arena_destroy(a);
	image_destroy(&im->kernel);
}

static void lists_become_a_report(void **state)
{
	check_report(true);
}

static void rings_become_the_same_report(void **state)
{
	check_report(false);
}

static char *printed(struct kernel *k, int (*print)(const struct report *r, FILE *out, struct err *err))
{
	struct arena *a = arena_create(NULL, NULL);
	struct report *r = report_build(k, a, "</script><b>", "format");
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(print(r, out, NULL), 0);
	fclose(out);
	arena_destroy(a);
	return text;
}

static void html_cannot_be_escaped_from(void **state)
{
	struct image *im = set_image(true);
	char *html = printed(&im->kernel, report_print_html), *data = strstr(html, "id=\"data\">"), *end;
	json_t *j;

	assert_non_null(data);
	data = strchr(data, '>') + 1;
	end = strstr(data, "</script");
	assert_non_null(end);
	j = json_loadb(data, (size_t)(end - data), 0, NULL);
	assert_string_equal(get_string(json_object_get(j, "dump"), "file"), "</script><b>");
	assert_non_null(strstr(end, "</html>"));
	json_decref(j);
	free(html);
	image_destroy(&im->kernel);
}

static void perfetto_has_every_event(void **state)
{
	struct image *im = set_image(true);
	char *text = printed(&im->kernel, report_print_perfetto);
	json_t *j = load(text), *list = json_object_get(j, "traceEvents"), *e;
	size_t i, instants = 0, spans = 0;

	json_array_foreach(list, i, e) {
		instants += !strcmp(get_string(e, "ph"), "i");
		spans += !strcmp(get_string(e, "ph"), "X");
		if (!strcmp(get_string(e, "ph"), "i"))
			assert_true(json_number_value(json_object_get(e, "ts")) >= 1);
	}
	assert_int_equal(instants, 4);
	assert_int_equal(spans, 1);
	json_decref(j);
	free(text);
	image_destroy(&im->kernel);
}

/* What was written into a file without a name, which is closed. */
static uint8_t *read_back(int fd, size_t *len)
{
	uint8_t *bytes;

	*len = (size_t)lseek(fd, 0, SEEK_END);
	bytes = malloc(*len);
	assert_int_equal(pread(fd, bytes, *len, 0), *len);
	close(fd);
	return bytes;
}

static void capsule_gives_the_same_report(void **state)
{
	struct image *im = set_image(true);
	int fd = memfd_create("capsule", 0);
	struct kernel *rec = capsule_record(&im->kernel, fd, false, NULL), *k;
	char *want, *have;
	struct err damage;
	uint8_t *bytes;
	size_t len;

	image_remove(im, NODES + 0x1000, 64);	/* errors are answers, too */
	want = report_json(rec, NULL);
	assert_non_null(strstr(want, "absent"));
	assert_int_equal(capsule_finish(rec, NULL), 0);
	kernel_destroy(rec);
	bytes = read_back(fd, &len);
	k = capsule_replay(bytes, len, &damage, NULL);
	assert_int_equal(damage.code, ERR_NONE);
	have = report_json(k, NULL);
	assert_string_equal(have, want);
	kernel_destroy(k);
	free(have);
	free(want);
	free(bytes);
	image_destroy(&im->kernel);
}

/* A rule fired: what is left of the capsule says so, or that it does not know. */
static void a_cut_capsule_never_denies_the_verdict(void **state)
{
	struct image *im = set_image(true);
	int fd = memfd_create("capsule", 0);
	struct kernel *rec = capsule_record(&im->kernel, fd, false, NULL), *k;
	size_t len, unknown = 0, known = 0;
	struct err damage;
	uint8_t *bytes;

	free(report_json(rec, NULL));
	assert_int_equal(capsule_finish(rec, NULL), 0);
	kernel_destroy(rec);
	bytes = read_back(fd, &len);
	for (size_t n = 0; n < len; n += 1 + len / 200) {
		char *text;

		k = capsule_replay(bytes, n, &damage, NULL);
		if (!k)
			continue;
		free(report_json(k, &text));
		assert_null(strstr(text, "No rule fired"));
		unknown += strstr(text, "It is not known whether a rule fired") != NULL;
		known += strstr(text, "here the rule fired") != NULL;
		free(text);
		kernel_destroy(k);
	}
	assert_true(unknown > 0 && known > 0);
	free(bytes);
	image_destroy(&im->kernel);
}

static void missing_map_list_is_said(void **state)
{
	struct image *im = set_image(true);
	char *json;
	json_t *j;

	image_remove(im, IDR, 32);
	json = report_json(&im->kernel, NULL);
	j = load(json);
	assert_true(json_is_null(json_object_get(j, "rule")));
	assert_string_equal(get_string(json_array_get(json_object_get(j, "unreadable"), 0), "what"), "BPF maps");
	json_decref(j);
	free(json);
	image_destroy(&im->kernel);
}

/* One message of two is gone, by its text or by its description. */
static void missing_messages_are_said(void **state)
{
	static const uint64_t gone[] = { 0xffff800000000718, 0xffff800000000600 };

	for (size_t i = 0; i < 2; i++) {
		struct image *im = set_image(true);
		char *json;
		json_t *j, *gap;

		image_remove(im, gone[i], 8);
		json = report_json(&im->kernel, NULL);
		j = load(json);
		assert_int_equal(json_array_size(json_object_get(j, "dmesg")), 1);
		gap = json_array_get(json_object_get(j, "unreadable"), 0);
		assert_string_equal(get_string(gap, "what"), "1 of the last 2 kernel messages");
		assert_string_equal(get_string(gap, "kind"), "absent");
		json_decref(j);
		free(json);
		image_destroy(&im->kernel);
	}
}

/* Whoever asks for another key still reads who did what in the verdict. */
static void the_verdict_stays_whole(void **state)
{
	const struct set_select other = { .which = SELECT_KEY, .part = { 0x77 }, .nparts = 1 };

	for (int lists = 0; lists < 2; lists++) {
		struct image *im = set_image(lists);
		struct arena *a = arena_create(NULL, NULL);
		struct report *r = report_build_selected(&im->kernel, a, &other, "file", "format");

		assert_int_equal(r->ncontext, 0);
		assert_string_equal(r->match->reason, "twice 0xffff888012345678: first first[102], now second[109] len -5");
		arena_destroy(a);
		image_destroy(&im->kernel);
	}
}

/* What is between a probe and its program, or runs a deadline, is of no interest to whoever reads a stack. */
static void tools_are_known(void **state)
{
	static const char *const tools[] = { "bpf_prog_1234_x", "perf_trace_timer_start", "bpf_timer_cb", "__traceiter_x" };

	for (size_t i = 0; i < sizeof(tools) / sizeof(*tools); i++)
		assert_true(frame_is_tool(tools[i]));
	assert_false(frame_is_tool("widget_free"));
	assert_false(frame_is_tool("__hrtimer_run_queues"));
}

/* A time that damage made: the page says nothing of the day, and computes nothing that cannot be computed. */
static void a_time_that_is_none_is_not_told(void **state)
{
	static const uint64_t times[] = { 1000, 8067007036564513576, UINT64_MAX - 5 };
	struct image *im = set_image(true);
	struct arena *a = arena_create(NULL, NULL);
	struct report *r = report_build(&im->kernel, a, "file", "format");
	struct report_match m = *r->match;

	r->match = &m;
	r->has_wall = true;
	r->wall_offset_ns = 1700000000000000000;
	for (size_t i = 0; i < 3; i++) {
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		m.ns = times[i];
		report_print_text(r, out, false, false);
		fclose(out);
		assert_int_equal(strstr(text, "2023-11-14 22:13:20.000001 UTC") != NULL, i == 0);
		assert_int_equal(strstr(text, " UTC") != NULL, i == 0);
		free(text);
	}
	arena_destroy(a);
	image_destroy(&im->kernel);
}

/* What a lifecycle detected stands beside the match, and beside the other verdicts. */
static void what_was_detected_is_told(void **state)
{
	static const struct mf_fault fault = { .name = "double_free", .words = "freed again" };
	struct image *im = set_image(true);
	struct arena *a = arena_create(NULL, NULL);
	struct report *r = report_build(&im->kernel, a, "file", "format");
	char *text = NULL, *json = NULL;
	size_t size = 0;
	FILE *out;
	json_t *j;

	assert_true(r->nverdicts > 1);
	for (size_t i = 0; i < r->nverdicts; i++)
		r->verdicts[i].detected = &fault;
	out = open_memstream(&text, &size);
	report_print_text(r, out, false, false);
	fclose(out);
	assert_non_null(strstr(text, "complete with event free: freed again (double_free)\n"));
	assert_non_null(strstr(text, "twice (log, freed again): "));
	out = open_memstream(&json, &size);
	assert_int_equal(report_print_json(r, out, NULL), 0);
	fclose(out);
	j = load(json);
	assert_string_equal(get_string(json_object_get(j, "match"), "detected"), "double_free");
	json_decref(j);
	free(text);
	free(json);
	arena_destroy(a);
	image_destroy(&im->kernel);
}

/* Another crash by the same rule: the one who freed first, a field and the order of events differ. */
static void differences(void **state)
{
	struct image *im[2] = { set_image(true), set_image(true) };
	struct arena *a = arena_create(NULL, NULL);
	struct report *r[2];
	struct report_diff *d;
	size_t seen = 0;

	image_put(im[1], NODES + 0x2000 + offsetof(struct node, e.comm), "other", 6);
	image_put_number(im[1], NODES + 0x3000 + offsetof(struct node, w), 9, 8);
	for (int i = 0; i < 2; i++)
		r[i] = report_build(&im[i]->kernel, a, "file", "format");
	d = report_diff(r[0], r[0]);
	assert_true(d->same_signature);
	for (size_t i = 0; i < d->nitems; i++)
		assert_true(d->items[i].same);
	d = report_diff(r[0], r[1]);
	assert_true(d->same_signature);
	for (size_t i = 0; i < d->nitems; i++) {
		const struct diff_item *t = &d->items[i];

		if (t->same)
			continue;
		seen++;
		if (!strcmp(t->what, "a: task"))
			assert_string_equal(t->b, "other");
		else if (!strcmp(t->what, "b: len"))
			assert_string_equal(t->a, "-5");
		else
			fail_msg("%s: %s, %s", t->what, t->a, t->b);
	}
	assert_int_equal(seen, 2);
	image_put(im[1], NODES + 0x3000 + offsetof(struct node, w) + 6 * 8, "\x10\0\0\xc0\xff\xff\xff\xff", 8);
	r[1] = report_build(&im[1]->kernel, a, "file", "format");
	assert_false(report_diff(r[0], r[1])->same_signature);
	arena_destroy(a);
	image_destroy(&im[0]->kernel);
	image_destroy(&im[1]->kernel);
}

static void survives_any_damage(void **state)
{
	srand(1);
	for (int i = 0; i < 400; i++) {
		struct image *im = set_image(i & 1);
		char *text;

		for (int j = rand() % 6; j >= 0; j--) {
			struct image_page *p = &im->pages[(size_t)rand() % im->npages];

			if (rand() % 4)
				p->bytes[(unsigned int)rand() % IMAGE_PAGE] ^= (uint8_t)(1 << rand() % 8);
			else
				memset(p->present, 0, sizeof(p->present));
		}
		free(report_json(&im->kernel, &text));
		free(text);
		image_destroy(&im->kernel);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_verdict_of_a_rule_is_found),
		cmocka_unit_test(lists_become_a_report),
		cmocka_unit_test(rings_become_the_same_report),
		cmocka_unit_test(html_cannot_be_escaped_from),
		cmocka_unit_test(perfetto_has_every_event),
		cmocka_unit_test(capsule_gives_the_same_report),
		cmocka_unit_test(a_cut_capsule_never_denies_the_verdict),
		cmocka_unit_test(missing_map_list_is_said),
		cmocka_unit_test(missing_messages_are_said),
		cmocka_unit_test(tools_are_known),
		cmocka_unit_test(the_verdict_stays_whole),
		cmocka_unit_test(a_time_that_is_none_is_not_told),
		cmocka_unit_test(what_was_detected_is_told),
		cmocka_unit_test(differences),
		cmocka_unit_test(survives_any_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
