// SPDX-License-Identifier: GPL-2.0
/* What a recording adds up to, and the violations that it shows. */

#include "unit.h"
#include "event/summary.h"

static struct summary *summary;
static uint64_t now_ns;

static int setup(void **state)
{
	(void)state;
	summary = calloc(1, sizeof(*summary));
	assert_non_null(summary);
	summary->start_ns = 1000000;
	summary->beginnings_known = true;
	summary_begin(summary);
	now_ns = 2000000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	summary_free(summary);
	free(summary);
	return 0;
}

static struct p2ptrace_header header(enum p2ptrace_event event)
{
	now_ns += 1000;
	return (struct p2ptrace_header){
		.ts_ns = now_ns, .event = event, .cpu = 1, .pid = 42, .comm = "fio",
	};
}

static void add(const void *record)
{
	const struct p2ptrace_header *h = record;

	summary_add(summary, &events[h->event], record);
}

static void alloc(uint64_t id)
{
	struct p2ptrace_p2pmem_alloc r = {
		.h = header(P2PTRACE_p2pmem_alloc), .dev.s = "p2pmem0", .id = id, .size = 4096,
	};

	add(&r);
}

static void freed(uint64_t id, uint32_t pins)
{
	struct p2ptrace_p2pmem_free r = {
		.h = header(P2PTRACE_p2pmem_free), .dev.s = "p2pmem0", .id = id, .pins = pins,
	};

	add(&r);
}

static void reclaim(uint64_t id)
{
	struct p2ptrace_p2pmem_reclaim r = {
		.h = header(P2PTRACE_p2pmem_reclaim), .dev.s = "p2pmem0", .id = id,
	};

	add(&r);
}

static void map(uint64_t id, uint64_t dma_addr)
{
	struct p2ptrace_p2pdma_map r = {
		.h = header(P2PTRACE_p2pdma_map), .provider.s = "0000:03:00.0",
		.client.s = "0000:04:00.0", .id = id, .dma_addr = dma_addr, .size = 4096,
		.dir = 1, .map = 2,
	};

	add(&r);
}

static void unmap(uint64_t id, uint64_t dma_addr)
{
	struct p2ptrace_p2pdma_unmap r = {
		.h = header(P2PTRACE_p2pdma_unmap), .provider.s = "0000:03:00.0",
		.client.s = "0000:04:00.0", .id = id, .dma_addr = dma_addr, .size = 4096,
	};

	add(&r);
}

static uint64_t violations(void)
{
	uint64_t nr = 0;

	for (int v = 0; v < P2PTRACE_NR_VIOLATIONS; v++)
		nr += summary->counts.violations[v];
	return nr;
}

static void what_is_right_is_added_up(void **state)
{
	const struct summary_pair *pair;
	struct hash_node *node = NULL;
	struct summary_open open;

	(void)state;
	for (uint64_t id = 1; id <= 3; id++) {
		alloc(id);
		map(id, id);
		unmap(id, id);
		freed(id, 0);
	}
	assert_int_equal(violations(), 0);
	assert_int_equal(summary->events, 12);
	assert_int_equal(summary->counts.events[P2PTRACE_p2pdma_map], 3);
	assert_int_equal(summary->counts.bytes[P2PTRACE_p2pdma_map], 3 * 4096);
	assert_int_equal(summary->counts.map_bytes[2], 3 * 4096);
	assert_true(hash_next(&summary->pairs, &node));
	pair = hash_value(&summary->pairs, node);
	assert_int_equal(pair->maps, 3);
	assert_int_equal(pair->bytes_to, 3 * 4096);
	assert_int_equal(pair->bytes_from, 0);
	assert_int_equal(pair->mapped.count, 3);
	assert_int_equal(pair->mapped.max_ns, 1000);
	assert_false(hash_next(&summary->pairs, &node));
	summary_open(summary, UINT64_MAX, now_ns, &open);
	assert_int_equal(open.buffers + open.mappings, 0);
	assert_int_equal(summary->held_now, 0);
	assert_int_equal(summary->held_bytes, 0);
	assert_int_equal(summary->bins[0].held, 1);
}

