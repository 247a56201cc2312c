// SPDX-License-Identifier: GPL-2.0
/* The words of the kernel's command line are read as the kernel reads them, and checked. */
#include "unit.h"
#include "machine/boot_options.h"

static struct machine machine;
static struct buffer problems;

static const char *const names[] = {
	"0000:00:01.0", "0000:01:00.0", "0000:02:00.0", "0000:02:01.0", "0000:03:00.0",
};

static int setup(void **state)
{
	static const int parents[] = { NONE, 0, 1, 1, 2 };

	(void)state;
	machine_init(&machine);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct function *function = machine_add_function(&machine, names[i]);

		assert_non_null(function);
		function->parent = parents[i];
	}
	machine.options_known = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_free(&machine);
	buffer_free(&problems);
	return 0;
}

static void option(const char *word)
{
	assert_int_equal(machine_add_option(&machine, word), 0);
}

static void acs(int function, uint16_t ctrl)
{
	machine.functions[function].acs = (struct acs){ PRESENT, 0x7f, ctrl };
}

static void collect(void *ctx, const char *sentence)
{
	buffer_printf(ctx, "%s\n", sentence);
}

static const char *check(void)
{
	buffer_reset(&problems);
	boot_options_check(&machine, collect, &problems);
	return buffer_text(&problems);
}

static void a_list_that_works_is_no_problem(void **state)
{
	(void)state;
	option("quiet");
	option("pci=noaer,disable_acs_redir=0000:02:00.0;02:01.0,realloc");
	acs(2, 0x11);
	acs(3, 0x11);
	assert_string_equal(check(), "");
}

static void a_port_that_still_redirects_is_named(void **state)
{
	(void)state;
	option("pci=disable_acs_redir=0000:02:00.0;0000:02:01.0");
	acs(2, 0x1d);
	acs(3, 0x11);
	assert_non_null(strstr(check(), "names 0000:02:00.0, but it had no effect"));
	assert_non_null(strstr(check(), "ACS control 0x1d"));
	assert_null(strstr(check(), "02:01.0"));
}

static void a_port_that_does_not_exist_is_named(void **state)
{
	(void)state;
	option("pci=disable_acs_redir=0000:7f:00.0");
	assert_string_equal(check(), "The boot option pci=disable_acs_redir names 0000:7f:00.0, "
			    "which does not exist.\n");
}

static void a_port_without_acs_is_named(void **state)
{
	(void)state;
	option("pci=disable_acs_redir=0000:02:00.0");
	machine.functions[2].acs.presence = ABSENT;
	assert_non_null(strstr(check(), "names 0000:02:00.0, which has no ACS capability"));
}

static void a_comma_between_ports_is_found(void **state)
{
	(void)state;
	option("pci=disable_acs_redir=0000:02:00.0,0000:02:01.0,nomsi");
	acs(2, 0);
	acs(3, 0x1d);
	assert_non_null(strstr(check(), "have a comma before 0000:02:01.0"));
	assert_null(strstr(check(), "nomsi"));
	option("pci=disable_acs_redir=0000:02:00.0,nomsi,0000:03:00.0");
	assert_null(strstr(check(), "03:00.0"));
}

static void a_word_that_is_no_name_is_found(void **state)
{
	(void)state;
	option("pci=disable_acs_redir=0000:02:00.0 ");
	assert_non_null(strstr(check(), "has '0000:02:00.0 ', which is neither a PCI name"));
}

static void vendor_and_device_ids_are_left_alone(void **state)
{
	(void)state;
	option("pci=disable_acs_redir=pci:8086:2030");
	assert_string_equal(check(), "");
}

static void a_path_names_the_function_at_its_end(void **state)
{
	(void)state;
	option("pci=disable_acs_redir=0000:00:01.0/00.0/01.0");
	acs(3, 0x04);
	assert_non_null(strstr(check(), "names 0000:00:01.0/00.0/01.0, but it had no effect"));
	acs(3, 0);
	assert_string_equal(check(), "");
	option("pci=disable_acs_redir=0000:00:01.0/05.0");
	assert_non_null(strstr(check(), "0000:00:01.0/05.0, which does not exist"));
}

