/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of a tracing run, the same for every subcommand. The subcommand opens its own skeleton and sets its options
 * in there; the rest happens here: select the programs, load, attach, poll, detach, drain, count what was lost.
 *
 * A BPF object for a session has the programs per event of bpf/nested.bpf.h, and the map of bpf/lost.bpf.h. Those
 * of bpf/records.bpf.h it has if there are records to read; without, a session is all pauses.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "event/events.h"
#include "event/output.h"

struct bpf_link;
struct bpf_object;
struct bpf_program;
struct ring_buffer;

enum session_verdict {
	SESSION_GO_ON,
	SESSION_STOP,		/* no more records, also not those that are there already */
};

struct session_config {
	struct event_set events;
	uint64_t buffer_bytes;
	uint64_t duration_ns;	/* 0: until a signal */
	uint64_t interval_ns;	/* between pauses where there are no records; 0: none but the end */
	/* A record from the kernel; NULL if there are none. */
	enum session_verdict (*record)(void *ctx, const void *data, size_t size);
	/* There is nothing more to read for now, or it has been a while; without records, an interval is over. */
	enum session_verdict (*pause)(void *ctx);
	/* It is over, but all is still attached; NULL if that is of no interest. Returns an exit status. */
	int (*ending)(void *ctx);
	void *ctx;
};

struct session {
	struct session_config config;
	struct bpf_object *object;	/* the caller's */
	struct ring_buffer *records;	/* NULL without */
	/* The event's own program, and the one for what the kernel skips while that runs: NULL for functions (stock mode). */
	struct bpf_program *programs[P2PTRACE_NR_EVENTS], *nested[P2PTRACE_NR_EVENTS];
	struct bpf_link *links[P2PTRACE_NR_EVENTS], *nested_links[P2PTRACE_NR_EVENTS];
	/* Stock mode: what knows the pages that DMA mappings are about */
	struct bpf_program *pages;
	struct bpf_link *pages_link;
	int lost_map_fd, caught_map_fd;
	struct lost lost;
	uint64_t *caught_per_cpu;
	uint64_t next_pause_ns;
	uint64_t nr_records;		/* since the start */
	bool draining;
	bool stopped;			/* a callback said so */
};

/* libbpf's own messages go to stderr if @verbose, else nowhere: our callers report errors in their own words. */
void session_set_verbose(bool verbose);

/* All return 0 or an exit status after saying what is wrong. session_close() afterwards in any case. */
int session_start(struct session *session, struct bpf_object *object, const struct session_config *config);
int session_run(struct session *session);	/* until a signal, the duration or a callback ends it */
int session_count_lost(struct session *session);	/* brings session->lost up to date */
void session_close(struct session *session);


#endif /* SESSION_H */
