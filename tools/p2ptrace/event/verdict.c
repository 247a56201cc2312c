// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "event/blind.h"
#include "event/verdict.h"
#include "lib/hist.h"
#include "lib/json.h"
#include "lib/text.h"
#include "lib/units.h"

/* The report says "3 DMA mappings were made of ..."; @help is for --help. */
static const struct {
	const char *name, *one, *many, *help;
} violations[NR_VIOLATIONS] = {
	[P2PTRACE_MAP_AFTER_FREE] = {
		"map_after_free",
		"DMA mapping was made of a buffer that was not allocated",
		"DMA mappings were made of buffers that were not allocated",
		"a DMA mapping of a buffer that was freed or never allocated" },
	[P2PTRACE_DOUBLE_MAP] = {
		"double_map",
		"DMA mapping was made by a client that already had it",
		"DMA mappings were made by clients that already had them",
		"a DMA mapping that its client already had" },
	[P2PTRACE_LATE_UNMAP] = {
		"late_unmap",
		"DMA mapping ended after its buffer was freed",
		"DMA mappings ended after their buffers were freed",
		"a DMA mapping that ended after its buffer was freed" },
	[P2PTRACE_UNMAP_WITHOUT_MAP] = {
		"unmap_without_map",
		"DMA mapping was ended but never made",
		"DMA mappings were ended but never made",
		"the end of a DMA mapping that its client never made" },
	[P2PTRACE_HELD_TOO_LONG] = {
		"held_too_long",
		"buffer was held for longer than the limit; the lives of p2ptrace trace show which",
		"buffers were held for longer than the limit; the lives of p2ptrace trace show "
		"which",
		"a buffer held for longer than the limit, even if it was freed later" },
	[P2PTRACE_MAPPED_AT_DETACH] = {
		"mapped_at_detach",
		"device was detached from a dma-buf that it still had mapped",
		"devices were detached from dma-bufs that they still had mapped",
		"a device detached from a dma-buf that it still had mapped" },
	[P2PTRACE_REVOKE_TOO_LONG] = {
		"revoke_too_long",
		"revocation of a dma-buf waited for longer than the limit",
		"revocations of dma-bufs waited for longer than the limit",
		"a revocation of a dma-buf that waited for longer than the limit" },
	[LEAK] = {
		"leak",
		"buffer was not freed; run p2ptrace leaks beside the command to see its stack",
		"buffers were not freed; run p2ptrace leaks beside the command to see their stacks",
		"a buffer that was allocated and not freed" },
	[MAPPED] = {
		"mapped",
		"DMA mapping was not ended",
		"DMA mappings were not ended",
		"a DMA mapping that was made and not ended" },
	[STALL] = {
		"drain_stall",
		"time, a removal waited ten seconds, and no buffer returned meanwhile",
		"times, a removal waited ten seconds, and no buffer returned meanwhile",
		"a removal that waited ten seconds while no buffer returned" },
	[LOST] = {
		"lost",
		"event could not be counted",
		"events could not be counted",
		"an event that could not be counted" },
};

const char *violation_name(int violation)
{
	return violations[violation].name;
}

const char *violation_help(int violation)
{
	return violations[violation].help;
}

int violation_find(const char *name)
{
	for (int v = 0; v < NR_VIOLATIONS; v++)
		if (!strcmp(violations[v].name, name))
			return v;
	return -1;
}

bool verdict_command_failed(const struct verdict *verdict)
{
	return verdict->command &&
	       (!WIFEXITED(verdict->wait_status) || WEXITSTATUS(verdict->wait_status));
}

static bool expectation_met(const struct verdict *verdict, const struct expectation *expectation,
			    uint64_t *value)
{
	*value = metric_value(metrics_find(verdict->metrics, expectation->metric),
			      &verdict->difference);
	return expect_met(expectation, *value);
}

/* An end may not have been seen. */
static bool end_unsure(const struct verdict *verdict, int v)
{
	if (v == P2PTRACE_MAPPED_AT_DETACH || v == P2PTRACE_REVOKE_TOO_LONG)
		return verdict->unsure;
	return verdict->needed.blind[P2PTRACE_p2pmem_free] &&
	       (v == LEAK || v == P2PTRACE_HELD_TOO_LONG);
}

