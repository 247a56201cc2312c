/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The terminal of p2ptrace top. It needs ncurses at build time. Without it, top_screen_open() fails
 * and says how to get it.
 */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include <stddef.h>

struct top_line;

/* Keys besides characters. */
enum {
	TOP_KEY_NONE = -1,	/* none was pressed meanwhile */
	TOP_KEY_RESIZE = 0x1000,
	TOP_KEY_UP, TOP_KEY_DOWN, TOP_KEY_PAGE_UP, TOP_KEY_PAGE_DOWN, TOP_KEY_HOME,
	TOP_KEY_ENTER, TOP_KEY_BACKSPACE, TOP_KEY_ESCAPE,
};

/*
 * Takes over the terminal. Messages wait until top_screen_close(). Returns 0, or an exit status
 * after an error message; then the terminal is as it was.
 */
int top_screen_open(void) __attribute__((warn_unused_result));

void top_screen_size(size_t *width, size_t *height);
void top_screen_draw(const struct top_line *lines, size_t nr);

/* Waits at most @ms for a key. */
int top_screen_key(unsigned int ms);

/* Gives the terminal back, and writes the messages. May be called without top_screen_open(). */
void top_screen_close(void);

#endif /* TOP_SCREEN_H */
