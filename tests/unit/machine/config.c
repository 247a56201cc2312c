// SPDX-License-Identifier: GPL-2.0
/* What the bytes of config space say, and that what they do not show stays unknown. */
#include <stdbool.h>

#include "unit.h"
#include "machine/config.h"
#include "machine/machine.h"

#define SIZE 4096

static uint8_t bytes[SIZE];
static struct machine machine;

static int setup(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof(bytes));
	machine_init(&machine);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_free(&machine);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void put16(size_t at, uint16_t value)
{
	bytes[at] = value;
	bytes[at + 1] = value >> 8;
}

static void put32(size_t at, uint32_t value)
{
	put16(at, value);
	put16(at + 2, value >> 16);
}

static void header(unsigned int type)
{
	put16(0x00, 0x8086);
	put16(0x02, 0x2030);
	put32(0x08, 0x06040007);
	bytes[0x0e] = 0x80 | type;
}

/* A PCI Express capability at 0x40, with the device type and the version. */
static void express(unsigned int type, unsigned int version)
{
	put16(0x06, 0x10);
	bytes[0x34] = 0x40;
	bytes[0x40] = 0x10;
	put16(0x42, type << 4 | version);
}

static void extended(size_t at, unsigned int id, size_t next)
{
	put32(at, id | 1 << 16 | next << 20);
}

/* Parses a copy of just @len bytes, so that a read behind them is noticed. */
static struct function *parse(size_t len)
{
	struct function *function = machine_add_function(&machine, "0000:00:01.0");
	uint8_t *copy = malloc(len + !len);

	assert_non_null(function);
	assert_non_null(copy);
	memcpy(copy, bytes, len);
	config_parse(function, copy, len);
	free(copy);
	return function;
}

static void no_byte_is_unreadable(void **state)
{
	struct function *function = parse(0);

	(void)state;
	assert_int_equal(function->config, CONFIG_UNREADABLE);
	assert_int_equal(function->vendor, UNKNOWN);
	assert_int_equal(function->type, TYPE_UNKNOWN);
	assert_int_equal(function->acs.presence, PRESENCE_UNKNOWN);
}

static void all_ones_say_nothing(void **state)
{
	static const size_t sizes[] = { 1, 64, 256, SIZE };

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct function *function = parse(sizes[i]);

		assert_int_equal(function->config, CONFIG_ALL_ONES);
		assert_int_equal(function->vendor, UNKNOWN);
		assert_int_equal(function->class, UNKNOWN);
		assert_int_equal(function->type, TYPE_UNKNOWN);
		assert_int_equal(function->bridge, PRESENCE_UNKNOWN);
		assert_int_equal(function->acs.presence, PRESENCE_UNKNOWN);
		assert_int_equal(function->secondary, UNKNOWN);
	}
}

static void ids_and_class_are_read(void **state)
{
	struct function *function;

	(void)state;
	header(1);
	function = parse(64);
	assert_int_equal(function->vendor, 0x8086);
	assert_int_equal(function->device, 0x2030);
	assert_int_equal(function->class, 0x060400);
	assert_int_equal(function->bridge, PRESENT);
}

static void a_virtual_function_keeps_its_ids(void **state)
{
	struct function *function = machine_add_function(&machine, "0000:3b:00.2");

	(void)state;
	header(0);
	put32(0, UINT32_MAX);
	function->vendor = 0x15b3;
	function->device = 0x1018;
	config_parse(function, bytes, SIZE);
	assert_int_equal(function->config, CONFIG_COMPLETE);
	assert_int_equal(function->vendor, 0x15b3);
	assert_int_equal(function->device, 0x1018);
	assert_int_equal(function->bridge, ABSENT);
}

static void the_header_says_what_is_a_bridge(void **state)
{
	static const struct {
		unsigned int type;
		enum presence bridge;
	} cases[] = { { 0, ABSENT }, { 1, PRESENT }, { 2, PRESENT }, { 3, PRESENCE_UNKNOWN } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		header(cases[i].type);
		assert_int_equal(parse(64)->bridge, cases[i].bridge);
	}
	/* The byte with the type is the last that is missing */
	assert_int_equal(parse(0x0e)->bridge, PRESENCE_UNKNOWN);
}

