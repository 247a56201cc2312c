// SPDX-License-Identifier: GPL-2.0
/*
 * A provider whose driver can be unloaded.  Bind a PCI function to
 * "p2pmem_provider" with driver_override.  The driver provides the largest BAR
 * of the function as peer memory.
 */
#include <linux/module.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>

static int provider_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int bar, largest = -1;
	int error;

	error = pcim_enable_device(pdev);
	if (error)
		return error;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!(pci_resource_flags(pdev, bar) & IORESOURCE_MEM))
			continue;
		if (largest < 0 || pci_resource_len(pdev, bar) >
		    pci_resource_len(pdev, largest))
			largest = bar;
	}
	if (largest < 0)
		return -ENODEV;

	error = pci_p2pdma_add_resource(pdev, largest, 0, 0);
	if (error)
		return error;

	pci_p2pmem_publish(pdev, true);
	return 0;
}

/* There is no table of ids: only driver_override can bind a function */
static struct pci_driver provider_driver = {
	.name	= "p2pmem_provider",
	.probe	= provider_probe,
};
module_pci_driver(provider_driver);

MODULE_DESCRIPTION("Provide the largest BAR of a PCI function as peer memory, for tests");
MODULE_LICENSE("GPL");
