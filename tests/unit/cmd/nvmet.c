// SPDX-License-Identifier: GPL-2.0
/* The verdicts of "p2ptrace nvmet" for given targets and decisions, in text and in JSON. */
#include "unit.h"
#include "cmd/nvmet.c"
#include "cmd/nvmet_verdict.c"

#define NIC "0000:05:00.0"
#define DRIVE "0000:04:00.0"
#define PROVIDER "0000:03:00.0"
#define FAR "0000:06:00.0"

/* One namespace of one subsystem, exported by one port with one card; nvme0 provides memory. */
static struct target_nic nics[2];
static struct target_port ports[2];
static struct target_binding bindings[2];
static struct target_namespace ns;
static size_t exports[2] = { 0, 1 };
static struct target_subsystem subsystem;
static struct target target;
static struct machine machine;
static struct context context;

static struct function *function(const char *name)
{
	return machine_find(&machine, name);
}

/* The kernel reports this. Replaces what it reported before. */
static void report(const char *provider, const char *client, const char *map, int distance_of,
		   const char *reason)
{
	int p = machine_index(&machine, function(provider));
	int c = machine_index(&machine, function(client));
	struct reported *reported = (struct reported *)machine_find_reported(&machine, p, c);

	if (!reported)
		reported = machine_add_reported(&machine);
	*reported = (struct reported){ p, c, "", distance_of, "", "-" };
	strcpy(reported->map, map);
	strcpy(reported->reason, reason);
	machine_sort_reported(&machine);
}

/* A function whose memory the NIC and the drive reach through a switch. */
static void provide(const char *name)
{
	function(name)->pool.presence = PRESENT;
	strcpy(function(name)->pool.dev, "-");
	report(name, NIC, MAP_BUS_ADDR, 4, "same_bridge");
	report(name, DRIVE, MAP_BUS_ADDR, 4, "same_bridge");
}

static void provide_nothing(void)
{
	for (size_t i = 0; i < machine.nr; i++)
		machine.functions[i].pool.presence = ABSENT;
}

static int setup(void **state)
{
	static const char *const names[] = { PROVIDER, DRIVE, NIC, FAR };

	(void)state;
	nics[0] = (struct target_nic){ "mlx5_0", NIC };
	ports[0] = (struct target_port){
		.name = "1", .transport = "rdma", .address = "10.0.0.1", .service = "4420",
		.interface = "eth0", .nics = nics, .nr_nics = 1,
	};
	ports[1] = (struct target_port){ .name = "2", .transport = "tcp", .interface = "eth1" };
	ns = (struct target_namespace){
		.nsid = "1", .path = "/dev/nvme1n1", .asks = "1", .enabled = true,
		.drive = { "nvme1n1", DRIVE, "nvme", NULL },
	};
	subsystem = (struct target_subsystem){
		.nqn = "lab", .namespaces = &ns, .nr_namespaces = 1, .ports = exports,
		.nr_ports = 1,
	};
	target = (struct target){ ports, 1, &subsystem, 1 };
	machine_init(&machine);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_non_null(machine_add_function(&machine, names[i]));
	strcpy(function(PROVIDER)->names[0], "nvme0");
	function(PROVIDER)->nr_names = 1;
	provide(PROVIDER);
	context = (struct context){ &machine, {}, &target, "/config" };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_free(&machine);
	return 0;
}

/* On a kernel with the series, which shows bindings */
static void with_series(void)
{
	ns.shows_bindings = true;
	ns.bindings = bindings;
	strcpy(function(PROVIDER)->pool.dev, "p2pmem0");
}

static void set_binding(size_t i, const char *dev, const char *err)
{
	ns.nr_bindings = i + 1;
	bindings[i].controller = i + 1;
	strcpy(bindings[i].dev, dev);
	strcpy(bindings[i].err, err);
}

/* The verdicts of all rows, as "MEMORY CAUSE: WORDS" and "[NEXT]" */
static char got[8192];

static void collect(const struct context *given, const struct row *row)
{
	struct nvmet_verdict verdict;
	size_t used = strlen(got);

	nvmet_judge(&verdict, given, row);
	snprintf(got + used, sizeof(got) - used, "%s%s %s: %s [%s]", used ? "\n" : "",
		 memory_names[verdict.memory], verdict.cause, verdict.words, verdict.next);
}

