// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "devices.h"
#include "kernel.h"
#include "log.h"
#include "select.h"

int select_available(const struct kernel *kernel, bool by_name, struct event_set *set)
{
	bool no_nvmet = false;

	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		const char *name = events[i].name;
		bool nvmet = !strncmp(name, "nvmet_", strlen("nvmet_"));

		if (!set->has[i] || btf_has_event(kernel_btf(kernel), name))
			continue;
		if (by_name)
			return fail(EXIT_KERNEL, "this kernel does not have %s; %s", name,
				    nvmet ? "load its module first: modprobe nvmet" : "boot one with the whole series");
		set->has[i] = false;
		if (nvmet)
			no_nvmet = true;
		else
			note("this kernel does not have %s, going on without it", name);
	}
	if (no_nvmet)
		note("nvmet events are not available, going on without them; 'modprobe nvmet' first if you want them");
	return 0;
}

/* What the event lacks that an option compares; NULL if all can match. */
static const char *cannot_match(const struct common_options *o, const struct event *event, const char **option)
{
	if (o->dev && !event_has_dev(event)) {
		*option = "dev";
		return "dev or provider";
	}
	if (o->client && !event_has_client(event)) {
		*option = "client";
		return "client";
	}
	if (o->min_size && !event_field(event, "size")) {
		*option = "min-size";
		return "size";
	}
	return NULL;
}

int select_events(const struct common_options *o, bool by_name, struct event_set *set)
{
	if (!by_name)
		for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
			set->has[i] = true;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		const char *option, *lacks = cannot_match(o, &events[i], &option);

		if (!set->has[i] || !lacks)
			continue;
		if (by_name)
			return fail(EXIT_USAGE, "%s has no %s, so --%s would let none pass; leave one of them out",
				    events[i].name, lacks, option);
		set->has[i] = false;
	}
	return 0;
}

void select_show_left_out(const struct common_options *o, const struct event_set *set)
{
	char names[1024] = "";
	size_t used = 0;

	if (!o->dev && !o->client && !o->min_size)
		return;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		if (!set->has[i])
			used += snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "", events[i].name);
	if (used)
		note("events that %s%s%s%s%s cannot match are left out: %s", o->dev ? "--dev" : "",
		     o->dev && o->client ? " or " : "", o->client ? "--client" : "",
		     o->min_size ? o->dev || o->client ? " or " : "" : "", o->min_size ? "--min-size" : "", names);
}

int select_check_names(const struct common_options *o)
{
	int rc = 0;

	if (o->dev)
		rc = dev_check_name(o->dev);
	if (!rc && o->client)
		rc = client_check_name(o->client);
	return rc;
}

int select_devices(const struct common_options *o, struct p2ptrace_filter *filter)
{
	int rc = 0;

	filter->pid = o->pid;
	filter->min_size = o->min_size;
	if (o->comm)
		strncpy(filter->comm.s, o->comm, sizeof(filter->comm.s) - 1);
	if (o->dev)
		rc = filter_set_dev(filter, SYSFS, o->dev);
	if (!rc && o->client)
		rc = filter_set_client(filter, SYSFS, o->client);
	return rc;
}

int select_all(const struct common_options *o, struct event_set *set, struct p2ptrace_filter *filter)
{
	struct kernel kernel = {};
	int rc = select_check_names(o);

	if (!rc)
		rc = kernel_open(&kernel, VMLINUX_BTF);
	if (!rc)
		rc = kernel_check_privileges();
	if (!rc)
		rc = select_devices(o, filter);
	if (!rc)
		rc = select_available(&kernel, true, set);
	kernel_close(&kernel);
	return rc;
}
