# SPDX-License-Identifier: GPL-2.0
#
# Fuzz targets, one per file in tests/fuzz/target/. Included after p2ptrace.mk. Targets:
#   check-fuzz     fuzzes each for FUZZ_SECONDS, and the command line
#   fuzz-replay    builds what feeds the corpus alone to them, with any compiler: $(fuzz_replay)
# Each object is built twice: by clang for libFuzzer, and by $(CC) for the replay.

FUZZ_MK		:= $(lastword $(MAKEFILE_LIST))

# A run with the same seed tries the same inputs, as far as it comes in its time.
FUZZ_SECONDS	?= 10
FUZZ_SEED	?= 1

fuzz_out	:= $(BUILD)/obj/fuzz
fuzz_names	:= $(patsubst tests/fuzz/target/%.c,%,$(wildcard tests/fuzz/target/*.c))
fuzz_src	:= $(filter-out tools/p2ptrace/main.c tools/p2ptrace/cmd/%,$(p2ptrace_src))
fuzz_obj	:= $(fuzz_src:tools/p2ptrace/%.c=$(fuzz_out)/tool/%.o) $(fuzz_out)/tree.o
fuzz_bin	:= $(fuzz_names:%=$(fuzz_out)/%)
fuzz_replay	:= $(fuzz_names:%=$(BUILD)/tests/fuzz/%.t)

# The warnings are for $(CC) to give.
FUZZ_CFLAGS	= $(filter-out -W%,$(P2PTRACE_CFLAGS)) -Itests/fuzz -O1 -fno-omit-frame-pointer \
	-fno-sanitize-recover=all
FUZZ_SAN	:= fuzzer-no-link,address,undefined

.PHONY: check-fuzz fuzz-replay
fuzz-replay: $(fuzz_replay)

check-fuzz: $(fuzz_replay) $(fuzz_bin) $(p2ptrace_unit)/p2ptrace
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) P2PTRACE=$(p2ptrace_unit)/p2ptrace \
		prove --timer $(fuzz_replay) tests/fuzz

$(fuzz_out)/tool/%.o: tools/p2ptrace/%.c $(FUZZ_MK) | $(p2ptrace_skel)
	$(call say,CC-FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=$(FUZZ_SAN) -MMD -MP -c $< -o $@

$(fuzz_out)/tree.o: tests/fuzz/tree.c $(FUZZ_MK)
	$(call say,CC-FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=$(FUZZ_SAN) -MMD -MP -c $< -o $@

$(fuzz_out)/%: tests/fuzz/target/%.c $(fuzz_obj) $(FUZZ_MK)
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer,address,undefined -MMD -MP -MF $@.d -MT $@ \
		$< $(fuzz_obj) $(P2PTRACE_LIBS) -o $@

# The target comes last: the compiler keeps the dependencies of the last file alone.
$(BUILD)/tests/fuzz/%.t: tests/fuzz/replay.c tests/fuzz/tree.c tests/fuzz/target/%.c \
		tests/fuzz/tree.h $(p2ptrace_testobj) $(FUZZ_MK)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D) $(fuzz_out)
	$(Q)$(CC) $(P2PTRACE_CFLAGS) $(P2PTRACE_SAN) -Itests/fuzz \
		-DCORPUS='"$(CURDIR)/tests/fuzz/corpus/$*"' -MMD -MP -MF $(fuzz_out)/$*.t.d -MT $@ \
		$(filter %.c %.o,$^) $(P2PTRACE_LIBS) -o $@

.SECONDARY: $(fuzz_obj)

-include $(wildcard $(fuzz_out)/*.d $(fuzz_out)/tool/*/*.d)
