// SPDX-License-Identifier: GPL-2.0
/*
 * p2pdma_bugs: show bugs of the base in P2PDMA.
 *
 * The module runs the command in its parameters when it is loaded.
 *
 *	op=alloc provider=PCI		allocate from a device that may have no pool
 *	op=domain provider=PCI client=PCI
 *					compute the decision for a client with that bus and devfn in
 *					domain 0x10000, and print that for the client before and
 *					after
 *	op=acs				warn about a path with 11 ports that redirect
 *
 * The last two create a host bridge of their own, whose config space is in memory.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci-p2pdma.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#define CONFIG_SIZE	0x200
#define EXP_POS		0x40
#define BRIDGES		11

static char *op = "", *provider = "", *client = "";
module_param(op, charp, 0);
module_param(provider, charp, 0);
module_param(client, charp, 0);

struct fake {
	u8 bus, devfn;
	u8 config[CONFIG_SIZE];
};

static struct fake fakes[BRIDGES + 2];
static unsigned int nr_fakes;
static struct pci_bus *fake_root;

static struct fake *fake_find(struct pci_bus *bus, unsigned int devfn)
{
	for (unsigned int i = 0; i < nr_fakes; i++)
		if (fakes[i].bus == bus->number && fakes[i].devfn == devfn)
			return &fakes[i];
	return NULL;
}

static int fake_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value)
{
	struct fake *fake = fake_find(bus, devfn);

	*value = fake ? 0 : ~0U;
	if (fake && where + size <= CONFIG_SIZE)
		memcpy(value, fake->config + where, size);
	return fake ? PCIBIOS_SUCCESSFUL : PCIBIOS_DEVICE_NOT_FOUND;
}

/* Only the bus numbers of a bridge can be written */
static int fake_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 value)
{
	struct fake *fake = fake_find(bus, devfn);

	if (!fake)
		return PCIBIOS_DEVICE_NOT_FOUND;
	if (fake->config[PCI_HEADER_TYPE] & 1 &&
	    where >= PCI_PRIMARY_BUS && where + size <= PCI_SEC_LATENCY_TIMER + 1)
		memcpy(fake->config + where, &value, size);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops fake_ops = { .read = fake_read, .write = fake_write };

static void fake_add(u8 bus, u8 devfn, bool bridge, bool multi)
{
	struct fake *fake = &fakes[nr_fakes++];
	u8 *config = fake->config;

	fake->bus = bus;
	fake->devfn = devfn;
	put_unaligned_le16(0x1b36, config + PCI_VENDOR_ID);
	put_unaligned_le16(0x0dad, config + PCI_DEVICE_ID);
	put_unaligned_le16(PCI_STATUS_CAP_LIST, config + PCI_STATUS);
	put_unaligned_le16(bridge ? PCI_CLASS_BRIDGE_PCI : PCI_CLASS_MEMORY_OTHER,
			   config + PCI_CLASS_DEVICE);
	config[PCI_HEADER_TYPE] = bridge | multi << 7;
	config[PCI_CAPABILITY_LIST] = EXP_POS;
	config[EXP_POS] = PCI_CAP_ID_EXP;
	put_unaligned_le16(2 | (bridge ? PCI_EXP_TYPE_ROOT_PORT : PCI_EXP_TYPE_ENDPOINT) << 4,
			   config + EXP_POS + PCI_EXP_FLAGS);
	if (bridge) {
		put_unaligned_le32(PCI_EXT_CAP_ID_ACS | 1 << 16, config + 0x100);
		put_unaligned_le16(PCI_ACS_RR | PCI_ACS_CR, config + 0x100 + PCI_ACS_CAP);
		put_unaligned_le16(PCI_ACS_RR | PCI_ACS_CR, config + 0x100 + PCI_ACS_CTRL);
	}
}

static int fake_scan(int domain, u8 bus)
{
	static struct pci_sysdata sysdata = { .node = NUMA_NO_NODE };
	static struct resource busn = { .flags = IORESOURCE_BUS, .name = "fake" };
	LIST_HEAD(resources);

	sysdata.domain = domain;
	busn.start = bus;
	busn.end = 0xff;
	pci_add_resource(&resources, &busn);
	pci_lock_rescan_remove();
	fake_root = pci_create_root_bus(NULL, bus, &fake_ops, &sysdata, &resources);
	if (fake_root)
		pci_scan_child_bus(fake_root);
	pci_unlock_rescan_remove();
	return fake_root ? 0 : -ENODEV;
}

static void fake_remove(void)
{
	if (!fake_root)
		return;
	pci_lock_rescan_remove();
	pci_stop_root_bus(fake_root);
	pci_remove_root_bus(fake_root);
	pci_unlock_rescan_remove();
}

static struct pci_dev *find_device(const char *name)
{
	struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL, name);

	return dev ? to_pci_dev(dev) : NULL;
}

