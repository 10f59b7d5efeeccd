// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * macros.c - values of kernel macros, which BTF does not have.
 *
 * Only those are here whose value is the same in all kernels since 6.1 (tests/vm/macros.sh compares with the headers),
 * and the few of gfp_t that changed, with a way to tell. Whatever is an enum needs no entry: BTF has it.
 */
#include "rules/check.h"

#include <string.h>

#include "lib/nearest.h"

static const struct macro {
	const char *name;
	int64_t value;
} macros[] = {
	/* Error numbers; the kernel returns them negative. */
	{ "EPERM", 1 }, { "ENOENT", 2 }, { "ESRCH", 3 }, { "EINTR", 4 }, { "EIO", 5 }, { "ENXIO", 6 },
	{ "E2BIG", 7 }, { "ENOEXEC", 8 }, { "EBADF", 9 }, { "ECHILD", 10 }, { "EAGAIN", 11 }, { "EWOULDBLOCK", 11 },
	{ "ENOMEM", 12 }, { "EACCES", 13 }, { "EFAULT", 14 }, { "ENOTBLK", 15 }, { "EBUSY", 16 }, { "EEXIST", 17 },
	{ "EXDEV", 18 }, { "ENODEV", 19 }, { "ENOTDIR", 20 }, { "EISDIR", 21 }, { "EINVAL", 22 }, { "ENFILE", 23 },
	{ "EMFILE", 24 }, { "ENOTTY", 25 }, { "ETXTBSY", 26 }, { "EFBIG", 27 }, { "ENOSPC", 28 }, { "ESPIPE", 29 },
	{ "EROFS", 30 }, { "EMLINK", 31 }, { "EPIPE", 32 }, { "EDOM", 33 }, { "ERANGE", 34 }, { "EDEADLK", 35 },
	{ "EDEADLOCK", 35 }, { "ENAMETOOLONG", 36 }, { "ENOLCK", 37 }, { "ENOSYS", 38 }, { "ENOTEMPTY", 39 },
	{ "ELOOP", 40 }, { "ENOMSG", 42 }, { "EIDRM", 43 }, { "ECHRNG", 44 }, { "EL2NSYNC", 45 }, { "EL3HLT", 46 },
	{ "EL3RST", 47 }, { "ELNRNG", 48 }, { "EUNATCH", 49 }, { "ENOCSI", 50 }, { "EL2HLT", 51 }, { "EBADE", 52 },
	{ "EBADR", 53 }, { "EXFULL", 54 }, { "ENOANO", 55 }, { "EBADRQC", 56 }, { "EBADSLT", 57 }, { "EBFONT", 59 },
	{ "ENOSTR", 60 }, { "ENODATA", 61 }, { "ETIME", 62 }, { "ENOSR", 63 }, { "ENONET", 64 }, { "ENOPKG", 65 },
	{ "EREMOTE", 66 }, { "ENOLINK", 67 }, { "EADV", 68 }, { "ESRMNT", 69 }, { "ECOMM", 70 }, { "EPROTO", 71 },
	{ "EMULTIHOP", 72 }, { "EDOTDOT", 73 }, { "EBADMSG", 74 }, { "EOVERFLOW", 75 }, { "ENOTUNIQ", 76 },
	{ "EBADFD", 77 }, { "EREMCHG", 78 }, { "ELIBACC", 79 }, { "ELIBBAD", 80 }, { "ELIBSCN", 81 },
	{ "ELIBMAX", 82 }, { "ELIBEXEC", 83 }, { "EILSEQ", 84 }, { "ERESTART", 85 }, { "ESTRPIPE", 86 },
	{ "EUSERS", 87 }, { "ENOTSOCK", 88 }, { "EDESTADDRREQ", 89 }, { "EMSGSIZE", 90 }, { "EPROTOTYPE", 91 },
	{ "ENOPROTOOPT", 92 }, { "EPROTONOSUPPORT", 93 }, { "ESOCKTNOSUPPORT", 94 }, { "EOPNOTSUPP", 95 },
	{ "EPFNOSUPPORT", 96 }, { "EAFNOSUPPORT", 97 }, { "EADDRINUSE", 98 }, { "EADDRNOTAVAIL", 99 },
	{ "ENETDOWN", 100 }, { "ENETUNREACH", 101 }, { "ENETRESET", 102 }, { "ECONNABORTED", 103 },
	{ "ECONNRESET", 104 }, { "ENOBUFS", 105 }, { "EISCONN", 106 }, { "ENOTCONN", 107 }, { "ESHUTDOWN", 108 },
	{ "ETOOMANYREFS", 109 }, { "ETIMEDOUT", 110 }, { "ECONNREFUSED", 111 }, { "EHOSTDOWN", 112 },
	{ "EHOSTUNREACH", 113 }, { "EALREADY", 114 }, { "EINPROGRESS", 115 }, { "ESTALE", 116 }, { "EUCLEAN", 117 },
	{ "ENOTNAM", 118 }, { "ENAVAIL", 119 }, { "EISNAM", 120 }, { "EREMOTEIO", 121 }, { "EDQUOT", 122 },
	{ "ENOMEDIUM", 123 }, { "EMEDIUMTYPE", 124 }, { "ECANCELED", 125 }, { "ENOKEY", 126 },
	{ "EKEYEXPIRED", 127 }, { "EKEYREVOKED", 128 }, { "EKEYREJECTED", 129 }, { "EOWNERDEAD", 130 },
	{ "ENOTRECOVERABLE", 131 }, { "ERFKILL", 132 }, { "EHWPOISON", 133 }, { "ERESTARTSYS", 512 },
	{ "ERESTARTNOINTR", 513 }, { "ERESTARTNOHAND", 514 }, { "ENOIOCTLCMD", 515 }, { "EOPENSTALE", 518 },
	{ "ENOPARAM", 519 }, { "EBADHANDLE", 521 }, { "ENOTSYNC", 522 }, { "EBADCOOKIE", 523 }, { "ENOTSUPP", 524 },
	{ "ETOOSMALL", 525 }, { "ESERVERFAULT", 526 }, { "EBADTYPE", 527 }, { "EJUKEBOX", 528 },
	{ "EIOCBQUEUED", 529 }, { "ERECALLCONFLICT", 530 }, { "ENOGRACE", 531 },
	/* task->flags */
	{ "PF_VCPU", 1 }, { "PF_IDLE", 2 }, { "PF_EXITING", 4 }, { "PF_POSTCOREDUMP", 8 }, { "PF_IO_WORKER", 16 },
	{ "PF_WQ_WORKER", 32 }, { "PF_FORKNOEXEC", 64 }, { "PF_MCE_PROCESS", 128 }, { "PF_SUPERPRIV", 256 },
	{ "PF_DUMPCORE", 512 }, { "PF_SIGNALED", 0x400 }, { "PF_MEMALLOC", 0x800 }, { "PF_NPROC_EXCEEDED", 0x1000 },
	{ "PF_USED_MATH", 0x2000 }, { "PF_NOFREEZE", 0x8000 }, { "PF_KSWAPD", 0x20000 },
	{ "PF_MEMALLOC_NOFS", 0x40000 }, { "PF_MEMALLOC_NOIO", 0x80000 }, { "PF_LOCAL_THROTTLE", 0x100000 },
	{ "PF_KTHREAD", 0x200000 }, { "PF_RANDOMIZE", 0x400000 }, { "PF_NO_NOTIFY_SIGNAL", 0x800000 },
	{ "PF_NO_SETAFFINITY", 0x4000000 }, { "PF_MCE_EARLY", 0x8000000 }, { "PF_MEMALLOC_PIN", 0x10000000 },
	{ "PF_SUSPEND_TASK", 0x80000000 }, { "PF_USER_WORKER", 0x4000 }, { "PF_KCOMPACTD", 0x10000 },
	{ "PF_BLOCK_TS", 0x20000000 },
	/* task->__state, exit_state */
	{ "TASK_RUNNING", 0 }, { "TASK_INTERRUPTIBLE", 1 }, { "TASK_UNINTERRUPTIBLE", 2 }, { "TASK_NORMAL", 3 },
	{ "__TASK_STOPPED", 4 }, { "TASK_TRACED", 8 }, { "__TASK_TRACED", 8 }, { "EXIT_DEAD", 16 },
	{ "EXIT_ZOMBIE", 32 }, { "EXIT_TRACE", 48 }, { "TASK_PARKED", 64 }, { "TASK_DEAD", 128 },
	{ "TASK_WAKEKILL", 256 }, { "TASK_KILLABLE", 258 }, { "TASK_STOPPED", 260 }, { "TASK_WAKING", 512 },
	{ "TASK_NOLOAD", 0x400 }, { "TASK_IDLE", 0x402 }, { "TASK_NEW", 0x800 }, { "TASK_RTLOCK_WAIT", 0x1000 },
	{ "TASK_FREEZABLE", 0x2000 }, { "TASK_FROZEN", 0x8000 },
	/* Netfilter verdicts */
	{ "NF_DROP", 0 }, { "NF_ACCEPT", 1 }, { "NF_STOLEN", 2 }, { "NF_QUEUE", 3 }, { "NF_REPEAT", 4 },
	{ "NF_STOP", 5 },
	/* blk_status_t; those above DEV_RESOURCE differ between kernels and are left out. */
	{ "BLK_STS_OK", 0 }, { "BLK_STS_NOTSUPP", 1 }, { "BLK_STS_TIMEOUT", 2 }, { "BLK_STS_NOSPC", 3 },
	{ "BLK_STS_TRANSPORT", 4 }, { "BLK_STS_TARGET", 5 }, { "BLK_STS_MEDIUM", 7 }, { "BLK_STS_PROTECTION", 8 },
	{ "BLK_STS_RESOURCE", 9 }, { "BLK_STS_IOERR", 10 }, { "BLK_STS_DM_REQUEUE", 11 }, { "BLK_STS_AGAIN", 12 },
	{ "BLK_STS_DEV_RESOURCE", 13 },
	/* super_block->s_flags */
	{ "SB_RDONLY", 1 }, { "SB_ENC_STRICT_MODE_FL", 1 }, { "SB_NOSUID", 2 }, { "SB_NODEV", 4 },
	{ "SB_NOEXEC", 8 }, { "SB_SYNCHRONOUS", 16 }, { "SB_MANDLOCK", 64 }, { "SB_DIRSYNC", 128 },
	{ "SB_NOATIME", 0x400 }, { "SB_NODIRATIME", 0x800 }, { "SB_SILENT", 0x8000 }, { "SB_POSIXACL", 0x10000 },
	{ "SB_KERNMOUNT", 0x400000 }, { "SB_LAZYTIME", 0x2000000 }, { "SB_SUBMOUNT", 0x4000000 },
	{ "SB_FORCE", 0x8000000 }, { "SB_NOSEC", 0x10000000 }, { "SB_BORN", 0x20000000 },
	{ "SB_ACTIVE", 0x40000000 }, { "SB_NOUSER", 0x80000000 },
	/* file->f_mode */
	{ "FMODE_READ", 1 }, { "FMODE_WRITE", 2 }, { "FMODE_LSEEK", 4 }, { "FMODE_PREAD", 8 },
	{ "FMODE_PWRITE", 16 }, { "FMODE_EXEC", 32 }, { "FMODE_32BITHASH", 512 }, { "FMODE_64BITHASH", 0x400 },
	{ "FMODE_NOCMTIME", 0x800 }, { "FMODE_RANDOM", 0x1000 }, { "FMODE_PATH", 0x4000 },
	{ "FMODE_ATOMIC_POS", 0x8000 }, { "FMODE_WRITER", 0x10000 }, { "FMODE_CAN_READ", 0x20000 },
	{ "FMODE_CAN_WRITE", 0x40000 }, { "FMODE_OPENED", 0x80000 }, { "FMODE_CREATED", 0x100000 },
	{ "FMODE_STREAM", 0x200000 }, { "FMODE_CAN_ODIRECT", 0x400000 }, { "FMODE_NOWAIT", 0x8000000 },
	{ "FMODE_NEED_UNMOUNT", 0x10000000 }, { "FMODE_NOACCOUNT", 0x20000000 },
	/* Signals */
	{ "SIGHUP", 1 }, { "SIGINT", 2 }, { "SIGQUIT", 3 }, { "SIGILL", 4 }, { "SIGTRAP", 5 }, { "SIGABRT", 6 },
	{ "SIGBUS", 7 }, { "SIGFPE", 8 }, { "SIGKILL", 9 }, { "SIGUSR1", 10 }, { "SIGSEGV", 11 }, { "SIGUSR2", 12 },
	{ "SIGPIPE", 13 }, { "SIGALRM", 14 }, { "SIGTERM", 15 }, { "SIGSTKFLT", 16 }, { "SIGCHLD", 17 },
	{ "SIGCONT", 18 }, { "SIGSTOP", 19 }, { "SIGTSTP", 20 }, { "SIGTTIN", 21 }, { "SIGTTOU", 22 },
	{ "SIGURG", 23 }, { "SIGXCPU", 24 }, { "SIGXFSZ", 25 }, { "SIGVTALRM", 26 }, { "SIGPROF", 27 },
	{ "SIGWINCH", 28 }, { "SIGIO", 29 }, { "SIGPWR", 30 }, { "SIGSYS", 31 },
	/* file->f_flags */
	{ "O_ACCMODE", 3 }, { "O_RDONLY", 0 }, { "O_WRONLY", 1 }, { "O_RDWR", 2 }, { "O_CREAT", 64 },
	{ "O_EXCL", 128 }, { "O_NOCTTY", 256 }, { "O_TRUNC", 512 }, { "O_APPEND", 0x400 }, { "O_NONBLOCK", 0x800 },
	{ "O_DSYNC", 0x1000 }, { "O_DIRECT", 0x4000 }, { "O_LARGEFILE", 0x8000 }, { "O_DIRECTORY", 0x10000 },
	{ "O_NOFOLLOW", 0x20000 }, { "O_NOATIME", 0x40000 }, { "O_CLOEXEC", 0x80000 }, { "O_SYNC", 0x101000 },
	{ "O_PATH", 0x200000 }, { "O_TMPFILE", 0x410000 },
	/* inode->i_mode */
	{ "S_IFMT", 0xf000 }, { "S_IFSOCK", 0xc000 }, { "S_IFLNK", 0xa000 }, { "S_IFREG", 0x8000 },
	{ "S_IFBLK", 0x6000 }, { "S_IFDIR", 0x4000 }, { "S_IFCHR", 0x2000 }, { "S_IFIFO", 0x1000 },
	{ "S_ISUID", 0x800 }, { "S_ISGID", 0x400 }, { "S_ISVTX", 512 },
	/* Address families */
	{ "AF_UNSPEC", 0 }, { "AF_UNIX", 1 }, { "AF_INET", 2 }, { "AF_INET6", 10 }, { "AF_NETLINK", 16 },
	{ "AF_PACKET", 17 }, { "AF_VSOCK", 40 }, { "AF_XDP", 44 },
	/* gfp_t */
	{ "__GFP_DMA", 1 }, { "__GFP_HIGHMEM", 2 }, { "__GFP_DMA32", 4 }, { "__GFP_MOVABLE", 8 },
	{ "__GFP_RECLAIMABLE", 16 }, { "__GFP_HIGH", 32 }, { "__GFP_IO", 64 }, { "__GFP_FS", 128 },
	{ "__GFP_ZERO", 256 }, { "__GFP_DIRECT_RECLAIM", 0x400 }, { "__GFP_KSWAPD_RECLAIM", 0x800 },
	{ "__GFP_WRITE", 0x1000 }, { "__GFP_NOWARN", 0x2000 }, { "__GFP_RETRY_MAYFAIL", 0x4000 },
	{ "__GFP_NOFAIL", 0x8000 }, { "__GFP_NORETRY", 0x10000 }, { "__GFP_MEMALLOC", 0x20000 },
	{ "__GFP_COMP", 0x40000 }, { "__GFP_NOMEMALLOC", 0x80000 }, { "__GFP_HARDWALL", 0x100000 },
	{ "__GFP_THISNODE", 0x200000 }, { "__GFP_ACCOUNT", 0x400000 }, { "__GFP_ZEROTAGS", 0x800000 },
	{ "__GFP_RECLAIM", 0xc00 }, { "GFP_KERNEL", 0xcc0 }, { "GFP_NOFS", 0xc40 }, { "GFP_NOIO", 0xc00 },
	{ "GFP_USER", 0x100cc0 }, { "GFP_KERNEL_ACCOUNT", 0x400cc0 },
};

/* Since 6.10 the bits of gfp_t are an enum, and these sets of them have changed. */
static const struct {
	const char *name;
	int64_t before, since;
} gfp_sets[] = {
	{ "GFP_ATOMIC", 0xa20, 0x820 },
	{ "GFP_NOWAIT", 0x800, 0x2800 },
};

bool macro_value(struct kbtf *k, const char *name, int64_t *value)
{
	const struct btf *btf;
	uint32_t id;

	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
		if (!strcmp(macros[i].name, name)) {
			*value = macros[i].value;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(gfp_sets) / sizeof(gfp_sets[0]); i++) {
		if (!strcmp(gfp_sets[i].name, name)) {
			*value = k && kbtf_find_enumerator(k, "___GFP_IO_BIT", value, &btf, &id) ? gfp_sets[i].since :
				 gfp_sets[i].before;
			return true;
		}
	}
	return false;
}

void macro_offer_names(struct nearest *n)
{
	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
		nearest_offer(n, macros[i].name);
}
