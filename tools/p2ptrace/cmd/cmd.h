/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every subcommand, with its line in "p2ptrace --help". cmd_NAME() is in cmd/NAME.c; its argv[0] is
 * NAME, and it returns the exit status.
 */
#ifndef CMD_H
#define CMD_H

#define P2PTRACE_COMMANDS(X)								\
	X(trace, "print each event of peer memory as it happens")			\
	X(record, "write each event to a file")						\
	X(report, "show a recording: as a page, JSON, a timeline, a web page")		\
	X(stat, "count events: rates per interval, and totals")				\
	X(top, "watch peer memory on a terminal: traffic, buffers, fallbacks, refusals")	\
	X(export, "serve all counts to Prometheus, or write them for node_exporter")	\
	X(lifetimes, "show how long buffers and dma-bufs are held and mapped: histograms") \
	X(peers, "show which devices can reach which peer memory, and why not")		\
	X(snapshot, "write what peers reads into one file, for use on another machine")	\
	X(leaks, "show which buffers and dma-bufs are held, since when, and by whom")	\
	X(nvmet, "show which namespaces of the NVMe target use peer memory, and why not")	\
	X(check, "run a command, and fail if it misuses peer memory")

#define P2PTRACE_DECLARE_COMMAND(name, summary) int cmd_##name(int argc, char **argv);
P2PTRACE_COMMANDS(P2PTRACE_DECLARE_COMMAND)
#undef P2PTRACE_DECLARE_COMMAND

#endif /* CMD_H */
