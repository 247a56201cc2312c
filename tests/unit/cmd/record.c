// SPDX-License-Identifier: GPL-2.0
/* wrap: session_count_lost session_hooks */
/* What "p2ptrace record" does with records, with a full disk, and as a flight recorder. */

#include <fcntl.h>

#include "unit.h"
#include "cmd/record.c"

static struct options options;
static struct recorder recorder;
static char dir[] = "/tmp/p2ptrace-unit-XXXXXX", path[64];
static uint64_t per_cpu[2], lost_now;

int __wrap_session_count_lost(struct session *session);
int __wrap_session_count_lost(struct session *session)
{
	per_cpu[1] = session->lost.total = lost_now;
	return 0;
}

size_t __wrap_session_hooks(const struct session *session, const char **sections, size_t max);
size_t __wrap_session_hooks(const struct session *session, const char **sections, size_t max)
{
	(void)session;
	assert_true(max > 1);
	sections[0] = "tp_btf/p2pmem_free";
	return 1;
}

static int setup(void **state)
{
	struct event_set *set = &recorder.tracer.sel.set;
	static char *no_command[] = { NULL };

	(void)state;
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/run.rec", dir);
	memset(&options, 0, sizeof(options));
	memset(&recorder, 0, sizeof(recorder));
	lost_now = 0;
	dump_wanted = 0;
	options.command = no_command;
	recorder.options = &options;
	recorder.path = path;
	memset(set->has, true, sizeof(set->has));
	recorder.tracer.session.config.events = *set;
	recorder.tracer.session.lost = (struct lost){ .per_cpu = per_cpu, .nr_cpus = 2 };
	per_cpu[0] = per_cpu[1] = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	/* What tracer_close() would free */
	enums_free(&recorder.tracer.sel.enums);
	memset(&recorder.tracer, 0, sizeof(recorder.tracer));
	if (recorder.output_fd > 0)
		close(recorder.output_fd);
	for (size_t i = 0; recorder.slots && i < recorder.nr_slots; i++)
		free(recorder.slots[i].data);
	free(recorder.slots);
	chunks_free(&recorder.writer);
	metrics_free(&recorder.metrics);
	buffer_free(&recorder.text);
	return remove_tree(dir);
}

static void begin(void)
{
	bool created;

	assert_int_equal(make_slots(&recorder), 0);
	assert_int_equal(find_metric(&recorder), 0);
	assert_int_equal(open_file(&recorder, &created), 0);
	describe(&recorder);
	if (!options.ring_bytes)
		assert_int_equal(write_head(&recorder), 0);
}

static enum session_verdict feed(uint64_t id)
{
	const struct p2ptrace_p2pmem_reclaim record = {
		.h = { .ts_ns = clock_now_ns(), .event = P2PTRACE_p2pmem_reclaim, .comm = "c" },
		.id = id,
		.size = 4096,
	};

	return record_record(&recorder, &record, sizeof(record));
}

static struct capture said;

static int end(void)
{
	int rc;

	capture_begin(&said);
	rc = record_end(&recorder);
	capture_end(&said);
	return rc;
}

/* Reads a file: the first and last id, and the number of records. */
struct content {
	uint64_t first, last, nr;
	struct recording recording;
};

static struct content content_of(const char *name)
{
	FILE *file = fopen(name, "r");
	struct content content = {};
	const void *record;

	assert_non_null(file);
	assert_int_equal(recording_open(&content.recording, name, file), 0);
	while ((record = recording_next(&content.recording))) {
		const struct p2ptrace_p2pmem_reclaim *reclaim = record;

		if (!content.nr++)
			content.first = reclaim->id;
		/* None is missing between them */
		assert_int_equal(reclaim->id, content.first + content.nr - 1);
		content.last = reclaim->id;
	}
	fclose(file);
	return content;
}

static void each_event_is_in_the_file(void **state)
{
	struct content content;

	(void)state;
	begin();
	for (uint64_t id = 1; id <= 5003; id++) {
		assert_int_equal(feed(id), SESSION_GO_ON);
		if (id % 1000 == 0)
			assert_int_equal(record_pause(&recorder), SESSION_GO_ON);
	}
	assert_int_equal(end(), 0);
	assert_one_line(said.text, "recorded 5003 events, 0 lost, to ");
	content = content_of(path);
	assert_int_equal(content.first, 1);
	assert_int_equal(content.last, 5003);
	assert_string_equal(content.recording.trouble, "");
	assert_string_equal(content.recording.hooks.data, "tp_btf/p2pmem_free");
	assert_string_equal(content.recording.about.tool, TOOL_VERSION);
	recording_close(&content.recording);
}