static void the_type_is_that_of_pci_express(void **state)
{
	static const enum function_type types[16] = {
		[0] = TYPE_ENDPOINT, [1] = TYPE_LEGACY_ENDPOINT, [4] = TYPE_ROOT_PORT,
		[5] = TYPE_UPSTREAM, [6] = TYPE_DOWNSTREAM, [7] = TYPE_TO_PCI,
		[8] = TYPE_FROM_PCI, [9] = TYPE_RC_ENDPOINT, [10] = TYPE_RC_EVENT_COLLECTOR,
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_LEN(types); i++) {
		header(0);
		express(i, 2);
		assert_int_equal(parse(256)->type, types[i]);
	}
}

static void the_head_hides_capabilities(void **state)
{
	struct function *function;

	(void)state;
	header(1);
	express(4, 2);
	function = parse(64);
	assert_int_equal(function->config, CONFIG_HEAD);
	assert_int_equal(function->type, TYPE_UNKNOWN);
	assert_int_equal(function->acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(function->bars[0].resizable, PRESENCE_UNKNOWN);
}

static void a_head_without_capabilities_is_conventional(void **state)
{
	struct function *function;

	(void)state;
	header(0);
	function = parse(64);
	assert_int_equal(function->config, CONFIG_HEAD);
	assert_int_equal(function->type, TYPE_PCI);
	assert_int_equal(function->acs.presence, ABSENT);
}

static void a_conventional_function_is_complete_at_256(void **state)
{
	struct function *function;

	(void)state;
	header(0);
	put16(0x06, 0x10);
	bytes[0x34] = 0x50;
	bytes[0x50] = 0x01;
	function = parse(256);
	assert_int_equal(function->config, CONFIG_COMPLETE);
	assert_int_equal(function->type, TYPE_PCI);
	assert_int_equal(function->acs.presence, ABSENT);
	assert_int_equal(function->bars[0].resizable, ABSENT);
}

static void acs_is_unknown_without_extended_config_space(void **state)
{
	static const size_t sizes[] = { 256, 257, 259, 260, SIZE - 1 };
	struct function *function;

	(void)state;
	header(1);
	express(4, 2);
	extended(0x100, 0x01, 0xffc);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		function = parse(sizes[i]);
		assert_int_equal(function->config, CONFIG_CONVENTIONAL);
		assert_int_equal(function->type, TYPE_ROOT_PORT);
		assert_int_equal(function->acs.presence, PRESENCE_UNKNOWN);
		assert_int_equal(function->bars[0].resizable, PRESENCE_UNKNOWN);
	}
	/* The extended part reads ones where the kernel cannot reach it */
	memset(bytes + 256, 0xff, SIZE - 256);
	function = parse(SIZE);
	assert_int_equal(function->config, CONFIG_CONVENTIONAL);
	assert_int_equal(function->acs.presence, PRESENCE_UNKNOWN);
}

static void acs_is_absent_if_all_bytes_show_none(void **state)
{
	struct function *function;

	(void)state;
	header(1);
	express(4, 2);
	function = parse(SIZE);
	assert_int_equal(function->config, CONFIG_COMPLETE);
	assert_int_equal(function->acs.presence, ABSENT);

	extended(0x100, 0x01, 0x140);
	extended(0x140, 0x0b, 0);
	assert_int_equal(parse(SIZE)->acs.presence, ABSENT);
}

static void acs_registers_are_read(void **state)
{
	struct function *function;

	(void)state;
	header(1);
	express(4, 2);
	extended(0x100, 0x01, 0xff0);
	extended(0xff0, 0x0d, 0x100);
	put16(0xff4, 0x00df);
	put16(0xff6, 0x001d);
	function = parse(SIZE);
	assert_int_equal(function->acs.presence, PRESENT);
	assert_int_equal(function->acs.cap, 0x00df);
	assert_int_equal(function->acs.ctrl, 0x001d);
	/* Cut between the two registers */
	assert_int_equal(parse(0xff6)->acs.presence, PRESENCE_UNKNOWN);
}

static void lists_that_loop_end(void **state)
{
	struct function *function;

	(void)state;
	header(1);
	put16(0x06, 0x10);
	bytes[0x34] = 0x40;
	bytes[0x40] = 0x01;
	bytes[0x41] = 0x40;
	assert_int_equal(parse(256)->type, TYPE_PCI);

	express(4, 2);
	extended(0x100, 0x01, 0x100);
	function = parse(SIZE);
	assert_int_equal(function->type, TYPE_ROOT_PORT);
	assert_int_equal(function->acs.presence, ABSENT);
}

