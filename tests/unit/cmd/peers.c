// SPDX-License-Identifier: GPL-2.0
/* What "p2ptrace peers" prints for the drawn machines of tests/field/cases.txt. */
/* wrap: host_bridge_find */
#include <errno.h>

#include <jansson.h>

#include "unit.h"
#include "machine/drawing.h"
#include "cmd/peers.c"
#include "cmd/peers_why.c"

void __real_host_bridge_find(struct host_bridge *bridge, const struct machine *on, int root);
void __wrap_host_bridge_find(struct host_bridge *bridge, const struct machine *on, int root);

static int searches;	/* for host bridges */

void __wrap_host_bridge_find(struct host_bridge *bridge, const struct machine *on, int root)
{
	searches++;
	__real_host_bridge_find(bridge, on, root);
}

static struct drawings drawings;
static struct machine *machine;
static struct capture err;
static struct buffer out;

static int setup(void **state)
{
	FILE *file = drawings_open_cases();

	(void)state;
	assert_non_null(file);
	assert_int_equal(drawings_read(&drawings, file), 0);
	fclose(file);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	drawings_free(&drawings);
	buffer_free(&out);
	return 0;
}

static struct function *at(const char *name)
{
	struct function *function = machine_find(machine, name);

	assert_non_null(function);
	return function;
}

static void is_a(const char *name, int class, const char *known_as)
{
	at(name)->class = class;
	strcpy(at(name)->names[0], known_as);
	at(name)->nr_names = 1;
}

/* Adds this many GPUs, all called card7, to the first root bus. */
static void add_gpus(size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct function *function;
		char name[PCI_NAME_LEN];

		snprintf(name, sizeof(name), "0000:00:%02zx.%zx", 0x10 + i / 8, i % 8);
		function = machine_add_function(machine, name);
		assert_non_null(function);
		function->root = 0;
		function->parent = NONE;
		function->type = TYPE_ENDPOINT;
		function->bridge = ABSENT;
		is_a(name, 0x030000, "card7");
	}
}

/* Takes a drawn machine with an Intel CPU that is no guest. */
static void draw(const char *name, const char *kernel)
{
	for (size_t i = 0; i < drawings.nr; i++)
		if (!strcmp(drawings.all[i].name, name))
			machine = &drawings.all[i].machine;
	assert_non_null(machine);
	assert_true(drawing_set_cpu(machine, "intel"));
	strcpy(machine->kernel, kernel);
	strcpy(machine->hypervisor, "-");
}

/* Runs peers on a snapshot of the machine, and returns its status. */
static int run(const char **words)
{
	char path[] = "/tmp/peers.XXXXXX";
	char *argv[24] = { (char []){ "peers" }, (char []){ "--from" }, path };
	struct buffer text = {};
	int fd = mkstemp(path), argc = 3, rc;

	assert_true(fd >= 0);
	snapshot_write(&text, machine);
	assert_int_equal(write(fd, text.data, text.len), text.len);
	close(fd);
	buffer_free(&text);
	while (*words)
		argv[argc++] = (char *)*words++;
	capture_begin(&err);
	rc = cmd_peers(argc, argv);
	capture_end(&err);
	unlink(path);
	buffer_reset(&out);
	buffer_printf(&out, "%s", buffer_text(print_buffer()));
	buffer_reset(print_buffer());
	return rc;
}

#define PEERS(...) run((const char *[]){ __VA_ARGS__, NULL })

static void assert_prints(const char *text)
{
	if (!strstr(buffer_text(&out), text))
		fail_msg("'%s' is not in:\n%s", text, buffer_text(&out));
}

static void assert_does_not_print(const char *text)
{
	if (strstr(buffer_text(&out), text))
		fail_msg("'%s' is in:\n%s", text, buffer_text(&out));
}

static void the_matrix_has_a_row_and_a_column_for_each_function_that_matters(void **state)
{
	(void)state;
	draw("two-gpus-one-switch-acs-off", "7.0.1");
	is_a("0000:0e:00.0", 0x030000, "card0");
	is_a("0000:12:00.0", 0x038000, "card1");
	at("0000:0e:00.0")->numa_node = 1;
	at("0000:12:00.0")->numa_node = NONE;
	assert_int_equal(PEERS("--predict"), 0);
	assert_string_equal(out.data,
		"Predicted by the rules of Linux 7.0.\n\n"
		"    client        class  known as NUMA 1          2\n"
		"  1 0000:0e:00.0  gpu    card0    1    -          bus PXB\n"
		"  2 0000:12:00.0  gpu    card1    -    bus PXB    -\n\n"
		"bus   bus_addr: direct, through a switch\n"
		"Rows are clients; columns are providers, by the number of their row.\n"
		"PIX at most one switch, PXB several switches, PHB one host bridge, NODE one NUMA "
		"node,\nSYS two NUMA nodes, ? unknown\n"
		"1 other function: add --all\n"
		"For the reason and the remedy of a pair, add --why PROVIDER CLIENT\n");
}

