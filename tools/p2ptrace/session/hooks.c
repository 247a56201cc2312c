// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"
#include "machine/kernel.h"
#include "session/hooks.h"

#define HOOK(name) { P2PTRACE_##name, "stock_" #name, P2PTRACE_STOCK_##name }

static const struct hook stock_table[] = {
	HOOK(p2pmem_alloc),
	HOOK(p2pmem_alloc_fail),
	HOOK(p2pmem_free),
	HOOK(p2pmem_decide),
	HOOK(p2pmem_find),
	HOOK(p2pmem_dma_map),
	HOOK(p2pmem_dma_unmap),
	HOOK(p2pmem_mmap),
	HOOK(nvmet_p2pmem_use),
	HOOK(nvmet_p2pmem_fallback),
	{ HOOK_PAGES, "stock_pages", P2PTRACE_STOCK_PAGES },
	{}
};

_Static_assert(ARRAY_SIZE(stock_table) <= HOOKS_MAX, "HOOKS_MAX is too small");

const struct hook *stock_hooks = stock_table;

const struct hook_files hook_files = {
	.kallsyms = "/proc/kallsyms",
	.filter_functions = {
		"/sys/kernel/tracing/available_filter_functions",
		"/sys/kernel/debug/tracing/available_filter_functions",
	},
};

bool hooks_exist(unsigned int event)
{
	for (const struct hook *hook = stock_hooks; hook->program; hook++)
		if (hook->event == event)
			return true;
	return false;
}

int hooks_best(const struct event_set *set, unsigned int event)
{
	for (int i = 0; stock_hooks[i].program; i++)
		if (stock_hooks[i].event == event && set->hooks & 1u << i)
			return i;
	return -1;
}

static const char *target(const char *section)
{
	return strchr(section, '/') + 1;
}

static bool is_tracepoint(const char *section)
{
	return !strncmp(section, "tp_btf/", strlen("tp_btf/"));
}

/* Whether the word at the beginning of @line is @name. A suffix such as ".constprop.0" differs. */
static bool is_word(const char *line, const char *name)
{
	size_t len = strcspn(line, " \t\n");

	return strlen(name) == len && !strncmp(line, name, len);
}

/* "ffffffff81000000 t name" or "... name\t[module]". The address may be hidden. */
static void note_symbol(struct hooks *hooks, const char *line)
{
	size_t address = strcspn(line, " ");

	if (!line[address] || !strchr("tTwW", line[address + 1]) || line[address + 2] != ' ')
		return;
	line += address + 3;
	for (size_t i = 0; stock_hooks[i].program; i++)
		if (is_word(line, target(stock_hooks[i].section)) && hooks->symbols[i] < 2)
			hooks->symbols[i]++;
}

/* "name" or "name [module]" */
static void note_filter(struct hooks *hooks, const char *line)
{
	for (size_t i = 0; stock_hooks[i].program; i++)
		if (is_word(line, target(stock_hooks[i].section)))
			hooks->filter[i] = true;
}

/* Whether the file has any line. */
static bool for_each_line(struct hooks *hooks, const char *path,
			  void (*note_line)(struct hooks *hooks, const char *line))
{
	FILE *file = path ? fopen(path, "re") : NULL;
	bool any = false;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return false;
	while (getline(&line, &size, file) >= 0) {
		note_line(hooks, line);
		any = true;
	}
	free(line);
	fclose(file);
	return any;
}

void hooks_open(struct hooks *hooks, const struct btf *btf, const struct hook_files *files)
{
	memset(hooks, 0, sizeof(*hooks));
	hooks->btf = btf;
	hooks->refused = files->refused ?: getenv("P2PTRACE_NO_HOOKS");
	hooks->have_symbols = for_each_line(hooks, files->kallsyms, note_symbol);
	for (size_t i = 0; i < ARRAY_SIZE(files->filter_functions) && !hooks->have_filter; i++)
		hooks->have_filter = for_each_line(hooks, files->filter_functions[i], note_filter);
}

static bool in_list(const char *list, const char *name)
{
	size_t len;

	for (; list; list = list[len] ? list + len + 1 : NULL) {
		len = strcspn(list, ",");
		if (strlen(name) == len && !strncmp(list, name, len))
			return true;
	}
	return false;
}

const char hook_missing[] = "the kernel does not have it";

const char *hooks_refuse(const struct hooks *hooks, const char *section)
{
	const char *name = target(section);
	size_t i = 0;

	if (in_list(hooks->refused, name))
		return "P2PTRACE_NO_HOOKS names it";
	if (!btf_has_hook(hooks->btf, section))
		return hook_missing;
	if (is_tracepoint(section))
		return NULL;
	while (stock_hooks[i].program && strcmp(stock_hooks[i].section, section))
		i++;
	if (!stock_hooks[i].program)
		return NULL;
	if (hooks->have_symbols && !hooks->symbols[i])
		return "the compiler inlined or renamed it";
	if (hooks->have_symbols && hooks->symbols[i] > 1)
		return "the kernel has several functions of this name";
	if (hooks->have_filter && !hooks->filter[i])
		return "the kernel does not allow to trace it";
	return NULL;
}
