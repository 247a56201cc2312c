# SPDX-License-Identifier: GPL-2.0
#
# p2pmem and p2ptrace: see README.md, or "make help".

# The kernel that the series is applied to: a name from kernel-config/bases, or by default that of
# its line "default"
bases		:= $(shell awk '/^[0-9]/ { print $$1 }' kernel-config/bases)
default_base	:= $(shell awk '$$1 == "default" { print $$2 }' kernel-config/bases)
BASE		?= $(default_base)
ifeq ($(filter $(BASE),$(bases)),)
$(error there is no base BASE=$(BASE); there are: $(bases))
endif

BUILD		:= $(CURDIR)/build
# The directory for the output that depends on the base
base_build	:= $(BUILD)/$(BASE)
export BASE BUILD KERNEL_SRC

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

# A guest keeps one CPU busy and takes 1 GiB of memory
JOBS		?= $(shell n=$$(nproc); echo $$((n < 4 ? n : 4)))
prove		= prove --timer -j $(JOBS)

# "make check" runs all tests on BASE, and on each other base those of the patches.  On 6.12, which
# gets fixes only, it also builds the kernel and runs these guest tests.
other_bases	:= $(filter-out $(BASE),$(bases))
other_tests	= $(if $(filter 6.12,$(1)),$(addprefix tests/guest/, \
	data-verified-through-peer-memory.t kunit-suites-pass.t map-type-thru-host-bridge.t \
	accounts-agree.t hot-unplug-under-load.t injected-failures-fall-back.t \
	small-requests-use-system-memory.t))

# What the tests below are, or need, besides the kernels
check_needs	= $(p2ptrace_unit_tests) $(fuzz_replay) $(field_compare)

## First contact
tour: deps-tour p2ptrace ## show P2P DMA on Debian's newest kernel, live, in minutes
	$(Q)tests/tour/tour

demo: deps p2ptrace kernel ## run NVMe-oF I/O through peer memory and watch it live
	$(Q)tests/demo/demo

# tests/field tries the same random trees each time; "make check-field" tries others.
check: deps p2ptrace kernel kernel-base kernel-others $(check_needs) ## run the tests (JOBS=N)
	$(Q)status=0; \
	$(foreach base,$(other_bases),echo "On the other base, Linux $(base):"; \
		BASE=$(base) $(prove) tests/series $(call other_tests,$(base)) || status=1;) \
	SEED=$${SEED:-1} $(prove_env) $(prove) tests/tree $(p2ptrace_unit_tests) $(fuzz_replay) \
		tests/coverage tests/field tests/series tests/runner tests/guest || status=1; \
	exit $$status

help: ## list the targets
	@printf 'make TARGET [BASE=RELEASE] [KERNEL_SRC=DIR] [V=1]\n'
	@sed -n -e 's/^## \(.*\)/\n\1/p' \
		-e 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 20
	@printf '\nBASE is the Linux that the series is applied to: $(bases).\n'
	@printf 'The default is $(default_base).\n'
	@printf 'Its source comes from Debian, or with KERNEL_SRC=DIR from a git tree of BASE.y.\n'
	@printf 'JOBS=N runs N tests at the same time.  V=1 shows the commands.\n'
	@printf 'All output is in build/.\n'

## Tools
p2ptrace: ## build only p2ptrace, in seconds, as build/p2ptrace
p2ptrace-arm64: ## build p2ptrace for arm64, as build/arm64/p2ptrace (see deps-arm64)
	$(Q)LAB_ARCH=arm64 tests/vm/debian-root >/dev/null
	$(Q)PKG_CONFIG_PATH= PKG_CONFIG_SYSROOT_DIR=$(arm64_root) \
		PKG_CONFIG_LIBDIR=$(arm64_root)/usr/lib/aarch64-linux-gnu/pkgconfig \
		$(MAKE) BUILD=$(BUILD)/arm64 CC='aarch64-linux-gnu-gcc --sysroot=$(arm64_root)' \
			p2ptrace

# The files of a guest for arm64 are also the headers and libraries that p2ptrace is built with
arm64_root	:= $(BUILD)/arm64/distro/root

install: install-p2ptrace ## install p2ptrace under DESTDIR/PREFIX, by default /usr/local

## Kernel
kernel: kernel-tree ## build the kernel with the series, in build/BASE/kernel
	$(Q)kernel-config/configure $(base_build)/kernel $(series_config)
	$(Q)kernel-config/build $(base_build)/kernel

kernel-others: $(other_bases:%=kernel-other-%)

kernel-other-%:
	$(Q)$(MAKE) BASE=$* KERNEL_SRC= $(if $(call other_tests,$*),kernel,kernel-tree)

