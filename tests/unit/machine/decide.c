// SPDX-License-Identifier: GPL-2.0
/* Decisions follow the rules of each release, and are unknown if facts are missing. */
/* wrap: calloc host_bridge_find */
#include "unit.h"
#include "lib/units.h"
#include "machine/drawing.h"

void *__real_calloc(size_t nr, size_t size);
void *__wrap_calloc(size_t nr, size_t size);
void __real_host_bridge_find(struct host_bridge *bridge, const struct machine *on, int root);
void __wrap_host_bridge_find(struct host_bridge *bridge, const struct machine *on, int root);

static int callocs = -1;	/* this many succeed, and the next fails; -1: all succeed */
static int searches;		/* for host bridges */

void *__wrap_calloc(size_t nr, size_t size)
{
	return callocs < 0 || callocs-- ? __real_calloc(nr, size) : NULL;
}

void __wrap_host_bridge_find(struct host_bridge *bridge, const struct machine *on, int root)
{
	searches++;
	__real_host_bridge_find(bridge, on, root);
}

/* Two endpoints below one switch, one below another root port, and one at another host bridge */
static const char tree[] =
	"case tree\n"
	"  root pci0000:00\n"
	"    00:00.0 host 8086:2020\n"
	"    00:01.0 rp 8086:2030 acs=0\n"
	"      01:00.0 up 1000:c010 acs=0\n"
	"        02:00.0 dn 1000:c012 acs=0\n"
	"          03:00.0 ep 10de:20b5 acs=0\n"
	"          03:00.1 ep 10de:20b6\n"
	"        02:01.0 dn 1000:c012 acs=0\n"
	"          04:00.0 ep 15b3:1021\n"
	"        02:02.0 dn 1000:c012 acs=0\n"
	"          05:00.0 up 1000:c010\n"
	"            06:00.0 dn 1000:c012\n"
	"              07:00.0 ep 144d:a821\n"
	"    00:02.0 rp 8086:2031 acs=0\n"
	"      08:00.0 ep 144d:a821\n"
	"    00:0e.0 pci 8086:201d\n"
	"  root pci0000:80\n"
	"    80:00.0 rp 8086:2030 acs=0\n"
	"      81:00.0 ep 144d:a821\n"
	"      81:00.1 ep 144d:a821 vf=81:00.0\n"
	"  root pci10000:00 under=00:0e.0\n"
	"    10000:00:01.0 rp 8086:2030\n"
	"      10000:01:00.0 ep 144d:a821\n";

enum { REQUEST = 0x4, COMPLETION = 0x8, EGRESS = 0x20, OTHERS = 0x1f & ~(REQUEST | COMPLETION) };

static struct drawings drawings;
static struct machine *machine;

static int setup(void **state)
{
	FILE *file = fmemopen((void *)tree, sizeof(tree) - 1, "r");

	(void)state;
	assert_non_null(file);
	assert_int_equal(drawings_read(&drawings, file), 0);
	fclose(file);
	machine = &drawings.all[0].machine;
	assert_true(drawing_set_cpu(machine, "intel"));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	drawings_free(&drawings);
	return 0;
}

static int index_of(const char *name)
{
	int index = machine_find_any(machine, name);

	if (index < 0)
		fail_msg("%s is not in the tree", name);
	return index;
}

static struct function *at(const char *name)
{
	return &machine->functions[index_of(name)];
}

static const char *name_of(int index)
{
	return index >= 0 ? machine->functions[index].name : "-";
}

/* "MAP DISTANCE REASON BLOCKER" on a release; "" is unknown. */
static void assert_decision(const char *a, const char *b, const char *kernel, const char *want)
{
	struct release release = {};
	struct decision decision;
	char text[256];

	if (*kernel)
		assert_int_equal(release_parse(kernel, &release), 0);
	decide(&decision, machine, &release, index_of(a), index_of(b));
	snprintf(text, sizeof(text), "%s %d %s %s", decision.map, decision.distance,
		 reasons[decision.reason].name, name_of(decision.blocker));
	if (strcmp(text, want))
		fail_msg("%s %s on %s: '%s', not '%s'", a, b, *kernel ? kernel : "any kernel", text,
			 want);
}

static void hide_acs(const char *name)
{
	at(name)->acs.presence = PRESENCE_UNKNOWN;
	at(name)->config = CONFIG_HEAD;
}

