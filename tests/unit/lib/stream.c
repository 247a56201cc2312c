// SPDX-License-Identifier: GPL-2.0
/*
 * The standard descriptors, which must be open before any other file, and writes, which must not
 * lose data or hide an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
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

/*
 * The status of stream_open_standard() in a process without the descriptors in @mask; 100 if it
 * leaves one closed.
 */
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

static void closed_descriptors_become_dev_null_except_the_output(void **state)
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

static void an_output_opened_for_reading_is_refused(void **state)
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

#define MUCH (1 << 20)

static void alarmed(int sig)
{
	(void)sig;
}

/*
 * Reads in a child, slowly at first, until the other end is closed. The child exits with 0 if it
 * read every byte as written.
 */
static pid_t read_in_child(int fd, int other)
{
	struct sigaction action = { .sa_handler = alarmed };
	char part[4096];
	size_t sum = 0;
	pid_t pid = fork();
	ssize_t n;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	close(other);
	sigaction(SIGALRM, &action, NULL);
	usleep(100 * 1000);
	/* A signal must not end the wait of the writer */
	kill(getppid(), SIGALRM);
	usleep(100 * 1000);
	while ((n = read(fd, part, sizeof(part))) > 0)
		for (ssize_t i = 0; i < n; i++, sum++)
			if (part[i] != (char)(sum % 251))
				_exit(2);
	_exit(sum != MUCH);
}

static void an_output_that_does_not_block_gets_every_byte(void **state)
{
	struct sigaction action = { .sa_handler = alarmed };
	struct stream stream = {};
	char *data = malloc(MUCH);
	int fds[2], status;
	pid_t pid;

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < MUCH; i++)
		data[i] = i % 251;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	sigaction(SIGALRM, &action, NULL);
	pid = read_in_child(fds[0], fds[1]);
	close(fds[0]);
	stream.fd = fds[1];
	assert_int_equal(stream_write(&stream, data, MUCH), 0);
	assert_int_equal(stream_status(&stream), 0);
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	free(data);
}

static void the_first_error_is_the_one_reported(void **state)
{
	struct stream stream = { .fd = open("/dev/full", O_WRONLY) };
	struct capture c;

	(void)state;
	assert_int_equal(stream_write(&stream, "a", 1), ENOSPC);
	close(stream.fd);
	assert_int_equal(stream_write(&stream, "b", 1), ENOSPC);
	capture_begin(&c);
	assert_int_equal(stream_status(&stream), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "No space left on device");
}

static void a_reader_that_closed_the_pipe_is_no_error(void **state)
{
	struct stream stream = {};
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	stream.fd = fds[1];
	assert_int_equal(stream_probe(&stream), 0);
	close(fds[0]);
	assert_int_equal(stream_probe(&stream), EPIPE);
	assert_int_equal(stream_write(&stream, "a", 1), EPIPE);
	assert_int_equal(stream_status(&stream), 0);
	close(fds[1]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(closed_descriptors_become_dev_null_except_the_output),
	cmocka_unit_test(an_output_opened_for_reading_is_refused),
	cmocka_unit_test(an_output_that_does_not_block_gets_every_byte),
	cmocka_unit_test(the_first_error_is_the_one_reported),
	cmocka_unit_test(a_reader_that_closed_the_pipe_is_no_error),
};

UNIT_MAIN(tests)
