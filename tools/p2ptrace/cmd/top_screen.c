// SPDX-License-Identifier: GPL-2.0
#include "cmd/top_screen.h"
#include "lib/log.h"

#ifndef HAVE_NCURSES

int top_screen_open(void)
{
	return fail(EXIT_OTHER, "this p2ptrace was built without ncurses and cannot draw on a "
		    "terminal; install it (on Debian: libncurses-dev) and build p2ptrace again, or "
		    "add --batch");
}

void top_screen_size(size_t *width, size_t *height)
{
	*width = *height = 0;
}

void top_screen_draw(const struct top_line *lines, size_t nr)
{
	(void)lines;
	(void)nr;
}

int top_screen_key(unsigned int ms)
{
	(void)ms;
	return TOP_KEY_NONE;
}

void top_screen_close(void)
{
}

#else

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/top_view.h"

/* After the other headers: it defines common words as macros. */
#include <curses.h>

static SCREEN *screen;
static bool colours;
/* Where messages wait, and standard error itself; -1: they do not wait. */
static int waiting = -1, standard_error = -1;

/* A message in the middle of the screen would be overwritten, and lost at the end. */
static void hold_messages(void)
{
	waiting = memfd_create("p2ptrace-messages", MFD_CLOEXEC);
	if (waiting < 0)
		return;
	standard_error = dup(STDERR_FILENO);
	if (standard_error >= 0)
		dup2(waiting, STDERR_FILENO);
}

static void release_messages(void)
{
	char text[1024];
	ssize_t n;

	if (standard_error >= 0) {
		dup2(standard_error, STDERR_FILENO);
		close(standard_error);
		lseek(waiting, 0, SEEK_SET);
		while ((n = read(waiting, text, sizeof(text))) > 0)
			(void)!write(STDERR_FILENO, text, n);
	}
	if (waiting >= 0)
		close(waiting);
	waiting = standard_error = -1;
}

static void set_up_colours(void)
{
	const char *no_color = getenv("NO_COLOR");

	if ((no_color && *no_color) || !has_colors() || start_color() == ERR)
		return;
	use_default_colors();
	init_pair(TOP_GOOD, COLOR_GREEN, -1);
	init_pair(TOP_FAIR, COLOR_YELLOW, -1);
	init_pair(TOP_BAD, COLOR_RED, -1);
	colours = true;
}

int top_screen_open(void)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return fail(EXIT_USAGE, "top needs a terminal for input and output; add --batch to "
			    "write to a file or a pipe");
	if (!term || !*term)
		return fail(EXIT_USAGE, "TERM is not set, so the type of the terminal is unknown; "
			    "set it, or add --batch");
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return fail(EXIT_USAGE, "the terminal type '%.32s' is unknown here; set TERM to a "
			    "type of 'toe', such as vt100, or add --batch", term);
	hold_messages();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	set_up_colours();
	return 0;
}

void top_screen_size(size_t *width, size_t *height)
{
	*width = COLS > 0 ? COLS : 1;
	*height = LINES > 0 ? LINES : 1;
}

static int attributes(enum top_style style)
{
	if (style == TOP_HEAD)
		return A_REVERSE;
	if (colours && style != TOP_PLAIN)
		return COLOR_PAIR(style);
	/* Without colours, errors are bold */
	return style == TOP_BAD ? A_BOLD : A_NORMAL;
}

void top_screen_draw(const struct top_line *lines, size_t nr)
{
	erase();
	for (size_t i = 0; i < nr; i++) {
		attrset(attributes(lines[i].style));
		mvaddnstr(i, 0, lines[i].text, COLS);
		/* The bar goes to the edge */
		if (lines[i].style == TOP_HEAD)
			for (int x = strlen(lines[i].text); x < COLS; x++)
				mvaddch(i, x, ' ');
	}
	attrset(A_NORMAL);
	refresh();
}

int top_screen_key(unsigned int ms)
{
	int key;

	timeout(ms);
	key = getch();
	switch (key) {
	case ERR:
		return TOP_KEY_NONE;
	case KEY_RESIZE:
		return TOP_KEY_RESIZE;
	case KEY_UP:
		return TOP_KEY_UP;
	case KEY_DOWN:
		return TOP_KEY_DOWN;
	case KEY_PPAGE:
		return TOP_KEY_PAGE_UP;
	case KEY_NPAGE:
		return TOP_KEY_PAGE_DOWN;
	case KEY_HOME:
		return TOP_KEY_HOME;
	case KEY_ENTER:
	case '\n':
	case '\r':
		return TOP_KEY_ENTER;
	case KEY_BACKSPACE:
	case 0x7f:
	case '\b':
		return TOP_KEY_BACKSPACE;
	case 0x1b:
		return TOP_KEY_ESCAPE;
	case 'L' & 0x1f:
		/* Something else has written to the terminal */
		clearok(curscr, TRUE);
		return TOP_KEY_RESIZE;
	default:
		return key < 0x100 ? key : TOP_KEY_NONE;
	}
}

void top_screen_close(void)
{
	if (screen) {
		endwin();
		delscreen(screen);
	}
	screen = NULL;
	colours = false;
	release_messages();
}

#endif /* HAVE_NCURSES */
