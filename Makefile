# Everything here works on a machine that has only Python 3.11 or newer and make.
PYTHON ?= python3
PORT ?= 8501
HOST = localhost
# More words for pytest: make test ARGS="-k triage"
ARGS ?=

BIN := .venv/bin
# Bytecode is kept, whatever is set outside: tests start the app dozens of times, and each would compile it all anew.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help run test lint audit screenshots clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

run: .venv/.runtime ## start Incident Desk at http://localhost:8501 (PORT=, HOST=)
	$(BIN)/streamlit run app.py --server.port $(PORT) --server.address $(HOST)

# Speed is measured first and alone, and said; pytest says 5 when ARGS leave nothing to measure.
test: .venv/.dev ## every test, on SQLite and PostgreSQL, in a browser too (ARGS=)
	$(BIN)/python -m pytest -m load -s $(ARGS) || [ $$? -eq 5 ]
	$(BIN)/python -m pytest -m "not load" -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: .venv/.dev ## style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: .venv/.dev ## known vulnerabilities in what is pinned
	$(BIN)/python .ci/audit.py

screenshots: .venv/.dev ## the pictures of README and docs, from the running app
	$(BIN)/python -m tests.screenshots

clean: ## remove what make and the tools made; data/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	  echo "Incident Desk needs Python 3.11 or newer, and there is no $(PYTHON) here. Install it, or name yours: make run PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Incident Desk needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name a newer one: make run PYTHON=python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	"$(PYTHON)" -m venv .venv

.venv/.runtime: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/.runtime
