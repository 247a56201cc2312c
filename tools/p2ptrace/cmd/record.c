// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace record: write each event to a file, as it came from the kernel.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "event/expect.h"
#include "event/metrics.h"
#include "event/output.h"
#include "event/recording.h"
#include "event/tally.h"
#include "lib/child.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/text.h"
#include "lib/version.h"
#include "machine/held.h"
#include "machine/kernel.h"
#include "machine/live.h"
#include "machine/snapshot.h"
#include "machine/sysfs.h"
#include "session/session.h"
#include "session/tracer.h"

#define FILE_DEFAULT	"p2ptrace.rec"
#define SLOT_BYTES	(64u << 10)	/* of a chunk with records */
#define RING_MIN	(2 * SLOT_BYTES)
#define RING_MAX	(1ull << 30)
#define MAX_HOOKS	(2 * HOOK_NR_ROLES)
#define SETTLE_NS	NSEC_PER_SEC
#define PATIENCE_NS	(5 * NSEC_PER_SEC)	/* with a command that ignores a signal */

struct options {
	struct common_options common;
	const char *output;
	uint64_t ring_bytes;		/* 0: not given */
	struct expectation trigger;
	const char *trigger_text;	/* NULL: not given */
	bool compress;
	char **command;			/* ends with NULL */
};

static int set_output(void *to, const char *value)
{
	struct options *o = to;

	if (!*value)
		return fail(EXIT_USAGE, "--output '' is empty; give the name of a file");
	return options_set_text("--output", &o->output, value);
}

static int set_ring(void *to, const char *value)
{
	struct options *o = to;
	uint64_t size;
	int err = number_parse_size(value, &size);

	if (!err && size > RING_MAX)
		err = -ERANGE;
	if (err || size < RING_MIN)
		return options_bad_number("--ring", value, err, "8M (128K to 1G)");
	return options_set_number("--ring", &o->ring_bytes, size, value);
}

static int set_trigger(void *to, const char *value)
{
	struct options *o = to;
	int rc = options_set_text("--trigger", &o->trigger_text, value);

	return rc ? rc : expect_parse(&o->trigger, value);
}

static int set_compress(void *to, const char *value)
{
	struct options *o = to;

	(void)value;
	o->compress = true;
	return 0;
}

static void set_command(void *to, char **words)
{
	struct options *o = to;

	o->command = words;
}

static const struct arg_option output_options[] = {
	{ "output", 'o', "FILE",
	  "Write to FILE (default " FILE_DEFAULT "; -: to standard output)",
	  set_output },
	{ "compress", 'z', NULL, "Compress the file with zstd", set_compress },
	{}
};

static const struct arg_option ring_options[] = {
	{ "ring", 0, "SIZE",
	  "Keep only the last SIZE bytes of events, in memory, and write them to FILE on SIGUSR1, "
	  "when --trigger holds, or, without --trigger, at the end",
	  set_ring },
	{ "trigger", 0, "'METRIC OP N'",
	  "With --ring, write the file when this count begins to hold; OP is ==, !=, <, <=, > or "
	  ">=; for METRIC see p2ptrace check --list-metrics",
	  set_trigger },
	{}
};

static const struct arg_group groups[] = {
	{ "Output", output_options },
	{ "Flight recorder", ring_options },
	{ "Events", options_event },
	{ "Filters", options_dev },
	{ NULL, options_client },
	{ NULL, options_task },
	{ "Run", options_duration },
	{ NULL, options_buffer },
	{ "General", options_general },
	{}
};

static const struct args args = {
	.usage = "[-- COMMAND [ARGUMENT...]]",
	.summary = "Write each event of peer memory to a file, until Ctrl-C or, with a COMMAND, "
		   "until it has ended. 'p2ptrace report' reads the file.",
	.groups = groups,
	.command = set_command,
	.notes = "Events are written at least every 50 ms, so that after a crash the file lacks "
		 "only the last of them, and can still be read. With a COMMAND, events of all "
		 "processes are recorded, and recording goes on for one second after its end.\n\n"
		 "With --ring, the first file is FILE, and further ones are FILE.1, FILE.2 and so "
		 "on. Files of these names are replaced.\n",
	.exit_status = OPTIONS_EXIT_STATUS,
	.examples = "  p2ptrace record -o run.rec -- fio job.fio\n"
		    "  p2ptrace record --duration 60\n"
		    "  p2ptrace record --ring 64M --trigger 'fallbacks > 0' -o fallback.rec\n"
		    "  p2ptrace record --event nvmet_p2pmem_fallback,p2pdma_decide\n",
};

