// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "event/blind.h"
#include "event/events.h"
#include "lib/log.h"
#include "lib/units.h"

#define KERNELS_ALL	false, false
#define KERNELS_SERIES	true, false
#define KERNELS_KNOWN	false, true
#define JSON_KEY(name)	",\"" #name "\":"
#define FIELD(e, kind, name, which, kernels) \
	{ #name, JSON_KEY(name), sizeof(JSON_KEY(name)) - 1, offsetof(struct p2ptrace_##e, name), \
	  sizeof(((struct p2ptrace_##e *)0)->name), FIELD_##kind, ENUM_##which, KERNELS_##kernels },
#define FIELDS(e) static const struct field e##_fields[] = { P2PTRACE_FIELDS_##e(FIELD, e) };
P2PTRACE_EVENTS(FIELDS)

#define JSON_HEAD(name) ",\"event\":\"" #name "\",\"cpu\":"

const struct event events[P2PTRACE_NR_EVENTS] = {
#define EVENT(name) \
	[P2PTRACE_##name] = { #name, JSON_HEAD(name), sizeof(JSON_HEAD(name)) - 1, \
			      sizeof(struct p2ptrace_##name), name##_fields, \
			      ARRAY_SIZE(name##_fields) },
	P2PTRACE_EVENTS(EVENT)
#undef EVENT
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

static const enum p2ptrace_event buffer_events[] = {
	P2PTRACE_p2pmem_alloc, P2PTRACE_p2pmem_free, P2PTRACE_p2pmem_reclaim,
};

static const enum p2ptrace_event mapping_events[] = {
	P2PTRACE_p2pdma_map, P2PTRACE_p2pdma_unmap,
};

void event_set_add_buffer(struct event_set *set)
{
	for (size_t i = 0; i < ARRAY_SIZE(buffer_events); i++)
		set->has[buffer_events[i]] = true;
}

void event_set_add_mapping(struct event_set *set)
{
	for (size_t i = 0; i < ARRAY_SIZE(mapping_events); i++)
		set->has[mapping_events[i]] = true;
}

bool event_is_mapping(enum p2ptrace_event event)
{
	for (size_t i = 0; i < ARRAY_SIZE(mapping_events); i++)
		if (mapping_events[i] == event)
			return true;
	return false;
}

static bool remove_group(struct event_set *set, enum p2ptrace_event event,
			 const enum p2ptrace_event *group, size_t nr)
{
	bool found = false, others = false;

	for (size_t i = 0; i < nr; i++)
		found |= group[i] == event;
	for (size_t i = 0; i < nr && found; i++) {
		if (!set->has[group[i]])
			continue;
		others = true;
		set->has[group[i]] = false;
		blind_add(set, group[i], "this command needs %s for it", events[event].name);
	}
	return others;
}

bool event_set_remove_group(struct event_set *set, enum p2ptrace_event event)
{
	bool others;

	set->has[event] = false;
	others = remove_group(set, event, buffer_events, ARRAY_SIZE(buffer_events)) ||
		 remove_group(set, event, mapping_events, ARRAY_SIZE(mapping_events));
	if (others)
		note("leaving out all events of a %s, because this command needs %s for them",
		     event_is_mapping(event) ? "mapping" : "buffer", events[event].name);
	return others;
}

bool event_is_of_dmabuf(unsigned int event)
{
	return event >= P2PTRACE_dma_buf_release && event <= P2PTRACE_dma_buf_revoke;
}

bool event_set_is_of_dmabufs(const struct event_set *set)
{
	for (unsigned int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		if (set->has[i] && !event_is_of_dmabuf(i))
			return false;
	return true;
}

const struct field *event_field(const struct event *event, const char *name)
{
	for (size_t i = 0; i < event->nr_fields; i++)
		if (!strcmp(event->fields[i].name, name))
			return &event->fields[i];
	return NULL;
}

static int select_one(struct event_set *set, const char *name, size_t len, const char *step)
{
	char candidates[512] = "";
	int found = -1, matches = 0;

	if (!len)
		return fail(EXIT_USAGE, "an event name is empty; %s", step);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		size_t used = strlen(candidates);

		if (strncmp(events[i].name, name, len))
			continue;
		/* p2pmem_alloc is a name, not a prefix of p2pmem_alloc_fail */
		if (!events[i].name[len]) {
			set->has[i] = true;
			return 0;
		}
		snprintf(candidates + used, sizeof(candidates) - used, "%s%s",
			 matches ? ", " : "", events[i].name);
		found = i;
		matches++;
	}
	if (!matches)
		return fail(EXIT_USAGE, "unknown event '%.*s'; %s", (int)len, name, step);
	if (matches > 1)
		return fail(EXIT_USAGE, "event '%.*s' is ambiguous; it could be %s", (int)len, name,
			    candidates);
	set->has[found] = true;
	return 0;
}

int events_select(struct event_set *set, const char *list, const char *step)
{
	for (;;) {
		size_t len = strcspn(list, ",");
		int rc = select_one(set, list, len, step);

		if (rc || !list[len])
			return rc;
		list += len + 1;
	}
}

static bool is_unknown(const struct field *field, const void *record)
{
	if (field->kind == FIELD_STRING)
		return !*((const char *)record + field->offset);
	return !field_uint(field, record);
}

bool field_absent(const struct field *field, const void *record, bool stock)
{
	return (stock && field->series) ||
	       ((field->known || field->kind == FIELD_ADDR) && is_unknown(field, record));
}

size_t event_first_enum(const struct event *event)
{
	static size_t first[P2PTRACE_NR_EVENTS];
	static bool known;
	size_t n = 0;

	for (int i = 0; i < P2PTRACE_NR_EVENTS && !known; i++) {
		first[i] = n;
		for (size_t f = 0; f < events[i].nr_fields; f++)
			n += events[i].fields[f].kind == FIELD_ENUM;
	}
	known = true;
	return first[event - events];
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
