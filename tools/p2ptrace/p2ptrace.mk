# SPDX-License-Identifier: GPL-2.0
#
# p2ptrace and its unit tests. Included by the top Makefile, which defines BUILD, Q and say. Targets: p2ptrace,
# check-unit, install-p2ptrace (P2PTRACE_INSTALL names it).

P2PTRACE_MK	:= $(lastword $(MAKEFILE_LIST))

CLANG		?= clang
BPFTOOL		?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)
PREFIX		?= /usr/local
INSTALL		?= install

p2ptrace_out	:= $(BUILD)/obj/p2ptrace
p2ptrace_bpf	:= $(BUILD)/obj/bpf
p2ptrace_unit	:= $(BUILD)/obj/unit
p2ptrace_tests	:= $(BUILD)/tests/unit
p2ptrace_man	:= $(BUILD)/obj/man

# There is no need for -D__TARGET_ARCH_*: nothing here looks at registers. Not expanded before it is used, for the
# compiler may only be installed by then.
P2PTRACE_BPF_CFLAGS = -target bpf -g -O2 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wno-unused-parameter -idirafter /usr/include/$(shell $(CC) -print-multiarch)
P2PTRACE_CFLAGS	:= -std=gnu11 -D_GNU_SOURCE -Ibpf -Itools/p2ptrace -I$(p2ptrace_bpf) -g -Wall -Wextra -Werror \
	-Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wvla \
	-Wwrite-strings -Wundef
# In the order that -static needs as well.
P2PTRACE_LIBS	:= -lbpf -lelf -lz -lpci
P2PTRACE_SAN	:= -include tests/unit/roots.h -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

p2ptrace_src	:= $(wildcard tools/p2ptrace/*.c tools/p2ptrace/*/*.c)
p2ptrace_obj	:= $(p2ptrace_src:tools/p2ptrace/%.c=$(p2ptrace_out)/%.o)
p2ptrace_skel	:= $(patsubst bpf/%.bpf.c,$(p2ptrace_bpf)/%.skel.h,$(wildcard bpf/*.bpf.c))
# Once more, with sanitizers: everything for p2ptrace itself, and everything but main() and the subcommands for the
# tests, which include the file of the subcommand they look into.
p2ptrace_sanobj	:= $(p2ptrace_src:tools/p2ptrace/%.c=$(p2ptrace_unit)/%.o)
p2ptrace_testobj := $(filter-out $(p2ptrace_unit)/main.o $(filter-out %/options.o,$(filter $(p2ptrace_unit)/cmd/%,$(p2ptrace_sanobj))),\
	$(p2ptrace_sanobj))
p2ptrace_pages	:= $(patsubst tools/p2ptrace/man/%.rst,$(p2ptrace_man)/%,$(wildcard tools/p2ptrace/man/*.rst))
p2ptrace_unitc	:= $(patsubst tests/unit/%.c,$(p2ptrace_tests)/%.t,$(wildcard tests/unit/*/*.c))
p2ptrace_unitsh	:= $(patsubst tests/unit/%.sh,$(p2ptrace_tests)/%.t,$(wildcard tests/unit/*/*.sh))

.PHONY: p2ptrace check-unit install-p2ptrace
p2ptrace: $(BUILD)/p2ptrace

$(p2ptrace_bpf)/%.bpf.o: bpf/%.bpf.c $(P2PTRACE_MK)
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(P2PTRACE_BPF_CFLAGS) -MMD -MP -c $< -o $@

# bpftool writes to a file of its own first: a failed run must not leave half a header behind.
$(p2ptrace_bpf)/%.skel.h: $(p2ptrace_bpf)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp
	$(Q)mv $@.tmp $@

# Headers that clang found are dependencies from the second build on; the skeletons must exist for the first.
$(p2ptrace_out)/%.o: tools/p2ptrace/%.c $(P2PTRACE_MK) | $(p2ptrace_skel)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(P2PTRACE_CFLAGS) -O2 $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/p2ptrace: $(p2ptrace_obj)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(P2PTRACE_LIBS) -o $@

$(p2ptrace_unit)/%.o: tools/p2ptrace/%.c $(P2PTRACE_MK) | $(p2ptrace_skel)
	$(call say,CC-SAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(P2PTRACE_CFLAGS) $(P2PTRACE_SAN) -MMD -MP -c $< -o $@

$(p2ptrace_unit)/p2ptrace: $(p2ptrace_sanobj)
	$(call say,LD-SAN,$@)
	$(Q)$(CC) $(P2PTRACE_SAN) $^ $(P2PTRACE_LIBS) -o $@

$(p2ptrace_tests)/%.t: tests/unit/%.c $(p2ptrace_testobj) $(P2PTRACE_MK)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D) $(p2ptrace_unit)/test/$(*D)
	$(Q)$(CC) $(P2PTRACE_CFLAGS) $(P2PTRACE_SAN) -Itests/unit -MMD -MP -MF $(p2ptrace_unit)/test/$*.d -MT $@ \
		$< $(filter %.o,$^) -lcmocka $(P2PTRACE_LIBS) -o $@

$(p2ptrace_tests)/%.t: tests/unit/%.sh $(p2ptrace_unit)/p2ptrace
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)install -m 755 $< $@

check-unit: $(p2ptrace_unitc) $(p2ptrace_unitsh)
	$(Q)CMOCKA_MESSAGE_OUTPUT=TAP P2PTRACE=$(p2ptrace_unit)/p2ptrace CLANG='$(CLANG)' prove $(filter %.t,$^)

# Not intermediate files that make would remove.
.SECONDARY: $(p2ptrace_skel) $(p2ptrace_skel:.skel.h=.bpf.o) $(p2ptrace_obj) $(p2ptrace_sanobj)

$(p2ptrace_man)/%.8: tools/p2ptrace/man/%.8.rst
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)rst2man --strict $< $@

P2PTRACE_INSTALL := install-p2ptrace
install-p2ptrace: $(BUILD)/p2ptrace $(p2ptrace_pages)
	$(call say,INSTALL,$(DESTDIR)$(PREFIX)/sbin/p2ptrace)
	$(Q)$(INSTALL) -D -m 755 $< $(DESTDIR)$(PREFIX)/sbin/p2ptrace
	$(Q)$(INSTALL) -d $(DESTDIR)$(PREFIX)/share/man/man8
	$(Q)$(INSTALL) -m 644 $(p2ptrace_pages) $(DESTDIR)$(PREFIX)/share/man/man8
	$(Q)$(INSTALL) -D -m 644 tools/p2ptrace/p2ptrace.bash-completion \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/p2ptrace

-include $(wildcard $(p2ptrace_out)/*.d $(p2ptrace_out)/*/*.d $(p2ptrace_bpf)/*.d $(p2ptrace_unit)/*.d \
	$(p2ptrace_unit)/*/*.d $(p2ptrace_unit)/test/*/*.d)
