/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of the kernel that are tables: a line that names the columns, and lines of as many words, with one blank
 * between.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_MAX_COLUMNS 16

/*
 * Calls @row with the words of each line; the last one is the rest of the line, blanks and all. @columns is the first
 * line as it has to be. 0; what @row returns if it is not 0; -EPROTO for other columns, -EINVAL for a line that has
 * fewer words, or another negative errno.
 */
int table_read(const char *path, const char *columns, int (*row)(void *ctx, char **words), void *ctx);

/* For words: 0, or -EINVAL if that is not one, or does not fit. */
int word_int(const char *word, int *value);
int word_copy(char *to, size_t size, const char *word);		/* printable, whatever it was */

#endif /* TABLE_H */
