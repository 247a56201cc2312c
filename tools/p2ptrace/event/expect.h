/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Expectations: "maps.bus_addr > 100".
 */
#ifndef EXPECT_H
#define EXPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "event/metrics.h"

enum expect_op { EXPECT_EQ, EXPECT_NE, EXPECT_LT, EXPECT_LE, EXPECT_GT, EXPECT_GE };

struct expectation {
	char metric[64];
	enum expect_op op;
	uint64_t value;
};

/*
 * Parses "METRIC OP N", with or without blanks. N may have a unit (64K). Returns 0, or EXIT_USAGE
 * after an error message.
 */
int expect_parse(struct expectation *expectation, const char *text);

bool expect_met(const struct expectation *expectation, uint64_t value);

const char *expect_op_text(enum expect_op op);

#endif /* EXPECT_H */
