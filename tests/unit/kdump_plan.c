// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/: the plan's text, the dump level, the state record, the doctor's checks. */
#include "tests/unit/test.h"

#include "kdump/doctor.h"
#include "kdump/files.h"
#include "kdump/level.h"
#include "kdump/makedumpfile.h"
#include "kdump/plan.h"
#include "kdump/ready.h"
#include "kdump/status.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void a_plan_survives_text(void **state)
{
	struct plan a, b;
	struct buf text = BUF_INIT;
	struct err err;

	plan_init(&a);
	strcpy(a.kernel, "6.12.117+deb12-cloud-amd64");
	a.target_count = 2;
	a.targets[0] = (struct plan_target){ .target = "fs", .device = "vda1", .fstype = "ext4", .fsid = "0011", .dir = "/with blank/in it" };
	a.targets[1] = (struct plan_target){ .target = "raw", .device = "vdb", .fstype = "raw", .fsid = "22" };
	a.redact = true;
	a.max_dumps = 7;
	a.max_bytes = 20LL << 30;
	strcpy(a.compress, "-l");
	strcpy(a.modules[0], "modules/a.ko");
	strcpy(a.modules[1], "modules/b.ko");
	a.module_count = 2;
	a.built = 1795355767;
	a.level = 31;
	a.capsule_only = true;
	a.limits[STEP_VMCORE] = 77;
	a.final = FINAL_POWEROFF;
	strcpy(a.service, "kdump-tools");
	strcpy(a.program, "/usr/bin/deadfall");
	plan_write(&a, &text);
	memset(&b, 0, sizeof(b));
	assert_int_equal(plan_parse(buf_str(&text), &b, &err), 0);
	assert_int_equal(b.target_count, 2);
	assert_string_equal(b.service, "kdump-tools");
	assert_string_equal(b.program, "/usr/bin/deadfall");
	assert_string_equal(b.targets[0].dir, a.targets[0].dir);
	assert_string_equal(b.targets[0].options, "");
	assert_string_equal(b.targets[1].target, "raw");
	assert_string_equal(b.targets[1].dir, "");
	assert_string_equal(b.targets[1].fsid, "22");
	assert_true(b.redact && !b.watchdog);
	assert_int_equal(b.max_dumps, 7);
	assert_int_equal(b.max_bytes, 20LL << 30);
	assert_int_equal(b.module_count, 2);
	assert_string_equal(b.modules[1], "modules/b.ko");
	assert_int_equal(b.built, a.built);
	assert_int_equal(b.level, 31);
	assert_true(b.capsule_only);
	assert_int_equal(b.limits[STEP_VMCORE], 77);
	assert_int_equal(b.limits[STEP_CAPSULE], a.limits[STEP_CAPSULE]);
	assert_int_equal(b.total, a.total);
	assert_int_equal(b.final, FINAL_POWEROFF);
	buf_deinit(&text);
}

static void a_broken_plan_names_its_line(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "the plan is empty" },
		{ "deadfall-plan 2\n", "plan:1: 'deadfall-plan 2'" },
		{ "deadfall-plan 1\nlevel 32\n", "plan:2: cannot use 'level 32'" },
		{ "deadfall-plan 1\n\n", "plan:2: no value" },
		{ "deadfall-plan 1\nlevel 1\nnonsense x\n", "plan:3: cannot use 'nonsense x'" },
		{ "deadfall-plan 1\ndevice vda\n", "plan:2:" },
		{ "deadfall-plan 1\ntarget a\ntarget b\ntarget c\ntarget d\ntarget e\n", "plan:6:" },
		{ "deadfall-plan 1\nmax-dumps x\n", "plan:2:" },
		{ "deadfall-plan 1\nlimit vmcore 0\n", "plan:2:" },
		{ "deadfall-plan 1\nlimit nothing 5\n", "plan:2:" },
		{ "deadfall-plan 1\nfinal explode\n", "plan:2:" },
		{ "deadfall-plan 1\ncompress -zzzzzzzzzzzzzzzz\n", "plan:2:" },
	};
	struct plan p;
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		p.level = 99;
		assert_int_equal(plan_parse(bad[i].text, &p, &err), -1);
		assert_non_null(strstr(err.msg, bad[i].says));
		assert_int_equal(p.level, 99);
	}
}

