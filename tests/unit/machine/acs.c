// SPDX-License-Identifier: GPL-2.0
/* Errors of libpci reach the user with their arguments. */
#include <sys/wait.h>

#include <pci/pci.h>

#include "unit.h"
#include "lib/log.h"
#include "machine/acs.h"

static void an_error_of_libpci_has_its_arguments(void **state)
{
	struct pci_access *config = config_open("/nowhere");
	struct capture c;
	int status;
	pid_t pid;

	(void)state;
	capture_begin(&c);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		config->error((char *)"%s: %d of %d bytes", "/sys/bus/pci", 3, 64);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	capture_end(&c);
	config_close(config);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_OTHER);
	assert_one_line(c.text, "cannot read PCI config space: /sys/bus/pci: 3 of 64 bytes; "
			"check that 'lspci -vv' can");
}

static void a_warning_of_libpci_is_not_printed(void **state)
{
	struct pci_access *config = config_open("/nowhere");
	struct capture c;

	(void)state;
	capture_begin(&c);
	config->warning((char *)"%s", "text");
	capture_end(&c);
	config_close(config);
	assert_string_equal(c.text, "");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_error_of_libpci_has_its_arguments),
	cmocka_unit_test(a_warning_of_libpci_is_not_printed),
};

UNIT_MAIN(tests)
