// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/text.h"

#define MSG_MAX 1024
#define MSG_TAIL 384		/* the next step comes last, and must not be cut */

/* An argument may have any length. Cut the middle of the message. */
static void cut(char *msg, size_t len)
{
	static const char gap[] = " [...] ";
	size_t head = MSG_MAX - MSG_TAIL - strlen(gap);

	memcpy(msg + head, gap, strlen(gap));
	memmove(msg + head + strlen(gap), msg + len - MSG_TAIL, MSG_TAIL + 1);
}

/*
 * One write, so that lines of several writers do not mix. Arguments may hold any bytes, which must
 * not reach the terminal.
 */
__attribute__((format(printf, 1, 0)))
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
