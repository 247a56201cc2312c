// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "event/blind.h"
#include "event/output.h"
#include "lib/json.h"
#include "lib/text.h"
#include "lib/units.h"

#define COMM_WIDTH 22
#define EVENT_WIDTH 21

/* Room for any string field with each byte as \xNN. */
#define STRING_LEN (4 * P2PTRACE_NQN_LEN + 1)

static const char *field_string(const struct field *field, const void *record, size_t *len)
{
	const char *s = (const char *)record + field->offset;

	*len = strnlen(s, field->size);
	return s;
}

static void text_bytes(struct buffer *lines, uint64_t bytes)
{
	static const char unit[] = "KMGT";
	int i = -1;

	while (bytes && bytes % 1024 == 0 && unit[i + 1]) {
		bytes /= 1024;
		i++;
	}
	buffer_printf(lines, "%" PRIu64, bytes);
	if (i >= 0)
		buffer_add(lines, &unit[i], 1);
}

/* strerrorname_np() is glibc's alone. Other errors show as numbers. */
static const char *const error_names[] = {
#define NAME(error) [error] = "-" #error
	NAME(EPERM), NAME(ENOENT), NAME(EINTR), NAME(EIO), NAME(ENXIO), NAME(E2BIG), NAME(EBADF),
	NAME(EAGAIN), NAME(ENOMEM), NAME(EACCES), NAME(EFAULT), NAME(EBUSY), NAME(EEXIST),
	NAME(EXDEV), NAME(ENODEV), NAME(EINVAL), NAME(ENOTTY), NAME(EFBIG), NAME(ENOSPC),
	NAME(EROFS), NAME(EPIPE), NAME(EDOM), NAME(ERANGE), NAME(EDEADLK), NAME(ENAMETOOLONG),
	NAME(ENOSYS), NAME(ENODATA), NAME(ETIME), NAME(EREMOTE), NAME(EPROTO), NAME(EBADMSG),
	NAME(EOVERFLOW), NAME(EILSEQ), NAME(EUSERS), NAME(EMSGSIZE), NAME(EPROTONOSUPPORT),
	NAME(EOPNOTSUPP), NAME(EADDRINUSE), NAME(EADDRNOTAVAIL), NAME(ENETDOWN), NAME(ENETUNREACH),
	NAME(ECONNABORTED), NAME(ECONNRESET), NAME(ENOBUFS), NAME(ENOTCONN), NAME(ESHUTDOWN),
	NAME(ETIMEDOUT), NAME(ECONNREFUSED), NAME(EHOSTDOWN), NAME(EHOSTUNREACH), NAME(EALREADY),
	NAME(EINPROGRESS), NAME(ESTALE), NAME(EREMOTEIO), NAME(EDQUOT), NAME(ECANCELED),
	NAME(ENOKEY), NAME(EKEYEXPIRED), NAME(EKEYREJECTED),
#undef NAME
};

static void text_errno(struct buffer *lines, int err)
{
	int64_t positive = -(int64_t)err;
	const char *name = NULL;

	if (positive > 0 && positive < (int64_t)ARRAY_SIZE(error_names))
		name = error_names[positive];
	if (name)
		buffer_printf(lines, "%s", name);
	else
		buffer_printf(lines, "%d", err);
}

static void text_string(struct buffer *lines, const char *s, size_t len)
{
	char word[STRING_LEN];
	size_t n = text_word(word, sizeof(word), s, len);

	if (n)
		buffer_add(lines, word, n);
	else
		buffer_add(lines, "-", 1);
}

static void text_field(struct buffer *lines, const struct field *field, const void *record,
		       const struct enums *enums)
{
	char buf[32];
	const char *s;
	size_t len;

	buffer_printf(lines, " %s=", field->name);
	switch (field->kind) {
	case FIELD_UINT:
		buffer_printf(lines, "%" PRIu64, field_uint(field, record));
		break;
	case FIELD_INT:
		buffer_printf(lines, "%" PRId32, field_int(field, record));
		break;
	case FIELD_BYTES:
		text_bytes(lines, field_uint(field, record));
		break;
	case FIELD_HEX:
	case FIELD_ADDR:
		buffer_printf(lines, "0x%" PRIx64, field_uint(field, record));
		break;
	case FIELD_ERRNO:
		text_errno(lines, field_int(field, record));
		break;
	case FIELD_BOOL:
		buffer_printf(lines, "%s", field_uint(field, record) ? "yes" : "no");
		break;
	case FIELD_STRING:
		s = field_string(field, record, &len);
		text_string(lines, s, len);
		break;
	case FIELD_ENUM:
		s = enums_name(enums, field->which, field_uint(field, record), buf, sizeof(buf));
		buffer_add(lines, s, strlen(s));
		break;
	}
}

int output_text(struct buffer *lines, const struct event *event, const void *record,
		const struct enums *enums, bool stock)
{
	const struct p2ptrace_header *h = record;
	char comm[4 * P2PTRACE_COMM_LEN + 1], task[sizeof(comm) + 16];
	uint64_t s = h->ts_ns / NSEC_PER_SEC, us = h->ts_ns / NSEC_PER_USEC % USEC_PER_SEC;

	if (!text_word(comm, sizeof(comm), h->comm, strnlen(h->comm, sizeof(h->comm))))
		strcpy(comm, "-");
	snprintf(task, sizeof(task), "%s-%" PRIu32, comm, h->pid);
	buffer_printf(lines, "%5" PRIu64 ".%06" PRIu64 " [%03" PRIu32 "] %-*s %-*s", s, us, h->cpu,
		  COMM_WIDTH, task, EVENT_WIDTH, event->name);
	for (size_t i = 0; i < event->nr_fields; i++)
		if (!field_absent(&event->fields[i], record, stock))
			text_field(lines, &event->fields[i], record, enums);
	buffer_add(lines, "\n", 1);
	return lines->failed ? -ENOMEM : 0;
}

void output_lost_detail(struct buffer *lines, const struct lost *lost)
{
	const char *separator = "";

	for (size_t i = 0; i < lost->nr_cpus; i++) {
		if (!lost->per_cpu[i])
			continue;
		buffer_printf(lines, "%scpu%zu %" PRIu64, separator, i, lost->per_cpu[i]);
		separator = ", ";
	}
	if (lost->nested)
		buffer_printf(lines, "%snested %" PRIu64, separator, lost->nested);
}

void output_text_end(struct buffer *lines, uint64_t nr_events, const struct lost *lost,
		     const struct event_set *set)
{
	blind_text(lines, set, "# ");
	buffer_printf(lines, "# %" PRIu64 " event%s, %" PRIu64 " lost", nr_events,
		      PLURAL(nr_events), lost->total);
	if (lost->total) {
		buffer_add(lines, " (", 2);
		output_lost_detail(lines, lost);
		buffer_add(lines, ")", 1);
	}
	buffer_add(lines, "\n", 1);
}

void output_json_end(struct buffer *lines, uint64_t nr_events, const struct lost *lost,
		     const struct event_set *set, const char *cut)
{
	json_open(lines, NULL, '{');
	json_str(lines, "event", "end");
	json_uint(lines, "events", nr_events);
	json_uint(lines, "lost", lost->total);
	blind_json(lines, set);
	if (cut)
		json_str(lines, "cut", cut);
	json_close(lines, '}');
	buffer_add(lines, "\n", 1);
}
