/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KDUMP_CMD_KDUMP_SETUP_H
#define KDUMP_CMD_KDUMP_SETUP_H

/* `deadfall kdump setup`: the options of setup.h. */
int cmd_kdump_setup(int argc, char **argv);

#endif
