// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/btf.h>
#include <zlib.h>

#include "lib/text.h"
#include "lib/units.h"
#include "machine/functions.h"
#include "machine/host.h"
#include "machine/kernel.h"
#include "machine/live.h"
#include "machine/machine.h"
#include "machine/sysfs.h"

static void copy(char *to, size_t size, const char *from)
{
	text_word(to, size, from, strlen(from));
}

static void read_kernel(struct machine *machine)
{
	struct utsname name;

	if (uname(&name))
		return;
	copy(machine->kernel, sizeof(machine->kernel), name.release);
	copy(machine->arch, sizeof(machine->arch), name.machine);
}

/* The value in a line "KEY : VALUE" of /proc/cpuinfo; NULL for another key. */
static char *cpu_value(char *line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len))
		return NULL;
	line += len + strspn(line + len, " \t");
	if (*line++ != ':')
		return NULL;
	line += strspn(line, " \t");
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* Whether a list that is separated by blanks has a word. */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; *list; list += strspn(list, " ")) {
		size_t n = strcspn(list, " ");

		if (n == len && !strncmp(list, word, n))
			return true;
		list += n;
	}
	return false;
}

/* Sets *@guest to whether the CPU says that there is a hypervisor; only x86 says it. */
static void read_cpu(struct machine *machine, const char *procfs, enum presence *guest)
{
	char path[PATH_MAX], *line = NULL, *value;
	size_t size = 0;
	FILE *file;

	*guest = PRESENCE_UNKNOWN;
	if (sysfs_path(path, sizeof(path), "%s/cpuinfo", procfs))
		return;
	file = fopen(path, "re");
	if (!file)
		return;
	strcpy(machine->cpu_vendor, "-");
	machine->cpu_family = NONE;
	while (getline(&line, &size, file) > 0 && *line != '\n') {
		unsigned int family;

		value = cpu_value(line, "vendor_id");
		if (value)
			copy(machine->cpu_vendor, sizeof(machine->cpu_vendor), value);
		value = cpu_value(line, "cpu family");
		if (value && sscanf(value, "%9u", &family) == 1)
			machine->cpu_family = family;
		value = cpu_value(line, "flags");
		if (value)
			*guest = has_word(value, "hypervisor") ? PRESENT : ABSENT;
	}
	free(line);
	fclose(file);
}

/*
 * Hypervisors by what their firmware calls the machine. The words are from this list, never from
 * the machine: these strings may be anything, and some owners write there what is private.
 */
static const struct {
	const char *vendor, *product;	/* the beginning of each; NULL: any */
	const char *name;
} hypervisors[] = {
	{ "QEMU", NULL, "KVM/QEMU" },
	{ "Red Hat", "KVM", "KVM/QEMU" },
	{ "Red Hat", "RHEL", "KVM/QEMU" },
	{ NULL, "OpenStack", "KVM/QEMU" },
	{ NULL, "KVM", "KVM/QEMU" },
	{ "VMware", NULL, "VMware" },
	{ "Microsoft Corporation", "Virtual Machine", "Hyper-V" },
	{ "Xen", NULL, "Xen" },
	{ NULL, "VirtualBox", "VirtualBox" },
	{ "Parallels", "Parallels", "Parallels" },
	{ NULL, "BHYVE", "bhyve" },
	{ "Google", "Google Compute Engine", "Google" },
};

static bool begins(const char *text, const char *beginning)
{
	return !strncmp(text, beginning, strlen(beginning));
}

/* NULL if the firmware names none. Sets *@known to whether the firmware could be asked. */
static const char *hypervisor_of_firmware(const char *sysfs, bool *known)
{
	char vendor[128], product[128];

	*known = !sysfs_read_text(vendor, sizeof(vendor), "%s/class/dmi/id/sys_vendor", sysfs);
	if (!*known)
		return NULL;
	if (sysfs_read_text(product, sizeof(product), "%s/class/dmi/id/product_name", sysfs))
		*product = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(hypervisors); i++)
		if ((!hypervisors[i].vendor || begins(vendor, hypervisors[i].vendor)) &&
		    (!hypervisors[i].product || begins(product, hypervisors[i].product)))
			return hypervisors[i].name;
	/* It also has machines without a hypervisor: c7g.metal */
	if (begins(vendor, "Amazon EC2") && !strstr(product, ".metal"))
		return "Amazon";
	return NULL;
}

