// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

/*
 * Straight to the descriptor and in one write: lines of several writers do not mix, and args_parse() may borrow
 * stderr. What came from the command line may hold anything, so it must not reach the terminal as it is.
 */
static void say(const char *fmt, va_list ap)
{
	char msg[1024], line[4 * sizeof(msg)];

	vsnprintf(msg, sizeof(msg), fmt, ap);
	text_printable(line, sizeof(line), msg, strlen(msg));
	dprintf(STDERR_FILENO, "p2ptrace: %s\n", line);
}

int fail(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return status;
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}
