// SPDX-License-Identifier: GPL-2.0
/* The predicted decisions are those of the kernel, from a sysfs and config spaces in a tree. */
#include <bpf/btf.h>
#include <pci/header.h>

#include "machine/tree.h"
#include "cmd/peers.c"

#define RR PCI_ACS_CTRL_REQ_RED
#define CR PCI_ACS_CTRL_CMPLT_RED
#define EC PCI_ACS_CTRL_EGRESS
#define NO_REDIRECT (PCI_ACS_CTRL_VALID | PCI_ACS_CTRL_BLOCK | PCI_ACS_CTRL_FORWARD | \
		     PCI_ACS_CTRL_TRANS)

/* Not a PCI Express function */
#define TYPE_PCI (-1)

#define ROOT_PORT "pci0000:00/0000:00:01.0"
#define SWITCH ROOT_PORT "/0000:01:00.0"
#define VMD "pci0000:00/0000:00:0e.0/pci10000:e0"

/*
 * A switch with a second switch below it, two root ports, a second host bridge, and VMD, which has
 * its own domain.
 */
static const struct fake {
	const char *path;
	int type;
} tree_functions[] = {
	{ "pci0000:00/0000:00:00.0", TYPE_PCI },
	{ ROOT_PORT, PCI_EXP_TYPE_ROOT_PORT },
	{ SWITCH, PCI_EXP_TYPE_UPSTREAM },
	{ SWITCH "/0000:02:00.0", PCI_EXP_TYPE_DOWNSTREAM },
	{ SWITCH "/0000:02:00.0/0000:03:00.0", PCI_EXP_TYPE_ENDPOINT },
	{ SWITCH "/0000:02:00.0/0000:03:00.1", PCI_EXP_TYPE_ENDPOINT },
	{ SWITCH "/0000:02:01.0", PCI_EXP_TYPE_DOWNSTREAM },
	{ SWITCH "/0000:02:01.0/0000:04:00.0", PCI_EXP_TYPE_ENDPOINT },
	{ SWITCH "/0000:02:02.0", PCI_EXP_TYPE_DOWNSTREAM },
	{ SWITCH "/0000:02:02.0/0000:05:00.0", PCI_EXP_TYPE_UPSTREAM },
	{ SWITCH "/0000:02:02.0/0000:05:00.0/0000:06:00.0", PCI_EXP_TYPE_DOWNSTREAM },
	{ SWITCH "/0000:02:02.0/0000:05:00.0/0000:06:00.0/0000:07:00.0", PCI_EXP_TYPE_ENDPOINT },
	{ "pci0000:00/0000:00:02.0", PCI_EXP_TYPE_ROOT_PORT },
	{ "pci0000:00/0000:00:02.0/0000:08:00.0", PCI_EXP_TYPE_ENDPOINT },
	{ "pci0000:00/0000:00:0e.0", TYPE_PCI },
	{ VMD "/10000:e0:01.0", PCI_EXP_TYPE_ROOT_PORT },
	{ VMD "/10000:e0:01.0/10000:e1:00.0", PCI_EXP_TYPE_ENDPOINT },
	{ "pci0000:80/0000:80:00.0", TYPE_PCI },
	{ "pci0000:80/0000:80:01.0", PCI_EXP_TYPE_ROOT_PORT },
	{ "pci0000:80/0000:80:01.0/0000:81:00.0", PCI_EXP_TYPE_ENDPOINT },
};

#define PROVIDER	"0000:03:00.0"
#define HOST_BRIDGE	"0000:00:00.0"
#define OTHER_BRIDGE	"0000:80:00.0"

static const char intel[] = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n";
static const char zen[] = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 23\n";

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static const char *file_of(const char *pci, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "bus/pci/devices/%s/%s", pci, name);
	return path;
}

