// SPDX-License-Identifier: GPL-2.0
/* What NVMe drives have moved, from the statistics of their block devices. */
#include "machine/tree.h"
#include "machine/drives.h"

static void make_drive(const char *nvme, const char *pci, const char *transport)
{
	char name[128];

	snprintf(name, sizeof(name), "class/nvme/%s/address", nvme);
	tree_file(name, pci);
	snprintf(name, sizeof(name), "class/nvme/%s/transport", nvme);
	tree_file(name, transport);
}

static void make_stat(const char *file, unsigned int read, unsigned int written)
{
	char text[256];

	snprintf(text, sizeof(text), "  7  8 %u 9 10 11 %u 12 13 14 15\n", read, written);
	tree_file(file, text);
}

/* What a drive moved after @from, in sectors; -1 if that is unknown. */
static int moved(const struct drives *from, const char *pci)
{
	struct drives now;
	uint64_t bytes = 0;
	int sectors = -1;

	assert_int_equal(drives_read(&now, tree), 0);
	if (drives_moved(&now, from, pci, &bytes))
		sectors = bytes / 512;
	drives_free(&now);
	return sectors;
}

static void all_block_devices_of_a_drive_count(void **state)
{
	struct drives from;

	(void)state;
	make_drive("nvme0", "0000:04:00.0\n", "pcie\n");
	make_stat("class/nvme/nvme0/nvme0n1/stat", 100, 200);
	/* With multipath, the path has the statistics; other files do not look like it */
	make_stat("class/nvme/nvme0/nvme0c0n2/stat", 1000, 2000);
	make_stat("class/nvme/nvme0/hwmon0/stat", 5, 5);
	make_stat("class/nvme/nvme0/nvme01/stat", 5, 5);
	/* A drive of another machine */
	make_drive("nvme1", "traddr=10.0.0.1\n", "rdma\n");
	assert_int_equal(drives_read(&from, tree), 0);
	assert_int_equal(from.nr, 1);
	assert_int_equal(from.drives[0].bytes, 3300 * 512);
	assert_int_equal(moved(&from, "0000:04:00.0"), 0);
	make_stat("class/nvme/nvme0/nvme0n1/stat", 107, 211);
	make_stat("class/nvme/nvme0/nvme0c0n2/stat", 1000, 2013);
	assert_int_equal(moved(&from, "0000:04:00.0"), 31);
	assert_int_equal(moved(&from, "0000:05:00.0"), -1);
	drives_free(&from);
}

static void a_drive_that_came_or_started_anew_is_unknown(void **state)
{
	struct drives from;

	(void)state;
	make_drive("nvme0", "0000:04:00.0\n", "pcie\n");
	make_stat("class/nvme/nvme0/nvme0n1/stat", 100, 200);
	assert_int_equal(drives_read(&from, tree), 0);
	make_stat("class/nvme/nvme0/nvme0n1/stat", 1, 2);
	assert_int_equal(moved(&from, "0000:04:00.0"), -1);
	make_drive("nvme1", "0000:05:00.0\n", "pcie\n");
	make_stat("class/nvme/nvme1/nvme1n1/stat", 1, 2);
	assert_int_equal(moved(&from, "0000:05:00.0"), -1);
	drives_free(&from);
}

static void a_machine_without_drives_has_none(void **state)
{
	struct drives none;

	(void)state;
	assert_int_equal(drives_read(&none, tree), 0);
	assert_int_equal(none.nr, 0);
	assert_int_equal(moved(&none, "0000:04:00.0"), -1);
	/* Files that cannot be what they should be */
	make_drive("nvme0", "0000:04:00.0-and-much-more-than-any-name-has\n", "pcie\n");
	make_drive("nvme1", "0000:05:00.0\n", "pcie\n");
	tree_file("class/nvme/nvme1/nvme1n1/stat", "no numbers\n");
	drives_free(&none);
	assert_int_equal(drives_read(&none, tree), 0);
	assert_int_equal(none.nr, 1);
	assert_int_equal(none.drives[0].bytes, 0);
	drives_free(&none);
}

static const struct CMUnitTest tests[] = {
	TREE_TEST(all_block_devices_of_a_drive_count),
	TREE_TEST(a_drive_that_came_or_started_anew_is_unknown),
	TREE_TEST(a_machine_without_drives_has_none),
};

UNIT_MAIN(tests)
