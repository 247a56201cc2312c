// SPDX-License-Identifier: GPL-2.0
/* Every reason has one name and a text, and at most one remedy. */
#include "unit.h"
#include "machine/decision.h"

static void each_reason_is_found_by_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_REASONS; i++) {
		assert_non_null(reasons[i].name);
		assert_ptr_equal(reason_find(reasons[i].name), &reasons[i]);
		assert_true(*reasons[i].words);
		assert_false(reasons[i].by_acs && reasons[i].by_place);
	}
	assert_ptr_equal(reason_find("acs_redirect_blocked"),
			 &reasons[REASON_ACS_REDIRECT_BLOCKED]);
	assert_true(reasons[REASON_ACS_REDIRECT_BLOCKED].by_acs);
	assert_true(reasons[REASON_HOST_BRIDGE_UNKNOWN].by_place);
	assert_null(reason_find("newer"));
	assert_null(reason_find(""));
}

static bool is_unknown(enum reason_id id)
{
	return id >= REASON_ROUTE_UNKNOWN;
}

static void a_missing_fact_can_be_found_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_REASONS; i++) {
		assert_int_equal(!!reasons[i].find_out, is_unknown(i));
		assert_false(is_unknown(i) && (reasons[i].by_acs || reasons[i].by_place));
	}
}

static void only_not_supported_is_not_supported(void **state)
{
	(void)state;
	assert_true(map_supported(MAP_BUS_ADDR));
	assert_true(map_supported(MAP_THRU_HOST_BRIDGE));
	assert_true(map_supported("newer"));
	assert_false(map_supported("not_supported"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_reason_is_found_by_its_name),
	cmocka_unit_test(a_missing_fact_can_be_found_out),
	cmocka_unit_test(only_not_supported_is_not_supported),
};

UNIT_MAIN(tests)
