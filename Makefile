# deadfall: make · make check · make demo · make deps · make help

V ?= 0
Q = $(if $(filter 1,$(V)),,@)
msg = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)')

BUILD ?= build
VARIANT ?= release
CC ?= gcc
CLANG ?= clang-19
VERSION := $(shell cat VERSION)

WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings
CFLAGS_release = -O2 -g
CFLAGS_debug = -O0 -g3
CFLAGS_san = -O1 -g3 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# What is built does not depend on the folder it is built in: debuggers look for sources where they are started.
NO_PATHS = -ffile-prefix-map=$(CURDIR)=.
CFLAGS = $(NO_PATHS) -std=gnu11 $(WARN) $(CFLAGS_$(VARIANT)) -I. -I$(BUILD) -D_GNU_SOURCE -DDEADFALL_VERSION='"$(VERSION)"'
LIBS = -lbpf -lelf -lyaml -lkdumpfile -laddrxlat -ljansson -llzma -lzstd -llz4 -lz -lm
# bpf/ needs no kernel headers: the kernel's types it uses are in bpf/kernel.h, relocated by CO-RE.
BPF_CFLAGS = $(NO_PATHS) -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter \
	     -Wno-missing-declarations -I. -I/usr/include/$(shell uname -m)-linux-gnu -D__TARGET_ARCH_x86

# Every .c file of a component is part of it; programs of their own are listed here.
PROGRAMS = agent/main.c kdump/init.c kdump/crash_ext.c
SRCS = $(filter-out $(PROGRAMS),$(wildcard lib/*.c rules/*.c rules/sim/*.c agent/*.c kdump/*.c))
OBJS = $(SRCS:%.c=$(BUILD)/%.o)
BPF_SRCS = $(wildcard bpf/*.bpf.c)
BPF_OBJS = $(BPF_SRCS:bpf/%.bpf.c=$(BUILD)/%.bpf.o)

UNIT_SRCS = $(wildcard tests/unit/*.c)
UNIT_BINS = $(UNIT_SRCS:%.c=$(BUILD)/%)

# The default; build.mk files below add to EXTRA_PROGRAMS.
all:

include $(wildcard */build.mk tests/*/build.mk)

all: $(BUILD)/deadfall $(BPF_OBJS) $(EXTRA_PROGRAMS)

$(BUILD)/deadfall: $(BUILD)/agent/main.o $(BUILD)/libdeadfall.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/libdeadfall.a: $(OBJS)
	$(call msg,AR,$@)
	$(Q)rm -f $@ && ar rcsP $@ $^

$(BUILD)/%.o: %.c Makefile
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.bpf.o: bpf/%.bpf.c Makefile
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libdeadfall.a
	$(call msg,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(BUILD)/libdeadfall.a -lcmocka $(LIBS)

# The BTF that tests check rules against stands in the repository; this makes it anew after a change of the C file.
tests/data/%.btf: tests/data/%.c
	$(call msg,BTF,$@)
	$(Q)$(CLANG) -target bpf -O2 -g -Wno-c23-extensions -c -o $@.o $<
	$(Q)llvm-objcopy --dump-section .BTF=$@ $@.o && rm $@.o

unit: $(UNIT_BINS)

# All tests: unprivileged ones first, then those in virtual machines. `make check T=pattern` runs a part.
check: all unit
	$(Q)tests/run $(T)

# Golden texts as they are printed now; shows the difference, for review.
regold: $(BUILD)/deadfall
	$(Q)REGOLD=1 BUILD=$(BUILD) bash tests/host/rules.sh 2>/dev/null | grep -v '^ok' || true

# The long ones: faults of the capture, dumps over the network. `make soak T=pattern` runs a part.
soak: all vm-fixtures
	$(Q)contrib/deps soak
	$(Q)TESTS=soak tests/run $(T)

demo: deps
	$(Q)+BUILD=$(BUILD) contrib/demo

deps:
	$(Q)contrib/deps

# deadfall finds deadfall-init beside itself.
PREFIX = /usr/local
INSTALL = install -D -m 0644

UNITS = deadfall.service deadfall-kdump.service

install: all
	$(Q)install -D -m 0755 -t $(DESTDIR)$(PREFIX)/bin $(BUILD)/deadfall $(BUILD)/deadfall-init
	$(Q)test ! -e $(BUILD)/deadfall.so || $(INSTALL) -t $(DESTDIR)$(PREFIX)/lib/deadfall $(BUILD)/deadfall.so
	$(Q)$(INSTALL) -t $(DESTDIR)$(PREFIX)/share/deadfall contrib/deadfall-rule.schema.json $(wildcard contrib/drgn/*.py)
	$(Q)$(INSTALL) -t $(DESTDIR)$(PREFIX)/share/deadfall/rules $(wildcard rules/catalog/*.yaml)
	$(Q)$(INSTALL) -t $(DESTDIR)$(PREFIX)/share/doc/deadfall README.md contrib/systemd/deadfall.default
	$(Q)$(INSTALL) -t $(DESTDIR)$(PREFIX)/share/doc/deadfall/docs $(wildcard docs/*.md)
	$(Q)$(INSTALL) -t $(DESTDIR)$(PREFIX)/share/bash-completion/completions contrib/bash-completion/deadfall
	$(Q)install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	$(Q)for unit in $(UNITS); do sed 's|@BIN@|$(PREFIX)/bin|; s|@DOC@|$(PREFIX)/share/doc/deadfall|' contrib/systemd/$$unit \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit || exit; done

uninstall:
	$(Q)rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,deadfall deadfall-init) $(addprefix $(DESTDIR)$(PREFIX)/lib/systemd/system/,$(UNITS)) \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/deadfall
	$(Q)rm -rf $(addprefix $(DESTDIR)$(PREFIX)/,lib/deadfall share/deadfall share/doc/deadfall)

# A Debian package, in $(BUILD)/deb: built from a copy of the sources by Debian's own tools.
deb:
	$(Q)contrib/debian/build $(BUILD)/deb

clean:
	$(Q)rm -rf $(BUILD)

help:
	@echo 'make          build build/deadfall and the BPF runtime'
	@echo 'make check    all tests (T=pattern runs a part)'
	@echo 'make soak     tests that take long or want an idle machine'
	@echo 'make bench    how fast, how large'
	@echo 'make demo     a bug caught in a VM, from rule to report'
	@echo 'make install  to PREFIX=/usr/local (DESTDIR for packages); make uninstall'
	@echo 'make deb      a Debian package, in build/deb'
	@echo 'make deps     install the Debian packages that building and testing need'
	@echo 'VARIANT=debug|san  other builds (give BUILD=build-san as well); V=1 shows commands'

.PHONY: all unit check regold soak demo deps install uninstall deb clean help
.DELETE_ON_ERROR:
.SECONDARY:

-include $(OBJS:.o=.d) $(BPF_OBJS:.o=.d) $(UNIT_BINS:=.d) $(BUILD)/agent/main.d
