// SPDX-License-Identifier: GPL-2.0
/*
 * How "p2ptrace check" runs a command, when it judges, and with which status it ends. The report:
 * event/verdict.c
 */
/* wrap: interrupt_child */
#include <signal.h>
#include <sys/wait.h>

#include "fake-counter.h"
#include "cmd/check.c"

void __wrap_interrupt_child(pid_t pid);

/* The command that an interrupt would kill, at first and now */
static pid_t first_child, interrupt_kills;

void __wrap_interrupt_child(pid_t pid)
{
	first_child = first_child ?: pid;
	interrupt_kills = pid;
}

#define CHECK(...) RUN(cmd_check, (char []){ "check" }, __VA_ARGS__)
#define W(text) (char []){ text }

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
}

static void assert_begins(const char *text, const char *part)
{
	if (strncmp(text, part, strlen(part)))
		fail_msg("'%s' does not begin: %s", part, text);
}

static void a_command_that_does_no_harm_succeeds(void **state)
{
	(void)state;
	fake.samples[0].ts_ns = 5 * NSEC_PER_SEC;
	fake.samples[1].ts_ns = 7 * NSEC_PER_SEC;
	fake.nr_samples = 2;
	assert_int_equal(CHECK(W("--"), W("true")), 0);
	assert_string_equal(command_out, "ok     command: exit status 0\n# 0 events in 2.000 s, 0 "
					 "lost; 0 failed\n");
	assert_string_equal(command_err.text, "");
	assert_true(fake.opened_to_start && fake.follow);
	assert_int_equal(fake.config.interval_ns, 20 * NSEC_PER_MSEC);
	assert_int_equal(fake.older_than_ns, 0);
	/* Once at the start, once at the end */
	assert_int_equal(fake.sampled, 2);
}

static void the_output_of_the_command_comes_first(void **state)
{
	(void)state;
	assert_int_equal(CHECK(W("--"), W("sh"), W("-c"), W("sleep 0.1; echo said --json")), 0);
	assert_begins(command_out, "said --json\nok     command");
	assert_true(fake.pauses > 1);
}

static void a_command_that_fails_fails_the_check_at_once(void **state)
{
	uint64_t before = clock_now_ns();

	(void)state;
	assert_int_equal(CHECK(W("--settle"), W("100"), W("--"), W("sh"), W("-c"), W("exit 7")),
			 EXIT_CHECK);
	assert_says(command_out, "FAILED command: exit status 7\n");
	assert_says(command_out, "; 1 failed\n");
	assert_int_equal(CHECK(W("--"), W("sh"), W("-c"), W("kill -KILL $$")), EXIT_CHECK);
	assert_says(command_out, "FAILED command: killed by signal 9 (Killed)\n");
	assert_true(clock_now_ns() - before < 50 * NSEC_PER_SEC);
}

static void a_command_that_cannot_run_is_bad_usage(void **state)
{
	(void)state;
	assert_int_equal(CHECK(W("--"), W("/nowhere/\x1b")), EXIT_USAGE);
	assert_one_line(command_err.text, "cannot run '/nowhere/\\x1b': No such file or directory; "
			"give the name or the path of a program");
	assert_string_equal(command_out, "");
	assert_int_equal(fake.pauses, 0);
}

/* Every kind of violation, from where it is counted. */
static void set_violation(int v, uint64_t count)
{
	if (v < P2PTRACE_NR_VIOLATIONS)
		fake.samples[1].counts.violations[v] = count;
	else if (v == LEAK)
		fake.live[0].buffers = count;
	else if (v == MAPPED)
		fake.live[0].mappings = count;
	else if (v == STALL)
		fake.samples[1].counts.events[P2PTRACE_p2pmem_drain_stall] = count;
	else
		fake.lost = fake.samples[1].lost = count;
	fake.nr_samples = 2;
	fake.nr_live = 1;
}

