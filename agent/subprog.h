/* SPDX-License-Identifier: GPL-2.0-or-later */
/* subprog.h - the functions of a loaded BPF program. */
#ifndef AGENT_SUBPROG_H
#define AGENT_SUBPROG_H

#include <stdbool.h>

/*
 * Does the loaded program have a function of that name? The verifier removes code that cannot be reached, and functions
 * that only it calls (since v5.1, 52875a04f4b2 "bpf: verifier: remove dead code"). True also when the kernel does not say.
 */
bool prog_has_function(int fd, const char *name);

#endif
