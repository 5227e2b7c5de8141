# hashedfs: build, test, install. `make help` lists what there is.

PREFIX ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0

PKGS := libcrypto
CC ?= cc
PKG_CONFIG ?= pkg-config

# Objects of a sanitizer build stand apart from the plain ones:
#   make SAN=address,undefined     make SAN=thread
empty :=
comma := ,
VARIANT := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),plain)
OUT := build/$(VARIANT)
# Programs of the plain build stand in build/ itself.
BIN := $(if $(SAN),$(OUT),build)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wpointer-arith \
	-Wwrite-strings -Wcast-qual -Wformat=2 -Wundef -Wvla -Wconversion \
	-Wno-sign-conversion -Wimplicit-fallthrough -Wnull-dereference \
	-Wdate-time -fno-common
CPPFLAGS_ALL := -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	-DFUSE_USE_VERSION=314 -DHF_VERSION='"$(VERSION)"' $(CPPFLAGS)
CFLAGS ?= -O2 -g
CFLAGS_ALL := -std=c17 $(WARN) $(if $(STRICT),-Werror) -pthread \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer) $(CFLAGS)
LDFLAGS_ALL := -pthread $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

# The engine: every floor below the frontends, one static library.
ENGINE_SRC := $(wildcard fs/base/*.c fs/source/*.c fs/refs/*.c fs/digest/*.c \
	fs/view/*.c fs/control/*.c)
FUSE_SRC := $(wildcard fs/fuse/*.c)
HASHEDFS_SRC := $(FUSE_SRC) tools/guard.c tools/mountpoint.c tools/hashedfs.c
MANIFEST_SRC := $(wildcard manifest/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)

obj = $(patsubst %.c,$(OUT)/%.o,$(1))
ENGINE := $(OUT)/libhashedfs.a
PROGRAMS := $(BIN)/hashedfs $(BIN)/hashedfs-manifest
UNIT_TESTS := $(patsubst tests/unit/%.c,$(OUT)/tests/%,$(UNIT_SRC))

all: $(PROGRAMS)

engine: $(ENGINE)

# Foreign libraries are asked for where they are used, so that the unit tests
# build without libfuse and without jansson.
$(OUT)/fs/fuse/%.o: CPPFLAGS_ALL += $(shell $(PKG_CONFIG) --cflags fuse3)
$(OUT)/tools/%.o: CPPFLAGS_ALL += $(shell $(PKG_CONFIG) --cflags fuse3)

$(OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(ENGINE): $(call obj,$(ENGINE_SRC))
	@rm -f $@
	$(AR) rcs $@ $^

$(BIN)/hashedfs: $(call obj,$(HASHEDFS_SRC)) $(ENGINE)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(shell $(PKG_CONFIG) --libs fuse3 $(PKGS))

$(BIN)/hashedfs-manifest: $(call obj,$(MANIFEST_SRC)) $(ENGINE)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(shell $(PKG_CONFIG) --libs jansson $(PKGS))

$(OUT)/tests/%: tests/unit/%.c $(ENGINE) Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -MMD -MP -o $@ $< \
		$(ENGINE) $(shell $(PKG_CONFIG) --libs cmocka $(PKGS))

# Unit tests: no FUSE, no network, no root.
check: $(UNIT_TESTS)
	@set -e; for t in $(UNIT_TESTS); do echo "== $$t"; $$t; done

clean:
	rm -rf build/plain build/san-* build/hashedfs build/hashedfs-manifest

FORMAT_SRC := $(wildcard fs/*/*.[ch] manifest/*.[ch] tools/*.[ch] tests/*/*.[ch])
format:
	clang-format -i $(FORMAT_SRC)

.PHONY: all engine check clean format
.SECONDARY:
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