/* NULL if the device tree names none, or there is none. */
static const char *hypervisor_of_device_tree(const char *procfs)
{
	char text[256];

	if (!sysfs_read_text(text, sizeof(text), "%s/device-tree/hypervisor/compatible", procfs))
		return begins(text, "xen") ? "Xen" : begins(text, "linux,kvm") ? "KVM/QEMU" :
		       "other";
	if (!sysfs_read_text(text, sizeof(text), "%s/device-tree/compatible", procfs) &&
	    begins(text, "linux,dummy-virt"))
		return "KVM/QEMU";
	return NULL;
}

#define XEN_DOM0 (1u << 11)	/* XENFEAT_dom0, in include/xen/interface/features.h */

/* The first domain of Xen owns the hardware, and has the IOMMU and the bridges of the machine. */
static bool is_first_domain(const struct live_roots *roots)
{
	unsigned int features;
	char text[64];

	if (!sysfs_read_text(text, sizeof(text), "%s/xen/capabilities", roots->procfs))
		return strstr(text, "control_d") != NULL;
	return !sysfs_read_text(text, sizeof(text), "%s/hypervisor/properties/features",
				roots->sysfs) &&
	       sscanf(text, "%8x", &features) == 1 && features & XEN_DOM0;
}

static void read_hypervisor(struct machine *machine, const struct live_roots *roots,
			    enum presence guest)
{
	const char *name = NULL;
	bool known = false;
	char type[16];

	if (!sysfs_read_text(type, sizeof(type), "%s/hypervisor/type", roots->sysfs) &&
	    !strcmp(type, "xen"))
		name = "Xen";
	if (!name)
		name = hypervisor_of_firmware(roots->sysfs, &known);
	if (!name)
		name = hypervisor_of_device_tree(roots->procfs);
	if (guest == ABSENT || is_first_domain(roots) ||
	    (guest == PRESENCE_UNKNOWN && !name && known))
		name = "-";
	else if (guest == PRESENT && !name)
		name = "other";
	if (name)
		strcpy(machine->hypervisor, name);
}

/*
 * The words of the command line that machine->options has, and no others: the rest is private. The
 * kernel takes dashes and underscores for the same.
 */
static const char *const wanted[] = {
	"pci=", "iommu=", "intel_iommu=", "amd_iommu=", "iommu.passthrough=", "iommu.strict=",
	"arm_smmu.", "arm_smmu_v3.", "pcie_acs_override=", "config_acs", "disable_acs_redir",
};

static bool is_wanted(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		size_t n = 0;

		while (wanted[i][n] && (word[n] == '-' ? '_' : word[n]) == wanted[i][n])
			n++;
		if (!wanted[i][n])
			return true;
	}
	return false;
}

/*
 * Cuts off the first word, as next_arg() of the kernel does: blanks inside of double quotes are
 * part of it, and quotes around the word or around its value are not.
 */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t\n"), *end, *equals;
	bool quoted = false;
	size_t len;

	for (end = word; *end && (quoted || !isspace((unsigned char)*end)); end++)
		quoted ^= *end == '"';
	*rest = *end ? end + 1 : end;
	*end = '\0';
	if (!*word)
		return NULL;
	len = end - word;
	equals = strchr(word, '=');
	if (len > 1 && *word == '"') {
		word++;
		len--;
		if (word[len - 1] == '"')
			word[len - 1] = '\0';
	} else if (equals && equals[1] == '"') {
		if (word[len - 1] == '"' && word + len - 1 > equals + 1)
			word[len - 1] = '\0';
		memmove(equals + 1, equals + 2, strlen(equals + 2) + 1);
	}
	return word;
}

