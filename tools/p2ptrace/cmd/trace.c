// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace trace: what is happening now, one line an event.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/printbuf.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "event/enums.h"
#include "event/events.h"
#include "event/json.h"
#include "event/lives.h"
#include "event/output.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/stream.h"
#include "machine/kernel.h"
#include "session/select.h"
#include "session/session.h"

#include "trace.skel.h"

#define BUFFER_DEFAULT (4ull << 20)	/* the kernel maps it twice, and all of it is resident */
#define BUFFER_MAX (1ull << 30)
#define LINES_BYTES (64 << 10)

struct options {
	struct common_options common;
	bool list, lives;
	struct event_set events;
	bool events_given;
	uint64_t count, buffer_bytes, min_ns;	/* 0: not given */
};

enum {
	OPT_EVENT = OPT_OWN, OPT_LIST_EVENTS, OPT_COUNT, OPT_BUFFER, OPT_LIVES, OPT_MIN_US,
};

static const struct argp_option option_table[] = {
	{ "event", OPT_EVENT, "NAME[,NAME...]", 0,
	  "Trace only these events; the beginning of a name will do if it is unambiguous; may be repeated", 2 },
	{ "lives", OPT_LIVES, NULL, 0,
	  "Instead of events, show each buffer when its memory has come back: who allocated it, for which request of the "
	  "NVMe target, and who had it mapped, for how long", 2 },
	{ "min-us", OPT_MIN_US, "N", 0, "With --lives, only buffers that were held for N microseconds or more", 2 },
	{ "count", OPT_COUNT, "N", 0, "End after N events, or lives", 3 },
	{ "buffer", OPT_BUFFER, "SIZE", 0,
	  "Ring buffer between kernel and p2ptrace (default 4M); K, M and G are understood, and it is rounded up to a "
	  "power of two", 4 },
	{ "list-events", OPT_LIST_EVENTS, NULL, 0, "Print the events and their fields, and end", 5 },
	{}
};

static int parse_count(struct options *o, const char *arg)
{
	uint64_t count;
	int err = number_parse(arg, &count);

	if (err || !count)
		return options_bad_number("count", arg, err, "100");
	return options_set_number("count", &o->count, count, arg);
}

static int parse_min_us(struct options *o, const char *arg)
{
	uint64_t us, ns;
	int err = number_parse(arg, &us);

	if (!err && __builtin_mul_overflow(us, 1000, &ns))
		err = -ERANGE;
	if (err || !us)
		return options_bad_number("min-us", arg, err, "1000");
	return options_set_number("min-us", &o->min_ns, ns, arg);
}

static int parse_buffer(struct options *o, const char *arg)
{
	uint64_t wanted, size = sysconf(_SC_PAGESIZE);
	int err = number_parse_size(arg, &wanted);

	if (!err && wanted > BUFFER_MAX)
		err = -ERANGE;
	if (err || !wanted)
		return options_bad_number("buffer", arg, err, "8M (1G at most)");
	/* The kernel takes powers of two, of whole pages. */
	while (size < wanted)
		size <<= 1;
	return options_set_number("buffer", &o->buffer_bytes, size, arg);
}

/* What takes an event out leaves a hole in a life. */
static int check_lives(const struct options *o)
{
	const char *option = o->events_given ? "event" : o->common.want.client ? "client" : o->common.want.pid ? "pid" :
			     o->common.want.comm ? "comm" : NULL;

	if (o->lives && option)
		return fail(EXIT_USAGE, "--lives takes all events of a buffer, and --%s leaves some out; leave one of them out",
			    option);
	if (o->min_ns && !o->lives)
		return fail(EXIT_USAGE, "--min-us is about lives, and an event takes no time; add --lives");
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		return options_init(state, &o->common);
	case OPT_LIST_EVENTS:
		o->list = true;
		return 0;
	case OPT_EVENT:
		o->events_given = true;
		o->common.status = events_select(&o->events, arg);
		break;
	case OPT_COUNT:
		o->common.status = parse_count(o, arg);
		break;
	case OPT_BUFFER:
		o->common.status = parse_buffer(o, arg);
		break;
	case OPT_LIVES:
		o->lives = true;
		return 0;
	case OPT_MIN_US:
		o->common.status = parse_min_us(o, arg);
		break;
	case ARGP_KEY_ARG:
		o->common.status = fail(EXIT_USAGE, "unexpected argument '%s'; see 'p2ptrace trace --help'", arg);
		break;
	case ARGP_KEY_END:
		o->common.status = check_lives(o);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return o->common.status ? EINVAL : 0;
}

