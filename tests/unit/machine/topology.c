// SPDX-License-Identifier: GPL-2.0
/* The parents and roots of functions, from the bus numbers of the bridges that are shown. */
#include <errno.h>

#include "unit.h"
#include "machine/machine.h"

static struct machine machine;

static int setup(void **state)
{
	(void)state;
	machine_init(&machine);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_free(&machine);
	return 0;
}

/* No bridge, unless its type is that of a port. */
static struct function *add(const char *name, enum function_type type)
{
	struct function *function = machine_add_function(&machine, name);

	assert_non_null(function);
	function->type = type;
	function->bridge = ABSENT;
	return function;
}

static struct function *add_bridge(const char *name, enum function_type type, int secondary,
				   int subordinate)
{
	struct function *function = add(name, type);

	function->bridge = PRESENT;
	function->class = 0x060400;
	function->secondary = secondary;
	function->subordinate = subordinate;
	return function;
}

static void add_host_bridge(const char *name)
{
	add(name, TYPE_PCI)->class = 0x060000;
}

static void link_all(void)
{
	const char *bad = NULL;

	machine_link(&machine);
	if (machine_check(&machine, &bad))
		fail_msg("what is above %s contradicts itself", bad);
}

static const char *parent_of(const char *name)
{
	const struct function *function = machine_find(&machine, name);

	assert_non_null(function);
	if (function->parent == UNKNOWN)
		return "unknown";
	return function->parent == NONE ? "none" : machine.functions[function->parent].name;
}

static const char *root_of(const char *name)
{
	const struct function *function = machine_find(&machine, name);

	assert_non_null(function);
	return function->root == UNKNOWN ? "unknown" : machine.roots[function->root].name;
}

static void assert_place(const char *name, const char *parent, const char *root)
{
	assert_string_equal(parent_of(name), parent);
	assert_string_equal(root_of(name), root);
}

static void the_parent_is_the_bridge_to_the_bus(void **state)
{
	(void)state;
	add("0000:03:00.0", TYPE_ENDPOINT);
	add_bridge("0000:02:01.0", TYPE_DOWNSTREAM, 3, 3);
	add_bridge("0000:01:00.0", TYPE_UPSTREAM, 2, 3);
	add_bridge("0000:00:01.0", TYPE_ROOT_PORT, 1, 3);
	/* The same buses of another domain */
	add_bridge("0001:00:01.0", TYPE_ROOT_PORT, 3, 3);
	link_all();
	assert_place("0000:03:00.0", "0000:02:01.0", "pci0000:00");
	assert_place("0000:02:01.0", "0000:01:00.0", "pci0000:00");
	assert_place("0000:01:00.0", "0000:00:01.0", "pci0000:00");
	assert_place("0000:00:01.0", "none", "pci0000:00");
	assert_place("0001:00:01.0", "none", "pci0001:00");
	assert_string_equal(machine.roots[0].under, "-");
}

static void bus_0_is_a_root_bus(void **state)
{
	(void)state;
	add("0000:00:05.0", TYPE_ENDPOINT);
	link_all();
	assert_place("0000:00:05.0", "none", "pci0000:00");
}

static void a_root_port_shows_that_its_bus_is_a_root_bus(void **state)
{
	(void)state;
	add_bridge("0000:3a:00.0", TYPE_ROOT_PORT, 0x3b, 0x3b);
	add("0000:3a:05.0", TYPE_PCI);
	add("0000:6a:00.0", TYPE_RC_ENDPOINT);
	add("0000:7f:00.2", TYPE_RC_EVENT_COLLECTOR);
	link_all();
	assert_place("0000:3a:00.0", "none", "pci0000:3a");
	assert_place("0000:3a:05.0", "none", "pci0000:3a");
	assert_place("0000:6a:00.0", "none", "pci0000:6a");
	assert_place("0000:7f:00.2", "none", "pci0000:7f");
}

static void a_host_bridge_shows_that_its_bus_is_a_root_bus(void **state)
{
	(void)state;
	add_host_bridge("0000:20:00.0");
	add("0000:20:03.0", TYPE_UNKNOWN);
	/* Not the first function of the bus: a device that has this class */
	add_host_bridge("0000:40:00.1");
	link_all();
	assert_place("0000:20:03.0", "none", "pci0000:20");
	assert_place("0000:40:00.1", "unknown", "unknown");
}