static void assert_verdict(const char *wanted)
{
	*got = '\0';
	for_each_row(&context, &subsystem, &ns, collect);
	assert_string_equal(got, wanted);
}

static void a_stock_kernel_is_expected_to_use_what_it_can(void **state)
{
	(void)state;
	assert_verdict("peer supported: peer memory of 0000:03:00.0 (nvme0): NIC and drive reach "
		       "it directly "
		       "[p2ptrace trace --event nvmet_p2pmem_use,nvmet_p2pmem_fallback]");
}

static void the_ways_of_nic_and_drive_are_named(void **state)
{
	(void)state;
	with_series();
	report(PROVIDER, NIC, MAP_THRU_HOST_BRIDGE, 6, "cpu_allowed");
	assert_verdict("peer supported: peer memory of 0000:03:00.0 (nvme0): the NIC reaches it "
		       "through the host bridge, the drive directly; no host uses it yet []");
	ns.drive.pci[6] = '3';
	report(PROVIDER, PROVIDER, MAP_BUS_ADDR, 0, "same_function");
	assert_verdict("peer supported: peer memory of 0000:03:00.0 (nvme0): it is on the drive "
		       "itself, and the NIC reaches it through the host bridge; no host uses it "
		       "yet []");
}

static void the_nearest_provider_is_named(void **state)
{
	(void)state;
	with_series();
	provide(FAR);
	assert_verdict("peer supported: peer memory of 0000:03:00.0 (nvme0), or of another "
		       "provider as near: NIC and drive reach it directly; no host uses it yet []");
	report(FAR, DRIVE, MAP_BUS_ADDR, 2, "same_bridge");
	assert_verdict("peer supported: peer memory of 0000:06:00.0: NIC and drive reach it "
		       "directly; no host uses it yet []");
	report(FAR, DRIVE, MAP_BUS_ADDR, 6, "same_bridge");
	assert_verdict("peer supported: peer memory of 0000:03:00.0 (nvme0): NIC and drive reach "
		       "it directly; no host uses it yet []");
	strcpy(ns.asks, FAR);
	assert_verdict("peer supported: peer memory of 0000:06:00.0: NIC and drive reach it "
		       "directly; no host uses it yet []");
	strcpy(ns.asks, "p2pmem0");
	assert_verdict("peer supported: peer memory of 0000:03:00.0 (nvme0): NIC and drive reach "
		       "it directly; no host uses it yet []");
}

/* Nothing is reported, and nothing is known about bridges */
#define UNKNOWN_ROUTE								\
	"the bridges between a function and its root bus are not known; to find out, record the " \
	"whole machine as root: 'p2ptrace snapshot', or 'lspci -D -xxxx'"

#define COULD "system not_asked: the namespace does not ask for peer memory (p2pmem is 0)"

static void a_namespace_that_does_not_ask_could(void **state)
{
	(void)state;
	strcpy(ns.asks, "0");
	assert_verdict(COULD ". It could use peer memory of 0000:03:00.0 (nvme0): NIC and drive "
		       "reach it directly. Warning: the commands disable the namespace for a "
		       "moment. Connected hosts lose it, and their I/O to it fails. Stop using it "
		       "there first [cd /config/nvmet/subsystems/lab/namespaces/1\n"
		       "echo 0 >enable; echo 1 >p2pmem; echo 1 >enable]");
	/* No host loses a namespace that is disabled already */
	ns.enabled = false;
	assert_verdict("none disabled: the namespace is disabled. Once enabled, it would use "
		       "system memory: the namespace does not ask for peer memory (p2pmem is 0). "
		       "It could use peer memory of 0000:03:00.0 (nvme0): NIC and drive reach it "
		       "directly [cd /config/nvmet/subsystems/lab/namespaces/1\n"
		       "echo 1 >p2pmem; echo 1 >enable]");
	ns.enabled = true;
	machine.nr_reported = 0;
	assert_verdict(COULD ". Whether it could use any is unknown: it is not known whether the "
		       "drive can reach the peer memory of 0000:03:00.0 (nvme0): " UNKNOWN_ROUTE
		       " [p2ptrace peers --why 0000:03:00.0 0000:04:00.0]");
	provide_nothing();
	assert_verdict(COULD ". It could not use any: no device provides peer memory "
		       "[p2ptrace peers]");
	subsystem.nr_ports = 0;
	assert_verdict("none not_asked: the namespace does not ask for peer memory (p2pmem is 0). "
		       "No port exports the subsystem []");
}

