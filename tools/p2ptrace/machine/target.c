// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "lib/log.h"
#include "lib/units.h"
#include "machine/devices.h"
#include "machine/host.h"
#include "machine/live.h"
#include "machine/sysfs.h"
#include "machine/target.h"

#define CONFIGFS_MAGIC 0x62656570	/* from fs/configfs/mount.c */

/* Makes room for one more entry, which is zeroed. NULL if there is no memory. */
static void *grow(void *entries, size_t nr, size_t size)
{
	char *grown = reallocarray(entries, nr + 1, size);

	if (grown)
		memset(grown + nr * size, 0, size);
	return grown;
}

/* A directory that does not exist has no entries. */
static int unless_missing(int err)
{
	return err == -ENOENT ? 0 : err;
}

/* A file of configfs; "" if it does not exist, is not readable, or is not set. */
static void read_file(char *text, size_t size, const char *dir, const char *file)
{
	if (sysfs_read_text(text, size, "%s/%s", dir, file) || !strcmp(text, "(null)"))
		*text = '\0';
}

/*
 * Network cards
 */

struct nic_reader {
	struct target_port *port;
	const char *sysfs;
	const char *interface;	/* only RDMA devices of this one; NULL: all */
	char path[512];		/* of the RDMA device, and then of its parts */
};

static int is_interface(void *ctx, const char *name)
{
	struct nic_reader *reader = ctx;
	char interface[PCI_NAME_LEN];

	/* An entry that is not in use cannot be read */
	return !sysfs_read_text(interface, sizeof(interface), "%s/%s", reader->path, name) &&
	       !strcmp(interface, reader->interface);
}

static int port_has_interface(void *ctx, const char *name)
{
	struct nic_reader *reader = ctx, table = *reader;

	return !sysfs_path(table.path, sizeof(table.path), "%s/%s/gid_attrs/ndevs", reader->path,
			   name) && sysfs_for_each(table.path, is_interface, &table) > 0;
}

/* Whether an RDMA device belongs to the interface. IPoIB and iWARP have no table of interfaces. */
static bool has_interface(struct nic_reader *reader, const char *rdma)
{
	char pci[PCI_NAME_LEN], own[PCI_NAME_LEN];

	if (!reader->interface)
		return true;
	if (!sysfs_path(reader->path, sizeof(reader->path), "%s/class/infiniband/%s/ports",
			reader->sysfs, rdma) &&
	    sysfs_for_each(reader->path, port_has_interface, reader) > 0)
		return true;
	return !device_pci(reader->sysfs, reader->interface, pci, sizeof(pci)) &&
	       !device_pci(reader->sysfs, rdma, own, sizeof(own)) && !strcmp(pci, own);
}

/*
 * Software that uses the CPU. Old kernels have it below the PCI function of its network interface,
 * and so has the test aid of the series, which does take peer memory.
 */
static bool is_software(const char *sysfs, const char *rdma)
{
	char words[64];

	return !sysfs_exists("%s/%s", sysfs, p2pmem_class(sysfs)) &&
	       (sysfs_exists("%s/class/infiniband/%s/parent", sysfs, rdma) ||
		(!sysfs_read_text(words, sizeof(words), "%s/class/infiniband/%s/node_desc", sysfs,
				  rdma) && !strncmp(words, "Software", strlen("Software"))));
}

static int add_nic(void *ctx, const char *rdma)
{
	struct nic_reader *reader = ctx;
	struct target_port *port = reader->port;
	struct target_nic *nic;

	if (strlen(rdma) >= sizeof(nic->name) || !has_interface(reader, rdma))
		return 0;
	nic = grow(port->nics, port->nr_nics, sizeof(*nic));
	if (!nic)
		return -ENOMEM;
	port->nics = nic;
	nic += port->nr_nics++;
	strcpy(nic->name, rdma);
	if (is_software(reader->sysfs, rdma) ||
	    device_pci(reader->sysfs, rdma, nic->pci, sizeof(nic->pci)))
		*nic->pci = '\0';
	return 0;
}

/* An address as bytes, in @size bytes; a scope ("%eth0") is ignored. Returns its family, or 0. */
static int address_parse(const char *text, void *bytes)
{
	char host[64];

	snprintf(host, sizeof(host), "%.*s", (int)strcspn(text, "%"), text);
	if (inet_pton(AF_INET, host, bytes) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, host, bytes) == 1 ? AF_INET6 : 0;
}