static void flags_that_clear_redirect_are_checked(void **state)
{
	(void)state;
	option("pci=config_acs=x0x00xx@0000:02:00.0;xxxx1xx@0000:02:01.0");
	acs(2, 0x04);
	acs(3, 0x04);
	assert_non_null(strstr(check(), "config_acs names 0000:02:00.0, but it had no effect"));
	assert_null(strstr(check(), "02:01.0"));
}

static void the_new_list_keeps_the_ports_of_the_old_one(void **state)
{
	static const int ports[] = { 3, 2 };
	struct buffer list = {};

	(void)state;
	boot_options_acs(&list, &machine, ports, 2);
	assert_string_equal(list.data, "0000:02:01.0;0000:02:00.0");
	buffer_reset(&list);
	option("pci=disable_acs_redir=0000:00:01.0;0000:02:00.0");
	boot_options_acs(&list, &machine, ports, 2);
	assert_string_equal(list.data, "0000:00:01.0;0000:02:00.0;0000:02:01.0");
	buffer_free(&list);
}

/* The text goes to a root shell, and may come from another machine. */
static void the_new_list_has_no_entry_that_is_not_valid(void **state)
{
	static const int ports[] = { 2 };
	struct buffer list = {};

	(void)state;
	option("pci=disable_acs_redir=garbage$(touch /tmp/x);0000:02:01.0;`id`;10000:02:00.0;"
	       "pci:8086:2030;pci:8086;0000:02:00.0/00.0;0000:02:00.0/0$");
	boot_options_acs(&list, &machine, ports, 1);
	assert_string_equal(list.data, "0000:02:01.0;10000:02:00.0;pci:8086:2030;0000:02:00.0/00.0;"
			    "0000:02:00.0");
	buffer_free(&list);
}

static void options_that_the_kernel_cannot_read_are_found(void **state)
{
	(void)state;
	option("pci=config_acs=0000:02:00.0");
	assert_non_null(strstr(check(), "has '0000:02:00.0', which does not begin with flags"));
	option("pci=config_acs=2x@0000:02:00.0");
	assert_non_null(strstr(check(), "has '2x@0000:02:00.0', which does not begin with flags"));
	option("pci=disable_acs_redir=pci:8086");
	assert_non_null(strstr(check(), "has 'pci:8086', which is neither a PCI name"));
	option("pci=disable_acs_redir=0000:02:00.0,pci:8086:2030");
	assert_non_null(strstr(check(), "have a comma before pci:8086:2030"));
}

static void options_that_do_not_exist_are_found(void **state)
{
	(void)state;
	option("pci=disable_acs_redir");
	assert_non_null(strstr(check(), "option pci=disable_acs_redir does not exist"));
	option("pci=noaer,disable_acs_redirect=0000:02:00.0");
	assert_non_null(strstr(check(), "option pci=disable_acs_redirect does not exist"));
	option("pci=config_acs");
	assert_non_null(strstr(check(), "option pci=config_acs does not exist"));
	option("disable-acs-redir=0000:02:00.0");
	assert_non_null(strstr(check(), "disable_acs_redir= has no pci= before it"));
	option("config_acs=x0x00xx@0000:02:00.0");
	assert_non_null(strstr(check(), "config_acs= has no pci= before it"));
	assert_null(strstr(check(), "noaer"));
}

static void flags_are_those_that_the_kernel_takes(void **state)
{
	(void)state;
	option("pci=config_acs=X0X00XX@0000:02:00.0;xxxxx0x0x00xx@0000:02:00.0");
	assert_non_null(strstr(check(), "has 'xxxxx0x0x00xx@0000:02:00.0', which does not begin"));
	assert_null(strstr(check(), "has 'X"));
}

