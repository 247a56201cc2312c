# SPDX-License-Identifier: GPL-2.0
#
# p2ptrace and its unit tests.  Included by the top Makefile, which defines BUILD, Q and say.
# Targets: p2ptrace, check-unit, install-p2ptrace.
#
# Nothing here installs packages or knows a distribution: libraries come from pkg-config, tools
# from PATH, and tools/deps/check names what is missing.  To cross-compile, set CC and PKG_CONFIG;
# LDFLAGS=-static links statically, where there are static libraries.  OPTIONAL= builds without the
# libraries that are optional.

P2PTRACE_MK	:= $(lastword $(MAKEFILE_LIST))

CLANG		?= clang
PKG_CONFIG	?= pkg-config
# Some distributions have other names for them, or keep them outside a user's PATH.
BPFTOOL		?= $(call first_tool,bpftool)
RST2MAN		?= $(call first_tool,rst2man rst2man.py rst2man-3)
PREFIX		?= /usr/local
INSTALL		?= install

first_tool	= $(firstword $(shell PATH=$$PATH:/usr/sbin:/sbin; \
			for tool in $(1); do command -v $$tool; done) $(1))

# "top" on a terminal needs ncurses, "export --listen" libmicrohttpd, "record --compress" libzstd.
# Looked for once, when first used.
ifeq ($(origin OPTIONAL),undefined)
OPTIONAL	= $(eval OPTIONAL := $(shell \
		for library in 'libmicrohttpd >= 0.9.75' libzstd ncurses; do \
			! $(PKG_CONFIG) --exists "$$library" 2>/dev/null || echo $${library%% *}; \
		done))$(OPTIONAL)
endif

p2ptrace_out	:= $(BUILD)/obj/p2ptrace
p2ptrace_bpf	:= $(BUILD)/obj/bpf
p2ptrace_unit	:= $(BUILD)/obj/unit
p2ptrace_tests	:= $(BUILD)/tests/unit
p2ptrace_man	:= $(BUILD)/obj/man

# Expanded only when used, and once: "make check" may install the compiler and pkg-config first.
once		= $(eval $(1) := $(2))$($(1))
p2ptrace_pc	= $(shell $(PKG_CONFIG) $(if $(filter -static%,$(LDFLAGS)),--static) $(1) \
			libbpf libelf zlib libpci jansson $(OPTIONAL))
pc_cflags	= $(call once,pc_cflags,$(call p2ptrace_pc,--cflags))
pc_bpf_cflags	= $(call once,pc_bpf_cflags,$(shell $(PKG_CONFIG) --cflags-only-I libbpf))
have		= $(if $(filter $(1),$(OPTIONAL)),-DHAVE_$(2))
# The directory with the asm/ of the compiler's target: not /usr/include on a multiarch system.
uapi_include	= $(call once,uapi_include,$(patsubst %/asm/types.h,%,$(firstword \
			$(filter %/asm/types.h, \
			$(shell $(CC) -include asm/types.h -M -x c /dev/null)))))

# There is no need for -D__TARGET_ARCH_*: nothing here looks at registers. Clang 21 warns of what
# BPF_CORE_READ() of libbpf declares.
P2PTRACE_BPF_CFLAGS = -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Werror -Wshadow \
	-Wstrict-prototypes -Wno-unused-parameter -Wno-unknown-warning-option \
	-Wno-default-const-init-var-unsafe $(pc_bpf_cflags) \
	-idirafter $(uapi_include)
P2PTRACE_CFLAGS	= -std=gnu11 -D_GNU_SOURCE -Ibpf -Itools/p2ptrace -I$(p2ptrace_bpf) \
	$(pc_cflags) $(call have,libmicrohttpd,LIBMICROHTTPD) \
	$(call have,libzstd,ZSTD) $(call have,ncurses,NCURSES) \
	-g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wvla -Wwrite-strings -Wundef
P2PTRACE_LIBS	= $(call p2ptrace_pc,--libs)
P2PTRACE_SAN	:= -include tests/unit/roots.h -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer

