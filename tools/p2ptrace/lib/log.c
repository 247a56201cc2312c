// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/text.h"

#define MSG_MAX 1024
#define MSG_TAIL 384		/* room for any hint: what to do comes last */

/* What came from the command line may be of any length. It is the middle that can be spared. */
static void cut(char *msg, size_t len)
{
	static const char gap[] = " [...] ";
	size_t head = MSG_MAX - MSG_TAIL - strlen(gap);

	memcpy(msg + head, gap, strlen(gap));
	memmove(msg + head + strlen(gap), msg + len - MSG_TAIL, MSG_TAIL + 1);
}

/*
 * Straight to the descriptor and in one write: lines of several writers do not mix, and args_parse() may borrow
 * stderr. What came from the command line may hold anything, so it must not reach the terminal as it is.
 */
static void say(const char *fmt, va_list ap)
{
	char *msg, line[4 * MSG_MAX + 1];
	int len = vasprintf(&msg, fmt, ap);

	if (len < 0) {
		dprintf(STDERR_FILENO, "p2ptrace: out of memory\n");
		return;
	}
	if (len > MSG_MAX)
		cut(msg, len);
	text_printable(line, sizeof(line), msg, strlen(msg));
	dprintf(STDERR_FILENO, "p2ptrace: %s\n", line);
	free(msg);
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
