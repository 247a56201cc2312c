// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <string.h>

#include "cmd/cmd.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/stream.h"
#include "lib/units.h"
#include "lib/version.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
#define COMMAND(name, summary) { #name, cmd_##name, summary },
	P2PTRACE_COMMANDS(COMMAND)
#undef COMMAND
};

static int help(void)
{
	print("Usage: p2ptrace COMMAND [OPTION...]\n"
	      "Show how PCIe peer-to-peer memory is used.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		print("  %-10s %s\n", commands[i].name, commands[i].summary);
	print("\n"
	      "  -h, --help      print this help; for a command, 'p2ptrace COMMAND --help'\n"
	      "      --version   print the version\n\n"
	      "Exit status: 0 fine, 1 a check failed, 2 bad usage, 3 this kernel or these\n"
	      "privileges cannot do it, 4 any other error.\n\n"
	      "Examples:\n"
	      "  p2ptrace peers\n"
	      "  p2ptrace stat 1\n"
	      "  p2ptrace trace --json --duration 10\n");
	return 0;
}

static int run(int argc, char **argv)
{
	if (argc < 2)
		return fail(EXIT_USAGE, "no command given; see 'p2ptrace --help'");
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
		return help();
	if (!strcmp(argv[1], "--version")) {
		print("p2ptrace %s\n", TOOL_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return fail(EXIT_USAGE, "unknown %s '%s'; see 'p2ptrace --help'",
		    *argv[1] == '-' ? "option" : "command", argv[1]);
}

int main(int argc, char **argv)
{
	int rc = stream_open_standard(), printed;

	if (rc)
		return rc;
	/* A reader that goes away (p2ptrace trace | head) is an error of write() */
	signal(SIGPIPE, SIG_IGN);
	rc = run(argc, argv);
	printed = print_end();
	return rc ? rc : printed;
}
