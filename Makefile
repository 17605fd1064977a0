# Two commands matter: `make demo` and `make test`. Both need Python 3.11+ and nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Two workers: the tests start real servers.
PYTEST_ARGS ?= -n 2
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test gen lint bench constraints clean

help: ## Show what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(f"Vitrine needs Python 3.11 to 3.14, {sys.executable} is {v[0]}.{v[1]}: try make PYTHON=python3.12") if not (3, 11) <= v[:2] <= (3, 14) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cpu,train,dev]'
	@touch $@

setup: $(STAMP) ## Create .venv and install everything in it

demo: $(STAMP) ## Simulate a shop, train, serve, and watch one shopper's window change
	$(BIN)/vitrine demo

test: $(STAMP) ## Run the tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

gen: $(STAMP) ## Regenerate the stubs of services/vitrine/api from protos/
	scripts/gen

lint: $(STAMP) ## Check style, types and protos
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/buf lint

bench: $(STAMP) ## Load-test a running server with ghz and write tests/load/report.md
	scripts/bench

constraints: $(STAMP) ## Write down the versions that are installed now
	@{ echo "# The versions that were tested together. Names and versions only; made by \`make constraints\`."; \
	  $(BIN)/python -m pip list --format=freeze --exclude-editable | grep -viE '^(pip|setuptools|wheel)='; } > constraints.txt

clean: ## Remove what demo and bench made (not .venv)
	rm -rf .demo .bench
