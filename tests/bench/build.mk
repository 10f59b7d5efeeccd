# SPDX-License-Identifier: GPL-2.0-or-later
# Benchmarks: `make bench` runs every script of this folder; they say what was wanted and what was found.

$(BUILD)/tests/bench/%: tests/bench/%.c $(BUILD)/libdeadfall.a
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $< $(BUILD)/libdeadfall.a $(LIBS)

$(BUILD)/tests/bench/%.bpf.o: tests/bench/%.bpf.c $(wildcard bpf/*.h)
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

bench: all $(BUILD)/vm/ask $(BUILD)/tests/bench/sets.bpf.o $(patsubst %.c,$(BUILD)/%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))
	$(Q)TESTS=bench tests/run $(T)

.PHONY: bench
