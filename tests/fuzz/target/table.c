// SPDX-License-Identifier: GPL-2.0
/* Any file that is read as a table: its first line may be anything, and so may its rows. */
#include <errno.h>
#include <string.h>

#include "machine/table.h"
#include "tree.h"

static int row(void *ctx, char **words)
{
	size_t *rows = ctx;
	char name[8];
	int n;

	for (int i = 0; i < 3; i++) {
		REQUIRE(!strchr(words[i], '\n'));
		REQUIRE(i == 2 || !strchr(words[i], ' '));
		if (!word_int(words[i], &n))
			REQUIRE(*words[i]);
		if (!word_copy(name, sizeof(name), words[i]))
			REQUIRE(strlen(name) < sizeof(name));
	}
	return ++*rows == 100 ? -ECANCELED : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t rows = 0;
	int err = table_read(file_of(data, size), "a b c", row, &rows);

	REQUIRE(err <= 0);
	if (size < 6 || memcmp(data, "a b c", 5))
		REQUIRE(!rows);
	return 0;
}
