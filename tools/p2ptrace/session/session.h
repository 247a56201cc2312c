/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tracing run, the same for every subcommand. The subcommand opens its own skeleton and sets the
 * options there, in a callback. A session selects the programs, loads and attaches them, polls,
 * detaches, drains the ring buffer, and counts lost events.
 *
 * The BPF object of a session has the programs of bpf/nested.bpf.h for each event, and the map of
 * bpf/lost.bpf.h. If there are records to read, it has the map of bpf/records.bpf.h. Without a
 * ring buffer, a session only calls pause() after each interval.
 */
#ifndef SESSION_H
#define SESSION_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "event/events.h"
#include "event/output.h"
#include "lib/log.h"
#include "session/hooks.h"

struct bpf_link;
struct bpf_object;
struct bpf_program;
struct ring_buffer;

/*
 * For session_config.open: opens the skeleton of bpf/NAME.bpf.c, and sets the options that every
 * BPF object has. @from: struct selected. Returns 0, or an exit status after an error message.
 */
#define session_open(NAME, skel, from, object) ({						\
	NAME##_bpf__destroy(skel);								\
	(skel) = NAME##_bpf__open();								\
	if (skel) {										\
		memcpy(&(skel)->rodata->filter, &(from)->filter, sizeof((from)->filter));	\
		(skel)->rodata->vmemmap_base_at = (from)->set.vmemmap_base;			\
		(skel)->rodata->mem_section_at = (from)->set.mem_section;			\
		(skel)->rodata->page_shift = __builtin_ctzl(sysconf(_SC_PAGESIZE));		\
		*(object) = (skel)->obj;							\
	}											\
	(skel) ? 0 : fail(EXIT_OTHER, "cannot open the BPF programs: %s", strerror(errno));	\
})

enum session_verdict {
	SESSION_GO_ON,
	SESSION_STOP,		/* and drop the records that are in the ring buffer */
};

struct session_config {
	struct event_set events;
	/*
	 * Opens the BPF object and sets its options. libbpf can load an object only once, so this
	 * is called again, to replace the object, if the kernel refuses a program. Returns 0, or an
	 * exit status after an error message.
	 */
	int (*open)(void *opener, struct bpf_object **object);
	void *opener;
	uint64_t buffer_bytes;
	uint64_t duration_ns;	/* 0: until a signal */
	uint64_t interval_ns;	/* between pauses without records; 0: no pauses */
	/*
	 * If one event of a group (see event_set_remove_group) cannot be attached, leave out the
	 * others as well. It is an error if @needed is left out.
	 */
	bool groups;
	enum p2ptrace_event needed;	/* only with groups; P2PTRACE_NR_EVENTS: none */
	/* Called for a record from the kernel. NULL if there are no records. */
	enum session_verdict (*record)(void *ctx, const void *data, size_t size);
	/* Called when all records are read and every 50 ms; without records, after an interval. */
	enum session_verdict (*pause)(void *ctx);
	/* Called at the end, before detaching. May be NULL. Returns an exit status. */
	int (*ending)(void *ctx);
	void *ctx;
};

struct session {
	struct session_config config;	/* .events: those that are attached */
	struct bpf_object *object;	/* the caller's, which closes it */
	struct ring_buffer *records;	/* NULL without records */
	/*
	 * NAME and NAME_nested of nested.bpf.h, by event or role (see hooks.h). The latter is NULL
	 * for functions (stock mode).
	 */
	struct bpf_program *programs[HOOK_NR_ROLES], *nested[HOOK_NR_ROLES];
	struct bpf_link *links[HOOK_NR_ROLES], *nested_links[HOOK_NR_ROLES];
	int lost_map_fd, caught_map_fd;
	struct lost lost;
	uint64_t *caught_per_cpu;
	uint64_t module;		/* nvmet_loaded() when its programs were attached, or 0 */
	unsigned int module_tries;
	uint64_t missed_returns;	/* of its functions, counted at the end */
	uint64_t next_pause_ns;
	uint64_t nr_records;		/* since the start */
	bool again;			/* load again: other programs are wanted now */
	bool running;			/* everything is attached */
	bool draining;
	bool stopped;			/* by a callback */
};

/* Shows libbpf's messages on stderr if @verbose. Errors are reported in our own words anyway. */
void session_set_verbose(bool verbose);

/*
 * These return 0, or an exit status after an error message. Call session_close() in any case.
 *
 * An event whose program cannot be loaded or attached takes its next hook, or else is left out with
 * a note: session->config.events has the events that are left. It is an error if none is left, or
 * if privileges or memory are missing.
 */
int session_start(struct session *session, const struct session_config *config);
/* Runs until a signal, the duration or a callback ends the session. */
int session_run(struct session *session);
/*
 * Runs the program of an iterator for all that exist now. Returns 0 or a negative errno, -ENOENT if
 * the kernel has no such iterator. Works after session_run() as well.
 */
int session_visit(struct session *session, unsigned int role);
/* The sections of the programs that are used: at most @max. Returns their number. */
size_t session_hooks(const struct session *session, const char **sections, size_t max);
/* Updates session->lost. */
int session_count_lost(struct session *session);
void session_close(struct session *session);

#endif /* SESSION_H */
