// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report_html.c - the report as one self-contained page: report.html with the JSON report inside.
 */
#include "kdump/report.h"

#include <stdlib.h>
#include <string.h>

#define MARK "@REPORT@"

extern const char html_blob[], html_blob_end[];

int report_print_html(const struct report *r, FILE *out, struct err *err)
{
	const char *mark = memmem(html_blob, (size_t)(html_blob_end - html_blob), MARK, strlen(MARK));
	char *json = NULL;
	size_t len = 0;
	FILE *mem = open_memstream(&json, &len);
	int rc = mem ? report_print_json(r, mem, err) : err_nomem(err);

	if (mem && fclose(mem))
		rc = err_nomem(err);
	if (!rc) {
		fwrite(html_blob, 1, (size_t)(mark - html_blob), out);
		/* In JSON a '<' stands only in strings; as an escape it cannot end the script element. */
		for (size_t i = 0; i < len; i++) {
			if (json[i] == '<')
				fputs("\\u003c", out);
			else
				fputc(json[i], out);
		}
		fputs(mark + strlen(MARK), out);
	}
	free(json);
	return rc;
}
