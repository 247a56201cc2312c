// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>

#include "lib/hist.h"

void hist_add(struct hist *sum, const struct hist *hist)
{
	for (size_t i = 0; i < HIST_NR_SLOTS; i++)
		sum->slots[i] += hist->slots[i];
	sum->count += hist->count;
	sum->total_ns += hist->total_ns;
	if (hist->max_ns > sum->max_ns)
		sum->max_ns = hist->max_ns;
}

void hist_slot_range(unsigned int slot, uint64_t *from, uint64_t *to)
{
	*from = slot ? 1ull << slot : 0;
	/* Longer times are in the last slot as well */
	*to = slot == HIST_NR_SLOTS - 1 ? UINT64_MAX : 1ull << (slot + 1);
}

uint64_t hist_percentile(const struct hist *hist, unsigned int percent)
{
	uint64_t all = 0, seen = 0, wanted;

	/* hist->count may differ if an interrupt came between the two updates */
	for (size_t i = 0; i < HIST_NR_SLOTS; i++)
		all += hist->slots[i];
	if (!all)
		return 0;
	wanted = all / 100 * percent + (all % 100 * percent + 99) / 100;
	for (unsigned int i = 0; i < HIST_NR_SLOTS; i++) {
		uint64_t from, to, ns;

		if (seen + hist->slots[i] < wanted) {
			seen += hist->slots[i];
			continue;
		}
		hist_slot_range(i, &from, &to);
		if (to > hist->max_ns)
			to = hist->max_ns;
		if (to < from)
			return hist->max_ns;
		ns = from + (double)(to - from) * (wanted - seen) / hist->slots[i];
		return ns < hist->max_ns ? ns : hist->max_ns;
	}
	return hist->max_ns;
}

void hist_time(uint64_t ns, char *text, size_t size)
{
	static const char *const unit[] = { "ns", "us", "ms", "s" };
	double value = ns;
	int i = 0;

	while (value >= 999.5 && i < 3) {
		value /= 1000;
		i++;
	}
	snprintf(text, size, "%.*f%s", !i || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2, value,
		 unit[i]);
}