static void write_config(const char *pci, const unsigned char *bytes, size_t size)
{
	FILE *file = fopen(in_tree(file_of(pci, "config")), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* A config space with the header and the capabilities PCI Express and ACS. */
static void make_config(const char *pci, int type, unsigned int acs, size_t size)
{
	bool bridge = type == PCI_EXP_TYPE_ROOT_PORT || type == PCI_EXP_TYPE_UPSTREAM ||
		      type == PCI_EXP_TYPE_DOWNSTREAM;
	unsigned char bytes[4096] = {};

	/* The top bit is set for a device with several functions */
	bytes[PCI_HEADER_TYPE] = 0x80 | bridge;
	if (type != TYPE_PCI) {
		bytes[PCI_STATUS] = PCI_STATUS_CAP_LIST;
		bytes[PCI_CAPABILITY_LIST] = 0x40;
		bytes[0x40] = PCI_CAP_ID_EXP;
		bytes[0x40 + PCI_EXP_FLAGS] = type << 4 | 2;
		/* ACS follows another capability, which has ones at the offset of ACS control */
		bytes[0x100] = PCI_EXT_CAP_ID_AER;
		bytes[0x102] = 0x1;
		bytes[0x103] = 0x150 >> 4;
		bytes[0x100 + PCI_ACS_CTRL] = 0xff;
		bytes[0x150] = PCI_EXT_CAP_ID_ACS;
		bytes[0x152] = 0x1;
		bytes[0x150 + PCI_ACS_CTRL] = acs;
	}
	write_config(pci, bytes, size);
}

static int type_of(const char *pci)
{
	for (size_t i = 0; i < ARRAY_LEN(tree_functions); i++)
		if (!strcmp(base_name(tree_functions[i].path), pci))
			return tree_functions[i].type;
	fail_msg("%s is not in the tree", pci);
	return TYPE_PCI;
}

static void set_acs(const char *pci, unsigned int acs)
{
	make_config(pci, type_of(pci), acs, 4096);
}

static void set_ids(const char *pci, unsigned int vendor, unsigned int device)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%04x\n", vendor);
	tree_file(file_of(pci, "vendor"), text);
	snprintf(text, sizeof(text), "0x%04x\n", device);
	tree_file(file_of(pci, "device"), text);
}

static void make_function(const struct fake *fake)
{
	const char *pci = base_name(fake->path);
	char target[256], link[64];

	snprintf(target, sizeof(target), "../../../devices/%s", fake->path);
	tree_dir(strstr(target, "devices/"));
	snprintf(link, sizeof(link), "bus/pci/devices/%s", pci);
	tree_link(link, target);
	make_config(pci, fake->type, 0, 4096);
	set_ids(pci, 0x1b36, 0x0010);
}

static void make_provider(const char *pci)
{
	tree_file(file_of(pci, "p2pmem/size"), "65536\n");
}

static int setup(void **state)
{
	int err = tree_setup(state);

	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(tree_functions); i++)
		make_function(&tree_functions[i]);
	return 0;
}

static int load_all(struct peers *peers, const char *cpuinfo)
{
	char cpu[128];

	strcpy(cpu, in_tree("cpuinfo"));
	tree_file("cpuinfo", cpuinfo);
	return predict_load(peers, tree, cpu, in_tree("btf"));
}

/* Compares a client with a row of debugfs: "MAP DISTANCE REASON BLOCKER". */
static void assert_decision(const struct provider *provider, const char *client,
			    const char *expected)
{
	const struct peer *peer = provider_peer(provider, client);
	char row[256];

	assert_non_null(peer);
	snprintf(row, sizeof(row), "%s %d %s %s", peer->map, peer->distance, peer->reason,
		 *peer->blocker ? peer->blocker : "-");
	if (strcmp(row, expected))
		fail_msg("%s is '%s', not '%s'", client, row, expected);
}

/* Compares the ports that --why names for a pair. */
static void assert_ports(const char *provider, const char *client, const char *expected)
{
	struct pci_access *config = config_open(tree);
	struct end from, to;
	char ports[512];

	assert_int_equal(end_read(&from, config, tree, client), 0);
	assert_int_equal(end_read(&to, config, tree, provider), 0);
	config_close(config);
	redirecting_ports(ports, sizeof(ports), &to, &from);
	assert_string_equal(ports, expected);
}

