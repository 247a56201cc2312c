// SPDX-License-Identifier: GPL-2.0
/* The metrics of "p2ptrace stat": names, sums and differences, and the gauges from sysfs. */
#include <stdlib.h>
#include <sys/stat.h>

#include "unit.h"
#include "event/metrics.h"
#include "lib/log.h"
#include "session/hooks.h"

/* Not string constants: struct enum_value owns its names */
static char unknown[] = "unknown", bus_addr[] = "bus_addr", new[] = "new";
static char too_new[] = "too_new", huge[] = "huge";
static struct enum_value map_values[] = {
	{ .value = 0, .name = unknown },
	{ .value = 2, .name = bus_addr },
	{ .value = 14, .name = new },
	{ .value = 15, .name = too_new },
	{ .value = 4000000000u, .name = huge },
};

static char acs_blocked[] = "acs_redirect_blocked", none[] = "none", removed[] = "removed";
static struct enum_value reason_values[] = {
	{ .value = 0, .name = unknown }, { .value = 3, .name = acs_blocked },
};
static struct enum_value direction_values[] = { { .value = 3, .name = none } };
static struct enum_value unbind_values[] = { { .value = 1, .name = removed } };

static const struct enums enums = {
	.table[ENUM_MAP_TYPE] = { map_values, ARRAY_LEN(map_values) },
	.table[ENUM_DECISION_REASON] = { reason_values, ARRAY_LEN(reason_values) },
	.table[ENUM_DMA_DIRECTION] = { direction_values, ARRAY_LEN(direction_values) },
	.table[ENUM_UNBIND_REASON] = { unbind_values, ARRAY_LEN(unbind_values) },
};

static void all_events(struct event_set *set)
{
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		set->has[i] = true;
}

static uint64_t value(const struct metrics *metrics, const char *name, const struct sample *sample)
{
	const struct metric *metric = metrics_find(metrics, name);

	if (!metric)
		fail_msg("there is no metric '%s'", name);
	return metric_value(metric, sample);
}

static void names_of_metrics_are_unique(void **state)
{
	struct event_set set = {};
	struct metrics metrics;

	(void)state;
	all_events(&set);
	assert_int_equal(metrics_load(&metrics, &enums, &set), 0);
	for (size_t i = 0; i < metrics.nr; i++) {
		assert_ptr_equal(metrics_find(&metrics, metrics.metrics[i].name),
				 &metrics.metrics[i]);
		assert_true(metrics.metrics[i].offset <= sizeof(struct sample) - sizeof(uint64_t));
		assert_true(*metrics.metrics[i].help);
	}
	metrics_free(&metrics);
}

static void a_metric_of_a_value_knows_its_field_and_value(void **state)
{
	static const struct {
		const char *name, *field, *value;
	} cases[] = {
		{ "maps", NULL, NULL }, { "maps.bus_addr", "map", "bus_addr" },
		{ "maps.other", "map", "other" }, { "maps.dir_none", "dir", "none" },
		{ "decisions.acs_redirect_blocked", "reason", "acs_redirect_blocked" },
		{ "map_bytes.bus_addr", "map", "bus_addr" }, { "map_bytes.other", "map", "other" },
		{ "held", NULL, NULL },
	};
	struct event_set set = {};
	struct metrics metrics;

	(void)state;
	all_events(&set);
	assert_int_equal(metrics_load(&metrics, &enums, &set), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct metric *metric = metrics_find(&metrics, cases[i].name);

		assert_non_null(metric);
		if (!cases[i].field) {
			assert_null(metric->field);
			assert_null(metric->value);
			continue;
		}
		assert_string_equal(metric->field, cases[i].field);
		assert_string_equal(metric->value, cases[i].value);
	}
	metrics_free(&metrics);
}

