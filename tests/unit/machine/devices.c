// SPDX-License-Identifier: GPL-2.0
/* --dev and --client: names as users write them, looked up in a sysfs of our own. */
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "unit.h"
#include "lib/log.h"
#include "machine/devices.h"

static void pci_names_are_completed(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "0000:01:00.0", "0000:01:00.0" }, { "01:00.0", "0000:01:00.0" }, { "1:0.0", "0000:01:00.0" },
		{ "0:1:0.7", "0000:01:00.7" }, { "AB:1F.3", "0000:ab:1f.3" }, { "10000:e1:00.0", "10000:e1:00.0" },
		{ "ffffffff:ff:1f.7", "ffffffff:ff:1f.7" },
		{ "", NULL }, { "01:00", NULL }, { "01:00.", NULL }, { "01:00.8", NULL }, { "01:20.0", NULL },
		{ "001:00.0", NULL }, { "01:00.0 ", NULL }, { " 01:00.0", NULL }, { "01:00.00", NULL },
		{ "0000:01:00.0.0", NULL }, { ":01:00.0", NULL }, { "0000:0000:01:00.0", NULL }, { "0x1:0.0", NULL },
		{ "123456789:01:00.0", NULL }, { "g0:00.0", NULL }, { "eth0", NULL }, { "-1:00.0", NULL },
		{ "../../etc", NULL }, { ".", NULL },
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

static int sysfs_mkdir(const char *sysfs, const char *path)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s/%s", sysfs, path);
	return mkdir(whole, 0755);
}

#define LONG "0123456789012345678901234567890123456789012345678901234567890123"

static int sysfs_symlink(const char *sysfs, const char *path, const char *target)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s/%s", sysfs, path);
	return symlink(target, whole);
}

/*
 * p2pmem0 at 0000:03:00.0, p2pmem1 without a link to its provider, and the drive 0000:03:00.0 and a card 0000:04:00.0
 * with all that they may be known by; nvme9n1 is a drive of several paths, eth9 a network interface of a name only.
 */
