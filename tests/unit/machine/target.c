// SPDX-License-Identifier: GPL-2.0
/* The NVMe target as configfs has it, and the devices that do DMA for it. */
/* wrap: statfs */
#include "machine/tree.h"

#include <arpa/inet.h>
#include <sys/vfs.h>

#include "lib/log.h"
#include "machine/live.h"
#include "machine/target.h"

int __wrap_statfs(const char *path, struct statfs *fs);

static long magic;

int __wrap_statfs(const char *path, struct statfs *fs)
{
	(void)path;
	fs->f_type = magic;
	return 0;
}

#define PORT "config/nvmet/ports/"
#define SUBSYSTEM "config/nvmet/subsystems/"
#define NS1 SUBSYSTEM "lab/namespaces/1/"
#define CARD "devices/pci0000:00/0000:00:01.0/0000:05:00.0/"
#define DRIVE "devices/pci0000:00/0000:00:02.0/0000:04:00.0/"

static struct sockaddr_in ipv4 = { .sin_family = AF_INET };
static struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };
static char loopback[] = "lo", eth0[] = "eth0", vlan[] = "eth0.10";
static struct ifaddrs addresses[] = {
	{ .ifa_next = &addresses[1], .ifa_name = loopback },
	{ .ifa_next = &addresses[2], .ifa_name = eth0, .ifa_addr = (void *)&ipv4 },
	{ .ifa_name = vlan, .ifa_addr = (void *)&ipv6 },
};

static void port(const char *name, const char *transport, const char *address)
{
	char path[128];

	snprintf(path, sizeof(path), PORT "%s/addr_trtype", name);
	tree_file(path, transport);
	snprintf(path, sizeof(path), PORT "%s/addr_traddr", name);
	tree_file(path, address);
	snprintf(path, sizeof(path), PORT "%s/addr_trsvcid", name);
	tree_file(path, "4420\n");
}

/* A card with the RDMA device mlx5_0 and the interface eth0; a drive nvme71n1 with a partition. */
static int setup(void **state)
{
	int err = tree_setup(state);

	if (err)
		return err;
	assert_int_equal(inet_pton(AF_INET, "10.0.0.1", &ipv4.sin_addr), 1);
	assert_int_equal(inet_pton(AF_INET6, "fd00::7", &ipv6.sin6_addr), 1);
	tree_file(CARD "infiniband/mlx5_0/ports/1/gid_attrs/ndevs/0", "eth0\n");
	tree_file(CARD "infiniband/mlx5_0/ports/1/gid_attrs/ndevs/1", "eth0.10\n");
	tree_file(CARD "infiniband/mlx5_0/node_desc", "somehost HCA-1\n");
	tree_dir(CARD "net/eth0");
	tree_link("class/infiniband/mlx5_0", "../../" CARD "infiniband/mlx5_0");
	tree_link("class/net/eth0", "../../" CARD "net/eth0");
	tree_dir(DRIVE "nvme/nvme71/nvme71n1/nvme71n1p1");
	tree_link("class/block/nvme71n1", "../../" DRIVE "nvme/nvme71/nvme71n1");
	tree_link("class/block/nvme71n1p1", "../../" DRIVE "nvme/nvme71/nvme71n1/nvme71n1p1");
	tree_link("bus/pci/devices/0000:04:00.0", "../../../" DRIVE);
	tree_link(DRIVE "driver", "../../../../bus/pci/drivers/nvme");
	tree_dir(PORT);
	port("1", "rdma\n", "10.0.0.1\n");
	tree_dir(SUBSYSTEM);
	tree_file(NS1 "device_path", "/dev/nvme71n1\n");
	tree_file(NS1 "enable", "1\n");
	tree_file(NS1 "p2pmem", "1\n");
	tree_link(PORT "1/subsystems/lab", "../../../subsystems/lab");
	return 0;
}

/* Reads the target below @dir of the tree. */
static int read_below(struct target *target, const char *dir)
{
	char configfs[128], procfs[128], boot[128], debugfs[128];
	const struct live_roots roots = {
		.sysfs = tree, .procfs = procfs, .boot = boot, .debugfs = debugfs,
	};

	snprintf(debugfs, sizeof(debugfs), "%s/debug", tree);
	snprintf(configfs, sizeof(configfs), "%s/%s", tree, dir);
	snprintf(procfs, sizeof(procfs), "%s/proc", tree);
	snprintf(boot, sizeof(boot), "%s/boot", tree);
	return target_read(target, configfs, &roots, addresses);
}