static void each_violation_is_seen(void **state)
{
	struct summary_open open;

	(void)state;
	summary->older_than_ns = 3000;
	/* Freed while mapped, and mapped after that */
	alloc(1);
	map(1, 1);
	freed(1, 1);
	map(1, 2);
	assert_int_equal(summary->counts.violations[P2PTRACE_MAP_AFTER_FREE], 1);
	assert_int_equal(summary->firsts[P2PTRACE_MAP_AFTER_FREE].id, 1);
	assert_string_equal(summary->firsts[P2PTRACE_MAP_AFTER_FREE].client.s, "0000:04:00.0");
	unmap(1, 1);
	assert_int_equal(summary->counts.violations[P2PTRACE_LATE_UNMAP], 1);
	unmap(1, 2);
	reclaim(1);
	assert_int_equal(summary->counts.violations[P2PTRACE_HELD_TOO_LONG], 1);
	assert_int_equal(summary->firsts[P2PTRACE_HELD_TOO_LONG].held_ns, 6000);
	assert_int_equal(summary->counts.deferred, 1);
	/* Never allocated */
	map(9, 9);
	assert_int_equal(summary->counts.violations[P2PTRACE_MAP_AFTER_FREE], 2);
	/* Twice, and never */
	alloc(2);
	map(2, 5);
	map(2, 5);
	assert_int_equal(summary->counts.violations[P2PTRACE_DOUBLE_MAP], 1);
	unmap(2, 6);
	assert_int_equal(summary->counts.violations[P2PTRACE_UNMAP_WITHOUT_MAP], 1);
	unmap(2, 5);
	/* Not ended: the mapping of 9, one of 2, and buffer 2 */
	summary_open(summary, UINT64_MAX, now_ns, &open);
	assert_int_equal(open.buffers, 1);
	assert_int_equal(open.first_buffer.id, 2);
	assert_string_equal(open.first_buffer.comm, "fio");
	assert_int_equal(open.older, 1);
	assert_int_equal(open.mappings, 2);
	assert_int_equal(open.first_mapping.id, 9);
	/* Buffers and mappings that began after the command do not belong to it */
	summary_open(summary, 2000000, now_ns, &open);
	assert_int_equal(open.buffers + open.mappings, 0);
}

static void without_pins_a_mapping_that_outlives_its_buffer_is_late(void **state)
{
	struct p2ptrace_p2pdma_map dmabuf = {
		.h = header(P2PTRACE_p2pdma_map), .id = 4, .kind = P2PTRACE_KIND_DMABUF,
	};
	struct p2ptrace_p2pdma_unmap dmabuf_end = {
		.h = header(P2PTRACE_p2pdma_unmap), .id = 4, .kind = P2PTRACE_KIND_DMABUF,
	};
	const __u64 *late = &summary->counts.violations[P2PTRACE_LATE_UNMAP];

	(void)state;
	alloc(1);
	map(1, 1);
	freed(1, 0);
	unmap(1, 1);
	assert_int_equal(*late, 1);
	/* Somebody else got the memory meanwhile */
	summary->stock = true;
	alloc(2);
	map(2, 1);
	freed(2, 0);
	alloc(2);
	unmap(2, 1);
	assert_int_equal(*late, 2);
	/* The next mapping is not late, and neither is one from before, or of an unknown buffer */
	map(2, 1);
	unmap(2, 1);
	freed(2, 0);
	summary_before(summary, 7);
	map(7, 1);
	freed(7, 0);
	unmap(7, 1);
	map(8, 1);
	unmap(8, 1);
	assert_int_equal(violations(), 2);
	/* The series numbers dma-bufs on their own */
	summary->stock = false;
	alloc(4);
	add(&dmabuf);
	freed(4, 0);
	add(&dmabuf_end);
	assert_int_equal(violations(), 2);
}