/* A name that a shell does not take as one word is not put into a command. */
static void commands_are_safe_to_paste(void **state)
{
	(void)state;
	strcpy(ns.asks, "0");
	strcpy(subsystem.nqn, "lab;reboot");
	assert_verdict(COULD ". It could use peer memory of 0000:03:00.0 (nvme0): NIC and drive "
		       "reach it directly []");
}

static void without_a_provider_it_is_system_memory(void **state)
{
	(void)state;
	provide_nothing();
	assert_verdict("system no_provider: no device provides peer memory [p2ptrace peers]");
	strcpy(ns.asks, "0000:07:00.0");
	assert_verdict("system no_provider: 0000:07:00.0 does not provide peer memory "
		       "[p2ptrace peers]");
	strcpy(ns.asks, "1");
	function(PROVIDER)->pool.presence = PRESENT;
	function(PROVIDER)->pool.published = 0;
	assert_verdict("system not_published: no device provides peer memory to others (published "
		       "is 0) [p2ptrace peers]");
	function(PROVIDER)->pool.published = UNKNOWN;
	*got = '\0';
	for_each_row(&context, &subsystem, &ns, collect);
	assert_true(!strncmp(got, "peer supported", strlen("peer supported")));
}

static void who_cannot_reach_the_memory_is_named_with_the_reason(void **state)
{
	(void)state;
	report(PROVIDER, NIC, MAP_NOT_SUPPORTED, 6, "host_bridge_unknown");
	assert_verdict("system not_supported: the NIC cannot reach the peer memory of "
		       "0000:03:00.0 (nvme0): they share no PCI bridge, and the host bridge is "
		       "not known to forward requests [p2ptrace peers --why 0000:03:00.0 "
		       "0000:05:00.0]");
	report(PROVIDER, DRIVE, MAP_NOT_SUPPORTED, 6, "as_yet_unknown");
	assert_verdict("system not_supported: the drive cannot reach the peer memory of "
		       "0000:03:00.0 (nvme0): as_yet_unknown [p2ptrace peers --why 0000:03:00.0 "
		       "0000:04:00.0]");
	/* Another one that the drive reaches says more */
	provide(FAR);
	report(FAR, NIC, MAP_NOT_SUPPORTED, 6, "acs_redirect_blocked");
	assert_verdict("system not_supported: the NIC cannot reach the peer memory of "
		       "0000:06:00.0: a port redirects peer requests to the root complex (ACS), "
		       "and the host bridge is not known to forward them [p2ptrace peers --why "
		       "0000:06:00.0 0000:05:00.0]");
}

static void a_path_that_is_not_known_is_unknown(void **state)
{
	(void)state;
	report(PROVIDER, NIC, MAP_UNKNOWN, UNKNOWN, "port_all_ones");
	*got = '\0';
	for_each_row(&context, &subsystem, &ns, collect);
	assert_non_null(strstr(got, "unknown path_unknown: it is not known whether the NIC can "
			       "reach the peer memory of 0000:03:00.0 (nvme0): a function on the "
			       "way reads all ones"));
	assert_non_null(strstr(got, "to find out, on that machine"));
	/* It could be the one that is used, so another that cannot be reached says less */
	provide(FAR);
	report(FAR, DRIVE, MAP_NOT_SUPPORTED, 6, "host_bridge_unknown");
	*got = '\0';
	for_each_row(&context, &subsystem, &ns, collect);
	assert_true(!strncmp(got, "unknown path_unknown", strlen("unknown path_unknown")));
	/* Whatever is unknown about the NIC, the drive cannot reach it */
	provide_nothing();
	provide(PROVIDER);
	report(PROVIDER, NIC, MAP_UNKNOWN, UNKNOWN, "port_all_ones");
	report(PROVIDER, DRIVE, MAP_NOT_SUPPORTED, 6, "host_bridge_unknown");
	assert_verdict("system not_supported: the drive cannot reach the peer memory of "
		       "0000:03:00.0 (nvme0): they share no PCI bridge, and the host bridge is "
		       "not known to forward requests [p2ptrace peers --why 0000:03:00.0 "
		       "0000:04:00.0]");
	strcpy(nics[0].pci, "0000:0f:00.0");
	assert_verdict("unknown gone: the NIC was removed meanwhile []");
	strcpy(nics[0].pci, NIC);
	strcpy(ns.drive.pci, "0000:0f:00.0");
	assert_verdict("unknown gone: the drive was removed meanwhile []");
}

