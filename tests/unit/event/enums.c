// SPDX-License-Identifier: GPL-2.0
/* Enum values get their names from BTF. */
#include <bpf/btf.h>

#include "unit.h"
#include "event/enums.h"

static struct btf *btf_with_enums(void)
{
	struct btf *btf = btf__new_empty();

	assert_non_null(btf);
	assert_true(btf__add_enum(btf, "pci_p2pdma_map_type", 4) > 0);
	assert_int_equal(btf__add_enum_value(btf, "PCI_P2PDMA_MAP_UNKNOWN", 0), 0);
	assert_int_equal(btf__add_enum_value(btf, "PCI_P2PDMA_MAP_NOT_SUPPORTED", 1), 0);
	/* Values need not be consecutive */
	assert_int_equal(btf__add_enum_value(btf, "PCI_P2PDMA_MAP_BUS_ADDR", 7), 0);
	assert_true(btf__add_enum(btf, "dma_data_direction", 4) > 0);
	assert_int_equal(btf__add_enum_value(btf, "DMA_BIDIRECTIONAL", 0), 0);
	assert_int_equal(btf__add_enum_value(btf, "DMA_TO_DEVICE", 1), 0);
	assert_int_equal(btf__add_enum_value(btf, "NOT_OUR_PREFIX", 2), 0);
	assert_int_equal(btf__add_enum_value(btf, "DMA_MINUS", -1), 0);
	/* An enum without values */
	assert_true(btf__add_enum(btf, "p2pmem_alloc_error", 4) > 0);
	return btf;
}

static int setup(void **state)
{
	static struct enums enums;
	struct btf *btf = btf_with_enums();
	int err = enums_load(&enums, btf);

	btf__free(btf);		/* enums_load() must have copied the names */
	*state = &enums;
	return err;
}

static int teardown(void **state)
{
	enums_free(*state);
	return 0;
}

static void assert_name(const struct enums *enums, enum kernel_enum which, uint32_t value,
			const char *expected)
{
	char buf[32];

	assert_string_equal(enums_name(enums, which, value, buf, sizeof(buf)), expected);
}

static void names_are_short_and_lower_case(void **state)
{
	assert_name(*state, ENUM_MAP_TYPE, 0, "unknown");
	assert_name(*state, ENUM_MAP_TYPE, 1, "not_supported");
	assert_name(*state, ENUM_MAP_TYPE, 7, "bus_addr");
	assert_name(*state, ENUM_DMA_DIRECTION, 0, "bidirectional");
	assert_name(*state, ENUM_DMA_DIRECTION, 1, "to_device");
	assert_name(*state, ENUM_DMA_DIRECTION, UINT32_MAX, "minus");
}

static void a_value_without_a_valid_name_is_left_out(void **state)
{
	struct btf *whole = btf__new_empty(), *damaged;
	struct enums enums;
	const void *raw;
	uint32_t size;
	char *data;

	(void)state;
	assert_true(btf__add_enum(whole, "pci_p2pdma_map_type", 4) > 0);
	assert_int_equal(btf__add_enum_value(whole, "PCI_P2PDMA_MAP_UNKNOWN", 0), 0);
	assert_int_equal(btf__add_enum_value(whole, "PCI_P2PDMA_MAP_BUS_ADDR", 2), 0);
	raw = btf__raw_data(whole, &size);
	data = malloc(size);
	assert_non_null(data);
	memcpy(data, raw, size);
	/* The first value follows the header of the file and that of the type. */
	memset(data + sizeof(struct btf_header) + sizeof(struct btf_type), 0x7f, sizeof(uint32_t));
	damaged = btf__new(data, size);
	btf__free(whole);
	free(data);
	/* libbpf 1.4 and later refuse such BTF, so it does not come this far */
	if (!damaged)
		return;
	assert_int_equal(enums_load(&enums, damaged), 0);
	assert_int_equal(enums.table[ENUM_MAP_TYPE].nr, 1);
	assert_name(&enums, ENUM_MAP_TYPE, 0, "unknown(0)");
	assert_name(&enums, ENUM_MAP_TYPE, 2, "bus_addr");
	enums_free(&enums);
	btf__free(damaged);
}

static void a_name_without_the_prefix_stays_whole(void **state)
{
	assert_name(*state, ENUM_DMA_DIRECTION, 2, "not_our_prefix");
}

static void unknown_values_show_their_number(void **state)
{
	assert_name(*state, ENUM_MAP_TYPE, 2, "unknown(2)");
	assert_name(*state, ENUM_MAP_TYPE, UINT32_MAX, "unknown(4294967295)");
	assert_name(*state, ENUM_ALLOC_ERROR, 0, "unknown(0)");
}

static void an_enum_missing_in_the_kernel_has_only_unknown_values(void **state)
{
	assert_name(*state, ENUM_FALLBACK_REASON, 3, "unknown(3)");
	assert_name(*state, ENUM_DECISION_REASON, 0, "unknown(0)");
	assert_name(*state, ENUM_UNBIND_REASON, 1, "unknown(1)");
}

static void freeing_enums_twice_is_harmless(void **state)
{
	struct enums enums;
	struct btf *btf = btf_with_enums();

	(void)state;
	assert_int_equal(enums_load(&enums, btf), 0);
	btf__free(btf);
	enums_free(&enums);
	enums_free(&enums);
	assert_name(&enums, ENUM_MAP_TYPE, 1, "unknown(1)");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(names_are_short_and_lower_case),
	cmocka_unit_test(a_value_without_a_valid_name_is_left_out),
	cmocka_unit_test(a_name_without_the_prefix_stays_whole),
	cmocka_unit_test(unknown_values_show_their_number),
	cmocka_unit_test(an_enum_missing_in_the_kernel_has_only_unknown_values),
	cmocka_unit_test(freeing_enums_twice_is_harmless),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
