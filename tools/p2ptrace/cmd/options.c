// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cmd/options.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/text.h"
#include "machine/kernel.h"
#include "p2ptrace.h"
#include "session/session.h"

#define BUFFER_DEFAULT (4ull << 20)	/* the kernel maps it twice, and all of it is resident */
#define BUFFER_MAX (1ull << 30)

int options_bad_number(const char *what, const char *value, int err, const char *example)
{
	return fail(EXIT_USAGE, "%s '%s' is %s; give a number such as %s", what, value,
		    err == -ERANGE ? "out of range" : !err ? "too small" : "not a number", example);
}

int options_set_optional(const char *option, struct optional_number *to, uint64_t value,
			 const char *text)
{
	if (to->given && to->value != value)
		return fail(EXIT_USAGE,
			    "%s is given twice, and '%s' differs from the first value; give it "
			    "once",
			    option, text);
	*to = (struct optional_number){ value, true };
	return 0;
}

int options_set_number(const char *option, uint64_t *to, uint64_t value, const char *text)
{
	struct optional_number number = { *to, *to };

	*to = value;
	return options_set_optional(option, &number, value, text);
}

int options_set_text(const char *option, const char **to, const char *value)
{
	if (*to && strcmp(*to, value))
		return fail(EXIT_USAGE, "%s is given twice ('%s', '%s'); give it once", option, *to,
			    value);
	*to = value;
	return 0;
}

static int set_json(void *to, const char *value)
{
	struct common_options *o = to;

	(void)value;
	o->json = true;
	return 0;
}

static int set_help(void *to, const char *value)
{
	struct common_options *o = to;

	(void)value;
	o->help = true;
	return 0;
}

static int set_verbose(void *to, const char *value)
{
	struct common_options *o = to;

	(void)value;
	o->verbose = true;
	return 0;
}

static int set_dev(void *to, const char *value)
{
	struct common_options *o = to;

	return options_set_text("--dev", &o->want.dev, value);
}

static int set_client(void *to, const char *value)
{
	struct common_options *o = to;

	return options_set_text("--client", &o->want.client, value);
}

static int set_duration(void *to, const char *value)
{
	struct common_options *o = to;
	uint64_t ns;
	int err = number_parse_seconds(value, &ns);

	if (err || !ns)
		return options_bad_number("--duration", value, err, "10 or 0.5 (seconds)");
	return options_set_number("--duration", &o->duration_ns, ns, value);
}

static int set_pid(void *to, const char *value)
{
	struct common_options *o = to;
	uint64_t pid;
	int err = number_parse(value, &pid);

	if (!err && pid > INT32_MAX)
		err = -ERANGE;
	if (err || !pid)
		return options_bad_number("--pid", value, err, "1234");
	return options_set_number("--pid", &o->want.pid, pid, value);
}

static int set_min_size(void *to, const char *value)
{
	struct common_options *o = to;
	uint64_t size;
	int err = number_parse_size(value, &size);

	if (err || !size)
		return options_bad_number("--min-size", value, err, "4096 or 64K");
	return options_set_number("--min-size", &o->want.min_size, size, value);
}

static int set_comm(void *to, const char *value)
{
	struct common_options *o = to;

	/* The kernel has room for 15 bytes and a NUL */
	if (!*value || strlen(value) >= P2PTRACE_COMM_LEN)
		return fail(EXIT_USAGE,
			    "--comm '%s': the name of a task has 1 to %d bytes; see /proc/PID/comm",
			    value, P2PTRACE_COMM_LEN - 1);
	return options_set_text("--comm", &o->want.comm, value);
}

static int set_buffer(void *to, const char *arg)
{
	struct common_options *o = to;
	uint64_t wanted, size = sysconf(_SC_PAGESIZE);
	int err = number_parse_size(arg, &wanted);

	if (!err && wanted > BUFFER_MAX)
		err = -ERANGE;
	if (err || !wanted)
		return options_bad_number("--buffer", arg, err, "8M (1G at most)");
	/* The kernel takes powers of two that are whole pages */
	while (size < wanted)
		size <<= 1;
	return options_set_number("--buffer", &o->buffer_bytes, size, arg);
}

