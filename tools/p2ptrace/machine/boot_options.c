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
};

static void visit_last(void *ctx, const char *part)
{
	struct last *last = ctx;

	if (!begins(part, last->name))
		return;
	buffer_reset(&last->value);
	buffer_printf(&last->value, "%s", part + strlen(last->name));
}

static struct last find_last(const struct machine *machine, const char *name)
{
	struct last last = { .name = name };

	for_each_part(machine, visit_last, &last);
	return last;
}

#define DISABLE "disable_acs_redir="

/* An entry of a list of ports, as pci_dev_str_match() takes it. */
struct entry {
	bool valid;
	int function;		/* that it names; NONE if it is not there; UNKNOWN for ids */
};

/* Hexadecimal numbers with a character of @separators after each but the last. */
static bool is_hex_list(const char *s, const char *separators)
{
	for (; *separators; separators++, s++) {
		size_t len = strspn(s, "0123456789abcdefABCDEF");

		if (!len || len > 8)
			return false;
		s += len;
		if (*separators == '$')
			return !*s;
		if (*s != *separators)
			return false;
	}
	return false;
}

/* The function DEV.FN below a bridge. */
static int child_of(const struct machine *machine, int parent, const char *step)
{
	for (size_t i = 0; i < machine->nr; i++) {
		const char *of = strrchr(machine->functions[i].name, ':');
		unsigned int want_slot, want, slot, fn;

		if (machine->functions[i].parent == parent && of &&
		    sscanf(step, "%x.%x", &want_slot, &want) == 2 &&
		    sscanf(of, ":%x.%x", &slot, &fn) == 2 && slot == want_slot && fn == want)
			return i;
	}
	return NONE;
}

/*
 * A PCI name; the PCI name of a bridge followed by "/DEV.FN" for each step below it; or
 * pci:VENDOR:DEVICE, perhaps with :SUBVENDOR:SUBDEVICE.
 */
static struct entry entry_parse(const struct machine *machine, const char *text)
{
	struct entry entry = { .function = UNKNOWN };
	char name[PCI_NAME_LEN], first[PCI_NAME_LEN] = "";
	size_t len = strcspn(text, "/");

	if (begins(text, "pci:")) {
		entry.valid = is_hex_list(text + 4, ":$") || is_hex_list(text + 4, ":::$");
		return entry;
	}
	if (len >= sizeof(first))
		return entry;
	memcpy(first, text, len);
	if (pci_name_parse(first, name, sizeof(name)))
		return entry;
	for (const char *step = strchr(text, '/'); step; step = strchr(step + 1, '/')) {
		char copy[8] = "";

		len = strcspn(step + 1, "/");
		if (len >= sizeof(copy))
			return entry;
		memcpy(copy, step + 1, len);
		if (!is_hex_list(copy, ".$"))
			return entry;
	}
	entry.valid = true;
	entry.function = NONE;
	if (machine_find(machine, name))
		entry.function = machine_index(machine, machine_find(machine, name));
	for (const char *step = strchr(text, '/'); step && entry.function >= 0;
	     step = strchr(step + 1, '/'))
		entry.function = child_of(machine, entry.function, step + 1);
	return entry;
}

static bool contains(const int *list, size_t nr, int value)
{
	for (size_t i = 0; i < nr; i++)
		if (list[i] == value)
			return true;
	return false;
}

/*
 * The text goes to a shell, and may come from a file that is not trusted. An entry that is valid
 * has no character that a shell takes for anything else. The kernel stops at one that is not.
 */
void boot_options_acs(struct buffer *out, const struct machine *machine, const int *ports,
		      size_t nr)
{
	struct last last = find_last(machine, DISABLE);
	char *rest = last.value.data, *text;
	int named[64];
	size_t nr_named = 0, printed = 0;

	out->failed |= last.value.failed;
	while (rest && (text = strsep(&rest, ";"))) {
		struct entry entry = entry_parse(machine, text);

		if (!entry.valid)
			continue;
		buffer_printf(out, "%s%s", printed++ ? ";" : "", text);
		if (entry.function >= 0 && nr_named < ARRAY_SIZE(named))
			named[nr_named++] = entry.function;
	}
	for (size_t i = 0; i < nr; i++)
		if (!contains(named, nr_named, ports[i]))
			buffer_printf(out, "%s%s", printed++ ? ";" : "",
				      machine->functions[ports[i]].name);
	buffer_free(&last.value);
}

