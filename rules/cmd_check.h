/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULES_CMD_CHECK_H
#define RULES_CMD_CHECK_H

/* deadfall check FILE... [--btf FILE]... [--json] [--emit tree|rule] */
int cmd_check(int argc, char **argv);

/* deadfall probes GLOB [--btf FILE] */
int cmd_probes(int argc, char **argv);

#endif
