// SPDX-License-Identifier: GPL-2.0
/* Gauges are the sums over the selected devices; a removed device is left out as a whole. */
#include "machine/tree.h"
#include "lib/log.h"
#include "machine/gauges.h"

static const struct p2ptrace_filter no_filter;

static void make_attribute(const char *dir, const char *attribute, const char *text)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/%s", dir, attribute);
	tree_file(name, text);
}

/* p2pmem0 of 0000:01:00.0 and p2pmem1 of 0000:02:00.0. Every number differs from the others. */
static void make_devs(void)
{
	make_attribute("class/p2pmem/p2pmem0", "size", "1048576\n");
	make_attribute("class/p2pmem/p2pmem0", "available", "1044480\n");
	make_attribute("class/p2pmem/p2pmem0", "buffers", "3\n");
	make_attribute("class/p2pmem/p2pmem0", "pinned", "5\n");
	tree_link("class/p2pmem/p2pmem0/device", "../../../0000:01:00.0");
	make_attribute("class/p2pmem/p2pmem1", "size", "8589934592\n");
	make_attribute("class/p2pmem/p2pmem1", "available", "8589926400\n");
	make_attribute("class/p2pmem/p2pmem1", "buffers", "70\n");
	make_attribute("class/p2pmem/p2pmem1", "pinned", "110\n");
	tree_link("class/p2pmem/p2pmem1/device", "../../../0000:02:00.0");
}

/* Two providers of a stock kernel, and a function that does not provide memory. */
static void make_stock(void)
{
	make_attribute("bus/pci/devices/0000:01:00.0/p2pmem", "size", "1048576\n");
	make_attribute("bus/pci/devices/0000:01:00.0/p2pmem", "available", "1044480\n");
	make_attribute("bus/pci/devices/0000:02:00.0/p2pmem", "size", "65536\n");
	make_attribute("bus/pci/devices/0000:02:00.0/p2pmem", "available", "57344\n");
	tree_dir("bus/pci/devices/0000:03:00.0");
}

/* Compares with "devices size held held_bytes pinned". */
static void assert_gauges(bool stock, const struct p2ptrace_filter *filter, const char *expected)
{
	struct gauges g;
	char text[128];

	assert_int_equal(gauges_read(&g, stock, tree, filter), 0);
	snprintf(text, sizeof(text), "%llu %llu %llu %llu %llu", (unsigned long long)g.devices,
		 (unsigned long long)g.size, (unsigned long long)g.held,
		 (unsigned long long)g.held_bytes, (unsigned long long)g.pinned);
	assert_string_equal(text, expected);
}

#define NONE "0 0 0 0 0"
#define BOTH "2 8590983168 73 12288 115"
#define DEV0 "1 1048576 3 4096 5"
#define DEV1 "1 8589934592 70 8192 110"

/* The series for 7.3, without pins */
static void pins_are_optional(void **state)
{
	(void)state;
	make_attribute("class/pci_p2pmem/p2pmem0", "size", "1048576\n");
	make_attribute("class/pci_p2pmem/p2pmem0", "available", "1044480\n");
	make_attribute("class/pci_p2pmem/p2pmem0", "buffers", "3\n");
	assert_gauges(false, &no_filter, "1 1048576 3 4096 0");
	make_attribute("class/pci_p2pmem/p2pmem0", "pinned", "5\n");
	assert_gauges(false, &no_filter, DEV0);
}

static void all_devices_are_summed(void **state)
{
	(void)state;
	tree_dir("class/p2pmem");
	assert_gauges(false, &no_filter, NONE);
	make_devs();
	/* The class may have other devices one day */
	make_attribute("class/p2pmem/other0", "size", "1\n");
	make_attribute("class/p2pmem/other0", "available", "1\n");
	make_attribute("class/p2pmem/other0", "buffers", "1\n");
	make_attribute("class/p2pmem/other0", "pinned", "1\n");
	assert_gauges(false, &no_filter, BOTH);
}

static void the_filter_selects_devices(void **state)
{
	struct p2ptrace_filter filter = {};

	(void)state;
	make_devs();
	strcpy(filter.dev.s, "p2pmem1");
	assert_gauges(false, &filter, DEV1);
	strcpy(filter.provider.s, "0000:01:00.0");
	assert_gauges(false, &filter, BOTH);
	*filter.dev.s = '\0';
	assert_gauges(false, &filter, DEV0);
	strcpy(filter.provider.s, "0000:03:00.0");
	assert_gauges(false, &filter, NONE);
}

static void a_stock_kernel_has_only_sizes(void **state)
{
	struct p2ptrace_filter filter = {};

	(void)state;
	make_stock();
	assert_gauges(true, &no_filter, "2 1114112 0 12288 0");
	strcpy(filter.provider.s, "0000:02:00.0");
	assert_gauges(true, &filter, "1 65536 0 8192 0");
	strcpy(filter.provider.s, "0000:03:00.0");
	assert_gauges(true, &filter, NONE);
	/* Its devices are not those of the series */
	make_devs();
	assert_gauges(true, &no_filter, "2 1114112 0 12288 0");
	assert_gauges(false, &no_filter, BOTH);
}