static void what_began_before_is_no_violation(void **state)
{
	(void)state;
	summary_before(summary, 7);
	map(7, 1);
	unmap(7, 1);
	unmap(7, 2);
	freed(7, 0);
	assert_int_equal(violations(), 0);
	assert_int_equal(summary->held.nr, 0);
	/* While the programs were being attached */
	now_ns = 100;
	map(8, 1);
	assert_int_equal(violations(), 0);
}

static void without_the_beginnings_an_unknown_buffer_is_no_violation(void **state)
{
	(void)state;
	summary->beginnings_known = false;
	map(9, 9);
	unmap(8, 8);
	assert_int_equal(violations(), 0);
}

static void dma_bufs_are_followed(void **state)
{
	struct p2ptrace_dma_buf_export out = {
		.h = header(P2PTRACE_dma_buf_export), .id = 5, .exporter.s = "vfio-pci",
	};
	struct p2ptrace_dma_buf_map mapped = {
		.h = header(P2PTRACE_dma_buf_map), .id = 5, .client.s = "c", .size = 100,
		.where = P2PTRACE_WHERE_RAM,
	};
	struct p2ptrace_dma_buf_unmap unmapped = {
		.h = header(P2PTRACE_dma_buf_unmap), .id = 5, .client.s = "c",
	};
	struct p2ptrace_dma_buf_detach detach = {
		.h = header(P2PTRACE_dma_buf_detach), .id = 5, .client.s = "c",
	};
	struct p2ptrace_dma_buf_revoke revoke = {
		.h = header(P2PTRACE_dma_buf_revoke), .id = 5, .waited_ns = 99,
	};

	(void)state;
	summary->older_than_ns = 50;
	add(&out);
	add(&mapped);
	add(&unmapped);
	add(&detach);
	assert_int_equal(violations(), 0);
	add(&mapped);
	add(&detach);
	assert_int_equal(summary->counts.violations[P2PTRACE_MAPPED_AT_DETACH], 1);
	add(&revoke);
	assert_int_equal(summary->counts.violations[P2PTRACE_REVOKE_TOO_LONG], 1);
	assert_int_equal(summary->exported.nr, 1);
	assert_int_equal(summary->dmabufs.nr, 1);
}

static void the_time_line_grows_with_the_recording(void **state)
{
	uint64_t nr = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		alloc(i);
		freed(i, 0);
		now_ns += 10000000;
	}
	assert_between(summary->nr_bins, SUMMARY_BINS / 2, SUMMARY_BINS);
	for (size_t i = 0; i < summary->nr_bins; i++)
		nr += summary->bins[i].events;
	assert_int_equal(nr, 2000);
	/* Whatever a file says */
	now_ns = UINT64_MAX - 5000;
	alloc(1);
	assert_between(summary->nr_bins, 1, SUMMARY_BINS);
}

static void memory_is_bounded(void **state)
{
	(void)state;
	for (uint64_t id = 1; id <= P2PTRACE_MAX_LIVE + 100; id++)
		alloc(id);
	assert_int_equal(summary->buffers.nr, P2PTRACE_MAX_LIVE);
	assert_int_equal(summary->not_followed, 100);
}

#define SUMMARY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	SUMMARY_TEST(what_is_right_is_added_up),
	SUMMARY_TEST(each_violation_is_seen),
	SUMMARY_TEST(without_pins_a_mapping_that_outlives_its_buffer_is_late),
	SUMMARY_TEST(what_began_before_is_no_violation),
	SUMMARY_TEST(without_the_beginnings_an_unknown_buffer_is_no_violation),
	SUMMARY_TEST(dma_bufs_are_followed),
	SUMMARY_TEST(the_time_line_grows_with_the_recording),
	SUMMARY_TEST(memory_is_bounded),
};

UNIT_MAIN(tests)
