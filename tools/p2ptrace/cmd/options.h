/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options that subcommands share. A subcommand lists those that make sense for it in its groups.
 * Its own options are in a struct that begins with struct common_options, so that the setters of
 * both get the same pointer.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "event/events.h"
#include "event/output.h"
#include "lib/args.h"
#include "lib/buffer.h"
#include "session/select.h"

struct common_options {
	bool json, help, verbose;
	struct selection want;
	uint64_t duration_ns;	/* 0: not given */
	/* Of the commands that get a record for each event */
	struct event_set events;
	bool events_given;
	uint64_t buffer_bytes;	/* 0: not given */
	/* Of the commands that print at intervals; 0: not given */
	uint64_t interval_ns, count;
	unsigned int nr_args;
};

/* Of a command that does not judge. */
#define OPTIONS_EXIT_STATUS \
	"Exit status: 0 fine, 2 bad usage, 3 this kernel or these privileges cannot do it, " \
	"4 any other error."

/* Tables for the groups of a command. */
extern const struct arg_option options_json[], options_dev[], options_client[], options_task[],
	options_duration[], options_event[], options_buffer[], options_general[], options_help[];

/*
 * Parses the command line of a subcommand into @options. False if there is nothing left to do: then
 * *status is the exit status.
 */
bool options_parse(const struct args *args, int argc, char **argv, struct common_options *options,
		   int *status);

/*
 * For setters; all return 0 or an exit status after saying what is wrong. An option may be given
 * again with the same value, but not with another one. @err is the result of a parser in
 * lib/number.h, 0 if the number is too small.
 */
int options_bad_number(const char *what, const char *value, int err, const char *example);
int options_set_number(const char *option, uint64_t *to, uint64_t value, const char *text);
int options_set_text(const char *option, const char **to, const char *value);

/* As options_set_number(), for an option that may be 0. */
struct optional_number {
	uint64_t value;
	bool given;
};

int options_set_optional(const char *option, struct optional_number *to, uint64_t value,
			 const char *text);

/* For args.argument: takes INTERVAL, then COUNT. */
int options_set_interval(void *to, const char *value);

/*
 * Prints how many events were lost, and what to do about it. @when: "so far" or "in all". @text is
 * used, and is empty afterwards.
 */
void options_note_lost(struct buffer *text, const struct lost *lost, const char *when);

void options_default_buffer(struct common_options *options);
/*
 * Whether the ring buffer fits into the memory: one that is too large would make the kernel kill
 * other processes. 0 or an exit status.
 */
int options_check_buffer(const struct common_options *options, const char *meminfo);

#endif /* OPTIONS_H */