static void an_endpoint_without_a_bridge_to_it_is_nowhere(void **state)
{
	(void)state;
	add_host_bridge("0000:00:00.0");
	add("0000:41:00.0", TYPE_ENDPOINT);
	add("0000:42:00.0", TYPE_UNKNOWN);
	add_bridge("0000:50:00.0", TYPE_UPSTREAM, 0x51, 0x52);
	add("0000:51:00.0", TYPE_ENDPOINT);
	link_all();
	assert_place("0000:41:00.0", "unknown", "unknown");
	assert_place("0000:42:00.0", "unknown", "unknown");
	assert_place("0000:50:00.0", "unknown", "unknown");
	assert_place("0000:51:00.0", "0000:50:00.0", "unknown");
}

static void a_conventional_function_is_on_a_root_bus_if_the_listing_is_whole_before_it(void **state)
{
	(void)state;
	add("0000:7f:08.0", TYPE_PCI);
	link_all();
	assert_place("0000:7f:08.0", "unknown", "unknown");
	add_host_bridge("0000:00:00.0");
	link_all();
	assert_place("0000:7f:08.0", "none", "pci0000:7f");
}

static void a_conventional_function_may_be_below_a_bridge_that_cannot_be_read(void **state)
{
	(void)state;
	add_host_bridge("0000:00:00.0");
	add_bridge("0000:00:1c.0", TYPE_UNKNOWN, UNKNOWN, UNKNOWN);
	add("0000:05:00.0", TYPE_PCI);
	link_all();
	assert_place("0000:05:00.0", "unknown", "unknown");
}

static void a_bridge_that_is_not_configured_leads_nowhere(void **state)
{
	(void)state;
	add_host_bridge("0000:00:00.0");
	add_bridge("0000:00:1c.0", TYPE_ROOT_PORT, 0, 0);
	add("0000:05:00.0", TYPE_PCI);
	link_all();
	assert_place("0000:05:00.0", "none", "pci0000:05");
}

static void a_virtual_function_is_below_the_port_of_its_physical_function(void **state)
{
	(void)state;
	add_bridge("0000:3a:00.0", TYPE_ROOT_PORT, 0x3b, 0x3c);
	add("0000:3b:00.1", TYPE_ENDPOINT);
	strcpy(add("0000:3c:00.1", TYPE_ENDPOINT)->physfn, "0000:3b:00.1");
	link_all();
	assert_place("0000:3c:00.1", "0000:3a:00.0", "pci0000:3a");
}

static void a_virtual_function_of_an_integrated_one_is_on_its_root_bus(void **state)
{
	(void)state;
	add("0000:6b:00.0", TYPE_RC_ENDPOINT);
	strcpy(add("0000:6c:00.1", TYPE_RC_ENDPOINT)->physfn, "0000:6b:00.0");
	link_all();
	assert_place("0000:6c:00.1", "none", "pci0000:6b");
}

static void physical_functions_in_a_loop_are_nowhere(void **state)
{
	(void)state;
	strcpy(add("0000:6b:00.0", TYPE_ENDPOINT)->physfn, "0000:6c:00.0");
	strcpy(add("0000:6c:00.0", TYPE_ENDPOINT)->physfn, "0000:6b:00.0");
	strcpy(add("0000:6d:00.0", TYPE_ENDPOINT)->physfn, "0000:6d:00.0");
	link_all();
	assert_place("0000:6b:00.0", "unknown", "unknown");
	assert_place("0000:6c:00.0", "unknown", "unknown");
	assert_place("0000:6d:00.0", "unknown", "unknown");
}

static void a_function_like_that_on_the_secondary_bus_is_virtual(void **state)
{
	struct function *physical, *virtual, *other;

	(void)state;
	add_bridge("0000:3a:00.0", TYPE_ROOT_PORT, 0x3b, 0x3c);
	physical = add("0000:3b:00.0", TYPE_ENDPOINT);
	physical->class = 0x020000;
	physical->vendor = 0x15b3;
	virtual = add("0000:3c:00.1", TYPE_ENDPOINT);
	virtual->class = 0x020000;
	virtual->vendor = 0x15b3;
	/* Something else: a port is not shown that leads to it */
	other = add("0000:3c:01.0", TYPE_ENDPOINT);
	other->class = 0x030200;
	link_all();
	assert_place("0000:3c:00.1", "0000:3a:00.0", "pci0000:3a");
	assert_place("0000:3c:01.0", "unknown", "unknown");
}

