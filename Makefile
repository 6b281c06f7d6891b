# The commands of this repository. A machine needs Python 3.11 or newer and make; the rest comes from requirements/.
#
#   make demo    see durably work, on an embedded PostgreSQL
#   make test    run the tests
#   make help    all commands

PYTHON ?= python3
VENV := .venv
PEERS := .venv-peers
BIN := $(VENV)/bin
WORKERS := $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))') # most tests wait: for a lease, a signal, a server
PYTEST_ARGS ?= -n $(WORKERS) --dist worksteal
CHECKED := $(wildcard src tests tools bench examples)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
CHECKS := check-format check-style check-generated check-types check-layers check-public-types

.PHONY: $(CHECKS) help install peers demo test lint format generate bench bench-smoke bench-backlogs bench-console screenshots longest faults simulate soak ci clean pins

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

# --- what the commands need; a stamp is older than its requirements only when they changed ---------------

$(VENV)/.stamp-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "durably needs Python 3.11 or newer, this is " + sys.version + "; try: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.stamp-dependencies: requirements/dev.txt $(VENV)/.stamp-python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.stamp-durably: pyproject.toml $(VENV)/.stamp-dependencies
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

install: $(VENV)/.stamp-durably ## create .venv with the pinned, hash-checked dependencies

$(PEERS)/.stamp-python:
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@touch $@

$(PEERS)/.stamp-dependencies: requirements/peers.txt $(PEERS)/.stamp-python
	$(PEERS)/bin/python -m pip install --quiet --require-hashes -r requirements/peers.txt
	@touch $@

NODE_LOCKS := $(wildcard tests/interop/apps/*/package-lock.json)
NODE_STAMPS := $(NODE_LOCKS:package-lock.json=node_modules/.package-lock.json)

tests/interop/apps/%/node_modules/.package-lock.json: tests/interop/apps/%/package-lock.json
	cd $(@D)/.. && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

peers: $(PEERS)/.stamp-dependencies $(NODE_STAMPS) ## install the real DBOS packages that tests and benchmarks run against

# --- the commands -----------------------------------------------------------------------------------------

demo: install ## run durably's demo on an embedded PostgreSQL
	$(BIN)/durably demo

test: install ## run the tests (PYTEST_ARGS)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(CHECKS) ## run every check (make -k lint: past the first that fails)

check-format: install
	$(BIN)/ruff format --check $(CHECKED)

check-style: install
	$(BIN)/ruff check $(CHECKED)

check-generated: install
	$(BIN)/python -m tools.generate_sync --check
	$(BIN)/python -m tools.generate_cli_docs --check

check-types: install
	$(BIN)/mypy $(CHECKED)

check-layers: install
	$(BIN)/lint-imports --no-logo

check-public-types: install
	$(BIN)/python -m tools.public_types

format: install ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

generate: install ## write the blocking twins of the async modules, and docs/cli.md
	$(BIN)/python -m tools.generate_sync
	$(BIN)/python -m tools.generate_cli_docs

bench: install peers ## measure durably and its peers
	$(BIN)/python -m bench $(BENCH_ARGS)

bench-backlogs: install ## measure claims at backlogs up to a million
	$(BIN)/python -m bench.backlogs

bench-smoke: install peers
	$(BIN)/python -m bench --smoke

RUNS ?= 1000000
bench-console: install ## measure the console's pages on RUNS (1000000) workflows
	$(BIN)/python -m bench.console --runs $(RUNS)

screenshots: install ## take pictures of the console's pages, in both themes and at two widths, into SHOTS (build/screenshots)
	mkdir -p $(or $(SHOTS),build/screenshots)
	DURABLY_SCREENSHOTS=$(or $(SHOTS),build/screenshots) $(BIN)/python -m pytest -q tests/console --deselect tests/console/test_api_fuzz.py

longest: install ## print the longest functions
	$(BIN)/python -m tools.longest src

faults: install ## run the fault suite in full, in about an hour, and print its table
	$(BIN)/python -m pytest tests/faults --timeout 1800 $(or $(FAULTS_ARGS),--faults full)

SEEDS ?= 10000
simulate: install ## run the engine through SEEDS (10000) simulations with faults, and print their table
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) $(SIMULATE_ARGS)

SECONDS ?= 300
soak: install ## every fault together for SECONDS (300) seconds, the history checked at the end
	$(BIN)/python -m pytest tests/faults/test_32_soak.py --timeout $$(( $(SECONDS) + 300 )) --soak-seconds $(SECONDS)

ci: ## everything that CI runs
	$(PYTHON) -m tools.stages

pins: ## write requirements/*.txt anew from requirements/*.in and pyproject.toml
	tools/pins.sh

clean: ## remove environments, caches and build results
	rm -rf $(VENV) $(PEERS) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .durably
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf $(wildcard tests/interop/apps/*/node_modules)
