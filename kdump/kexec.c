// SPDX-License-Identifier: GPL-2.0-or-later
/* kexec.c - see kexec.h. */
#include "kdump/kexec.h"

#include "kdump/files.h"
#include "kdump/process.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int kexec_image_release(const char *path, char *out, size_t size, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t header[0x300];
	char version[256];
	uint16_t at;
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	/* The boot protocol (x86/boot.rst): "HdrS" at 0x202, and at 0x20e where the version string is, less 0x200. */
	if (pread(fd, header, sizeof(header), 0) != sizeof(header) || memcmp(header + 0x202, "HdrS", 4))
		return err_set(err, ERR_CORRUPT, "%s is not an x86 kernel image (bzImage)", path);
	at = (uint16_t)(header[0x20e] | header[0x20f] << 8);
	n = at ? pread(fd, version, sizeof(version) - 1, at + 0x200) : 0;
	version[n > 0 ? n : 0] = 0;
	version[strcspn(version, " \n")] = 0;
	if (!*version || snprintf(out, size, "%s", version) >= (int)size)
		return err_set(err, ERR_CORRUPT, "%s does not tell its version", path);
	return 0;
}

int kexec_find_kernel(const char *root, const char *release, const char *wanted, char *out, size_t size,
		      struct err *err)
{
	static const struct {
		const char *before, *after;	/* of the release; no after: the path is without it */
	} places[] = {
		{ "/boot/vmlinuz-", "" }, { "/lib/modules/", "/vmlinuz" }, { "/boot/vmlinuz", NULL },
		{ "/vmlinuz", NULL }, { "/boot/bzImage-", "" },
	};
	struct buf seen = BUF_INIT;
	char found[128];

	if (wanted) {
		snprintf(out, size, "%s", wanted);
		if (kexec_image_release(out, found, sizeof(found), err))
			return -1;
		if (!strcmp(found, release))
			return 0;
		return err_set(err, ERR_ENVIRONMENT, "%s is kernel %s, but %s runs; name the image of the running one", out,
			       found, release);
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		char place[PATH_MAX];

		snprintf(place, sizeof(place), "%s%s%s", places[i].before, places[i].after ? release : "",
			 places[i].after ? places[i].after : "");
		snprintf(out, size, "%s%s", root, place);
		if (!kexec_image_release(out, found, sizeof(found), NULL) && !strcmp(found, release)) {
			buf_deinit(&seen);
			return 0;
		}
		buf_printf(&seen, "%s%s", seen.len ? ", " : "", place);
	}
	err_set(err, ERR_ENVIRONMENT, "no image of the running kernel %s (looked for %s); name it with --kernel", release,
		buf_str(&seen));
	buf_deinit(&seen);
	return -1;
}

/*
 * What does not belong on a crash kernel's command line: names up to '=' or the end of the word; a name that
 * ends in '.' stands for all parameters with that prefix.
 */
static const char *const dropped[] = {
	"crashkernel", "BOOT_IMAGE", "initrd", "root", "rootfstype", "rootflags", "rootdelay", "rootwait", "ro", "rw",
	"init", "rdinit", "resume", "resume_offset", "noresume", "splash", "single", "rd.", "systemd.", "luks.",
	"mem", "memmap", "maxcpus", "nr_cpus", "possible_cpus", "isolcpus", "nohz_full", "rcu_nocbs", "cgroup_disable",
	"hugepages", "hugepagesz", "default_hugepagesz", "hugetlb_cma", "cma", "swiotlb", "log_buf_len",
	"trace_event", "trace_buf_size", "ftrace", "ftrace_filter", "ftrace_dump_on_oops", "kmemleak", "page_owner",
	"slub_debug", "slab_debug", "kasan", "kfence.", "panic", "panic_on_warn", "panic_print", "panic_on_oops", "oops",
	"softlockup_panic", "hung_task_panic", "hardlockup_panic", "reset_devices", "irqpoll", "numa", "mce", "nokaslr",
	"transparent_hugepage", "acpi_no_memhotplug", "novmcoredd", "elfcorehdr", "disable_cpu_apicid", "kunit.", "dyndbg",
};

/*
 * What it gets instead: one CPU (no memory for more, and no others answer), devices reset by their drivers,
 * nothing that costs memory, and the way out of a crash of its own: reboot after 10 s. no_timer_check: the first kernel
 * proved that this machine's timer interrupt works; to count ticks again, against a busy host or on odd hardware, can only
 * end in the panic "IO-APIC + timer doesn't work" before anything is saved.
 */
static const char appended[] = "nr_cpus=1 reset_devices irqpoll nokaslr numa=off mce=off cgroup_disable=memory "
			       "transparent_hugepage=never acpi_no_memhotplug novmcoredd no_timer_check panic=10";

