// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "event/blind.h"
#include "lib/json.h"

void blind_add(struct event_set *set, unsigned int event, const char *fmt, ...)
{
	char *why = set->why[event], reason[EVENT_WHY_LEN];
	size_t used = strlen(why);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	set->blind[event] = true;
	if (!strstr(why, reason))
		snprintf(why + used, EVENT_WHY_LEN - used, "%s%s", used ? "; " : "", reason);
}

bool blind_any(const struct event_set *set)
{
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		if (set->blind[i])
			return true;
	return false;
}

void blind_text_one(struct buffer *out, const struct event_set *set, unsigned int event)
{
	buffer_printf(out, "%s is %s%s", events[event].name,
		      set->has[event] ? "seen in part, without " : "not seen: ", set->why[event]);
}

void blind_text(struct buffer *out, const struct event_set *set, const char *prefix)
{
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		if (!set->blind[i])
			continue;
		buffer_printf(out, "%s", prefix);
		blind_text_one(out, set, i);
		buffer_add(out, "\n", 1);
	}
}

void blind_json(struct buffer *out, const struct event_set *set)
{
	json_open(out, "blind", '[');
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		if (set->blind[i])
			json_str(out, NULL, events[i].name);
	json_close(out, ']');
}

void blind_json_why(struct buffer *out, const struct event_set *set)
{
	json_open(out, "blind_why", '{');
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		if (set->blind[i])
			json_str(out, events[i].name, set->why[i]);
	json_close(out, '}');
}
