// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/units.h"

static volatile sig_atomic_t pending;
static volatile sig_atomic_t child;
static uint64_t first_ns;	/* used by the handler only, which does not interrupt itself */

static void on_signal(int sig)
{
	static const char msg[] = "p2ptrace: interrupted again, ending at once; the output is cut "
				  "and has no end record\n";
	int saved = errno;
	uint64_t now = clock_now_ns();

	(void)sig;
	if (!pending) {
		pending = 1;
		first_ns = now;
	} else if (now - first_ns >= NSEC_PER_SEC) {
		/* timeout(1), sudo(8) and a terminal that hangs up send a signal more than once */
		(void)!write(STDERR_FILENO, msg, strlen(msg));
		if (child > 0)
			kill(child, SIGKILL);
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
	/* Keep SIGHUP ignored if nohup(1) has made it so */
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}

bool interrupted(void)
{
	return pending;
}

void interrupt_child(pid_t pid)
{
	child = pid;
}
