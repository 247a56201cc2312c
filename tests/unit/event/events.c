// SPDX-License-Identifier: GPL-2.0
/* The table of events, and how --event, --dev and --client select from it. */
#include "unit.h"
#include "event/events.h"
#include "lib/log.h"

static void every_event_has_a_sound_field_table(void **state)
{
	(void)state;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		const struct event *event = &events[i];

		assert_non_null(event->name);
		assert_true(event->nr_fields > 0);
		assert_true(event->size > sizeof(struct p2ptrace_header));
		assert_int_equal(event->size % 8, 0);
		for (size_t f = 0; f < event->nr_fields; f++) {
			const struct field *field = &event->fields[f], *other = event->fields;

			assert_non_null(field->name);
			assert_ptr_equal(event_field(event, field->name), field);
			assert_true(field->offset >= sizeof(struct p2ptrace_header));
			assert_true(field->offset + field->size <= event->size);
			for (; other < field; other++)
				assert_true(field->offset >= other->offset + other->size ||
					    field->offset + field->size <= other->offset);
			if (field->kind == FIELD_STRING)
				assert_true(field->size == P2PTRACE_NAME_LEN ||
					    field->size == P2PTRACE_NQN_LEN);
			else
				assert_int_equal(field->size, 8);
			assert_int_equal(field->kind == FIELD_ENUM, field->which != ENUM_NONE);
			assert_true(field->which <= NR_ENUMS);
		}
	}
}

static void names_of_events_and_fields_are_stable(void **state)
{
	static const char *const abi[P2PTRACE_NR_EVENTS][2] = {
		{ "p2pmem_dev_add", "dev provider bus_addr size node" },
		{ "p2pmem_dev_del", "dev provider buffers bytes pins" },
		{ "p2pmem_dev_drained", "dev provider waited_ns" },
		{ "p2pmem_drain_stall", "dev provider buffers pins oldest_id" },
		{ "p2pmem_alloc", "dev id bus_addr size nents" },
		{ "p2pmem_alloc_fail", "dev size reason" },
		{ "p2pmem_free", "dev id size pins" },
		{ "p2pmem_reclaim", "dev id size" },
		{ "p2pdma_decide", "provider client map distance reason blocker cached" },
		{ "p2pmem_find", "dev clients candidates distance err" },
		{ "p2pdma_map", "provider client kind id bus_addr dma_addr size dir map" },
		{ "p2pdma_unmap", "provider client kind id dma_addr size dir" },
		{ "p2pmem_mmap", "dev size allowed" },
		{ "dma_buf_release", "id exporter size" },
		{ "dma_buf_export", "id exporter size" },
		{ "dma_buf_detach", "id client dynamic revocable p2p" },
		{ "dma_buf_attach", "id client dynamic revocable p2p" },
		{ "dma_buf_unmap", "id provider client size dir map where" },
		{ "dma_buf_map", "id provider client size dir map where" },
		{ "dma_buf_pin", "id client" },
		{ "dma_buf_unpin", "id client" },
		{ "dma_buf_revoke", "id client waited_ns" },
		{ "nvmet_p2pmem_bind", "subsys cntlid nsid dev distance err" },
		{ "nvmet_p2pmem_unbind", "subsys cntlid nsid dev reason" },
		{ "nvmet_p2pmem_use", "cntlid qid cid nsid opcode size id" },
		{ "nvmet_p2pmem_fallback", "cntlid qid cid nsid opcode size reason" },
	};

	(void)state;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		char fields[256] = "";

		assert_string_equal(events[i].name, abi[i][0]);
		for (size_t f = 0; f < events[i].nr_fields; f++) {
			strcat(fields, f ? " " : "");
			strcat(fields, events[i].fields[f].name);
		}
		assert_string_equal(fields, abi[i][1]);
	}
}

static void assert_selects(const char *list, const char *expected)
{
	struct event_set set = {};
	char names[512] = "";

	assert_int_equal(events_select(&set, list, "see the list"), 0);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		if (!set.has[i])
			continue;
		strcat(names, *names ? " " : "");
		strcat(names, events[i].name);
	}
	assert_string_equal(names, expected);
}

static void every_event_is_found_by_its_name(void **state)
{
	(void)state;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		assert_selects(events[i].name, events[i].name);
}

