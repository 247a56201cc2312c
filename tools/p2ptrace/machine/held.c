// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/number.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/debugfs.h"
#include "machine/devices.h"
#include "machine/held.h"
#include "machine/sysfs.h"
#include "machine/table.h"

struct reader {
	struct held_list *list;
	const char *dev;
};

static int add_held(void *ctx, char **words)
{
	struct reader *reader = ctx;
	struct held_list *list = reader->list;
	struct held *held = reallocarray(list->held, list->nr + 1, sizeof(*held));
	uint64_t pins;

	if (!held)
		return -ENOMEM;
	list->held = held;
	held += list->nr;
	held->known = false;
	if (word_copy(held->dev, sizeof(held->dev), reader->dev) ||
	    number_parse(words[0], &held->id) ||
	    number_parse(words[1], &held->size) || word_int(words[2], &held->nents) ||
	    number_parse(words[3], &held->age_ms) || number_parse(words[4], &pins) ||
	    word_copy(held->state, sizeof(held->state), words[5]) ||
	    word_int(words[6], &held->pid) ||
	    word_copy(held->owner, sizeof(held->owner), words[7]))
		return -EINVAL;
	/* The kernel shows -1, unsigned, for a buffer that is freed while it is read */
	held->pins = pins > INT_MAX ? 0 : pins;
	list->nr++;
	return 0;
}

static int oldest_first(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	if (x->age_ms != y->age_ms)
		return x->age_ms > y->age_ms ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int read_devices(struct held_list *list, DIR *dir, const char *sysfs, const char *debugfs,
			const struct p2ptrace_filter *filter)
{
	struct reader reader = { .list = list };
	struct dirent *entry;
	int rc = 0;

	while (!rc && (entry = readdir(dir))) {
		if (!is_p2pmem_name(entry->d_name) || !dev_passes(filter, sysfs, entry->d_name))
			continue;
		reader.dev = entry->d_name;
		rc = debugfs_read(debugfs, entry->d_name, "buffers",
				  "id size nents age_ms pins state pid owner", add_held, &reader);
		if (rc == DEBUGFS_GONE)
			rc = 0;
	}
	return rc;
}

int held_read(struct held_list *list, const char *sysfs, const char *debugfs,
	      const struct p2ptrace_filter *filter)
{
	DIR *dir = sysfs_open_dir("%s/%s", sysfs, p2pmem_class(sysfs));
	int rc;

	memset(list, 0, sizeof(*list));
	if (!dir)
		return fail(EXIT_OTHER, "cannot read %s/%s: %s; is /sys mounted?",
			    sysfs, p2pmem_class(sysfs), strerror(errno));
	rc = read_devices(list, dir, sysfs, debugfs, filter);
	closedir(dir);
	if (rc)
		held_free(list);
	held_sort(list);
	return rc;
}

int held_add_owner(struct held_list *list, uint64_t id, const struct p2ptrace_owner *owner,
		   uint64_t now_ns)
{
	struct held *held = reallocarray(list->held, list->nr + 1, sizeof(*held));

	if (!held)
		return fail(EXIT_OTHER, "out of memory");
	list->held = held;
	held += list->nr++;
	memset(held, 0, sizeof(*held));
	text_word(held->dev, sizeof(held->dev), owner->dev.s,
		  strnlen(owner->dev.s, sizeof(owner->dev.s)));
	held->id = id;
	held->size = owner->size;
	held->age_ms = now_ns > owner->ts_ns ? (now_ns - owner->ts_ns) / NSEC_PER_MSEC : 0;
	held->pid = owner->pid;
	return 0;
}

void held_sort(struct held_list *list)
{
	if (list->nr)
		qsort(list->held, list->nr, sizeof(*list->held), oldest_first);
}

void held_free(struct held_list *list)
{
	free(list->held);
	memset(list, 0, sizeof(*list));
}
