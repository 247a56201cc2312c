// SPDX-License-Identifier: GPL-2.0
/*
 * The dump of rdma_topo, a tool of rdma-core: an array with an object for each PCI function, except
 * for host bridges and some others.
 *
 *	realpath	/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0
 *	config, vpd	config space and vital product data, compressed by zlib, as base64
 *	modalias	pci:v000015B3d00001021sv000015B3sd00000041bc02sc00i00
 *	iommu_group, numa_node	numbers, or null
 *	subsystems	the names of its devices: {"net": ["eth0"], "infiniband": ["mlx5_0"]}
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <zlib.h>

#include "lib/log.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/config.h"
#include "machine/devices.h"
#include "machine/dump.h"
#include "machine/machine.h"

#define CONFIG_SIZE 4096

struct source {
	struct machine *machine;
	const char *path;
	const char **paths;		/* by the index of the function: its realpath */
};

static int malformed(const struct source *source, size_t index, const char *what)
	__attribute__((warn_unused_result));

static int malformed(const struct source *source, size_t index, const char *what)
{
	return fail(EXIT_OTHER, "%s is no dump of rdma_topo: %s of function %zu is missing or "
		    "malformed; write it again with 'rdma_topo dump > FILE'", source->path, what,
		    index + 1);
}

/* The last component of a path. */
static const char *last_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_pci_name(const char *name)
{
	char again[PCI_NAME_LEN];

	return strlen(name) < sizeof(again) && !pci_name_parse(name, again, sizeof(again)) &&
	       !strcmp(name, again);
}

static int sextet(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? at - digits : -1;
}

/* Returns the number of bytes, -1 if this is no base64. @bytes: 3/4 of the length of @text. */
static long base64(const char *text, size_t len, uint8_t *bytes)
{
	uint32_t word = 0;
	long nr = 0;

	if (len % 4)
		return -1;
	while (len && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) {
		int value = sextet(text[i]);

		if (value < 0)
			return -1;
		word = word << 6 | value;
		if (i % 4)
			bytes[nr++] = word >> (6 - 2 * (i % 4));
	}
	return nr;
}

/* Returns the number of bytes, -1 if they cannot be decoded. */
static long decode_config(const json_t *json, uint8_t *bytes)
{
	size_t len = json_string_length(json);
	uLongf size = CONFIG_SIZE;
	uint8_t *packed;
	long nr;

	/* What is compressed can hardly be longer */
	if (len > 4 * CONFIG_SIZE)
		return -1;
	packed = malloc(len + 4);
	if (!packed)
		return -1;
	nr = base64(json_string_value(json), len, packed);
	if (nr < 0 || uncompress(bytes, &size, packed, nr) != Z_OK)
		nr = -1;
	free(packed);
	return nr < 0 ? -1 : (long)size;
}

#define HEX_DIGITS "0123456789abcdefABCDEF"

/* The number behind @key, of that many digits. Moves *@text behind it. */
static bool hex_field(const char **text, const char *key, size_t digits, unsigned long *value)
{
	size_t len = strlen(key);

	if (strncmp(*text, key, len) || strspn(*text + len, HEX_DIGITS) < digits)
		return false;
	*value = 0;
	for (*text += len; digits--; ++*text)
		*value = *value << 4 | (**text <= '9' ? **text - '0' : (**text | ' ') - 'a' + 10);
	return true;
}

/* "pci:v000015B3d00001021sv000015B3sd00000041bc02sc00i00" */
static bool parse_modalias(struct function *function, const char *text)
{
	unsigned long vendor, device, class, subclass, interface, ignored;

	if (!hex_field(&text, "pci:v", 8, &vendor) || vendor > 0xffff ||
	    !hex_field(&text, "d", 8, &device) || device > 0xffff ||
	    !hex_field(&text, "sv", 8, &ignored) || !hex_field(&text, "sd", 8, &ignored) ||
	    !hex_field(&text, "bc", 2, &class) || !hex_field(&text, "sc", 2, &subclass) ||
	    !hex_field(&text, "i", 2, &interface) || *text)
		return false;
	function->vendor = vendor;
	function->device = device;
	function->class = class << 16 | subclass << 8 | interface;
	return true;
}

