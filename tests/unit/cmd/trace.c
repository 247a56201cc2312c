// SPDX-License-Identifier: GPL-2.0
/* What "p2ptrace trace" does with records, and with a broken output. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "unit.h"
#include "cmd/trace.c"
#include "event/blind.h"

static const struct p2ptrace_p2pmem_reclaim record = {
	.h = { .ts_ns = 1, .event = P2PTRACE_p2pmem_reclaim, .comm = "c" },
	.dev.s = "p2pmem0",
	.id = 1,
	.size = 4096,
};

struct fixture {
	struct options options;
	struct trace trace;
	char out[4096];		/* the beginning of what was written, once it has ended */
};

static void begin(struct fixture *f, int fd)
{
	memset(f, 0, sizeof(*f));
	assert_true(fd >= 0);
	f->trace.options = &f->options;
	f->trace.out.fd = fd;
	memset(f->trace.tracer.sel.set.has, true, sizeof(f->trace.tracer.sel.set.has));
}

static int end(struct fixture *f, struct capture *c)
{
	int rc;

	capture_begin(c);
	rc = trace_end(&f->trace);
	capture_end(c);
	buffer_free(&f->trace.lines);
	if (pread(f->trace.out.fd, f->out, sizeof(f->out) - 1, 0) < 0)
		f->out[0] = '\0';
	close(f->trace.out.fd);
	return rc;
}

static void feed(struct fixture *f, const void *data, size_t size, enum session_verdict expected)
{
	assert_int_equal(trace_record(&f->trace, data, size), expected);
}

static void a_count_of_n_prints_n(void **state)
{
	struct fixture f;
	struct capture c;
	int newlines = 0;

	(void)state;
	begin(&f, temporary_file());
	f.options.count = 3;
	feed(&f, &record, sizeof(record), SESSION_GO_ON);
	feed(&f, &record, sizeof(record), SESSION_GO_ON);
	feed(&f, &record, sizeof(record), SESSION_STOP);
	assert_int_equal(end(&f, &c), 0);
	assert_string_equal(c.text, "");
	for (char *s = f.out; *s; s++)
		newlines += *s == '\n';
	assert_int_equal(newlines, 3 + 1);
	assert_non_null(strstr(f.out, "\n# 3 events, 0 lost\n"));
}

/*
 * As if from a hostile kernel: nothing is printed, nothing is counted as an event, and it does not
 * pass silently.
 */
static void malformed_records_are_counted_and_reported(void **state)
{
	struct p2ptrace_p2pmem_reclaim unknown = record;
	struct fixture f;
	struct capture c;

	(void)state;
	begin(&f, temporary_file());
	f.options.common.json = true;
	unknown.h.event = P2PTRACE_NR_EVENTS;
	feed(&f, &record, sizeof(record), SESSION_GO_ON);
	feed(&f, &unknown, sizeof(unknown), SESSION_GO_ON);
	feed(&f, &record, sizeof(record) - 1, SESSION_GO_ON);
	feed(&f, &record, 3, SESSION_GO_ON);
	feed(&f, &record, 0, SESSION_GO_ON);
	assert_int_equal(end(&f, &c), EXIT_OTHER);
	assert_one_line(c.text, "cannot understand 4 records from the kernel");
	assert_non_null(strstr(f.out, "\n{\"event\":\"end\",\"events\":1,\"lost\":0,"
			       "\"blind\":[]}\n"));
}

static void lost_events_are_shown(void **state)
{
	uint64_t per_cpu[] = { 2, 3 };
	struct fixture f;
	struct capture c;

	(void)state;
	begin(&f, temporary_file());
	f.trace.tracer.session.lost = (struct lost){
		.total = 6, .nested = 1, .per_cpu = per_cpu, .nr_cpus = 2
	};
	assert_int_equal(end(&f, &c), 0);
	assert_one_line(c.text, "6 events lost in all (cpu0 2, cpu1 3, nested 1); use a larger "
				"--buffer");
	assert_string_equal(f.out, "# 0 events, 6 lost (cpu0 2, cpu1 3, nested 1)\n");
}

