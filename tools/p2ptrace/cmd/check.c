// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace check: run a command, and fail if it misuses peer memory or an expectation does not
 * hold.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/options_judgement.h"
#include "event/events.h"
#include "event/verdict.h"
#include "lib/buffer.h"
#include "lib/child.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/print.h"
#include "lib/stream.h"
#include "lib/text.h"
#include "lib/units.h"
#include "session/counter.h"

#define SETTLE_DEFAULT NSEC_PER_SEC
#define PATIENCE_NS (5 * NSEC_PER_SEC)	/* with a command that ignores a signal */

struct options {
	struct judgement judgement;
	struct optional_number settle_ns;
	const char *output;
	char **command;		/* ends with NULL */
	bool list;
};

static int set_settle(void *to, const char *value)
{
	struct options *o = to;
	uint64_t ns;
	int err = number_parse_seconds(value, &ns);

	if (err)
		return options_bad_number("--settle", value, err, "5 or 0 (seconds)");
	return options_set_optional("--settle", &o->settle_ns, ns, value);
}

static int set_output(void *to, const char *value)
{
	struct options *o = to;

	return options_set_text("--output", &o->output, value);
}

static int set_list(void *to, const char *value)
{
	struct options *o = to;

	(void)value;
	o->list = true;
	return 0;
}

static void set_command(void *to, char **words)
{
	struct options *o = to;

	o->command = words;
}

static const struct arg_option settle_options[] = {
	{ "settle", 0, "SECONDS",
	  "Wait at most this long, after the command, until the check succeeds (default 1)",
	  set_settle },
	{}
};

static const struct arg_option output_options[] = {
	{ "output", 0, "FILE", "Write the report to FILE, not to standard output", set_output },
	{ "list-metrics", 0, NULL,
	  "Print the names and meanings of the counts on this kernel, and exit",
	  set_list },
	{}
};

static const struct arg_group groups[] = {
	{ "Judgement", options_judgement },
	{ NULL, settle_options },
	{ "Filters", options_dev },
	{ "Output", options_json },
	{ NULL, output_options },
	{ "General", options_general },
	{}
};

static void print_violations(void)
{
	char name[64];

	print("\nViolations:\n");
	for (int v = 0; v < NR_VIOLATIONS; v++) {
		snprintf(name, sizeof(name), "  %s", violation_name(v));
		args_print_item(22, name, violation_help(v));
	}
}

static const struct args args = {
	.usage = "-- COMMAND [ARGUMENT...]",
	.summary = "Run COMMAND and check how peer memory is used meanwhile. The check succeeds if "
		   "the command does, there is no violation, and every --expect holds.",
	.groups = groups,
	.command = set_command,
	.notes = "Events of all processes count, from the start of the command until the check "
		 "ends; held and pinned are the values at the end. Only buffers allocated and "
		 "mappings made while the command ran count as leak or mapped. With --json, the "
		 "report is one object.\n\n"
		 "If p2ptrace is interrupted, it sends SIGTERM to the command, and SIGKILL five "
		 "seconds later, or at the next interrupt if that comes at least one second after "
		 "the first. It sends nothing to the children of the command.\n",
	.print_more = print_violations,
	.exit_status = "Exit status: 0 the check succeeded, 1 it failed, 2 bad usage, 3 this "
		       "kernel or these privileges cannot do it, or cannot show all that the check "
		       "needs, 4 any other error.",
	.examples = "  p2ptrace check -- fio job.fio\n"
		    "  p2ptrace check --expect 'fallbacks == 0' -- fio job.fio\n"
		    "  p2ptrace check --settle 10 --json --output report.json -- ./test.sh\n"
		    "  p2ptrace check --allow double_map -- ./test.sh\n"
		    "  p2ptrace check --list-metrics\n",
};

struct check {
	const struct options *options;
	struct counter counter;
	struct sample start;
	struct verdict verdict;
	struct counter_live live;
	struct child child;	/* the command */
	bool judged;		/* the time of --settle is over */
	uint64_t ended_ns, settle_until_ns;
	int status;
};