static void a_release_is_its_first_two_numbers(void **state)
{
	static const char *const bad[] = { "", "6", "6.", ".12", "x.12", "6.x", "+6.12", "6.12x",
		" 6.12", "0.1", "12345.1", "6.12345" };
	static const char *const good[] = { "6.12", "6.12.117-amd64", "6.12-rc1", "6.12+" };
	struct release release;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		release = (struct release){};
		assert_int_equal(release_parse(good[i], &release), 0);
		assert_int_equal(release.major, 6);
		assert_int_equal(release.minor, 12);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (release_parse(bad[i], &release) != -EINVAL)
			fail_msg("'%s' is no release", bad[i]);
}

static void each_redirecting_bit_counts(void **state)
{
	(void)state;
	assert_decision("03:00.0", "04:00.0", "6.12", "bus_addr 4 same_bridge -");
	at("02:01.0")->acs.ctrl = OTHERS;
	assert_decision("03:00.0", "04:00.0", "6.12", "bus_addr 4 same_bridge -");
	at("02:01.0")->acs.ctrl = REQUEST;
	assert_decision("03:00.0", "04:00.0", "6.12",
			"thru_host_bridge 4 acs_redirect_allowed 0000:02:01.0");
	at("02:01.0")->acs.ctrl = COMPLETION;
	assert_decision("03:00.0", "04:00.0", "6.12",
			"thru_host_bridge 4 acs_redirect_allowed 0000:02:01.0");
	at("02:01.0")->acs.ctrl = EGRESS;
	at("00:00.0")->device = 0x7190;
	assert_decision("03:00.0", "04:00.0", "6.12",
			"not_supported 4 acs_redirect_blocked 0000:02:01.0");
	/* Registers that are not there */
	at("02:01.0")->acs.presence = ABSENT;
	assert_decision("03:00.0", "04:00.0", "6.12", "bus_addr 4 same_bridge -");
}

/* The blocker is the first as seen from the provider, not the first in the list. */
static void the_blocker_is_seen_from_the_provider(void **state)
{
	(void)state;
	at("02:02.0")->acs.ctrl = REQUEST;
	at("06:00.0")->acs = at("02:02.0")->acs;
	assert_decision("04:00.0", "07:00.0", "6.12",
			"thru_host_bridge 6 acs_redirect_allowed 0000:02:02.0");
	assert_decision("07:00.0", "04:00.0", "6.12",
			"thru_host_bridge 6 acs_redirect_allowed 0000:06:00.0");
}

/* The kernel tests the function itself, too. */
static void a_function_reaches_itself(void **state)
{
	(void)state;
	assert_decision("03:00.0", "03:00.0", "", "bus_addr 0 same_function -");
	at("03:00.0")->acs.ctrl = REQUEST;
	assert_decision("03:00.0", "03:00.0", "6.12",
			"thru_host_bridge 0 acs_redirect_allowed 0000:03:00.0");
	hide_acs("03:00.0");
	assert_decision("03:00.0", "03:00.0", "6.12", "unknown 0 port_unreadable 0000:03:00.0");
}

static void an_unreadable_port_makes_the_map_unknown(void **state)
{
	(void)state;
	hide_acs("02:01.0");
	assert_decision("03:00.0", "04:00.0", "6.12", "unknown 4 port_unreadable 0000:02:01.0");
	at("02:01.0")->config = CONFIG_CONVENTIONAL;
	assert_decision("03:00.0", "04:00.0", "6.12", "unknown 4 port_truncated 0000:02:01.0");
	at("02:01.0")->config = CONFIG_ALL_ONES;
	assert_decision("03:00.0", "04:00.0", "6.12", "unknown 4 port_all_ones 0000:02:01.0");
	/* Registers full of ones were read, but they say nothing */
	at("02:01.0")->acs = (struct acs){ PRESENT, 0xffff, 0xffff };
	assert_decision("03:00.0", "04:00.0", "6.12", "unknown 4 port_all_ones 0000:02:01.0");
	at("02:01.0")->config = CONFIG_MISSING;
	at("02:01.0")->acs.presence = PRESENCE_UNKNOWN;
	assert_decision("03:00.0", "04:00.0", "6.12", "unknown 4 port_unreadable 0000:02:01.0");
	/* A conventional function has no such registers */
	at("02:01.0")->type = TYPE_PCI;
	assert_decision("03:00.0", "04:00.0", "6.12", "bus_addr 4 same_bridge -");
}

