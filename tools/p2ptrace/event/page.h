/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A recording as one page of text. What "p2ptrace report" prints.
 */
#ifndef PAGE_H
#define PAGE_H

#include "event/recording.h"
#include "event/summary.h"
#include "lib/buffer.h"

void page_text(struct buffer *out, const struct recording *recording,
	       const struct summary *summary);

/* Parts that the web page has as well. */

/* "8.03M", "512" */
void page_size(uint64_t bytes, char *text, size_t size);

/* "0000:03:00.0 (nvme0)", printable; "-" for an empty name. */
#define PAGE_LABEL_LEN 192
void page_label(char *label, size_t size, const struct recording *recording,
		const struct p2ptrace_name *name);

/* The cause of a fallback or of a failed allocation, and what to do; "" if there is nothing. */
const char *page_fallback_step(const char *reason);

/*
 * Why the pair is refused or not direct, and the remedies for it, as lines that begin with @indent.
 * Remedies need the machine; without it, there is the reason alone.
 */
void page_remedies(struct buffer *out, const struct recording *recording,
		   const struct summary_decision_key *decision, const char *indent);

/* Orders for hash_sorted(): the most first. */
int page_by_bytes(const void *a, const void *b);	/* of struct summary_pair */
int page_by_count(const void *a, const void *b);	/* of decisions */

#endif /* PAGE_H */