static void each_violation_fails_unless_it_is_allowed(void **state)
{
	char begin[64], allowed[32];

	for (int v = 0; v < NR_VIOLATIONS; v++) {
		fake_setup(state);
		set_violation(v, 2);
		assert_int_equal(CHECK(W("--settle"), W("0"), W("--"), W("true")), EXIT_CHECK);
		snprintf(begin, sizeof(begin), "\nFAILED %s: 2 ", violation_name(v));
		assert_says(command_out, begin);
		assert_says(command_out, "; 1 failed\n");

		fake_setup(state);
		set_violation(v, 2);
		snprintf(allowed, sizeof(allowed), "%s", violation_name(v));
		assert_int_equal(CHECK(W("--settle"), W("0"), W("--allow"), allowed, W("--"),
				       W("true")),
				 0);
		snprintf(begin, sizeof(begin), "\nallowed %s: 2 ", violation_name(v));
		assert_says(command_out, begin);
		assert_says(command_out, "; 0 failed\n");
	}
}

static void buffers_held_too_long_are_freed_or_not(void **state)
{
	(void)state;
	set_violation(P2PTRACE_HELD_TOO_LONG, 1);
	fake.live[0].older = 2;
	assert_int_equal(CHECK(W("--older-than"), W("0.5"), W("--settle"), W("0"), W("--"),
			       W("true")),
			 EXIT_CHECK);
	assert_says(command_out, "FAILED held_too_long: 3 buffers were held");
	assert_int_equal(fake.older_than_ns, NSEC_PER_SEC / 2);
}

static void a_revocation_that_still_waits_counts_like_one_that_ended_late(void **state)
{
	(void)state;
	set_violation(P2PTRACE_REVOKE_TOO_LONG, 1);
	fake.live[0].revokes = 2;
	fake.live[0].first_revoke = (struct p2ptrace_first){
		.id = 7, .client.s = "0000:04:00.0", .held_ns = 1500000
	};
	assert_int_equal(CHECK(W("--older-than"), W("0.5"), W("--settle"), W("0"), W("--"),
			       W("true")),
			 EXIT_CHECK);
	assert_says(command_out, "FAILED revoke_too_long: 3 revocations of dma-bufs waited");
	assert_says(command_out, "; first: id=7, client 0000:04:00.0, held for 1.50ms\n");
	/* One that ended is the first */
	fake.has_first[P2PTRACE_REVOKE_TOO_LONG] = true;
	fake.firsts[P2PTRACE_REVOKE_TOO_LONG] = (struct p2ptrace_first){
		.id = 6, .comm = "a", .pid = 1
	};
	fake.sampled = fake.lived = 0;
	assert_int_equal(CHECK(W("--older-than"), W("0.5"), W("--settle"), W("0"), W("--"),
			       W("true")),
			 EXIT_CHECK);
	assert_says(command_out, "; first: id=6, by a-1\n");
}

static void only_events_since_the_start_count(void **state)
{
	(void)state;
	set_violation(P2PTRACE_DOUBLE_MAP, 5);
	fake.samples[0].counts.violations[P2PTRACE_DOUBLE_MAP] = 5;
	fake.samples[0].counts.events[P2PTRACE_p2pmem_alloc] = 10;
	fake.samples[1].counts.events[P2PTRACE_p2pmem_alloc] = 11;
	assert_int_equal(CHECK(W("--expect"), W("allocs == 1"), W("--"), W("true")), 0);
	assert_says(command_out, "\nok     allocs == 1 (1)\n# 1 event in ");
}

static void losses_are_those_at_the_end_less_those_at_the_start(void **state)
{
	(void)state;
	fake.samples[0].lost = 2;
	fake.samples[1].lost = 2;
	fake.nr_samples = 2;
	fake.lost = 5;
	assert_int_equal(CHECK(W("--"), W("true")), EXIT_CHECK);
	assert_says(command_out, "FAILED lost: 3 events could not be counted\n");
	assert_says(command_out, " 3 lost; 1 failed\n");
	/* An estimate that was too high at the start is no loss */
	fake.sampled = 0;
	fake.lost = 1;
	assert_int_equal(CHECK(W("--"), W("true")), 0);
	assert_says(command_out, " 0 lost; 0 failed\n");
}