/* The kernel takes the first element for a port, and only the last list. */
static void the_new_flags_keep_the_other_bits_and_ports(void **state)
{
	static const int ports[] = { 3, 2 };
	struct buffer list = {};

	(void)state;
	boot_options_config_acs(&list, &machine, ports, 2);
	assert_string_equal(list.data, "x0x00xx@0000:02:01.0;x0x00xx@0000:02:00.0");
	buffer_reset(&list);
	option("pci=config_acs=1111111@0000:02:01.0;1@0000:00:01.0;$(id)@0000:03:00.0;"
	       "x@`id`;10@pci:8086:2030;xx1@0000:7f:00.0");
	boot_options_config_acs(&list, &machine, ports, 2);
	assert_string_equal(list.data, "1010011@0000:02:01.0;x0x00xx@0000:02:00.0;1@0000:00:01.0;"
			    "10@pci:8086:2030;xx1@0000:7f:00.0");
	buffer_free(&list);
}

static void an_iommu_that_is_switched_off_is_found(void **state)
{
	(void)state;
	option("intel_iommu=on");
	option("iommu=pt");
	assert_null(boot_options_iommu_off(&machine));
	option("amd_iommu=off");
	assert_string_equal(boot_options_iommu_off(&machine), "amd_iommu=off");
}

static void only_the_bits_that_are_cleared_have_to_be_clear(void **state)
{
	(void)state;
	option("pci=config_acs=xxxx0xx@0000:02:00.0");
	acs(2, 0x08);
	assert_string_equal(check(), "");
	acs(2, 0x04);
	assert_non_null(strstr(check(), "but it had no effect"));
}

static void the_last_iommu_option_counts(void **state)
{
	bool fits;

	(void)state;
	assert_null(boot_options_iommu(&machine, "DMA", &fits));
	option("pci=nomsi");
	option("intel_iommu=on");
	assert_null(boot_options_iommu(&machine, "DMA", &fits));
	option("iommu.strict=1");
	assert_string_equal(boot_options_iommu(&machine, "DMA", &fits), "iommu.strict=1");
	assert_true(fits);
	assert_string_equal(boot_options_iommu(&machine, "DMA-FQ", &fits), "iommu.strict=1");
	assert_false(fits);
	assert_null(boot_options_iommu(&machine, "identity", &fits));
	option("iommu=pt");
	assert_string_equal(boot_options_iommu(&machine, "identity", &fits), "iommu=pt");
	assert_true(fits);
	assert_string_equal(boot_options_iommu(&machine, "DMA", &fits), "iommu=pt");
	assert_false(fits);
	option("iommu.passthrough=0");
	assert_string_equal(boot_options_iommu(&machine, "DMA", &fits), "iommu.passthrough=0");
	assert_true(fits);
}

#define OPTION_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	OPTION_TEST(a_list_that_works_is_no_problem),
	OPTION_TEST(a_port_that_still_redirects_is_named),
	OPTION_TEST(a_port_that_does_not_exist_is_named),
	OPTION_TEST(a_port_without_acs_is_named),
	OPTION_TEST(a_comma_between_ports_is_found),
	OPTION_TEST(a_word_that_is_no_name_is_found),
	OPTION_TEST(vendor_and_device_ids_are_left_alone),
	OPTION_TEST(a_path_names_the_function_at_its_end),
	OPTION_TEST(flags_that_clear_redirect_are_checked),
	OPTION_TEST(the_new_list_keeps_the_ports_of_the_old_one),
	OPTION_TEST(the_new_list_has_no_entry_that_is_not_valid),
	OPTION_TEST(options_that_the_kernel_cannot_read_are_found),
	OPTION_TEST(options_that_do_not_exist_are_found),
	OPTION_TEST(flags_are_those_that_the_kernel_takes),
	OPTION_TEST(the_new_flags_keep_the_other_bits_and_ports),
	OPTION_TEST(an_iommu_that_is_switched_off_is_found),
	OPTION_TEST(only_the_bits_that_are_cleared_have_to_be_clear),
	OPTION_TEST(the_last_iommu_option_counts),
};

UNIT_MAIN(tests)