static void read_target(struct target *target)
{
	assert_int_equal(read_below(target, "config"), 0);
}

static void a_namespace_has_its_drive_and_its_port_has_its_card(void **state)
{
	const struct target_namespace *ns;
	struct target target;

	(void)state;
	read_target(&target);
	assert_int_equal(target.nr_ports, 1);
	assert_string_equal(target.ports[0].name, "1");
	assert_string_equal(target.ports[0].transport, "rdma");
	assert_string_equal(target.ports[0].address, "10.0.0.1");
	assert_string_equal(target.ports[0].service, "4420");
	assert_string_equal(target.ports[0].interface, "eth0");
	assert_int_equal(target.ports[0].nr_nics, 1);
	assert_string_equal(target.ports[0].nics[0].name, "mlx5_0");
	assert_string_equal(target.ports[0].nics[0].pci, "0000:05:00.0");
	assert_int_equal(target.nr_subsystems, 1);
	assert_string_equal(target.subsystems[0].nqn, "lab");
	assert_false(target.subsystems[0].passthru);
	assert_int_equal(target.subsystems[0].nr_ports, 1);
	assert_int_equal(target.subsystems[0].ports[0], 0);
	assert_int_equal(target.subsystems[0].nr_namespaces, 1);
	ns = &target.subsystems[0].namespaces[0];
	assert_string_equal(ns->nsid, "1");
	assert_string_equal(ns->path, "/dev/nvme71n1");
	assert_string_equal(ns->asks, "1");
	assert_true(ns->enabled);
	assert_string_equal(ns->drive.name, "nvme71n1");
	assert_string_equal(ns->drive.pci, "0000:04:00.0");
	assert_string_equal(ns->drive.driver, "nvme");
	assert_null(ns->drive.problem);
	assert_false(ns->shows_bindings);
	target_free(&target);
}

static void namespaces_and_ports_are_in_order_of_their_numbers(void **state)
{
	struct target target;

	(void)state;
	tree_dir(SUBSYSTEM "lab/namespaces/10");
	tree_dir(SUBSYSTEM "lab/namespaces/9");
	tree_dir(SUBSYSTEM "empty");
	port("10", "tcp\n", "\n");
	port("9", "loop\n", "\n");
	tree_link(PORT "10/subsystems/lab", "../../../subsystems/lab");
	read_target(&target);
	assert_int_equal(target.nr_ports, 3);
	assert_string_equal(target.ports[1].name, "9");
	assert_string_equal(target.ports[2].name, "10");
	assert_int_equal(target.nr_subsystems, 2);
	assert_string_equal(target.subsystems[0].nqn, "empty");
	assert_int_equal(target.subsystems[0].nr_namespaces, 0);
	assert_int_equal(target.subsystems[0].nr_ports, 0);
	assert_int_equal(target.subsystems[1].nr_namespaces, 3);
	assert_string_equal(target.subsystems[1].namespaces[1].nsid, "9");
	assert_string_equal(target.subsystems[1].namespaces[2].nsid, "10");
	assert_int_equal(target.subsystems[1].nr_ports, 2);
	assert_int_equal(target.subsystems[1].ports[1], 2);
	target_free(&target);
}

/* The names of RDMA devices of port 1, with the PCI function, for an address */
static void assert_nics(const char *address, const char *interface, const char *wanted)
{
	char got[256] = "";
	struct target target;

	tree_file(PORT "1/addr_traddr", address);
	read_target(&target);
	assert_string_equal(target.ports[0].interface, interface);
	for (size_t i = 0; i < target.ports[0].nr_nics; i++) {
		strcat(got, target.ports[0].nics[i].name);
		strcat(got, "=");
		strcat(got, target.ports[0].nics[i].pci);
		strcat(got, " ");
	}
	assert_string_equal(got, wanted);
	target_free(&target);
}