static void distances_and_redirects_are_those_of_the_kernel(void **state)
{
	static const struct {
		const char *client, *decision;
		struct {
			const char *pci;
			unsigned int acs;
		} set[3];
		const char *ports;
	} cases[] = {
		{ .client = PROVIDER, .decision = "bus_addr 0 same_function -" },
		{ .client = "0000:03:00.1", .decision = "bus_addr 2 same_bridge -" },
		{ .client = "0000:04:00.0", .decision = "bus_addr 4 same_bridge -" },
		{ .client = "0000:07:00.0", .decision = "bus_addr 6 same_bridge -" },
		{ .client = "0000:08:00.0", .decision = "not_supported 6 host_bridge_unknown -" },
		{ .client = "0000:00:00.0", .decision = "not_supported 5 host_bridge_unknown -" },
		{ .client = "0000:81:00.0", .decision = "not_supported 6 host_bridge_unknown -" },
		{ .client = "10000:e1:00.0", .decision = "not_supported 6 host_bridge_unknown -" },

		/* Each kind of redirect: at the provider, at the client, at the shared bridge */
		{ "0000:04:00.0", "not_supported 4 acs_redirect_blocked 0000:02:00.0",
		  .set = { { "0000:02:00.0", RR } },
		  .ports = "0000:02:00.0" },
		{ "0000:04:00.0", "not_supported 4 acs_redirect_blocked 0000:02:01.0",
		  .set = { { "0000:02:01.0", CR } },
		  .ports = "0000:02:01.0" },
		{ "0000:04:00.0", "not_supported 4 acs_redirect_blocked 0000:01:00.0",
		  .set = { { "0000:01:00.0", EC } },
		  .ports = "0000:01:00.0" },
		{ "0000:03:00.1", "not_supported 2 acs_redirect_blocked 0000:02:00.0",
		  .set = { { "0000:02:00.0", RR } },
		  .ports = "0000:02:00.0" },
		/* Above the shared bridge, elsewhere, and the other bits of ACS control */
		{ "0000:04:00.0", "bus_addr 4 same_bridge -",
		  .set = { { "0000:00:01.0", RR | CR | EC } } },
		{ "0000:03:00.1", "bus_addr 2 same_bridge -",
		  .set = { { "0000:01:00.0", RR | CR | EC } } },
		{ "0000:04:00.0", "bus_addr 4 same_bridge -",
		  .set = { { "0000:02:02.0", RR | CR | EC } } },
		{ "0000:04:00.0", "bus_addr 4 same_bridge -",
		  .set = { { "0000:02:00.0", NO_REDIRECT } } },

		/* The blocker is the first port from the provider; the list begins there */
		{ "0000:04:00.0", "not_supported 4 acs_redirect_blocked 0000:02:00.0",
		  .set = { { "0000:02:01.0", RR }, { "0000:01:00.0", RR }, { "0000:02:00.0", RR } },
		  .ports = "0000:02:00.0;0000:01:00.0;0000:02:01.0" },
		{ "0000:07:00.0", "not_supported 6 acs_redirect_blocked 0000:02:02.0",
		  .set = { { "0000:06:00.0", RR }, { "0000:02:02.0", RR } },
		  .ports = "0000:06:00.0;0000:02:02.0" },

		/* Endpoints are tested too */
		{ "0000:04:00.0", "not_supported 4 acs_redirect_blocked 0000:04:00.0",
		  .set = { { "0000:04:00.0", RR } },
		  .ports = "0000:04:00.0" },
		{ "0000:04:00.0", "not_supported 4 acs_redirect_blocked " PROVIDER,
		  .set = { { PROVIDER, RR }, { "0000:04:00.0", RR } },
		  .ports = PROVIDER ";0000:04:00.0" },
		{ PROVIDER, "not_supported 0 acs_redirect_blocked " PROVIDER,
		  .set = { { PROVIDER, RR } }, .ports = PROVIDER },
		{ PROVIDER, "bus_addr 0 same_function -",
		  .set = { { "0000:02:00.0", RR }, { "0000:01:00.0", RR } } },

		/* Without a shared bridge, redirects make no difference */
		{ "0000:08:00.0", "not_supported 6 host_bridge_unknown -",
		  .set = { { "0000:00:02.0", RR }, { PROVIDER, RR } } },
	};
	struct peers peers;

	(void)state;
	make_provider(PROVIDER);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t s = 0; s < ARRAY_LEN(cases[i].set) && cases[i].set[s].pci; s++)
			set_acs(cases[i].set[s].pci, cases[i].set[s].acs);
		assert_int_equal(load_all(&peers, intel), 0);
		assert_decision(peers_provider(&peers, PROVIDER), cases[i].client,
				cases[i].decision);
		assert_ports(PROVIDER, cases[i].client, cases[i].ports ? cases[i].ports : "");
		peers_free(&peers);
		for (size_t s = 0; s < ARRAY_LEN(cases[i].set) && cases[i].set[s].pci; s++)
			set_acs(cases[i].set[s].pci, 0);
	}
}

