// SPDX-License-Identifier: GPL-2.0
/* wrap: interrupt_child */
/* A command that runs beside p2ptrace, and its end. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "unit.h"
#include "lib/child.h"
#include "lib/clock.h"
#include "lib/interrupt.h"
#include "lib/log.h"

static pid_t interrupt_kills;

void __wrap_interrupt_child(pid_t pid);
void __wrap_interrupt_child(pid_t pid)
{
	interrupt_kills = pid;
}

/* Starts a shell, and returns once it has set its traps. */
static struct child shell(const char *script)
{
	struct child c = {};
	int fds[2];
	char ready;

	assert_int_equal(pipe(fds), 0);
	c.pid = fork();
	if (!c.pid) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &ready, 1), 1);
	close(fds[0]);
	return c;
}

static void a_command_that_ignores_sigterm_is_killed(void **state)
{
	struct child c = shell("trap '' TERM; echo; while :; do sleep 0.01; done");
	struct capture said;
	uint64_t before = clock_now_ns();

	(void)state;
	interrupt_kills = c.pid;
	capture_begin(&said);
	child_end(&c, NSEC_PER_SEC / 5);
	capture_end(&said);
	assert_one_line(said.text, "the command does not end on SIGTERM; killing it");
	assert_true(c.ended);
	assert_int_equal(interrupt_kills, 0);
	assert_true(clock_now_ns() - before >= NSEC_PER_SEC / 5);
	assert_int_equal(kill(c.pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void a_command_that_ends_on_sigterm_has_time_for_it(void **state)
{
	struct child c = shell("trap 'sleep 0.05; exit' TERM; echo; while :; do sleep 0.01; done");
	struct capture said;

	(void)state;
	capture_begin(&said);
	child_end(&c, 100 * NSEC_PER_SEC);
	capture_end(&said);
	assert_string_equal(said.text, "");
	assert_int_equal(kill(c.pid, 0), -1);
}

static struct child started(char **argv)
{
	struct child c;

	assert_int_equal(child_start(&c, argv), 0);
	assert_int_equal(interrupt_kills, c.pid);
	while (!c.ended)
		assert_int_equal(child_poll(&c), 0);
	return c;
}

static void the_status_of_a_command_is_that_of_wait(void **state)
{
	char *argv[] = { (char []){ "sh" }, (char []){ "-c" }, (char []){ "exit 3" }, NULL };
	struct child c;

	(void)state;
	c = started(argv);
	assert_true(WIFEXITED(c.wait_status));
	assert_int_equal(WEXITSTATUS(c.wait_status), 3);
	assert_int_equal(interrupt_kills, 0);
	/* It is no longer there to be ended */
	child_end(&c, NSEC_PER_SEC);
	assert_int_equal(WEXITSTATUS(c.wait_status), 3);
}

static void a_command_that_does_not_exist_is_bad_usage(void **state)
{
	char *argv[] = { (char []){ "/nonexistent" }, NULL };
	struct capture said;
	struct child c;

	(void)state;
	capture_begin(&said);
	assert_int_equal(child_start(&c, argv), EXIT_USAGE);
	capture_end(&said);
	assert_one_line(said.text, "'/nonexistent'");
	assert_true(c.ended);
	assert_int_equal(interrupt_kills, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_status_of_a_command_is_that_of_wait),
	cmocka_unit_test(a_command_that_does_not_exist_is_bad_usage),
	cmocka_unit_test(a_command_that_ignores_sigterm_is_killed),
	cmocka_unit_test(a_command_that_ends_on_sigterm_has_time_for_it),
};

UNIT_MAIN(tests)