static bool has_address(const struct ifaddrs *at, int family, const void *bytes)
{
	if (!at->ifa_addr || at->ifa_addr->sa_family != family)
		return false;
	if (family == AF_INET)
		return !memcmp(&((struct sockaddr_in *)at->ifa_addr)->sin_addr, bytes, 4);
	return !memcmp(&((struct sockaddr_in6 *)at->ifa_addr)->sin6_addr, bytes, 16);
}

static int find_nics(struct target_port *port, const char *sysfs, const struct ifaddrs *addresses)
{
	struct nic_reader reader = { .port = port, .sysfs = sysfs };
	static const char any[16];
	char bytes[16] = "", path[512];
	int family = address_parse(port->address, bytes), err;

	port->any_address = family && !memcmp(bytes, any, sizeof(any));
	for (; family && !port->any_address && addresses; addresses = addresses->ifa_next)
		if (has_address(addresses, family, bytes))
			snprintf(port->interface, sizeof(port->interface), "%s",
				 addresses->ifa_name);
	if (strcmp(port->transport, "rdma") || (!port->any_address && !*port->interface))
		return 0;
	reader.interface = port->any_address ? NULL : port->interface;
	err = sysfs_path(path, sizeof(path), "%s/class/infiniband", sysfs);
	if (!err)
		err = sysfs_for_each(path, add_nic, &reader);
	return unless_missing(err);
}

/*
 * Drives
 */

