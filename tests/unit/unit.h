/* SPDX-License-Identifier: GPL-2.0 */
/* What every unit test needs: cmocka, TAP, and what is written to stderr. */
#ifndef UNIT_H
#define UNIT_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* cmocka's macro fail() would swallow our function. */
#undef fail
#undef fail_msg
#define fail_msg(msg, ...)				\
do {							\
	print_error("ERROR: " msg "\n", ##__VA_ARGS__);	\
	_fail(__FILE__, __LINE__);			\
} while (0)

/* cmocka 2 deprecates assert_in_range(), and cmocka 1 has no other name for it. */
#undef assert_in_range
#pragma GCC poison assert_in_range
static inline void assert_between(uint64_t value, uint64_t min, uint64_t max)
{
	if (value < min || value > max)
		fail_msg("%" PRIu64 " is not in %" PRIu64 " to %" PRIu64, value, min, max);
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Permissions do not stop root, so a test of them runs as another user. */
static inline void be_nobody(bool nobody)
{
	if (!getuid())
		assert_int_equal(seteuid(nobody ? 65534 : 0), 0);
}

#define UNIT_MAIN(tests)						\
int main(void)								\
{									\
	cmocka_set_message_output(CM_OUTPUT_TAP);			\
	return cmocka_run_group_tests(tests, NULL, NULL);		\
}

static inline void write_text(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static inline int remove_tree(const char *dir)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/* A descriptor of an empty file without a name. */
static inline int temporary_file(void)
{
	char path[] = "/tmp/p2ptrace-unit-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

struct capture {
	int saved;
	FILE *file;
	char text[4096];
};

static inline void capture_begin(struct capture *c)
{
	c->file = tmpfile();
	assert_non_null(c->file);
	c->saved = dup(STDERR_FILENO);
	assert_true(c->saved >= 0);
	assert_true(dup2(fileno(c->file), STDERR_FILENO) >= 0);
}

/* What was written to stderr meanwhile. */
static inline const char *capture_end(struct capture *c)
{
	size_t n;

	fflush(stderr);
	assert_true(dup2(c->saved, STDERR_FILENO) >= 0);
	close(c->saved);
	rewind(c->file);
	n = fread(c->text, 1, sizeof(c->text) - 1, c->file);
	c->text[n] = '\0';
	fclose(c->file);
	return c->text;
}

/* An error is one line, ours, and names @thing. */
static inline void assert_one_line(const char *said, const char *thing)
{
	assert_true(!strncmp(said, "p2ptrace: ", 10));
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	if (!strstr(said, thing))
		fail_msg("'%s' is not in: %s", thing, said);
}

#endif /* UNIT_H */
