// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "event/lives.h"
#include "lib/log.h"
#include "session/tracer.h"

#include "trace.skel.h"

static int open_programs(void *opener, struct bpf_object **object)
{
	struct tracer *t = opener;
	int rc = session_open(trace, t->skel, &t->sel, object);

	if (!rc)
		t->skel->rodata->wakeup_bytes = t->buffer_bytes / 4;
	return rc;
}

int tracer_open(struct tracer *t)
{
	const struct select_how how = {
		.by_name = t->by_name, .groups = t->lives, .needed = P2PTRACE_p2pmem_alloc,
	};
	struct event_set *set = &t->sel.set;
	int rc;

	if (t->lives)
		lives_events(set);
	rc = select_all(&t->want, &how, &t->sel);
	if (t->lives) {
		/* A mapping may be smaller than its buffer, and belongs to it */
		t->sel.filter.min_size = 0;
		/* On a stock kernel, this event does not tell which buffer */
		if (set->stock)
			set->has[P2PTRACE_nvmet_p2pmem_use] = false;
	}
	return rc;
}

int tracer_start(struct tracer *t, struct session_config *config)
{
	config->events = t->sel.set;
	config->open = open_programs;
	config->opener = t;
	config->buffer_bytes = t->buffer_bytes;
	config->groups = t->lives;
	config->needed = P2PTRACE_p2pmem_alloc;
	return session_start(&t->session, config);
}

void tracer_close(struct tracer *t)
{
	session_close(&t->session);
	trace_bpf__destroy(t->skel);
	t->skel = NULL;
	enums_free(&t->sel.enums);
}
