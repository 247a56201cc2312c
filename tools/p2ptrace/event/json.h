/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records as lines of JSON, each of them an object. Numbers are exact, up to 64 bits: bus addresses may need more than a
 * double's 53.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>

#include <json-c/printbuf.h>

#include "event/enums.h"
#include "event/events.h"

/*
 * Appends a line to @pb. @record must have passed event_of_record(), which gave @event. On a @stock kernel, what that
 * does not know is left out. 0 or -ENOMEM.
 */
int json_line(struct printbuf *pb, const struct event *event, const void *record, const struct enums *enums, bool stock);

#endif /* JSON_H */
