/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the bytes of a function's config space say about it. The bytes may come from anywhere, and
 * there may be fewer than the function has.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stddef.h>
#include <stdint.h>

struct bar;
struct function;

/*
 * Sets every field of @function that the bytes show, and leaves the others. Always sets its
 * config_state: CONFIG_UNREADABLE if @len is 0. A caller whose source has no config space for the
 * function must not call this.
 *
 * The address and the size of a BAR are set only if it can be resized (the registers do not show
 * the size of any other), and only if they are not known already: set those from a better source
 * first.
 */
void config_parse(struct function *function, const uint8_t *bytes, size_t len);

/*
 * Sets NR_BARS BARs, without sizes and addresses, to those whose registers are not 0. The upper
 * half of a BAR of 64 bits is none.
 */
void config_bars(struct bar *bars, const uint8_t *bytes, size_t len);

#endif /* CONFIG_H */