static int add_option(struct machine *machine, const char *word)
{
	size_t len = strlen(word), size = 4 * len + 1;
	char *printable = malloc(size);
	int err;

	if (!printable)
		return -ENOMEM;
	text_printable(printable, size, word, len);
	err = machine_add_option(machine, printable);
	free(printable);
	return err;
}

static int read_options(struct machine *machine, const char *procfs)
{
	char path[PATH_MAX], *line = NULL, *rest, *word;
	size_t size = 0;
	FILE *file;
	int err = 0;

	if (sysfs_path(path, sizeof(path), "%s/cmdline", procfs))
		return 0;
	file = fopen(path, "re");
	if (!file)
		return 0;
	machine->options_known = getdelim(&line, &size, '\0', file) > 0;
	fclose(file);
	rest = line;
	/* The words after "--" are for the first process */
	while (machine->options_known && !err && (word = next_word(&rest)) && strcmp(word, "--"))
		if (is_wanted(word))
			err = add_option(machine, word);
	free(line);
	if (err == -ENOSPC) {
		machine->options_known = false;
		err = 0;
	}
	return err;
}

#define P2PDMA_FUNCTION "pci_p2pdma_distance_many"

static int visit_symbol(void *ctx, uint64_t addr, char *name)
{
	(void)ctx;
	(void)addr;
	return strcmp(name, P2PDMA_FUNCTION) ? 0 : -EEXIST;
}

static enum presence p2pdma_of_btf(const char *path)
{
	struct btf *btf = btf__parse(path, NULL);
	enum presence presence;

	if (!btf)
		return PRESENCE_UNKNOWN;
	presence = kernel_support(btf) == KERNEL_NOTHING ? ABSENT : PRESENT;
	btf__free(btf);
	return presence;
}

static enum presence p2pdma_of_symbols(const char *procfs)
{
	char path[PATH_MAX];

	if (sysfs_path(path, sizeof(path), "%s/kallsyms", procfs))
		return PRESENCE_UNKNOWN;
	switch (kallsyms_walk(path, visit_symbol, NULL)) {
	case -EEXIST:
		return PRESENT;
	case 1:
		return ABSENT;
	default:
		return PRESENCE_UNKNOWN;
	}
}

/* The file may be compressed. An option that is off has no value. */
static enum presence find_option(const char *path, const char *option)
{
	enum presence presence = PRESENCE_UNKNOWN;
	gzFile file = gzopen(path, "re");
	size_t len = strlen(option);
	char line[256];

	if (!file)
		return PRESENCE_UNKNOWN;
	while (presence != PRESENT && gzgets(file, line, sizeof(line))) {
		if (begins(line, "CONFIG_"))
			presence = ABSENT;
		if (begins(line, option) &&
		    (!strcmp(line + len, "=y\n") || !strcmp(line + len, "=m\n")))
			presence = PRESENT;
	}
	gzclose(file);
	return presence;
}

enum presence kernel_option(const struct live_roots *roots, const char *option)
{
	enum presence presence = PRESENCE_UNKNOWN;
	struct utsname name;
	char path[PATH_MAX];

	if (!uname(&name) && !sysfs_path(path, sizeof(path), "%s/config-%s", roots->boot,
					 name.release))
		presence = find_option(path, option);
	if (!presence && !sysfs_path(path, sizeof(path), "%s/config.gz", roots->procfs))
		presence = find_option(path, option);
	return presence;
}

static void read_p2pdma(struct machine *machine, const struct live_roots *roots)
{
	machine->p2pdma = p2pdma_of_btf(roots->btf);
	if (!machine->p2pdma)
		machine->p2pdma = p2pdma_of_symbols(roots->procfs);
	if (!machine->p2pdma)
		machine->p2pdma = kernel_option(roots, "CONFIG_PCI_P2PDMA");
}

int host_read(struct machine *machine, const struct live_roots *roots)
{
	enum presence guest;

	read_kernel(machine);
	read_cpu(machine, roots->procfs, &guest);
	read_hypervisor(machine, roots, guest);
	read_p2pdma(machine, roots);
	return read_options(machine, roots->procfs);
}
