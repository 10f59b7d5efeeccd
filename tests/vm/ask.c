// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ask.c - for tests/vm/rules/asked-twice.yaml. `ask PID` asks for its process group; `ask wait` stays in D state, where
 * whoever waits for a child after vfork() is.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static __attribute__((noinline)) int ask_for(int pid)
{
	return getpgid(pid) < 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "wait") && !vfork()) {
		sleep(1000);
		_exit(0);
	}
	return argc > 1 ? ask_for(atoi(argv[1])) + 1 : 0;
}
