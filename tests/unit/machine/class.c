// SPDX-License-Identifier: GPL-2.0
/* Functions have a class, and those that are likely to do peer-to-peer DMA are known. */
#include "unit.h"
#include "machine/class.h"

static struct machine machine;

static int setup(void **state)
{
	(void)state;
	machine_init(&machine);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_free(&machine);
	return 0;
}

static struct function *add(int class)
{
	struct function *function = machine_add_function(&machine, "0000:01:00.0");

	assert_non_null(function);
	function->class = class;
	return function;
}

static void the_class_code_says_what_a_function_is(void **state)
{
	static const struct {
		int code;
		enum device_class class;
	} codes[] = {
		{ 0x030000, CLASS_gpu }, { 0x030200, CLASS_gpu }, { 0x120000, CLASS_accel },
		{ 0x010802, CLASS_nvme }, { 0x010700, CLASS_other }, { 0x020000, CLASS_nic },
		{ 0x020700, CLASS_nic }, { 0x0c0600, CLASS_nic }, { 0x0c0330, CLASS_other },
		{ 0x050210, CLASS_memory }, { 0x060000, CLASS_bridge }, { 0x060400, CLASS_bridge },
		{ UNKNOWN, CLASS_other },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		assert_int_equal(function_class(add(codes[i].code)), codes[i].class);
	add(UNKNOWN)->bridge = PRESENT;
	assert_int_equal(function_class(&machine.functions[machine.nr - 1]), CLASS_bridge);
}

static void each_class_is_found_by_its_name(void **state)
{
	(void)state;
	for (int i = 0; i < NR_CLASSES; i++)
		assert_int_equal(class_find(class_name(i)), i);
	assert_int_equal(class_find("gp"), -1);
	assert_int_equal(class_find(""), -1);
}

static void a_gpu_drive_or_nic_matters(void **state)
{
	(void)state;
	assert_true(function_matters(add(0x030000)));
	assert_true(function_matters(add(0x120000)));
	assert_true(function_matters(add(0x010802)));
	assert_true(function_matters(add(0x020000)));
	assert_false(function_matters(add(0x0c0330)));
	assert_false(function_matters(add(0x060400)));
	assert_false(function_matters(add(UNKNOWN)));
}

static void what_reads_all_ones_matters_if_it_shows_no_class(void **state)
{
	struct function *function = add(UNKNOWN);

	(void)state;
	function->config = CONFIG_ALL_ONES;
	assert_true(function_matters(function));
	function->class = 0xffffff;
	assert_true(function_matters(function));
	function->class = 0x0c0330;
	assert_false(function_matters(function));
	function->class = UNKNOWN;
	function->bridge = PRESENT;
	assert_false(function_matters(function));
}

static void another_function_matters_if_it_has_a_large_bar_or_a_pool(void **state)
{
	struct function *function = add(0x0c0330);

	(void)state;
	function->bars[2] = (struct bar){ .size = (64 << 20) - 1, .memory = true };
	assert_false(function_matters(function));
	function->bars[2].size++;
	assert_true(function_matters(function));
	function->bars[2].memory = false;
	assert_false(function_matters(function));
	function->pool.presence = PRESENT;
	assert_true(function_matters(function));
}

static void a_virtual_function_matters_if_it_has_a_driver(void **state)
{
	struct function *function = add(0x020000);

	(void)state;
	strcpy(function->physfn, "0000:01:00.1");
	assert_false(function_matters(function));
	strcpy(function->driver, "-");
	assert_false(function_matters(function));
	strcpy(function->driver, "vfio-pci");
	assert_true(function_matters(function));
	strcpy(function->driver, "");
	strcpy(function->physfn, "-");
	assert_true(function_matters(function));
}

#define CLASS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	CLASS_TEST(the_class_code_says_what_a_function_is),
	CLASS_TEST(each_class_is_found_by_its_name),
	CLASS_TEST(a_gpu_drive_or_nic_matters),
	CLASS_TEST(what_reads_all_ones_matters_if_it_shows_no_class),
	CLASS_TEST(another_function_matters_if_it_has_a_large_bar_or_a_pool),
	CLASS_TEST(a_virtual_function_matters_if_it_has_a_driver),
};

UNIT_MAIN(tests)