static void transports_and_cards_that_do_no_peer_dma_are_named(void **state)
{
	(void)state;
	strcpy(ports[0].transport, "tcp");
	assert_verdict("system transport: transport tcp does not use peer memory; only rdma does "
		       "[]");
	*ports[0].transport = '\0';
	assert_verdict("system transport: transport (none) does not use peer memory; only rdma "
		       "does []");
	strcpy(ports[0].transport, "rdma");
	*nics[0].pci = '\0';
	assert_verdict("system nic: mlx5_0 is software, such as soft-RoCE, and copies data with "
		       "the CPU []");
	ports[0].nr_nics = 0;
	assert_verdict("unknown nic: no RDMA device belongs to eth0 [rdma link]");
	*ports[0].interface = '\0';
	assert_verdict("unknown nic: no network interface has the address 10.0.0.1 [ip address]");
	ports[0].any_address = true;
	assert_verdict("unknown nic: no RDMA device belongs to this machine [rdma link]");
	subsystem.nr_ports = 0;
	assert_verdict("none not_exported: no port exports the subsystem []");
}

static void each_port_and_each_card_has_a_verdict(void **state)
{
	(void)state;
	with_series();
	target.nr_ports = subsystem.nr_ports = 2;
	nics[1] = (struct target_nic){ "mlx5_1", FAR };
	report(PROVIDER, FAR, MAP_NOT_SUPPORTED, 6, "as_yet_unknown");
	ports[0].nr_nics = 2;
	set_binding(0, "p2pmem0", "0");
	/* Which card the controller came through is unknown, so the prediction stands */
	assert_verdict("peer supported: peer memory of 0000:03:00.0 (nvme0): NIC and drive reach "
		       "it directly []\n"
		       "system not_supported: the NIC cannot reach the peer memory of "
		       "0000:03:00.0 (nvme0): as_yet_unknown [p2ptrace peers --why 0000:03:00.0 "
		       "0000:06:00.0]\n"
		       "system transport: transport tcp does not use peer memory; only rdma does "
		       "[]");
	*nics[1].pci = '\0';
	assert_verdict("peer bound: peer memory of 0000:03:00.0 (nvme0) is used by 1 controller: "
		       "NIC and drive reach it directly []\n"
		       "system nic: mlx5_1 is software, such as soft-RoCE, and copies data with "
		       "the CPU []\n"
		       "system transport: transport tcp does not use peer memory; only rdma does "
		       "[]");
}

static void what_the_kernel_has_bound_overrides_the_prediction(void **state)
{
	(void)state;
	with_series();
	set_binding(0, "p2pmem0", "0");
	set_binding(1, "p2pmem0", "0");
	assert_verdict("peer bound: peer memory of 0000:03:00.0 (nvme0) is used by 2 controllers: "
		       "NIC and drive reach it directly []");
	set_binding(1, "-", "-ENODEV");
	assert_verdict("unknown not_bound: 1 of 2 controllers uses peer memory, but the kernel "
		       "found none for controller 2 (-ENODEV) [dmesg | grep nvmet]");
	set_binding(0, "-", "-ESHUTDOWN");
	assert_verdict("system not_bound: the kernel found no peer memory for controller 1 "
		       "(-ESHUTDOWN), because the device was removed [dmesg | grep nvmet]");
	/* If none was to be expected, the reason is known */
	report(PROVIDER, NIC, MAP_NOT_SUPPORTED, 6, "host_bridge_unknown");
	set_binding(0, "p2pmem0", "0");
	set_binding(1, "p2pmem0", "0");
	assert_verdict("peer bound: peer memory of 0000:03:00.0 (nvme0) is used by 2 controllers "
		       "[]");
	/* A controller that uses peer memory refutes a prediction of system memory for all */
	set_binding(1, "-", "-ENODEV");
	assert_verdict("unknown not_bound: 1 of 2 controllers uses peer memory, but the kernel "
		       "found none for controller 2 (-ENODEV). The prediction is system memory: "
		       "the NIC cannot reach the peer memory of 0000:03:00.0 (nvme0): they share "
		       "no PCI bridge, and the host bridge is not known to forward requests "
		       "[dmesg | grep nvmet]");
	set_binding(0, "-", "-ENODEV");
	ns.nr_bindings = 1;
	provide_nothing();
	assert_verdict("system no_provider: no device provides peer memory [p2ptrace peers]");
	set_binding(0, "p2pmem7", "0");
	assert_verdict("peer bound: peer memory of p2pmem7 is used by 1 controller []");
}

