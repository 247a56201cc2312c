// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace peers: which PCI functions can reach the memory of which others; if not, why, and the
 * remedy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/peers_why.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/boot_options.h"
#include "machine/class.h"
#include "machine/decision.h"
#include "machine/dump.h"
#include "machine/live.h"
#include "machine/snapshot.h"

#define MAX_DEVS 32

struct options {
	struct common_options common;
	bool predict, all;
	bool classes[NR_CLASSES], any_class;
	const char *devs[MAX_DEVS];	/* columns */
	size_t nr_devs;
	const char *why[2];	/* provider and client; NULL without --why */
	const char *from;	/* a file */
	const char *kernel;	/* a release */
	const char *expect;	/* a map type */
	struct release release;
};

static int set_why(void *to, const char *value)
{
	struct options *o = to;

	if (o->why[0])
		return fail(EXIT_USAGE, "--why is given twice; give it once");
	o->why[0] = value;
	return 0;
}

static int set_predict(void *to, const char *value)
{
	struct options *o = to;

	(void)value;
	o->predict = true;
	return 0;
}

static int set_all(void *to, const char *value)
{
	struct options *o = to;

	(void)value;
	o->all = true;
	return 0;
}

/* "gpu,nic" */
static int set_class(void *to, const char *value)
{
	struct options *o = to;
	char name[32], names[128] = "";

	for (const char *rest = value; ; rest++) {
		size_t len = strcspn(rest, ",");
		int class;

		snprintf(name, sizeof(name), "%.*s", (int)len, rest);
		class = class_find(name);
		if (class < 0)
			break;
		o->classes[class] = true;
		o->any_class = true;
		rest += len;
		if (!*rest)
			return 0;
	}
	for (int i = 0; i < NR_CLASSES; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 i ? ", " : "", class_name(i));
	return fail(EXIT_USAGE, "--class '%.64s': '%s' is not a class; the classes are %s",
		    value, name, names);
}

static int set_dev(void *to, const char *value)
{
	struct options *o = to;

	if (o->nr_devs == MAX_DEVS)
		return fail(EXIT_USAGE, "--dev is given more than %d times; use --class, or run "
			    "another peers for the rest", MAX_DEVS);
	o->devs[o->nr_devs++] = value;
	return 0;
}

static int set_from(void *to, const char *value)
{
	struct options *o = to;

	if (!*value)
		return fail(EXIT_USAGE, "--from '' is empty; give the name of a file, or - for "
			    "standard input");
	return options_set_text("--from", &o->from, value);
}

static int set_kernel(void *to, const char *value)
{
	struct options *o = to;

	if (release_parse(value, &o->release))
		return fail(EXIT_USAGE, "--kernel '%.64s' is not a release; give one such as 6.12",
			    value);
	return options_set_text("--kernel", &o->kernel, value);
}

static int set_expect(void *to, const char *value)
{
	static const char *const maps[] = {
		MAP_BUS_ADDR, MAP_THRU_HOST_BRIDGE, MAP_NOT_SUPPORTED,
	};
	struct options *o = to;

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (!strcmp(maps[i], value))
			return options_set_text("--expect", &o->expect, value);
	return fail(EXIT_USAGE, "--expect '%.64s' is not a map type; those are %s, %s and %s",
		    value, maps[0], maps[1], maps[2]);
}

static int set_argument(void *to, const char *value)
{
	struct options *o = to;

	if (!o->why[0] || o->why[1])
		return fail(EXIT_USAGE, "unexpected argument '%s'; see 'p2ptrace peers --help'",
			    value);
	o->why[1] = value;
	return 0;
}

static const struct arg_option question_options[] = {
	{ "why", 0, "PROVIDER CLIENT",
	  "Explain one pair: the path, what is in the way, and the remedy", set_why },
	{ "expect", 0, "MAP",
	  "With --why, fail (exit status 1) unless the map type is this one", set_expect },
	{ "kernel", 0, "RELEASE",
	  "Predict what a kernel of this release decides, such as 6.12", set_kernel },
	{ "predict", 0, NULL,
	  "Predict the decisions even if this kernel reports them", set_predict },
	{ "from", 0, "FILE",
	  "Read another machine from a file: the output of 'p2ptrace snapshot', 'lspci -D -xxxx', "
	  "'lspci -D -vvv' or 'rdma_topo dump'; - is standard input", set_from },
	{}
};

