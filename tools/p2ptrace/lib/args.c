// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/args.h"
#include "lib/buffer.h"
#include "lib/log.h"
#include "lib/print.h"

#define COLUMNS 80
#define ITEM_WIDTH 28

/* What getopt returns for option number 0. Above all letters. */
#define FIRST_OPTION 256

#define for_each_option(args, group, option) \
	for (const struct arg_group *group = (args)->groups; group->options; group++) \
		for (const struct arg_option *option = group->options; option->name; option++)

struct getopt_tables {
	struct option *options;
	const struct arg_option **by_number;
	struct buffer letters;
};

static void tables_free(struct getopt_tables *tables)
{
	free(tables->options);
	free(tables->by_number);
	buffer_free(&tables->letters);
}

static int tables_make(struct getopt_tables *tables, const struct args *args)
{
	size_t nr = 0;

	for_each_option(args, group, option)
		nr++;
	tables->options = calloc(nr + 1, sizeof(*tables->options));
	tables->by_number = calloc(nr + 1, sizeof(*tables->by_number));
	if (!tables->options || !tables->by_number)
		return fail(EXIT_OTHER, "out of memory");

	/* "+": options end where the command begins. ":": a missing argument has its own error */
	buffer_printf(&tables->letters, "%s:", args->command ? "+" : "");
	nr = 0;
	for_each_option(args, group, option) {
		tables->options[nr] = (struct option){
			.name = option->name,
			.has_arg = option->value ? required_argument : no_argument,
			.val = FIRST_OPTION + nr,
		};
		tables->by_number[nr++] = option;
		if (option->letter)
			buffer_printf(&tables->letters, "%c%s", option->letter,
				      option->value ? ":" : "");
	}
	return tables->letters.failed ? fail(EXIT_OTHER, "out of memory") : 0;
}

static const struct arg_option *find_option(const struct args *args,
					    const struct getopt_tables *tables, int key)
{
	if (key >= FIRST_OPTION)
		return tables->by_number[key - FIRST_OPTION];
	for_each_option(args, group, option)
		if (option->letter == key)
			return option;
	return NULL;
}

/* The options that a word such as "--d" may mean: "--dev, --duration" */
static size_t find_candidates(const struct args *args, const char *word, struct buffer *names)
{
	size_t len = strcspn(word, "="), nr = 0;

	for_each_option(args, group, option)
		if (len > 2 && !strncmp(option->name, word + 2, len - 2))
			buffer_printf(names, "%s--%s", nr++ ? ", " : "", option->name);
	return nr;
}

/* getopt has refused an option, and has just gone past it. */
static int refuse(const struct args *args, const struct getopt_tables *tables, char **argv, int key)
{
	const struct arg_option *option = optopt ? find_option(args, tables, optopt) : NULL;
	const char *word = argv[optind - 1];
	struct buffer names = {};
	int rc;

	if (option)
		rc = fail(EXIT_USAGE, "option '--%s' %s; see 'p2ptrace %s --help'", option->name,
			  key == ':' ? "needs an argument" : "takes no argument", argv[0]);
	else if (optopt)
		rc = fail(EXIT_USAGE, "unknown option '-%c'; see 'p2ptrace %s --help'", optopt,
			  argv[0]);
	else if (find_candidates(args, word, &names) > 1)
		rc = fail(EXIT_USAGE, "option '%s' is ambiguous (%s); see 'p2ptrace %s --help'",
			  word, buffer_text(&names), argv[0]);
	else
		rc = fail(EXIT_USAGE, "unknown option '%s'; see 'p2ptrace %s --help'", word,
			  argv[0]);
	buffer_free(&names);
	return rc;
}

static int parse_options(const struct args *args, const struct getopt_tables *tables, int argc,
			 char **argv, void *to, const char **last_value)
{
	int key, rc = 0;

	opterr = 0;
	optind = 0;	/* starts anew, in glibc and musl */
	while (!rc && (key = getopt_long(argc, argv, buffer_text(&tables->letters), tables->options,
					 NULL)) != -1) {
		if (key == '?' || key == ':')
			return refuse(args, tables, argv, key);
		*last_value = optarg;
		rc = find_option(args, tables, key)->set(to, optarg);
	}
	return rc;
}

static int parse_rest(const struct args *args, char **argv, void *to, const char *last_value)
{
	int rc = 0;

	if (args->command) {
		const char *before = argv[optind - 1];

		/* Without it, an option of the command would be taken for one of ours */
		if (argv[optind] && (optind == 1 || strcmp(before, "--") || before == last_value))
			return fail(EXIT_USAGE,
				    "put -- in front of the command; see 'p2ptrace %s --help'",
				    argv[0]);
		args->command(to, argv + optind);
		return 0;
	}
	for (char **arg = argv + optind; *arg && !rc; arg++)
		rc = args->argument ?
			     args->argument(to, *arg) :
			     fail(EXIT_USAGE, "unexpected argument '%s'; see 'p2ptrace %s --help'",
				  *arg, argv[0]);
	return rc;
}

int args_parse(const struct args *args, int argc, char **argv, void *to)
{
	struct getopt_tables tables = {};
	const char *last_value = NULL;
	int rc = tables_make(&tables, args);

	if (!rc)
		rc = parse_options(args, &tables, argc, argv, to, &last_value);
	if (!rc)
		rc = parse_rest(args, argv, to, last_value);
	tables_free(&tables);
	return rc;
}

/* Words from column @at on; further lines begin in column @indent. A newline ends a line. */
static void print_wrapped(int at, int indent, const char *text)
{
	bool begins = true;

	while (*text) {
		int len = strcspn(text, " \n");

		if (!begins && at + 1 + len > COLUMNS) {
			print("\n%*s", indent, "");
			at = indent;
			begins = true;
		}
		print("%s%.*s", begins ? "" : " ", len, text);
		at += len + !begins;
		begins = false;
		text += len;
		if (*text == '\n') {
			print("\n%*s", text[1] ? indent : 0, "");
			at = indent;
			begins = true;
		}
		if (*text)
			text++;
	}
	if (!begins)
		print("\n");
}

void args_print_item(int width, const char *name, const char *words)
{
	int len = strlen(name);

	print("%s", name);
	if (len + 2 > width) {
		print("\n");
		len = 0;
	}
	print("%*s", width - len, "");
	print_wrapped(width, width, words);
}

static void print_option(const struct arg_option *option)
{
	char letter[] = "-x, ", name[128];

	letter[1] = option->letter;
	snprintf(name, sizeof(name), "  %4s--%s%s%s", option->letter ? letter : "", option->name,
		 option->value ? "=" : "", option->value ? option->value : "");
	args_print_item(ITEM_WIDTH, name, option->help);
}

void args_help(const struct args *args, const char *command)
{
	print("Usage: p2ptrace %s [OPTION...]%s%s\n", command, *args->usage ? " " : "",
	      args->usage);
	print_wrapped(0, 0, args->summary);
	for (const struct arg_group *group = args->groups; group->options; group++) {
		if (group->title)
			print("\n%s:\n", group->title);
		for (const struct arg_option *option = group->options; option->name; option++)
			print_option(option);
	}
	if (args->notes) {
		print("\n");
		print_wrapped(0, 0, args->notes);
	}
	if (args->print_more)
		args->print_more();
	print("\n");
	print_wrapped(0, 0, args->exit_status);
	print("\nExamples:\n%s", args->examples);
}