/* Works only while the programs are attached. */
static int take_stock(struct check *c)
{
	struct verdict *verdict = &c->verdict;
	struct sample now;
	int rc = counter_sample(&c->counter, &now);

	/* Buffers that are younger than the end of the command are not the command's */
	if (!rc)
		rc = counter_live(&c->counter, c->ended_ns, &c->live);
	if (rc)
		return rc;
	sample_difference(&verdict->difference, &now, &c->start);
	for (int v = 0; v < P2PTRACE_NR_VIOLATIONS; v++)
		verdict->violations[v].count = verdict->difference.counts.violations[v];
	verdict->violations[P2PTRACE_HELD_TOO_LONG].count += c->live.older;
	verdict->violations[P2PTRACE_REVOKE_TOO_LONG].count += c->live.revokes;
	verdict->violations[LEAK].count = c->live.buffers;
	verdict->violations[MAPPED].count = c->live.mappings;
	verdict->violations[STALL].count =
		verdict->difference.counts.events[P2PTRACE_p2pmem_drain_stall];
	verdict->violations[LOST].count = verdict->difference.lost;
	verdict->unsure = now.lost;
	return 0;
}

static void command_ended(struct check *c)
{
	const struct optional_number *settle = &c->options->settle_ns;
	uint64_t settle_ns = settle->given ? settle->value : SETTLE_DEFAULT;

	c->ended_ns = clock_now_ns();
	if (__builtin_add_overflow(c->ended_ns, settle_ns, &c->settle_until_ns))
		c->settle_until_ns = UINT64_MAX;
}

/*
 * Called every few milliseconds. Once the command has ended, until the check succeeds or its time
 * is over.
 */
static enum session_verdict check_pause(void *ctx)
{
	struct check *c = ctx;

	if (!c->child.ended) {
		c->status = child_poll(&c->child);
		if (c->status)
			return SESSION_STOP;
		if (!c->child.ended)
			return SESSION_GO_ON;
		c->verdict.wait_status = c->child.wait_status;
		command_ended(c);
	}
	c->status = take_stock(c);
	if (!c->status && verdict_pending(&c->verdict) &&
	    clock_now_ns() < c->settle_until_ns)
		return SESSION_GO_ON;
	c->judged = true;
	return SESSION_STOP;
}

static void find_firsts(struct check *c)
{
	struct verdict *verdict = &c->verdict;

	for (int v = 0; v < P2PTRACE_NR_VIOLATIONS; v++)
		verdict->violations[v].has_first = counter_first(&c->counter, v,
								 &verdict->violations[v].first);
	/* The first that ended began before those that still wait */
	if (c->live.revokes && !verdict->violations[P2PTRACE_REVOKE_TOO_LONG].has_first) {
		verdict->violations[P2PTRACE_REVOKE_TOO_LONG].first = c->live.first_revoke;
		verdict->violations[P2PTRACE_REVOKE_TOO_LONG].has_first = true;
	}
	verdict->violations[LEAK].first = c->live.first_buffer;
	verdict->violations[LEAK].has_first = c->live.buffers;
	verdict->violations[MAPPED].first = c->live.first_mapping;
	verdict->violations[MAPPED].has_first = c->live.mappings;
}

/*
 * Called when the programs are attached, and at the end: a module may have come that cannot be
 * seen. Other events do not matter.
 */
static void find_needed(struct check *c)
{
	judgement_needed(&c->options->judgement, &c->counter.metrics, &c->counter.sel.set,
			 &c->verdict.needed);
}

static int judged(const struct check *c)
{
	if (verdict_blind(&c->verdict))
		return fail(EXIT_KERNEL, "this kernel does not show all that the check needs (see "
			    "its report, and p2ptrace trace --list-events); to judge without it, "
			    "use --allow-blind");
	return verdict_failed(&c->verdict) ? EXIT_CHECK : 0;
}

static int write_failed(const struct check *c, int err)
{
	return fail(EXIT_OTHER, "cannot write the report to %s: %s",
		    c->options->output ?: "standard output", strerror(err));
}

