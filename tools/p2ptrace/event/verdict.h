/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What "p2ptrace check" says about a command: its status, violations, and expectations. A pure
 * function of its inputs.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/expect.h"
#include "event/metrics.h"
#include "lib/buffer.h"
#include "p2ptrace.h"

/* Numbered after the violations that the BPF programs count: these are known only at the end. */
enum violation { LEAK = P2PTRACE_NR_VIOLATIONS, MAPPED, STALL, LOST, NR_VIOLATIONS };

struct verdict {
	const char *mode;
	char **command;			/* ends with NULL; NULL: there was none */
	const char *cut;		/* why a recording is not whole; NULL: it is */
	int wait_status;		/* as of waitpid() */
	const struct metrics *metrics;
	struct sample difference;	/* from the start to the end */
	const struct expectation *expectations;	/* their metrics exist */
	size_t nr_expectations;
	/*
	 * Events were lost. An end without a beginning, or a beginning without an end, may be due
	 * to that, so map_after_free, unmap_without_map, mapped_at_detach and revoke_too_long are
	 * shown, but not judged.
	 */
	bool unsure;
	/*
	 * The events that the check depends on. It fails if some are seen in part or not at all,
	 * unless @allow_blind.
	 */
	struct event_set needed;
	bool allow_blind;
	struct {
		uint64_t count;
		bool allowed;
		bool has_first;
		struct p2ptrace_first first;
	} violations[NR_VIOLATIONS];
};

/* The name as in reports and for --allow; NR_VIOLATIONS and -1 if there is none. */
const char *violation_name(int violation);
int violation_find(const char *name);

/* What it means, for --help. */
const char *violation_help(int violation);

bool verdict_command_failed(const struct verdict *verdict);

/* How many violations and expectations failed: these may still change. */
size_t verdict_pending(const struct verdict *verdict);

/* Whether it fails because p2ptrace did not see what it needs. Then other failures may be wrong. */
bool verdict_blind(const struct verdict *verdict);

/* How many failed of all, with command and blindness. 0: the check succeeded. */
size_t verdict_failed(const struct verdict *verdict);

void verdict_text(struct buffer *out, const struct verdict *verdict);
void verdict_json(struct buffer *out, const struct verdict *verdict);

#endif /* VERDICT_H */