static void an_unreadable_port_may_make_no_difference(void **state)
{
	(void)state;
	hide_acs("02:00.0");
	at("02:01.0")->acs.ctrl = REQUEST;
	assert_decision("03:00.0", "04:00.0", "6.12",
			"thru_host_bridge 4 acs_redirect_allowed 0000:02:01.0");
	/* Above the shared bridge, or between root ports */
	hide_acs("01:00.0");
	hide_acs("00:01.0");
	hide_acs("08:00.0");
	assert_decision("03:00.0", "08:00.0", "6.12",
			"thru_host_bridge 6 host_bridge_allowed -");
	at("02:00.0")->acs.presence = ABSENT;
	assert_decision("03:00.0", "03:00.1", "6.12", "bus_addr 2 same_bridge -");
}

static void a_function_on_a_root_bus_is_one_step_below_the_host_bridge(void **state)
{
	(void)state;
	assert_decision("00:00.0", "00:0e.0", "6.12", "thru_host_bridge 2 host_bridge_allowed -");
	assert_decision("03:00.0", "00:00.0", "6.12", "thru_host_bridge 5 host_bridge_allowed -");
	assert_decision("00:01.0", "03:00.0", "6.12", "bus_addr 3 same_bridge -");
}

static void a_missing_bridge_makes_the_route_unknown(void **state)
{
	struct route route;

	(void)state;
	at("01:00.0")->parent = UNKNOWN;
	assert_decision("03:00.0", "08:00.0", "6.12", "unknown -2 route_unknown 0000:01:00.0");
	assert_decision("08:00.0", "03:00.0", "6.12", "unknown -2 route_unknown 0000:01:00.0");
	assert_false(route_find(&route, machine, index_of("03:00.0"), index_of("08:00.0")));
	assert_int_equal(route.shared, NONE);
	/* These share a bridge below */
	assert_decision("03:00.0", "04:00.0", "6.12", "bus_addr 4 same_bridge -");
	assert_true(route_find(&route, machine, index_of("03:00.0"), index_of("04:00.0")));
	assert_string_equal(name_of(route.shared), "0000:01:00.0");
}

static void a_root_may_be_unknown(void **state)
{
	(void)state;
	at("02:01.0")->acs.ctrl = REQUEST;
	for (size_t i = 0; i < machine->nr; i++)
		if (!strncmp(machine->functions[i].name, "0000:0", 6))
			machine->functions[i].root = UNKNOWN;
	assert_decision("03:00.0", "04:00.0", "6.12", "unknown 4 host_bridge_unreadable -");
	assert_decision("03:00.0", "08:00.0", "6.12", "unknown 6 host_bridge_unreadable -");
	/* It may be the same one, where this host bridge forwards */
	at("80:00.0")->device = 0x3c00;
	assert_decision("03:00.0", "81:00.0", "6.12", "unknown 6 host_bridge_unreadable -");
	at("80:00.0")->device = 0x3c0f;
	assert_decision("03:00.0", "81:00.0", "6.12", "not_supported 6 host_bridge_unknown -");
	assert_true(drawing_set_cpu(machine, "zen"));
	assert_decision("03:00.0", "08:00.0", "6.12", "thru_host_bridge 6 cpu_allowed -");
}

static void ports_are_listed_in_the_kernels_order(void **state)
{
	static const char *const redirecting[] = { "00:01.0", "01:00.0", "02:00.0", "02:02.0",
		"06:00.0", "00:02.0", "03:00.0" };
	char text[512] = "";
	struct route route;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(redirecting); i++)
		at(redirecting[i])->acs = (struct acs){ PRESENT, 0x1f, REQUEST };
	hide_acs("02:02.0");
	hide_acs("00:01.0");
	assert_true(route_find(&route, machine, index_of("03:00.0"), index_of("07:00.0")));
	for (size_t i = 0; i < route.nr_redirects; i++)
		sprintf(text + strlen(text), "%s%s ", i == route.nr_ruled ? "| " : "",
			name_of(route.redirects[i]));
	assert_string_equal(text, "0000:03:00.0 0000:02:00.0 0000:01:00.0 0000:06:00.0 ");
	*text = '\0';
	for (size_t i = 0; i < route.nr_unreadable; i++)
		sprintf(text + strlen(text), "%s%s ", i == route.nr_unreadable_ruled ? "| " : "",
			name_of(route.unreadable[i]));
	assert_string_equal(text, "0000:02:02.0 | 0000:00:01.0 ");

	/* Between root ports, none counts for the kernel, but all are on the way */
	assert_true(route_find(&route, machine, index_of("03:00.0"), index_of("08:00.0")));
	assert_int_equal(route.shared, NONE);
	assert_int_equal(route.nr_ruled, 0);
	assert_int_equal(route.nr_unreadable_ruled, 0);
	*text = '\0';
	for (size_t i = 0; i < route.nr_redirects; i++)
		sprintf(text + strlen(text), "%s ", name_of(route.redirects[i]));
	assert_string_equal(text, "0000:03:00.0 0000:02:00.0 0000:01:00.0 0000:00:02.0 ");
}

