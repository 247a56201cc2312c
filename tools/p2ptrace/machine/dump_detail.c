// SPDX-License-Identifier: GPL-2.0
/*
 * What lspci's lines say about a function. Lines may be cut anywhere. A value counts only if what
 * follows it in lspci's output shows that it is whole.
 */
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "lib/text.h"
#include "lib/units.h"
#include "machine/dump.h"
#include "machine/dump_lspci.h"

#define ACS_NAME "Access Control Services"

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* What follows @prefix, NULL if the line begins otherwise. */
static const char *behind(const char *line, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(line, prefix, len) ? NULL : skip_blanks(line + len);
}

/* What follows the first @key within the line. */
static const char *value_of(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? skip_blanks(at + strlen(key)) : NULL;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : INT_MAX;
}

/* Digits only. Sets *end to what follows. False if there are none, or too many. */
static bool number(const char *s, int base, uint64_t *value, const char **end)
{
	const char *begin = s;

	*value = 0;
	for (; digit(*s) < base; s++)
		if (__builtin_mul_overflow(*value, (uint64_t)base, value) ||
		    __builtin_add_overflow(*value, (uint64_t)digit(*s), value))
			return false;
	*end = s;
	return s > begin;
}

/* A decimal number that ends before one of @ends, or at the end of the line unless that is cut. */
static int decimal(const char *s, const char *ends, bool cut)
{
	uint64_t value;
	const char *end;

	if (!s || !number(s, 10, &value, &end) || value > INT_MAX)
		return UNKNOWN;
	if (*end ? !strchr(ends, *end) : cut)
		return UNKNOWN;
	return value;
}

static int hex(const char *s, size_t digits, const char **end)
{
	uint64_t value;

	if (!number(s, 16, &value, end) || (size_t)(*end - s) != digits)
		return UNKNOWN;
	return value;
}

/* A flag such as "ReqRedir+". Returns whether it is there. */
static bool flag(const char *line, const char *name, bool *on)
{
	size_t len = strlen(name);

	for (const char *at = line; (at = strstr(at, name)); at += len) {
		if (at > line && !strchr(" \t:", at[-1]))
			continue;
		if (at[len] != '+' && at[len] != '-')
			continue;
		*on = at[len] == '+';
		return true;
	}
	return false;
}

void block_init(struct block *block, const char *name)
{
	memset(block, 0, offsetof(struct block, bytes));
	block->len = 0;
	block->gap = false;
	function_init(&block->function, name);
	block->shown.sriov = (struct sriov){
		.nr = UNKNOWN, .offset = UNKNOWN, .stride = UNKNOWN, .device = UNKNOWN,
	};
}

/* The number in brackets at the end of the text, such as [0604]; *len becomes what is before it. */
static int bracketed_class(const char *text, size_t *len)
{
	const char *end, *at;
	int value;

	if (*len < 7 || text[*len - 1] != ']')
		return UNKNOWN;
	at = text + *len - 6;
	if (at[0] != '[' || at[-1] != ' ')
		return UNKNOWN;
	value = hex(at + 1, 4, &end);
	if (value != UNKNOWN)
		*len -= 7;
	return value;
}

static void parse_class(struct block *block, const char *text, size_t len)
{
	const char *end;
	int class = bracketed_class(text, &len);

	if (class == UNKNOWN && len == 4)
		class = hex(text, 4, &end);
	if (class == UNKNOWN && len == 10 && !strncmp(text, "Class ", 6))
		class = hex(text + 6, 4, &end);
	block->class = class != UNKNOWN;
	if (class == UNKNOWN)
		class = class_of_text(text, len);
	if (class != UNKNOWN)
		block->function.class = class << 8;
}

/* "8086:a110" */
static bool parse_ids(struct block *block, const char *s, const char **end)
{
	int vendor = hex(s, 4, end), device;

	if (vendor == UNKNOWN || **end != ':')
		return false;
	device = hex(*end + 1, 4, end);
	if (device == UNKNOWN)
		return false;
	block->function.vendor = vendor;
	block->function.device = device;
	block->ids = true;
	return true;
}