static void host_bridges_and_cpus_that_forward_are_known(void **state)
{
	static const struct {
		const char *client, *decision;
		unsigned int host_bridge, other, vmd, acs;
		const char *cpuinfo;
	} cases[] = {
		{ "0000:08:00.0", "thru_host_bridge 6 host_bridge_allowed -",
		  .host_bridge = 0x2020 },
		{ "0000:08:00.0", "not_supported 6 host_bridge_unknown -", .host_bridge = 0x2021 },
		{ "0000:08:00.0", "thru_host_bridge 6 host_bridge_allowed -",
		  .host_bridge = 0x3c00 },
		{ "0000:08:00.0", "not_supported 6 host_bridge_unknown -", .other = 0x2020 },
		{ "0000:04:00.0", "thru_host_bridge 4 acs_redirect_allowed 0000:02:00.0",
		  .host_bridge = 0x2f01, .acs = RR },
		{ "0000:04:00.0", "bus_addr 4 same_bridge -", .host_bridge = 0x09a2 },

		/* Between two host bridges, both must be known to forward to another one */
		{ "0000:81:00.0", "thru_host_bridge 6 host_bridge_allowed -", .host_bridge = 0x2020,
		  .other = 0x09a2 },
		{ "0000:81:00.0", "not_supported 6 host_bridge_unknown -", .host_bridge = 0x2020 },
		{ "0000:81:00.0", "not_supported 6 host_bridge_unknown -", .other = 0x2020 },
		{ "0000:81:00.0", "not_supported 6 host_bridge_unknown -", .host_bridge = 0x3c00,
		  .other = 0x3c00 },
		{ "0000:81:00.0", "not_supported 6 host_bridge_unknown -", .host_bridge = 0x2020,
		  .other = 0x3c01 },
		{ "0000:81:00.0", "not_supported 6 host_bridge_unknown -", .host_bridge = 0x2f00,
		  .other = 0x2020 },

		/* VMD's bus begins with a root port, whose id counts */
		{ "10000:e1:00.0", "thru_host_bridge 6 host_bridge_allowed -",
		  .host_bridge = 0x2020, .vmd = 0x2031 },
		{ "10000:e1:00.0", "not_supported 6 host_bridge_unknown -", .host_bridge = 0x2020 },

		{ "0000:08:00.0", "thru_host_bridge 6 cpu_allowed -", .cpuinfo = zen },
		{ "0000:81:00.0", "thru_host_bridge 6 cpu_allowed -", .cpuinfo = zen },
		{ "0000:08:00.0", "thru_host_bridge 6 cpu_allowed -", .host_bridge = 0x2020,
		  .cpuinfo = zen },
		{ "0000:04:00.0", "thru_host_bridge 4 acs_redirect_allowed 0000:02:00.0", .acs = RR,
		  .cpuinfo = zen },
		{ "0000:04:00.0", "bus_addr 4 same_bridge -", .cpuinfo = zen },
	};
	struct peers peers;

	(void)state;
	make_provider(PROVIDER);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		set_ids(HOST_BRIDGE, 0x8086, cases[i].host_bridge);
		set_ids(OTHER_BRIDGE, 0x8086, cases[i].other);
		set_ids("10000:e0:01.0", 0x8086, cases[i].vmd);
		set_acs("0000:02:00.0", cases[i].acs);
		assert_int_equal(load_all(&peers, cases[i].cpuinfo ? cases[i].cpuinfo : intel), 0);
		assert_decision(peers_provider(&peers, PROVIDER), cases[i].client,
				cases[i].decision);
		peers_free(&peers);
	}

	/* The same device id of another vendor */
	set_ids(HOST_BRIDGE, 0x1022, 0x2020);
	assert_int_equal(load_all(&peers, intel), 0);
	assert_decision(peers_provider(&peers, PROVIDER), "0000:08:00.0",
			"not_supported 6 host_bridge_unknown -");
	peers_free(&peers);
}