static void each_enum_value_has_a_metric_and_the_rest_share_one(void **state)
{
	struct sample sample = {};
	struct event_set set = {};
	struct metrics metrics;

	(void)state;
	all_events(&set);
	assert_int_equal(metrics_load(&metrics, &enums, &set), 0);
	for (int i = 0; i < P2PTRACE_NR_VALUES; i++)
		sample.counts.values[P2PTRACE_ENUM_p2pdma_map_map][i] = 100 + i;
	sample.counts.map_bytes[2] = 7;
	assert_int_equal(value(&metrics, "maps.bus_addr", &sample), 102);
	assert_int_equal(value(&metrics, "maps.unknown", &sample), 100);
	assert_int_equal(value(&metrics, "maps.new", &sample), 114);
	/* Values that do not fit share the last element */
	assert_null(metrics_find(&metrics, "maps.too_new"));
	assert_null(metrics_find(&metrics, "maps.huge"));
	assert_int_equal(value(&metrics, "maps.other", &sample), 115);
	assert_int_equal(value(&metrics, "map_bytes.bus_addr", &sample), 7);
	/* A kernel without the enum */
	assert_null(metrics_find(&metrics, "fallbacks.no_memory"));
	assert_non_null(metrics_find(&metrics, "fallbacks.other"));
	metrics_free(&metrics);
}

static void every_enum_field_has_a_metric_for_each_value(void **state)
{
	struct sample sample = {};
	struct event_set set = {};
	struct metrics metrics;
	int n = 0;

	(void)state;
	all_events(&set);
	assert_int_equal(metrics_load(&metrics, &enums, &set), 0);
	sample.counts.values[P2PTRACE_ENUM_p2pdma_decide_reason][3] = 33;
	sample.counts.values[P2PTRACE_ENUM_p2pdma_decide_map][2] = 22;
	sample.counts.values[P2PTRACE_ENUM_nvmet_p2pmem_unbind_reason][1] = 11;
	sample.counts.values[P2PTRACE_ENUM_p2pdma_map_dir][3] = 7;
	sample.counts.values[P2PTRACE_ENUM_p2pdma_unmap_dir][3] = 8;
	assert_int_equal(value(&metrics, "decisions.acs_redirect_blocked", &sample), 33);
	assert_int_equal(value(&metrics, "decisions.bus_addr", &sample), 22);
	assert_int_equal(value(&metrics, "unbinds.removed", &sample), 11);
	assert_int_equal(value(&metrics, "maps.dir_none", &sample), 7);
	assert_int_equal(value(&metrics, "unmaps.dir_none", &sample), 8);
	/* The same name in two enums: the second one is qualified */
	sample.counts.values[P2PTRACE_ENUM_p2pdma_decide_map][0] = 1;
	sample.counts.values[P2PTRACE_ENUM_p2pdma_decide_reason][0] = 2;
	sample.counts.values[P2PTRACE_ENUM_p2pdma_decide_reason][P2PTRACE_NR_VALUES - 1] = 3;
	assert_int_equal(value(&metrics, "decisions.unknown", &sample), 1);
	assert_int_equal(value(&metrics, "decisions.reason_unknown", &sample), 2);
	assert_int_equal(value(&metrics, "decisions.other", &sample), 0);
	assert_int_equal(value(&metrics, "decisions.reason_other", &sample), 3);
	/* Each enum field has a metric for its last element */
	for (size_t i = 0; i < metrics.nr; i++)
		for (int f = 0; f < P2PTRACE_NR_ENUM_FIELDS; f++)
			n += metrics.metrics[i].offset ==
			     offsetof(struct sample, counts.values[f][P2PTRACE_NR_VALUES - 1]);
	assert_int_equal(n, P2PTRACE_NR_ENUM_FIELDS);
	metrics_free(&metrics);
}

static void metrics_of_events_left_out_are_removed(void **state)
{
	struct sample sample = {};
	struct event_set set = {};
	struct metrics metrics;

	(void)state;
	all_events(&set);
	assert_int_equal(metrics_load(&metrics, &enums, &set), 0);
	set.has[P2PTRACE_p2pdma_map] = false;
	sample.counts.events[P2PTRACE_p2pdma_unmap] = 5;
	metrics_keep(&metrics, &set);
	assert_null(metrics_find(&metrics, "maps"));
	assert_null(metrics_find(&metrics, "maps.bus_addr"));
	assert_null(metrics_find(&metrics, "map_bytes.bus_addr"));
	assert_int_equal(value(&metrics, "unmaps", &sample), 5);
	assert_non_null(metrics_find(&metrics, "held"));
	metrics_free(&metrics);
}