/* "Intel Corporation Device [8086:a110]"; returns the length of the name. */
static size_t parse_name(struct block *block, const char *name, size_t len)
{
	const char *end;

	if (parse_ids(block, name, &end) && end == name + len)
		return 0;
	block->ids = false;
	if (len < 11 || name[len - 1] != ']' || name[len - 11] != '[' ||
	    !parse_ids(block, name + len - 10, &end))
		return len;
	len -= 11;
	while (len && name[len - 1] == ' ')
		len--;
	return len;
}

void block_parse_title(struct block *block, const char *text)
{
	struct function *function = &block->function;
	const char *name = strstr(text, ": "), *revision, *interface, *end;
	size_t len;

	if (!name)
		return;
	parse_class(block, text, name - text);
	name = skip_blanks(name + 1);
	len = strlen(name);
	interface = strstr(name, " (prog-if ");
	if (interface) {
		int value = hex(interface + strlen(" (prog-if "), 2, &end);

		if (value != UNKNOWN && function->class != UNKNOWN && (*end == ' ' || *end == ')'))
			function->class |= value;
		len = interface - name;
	}
	revision = strstr(name, " (rev ");
	if (revision) {
		block->revision_ff = !strncmp(revision, " (rev ff)", 9);
		if ((size_t)(revision - name) < len)
			len = revision - name;
	}
	len = parse_name(block, name, len);
	text_printable(function->title, sizeof(function->title), name, len);
}

/* "[size=16M]"; 0 if it is not there. */
static uint64_t size_of(const char *line)
{
	static const char suffixes[] = "KMGTPE";
	const char *s = value_of(line, "[size="), *suffix, *end;
	unsigned int shift = 0;
	uint64_t size;

	if (!s || !number(s, 10, &size, &end))
		return 0;
	if (*end != ']') {
		suffix = *end ? strchr(suffixes, *end) : NULL;
		if (!suffix || end[1] != ']')
			return 0;
		shift = 10 * (suffix - suffixes + 1);
	}
	return size > UINT64_MAX >> shift ? 0 : size << shift;
}

/* "Region 0: [virtual] Memory at f6000000 (64-bit, non-prefetchable) [disabled] [size=16M]" */
static void parse_region(struct block *block, const char *line)
{
	const char *s = behind(line, "Region "), *at, *end;
	struct bar bar = {};
	uint64_t index;

	if (!number(s, 10, &index, &end) || *end != ':' || index >= NR_BARS) {
		block->no_size = true;
		return;
	}
	at = value_of(line, "Memory at ");
	bar.memory = at != NULL;
	if (!at)
		at = value_of(line, "I/O ports at ");
	bar.size = size_of(line);
	/* Without a size, it is not in use; peers cannot use it anyway */
	if (at && !bar.memory && !bar.size)
		return;
	if (!at || !bar.size || (bar.memory && !strstr(at, "prefetchable)"))) {
		block->no_size = true;
		return;
	}
	bar.assigned = number(at, 16, &bar.start, &end) && bar.start;
	bar.wide = bar.memory && strstr(at, "(64-bit") != NULL;
	bar.prefetchable = bar.memory && !strstr(at, "non-prefetchable");
	if (!bar.assigned)
		bar.start = 0;
	block->function.bars[index] = bar;
}

/* "Bus: primary=00, secondary=01, subordinate=05, sec-latency=0" */
static void parse_buses(struct block *block, const char *line)
{
	const char *s, *end;
	int value;

	block->buses = true;
	s = value_of(line, "secondary=");
	value = s ? hex(s, 2, &end) : UNKNOWN;
	if (value != UNKNOWN)
		block->function.secondary = value;
	s = value_of(line, "subordinate=");
	value = s ? hex(s, 2, &end) : UNKNOWN;
	if (value != UNKNOWN)
		block->function.subordinate = value;
}