static void each_map_type_has_its_cell_and_its_legend(void **state)
{
	(void)state;
	draw("virtual-functions", "6.12");
	is_a("0000:3b:00.0", 0x020000, "eth0");
	is_a("0000:3d:00.0", 0x010802, "nvme0");
	assert_int_equal(PEERS("--class", "nvme,nic"), 0);
	assert_prints("  1 0000:3d:00.0  nvme   nvme0    ?    -          host PHB\n");
	assert_prints("host  thru_host_bridge: up to the host bridge");
	assert_does_not_print("bus   bus_addr");
	draw("two-gpus-two-root-ports", "6.12");
	assert_int_equal(PEERS("--all", "--dev", "3:0.0"), 0);
	assert_prints(" 0000:07:00.0  other  -        ?    no PHB\n");
	assert_prints("no    not_supported: the kernel refuses this pair\n");
	draw("port-reads-all-ones", "6.12");
	assert_int_equal(PEERS("--all", "--dev", "0000:03:00.0"), 0);
	assert_prints(" 0000:04:00.0  other  -        ?    ? PIX\n");
	assert_prints("?     unknown: a fact is missing\n");
	draw("two-gpus-one-switch-acs-off", "7.0.1");
	strcpy(at("0000:12:00.0")->iommu_domain, "DMA-FQ");
	assert_int_equal(PEERS("--all", "--dev", "0000:0e:00.0"), 0);
	assert_prints(" 0000:12:00.0  other  -        ?    bus* PXB\n");
	assert_prints("*     the client's addresses go through an IOMMU");
}

static void options_select_rows_and_columns(void **state)
{
	(void)state;
	draw("two-gpus-one-switch-acs-off", "7.0.1");
	is_a("0000:0e:00.0", 0x030000, "card0");
	assert_int_equal(PEERS("--class", "nic"), 0);
	assert_prints("no PCI function is selected, of 11; add --all or --class\n");
	assert_int_equal(PEERS("--class", "bridge", "--dev", "card0"), 0);
	assert_prints(" NUMA 0000:0e:00.0\n");
	assert_prints("  1 0000:00:01.0  bridge ");
	assert_does_not_print("gpu");
	assert_int_equal(PEERS("--class", "gpu", "--dev", "card0", "--dev", "0000:12:00.0"), 0);
	assert_prints(" NUMA 1          0000:12:00.0\n");
	assert_int_equal(PEERS("--class", "gpu", "--dev", "card0", "--dev", "0e:0.0"), 0);
	assert_prints(" NUMA 1\n");
	assert_int_equal(PEERS("--all", "--why", "card0", "0e:0.0"), EXIT_USAGE);
	assert_one_line(err.text, "--all, --class and --dev select what the matrix shows");
	assert_int_equal(PEERS("--class", "gpu,what"), EXIT_USAGE);
	assert_one_line(err.text, "'gpu,what': 'what' is not a class; the classes are gpu, "
			"accel, nvme, nic, memory, other, bridge");
	assert_int_equal(PEERS("--dev", "card7"), EXIT_USAGE);
	assert_one_line(err.text, "--dev 'card7' is not a PCI function of this machine");
}

static void what_holds_for_all_pairs_is_said_once(void **state)
{
	(void)state;
	draw("two-gpus-one-switch-acs-off", "7.0.1");
	machine->p2pdma = ABSENT;
	machine->hypervisor[0] = '\0';
	machine->options_known = true;
	assert_int_equal(machine_add_option(machine, "pci=disable_acs_redir=0000:7f:00.0"), 0);
	assert_int_equal(PEERS("--all"), 0);
	assert_prints("caution: this kernel was built without CONFIG_PCI_P2PDMA");
	assert_prints("caution: The boot option pci=disable_acs_redir names 0000:7f:00.0, which "
		      "does not exist.\n");
	assert_does_not_print("virtual machine");
	strcpy(machine->hypervisor, "KVM");
	assert_int_equal(PEERS("--all"), 0);
	assert_prints("caution: this is a virtual machine");
	draw("guest-440fx", "6.12");
	machine->hypervisor[0] = '\0';
	assert_int_equal(PEERS("--all"), 0);
	assert_prints("caution: this looks like a virtual machine");
}

