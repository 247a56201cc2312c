// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <string.h>

#include <pci/pci.h>

#include "lib/units.h"
#include "machine/config.h"
#include "machine/machine.h"

/* How much of config space every user may read, and how much a conventional function has */
#define HEAD		64
#define CONVENTIONAL	256
#define EXTENDED	4096

#define CAP_LIST_LONGEST	48
#define EXT_CAP_LIST_LONGEST	((EXTENDED - CONVENTIONAL) / 8)

struct bytes {
	const uint8_t *at;
	size_t len;
};

static bool has(const struct bytes *bytes, size_t offset, size_t len)
{
	return offset <= bytes->len && len <= bytes->len - offset;
}

/* The caller has tested that the bytes are there. */
static uint16_t word(const struct bytes *bytes, size_t offset)
{
	return bytes->at[offset] | bytes->at[offset + 1] << 8;
}

static uint32_t dword(const struct bytes *bytes, size_t offset)
{
	return word(bytes, offset) | (uint32_t)word(bytes, offset + 2) << 16;
}

static bool all_ones(const struct bytes *bytes)
{
	for (size_t i = 0; i < bytes->len; i++)
		if (bytes->at[i] != 0xff)
			return false;
	return true;
}

/*
 * The offset of a capability, as the kernel finds it. PRESENCE_UNKNOWN if the list leads to bytes
 * that are not there.
 */
static enum presence find_cap(const struct bytes *bytes, unsigned int id, size_t *offset)
{
	size_t at = PCI_CAPABILITY_LIST;

