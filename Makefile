# A thin front for Meson and ninja: "make help" lists what it does.
BUILD ?= build
JOBS ?= $(shell nproc)
T ?= csv
S ?= 60

.PHONY: all help setup setup-build demo test check check-crash soak bench bench-pipeline fuzz install fmt clean
.DEFAULT_GOAL := all

help:
	@sed -n 's/^## //p' Makefile

## make            build the program (build/src/cmd/galena)
all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) -j $(JOBS)

## make setup      install the packages that building and testing need, if any is missing (Debian and its relatives)
setup:
	@tools/setup.sh build test

setup-build:
	@tools/setup.sh build

$(BUILD)/build.ninja:
	@meson setup $(BUILD) --buildtype=release -Dtests=false >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

## make demo       sample leads, train, evaluate, score, explain, serve: ends by itself
demo: setup-build
	@$(MAKE) --no-print-directory all
	@tools/demo.sh $(BUILD)/src/cmd/galena

## make test       every test
test: setup
	@tools/test.sh $(BUILD)

## make check      the tests under the sanitizers and with clang; clang-tidy; format; layers (STEPS="tidy tsan": only these)
check:
	@tools/setup.sh build test check
	@tools/check.sh $(STEPS)

## make check-crash KILLS=2000      kill -9 at every durable point, on SQLite and PostgreSQL, with an oracle (SEED=N repeats a campaign)
check-crash: setup
	@tools/campaign.sh crash_matrix

## make soak MINUTES=30      the service under load: memory and open files stay flat
soak: setup
	@tools/campaign.sh soak

## make bench      speed and quality beside other programs, as ratios
bench:
	@tools/setup.sh build test bench
	@$(MAKE) --no-print-directory all
	@tools/bench.sh $(BUILD)

## make bench-pipeline      the durable pipeline beside queue engines (GALENA_QUEUE_PEERS=DIR)
bench-pipeline:
	@tools/setup.sh build test bench
	@$(MAKE) --no-print-directory all
	@bench/pipeline.py --galena $(BUILD)/src/cmd/galena

## make fuzz T=csv S=60      one fuzz target for S seconds; T=list names them
fuzz:
	@tools/setup.sh build check
	@tools/fuzz.sh $(T) $(S)

## make install    program, manual pages, completion and share/ (DESTDIR and PREFIX are honoured)
install: all
	@meson configure $(BUILD) $(if $(PREFIX),--prefix=$(PREFIX))
	@meson install -C $(BUILD) $(if $(DESTDIR),--destdir=$(DESTDIR))

## make fmt        put all sources into the house's format, and docs/errors.md up to date
fmt:
	@clang-format -i $$(git ls-files '*.c' '*.h' '*.cpp')
	@python3 tools/check_style.py --errors >docs/errors.md

## make clean      remove what was built
clean:
	@rm -rf build build-*
