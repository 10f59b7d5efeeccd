/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner.h - whose crash kernel is loaded: seen in the reserved memory (loaded.h), not believed. */
#ifndef KDUMP_OWNER_H
#define KDUMP_OWNER_H

#include "kdump/loaded.h"
#include "kdump/service.h"
#include "kdump/state.h"

enum owner {
	OWNER_NONE,	/* no crash kernel is loaded */
	OWNER_OURS,	/* the one that `deadfall kdump setup` loaded in this boot */
	OWNER_SERVICE,	/* the other service's: its initramfs lies there */
	OWNER_OTHER,	/* somebody else's */
	OWNER_UNSEEN,	/* the memory cannot be looked at (lockdown=confidentiality) */
};

/*
 * state: what was set up in this boot, NULL if nothing was. Where the service's initramfs was found is stored in *image
 * (may be NULL): it is loaded anew at other times than ours.
 */
enum owner owner_of_loaded(const struct kdump_state *state, const struct kdump_service *service, struct loaded_image *image);

#endif