static void the_bridge_above_a_virtual_function_is_that_of_the_physical_one(void **state)
{
	(void)state;
	assert_decision("81:00.0", "81:00.1", "6.12", "bus_addr 2 same_bridge -");
	at("81:00.1")->parent = UNKNOWN;
	assert_decision("81:00.0", "81:00.1", "6.12", "bus_addr 2 same_bridge -");
	strcpy(at("81:00.1")->physfn, "0000:99:00.0");
	assert_decision("81:00.0", "81:00.1", "6.12", "unknown -2 route_unknown 0000:81:00.1");
}

static void find_bridge(struct host_bridge *bridge, const char *root)
{
	for (size_t i = 0; i < machine->nr_roots; i++)
		if (!strcmp(machine->roots[i].name, root))
			return host_bridge_find(bridge, machine, i);
	fail_msg("no root %s", root);
}

static void the_facts_of_many_ends_are_those_of_each(void **state)
{
	int functions[64];
	struct end_facts *ends, one;

	(void)state;
	assert_true(machine->nr <= ARRAY_SIZE(functions));
	/* From the last on, so that a virtual function comes before its physical one */
	for (size_t i = 0; i < machine->nr; i++)
		functions[i] = machine->nr - 1 - i;
	at("06:00.0")->root = UNKNOWN;
	ends = end_facts_find_all(machine, functions, machine->nr);
	assert_non_null(ends);
	for (size_t i = 0; i < machine->nr; i++) {
		end_facts_find(&one, machine, functions[i]);
		assert_int_equal(ends[i].function, one.function);
		assert_int_equal(ends[i].complete, one.complete);
		assert_int_equal(ends[i].nr, one.nr);
		assert_memory_equal(ends[i].up, one.up, one.nr * sizeof(*one.up));
		assert_int_equal(ends[i].bridge.first, one.bridge.first);
		assert_int_equal(ends[i].bridge.function, one.bridge.function);
		assert_int_equal(ends[i].bridge.listed, one.bridge.listed);
		assert_ptr_equal(ends[i].bridge.known, one.bridge.known);
	}
	free(ends);
}

/* A search looks at all functions, so one for each would take time with the square of them. */
static void each_host_bridge_is_searched_once_for_all_functions(void **state)
{
	enum { FUNCTIONS = 211, ROOTS = 3 };
	struct end_facts *ends;
	int functions[FUNCTIONS];
	struct machine many;

	(void)state;
	machine_init(&many);
	assert_non_null(machine_add_root(&many, "pci0000:00"));
	assert_non_null(machine_add_root(&many, "pci0001:00"));
	assert_non_null(machine_add_root(&many, "pci0002:00"));
	for (int i = 0; i < FUNCTIONS; i++) {
		struct function *function;
		char name[PCI_NAME_LEN];

		snprintf(name, sizeof(name), "%04x:00:%02x.%x", i % ROOTS, i / 8, i % 8);
		function = machine_add_function(&many, name);
		assert_non_null(function);
		function->root = i % ROOTS;
		functions[i] = i;
	}
	searches = 0;
	ends = end_facts_find_all(&many, functions, FUNCTIONS);
	assert_non_null(ends);
	assert_int_equal(searches, ROOTS);
	free(ends);
	machine_free(&many);
}

static void without_memory_there_are_no_facts(void **state)
{
	int functions[] = { 0 };

	(void)state;
	for (int left = 0; left < 2; left++) {
		callocs = left;
		assert_null(end_facts_find_all(machine, functions, ARRAY_SIZE(functions)));
		assert_int_equal(callocs, -1);
	}
}

