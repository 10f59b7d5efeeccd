/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_capture.h - `deadfall capture VMCORE --capsule FILE`, in the crash kernel. */
#ifndef KDUMP_CMD_CAPTURE_H
#define KDUMP_CMD_CAPTURE_H

int cmd_capture(int argc, char **argv);

#endif
