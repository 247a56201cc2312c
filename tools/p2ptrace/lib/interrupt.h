/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SIGINT, SIGTERM and SIGHUP. The first one asks the program to end; a write() that is blocked goes
 * on, so that no line is cut. Another one, a second or more later, ends the process at once with
 * EXIT_OTHER.
 */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(void);
bool interrupted(void);

#endif /* INTERRUPT_H */
