// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "session/ksyms.h"

static int add(struct ksyms *ksyms, size_t *room, uint64_t addr, const char *name)
{
	char printable[512];

	if (ksyms->nr == *room) {
		size_t more = *room ? 2 * *room : 4096;
		struct ksym *syms = reallocarray(ksyms->syms, more, sizeof(*syms));

		if (!syms)
			return -ENOMEM;
		ksyms->syms = syms;
		*room = more;
	}
	text_printable(printable, sizeof(printable), name, strlen(name));
	ksyms->syms[ksyms->nr].addr = addr;
	ksyms->syms[ksyms->nr].name = strdup(printable);
	return ksyms->syms[ksyms->nr].name ? (ksyms->nr++, 0) : -ENOMEM;
}

/* "ffffffff81000000 T name" or "... name\t[module]" */
static int parse(struct ksyms *ksyms, size_t *room, char *line)
{
	unsigned long long addr;
	char *end, *tab;

	line[strcspn(line, "\n")] = '\0';
	errno = 0;
	addr = strtoull(line, &end, 16);
	if (errno || end == line || end[0] != ' ' || !end[1] || end[2] != ' ' || !end[3])
		return -EINVAL;
	/* Skip data */
	if (!addr || !strchr("tTwW", end[1]))
		return 0;
	tab = strchr(end, '\t');
	if (tab)
		*tab = ' ';
	return add(ksyms, room, addr, end + 3);
}

static int by_addr(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

int ksyms_load(struct ksyms *ksyms, const char *path)
{
	FILE *file = fopen(path, "re");
	size_t size = 0, room = 0;
	char *line = NULL;
	int err = 0;

	memset(ksyms, 0, sizeof(*ksyms));
	if (!file)
		return -errno;
	while (!err && getline(&line, &size, file) >= 0)
		err = parse(ksyms, &room, line);
	if (!err && ferror(file))
		err = -EIO;
	free(line);
	fclose(file);
	if (err)
		ksyms_free(ksyms);
	else if (ksyms->nr)
		qsort(ksyms->syms, ksyms->nr, sizeof(*ksyms->syms), by_addr);
	return err;
}

void ksyms_free(struct ksyms *ksyms)
{
	for (size_t i = 0; i < ksyms->nr; i++)
		free(ksyms->syms[i].name);
	free(ksyms->syms);
	memset(ksyms, 0, sizeof(*ksyms));
}

const char *ksyms_name(const struct ksyms *ksyms, uint64_t addr, uint64_t *offset)
{
	size_t low = 0, high = ksyms->nr;

	/* Find the first symbol after the address */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ksyms->syms[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	*offset = addr - ksyms->syms[low - 1].addr;
	return ksyms->syms[low - 1].name;
}
