// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/last_words.c: what the kernel said of its end, from the tail of its log. */
#include "tests/unit/test.h"

#include "kdump/last_words.h"

#define LINES(...) (struct dmesg_line[]){ __VA_ARGS__ }, sizeof((struct dmesg_line[]){ __VA_ARGS__ }) / sizeof(struct dmesg_line)

static void nothing_was_said(void **state)
{
	struct last_words w;

	last_words(LINES({ .text = "eth0: link up" }, { .text = "e1000 DEBUG: message" }), &w);
	assert_null(w.fault);
	assert_null(w.panic);
	assert_null(w.where);
}

static void an_oops_and_its_panic(void **state)
{
	struct last_words w;

	last_words(LINES({ .text = "WARNING: CPU: 0" }, { .text = "RIP: 0010:older+0x1/0x2" }, { .text = "eth0: link up" },
			 { .text = "BUG: kernel NULL pointer dereference, address: 0000000000000008" },
			 { .text = "#PF: supervisor read access" }, { .text = "RIP: 0010:widget_free+0x9/0x80 [widget]" },
			 { .text = "RIP: 0033:0x44554f" }, { .text = "Kernel panic - not syncing: Fatal exception" },
			 { .text = "Kernel panic - not syncing: again" }), &w);
	assert_string_equal(w.fault, "BUG: kernel NULL pointer dereference, address: 0000000000000008");
	assert_string_equal(w.panic, "Fatal exception");
	assert_string_equal(w.where, "widget_free+0x9/0x80 [widget]");
	assert_int_equal(w.from, 3);
}

static void a_panic_alone(void **state)
{
	struct last_words w;

	last_words(LINES({ .text = "sysrq: Trigger a crash" }, { .text = "Kernel panic - not syncing: sysrq triggered crash" }), &w);
	assert_null(w.fault);
	assert_string_equal(w.panic, "sysrq triggered crash");
	assert_int_equal(w.from, 1);
}

static void arm64_says_it_otherwise(void **state)
{
	struct last_words w;

	last_words(LINES({ .text = "Unable to handle kernel NULL pointer dereference at virtual address 8" },
			 { .text = "Internal error: Oops: 96000004 [#1] SMP" }, { .text = "pc : widget_free+0x8/0x70 [widget]" }), &w);
	assert_string_equal(w.fault, "Unable to handle kernel NULL pointer dereference at virtual address 8");
	assert_string_equal(w.where, "widget_free+0x8/0x70 [widget]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_was_said),
		cmocka_unit_test(an_oops_and_its_panic),
		cmocka_unit_test(a_panic_alone),
		cmocka_unit_test(arm64_says_it_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
