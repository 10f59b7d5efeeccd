# deadfall-init is PID 1 of the crash kernel: static, since its initramfs should depend on as little as possible.
EXTRA_PROGRAMS += $(BUILD)/deadfall-init

$(BUILD)/deadfall-init: $(BUILD)/kdump/init.o $(BUILD)/libdeadfall.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(if $(filter san,$(VARIANT)),,-static) -o $@ $^ -ljansson -lm

-include $(BUILD)/kdump/init.d

# The HTML report's page travels inside the program.
$(BUILD)/kdump/html_blob.o: kdump/html_blob.S kdump/report.html
	$(call msg,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Wa,-I. -c -o $@ $<

OBJS += $(BUILD)/kdump/html_blob.o
