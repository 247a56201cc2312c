// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "event/blind.h"
#include "event/enums.h"
#include "lib/log.h"
#include "machine/devices.h"
#include "machine/kernel.h"
#include "machine/sysfs.h"
#include "session/hooks.h"
#include "session/select.h"

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
			set->hooks |= 1ull << i;
		/* Of the best hook that the kernel has */
		if (one && (!why || why == hook_missing)) {
			why = one;
			*name = hook_target(stock_hooks[i].section);
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
		       hook_exists(hooks->btf, stock_hooks[i].section);
	return way->optional && !any;
}

/* Notes the ways that show the event, and why the others do not. */
static const char *find_ways(const struct hooks *hooks, struct event_set *set, unsigned int event)
{
	const char *why = NULL, *one, *hook = "";
	char text[EVENT_WHY_LEN];

	for (unsigned int i = 0; i < hook_nr_ways; i++) {
		if (hook_ways[i].event != event || way_not_taken(hooks, &hook_ways[i]))
			continue;
		one = refuse_way(hooks, set, &hook_ways[i], &hook);
		if (!one) {
			set->ways |= 1ull << i;
			continue;
		}
		snprintf(text, sizeof(text), "%s: %s", hook, one);
		way_blind(set, &hook_ways[i], text);
		why = why ?: one;
	}
	return hooks_left(set, event) ? NULL : why ?: hook_missing;
}

static const char *find_tracepoint(const struct hooks *hooks, struct event_set *set, int event)
{
	char section[64];
	const char *why;

	snprintf(section, sizeof(section), "tp_btf/%s", events[event].name);
	why = hooks_refuse(hooks, section);
	if (why)
		blind_add(set, event, "%s", why);
	return why;
}

static bool is_of_nvmet(int event)
{
	return !strncmp(events[event].name, "nvmet_", strlen("nvmet_"));
}

/* Whether the event is missing only because the BTF of the module is. */
static bool needs_nvmet(const struct kernel *kernel, int event, const char *why)
{
	return why == hook_missing && is_of_nvmet(event) && !kernel_has_nvmet(kernel);
}

/* A series without pins frees a buffer at once, so that nothing is missed. */
static bool lacks_pins(const struct event_set *set, int event)
{
	return event == P2PTRACE_p2pmem_reclaim && !set->stock && !set->pins;
}

static bool is_of_series(const struct event_set *set, int event)
{
	return (set->stock && !hooks_exist(event)) || lacks_pins(set, event);
}

static void find_event(const struct kernel *kernel, const struct hooks *hooks,
		       struct event_set *set, int event)
{
	const char *why;

	set->blind[event] = false;
	*set->why[event] = '\0';
	if (!set->has[event])
		return;
	if (is_of_series(set, event)) {
		set->has[event] = false;
		snprintf(set->why[event], EVENT_WHY_LEN, "%s", lacks_pins(set, event) ?
			 "buffers have no pins on this kernel" : "only the p2pmem series has it");
		return;
	}
	why = hooks_serve(set, event) ? find_ways(hooks, set, event) :
					find_tracepoint(hooks, set, event);
	if (!why)
		return;
	set->has[event] = false;
	if (!set->blind[event])
		snprintf(set->why[event], EVENT_WHY_LEN, "%s", why);
	if (!needs_nvmet(kernel, event, why))
		return;
	/* Without the module there is nothing to see */
	set->blind[event] = kernel->nvmet_hidden;
	snprintf(set->why[event], EVENT_WHY_LEN, "%s", kernel->nvmet_hidden ?
		 "the BTF of the module nvmet cannot be read; run p2ptrace as root" :
		 "nvmet is not loaded");
}

void select_seen(const struct kernel *kernel, const struct hooks *hooks, struct event_set *set)
{
	set->stock = kernel->support != KERNEL_TRACEPOINTS;
	set->mappings = btf__find_by_name_kind(kernel->vmlinux, "pci_p2pdma_mapping",
					       BTF_KIND_STRUCT) > 0;
	set->pins = btf_has_tracepoint(kernel->vmlinux, "p2pmem_reclaim");
	set->hooks = set->ways = 0;
	set->vmemmap_base = hooks->vmemmap_base;
	set->mem_section = hooks->mem_section;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		find_event(kernel, hooks, set, i);
	set->lists_dmabufs = hooks_best(set, HOOK_DMABUF_ITER) >= 0;
}

/* Whether there is nothing to see because the module is not loaded. */
static bool lacks_nvmet(const struct event_set *set, int event)
{
	return !set->has[event] && !set->blind[event] && !is_of_series(set, event) &&
	       is_of_nvmet(event);
}

/* For an event that the user named. */
static int fail_unavailable(const struct event_set *set, int event)
{
	if (lacks_pins(set, event))
		return fail(EXIT_KERNEL, "cannot trace %s: %s, so memory returns to the pool when "
			    "its buffer is freed; trace p2pmem_free instead", events[event].name,
			    set->why[event]);
	if (is_of_series(set, event))
		return fail(EXIT_KERNEL, "this kernel lacks the p2pmem series and cannot show %s; "
			    "%s", events[event].name, kernel_series_step());
	return fail(EXIT_KERNEL, "cannot trace %s: %s%s", events[event].name, set->why[event],
		    lacks_nvmet(set, event) ? "; run 'modprobe nvmet' first, and run p2ptrace as "
					      "root if nvmet is a module" : "");
}