static bool is_unsure(const struct verdict *verdict, int v)
{
	return (verdict->unsure &&
		(v == P2PTRACE_MAP_AFTER_FREE || v == P2PTRACE_UNMAP_WITHOUT_MAP)) ||
	       end_unsure(verdict, v);
}

size_t verdict_pending(const struct verdict *verdict)
{
	size_t failed = 0;
	uint64_t value;

	for (int v = 0; v < NR_VIOLATIONS; v++)
		failed += verdict->violations[v].count && !verdict->violations[v].allowed &&
			  !is_unsure(verdict, v);
	for (size_t i = 0; i < verdict->nr_expectations; i++)
		failed += !expectation_met(verdict, &verdict->expectations[i], &value);
	return failed;
}

bool verdict_blind(const struct verdict *verdict)
{
	return blind_any(&verdict->needed) && !verdict->allow_blind;
}

size_t verdict_failed(const struct verdict *verdict)
{
	return verdict_command_failed(verdict) + verdict_blind(verdict) + !!verdict->cut +
	       verdict_pending(verdict);
}

static void command_text(struct buffer *out, const struct verdict *verdict)
{
	int status = verdict->wait_status;

	buffer_printf(out, "%-6s command: ", verdict_command_failed(verdict) ? "FAILED" : "ok");
	if (WIFEXITED(status))
		buffer_printf(out, "exit status %d\n", WEXITSTATUS(status));
	else
		buffer_printf(out, "killed by signal %d (%s)\n", WTERMSIG(status),
			      strsignal(WTERMSIG(status)));
}

/* "; first: p2pmem0 id=17, client 0000:04:00.0, held for 1.20s, by fio-123" */
static void first_text(struct buffer *out, const struct p2ptrace_first *first)
{
	char word[4 * P2PTRACE_NAME_LEN + 1];

	buffer_printf(out, "; first:");
	/* A dma-buf may not be on a device */
	if (text_word(word, sizeof(word), first->dev.s,
		      strnlen(first->dev.s, sizeof(first->dev.s))))
		buffer_printf(out, " %s", word);
	buffer_printf(out, " id=%" PRIu64, (uint64_t)first->id);
	if (text_word(word, sizeof(word), first->client.s,
		      strnlen(first->client.s, sizeof(first->client.s))))
		buffer_printf(out, ", client %s", word);
	if (first->held_ns) {
		hist_time(first->held_ns, word, sizeof(word));
		buffer_printf(out, ", held for %s", word);
	}
	/* Unknown for a revocation that still waits */
	if (text_word(word, sizeof(word), first->comm,
		      strnlen(first->comm, sizeof(first->comm))))
		buffer_printf(out, ", by %s-%" PRIu32, word, first->pid);
}

void verdict_text(struct buffer *out, const struct verdict *verdict)
{
	uint64_t nr = sample_events(&verdict->difference);

	if (verdict->command)
		command_text(out, verdict);
	if (verdict->cut)
		buffer_printf(out, "FAILED recording: %s\n", verdict->cut);
	blind_text(out, &verdict->needed,
		   verdict->allow_blind ? "allowed blind: " : "FAILED blind: ");
	for (int v = 0; v < NR_VIOLATIONS; v++) {
		uint64_t count = verdict->violations[v].count;

		if (!count)
			continue;
		buffer_printf(out, "%s %s: %" PRIu64 " %s%s",
			      verdict->violations[v].allowed ? "allowed" :
			      is_unsure(verdict, v) ? "unsure" : "FAILED",
			      violations[v].name, count,
			      count == 1 ? violations[v].one : violations[v].many,
			      end_unsure(verdict, v) ? ", or its end was not seen" :
			      is_unsure(verdict, v) ? ", or a beginning was lost" : "");
		if (verdict->violations[v].has_first)
			first_text(out, &verdict->violations[v].first);
		buffer_add(out, "\n", 1);
	}
	for (size_t i = 0; i < verdict->nr_expectations; i++) {
		const struct expectation *e = &verdict->expectations[i];
		uint64_t value;
		bool met = expectation_met(verdict, e, &value);

		buffer_printf(out, "%-6s %s %s %" PRIu64 " (%" PRIu64 ")\n", met ? "ok" : "FAILED",
			      e->metric, expect_op_text(e->op), e->value, value);
	}
	buffer_printf(out, "# %" PRIu64 " event%s in %.3f s, %" PRIu64 " lost; %zu failed\n", nr,
		      PLURAL(nr), (double)verdict->difference.ts_ns / NSEC_PER_SEC,
		      verdict->difference.lost, verdict_failed(verdict));
}