/* The kernel does not show which card a controller came through */
static void what_the_kernel_has_bound_counts_for_several_cards_too(void **state)
{
	(void)state;
	with_series();
	target.nr_ports = subsystem.nr_ports = 2;
	nics[1] = (struct target_nic){ "mlx5_1", FAR };
	report(PROVIDER, FAR, MAP_NOT_SUPPORTED, 6, "as_yet_unknown");
	ports[0].nr_nics = 2;
	set_binding(0, "-", "-ENODEV");
	set_binding(1, "-", "-ESHUTDOWN");
	assert_verdict("system not_bound: the kernel found no peer memory for any controller, for "
		       "example controller 2 (-ESHUTDOWN), because the device was removed "
		       "[dmesg | grep nvmet]\n"
		       "system not_supported: the NIC cannot reach the peer memory of "
		       "0000:03:00.0 (nvme0): as_yet_unknown [p2ptrace peers --why 0000:03:00.0 "
		       "0000:06:00.0]\n"
		       "system transport: transport tcp does not use peer memory; only rdma does "
		       "[]");
	set_binding(0, "p2pmem0", "0");
	set_binding(1, "-", "-ENODEV");
	assert_verdict("unknown not_bound: 1 of 2 controllers uses peer memory, but the kernel "
		       "found none for controller 2 (-ENODEV). Which NIC a controller uses is not "
		       "shown [dmesg | grep nvmet]\n"
		       "unknown not_bound: 1 of 2 controllers uses peer memory, but the kernel "
		       "found none for controller 2 (-ENODEV). Which NIC a controller uses is not "
		       "shown. The prediction is system memory: the NIC cannot reach the peer "
		       "memory of 0000:03:00.0 (nvme0): as_yet_unknown [dmesg | grep nvmet]\n"
		       "system transport: transport tcp does not use peer memory; only rdma does "
		       "[]");
	/* Software is never bound, and a card that is not known may be */
	*nics[1].pci = '\0';
	set_binding(0, "-", "-ENODEV");
	strcpy(nics[0].pci, "0000:0f:00.0");
	assert_verdict("system not_bound: the kernel found no peer memory for controller 1 "
		       "(-ENODEV) [dmesg | grep nvmet]\n"
		       "system nic: mlx5_1 is software, such as soft-RoCE, and copies data with "
		       "the CPU []\n"
		       "system transport: transport tcp does not use peer memory; only rdma does "
		       "[]");
}

static void a_drive_that_does_no_peer_dma_is_explained(void **state)
{
	(void)state;
	strcpy(ns.asks, "0");
	ns.drive.problem = "the drive is a file";
	assert_verdict(COULD ". It could not use any: the drive is a file []");
	ns.drive.problem = NULL;
	strcpy(ns.drive.driver, "ahci");
	assert_verdict(COULD ". It could not use any: peer memory is not supported by the driver "
		       "of the drive: ahci []");
	/* The kernel has enabled it, so the driver can */
	strcpy(ns.asks, "1");
	*got = '\0';
	for_each_row(&context, &subsystem, &ns, collect);
	assert_true(!strncmp(got, "peer supported", strlen("peer supported")));
	strcpy(ns.asks, "0");
	ns.enabled = false;
	assert_verdict("none disabled: the namespace is disabled. Once enabled, it would use "
		       "system memory: the namespace does not ask for peer memory (p2pmem is 0). "
		       "It could not use any: peer memory is not supported by the driver of the "
		       "drive: ahci "
		       "[echo 1 >/config/nvmet/subsystems/lab/namespaces/1/enable]");
}