static void a_function_below_a_port_that_is_not_shown_is_nowhere(void **state)
{
	(void)state;
	add_bridge("0000:00:01.0", TYPE_ROOT_PORT, 1, 5);
	add_bridge("0000:01:00.0", TYPE_UPSTREAM, 2, 5);
	add_bridge("0000:02:00.0", TYPE_DOWNSTREAM, 3, 3);
	add("0000:04:00.0", TYPE_ENDPOINT)->class = 0x010802;
	link_all();
	assert_place("0000:02:00.0", "0000:01:00.0", "pci0000:00");
	assert_place("0000:04:00.0", "unknown", "unknown");
}

static void a_function_is_below_the_only_port_that_cannot_be_read(void **state)
{
	(void)state;
	add_bridge("0000:00:01.0", TYPE_ROOT_PORT, 1, 5);
	add_bridge("0000:01:00.0", TYPE_UPSTREAM, 2, 5);
	add_bridge("0000:02:00.0", TYPE_UNKNOWN, UNKNOWN, UNKNOWN);
	add_bridge("0000:02:01.0", TYPE_DOWNSTREAM, 4, 4);
	add("0000:03:00.0", TYPE_ENDPOINT)->class = 0x030200;
	add("0000:04:00.0", TYPE_ENDPOINT)->class = 0x030200;
	link_all();
	assert_place("0000:03:00.0", "0000:02:00.0", "pci0000:00");
	assert_place("0000:04:00.0", "0000:02:01.0", "pci0000:00");
	/* One more, and it can be below either, or a virtual function of what is beside them */
	machine_free(&machine);
	add_bridge("0000:01:00.0", TYPE_UPSTREAM, 2, 5);
	add_bridge("0000:02:00.0", TYPE_UNKNOWN, UNKNOWN, UNKNOWN);
	add("0000:02:00.1", TYPE_ENDPOINT)->class = 0x030200;
	add_bridge("0000:02:01.0", TYPE_UNKNOWN, UNKNOWN, UNKNOWN);
	add("0000:03:00.0", TYPE_ENDPOINT)->class = 0x030200;
	link_all();
	assert_place("0000:03:00.0", "unknown", "unknown");
}

static void two_bridges_that_claim_a_bus_lead_to_nothing(void **state)
{
	(void)state;
	add_bridge("0000:00:01.0", TYPE_ROOT_PORT, 1, 1);
	add_bridge("0000:00:02.0", TYPE_ROOT_PORT, 1, 1);
	add("0000:01:00.0", TYPE_ENDPOINT);
	link_all();
	assert_place("0000:01:00.0", "unknown", "unknown");
}

static void ranges_that_overlap_lead_to_nothing(void **state)
{
	struct function *physical;

	(void)state;
	add_bridge("0000:00:01.0", TYPE_ROOT_PORT, 1, 4);
	add_bridge("0000:00:02.0", TYPE_ROOT_PORT, 3, 6);
	physical = add("0000:03:00.0", TYPE_ENDPOINT);
	physical->class = 0x020000;
	add("0000:04:00.0", TYPE_ENDPOINT)->class = 0x020000;
	add("0000:06:00.0", TYPE_ENDPOINT)->class = 0x020000;
	link_all();
	assert_place("0000:04:00.0", "unknown", "unknown");
	assert_place("0000:06:00.0", "0000:00:02.0", "pci0000:00");
}

static void a_bridge_to_its_own_or_a_lower_bus_leads_to_nothing(void **state)
{
	(void)state;
	add_bridge("0000:02:00.0", TYPE_DOWNSTREAM, 1, 3);
	add_bridge("0000:01:00.0", TYPE_UPSTREAM, 1, 3);
	add_bridge("0000:03:00.0", TYPE_UPSTREAM, 4, 2);
	add("0000:04:00.0", TYPE_ENDPOINT);
	link_all();
	assert_place("0000:02:00.0", "unknown", "unknown");
	assert_place("0000:01:00.0", "unknown", "unknown");
	assert_place("0000:04:00.0", "unknown", "unknown");
}