static void command_json(struct buffer *out, const struct verdict *verdict)
{
	int status = verdict->wait_status;

	if (!verdict->command) {
		json_none(out, "command");
		return;
	}
	json_open(out, "command", '{');
	json_open(out, "argv", '[');
	for (char **word = verdict->command; *word; word++)
		json_str(out, NULL, *word);
	json_close(out, ']');
	if (WIFEXITED(status)) {
		json_int(out, "status", WEXITSTATUS(status));
		json_none(out, "signal");
	} else {
		json_none(out, "status");
		json_int(out, "signal", WTERMSIG(status));
	}
	json_close(out, '}');
}

static void first_json(struct buffer *out, const char *key, const struct p2ptrace_first *first)
{
	json_open(out, key, '{');
	json_str_of(out, "dev", first->dev.s, sizeof(first->dev.s));
	json_uint(out, "id", first->id);
	if (*first->client.s)
		json_str_of(out, "client", first->client.s, sizeof(first->client.s));
	else
		json_none(out, "client");
	if (first->held_ns)
		json_uint(out, "held_ns", first->held_ns);
	else
		json_none(out, "held_ns");
	if (*first->comm) {
		json_uint(out, "pid", first->pid);
		json_str_of(out, "comm", first->comm, sizeof(first->comm));
	} else {
		json_none(out, "pid");
		json_none(out, "comm");
	}
	json_close(out, '}');
}

static void violations_json(struct buffer *out, const struct verdict *verdict)
{
	json_open(out, "violations", '{');
	for (int v = 0; v < NR_VIOLATIONS; v++)
		if (verdict->violations[v].count)
			json_uint(out, violations[v].name, verdict->violations[v].count);
	json_close(out, '}');
	json_open(out, "allowed", '[');
	for (int v = 0; v < NR_VIOLATIONS; v++)
		if (verdict->violations[v].count && verdict->violations[v].allowed)
			json_str(out, NULL, violations[v].name);
	json_close(out, ']');
	json_open(out, "unsure", '[');
	for (int v = 0; v < NR_VIOLATIONS; v++)
		if (verdict->violations[v].count && is_unsure(verdict, v))
			json_str(out, NULL, violations[v].name);
	json_close(out, ']');
	json_open(out, "first", '{');
	for (int v = 0; v < NR_VIOLATIONS; v++)
		if (verdict->violations[v].count && verdict->violations[v].has_first)
			first_json(out, violations[v].name, &verdict->violations[v].first);
	json_close(out, '}');
}

static void expectation_json(struct buffer *out, const struct verdict *verdict,
			     const struct expectation *e)
{
	uint64_t value;
	bool met = expectation_met(verdict, e, &value);
	char text[128];

	snprintf(text, sizeof(text), "%s %s %" PRIu64, e->metric, expect_op_text(e->op), e->value);
	json_open(out, NULL, '{');
	json_str(out, "expect", text);
	json_uint(out, "value", value);
	json_bool(out, "met", met);
	json_close(out, '}');
}

void verdict_json(struct buffer *out, const struct verdict *verdict)
{
	const struct metrics *metrics = verdict->metrics;

	json_open(out, NULL, '{');
	json_str(out, "event", "check");
	json_uint(out, "failed", verdict_failed(verdict));
	command_json(out, verdict);
	json_str(out, "mode", verdict->mode);
	if (verdict->cut)
		json_str(out, "cut", verdict->cut);
	violations_json(out, verdict);
	blind_json(out, &verdict->needed);
	blind_json_why(out, &verdict->needed);
	json_open(out, "expectations", '[');
	for (size_t i = 0; i < verdict->nr_expectations; i++)
		expectation_json(out, verdict, &verdict->expectations[i]);
	json_close(out, ']');
	json_uint(out, "interval_ns", verdict->difference.ts_ns);
	json_open(out, "metrics", '{');
	for (size_t i = 0; i < metrics->nr; i++)
		json_uint(out, metrics->metrics[i].name,
			  metric_value(&metrics->metrics[i], &verdict->difference));
	json_close(out, '}');
	json_close(out, '}');
	buffer_add(out, "\n", 1);
}
