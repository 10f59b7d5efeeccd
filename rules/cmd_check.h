/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULES_CMD_CHECK_H
#define RULES_CMD_CHECK_H

/* deadfall check FILE... [--btf FILE]... [--json] */
int cmd_check(int argc, char **argv);

#endif