static void a_disabled_namespace_says_what_it_would_use(void **state)
{
	(void)state;
	ns.enabled = false;
	assert_verdict("none disabled: the namespace is disabled. Once enabled, it would use peer "
		       "memory of 0000:03:00.0 (nvme0): NIC and drive reach it directly "
		       "[echo 1 >/config/nvmet/subsystems/lab/namespaces/1/enable]");
	subsystem.nr_ports = 0;
	assert_verdict("none disabled: the namespace is disabled. No port exports the "
		       "subsystem [echo 1 >/config/nvmet/subsystems/lab/namespaces/1/enable]");
	strcpy(ns.asks, "0");
	assert_verdict("none disabled: the namespace is disabled. The namespace does not ask for "
		       "peer memory (p2pmem is 0). No port exports the subsystem "
		       "[echo 1 >/config/nvmet/subsystems/lab/namespaces/1/enable]");
	strcpy(ns.asks, "1");
	subsystem.nr_ports = 1;
	ns.drive.problem = "the drive is a file";
	assert_verdict("none drive: the namespace is disabled. It cannot be enabled unless p2pmem "
		       "is 0: the drive is a file "
		       "[echo 0 >/config/nvmet/subsystems/lab/namespaces/1/p2pmem]");
	ns.drive.problem = NULL;
	/* The kernel looks at the drive when the namespace is enabled, whatever the card is */
	*nics[0].pci = '\0';
	assert_verdict("none disabled: the namespace is disabled. Once enabled, it would use "
		       "system memory: mlx5_0 is software, such as soft-RoCE, and copies data with "
		       "the CPU "
		       "[echo 1 >/config/nvmet/subsystems/lab/namespaces/1/enable]");
	report(PROVIDER, DRIVE, MAP_NOT_SUPPORTED, 6, "not_pci");
	assert_verdict("none not_supported: the namespace is disabled. It cannot be enabled "
		       "unless p2pmem is 0: the drive cannot reach the peer memory of "
		       "0000:03:00.0 (nvme0): the client is not a PCI device and is not below one "
		       "[p2ptrace peers --why 0000:03:00.0 0000:04:00.0]");
	report(PROVIDER, DRIVE, MAP_UNKNOWN, UNKNOWN, "port_all_ones");
	*got = '\0';
	for_each_row(&context, &subsystem, &ns, collect);
	assert_non_null(strstr(got, "the namespace is disabled. Which memory it would use, once "
			       "enabled, is unknown: it is not known whether the drive can reach"));
	provide_nothing();
	assert_verdict("none no_provider: the namespace is disabled. It cannot be enabled unless "
		       "p2pmem is 0: no device provides peer memory [p2ptrace peers]");
}

static void a_kernel_without_peer_memory_is_named(void **state)
{
	(void)state;
	*ns.asks = '\0';
	assert_verdict("system kernel: this kernel was built without peer memory for the NVMe "
		       "target; boot one with CONFIG_PCI_P2PDMA []");
}

static void assert_printed(void (*print_it)(const struct context *), const char *wanted)
{
	buffer_reset(print_buffer());
	print_it(&context);
	assert_string_equal(buffer_text(print_buffer()), wanted);
	buffer_reset(print_buffer());
}

static void the_text_is_a_table_with_sentences(void **state)
{
	(void)state;
	strcpy(ns.asks, "0");
	assert_printed(print_text,
		"port 1: rdma 10.0.0.1 4420\n"
		"\n"
		"subsystem lab\n"
		"  nsid   port  asks for      has           NIC                     drive\n"
		"     1      1  0             -             mlx5_0 0000:05:00.0     "
		"nvme1n1 0000:04:00.0\n"
		"        system memory: the namespace does not ask for peer memory (p2pmem is 0).\n"
		"        It could use peer memory of 0000:03:00.0 (nvme0): NIC and drive reach it\n"
		"        directly. Warning: the commands disable the namespace for a moment.\n"
		"        Connected hosts lose it, and their I/O to it fails. Stop using it there\n"
		"        first.\n"
		"        Next: cd /config/nvmet/subsystems/lab/namespaces/1\n"
		"              echo 0 >enable; echo 1 >p2pmem; echo 1 >enable\n");
	subsystem.passthru = true;
	subsystem.nr_namespaces = 0;
	target.nr_ports = 0;
	strcpy(subsystem.nqn, "\033[2J");
	assert_printed(print_text, "no ports\n\nsubsystem \\x1b[2J\n"
		       "        system memory: requests pass through to a controller.\n");
	subsystem.passthru = false;
	assert_printed(print_text, "no ports\n\nsubsystem \\x1b[2J\n"
		       "        It has no namespaces.\n");
	target.nr_subsystems = 0;
	assert_printed(print_text, "no ports\nno subsystems\n");
}