static void the_level_follows_what_the_kernel_exports(void **state)
{
	struct level_facts f = { "OSRELEASE=6.1.0\nNUMBER(PG_slab)=9\nSIZE(page)=64\n", { 1, 7, 2 } };
	struct level_choice c = level_choose(&f);

	assert_int_equal(c.level, 31);
	assert_false(level_is_risky(31, &c));
	f.vmcoreinfo = "OSRELEASE=6.12.117\nNUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-1\n";
	c = level_choose(&f);
	assert_int_equal(c.level, 23);
	assert_true(level_is_risky(31, &c));
	assert_false(level_is_risky(17, &c));
	f.vmcoreinfo = NULL;
	assert_int_equal(level_choose(&f).level, 23);
	f = (struct level_facts){ "NUMBER(PG_slab)=9\n", { 1, 6, 9 } };
	assert_int_equal(level_choose(&f).level, 23);
}

static void makedumpfile_tells_what_it_can_do(void **state)
{
	struct makedumpfile m = { 0 };
	struct err err;

	assert_int_equal(makedumpfile_parse("makedumpfile: version 1.7.2 (released on 20 Oct 2022)\n"
					    "lzo\tenabled\nsnappy\tdisabled\nzstd\tdisabled\n", &m, &err), 0);
	assert_int_equal(m.version[1], 7);
	assert_string_equal(m.compress, "-l");
	assert_int_equal(makedumpfile_parse("makedumpfile: version 1.7.6 (x)\nlzo\tenabled\nzstd\tenabled\n", &m, &err), 0);
	assert_string_equal(m.compress, "-z");
	assert_int_equal(makedumpfile_parse("makedumpfile: version 1.7.6 (x)\n", &m, &err), 0);
	assert_string_equal(m.compress, "-c");
	assert_int_equal(makedumpfile_parse("garbage", &m, &err), -1);
}

static void results_of_a_capture(void **state)
{
	struct crash_status s = { 0 };
	struct plan p;

	plan_init(&p);
	assert_string_equal(status_result(&s, &p), "running");
	s.finished = true;
	assert_string_equal(status_result(&s, &p), "failed");
	s.steps[STEP_CAPSULE].state = STATE_DONE;
	assert_string_equal(status_result(&s, &p), "partial");
	s.steps[STEP_VMCORE].state = STATE_DONE;
	assert_string_equal(status_result(&s, &p), "partial");
	s.steps[STEP_CHECK].state = STATE_DONE;
	assert_string_equal(status_result(&s, &p), "complete");
	s.steps[STEP_CAPSULE].state = STATE_FAILED;
	assert_string_equal(status_result(&s, &p), "partial");
	s.steps[STEP_VMCORE].state = STATE_SKIPPED;
	s.steps[STEP_CAPSULE].state = STATE_DONE;
	p.capsule_only = true;
	assert_string_equal(status_result(&s, &p), "complete");
}

/* A machine on which everything is as it should be; each check is broken from here. */
static struct doctor_facts healthy(void)
{
	struct doctor_facts f = {
		.reserved = 256LL << 20, .loaded = true, .lockdown = "none", .release = "6.12.1", .mem_total_kb = 1 << 20,
		.have_state = true, .owner = OWNER_OURS, .have_makedumpfile = true, .target_count = 1,
		.targets = { { .target = "/var/crash", .ok = true, .modules = "virtio_blk.ko", .free = 10LL << 30,
			       .plan = { .fsid = "abc", .fstype = "ext4", .device = "vda" } } }, .panic_on_oops = 1, .pstore = "efi",
		.pages = { .known = true, .zero = 1000, .cache = 2000, .user = 4000, .free = 100000, .kernel = 30000 },
		.state = { .kernel = "6.12.1", .method = "kexec_file_load", .level = 23, .target_count = 1,
			   .targets = { { .target = "/var/crash", .fsid = "abc" } },
			   .modules = "virtio.ko virtio_blk.ko", .mem_total_kb = 1 << 20, .unpacked_bytes = 6 << 20 },
	};