/* The first function is neither 00.0 nor a root port, so the second one does not count. */
static void only_the_first_function_of_a_root_bus_counts(void **state)
{
	static const struct fake first = { "pci10000:e0/10000:e0:00.1", PCI_EXP_TYPE_ROOT_INT_EP };
	struct peers peers;

	(void)state;
	make_provider(PROVIDER);
	make_function(&first);
	set_ids(HOST_BRIDGE, 0x8086, 0x2020);
	set_ids("10000:e0:00.1", 0x8086, 0x2030);
	set_ids("10000:e0:01.0", 0x8086, 0x2030);
	assert_int_equal(load_all(&peers, intel), 0);
	assert_decision(peers_provider(&peers, PROVIDER), "10000:e1:00.0",
			"not_supported 6 host_bridge_unknown -");
	peers_free(&peers);
}

static void only_the_first_cpu_counts(void **state)
{
	static const struct {
		const char *text;
		bool allows;
	} cases[] = {
		{ zen, true }, { intel, false }, { "", false }, { "Processor : AArch64\n", false },
		{ "vendor_id\t: AuthenticAMD\ncpu family\t: 25\n", true },
		{ "vendor_id\t: AuthenticAMD\ncpu family\t: 22\n", false },
		{ "vendor_id\t: AuthenticAMD\n", false },
		{ "vendor_id\t: HygonGenuine\ncpu family\t: 24\n", false },
		{ "vendor_id\t: AuthenticAMDx\ncpu family\t: 23\n", false },
		{ "vendor_id\t: GenuineIntel\ncpu family\t: 25\n\n"
		  "vendor_id\t: AuthenticAMD\ncpu family\t: 25\n", false },
		{ "vendor_id\t: AuthenticAMD\ncpu family\t: 25\n\n"
		  "vendor_id\t: GenuineIntel\ncpu family\t: 6\n", true },
	};
	struct peers peers;
	struct capture c;
	bool allows;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		tree_file("cpuinfo", cases[i].text);
		assert_int_equal(cpu_read(in_tree("cpuinfo"), &allows), 0);
		if (allows != cases[i].allows)
			fail_msg("wrong about '%s'", cases[i].text);
	}
	make_provider(PROVIDER);
	capture_begin(&c);
	assert_int_equal(predict_load(&peers, tree, "/nowhere", "/nowhere"), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "is /proc mounted?");
}

