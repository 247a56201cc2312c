# SPDX-License-Identifier: GPL-2.0
#
# The unit tests alone, for tests/coverage/measure: in parallel, which the top Makefile is not.

Q	:= @
say	= @:

include tools/p2ptrace/p2ptrace.mk

.PHONY: units
units: $(p2ptrace_unitc) $(p2ptrace_unitsh)