/* Records that become a chunk. */
struct slot {
	char *data;
	size_t len;
	uint64_t events;
};

struct recorder {
	const struct options *options;
	const char *path;
	struct tracer tracer;
	struct recording_about about;
	struct buffer machine, text;	/* the snapshot; for JSON and messages */
	struct chunk_writer writer;
	int output_fd;			/* -1 with --ring */
	/* One slot that is written when it is full; with --ring as many as fit, used in turn */
	struct slot *slots, *slot;
	size_t nr_slots;
	uint64_t events;		/* written to the file */
	uint64_t malformed;
	uint64_t lost_written, lost_shown;
	uint64_t next_count_ns;		/* of lost events */
	/* --trigger */
	struct metrics metrics;
	const struct metric *metric;
	struct sample sample;
	bool met;
	unsigned int dumps;
	struct child child;
	uint64_t settle_until_ns, command_end_ns;
	int status;
};

static volatile sig_atomic_t dump_wanted;

static void on_usr1(int sig)
{
	(void)sig;
	dump_wanted = 1;
}

/* Always: a signal that is sent to a recorder without --ring must not kill it. */
static void catch_usr1(void)
{
	struct sigaction action = { .sa_handler = on_usr1, .sa_flags = SA_RESTART };

	dump_wanted = 0;
	sigaction(SIGUSR1, &action, NULL);
}

/* ---- the file ---- */

static int write_failed(struct recorder *r, const char *path)
{
	int err = r->writer.out.error;

	/* The reader of a pipe has gone */
	if (err == EPIPE)
		return 0;
	return fail(EXIT_OTHER, "cannot write %s: %s; what was written until then can be read",
		    path, strerror(err ? err : EFBIG));
}

/* Adds a chunk with what is in r->text. Returns 0 or an errno. */
static int write_json(struct recorder *r, const char *type)
{
	int err = r->text.failed ? ENOMEM :
				   chunks_write(&r->writer, type, r->text.data, r->text.len);

	buffer_reset(&r->text);
	return err;
}

static int write_head(struct recorder *r)
{
	const char *hooks[MAX_HOOKS];
	size_t nr = session_hooks(&r->tracer.session, hooks, MAX_HOOKS);
	int err = chunks_begin(&r->writer, RECORDING_MAGIC, RECORDING_VERSION);

	recording_meta(&r->text, &r->about, &r->tracer.session.config.events, &r->tracer.sel.enums,
		       hooks, nr);
	if (!err)
		err = write_json(r, RECORDING_META);
	if (!err && r->machine.len)
		err = chunks_write(&r->writer, RECORDING_MACHINE, r->machine.data, r->machine.len);
	return err;
}

static int write_slot(struct recorder *r, struct slot *slot)
{
	int err = slot->len ? chunks_write(&r->writer, RECORDING_EVENTS, slot->data, slot->len) : 0;

	if (!err)
		r->events += slot->events;
	return err;
}

static int write_lost(struct recorder *r)
{
	recording_lost(&r->text, &r->tracer.session.lost);
	r->lost_written = r->tracer.session.lost.total;
	return write_json(r, RECORDING_LOST);
}

static int write_end(struct recorder *r, const char *why)
{
	struct recording_end end = { .end_ns = clock_now_ns(), .events = r->events };

	snprintf(end.why, sizeof(end.why), "%s", why);
	if (r->command_end_ns) {
		end.argv = r->child.argv;
		end.wait_status = r->child.wait_status;
		end.command_end_ns = r->command_end_ns;
	}
	recording_end(&r->text, &end);
	return write_json(r, RECORDING_END);
}

/* ---- the flight recorder ---- */

/* Writes what the ring holds to the next file. */
static int dump(struct recorder *r, const char *why)
{
	char path[PATH_MAX];
	bool created;
	int rc, err;

	if (!r->dumps)
		snprintf(path, sizeof(path), "%s", r->path);
	else
		snprintf(path, sizeof(path), "%s.%u", r->path, r->dumps);
	r->dumps++;
	r->writer.out = (struct stream){ .fd = file_open(path, 0600, &created, &rc) };
	if (rc)
		return rc;
	r->events = 0;
	r->writer.bytes = 0;
	r->writer.out.error = file_empty(r->writer.out.fd);
	err = write_head(r);
	for (size_t i = 1; i <= r->nr_slots && !err; i++)
		err = write_slot(r, &r->slots[(r->slot - r->slots + i) % r->nr_slots]);
	if (!err)
		err = write_lost(r);
	if (!err)
		err = write_end(r, why);
	if (close(r->writer.out.fd) && !err)
		err = r->writer.out.error = errno;
	if (err)
		rc = write_failed(r, path);
	if (!rc)
		note("wrote %" PRIu64 " event%s to %s (%s)", r->events, PLURAL(r->events), path,
		     why);
	return rc;
}

