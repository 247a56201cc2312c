// SPDX-License-Identifier: GPL-2.0
/*
 * compare KERNEL RELEASE CASES SEED TREES - compare p2ptrace's decisions with the kernel's own code
 *
 * KERNEL is kernel.c as a shared object, CASES a file of drawings. Compares all pairs of functions
 * of each drawing, with each CPU, and of TREES random trees. Then hides random facts from p2ptrace:
 * what it still decides must be the same. Prints how many pairs there were, by map type, or what
 * differs. Exit status: 0, 1 if anything differs, 2 for anything else.
 */
#include <dlfcn.h>

#include "../unit/machine/drawing.h"
#include "kernel.h"

static void (*build)(const struct kernel_machine *machine);
static void (*kernel)(int provider, int client, struct kernel_decision *decision);

static struct release release;
static struct {
	unsigned long long pairs, bus_addr, thru_host_bridge, not_supported, ports;
	unsigned long long hidden, unknown;
} count;

static const char *const cpus[] = { "intel", "zen", "old-amd", "hygon", "arm" };

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static void die(const char *what)
{
	fprintf(stderr, "compare: %s\n", what);
	exit(2);
}

/* splitmix64 */
static uint64_t state;

static uint64_t random_number(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned int below(unsigned int n)
{
	return random_number() % n;
}

static bool percent(unsigned int n)
{
	return below(100) < n;
}

/*
 * A random tree. Functions are made from the root buses down, each after the bridge above it and
 * after its physical function.
 */
enum { MAX_NODES = 40, MAX_ROOTS = 4 };

struct node {
	struct function function;	/* parent and root are nodes and roots of the tree */
	unsigned int domain, bus, slot;
	int physfn;			/* a node; NONE */
	size_t depth;
};

struct tree {
	struct node nodes[MAX_NODES];
	size_t nr, limit, nr_roots;
	unsigned int domains[MAX_ROOTS], buses[MAX_ROOTS];
	unsigned int next_bus[MAX_ROOTS];	/* of the domain; see new_bus() */
};

static struct tree tree;

/* Ids of the kernel's list, and others. */
static void set_ids(struct function *function)
{
	const struct known_bridge *known = &known_bridges[below(nr_known_bridges)];

	function->vendor = percent(70) ? known->vendor : 0x1b36;
	function->device = percent(90) && known->device != NONE ? known->device :
			   (int)below(0x10000);
}

static void set_acs(struct function *function, unsigned int likely)
{
	static const uint16_t ctrl[] = { 0x00, 0x00, 0x1d, 0x0c, 0x04, 0x08, 0x20, 0x53, 0xffff };

	function->acs.presence = ABSENT;
	if (!percent(likely))
		return;
	function->acs.presence = PRESENT;
	function->acs.ctrl = percent(60) ? 0 : ctrl[below(LEN(ctrl))];
}

static struct node *add_node(int parent, int root, unsigned int bus, unsigned int slot,
			     const char *type)
{
	struct node *node = &tree.nodes[tree.nr];

	if (tree.nr == tree.limit)
		return NULL;
	*node = (struct node){ .physfn = NONE, .domain = tree.domains[root], .bus = bus };
	node->slot = slot;
	node->function.parent = parent;
	node->function.root = root;
	node->function.config = CONFIG_COMPLETE;
	if (!drawing_set_type(&node->function, type))
		die("no such type");
	node->depth = parent == NONE ? 1 : tree.nodes[parent].depth + 1;
	strcpy(node->function.physfn, "-");
	snprintf(node->function.name, sizeof(node->function.name), "%04x:%02x:%02x.%x",
		 node->domain, bus, slot >> 3, slot & 7);
	set_ids(&node->function);
	set_acs(&node->function, node->function.bridge == PRESENT ? 80 :
		node->function.type == TYPE_PCI ? 0 : 25);
	tree.nr++;
	return node;
}

/* The next free bus number in the domain of a root. */
static bool new_bus(int root, unsigned int *bus)
{
	for (int i = 0; i <= root; i++) {
		if (tree.domains[i] != tree.domains[root])
			continue;
		*bus = tree.next_bus[i]++;
		return *bus < 0x100;
	}
	return false;
}

/* Virtual functions, on the bus of their physical one or on a bus of their own. */
static void add_virtual(int physfn, unsigned int slot)
{
	const struct node *node = &tree.nodes[physfn];
	unsigned int nr = 1 + below(3), bus = node->bus;
	int root = node->function.root;

	if (percent(40)) {
		if (!new_bus(root, &bus))
			return;
		slot = below(8);
	}
	for (unsigned int i = 0; i < nr && slot + i < 256; i++) {
		struct node *virtual = add_node(node->function.parent, root, bus, slot + i, "ep");

		if (!virtual)
			return;
		virtual->physfn = physfn;
		strcpy(virtual->function.physfn, node->function.name);
		set_acs(&virtual->function, 10);
	}
}

/* One device, with several functions or one. */
static void add_endpoints(int parent, int root, unsigned int bus, unsigned int slot,
			  const char *type)
{
	unsigned int nr = percent(60) ? 1 : 1 + below(4);
	int first = NONE;

	for (unsigned int i = 0; i < nr; i++) {
		struct node *node = add_node(parent, root, bus, slot + i, type);

		if (!node)
			return;
		if (first == NONE)
			first = node - tree.nodes;
	}
	if (percent(20) && strcmp(type, "pci"))
		add_virtual(first, (slot & 0xf8) + 8 * (bus != tree.buses[root]) + nr);
}

/* Adds functions to the bus below a bridge. */
static void add_below(int parent)
{
	const struct node *node = &tree.nodes[parent];
	enum function_type type = node->function.type;
	unsigned int bus, slot = 0;
	int root = node->function.root;

	if (!new_bus(root, &bus))
		return;
	if (type == TYPE_UPSTREAM) {
		for (unsigned int n = 1 + below(4); n; n--, slot += 8)
			add_node(parent, root, bus, slot, "dn");
	} else if (type == TYPE_TO_PCI) {
		for (unsigned int n = 1 + below(3); n; n--, slot += 8 * (1 + below(3)))
			add_endpoints(parent, root, bus, slot, "pci");
	} else if (node->depth < 9 && percent(35)) {
		add_node(parent, root, bus, 0, "up");
		/* The function with which a switch is managed */
		if (percent(20))
			add_node(parent, root, bus, 1, "ep");
	} else if (percent(10)) {
		add_node(parent, root, bus, 0, "to-pci");
	} else if (percent(92)) {
		add_endpoints(parent, root, bus, 0, percent(90) ? "ep" : "legep");
	}
}

static void add_root(void)
{
	static const unsigned int domains[] = { 0, 0, 0, 1, 0xffff, 0x10000, 0x10001, 0x7fffffff };
	static const char *const types[] = { "rp", "rp", "rp", "rciep", "pci", "to-pci" };
	unsigned int slot = 0, bus, domain = domains[below(LEN(domains))];
	int root = tree.nr_roots++;

	tree.domains[root] = domain;
	tree.next_bus[root] = percent(50) ? 0 : below(0x40);
	if (!new_bus(root, &bus))
		die("no bus for a root");
	tree.buses[root] = bus;
	if (percent(60)) {
		add_node(NONE, root, bus, 0, percent(70) ? "host" : "rp");
		slot = 8;
	}
	for (unsigned int n = below(5); n && slot < 256; n--) {
		const char *type = types[below(LEN(types))];

		if (!strcmp(type, "rciep"))
			add_endpoints(NONE, root, bus, slot, type);
		else
			add_node(NONE, root, bus, slot, type);
		slot = (slot & 0xf8) + 8 * (1 + below(5));
	}
}

static void make_tree(void)
{
	unsigned int roots = 1 + below(MAX_ROOTS);

	memset(&tree, 0, sizeof(tree));
	tree.limit = 2 + below(percent(80) ? 20 : MAX_NODES - 1);
	for (unsigned int i = 0; i < roots; i++)
		add_root();
	for (size_t i = 0; i < tree.nr; i++)
		if (tree.nodes[i].function.bridge == PRESENT)
			add_below(i);
}

/*
 * The order in which the kernel has found the functions: a function that was removed and found
 * again comes last, followed by the functions below it.
 */
static void order_nodes(int *order)
{
	bool last[MAX_NODES] = {};
	size_t nr = 0;

	if (tree.nr && percent(40)) {
		for (unsigned int n = 1 + below(3); n; n--)
			last[below(tree.nr)] = true;
		for (size_t i = 0; i < tree.nr; i++) {
			const struct node *node = &tree.nodes[i];

			if ((node->function.parent != NONE && last[node->function.parent]) ||
			    (node->physfn != NONE && last[node->physfn]))
				last[i] = true;
		}
	}
	for (int again = 0; again < 2; again++)
		for (size_t i = 0; i < tree.nr; i++)
			if (last[i] == again)
				order[nr++] = i;
}

static void convert(struct machine *machine)
{
	int order[MAX_NODES], index[MAX_NODES];

	order_nodes(order);
	machine->ordered = true;
	for (size_t i = 0; i < tree.nr_roots; i++) {
		char name[PCI_NAME_LEN];

		snprintf(name, sizeof(name), "pci%04x:%02x", tree.domains[i], tree.buses[i]);
		if (!machine_add_root(machine, name))
			die("out of memory");
		strcpy(machine->roots[i].under, "-");
	}
	if (machine->nr_roots != tree.nr_roots)
		die("two roots have one name");
	for (size_t i = 0; i < tree.nr; i++) {
		const struct function *node = &tree.nodes[order[i]].function;
		struct function *function = machine_add_function(machine, node->name);

		if (!function)
			die("out of memory");
		index[order[i]] = i;
		*function = *node;
		if (node->parent != NONE)
			function->parent = index[node->parent];
	}
}

static unsigned int express_type(enum function_type type)
{
	switch (type) {
	case TYPE_LEGACY_ENDPOINT:
		return 1;
	case TYPE_ROOT_PORT:
		return 4;
	case TYPE_UPSTREAM:
		return 5;
	case TYPE_DOWNSTREAM:
		return 6;
	case TYPE_TO_PCI:
		return 7;
	case TYPE_FROM_PCI:
		return 8;
	case TYPE_RC_ENDPOINT:
		return 9;
	default:
		return 0;
	}
}

static int name_index(const struct machine *machine, const char *name)
{
	const struct function *function = machine_find(machine, name);

	return function ? machine_index(machine, function) : NONE;
}

/* The kernel knows where a register is that reads all ones, if the function is a port. */
static int acs_of(const struct function *function)
{
	if (function->config == CONFIG_ALL_ONES)
		return function->bridge == PRESENT ? 0xffff : -1;
	return function->acs.presence == PRESENT ? function->acs.ctrl : -1;
}

static void build_kernel(const struct machine *machine, struct kernel_function *functions)
{
	struct kernel_machine made = {
		.functions = functions,
		.nr = machine->nr,
		.nr_roots = machine->nr_roots,
		.amd = !strcmp(machine->cpu_vendor, "AuthenticAMD"),
		.cpu_family = machine->cpu_family,
	};

	for (size_t i = 0; i < machine->nr; i++) {
		const struct function *function = &machine->functions[i];
		const char *slot = function->name + strlen(function->name) - 4;

		functions[i] = (struct kernel_function){
			.name = function->name,
			.parent = function->parent,
			.root = function->root,
			.physfn = name_index(machine, function->physfn),
			.slot = strtoul(slot, NULL, 16) << 3 | strtoul(slot + 3, NULL, 16),
			.vendor = function->vendor,
			.device = function->device,
			.type = express_type(function->type),
			.acs = acs_of(function),
		};
		/* Its name begins with another bus number */
		if (functions[i].physfn >= 0)
			functions[i].own_bus = strncmp(function->name, function->physfn,
						       strlen(function->name) - 4);
	}
	build(&made);
}

static void list_ports(char *list, size_t size, const struct machine *machine,
		       const struct route *route)
{
	size_t used = 0;

	*list = '\0';
	for (size_t i = 0; i < route->nr_ruled; i++)
		used += snprintf(list + used, size - used, "%s%s", i ? ";" : "",
				 machine->functions[route->redirects[i]].name);
}

static void print_machine(const struct machine *machine)
{
	printf("cpu %s %d\n", machine->cpu_vendor, machine->cpu_family);
	for (size_t i = 0; i < machine->nr_roots; i++)
		printf("root %zu %s\n", i, machine->roots[i].name);
	for (size_t i = 0; i < machine->nr; i++) {
		const struct function *function = &machine->functions[i];

		printf("%zu %s parent %d root %d physfn %s %04x:%04x type %d acs %d 0x%x\n", i,
		       function->name, function->parent, function->root, function->physfn,
		       function->vendor, function->device, function->type,
		       function->acs.presence, function->acs.ctrl);
	}
}

static void differ(const struct machine *machine, int a, int b, const struct decision *decision,
		   const char *list, const struct kernel_decision *want)
{
	print_machine(machine);
	printf("%s %s: %s %d (%s) %s; the kernel: %s %d %s\n", machine->functions[a].name,
	       machine->functions[b].name, decision->map, decision->distance,
	       reasons[decision->reason].name, list, want->map, want->distance, want->ports);
	exit(1);
}

static void count_map(const struct kernel_decision *want)
{
	count.pairs++;
	count.bus_addr += !strcmp(want->map, MAP_BUS_ADDR);
	count.thru_host_bridge += !strcmp(want->map, MAP_THRU_HOST_BRIDGE);
	count.not_supported += !strcmp(want->map, MAP_NOT_SUPPORTED);
	count.ports += *want->ports != '\0';
}

static struct end_facts ends[64];

static void find_ends(const struct machine *machine)
{
	if (machine->nr > LEN(ends))
		die("a drawing is too large");
	for (size_t i = 0; i < machine->nr; i++)
		end_facts_find(&ends[i], machine, i);
}

static void compare_pair(const struct machine *machine, int a, int b)
{
	struct kernel_decision want;
	struct decision decision;
	struct route route;
	char list[4096];

	kernel(a, b, &want);
	count_map(&want);
	decide_ends(&decision, machine, &release, &ends[a], &ends[b]);
	if (!route_find(&route, machine, a, b))
		differ(machine, a, b, &decision, "no route", &want);
	list_ports(list, sizeof(list), machine, &route);
	/* Drawings have functions that cannot be read */
	if (!strcmp(decision.map, MAP_UNKNOWN) && route.nr_unreadable_ruled)
		return;
	if (strcmp(decision.map, want.map) || decision.distance != want.distance ||
	    strcmp(list, want.ports))
		differ(machine, a, b, &decision, list, &want);
}

static void compare_machine(const struct machine *machine)
{
	find_ends(machine);
	for (size_t a = 0; a < machine->nr; a++)
		for (size_t b = 0; b < machine->nr; b++)
			compare_pair(machine, a, b);
}

/* Makes one fact unknown. */
static void hide_fact(struct machine *machine)
{
	struct function *function = &machine->functions[below(machine->nr)];

	switch (below(9)) {
	case 0:
	case 1:
		function->acs.presence = PRESENCE_UNKNOWN;
		function->config = CONFIG_HEAD;
		break;
	case 2:
		function->config = CONFIG_ALL_ONES;
		break;
	case 3:
		function->parent = UNKNOWN;
		break;
	case 4:
		function->root = UNKNOWN;
		break;
	case 5:
		function->vendor = function->device = UNKNOWN;
		break;
	case 6:
		function->type = TYPE_UNKNOWN;
		break;
	case 7:
		*machine->cpu_vendor = *machine->arch = '\0';
		break;
	case 8:
		machine->cpu_family = UNKNOWN;
		break;
	}
}

/* With facts hidden, the decision must be the same, or unknown with a next step. */
static void compare_hidden(const struct machine *machine)
{
	static const struct release any;
	bool release_hidden = percent(20);
	struct machine hidden = *machine;
	struct kernel_decision want;
	struct decision decision;

	hidden.functions = malloc(machine->nr * sizeof(*hidden.functions));
	if (!hidden.functions)
		die("out of memory");
	memcpy(hidden.functions, machine->functions, machine->nr * sizeof(*hidden.functions));
	for (unsigned int n = below(6); n; n--)
		hide_fact(&hidden);
	find_ends(&hidden);
	for (size_t a = 0; a < machine->nr; a++) {
		for (size_t b = 0; b < machine->nr; b++) {
			kernel(a, b, &want);
			decide_ends(&decision, &hidden, release_hidden ? &any : &release, &ends[a],
				    &ends[b]);
			count.hidden++;
			if (!strcmp(decision.map, MAP_UNKNOWN) &&
			    reasons[decision.reason].find_out)
				count.unknown++;
			else if (strcmp(decision.map, want.map))
				differ(&hidden, a, b, &decision, "with hidden facts", &want);
			if (decision.distance != UNKNOWN && decision.distance != want.distance)
				differ(&hidden, a, b, &decision, "with hidden facts", &want);
		}
	}
	free(hidden.functions);
}

static void compare_drawings(const char *path)
{
	struct drawings *drawings = malloc(sizeof(*drawings));
	FILE *file = fopen(path, "r");

	if (!drawings || !file || drawings_read(drawings, file))
		die("cannot read the drawings");
	fclose(file);
	for (size_t i = 0; i < drawings->nr; i++) {
		struct machine *machine = &drawings->all[i].machine;
		struct kernel_function *functions = calloc(machine->nr, sizeof(*functions));

		if (!functions)
			die("out of memory");
		for (size_t cpu = 0; cpu < LEN(cpus); cpu++) {
			drawing_set_cpu(machine, cpus[cpu]);
			build_kernel(machine, functions);
			compare_machine(machine);
		}
		free(functions);
	}
	drawings_free(drawings);
	free(drawings);
}

static void compare_random(void)
{
	struct kernel_function functions[MAX_NODES];
	struct machine machine;
	const char *bad;

	machine_init(&machine);
	make_tree();
	convert(&machine);
	if (machine_check(&machine, &bad))
		die(bad);
	drawing_set_cpu(&machine, cpus[below(LEN(cpus))]);
	build_kernel(&machine, functions);
	compare_machine(&machine);
	if (machine.nr)
		compare_hidden(&machine);
	machine_free(&machine);
}

static void *symbol(void *object, const char *name)
{
	void *found = dlsym(object, name);

	if (!found)
		die(dlerror());
	return found;
}

int main(int argc, char **argv)
{
	unsigned long trees;
	void *object;

	if (argc != 6 || release_parse(argv[2], &release))
		die("usage: compare KERNEL RELEASE CASES SEED TREES");
	object = dlopen(argv[1], RTLD_NOW);
	if (!object)
		die(dlerror());
	*(void **)&build = symbol(object, "kernel_build");
	*(void **)&kernel = symbol(object, "kernel_decide");
	state = strtoull(argv[4], NULL, 10);
	trees = strtoul(argv[5], NULL, 10);
	compare_drawings(argv[3]);
	while (trees--)
		compare_random();
	printf("pairs %llu bus_addr %llu thru_host_bridge %llu not_supported %llu with-ports %llu "
	       "hidden %llu unknown %llu\n", count.pairs, count.bus_addr, count.thru_host_bridge,
	       count.not_supported, count.ports, count.hidden, count.unknown);
	return 0;
}
