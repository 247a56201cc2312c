// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace leaks: the buffers that are held, since when, by which task, and from which stack they
 * were allocated; and the dma-bufs that exist, and who uses them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cmd/cmd.h"
#include "cmd/leaks_dmabuf.h"
#include "cmd/options.h"
#include "event/blind.h"
#include "event/metrics.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/print.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/devices.h"
#include "machine/held.h"
#include "machine/sysfs.h"
#include "session/hooks.h"
#include "session/ksyms.h"
#include "session/map_walk.h"
#include "session/select.h"
#include "session/session.h"

#include "leaks.skel.h"

#define OLDER_THAN_DEFAULT NSEC_PER_SEC

struct options {
	struct common_options common;
	struct optional_number older_than_ns;
};

static int set_older_than(void *to, const char *value)
{
	struct options *o = to;
	uint64_t ns;
	int err = number_parse_seconds(value, &ns);

	if (err)
		return options_bad_number("--older-than", value, err, "10 or 0.01 (seconds)");
	return options_set_optional("--older-than", &o->older_than_ns, ns, value);
}

static const struct arg_option filter_options[] = {
	{ "older-than", 0, "SECONDS",
	  "Only buffers held, and dma-bufs exported, for at least this time (default 1); younger "
	  "ones are likely in use",
	  set_older_than },
	{}
};

static const struct arg_group groups[] = {
	{ "Filters", options_dev },
	{ NULL, filter_options },
	{ "Run", options_duration },
	{ "Output", options_json },
	{ "General", options_general },
	{}
};

static const struct args args = {
	.usage = "",
	.summary = "At Ctrl-C or after --duration, show the buffers that are still allocated, "
		   "oldest first: size, age, DMA mappings, process, and the kernel stack that "
		   "allocated them. Then show the dma-bufs that exist: exporter, size, age, "
		   "process, and the devices that are attached to them, have mapped or pinned "
		   "them.",
	.groups = groups,
	.notes = "Buffers allocated before p2ptrace started are shown without their stack. A "
		 "buffer has one of three states: live; freed (a device still has it mapped); user "
		 "(a process maps it). A kernel without the p2pmem series shows no mappings and no "
		 "states. Of the buffers allocated before p2ptrace started, it shows only the "
		 "total size. Before Linux 6.16, dma-bufs exported earlier are shown only if a "
		 "device has attached to or mapped them since. With --dev, a dma-buf is shown "
		 "only if its memory is known to be on that device. With --json, the "
		 "output is one document.\n",
	.exit_status = "Exit status: 0 fine (whether or not buffers are held), 2 bad usage, 3 this "
		       "kernel or these privileges cannot do it, 4 any other error.",
	.examples = "  p2ptrace leaks\n"
		    "  p2ptrace leaks --duration 60 --older-than 10\n"
		    "  p2ptrace leaks --dev p2pmem0 --duration 5 --json\n",
};

struct leaks {
	const struct options *options;
	struct leaks_bpf *skel;
	struct session session;
	struct held_list held;
	struct dmabufs dmabufs;
	struct ksyms ksyms;
	struct selected sel;
	uint64_t start_ns, read_ns;
	int owners_fd, stacks_fd;
	uint64_t held_bytes;	/* stock mode: of all buffers, seen or not */
};

/* The kernel counts ages in ticks; the longest tick is 10 ms. */
#define TICK_NS (10 * NSEC_PER_MSEC)

static bool was_before(const struct leaks *l, const struct held *held)
{
	return held->age_ms * NSEC_PER_MSEC + TICK_NS > l->read_ns - l->start_ns;
}

/*
 * Whether to show a buffer. A buffer that was allocated while we watched and has no owner was freed
 * before we looked its owner up.
 */
static bool is_leak(const struct leaks *l, const struct held *held, struct p2ptrace_owner *owner,
		    bool *known)
{
	*known = held->known;
	*owner = held->seen;
	return held->age_ms * NSEC_PER_MSEC >= l->options->older_than_ns.value &&
	       (*known || was_before(l, held) || l->session.lost.total);
}

/* Before anything is shown, because buffers in use are freed meanwhile. */
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

/* Functions between the tracepoint and our program. */
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

/*
 * Reads the frames of a stack without those of tracing, the innermost first, and returns their
 * number.
 */
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

static void text_one(const struct leaks *l, const struct held *held,
		     const struct p2ptrace_owner *owner, bool known)
{
	uint64_t frames[P2PTRACE_STACK_DEPTH];
	char comm[4 * P2PTRACE_COMM_LEN + 1], name[512];
	size_t n = stack_read(l, owner->stack, frames);

	text_word(comm, sizeof(comm), owner->comm, strlen(owner->comm));
	print("%s id=%" PRIu64 " size=%" PRIu64 " age=%.3fs", held->dev, held->id, held->size,
	      held->age_ms / 1000.0);
	if (!l->sel.set.stock)
		print(" pins=%d %s", held->pins, held->state);
	print(" pid=%d comm=%s", known ? (int)owner->pid : held->pid, *comm ? comm : "-");
	if (!l->sel.set.stock)
		print(" owner=%s", held->owner);
	print("\n");
	for (size_t i = 0; i < n; i++) {
		frame_name(l, frames[i], name, sizeof(name));
		print("        %s\n", name);
	}
	if (!n)
		print("        (stack not known: %s)\n", !known ?
		       "allocated before p2ptrace started" : "the kernel could not record it");
}

