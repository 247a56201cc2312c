// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "lib/units.h"
#include "machine/class.h"

static const char *const class_names[NR_CLASSES] = {
#define CLASS_NAME(name, help) [CLASS_##name] = #name,
	DEVICE_CLASSES(CLASS_NAME)
#undef CLASS_NAME
};

/* Smaller BARs hold registers */
#define LARGE_BAR (64ULL << 20)

const char *class_name(enum device_class class)
{
	return class_names[class];
}

int class_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(class_names); i++)
		if (!strcmp(class_names[i], name))
			return i;
	return -1;
}

enum device_class function_class(const struct function *function)
{
	if (function->bridge == PRESENT)
		return CLASS_bridge;
	if (function->class < 0)
		return CLASS_other;
	if (function->class >> 8 == 0x0108)
		return CLASS_nvme;
	switch (function->class >> 16) {
	case 0x02:
		return CLASS_nic;
	case 0x03:
		return CLASS_gpu;
	case 0x05:
		return CLASS_memory;
	case 0x06:
		return CLASS_bridge;
	case 0x12:
		return CLASS_accel;
	}
	return function->class >> 8 == 0x0c06 ? CLASS_nic : CLASS_other;
}

bool function_matters(const struct function *function)
{
	enum device_class class = function_class(function);

	if (function->pool.presence == PRESENT)
		return true;
	if (class == CLASS_bridge)
		return false;
	if (is_given(function->physfn) && !is_given(function->driver))
		return false;
	if (class < CLASS_memory)
		return true;
	/* A device that has fallen off the bus may show no class, but people look for it */
	if (function->config == CONFIG_ALL_ONES &&
	    (function->class == UNKNOWN || function->class >> 8 == 0xffff))
		return true;
	for (int i = 0; i < NR_BARS; i++)
		if (function->bars[i].memory && function->bars[i].size >= LARGE_BAR)
			return true;
	return false;
}
