/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ARGS_H
#define ARGS_H

#include <argp.h>

/*
 * argp_parse() for the subcommand argv[0], with every error one line that ends in the next step. The parser of @argp
 * is to use fail() for its own errors, keep the status and return EINVAL. Returns 0, EINVAL after such an error, or
 * EBADMSG after an error in the syntax, which has been reported.
 */
int args_parse(const struct argp *argp, int argc, char **argv, void *input);

/* To be called for ARGP_KEY_INIT, before anything can fail. */
void args_init(struct argp_state *state);

void args_help(const struct argp *argp, const char *command);

#endif /* ARGS_H */
