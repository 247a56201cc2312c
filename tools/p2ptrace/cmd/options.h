/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options that tracing subcommands share. One has options_base, and those of the others that make sense for it, as the
 * children of its argp, and calls options_init() on ARGP_KEY_INIT; its own keys begin with OPT_OWN.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "session/select.h"

struct common_options {
	bool json, help, verbose;
	struct selection want;
	uint64_t duration_ns;	/* 0: not given */
	int status;		/* of the first error */
};

#define OPT_OWN 512

extern const struct argp options_base, options_client, options_duration, options_task;

/*
 * Parses the command line of a tracing subcommand into @input, of which @common is a part, and does what all of them do
 * with it. False if there is nothing left to do; then *status is what to end with.
 */
bool options_parse(const struct argp *argp, int argc, char **argv, void *input, struct common_options *common, int *status);

error_t options_init(struct argp_state *state, struct common_options *common);

/* For the parsers of numbers: @err is theirs, 0 if the number is too small. Both return 0 or an exit status. */
int options_bad_number(const char *option, const char *arg, int err, const char *example);
int options_set_number(const char *option, uint64_t *to, uint64_t value, const char *arg);

#endif /* OPTIONS_H */
