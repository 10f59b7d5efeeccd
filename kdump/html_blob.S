/* SPDX-License-Identifier: GPL-2.0-or-later */
/* html_blob.S - the page that report_html.c fills in. */
	.section .rodata
	.global html_blob, html_blob_end
html_blob:
	.incbin "kdump/report.html"
	.byte 0
html_blob_end:
	.section .note.GNU-stack, "", @progbits