/* The kernel shows only the first 64 bytes to other users than root. They have no capabilities. */
static void a_truncated_config_space_is_refused(void **state)
{
	static const char *const where[] = { PROVIDER, "0000:02:00.0", "0000:81:00.0",
		HOST_BRIDGE };
	struct peers peers;
	struct capture c;

	(void)state;
	make_provider(PROVIDER);
	for (size_t i = 0; i < ARRAY_LEN(where); i++) {
		make_config(where[i], type_of(where[i]), RR, 64);
		capture_begin(&c);
		assert_int_equal(load_all(&peers, intel), EXIT_KERNEL);
		capture_end(&c);
		assert_one_line(c.text, "run p2ptrace peers as root");

		make_config(where[i], type_of(where[i]), RR, 63);
		capture_begin(&c);
		assert_int_equal(load_all(&peers, intel), EXIT_OTHER);
		capture_end(&c);
		assert_one_line(c.text, "lspci -vvs");
		set_acs(where[i], 0);
	}

	/* Without extended config space, the kernel finds no ACS either */
	make_config("0000:02:00.0", PCI_EXP_TYPE_DOWNSTREAM, RR, 256);
	assert_int_equal(load_all(&peers, intel), 0);
	assert_decision(peers_provider(&peers, PROVIDER), "0000:04:00.0",
			"bus_addr 4 same_bridge -");
	peers_free(&peers);
}

static void every_endpoint_is_a_client(void **state)
{
	static const char expected[] = "0000:00:00.0 0000:00:0e.0 0000:03:00.0 0000:03:00.1 "
		"0000:04:00.0 0000:07:00.0 0000:08:00.0 0000:80:00.0 0000:81:00.0 10000:e1:00.0 ";
	char names[512] = "";
	struct peers peers;

	(void)state;
	make_provider(PROVIDER);
	make_provider("0000:81:00.0");
	/* Removed since the directory was read */
	tree_link("bus/pci/devices/0000:09:00.0", "../../../devices/gone/0000:09:00.0");
	assert_int_equal(load_all(&peers, intel), 0);
	assert_true(peers.predicted);
	assert_int_equal(peers.nr, 2);
	for (size_t i = 0; i < peers.nr; i++) {
		*names = '\0';
		for (size_t c = 0; c < peers.providers[i].nr; c++) {
			strcat(names, peers.providers[i].peers[c].client);
			strcat(names, " ");
		}
		assert_string_equal(names, expected);
	}
	assert_string_equal(peers.providers[0].dev, PROVIDER);
	assert_string_equal(peers.providers[0].pci, PROVIDER);
	assert_int_equal(peers.providers[0].size, 65536);
	assert_decision(&peers.providers[1], PROVIDER, "not_supported 6 host_bridge_unknown -");
	assert_decision(&peers.providers[1], "0000:81:00.0", "bus_addr 0 same_function -");
	peers_free(&peers);
}

/* Whether the providers in their order, and the clients of each, are these. */
static void assert_names(const char *providers, const char *clients)
{
	char text[512] = "";
	struct peers peers;
	struct capture c;
	int rc;

	capture_begin(&c);
	rc = load_all(&peers, intel);
	capture_end(&c);
	assert_string_equal(c.text, "");
	assert_int_equal(rc, 0);
	for (size_t i = 0; i < peers.nr; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ",
			 peers.providers[i].pci);
	assert_string_equal(text, providers);
	for (size_t i = 0; i < peers.nr; i++) {
		*text = '\0';
		for (size_t p = 0; p < peers.providers[i].nr; p++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ",
				 peers.providers[i].peers[p].client);
		assert_string_equal(text, clients);
	}
	peers_free(&peers);
}

static void remove_04(void)
{
	static const char *const path = "devices/" SWITCH "/0000:02:01.0/0000:04:00.0";

	assert_int_equal(remove_tree(in_tree(path)), 0);
}

#define WITHOUT_04 "0000:00:00.0 0000:00:0e.0 0000:03:00.0 0000:03:00.1 0000:07:00.0 " \
		   "0000:08:00.0 0000:80:00.0 0000:81:00.0 10000:e1:00.0 "
#define WITH_04 "0000:00:00.0 0000:00:0e.0 0000:03:00.0 0000:03:00.1 0000:04:00.0 0000:07:00.0 " \
		"0000:08:00.0 0000:80:00.0 0000:81:00.0 10000:e1:00.0 "

