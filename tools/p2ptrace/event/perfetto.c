// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/page.h"
#include "event/perfetto.h"
#include "lib/proto.h"
#include "lib/text.h"

/* Trace, TracePacket */
#define PACKET			1
#define CLOCK_SNAPSHOT		6
#define TIMESTAMP		8
#define SEQUENCE_ID		10
#define TRACK_EVENT		11
#define SEQUENCE_FLAGS		13
#define DEFAULTS		59
#define TIMESTAMP_CLOCK		58
#define TRACK_DESCRIPTOR	60
/* ClockSnapshot and its Clock, BuiltinClock */
#define CLOCKS			1
#define PRIMARY_CLOCK		2
#define CLOCK_ID		1
#define CLOCK_TIMESTAMP		2
#define REALTIME		1
#define MONOTONIC		3
/* TrackDescriptor, CounterDescriptor */
#define TRACK_UUID		1
#define TRACK_NAME		2
#define TRACK_PARENT		5
#define TRACK_COUNTER		8
#define COUNTER_UNIT		3
#define UNIT_SIZE_BYTES		3
/* TrackEvent */
#define EVENT_ANNOTATION	4
#define EVENT_TYPE		9
#define EVENT_TRACK		11
#define EVENT_CATEGORY		22
#define EVENT_NAME		23
#define EVENT_COUNTER		30
#define EVENT_FLOW		47
#define SLICE_BEGIN		1
#define SLICE_END		2
#define INSTANT			3
#define COUNTER			4
/* DebugAnnotation */
#define ANNOTATION_BOOL		2
#define ANNOTATION_UINT		3
#define ANNOTATION_INT		4
#define ANNOTATION_STRING	6
#define ANNOTATION_NAME		10

#define SEQUENCE	1	/* all packets are of one sequence */
#define MAX_LANES	512	/* slices of a device at a time */
#define MAX_GROUPS	4096
#define DMABUF_FLOW	(1ull << 63)	/* ids of dma-bufs are no ids of buffers */

/* What a lane is for: it shows in its name. */
enum lane_kind { LANE_BUFFERS, LANE_MAPPINGS, LANE_REQUESTS, NR_LANE_KINDS };

static const char *const lane_names[] = { "buffers", "DMA mappings", "requests" };

/* What a counter counts. */
enum counter { HELD, PINNED, MAPPED, NR_COUNTERS };

static const char *const counter_names[] = { "bytes held", "bytes pinned", "bytes mapped" };

/* The tracks of a device. Slices on a track must not overlap, so there are several of each kind. */
struct group {
	uint64_t uuid;
	uint64_t counter[NR_COUNTERS];	/* track; 0: none yet */
	uint64_t bytes[NR_COUNTERS];	/* its value */
	uint64_t lane[NR_LANE_KINDS][MAX_LANES];	/* uuid; 0: none yet */
	uint8_t busy[NR_LANE_KINDS][MAX_LANES];
};

struct slice {
	struct group *group;		/* NULL: there was no room */
	unsigned int kind, lane;
};

struct open_buffer {
	struct p2ptrace_p2pmem_alloc alloc;
	bool shown;			/* its slice has begun */
	struct slice slice, request;
	bool used;
	uint64_t pins;			/* mappings of it that have not ended */
};

struct mapping_key {
	uint64_t id, dma_addr;
	struct p2ptrace_name client;
};

struct open_mapping {
	struct slice slice;
	uint64_t size;
};

void perfetto_free(struct perfetto *p)
{
	struct hash_node *node = NULL;

	while (hash_next(&p->groups, &node))
		free(*(struct group **)hash_value(&p->groups, node));
	hash_free(&p->groups);
	hash_free(&p->buffers);
	hash_free(&p->mappings);
	hash_free(&p->dmabufs);
}

/* ---- packets ---- */

static size_t packet_open(struct perfetto *p)
{
	size_t packet = proto_open(p->out, PACKET);

	proto_uint(p->out, SEQUENCE_ID, SEQUENCE);
	return packet;
}

static uint64_t track(struct perfetto *p, uint64_t parent, const char *name, bool counter)
{
	size_t packet = packet_open(p), descriptor = proto_open(p->out, TRACK_DESCRIPTOR), unit;
	uint64_t uuid = ++p->last_uuid;

	proto_uint(p->out, TRACK_UUID, uuid);
	proto_string(p->out, TRACK_NAME, name, strlen(name));
	if (parent)
		proto_uint(p->out, TRACK_PARENT, parent);
	if (counter) {
		unit = proto_open(p->out, TRACK_COUNTER);
		proto_uint(p->out, COUNTER_UNIT, UNIT_SIZE_BYTES);
		proto_close(p->out, unit);
	}
	proto_close(p->out, descriptor);
	proto_close(p->out, packet);
	return uuid;
}

