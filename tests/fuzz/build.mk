# SPDX-License-Identifier: GPL-2.0-or-later
# libFuzzer targets; the runtime is in libclang-rt-19-dev.

FUZZ_CC ?= $(CLANG)
FUZZ_TIME ?= 600
FUZZ_DUMP = $(addprefix $(BUILD)/fuzz/,vmcoreinfo kallsyms btf maps)
FUZZ_OBJECT = $(addprefix $(BUILD)/fuzz/,object manifest)
FUZZ_TARGETS = $(BUILD)/fuzz/yaml $(BUILD)/fuzz/expression $(FUZZ_DUMP) $(FUZZ_OBJECT)
FUZZ_FLAGS = -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -I. -D_GNU_SOURCE \
	     -DDEADFALL_VERSION='"fuzz"'
# All of the compiler.
FUZZ_SRCS = $(wildcard lib/*.c) $(filter-out rules/cmd_%.c,$(wildcard rules/*.c)) $(BUILD)/rules/runtime_blob.o

$(BUILD)/fuzz/yaml: FUZZ_DEF =
$(BUILD)/fuzz/expression: FUZZ_DEF = -DFUZZ_EXPRESSION
$(BUILD)/fuzz/yaml $(BUILD)/fuzz/expression: tests/fuzz/rules.c $(FUZZ_SRCS)
	$(call msg,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) $(FUZZ_DEF) -o $@ $^ $(LIBS)

# The readers of a dump are those of deadfall.so, but for what reads files.
FUZZ_DUMP_SRCS = $(filter-out kdump/mem_kdumpfile.c kdump/flattened.c kdump/descriptors.c,$(EXT_SRCS)) kdump/report_perfetto.c

$(BUILD)/fuzz/vmcoreinfo: FUZZ_DEF = -DFUZZ_TARGET=1
$(BUILD)/fuzz/kallsyms: FUZZ_DEF = -DFUZZ_TARGET=2
$(BUILD)/fuzz/btf: FUZZ_DEF = -DFUZZ_TARGET=3
$(BUILD)/fuzz/maps: FUZZ_DEF = -DFUZZ_TARGET=4
$(FUZZ_DUMP): tests/fuzz/dump.c $(FUZZ_DUMP_SRCS) $(BUILD)/runtime.bpf.o tests/unit/set_image.h
	$(call msg,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -Wno-unused-function $(FUZZ_DEF) -o $@ $(filter %.c,$^) $(LIBS)

# What reads a compiled set before libbpf does.
$(BUILD)/fuzz/object: FUZZ_DEF =
$(BUILD)/fuzz/manifest: FUZZ_DEF = -DFUZZ_MANIFEST
$(FUZZ_OBJECT): tests/fuzz/object.c agent/object.c agent/setinfo.c agent/params.c \
		$(addprefix rules/,lex.c late.c diag.c source.c yaml.c) $(wildcard lib/*.c)
	$(call msg,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) $(FUZZ_DEF) -o $@ $^ $(LIBS)

fuzz: $(FUZZ_TARGETS)
	$(Q)FUZZ_TIME=$(FUZZ_TIME) BUILD=$(BUILD) tests/fuzz/run

fuzz-targets: $(FUZZ_TARGETS)

.PHONY: fuzz fuzz-targets