static const struct arg_option selection_options[] = {
	{ "all", 0, NULL, "Show all functions that are not bridges", set_all },
	{ "class", 0, "CLASS,...",
	  "Show the functions of these classes: gpu, accel, nvme, nic, memory, other, bridge",
	  set_class },
	{ "dev", 0, "DEVICE",
	  "Show only this provider (column); may be repeated", set_dev },
	{}
};

static const struct arg_group groups[] = {
	{ "Question", question_options },
	{ "Selection", selection_options },
	{ "Output", options_json },
	{ "General", options_help },
	{}
};

static const struct args args = {
	.usage = "",
	.summary = "Show which PCI functions (clients, rows) can reach the memory of which others "
		   "(providers, columns), and by which path.",
	.groups = groups,
	.argument = set_argument,
	.notes = "Map types: bus_addr is a direct path through a switch. thru_host_bridge leads up "
		 "to the host bridge and down again. not_supported means that the kernel refuses "
		 "the pair. unknown means that a fact is missing; --why names it.\n\n"
		 "Proximity, as nvidia-smi topo -m has it: PIX at most one switch, PXB several "
		 "switches, PHB the same host bridge, NODE two host bridges of one NUMA node, SYS "
		 "two NUMA nodes.\n\n"
		 "A function has its PCI name (0000:01:00.0) and the names of its drivers (nvme0, "
		 "eth0, mlx5_0, card1). No function needs to provide memory now, and no kernel "
		 "option is needed. A kernel that reports its decisions is asked; for others, "
		 "p2ptrace predicts them. Querying has no side effects.\n",
	.exit_status = "Exit status: 0 fine, whatever the answer; 1 the map type is not the one of "
		       "--expect; 2 bad usage, 3 these privileges cannot do it, 4 any other error.",
	.examples = "  p2ptrace peers\n"
		    "  p2ptrace peers --class gpu,nic\n"
		    "  p2ptrace peers --why 0000:01:00.0 0000:02:00.0\n"
		    "  p2ptrace peers --why nvme0 eth0 --expect bus_addr\n"
		    "  p2ptrace peers --json --why nvme0 mlx5_0 | jq .map\n"
		    "  p2ptrace peers --kernel 7.3 --from snapshot.json\n",
};

struct matrix {
	const struct machine *machine;
	struct release release;
	int *rows, *columns;	/* indices of functions */
	size_t nr_rows, nr_columns;
	struct end_facts *row_ends, *column_ends;
	size_t hidden;		/* functions that are not bridges and not shown */
};

#define MAX_LISTED 8

/* "0000:01:00.0, 0000:02:00.0 and 3 more" */
static void list_functions(char *text, size_t size, const struct machine *machine,
			   const int *found, size_t nr)
{
	size_t used = 0;

	for (size_t i = 0; i < nr && i < MAX_LISTED; i++)
		used += snprintf(text + used, size - used, "%s%s", i ? ", " : "",
				 machine->functions[found[i]].name);
	if (nr > MAX_LISTED)
		snprintf(text + used, size - used, " and %zu more", nr - MAX_LISTED);
}

/* Says which function a user means. Returns its index, or -1 after an error message. */
static int find_function(const struct machine *machine, const char *option, const char *name)
{
	int found[MAX_LISTED];
	size_t nr = machine_find_all(machine, name, found, MAX_LISTED);
	char shown[64], list[MAX_LISTED * (PCI_NAME_LEN + 2) + 32];

	if (nr == 1)
		return found[0];
	text_printable(shown, sizeof(shown), name, strlen(name));
	if (nr) {
		list_functions(list, sizeof(list), machine, found, nr);
		(void)!fail(EXIT_USAGE, "%s '%s' names several functions: %s; give the full PCI "
			    "name of one", option, shown, list);
	} else {
		(void)!fail(EXIT_USAGE, "%s '%s' is not a PCI function of this machine; it takes a "
			    "PCI name (0000:01:00.0) or a name of a device (nvme0, eth0): see the "
			    "list that --all prints", option, shown);
	}
	return -1;
}

static bool is_shown(const struct function *function, const struct options *o)
{
	enum device_class class = function_class(function);

	if (o->any_class)
		return o->classes[class];
	if (o->all)
		return class != CLASS_bridge;
	return function_matters(function);
}

