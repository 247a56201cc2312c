// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace leaks: what is still held, since when, by whom, and who allocated it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "event/metrics.h"
#include "event/output.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/devices.h"
#include "machine/held.h"
#include "machine/peers.h"
#include "session/ksyms.h"
#include "session/select.h"
#include "session/session.h"

#include "leaks.skel.h"

#define OLDER_THAN_DEFAULT NSEC_PER_SEC

struct options {
	struct common_options common;
	uint64_t older_than_ns;
	bool older_than_given;
};

enum {
	OPT_OLDER_THAN = OPT_OWN,
};

static const struct argp_option option_table[] = {
	{ "older-than", OPT_OLDER_THAN, "SECONDS", 0,
	  "Leave out what has been held for less (default 1): it is likely to be in use", 2 },
	{}
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	int err;

	switch (key) {
	case ARGP_KEY_INIT:
		return options_init(state, &o->common);
	case OPT_OLDER_THAN:
		err = number_parse_seconds(arg, &o->older_than_ns);
		o->older_than_given = true;
		if (err)
			o->common.status = options_bad_number("older-than", arg, err, "10 or 0.01 (seconds)");
		break;
	case ARGP_KEY_ARG:
		o->common.status = fail(EXIT_USAGE, "unexpected argument '%s'; see 'p2ptrace leaks --help'", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return o->common.status ? EINVAL : 0;
}

static const struct argp_child children[] = {
	{ .argp = &options_base }, { .argp = &options_duration }, {}
};

static const struct argp argp = {
	.options = option_table,
	.parser = parse,
	.children = children,
	.doc = "At Ctrl-C, or after --duration, show the buffers that have not come back, the oldest first: size, age, DMA "
	       "mappings, process, and the kernel's stack that allocated them.\v"
	       "What was held before is shown, too, without its stack. A buffer that is \"freed\" is still mapped by a "
	       "device; one that is \"user\" is mapped by a process. A kernel without the p2pmem series tells neither, and of "
	       "what was held before only how much it is. With --json, all of it is one document.\n\n"
	       "Exit status: 0 fine (whether or not something is held), 2 bad usage, 3 this kernel or these privileges "
	       "cannot do it, 4 anything else.",
};

struct leaks {
	const struct options *options;
	struct session session;
	struct held_list held;
	struct ksyms ksyms;
	const struct p2ptrace_filter *filter;
	uint64_t start_ns, read_ns;
	int owners_fd, stacks_fd;
	bool stock;
	uint64_t held_bytes;	/* stock mode: of all that is held, seen or not */
};

/* Ages are in ticks of the kernel, of which the longest is 10 ms. */
#define TICK_NS (10 * NSEC_PER_MSEC)

static bool was_before(const struct leaks *l, const struct held *held)
{
	return held->age_ms * NSEC_PER_MSEC + TICK_NS > l->read_ns - l->start_ns;
}

/*
 * Whether it is to be shown. It is not if it had come back by the time that we asked for its owner: then that was no
 * longer known, although it was allocated while we watched.
 */
static bool is_leak(const struct leaks *l, const struct held *held, struct p2ptrace_owner *owner, bool *known)
{
	*known = held->known;
	*owner = held->seen;
	return held->age_ms * NSEC_PER_MSEC >= l->options->older_than_ns &&
	       (*known || was_before(l, held) || l->session.lost.total);
}

/* At once, for what is in use comes back while it is shown. */
static void find_owners(struct leaks *l)
{
	for (size_t i = 0; i < l->held.nr; i++) {
		struct held *held = &l->held.held[i];

		memset(&held->seen, 0, sizeof(held->seen));
		held->seen.stack = -1;
		held->known = !bpf_map_lookup_elem(l->owners_fd, &held->id, &held->seen);
		held->seen.comm[sizeof(held->seen.comm) - 1] = '\0';
	}
}

/* How the kernel got from the tracepoint to our program. */
static bool is_tracing(const struct leaks *l, uint64_t addr)
{
	static const char *const prefixes[] = { "bpf_", "__bpf_", "__traceiter_" };
	uint64_t offset;
	const char *name = ksyms_name(&l->ksyms, addr, &offset);

	for (size_t i = 0; name && i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/* The frames of the stack, from the innermost on that is not about tracing; their number. */
static size_t stack_read(const struct leaks *l, int32_t id, uint64_t *frames)
{
	uint64_t all[P2PTRACE_STACK_DEPTH] = {};
	size_t first = 0, n = 0;
	uint32_t key = id;

	if (id < 0 || bpf_map_lookup_elem(l->stacks_fd, &key, all))
		return 0;
	while (first < P2PTRACE_STACK_DEPTH && is_tracing(l, all[first]))
		first++;
	while (first < P2PTRACE_STACK_DEPTH && all[first])
		frames[n++] = all[first++];
	return n;
}

static void frame_name(const struct leaks *l, uint64_t addr, char *to, size_t size)
{
	uint64_t offset;
	const char *name = ksyms_name(&l->ksyms, addr, &offset);

	if (name)
		snprintf(to, size, "%s+0x%" PRIx64, name, offset);
	else
		snprintf(to, size, "0x%" PRIx64, addr);
}

static void text_one(const struct leaks *l, const struct held *held, const struct p2ptrace_owner *owner, bool known)
{
	uint64_t frames[P2PTRACE_STACK_DEPTH];
	char comm[4 * P2PTRACE_COMM_LEN + 1], name[512];
	size_t n = stack_read(l, owner->stack, frames);

	text_word(comm, sizeof(comm), owner->comm, strlen(owner->comm));
	printf("%s id=%" PRIu64 " size=%" PRIu64 " age=%.3fs", held->dev, held->id, held->size, held->age_ms / 1000.0);
	if (!l->stock)
		printf(" pins=%d %s", held->pins, held->state);
	printf(" pid=%d comm=%s", known ? (int)owner->pid : held->pid, *comm ? comm : "-");
	if (!l->stock)
		printf(" owner=%s", held->owner);
	printf("\n");
	for (size_t i = 0; i < n; i++) {
		frame_name(l, frames[i], name, sizeof(name));
		printf("        %s\n", name);
	}
	if (!n)
		printf("        (stack not known: %s)\n", !known ?
		       "allocated before p2ptrace was started" : "the kernel could not record it");
}

/* What is held besides that which was seen to be allocated: since before, or mapped by processes. */
static uint64_t unseen_bytes(const struct leaks *l)
{
	uint64_t seen = 0, page = sysconf(_SC_PAGESIZE);

	/* It is handed out in whole pages */
	for (size_t i = 0; i < l->held.nr; i++)
		seen += (l->held.held[i].size + page - 1) / page * page;
	return l->held_bytes > seen ? l->held_bytes - seen : 0;
}

static void print_text(const struct leaks *l)
{
	uint64_t nr = 0, bytes = 0, before = 0;

	for (size_t i = 0; i < l->held.nr; i++) {
		const struct held *held = &l->held.held[i];
		struct p2ptrace_owner owner;
		bool known;

		if (!is_leak(l, held, &owner, &known))
			continue;
		nr++;
		bytes += held->size;
		before += !known;
		text_one(l, held, &owner, known);
	}
	printf("# %" PRIu64 " buffer%s, %" PRIu64 " bytes, held for %g s or longer; ", nr, nr == 1 ? "" : "s", bytes,
	       (double)l->options->older_than_ns / NSEC_PER_SEC);
	if (l->stock)
		printf("%" PRIu64 " bytes more since before p2ptrace was started, or by processes\n", unseen_bytes(l));
	else
		printf("%" PRIu64 " of them since before p2ptrace was started\n", before);
}

static struct json_object *json_one(const struct leaks *l, const struct held *held, const struct p2ptrace_owner *owner,
				    bool known)
{
	struct json_object *object = json_object_new_object(), *stack = json_object_new_array();
	uint64_t frames[P2PTRACE_STACK_DEPTH];
	size_t n = stack_read(l, owner->stack, frames);
	char name[512];

	json_object_object_add(object, "dev", output_json_string(held->dev));
	json_object_object_add(object, "id", json_object_new_uint64(held->id));
	json_object_object_add(object, "size", json_object_new_uint64(held->size));
	json_object_object_add(object, "age_ms", json_object_new_uint64(held->age_ms));
	if (!l->stock) {
		json_object_object_add(object, "nents", json_object_new_int(held->nents));
		json_object_object_add(object, "pins", json_object_new_int(held->pins));
		json_object_object_add(object, "state", output_json_string(held->state));
		json_object_object_add(object, "owner", output_json_string(held->owner));
	}
	json_object_object_add(object, "pid", json_object_new_int(known ? (int)owner->pid : held->pid));
	json_object_object_add(object, "comm", known ? output_json_string(owner->comm) : NULL);
	json_object_object_add(object, "before", json_object_new_boolean(!known));
	json_object_object_add(object, "stack", stack);
	for (size_t i = 0; i < n; i++) {
		frame_name(l, frames[i], name, sizeof(name));
		json_object_array_add(stack, output_json_string(name));
	}
	return object;
}

static int print_json(const struct leaks *l)
{
	struct json_object *document = json_object_new_object(), *held = json_object_new_array();

	json_object_object_add(document, "mode", json_object_new_string(event_set_mode(&l->session.config.events)));
	json_object_object_add(document, "ts_ns", json_object_new_uint64(l->read_ns));
	json_object_object_add(document, "older_than_ns", json_object_new_uint64(l->options->older_than_ns));
	json_object_object_add(document, "held", held);
	for (size_t i = 0; i < l->held.nr; i++) {
		struct p2ptrace_owner owner;
		bool known;

		if (is_leak(l, &l->held.held[i], &owner, &known))
			json_object_array_add(held, json_one(l, &l->held.held[i], &owner, known));
	}
	if (l->stock)
		json_object_object_add(document, "unseen_bytes", json_object_new_uint64(unseen_bytes(l)));
	json_object_object_add(document, "lost", json_object_new_uint64(l->session.lost.total));
	return output_json_document(document, stdout);
}

/* Stock mode: from our own map, as the kernel keeps no list. */
static int held_of_owners(struct leaks *l)
{
	uint64_t id, next;
	struct gauges gauges;
	int rc = gauges_read(&gauges, true, SYSFS, l->filter);

	l->held_bytes = gauges.held_bytes;
	for (void *key = NULL; !rc && !bpf_map_get_next_key(l->owners_fd, key, &next); key = &id) {
		struct p2ptrace_owner owner;

		id = next;
		/* It may have come back meanwhile */
		if (!bpf_map_lookup_elem(l->owners_fd, &id, &owner))
			rc = held_add_owner(&l->held, id, &owner, l->read_ns);
	}
	held_sort(&l->held);
	return rc;
}

/* Still attached, so that who holds what is known, whatever happens meanwhile. */
static int leaks_ending(void *ctx)
{
	struct leaks *l = ctx;
	int rc;

	/* Before, for it may take a while; what is older than we are then is never taken for younger */
	l->read_ns = clock_now_ns();
	rc = l->stock ? held_of_owners(l) : held_read(&l->held, SYSFS, DEBUGFS, l->filter);
	if (!rc)
		find_owners(l);
	return rc;
}

static int show(struct leaks *l)
{
	int rc = 0, err;

	err = ksyms_load(&l->ksyms, KALLSYMS);
	if (err || !l->ksyms.nr)
		note("there will be addresses for names: cannot read %s: %s", KALLSYMS, err ? strerror(-err) :
		     "the kernel hides them; see /proc/sys/kernel/kptr_restrict");
	if (l->options->common.json)
		rc = print_json(l);
	else
		print_text(l);
	if (!rc && l->session.lost.total)
		note("%" PRIu64 " event%s not recorded (there is room for %d buffers at a time; %" PRIu64 " nested), so that what "
		     "is said to be from before may not be", l->session.lost.total,
		     l->session.lost.total == 1 ? " was" : "s were", P2PTRACE_MAX_LIVE, l->session.lost.nested);
	return rc;
}

static int leaks_session(struct leaks *l, const struct event_set *set)
{
	struct session_config config = {
		.events = *set,
		.duration_ns = l->options->common.duration_ns,
		.ending = leaks_ending,
		.ctx = l,
	};
	struct leaks_bpf *skel = leaks_bpf__open();
	int rc;

	if (!skel)
		return fail(EXIT_OTHER, "cannot open the BPF programs: %s", strerror(errno));
	memcpy(&skel->rodata->filter, l->filter, sizeof(*l->filter));
	/* Who may not read it is not to learn that in the end */
	rc = set->stock ? 0 : held_read(&l->held, SYSFS, DEBUGFS, l->filter);
	held_free(&l->held);
	if (!rc)
		rc = session_start(&l->session, skel->obj, &config);
	if (!rc) {
		l->owners_fd = bpf_map__fd(skel->maps.owners);
		l->stacks_fd = bpf_map__fd(skel->maps.stacks);
		l->stock = set->stock;
		l->start_ns = clock_now_ns();
		note("watching allocations, mode %s (Ctrl-C shows what is held)", event_set_mode(set));
		rc = session_run(&l->session);
	}
	if (!rc)
		rc = show(l);
	held_free(&l->held);
	ksyms_free(&l->ksyms);
	session_close(&l->session);
	leaks_bpf__destroy(skel);
	return rc;
}

int cmd_leaks(int argc, char **argv)
{
	struct options o = {};
	struct p2ptrace_filter filter = {};
	struct leaks l = { .options = &o, .filter = &filter };
	struct event_set set = {};
	int rc;

	if (!options_parse(&argp, argc, argv, &o, &o.common, &rc))
		return rc;
	if (!o.older_than_given)
		o.older_than_ns = OLDER_THAN_DEFAULT;

	set.has[P2PTRACE_p2pmem_alloc] = set.has[P2PTRACE_p2pmem_free] = set.has[P2PTRACE_p2pmem_reclaim] = true;
	rc = select_all(&o.common.want, &set, &filter);
	return rc ? rc : leaks_session(&l, &set);
}
