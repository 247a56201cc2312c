// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "event/expect.h"
#include "lib/log.h"
#include "lib/number.h"

static const char *const ops[] = {
	[EXPECT_EQ] = "==", [EXPECT_NE] = "!=", [EXPECT_LT] = "<",
	[EXPECT_LE] = "<=", [EXPECT_GT] = ">", [EXPECT_GE] = ">=",
};

#define BLANKS " \t"

static int bad(const char *text, const char *what)
{
	return fail(EXIT_USAGE, "cannot expect '%s': %s; give a metric, a comparison and a number, "
		    "such as 'fallbacks == 0'", text, what);
}

int expect_parse(struct expectation *expectation, const char *text)
{
	const char *s = text + strspn(text, BLANKS);
	size_t len = strcspn(s, BLANKS "=!<>");
	char number[32];
	int op, err;

	if (!len)
		return bad(text, "the metric is missing");
	if (len >= sizeof(expectation->metric))
		return bad(text, "the name of the metric is too long");
	memcpy(expectation->metric, s, len);
	expectation->metric[len] = '\0';
	s += len;
	s += strspn(s, BLANKS);

	len = strspn(s, "=!<>");
	for (op = 0; op <= EXPECT_GE; op++)
		if (strlen(ops[op]) == len && !strncmp(ops[op], s, len))
			break;
	if (op > EXPECT_GE)
		return bad(text, "the comparison is not one of ==, !=, <, <=, >, >=");
	expectation->op = op;
	s += len;
	s += strspn(s, BLANKS);

	len = strcspn(s, BLANKS);
	if (len >= sizeof(number) || s[len + strspn(s + len, BLANKS)])
		return bad(text, "the right side is not a number");
	memcpy(number, s, len);
	number[len] = '\0';
	err = number_parse_size(number, &expectation->value);
	if (err)
		return bad(text, err == -ERANGE ? "the number is out of range" :
						  "the right side is not a number");
	return 0;
}

bool expect_met(const struct expectation *expectation, uint64_t value)
{
	switch (expectation->op) {
	case EXPECT_EQ:
		return value == expectation->value;
	case EXPECT_NE:
		return value != expectation->value;
	case EXPECT_LT:
		return value < expectation->value;
	case EXPECT_LE:
		return value <= expectation->value;
	case EXPECT_GT:
		return value > expectation->value;
	default:
		return value >= expectation->value;
	}
}

const char *expect_op_text(enum expect_op op)
{
	return ops[op];
}
