// SPDX-License-Identifier: GPL-2.0-or-later
/* loaded.c - see loaded.h. */
#include "kdump/loaded.h"

#include "lib/cleanup.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define KCORE "/proc/kcore"
#define PAGE 4096
#define CHUNK (64 * 1024)

struct kcore {
	int fd;
	Elf64_Phdr segments[256];
	unsigned int count;
};

static void kcore_close(struct kcore *k)
{
	if (k->fd >= 0)
		close(k->fd);
}

#define _cleanup_kcore_ _cleanup_(kcore_close)

static int kcore_open(struct kcore *k, struct err *err)
{
	Elf64_Ehdr eh;

	k->count = 0;
	k->fd = open(KCORE, O_RDONLY | O_CLOEXEC);
	if (k->fd < 0 || pread(k->fd, &eh, sizeof(eh), 0) != sizeof(eh))
		return err_sys(err, errno, KCORE);
	for (unsigned int i = 0; i < eh.e_phnum && k->count < 256; i++) {
		Elf64_Phdr *ph = &k->segments[k->count];

		if (pread(k->fd, ph, sizeof(*ph), (off_t)(eh.e_phoff + i * sizeof(*ph))) != sizeof(*ph))
			break;
		if (ph->p_type == PT_LOAD)
			k->count++;
	}
	return 0;
}

static bool kcore_read(const struct kcore *k, uint64_t phys, void *out, size_t len)
{
	for (unsigned int i = 0; i < k->count; i++) {
		const Elf64_Phdr *ph = &k->segments[i];

		/* Memory in the direct map carries its physical address; vmalloc space has -1 (fs/proc/kcore.c). */
		if (ph->p_paddr != (Elf64_Addr)-1 && phys >= ph->p_paddr && phys - ph->p_paddr < ph->p_memsz &&
		    len <= ph->p_memsz - (phys - ph->p_paddr) &&
		    pread(k->fd, out, len, (off_t)(ph->p_offset + (phys - ph->p_paddr))) == (ssize_t)len)
			return true;
	}
	return false;
}

static bool kcore_read_virtual(const struct kcore *k, uint64_t addr, void *out, size_t len)
{
	for (unsigned int i = 0; i < k->count; i++) {
		const Elf64_Phdr *ph = &k->segments[i];

		if (addr >= ph->p_vaddr && addr - ph->p_vaddr < ph->p_memsz && len <= ph->p_memsz - (addr - ph->p_vaddr) &&
		    pread(k->fd, out, len, (off_t)(ph->p_offset + (addr - ph->p_vaddr))) == (ssize_t)len)
			return true;
	}
	return false;
}

static int crc_at(const struct kcore *k, uint64_t phys, size_t len, uint32_t *crc, struct err *err)
{
	static unsigned char chunk[CHUNK];

	*crc = (uint32_t)crc32(0, NULL, 0);
	while (len) {
		size_t n = len < CHUNK ? len : CHUNK;

		if (!kcore_read(k, phys, chunk, n))
			return err_sys(err, EIO, KCORE " cannot be read at physical address 0x%llx", (unsigned long long)phys);
		*crc = (uint32_t)crc32(*crc, chunk, (uInt)n);
		phys += n;
		len -= n;
	}
	return 0;
}

/* Segments begin at pages: compare the first bytes of each, and all of it where they match. */
static bool find_in_range(const struct kcore *k, uint64_t start, uint64_t end, const void *data, size_t len,
			  uint64_t *phys)
{
	uint32_t want = (uint32_t)crc32(crc32(0, NULL, 0), data, (uInt)len), crc;
	static unsigned char chunk[CHUNK];
	size_t head = len < 64 ? len : 64;

	for (uint64_t at = start; at + len <= end; at += CHUNK) {
		size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;

		if (!kcore_read(k, at, chunk, n))
			continue;
		for (size_t page = 0; page + head <= n; page += PAGE) {
			if (memcmp(chunk + page, data, head) || at + page + len > end)
				continue;
			if (!crc_at(k, at + page, len, &crc, NULL) && crc == want) {
				*phys = at + page;
				return true;
			}
		}
	}
	return false;
}

uint64_t loaded_symbol(void)
{
	static const char name[] = "kexec_crash_image";
	_cleanup_fclose_ FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], symbol[256];
	unsigned long long addr;

	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, name) && sscanf(line, "%llx %*c %255s", &addr, symbol) == 2 && !strcmp(symbol, name))
			return addr;
	}
	return 0;
}

int loaded_find(const void *data, size_t len, struct loaded_image *ret, struct err *err)
{
	_cleanup_fclose_ FILE *iomem = fopen("/proc/iomem", "re");
	_cleanup_kcore_ struct kcore k = { .fd = -1 };
	unsigned long long start, end;
	char line[256];

	if (!iomem)
		return err_sys(err, errno, "/proc/iomem");
	if (kcore_open(&k, err))
		return -1;
	while (fgets(line, sizeof(line), iomem)) {
		if (!strstr(line, ": Crash kernel") || sscanf(line, " %llx-%llx", &start, &end) != 2)
			continue;
		if (!find_in_range(&k, start, end + 1, data, len, &ret->phys))
			continue;
		ret->symbol = loaded_symbol();
		ret->bytes = len;
		ret->crc = (uint32_t)crc32(crc32(0, NULL, 0), data, (uInt)len);
		return 0;
	}
	return err_set(err, ERR_ABSENT, "the initramfs is not in the reserved memory");
}

/*
 * Whether the kernel's record of the image has a segment with this place and size. struct kimage holds an
 * array of {buffer, bufsz, mem, memsz} (include/linux/kexec.h, the same since 2.6.13); where in the struct
 * it begins differs, so the pair is looked for.
 */
static bool has_segment(const uint64_t *words, size_t count, uint64_t phys, uint64_t bytes)
{
	for (size_t i = 1; i + 1 < count; i++) {
		if (words[i - 1] == bytes && words[i] == phys && words[i + 1] >= bytes)
			return true;
	}
	return false;
}

int loaded_verify(const struct loaded_image *image, struct err *err)
{
	static const char other[] = "the loaded crash kernel is not the one that 'deadfall kdump setup' loaded";
	_cleanup_kcore_ struct kcore k = { .fd = -1 };
	uint64_t kimage, words[128];
	uint32_t now;

	if (!image->phys || !image->symbol)
		return err_set(err, ERR_SYSTEM, "it is not known where the crash kernel lies");
	if (kcore_open(&k, err))
		return -1;
	if (!kcore_read_virtual(&k, image->symbol, &kimage, sizeof(kimage)))
		return err_set(err, ERR_SYSTEM, KCORE " cannot be read");
	if (!kimage)
		return err_set(err, ERR_CORRUPT, "no crash kernel is loaded");
	if (!kcore_read_virtual(&k, kimage, words, sizeof(words)))
		return err_set(err, ERR_SYSTEM, KCORE " cannot be read");
	if (!has_segment(words, sizeof(words) / sizeof(*words), image->phys, image->bytes))
		return err_set(err, ERR_CORRUPT, "%s", other);
	if (crc_at(&k, image->phys, image->bytes, &now, err))
		return -1;
	return now == image->crc ? 0 : err_set(err, ERR_CORRUPT, "%s", other);
}
