# SPDX-License-Identifier: GPL-2.0-or-later
# The differential test: generated expressions, bytecode in the kernel against the reference evaluator and gcc.

DIFF_BTF = $(BUILD)/tests/diff/subject1.btf $(BUILD)/tests/diff/subject2.btf
DIFF_OBJS = $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/diff/subject%.c,$(wildcard tests/diff/*.c)))

$(BUILD)/tests/diff/%.btf: tests/diff/%.c tests/diff/subject.h
	$(call msg,BTF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf -O2 -g -I. -Wno-c23-extensions -c -o $@.o $<
	$(Q)llvm-objcopy --dump-section .BTF=$@ $@.o && rm $@.o

$(BUILD)/tests/diff/diff: $(DIFF_OBJS) $(BUILD)/libdeadfall.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS) -ldl

diff-programs: $(BUILD)/tests/diff/diff $(DIFF_BTF)

check: diff-programs

# The long run: some minutes, a million pairs and more.
diff: all diff-programs
	$(Q)$(BUILD)/tests/diff/diff --expressions 20000 --inputs 100 --seed 0

.PHONY: diff diff-programs

-include $(DIFF_OBJS:.o=.d)