static void offsets_out_of_range_end_the_list(void **state)
{
	(void)state;
	header(1);
	express(4, 2);
	/* The kernel stops at an offset in the header, and ignores the lowest two bits */
	bytes[0x34] = 0x3c;
	assert_int_equal(parse(256)->type, TYPE_PCI);
	bytes[0x34] = 0x43;
	assert_int_equal(parse(256)->type, TYPE_ROOT_PORT);
	/* The last offset there is: the capability has no room */
	bytes[0x34] = 0xfc;
	bytes[0xfc] = 0x10;
	assert_int_equal(parse(0xfd)->type, TYPE_UNKNOWN);
	bytes[0xfc] = 0xff;
	assert_int_equal(parse(256)->type, TYPE_PCI);
	for (unsigned int offset = 0; offset < 256; offset++)
		for (size_t len = 0; len < 256; len += 5) {
			memset(bytes, offset | 0x10, 256);
			bytes[0x0e] = offset & 3;
			parse(len);
		}
}

static void the_link_is_read(void **state)
{
	struct function *function;

	(void)state;
	header(1);
	express(4, 1);
	put32(0x4c, 0x00000103);	/* 8 GT/s, 16 lanes */
	put16(0x52, 0x0082);		/* 5 GT/s, 8 lanes */
	put32(0x6c, 0x1e);		/* not there in version 1 */
	function = parse(256);
	assert_int_equal(function->link.max_speed, 8000);
	assert_int_equal(function->link.max_width, 16);
	assert_int_equal(function->link.speed, 5000);
	assert_int_equal(function->link.width, 8);

	express(4, 2);
	assert_int_equal(parse(256)->link.max_speed, 16000);
	put32(0x6c, 0x80);
	assert_int_equal(parse(256)->link.max_speed, 128000);
	put32(0x6c, 0);
	assert_int_equal(parse(256)->link.max_speed, 8000);
	/* Cut in the middle of the capability */
	function = parse(0x52);
	assert_int_equal(function->link.max_speed, 8000);
	assert_int_equal(function->link.speed, 0);
}

static void a_function_of_the_root_complex_has_no_link(void **state)
{
	(void)state;
	header(0);
	express(9, 2);
	put32(0x4c, 0x00000103);
	put16(0x52, 0x0082);
	assert_int_equal(parse(256)->link.max_speed, 0);
	assert_int_equal(parse(256)->link.speed, 0);
}

static void bridge_windows_are_read(void **state)
{
	struct function *function;

	(void)state;
	header(1);
	bytes[0x18] = 0x02;
	bytes[0x19] = 0x03;
	bytes[0x1a] = 0x07;
	put16(0x20, 0xfe80);
	put16(0x22, 0xfe90);
	put16(0x24, 0x0001);
	put16(0x26, 0xfff1);
	put32(0x28, 0x380);
	put32(0x2c, 0x381);
	function = parse(64);
	assert_int_equal(function->secondary, 3);
	assert_int_equal(function->subordinate, 7);
	assert_int_equal(function->window.presence, PRESENT);
	assert_int_equal(function->window.first, 0xfe800000);
	assert_int_equal(function->window.last, 0xfe9fffff);
	assert_int_equal(function->prefetchable_window.presence, PRESENT);
	assert_int_equal(function->prefetchable_window.first, 0x38000000000);
	assert_int_equal(function->prefetchable_window.last, 0x381ffffffff);

	/* The upper halves are not part of a window of 32 bits */
	put16(0x24, 0xe000);
	put16(0x26, 0xe010);
	function = parse(64);
	assert_int_equal(function->prefetchable_window.first, 0xe0000000);
	assert_int_equal(function->prefetchable_window.last, 0xe01fffff);

	put16(0x24, 0);
	put16(0x26, 0);
	assert_int_equal(parse(64)->prefetchable_window.presence, ABSENT);
	assert_int_equal(parse(0x2f)->prefetchable_window.presence, PRESENCE_UNKNOWN);
}

static void an_endpoint_has_no_windows(void **state)
{
	struct function *function;

	(void)state;
	header(0);
	bytes[0x19] = 3;
	bytes[0x1a] = 7;
	function = parse(64);
	assert_int_equal(function->window.presence, ABSENT);
	assert_int_equal(function->prefetchable_window.presence, ABSENT);
	assert_int_equal(function->secondary, UNKNOWN);
	assert_int_equal(function->subordinate, UNKNOWN);
}

