/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_simulate.h - `deadfall simulate RULE... EVENTS`. */
#ifndef RULES_SIM_CMD_SIMULATE_H
#define RULES_SIM_CMD_SIMULATE_H

int cmd_simulate(int argc, char **argv);

#endif
