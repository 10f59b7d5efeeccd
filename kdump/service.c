// SPDX-License-Identifier: GPL-2.0-or-later
/* service.c - see service.h. */
#include "kdump/service.h"

#include "kdump/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG "/etc/default/kdump-tools"

static bool exists(const char *root, const char *path)
{
	char full[1024];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return !access(full, F_OK);
}

/* "-d N" or "-dN"; 31 is what kdump-config takes where nothing is said. */
static int level_of(const char *arguments)
{
	const char *p = *arguments ? strstr(arguments, "-d") : NULL;

	if (!*arguments)
		return 31;
	return p ? atoi(p + 2) : 0;
}

static void read_kdump_tools(const char *root, struct kdump_service *s)
{
	struct buf text = BUF_INIT;
	char use[16] = "0", server[256] = "";
	static const char *const servers[] = { "SSH", "NFS", "FTP" };

	if (read_under(root, CONFIG, &text, NULL)) {
		buf_deinit(&text);
		return;
	}
	config_value(buf_str(&text), "USE_KDUMP", use, sizeof(use));
	config_value(buf_str(&text), "KDUMP_KERNEL", s->kernel, sizeof(s->kernel));
	config_value(buf_str(&text), "KDUMP_INITRD", s->initrd, sizeof(s->initrd));
	config_value(buf_str(&text), "KDUMP_COREDIR", s->dumps, sizeof(s->dumps));
	config_value(buf_str(&text), "MAKEDUMP_ARGS", s->arguments, sizeof(s->arguments));
	for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
		config_value(buf_str(&text), servers[i], server, sizeof(server));
		s->sends |= *server != 0;
	}
	s->enabled = strcmp(use, "0") != 0;
	s->level = level_of(s->arguments);
	buf_deinit(&text);
}

void service_find(const char *root, struct kdump_service *ret)
{
	*ret = (struct kdump_service){ .kernel = "/var/lib/kdump/vmlinuz", .initrd = "/var/lib/kdump/initrd.img", .dumps = "/var/crash",
				       .level = 31 };
	if (exists(root, "/usr/bin/kdumpctl"))
		strcpy(ret->name, "kdump-utils");
	if (!exists(root, "/usr/sbin/kdump-config"))
		return;
	strcpy(ret->name, "kdump-tools");
	read_kdump_tools(root, ret);
}