static void the_path_is_drawn_with_each_port_that_redirects(void **state)
{
	(void)state;
	draw("two-gpus-one-switch-acs-on", "7.0.1");
	is_a("0000:0e:00.0", 0x030000, "card0");
	strcpy(at("0000:0e:00.0")->driver, "xe");
	assert_int_equal(PEERS("--why", "card0", "12:0.0"), 0);
	assert_prints(
		"client 0000:12:00.0 -> provider 0000:0e:00.0 (card0): not_supported (refused), "
		"8 hops, PXB (several switches between them)\n"
		"acs_redirect_blocked at 0000:0d:01.0: a port redirects peer requests to the root "
		"complex (ACS), and the host bridge is not known to forward them\n"
		"This is predicted by the rules of Linux 7.0.\n\n"
		"  host bridge pci0000:00  <- not allowed by the kernel's list\n"
		"  └─ 0000:00:01.0  root port  <- redirects, but the kernel does not look here "
		"(ACS 0x1d: ReqRedir+ CmpltRedir+)\n"
		"     └─ 0000:0a:00.0  switch upstream port\n"
		"        ├─ 0000:0b:00.0  switch downstream port  <- 2: redirects "
		"(ACS 0x0c: ReqRedir+ CmpltRedir+)\n"
		"        │  └─ 0000:0c:00.0  switch upstream port\n"
		"        │     └─ 0000:0d:01.0  switch downstream port  <- 1: redirects "
		"(ACS 0x0c: ReqRedir+ CmpltRedir+)\n"
		"        │        └─ 0000:0e:00.0  provider, gpu, xe (card0)\n"
		"        └─ 0000:0b:10.0  switch downstream port  <- 4: redirects "
		"(ACS 0x0c: ReqRedir+ CmpltRedir+)\n"
		"           └─ 0000:10:00.0  switch upstream port\n"
		"              └─ 0000:11:01.0  switch downstream port  <- 3: redirects "
		"(ACS 0x0c: ReqRedir+ CmpltRedir+)\n"
		"                 └─ 0000:12:00.0  client, other\n\n");
	assert_one_line(err.text, "all commands are for the machine that was recorded");
	assert_prints("remedy:     To make the path direct, boot with the option below.");
	assert_prints("\n              setpci -s 0000:0d:01.0 ECAP_ACS+6.w=0:2c\n");
	draw("two-gpus-one-switch-acs-off", "7.0.1");
	assert_int_equal(PEERS("--why", "0e:0.0", "12:0.0"), 0);
	assert_does_not_print("redirects (");
}

static void two_host_bridges_have_a_tree_each(void **state)
{
	(void)state;
	draw("gpus-across-amd-host-bridges", "7.0.1");
	assert_int_equal(PEERS("--why", "3:0.0", "23:0.0"), 0);
	assert_prints(", 8 hops, ? (two host bridges, whose NUMA nodes are unknown)\n");
	assert_prints("           └─ 0000:03:00.0  provider, other\n"
		      "  host bridge pci0000:20  <- not allowed by the kernel's list\n"
		      "  └─ 0000:20:01.1  root port\n");
	draw("same-address-in-two-domains", "6.12");
	assert_int_equal(PEERS("--why", "3:0.0", "10000:04:00.0"), 0);
	assert_prints(", PHB (a host bridge of the CPU and one made by VMD between them)\n");
	assert_prints("  host bridge pci10000:00, made by 0000:00:0e.0 (VMD)  <- not allowed by "
		      "the kernel's list\n");
	assert_int_equal(PEERS("--why", "3:0.0", "3:0.0"), 0);
	assert_prints("           └─ 0000:03:00.0  provider and client, other\n");
}

static void the_kernels_own_decision_comes_first(void **state)
{
	struct reported *reported;

	(void)state;
	draw("two-gpus-one-switch-acs-off", "7.0.1");
	reported = machine_add_reported(machine);
	assert_non_null(reported);
	*reported = (struct reported){
		.provider = machine_index(machine, at("0000:0e:00.0")),
		.client = machine_index(machine, at("0000:12:00.0")),
		.map = "not_supported", .distance = 8, .reason = "made_up",
		.blocker = "0000:0d:01.0",
	};
	assert_int_equal(PEERS("--why", "0e:0.0", "12:0.0"), 0);
	assert_prints(": not_supported (refused), 8 hops, PXB (several switches between them)\n"
		      "made_up: p2ptrace does not know this reason");
	assert_prints("This is what the kernel decides.\n");
	assert_int_equal(PEERS("--json", "--why", "0e:0.0", "12:0.0"), 0);
	assert_prints("\"map\":\"not_supported\",\"distance\":8,\"proximity\":\"PXB\","
		      "\"reason\":\"made_up\",\"blocker\":\"0000:0d:01.0\",\"source\":\"kernel\","
		      "\"rules\":\"7.0\","
		      "\"predicted\":{\"map\":\"bus_addr\",\"reason\":\"same_bridge\"}");
	assert_int_equal(PEERS("--all"), 0);
	assert_prints("What the kernel decides, where it reports it; otherwise predicted by the "
		      "rules of Linux 7.0.\n");
	assert_int_equal(PEERS("--predict", "--why", "0e:0.0", "12:0.0"), 0);
	assert_prints(": bus_addr (direct), 8 hops, PXB (");
	assert_int_equal(PEERS("--kernel", "6.1", "--why", "0e:0.0", "12:0.0"), 0);
	assert_prints(": bus_addr (direct), 8 hops, PXB (");
	assert_prints("by the rules of Linux 6.1.\n");
}

