// SPDX-License-Identifier: GPL-2.0
/* wrap: bpf_object__load bpf_program__attach bpf_link__destroy bpf_map__fd bpf_program__fd */
/* wrap: bpf_map_lookup_elem bpf_obj_get_info_by_fd ring_buffer__new ring_buffer__poll */
/* wrap: ring_buffer__consume ring_buffer__free clock_gettime nanosleep interrupted */
/*
 * A run of a session: when it reads records, when it pauses, and what ends it. The ring buffer, the
 * clock and the signal are fakes. Time passes only while the session waits, and for each record and
 * pause as long as a test says.
 */
#include "fake-bpf.h"

#include <time.h>

#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/units.h"
#include "session/hooks.h"
#include "session/session.h"

#include "stat.skel.h"
#include "trace.skel.h"

#define START_NS 1000000007ull

static uint64_t now_ns;
static unsigned int nr_readings;
static bool signalled;

/* The ring buffer */
static unsigned int queued;
static ring_buffer_sample_fn read_record;
static void *read_ctx;
static bool wakes, new_fails;		/* wakes: poll() finds records at once */
static int poll_fails, consume_fails;	/* an errno, once */
static unsigned int consume_fails_at;	/* the call of consume() */
static unsigned int nr_polls, nr_consumed;
static char timeouts[256];		/* of poll(), in ms */
static char naps[512];			/* in ms */

static struct session_config config;
static struct session session;
static struct trace_bpf *trace;
static struct stat_bpf *stat;
static struct capture c;

/* What the callbacks do, and what they saw */
static unsigned int records, stop_at_record, signal_at_record, pauses, stop_at_pause;
static unsigned int signal_at_nap, nr_naps;
static uint64_t record_ns, pause_ns;
static char paused[256];		/* "MS:RECORDS ", relative to the start */

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	/* A session that does not end */
	assert_true(++nr_readings < 100000);
	ts->tv_sec = now_ns / NSEC_PER_SEC;
	ts->tv_nsec = now_ns % NSEC_PER_SEC;
	return 0;
}

int __wrap_nanosleep(const struct timespec *ts, struct timespec *left);
int __wrap_nanosleep(const struct timespec *ts, struct timespec *left)
{
	uint64_t ns = ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec;

	assert_null(left);
	assert_true(ns);
	if (strlen(naps) < sizeof(naps) - 32)
		sprintf(naps + strlen(naps), "%llu ", (unsigned long long)(ns / NSEC_PER_MSEC));
	now_ns += ns;
	if (++nr_naps == signal_at_nap)
		signalled = true;
	return 0;
}

bool __wrap_interrupted(void);
bool __wrap_interrupted(void)
{
	return signalled;
}

struct ring_buffer *__wrap_ring_buffer__new(int fd, ring_buffer_sample_fn fn, void *ctx,
					    const struct ring_buffer_opts *opts);
struct ring_buffer *__wrap_ring_buffer__new(int fd, ring_buffer_sample_fn fn, void *ctx,
					    const struct ring_buffer_opts *opts)
{
	(void)opts;
	assert_true(is(fd, "records"));
	read_record = fn;
	read_ctx = ctx;
	errno = EPERM;
	return new_fails ? NULL : (struct ring_buffer *)&queued;
}

void __wrap_ring_buffer__free(struct ring_buffer *ring);
void __wrap_ring_buffer__free(struct ring_buffer *ring)
{
	assert_true(!ring || ring == (struct ring_buffer *)&queued);
}

/* As libbpf does: a record for which the callback fails is consumed as well. */
static int consume(void)
{
	static char record[24];
	int n = 0, err;

	while (queued) {
		queued--;
		n++;
		now_ns += record_ns;
		err = read_record(read_ctx, record, sizeof(record));
		if (err < 0)
			return err;
	}
	return n;
}

int __wrap_ring_buffer__consume(struct ring_buffer *ring);
int __wrap_ring_buffer__consume(struct ring_buffer *ring)
{
	assert_ptr_equal(ring, &queued);
	return ++nr_consumed == consume_fails_at ? -consume_fails : consume();
}

int __wrap_ring_buffer__poll(struct ring_buffer *ring, int timeout_ms);
int __wrap_ring_buffer__poll(struct ring_buffer *ring, int timeout_ms)
{
	int err = poll_fails;

	assert_ptr_equal(ring, &queued);
	assert_true(timeout_ms > 0);
	nr_polls++;
	if (strlen(timeouts) < sizeof(timeouts) - 32)
		sprintf(timeouts + strlen(timeouts), "%d ", timeout_ms);
	poll_fails = 0;
	if (err) {
		now_ns += NSEC_PER_MSEC;
		return -err;
	}
	if (wakes && queued)
		return consume();
	now_ns += timeout_ms * NSEC_PER_MSEC;
	return 0;
}

