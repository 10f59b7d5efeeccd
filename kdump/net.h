/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net.h - the way to a server, found in the running system and made again in the crash kernel.
 *
 * The crash kernel has no network scripts, no DHCP client and no resolver. It gets what the running system uses to
 * reach the server: one Ethernet device (found again by its address: names change), its IPv4 address, a gateway.
 */
#ifndef KDUMP_NET_H
#define KDUMP_NET_H

#include "kdump/modules.h"
#include "lib/err.h"

#include <stddef.h>

/* As it stands in the plan: "52:54:00:12:34:56 10.0.2.15/24 10.0.2.2"; the gateway may be missing. */
#define NET_SIZE 96

/*
 * How this machine reaches the IPv4 address `server`; the name of the device goes to ifname. The error says why the
 * crash kernel could not go the same way (virtual devices, IPv6).
 */
int net_route(const char *server, char *net, char *ifname, size_t ifname_size, struct err *err);

/* Append the driver modules of a network device. */
int net_modules(const struct modules *m, const char *ifname, struct module_list *list, struct err *err);

/* ---- in the crash kernel ---- */

/* Wait up to `patience` seconds for the device, configure it, and wait for its link. */
int net_up(const char *net, unsigned int patience, struct err *err);

#endif
