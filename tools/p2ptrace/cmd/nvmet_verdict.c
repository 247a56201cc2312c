// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace nvmet: the verdict about a namespace, for one port that exports it and one network card.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/nvmet_verdict.h"
#include "lib/text.h"
#include "machine/decision.h"
#include "machine/findings.h"
#include "machine/sysfs.h"

static void __attribute__((format(printf, 4, 5)))
set_verdict(struct nvmet_verdict *verdict, enum memory memory, const char *cause, const char *fmt,
	    ...)
{
	va_list ap;

	verdict->memory = memory;
	verdict->cause = cause;
	va_start(ap, fmt);
	vsnprintf(verdict->words, sizeof(verdict->words), fmt, ap);
	va_end(ap);
}

/* How NIC and drive reach a provider. */
struct reach {
	const struct function *provider;
	struct pair nic, drive;
};

static enum presence supported(const struct pair *pair)
{
	if (!strcmp(pair_map(pair), MAP_UNKNOWN))
		return PRESENCE_UNKNOWN;
	return map_supported(pair_map(pair)) ? PRESENT : ABSENT;
}

static void reach_find(struct reach *reach, const struct context *context,
		       const struct function *provider, const struct function *nic,
		       const struct function *drive)
{
	const struct machine *machine = context->machine;

	reach->provider = provider;
	pair_set(&reach->nic, machine, &context->release, machine_index(machine, provider),
		 machine_index(machine, nic));
	pair_set(&reach->drive, machine, &context->release, machine_index(machine, provider),
		 machine_index(machine, drive));
}

/* Of several providers that cannot be used: how much it says to name this one. */
static int reach_rank(const struct reach *reach)
{
	if (supported(&reach->nic) != ABSENT && supported(&reach->drive) != ABSENT)
		return 2;
	return supported(&reach->drive) == PRESENT;
}

/* "the NIC reaches it directly, the drive through the host bridge", for two supported pairs */
static void reach_text(const struct reach *reach, char *text, size_t size)
{
	static const char *const ways[] = { "through the host bridge", "directly" };
	bool nic = !strcmp(pair_map(&reach->nic), MAP_BUS_ADDR);
	bool drive = !strcmp(pair_map(&reach->drive), MAP_BUS_ADDR);

	if (reach->drive.provider == reach->drive.client)
		snprintf(text, size, "it is on the drive itself, and the NIC reaches it %s",
			 ways[nic]);
	else if (nic == drive)
		snprintf(text, size, "NIC and drive reach it %s", ways[nic]);
	else
		snprintf(text, size, "the NIC reaches it %s, the drive %s", ways[nic],
			 ways[drive]);
}

/* The provider cannot be used, or it is unknown whether it can. */
static void refuse(struct nvmet_verdict *verdict, const struct reach *reach)
{
	bool drive = supported(&reach->drive) == ABSENT ||
		     (supported(&reach->drive) != PRESENT && supported(&reach->nic) != ABSENT);
	const struct pair *pair = drive ? &reach->drive : &reach->nic;
	bool unknown = supported(pair) != ABSENT;
	const struct reason *reason = reason_find(pair_reason(pair));
	char label[LABEL_LEN];

	function_label(label, sizeof(label), reach->provider);
	set_verdict(verdict, unknown ? MEMORY_UNKNOWN : MEMORY_SYSTEM,
		    unknown ? "path_unknown" : "not_supported", "%sthe %s can%s reach the peer "
		    "memory of %s: %s%s%s", unknown ? "it is not known whether " : "",
		    drive ? "drive" : "NIC", unknown ? "" : "not", label,
		    reason ? reason->words : pair_reason(pair),
		    unknown && reason && reason->find_out ? "; to find out, " : "",
		    unknown && reason && reason->find_out ? reason->find_out : "");
	verdict->by_drive = drive && !unknown;
	snprintf(verdict->next, sizeof(verdict->next), "p2ptrace peers --why %s %s",
		 reach->provider->name, function_of(pair, pair->client)->name);
}

/*
 * Chooses the provider as the kernel does, for @asks other than 0. When the namespace is enabled,
 * only the drive is known: then it is also the @nic.
 */
