// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace snapshot: everything that peers reads, as one document for use on another machine.
 */
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/text.h"
#include "machine/live.h"
#include "machine/snapshot.h"

struct options {
	struct common_options common;
	const char *output;
};

static int set_output(void *to, const char *value)
{
	struct options *o = to;

	if (!*value)
		return fail(EXIT_USAGE, "--output '' is empty; give the name of a file");
	/* As for peers --from */
	if (!strcmp(value, "-"))
		return 0;
	return options_set_text("--output", &o->output, value);
}

static const struct arg_option output_options[] = {
	{ "output", 'o', "FILE",
	  "Write to FILE instead of standard output; FILE is replaced as a whole, or not at all",
	  set_output },
	{}
};

static const struct arg_group groups[] = {
	{ "Output", output_options },
	{ "General", options_help },
	{}
};

static const struct args args = {
	.usage = "",
	.summary = "Write what p2ptrace peers reads on this machine into one JSON document, so "
		   "that 'p2ptrace peers --from FILE' gives the same answers elsewhere.",
	.groups = groups,
	.notes = "The document holds PCI functions, their place, ids, capabilities, BARs, drivers "
		 "and IOMMU groups, the kernel's release, the CPU's vendor and family, and the "
		 "options of the kernel command line that concern PCI and the IOMMU. It holds no "
		 "serial numbers, MAC addresses or host names, and nothing else of the command "
		 "line.\n\n"
		 "Run it as root: the kernel shows other users only the first 64 bytes of PCI "
		 "config space, which do not say whether a port redirects peer requests (ACS).\n",
	.exit_status = OPTIONS_EXIT_STATUS,
	.examples = "  p2ptrace snapshot -o machine.json\n"
		    "  p2ptrace snapshot | jq '.kernel, .functions[].name'\n",
};

/* The functions of which the kernel shows less because we are not root. */
static void note_hidden(const struct machine *machine)
{
	size_t hidden = 0;

	for (size_t i = 0; i < machine->nr; i++)
		hidden += machine->functions[i].config == CONFIG_HEAD &&
			  machine->functions[i].type == TYPE_UNKNOWN;
	if (hidden)
		note("the kernel showed only the first 64 bytes of config space of %zu PCI "
		     "function%s, so ACS is unknown; run it as root", hidden, PLURAL(hidden));
}

static int write_snapshot(const struct machine *machine, const struct options *o)
{
	struct buffer document = {};
	int rc;

	if (!o->output) {
		snapshot_write(print_buffer(), machine);
		return 0;
	}
	snapshot_write(&document, machine);
	rc = document.failed ? fail(EXIT_OTHER, "out of memory") :
			       file_replace(o->output, buffer_text(&document), document.len);
	buffer_free(&document);
	return rc;
}

int cmd_snapshot(int argc, char **argv)
{
	const struct live_roots roots = LIVE_ROOTS;
	struct machine machine;
	struct options o = {};
	int rc;

	if (!options_parse(&args, argc, argv, &o.common, &rc))
		return rc;
	machine_init(&machine);
	rc = machine_read_live(&machine, &roots);
	if (!rc) {
		note_hidden(&machine);
		rc = write_snapshot(&machine, &o);
	}
	machine_free(&machine);
	return rc;
}