static void it_waits_until_the_check_succeeds(void **state)
{
	(void)state;
	fake.live[0].buffers = fake.live[1].buffers = fake.live[2].buffers = 1;
	fake.nr_live = 4;
	assert_int_equal(CHECK(W("--settle"), W("100"), W("--"), W("true")), 0);
	assert_int_equal(fake.lived, 4);
}

static void but_no_longer_than_it_may(void **state)
{
	uint64_t before;

	(void)state;
	set_violation(LEAK, 1);
	assert_int_equal(CHECK(W("--settle"), W("0"), W("--"), W("true")), EXIT_CHECK);
	assert_int_equal(fake.lived, 1);

	before = clock_now_ns();
	assert_int_equal(CHECK(W("--settle"), W("0.3"), W("--"), W("true")), EXIT_CHECK);
	assert_true(clock_now_ns() - before >= 3 * NSEC_PER_SEC / 10);

	before = clock_now_ns();
	assert_int_equal(CHECK(W("--"), W("true")), EXIT_CHECK);
	assert_true(clock_now_ns() - before >= NSEC_PER_SEC);
}

/* Other processes have buffers in flight at any moment. */
static void buffers_from_after_the_command_do_not_count(void **state)
{
	uint64_t before = clock_now_ns();

	(void)state;
	set_violation(LEAK, 1);
	assert_int_equal(CHECK(W("--settle"), W("0.2"), W("--"), W("sleep"), W("0.1")), EXIT_CHECK);
	assert_true(fake.lived > 2);
	assert_int_equal(fake.first_before_ns, fake.last_before_ns);
	assert_true(fake.first_before_ns >= before + NSEC_PER_SEC / 10);
	assert_true(fake.first_before_ns <= clock_now_ns() - NSEC_PER_SEC / 5);
}

static void an_expectation_that_does_not_hold_fails(void **state)
{
	(void)state;
	fake.samples[0].counts.events[P2PTRACE_p2pdma_map] = 7;
	set_metric(&fake.samples[0], "maps.bus_addr", 7);
	fake.samples[1] = fake.samples[0];
	set_metric(&fake.samples[1], "maps.bus_addr", 14);
	fake.samples[1].gauges.held = 3;
	fake.nr_samples = 2;
	assert_int_equal(CHECK(W("--settle"), W("0"), W("--expect"), W("maps.bus_addr > 6"),
			       W("--expect"), W("held == 0"), W("--"), W("true")),
			 EXIT_CHECK);
	assert_says(command_out, "\nok     maps.bus_addr > 6 (7)\nFAILED held == 0 (3)\n");
	assert_says(command_out, "; 1 failed\n");
}

static void an_unknown_metric_is_refused_before_the_command_runs(void **state)
{
	(void)state;
	assert_int_equal(CHECK(W("--expect"), W("nonsense == 1"), W("--"), W("echo"), W("ran")),
			 EXIT_USAGE);
	assert_one_line(command_err.text, "there is no metric 'nonsense' on this kernel; see");
	assert_string_equal(command_out, "");
	assert_false(fake.started);
	assert_int_equal(CHECK(W("--dev"), W("p2pmem0"), W("--expect"), W("none == 1"), W("--"),
			       W("true")),
			 EXIT_USAGE);
	assert_one_line(command_err.text, "on this kernel with --dev; see");
}

