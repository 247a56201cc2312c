// SPDX-License-Identifier: GPL-2.0
/* Devices by the names that users write (--dev, --client), which are looked up in sysfs. */
#include "machine/tree.h"
#include "lib/log.h"
#include "machine/devices.h"

static void pci_names_are_completed(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "0000:01:00.0", "0000:01:00.0" }, { "01:00.0", "0000:01:00.0" },
		{ "1:0.0", "0000:01:00.0" }, { "0:1:0.7", "0000:01:00.7" },
		{ "AB:1F.3", "0000:ab:1f.3" }, { "10000:e1:00.0", "10000:e1:00.0" },
		{ "ffffffff:ff:1f.7", "ffffffff:ff:1f.7" },
		{ "", NULL }, { "01:00", NULL }, { "01:00.", NULL }, { "01:00.8", NULL },
		{ "01:20.0", NULL }, { "001:00.0", NULL }, { "01:00.0 ", NULL },
		{ " 01:00.0", NULL }, { "01:00.00", NULL }, { "0000:01:00.0.0", NULL },
		{ ":01:00.0", NULL }, { "0000:0000:01:00.0", NULL }, { "0x1:0.0", NULL },
		{ "123456789:01:00.0", NULL }, { "g0:00.0", NULL }, { "eth0", NULL },
		{ "-1:00.0", NULL }, { "../../etc", NULL }, { ".", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char name[P2PTRACE_NAME_LEN] = "";
		int err = pci_name_parse(cases[i].in, name, sizeof(name));

		if (err != (cases[i].out ? 0 : -EINVAL))
			fail_msg("'%s': returned %d", cases[i].in, err);
		if (cases[i].out)
			assert_string_equal(name, cases[i].out);
	}
}

static void p2pmem_names_are_told_from_others(void **state)
{
	(void)state;
	assert_true(is_p2pmem_name("p2pmem0"));
	assert_true(is_p2pmem_name("p2pmem12"));
	assert_false(is_p2pmem_name("p2pmem"));
	assert_false(is_p2pmem_name("p2pmem0/.."));
	assert_false(is_p2pmem_name("p2pmem-1"));
	assert_false(is_p2pmem_name("xp2pmem0"));
	assert_false(is_p2pmem_name(""));
}

/* Longer than a name in struct known_as */
#define LONG_NAME "bus/pci/devices/0000:04:00.0/net/eth-" \
		  "0123456789012345678901234567890123456789012345678901234567890123"

#define GPU "bus/pci/devices/0000:06:00.0"

/*
 * p2pmem0 of the drive 0000:03:00.0, p2pmem1 without a link to its provider, and the card
 * 0000:04:00.0, each function with all kinds of names. nvme9n1 is a drive with several paths, and
 * eth9 a network interface without a PCI function.
 */
static int setup(void **state)
{
	static const char *const dirs[] = {
		"class/p2pmem/p2pmem1", "devices/virtual/nvme9n1", "devices/eth9",
		"bus/pci/devices/0000:03:00.0/nvme/nvme0/nvme0n1",
		"bus/pci/devices/0000:04:00.0/net/eth10", "bus/pci/devices/0000:04:00.0/net/eth2",
		"bus/pci/devices/0000:04:00.0/net/\033[2J",
		LONG_NAME,
		"bus/pci/devices/0000:04:00.0/infiniband/mlx5_0",
		GPU "/drm/card1/card1-DP-1", GPU "/drm/renderD128", GPU "/accel/accel0",
	};
	static const char *const links[][2] = {
		{ "class/nvme/nvme0", "bus/pci/devices/0000:03:00.0/nvme/nvme0" },
		{ "class/block/nvme0n1", "bus/pci/devices/0000:03:00.0/nvme/nvme0/nvme0n1" },
		{ "class/block/nvme9n1", "devices/virtual/nvme9n1" },
		{ "class/net/eth2", "bus/pci/devices/0000:04:00.0/net/eth2" },
		{ "class/net/eth9", "devices/eth9" },
		{ "class/net/eth8", "nowhere" },
		{ "class/infiniband/mlx5_0", "bus/pci/devices/0000:04:00.0/infiniband/mlx5_0" },
		{ "class/drm/card1", GPU "/drm/card1" },
		{ "class/drm/card1-DP-1", GPU "/drm/card1/card1-DP-1" },
		{ "class/accel/accel0", GPU "/accel/accel0" },
	};
	int err = tree_setup(state);

	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		tree_dir(dirs[i]);
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		char target[512];

		snprintf(target, sizeof(target), "../../%s", links[i][1]);
		tree_link(links[i][0], target);
	}
	tree_link("class/p2pmem/p2pmem0/device", "../../../bus/pci/devices/0000:03:00.0");
	return 0;
}

