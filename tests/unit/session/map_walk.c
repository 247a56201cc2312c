// SPDX-License-Identifier: GPL-2.0
/* wrap: bpf_map_lookup_batch */
/*
 * Walking a map that changes. The fake of the kernel's hash map returns batches of whole buckets,
 * as the kernel does, and deletes entries before each batch.
 */
#include <errno.h>
#include <stdbool.h>

#include <bpf/bpf.h>

#include "unit.h"
#include "session/map_walk.h"

#define BUCKETS 64
#define DEEP 5000	/* more than the first batch has room for */
#define VALUE_WORDS 64	/* only the first one is used */

/* Keys are numbers; the bucket of a key is its remainder. Values are ten times the key. */
static uint64_t keys[4 * DEEP];
static size_t nr_keys;
static size_t deleted_each_time;
static int calls, fail_at, fail_with;
static uint32_t first_room;	/* entries that fit in the first batch */
static bool small_values;	/* of 4 bytes */
static bool goes_on;

static void delete_some(void)
{
	for (size_t i = 0; i < deleted_each_time && nr_keys; i++) {
		keys[i * 7 % nr_keys] = keys[nr_keys - 1];
		nr_keys--;
	}
}

int __wrap_bpf_map_lookup_batch(int fd, void *in, void *out, void *to_keys, void *to_values,
				__u32 *count, const struct bpf_map_batch_opts *opts);
int __wrap_bpf_map_lookup_batch(int fd, void *in, void *out, void *to_keys, void *to_values,
				__u32 *count, const struct bpf_map_batch_opts *opts)
{
	uint32_t bucket = in ? *(uint32_t *)in : 0, room = *count, n = 0;

	assert_int_equal(fd, 3);
	/* Without a position until a batch was read */
	assert_true(!in == !goes_on);
	/* A walk that does not end */
	assert_true(calls < 1000);
	(void)opts;
	*count = 0;
	if (!in)
		first_room = room;
	if (++calls == fail_at) {
		errno = fail_with;
		return -fail_with;
	}
	delete_some();
	for (; bucket < BUCKETS; bucket++) {
		uint32_t in_bucket = 0;

		for (size_t i = 0; i < nr_keys; i++)
			in_bucket += keys[i] % BUCKETS == bucket;
		if (in_bucket > room - n) {
			*(uint32_t *)out = bucket;
			*count = n;
			errno = ENOSPC;
			goes_on = goes_on || n;
			return n ? 0 : -ENOSPC;
		}
		for (size_t i = 0; i < nr_keys; i++) {
			if (keys[i] % BUCKETS != bucket)
				continue;
			((uint64_t *)to_keys)[n] = keys[i];
			if (small_values)
				((uint32_t *)to_values)[n++] = 10 * keys[i];
			else
				((uint64_t *)to_values)[VALUE_WORDS * n++] = 10 * keys[i];
		}
	}
	*(uint32_t *)out = bucket;
	*count = n;
	errno = ENOENT;
	return -ENOENT;
}

static int visits[8 * DEEP];
static size_t nr_visits, stop_at;

static int visit(void *ctx, const void *key, const void *value)
{
	uint64_t k, v = 0;

	memcpy(&k, key, sizeof(k));
	if (small_values)
		v = *(const uint32_t *)value;
	else
		memcpy(&v, value, sizeof(v));
	assert_ptr_equal(ctx, visits);
	assert_int_equal(v, 10 * k);
	visits[k]++;
	return ++nr_visits == stop_at ? 77 : 0;
}

static int walk(void)
{
	calls = 0;
	goes_on = false;
	nr_visits = 0;
	memset(visits, 0, sizeof(visits));
	return map_walk(3, sizeof(uint64_t), small_values ? sizeof(uint32_t) :
			VALUE_WORDS * sizeof(uint64_t), 4 * DEEP, visit, visits);
}

static int setup(void **state)
{
	(void)state;
	nr_keys = deleted_each_time = stop_at = fail_at = 0;
	small_values = false;
	return 0;
}

static void fill(size_t nr, uint64_t step)
{
	for (nr_keys = 0; nr_keys < nr; nr_keys++)
		keys[nr_keys] = nr_keys * step;
}

static void an_empty_map_has_no_entries(void **state)
{
	(void)state;
	assert_int_equal(walk(), 0);
	assert_int_equal(nr_visits, 0);
}

static void each_entry_is_visited_once(void **state)
{
	(void)state;
	fill(10007, 1);
	assert_int_equal(walk(), 0);
	assert_true(calls > 2);
	assert_int_equal(nr_visits, 10007);
	for (int i = 0; i < 10007; i++)
		assert_int_equal(visits[i], 1);
}

