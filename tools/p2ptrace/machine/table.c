// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "machine/table.h"

static int split(char *line, char **words, size_t nr)
{
	for (size_t i = 0; i + 1 < nr; i++) {
		words[i] = strsep(&line, " ");
		if (!line)
			return -EINVAL;
	}
	words[nr - 1] = line;
	return 0;
}

static int read_rows(FILE *file, const char *columns, int (*row)(void *ctx, char **words),
		     void *ctx)
{
	char *words[TABLE_MAX_COLUMNS], *line = NULL;
	size_t size = 0, nr = 1;
	ssize_t len;
	int err = 0;

	for (const char *c = columns; *c; c++)
		nr += *c == ' ';
	if (nr > TABLE_MAX_COLUMNS)
		return -E2BIG;

	errno = 0;
	while (!err && (len = getline(&line, &size, file)) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		if (columns) {
			err = strcmp(line, columns) ? -EPROTO : 0;
			columns = NULL;
			continue;
		}
		err = split(line, words, nr);
		if (!err)
			err = row(ctx, words);
		errno = 0;
	}
	/* An empty file has no columns */
	if (!err && (columns || ferror(file)))
		err = errno ? -errno : -EPROTO;
	free(line);
	return err;
}

int table_read(const char *path, const char *columns, int (*row)(void *ctx, char **words),
	       void *ctx)
{
	FILE *file = fopen(path, "re");
	int err;

	if (!file)
		return -errno;
	err = read_rows(file, columns, row, ctx);
	fclose(file);
	return err;
}

int word_int(const char *word, int *value)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(word, &end, 10);
	if (errno || end == word || *end || n < INT_MIN || n > INT_MAX)
		return -EINVAL;
	*value = n;
	return 0;
}

int word_copy(char *to, size_t size, const char *word)
{
	/* The kernel has no names that long */
	if (strlen(word) >= size)
		return -EINVAL;
	text_printable(to, size, word, strlen(word));
	return 0;
}
