// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kv - a small block store with USDT probes; it finds out that one block on its disk is not what it wrote.
 *
 * usage: kv ok|bad [FILE]
 *
 * Writes blocks with a checksum, then reads them back with pread() in the thread "kv-reader". In `bad` another
 * process, "kv-stray", writes into one of the blocks in between, through a file descriptor of its own: that is the
 * culprit that a rule should lead to.
 *
 * Probes, provider kv:
 *	block_read(block, offset, length)		before each pread
 *	checksum_mismatch(block, offset, want, got, fd)	the block that was read is corrupt
 *
 * Exit status: 0 all blocks are right, 1 one is not.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sdt.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 64, BLOCK = 4096, VICTIM = 41 };

struct block {
	uint32_t number;
	uint32_t checksum; /* of body */
	uint8_t body[BLOCK - 8];
};

struct reader {
	const char *file;
	int bad;
};

static uint32_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t a = 1, b = 0;

	for (size_t i = 0; i < len; i++) {
		a = (a + bytes[i]) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

static void write_blocks(const char *file)
{
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct block block;

	if (fd < 0)
		err(2, "%s", file);
	for (uint32_t i = 0; i < BLOCKS; i++) {
		block.number = i;
		memset(block.body, (int)(i * 7 + 1), sizeof(block.body));
		block.checksum = checksum(block.body, sizeof(block.body));
		if (pwrite(fd, &block, sizeof(block), (off_t)i * BLOCK) != sizeof(block))
			err(2, "%s: write", file);
	}
	if (fsync(fd) || close(fd))
		err(2, "%s: sync", file);
}

/* The culprit: a process that writes where it has no business. */
static void scribble(const char *file)
{
	pid_t child = fork();
	int fd, status;

	if (child < 0)
		err(2, "fork");
	if (child == 0) {
		prctl(PR_SET_NAME, "kv-stray");
		fd = open(file, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || pwrite(fd, "stray", 5, (off_t)VICTIM * BLOCK + 1000) != 5)
			err(2, "%s: stray write", file);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status)
		errx(2, "the stray writer failed");
	printf("kv-stray pid %d wrote into block %d\n", child, VICTIM);
}

static void read_block(struct reader *reader, int fd, long number)
{
	struct block block;
	long offset = number * BLOCK;
	uint32_t got;

	DTRACE_PROBE3(kv, block_read, number, offset, (long)sizeof(block));
	if (pread(fd, &block, sizeof(block), offset) != sizeof(block))
		err(2, "%s: read", reader->file);
	got = checksum(block.body, sizeof(block.body));
	if (got == block.checksum)
		return;
	reader->bad++;
	printf("block %ld is corrupt\n", number);
	DTRACE_PROBE5(kv, checksum_mismatch, number, offset, block.checksum, got, fd);
}

static void *read_blocks(void *arg)
{
	struct reader *reader = arg;
	int fd = open(reader->file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(2, "%s", reader->file);
	pthread_setname_np(pthread_self(), "kv-reader");
	printf("kv-reader tid %ld fd %d\n", syscall(SYS_gettid), fd);
	for (long i = 0; i < BLOCKS; i++)
		read_block(reader, fd, i);
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	struct reader reader = {.file = argc > 2 ? argv[2] : "/tmp/kv.data"};
	pthread_t thread;

	if (argc < 2 || (strcmp(argv[1], "ok") && strcmp(argv[1], "bad"))) {
		fprintf(stderr, "usage: kv ok|bad [FILE]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	write_blocks(reader.file);
	if (!strcmp(argv[1], "bad"))
		scribble(reader.file);
	if (pthread_create(&thread, NULL, read_blocks, &reader))
		errx(2, "cannot create a thread");
	pthread_join(thread, NULL);
	printf("%d blocks, %d corrupt\n", BLOCKS, reader.bad);
	return reader.bad ? 1 : 0;
}
