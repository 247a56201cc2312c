/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hash table of keys and values of fixed sizes. Keys are compared as bytes. A value stays where
 * it is until it is removed.
 */
#ifndef HASH_H
#define HASH_H

#include <stdbool.h>
#include <stddef.h>

struct hash_node;

struct hash {
	/* Set by the caller */
	size_t key_size, value_size;	/* in bytes; keys are multiples of 8 */
	size_t max;			/* entries */
	/* Zero at first */
	struct hash_node **buckets;
	size_t nr_buckets, nr;
	struct hash_node *first, *last;	/* in the order in which they were added */
};

/* NULL if there is no such key. */
void *hash_find(const struct hash *hash, const void *key);

/* The value, zeroed if it is new. NULL without memory, and for more than @max entries. */
void *hash_add(struct hash *hash, const void *key);
void hash_remove(struct hash *hash, const void *key);
void hash_free(struct hash *hash);

/* Entries in the order in which they were added. @node is NULL at first; false at the end. */
bool hash_next(const struct hash *hash, struct hash_node **node);
const void *hash_key(const struct hash *hash, const struct hash_node *node);
void *hash_value(const struct hash *hash, struct hash_node *node);

/*
 * All entries in the order of @compare, which gets two entries: hash_key() and hash_value() show
 * them. The caller frees the array of hash->nr; NULL without memory or entries.
 */
struct hash_node **hash_sorted(const struct hash *hash, int (*compare)(const void *, const void *));

/* The value of an entry of the array, for @compare: its address follows the key. */
struct hash_node {
	struct hash_node *next_in_bucket, *next, *before;
	size_t hash;
	/* The key, then the value */
	char data[] __attribute__((aligned(16)));
};

#endif /* HASH_H */