static void an_unambiguous_prefix_is_accepted(void **state)
{
	(void)state;
	assert_selects("p2pmem_rec", "p2pmem_reclaim");
	assert_selects("p2pmem_alloc_", "p2pmem_alloc_fail");
	assert_selects("p2pmem_fr,nvmet_p2pmem_us,p2pmem_fr", "p2pmem_free nvmet_p2pmem_use");
}

static void an_exact_name_is_preferred_to_a_prefix(void **state)
{
	(void)state;
	assert_selects("p2pmem_alloc", "p2pmem_alloc");
}

static void assert_refused(const char *list, const char *thing, const char *next_step)
{
	struct event_set set = {};
	struct capture c;
	int rc;

	capture_begin(&c);
	rc = events_select(&set, list, "see the list");
	capture_end(&c);
	assert_int_equal(rc, EXIT_USAGE);
	assert_one_line(c.text, thing);
	assert_one_line(c.text, next_step);
}

static void an_ambiguous_prefix_is_refused_with_the_candidates(void **state)
{
	(void)state;
	assert_refused("p2pdma_", "'p2pdma_'", "p2pdma_decide, p2pdma_map, p2pdma_unmap");
	assert_refused("p2pmem_alloc,p2pmem_d", "'p2pmem_d'", "p2pmem_dev_add, ");
	/* The message has room for all candidates. */
	assert_refused("p", "'p'", ", p2pmem_mmap\n");
}

static void an_unknown_event_is_refused(void **state)
{
	(void)state;
	assert_refused("p2pmem_allocate", "'p2pmem_allocate'", "see the list");
	assert_refused("P2PMEM_ALLOC", "'P2PMEM_ALLOC'", "see the list");
	assert_refused("p2pmem_alloc,nope", "'nope'", "see the list");
	assert_refused("p2pmem_*", "'p2pmem_*'", "see the list");
	assert_refused("\x1b[2J", "'\\x1b[2J'", "see the list");
}

static void an_empty_name_is_refused(void **state)
{
	(void)state;
	assert_refused("", "empty", "see the list");
	assert_refused("p2pmem_alloc,", "empty", "see the list");
	assert_refused(",p2pmem_alloc", "empty", "see the list");
}

static bool is_dmabuf(int event)
{
	return !strncmp(events[event].name, "dma_buf_", strlen("dma_buf_"));
}

static void events_of_dma_bufs_are_told_from_others(void **state)
{
	struct event_set set = {};

	(void)state;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		assert_int_equal(event_is_of_dmabuf(i), is_dmabuf(i));
	set.has[P2PTRACE_dma_buf_release] = set.has[P2PTRACE_dma_buf_revoke] = true;
	assert_true(event_set_is_of_dmabufs(&set));
	set.has[P2PTRACE_p2pdma_map] = true;
	assert_false(event_set_is_of_dmabufs(&set));
}

static bool is_dmabuf_mapping(int event)
{
	return event == P2PTRACE_dma_buf_map || event == P2PTRACE_dma_buf_unmap;
}

static void most_events_have_a_device(void **state)
{
	(void)state;
	/* p2pdma_decide has no dev; its provider identifies the device. */
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		assert_int_equal(event_has_dev(&events[i]), i != P2PTRACE_nvmet_p2pmem_use &&
				 i != P2PTRACE_nvmet_p2pmem_fallback &&
				 (!is_dmabuf(i) || is_dmabuf_mapping(i)));
}

static void events_of_a_client_have_it(void **state)
{
	(void)state;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		assert_int_equal(event_has_client(&events[i]), i == P2PTRACE_p2pdma_decide ||
				 i == P2PTRACE_p2pdma_map || i == P2PTRACE_p2pdma_unmap ||
				 (is_dmabuf(i) && i != P2PTRACE_dma_buf_export &&
				  i != P2PTRACE_dma_buf_release));
}

