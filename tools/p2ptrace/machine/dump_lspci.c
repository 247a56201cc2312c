// SPDX-License-Identifier: GPL-2.0
/*
 * The output of lspci, with any of its options for text and hexadecimal dumps, as people paste it:
 * quoted, indented, wrapped, cut, with prose around it, with CR LF. The block of a function begins
 * with a line "ADDRESS CLASS: NAME" and ends with a blank line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/log.h"
#include "lib/units.h"
#include "machine/config.h"
#include "machine/dump.h"
#include "machine/dump_lspci.h"

#define LINE_LEN	1024
/* A mail program does not wrap what has fewer columns. */
#define WRAPPED_COLUMNS	64
#define HEAD		64
#define CONVENTIONAL	256
#define SRIOV_ID	0x10
/* Virtual functions looked for in all */
#define MAX_VIRTUAL	(4 * MAX_FUNCTIONS)

struct address {
	unsigned int domain, routing;	/* bus, device and function as one number */
	size_t index;
};

struct lspci {
	struct machine *machine;
	const char *path;
	struct shown *shown;		/* by the index of the function */
	size_t nr_room;
	struct block block;
	bool open;			/* a block */
	struct buffer pending;		/* the line so far, to which the next one may belong */
	bool title;			/* it is the first of the block */
	size_t last_columns;		/* of the line before this one */
	size_t indent;			/* of the first line of the block, in columns */
	bool indented;			/* the others of the block are indented further */
	bool detailed, brief;		/* any function */
	size_t longest;			/* hexadecimal dump */
};

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t hex_digits(const char *s)
{
	size_t n = 0;

	while (n < 9 && is_hex(s[n]))
		n++;
	return n;
}

/* "0000:01:00.0" or "01:00.0". Returns its length, 0 if it is none. */
static size_t parse_address(const char *line, char *name)
{
	unsigned long domain = 0, bus, device;
	const char *s = line;

	if (hex_digits(s) >= 4 && hex_digits(s) <= 8 && s[hex_digits(s)] == ':') {
		domain = strtoul(s, NULL, 16);
		s += hex_digits(s) + 1;
	}
	if (hex_digits(s) != 2 || s[2] != ':' || hex_digits(s + 3) != 2 || s[5] != '.' ||
	    s[6] < '0' || s[6] > '7')
		return 0;
	bus = strtoul(s, NULL, 16);
	device = strtoul(s + 3, NULL, 16);
	if (device > 31)
		return 0;
	snprintf(name, PCI_NAME_LEN, "%04lx:%02lx:%02lx.%c", domain, bus, device, s[6]);
	return s + 7 - line;
}

static void address_of(struct address *address, const char *name, size_t index)
{
	unsigned int bus, device, function;

	address->index = index;
	if (sscanf(name, "%8x:%2x:%2x.%1x", &address->domain, &bus, &device, &function) == 4)
		address->routing = bus << 8 | device << 3 | function;
}

/* "10: 00 00 ..." Returns the number of bytes, 0 if the line is none of a hexadecimal dump. */
static size_t parse_hex(const char *line, size_t *offset, uint8_t *bytes)
{
	size_t nr = 0, digits = hex_digits(line);

	if (digits < 2 || digits > 4 || line[digits] != ':')
		return 0;
	*offset = strtoul(line, NULL, 16);
	line += digits + 1;
	while (nr < 16 && *line == ' ' && hex_digits(line + 1) == 2) {
		bytes[nr++] = strtoul(line + 1, NULL, 16);
		line += 3;
	}
	/* What follows can only be a number that is cut */
	if (*offset % 16 || strspn(line, " 0123456789abcdef") != strlen(line))
		return 0;
	return nr;
}

/* A line without what mail programs and forums put before it. */
struct line {
	char text[LINE_LEN];
	size_t len, indent;
	bool cut;		/* nothing shows that the line is whole */
};

static const char *skip_quotes(const char *s, const char *end, size_t *indent)
{
	for (*indent = 0; s < end; s++) {
		if (*s == ' ') {
			++*indent;
		} else if (*s == '\t') {
			*indent = (*indent + 8) & ~7u;
		} else if (end - s >= 2 && !memcmp(s, "\xc2\xa0", 2)) {
			++*indent;	/* no-break space */
			s++;
		} else if (*s == '>' || *s == '|') {
			*indent = 0;
			s += s + 1 < end && s[1] == ' ';
		} else if (end - s >= 4 && !memcmp(s, "&gt;", 4)) {
			*indent = 0;
			s += s + 4 < end && s[4] == ' ' ? 4 : 3;
		} else {
			break;
		}
	}
	return s;
}

