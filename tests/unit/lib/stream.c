// SPDX-License-Identifier: GPL-2.0
/* Standard input, output and error are what they should be before anything else is opened. */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "unit.h"
#include "lib/log.h"
#include "lib/stream.h"

static bool is_dev_null(int fd)
{
	char path[64], target[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, target, sizeof(target));
	return len == (ssize_t)strlen("/dev/null") && !memcmp(target, "/dev/null", len);
}

/* What stream_open_standard() says in a process without the descriptors of @mask; 100 if it leaves a hole. */
static int without(unsigned int mask, int stdout_fd)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		int rc;

		dup2(stdout_fd, STDOUT_FILENO);
		for (int fd = 0; fd < 3; fd++)
			if (mask & 1u << fd)
				close(fd);
		rc = stream_open_standard();
		for (int fd = 0; fd < 3; fd++)
			if (!rc && mask & 1u << fd && !is_dev_null(fd))
				rc = 100;
		_exit(rc);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void what_is_closed_becomes_dev_null_but_not_the_output(void **state)
{
	int out = open("/dev/null", O_WRONLY);
	struct capture c;

	(void)state;
	assert_true(out >= 0);
	assert_int_equal(without(0, out), 0);
	assert_int_equal(without(1 << 0, out), 0);
	assert_int_equal(without(1 << 2, out), 0);
	assert_int_equal(without(1 << 0 | 1 << 2, out), 0);
	capture_begin(&c);
	assert_int_equal(without(1 << 1, out), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "standard output is closed");
	assert_int_equal(without(1 << 0 | 1 << 1 | 1 << 2, out), EXIT_OTHER);
	close(out);
}

static void an_output_for_reading_is_refused(void **state)
{
	int in = open("/dev/null", O_RDONLY), both = open("/dev/null", O_RDWR);
	struct capture c;

	(void)state;
	assert_true(in >= 0 && both >= 0);
	capture_begin(&c);
	assert_int_equal(without(0, in), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "not open for writing");
	assert_int_equal(without(0, both), 0);
	close(in);
	close(both);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_is_closed_becomes_dev_null_but_not_the_output),
	cmocka_unit_test(an_output_for_reading_is_refused),
};

UNIT_MAIN(tests)
