/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A recording as one web page: see WEB PAGE in p2ptrace-report(8). It has no scripts and loads
 * nothing. All texts from the recording are escaped.
 */
#ifndef EVENT_HTML_H
#define EVENT_HTML_H

#include "event/recording.h"
#include "event/summary.h"
#include "lib/buffer.h"

void html_page(struct buffer *out, const struct recording *recording,
	       const struct summary *summary);

#endif /* EVENT_HTML_H */