/* Sets *next to the line after this one. */
static void read_line(struct line *line, const char *s, const char *end, const char **next)
{
	const char *eol = memchr(s, '\n', end - s);

	line->cut = !eol;
	*next = eol ? eol + 1 : end;
	if (!eol)
		eol = end;
	while (eol > s && (eol[-1] == '\r' || eol[-1] == ' ' || eol[-1] == '\t'))
		eol--;
	s = skip_quotes(s, eol, &line->indent);
	line->len = eol - s;
	if (line->len >= LINE_LEN) {
		line->len = LINE_LEN - 1;
		line->cut = true;
	}
	for (size_t i = 0; i < line->len; i++)
		line->text[i] = (unsigned char)s[i] < ' ' || s[i] == 0x7f ? ' ' : s[i];
	line->text[line->len] = '\0';
}

/* The first line of a function, with a class that lspci prints, or followed by details. */
static bool is_title(const struct line *line, const char *next, const char *end, char *name)
{
	size_t len = parse_address(line->text, name), offset;
	const char *class = line->text + len + 1, *colon;
	uint8_t bytes[16];
	struct line below;

	if (!len || line->text[len] != ' ')
		return false;
	colon = strstr(class, ": ");
	if (!colon)
		return false;
	if (class_of_text(class, colon - class) != UNKNOWN ||
	    (colon - class == 4 && hex_digits(class) == 4) ||
	    (colon - class >= 7 && colon[-6] == '[' && hex_digits(colon - 5) == 4 &&
	     colon[-1] == ']'))
		return true;
	read_line(&below, next, end, &next);
	return is_detail(below.text) || parse_hex(below.text, &offset, bytes);
}

/* "[...]", "<snip>": somebody has left lines out. */
static bool is_omission(const char *line)
{
	static const char *const marks[] = {
		"...", "[...", "(...", "[snip", "<snip", "(snip", "[cut", "<cut", "--More--",
		"\xe2\x80\xa6",
	};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (!strncmp(line, marks[i], strlen(marks[i])))
			return true;
	return false;
}

/* What lspci prints on standard error */
static bool is_warning(const char *line)
{
	return !strncmp(line, "lspci: ", 7) || !strncmp(line, "pcilib: ", 8);
}

static void flush(struct lspci *lspci, bool cut)
{
	const char *line = buffer_text(&lspci->pending);
	char name[PCI_NAME_LEN];

	if (lspci->pending.failed || !lspci->pending.len)
		return;
	if (lspci->title)
		block_parse_title(&lspci->block, line + parse_address(line, name) + 1);
	else
		block_parse_detail(&lspci->block, line, cut);
	lspci->title = false;
	buffer_reset(&lspci->pending);
}

/* What the text says, as far as this block alone shows it. */
static void finish_text(struct block *block)
{
	struct function *function = &block->function;
	struct shown *shown = &block->shown;
	int class = function->class == UNKNOWN ? UNKNOWN : function->class >> 8;

	/* Without details, all ones in the revision are what shows it */
	shown->all_ones |= block->revision_ff && !shown->detailed && !shown->brief && !shown->hex;
	if (block->has_list && !shown->capabilities)
		block->missing = true;
	shown->whole = (shown->whole || block->end) && !block->missing;
	if (block->buses)
		function->bridge = PRESENT;
	else if (shown->detailed && (shown->whole || shown->capabilities) &&
		 class >> 8 != 0x06 && class != UNKNOWN)
		function->bridge = ABSENT;
	else if (class == 0x0604 || class == 0x0607 || class == 0x0609)
		function->bridge = PRESENT;
	else if (class == 0x0600 || class == 0x0601 || (class != UNKNOWN && class >> 8 != 0x06) ||
		 (shown->whole && shown->detailed))
		function->bridge = ABSENT;
	if (function->bridge == ABSENT) {
		function->window.presence = ABSENT;
		function->prefetchable_window.presence = ABSENT;
	}
	if (shown->detailed && !block->no_size && (shown->whole || shown->capabilities))
		function->bars_known = PRESENT;
	if (shown->acs && block->acs_cap && block->acs_ctrl)
		function->acs.presence = PRESENT;
	else
		function->acs.cap = function->acs.ctrl = 0;
}

