/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads drawings of PCI trees, with what is expected of them, into machines. A line that is not
 * understood is an error.
 *
 *	case NAME
 *	  root pciDOMAIN:BUS [under=FUNCTION]	a host bridge; under: it belongs to FUNCTION (VMD)
 *	    BUS:DEV.FN TYPE VENDOR:DEVICE [acs=0xNN] [vf=FUNCTION] [ff]
 *	      ...				indented below the bridge that leads to it
 *	  like NAME with acs=0xNN on FUNCTION...	another drawing, changed
 *	  cpu KIND kernel VERSION		for the lines below
 *	  and with cpu KIND
 *	  expect A B: MAP DISTANCE REASON [PORT;PORT...]
 *	  expect A B: unknown ...		followed by a remark
 *	  ask TEXT				what the person wanted to know; not read
 *
 * Types: host, rp (root port), up and dn (ports of a switch), ep, legep (legacy), rciep (integrated
 * into the root complex), pci, and to-pci and from-pci (bridges). acs is the ACS control register;
 * without it, a function has no such capability. ff: its config space reads all ones.
 */
#ifndef DRAWING_H
#define DRAWING_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/decide.h"
#include "machine/devices.h"

struct expectation {
	char a[PCI_NAME_LEN], b[PCI_NAME_LEN];
	char cpu[16];
	char kernel[16];
	char map[WORD_LEN], reason[WORD_LEN], ports[256];
	int distance;
};

struct drawing {
	char name[64];
	struct machine machine;
	struct expectation expect[8];
	size_t nr;
};

struct drawings {
	struct drawing all[32];
	size_t nr;
};

static const struct {
	const char *word;
	enum function_type type;
	enum presence bridge;
} drawing_types[] = {
	{ "host", TYPE_PCI, ABSENT },
	{ "pci", TYPE_PCI, ABSENT },
	{ "rp", TYPE_ROOT_PORT, PRESENT },
	{ "up", TYPE_UPSTREAM, PRESENT },
	{ "dn", TYPE_DOWNSTREAM, PRESENT },
	{ "to-pci", TYPE_TO_PCI, PRESENT },
	{ "from-pci", TYPE_FROM_PCI, PRESENT },
	{ "ep", TYPE_ENDPOINT, ABSENT },
	{ "legep", TYPE_LEGACY_ENDPOINT, ABSENT },
	{ "rciep", TYPE_RC_ENDPOINT, ABSENT },
};

/* What /proc/cpuinfo and uname say. False for a kind that is not known here. */
static inline bool drawing_set_cpu(struct machine *machine, const char *kind)
{
	static const struct {
		const char *kind, *arch, *vendor;
		int family;
	} cpus[] = {
		{ "intel", "x86_64", "GenuineIntel", 6 },
		{ "zen", "x86_64", "AuthenticAMD", 0x19 },
		{ "old-amd", "x86_64", "AuthenticAMD", 0x15 },
		{ "hygon", "x86_64", "HygonGenuine", 0x18 },
		{ "arm", "aarch64", "-", UNKNOWN },
	};

	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		if (strcmp(cpus[i].kind, kind))
			continue;
		strcpy(machine->arch, cpus[i].arch);
		strcpy(machine->cpu_vendor, cpus[i].vendor);
		machine->cpu_family = cpus[i].family;
		return true;
	}
	return false;
}

static inline bool drawing_set_type(struct function *function, const char *word)
{
	for (size_t i = 0; i < sizeof(drawing_types) / sizeof(drawing_types[0]); i++) {
		if (strcmp(drawing_types[i].word, word))
			continue;
		function->type = drawing_types[i].type;
		function->bridge = drawing_types[i].bridge;
		return true;
	}
	return false;
}

/* A number like 0x1d or 0. */
static inline bool drawing_number(const char *text, uint16_t *number)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 0);
	if (end == text || *end || value > 0xffff)
		return false;
	*number = value;
	return true;
}

/* The words behind the type and the ids of a function. */
static inline bool drawing_attribute(struct function *function, const char *word)
{
	if (!strncmp(word, "acs=", 4)) {
		function->acs.presence = PRESENT;
		return drawing_number(word + 4, &function->acs.ctrl);
	}
	if (!strncmp(word, "vf=", 3))
		return !pci_name_parse(word + 3, function->physfn, sizeof(function->physfn));
	if (strcmp(word, "ff"))
		return false;
	function->config = CONFIG_ALL_ONES;
	function->type = TYPE_UNKNOWN;
	function->acs.presence = PRESENCE_UNKNOWN;
	return true;
}

/* The indices of the functions that the next line may be below, by their indentation. */
struct drawing_stack {
	int root;		/* NONE before the first one */
	int function[MAX_DEPTH];
	size_t depth;
};

