// SPDX-License-Identifier: GPL-2.0-or-later
/* net.c - see net.h. */
#include "kdump/net.h"

#include "kdump/device.h"
#include "kdump/files.h"
#include "kdump/process.h"
#include "lib/cleanup.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* The address that this machine uses towards the server: a connected UDP socket has it, and nothing is sent. */
static int source_address(const char *server, struct in_addr *ret, struct err *err)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) }, from;
	socklen_t len = sizeof(from);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, server, &to.sin_addr) != 1)
		return err_set(err, ERR_ENVIRONMENT, "'%s' is no IPv4 address, and the crash kernel speaks only IPv4", server);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || getsockname(fd, (struct sockaddr *)&from, &len) < 0)
		return err_sys(err, errno, "no way to %s", server);
	*ret = from.sin_addr;
	return 0;
}

static int find_device(struct in_addr own, char *ifname, size_t size, int *prefix, struct err *err)
{
	struct ifaddrs *all;
	int ret = -1;

	if (getifaddrs(&all) < 0)
		return err_sys(err, errno, "getifaddrs");
	for (struct ifaddrs *a = all; a && ret; a = a->ifa_next) {
		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || !a->ifa_netmask ||
		    ((struct sockaddr_in *)(void *)a->ifa_addr)->sin_addr.s_addr != own.s_addr)
			continue;
		snprintf(ifname, size, "%s", a->ifa_name);
		*prefix = __builtin_popcount(((struct sockaddr_in *)(void *)a->ifa_netmask)->sin_addr.s_addr);
		ret = 0;
	}
	freeifaddrs(all);
	return ret ? err_set(err, ERR_ABSENT, "no network device has the address %s", inet_ntoa(own)) : 0;
}

/* The gateway of the most specific route to the server; 0.0.0.0 if it is on this network. */
static struct in_addr gateway_to(const char *server)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/net/route", "re");
	struct in_addr to, gateway = { 0 };
	uint32_t best = 0;
	bool any = false;
	char line[256];

	inet_pton(AF_INET, server, &to);
	while (f && fgets(line, sizeof(line), f)) {
		unsigned int dest, gw, flags, mask;

		/* Addresses are printed as they lie in memory: network byte order. */
		if (sscanf(line, "%*s %x %x %x %*d %*d %*d %x", &dest, &gw, &flags, &mask) != 4 ||
		    (to.s_addr & mask) != dest || (any && ntohl(mask) < best))
			continue;
		gateway.s_addr = gw;
		best = ntohl(mask);
		any = true;
	}
	return gateway;
}

int net_route(const char *server, char *net, char *ifname, size_t ifname_size, struct err *err)
{
	char path[PATH_MAX], mac[32], own_text[INET_ADDRSTRLEN], gw_text[INET_ADDRSTRLEN];
	struct in_addr own, gateway;
	int prefix = 0;

	if (source_address(server, &own, err) || find_device(own, ifname, ifname_size, &prefix, err))
		return -1;
	snprintf(path, sizeof(path), "/sys/class/net/%s/device", ifname);
	if (access(path, F_OK))
		return err_set(err, ERR_ENVIRONMENT, "%s is reached through %s, which is no network card (bridge, bond, VLAN, "
			       "loopback): the crash kernel cannot set it up", server, ifname);
	snprintf(path, sizeof(path), "/sys/class/net/%s/address", ifname);
	file_line("", path, mac, sizeof(mac));
	gateway = gateway_to(server);
	inet_ntop(AF_INET, &own, own_text, sizeof(own_text));
	inet_ntop(AF_INET, &gateway, gw_text, sizeof(gw_text));
	snprintf(net, NET_SIZE, "%s %s/%d%s%s", mac, own_text, prefix, gateway.s_addr ? " " : "", gateway.s_addr ? gw_text : "");
	return 0;
}

int net_modules(const struct modules *m, const char *ifname, struct module_list *list, struct err *err)
{
	struct device_chain chain;
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/net/%.64s", ifname);
	if (device_chain_of("", path, &chain, err))
		return -1;
	for (unsigned int i = 0; i < chain.count; i++) {
		if (modules_add(m, list, chain.drivers[i], err) && m->builtin.len)
			return err_wrap(err, "driver of %s", ifname);
	}
	return 0;
}

/* The device with this Ethernet address. */
static bool find_by_mac(const char *mac, char *ifname, size_t size)
{
	DIR *dir = opendir("/sys/class/net");
	struct dirent *d;
	bool found = false;

	while (dir && !found && (d = readdir(dir))) {
		char path[300], address[32];

		snprintf(path, sizeof(path), "/sys/class/net/%s/address", d->d_name);
		if (file_line("", path, address, sizeof(address)) && !strcmp(address, mac)) {
			snprintf(ifname, size, "%.15s", d->d_name);
			found = true;
		}
	}
	if (dir)
		closedir(dir);
	return found;
}

static void set_in(struct sockaddr *sa, in_addr_t addr)
{
	*(struct sockaddr_in *)(void *)sa = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { addr } };
}

static int configure(const char *ifname, const char *address, int prefix, const char *gateway, struct err *err)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
	set_in(&r.ifr_addr, inet_addr(address));
	if (fd < 0 || ioctl(fd, SIOCSIFADDR, &r) < 0)
		return err_sys(err, errno, "%s: address %s", ifname, address);
	set_in(&r.ifr_netmask, htonl(prefix ? ~0U << (32 - prefix) : 0));
	if (ioctl(fd, SIOCSIFNETMASK, &r) < 0)
		return err_sys(err, errno, "%s: netmask", ifname);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &r) < 0)
		return err_sys(err, errno, "%s: up", ifname);
	if (!*gateway)
		return 0;
	set_in(&route.rt_dst, 0);
	set_in(&route.rt_genmask, 0);
	set_in(&route.rt_gateway, inet_addr(gateway));
	if (ioctl(fd, SIOCADDRT, &route) < 0 && errno != EEXIST)
		return err_sys(err, errno, "%s: gateway %s", ifname, gateway);
	return 0;
}

int net_up(const char *net, unsigned int patience, struct err *err)
{
	char mac[32], address[32], gateway[32] = "", ifname[IFNAMSIZ], path[64];
	double end = process_now() + patience;
	int prefix;

	if (sscanf(net, "%31s %31[0-9.]/%d %31s", mac, address, &prefix, gateway) < 3 || prefix < 0 || prefix > 32)
		return err_set(err, ERR_CORRUPT, "'%s' is no network of a plan", net);
	while (!find_by_mac(mac, ifname, sizeof(ifname))) {
		if (process_now() > end)
			return err_set(err, ERR_ABSENT, "no network device has the address %s", mac);
		poll(NULL, 0, 100);
	}
	if (configure(ifname, address, prefix, gateway, err))
		return -1;
	snprintf(path, sizeof(path), "/sys/class/net/%s/carrier", ifname);
	while (file_number("", path, 0) != 1) {
		if (process_now() > end)
			return err_set(err, ERR_ABSENT, "%s has no link", ifname);
		poll(NULL, 0, 100);
	}
	return 0;
}