static void swap(const char *a, const char *b)
{
	struct function *one = at(a), *two = at(b), copy = *one;

	*one = *two;
	*two = copy;
}

static void the_first_function_found_represents_the_host_bridge(void **state)
{
	struct host_bridge bridge;

	(void)state;
	find_bridge(&bridge, "pci0000:00");
	assert_string_equal(name_of(bridge.function), "0000:00:00.0");
	assert_int_equal(bridge.known->device, 0x2020);
	assert_false(bridge.assumed);
	assert_false(bridge.any_slot);

	/* Removed and found again, 00:00.0 comes after a function that is no root port */
	swap("00:00.0", "00:0e.0");
	find_bridge(&bridge, "pci0000:00");
	assert_string_equal(name_of(bridge.first), "0000:00:0e.0");
	assert_int_equal(bridge.function, NONE);
	assert_decision("03:00.0", "08:00.0", "6.12", "not_supported 6 host_bridge_unknown -");
	/* Without an order, the lowest number is assumed to be the first */
	machine->ordered = false;
	find_bridge(&bridge, "pci0000:00");
	assert_string_equal(name_of(bridge.function), "0000:00:00.0");
	assert_true(bridge.assumed);
	assert_decision("03:00.0", "08:00.0", "6.12", "thru_host_bridge 6 host_bridge_allowed -");
}

/* Its bus number says that it is on the root bus, even if its place is not known. */
static void the_first_function_needs_no_parent(void **state)
{
	struct host_bridge bridge;

	(void)state;
	at("00:00.0")->parent = UNKNOWN;
	at("00:00.0")->root = UNKNOWN;
	find_bridge(&bridge, "pci0000:00");
	assert_string_equal(name_of(bridge.function), "0000:00:00.0");
	/* A virtual function does not count, nor one on another bus */
	strcpy(at("00:00.0")->physfn, "0000:00:01.0");
	find_bridge(&bridge, "pci0000:00");
	assert_string_equal(name_of(bridge.function), "0000:00:01.0");
	strcpy(machine->roots[0].name, "pci0000:0");
	at("00:01.0")->parent = UNKNOWN;
	find_bridge(&bridge, "pci0000:0");
	assert_string_equal(name_of(bridge.function), "0000:00:02.0");
}

static void a_root_bus_may_be_empty(void **state)
{
	struct host_bridge bridge;

	(void)state;
	assert_non_null(machine_add_root(machine, "pci0000:c0"));
	find_bridge(&bridge, "pci0000:c0");
	assert_int_equal(bridge.function, NONE);
	host_bridge_find(&bridge, machine, UNKNOWN);
	assert_int_equal(bridge.function, UNKNOWN);
	assert_int_equal(bridge.first, UNKNOWN);
}

/* rdma_topo leaves host bridges out, and people paste parts of what lspci prints. */
static void the_first_function_may_be_missing_from_a_part_of_a_listing(void **state)
{
	struct host_bridge bridge;

	(void)state;
	machine->ordered = false;
	machine->partial = true;
	find_bridge(&bridge, "pci0000:00");
	assert_string_equal(name_of(bridge.function), "0000:00:00.0");
	/* There can be something before 00:01.0 */
	strcpy(at("00:00.0")->name, "0000:c0:00.0");
	at("c0:00.0")->root = UNKNOWN;
	at("c0:00.0")->parent = UNKNOWN;
	find_bridge(&bridge, "pci0000:00");
	assert_int_equal(bridge.function, UNKNOWN);
	assert_int_equal(bridge.first, UNKNOWN);
	assert_decision("03:00.0", "08:00.0", "6.12", "unknown 6 host_bridge_unreadable -");
	machine->partial = false;
	find_bridge(&bridge, "pci0000:00");
	assert_string_equal(name_of(bridge.first), "0000:00:01.0");
}