/* An element of config_acs: FLAGS@ENTRY. The last character of the flags is bit 0. */
struct config {
	const char *flags;
	size_t len;
	struct entry entry;
	const char *text;	/* of the entry */
};

#define CONFIG "config_acs="
#define ACS_BITS 7

/* The bits that flags switch off; -1 if they are no flags. */
static int flags_off(const char *flags, size_t len)
{
	int off = 0;

	if (!len || len > 16)
		return -1;
	for (size_t bit = 0; bit < len; bit++) {
		char flag = flags[len - 1 - bit];

		if (flag == 'x' || flag == 'X')
			continue;
		if ((flag != '0' && flag != '1') || bit >= ACS_BITS)
			return -1;
		if (flag == '0')
			off |= 1 << bit;
	}
	return off;
}

/* False if the kernel does not take it. */
static bool config_parse(struct config *config, const struct machine *machine, const char *text)
{
	const char *at = strchr(text, '@');

	if (!at || flags_off(text, at - text) < 0)
		return false;
	config->flags = text;
	config->len = at - text;
	config->text = at + 1;
	config->entry = entry_parse(machine, config->text);
	return config->entry.valid;
}

/* The flags, with those that redirect switched off. */
static void print_flags(struct buffer *out, const char *flags, size_t len)
{
	for (size_t bit = len > ACS_BITS ? len : ACS_BITS; bit-- > 0;) {
		char flag = bit < len ? flags[len - 1 - bit] : 'x';

		buffer_printf(out, "%c", bit < ACS_BITS && (ACS_REDIRECTS >> bit & 1) ? '0' : flag);
	}
}

/* The kernel takes the first element that a port matches, so the ports come first. */
void boot_options_config_acs(struct buffer *out, const struct machine *machine, const int *ports,
			     size_t nr)
{
	struct last last = find_last(machine, CONFIG);
	struct config list[64];
	size_t nr_list = 0, printed = 0;
	char *rest = last.value.data, *text;

	out->failed |= last.value.failed;
	while (rest && nr_list < ARRAY_SIZE(list) && (text = strsep(&rest, ";")))
		nr_list += config_parse(&list[nr_list], machine, text);
	for (size_t i = 0; i < nr; i++) {
		const struct config *found = NULL;

		for (size_t k = 0; k < nr_list && !found; k++)
			if (list[k].entry.function == ports[i])
				found = &list[k];
		buffer_printf(out, "%s", printed++ ? ";" : "");
		print_flags(out, found ? found->flags : "", found ? found->len : 0);
		buffer_printf(out, "@%s", machine->functions[ports[i]].name);
	}
	for (size_t k = 0; k < nr_list; k++)
		if (!contains(ports, nr, list[k].entry.function))
			buffer_printf(out, "%s%.*s@%s", printed++ ? ";" : "", (int)list[k].len,
				      list[k].flags, list[k].text);
	buffer_free(&last.value);
}

/* Whether a word of the command line has this name, for which the kernel takes "-" for "_". */
static const char *value_of(const char *word, const char *name)
{
	for (; *name; name++, word++)
		if (*word != *name && !(*name == '_' && *word == '-'))
			return NULL;
	return word;
}

static bool is_true(const char *value)
{
	return *value == '1' || *value == 'y' || *value == 'Y' || !strcmp(value, "on");
}

const char *boot_options_iommu(const struct machine *machine, const char *domain, bool *fits)
{
	bool identity = !strcmp(domain, "identity");
	const char *found = NULL;

	*fits = false;
	for (size_t i = 0; i < machine->nr_options; i++) {
		const char *word = machine->options[i], *value = value_of(word, "iommu=");

		if (value && (!strcmp(value, "pt") || !strcmp(value, "nopt"))) {
			found = word;
			*fits = identity == !strcmp(value, "pt");
		}
		value = value_of(word, "iommu.passthrough=");
		if (value) {
			found = word;
			*fits = identity == is_true(value);
		}
	}
	for (size_t i = 0; i < machine->nr_options && !found && !identity; i++) {
		const char *value = value_of(machine->options[i], "iommu.strict=");

		if (value) {
			found = machine->options[i];
			*fits = is_true(value) == !strcmp(domain, "DMA");
		}
	}
	return found;
}