static int set_event(void *to, const char *arg)
{
	struct common_options *o = to;

	o->events_given = true;
	return events_select(&o->events, arg, "see 'p2ptrace trace --list-events'");
}

const struct arg_option options_json[] = {
	{ "json", 0, NULL, "Print JSON", set_json },
	{}
};

const struct arg_option options_dev[] = {
	{ "dev", 0, "DEVICE",
	  "Only this p2pmem device (p2pmem0) or provider (0000:01:00.0, nvme0)",
	  set_dev },
	{}
};

const struct arg_option options_client[] = {
	{ "client", 0, "DEVICE",
	  "Only this client (0000:02:00.0, 02:00.0, nvme1, eth0)",
	  set_client },
	{}
};

/*
 * For commands that look at each event alone: one task may allocate a buffer and another one free
 * it.
 */
const struct arg_option options_task[] = {
	{ "pid", 0, "PID",
	  "Only events in this process; an interrupt counts as the process that it interrupts",
	  set_pid },
	{ "comm", 0, "NAME", "Only events in tasks with this name (/proc/PID/comm)", set_comm },
	{ "min-size", 0, "SIZE", "Only events of at least SIZE bytes (4096, 64K)", set_min_size },
	{}
};

const struct arg_option options_duration[] = {
	{ "duration", 0, "SECONDS", "Stop after this time; fractions are allowed", set_duration },
	{}
};

const struct arg_option options_event[] = {
	{ "event", 0, "NAME[,NAME...]",
	  "Only these events; an unambiguous prefix is enough; may be repeated",
	  set_event },
	{}
};

const struct arg_option options_buffer[] = {
	{ "buffer", 0, "SIZE",
	  "Size of the ring buffer (default 4M), with K, M or G; rounded up to a power of two",
	  set_buffer },
	{}
};

const struct arg_option options_general[] = {
	{ "verbose", 'v', NULL, "Show the messages of libbpf", set_verbose },
	{ "help", 'h', NULL, "Print this help", set_help },
	{}
};

const struct arg_option options_help[] = {
	{ "help", 'h', NULL, "Print this help", set_help },
	{}
};

bool options_parse(const struct args *args, int argc, char **argv, struct common_options *options,
		   int *status)
{
	*status = args_parse(args, argc, argv, options);
	if (*status)
		return false;
	if (options->help) {
		args_help(args, argv[0]);
		return false;
	}
	session_set_verbose(options->verbose);
	return true;
}

int options_set_interval(void *to, const char *value)
{
	struct common_options *o = to;
	int err;

	switch (o->nr_args++) {
	case 0:
		err = number_parse_seconds(value, &o->interval_ns);
		return !err && o->interval_ns ? 0 :
		       options_bad_number("INTERVAL", value, err, "1 or 0.5 (seconds)");
	case 1:
		err = number_parse(value, &o->count);
		return !err && o->count ? 0 : options_bad_number("COUNT", value, err, "10");
	default:
		return fail(EXIT_USAGE, "'%s' is one argument too many; give only INTERVAL and "
			    "COUNT", value);
	}
}

void options_note_lost(struct buffer *text, const struct lost *lost, const char *when)
{
	output_lost_detail(text, lost);
	note("%" PRIu64 " event%s lost %s (%s)%s", lost->total, PLURAL(lost->total), when,
	     buffer_text(text), lost->total > lost->nested ?
	     "; use a larger --buffer, or select fewer events (--event, --dev)" : "");
	buffer_reset(text);
}

void options_default_buffer(struct common_options *o)
{
	if (!o->buffer_bytes)
		o->buffer_bytes = BUFFER_DEFAULT;
}

/* A ring buffer that is too large would make the kernel kill other processes. */
int options_check_buffer(const struct common_options *o, const char *meminfo)
{
	uint64_t available = kernel_available_memory(meminfo), fits = sysconf(_SC_PAGESIZE);

	if (o->buffer_bytes <= available / 2)
		return 0;
	while (fits * 2 <= available / 2)
		fits *= 2;
	return fail(EXIT_USAGE,
		    "a buffer of %" PRIu64 "K is more than half of the %" PRIu64 "K of memory "
		    "that this machine has available; use --buffer %" PRIu64 "K",
		    o->buffer_bytes >> 10, available >> 10, fits >> 10);
}
