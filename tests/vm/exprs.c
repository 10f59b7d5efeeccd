// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exprs.c - what the rules of exprs.sh look at: a process of a known name that reads a file of a known name at a known
 * offset, with flags, sizes and user memory that the rules know; that sends itself a packet; and that calls a module.
 *
 * usage: exprs TIMES
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "/tmp/deadfall-expressions.txt"

/* A packet of three bytes to itself, by a loopback device that is up. */
static int send_packet(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(5353), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ok = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &lo) && sendto(fd, "abc", 3, 0, (void *)&to, sizeof(to)) == 3;

	close(fd);
	return ok;
}

/* A widget of the module widget, where that is loaded. */
static int call_module(void)
{
	int fd = open("/proc/widget", O_WRONLY), ok = fd < 0 || write(fd, "alloc 16", 8) == 8;

	close(fd);
	return ok;
}

int main(int argc, char **argv)
{
	static char text[4096] = "user text of this process, longer than a short literal";
	int n = argc > 1 ? atoi(argv[1]) : 1, fd;

	prctl(PR_SET_NAME, "df-exprs");
	if (fork()) {
		wait(NULL);
		return 0;
	}
	prctl(PR_SET_NAME, "df-child");
	fd = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0640);
	if (fd < 0 || write(fd, text, sizeof(text)) != sizeof(text))
		return 1;
	for (int i = 0; i < n; i++) {
		/* count is 77 at vfs_read, the offset 100; the buffer holds the text */
		lseek(fd, 100, SEEK_SET);
		memcpy(text, "user text of this process, longer than a short literal", 55);
		if (read(fd, text, 77) != 77)
			return 1;
		if (!send_packet() || !call_module())
			return 1;
	}
	close(fd);
	return 0;
}
