// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/options_judgement.h"
#include "lib/log.h"
#include "lib/number.h"

static int set_expect(void *to, const char *value)
{
	struct judgement *judgement = to;

	if (judgement->nr == MAX_EXPECTATIONS)
		return fail(EXIT_USAGE,
			    "there are more than %d expectations; run the command again for the "
			    "rest", MAX_EXPECTATIONS);
	return expect_parse(&judgement->expectations[judgement->nr++], value);
}

static int set_allow(void *to, const char *value)
{
	struct judgement *judgement = to;
	int violation = violation_find(value);
	char names[512] = "";

	if (violation >= 0) {
		judgement->allowed[violation] = true;
		return 0;
	}
	for (int v = 0; v < NR_VIOLATIONS; v++) {
		size_t used = strlen(names);

		snprintf(names + used, sizeof(names) - used, "%s%s", v ? ", " : "",
			 violation_name(v));
	}
	return fail(EXIT_USAGE, "--allow '%s' is not a violation; the violations are %s",
		    value, names);
}

static int set_allow_blind(void *to, const char *value)
{
	struct judgement *judgement = to;

	(void)value;
	judgement->allow_blind = true;
	return 0;
}

static int set_older_than(void *to, const char *value)
{
	struct judgement *judgement = to;
	uint64_t ns;
	int err = number_parse_seconds(value, &ns);

	if (err || !ns)
		return options_bad_number("--older-than", value, err, "10 or 0.5 (seconds)");
	return options_set_number("--older-than", &judgement->older_than_ns, ns, value);
}

const struct arg_option options_judgement[] = {
	{ "expect", 0, "'METRIC OP N'",
	  "Expect this count at the end; OP is ==, !=, <, <=, > or >=; may be repeated",
	  set_expect },
	{ "allow", 0, "VIOLATION",
	  "Report this violation, but do not fail for it; may be repeated",
	  set_allow },
	{ "allow-blind", 0, NULL,
	  "Judge even if the kernel shows an event that the check needs only in part, or not at "
	  "all",
	  set_allow_blind },
	{ "older-than", 0, "SECONDS",
	  "Set a limit: fail if a buffer is held for longer, even if it is freed later, or if a "
	  "device keeps a dma-buf mapped for longer after it was revoked",
	  set_older_than },
	{}
};

void judgement_begin(const struct judgement *judgement, struct verdict *verdict)
{
	verdict->expectations = judgement->expectations;
	verdict->nr_expectations = judgement->nr;
	verdict->allow_blind = judgement->allow_blind;
	for (int v = 0; v < NR_VIOLATIONS; v++)
		verdict->violations[v].allowed = judgement->allowed[v];
}

const char *judgement_unknown(const struct judgement *judgement, const struct metrics *metrics)
{
	for (size_t i = 0; i < judgement->nr; i++)
		if (!metrics_find(metrics, judgement->expectations[i].metric))
			return judgement->expectations[i].metric;
	return NULL;
}

void judgement_needed(const struct judgement *judgement, const struct metrics *metrics,
		      const struct event_set *traced, struct event_set *needed)
{
	struct event_set judged = {};

	event_set_add_buffer(&judged);
	event_set_add_mapping(&judged);
	judged.has[P2PTRACE_p2pmem_drain_stall] = true;
	judged.has[P2PTRACE_dma_buf_map] = judged.has[P2PTRACE_dma_buf_unmap] = true;
	judged.has[P2PTRACE_dma_buf_detach] = true;
	judged.has[P2PTRACE_dma_buf_revoke] = judgement->older_than_ns;
	for (size_t i = 0; i < judgement->nr; i++) {
		enum p2ptrace_event event =
			metrics_find(metrics, judgement->expectations[i].metric)->event;

		if (event < P2PTRACE_NR_EVENTS)
			judged.has[event] = true;
	}
	*needed = *traced;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		needed->blind[i] &= judged.has[i];
}