static void a_host_bridge_may_be_unreadable(void **state)
{
	(void)state;
	at("00:00.0")->device = UNKNOWN;
	assert_decision("03:00.0", "08:00.0", "6.12",
			"unknown 6 host_bridge_unreadable 0000:00:00.0");
	at("00:00.0")->vendor = UNKNOWN;
	assert_decision("03:00.0", "81:00.0", "6.12",
			"unknown 6 host_bridge_unreadable 0000:00:00.0");
	assert_decision("81:00.0", "03:00.0", "6.12",
			"unknown 6 host_bridge_unreadable 0000:00:00.0");
	/* The other host bridge is known not to forward */
	at("80:00.0")->device = 0x2034;
	assert_decision("03:00.0", "81:00.0", "6.12", "not_supported 6 host_bridge_unknown -");
}

/* It counts only if it is a root port. */
static void a_first_function_that_is_not_00_0_needs_a_type(void **state)
{
	(void)state;
	at("10000:00:01.0")->type = TYPE_UNKNOWN;
	assert_decision("08:00.0", "10000:01:00.0", "6.12",
			"unknown 4 host_bridge_unreadable 10000:00:01.0");
	at("10000:00:01.0")->device = 0x2034;
	assert_decision("08:00.0", "10000:01:00.0", "6.12",
			"not_supported 4 host_bridge_unknown -");
	at("10000:00:01.0")->device = 0x2030;
	at("10000:00:01.0")->type = TYPE_RC_ENDPOINT;
	assert_decision("08:00.0", "10000:01:00.0", "6.12",
			"not_supported 4 host_bridge_unknown -");
}

static void a_root_port_in_any_slot_counts_since_5_19(void **state)
{
	(void)state;
	assert_decision("08:00.0", "10000:01:00.0", "5.18",
			"not_supported 4 host_bridge_unknown -");
	assert_decision("08:00.0", "10000:01:00.0", "5.19",
			"thru_host_bridge 4 host_bridge_allowed -");
	assert_decision("08:00.0", "10000:01:00.0", "", "unknown 4 kernel_unknown -");
}

static void each_entry_counts_from_its_release_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_known_bridges; i++) {
		const struct known_bridge *known = &known_bridges[i];
		struct release before = known->since;

		assert_true(*known->name);
		assert_int_equal(known_bridge_in(known, &(struct release){}), PRESENCE_UNKNOWN);
		assert_int_equal(known_bridge_in(known, &(struct release){ 5, 3 }),
				 PRESENCE_UNKNOWN);
		if (before.major > 5 || before.minor > 4) {
			before.minor--;
			assert_int_equal(known_bridge_in(known, &before), ABSENT);
			assert_int_equal(known_bridge_in(known, &known->since), PRESENT);
		}
		if (known->until.major)
			assert_int_equal(known_bridge_in(known, &known->until), ABSENT);
		assert_int_equal(known_bridge_in(known, &(struct release){ 7, 4 }),
				 known->until.major ? ABSENT : PRESENT);
		for (size_t j = 0; j < i; j++)
			assert_false(known_bridges[j].vendor == known->vendor &&
				     known_bridges[j].device == known->device);
	}
}

static void any_device_of_a_vendor_can_be_listed(void **state)
{
	(void)state;
	at("00:00.0")->vendor = 0x1ae0;
	at("00:00.0")->device = 0x1234;
	assert_decision("03:00.0", "08:00.0", "7.0", "not_supported 6 host_bridge_unknown -");
	assert_decision("03:00.0", "08:00.0", "7.1", "thru_host_bridge 6 host_bridge_allowed -");
	at("00:00.0")->device = UNKNOWN;
	assert_decision("03:00.0", "08:00.0", "7.1", "thru_host_bridge 6 host_bridge_allowed -");
}

static void some_host_bridges_forward_only_below_themselves(void **state)
{
	(void)state;
	at("00:00.0")->device = 0x2f00;
	assert_decision("03:00.0", "08:00.0", "6.12", "thru_host_bridge 6 host_bridge_allowed -");
	assert_decision("03:00.0", "81:00.0", "6.12", "not_supported 6 host_bridge_unknown -");
	assert_decision("81:00.0", "03:00.0", "6.12", "not_supported 6 host_bridge_unknown -");
}

