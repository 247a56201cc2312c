// SPDX-License-Identifier: GPL-2.0
/* Values of options: each parser gets the whole input as a string. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/events.h"
#include "event/expect.h"
#include "lib/number.h"
#include "lib/text.h"
#include "machine/devices.h"
#include "tree.h"

static void numbers(const char *s)
{
	uint64_t n = 7, size = 7, ns = 7;
	int err = number_parse(s, &n);

	REQUIRE(err == 0 || err == -EINVAL || err == -ERANGE);
	REQUIRE(!err || n == 7);
	REQUIRE(number_parse_size(s, &size) == 0 || size == 7);
	REQUIRE(number_parse_seconds(s, &ns) == 0 || ns == 7);
	/* A number is also a size, of the same value */
	REQUIRE(err || size == n);
	REQUIRE(err || n == strtoull(s, NULL, 10));
}

static void names(const char *s)
{
	char name[32], again[32];
	int rc;

	if (!pci_name_parse(s, name, sizeof(name))) {
		REQUIRE(!pci_name_parse(name, again, sizeof(again)));
		REQUIRE(!strcmp(name, again));
	}
	if (is_p2pmem_name(s))
		REQUIRE(!dev_check_name(s));
	rc = dev_check_name(s);
	REQUIRE(rc == 0 || rc == 2);
	rc = client_check_name(s);
	REQUIRE(rc == 0 || rc == 2);
}

static void lists(const char *s)
{
	struct expectation expectation = {};
	struct event_set set = {};
	int rc = events_select(&set, s, "");

	REQUIRE(rc == 0 || rc == 2);
	REQUIRE(rc || event_set_count(&set) > 0);
	rc = expect_parse(&expectation, s);
	REQUIRE(rc == 0 || rc == 2);
	if (!rc) {
		REQUIRE(*expectation.metric);
		REQUIRE(strlen(expectation.metric) < sizeof(expectation.metric));
		REQUIRE(strlen(expect_op_text(expectation.op)) > 0);
		expect_met(&expectation, expectation.value);
	}
}

static void texts(const char *s, size_t len)
{
	size_t room = len < 40 ? len + 1 : 40, n;
	char *to = malloc(room);

	REQUIRE(to);
	n = text_printable(to, room, s, len);
	REQUIRE(n < room && strlen(to) == n);
	for (size_t i = 0; i < n; i++)
		REQUIRE(to[i] >= ' ' && to[i] <= '~');
	n = text_word(to, room, s, len);
	REQUIRE(n < room && strlen(to) == n && !strchr(to, ' '));
	free(to);
	for (size_t taken; len; s += taken, len -= taken) {
		n = text_utf8_next(s, len, &taken);
		REQUIRE(taken && taken <= len && (!n || n == taken));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = string_of(data, size);

	numbers(s);
	names(s);
	lists(s);
	texts((const char *)data, size);
	free(s);
	return 0;
}
