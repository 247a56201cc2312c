/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of the kernel that are tables: the first line names the columns, and each line after it has
 * that many words, with one blank between them.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_MAX_COLUMNS 16

/*
 * Calls @row with the words of each line; the last word is the rest of the line with its blanks.
 * @columns is the expected first line. Returns 0; the first value other than 0 that @row returns;
 * -EPROTO for other columns; -EINVAL for a line with fewer words; or another negative errno.
 */
int table_read(const char *path, const char *columns, int (*row)(void *ctx, char **words),
	       void *ctx);

/* Return 0, or -EINVAL for a word that is not a decimal number or does not fit. */
int word_int(const char *word, int *value);
int word_copy(char *to, size_t size, const char *word);		/* escapes unprintable bytes */

#endif /* TABLE_H */