p2ptrace_src	:= $(wildcard tools/p2ptrace/*.c tools/p2ptrace/*/*.c)
p2ptrace_obj	:= $(p2ptrace_src:tools/p2ptrace/%.c=$(p2ptrace_out)/%.o)
p2ptrace_skel	:= $(patsubst bpf/%.bpf.c,$(p2ptrace_bpf)/%.skel.h,$(wildcard bpf/*.bpf.c))
# Built again with sanitizers: everything for p2ptrace itself, everything except main() and the
# subcommands for the tests.  A test includes the source of the subcommand that it tests.
p2ptrace_sanobj	:= $(p2ptrace_src:tools/p2ptrace/%.c=$(p2ptrace_unit)/%.o)
p2ptrace_cmdobj	:= $(filter-out %/options.o %/options_judgement.o %/top_screen.o,\
	$(filter $(p2ptrace_unit)/cmd/%,$(p2ptrace_sanobj)))
p2ptrace_testobj := $(filter-out $(p2ptrace_unit)/main.o $(p2ptrace_cmdobj),$(p2ptrace_sanobj))
p2ptrace_pages	:= $(patsubst tools/p2ptrace/man/%.rst,$(p2ptrace_man)/%,\
	$(wildcard tools/p2ptrace/man/*.rst))
# For Prometheus and Grafana
p2ptrace_export	:= $(addprefix tools/p2ptrace/export/,alerts.yml alerts-test.yml dashboard.json)
p2ptrace_service := $(BUILD)/obj/p2ptrace-export.service
p2ptrace_unitc	:= $(patsubst tests/unit/%.c,$(p2ptrace_tests)/%.t,$(wildcard tests/unit/*/*.c))
p2ptrace_unitsh	:= $(patsubst tests/unit/%.sh,$(p2ptrace_tests)/%.t,$(wildcard tests/unit/*/*.sh))
p2ptrace_unit_tests := $(p2ptrace_unitc) $(p2ptrace_unitsh)

.PHONY: p2ptrace check-unit install-p2ptrace
p2ptrace: $(BUILD)/p2ptrace

# Each target looks for everything that it needs before it builds anything, so that one run names
# everything that is missing.
p2ptrace_needs	:= needs-build needs-build-unit needs-build-install
.PHONY: $(p2ptrace_needs)
$(p2ptrace_needs): needs-%:
	$(Q)CC='$(CC)' CLANG='$(CLANG)' BPFTOOL='$(BPFTOOL)' PKG_CONFIG='$(PKG_CONFIG)' \
		RST2MAN='$(RST2MAN)' tools/deps/check $(subst -, ,$*)

$(p2ptrace_bpf)/%.bpf.o: bpf/%.bpf.c $(P2PTRACE_MK) | needs-build
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(P2PTRACE_BPF_CFLAGS) -MMD -MP -c $< -o $@

# bpftool writes to another file first: a failed run must not leave half a header behind.
$(p2ptrace_bpf)/%.skel.h: $(p2ptrace_bpf)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp
	$(Q)mv $@.tmp $@

# Has the optional libraries that were found, and changes only when they do.
$(BUILD)/obj/optional: force
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(OPTIONAL)' | cmp -s - $@ || echo '$(OPTIONAL)' > $@
.PHONY: force
$(foreach dir,$(p2ptrace_out) $(p2ptrace_unit),$(dir)/lib/chunks.o $(dir)/lib/http.o \
	$(dir)/cmd/top_screen.o \
	$(dir)/p2ptrace) $(BUILD)/p2ptrace: $(BUILD)/obj/optional

# From the second build on, the .d files say which headers an object needs.  For the first, the
# skeletons must exist.
$(p2ptrace_out)/%.o: tools/p2ptrace/%.c $(P2PTRACE_MK) | needs-build $(p2ptrace_skel)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(P2PTRACE_CFLAGS) -O2 $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/p2ptrace: $(p2ptrace_obj)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) $(P2PTRACE_LIBS) -o $@

$(p2ptrace_unit)/%.o: tools/p2ptrace/%.c $(P2PTRACE_MK) | needs-build $(p2ptrace_skel)
	$(call say,CC-SAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(P2PTRACE_CFLAGS) $(P2PTRACE_SAN) -MMD -MP -c $< -o $@

$(p2ptrace_unit)/p2ptrace: $(p2ptrace_sanobj)
	$(call say,LD-SAN,$@)
	$(Q)$(CC) $(P2PTRACE_SAN) $(filter %.o,$^) $(P2PTRACE_LIBS) -o $@

# A test replaces functions by its own __wrap_FUNCTION(), except for calls within the file that
# defines them.  It lists them in one or more lines "/* wrap: FUNCTION... */".
p2ptrace_wrapped = $(shell sed -n 's,^/\* wrap: \(.*\) \*/$$,\1,p' $<)
p2ptrace_wrap	= $(addprefix -Wl$(comma)--wrap=,$(p2ptrace_wrapped))
comma		:= ,

$(p2ptrace_tests)/%.t: tests/unit/%.c $(p2ptrace_testobj) $(P2PTRACE_MK)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D) $(p2ptrace_unit)/test/$(*D)
	$(Q)$(CC) $(P2PTRACE_CFLAGS) $(P2PTRACE_SAN) -Itests/unit \
		-MMD -MP -MF $(p2ptrace_unit)/test/$*.d -MT $@ \
		$(shell $(PKG_CONFIG) --cflags cmocka) $(p2ptrace_wrap) $< $(filter %.o,$^) \
		$(shell $(PKG_CONFIG) --libs cmocka) $(P2PTRACE_LIBS) -o $@

$(p2ptrace_tests)/%.t: tests/unit/%.sh $(p2ptrace_unit)/p2ptrace
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)install -m 755 $< $@

