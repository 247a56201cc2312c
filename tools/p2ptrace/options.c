// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "args.h"
#include "log.h"
#include "number.h"
#include "options.h"

enum {
	OPT_JSON = 256, OPT_DEV, OPT_CLIENT, OPT_DURATION,
};

static const struct argp_option base_table[] = {
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 1 },
	{ "dev", OPT_DEV, "DEVICE", 0,
	  "Only what is about this p2pmem device (p2pmem0), which includes events that name just its provider, or about "
	  "this provider (0000:01:00.0); leaves out events that have neither dev nor provider", 2 },
	{ "verbose", 'v', NULL, 0, "Show what libbpf says", 5 },
	{ "help", 'h', NULL, 0, "Print this help", 5 },
	{}
};

static const struct argp_option client_table[] = {
	{ "client", OPT_CLIENT, "PCI-NAME", 0,
	  "Only what is about this client (0000:02:00.0, or just 02:00.0); leaves out events that have no client", 2 },
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
		return options_bad_number("duration", arg, err, "10 or 0.5");
	return options_set_number("duration", &o->duration_ns, ns, arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct common_options *o = state->input;

	switch (key) {
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_DEV:
		o->status = set_once("dev", &o->dev, arg);
		break;
	case OPT_CLIENT:
		o->status = set_once("client", &o->client, arg);
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
const struct argp options_duration = { .options = duration_table, .parser = parse };

error_t options_init(struct argp_state *state, struct common_options *common)
{
	const struct argp_child *children = state->root_argp->children;

	args_init(state);
	for (size_t i = 0; children[i].argp; i++)
		state->child_inputs[i] = common;
	return 0;
}
