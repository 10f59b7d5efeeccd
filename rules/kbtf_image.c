// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/kbtf_image.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <linux/btf.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/cursor.h"
#include "lib/file.h"

/* An unpacked kernel is well below; address space only, pages come as they are written. */
#define UNPACKED_MAX ((size_t)512 << 20)

struct out {
	uint8_t *data;
	size_t len;
};

static int unpack_gzip(const uint8_t *in, size_t len, struct out *out, struct err *err)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)in, .avail_in = (uInt)len };
	int rc;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return err_nomem(err);
	z.next_out = out->data;
	z.avail_out = (uInt)UNPACKED_MAX;
	rc = inflate(&z, Z_FINISH);
	out->len = UNPACKED_MAX - z.avail_out;
	inflateEnd(&z);
	if (rc == Z_MEM_ERROR)
		return err_nomem(err);
	return rc == Z_STREAM_END ? 0 : err_set(err, ERR_CORRUPT, "bad gzip data");
}

static int unpack_xz(const uint8_t *in, size_t len, struct out *out, struct err *err)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_ret rc;

	if (lzma_stream_decoder(&z, UINT64_MAX, 0) != LZMA_OK)
		return err_nomem(err);
	z.next_in = in;
	z.avail_in = len;
	z.next_out = out->data;
	z.avail_out = UNPACKED_MAX;
	rc = lzma_code(&z, LZMA_FINISH);
	out->len = UNPACKED_MAX - z.avail_out;
	lzma_end(&z);
	if (rc == LZMA_MEM_ERROR)
		return err_nomem(err);
	return rc == LZMA_STREAM_END ? 0 : err_set(err, ERR_CORRUPT, "bad xz data");
}

static int unpack_zstd(const uint8_t *in, size_t len, struct out *out, struct err *err)
{
	ZSTD_DCtx *ctx = ZSTD_createDCtx();
	ZSTD_outBuffer dst = { .dst = out->data, .size = UNPACKED_MAX };
	ZSTD_inBuffer src = { .src = in, .size = len };
	size_t rc;

	if (!ctx)
		return err_nomem(err);
	/* The kernel is packed with a window as large as itself; the output buffer serves as the window. */
	ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, 31);
	ZSTD_DCtx_setParameter(ctx, ZSTD_d_experimentalParam2, 1);	/* ZSTD_d_stableOutBuffer */
	do {
		rc = ZSTD_decompressStream(ctx, &dst, &src);
	} while (!ZSTD_isError(rc) && rc && src.pos < src.size);
	ZSTD_freeDCtx(ctx);
	out->len = dst.pos;
	return ZSTD_isError(rc) || rc ? err_set(err, ERR_CORRUPT, "bad zstd data") : 0;
}

/* The legacy frame of `lz4 -l`: blocks of 8 MB before packing. The kernel's build appends the unpacked size. */
static int unpack_lz4(const uint8_t *in, size_t len, struct out *out, struct err *err)
{
	struct cursor c = cursor_init(in, len);
	const uint8_t *block;
	uint32_t size;
	int n;

	cursor_u32(&c);
	while (cursor_left(&c) > 8) {
		size = cursor_u32(&c);
		block = cursor_bytes(&c, size);
		if (!block || size > INT32_MAX || UNPACKED_MAX - out->len < (8u << 20))
			return err_set(err, ERR_CORRUPT, "bad lz4 data");
		n = LZ4_decompress_safe((const char *)block, (char *)out->data + out->len, (int)size, 8 << 20);
		if (n < 0)
			return err_set(err, ERR_CORRUPT, "bad lz4 data");
		out->len += (size_t)n;
	}
	return 0;
}

static const struct packing {
	const char *name, *magic;
	size_t magic_len;
	int (*unpack)(const uint8_t *in, size_t len, struct out *out, struct err *err);
} packings[] = {
	{ "gzip", "\x1f\x8b\x08", 3, unpack_gzip },
	{ "xz", "\xfd" "7zXZ", 6, unpack_xz },
	{ "zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd },
	{ "lz4", "\x02\x21\x4c\x18", 4, unpack_lz4 },
};

static const struct packing *packing_of(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < sizeof(packings) / sizeof(packings[0]); i++) {
		if (len > packings[i].magic_len && !memcmp(data, packings[i].magic, packings[i].magic_len))
			return &packings[i];
	}
	return NULL;
}

static int take(const void *data, size_t len, void **ret, size_t *ret_len, struct err *err)
{
	void *copy = malloc(len ? len : 1);

	if (!copy)
		return err_nomem(err);
	memcpy(copy, data, len);
	*ret = copy;
	*ret_len = len;
	return 0;
}

