// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/print.h"
#include "machine/kernel.h"
#include "machine/sysfs.h"
#include "session/hooks.h"
#include "session/select.h"
#include "session/shown.h"

#define INDENT "    "

static void print_hook(const char *section)
{
	if (hook_is_tracepoint(section))
		print("tracepoint %s", hook_target(section));
	else if (hook_is_iterator(section))
		print("the iterator over %s", hook_target(section));
	else
		print("%s()", hook_target(section));
}

/* The hook that would be taken for the role, or all hooks for it. */
static void print_role(const struct event_set *set, unsigned int role)
{
	int best = set ? hooks_best(set, role) : -1;
	const char *separator = "";

	for (int i = 0; stock_hooks[i].program; i++) {
		if (set ? i != best : stock_hooks[i].role != role)
			continue;
		print("%s", separator);
		print_hook(stock_hooks[i].section);
		separator = " or ";
	}
}

static void print_way(const struct event_set *set, const struct hook_way *way, const char *seen)
{
	const char *separator = "";

	print(INDENT "%s", seen);
	if (way->what)
		print("%s, ", way->what);
	print("by ");
	for (const unsigned int *role = way->roles; *role != HOOK_NR_ROLES; role++) {
		/* An entry and an exit of one function */
		if (*role == HOOK_FREE_SGL_END || *role == HOOK_NVMET_RETURN ||
		    *role == HOOK_DMABUF_LEAVE || *role == HOOK_MAP_TYPE_BEGIN)
			continue;
		print("%s", separator);
		print_role(set, *role);
		separator = ", ";
	}
	print("\n");
}

static void print_ways(const struct event_set *set, int event, const char *seen)
{
	for (unsigned int i = 0; i < hook_nr_ways; i++)
		if (hook_ways[i].event == (unsigned int)event && (!set || set->ways & 1ull << i))
			print_way(set, &hook_ways[i], seen);
}

/* The fields that stock kernels do not have. */
static void print_unknown(const struct event *event, const char *intro)
{
	const char *separator = intro;

	for (size_t i = 0; i < event->nr_fields; i++) {
		if (!event->fields[i].series)
			continue;
		print("%s%s", separator, event->fields[i].name);
		separator = ", ";
	}
	if (separator != intro)
		print("\n");
}

static void print_seen(const struct event_set *set, int event)
{
	if (set->has[event] && !hooks_serve(set, event))
		print(INDENT "seen: by tracepoint %s\n", events[event].name);
	else if (set->has[event])
		print_ways(set, event, "seen: ");
	if (*set->why[event])
		print(INDENT "not seen: %s\n", set->why[event]);
	if (set->has[event] && set->stock)
		print_unknown(&events[event], INDENT "not known: ");
}

static void print_everywhere(int event)
{
	print(INDENT "with the p2pmem series: by tracepoint %s\n", events[event].name);
	print_ways(NULL, event, "stock kernels: ");
	if (hooks_exist(event))
		print_unknown(&events[event], INDENT "stock kernels do not know: ");
}

void shown_print_set(const struct event_set *set)
{
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		print("%-21s", events[i].name);
		for (size_t f = 0; f < events[i].nr_fields; f++)
			print(" %s", events[i].fields[f].name);
		print("\n");
		if (set)
			print_seen(set, i);
		else
			print_everywhere(i);
	}
}

void shown_print(const struct kernel *kernel)
{
	struct event_set set = {};
	struct hooks hooks;

	if (!kernel) {
		shown_print_set(NULL);
		return;
	}
	memset(set.has, true, sizeof(set.has));
	hooks_open(&hooks, kernel_btf(kernel), &hook_files, kernel->support == KERNEL_STOCK);
	select_seen(kernel, &hooks, &set);
	if (set.stock && !hooks.have_filter)
		note("cannot read " FILTER_FUNCTIONS ", so the kernel may refuse some of these "
		     "functions; run p2ptrace as root");
	shown_print_set(&set);
}