/* BAR 1 and BAR 2: 256 MiB, which can be 256 MiB to 32 GiB, or 256 TiB as well */
static void resizable_bars(void)
{
	header(0);
	express(0, 2);
	put32(0x14, 0xe0000000);
	put32(0x18, 0x0000000c);
	put32(0x1c, 0x00000380);
	extended(0x100, 0x15, 0);
	put32(0x104, 0xff << 12);
	put32(0x108, 1 | 2 << 5 | 8 << 8);
	put32(0x10c, 0xff << 12);
	put32(0x110, 2 | 8 << 8 | 1 << 16);
}

static void resizable_bars_are_read(void **state)
{
	struct function *function;

	(void)state;
	resizable_bars();
	function = parse(SIZE);
	assert_int_equal(function->bars[0].resizable, ABSENT);
	assert_int_equal(function->bars[1].resizable, PRESENT);
	assert_int_equal(function->bars[1].sizes, 0xff00);
	assert_int_equal(function->bars[1].size, 256ull << 20);
	assert_int_equal(function->bars[1].start, 0xe0000000);
	assert_true(function->bars[1].memory && function->bars[1].assigned);
	assert_false(function->bars[1].wide || function->bars[1].prefetchable);
	assert_int_equal(function->bars[2].sizes, 0xff00 | 1ull << 28);
	assert_int_equal(function->bars[2].start, 0x38000000000);
	assert_true(function->bars[2].wide && function->bars[2].prefetchable);
	assert_int_equal(function->bars[3].size, 0);
	assert_int_equal(function->bars_known, PRESENCE_UNKNOWN);
}

static void what_is_known_about_a_bar_is_kept(void **state)
{
	struct function *function = machine_add_function(&machine, "0000:01:00.0");

	(void)state;
	resizable_bars();
	function->bars[2] = (struct bar){ .start = 0x1000000, .size = 4096 };
	config_parse(function, bytes, SIZE);
	assert_int_equal(function->bars[2].start, 0x1000000);
	assert_int_equal(function->bars[2].size, 4096);
	assert_int_equal(function->bars[2].resizable, PRESENT);
}

static void a_hostile_resizable_bar_is_ignored(void **state)
{
	struct function *function;

	(void)state;
	resizable_bars();
	put32(0x108, 7 | 7 << 5 | 63 << 8);
	put32(0x110, 5 | 44 << 8);
	put32(0x24, 0x0000000c);
	function = parse(SIZE);
	assert_int_equal(function->bars[5].resizable, PRESENT);
	assert_int_equal(function->bars[5].size, 0);
	/* There is no register for its upper half */
	assert_int_equal(function->bars[5].start, 0);

	/* At the end of config space */
	extended(0x100, 0x15, 0);
	memmove(bytes + 0xff4, bytes + 0x100, 12);
	extended(0x100, 0x01, 0xff4);
	put32(0xffc, 1 | 7 << 5 | 8 << 8);
	function = parse(SIZE);
	assert_int_equal(function->bars[1].size, 256 << 20);
	assert_int_equal(function->bars[0].resizable, ABSENT);
}

static void a_bridge_has_two_bars(void **state)
{
	struct function *function;

	(void)state;
	resizable_bars();
	bytes[0x0e] = 1;
	function = parse(SIZE);
	assert_int_equal(function->bars[1].resizable, PRESENT);
	assert_int_equal(function->bars[2].resizable, ABSENT);
}

static const struct CMUnitTest tests[] = {
	TEST(no_byte_is_unreadable),
	TEST(all_ones_say_nothing),
	TEST(ids_and_class_are_read),
	TEST(a_virtual_function_keeps_its_ids),
	TEST(the_header_says_what_is_a_bridge),
	TEST(the_type_is_that_of_pci_express),
	TEST(the_head_hides_capabilities),
	TEST(a_head_without_capabilities_is_conventional),
	TEST(a_conventional_function_is_complete_at_256),
	TEST(acs_is_unknown_without_extended_config_space),
	TEST(acs_is_absent_if_all_bytes_show_none),
	TEST(acs_registers_are_read),
	TEST(lists_that_loop_end),
	TEST(offsets_out_of_range_end_the_list),
	TEST(the_link_is_read),
	TEST(a_function_of_the_root_complex_has_no_link),
	TEST(bridge_windows_are_read),
	TEST(an_endpoint_has_no_windows),
	TEST(resizable_bars_are_read),
	TEST(what_is_known_about_a_bar_is_kept),
	TEST(a_hostile_resizable_bar_is_ignored),
	TEST(a_bridge_has_two_bars),
};

UNIT_MAIN(tests)