/* Leaves the event open; @packet is for event_close(). */
static size_t event_open(struct perfetto *p, uint64_t ts, unsigned int type, uint64_t uuid,
			 size_t *packet)
{
	size_t event;

	*packet = packet_open(p);
	proto_uint(p->out, TIMESTAMP, ts);
	event = proto_open(p->out, TRACK_EVENT);
	proto_uint(p->out, EVENT_TYPE, type);
	proto_uint(p->out, EVENT_TRACK, uuid);
	return event;
}

static void event_close(struct perfetto *p, size_t packet, size_t event)
{
	proto_close(p->out, event);
	proto_close(p->out, packet);
}

static void annotate(struct perfetto *p, const struct field *field, const void *record)
{
	size_t annotation;
	char name[32];

	if (field_absent(field, record, p->recording->set.stock))
		return;
	annotation = proto_open(p->out, EVENT_ANNOTATION);
	proto_string(p->out, ANNOTATION_NAME, field->name, strlen(field->name));
	switch (field->kind) {
	case FIELD_STRING:
		proto_string(p->out, ANNOTATION_STRING, (const char *)record + field->offset,
			     field->size);
		break;
	case FIELD_ENUM:
		proto_string(p->out, ANNOTATION_STRING,
			     enums_name(&p->recording->enums, field->which,
					field_uint(field, record), name, sizeof(name)),
			     ENUM_MAX_NAME);
		break;
	case FIELD_BOOL:
		proto_uint(p->out, ANNOTATION_BOOL, !!field_uint(field, record));
		break;
	case FIELD_INT:
	case FIELD_ERRNO:
		proto_int(p->out, ANNOTATION_INT, field_int(field, record));
		break;
	default:
		proto_uint(p->out, ANNOTATION_UINT, field_uint(field, record));
	}
	proto_close(p->out, annotation);
}

static void annotate_uint(struct perfetto *p, const char *name, uint64_t value)
{
	size_t annotation = proto_open(p->out, EVENT_ANNOTATION);

	proto_string(p->out, ANNOTATION_NAME, name, strlen(name));
	proto_uint(p->out, ANNOTATION_UINT, value);
	proto_close(p->out, annotation);
}

/* The fields of the record, and who did it. */
static void describe(struct perfetto *p, const void *record)
{
	const struct p2ptrace_header *h = record;
	const struct event *event = &p->recording->shown[h->event];
	size_t annotation;

	proto_string(p->out, EVENT_CATEGORY, event->name, strlen(event->name));
	for (size_t i = 0; i < event->nr_fields; i++)
		annotate(p, &event->fields[i], record);
	annotate_uint(p, "pid", h->pid);
	annotate_uint(p, "cpu", h->cpu);
	annotation = proto_open(p->out, EVENT_ANNOTATION);
	proto_string(p->out, ANNOTATION_NAME, "comm", 4);
	proto_string(p->out, ANNOTATION_STRING, h->comm, sizeof(h->comm));
	proto_close(p->out, annotation);
}

/* ---- tracks of devices ---- */

static struct group *group_of(struct perfetto *p, const struct p2ptrace_name *name)
{
	struct group **group = hash_add(&p->groups, name);
	char label[PAGE_LABEL_LEN];

	if (!group)
		return NULL;
	if (*group)
		return *group;
	*group = calloc(1, sizeof(**group));
	if (!*group)
		return NULL;
	page_label(label, sizeof(label), p->recording, name);
	(*group)->uuid = track(p, 0, label, false);
	return *group;
}

static struct group *group_named(struct perfetto *p, const char *text)
{
	struct p2ptrace_name name = {};

	snprintf(name.s, sizeof(name.s), "%s", text);
	return group_of(p, &name);
}

static void count(struct perfetto *p, struct group *group, uint64_t ts, enum counter counter,
		  int64_t change)
{
	size_t packet, event;

	if (!group)
		return;
	if (!group->counter[counter])
		group->counter[counter] = track(p, group->uuid, counter_names[counter], true);
	group->bytes[counter] += change;
	event = event_open(p, ts, COUNTER, group->counter[counter], &packet);
	proto_int(p->out, EVENT_COUNTER, group->bytes[counter]);
	event_close(p, packet, event);
}

