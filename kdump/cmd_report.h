/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_report.h - `deadfall report DUMP|CAPSULE [--format FORMAT] [-o FILE]`. */
#ifndef KDUMP_CMD_REPORT_H
#define KDUMP_CMD_REPORT_H

int cmd_report(int argc, char **argv);

#endif