static void a_field_without_a_value_is_absent_if_that_means_unknown(void **state)
{
	const struct event *map = &events[P2PTRACE_dma_buf_map];
	struct p2ptrace_dma_buf_map record = {};

	(void)state;
	assert_true(field_absent(event_field(map, "provider"), &record, false));
	assert_true(field_absent(event_field(map, "map"), &record, false));
	assert_true(field_absent(event_field(map, "where"), &record, true));
	assert_false(field_absent(event_field(map, "client"), &record, true));
	assert_false(field_absent(event_field(map, "id"), &record, true));
	record.provider.s[0] = '0';
	record.map = record.where = 1;
	assert_false(field_absent(event_field(map, "provider"), &record, false));
	assert_false(field_absent(event_field(map, "map"), &record, true));
	assert_false(field_absent(event_field(map, "where"), &record, true));
}

/* A malformed record in the ring buffer must not cause a read beyond its end. */
static void a_record_of_the_wrong_size_is_refused(void **state)
{
	union {
		struct p2ptrace_header h;
		char bytes[1024];
	} record = {};

	(void)state;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		record.h.event = i;
		assert_ptr_equal(event_of_record(&record, events[i].size), &events[i]);
		assert_null(event_of_record(&record, events[i].size - 1));
		assert_null(event_of_record(&record, events[i].size + 8));
		assert_null(event_of_record(&record, sizeof(record.h)));
		assert_null(event_of_record(&record, 4));
		assert_null(event_of_record(&record, 0));
	}
	record.h.event = P2PTRACE_NR_EVENTS;
	assert_null(event_of_record(&record, events[0].size));
	record.h.event = UINT32_MAX;
	assert_null(event_of_record(&record, sizeof(record)));
}

static void a_group_of_events_is_removed_as_a_whole(void **state)
{
	struct event_set set = {}, all;
	struct capture c;

	(void)state;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		set.has[i] = true;
	all = set;
	capture_begin(&c);
	assert_true(event_set_remove_group(&set, P2PTRACE_p2pmem_free));
	capture_end(&c);
	assert_one_line(c.text, "leaving out all events of a buffer, because this command "
			"needs p2pmem_free for them");
	assert_false(set.has[P2PTRACE_p2pmem_alloc]);
	assert_false(set.has[P2PTRACE_p2pmem_free]);
	assert_false(set.has[P2PTRACE_p2pmem_reclaim]);
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 3);
	assert_false(event_set_remove_group(&set, P2PTRACE_p2pmem_alloc));
	capture_begin(&c);
	assert_true(event_set_remove_group(&set, P2PTRACE_p2pdma_map));
	capture_end(&c);
	assert_one_line(c.text, "leaving out all events of a mapping, because this command "
			"needs p2pdma_map for them");
	assert_false(set.has[P2PTRACE_p2pdma_unmap]);
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 5);
	assert_false(event_set_remove_group(&all, P2PTRACE_p2pdma_decide));
	assert_int_equal(event_set_count(&all), P2PTRACE_NR_EVENTS - 1);

	/* What makes a buffer, or a mapping, is what is removed together */
	set = (struct event_set){};
	event_set_add_mapping(&set);
	assert_int_equal(event_set_count(&set), 2);
	event_set_add_buffer(&set);
	assert_int_equal(event_set_count(&set), 5);
	capture_begin(&c);
	event_set_remove_group(&set, P2PTRACE_p2pmem_reclaim);
	event_set_remove_group(&set, P2PTRACE_p2pdma_unmap);
	capture_end(&c);
	assert_int_equal(event_set_count(&set), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(events_of_dma_bufs_are_told_from_others),
	cmocka_unit_test(a_group_of_events_is_removed_as_a_whole),
	cmocka_unit_test(every_event_has_a_sound_field_table),
	cmocka_unit_test(names_of_events_and_fields_are_stable),
	cmocka_unit_test(every_event_is_found_by_its_name),
	cmocka_unit_test(an_unambiguous_prefix_is_accepted),
	cmocka_unit_test(an_exact_name_is_preferred_to_a_prefix),
	cmocka_unit_test(an_ambiguous_prefix_is_refused_with_the_candidates),
	cmocka_unit_test(an_unknown_event_is_refused),
	cmocka_unit_test(an_empty_name_is_refused),
	cmocka_unit_test(most_events_have_a_device),
	cmocka_unit_test(events_of_a_client_have_it),
	cmocka_unit_test(a_field_without_a_value_is_absent_if_that_means_unknown),
	cmocka_unit_test(a_record_of_the_wrong_size_is_refused),
};

UNIT_MAIN(tests)
