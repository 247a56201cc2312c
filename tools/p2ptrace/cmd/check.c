// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace check: run a command, and fail if what happened to peer memory meanwhile is not what it should be.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "event/expect.h"
#include "event/output.h"
#include "lib/clock.h"
#include "lib/hist.h"
#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/text.h"
#include "lib/units.h"
#include "session/counter.h"

#define SETTLE_DEFAULT NSEC_PER_SEC
#define MAX_EXPECTATIONS 64

/* What must not be, whatever is expected: as the programs see it happen, and as it is at the end. */
enum violation { LEAK = P2PTRACE_NR_VIOLATIONS, MAPPED, STALL, LOST, NR_VIOLATIONS };

static const struct {
	const char *name;
	const char *words;
} violations[NR_VIOLATIONS] = {
	[P2PTRACE_MAP_AFTER_FREE] = { "map_after_free", "DMA mappings of buffers that had been freed, or were none" },
	[P2PTRACE_DOUBLE_MAP] = { "double_map", "DMA mappings of what the same client had mapped already" },
	[P2PTRACE_LATE_UNMAP] = { "late_unmap", "DMA mappings that ended after their buffer was freed" },
	[P2PTRACE_UNMAP_WITHOUT_MAP] = { "unmap_without_map", "ends of DMA mappings that had not been made" },
	[P2PTRACE_FREE_WITHOUT_ALLOC] = { "free_without_alloc", "frees of buffers that had not been allocated" },
	[P2PTRACE_HELD_TOO_LONG] = { "held_too_long", "buffers that were held for longer than --older-than; p2ptrace trace --lives "
				     "--min-us shows such" },
	[LEAK] = { "leak", "buffers that were allocated and have not come back; p2ptrace leaks, started "
		   "before, shows from where" },
	[MAPPED] = { "mapped", "DMA mappings that were made and have not ended" },
	[STALL] = { "drain_stall", "times that a removal had to wait for buffers for ten seconds" },
	[LOST] = { "lost", "events that could not be counted" },
};

struct options {
	struct common_options common;
	struct expectation expectations[MAX_EXPECTATIONS];
	size_t nr;
	uint64_t settle_ns, older_than_ns;
	bool allowed[NR_VIOLATIONS];
	const char *output;
	char **command;		/* NULL-terminated */
	bool list;
};

enum {
	OPT_EXPECT = OPT_OWN, OPT_SETTLE, OPT_OLDER_THAN, OPT_ALLOW, OPT_OUTPUT, OPT_LIST_METRICS,
};

static const struct argp_option option_table[] = {
	{ "expect", OPT_EXPECT, "'METRIC OP N'", 0,
	  "Expect a count to be so when the command has ended; OP is ==, !=, <, <=, > or >=; may be repeated", 2 },
	{ "settle", OPT_SETTLE, "SECONDS", 0,
	  "How long to wait, after the command, for all to become as it should be (default 1)", 3 },
	{ "older-than", OPT_OLDER_THAN, "SECONDS", 0,
	  "Call it a violation if a buffer is held for longer, whether or not it comes back then", 3 },
	{ "allow", OPT_ALLOW, "VIOLATION", 0,
	  "Show this violation (such as double_map, for a client that may map a buffer twice), but do not fail for it; may be "
	  "repeated", 3 },
	{ "output", OPT_OUTPUT, "FILE", 0, "Write the report there, and not to standard output after the command's", 4 },
	{ "list-metrics", OPT_LIST_METRICS, NULL, 0, "Print what can be expected on this kernel, and end", 5 },
	{}
};

static int parse_expect(struct options *o, const char *arg)
{
	if (o->nr == MAX_EXPECTATIONS)
		return fail(EXIT_USAGE, "there are more than %d expectations; run the check once more for the rest",
			    MAX_EXPECTATIONS);
	return expect_parse(&o->expectations[o->nr++], arg);
}