/* The names of devices, as one word each. Half a name would be that of another device. */
static void add_names(struct function *function, const json_t *names)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name) {
		const char *text = json_string_value(name);

		if (text && *text && function->nr_names < MAX_NAMES &&
		    text_whole_word(function->names[function->nr_names], PCI_NAME_LEN, text,
				    strlen(text)))
			function->nr_names++;
	}
}

static void parse_subsystems(struct function *function, const json_t *subsystems)
{
	for (size_t i = 0; i < NR_DEVICE_CLASSES; i++)
		add_names(function, json_object_get(subsystems, device_classes[i]));
}

/* A number that fits, at least @least; UNKNOWN otherwise. */
static int integer(const json_t *json, int least)
{
	json_int_t value = json_integer_value(json);

	return json_is_integer(json) && value >= least && value <= 0xffffff ? value : UNKNOWN;
}

static int read_function(struct source *source, size_t index, const json_t *json)
{
	const json_t *realpath = json_object_get(json, "realpath");
	const json_t *config = json_object_get(json, "config");
	const char *modalias = json_string_value(json_object_get(json, "modalias"));
	const char *path = json_string_value(realpath);
	struct function *function;
	uint8_t bytes[CONFIG_SIZE];
	long len;

	if (!path || strlen(path) != json_string_length(realpath) || !is_pci_name(last_of(path)))
		return malformed(source, index, "realpath");
	if (!json_is_string(config))
		return malformed(source, index, "config");
	function = machine_add_function(source->machine, last_of(path));
	if (!function)
		return fail(EXIT_OTHER, "out of memory");
	source->paths[index] = path;
	if (!modalias || !parse_modalias(function, modalias))
		return malformed(source, index, "modalias");
	len = decode_config(config, bytes);
	if (len < 0)
		return malformed(source, index, "config");
	if (len >= 64 || !len) {
		struct function ids = *function;

		config_parse(function, bytes, len);
		function->vendor = ids.vendor;
		function->device = ids.device;
		function->class = ids.class;
	}
	function->iommu_group = integer(json_object_get(json, "iommu_group"), 0);
	function->numa_node = integer(json_object_get(json, "numa_node"), -1);
	parse_subsystems(function, json_object_get(json, "subsystems"));
	return 0;
}

static int by_name(const void *left, const void *right, void *ctx)
{
	const size_t *a = left, *b = right;
	const char **paths = ctx;

	return strcmp(last_of(paths[*a]), last_of(paths[*b]));
}

static int refuse_twice(const struct source *source, size_t *sorted)
{
	size_t nr = source->machine->nr;

	qsort_r(sorted, nr, sizeof(*sorted), by_name, source->paths);
	for (size_t i = 1; i < nr; i++)
		if (!by_name(&sorted[i - 1], &sorted[i], source->paths))
			return fail(EXIT_OTHER, "%s has %s twice; keep one dump", source->path,
				    last_of(source->paths[sorted[i]]));
	return 0;
}

static int by_path(const void *left, const void *right, void *ctx)
{
	const size_t *a = left, *b = right;
	const char **paths = ctx;

	return strcmp(paths[*a], paths[*b]);
}