static bool is_dropped(const char *word, size_t len)
{
	const char *eq = memchr(word, '=', len);
	size_t name = eq ? (size_t)(eq - word) : len;

	for (size_t i = 0; i < sizeof(dropped) / sizeof(*dropped); i++) {
		size_t n = strlen(dropped[i]);

		if (dropped[i][n - 1] == '.' ? name >= n && !strncmp(word, dropped[i], n)
					     : name == n && !strncmp(word, dropped[i], n))
			return true;
	}
	return false;
}

void kexec_append_line(const char *cmdline, struct buf *out)
{
	for (const char *p = cmdline; *p;) {
		size_t len = 0;
		bool quoted = false;

		p += strspn(p, " \t\n");
		/* A blank inside quotes does not end a parameter (kernel/params.c). */
		while (p[len] && (quoted || !strchr(" \t\n", p[len]))) {
			quoted ^= p[len] == '"';
			len++;
		}
		/* What follows "--" is for the first system's init. */
		if (!len || (len == 2 && !strncmp(p, "--", 2)))
			break;
		if (!is_dropped(p, len))
			buf_printf(out, "%.*s ", (int)len, p);
		p += len;
	}
	buf_puts(out, appended);
}

void kexec_lockdown(const char *root, char *out, size_t size)
{
	char line[128], *open_bracket, *close_bracket;

	snprintf(out, size, "unknown");
	if (!file_line(root, "/sys/kernel/security/lockdown", line, sizeof(line)))
		return;
	open_bracket = strchr(line, '[');
	close_bracket = open_bracket ? strchr(open_bracket, ']') : NULL;
	if (close_bracket) {
		*close_bracket = 0;
		snprintf(out, size, "%s", open_bracket + 1);
	}
}

int kexec_check_possible(const char *root, struct err *err)
{
	long long reserved = file_number(root, "/sys/kernel/kexec_crash_size", -1);

	if (reserved < 0)
		return err_set(err, ERR_ENVIRONMENT, "this kernel cannot crash into another: it has no "
			       "/sys/kernel/kexec_crash_size (CONFIG_CRASH_DUMP)");
	if (!reserved)
		return err_set(err, ERR_ENVIRONMENT, "no memory is reserved for a crash kernel: boot with crashkernel=256M on the "
			       "kernel's command line (GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then update-grub and reboot)");
	if (file_number(root, "/proc/sys/kernel/kexec_load_disabled", 0) == 1)
		return err_set(err, ERR_ENVIRONMENT, "loading a crash kernel is disabled until the next boot "
			       "(sysctl kernel.kexec_load_disabled is 1); reboot, and set up kdump before it is set");
	return 0;
}

static int run_kexec(const char *kexec, const char *how, const struct kexec_load *load, struct process_result *r,
		     struct err *err)
{
	_cleanup_free_ char *initrd = NULL;
	_cleanup_free_ char *append = NULL;

	if (asprintf(&initrd, "--initrd=%s", load->initramfs) < 0 || asprintf(&append, "--append=%s", load->append) < 0)
		return err_nomem(err);
	const char *argv[] = { kexec, "-p", how, load->kernel, initrd, append, NULL };
	struct process p = { .argv = argv, .limit = 120 };

	return process_run(&p, r, err);
}

int kexec_load_crash(struct kexec_load *load, struct err *err)
{
	char kexec[PATH_MAX], by_file[400], by_segments[400], lockdown[32];
	struct process_result r;

	if (kexec_check_possible("", err))
		return -1;
	if (!find_program("kexec", kexec, sizeof(kexec)))
		return err_set(err, ERR_ENVIRONMENT, "kexec is not installed: apt-get install kexec-tools");
	load->method = "kexec_file_load";
	if (run_kexec(kexec, "-s", load, &r, err))
		return -1;
	if (!process_ok(&r)) {
		process_explain(&r, by_file, sizeof(by_file));
		load->method = "kexec_load";
		if (run_kexec(kexec, "-c", load, &r, err))
			return -1;
	}
	if (!process_ok(&r)) {
		process_explain(&r, by_segments, sizeof(by_segments));
		kexec_lockdown("", lockdown, sizeof(lockdown));
		return err_set(err, ERR_ENVIRONMENT, "kexec cannot load %s: by file: %s; by segments: %s; lockdown is %s%s",
			       load->kernel, by_file, by_segments, lockdown,
			       strcmp(lockdown, "none") && strcmp(lockdown, "unknown") ?
			       " (only an image signed with a key the kernel trusts can be loaded)" : "");
	}
	if (file_number("", "/sys/kernel/kexec_crash_loaded", 0) != 1)
		return err_set(err, ERR_ENVIRONMENT, "kexec reported success, but the kernel says that no crash kernel is loaded");
	return 0;
}
