# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests in virtual machines run: modules and programs. `make check` builds them.

VM_FIXTURES = $(BUILD)/vm/widget.ko $(BUILD)/vm-6.1/scen.ko $(BUILD)/vm/bpf_panic/bpf_panic.ko $(BUILD)/vm/wl $(BUILD)/vm/app \
	$(BUILD)/vm/kv $(BUILD)/vm/many $(BUILD)/vm/exprs $(BUILD)/vm/calls $(BUILD)/vm/automata $(BUILD)/vm/ask

$(BUILD)/vm/widget.ko: tests/vm/build $(wildcard tests/vm/mod/*)
	$(call msg,MODULE,$@)
	$(Q)BUILD=$(BUILD) tests/vm/build

$(BUILD)/vm-6.1/scen.ko: tests/vm/build $(wildcard tests/vm/mod/*)
	$(call msg,MODULE,$@)
	$(Q)BUILD=$(BUILD) tests/vm/build 6.1

$(BUILD)/vm/bpf_panic/bpf_panic.ko: $(wildcard contrib/bpf_panic/*)
	$(call msg,MODULE,$@)
	$(Q)mkdir -p $(@D)
	$(Q)headers=$$(contrib/vm/kernel --headers 6.12) && env -u MAKEFLAGS -u MAKELEVEL -u CC -u CFLAGS \
		make -s -C contrib/bpf_panic KDIR="$$headers" OUT=$(abspath $(@D)) >$(@D)/build.log 2>&1 || \
		{ cat $(@D)/build.log >&2; exit 1; }

# -O1 and locals keep the arguments of the probes in registers: libbpf 1.1 reads no others.
$(BUILD)/vm/kv: tests/vm/usdt.c
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) -O1 -g -static -D_GNU_SOURCE -o $@ $<

# These read the DWARF that we made by elfutils.
$(BUILD)/tests/unit/dwarf $(BUILD)/tests/unit/vmlinux: LIBS += -ldw

# Its user stack is read by frame pointers.
$(BUILD)/vm/ask: tests/vm/ask.c
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) -O1 -g -static -fno-omit-frame-pointer -D_GNU_SOURCE -o $@ $<

# With all of deadfall in it.
$(BUILD)/vm/automata: tests/vm/automata.c $(BUILD)/libdeadfall.a
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $< $(BUILD)/libdeadfall.a $(LIBS)

# With libraries, to be probed as well, and operands of probes in memory.
$(BUILD)/vm/calls: tests/vm/calls.c
	$(call msg,CC,$@)
	$(Q)$(CC) -std=gnu11 $(WARN) -O2 -g -D_GNU_SOURCE -o $@ $<

$(BUILD)/vm/%: tests/vm/%.c
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) -O1 -g -static -D_GNU_SOURCE -o $@ $<

# Damages what a report reads, in the same process; built with sanitizers it finds what damage can do.
$(BUILD)/tests/mangle: tests/damage/mangle.c $(BUILD)/libdeadfall.a
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

mangle: $(BUILD)/tests/mangle

vm-fixtures: $(VM_FIXTURES)

check: vm-fixtures

.PHONY: vm-fixtures mangle
