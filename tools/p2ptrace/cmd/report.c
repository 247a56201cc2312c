// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace report: what a file of "p2ptrace record" has.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/options_judgement.h"
#include "event/html.h"
#include "event/json.h"
#include "event/lives.h"
#include "event/metrics.h"
#include "event/output.h"
#include "event/page.h"
#include "event/perfetto.h"
#include "event/recording.h"
#include "event/summary.h"
#include "event/verdict.h"
#include "lib/buffer.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/stream.h"
#include "lib/text.h"

#define LINES_BYTES (64 << 10)

struct options {
	struct judgement judgement;
	const char *file;
	bool lives, check;
	const char *perfetto, *html;
};

static int set_file(void *to, const char *value)
{
	struct options *o = to;

	if (o->file)
		return fail(EXIT_USAGE, "there are two files ('%s', '%s'); give one", o->file,
			    value);
	if (!*value)
		return fail(EXIT_USAGE, "the name of the file is empty; give the file of a "
			    "recording");
	o->file = value;
	return 0;
}

static int set_lives(void *to, const char *value)
{
	struct options *o = to;

	(void)value;
	o->lives = true;
	return 0;
}

static int set_check(void *to, const char *value)
{
	struct options *o = to;

	(void)value;
	o->check = true;
	return 0;
}

static int set_perfetto(void *to, const char *value)
{
	struct options *o = to;

	return options_set_text("--perfetto", &o->perfetto, value);
}

static int set_html(void *to, const char *value)
{
	struct options *o = to;

	return options_set_text("--html", &o->html, value);
}

static const struct arg_option what_options[] = {
	{ "lives", 0, NULL,
	  "Instead of a page, show each buffer when its memory was returned, as p2ptrace trace "
	  "--lives does",
	  set_lives },
	{ "check", 0, NULL, "Judge the recording, as p2ptrace check judges a command", set_check },
	{ "perfetto", 0, "OUT",
	  "Write a trace to OUT that https://ui.perfetto.dev opens: buffers, mappings and requests "
	  "in time",
	  set_perfetto },
	{ "html", 0, "OUT",
	  "Write one page for a web browser to OUT, without scripts and without a network",
	  set_html },
	{}
};

static const struct arg_group groups[] = {
	{ "What to show", what_options },
	{ "Judgement, with --check", options_judgement },
	{ "Output", options_json },
	{ "General", options_help },
	{}
};

static const struct args args = {
	.usage = "FILE",
	.summary = "Show the contents of FILE, which 'p2ptrace record' wrote: which way the data "
		   "went, refusals with remedies, fallbacks, how long buffers were held, what was "
		   "still held at the end, and losses.",
	.groups = groups,
	.argument = set_file,
	.notes = "With --json, print the lines of 'p2ptrace trace --json'; with --lives, the "
		 "lives; with --check, the verdict. "
		 "A file that was cut, by a crash or a full disk, is shown up to there, and the "
		 "page says so. FILE may be -, for standard input.\n",
	.exit_status = "Exit status: 0 fine, 1 the check failed, 2 bad usage, 3 the kernel did not "
		       "show all that the check needs, 4 any other error.",
	.examples = "  p2ptrace report p2ptrace.rec\n"
		    "  p2ptrace report --json p2ptrace.rec | jq 'select(.size > 65536)'\n"
		    "  p2ptrace report --check --expect 'fallbacks == 0' p2ptrace.rec\n"
		    "  p2ptrace report --perfetto run.pftrace p2ptrace.rec\n"
		    "  p2ptrace report --html run.html p2ptrace.rec\n",
};

struct report {
	const struct options *options;
	struct recording recording;
	struct lives lives;
	struct stream out;
	struct buffer lines;		/* not written yet */
	uint64_t printed;
};

static int write_lines(struct report *r)
{
	int err = stream_write(&r->out, buffer_text(&r->lines), r->lines.len);

	buffer_reset(&r->lines);
	return err;
}

/* NULL: the recording is whole. */
static const char *recording_cut(const struct recording *recording)
{
	return *recording->trouble ? recording->trouble : NULL;
}

/* The page and the check say so themselves. */
static void note_trouble(const struct report *r)
{
	if (*r->recording.trouble)
		note("%s is not whole: %s", r->recording.name, r->recording.trouble);
}

