// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace trace: one line for each event as it happens.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "event/enums.h"
#include "event/events.h"
#include "event/json.h"
#include "event/lives.h"
#include "event/output.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/print.h"
#include "lib/stream.h"
#include "lib/text.h"
#include "machine/kernel.h"
#include "machine/sysfs.h"
#include "session/session.h"
#include "session/shown.h"
#include "session/tracer.h"

#define LINES_BYTES (64 << 10)

struct options {
	struct common_options common;
	bool list, lives;
	uint64_t count, min_ns;	/* 0: not given */
};

static int set_count(void *to, const char *arg)
{
	struct options *o = to;
	uint64_t count;
	int err = number_parse(arg, &count);

	if (err || !count)
		return options_bad_number("--count", arg, err, "100");
	return options_set_number("--count", &o->count, count, arg);
}

static int set_min_us(void *to, const char *arg)
{
	struct options *o = to;
	uint64_t us, ns;
	int err = number_parse(arg, &us);

	if (!err && __builtin_mul_overflow(us, 1000, &ns))
		err = -ERANGE;
	if (err || !us)
		return options_bad_number("--min-us", arg, err, "1000");
	return options_set_number("--min-us", &o->min_ns, ns, arg);
}

static int set_lives(void *to, const char *arg)
{
	struct options *o = to;

	(void)arg;
	o->lives = true;
	return 0;
}

static int set_list(void *to, const char *arg)
{
	struct options *o = to;

	(void)arg;
	o->list = true;
	return 0;
}

/* --lives needs every event of a buffer. */
static int check_lives(const struct options *o)
{
	const char *option = o->common.events_given ? "event" : o->common.want.client ? "client" :
			     o->common.want.pid ? "pid" : o->common.want.comm ? "comm" : NULL;

	if (o->lives && option)
		return fail(EXIT_USAGE,
			    "--lives needs all events of a buffer, and --%s drops some; leave one "
			    "of them out",
			    option);
	if (o->min_ns && !o->lives)
		return fail(EXIT_USAGE,
			    "--min-us needs --lives, because an event has no duration; add "
			    "--lives");
	return 0;
}

static const struct arg_option lives_options[] = {
	{ "lives", 0, NULL,
	  "Instead of events, show each buffer when its memory is returned: the task that "
	  "allocated it, the request of the NVMe target, each client that mapped it, and for how "
	  "long",
	  set_lives },
	{ "min-us", 0, "N",
	  "With --lives, only buffers held for at least N microseconds",
	  set_min_us },
	{}
};

static const struct arg_option run_options[] = {
	{ "count", 0, "N", "Stop after N events or lives", set_count },
	{}
};

static const struct arg_option output_options[] = {
	{ "list-events", 0, NULL,
	  "Print the events, their fields, and what this kernel shows of them, and exit",
	  set_list },
	{}
};

static const struct arg_group groups[] = {
	{ "Events", options_event },
	{ NULL, lives_options },
	{ "Filters", options_dev },
	{ NULL, options_client },
	{ NULL, options_task },
	{ "Run", run_options },
	{ NULL, options_buffer },
	{ NULL, options_duration },
	{ "Output", options_json },
	{ NULL, output_options },
	{ "General", options_general },
	{}
};

static const struct args args = {
	.usage = "",
	.summary = "Print one line for each event of peer memory, until Ctrl-C.",
	.groups = groups,
	.notes = "A line has the time (CLOCK_MONOTONIC, in seconds), [CPU], COMMAND-PID, the event "
		 "and its fields. With --json, a line is an object with ts_ns, event, cpu, pid, "
		 "comm and the fields; the last line is "
		 "{\"event\":\"end\",\"events\":N,\"lost\":N,\"blind\":[EVENT...]}. Lost events "
		 "are counted and always reported. So are events that this kernel shows only in "
		 "part or not at all (blind).\n\n"
		 "A filter drops events that lack the field it compares: --dev drops events with "
		 "neither dev nor provider, --client drops events without client, and --min-size "
		 "drops events without size.\n",
	.exit_status = OPTIONS_EXIT_STATUS,
	.examples = "  p2ptrace trace\n"
		    "  p2ptrace trace --event p2pmem_alloc_fail,nvmet_p2pmem_fallback\n"
		    "  p2ptrace trace --dev p2pmem0 --client eth0 --duration 10 --json\n"
		    "  p2ptrace trace --lives --min-us 10000\n",
};

struct trace {
	const struct options *options;
	struct tracer tracer;
	struct lives lives;
	struct stream out;
	struct buffer lines;	/* not written yet */
	uint64_t events;	/* printed */
	uint64_t malformed;	/* records that we do not understand */
	uint64_t lost_shown;
	time_t next_count;	/* of lost events, CLOCK_MONOTONIC */
};

static int write_lines(struct trace *t)
{
	int err = stream_write(&t->out, buffer_text(&t->lines), t->lines.len);

	buffer_reset(&t->lines);
	return err;
}

/* A line was added. */
static enum session_verdict trace_line(struct trace *t)
{
	t->events++;
	if (t->out.error || (t->lines.len >= LINES_BYTES && write_lines(t)))
		return SESSION_STOP;
	return t->events == t->options->count ? SESSION_STOP : SESSION_GO_ON;
}