static void a_card_is_found_by_the_address_of_its_port(void **state)
{
	(void)state;
	tree_dir("devices/virtual/infiniband/rxe0");
	tree_link("class/infiniband/rxe0", "../../devices/virtual/infiniband/rxe0");
	assert_nics("10.0.0.1\n", "eth0", "mlx5_0=0000:05:00.0 ");
	/* An interface without a PCI function, whose RDMA device is known by its table */
	assert_nics("fd00::7\n", "eth0.10", "mlx5_0=0000:05:00.0 ");
	assert_nics("fd00::7%eth0.10\n", "eth0.10", "mlx5_0=0000:05:00.0 ");
	assert_nics("10.0.0.2\n", "", "");
	assert_nics("\n", "", "");
	assert_nics("nonsense\n", "", "");
	assert_nics("0.0.0.0\n", "", "mlx5_0=0000:05:00.0 rxe0= ");
	assert_nics("::\n", "", "mlx5_0=0000:05:00.0 rxe0= ");
}

/* IPoIB: no table names the interface */
static void a_card_is_found_by_the_function_of_its_interface(void **state)
{
	(void)state;
	tree_file(CARD "infiniband/mlx5_0/ports/1/gid_attrs/ndevs/0", "\n");
	assert_nics("10.0.0.1\n", "eth0", "mlx5_0=0000:05:00.0 ");
	assert_nics("fd00::7\n", "eth0.10", "mlx5_0=0000:05:00.0 ");
	tree_file(CARD "infiniband/mlx5_0/ports/1/gid_attrs/ndevs/1", "\n");
	assert_nics("fd00::7\n", "eth0.10", "");
}

/* Old kernels have it below the card of its interface; so has the test aid of the series. */
static void software_has_no_function(void **state)
{
	(void)state;
	tree_file(CARD "infiniband/mlx5_0/node_desc", "Software iWARP stack\n");
	assert_nics("10.0.0.1\n", "eth0", "mlx5_0= ");
	tree_file(CARD "infiniband/mlx5_0/node_desc", "mlx5\n");
	tree_file(CARD "infiniband/mlx5_0/parent", "eth0\n");
	assert_nics("10.0.0.1\n", "eth0", "mlx5_0= ");
	tree_dir("class/p2pmem");
	assert_nics("10.0.0.1\n", "eth0", "mlx5_0=0000:05:00.0 ");
}

static void only_rdma_has_cards(void **state)
{
	(void)state;
	tree_file(PORT "1/addr_trtype", "tcp\n");
	assert_nics("10.0.0.1\n", "eth0", "");
	assert_nics("0.0.0.0\n", "", "");
}

static void a_machine_without_rdma_has_no_cards(void **state)
{
	(void)state;
	tree_unlink("class/infiniband/mlx5_0");
	assert_int_equal(rmdir(in_tree("class/infiniband")), 0);
	assert_nics("0.0.0.0\n", "", "");
}

static void each_kind_of_drive_has_its_explanation(void **state)
{
	static const struct {
		const char *path, *name, *pci, *problem;
	} cases[] = {
		{ "/dev/nvme71n1p1\n", "nvme71n1p1", "0000:04:00.0", NULL },
		{ "/nowhere/file\n", "", "", "is a file" },
		{ "\n", "", "", "no device_path" },
		{ "(null)\n", "", "", "no device_path" },
		{ "/dev/dm-71\n", "dm-71", "", "device-mapper" },
		{ "/dev/md71\n", "md71", "", "MD array" },
		{ "/dev/loop71\n", "loop71", "", "loop device" },
		{ "/dev/nvme72n1\n", "nvme72n1", "", "several paths" },
		{ "/dev/ram71\n", "ram71", "", "does not belong to a PCI function" },
		{ "/dev/nvme79n1\n", "nvme79n1", "", "no block device" },
		{ "/dev/cciss/c71d0\n", "cciss!c71d0", "0000:04:00.0", NULL },
		{ "/dev/0123456789012345678901234567890123456789\n",
		  "0123456789012345678901234567890", "", "no block device" },
	};
	static const char *const stacked[] = { "dm-71/dm", "md71/md", "loop71/loop", "nvme72n1",
					       "ram71" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stacked); i++) {
		char dir[64], link[64], *slash;

		snprintf(dir, sizeof(dir), "devices/virtual/block/%s", stacked[i]);
		tree_dir(dir);
		snprintf(link, sizeof(link), "class/block/%s", stacked[i]);
		slash = strchr(link + strlen("class/block/"), '/');
		if (slash) {
			*slash = '\0';
			*strrchr(dir, '/') = '\0';
		}
		snprintf(dir, sizeof(dir), "../../devices/virtual/block/%s",
			 strrchr(link, '/') + 1);
		tree_link(link, dir);
	}
	tree_dir(DRIVE "host0/cciss!c71d0");
	tree_link("class/block/cciss!c71d0", "../../" DRIVE "host0/cciss!c71d0");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct target_drive *drive;
		struct target target;

		tree_file(NS1 "device_path", cases[i].path);
		read_target(&target);
		drive = &target.subsystems[0].namespaces[0].drive;
		assert_string_equal(drive->name, cases[i].name);
		assert_string_equal(drive->pci, cases[i].pci);
		if (!cases[i].problem)
			assert_null(drive->problem);
		else if (!drive->problem || !strstr(drive->problem, cases[i].problem))
			fail_msg("%s: %s", cases[i].path, drive->problem);
		target_free(&target);
	}
}

