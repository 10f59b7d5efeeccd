/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * features_try.h - the experiments behind the table of features: each loads a program of a few instructions, creates a
 * map, or attaches to one function for a moment, and leaves nothing behind. 0: it worked; else -errno.
 */
#ifndef AGENT_FEATURES_TRY_H
#define AGENT_FEATURES_TRY_H

/* -errno of an experiment that says nothing about the kernel: the tracing file system is not mounted. */
#define TRY_NO_TRACEFS (-ENXIO)

int try_tracing(void);
int try_engines(void);
int try_cookies(void);
int try_loops(void);
int try_timers(void);
int try_task_storage(void);
int try_ringbuf(void);
int try_bloom(void);
int try_kprobe_multi(void);
int try_missed(void);
int try_session(void);
int try_addresses(void);
int try_lists(void);
int try_user_ringbuf(void);
int try_stats(void);
int try_crash_kexec(void);
int try_bpf_panic(void);
int try_branches(void);
int try_casts(void);

#endif