static const struct argp_child children[] = {
	{ .argp = &options_base }, { .argp = &options_client }, { .argp = &options_task },
	{ .argp = &options_duration }, {}
};

static const struct argp argp = {
	.options = option_table,
	.parser = parse,
	.children = children,
	.doc = "Show what happens to peer memory, one line an event, until Ctrl-C.\v"
	       "A line reads: time (CLOCK_MONOTONIC, in seconds), [CPU], command-PID, event, fields. With --json it is an "
	       "object with ts_ns, event, cpu, pid, comm and the fields, and the last one is "
	       "{\"event\":\"end\",\"events\":N,\"lost\":N}. Events that were lost are counted and always shown.\n\n"
	       "Exit status: 0 fine, 2 bad usage, 3 this kernel or these privileges cannot do it, 4 anything else.",
};

struct trace {
	const struct options *options;
	struct session session;
	struct enums enums;
	struct lives lives;
	struct stream out;
	struct printbuf *lines;	/* that are not written yet */
	uint64_t events;	/* that have a line */
	uint64_t malformed;	/* records that are none of ours */
	uint64_t lost_shown;
	time_t next_count;	/* of the lost ones, CLOCK_MONOTONIC */
	bool out_of_memory;
};

static int write_lines(struct trace *t)
{
	int err = stream_write(&t->out, t->lines->buf, t->lines->bpos);

	printbuf_reset(t->lines);
	return err;
}

/* There is one line more. */
static enum session_verdict trace_line(struct trace *t)
{
	t->events++;
	if (t->out.error || (t->lines->bpos >= LINES_BYTES && write_lines(t)))
		return SESSION_STOP;
	return t->events == t->options->count ? SESSION_STOP : SESSION_GO_ON;
}

static enum session_verdict trace_life(struct trace *t, const struct event *event, const void *data)
{
	struct life *life = lives_add(&t->lives, event, data);
	enum session_verdict verdict = SESSION_GO_ON;

	if (life && life->alloc.size >= t->options->common.want.min_size &&
	    life->back_ns - life->alloc.h.ts_ns >= t->options->min_ns) {
		if (!t->options->common.json)
			life_text(t->lines, life, &t->enums);
		else if (life_json(t->lines, life, &t->enums, t->lives.stock))
			t->out_of_memory = true;
		verdict = t->out_of_memory ? SESSION_STOP : trace_line(t);
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
	if (t->options->lives)
		return trace_life(t, event, data);
	if ((t->options->common.json ? json_line : output_text)(t->lines, event, data, &t->enums,
								t->session.config.events.stock)) {
		t->out_of_memory = true;
		return SESSION_STOP;
	}
	return trace_line(t);
}

/* When all lines are written. */
static void show_lost(struct trace *t, const char *when)
{
	const struct lost *lost = &t->session.lost;

	output_lost_detail(t->lines, lost);
	note("%" PRIu64 " event%s lost %s (%s)%s", lost->total, lost->total == 1 ? "" : "s", when, t->lines->buf,
	     lost->total > lost->nested ? "; a larger --buffer or fewer events (--event, --dev) help" : "");
	printbuf_reset(t->lines);
	t->lost_shown = lost->total;
}

static enum session_verdict trace_pause(void *ctx)
{
	struct trace *t = ctx;
	struct timespec now;