/* Whether the count begins to hold now. */
static bool triggered(struct recorder *r)
{
	bool met;

	if (!r->metric)
		return false;
	r->sample.lost = r->tracer.session.lost.total;
	met = expect_met(&r->options->trigger, metric_value(r->metric, &r->sample));
	if (met == r->met)
		return false;
	r->met = met;
	return met;
}

/* A dump that fails does not end the recorder: the next one may not. Its status is kept. */
static void try_dump(struct recorder *r, const char *why)
{
	int rc = dump(r, why);

	r->status = r->status ?: rc;
}

static void dump_if_wanted(struct recorder *r)
{
	if (triggered(r))
		try_dump(r, r->options->trigger_text);
	if (!dump_wanted)
		return;
	dump_wanted = 0;
	if (r->options->ring_bytes)
		try_dump(r, "SIGUSR1");
	else
		note("SIGUSR1 is only for --ring; all events are written to %s", r->path);
}

/* ---- events ---- */

/* Makes room for a record. Returns 0 or an errno. */
static int next_slot(struct recorder *r)
{
	int err = r->options->ring_bytes ? 0 : write_slot(r, r->slot);

	if (r->nr_slots > 1)
		r->slot = &r->slots[(r->slot - r->slots + 1) % r->nr_slots];
	r->slot->len = 0;
	r->slot->events = 0;
	return err;
}

static enum session_verdict record_record(void *ctx, const void *data, size_t size)
{
	const struct event *event = event_of_record(data, size);
	struct recorder *r = ctx;

	if (!event) {
		r->malformed++;
		return SESSION_GO_ON;
	}
	if (!tracer_wants(&r->tracer, event))
		return SESSION_GO_ON;
	if (r->slot->len + size > SLOT_BYTES && next_slot(r))
		return SESSION_STOP;
	memcpy(r->slot->data + r->slot->len, data, size);
	r->slot->len += size;
	r->slot->events++;
	if (r->metric)
		tally_count(&r->sample.counts, event, data);
	return SESSION_GO_ON;
}

static void show_lost(struct recorder *r, const char *when)
{
	options_note_lost(&r->text, &r->tracer.session.lost, when);
	r->lost_shown = r->tracer.session.lost.total;
}

/* Returns 0 or an errno. The count at the end reports errors. */
static int count_lost(struct recorder *r)
{
	const struct lost *lost = &r->tracer.session.lost;
	uint64_t now = clock_now_ns();

	if (now < r->next_count_ns)
		return 0;
	r->next_count_ns = now + NSEC_PER_SEC;
	if (session_count_lost(&r->tracer.session))
		return 0;
	if (lost->total > r->lost_shown)
		show_lost(r, "so far");
	return !r->options->ring_bytes && lost->total != r->lost_written ? write_lost(r) : 0;
}

static enum session_verdict record_pause(void *ctx)
{
	struct recorder *r = ctx;

	if (!r->options->ring_bytes && (next_slot(r) || stream_probe(&r->writer.out)))
		return SESSION_STOP;
	if (count_lost(r))
		return SESSION_STOP;
	dump_if_wanted(r);
	if (!r->child.argv)
		return SESSION_GO_ON;
	if (!r->command_end_ns) {
		int rc = child_poll(&r->child);

		r->status = r->status ?: rc;
		if (!r->child.ended)
			return SESSION_GO_ON;
		/* Its buffers may be freed, and its mappings end, a little later */
		r->command_end_ns = clock_now_ns();
		r->settle_until_ns = r->command_end_ns + SETTLE_NS;
	}
	return clock_now_ns() < r->settle_until_ns ? SESSION_GO_ON : SESSION_STOP;
}

/* ---- the run ---- */

static void describe(struct recorder *r)
{
	const struct selection *want = &r->options->common.want;
	struct recording_about *about = &r->about;
	struct timespec real;
	struct utsname name;

	snprintf(about->tool, sizeof(about->tool), "%s", TOOL_VERSION);
	if (!uname(&name)) {
		snprintf(about->release, sizeof(about->release), "%.63s", name.release);
		snprintf(about->build, sizeof(about->build), "%.127s", name.version);
		snprintf(about->arch, sizeof(about->arch), "%.15s", name.machine);
	}
	about->start_ns = clock_now_ns();
	clock_gettime(CLOCK_REALTIME, &real);
	about->start_real_ns = real.tv_sec * NSEC_PER_SEC + real.tv_nsec;
	about->ring_bytes = r->options->ring_bytes;
	snprintf(about->dev, sizeof(about->dev), "%s", want->dev ?: "");
	snprintf(about->client, sizeof(about->client), "%s", want->client ?: "");
	snprintf(about->comm, sizeof(about->comm), "%s", want->comm ?: "");
	about->pid = want->pid;
	about->min_size = want->min_size;
}

