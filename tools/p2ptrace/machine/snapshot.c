// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/units.h"
#include "machine/devices.h"
#include "machine/snapshot.h"

#define VERSION_KEY "p2ptrace_snapshot"

#define MAX_ROOTS	4096
#define OPTION_LEN	4096

/*
 * How a member of a structure becomes a member of an object. What is unknown has none; what is
 * known to be none is null, or false.
 */
enum kind {
	TEXT,		/* char []: "" is unknown, "-" is null */
	INTEGER,	/* int: UNKNOWN, NONE is null */
	COUNT,		/* unsigned int: 0 is unknown */
	ID,		/* int, in hexadecimal: UNKNOWN */
	HEX,		/* unsigned, of 2, 4 or 8 bytes, in hexadecimal */
	SIZE,		/* the same, but 0 is unknown */
	BOOL,		/* bool */
	FLAG,		/* int, 0 or 1, as a bool: UNKNOWN */
	PRESENCE,	/* enum presence, as a bool: PRESENCE_UNKNOWN */
	WORD,		/* an enum by its names: 0 is unknown */
	PART,		/* a structure that begins with an enum presence: an object, or false */
};

struct member {
	const char *key;
	enum kind kind;
	bool required;		/* if it is missing, the object is as unknown as without any */
	size_t offset, size;
	uint64_t max;
	const struct member *members;	/* of a PART; the last one has no key */
	const char *const *words;	/* of a WORD; by value, and NULL at the end */
};

#define AT(type, field) .offset = offsetof(type, field), .size = sizeof(((type *)0)->field)

#define MEMBER(kind, key, type, field, ...) { key, kind, AT(type, field), ##__VA_ARGS__ }

static const char *const config_words[] = {
	[CONFIG_MISSING] = "",
	[CONFIG_UNREADABLE] = "unreadable",
	[CONFIG_ALL_ONES] = "all_ones",
	[CONFIG_HEAD] = "head",
	[CONFIG_CONVENTIONAL] = "conventional",
	[CONFIG_COMPLETE] = "complete",
	NULL
};

static const char *const type_words[] = {
	[TYPE_UNKNOWN] = "",
	[TYPE_ENDPOINT] = "endpoint",
	[TYPE_LEGACY_ENDPOINT] = "legacy_endpoint",
	[TYPE_ROOT_PORT] = "root_port",
	[TYPE_UPSTREAM] = "upstream_port",
	[TYPE_DOWNSTREAM] = "downstream_port",
	[TYPE_TO_PCI] = "bridge_to_pci",
	[TYPE_FROM_PCI] = "bridge_from_pci",
	[TYPE_RC_ENDPOINT] = "rc_endpoint",
	[TYPE_RC_EVENT_COLLECTOR] = "rc_event_collector",
	[TYPE_PCI] = "pci",
	NULL
};

static const struct member acs_members[] = {
	MEMBER(HEX, "cap", struct acs, cap, .required = true),
	MEMBER(HEX, "ctrl", struct acs, ctrl, .required = true),
	{}
};

static const struct member window_members[] = {
	MEMBER(HEX, "first", struct window, first, .required = true),
	MEMBER(HEX, "last", struct window, last, .required = true),
	{}
};

static const struct member pool_members[] = {
	MEMBER(SIZE, "size", struct pool, size),
	MEMBER(HEX, "available", struct pool, available),
	MEMBER(FLAG, "published", struct pool, published),
	{}
};

static const struct member cmb_members[] = {
	MEMBER(HEX, "loc", struct cmb, loc, .required = true),
	MEMBER(HEX, "sz", struct cmb, sz, .required = true),
	{}
};

static const struct member bar_members[] = {
	MEMBER(HEX, "start", struct bar, start, .required = true),
	MEMBER(SIZE, "size", struct bar, size),
	MEMBER(BOOL, "memory", struct bar, memory, .required = true),
	MEMBER(BOOL, "prefetchable", struct bar, prefetchable),
	MEMBER(BOOL, "wide", struct bar, wide),
	MEMBER(BOOL, "assigned", struct bar, assigned, .required = true),
	MEMBER(PRESENCE, "resizable", struct bar, resizable),
	MEMBER(SIZE, "sizes", struct bar, sizes),
	{}
};

