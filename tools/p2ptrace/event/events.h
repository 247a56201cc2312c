/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names and fields of the events, generated from the lists in bpf/p2ptrace.h. This one table
 * drives text and JSON, the lists of events, and what the filters can select.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "event/enums.h"
#include "p2ptrace.h"

enum field_kind {
	FIELD_UINT,
	FIELD_INT,
	FIELD_BYTES,		/* text: 16K if exact */
	FIELD_HEX,		/* text: hexadecimal */
	FIELD_ADDR,		/* the same, but left out if it is 0, which means unknown */
	FIELD_ERRNO,		/* text: -ENOMEM */
	FIELD_BOOL,
	FIELD_STRING,
	FIELD_ENUM,
	FIELD_NQN = FIELD_STRING,
};

/* Maximum lengths. JSON output copies all of it, as copying a constant length is cheaper. */
#define FIELD_KEY_LEN 16
#define EVENT_HEAD_LEN 48
#define EVENT_WHY_LEN 256

struct field {
	const char *name;
	char key[FIELD_KEY_LEN];	/* the name in JSON: ,"name": */
	uint8_t key_len;
	uint16_t offset;
	uint16_t size;
	enum field_kind kind;
	enum kernel_enum which;	/* ENUM_NONE unless the kind is FIELD_ENUM */
	bool series;		/* a stock kernel cannot provide it */
	bool known;		/* left out if it is 0 or empty, which means unknown */
};

struct event {
	const char *name;
	char head[EVENT_HEAD_LEN];	/* in JSON, after the time: ,"event":"name","cpu": */
	size_t head_len;
	size_t size;		/* of the whole record */
	const struct field *fields;
	size_t nr_fields;
};

extern const struct event events[P2PTRACE_NR_EVENTS];

/* The events that are wanted, and the kind of kernel. */
struct event_set {
	bool has[P2PTRACE_NR_EVENTS];
	bool stock;		/* a kernel without the series */
	bool mappings;		/* a series whose events of mappings have a structure */
	bool pins;		/* a series in which DMA mappings pin buffers */
	/* On a stock kernel, those that can be used: see session/hooks.h */
	uint64_t hooks, ways;
	uint64_t vmemmap_base, mem_section;	/* for bpf/stock.bpf.h: see there */
	bool lists_dmabufs;		/* the kernel can list those that exist */
	bool blind[P2PTRACE_NR_EVENTS];	/* occurs here, but is seen in part or not at all */
	char why[P2PTRACE_NR_EVENTS][EVENT_WHY_LEN];	/* why not: see event/blind.h */
};

/* The mode in the note at the start of a run: "tracepoint" or "stock". */
const char *event_set_mode(const struct event_set *set);

size_t event_set_count(const struct event_set *set);

/*
 * Events that make sense only together: the beginning and the ends of a buffer, those of a mapping.
 */
void event_set_add_buffer(struct event_set *set);
void event_set_add_mapping(struct event_set *set);
bool event_is_mapping(enum p2ptrace_event event);

/*
 * Removes @event from the set, and with it those that make sense only together with it. Prints a
 * note about them, and returns whether there were any.
 */
bool event_set_remove_group(struct event_set *set, enum p2ptrace_event event);

/* Whether all events are of dma-bufs. These need no P2PDMA. */
bool event_is_of_dmabuf(unsigned int event);
bool event_set_is_of_dmabufs(const struct event_set *set);

/* NULL if the event has no such field. */
const struct field *event_field(const struct event *event, const char *name);

/*
 * Adds the events of a comma-separated list of names or unambiguous prefixes. Returns 0, or an exit
 * status after an error message. @step: what shows the names, for the message.
 */
int events_select(struct event_set *set, const char *list, const char *step);

/*
 * Enum fields are numbered in the order of events and fields, for p2ptrace_counts.values: the
 * number of the first one of @event.
 */
size_t event_first_enum(const struct event *event);

/* Whether the event has a field that a filter by device, or by client, can match. */
bool event_has_dev(const struct event *event);
bool event_has_client(const struct event *event);

/* The event of a record. NULL if the event is unknown or the size is wrong. */
const struct event *event_of_record(const void *data, size_t size);

/* Whether the record has no value for the field, or the kernel never has. */
bool field_absent(const struct field *field, const void *record, bool stock);

/* All fields but strings have 64 bits. */
static inline uint64_t field_uint(const struct field *field, const void *record)
{
	uint64_t value;

	memcpy(&value, (const char *)record + field->offset, sizeof(value));
	return value;
}

/* The kernel's type of all signed fields is int. */
static inline int32_t field_int(const struct field *field, const void *record)
{
	return (int32_t)field_uint(field, record);
}

#endif /* EVENTS_H */
