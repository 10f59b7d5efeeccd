# The BPF runtime travels inside the program.
$(BUILD)/rules/runtime_blob.o: rules/runtime_blob.S $(BUILD)/runtime.bpf.o
	$(call msg,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -I$(BUILD) -Wa,-I$(BUILD) -c -o $@ $<

OBJS += $(BUILD)/rules/runtime_blob.o
