// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "event/blind.h"
#include "event/recording.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/snapshot.h"

/* Limits of what is read. */
#define MAX_FILE_EVENTS	256
#define MAX_FILE_FIELDS	64
#define MAX_CPUS	65536
#define MAX_WORDS	4096
#define HOOKS_SHOWN	128
#define MAX_SIZE	sizeof(((struct recording *)0)->record)

static const char *const kind_names[] = {
	[FIELD_UINT] = "uint", [FIELD_INT] = "int", [FIELD_BYTES] = "bytes", [FIELD_HEX] = "hex",
	[FIELD_ADDR] = "addr", [FIELD_ERRNO] = "errno", [FIELD_BOOL] = "bool",
	[FIELD_STRING] = "string", [FIELD_ENUM] = "enum",
};

/* ---- what is written ---- */

static void text_member(struct buffer *out, const char *key, const char *text)
{
	if (*text)
		json_str(out, key, text);
}

static void number_member(struct buffer *out, const char *key, uint64_t number)
{
	if (number)
		json_uint(out, key, number);
}

static void meta_field(struct buffer *out, const struct field *field, bool stock)
{
	json_open(out, NULL, '{');
	json_str(out, "name", field->name);
	json_str(out, "kind", kind_names[field->kind]);
	json_uint(out, "offset", field->offset);
	json_uint(out, "size", field->size);
	if (field->kind == FIELD_ENUM)
		json_str(out, "enum", enums_id(field->which));
	/* The kernel has no value for it */
	if (stock && field->series)
		json_bool(out, "absent", true);
	json_close(out, '}');
}

