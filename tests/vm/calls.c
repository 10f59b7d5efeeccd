// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * calls - functions and USDT probes of a program in user space, to be probed.
 *
 * usage: calls N [wait]	N rounds; with "wait" it first says its process id, and waits for a line from standard input
 *
 * Each round i calls calls_enter(i, "round"), which returns 3 * i, and getpgid(0) of the C library, and passes the
 * USDT probes calls:operands, whose arguments are where compilers like to leave them: in a register, a constant, a
 * global variable (%rip-relative), an element of an array (SIB), on the stack, a constant beyond a signed short, the last
 * byte of a page that nothing follows.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sdt.h>
#include <unistd.h>

#define PROBED __attribute__((noinline, noipa, used))

static int32_t global = -40;
static uint16_t table[8] = { 0, 100, 200, 300, 400, 500, 600, 65535 };
static volatile int8_t *last_byte;

PROBED static long calls_enter(long i, const char *text)
{
	return (long)strlen(text) > 0 ? 3 * i : 0;
}

PROBED static void calls_probe(long i)
{
	volatile long local = i + 1000;

	STAP_PROBE7(calls, operands, i, 7, global, table[i & 7], local, (uint16_t)65000, *last_byte);
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1;

	if (argc > 2) {
		printf("%d\n", getpid());
		fflush(stdout);
		getchar();
	}
	last_byte = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (last_byte == MAP_FAILED || munmap((char *)last_byte + 4096, 4096))
		return 1;
	last_byte += 4095;
	*last_byte = -3;
	global--;	/* a page that nobody has touched cannot be read in a probe */
	table[0]++;
	for (long i = 1; i <= n; i++) {
		if (calls_enter(i, "round") != 3 * i)
			return 1;
		calls_probe(i);
		if (getpgid(0) < 0)
			return 1;
	}
	return 0;
}
