/* SPDX-License-Identifier: GPL-2.0-or-later */
/* help_blob.S - the commands' documentation, carried inside the program. */
	.section .rodata
	.global help_blob, help_blob_end
help_blob:
	.incbin "docs/commands.md"
help_blob_end:
	.section .note.GNU-stack, "", @progbits
