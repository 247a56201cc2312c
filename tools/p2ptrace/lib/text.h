/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/*
 * Both write a NUL-terminated string of at most @size bytes, never cut inside an escape or a character, and return
 * its length.
 */

/* Printable ASCII and blanks as they are, all other bytes as \xNN: cannot move a terminal's cursor. */
size_t text_printable(char *dst, size_t size, const char *src, size_t len);

/* Same, and blanks and backslashes are escaped too: one word, from which the bytes can be told. */
size_t text_word(char *dst, size_t size, const char *src, size_t len);

/* Valid UTF-8: each byte that is no part of a well-formed character, and each C1 control and DEL, becomes U+FFFD. */
size_t text_utf8(char *dst, size_t size, const char *src, size_t len);

#endif /* TEXT_H */