static int by_class(const void *a, const void *b, void *ctx)
{
	const struct machine *machine = ctx;
	const struct function *x = &machine->functions[*(const int *)a];
	const struct function *y = &machine->functions[*(const int *)b];
	int difference = (int)function_class(x) - (int)function_class(y);

	return difference ?: strverscmp(x->name, y->name);
}

static bool is_column(const struct matrix *matrix, int function)
{
	for (size_t i = 0; i < matrix->nr_columns; i++)
		if (matrix->columns[i] == function)
			return true;
	return false;
}

/* Returns 0 or an exit status. matrix_free() is needed in any case. */
static int matrix_select(struct matrix *matrix, const struct options *o)
{
	const struct machine *machine = matrix->machine;

	matrix->rows = calloc(machine->nr + 1, sizeof(int));
	matrix->columns = calloc(machine->nr + MAX_DEVS, sizeof(int));
	if (!matrix->rows || !matrix->columns)
		return fail(EXIT_OTHER, "out of memory");
	for (size_t i = 0; i < machine->nr; i++) {
		const struct function *function = &machine->functions[i];

		if (is_shown(function, o))
			matrix->rows[matrix->nr_rows++] = i;
		else if (function_class(function) != CLASS_bridge)
			matrix->hidden++;
	}
	qsort_r(matrix->rows, matrix->nr_rows, sizeof(int), by_class, (void *)machine);
	for (size_t i = 0; i < o->nr_devs; i++) {
		int index = find_function(machine, "--dev", o->devs[i]);

		if (index < 0)
			return EXIT_USAGE;
		if (!is_column(matrix, index))
			matrix->columns[matrix->nr_columns++] = index;
	}
	if (!o->nr_devs) {
		memcpy(matrix->columns, matrix->rows, matrix->nr_rows * sizeof(int));
		matrix->nr_columns = matrix->nr_rows;
	}
	matrix->row_ends = end_facts_find_all(machine, matrix->rows, matrix->nr_rows);
	matrix->column_ends = end_facts_find_all(machine, matrix->columns, matrix->nr_columns);
	if (!matrix->row_ends || !matrix->column_ends)
		return fail(EXIT_OTHER, "out of memory");
	return 0;
}

static void matrix_free(struct matrix *matrix)
{
	free(matrix->rows);
	free(matrix->columns);
	free(matrix->row_ends);
	free(matrix->column_ends);
}

/* What the cells of a matrix use, for the legend. */
struct legend {
	bool bus, host, no, unknown, translated;
};

/* "bus PIX*" */
static void cell_text(char *cell, size_t size, const struct pair *pair, struct legend *legend)
{
	const struct function *client = &pair->machine->functions[pair->client];
	const char *map = pair_map(pair), *word = map, *mark = "";

	if (pair->provider == pair->client) {
		snprintf(cell, size, "-");
		return;
	}
	if (!strcmp(map, MAP_BUS_ADDR)) {
		legend->bus = true;
		word = "bus";
		mark = function_translates(client) ? "*" : "";
		legend->translated |= function_translates(client);
	} else if (!strcmp(map, MAP_THRU_HOST_BRIDGE)) {
		legend->host = true;
		word = "host";
	} else if (!strcmp(map, MAP_NOT_SUPPORTED)) {
		legend->no = true;
		word = "no";
	} else if (!strcmp(map, MAP_UNKNOWN)) {
		legend->unknown = true;
		word = "?";
	}
	snprintf(cell, size, "%s%s %s", word, mark,
		 proximity(pair->machine, pair->provider, pair->client));
}

/* "mlx5_0,eth0"; "-" for a function without names. */
static void names_text(char *text, size_t size, const struct function *function)
{
	size_t used = 0;

	snprintf(text, size, "-");
	for (size_t i = 0; i < function->nr_names && used < size; i++)
		used += snprintf(text + used, size - used, "%s%s", i ? "," : "",
				 function->names[i]);
}

#define NAMES_LEN (MAX_NAMES * (PCI_NAME_LEN + 1))
#define CELL_WIDTH 10

static int names_width(const struct matrix *matrix)
{
	int width = strlen("known as");
	char names[NAMES_LEN];

	for (size_t i = 0; i < matrix->nr_rows; i++) {
		names_text(names, sizeof(names), &matrix->machine->functions[matrix->rows[i]]);
		if ((int)strlen(names) > width)
			width = strlen(names);
	}
	return width;
}