int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value);
int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	(void)fd;
	(void)key;
	memset(value, 0, session.lost.nr_cpus * sizeof(uint64_t));
	/* The lost are counted once nothing can be lost any more */
	assert_int_equal(nr_links, 0);
	return 0;
}

static enum session_verdict on_record(void *ctx, const void *data, size_t size)
{
	assert_ptr_equal(ctx, &config);
	assert_non_null(data);
	assert_int_equal(size, 24);
	if (++records == signal_at_record)
		signalled = true;
	return records == stop_at_record ? SESSION_STOP : SESSION_GO_ON;
}

static enum session_verdict on_pause(void *ctx)
{
	assert_ptr_equal(ctx, &config);
	assert_int_equal(nr_links, 2);
	if (strlen(paused) < sizeof(paused) - 64)
		sprintf(paused + strlen(paused), "%llu:%u ",
			(unsigned long long)((now_ns - START_NS) / NSEC_PER_MSEC), records);
	now_ns += pause_ns;
	return ++pauses == stop_at_pause ? SESSION_STOP : SESSION_GO_ON;
}

static int setup(void **state)
{
	(void)state;
	now_ns = START_NS;
	nr_maps = 0;
	nr_readings = queued = nr_polls = nr_consumed = records = pauses = nr_naps = 0;
	stop_at_record = signal_at_record = stop_at_pause = signal_at_nap = consume_fails_at = 0;
	poll_fails = consume_fails = 0;
	record_ns = pause_ns = 0;
	signalled = wakes = new_fails = false;
	*timeouts = *naps = *paused = '\0';
	config = (struct session_config){
		.buffer_bytes = 65536, .needed = P2PTRACE_NR_EVENTS, .record = on_record,
		.pause = on_pause, .ctx = &config, .events.has[P2PTRACE_p2pmem_free] = true,
	};
	trace = trace_bpf__open();
	stat = stat_bpf__open();
	return trace && stat ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	session_close(&session);
	trace_bpf__destroy(trace);
	stat_bpf__destroy(stat);
	return 0;
}

/* Another session in the same test. */
static void again(void)
{
	teardown(NULL);
	assert_int_equal(setup(NULL), 0);
}

static int open_object(void *opener, struct bpf_object **object)
{
	*object = opener;
	return 0;
}

static int run(struct bpf_object *object)
{
	int rc;

	config.open = open_object;
	config.opener = object;
	capture_begin(&c);
	rc = session_start(&session, &config);
	if (!rc)
		rc = session_run(&session);
	capture_end(&c);
	return rc;
}

static void few_records_are_read_after_each_timeout(void **state)
{
	(void)state;
	config.duration_ns = 120 * NSEC_PER_MSEC;
	queued = 7;
	assert_int_equal(run(trace->obj), 0);
	assert_string_equal(timeouts, "50 50 20 ");
	assert_string_equal(paused, "50:7 100:7 120:7 ");
	assert_int_equal(records, 7);
	/* After each timeout, and at the end */
	assert_int_equal(nr_consumed, 4);
	assert_int_equal(nr_links, 0);
	assert_int_equal(bpf_map__max_entries(trace->maps.records), 65536);
	session_close(&session);

	/* A timeout is rounded up, or the last millisecond would be spent polling */
	*timeouts = '\0';
	config.duration_ns = 50 * NSEC_PER_MSEC + 1;
	assert_int_equal(run(trace->obj), 0);
	assert_string_equal(timeouts, "50 1 ");
}

static void a_busy_kernel_does_not_keep_the_session_from_pausing(void **state)
{
	(void)state;
	config.duration_ns = 200 * NSEC_PER_MSEC;
	record_ns = NSEC_PER_MSEC;
	wakes = true;
	queued = 1000;
	assert_int_equal(run(trace->obj), 0);
	/* The clock is read for every 16th record */
	assert_string_equal(paused, "64:64 128:128 192:192 208:208 ");
	/* All records left in the buffer at the end are read, without a time limit */
	assert_int_equal(records, 1000);
}

static void records_that_arrived_before_a_timeout_are_read_whole(void **state)
{
	(void)state;
	config.duration_ns = 400 * NSEC_PER_MSEC;
	record_ns = NSEC_PER_MSEC;
	queued = 40;
	assert_int_equal(run(trace->obj), 0);
	/* 50 ms of waiting do not count for the time of reading */
	assert_memory_equal(paused, "90:40 ", 6);
}