/* Begins a slice that the caller describes and closes with event_close(). False without room. */
static bool slice_begin(struct perfetto *p, struct slice *slice, struct group *group,
			enum lane_kind kind, uint64_t ts, size_t *packet, size_t *event)
{
	unsigned int lane = 0;

	slice->group = NULL;
	while (group && lane < MAX_LANES && group->busy[kind][lane])
		lane++;
	if (!group || lane == MAX_LANES) {
		p->left_out++;
		return false;
	}
	*slice = (struct slice){ group, kind, lane };
	group->busy[kind][lane] = true;
	if (!group->lane[kind][lane])
		group->lane[kind][lane] = track(p, group->uuid, lane_names[kind], false);
	*event = event_open(p, ts, SLICE_BEGIN, group->lane[kind][lane], packet);
	return true;
}

static void slice_end(struct perfetto *p, struct slice *slice, uint64_t ts)
{
	struct group *group = slice->group;
	size_t packet, event;

	if (!group)
		return;
	event = event_open(p, ts, SLICE_END, group->lane[slice->kind][slice->lane], &packet);
	event_close(p, packet, event);
	group->busy[slice->kind][slice->lane] = false;
	slice->group = NULL;
}

static void slice_name(struct perfetto *p, const char *what, uint64_t id, uint64_t bytes)
{
	char size[16], name[64];

	page_size(bytes, size, sizeof(size));
	snprintf(name, sizeof(name), "%s %" PRIu64 " (%s)", what, id, size);
	proto_string(p->out, EVENT_NAME, name, sizeof(name));
}

/* ---- events ---- */

static void instant(struct perfetto *p, const void *record, struct group *group)
{
	const struct p2ptrace_header *h = record;
	const struct event *shown = &p->recording->shown[h->event];
	size_t packet, event;

	if (!group) {
		p->left_out++;
		return;
	}
	event = event_open(p, h->ts_ns, INSTANT, group->uuid, &packet);
	proto_string(p->out, EVENT_NAME, shown->name, strlen(shown->name));
	describe(p, record);
	event_close(p, packet, event);
}

/*
 * An arrow leads from the slice that began first to the next. The request allocates its buffer, so
 * its slice comes first; but its event comes later. So a buffer is shown when more is known of it.
 */
static void show_buffer(struct perfetto *p, struct open_buffer *buffer)
{
	const struct p2ptrace_p2pmem_alloc *alloc = &buffer->alloc;
	struct group *group = group_of(p, &alloc->dev);
	size_t packet, event;

	if (buffer->shown)
		return;
	buffer->shown = true;
	if (slice_begin(p, &buffer->slice, group, LANE_BUFFERS, alloc->h.ts_ns, &packet, &event)) {
		slice_name(p, "buffer", alloc->id, alloc->size);
		proto_fixed64(p->out, EVENT_FLOW, alloc->id);
		describe(p, alloc);
		event_close(p, packet, event);
	}
}

static void end_buffer(struct perfetto *p, uint64_t id, uint64_t ts)
{
	struct open_buffer *buffer = hash_find(&p->buffers, &id);

	if (!buffer)
		return;
	show_buffer(p, buffer);
	slice_end(p, &buffer->slice, ts);
	slice_end(p, &buffer->request, ts);
	if (buffer->pins)
		count(p, group_of(p, &buffer->alloc.dev), ts, PINNED,
		      -(int64_t)buffer->alloc.size);
	count(p, group_of(p, &buffer->alloc.dev), ts, HELD, -(int64_t)buffer->alloc.size);
	hash_remove(&p->buffers, &id);
}

static void take_alloc(struct perfetto *p, const struct p2ptrace_p2pmem_alloc *r)
{
	struct open_buffer *buffer;
	uint64_t id = r->id;

	/* A stock kernel uses addresses again: the free of the older one was missed */
	end_buffer(p, id, r->h.ts_ns);
	buffer = hash_add(&p->buffers, &id);
	if (!buffer) {
		p->left_out++;
		return;
	}
	buffer->alloc = *r;
	count(p, group_of(p, &r->dev), r->h.ts_ns, HELD, r->size);
}