static void amd_host_bridges_were_listed_before_the_cpu_counted(void **state)
{
	(void)state;
	at("00:00.0")->vendor = 0x1022;
	at("00:00.0")->device = 0x1450;
	assert_true(drawing_set_cpu(machine, "zen"));
	assert_decision("03:00.0", "08:00.0", "5.4", "thru_host_bridge 6 host_bridge_allowed -");
	assert_decision("03:00.0", "08:00.0", "5.9", "thru_host_bridge 6 cpu_allowed -");
	/* All releases agree */
	assert_decision("03:00.0", "08:00.0", "", "thru_host_bridge 6 cpu_allowed -");
	assert_decision("03:00.0", "08:00.0", "5.3", "thru_host_bridge 6 cpu_allowed -");
	at("00:00.0")->device = 0x1480;
	assert_decision("03:00.0", "08:00.0", "5.8", "not_supported 6 host_bridge_unknown -");
	assert_decision("03:00.0", "08:00.0", "5.9", "thru_host_bridge 6 cpu_allowed -");
	assert_decision("03:00.0", "08:00.0", "", "unknown 6 kernel_unknown -");
	/* With another CPU, since 5.9 none of them forwards */
	assert_true(drawing_set_cpu(machine, "old-amd"));
	assert_decision("03:00.0", "08:00.0", "", "not_supported 6 host_bridge_unknown -");
	at("00:00.0")->device = 0x1450;
	assert_decision("03:00.0", "08:00.0", "5.8", "thru_host_bridge 6 host_bridge_allowed -");
	assert_decision("03:00.0", "08:00.0", "5.9", "not_supported 6 host_bridge_unknown -");
	assert_decision("03:00.0", "08:00.0", "", "unknown 6 kernel_unknown -");
}

static void the_release_counts_only_where_releases_differ(void **state)
{
	(void)state;
	assert_decision("03:00.0", "04:00.0", "", "bus_addr 4 same_bridge -");
	assert_decision("03:00.0", "08:00.0", "", "unknown 6 kernel_unknown -");
	at("00:00.0")->device = 0x3c00;
	assert_decision("03:00.0", "08:00.0", "", "thru_host_bridge 6 host_bridge_allowed -");
	at("00:00.0")->device = 0x7190;
	assert_decision("03:00.0", "08:00.0", "", "not_supported 6 host_bridge_unknown -");
	/* A fact that is missing as well */
	at("00:00.0")->device = UNKNOWN;
	assert_decision("03:00.0", "08:00.0", "",
			"unknown 6 host_bridge_unreadable 0000:00:00.0");
}

static void the_cpu_may_be_unknown(void **state)
{
	(void)state;
	at("80:00.0")->device = 0x7190;
	strcpy(machine->cpu_vendor, "");
	assert_decision("81:00.0", "03:00.0", "6.12", "unknown 6 cpu_unknown -");
	assert_decision("81:00.0", "03:00.0", "5.8", "not_supported 6 host_bridge_unknown -");
	assert_decision("81:00.0", "03:00.0", "", "unknown 6 cpu_unknown -");
	/* The host bridge is enough */
	assert_decision("03:00.0", "08:00.0", "6.12", "thru_host_bridge 6 host_bridge_allowed -");
	strcpy(machine->cpu_vendor, "AuthenticAMD");
	machine->cpu_family = UNKNOWN;
	assert_decision("81:00.0", "03:00.0", "6.12", "unknown 6 cpu_unknown -");
	strcpy(machine->arch, "aarch64");
	strcpy(machine->cpu_vendor, "");
	assert_decision("81:00.0", "03:00.0", "6.12", "not_supported 6 host_bridge_unknown -");
	strcpy(machine->arch, "i686");
	assert_decision("81:00.0", "03:00.0", "6.12", "unknown 6 cpu_unknown -");
}

static void amd_cpus_forward_since_zen(void **state)
{
	static const struct release release = { 6, 12 };

	(void)state;
	assert_true(drawing_set_cpu(machine, "zen"));
	assert_int_equal(cpu_allows(machine, &release), PRESENT);
	assert_int_equal(cpu_allows(machine, &(struct release){}), PRESENCE_UNKNOWN);
	machine->cpu_family = 0x17;
	assert_int_equal(cpu_allows(machine, &release), PRESENT);
	machine->cpu_family = 0x16;
	assert_int_equal(cpu_allows(machine, &release), ABSENT);
	assert_true(drawing_set_cpu(machine, "hygon"));
	assert_int_equal(cpu_allows(machine, &release), ABSENT);
	assert_true(drawing_set_cpu(machine, "arm"));
	assert_int_equal(cpu_allows(machine, &release), ABSENT);
}

