# `make help` lists the goals. All results go to .venv/ and build/; third-party libraries are built once into a cache outside.

PYTHON ?= python3
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
VENV := .venv
BIN := $(VENV)/bin

export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help build run test check format bench soak suites fuzz wheel clean bootstrap-build bootstrap-test bootstrap-check bootstrap-bench

help:  ## list the goals
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

bootstrap-%:
	@tools/bootstrap $*

# What the Python side of each goal needs, installed when pyproject.toml changes.
$(VENV)/.groups-%: pyproject.toml
	@test -x $(BIN)/python || { $(PYTHON) -m venv $(VENV) && $(BIN)/pip install --quiet --upgrade 'pip>=25.1'; }
	@$(BIN)/pip install --quiet --group $*
	@touch $@

# Outside judges of the protocols and peers, for the tests. Go checks their sums.
JUDGES := build/judges
$(JUDGES)/.ready: $(wildcard python/tests/judges/go.* python/tests/judges/*/*.go) tools/install_h3spec.py
	@cd python/tests/judges && GOBIN="$(CURDIR)/$(JUDGES)" GOFLAGS=-mod=readonly go install ./caddy ./gopeer \
		github.com/summerwind/h2spec/cmd/h2spec github.com/summerwind/h2spec/cmd/h2specd
	@$(PYTHON) tools/install_h3spec.py $(JUDGES)
	@touch $@

build: bootstrap-build $(VENV)/.groups-build  ## build pabal into .venv
	@$(BIN)/pip install --quiet --no-build-isolation --force-reinstall --no-deps .
	@$(BIN)/pip install --quiet 'rich>=13'

run: build  ## build, start the demo server, gather 1,000 quotes from it
	@$(BIN)/python -m pabal.cli.quickstart

test: bootstrap-test build $(JUDGES)/.ready $(VENV)/.groups-test $(VENV)/.groups-check  ## run all tests (STAGES="cpp python …" for some)
	@$(BIN)/python tools/test.py $(STAGES)

check: bootstrap-check build $(VENV)/.groups-test $(VENV)/.groups-check  ## format, lint, types, house rules
	@$(BIN)/python tools/test.py house format lint types tidy

format: bootstrap-check $(VENV)/.groups-check  ## rewrite all files to the format `make check` wants
	@git ls-files --cached --others --exclude-standard '*.cpp' '*.hpp' '*.h' | xargs -r clang-format-19 -i
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

bench: bootstrap-bench build $(JUDGES)/.ready  ## run the benchmark suite; results in bench/results/
	@$(BIN)/python -m bench $(BENCH)

soak: bootstrap-test build $(VENV)/.groups-test  ## a million requests in ten minutes: does anything leak? (SOAK_SECONDS=…)
	@PABAL_SOAK_SECONDS=$(or $(SOAK_SECONDS),600) PABAL_SOAK_REQUESTS=$(or $(SOAK_REQUESTS),1000000) $(BIN)/python tools/test.py soak

suites: build  ## run the peers' own tests on the faces (SUITES="requests …" for some)
	@$(BIN)/python tools/suites.py $(SUITES)

fuzz: bootstrap-test $(VENV)/.groups-build  ## fuzz every target for a minute (FUZZ_SECONDS=…)
	@PABAL_FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) $(BIN)/python tools/test.py fuzz

wheel: bootstrap-build $(VENV)/.groups-build  ## build a wheel into dist/
	@$(BIN)/pip wheel --quiet --no-build-isolation --no-deps --wheel-dir dist .
	@ls dist/*.whl

clean:  ## remove all results but the cached third-party libraries
	rm -rf build dist $(VENV)
