// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/child.h"
#include "lib/clock.h"
#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/units.h"

/*
 * Runs in the child. The command gets the signals that a shell would give it; the pipe takes the
 * error of exec().
 */
static void run(char **command, int pipe_fd)
{
	int err;

	/* exec() resets caught signals, but not ignored ones */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execvp(command[0], command);
	err = errno;
	(void)!write(pipe_fd, &err, sizeof(err));
	_exit(127);
}

int child_start(struct child *child, char **argv)
{
	int fds[2], err = 0;
	char name[128];

	child->argv = argv;
	child->ended = true;
	if (pipe2(fds, O_CLOEXEC))
		return fail(EXIT_OTHER, "cannot make a pipe: %s", strerror(errno));
	/* If our parent ignores it, we would inherit that, and could not wait for the command */
	signal(SIGCHLD, SIG_DFL);
	child->pid = fork();
	if (!child->pid)
		run(argv, fds[1]);
	interrupt_child(child->pid);
	close(fds[1]);
	if (child->pid < 0)
		err = errno;
	else if (read(fds[0], &err, sizeof(err)) == sizeof(err))
		waitpid(child->pid, NULL, 0);
	close(fds[0]);
	if (!err) {
		child->ended = false;
		return 0;
	}
	interrupt_child(0);
	text_printable(name, sizeof(name), argv[0], strlen(argv[0]));
	return fail(child->pid < 0 ? EXIT_OTHER : EXIT_USAGE, "cannot run '%s': %s%s", name,
		    strerror(err), child->pid < 0 ? "; run it again when there is room" :
		    "; give the name or the path of a program");
}

int child_poll(struct child *child)
{
	pid_t pid;

	if (child->ended)
		return 0;
	pid = waitpid(child->pid, &child->wait_status, WNOHANG);
	if (!pid || (pid < 0 && errno == EINTR))
		return 0;
	child->ended = true;
	interrupt_child(0);
	return pid < 0 ? fail(EXIT_OTHER, "cannot tell how the command ended: %s",
			      strerror(errno)) : 0;
}

/* False if it has not ended in time. */
static bool wait_for_end(struct child *child, uint64_t patience_ns)
{
	const struct timespec nap = { .tv_nsec = 10 * NSEC_PER_MSEC };
	uint64_t end = clock_now_ns() + patience_ns;

	for (;;) {
		pid_t pid = waitpid(child->pid, &child->wait_status, WNOHANG);

		if (pid && !(pid < 0 && errno == EINTR)) {
			interrupt_child(0);
			return true;
		}
		if (clock_now_ns() >= end)
			return false;
		nanosleep(&nap, NULL);
	}
}

void child_end(struct child *child, uint64_t patience_ns)
{
	if (child->ended)
		return;
	child->ended = true;
	kill(child->pid, SIGTERM);
	if (wait_for_end(child, patience_ns))
		return;
	note("the command does not end on SIGTERM; killing it");
	kill(child->pid, SIGKILL);
	if (!wait_for_end(child, patience_ns))
		note("SIGKILL did not end the command (process %d), which waits in the kernel; "
		     "see /proc/%d/stack",
		     (int)child->pid, (int)child->pid);
}