static void meta_events(struct buffer *out, const struct event_set *set)
{
	json_open(out, "events", '[');
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		json_open(out, NULL, '{');
		json_str(out, "name", events[i].name);
		json_uint(out, "number", i);
		json_uint(out, "size", events[i].size);
		json_bool(out, "recorded", set->has[i]);
		if (set->blind[i])
			json_str(out, "blind", set->why[i]);
		json_open(out, "fields", '[');
		for (size_t f = 0; f < events[i].nr_fields; f++)
			meta_field(out, &events[i].fields[f], set->stock);
		json_close(out, ']');
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void meta_enums(struct buffer *out, const struct enums *enums)
{
	json_open(out, "enums", '{');
	for (int i = 0; i < NR_ENUMS; i++) {
		const struct enum_table *table = &enums->table[i];

		json_open(out, enums_id(i), '[');
		for (size_t v = 0; v < table->nr; v++) {
			json_open(out, NULL, '{');
			json_uint(out, "value", table->values[v].value);
			json_str(out, "name", table->values[v].name);
			json_close(out, '}');
		}
		json_close(out, ']');
	}
	json_close(out, '}');
}

void recording_meta(struct buffer *out, const struct recording_about *about,
		    const struct event_set *set, const struct enums *enums,
		    const char *const *hooks, size_t nr_hooks)
{
	json_open(out, NULL, '{');
	json_str(out, "p2ptrace", about->tool);
	json_str(out, "kernel", about->release);
	text_member(out, "kernel_build", about->build);
	text_member(out, "arch", about->arch);
	json_str(out, "mode", event_set_mode(set));
	json_str(out, "clock", "CLOCK_MONOTONIC");
	json_uint(out, "start_ns", about->start_ns);
	json_uint(out, "start_real_ns", about->start_real_ns);
	number_member(out, "ring_bytes", about->ring_bytes);
	json_open(out, "filter", '{');
	text_member(out, "dev", about->dev);
	text_member(out, "client", about->client);
	text_member(out, "comm", about->comm);
	number_member(out, "pid", about->pid);
	number_member(out, "min_size", about->min_size);
	json_close(out, '}');
	json_open(out, "hooks", '[');
	for (size_t i = 0; i < nr_hooks; i++)
		json_str(out, NULL, hooks[i]);
	json_close(out, ']');
	if (about->held_known) {
		json_open(out, "held", '[');
		for (size_t i = 0; i < about->nr_held; i++)
			json_uint(out, NULL, about->held[i]);
		json_close(out, ']');
	}
	/* ts_ns, event, cpu, pid, comm: struct p2ptrace_header */
	json_uint(out, "header_size", sizeof(struct p2ptrace_header));
	meta_enums(out, enums);
	meta_events(out, set);
	json_close(out, '}');
	buffer_add(out, "\n", 1);
}

void recording_lost(struct buffer *out, const struct lost *lost)
{
	json_open(out, NULL, '{');
	json_uint(out, "total", lost->total);
	json_uint(out, "nested", lost->nested);
	json_open(out, "per_cpu", '[');
	for (size_t i = 0; i < lost->nr_cpus; i++)
		json_uint(out, NULL, lost->per_cpu[i]);
	json_close(out, ']');
	json_close(out, '}');
	buffer_add(out, "\n", 1);
}

void recording_end(struct buffer *out, const struct recording_end *end)
{
	json_open(out, NULL, '{');
	json_uint(out, "end_ns", end->end_ns);
	json_uint(out, "events", end->events);
	json_str(out, "why", end->why);
	if (end->argv) {
		json_open(out, "command", '{');
		json_open(out, "argv", '[');
		for (char **word = end->argv; *word; word++)
			json_str(out, NULL, *word);
		json_close(out, ']');
		json_uint(out, "wait_status", (unsigned int)end->wait_status);
		json_uint(out, "end_ns", end->command_end_ns);
		json_close(out, '}');
	}
	json_close(out, '}');
	buffer_add(out, "\n", 1);
}

/* ---- what is read ---- */

/* Texts may go to a terminal. */
static void read_text(char *to, size_t size, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	*to = '\0';
	if (text)
		text_printable(to, size, text, strlen(text));
}

/* Numbers are not negative. */
static uint64_t read_number(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value < 0 ? 0 : value;
}

/* -1 if it is no word of the list. */
static int find_word(const char *const *words, size_t nr, const char *word)
{
	for (size_t i = 0; word && i < nr; i++)
		if (words[i] && !strcmp(words[i], word))
			return i;
	return -1;
}

static void read_about(struct recording *r, const json_t *meta)
{
	const json_t *filter = json_object_get(meta, "filter");
	struct recording_about *about = &r->about;
	char mode[16];

	read_text(about->tool, sizeof(about->tool), meta, "p2ptrace");
	read_text(about->release, sizeof(about->release), meta, "kernel");
	read_text(about->build, sizeof(about->build), meta, "kernel_build");
	read_text(about->arch, sizeof(about->arch), meta, "arch");
	read_text(mode, sizeof(mode), meta, "mode");
	r->set.stock = strcmp(mode, "tracepoint");
	about->start_ns = read_number(meta, "start_ns");
	about->start_real_ns = read_number(meta, "start_real_ns");
	about->ring_bytes = read_number(meta, "ring_bytes");
	read_text(about->dev, sizeof(about->dev), filter, "dev");
	read_text(about->client, sizeof(about->client), filter, "client");
	read_text(about->comm, sizeof(about->comm), filter, "comm");
	about->pid = read_number(filter, "pid");
	about->min_size = read_number(filter, "min_size");
}

/* Returns NULL or what is wrong. */
static const char *read_held(struct recording_about *about, const json_t *held)
{
	size_t i, nr = json_array_size(held);
	json_t *id;

	about->held_known = json_is_array(held);
	if (nr > P2PTRACE_MAX_LIVE)
		return "it has too many buffers";
	about->held = calloc(nr + 1, sizeof(*about->held));
	if (!about->held)
		return "out of memory";
	json_array_foreach(held, i, id)
		about->held[about->nr_held++] = json_integer_value(id);
	return NULL;
}

static void read_hooks(struct recording *r, const json_t *hooks)
{
	size_t i;
	json_t *hook;

	json_array_foreach(hooks, i, hook) {
		const char *text = json_string_value(hook);
		char word[128];

		if (!text || i >= HOOKS_SHOWN)
			continue;
		text_printable(word, sizeof(word), text, strlen(text));
		buffer_printf(&r->hooks, "%s%s", r->hooks.len ? ", " : "", word);
	}
}

/* Returns NULL or what is wrong. */
static const char *read_enums(struct recording *r, json_t *enums)
{
	for (int i = 0; i < NR_ENUMS; i++) {
		json_t *values = json_object_get(enums, enums_id(i)), *value;
		size_t v;

		json_array_foreach(values, v, value) {
			const char *name = json_string_value(json_object_get(value, "name"));
			uint64_t number = read_number(value, "value");

			if (!name || number > UINT32_MAX ||
			    enums_add(&r->enums, i, number, name))
				return "an enum has a value without a name";
		}
	}
	return NULL;
}

static int find_event(const char *name)
{
	for (int i = 0; name && i < P2PTRACE_NR_EVENTS; i++)
		if (!strcmp(events[i].name, name))
			return i;
	return -1;
}

static int find_enum(const char *name)
{
	for (int i = 0; name && i < NR_ENUMS; i++)
		if (!strcmp(enums_id(i), name))
			return i;
	return -1;
}

/* The field of the file that has the value of @field; NULL if there is none. */
static const json_t *find_field(const json_t *fields, const struct field *field)
{
	json_t *found;
	size_t i;

	json_array_foreach(fields, i, found) {
		const char *name = json_string_value(json_object_get(found, "name"));
		const char *kind = json_string_value(json_object_get(found, "kind"));

		if (!name || strcmp(name, field->name) ||
		    find_word(kind_names, ARRAY_SIZE(kind_names), kind) != (int)field->kind)
			continue;
		if (field->kind == FIELD_ENUM &&
		    find_enum(json_string_value(json_object_get(found, "enum"))) !=
			    (int)field->which)
			continue;
		return found;
	}
	return NULL;
}

static const char *read_fields(struct recording *r, struct recording_layout *layout,
			       const json_t *fields)
{
	const struct event *event = &events[layout->event];
	struct event *shown = &r->shown[layout->event];
	struct field *to;

	/* Twice the same event */
	if (shown->fields)
		return "an event is described twice";
	layout->copies = calloc(event->nr_fields, sizeof(*layout->copies));
	to = calloc(event->nr_fields, sizeof(*to));
	if (!layout->copies || !to) {
		free(to);
		return "out of memory";
	}
	*shown = *event;
	shown->fields = to;
	shown->nr_fields = 0;
	/* Further fields behind ours do not matter */
	layout->same = true;
	for (size_t f = 0; f < event->nr_fields; f++) {
		const struct field *field = &event->fields[f];
		const json_t *found = find_field(fields, field);
		uint64_t offset = read_number(found, "offset"), size = read_number(found, "size");

		if (!found) {
			layout->same = false;
			continue;
		}
		if (offset < sizeof(struct p2ptrace_header) || !size || offset > layout->size ||
		    size > layout->size - offset ||
		    (field->kind != FIELD_STRING && size != field->size))
			return "a field is outside of its record";
		if (offset != field->offset || size != field->size)
			layout->same = false;
		layout->copies[layout->nr++] = (struct recording_copy){
			offset, field->offset, size < field->size ? size : field->size,
		};
		to[shown->nr_fields++] = *field;
	}
	return NULL;
}

static const char *read_event(struct recording *r, struct recording_layout *layout,
			      const json_t *event)
{
	const char *name = json_string_value(json_object_get(event, "name"));
	const json_t *fields = json_object_get(event, "fields");
	uint64_t size = read_number(event, "size");
	char why[EVENT_WHY_LEN];

	layout->event = -1;
	if (size < sizeof(struct p2ptrace_header) || size > MAX_SIZE || size % 8 ||
	    json_array_size(fields) > MAX_FILE_FIELDS)
		return "an event has an impossible size";
	layout->size = size;
	layout->event = find_event(name);
	if (layout->event < 0)
		return NULL;
	r->set.has[layout->event] = json_is_true(json_object_get(event, "recorded"));
	read_text(why, sizeof(why), event, "blind");
	if (*why)
		blind_add(&r->set, layout->event, "%s", why);
	return read_fields(r, layout, fields);
}

static const char *read_events(struct recording *r, const json_t *list)
{
	const char *why = NULL;
	json_t *event;
	size_t i;

	if (!json_array_size(list) || json_array_size(list) > MAX_FILE_EVENTS)
		return "it describes no events";
	r->nr_layouts = json_array_size(list);
	r->layouts = calloc(r->nr_layouts, sizeof(*r->layouts));
	if (!r->layouts)
		return "out of memory";
	json_array_foreach(list, i, event) {
		if (read_number(event, "number") != i)
			return "the numbers of its events are wrong";
		why = read_event(r, &r->layouts[i], event);
		if (why)
			return why;
	}
	return NULL;
}

static json_t *parse(const struct recording *r)
{
	return json_loadb(r->chunks.data, r->chunks.len, JSON_REJECT_DUPLICATES, NULL);
}

static const char *read_meta(struct recording *r)
{
	json_t *meta = parse(r);
	const char *why;

	if (!json_is_object(meta))
		why = "its description is no JSON";
	else if (read_number(meta, "header_size") != sizeof(struct p2ptrace_header))
		why = "another version of p2ptrace wrote it";
	else
		why = read_enums(r, json_object_get(meta, "enums"));
	if (!why) {
		read_about(r, meta);
		read_hooks(r, json_object_get(meta, "hooks"));
		why = read_held(&r->about, json_object_get(meta, "held"));
	}
	if (!why)
		why = read_events(r, json_object_get(meta, "events"));
	json_decref(meta);
	return why;
}

/* A number that is less than before would be wrong, but harms nothing. */
static const char *read_lost(struct recording *r)
{
	json_t *lost = parse(r), *per_cpu, *count;
	const char *why = NULL;
	size_t i, nr;

	per_cpu = json_object_get(lost, "per_cpu");
	nr = json_array_size(per_cpu);
	if (!json_is_object(lost) || nr > MAX_CPUS) {
		why = "its count of lost events cannot be read";
		goto out;
	}
	if (nr > r->lost.nr_cpus) {
		uint64_t *more = reallocarray(r->lost.per_cpu, nr, sizeof(*more));

		if (!more) {
			why = "out of memory";
			goto out;
		}
		memset(more + r->lost.nr_cpus, 0, (nr - r->lost.nr_cpus) * sizeof(*more));
		r->lost.per_cpu = more;
		r->lost.nr_cpus = nr;
	}
	r->lost.total = read_number(lost, "total");
	r->lost.nested = read_number(lost, "nested");
	json_array_foreach(per_cpu, i, count) {
		json_int_t value = json_integer_value(count);

		r->lost.per_cpu[i] = value < 0 ? 0 : value;
	}
out:
	json_decref(lost);
	return why;
}

static const char *read_command(struct recording_end *end, const json_t *command)
{
	const json_t *argv = json_object_get(command, "argv");
	size_t nr = json_array_size(argv);

	if (!nr || nr > MAX_WORDS)
		return "its command cannot be read";
	end->argv = calloc(nr + 1, sizeof(*end->argv));
	for (size_t i = 0; end->argv && i < nr; i++) {
		const char *word = json_string_value(json_array_get(argv, i));

		end->argv[i] = strdup(word ? word : "");
		if (!end->argv[i])
			return "out of memory";
	}
	end->wait_status = read_number(command, "wait_status");
	end->command_end_ns = read_number(command, "end_ns");
	return end->argv ? NULL : "out of memory";
}

static const char *read_end(struct recording *r)
{
	json_t *end = parse(r), *command;
	const char *why = NULL;

	command = json_object_get(end, "command");
	if (!json_is_object(end)) {
		why = "its end cannot be read";
	} else {
		r->end.end_ns = read_number(end, "end_ns");
		r->end.events = read_number(end, "events");
		read_text(r->end.why, sizeof(r->end.why), end, "why");
		if (command)
			why = read_command(&r->end, command);
	}
	r->ended = !why;
	json_decref(end);
	return why;
}

static bool is_type(const struct recording *r, const char *type)
{
	return !memcmp(r->chunks.type, type, CHUNK_TYPE_LEN);
}

static void set_trouble(struct recording *r, const char *what)
{
	snprintf(r->trouble, sizeof(r->trouble), "it is damaged at byte %" PRIu64 ": %s",
		 r->chunks.offset, what);
}

/* A machine that cannot be read costs the tree of the report, not its events. */
static void take_machine(struct recording *r)
{
	char name[PATH_MAX + 32];

	snprintf(name, sizeof(name), "the machine in %s", r->name);
	machine_free(&r->machine);
	machine_init(&r->machine);
	r->has_machine = !snapshot_read(&r->machine, name, r->chunks.data, r->chunks.len);
}

/* A newer version may write chunks of types that this one does not know: skips them. */
static const char *take_chunk(struct recording *r)
{
	if (r->ended)
		return "there is something behind its end";
	if (is_type(r, RECORDING_EVENTS)) {
		r->in_events = true;
		r->at = 0;
	} else if (is_type(r, RECORDING_MACHINE)) {
		take_machine(r);
	} else if (is_type(r, RECORDING_LOST)) {
		return read_lost(r);
	} else if (is_type(r, RECORDING_END)) {
		return read_end(r);
	} else if (is_type(r, RECORDING_META)) {
		return "there is a second description";
	}
	return NULL;
}

static void cut(struct recording *r)
{
	snprintf(r->trouble, sizeof(r->trouble), "it is cut %s byte %" PRIu64 ", so the recorder "
		 "was killed, or the disk was full", r->chunks.offset == r->chunks.next ?
		 "within the chunk at" : "at", r->chunks.offset);
}

/* Goes to the next chunk with records. False at the end. */
static bool next_chunk(struct recording *r)
{
	const char *why;

	r->in_events = false;
	while (!r->in_events && !*r->trouble) {
		switch (chunks_read(&r->chunks)) {
		case CHUNK_READ:
			why = take_chunk(r);
			if (why)
				set_trouble(r, why);
			break;
		case CHUNK_END:
			if (!r->ended)
				snprintf(r->trouble, sizeof(r->trouble), "it has no end, so the "
					 "recorder is still running, or was killed");
			return false;
		case CHUNK_CUT:
			cut(r);
			return false;
		case CHUNK_DAMAGED:
			set_trouble(r, r->chunks.why);
			return false;
		case CHUNK_FAILED:
			snprintf(r->trouble, sizeof(r->trouble), "byte %" PRIu64 " and what "
				 "follows cannot be read: %s", r->chunks.offset, r->chunks.why);
			return false;
		}
	}
	return r->in_events;
}

/* Puts a record of another version into the place of ours. */
static const void *translate(struct recording *r, const struct recording_layout *layout,
			     const char *from)
{
	struct p2ptrace_header *h = (struct p2ptrace_header *)r->record;
	char *to = (char *)r->record;

	memset(to, 0, events[layout->event].size);
	memcpy(h, from, sizeof(*h));
	h->event = layout->event;
	for (size_t i = 0; i < layout->nr; i++)
		memcpy(to + layout->copies[i].to, from + layout->copies[i].from,
		       layout->copies[i].size);
	return to;
}

const void *recording_next(struct recording *r)
{
	for (;;) {
		const char *from = r->chunks.data + r->at;
		const struct recording_layout *layout;
		struct p2ptrace_header h;
		size_t left = r->in_events ? r->chunks.len - r->at : 0;

		if (!left) {
			if (!next_chunk(r))
				break;
			continue;
		}
		if (left >= sizeof(h))
			memcpy(&h, from, sizeof(h));
		layout = left >= sizeof(h) && h.event < r->nr_layouts ? &r->layouts[h.event] : NULL;
		if (!layout || layout->size > left) {
			r->in_events = false;
			set_trouble(r, "a record has no known event");
			break;
		}
		r->at += layout->size;
		if (layout->event < 0) {
			r->unknown++;
			continue;
		}
		r->events++;
		return layout->same && layout->event == (int)h.event ? from :
								       translate(r, layout, from);
	}
	if (r->ended && !*r->trouble && r->end.events != r->events + r->unknown)
		snprintf(r->trouble, sizeof(r->trouble), "it has %" PRIu64 " events, and its end "
			 "says %" PRIu64, r->events + r->unknown, r->end.events);
	if (r->unknown && !*r->trouble)
		snprintf(r->trouble, sizeof(r->trouble), "this p2ptrace does not know %" PRIu64
			 " of its events; use version %s", r->unknown, r->about.tool);
	return NULL;
}

int recording_open(struct recording *r, const char *name, FILE *file)
{
	const char *why;

	memset(r, 0, sizeof(*r));
	machine_init(&r->machine);
	r->name = name;
	r->chunks.file = file;
	why = chunks_open(&r->chunks, RECORDING_MAGIC, RECORDING_VERSION);
	if (!why) {
		switch (chunks_read(&r->chunks)) {
		case CHUNK_READ:
			why = is_type(r, RECORDING_META) ? read_meta(r) :
							   "it does not begin with a description";
			break;
		case CHUNK_END:
		case CHUNK_CUT:
			why = "it was cut within its description";
			break;
		default:
			why = r->chunks.why;
		}
	}
	return why ? fail(EXIT_OTHER, "cannot read %s: %s", name, why) : 0;
}

void recording_close(struct recording *r)
{
	chunks_close(&r->chunks);
	for (size_t i = 0; i < r->nr_layouts; i++)
		free(r->layouts[i].copies);
	free(r->layouts);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		free((void *)r->shown[i].fields);
	for (char **word = r->end.argv; word && *word; word++)
		free(*word);
	free(r->end.argv);
	free(r->about.held);
	free(r->lost.per_cpu);
	enums_free(&r->enums);
	buffer_free(&r->hooks);
	machine_free(&r->machine);
	memset(r, 0, sizeof(*r));
}
