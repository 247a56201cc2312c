// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "session/map_walk.h"

/* A value per CPU may be large. A batch that is too small for a bucket grows. */
#define FIRST_BATCH_BYTES (1 << 20)

struct batch {
	char *keys, *values;
	uint32_t room;
};

static int batch_resize(struct batch *batch, size_t key_size, size_t value_size, uint32_t room)
{
	char *keys = reallocarray(batch->keys, room, key_size), *values;

	if (!keys)
		return -ENOMEM;
	batch->keys = keys;
	values = reallocarray(batch->values, room, value_size);
	if (!values)
		return -ENOMEM;
	batch->values = values;
	batch->room = room;
	return 0;
}

static uint32_t first_batch(size_t entry_size, uint32_t max_entries)
{
	uint32_t room = FIRST_BATCH_BYTES / entry_size ?: 1;

	return room < max_entries ? room : max_entries;
}

/*
 * A batch consists of whole buckets. The kernel copies a bucket while it holds the bucket's lock,
 * and goes on with the next bucket, whatever was deleted meanwhile.
 */
int map_walk(int fd, size_t key_size, size_t value_size, uint32_t max_entries, map_visit visit,
	     void *ctx)
{
	uint32_t position = 0, next, nr;
	struct batch batch = {};
	bool first = true, last;
	int rc;

	rc = batch_resize(&batch, key_size, value_size,
			  first_batch(key_size + value_size, max_entries));
	for (last = false; !rc && !last;) {
		nr = batch.room;
		if (bpf_map_lookup_batch(fd, first ? NULL : &position, &next, batch.keys,
					 batch.values, &nr, NULL)) {
			rc = -errno;
			last = rc == -ENOENT;
			/* A bucket has more entries than there is room for */
			if (rc == -ENOSPC) {
				rc = batch_resize(&batch, key_size, value_size, 2 * batch.room);
				continue;
			}
			if (!last)
				break;
			rc = 0;
		}
		for (uint32_t i = 0; i < nr && !rc; i++)
			rc = visit(ctx, batch.keys + i * key_size, batch.values + i * value_size);
		position = next;
		first = false;
	}
	free(batch.keys);
	free(batch.values);
	return rc;
}
