// SPDX-License-Identifier: GPL-2.0
/* What "p2ptrace lifetimes" prints for given histograms. */
#include "fake-counter.h"

#include <jansson.h>

#include "session/durations.h"

#undef session_run
#define session_run		fake_session
#define select_all		fake_select
#define durations_start		fake_durations_start
#define durations_read		fake_durations_read
#define durations_close		fake_durations_close

int fake_session(struct session *session);
int fake_select(const struct selection *want, const struct select_how *how, struct selected *to);
int fake_durations_start(struct durations *durations, const struct selected *sel,
			 uint64_t duration_ns);
int fake_durations_read(struct durations *durations);
void fake_durations_close(struct durations *durations);

#include "cmd/lifetimes.c"

static struct {
	struct duration list[4];
	size_t nr;
	uint64_t unknown, lost, duration_ns;
	struct event_set wanted;
	int select_rc, start_rc, read_rc;
	bool closed;
} here;

int fake_session(struct session *session)
{
	session->lost.total = here.lost;
	return 0;
}

int fake_select(const struct selection *want, const struct select_how *how, struct selected *to)
{
	(void)want;
	assert_true(how->groups);
	here.wanted = to->set;
	return here.select_rc;
}

int fake_durations_start(struct durations *d, const struct selected *sel, uint64_t duration_ns)
{
	(void)sel;
	memset(d, 0, sizeof(*d));
	here.duration_ns = duration_ns;
	return here.start_rc;
}

int fake_durations_read(struct durations *d)
{
	d->list = here.list;
	d->nr = here.nr;
	d->unknown = here.unknown;
	return here.read_rc;
}

void fake_durations_close(struct durations *d)
{
	(void)d;
	here.closed = true;
}

#define LIFETIMES(...) RUN(cmd_lifetimes, (char []){ "lifetimes" }, ##__VA_ARGS__)
#define W(text) (char []){ text }

static void add(enum p2ptrace_life kind, const char *dev, const char *client, unsigned int slot,
		uint64_t count)
{
	struct duration *one = &here.list[here.nr++];

	one->key.kind = kind;
	strcpy(one->key.dev.s, dev);
	strcpy(one->key.client.s, client);
	one->hist.slots[slot] = count;
	one->hist.count = count;
	one->hist.total_ns = count << slot;
	one->hist.max_ns = 3ull << (slot - 1);
}

static int setup(void **state)
{
	fake_setup(state);
	memset(&here, 0, sizeof(here));
	return 0;
}

static void add_one_of_each(void)
{
	add(P2PTRACE_LIFE_BUFFER, "p2pmem0", "", 10, 80);
	here.list[0].hist.slots[12] = 1;
	add(P2PTRACE_LIFE_BUFFER, "p2pmem0", "0000:02:00.0", HIST_NR_SLOTS - 1, 3);
	add(P2PTRACE_LIFE_DMABUF, "i915", "", 20, 1);
	add(P2PTRACE_LIFE_REVOKE, "i915", "eth0", 30, 2);
}

static void each_histogram_has_a_title_and_its_lines(void **state)
{
	(void)state;
	add_one_of_each();
	assert_int_equal(LIFETIMES(W("--duration"), W("2")), 0);
	assert_int_equal(here.duration_ns, 2 * NSEC_PER_SEC);
	assert_non_null(strstr(command_out, "p2pmem0, held: 80  p50 "));
	assert_non_null(strstr(command_out, "\np2pmem0, mapped for 0000:02:00.0: 3  p50 "));
	assert_non_null(strstr(command_out, "\ndma-bufs of i915, held: 1  p50 "));
	assert_non_null(strstr(command_out, "\ndma-bufs of i915, revocation waited for eth0: 2 "));
	/* The longest bar has 40 characters, and the shortest one */
	assert_non_null(strstr(command_out,
			       " 80 |########################################\n"));
	assert_non_null(strstr(command_out, " 1 |#\n"));
	/* The last slot has no end */
	assert_non_null(strstr(command_out, " - ... "));
	assert_null(strstr(command_out, "not measured"));
	assert_true(here.closed);
}

static void nothing_measured_is_said(void **state)
{
	(void)state;
	here.unknown = 2;
	here.lost = 5;
	assert_int_equal(LIFETIMES(NULL), 0);
	assert_non_null(strstr(command_out, "no buffer, dma-buf or mapping both began and ended"));
	assert_non_null(strstr(command_out, "# not measured: 2 buffers or mappings that began"));
	assert_non_null(strstr(command_err.text, "5 events were lost"));
}

static void json_is_one_document(void **state)
{
	const json_t *list, *one;
	json_t *root;

	(void)state;
	add_one_of_each();
	here.unknown = 2;
	here.lost = 5;
	assert_int_equal(LIFETIMES(W("--json")), 0);
	root = json_loads(command_out, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_integer_value(json_object_get(root, "unknown")), 2);
	assert_int_equal(json_integer_value(json_object_get(root, "lost")), 5);
	list = json_object_get(root, "lifetimes");
	assert_int_equal(json_array_size(list), 4);
	one = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(one, "dev")), "p2pmem0");
	assert_true(json_is_null(json_object_get(one, "exporter")));
	assert_true(json_is_null(json_object_get(one, "client")));
	assert_string_equal(json_string_value(json_object_get(one, "kind")), "held");
	assert_int_equal(json_integer_value(json_object_get(one, "max_ns")), 3 << 9);
	assert_int_equal(json_array_size(json_object_get(one, "buckets")), 2);
	one = json_array_get(list, 1);
	assert_string_equal(json_string_value(json_object_get(one, "kind")), "mapped");
	one = json_array_get(json_object_get(one, "buckets"), 0);
	assert_true(json_is_null(json_object_get(one, "to_ns")));
	one = json_array_get(list, 3);
	assert_true(json_is_null(json_object_get(one, "dev")));
	assert_string_equal(json_string_value(json_object_get(one, "exporter")), "i915");
	assert_string_equal(json_string_value(json_object_get(one, "client")), "eth0");
	assert_string_equal(json_string_value(json_object_get(one, "kind")), "revoked");
	json_decref(root);
}

static void the_events_are_those_of_the_filter(void **state)
{
	(void)state;
	assert_int_equal(LIFETIMES(NULL), 0);
	assert_true(here.wanted.has[P2PTRACE_p2pmem_alloc]);
	assert_true(here.wanted.has[P2PTRACE_dma_buf_release]);
	assert_int_equal(LIFETIMES(W("--client"), W("eth0")), 0);
	assert_false(here.wanted.has[P2PTRACE_p2pmem_alloc]);
	assert_true(here.wanted.has[P2PTRACE_dma_buf_revoke]);
}

static void errors_end_it(void **state)
{
	(void)state;
	assert_int_equal(LIFETIMES(W("--nothing")), EXIT_USAGE);
	here.read_rc = EXIT_OTHER;
	assert_int_equal(LIFETIMES(NULL), EXIT_OTHER);
	assert_string_equal(command_out, "");
	here.start_rc = EXIT_KERNEL;
	assert_int_equal(LIFETIMES(NULL), EXIT_KERNEL);
	here.closed = false;
	here.select_rc = EXIT_KERNEL;
	assert_int_equal(LIFETIMES(NULL), EXIT_KERNEL);
	/* It was not started */
	assert_false(here.closed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(each_histogram_has_a_title_and_its_lines),
		TEST(nothing_measured_is_said),
		TEST(json_is_one_document),
		TEST(the_events_are_those_of_the_filter),
		TEST(errors_end_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
