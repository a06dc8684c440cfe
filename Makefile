# make demo    a simulated house on the terminal, in one command
# make test    every test, with the checks of format and imports before them
# make build   debug build          make release   the programs as they are shipped
# make bench   what this machine does, as a table and as .build/bench.json
# make bench-peers   energyd's store beside SQLite, rrdtool, InfluxDB and VictoriaMetrics (some ten minutes)
# make fuzz    100,000 crash points of the store on a simulated disk; part of make test
# make soak    more of them, and the real daemon killed 200 times under load
# make lint    swift-format, strict make clean     removes what the others made

SHELL := /bin/bash
SWIFT_FLAGS := --explicit-target-dependency-import-check error
RELEASE_FLAGS := -c release --static-swift-stdlib --scratch-path .build-release $(SWIFT_FLAGS)

.PHONY: demo test build release fuzz soak bench bench-peers lint clean dependencies

demo: release
	@scripts/demo

test: dependencies lint release fuzz
	@echo "== building the tests"
	@swift build --build-tests $(SWIFT_FLAGS)
	@echo "== running the tests"
	@ENERGYD_BINARIES=$(CURDIR)/.build-release/release swift test --skip-build --disable-xctest $(SWIFT_FLAGS)

build: dependencies
	@swift build $(SWIFT_FLAGS)

release: dependencies
	@echo "== building energyd, energyctl and energysim (release; the first time takes some minutes)"
	@swift build $(RELEASE_FLAGS)

fuzz: release
	@.build-release/release/energyfuzz --points 100000

soak: release
	@scripts/soak

bench: release
	@scripts/bench

bench-peers: release
	@scripts/bench-peers

lint:
	@echo "== checking the format"
	@swift format lint --strict --parallel -r Package.swift Sources Tests

clean:
	@rm -rf .build .build-*

dependencies:
	@scripts/install-dependencies