static int parse_allow(struct options *o, const char *arg)
{
	char names[512] = "";

	for (int v = 0; v < NR_VIOLATIONS; v++) {
		size_t used = strlen(names);

		if (!strcmp(violations[v].name, arg)) {
			o->allowed[v] = true;
			return 0;
		}
		snprintf(names + used, sizeof(names) - used, "%s%s", v ? ", " : "", violations[v].name);
	}
	return fail(EXIT_USAGE, "--allow '%s' is no violation; it could be %s", arg, names);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	int err;

	switch (key) {
	case ARGP_KEY_INIT:
		o->settle_ns = SETTLE_DEFAULT;
		return options_init(state, &o->common);
	case OPT_EXPECT:
		o->common.status = parse_expect(o, arg);
		break;
	case OPT_SETTLE:
		err = number_parse_seconds(arg, &o->settle_ns);
		if (err)
			o->common.status = options_bad_number("settle", arg, err, "5 or 0 (seconds)");
		break;
	case OPT_OLDER_THAN:
		err = number_parse_seconds(arg, &o->older_than_ns);
		if (err || !o->older_than_ns)
			o->common.status = options_bad_number("older-than", arg, err, "10 or 0.5 (seconds)");
		break;
	case OPT_ALLOW:
		o->common.status = parse_allow(o, arg);
		break;
	case OPT_OUTPUT:
		o->output = arg;
		return 0;
	case OPT_LIST_METRICS:
		o->list = true;
		return 0;
	case ARGP_KEY_ARG:
		/* All of it is the command's: ARGP_KEY_ARGS */
		return ARGP_ERR_UNKNOWN;
	case ARGP_KEY_ARGS:
		/* What looks like an option of the command would be taken for one of ours */
		if (!state->quoted || state->next != state->quoted)
			o->common.status = fail(EXIT_USAGE, "put -- in front of the command; see 'p2ptrace check --help'");
		o->command = state->argv + state->next;
		break;
	case ARGP_KEY_END:
		if (!o->command && !o->list && !o->common.help)
			o->common.status = fail(EXIT_USAGE, "no command given; see 'p2ptrace check --help'");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return o->common.status ? EINVAL : 0;
}

static const struct argp_child children[] = {
	{ .argp = &options_base }, {}
};

static const struct argp argp = {
	.options = option_table,
	.parser = parse,
	.children = children,
	.args_doc = "-- COMMAND [ARGUMENT...]",
	.doc = "Run COMMAND, and say whether peer memory was used as it should be: the command succeeds, what was allocated "
	       "meanwhile has come back, what was mapped was unmapped, no event was lost, and all that is expected is so.\v"
	       "Violations are always looked for: buffers that have not come back (leak), DMA mappings that have not ended "
	       "(mapped), that were made twice by one client (double_map), of what was freed (map_after_free), ended after "
	       "their buffer was freed (late_unmap), or never begun (unmap_without_map), frees without an allocation "
	       "(free_without_alloc), removals that had to wait (drain_stall), events that were lost (lost), and with "
	       "--older-than buffers held for longer (held_too_long). What was there before is none of them. Counts are of "
	       "the time while the command ran, whoever it was; held and pinned are of its end. See "
	       "--list-metrics for their names. With --json, the report is one object.\n\n"
	       "Exit status: 0 all is as it should be, 1 something is not, 2 bad usage, 3 this kernel or these privileges "
	       "cannot do it, 4 anything else.",
};

struct check {
	const struct options *options;
	struct counter counter;
	struct sample start, now, difference;
	pid_t child;
	bool ended;		/* the command */
	bool judged;		/* it had its time to settle */
	int wait_status;
	uint64_t settle_until_ns;
	uint64_t counts[NR_VIOLATIONS];
	struct counter_live live;
	int status;
};

/* While all is attached: what ends is only seen then. */
static void find_violations(struct check *c)
{
	struct counter_live *live = &c->live;

	memcpy(c->counts, c->difference.counts.violations, sizeof(c->difference.counts.violations));
	counter_live(&c->counter, live);
	c->counts[P2PTRACE_HELD_TOO_LONG] += live->older;
	c->counts[LEAK] = live->buffers;
	c->counts[MAPPED] = live->mappings;
	c->counts[STALL] = c->difference.counts.events[P2PTRACE_p2pmem_drain_stall];
	c->counts[LOST] = c->difference.lost;
}

static bool expectation_met(const struct check *c, const struct expectation *expectation, uint64_t *value)
{
	*value = metric_value(metrics_find(&c->counter.metrics, expectation->metric), &c->difference);
	return expect_met(expectation, *value);
}

static bool command_failed(const struct check *c)
{
	return !WIFEXITED(c->wait_status) || WEXITSTATUS(c->wait_status);
}

static size_t nr_failed(const struct check *c)
{
	size_t failed = command_failed(c);
	uint64_t value;

	for (int v = 0; v < NR_VIOLATIONS; v++)
		failed += c->counts[v] > 0 && !c->options->allowed[v];
	for (size_t i = 0; i < c->options->nr; i++)
		failed += !expectation_met(c, &c->options->expectations[i], &value);
	return failed;
}

static int take_stock(struct check *c)
{
	int rc = counter_sample(&c->counter, &c->now);

	if (rc)
		return rc;
	sample_difference(&c->difference, &c->now, &c->start);
	find_violations(c);
	return 0;
}

/* Every few milliseconds. Once the command has ended, until all is well, or it has had its time. */
static enum session_verdict check_pause(void *ctx)
{
	struct check *c = ctx;

	if (!c->ended) {
		pid_t pid = waitpid(c->child, &c->wait_status, WNOHANG);

		if (!pid || (pid < 0 && errno == EINTR))
			return SESSION_GO_ON;
		c->ended = true;
		if (pid < 0) {
			c->status = fail(EXIT_OTHER, "cannot tell how the command ended: %s", strerror(errno));
			return SESSION_STOP;
		}
		if (__builtin_add_overflow(clock_now_ns(), c->options->settle_ns, &c->settle_until_ns))
			c->settle_until_ns = UINT64_MAX;
	}
	c->status = take_stock(c);
	if (!c->status && nr_failed(c) != command_failed(c) && clock_now_ns() < c->settle_until_ns)
		return SESSION_GO_ON;
	c->judged = true;
	return SESSION_STOP;
}

/* The command as if it had been started without us. Tells by the pipe why it cannot be. */
static void run_child(char **command, int pipe_fd)
{
	int err;

	/* What is caught, exec() puts back; what is ignored stays so */
	signal(SIGPIPE, SIG_DFL);
	execvp(command[0], command);
	err = errno;
	(void)!write(pipe_fd, &err, sizeof(err));
	_exit(127);
}

static int start_child(struct check *c)
{
	char **command = c->options->command;
	int fds[2], err = 0;
	char name[128];

	if (pipe2(fds, O_CLOEXEC))
		return fail(EXIT_OTHER, "cannot make a pipe: %s", strerror(errno));
	fflush(NULL);
	/* If it were ignored, as it may have been when we were started, there would be nothing to wait for */
	signal(SIGCHLD, SIG_DFL);
	c->child = fork();
	if (!c->child)
		run_child(command, fds[1]);
	close(fds[1]);
	if (c->child < 0)
		err = errno;
	else if (read(fds[0], &err, sizeof(err)) == sizeof(err))
		waitpid(c->child, NULL, 0);
	close(fds[0]);
	if (!err)
		return 0;
	c->ended = true;
	text_printable(name, sizeof(name), command[0], strlen(command[0]));
	return fail(c->child < 0 ? EXIT_OTHER : EXIT_USAGE, "cannot run '%s': %s", name, strerror(err));
}

/* Who interrupts us wants the command to end as well. */
static void end_child(struct check *c)
{
	if (c->ended)
		return;
	kill(c->child, SIGTERM);
	while (waitpid(c->child, NULL, 0) < 0 && errno == EINTR)
		;
	c->ended = true;
}

static void command_text(const struct check *c, char *text, size_t size)
{
	if (WIFEXITED(c->wait_status))
		snprintf(text, size, "exit status %d", WEXITSTATUS(c->wait_status));
	else
		snprintf(text, size, "killed by signal %d (%s)", WTERMSIG(c->wait_status), strsignal(WTERMSIG(c->wait_status)));
}

/* The first of a kind; false if it is not known. */
static bool first_of(struct check *c, int v, struct p2ptrace_first *first)
{
	if (v < P2PTRACE_NR_VIOLATIONS)
		return counter_first(&c->counter, v, first);
	if (v != LEAK && v != MAPPED)
		return false;
	*first = v == LEAK ? c->live.first_buffer : c->live.first_mapping;
	return c->counts[v];
}

/* "; the first: p2pmem0 id=17, client 0000:04:00.0, by fio-123"; nothing if it is not known. */
static void first_text(struct check *c, int v, char *text, size_t size)
{
	char dev[4 * P2PTRACE_NAME_LEN + 1], client[4 * P2PTRACE_NAME_LEN + 1], comm[4 * P2PTRACE_COMM_LEN + 1];
	struct p2ptrace_first first;
	char held[32] = "";

	*text = '\0';
	if (!first_of(c, v, &first))
		return;
	text_word(dev, sizeof(dev), first.dev.s, strlen(first.dev.s));
	text_word(client, sizeof(client), first.client.s, strlen(first.client.s));
	text_word(comm, sizeof(comm), first.comm, strlen(first.comm));
	if (first.held_ns)
		hist_time(first.held_ns, held, sizeof(held));
	snprintf(text, size, "; the first: %s id=%" PRIu64 "%s%s%s%s, by %s-%" PRIu32, dev, (uint64_t)first.id,
		 *client ? ", client " : "", client, *held ? ", held for " : "", held, comm, first.pid);
}

static void report_text(struct check *c, FILE *out)
{
	char first[512];
	size_t failed = nr_failed(c);
	char ended[128];

	command_text(c, ended, sizeof(ended));
	fprintf(out, "%-6s the command: %s\n", command_failed(c) ? "FAILED" : "ok", ended);
	for (int v = 0; v < NR_VIOLATIONS; v++) {
		if (!c->counts[v])
			continue;
		first_text(c, v, first, sizeof(first));
		fprintf(out, "%s %s: it is %" PRIu64 " (%s%s)\n", c->options->allowed[v] ? "allowed" : "FAILED",
			violations[v].name, c->counts[v], violations[v].words, first);
	}
	for (size_t i = 0; i < c->options->nr; i++) {
		const struct expectation *e = &c->options->expectations[i];
		uint64_t value;
		bool met = expectation_met(c, e, &value);

		fprintf(out, "%-6s %s %s %" PRIu64 ": it is %" PRIu64 "\n", met ? "ok" : "FAILED", e->metric,
			expect_op_text(e->op), e->value, value);
	}
	fprintf(out, "# %" PRIu64 " events in %.3f s, %" PRIu64 " lost; %zu failed\n", sample_events(&c->difference),
		(double)c->difference.ts_ns / NSEC_PER_SEC, c->difference.lost, failed);
}

static struct json_object *json_command(const struct check *c)
{
	struct json_object *command = json_object_new_object(), *words = json_object_new_array();
	bool exited = WIFEXITED(c->wait_status);

	for (char **word = c->options->command; *word; word++)
		json_object_array_add(words, output_json_string(*word));
	json_object_object_add(command, "argv", words);
	json_object_object_add(command, "status", exited ? json_object_new_int(WEXITSTATUS(c->wait_status)) : NULL);
	json_object_object_add(command, "signal", exited ? NULL : json_object_new_int(WTERMSIG(c->wait_status)));
	return command;
}

static struct json_object *json_expectation(const struct check *c, const struct expectation *e)
{
	struct json_object *object = json_object_new_object();
	uint64_t value;
	bool met = expectation_met(c, e, &value);
	char text[128];

	snprintf(text, sizeof(text), "%s %s %" PRIu64, e->metric, expect_op_text(e->op), e->value);
	json_object_object_add(object, "expect", output_json_string(text));
	json_object_object_add(object, "value", json_object_new_uint64(value));
	json_object_object_add(object, "met", json_object_new_boolean(met));
	return object;
}

static struct json_object *json_first(const struct p2ptrace_first *first)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "dev", output_json_string(first->dev.s));
	json_object_object_add(object, "id", json_object_new_uint64(first->id));
	json_object_object_add(object, "client", *first->client.s ? output_json_string(first->client.s) : NULL);
	json_object_object_add(object, "held_ns", first->held_ns ? json_object_new_uint64(first->held_ns) : NULL);
	json_object_object_add(object, "pid", json_object_new_uint64(first->pid));
	json_object_object_add(object, "comm", output_json_string(first->comm));
	return object;
}