static void a_device_that_is_removed_is_left_out(void **state)
{
	static const char *const attributes[] = { "size", "available", "buffers", "pinned" };
	char suffix[64];

	(void)state;
	make_devs();
	make_stock();
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		snprintf(suffix, sizeof(suffix), "/p2pmem1/%s", attributes[i]);
		fail_open(suffix, ENOENT);
		/* A device that is there may have no pins */
		assert_gauges(false, &no_filter,
			      strcmp(attributes[i], "pinned") ? DEV0 : "2 8590983168 73 12288 5");
		fail_open(suffix, ENODEV);
		assert_gauges(false, &no_filter, DEV0);
		fail_read(suffix, ENODEV);
		assert_gauges(false, &no_filter, DEV0);
	}
	for (size_t i = 0; i < 2; i++) {
		snprintf(suffix, sizeof(suffix), "/0000:02:00.0/p2pmem/%s", attributes[i]);
		fail_read(suffix, ENODEV);
		assert_gauges(true, &no_filter, "1 1048576 0 4096 0");
	}
	fail_nothing();
	/* The link to the provider goes first */
	tree_unlink("class/p2pmem/p2pmem1/device");
	assert_gauges(false, &no_filter, BOTH);
	assert_gauges(false, &(struct p2ptrace_filter){ .provider.s = "0000:02:00.0" }, NONE);
}

static void a_sum_below_zero_counts_as_zero(void **state)
{
	(void)state;
	make_devs();
	make_attribute("class/p2pmem/p2pmem0", "pinned", "-2\n");
	make_attribute("class/p2pmem/p2pmem0", "buffers", "-18446744073709551615\n");
	assert_gauges(false, &no_filter, "2 8590983168 70 12288 110");
	/* More available than there is */
	make_attribute("class/p2pmem/p2pmem0", "available", "1048577\n");
	assert_gauges(false, &no_filter, "2 8590983168 70 8192 110");
	make_attribute("class/p2pmem/p2pmem0", "available", "1048576\n");
	assert_gauges(false, &no_filter, "2 8590983168 70 8192 110");
	make_attribute("class/p2pmem/p2pmem0", "available", "1048575\n");
	assert_gauges(false, &no_filter, "2 8590983168 70 8193 110");
}

static void anything_but_a_number_is_an_error(void **state)
{
	static const char *const texts[] = {
		"", "\n", "-\n", "-x\n", "1x\n", "x\n", "0x10\n", "--1\n",
	};
	static const char *const attributes[] = { "size", "available", "buffers", "pinned" };
	struct gauges gauges;
	struct capture c;

	(void)state;
	for (size_t a = 0; a < ARRAY_LEN(attributes); a++) {
		for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
			make_attribute("class/p2pmem/p2pmem0", "size", "1\n");
			make_attribute("class/p2pmem/p2pmem0", "available", "1\n");
			make_attribute("class/p2pmem/p2pmem0", "buffers", "1\n");
			make_attribute("class/p2pmem/p2pmem0", "pinned", "1\n");
			make_attribute("class/p2pmem/p2pmem0", attributes[a], texts[i]);
			capture_begin(&c);
			assert_int_equal(gauges_read(&gauges, false, tree, &no_filter), EXIT_OTHER);
			capture_end(&c);
			assert_one_line(c.text, "cannot read the use of peer memory below /tmp/");
			assert_one_line(c.text, "; run it again");
			assert_one_line(c.text, "/class/p2pmem: Invalid argument");
		}
	}
}

static void errors_are_reported(void **state)
{
	/* One of the two is not the last device in the directory */
	static const char *const failing_files[] = { "/p2pmem0/buffers", "/p2pmem1/buffers" };
	struct gauges gauges;
	struct capture c;

	(void)state;
	capture_begin(&c);
	assert_int_equal(gauges_read(&gauges, false, tree, &no_filter), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "/class/p2pmem: No such file or directory; is /sys mounted?");
	capture_begin(&c);
	assert_int_equal(gauges_read(&gauges, true, tree, &no_filter), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "/bus/pci/devices: No such file or directory; is /sys mounted?");

	make_devs();
	for (size_t i = 0; i < ARRAY_LEN(failing_files); i++) {
		fail_open(failing_files[i], EMFILE);
		capture_begin(&c);
		assert_int_equal(gauges_read(&gauges, false, tree, &no_filter), EXIT_OTHER);
		capture_end(&c);
		assert_one_line(c.text, "below /tmp/");
		assert_one_line(c.text, "/class/p2pmem: Too many open files");
	}
}

static const struct CMUnitTest tests[] = {
	TREE_TEST(pins_are_optional),
	TREE_TEST(all_devices_are_summed),
	TREE_TEST(the_filter_selects_devices),
	TREE_TEST(a_stock_kernel_has_only_sizes),
	TREE_TEST(a_device_that_is_removed_is_left_out),
	TREE_TEST(a_sum_below_zero_counts_as_zero),
	TREE_TEST(anything_but_a_number_is_an_error),
	TREE_TEST(errors_are_reported),
};

UNIT_MAIN(tests)