static inline bool drawing_function(struct machine *machine, struct drawing_stack *stack,
				    size_t depth, char *line)
{
	char name[PCI_NAME_LEN], *save, *word = strtok_r(line, " ", &save);
	struct function *function;
	unsigned int vendor, device;
	int n;

	if (stack->root == NONE || depth > stack->depth || depth == MAX_DEPTH || !word ||
	    pci_name_parse(word, name, sizeof(name)) || machine_find(machine, name))
		return false;
	function = machine_add_function(machine, name);
	if (!function)
		return false;
	function->root = stack->root;
	function->parent = depth ? stack->function[depth - 1] : NONE;
	function->config = CONFIG_COMPLETE;
	function->acs.presence = ABSENT;
	strcpy(function->physfn, "-");
	word = strtok_r(NULL, " ", &save);
	if (!word || !drawing_set_type(function, word))
		return false;
	word = strtok_r(NULL, " ", &save);
	if (!word || sscanf(word, "%4x:%4x%n", &vendor, &device, &n) != 2 || word[n])
		return false;
	function->vendor = vendor;
	function->device = device;
	while ((word = strtok_r(NULL, " ", &save)))
		if (!drawing_attribute(function, word))
			return false;
	stack->function[depth] = machine_index(machine, function);
	stack->depth = depth + 1;
	return true;
}

static inline bool drawing_root(struct machine *machine, struct drawing_stack *stack,
				const char *text)
{
	char name[PCI_NAME_LEN], under[PCI_NAME_LEN] = "", rest[2];
	int n = sscanf(text, "%31s under=%31s %1s", name, under, rest);
	size_t nr = machine->nr_roots;
	struct root *root;

	if ((n != 1 && n != 2) || strncmp(name, "pci", 3) || strlen(text) < 10)
		return false;
	root = machine_add_root(machine, name);
	if (!root || machine->nr_roots == nr)
		return false;
	strcpy(root->under, "-");
	if (n == 2 && pci_name_parse(under, root->under, sizeof(root->under)))
		return false;
	if (n == 1 && strchr(text, ' '))
		return false;
	stack->root = root - machine->roots;
	stack->depth = 0;
	return true;
}

/* Functions and roots only. */
static inline bool drawing_copy(struct machine *to, const struct machine *from)
{
	for (size_t i = 0; i < from->nr_roots; i++) {
		struct root *root = machine_add_root(to, from->roots[i].name);

		if (!root)
			return false;
		*root = from->roots[i];
	}
	for (size_t i = 0; i < from->nr; i++) {
		struct function *function = machine_add_function(to, from->functions[i].name);

		if (!function)
			return false;
		*function = from->functions[i];
	}
	return true;
}

static inline bool drawing_like(struct drawings *drawings, struct drawing *drawing, char *text)
{
	char name[PCI_NAME_LEN], *save, *word = strtok_r(text, " ", &save);
	const struct drawing *like = NULL;
	struct function *function;
	uint16_t acs;

	for (size_t i = 0; word && i + 1 < drawings->nr; i++)
		if (!strcmp(drawings->all[i].name, word))
			like = &drawings->all[i];
	if (!like || !drawing_copy(&drawing->machine, &like->machine))
		return false;
	word = strtok_r(NULL, " ", &save);
	if (!word || strcmp(word, "with"))
		return false;
	word = strtok_r(NULL, " ", &save);
	if (!word || strncmp(word, "acs=", 4) || !drawing_number(word + 4, &acs))
		return false;
	word = strtok_r(NULL, " ", &save);
	if (!word || strcmp(word, "on"))
		return false;
	while ((word = strtok_r(NULL, " ", &save))) {
		if (pci_name_parse(word, name, sizeof(name)))
			return false;
		function = machine_find(&drawing->machine, name);
		if (!function || function->acs.presence != PRESENT)
			return false;
		function->acs.ctrl = acs;
	}
	return true;
}

static inline bool drawing_is_map(const char *map)
{
	return !strcmp(map, MAP_BUS_ADDR) || !strcmp(map, MAP_THRU_HOST_BRIDGE) ||
	       !strcmp(map, MAP_NOT_SUPPORTED);
}

static inline bool drawing_expect(struct drawing *drawing, const char *cpu, const char *kernel,
				  const char *text)
{
	struct expectation *expect = &drawing->expect[drawing->nr];
	char a[PCI_NAME_LEN], b[PCI_NAME_LEN], rest[2];
	int n;

	if (drawing->nr == sizeof(drawing->expect) / sizeof(drawing->expect[0]) || !*cpu)
		return false;
	memset(expect, 0, sizeof(*expect));
	strcpy(expect->cpu, cpu);
	strcpy(expect->kernel, kernel);
	n = sscanf(text, "%31s %31[^ ] %47s %d %47s %255s %1s", a, b, expect->map,
		   &expect->distance, expect->reason, expect->ports, rest);
	if (n < 3 || strlen(b) < 2 || b[strlen(b) - 1] != ':')
		return false;
	b[strlen(b) - 1] = '\0';
	if (pci_name_parse(a, expect->a, sizeof(expect->a)) ||
	    pci_name_parse(b, expect->b, sizeof(expect->b)) ||
	    !machine_find(&drawing->machine, expect->a) ||
	    !machine_find(&drawing->machine, expect->b))
		return false;
	drawing->nr++;
	if (n == 3)
		return !strcmp(expect->map, MAP_UNKNOWN);
	return (n == 5 || n == 6) && drawing_is_map(expect->map) && reason_find(expect->reason);
}

