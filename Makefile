# Every target sets up what it needs by itself, given Python 3.11 or newer, pip and make.
# The second time, the stamp in .venv tells make that the set-up is done.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.requirements-installed
CATALOGUES := $(patsubst %.po,%.mo,$(shell find mobile server -name '*.po' 2>/dev/null))

# Oldest first: 3.11 is what the tests run on every day, and Kivy 2.3.1 has no build for 3.14 yet.
PYTHONS := python3.11 python3.12 python3.13 python3
# Whole files to one worker each: a file's server or browser starts once.
# In the order of the folders, the longest files first (tests/conftest.py). Three processes on two cores: many
# tests wait for a server, a browser or a lock.
PYTEST := $(BIN)/python -m pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder --quiet

PIN := .tools/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --no-emit-index-url --no-emit-find-links --quiet $(if $(filter-out 0,$(UPGRADE)),--upgrade)

.PHONY: help demo test bench fuzz models lint lock vectors setup apk clean

help: ## Say what each target does
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: setup ## Play a shift on one machine: keys issued, doors opened offline, logs home (ONCE=1 ends by itself, WINDOW=1 shows the app)
	@$(BIN)/python -m simulation.demo $(if $(filter-out 0,$(ONCE)),--once) $(if $(filter-out 0,$(WINDOW)),--window)

test: lint ## Run every check and every test, the server's on SQLite and on a real PostgreSQL
	@echo "== Tests (the server's on SQLite)"
	@$(PYTEST)
	@echo "== The server's tests on PostgreSQL"
	@$(PYTEST) tests/server --database=postgres -m "not browser and not once"

bench: setup ## Measure openings, issuing and intake; prints a table and writes var/bench/results.json
	@$(BIN)/python -m bench

fuzz: setup ## Fuzz every parser and whole sessions for SECONDS=60 (docs/fuzzing.md); fails on a finding
	@$(BIN)/python -m fuzz --seconds $(or $(SECONDS),60)

lint: setup ## Check style, types and the import rules
	@echo "== Style: ruff"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@echo "== Types: mypy"
	@$(BIN)/mypy --no-error-summary
	@echo "== Import rules: import-linter"
	@$(BIN)/lint-imports

lock: .tools/bin/uv ## Pin the dependencies with hashes, in requirements.lock and the Pi's own (UPGRADE=1 takes newer ones)
	@echo "== Resolving for Python 3.11 and newer"
	@$(PIN) --extra dev --output-file requirements.lock
	@$(PIN) --extra lock --extra board --output-file deploy/pi/requirements.lock
	@if grep -n '://' requirements.lock deploy/pi/requirements.lock; then \
		echo "a lock file must not name a host" >&2; exit 1; fi

models: setup ## Walk through every state of the protocol's models (needs a Java runtime)
	@$(BIN)/python -m models

vectors: setup ## Make the protocol's test vectors again
	@$(BIN)/python -m tests.protocol.vectors.make

setup: $(READY) $(CATALOGUES)

apk: setup ## Build the Android app into var/android/bin (needs Linux, a network and what docs/android.md lists)
	@$(BIN)/buildozer android $(if $(filter-out 0,$(RELEASE)),release,debug)

clean: ## Remove everything that was made here: environments, caches, run-time data
	rm -rf $(VENV) .tools var build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find mobile server -name '*.mo' -delete

$(BIN)/python:
	@python=$$(for name in $(PYTHONS); do \
		"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo "$$name" && break; \
	done); \
	[ -n "$$python" ] || { echo "Missing: Python 3.11, 3.12 or 3.13 (looked for: $(PYTHONS))." >&2; exit 1; }; \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Missing: the venv module of $$python (on Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 1; }; \
	echo "== Making $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv $(VENV)

$(READY): requirements.lock | $(BIN)/python
	@echo "== Installing the pinned dependencies (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@touch $@

%.mo: %.po $(READY)
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@
	@test -s $@ || { echo "$< gave no catalogue: is its header marked fuzzy?" >&2; exit 1; }

# The resolver is needed only by whoever changes the dependencies, so it stays out of .venv.
.tools/bin/uv: | $(BIN)/python
	@echo "== Installing the resolver"
	@$(BIN)/python -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