static void a_metric_whose_event_cannot_be_attached_is_an_error_of_the_kernel(void **state)
{
	(void)state;
	fake.left_out[P2PTRACE_p2pmem_find] = true;
	assert_int_equal(CHECK(W("--expect"), W("finds == 1"), W("--"), W("echo"), W("ran")),
			 EXIT_KERNEL);
	assert_one_line(command_err.text, "cannot count 'finds': p2pmem_find cannot be traced on "
			"this kernel");
	assert_true(fake.started);
	assert_string_equal(command_out, "");
	/* The same if it is known before the start */
	fake_setup(state);
	fake.not_there[P2PTRACE_p2pmem_find] = true;
	assert_int_equal(CHECK(W("--expect"), W("finds == 1"), W("--"), W("echo"), W("ran")),
			 EXIT_KERNEL);
	assert_one_line(command_err.text, "cannot count 'finds'");
	assert_false(fake.started);
}

static void a_check_that_is_blind_fails_as_an_error_of_the_kernel(void **state)
{
	(void)state;
	fake.left_out[P2PTRACE_p2pdma_unmap] = true;
	assert_int_equal(CHECK(W("--settle"), W("100"), W("--"), W("echo"), W("ran")), EXIT_KERNEL);
	assert_begins(command_out, "ran\nok     command: exit status 0\n"
		      "FAILED blind: p2pdma_unmap is not seen: a test\n# 0 events in ");
	assert_says(command_out, "; 1 failed\n");
	assert_one_line(command_err.text, "this kernel does not show all that the check needs");
	assert_one_line(command_err.text, "use --allow-blind");
	/* Waiting does not help */
	assert_int_equal(fake.lived, 1);
	/* It is no verdict: what it found may be wrong as well */
	set_violation(LEAK, 1);
	assert_int_equal(CHECK(W("--settle"), W("0"), W("--"), W("true")), EXIT_KERNEL);
	assert_says(command_out, "; 2 failed\n");
	assert_int_equal(CHECK(W("--settle"), W("0"), W("--allow-blind"), W("--"), W("true")),
			 EXIT_CHECK);
	assert_says(command_out, "; 1 failed\n");
	/* A report that cannot be written is the worse error */
	assert_int_equal(CHECK(W("--settle"), W("0"), W("--output"), W("/dev/full"), W("--"),
			       W("true")), EXIT_OTHER);
	assert_one_line(command_err.text, "cannot write the report");

	fake_setup(state);
	fake.in_part[P2PTRACE_p2pmem_free] = true;
	assert_int_equal(CHECK(W("--json"), W("--"), W("true")), EXIT_KERNEL);
	assert_says(command_out, "\"blind\":[\"p2pmem_free\"],"
		    "\"blind_why\":{\"p2pmem_free\":\"a test\"}");
	assert_int_equal(CHECK(W("--json"), W("--allow-blind"), W("--"), W("true")), 0);
	assert_says(command_out, "\"failed\":0,");
	assert_says(command_out, "\"blind\":[\"p2pmem_free\"],");
	assert_string_equal(command_err.text, "");
}

static void only_events_that_the_check_needs_make_it_blind(void **state)
{
	(void)state;
	fake.left_out[P2PTRACE_p2pdma_decide] = fake.in_part[P2PTRACE_p2pmem_find] = true;
	assert_int_equal(CHECK(W("--json"), W("--"), W("true")), 0);
	assert_says(command_out, "\"blind\":[],");
	assert_int_equal(CHECK(W("--json"), W("--expect"), W("held == 0"), W("--expect"),
			       W("finds == 0"), W("--"), W("true")), EXIT_KERNEL);
	assert_says(command_out, "\"blind\":[\"p2pmem_find\"],");
	assert_int_equal(CHECK(W("--allow-blind"), W("--expect"), W("decisions == 0"), W("--"),
			       W("echo"), W("ran")), EXIT_KERNEL);
	assert_one_line(command_err.text, "cannot count 'decisions'");
	assert_string_equal(command_out, "");
	static const int needed[] = {
		P2PTRACE_p2pmem_alloc, P2PTRACE_p2pdma_map, P2PTRACE_p2pmem_drain_stall,
		P2PTRACE_dma_buf_map, P2PTRACE_dma_buf_unmap, P2PTRACE_dma_buf_detach,
	};

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		fake_setup(state);
		fake.in_part[needed[i]] = true;
		assert_int_equal(CHECK(W("--"), W("true")), EXIT_KERNEL);
	}
	/* How long a revocation waited is judged only against a limit */
	fake_setup(state);
	fake.in_part[P2PTRACE_dma_buf_revoke] = true;
	assert_int_equal(CHECK(W("--"), W("true")), 0);
	assert_int_equal(CHECK(W("--older-than"), W("5"), W("--"), W("true")), EXIT_KERNEL);
}