static void a_path_that_is_too_deep_is_cut(void **state)
{
	char name[PCI_NAME_LEN];

	(void)state;
	for (int bus = 0; bus < 0xff; bus++) {
		snprintf(name, sizeof(name), "0000:%02x:00.0", bus);
		add_bridge(name, bus ? TYPE_DOWNSTREAM : TYPE_ROOT_PORT, bus + 1, 0xff);
	}
	link_all();
	assert_place("0000:3f:00.0", "0000:3e:00.0", "pci0000:00");
	assert_place("0000:40:00.0", "unknown", "unknown");
	assert_place("0000:41:00.0", "0000:40:00.0", "unknown");
}

static void what_is_known_already_stays(void **state)
{
	struct function *function;

	(void)state;
	machine_add_root(&machine, "pci0000:00");
	machine_add_root(&machine, "pci0000:80");
	add_bridge("0000:00:01.0", TYPE_ROOT_PORT, 1, 1)->root = 0;
	machine.functions[0].parent = NONE;
	function = add("0000:01:00.0", TYPE_ENDPOINT);
	function->parent = NONE;
	function->root = 1;
	/* Known to be elsewhere, so not below the bridge */
	add("0000:01:00.1", TYPE_ENDPOINT)->root = 1;
	link_all();
	assert_place("0000:01:00.0", "none", "pci0000:80");
	assert_place("0000:01:00.1", "unknown", "pci0000:80");
}

static void add_vmd(const char *name, uint64_t start)
{
	struct function *vmd = add(name, TYPE_PCI);

	vmd->vendor = 0x8086;
	vmd->device = 0xa77f;
	vmd->class = 0x010400;
	vmd->bars[2] = (struct bar){ .start = start, .size = 32 << 20, .memory = true,
				     .assigned = true };
}

static void a_high_domain_belongs_to_the_vmd(void **state)
{
	(void)state;
	add_vmd("0000:00:0e.0", 0x80000000);
	add_bridge("10000:e0:06.0", TYPE_ROOT_PORT, 0xe1, 0xe1);
	link_all();
	assert_place("10000:e0:06.0", "none", "pci10000:e0");
	assert_string_equal(machine.roots[1].name, "pci10000:e0");
	assert_string_equal(machine.roots[1].under, "0000:00:0e.0");
	assert_string_equal(machine.roots[0].under, "-");
}

static void of_several_vmds_it_is_the_one_whose_memory_is_used(void **state)
{
	struct function *port;

	(void)state;
	add_vmd("0000:00:0e.0", 0x80000000);
	add_vmd("0000:80:0e.0", 0x90000000);
	port = add_bridge("10000:e0:06.0", TYPE_ROOT_PORT, 0xe1, 0xe1);
	port->window = (struct window){ PRESENT, 0x90000000, 0x900fffff };
	add_bridge("10001:e0:06.0", TYPE_ROOT_PORT, 0xe1, 0xe1);
	link_all();
	for (size_t i = 0; i < machine.nr_roots; i++) {
		const char *name = machine.roots[i].name;

		if (!strcmp(name, "pci10000:e0"))
			assert_string_equal(machine.roots[i].under, "0000:80:0e.0");
		/* Nothing shows which */
		if (!strcmp(name, "pci10001:e0"))
			assert_string_equal(machine.roots[i].under, "");
	}
	assert_string_equal(root_of("10001:e0:06.0"), "pci10001:e0");
}

static void a_high_domain_without_a_vmd_belongs_to_nobody_known(void **state)
{
	(void)state;
	add("10000:00:00.0", TYPE_ENDPOINT);
	link_all();
	assert_string_equal(machine.roots[0].under, "");
}

static void a_name_that_is_no_address_is_left_alone(void **state)
{
	(void)state;
	add("0000:00:00", TYPE_ROOT_PORT);
	add("nonsense", TYPE_ROOT_PORT);
	link_all();
	assert_place("nonsense", "unknown", "unknown");
	assert_int_equal(machine.nr_roots, 0);
}