static void events_missing_in_the_kernel_have_no_metric(void **state)
{
	struct event_set set = {};
	struct metrics metrics;

	(void)state;
	set.has[P2PTRACE_p2pmem_alloc] = true;
	assert_int_equal(metrics_load(&metrics, &enums, &set), 0);
	assert_non_null(metrics_find(&metrics, "allocs"));
	assert_non_null(metrics_find(&metrics, "held"));
	assert_non_null(metrics_find(&metrics, "lost"));
	assert_null(metrics_find(&metrics, "maps"));
	assert_null(metrics_find(&metrics, "maps.bus_addr"));
	assert_null(metrics_find(&metrics, "alloc"));
	assert_null(metrics_find(&metrics, ""));
	metrics_free(&metrics);
}

static void counts_of_cpus_are_added(void **state)
{
	struct p2ptrace_counts sum = {}, a, b;

	(void)state;
	memset(&a, 0x01, sizeof(a));
	memset(&b, 0x02, sizeof(b));
	counts_add(&sum, &a);
	counts_add(&sum, &b);
	memset(&a, 0x03, sizeof(a));
	assert_memory_equal(&sum, &a, sizeof(a));
}

static void a_difference_subtracts_counts_but_not_gauges(void **state)
{
	struct sample from = { .ts_ns = 5, .gauges.held = 10, .lost = 3 };
	struct sample to = { .ts_ns = 9, .gauges.held = 4, .lost = 8 };
	struct sample difference;

	(void)state;
	from.counts.events[P2PTRACE_p2pmem_alloc] = 40;
	to.counts.events[P2PTRACE_p2pmem_alloc] = 42;
	to.counts.map_bytes[P2PTRACE_NR_VALUES - 1] = 1;
	sample_difference(&difference, &to, &from);
	assert_int_equal(difference.ts_ns, 4);
	assert_int_equal(difference.counts.events[P2PTRACE_p2pmem_alloc], 2);
	assert_int_equal(difference.counts.map_bytes[P2PTRACE_NR_VALUES - 1], 1);
	assert_int_equal(difference.gauges.held, 4);
	assert_int_equal(difference.lost, 5);
	/* An event counted as lost may arrive later; the difference is then 0, not negative */
	to.lost = 1;
	sample_difference(&difference, &to, &from);
	assert_int_equal(difference.lost, 0);
}

static void metrics_that_a_stock_kernel_cannot_count_are_missing(void **state)
{
	struct event_set set = { .stock = true };
	struct metrics metrics;
	struct enums empty = {};

	(void)state;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		set.has[i] = hooks_exist(i);
	assert_int_equal(metrics_load(&metrics, &empty, &set), 0);
	assert_non_null(metrics_find(&metrics, "allocs"));
	assert_non_null(metrics_find(&metrics, "fallbacks"));
	assert_non_null(metrics_find(&metrics, "held_bytes"));
	assert_null(metrics_find(&metrics, "held"));
	assert_null(metrics_find(&metrics, "pinned"));
	assert_null(metrics_find(&metrics, "reclaims"));
	assert_null(metrics_find(&metrics, "frees_deferred"));
	assert_null(metrics_find(&metrics, "fallbacks.other"));
	assert_non_null(metrics_find(&metrics, "decisions_cached"));
	metrics_free(&metrics);
	/* And the other way round */
	set.stock = false;
	assert_int_equal(metrics_load(&metrics, &empty, &set), 0);
	assert_null(metrics_find(&metrics, "decisions_cached"));
	metrics_free(&metrics);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(names_of_metrics_are_unique),
	cmocka_unit_test(a_metric_of_a_value_knows_its_field_and_value),
	cmocka_unit_test(each_enum_value_has_a_metric_and_the_rest_share_one),
	cmocka_unit_test(every_enum_field_has_a_metric_for_each_value),
	cmocka_unit_test(metrics_of_events_left_out_are_removed),
	cmocka_unit_test(events_missing_in_the_kernel_have_no_metric),
	cmocka_unit_test(counts_of_cpus_are_added),
	cmocka_unit_test(a_difference_subtracts_counts_but_not_gauges),
	cmocka_unit_test(metrics_that_a_stock_kernel_cannot_count_are_missing),
};

UNIT_MAIN(tests)