static void take_use(struct perfetto *p, const struct p2ptrace_nvmet_p2pmem_use *r)
{
	struct group *group = group_named(p, "NVMe target");
	struct open_buffer *buffer;
	uint64_t id = r->id;
	size_t packet, event;
	char name[64];

	buffer = p->recording->set.stock ? NULL : hash_find(&p->buffers, &id);
	if (!buffer || buffer->used) {
		instant(p, r, group);
		return;
	}
	buffer->used = true;
	if (slice_begin(p, &buffer->request, group, LANE_REQUESTS, buffer->alloc.h.ts_ns, &packet,
			&event)) {
		snprintf(name, sizeof(name), "%s nsid %" PRIu64 " qid %" PRIu64 " cid %" PRIu64,
			 r->opcode == 1 ? "write" : r->opcode == 2 ? "read" : "request",
			 (uint64_t)r->nsid, (uint64_t)r->qid, (uint64_t)r->cid);
		proto_string(p->out, EVENT_NAME, name, sizeof(name));
		proto_fixed64(p->out, EVENT_FLOW, id);
		describe(p, r);
		event_close(p, packet, event);
	}
	show_buffer(p, buffer);
}

static void take_map(struct perfetto *p, const struct p2ptrace_p2pdma_map *r)
{
	struct mapping_key key = { .id = r->id, .dma_addr = r->dma_addr, .client = r->client };
	struct group *group = group_of(p, &r->client);
	struct open_mapping *mapping;
	struct open_buffer *buffer;
	uint64_t id = r->id;
	size_t packet, event;

	buffer = hash_find(&p->buffers, &id);
	if (buffer)
		show_buffer(p, buffer);
	mapping = hash_add(&p->mappings, &key);
	if (!mapping || mapping->slice.group) {
		instant(p, r, group);
		return;
	}
	mapping->size = r->size;
	if (slice_begin(p, &mapping->slice, group, LANE_MAPPINGS, r->h.ts_ns, &packet, &event)) {
		slice_name(p, "map", id, r->size);
		if (id)
			proto_fixed64(p->out, EVENT_FLOW, r->kind == P2PTRACE_KIND_DMABUF ?
				      id | DMABUF_FLOW : id);
		describe(p, r);
		event_close(p, packet, event);
	}
	count(p, group, r->h.ts_ns, MAPPED, r->size);
	if (buffer && !buffer->pins++)
		count(p, group_of(p, &buffer->alloc.dev), r->h.ts_ns, PINNED, buffer->alloc.size);
}

static void take_unmap(struct perfetto *p, const struct p2ptrace_p2pdma_unmap *r)
{
	struct mapping_key key = { .id = r->id, .dma_addr = r->dma_addr, .client = r->client };
	struct open_mapping *mapping = hash_find(&p->mappings, &key);
	struct open_buffer *buffer;
	uint64_t id = r->id;

	if (!mapping) {
		instant(p, r, group_of(p, &r->client));
		return;
	}
	buffer = hash_find(&p->buffers, &id);
	if (buffer && buffer->pins && !--buffer->pins)
		count(p, group_of(p, &buffer->alloc.dev), r->h.ts_ns, PINNED,
		      -(int64_t)buffer->alloc.size);
	slice_end(p, &mapping->slice, r->h.ts_ns);
	count(p, group_of(p, &r->client), r->h.ts_ns, MAPPED, -(int64_t)mapping->size);
	hash_remove(&p->mappings, &key);
}

static void take_export(struct perfetto *p, const struct p2ptrace_dma_buf_export *r)
{
	struct slice *slice;
	char name[32];
	uint64_t id = r->id;
	size_t packet, event;

	snprintf(name, sizeof(name), "dma-bufs %.20s", r->exporter.s);
	slice = hash_add(&p->dmabufs, &id);
	if (!slice || slice->group ||
	    !slice_begin(p, slice, group_named(p, name), LANE_BUFFERS, r->h.ts_ns, &packet, &event))
		return;
	slice_name(p, "dma-buf", id, r->size);
	proto_fixed64(p->out, EVENT_FLOW, id | DMABUF_FLOW);
	describe(p, r);
	event_close(p, packet, event);
}

static void take_release(struct perfetto *p, const struct p2ptrace_dma_buf_release *r)
{
	uint64_t id = r->id;
	struct slice *slice = hash_find(&p->dmabufs, &id);

	if (!slice)
		return;
	slice_end(p, slice, r->h.ts_ns);
	hash_remove(&p->dmabufs, &id);
}

/* The device that an event is about. */
static struct group *group_of_event(struct perfetto *p, const struct event *event,
				    const void *record)
{
	static const char *const names[] = { "client", "dev", "provider" };

	for (size_t i = 0; i < 3; i++) {
		const struct field *field = event_field(event, names[i]);
		struct p2ptrace_name name;

		if (!field || field->size != sizeof(name))
			continue;
		memcpy(&name, (const char *)record + field->offset, sizeof(name));
		if (*name.s)
			return group_of(p, &name);
	}
	return group_named(p, strncmp(event->name, "nvmet", 5) ? "other events" : "NVMe target");
}