#define FUNCTION(kind, key, field, ...) MEMBER(kind, key, struct function, field, ##__VA_ARGS__)

static const struct member function_members[] = {
	FUNCTION(ID, "vendor", vendor, .max = 0xffff),
	FUNCTION(ID, "device", device, .max = 0xffff),
	FUNCTION(ID, "class", class, .max = 0xffffff),
	FUNCTION(TEXT, "title", title),
	FUNCTION(TEXT, "driver", driver),
	FUNCTION(TEXT, "physfn", physfn),
	FUNCTION(WORD, "config", config, .words = config_words),
	FUNCTION(WORD, "type", type, .words = type_words),
	FUNCTION(PRESENCE, "bridge", bridge),
	FUNCTION(INTEGER, "secondary", secondary, .max = 255),
	FUNCTION(INTEGER, "subordinate", subordinate, .max = 255),
	FUNCTION(PART, "acs", acs, .members = acs_members),
	FUNCTION(COUNT, "link_speed", link.speed, .max = UINT_MAX),
	FUNCTION(COUNT, "link_width", link.width, .max = 64),
	FUNCTION(COUNT, "max_link_speed", link.max_speed, .max = UINT_MAX),
	FUNCTION(COUNT, "max_link_width", link.max_width, .max = 64),
	FUNCTION(INTEGER, "numa_node", numa_node, .max = INT_MAX),
	FUNCTION(INTEGER, "iommu_group", iommu_group, .max = INT_MAX),
	FUNCTION(TEXT, "iommu_domain", iommu_domain),
	FUNCTION(COUNT, "dma_mask_bits", dma_mask_bits, .max = 64),
	FUNCTION(PART, "window", window, .members = window_members),
	FUNCTION(PART, "prefetchable_window", prefetchable_window, .members = window_members),
	FUNCTION(TEXT, "p2pmem", pool.dev),
	FUNCTION(PART, "pool", pool, .members = pool_members),
	FUNCTION(PART, "cmb", cmb, .members = cmb_members),
	FUNCTION(PRESENCE, "bars_known", bars_known),
	{}
};

#define MACHINE(kind, key, field, ...) MEMBER(kind, key, struct machine, field, ##__VA_ARGS__)

static const struct member machine_members[] = {
	MACHINE(TEXT, "kernel", kernel),
	MACHINE(TEXT, "arch", arch),
	MACHINE(PRESENCE, "p2pdma", p2pdma),
	MACHINE(TEXT, "cpu_vendor", cpu_vendor),
	MACHINE(INTEGER, "cpu_family", cpu_family, .max = INT_MAX),
	MACHINE(TEXT, "hypervisor", hypervisor),
	MACHINE(BOOL, "options_known", options_known),
	MACHINE(BOOL, "ordered", ordered),
	MACHINE(BOOL, "partial", partial),
	MACHINE(PRESENCE, "reports", reports),
	{}
};

static const struct member root_members[] = {
	MEMBER(TEXT, "under", struct root, under),
	{}
};

static const struct member reported_members[] = {
	MEMBER(TEXT, "map", struct reported, map),
	MEMBER(INTEGER, "distance", struct reported, distance, .max = INT_MAX),
	MEMBER(TEXT, "reason", struct reported, reason),
	MEMBER(TEXT, "blocker", struct reported, blocker),
	{}
};

/* Unsigned, of the size of the member. */
static uint64_t get_unsigned(const struct member *member, const void *at)
{
	uint64_t value64;
	uint32_t value32;
	uint16_t value16;

	switch (member->size) {
	case sizeof(value16):
		memcpy(&value16, at, sizeof(value16));
		return value16;
	case sizeof(value32):
		memcpy(&value32, at, sizeof(value32));
		return value32;
	default:
		memcpy(&value64, at, sizeof(value64));
		return value64;
	}
}

static void set_unsigned(const struct member *member, void *at, uint64_t value)
{
	uint32_t value32 = value;
	uint16_t value16 = value;

	switch (member->size) {
	case sizeof(value16):
		memcpy(at, &value16, sizeof(value16));
		break;
	case sizeof(value32):
		memcpy(at, &value32, sizeof(value32));
		break;
	default:
		memcpy(at, &value, sizeof(value));
	}
}

