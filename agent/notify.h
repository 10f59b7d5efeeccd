/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify.h - tells systemd that a service of Type=notify is up: the protocol of sd_notify(3), without its library.
 *
 * A datagram to the socket named by NOTIFY_SOCKET. Where there is none, nothing happens.
 */
#ifndef AGENT_NOTIFY_H
#define AGENT_NOTIFY_H

/* Ready; status is the line that `systemctl status` shows. */
void notify_ready(const char *status);

#endif
