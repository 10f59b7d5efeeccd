// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump/: what a target needs, seen on made-up systems: modules, mounts, devices, filesystems. */
#include "tests/unit/test.h"

#include "kdump/device.h"
#include "kdump/files.h"
#include "kdump/fsid.h"
#include "kdump/kexec.h"
#include "kdump/modules.h"
#include "kdump/mounts.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char root[64];

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int make_root(void **state)
{
	strcpy(root, "/tmp/deadfall-root.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *at(const char *path)
{
	static char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return full;
}

static void put(const char *path, const char *text)
{
	char dir[512];
	struct err err;

	snprintf(dir, sizeof(dir), "%s", at(path));
	*strrchr(dir, '/') = 0;
	assert_int_equal(make_dirs(dir, 0755, &err), 0);
	assert_int_equal(file_replace(at(path), text, strlen(text), 0644, &err), 0);
}

static void make_link(const char *path, const char *target)
{
	char dir[512];
	struct err err;

	snprintf(dir, sizeof(dir), "%s", at(path));
	*strrchr(dir, '/') = 0;
	assert_int_equal(make_dirs(dir, 0755, &err), 0);
	assert_int_equal(symlink(target, at(path)), 0);
}

static void put_module_tree(void)
{
	put("/lib/modules/1.2/modules.dep",
	    "kernel/drivers/virtio/virtio.ko:\n"
	    "kernel/drivers/virtio/virtio_ring.ko.xz: kernel/drivers/virtio/virtio.ko\n"
	    "kernel/drivers/virtio/virtio_pci_modern_dev.ko:\n"
	    "kernel/drivers/virtio/virtio-pci.ko: kernel/drivers/virtio/virtio_pci_modern_dev.ko kernel/drivers/virtio/virtio.ko "
	    "kernel/drivers/virtio/virtio_ring.ko.xz\n"
	    "kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko kernel/fs/mbcache.ko\n"
	    "kernel/fs/jbd2/jbd2.ko:\n"
	    "kernel/fs/mbcache.ko:\n"
	    "kernel/arch/crc32c-intel.ko:\n"
	    "kernel/crypto/crc32c_generic.ko:\n"
	    "kernel/a/loop_a.ko:\nkernel/a/loop_b.ko:\n");
	put("/lib/modules/1.2/modules.builtin", "kernel/fs/btrfs/btrfs.ko\nkernel/drivers/nvme/host/nvme-core.ko\n");
	put("/lib/modules/1.2/modules.softdep",
	    "# comment\nsoftdep ext4 pre: crc32c missing_one post: loop_a\nsoftdep loop_a pre: loop_b\nsoftdep loop_b pre: loop_a\n");
	put("/lib/modules/1.2/modules.alias",
	    "alias fs-ext4 ext4\nalias fs-ext3 ext4\nalias crc32c crc32c_generic\nalias crc32c crc32c_intel\nalias pci:v*d* virtio_pci\n");
}

static int position(const struct module_list *l, const char *name)
{
	for (unsigned int i = 0; i < l->count; i++) {
		if (strstr(l->paths[i], name))
			return (int)i;
	}
	return -1;
}

static void modules_come_after_what_they_need(void **state)
{
	struct module_list l = { 0 };
	struct modules m;
	struct err err;

	put_module_tree();
	assert_int_equal(modules_open(&m, root, "1.2", &err), 0);
	assert_int_equal(modules_add(&m, &l, "virtio_pci", &err), 0);
	assert_int_equal(l.count, 4);
	assert_true(position(&l, "virtio.ko") < position(&l, "virtio_ring"));
	assert_true(position(&l, "virtio_ring") < position(&l, "virtio-pci"));
	assert_int_equal(position(&l, "virtio-pci"), 3);
	assert_int_equal(modules_add(&m, &l, "virtio_ring", &err), 0);
	assert_int_equal(l.count, 4);
	module_list_deinit(&l);
	modules_close(&m);
}

static void soft_dependencies_and_aliases_count(void **state)
{
	struct module_list l = { 0 };
	struct modules m;
	struct err err;

	put_module_tree();
	assert_int_equal(modules_open(&m, root, "1.2", &err), 0);
	assert_int_equal(modules_add_alias(&m, &l, "fs-ext3", &err), 0);
	/* Both drivers that answer to crc32c, the two hard ones, ext4 last; nothing of "post". */
	assert_int_equal(l.count, 5);
	assert_int_equal(position(&l, "ext4"), 4);
	assert_true(position(&l, "crc32c-intel") >= 0 && position(&l, "crc32c_generic") >= 0);
	assert_int_equal(position(&l, "loop_a"), -1);
	module_list_deinit(&l);
	modules_close(&m);
}

static void circles_of_soft_dependencies_end(void **state)
{
	struct module_list l = { 0 };
	struct modules m;
	struct err err;

	put_module_tree();
	assert_int_equal(modules_open(&m, root, "1.2", &err), 0);
	assert_int_equal(modules_add(&m, &l, "loop_a", &err), 0);
	assert_int_equal(l.count, 2);
	module_list_deinit(&l);
	modules_close(&m);
}

static void builtin_modules_need_nothing_and_unknown_ones_are_errors(void **state)
{
	struct module_list l = { 0 };
	struct modules m;
	struct err err;

	put_module_tree();
	assert_int_equal(modules_open(&m, root, "1.2", &err), 0);
	assert_int_equal(modules_add(&m, &l, "nvme_core", &err), 0);
	assert_int_equal(l.count, 0);
	assert_int_equal(modules_add(&m, &l, "no_such", &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	assert_string_equal(err.msg, "kernel 1.2 has no module no_such");
	modules_close(&m);
	assert_int_equal(modules_open(&m, root, "9.9", &err), -1);
	assert_non_null(strstr(err.msg, "depmod"));
}

static const char mountinfo[] =
	"22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro\n"
	"25 22 0:22 / /proc rw shared:12 - proc proc rw\n"
	"30 22 254:17 /sub/dir /var/crash\\040dir rw master:3 propagate_from:2 - xfs /dev/vdb1 rw,attr2\n"
	"31 22 0:45 /@var /var rw - btrfs /dev/vdc rw,subvolid=257,subvol=/@var\n"
	"32 31 0:46 / /var/tmp rw - tmpfs tmpfs rw\n"
	"33 31 8:3 / /var/tmp rw - ext4 /dev/sda3 rw\n";

static void the_longest_and_last_mount_wins(void **state)
{
	struct mount_entry m;
	char inner[256];
	struct err err;

	assert_int_equal(mount_find(mountinfo, "/var/tmp/x", &m, &err), 0);
	assert_int_equal(m.major, 8);
	assert_string_equal(m.fstype, "ext4");
	assert_int_equal(mount_find(mountinfo, "/variety", &m, &err), 0);
	assert_string_equal(m.source, "/dev/vda1");
	assert_int_equal(mount_inner_path(&m, "/variety", inner, sizeof(inner), &err), 0);
	assert_string_equal(inner, "/variety");
	assert_int_equal(mount_find(mountinfo, "/var/crash dir/a", &m, &err), 0);
	assert_string_equal(m.point, "/var/crash dir");
	assert_int_equal(mount_inner_path(&m, "/var/crash dir/a", inner, sizeof(inner), &err), 0);
	assert_string_equal(inner, "/sub/dir/a");
	assert_int_equal(mount_inner_path(&m, "/var/crash dir", inner, sizeof(inner), &err), 0);
	assert_string_equal(inner, "/sub/dir/");
	assert_int_equal(mount_find(mountinfo, "/var/lib", &m, &err), 0);
	assert_int_equal(mount_inner_path(&m, "/var/lib", inner, sizeof(inner), &err), 0);
	assert_string_equal(inner, "/@var/lib");
}

static void broken_mountinfo_is_an_error(void **state)
{
	struct mount_entry m;
	struct err err;

	assert_int_equal(mount_find("22 1 254:1 / / rw shared:1\n", "/", &m, &err), -1);
	assert_int_equal(err.code, ERR_CORRUPT);
	assert_int_equal(mount_find("", "/", &m, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
}

static void put_disk(void)
{
	put("/sys/devices/pci0/0000:00:04.0/virtio1/block/vda/vda1/uevent", "");
	put("/sys/bus/virtio/drivers/virtio_blk/x", "");
	put("/sys/bus/pci/drivers/virtio-pci/x", "");
	make_link("/sys/dev/block/254:1", "../../devices/pci0/0000:00:04.0/virtio1/block/vda/vda1");
	make_link("/sys/devices/pci0/0000:00:04.0/virtio1/driver", "../../../../bus/virtio/drivers/virtio_blk");
	make_link("/sys/devices/pci0/0000:00:04.0/driver", "../../../bus/pci/drivers/virtio-pci");
	make_link("/sys/bus/virtio/drivers/virtio_blk/module", "../../../../module/virtio_blk");
	make_link("/sys/bus/pci/drivers/virtio-pci/module", "../../../../module/virtio_pci");
}

static void drivers_of_a_disk_from_the_bus_upwards(void **state)
{
	struct device_chain c;
	struct err err;

	put_disk();
	assert_int_equal(device_chain(root, 254, 1, &c, &err), 0);
	assert_string_equal(c.name, "vda1");
	assert_int_equal(c.count, 2);
	assert_string_equal(c.drivers[0], "virtio_pci");
	assert_string_equal(c.drivers[1], "virtio_blk");
	assert_int_equal(device_chain(root, 254, 9, &c, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
}

static void devices_made_by_user_space_are_refused(void **state)
{
	struct device_chain c;
	struct err err;

	put_disk();
	put("/sys/devices/virtual/block/md0/uevent", "");
	make_link("/sys/dev/block/9:0", "../../devices/virtual/block/md0");
	assert_int_equal(device_chain(root, 9, 0, &c, &err), -1);
	assert_int_equal(err.code, ERR_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "--target"));
}

static void filesystems_are_told_by_their_superblock(void **state)
{
	static char image[0x10100];
	struct fsid id;
	struct err err;
	FILE *f;

	memset(image, 0, sizeof(image));
	memcpy(image + 1024 + 0x38, "\x53\xef", 2);
	for (int i = 0; i < 16; i++)
		image[1024 + 0x68 + i] = (char)(i * 17);
	f = fopen(at("/img"), "w");
	fwrite(image, 1, sizeof(image), f);
	fclose(f);
	assert_int_equal(fsid_read(at("/img"), &id, &err), 0);
	assert_string_equal(id.fstype, "ext4");
	assert_string_equal(id.id, "00112233-4455-6677-8899-aabbccddeeff");
	memset(image, 0, sizeof(image));
	memcpy(image + 0x52, "FAT32   ", 8);
	memcpy(image + 0x43, "\x78\x56\x34\x12", 4);
	f = fopen(at("/img"), "w");
	fwrite(image, 1, sizeof(image), f);
	fclose(f);
	assert_int_equal(fsid_read(at("/img"), &id, &err), 0);
	assert_string_equal(id.id, "1234-5678");
	put("/img", "short");
	assert_int_equal(fsid_read(at("/img"), &id, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
}

static void the_crash_kernels_command_line(void **state)
{
	struct buf b = BUF_INIT;

	kexec_append_line("BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro console=ttyS0,115200 console=tty0 crashkernel=256M "
			  "pci=nomsi rd.luks.uuid=x dm=\"a b\" panic=-1 memmap=1G nmi_watchdog=0 -- single\n", &b);
	assert_memory_equal(b.data, "console=ttyS0,115200 console=tty0 pci=nomsi dm=\"a b\" nmi_watchdog=0 nr_cpus=1 ", 77);
	assert_null(strstr(b.data, "crashkernel"));
	assert_null(strstr(b.data, "single"));
	assert_non_null(strstr(b.data, " panic=10"));
	buf_deinit(&b);
}

static void a_kernel_image_tells_its_release(void **state)
{
	char image[0x400] = "", out[512];
	struct err err;
	FILE *f;

	memcpy(image + 0x202, "HdrS", 4);
	image[0x20e] = (char)0x80;
	strcpy(image + 0x280, "6.1.0-9-amd64 (debian@x) #1 SMP");
	make_dirs(at("/boot"), 0755, &err);
	f = fopen(at("/boot/vmlinuz-6.1.0-9-amd64"), "w");
	fwrite(image, 1, sizeof(image), f);
	fclose(f);
	assert_int_equal(kexec_find_kernel(root, "6.1.0-9-amd64", NULL, out, sizeof(out), &err), 0);
	assert_string_equal(out, at("/boot/vmlinuz-6.1.0-9-amd64"));
	assert_int_equal(kexec_find_kernel(root, "6.1.0-8-amd64", NULL, out, sizeof(out), &err), -1);
	assert_int_equal(err.code, ERR_ENVIRONMENT);
	assert_non_null(strstr(err.msg, "--kernel"));
	assert_int_equal(kexec_find_kernel(root, "6.1.0-8-amd64", at("/boot/vmlinuz-6.1.0-9-amd64"), out, sizeof(out), &err), -1);
	assert_non_null(strstr(err.msg, "6.1.0-9-amd64, but 6.1.0-8-amd64 runs"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(modules_come_after_what_they_need),
		TEST(soft_dependencies_and_aliases_count),
		TEST(circles_of_soft_dependencies_end),
		TEST(builtin_modules_need_nothing_and_unknown_ones_are_errors),
		TEST(the_longest_and_last_mount_wins),
		TEST(broken_mountinfo_is_an_error),
		TEST(drivers_of_a_disk_from_the_bus_upwards),
		TEST(devices_made_by_user_space_are_refused),
		TEST(filesystems_are_told_by_their_superblock),
		TEST(the_crash_kernels_command_line),
		TEST(a_kernel_image_tells_its_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
