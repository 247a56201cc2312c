// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"
#include "machine/functions.h"
#include "machine/kernel.h"
#include "machine/sysfs.h"
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
	.kallsyms = KALLSYMS,
	.filter_functions = {
		TRACEFS "/" FILTER_FUNCTIONS, DEBUGFS "/tracing/" FILTER_FUNCTIONS,
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

/* Whether the name, without its module, is that of hook @i. "name.constprop.0" is another name. */
static bool is_target(const char *name, size_t i)
{
	const char *wanted = target(stock_hooks[i].section);
	size_t len = strcspn(name, " ");

	return strlen(wanted) == len && !strncmp(name, wanted, len);
}

/* The address may be hidden. */
static int note_symbol(void *ctx, uint64_t addr, char *name)
{
	struct hooks *hooks = ctx;

	(void)addr;
	for (size_t i = 0; stock_hooks[i].program; i++)
		if (is_target(name, i) && hooks->symbols[i] < 2)
			hooks->symbols[i]++;
	return 0;
}

static int note_filter(void *ctx, uint64_t addr, char *name)
{
	struct hooks *hooks = ctx;

	(void)addr;
	for (size_t i = 0; stock_hooks[i].program; i++)
		if (is_target(name, i))
			hooks->filter[i] = true;
	return 0;
}

void hooks_open(struct hooks *hooks, const struct btf *btf, const struct hook_files *files,
		bool stock)
{
	memset(hooks, 0, sizeof(*hooks));
	hooks->btf = btf;
	hooks->refused = files->refused ?: getenv("P2PTRACE_NO_HOOKS");
	/* The series has tracepoints, and BTF says everything about them */
	if (!stock)
		return;
	hooks->have_symbols = files->kallsyms &&
			      kallsyms_walk(files->kallsyms, note_symbol, hooks) > 0;
	for (size_t i = 0; i < ARRAY_SIZE(files->filter_functions) && !hooks->have_filter; i++)
		hooks->have_filter = files->filter_functions[i] &&
				     filter_functions_walk(files->filter_functions[i], note_filter,
							   hooks) > 0;
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
