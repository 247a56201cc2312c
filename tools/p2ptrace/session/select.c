// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "machine/devices.h"
#include "machine/kernel.h"
#include "machine/sysfs.h"
#include "session/hooks.h"
#include "session/select.h"

/* Whether the event is missing only because the module is not loaded. */
static bool needs_nvmet(const struct kernel *kernel, int event, const char *why)
{
	return why == hook_missing && !strncmp(events[event].name, "nvmet_", strlen("nvmet_")) &&
	       !kernel_has_nvmet(kernel);
}

/*
 * Why no program can serve the role, or NULL if one can. Notes all hooks that can be used: the
 * kernel may still refuse the best one.
 */
static const char *refuse_role(const struct hooks *hooks, struct event_set *set, unsigned int role,
			       const char **name)
{
	const char *why = NULL, *one;

	for (size_t i = 0; stock_hooks[i].program; i++) {
		if (stock_hooks[i].role != role)
			continue;
		one = hooks_refuse(hooks, stock_hooks[i].section);
		if (!one)
			set->hooks |= 1u << i;
		/* Of the best hook that the kernel has */
		if (one && (!why || why == hook_missing)) {
			why = one;
			*name = strchr(stock_hooks[i].section, '/') + 1;
		}
	}
	return hooks_best(set, role) < 0 ? why : NULL;
}

/* The same for all that a way of a stock kernel takes. */
static const char *refuse_way(const struct hooks *hooks, struct event_set *set,
			      const struct hook_way *way, const char **name)
{
	const char *why = NULL;

	for (const unsigned int *role = way->roles; *role != HOOK_NR_ROLES && !why; role++)
		why = refuse_role(hooks, set, *role, name);
	return why;
}

/* Whether the kernel does without the functions that an optional way needs. */
static bool way_not_taken(const struct hooks *hooks, const struct hook_way *way)
{
	bool any = false;

	for (size_t i = 0; stock_hooks[i].program; i++)
		any |= stock_hooks[i].role == way->roles[0] &&
		       btf_has_hook(hooks->btf, stock_hooks[i].section);
	return way->optional && !any;
}

/*
 * Why the event is unavailable, or NULL if it is available, maybe not in all ways: then a note says
 * what is left out.
 */
static const char *refuse(const struct hooks *hooks, struct event_set *set, unsigned int event,
			  const char **name)
{
	const char *why = NULL, *one, *hook = "";
	char section[64];

	if (!set->stock) {
		*name = events[event].name;
		snprintf(section, sizeof(section), "tp_btf/%s", *name);
		return hooks_refuse(hooks, section);
	}
	for (unsigned int i = 0; i < hook_nr_ways; i++) {
		if (hook_ways[i].event != event || way_not_taken(hooks, &hook_ways[i]))
			continue;
		one = refuse_way(hooks, set, &hook_ways[i], &hook);
		if (!one) {
			set->ways |= 1u << i;
			continue;
		}
		set->blind[event] = true;
		if (!why) {
			why = one;
			*name = hook;
		}
	}
	if (!hooks_left(set, event))
		return why;
	for (unsigned int i = 0; why && i < hook_nr_ways; i++)
		if (hook_ways[i].event == event && !(set->ways & 1u << i) &&
		    !way_not_taken(hooks, &hook_ways[i]))
			note("%s leaves out %s: %s: %s", events[event].name, hook_ways[i].what,
			     *name, why);
	return NULL;
}

/* For an event that the user named. */
static int fail_unavailable(const struct kernel *kernel, const struct event_set *set, int event,
			    const char *name, const char *why)
{
	if (set->stock && !hooks_exist(event))
		return fail(EXIT_KERNEL, "this kernel lacks the p2pmem series and cannot show %s; "
			    "boot one that has it", events[event].name);
	if (needs_nvmet(kernel, event, why))
		return fail(EXIT_KERNEL, "cannot trace %s: %s: %s; if nvmet is a module, load it "
			    "first: modprobe nvmet", events[event].name, name, why);
	return fail(EXIT_KERNEL, "cannot trace %s: %s: %s", events[event].name, name, why);
}

int select_hooks(const struct kernel *kernel, const struct hooks *hooks, bool by_name,
		 struct event_set *set)
{
	char no_nvmet[256] = "";

	set->stock = kernel->support == KERNEL_STOCK;
	set->hooks = set->ways = 0;
	memset(set->blind, 0, sizeof(set->blind));
	set->vmemmap_base = hooks->vmemmap_base;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		const char *name = events[i].name, *why;