static void another_release_can_be_asked_about(void **state)
{
	(void)state;
	draw("arm-server-known-since-7", "6.12");
	assert_true(drawing_set_cpu(machine, "arm"));
	assert_int_equal(PEERS("--why", "0009:01:00.0", "0019:01:00.0", "--expect",
			       "not_supported"), 0);
	assert_int_equal(PEERS("--why", "0009:01:00.0", "0019:01:00.0", "--kernel", "7.3",
			       "--expect", "thru_host_bridge"), 0);
	strcpy(machine->kernel, "");
	assert_int_equal(PEERS("--why", "0009:01:00.0", "0019:01:00.0"), 0);
	assert_prints(": unknown (a fact is missing), 4 hops");
	assert_prints("  host bridge pci0009:00  <- unknown whether the kernel allows it\n");
	assert_int_equal(PEERS("--all"), 0);
	assert_prints("Predicted by the rules of Linux 5.4 to 7.3, where they agree.\n");
	assert_int_equal(PEERS("--all", "--kernel", "99.99"), 0);
	assert_prints("Predicted by the rules of Linux 7.3, the newest that p2ptrace knows.\n");
	assert_int_equal(PEERS("--all", "--kernel", "5.3"), 0);
	assert_prints("Predicted by the rules of Linux 5.4 to 7.3, where they agree.\n");
	machine->nr = 0;
	assert_int_equal(PEERS("--all"), EXIT_OTHER);
	assert_one_line(err.text, "has no PCI functions; record it again");
	assert_int_equal(PEERS("--kernel", "new", "--why", "a", "b"), EXIT_USAGE);
	assert_one_line(err.text, "--kernel 'new' is not a release; give one such as 6.12");
}

static void an_expectation_that_does_not_hold_fails(void **state)
{
	(void)state;
	draw("two-gpus-one-switch-acs-on", "7.0.1");
	assert_int_equal(PEERS("--why", "0e:0.0", "12:0.0", "--expect", "bus_addr"), EXIT_CHECK);
	assert_non_null(strstr(err.text, "the map type is not_supported, not bus_addr as --expect "
			       "wants"));
	assert_prints("acs_redirect_blocked");
	assert_int_equal(PEERS("--why", "0e:0.0", "12:0.0", "--expect", "direct"), EXIT_USAGE);
	assert_one_line(err.text, "--expect 'direct' is not a map type; those are bus_addr, ");
	assert_int_equal(PEERS("--expect", "bus_addr"), EXIT_USAGE);
	assert_one_line(err.text, "--expect is about one pair");
}

static void a_name_that_is_not_clear_is_refused(void **state)
{
	(void)state;
	draw("two-gpus-one-switch-acs-on", "7.0.1");
	is_a("0000:0e:00.0", 0x030000, "card0");
	is_a("0000:12:00.0", 0x030000, "card0");
	assert_int_equal(PEERS("--why", "card0", "12:0.0"), EXIT_USAGE);
	assert_one_line(err.text, "PROVIDER 'card0' names several functions: 0000:0e:00.0, "
			"0000:12:00.0; give the full PCI name of one");
	assert_int_equal(PEERS("--why", "12:0.0", "nvme7"), EXIT_USAGE);
	assert_one_line(err.text, "CLIENT 'nvme7' is not a PCI function of this machine");
	assert_int_equal(PEERS("--why", "12:0.0", "7f:1f.7"), EXIT_USAGE);
	assert_one_line(err.text, "CLIENT '7f:1f.7' is not a PCI function of this machine");
	assert_int_equal(PEERS("--why", "12:0.0"), EXIT_USAGE);
	assert_one_line(err.text, "--why takes a provider and a client");
	add_gpus(11);
	assert_int_equal(PEERS("--dev", "card7"), EXIT_USAGE);
	assert_one_line(err.text, "--dev 'card7' names several functions: 0000:00:10.0, "
			"0000:00:10.1, 0000:00:10.2, 0000:00:10.3, 0000:00:10.4, 0000:00:10.5, "
			"0000:00:10.6, 0000:00:10.7 and 3 more; give the full PCI name of one");
}

