# SPDX-License-Identifier: GPL-2.0-or-later
# What the verifier thinks of the golden rules: the program that tests/vm/verifier.sh runs.

$(BUILD)/tests/verify/verify: tests/verify/verify.c $(BUILD)/libdeadfall.a
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $< $(BUILD)/libdeadfall.a $(LIBS)

vm-fixtures: $(BUILD)/tests/verify/verify

# The table of tests/verify/ as it is now; shows the difference, for review.
verifier-table: all vm-fixtures $(BUILD)/tests/verify/verify
	$(Q)BUILD=$(BUILD) REGOLD=1 bash tests/vm/verifier.sh; git diff --stat tests/verify

.PHONY: verifier-table
