// SPDX-License-Identifier: GPL-2.0
/* Events are combined into the lives of buffers. */

#include "unit.h"
#include "event/lives.h"

static struct lives lives;
static uint64_t now_ns;

static int setup(void **state)
{
	(void)state;
	now_ns = 5000000000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lives_free(&lives);
	return 0;
}

static struct p2ptrace_header header(enum p2ptrace_event event)
{
	now_ns += 1000;
	return (struct p2ptrace_header){
		.ts_ns = now_ns, .event = event, .cpu = 3, .pid = 4321, .comm = "fio",
	};
}

static struct life *add(const void *record)
{
	const struct p2ptrace_header *h = record;

	return lives_add(&lives, &events[h->event], record);
}

static struct life *alloc(uint64_t id)
{
	struct p2ptrace_p2pmem_alloc r = {
		.h = header(P2PTRACE_p2pmem_alloc), .id = id, .size = 16384, .dev.s = "p2pmem0",
		.nents = 1,
	};

	return add(&r);
}

static struct life *map(uint64_t id, const char *client, uint64_t addr)
{
	struct p2ptrace_p2pdma_map r = {
		.h = header(P2PTRACE_p2pdma_map), .id = id, .dma_addr = addr, .size = 8192,
	};

	strcpy(r.client.s, client);
	return add(&r);
}

static struct life *unmap(uint64_t id, const char *client, uint64_t addr)
{
	struct p2ptrace_p2pdma_unmap r = {
		.h = header(P2PTRACE_p2pdma_unmap), .id = id, .dma_addr = addr,
	};

	strcpy(r.client.s, client);
	return add(&r);
}

static struct life *use(uint64_t id)
{
	struct p2ptrace_nvmet_p2pmem_use r = {
		.h = header(P2PTRACE_nvmet_p2pmem_use), .id = id, .nsid = 9, .cntlid = 1, .qid = 2,
		.cid = 77, .opcode = 1,
	};

	return add(&r);
}

static struct life *freed(uint64_t id, uint32_t pins)
{
	struct p2ptrace_p2pmem_free r = {
		.h = header(P2PTRACE_p2pmem_free), .id = id, .pins = pins,
	};

	return add(&r);
}

static struct life *reclaim(uint64_t id)
{
	struct p2ptrace_p2pmem_reclaim r = { .h = header(P2PTRACE_p2pmem_reclaim), .id = id };

	return add(&r);
}

static void a_life_lists_the_mappings_and_the_request_of_its_buffer(void **state)
{
	struct life *life;

	(void)state;
	assert_null(alloc(17));
	assert_null(alloc(18));
	assert_null(use(17));
	assert_null(map(17, "0000:04:00.0", 0x1000));
	assert_null(map(17, "0000:05:00.0", 0x1000));
	assert_null(map(18, "0000:04:00.0", 0x9000));
	assert_null(unmap(17, "0000:05:00.0", 0x1000));
	assert_null(unmap(17, "0000:04:00.0", 0x1000));
	life = freed(17, 0);
	assert_non_null(life);
	assert_int_equal(life->key.id, 17);
	assert_int_equal(life->back_ns - life->alloc.h.ts_ns, 8000);
	assert_true(life->used);
	assert_int_equal(life->use.cid, 77);
	assert_int_equal(life->nr, 2);
	assert_string_equal(life->maps[0].client.s, "0000:04:00.0");
	assert_int_equal(life->maps[0].to_ns - life->maps[0].from_ns, 4000);
	assert_int_equal(life->maps[1].to_ns - life->maps[1].from_ns, 2000);
	life_free(life);
	assert_int_equal(lives.nr, 1);
}

static void a_buffer_freed_while_mapped_ends_with_its_reclaim(void **state)
{
	struct buffer line = {};
	struct enums none = {};
	struct life *life;

	(void)state;
	alloc(1);
	map(1, "0000:04:00.0", 0x1000);
	assert_null(freed(1, 1));
	unmap(1, "0000:04:00.0", 0x1000);
	life = reclaim(1);
	assert_non_null(life);
	assert_int_equal(life->back_ns - life->freed_ns, 2000);
	life_json(&line, life, &none, true);
	assert_non_null(strstr(line.data, "\"held_ns\":4000,\"freed_ns\":2000,\"maps\":[{"));
	buffer_free(&line);
	life_free(life);
}

