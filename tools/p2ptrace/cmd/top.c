// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace top: peer memory live on a terminal. The kernel counts, as for stat.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/top_screen.h"
#include "cmd/top_view.h"
#include "event/events.h"
#include "event/output.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/stream.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/held.h"
#include "machine/sysfs.h"
#include "session/session.h"

#define INTERVAL_DEFAULT NSEC_PER_SEC
/* How long to wait for a key before looking at the clock and at signals. */
#define WAIT_MS 50

struct options {
	struct common_options common;
	bool batch;
	const char *sort, *filter;
	enum top_sort order;
};

static int set_batch(void *to, const char *value)
{
	struct options *o = to;

	(void)value;
	o->batch = true;
	return 0;
}

static int set_sort(void *to, const char *value)
{
	struct options *o = to;
	char names[128] = "";

	for (size_t i = 0; i < TOP_NR_SORTS; i++) {
		if (!strcmp(value, top_orders[i].name)) {
			o->order = i;
			return options_set_text("--sort", &o->sort, value);
		}
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 i ? ", " : "", top_orders[i].name);
	}
	return fail(EXIT_USAGE, "--sort '%.64s' is not an order; the orders are %s", value, names);
}

static int set_filter(void *to, const char *value)
{
	struct options *o = to;

	if (strlen(value) >= sizeof(((struct top *)0)->filter))
		return fail(EXIT_USAGE, "--filter '%.32s...' is too long; give at most %zu "
			    "characters", value, sizeof(((struct top *)0)->filter) - 1);
	return options_set_text("--filter", &o->filter, value);
}

static const struct arg_option view_options[] = {
	{ "batch", 'b', NULL, "Print each screen, for a file or a pipe", set_batch },
	{ "sort", 0, "ORDER",
	  "Sort by bytes (per second, the default), maps (per second), total (bytes), provider, "
	  "client or map", set_sort },
	{ "filter", 0, "TEXT",
	  "Show only pairs whose provider, client or map type has this text", set_filter },
	{}
};

static const struct arg_group groups[] = {
	{ "View", view_options },
	{ "Filters", options_dev },
	{ NULL, options_client },
	{ NULL, options_task },
	{ "Run", options_duration },
	{ "Output", options_json },
	{ "General", options_general },
	{}
};

static const struct args args = {
	.usage = "[INTERVAL [COUNT]]",
	.summary = "Watch peer memory on a terminal: which devices do DMA to which memory, buffers "
		   "held and the oldest of them, fallbacks, and refusals. The screen changes every "
		   "INTERVAL seconds (default 1), COUNT times.",
	.groups = groups,
	.argument = options_set_interval,
	.notes = "Keys: ? shows all of them, q quits.\n\n"
		 "With --json, which implies --batch, each interval is an object with the event "
		 "\"top\"; the last line is {\"event\":\"end\",\"events\":N,\"lost\":N,"
		 "\"blind\":[EVENT...]}. In \"pairs\", maps and bytes are those of the interval. "
		 "Fallbacks and refusals are those since the start.\n",
	.exit_status = OPTIONS_EXIT_STATUS,
	.examples = "  p2ptrace top\n"
		    "  p2ptrace top 5 --sort total\n"
		    "  p2ptrace top --batch 1 10 --filter nvme\n"
		    "  p2ptrace top --json 10 | jq .oldest\n",
};

struct top_run {
	const struct options *options;
	struct counter counter;
	struct top top;
	struct stream out;
	struct buffer text;
	uint64_t next_ns, shown;
	bool screen;
	int status;
};

static void oldest_set(struct top_oldest *oldest, uint64_t ns, const char *dev, int pid,
		       const char *comm, const char *owner)
{
	oldest->any = true;
	oldest->ns = ns;
	oldest->pid = pid;
	snprintf(oldest->dev, sizeof(oldest->dev), "%s", dev);
	snprintf(oldest->comm, sizeof(oldest->comm), "%s", comm);
	snprintf(oldest->owner, sizeof(oldest->owner), "%s", owner);
}

