/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Visits the entries of a BPF hash map while programs change it.
 */
#ifndef MAP_WALK_H
#define MAP_WALK_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0 to go on. Any other value ends the walk. */
typedef int (*map_visit)(void *ctx, const void *key, const void *value);

/*
 * Visits each entry at most once, and each entry that is there during the whole walk exactly once.
 * @value_size is that of all CPUs for a map per CPU. The map has at most @max_entries. Returns 0, a
 * negative errno, or the result of @visit.
 *
 * bpf_map_get_next_key() is no way to walk such a map: if the current key was deleted, it starts
 * again with the first key, and entries appear twice.
 */
int map_walk(int fd, size_t key_size, size_t value_size, uint32_t max_entries, map_visit visit,
	     void *ctx);

#endif /* MAP_WALK_H */