static void a_p2pmem_device_selects_its_provider_too(void **state)
{
	struct p2ptrace_filter filter = {};

	(void)state;
	assert_int_equal(filter_set_dev(&filter, tree, "p2pmem0"), 0);
	assert_string_equal(filter.dev.s, "p2pmem0");
	assert_string_equal(filter.provider.s, "0000:03:00.0");
	assert_string_equal(filter.client.s, "");
}

static void a_provider_selects_by_its_name_alone(void **state)
{
	struct p2ptrace_filter filter = {};

	(void)state;
	tree_dir("bus/pci/devices/0000:03:00.0/p2pmem");
	assert_int_equal(filter_set_dev(&filter, tree, "3:0.0"), 0);
	assert_string_equal(filter.dev.s, "");
	assert_string_equal(filter.provider.s, "0000:03:00.0");
}

static void a_client_is_a_pci_function(void **state)
{
	static const char *const names[] = { "04:00.0", "eth2", "mlx5_0" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct p2ptrace_filter filter = {};

		assert_int_equal(filter_set_client(&filter, tree, names[i]), 0);
		assert_string_equal(filter.client.s, "0000:04:00.0");
		assert_string_equal(filter.provider.s, "");
	}
}

static void functions_are_found_by_the_names_of_their_devices(void **state)
{
	static const struct {
		const char *name, *pci;
		int err;
	} cases[] = {
		{ "4:0.0", "0000:04:00.0", 0 }, { "nvme0", "0000:03:00.0", 0 },
		{ "nvme0n1", "0000:03:00.0", 0 },
		{ "eth2", "0000:04:00.0", 0 }, { "mlx5_0", "0000:04:00.0", 0 },
		{ "card1", "0000:06:00.0", 0 }, { "accel0", "0000:06:00.0", 0 },
		{ "card1-DP-1", NULL, -ENODEV },
		{ "nvme9n1", NULL, -ENXIO }, { "eth9", NULL, -ENXIO }, { "eth8", NULL, -ENODEV },
		{ "nvme1", NULL, -ENODEV },
		{ "p2pmem0", NULL, -ENODEV }, { "", NULL, -EINVAL }, { ".", NULL, -EINVAL },
		{ "..", NULL, -EINVAL },
		{ "../net/eth2", NULL, -EINVAL }, { "nvme0/nvme0n1", NULL, -EINVAL },
		{ "eth2 ", NULL, -EINVAL },
		{ "04:00.8", NULL, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char pci[P2PTRACE_NAME_LEN] = "";
		int err = device_pci(tree, cases[i].name, pci, sizeof(pci));

		if (err != cases[i].err)
			fail_msg("'%s': returned %d", cases[i].name, err);
		if (cases[i].pci)
			assert_string_equal(pci, cases[i].pci);
	}
}

static void a_name_of_any_length_is_accepted_or_refused(void **state)
{
	char pci[P2PTRACE_NAME_LEN], name[8192];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(device_pci(tree, name, pci, sizeof(pci)), -ENODEV);
}

static void the_names_of_a_function_are_whole_and_in_order(void **state)
{
	static const char *const wanted[] = { "mlx5_0", "\033[2J", "eth2", "eth10" };
	struct known_as known;

	(void)state;
	device_known_as(tree, "0000:03:00.0", &known);
	assert_int_equal(known.nr, 1);
	assert_string_equal(known.names[0], "nvme0");
	/* RDMA devices, then interfaces. A long name is left out: cut, it can be another's name. */
	device_known_as(tree, "0000:04:00.0", &known);
	assert_int_equal(known.nr, ARRAY_LEN(wanted));
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		assert_string_equal(known.names[i], wanted[i]);
	device_known_as(tree, "0000:06:00.0", &known);
	assert_int_equal(known.nr, 3);
	assert_string_equal(known.names[0], "card1");
	assert_string_equal(known.names[2], "accel0");
	device_known_as(tree, "0000:05:00.0", &known);
	assert_int_equal(known.nr, 0);
}

/* The BPF programs compare whole words, so the bytes after the name count. */
static void names_are_padded(void **state)
{
	struct p2ptrace_filter filter;
	char zeros[P2PTRACE_NAME_LEN] = "";

	(void)state;
	memset(&filter, 0xff, sizeof(filter));
	assert_int_equal(filter_set_dev(&filter, tree, "p2pmem0"), 0);
	assert_memory_equal(filter.dev.s + 7, zeros, P2PTRACE_NAME_LEN - 7);
	assert_memory_equal(filter.provider.s + 12, zeros, P2PTRACE_NAME_LEN - 12);
}

static void assert_refused(int (*set)(struct p2ptrace_filter *, const char *, const char *),
			   const char *name, int status, const char *thing, const char *next_step)
{
	struct p2ptrace_filter filter = {};
	struct capture c;
	int rc;

	capture_begin(&c);
	rc = set(&filter, tree, name);
	capture_end(&c);
	assert_int_equal(rc, status);
	assert_one_line(c.text, thing);
	assert_one_line(c.text, next_step);
}

static void unknown_devices_are_refused(void **state)
{
	static const char dev[] = "; name a ", client[] = "; name a ";

	(void)state;
	assert_refused(filter_set_dev, "p2pmem7", EXIT_USAGE, "'p2pmem7'", "p2ptrace peers");
	assert_refused(filter_set_dev, "p2pmem00000000000000000000000000000000000", EXIT_USAGE,
		       "p2pmem000", "p2ptrace peers");
	assert_refused(filter_set_dev, "5:0.0", EXIT_USAGE, "'0000:05:00.0'", "lspci");
	assert_refused(filter_set_dev, "nvme1", EXIT_USAGE, "'nvme1'", dev);
	assert_refused(filter_set_dev, "nvme9n1", EXIT_USAGE, "'nvme9n1'", "paths, a controller");
	assert_refused(filter_set_dev, "../p2pmem0", EXIT_USAGE, "'../p2pmem0'", dev);
	assert_refused(filter_set_dev, "", EXIT_USAGE, "''", dev);
	assert_refused(filter_set_dev, "p2pmem1", EXIT_OTHER, "provider of p2pmem1", "device: ");
	assert_refused(filter_set_client, "05:00.0", EXIT_USAGE, "'0000:05:00.0'", "lspci");
	assert_refused(filter_set_client, "p2pmem0", EXIT_USAGE, "'p2pmem0'", client);
}

static void a_function_that_provides_no_memory_is_accepted_with_a_note(void **state)
{
	struct p2ptrace_filter filter = {};
	struct capture c;

	(void)state;
	capture_begin(&c);
	assert_int_equal(filter_set_dev(&filter, tree, "3:0.0"), 0);
	capture_end(&c);
	assert_one_line(c.text, "3:0.0 does not provide peer memory now; see 'p2ptrace peers'");
	tree_dir("bus/pci/devices/0000:03:00.0/p2pmem");
	capture_begin(&c);
	assert_int_equal(filter_set_dev(&filter, tree, "3:0.0"), 0);
	capture_end(&c);
	assert_string_equal(c.text, "");
}

static void the_driver_of_a_function_is_one_word(void **state)
{
	char driver[16];

	(void)state;
	pci_driver(tree, "0000:03:00.0", driver, sizeof(driver));
	assert_string_equal(driver, "-");
	tree_link("bus/pci/devices/0000:03:00.0/driver", "../../drivers/nvme");
	pci_driver(tree, "0000:03:00.0", driver, sizeof(driver));
	assert_string_equal(driver, "nvme");
	tree_link("bus/pci/devices/0000:04:00.0/driver", "../../drivers/a b\033");
	pci_driver(tree, "0000:04:00.0", driver, sizeof(driver));
	assert_string_equal(driver, "a\\x20b\\x1b");
}

/* A name that no machine can have is refused without a look at this one. */
static void an_impossible_name_is_refused_on_every_machine(void **state)
{
	struct capture c;

	(void)state;
	assert_int_equal(dev_check_name("p2pmem7"), 0);
	assert_int_equal(dev_check_name("5:0.0"), 0);
	assert_int_equal(client_check_name("5:0.0"), 0);
	assert_int_equal(dev_check_name("nvme7"), 0);
	assert_int_equal(client_check_name("eth7"), 0);
	capture_begin(&c);
	assert_int_equal(dev_check_name("a/b"), EXIT_USAGE);
	capture_end(&c);
	assert_one_line(c.text, "name a p2pmem device");
	capture_begin(&c);
	assert_int_equal(client_check_name("5:0.8"), EXIT_USAGE);
	capture_end(&c);
	assert_one_line(c.text, "name a device by PCI name");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(pci_names_are_completed),
	cmocka_unit_test(p2pmem_names_are_told_from_others),
	TEST(a_p2pmem_device_selects_its_provider_too),
	TEST(a_provider_selects_by_its_name_alone),
	TEST(a_client_is_a_pci_function),
	TEST(functions_are_found_by_the_names_of_their_devices),
	TEST(a_name_of_any_length_is_accepted_or_refused),
	TEST(the_names_of_a_function_are_whole_and_in_order),
	TEST(names_are_padded),
	TEST(unknown_devices_are_refused),
	TEST(a_function_that_provides_no_memory_is_accepted_with_a_note),
	TEST(the_driver_of_a_function_is_one_word),
	cmocka_unit_test(an_impossible_name_is_refused_on_every_machine),
};

UNIT_MAIN(tests)