static const char *stacked_problem(const char *sysfs, const char *block)
{
	static const struct {
		const char *file, *problem;
	} kinds[] = {
		{ "dm", "the drive is a device-mapper device, and stacked devices use no peer "
			"memory" },
		{ "md", "the drive is an MD array, and stacked devices use no peer memory" },
		{ "loop", "the drive is a loop device, whose data goes through the page cache" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (sysfs_exists("%s/class/block/%s/%s", sysfs, block, kinds[i].file))
			return kinds[i].problem;
	if (!strncmp(block, "nvme", strlen("nvme")))
		return "the drive is an NVMe drive with several paths or of another host, which "
		       "belongs to no PCI function";
	return "the drive does not belong to a PCI function";
}

static void read_drive(struct target_drive *drive, const char *sysfs, const char *path)
{
	static const char dev[] = "/dev/";
	char *real = realpath(path, NULL);
	const char *at = real ?: path;

	if (!*path) {
		drive->problem = "no device_path is set, or it cannot be read";
	} else if (strncmp(at, dev, strlen(dev))) {
		drive->problem = "the drive is a file";
	} else {
		snprintf(drive->name, sizeof(drive->name), "%s", at + strlen(dev));
		/* The names of some devices contain a slash, which is a directory below /dev */
		for (char *slash; (slash = strchr(drive->name, '/'));)
			*slash = '!';
		if (!sysfs_exists("%s/class/block/%s", sysfs, drive->name))
			drive->problem = "no block device of this name exists";
		else if (device_pci(sysfs, drive->name, drive->pci, sizeof(drive->pci)))
			drive->problem = stacked_problem(sysfs, drive->name);
	}
	if (drive->problem)
		*drive->pci = '\0';
	else
		pci_driver(sysfs, drive->pci, drive->driver, sizeof(drive->driver));
	free(real);
}

/*
 * Ports, subsystems and namespaces
 */

struct reader {
	struct target *target;
	struct target_subsystem *subsystem;
	const char *configfs;
	const struct live_roots *roots;
	const struct ifaddrs *addresses;
};

static int add_port(void *ctx, const char *name)
{
	struct reader *reader = ctx;
	struct target *target = reader->target;
	struct target_port *port = grow(target->ports, target->nr_ports, sizeof(*port));
	char dir[512];

	if (!port)
		return -ENOMEM;
	target->ports = port;
	port += target->nr_ports++;
	if (strlen(name) >= sizeof(port->name) ||
	    sysfs_path(dir, sizeof(dir), "%s/" NVMET_PORTS "/%s", reader->configfs, name))
		return -ENAMETOOLONG;
	strcpy(port->name, name);
	read_file(port->transport, sizeof(port->transport), dir, "addr_trtype");
	read_file(port->address, sizeof(port->address), dir, "addr_traddr");
	read_file(port->service, sizeof(port->service), dir, "addr_trsvcid");
	return find_nics(port, reader->roots->sysfs, reader->addresses);
}

/* NULL if there is no memory. */
static struct target_binding *add_binding(struct target_namespace *ns)
{
	struct target_binding *bindings = grow(ns->bindings, ns->nr_bindings, sizeof(*bindings));

	if (!bindings)
		return NULL;
	ns->bindings = bindings;
	return &bindings[ns->nr_bindings++];
}

/* With the series for 6.12, a namespace has a file with a line per controller. */
static int read_bindings(struct target_namespace *ns, const char *dir)
{
	char path[1024], line[128];
	int err = 0;
	FILE *file;

	if (sysfs_path(path, sizeof(path), "%s/p2pmem_bindings", dir))
		return -ENAMETOOLONG;
	file = fopen(path, "re");
	if (!file)
		return 0;
	ns->shows_bindings = true;
	while (!err && fgets(line, sizeof(line), file)) {
		struct target_binding binding, *added;

		if (sscanf(line, "cntlid=%u dev=%31s distance=%*d err=%31s", &binding.controller,
			   binding.dev, binding.err) != 3)
			continue;
		added = add_binding(ns);
		if (added)
			*added = binding;
		else
			err = -ENOMEM;
	}
	fclose(file);
	return err;
}

struct controller_reader {
	struct target_namespace *ns;
	const char *dir;
};

/* A file of debugfs, with a line per namespace that is bound, or was until the memory went. */
static int read_controller(void *ctx, const char *name)
{
	struct controller_reader *reader = ctx;
	char path[1024], line[128], nsid[16], dev[PCI_NAME_LEN], gone[8];
	struct target_binding *binding;
	unsigned int controller;
	FILE *file;

	if (sscanf(name, "ctrl%u", &controller) != 1)
		return 0;
	if (sysfs_path(path, sizeof(path), "%s/%s/p2pmem", reader->dir, name))
		return -ENAMETOOLONG;
	file = fopen(path, "re");
	/* Controllers that cannot be bound have none */
	if (!file)
		return 0;
	binding = add_binding(reader->ns);
	if (binding) {
		*binding = (struct target_binding) { controller, "-", "-ENODEV" };
		while (fgets(line, sizeof(line), file)) {
			int words = sscanf(line, "nsid %15s %31s %*s %7s", nsid, dev, gone);

			if (words < 2 || strcmp(nsid, reader->ns->nsid))
				continue;
			strcpy(binding->dev, words == 2 ? dev : "-");
			strcpy(binding->err, words == 2 ? "0" : "-ESHUTDOWN");
		}
	}
	fclose(file);
	return binding ? 0 : -ENOMEM;
}

/* With the series for 7.3, each controller has a file with a line per namespace. */
static int read_controllers(struct target_namespace *ns, const struct live_roots *roots,
			    const char *nqn)
{
	struct controller_reader reader = { .ns = ns };
	char dir[768];

	if (!sysfs_exists("%s/" P2PMEM_CLASS, roots->sysfs))
		return 0;
	if (sysfs_path(dir, sizeof(dir), "%s/" NVMET "/%s", roots->debugfs, nqn))
		return -ENAMETOOLONG;
	if (!sysfs_exists("%s", dir))
		return 0;
	ns->shows_bindings = true;
	if (!ns->enabled || !*ns->asks || !strcmp(ns->asks, "0"))
		return 0;
	reader.dir = dir;
	return unless_missing(sysfs_for_each(dir, read_controller, &reader));
}

static int add_namespace(void *ctx, const char *nsid)
{
	struct reader *reader = ctx;
	struct target_subsystem *subsystem = reader->subsystem;
	struct target_namespace *ns = grow(subsystem->namespaces, subsystem->nr_namespaces,
					   sizeof(*ns));
	char dir[768], enabled[8];
	int err;

	if (!ns)
		return -ENOMEM;
	subsystem->namespaces = ns;
	ns += subsystem->nr_namespaces++;
	if (strlen(nsid) >= sizeof(ns->nsid) ||
	    sysfs_path(dir, sizeof(dir), "%s/" NVMET_SUBSYSTEMS "/%s/namespaces/%s",
		       reader->configfs, subsystem->nqn, nsid))
		return -ENAMETOOLONG;
	strcpy(ns->nsid, nsid);
	read_file(ns->path, sizeof(ns->path), dir, "device_path");
	read_file(ns->asks, sizeof(ns->asks), dir, "p2pmem");
	read_file(enabled, sizeof(enabled), dir, "enable");
	ns->enabled = !strcmp(enabled, "1");
	read_drive(&ns->drive, reader->roots->sysfs, ns->path);
	err = read_bindings(ns, dir);
	return err ?: read_controllers(ns, reader->roots, subsystem->nqn);
}

static int add_exports(struct reader *reader)
{
	struct target_subsystem *subsystem = reader->subsystem;

	for (size_t i = 0; i < reader->target->nr_ports; i++) {
		size_t *port;

		if (!sysfs_exists("%s/" NVMET_PORTS "/%s/subsystems/%s", reader->configfs,
				  reader->target->ports[i].name, subsystem->nqn))
			continue;
		port = grow(subsystem->ports, subsystem->nr_ports, sizeof(*port));
		if (!port)
			return -ENOMEM;
		subsystem->ports = port;
		port[subsystem->nr_ports++] = i;
	}
	return 0;
}

static int add_subsystem(void *ctx, const char *nqn)
{
	struct reader *reader = ctx;
	struct target *target = reader->target;
	struct target_subsystem *subsystem = grow(target->subsystems, target->nr_subsystems,
						  sizeof(*subsystem));
	char dir[768], passthru[8];
	int err;

	if (!subsystem)
		return -ENOMEM;
	target->subsystems = subsystem;
	subsystem += target->nr_subsystems++;
	if (strlen(nqn) >= sizeof(subsystem->nqn) ||
	    sysfs_path(dir, sizeof(dir), "%s/" NVMET_SUBSYSTEMS "/%s", reader->configfs, nqn))
		return -ENAMETOOLONG;
	strcpy(subsystem->nqn, nqn);
	read_file(passthru, sizeof(passthru), dir, "passthru/enable");
	subsystem->passthru = !strcmp(passthru, "1");
	strcat(dir, "/namespaces");
	reader->subsystem = subsystem;
	err = sysfs_for_each(dir, add_namespace, reader);
	return err == -ENOENT ? 0 : err ?: add_exports(reader);
}

static int no_target(const char *configfs, const struct live_roots *roots)
{
	bool no_configfs = kernel_option(roots, "CONFIG_CONFIGFS_FS") == ABSENT;
	struct statfs fs;

	/* The second depends on the first */
	if (no_configfs || kernel_option(roots, "CONFIG_NVME_TARGET") == ABSENT)
		return fail(EXIT_KERNEL, "this kernel was built without the NVMe target; boot one "
			    "with %sCONFIG_NVME_TARGET", no_configfs ? "CONFIG_CONFIGFS_FS and " :
			    "");
	if (statfs(configfs, &fs) || fs.f_type != CONFIGFS_MAGIC)
		return fail(EXIT_KERNEL, "configfs, which describes the NVMe target, is not "
			    "mounted on %s; run 'modprobe nvmet' and 'mount -t configfs none %s'",
			    configfs, configfs);
	return fail(EXIT_KERNEL, "the NVMe target is not loaded (no %s/nvmet); run 'modprobe "
		    "nvmet', or boot a kernel with CONFIG_NVME_TARGET", configfs);
}

int target_read(struct target *target, const char *configfs, const struct live_roots *roots,
		const struct ifaddrs *addresses)
{
	struct reader reader = {
		.target = target, .configfs = configfs, .roots = roots,
		.addresses = addresses,
	};
	char path[512];
	int err;

	memset(target, 0, sizeof(*target));
	if (!sysfs_exists("%s/nvmet", configfs))
		return no_target(configfs, roots);
	err = sysfs_path(path, sizeof(path), "%s/" NVMET_PORTS, configfs);
	if (!err)
		err = sysfs_for_each(path, add_port, &reader);
	if (!err)
		err = sysfs_path(path, sizeof(path), "%s/" NVMET_SUBSYSTEMS, configfs);
	if (!err)
		err = sysfs_for_each(path, add_subsystem, &reader);
	if (err == -EACCES)
		return fail(EXIT_KERNEL, "not permitted to read %s/nvmet; run p2ptrace nvmet as "
			    "root", configfs);
	if (err)
		return fail(EXIT_OTHER, "cannot read %s/nvmet: %s; run it again", configfs,
			    strerror(-err));
	return 0;
}

void target_free(struct target *target)
{
	for (size_t i = 0; i < target->nr_ports; i++)
		free(target->ports[i].nics);
	for (size_t i = 0; i < target->nr_subsystems; i++) {
		struct target_subsystem *subsystem = &target->subsystems[i];

		for (size_t n = 0; n < subsystem->nr_namespaces; n++)
			free(subsystem->namespaces[n].bindings);
		free(subsystem->namespaces);
		free(subsystem->ports);
	}
	free(target->ports);
	free(target->subsystems);
	memset(target, 0, sizeof(*target));
}
