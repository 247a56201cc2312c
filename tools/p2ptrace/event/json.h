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

/*
 * Appends a line. @record must have passed event_of_record(), which gave @event. Fields that a
 * @stock kernel does not know are left out. 0 or -ENOMEM.
 */
int json_line(struct buffer *lines, const struct event *event, const void *record,
	      const struct enums *enums, bool stock);

#endif /* EVENT_JSON_H */
