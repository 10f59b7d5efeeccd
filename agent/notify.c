// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/cleanup.h"

void notify_ready(const char *status)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char text[400];
	int n;

	if (!path || !*path || strlen(path) >= sizeof(to.sun_path))
		return;
	strcpy(to.sun_path, path);
	/* '@' stands for the NUL that a name in the abstract namespace begins with */
	if (*path == '@')
		to.sun_path[0] = 0;
	n = snprintf(text, sizeof(text), "READY=1\nSTATUS=%.300s\n", status);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && sendto(fd, text, (size_t)n, MSG_NOSIGNAL, (const struct sockaddr *)&to,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
		perror("deadfall run: NOTIFY_SOCKET");
}
