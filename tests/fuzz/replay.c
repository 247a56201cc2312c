// SPDX-License-Identifier: GPL-2.0
/*
 * Feeds each file of a corpus to a fuzz target, as a test point each: with any compiler, without
 * libFuzzer. The sanitizers end it at the first finding, and report leaks when it exits.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>

#include "tree.h"

static int no_dots(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

static int replay(const char *dir, const char *name)
{
	uint8_t *data = malloc(1 << 20);
	char path[1024];
	size_t size;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "re");
	if (!file || !data)
		return -1;
	size = fread(data, 1, 1 << 20, file);
	fclose(file);
	/* Of exactly its size, so that a read behind its end is noticed */
	data = realloc(data, size + !size);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

/* What the tool says about its input is of no interest; what the sanitizers say is. */
static void silence(void)
{
	int report = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (report < 0 || null < 0 || dup2(null, STDERR_FILENO) < 0)
		exit(1);
	__sanitizer_set_report_fd((void *)(intptr_t)report);
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : CORPUS;
	struct dirent **entries;
	int nr = scandir(dir, &entries, no_dots, alphasort);
	int failed = 0;

	if (nr <= 0) {
		printf("Bail out! there is no corpus in %s\n", dir);
		return 1;
	}
	printf("1..%d\n", nr);
	fflush(stdout);
	silence();
	for (int i = 0; i < nr; i++) {
		int err = replay(dir, entries[i]->d_name);

		printf("%s %d - %s\n", err ? "not ok" : "ok", i + 1, entries[i]->d_name);
		fflush(stdout);
		failed += err != 0;
		free(entries[i]);
	}
	free(entries);
	return failed > 0;
}