/* "de000000-df0fffff [size=17M] [32-bit]", "[disabled]", "None" */
static void parse_window(struct window *window, const char *s, bool cut)
{
	uint64_t first = 1, last = 0;
	const char *end;

	if (*s == '[' || !strncmp(s, "None", 4)) {
		if (*s == '[' && strncmp(s, "[disabled]", 10))
			return;
	} else {
		if (!number(s, 16, &first, &end) || *end != '-' ||
		    !number(end + 1, 16, &last, &end) || (*end ? *end != ' ' : cut))
			return;
		/* A window that the kernel has closed, whatever the registers say */
		if (strstr(end, "[disabled]") && first <= last) {
			first = 1;
			last = 0;
		}
	}
	*window = (struct window){ PRESENT, first, last };
}

static const struct {
	const char *text;
	enum function_type type;
} types[] = {
	{ "Endpoint", TYPE_ENDPOINT },
	{ "Legacy Endpoint", TYPE_LEGACY_ENDPOINT },
	{ "Root Port", TYPE_ROOT_PORT },
	{ "Upstream Port", TYPE_UPSTREAM },
	{ "Downstream Port", TYPE_DOWNSTREAM },
	{ "PCI-Express to PCI/PCI-X Bridge", TYPE_TO_PCI },
	{ "PCI/PCI-X to PCI-Express Bridge", TYPE_FROM_PCI },
	{ "Root Complex Integrated Endpoint", TYPE_RC_ENDPOINT },
	{ "Root Complex Event Collector", TYPE_RC_EVENT_COLLECTOR },
};

/* "Express (v2) Root Port (Slot+), MSI 00"; lspci -v has no version */
static void parse_express(struct block *block, const char *s)
{
	block->shown.express = true;
	if (*s == '(') {
		s += strcspn(s, ")");
		s = *s ? skip_blanks(s + 1) : s;
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (behind(s, types[i].text))
			block->function.type = types[i].type;
}

/* "Capabilities: [148 v1] Access Control Services" */
static void parse_capability(struct block *block, const char *s)
{
	struct shown *shown = &block->shown;
	const char *end, *express;
	uint64_t offset;

	shown->capabilities = true;
	block->capability = CAP_OTHER;
	if (strstr(s, "access denied")) {
		shown->denied = true;
		return;
	}
	if (*s != '[' || !number(s + 1, 16, &offset, &end) || !strchr("] ", *end) ||
	    !(s = strchr(end, ']'))) {
		block->missing = true;
		return;
	}
	shown->extended |= offset >= 0x100;
	s = skip_blanks(s + 1);
	if (*s == '<')
		block->missing = true;
	express = behind(s, "Express");
	if (express) {
		block->capability = CAP_EXPRESS;
		parse_express(block, express);
	} else if (behind(s, ACS_NAME)) {
		block->capability = CAP_ACS;
		shown->acs = true;
	} else if (behind(s, "Physical Resizable BAR") || behind(s, "Resizable BAR")) {
		block->capability = CAP_RESIZABLE;
		shown->resizable = true;
	} else if (behind(s, "Single Root I/O Virtualization")) {
		block->capability = CAP_SRIOV;
	}
	/* Which one it is may be cut off: this one, as far as the line shows */
	if (strlen(s) < strlen(ACS_NAME) && !strncmp(ACS_NAME, s, strlen(s)))
		block->missing = true;
}

/* "Speed 8GT/s", "Speed 2.5GT/s"; in MT/s, 0 if it is unknown */
static unsigned int speed(const char *line)
{
	const char *s = value_of(line, "Speed "), *end;
	uint64_t whole, tenth = 0;

	if (!s || !number(s, 10, &whole, &end) || whole > 1000)
		return 0;
	if (*end == '.' && (!number(end + 1, 10, &tenth, &end) || tenth > 9))
		return 0;
	return strncmp(end, "GT/s", 4) ? 0 : whole * 1000 + tenth * 100;
}

static unsigned int width(const char *line, const char *ends, bool cut)
{
	const char *s = value_of(line, "Width x");
	int lanes = decimal(s, ends, cut);

	return lanes > 0 && lanes <= 64 ? lanes : 0;
}

static void parse_link(struct block *block, const char *line, bool cut)
{
	struct link *link = &block->function.link;

	if (behind(line, "LnkCap:")) {
		link->max_speed = speed(line);
		/* ASPM always follows */
		link->max_width = width(line, ",", true);
	} else if (behind(line, "LnkSta:")) {
		link->speed = speed(line);
		link->width = width(line, ", (", cut);
	}
}

/* All flags of the register, in the order of its bits. */
static bool acs_flags(const char *line, uint16_t *bits)
{
	static const char *const names[] = {
		"SrcValid", "TransBlk", "ReqRedir", "CmpltRedir", "UpstreamFwd", "EgressCtrl",
		"DirectTrans",
	};

	*bits = 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool on;

		if (!flag(line, names[i], &on))
			return false;
		*bits |= on << i;
	}
	return true;
}