kernel-debug: kernel-tree ## build it with KASAN, lockdep and more, in build/BASE/kernel-debug
	$(Q)kernel-config/configure $(base_build)/kernel-debug $(series_config) \
		kernel-config/debug.config $(wildcard kernel-config/$(BASE)/debug.config)
	$(Q)kernel-config/build $(base_build)/kernel-debug

kernel-base: kernel-tree ## build the base without the series, in build/BASE/base/kernel
	$(Q)kernel-config/worktree base $(base_build)/base/linux
	$(Q)KERNEL_TREE=$(base_build)/base/linux kernel-config/configure \
		$(base_build)/base/kernel $(base_config)
	$(Q)KERNEL_TREE=$(base_build)/base/linux kernel-config/build $(base_build)/base/kernel

kernel-tree: deps ## create build/BASE/linux, a git tree with the series on its base
	$(Q)kernel-config/tree

series: ## write patches/BASE from the commits in build/BASE/linux
	$(Q)kernel-config/series

base_config	:= $(addprefix kernel-config/,base.config p2pmem.config)
series_config	:= $(base_config) kernel-config/$(BASE)/series.config

## Lab
vm: kernel ## get a shell in the lab
	@echo 'A shell in the lab; Ctrl-D ends it.'
	$(Q)tests/vm/run --shell

## Tests
check-tree: deps ## check scripts, licenses, line widths and folders
	$(Q)prove --timer tests/tree
check-unit: ## run the tests of p2ptrace that need no kernel
check-field: ## compare p2ptrace's decisions with the kernel's own code, in seconds
check-build: deps-build ## build p2ptrace on Debian 12, 13 and testing, with each compiler (as root)
	$(Q)prove --timer tests/build
check-fuzz: deps-fuzz ## give the parsers and the command line random input, FUZZ_SECONDS=10 each
check-mutation: ## check that unit tests fail if a line is wrong (MUTANTS=REGEX picks files)
	$(Q)prove --timer tests/mutation
coverage: deps-coverage $(p2ptrace_skel) ## show what unit tests run, in build/coverage/html
	$(Q)tests/coverage/measure
	$(Q)genhtml -q -o $(BUILD)/coverage/html $(BUILD)/coverage/coverage.info
check-series: deps-series kernel-tree ## check the patches; build and boot each of them
	$(Q)prove --timer tests/series tests/series/slow
check-runner: kernel ## run the tests of the lab's runner
	$(Q)$(prove) tests/runner
check-guest: deps p2ptrace kernel kernel-base ## run the tests of p2ptrace and series in the guest
	$(Q)$(prove) tests/guest
check-distro: deps p2ptrace ## run the tests that need Debian's own kernels and take long
	$(Q)prove --timer tests/distro
check-arm64: deps-arm64 ## run p2ptrace on Debian's kernels for arm64, which QEMU emulates
	$(Q)prove --timer tests/arm64
check-bugs: deps ## show the bugs that patches/7.3 fixes, with and without them
	$(Q)$(MAKE) BASE=7.3 kernel-tree
	$(Q)tests/bugs/run
check-debug: deps p2ptrace kernel-debug kernel-base ## run guest and stress tests on a debug kernel
	$(Q)LAB_KERNEL=$(base_build)/kernel-debug/arch/x86/boot/bzImage \
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
p2ptrace_deps	:= build unit install optional
lab_deps	:= $(p2ptrace_deps) kernel lab distro tests

deps: ## install what demo, check and vm need (as root, on Debian 12 and 13)
	$(Q)tools/deps/install $(lab_deps)

deps-p2ptrace: ## install only what p2ptrace, check-unit and install need
	$(Q)tools/deps/install $(p2ptrace_deps)

deps-tour: ## install only what tour needs
	$(Q)tools/deps/install build lab distro

deps-series: ## install what check-series needs, too
	$(Q)tools/deps/install $(lab_deps) series

deps-arm64: ## install what check-arm64 and p2ptrace-arm64 need, too
	$(Q)tools/deps/install $(lab_deps) arm64

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

distclean: ## remove build/, including commits in build/BASE/linux that are not in patches/
	$(call say,CLEAN,$(BUILD))
	$(Q)rm -rf $(BUILD)

.PHONY: demo check help install kernel kernel-tree kernel-others kernel-debug kernel-base \
	series vm \
	check-tree check-build check-series check-runner check-guest check-distro check-bugs \
	check-debug \
	bench-core bench-nvmet bench-trace bench-peers \
	deps deps-p2ptrace deps-series deps-build deps-bench clean distclean
.PHONY: p2ptrace-arm64 check-arm64 deps-arm64
.PHONY: tour deps-tour check-mutation coverage deps-fuzz deps-coverage