static void choose(struct nvmet_verdict *verdict, const struct context *context,
		   const struct function *nic, const struct function *drive, const char *asks)
{
	const struct machine *machine = context->machine;
	struct reach best = {}, refused = {}, reach;
	size_t unpublished = 0, equal = 0;
	int nearest = 0, hops;

	for (size_t i = 0; i < machine->nr; i++) {
		const struct function *provider = &machine->functions[i];

		if (provider->pool.presence != PRESENT ||
		    (strcmp(asks, "1") && strcmp(asks, provider->name) &&
		     strcmp(asks, provider->pool.dev)))
			continue;
		if (!provider->pool.published) {
			unpublished++;
			continue;
		}
		reach_find(&reach, context, provider, nic, drive);
		hops = pair_distance(&reach.nic) + pair_distance(&reach.drive);
		if (supported(&reach.nic) != PRESENT || supported(&reach.drive) != PRESENT) {
			if (!refused.provider || reach_rank(&reach) > reach_rank(&refused))
				refused = reach;
		} else if (!best.provider || hops < nearest) {
			best = reach;
			nearest = hops;
			equal = 0;
		} else {
			equal += hops == nearest;
		}
	}
	if (best.provider) {
		char label[LABEL_LEN], text[128];

		function_label(label, sizeof(label), best.provider);
		reach_text(&best, text, sizeof(text));
		verdict->provider = best.provider;
		set_verdict(verdict, MEMORY_PEER, "supported", "peer memory of %s%s: %s", label,
			    equal ? ", or of another provider as near" : "", text);
	} else if (refused.provider) {
		refuse(verdict, &refused);
	} else {
		verdict->by_drive = true;
		set_verdict(verdict, MEMORY_SYSTEM, unpublished ? "not_published" : "no_provider",
			    "%s %s peer memory%s", strcmp(asks, "1") ? asks : "no device",
			    strcmp(asks, "1") ? "does not provide" : "provides",
			    unpublished ? " to others (published is 0)" : "");
		snprintf(verdict->next, sizeof(verdict->next), "p2ptrace peers");
	}
}

/* What happens if the namespace asks for peer memory. */
static void judge_asking(struct nvmet_verdict *verdict, const struct context *context,
			 const struct row *row, const char *asks)
{
	const struct target_drive *drive = &row->ns->drive;
	const struct target_port *port = row->port;
	const struct function *on = machine_find(context->machine, drive->pci);
	const struct function *nic =
		row->nic ? machine_find(context->machine, row->nic->pci) : NULL;

	/* If the kernel has enabled a namespace that asks, the driver of its drive can */
	if (drive->problem || (strcmp(drive->driver, "nvme") &&
			       !(row->ns->enabled && strcmp(row->ns->asks, "0")))) {
		verdict->by_drive = true;
		set_verdict(verdict, MEMORY_SYSTEM, "drive", "%s%s", drive->problem ?:
			    "peer memory is not supported by the driver of the drive: ",
			    drive->problem ? "" : drive->driver);
		return;
	}
	/* As the kernel does when it enables the namespace */
	if (on && !row->ns->enabled) {
		choose(verdict, context, on, on, asks);
		if (verdict->memory != MEMORY_PEER)
			return;
		memset(verdict, 0, sizeof(*verdict));
	}
	if (!port) {
		set_verdict(verdict, MEMORY_NONE, "not_exported", "no port exports the subsystem");
	} else if (strcmp(port->transport, "rdma")) {
		set_verdict(verdict, MEMORY_SYSTEM, "transport",
			    "transport %s does not use peer memory; only rdma does",
			    *port->transport ? port->transport : "(none)");
	} else if (!row->nic && !port->any_address && !*port->interface) {
		set_verdict(verdict, MEMORY_UNKNOWN, "nic",
			    "no network interface has the address %s", port->address);
		snprintf(verdict->next, sizeof(verdict->next), "ip address");
	} else if (!row->nic) {
		set_verdict(verdict, MEMORY_UNKNOWN, "nic", "no RDMA device belongs to %s",
			    port->any_address ? "this machine" : port->interface);
		snprintf(verdict->next, sizeof(verdict->next), "rdma link");
	} else if (!*row->nic->pci) {
		set_verdict(verdict, MEMORY_SYSTEM, "nic",
			    "%s is software, such as soft-RoCE, and copies data with the CPU",
			    row->nic->name);
	} else if (!nic || !on) {
		set_verdict(verdict, MEMORY_UNKNOWN, "gone", "the %s was removed meanwhile",
			    nic ? "drive" : "NIC");
	} else {
		choose(verdict, context, nic, on, asks);
	}
}

/* The directory of the namespace, for commands; false if a shell would not take it as one word. */
static bool namespace_dir(const struct context *context, const struct row *row, char *dir,
			  size_t size)
{
	const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";

	return !sysfs_path(dir, size, "%s/" NVMET_SUBSYSTEMS "/%s/namespaces/%s", context->configfs,
			   row->subsystem->nqn, row->ns->nsid) &&
	       !row->subsystem->nqn[strspn(row->subsystem->nqn, plain)];
}

