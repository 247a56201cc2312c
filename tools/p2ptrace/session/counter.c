// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "event/enums.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "machine/devices.h"
#include "machine/held.h"
#include "machine/kernel.h"
#include "machine/sysfs.h"
#include "session/counter.h"
#include "session/select.h"

#include "stat.skel.h"

int counter_open(struct counter *counter, const struct selection *want, bool started)
{
	struct event_set passing;
	struct kernel kernel = {};
	struct enums enums = {};
	int rc;

	memset(counter, 0, sizeof(*counter));
	rc = select_events(want, false, &counter->set);
	passing = counter->set;
	if (!rc)
		rc = select_check_names(want);
	if (!rc)
		rc = kernel_open(&kernel, VMLINUX_BTF);
	if (!rc && started)
		rc = kernel_check_privileges(&kernel);
	if (!rc)
		rc = select_devices(want, &counter->filter);
	if (!rc)
		rc = select_available(&kernel, false, &counter->set);
	if (!rc)
		select_show_left_out(want, &passing);
	if (!rc && (enums_load(&enums, kernel_btf(&kernel)) ||
		    metrics_load(&counter->metrics, &enums, &counter->set)))
		rc = fail(EXIT_OTHER, "out of memory");
	enums_free(&enums);
	kernel_close(&kernel);
	return rc;
}

/* Keys of a map that changes meanwhile: what goes may start it anew, and there are no more than there is room for. */
#define for_each_key(fd, previous, next, n) \
	for (void *__key = NULL; (n)++ < P2PTRACE_MAX_LIVE && !bpf_map_get_next_key(fd, __key, &(next)); \
	     (previous) = (next), __key = &(previous))

/* All is padded, but nothing that a kernel wrote is taken on trust. */
static void first_end(struct p2ptrace_first *first)
{
	first->dev.s[sizeof(first->dev.s) - 1] = first->client.s[sizeof(first->client.s) - 1] = '\0';
	first->comm[sizeof(first->comm) - 1] = '\0';
}

static void count_buffers(int fd, uint64_t before_ns, uint64_t older_than_ns, struct counter_live *sum)
{
	uint64_t previous, id, n = 0, now = clock_now_ns(), oldest = UINT64_MAX;
	struct p2ptrace_live live;

	for_each_key(fd, previous, id, n) {
		if (bpf_map_lookup_elem(fd, &id, &live) || live.before || live.since_ns >= before_ns)
			continue;
		sum->buffers++;
		sum->older += older_than_ns && now > live.since_ns && now - live.since_ns > older_than_ns;
		if (live.since_ns < oldest) {
			oldest = live.since_ns;
			sum->first_buffer = live.first;
		}
	}
	first_end(&sum->first_buffer);
}

static void count_mappings(int fd, uint64_t before_ns, struct counter_live *sum)
{
	struct p2ptrace_mapping previous, mapping;
	struct p2ptrace_mapped mapped;
	uint64_t n = 0, oldest = UINT64_MAX;

	for_each_key(fd, previous, mapping, n) {
		if (bpf_map_lookup_elem(fd, &mapping, &mapped) || mapped.before || mapped.since_ns >= before_ns)
			continue;
		sum->mappings++;
		if (mapped.since_ns < oldest) {
			oldest = mapped.since_ns;
			sum->first_mapping = mapped.first;
		}
	}
	first_end(&sum->first_mapping);
}

int counter_live(struct counter *counter, uint64_t before_ns, struct counter_live *live)
{
	memset(live, 0, sizeof(*live));
	count_buffers(bpf_map__fd(counter->skel->maps.live_buffers), before_ns, counter->older_than_ns, live);
	count_mappings(bpf_map__fd(counter->skel->maps.live_mappings), before_ns, live);
	return 0;
}

bool counter_first(struct counter *counter, enum p2ptrace_violation kind, struct p2ptrace_first *first)
{
	uint32_t key = kind;

	if (bpf_map_lookup_elem(bpf_map__fd(counter->skel->maps.firsts), &key, first))
		return false;
	first_end(first);
	return true;
}

/*
 * All is attached: what there is now was there before, and what happens to it that began unseen is no violation. A
 * buffer that came since we were attached is known, and marked as from before as well.
 */
static int arm(struct counter *counter)
{
	int fd = bpf_map__fd(counter->skel->maps.live_buffers);
	typeof(*counter->skel->data_armed) armed = { .armed = true };
	struct held_list held = {};
	uint32_t zero = 0;
	int rc = 0;

	if (!counter->set.stock)
		rc = held_read(&held, SYSFS, DEBUGFS, &counter->filter);
	for (size_t i = 0; i < held.nr && !rc; i++) {
		struct p2ptrace_live live = { .before = 1 };

		if (bpf_map_update_elem(fd, &held.held[i].id, &live, BPF_NOEXIST) && errno != EEXIST)
			rc = fail(EXIT_OTHER, "cannot take note of what is held already: %s", strerror(errno));
	}
	held_free(&held);
	if (!rc && bpf_map_update_elem(bpf_map__fd(counter->skel->maps.data_armed), &zero, &armed, BPF_ANY))
		rc = fail(EXIT_OTHER, "cannot begin to look for violations: %s", strerror(errno));
	return rc;
}

int counter_start(struct counter *counter, struct session_config *config, bool follow)
{
	int rc;

	counter->skel = stat_bpf__open();
	if (!counter->skel)
		return fail(EXIT_OTHER, "cannot open the BPF programs: %s", strerror(errno));
	memcpy(&counter->skel->rodata->filter, &counter->filter, sizeof(counter->filter));
	counter->skel->rodata->follow = follow;
	counter->skel->rodata->stock = counter->set.stock;
	counter->skel->rodata->older_than_ns = counter->older_than_ns;
	if (!follow) {
		bpf_map__set_max_entries(counter->skel->maps.live_buffers, 1);
		bpf_map__set_max_entries(counter->skel->maps.live_mappings, 1);
	}

	config->events = counter->set;
	rc = session_start(&counter->session, counter->skel->obj, config);
	if (!rc && follow)
		rc = arm(counter);
	if (rc)
		return rc;
	counter->per_cpu = calloc(counter->session.lost.nr_cpus, sizeof(*counter->per_cpu));
	return counter->per_cpu ? 0 : fail(EXIT_OTHER, "out of memory");
}

int counter_sample(struct counter *counter, struct sample *sample)
{
	int rc, fd = bpf_map__fd(counter->skel->maps.counts_per_cpu);
	uint32_t zero = 0;

	memset(sample, 0, sizeof(*sample));
	sample->ts_ns = clock_now_ns();
	if (bpf_map_lookup_elem(fd, &zero, counter->per_cpu))
		return fail(EXIT_OTHER, "cannot read the counts: %s", strerror(errno));
	for (size_t i = 0; i < counter->session.lost.nr_cpus; i++)
		counts_add(&sample->counts, &counter->per_cpu[i]);
	rc = session_count_lost(&counter->session);
	if (rc)
		return rc;
	sample->lost = counter->session.lost.total;
	return gauges_read(&sample->gauges, counter->set.stock, SYSFS, &counter->filter);
}

void counter_close(struct counter *counter)
{
	free(counter->per_cpu);
	session_close(&counter->session);
	stat_bpf__destroy(counter->skel);
	metrics_free(&counter->metrics);
	memset(counter, 0, sizeof(*counter));
}
