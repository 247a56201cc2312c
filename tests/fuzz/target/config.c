// SPDX-License-Identifier: GPL-2.0
/* PCI config space of one function, of any size and content. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/acs.h"
#include "tree.h"

#define PCI "0000:00:01.0"

static void write_config(const uint8_t *data, size_t size)
{
	int fd;

	mkdir(tree_path("bus"), 0700);
	mkdir(tree_path("bus/pci"), 0700);
	mkdir(tree_path("bus/pci/devices"), 0700);
	mkdir(tree_path("bus/pci/devices/" PCI), 0700);
	fd = open(tree_path("bus/pci/devices/" PCI "/config"),
		  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pci_access *config;
	struct function function;
	int err;

	write_config(data, size < 4096 ? size : 4096);
	config = config_open(tree_dir());
	err = config_read(config, PCI, &function);
	if (size < 64)
		REQUIRE(err);
	if (err)
		REQUIRE(!function.endpoint && !function.root_port && !function.redirects);
	config_close(config);
	REQUIRE(strlen(pci_kind(tree_dir(), PCI)) > 0);
	return 0;
}
