# make demo    a simulated house on the terminal, in one command
# make test    every test, with the checks of format and imports before them
# make build   debug build          make release   the programs as they are shipped
# make bench   what this machine does, as a table and as .build/bench.json
# make bench-peers   energyd's store beside SQLite, rrdtool, InfluxDB and VictoriaMetrics (some ten minutes)
# make crash-test   100,000 crash points of the store on a simulated disk; part of make test
# make soak    more of them, a week's memory, and the real daemon killed 200 times under load
# make fuzz    libFuzzer on every fuzz target, RUNS=1000000 each (FUZZ=FuzzRegisters: one of them)
# make lint    swift-format, strict make clean     removes what the others made

SHELL := /bin/bash
SWIFT_FLAGS := --explicit-target-dependency-import-check error
# Nobody loads these programs as a library: without exported symbols, unused or equal sections and strings they are a
# tenth smaller.
LINK_FLAGS := -Xlinker --no-export-dynamic -Xlinker --gc-sections -Xlinker --icf=safe -Xlinker -O2
RELEASE_FLAGS := -c release --static-swift-stdlib --scratch-path .build-release $(SWIFT_FLAGS) $(LINK_FLAGS)

.PHONY: demo test build release crash-test soak bench bench-peers fuzz lint clean dependencies

demo: release
	@scripts/demo

test: dependencies lint release crash-test
	@echo "== building the tests"
	@swift build --build-tests $(SWIFT_FLAGS)
	@echo "== running the tests"
	@ENERGYD_BINARIES=$(CURDIR)/.build-release/release swift test --skip-build --disable-xctest $(SWIFT_FLAGS)
	@echo "== running the tests that pace a wire, alone"
	@ENERGYD_REAL_TIME_TESTS=1 swift test --skip-build --disable-xctest --no-parallel $(SWIFT_FLAGS) \
		--filter 'BusFaultTests|SerialLineTests'

build: dependencies
	@swift build $(SWIFT_FLAGS)

release: dependencies
	@echo "== building energyd, energyctl and energysim (release; the first time takes some minutes)"
	@swift build $(RELEASE_FLAGS)

crash-test: release
	@.build-release/release/energyfuzz --points 100000

soak: release
	@scripts/soak

bench: release
	@scripts/bench

bench-peers: release
	@scripts/bench-peers

fuzz:
	@scripts/fuzz

lint:
	@echo "== checking the format"
	@swift format lint --strict --parallel -r Package.swift Sources Tests

clean:
	@rm -rf .build .build-*

dependencies:
	@scripts/install-dependencies