	return f;
}

static struct check_result result_of(const struct doctor_facts *f, const char *name)
{
	struct check_result results[DOCTOR_CHECKS_MAX];

	doctor_run(f, results);
	for (size_t i = 0; doctor_checks[i].name; i++) {
		if (!strcmp(doctor_checks[i].name, name))
			return results[i];
	}
	fail_msg("no check %s", name);
	return results[0];
}

static void a_healthy_machine_is_ready(void **state)
{
	struct check_result results[DOCTOR_CHECKS_MAX];
	struct doctor_facts f = healthy();

	assert_true(doctor_run(&f, results));
	for (size_t i = 0; doctor_checks[i].name; i++)
		assert_int_equal(results[i].state, CHECK_OK);
}

/* Break one fact; the check named must fail, with a fix, and the whole must not be ready. */
#define BREAKS(check, statement) do {						\
	struct check_result results[DOCTOR_CHECKS_MAX], r;			\
	struct doctor_facts f = healthy();					\
	statement;								\
	r = result_of(&f, check);						\
	assert_int_equal(r.state, CHECK_FAIL);					\
	assert_int_not_equal(r.text[0], 0);					\
	assert_int_not_equal(r.fix[0], 0);					\
	assert_false(doctor_run(&f, results));					\
	for (size_t i = 0; doctor_checks[i].name; i++)				\
		assert_true(results[i].state != CHECK_FAIL || *results[i].fix);	\
} while (0)

static void each_condition_is_checked(void **state)
{
	BREAKS("support", f.reserved = -1);
	BREAKS("reserved", f.reserved = 0);
	BREAKS("reserved", f.reserved = 64 << 20);
	BREAKS("loaded", f.loaded = false);
	BREAKS("loaded", (f.loaded = false, f.load_disabled = true));
	BREAKS("owner", f.owner = OWNER_OTHER);
	BREAKS("owner", f.owner = OWNER_SERVICE);
	BREAKS("capsule", f.have_state = false);
	BREAKS("owner", (f.have_state = false, f.owner = OWNER_OTHER));
	BREAKS("kernel", strcpy(f.release, "6.12.2"));
	BREAKS("kernel", f.mem_total_kb += 1 << 20);
	BREAKS("kernel", f.have_state = false);
	BREAKS("target", (f.targets[0].ok = false, strcpy(f.targets[0].error, "gone")));
	BREAKS("target", strcpy(f.targets[0].plan.fsid, "other"));
	BREAKS("drivers", strcpy(f.targets[0].modules, "virtio_blk.ko nvme.ko"));
	BREAKS("drivers", strcpy(f.targets[0].modules, "blk.ko"));
	BREAKS("space", f.targets[0].free = 10 << 20);
	BREAKS("watchdog", f.watchdog_active = true);
	BREAKS("space", (f.targets[0].free = 100, f.state.capsule_only = true));
	BREAKS("space", (f.targets[0].free = 10 << 20, f.pages.known = false));
	BREAKS("makedumpfile", (f.have_makedumpfile = false, strcpy(f.makedumpfile_error, "not there")));
	BREAKS("makedumpfile", (f.pages.known = false, strcpy(f.makedumpfile_error, "not supported")));
}