static void put_text(struct buffer *out, const char *key, const char *text)
{
	if (!strcmp(text, "-"))
		json_none(out, key);
	else if (*text)
		json_str(out, key, text);
}

static void put_int(struct buffer *out, const char *key, int value)
{
	if (value == NONE)
		json_none(out, key);
	else if (value != UNKNOWN)
		json_int(out, key, value);
}

static void put_hex(struct buffer *out, const char *key, int digits, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%0*" PRIx64, digits, value);
	json_str(out, key, text);
}

static void put_presence(struct buffer *out, const char *key, enum presence presence)
{
	if (presence)
		json_bool(out, key, presence == PRESENT);
}

static void put_members(struct buffer *out, const struct member *members, const void *of);

static void put_part(struct buffer *out, const struct member *member, const void *at)
{
	enum presence presence;

	memcpy(&presence, at, sizeof(presence));
	if (presence != PRESENT) {
		put_presence(out, member->key, presence);
		return;
	}
	json_open(out, member->key, '{');
	put_members(out, member->members, at);
	json_close(out, '}');
}

static void put_member(struct buffer *out, const struct member *member, const void *at)
{
	const char *key = member->key;
	int value;

	switch (member->kind) {
	case TEXT:
		put_text(out, key, at);
		break;
	case INTEGER:
		memcpy(&value, at, sizeof(value));
		put_int(out, key, value);
		break;
	case COUNT:
		if (get_unsigned(member, at))
			json_uint(out, key, get_unsigned(member, at));
		break;
	case ID:
		memcpy(&value, at, sizeof(value));
		if (value != UNKNOWN)
			put_hex(out, key, member->max > 0xffff ? 6 : 4, value);
		break;
	case SIZE:
		if (!get_unsigned(member, at))
			break;
		__attribute__((fallthrough));
	case HEX:
		put_hex(out, key, member->size == sizeof(uint16_t) ? 4 : 1,
			get_unsigned(member, at));
		break;
	case BOOL:
		json_bool(out, key, *(const bool *)at);
		break;
	case FLAG:
		memcpy(&value, at, sizeof(value));
		if (value != UNKNOWN)
			json_bool(out, key, value);
		break;
	case PRESENCE:
		put_presence(out, key, get_unsigned(member, at));
		break;
	case WORD:
		value = get_unsigned(member, at);
		if (value)
			json_str(out, key, member->words[value]);
		break;
	case PART:
		put_part(out, member, at);
		break;
	}
}

static void put_members(struct buffer *out, const struct member *members, const void *of)
{
	for (; members->key; members++)
		put_member(out, members, (const char *)of + members->offset);
}

void function_json(struct buffer *out, const struct machine *machine,
		   const struct function *function)
{
	json_open(out, NULL, '{');
	json_str(out, "name", function->name);
	if (function->parent >= 0)
		json_str(out, "parent", machine->functions[function->parent].name);
	else
		put_int(out, "parent", function->parent);
	if (function->root >= 0)
		json_str(out, "root", machine->roots[function->root].name);
	if (function->nr_names) {
		json_open(out, "names", '[');
		for (size_t i = 0; i < function->nr_names; i++)
			json_str(out, NULL, function->names[i]);
		json_close(out, ']');
	}
	put_members(out, function_members, function);
	json_open(out, "bars", '[');
	for (size_t i = 0; i < NR_BARS; i++) {
		if (!function->bars[i].size && !function->bars[i].unsized)
			continue;
		json_open(out, NULL, '{');
		json_uint(out, "bar", i);
		put_members(out, bar_members, &function->bars[i]);
		json_close(out, '}');
	}
	json_close(out, ']');
	json_close(out, '}');
}

static void put_root(struct buffer *out, const struct machine *machine, size_t i)
{
	(void)machine;
	json_open(out, NULL, '{');
	json_str(out, "name", machine->roots[i].name);
	put_members(out, root_members, &machine->roots[i]);
	json_close(out, '}');
}

static void put_function_at(struct buffer *out, const struct machine *machine, size_t i)
{
	function_json(out, machine, &machine->functions[i]);
}