/* "256MB"; bit n of @sizes is 2^n MiB */
static void add_size(uint64_t *sizes, const char *s, size_t len)
{
	static const char *const units[] = { "MB", "GB", "TB", "PB", "EB" };
	const char *end;
	uint64_t value;

	if (!number(s, 10, &value, &end) || !value || (value & (value - 1)))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		unsigned int bit = __builtin_ctzll(value) + 10 * i;

		if ((size_t)(end - s) + 2 == len && !strncmp(end, units[i], 2) && bit < 64)
			*sizes |= 1ull << bit;
	}
}

/* "BAR 0: current size: 256MB, supported: 64MB 128MB 256MB" */
static void parse_resizable(struct block *block, const char *line, bool cut)
{
	const char *s = behind(line, "BAR "), *supported = value_of(line, "supported:"), *end;
	uint64_t index, sizes = 0;

	if (cut || !supported || !number(s, 10, &index, &end) || *end != ':' || index >= NR_BARS)
		return;
	for (s = supported; *s; s = skip_blanks(s + strcspn(s, " \t")))
		add_size(&sizes, s, strcspn(s, " \t"));
	block->function.bars[index].resizable = PRESENT;
	block->function.bars[index].sizes = sizes;
}

static void parse_sriov(struct block *block, const char *line)
{
	struct sriov *sriov = &block->shown.sriov;
	const char *end, *s;
	bool on;

	if (behind(line, "IOVCtl:") && flag(line, "Enable", &on))
		sriov->enabled = on;
	s = value_of(line, "Number of VFs:");
	if (s)
		sriov->nr = decimal(s, ",", true);
	s = behind(line, "VF offset:");
	if (!s)
		return;
	sriov->offset = decimal(s, ",", true);
	sriov->stride = decimal(value_of(line, "stride:"), ",", true);
	s = value_of(line, "Device ID:");
	sriov->device = s ? hex(s, 4, &end) : UNKNOWN;
}

static void parse_driver(struct block *block, const char *s, bool cut)
{
	size_t len = strcspn(s, " \t,");

	block->end = block->shown.driver = true;
	if (len && !(cut && !s[len]))
		text_whole_word(block->function.driver, sizeof(block->function.driver), s, len);
}

/* Lines that come before the capabilities. */
static void parse_head(struct block *block, const char *line, bool cut)
{
	struct function *function = &block->function;
	const char *s;

	if (behind(line, "Control:")) {
		block->shown.detailed = true;
	} else if (behind(line, "Status:")) {
		flag(line, "Cap", &block->has_list);
	} else if ((s = behind(line, "Flags:"))) {
		block->shown.brief = true;
		function->numa_node = decimal(value_of(s, "NUMA node "), ",", cut);
		function->iommu_group = decimal(value_of(s, "IOMMU group "), ",", cut);
	} else if ((s = behind(line, "NUMA node:"))) {
		function->numa_node = decimal(s, "", cut);
	} else if ((s = behind(line, "IOMMU group:"))) {
		function->iommu_group = decimal(s, "", cut);
	} else if (behind(line, "Region ")) {
		parse_region(block, line);
	} else if (behind(line, "Bus:")) {
		parse_buses(block, line);
	} else if ((s = behind(line, "Memory behind bridge:"))) {
		parse_window(&function->window, s, cut);
	} else if ((s = behind(line, "Prefetchable memory behind bridge:"))) {
		parse_window(&function->prefetchable_window, s, cut);
	} else if ((s = behind(line, "!!! Unknown header type "))) {
		block->shown.all_ones = !strncmp(s, "7f", 2);
	}
}