static void a_buffer_allocated_before_tracing_has_no_life(void **state)
{
	(void)state;
	assert_null(map(5, "0000:04:00.0", 0x1000));
	assert_null(unmap(5, "0000:04:00.0", 0x1000));
	assert_null(use(5));
	assert_null(freed(5, 0));
	assert_null(reclaim(6));
	assert_int_equal(lives.nr, 0);
}

static void each_unmap_ends_one_of_two_equal_mappings(void **state)
{
	struct life *life;

	(void)state;
	alloc(2);
	map(2, "0000:04:00.0", 0x1000);
	map(2, "0000:04:00.0", 0x1000);
	unmap(2, "0000:04:00.0", 0x1000);
	unmap(2, "0000:04:00.0", 0x1000);
	life = freed(2, 0);
	assert_int_equal(life->maps[0].to_ns - life->maps[0].from_ns, 2000);
	assert_int_equal(life->maps[1].to_ns - life->maps[1].from_ns, 2000);
	life_free(life);
	alloc(1);
	map(1, "0000:04:00.0", 0x1000);
	map(1, "0000:04:00.0", 0x1000);
	unmap(1, "0000:04:00.0", 0x1000);
	life = freed(1, 0);
	assert_int_equal(life->nr, 2);
	assert_true(life->maps[0].to_ns != 0);
	assert_true(life->maps[1].to_ns == 0);
	life_free(life);
}

static void an_unmap_ends_the_mapping_at_its_address(void **state)
{
	struct life *life;

	(void)state;
	alloc(1);
	map(1, "0000:04:00.0", 0x1000);
	map(1, "0000:04:00.0", 0x3000);
	unmap(1, "0000:04:00.0", 0x3000);
	unmap(1, "0000:04:00.0", 0x5000);
	life = freed(1, 0);
	assert_int_equal(life->maps[0].to_ns, 0);
	assert_int_equal(life->maps[1].to_ns - life->maps[1].from_ns, 1000);
	life_free(life);
}

static void a_mapping_on_a_stock_kernel_is_found_by_any_address_of_its_buffer(void **state)
{
	struct life *life;

	(void)state;
	lives.stock = true;
	alloc(0x10000);
	alloc(0x14000);
	map(0x12000, "0000:04:00.0", 0x12000);
	map(0x13fff, "0000:04:00.0", 0x13fff);
	map(0x14000, "0000:04:00.0", 0x14000);
	map(0x18000, "0000:04:00.0", 0x18000);
	life = freed(0x10000, 0);
	assert_non_null(life);
	assert_int_equal(life->nr, 2);
	life_free(life);
	life = freed(0x14000, 0);
	assert_int_equal(life->nr, 1);
	life_free(life);
	/* A buffer allocated at an address in use replaces it: its free was lost */
	alloc(0x10000);
	alloc(0x14000);
	alloc(0x12000);
	assert_int_equal(lives.nr, 1);
	assert_null(freed(0x10000, 0));
	life = freed(0x12000, 0);
	assert_non_null(life);
	life_free(life);
}

static void the_number_of_lives_and_mappings_is_limited(void **state)
{
	struct buffer line = {};
	struct enums none = {};
	struct life *life;

	(void)state;
	for (uint64_t id = 1; id <= P2PTRACE_MAX_LIVE; id++)
		alloc(id);
	assert_int_equal(lives.not_followed, 0);
	/* One more evicts the oldest and counts it */
	alloc(P2PTRACE_MAX_LIVE + 1);
	assert_int_equal(lives.not_followed, 1);
	assert_int_equal(lives.nr, P2PTRACE_MAX_LIVE);
	assert_null(freed(1, 0));
	life = freed(P2PTRACE_MAX_LIVE + 1, 0);
	assert_non_null(life);
	life_free(life);
	for (int i = 0; i < 100; i++)
		map(2, "0000:04:00.0", i);
	life = freed(2, 0);
	assert_int_equal(life->nr, 64);
	assert_int_equal(life->unseen, 36);
	life_json(&line, life, &none, true);
	assert_non_null(strstr(line.data, "],\"more_maps\":36}\n"));
	buffer_free(&line);
	life_free(life);
	/* An id allocated again while in use replaces the life: its free was lost */
	alloc(3);
	assert_int_equal(lives.nr, P2PTRACE_MAX_LIVE - 2);
}