/* The kernel skipped an event, so a beginning may be missing. */
static void with_losses_an_end_without_a_beginning_is_not_judged(void **state)
{
	static const int kinds[] = {
		P2PTRACE_MAP_AFTER_FREE, P2PTRACE_UNMAP_WITHOUT_MAP, P2PTRACE_MAPPED_AT_DETACH,
		P2PTRACE_REVOKE_TOO_LONG,
	};
	char begin[64];

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		fake_setup(state);
		set_violation(kinds[i], 2);
		fake.lost = fake.samples[1].lost = 1;
		assert_int_equal(CHECK(W("--settle"), W("0"), W("--allow"), W("lost"), W("--"),
				       W("true")), 0);
		snprintf(begin, sizeof(begin), "\nunsure %s: 2 ", violation_name(kinds[i]));
		assert_says(command_out, begin);
		assert_says(command_out, "; 0 failed\n");
		/* Losses from before the command count as well */
		fake.sampled = 0;
		fake.samples[0].lost = 1;
		assert_int_equal(CHECK(W("--settle"), W("0"), W("--"), W("true")), 0);
		assert_says(command_out, begin);
	}
	fake_setup(state);
	set_violation(P2PTRACE_DOUBLE_MAP, 1);
	fake.lost = fake.samples[1].lost = 1;
	assert_int_equal(CHECK(W("--settle"), W("0"), W("--allow"), W("lost"), W("--"), W("true")),
			 EXIT_CHECK);
	assert_says(command_out, "\nFAILED double_map: 1 ");
}

static void the_first_of_each_kind_is_named(void **state)
{
	(void)state;
	set_violation(P2PTRACE_LATE_UNMAP, 1);
	set_violation(LEAK, 1);
	set_violation(MAPPED, 1);
	fake.has_first[P2PTRACE_LATE_UNMAP] = true;
	fake.firsts[P2PTRACE_LATE_UNMAP] = (struct p2ptrace_first){
		.id = 1, .dev.s = "p2pmem1", .comm = "a", .pid = 1
	};
	fake.live[0].first_buffer = (struct p2ptrace_first){
		.id = 2, .dev.s = "p2pmem2", .comm = "b", .pid = 2
	};
	fake.live[0].first_mapping = (struct p2ptrace_first){
		.id = 3, .dev.s = "p2pmem3", .comm = "c", .pid = 3
	};
	assert_int_equal(CHECK(W("--settle"), W("0"), W("--"), W("true")), EXIT_CHECK);
	assert_says(command_out, "; first: p2pmem1 id=1, by a-1\n");
	assert_says(command_out, "; first: p2pmem2 id=2, by b-2\n");
	assert_says(command_out, "; first: p2pmem3 id=3, by c-3\n");
	assert_says(command_out, "; 3 failed\n");
}

