// SPDX-License-Identifier: GPL-2.0
/*
 * meter life SPINNER FILE COMMAND TIMES PAUSE_US [PID...]
 * meter run SPINNER OUTPUT CMD...
 * meter first FILE COMMAND PAUSE_US CMD...
 *	- measure the cost of a tool in instructions
 *
 * For a guest with QEMU's -icount shift=0 and one CPU, where the time stamp counter
 * counts instructions.  While the CPU is idle, the counter jumps ahead.  The kernel
 * reports the idle time, and it is subtracted.  The instructions of SPINNER are
 * subtracted, too.  SPINNER is a process that keeps the CPU busy while other
 * processes wait for the host.
 *
 *	life	writes COMMAND to FILE TIMES times, with a pause after each, while
 *		SPINNER is stopped.  Then interrupts the first PID and waits for its
 *		end.  Prints the instructions of all processes and the kernel, and the
 *		maximum resident memory of all PIDs together in KiB.
 *	run	runs CMD with its standard output in OUTPUT, and prints the instructions
 *		until its end
 *	first	starts CMD, writes COMMAND to FILE every PAUSE_US until CMD prints a line
 *		about an event, and interrupts CMD.  Prints the nanoseconds until that
 *		line, including idle time.
 */

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

/* Time limit for a tool to end after an interrupt, in guest time */
#define PATIENCE_MS 20000

/* A string in each line about an event, for all tools */
#define EVENT "p2pmem_"

typedef unsigned long long u64;

static unsigned long number(const char *arg)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(arg, &end, 10);
	if (errno || end == arg || *end)
		errx(2, "'%s' is not a number", arg);
	return value;
}

/* In counts of the time stamp counter, by a module */
static u64 idle(void)
{
	static const char path[] = "/sys/kernel/debug/p2pmem_bench_idle";
	FILE *file = fopen(path, "r");
	u64 counts;

	if (!file)
		err(1, "%s", path);
	if (fscanf(file, "%llu", &counts) != 1)
		errx(1, "%s has no number", path);
	fclose(file);
	return counts;
}

static clockid_t clock_of(pid_t pid)
{
	clockid_t id;

	if (clock_getcpuclockid(pid, &id))
		errx(1, "no process %d", pid);
	return id;
}

static u64 time_of(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts))
		err(1, "clock");
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static u64 busy(clockid_t spinner)
{
	u64 ns = idle() + time_of(spinner);

	return __rdtsc() - ns;
}

/* 0 for a process that has exited */
static unsigned long resident(const char *pid)
{
	unsigned long kib = 0;
	char line[256];
	FILE *status;

	snprintf(line, sizeof(line), "/proc/%s/status", pid);
	status = fopen(line, "r");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmHWM: %lu kB", &kib) == 1)
			break;
	if (status)
		fclose(status);
	return kib;
}

static void interrupt(pid_t pid)
{
	struct pollfd fd = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };

	if (fd.fd < 0 || kill(pid, SIGINT))
		err(1, "process %d", pid);
	if (poll(&fd, 1, PATIENCE_MS) != 1) {
		kill(pid, SIGKILL);
		errx(1, "process %d does not end", pid);
	}
	close(fd.fd);
}

static void cause(int fd, const char *command)
{
	ssize_t length = strlen(command);

	if (write(fd, command, length) != length)
		err(1, "'%s'", command);
}

static int open_file(const char *name, int flags)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC | flags, 0600);

	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

static pid_t start(char **cmd, int out)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	if (dup2(out, STDOUT_FILENO) >= 0)
		execvp(cmd[0], cmd);
	err(127, "%s", cmd[0]);
}

static void life(char **argv, int argc)
{
	int fd = open_file(argv[1], 0);
	unsigned long times = number(argv[3]), kib = 0;
	struct timespec pause = { .tv_nsec = number(argv[4]) * 1000 };
	pid_t spinner = number(argv[0]);
	clockid_t clock = clock_of(spinner);
	u64 begin;

	kill(spinner, SIGSTOP);
	begin = busy(clock);
	while (times--) {
		cause(fd, argv[2]);
		nanosleep(&pause, NULL);
	}
	/* Some tools read their buffers only from time to time */
	nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	for (int i = 5; i < argc; i++)
		kib += resident(argv[i]);
	kill(spinner, SIGCONT);
	if (argc > 5)
		interrupt(number(argv[5]));
	printf("busy=%llu resident=%lu\n", busy(clock) - begin, kib);
}

static void run(char **argv)
{
	int fd = open_file(argv[1], O_CREAT | O_TRUNC), status;
	clockid_t clock = clock_of(number(argv[0]));
	u64 begin = busy(clock);

	if (waitpid(start(argv + 2, fd), &status, 0) < 0 || status)
		errx(1, "%s failed", argv[2]);
	printf("busy=%llu\n", busy(clock) - begin);
}

static void first(char **argv)
{
	int fd = open_file(argv[0], 0), status, ready, ends[2];
	struct timespec pause = { .tv_nsec = number(argv[2]) * 1000 };
	struct pollfd out = { .events = POLLIN };
	char text[1 << 16] = "";
	size_t length = 0;
	ssize_t got;
	u64 begin;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		err(1, "pipe");
	out.fd = ends[0];
	begin = time_of(CLOCK_MONOTONIC);
	pid = start(argv + 3, ends[1]);
	close(ends[1]);
	while (!strstr(text, EVENT)) {
		cause(fd, argv[1]);
		ready = ppoll(&out, 1, &pause, NULL);
		if (ready < 0)
			err(1, "poll");
		if (!ready)
			continue;
		got = read(out.fd, text + length, sizeof(text) - 1 - length);
		if (got <= 0)
			errx(1, "%s has ended without an event", argv[3]);
		length += got;
		text[length] = '\0';
	}
	printf("ns=%llu\n", time_of(CLOCK_MONOTONIC) - begin);
	/* The tool must not wait for us to read the rest */
	close(out.fd);
	kill(pid, SIGINT);
	waitpid(pid, &status, 0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (mlockall(MCL_CURRENT))
		err(1, "mlockall");
	if (!strcmp(what, "life") && argc >= 7)
		life(argv + 2, argc - 2);
	else if (!strcmp(what, "run") && argc >= 5)
		run(argv + 2);
	else if (!strcmp(what, "first") && argc >= 6)
		first(argv + 2);
	else
		errx(2, "see the head of meter.c for what it wants");
	return 0;
}
