// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace nvmet: whether the namespaces of the NVMe target use peer memory; if not, why, and the
 * next step.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/nvmet_verdict.h"
#include "cmd/options.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/text.h"
#include "machine/live.h"
#include "machine/sysfs.h"
#include "machine/target.h"

struct options {
	struct common_options common;
};

static const struct arg_group groups[] = {
	{ "Output", options_json },
	{ "General", options_help },
	{}
};

static const struct args args = {
	.usage = "",
	.summary = "For each namespace of the NVMe target and each port that exports it, show the "
		   "network card, the drive, the memory that the namespace asks for and has, and "
		   "whether peer memory is used; if not, why, and what to do.",
	.groups = groups,
	.notes = "\"asks for\" is the p2pmem attribute in configfs: 0 is system memory, 1 is any "
		 "peer memory, and a name is the memory of that device. \"has\" is what hosts that "
		 "are connected use: - is nothing, and ? means that this kernel does not show "
		 "it.\n",
	.exit_status = OPTIONS_EXIT_STATUS,
	.examples = "  p2ptrace nvmet\n"
		    "  p2ptrace nvmet --json\n",
};

/* For programs, and how the text begins. Words about peer memory begin with it themselves. */
static const char *const memory_names[] = { "unknown", "system", "peer", "none" };
static const char *const begins[] = { "unknown: ", "system memory: ", "", "not in use: " };

/* The memory of connected hosts; "?" if the kernel does not show it. */
static const char *has_text(const struct row *row)
{
	const struct target_namespace *ns = row->ns;

	if (!ns->enabled || !*ns->asks || !strcmp(ns->asks, "0") || !row->nic || !*row->nic->pci)
		return "-";
	if (!ns->shows_bindings)
		return "?";
	for (size_t i = 1; i < ns->nr_bindings; i++)
		if (strcmp(ns->bindings[0].dev, ns->bindings[i].dev))
			return "several";
	return ns->nr_bindings ? ns->bindings[0].dev : "-";
}

/*
 * Text
 */

/* Names and paths may have any bytes. */
static const char *printable(const char *text)
{
	static char safe[4096];

	text_printable(safe, sizeof(safe), text, strlen(text));
	return safe;
}

static void text_row(const struct context *context, const struct row *row)
{
	const struct target_drive *drive = &row->ns->drive;
	char nic[2 * PCI_NAME_LEN + 2] = "-", text[1280];
	struct nvmet_verdict verdict;

	if (row->nic)
		snprintf(nic, sizeof(nic), "%s %s", row->nic->name,
			 *row->nic->pci ? row->nic->pci : "-");
	else if (row->port && *row->port->interface)
		snprintf(nic, sizeof(nic), "%s", row->port->interface);
	print("%6s %6s  %-12s  %-12s  %-22s", row->ns->nsid, row->port ? row->port->name : "-",
	      *row->ns->asks ? row->ns->asks : "-", has_text(row), printable(nic));
	print("  %s", printable(*drive->pci ? drive->name : row->ns->path));
	print("%s%s\n", *drive->pci ? " " : "", drive->pci);

	nvmet_judge(&verdict, context, row);
	snprintf(text, sizeof(text), "%s%s.", begins[verdict.memory], verdict.words);
	args_print_item(8, "", printable(text));
	/* Commands are not wrapped, so that they can be pasted */
	for (char *next = verdict.next, *line; *verdict.next && (line = strsep(&next, "\n"));)
		print("%14s%s\n", line == verdict.next ? "Next: " : "", line);
}

static void print_text(const struct context *context)
{
	const struct target *target = context->target;

	for (size_t i = 0; i < target->nr_ports; i++) {
		const struct target_port *port = &target->ports[i];
		const char *transport = *port->transport ? port->transport : "no transport";

		print("port %s: %s", port->name, printable(transport));
		if (*port->address)
			print(" %s", printable(port->address));
		if (*port->service)
			print(" %s", printable(port->service));
		print("\n");
	}
	if (!target->nr_ports)
		print("no ports\n");
	for (size_t i = 0; i < target->nr_subsystems; i++) {
		const struct target_subsystem *subsystem = &target->subsystems[i];

		print("\nsubsystem %s\n", printable(subsystem->nqn));
		if (subsystem->passthru)
			print("        system memory: requests pass through to a controller.\n");
		else if (!subsystem->nr_namespaces)
			print("        It has no namespaces.\n");
		else
			print("%6s %6s  %-12s  %-12s  %-22s  %s\n", "nsid", "port", "asks for",
			      "has", "NIC", "drive");
		for (size_t n = 0; n < subsystem->nr_namespaces; n++)
			for_each_row(context, subsystem, &subsystem->namespaces[n], text_row);
	}
	if (!target->nr_subsystems)
		print("no subsystems\n");
}

/*
 * JSON
 */