/*
 * Memory that is held, but not by buffers that we saw allocated: older buffers, and mappings by
 * processes.
 */
static uint64_t unseen_bytes(const struct leaks *l)
{
	uint64_t seen = 0, page = sysconf(_SC_PAGESIZE);

	/* Memory is allocated in whole pages */
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
	blind_text(print_buffer(), &l->session.config.events, "# ");
	print("# %" PRIu64 " buffer%s, %" PRIu64 " bytes, held for %g s or longer; ", nr,
	      PLURAL(nr), bytes, (double)l->options->older_than_ns.value / NSEC_PER_SEC);
	if (l->sel.set.stock)
		print("%" PRIu64 " more bytes are mapped by processes, or were "
		      "allocated before p2ptrace started\n", unseen_bytes(l));
	else
		print("%" PRIu64 " of them since before p2ptrace started\n", before);
}

static bool has_dmabufs(const struct leaks *l)
{
	return l->session.config.events.has[P2PTRACE_dma_buf_export];
}

static void json_one(const struct leaks *l, struct buffer *out, const struct held *held,
		     const struct p2ptrace_owner *owner, bool known)
{
	uint64_t frames[P2PTRACE_STACK_DEPTH];
	size_t n = stack_read(l, owner->stack, frames);
	char name[512];

	json_open(out, NULL, '{');
	json_str(out, "dev", held->dev);
	json_uint(out, "id", held->id);
	json_uint(out, "size", held->size);
	json_uint(out, "age_ms", held->age_ms);
	if (!l->sel.set.stock) {
		json_int(out, "nents", held->nents);
		json_int(out, "pins", held->pins);
		json_str(out, "state", held->state);
		json_str(out, "owner", held->owner);
	}
	json_int(out, "pid", known ? (int)owner->pid : held->pid);
	if (known)
		json_str(out, "comm", owner->comm);
	else
		json_none(out, "comm");
	json_bool(out, "before", !known);
	json_open(out, "stack", '[');
	for (size_t i = 0; i < n; i++) {
		frame_name(l, frames[i], name, sizeof(name));
		json_str(out, NULL, name);
	}
	json_close(out, ']');
	json_close(out, '}');
}

static void print_json(const struct leaks *l)
{
	struct buffer *out = print_buffer();

	json_open(out, NULL, '{');
	json_str(out, "mode", event_set_mode(&l->session.config.events));
	json_uint(out, "ts_ns", l->read_ns);
	json_uint(out, "older_than_ns", l->options->older_than_ns.value);
	json_open(out, "held", '[');
	for (size_t i = 0; i < l->held.nr; i++) {
		struct p2ptrace_owner owner;
		bool known;

		if (is_leak(l, &l->held.held[i], &owner, &known))
			json_one(l, out, &l->held.held[i], &owner, known);
	}
	json_close(out, ']');
	if (l->sel.set.stock)
		json_uint(out, "unseen_bytes", unseen_bytes(l));
	if (has_dmabufs(l))
		dmabufs_json(&l->dmabufs, out);
	json_uint(out, "lost", l->session.lost.total);
	blind_json(out, &l->session.config.events);
	json_close(out, '}');
	print("\n");
}

/* Stock mode: from our own map, as the kernel keeps no list. */
static int add_owner(void *ctx, const void *key, const void *value)
{
	struct leaks *l = ctx;
	uint64_t id;

	memcpy(&id, key, sizeof(id));
	return held_add_owner(&l->held, id, value, l->read_ns);
}

static int held_of_owners(struct leaks *l)
{
	struct gauges gauges;
	int rc = gauges_read(&gauges, true, SYSFS, &l->sel.filter);

	l->held_bytes = gauges.held_bytes;
	if (!rc)
		rc = map_walk(l->owners_fd, sizeof(uint64_t), sizeof(struct p2ptrace_owner),
			      P2PTRACE_MAX_LIVE, add_owner, l);
	if (rc < 0)
		rc = fail(EXIT_OTHER, "cannot read the owners of buffers: %s", strerror(-rc));
	held_sort(&l->held);
	return rc;
}

