// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "counter.h"
#include "devices.h"
#include "enums.h"
#include "kernel.h"
#include "log.h"
#include "select.h"

#include "stat.skel.h"

int counter_open(struct counter *counter, const struct common_options *options, bool started)
{
	struct event_set passing;
	struct kernel kernel = {};
	struct enums enums = {};
	int rc;

	memset(counter, 0, sizeof(*counter));
	counter->options = options;
	rc = select_events(options, false, &counter->set);
	passing = counter->set;
	if (!rc)
		rc = select_check_names(options);
	if (!rc)
		rc = kernel_open(&kernel, VMLINUX_BTF);
	if (!rc && started)
		rc = kernel_check_privileges();
	if (!rc)
		rc = select_devices(options, &counter->filter);
	if (!rc)
		rc = select_available(&kernel, false, &counter->set);
	if (!rc)
		select_show_left_out(options, &passing);
	if (!rc && (enums_load(&enums, kernel_btf(&kernel)) ||
		    metrics_load(&counter->metrics, &enums, &counter->set)))
		rc = fail(EXIT_OTHER, "out of memory");
	enums_free(&enums);
	kernel_close(&kernel);
	return rc;
}

static uint64_t count_keys(int fd, void *previous, void *next, size_t size)
{
	uint64_t n = 0;

	/* What goes meanwhile may start it anew; there are no more than there is room for */
	for (void *key = NULL; n < P2PTRACE_MAX_LIVE && !bpf_map_get_next_key(fd, key, next); n++) {
		memcpy(previous, next, size);
		key = previous;
	}
	return n;
}

void counter_live(struct counter *counter, uint64_t *buffers, uint64_t *mappings)
{
	struct p2ptrace_mapping from, to;
	uint64_t id, next;

	*buffers = count_keys(bpf_map__fd(counter->skel->maps.live_buffers), &id, &next, sizeof(id));
	*mappings = count_keys(bpf_map__fd(counter->skel->maps.live_mappings), &from, &to, sizeof(from));
}

int counter_start(struct counter *counter, struct session_config *config, bool follow)
{
	int rc;

	counter->skel = stat_bpf__open();
	if (!counter->skel)
		return fail(EXIT_OTHER, "cannot open the BPF programs: %s", strerror(errno));
	memcpy(&counter->skel->rodata->filter, &counter->filter, sizeof(counter->filter));
	counter->skel->rodata->follow = follow;
	if (!follow) {
		bpf_map__set_max_entries(counter->skel->maps.live_buffers, 1);
		bpf_map__set_max_entries(counter->skel->maps.live_mappings, 1);
	}

	config->events = counter->set;
	config->duration_ns = counter->options->duration_ns;
	rc = session_start(&counter->session, counter->skel->obj, config);
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
	sample->ts_ns = session_now_ns();
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

uint64_t sample_events(const struct sample *sample)
{
	uint64_t n = 0;

	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		n += sample->counts.events[i];
	return n;
}
