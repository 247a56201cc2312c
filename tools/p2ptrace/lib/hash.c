// SPDX-License-Identifier: GPL-2.0
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/chunks.h"
#include "lib/hash.h"

static size_t value_offset(const struct hash *hash)
{
	return (hash->key_size + 15) / 16 * 16;
}

static struct hash_node **bucket_of(const struct hash *hash, size_t number)
{
	return &hash->buckets[number & (hash->nr_buckets - 1)];
}

static struct hash_node **find(const struct hash *hash, const void *key, size_t number)
{
	struct hash_node **at;

	if (!hash->nr_buckets)
		return NULL;
	for (at = bucket_of(hash, number); *at; at = &(*at)->next_in_bucket)
		if ((*at)->hash == number && !memcmp((*at)->data, key, hash->key_size))
			return at;
	return NULL;
}

static size_t number_of(const struct hash *hash, const void *key)
{
	uint64_t sum = chunk_sum(0, key, hash->key_size);

	return sum ^ sum >> 32;
}

void *hash_value(const struct hash *hash, struct hash_node *node)
{
	return node->data + value_offset(hash);
}

const void *hash_key(const struct hash *hash, const struct hash_node *node)
{
	(void)hash;
	return node->data;
}

void *hash_find(const struct hash *hash, const void *key)
{
	struct hash_node **at = find(hash, key, number_of(hash, key));

	return at ? hash_value(hash, *at) : NULL;
}

/* Without memory, the buckets stay as they are. */
static void grow(struct hash *hash)
{
	size_t nr = hash->nr_buckets ? hash->nr_buckets * 2 : 64;
	struct hash_node **buckets = calloc(nr, sizeof(struct hash_node *));

	if (!buckets)
		return;
	free(hash->buckets);
	hash->buckets = buckets;
	hash->nr_buckets = nr;
	for (struct hash_node *node = hash->first; node; node = node->next) {
		struct hash_node **bucket = bucket_of(hash, node->hash);

		node->next_in_bucket = *bucket;
		*bucket = node;
	}
}

void *hash_add(struct hash *hash, const void *key)
{
	size_t number = number_of(hash, key);
	struct hash_node **at = find(hash, key, number), *node;

	if (at)
		return hash_value(hash, *at);
	if (hash->nr >= hash->max)
		return NULL;
	if (hash->nr >= hash->nr_buckets)
		grow(hash);
	node = hash->nr_buckets ?
	       calloc(1, sizeof(*node) + value_offset(hash) + hash->value_size) : NULL;
	if (!node)
		return NULL;
	memcpy(node->data, key, hash->key_size);
	node->hash = number;
	at = bucket_of(hash, number);
	node->next_in_bucket = *at;
	*at = node;
	node->before = hash->last;
	*(hash->last ? &hash->last->next : &hash->first) = node;
	hash->last = node;
	hash->nr++;
	return hash_value(hash, node);
}

void hash_remove(struct hash *hash, const void *key)
{
	struct hash_node **at = find(hash, key, number_of(hash, key)), *node;

	if (!at)
		return;
	node = *at;
	*at = node->next_in_bucket;
	*(node->before ? &node->before->next : &hash->first) = node->next;
	*(node->next ? &node->next->before : &hash->last) = node->before;
	hash->nr--;
	free(node);
}

void hash_free(struct hash *hash)
{
	struct hash_node *node = hash->first, *next;

	for (; node; node = next) {
		next = node->next;
		free(node);
	}
	free(hash->buckets);
	hash->buckets = NULL;
	hash->first = hash->last = NULL;
	hash->nr = hash->nr_buckets = 0;
}

bool hash_next(const struct hash *hash, struct hash_node **node)
{
	*node = *node ? (*node)->next : hash->first;
	return *node;
}

struct hash_node **hash_sorted(const struct hash *hash, int (*compare)(const void *, const void *))
{
	struct hash_node **list = calloc(hash->nr, sizeof(struct hash_node *));
	struct hash_node *node = NULL;
	size_t nr = 0;

	if (!hash->nr || !list) {
		free(list);
		return NULL;
	}
	while (hash_next(hash, &node))
		list[nr++] = node;
	qsort(list, nr, sizeof(*list), compare);
	return list;
}
