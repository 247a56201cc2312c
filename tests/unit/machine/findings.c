// SPDX-License-Identifier: GPL-2.0
/* What people ask about a pair is answered: the cases of tests/field/cases.txt, and details. */
#include "unit.h"
#include "machine/drawing.h"
#include "machine/findings.h"

static struct drawings drawings;
static struct machine *machine;
static struct findings findings;
static struct buffer all;

static int setup(void **state)
{
	FILE *file = drawings_open_cases();

	(void)state;
	assert_non_null(file);
	assert_int_equal(drawings_read(&drawings, file), 0);
	fclose(file);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	drawings_free(&drawings);
	findings_free(&findings);
	buffer_free(&all);
	return 0;
}

static void draw(const char *name, const char *cpu)
{
	for (size_t i = 0; i < drawings.nr; i++)
		if (!strcmp(drawings.all[i].name, name))
			machine = &drawings.all[i].machine;
	assert_non_null(machine);
	assert_true(drawing_set_cpu(machine, cpu));
	machine->options_known = true;
}

static struct function *at(const char *name)
{
	struct function *function = machine_find(machine, name);

	assert_non_null(function);
	return function;
}

/* All findings, as "LEVEL: TEXT\n" and the commands. */
static const char *ask(const char *release_text, const char *provider, const char *client)
{
	struct release release;
	struct pair pair;

	assert_int_equal(release_parse(release_text, &release), 0);
	pair_set(&pair, machine, &release, machine_index(machine, at(provider)),
		 machine_index(machine, at(client)));
	findings_free(&findings);
	findings_gather(&findings, &pair);
	assert_false(findings.failed);
	buffer_reset(&all);
	for (size_t i = 0; i < findings.nr; i++)
		buffer_printf(&all, "%s: %s\n%s", level_name(findings.list[i].level),
			      findings.list[i].text.data, buffer_text(&findings.list[i].commands));
	return buffer_text(&all);
}

static void assert_says(const char *text)
{
	if (!strstr(buffer_text(&all), text))
		fail_msg("'%s' is not in:\n%s", text, buffer_text(&all));
}

static void assert_does_not_say(const char *text)
{
	if (strstr(buffer_text(&all), text))
		fail_msg("'%s' is in:\n%s", text, buffer_text(&all));
}

static void the_host_bridge_is_named_and_looked_up(void **state)
{
	(void)state;
	draw("two-gpus-two-root-ports", "intel");
	strcpy(at("0000:00:00.0")->title, "Some Bridge");
	ask("7.0", "0000:03:00.0", "0000:07:00.0");
	assert_says("note: The kernel identifies the host bridge of pci0000:00 by the first "
		    "function on its root bus: 0000:00:00.0, 8086:4c43 (Some Bridge). It is not "
		    "on the kernel's list of host bridges that forward peer requests, in any "
		    "release from 5.4 to 7.3.");
	assert_says("caution: This kernel refuses the pair because it does not know whether the "
		    "hardware forwards peer requests. Do not override it");
	assert_says("remedy: Put both devices below one more switch: they share none of those that "
		    "they have now. If its ports redirect peer requests (ACS), the kernel still "
		    "refuses the pair: run p2ptrace peers again.\n"
		    "remedy: Or ask the vendor of the CPU whether its host bridge forwards peer "
		    "requests. If so, linux-pci@vger.kernel.org");
	/* A path that is refused needs no caution about its use */
	assert_does_not_say("root complex");
	assert_does_not_say("disable_acs_redir");
}