static enum session_verdict trace_life(struct trace *t, const struct event *event, const void *data)
{
	struct life *life = lives_add(&t->lives, event, data);
	enum session_verdict verdict = SESSION_GO_ON;

	if (life && life->alloc.size >= t->options->common.want.min_size &&
	    life->back_ns - life->alloc.h.ts_ns >= t->options->min_ns) {
		if (t->options->common.json)
			life_json(&t->lines, life, &t->tracer.sel.enums, t->lives.stock);
		else
			life_text(&t->lines, life, &t->tracer.sel.enums);
		verdict = t->lines.failed ? SESSION_STOP : trace_line(t);
	}
	life_free(life);
	return verdict;
}

static enum session_verdict trace_record(void *ctx, const void *data, size_t size)
{
	const struct event *event = event_of_record(data, size);
	struct trace *t = ctx;

	if (!event) {
		t->malformed++;
		return SESSION_GO_ON;
	}
	if (!tracer_wants(&t->tracer, event))
		return SESSION_GO_ON;
	if (t->options->lives)
		return trace_life(t, event, data);
	if ((t->options->common.json ? json_line : output_text)(&t->lines, event, data,
								&t->tracer.sel.enums,
								t->lives.stock))
		return SESSION_STOP;
	return trace_line(t);
}

/* The lines must be written before, because the buffer is used here. */
static void show_lost(struct trace *t, const char *when)
{
	options_note_lost(&t->lines, &t->tracer.session.lost, when);
	t->lost_shown = t->tracer.session.lost.total;
}

static enum session_verdict trace_pause(void *ctx)
{
	struct trace *t = ctx;
	struct timespec now;

	if (write_lines(t) || stream_probe(&t->out))
		return SESSION_STOP;
	/* Once a second is enough. The last count reports errors. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec >= t->next_count) {
		t->next_count = now.tv_sec + 1;
		if (!session_count_lost(&t->tracer.session) &&
		    t->tracer.session.lost.total > t->lost_shown)
			show_lost(t, "so far");
	}
	return SESSION_GO_ON;
}

static int trace_end(struct trace *t)
{
	const struct lost *lost = &t->tracer.session.lost;

	if (t->options->common.json)
		output_json_end(&t->lines, t->events, lost, &t->tracer.session.config.events, NULL);
	else
		output_text_end(&t->lines, t->events, lost, &t->tracer.session.config.events);
	write_lines(t);

	if (lost->total)
		show_lost(t, "in all");
	if (t->lives.not_followed)
		note("%" PRIu64 " buffer%s or mapping%s could not be followed: p2ptrace follows "
		     "at most %d buffers at a time, and %d mappings of each", t->lives.not_followed,
		     PLURAL(t->lives.not_followed), PLURAL(t->lives.not_followed),
		     P2PTRACE_MAX_LIVE, LIFE_MAX_MAPS);
	if (t->lines.failed)
		return fail(EXIT_OTHER, "out of memory");
	if (t->malformed)
		return fail(EXIT_OTHER,
			    "cannot understand %" PRIu64 " record%s from the kernel; this is a bug",
			    t->malformed, PLURAL(t->malformed));
	return stream_status(&t->out);
}

/* The list is useful even if this kernel is not. */
static int list_events(void)
{
	struct kernel kernel = {};
	int rc = kernel_open(&kernel, VMLINUX_BTF);

	shown_print(rc ? NULL : &kernel);
	kernel_close(&kernel);
	return rc ? rc : kernel_check_lockdown(LOCKDOWN);
}

static int trace_session(struct trace *t, const struct options *o)
{
	struct session_config config = {
		.duration_ns = o->common.duration_ns,
		.record = trace_record,
		.pause = trace_pause,
		.ctx = t,
	};
	struct session *session = &t->tracer.session;
	const struct event_set *set = &session->config.events;
	int rc = tracer_start(&t->tracer, &config);

	if (!rc) {
		/* Scripts wait for this line: from here on, all events are seen */
		note("tracing %zu event%s, mode %s (Ctrl-C ends)%s", event_set_count(set),
		     event_set_count(set) == 1 ? "" : "s", event_set_mode(set),
		     o->lives ? "; a buffer is shown when its memory is returned" : "");
		rc = session_run(session);
	}
	if (rc)
		write_lines(t);
	else
		rc = trace_end(t);
	return rc;
}

static int trace(const struct options *o)
{
	struct trace t = {
		.options = o, .out.fd = STDOUT_FILENO,
		.tracer = {
			.want = o->common.want, .by_name = o->common.events_given,
			.sel.set = o->common.events, .lives = o->lives,
			.buffer_bytes = o->common.buffer_bytes,
		},
	};
	int rc = tracer_open(&t.tracer);

	if (!rc)
		rc = options_check_buffer(&o->common, MEMINFO);
	if (!rc) {
		t.lives.stock = t.tracer.sel.set.stock;
		rc = trace_session(&t, o);
	}
	tracer_close(&t.tracer);
	lives_free(&t.lives);
	buffer_free(&t.lines);
	return rc;
}

int cmd_trace(int argc, char **argv)
{
	struct options o = {};
	int rc;

	if (!options_parse(&args, argc, argv, &o.common, &rc))
		return rc;
	rc = check_lives(&o);
	if (rc)
		return rc;
	if (o.list)
		return list_events();
	options_default_buffer(&o.common);
	return trace(&o);
}