static uint16_t word(const uint8_t *bytes, size_t offset)
{
	return bytes[offset] | bytes[offset + 1] << 8;
}

static void find_sriov(struct block *block)
{
	const uint8_t *bytes = block->bytes;
	size_t at = CONVENTIONAL;

	for (int i = 0; i < 480 && at >= CONVENTIONAL && at + 0x20 <= block->len; i++) {
		if (word(bytes, at) == SRIOV_ID) {
			block->shown.sriov = (struct sriov){
				.enabled = bytes[at + 8] & 1,
				.nr = word(bytes, at + 0x10),
				.offset = word(bytes, at + 0x14),
				.stride = word(bytes, at + 0x16),
				.device = word(bytes, at + 0x1a),
			};
			return;
		}
		at = word(bytes, at + 2) >> 4 & 0xffc;
	}
}

/* What the bytes say has precedence: the text is made of them. Ids are not: see parse_ids(). */
static void finish_hex(struct block *block)
{
	struct function *function = &block->function;
	int vendor = function->vendor, device = function->device;

	if (block->len < HEAD)
		return;
	config_parse(function, block->bytes, block->len);
	if (block->ids) {
		function->vendor = vendor;
		function->device = device;
	}
	if (function->acs.presence != PRESENT)
		function->acs.cap = function->acs.ctrl = 0;
	if (function->config == CONFIG_ALL_ONES)
		block->shown.all_ones = true;
	else
		find_sriov(block);
}

/* Returns 0, or an exit status. */
static int close_block(struct lspci *lspci, bool whole)
{
	struct machine *machine = lspci->machine;
	struct block *block = &lspci->block;
	struct function *function;

	if (!lspci->open)
		return 0;
	lspci->open = false;
	block->shown.whole |= whole;
	block->shown.hex = block->len > 0;
	finish_text(block);
	finish_hex(block);
	lspci->detailed |= block->shown.detailed;
	lspci->brief |= block->shown.brief;
	if (block->len > lspci->longest)
		lspci->longest = block->len;
	if (machine->nr >= MAX_FUNCTIONS)
		return fail(EXIT_OTHER, "%s shows more than %d functions, the most that p2ptrace "
			    "reads; cut what does not come from lspci", lspci->path,
			    MAX_FUNCTIONS);
	if (machine->nr == lspci->nr_room) {
		size_t room = lspci->nr_room ? 2 * lspci->nr_room : 64;
		struct shown *shown = reallocarray(lspci->shown, room, sizeof(*shown));

		if (!shown)
			return fail(EXIT_OTHER, "out of memory");
		lspci->shown = shown;
		lspci->nr_room = room;
	}
	function = machine_add_function(machine, block->function.name);
	if (!function)
		return fail(EXIT_OTHER, "out of memory");
	*function = block->function;
	lspci->shown[machine->nr - 1] = block->shown;
	return 0;
}

static void add_hex(struct block *block, size_t offset, const uint8_t *bytes, size_t nr)
{
	/* The dump comes after the text, so none of that is missing */
	block->shown.whole = true;
	if (block->gap || offset != block->len || offset + nr > sizeof(block->bytes)) {
		block->gap = true;
		return;
	}
	memcpy(block->bytes + offset, bytes, nr);
	block->len += nr;
	block->gap = nr < 16;
}

static void add_pending(struct lspci *lspci, const struct line *line)
{
	if (lspci->pending.len) {
		if (lspci->pending.len > 2 * LINE_LEN)
			return;
		buffer_add(&lspci->pending, " ", 1);
	}
	buffer_add(&lspci->pending, line->text, line->len);
}

/* Whether the first word of the line would not have fitted on the line before. */
static bool was_wrapped(const struct lspci *lspci, const struct line *line)
{
	return lspci->last_columns + strcspn(line->text, " ") >= WRAPPED_COLUMNS;
}

/* A line of an open block that is neither blank nor the first nor hexadecimal. */
static void read_detail(struct lspci *lspci, const struct line *line)
{
	bool indented = line->indent > lspci->indent;

	lspci->indented |= indented;
	if (is_omission(line->text) || !strncmp(line->text, "```", 3)) {
		flush(lspci, true);
		lspci->block.missing = true;
	} else if (indented || is_detail(line->text)) {
		flush(lspci, false);
		add_pending(lspci, line);
	} else if (!lspci->indented || was_wrapped(lspci, line)) {
		add_pending(lspci, line);
	} else {
		flush(lspci, true);
		lspci->block.missing = true;
	}
}

