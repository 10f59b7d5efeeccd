# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests in virtual machines run: a module and two programs. `make check` builds them.

VM_FIXTURES = $(BUILD)/vm/widget.ko $(BUILD)/vm/wl $(BUILD)/vm/kv $(BUILD)/vm/exprs

$(BUILD)/vm/widget.ko: tests/vm/build $(wildcard tests/vm/mod/*)
	$(call msg,MODULE,$@)
	$(Q)BUILD=$(BUILD) tests/vm/build

# -O1 and locals keep the arguments of the probes in registers: libbpf 1.1 reads no others.
$(BUILD)/vm/kv: tests/vm/usdt.c
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) -O1 -g -static -D_GNU_SOURCE -o $@ $<

$(BUILD)/vm/%: tests/vm/%.c
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) -O1 -g -static -D_GNU_SOURCE -o $@ $<

vm-fixtures: $(VM_FIXTURES)

check: vm-fixtures

.PHONY: vm-fixtures