static void print_row(const struct matrix *matrix, size_t row, int width, struct legend *legend)
{
	const struct function *function = &matrix->machine->functions[matrix->rows[row]];
	char names[NAMES_LEN], cell[32], numa[16] = "?";
	struct pair pair;

	names_text(names, sizeof(names), function);
	if (function->numa_node == NONE)
		strcpy(numa, "-");
	else if (function->numa_node >= 0)
		snprintf(numa, sizeof(numa), "%d", function->numa_node);
	print("%3zu %-13s %-6s %-*s %-4s", row + 1, function->name,
	      class_name(function_class(function)), width, names, numa);
	for (size_t i = 0; i < matrix->nr_columns; i++) {
		pair_set_ends(&pair, matrix->machine, &matrix->release, &matrix->column_ends[i],
			      &matrix->row_ends[row]);
		cell_text(cell, sizeof(cell), &pair, legend);
		print(" %-*s", i + 1 < matrix->nr_columns ? CELL_WIDTH : 0, cell);
	}
	print("\n");
}

/* The number of a column: that of the row with the same function, or its PCI name. */
static void column_head(char *head, size_t size, const struct matrix *matrix, int function)
{
	for (size_t i = 0; i < matrix->nr_rows; i++) {
		if (matrix->rows[i] == function) {
			snprintf(head, size, "%zu", i + 1);
			return;
		}
	}
	snprintf(head, size, "%s", matrix->machine->functions[function].name);
}

static void print_legend(const struct matrix *matrix, const struct legend *legend)
{
	print("\n");
	if (legend->bus)
		print("bus   bus_addr: direct, through a switch\n");
	if (legend->host)
		print("host  thru_host_bridge: up to the host bridge and down again\n");
	if (legend->no)
		print("no    not_supported: the kernel refuses this pair\n");
	if (legend->unknown)
		print("?     unknown: a fact is missing\n");
	if (legend->translated)
		print("*     the client's addresses go through an IOMMU that translates, so some "
		      "drivers\n      use the longer path through the root complex\n");
	print("Rows are clients; columns are providers, by the number of their row.\n");
	print("PIX at most one switch, PXB several switches, PHB one host bridge, NODE one NUMA "
	      "node,\nSYS two NUMA nodes, ? unknown\n");
	if (matrix->hidden)
		print("%zu other function%s: add --all\n", matrix->hidden,
		      PLURAL(matrix->hidden));
	print("For the reason and the remedy of a pair, add --why PROVIDER CLIENT\n");
}

static void note_problem(void *ctx, const char *sentence)
{
	(void)ctx;
	print("caution: %s\n", sentence);
}

/* What holds for all pairs. */
static void print_cautions(const struct machine *machine)
{
	if (machine->p2pdma == ABSENT)
		note_problem(NULL, "this kernel was built without CONFIG_PCI_P2PDMA, so no driver "
			     "can use any of these paths");
	if (guest_of(machine))
		print("caution: this %s a virtual machine: the topology is made up by the "
		      "hypervisor, and the host decides where the requests go\n",
		      guest_verb(machine));
	boot_options_check(machine, note_problem, NULL);
}

static void matrix_text(const struct matrix *matrix, bool some_reported)
{
	struct legend legend = {};
	int width = names_width(matrix);
	char head[64];

	if (!matrix->nr_rows || !matrix->nr_columns) {
		print("no PCI function is selected, of %zu; add --all or --class\n",
		      matrix->machine->nr);
		return;
	}
	release_words(head, sizeof(head), &matrix->release);
	if (some_reported)
		print("What the kernel decides, where it reports it; otherwise predicted by the "
		      "rules of %s.\n\n", head);
	else
		print("Predicted by the rules of %s.\n\n", head);
	print("    %-13s %-6s %-*s %-4s", "client", "class", width, "known as", "NUMA");
	for (size_t i = 0; i < matrix->nr_columns; i++) {
		column_head(head, sizeof(head), matrix, matrix->columns[i]);
		print(" %-*s", i + 1 < matrix->nr_columns ? CELL_WIDTH : 0, head);
	}
	print("\n");
	for (size_t i = 0; i < matrix->nr_rows; i++)
		print_row(matrix, i, width, &legend);
	print_legend(matrix, &legend);
	print_cautions(matrix->machine);
}