static int read_text_line(struct lspci *lspci, const struct line *line, const char *next,
			  const char *end)
{
	char name[PCI_NAME_LEN];
	uint8_t bytes[16];
	size_t offset, nr;
	int rc = 0;

	if (is_title(line, next, end, name)) {
		flush(lspci, false);
		rc = close_block(lspci, false);
		block_init(&lspci->block, name);
		lspci->open = lspci->title = true;
		lspci->indent = line->indent;
		lspci->indented = false;
		add_pending(lspci, line);
	} else if (!lspci->open || is_warning(line->text)) {
		return 0;
	} else if (!line->len) {
		flush(lspci, false);
		/* An indentation without a line is not the blank line at the end */
		rc = close_block(lspci, !line->cut);
	} else if ((nr = parse_hex(line->text, &offset, bytes))) {
		flush(lspci, false);
		add_hex(&lspci->block, offset, bytes, nr);
	} else {
		read_detail(lspci, line);
	}
	lspci->last_columns = line->indent + line->len;
	return rc;
}

/* What a whole block does not list cannot be resized, unless this lspci does not list what can. */
static void finish_resizable(struct function *function, const struct shown *shown)
{
	bool listed = !shown->resizable;

	for (int i = 0; i < NR_BARS; i++)
		listed |= function->bars[i].resizable == PRESENT;
	for (int i = 0; listed && i < NR_BARS; i++)
		if (function->bars[i].resizable == PRESENCE_UNKNOWN)
			function->bars[i].resizable = ABSENT;
}

/*
 * Whether a capability is absent can be told only from a whole block. Capabilities beyond the
 * conventional part are missing from all blocks if the kernel does not show them, so some function
 * must have one.
 */
static void finish_function(struct function *function, const struct shown *shown, bool extended)
{
	enum config_state config = CONFIG_MISSING;

	if (shown->all_ones) {
		function->config = CONFIG_ALL_ONES;
		function->acs = (struct acs){};
		return;
	}
	if (shown->denied) {
		config = CONFIG_HEAD;
	} else if (shown->whole && (shown->detailed || shown->brief)) {
		if (!shown->express && function->type == TYPE_UNKNOWN)
			function->type = TYPE_PCI;
		if (!shown->acs && (!shown->express || extended) &&
		    function->acs.presence == PRESENCE_UNKNOWN)
			function->acs.presence = ABSENT;
		if (shown->detailed)
			config = shown->express && !extended ? CONFIG_CONVENTIONAL :
							       CONFIG_COMPLETE;
	}
	if (shown->whole && shown->detailed && !shown->denied && (!shown->express || extended))
		finish_resizable(function, shown);
	if (config > function->config)
		function->config = config;
}

static bool is_readable(const struct function *function)
{
	return (function->config != CONFIG_MISSING && function->config != CONFIG_ALL_ONES) ||
	       function->acs.presence != PRESENCE_UNKNOWN;
}

/* Compares the BARs that have a size in both texts. An unassigned BAR has no address. */
static bool bars_differ(const struct function *a, const struct function *b)
{
	if (a->bars_known != PRESENT || b->bars_known != PRESENT)
		return false;
	for (int i = 0; i < NR_BARS; i++) {
		const struct bar *bar = &a->bars[i], *other = &b->bars[i];

		if (bar->size && other->size && (bar->size != other->size ||
		    (bar->assigned && other->assigned && bar->start != other->start)))
			return true;
	}
	return false;
}

/* Sets *what to what the two contradict each other in. */
static bool contradict(const struct function *a, const struct function *b, const char **what)
{
	const struct acs *acs = &a->acs, *other = &b->acs;

	if (is_readable(a) ? b->config == CONFIG_ALL_ONES :
	    a->config == CONFIG_ALL_ONES && is_readable(b)) {
		*what = "config space";
		return true;
	}
#define DIFFER(field, none) (a->field != (none) && b->field != (none) && a->field != b->field)
	if (DIFFER(vendor, UNKNOWN) || DIFFER(device, UNKNOWN))
		*what = "ids";
	else if (a->class != UNKNOWN && b->class != UNKNOWN && a->class >> 8 != b->class >> 8)
		*what = "classes";
	else if (DIFFER(type, TYPE_UNKNOWN) || DIFFER(bridge, PRESENCE_UNKNOWN))
		*what = "types";
	else if (DIFFER(secondary, UNKNOWN) || DIFFER(subordinate, UNKNOWN))
		*what = "bus numbers";
	else if (DIFFER(acs.presence, PRESENCE_UNKNOWN) ||
		 (acs->presence == PRESENT && other->presence == PRESENT &&
		  acs->ctrl != other->ctrl))
		*what = "ACS";
	else if (DIFFER(numa_node, UNKNOWN))
		*what = "NUMA nodes";
	else if (DIFFER(iommu_group, UNKNOWN))
		*what = "IOMMU groups";
	else if (bars_differ(a, b))
		*what = "BARs";
	else
		return false;
	return true;
#undef DIFFER
}