static void assert_has(const char *wanted)
{
	struct row row = { .subsystem = &subsystem, .ns = &ns, .port = ports, .nic = nics };

	assert_string_equal(has_text(&row), wanted);
}

static void the_memory_it_has_is_shown_or_unknown(void **state)
{
	(void)state;
	assert_has("?");
	ns.enabled = false;
	assert_has("-");
	ns.enabled = true;
	strcpy(ns.asks, "0");
	assert_has("-");
	*ns.asks = '\0';
	assert_has("-");
	strcpy(ns.asks, "1");
	with_series();
	assert_has("-");
	set_binding(0, "p2pmem0", "0");
	set_binding(1, "p2pmem0", "0");
	assert_has("p2pmem0");
	set_binding(1, "p2pmem1", "0");
	assert_has("several");
	/* No controller that came through software is bound */
	*nics[0].pci = '\0';
	assert_has("-");
}

static void json_has_all_of_it(void **state)
{
	(void)state;
	with_series();
	set_binding(0, "p2pmem0", "0");
	set_binding(1, "-", "-ENODEV");
	nics[0].pci[0] = '\0';
	ns.asks[0] = '0';
	assert_printed(print_json,
		"{\"ports\":[{\"port\":\"1\",\"transport\":\"rdma\","
		"\"address\":\"10.0.0.1\",\"service\":\"4420\",\"interface\":\"eth0\","
		"\"nics\":[{\"name\":\"mlx5_0\",\"pci\":null}]}],"
		"\"subsystems\":[{\"nqn\":\"lab\",\"passthru\":false,\"ports\":[\"1\"],"
		"\"namespaces\":[{\"nsid\":\"1\",\"device_path\":\"/dev/nvme1n1\","
		"\"enabled\":true,\"p2pmem\":\"0\",\"drive\":\"nvme1n1\","
		"\"drive_pci\":\"0000:04:00.0\",\"bindings\":["
		"{\"controller\":1,\"dev\":\"p2pmem0\",\"error\":null},"
		"{\"controller\":2,\"dev\":null,\"error\":\"-ENODEV\"}],"
		"\"verdicts\":[{\"port\":\"1\",\"nic\":\"mlx5_0\",\"memory\":\"system\","
		"\"cause\":\"not_asked\",\"provider\":null,"
		"\"words\":\"the namespace does not ask for peer memory (p2pmem is 0). It could "
		"not use any: mlx5_0 is software, such as soft-RoCE, and copies data with the "
		"CPU\",\"next\":null}]}]}]}\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(a_stock_kernel_is_expected_to_use_what_it_can),
	TEST(the_ways_of_nic_and_drive_are_named),
	TEST(the_nearest_provider_is_named),
	TEST(a_namespace_that_does_not_ask_could),
	TEST(commands_are_safe_to_paste),
	TEST(without_a_provider_it_is_system_memory),
	TEST(who_cannot_reach_the_memory_is_named_with_the_reason),
	TEST(a_path_that_is_not_known_is_unknown),
	TEST(transports_and_cards_that_do_no_peer_dma_are_named),
	TEST(each_port_and_each_card_has_a_verdict),
	TEST(what_the_kernel_has_bound_overrides_the_prediction),
	TEST(what_the_kernel_has_bound_counts_for_several_cards_too),
	TEST(a_drive_that_does_no_peer_dma_is_explained),
	TEST(a_disabled_namespace_says_what_it_would_use),
	TEST(a_kernel_without_peer_memory_is_named),
	TEST(the_text_is_a_table_with_sentences),
	TEST(the_memory_it_has_is_shown_or_unknown),
	TEST(json_has_all_of_it),
};

UNIT_MAIN(tests)
