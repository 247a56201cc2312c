// SPDX-License-Identifier: GPL-2.0
/* What "p2ptrace trace" does with records, with a broken output, and with a kernel that lacks events. */
#include <bpf/btf.h>

#include "unit.h"
#include "../../tools/p2ptrace/cmd_trace.c"

static const struct p2ptrace_p2pmem_reclaim record = {
	.h = { .ts_ns = 1, .event = P2PTRACE_p2pmem_reclaim, .comm = "c" }, .dev.s = "p2pmem0", .id = 1, .size = 4096,
};

struct fixture {
	struct options options;
	struct trace trace;
};

static void begin(struct fixture *f, FILE *out)
{
	memset(f, 0, sizeof(*f));
	assert_non_null(out);
	f->trace.options = &f->options;
	f->trace.line = printbuf_new();
	assert_non_null(f->trace.line);
	stream_init(&f->trace.out, out);
}

static int end(struct fixture *f, struct capture *c)
{
	int rc;

	capture_begin(c);
	rc = trace_end(&f->trace);
	capture_end(c);
	printbuf_free(f->trace.line);
	fclose(f->trace.out.file);
	return rc;
}

static void feed(struct fixture *f, const void *data, size_t size, enum session_verdict expected)
{
	assert_int_equal(trace_record(&f->trace, data, size), expected);
}

static void a_count_of_n_prints_n(void **state)
{
	char out[4096] = "";
	struct fixture f;
	struct capture c;
	int newlines = 0;

	(void)state;
	begin(&f, fmemopen(out, sizeof(out), "w"));
	f.options.count = 3;
	feed(&f, &record, sizeof(record), SESSION_GO_ON);
	feed(&f, &record, sizeof(record), SESSION_GO_ON);
	feed(&f, &record, sizeof(record), SESSION_STOP);
	assert_int_equal(end(&f, &c), 0);
	assert_string_equal(c.text, "");
	for (char *s = out; *s; s++)
		newlines += *s == '\n';
	assert_int_equal(newlines, 3 + 1);
	assert_non_null(strstr(out, "\n# 3 events, 0 lost\n"));
}

/* As if from a hostile kernel: nothing is printed, nothing is counted as an event, and it does not pass silently. */
static void malformed_records_are_counted_and_reported(void **state)
{
	struct p2ptrace_p2pmem_reclaim unknown = record;
	char out[4096] = "";
	struct fixture f;
	struct capture c;

	(void)state;
	begin(&f, fmemopen(out, sizeof(out), "w"));
	f.options.json = true;
	unknown.h.event = P2PTRACE_NR_EVENTS;
	feed(&f, &record, sizeof(record), SESSION_GO_ON);
	feed(&f, &unknown, sizeof(unknown), SESSION_GO_ON);
	feed(&f, &record, sizeof(record) - 1, SESSION_GO_ON);
	feed(&f, &record, 3, SESSION_GO_ON);
	feed(&f, &record, 0, SESSION_GO_ON);
	assert_int_equal(end(&f, &c), EXIT_OTHER);
	assert_one_line(c.text, "4 records from the kernel could not be understood");
	assert_non_null(strstr(out, "\n{\"event\":\"end\",\"events\":1,\"lost\":0}\n"));
}

static void lost_events_are_shown(void **state)
{
	uint64_t per_cpu[] = { 2, 3 };
	char out[4096] = "";
	struct fixture f;
	struct capture c;

	(void)state;
	begin(&f, fmemopen(out, sizeof(out), "w"));
	f.trace.session.lost = (struct lost){ .total = 6, .nested = 1, .per_cpu = per_cpu, .nr_cpus = 2 };
	assert_int_equal(end(&f, &c), 0);
	assert_one_line(c.text, "6 events lost in all (cpu0 2, cpu1 3, nested 1); a larger --buffer");
	assert_string_equal(out, "# 0 events, 6 lost (cpu0 2, cpu1 3, nested 1)\n");
}

static void a_full_disk_is_an_error(void **state)
{
	struct fixture f;
	struct capture c;

	(void)state;
	begin(&f, fopen("/dev/full", "w"));
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
	begin(&f, fdopen(fds[1], "w"));
	f.trace.next_count = INT64_MAX;	/* there is no map to count in */
	feed(&f, &record, sizeof(record), SESSION_GO_ON);
	assert_int_equal(trace_pause(&f.trace), SESSION_GO_ON);
	close(fds[0]);
	/* Also while there is nothing to write. */
	assert_int_equal(trace_pause(&f.trace), SESSION_STOP);
	assert_int_equal(end(&f, &c), 0);
	assert_string_equal(c.text, "");
}

static struct btf *btf_with_events(const char *except)
{
	struct btf *btf = btf__new_empty();
	char name[64];

	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		if (!strncmp(events[i].name, except, strlen(except)))
			continue;
		snprintf(name, sizeof(name), "btf_trace_%s", events[i].name);
		assert_true(btf__add_typedef(btf, name, 1) > 0);
	}
	return btf;
}

static int select_on(const char *except, const struct options *o, struct event_set *set, struct capture *c)
{
	struct kernel kernel = { .vmlinux = btf_with_events(except) };
	int rc;

	assert_int_equal(select_events(o, set), 0);
	capture_begin(c);
	rc = select_available(&kernel, o, set);
	capture_end(c);
	kernel_close(&kernel);
	return rc;
}