/* A pause writes what there is: a recorder that is killed loses no more. */
static void a_file_without_an_end_has_what_was_written(void **state)
{
	struct content content;

	(void)state;
	begin();
	feed(1);
	feed(2);
	record_pause(&recorder);
	feed(3);
	content = content_of(path);
	assert_int_equal(content.last, 2);
	assert_non_null(strstr(content.recording.trouble, "it has no end"));
	recording_close(&content.recording);
}

static void malformed_and_unwanted_records_are_not_written(void **state)
{
	struct p2ptrace_p2pmem_free free_record = { .h.event = P2PTRACE_p2pmem_free };
	struct content content;

	(void)state;
	begin();
	recorder.tracer.sel.set.has[P2PTRACE_p2pmem_free] = false;
	assert_int_equal(record_record(&recorder, &free_record, sizeof(free_record)),
			 SESSION_GO_ON);
	assert_int_equal(record_record(&recorder, &free_record, 7), SESSION_GO_ON);
	assert_int_equal(recorder.malformed, 1);
	feed(1);
	assert_int_equal(end(), 0);
	content = content_of(path);
	assert_int_equal(content.nr, 1);
	recording_close(&content.recording);
}

static void losses_are_in_the_file_by_cpu(void **state)
{
	struct content content;

	(void)state;
	begin();
	feed(1);
	lost_now = 42;
	capture_begin(&said);
	record_pause(&recorder);
	capture_end(&said);
	assert_one_line(said.text, "42 events lost so far (cpu1 42); use a larger --buffer");
	assert_int_equal(end(), 0);
	content = content_of(path);
	assert_int_equal(content.recording.lost.total, 42);
	assert_int_equal(content.recording.lost.per_cpu[1], 42);
	recording_close(&content.recording);
}

static void a_full_disk_ends_it_with_an_error(void **state)
{
	uint64_t id = 0;

	(void)state;
	begin();
	assert_int_equal(dup2(open("/dev/full", O_WRONLY), recorder.output_fd),
			 recorder.output_fd);
	while (feed(++id) == SESSION_GO_ON && id < 100000)
		;
	assert_true(id < 2000);
	assert_int_equal(end(), EXIT_OTHER);
	assert_one_line(said.text, "No space left on device; what was written until then can");
}

static void the_ring_keeps_the_last_events(void **state)
{
	struct content content;
	char second[80];

	(void)state;
	options.ring_bytes = 2 * SLOT_BYTES;
	begin();
	assert_int_not_equal(access(path, F_OK), 0);
	for (uint64_t id = 1; id <= 10007; id++)
		assert_int_equal(feed(id), SESSION_GO_ON);
	dump_wanted = 1;
	capture_begin(&said);
	record_pause(&recorder);
	capture_end(&said);
	assert_one_line(said.text, "(SIGUSR1)");
	content = content_of(path);
	assert_int_equal(content.last, 10007);
	assert_between(content.nr, SLOT_BYTES / sizeof(struct p2ptrace_p2pmem_reclaim),
		       2 * SLOT_BYTES / sizeof(struct p2ptrace_p2pmem_reclaim));
	assert_string_equal(content.recording.trouble, "");
	assert_string_equal(content.recording.end.why, "SIGUSR1");
	recording_close(&content.recording);
	feed(10008);
	assert_int_equal(end(), 0);
	snprintf(second, sizeof(second), "%s.1", path);
	content = content_of(second);
	assert_int_equal(content.last, 10008);
	recording_close(&content.recording);
}

/* The second dump and the one at the end succeed, and the first one is still missing. */
static void a_dump_that_failed_is_an_error_at_the_end(void **state)
{
	char good[sizeof(path)];

	(void)state;
	options.ring_bytes = 2 * SLOT_BYTES;
	begin();
	strcpy(good, path);
	strcpy(path, "/nonexistent/run.rec");
	feed(1);
	dump_wanted = 1;
	capture_begin(&said);
	record_pause(&recorder);
	capture_end(&said);
	assert_one_line(said.text, "cannot write /nonexistent/run.rec");
	strcpy(path, good);
	dump_wanted = 1;
	capture_begin(&said);
	record_pause(&recorder);
	capture_end(&said);
	assert_one_line(said.text, "wrote 1 event to ");
	assert_int_equal(end(), EXIT_USAGE);
	assert_one_line(said.text, "wrote 1 event to ");
}