/* Adds a sentence, which begins with @begin, or with @words if that is empty. */
static void append_sentence(struct nvmet_verdict *verdict, const char *begin, const char *words)
{
	size_t used = strlen(verdict->words);
	char *end = verdict->words + used;

	snprintf(end, sizeof(verdict->words) - used, ". %s%s", begin, words);
	if (strlen(end) > 2)
		end[2] = toupper((unsigned char)end[2]);
}

/* For commands that disable a namespace that is enabled */
#define DISABLE_WARNING								\
	"warning: the commands disable the namespace for a moment. Connected hosts lose " \
	"it, and their I/O to it fails. Stop using it there first"

static void not_asked(struct nvmet_verdict *verdict, const struct context *context,
		      const struct row *row)
{
	static const char *const begins_asking[] = {
		[MEMORY_UNKNOWN] = "whether it could use any is unknown: ",
		[MEMORY_SYSTEM] = "it could not use any: ",
		[MEMORY_PEER] = "it could use ",
		[MEMORY_NONE] = "",
	};
	struct nvmet_verdict asking = *verdict;
	char dir[700];

	set_verdict(verdict, asking.memory == MEMORY_NONE ? MEMORY_NONE : MEMORY_SYSTEM,
		    "not_asked", "the namespace does not ask for peer memory (p2pmem is 0)");
	append_sentence(verdict, begins_asking[asking.memory], asking.words);
	verdict->provider = NULL;
	if (asking.memory != MEMORY_PEER || !namespace_dir(context, row, dir, sizeof(dir)))
		return;
	snprintf(verdict->next, sizeof(verdict->next), "cd %s\n%secho 1 >p2pmem; echo 1 >enable",
		 dir, row->ns->enabled ? "echo 0 >enable; " : "");
	if (row->ns->enabled)
		append_sentence(verdict, "", DISABLE_WARNING);
}

/* The namespace is disabled: the verdict is about what would happen if it was enabled. */
static void not_enabled(struct nvmet_verdict *verdict, const struct context *context,
			const struct row *row, bool asks)
{
	static const char *const begins_enabled[] = {
		[MEMORY_UNKNOWN] = "which memory it would use, once enabled, is unknown: ",
		[MEMORY_SYSTEM] = "once enabled, it would use system memory: ",
		[MEMORY_PEER] = "once enabled, it would use ",
		[MEMORY_NONE] = "",
	};
	struct nvmet_verdict enabled = *verdict;
	bool refused = asks && enabled.by_drive;
	char dir[700];

	set_verdict(verdict, MEMORY_NONE, refused ? enabled.cause : "disabled",
		    "the namespace is disabled");
	append_sentence(verdict, refused ? "it cannot be enabled unless p2pmem is 0: " :
			begins_enabled[enabled.memory], enabled.words);
	verdict->provider = NULL;
	if (!*verdict->next && namespace_dir(context, row, dir, sizeof(dir)))
		snprintf(verdict->next, sizeof(verdict->next), "echo %d >%s/%s",
			 !refused, dir, refused ? "p2pmem" : "enable");
}

/* All controllers are bound to p2pmem devices, for example to @dev. */
static void bound_text(struct nvmet_verdict *verdict, const struct context *context,
		       const struct row *row, const char *dev, size_t bound)
{
	const struct machine *machine = context->machine;
	const struct function *nic = machine_find(machine, row->nic->pci);
	const struct function *drive = machine_find(machine, row->ns->drive.pci);
	char label[LABEL_LEN], text[160] = "";
	struct reach reach;

	snprintf(label, sizeof(label), "%s", dev);
	for (size_t i = 0; i < machine->nr; i++)
		if (!strcmp(machine->functions[i].pool.dev, dev))
			verdict->provider = &machine->functions[i];
	if (verdict->provider)
		function_label(label, sizeof(label), verdict->provider);
	if (verdict->provider && nic && drive) {
		reach_find(&reach, context, verdict->provider, nic, drive);
		if (supported(&reach.nic) == PRESENT && supported(&reach.drive) == PRESENT) {
			strcpy(text, ": ");
			reach_text(&reach, text + 2, sizeof(text) - 2);
		}
	}
	set_verdict(verdict, MEMORY_PEER, "bound", "peer memory of %s is used by %zu "
		    "controller%s%s", label, bound, PLURAL(bound), text);
	*verdict->next = '\0';
}

static const char *removed_text(const struct target_binding *failed)
{
	return strcmp(failed->err, "-ESHUTDOWN") ? "" : ", because the device was removed";
}

