// SPDX-License-Identifier: GPL-2.0
/* The command line of a subcommand: options, abbreviations, arguments and errors. */
#include "unit.h"
#include "lib/args.h"
#include "lib/log.h"
#include "lib/print.h"

static char said[256];

static int set_color(void *to, const char *value)
{
	(void)to;
	strcat(strcat(said, " color="), value);
	return 0;
}

static int set_count(void *to, const char *value)
{
	(void)to;
	strcat(strcat(said, " count="), value);
	return !strcmp(value, "bad") ? EXIT_USAGE : 0;
}

static int set_quiet(void *to, const char *value)
{
	(void)to;
	assert_null(value);
	strcat(said, " quiet");
	return 0;
}

static int set_argument(void *to, const char *value)
{
	(void)to;
	strcat(strcat(said, " "), value);
	return 0;
}

static void set_command(void *to, char **words)
{
	(void)to;
	strcat(said, " run");
	for (; *words; words++)
		strcat(strcat(said, ":"), *words);
}

static const struct arg_option options[] = {
	{ "color", 'c', "NAME", "A color", set_color },
	{ "count", 0, "N",
	  "How many times, in words that are long enough to need a second line of help",
	  set_count },
	{}
};
static const struct arg_option more_options[] = {
	{ "quiet", 'q', NULL, "Say nothing", set_quiet },
	{}
};
static const struct arg_group groups[] = { { "Main", options }, { NULL, more_options }, {} };
static struct args args = {
	.usage = "FILE", .summary = "Test.", .groups = groups, .notes = "One.\n\nTwo.\n",
	.exit_status = "Exit status: 0 fine.", .examples = "  p2ptrace test a\n",
};

/* Returns the status; said[] holds the calls of the setters. */
static int parse(struct capture *c, const char *line)
{
	char copy[256], *words[16] = {};
	int n = 0, rc;

	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		words[n++] = word;
	*said = '\0';
	capture_begin(c);
	rc = args_parse(&args, n, words, NULL);
	capture_end(c);
	return rc;
}

static void accepted(const char *line, const char *expected)
{
	struct capture c;

	assert_int_equal(parse(&c, line), 0);
	assert_string_equal(said, expected);
	assert_string_equal(c.text, "");
}

static void refused(const char *line, const char *message)
{
	struct capture c;

	assert_int_equal(parse(&c, line), EXIT_USAGE);
	assert_one_line(c.text, message);
	assert_one_line(c.text, "; see 'p2ptrace test --help'");
}

static int setup(void **state)
{
	(void)state;
	args.argument = set_argument;
	args.command = NULL;
	return 0;
}

static void options_and_arguments_may_be_mixed(void **state)
{
	(void)state;
	accepted("test", "");
	accepted("test a --count 3 b --color=red", " count=3 color=red a b");
	accepted("test --quiet -- --count 3", " quiet --count 3");
	accepted("test -qc red -cblue", " quiet color=red color=blue");
	/* args_parse() can be called again */
	accepted("test -q", " quiet");
}

static void an_unambiguous_prefix_is_accepted(void **state)
{
	(void)state;
	accepted("test --q --col red --cou=2", " quiet color=red count=2");
	refused("test --co 2", "option '--co' is ambiguous (--color, --count)");
	refused("test --co=2", "option '--co=2' is ambiguous (--color, --count)");
}

static void errors_name_the_option(void **state)
{
	struct capture c;

	(void)state;
	refused("test --nope", "unknown option '--nope'");
	refused("test --nope=1", "unknown option '--nope=1'");
	refused("test --countx", "unknown option '--countx'");
	refused("test -x", "unknown option '-x'");
	refused("test -qx", "unknown option '-x'");
	refused("test a --nope b", "unknown option '--nope'");
	refused("test --count", "option '--count' needs an argument");
	refused("test --cou", "option '--count' needs an argument");
	refused("test -c", "option '--color' needs an argument");
	refused("test --quiet=1", "option '--quiet' takes no argument");
	/* A setter that fails has printed its own message and ends the parsing */
	assert_int_equal(parse(&c, "test --count bad --nope"), EXIT_USAGE);
	assert_string_equal(said, " count=bad");
	assert_string_equal(c.text, "");
}

static void arguments_are_refused_if_the_command_takes_none(void **state)
{
	(void)state;
	args.argument = NULL;
	refused("test a", "unexpected argument 'a'");
	refused("test -- --quiet", "unexpected argument '--quiet'");
}

static void a_command_to_run_follows_two_dashes(void **state)
{
	(void)state;
	args.command = set_command;
	accepted("test", " run");
	accepted("test --", " run");
	accepted("test -q -- ls -q --nope", " quiet run:ls:-q:--nope");
	accepted("test -- -- ls", " run:--:ls");
	refused("test ls -q", "put -- in front of the command");
	refused("test ls -- -q", "put -- in front of the command");
	/* Here, -- is the argument of an option */
	refused("test --color -- ls", "put -- in front of the command");
}

static void help_lists_the_options_of_the_table(void **state)
{
	(void)state;
	args_help(&args, "test");
	assert_string_equal(buffer_text(print_buffer()),
			    "Usage: p2ptrace test [OPTION...] FILE\nTest.\n\n"
			    "Main:\n"
			    "  -c, --color=NAME          A color\n"
			    "      --count=N             How many times, in words that are "
			    "long enough to\n"
			    "                            need a second line of help\n"
			    "  -q, --quiet               Say nothing\n\n"
			    "One.\n\nTwo.\n\n"
			    "Exit status: 0 fine.\n\n"
			    "Examples:\n  p2ptrace test a\n");
	buffer_free(print_buffer());
}

#define ARGS_TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	ARGS_TEST(options_and_arguments_may_be_mixed),
	ARGS_TEST(an_unambiguous_prefix_is_accepted),
	ARGS_TEST(errors_name_the_option),
	ARGS_TEST(arguments_are_refused_if_the_command_takes_none),
	ARGS_TEST(a_command_to_run_follows_two_dashes),
	ARGS_TEST(help_lists_the_options_of_the_table),
};

UNIT_MAIN(tests)