/* The order by age survives lives that end in the middle and at both ends, and reused ids. */
static void the_oldest_life_is_evicted_first(void **state)
{
	(void)state;
	for (uint64_t id = 1; id <= P2PTRACE_MAX_LIVE; id++)
		alloc(id);
	life_free(freed(1, 0));
	life_free(freed(3, 0));
	life_free(freed(P2PTRACE_MAX_LIVE, 0));
	alloc(2);	/* replaces the life, which makes it the youngest */
	for (uint64_t id = 1000000; id < 1000003; id++)
		alloc(id);
	assert_int_equal(lives.not_followed, 0);
	alloc(1000003);
	assert_int_equal(lives.not_followed, 1);
	assert_null(freed(4, 0));
	for (uint64_t id = 5; id < P2PTRACE_MAX_LIVE; id += 1000)
		life_free(freed(id, 0));
	assert_int_equal(lives.nr, P2PTRACE_MAX_LIVE - (P2PTRACE_MAX_LIVE - 5 + 999) / 1000);
}

static void special_characters_in_names_are_escaped(void **state)
{
	struct buffer line = {};
	struct enums none = {};
	struct life *life;

	(void)state;
	alloc(1);
	use(1);
	map(1, "a b\n\x1b[2J\"", 0x1000);
	life = freed(1, 0);
	life_text(&line, life, &none);
	assert_string_equal(line.data,
			    "    5.000001 p2pmem0 id=1 size=16384 held=3.00us by fio-4321 "
			    "for ctrl=1 qid=2 cid=77 nsid=9 opcode=0x1: "
			    "a\\x20b\\x0a\\x1b[2J\" unknown(0) unknown(0) "
			    "not unmapped after 2.00us\n");
	buffer_reset(&line);
	life_json(&line, life, &none, false);
	assert_string_equal(line.data,
			    "{\"ts_ns\":5000001000,\"event\":\"life\",\"cpu\":3,\"pid\":4321,"
			    "\"comm\":\"fio\",\"dev\":\"p2pmem0\",\"id\":1,\"size\":16384,"
			    "\"held_ns\":3000,\"freed_ns\":3000,\"request\":{\"cntlid\":1,"
			    "\"qid\":2,\"cid\":77,\"nsid\":9,\"opcode\":1},\"maps\":["
			    "{\"client\":\"a b\\n\\u001b[2J\\\"\",\"dma_addr\":4096,\"size\":8192,"
			    "\"dir\":\"unknown(0)\",\"map\":\"unknown(0)\",\"after_ns\":2000,"
			    "\"mapped_ns\":null}],\"more_maps\":0}\n");
	life_free(life);
	buffer_free(&line);
}

#define LIFE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	LIFE_TEST(a_life_lists_the_mappings_and_the_request_of_its_buffer),
	LIFE_TEST(a_buffer_freed_while_mapped_ends_with_its_reclaim),
	LIFE_TEST(a_buffer_allocated_before_tracing_has_no_life),
	LIFE_TEST(each_unmap_ends_one_of_two_equal_mappings),
	LIFE_TEST(an_unmap_ends_the_mapping_at_its_address),
	LIFE_TEST(a_mapping_on_a_stock_kernel_is_found_by_any_address_of_its_buffer),
	LIFE_TEST(the_number_of_lives_and_mappings_is_limited),
	LIFE_TEST(the_oldest_life_is_evicted_first),
	LIFE_TEST(special_characters_in_names_are_escaped),
};

UNIT_MAIN(tests)
