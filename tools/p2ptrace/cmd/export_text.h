/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What p2ptrace export writes: the families of metrics, from values that were read before.
 */
#ifndef EXPORT_TEXT_H
#define EXPORT_TEXT_H

#include "event/metrics.h"
#include "lib/openmetrics.h"
#include "machine/paths.h"
#include "session/counter.h"
#include "session/durations.h"

struct export_values {
	bool up;			/* false: p2ptrace ends, and these are the last values */
	const struct counter *counter;
	struct sample sample;
	struct pair_sums pairs;
	struct durations *durations;	/* NULL: this kernel does not show them */
	uint64_t oldest_ns;		/* the age of the oldest buffer that is held; 0: none */
	struct paths paths;
	/* Of counts and of durations; unlike the session's estimates, they never decrease */
	uint64_t lost, durations_lost;
};

/* Adds all families, and the end. */
void export_text(struct openmetrics *om, const struct export_values *values);

#endif /* EXPORT_TEXT_H */
