/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an event is called and which fields it has. The one table here drives text and JSON, --event, --list-events
 * and what --dev and --client can select, so that they cannot drift.
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
	FIELD_ERRNO,		/* text: -ENOMEM */
	FIELD_BOOL,
	FIELD_STRING,
	FIELD_ENUM,
};

/* At most; they are copied whole, which costs less than to copy so many bytes */
#define FIELD_KEY_LEN 16
#define EVENT_HEAD_LEN 48

struct field {
	const char *name;
	char key[FIELD_KEY_LEN];	/* the name as JSON has it: ,"name": */
	uint8_t key_len;
	uint16_t offset;
	uint16_t size;
	enum field_kind kind;
	enum kernel_enum which;	/* FIELD_ENUM only */
	bool series;		/* a stock kernel does not know it */
};

struct event {
	const char *name;
	char head[EVENT_HEAD_LEN];	/* in JSON, what is between time and CPU: ,"event":"name","cpu": */
	size_t head_len;
	size_t size;		/* of the whole record */
	const struct field *fields;
	size_t nr_fields;
};

extern const struct event events[P2PTRACE_NR_EVENTS];

/* Where stock kernels show the same, as libbpf names it ("fexit/pci_alloc_p2pmem"); NULL if they do not. */
extern const char *const stock_hooks[P2PTRACE_NR_EVENTS];

/* Which events are wanted, and from which kernel. */
struct event_set {
	bool has[P2PTRACE_NR_EVENTS];
	bool stock;		/* one without our series */
};

/* What the header line says: "tracepoint" or "stock". */
const char *event_set_mode(const struct event_set *set);

size_t event_set_count(const struct event_set *set);

/* NULL if the event has no such field. */
const struct field *event_field(const struct event *event, const char *name);

/*
 * Adds the events that a comma-separated list names, by their names or by unambiguous beginnings of them. Returns 0
 * or an exit status after saying what is wrong.
 */
int events_select(struct event_set *set, const char *list);

/* Whether a filter by device, or by client, can let the event pass: it has a field that the filter can match. */
bool event_has_dev(const struct event *event);
bool event_has_client(const struct event *event);

/* The event a record is of, NULL if the record is not one of ours as it should be (unknown event, wrong size). */
const struct event *event_of_record(const void *data, size_t size);

static inline uint64_t field_uint(const struct field *field, const void *record)
{
	const char *p = (const char *)record + field->offset;
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (field->size) {
	case sizeof(u64):
		memcpy(&u64, p, sizeof(u64));
		return u64;
	case sizeof(u32):
		memcpy(&u32, p, sizeof(u32));
		return u32;
	case sizeof(u16):
		memcpy(&u16, p, sizeof(u16));
		return u16;
	default:
		return *(const unsigned char *)p;
	}
}

/* Signed fields are all 32 bits wide. */
static inline int32_t field_int(const struct field *field, const void *record)
{
	return (int32_t)field_uint(field, record);
}

#endif /* EVENTS_H */