static int finish(struct report *r)
{
	if (r->lines.failed)
		return fail(EXIT_OTHER, "out of memory");
	write_lines(r);
	return stream_status(&r->out);
}

/* ---- one line for each event, or for each buffer ---- */

static void print_event(struct report *r, const struct event *event, const void *record)
{
	json_line(&r->lines, event, record, &r->recording.enums, r->recording.set.stock);
	r->printed++;
}

static void print_life(struct report *r, const struct event *event, const void *record)
{
	struct life *life;

	/* On a stock kernel, this event does not tell which buffer */
	if (r->recording.set.stock && event == &events[P2PTRACE_nvmet_p2pmem_use])
		return;
	life = lives_add(&r->lives, event, record);
	if (!life)
		return;
	if (r->options->judgement.common.json)
		life_json(&r->lines, life, &r->recording.enums, r->recording.set.stock);
	else
		life_text(&r->lines, life, &r->recording.enums);
	life_free(life);
	r->printed++;
}

static int report_lines(struct report *r)
{
	struct recording *recording = &r->recording;
	const void *record;

	r->lives.stock = recording->set.stock;
	while (!r->out.error && !r->lines.failed && (record = recording_next(recording))) {
		const struct p2ptrace_header *h = record;

		if (r->options->lives)
			print_life(r, &events[h->event], record);
		else
			print_event(r, &recording->shown[h->event], record);
		if (r->lines.len >= LINES_BYTES)
			write_lines(r);
	}
	if (r->options->judgement.common.json)
		output_json_end(&r->lines, r->printed, &recording->lost, &recording->set,
				recording_cut(recording));
	else
		output_text_end(&r->lines, r->printed, &recording->lost, &recording->set);
	note_trouble(r);
	return finish(r);
}

/* Lives need all events of a buffer. */
static int check_lives(const struct recording *recording)
{
	const struct recording_about *about = &recording->about;
	const char *filter = *about->client ? "client" : about->pid ? "pid" :
			     *about->comm ? "comm" : NULL;
	struct event_set needed = {};

	lives_events(&needed);
	if (filter)
		return fail(EXIT_USAGE, "--lives needs all events of a buffer, and %s was recorded "
			    "with --%s, which drops some; record it without", recording->name,
			    filter);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		if (needed.has[i] && !recording->set.has[i] && !recording->set.blind[i] &&
		    !(recording->set.stock && i == P2PTRACE_p2pmem_reclaim) &&
		    i != P2PTRACE_nvmet_p2pmem_use)
			return fail(EXIT_USAGE, "--lives needs %s, which was not recorded in %s; "
				    "record it without --event", events[i].name, recording->name);
	return 0;
}

/* ---- a summary ---- */

static void summarize(struct report *r, struct summary *summary)
{
	struct recording *recording = &r->recording;
	const void *record;

	summary->stock = recording->set.stock;
	summary->start_ns = recording->about.start_ns;
	summary->older_than_ns = r->options->judgement.older_than_ns;
	/* The ring of a flight recorder has lost the beginning */
	summary->beginnings_known = recording->about.held_known && !recording->about.ring_bytes;
	summary_begin(summary);
	for (size_t i = 0; i < recording->about.nr_held; i++)
		summary_before(summary, recording->about.held[i]);
	while ((record = recording_next(recording))) {
		const struct p2ptrace_header *h = record;

		summary_add(summary, &events[h->event], record);
	}
}

static int report_page(struct report *r)
{
	struct summary *summary = calloc(1, sizeof(*summary));
	int rc;

	if (!summary)
		return fail(EXIT_OTHER, "out of memory");
	summarize(r, summary);
	if (r->options->html) {
		html_page(&r->lines, &r->recording, summary);
		rc = r->lines.failed ? fail(EXIT_OTHER, "out of memory") :
		     file_replace(r->options->html, r->lines.data, r->lines.len);
		note_trouble(r);
	} else {
		page_text(&r->lines, &r->recording, summary);
		rc = finish(r);
	}
	summary_free(summary);
	free(summary);
	return rc;
}

/* ---- a verdict ---- */

