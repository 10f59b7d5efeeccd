# deadfall-init is PID 1 of the crash kernel: static, since its initramfs should depend on as little as possible.
EXTRA_PROGRAMS += $(BUILD)/deadfall-init

$(BUILD)/deadfall-init: $(BUILD)/kdump/init.o $(BUILD)/libdeadfall.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(if $(filter san,$(VARIANT)),,-static) -o $@ $^ -ljansson -lz -lm

-include $(BUILD)/kdump/init.d

# The HTML report's page travels inside the program.
$(BUILD)/kdump/html_blob.o: kdump/html_blob.S kdump/report.html
	$(call msg,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Wa,-I. -c -o $@ $<

OBJS += $(BUILD)/kdump/html_blob.o

# deadfall.so, the extension of crash(8): position-independent objects of the reader, nothing exported.
EXT_SRCS = lib/arena.c lib/buf.c lib/cursor.c lib/err.c $(addprefix kdump/, bpflist.c bpfmaps.c cpus.c \
	   descriptors.c detected.c dmesg.c flattened.c frames.c gaps.c kallsyms.c kernel.c kernel_dump.c ktext.c ktypes.c last_words.c layout.c manifest.c mappings.c \
	   mem.c mem_kdumpfile.c orc.c reason.c report.c report_json.c report_kept.c report_live.c report_missing.c report_owners.c \
	   report_stacks.c report_text.c report_text_live.c report_text_stacks.c set.c set_keys.c set_marks.c set_reach.c tasks.c unwind.c usyms.c \
	   values.c vmcoreinfo.c)
EXT_OBJS = $(EXT_SRCS:%.c=$(BUILD)/pic/%.o) $(BUILD)/pic/kdump/crash_ext.o

$(BUILD)/pic/%.o: %.c Makefile
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(EXT_CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

# crash's header is of another style: old declarations, its own names for the architecture.
$(BUILD)/pic/kdump/crash_ext.o: EXT_CFLAGS = -DX86_64 -DGDB_10_2 -Wno-strict-prototypes -Wno-shadow \
	-Wno-missing-prototypes -Wno-old-style-declaration -Wno-write-strings

$(BUILD)/deadfall.so: $(EXT_OBJS)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -shared -o $@ $^ -lbpf -lelf -lkdumpfile -laddrxlat -ljansson -lz

# Without crash's header there is no extension.
ifneq ($(wildcard /usr/include/crash/defs.h),)
ifneq ($(VARIANT),san)
EXTRA_PROGRAMS += $(BUILD)/deadfall.so
endif
endif

-include $(EXT_OBJS:.o=.d)
