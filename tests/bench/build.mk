# SPDX-License-Identifier: GPL-2.0-or-later
# Benchmarks: `make bench` runs every script of this folder; they say what was wanted and what was found.

$(BUILD)/tests/bench/%: tests/bench/%.c $(BUILD)/libdeadfall.a
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $< $(BUILD)/libdeadfall.a $(LIBS)

bench: all $(BUILD)/vm/ask $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
	$(Q)TESTS=bench tests/run $(T)

.PHONY: bench
