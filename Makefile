# Every target does its own set-up from nothing but Python 3.11 and make; nothing leaves .venv.
# `make run` and `make test` are the two commands of the README; the rest is for contributors.
# GNU make 3.81 (macOS) is enough.

PYTHON ?=
PORT ?= 8765
SECONDS ?= 600
BIN := .venv/bin
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help run cluster test check slow chaos bench lint format types e2e wheel lock clean

help: ## say what can be made
	@grep -E '^[a-z0-9]+:.*##' Makefile | sed 's/:.*## /	/' | awk -F'	' '{printf "  make %-8s %s\n", $$1, $$2}'

.venv/run.stamp: tools/setup requirements.lock requirements-uv.lock pyproject.toml
	@tools/setup run
	@touch $@

.venv/dev.stamp: tools/setup requirements-dev.lock requirements-uv.lock pyproject.toml
	@tools/setup dev
	@touch $@ .venv/run.stamp

.venv/bench.stamp: .venv/dev.stamp requirements-bench.lock
	@tools/setup bench
	@touch $@

# Node's packages are fetched only where they are asked for: by `make e2e`, and in CI.
tests/e2e/node_modules/.stamp: tools/setup-e2e tests/e2e/package.json tests/e2e/package-lock.json
	@tools/setup-e2e
	@mkdir -p $(@D)
	@touch $@

run: .venv/run.stamp ## serve the demo on http://127.0.0.1:8765/mcp
	@$(BIN)/handrail serve --http --port $(PORT) --demo

cluster: .venv/dev.stamp ## PostgreSQL, three workers and two HTTP servers on this machine
	@$(BIN)/python -m tests.cluster $(PORT) $(if $(PORT2),$(PORT2),$(shell expr $(PORT) + 1))

test: .venv/dev.stamp $(if $(CI),tests/e2e/node_modules/.stamp) ## run the tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: .venv/dev.stamp $(if $(CI),tests/e2e/node_modules/.stamp) lint types ## format, lint, types, walls, tests and their coverage
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest -n 2 --dist loadfile --no-loadscope-reorder
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

lint: .venv/dev.stamp ## formatting, lint and the walls between the rooms
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports

types: .venv/dev.stamp ## mypy, strict
	@$(BIN)/mypy

format: .venv/dev.stamp ## put the code in order
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

slow: .venv/dev.stamp ## the tests that take minutes
	@$(BIN)/python -m pytest -m slow --timeout 900 || test $$? = 5 # 5: there are none

chaos: .venv/dev.stamp ## every fault on every database for SECONDS (600), as JSON
	@$(BIN)/python -m tests.chaos --seconds $(SECONDS)

e2e: .venv/dev.stamp tests/e2e/node_modules/.stamp ## official clients, conformance suite and browser
	@$(BIN)/python -m pytest tests/e2e -rs

bench: .venv/bench.stamp ## measure, print JSON, fail when a bar does not hold
	@$(BIN)/python -m tests.bench

wheel: .venv/dev.stamp ## build dist/handrail-*.whl
	@$(BIN)/python -m hatchling build -t wheel

lock: .venv/dev.stamp ## resolve the locks anew
	@$(BIN)/python tools/lock

clean: ## remove everything that tools have made
	@rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* tests/e2e/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