static void redirecting_ports_are_listed_with_remedies_to_paste(void **state)
{
	(void)state;
	draw("two-gpus-one-switch-acs-on", "intel");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("note: On the way to the shared bridge 0000:0a:00.0, these ports redirect peer "
		    "requests, in the kernel's order: 0000:0d:01.0, 0000:0b:00.0, 0000:11:01.0, "
		    "0000:0b:10.0.");
	assert_says("remedy: To make the path direct, boot with the option below. The devices "
		    "below these ports then lose the isolation");
	assert_says("\n# the option itself, for any boot loader:\n"
		    "\"pci=disable_acs_redir=0000:0d:01.0;0000:0b:00.0;0000:11:01.0;"
		    "0000:0b:10.0\"\n");
	assert_says("\ngrubby --update-kernel=ALL --args='\"pci=disable_acs_redir=0000:0d:01.0;");
	assert_says("pci=config_acs=x0x00xx@0000:0d:01.0;x0x00xx@0000:0b:00.0;"
		    "x0x00xx@0000:11:01.0;x0x00xx@0000:0b:10.0\\\"\"\n");
	assert_says("note: Above the shared bridge, where the kernel does not look, one port "
		    "redirects as well: 0000:00:01.0.");
	assert_does_not_say("allowed already");
	assert_says("caution: The redirected path leads through the host bridge");
	assert_says("\nsetpci -s 0000:0d:01.0 ECAP_ACS+6.w=0:2c\n"
		    "setpci -s 0000:0b:00.0 ECAP_ACS+6.w=0:2c\n"
		    "setpci -s 0000:11:01.0 ECAP_ACS+6.w=0:2c\n"
		    "setpci -s 0000:0b:10.0 ECAP_ACS+6.w=0:2c\n");
	assert_says("lose the isolation");
	assert_does_not_say("both devices below one switch");
	assert_says("remedy: Or ask the vendor of the CPU");
	ask("6.10", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("config_acs");
	assert_int_equal(machine_add_option(machine, "pci=config_acs=x1@0000:00:01.0"), 0);
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says(";x0x00xx@0000:0b:10.0;x1@0000:00:01.0\\\"\"\n");
	draw("two-gpus-one-switch-acs-off", "intel");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("redirect");
	assert_does_not_say("remedy");
}

static void one_port_is_not_called_several(void **state)
{
	(void)state;
	draw("amd-gpus-one-switch-acs-on", "intel");
	at("0000:2e:00.0")->acs.ctrl = at("0000:30:00.0")->acs.ctrl = 0;
	at("0000:33:00.0")->acs.ctrl = 0;
	ask("6.12", "0000:31:00.0", "0000:34:00.0");
	assert_says("note: On the way to the shared bridge 0000:2d:00.0, one port redirects peer "
		    "requests: 0000:2e:10.0.");
	assert_says("The devices below this port then lose the isolation");
	draw("xeon-whose-first-function-is-an-accelerator", "intel");
	ask("7.3", "0000:6a:00.0", "0000:16:00.0");
	assert_says("On the way, one port redirects requests or completions (ACS): 0000:15:01.0.");
	ask("6.12", "0000:6a:00.0", "0000:16:00.0");
	assert_does_not_say("0000:15:01.0");
}

static void what_a_boot_option_replaces_is_said_as_far_as_it_is_known(void **state)
{
	(void)state;
	draw("two-gpus-one-switch-acs-on", "intel");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("replaces");
	machine_add_option(machine, "pci=disable_acs_redir=0000:00:01.0");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("It replaces the pci=disable_acs_redir= in use, and includes its ports. The");
	draw("amd-gpus-one-switch-acs-on", "intel");
	machine->options_known = false;
	ask("6.12", "0000:31:00.0", "0000:34:00.0");
	assert_does_not_say("includes its ports");
	assert_says("If /proc/cmdline has pci=disable_acs_redir already, add its ports to the list "
		    "below: only the last such option counts. The");
	assert_says("if you use pci=config_acs (since Linux 6.11; early 6.11 kernels accept "
		    "only one port), with the ports that it has already; x leaves");
}

/*
 * The line for /etc/default/grub is read by a shell, and what it sets by GRUB, whose quotes are
 * those of a shell.
 */
static void the_boot_option_survives_a_shell_and_grub(void **state)
{
	const char *line, *end;
	char command[1024], word[512] = "";
	FILE *shell;

	(void)state;
	draw("two-gpus-one-switch-acs-on", "intel");
	line = strstr(ask("7.0", "0000:0e:00.0", "0000:12:00.0"), "\nGRUB_CMDLINE_LINUX=");
	assert_non_null(line);
	end = strchr(line + 1, '\n');
	snprintf(command, sizeof(command), "GRUB_CMDLINE_LINUX=quiet\n%.*s\n"
		 "eval \"set -- linux $GRUB_CMDLINE_LINUX\"\necho \"$# $2 $3\"",
		 (int)(end - line - 1), line + 1);
	shell = popen(command, "r");
	assert_non_null(shell);
	assert_non_null(fgets(word, sizeof(word), shell));
	pclose(shell);
	assert_string_equal(word, "3 quiet pci=disable_acs_redir=0000:0d:01.0;0000:0b:00.0;"
			    "0000:11:01.0;0000:0b:10.0\n");
}

static void a_path_through_the_root_complex_is_to_be_tested(void **state)
{
	static const char caution[] = "caution: All requests of this pair go through the root";

	(void)state;
	draw("amd-gpus-one-switch-acs-on", "zen");
	ask("6.12", "0000:31:00.0", "0000:34:00.0");
	assert_says(caution);
	assert_says("compare the data of a test transfer first.\n");
	/* Refused; one device; a guest, which gets advice of its own */
	draw("amd-gpus-one-switch-acs-on", "intel");
	ask("6.12", "0000:31:00.0", "0000:34:00.0");
	assert_does_not_say(caution);
	draw("virtual-functions", "intel");
	ask("6.12", "0000:3b:00.0", "0000:3c:00.1");
	assert_does_not_say(caution);
	draw("guest-440fx", "zen");
	ask("6.12", "0000:00:04.0", "0000:00:05.0");
	assert_does_not_say(caution);
}

static void ports_that_the_rule_ignores_are_shown(void **state)
{
	(void)state;
	draw("gpus-across-amd-host-bridges", "zen");
	ask("7.0", "0000:03:00.0", "0000:23:00.0");
	assert_says("caution: All requests of this pair go through the root complex, and through "
		    "the IOMMU if that translates. The kernel counts the root complex as able to "
		    "forward them, but did not check this path: compare the data of a test "
		    "transfer first. On the way, these ports redirect requests or completions "
		    "(ACS): 0000:02:01.0, 0000:00:01.1.\n");
	assert_says("note: The kernel allows every host bridge of AMD CPUs from family 0x17 (Zen) "
		    "on, whether or not it is on the kernel's list. This CPU is of family 0x19.");
	assert_says("by the first function on its root bus: 0000:00:00.0, 1022:153a.\n");
	assert_does_not_say("It is not on");
	drawing_set_cpu(machine, "old-amd");
	ask("7.0", "0000:03:00.0", "0000:23:00.0");
	assert_says("0000:00:00.0, 1022:153a. It is not on the kernel's list");
	assert_says("The CPU is an AMD CPU of family 0x15. The kernel allows all host bridges on "
		    "AMD CPUs only since family 0x17");
}

static void a_guest_gets_advice_for_its_host(void **state)
{
	(void)state;
	draw("guest-440fx", "intel");
	ask("6.12", "0000:00:04.0", "0000:00:05.0");
	assert_says("caution: This looks like a virtual machine (QEMU). Its PCI topology is made "
		    "up by the hypervisor.\n");
	assert_says("note: By their vendor ids, both devices are emulated by the hypervisor: there "
		    "is no real device behind them. How the hypervisor carries out their requests "
		    "is unknown here: compare the data of a test transfer before you use the "
		    "pair.\n");
	assert_says("remedy: Put both devices below one virtual switch: the kernel of the guest "
		    "then allows the pair. This machine has the type pc, without PCI Express: "
		    "change it to q35 first.");
	assert_says("\n# QEMU, machine type q35; give the two devices bus=down1 and bus=down2\n"
		    "-device pcie-root-port,id=root,chassis=21 \\\n");
	assert_says("id=down2,bus=up,chassis=23\n");
	assert_does_not_say("On the host");
	assert_does_not_say("vfio-pci,host");
	assert_does_not_say("Put both devices below one switch");
	assert_does_not_say("name of the CPU alone");
	drawing_set_cpu(machine, "zen");
	ask("6.12", "0000:00:04.0", "0000:00:05.0");
	assert_says("because of the name of the CPU alone. Whether the host forwards these "
		    "requests is unknown here.");
	assert_says("compare the data of a test transfer before you use the pair. In the guest, "
		    "there is nothing to change.\n");
	assert_does_not_say("virtual switch");
	strcpy(machine->hypervisor, "-");
	ask("6.12", "0000:00:04.0", "0000:00:05.0");
	assert_does_not_say("virtual machine");
	assert_does_not_say("emulated");
	strcpy(machine->hypervisor, "other");
	ask("6.12", "0000:00:04.0", "0000:00:05.0");
	assert_says("This is a virtual machine. Its");
	draw("guest-vmware", "intel");
	ask("6.12", "0000:03:00.0", "0000:0b:00.0");
	assert_says("This looks like a virtual machine (VMware)");
	assert_says("remedy: p2ptrace does not run on ESXi. Ask the operator of the host whether "
		    "both devices are below one PCIe switch, whether the host and the devices "
		    "support the options pciPassthru.allowP2P");
	assert_says("run p2ptrace peers in the guest again: its kernel only allows the pair if the "
		    "guest then sees one bridge above both devices.\n");
	assert_does_not_say("On the host");
	assert_does_not_say("q35");
	strcpy(machine->hypervisor, "Hyper-V");
	ask("6.12", "0000:03:00.0", "0000:0b:00.0");
	assert_says("Ask the vendor of the hypervisor how.");
	/* As machine/host.c calls it */
	strcpy(machine->hypervisor, "KVM/QEMU");
	ask("6.12", "0000:03:00.0", "0000:0b:00.0");
	assert_says("remedy: If the host allows it, put both devices below one virtual switch");
	assert_says("\n# QEMU, machine type q35; A and B are the PCI names on the host:\n");
	assert_says("bus=up,chassis=23 \\\n-device vfio-pci,host=A,bus=down1 \\\n"
		    "-device vfio-pci,host=B,bus=down2\n");
	assert_does_not_say("type pc");
	assert_does_not_say("x-nv-gpudirect-clique");
	at("0000:03:00.0")->vendor = at("0000:0b:00.0")->vendor = 0x10de;
	at("0000:03:00.0")->class = at("0000:0b:00.0")->class = 0x030200;
	ask("6.12", "0000:03:00.0", "0000:0b:00.0");
	assert_says("x-nv-gpudirect-clique=N of vfio-pci");
	at("0000:0b:00.0")->class = 0x020000;
	ask("6.12", "0000:03:00.0", "0000:0b:00.0");
	assert_does_not_say("x-nv-gpudirect-clique");
}

/* The host redirects what has addresses of the guest, whatever the guest's topology is. */
static void what_the_host_must_forward_is_said_to_a_guest(void **state)
{
	static const char condition[] =
		"remedy: On the host, or through its operator, run p2ptrace peers for the "
		"real devices. Use the pair only if the answer is thru_host_bridge, or if it is "
		"bus_addr and the client uses ATS. A device that is passed through sends addresses "
		"of the guest. Unless it uses ATS, its requests go up to the IOMMU and the root "
		"complex of the host, even if both devices are below one switch.";

	(void)state;
	draw("two-gpus-one-switch-acs-off", "intel");
	strcpy(machine->hypervisor, "KVM/QEMU");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says(condition);
	assert_does_not_say("virtual switch");
	ask("7.0", "0000:0e:00.0", "0000:0e:00.0");
	assert_does_not_say("On the host");
	draw("gpus-across-amd-host-bridges", "zen");
	strcpy(machine->hypervisor, "KVM/QEMU");
	ask("7.0", "0000:03:00.0", "0000:23:00.0");
	assert_says(condition);
	assert_says("Until then, do not use the pair. In the guest, there is nothing to change.\n");
	assert_does_not_say("virtual switch");
	at("0000:23:00.0")->vendor = 0x1af4;
	ask("7.0", "0000:03:00.0", "0000:23:00.0");
	assert_says("note: By its vendor id, the hypervisor emulates 0000:23:00.0, so no path in "
		    "the host leads to it. If 0000:03:00.0 is a real device, transfer");
	assert_does_not_say("On the host");
	ask("7.0", "0000:23:00.0", "0000:03:00.0");
	assert_says("emulates 0000:23:00.0, so no path in the host leads to it. If 0000:03:00.0");
}

static void the_list_says_for_which_pairs_it_holds(void **state)
{
	(void)state;
	draw("virtual-functions", "intel");
	ask("6.12", "0000:3d:00.0", "0000:3c:00.1");
	assert_says("The kernel's list of host bridges that forward peer requests has it since "
		    "Linux 5.6. The entry allows pairs below this host bridge, and pairs between "
		    "it and another one on the list.");
	at("0000:3a:00.0")->device = 0x2f00;
	ask("6.12", "0000:3d:00.0", "0000:3c:00.1");
	assert_says("has it since Linux 5.4. The entry allows only pairs below this one host "
		    "bridge.");
}

static void functions_of_one_device_are_named_as_such(void **state)
{
	(void)state;
	draw("virtual-functions", "intel");
	ask("6.12", "0000:3b:00.0", "0000:3c:00.1");
	assert_says("note: Both are functions of one device");
	ask("6.12", "0000:3c:00.1", "0000:3b:00.0");
	assert_says("note: Both are functions of one device");
	ask("6.12", "0000:3b:00.0", "0000:3b:00.2");
	assert_says("note: Both are functions of one device");
	ask("6.12", "0000:3d:00.0", "0000:3c:00.1");
	assert_does_not_say("functions of one device");
	ask("6.12", "0000:3b:00.0", "0000:3b:00.0");
	assert_does_not_say("functions of one device");
}

static void a_device_that_may_keep_its_requests_inside_needs_no_boot_option(void **state)
{
	(void)state;
	draw("virtual-functions", "intel");
	ask("6.12", "0000:3b:00.0", "0000:3c:00.1");
	assert_says("no port sees them, and neither ACS nor the host bridge matters; but the "
		    "kernel does not know that, and decides as for any other pair.");
	assert_says("note: The shared bridge 0000:3a:00.0 redirects peer requests.\n");
	assert_does_not_say("remedy");
	/* A kernel that refuses the pair does so whatever the device does */
	at("0000:3a:00.0")->device = 0x1234;
	ask("6.12", "0000:3b:00.0", "0000:3c:00.1");
	assert_says("\n\"pci=disable_acs_redir=0000:3a:00.0\"\n");
	at("0000:3a:00.0")->device = 0x2030;
}

static void a_function_in_no_slot_is_not_to_be_moved(void **state)
{
	(void)state;
	draw("xeon-whose-first-function-is-an-accelerator", "intel");
	ask("6.12", "0000:6a:00.0", "0000:16:00.0");
	assert_says("remedy: Boot Linux 7.2 or newer. It counts this hardware as able to forward "
		    "peer requests, so it allows the pair without an override. Compare the data "
		    "of a test transfer first.\n"
		    "remedy: Or transfer the data through system memory, or use another device in "
		    "place of 0000:6a:00.0, below one switch with 0000:16:00.0. 0000:6a:00.0 is "
		    "integrated into the root complex (the CPU or its chipset), so it cannot be "
		    "put below a switch.\n");
	assert_does_not_say("both devices below one switch");
	ask("6.12", "0000:6a:00.0", "0000:6a:02.0");
	assert_says("remedy: Or transfer the data through system memory. 0000:6a:00.0 is "
		    "integrated into the root complex (the CPU or its chipset), so it cannot be "
		    "put below a switch. 0000:6a:02.0 is integrated");
	draw("function-on-its-own-root-bus", "intel");
	ask("6.12", "0000:01:00.0", "0001:10:00.0");
	assert_says("remedy: Transfer the data through system memory, or use another device in "
		    "place of 0001:10:00.0, below one switch with 0000:01:00.0. Linux sees "
		    "0001:10:00.0 directly on a root bus, with no port above it, so it is probably "
		    "in no slot, and cannot be put below a switch.\n");
}

static void the_vendor_to_ask_is_that_of_the_host_bridge(void **state)
{
	(void)state;
	draw("function-on-its-own-root-bus", "intel");
	ask("6.12", "0000:01:00.0", "0001:10:00.0");
	assert_says("remedy: Or ask the vendor of 0001:10:00.0 (0c51), which the kernel takes for "
		    "the host bridge of pci0001:10, whether peer requests pass between it and "
		    "other root buses. If so, linux-pci@vger.kernel.org");
	assert_does_not_say("the vendor of the CPU");
	at("0000:00:00.0")->device = 0x1234;
	ask("6.12", "0000:01:00.0", "0001:10:00.0");
	assert_says("remedy: Or ask the vendor of the CPU whether its host bridge forwards peer "
		    "requests, and the vendor of 0001:10:00.0 (0c51)");
	draw("gpus-across-amd-host-bridges", "intel");
	ask("6.12", "0000:03:00.0", "0000:23:00.0");
	assert_says("remedy: Or ask the vendor of the CPU whether its host bridge forwards peer "
		    "requests. If so");
}

static void vmd_is_to_be_switched_off_only_if_that_helps(void **state)
{
	struct function *port;

	(void)state;
	draw("same-address-in-two-domains", "intel");
	ask("6.12", "0000:03:00.0", "10000:04:00.0");
	assert_says("note: VMD (Intel Volume Management Device) 0000:00:0e.0 puts 10000:04:00.0 "
		    "into a PCI domain of its own, below a host bridge of its own. Without VMD, it "
		    "is below the host bridge of 0000:00:0e.0. But switching VMD off does not "
		    "make the kernel allow the pair.\n"
		    "remedy: Put both devices below one switch. If");
	/* A host bridge on the list */
	at("0000:00:00.0")->device = 0x2020;
	ask("6.12", "0000:03:00.0", "10000:04:00.0");
	assert_says("Without VMD, it is below the host bridge of 0000:00:0e.0.\n"
		    "remedy: Switch VMD off in the firmware setup, unless a RAID volume needs it, "
		    "and run p2ptrace peers again.\n"
		    "remedy: Or put both devices below one switch.");
	ask("6.12", "10000:04:00.0", "0000:03:00.0");
	assert_says("remedy: Switch VMD off in the firmware setup");
	at("0000:00:00.0")->device = 0xa700;
	ask("6.12", "0000:03:00.0", "0000:00:0e.0");
	assert_does_not_say("VMD");
	/* Two behind one VMD: once */
	port = machine_add_function(machine, "10000:00:07.0");
	assert_non_null(port);
	port->root = at("10000:04:00.0")->root;
	port->parent = NONE;
	port->type = TYPE_ROOT_PORT;
	port->acs.presence = ABSENT;
	ask("6.12", "10000:00:07.0", "10000:04:00.0");
	assert_says("0000:00:0e.0 puts 10000:00:07.0 into");
	assert_does_not_say("0000:00:0e.0 puts 10000:04:00.0 into");
}

static void a_newer_kernel_that_allows_the_pair_is_a_remedy(void **state)
{
	(void)state;
	draw("arm-server-known-since-7", "arm");
	ask("6.12", "0009:01:00.0", "0019:01:00.0");
	assert_says("0009:00:00.0, 10de:2f95. It is: NVIDIA Vera Rubin root port. The kernel's "
		    "list of host bridges that forward peer requests has it since Linux 7.3, so "
		    "the list of Linux 6.12 does not have it.");
	assert_says("remedy: Boot Linux 7.3 or newer. It counts this hardware as able to forward "
		    "peer requests, so it allows the pair without an override. Compare the data "
		    "of a test transfer first.\n"
		    "remedy: Or put both devices below one switch. If its ports redirect");
	assert_does_not_say("ask the vendor");
	ask("7.3", "0009:01:00.0", "0019:01:00.0");
	assert_says("has it since Linux 7.3. The entry");
	assert_does_not_say("or newer");
	draw("function-on-its-own-root-bus", "intel");
	ask("5.4", "0000:01:00.0", "0001:10:00.0");
	assert_does_not_say("or newer");
	assert_says("root bus: 0001:10:00.0, 0c51:0110, which is the client itself.");
}

static void a_path_that_is_allowed_needs_no_remedy(void **state)
{
	(void)state;
	draw("amd-gpus-one-switch-acs-on", "zen");
	ask("6.12", "0000:31:00.0", "0000:34:00.0");
	assert_says("remedy: The transfer is allowed already, by a longer path. To make the path "
		    "direct");
}

static void the_first_release_whose_rules_allow_the_pair_is_named(void **state)
{
	(void)state;
	/* A root port that is not 00.0, which the kernel looks up since 5.19 */
	draw("virtual-functions", "intel");
	strcpy(at("0000:3a:00.0")->name, "0000:3a:05.0");
	ask("5.15", "0000:3d:00.0", "0000:3c:00.1");
	assert_says("remedy: Boot Linux 5.19 or newer.");
	assert_says("Before Linux 5.19, the kernel only looks up function 00.0");
	draw("gpus-across-amd-host-bridges", "zen");
	ask("5.6", "0000:03:00.0", "0000:23:00.0");
	assert_says("remedy: Boot Linux 5.9 or newer.");
}

static void an_unknown_answer_claims_nothing_about_the_way(void **state)
{
	(void)state;
	draw("port-reads-all-ones", "intel");
	at("0000:04:00.0")->iommu_group = 1;
	strcpy(at("0000:04:00.0")->iommu_domain, "DMA-FQ");
	ask("6.12", "0000:03:00.0", "0000:04:00.0");
	assert_does_not_say("go up to the root complex");
	assert_does_not_say("allowed already");
}

static struct function *gpu_with_bars(void)
{
	struct function *function;

	draw("two-gpus-one-switch-acs-off", "intel");
	function = at("0000:0e:00.0");
	function->bars_known = PRESENT;
	function->bars[0] = (struct bar){
		.start = 0x4000000000, .size = 256 << 20, .memory = true, .prefetchable = true,
		.wide = true, .assigned = true, .resizable = ABSENT,
	};
	return function;
}

static void an_empty_window_is_too_small(void **state)
{
	struct function *gpu = gpu_with_bars();

	(void)state;
	gpu->bars[0].resizable = PRESENT;
	gpu->bars[0].sizes = 1 << 14;
	at("0000:0d:01.0")->prefetchable_window = (struct window){ PRESENT, 0xfff00000, 0xfffff };
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("The window of the bridge 0000:0d:01.0 is too small for that (0 bytes)");
}

static void a_port_that_cannot_be_read_is_named(void **state)
{
	(void)state;
	draw("port-reads-all-ones", "intel");
	ask("6.12", "0000:03:00.0", "0000:04:00.0");
	assert_says("note: It is unknown whether this function redirects peer requests: "
		    "0000:02:00.0.");
	assert_says("remedy: To find out: ");
	assert_says("it is gone, its slot is switched off, or its link is down after an error");
	assert_says("\necho on > /sys/bus/pci/devices/0000:02:00.0/power/control\n");
	at("0000:02:01.0")->config = CONFIG_ALL_ONES;
	ask("6.12", "0000:03:00.0", "0000:04:00.0");
	assert_says("note: It is unknown whether these functions redirect peer requests: "
		    "0000:02:00.0, 0000:02:01.0.");
}

static void the_decision_while_a_port_reads_all_ones_is_named(void **state)
{
	(void)state;
	draw("port-reads-all-ones", "intel");
	ask("6.12", "0000:03:00.0", "0000:04:00.0");
	assert_says("caution: If 0000:02:00.0 has ACS, the kernel reads all ones there as well, "
		    "and takes it for a function that redirects peer requests. Until it can be "
		    "read again, the decision is then not_supported (acs_redirect_blocked).\n");
	drawing_set_cpu(machine, "zen");
	ask("6.12", "0000:03:00.0", "0000:04:00.0");
	assert_says("the decision is then thru_host_bridge (acs_redirect_allowed).\n");
	*machine->arch = *machine->cpu_vendor = '\0';
	ask("6.12", "0000:03:00.0", "0000:04:00.0");
	assert_says("takes it for a function that redirects peer requests.\n");
	draw("endpoint-reads-all-ones", "intel");
	ask("6.12", "0000:01:00.0", "0000:01:00.1");
	assert_says("caution: If 0000:01:00.0 has ACS, the kernel reads");
	assert_says("whether this function redirects peer requests: 0000:01:00.0.\n");
	draw("two-gpus-one-switch-acs-on", "intel");
	ask("6.12", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("all ones");
}

static void functions_that_the_kernel_takes_for_one_are_named(void **state)
{
	(void)state;
	draw("same-address-in-two-domains", "intel");
	ask("6.12", "0000:03:00.0", "10000:04:00.0");
	assert_says("caution: Do not use both 10000:04:00.0 (not_supported) and 0000:04:00.0 "
		    "(bus_addr) as clients of 0000:03:00.0. Their names differ only in the domain");
	assert_says("VMD (Intel Volume Management Device) makes the second domain, so "
		    "switching it off in the firmware setup solves this. RAID volumes of VMD "
		    "are not found then, and a system on one does not boot.\n");
	ask("6.12", "0000:04:00.0", "0000:03:00.0");
	assert_does_not_say("Do not use both");
	/* The same decision for both does no harm */
	ask("6.12", "0000:00:0e.0", "0000:04:00.0");
	assert_does_not_say("Do not use both");
}

static void a_missing_kernel_option_is_a_caution(void **state)
{
	(void)state;
	draw("two-gpus-one-switch-acs-off", "intel");
	machine->p2pdma = ABSENT;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("caution: This kernel was built without CONFIG_PCI_P2PDMA");
	machine->p2pdma = PRESENT;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("CONFIG_PCI_P2PDMA");
}

static void a_kernel_that_decides_otherwise_is_a_caution(void **state)
{
	struct reported *reported;

	(void)state;
	draw("two-gpus-one-switch-acs-off", "intel");
	reported = machine_add_reported(machine);
	assert_non_null(reported);
	reported->provider = machine_index(machine, at("0000:0e:00.0"));
	reported->client = machine_index(machine, at("0000:12:00.0"));
	strcpy(reported->map, "not_supported");
	strcpy(reported->reason, "acs_redirect_blocked");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("caution: The kernel reports not_supported (acs_redirect_blocked), but its "
		    "rules predict bus_addr (same_bridge).");
	strcpy(reported->map, "bus_addr");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("The kernel reports");
}

static void the_domain_of_each_function_and_its_consequence_are_said(void **state)
{
	struct function *client;

	(void)state;
	draw("two-gpus-one-switch-acs-off", "intel");
	client = at("0000:12:00.0");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("note: Not known here: the IOMMU group of 0000:12:00.0, the IOMMU group of "
		    "0000:0e:00.0, the BARs of 0000:0e:00.0, the speed of the links.");
	client->iommu_group = NONE;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("The client 0000:12:00.0 has no IOMMU group: its DMA is not translated. No "
		    "boot option switches the IOMMU off");
	machine_add_option(machine, "intel_iommu=off");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("not translated. The boot option intel_iommu=off switches the IOMMU off.");
	client->iommu_group = 7;
	strcpy(client->iommu_domain, "DMA-FQ");
	strcpy(client->names[client->nr_names++], "card1");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("The client 0000:12:00.0 (card1) is in IOMMU group 7, of domain type DMA-FQ: "
		    "its DMA is translated. No boot option asks for it");
	assert_says("caution: bus_addr is direct only if the driver");
	strcpy(client->iommu_domain, "identity");
	machine_add_option(machine, "iommu=pt");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("of domain type identity: its DMA is not translated. The boot option iommu=pt "
		    "asks for it.");
	assert_does_not_say("bus_addr is direct only");
	strcpy(client->iommu_domain, "");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("whose domain type is unknown.");
	assert_says("cat /sys/kernel/iommu_groups/7/type");
}

static void a_path_through_a_translating_iommu_is_a_caution(void **state)
{
	struct function *client;

	(void)state;
	draw("gpus-across-amd-host-bridges", "zen");
	client = at("0000:23:00.0");
	client->iommu_group = 3;
	strcpy(client->iommu_domain, "DMA");
	ask("7.0", "0000:03:00.0", "0000:23:00.0");
	assert_says("caution: The client uses addresses of the IOMMU, so its requests go up to the "
		    "root complex.");
}

static void a_bar_without_an_address_is_a_caution(void **state)
{
	struct function *gpu = gpu_with_bars();

	(void)state;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("note: Memory of the provider 0000:0e:00.0: BAR 0: 256 MiB at 0x4000000000, "
		    "prefetchable.");
	assert_does_not_say("no address");
	gpu->bars[0].assigned = false;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("caution: BAR 0 of 0000:0e:00.0 (256 MiB) has no address");
	assert_says("BAR 0: 256 MiB, without an address, prefetchable.");
	assert_says("pci=realloc");
	assert_does_not_say("The window of the bridge");
	at("0000:0b:00.0")->prefetchable_window = (struct window){ PRESENT, 0x4000000000,
								   0x40000fffff };
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("The window of the bridge 0000:0b:00.0 is too small for that (1 MiB)");
	at("0000:0b:00.0")->prefetchable_window.last = 0x400fffffff;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("The window of the bridge");
	gpu->bars[0].size = 0;
	gpu->bars[0].unsized = true;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("caution: BAR 0 of 0000:0e:00.0 has no address");
	assert_says(" BAR 0: unknown size, without an address, prefetchable.");
	gpu->bars_known = PRESENCE_UNKNOWN;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("Not known here: the IOMMU group of 0000:12:00.0, the IOMMU group of "
		    "0000:0e:00.0, the BARs of 0000:0e:00.0");
}

static void a_bar_above_the_dma_mask_is_a_caution(void **state)
{
	struct function *gpu = gpu_with_bars();

	(void)state;
	at("0000:12:00.0")->dma_mask_bits = 38;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("caution: BAR 0 of 0000:0e:00.0 ends at 0x400fffffff, but 0000:12:00.0 only "
		    "has 38 address bits (dma_mask_bits)");
	strcpy(at("0000:12:00.0")->driver, "vfio-pci");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("dma_mask_bits");
	strcpy(at("0000:12:00.0")->driver, "xe");
	at("0000:12:00.0")->dma_mask_bits = 39;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("dma_mask_bits");
	gpu->bars[0].start = (1ULL << 39) - gpu->bars[0].size;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("dma_mask_bits");
	gpu->bars[0].start++;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("dma_mask_bits");
}

static void a_bar_that_can_grow_is_a_caution(void **state)
{
	struct function *gpu = gpu_with_bars();
	struct function *port = at("0000:0d:01.0");

	(void)state;
	gpu->bars[0].resizable = PRESENT;
	gpu->bars[0].sizes = 1 << 8 | 1 << 14;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("caution: BAR 0 of 0000:0e:00.0 is 256 MiB, and can be resized to 16 GiB.");
	assert_says("\necho 14 > /sys/bus/pci/devices/0000:0e:00.0/resource0_resize\n");
	assert_does_not_say("window of the bridge");
	port->prefetchable_window = (struct window){ PRESENT, 0x4000000000, 0x401fffffff };
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("The window of the bridge 0000:0d:01.0 is too small for that (512 MiB)");
	port->prefetchable_window.last = 0x43ffffffff;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("window of the bridge");
	gpu->bars[0].size = 16ULL << 30;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("resized");
	assert_says("prefetchable, resizable up to 16 GiB.");
}

static void a_cmb_that_is_not_provided_is_explained(void **state)
{
	struct function *drive = gpu_with_bars();

	(void)state;
	/* In BAR 0 at 0; 64 times 1 MiB */
	drive->cmb = (struct cmb){ PRESENT, 0, 64 << 12 | 2 << 8 };
	drive->pool.presence = ABSENT;
	strcpy(drive->driver, "nvme");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("has a controller memory buffer (CMB) of 64 MiB, but provides no peer memory. "
		    "The nvme driver could not register it");
	assert_says("CONFIG_SPARSEMEM_VMEMMAP needs memory that begins and ends at a multiple of "
		    "its section size");
	drive->cmb.loc = 1 << 12;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("a multiple of 2 MiB; this begins at 0x4000100000.");
	drive->cmb.loc = 256 << 12;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("It begins behind the end of BAR 0.");
	drive->cmb.sz = 64 << 12 | 0xf << 8;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("of an unknown size (CMBSZ 0x00040f00)");
	drive->cmb = (struct cmb){ PRESENT, 1 << 12, 64 << 12 | 2 << 8 };
	strcpy(drive->driver, "vfio-pci");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("Only the nvme driver provides it, but the driver is vfio-pci.");
	strcpy(drive->driver, "-");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("but there is no driver.");
	machine->p2pdma = ABSENT;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("The kernel has no CONFIG_PCI_P2PDMA.");
	drive->pool.presence = PRESENT;
	drive->pool.published = 1;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("controller memory buffer");
	drive->pool.published = 0;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("but its driver did not publish it");
}

static void a_provider_without_a_pool_is_no_reason_to_refuse(void **state)
{
	struct function *gpu = gpu_with_bars();

	(void)state;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("note: It is unknown whether 0000:0e:00.0 provides a pool of peer memory, as a "
		    "drive with a CMB does. If so, there is a directory "
		    "/sys/bus/pci/devices/0000:0e:00.0/p2pmem. Without a pool, the verdict is "
		    "about the BARs");
	gpu->pool.presence = ABSENT;
	gpu->cmb.presence = ABSENT;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("note: 0000:0e:00.0 provides no pool of peer memory, unlike a drive with a "
		    "CMB. Without a pool, the verdict is about the BARs that its driver shares");
	assert_says("and vfio-pci and mlx5 in Linux 7.3 by P2PDMA.");
	at("0000:12:00.0")->pool.presence = ABSENT;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("note: Neither 0000:0e:00.0 nor 0000:12:00.0 provides a pool of peer memory");
	ask("7.0", "0000:0e:00.0", "0000:0e:00.0");
	assert_says("note: 0000:0e:00.0 provides no pool");
	gpu->pool.presence = PRESENT;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("pool");
	gpu->pool.presence = ABSENT;
	machine->p2pdma = ABSENT;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_does_not_say("pool");
}

static void the_narrowest_link_is_compared_with_both_ends(void **state)
{
	struct function *a, *b;

	(void)state;
	draw("two-gpus-one-switch-acs-off", "intel");
	a = at("0000:0e:00.0");
	b = at("0000:12:00.0");
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("the speed of the links. This does not change the verdict.");
	a->link = b->link = (struct link){ 16000, 32000, 16, 16 };
	at("0000:10:00.0")->link = (struct link){ 8000, 16000, 4, 16 };
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("caution: The narrowest link on the path is that of 0000:10:00.0: 8.0 GT/s, "
		    "x4, at most 3938 MB/s. Both devices support 32.0 GT/s, x16.");
	a->link.max_speed = 8000;
	a->link.max_width = 4;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("note: The narrowest link on the path is that of 0000:10:00.0");
	/* The port above it supports no more, or more */
	at("0000:0b:10.0")->link = (struct link){ 8000, 8000, 4, 4 };
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("at most 3938 MB/s. One of its ends supports no more.\n");
	at("0000:0b:10.0")->link = (struct link){ 8000, 16000, 4, 8 };
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("caution: The narrowest link on the path is that of 0000:10:00.0");
	assert_says("Both ends of this link support 16.0 GT/s, x8. An idle device may lower");
	b->link.speed = 2500;
	b->link.width = 1;
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("2.5 GT/s, x1, at most 250 MB/s");
	b->link = a->link;
	/* A direct path does not use the link above the switch */
	at("0000:0a:00.0")->link = (struct link){ 2500, 2500, 1, 1 };
	ask("7.0", "0000:0e:00.0", "0000:12:00.0");
	assert_says("that of 0000:10:00.0");
}

#define FINDING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	FINDING_TEST(the_host_bridge_is_named_and_looked_up),
	FINDING_TEST(redirecting_ports_are_listed_with_remedies_to_paste),
	FINDING_TEST(one_port_is_not_called_several),
	FINDING_TEST(what_a_boot_option_replaces_is_said_as_far_as_it_is_known),
	FINDING_TEST(the_boot_option_survives_a_shell_and_grub),
	FINDING_TEST(a_path_through_the_root_complex_is_to_be_tested),
	FINDING_TEST(ports_that_the_rule_ignores_are_shown),
	FINDING_TEST(a_guest_gets_advice_for_its_host),
	FINDING_TEST(what_the_host_must_forward_is_said_to_a_guest),
	FINDING_TEST(the_list_says_for_which_pairs_it_holds),
	FINDING_TEST(functions_of_one_device_are_named_as_such),
	FINDING_TEST(a_device_that_may_keep_its_requests_inside_needs_no_boot_option),
	FINDING_TEST(a_function_in_no_slot_is_not_to_be_moved),
	FINDING_TEST(the_vendor_to_ask_is_that_of_the_host_bridge),
	FINDING_TEST(vmd_is_to_be_switched_off_only_if_that_helps),
	FINDING_TEST(a_newer_kernel_that_allows_the_pair_is_a_remedy),
	FINDING_TEST(a_path_that_is_allowed_needs_no_remedy),
	FINDING_TEST(the_first_release_whose_rules_allow_the_pair_is_named),
	FINDING_TEST(an_unknown_answer_claims_nothing_about_the_way),
	FINDING_TEST(an_empty_window_is_too_small),
	FINDING_TEST(a_port_that_cannot_be_read_is_named),
	FINDING_TEST(the_decision_while_a_port_reads_all_ones_is_named),
	FINDING_TEST(functions_that_the_kernel_takes_for_one_are_named),
	FINDING_TEST(a_missing_kernel_option_is_a_caution),
	FINDING_TEST(a_kernel_that_decides_otherwise_is_a_caution),
	FINDING_TEST(the_domain_of_each_function_and_its_consequence_are_said),
	FINDING_TEST(a_path_through_a_translating_iommu_is_a_caution),
	FINDING_TEST(a_bar_without_an_address_is_a_caution),
	FINDING_TEST(a_bar_above_the_dma_mask_is_a_caution),
	FINDING_TEST(a_bar_that_can_grow_is_a_caution),
	FINDING_TEST(a_cmb_that_is_not_provided_is_explained),
	FINDING_TEST(a_provider_without_a_pool_is_no_reason_to_refuse),
	FINDING_TEST(the_narrowest_link_is_compared_with_both_ends),
};

UNIT_MAIN(tests)
