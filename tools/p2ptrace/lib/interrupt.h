/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SIGINT, SIGTERM and SIGHUP: the first one is a request to come to an end, with all that belongs to it. What it finds
 * blocked goes on, above all a write() to a slow reader, so that no line is cut. One that comes a second or more later
 * ends the process at once, with EXIT_OTHER, for who waits in vain.
 */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(void);
bool interrupted(void);

#endif /* INTERRUPT_H */
