# Verbs. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := build
JOBS ?= $(shell nproc)
RELEASE := build/release
ASAN := build/asan

.PHONY: help setup build configure run test check format bench sim fuzz e2e clean

help:  ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## install what the build needs (Debian bookworm)
	@deploy/setup.sh

configure: setup
	@[ -f $(RELEASE)/build.ninja ] || cmake --preset release >/dev/null

build: configure  ## pd-server, pdctl, pd-storesim and the benches in build/release/bin
	@cmake --build $(RELEASE) -j $(JOBS)

check: configure  ## format, lints, layers, headers
	@tests/lint/check.sh

format:  ## format the C++ sources in place
	@git ls-files -co --exclude-standard '*.h' '*.cc' | xargs -r clang-format-16 -i

clean:  ## remove the build trees
	@rm -rf build