const char *boot_options_iommu_off(const struct machine *machine)
{
	static const char *const names[] = { "iommu=", "intel_iommu=", "amd_iommu=" };

	for (size_t i = 0; i < machine->nr_options; i++) {
		for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
			const char *value = value_of(machine->options[i], names[n]);

			if (value && !strcmp(value, "off"))
				return machine->options[i];
		}
	}
	return NULL;
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

/* @off: the ACS control bits that the option switches off. */
static void check_entry(const struct check *check, const char *option, const char *text, int off)
{
	struct entry entry = entry_parse(check->machine, text);
	const struct function *function;
	char name[64];

	text_printable(name, sizeof(name), text, strlen(text));
	if (!entry.valid) {
		report(check, "The boot option pci=%s has '%s', which is neither a PCI name such "
		       "as 0000:01:00.0 nor pci:VENDOR:DEVICE; the kernel stops reading the list "
		       "there.", option, name);
		return;
	}
	if (entry.function == NONE)
		report(check, "The boot option pci=%s names %s, which does not exist.", option,
		       name);
	if (entry.function < 0)
		return;
	function = &check->machine->functions[entry.function];
	if (function->acs.presence == PRESENT && (function->acs.ctrl & off & ACS_REDIRECTS))
		report(check, "The boot option pci=%s names %s, but it had no effect: the port "
		       "still redirects peer requests (ACS control 0x%02x). Something may have set "
		       "the bits again, or a later pci=%s replaces this list.", option, name,
		       function->acs.ctrl, option);
	else if (function->acs.presence == ABSENT && (off & ACS_REDIRECTS))
		report(check, "The boot option pci=%s names %s, which has no ACS capability.",
		       option, name);
}

static void check_list(struct check *check, const char *option, const char *list, bool flags)
{
	char *copy = strdup(list), *rest = copy, *text, name[64];

	while (copy && (text = strsep(&rest, ";"))) {
		int off = ACS_REDIRECTS;

		if (!*text)
			continue;
		if (flags) {
			char *at = strchr(text, '@');

			off = at ? flags_off(text, at - text) : -1;
			if (off < 0) {
				text_printable(name, sizeof(name), text, strlen(text));
				report(check, "The boot option pci=%s has '%s', which does not "
				       "begin with flags (at most seven of 0, 1 and x) and @; the "
				       "kernel stops reading the list there.", option, name);
				break;
			}
			text = at + 1;
		}
		check_entry(check, option, text, off);
	}
	free(copy);
}

static void visit_check(void *ctx, const char *part)
{
	struct check *check = ctx;
	const char *at = strchr(part, '@');
	char name[64];

	if (begins(part, DISABLE)) {
		check_list(check, "disable_acs_redir", part + strlen(DISABLE), false);
		check->after_acs = true;
	} else if (begins(part, CONFIG)) {
		check_list(check, "config_acs", part + strlen(CONFIG), true);
		check->after_acs = true;
	} else if (check->after_acs && entry_parse(check->machine, at ? at + 1 : part).valid) {
		text_printable(name, sizeof(name), at ? at + 1 : part, strlen(at ? at + 1 : part));
		report(check, "The boot options have a comma before %s. A comma ends the list of "
		       "ports, so the kernel ignored this one; separate ports by semicolons, "
		       "and quote the option.", name);
	} else {
		check->after_acs = false;
		if (!begins(part, "disable_acs") && !begins(part, "config_acs"))
			return;
		text_printable(name, sizeof(name), part, strcspn(part, "="));
		report(check, "The boot option pci=%s does not exist, so the kernel ignored it; "
		       "write pci=" DISABLE "PORTS or pci=" CONFIG "FLAGS@PORT.", name);
	}
}

/* These only exist as parts of pci=. */
static void check_word(const struct check *check, const char *word)
{
	static const char *const names[] = { DISABLE, CONFIG };

	if (begins(word, "pcie_acs_override="))
		report(check, "The boot option pcie_acs_override= only works with a patch "
		       "that is not in mainline, and changes IOMMU groups, not the path.");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (value_of(word, names[i]))
			report(check, "The boot option %s has no pci= before it, so the kernel "
			       "ignored it; write pci=%s.", names[i], names[i]);
}

void boot_options_check(const struct machine *machine,
			void (*problem)(void *ctx, const char *sentence), void *ctx)
{
	struct check check = { .machine = machine, .problem = problem, .ctx = ctx };

	for_each_part(machine, visit_check, &check);
	for (size_t i = 0; i < machine->nr_options; i++)
		check_word(&check, machine->options[i]);
}
