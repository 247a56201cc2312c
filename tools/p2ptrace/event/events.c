// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "event/events.h"
#include "lib/log.h"
#include "lib/units.h"


/*
 * FIELD(event, UINT, size): member "size" of struct p2ptrace_<event>, by which name it also is printed. SERIES_: of an
 * event that stock kernels have as well, what they do not know about it.
 */
#define FIELD(event, kind, member)		FIELD_WITH(event, kind, member, 0, false)
#define ENUM(event, member, which)		FIELD_WITH(event, ENUM, member, which, false)
#define SERIES_FIELD(event, kind, member)	FIELD_WITH(event, kind, member, 0, true)
#define SERIES_ENUM(event, member, which)	FIELD_WITH(event, ENUM, member, which, true)
#define JSON_KEY(member)			",\"" #member "\":"
#define FIELD_WITH(event, kind, member, which, series) \
	{ #member, JSON_KEY(member), sizeof(JSON_KEY(member)) - 1, offsetof(struct p2ptrace_##event, member), \
	  sizeof(((struct p2ptrace_##event *)0)->member), FIELD_##kind, which, series }

static const struct field p2pmem_dev_add_fields[] = {
	FIELD(p2pmem_dev_add, STRING, dev),
	FIELD(p2pmem_dev_add, STRING, provider),
	FIELD(p2pmem_dev_add, HEX, bus_addr),
	FIELD(p2pmem_dev_add, BYTES, size),
	FIELD(p2pmem_dev_add, INT, node),
};

static const struct field p2pmem_dev_del_fields[] = {
	FIELD(p2pmem_dev_del, STRING, dev),
	FIELD(p2pmem_dev_del, STRING, provider),
	FIELD(p2pmem_dev_del, UINT, buffers),
	FIELD(p2pmem_dev_del, BYTES, bytes),
	FIELD(p2pmem_dev_del, UINT, pins),
};

static const struct field p2pmem_dev_drained_fields[] = {
	FIELD(p2pmem_dev_drained, STRING, dev),
	FIELD(p2pmem_dev_drained, STRING, provider),
	FIELD(p2pmem_dev_drained, UINT, waited_ns),
};

static const struct field p2pmem_drain_stall_fields[] = {
	FIELD(p2pmem_drain_stall, STRING, dev),
	FIELD(p2pmem_drain_stall, STRING, provider),
	FIELD(p2pmem_drain_stall, UINT, buffers),
	FIELD(p2pmem_drain_stall, UINT, pins),
	FIELD(p2pmem_drain_stall, UINT, oldest_id),
};

static const struct field p2pmem_alloc_fields[] = {
	FIELD(p2pmem_alloc, STRING, dev),
	FIELD(p2pmem_alloc, UINT, id),
	FIELD(p2pmem_alloc, HEX, bus_addr),
	FIELD(p2pmem_alloc, BYTES, size),
	SERIES_FIELD(p2pmem_alloc, UINT, nents),
};

static const struct field p2pmem_alloc_fail_fields[] = {
	FIELD(p2pmem_alloc_fail, STRING, dev),
	FIELD(p2pmem_alloc_fail, BYTES, size),
	SERIES_ENUM(p2pmem_alloc_fail, reason, ENUM_ALLOC_ERROR),
};

static const struct field p2pmem_free_fields[] = {
	FIELD(p2pmem_free, STRING, dev),
	FIELD(p2pmem_free, UINT, id),
	FIELD(p2pmem_free, BYTES, size),
	SERIES_FIELD(p2pmem_free, UINT, pins),
};

static const struct field p2pmem_reclaim_fields[] = {
	FIELD(p2pmem_reclaim, STRING, dev),
	FIELD(p2pmem_reclaim, UINT, id),
	FIELD(p2pmem_reclaim, BYTES, size),
};

static const struct field p2pmem_decide_fields[] = {
	FIELD(p2pmem_decide, STRING, provider),
	FIELD(p2pmem_decide, STRING, client),
	ENUM(p2pmem_decide, map, ENUM_MAP_TYPE),
	FIELD(p2pmem_decide, INT, distance),
	SERIES_ENUM(p2pmem_decide, reason, ENUM_DECISION_REASON),
	SERIES_FIELD(p2pmem_decide, STRING, blocker),
};

static const struct field p2pmem_find_fields[] = {
	FIELD(p2pmem_find, STRING, dev),
	FIELD(p2pmem_find, UINT, clients),
	SERIES_FIELD(p2pmem_find, UINT, candidates),
	SERIES_FIELD(p2pmem_find, INT, distance),
	SERIES_FIELD(p2pmem_find, ERRNO, err),
};

static const struct field p2pmem_dma_map_fields[] = {
	FIELD(p2pmem_dma_map, STRING, dev),
	FIELD(p2pmem_dma_map, UINT, id),
	FIELD(p2pmem_dma_map, STRING, client),
	FIELD(p2pmem_dma_map, HEX, dma_addr),
	FIELD(p2pmem_dma_map, BYTES, size),
	ENUM(p2pmem_dma_map, dir, ENUM_DMA_DIRECTION),
	ENUM(p2pmem_dma_map, map, ENUM_MAP_TYPE),
};

static const struct field p2pmem_dma_unmap_fields[] = {
	FIELD(p2pmem_dma_unmap, STRING, dev),
	FIELD(p2pmem_dma_unmap, UINT, id),
	FIELD(p2pmem_dma_unmap, STRING, client),
	FIELD(p2pmem_dma_unmap, HEX, dma_addr),
	FIELD(p2pmem_dma_unmap, BYTES, size),
	ENUM(p2pmem_dma_unmap, dir, ENUM_DMA_DIRECTION),
};

static const struct field p2pmem_mmap_fields[] = {
	FIELD(p2pmem_mmap, STRING, dev),
	FIELD(p2pmem_mmap, BYTES, size),
	SERIES_FIELD(p2pmem_mmap, BOOL, allowed),
};

static const struct field nvmet_p2pmem_bind_fields[] = {
	FIELD(nvmet_p2pmem_bind, STRING, subsys),
	FIELD(nvmet_p2pmem_bind, UINT, cntlid),
	FIELD(nvmet_p2pmem_bind, UINT, nsid),
	FIELD(nvmet_p2pmem_bind, STRING, dev),
	FIELD(nvmet_p2pmem_bind, INT, distance),
	FIELD(nvmet_p2pmem_bind, ERRNO, err),
};

static const struct field nvmet_p2pmem_unbind_fields[] = {
	FIELD(nvmet_p2pmem_unbind, STRING, subsys),
	FIELD(nvmet_p2pmem_unbind, UINT, cntlid),
	FIELD(nvmet_p2pmem_unbind, UINT, nsid),
	FIELD(nvmet_p2pmem_unbind, STRING, dev),
	ENUM(nvmet_p2pmem_unbind, reason, ENUM_UNBIND_REASON),
};

static const struct field nvmet_p2pmem_use_fields[] = {
	FIELD(nvmet_p2pmem_use, UINT, cntlid),
	FIELD(nvmet_p2pmem_use, UINT, qid),
	FIELD(nvmet_p2pmem_use, UINT, cid),
	FIELD(nvmet_p2pmem_use, UINT, nsid),
	FIELD(nvmet_p2pmem_use, HEX, opcode),
	FIELD(nvmet_p2pmem_use, BYTES, size),
	SERIES_FIELD(nvmet_p2pmem_use, UINT, id),
};

static const struct field nvmet_p2pmem_fallback_fields[] = {
	FIELD(nvmet_p2pmem_fallback, UINT, cntlid),
	FIELD(nvmet_p2pmem_fallback, UINT, qid),
	FIELD(nvmet_p2pmem_fallback, UINT, cid),
	FIELD(nvmet_p2pmem_fallback, UINT, nsid),
	FIELD(nvmet_p2pmem_fallback, HEX, opcode),
	FIELD(nvmet_p2pmem_fallback, BYTES, size),
	SERIES_ENUM(nvmet_p2pmem_fallback, reason, ENUM_FALLBACK_REASON),
};

#define JSON_HEAD(name) ",\"event\":\"" #name "\",\"cpu\":"

const struct event events[P2PTRACE_NR_EVENTS] = {
#define EVENT(name) \
	[P2PTRACE_##name] = { #name, JSON_HEAD(name), sizeof(JSON_HEAD(name)) - 1, sizeof(struct p2ptrace_##name), \
			      name##_fields, ARRAY_SIZE(name##_fields) },
	P2PTRACE_EVENTS(EVENT)
#undef EVENT
};

#define STOCK(name) [P2PTRACE_##name] = P2PTRACE_STOCK_##name

const char *const stock_hooks[P2PTRACE_NR_EVENTS] = {
	STOCK(p2pmem_alloc),
	STOCK(p2pmem_alloc_fail),
	STOCK(p2pmem_free),
	STOCK(p2pmem_decide),
	STOCK(p2pmem_find),
	STOCK(p2pmem_dma_map),
	STOCK(p2pmem_dma_unmap),
	STOCK(p2pmem_mmap),
	STOCK(nvmet_p2pmem_use),
	STOCK(nvmet_p2pmem_fallback),
};

const char *event_set_mode(const struct event_set *set)
{
	return set->stock ? "stock" : "tracepoint";
}

size_t event_set_count(const struct event_set *set)
{
	size_t n = 0;

	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		n += set->has[i];
	return n;
}

const struct field *event_field(const struct event *event, const char *name)
{
	for (size_t i = 0; i < event->nr_fields; i++)
		if (!strcmp(event->fields[i].name, name))
			return &event->fields[i];
	return NULL;
}

static int select_one(struct event_set *set, const char *name, size_t len)
{
	char candidates[512] = "";
	int found = -1, matches = 0;

	if (!len)
		return fail(EXIT_USAGE, "an event name is empty; see 'p2ptrace trace --list-events'");
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		size_t used = strlen(candidates);

		if (strncmp(events[i].name, name, len))
			continue;
		/* p2pmem_alloc is a name, and not just a beginning of p2pmem_alloc_fail. */
		if (!events[i].name[len]) {
			set->has[i] = true;
			return 0;
		}
		snprintf(candidates + used, sizeof(candidates) - used, "%s%s", matches ? ", " : "", events[i].name);
		found = i;
		matches++;
	}
	if (!matches)
		return fail(EXIT_USAGE, "unknown event '%.*s'; see 'p2ptrace trace --list-events'", (int)len, name);
	if (matches > 1)
		return fail(EXIT_USAGE, "event '%.*s' is ambiguous; it could be %s", (int)len, name, candidates);
	set->has[found] = true;
	return 0;
}

int events_select(struct event_set *set, const char *list)
{
	for (;;) {
		size_t len = strcspn(list, ",");
		int rc = select_one(set, list, len);

		if (rc || !list[len])
			return rc;
		list += len + 1;
	}
}

bool event_has_dev(const struct event *event)
{
	return event_field(event, "dev") || event_field(event, "provider");
}

bool event_has_client(const struct event *event)
{
	return event_field(event, "client");
}

const struct event *event_of_record(const void *data, size_t size)
{
	const struct p2ptrace_header *h = data;

	if (size < sizeof(*h) || h->event >= P2PTRACE_NR_EVENTS || size != events[h->event].size)
		return NULL;
	return &events[h->event];
}
