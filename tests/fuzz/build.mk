# SPDX-License-Identifier: GPL-2.0-or-later
# libFuzzer targets; the runtime is in libclang-rt-19-dev.

FUZZ_CC ?= $(CLANG)
FUZZ_TIME ?= 600
FUZZ_TARGETS = $(BUILD)/fuzz/yaml $(BUILD)/fuzz/expression
FUZZ_FLAGS = -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -I. -D_GNU_SOURCE \
	     -DDEADFALL_VERSION='"fuzz"'
FUZZ_SRCS = $(wildcard lib/*.c) $(addprefix rules/,source.c diag.c diag_print.c yaml.c kbtf.c kbtf_image.c types.c lex.c \
	    parse.c schema.c read.c read_event.c read_match.c read_automaton.c read_tables.c probe.c probe_func.c \
	    probe_parse.c probe_tp.c deny.c macros.c ctext.c check.c check_match.c check_template.c check_expr.c \
	    check_name.c check_call.c check_loop.c convert.c compile.c expr_print.c rule_print.c)

$(BUILD)/fuzz/yaml: FUZZ_DEF =
$(BUILD)/fuzz/expression: FUZZ_DEF = -DFUZZ_EXPRESSION
$(FUZZ_TARGETS): tests/fuzz/rules.c $(FUZZ_SRCS)
	$(call msg,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) $(FUZZ_DEF) -o $@ $^ $(LIBS)

fuzz: $(FUZZ_TARGETS)
	$(Q)FUZZ_TIME=$(FUZZ_TIME) BUILD=$(BUILD) tests/fuzz/run

fuzz-targets: $(FUZZ_TARGETS)

.PHONY: fuzz fuzz-targets