static void without_nvmet_the_others_go_on(void **state)
{
	struct options o = {};
	struct event_set set;
	struct capture c;

	(void)state;
	assert_int_equal(select_on("nothing", &o, &set, &c), 0);
	assert_string_equal(c.text, "");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS);

	assert_int_equal(select_on("nvmet_", &o, &set, &c), 0);
	assert_one_line(c.text, "nvmet events are not available");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 4);

	assert_int_equal(select_on("p2pmem_mmap", &o, &set, &c), 0);
	assert_one_line(c.text, "does not have p2pmem_mmap");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 1);
}

static void an_event_that_was_asked_for_must_be_there(void **state)
{
	struct kernel kernel = { .vmlinux = btf_with_events("nvmet_") };
	struct options o = { .events_given = true };
	struct event_set set;
	struct capture c;

	(void)state;
	o.events.has[P2PTRACE_nvmet_p2pmem_use] = true;
	set = o.events;
	capture_begin(&c);
	assert_int_equal(select_available(&kernel, &o, &set), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "does not have nvmet_p2pmem_use");
	assert_one_line(c.text, "modprobe nvmet");
	kernel_close(&kernel);
}

static void filters_narrow_the_selection(void **state)
{
	struct options o = { .client = "0000:00:00.0" };
	struct event_set set;
	struct capture c;

	(void)state;
	assert_int_equal(select_events(&o, &set), 0);
	assert_int_equal(event_set_count(&set), 3);
	o.dev = "p2pmem0";
	assert_int_equal(select_events(&o, &set), 0);
	assert_int_equal(event_set_count(&set), 3);

	o.client = NULL;
	assert_int_equal(select_events(&o, &set), 0);
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 2);

	/* Of what the user named, nothing is left out in silence. */
	o.events_given = true;
	o.events.has[P2PTRACE_p2pmem_decide] = true;
	assert_int_equal(select_events(&o, &set), 0);
	assert_int_equal(event_set_count(&set), 1);
	o.events.has[P2PTRACE_nvmet_p2pmem_fallback] = true;
	capture_begin(&c);
	assert_int_equal(select_events(&o, &set), EXIT_USAGE);
	capture_end(&c);
	assert_one_line(c.text, "nvmet_p2pmem_fallback has no dev or provider, so --dev would");

	o = (struct options){ .client = "0000:00:00.0", .events_given = true };
	o.events.has[P2PTRACE_p2pmem_decide] = o.events.has[P2PTRACE_p2pmem_alloc] = true;
	capture_begin(&c);
	assert_int_equal(select_events(&o, &set), EXIT_USAGE);
	capture_end(&c);
	assert_one_line(c.text, "p2pmem_alloc has no client, so --client would");
}

static const char *left_out(const struct options *o, struct capture *c)
{
	struct event_set set;

	assert_int_equal(select_events(o, &set), 0);
	capture_begin(c);
	show_left_out(o, &set);
	return capture_end(c);
}

static void what_a_filter_leaves_out_is_said(void **state)
{
	struct options o = {};
	struct capture c;

	(void)state;
	assert_string_equal(left_out(&o, &c), "");
	o.dev = "p2pmem0";
	assert_one_line(left_out(&o, &c), "events that --dev cannot match are left out: nvmet_p2pmem_use, nvmet_p2pmem_fallback\n");
	o.client = "0000:00:00.0";
	assert_one_line(left_out(&o, &c), "--dev or --client cannot match are left out: p2pmem_dev_add, ");
	o.dev = NULL;
	assert_one_line(left_out(&o, &c), "that --client cannot match are left out: p2pmem_dev_add, ");
	/* Whole to the last name. */
	assert_one_line(c.text, ", nvmet_p2pmem_fallback\n");
	assert_null(strstr(c.text, "p2pmem_dma_map"));
	o.events_given = true;
	o.events.has[P2PTRACE_p2pmem_decide] = true;
	assert_string_equal(left_out(&o, &c), "");
}

static int buffer_on(const char *meminfo, uint64_t bytes, struct capture *c)
{
	struct options o = { .buffer_bytes = bytes };
	char path[] = "/tmp/p2ptrace-unit-XXXXXX";
	int rc, fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, meminfo, strlen(meminfo)), strlen(meminfo));
	close(fd);
	capture_begin(c);
	rc = check_buffer(&o, path);
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
	assert_one_line(c.text, "--buffer 524288K would do");
	assert_int_equal(buffer_on("MemAvailable: 1048575 kB\n", 512 << 20, &c), EXIT_USAGE);
	assert_one_line(c.text, "--buffer 262144K would do");
	/* Without knowing, there is nothing to refuse. */
	assert_int_equal(buffer_on("", 1 << 30, &c), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_count_of_n_prints_n),
	cmocka_unit_test(malformed_records_are_counted_and_reported),
	cmocka_unit_test(lost_events_are_shown),
	cmocka_unit_test(a_full_disk_is_an_error),
	cmocka_unit_test(a_reader_that_goes_away_is_not),
	cmocka_unit_test(without_nvmet_the_others_go_on),
	cmocka_unit_test(an_event_that_was_asked_for_must_be_there),
	cmocka_unit_test(filters_narrow_the_selection),
	cmocka_unit_test(what_a_filter_leaves_out_is_said),
	cmocka_unit_test(a_buffer_takes_half_of_the_memory_at_most),
};

UNIT_MAIN(tests)