static void a_trigger_writes_the_file_when_it_begins_to_hold(void **state)
{
	struct content content;

	(void)state;
	options.ring_bytes = 2 * SLOT_BYTES;
	options.trigger_text = "reclaims >= 3";
	assert_int_equal(expect_parse(&options.trigger, options.trigger_text), 0);
	begin();
	for (uint64_t id = 1; id <= 6; id++) {
		feed(id);
		capture_begin(&said);
		record_pause(&recorder);
		capture_end(&said);
		if (id == 3)
			assert_one_line(said.text, "wrote 3 events");
		else
			assert_string_equal(said.text, "");
	}
	assert_int_equal(end(), 0);
	assert_string_equal(said.text, "");
	content = content_of(path);
	assert_int_equal(content.last, 3);
	assert_string_equal(content.recording.end.why, "reclaims >= 3");
	recording_close(&content.recording);
}

static void a_trigger_needs_a_count_of_what_is_recorded(void **state)
{
	(void)state;
	options.ring_bytes = 2 * SLOT_BYTES;
	options.trigger_text = "x == 1";
	assert_int_equal(expect_parse(&options.trigger, options.trigger_text), 0);
	capture_begin(&said);
	assert_int_equal(find_metric(&recorder), EXIT_USAGE);
	capture_end(&said);
	assert_one_line(said.text, "there is no metric 'x'");
	metrics_free(&recorder.metrics);
	strcpy(options.trigger.metric, "held");
	capture_begin(&said);
	assert_int_equal(find_metric(&recorder), EXIT_USAGE);
	capture_end(&said);
	assert_one_line(said.text, "'held' is no count of events");
}

static void a_file_that_cannot_be_written_is_refused_at_once(void **state)
{
	bool created;

	(void)state;
	recorder.path = "/nonexistent/run.rec";
	options.ring_bytes = 2 * SLOT_BYTES;
	capture_begin(&said);
	assert_int_equal(open_file(&recorder, &created), EXIT_USAGE);
	capture_end(&said);
	assert_one_line(said.text, "cannot write /nonexistent/run.rec: its folder does not exist");
}

static void recording_goes_on_for_a_second_after_the_command(void **state)
{
	char *argv[] = { (char []){ "false" }, NULL };
	struct content content;
	uint64_t ended = 0;

	(void)state;
	begin();
	assert_int_equal(child_start(&recorder.child, argv), 0);
	while (record_pause(&recorder) == SESSION_GO_ON) {
		if (recorder.child.ended && !ended)
			ended = clock_now_ns();
		usleep(1000);
	}
	assert_true(clock_now_ns() - ended > NSEC_PER_SEC / 2);
	assert_int_equal(end(), 0);
	content = content_of(path);
	assert_string_equal(content.recording.end.argv[0], "false");
	assert_int_equal(WEXITSTATUS(content.recording.end.wait_status), 1);
	assert_true(content.recording.end.command_end_ns < content.recording.end.end_ns);
	recording_close(&content.recording);
}

#define RECORD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	RECORD_TEST(each_event_is_in_the_file),
	RECORD_TEST(a_file_without_an_end_has_what_was_written),
	RECORD_TEST(malformed_and_unwanted_records_are_not_written),
	RECORD_TEST(losses_are_in_the_file_by_cpu),
	RECORD_TEST(a_full_disk_ends_it_with_an_error),
	RECORD_TEST(the_ring_keeps_the_last_events),
	RECORD_TEST(a_dump_that_failed_is_an_error_at_the_end),
	RECORD_TEST(a_trigger_writes_the_file_when_it_begins_to_hold),
	RECORD_TEST(a_trigger_needs_a_count_of_what_is_recorded),
	RECORD_TEST(a_file_that_cannot_be_written_is_refused_at_once),
	RECORD_TEST(recording_goes_on_for_a_second_after_the_command),
};

UNIT_MAIN(tests)