/* A test crashes the machine: not where it is known that nothing would be saved, but where it alone can tell. */
static void a_test_begins_where_it_tells_something(void **state)
{
	struct check_result results[DOCTOR_CHECKS_MAX];
	struct doctor_facts f = healthy();

	doctor_run(&f, results);
	assert_true(doctor_may_test(results));
	f.pages.known = false;
	assert_false(doctor_run(&f, results));
	assert_true(doctor_may_test(results));
	f.have_makedumpfile = false;
	doctor_run(&f, results);
	assert_false(doctor_may_test(results));
}

static void what_may_spoil_a_dump_warns(void **state)
{
	struct doctor_facts f = healthy();

	f.owner = OWNER_UNSEEN;
	assert_int_equal(result_of(&f, "owner").state, CHECK_WARN);
	f.crash_kexec_post_notifiers = 1;
	assert_int_equal(result_of(&f, "panic").state, CHECK_WARN);
	/* makedumpfile cannot be tried, or does at a crash what it did not here. */
	f.pages.known = false;
	f.kcore_closed = true;
	assert_int_equal(result_of(&f, "makedumpfile").state, CHECK_WARN);
	f.kcore_closed = false;
	f.tested = true;
	assert_int_equal(result_of(&f, "makedumpfile").state, CHECK_WARN);
	f.pages.known = true;
	/* Between the expected size and the most that it can be. */
	f.targets[0].free = 100LL << 20;
	assert_int_equal(result_of(&f, "space").state, CHECK_WARN);
	f.targets[0].free = 2 << 20;
	f.state.capsule_only = true;
	assert_int_equal(result_of(&f, "space").state, CHECK_OK);
}

static struct doctor_facts beside(void)
{
	struct doctor_facts f = healthy();

	f.service = (struct kdump_service){ .name = "kdump-tools", .enabled = true };
	f.owner = OWNER_SERVICE;
	strcpy(f.state.service, "kdump-tools");
	f.state.modules[0] = f.state.targets[0].fsid[0] = f.targets[0].plan.fsid[0] = 0;
	return f;
}

/* The crash kernel of kdump-tools is as good as ours while our hook is in it. */
static void beside_another_service(void **state)
{
	struct doctor_facts f = beside();
	struct check_result results[DOCTOR_CHECKS_MAX];

	assert_true(doctor_run(&f, results));
	assert_int_equal(result_of(&f, "owner").state, CHECK_OK);
	assert_non_null(strstr(result_of(&f, "drivers").text, "kdump-tools"));
	strcpy(f.hook_error, "it is gone");
	assert_int_equal(result_of(&f, "capsule").state, CHECK_FAIL);
	assert_non_null(strstr(result_of(&f, "capsule").fix, "--beside"));
	f = beside();
	f.owner = OWNER_OTHER;
	assert_int_equal(result_of(&f, "owner").state, CHECK_FAIL);
	f = beside();
	f.watchdog_active = true;
	assert_int_equal(result_of(&f, "watchdog").state, CHECK_FAIL);
	f.systemd_watchdog = true;
	assert_int_equal(result_of(&f, "watchdog").state, CHECK_OK);
	/* What a larger user space takes is not known as well as ours. */
	f = beside();
	f.reserved = 96 << 20;
	assert_int_equal(result_of(&f, "reserved").state, CHECK_WARN);
	/* Ours is loaded, and the service will load its own. */
	f = healthy();
	f.service = beside().service;
	assert_int_equal(result_of(&f, "owner").state, CHECK_WARN);
	assert_true(doctor_run(&f, results));
	/* Its own, and nothing of us. */
	f.owner = OWNER_SERVICE;
	f.have_state = false;
	assert_non_null(strstr(result_of(&f, "owner").text, "it is of kdump-tools: it takes no capsule"));
	assert_non_null(strstr(result_of(&f, "owner").fix, "--beside"));
}

