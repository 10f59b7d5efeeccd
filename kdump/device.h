/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device.h - which drivers stand between a block device and the bus, from sysfs.
 *
 * A block device's directory lies inside those of the devices that carry it (a disk in a SCSI target in a
 * host adapter on PCI). Each of them that has a driver names the driver's module.
 */
#ifndef KDUMP_DEVICE_H
#define KDUMP_DEVICE_H

#include "lib/err.h"

struct device_chain {
	char name[64];			/* kernel name of the device: "vda1" */
	char drivers[32][64];		/* module names, the bus end first */
	unsigned int count;
};

/*
 * Collect the driver modules of device major:minor. A driver that is built in shows its module's name or
 * none, depending on its parameters: modules.builtin tells (modules.h). ERR_ABSENT if there is no such block
 * device, ERR_UNSUPPORTED for a device that user space has to assemble first (device-mapper, md): the crash
 * kernel has nobody who would.
 */
int device_chain(const char *root, unsigned int major, unsigned int minor, struct device_chain *ret,
		 struct err *err);

/*
 * The same for any directory of root/sys/devices or a link into it (a class device). ERR_ABSENT if it is not
 * there. A class device under devices/virtual has no drivers.
 */
int device_chain_of(const char *root, const char *sysfs_path, struct device_chain *ret, struct err *err);

#endif