void perfetto_add(struct perfetto *p, const void *record)
{
	const struct p2ptrace_p2pmem_reclaim *reclaim = record;
	const struct p2ptrace_p2pmem_free *freed = record;
	const struct p2ptrace_header *h = record;

	if (!p->first_ns)
		p->first_ns = h->ts_ns;
	if (h->ts_ns > p->last_ns)
		p->last_ns = h->ts_ns;
	switch (h->event) {
	case P2PTRACE_p2pmem_alloc:
		take_alloc(p, record);
		break;
	case P2PTRACE_p2pmem_free:
		if (freed->pins)
			instant(p, record, group_of(p, &freed->dev));
		else
			end_buffer(p, freed->id, h->ts_ns);
		break;
	case P2PTRACE_p2pmem_reclaim:
		end_buffer(p, reclaim->id, h->ts_ns);
		break;
	case P2PTRACE_nvmet_p2pmem_use:
		take_use(p, record);
		break;
	case P2PTRACE_p2pdma_map:
		take_map(p, record);
		break;
	case P2PTRACE_p2pdma_unmap:
		take_unmap(p, record);
		break;
	case P2PTRACE_dma_buf_export:
		take_export(p, record);
		break;
	case P2PTRACE_dma_buf_release:
		take_release(p, record);
		break;
	default:
		instant(p, record, group_of_event(p, &events[h->event], record));
	}
}

static void add_clock(struct perfetto *p, unsigned int id, uint64_t ns)
{
	size_t clock = proto_open(p->out, CLOCKS);

	proto_uint(p->out, CLOCK_ID, id);
	proto_uint(p->out, CLOCK_TIMESTAMP, ns);
	proto_close(p->out, clock);
}

void perfetto_begin(struct perfetto *p, const struct recording *recording, struct buffer *out)
{
	size_t packet, part;

	memset(p, 0, sizeof(*p));
	p->recording = recording;
	p->out = out;
	p->groups = (struct hash){
		.key_size = sizeof(struct p2ptrace_name), .value_size = sizeof(struct group *),
		.max = MAX_GROUPS,
	};
	p->buffers = (struct hash){
		.key_size = sizeof(uint64_t), .value_size = sizeof(struct open_buffer),
		.max = P2PTRACE_MAX_LIVE,
	};
	p->mappings = (struct hash){
		.key_size = sizeof(struct mapping_key), .value_size = sizeof(struct open_mapping),
		.max = P2PTRACE_MAX_LIVE,
	};
	p->dmabufs = (struct hash){
		.key_size = sizeof(uint64_t), .value_size = sizeof(struct slice),
		.max = P2PTRACE_MAX_LIVE,
	};
	/* All times are of CLOCK_MONOTONIC; one packet relates it to the time of day */
	packet = packet_open(p);
	proto_uint(out, SEQUENCE_FLAGS, 1);
	part = proto_open(out, DEFAULTS);
	proto_uint(out, TIMESTAMP_CLOCK, MONOTONIC);
	proto_close(out, part);
	part = proto_open(out, CLOCK_SNAPSHOT);
	add_clock(p, MONOTONIC, recording->about.start_ns);
	add_clock(p, REALTIME, recording->about.start_real_ns);
	proto_uint(out, PRIMARY_CLOCK, MONOTONIC);
	proto_close(out, part);
	proto_close(out, packet);
}

void perfetto_end(struct perfetto *p)
{
	const struct lost *lost = &p->recording->lost;
	struct hash_node *node = NULL;
	size_t packet, event;
	struct group *group;

	/* Those that are still held have a slice without an end */
	while (hash_next(&p->buffers, &node))
		show_buffer(p, hash_value(&p->buffers, node));
	if (!lost->total)
		return;
	group = group_named(p, "other events");
	if (!group)
		return;
	event = event_open(p, p->last_ns, INSTANT, group->uuid, &packet);
	proto_string(p->out, EVENT_NAME, "lost events", 11);
	annotate_uint(p, "total", lost->total);
	for (size_t i = 0; i < lost->nr_cpus; i++) {
		char cpu[32];

		snprintf(cpu, sizeof(cpu), "cpu%zu", i);
		if (lost->per_cpu[i])
			annotate_uint(p, cpu, lost->per_cpu[i]);
	}
	if (lost->nested)
		annotate_uint(p, "nested", lost->nested);
	event_close(p, packet, event);
}
