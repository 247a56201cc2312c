// SPDX-License-Identifier: GPL-2.0
/* The output of a command is written when the command ends. The command fails if that fails. */
#include <fcntl.h>

#include "unit.h"
#include "lib/log.h"
#include "lib/print.h"

/* The status of print_end() with @fd as standard output. */
static int end_on(int fd, struct capture *c)
{
	int saved = dup(STDOUT_FILENO), rc;

	fflush(stdout);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	capture_begin(c);
	rc = print_end();
	capture_end(c);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	return rc;
}

static void output_is_written_once_and_whole(void **state)
{
	char *text = malloc(300001);
	int fd = temporary_file();
	struct capture c;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 100000; i++)
		print("%d%s", i % 10, "ab");
	assert_int_equal(end_on(fd, &c), 0);
	assert_string_equal(c.text, "");
	assert_int_equal(pread(fd, text, 300001, 0), 300000);
	assert_memory_equal(text + 299997, "9ab", 3);
	/* A second print_end() writes nothing */
	assert_int_equal(end_on(fd, &c), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 300000);
	close(fd);
	free(text);
}

static void a_full_disk_is_an_error(void **state)
{
	int fd = open("/dev/full", O_WRONLY);
	struct capture c;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(end_on(fd, &c), 0);
	print("a");
	assert_int_equal(end_on(fd, &c), EXIT_OTHER);
	assert_one_line(c.text, "cannot write to standard output: No space left on device");
	close(fd);
}

static void running_out_of_memory_is_an_error(void **state)
{
	int fd = temporary_file();
	struct capture c;

	(void)state;
	print("a");
	assert_null(buffer_room(print_buffer(), SIZE_MAX));
	print("b");
	assert_int_equal(end_on(fd, &c), EXIT_OTHER);
	assert_one_line(c.text, "out of memory");
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(output_is_written_once_and_whole),
	cmocka_unit_test(a_full_disk_is_an_error),
	cmocka_unit_test(running_out_of_memory_is_an_error),
};

UNIT_MAIN(tests)
