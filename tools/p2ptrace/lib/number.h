/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdint.h>

/*
 * Numbers from the command line, parsed whole: "10abc", "", "+1", "1e3" and " 1" are errors.
 * Return 0, -EINVAL (not a number) or -ERANGE (does not fit).
 */
int number_parse(const char *s, uint64_t *out);
int number_parse_size(const char *s, uint64_t *bytes);		/* 4096, 64K, 8M, 1G */
int number_parse_seconds(const char *s, uint64_t *ns); /* 10, 2.5, 2., .25; at most nine decimals */

#endif /* NUMBER_H */
