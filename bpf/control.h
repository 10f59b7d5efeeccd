/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.h - commands from user space to an armed set, applied here, in order, without reloading anything.
 *
 * The writer puts them into df_in and runs df_drain, so that they are applied before its system call returns, and
 * the agent need not answer. Anything that is not a command is refused: the buffer is the user's memory.
 */
#ifndef BPF_CONTROL_H
#define BPF_CONTROL_H

#include "bpf/verdict.h"

static __always_inline bool control_param(__u32 i, __u64 value)
{
	barrier_var(i);
	if (i >= df_cfg_nparams)
		return false;
	barrier_var(i);
	df_params[i] = value;
	note(DF_NOTE_PARAM, i);
	return true;
}

static __always_inline bool control_mark(const struct df_cmd *cmd)
{
	__u32 n = __sync_fetch_and_add(&df_ctl.marks, 1) % DF_MARKS;
	struct df_mark *m = bpf_map_lookup_elem(&df_marks, &n);

	if (!m)
		return false;
	m->ns = bpf_ktime_get_ns();
	m->seq = df_ctl.seq;
	__builtin_memcpy(m->text, cmd->text, sizeof(m->text));
	m->text[sizeof(m->text) - 1] = 0;
	note(DF_NOTE_MARK, n);
	return true;
}

static __always_inline bool control_arm(__u64 act)
{
	if (act > DF_ACT_PANIC || (act != DF_ACT_NONE && (df_ctl.braked || df_ctl.frozen)))
		return false;
	df_ctl.armed = act;
	note(DF_NOTE_ARMED, act);
	return true;
}

static long control_apply(struct bpf_dynptr *ptr, void *ctx)
{
	struct df_cmd cmd;
	bool done = false;

	if (bpf_dynptr_read(&cmd, sizeof(cmd), ptr, 0, 0))
		return 0;
	if (cmd.kind == DF_CMD_ARM)
		done = control_arm(cmd.value);
	else if (cmd.kind == DF_CMD_PARAM)
		done = control_param(cmd.index, cmd.value);
	else if (cmd.kind == DF_CMD_MARK)
		done = control_mark(&cmd);
	if (!done)
		df_ctl.cmd_refused = cmd.seq;
	df_ctl.cmd_done = cmd.seq;
	return 0;
}

#endif
