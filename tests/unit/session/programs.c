// SPDX-License-Identifier: GPL-2.0
/*
 * Each event has its programs in the objects that show every event: those of trace and stat. The
 * iterator is for leaks and stat.
 */
#include <bpf/libbpf.h>

#include "unit.h"
#include "event/events.h"
#include "session/hooks.h"

#include "stat.skel.h"
#include "trace.skel.h"

static void assert_program(const struct bpf_object *object, const char *name, const char *suffix)
{
	char full[64];

	snprintf(full, sizeof(full), "%s%s", name, suffix);
	if (!bpf_object__find_program_by_name(object, full))
		fail_msg("%s has no program %s", bpf_object__name(object), full);
}

static void assert_all_programs(const struct bpf_object *object)
{
	const struct event_set series = {};
	char name[64];

	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		if (hooks_serve(&series, i))
			continue;
		assert_program(object, events[i].name, "");
		assert_program(object, events[i].name, "_nested");
	}
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		if (!event_is_mapping(i))
			continue;
		snprintf(name, sizeof(name), "mapping_%s", events[i].name);
		assert_program(object, name, "");
		assert_program(object, name, "_nested");
	}
	for (int i = 0; stock_hooks[i].program; i++)
		if (stock_hooks[i].role != HOOK_DMABUF_ITER)
			assert_program(object, stock_hooks[i].program, "");
}

static void trace_has_the_programs_of_each_event(void **state)
{
	struct trace_bpf *skel = trace_bpf__open();

	(void)state;
	assert_non_null(skel);
	assert_all_programs(skel->obj);
	trace_bpf__destroy(skel);
}

static void stat_has_the_programs_of_each_event(void **state)
{
	struct stat_bpf *skel = stat_bpf__open();

	(void)state;
	assert_non_null(skel);
	assert_all_programs(skel->obj);
	assert_program(skel->obj, "stock_dmabuf_iter", "");
	stat_bpf__destroy(skel);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(trace_has_the_programs_of_each_event),
	cmocka_unit_test(stat_has_the_programs_of_each_event),
};

UNIT_MAIN(tests)