/* The word that a line begins with. Returns what follows; NULL if it is another word. */
static inline char *drawing_word(char *line, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(line, word, len) && line[len] == ' ' ? &line[len + 1] : NULL;
}

struct drawing_reader {
	struct drawings *drawings;
	struct drawing *drawing;	/* the last one; NULL */
	struct drawing_stack stack;
	char cpu[16], kernel[16];	/* "" before they are named */
	bool asking;			/* text that continues belongs to an ask line */
};

static inline bool drawing_case(struct drawing_reader *reader, const char *name)
{
	struct drawings *drawings = reader->drawings;

	if (drawings->nr == sizeof(drawings->all) / sizeof(drawings->all[0]) ||
	    strlen(name) >= sizeof(drawings->all[0].name) || strchr(name, ' '))
		return false;
	reader->drawing = &drawings->all[drawings->nr++];
	memset(reader->drawing, 0, sizeof(*reader->drawing));
	strcpy(reader->drawing->name, name);
	machine_init(&reader->drawing->machine);
	reader->drawing->machine.ordered = true;
	reader->stack.root = NONE;
	reader->stack.depth = 0;
	*reader->cpu = *reader->kernel = '\0';
	return true;
}

static inline bool drawing_cpu(struct drawing_reader *reader, const char *text)
{
	struct machine nobody;
	struct release release;
	char rest[2];
	int n = sscanf(text, "%15s kernel %15s %1s", reader->cpu, reader->kernel, rest);

	machine_init(&nobody);
	return n == 2 && drawing_set_cpu(&nobody, reader->cpu) &&
	       !release_parse(reader->kernel, &release);
}

static inline bool drawing_and_cpu(struct drawing_reader *reader, const char *text)
{
	struct machine nobody;
	char rest[2];

	machine_init(&nobody);
	return *reader->kernel && sscanf(text, "%15s %1s", reader->cpu, rest) == 1 &&
	       drawing_set_cpu(&nobody, reader->cpu);
}

static inline bool drawing_line(struct drawing_reader *reader, char *line)
{
	size_t indent = strspn(line, " ");
	bool asking = reader->asking;
	char *text;

	if (!line[indent] || line[indent] == '#')
		return true;
	if (asking && indent > 2)
		return true;
	reader->asking = false;
	text = drawing_word(line, "case");
	if (text)
		return drawing_case(reader, text);
	if (!reader->drawing || indent < 2 || indent % 2)
		return false;
	line += indent;
	if (indent > 2)
		return drawing_function(&reader->drawing->machine, &reader->stack, indent / 2 - 2,
					line);
	text = drawing_word(line, "root");
	if (text)
		return drawing_root(&reader->drawing->machine, &reader->stack, text);
	text = drawing_word(line, "like");
	if (text)
		return drawing_like(reader->drawings, reader->drawing, text);
	text = drawing_word(line, "cpu");
	if (text)
		return drawing_cpu(reader, text);
	text = drawing_word(line, "and with cpu");
	if (text)
		return drawing_and_cpu(reader, text);
	text = drawing_word(line, "expect");
	if (text)
		return drawing_expect(reader->drawing, reader->cpu, reader->kernel, text);
	reader->asking = drawing_word(line, "ask");
	return reader->asking;
}

/*
 * Returns 0, or the number of the line that is not understood. Call drawings_free() in any case,
 * and free() for @drawings itself, which is large.
 */
static inline int drawings_read(struct drawings *drawings, FILE *file)
{
	struct drawing_reader reader = { .drawings = drawings };
	char *line = NULL;
	size_t size = 0;
	int bad = 0;

	drawings->nr = 0;
	for (int number = 1; !bad && getline(&line, &size, file) > 0; number++) {
		line[strcspn(line, "\n")] = '\0';
		if (!drawing_line(&reader, line))
			bad = number;
	}
	free(line);
	return bad;
}

static inline void drawings_free(struct drawings *drawings)
{
	for (size_t i = 0; i < drawings->nr; i++)
		machine_free(&drawings->all[i].machine);
	drawings->nr = 0;
}

/* tests/field/cases.txt; NULL if it cannot be opened. */
static inline FILE *drawings_open_cases(void)
{
	static const char here[] = "unit/machine/drawing.h", cases[] = "field/cases.txt";
	char path[256];

	snprintf(path, sizeof(path), "%.*s%s", (int)(strlen(__FILE__) - strlen(here)), __FILE__,
		 cases);
	return fopen(path, "r");
}

#endif /* DRAWING_H */