static void put_reported(struct buffer *out, const struct machine *machine, size_t i)
{
	const struct reported *reported = &machine->reported[i];

	json_open(out, NULL, '{');
	json_str(out, "provider", machine->functions[reported->provider].name);
	json_str(out, "client", machine->functions[reported->client].name);
	put_members(out, reported_members, reported);
	json_close(out, '}');
}

/* A list with one element in each line: json_open() adds no comma after a newline. */
static void put_lines(struct buffer *out, const char *key, const struct machine *machine, size_t nr,
		      void (*put)(struct buffer *out, const struct machine *machine, size_t i))
{
	json_open(out, key, '[');
	for (size_t i = 0; i < nr; i++) {
		buffer_printf(out, i ? ",\n" : "\n");
		put(out, machine, i);
	}
	if (nr)
		buffer_printf(out, "\n");
	json_close(out, ']');
}

void machine_json(struct buffer *out, const struct machine *machine)
{
	put_members(out, machine_members, machine);
	json_open(out, "options", '[');
	for (size_t i = 0; i < machine->nr_options; i++)
		json_str(out, NULL, machine->options[i]);
	json_close(out, ']');
}

void snapshot_write(struct buffer *out, const struct machine *machine)
{
	json_open(out, NULL, '{');
	json_uint(out, VERSION_KEY, SNAPSHOT_VERSION);
	machine_json(out, machine);
	put_lines(out, "roots", machine, machine->nr_roots, put_root);
	put_lines(out, "functions", machine, machine->nr, put_function_at);
	put_lines(out, "reported", machine, machine->nr_reported, put_reported);
	json_close(out, '}');
	buffer_printf(out, "\n");
}

bool is_snapshot(const char *text, size_t len)
{
	static const char key[] = "\"" VERSION_KEY "\"";

	return memmem(text, len, key, sizeof(key) - 1);
}

/* A name, and the index of the function or root that has it. */
struct named {
	const char *name;
	int index;
};

struct reader {
	const char *file;
	struct machine *machine;
	struct named *functions, *roots;	/* by name */
	char where[64];				/* the object that is being read: "functions[3]." */
};

