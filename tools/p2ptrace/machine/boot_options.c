// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "lib/units.h"
#include "machine/boot_options.h"
#include "machine/devices.h"

#define REDIRECTS 0x2c

static bool begins(const char *word, const char *prefix)
{
	return !strncmp(word, prefix, strlen(prefix));
}

/*
 * Calls @visit for each part of each pci= word; commas separate them. The kernel handles quotes
 * before that, so the words have none.
 */
static void for_each_part(const struct machine *machine,
			  void (*visit)(void *ctx, const char *part), void *ctx)
{
	for (size_t i = 0; i < machine->nr_options; i++) {
		char *copy, *rest, *part;

		if (!begins(machine->options[i], "pci="))
			continue;
		copy = strdup(machine->options[i] + strlen("pci="));
		for (rest = copy; (part = strsep(&rest, ","));)
			visit(ctx, part);
		free(copy);
	}
}

/* The value of the last part with this name, because later ones replace earlier ones. */
struct last {
	const char *name;
	struct buffer value;
	bool found;
};

static void visit_last(void *ctx, const char *part)
{
	struct last *last = ctx;

	if (!begins(part, last->name))
		return;
	buffer_reset(&last->value);
	buffer_printf(&last->value, "%s", part + strlen(last->name));
	last->found = true;
}

static struct last find_last(const struct machine *machine, const char *name)
{
	struct last last = { .name = name };

	for_each_part(machine, visit_last, &last);
	return last;
}

#define DISABLE "disable_acs_redir="

/*
 * The function that an entry names: a PCI name, or the PCI name of a bridge followed by "/DEV.FN"
 * for each step below it. NONE if it is not there; UNKNOWN if the entry has another form, such as
 * pci:VENDOR:DEVICE.
 */
static int entry_function(const struct machine *machine, const char *entry)
{
	char *copy, *rest, *step, name[PCI_NAME_LEN];
	const struct function *function;
	int at = UNKNOWN;

	if (begins(entry, "pci:"))
		return UNKNOWN;
	copy = strdup(entry);
	rest = copy;
	step = strsep(&rest, "/");
	if (step && !pci_name_parse(step, name, sizeof(name))) {
		function = machine_find(machine, name);
		at = function ? machine_index(machine, function) : NONE;
	}
	while (at >= 0 && rest && (step = strsep(&rest, "/"))) {
		int parent = at;

		at = NONE;
		for (size_t i = 0; i < machine->nr; i++) {
			unsigned int want_slot, want, slot, fn;
			const char *of = strrchr(machine->functions[i].name, ':');

			if (machine->functions[i].parent == parent && of &&
			    sscanf(step, "%x.%u", &want_slot, &want) == 2 &&
			    sscanf(of, ":%x.%u", &slot, &fn) == 2 && slot == want_slot &&
			    fn == want)
				at = i;
		}
	}
	free(copy);
	return at;
}

void boot_options_acs(struct buffer *out, const struct machine *machine, const int *ports,
		      size_t nr)
{
	struct last last = find_last(machine, DISABLE);
	bool any = last.value.len;

	if (any)
		buffer_printf(out, "%s", last.value.data);
	out->failed |= last.value.failed;
	for (size_t i = 0; i < nr; i++) {
		const char *name = machine->functions[ports[i]].name;

		if (last.value.len && strstr(last.value.data, name))
			continue;
		buffer_printf(out, "%s%s", any ? ";" : "", name);
		any = true;
	}
	buffer_free(&last.value);
}

const char *boot_options_iommu(const struct machine *machine)
{
	static const char *const words[] = {
		"iommu=pt", "iommu=nopt", "iommu=off", "iommu.passthrough=", "iommu.strict=",
		"intel_iommu=", "amd_iommu=",
	};
	const char *found = NULL;

	for (size_t i = 0; i < machine->nr_options; i++)
		for (size_t w = 0; w < ARRAY_SIZE(words); w++)
			if (begins(machine->options[i], words[w]))
				found = machine->options[i];
	return found;
}

struct check {
	const struct machine *machine;
	void (*problem)(void *ctx, const char *sentence);
	void *ctx;
	bool after_acs;		/* the part before was a list of functions */
};

static void report(const struct check *check, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void report(const struct check *check, const char *fmt, ...)
{
	char sentence[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	check->problem(check->ctx, sentence);
}

/* Whether a bit of the ACS control register is forced on or off, by the flags before the "@". */
static bool flags_disable(const char *flags, size_t len)
{
	/* The last character is bit 0 */
	for (size_t bit = 0; bit < len; bit++)
		if ((REDIRECTS >> bit & 1) && flags[len - 1 - bit] == '0')
			return true;
	return false;
}

static void check_effect(const struct check *check, const char *option, const char *entry,
			 bool disables)
{
	int index = entry_function(check->machine, entry);
	const struct function *function;
	char name[64];

	text_printable(name, sizeof(name), entry, strlen(entry));
	if (index == UNKNOWN) {
		if (!begins(entry, "pci:"))
			report(check, "The boot option pci=%s has '%s', which is not a PCI name "
			       "such as 0000:01:00.0; the kernel stops reading the list there.",
			       option, name);
		return;
	}
	if (index == NONE) {
		report(check, "The boot option pci=%s names %s, which does not exist.", option,
		       name);
		return;
	}
	function = &check->machine->functions[index];
	if (disables && function->acs.presence == PRESENT && (function->acs.ctrl & REDIRECTS))
		report(check, "The boot option pci=%s names %s, but it had no effect: the port "
		       "still redirects peer requests (ACS control 0x%02x). Something may have set "
		       "the bits again, or a later pci=%s replaces this list.", option, name,
		       function->acs.ctrl, option);
	else if (disables && function->acs.presence == ABSENT)
		report(check, "The boot option pci=%s names %s, which has no ACS capability.",
		       option, name);
}

static void check_list(struct check *check, const char *option, const char *list, bool flags)
{
	char *copy = strdup(list), *rest = copy, *entry;
	bool disables = !flags;

	while ((entry = strsep(&rest, ";"))) {
		char *at = flags ? strchr(entry, '@') : NULL;

		if (at) {
			disables = flags_disable(entry, at - entry);
			entry = at + 1;
		}
		if (*entry)
			check_effect(check, option, entry, disables);
	}
	free(copy);
}

static void visit_check(void *ctx, const char *part)
{
	struct check *check = ctx;
	char name[PCI_NAME_LEN];
	const char *at = strchr(part, '@');

	if (begins(part, DISABLE)) {
		check_list(check, "disable_acs_redir", part + strlen(DISABLE), false);
		check->after_acs = true;
	} else if (begins(part, "config_acs=")) {
		check_list(check, "config_acs", part + strlen("config_acs="), true);
		check->after_acs = true;
	} else if (check->after_acs && !pci_name_parse(at ? at + 1 : part, name, sizeof(name))) {
		report(check, "The boot options have a comma before %s. A comma ends the list of "
		       "ports, so the kernel ignored this one; separate ports by semicolons, "
		       "and quote the option.", name);
	} else {
		check->after_acs = false;
	}
}

void boot_options_check(const struct machine *machine,
			void (*problem)(void *ctx, const char *sentence), void *ctx)
{
	struct check check = { .machine = machine, .problem = problem, .ctx = ctx };

	for_each_part(machine, visit_check, &check);
	for (size_t i = 0; i < machine->nr_options; i++)
		if (begins(machine->options[i], "pcie_acs_override="))
			report(&check, "The boot option %s only works with a patch that is not in "
			       "mainline, and changes IOMMU groups, not the path.",
			       machine->options[i]);
}