/* The function whose path is the first @len bytes of @path; NONE if it is not in the dump. */
static int find_path(const struct source *source, const size_t *sorted, const char *path,
		     size_t len)
{
	size_t low = 0, high = source->machine->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const char *other = source->paths[sorted[mid]];
		int order = strncmp(other, path, len) ?: (other[len] ? 1 : 0);

		if (!order)
			return sorted[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NONE;
}

/* The length of "/pci0000:00", 0 if @at begins otherwise. */
static size_t root_length(const char *at)
{
	size_t prefix = strlen("/pci"), digits;

	if (strncmp(at, "/pci", prefix))
		return 0;
	digits = strspn(at + prefix, HEX_DIGITS);
	if (digits < 4 || digits > 8 || at[prefix + digits] != ':' ||
	    strspn(at + prefix + digits + 1, HEX_DIGITS) != 2)
		return 0;
	return prefix + digits + 3;
}

/* "pci0000:00"; sets *under to the function that it belongs to. */
static bool find_root(const char *path, char *root, char *under)
{
	const char *begin = NULL, *end;
	size_t len;

	/* Its name is printed, so nothing but digits counts */
	for (const char *at = path; (at = strstr(at, "/pci")); at += 4)
		if (root_length(at) && at[root_length(at)] == '/')
			begin = at;
	if (!begin)
		return false;
	len = root_length(begin) - 1;
	memcpy(root, begin + 1, len);
	root[len] = '\0';
	end = begin;
	while (begin > path && begin[-1] != '/')
		begin--;
	len = end - begin;
	strcpy(under, "-");
	if (len < PCI_NAME_LEN) {
		char name[PCI_NAME_LEN] = "";

		memcpy(name, begin, len);
		if (is_pci_name(name))
			strcpy(under, name);
	}
	return true;
}

/* The path of a function begins with that of the bridge above it. */
static int place(struct source *source, const size_t *sorted, size_t index)
{
	struct machine *machine = source->machine;
	const char *path = source->paths[index], *name = last_of(path), *above;
	char root_name[PCI_NAME_LEN], under[PCI_NAME_LEN];
	int depth = 0;
	struct root *root;

	if (!find_root(path, root_name, under))
		return 0;
	for (const char *c = path; *c; c++)
		depth += *c == '/';
	/* Nobody builds that */
	if (depth > MAX_DEPTH || machine->nr_roots > 1024)
		return 0;
	root = machine_add_root(machine, root_name);
	if (!root)
		return fail(EXIT_OTHER, "out of memory");
	strcpy(root->under, under);
	machine->functions[index].root = root - machine->roots;
	if (name == path)
		return 0;
	for (above = name - 1; above > path && above[-1] != '/'; above--)
		;
	if (!strncmp(above, root_name, strlen(root_name)) && above[strlen(root_name)] == '/')
		machine->functions[index].parent = NONE;
	else
		machine->functions[index].parent = find_path(source, sorted, path, name - 1 - path);
	if (machine->functions[index].parent == NONE && strncmp(above, "pci", 3))
		machine->functions[index].parent = UNKNOWN;
	return 0;
}

static int place_all(struct source *source)
{
	size_t nr = source->machine->nr, *sorted = calloc(nr, sizeof(*sorted));
	int rc = 0;

	if (!sorted)
		return fail(EXIT_OTHER, "out of memory");
	for (size_t i = 0; i < nr; i++)
		sorted[i] = i;
	rc = refuse_twice(source, sorted);
	qsort_r(sorted, nr, sizeof(*sorted), by_path, source->paths);
	for (size_t i = 0; i < nr && !rc; i++)
		rc = place(source, sorted, i);
	free(sorted);
	return rc;
}

static int read_functions(struct machine *machine, const json_t *json, const char *path)
{
	struct source source = { .machine = machine, .path = path };
	size_t nr = json_array_size(json);
	int rc = 0;

	if (nr > MAX_FUNCTIONS)
		return fail(EXIT_OTHER, "%s has %zu functions; p2ptrace reads at most %d", path, nr,
			    MAX_FUNCTIONS);
	source.paths = calloc(nr + 1, sizeof(*source.paths));
	if (!source.paths)
		return fail(EXIT_OTHER, "out of memory");
	for (size_t i = 0; i < nr && !rc; i++)
		rc = read_function(&source, i, json_array_get(json, i));
	if (!rc)
		rc = place_all(&source);
	free(source.paths);
	return rc;
}

int rdma_topo_read(struct machine *machine, const char *text, size_t len, const char *path)
{
	json_error_t error;
	json_t *json = json_loadb(text, len, 0, &error);
	const char *bad;
	int rc;

	if (!json)
		/* Jansson's own words have bytes of the file */
		return fail(EXIT_OTHER, "%s, line %d, column %d: this is not JSON; write the dump "
			    "again with 'rdma_topo dump > FILE'", path, error.line, error.column);
	rc = read_functions(machine, json, path);
	json_decref(json);
	if (rc)
		return rc;
	strcpy(machine->source, "rdma_topo dump");
	/* Host bridges are left out */
	machine->partial = true;
	machine_link(machine);
	if (machine_check(machine, &bad))
		return fail(EXIT_OTHER, "%s contradicts itself about what is above %s; write it "
			    "again with 'rdma_topo dump > FILE'", path, bad);
	return 0;
}