static void parse_capability_line(struct block *block, const char *line, bool cut)
{
	switch (block->capability) {
	case CAP_EXPRESS:
		parse_link(block, line, cut);
		break;
	case CAP_RESIZABLE:
		if (behind(line, "BAR "))
			parse_resizable(block, line, cut);
		break;
	case CAP_SRIOV:
		parse_sriov(block, line);
		break;
	default:
		break;
	}
}

void block_parse_detail(struct block *block, const char *line, bool cut)
{
	struct acs *acs = &block->function.acs;
	const char *s;

	if ((s = behind(line, "Capabilities:")))
		parse_capability(block, s);
	else if ((s = behind(line, "Kernel driver in use:")))
		parse_driver(block, s, cut);
	else if (behind(line, "Kernel modules:"))
		block->end = true;
	/* These also where somebody has picked the lines with ACS */
	else if (behind(line, "ACSCap:"))
		block->acs_cap = acs_flags(line, &acs->cap);
	else if (behind(line, "ACSCtl:"))
		block->acs_ctrl = acs_flags(line, &acs->ctrl);
	else if (block->shown.capabilities)
		parse_capability_line(block, line, cut);
	else
		parse_head(block, line, cut);
}

bool is_detail(const char *line)
{
	static const char *const starts[] = {
		"!!! ", "10BitTagReq", "16-bit legacy", "<access denied", "ACSCap:", "ACSCtl:",
		"AERCap:", "ARICap:", "ARICtl:", "ATSCap:", "ATSCtl:", "Address:",
		"AtomicOpsCap:", "AtomicOpsCtl:", "BAR ", "BAR=", "BIST ", "BridgeCtl:", "Bus:",
		"CEMsk:", "CESta:", "Capabilities:", "Control:", "DevCap:", "DevCap2:",
		"DevCtl:", "DevCtl2:", "DevSta:", "Device tree node:", "DeviceName:",
		"EqualizationPhase2", "ErrorSrc:", "Expansion ROM at", "ExtTag", "Flags:",
		"HeaderLog:", "I/O behind bridge:", "I/O ports at", "I/O window", "IDOReq",
		"IOMMU group:", "IOVCap:", "IOVCtl:", "IOVSta:", "Initial VFs:", "Interrupt:",
		"Interrupts:", "Kernel driver in use:", "Kernel modules:", "L1SubCap:",
		"L1SubCtl1:", "L1SubCtl2:", "LaneErrStat:", "Latency:", "LnkCap:", "LnkCap2:",
		"LnkCtl:", "LnkCtl2:", "LnkCtl3:", "LnkSta:", "LnkSta2:", "Masking:",
		"MaxPayload ", "Memory at", "Memory behind bridge:", "Memory window",
		"NUMA node:", "PASIDCap:", "PASIDCtl:", "PBA:", "Physical Slot:",
		"Prefetchable memory behind bridge:", "PRICtl:", "PRISta:", "Region ",
		"RootCap:", "RootCmd:", "RootCtl:", "RootSta:", "Secondary status:", "SltCap:",
		"SltCtl:", "SltSta:", "Status:", "Subsystem:", "Supported Page Size:", "UEMsk:",
		"UESta:", "UESvrt:", "VF Migration:", "VF offset:", "Vector table:", "[virtual]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (!strncmp(line, starts[i], strlen(starts[i])))
			return true;
	return false;
}
