/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_vmlinux.h - `deadfall vmlinux VMCORE -o FILE`. */
#ifndef KDUMP_CMD_VMLINUX_H
#define KDUMP_CMD_VMLINUX_H

int cmd_vmlinux(int argc, char **argv);

#endif
