# SPDX-License-Identifier: GPL-2.0
#
# The unit tests alone, for tests/coverage/measure: in parallel, which the top Makefile is not.

SHELL	:= /bin/bash
Q	:= @
say	= @:

include tools/p2ptrace/p2ptrace.mk

# Recipes see this one: no sanitizers, but whatever else the build for tests needs.
P2PTRACE_SAN := $(filter-out -O% -fsanitize=% -fno-sanitize%,$(P2PTRACE_SAN)) -O0 --coverage

.PHONY: units
units: $(p2ptrace_unitc) $(p2ptrace_unitsh)
