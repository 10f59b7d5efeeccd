/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runtime_blob.S - the BPF runtime object, carried inside the program. */
	.section .rodata
	.global runtime_blob, runtime_blob_end
	.balign 16
runtime_blob:
	.incbin "runtime.bpf.o"
runtime_blob_end:
	.section .note.GNU-stack, "", @progbits