/* A search looks at all functions: one for each cell or row would be noticed on large machines. */
static void more_functions_need_no_more_searches_for_host_bridges(void **state)
{
	int before;

	(void)state;
	draw("two-gpus-one-switch-acs-on", "7.0.1");
	searches = 0;
	assert_int_equal(PEERS("--all"), 0);
	before = searches;
	assert_int_equal(before, 2);
	add_gpus(53);
	searches = 0;
	assert_int_equal(PEERS("--all"), 0);
	assert_int_equal(searches, before);
	searches = 0;
	assert_int_equal(PEERS("--all", "--json", "--dev", "0e:0.0"), 0);
	assert_int_equal(searches, before);
}

static json_t *json(void)
{
	json_t *root = json_loads(buffer_text(&out), JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(root);
	return root;
}

static const char *text_of(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void one_pair_is_one_object(void **state)
{
	json_t *root, *finding;
	size_t i, commands = 0;

	(void)state;
	draw("two-gpus-one-switch-acs-on", "7.0.1");
	assert_int_equal(PEERS("--json", "--why", "0e:0.0", "12:0.0"), 0);
	root = json();
	assert_string_equal(text_of(root, "provider"), "0000:0e:00.0");
	assert_string_equal(text_of(root, "client"), "0000:12:00.0");
	assert_string_equal(text_of(root, "map"), "not_supported");
	assert_int_equal(json_integer_value(json_object_get(root, "distance")), 8);
	assert_string_equal(text_of(root, "source"), "predicted");
	assert_int_equal(json_array_size(json_object_get(root, "provider_path")), 6);
	assert_string_equal(json_string_value(json_array_get(json_object_get(root, "client_path"),
							     0)), "0000:00:01.0");
	assert_int_equal(json_array_size(json_object_get(root, "redirects")), 4);
	assert_int_equal(json_array_size(json_object_get(root, "redirects_ignored")), 1);
	assert_int_equal(json_array_size(json_object_get(root, "unreadable")), 0);
	assert_int_equal(json_array_size(json_object_get(root, "functions")), 2);
	json_array_foreach(json_object_get(root, "findings"), i, finding) {
		assert_non_null(text_of(finding, "topic"));
		assert_non_null(text_of(finding, "level"));
		assert_non_null(text_of(finding, "text"));
		commands += json_array_size(json_object_get(finding, "commands"));
	}
	assert_int_equal(commands, 8 + 4);
	assert_string_equal(text_of(root, "rules"), "7.0");
	json_decref(root);
}

static void the_matrix_is_one_object_with_all_pairs(void **state)
{
	json_t *root;

	(void)state;
	draw("two-gpus-one-switch-acs-on", "7.0.1");
	assert_int_equal(PEERS("--json", "--all"), 0);
	root = json();
	assert_string_equal(text_of(root, "kernel"), "7.0.1");
	assert_int_equal(json_array_size(json_object_get(root, "problems")), 0);
	assert_int_equal(json_array_size(json_object_get(root, "functions")), 3);
	assert_int_equal(json_array_size(json_object_get(root, "pairs")), 9);
	assert_string_equal(text_of(json_array_get(json_object_get(root, "pairs"), 0), "map"),
			    "bus_addr");
	json_decref(root);
}

#define PEERS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	PEERS_TEST(the_matrix_has_a_row_and_a_column_for_each_function_that_matters),
	PEERS_TEST(each_map_type_has_its_cell_and_its_legend),
	PEERS_TEST(options_select_rows_and_columns),
	PEERS_TEST(what_holds_for_all_pairs_is_said_once),
	PEERS_TEST(the_path_is_drawn_with_each_port_that_redirects),
	PEERS_TEST(two_host_bridges_have_a_tree_each),
	PEERS_TEST(the_kernels_own_decision_comes_first),
	PEERS_TEST(another_release_can_be_asked_about),
	PEERS_TEST(an_expectation_that_does_not_hold_fails),
	PEERS_TEST(a_name_that_is_not_clear_is_refused),
	PEERS_TEST(more_functions_need_no_more_searches_for_host_bridges),
	PEERS_TEST(one_pair_is_one_object),
	PEERS_TEST(the_matrix_is_one_object_with_all_pairs),
};

UNIT_MAIN(tests)