static int read_dmabufs(struct leaks *l)
{
	const struct leaks_bpf *skel = l->skel;
	int err;

	l->dmabufs.now_ns = l->read_ns;
	l->dmabufs.older_than_ns = l->options->older_than_ns.value;
	l->dmabufs.filter = &l->sel.filter;
	l->dmabufs.enums = &l->sel.enums;
	err = dmabufs_read(&l->dmabufs, bpf_map__fd(skel->maps.dmabufs),
			   bpf_map__fd(skel->maps.dmabuf_attached),
			   bpf_map__fd(skel->maps.dmabuf_mappings));
	return err ? fail(EXIT_OTHER, "cannot read the dma-bufs that exist: %s",
			  strerror(-err)) : 0;
}

/* The programs are still attached, so that the owner of each buffer is known. */
static int leaks_ending(void *ctx)
{
	struct leaks *l = ctx;
	int rc;

	/* Read the clock first, because no buffer may look younger than it is */
	l->read_ns = clock_now_ns();
	rc = l->sel.set.stock ? held_of_owners(l) :
				held_read(&l->held, SYSFS, DEBUGFS, &l->sel.filter);
	if (!rc)
		find_owners(l);
	if (!rc && has_dmabufs(l))
		rc = read_dmabufs(l);
	return rc;
}

static void show(struct leaks *l)
{
	const struct lost *lost = &l->session.lost;
	int err = ksyms_load(&l->ksyms, KALLSYMS);

	if (err || !l->ksyms.nr)
		note("stacks show addresses instead of names: cannot read %s: %s", KALLSYMS,
		     err ? strerror(-err) :
		     "the kernel hides them; see /proc/sys/kernel/kptr_restrict");
	if (l->options->common.json)
		print_json(l);
	else
		print_text(l);
	if (!l->options->common.json && has_dmabufs(l))
		dmabufs_text(&l->dmabufs, print_buffer());
	if (lost->total)
		note("%" PRIu64 " event%s not recorded (p2ptrace follows at most %d buffers at a "
		     "time; %" PRIu64 " nested); some buffers that are shown as allocated before "
		     "p2ptrace started may have been allocated later",
		     lost->total, PLURAL_WAS(lost->total),
		     P2PTRACE_MAX_LIVE, lost->nested);
}

static int open_programs(void *opener, struct bpf_object **object)
{
	struct leaks *l = opener;
	int rc = session_open(leaks, l->skel, &l->sel, object);

	if (!rc) {
		l->skel->rodata->stock = l->sel.set.stock;
		l->skel->rodata->dmabuf_live = true;
	}
	return rc;
}

/* Those that exist already. A kernel without the iterator has nothing to visit. */
static int visit_dmabufs(struct leaks *l)
{
	int err = session_visit(&l->session, HOOK_DMABUF_ITER);

	l->dmabufs.from_before = !err;
	if (err && err != -ENOENT)
		return fail(EXIT_OTHER, "cannot read the dma-bufs that exist: %s",
			    strerror(-err));
	return 0;
}

static int leaks_session(struct leaks *l)
{
	const struct event_set *set = &l->sel.set;
	struct session_config config = {
		.events = *set,
		.open = open_programs,
		.opener = l,
		.duration_ns = l->options->common.duration_ns,
		.groups = true,
		.needed = P2PTRACE_p2pmem_alloc,
		.ending = leaks_ending,
		.ctx = l,
	};
	int rc;

	/* Report missing privileges now, not at the end */
	rc = set->stock ? 0 : held_read(&l->held, SYSFS, DEBUGFS, &l->sel.filter);
	held_free(&l->held);
	if (!rc)
		rc = session_start(&l->session, &config);
	if (!rc)
		rc = visit_dmabufs(l);
	if (!rc) {
		l->owners_fd = bpf_map__fd(l->skel->maps.owners);
		l->stacks_fd = bpf_map__fd(l->skel->maps.stacks);
		l->start_ns = clock_now_ns();
		note("watching allocations, mode %s (Ctrl-C shows the buffers held)",
		     event_set_mode(set));
		rc = session_run(&l->session);
	}
	if (!rc)
		show(l);
	held_free(&l->held);
	dmabufs_free(&l->dmabufs);
	ksyms_free(&l->ksyms);
	session_close(&l->session);
	leaks_bpf__destroy(l->skel);
	return rc;
}

int cmd_leaks(int argc, char **argv)
{
	const struct select_how how = { .groups = true, .needed = P2PTRACE_p2pmem_alloc };
	struct options o = {};
	struct leaks l = { .options = &o };
	int rc;

	if (!options_parse(&args, argc, argv, &o.common, &rc))
		return rc;
	if (!o.older_than_ns.given)
		o.older_than_ns.value = OLDER_THAN_DEFAULT;

	event_set_add_buffer(&l.sel.set);
	for (unsigned int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		l.sel.set.has[i] |= event_is_of_dmabuf(i) && i != P2PTRACE_dma_buf_revoke;
	rc = select_all(&o.common.want, &how, &l.sel);
	if (!rc)
		rc = leaks_session(&l);
	enums_free(&l.sel.enums);
	return rc;
}
