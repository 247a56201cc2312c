// SPDX-License-Identifier: GPL-2.0
/* wrap: select_all session_start session_close */
/* The session of trace and record: the events that it asks for, and what its programs get. */

#include <bpf/libbpf.h>

#include "unit.h"
#include "event/lives.h"
#include "lib/log.h"
#include "session/tracer.h"

#include "trace.skel.h"

static struct tracer tracer;

/* What the kernel shows */
static bool stock;
static int select_rc;
/* The arguments of the last call of select_all() */
static struct select_how how;
static struct event_set asked;

int __wrap_select_all(const struct selection *want, const struct select_how *h,
		      struct selected *to);
int __wrap_select_all(const struct selection *want, const struct select_how *h,
		      struct selected *to)
{
	assert_ptr_equal(want, &tracer.want);
	how = *h;
	asked = to->set;
	if (!event_set_count(&to->set))
		memset(to->set.has, true, sizeof(to->set.has));
	to->set.stock = stock;
	to->filter.min_size = want->min_size;
	return select_rc;
}

static struct session_config started;
static int start_rc;

int __wrap_session_start(struct session *session, const struct session_config *config);
int __wrap_session_start(struct session *session, const struct session_config *config)
{
	assert_ptr_equal(session, &tracer.session);
	started = *config;
	return start_rc;
}

static unsigned int closed;

void __wrap_session_close(struct session *session);
void __wrap_session_close(struct session *session)
{
	assert_ptr_equal(session, &tracer.session);
	closed++;
}

static int setup(void **state)
{
	(void)state;
	memset(&tracer, 0, sizeof(tracer));
	memset(&started, 0, sizeof(started));
	stock = false;
	select_rc = start_rc = 0;
	closed = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tracer_close(&tracer);
	return 0;
}

static void without_lives_the_users_choice_is_kept(void **state)
{
	(void)state;
	tracer.want.min_size = 4096;
	tracer.by_name = true;
	tracer.sel.set.has[P2PTRACE_nvmet_p2pmem_use] = true;
	stock = true;
	assert_int_equal(tracer_open(&tracer), 0);
	assert_true(how.by_name);
	assert_false(how.groups);
	assert_int_equal(event_set_count(&asked), 1);
	assert_int_equal(tracer.sel.filter.min_size, 4096);
	assert_true(tracer_wants(&tracer, &events[P2PTRACE_nvmet_p2pmem_use]));
	assert_false(tracer_wants(&tracer, &events[P2PTRACE_p2pmem_alloc]));
}

/* A mapping may be smaller than its buffer, so sizes are compared for buffers, later. */
static void lives_need_whole_groups_of_events_of_any_size(void **state)
{
	struct event_set lives = {};

	(void)state;
	lives_events(&lives);
	tracer.want.min_size = 4096;
	tracer.lives = true;
	assert_int_equal(tracer_open(&tracer), 0);
	assert_true(how.groups);
	assert_int_equal(how.needed, P2PTRACE_p2pmem_alloc);
	assert_memory_equal(asked.has, lives.has, sizeof(lives.has));
	assert_int_equal(tracer.sel.filter.min_size, 0);
	assert_true(tracer_wants(&tracer, &events[P2PTRACE_nvmet_p2pmem_use]));
}

/* There, a request does not tell which buffer it uses. */
static void on_a_stock_kernel_lives_have_no_requests(void **state)
{
	(void)state;
	tracer.lives = stock = true;
	assert_int_equal(tracer_open(&tracer), 0);
	assert_false(tracer_wants(&tracer, &events[P2PTRACE_nvmet_p2pmem_use]));
	assert_true(tracer_wants(&tracer, &events[P2PTRACE_p2pmem_alloc]));
}

static void an_error_of_the_selection_is_returned(void **state)
{
	(void)state;
	select_rc = EXIT_KERNEL;
	assert_int_equal(tracer_open(&tracer), EXIT_KERNEL);
}

static void the_session_gets_the_events_and_the_callers_part(void **state)
{
	struct session_config config = { .duration_ns = 77, .ctx = &closed };

	(void)state;
	tracer.buffer_bytes = 65536;
	tracer.lives = true;
	assert_int_equal(tracer_open(&tracer), 0);
	assert_int_equal(tracer_start(&tracer, &config), 0);
	assert_memory_equal(&started.events, &tracer.sel.set, sizeof(started.events));
	assert_int_equal(started.buffer_bytes, 65536);
	assert_true(started.groups);
	assert_int_equal(started.needed, P2PTRACE_p2pmem_alloc);
	assert_int_equal(started.duration_ns, 77);
	assert_ptr_equal(started.ctx, &closed);
	start_rc = EXIT_KERNEL;
	assert_int_equal(tracer_start(&tracer, &config), EXIT_KERNEL);
}

/* Programs wake the reader when a quarter of the buffer is full. */
static void programs_are_opened_with_the_filter_and_the_size(void **state)
{
	struct session_config config = {};
	struct bpf_object *object = NULL;

	(void)state;
	tracer.buffer_bytes = 65536;
	tracer.want.min_size = 512;
	assert_int_equal(tracer_open(&tracer), 0);
	assert_int_equal(tracer_start(&tracer, &config), 0);
	/* Twice, as a session does if the kernel refuses a program */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(started.open(started.opener, &object), 0);
		assert_non_null(tracer.skel);
		assert_ptr_equal(object, tracer.skel->obj);
		assert_int_equal(tracer.skel->rodata->wakeup_bytes, 16384);
		assert_int_equal(tracer.skel->rodata->filter.min_size, 512);
	}
	tracer_close(&tracer);
	assert_int_equal(closed, 1);
	assert_null(tracer.skel);
}

#define TRACER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TRACER_TEST(without_lives_the_users_choice_is_kept),
	TRACER_TEST(lives_need_whole_groups_of_events_of_any_size),
	TRACER_TEST(on_a_stock_kernel_lives_have_no_requests),
	TRACER_TEST(an_error_of_the_selection_is_returned),
	TRACER_TEST(the_session_gets_the_events_and_the_callers_part),
	TRACER_TEST(programs_are_opened_with_the_filter_and_the_size),
};

UNIT_MAIN(tests)