static int report(struct check *c, int fd)
{
	struct stream out = { .fd = fd };
	struct buffer text = {};
	int rc = 0;

	if (c->options->judgement.common.json)
		verdict_json(&text, &c->verdict);
	else
		verdict_text(&text, &c->verdict);
	if (text.failed)
		rc = fail(EXIT_OTHER, "out of memory");
	/* The verdict stands even if the reader of a pipe has gone */
	else if (stream_write(&out, text.data, text.len) && out.error != EPIPE)
		rc = write_failed(c, out.error);
	else
		rc = judged(c);
	buffer_free(&text);
	return rc;
}

static int check_metrics(const struct check *c)
{
	const struct judgement *judgement = &c->options->judgement;
	const char *name = judgement_unknown(judgement, &c->counter.metrics);
	const struct metric *known;

	if (!name)
		return 0;
	known = metrics_find(&c->counter.known, name);
	/* A note said why */
	if (known && known->event < P2PTRACE_NR_EVENTS)
		return fail(EXIT_KERNEL, "cannot count '%s': %s cannot be traced on this kernel, "
			    "as the notes before say; leave out its --expect", name,
			    events[known->event].name);
	return fail(EXIT_USAGE, "there is no metric '%s' on this kernel%s; see 'p2ptrace check "
		    "--list-metrics'", name, judgement->common.want.dev ? " with --dev" : "");
}

static int check_session(struct check *c, int fd)
{
	struct session_config config = {
		.interval_ns = 20 * NSEC_PER_MSEC,
		.pause = check_pause,
		.ctx = c,
	};
	struct verdict *verdict = &c->verdict;
	uint64_t lost;
	int rc, err;

	c->counter.older_than_ns = c->options->judgement.older_than_ns;
	rc = counter_start(&c->counter, &config, true);
	/* Events that could not be attached are left out, with their metrics */
	if (!rc)
		rc = check_metrics(c);
	if (!rc)
		find_needed(c);
	if (!rc)
		rc = counter_sample(&c->counter, &c->start);
	if (!rc && interrupted())
		rc = fail(EXIT_OTHER, "interrupted before the command was run; run it again");
	if (!rc && c->options->output && (err = file_empty(fd)))
		rc = write_failed(c, err);
	if (!rc)
		rc = child_start(&c->child, c->options->command);
	if (rc)
		return rc;
	rc = session_run(&c->counter.session);
	child_end(&c->child, PATIENCE_NS);
	if (!rc)
		rc = c->status;
	if (!rc && !c->judged)
		rc = fail(EXIT_OTHER,
			  "interrupted before the verdict; run it again, and let the command end");
	if (rc)
		return rc;
	/* The programs are detached, so this is final. The estimate may be lower than before. */
	lost = c->counter.session.lost.total;
	verdict->difference.lost = lost > c->start.lost ? lost - c->start.lost : 0;
	verdict->violations[LOST].count = verdict->difference.lost;
	verdict->unsure = lost;
	find_needed(c);
	find_firsts(c);
	return report(c, fd);
}

static int check(struct check *c, const struct options *o)
{
	int fd = STDOUT_FILENO, rc = check_metrics(c);
	bool created = false;

	if (!rc && o->output)
		fd = file_open(o->output, 0666, &created, &rc);
	if (rc)
		return rc;
	rc = check_session(c, fd);
	if (created && !lseek(fd, 0, SEEK_CUR))
		unlink(o->output);
	if (o->output && close(fd) && rc <= EXIT_CHECK)
		rc = write_failed(c, errno);
	return rc;
}

int cmd_check(int argc, char **argv)
{
	struct options o = {};
	struct common_options *common = &o.judgement.common;
	struct check c = { .options = &o };
	int rc;

	if (!options_parse(&args, argc, argv, common, &rc))
		return rc;
	if (!*o.command && !o.list)
		return fail(EXIT_USAGE, "no command given; see 'p2ptrace check --help'");
	rc = counter_open(&c.counter, &common->want, !o.list);
	c.verdict.mode = event_set_mode(&c.counter.sel.set);
	c.verdict.command = o.command;
	c.verdict.metrics = &c.counter.metrics;
	judgement_begin(&o.judgement, &c.verdict);
	if (!rc && o.list)
		metrics_print(&c.counter.metrics);
	else if (!rc)
		rc = check(&c, &o);
	counter_close(&c.counter);
	return rc;
}