/* Adds what @from knows and @to does not. */
static void merge(struct function *to, const struct function *from)
{
#define MERGE(field, none) (to->field = to->field == (none) ? from->field : to->field)
	MERGE(vendor, UNKNOWN);
	MERGE(device, UNKNOWN);
	if (to->class == UNKNOWN || !(to->class & 0xff))
		to->class = from->class == UNKNOWN ? to->class : from->class;
	MERGE(type, TYPE_UNKNOWN);
	MERGE(bridge, PRESENCE_UNKNOWN);
	MERGE(secondary, UNKNOWN);
	MERGE(subordinate, UNKNOWN);
	MERGE(numa_node, UNKNOWN);
	MERGE(iommu_group, UNKNOWN);
	MERGE(link.speed, 0);
	MERGE(link.max_speed, 0);
	MERGE(link.width, 0);
	MERGE(link.max_width, 0);
#undef MERGE
	if (to->acs.presence == PRESENCE_UNKNOWN)
		to->acs = from->acs;
	if (to->window.presence == PRESENCE_UNKNOWN)
		to->window = from->window;
	if (to->prefetchable_window.presence == PRESENCE_UNKNOWN)
		to->prefetchable_window = from->prefetchable_window;
	if (to->bars_known != PRESENT && from->bars_known == PRESENT) {
		memcpy(to->bars, from->bars, sizeof(to->bars));
		to->bars_known = PRESENT;
	}
	if (!*to->title)
		memcpy(to->title, from->title, sizeof(to->title));
	if (!is_given(to->driver))
		memcpy(to->driver, *from->driver ? from->driver : to->driver, sizeof(to->driver));
	if (from->config > to->config)
		to->config = from->config;
}