static void note_left_out(const struct event_set *set, const struct event_set *wanted)
{
	char no_nvmet[256] = "";

	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		size_t used = strlen(no_nvmet);

		if (set->has[i] && set->blind[i])
			note("%s is seen only in part, without %s", events[i].name, set->why[i]);
		/* The last note says that a stock kernel lacks those of the series */
		if (!wanted->has[i] || set->has[i] || is_of_series(set, i))
			continue;
		if (lacks_nvmet(set, i))
			snprintf(no_nvmet + used, sizeof(no_nvmet) - used, "%s%s",
				 used ? ", " : "", events[i].name);
		else if (set->blind[i])
			note("leaving out %s: %s", events[i].name, set->why[i]);
	}
	if (*no_nvmet)
		note("leaving out %s: nvmet is not loaded; to see them, run 'modprobe nvmet' "
		     "first, and run p2ptrace as root if nvmet is a module", no_nvmet);
}

int select_hooks(const struct kernel *kernel, const struct hooks *hooks, bool by_name,
		 struct event_set *set)
{
	const struct event_set wanted = *set;

	select_seen(kernel, hooks, set);
	for (int i = 0; i < P2PTRACE_NR_EVENTS && by_name; i++)
		if (wanted.has[i] && !set->has[i])
			return fail_unavailable(set, i);
	note_left_out(set, &wanted);
	if (!event_set_count(set))
		return fail(EXIT_KERNEL, "this kernel cannot show any of the events; the notes "
			    "before say why");
	if (set->stock)
		note("this kernel lacks the p2pmem series: devices are named by PCI name, and "
		     "buffers by bus address; pins, reasons and device events are not shown (see "
		     "STOCK KERNELS in p2ptrace(8))");
	return 0;
}

static bool is_missing(const struct event_set *set, const struct event_set *wanted, int event)
{
	return wanted->has[event] && !set->has[event] && !is_of_series(set, event);
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
			    "freed; the notes before say why");
	if (!event_set_count(set))
		return fail(EXIT_KERNEL, "this kernel cannot show any of the events; the notes "
			    "before say why");
	return 0;
}

/* The field that the event lacks for one of the filters. NULL if every filter can match. */
static const char *cannot_match(const struct selection *want, const struct event *event)
{
	if (want->dev && !event_has_dev(event))
		return "dev or provider";
	if (want->client && !event_has_client(event))
		return "client";
	return want->min_size && !event_field(event, "size") ? "size" : NULL;
}

int select_events(const struct selection *want, bool by_name, struct event_set *set)
{
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		const char *lacks = cannot_match(want, &events[i]);

		if (!set->has[i] || !lacks)
			continue;
		if (by_name)
			return fail(EXIT_USAGE, "%s has no field %s, but a filter needs it; leave "
				    "out the event or the filter", events[i].name, lacks);
		set->has[i] = false;
	}
	if (!event_set_count(set))
		return fail(EXIT_USAGE, "no event matches all of these filters; leave out one of "
			    "them");
	return 0;
}

/* Of all events. */
static void note_not_passing(const struct event_set *passing)
{
	char names[1024] = "";
	size_t used = 0;

	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		if (!passing->has[i])
			used += snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? ", " : "", events[i].name);
	if (used)
		note("leaving out events without a field that a filter needs: %s", names);
}

static int check_names(const struct selection *want)
{
	int rc = 0;

	if (want->dev)
		rc = dev_check_name(want->dev);
	if (!rc && want->client)
		rc = client_check_name(want->client);
	return rc;
}

static int set_filter(const struct selection *want, struct p2ptrace_filter *filter)
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

int select_all(const struct selection *want, const struct select_how *how, struct selected *to)
{
	bool all = !event_set_count(&to->set);
	struct kernel kernel = {};
	struct hooks hooks;
	int rc;

	if (all)
		memset(to->set.has, true, sizeof(to->set.has));
	/* Usage errors on any machine, then missing privileges, then errors on this machine */
	rc = all || how->by_name ? select_events(want, how->by_name, &to->set) : 0;
	to->passing = to->set;
	if (!rc)
		rc = check_names(want);
	if (!rc)
		rc = event_set_is_of_dmabufs(&to->set) ? kernel_open_any(&kernel, VMLINUX_BTF) :
							 kernel_open(&kernel, VMLINUX_BTF);
	if (!rc && !how->only_lists)
		rc = kernel_check_privileges(&kernel);
	if (!rc)
		rc = set_filter(want, &to->filter);
	if (!rc) {
		hooks_open(&hooks, kernel_btf(&kernel), &hook_files,
			   kernel.support != KERNEL_TRACEPOINTS);
		rc = select_hooks(&kernel, &hooks, how->by_name, &to->set);
	}
	if (!rc && how->groups)
		rc = select_groups(&to->set, &to->passing, how->needed);
	if (!rc && all)
		note_not_passing(&to->passing);
	to->passing.stock = to->set.stock;
	if (!rc && enums_load(&to->enums, kernel_btf(&kernel)))
		rc = fail(EXIT_OTHER, "out of memory");
	kernel_close(&kernel);
	return rc;
}