static void the_report_goes_to_a_file(void **state)
{
	char path[] = "/tmp/p2ptrace-unit-XXXXXX", text[256] = "", *words[] = {
		W("check"), W("--output"), path, W("--"), W("echo"), W("said"), NULL };
	int fd = mkstemp(path);
	char old[200];

	(void)state;
	assert_true(fd >= 0);
	memset(old, '~', sizeof(old));
	assert_int_equal(write(fd, old, sizeof(old)), sizeof(old));
	/* A check that cannot run leaves the older report alone */
	fake.start_rc = EXIT_KERNEL;
	assert_int_equal(run_command(cmd_check, words), EXIT_KERNEL);
	assert_int_equal(lseek(fd, 0, SEEK_END), sizeof(old));
	fake.start_rc = 0;
	assert_int_equal(run_command(cmd_check, words), 0);
	assert_string_equal(command_out, "said\n");
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	assert_begins(text, "ok     command");
	assert_null(strchr(text, '~'));
	close(fd);
	unlink(path);
	/* A new file is removed again */
	fake.start_rc = EXIT_KERNEL;
	assert_int_equal(run_command(cmd_check, words), EXIT_KERNEL);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void a_report_that_cannot_be_written_is_an_error(void **state)
{
	(void)state;
	set_violation(LEAK, 1);
	assert_int_equal(CHECK(W("--settle"), W("0"), W("--output"), W("/dev/full"), W("--"),
			       W("true")),
			 EXIT_OTHER);
	assert_one_line(command_err.text, "cannot write the report to /dev/full: No space left");
	fake.pauses = 0;
	assert_int_equal(CHECK(W("--output"), W("/nowhere/report"), W("--"), W("true")),
			 EXIT_USAGE);
	assert_one_line(command_err.text, "cannot write /nowhere/report: its folder does not");
	assert_int_equal(fake.pauses, 0);
}

static void json_is_one_object(void **state)
{
	(void)state;
	assert_int_equal(CHECK(W("--json"), W("--"), W("true"), W("a\"b")), 0);
	assert_begins(command_out, "{\"event\":\"check\",\"failed\":0,\"command\":{\"argv\":["
				   "\"true\",\"a\\\"b\"],");
	assert_ptr_equal(strchr(command_out, '\n'), command_out + strlen(command_out) - 1);
}

static void bad_numbers_and_too_many_expectations_are_refused(void **state)
{
	static char name[] = "check", option[] = "--expect", value[] = "allocs == 0", end[] = "--",
		command[] = "true";
	char *words[2 * MAX_EXPECTATIONS + 6] = { name };
	int n = 1;

	(void)state;
	assert_int_equal(CHECK(W("--older-than"), W("0"), W("--"), W("true")), EXIT_USAGE);
	assert_one_line(command_err.text, "--older-than");
	for (int i = 0; i < MAX_EXPECTATIONS; i++) {
		words[n++] = option;
		words[n++] = value;
	}
	words[n] = end;
	words[n + 1] = command;
	assert_int_equal(run_command(cmd_check, words), 0);
	words[n++] = option;
	words[n++] = value;
	words[n] = end;
	words[n + 1] = command;
	assert_int_equal(run_command(cmd_check, words), EXIT_USAGE);
	assert_one_line(command_err.text, "more than 64 expectations");
}

static void the_command_gets_the_usual_signals(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(CHECK(W("--"), W("sh"), W("-c"), W("kill -PIPE $$")), EXIT_CHECK);
	signal(SIGPIPE, SIG_DFL);
	assert_says(command_out, "FAILED command: killed by signal 13 ");
	/* A process that ignores SIGCHLD cannot wait for its children */
	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(CHECK(W("--"), W("sh"), W("-c"), W("exit 3")), EXIT_CHECK);
	signal(SIGCHLD, SIG_DFL);
	assert_says(command_out, "FAILED command: exit status 3\n");
}

static void an_interrupt_ends_it_without_a_verdict(void **state)
{
	(void)state;
	fake.interrupted_after = 3;
	assert_int_equal(CHECK(W("--"), W("sleep"), W("1000")), EXIT_OTHER);
	assert_one_line(command_err.text, "interrupted before the verdict");
	assert_string_equal(command_out, "");
	/* It has no child left */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void errors_of_the_kernel_end_it(void **state)
{
	(void)state;
	fake.start_rc = EXIT_KERNEL;
	assert_int_equal(CHECK(W("--"), W("echo"), W("ran")), EXIT_KERNEL);
	fake.start_rc = 0;
	fake.failing_sample = 1;
	assert_int_equal(CHECK(W("--"), W("echo"), W("ran")), EXIT_OTHER);
	assert_string_equal(command_out, "");
	fake.sampled = 0;
	fake.failing_sample = 2;
	assert_int_equal(CHECK(W("--"), W("true")), EXIT_OTHER);
	fake.failing_sample = 0;
	fake.live_rc = EXIT_OTHER;
	assert_int_equal(CHECK(W("--"), W("true")), EXIT_OTHER);
	fake.live_rc = 0;
	fake.run_rc = EXIT_KERNEL;
	assert_int_equal(CHECK(W("--"), W("true")), EXIT_KERNEL);
	fake.open_rc = EXIT_KERNEL;
	assert_int_equal(CHECK(W("--list-metrics")), EXIT_KERNEL);
	assert_string_equal(command_out, "");
}

static void metrics_are_listed_without_a_command(void **state)
{
	(void)state;
	assert_int_equal(CHECK(W("--list-metrics")), 0);
	assert_says(command_out, "\nmaps.bus_addr  ");
	assert_false(fake.opened_to_start || fake.started);
	assert_int_equal(CHECK(W("--json")), EXIT_USAGE);
	assert_one_line(command_err.text, "no command given");
}

static void a_second_interrupt_kills_the_command_as_long_as_it_runs(void **state)
{
	(void)state;
	first_child = 0;
	assert_int_equal(CHECK(W("--"), W("true")), 0);
	assert_true(first_child > 0);
	assert_int_equal(interrupt_kills, 0);
}

static const struct CMUnitTest tests[] = {
	FAKE_TEST(a_command_that_does_no_harm_succeeds),
	FAKE_TEST(the_output_of_the_command_comes_first),
	FAKE_TEST(a_command_that_fails_fails_the_check_at_once),
	FAKE_TEST(a_command_that_cannot_run_is_bad_usage),
	FAKE_TEST(each_violation_fails_unless_it_is_allowed),
	FAKE_TEST(buffers_held_too_long_are_freed_or_not),
	FAKE_TEST(a_revocation_that_still_waits_counts_like_one_that_ended_late),
	FAKE_TEST(only_events_since_the_start_count),
	FAKE_TEST(losses_are_those_at_the_end_less_those_at_the_start),
	FAKE_TEST(it_waits_until_the_check_succeeds),
	FAKE_TEST(but_no_longer_than_it_may),
	FAKE_TEST(buffers_from_after_the_command_do_not_count),
	FAKE_TEST(an_expectation_that_does_not_hold_fails),
	FAKE_TEST(an_unknown_metric_is_refused_before_the_command_runs),
	FAKE_TEST(a_metric_whose_event_cannot_be_attached_is_an_error_of_the_kernel),
	FAKE_TEST(a_check_that_is_blind_fails_as_an_error_of_the_kernel),
	FAKE_TEST(only_events_that_the_check_needs_make_it_blind),
	FAKE_TEST(with_losses_an_end_without_a_beginning_is_not_judged),
	FAKE_TEST(the_first_of_each_kind_is_named),
	FAKE_TEST(the_report_goes_to_a_file),
	FAKE_TEST(a_report_that_cannot_be_written_is_an_error),
	FAKE_TEST(json_is_one_object),
	FAKE_TEST(bad_numbers_and_too_many_expectations_are_refused),
	FAKE_TEST(the_command_gets_the_usual_signals),
	FAKE_TEST(an_interrupt_ends_it_without_a_verdict),
	FAKE_TEST(a_second_interrupt_kills_the_command_as_long_as_it_runs),
	FAKE_TEST(errors_of_the_kernel_end_it),
	FAKE_TEST(metrics_are_listed_without_a_command),
};

UNIT_MAIN(tests)