static void a_device_that_is_removed_is_skipped(void **state)
{
	(void)state;
	make_provider("0000:04:00.0");
	make_provider("0000:08:00.0");
	assert_names("0000:04:00.0 0000:08:00.0 ", WITH_04);
	/* The attribute of a provider, while it is read */
	fail_open("/0000:04:00.0/p2pmem/size", ENOENT);
	assert_names("0000:08:00.0 ", WITH_04);
	fail_read("/0000:04:00.0/p2pmem/size", ENODEV);
	assert_names("0000:08:00.0 ", WITH_04);
	/* After all sizes were read, and before the first path */
	call_at_open("/cpuinfo", remove_04);
	assert_names("0000:08:00.0 ", WITHOUT_04);
	fail_nothing();
	/* After the functions were listed: the link is still there */
	assert_names("0000:08:00.0 ", WITHOUT_04);
}

static void the_last_provider_can_be_removed(void **state)
{
	(void)state;
	make_provider("0000:04:00.0");
	call_at_open("/cpuinfo", remove_04);
	assert_names("", "");
}

/* With --predict on a kernel with the series. */
static void p2pmem_devices_keep_their_names(void **state)
{
	struct peers peers;

	(void)state;
	make_provider(PROVIDER);
	make_provider("0000:81:00.0");
	tree_link("class/p2pmem/p2pmem7/device", "../../../" PROVIDER);
	tree_link("class/p2pmem/\033[2J/device", "../../../0000:81:00.0");
	assert_int_equal(load_all(&peers, intel), 0);
	assert_string_equal(peers_provider(&peers, PROVIDER)->dev, "p2pmem7");
	assert_ptr_equal(peers_provider(&peers, "p2pmem7"), peers_provider(&peers, "3:0.0"));
	assert_string_equal(peers_provider(&peers, "81:0.0")->dev, "0000:81:00.0");
	peers_free(&peers);
}

static void hostile_names_are_ignored(void **state)
{
	static const char *const names[] = { "\033[2J", "0000:03:00.0x", "3:0.0", "0000:03:00.8",
		"..0000:03:00.0" };
	struct peers peers;
	struct capture c;

	(void)state;
	make_provider(PROVIDER);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		tree_file(file_of(names[i], "p2pmem/size"), "1\n");
	}
	assert_int_equal(load_all(&peers, intel), 0);
	assert_int_equal(peers.nr, 1);
	assert_int_equal(peers.providers[0].nr, 10);
	peers_free(&peers);

	tree_file(file_of(PROVIDER, "p2pmem/size"), "\033[2J\n");
	capture_begin(&c);
	assert_int_equal(load_all(&peers, intel), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "/p2pmem/size: it does not hold a number");
}

/* A name that is cut can be the name of another device. */
static void a_list_of_ports_ends_with_a_whole_name(void **state)
{
	struct end provider = { .path.depth = 2 }, client = { .path.depth = 2 };
	char ports[26];

	(void)state;
	strcpy(provider.path.names[0], "0000:00:01.0");
	strcpy(provider.path.names[1], "0000:01:00.0");
	strcpy(client.path.names[0], "0000:00:01.0");
	strcpy(client.path.names[1], "0000:01:00.1");
	provider.redirects[0] = provider.redirects[1] = true;
	client.redirects[0] = client.redirects[1] = true;
	redirecting_ports(ports, sizeof(ports), &provider, &client);
	assert_string_equal(ports, "0000:01:00.0;0000:00:01.0");
	redirecting_ports(ports, sizeof(ports) - 1, &provider, &client);
	assert_string_equal(ports, "0000:01:00.0");
}

static void path_of(struct pci_path *path, const char *root, const char *const *names, size_t depth)
{
	strcpy(path->root, root);
	path->depth = depth;
	for (size_t i = 0; i < depth; i++)
		strcpy(path->names[i], names[i]);
}

static void assert_drawing(const struct why *why, const char *expected)
{
	print_paths(why);
	assert_string_equal(buffer_text(print_buffer()), expected);
	buffer_free(print_buffer());
}

