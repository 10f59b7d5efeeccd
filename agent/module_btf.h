/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module_btf.h - the BTF of a loaded module, as the kernel takes it: by descriptor. */
#ifndef AGENT_MODULE_BTF_H
#define AGENT_MODULE_BTF_H

/* A descriptor that the caller closes, or -1 with errno (ENOENT: there is no such module, or it has no BTF). */
int module_btf_open(const char *module);

#endif
