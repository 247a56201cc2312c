// SPDX-License-Identifier: GPL-2.0
/* A hash table finds what was added, and no more. */

#include "unit.h"
#include "lib/hash.h"

#define NR 5000

static struct hash hash;

static int setup(void **state)
{
	(void)state;
	hash = (struct hash){ .key_size = 8, .value_size = 24, .max = NR };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hash_free(&hash);
	return 0;
}

static uint64_t *add(uint64_t key)
{
	return hash_add(&hash, &key);
}

static uint64_t *find(uint64_t key)
{
	return hash_find(&hash, &key);
}

static void what_was_added_is_found_until_it_is_removed(void **state)
{
	struct hash_node *node = NULL;
	uint64_t next = 1;

	(void)state;
	assert_null(find(7));
	for (uint64_t key = 0; key < NR; key++) {
		uint64_t *value = add(key);

		assert_non_null(value);
		assert_int_equal(value[2], 0);
		value[2] = key + 1;
	}
	assert_null(add(NR));
	assert_int_equal(hash.nr, NR);
	for (uint64_t key = 0; key < NR; key++)
		assert_int_equal(find(key)[2], key + 1);
	/* Added again, it is the same */
	assert_int_equal(add(17)[2], 18);
	for (uint64_t key = 0; key < NR; key += 2)
		hash_remove(&hash, &key);
	assert_int_equal(hash.nr, NR / 2);
	assert_null(find(16));
	assert_int_equal(find(17)[2], 18);
	/* In the order in which they were added */
	while (hash_next(&hash, &node)) {
		uint64_t key;

		memcpy(&key, hash_key(&hash, node), sizeof(key));
		assert_int_equal(key, next);
		next += 2;
	}
	assert_int_equal(next, NR + 1);
	assert_int_equal(add(16)[2], 0);
}

static int falling(const void *a, const void *b)
{
	const uint64_t *x = hash_value(&hash, *(struct hash_node **)a);
	const uint64_t *y = hash_value(&hash, *(struct hash_node **)b);

	return (*x < *y) - (*x > *y);
}

static void entries_can_be_sorted(void **state)
{
	struct hash_node **list;

	(void)state;
	assert_null(hash_sorted(&hash, falling));
	for (uint64_t key = 0; key < 100; key++)
		*add(key) = key * 7 % 100;
	list = hash_sorted(&hash, falling);
	assert_non_null(list);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(*(uint64_t *)hash_value(&hash, list[i]), 99 - i);
	free(list);
}

#define HASH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	HASH_TEST(what_was_added_is_found_until_it_is_removed),
	HASH_TEST(entries_can_be_sorted),
};

UNIT_MAIN(tests)
