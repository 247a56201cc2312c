# SPDX-License-Identifier: GPL-2.0
#
# p2pmem and p2ptrace: see README.md, or "make help".

# The release that the series is made on.  The series applies to any 6.12.y.
BASE_VERSION	:= 6.12.117

BUILD		:= $(CURDIR)/build
export BUILD BASE_VERSION KERNEL_SRC

V		?= 0
ifeq ($(V),1)
Q		:=
say		= @:
else
Q		:= @
say		= @printf '  %-8s%s\n' '$(1)' '$(patsubst $(CURDIR)/%,%,$(2))'
MAKEFLAGS	+= --no-print-directory
endif

ifneq ($(words $(CURDIR)) $(words $(BUILD)),1 1)
$(error make cannot handle a path with a space: $(CURDIR), BUILD=$(BUILD))
endif

SHELL		:= /bin/bash
.DELETE_ON_ERROR:
# In the order of the prerequisites: packages first.  The kernel's own make runs in parallel.
.NOTPARALLEL:
.DEFAULT_GOAL	:= help

include tools/p2ptrace/p2ptrace.mk
include tests/fuzz/fuzz.mk
include tests/field/field.mk

# What the tests below are, or need, besides the kernels
check_needs	= $(p2ptrace_unit_tests) $(fuzz_replay) $(field_compare)

## First contact
tour: deps-tour p2ptrace ## show P2P DMA on Debian's newest kernel, live, in minutes
	$(Q)tests/tour/tour

demo: deps p2ptrace kernel ## run NVMe-oF I/O through peer memory and watch it live
	$(Q)tests/demo/demo

check: deps p2ptrace kernel kernel-base $(check_needs) ## run the tests
	$(Q)$(prove_env) prove --timer tests/tree $(p2ptrace_unit_tests) $(fuzz_replay) \
		tests/coverage tests/field tests/series tests/runner tests/guest

help: ## list the targets
	@printf 'make TARGET [V=1] [KERNEL_SRC=DIR]\n'
	@sed -n -e 's/^## \(.*\)/\n\1/p' \
		-e 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 20
	@printf '\nV=1 shows the commands.  KERNEL_SRC=DIR takes the base from a 6.12.y git tree.\n'
	@printf 'All output is in build/.\n'

## Tools
p2ptrace: ## build only p2ptrace, in seconds, as build/p2ptrace
install: install-p2ptrace ## install p2ptrace under $(DESTDIR)$(PREFIX), by default /usr/local

## Kernel
kernel: kernel-tree ## build the kernel with the series, in build/kernel
	$(Q)kernel-config/configure $(BUILD)/kernel $(series_config)
	$(Q)kernel-config/build $(BUILD)/kernel

kernel-debug: kernel-tree ## build it with KASAN, lockdep and other checks, in build/kernel-debug
	$(Q)kernel-config/configure $(BUILD)/kernel-debug $(series_config) \
		kernel-config/debug.config
	$(Q)kernel-config/build $(BUILD)/kernel-debug

kernel-base: kernel-tree ## build the base without the series, in build/base/kernel
	$(Q)kernel-config/worktree base $(BUILD)/base/linux
	$(Q)KERNEL_TREE=$(BUILD)/base/linux kernel-config/configure \
		$(BUILD)/base/kernel $(base_config)
	$(Q)KERNEL_TREE=$(BUILD)/base/linux kernel-config/build $(BUILD)/base/kernel

kernel-tree: deps ## make build/linux, a git tree with the series on its base
	$(Q)kernel-config/tree

series: ## write patches/ from the commits in build/linux
	$(Q)kernel-config/series

base_config	:= $(addprefix kernel-config/,base.config p2pmem.config)
series_config	:= $(base_config) kernel-config/series.config

## Lab
vm: kernel ## get a shell in the lab
	@echo 'A shell in the lab; Ctrl-D ends it.'
	$(Q)tests/vm/run --shell

## Tests
check-tree: deps ## check the scripts and the licenses in this tree
	$(Q)prove --timer tests/tree
