// SPDX-License-Identifier: GPL-2.0-or-later
/* owner.c - see owner.h. */
#include "kdump/owner.h"

#include "kdump/files.h"

/* The service's initramfs, as its file is now. */
static enum owner look_for_service(const struct kdump_service *service, struct loaded_image *image)
{
	struct buf initrd = BUF_INIT;
	enum owner owner = OWNER_OTHER;
	struct err err = { 0 };

	if (!read_under("", service->initrd, &initrd, NULL) && initrd.len) {
		if (!loaded_find(initrd.data, initrd.len, image, &err) && !loaded_verify(image, &err))
			owner = OWNER_SERVICE;
		else if (err.code == ERR_SYSTEM)
			owner = OWNER_UNSEEN;
	}
	buf_deinit(&initrd);
	return owner;
}

enum owner owner_of_loaded(const struct kdump_state *state, const struct kdump_service *service, struct loaded_image *image)
{
	struct loaded_image scratch;
	struct err err;

	if (file_number("", "/sys/kernel/kexec_crash_loaded", 0) != 1)
		return OWNER_NONE;
	if (state && !loaded_verify(&state->initramfs, &err)) {
		if (image)
			*image = state->initramfs;
		return *state->service ? OWNER_SERVICE : OWNER_OURS;
	}
	if (state && err.code == ERR_SYSTEM)
		return OWNER_UNSEEN;
	return *service->name ? look_for_service(service, image ? image : &scratch) : OWNER_OTHER;
}
