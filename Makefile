# What people do with this project. “make” alone lists it.
.DEFAULT_GOAL := help
.PHONY: help run test tests check demo translations bench bench-superset screenshots

PORT ?= 8501
# By file: a file's tests share its browser or server. Two at a time, because a browser, PostgreSQL and a server want the rest.
PYTEST_ARGS ?= -n 2 --dist loadfile
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check -c constraints.txt
WAREHOUSE := var/warehouse.duckdb

BANDIT := $(PY) -m bandit --quiet --configfile pyproject.toml
LOOKED_THROUGH := app.py deliver.py pages panels presentation data_access measures server
# The loader, the demo bank and what both store write SQL with names of the contract and of the operator's own files in it, all in
# quotes, and whoever runs them may write into the warehouse anyway. Everywhere else SQL made of texts (B608) is an error.
MAKES_SQL := data_access/load.py data_access/demo.py data_access/embedded.py
comma := ,
space := $(subst ,, )

# The stamps hold when the requirements were last installed, so that a second start asks pip nothing.
USER_STAMP := $(VENV)/.requirements
DEV_STAMP := $(VENV)/.requirements-dev

NO_PYTHON := No Python 3.11 or newer was found as python3.11 or python3; install one (Debian: apt-get install python3 python3-venv).
NO_VENV := The environment could not be made; Debian keeps what is missing in the package python3-venv.
NO_PACKAGES := The packages could not be installed. Mostly the package index cannot be reached: set PIP_INDEX_URL or PIP_FIND_LINKS \
to where your bank keeps Python packages. Otherwise the lines above say why.

help: ## lists these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r name what; do \
		printf 'make %-14s %s\n' "$$name" "$$what"; done

run: $(USER_STAMP) ## serves the dashboard on http://127.0.0.1:8501 (PORT=8502 for another port); builds the demo bank if there is none
	@$(PY) -c 'import socket, sys; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", int(sys.argv[1])))' '$(PORT)' 2>/dev/null \
		|| { echo 'Port $(PORT) cannot be used, or is taken; choose another: make run PORT=8502' >&2; exit 1; }
	@# Only where nobody has named a warehouse: a bank's own address is never answered with invented numbers.
	@if [ ! -e $(WAREHOUSE) ] && $(PY) -c 'import sys; from data_access.settings import ROOT, absolute, settings; sys.exit(settings().url != absolute("duckdb:///$(WAREHOUSE)", ROOT))' 2>/dev/null; then \
		echo 'There is no warehouse yet: building the demo bank, which takes some seconds.'; \
		$(PY) -m data_access demo --out $(WAREHOUSE) || exit 1; fi
	@$(PY) -m server --port $(PORT)

test: $(DEV_STAMP) ## runs all tests (PYTEST_ARGS="-k loader" for some of them)
	@$(PY) -m pytest $(PYTEST_ARGS)

tests: test

check: $(DEV_STAMP) ## looks at style, at MEASURES.md and the translations, and for unsafe code, secrets and packages with known faults
	@# All parts are run: one that fails does not hide what the others would say.
	@failed=0; \
	$(PY) -m ruff check . || failed=1; \
	$(PY) -m ruff format --check . || failed=1; \
	$(PY) -m measures.document --check || failed=1; \
	$(PY) -m presentation.translations --check || failed=1; \
	$(BANDIT) --exclude $(subst $(space),$(comma),$(MAKES_SQL)) --recursive $(LOOKED_THROUGH) || failed=1; \
	$(BANDIT) --skip B608 $(MAKES_SQL) || failed=1; \
	$(PY) -m tests.checks.stray_secrets || failed=1; \
	$(PY) -m tests.checks.pinned_packages || failed=1; \
	exit $$failed

demo: $(USER_STAMP) ## builds the demo bank anew, up to yesterday
	@$(PY) -m data_access demo --out $(WAREHOUSE)

translations: $(DEV_STAMP) ## brings locales/ in step with the code, and lists what is to be translated
	@$(PY) -m presentation.translations

bench: $(DEV_STAMP) ## measures P1 to P9 beside their peers, and prints a table (ID=P1 for one part; browse, soak, filter, … by name alone)
	@$(PY) -m tests.benchmarks.run

bench-superset: $(DEV_STAMP) var/superset-venv/.installed ## measures Apache Superset on the same bank, for the table of make bench
	@$(PY) -m tests.benchmarks.superset

var/superset-venv/.installed: tests/benchmarks/superset.txt | $(PY)
	@echo 'Installing Apache Superset beside the dashboard, in an environment of its own'
	@$(PY) -m venv var/superset-venv
	@var/superset-venv/bin/python -m pip install --disable-pip-version-check -q -r $< || { echo '$(NO_PACKAGES)' >&2; exit 1; }
	@touch $@

screenshots: $(DEV_STAMP) ## takes a picture of every page and slide in Chromium
	@$(PY) -m tests.browser.screenshots

$(PY):
	@for name in python3.11 python3; do \
		if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found="$$name"; break; fi; done; \
	if [ -z "$$found" ]; then echo '$(NO_PYTHON)' >&2; exit 1; fi; \
	echo "Making the environment $(VENV) with $$found"; \
	"$$found" -m venv $(VENV) || { rm -rf $(VENV); echo '$(NO_VENV)' >&2; exit 1; }

$(USER_STAMP): requirements.txt constraints.txt | $(PY)
	@echo 'Installing what the dashboard needs'
	@$(PIP) -r requirements.txt || { echo '$(NO_PACKAGES)' >&2; exit 1; }
	@touch $@

$(DEV_STAMP): requirements-dev.txt requirements-alone.txt requirements.txt constraints.txt | $(PY)
	@echo 'Installing what the tests need'
	@$(PIP) -r requirements-dev.txt && $(PIP) --no-deps -r requirements-alone.txt || { echo '$(NO_PACKAGES)' >&2; exit 1; }
	@touch $@ $(USER_STAMP)
