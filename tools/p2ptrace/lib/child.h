/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A command that runs beside p2ptrace. Interrupts of p2ptrace are meant for it as well.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	char **argv;		/* ends with NULL */
	pid_t pid;
	bool ended;		/* or never started */
	int wait_status;	/* as of waitpid(); valid once it has ended */
};

/*
 * Both return 0, or an exit status after an error message. child_poll() does not wait, and sets
 * ->ended.
 */
int child_start(struct child *child, char **argv);
int child_poll(struct child *child);

/*
 * Ends a command that still runs: SIGTERM, and SIGKILL after @patience_ns. Says so if that does not
 * help.
 */
void child_end(struct child *child, uint64_t patience_ns);

#endif /* CHILD_H */
