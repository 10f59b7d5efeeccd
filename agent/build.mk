# SPDX-License-Identifier: GPL-2.0-or-later
# The commands' documentation travels inside the program: `deadfall help COMMAND`.
$(BUILD)/agent/help_blob.o: agent/help_blob.S docs/commands.md
	$(call msg,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Wa,-I. -c -o $@ $<

OBJS += $(BUILD)/agent/help_blob.o
