/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.h - the subcommands of `deadfall` that live in kdump/ (see agent/command.h). */
#ifndef KDUMP_COMMANDS_H
#define KDUMP_COMMANDS_H

/* report DUMP|CAPSULE [--format text|json] [-o FILE] */
int cmd_report(int argc, char **argv);

/* capture VMCORE --capsule FILE: in the crash kernel */
int cmd_capture(int argc, char **argv);

#endif
