// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/functions.h"

/* "ffffffff81000000 T name" or "... name\t[module]" */
static int visit_symbol(char *line, function_visit visit, void *ctx)
{
	unsigned long long addr;
	char *end, *tab;

	errno = 0;
	addr = strtoull(line, &end, 16);
	if (errno || end == line || end[0] != ' ' || !end[1] || end[2] != ' ' || !end[3])
		return -EINVAL;
	/* Skip data */
	if (!strchr("tTwW", end[1]) && strcmp(end + 3, VMEMMAP_BASE) &&
	    strcmp(end + 3, MEM_SECTION))
		return 0;
	tab = strchr(end, '\t');
	if (tab)
		*tab = ' ';
	return visit(ctx, addr, end + 3);
}

/* "name" or "name [module]" */
static int visit_function(char *line, function_visit visit, void *ctx)
{
	return visit(ctx, 0, line);
}

static int for_each_line(const char *path,
			 int (*parse)(char *line, function_visit visit, void *ctx),
			 function_visit visit, void *ctx)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int err = 0, any = 0;

	if (!file)
		return -errno;
	while (!err && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		err = parse(line, visit, ctx);
		any = 1;
	}
	if (!err && ferror(file))
		err = -EIO;
	free(line);
	fclose(file);
	return err ?: any;
}

int kallsyms_walk(const char *path, function_visit visit, void *ctx)
{
	return for_each_line(path, visit_symbol, visit, ctx);
}

int filter_functions_walk(const char *path, function_visit visit, void *ctx)
{
	return for_each_line(path, visit_function, visit, ctx);
}
