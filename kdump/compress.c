// SPDX-License-Identifier: GPL-2.0-or-later
/* compress.c - see compress.h. */
#include "kdump/compress.h"

#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK (256 * 1024)
/* No kernel module comes near this; a damaged stream must not eat the machine's memory. */
#define OUTPUT_MAX (1UL << 30)

static int decompress_xz(const void *data, size_t len, struct buf *out, struct err *err)
{
	lzma_stream s = LZMA_STREAM_INIT;
	static uint8_t chunk[CHUNK];
	lzma_ret ret = lzma_stream_decoder(&s, OUTPUT_MAX, 0);

	s.next_in = data;
	s.avail_in = len;
	while (ret == LZMA_OK && out->len < OUTPUT_MAX && !buf_failed(out)) {
		s.next_out = chunk;
		s.avail_out = sizeof(chunk);
		ret = lzma_code(&s, LZMA_FINISH);
		buf_add(out, chunk, sizeof(chunk) - s.avail_out);
	}
	lzma_end(&s);
	if (ret != LZMA_STREAM_END)
		return err_set(err, ERR_CORRUPT, "damaged xz stream (liblzma error %d)", ret);
	return 0;
}

static int decompress_gzip(const void *data, size_t len, struct buf *out, struct err *err)
{
	z_stream s = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len };
	static Bytef chunk[CHUNK];
	int ret;

	/* 16 + MAX_WBITS: a gzip header and trailer around the deflate stream (zlib.h, inflateInit2). */
	ret = inflateInit2(&s, 16 + MAX_WBITS);
	while (ret == Z_OK && out->len < OUTPUT_MAX && !buf_failed(out)) {
		s.next_out = chunk;
		s.avail_out = sizeof(chunk);
		ret = inflate(&s, Z_NO_FLUSH);
		buf_add(out, chunk, sizeof(chunk) - s.avail_out);
	}
	inflateEnd(&s);
	if (ret != Z_STREAM_END)
		return err_set(err, ERR_CORRUPT, "damaged gzip stream (zlib error %d)", ret);
	return 0;
}

static int decompress_zstd(const void *data, size_t len, struct buf *out, struct err *err)
{
	static uint8_t chunk[CHUNK];
	ZSTD_DStream *s = ZSTD_createDStream();
	ZSTD_inBuffer in = { .src = data, .size = len };
	size_t ret = 1;

	if (!s)
		return err_nomem(err);
	while (ret && !ZSTD_isError(ret) && out->len < OUTPUT_MAX && !buf_failed(out)) {
		ZSTD_outBuffer o = { .dst = chunk, .size = sizeof(chunk) };

		ret = ZSTD_decompressStream(s, &o, &in);
		if (!ZSTD_isError(ret))
			buf_add(out, chunk, o.pos);
		if (in.pos == in.size && o.pos < o.size)
			break;
	}
	ZSTD_freeDStream(s);
	if (ret)
		return err_set(err, ERR_CORRUPT, "damaged zstd stream (%s)",
			       ZSTD_isError(ret) ? ZSTD_getErrorName(ret) : "it ends early");
	return 0;
}

static const struct {
	const char *magic;
	size_t len;
	int (*decompress)(const void *data, size_t len, struct buf *out, struct err *err);
} formats[] = {
	{ "\xfd" "7zXZ\0", 6, decompress_xz },
	{ "\x1f\x8b", 2, decompress_gzip },
	{ "\x28\xb5\x2f\xfd", 4, decompress_zstd },
};

int decompress(const void *data, size_t len, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (len < formats[i].len || memcmp(data, formats[i].magic, formats[i].len))
			continue;
		if (formats[i].decompress(data, len, out, err))
			return -1;
		return buf_failed(out) ? err_nomem(err) : 0;
	}
	buf_add(out, data, len);
	return buf_failed(out) ? err_nomem(err) : 0;
}

int compress_gzip(const void *data, size_t len, int level, struct buf *out, struct err *err)
{
	z_stream s = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len };
	static Bytef chunk[CHUNK];
	int ret;

	if (len > UINT32_MAX)
		return err_set(err, ERR_UNSUPPORTED, "more than 4 GB to compress");
	if (deflateInit2(&s, level, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		return err_nomem(err);
	do {
		s.next_out = chunk;
		s.avail_out = sizeof(chunk);
		ret = deflate(&s, Z_FINISH);
		buf_add(out, chunk, sizeof(chunk) - s.avail_out);
	} while (ret == Z_OK);
	deflateEnd(&s);
	return ret != Z_STREAM_END || buf_failed(out) ? err_nomem(err) : 0;
}