/* With a second target a broken first one costs no dump, and the other way round. */
static void a_second_target_takes_over(void **state)
{
	struct doctor_facts f = healthy();

	f.target_count = f.state.target_count = 2;
	f.targets[1] = f.targets[0];
	f.state.targets[1] = f.state.targets[0];
	strcpy(f.targets[1].target, "/mnt/second");
	assert_int_equal(result_of(&f, "target").state, CHECK_OK);
	assert_non_null(strstr(result_of(&f, "target").text, "else /mnt/second"));
	f.targets[0].ok = false;
	strcpy(f.targets[0].error, "gone");
	assert_int_equal(result_of(&f, "target").state, CHECK_WARN);
	assert_non_null(strstr(result_of(&f, "target").text, "gone; dumps go to /mnt/second"));
	f.targets[1].free = 1 << 20;
	assert_int_equal(result_of(&f, "space").state, CHECK_FAIL);
	strcpy(f.targets[1].plan.fsid, "other");
	assert_int_equal(result_of(&f, "target").state, CHECK_FAIL);
}

static void pages_are_counted_as_the_level_leaves_them(void **state)
{
	struct page_kinds p;
	long long most, expected;

	assert_true(doctor_parse_pages("x\nTYPE\tPAGES\nZERO\t\t4434 \tyes\nNON_PRI_CACHE\t5294 yes\nPRI_CACHE\t23 yes\n"
				       "USER 228 yes\nFREE 180313 yes\nKERN_DATA 33879 no\n", &p));
	assert_int_equal(p.free, 180313);
	doctor_dump_size(&p, 31, &most, &expected);
	assert_int_equal(most, 33879 * 4096 + (8 << 20));
	doctor_dump_size(&p, 23, &most, &expected);
	assert_int_equal(most, (33879 + 228) * 4096 + (8 << 20));
	assert_false(doctor_parse_pages("The kernel version is not supported.\n", &p));
}

static char root[64];

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static void put(const char *path, const char *text)
{
	char full[512], dir[512];
	struct err err;

	snprintf(full, sizeof(full), "%s%s", root, path);
	strcpy(dir, full);
	*strrchr(dir, '/') = 0;
	assert_int_equal(make_dirs(dir, 0755, &err), 0);
	assert_int_equal(file_replace(full, text, strlen(text), 0644, &err), 0);
}