	if (!has(bytes, PCI_HEADER_TYPE, 1))
		return PRESENCE_UNKNOWN;
	if (!(word(bytes, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return ABSENT;
	if ((bytes->at[PCI_HEADER_TYPE] & 0x7f) == PCI_HEADER_TYPE_CARDBUS)
		at = PCI_CB_CAPABILITY_LIST;
	if (!has(bytes, at, 1))
		return PRESENCE_UNKNOWN;
	for (int i = 0; i < CAP_LIST_LONGEST; i++) {
		at = bytes->at[at];
		if (at < HEAD)
			return ABSENT;
		at &= ~3u;
		if (!has(bytes, at, 2))
			return PRESENCE_UNKNOWN;
		if (bytes->at[at] == 0xff)
			return ABSENT;
		if (bytes->at[at] == id) {
			*offset = at;
			return PRESENT;
		}
		at++;
	}
	return ABSENT;
}

/* Whether the bytes reach beyond the conventional part, and can be read there. */
static bool is_extended(const struct bytes *bytes)
{
	return has(bytes, CONVENTIONAL, 4) && dword(bytes, CONVENTIONAL) != UINT32_MAX;
}

/*
 * Likewise for an extended capability. A function without PCI Express ends after the conventional
 * part, so it has none.
 */
static enum presence find_ext_cap(const struct bytes *bytes, unsigned int id, bool express,
				  size_t *offset)
{
	size_t at = CONVENTIONAL;

	if (!is_extended(bytes))
		return express ? PRESENCE_UNKNOWN : ABSENT;
	for (int i = 0; i < EXT_CAP_LIST_LONGEST; i++) {
		uint32_t header;

		if (!has(bytes, at, 4))
			return PRESENCE_UNKNOWN;
		header = dword(bytes, at);
		if (header && (header & 0xffff) == id) {
			*offset = at;
			return PRESENT;
		}
		at = header >> 20 & 0xffc;
		if (at < CONVENTIONAL)
			return ABSENT;
	}
	return ABSENT;
}

static void parse_ids(struct function *function, const struct bytes *bytes)
{
	/* A virtual function reads ones here; the physical function has its ids */
	if (has(bytes, PCI_VENDOR_ID, 4) && word(bytes, PCI_VENDOR_ID) != 0xffff) {
		function->vendor = word(bytes, PCI_VENDOR_ID);
		function->device = word(bytes, PCI_DEVICE_ID);
	}
	if (has(bytes, PCI_CLASS_REVISION, 4))
		function->class = dword(bytes, PCI_CLASS_REVISION) >> 8;
}

static enum function_type express_type(unsigned int type)
{
	switch (type) {
	case PCI_EXP_TYPE_ENDPOINT:
		return TYPE_ENDPOINT;
	case PCI_EXP_TYPE_LEG_END:
		return TYPE_LEGACY_ENDPOINT;
	case PCI_EXP_TYPE_ROOT_PORT:
		return TYPE_ROOT_PORT;
	case PCI_EXP_TYPE_UPSTREAM:
		return TYPE_UPSTREAM;
	case PCI_EXP_TYPE_DOWNSTREAM:
		return TYPE_DOWNSTREAM;
	case PCI_EXP_TYPE_PCI_BRIDGE:
		return TYPE_TO_PCI;
	case PCI_EXP_TYPE_PCIE_BRIDGE:
		return TYPE_FROM_PCI;
	case PCI_EXP_TYPE_ROOT_INT_EP:
		return TYPE_RC_ENDPOINT;
	case PCI_EXP_TYPE_ROOT_EC:
		return TYPE_RC_EVENT_COLLECTOR;
	default:
		return TYPE_UNKNOWN;
	}
}

/* In MT/s, from the code that the link registers use; 0 for a code that is not defined. */
static unsigned int speed_of(unsigned int code)
{
	static const unsigned int speeds[] = { 0, 2500, 5000, 8000, 16000, 32000, 64000, 128000 };

	return code < ARRAY_SIZE(speeds) ? speeds[code] : 0;
}

/* The registers count from 0 for a link that is not there. */
static void set(unsigned int *to, unsigned int value)
{
	if (value)
		*to = value;
}

static void parse_link(struct link *link, const struct bytes *bytes, size_t express)
{
	unsigned int version = word(bytes, express + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_VERS;

	if (has(bytes, express + PCI_EXP_LNKCAP, 4)) {
		uint32_t cap = dword(bytes, express + PCI_EXP_LNKCAP);

		set(&link->max_speed, speed_of(cap & PCI_EXP_LNKCAP_SPEED));
		set(&link->max_width, (cap & PCI_EXP_LNKCAP_WIDTH) >> 4);
	}
	if (has(bytes, express + PCI_EXP_LNKSTA, 2)) {
		uint16_t status = word(bytes, express + PCI_EXP_LNKSTA);

		set(&link->speed, speed_of(status & PCI_EXP_LNKSTA_SPEED));
		set(&link->width, (status & PCI_EXP_LNKSTA_WIDTH) >> 4);
	}
	if (version >= 2 && has(bytes, express + PCI_EXP_LNKCAP2, 4)) {
		/* Bit n for code n, and bit 0 is reserved */
		uint32_t supported = dword(bytes, express + PCI_EXP_LNKCAP2) & 0xfe;

		if (supported)
			set(&link->max_speed, speed_of(31 - __builtin_clz(supported)));
	}
}

/* Returns whether it is a PCI Express function, as far as the bytes show. */
static enum presence parse_express(struct function *function, const struct bytes *bytes)
{
	size_t express;
	enum presence presence = find_cap(bytes, PCI_CAP_ID_EXP, &express);

	if (presence == ABSENT)
		function->type = TYPE_PCI;
	if (presence != PRESENT || !has(bytes, express + PCI_EXP_FLAGS, 2))
		return presence;
	function->type = express_type((word(bytes, express + PCI_EXP_FLAGS) &
				       PCI_EXP_FLAGS_TYPE) >> 4);
	/* What is integrated into the root complex has no link */
	if (function->type != TYPE_RC_ENDPOINT && function->type != TYPE_RC_EVENT_COLLECTOR)
		parse_link(&function->link, bytes, express);
	return presence;
}

static void parse_acs(struct acs *acs, const struct bytes *bytes, bool express)
{
	size_t at;
	enum presence presence = find_ext_cap(bytes, PCI_EXT_CAP_ID_ACS, express, &at);

	if (presence == PRESENT) {
		if (!has(bytes, at, PCI_ACS_CTRL + 2))
			return;
		acs->cap = word(bytes, at + PCI_ACS_CAP);
		acs->ctrl = word(bytes, at + PCI_ACS_CTRL);
	}
	if (presence != PRESENCE_UNKNOWN)
		acs->presence = presence;
}

/* A BAR as its registers have it: without its size. */
static void parse_bar(struct bar *bar, const struct bytes *bytes, unsigned int index,
		      unsigned int nr_bars)
{
	uint32_t low = dword(bytes, PCI_BASE_ADDRESS_0 + 4 * index);

	if (low & PCI_BASE_ADDRESS_SPACE_IO) {
		bar->start = low & ~3u;
	} else {
		bar->memory = true;
		bar->prefetchable = low & PCI_BASE_ADDRESS_MEM_PREFETCH;
		bar->wide = (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
		bar->start = low & ~15u;
		if (bar->wide && index + 1 < nr_bars)
			bar->start |= (uint64_t)dword(bytes, PCI_BASE_ADDRESS_0 + 4 * index + 4)
				      << 32;
	}
	bar->assigned = bar->start;
}

static void parse_resizable(struct function *function, const struct bytes *bytes, size_t at,
			    unsigned int nr_bars)
{
	/* How many there are is in the first of its control registers */
	unsigned int nr = has(bytes, at + 8, 4) ? dword(bytes, at + 8) >> 5 & 7 : 0;

	for (unsigned int i = 0; i < nr && has(bytes, at + 4 + 8 * i, 8); i++) {
		uint32_t cap = dword(bytes, at + 4 + 8 * i), ctrl = dword(bytes, at + 8 + 8 * i);
		unsigned int index = ctrl & 7;
		struct bar *bar;

		if (index >= nr_bars)
			continue;
		bar = &function->bars[index];
		bar->resizable = PRESENT;
		/* Bits 4 to 31 of the one are 1 MiB to 128 TiB; bits 16 to 31 of the other, more */
		bar->sizes = cap >> 4 | (uint64_t)(ctrl >> 16) << 28;
		if (bar->size)
			continue;
		parse_bar(bar, bytes, index, nr_bars);
		/* 2^43 MiB, 8 EiB, is the largest that the register can mean */
		if ((ctrl >> 8 & 0x3f) <= 43)
			bar->size = 1ull << (20 + (ctrl >> 8 & 0x3f));
	}
}

static void parse_bars(struct function *function, const struct bytes *bytes, bool express,
		       unsigned int nr_bars)
{
	size_t at;
	enum presence presence = find_ext_cap(bytes, PCI_EXT_CAP_ID_REBAR, express, &at);

	if (presence == PRESENCE_UNKNOWN)
		return;
	for (unsigned int i = 0; i < NR_BARS; i++) {
		function->bars[i].resizable = ABSENT;
		function->bars[i].sizes = 0;
	}
	if (presence == PRESENT)
		parse_resizable(function, bytes, at, nr_bars);
}

static void parse_bridge(struct function *function, const struct bytes *bytes)
{
	struct window *window = &function->window;

	if (has(bytes, PCI_SECONDARY_BUS, 2)) {
		function->secondary = bytes->at[PCI_SECONDARY_BUS];
		function->subordinate = bytes->at[PCI_SUBORDINATE_BUS];
	}
	if (has(bytes, PCI_MEMORY_BASE, 4)) {
		window->presence = PRESENT;
		window->first = (uint64_t)(word(bytes, PCI_MEMORY_BASE) & 0xfff0) << 16;
		window->last = (uint64_t)(word(bytes, PCI_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff;
	}
	if (has(bytes, PCI_PREF_MEMORY_BASE, 12)) {
		uint16_t base = word(bytes, PCI_PREF_MEMORY_BASE);
		uint16_t limit = word(bytes, PCI_PREF_MEMORY_LIMIT);

		window = &function->prefetchable_window;
		/* The registers of a bridge that has no such window read 0 */
		window->presence = base || limit ? PRESENT : ABSENT;
		window->first = (uint64_t)(base & 0xfff0) << 16;
		window->last = (uint64_t)(limit & 0xfff0) << 16 | 0xfffff;
		if ((base & PCI_PREF_RANGE_TYPE_MASK) == PCI_PREF_RANGE_TYPE_64) {
			window->first |= (uint64_t)dword(bytes, PCI_PREF_BASE_UPPER32) << 32;
			window->last |= (uint64_t)dword(bytes, PCI_PREF_LIMIT_UPPER32) << 32;
		}
		if (window->presence == ABSENT)
			window->first = window->last = 0;
	}
}

/* How many BARs the header has. */
static unsigned int count_bars(const struct bytes *bytes)
{
	switch (bytes->at[PCI_HEADER_TYPE] & 0x7f) {
	case PCI_HEADER_TYPE_NORMAL:
		return 6;
	case PCI_HEADER_TYPE_BRIDGE:
		return 2;
	case PCI_HEADER_TYPE_CARDBUS:
		return 1;
	default:
		return 0;
	}
}

void config_bars(struct bar *bars, const uint8_t *at, size_t len)
{
	struct bytes bytes = { at, len };
	unsigned int nr;

	memset(bars, 0, NR_BARS * sizeof(*bars));
	if (!has(&bytes, 0, HEAD) || all_ones(&bytes))
		return;
	nr = count_bars(&bytes);
	for (unsigned int i = 0; i < nr; i++) {
		struct bar *bar = &bars[i];

		if (!dword(&bytes, PCI_BASE_ADDRESS_0 + 4 * i))
			continue;
		parse_bar(bar, &bytes, i, nr);
		bar->unsized = true;
		bar->assigned = false;
		bar->start = 0;
		i += bar->wide;
	}
}

/* Returns how many BARs the header has. */
static unsigned int parse_header(struct function *function, const struct bytes *bytes)
{
	if (!has(bytes, PCI_HEADER_TYPE, 1))
		return 0;
	switch (bytes->at[PCI_HEADER_TYPE] & 0x7f) {
	case PCI_HEADER_TYPE_NORMAL:
		function->bridge = ABSENT;
		function->window.presence = ABSENT;
		function->prefetchable_window.presence = ABSENT;
		break;
	case PCI_HEADER_TYPE_BRIDGE:
		function->bridge = PRESENT;
		parse_bridge(function, bytes);
		break;
	case PCI_HEADER_TYPE_CARDBUS:
		function->bridge = PRESENT;
		break;
	default:
		break;
	}
	return count_bars(bytes);
}

void config_parse(struct function *function, const uint8_t *at, size_t len)
{
	struct bytes bytes = { at, len };
	enum presence express;
	unsigned int nr_bars;

	if (!len || all_ones(&bytes)) {
		function->config = len ? CONFIG_ALL_ONES : CONFIG_UNREADABLE;
		return;
	}
	parse_ids(function, &bytes);
	nr_bars = parse_header(function, &bytes);
	express = parse_express(function, &bytes);
	if (len < CONVENTIONAL)
		function->config = CONFIG_HEAD;
	else if (express == ABSENT || (len >= EXTENDED && is_extended(&bytes)))
		function->config = CONFIG_COMPLETE;
	else
		function->config = CONFIG_CONVENTIONAL;
	if (express == PRESENCE_UNKNOWN)
		return;
	parse_acs(&function->acs, &bytes, express == PRESENT);
	parse_bars(function, &bytes, express == PRESENT, nr_bars);
}