static int by_address(const void *left, const void *right)
{
	const struct address *a = left, *b = right;

	if (a->domain != b->domain)
		return a->domain < b->domain ? -1 : 1;
	if (a->routing != b->routing)
		return a->routing < b->routing ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/*
 * A function that occurs twice, such as in the output of lspci and then in that of lspci -vvv,
 * becomes one. Leaves the addresses sorted, with the new indices.
 */
static int join(struct lspci *lspci, struct address *addresses)
{
	struct machine *machine = lspci->machine;
	size_t nr = 0;

	for (size_t i = 0; i < machine->nr; i++)
		address_of(&addresses[i], machine->functions[i].name, i);
	qsort(addresses, machine->nr, sizeof(*addresses), by_address);
	for (size_t i = 0, first = 0; i < machine->nr; i++) {
		struct function *function = &machine->functions[addresses[first].index];
		struct function *again = &machine->functions[addresses[i].index];
		const char *what;

		if (i == first || addresses[i].domain != addresses[first].domain ||
		    addresses[i].routing != addresses[first].routing) {
			first = i;
			continue;
		}
		if (contradict(function, again, &what))
			return fail(EXIT_OTHER, "%s shows %s twice, with different %s; keep only "
				    "the listing that you want to know about", lspci->path,
				    function->name, what);
		merge(function, again);
		if (lspci->shown[addresses[i].index].sriov.nr > 0)
			lspci->shown[addresses[first].index].sriov =
				lspci->shown[addresses[i].index].sriov;
		*again->name = '\0';
	}
	for (size_t i = 0; i < machine->nr; i++) {
		if (!*machine->functions[i].name)
			continue;
		if (i != nr)
			machine->functions[nr] = machine->functions[i];
		lspci->shown[nr] = lspci->shown[i];
		nr++;
	}
	machine->nr = nr;
	for (size_t i = 0; i < nr; i++)
		address_of(&addresses[i], machine->functions[i].name, i);
	qsort(addresses, nr, sizeof(*addresses), by_address);
	return 0;
}

/* Finds the virtual functions of @physical, whose addresses its capability tells. */
static void mark_virtual(struct machine *machine, const struct address *addresses,
			 const struct function *physical, const struct sriov *sriov, size_t *left)
{
	struct address address;

	address_of(&address, physical->name, 0);
	address.routing += sriov->offset;
	for (int i = 0; i < sriov->nr && address.routing <= 0xffff && *left; i++, --*left) {
		const struct address *found = NULL;
		size_t low = 0, high = machine->nr;
		struct function *function;

		while (low < high && !found) {
			size_t mid = low + (high - low) / 2;
			const struct address *at = &addresses[mid];

			if (at->domain == address.domain && at->routing == address.routing)
				found = at;
			else if (at->domain < address.domain ||
				 (at->domain == address.domain && at->routing < address.routing))
				low = mid + 1;
			else
				high = mid;
		}
		address.routing += sriov->stride;
		if (!found)
			continue;
		function = &machine->functions[found->index];
		if (*function->physfn || function->bridge != ABSENT)
			continue;
		memcpy(function->physfn, physical->name, sizeof(function->physfn));
		if (function->vendor == UNKNOWN && sriov->device != UNKNOWN) {
			function->vendor = physical->vendor;
			function->device = sriov->device;
		}
	}
}

static void find_virtual(struct lspci *lspci, const struct address *addresses)
{
	struct machine *machine = lspci->machine;
	size_t left = MAX_VIRTUAL;

	for (size_t i = 0; i < machine->nr; i++) {
		const struct sriov *sriov = &lspci->shown[i].sriov;

		if (!sriov->enabled || sriov->nr <= 0 || sriov->offset <= 0 ||
		    (sriov->stride <= 0 && sriov->nr > 1))
			continue;
		mark_virtual(machine, addresses, &machine->functions[i], sriov, &left);
	}
}

static void set_source(const struct lspci *lspci)
{
	const char *text = lspci->detailed ? " -vvv" : lspci->brief ? " -v" : "";
	const char *bytes = "";

	if (lspci->longest > CONVENTIONAL)
		bytes = " -xxxx";
	else if (lspci->longest > HEAD)
		bytes = " -xxx";
	else if (lspci->longest)
		bytes = " -x";
	snprintf(lspci->machine->source, sizeof(lspci->machine->source), "lspci%s%s", text, bytes);
}

static int finish(struct lspci *lspci)
{
	struct machine *machine = lspci->machine;
	struct address *addresses;
	bool extended = false, drivers = false;
	int rc;

	if (!machine->nr)
		return fail(EXIT_OTHER, "no PCI function found in %s; p2ptrace reads " DUMP_FORMATS,
			    lspci->path);
	for (size_t i = 0; i < machine->nr; i++) {
		extended |= lspci->shown[i].extended;
		drivers |= lspci->shown[i].driver;
	}
	for (size_t i = 0; i < machine->nr; i++) {
		struct function *function = &machine->functions[i];

		finish_function(function, &lspci->shown[i], extended);
		if (drivers && !lspci->shown[i].driver && lspci->shown[i].whole &&
		    (lspci->shown[i].detailed || lspci->shown[i].brief))
			strcpy(function->driver, "-");
	}
	addresses = calloc(machine->nr, sizeof(*addresses));
	if (!addresses)
		return fail(EXIT_OTHER, "out of memory");
	rc = join(lspci, addresses);
	if (!rc) {
		find_virtual(lspci, addresses);
		set_source(lspci);
		machine->partial = true;
		machine_link(machine);
	}
	free(addresses);
	return rc;
}

int lspci_read(struct machine *machine, const char *text, size_t len, const char *path)
{
	struct lspci *lspci = calloc(1, sizeof(*lspci));
	const char *next = text, *end = text + len;
	struct line line;
	int rc = 0;

	if (!lspci)
		return fail(EXIT_OTHER, "out of memory");
	lspci->machine = machine;
	lspci->path = path;
	line.cut = false;
	while (!rc && next < end) {
		read_line(&line, next, end, &next);
		rc = read_text_line(lspci, &line, next, end);
	}
	if (!rc) {
		flush(lspci, line.cut);
		rc = close_block(lspci, false);
	}
	if (!rc && lspci->pending.failed)
		rc = fail(EXIT_OTHER, "out of memory");
	if (!rc)
		rc = finish(lspci);
	buffer_free(&lspci->pending);
	free(lspci->shown);
	free(lspci);
	return rc;
}
