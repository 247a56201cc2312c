# SPDX-License-Identifier: GPL-2.0
#
# p2pmem and p2ptrace: see README.md, or "make help".

# The release that the series was made on.  It is to apply to any 6.12.y.
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

ifneq ($(words $(CURDIR)),1)
$(error The path of this checkout has a space in it, which make cannot handle: $(CURDIR))
endif

SHELL		:= /bin/bash
.DELETE_ON_ERROR:
# What is missing is installed before anything is built; the kernel's own make runs in parallel
.NOTPARALLEL:
.DEFAULT_GOAL	:= help

# Before the rules that need them
p2ptrace check-unit install-p2ptrace: deps-p2ptrace

include tools/p2ptrace/p2ptrace.mk

## First contact
demo: deps p2ptrace kernel ## run real NVMe-oF I/O through peer memory and watch it live
	$(Q)tests/demo/demo

check: deps p2ptrace kernel kernel-base $(p2ptrace_unitc) $(p2ptrace_unitsh) ## run all tests
	$(Q)$(prove_env) prove --timer tests/tree $(p2ptrace_unitc) $(p2ptrace_unitsh) \
		tests/series tests/runner tests/guest

help: ## list the targets
	@printf 'make TARGET [V=1] [KERNEL_SRC=DIR]\n'
	@sed -n -e 's/^## \(.*\)/\n\1/p' \
		-e 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 20
	@printf '\nV=1 shows the commands.  KERNEL_SRC=DIR takes the base from a 6.12.y git tree of yours.\n'
	@printf 'All that is built is in build/.\n'

## Tools
p2ptrace: ## build p2ptrace alone, in seconds, as build/p2ptrace
install: install-p2ptrace ## install p2ptrace under $(DESTDIR)$(PREFIX), by default /usr/local

## Kernel
kernel: kernel-tree ## build the kernel with the series, in build/kernel
	$(Q)kernel-config/configure $(BUILD)/kernel $(series_config)
	$(Q)kernel-config/build $(BUILD)/kernel

kernel-debug: kernel-tree ## build the same with KASAN, lockdep and the like, in build/kernel-debug
	$(Q)kernel-config/configure $(BUILD)/kernel-debug $(series_config) kernel-config/debug.config
	$(Q)kernel-config/build $(BUILD)/kernel-debug

kernel-base: kernel-tree ## build the base without the series, in build/base/kernel
	$(Q)kernel-config/worktree base $(BUILD)/base/linux
	$(Q)KERNEL_TREE=$(BUILD)/base/linux kernel-config/configure $(BUILD)/base/kernel $(base_config)
	$(Q)KERNEL_TREE=$(BUILD)/base/linux kernel-config/build $(BUILD)/base/kernel

kernel-tree: deps ## make build/linux, a git tree with the series on its base
	$(Q)kernel-config/tree

series: ## write patches/ anew from the commits in build/linux
	$(Q)kernel-config/series

base_config	:= $(addprefix kernel-config/,base.config p2pmem.config)
series_config	:= $(base_config) kernel-config/series.config

## Lab
vm: kernel ## get a shell in the lab
	@echo 'A shell in the lab; Ctrl-D ends it.'
	$(Q)tests/vm/run --shell

## Tests
# What the tests of p2ptrace itself want to know: see p2ptrace.mk
prove_env	:= CMOCKA_MESSAGE_OUTPUT=TAP P2PTRACE=$(p2ptrace_unit)/p2ptrace

check-tree: deps ## check the scripts and licenses of this tree
	$(Q)prove --timer tests/tree
check-unit: ## run the tests of p2ptrace that need no kernel, in seconds
check-series: deps-series kernel-tree ## check the patches, and that each builds and boots, in every configuration
	$(Q)prove --timer tests/series tests/series/slow
check-runner: kernel ## run the tests of the lab's own runner
	$(Q)prove --timer tests/runner
check-guest: p2ptrace kernel kernel-base ## run the tests that boot the lab
	$(Q)prove --timer tests/guest
check-debug: p2ptrace kernel-debug kernel-base ## run them and a stress on the debug kernel, which takes several times as long
	$(Q)LAB_KERNEL=$(BUILD)/kernel-debug/arch/x86/boot/bzImage prove --timer tests/guest tests/stress
bench-core: kernel-tree ## measure what peer memory costs, in instructions, on the base kernel and on ours
	$(Q)tests/bench/core
bench-nvmet: kernel-tree ## measure what a request of the NVMe target costs, with and without peer memory
	$(Q)tests/bench/nvmet
bench-trace: deps-bench p2ptrace kernel ## measure what it costs to watch, with p2ptrace and with what else there is
	$(Q)tests/bench/trace

## Housekeeping
deps: ## install what is missing (as root), or say what is
	$(Q)kernel-config/deps

deps-p2ptrace: ## the same for what builds p2ptrace alone
	$(Q)kernel-config/deps p2ptrace

deps-series: ## the same for check-series, which wants more than the rest
	$(Q)kernel-config/deps series
.PHONY: deps-series

deps-bench: ## the same for bench-trace, which wants what p2ptrace is compared with
	$(Q)kernel-config/deps bench

clean: ## remove what was built, but neither the kernel tree nor its objects
	$(call say,CLEAN,$(BUILD))
	$(Q)rm -rf $(BUILD)/obj $(BUILD)/tests $(BUILD)/p2ptrace $(BUILD)/vm $(BUILD)/*.log

distclean: ## remove build/, with all commits in build/linux that are not in patches/
	$(call say,CLEAN,$(BUILD))
	$(Q)rm -rf $(BUILD)

.PHONY: demo check help install kernel kernel-tree series vm check-tree check-series check-runner check-guest check-debug bench-core bench-nvmet bench-trace kernel-debug kernel-base deps deps-p2ptrace deps-bench clean distclean
