// SPDX-License-Identifier: GPL-2.0
/* A file is replaced as a whole, or not at all. */
/* wrap: mkostemp */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "unit.h"
#include "lib/file.h"
#include "lib/log.h"

int __real_mkostemp(char *name, int flags);
int __wrap_mkostemp(char *name, int flags);

static bool read_only;	/* the file system */

int __wrap_mkostemp(char *name, int flags)
{
	if (!read_only)
		return __real_mkostemp(name, flags);
	errno = EROFS;
	return -1;
}

static char dir[64];

static const char *in_dir(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/p2ptrace-unit-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	read_only = false;
	return remove_tree(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void assert_content(const char *name, const char *expected)
{
	char text[64] = "";
	FILE *file = fopen(in_dir(name), "r");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	assert_string_equal(text, expected);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(in_dir(name), &st), 0);
	return st.st_mode;
}

static int entries(void)
{
	DIR *open_dir = opendir(dir);
	struct dirent *entry;
	int nr = 0;

	assert_non_null(open_dir);
	while ((entry = readdir(open_dir)))
		nr += *entry->d_name != '.';
	closedir(open_dir);
	return nr;
}

static void a_new_file_has_the_usual_mode(void **state)
{
	mode_t mask = umask(027);
	int rc = file_replace(in_dir("new"), "text", 4);

	(void)state;
	umask(mask);
	assert_int_equal(rc, 0);
	assert_content("new", "text");
	assert_int_equal(mode_of("new"), S_IFREG | 0640);
	assert_int_equal(entries(), 1);
}

static void a_file_keeps_its_mode(void **state)
{
	(void)state;
	write_text(dir, "old", "a longer text");
	assert_int_equal(chmod(in_dir("old"), 0604), 0);
	assert_int_equal(file_replace(in_dir("old"), "text", 4), 0);
	assert_content("old", "text");
	assert_int_equal(mode_of("old"), S_IFREG | 0604);
}

static void a_link_still_leads_to_the_file(void **state)
{
	(void)state;
	write_text(dir, "old", "old");
	assert_int_equal(symlink("old", in_dir("link")), 0);
	assert_int_equal(file_replace(in_dir("link"), "text", 4), 0);
	assert_content("old", "text");
	assert_true(S_ISLNK(mode_of("link")));
}

static void without_space_the_old_file_stays(void **state)
{
	struct rlimit before, limit;
	char text[8192] = {};
	struct capture c;
	int rc;

	(void)state;
	write_text(dir, "old", "old");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 4096;
	signal(SIGXFSZ, SIG_IGN);
	capture_begin(&c);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	rc = file_replace(in_dir("old"), text, sizeof(text));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	capture_end(&c);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(rc, EXIT_OTHER);
	assert_one_line(c.text, "File too large; it is as it was before");
	assert_content("old", "old");
	assert_int_equal(entries(), 1);
}

static void a_read_only_file_system_is_named(void **state)
{
	struct capture c;
	char what[256];

	(void)state;
	write_text(dir, "old", "old");
	read_only = true;
	for (int i = 0; i < 2; i++) {
		const char *path = in_dir(i ? "new" : "old");
		int rc;

		snprintf(what, sizeof(what), "cannot write %s: %s is on a read-only file system; "
			 "give another name", path, dir);
		capture_begin(&c);
		rc = file_replace(path, "text", 4);
		capture_end(&c);
		assert_int_equal(rc, EXIT_KERNEL);
		assert_one_line(c.text, what);
	}
	assert_content("old", "old");
	assert_int_equal(entries(), 1);
}

static void assert_usage(const char *name, const char *what)
{
	struct capture c;
	int rc;

	capture_begin(&c);
	rc = file_replace(in_dir(name), "text", 4);
	capture_end(&c);
	assert_int_equal(rc, EXIT_USAGE);
	assert_one_line(c.text, what);
}

static void a_place_that_cannot_be_is_refused(void **state)
{
	(void)state;
	write_text(dir, "file", "text");
	assert_usage("nowhere/file", "its folder does not exist; give another name");
	assert_usage("file/file", "its folder does not exist");
	assert_usage(".", "it is a folder; give the name of a file");
	assert_int_equal(entries(), 1);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
	char name[300] = {};

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	/* The path in the message is cut */
	assert_usage(name, "...: the name is too long; give another name");
	/* Long enough for the file, not for the one that takes its place */
	name[253] = '\0';
	assert_usage(name, "...: the name is too long; give another name");
	assert_int_equal(entries(), 0);
}

static void a_link_to_nowhere_is_refused(void **state)
{
	(void)state;
	assert_int_equal(symlink("nowhere", in_dir("link")), 0);
	assert_usage("link", "it is a link to a file that does not exist; remove the link");
	assert_true(S_ISLNK(mode_of("link")));
	assert_int_equal(symlink("circle", in_dir("circle")), 0);
	assert_usage("circle", "its links lead in a circle; give another name");
	assert_int_equal(entries(), 2);
}

static void assert_denied(const char *name, const char *what)
{
	struct capture c;
	int rc;

	capture_begin(&c);
	be_nobody(true);
	rc = file_replace(in_dir(name), "text", 4);
	be_nobody(false);
	capture_end(&c);
	assert_int_equal(rc, EXIT_KERNEL);
	assert_one_line(c.text, what);
}

static void the_folder_that_denies_it_is_named(void **state)
{
	char what[256];

	(void)state;
	assert_int_equal(mkdir(in_dir("folder"), 0755), 0);
	write_text(dir, "folder/old", "old");
	assert_int_equal(chmod(in_dir("folder"), 0555), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	snprintf(what, sizeof(what), "/folder/new: you may not write the folder %s/folder; run "
		 "p2ptrace as root, or", dir);
	assert_denied("folder/new", what);
	snprintf(what, sizeof(what), "/folder/old: you may not write the folder %s/folder; run",
		 dir);
	assert_denied("folder/old", what);
	assert_int_equal(chmod(in_dir("folder"), 0), 0);
	snprintf(what, sizeof(what), "/folder/old: you may not search the folder %s/folder; run",
		 dir);
	assert_denied("folder/old", what);
	assert_int_equal(chmod(in_dir("folder"), 0755), 0);
	assert_content("folder/old", "old");
}

/* Ends the child as soon as its second file is there. */
static void end_while_writing(int notify)
{
	static char text[1 << 20];
	char event[4096];
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	while (!child)
		(void)!file_replace(in_dir("old"), text, sizeof(text));
	assert_true(read(notify, event, sizeof(event)) > 0);
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static void an_end_by_a_signal_leaves_no_second_file(void **state)
{
	(void)state;
	write_text(dir, "old", "old");
	for (int i = 0; i < 10; i++) {
		int notify = inotify_init1(IN_CLOEXEC);

		assert_true(inotify_add_watch(notify, dir, IN_CREATE) >= 0);
		end_while_writing(notify);
		close(notify);
		assert_int_equal(entries(), 1);
	}
}

static void a_pipe_is_written_to(void **state)
{
	char text[8] = "";
	int fd;

	(void)state;
	assert_int_equal(mkfifo(in_dir("pipe"), 0600), 0);
	fd = open(in_dir("pipe"), O_RDWR | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(file_replace(in_dir("pipe"), "text", 4), 0);
	assert_int_equal(read(fd, text, sizeof(text)), 4);
	close(fd);
	assert_string_equal(text, "text");
	assert_true(S_ISFIFO(mode_of("pipe")));
}

static void what_a_full_device_has_is_not_sure(void **state)
{
	struct capture c;
	int rc;

	(void)state;
	capture_begin(&c);
	rc = file_replace("/dev/full", "text", 4);
	capture_end(&c);
	assert_int_equal(rc, EXIT_OTHER);
	assert_one_line(c.text, "cannot write /dev/full: No space left on device; only a part");
}

static const struct CMUnitTest tests[] = {
	TEST(a_new_file_has_the_usual_mode),
	TEST(a_file_keeps_its_mode),
	TEST(a_link_still_leads_to_the_file),
	TEST(without_space_the_old_file_stays),
	TEST(a_read_only_file_system_is_named),
	TEST(a_place_that_cannot_be_is_refused),
	TEST(a_name_that_is_too_long_is_refused),
	TEST(a_link_to_nowhere_is_refused),
	TEST(the_folder_that_denies_it_is_named),
	TEST(an_end_by_a_signal_leaves_no_second_file),
	TEST(a_pipe_is_written_to),
	TEST(what_a_full_device_has_is_not_sure),
};

UNIT_MAIN(tests)