/* No machine has these functions, so their kinds are unknown. A guest test shows kinds. */
static void each_host_bridge_has_a_tree(void **state)
{
	static const char *const left[] = { "ffff:f0:01.0", "ffff:f1:00.0" };
	static const char *const right[] = { "fffe:f0:01.0", "fffe:f1:00.0" };
	struct provider provider = { .dev = "p2pmem0", .pci = "ffff:f1:00.0" };
	struct peer peer = { .client = "fffe:f1:00.0" };
	struct why why = { .provider = &provider, .peer = &peer };

	(void)state;
	path_of(&why.to.path, "pciffff:f0", left, 2);
	path_of(&why.from.path, "pcifffe:f0", right, 2);
	assert_drawing(&why, "  host bridge pciffff:f0\n"
			     "  └─ ffff:f0:01.0  device\n"
			     "     └─ ffff:f1:00.0  provider, p2pmem0, -\n"
			     "  host bridge pcifffe:f0\n"
			     "  └─ fffe:f0:01.0  device\n"
			     "     └─ fffe:f1:00.0  client, -\n");

	/* The PCI name is not repeated as the name of a device */
	strcpy(provider.dev, provider.pci);
	path_of(&why.from.path, "pciffff:f0", &right[1], 1);
	assert_drawing(&why, "  host bridge pciffff:f0\n"
			     "  ├─ ffff:f0:01.0  device\n"
			     "  │  └─ ffff:f1:00.0  provider, -\n"
			     "  └─ fffe:f1:00.0  client, -\n");
}

static void write_btf(const char *func)
{
	struct btf *btf = btf__new_empty();
	const void *data;
	uint32_t size;
	FILE *file;
	int id;

	assert_non_null(btf);
	id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	id = btf__add_func_proto(btf, id);
	assert_true(btf__add_func(btf, func, BTF_FUNC_GLOBAL, id) > 0);
	data = btf__raw_data(btf, &size);
	file = fopen(in_tree("btf"), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	btf__free(btf);
}

/* Without a provider, neither config space nor the CPU is read. */
static void no_provider_is_told_from_no_support(void **state)
{
	struct peers peers;
	struct capture c;

	(void)state;
	make_config(HOST_BRIDGE, TYPE_PCI, 0, 0);
	write_btf("pci_p2pdma_distance_many");
	assert_int_equal(predict_load(&peers, tree, "/nowhere", in_tree("btf")), 0);
	assert_int_equal(peers.nr, 0);
	peers_free(&peers);
	assert_int_equal(predict_load(&peers, "/nowhere", "/nowhere", in_tree("btf")), 0);
	assert_int_equal(peers.nr, 0);
	peers_free(&peers);

	write_btf("pci_enable_device");
	capture_begin(&c);
	assert_int_equal(predict_load(&peers, tree, "/nowhere", in_tree("btf")), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "built without CONFIG_PCI_P2PDMA");

	capture_begin(&c);
	assert_int_equal(predict_load(&peers, tree, "/nowhere", "/nowhere"), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "without /nowhere (No such file or directory)");
	assert_one_line(c.text, "CONFIG_DEBUG_INFO_BTF=y");

	/* A provider proves that the kernel has support */
	set_acs(HOST_BRIDGE, 0);
	make_provider(PROVIDER);
	assert_int_equal(load_all(&peers, intel), 0);
	peers_free(&peers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)

static const struct CMUnitTest tests[] = {
	TEST(distances_and_redirects_are_those_of_the_kernel),
	TEST(host_bridges_and_cpus_that_forward_are_known),
	TEST(only_the_first_function_of_a_root_bus_counts),
	TEST(only_the_first_cpu_counts),
	TEST(a_truncated_config_space_is_refused),
	TEST(every_endpoint_is_a_client),
	TEST(a_device_that_is_removed_is_skipped),
	TEST(the_last_provider_can_be_removed),
	TEST(p2pmem_devices_keep_their_names),
	TEST(hostile_names_are_ignored),
	cmocka_unit_test(a_list_of_ports_ends_with_a_whole_name),
	cmocka_unit_test(each_host_bridge_has_a_tree),
	TEST(no_provider_is_told_from_no_support),
};

UNIT_MAIN(tests)