/* Some controllers have peer memory, and others do not, for example @failed. */
static void mixture_text(struct nvmet_verdict *verdict, const struct row *row, size_t bound,
			 const struct target_binding *failed)
{
	struct nvmet_verdict predicted = *verdict;

	set_verdict(verdict, MEMORY_UNKNOWN, "not_bound", "%zu of %zu controllers use%s peer "
		    "memory, but the kernel found none for controller %u (%s)%s", bound,
		    row->ns->nr_bindings, bound == 1 ? "s" : "", failed->controller, failed->err,
		    removed_text(failed));
	if (!row->only)
		append_sentence(verdict, "", "which NIC a controller uses is not shown");
	if (predicted.memory == MEMORY_SYSTEM)
		append_sentence(verdict, "the prediction is system memory: ", predicted.words);
	verdict->provider = NULL;
	strcpy(verdict->next, "dmesg | grep nvmet");
}

/*
 * What the kernel has bound overrides what was predicted. The bindings are of all NICs together.
 * If all have failed, a prediction of system memory says why.
 */
static void judge_bindings(struct nvmet_verdict *verdict, const struct context *context,
			   const struct row *row)
{
	const struct target_namespace *ns = row->ns;
	const struct target_binding *failed = NULL;
	const char *dev = NULL;
	size_t bound = 0;

	for (size_t i = 0; i < ns->nr_bindings; i++) {
		if (!strcmp(ns->bindings[i].dev, "-")) {
			failed = &ns->bindings[i];
		} else {
			dev = ns->bindings[i].dev;
			bound++;
		}
	}
	if (!failed && row->only) {
		bound_text(verdict, context, row, dev, bound);
	} else if (failed && bound) {
		mixture_text(verdict, row, bound, failed);
	} else if (failed && verdict->memory != MEMORY_SYSTEM) {
		set_verdict(verdict, MEMORY_SYSTEM, "not_bound", "the kernel found no peer memory "
			    "for %scontroller %u (%s)%s", ns->nr_bindings > 1 ?
			    "any controller, for example " : "", failed->controller, failed->err,
			    removed_text(failed));
		verdict->provider = NULL;
		strcpy(verdict->next, "dmesg | grep nvmet");
	}
}

/* Whether controllers that come this way can be bound. */
static bool has_bindings(const struct row *row)
{
	return row->ns->enabled && row->ns->nr_bindings && row->port &&
	       !strcmp(row->port->transport, "rdma") && !(row->nic && !*row->nic->pci);
}

void nvmet_judge(struct nvmet_verdict *verdict, const struct context *context,
		 const struct row *row)
{
	const struct target_namespace *ns = row->ns;
	bool asks = *ns->asks && strcmp(ns->asks, "0");

	memset(verdict, 0, sizeof(*verdict));
	if (!*ns->asks) {
		set_verdict(verdict, MEMORY_SYSTEM, "kernel",
			    "this kernel was built without peer memory for the NVMe target; boot "
			    "one with CONFIG_PCI_P2PDMA");
		return;
	}
	judge_asking(verdict, context, row, asks ? ns->asks : "1");
	if (!asks)
		not_asked(verdict, context, row);
	else if (has_bindings(row))
		judge_bindings(verdict, context, row);
	else if (ns->enabled && verdict->memory == MEMORY_PEER && ns->shows_bindings)
		strcat(verdict->words, "; no host uses it yet");
	else if (ns->enabled && verdict->memory == MEMORY_PEER)
		strcpy(verdict->next,
		       "p2ptrace trace --event nvmet_p2pmem_use,nvmet_p2pmem_fallback");
	if (!ns->enabled)
		not_enabled(verdict, context, row, asks);
}

void for_each_row(const struct context *context, const struct target_subsystem *subsystem,
		  const struct target_namespace *ns,
		  void (*show)(const struct context *context, const struct row *row))
{
	struct row row = { .subsystem = subsystem, .ns = ns };
	size_t cards = 0;

	for (size_t p = 0; p < subsystem->nr_ports; p++) {
		const struct target_port *port = &context->target->ports[subsystem->ports[p]];

		for (size_t i = 0; i < port->nr_nics; i++)
			cards += *port->nics[i].pci != '\0';
	}
	if (!subsystem->nr_ports)
		show(context, &row);
	for (size_t p = 0; p < subsystem->nr_ports; p++) {
		row.port = &context->target->ports[subsystem->ports[p]];
		row.nic = NULL;
		row.only = false;
		if (!row.port->nr_nics)
			show(context, &row);
		for (size_t i = 0; i < row.port->nr_nics; i++) {
			row.nic = &row.port->nics[i];
			row.only = cards == 1;
			show(context, &row);
		}
	}
}