static int btf_of_elf(const uint8_t *data, size_t len, void **ret, size_t *ret_len, struct err *err)
{
	Elf_Scn *scn = NULL;
	size_t names;
	int rc = -1;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)(uintptr_t)data, len);
	if (!elf || elf_getshdrstrndx(elf, &names)) {
		elf_end(elf);
		return err_set(err, ERR_CORRUPT, "bad ELF file");
	}
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		const char *name = gelf_getshdr(scn, &shdr) ? elf_strptr(elf, names, shdr.sh_name) : NULL;

		if (!name || strcmp(name, ".BTF"))
			continue;
		if (shdr.sh_type == SHT_NOBITS || shdr.sh_offset > len || shdr.sh_size > len - shdr.sh_offset)
			rc = err_set(err, ERR_CORRUPT, "its .BTF section lies beyond the end of the file");
		else
			rc = take(data + shdr.sh_offset, shdr.sh_size, ret, ret_len, err);
		elf_end(elf);
		return rc;
	}
	elf_end(elf);
	return err_set(err, ERR_ABSENT, "has no .BTF section (built without CONFIG_DEBUG_INFO_BTF, or a module built without its kernel's "
		       "vmlinux): a rule for it takes arg0, arg1, ..., and its structs from C text (types:)");
}

/* Header of the x86 boot protocol: where the packed vmlinux is in a bzImage. */
static bool bzimage_payload(const uint8_t *data, size_t len, const uint8_t **payload, size_t *payload_len)
{
	struct cursor c = cursor_init(data, len);
	uint32_t setup_sects, off, size;
	const uint8_t *magic;

	cursor_seek(&c, 0x1f1);
	setup_sects = cursor_u8(&c);
	cursor_seek(&c, 0x202);
	magic = cursor_bytes(&c, 4);
	cursor_seek(&c, 0x248);
	off = cursor_u32(&c);
	size = cursor_u32(&c);
	if (c.failed || memcmp(magic, "HdrS", 4))
		return false;
	cursor_seek(&c, ((setup_sects ? setup_sects : 4) + 1) * 512 + (size_t)off);
	*payload_len = size;
	*payload = cursor_bytes(&c, size);
	return *payload != NULL;
}

static int btf_of(const uint8_t *data, size_t len, unsigned int depth, void **ret, size_t *ret_len, struct err *err);

static int btf_of_packed(const struct packing *p, const uint8_t *data, size_t len, unsigned int depth, void **ret,
			 size_t *ret_len, struct err *err)
{
	struct out out = { 0 };
	int rc;

	out.data = mmap(NULL, UNPACKED_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (out.data == MAP_FAILED)
		return err_nomem(err);
	rc = p->unpack(data, len, &out, err);
	if (!rc)
		rc = btf_of(out.data, out.len, depth + 1, ret, ret_len, err);
	munmap(out.data, UNPACKED_MAX);
	return rc;
}

static int btf_of(const uint8_t *data, size_t len, unsigned int depth, void **ret, size_t *ret_len, struct err *err)
{
	const struct packing *p = packing_of(data, len);
	const uint16_t magic = BTF_MAGIC;
	const uint8_t *payload;
	size_t payload_len;

	if (len >= sizeof(struct btf_header) && !memcmp(data, &magic, sizeof(magic)))
		return take(data, len, ret, ret_len, err);
	if (len > SELFMAG && !memcmp(data, ELFMAG, SELFMAG))
		return btf_of_elf(data, len, ret, ret_len, err);
	if (p && depth < 2)
		return btf_of_packed(p, data, len, depth, ret, ret_len, err);
	if (depth == 0 && bzimage_payload(data, len, &payload, &payload_len)) {
		p = packing_of(payload, payload_len);
		if (p)
			return btf_of_packed(p, payload, payload_len, depth, ret, ret_len, err);
		return err_set(err, ERR_UNSUPPORTED, "a kernel image packed in a way other than gzip, xz, zstd, lz4");
	}
	return err_set(err, ERR_CORRUPT, "neither BTF nor ELF nor a kernel image");
}

int kbtf_image_read(const char *path, void **ret, size_t *len, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf copy = BUF_INIT;
	struct stat st;
	void *data;
	int rc;

	if (fd < 0 || fstat(fd, &st))
		return err_sys(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return err_set(err, ERR_CORRUPT, "%s: not a file, or empty", path);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data != MAP_FAILED) {
		rc = btf_of(data, (size_t)st.st_size, 0, ret, len, err);
		munmap(data, (size_t)st.st_size);
	} else {
		/* /sys/kernel/btf of older kernels can only be read */
		rc = file_read_fd(fd, &copy, err) ? -1 : btf_of((const uint8_t *)copy.data, copy.len, 0, ret, len, err);
		buf_deinit(&copy);
	}
	return rc ? err_wrap(err, "%s", path) : 0;
}
