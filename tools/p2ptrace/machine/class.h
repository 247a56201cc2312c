/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kind of device a PCI function is, from its class code.
 */
#ifndef CLASS_H
#define CLASS_H

#include <stdbool.h>

#include "machine/machine.h"

/* X(name, what it is) in the order of the matrix */
#define DEVICE_CLASSES(X)					\
	X(gpu, "display controllers, such as GPUs")		\
	X(accel, "processing accelerators")			\
	X(nvme, "NVMe drives")					\
	X(nic, "network and InfiniBand controllers")		\
	X(memory, "memory controllers, such as CXL memory")	\
	X(other, "other functions that are not bridges")	\
	X(bridge, "bridges, and functions that represent them")

enum device_class {
#define DEVICE_CLASS(name, help) CLASS_##name,
	DEVICE_CLASSES(DEVICE_CLASS)
#undef DEVICE_CLASS
	NR_CLASSES
};

const char *class_name(enum device_class class);

/* -1 for a name that is none. */
int class_find(const char *name);

/* A function of which nothing is known is CLASS_other. */
enum device_class function_class(const struct function *function);

/*
 * Whether the function is likely to take part in peer-to-peer DMA: a GPU, accelerator, NVMe drive
 * or NIC, or another function that has a large memory BAR or provides peer memory. Not a bridge,
 * and not a virtual function without a driver.
 */
bool function_matters(const struct function *function);

#endif /* CLASS_H */
