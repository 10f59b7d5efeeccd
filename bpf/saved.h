/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * saved.h - values of a function's entry for its return: a few frames in the thread's storage.
 *
 * What tells calls apart is an address that belongs to one live call only: of the session's cookie (one for each call
 * of a kprobe session), or of the trampoline's argument array (fentry and fexit of one call get the same context). So
 * recursion pairs rightly, and an entry whose return was lost cannot be taken for another call's: it is overwritten
 * when its address comes round again, or when there is no room left.
 *
 * An interrupt may come in at any point and do the same for calls of its own; it has ended them when it leaves.
 */
#ifndef BPF_SAVED_H
#define BPF_SAVED_H

#include "bpf/runtime.h"

#define NO_FRAME DF_FRAMES

/* An index that the verifier knows only the bounds of: else it would check what follows once for each frame. */
static __always_inline __u32 forget(__u32 i)
{
	__u32 same = 0;

	bpf_probe_read_kernel(&same, sizeof(same), &i);
	return same & (DF_FRAMES - 1);
}

static __always_inline struct df_frames *frames_of_task(__u64 flags)
{
	return bpf_task_storage_get(&df_frames, bpf_get_current_task_btf(), NULL, flags);
}

static __always_inline __u32 frame_find(struct df_frames *fs, __u64 id, __u32 event)
{
	for (__u32 i = 0; i < DF_FRAMES; i++) {
		if (fs->f[i].id == id && fs->f[i].event == event)
			return i;
	}
	return NO_FRAME;
}

static __always_inline __u32 frame_free(struct df_frames *fs)
{
	for (__u32 i = 0; i < DF_FRAMES; i++) {
		if (!fs->f[i].id)
			return i;
	}
	return fs->full++;
}

/* At the entry: keep the known mask and the n values behind it. */
__hidden __attribute__((noinline)) int df_save(__u64 id, __u32 event, void *values, __u32 n)
{
	struct df_frames *fs = frames_of_task(BPF_LOCAL_STORAGE_GET_F_CREATE);
	__u64 *from = values;
	struct df_frame *f;
	__u32 i;

	if (!fs)
		return -1;
	i = frame_find(fs, id, event);
	if (i == NO_FRAME)
		i = frame_free(fs);
	f = &fs->f[forget(i)];
	f->event = event;
	f->known = from[0];
	for (i = 0; i < DF_SAVED && i < n; i++)
		f->v[i] = from[i + 1];
	barrier();
	f->id = id;
	return 0;
}

/* At the return: fetch and forget them. -1: nothing is known of the entry. */
__hidden __attribute__((noinline)) int df_saved(__u64 id, __u32 event, void *values, __u32 n)
{
	struct df_frames *fs = frames_of_task(0);
	__u64 *to = values;
	struct df_frame *f;
	__u32 i;

	if (!fs)
		return -1;
	i = frame_find(fs, id, event);
	if (i == NO_FRAME)
		return -1;
	f = &fs->f[forget(i)];
	to[0] = f->known;
	for (i = 0; i < DF_SAVED && i < n; i++)
		to[i + 1] = f->v[i];
	f->id = 0;
	return 0;
}

/* In a kprobe session: is this the return, and what tells this call from others. */
__hidden __attribute__((noinline)) int df_is_return(void)
{
	return bpf_session_is_return();
}

__hidden __attribute__((noinline)) __u64 df_session(void)
{
	return (__u64)bpf_session_cookie();
}

#endif
