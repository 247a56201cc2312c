// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/print.h"
#include "lib/stream.h"

static struct buffer printed;

struct buffer *print_buffer(void)
{
	return &printed;
}

void print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buffer_vprintf(&printed, fmt, ap);
	va_end(ap);
}

int print_end(void)
{
	struct stream out = { .fd = STDOUT_FILENO };
	bool failed = printed.failed;

	stream_write(&out, buffer_text(&printed), printed.len);
	buffer_free(&printed);
	return failed ? fail(EXIT_OTHER, "out of memory") : stream_status(&out);
}
