/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_dumps.h - `deadfall dumps`: list, show, delete, prune. */
#ifndef KDUMP_CMD_DUMPS_H
#define KDUMP_CMD_DUMPS_H

int cmd_dumps(int argc, char **argv);

#endif