static void json_text(const char *key, const char *text)
{
	if (*text)
		json_str(print_buffer(), key, text);
	else
		json_none(print_buffer(), key);
}

static void json_row(const struct context *context, const struct row *row)
{
	struct buffer *out = print_buffer();
	struct nvmet_verdict verdict;

	nvmet_judge(&verdict, context, row);
	json_open(out, NULL, '{');
	json_text("port", row->port ? row->port->name : "");
	json_text("nic", row->nic ? row->nic->name : "");
	json_str(out, "memory", memory_names[verdict.memory]);
	json_str(out, "cause", verdict.cause);
	json_text("provider", verdict.provider ? verdict.provider->name : "");
	json_str(out, "words", verdict.words);
	json_text("next", verdict.next);
	json_close(out, '}');
}

static void json_namespace(const struct context *context, const struct target_subsystem *subsystem,
			   const struct target_namespace *ns)
{
	struct buffer *out = print_buffer();

	json_open(out, NULL, '{');
	json_str(out, "nsid", ns->nsid);
	json_text("device_path", ns->path);
	json_bool(out, "enabled", ns->enabled);
	json_text("p2pmem", ns->asks);
	json_text("drive", ns->drive.name);
	json_text("drive_pci", ns->drive.pci);
	if (ns->shows_bindings)
		json_open(out, "bindings", '[');
	else
		json_none(out, "bindings");
	for (size_t i = 0; i < ns->nr_bindings; i++) {
		const struct target_binding *binding = &ns->bindings[i];

		json_open(out, NULL, '{');
		json_uint(out, "controller", binding->controller);
		json_text("dev", strcmp(binding->dev, "-") ? binding->dev : "");
		json_text("error", strcmp(binding->err, "0") ? binding->err : "");
		json_close(out, '}');
	}
	if (ns->shows_bindings)
		json_close(out, ']');
	json_open(out, "verdicts", '[');
	for_each_row(context, subsystem, ns, json_row);
	json_close(out, ']');
	json_close(out, '}');
}

static void json_port(const struct target_port *port)
{
	struct buffer *out = print_buffer();

	json_open(out, NULL, '{');
	json_str(out, "port", port->name);
	json_text("transport", port->transport);
	json_text("address", port->address);
	json_text("service", port->service);
	json_text("interface", port->interface);
	json_open(out, "nics", '[');
	for (size_t i = 0; i < port->nr_nics; i++) {
		json_open(out, NULL, '{');
		json_str(out, "name", port->nics[i].name);
		json_text("pci", port->nics[i].pci);
		json_close(out, '}');
	}
	json_close(out, ']');
	json_close(out, '}');
}

static void print_json(const struct context *context)
{
	const struct target *target = context->target;
	struct buffer *out = print_buffer();

	json_open(out, NULL, '{');
	json_open(out, "ports", '[');
	for (size_t i = 0; i < target->nr_ports; i++)
		json_port(&target->ports[i]);
	json_close(out, ']');
	json_open(out, "subsystems", '[');
	for (size_t i = 0; i < target->nr_subsystems; i++) {
		const struct target_subsystem *subsystem = &target->subsystems[i];

		json_open(out, NULL, '{');
		json_str(out, "nqn", subsystem->nqn);
		json_bool(out, "passthru", subsystem->passthru);
		json_open(out, "ports", '[');
		for (size_t p = 0; p < subsystem->nr_ports; p++)
			json_str(out, NULL, target->ports[subsystem->ports[p]].name);
		json_close(out, ']');
		json_open(out, "namespaces", '[');
		for (size_t n = 0; n < subsystem->nr_namespaces; n++)
			json_namespace(context, subsystem, &subsystem->namespaces[n]);
		json_close(out, ']');
		json_close(out, '}');
	}
	json_close(out, ']');
	json_close(out, '}');
	print("\n");
}

int cmd_nvmet(int argc, char **argv)
{
	struct options o = {};
	struct target target;
	struct machine machine;
	struct context context = { &machine, {}, &target, CONFIGFS };
	struct ifaddrs *addresses;
	int rc;

	if (!options_parse(&args, argc, argv, &o.common, &rc))
		return rc;
	if (getifaddrs(&addresses))
		return fail(EXIT_OTHER, "cannot list the addresses of this machine: %s",
			    strerror(errno));
	rc = target_read(&target, CONFIGFS, &LIVE_ROOTS, addresses);
	freeifaddrs(addresses);
	machine_init(&machine);
	if (!rc)
		rc = machine_read_live(&machine, &LIVE_ROOTS);
	machine_sort_reported(&machine);
	if (release_parse(machine.kernel, &context.release))
		context.release = (struct release){};
	if (!rc && o.common.json)
		print_json(&context);
	else if (!rc)
		print_text(&context);
	machine_free(&machine);
	target_free(&target);
	return rc;
}