static int report_json(struct check *c, FILE *out)
{
	struct json_object *document = json_object_new_object(), *expected = json_object_new_array();
	struct json_object *found = json_object_new_object(), *metrics = json_object_new_object();
	struct json_object *firsts = json_object_new_object(), *allowed = json_object_new_array();
	struct p2ptrace_first first;

	for (int v = 0; v < NR_VIOLATIONS; v++) {
		if (!c->counts[v])
			continue;
		json_object_object_add(found, violations[v].name, json_object_new_uint64(c->counts[v]));
		if (c->options->allowed[v])
			json_object_array_add(allowed, json_object_new_string(violations[v].name));
		if (first_of(c, v, &first))
			json_object_object_add(firsts, violations[v].name, json_first(&first));
	}
	for (size_t i = 0; i < c->options->nr; i++)
		json_object_array_add(expected, json_expectation(c, &c->options->expectations[i]));
	for (size_t i = 0; i < c->counter.metrics.nr; i++)
		json_object_object_add(metrics, c->counter.metrics.metrics[i].name,
				       json_object_new_uint64(metric_value(&c->counter.metrics.metrics[i], &c->difference)));
	json_object_object_add(document, "event", json_object_new_string("check"));
	json_object_object_add(document, "failed", json_object_new_uint64(nr_failed(c)));
	json_object_object_add(document, "command", json_command(c));
	json_object_object_add(document, "mode", json_object_new_string(event_set_mode(&c->counter.set)));
	json_object_object_add(document, "violations", found);
	json_object_object_add(document, "allowed", allowed);
	json_object_object_add(document, "first", firsts);
	json_object_object_add(document, "expectations", expected);
	json_object_object_add(document, "interval_ns", json_object_new_uint64(c->difference.ts_ns));
	json_object_object_add(document, "metrics", metrics);
	return output_json_document(document, out);
}

