/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SIGINT, SIGTERM and SIGHUP. The first one asks the program to end; a write() that is blocked goes
 * on, so that no line is cut. Another one, a second or more later, ends the process at once with
 * EXIT_OTHER, and kills its child.
 */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdbool.h>
#include <sys/types.h>

void interrupt_catch(void);
bool interrupted(void);

/* The child that ends with this process; 0: none. Set it to 0 once the child is reaped. */
void interrupt_child(pid_t pid);

#endif /* INTERRUPT_H */
