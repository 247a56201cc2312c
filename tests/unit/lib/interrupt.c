// SPDX-License-Identifier: GPL-2.0
/*
 * Signals while the output is blocked by a slow reader. The first signal must not cut the output;
 * a later one ends p2ptrace and its child.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

#include "unit.h"
#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/stream.h"

#define LINE "a line of output, 32 bytes long\n"
#define NR_LINES 10007	/* more than the pipe and the buffer of the stream can hold */
#define END "the end\n"
#define DEADLINE_MS 10000

struct writer {
	pid_t pid;
	int fd;
	struct capture capture;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void write_lines(int fd)
{
	struct stream stream = { .fd = fd };

	signal(SIGHUP, SIG_DFL);	/* the test itself may be run by nohup */
	interrupt_catch();
	for (int i = 0; i < NR_LINES; i++)
		stream_write(&stream, LINE, strlen(LINE));
	while (!interrupted())
		usleep(1000);
	stream_write(&stream, END, strlen(END));
	_exit(stream_status(&stream));
}

/* Whether the process sleeps and has handled all of its signals. */
static bool sleeps(pid_t pid)
{
	char path[64], line[256];
	bool asleep = false, pending = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "State:\tS", 8))
			asleep = true;
		if (!strncmp(line, "ShdPnd:\t", 8))
			pending = strtoull(line + 8, NULL, 16);
	}
	fclose(f);
	return asleep && !pending;
}

static void wait_until_blocked(const struct writer *w)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	int bytes = 0;

	while (bytes < fcntl(w->fd, F_GETPIPE_SZ) || !sleeps(w->pid)) {
		assert_true(now_ms() < deadline);
		usleep(1000);
		assert_int_equal(ioctl(w->fd, FIONREAD, &bytes), 0);
	}
}

static void begin(struct writer *w)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	capture_begin(&w->capture);
	w->fd = fds[0];
	w->pid = fork();
	assert_true(w->pid >= 0);
	if (!w->pid) {
		close(fds[0]);
		write_lines(fds[1]);
	}
	close(fds[1]);
	wait_until_blocked(w);
}

static void assert_output_is_whole(int fd)
{
	static char out[NR_LINES * sizeof(LINE)];
	size_t n = 0, whole = NR_LINES * strlen(LINE);
	ssize_t got;

	while ((got = read(fd, out + n, sizeof(out) - 1 - n)) > 0)
		n += got;
	assert_int_equal(got, 0);
	assert_int_equal(n, whole + strlen(END));
	assert_memory_equal(out + whole - strlen(LINE), LINE END, strlen(LINE END));
}

static int end(struct writer *w)
{
	int status;

	assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
	capture_end(&w->capture);
	close(w->fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_blocked_write_survives_the_first_signal(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct writer w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		begin(&w);
		kill(w.pid, signals[i]);
		wait_until_blocked(&w);
		/* timeout(1) sends the signal twice in a row. */
		kill(w.pid, signals[i]);
		wait_until_blocked(&w);
		assert_output_is_whole(w.fd);
		assert_int_equal(end(&w), 0);
		assert_string_equal(w.capture.text, "");
	}
}

static void a_signal_a_second_later_ends_a_blocked_write(void **state)
{
	int64_t start = now_ms();
	struct writer w;
	siginfo_t info = {};

	(void)state;
	begin(&w);
	while (!info.si_pid) {
		assert_true(now_ms() < start + DEADLINE_MS);
		kill(w.pid, SIGINT);
		usleep(10 * 1000);
		assert_int_equal(waitid(P_PID, w.pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	}
	assert_int_equal(end(&w), EXIT_OTHER);
	assert_true(now_ms() - start >= 1000);
	assert_one_line(w.capture.text, "the output is cut");
}

/* Runs in a process that is interrupted. The child ignores that, and has an end of the pipe. */
static void have_child(int fds[2])
{
	pid_t child;

	signal(SIGINT, SIG_IGN);
	child = fork();
	if (!child) {
		/* If the test fails */
		alarm(2 * DEADLINE_MS / 1000);
		for (;;)
			pause();
	}
	interrupt_catch();
	interrupt_child(child);
	(void)!write(fds[1], "", 1);
	close(fds[1]);
	for (;;)
		pause();
}

static void a_signal_a_second_later_ends_the_child(void **state)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	struct pollfd ended = { .events = POLLIN };
	int fds[2], status;
	struct capture c;
	pid_t pid, done;
	char ready;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	capture_begin(&c);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		have_child(fds);
	close(fds[1]);
	assert_int_equal(read(fds[0], &ready, 1), 1);
	while (!(done = waitpid(pid, &status, WNOHANG))) {
		assert_true(now_ms() < deadline);
		kill(pid, SIGINT);
		usleep(10 * 1000);
	}
	capture_end(&c);
	assert_int_equal(done, pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_OTHER);
	assert_one_line(c.text, "interrupted again");
	/* The pipe has no other writer */
	ended.fd = fds[0];
	assert_int_equal(poll(&ended, 1, DEADLINE_MS), 1);
	assert_int_equal(ended.revents, POLLHUP);
	close(fds[0]);
}

static void an_ignored_hangup_stays_ignored(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGHUP, SIG_IGN);
		interrupt_catch();
		raise(SIGHUP);
		if (interrupted())
			_exit(1);
		raise(SIGTERM);
		_exit(interrupted() ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_blocked_write_survives_the_first_signal),
	cmocka_unit_test(a_signal_a_second_later_ends_a_blocked_write),
	cmocka_unit_test(a_signal_a_second_later_ends_the_child),
	cmocka_unit_test(an_ignored_hangup_stays_ignored),
};

UNIT_MAIN(tests)
