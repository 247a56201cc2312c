/* SPDX-License-Identifier: GPL-2.0 */
/* One per subcommand, in cmd_<name>.c. argv[0] is the subcommand. Return the exit status. */
#ifndef COMMANDS_H
#define COMMANDS_H

int cmd_check(int argc, char **argv);
int cmd_leaks(int argc, char **argv);
int cmd_lifetimes(int argc, char **argv);
int cmd_peers(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_trace(int argc, char **argv);

#endif /* COMMANDS_H */