static int report(struct check *c, FILE *out)
{
	int rc = 0;

	if (c->options->common.json)
		rc = report_json(c, out);
	else
		report_text(c, out);
	/* A reader that has gone has had enough; the verdict stands */
	if (!rc && fflush(out) && errno != EPIPE)
		rc = fail(EXIT_OTHER, "cannot write the report%s%s: %s", c->options->output ? " to " : "",
			  c->options->output ?: "", strerror(errno));
	if (!rc && nr_failed(c))
		rc = EXIT_CHECK;
	return rc;
}

static int check_metrics(const struct check *c)
{
	for (size_t i = 0; i < c->options->nr; i++)
		if (!metrics_find(&c->counter.metrics, c->options->expectations[i].metric))
			return fail(EXIT_USAGE, "there is no metric '%s' on this kernel%s; see 'p2ptrace check --list-metrics'",
				    c->options->expectations[i].metric, c->options->common.want.dev ? " with --dev" : "");
	return 0;
}

static int check_session(struct check *c, FILE *out)
{
	struct session_config config = {
		.interval_ns = 20 * NSEC_PER_MSEC,
		.pause = check_pause,
		.ctx = c,
	};
	int rc;

	c->counter.older_than_ns = c->options->older_than_ns;
	rc = counter_start(&c->counter, &config, true);

	if (!rc)
		rc = counter_sample(&c->counter, &c->start);
	if (!rc && interrupted())
		rc = fail(EXIT_OTHER, "interrupted before the command was run; run it again");
	if (!rc)
		rc = start_child(c);
	if (rc)
		return rc;
	rc = session_run(&c->counter.session);
	end_child(c);
	if (!rc)
		rc = c->status;
	if (!rc && !c->judged)
		rc = fail(EXIT_OTHER, "interrupted before there was a verdict; run it again, and let the command end");
	if (rc)
		return rc;
	/* Detached by now: what was lost is final */
	c->difference.lost = c->counter.session.lost.total;
	/* How many are lost is an estimate, and may be put right */
	c->difference.lost -= c->start.lost < c->difference.lost ? c->start.lost : c->difference.lost;
	c->counts[LOST] = c->difference.lost;
	return report(c, out);
}

int cmd_check(int argc, char **argv)
{
	struct options o = {};
	struct check c = { .options = &o };
	FILE *out = stdout;
	int rc;

	if (!options_parse(&argp, argc, argv, &o, &o.common, &rc))
		return rc;
	rc = counter_open(&c.counter, &o.common.want, !o.list);
	if (!rc && o.list) {
		metrics_print(&c.counter.metrics);
	} else if (!rc) {
		rc = check_metrics(&c);
		if (!rc && o.output) {
			out = fopen(o.output, "we");
			if (!out)
				rc = fail(EXIT_OTHER, "cannot write to %s: %s", o.output, strerror(errno));
		}
		if (!rc)
			rc = check_session(&c, out);
		if (out && out != stdout && fclose(out) && rc <= EXIT_CHECK)
			rc = fail(EXIT_OTHER, "cannot write the report to %s: %s", o.output, strerror(errno));
	}
	counter_close(&c.counter);
	return rc;
}