/* As check does: these buffers were not allocated while events were recorded. */
static void read_held(struct recorder *r)
{
	struct recording_about *about = &r->about;
	struct held_list held = {};

	/* Without root, debugfs cannot be read */
	if (r->tracer.sel.set.stock || access(DEBUGFS, R_OK | X_OK) ||
	    held_read(&held, SYSFS, DEBUGFS, &r->tracer.sel.filter))
		return;
	about->held = held.nr <= P2PTRACE_MAX_LIVE ? calloc(held.nr + 1, sizeof(*about->held)) :
						     NULL;
	about->held_known = about->held;
	for (size_t i = 0; about->held && i < held.nr; i++)
		about->held[about->nr_held++] = held.held[i].id;
	held_free(&held);
}

/* Without it, the report lacks the tree of devices, no more. */
static void read_machine(struct recorder *r)
{
	const struct live_roots roots = LIVE_ROOTS;
	struct machine machine;

	machine_init(&machine);
	if (!machine_read_live(&machine, &roots))
		snapshot_write(&r->machine, &machine);
	machine_free(&machine);
	if (r->machine.failed || r->machine.len > CHUNK_MAX)
		buffer_free(&r->machine);
}

static int make_slots(struct recorder *r)
{
	r->nr_slots = r->options->ring_bytes ? r->options->ring_bytes / SLOT_BYTES : 1;
	r->slots = calloc(r->nr_slots, sizeof(*r->slots));
	for (size_t i = 0; r->slots && i < r->nr_slots; i++) {
		r->slots[i].data = malloc(SLOT_BYTES);
		if (!r->slots[i].data)
			return fail(EXIT_OTHER, "out of memory");
	}
	r->slot = r->slots;
	return r->slots ? 0 : fail(EXIT_OTHER, "out of memory");
}

/* The metric of --trigger. Called when the events of this kernel are known. */
static int find_metric(struct recorder *r)
{
	const char *name = r->options->trigger.metric;

	if (!r->options->trigger_text)
		return 0;
	if (metrics_load(&r->metrics, &r->tracer.sel.enums, &r->tracer.sel.set))
		return fail(EXIT_OTHER, "out of memory");
	r->metric = metrics_find(&r->metrics, name);
	if (!r->metric)
		return fail(EXIT_USAGE, "--trigger: there is no metric '%s' for the events that "
			    "are recorded; see 'p2ptrace check --list-metrics'", name);
	if (r->metric->gauge)
		return fail(EXIT_USAGE, "--trigger: '%s' is no count of events; use one such as "
			    "'fallbacks'", name);
	return 0;
}

/* A path that cannot be written is an error now, not when the incident happens. */
static int open_file(struct recorder *r, bool *created)
{
	int rc, fd;

	r->writer.out.fd = r->output_fd = -1;
	r->writer.pack = r->options->compress;
	if (!strcmp(r->path, "-")) {
		r->writer.out.fd = STDOUT_FILENO;
		return 0;
	}
	fd = file_open(r->path, 0600, created, &rc);
	if (rc)
		return rc;
	if (!r->options->ring_bytes) {
		r->writer.out.fd = r->output_fd = fd;
		return 0;
	}
	close(fd);
	if (*created)
		unlink(r->path);
	*created = false;
	return 0;
}

static int record_end(struct recorder *r)
{
	const struct lost *lost = &r->tracer.session.lost;
	const char *why = interrupted() ? "interrupted" : r->command_end_ns ? "the command ended" :
			  "the duration was over";
	int err = r->writer.out.error;

	if (r->options->ring_bytes) {
		/* With a trigger, a file means that it held */
		if (!r->options->trigger_text)
			try_dump(r, why);
		if (lost->total)
			show_lost(r, "in all");
		return r->status;
	}
	if (!err)
		err = write_slot(r, r->slot);
	if (!err)
		err = write_lost(r);
	if (!err)
		err = write_end(r, why);
	if (lost->total)
		show_lost(r, "in all");
	if (err)
		return write_failed(r, r->path);
	note("recorded %" PRIu64 " event%s, %" PRIu64 " lost, to %s (%" PRIu64 " bytes)", r->events,
	     PLURAL(r->events), lost->total, r->path, r->writer.bytes);
	return r->status;
}

