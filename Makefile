# Thin: every recipe is one or two commands. `make setup` is done by whatever needs it.
PYTHON ?= python3
VENV ?= .venv
MARKS ?= not slow and not alone
TESTS ?= tests
SOAK ?= 1
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: setup demo test quick coverage lint format docs bench soak clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Doctor needs Python 3.11 or newer; this is %s: set PYTHON=python3.11" % sys.version.split()[0])'
	@command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || { echo "Doctor's rule engine is compiled on installation: install a C compiler first (Debian: apt-get install gcc libc6-dev)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 13))'; then \
		CC='gcc -DPyEval_CallObject=PyObject_CallObject' $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt durable-rules; \
	fi
	@touch $(STAMP)

demo: setup
	@$(BIN)/doctor demo

# What keeps a deadline of milliseconds runs alone.
test: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not alone"
	$(BIN)/python -m pytest -m alone

quick: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "$(MARKS)" $(TESTS)

# The quick tests with their lines counted; from Python 3.12 on that costs almost no time.
coverage: setup
	COVERAGE_CORE=sysmon $(BIN)/python -m pytest -n 2 --dist worksteal -m "$(MARKS)" --cov --cov-report=term:skip-covered --cov-fail-under=94

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry doctor plugins rules
	$(BIN)/vulture

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One page per built-in rule, made from the rule.
docs: setup
	@rm -f docs/rules/*.md
	@$(BIN)/doctor --config /dev/null rules docs docs/rules

# make bench ONLY=startup|consult|scan|rules|database|sqllint|api
bench: setup
	@$(BIN)/python -m tests.bench $(ONLY)

# The same harnesses as in the tests, at the size that a release wants, or at a part of it.
soak: setup
	DOCTOR_SOAK=$(SOAK) $(BIN)/python -m pytest -n 2 -m "soak and not alone"
	DOCTOR_SOAK=$(SOAK) $(BIN)/python -m pytest -m "soak and alone"

clean:
	rm -rf .venv .venv-* .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