static void judge(struct report *r, struct summary *summary, struct verdict *verdict)
{
	const struct recording *recording = &r->recording;
	uint64_t end = recording->ended ? recording->end.end_ns : summary->last_ns;
	struct summary_open open;

	/* Buffers that are younger than the end of the command are not the command's */
	summary_open(summary, recording->end.argv ? recording->end.command_end_ns : UINT64_MAX, end,
		     &open);
	verdict->difference.ts_ns = end > summary->start_ns ? end - summary->start_ns : 0;
	verdict->difference.counts = summary->counts;
	verdict->difference.lost = recording->lost.total;
	for (int v = 0; v < P2PTRACE_NR_VIOLATIONS; v++) {
		verdict->violations[v].count = summary->counts.violations[v];
		verdict->violations[v].has_first = summary->counts.violations[v];
		verdict->violations[v].first = summary->firsts[v];
	}
	verdict->violations[P2PTRACE_HELD_TOO_LONG].count += open.older;
	verdict->violations[LEAK].count = open.buffers;
	verdict->violations[LEAK].first = open.first_buffer;
	verdict->violations[LEAK].has_first = open.buffers;
	verdict->violations[MAPPED].count = open.mappings;
	verdict->violations[MAPPED].first = open.first_mapping;
	verdict->violations[MAPPED].has_first = open.mappings;
	verdict->violations[STALL].count = summary->counts.events[P2PTRACE_p2pmem_drain_stall];
	verdict->violations[LOST].count = recording->lost.total + summary->not_followed;
	verdict->unsure = recording->lost.total || summary->not_followed;
	verdict->cut = recording_cut(recording);
	verdict->command = recording->end.argv;
	verdict->wait_status = recording->end.wait_status;
}

static int report_check(struct report *r)
{
	const struct judgement *judgement = &r->options->judgement;
	struct summary *summary = calloc(1, sizeof(*summary));
	struct verdict verdict = { .mode = event_set_mode(&r->recording.set) };
	struct metrics metrics = {};
	const char *unknown;
	int rc = 0;

	judgement_begin(judgement, &verdict);

	if (!summary || metrics_load(&metrics, &r->recording.enums, &r->recording.set))
		rc = fail(EXIT_OTHER, "out of memory");
	if (!rc) {
		metrics_drop_gauges(&metrics);
		verdict.metrics = &metrics;
		unknown = judgement_unknown(judgement, &metrics);
		if (unknown)
			rc = fail(EXIT_USAGE, "there is no count '%s' of what %s has recorded; see "
				  "'p2ptrace check --list-metrics'", unknown, r->recording.name);
	}
	if (!rc) {
		judgement_needed(judgement, &metrics, &r->recording.set, &verdict.needed);
		summarize(r, summary);
		judge(r, summary, &verdict);
		if (r->options->judgement.common.json)
			verdict_json(&r->lines, &verdict);
		else
			verdict_text(&r->lines, &verdict);
		rc = finish(r);
	}
	if (!rc && verdict_blind(&verdict))
		rc = fail(EXIT_KERNEL, "the kernel did not show all that the check needs (see its "
			  "report); to judge without it, use --allow-blind");
	else if (!rc && verdict_failed(&verdict))
		rc = EXIT_CHECK;
	metrics_free(&metrics);
	if (summary)
		summary_free(summary);
	free(summary);
	return rc;
}

/* ---- a trace of Perfetto ---- */

static int write_failed(const char *path, int err)
{
	return fail(EXIT_OTHER, "cannot write %s: %s; only a part may have been written", path,
		    strerror(err));
}

/* Takes what is in @out. Returns 0 or an errno. */
static int write_packed(gzFile file, struct buffer *out)
{
	int err = 0;

	errno = 0;
	if (out->failed)
		err = ENOMEM;
	else if (out->len && gzwrite(file, out->data, out->len) != (int)out->len)
		err = errno ? errno : EIO;
	buffer_reset(out);
	return err;
}