static void show_command(const struct recorder *r)
{
	int status = r->child.wait_status;

	if (!r->command_end_ns)
		return;
	if (WIFSIGNALED(status))
		note("the command was killed by signal %d (%s)", WTERMSIG(status),
		     strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		note("the command ended with exit status %d", WEXITSTATUS(status));
}

static int record_session(struct recorder *r)
{
	const struct options *o = r->options;
	struct session_config config = {
		.duration_ns = o->common.duration_ns,
		.record = record_record,
		.pause = record_pause,
		.ctx = r,
	};
	struct session *session = &r->tracer.session;
	const struct event_set *set = &session->config.events;
	int rc = tracer_start(&r->tracer, &config), err = 0;

	if (rc)
		return rc;
	read_held(r);
	describe(r);
	if (!o->ring_bytes) {
		err = r->output_fd < 0 ? 0 : file_empty(r->output_fd);
		r->writer.out.error = err;
		if (!err)
			err = write_head(r);
		if (err)
			return write_failed(r, r->path);
	}
	/* Scripts wait for this line: from here on, all events are seen */
	note("recording %zu event%s, mode %s, %s %s (Ctrl-C ends)", event_set_count(set),
	     PLURAL(event_set_count(set)), event_set_mode(set), o->ring_bytes ? "in memory for" :
	     "to", r->path);
	if (*o->command)
		rc = child_start(&r->child, o->command);
	if (rc)
		return rc;
	rc = session_run(session);
	if (r->child.argv && !r->child.ended) {
		child_end(&r->child, PATIENCE_NS);
		r->command_end_ns = clock_now_ns();
	}
	if (!rc)
		rc = record_end(r);
	show_command(r);
	if (!rc && r->malformed)
		rc = fail(EXIT_OTHER,
			  "cannot understand %" PRIu64 " record%s from the kernel; this is a bug",
			  r->malformed, PLURAL(r->malformed));
	return rc;
}

static void recorder_free(struct recorder *r)
{
	for (size_t i = 0; r->slots && i < r->nr_slots; i++)
		free(r->slots[i].data);
	free(r->slots);
	free(r->about.held);
	chunks_free(&r->writer);
	metrics_free(&r->metrics);
	buffer_free(&r->machine);
	buffer_free(&r->text);
	tracer_close(&r->tracer);
}

static int record(const struct options *o)
{
	struct recorder r = {
		.options = o, .path = o->output ?: FILE_DEFAULT, .output_fd = -1,
		.tracer = {
			.want = o->common.want, .by_name = o->common.events_given,
			.sel.set = o->common.events, .buffer_bytes = o->common.buffer_bytes,
		},
	};
	bool created = false;
	int rc = tracer_open(&r.tracer);

	if (!rc)
		rc = options_check_buffer(&o->common, MEMINFO);
	if (!rc && o->ring_bytes > kernel_available_memory(MEMINFO) / 2)
		rc = fail(EXIT_USAGE, "--ring takes more than half of the memory that this machine "
			  "has available; use a smaller one");
	if (!rc)
		rc = find_metric(&r);
	if (!rc)
		rc = make_slots(&r);
	if (!rc)
		rc = open_file(&r, &created);
	if (!rc) {
		read_machine(&r);
		catch_usr1();
		rc = record_session(&r);
		if (rc && created && !r.writer.bytes)
			unlink(r.path);
	}
	if (r.output_fd >= 0 && close(r.output_fd) && !rc) {
		r.writer.out.error = errno;
		rc = write_failed(&r, r.path);
	}
	recorder_free(&r);
	return rc;
}

static int check_options(const struct options *o)
{
	if (o->trigger_text && !o->ring_bytes)
		return fail(EXIT_USAGE, "--trigger needs --ring, because all events are written "
			    "without it; add --ring 8M");
	if (o->ring_bytes && o->output && !strcmp(o->output, "-"))
		return fail(EXIT_USAGE, "--ring cannot write to standard output; give --output the "
			    "name of a file");
	if (o->compress && !chunks_can_pack())
		return fail(EXIT_OTHER, "--compress is not possible: this p2ptrace was built "
			    "without zstd; build it with libzstd, or compress the file later");
	return 0;
}

int cmd_record(int argc, char **argv)
{
	struct options o = {};
	int rc;

	if (!options_parse(&args, argc, argv, &o.common, &rc))
		return rc;
	rc = check_options(&o);
	if (rc)
		return rc;
	options_default_buffer(&o.common);
	/* A file above the limit of its size (setrlimit(2)) is an error, not the end */
	signal(SIGXFSZ, SIG_IGN);
	return record(&o);
}
