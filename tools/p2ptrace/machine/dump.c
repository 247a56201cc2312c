// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/buffer.h"
#include "lib/file.h"
#include "lib/log.h"
#include "machine/dump.h"
#include "machine/machine.h"
#include "machine/snapshot.h"

#define READ_SIZE 65536

static int read_all(struct buffer *text, int fd, const char *path)
{
	for (;;) {
		char *room = buffer_room(text, READ_SIZE);
		ssize_t n;

		if (!room)
			return fail(EXIT_OTHER, "out of memory for %s", path);
		n = read(fd, room, READ_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(errno == EISDIR ? EXIT_USAGE : EXIT_OTHER,
				    "cannot read %s: %s; name a file with " DUMP_FORMATS, path,
				    strerror(errno));
		if (!n)
			return 0;
		text->len += n;
		if (text->len > DUMP_MAX_SIZE)
			return fail(EXIT_OTHER, "%s is larger than %u MiB, the most that p2ptrace "
				    "reads; cut what does not come from lspci", path,
				    DUMP_MAX_SIZE >> 20);
	}
}

static int open_file(const char *path, int *fd)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd >= 0)
		return 0;
	switch (errno) {
	case EACCES:
	case EPERM:
		return file_denied("read", path, false, errno);
	case ENAMETOOLONG:
		return fail(EXIT_USAGE, "cannot open %.64s...: the name is too long; name a file "
			    "with " DUMP_FORMATS ", or - for standard input", path);
	default:
		return fail(errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? EXIT_USAGE :
			    EXIT_OTHER, "cannot open %s: %s; name a file with " DUMP_FORMATS
			    ", or - for standard input", path, strerror(errno));
	}
}

/* Whether @text begins with the two characters, apart from blanks. */
static bool begins(const char *text, size_t len, char first, char second)
{
	size_t i = 0;

	while (i < len && isspace((unsigned char)text[i]))
		i++;
	if (i == len || text[i++] != first)
		return false;
	while (i < len && isspace((unsigned char)text[i]))
		i++;
	return i < len && text[i] == second;
}

int machine_read_text(struct machine *machine, const char *text, size_t len, const char *path)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (len >= strlen(mark) && !memcmp(text, mark, strlen(mark))) {
		text += strlen(mark);
		len -= strlen(mark);
	}
	if (!len)
		return fail(EXIT_OTHER, "%s is empty; p2ptrace reads " DUMP_FORMATS, path);
	if (is_snapshot(text, len))
		return snapshot_read(machine, path, text, len);
	if (begins(text, len, '{', '"') && memmem(text, len, "\"map\":", strlen("\"map\":")))
		return fail(EXIT_OTHER, "%s is the JSON that 'p2ptrace peers' prints, which lacks "
			    "much of the machine; use a file that 'p2ptrace snapshot' "
			    "writes", path);
	if (begins(text, len, '[', '{'))
		return rdma_topo_read(machine, text, len, path);
	return lspci_read(machine, text, len, path);
}

int machine_read_file(struct machine *machine, const char *path)
{
	bool standard = !strcmp(path, "-");
	const char *name = standard ? "standard input" : path;
	struct buffer text = {};
	int fd = STDIN_FILENO, rc = 0;

	if (!standard)
		rc = open_file(path, &fd);
	if (!rc)
		rc = read_all(&text, fd, name);
	if (!standard && fd >= 0)
		close(fd);
	if (!rc)
		rc = machine_read_text(machine, buffer_text(&text), text.len, name);
	buffer_free(&text);
	return rc;
}