static void json_problem(void *ctx, const char *sentence)
{
	json_str(ctx, NULL, sentence);
}

static void matrix_json(const struct matrix *matrix)
{
	const struct machine *machine = matrix->machine;
	struct buffer *out = print_buffer();
	struct pair pair;

	json_open(out, NULL, '{');
	machine_json(out, machine);
	rules_json(out, &matrix->release);
	json_open(out, "problems", '[');
	boot_options_check(machine, json_problem, out);
	json_close(out, ']');
	json_open(out, "functions", '[');
	for (size_t i = 0; i < matrix->nr_rows; i++)
		function_json(out, machine, &machine->functions[matrix->rows[i]]);
	json_close(out, ']');
	json_open(out, "pairs", '[');
	for (size_t c = 0; c < matrix->nr_columns; c++) {
		for (size_t r = 0; r < matrix->nr_rows; r++) {
			pair_set_ends(&pair, machine, &matrix->release, &matrix->column_ends[c],
				      &matrix->row_ends[r]);
			json_open(out, NULL, '{');
			pair_json(out, &pair);
			json_close(out, '}');
		}
	}
	json_close(out, ']');
	json_close(out, '}');
	print("\n");
}

static int show_matrix(const struct machine *machine, const struct options *o)
{
	struct matrix matrix = { .machine = machine, .release = o->release };
	int rc = matrix_select(&matrix, o);

	if (!rc && o->common.json)
		matrix_json(&matrix);
	else if (!rc)
		matrix_text(&matrix, machine->nr_reported);
	matrix_free(&matrix);
	return rc;
}

static int explain(const struct machine *machine, const struct options *o)
{
	int provider, client, rc;
	struct pair pair;

	provider = find_function(machine, "PROVIDER", o->why[0]);
	if (provider < 0)
		return EXIT_USAGE;
	client = find_function(machine, "CLIENT", o->why[1]);
	if (client < 0)
		return EXIT_USAGE;
	pair_set(&pair, machine, &o->release, provider, client);
	/* On stderr: the answer itself is the same as on that machine, byte for byte */
	if (o->from)
		note("all commands are for the machine that was recorded, not for this one");
	rc = o->common.json ? why_json(&pair) : why_text(&pair);
	if (!rc && o->expect && strcmp(pair_map(&pair), o->expect))
		rc = fail(EXIT_CHECK, "the map type is %s, not %s as --expect wants",
			  pair_map(&pair), o->expect);
	return rc;
}

static int load(struct machine *machine, struct options *o)
{
	int rc = o->from ? machine_read_file(machine, o->from) :
			   machine_read_live(machine, &LIVE_ROOTS);

	if (rc)
		return rc;
	if (!machine->nr)
		return fail(o->from ? EXIT_OTHER : EXIT_KERNEL, "%s has no PCI functions%s",
			    o->from ? o->from : "this machine", o->from ?
			    "; record it again, with 'p2ptrace snapshot'" : "");
	/* The kernel only reports by its own rules */
	if (o->predict || o->kernel)
		machine->nr_reported = 0;
	machine_sort_reported(machine);
	if (!o->kernel && release_parse(machine->kernel, &o->release))
		o->release = (struct release){};
	return 0;
}

int cmd_peers(int argc, char **argv)
{
	struct options o = {};
	struct machine machine;
	int rc;

	if (!options_parse(&args, argc, argv, &o.common, &rc))
		return rc;
	if (o.why[0] && !o.why[1])
		return fail(EXIT_USAGE, "--why takes a provider and a client, such as "
			    "--why nvme0 0000:02:00.0");
	if (o.why[0] && (o.all || o.any_class || o.nr_devs))
		return fail(EXIT_USAGE, "--all, --class and --dev select what the matrix shows; "
			    "leave them out with --why");
	if (o.expect && !o.why[0])
		return fail(EXIT_USAGE, "--expect is about one pair; add --why PROVIDER CLIENT");
	machine_init(&machine);
	rc = load(&machine, &o);
	if (!rc)
		rc = o.why[0] ? explain(&machine, &o) : show_matrix(&machine, &o);
	machine_free(&machine);
	return rc;
}