static int sysfs_setup(void **state)
{
	static char sysfs[] = "/tmp/p2ptrace-unit-XXXXXX";
	static const char *const dirs[] = {
		"class", "class/p2pmem", "class/p2pmem/p2pmem0", "class/p2pmem/p2pmem1", "bus", "bus/pci",
		"bus/pci/devices", "bus/pci/devices/0000:03:00.0", "bus/pci/devices/0000:04:00.0",
		"bus/pci/devices/0000:03:00.0/nvme", "bus/pci/devices/0000:03:00.0/nvme/nvme0",
		"bus/pci/devices/0000:03:00.0/nvme/nvme0/nvme0n1",
		"bus/pci/devices/0000:04:00.0/net", "bus/pci/devices/0000:04:00.0/net/eth10",
		"bus/pci/devices/0000:04:00.0/net/eth2", "bus/pci/devices/0000:04:00.0/net/\033[2J",
		"bus/pci/devices/0000:04:00.0/net/eth-" LONG,
		"bus/pci/devices/0000:04:00.0/infiniband", "bus/pci/devices/0000:04:00.0/infiniband/mlx5_0",
		"class/nvme", "class/block", "class/net", "class/infiniband", "devices", "devices/virtual",
		"devices/virtual/nvme9n1", "devices/eth9",
	};
	static const char *const links[][2] = {
		{ "class/nvme/nvme0", "bus/pci/devices/0000:03:00.0/nvme/nvme0" },
		{ "class/block/nvme0n1", "bus/pci/devices/0000:03:00.0/nvme/nvme0/nvme0n1" },
		{ "class/block/nvme9n1", "devices/virtual/nvme9n1" },
		{ "class/net/eth2", "bus/pci/devices/0000:04:00.0/net/eth2" },
		{ "class/net/eth9", "devices/eth9" },
		{ "class/net/eth8", "nowhere" },
		{ "class/infiniband/mlx5_0", "bus/pci/devices/0000:04:00.0/infiniband/mlx5_0" },
	};

	if (!mkdtemp(sysfs))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (sysfs_mkdir(sysfs, dirs[i]))
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		char target[512];

		snprintf(target, sizeof(target), "../../%s", links[i][1]);
		if (sysfs_symlink(sysfs, links[i][0], target))
			return -1;
	}
	*state = sysfs;
	return sysfs_symlink(sysfs, "class/p2pmem/p2pmem0/device", "../../../bus/pci/devices/0000:03:00.0");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int sysfs_teardown(void **state)
{
	return nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void a_p2pmem_device_selects_its_provider_too(void **state)
{
	struct p2ptrace_filter filter = {};

	assert_int_equal(filter_set_dev(&filter, *state, "p2pmem0"), 0);
	assert_string_equal(filter.dev.s, "p2pmem0");
	assert_string_equal(filter.provider.s, "0000:03:00.0");
	assert_string_equal(filter.client.s, "");
}

static void a_provider_selects_by_its_name_alone(void **state)
{
	struct p2ptrace_filter filter = {};

	assert_int_equal(filter_set_dev(&filter, *state, "3:0.0"), 0);
	assert_string_equal(filter.dev.s, "");
	assert_string_equal(filter.provider.s, "0000:03:00.0");
}

static void a_client_is_a_pci_function(void **state)
{
	static const char *const names[] = { "04:00.0", "eth2", "mlx5_0" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct p2ptrace_filter filter = {};

		assert_int_equal(filter_set_client(&filter, *state, names[i]), 0);
		assert_string_equal(filter.client.s, "0000:04:00.0");
		assert_string_equal(filter.provider.s, "");
	}
}

static void functions_are_found_by_what_they_are_known_by(void **state)
{
	static const struct {
		const char *name, *pci;
		int err;
	} cases[] = {
		{ "4:0.0", "0000:04:00.0", 0 }, { "nvme0", "0000:03:00.0", 0 }, { "nvme0n1", "0000:03:00.0", 0 },
		{ "eth2", "0000:04:00.0", 0 }, { "mlx5_0", "0000:04:00.0", 0 },
		{ "nvme9n1", NULL, -ENXIO }, { "eth9", NULL, -ENXIO }, { "eth8", NULL, -ENODEV }, { "nvme1", NULL, -ENODEV },
		{ "p2pmem0", NULL, -ENODEV }, { "", NULL, -EINVAL }, { ".", NULL, -EINVAL }, { "..", NULL, -EINVAL },
		{ "../net/eth2", NULL, -EINVAL }, { "nvme0/nvme0n1", NULL, -EINVAL }, { "eth2 ", NULL, -EINVAL },
		{ "04:00.8", NULL, -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char pci[P2PTRACE_NAME_LEN] = "";
		int err = device_pci(*state, cases[i].name, pci, sizeof(pci));

		if (err != cases[i].err)
			fail_msg("'%s': returned %d", cases[i].name, err);
		if (cases[i].pci)
			assert_string_equal(pci, cases[i].pci);
	}
}

static void a_name_of_any_length_is_taken_or_refused(void **state)
{
	char pci[P2PTRACE_NAME_LEN], name[8192];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(device_pci(*state, name, pci, sizeof(pci)), -ENODEV);
}

static void what_a_function_is_known_by_is_whole_and_in_order(void **state)
{
	static const char *const wanted[] = { "mlx5_0", "\033[2J", "eth2", "eth10" };
	struct known_as known;

	device_known_as(*state, "0000:03:00.0", &known);
	assert_int_equal(known.nr, 1);
	assert_string_equal(known.names[0], "nvme0");
	/* RDMA devices, then interfaces; half of a name that is too long would name another device */
	device_known_as(*state, "0000:04:00.0", &known);
	assert_int_equal(known.nr, ARRAY_LEN(wanted));
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		assert_string_equal(known.names[i], wanted[i]);
	device_known_as(*state, "0000:05:00.0", &known);
	assert_int_equal(known.nr, 0);
}

/* The BPF programs compare words, so what is behind the name counts. */
static void names_are_padded(void **state)
{
	struct p2ptrace_filter filter;
	char zeros[P2PTRACE_NAME_LEN] = "";

	memset(&filter, 0xff, sizeof(filter));
	assert_int_equal(filter_set_dev(&filter, *state, "p2pmem0"), 0);
	assert_memory_equal(filter.dev.s + 7, zeros, P2PTRACE_NAME_LEN - 7);
	assert_memory_equal(filter.provider.s + 12, zeros, P2PTRACE_NAME_LEN - 12);
}

static void assert_refused(int (*set)(struct p2ptrace_filter *, const char *, const char *), const char *sysfs,
			   const char *name, int status, const char *thing, const char *next_step)
{
	struct p2ptrace_filter filter = {};
	struct capture c;
	int rc;

	capture_begin(&c);
	rc = set(&filter, sysfs, name);
	capture_end(&c);
	assert_int_equal(rc, status);
	assert_one_line(c.text, thing);
	assert_one_line(c.text, next_step);
}

static void unknown_devices_are_refused(void **state)
{
	assert_refused(filter_set_dev, *state, "p2pmem7", EXIT_USAGE, "'p2pmem7'", "p2ptrace peers");
	assert_refused(filter_set_dev, *state, "p2pmem00000000000000000000000000000000000", EXIT_USAGE, "p2pmem000",
		       "p2ptrace peers");
	assert_refused(filter_set_dev, *state, "5:0.0", EXIT_USAGE, "'0000:05:00.0'", "lspci");
	assert_refused(filter_set_dev, *state, "nvme1", EXIT_USAGE, "'nvme1'", "--dev takes");
	assert_refused(filter_set_dev, *state, "nvme9n1", EXIT_USAGE, "'nvme9n1'", "paths, a controller");
	assert_refused(filter_set_dev, *state, "../p2pmem0", EXIT_USAGE, "'../p2pmem0'", "--dev takes");
	assert_refused(filter_set_dev, *state, "", EXIT_USAGE, "''", "--dev takes");
	assert_refused(filter_set_dev, *state, "p2pmem1", EXIT_OTHER, "provider of p2pmem1", "device: ");
	assert_refused(filter_set_client, *state, "05:00.0", EXIT_USAGE, "'0000:05:00.0'", "lspci");
	assert_refused(filter_set_client, *state, "p2pmem0", EXIT_USAGE, "'p2pmem0'", "--client takes");
}

static void who_lends_nothing_is_taken_with_a_word(void **state)
{
	struct p2ptrace_filter filter = {};
	char command[128];
	struct capture c;

	snprintf(command, sizeof(command), "mkdir %s/bus/pci/devices/0000:03:00.0/p2pmem", (const char *)*state);
	capture_begin(&c);
	assert_int_equal(filter_set_dev(&filter, *state, "3:0.0"), 0);
	capture_end(&c);
	assert_one_line(c.text, "3:0.0 lends no memory now; see 'p2ptrace peers'");
	assert_int_equal(system(command), 0);
	capture_begin(&c);
	assert_int_equal(filter_set_dev(&filter, *state, "3:0.0"), 0);
	capture_end(&c);
	assert_string_equal(c.text, "");
}

/* So that what is wrong on any machine can be told before the machine is looked at. */
static void a_name_that_cannot_be_needs_no_machine(void **state)
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
	assert_one_line(c.text, "--dev takes");
	capture_begin(&c);
	assert_int_equal(client_check_name("5:0.8"), EXIT_USAGE);
	capture_end(&c);
	assert_one_line(c.text, "--client takes");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(pci_names_are_completed),
	cmocka_unit_test(p2pmem_names_are_told_from_others),
	cmocka_unit_test(a_p2pmem_device_selects_its_provider_too),
	cmocka_unit_test(a_provider_selects_by_its_name_alone),
	cmocka_unit_test(a_client_is_a_pci_function),
	cmocka_unit_test(functions_are_found_by_what_they_are_known_by),
	cmocka_unit_test(a_name_of_any_length_is_taken_or_refused),
	cmocka_unit_test(what_a_function_is_known_by_is_whole_and_in_order),
	cmocka_unit_test(names_are_padded),
	cmocka_unit_test(unknown_devices_are_refused),
	cmocka_unit_test(who_lends_nothing_is_taken_with_a_word),
	cmocka_unit_test(a_name_that_cannot_be_needs_no_machine),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, sysfs_setup, sysfs_teardown);
}
