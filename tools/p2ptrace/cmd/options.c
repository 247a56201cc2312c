// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "cmd/options.h"
#include "lib/args.h"
#include "lib/log.h"
#include "lib/number.h"
#include "p2ptrace.h"
#include "session/session.h"

enum {
	OPT_JSON = 256, OPT_DEV, OPT_CLIENT, OPT_DURATION, OPT_PID, OPT_COMM, OPT_MIN_SIZE,
};

static const struct argp_option base_table[] = {
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 1 },
	{ "dev", OPT_DEV, "DEVICE", 0,
	  "Only what is about this p2pmem device (p2pmem0), which includes events that name just its provider, or about "
	  "this provider (0000:01:00.0, or nvme0); leaves out events that have neither dev nor provider", 2 },
	{ "verbose", 'v', NULL, 0, "Show what libbpf says", 5 },
	{ "help", 'h', NULL, 0, "Print this help", 5 },
	{}
};

static const struct argp_option client_table[] = {
	{ "client", OPT_CLIENT, "DEVICE", 0,
	  "Only what is about this client (0000:02:00.0, just 02:00.0, or what it is known by: nvme0, eth0); leaves out "
	  "events that have no client", 2 },
	{}
};

/* Only for what looks at each event by itself: who frees a buffer need not be who has allocated it. */
static const struct argp_option task_table[] = {
	{ "pid", OPT_PID, "PID", 0,
	  "Only what happens in this process; of an event in an interrupt, that is the one that was interrupted", 2 },
	{ "comm", OPT_COMM, "NAME", 0, "Only what happens in tasks of this name (/proc/PID/comm)", 2 },
	{ "min-size", OPT_MIN_SIZE, "SIZE", 0,
	  "Only what is about so many bytes or more (64K); leaves out events that have no size", 2 },
	{}
};

static const struct argp_option duration_table[] = {
	{ "duration", OPT_DURATION, "SECONDS", 0, "End after this time; fractions are allowed", 3 },
	{}
};

int options_bad_number(const char *option, const char *arg, int err, const char *example)
{
	return fail(EXIT_USAGE, "--%s: '%s' is %s; give a number such as %s", option, arg,
		    err == -ERANGE ? "out of range" : !err ? "too small" : "not a number", example);
}

int options_set_number(const char *option, uint64_t *to, uint64_t value, const char *arg)
{
	if (*to && *to != value)
		return fail(EXIT_USAGE, "--%s is given twice, and '%s' is not what it was; give it once", option, arg);
	*to = value;
	return 0;
}

static int set_once(const char *option, const char **to, const char *arg)
{
	if (*to && strcmp(*to, arg))
		return fail(EXIT_USAGE, "--%s is given twice ('%s', '%s'); give it once", option, *to, arg);
	*to = arg;
	return 0;
}

static int parse_duration(struct common_options *o, const char *arg)
{
	uint64_t ns;
	int err = number_parse_seconds(arg, &ns);

	if (err || !ns)
		return options_bad_number("duration", arg, err, "10 or 0.5 (seconds)");
	return options_set_number("duration", &o->duration_ns, ns, arg);
}

static int parse_pid(struct common_options *o, const char *arg)
{
	uint64_t pid;
	int err = number_parse(arg, &pid);

	if (!err && pid > INT32_MAX)
		err = -ERANGE;
	if (err || !pid)
		return options_bad_number("pid", arg, err, "1234");
	return options_set_number("pid", &o->want.pid, pid, arg);
}

static int parse_min_size(struct common_options *o, const char *arg)
{
	uint64_t size;
	int err = number_parse_size(arg, &size);

	if (err || !size)
		return options_bad_number("min-size", arg, err, "4096 or 64K");
	return options_set_number("min-size", &o->want.min_size, size, arg);
}

static int parse_comm(struct common_options *o, const char *arg)
{
	/* The kernel has room for 15 bytes and a NUL */
	if (!*arg || strlen(arg) >= P2PTRACE_COMM_LEN)
		return fail(EXIT_USAGE, "--comm '%s': the name of a task has 1 to %d bytes; see /proc/PID/comm", arg,
			    P2PTRACE_COMM_LEN - 1);
	return set_once("comm", &o->want.comm, arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct common_options *o = state->input;

	switch (key) {
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_DEV:
		o->status = set_once("dev", &o->want.dev, arg);
		break;
	case OPT_CLIENT:
		o->status = set_once("client", &o->want.client, arg);
		break;
	case OPT_PID:
		o->status = parse_pid(o, arg);
		break;
	case OPT_COMM:
		o->status = parse_comm(o, arg);
		break;
	case OPT_MIN_SIZE:
		o->status = parse_min_size(o, arg);
		break;
	case OPT_DURATION:
		o->status = parse_duration(o, arg);
		break;
	case 'v':
		o->verbose = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return o->status ? EINVAL : 0;
}

const struct argp options_base = { .options = base_table, .parser = parse };
const struct argp options_client = { .options = client_table, .parser = parse };
const struct argp options_task = { .options = task_table, .parser = parse };
const struct argp options_duration = { .options = duration_table, .parser = parse };

bool options_parse(const struct argp *argp, int argc, char **argv, void *input, struct common_options *common, int *status)
{
	if (args_parse(argp, argc, argv, input)) {
		*status = common->status ? common->status : EXIT_USAGE;
		return false;
	}
	if (common->help) {
		args_help(argp, argv[0]);
		*status = 0;
		return false;
	}
	session_set_verbose(common->verbose);
	return true;
}

error_t options_init(struct argp_state *state, struct common_options *common)
{
	const struct argp_child *children = state->root_argp->children;

	args_init(state);
	for (size_t i = 0; children[i].argp; i++)
		state->child_inputs[i] = common;
	return 0;
}
