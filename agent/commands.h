/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.h - the agent's own commands. */
#ifndef AGENT_COMMANDS_H
#define AGENT_COMMANDS_H

#include "agent/command.h"

int cmd_run(int argc, char **argv);
int cmd_compile(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_set(int argc, char **argv);
int cmd_arm(int argc, char **argv);
int cmd_disarm(int argc, char **argv);
int cmd_unload(int argc, char **argv);
int cmd_mark(int argc, char **argv);
int cmd_features(int argc, char **argv);

#endif