# The environment of the tests in tests/unit/
prove_env	= CMOCKA_MESSAGE_OUTPUT=TAP P2PTRACE=$(p2ptrace_unit)/p2ptrace \
		CLANG='$(CLANG)' RST2MAN='$(RST2MAN)'

check-unit: needs-build-unit $(p2ptrace_unit_tests)
	$(Q)$(prove_env) prove $(filter %.t,$^)

# make must not remove them as intermediate files.
.SECONDARY: $(p2ptrace_skel) $(p2ptrace_skel:.skel.h=.bpf.o) $(p2ptrace_obj) $(p2ptrace_sanobj)

$(p2ptrace_man)/%.8: tools/p2ptrace/man/%.8.rst
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(RST2MAN) --strict $< $@

# Always made again, because PREFIX may be another one
.PHONY: $(p2ptrace_service)
$(p2ptrace_service): tools/p2ptrace/export/p2ptrace-export.service
	$(Q)mkdir -p $(@D) && rm -f $@
	$(Q)sed 's,@SBINDIR@,$(PREFIX)/sbin,' $< >$@

install-p2ptrace: needs-build-install $(BUILD)/p2ptrace $(p2ptrace_pages) $(p2ptrace_service)
	$(call say,INSTALL,$(DESTDIR)$(PREFIX)/sbin/p2ptrace)
	$(Q)$(INSTALL) -D -m 755 $(BUILD)/p2ptrace $(DESTDIR)$(PREFIX)/sbin/p2ptrace
	$(Q)$(INSTALL) -d $(DESTDIR)$(PREFIX)/share/man/man8
	$(Q)$(INSTALL) -m 644 $(p2ptrace_pages) $(DESTDIR)$(PREFIX)/share/man/man8
	$(Q)$(INSTALL) -D -m 644 tools/p2ptrace/p2ptrace.bash-completion \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/p2ptrace
	$(Q)$(INSTALL) -d $(DESTDIR)$(PREFIX)/share/p2ptrace $(DESTDIR)$(PREFIX)/lib/systemd/system
	$(Q)$(INSTALL) -m 644 $(p2ptrace_export) $(DESTDIR)$(PREFIX)/share/p2ptrace
	$(Q)$(INSTALL) -m 644 $(p2ptrace_service) $(DESTDIR)$(PREFIX)/lib/systemd/system

-include $(wildcard $(p2ptrace_out)/*.d $(p2ptrace_out)/*/*.d $(p2ptrace_bpf)/*.d \
	$(p2ptrace_unit)/*.d $(p2ptrace_unit)/*/*.d $(p2ptrace_unit)/test/*/*.d)