static int __attribute__((format(printf, 3, 4), warn_unused_result))
refused(const struct reader *reader, const char *key, const char *fmt, ...)
{
	char what[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return fail(EXIT_OTHER, "%s is not a snapshot that p2ptrace can read: %s%s %s; write it "
		    "again with 'p2ptrace snapshot'", reader->file, reader->where, key, what);
}

/*
 * Each of these reads a value, and leaves what is missing as it is. They return 0, or an exit
 * status after an error message.
 */
static int get_text(const struct reader *reader, const char *key, const json_t *value, char *to,
		    size_t size)
{
	const char *text = json_is_null(value) ? "-" : json_string_value(value);
	size_t len;

	if (!text)
		return refused(reader, key, "is not a string");
	len = strlen(text);
	if (len >= size)
		return refused(reader, key, "is longer than %zu characters", size - 1);
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return refused(reader, key, "has characters other than printable ASCII");
	memcpy(to, text, len + 1);
	return 0;
}

static int get_number(const struct reader *reader, const char *key, const json_t *value,
		      uint64_t max, uint64_t *number)
{
	if (!json_is_integer(value))
		return refused(reader, key, "is not an integer");
	if (json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
		return refused(reader, key, "is not between 0 and %" PRIu64, max);
	*number = json_integer_value(value);
	return 0;
}

static int get_hex(const struct reader *reader, const char *key, const json_t *value, uint64_t max,
		   uint64_t *number)
{
	const char *text = json_string_value(value);
	char *end;

	if (!text || strncmp(text, "0x", 2) || !text[2] ||
	    strspn(text + 2, "0123456789abcdefABCDEF") != strlen(text + 2))
		return refused(reader, key, "is not a string with a hexadecimal number (\"0x1f\")");
	errno = 0;
	*number = strtoull(text, &end, 16);
	if (errno || *number > max)
		return refused(reader, key, "is greater than 0x%" PRIx64, max);
	return 0;
}

static int get_bool(const struct reader *reader, const char *key, const json_t *value, bool *to)
{
	if (!json_is_boolean(value))
		return refused(reader, key, "is not true or false");
	*to = json_is_true(value);
	return 0;
}

static int get_word(const struct reader *reader, const char *key, const json_t *value,
		    const char *const *words, unsigned int *to)
{
	const char *text = json_string_value(value);

	/* The first stands for unknown */
	for (*to = 1; text && words[*to]; (*to)++)
		if (!strcmp(words[*to], text))
			return 0;
	return refused(reader, key, "is not one of the words for it");
}

static int get_members(struct reader *reader, const struct member *members, const json_t *object,
		       void *of, bool *complete);

/* Adds a word to reader->where. */
static void enter(struct reader *reader, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void enter(struct reader *reader, const char *fmt, ...)
{
	size_t used = strlen(reader->where);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reader->where + used, sizeof(reader->where) - used, fmt, ap);
	va_end(ap);
}

static int get_part(struct reader *reader, const struct member *member, const json_t *value,
		    void *at)
{
	enum presence presence = ABSENT;
	size_t used = strlen(reader->where);
	bool complete = true;
	int rc = 0;

	if (json_is_object(value)) {
		presence = PRESENT;
		enter(reader, "%s.", member->key);
		rc = get_members(reader, member->members, value, at, &complete);
		reader->where[used] = '\0';
	} else if (!json_is_false(value)) {
		return refused(reader, member->key, "is neither false nor an object");
	}
	if (!complete)
		memset(at, 0, member->size);
	else
		memcpy(at, &presence, sizeof(presence));
	return rc;
}

static int get_member(struct reader *reader, const struct member *member, const json_t *value,
		      void *at)
{
	const char *key = member->key;
	unsigned int word = 0;
	uint64_t number = 0;
	bool truth = false;
	int rc = 0, none = NONE;

	switch (member->kind) {
	case TEXT:
		return get_text(reader, key, value, at, member->size);
	case INTEGER:
		if (json_is_null(value)) {
			memcpy(at, &none, sizeof(none));
			return 0;
		}
		__attribute__((fallthrough));
	case COUNT:
		rc = get_number(reader, key, value, member->max, &number);
		break;
	case ID:
		rc = get_hex(reader, key, value, member->max, &number);
		break;
	case HEX:
	case SIZE:
		rc = get_hex(reader, key, value, UINT64_MAX >> (64 - 8 * member->size), &number);
		break;
	case BOOL:
		return get_bool(reader, key, value, at);
	case FLAG:
		rc = get_bool(reader, key, value, &truth);
		number = truth;
		break;
	case PRESENCE:
		rc = get_bool(reader, key, value, &truth);
		number = truth ? PRESENT : ABSENT;
		break;
	case WORD:
		rc = get_word(reader, key, value, member->words, &word);
		number = word;
		break;
	case PART:
		return get_part(reader, member, value, at);
	}
	if (!rc)
		set_unsigned(member, at, number);
	return rc;
}

/* Clears *@complete if a required member is missing. */
static int get_members(struct reader *reader, const struct member *members, const json_t *object,
		       void *of, bool *complete)
{
	int rc = 0;

	for (; !rc && members->key; members++) {
		const json_t *value = json_object_get(object, members->key);

		if (value)
			rc = get_member(reader, members, value, (char *)of + members->offset);
		else if (members->required)
			*complete = false;
	}
	return rc;
}

/*
 * The list of a member, or NULL if it is missing. Sets *@rc to an exit status if it is not a list
 * of at most @max elements.
 */
static const json_t *get_list(const struct reader *reader, const json_t *object, const char *key,
			      size_t max, int *rc)
{
	const json_t *list = json_object_get(object, key);

	*rc = 0;
	if (!list)
		return NULL;
	if (!json_is_array(list))
		*rc = refused(reader, key, "is not a list");
	else if (json_array_size(list) > max)
		*rc = refused(reader, key, "has more than %zu elements", max);
	return *rc ? NULL : list;
}

static int read_bar(struct reader *reader, const json_t *value, struct function *function)
{
	struct bar bar = {};
	bool complete = true;
	uint64_t index = 0;
	int rc;

	if (!json_is_object(value))
		return refused(reader, "bars", "has an element that is not an object");
	if (!json_object_get(value, "bar")) {
		function->bars_known = PRESENCE_UNKNOWN;
		return 0;
	}
	rc = get_number(reader, "bars.bar", json_object_get(value, "bar"), NR_BARS - 1, &index);
	if (rc)
		return rc;
	if (function->bars[index].size || function->bars[index].unsized)
		return refused(reader, "bars", "has BAR %d twice", (int)index);
	enter(reader, "bars[%d].", (int)index);
	rc = get_members(reader, bar_members, value, &bar, &complete);
	if (rc)
		return rc;
	bar.unsized = !json_object_get(value, "size");
	if (complete && (bar.size || bar.unsized))
		function->bars[index] = bar;
	else
		function->bars_known = PRESENCE_UNKNOWN;
	return 0;
}

static int read_bars(struct reader *reader, const json_t *object, struct function *function)
{
	size_t used = strlen(reader->where);
	int rc;
	const json_t *list = get_list(reader, object, "bars", NR_BARS, &rc);

	if (!list)
		function->bars_known = PRESENCE_UNKNOWN;
	for (size_t i = 0; !rc && list && i < json_array_size(list); i++) {
		rc = read_bar(reader, json_array_get(list, i), function);
		reader->where[used] = '\0';
	}
	return rc;
}

static int read_names(const struct reader *reader, const json_t *object, struct function *function)
{
	int rc;
	const json_t *list = get_list(reader, object, "names", MAX_NAMES, &rc);

	for (size_t i = 0; !rc && list && i < json_array_size(list); i++) {
		char *name = function->names[i];

		rc = get_text(reader, "names", json_array_get(list, i), name, PCI_NAME_LEN);
		if (!rc && (!*name || strchr(name, ' ')))
			rc = refused(reader, "names", "has a name that is empty or has blanks");
		function->nr_names = i + 1;
	}
	return rc;
}

static int read_function(struct reader *reader, const json_t *object)
{
	char name[PCI_NAME_LEN] = "", normal[PCI_NAME_LEN];
	struct function *function;
	bool complete = true;
	int rc;

	if (!json_object_get(object, "name"))
		return refused(reader, "name", "is missing");
	rc = get_text(reader, "name", json_object_get(object, "name"), name, sizeof(name));
	if (rc)
		return rc;
	if (pci_name_parse(name, normal, sizeof(normal)) || strcmp(name, normal))
		return refused(reader, "name", "is not a PCI name (\"0000:01:00.0\")");
	function = machine_add_function(reader->machine, name);
	if (!function)
		return fail(EXIT_OTHER, "out of memory");
	rc = get_members(reader, function_members, object, function, &complete);
	if (!rc)
		rc = read_names(reader, object, function);
	if (!rc)
		rc = read_bars(reader, object, function);
	return rc;
}

static int read_root(struct reader *reader, const json_t *object)
{
	size_t before = reader->machine->nr_roots;
	char name[PCI_NAME_LEN] = "";
	bool complete = true;
	struct root *root;
	int rc;

	if (!json_object_get(object, "name"))
		return refused(reader, "name", "is missing");
	rc = get_text(reader, "name", json_object_get(object, "name"), name, sizeof(name));
	if (rc)
		return rc;
	root = machine_add_root(reader->machine, name);
	if (!root)
		return fail(EXIT_OTHER, "out of memory");
	if (reader->machine->nr_roots == before)
		return refused(reader, "name", "is that of another host bridge as well");
	return get_members(reader, root_members, object, root, &complete);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/*
 * Sets *@index to that of the function or root that a member names, unless it is missing. @null is
 * what null means; UNKNOWN if it is not allowed.
 */
static int get_ref(const struct reader *reader, const json_t *object, const char *key,
		   const struct named *list, size_t nr, int null, int *index)
{
	const json_t *value = json_object_get(object, key);
	const struct named *found;
	struct named wanted = {};

	if (!value)
		return 0;
	if (json_is_null(value) && null != UNKNOWN) {
		*index = null;
		return 0;
	}
	wanted.name = json_string_value(value);
	if (!wanted.name)
		return refused(reader, key, "is not a string");
	found = nr ? bsearch(&wanted, list, nr, sizeof(*list), by_name) : NULL;
	if (!found)
		return refused(reader, key, "is the name of nothing in this snapshot");
	*index = found->index;
	return 0;
}

static int read_place(struct reader *reader, const json_t *object, struct function *function)
{
	const struct machine *machine = reader->machine;
	int rc = get_ref(reader, object, "parent", reader->functions, machine->nr, NONE,
			 &function->parent);

	return rc ? rc : get_ref(reader, object, "root", reader->roots, machine->nr_roots, UNKNOWN,
				 &function->root);
}

static int read_reported(struct reader *reader, const json_t *object)
{
	struct reported *reported = machine_add_reported(reader->machine);
	size_t nr = reader->machine->nr;
	bool complete = true;
	int rc;

	if (!reported)
		return fail(EXIT_OTHER, "out of memory");
	rc = get_ref(reader, object, "provider", reader->functions, nr, UNKNOWN,
		     &reported->provider);
	if (!rc)
		rc = get_ref(reader, object, "client", reader->functions, nr, UNKNOWN,
			     &reported->client);
	if (!rc)
		rc = get_members(reader, reported_members, object, reported, &complete);
	/* Drop a decision whose provider or client is unknown */
	if (!rc && (reported->provider < 0 || reported->client < 0))
		reader->machine->nr_reported--;
	return rc;
}

/* Calls @read for each object of a list. */
static int read_list(struct reader *reader, const json_t *document, const char *key, size_t max,
		     int (*read)(struct reader *reader, const json_t *object))
{
	int rc;
	const json_t *list = get_list(reader, document, key, max, &rc);

	for (size_t i = 0; !rc && list && i < json_array_size(list); i++) {
		const json_t *object = json_array_get(list, i);

		if (!json_is_object(object))
			return refused(reader, key, "has an element that is not an object");
		enter(reader, "%s[%zu].", key, i);
		rc = read(reader, object);
		*reader->where = '\0';
	}
	return rc;
}

static int read_places(struct reader *reader, const json_t *document)
{
	const json_t *list = json_object_get(document, "functions");
	int rc = 0;

	for (size_t i = 0; !rc && i < reader->machine->nr; i++) {
		enter(reader, "functions[%zu].", i);
		rc = read_place(reader, json_array_get(list, i), &reader->machine->functions[i]);
		*reader->where = '\0';
	}
	return rc;
}

static int read_options(struct reader *reader, const json_t *document)
{
	char word[OPTION_LEN];
	int rc;
	const json_t *list = get_list(reader, document, "options", MAX_OPTIONS, &rc);

	for (size_t i = 0; !rc && list && i < json_array_size(list); i++) {
		rc = get_text(reader, "options", json_array_get(list, i), word, sizeof(word));
		if (!rc && machine_add_option(reader->machine, word))
			rc = fail(EXIT_OTHER, "out of memory");
	}
	if (!list)
		reader->machine->options_known = false;
	return rc;
}

/* Sorts the names of all functions and roots, and finds those that two functions have. */
static int sort_names(struct reader *reader)
{
	struct machine *machine = reader->machine;

	reader->functions = calloc(machine->nr + 1, sizeof(*reader->functions));
	reader->roots = calloc(machine->nr_roots + 1, sizeof(*reader->roots));
	if (!reader->functions || !reader->roots)
		return fail(EXIT_OTHER, "out of memory");
	for (size_t i = 0; i < machine->nr; i++)
		reader->functions[i] = (struct named){ machine->functions[i].name, i };
	for (size_t i = 0; i < machine->nr_roots; i++)
		reader->roots[i] = (struct named){ machine->roots[i].name, i };
	qsort(reader->functions, machine->nr, sizeof(*reader->functions), by_name);
	qsort(reader->roots, machine->nr_roots, sizeof(*reader->roots), by_name);
	for (size_t i = 1; i < machine->nr; i++)
		if (!strcmp(reader->functions[i].name, reader->functions[i - 1].name))
			return refused(reader, "functions", "has %s twice",
				       reader->functions[i].name);
	return 0;
}

static bool is_endpoint(const struct function *function)
{
	return function->type == TYPE_ENDPOINT || function->type == TYPE_LEGACY_ENDPOINT ||
	       function->type == TYPE_RC_ENDPOINT || function->type == TYPE_RC_EVENT_COLLECTOR;
}

/* Refuses values that no real machine has. */
static int check_function(const struct reader *reader, const struct function *function)
{
	const struct machine *machine = reader->machine;
	const struct named physical = { .name = function->physfn };
	const struct function *parent;

	if (function->subordinate >= 0 && function->subordinate < function->secondary)
		return refused(reader, "subordinate", "is lower than secondary");
	if (is_given(function->physfn) &&
	    !bsearch(&physical, reader->functions, machine->nr, sizeof(physical), by_name))
		return refused(reader, "physfn", "is the name of nothing in this snapshot");
	if (function->parent < 0)
		return 0;
	parent = &machine->functions[function->parent];
	if (parent->bridge == ABSENT || (parent->bridge != PRESENT && is_endpoint(parent)))
		return refused(reader, "parent", "is %s, which is not a bridge", parent->name);
	return 0;
}

static int check_functions(struct reader *reader)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < reader->machine->nr; i++) {
		enter(reader, "functions[%zu].", i);
		rc = check_function(reader, &reader->machine->functions[i]);
		*reader->where = '\0';
	}
	return rc;
}

static int read_document(struct reader *reader, const json_t *document)
{
	struct machine *machine = reader->machine;
	bool complete = true;
	const char *bad;
	int rc;

	rc = get_members(reader, machine_members, document, machine, &complete);
	if (!rc)
		rc = read_options(reader, document);
	if (!rc)
		rc = read_list(reader, document, "roots", MAX_ROOTS, read_root);
	if (!rc)
		rc = read_list(reader, document, "functions", MAX_FUNCTIONS, read_function);
	if (!rc)
		rc = sort_names(reader);
	if (!rc)
		rc = read_places(reader, document);
	if (!rc)
		rc = read_list(reader, document, "reported", SIZE_MAX, read_reported);
	if (!rc && machine_check(machine, &bad))
		rc = refused(reader, "functions", "has a parent of %s that does not lead to its "
			     "host bridge in at most %d steps", bad, MAX_DEPTH);
	if (!rc)
		rc = check_functions(reader);
	return rc;
}

/*
 * Why a text is not JSON. Jansson sees a word that is cut as a wrong word at the end of the text.
 * Its own words for the error are not printed, because they have bytes of the text.
 */
static int not_json(const char *name, const json_error_t *error, const char *text, size_t len)
{
	enum json_error_code code = json_error_code(error);

	if (code == json_error_invalid_syntax && len && *text == '{' &&
	    (size_t)error->position >= len)
		code = json_error_premature_end_of_input;
	switch (code) {
	case json_error_out_of_memory:
		return fail(EXIT_OTHER, "out of memory");
	case json_error_premature_end_of_input:
		return fail(EXIT_OTHER, "%s ends too early, in line %d: it is not the whole "
			    "snapshot; copy the file again", name, error->line);
	case json_error_duplicate_key:
		return fail(EXIT_OTHER, "%s has two members of one name in line %d, so it is not "
			    "clear which one counts; write it again with 'p2ptrace snapshot'", name,
			    error->line);
	default:
		return fail(EXIT_OTHER, "%s is not JSON (line %d, column %d); give a file that "
			    "'p2ptrace snapshot' wrote", name, error->line, error->column);
	}
}

static int check_version(const char *name, const json_t *document)
{
	const json_t *version = json_object_get(document, VERSION_KEY);

	if (!json_is_integer(version) || json_integer_value(version) < 1)
		return fail(EXIT_OTHER, "%s is not a snapshot: it has no version (%s); give a file "
			    "that 'p2ptrace snapshot' wrote", name, VERSION_KEY);
	if (json_integer_value(version) > SNAPSHOT_VERSION)
		return fail(EXIT_OTHER, "%s is a snapshot of version %" JSON_INTEGER_FORMAT ", and "
			    "this p2ptrace reads version %d; install a newer p2ptrace", name,
			    json_integer_value(version), SNAPSHOT_VERSION);
	return 0;
}

int snapshot_read(struct machine *machine, const char *name, const char *text, size_t len)
{
	struct reader reader = { .file = name, .machine = machine };
	json_error_t error;
	json_t *document = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	int rc;

	if (!document)
		return not_json(name, &error, text, len);
	rc = check_version(name, document);
	if (!rc) {
		strcpy(machine->source, "snapshot");
		rc = read_document(&reader, document);
	}
	free(reader.functions);
	free(reader.roots);
	json_decref(document);
	return rc;
}
