// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/args.h"
#include "lib/log.h"

/*
 * argp leaves it to getopt to report an unknown option, which knows best (unknown, ambiguous, lacks its argument) but
 * writes a line of its own to stderr. In glibc that is an ordinary variable, so we read what it wrote and add the
 * next step.
 */
int args_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	char *said = NULL, *line, *command = argv[0], name[] = "p2ptrace";
	FILE *saved = stderr, *stream;
	size_t len = 0;
	int err;

	stream = open_memstream(&said, &len);
	if (!stream)
		return ENOMEM;
	argv[0] = name;
	stderr = stream;
	err = argp_parse(argp, argc, argv, ARGP_NO_HELP, NULL, input);
	stderr = saved;
	argv[0] = command;
	fclose(stream);

	if (len) {
		line = strchr(said, ' ');	/* behind "p2ptrace: " */
		line = line ? line + 1 : said;
		line[strcspn(line, "\n")] = '\0';
		note("%s; see 'p2ptrace %s --help'", line, command);
		err = EBADMSG;
	}
	free(said);
	return err;
}

void args_init(struct argp_state *state)
{
	state->err_stream = NULL;	/* no "Try --help" lines, no exit() */
}

void args_help(const struct argp *argp, const char *command)
{
	char name[64];

	snprintf(name, sizeof(name), "p2ptrace %s", command);
	argp_help(argp, stdout, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK, name);
}
