# Verbs. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := build
JOBS ?= $(shell nproc)
RELEASE := build/release
BIN := $(RELEASE)/bin

.PHONY: help setup configure build run test check format bench bench-balance bench-balance-grpc sim fuzz e2e clean

help:  ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## install what the build needs (Debian bookworm)
	@deploy/setup.sh

configure: setup
	@[ -f $(RELEASE)/build.ninja ] || cmake --preset release >/dev/null

build: configure  ## pd-server, pdctl, pd-storesim and the benches in build/release/bin
	@cmake --build $(RELEASE) -j $(JOBS)

run: build  ## three servers, six simulated stores, a dashboard; UNTIL_BALANCED=1 ends by itself
	@exec python3 tests/storesim/run_cluster.py --bin $(BIN) $(if $(UNTIL_BALANCED),--until-balanced)

# One ctest run of the release tree takes the sanitizer tree's tests in; its summary is the end of the output.
test: build build-asan  ## build and run all tests
	@RC_PARAMS=max_success=20000 QM_SIBLINGS=asan \
	  ctest --test-dir $(RELEASE) -j $(JOBS) --output-on-failure --no-tests=error

# Another tree of raft, scheduler and pd alone: build-asan, build-tsan.
build-%: configure
	@[ -f build/$*/build.ninja ] || cmake --preset $* >/dev/null
	@cmake --build build/$* -j $(JOBS)

check: configure  ## format, lints, layers, headers, clang-tidy of what changed (all: tests/lint/check.sh tidy-all)
	@tests/lint/check.sh

format:  ## format the C++ sources in place
	@git ls-files -co --exclude-standard '*.h' '*.cc' | xargs -r clang-format-16 -i

bench: build  ## CPU per heartbeat and timestamp, bytes per region, time to serve again and to repair a lost store
	@tests/bench/run.sh $(RELEASE)

bench-balance: build  ## how soon, how evenly and with how few moves clusters settle, on virtual time
	@$(BIN)/pd_balance_sim "[scoreboard]" 2>/dev/null

GRPC_SCENARIOS ?= store_removed weights zones_and_racks hot_writes
bench-balance-grpc: build  ## some of these scenarios over gRPC, in real time: a line of JSON each
	@set -o pipefail; for name in $(GRPC_SCENARIOS); do \
	  python3 tests/storesim/run_cluster.py --bin $(BIN) --any-ports --until-balanced \
	    --scenario tests/sim/scenarios/$$name.json | tail -n 1 || exit 1; done

# A failure names the seed of its run; with that as SEED it comes again.
sim: build  ## simulated groups, each from a seed: SEED= for one run, STEPS= for its length
	@$(if $(SEED),QM_SIM_SEED=$(SEED) QM_SIM_RUNS=1 QM_SIM_FRESH_SECONDS=0,QM_SIM_SEEDS=200 QM_SIM_RUNS=400) \
	  $(if $(STEPS),QM_SIM_STEPS=$(STEPS)) ctest --test-dir $(RELEASE) -R '_sim|pd_replication' --verbose --no-tests=error

FUZZ_SECONDS ?= 60
fuzz: build-fuzz  ## each fuzzer for FUZZ_SECONDS, and millions of property cases
	@tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS)

e2e: build build-tsan  ## the long tests: 100 kills, a snapshot of 1,000,000 regions, the thread sanitizer
	@QM_SIBLINGS=tsan QM_KILLS=100 QM_SNAPSHOT_REGIONS=1000000 \
	  ctest --test-dir $(RELEASE) -L 'e2e|tsan' -j 1 --output-on-failure --no-tests=error

clean:  ## remove the build trees
	@rm -rf build
