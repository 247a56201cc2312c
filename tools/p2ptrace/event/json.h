/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records as lines of JSON, one object each. Numbers are exact to 64 bits: bus addresses may need
 * more than the 53 of a double.
 */
#ifndef EVENT_JSON_H
#define EVENT_JSON_H

#include <stdbool.h>

#include "event/enums.h"
#include "event/events.h"
#include "lib/buffer.h"
#include "lib/json_put.h"
#include "p2ptrace.h"

/*
 * The longest line of each event, derived from its fields. A key, the head and the name of an enum
 * value are copied in whole steps, hence some bytes more than they have.
 */
#define JSON_ENUM_LEN	512	/* the kernel's names are no longer than KSYM_NAME_LEN */
#define JSON_MAX_UINT	(sizeof("18446744073709551615") - 1)
#define JSON_MAX_BYTES	JSON_MAX_UINT
#define JSON_MAX_HEX	JSON_MAX_UINT
#define JSON_MAX_ADDR	JSON_MAX_HEX
#define JSON_MAX_INT	(sizeof("-2147483648") - 1)
#define JSON_MAX_ERRNO	JSON_MAX_INT
#define JSON_MAX_BOOL	(sizeof("false") - 1)
#define JSON_MAX_STRING	(JSON_BYTE_MAX * P2PTRACE_NAME_LEN + 2)
#define JSON_MAX_NQN	(JSON_BYTE_MAX * P2PTRACE_NQN_LEN + 2)
#define JSON_MAX_ENUM	(JSON_ENUM_LEN + ENUM_NAME_STEP + 2)
#define JSON_MAX_HEAD	(sizeof("{\"ts_ns\":,\"pid\":,\"comm\":}\n") + 3 * JSON_MAX_UINT + \
			 EVENT_HEAD_LEN + JSON_BYTE_MAX * P2PTRACE_COMM_LEN + 2)
#define JSON_MAX_FIELD(e, kind, name, which, kernels) + FIELD_KEY_LEN + JSON_MAX_##kind
#define JSON_MAX_EVENT(e) char e[JSON_MAX_HEAD P2PTRACE_FIELDS_##e(JSON_MAX_FIELD, e)];

union json_longest {
	P2PTRACE_EVENTS(JSON_MAX_EVENT)
};

/*
 * Appends a line. @record must have passed event_of_record(), which gave @event. Fields that a
 * @stock kernel does not know are left out. 0 or -ENOMEM.
 */
int json_line(struct buffer *lines, const struct event *event, const void *record,
	      const struct enums *enums, bool stock);

#endif /* EVENT_JSON_H */
