# Two commands matter: `make demo` and `make test`. Both need Python 3.11+ and nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Two workers: the tests start real servers.
PYTEST_ARGS ?= -n 2

# What models run on: `gpu` where an NVIDIA GPU answers, else `cpu`. One of them, never both: onnxruntime and
# onnxruntime-gpu are one module. `make setup EXTRA=cpu` decides otherwise.
ifndef EXTRA
EXTRA := $(shell nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)
endif
ifeq ($(filter $(EXTRA),cpu gpu),)
$(error EXTRA is `$(EXTRA)`, and must be cpu or gpu)
endif
OTHER_RUNTIME := $(if $(filter gpu,$(EXTRA)),onnxruntime,onnxruntime-gpu)
STAMP  := $(VENV)/.installed-$(EXTRA)

.DEFAULT_GOAL := help
.PHONY: help setup demo test gen lint bench bench-check bench-peers bench-gpu cost evaluate constraints clean

help: ## Show what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(f"Vitrine needs Python 3.11 to 3.14, {sys.executable} is {v[0]}.{v[1]}: try make PYTHON=python3.12") if not (3, 11) <= v[:2] <= (3, 14) else None'
	$(PYTHON) -m venv $(VENV)
	@# The two runtimes overwrite each other's files: when one goes, the other must be put in anew.
	@if $(BIN)/python -m pip show --quiet $(OTHER_RUNTIME) 2>/dev/null; then \
	  $(BIN)/python -m pip uninstall --quiet --yes onnxruntime onnxruntime-gpu; fi
	@rm -f $(VENV)/.installed*
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRA),train,dev]'
	@touch $@

setup: $(STAMP) ## Create .venv and install everything in it; EXTRA=cpu or gpu decides what models run on

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

bench: $(STAMP) ## Measure how fast it is, on a quiet machine: half an hour; writes docs/performance.md and README's figures
	scripts/bench $(BENCH_ARGS)

bench-check: $(STAMP) ## Measure ratios on a small shop and compare them with those that are committed
	scripts/bench --check

bench-peers: $(STAMP) ## Host the ranking function in Ray Serve and mosec, too, and compare; writes docs/performance/peers.md
	scripts/bench-peers $(BENCH_ARGS)

bench-gpu: $(STAMP) ## Measure networks on an NVIDIA GPU; writes docs/performance/gpu.json
	scripts/bench-gpu $(BENCH_ARGS)

cost: $(STAMP) ## Measure training on growing data, time and memory, and write docs/cost; an hour or two
	$(BIN)/python -m vitrine_export.cost $(addprefix --gowalla ,$(wildcard ../shared/data/gowalla/train.txt))

DATA ?= ../shared/data
evaluate: $(STAMP) ## Measure all data sets below DATA, those that are not finished; writes docs/quality.md. JOBS=2: two at a time
	$(BIN)/python -m vitrine_export.evaluate.suite --data $(DATA) --jobs $(or $(JOBS),1) $(EVALUATE_ARGS)

# Not torch, nor what it brings along: a build for the CPU, `+cpu`, must be able to win where pip is set up for it.
# Both runtimes, whichever is installed.
constraints: $(STAMP) ## Write down the versions that are installed now
	@{ echo "# The versions that were tested together. Names and versions only; made by \`make constraints\`."; \
	  $(BIN)/python -m pip list --format=freeze --exclude-editable \
	  | grep -viE '^((pip|setuptools|wheel|torch|triton)==|(nvidia|cuda)-)' \
	  | sed -E 's/^onnxruntime(-gpu)?==(.*)/onnxruntime==\2\nonnxruntime-gpu==\2/'; } > constraints.txt

clean: ## Remove what demo and bench made (not .venv)
	rm -rf .demo .bench .evaluate