static void a_record_may_stop_the_session(void **state)
{
	(void)state;
	queued = 20;
	stop_at_record = 5;
	assert_int_equal(run(trace->obj), 0);
	assert_int_equal(records, 5);
	assert_int_equal(queued, 15);
	assert_int_equal(pauses, 0);
	assert_int_equal(nr_links, 0);

	/* Also among those that are read at the end */
	again();
	queued = 20;
	signalled = true;
	stop_at_record = 3;
	assert_int_equal(run(trace->obj), 0);
	assert_int_equal(records, 3);
}

static void a_pause_may_stop_the_session(void **state)
{
	(void)state;
	stop_at_pause = 3;
	assert_int_equal(run(trace->obj), 0);
	assert_string_equal(paused, "50:0 100:0 150:0 ");
	/* Three times, and not at the end: what is there is dropped */
	assert_int_equal(nr_consumed, 3);
}

static void a_signal_ends_the_session_at_the_next_record(void **state)
{
	(void)state;
	queued = 1000;
	signal_at_record = 5;
	assert_int_equal(run(trace->obj), 0);
	assert_string_equal(paused, "50:5 ");
	assert_int_equal(nr_polls, 1);
	assert_int_equal(records, 1000);

	/* Before the first */
	again();
	signalled = true;
	queued = 3;
	assert_int_equal(run(trace->obj), 0);
	assert_int_equal(nr_polls, 0);
	assert_int_equal(records, 3);
}

/* SIGUSR1 makes "record" write what has happened, in the pause */
static void what_came_before_a_signal_is_read_before_the_pause(void **state)
{
	(void)state;
	poll_fails = EINTR;
	queued = 5;
	stop_at_pause = 1;
	assert_int_equal(run(trace->obj), 0);
	assert_string_equal(paused, "1:5 ");
}

static void errors_of_the_ring_buffer_end_the_session(void **state)
{
	(void)state;
	config.duration_ns = 100 * NSEC_PER_MSEC;
	poll_fails = EBADF;
	assert_true(run(trace->obj) >= EXIT_KERNEL);
	assert_non_null(strstr(c.text, "read the ring buffer"));

	/* A signal that p2ptrace does not catch is none */
	again();
	config.duration_ns = 40 * NSEC_PER_MSEC;
	poll_fails = EINTR;
	assert_int_equal(run(trace->obj), 0);
	assert_string_equal(timeouts, "40 39 ");
	assert_int_equal(pauses, 2);

	again();
	config.duration_ns = 100 * NSEC_PER_MSEC;
	consume_fails = EBADF;
	consume_fails_at = 1;
	assert_true(run(trace->obj) >= EXIT_KERNEL);
	assert_int_equal(pauses, 0);

	/* At the end */
	again();
	config.duration_ns = 100 * NSEC_PER_MSEC;
	consume_fails = EBADF;
	consume_fails_at = 3;
	assert_true(run(trace->obj) >= EXIT_KERNEL);
	assert_int_equal(pauses, 2);

	again();
	new_fails = true;
	assert_true(run(trace->obj) >= EXIT_KERNEL);
	assert_non_null(strstr(c.text, "read the ring buffer"));
}

static void an_object_without_ring_buffer_has_no_records(void **state)
{
	(void)state;
	assert_int_equal(run(stat->obj), EXIT_OTHER);
	assert_one_line(c.text, "lacks the maps of a session");
}

/* A recording says where its events came from. */
static void hooks_are_those_of_the_programs_that_are_used(void **state)
{
	const char *hooks[HOOK_NR_ROLES];

	(void)state;
	config.duration_ns = 1;
	config.events.has[P2PTRACE_p2pmem_alloc] = true;
	stop_at_pause = 1;
	capture_begin(&c);
	config.open = open_object;
	config.opener = trace->obj;
	assert_int_equal(session_start(&session, &config), 0);
	capture_end(&c);
	assert_int_equal(session_hooks(&session, hooks, ARRAY_LEN(hooks)), 2);
	assert_string_equal(hooks[0], "tp_btf/p2pmem_alloc");
	assert_string_equal(hooks[1], "tp_btf/p2pmem_free");
	hooks[1] = NULL;
	assert_int_equal(session_hooks(&session, hooks, 1), 1);
	assert_null(hooks[1]);
}

static int ending(void *ctx)
{
	assert_ptr_equal(ctx, &config);
	assert_int_equal(nr_links, 2);
	return 4;
}