/* The series lists all buffers; on a stock kernel, our programs follow those that they see. */
static int read_oldest(struct top_run *t)
{
	struct top_oldest *oldest = &t->top.oldest;
	struct counter_live live;
	struct held_list held = {};
	int rc;

	memset(oldest, 0, sizeof(*oldest));
	if (t->counter.sel.set.stock) {
		rc = t->counter.follow ? counter_live(&t->counter, UINT64_MAX, &live) : 0;
		if (!rc && t->counter.follow && live.buffers)
			oldest_set(oldest, live.first_buffer_ns, live.first_buffer.dev.s,
				   live.first_buffer.pid, live.first_buffer.comm, "");
		return rc;
	}
	rc = held_read(&held, SYSFS, DEBUGFS, &t->counter.sel.filter);
	if (rc)
		return rc;
	if (held.nr)
		oldest_set(oldest, held.held[0].age_ms * NSEC_PER_MSEC, held.held[0].dev,
			   held.held[0].pid, "", held.held[0].owner);
	held_free(&held);
	return 0;
}

static int read_all(struct top_run *t)
{
	struct pair_sums pairs = {};
	struct sample now;
	int rc = counter_sample(&t->counter, &now);

	if (!rc)
		rc = counter_pairs(&t->counter, &pairs);
	if (!rc)
		rc = read_oldest(t);
	if (!rc && top_update(&t->top, &now, &pairs))
		rc = fail(EXIT_OTHER, "out of memory");
	pair_sums_free(&pairs);
	return rc;
}

static int draw(struct top_run *t)
{
	struct top_line *lines;
	size_t width, height, nr;

	top_screen_size(&width, &height);
	lines = top_view(&t->top, width, height, &nr);
	if (!lines)
		return fail(EXIT_OTHER, "out of memory");
	top_screen_draw(lines, nr);
	free(lines);
	return 0;
}

static int print_screen(struct top_run *t)
{
	struct top_line *lines;
	size_t nr;

	buffer_reset(&t->text);
	if (t->options->common.json) {
		top_json(&t->top, &t->text);
	} else {
		lines = top_view(&t->top, 0, 0, &nr);
		if (!lines)
			return fail(EXIT_OTHER, "out of memory");
		for (size_t i = 0; i < nr; i++)
			buffer_printf(&t->text, "%s\n", lines[i].text);
		buffer_add(&t->text, "\n", 1);
		free(lines);
	}
	if (t->text.failed)
		return fail(EXIT_OTHER, "out of memory");
	return stream_write(&t->out, buffer_text(&t->text), t->text.len) ?
	       stream_status(&t->out) : 0;
}

/* Keys while the filter is typed. */
static void type_filter(struct top *top, int key)
{
	size_t len = strlen(top->filter);

	if (key == TOP_KEY_ESCAPE)
		*top->filter = '\0';
	if (key == TOP_KEY_ESCAPE || key == TOP_KEY_ENTER)
		top->typing = false;
	else if (key == TOP_KEY_BACKSPACE && len)
		top->filter[len - 1] = '\0';
	else if (key >= ' ' && key <= '~' && len + 1 < sizeof(top->filter))
		top->filter[len] = key;
	if (key >= ' ' && key <= '~' && len + 1 < sizeof(top->filter))
		top->filter[len + 1] = '\0';
	top->skip = 0;
}

static void scroll(struct top *top, int key)
{
	size_t width, height, page;

	top_screen_size(&width, &height);
	page = height > 10 ? height - 10 : 1;
	if (key == TOP_KEY_HOME)
		top->skip = 0;
	else if (key == TOP_KEY_UP || key == TOP_KEY_PAGE_UP)
		top->skip -= key == TOP_KEY_UP ? top->skip > 0 :
			     top->skip > page ? page : top->skip;
	else if (key == TOP_KEY_DOWN || key == TOP_KEY_PAGE_DOWN)
		top->skip += key == TOP_KEY_DOWN ? 1 : page;
}

/* Returns false to quit. */
static bool take_key(struct top *top, int key)
{
	if (top->typing) {
		type_filter(top, key);
		return true;
	}
	for (size_t i = 0; i < TOP_NR_SORTS; i++)
		if (key == top_orders[i].key)
			top->sort = i;
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case '?':
	case 'h':
		top->help = !top->help;
		break;
	case 'r':
		top->reverse = !top->reverse;
		break;
	case ' ':
		top->paused = !top->paused;
		break;
	case '/':
		top->typing = true;
		top->help = false;
		break;
	case TOP_KEY_ESCAPE:
		*top->filter = '\0';
		top->help = false;
		break;
	default:
		scroll(top, key);
	}
	return true;
}

static bool due(struct top_run *t)
{
	uint64_t now = clock_now_ns();

	if (t->top.paused || now < t->next_ns)
		return false;
	t->next_ns = now + t->top.interval_ns;
	t->shown++;
	return true;
}