static void facts_of_a_made_up_machine(void **state)
{
	struct doctor_facts f = { 0 };

	put("/sys/kernel/kexec_crash_size", "201326592\n");
	put("/sys/kernel/kexec_crash_loaded", "1\n");
	put("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	put("/proc/meminfo", "MemTotal:         793460 kB\nMemFree: 1 kB\n");
	put("/proc/sys/kernel/osrelease", "6.1.0\n");
	put("/sys/module/pstore/parameters/backend", "(null)\n");
	put("/sys/class/watchdog/watchdog0/state", "active\n");
	put("/sys/class/watchdog/watchdog0/identity", "i6300ESB timer\n");
	put("/usr/sbin/kdump-config", "");
	doctor_gather_kernel(root, &f);
	assert_int_equal(f.reserved, 201326592);
	assert_true(f.loaded);
	assert_string_equal(f.lockdown, "integrity");
	assert_int_equal(f.mem_total_kb, 793460);
	assert_string_equal(f.pstore, "");
	assert_true(f.watchdog_active);
	assert_string_equal(f.service.name, "kdump-tools");
	assert_false(f.have_state);
}

static void what_kdump_tools_is_told(void **state)
{
	struct kdump_service s;

	service_find(root, &s);
	assert_string_equal(s.name, "");
	put("/usr/bin/kdumpctl", "");
	service_find(root, &s);
	assert_string_equal(s.name, "kdump-utils");
	put("/usr/sbin/kdump-config", "");
	service_find(root, &s);
	assert_string_equal(s.name, "kdump-tools");
	assert_false(s.enabled);
	put("/etc/default/kdump-tools", "# USE_KDUMP=0\nUSE_KDUMP=1\n  KDUMP_COREDIR=\"/srv/crash\"  # there\n#SSH=\"a@b\"\nKDUMP_INITRD=/x\n"
	    "KDUMP_INITRD='/boot/my initrd' \n");
	service_find(root, &s);
	assert_true(s.enabled && !s.sends);
	assert_string_equal(s.dumps, "/srv/crash");
	assert_string_equal(s.initrd, "/boot/my initrd");
	assert_string_equal(s.kernel, "/var/lib/kdump/vmlinuz");
	assert_string_equal(s.arguments, "");
	assert_int_equal(s.level, 31);
	put("/etc/default/kdump-tools", "USE_KDUMP=0\nMAKEDUMP_ARGS=\"-c -d 17\"\nNFS=\"\"\nSSH=root@server\nKDUMP_COREDIR=\"not closed\n");
	service_find(root, &s);
	assert_true(!s.enabled && s.sends);
	assert_int_equal(s.level, 17);
	assert_string_equal(s.dumps, "/var/crash");
}

static void ready_says_what_to_do(void **state)
{
	struct err err;

	assert_int_equal(kdump_ready_at(root, &err), -1);
	assert_int_equal(err.code, ERR_ENVIRONMENT);
	assert_non_null(strstr(err.msg, "CONFIG_CRASH_DUMP"));
	put("/sys/kernel/kexec_crash_size", "0\n");
	assert_int_equal(kdump_ready_at(root, &err), -1);
	assert_non_null(strstr(err.msg, "crashkernel="));
	put("/sys/kernel/kexec_crash_size", "201326592\n");
	put("/sys/kernel/kexec_crash_loaded", "0\n");
	assert_int_equal(kdump_ready_at(root, &err), -1);
	assert_non_null(strstr(err.msg, "deadfall kdump setup"));
	put("/sys/kernel/kexec_crash_loaded", "1\n");
	assert_int_equal(kdump_ready_at(root, &err), 0);
	put("/proc/sys/kernel/random/boot_id", "one\n");
	put("/proc/sys/kernel/osrelease", "6.1.0\n");
	put("/run/deadfall/kdump.json", "{\"format\": 2, \"boot_id\": \"one\", \"kernel\": \"6.0.0\"}");
	assert_int_equal(kdump_ready_at(root, &err), -1);
	assert_non_null(strstr(err.msg, "6.0.0"));
	put("/run/deadfall/kdump.json", "{\"format\": 2, \"boot_id\": \"one\", \"kernel\": \"6.1.0\"}");
	assert_int_equal(kdump_ready_at(root, &err), 0);
	put("/run/deadfall/kdump.json", "{\"format\": 2, \"boot_id\"");
	assert_int_equal(kdump_ready_at(root, &err), -1);
}

static int make_root(void **state)
{
	strcpy(root, "/tmp/deadfall-root.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_survives_text),
		cmocka_unit_test(a_broken_plan_names_its_line),
		cmocka_unit_test(the_level_follows_what_the_kernel_exports),
		cmocka_unit_test(makedumpfile_tells_what_it_can_do),
		cmocka_unit_test(results_of_a_capture),
		cmocka_unit_test(a_healthy_machine_is_ready),
		cmocka_unit_test(each_condition_is_checked),
		cmocka_unit_test(a_test_begins_where_it_tells_something),
		cmocka_unit_test(what_may_spoil_a_dump_warns),
		cmocka_unit_test(beside_another_service),
		cmocka_unit_test(a_second_target_takes_over),
		cmocka_unit_test(pages_are_counted_as_the_level_leaves_them),
		cmocka_unit_test_setup_teardown(facts_of_a_made_up_machine, make_root, remove_root),
		cmocka_unit_test_setup_teardown(what_kdump_tools_is_told, make_root, remove_root),
		cmocka_unit_test_setup_teardown(ready_says_what_to_do, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
