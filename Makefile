# Every target sets up what it needs. `make help` lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv-bench
BENCH_BIN := $(BENCH_VENV)/bin
WORKERS ?= 2
ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PYTHONUNBUFFERED := 1

# The newest Python for which every locked package has a wheel is 3.12; a newer one has to compile the
# bundled Redis, so it is taken only if there is no other. PYTHON=... overrides the search.
define find_python
found=""; seen=""; \
for want in "(3, 11) <= v < (3, 13)" "v >= (3, 13)"; do \
  for candidate in $(PYTHON) $(if $(PYTHON),,python3 python3.12 python3.11 python3.13 python3.14); do \
    [ -z "$$found" ] || continue; \
    "$$candidate" -c "import sys; v = sys.version_info; sys.exit(not ($$want))" 2>/dev/null || continue; \
    seen="$$candidate"; \
    "$$candidate" -c "import venv, ensurepip" 2>/dev/null && found="$$candidate"; \
  done; \
done; \
if [ -z "$$found" ] && [ -n "$$seen" ]; then \
  echo "$$seen has no venv module. On Debian and Ubuntu: apt install python3-venv. Or name another: make setup PYTHON=..." >&2; exit 1; \
elif [ -z "$$found" ]; then \
  echo "Python 3.11 or newer is needed, and none was found. Name it: make setup PYTHON=/path/to/python3" >&2; exit 1; \
fi
endef

##@ Use
.PHONY: setup
setup: $(VENV)/.installed ## build the environment from pinned, hash-checked versions

.PHONY: demo
demo: $(VENV)/.installed ## load sample lists into an embedded PostgreSQL and show what came of them
	@$(BIN)/pricemill demo $(ARGS)

##@ Develop
.PHONY: test
test: $(VENV)/.installed ## run all tests, acceptance tests included (ARGS="-k name" narrows)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: check
check: format-check lint types layers schemas coverage ## everything that must hold before a change lands

.PHONY: format
format: $(VENV)/.installed ## format the code
	@$(BIN)/ruff format .

.PHONY: format-check
format-check: $(VENV)/.installed
	@$(BIN)/ruff format --check .

.PHONY: lint
lint: $(VENV)/.installed ## ruff
	@$(BIN)/ruff check .

.PHONY: types
types: $(VENV)/.installed ## mypy --strict
	@$(BIN)/mypy

.PHONY: layers
layers: $(VENV)/.installed ## who may import whom
	@$(BIN)/lint-imports --no-logo --no-cache

.PHONY: schemas
schemas: $(VENV)/.installed ## schemas against their models and examples, reference pages against the code
	@$(BIN)/python -m docs.generate --check
	@$(BIN)/python -m pytest tests/unit/test_schemas.py tests/unit/test_reference.py

.PHONY: reference
reference: $(VENV)/.installed ## write docs/reference anew from the code
	@$(BIN)/python -m docs.generate

.PHONY: coverage
coverage: $(VENV)/.installed ## all tests with branch coverage; fails below the limit in pyproject.toml
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term $(ARGS)

.PHONY: bench
bench: $(BENCH_VENV)/.installed ## throughput beside the limit of PostgreSQL, latency beside bare arq, share of detection (long)
	@$(BENCH_BIN)/python -m benchmarks.load $(ARGS)
	@$(BENCH_BIN)/python -m benchmarks.latency
	@$(BENCH_BIN)/python -m benchmarks.detection

.PHONY: chaos
chaos: $(VENV)/.installed ## random faults by seed and a kill at every message, at most 15 minutes (ARGS="--seeds 3")
	@$(BIN)/python -m tests.chaos $(ARGS)

.PHONY: soak
soak: $(VENV)/.installed ## an hour of feeding under faults (ARGS="--minutes 5")
	@$(BIN)/python -m tests.chaos.soak $(ARGS)

.PHONY: corpus
corpus: $(VENV)/.installed ## every list of CORPUS=DIR, which holds an EXPECTED.json, against its facts
	@test -n "$(CORPUS)" || { echo "say which: make corpus CORPUS=DIR" >&2; exit 2; }
	@$(BIN)/python -m benchmarks.corpus "$(CORPUS)" $(ARGS)

##@ Keep
.PHONY: lock
lock: ## pin versions anew (needs uv; UPGRADE=--upgrade takes newer ones)
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	@set -e; compile="uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links $(UPGRADE)"; export UV_CUSTOM_COMPILE_COMMAND="make lock"; \
	$$compile --extra dev --output-file requirements-dev.lock; \
	$$compile --constraint requirements-dev.lock --output-file requirements.lock; \
	$$compile --extra dev --extra bench --constraint requirements-dev.lock --output-file requirements-bench.lock

.PHONY: clean
clean: ## remove environments, caches and build output (the demo's data in var/ stays)
	rm -rf $(VENV) $(BENCH_VENV) build *.egg-info .coverage .coverage.* htmlcov
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python $(BENCH_BIN)/python:
	@$(find_python); "$$found" -m venv --clear $(patsubst %/bin/python,%,$@)

# The stamps are the only record of what was installed; a changed lock or pyproject.toml makes them old.
$(VENV)/.locked: requirements-dev.lock | $(BIN)/python
	@echo "Installing the versions pinned in requirements-dev.lock into $(VENV) (a minute or two)"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.locked
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(BENCH_VENV)/.installed: requirements-bench.lock pyproject.toml | $(BENCH_BIN)/python
	@echo "Installing the versions pinned in requirements-bench.lock into $(BENCH_VENV) (a minute or two)"
	@$(BENCH_BIN)/python -m pip install --quiet --require-hashes -r requirements-bench.lock
	@$(BENCH_BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@
