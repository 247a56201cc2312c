/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a command prints when it ends: collected in memory, and written to standard output by
 * print_end(). Unlike stdio, this loses nothing if standard output is non-blocking, and it
 * reports every error.
 */
#ifndef PRINT_H
#define PRINT_H

#include "lib/buffer.h"

void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What was printed so far, to be added to. */
struct buffer *print_buffer(void);

/* Returns 0, or EXIT_OTHER after saying what is wrong. A reader that has gone is no error. */
int print_end(void);

#endif /* PRINT_H */
