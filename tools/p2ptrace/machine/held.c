// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/number.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/devices.h"
#include "machine/held.h"
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
	if (word_copy(held->dev, sizeof(held->dev), reader->dev) || number_parse(words[0], &held->id) ||
	    number_parse(words[1], &held->size) || word_int(words[2], &held->nents) ||
	    number_parse(words[3], &held->age_ms) || number_parse(words[4], &pins) ||
	    word_copy(held->state, sizeof(held->state), words[5]) || word_int(words[6], &held->pid) ||
	    word_copy(held->owner, sizeof(held->owner), words[7]))
		return -EINVAL;
	/* It may have been freed while it was copied: then there is one reference less than none */
	held->pins = pins > INT_MAX ? 0 : pins;
	list->nr++;
	return 0;
}

static int oldest_first(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	return x->age_ms > y->age_ms ? -1 : x->age_ms < y->age_ms ? 1 : x->id < y->id ? -1 : x->id > y->id;
}

int held_read(struct held_list *list, const char *sysfs, const char *debugfs, const struct p2ptrace_filter *filter)
{
	struct reader reader = { .list = list };
	struct dirent *entry;
	char path[PATH_MAX], debugfs_dir[PATH_MAX];
	int rc = 0, err;
	DIR *dir;

	memset(list, 0, sizeof(*list));
	snprintf(debugfs_dir, sizeof(debugfs_dir), "%s/p2pmem", debugfs);
	snprintf(path, sizeof(path), "%s/class/p2pmem", sysfs);
	dir = opendir(path);
	if (!dir)
		return fail(EXIT_OTHER, "cannot read %s: %s; is /sys mounted?", path, strerror(errno));
	while (!rc && (entry = readdir(dir))) {
		if (!is_p2pmem_name(entry->d_name) || !dev_passes(filter, sysfs, entry->d_name))
			continue;
		reader.dev = entry->d_name;
		snprintf(path, sizeof(path), "%s/p2pmem/%s/buffers", debugfs, entry->d_name);
		err = table_read(path, "id size nents age_ms pins state pid owner", add_held, &reader);
		/* It may be on its way out: its files go first */
		if (err == -ENODEV || err == -EIO || (err == -ENOENT && !access(debugfs_dir, F_OK)))
			continue;
		if (err == -ENOENT)
			rc = fail(EXIT_KERNEL, "cannot read %s: %s; if debugfs is not mounted: mount -t debugfs none %s",
				  path, strerror(-err), debugfs);
		else if (err == -EACCES || err == -EPERM)
			rc = fail(EXIT_KERNEL, "not permitted to read %s, which says what is held; run it as root", path);
		else if (err)
			rc = fail(EXIT_OTHER, "cannot make sense of %s: %s; is p2ptrace older than the kernel?", path,
				  strerror(-err));
	}
	closedir(dir);
	if (rc)
		held_free(list);
	held_sort(list);
	return rc;
}

int held_add_owner(struct held_list *list, uint64_t id, const struct p2ptrace_owner *owner, uint64_t now_ns)
{
	struct held *held = reallocarray(list->held, list->nr + 1, sizeof(*held));

	if (!held)
		return fail(EXIT_OTHER, "out of memory");
	list->held = held;
	held += list->nr++;
	memset(held, 0, sizeof(*held));
	text_word(held->dev, sizeof(held->dev), owner->dev.s, strnlen(owner->dev.s, sizeof(owner->dev.s)));
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
