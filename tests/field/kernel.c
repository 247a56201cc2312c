// SPDX-License-Identifier: GPL-2.0
/*
 * As much of the kernel as calc_map_type_and_dist() in drivers/pci/p2pdma.c needs. That function
 * and what it calls come from the source of a kernel: "extract" writes them to extracted.h when the
 * test runs.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "kernel.h"

typedef uint16_t u16;

#define CONFIG_X86
#define CONFIG_PCI_IOV
#define PCI_ANY_ID		(~0)
#define PCI_DEVFN(slot, func)	((((slot) & 0x1f) << 3) | ((func) & 0x07))
#define EXPORT_SYMBOL_GPL(symbol)
#define GFP_ATOMIC		0

#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

struct list_head {
	struct list_head *next, *prev;
};

#define list_first_entry_or_null(list, type, member) \
	((list)->next == (list) ? NULL : container_of((list)->next, type, member))

static void list_init(struct list_head *list)
{
	list->next = list->prev = list;
}

static void list_add_tail(struct list_head *entry, struct list_head *list)
{
	entry->next = list;
	entry->prev = list->prev;
	list->prev->next = entry;
	list->prev = entry;
}

struct device {
	int unused;
};

struct pci_dev;

struct pci_bus {
	struct pci_bus *parent;
	struct pci_dev *self;
	struct list_head devices;
	struct device *bridge;
};

struct pci_host_bridge {
	struct device dev;
	struct pci_bus *bus;
};

#define to_pci_host_bridge(n) container_of(n, struct pci_host_bridge, dev)

struct xarray {
	int unused;
};

struct pci_p2pdma {
	struct xarray map_types;
};

struct pci_dev {
	struct list_head bus_list;
	struct pci_bus *bus;
	struct pci_bus *subordinate;
	const char *name;
	unsigned int devfn;
	unsigned short vendor, device;
	u16 pcie_flags_reg;
	u16 acs_cap;
	u16 acs_ctrl;
	unsigned int is_virtfn;
	struct pci_dev *physfn;
	struct pci_p2pdma *p2pdma;	/* NULL: nothing is cached */
};

static const char *pci_name(const struct pci_dev *dev)
{
	return dev->name;
}

enum { ACS_CAP = 0x150 };

static int pci_read_config_word(const struct pci_dev *dev, int where, u16 *value)
{
	if (where != ACS_CAP + PCI_ACS_CTRL)
		abort();
	*value = dev->acs_ctrl;
	return 0;
}

/* The kernel's list of ports is limited to 128 bytes. This one is not. */
struct seq_buf {
	char *buffer;
	size_t len;
};

static char ports[4096];

static void seq_buf_init(struct seq_buf *list, char *buffer, unsigned int size)
{
	(void)buffer;
	(void)size;
	list->buffer = ports;
	list->len = 0;
	*ports = '\0';
}

static void seq_buf_printf(struct seq_buf *list, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	list->len += vsnprintf(list->buffer + list->len, sizeof(ports) - list->len, format, ap);
	va_end(ap);
	if (list->len >= sizeof(ports))
		abort();
}

static char printed[sizeof(ports)];

/* Keeps the ports that the kernel advises to name in an option. */
static void pci_warn(const struct pci_dev *dev, const char *format, ...)
{
	const char *option;
	char message[8192];
	va_list ap;

	(void)dev;
	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	option = strstr(message, "pci=disable_acs_redir=");
	if (option)
		snprintf(printed, sizeof(printed), "%.*s",
			 (int)strcspn(strchr(option + 4, '=') + 1, "\n"),
			 strchr(option + 4, '=') + 1);
}

enum { X86_VENDOR_OTHER, X86_VENDOR_AMD };

struct cpuinfo_x86 {
	unsigned int x86_vendor, x86;
};

static struct cpuinfo_x86 cpu;

#define cpu_data(number) cpu

/* For the cache, which is not there. */
#define rcu_read_lock()
#define rcu_read_unlock()
#define rcu_dereference(pointer)	(pointer)
#define xa_mk_value(value)		NULL
#define xa_store(array, index, value, flags) (void)(index)
#define pci_domain_nr(bus)		0
#define pci_dev_id(dev)			0

#include "extracted.h"

static struct pci_dev *devs;
static struct pci_bus *buses;
static size_t nr_buses;
static struct pci_host_bridge *hosts;

static struct pci_bus *new_bus(struct pci_bus *parent, struct pci_dev *self)
{
	struct pci_bus *bus = &buses[nr_buses++];

	memset(bus, 0, sizeof(*bus));
	bus->parent = parent;
	bus->self = self;
	list_init(&bus->devices);
	return bus;
}

static void build_root(struct pci_host_bridge *host)
{
	memset(host, 0, sizeof(*host));
	host->bus = new_bus(NULL, NULL);
	host->bus->bridge = &host->dev;
}

/* The bus that a function is on. */
static struct pci_bus *bus_of(const struct kernel_function *function)
{
	struct pci_dev *above;

	if (function->own_bus)
		return new_bus(devs[function->physfn].bus, NULL);
	if (function->parent < 0)
		return hosts[function->root].bus;
	above = &devs[function->parent];
	if (!above->subordinate)
		above->subordinate = new_bus(above->bus, above);
	return above->subordinate;
}

static void build_function(struct pci_dev *dev, const struct kernel_function *function)
{
	memset(dev, 0, sizeof(*dev));
	dev->name = function->name;
	dev->devfn = function->slot;
	dev->vendor = function->vendor;
	dev->device = function->device;
	dev->pcie_flags_reg = function->type << 4;
	if (function->acs >= 0) {
		dev->acs_cap = ACS_CAP;
		dev->acs_ctrl = function->acs;
	}
	if (function->physfn >= 0) {
		dev->is_virtfn = 1;
		dev->physfn = &devs[function->physfn];
	}
	dev->bus = bus_of(function);
	list_add_tail(&dev->bus_list, &dev->bus->devices);
}

static void *allocate(void *old, size_t nr, size_t size)
{
	void *array = realloc(old, (nr ? nr : 1) * size);

	if (!array)
		abort();
	return array;
}

void kernel_build(const struct kernel_machine *machine)
{
	devs = allocate(devs, machine->nr, sizeof(*devs));
	buses = allocate(buses, 2 * machine->nr + machine->nr_roots, sizeof(*buses));
	hosts = allocate(hosts, machine->nr_roots, sizeof(*hosts));
	nr_buses = 0;
	for (size_t i = 0; i < machine->nr_roots; i++)
		build_root(&hosts[i]);
	for (size_t i = 0; i < machine->nr; i++)
		build_function(&devs[i], &machine->functions[i]);
	cpu.x86_vendor = machine->amd ? X86_VENDOR_AMD : X86_VENDOR_OTHER;
	cpu.x86 = machine->cpu_family;
}

void kernel_decide(int provider, int client, struct kernel_decision *decision)
{
	*printed = '\0';
	switch (calc_map_type_and_dist(&devs[provider], &devs[client], &decision->distance, true)) {
	case PCI_P2PDMA_MAP_BUS_ADDR:
		decision->map = "bus_addr";
		break;
	case PCI_P2PDMA_MAP_THRU_HOST_BRIDGE:
		decision->map = "thru_host_bridge";
		break;
	case PCI_P2PDMA_MAP_NOT_SUPPORTED:
		decision->map = "not_supported";
		break;
	default:
		abort();
	}
	strcpy(decision->ports, printed);
}
