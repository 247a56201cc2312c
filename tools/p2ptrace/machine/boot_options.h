/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words of the kernel's command line that have to do with peer-to-peer DMA. See pci_setup() and
 * pci_dev_str_match() in drivers/pci/pci.c.
 */
#ifndef BOOT_OPTIONS_H
#define BOOT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buffer.h"
#include "machine/machine.h"

/*
 * The value for pci=disable_acs_redir=: what the running kernel was given, as far as it is valid,
 * then those @ports that it does not name.
 */
void boot_options_acs(struct buffer *out, const struct machine *machine, const int *ports,
		      size_t nr);

/* The same for pci=config_acs=: the ports with the bits that redirect cleared, then the others. */
void boot_options_config_acs(struct buffer *out, const struct machine *machine, const int *ports,
			     size_t nr);

/*
 * The word that sets the type of IOMMU domains, and whether it sets this one; NULL if there is
 * none.
 */
const char *boot_options_iommu(const struct machine *machine, const char *domain, bool *fits);

/* The word that switches the IOMMU off; NULL. */
const char *boot_options_iommu_off(const struct machine *machine);

/*
 * Calls @problem with a sentence for each option that does not parse, names a function that is not
 * there, or had no effect.
 */
void boot_options_check(const struct machine *machine,
			void (*problem)(void *ctx, const char *sentence), void *ctx);

#endif /* BOOT_OPTIONS_H */