static unsigned int random_below(unsigned int n)
{
	static uint64_t seed = 12;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % n;
}

/* link_all() fails if the result contradicts itself. */
static void no_input_leads_to_a_contradiction(void **state)
{
	(void)state;
	for (int run = 0; run < 2000; run++) {
		int nr = random_below(40), buses = 1 + random_below(12);

		for (int i = 0; i < nr; i++) {
			char name[PCI_NAME_LEN];
			struct function *function;

			snprintf(name, sizeof(name), "%04x:%02x:%02x.%x", random_below(2),
				 random_below(buses), random_below(3), random_below(2));
			function = add(name, random_below(TYPE_PCI + 1));
			function->bridge = random_below(3);
			function->class = random_below(2) ? 0x060000 : 0x020000;
			function->secondary = (int)random_below(buses + 2) - 2;
			function->subordinate = (int)random_below(buses + 2) - 2;
			if (random_below(3) == 0)
				snprintf(function->physfn, sizeof(function->physfn),
					 "%04x:%02x:00.0", random_below(2), random_below(buses));
		}
		link_all();
		machine_free(&machine);
	}
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void an_empty_name_and_a_hyphen_name_nothing(void **state)
{
	(void)state;
	add("0000:01:00.0", TYPE_ENDPOINT);
	strcpy(add("0000:02:00.0", TYPE_ENDPOINT)->pool.dev, "-");
	strcpy(add("0000:03:00.0", TYPE_ENDPOINT)->pool.dev, "-");
	strcpy(machine.functions[0].names[machine.functions[0].nr_names++], "-");
	strcpy(machine.functions[1].pool.dev, "p2pmem0");
	assert_int_equal(machine_find_any(&machine, ""), -ENODEV);
	assert_int_equal(machine_find_any(&machine, "-"), -ENODEV);
	assert_int_equal(machine_find_any(&machine, "p2pmem0"), 1);
	assert_int_equal(machine_find_any(&machine, "03:00.0"), 2);
}

static const struct CMUnitTest tests[] = {
	LINK_TEST(the_parent_is_the_bridge_to_the_bus),
	LINK_TEST(bus_0_is_a_root_bus),
	LINK_TEST(a_root_port_shows_that_its_bus_is_a_root_bus),
	LINK_TEST(a_host_bridge_shows_that_its_bus_is_a_root_bus),
	LINK_TEST(an_endpoint_without_a_bridge_to_it_is_nowhere),
	LINK_TEST(a_conventional_function_is_on_a_root_bus_if_the_listing_is_whole_before_it),
	LINK_TEST(a_conventional_function_may_be_below_a_bridge_that_cannot_be_read),
	LINK_TEST(a_bridge_that_is_not_configured_leads_nowhere),
	LINK_TEST(a_virtual_function_is_below_the_port_of_its_physical_function),
	LINK_TEST(a_virtual_function_of_an_integrated_one_is_on_its_root_bus),
	LINK_TEST(physical_functions_in_a_loop_are_nowhere),
	LINK_TEST(a_function_like_that_on_the_secondary_bus_is_virtual),
	LINK_TEST(a_function_below_a_port_that_is_not_shown_is_nowhere),
	LINK_TEST(a_function_is_below_the_only_port_that_cannot_be_read),
	LINK_TEST(two_bridges_that_claim_a_bus_lead_to_nothing),
	LINK_TEST(ranges_that_overlap_lead_to_nothing),
	LINK_TEST(a_bridge_to_its_own_or_a_lower_bus_leads_to_nothing),
	LINK_TEST(a_path_that_is_too_deep_is_cut),
	LINK_TEST(what_is_known_already_stays),
	LINK_TEST(a_high_domain_belongs_to_the_vmd),
	LINK_TEST(of_several_vmds_it_is_the_one_whose_memory_is_used),
	LINK_TEST(a_high_domain_without_a_vmd_belongs_to_nobody_known),
	LINK_TEST(a_name_that_is_no_address_is_left_alone),
	LINK_TEST(no_input_leads_to_a_contradiction),
	LINK_TEST(an_empty_name_and_a_hyphen_name_nothing),
};

UNIT_MAIN(tests)
