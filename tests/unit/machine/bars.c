// SPDX-License-Identifier: GPL-2.0
/* The BARs of all functions, as the kernel finds them by their addresses. */
#include <errno.h>
#include <sys/stat.h>

#include "unit.h"
#include "machine/bars.h"

static char sysfs[64];

static int setup(void **state)
{
	char path[128];

	(void)state;
	strcpy(sysfs, "/tmp/p2ptrace-unit-XXXXXX");
	assert_non_null(mkdtemp(sysfs));
	snprintf(path, sizeof(path), "mkdir -p %s/bus/pci/devices/0000:01:00.0", sysfs);
	assert_int_equal(system(path), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return remove_tree(sysfs);
}

static void write_function(const char *resource, const uint32_t *registers)
{
	char dir[128], path[160];
	uint32_t config[16] = {};
	FILE *file;

	snprintf(dir, sizeof(dir), "%s/bus/pci/devices/0000:01:00.0", sysfs);
	write_text(dir, "resource", resource);
	snprintf(path, sizeof(path), "%s/config", dir);
	memcpy(config + 4, registers, 6 * sizeof(*registers));
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(config, sizeof(config), 1, file), 1);
	fclose(file);
}

struct found {
	struct p2ptrace_bar_key keys[6];
	struct p2ptrace_bar bars[6];
	unsigned int nr, stop_at;
};

static int note_bar(void *ctx, const struct p2ptrace_bar_key *key, const struct p2ptrace_bar *bar)
{
	struct found *found = ctx;

	assert_true(found->nr < ARRAY_LEN(found->keys));
	found->keys[found->nr] = *key;
	found->bars[found->nr++] = *bar;
	return found->nr == found->stop_at ? -E2BIG : 0;
}

#define UNUSED "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
#define TWO_BARS								\
	"0x00000000fe800000 0x00000000fe803fff 0x0000000000140204\n" UNUSED	\
	"0x0000000000001000 0x000000000000101f 0x0000000000040101\n" UNUSED	\
	"0x0000380000000000 0x00003801ffffffff 0x000000000014220c\n" UNUSED	\
	"0x00000000febf0000 0x00000000febfffff 0x0000000000046200\n"

static const uint32_t registers[6] = { 0xfe800004, 0, 0x1001, 0, 0x0000000c, 0x40 };

static void a_bar_is_the_addresses_that_begin_with_some_bits(void **state)
{
	static const uint8_t first[] = { 0, 0, 0, 0, 0xfe, 0x80, 0, 0 };
	struct found found = {};

	(void)state;
	write_function(TWO_BARS, registers);
	assert_int_equal(bars_walk(sysfs, note_bar, &found), 0);
	/* Neither ports nor the ROM */
	assert_int_equal(found.nr, 2);
	assert_int_equal(found.keys[0].bits, 64 - 14);
	assert_memory_equal(found.keys[0].address, first, sizeof(first));
	assert_int_equal(found.keys[1].bits, 64 - 33);
	for (unsigned int i = 0; i < 2; i++)
		assert_string_equal(found.bars[i].name.s, "0000:01:00.0");
	assert_int_equal(found.bars[0].bus, 0xfe800000);
	/* The bus may have another address than the CPU */
	assert_int_equal(found.bars[1].phys, 0x380000000000);
	assert_int_equal(found.bars[1].bus, 0x4000000000);
}

static void a_virtual_function_has_no_registers(void **state)
{
	static const uint32_t none[6];
	struct found found = {};

	(void)state;
	write_function(TWO_BARS, none);
	assert_int_equal(bars_walk(sysfs, note_bar, &found), 0);
	assert_int_equal(found.nr, 2);
	assert_int_equal(found.bars[0].bus, 0);
}

static void what_is_no_bar_is_skipped(void **state)
{
	static const char *const resources[] = {
		"", "x\n", UNUSED,
		/* Not a power of two, not aligned, without an address, ends before it begins */
		"0x00000000fe800000 0x00000000fe802fff 0x0000000000040200\n",
		"0x00000000fe801000 0x00000000fe802fff 0x0000000000040200\n",
		"0x00000000fe800000 0x00000000fe803fff 0x0000000020040200\n",
		"0x00000000fe804000 0x00000000fe803fff 0x0000000000040200\n",
		"0x0000000000000000 0xffffffffffffffff 0x0000000000040200\n",
	};
	struct found found = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(resources); i++) {
		write_function(resources[i], registers);
		assert_int_equal(bars_walk(sysfs, note_bar, &found), 0);
		assert_int_equal(found.nr, 0);
	}
}

static void a_walk_can_be_ended(void **state)
{
	struct found found = { .stop_at = 1 };

	(void)state;
	write_function(TWO_BARS, registers);
	assert_int_equal(bars_walk(sysfs, note_bar, &found), -E2BIG);
	assert_int_equal(found.nr, 1);
	assert_int_equal(bars_walk("/nowhere", note_bar, &found), -ENOENT);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(a_bar_is_the_addresses_that_begin_with_some_bits, setup,
					teardown),
	cmocka_unit_test_setup_teardown(a_virtual_function_has_no_registers, setup, teardown),
	cmocka_unit_test_setup_teardown(what_is_no_bar_is_skipped, setup, teardown),
	cmocka_unit_test_setup_teardown(a_walk_can_be_ended, setup, teardown),
};

UNIT_MAIN(tests)