static int show_alloc(void)
{
	struct pci_dev *pdev = find_device(provider);
	void *addr;

	if (!pdev)
		return -ENODEV;
	addr = pci_alloc_p2pmem(pdev, PAGE_SIZE);
	pr_info("p2pdma_bugs: alloc %s\n", addr ? "ok" : "none");
	if (addr)
		pci_free_p2pmem(pdev, addr, PAGE_SIZE);
	pci_dev_put(pdev);
	return 0;
}

static int map_type(struct pci_dev *owner, struct pci_dev *pdev)
{
	enum pci_p2pdma_map_type (*decide)(struct p2pdma_provider *p, struct device *dev);
	struct kprobe kp = { .symbol_name = "pci_p2pdma_map_type" };

	if (register_kprobe(&kp))
		return -1;
	decide = (void *)kp.addr;
	unregister_kprobe(&kp);
	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		struct p2pdma_provider *p = pcim_p2pdma_provider(owner, bar);

		if (p)
			return decide(p, &pdev->dev);
	}
	return -1;
}

static int show_domain(void)
{
	struct pci_dev *owner = find_device(provider), *pdev = find_device(client), *fake;
	int before, far, after, error;

	if (!owner || !pdev)
		return -ENODEV;
	fake_add(pdev->bus->number, pdev->devfn, false, false);
	error = fake_scan(0x10000, pdev->bus->number);
	if (error)
		return error;
	fake = pci_get_domain_bus_and_slot(0x10000, pdev->bus->number, pdev->devfn);
	if (!fake)
		return -ENODEV;
	pci_p2pdma_distance(owner, &pdev->dev, true);
	before = map_type(owner, pdev);
	far = pci_p2pdma_distance(owner, &fake->dev, true);
	after = map_type(owner, pdev);
	pr_info("p2pdma_bugs: %s distance %d, %s before %d after %d\n",
		pci_name(fake), far, pci_name(pdev), before, after);
	pci_dev_put(fake);
	pci_dev_put(pdev);
	pci_dev_put(owner);
	return 0;
}

static int show_acs(void)
{
	struct pci_dev *deep, *near;
	int error;

	fake_add(0, 0, true, false);
	fake_add(1, 0, false, true);
	fake_add(1, 1, true, true);
	for (int bus = 2; bus < BRIDGES; bus++)
		fake_add(bus, 0, true, false);
	fake_add(BRIDGES, 0, false, false);
	error = fake_scan(0x10001, 0);
	if (error)
		return error;
	near = pci_get_domain_bus_and_slot(0x10001, 1, 0);
	deep = pci_get_domain_bus_and_slot(0x10001, BRIDGES, 0);
	if (!near || !deep)
		return -ENODEV;
	pci_p2pdma_distance(deep, &near->dev, true);
	pci_dev_put(near);
	pci_dev_put(deep);
	return 0;
}

static int __init p2pdma_bugs_init(void)
{
	int error = -EINVAL;

	if (!strcmp(op, "alloc"))
		error = show_alloc();
	else if (!strcmp(op, "domain"))
		error = show_domain();
	else if (!strcmp(op, "acs"))
		error = show_acs();
	if (error)
		fake_remove();
	return error;
}
module_init(p2pdma_bugs_init);

static void __exit p2pdma_bugs_exit(void)
{
	fake_remove();
}
module_exit(p2pdma_bugs_exit);

MODULE_DESCRIPTION("Shows bugs of the base in P2PDMA");
MODULE_LICENSE("GPL");