static void the_end_says_what_was_not_seen(void **state)
{
	struct fixture f;
	struct capture c;

	(void)state;
	for (int json = 0; json < 2; json++) {
		begin(&f, temporary_file());
		f.options.common.json = json;
		blind_add(&f.trace.tracer.session.config.events, P2PTRACE_p2pdma_map, "a test");
		assert_int_equal(end(&f, &c), 0);
		assert_string_equal(f.out, json ? "{\"event\":\"end\",\"events\":0,\"lost\":0,"
					   "\"blind\":[\"p2pdma_map\"]}\n" :
				    "# p2pdma_map is not seen: a test\n# 0 events, 0 lost\n");
	}
}

static void lines_are_written_before_they_are_many(void **state)
{
	int out = temporary_file();
	struct fixture f;
	struct capture c;
	struct stat st;

	(void)state;
	/* As with a kernel so busy that there is no pause */
	begin(&f, out);
	while (f.trace.events < 5000) {
		feed(&f, &record, sizeof(record), SESSION_GO_ON);
		assert_true(f.trace.lines.len < 2 * LINES_BYTES);
	}
	assert_int_equal(fstat(out, &st), 0);
	assert_true(st.st_size > 2 * LINES_BYTES);
	assert_int_equal(end(&f, &c), 0);

	begin(&f, open("/dev/full", O_WRONLY));
	while (f.trace.events < 5000 &&
	       trace_record(&f.trace, &record, sizeof(record)) == SESSION_GO_ON)
		;
	assert_true(f.trace.events < 5000);
	assert_int_equal(end(&f, &c), EXIT_OTHER);
}

static void a_full_disk_is_an_error(void **state)
{
	struct fixture f;
	struct capture c;

	(void)state;
	begin(&f, open("/dev/full", O_WRONLY));
	feed(&f, &record, sizeof(record), SESSION_GO_ON);
	assert_int_equal(trace_pause(&f.trace), SESSION_STOP);
	feed(&f, &record, sizeof(record), SESSION_STOP);
	assert_int_equal(end(&f, &c), EXIT_OTHER);
	assert_one_line(c.text, "No space left on device");
}

static void a_reader_that_goes_away_is_not(void **state)
{
	struct fixture f;
	struct capture c;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	begin(&f, fds[1]);
	f.trace.next_count = INT64_MAX;	/* there is no map to count in */
	feed(&f, &record, sizeof(record), SESSION_GO_ON);
	assert_int_equal(trace_pause(&f.trace), SESSION_GO_ON);
	close(fds[0]);
	/* Also while there is nothing to write. */
	assert_int_equal(trace_pause(&f.trace), SESSION_STOP);
	assert_int_equal(end(&f, &c), 0);
	assert_string_equal(c.text, "");
}

static int buffer_on(const char *meminfo, uint64_t bytes, struct capture *c)
{
	struct common_options o = { .buffer_bytes = bytes };
	char path[] = "/tmp/p2ptrace-unit-XXXXXX";
	int rc, fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, meminfo, strlen(meminfo)), strlen(meminfo));
	close(fd);
	capture_begin(c);
	rc = options_check_buffer(&o, path);
	capture_end(c);
	unlink(path);
	return rc;
}

static void a_buffer_takes_half_of_the_memory_at_most(void **state)
{
	static const char meminfo[] = "MemTotal: 4096000 kB\nMemAvailable:     1048576 kB\n";
	struct capture c;

	(void)state;
	assert_int_equal(buffer_on(meminfo, 512 << 20, &c), 0);
	assert_string_equal(c.text, "");
	assert_int_equal(buffer_on(meminfo, 1 << 30, &c), EXIT_USAGE);
	assert_one_line(c.text, "a buffer of 1048576K is more than half of the 1048576K");
	assert_one_line(c.text, "use --buffer 524288K");
	assert_int_equal(buffer_on("MemAvailable: 1048575 kB\n", 512 << 20, &c), EXIT_USAGE);
	assert_one_line(c.text, "use --buffer 262144K");
	/* Without knowing, there is nothing to refuse. */
	assert_int_equal(buffer_on("", 1 << 30, &c), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_count_of_n_prints_n),
	cmocka_unit_test(malformed_records_are_counted_and_reported),
	cmocka_unit_test(lost_events_are_shown),
	cmocka_unit_test(the_end_says_what_was_not_seen),
	cmocka_unit_test(lines_are_written_before_they_are_many),
	cmocka_unit_test(a_full_disk_is_an_error),
	cmocka_unit_test(a_reader_that_goes_away_is_not),
	cmocka_unit_test(a_buffer_takes_half_of_the_memory_at_most),
};

UNIT_MAIN(tests)
