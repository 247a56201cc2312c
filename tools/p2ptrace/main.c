// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "lib/log.h"
#include "lib/stream.h"
#include "lib/units.h"

#define VERSION "0.1"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "trace", cmd_trace, "what is happening now: one line an event" },
	{ "stat", cmd_stat, "how much and which way: counts, per second and in total" },
	{ "lifetimes", cmd_lifetimes, "how long buffers are held and mapped: histograms and percentiles" },
	{ "peers", cmd_peers, "who can reach whose memory, and if not why" },
	{ "leaks", cmd_leaks, "what is still held, since when, by whom, and from where" },
	{ "check", cmd_check, "run a command, and fail if peer memory was not used as it should be" },
};

#define NR_COMMANDS ARRAY_SIZE(commands)

static int help(void)
{
	printf("Usage: p2ptrace COMMAND [OPTION...]\n"
	       "Show what happens to PCIe peer-to-peer memory.\n\n");
	for (size_t i = 0; i < NR_COMMANDS; i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].summary);
	printf("\n"
	       "  -h, --help      print this help; 'p2ptrace COMMAND --help' for a command's own\n"
	       "      --version   print the version\n\n"
	       "Exit status: 0 fine, 1 a check failed, 2 bad usage, 3 this kernel or these privileges cannot do it, "
	       "4 anything else.\n");
	return 0;
}

static int run(int argc, char **argv)
{
	if (argc < 2)
		return fail(EXIT_USAGE, "no command given; see 'p2ptrace --help'");
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
		return help();
	if (!strcmp(argv[1], "--version")) {
		printf("p2ptrace %s\n", VERSION);
		return 0;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return fail(EXIT_USAGE, "unknown %s '%s'; see 'p2ptrace --help'", *argv[1] == '-' ? "option" : "command", argv[1]);
}

int main(int argc, char **argv)
{
	struct stream out = { .file = stdout };
	int rc = stream_open_standard();

	if (rc)
		return rc;
	/* A reader that goes away (p2ptrace trace | head) is to be an error of write(), which ends us quietly. */
	signal(SIGPIPE, SIG_IGN);
	rc = run(argc, argv);

	/*
	 * What a command printed may still be in the buffer: a full disk is an error also for --help. What was too large for
	 * the buffer has failed before, is gone from it, and nobody knows why.
	 */
	stream_flush(&out);
	if (!out.error && ferror(stdout) && !stream_probe(&out))
		out.error = EIO;
	return rc ? rc : stream_status(&out);
}
