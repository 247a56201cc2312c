/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine as a JSON document: see p2ptrace-snapshot(8).
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buffer.h"
#include "machine/machine.h"

#define SNAPSHOT_VERSION 1

/* Adds the document to a buffer, and a newline. The same machine gives the same text. */
void snapshot_write(struct buffer *out, const struct machine *machine);

/* Parts of it: the object of a function; the members that say what the machine is. */
void function_json(struct buffer *out, const struct machine *machine,
		   const struct function *function);
void machine_json(struct buffer *out, const struct machine *machine);

/* Whether a text is, or was before it was cut, a snapshot. */
bool is_snapshot(const char *text, size_t len);

/*
 * Fills a machine after machine_init(). The text is not trusted. Returns 0, or EXIT_OTHER after an
 * error message, in which @name is the name of the file. Call machine_free() in any case.
 */
int snapshot_read(struct machine *machine, const char *name, const char *text, size_t len)
	__attribute__((warn_unused_result));

#endif /* SNAPSHOT_H */