check-unit: ## run the tests of p2ptrace that need no kernel, in seconds
check-field: ## compare p2ptrace's decisions with the kernel's own code, in seconds
check-build: deps-build ## build p2ptrace on Debian 12, 13 and testing, with each compiler (as root)
	$(Q)prove --timer tests/build
check-fuzz: deps-fuzz ## give the parsers and the command line random input, FUZZ_SECONDS=10 each
check-mutation: ## check that unit tests fail if a line of p2ptrace is wrong (MUTANTS=REGEX: files)
	$(Q)prove --timer tests/mutation
coverage: deps-coverage $(p2ptrace_skel) ## show lines that unit tests run, in build/coverage/html
	$(Q)tests/coverage/measure
	$(Q)genhtml -q -o $(BUILD)/coverage/html $(BUILD)/coverage/coverage.info
check-series: deps-series kernel-tree ## check the patches; build and boot each of them
	$(Q)prove --timer tests/series tests/series/slow
check-runner: kernel ## run the tests of the lab's runner
	$(Q)prove --timer tests/runner
check-guest: deps p2ptrace kernel kernel-base ## run the tests that boot the lab
	$(Q)prove --timer tests/guest
check-distro: deps p2ptrace ## run the tests that need Debian's own kernels and take long
	$(Q)prove --timer tests/distro
check-debug: deps p2ptrace kernel-debug kernel-base ## run them and stress tests on the debug kernel
	$(Q)LAB_KERNEL=$(BUILD)/kernel-debug/arch/x86/boot/bzImage \
		prove --timer tests/guest tests/stress
bench-core: kernel-tree ## measure the cost of peer memory, in instructions
	$(Q)tests/bench/core
bench-nvmet: kernel-tree ## measure the cost of a request to the NVMe target
	$(Q)tests/bench/nvmet
bench-trace: deps-bench p2ptrace kernel ## measure the cost of tracing, beside other tracers
	$(Q)tests/bench/trace

bench-peers: deps-bench $(bench_peers) ## measure the cost of deciding all pairs of 500 functions
	$(Q)tests/bench/peers

## Housekeeping
# The groups of tools/deps/list
p2ptrace_deps	:= build unit install
lab_deps	:= $(p2ptrace_deps) kernel lab distro tests

deps: ## install what all other targets need (as root, on Debian 12 and 13)
	$(Q)tools/deps/install $(lab_deps)

deps-p2ptrace: ## install only what p2ptrace, check-unit and install need
	$(Q)tools/deps/install $(p2ptrace_deps)

deps-tour: ## install only what tour needs
	$(Q)tools/deps/install build lab distro

deps-series: ## install what check-series needs, too
	$(Q)tools/deps/install $(lab_deps) series

deps-build: ## install what check-build needs
	$(Q)tools/deps/install chroot

deps-fuzz: ## install what check-fuzz needs, too
	$(Q)tools/deps/install $(lab_deps) fuzz

deps-coverage: ## install what coverage needs, too
	$(Q)tools/deps/install $(lab_deps) coverage

deps-bench: ## install what bench-trace and bench-peers need, too
	$(Q)tools/deps/install $(lab_deps) bench

clean: ## remove all output except the kernel trees and their objects
	$(call say,CLEAN,$(BUILD))
	$(Q)rm -rf $(BUILD)/obj $(BUILD)/tests $(BUILD)/p2ptrace $(BUILD)/vm $(BUILD)/*.log

distclean: ## remove build/, including commits in build/linux that are not in patches/
	$(call say,CLEAN,$(BUILD))
	$(Q)rm -rf $(BUILD)

.PHONY: demo check help install kernel kernel-tree kernel-debug kernel-base series vm \
	check-tree check-build check-series check-runner check-guest check-distro check-debug \
	bench-core bench-nvmet bench-trace bench-peers \
	deps deps-p2ptrace deps-series deps-build deps-bench clean distclean
.PHONY: tour deps-tour check-mutation coverage deps-fuzz deps-coverage
