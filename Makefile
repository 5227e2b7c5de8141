# hashedfs: build, test, install. `make help` lists what there is.

PREFIX ?= /usr/local
DESTDIR ?=
BASH_COMPLETIONS ?= $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS ?= $(PREFIX)/share/zsh/site-functions
FISH_COMPLETIONS ?= $(PREFIX)/share/fish/vendor_completions.d
# The version stands in debian/changelog alone: 1.0.0~rc1 there is 1.0.0-rc1.
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog | tr '~' '-')

PKGS := libcrypto sqlite3
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
	-DFUSE_USE_VERSION=314 -DHF_VERSION='"$(VERSION)"' \
	$(if $(SAN),-DHF_SANITIZED) $(CPPFLAGS)
CFLAGS ?= -O2 -g
CFLAGS_ALL := -std=c17 $(WARN) $(if $(STRICT),-Werror) -pthread \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer) $(CFLAGS)
LDFLAGS_ALL := -pthread $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

# The engine: every floor below the frontends, one static library.
ENGINE_SRC := $(wildcard fs/base/*.c fs/source/*.c fs/refs/*.c fs/digest/*.c \
	fs/view/*.c fs/control/*.c)
FUSE_SRC := $(wildcard fs/fuse/*.c)
# What the programs that mount have in common.
MOUNT_SRC := $(FUSE_SRC) $(addprefix tools/,program.c mounting.c serve.c \
	worker.c message.c device.c mountpoint.c mountinfo.c apart.c \
	privileges.c landlock.c)
# What writes a view down.
WRITE_SRC := $(addprefix tools/,export.c exported.c plan.c deliveries.c \
	delivery.c draft.c destination.c order.c freeze.c hint.c)
HASHEDFS_SRC := $(MOUNT_SRC) $(addprefix tools/,hashedfs.c guard.c launcher.c)
RUN_SRC := $(MOUNT_SRC) $(WRITE_SRC) $(addprefix tools/,hashedfs-run.c \
	running.c run.c runner.c front.c command.c descendants.c place.c copies.c)
EXPORT_SRC := $(WRITE_SRC) $(addprefix tools/,hashedfs-export.c exporting.c \
	prune.c program.c apart.c)
MANIFEST_SRC := $(wildcard manifest/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
MANIFEST_TEST_SRC := $(wildcard tests/manifest/test_*.c)

# One short line a step; V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1) $@")

obj = $(patsubst %.c,$(OUT)/%.o,$(1))
ENGINE := $(OUT)/libhashedfs.a
PROGRAMS := $(BIN)/hashedfs $(BIN)/hashedfs-manifest $(BIN)/hashedfs-run \
	$(BIN)/hashedfs-export
UNIT_TESTS := $(patsubst tests/unit/%.c,$(OUT)/tests/%,$(UNIT_SRC)) \
	$(patsubst tests/%.c,$(OUT)/tests/%,$(MANIFEST_TEST_SRC))
# All of hashedfs-manifest but its main, for the tests.
MANIFEST_PARTS := $(OUT)/libmanifest.a

all: $(PROGRAMS) # build/hashedfs, hashedfs-manifest, -run and -export

engine: $(ENGINE)

# Foreign libraries are asked for where they are used, so that the unit tests
# build without libfuse, and those of the engine without jansson.
$(OUT)/fs/fuse/%.o: CPPFLAGS_ALL += $(shell $(PKG_CONFIG) --cflags fuse3)
$(OUT)/tools/%.o: CPPFLAGS_ALL += $(shell $(PKG_CONFIG) --cflags fuse3)

# What is remembered of texts holds as long as the rules that rewrite them.
RULES := $(sort $(wildcard fs/refs/*.[ch] fs/view/*.[ch]))
$(OUT)/fs/view/texts.o: $(RULES)
$(OUT)/fs/view/texts.o: CPPFLAGS_ALL += \
	-DHF_RULES='"$(shell cat $(RULES) | cksum | tr ' ' -)"'

$(OUT)/%.o: %.c Makefile debian/changelog
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(ENGINE): $(call obj,$(ENGINE_SRC))
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcs $@ $^

$(BIN)/hashedfs: $(call obj,$(HASHEDFS_SRC)) $(ENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(shell $(PKG_CONFIG) --libs fuse3 $(PKGS))

$(BIN)/hashedfs-manifest: $(call obj,$(MANIFEST_SRC)) $(ENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(shell $(PKG_CONFIG) --libs jansson $(PKGS))

$(BIN)/hashedfs-run: $(call obj,$(RUN_SRC)) $(MANIFEST_PARTS) $(ENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ \
		$(shell $(PKG_CONFIG) --libs fuse3 jansson $(PKGS))

$(BIN)/hashedfs-export: $(call obj,$(EXPORT_SRC)) $(MANIFEST_PARTS) $(ENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(shell $(PKG_CONFIG) --libs jansson $(PKGS))

$(OUT)/tests/%: tests/unit/%.c $(ENGINE) Makefile
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -MMD -MP -o $@ $< \
		$(ENGINE) $(shell $(PKG_CONFIG) --libs cmocka $(PKGS))

$(MANIFEST_PARTS): $(call obj,$(filter-out manifest/hashedfs-manifest.c, \
		$(MANIFEST_SRC)))
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcs $@ $^

$(OUT)/tests/manifest/%: tests/manifest/%.c $(MANIFEST_PARTS) $(ENGINE) Makefile
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -MMD -MP -o $@ $< \
		$(MANIFEST_PARTS) $(ENGINE) \
		$(shell $(PKG_CONFIG) --libs cmocka jansson $(PKGS))

# Writers and readers for tests/test_hostile.py, and mounts that they must find
# out: one believes what stat says, one pushes what it reads once more.
TRUSTING := tests/hostile/trusting.c
REREADING := tests/hostile/rereading.c
HOSTILE_SRC := $(filter-out $(TRUSTING) $(REREADING), \
	$(wildcard tests/hostile/*.c))
HOSTILE := $(BIN)/hostile $(BIN)/trusting/hashedfs $(BIN)/rereading/hashedfs

$(BIN)/hostile: $(call obj,$(HOSTILE_SRC))
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(shell $(PKG_CONFIG) --libs libcrypto)

$(BIN)/trusting/hashedfs: $(call obj,$(TRUSTING) $(HASHEDFS_SRC)) $(ENGINE)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -Wl,--wrap=hf_digests_new \
		-Wl,--wrap=hf_digests_open -o $@ $^ \
		$(shell $(PKG_CONFIG) --libs fuse3 $(PKGS))

$(call obj,$(REREADING)): CPPFLAGS_ALL += $(shell $(PKG_CONFIG) --cflags fuse3)
$(BIN)/rereading/hashedfs: $(call obj,$(REREADING) $(HASHEDFS_SRC)) $(ENGINE)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -Wl,--wrap=hf_push -o $@ $^ \
		$(shell $(PKG_CONFIG) --libs fuse3 $(PKGS))

# For tests of thousands of trees.
$(BIN)/snapshots: $(OUT)/tests/manifest/snapshots.o $(MANIFEST_PARTS) $(ENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(shell $(PKG_CONFIG) --libs jansson $(PKGS))

# For the fault matrix: a source that fails on command, never instrumented, and
# mounts with a clock that can be stepped.
FAULTS := $(BIN)/faultfs $(BIN)/clock/hashedfs $(BIN)/clock/hashedfs-run

$(BIN)/faultfs: tests/faults/faultfs.c Makefile
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(filter-out -fsanitize%,$(CFLAGS_ALL)) \
		-o $@ $< $(shell $(PKG_CONFIG) --cflags --libs fuse3)

$(BIN)/clock/hashedfs: $(call obj,$(HASHEDFS_SRC)) $(ENGINE)
$(BIN)/clock/hashedfs-run: $(call obj,$(RUN_SRC)) $(MANIFEST_PARTS) $(ENGINE)
$(BIN)/clock/%: $(OUT)/tests/faults/clock.o
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -Wl,--wrap=hf_clock_realtime -o $@ $^ \
		$(shell $(PKG_CONFIG) --libs fuse3 jansson $(PKGS))

# Programs that only tests run.
TEST_PROGRAMS := $(HOSTILE) $(FAULTS) $(BIN)/snapshots

check: $(UNIT_TESTS) check-fuzz # unit tests: no FUSE, no network, no root
	@set -e; for t in $(UNIT_TESTS); do echo "== $$t"; $$t; done

# Fuzz targets: replayed over their corpus by a plain main, or run by libFuzzer.
FUZZ_REFS := refs url plain lanes
FUZZ_JSON := manifest listing
FUZZ := $(FUZZ_REFS) $(FUZZ_JSON)
REPLAYS := $(FUZZ:%=$(OUT)/tests/replay_%)

$(FUZZ_REFS:%=$(OUT)/tests/replay_%): $(OUT)/tests/replay_%: \
		$(OUT)/tests/fuzz/fuzz_%.o $(OUT)/tests/fuzz/replay.o $(ENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(shell $(PKG_CONFIG) --libs libcrypto)

$(FUZZ_JSON:%=$(OUT)/tests/replay_%): $(OUT)/tests/replay_%: \
		$(OUT)/tests/fuzz/fuzz_%.o $(OUT)/tests/fuzz/replay.o \
		$(MANIFEST_PARTS) $(ENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ \
		$(shell $(PKG_CONFIG) --libs jansson $(PKGS))

check-fuzz: $(REPLAYS)
	@set -e; for t in $(FUZZ); do \
		$(OUT)/tests/replay_$$t tests/fuzz/corpus/$$t; done

check-linear: $(OUT)/tests/replay_refs # rewriting takes linear time: counts instructions
	@tests/linear.sh $<

FUZZER := clang $(CPPFLAGS_ALL) -std=c17 -O1 -g -pthread \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined

FUZZED := $(wildcard fs/refs/*.c fs/base/*.c) fs/digest/hash.c fs/digest/lanes.c
$(FUZZ_REFS:%=build/fuzz/%): build/fuzz/%: tests/fuzz/fuzz_%.c $(FUZZED) \
		$(wildcard fs/*/*.h)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(FUZZER) -o $@ $< $(FUZZED) $(shell $(PKG_CONFIG) --libs libcrypto)

