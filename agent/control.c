// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "agent/datamap.h"

#define FULL_WAIT_MS 5000
#define FULL_STEP_MS 10

/* Apply what is in the buffer. */
static int drain(const struct control *c, struct err *err)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(c->set->drain_fd, &opts))
		return err_sys(err, errno, "run the set's command program");
	/* -EBUSY: another drain is at work; the caller looks at the sequence number anyway */
	if ((int)opts.retval < 0 && (int)opts.retval != -EBUSY)
		return err_sys(err, -(int)opts.retval, "apply commands");
	return 0;
}

int control_disarm(const struct running *set, struct err *err)
{
	size_t len;
	struct df_ctl *ctl = datamap_open(set->ctl_fd, &len);

	if (!ctl)
		return err_sys(err, errno, "map the control page of %s", set->info.name);
	__atomic_store_n(&ctl->armed, DF_ACT_NONE, __ATOMIC_SEQ_CST);
	datamap_close(ctl, len);
	return 0;
}

int control_open(struct control *c, const struct running *set, struct err *err)
{
	*c = (struct control){ .set = set };
	c->lock_fd = open(set->path, O_RDONLY | O_CLOEXEC);
	if (c->lock_fd < 0 || flock(c->lock_fd, LOCK_EX))
		return err_sys(err, errno, "lock %s", set->path);
	c->ctl = datamap_open(set->ctl_fd, &c->ctl_len);
	if (!c->ctl)
		return err_sys(err, errno, "map the control page of %s", set->info.name);
	if (set->in_fd >= 0 && set->drain_fd >= 0) {
		c->ring = user_ring_buffer__new(set->in_fd, NULL);
		if (!c->ring)
			return err_sys(err, errno, "open the command buffer of %s", set->info.name);
		/* what a writer left that was killed */
		if (drain(c, err))
			return -1;
	}
	c->next = c->ctl->cmd_done + 1;
	return 0;
}

void control_close(struct control *c)
{
	user_ring_buffer__free(c->ring);
	datamap_close(c->ctl, c->ctl_len);
	if (c->lock_fd >= 0)
		close(c->lock_fd);
}

/* Room for a command; when the buffer is full, apply what is in it, and wait, not for ever. */
static struct df_cmd *reserve(struct control *c, struct err *err)
{
	const struct timespec step = { .tv_nsec = FULL_STEP_MS * 1000000L };

	for (int waited = 0; waited <= FULL_WAIT_MS; waited += FULL_STEP_MS) {
		struct df_cmd *slot = user_ring_buffer__reserve(c->ring, sizeof(*slot));

		if (slot)
			return slot;
		if (errno != ENOSPC) {
			err_sys(err, errno, "write a command");
			return NULL;
		}
		if (drain(c, err))
			return NULL;
		if (waited)
			nanosleep(&step, NULL);
	}
	err_set(err, ERR_ENVIRONMENT, "the command buffer of %s is full, and nothing takes from it for %d s",
		c->set->info.name, FULL_WAIT_MS / 1000);
	return NULL;
}

static int store_param(const struct control *c, const struct df_cmd *cmd, struct err *err)
{
	size_t len;
	uint64_t *params = datamap_open(c->set->params_fd, &len);

	if (!params)
		return err_sys(err, errno, "map the parameters of %s", c->set->info.name);
	if (cmd->index >= len / sizeof(*params)) {
		datamap_close(params, len);
		return err_set(err, ERR_CORRUPT, "%s has no parameter number %u", c->set->info.name, cmd->index);
	}
	__atomic_store_n(&params[cmd->index], cmd->value, __ATOMIC_SEQ_CST);
	datamap_close(params, len);
	return 0;
}

static int store(const struct control *c, const struct df_cmd *cmd, struct err *err)
{
	switch (cmd->kind) {
	case DF_CMD_ARM:
		if ((c->ctl->braked || c->ctl->frozen) && cmd->value)
			return err_set(err, ERR_ENVIRONMENT, "its probes are not there");
		__atomic_store_n(&c->ctl->armed, (uint32_t)cmd->value, __ATOMIC_SEQ_CST);
		break;
	case DF_CMD_PARAM:
		if (store_param(c, cmd, err))
			return -1;
		break;
	default:
		return err_set(err, ERR_UNSUPPORTED, "this kernel has no BPF user ring buffer, which that command needs");
	}
	__atomic_store_n(&c->ctl->cmd_done, cmd->seq, __ATOMIC_SEQ_CST);
	return 0;
}

/*
 * A new member. A program that takes commands may sleep, and so may not touch a Bloom filter: the writer does it, filter
 * first, so that no member is ever overlooked.
 */
static int add_member(const struct control *c, const struct df_cmd *cmd, struct err *err)
{
	const struct df_member member = { .value = cmd->value, .set = cmd->index };
	const uint8_t one = 1;

	if (bpf_map_update_elem(c->set->bloom_fd, NULL, &member, 0) ||
	    bpf_map_update_elem(c->set->sets_fd, &member, &one, 0))
		return err_sys(err, errno, "add to a set of %s%s", c->set->info.name,
			       errno == E2BIG ? ": it has as many members as its 'max' says" : "");
	return 0;
}

/* The Bloom filter keeps what was once a member: that costs a lookup. */
static int remove_member(const struct control *c, const struct df_cmd *cmd, struct err *err)
{
	const struct df_member member = { .value = cmd->value, .set = cmd->index };

	if (!bpf_map_delete_elem(c->set->sets_fd, &member))
		return 0;
	if (errno == ENOENT)
		return err_set(err, ERR_INVALID, "%lld is no member of that set", (long long)cmd->value);
	return err_sys(err, errno, "remove from a set of %s", c->set->info.name);
}

static int send_one(struct control *c, struct df_cmd *cmd, struct err *err)
{
	struct df_cmd *slot;

	if (cmd->kind == DF_CMD_ADD || cmd->kind == DF_CMD_REMOVE) {
		if (c->ring && drain(c, err))
			return -1;
		return cmd->kind == DF_CMD_ADD ? add_member(c, cmd, err) : remove_member(c, cmd, err);
	}
	cmd->seq = c->next;
	if (!c->ring) {
		if (store(c, cmd, err))
			return -1;
	} else {
		slot = reserve(c, err);
		if (!slot)
			return -1;
		*slot = *cmd;
		user_ring_buffer__submit(c->ring, slot);
	}
	c->next++;
	return 0;
}

int control_send(struct control *c, struct df_cmd *cmds, uint32_t n, struct err *err)
{
	uint64_t first = c->next, done;
	uint32_t sent = 0;
	int ret = 0;

	while (sent < n && !ret) {
		ret = send_one(c, &cmds[sent], err);
		sent += !ret;
	}
	if (!ret && c->ring)
		ret = drain(c, err);
	done = __atomic_load_n(&c->ctl->cmd_done, __ATOMIC_SEQ_CST);
	if (!ret && done + 1 != c->next)
		ret = err_set(err, ERR_ENVIRONMENT, "the commands were written, but not acknowledged");
	if (!ret && c->ctl->cmd_refused >= first)
		return err_set(err, ERR_ENVIRONMENT, "%s refused command %u of %u%s", c->set->info.name,
			       (uint32_t)(c->ctl->cmd_refused - first) + 1, n,
			       c->ctl->braked ? ": the brake has let go of its probes, run it anew" : "");
	if (ret && n > 1)
		return err_wrap(err, "%u of %u commands were applied", done + 1 > first ? (uint32_t)(done + 1 - first) : 0, n);
	return ret;
}
