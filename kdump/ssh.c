// SPDX-License-Identifier: GPL-2.0-or-later
/* ssh.c - the running system's side, see ssh.h. */
#include "kdump/ssh.h"

#include "kdump/files.h"
#include "kdump/net.h"
#include "kdump/process.h"
#include "kdump/program.h"
#include "lib/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Take apart the target; false if a part is missing or would need quoting on the server. */
static bool parse(const char *target, char *user, char *host, char *port, struct plan_target *t)
{
	strcpy(port, "22");
	if (!strncmp(target, "ssh://", 6)) {
		if (sscanf(target, "ssh://%63[^@]@%127[^:/]:%7[0-9]%1023s", user, host, port, t->dir) != 4) {
			strcpy(port, "22");
			if (sscanf(target, "ssh://%63[^@]@%127[^:/]%1023s", user, host, t->dir) != 3)
				return false;
		}
	} else if (sscanf(target, "%63[^@]@%127[^:]:%1023s", user, host, t->dir) != 3) {
		return false;
	}
	return t->dir[0] == '/' && user[0] != '-' && !strpbrk(t->dir, "'\"\\$` ;&|<>()");
}

static int resolve_host(const char *host, char *ip, size_t size, struct err *err)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
	int ret = getaddrinfo(host, NULL, &hints, &found);

	if (ret)
		return err_set(err, ERR_ENVIRONMENT, "%s: %s (the crash kernel needs its IPv4 address)", host, gai_strerror(ret));
	inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr, ip, (socklen_t)size);
	freeaddrinfo(found);
	return 0;
}

static int find_key(const char *key, char *out, size_t size, struct err *err)
{
	static const char *const usual[] = { "/root/.ssh/deadfall", "/root/.ssh/id_ed25519", "/root/.ssh/id_ecdsa",
					     "/root/.ssh/id_rsa" };

	for (size_t i = 0; !key && i < sizeof(usual) / sizeof(*usual); i++) {
		if (!access(usual[i], R_OK))
			key = usual[i];
	}
	if (!key || access(key, R_OK))
		return err_set(err, ERR_ENVIRONMENT, "no private key for the server%s%s: name one with --ssh-key (it must have no "
			       "passphrase)", key ? ": " : "", key ? key : "");
	snprintf(out, size, "%s", key);
	return 0;
}

static int try_server(const struct plan_target *t, const char *key, struct err *err)
{
	char ssh[PATH_MAX], command[2300], why[400];
	struct ssh_words w;
	struct process_result r;
	size_t n;

	if (!find_program("ssh", ssh, sizeof(ssh)))
		return err_set(err, ERR_ENVIRONMENT, "ssh is not installed: apt-get install openssh-client");
	n = ssh_client(t, ssh, key, "/root/.ssh/known_hosts /etc/ssh/ssh_known_hosts", &w);
	snprintf(command, sizeof(command), "d='%s' && mkdir -p -m 700 \"$d\" && touch \"$d/.deadfall\" && rm \"$d/.deadfall\"", t->dir);
	w.argv[n] = command;
	w.argv[n + 1] = NULL;
	struct process p = { .argv = w.argv, .limit = 60 };

	if (process_run(&p, &r, err))
		return -1;
	if (process_ok(&r))
		return 0;
	process_explain(&r, why, sizeof(why));
	return err_set(err, ERR_ENVIRONMENT, "%s does not take dumps from here: %s", t->source, why);
}

int ssh_resolve(const char *target, const char *key, struct plan_target *t, struct err *err)
{
	char user[64], host[128], port[8], ip[64], ifname[32], key_path[512];

	if (!parse(target, user, host, port, t))
		return err_set(err, ERR_INVALID, "target %s: write USER@HOST:/DIR or ssh://USER@HOST:PORT/DIR", target);
	if (resolve_host(host, ip, sizeof(ip), err) || net_route(ip, t->net, ifname, sizeof(ifname), err) ||
	    find_key(key, key_path, sizeof(key_path), err))
		return err_wrap(err, "target %s", target);
	strcpy(t->target, "ssh");
	strcpy(t->fstype, "ssh");
	snprintf(t->device, sizeof(t->device), "%s", ifname);
	snprintf(t->source, sizeof(t->source), "%s@%s", user, ip);
	snprintf(t->port, sizeof(t->port), "%s", port);
	snprintf(t->fsid, sizeof(t->fsid), "%.39s", ip);
	/* As known_hosts writes it: the port only if it is not the usual one. */
	if (strcmp(port, "22"))
		snprintf(t->hostalias, sizeof(t->hostalias), "[%s]:%s", host, port);
	else
		snprintf(t->hostalias, sizeof(t->hostalias), "%s", host);
	return try_server(t, key_path, err);
}

int ssh_modules(const struct plan_target *t, const struct modules *m, struct module_list *list, struct err *err)
{
	return net_modules(m, t->device, list, err);
}

int ssh_add_files(const char *key, struct cpio *c, struct err *err)
{
	static const char passwd[] = "root:x:0:0:root:/:/bin/false\n";
	struct buf secret = BUF_INIT, hosts = BUF_INIT;
	char path[PATH_MAX];
	int ret;

	ret = find_key(key, path, sizeof(path), err);
	if (!ret)
		ret = read_under("", path, &secret, err);
	if (!ret) {
		cpio_file(c, SSH_CRASH_KEY, 0600, secret.data, secret.len);
		read_under("", "/root/.ssh/known_hosts", &hosts, NULL);
		read_under("", "/etc/ssh/ssh_known_hosts", &hosts, NULL);
		cpio_file(c, SSH_CRASH_HOSTS, 0600, hosts.data, hosts.len);
		cpio_file(c, "etc/passwd", 0644, passwd, sizeof(passwd) - 1);
		ret = find_program("ssh", path, sizeof(path)) ? program_add(c, path, "ssh", err)
							      : err_set(err, ERR_ENVIRONMENT, "ssh is not installed");
	}
	if (secret.data)
		explicit_bzero(secret.data, secret.len);
	buf_deinit(&secret);
	buf_deinit(&hosts);
	return ret;
}