static void an_ending_that_fails_ends_all(void **state)
{
	(void)state;
	config.duration_ns = 50 * NSEC_PER_MSEC;
	config.ending = ending;
	assert_int_equal(run(trace->obj), 4);
	assert_int_equal(nr_consumed, 1);
}

static void pauses_come_after_each_interval(void **state)
{
	(void)state;
	config.record = NULL;
	config.interval_ns = 10 * NSEC_PER_MSEC;
	config.duration_ns = 35 * NSEC_PER_MSEC;
	assert_int_equal(run(stat->obj), 0);
	assert_string_equal(paused, "10:0 20:0 30:0 ");
	assert_string_equal(naps, "10 10 10 5 ");

	/* The time that a pause takes is part of the interval */
	again();
	config.record = NULL;
	config.interval_ns = 10 * NSEC_PER_MSEC;
	config.duration_ns = 35 * NSEC_PER_MSEC;
	pause_ns = 4 * NSEC_PER_MSEC;
	assert_int_equal(run(stat->obj), 0);
	assert_string_equal(paused, "10:0 20:0 30:0 ");

	again();
	config.record = NULL;
	config.interval_ns = 10 * NSEC_PER_MSEC;
	stop_at_pause = 2;
	assert_int_equal(run(stat->obj), 0);
	assert_string_equal(paused, "10:0 20:0 ");
}

static void missed_intervals_are_skipped(void **state)
{
	(void)state;
	config.record = NULL;
	config.interval_ns = 10 * NSEC_PER_MSEC;
	config.duration_ns = 70 * NSEC_PER_MSEC;
	pause_ns = 10 * NSEC_PER_MSEC;
	assert_int_equal(run(stat->obj), 0);
	assert_string_equal(paused, "10:0 30:0 50:0 70:0 ");

	again();
	config.record = NULL;
	config.interval_ns = 10 * NSEC_PER_MSEC;
	config.duration_ns = 95 * NSEC_PER_MSEC;
	pause_ns = 25 * NSEC_PER_MSEC;
	assert_int_equal(run(stat->obj), 0);
	assert_string_equal(paused, "10:0 45:0 80:0 ");
}

static void a_long_interval_is_slept_in_short_steps(void **state)
{
	(void)state;
	config.record = NULL;
	config.interval_ns = 120 * NSEC_PER_MSEC;
	stop_at_pause = 1;
	assert_int_equal(run(stat->obj), 0);
	assert_string_equal(naps, "50 50 20 ");

	again();
	config.record = NULL;
	config.interval_ns = 120 * NSEC_PER_MSEC;
	signal_at_nap = 2;
	assert_int_equal(run(stat->obj), 0);
	assert_string_equal(naps, "50 50 ");
	assert_int_equal(pauses, 0);
}

static void a_session_may_have_no_pauses_and_no_end(void **state)
{
	(void)state;
	config.record = NULL;
	config.duration_ns = 60 * NSEC_PER_MSEC;
	assert_int_equal(run(stat->obj), 0);
	assert_string_equal(naps, "50 10 ");
	assert_int_equal(pauses, 0);

	/* An interval and a duration that do not fit are for ever */
	again();
	config.record = NULL;
	config.interval_ns = UINT64_MAX;
	config.duration_ns = UINT64_MAX;
	signal_at_nap = 4;
	assert_int_equal(run(stat->obj), 0);
	assert_string_equal(naps, "50 50 50 50 ");
	assert_int_equal(pauses, 0);
}

#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	RUN_TEST(few_records_are_read_after_each_timeout),
	RUN_TEST(a_busy_kernel_does_not_keep_the_session_from_pausing),
	RUN_TEST(records_that_arrived_before_a_timeout_are_read_whole),
	RUN_TEST(a_record_may_stop_the_session),
	RUN_TEST(a_pause_may_stop_the_session),
	RUN_TEST(a_signal_ends_the_session_at_the_next_record),
	RUN_TEST(what_came_before_a_signal_is_read_before_the_pause),
	RUN_TEST(errors_of_the_ring_buffer_end_the_session),
	RUN_TEST(an_object_without_ring_buffer_has_no_records),
	RUN_TEST(hooks_are_those_of_the_programs_that_are_used),
	RUN_TEST(an_ending_that_fails_ends_all),
	RUN_TEST(pauses_come_after_each_interval),
	RUN_TEST(missed_intervals_are_skipped),
	RUN_TEST(a_long_interval_is_slept_in_short_steps),
	RUN_TEST(a_session_may_have_no_pauses_and_no_end),
};

UNIT_MAIN(tests)