static void assert_proximity(const char *a, const char *b, const char *want)
{
	assert_string_equal(proximity(machine, index_of(a), index_of(b)), want);
	assert_string_equal(proximity(machine, index_of(b), index_of(a)), want);
}

static void proximity_counts_switches_and_nodes(void **state)
{
	(void)state;
	assert_proximity("03:00.0", "03:00.0", "X");
	assert_proximity("03:00.0", "03:00.1", "PIX");
	assert_proximity("03:00.0", "04:00.0", "PIX");
	assert_proximity("03:00.0", "07:00.0", "PXB");
	assert_proximity("03:00.0", "00:01.0", "PIX");
	assert_proximity("03:00.0", "08:00.0", "PHB");
	/* VMD belongs to the first host bridge */
	assert_proximity("03:00.0", "10000:01:00.0", "PHB");
	assert_proximity("03:00.0", "81:00.0", "?");
	for (size_t i = 0; i < machine->nr; i++)
		machine->functions[i].numa_node = NONE;
	assert_proximity("03:00.0", "81:00.0", "NODE");
	at("03:00.0")->numa_node = 0;
	assert_proximity("03:00.0", "81:00.0", "?");
	at("81:00.0")->numa_node = 0;
	assert_proximity("03:00.0", "81:00.0", "NODE");
	at("81:00.0")->numa_node = 1;
	assert_proximity("03:00.0", "81:00.0", "SYS");
	assert_proximity("10000:01:00.0", "81:00.0", "?");
	at("00:01.0")->parent = UNKNOWN;
	assert_proximity("03:00.0", "81:00.0", "?");
	assert_proximity("03:00.0", "07:00.0", "PXB");
}

static void the_place_of_a_root_may_be_unknown(void **state)
{
	(void)state;
	strcpy(machine->roots[2].under, "0000:99:00.0");
	assert_proximity("03:00.0", "10000:01:00.0", "?");
	/* A loop, as only a made-up snapshot can have it */
	strcpy(machine->roots[2].under, "10000:01:00.0");
	assert_proximity("03:00.0", "10000:01:00.0", "?");
	at("08:00.0")->root = UNKNOWN;
	assert_proximity("03:00.0", "08:00.0", "?");
}

/* A bridge that is its own parent, as only a made-up snapshot can have it. */
static void a_way_without_end_ends(void **state)
{
	(void)state;
	at("01:00.0")->parent = index_of("01:00.0");
	assert_decision("03:00.0", "08:00.0", "6.12", "unknown -2 route_unknown 0000:01:00.0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_release_is_its_first_two_numbers),
	TEST(each_redirecting_bit_counts),
	TEST(the_blocker_is_seen_from_the_provider),
	TEST(a_function_reaches_itself),
	TEST(an_unreadable_port_makes_the_map_unknown),
	TEST(an_unreadable_port_may_make_no_difference),
	TEST(a_function_on_a_root_bus_is_one_step_below_the_host_bridge),
	TEST(a_missing_bridge_makes_the_route_unknown),
	TEST(a_root_may_be_unknown),
	TEST(ports_are_listed_in_the_kernels_order),
	TEST(the_facts_of_many_ends_are_those_of_each),
	TEST(each_host_bridge_is_searched_once_for_all_functions),
	TEST(without_memory_there_are_no_facts),
	TEST(the_bridge_above_a_virtual_function_is_that_of_the_physical_one),
	TEST(the_first_function_found_represents_the_host_bridge),
	TEST(the_first_function_needs_no_parent),
	TEST(a_root_bus_may_be_empty),
	TEST(the_first_function_may_be_missing_from_a_part_of_a_listing),
	TEST(a_host_bridge_may_be_unreadable),
	TEST(a_first_function_that_is_not_00_0_needs_a_type),
	TEST(a_root_port_in_any_slot_counts_since_5_19),
	TEST(each_entry_counts_from_its_release_on),
	TEST(any_device_of_a_vendor_can_be_listed),
	TEST(some_host_bridges_forward_only_below_themselves),
	TEST(amd_host_bridges_were_listed_before_the_cpu_counted),
	TEST(the_release_counts_only_where_releases_differ),
	TEST(the_cpu_may_be_unknown),
	TEST(amd_cpus_forward_since_zen),
	TEST(proximity_counts_switches_and_nodes),
	TEST(the_place_of_a_root_may_be_unknown),
	TEST(a_way_without_end_ends),
};

UNIT_MAIN(tests)
