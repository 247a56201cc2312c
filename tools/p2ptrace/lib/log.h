/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LOG_H
#define LOG_H

/* Exit status of every subcommand, part of the interface. */
enum {
	EXIT_OK = 0,
	EXIT_CHECK = 1,		/* a check failed */
	EXIT_USAGE = 2,		/* bad usage */
	EXIT_KERNEL = 3,	/* this kernel or these privileges cannot do it */
	EXIT_OTHER = 4,		/* anything else */
};

/*
 * One line on stderr: what, why and the next step. fail() returns @status, so that no error path
 * exits 0 by accident.
 */
int fail(int status, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* LOG_H */