static int write_perfetto(struct report *r, gzFile file)
{
	struct perfetto perfetto;
	const void *record;
	int err = 0;

	perfetto_begin(&perfetto, &r->recording, &r->lines);
	while (!err && (record = recording_next(&r->recording))) {
		perfetto_add(&perfetto, record);
		if (r->lines.len >= LINES_BYTES)
			err = write_packed(file, &r->lines);
	}
	perfetto_end(&perfetto);
	if (!err)
		err = write_packed(file, &r->lines);
	if (perfetto.left_out)
		note("%" PRIu64 " event%s could not be shown: there were too many devices, or "
		     "buffers or mappings at a time", perfetto.left_out, PLURAL(perfetto.left_out));
	perfetto_free(&perfetto);
	return err;
}

static int report_perfetto(struct report *r)
{
	const char *path = r->options->perfetto;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), err, rc;
	gzFile file;

	if (fd < 0)
		return file_refused(path, errno == EACCES && access(path, F_OK), errno);
	file = gzdopen(fd, "wb1");
	if (!file) {
		close(fd);
		return fail(EXIT_OTHER, "out of memory");
	}
	err = write_perfetto(r, file);
	errno = 0;
	rc = gzclose(file);
	if (!err && rc != Z_OK)
		err = errno ? errno : EIO;
	note_trouble(r);
	return err ? write_failed(path, err) : 0;
}

/* ---- the command ---- */

static int check_usage(const struct options *o)
{
	const struct judgement *judgement = &o->judgement;

	if (!o->file)
		return fail(EXIT_USAGE, "no file given; see 'p2ptrace report --help'");
	if (o->lives + o->check + !!o->perfetto + !!o->html > 1)
		return fail(EXIT_USAGE, "--lives, --check, --perfetto and --html are different "
			    "reports; give one of them");
	if (judgement->common.json && (o->perfetto || o->html))
		return fail(EXIT_USAGE, "--json cannot be combined with %s; leave one of them out",
			    o->perfetto ? "--perfetto" : "--html");
	if (!o->check && (judgement->nr || judgement->older_than_ns || judgement->allow_blind))
		return fail(EXIT_USAGE, "%s needs --check; add --check",
			    judgement->nr ? "--expect" :
			    judgement->older_than_ns ? "--older-than" : "--allow-blind");
	for (int v = 0; v < NR_VIOLATIONS && !o->check; v++)
		if (judgement->allowed[v])
			return fail(EXIT_USAGE, "--allow needs --check; add --check");
	return 0;
}

static int open_file(const char *name, FILE **file)
{
	if (!strcmp(name, "-")) {
		*file = stdin;
		return 0;
	}
	*file = fopen(name, "re");
	if (*file)
		return 0;
	if (errno == EACCES || errno == EPERM)
		return file_denied("read", name, false, errno);
	return fail(EXIT_USAGE, "cannot read %s: %s; give a file of 'p2ptrace record'", name,
		    strerror(errno));
}

/* The output must not replace the recording. */
static int check_output(const struct options *o, FILE *file)
{
	const char *path = o->perfetto ?: o->html;
	struct stat in, out;

	if (!path || stat(path, &out) || fstat(fileno(file), &in) || in.st_dev != out.st_dev ||
	    in.st_ino != out.st_ino)
		return 0;
	return fail(EXIT_USAGE, "%s is the recording itself; give --%s another name", path,
		    o->perfetto ? "perfetto" : "html");
}

static int report(struct report *r)
{
	const struct options *o = r->options;

	if (o->check)
		return report_check(r);
	if (o->perfetto)
		return report_perfetto(r);
	if (o->lives) {
		int rc = check_lives(&r->recording);

		return rc ? rc : report_lines(r);
	}
	return o->judgement.common.json ? report_lines(r) : report_page(r);
}

int cmd_report(int argc, char **argv)
{
	struct options o = {};
	struct report r = { .options = &o, .out.fd = STDOUT_FILENO };
	FILE *file = NULL;
	int rc;

	if (!options_parse(&args, argc, argv, &o.judgement.common, &rc))
		return rc;
	rc = check_usage(&o);
	if (!rc)
		rc = open_file(o.file, &file);
	if (rc)
		return rc;
	rc = check_output(&o, file);
	if (!rc)
		rc = recording_open(&r.recording, file == stdin ? "standard input" : o.file, file);
	if (!rc)
		rc = report(&r);
	recording_close(&r.recording);
	lives_free(&r.lives);
	buffer_free(&r.lines);
	if (file != stdin)
		fclose(file);
	return rc;
}