static void a_link_leads_to_its_drive(void **state)
{
	struct target target;
	char path[128];

	(void)state;
	/* Any device that exists will do */
	tree_link("by-id", "/dev/null");
	tree_dir("devices/virtual/block/null");
	tree_link("class/block/null", "../../devices/virtual/block/null");
	snprintf(path, sizeof(path), "%s/by-id\n", tree);
	tree_file(NS1 "device_path", path);
	read_target(&target);
	assert_string_equal(target.subsystems[0].namespaces[0].drive.name, "null");
	target_free(&target);
}

static void bindings_are_read_where_the_kernel_shows_them(void **state)
{
	const struct target_namespace *ns;
	struct target target;

	(void)state;
	tree_file(NS1 "p2pmem_bindings", "");
	read_target(&target);
	ns = &target.subsystems[0].namespaces[0];
	assert_true(ns->shows_bindings);
	assert_int_equal(ns->nr_bindings, 0);
	target_free(&target);
	tree_file(NS1 "p2pmem_bindings",
		  "cntlid=1 dev=p2pmem0 distance=8 err=0\n"
		  "something new\n"
		  "cntlid=12 dev=- distance=-1 err=-ENODEV\n");
	read_target(&target);
	ns = &target.subsystems[0].namespaces[0];
	assert_int_equal(ns->nr_bindings, 2);
	assert_int_equal(ns->bindings[0].controller, 1);
	assert_string_equal(ns->bindings[0].dev, "p2pmem0");
	assert_string_equal(ns->bindings[0].err, "0");
	assert_int_equal(ns->bindings[1].controller, 12);
	assert_string_equal(ns->bindings[1].dev, "-");
	assert_string_equal(ns->bindings[1].err, "-ENODEV");
	target_free(&target);
}

/* The bindings of the namespace, as "CONTROLLER=DEV,ERR "; "hidden" if they are not shown */
static void assert_bindings(const char *wanted)
{
	const struct target_namespace *ns;
	struct target target;
	char got[256] = "";

	read_target(&target);
	ns = &target.subsystems[0].namespaces[0];
	for (size_t i = 0; i < ns->nr_bindings; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%u=%s,%s ",
			 ns->bindings[i].controller, ns->bindings[i].dev, ns->bindings[i].err);
	assert_string_equal(ns->shows_bindings ? got : "hidden", wanted);
	target_free(&target);
}

/* With the series for 7.3 */
static void bindings_are_read_per_controller_from_debugfs(void **state)
{
	char longest[600];

	(void)state;
	tree_dir("debug/nvmet/lab/ns1");
	assert_bindings("hidden");
	tree_dir("class/pci_p2pmem");
	assert_bindings("");
	tree_file("debug/nvmet/lab/ctrl2/p2pmem",
		  "used 71\nno_binding 0\nnsid 11 p2pmem1 0000:03:00.0\n"
		  "nsid 1 p2pmem0 0000:02:00.0\n");
	tree_file("debug/nvmet/lab/ctrl10/p2pmem", "used 0\nnsid 1 p2pmem0 0000:02:00.0 removed\n");
	tree_file("debug/nvmet/lab/ctrl11/p2pmem", "used 0\nnsid 11 p2pmem1 0000:03:00.0\n");
	/* A controller whose transport uses no peer memory, and one of another subsystem */
	tree_file("debug/nvmet/lab/ctrl12/kato", "5\n");
	tree_file("debug/nvmet/other/ctrl13/p2pmem", "nsid 1 p2pmem0 0000:02:00.0\n");
	assert_bindings("2=p2pmem0,0 10=-,-ESHUTDOWN 11=-,-ENODEV ");
	tree_file(NS1 "p2pmem", "0\n");
	assert_bindings("");
	tree_file(NS1 "p2pmem", "1\n");
	tree_file(NS1 "enable", "0\n");
	assert_bindings("");
	tree_file(NS1 "enable", "1\n");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest, "nsid 1 ", strlen("nsid 1 "));
	tree_file("debug/nvmet/lab/ctrl2/p2pmem", longest);
	assert_bindings("2=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,0 10=-,-ESHUTDOWN 11=-,-ENODEV ");
}

