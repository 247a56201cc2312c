# SPDX-License-Identifier: GPL-2.0
#
# The programs of tests/field and of tests/bench/peers. Included after p2ptrace.mk. Target:
# check-field

field_compare	:= $(BUILD)/obj/field/compare
field_obj	:= $(filter-out $(p2ptrace_out)/main.o $(p2ptrace_out)/cmd/%,$(p2ptrace_obj))

.PHONY: check-field
check-field: $(field_compare)
	$(Q)NEED_SOURCE=1 prove --timer tests/field

$(field_compare): tests/field/compare.c $(field_obj) tests/field/field.mk
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(P2PTRACE_CFLAGS) -O2 -MMD -MP -MF $@.d -MT $@ $< $(field_obj) \
		$(P2PTRACE_LIBS) -ldl -o $@

bench_peers	:= $(BUILD)/obj/bench/peers

$(bench_peers): tests/bench/peers.c $(field_obj) tests/field/field.mk
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(P2PTRACE_CFLAGS) -O2 -MMD -MP -MF $@.d -MT $@ $< $(field_obj) \
		$(P2PTRACE_LIBS) -o $@

-include $(wildcard $(field_compare).d $(bench_peers).d)
