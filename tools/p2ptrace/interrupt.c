// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "interrupt.h"
#include "log.h"

#define MSEC_PER_SEC 1000
#define NSEC_PER_MSEC 1000000

static volatile sig_atomic_t pending;
static int64_t first_ms;	/* only the handler's, which is not interrupted by itself */

static void on_signal(int sig)
{
	static const char msg[] = "p2ptrace: interrupted again, ending at once; the output is cut and has no end record\n";
	int saved = errno;
	struct timespec now;
	int64_t ms;

	(void)sig;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (int64_t)now.tv_sec * MSEC_PER_SEC + now.tv_nsec / NSEC_PER_MSEC;
	if (!pending) {
		pending = 1;
		first_ms = ms;
	} else if (ms - first_ms >= MSEC_PER_SEC) {
		/* Not before: timeout(1), sudo(8) and a terminal that hangs up send what is meant as one more than once. */
		(void)!write(STDERR_FILENO, msg, strlen(msg));
		_exit(EXIT_OTHER);
	}
	errno = saved;
}

void interrupt_catch(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;

	sigaddset(&action.sa_mask, SIGINT);
	sigaddset(&action.sa_mask, SIGTERM);
	sigaddset(&action.sa_mask, SIGHUP);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* nohup(1) means it. */
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}

bool interrupted(void)
{
	return pending;
}