static void no_entry_is_visited_twice_while_others_are_deleted(void **state)
{
	(void)state;
	fill(10007, 1);
	deleted_each_time = 997;
	assert_int_equal(walk(), 0);
	assert_true(calls > 2);
	for (int i = 0; i < 10007; i++)
		assert_true(visits[i] <= 1);
	/* Entries that existed all the time are visited */
	for (size_t i = 0; i < nr_keys; i++)
		assert_int_equal(visits[keys[i]], 1);
}

static void a_bucket_may_be_larger_than_a_batch(void **state)
{
	(void)state;
	/* All keys in one bucket, most of them the same: only the depth of the bucket matters */
	fill(600, BUCKETS);
	while (nr_keys < DEEP)
		keys[nr_keys++] = BUCKETS * 600;
	assert_int_equal(walk(), 0);
	assert_int_equal(nr_visits, DEEP);
	assert_int_equal(visits[BUCKETS * 599], 1);
}

static void each_call_goes_on_where_the_last_one_ended(void **state)
{
	(void)state;
	fill(10007, 1);
	assert_int_equal(walk(), 0);
	/* A mebibyte holds 2,016 entries, which are 12 of 64 buckets */
	assert_int_equal(calls, 6);
	/* A map that is as large as a batch */
	fill(2016, 1);
	assert_int_equal(walk(), 0);
	assert_int_equal(calls, 1);
	assert_int_equal(nr_visits, 2016);
	fill(2017, 1);
	assert_int_equal(walk(), 0);
	assert_int_equal(calls, 2);
	assert_int_equal(nr_visits, 2017);
	/* The room is doubled twice before it holds the large bucket */
	fill(1, 1);
	while (nr_keys < DEEP)
		keys[nr_keys++] = BUCKETS;
	assert_int_equal(walk(), 0);
	assert_int_equal(calls, 3);
	assert_int_equal(nr_visits, DEEP);
}

static void the_visitor_ends_it_in_the_last_batch_as_well(void **state)
{
	(void)state;
	fill(100, 1);
	stop_at = 100;
	assert_int_equal(walk(), 77);
	fill(10007, 1);
	stop_at = 5000;
	assert_int_equal(walk(), 77);
	assert_int_equal(calls, 3);
	assert_int_equal(nr_visits, 5000);
	/* An error is not an empty batch */
	stop_at = 0;
	fail_at = 1;
	fail_with = EINVAL;
	assert_int_equal(walk(), -EINVAL);
	assert_int_equal(nr_visits, 0);
	assert_int_equal(calls, 1);
}

static void keys_and_values_may_differ_in_size(void **state)
{
	(void)state;
	small_values = true;
	fill(10007, 1);
	assert_int_equal(walk(), 0);
	assert_int_equal(nr_visits, 10007);
	assert_int_equal(visits[10006], 1);
}

static void an_error_ends_the_walk(void **state)
{
	(void)state;
	fill(10007, 1);
	fail_at = 2;
	fail_with = EPERM;
	assert_int_equal(walk(), -EPERM);
	fail_at = 0;
	stop_at = 11;
	assert_int_equal(walk(), 77);
	assert_int_equal(nr_visits, 11);
}

static uint32_t room_of(size_t value_size, uint32_t max_entries)
{
	goes_on = false;
	assert_int_equal(map_walk(3, sizeof(uint64_t), value_size, max_entries, visit, visits), 0);
	return first_room;
}

static void a_batch_takes_one_mebibyte_at_most(void **state)
{
	(void)state;
	/* 8 bytes are those of the key */
	assert_int_equal(room_of(8, UINT32_MAX), (1 << 20) / 16);
	assert_int_equal(room_of((1 << 10) - 8, UINT32_MAX), 1 << 10);
	/* There are no more entries than the map has */
	assert_int_equal(room_of(8, 7), 7);
	/* A value of many CPUs */
	assert_int_equal(room_of(1024 * 408, 1024), 2);
	assert_int_equal(room_of(2 << 20, 1024), 1);
}

#define WALK_TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	WALK_TEST(an_empty_map_has_no_entries),
	WALK_TEST(each_entry_is_visited_once),
	WALK_TEST(no_entry_is_visited_twice_while_others_are_deleted),
	WALK_TEST(a_bucket_may_be_larger_than_a_batch),
	WALK_TEST(an_error_ends_the_walk),
	WALK_TEST(a_batch_takes_one_mebibyte_at_most),
	WALK_TEST(each_call_goes_on_where_the_last_one_ended),
	WALK_TEST(the_visitor_ends_it_in_the_last_batch_as_well),
	WALK_TEST(keys_and_values_may_differ_in_size),
};

UNIT_MAIN(tests)