		if (!set->has[i])
			continue;
		/* The note below says that a stock kernel lacks these */
		why = set->stock && !hooks_exist(i) ? "" : refuse(hooks, set, i, &name);
		if (!why)
			continue;
		if (by_name)
			return fail_unavailable(kernel, set, i, name, why);
		set->has[i] = false;
		/* Without the module there is nothing to see */
		if (needs_nvmet(kernel, i, why))
			set->blind[i] = false;
		if (needs_nvmet(kernel, i, why))
			snprintf(no_nvmet + strlen(no_nvmet), sizeof(no_nvmet) - strlen(no_nvmet),
				 "%s%s", *no_nvmet ? ", " : "", events[i].name);
		else if (*why)
			note("leaving out %s: %s: %s", events[i].name, name, why);
	}
	if (!event_set_count(set))
		return fail(EXIT_KERNEL, "this kernel cannot show any of the events");
	if (*no_nvmet)
		note("leaving out %s: nvmet is not loaded; to see them, run 'modprobe nvmet' "
		     "first, and run p2ptrace as root if nvmet is a module", no_nvmet);
	if (set->stock)
		note("this kernel lacks the p2pmem series: devices are named by PCI name, and "
		     "buffers by bus address; pins, reasons and device events are not shown (see "
		     "STOCK KERNELS in p2ptrace(8))");
	return 0;
}

int select_available(const struct kernel *kernel, bool by_name, struct event_set *set)
{
	struct hooks hooks;

	hooks_open(&hooks, kernel_btf(kernel), &hook_files, kernel->support == KERNEL_STOCK);
	return select_hooks(kernel, &hooks, by_name, set);
}

static bool is_missing(const struct event_set *set, const struct event_set *wanted, int event)
{
	return wanted->has[event] && !set->has[event] && !(set->stock && !hooks_exist(event));
}

int select_groups(struct event_set *set, const struct event_set *wanted, enum p2ptrace_event needed)
{
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		if (is_missing(set, wanted, i))
			event_set_remove_group(set, i);
	if (set->stock)
		hooks_pair_ways(set);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		if (set->stock && set->has[i] && !hooks_left(set, i))
			event_set_remove_group(set, i);
	if (needed < P2PTRACE_NR_EVENTS && !set->has[needed])
		return fail(EXIT_KERNEL, "this kernel cannot show when buffers are allocated and "
			    "freed");
	if (!event_set_count(set))
		return fail(EXIT_KERNEL, "this kernel cannot show any of the events");
	return 0;
}

/* The field that the event lacks for one of the filters. NULL if every filter can match. */
static const char *cannot_match(const struct selection *want, const struct event *event,
				 const char **option)
{
	if (want->dev && !event_has_dev(event)) {
		*option = "dev";
		return "dev or provider";
	}
	if (want->client && !event_has_client(event)) {
		*option = "client";
		return "client";
	}
	if (want->min_size && !event_field(event, "size")) {
		*option = "min-size";
		return "size";
	}
	return NULL;
}

int select_events(const struct selection *want, bool by_name, struct event_set *set)
{
	if (!by_name)
		for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
			set->has[i] = true;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		const char *option, *lacks = cannot_match(want, &events[i], &option);

		if (!set->has[i] || !lacks)
			continue;
		if (by_name)
			return fail(EXIT_USAGE, "%s has no %s, so --%s cannot match it; leave out "
				    "one of them", events[i].name, lacks, option);
		set->has[i] = false;
	}
	if (!event_set_count(set))
		return fail(EXIT_USAGE, "no event matches all of these filters; leave out one of "
			    "them");
	return 0;
}

void select_show_left_out(const struct selection *want, const struct event_set *set)
{
	char names[1024] = "";
	size_t used = 0;

	if (!want->dev && !want->client && !want->min_size)
		return;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		if (!set->has[i])
			used += snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? ", " : "", events[i].name);
	if (used)
		note("leaving out events that %s%s%s%s%s cannot match: %s",
		     want->dev ? "--dev" : "",
		     want->dev && want->client ? " or " : "", want->client ? "--client" : "",
		     want->min_size ? want->dev || want->client ? " or " : "" : "",
		     want->min_size ? "--min-size" : "", names);
}

int select_check_names(const struct selection *want)
{
	int rc = 0;

	if (want->dev)
		rc = dev_check_name(want->dev);
	if (!rc && want->client)
		rc = client_check_name(want->client);
	return rc;
}

int select_devices(const struct selection *want, struct p2ptrace_filter *filter)
{
	int rc = 0;

	filter->pid = want->pid;
	filter->min_size = want->min_size;
	if (want->comm)
		strncpy(filter->comm.s, want->comm, sizeof(filter->comm.s) - 1);
	if (want->dev)
		rc = filter_set_dev(filter, SYSFS, want->dev);
	if (!rc && want->client)
		rc = filter_set_client(filter, SYSFS, want->client);
	return rc;
}

int select_all(const struct selection *want, enum p2ptrace_event needed, struct event_set *set,
	       struct p2ptrace_filter *filter)
{
	const struct event_set wanted = *set;
	struct kernel kernel = {};
	int rc = select_check_names(want);

	if (!rc)
		rc = kernel_open(&kernel, VMLINUX_BTF);
	if (!rc)
		rc = kernel_check_privileges(&kernel);
	if (!rc)
		rc = select_devices(want, filter);
	if (!rc)
		rc = select_available(&kernel, false, set);
	if (!rc)
		rc = select_groups(set, &wanted, needed);
	kernel_close(&kernel);
	return rc;
}
