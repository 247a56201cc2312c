/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* "%d buffer%s" */
#define PLURAL(n) ((n) == 1 ? "" : "s")
/* "%d buffer%s lost" */
#define PLURAL_WAS(n) ((n) == 1 ? " was" : "s were")

/*
 * Both write a NUL-terminated string of at most @size bytes, never cut inside an escape, and return
 * its length.
 */

/*
 * Printable ASCII and blanks stay; all other bytes become \xNN, so that none can move a terminal's
 * cursor.
 */
size_t text_printable(char *dst, size_t size, const char *src, size_t len);

/*
 * Blanks and backslashes become \xNN as well: the result is one word, from which the bytes can be
 * recovered.
 */
size_t text_word(char *dst, size_t size, const char *src, size_t len);

/* As text_word(), but returns false and leaves @dst unchanged if the word does not fit. */
bool text_whole_word(char *dst, size_t size, const char *src, size_t len);

#define TEXT_REPLACEMENT "\xef\xbf\xbd"	/* U+FFFD */

/*
 * The length of the UTF-8 character at @s, which has @len bytes. 0 for a byte that is not part of a
 * well-formed character, for a C1 control, and for DEL: the caller writes a replacement character.
 * Sets *taken to the number of bytes to skip.
 */
size_t text_utf8_next(const char *s, size_t len, size_t *taken);

#endif /* TEXT_H */