$(FUZZ_JSON:%=build/fuzz/%): build/fuzz/%: tests/fuzz/fuzz_%.c \
		$(wildcard manifest/*.[ch]) $(ENGINE_SRC)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(FUZZER) -DHF_RULES='"fuzz"' -o $@ $< $(ENGINE_SRC) \
		$(filter-out manifest/hashedfs-manifest.c,$(MANIFEST_SRC)) \
		$(shell $(PKG_CONFIG) --libs jansson $(PKGS))

# New inputs go to build/fuzz; what broke is kept there too.
FUZZ_SECONDS ?= 60
fuzz: $(FUZZ:%=build/fuzz/%) # looks for inputs that break fs/refs, lanes of fs/digest, manifest
	@set -e; for t in $(FUZZ); do mkdir -p build/fuzz/corpus/$$t; \
		case $$t in manifest|listing) dict=json ;; *) dict=refs ;; esac; \
		build/fuzz/$$t -dict=tests/fuzz/$$dict.dict -max_len=400 \
		-timeout=10 -max_total_time=$(FUZZ_SECONDS) \
		-artifact_prefix=build/fuzz/ build/fuzz/corpus/$$t \
		tests/fuzz/corpus/$$t; done

# What follows lists itself in `make help`: "NAME: # what it does".
help: # this list
	@awk -F ':.* # ' '/^[a-z-]+:.* # / {printf "make %-12s %s\n", $$1, $$2}' \
		Makefile
	@echo "with PREFIX=, DESTDIR=, STRICT=1, SAN=address,undefined, SAN=thread"

deps: # install what building and running needs (Debian, Ubuntu)
	@tools/deps.sh build

test-deps: # install what testing needs, and fetch real input
	@tools/deps.sh test
	@tests/inputs.sh

# Each step is a make of its own: what it finds may just have been installed.
STEP := @$(MAKE) --no-print-directory -j$(shell nproc)

test: # everything: dependencies, build, unit tests, lint, tests on mounts
	$(STEP) test-deps
	$(STEP) all check check-linear SAN=
	$(STEP) all check SAN=address,undefined
	$(STEP) all SAN=thread
	$(STEP) lint
	$(STEP) test-mount

# Most tests wait more than they work.
TESTERS ?= $(shell expr $$(nproc) + 1)

test-mount: all $(TEST_PROGRAMS) # tests on real mounts alone; with SAN= those of that build
	HASHEDFS_BIN_DIR=$(BIN) HASHEDFS_STRICT=$(STRICT) tests/mounts.sh \
		-n $(TESTERS) --dist worksteal tests $(ARGS)

outcomes: all $(FAULTS) # run every fault, write the tables of hashedfs(7)
	HASHEDFS_LONG=1 HASHEDFS_OUTCOMES=write build/venv/bin/python -B -m pytest \
		-c tests/pytest.ini tests/test_matrix.py $(ARGS)

test-long: # 200,000 trees beside real Django, and an hour of hostile writers
	$(STEP) test-deps
	$(STEP) all $(TEST_PROGRAMS)
	$(STEP) $(DJANGOS:%=trees-%)
	HASHEDFS_LONG=1 HASHEDFS_STRICT=1 build/venv/bin/python -B -m pytest \
		-c tests/pytest.ini tests/test_hostile.py $(ARGS)

# Each -o refs= is a process of its own, as many at a time as there are cores.
DJANGOS := django-4.2 django-5.2 django-6.0 django-6.1 django-6.1,js_modules

trees-%: all $(BIN)/snapshots
	HASHEDFS_TREES=200000 HASHEDFS_STRICT=1 build/venv/bin/python -B \
		-m pytest -c tests/pytest.ini \
		"tests/test_django_random.py::test_trees[$*]"

demo: # see it work: mounts, lists, writes a manifest, syncs
	@tools/deps.sh demo
	@tests/inputs.sh demo
	$(STEP) -s all
	@tools/demo.sh

bench: # how fast it is, beside other tools, on a large tree
	@tools/deps.sh bench
	@tests/inputs.sh bench
	$(STEP) all
	@build/venv/bin/python -B tests/bench $(ARGS)

# A place below DESTDIR, which may have blanks in its name.
at = "$(DESTDIR)$(1)"

install: all # put programs, manual pages and completions under DESTDIR and PREFIX
	install -d $(call at,$(PREFIX)/bin) $(call at,$(PREFIX)/share/man/man1) \
		$(call at,$(PREFIX)/share/man/man7) \
		$(call at,$(BASH_COMPLETIONS)) $(call at,$(ZSH_COMPLETIONS)) \
		$(call at,$(FISH_COMPLETIONS))
	install -m 755 $(PROGRAMS) $(call at,$(PREFIX)/bin)
	install -m 644 $(filter %.1,$(MAN)) $(call at,$(PREFIX)/share/man/man1)
	install -m 644 $(filter %.7,$(MAN)) $(call at,$(PREFIX)/share/man/man7)
	install -m 644 tools/completions/hashedfs.bash \
		$(call at,$(BASH_COMPLETIONS)/hashedfs)
	install -m 644 tools/completions/_hashedfs $(call at,$(ZSH_COMPLETIONS))
	install -m 644 tools/completions/hashedfs.fish \
		$(call at,$(FISH_COMPLETIONS))
	@set -e; for name in $(filter-out hashedfs,$(notdir $(PROGRAMS))); do \
		ln -sf hashedfs $(call at,$(BASH_COMPLETIONS)/$$name); \
		ln -sf hashedfs.fish $(call at,$(FISH_COMPLETIONS)/$$name.fish); \
	done

HEADERS := $(wildcard fs/*/*.h manifest/*.h tools/*.h)
TIDY := $(patsubst %.c,$(OUT)/%.tidy,$(ENGINE_SRC) $(FUSE_SRC) $(MANIFEST_SRC) \
	$(wildcard tools/*.c))
SCRIPTS := .ci/run $(wildcard tools/*.sh tests/*.sh) debian/tests/mount \
	debian/hashedfs.postrm tools/completions/hashedfs.bash
# What cppcheck takes for a leak is freed by HF_CLEANUP (sanitizers look for them);
# what it believes about arguments across functions (ctu) is not what they do.
CPPCHECK := -q --std=c11 --enable=warning,performance,portability \
	--inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem \
	--suppress=memleak --suppress=ctunullpointer --suppress=ctuuninitvar \
	--suppress=uninitvar:fs/view/walk.c --suppress=uninitvar:fs/digest/crowd.c

lint: $(TIDY) # formatting, usual mistakes, spelling, manual pages, rooms, help texts
	@clang-format --dry-run -Werror $(FORMAT_SRC)
	shellcheck $(SCRIPTS)
	cppcheck $(CPPCHECK) $(CPPFLAGS_ALL) -DHF_RULES='""' fs manifest tools
	codespell $(filter-out build,$(wildcard * .ci))
	mandoc -T lint -W warning $(MAN)
	python3 -B tests/design.py floors symbols circles help
	python3 -B tests/completions.py

linters:
	@command -v clang-tidy >/dev/null || { \
		echo "lint needs what make test-deps installs" >&2; exit 3; }

$(OUT)/%.tidy: %.c .clang-tidy $(HEADERS) | linters
	@mkdir -p $(@D)
	$(call say,TIDY)
	$(Q)clang-tidy --quiet $< -- $(CPPFLAGS_ALL) -std=c17 -DHF_RULES='""' \
		$(shell $(PKG_CONFIG) --cflags fuse3) 2>/dev/null
	@touch $@

format: # lay out all sources
	@clang-format -i $(FORMAT_SRC)

clean: # remove what was built, not what was fetched
	rm -rf build/plain build/san-* build/fuzz build/hashedfs \
		build/hashedfs-manifest build/hashedfs-run build/hashedfs-export \
		build/hostile build/trusting build/rereading build/snapshots \
		build/faultfs build/clock

FORMAT_SRC := $(wildcard fs/*/*.[ch] manifest/*.[ch] tools/*.[ch] tests/*/*.[ch])
MAN := $(wildcard tools/*.[17] manifest/*.1)

.PHONY: all engine check check-fuzz check-linear fuzz help deps test-deps \
	test test-mount outcomes demo bench install linters lint format clean
.SECONDARY:
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
