/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line of a subcommand. One table of options drives parsing and --help.
 */
#ifndef ARGS_H
#define ARGS_H

#include <stdbool.h>

struct arg_option {
	const char *name;	/* long; any unambiguous prefix is enough */
	char letter;		/* short, 0: none */
	const char *value;	/* what --help calls its argument; NULL: it takes none */
	const char *help;
	/* Takes the argument. Returns 0, or an exit status after saying what is wrong. */
	int (*set)(void *to, const char *value);
};

struct arg_group {
	const char *title;	/* in --help; NULL: the group continues the one before */
	const struct arg_option *options;	/* the last one has no name */
};

struct args {
	const char *usage;	/* printed after "p2ptrace COMMAND [OPTION...]" */
	const char *summary;	/* one sentence */
	const struct arg_group *groups;		/* the last one has no options */
	/* Takes an argument that is not an option, as set() does. NULL: there is none. */
	int (*argument)(void *to, const char *value);
	/* Instead, takes the command to run, after a "--". The words end with NULL. */
	void (*command)(void *to, char **words);
	const char *notes;	/* paragraphs that end in a newline each */
	void (*print_more)(void);	/* after the notes; may be NULL */
	const char *exit_status;
	const char *examples;	/* a command in each line */
};

/* argv[0] is the subcommand. Returns 0, or an exit status after saying what is wrong. */
int args_parse(const struct args *args, int argc, char **argv, void *to);

void args_help(const struct args *args, const char *command);

/* A line of a list: a name, and words that are wrapped beside it. */
void args_print_item(int width, const char *name, const char *words);

#endif /* ARGS_H */
