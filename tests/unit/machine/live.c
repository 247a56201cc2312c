// SPDX-License-Identifier: GPL-2.0
/* A machine is read from a tree of files, without anything private. */
/* wrap: sysfs_inode */
#include <sys/utsname.h>

#include <bpf/btf.h>
#include <zlib.h>

#include "machine/tree.h"
#include "lib/buffer.h"
#include "lib/log.h"
#include "machine/live.h"
#include "machine/snapshot.h"

#define PORT	"pci0000:00/0000:00:01.0"
#define SWITCH	PORT "/0000:01:00.0"
#define DRIVE	SWITCH "/0000:02:00.0/0000:03:00.0"
#define CARD	SWITCH "/0000:02:01.0/0000:04:00.0"
#define VMD	"pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0"

static struct machine machine;
static char sysfs[PATH_MAX], procfs[PATH_MAX], debugfs[PATH_MAX], boot[PATH_MAX], btf[PATH_MAX];
static char ids[PATH_MAX];

/* By function; without an entry, the order of the names */
static const char *inode_order[8];

int __wrap_sysfs_inode(uint64_t *inode, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

int __wrap_sysfs_inode(uint64_t *inode, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < ARRAY_LEN(inode_order) && inode_order[i]; i++) {
		*inode = i + 1;
		if (strstr(path, inode_order[i]))
			return 0;
	}
	return -ENOENT;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The name of a file of a function. Valid until the next call. */
static const char *of(const char *path, const char *file)
{
	static char name[256];

	snprintf(name, sizeof(name), "sys/devices/%s/%s", path, file);
	return name;
}

static void set(const char *path, const char *file, const char *text)
{
	tree_file(of(path, file), text);
}

static void set_link(const char *path, const char *file, const char *target)
{
	tree_link(of(path, file), target);
}

static void set_config(const char *path, const uint8_t *bytes, size_t len)
{
	FILE *file = fopen(in_tree(of(path, "config")), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* @express: the device type of PCI Express */
static void make_function(const char *path, unsigned int express, size_t len)
{
	uint8_t bytes[4096] = { [0x06] = 0x10, [0x34] = 0x40, [0x40] = 0x10 };
	char link[64], target[256];

	bytes[0x0e] = express >= 4 && express <= 8;
	bytes[0x42] = express << 4 | 2;
	snprintf(link, sizeof(link), "sys/bus/pci/devices/%s", base_name(path));
	snprintf(target, sizeof(target), "../../../devices/%s", path);
	tree_dir(of(path, ""));
	tree_link(link, target);
	set_config(path, bytes, len);
	set(path, "vendor", "0x1b36\n");
	set(path, "device", "0x0010\n");
	set(path, "class", bytes[0x0e] ? "0x060400\n" : "0x010802\n");
	set(path, "resource", "");
}

static void make_tree(void)
{
	make_function("pci0000:00/0000:00:00.0", 9, 4096);
	make_function(PORT, 4, 4096);
	make_function(SWITCH, 5, 4096);
	make_function(SWITCH "/0000:02:00.0", 6, 4096);
	make_function(DRIVE, 0, 4096);
	make_function(SWITCH "/0000:02:01.0", 6, 4096);
	make_function(CARD, 0, 4096);
	make_function("pci0000:00/0000:00:0e.0", 9, 4096);
	make_function(VMD, 4, 4096);
}

static void copy_path(char *to, const char *name)
{
	strcpy(to, in_tree(name));
}

static int setup(void **state)
{
	int err = tree_setup(state);

	copy_path(sysfs, "sys");
	copy_path(procfs, "proc");
	copy_path(debugfs, "debug");
	copy_path(boot, "boot");
	copy_path(btf, "vmlinux");
	copy_path(ids, "pci.ids");
	memset(inode_order, 0, sizeof(inode_order));
	tree_dir("sys/bus/pci/devices");
	tree_file("pci.ids", "1b36  Red Hat, Inc.\n\t0010  QEMU NVM Express Controller\n");
	machine_init(&machine);
	return err;
}

static int teardown(void **state)
{
	machine_free(&machine);
	return tree_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int read_live(void)
{
	const struct live_roots roots = { sysfs, procfs, debugfs, boot, btf, ids };

	machine_free(&machine);
	return machine_read_live(&machine, &roots);
}

static struct function *find(const char *name)
{
	struct function *function = machine_find(&machine, name);

	if (!function)
		fail_msg("%s is not there", name);
	return function;
}

static void assert_under(const char *name, const char *parent, const char *root)
{
	const struct function *function = find(name);

	if (parent)
		assert_string_equal(machine.functions[function->parent].name, parent);
	else
		assert_int_equal(function->parent, NONE);
	assert_string_equal(machine.roots[function->root].name, root);
}

static void functions_have_their_place(void **state)
{
	const char *bad;

	(void)state;
	make_tree();
	assert_int_equal(read_live(), 0);
	assert_int_equal(machine.nr, 9);
	assert_under("0000:00:00.0", NULL, "pci0000:00");
	assert_under("0000:00:01.0", NULL, "pci0000:00");
	assert_under("0000:01:00.0", "0000:00:01.0", "pci0000:00");
	assert_under("0000:02:01.0", "0000:01:00.0", "pci0000:00");
	assert_under("0000:04:00.0", "0000:02:01.0", "pci0000:00");
	assert_under("10000:e0:06.0", NULL, "pci10000:e0");
	assert_int_equal(machine.nr_roots, 2);
	assert_string_equal(machine.roots[0].under, "-");
	assert_string_equal(machine.roots[1].under, "0000:00:0e.0");
	assert_int_equal(machine_check(&machine, &bad), 0);
	assert_string_equal(machine.source, "live");
	assert_int_equal(find("0000:01:00.0")->type, TYPE_UPSTREAM);
	assert_int_equal(find("0000:01:00.0")->acs.presence, ABSENT);
}

static void paths_that_contradict_each_other_are_not_believed(void **state)
{
	const char *bad;

	(void)state;
	make_function("pci0000:00/0000:01:00.0/0000:02:00.0", 4, 4096);
	make_function("pci0000:00/0000:02:00.0/0000:01:00.0", 4, 4096);
	assert_int_equal(read_live(), 0);
	assert_int_equal(machine.nr, 2);
	assert_int_equal(machine_check(&machine, &bad), 0);
}

static void attributes_are_read(void **state)
{
	struct utsname name;
	struct function *function;

	(void)state;
	make_tree();
	set(DRIVE, "numa_node", "1\n");
	set(DRIVE, "dma_mask_bits", "64\n");
	set_link(DRIVE, "driver", "../../../../bus/pci/drivers/nvme");
	set_link(DRIVE, "physfn", "../0000:04:00.0");
	set_link(DRIVE, "iommu_group", "../../../kernel/iommu_groups/17");
	tree_file("sys/devices/kernel/iommu_groups/17/type", "no link leads here\n");
	tree_file("sys/devices/pci0000:00/0000:00:01.0/kernel/iommu_groups/17/type", "DMA-FQ\n");
	set(CARD, "numa_node", "-1\n");
	/* The physical function is gone: a snapshot may not contain its name */
	set_link(SWITCH, "physfn", "../0000:07:00.1");
	assert_int_equal(read_live(), 0);

	function = find("0000:03:00.0");
	assert_int_equal(function->vendor, 0x1b36);
	assert_int_equal(function->device, 0x0010);
	assert_int_equal(function->class, 0x010802);
	assert_string_equal(function->title, "Red Hat, Inc. QEMU NVM Express Controller");
	assert_int_equal(function->numa_node, 1);
	assert_int_equal(function->dma_mask_bits, 64);
	assert_string_equal(function->driver, "nvme");
	assert_string_equal(function->physfn, "0000:04:00.0");
	assert_int_equal(function->iommu_group, 17);

	function = find("0000:04:00.0");
	assert_int_equal(function->numa_node, NONE);
	assert_int_equal(function->dma_mask_bits, 0);
	assert_string_equal(function->driver, "-");
	assert_string_equal(function->physfn, "-");
	assert_int_equal(function->iommu_group, NONE);
	assert_string_equal(function->iommu_domain, "-");
	assert_int_equal(find("0000:01:00.0")->numa_node, UNKNOWN);
	assert_string_equal(find("0000:01:00.0")->physfn, "");

	uname(&name);
	assert_string_equal(machine.kernel, name.release);
	assert_string_equal(machine.arch, name.machine);
}

static void the_domain_of_a_group_is_read(void **state)
{
	(void)state;
	make_tree();
	tree_file("sys/kernel/iommu_groups/17/type", "DMA-FQ\n");
	tree_dir("sys/kernel/iommu_groups/18");
	set_link("pci0000:00/0000:00:00.0", "iommu_group", "../../../kernel/iommu_groups/17");
	set_link("pci0000:00/0000:00:0e.0", "iommu_group", "../../../kernel/iommu_groups/18");
	assert_int_equal(read_live(), 0);
	assert_string_equal(find("0000:00:00.0")->iommu_domain, "DMA-FQ");
	assert_int_equal(find("0000:00:0e.0")->iommu_group, 18);
	assert_string_equal(find("0000:00:0e.0")->iommu_domain, "");
}

static void resources_are_read(void **state)
{
	struct function *function;

	(void)state;
	make_tree();
	set(DRIVE, "resource",
	    "0x00000000fe800000 0x00000000fe803fff 0x0000000000040200\n"
	    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
	    "0x0000038000000000 0x00000381ffffffff 0x000000000014220c\n"
	    "0x00000000000f0000 0x00000000000fffff 0x0000000020040200\n"
	    "0x0000000000000000 0x000000000000ffff 0x0000000000040200\n"
	    "0x000000000000c000 0x000000000000c01f 0x0000000000040101\n"
	    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
	set(PORT, "resource",
	    "0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n"
	    "0x000000000000c000 0x000000000000cfff 0x0000000000000101\n"
	    "0x00000000fe800000 0x00000000fe9fffff 0x0000000000000200\n"
	    "0x0000038000000000 0x00000381ffffffff 0x0000000000102201\n"
	    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
	set(CARD, "resource", "what?\n");
	assert_int_equal(read_live(), 0);

	function = find("0000:03:00.0");
	assert_int_equal(function->bars_known, PRESENT);
	assert_int_equal(function->bars[0].start, 0xfe800000);
	assert_int_equal(function->bars[0].size, 0x4000);
	assert_true(function->bars[0].memory && function->bars[0].assigned);
	assert_false(function->bars[0].wide || function->bars[0].prefetchable);
	assert_int_equal(function->bars[1].size, 0);
	assert_int_equal(function->bars[2].size, 8ull << 30);
	assert_true(function->bars[2].wide && function->bars[2].prefetchable);
	assert_int_equal(function->bars[3].size, 0x10000);
	assert_false(function->bars[3].assigned);
	assert_int_equal(function->bars[4].size, 0x10000);
	assert_false(function->bars[4].assigned);
	assert_false(function->bars[5].memory);

	function = find("0000:00:01.0");
	assert_int_equal(function->window.first, 0xfe800000);
	assert_int_equal(function->window.last, 0xfe9fffff);
	assert_int_equal(function->prefetchable_window.presence, PRESENT);
	assert_int_equal(function->prefetchable_window.first, 0x38000000000);
	assert_int_equal(find("0000:04:00.0")->bars_known, PRESENCE_UNKNOWN);
}

#define NO_RESOURCES "0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n"

static void a_bar_that_found_no_space_is_there_without_a_size(void **state)
{
	/* 64 bits and prefetchable, with an upper half; 32 bits; none; I/O; 64 bits without one */
	static const uint8_t registers[24] = {
		[0] = 0x0c, [3] = 0xe0, [4] = 0x80, [11] = 0xfe, [16] = 0x01, [17] = 0xc0,
		[20] = 0x04,
	};
	uint8_t bytes[4096] = { [0x06] = 0x10, [0x34] = 0x40, [0x40] = 0x10, [0x42] = 2 };
	const struct bar *bars;

	(void)state;
	memcpy(bytes + 0x10, registers, sizeof(registers));
	make_tree();
	set_config(DRIVE, bytes, sizeof(bytes));
	set(DRIVE, "resource", NO_RESOURCES);
	/* The registers of a bridge behind its two BARs are others */
	set(PORT, "resource", NO_RESOURCES);
	bytes[0x0e] = 1;
	bytes[0x42] = 0x42;
	memset(bytes + 0x10, 0, 8);
	set_config(PORT, bytes, sizeof(bytes));
	memset(bytes, 0xff, sizeof(bytes));
	set_config(CARD, bytes, sizeof(bytes));
	set(CARD, "resource", NO_RESOURCES);
	assert_int_equal(read_live(), 0);
	bars = find("0000:03:00.0")->bars;
	assert_int_equal(find("0000:03:00.0")->bars_known, PRESENT);
	assert_true(bars[0].unsized && bars[0].memory && bars[0].wide && bars[0].prefetchable);
	assert_false(bars[0].assigned);
	assert_int_equal(bars[0].size, 0);
	assert_int_equal(bars[0].start, 0);
	assert_false(bars[1].unsized);
	assert_true(bars[2].unsized && bars[2].memory);
	assert_false(bars[2].wide || bars[2].prefetchable);
	assert_false(bars[3].unsized);
	assert_true(bars[4].unsized && !bars[4].memory);
	assert_true(bars[5].unsized && bars[5].memory);
	for (size_t i = 0; i < NR_BARS; i++) {
		assert_false(find("0000:00:01.0")->bars[i].unsized);
		assert_false(find("0000:04:00.0")->bars[i].unsized);
	}

	/* What sysfs shows has precedence */
	set(DRIVE, "resource", "0xe0000000 0xe0ffffff 0x14220c\n" NO_RESOURCES);
	assert_int_equal(read_live(), 0);
	bars = find("0000:03:00.0")->bars;
	assert_false(bars[0].unsized);
	assert_int_equal(bars[0].size, 16 << 20);
	assert_true(bars[2].unsized);
	/* Without sysfs, BARs are not known */
	set(DRIVE, "resource", "");
	assert_int_equal(read_live(), 0);
	assert_int_equal(find("0000:03:00.0")->bars_known, PRESENCE_UNKNOWN);
	assert_false(find("0000:03:00.0")->bars[2].unsized);
}

static void a_resizable_bar_that_found_no_space_has_a_size(void **state)
{
	/* BAR 0 has 256 MiB, and may have up to 16 GiB */
	uint8_t bytes[4096] = {
		[0x06] = 0x10, [0x34] = 0x40, [0x40] = 0x10, [0x42] = 2, [0x10] = 0x0c,
		[0x100] = 0x15, [0x102] = 1, [0x105] = 0xf0, [0x106] = 7, [0x108] = 0x20,
		[0x109] = 8,
	};
	const struct bar *bar;

	(void)state;
	make_tree();
	set_config(DRIVE, bytes, sizeof(bytes));
	set(DRIVE, "resource", NO_RESOURCES);
	assert_int_equal(read_live(), 0);
	bar = &find("0000:03:00.0")->bars[0];
	assert_int_equal(bar->size, 256 << 20);
	assert_int_equal(bar->sizes, 0x7f00);
	assert_true(bar->memory && bar->wide && bar->prefetchable);
	assert_false(bar->unsized || bar->assigned);
}

static void a_user_reads_what_sysfs_shows(void **state)
{
	struct function *function;

	(void)state;
	make_function(PORT, 4, 64);
	make_function(PORT "/0000:01:00.0", 0, 64);
	set(PORT "/0000:01:00.0", "current_link_speed", "2.5 GT/s PCIe\n");
	set(PORT "/0000:01:00.0", "max_link_speed", "16 GT/s\n");
	set(PORT "/0000:01:00.0", "current_link_width", "4\n");
	set(PORT "/0000:01:00.0", "max_link_width", "255\n");
	set(PORT "/0000:01:00.0", "resource2_resize", "000000000000ff00\n");
	set(PORT "/0000:01:00.0", "resource",
	    "0 0 0\n0 0 0\n0x38000000000 0x3800fffffff 0x14220c\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n");
	set(PORT, "current_link_speed", "Unknown\n");
	assert_int_equal(read_live(), 0);
	function = find("0000:01:00.0");
	assert_int_equal(function->config, CONFIG_HEAD);
	assert_int_equal(function->type, TYPE_UNKNOWN);
	assert_int_equal(function->acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(function->link.speed, 2500);
	assert_int_equal(function->link.max_speed, 16000);
	assert_int_equal(function->link.width, 4);
	assert_int_equal(function->link.max_width, 0);
	assert_int_equal(function->bars[2].resizable, PRESENT);
	assert_int_equal(function->bars[2].sizes, 0xff00);
	assert_int_equal(find("0000:00:01.0")->link.speed, 0);
	assert_int_equal(find("0000:00:01.0")->bridge, PRESENT);
}

static void a_function_without_config_space_keeps_its_row(void **state)
{
	struct function *function;

	(void)state;
	make_tree();
	set(SWITCH, "secondary_bus_number", "2\n");
	set(SWITCH, "subordinate_bus_number", "4\n");
	fail_open("0000:01:00.0/config", EACCES);
	assert_int_equal(read_live(), 0);
	function = find("0000:01:00.0");
	assert_int_equal(machine.nr, 9);
	assert_int_equal(function->config, CONFIG_UNREADABLE);
	assert_int_equal(function->vendor, 0x1b36);
	assert_int_equal(function->bridge, PRESENT);
	assert_int_equal(function->secondary, 2);
	assert_int_equal(function->subordinate, 4);
	assert_under("0000:03:00.0", "0000:02:00.0", "pci0000:00");

	/* One of two numbers is better than none, but not two that contradict each other */
	set(SWITCH, "subordinate_bus_number", "none\n");
	assert_int_equal(read_live(), 0);
	assert_int_equal(find("0000:01:00.0")->secondary, 2);
	set(SWITCH, "subordinate_bus_number", "1\n");
	assert_int_equal(read_live(), 0);
	assert_int_equal(find("0000:01:00.0")->secondary, UNKNOWN);

	fail_read("0000:01:00.0/config", EIO);
	assert_int_equal(read_live(), 0);
	assert_int_equal(find("0000:01:00.0")->config, CONFIG_UNREADABLE);
}

static void a_function_whose_attributes_are_broken_keeps_its_row(void **state)
{
	const struct function *function;

	(void)state;
	make_tree();
	set(DRIVE, "vendor", "?\n");
	set(DRIVE, "class", "0x1000000\n");
	set(DRIVE, "numa_node", "-7\n");
	set(DRIVE, "dma_mask_bits", "many\n");
	set(DRIVE, "current_link_width", "x\n");
	assert_int_equal(read_live(), 0);
	function = find("0000:03:00.0");
	/* As its config space has it */
	assert_int_equal(function->vendor, 0);
	assert_int_equal(function->class, 0);
	assert_int_equal(function->numa_node, UNKNOWN);
	assert_int_equal(function->dma_mask_bits, 0);
	assert_int_equal(function->link.width, 0);
}

static void remove_switch(void)
{
	tree_unlink("sys/bus/pci/devices/0000:01:00.0");
}

static void a_function_that_is_removed_is_left_out(void **state)
{
	(void)state;
	make_tree();
	call_at_open("0000:01:00.0/config", remove_switch);
	assert_int_equal(read_live(), 0);
	assert_int_equal(machine.nr, 8);
	assert_null(machine_find(&machine, "0000:01:00.0"));
	assert_int_equal(find("0000:02:00.0")->parent, UNKNOWN);
	assert_under("0000:03:00.0", "0000:02:00.0", "pci0000:00");
	assert_under("10000:e0:06.0", NULL, "pci10000:e0");
}

static void a_machine_without_pci_is_an_error(void **state)
{
	struct capture c;

	(void)state;
	strcpy(sysfs, in_tree("nowhere"));
	capture_begin(&c);
	assert_int_equal(read_live(), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "cannot list the PCI functions in");
}

#define NO_BARS "\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t\n"

static void make_three(void)
{
	make_function("pci0000:00/0000:00:01.0", 9, 4096);
	make_function("pci0000:00/0000:00:02.0", 4, 4096);
	make_function("pci0000:00/0000:00:02.0/0000:01:00.0", 0, 4096);
	make_function("pci0000:00/0000:00:03.0", 9, 4096);
	set("pci0000:00/0000:00:01.0", "resource",
	    "0xfe000000 0xfe003fff 0x40200\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n");
}

static void the_order_is_that_of_the_kernel(void **state)
{
	(void)state;
	make_three();
	/* The first was removed and found again; the kernel lists a function that has gone */
	tree_file("proc/bus/pci/devices",
		  "0010\t1b360010\t0" NO_BARS
		  "0018\t1b360010\t1a" NO_BARS
		  "0020\t1b360010\t1a" NO_BARS
		  "0100\t1b360010\t0" NO_BARS
		  "0008\t1b360010\t0\t        fe000000\t0\t0\t0\t0\t0\t0\t4000\t0\t0\t0\t0\t0\t0\t"
		  "nvme\n");
	assert_int_equal(read_live(), 0);
	assert_true(machine.ordered);
	assert_int_equal(machine.nr, 4);
	assert_string_equal(machine.functions[0].name, "0000:00:02.0");
	assert_string_equal(machine.functions[1].name, "0000:00:03.0");
	assert_string_equal(machine.functions[2].name, "0000:01:00.0");
	assert_string_equal(machine.functions[3].name, "0000:00:01.0");
	assert_under("0000:01:00.0", "0000:00:02.0", "pci0000:00");
	assert_int_equal(machine.functions[3].bars[0].size, 0x4000);
}

static void assert_by_number(void)
{
	assert_int_equal(read_live(), 0);
	assert_false(machine.ordered);
	for (size_t i = 1; i < machine.nr; i++)
		assert_true(strcmp(machine.functions[i - 1].name, machine.functions[i].name) < 0);
}

static void without_the_list_the_order_is_by_number(void **state)
{
	(void)state;
	make_three();
	assert_by_number();
	/* Not all of them */
	tree_file("proc/bus/pci/devices", "0010\t1b360010\t0" NO_BARS "0018\t1b360010\t0" NO_BARS);
	assert_by_number();
	/* With another BAR */
	tree_file("proc/bus/pci/devices",
		  "0010\t1b360010\t0" NO_BARS "0018\t1b360010\t0" NO_BARS
		  "0100\t1b360010\t0" NO_BARS
		  "0008\t1b360010\t0\tfd000000\t0\t0\t0\t0\t0\t0\t4000\t0\t0\t0\t0\t0\t0\tnvme\n");
	assert_by_number();
	/* With more that look the same */
	tree_file("proc/bus/pci/devices",
		  "0018\t1b360010\t0" NO_BARS "0018\t1b360010\t0" NO_BARS
		  "0018\t1b360010\t0" NO_BARS "0010\t1b360010\t0" NO_BARS
		  "0018\t1b360010\t0" NO_BARS "0100\t1b360010\t0" NO_BARS
		  "0008\t1b360010\t0\tfe000000\t0\t0\t0\t0\t0\t0\t4000\t0\t0\t0\t0\t0\t0\tnvme\n");
	assert_by_number();
	tree_file("proc/bus/pci/devices", "0010\t1b360010\t0\n");
	assert_by_number();
	tree_file("proc/bus/pci/devices", "");
	assert_by_number();
}

/* Two domains with functions that look alike. */
static void make_twins(void)
{
	make_function("pci0000:00/0000:00:01.0", 9, 4096);
	make_function("pci0000:00/0000:00:02.0", 9, 4096);
	make_function("pci0001:00/0001:00:01.0", 9, 4096);
	tree_file("proc/bus/pci/devices",
		  "0010\t1b360010\t0" NO_BARS "0008\t1b360010\t0" NO_BARS
		  "0008\t1b360010\t0" NO_BARS);
}

static void twins_are_told_apart_by_their_directories(void **state)
{
	static const char *const order[] = { "0000:00:02.0", "0001:00:01.0", "0000:00:01.0" };

	(void)state;
	make_twins();
	memcpy(inode_order, order, sizeof(order));
	assert_int_equal(read_live(), 0);
	assert_true(machine.ordered);
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		assert_string_equal(machine.functions[i].name, order[i]);
}

static void twins_are_not_told_apart_by_numbers_that_do_not_rise(void **state)
{
	static const char *const order[] = { "0001:00:01.0", "0000:00:02.0", "0000:00:01.0" };

	(void)state;
	make_twins();
	memcpy(inode_order, order, sizeof(order));
	assert_by_number();
	/* One has no number */
	inode_order[0] = "0000:00:02.0";
	inode_order[1] = "0000:00:01.0";
	inode_order[2] = NULL;
	assert_by_number();
}

static void assert_options(const char *cmdline, const char *expected)
{
	char words[1024] = "";

	tree_file("proc/cmdline", cmdline);
	assert_int_equal(read_live(), 0);
	for (size_t i = 0; i < machine.nr_options; i++)
		snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s|",
			 machine.options[i]);
	assert_string_equal(words, expected);
}

static void only_some_options_are_read(void **state)
{
	(void)state;
	make_three();
	assert_int_equal(read_live(), 0);
	assert_false(machine.options_known);
	assert_options("BOOT_IMAGE=/boot/vmlinuz root=UUID=1234 quiet\n", "");
	assert_true(machine.options_known);
	assert_options("pci=noacs pci=disable_acs_redir=0000:02:00.0;0000:02:01.0 iommu=pt "
		       "intel_iommu=on amd_iommu=off iommu.passthrough=1 iommu.strict=0 "
		       "arm-smmu.disable_bypass=1 arm_smmu_v3.x=2 pcie_acs_override=downstream "
		       "config_acs=1 disable_acs_redir=x "
		       "pcie_aspm=off password=x xpci=1 iommu.other=1 ip=1.2.3.4\n",
		       "pci=noacs|pci=disable_acs_redir=0000:02:00.0;0000:02:01.0|iommu=pt|"
		       "intel_iommu=on|amd_iommu=off|iommu.passthrough=1|iommu.strict=0|"
		       "arm-smmu.disable_bypass=1|arm_smmu_v3.x=2|pcie_acs_override=downstream|"
		       "config_acs=1|disable_acs_redir=x|");
}

static void options_are_cut_as_the_kernel_does(void **state)
{
	(void)state;
	make_three();
	assert_options("secret=\"a pci=1 b\" pci=\"a b\" \"pci=c d\" pci=\" \"pci='x' -- pci=init",
		       "pci=a b|pci=c d|pci= \"pci='x'|");
	assert_options("pci=\"", "pci=|");
	assert_options("pci=\"\"", "pci=|");
	assert_options("\"", "");
	assert_options("pci=\x1b[2J", "pci=\\x1b[2J|");
}

static void options_that_are_too_many_are_not_known(void **state)
{
	char text[1024] = "";

	(void)state;
	make_three();
	for (int i = 0; i <= MAX_OPTIONS; i++)
		sprintf(text + strlen(text), "pci=%d ", i);
	tree_file("proc/cmdline", text);
	assert_int_equal(read_live(), 0);
	assert_false(machine.options_known);
}

static void assert_cpu(const char *cpuinfo, const char *vendor, int family, const char *hypervisor)
{
	tree_file("proc/cpuinfo", cpuinfo);
	assert_int_equal(read_live(), 0);
	assert_string_equal(machine.cpu_vendor, vendor);
	assert_int_equal(machine.cpu_family, family);
	assert_string_equal(machine.hypervisor, hypervisor);
}

#define ZEN "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 23\n"

static void the_cpu_is_read(void **state)
{
	(void)state;
	make_three();
	assert_int_equal(read_live(), 0);
	assert_string_equal(machine.cpu_vendor, "");
	assert_int_equal(machine.cpu_family, UNKNOWN);
	assert_string_equal(machine.hypervisor, "");
	assert_cpu(ZEN "flags\t\t: fpu vme\n\nvendor_id\t: Other\n", "AuthenticAMD", 23, "-");
	assert_cpu(ZEN "flags\t\t: fpu nohypervisor hypervisors\n", "AuthenticAMD", 23, "-");
	assert_cpu("processor\t: 0\nCPU implementer\t: 0x41\n", "-", NONE, "");
}

static void set_dmi(const char *vendor, const char *product)
{
	tree_file("sys/class/dmi/id/sys_vendor", vendor);
	tree_file("sys/class/dmi/id/product_name", product);
}

static void the_hypervisor_is_one_of_a_list(void **state)
{
	static const char guest[] = ZEN "flags\t\t: fpu hypervisor vme\n";
	static const char arm[] = "processor\t: 0\n";

	(void)state;
	make_three();
	assert_cpu(guest, "AuthenticAMD", 23, "other");
	set_dmi("QEMU\n", "Standard PC (Q35 + ICH9, 2009)\n");
	assert_cpu(guest, "AuthenticAMD", 23, "KVM/QEMU");
	assert_cpu(ZEN "flags\t\t: fpu\n", "AuthenticAMD", 23, "-");
	assert_cpu(arm, "-", NONE, "KVM/QEMU");
	set_dmi("VMware, Inc.\n", "VMware7,1\n");
	assert_cpu(guest, "AuthenticAMD", 23, "VMware");
	set_dmi("Microsoft Corporation\n", "Virtual Machine\n");
	assert_cpu(guest, "AuthenticAMD", 23, "Hyper-V");
	set_dmi("innotek GmbH\n", "VirtualBox\n");
	assert_cpu(guest, "AuthenticAMD", 23, "VirtualBox");
	set_dmi("Amazon EC2\n", "c7g.large\n");
	assert_cpu(arm, "-", NONE, "Amazon");
	set_dmi("Amazon EC2\n", "c7g.metal\n");
	assert_cpu(arm, "-", NONE, "-");
	/* Not what the owner called it */
	set_dmi("Secret Projects\n", "of Alice\n");
	assert_cpu(guest, "AuthenticAMD", 23, "other");
	assert_cpu(arm, "-", NONE, "-");
	tree_file("sys/hypervisor/type", "xen\n");
	assert_cpu(guest, "AuthenticAMD", 23, "Xen");
}

static void the_first_domain_of_xen_is_no_guest(void **state)
{
	static const char dom0[] = ZEN "flags\t\t: fpu hypervisor vme\n";

	(void)state;
	make_three();
	set_dmi("Dell Inc.\n", "PowerEdge R750\n");
	tree_file("sys/hypervisor/type", "xen\n");
	tree_file("proc/xen/capabilities", "\n");
	assert_cpu(dom0, "AuthenticAMD", 23, "Xen");
	tree_file("proc/xen/capabilities", "control_d\n");
	assert_cpu(dom0, "AuthenticAMD", 23, "-");
	/* xenfs need not be mounted */
	tree_unlink("proc/xen/capabilities");
	tree_file("sys/hypervisor/properties/features", "00000705\n");
	assert_cpu(dom0, "AuthenticAMD", 23, "Xen");
	tree_file("sys/hypervisor/properties/features", "00000f05\n");
	assert_cpu(dom0, "AuthenticAMD", 23, "-");
}

static void a_device_tree_names_the_hypervisor(void **state)
{
	(void)state;
	make_three();
	tree_file("proc/device-tree/compatible", "linux,dummy-virt");
	assert_cpu("processor\t: 0\n", "-", NONE, "KVM/QEMU");
	tree_file("proc/device-tree/hypervisor/compatible", "xen,xen-4.17");
	assert_cpu("processor\t: 0\n", "-", NONE, "Xen");
}

static enum presence p2pdma(void)
{
	assert_int_equal(read_live(), 0);
	return machine.p2pdma;
}

static void make_btf(const char *function)
{
	struct btf *kernel = btf__new_empty();
	const void *data;
	uint32_t size;
	FILE *file;
	int id;

	assert_non_null(kernel);
	id = btf__add_func_proto(kernel, 0);
	assert_true(btf__add_func(kernel, function, BTF_FUNC_GLOBAL, id) > 0);
	data = btf__raw_data(kernel, &size);
	file = fopen(btf, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	fclose(file);
	btf__free(kernel);
}

static void p2pdma_is_known_from_btf_symbols_or_configuration(void **state)
{
	char config[PATH_MAX], text[256];
	struct utsname name;
	gzFile file;

	(void)state;
	make_three();
	assert_int_equal(p2pdma(), PRESENCE_UNKNOWN);

	tree_dir("proc");
	file = gzopen(strcpy(config, in_tree("proc/config.gz")), "w");
	assert_true(gzputs(file, "CONFIG_PCI=y\nCONFIG_PCI_P2PDMA=y\n") > 0);
	gzclose(file);
	assert_int_equal(p2pdma(), PRESENT);

	uname(&name);
	snprintf(text, sizeof(text), "boot/config-%s", name.release);
	tree_file(text, "CONFIG_PCI=y\n# CONFIG_PCI_P2PDMA is not set\n");
	assert_int_equal(p2pdma(), ABSENT);

	tree_file("proc/kallsyms", "0000000000000000 T pci_p2pdma_distance_many\n");
	assert_int_equal(p2pdma(), PRESENT);
	tree_file("proc/kallsyms", "0000000000000000 T pci_p2pdma_distance_many_not\n");
	assert_int_equal(p2pdma(), ABSENT);
	tree_file("proc/kallsyms", "");
	tree_unlink(text);
	assert_int_equal(p2pdma(), PRESENT);

	make_btf("vfs_read");
	assert_int_equal(p2pdma(), ABSENT);
	make_btf("pci_p2pdma_distance_many");
	assert_int_equal(p2pdma(), PRESENT);
}

/* A device of a class below a function. */
static void make_device(const char *class, const char *path, const char *name)
{
	char link[256], target[256], dir[256];

	snprintf(link, sizeof(link), "sys/class/%s/%s", class, name);
	snprintf(target, sizeof(target), "../../devices/%s/%s", path, name);
	snprintf(dir, sizeof(dir), "sys/devices/%s/%s", path, name);
	tree_dir(dir);
	tree_link(link, target);
}

static void assert_names(const char *pci, const char *expected)
{
	const struct function *function = find(pci);
	char words[512] = "";

	for (size_t i = 0; i < function->nr_names; i++)
		snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s|",
			 function->names[i]);
	assert_string_equal(words, expected);
}

static void functions_have_the_names_of_their_devices(void **state)
{
	(void)state;
	make_tree();
	make_device("nvme", DRIVE "/nvme", "nvme10");
	make_device("nvme", "virtual/nvme-fabrics/ctl", "nvme1");
	make_device("net", CARD "/net", "eth1");
	make_device("net", CARD "/net", "eth0");
	make_device("infiniband", CARD "/infiniband", "mlx5_0");
	make_device("net", "virtual/net", "lo");
	make_device("net", PORT "/virtio0/net", "eth7");
	make_device("net", SWITCH "/usb1/1-1/net", "usb0");
	make_device("drm", SWITCH "/drm", "card1");
	make_device("drm", SWITCH "/drm", "renderD128");
	make_device("drm", SWITCH "/drm/card1", "card1-DP-1");
	make_device("accel", SWITCH "/accel", "accel0");
	make_device("block", DRIVE "/nvme/nvme10", "nvme10n1");
	tree_file("sys/class/drm/version", "drm 1.1.0 20060810\n");
	assert_int_equal(read_live(), 0);
	assert_names("0000:03:00.0", "nvme10|");
	assert_names("0000:04:00.0", "mlx5_0|eth0|eth1|");
	assert_names("0000:00:01.0", "eth7|");
	assert_names("0000:01:00.0", "card1|renderD128|accel0|");
}

static void at_most_eight_names_are_kept(void **state)
{
	char name[16];

	(void)state;
	make_tree();
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "eth%d", i);
		make_device("net", CARD "/net", name);
	}
	make_device("infiniband", CARD "/infiniband", "mlx5_0");
	make_device("net", DRIVE "/net", "a-name-that-is-longer-than-31-characters");
	assert_int_equal(read_live(), 0);
	assert_names("0000:04:00.0", "mlx5_0|eth0|eth1|eth2|eth3|eth4|eth5|eth6|");
	assert_names("0000:03:00.0", "");
}

static void names_with_an_address_are_replaced(void **state)
{
	(void)state;
	make_tree();
	make_device("net", CARD "/net", "enx001122334455");
	make_device("net", CARD "/net", "enx001122334456");
	make_device("infiniband", CARD "/infiniband", "rocex525400fffe123456");
	make_device("net", DRIVE "/net", "enp59s0f0np0");
	assert_int_equal(read_live(), 0);
	assert_names("0000:04:00.0", "rocex-0000:04:00.0|enx-0000:04:00.0|enx-0000:04:00.0-2|");
	assert_names("0000:03:00.0", "enp59s0f0np0|");
}

static void peer_memory_is_read(void **state)
{
	const struct pool *pool;

	(void)state;
	make_tree();
	set(DRIVE, "p2pmem/size", "67108864\n");
	set(DRIVE, "p2pmem/available", "65536\n");
	set(DRIVE, "p2pmem/published", "1\n");
	set(CARD, "p2pmem/size", "what?\n");
	assert_int_equal(read_live(), 0);
	pool = &find("0000:03:00.0")->pool;
	assert_int_equal(pool->presence, PRESENT);
	assert_int_equal(pool->size, 64 << 20);
	assert_int_equal(pool->available, 65536);
	assert_int_equal(pool->published, 1);
	assert_string_equal(pool->dev, "-");
	pool = &find("0000:04:00.0")->pool;
	assert_int_equal(pool->presence, PRESENT);
	assert_int_equal(pool->size, 0);
	assert_int_equal(pool->published, UNKNOWN);
	assert_int_equal(find("0000:01:00.0")->pool.presence, ABSENT);
	assert_int_equal(machine.reports, ABSENT);
}

#define PEERS "client map distance reason blocker\n"

static void reported_decisions_are_read(void **state)
{
	(void)state;
	make_tree();
	set(DRIVE, "p2pmem/size", "67108864\n");
	tree_file("sys/class/p2pmem/p2pmem0/size", "67108864\n");
	tree_link("sys/class/p2pmem/p2pmem0/device", "../../../devices/" DRIVE);
	assert_int_equal(read_live(), 0);
	/* debugfs is not mounted */
	assert_string_equal(find("0000:03:00.0")->pool.dev, "p2pmem0");
	assert_int_equal(machine.reports, PRESENT);
	assert_int_equal(machine.nr_reported, 0);

	tree_file("debug/p2pmem/p2pmem0/peers",
		  PEERS "0000:04:00.0 bus_addr 4 same_bridge -\n"
		  "0000:09:00.0 bus_addr 4 same_bridge -\n"
		  "0000:00:0e.0 not_supported -1 host_bridge_unknown 0000:00:00.0\n");
	assert_int_equal(read_live(), 0);
	assert_int_equal(machine.nr_reported, 2);
	assert_string_equal(machine.functions[machine.reported[0].provider].name, "0000:03:00.0");
	assert_string_equal(machine.functions[machine.reported[0].client].name, "0000:04:00.0");
	assert_string_equal(machine.reported[0].map, "bus_addr");
	assert_int_equal(machine.reported[0].distance, 4);
	assert_string_equal(machine.reported[0].blocker, "-");
	assert_string_equal(machine.reported[1].reason, "host_bridge_unknown");
	assert_string_equal(machine.reported[1].blocker, "0000:00:00.0");

	tree_file("debug/p2pmem/p2pmem0/peers",
		  PEERS "0000:04:00.0 bus_addr 4 same_bridge -\n0000:00:0e.0 bus_addr four x -\n");
	assert_int_equal(read_live(), 0);
	assert_int_equal(machine.nr_reported, 0);
}

/* The series for 7.3 has them for providers without p2pmem device as well. */
static void reported_decisions_are_read_by_provider(void **state)
{
	(void)state;
	make_tree();
	tree_dir("debug/p2pdma");
	assert_int_equal(read_live(), 0);
	assert_int_equal(machine.reports, PRESENT);
	assert_int_equal(machine.nr_reported, 0);

	tree_file("debug/p2pdma/" "0000:03:00.0", PEERS "0000:04:00.0 bus_addr 4 same_bridge -\n");
	tree_file("debug/p2pdma/0000:04:00.0",
		  PEERS "0000:03:00.0" " not_supported 7 acs_redirect_blocked 0000:01:00.0\n");
	tree_file("debug/p2pdma/0000:09:00.0", PEERS "0000:03:00.0" " bus_addr 4 same_bridge -\n");
	set(DRIVE, "p2pmem/size", "67108864\n");
	tree_file("sys/class/pci_p2pmem/p2pmem5/size", "67108864\n");
	tree_link("sys/class/pci_p2pmem/p2pmem5/device", "../../../devices/" DRIVE);
	assert_int_equal(read_live(), 0);
	assert_string_equal(find("0000:03:00.0")->pool.dev, "p2pmem5");
	assert_int_equal(machine.nr_reported, 2);
	assert_string_equal(machine.functions[machine.reported[0].provider].name, "0000:03:00.0");
	assert_string_equal(machine.functions[machine.reported[1].provider].name, "0000:04:00.0");
	assert_string_equal(machine.reported[1].map, "not_supported");
	assert_string_equal(machine.reported[1].blocker, "0000:01:00.0");
}

static void set_cmb(const char *text)
{
	set(DRIVE, "nvme/nvme0/cmb", text);
}

static void a_controller_memory_buffer_is_read(void **state)
{
	const struct cmb *cmb;

	(void)state;
	make_tree();
	make_device("nvme", DRIVE "/nvme", "nvme0");
	assert_int_equal(read_live(), 0);
	assert_int_equal(find("0000:03:00.0")->cmb.presence, PRESENCE_UNKNOWN);
	assert_int_equal(find("0000:01:00.0")->cmb.presence, ABSENT);
	set_link(DRIVE, "driver", "../../../../bus/pci/drivers/nvme");
	assert_int_equal(read_live(), 0);
	/* This kernel is younger than 5.15 */
	assert_int_equal(find("0000:03:00.0")->cmb.presence, ABSENT);
	set_cmb("cmbloc : x00000002\ncmbsz  : x0004001f\n");
	assert_int_equal(read_live(), 0);
	cmb = &find("0000:03:00.0")->cmb;
	assert_int_equal(cmb->presence, PRESENT);
	assert_int_equal(cmb->loc, 2);
	assert_int_equal(cmb->sz, 0x4001f);
	set_cmb("cmbloc : 2\n");
	assert_int_equal(read_live(), 0);
	assert_int_equal(find("0000:03:00.0")->cmb.presence, PRESENCE_UNKNOWN);
}

/* Secrets in every file that is read, and in some next to them. None may get into a snapshot. */
static void a_snapshot_has_no_secrets(void **state)
{
	struct buffer out = {};

	(void)state;
	make_tree();
	tree_file("proc/cmdline", "root=UUID=SECRET hostname=SECRET pci=noacs password=SECRET -- "
		  "pci=SECRET\n");
	tree_file("proc/sys/kernel/hostname", "SECRET\n");
	tree_file("proc/cpuinfo", ZEN "serial\t: SECRET\nmodel name\t: SECRET\nflags\t\t: "
		  "hypervisor SECRET\n");
	set_dmi("SECRET\n", "SECRET\n");
	tree_file("sys/class/dmi/id/product_serial", "SECRET\n");
	tree_file("sys/class/dmi/id/product_uuid", "SECRET\n");
	tree_file("sys/hypervisor/type", "SECRET\n");
	tree_file("sys/hypervisor/uuid", "SECRET\n");
	make_device("net", CARD "/net", "enx525400123456");
	set(CARD, "net/enx525400123456/address", "52:54:00:12:34:56\n");
	make_device("infiniband", CARD "/infiniband", "ibx525400fffe123456");
	set(CARD, "infiniband/ibx525400fffe123456/node_guid", "5254:00ff:fe12:3456\n");
	make_device("nvme", DRIVE "/nvme", "nvme0");
	set_link(DRIVE, "driver", "../../../../bus/pci/drivers/nvme");
	set(DRIVE, "nvme/nvme0/serial", "SECRET\n");
	set(DRIVE, "nvme/nvme0/cmb", "cmbloc : x00000002\ncmbsz  : x0004001f\nSECRET\n");
	set(DRIVE, "label", "SECRET\n");
	set(DRIVE, "vpd", "SECRET\n");
	set(DRIVE, "numa_node", "SECRET\n");
	set(DRIVE, "current_link_speed", "SECRET\n");
	assert_int_equal(read_live(), 0);
	snapshot_write(&out, &machine);
	assert_non_null(strstr(buffer_text(&out), "\"pci=noacs\""));
	assert_non_null(strstr(buffer_text(&out), "\"enx-0000:04:00.0\""));
	assert_non_null(strstr(buffer_text(&out), "\"sz\":\"0x4001f\""));
	assert_null(strcasestr(buffer_text(&out), "secret"));
	assert_null(strstr(buffer_text(&out), "525400"));
	assert_null(strstr(buffer_text(&out), "52:54"));
	assert_null(strstr(buffer_text(&out), "123456"));
	buffer_free(&out);
}

static const struct CMUnitTest tests[] = {
	TEST(functions_have_their_place),
	TEST(paths_that_contradict_each_other_are_not_believed),
	TEST(attributes_are_read),
	TEST(the_domain_of_a_group_is_read),
	TEST(resources_are_read),
	TEST(a_bar_that_found_no_space_is_there_without_a_size),
	TEST(a_resizable_bar_that_found_no_space_has_a_size),
	TEST(a_user_reads_what_sysfs_shows),
	TEST(a_function_without_config_space_keeps_its_row),
	TEST(a_function_whose_attributes_are_broken_keeps_its_row),
	TEST(a_function_that_is_removed_is_left_out),
	TEST(a_machine_without_pci_is_an_error),
	TEST(the_order_is_that_of_the_kernel),
	TEST(without_the_list_the_order_is_by_number),
	TEST(twins_are_told_apart_by_their_directories),
	TEST(twins_are_not_told_apart_by_numbers_that_do_not_rise),
	TEST(only_some_options_are_read),
	TEST(options_are_cut_as_the_kernel_does),
	TEST(options_that_are_too_many_are_not_known),
	TEST(the_cpu_is_read),
	TEST(the_hypervisor_is_one_of_a_list),
	TEST(the_first_domain_of_xen_is_no_guest),
	TEST(a_device_tree_names_the_hypervisor),
	TEST(p2pdma_is_known_from_btf_symbols_or_configuration),
	TEST(functions_have_the_names_of_their_devices),
	TEST(at_most_eight_names_are_kept),
	TEST(names_with_an_address_are_replaced),
	TEST(peer_memory_is_read),
	TEST(reported_decisions_are_read),
	TEST(reported_decisions_are_read_by_provider),
	TEST(a_controller_memory_buffer_is_read),
	TEST(a_snapshot_has_no_secrets),
};

UNIT_MAIN(tests)
