/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What "p2ptrace check" and "p2ptrace report --check" judge by. Their options begin with a struct
 * judgement.
 */
#ifndef OPTIONS_JUDGEMENT_H
#define OPTIONS_JUDGEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/options.h"
#include "event/expect.h"
#include "event/verdict.h"

#define MAX_EXPECTATIONS 64

struct judgement {
	struct common_options common;
	struct expectation expectations[MAX_EXPECTATIONS];
	size_t nr;
	bool allowed[NR_VIOLATIONS], allow_blind;
	uint64_t older_than_ns;		/* 0: not given */
};

extern const struct arg_option options_judgement[];

/* Puts into @verdict what @judgement says, which has to stay. */
void judgement_begin(const struct judgement *judgement, struct verdict *verdict);

/* The name of the first metric that is expected, but not in @metrics, or NULL. */
const char *judgement_unknown(const struct judgement *judgement, const struct metrics *metrics);

/* @needed: of the @traced events, those that the verdict depends on. All metrics are known. */
void judgement_needed(const struct judgement *judgement, const struct metrics *metrics,
		      const struct event_set *traced, struct event_set *needed);

#endif /* OPTIONS_JUDGEMENT_H */