/* One key, or the end of an interval. */
static enum session_verdict screen_pause(void *ctx)
{
	struct top_run *t = ctx;
	uint64_t count = t->options->common.count;
	int key = top_screen_key(WAIT_MS);
	bool changed = key != TOP_KEY_NONE;

	if (changed && key != TOP_KEY_RESIZE && !take_key(&t->top, key))
		return SESSION_STOP;
	if (due(t)) {
		t->status = read_all(t);
		changed = true;
	}
	if (!t->status && changed)
		t->status = draw(t);
	if (t->status || (count && t->shown >= count))
		return SESSION_STOP;
	return SESSION_GO_ON;
}

static enum session_verdict batch_pause(void *ctx)
{
	struct top_run *t = ctx;

	t->status = read_all(t);
	if (!t->status)
		t->status = print_screen(t);
	t->shown++;
	if (t->status || t->out.error)
		return SESSION_STOP;
	return t->shown == t->options->common.count ? SESSION_STOP : SESSION_GO_ON;
}

/* Otherwise following would cost the mappings whose ends are not seen. */
static bool can_follow(const struct event_set *set)
{
	return set->has[P2PTRACE_p2pmem_alloc] && set->has[P2PTRACE_p2pmem_free] &&
	       set->has[P2PTRACE_p2pdma_map] == set->has[P2PTRACE_p2pdma_unmap];
}

static int end_batch(struct top_run *t)
{
	const struct lost *lost = &t->counter.session.lost;
	struct sample now, difference;
	int rc = 0;

	buffer_reset(&t->text);
	if (t->options->common.json) {
		rc = counter_sample(&t->counter, &now);
		if (rc)
			return rc;
		sample_difference(&difference, &now, &t->top.start);
		output_json_end(&t->text, sample_events(&difference), lost, &t->counter.sel.set,
				NULL);
		stream_write(&t->out, buffer_text(&t->text), t->text.len);
	}
	if (lost->total) {
		buffer_reset(&t->text);
		output_lost_detail(&t->text, lost);
		note("%" PRIu64 " event%s not counted (%s)", lost->total,
		     lost->total == 1 ? " was" : "s were", buffer_text(&t->text));
	}
	return stream_status(&t->out);
}

static int top_session(struct top_run *t)
{
	bool batch = t->options->batch || t->options->common.json;
	struct session_config config = {
		.duration_ns = t->options->common.duration_ns,
		/* On a terminal, the pause itself waits for keys */
		.interval_ns = batch ? t->top.interval_ns : NSEC_PER_MSEC,
		.pause = batch ? batch_pause : screen_pause,
		.ctx = t,
	};
	int rc;

	t->counter.by_pair = true;
	rc = counter_start(&t->counter, &config,
			   t->counter.sel.set.stock && can_follow(&t->counter.sel.set));
	if (!rc)
		rc = counter_sample(&t->counter, &t->top.start);
	if (rc)
		return rc;
	t->top.now = t->top.start;
	/* Scripts wait for this line */
	note("watching %zu event%s, mode %s", event_set_count(&t->counter.sel.set),
	     PLURAL(event_set_count(&t->counter.sel.set)), event_set_mode(&t->counter.sel.set));
	if (!batch)
		rc = top_screen_open();
	if (!rc && !batch)
		rc = read_all(t) ?: draw(t);
	t->next_ns = clock_now_ns() + t->top.interval_ns;
	if (!rc)
		rc = session_run(&t->counter.session);
	top_screen_close();
	if (!rc)
		rc = t->status;
	return rc ? rc : end_batch(t);
}

static int run(const struct options *o)
{
	struct top_run t = {
		.options = o,
		.out.fd = STDOUT_FILENO,
		.top.sort = o->order,
		.top.interval_ns = o->common.interval_ns ? o->common.interval_ns : INTERVAL_DEFAULT,
	};
	int rc = counter_open(&t.counter, &o->common.want, true);

	t.top.counter = &t.counter;
	if (o->filter)
		strcpy(t.top.filter, o->filter);
	if (!rc)
		rc = top_session(&t);
	buffer_free(&t.text);
	top_free(&t.top);
	counter_close(&t.counter);
	return rc;
}

int cmd_top(int argc, char **argv)
{
	struct options o = {};
	int rc;

	if (!options_parse(&args, argc, argv, &o.common, &rc))
		return rc;
	return run(&o);
}