static void what_is_missing_or_too_long_is_empty(void **state)
{
	char longest[600];
	struct target target;

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	tree_file(NS1 "device_path", longest);
	tree_file(NS1 "p2pmem", longest);
	tree_unlink(NS1 "enable");
	tree_unlink(PORT "1/addr_trtype");
	tree_file(PORT "1/addr_traddr", longest);
	tree_file(SUBSYSTEM "lab/passthru/enable", "1\n");
	read_target(&target);
	assert_string_equal(target.ports[0].transport, "");
	assert_string_equal(target.ports[0].address, "");
	assert_string_equal(target.subsystems[0].namespaces[0].path, "");
	assert_string_equal(target.subsystems[0].namespaces[0].asks, "");
	assert_false(target.subsystems[0].namespaces[0].enabled);
	assert_true(target.subsystems[0].passthru);
	target_free(&target);
}

static void assert_refused(const char *configfs, int status, const char *thing, const char *step)
{
	struct target target;
	struct capture c;

	capture_begin(&c);
	assert_int_equal(read_below(&target, configfs), status);
	capture_end(&c);
	assert_one_line(c.text, thing);
	assert_one_line(c.text, step);
	target_free(&target);
}

static void a_machine_without_a_target_is_refused(void **state)
{
	(void)state;
	magic = 0;
	assert_refused("nowhere", EXIT_KERNEL, "is not mounted", "mount -t configfs none");
	magic = 0x62656570;
	assert_refused("nowhere", EXIT_KERNEL, "is not loaded", "modprobe nvmet");
	tree_dir("half/nvmet");
	assert_refused("half", EXIT_OTHER, "half/nvmet", "No such file");
}

static void a_kernel_without_the_target_is_refused_by_its_options(void **state)
{
	struct target target;

	(void)state;
	magic = 0;
	tree_file("proc/config.gz", "CONFIG_CONFIGFS_FS=m\n# CONFIG_NVME_TARGET is not set\n");
	assert_refused("nowhere", EXIT_KERNEL, "without the NVMe target",
		       "boot one with CONFIG_NVME_TARGET");
	tree_file("proc/config.gz", "CONFIG_PCI=y\n# CONFIG_CONFIGFS_FS is not set\n");
	assert_refused("nowhere", EXIT_KERNEL, "without the NVMe target",
		       "boot one with CONFIG_CONFIGFS_FS and CONFIG_NVME_TARGET");
	tree_file("proc/config.gz", "CONFIG_CONFIGFS_FS=y\nCONFIG_NVME_TARGET=m\n");
	assert_refused("nowhere", EXIT_KERNEL, "is not mounted", "modprobe nvmet");
	/* It was built otherwise */
	tree_file("proc/config.gz", "CONFIG_PCI=y\n");
	read_target(&target);
	target_free(&target);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)

static const struct CMUnitTest tests[] = {
	TEST(a_namespace_has_its_drive_and_its_port_has_its_card),
	TEST(namespaces_and_ports_are_in_order_of_their_numbers),
	TEST(a_card_is_found_by_the_address_of_its_port),
	TEST(a_card_is_found_by_the_function_of_its_interface),
	TEST(software_has_no_function),
	TEST(only_rdma_has_cards),
	TEST(a_machine_without_rdma_has_no_cards),
	TEST(each_kind_of_drive_has_its_explanation),
	TEST(a_link_leads_to_its_drive),
	TEST(bindings_are_read_where_the_kernel_shows_them),
	TEST(bindings_are_read_per_controller_from_debugfs),
	TEST(what_is_missing_or_too_long_is_empty),
	TEST(a_machine_without_a_target_is_refused),
	TEST(a_kernel_without_the_target_is_refused_by_its_options),
};

UNIT_MAIN(tests)
