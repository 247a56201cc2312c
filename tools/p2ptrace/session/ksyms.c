// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "machine/functions.h"
#include "session/ksyms.h"

struct loading {
	struct ksyms *ksyms;
	size_t room;
};

static int add(void *ctx, uint64_t addr, char *name)
{
	struct loading *loading = ctx;
	struct ksyms *ksyms = loading->ksyms;
	char printable[512];

	if (!addr)
		return 0;
	if (ksyms->nr == loading->room) {
		size_t more = loading->room ? 2 * loading->room : 4096;
		struct ksym *syms = reallocarray(ksyms->syms, more, sizeof(*syms));

		if (!syms)
			return -ENOMEM;
		ksyms->syms = syms;
		loading->room = more;
	}
	text_printable(printable, sizeof(printable), name, strlen(name));
	ksyms->syms[ksyms->nr].addr = addr;
	ksyms->syms[ksyms->nr].name = strdup(printable);
	return ksyms->syms[ksyms->nr].name ? (ksyms->nr++, 0) : -ENOMEM;
}

static int by_addr(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

int ksyms_load(struct ksyms *ksyms, const char *path)
{
	struct loading loading = { .ksyms = ksyms };
	int err;

	memset(ksyms, 0, sizeof(*ksyms));
	err = kallsyms_walk(path, add, &loading);
	if (err < 0)
		ksyms_free(ksyms);
	else if (ksyms->nr)
		qsort(ksyms->syms, ksyms->nr, sizeof(*ksyms->syms), by_addr);
	return err < 0 ? err : 0;
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