	if (write_lines(t) || stream_probe(&t->out))
		return SESSION_STOP;
	/* Once a second is enough. An error will show again, and be reported, in the last count. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec >= t->next_count) {
		t->next_count = now.tv_sec + 1;
		if (!session_count_lost(&t->session) && t->session.lost.total > t->lost_shown)
			show_lost(t, "so far");
	}
	return SESSION_GO_ON;
}

static int trace_end(struct trace *t)
{
	const struct lost *lost = &t->session.lost;

	if (!t->options->common.json)
		output_text_end(t->lines, t->events, lost);
	else if (output_json_end(t->lines, t->events, lost))
		t->out_of_memory = true;
	write_lines(t);

	if (lost->total)
		show_lost(t, "in all");
	if (t->lives.not_followed)
		note("%" PRIu64 " buffers or mappings could not be followed: there is room for %d at a time, and %d mappings of "
		     "each", t->lives.not_followed, P2PTRACE_MAX_LIVE, LIFE_MAX_MAPS);
	if (t->out_of_memory)
		return fail(EXIT_OTHER, "out of memory");
	if (t->malformed)
		return fail(EXIT_OTHER, "%" PRIu64 " record%s from the kernel could not be understood; this is a bug",
			    t->malformed, t->malformed == 1 ? "" : "s");
	return stream_status(&t->out);
}

/* The kernel would take what others need for so large a ring buffer, and kill them for it. */
static int check_buffer(const struct options *o, const char *meminfo)
{
	uint64_t available = kernel_available_memory(meminfo), fits = sysconf(_SC_PAGESIZE);

	if (o->buffer_bytes <= available / 2)
		return 0;
	while (fits * 2 <= available / 2)
		fits *= 2;
	return fail(EXIT_USAGE, "a buffer of %" PRIu64 "K is more than half of the %" PRIu64 "K of memory that this machine "
		    "has available; --buffer %" PRIu64 "K would do", o->buffer_bytes >> 10, available >> 10, fits >> 10);
}

static int list_events(void)
{
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		printf("%-21s", events[i].name);
		for (size_t f = 0; f < events[i].nr_fields; f++)
			printf(" %s", events[i].fields[f].name);
		printf("\n");
	}
	return 0;
}

static int trace_session(struct trace *t, const struct options *o, const struct p2ptrace_filter *filter,
			 const struct event_set *set)
{
	struct session_config config = {
		.events = *set,
		.buffer_bytes = o->buffer_bytes,
		.duration_ns = o->common.duration_ns,
		.record = trace_record,
		.pause = trace_pause,
		.ctx = t,
	};
	struct trace_bpf *skel = trace_bpf__open();
	int rc;

	if (!skel)
		return fail(EXIT_OTHER, "cannot open the BPF programs: %s", strerror(errno));
	memcpy(&skel->rodata->filter, filter, sizeof(*filter));
	skel->rodata->wakeup_bytes = o->buffer_bytes / 4;

	rc = session_start(&t->session, skel->obj, &config);
	if (!rc) {
		/* Scripts wait for this line: from here on, no event goes unseen. */
		note("tracing %zu event%s, mode %s (Ctrl-C ends)%s", event_set_count(set),
		     event_set_count(set) == 1 ? "" : "s", event_set_mode(set),
		     o->lives ? "; a buffer shows when it comes back" : "");
		rc = session_run(&t->session);
	}
	if (rc)
		write_lines(t);
	else
		rc = trace_end(t);
	session_close(&t->session);
	trace_bpf__destroy(skel);
	return rc;
}

static int trace(const struct options *o)
{
	struct trace t = { .options = o };
	struct p2ptrace_filter filter = {};
	struct kernel kernel = {};
	struct event_set set;
	struct event_set passing;	/* the filters, whether or not this kernel has them */
	int rc = 0;

	/* What is wrong anywhere, then what this kernel and these privileges cannot do, then what is wrong here. */
	set = o->events;
	if (o->lives)
		lives_events(&set);
	else
		rc = select_events(&o->common.want, o->events_given, &set);
	passing = set;
	if (!rc)
		rc = select_check_names(&o->common.want);
	if (!rc)
		rc = kernel_open(&kernel, VMLINUX_BTF);
	if (!rc)
		rc = kernel_check_privileges(&kernel);
	if (!rc)
		rc = select_devices(&o->common.want, &filter);
	if (!rc)
		rc = check_buffer(o, MEMINFO);
	if (!rc)
		rc = select_available(&kernel, o->events_given, &set);
	if (o->lives) {
		/* Of a buffer that is large enough, no part is too small */
		filter.min_size = 0;
		/* A stock kernel's does not say which buffer */
		if (set.stock)
			set.has[P2PTRACE_nvmet_p2pmem_use] = false;
	} else if (!rc && !o->events_given) {
		select_show_left_out(&o->common.want, &passing);
	}
	if (!rc && enums_load(&t.enums, kernel_btf(&kernel)))
		rc = fail(EXIT_OTHER, "out of memory");
	kernel_close(&kernel);
	if (rc)
		goto out;

	t.lines = printbuf_new();
	if (!t.lines) {
		rc = fail(EXIT_OTHER, "out of memory");
		goto out;
	}
	t.lives.stock = set.stock;
	stream_init(&t.out, stdout);
	rc = trace_session(&t, o, &filter, &set);
	lives_free(&t.lives);
	printbuf_free(t.lines);
out:
	enums_free(&t.enums);
	return rc;
}

int cmd_trace(int argc, char **argv)
{
	struct options o = {};
	int rc;

	if (!options_parse(&argp, argc, argv, &o, &o.common, &rc))
		return rc;
	if (o.list)
		return list_events();
	if (!o.buffer_bytes)
		o.buffer_bytes = BUFFER_DEFAULT;
	return trace(&o);
}
