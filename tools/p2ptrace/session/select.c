// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "machine/devices.h"
#include "machine/kernel.h"
#include "machine/sysfs.h"
#include "session/select.h"

static bool is_nvmet(const char *name)
{
	return !strncmp(name, "nvmet_", strlen("nvmet_"));
}

static bool is_available(const struct kernel *kernel, int event)
{
	if (kernel->support == KERNEL_TRACEPOINTS)
		return btf_has_tracepoint(kernel_btf(kernel), events[event].name);
	/* Which pages are peer memory is known from a function that later kernels do not have */
	if ((event == P2PTRACE_p2pmem_dma_map || event == P2PTRACE_p2pmem_dma_unmap) &&
	    !btf_has_hook(kernel_btf(kernel), P2PTRACE_STOCK_PAGES))
		return false;
	return stock_hooks[event] && btf_has_hook(kernel_btf(kernel), stock_hooks[event]);
}

/* Of an event that a user has named. */
static int refuse(const struct kernel *kernel, int event)
{
	const char *name = events[event].name;

	if (kernel->support == KERNEL_STOCK && !stock_hooks[event])
		return fail(EXIT_KERNEL, "this kernel is without the p2pmem series, and cannot show %s; boot one that has it", name);
	return fail(EXIT_KERNEL, "this kernel does not have %s; %s", name,
		    is_nvmet(name) ? "load its module first: modprobe nvmet" : "boot one with the whole series");
}

int select_available(const struct kernel *kernel, bool by_name, struct event_set *set)
{
	bool no_nvmet = false;

	set->stock = kernel->support == KERNEL_STOCK;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		if (!set->has[i] || is_available(kernel, i))
			continue;
		if (by_name)
			return refuse(kernel, i);
		set->has[i] = false;
		/* That a stock kernel does not have all is said once, below */
		if (set->stock && !stock_hooks[i])
			continue;
		if (is_nvmet(events[i].name))
			no_nvmet = true;
		else
			note("this kernel does not have %s, going on without it", events[i].name);
	}
	if (no_nvmet)
		note("nvmet events are not available, going on without them; 'modprobe nvmet' first if you want them, and as it is "
		     "a module, be root");
	if (set->stock)
		note("this kernel is without the p2pmem series: devices are named by PCI, buffers by their bus address; it does "
		     "not tell pins, reasons, or what comes and goes (STOCK KERNELS in p2ptrace(8))");
	return 0;
}

/* What the event lacks that an option compares; NULL if all can match. */
static const char *cannot_match(const struct selection *want, const struct event *event, const char **option)
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
			return fail(EXIT_USAGE, "%s has no %s, so --%s would let none pass; leave one of them out",
				    events[i].name, lacks, option);
		set->has[i] = false;
	}
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
			used += snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "", events[i].name);
	if (used)
		note("events that %s%s%s%s%s cannot match are left out: %s", want->dev ? "--dev" : "",
		     want->dev && want->client ? " or " : "", want->client ? "--client" : "",
		     want->min_size ? want->dev || want->client ? " or " : "" : "", want->min_size ? "--min-size" : "", names);
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

int select_all(const struct selection *want, struct event_set *set, struct p2ptrace_filter *filter)
{
	struct kernel kernel = {};
	int rc = select_check_names(want);

	if (!rc)
		rc = kernel_open(&kernel, VMLINUX_BTF);
	if (!rc)
		rc = kernel_check_privileges(&kernel);
	if (!rc)
		rc = select_devices(want, filter);
	/* No stock kernel takes back later what is mapped while it is freed */
	if (!rc && kernel.support == KERNEL_STOCK)
		set->has[P2PTRACE_p2pmem_reclaim] = false;
	if (!rc)
		rc = select_available(&kernel, true, set);
	kernel_close(&kernel);
	return rc;
}
