/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_kdump.h - `deadfall kdump setup|status|doctor|test`. */
#ifndef KDUMP_CMD_KDUMP_H
#define KDUMP_CMD_KDUMP_H

int cmd_kdump(int argc, char **argv);

#endif
